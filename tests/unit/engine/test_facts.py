"""The schema over facts: JSON Schema where everything is known, Kleene's logic where it is not."""

import re
import time
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kmslint.engine import facts
from kmslint.engine.facts import Judgement, SchemaError
from kmslint.model.key import Absent, Fact, Known, Unknown
from kmslint.tree import Symbol, Template

NAMES = ("a", "b.c", "d")
UNREAD = Unknown("unread", "AccessDenied")

_scalars = st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "x", "xy", "alias/aws/x"])
_values = _scalars | st.lists(_scalars, max_size=2) | st.dictionaries(st.sampled_from("mn"), _scalars, max_size=2)


def _leaves() -> st.SearchStrategy[dict[str, Any]]:
    numbers = st.integers(-1, 3)
    return st.one_of(
        st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])}),
        st.fixed_dictionaries({"type": st.lists(st.sampled_from(["string", "boolean", "array"]), min_size=1, unique=True)}),
        st.fixed_dictionaries({"const": _values}),
        st.fixed_dictionaries({"enum": st.lists(_values, min_size=1, max_size=3)}),
        *(st.fixed_dictionaries({name: numbers}) for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")),
        *(st.fixed_dictionaries({name: st.integers(0, 2)}) for name in ("minItems", "maxItems", "minLength")),
        st.fixed_dictionaries({"pattern": st.sampled_from(["^x", "y$", "^alias/aws/", "x|y"])}),
    )


def _nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    members = st.dictionaries(st.sampled_from("mn"), inner, max_size=2)
    return st.one_of(
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"items": inner}),
        st.fixed_dictionaries({"contains": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"properties": members}, optional={"required": st.lists(st.sampled_from("mn"), unique=True)}),
    )


_schemas = st.recursive(_leaves(), _nested, max_leaves=4)


def _top(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=3)}),
    )


_tops = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from(NAMES), _schemas, max_size=3),
            "required": st.lists(st.sampled_from(NAMES)),
        },
    ).filter(bool),
    _top,
    max_leaves=4,
)
_known = st.dictionaries(st.sampled_from(NAMES), _values, max_size=3)


def _judge(schema: Mapping[str, Any], known: Mapping[str, Fact]) -> Judgement:
    return facts.judge(schema, lambda name: known.get(name, Absent()))


@given(_tops, _known)
def test_with_everything_known_it_is_json_schema(schema: dict[str, Any], values: dict[str, Any]) -> None:
    facts.validate(schema, NAMES)
    expected = jsonschema.Draft202012Validator(schema).is_valid(values)
    assert _judge(schema, {name: Known(value) for name, value in values.items()}).truth is expected


@given(_tops, _known, st.sets(st.sampled_from(NAMES)), st.sampled_from(["unread", "symbol"]))
def test_a_verdict_without_a_fact_holds_whatever_the_fact_is(
    schema: dict[str, Any], values: dict[str, Any], hidden: set[str], how: str
) -> None:
    whole: dict[str, Fact] = {name: Known(value) for name, value in values.items()}
    mask: Fact = UNREAD if how == "unread" else Known(Symbol("var.x"))
    assume(how == "unread" or hidden <= whole.keys())  # an unresolved value is there, whatever it is
    truth = _judge(schema, whole | dict.fromkeys(hidden, mask)).truth
    assert truth is None or truth is _judge(schema, whole).truth


@given(_tops, _known)
def test_without_unknown_facts_there_is_a_verdict(schema: dict[str, Any], values: dict[str, Any]) -> None:
    assert _judge(schema, {name: Known(value) for name, value in values.items()}).truth is not None


@given(_tops, _known, st.sets(st.sampled_from(NAMES)))
def test_a_verdict_that_is_not_known_blames_an_unknown_fact(
    schema: dict[str, Any], values: dict[str, Any], hidden: set[str]
) -> None:
    judgement = _judge(schema, {name: Known(value) for name, value in values.items()} | dict.fromkeys(hidden, UNREAD))
    assert judgement.truth is not None or set(judgement.facts) & hidden


ON = {"required": ["a"], "properties": {"a": {"const": True}}}


@pytest.mark.parametrize(
    ("schema", "known", "expected"),
    [
        (ON, {"a": Known(True)}, Judgement(True, ("a",))),
        (ON, {"a": Known(False)}, Judgement(False, ("a",))),
        (ON, {}, Judgement(False, ("a",))),
        (ON, {"a": UNREAD}, Judgement(None, ("a",))),
        ({"properties": {"a": {"const": True}}}, {}, Judgement(True, ())),
        ({"properties": {"a": {"const": 1}}}, {"a": Known(True)}, Judgement(False, ("a",))),
        ({"not": ON}, {"a": UNREAD}, Judgement(None, ("a",))),
        ({"anyOf": [ON, {"required": ["d"]}]}, {"a": UNREAD, "d": Known(1)}, Judgement(True, ("d",))),
        ({"anyOf": [ON, {"required": ["d"]}]}, {"a": UNREAD}, Judgement(None, ("a",))),
        ({"allOf": [ON, {"required": ["d"]}]}, {"a": UNREAD}, Judgement(False, ("d",))),
        ({"properties": {"a": {"contains": {"pattern": "^x"}}}}, {"a": Known(["y", Symbol("v")])}, Judgement(None, ("a",))),
        ({"properties": {"a": {"contains": {"pattern": "^x"}}}}, {"a": Known(["x", Symbol("v")])}, Judgement(True, ("a",))),
        ({"properties": {"a": {"const": "x"}}}, {"a": Known(Template(("x", Symbol("v"))))}, Judgement(None, ("a",))),
        ({"properties": {"a": {"const": ["x"]}}}, {"a": Known([Symbol("v")])}, Judgement(None, ("a",))),
        ({"properties": {"a": {"pattern": "x"}}}, {"a": Known("x" * 10_001)}, Judgement(None, ("a",))),
    ],
)
def test_judgements(schema: dict[str, Any], known: dict[str, Fact], expected: Judgement) -> None:
    assert _judge(schema, known) == expected


@pytest.mark.parametrize(
    "pattern", ["^alias/aws/", "a*", "[a-z]{3,5}x", r"\d{3}-\d{2}-\d{4}", "(?:a|b)c?", r"\*\+\?", "[*+?|]{2}x*"]
)
def test_tame_patterns(pattern: str) -> None:
    assert facts.is_tame(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "(a+)+b",
            "(a|a)*b",
            "a*a*b",
            "a+.*",
            r"(a)\1",
            "(?=a)b",
            "(?<=a)b",
            "(?!a)",
            "(a){9}",
            "a{2,}b*",
            "a{500}",
            "a{20}b{20}",
        ),
        "a?" * 9,
        "(a|a)" * 9,
    ],
)
def test_patterns_that_may_take_long(pattern: str) -> None:
    assert not facts.is_tame(pattern)


@pytest.mark.parametrize("pattern", ["a*b", "x?" * 8 + "a*b", "(a|aa)(a|aa)(a|aa)(a|aa)a*b", "a{16}a{16}a*b"])
def test_the_worst_tame_pattern_ends_soon(pattern: str) -> None:
    assert facts.is_tame(pattern)
    start = time.perf_counter()
    _judge({"properties": {"a": {"pattern": pattern}}}, {"a": Known("a" * 2_000)})
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("schema", "place", "message"),
    [
        ({"minimun": 3}, "", "has an unknown keyword `minimun`"),
        ({"minimum": "3"}, ".minimum", "is not a number"),
        ({"minItems": 1.5}, ".minItems", "is not a whole number"),
        ({"type": "text"}, ".type", "is `text`, not a type"),
        ({"enum": "x"}, ".enum", "is not a list"),
        ({"anyOf": {}}, ".anyOf", "is not a list"),
        ({"anyOf": [3]}, ".anyOf[0]", "is not a table"),
        ({"not": []}, ".not", "is not a table"),
        ({"properties": {"a": 3}}, ".properties.a", "is not a table"),
        ({"properties": []}, ".properties", "is not a table"),
        ({"required": ["z"]}, ".required", "speaks of an unknown fact `z`"),
        ({"not": {"required": ["z"]}}, ".not.required", "speaks of an unknown fact `z`"),
        (
            {"properties": {"a": {"pattern": "("}}},
            ".properties.a.pattern",
            "is not a regular expression: missing ), unterminated subpattern",
        ),
        ({"properties": {"a": {"pattern": 3}}}, ".properties.a.pattern", "is not a text"),
    ],
)
def test_a_wrong_schema_is_told(schema: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        facts.validate(schema, NAMES)
    assert (caught.value.at, caught.value.message) == (place, message)


def test_a_variable_stands_for_a_number() -> None:
    facts.validate({"properties": {"a": {"maximum": "${kmslint:rotation-days}"}}}, NAMES)


def test_a_schema_may_not_nest_without_end() -> None:
    schema: dict[str, Any] = {"required": ["a"]}
    for _ in range(20):
        schema = {"not": schema}
    with pytest.raises(SchemaError, match=re.escape("is nested more than 16 deep")):
        facts.validate(schema, NAMES)


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (Known(True), "`true`"),
        (Known(90), "`90`"),
        (Known("a`b"), "`a'b`"),
        (Known("x" * 200), "`" + "x" * 120 + "…`"),
        (Absent(), "absent"),
        (UNREAD, "not known"),
    ],
)
def test_shown(fact: Fact, expected: str) -> None:
    assert facts.shown(fact) == expected
