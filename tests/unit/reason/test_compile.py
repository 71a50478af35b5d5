"""Conditions as atoms: the evaluator's own answer in both readings, and the set of texts that each pattern stands for."""

import itertools

import pytest

from kmslint.policy import operators
from kmslint.policy.document import Condition, Item, Statement
from kmslint.policy.evaluate import SERVICE_OPAQUE, Run
from kmslint.policy.principals import ROLE, SERVICE
from kmslint.policy.request import ContextValue, Request
from kmslint.policy.truth import T, U
from kmslint.reason import compile as module
from kmslint.reason.answer import SYMBOL, Answer, Cause, Undetermined, Violated
from kmslint.reason.compile import Context, compile_condition, intern_test, variable_of, variables_in
from kmslint.reason.query import find_allowed
from kmslint.reason.search import holds
from kmslint.reason.strings import accepts
from kmslint.reason.values import ABSENT, EVERY, SOME, Atom, InPatterns
from kmslint.reason.values import Test as TextSet
from kmslint.tree import Symbol, Template, from_python
from tests.oracle.bridge import key_of, policy_of, statements_of

KEY = key_of()
ROLE_ARN = "arn:aws:sts::111122223333:assumed-role/r/s"
BOUND: dict[str, str | None] = {"aws:username": "b*", "aws:userid": None, "aws:principaltag/t": "b", "aws:principaltag/e": ""}
HOLE = Symbol("${")
NODE = from_python(None)
Parts = str | tuple[str | Symbol, ...]


def parsed(
    operator: str, key: str, values: object, effect: str = "Allow", version: str = "2012-10-17"
) -> tuple[Statement, Condition, bool]:
    described = {"Effect": effect, "Principal": "*", "Action": "*", "Resource": "*", "Condition": {operator: {key: values}}}
    policy = policy_of({"Version": version, "Statement": [described]})
    statement = policy.statements[0]
    return statement, statement.conditions[0], policy.has_variables()


def with_holes(operator: str, key: str, *values: Parts) -> tuple[Statement, Condition]:
    statement, condition, _ = parsed(operator, key, "x")
    items = tuple(Item(one if isinstance(one, str) else Template(one), NODE) for one in values)
    return statement, condition._replace(values=items)


def context(kind: str = ROLE, principal: str | None = ROLE_ARN, bindings: dict[str, str | None] | None = None) -> Context:
    return Context(kind, principal, BOUND if bindings is None else bindings, KEY)


def true_of(atom: Atom | bool, value: ContextValue | None) -> bool:
    if isinstance(atom, bool):
        return atom
    return holds(atom, ABSENT if value is None else value if isinstance(value, str) else tuple(sorted(value)))


def truth_of(
    statement: Statement, condition: Condition, has_variables: bool, value: ContextValue | None, principal: str = ROLE_ARN
) -> int:
    held: dict[str, ContextValue] = {name: bound for name, bound in BOUND.items() if bound is not None}
    if value is not None:
        held[condition.key.lower()] = value
    return Run(Request(principal, "kms:Decrypt", held, KEY), has_variables, lean=False).condition(condition, statement.effect)


AGENT, TAGS, ARN, MFA, AGE, IP, TIME, EPOCH = "aws:UserAgent", "aws:TagKeys", "aws:SourceArn", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:SourceIp", "aws:CurrentTime", "aws:EpochTime"  # fmt: skip
TEXTS = (
    "",
    "a",
    "ab",
    "b",
    "b*",
    "B",
    "A",
    "k",
    "K",
    "\u212a",
    "s",
    "\u017f",
    "\u00e9",
    "\u00c9",
    "*",
    "?",
    "$",
    "x",
    "${bad",
    "1",
    "d",
    "a*b",
)
ARNS = ("", "a:b:c:d:e:f", "a:b:c:d:e:f:g", "a:b", "x", "a:x:y:c:d:e:f", "a:b:c:d:e:")
TABLE: list[tuple[str, str, object, tuple[ContextValue, ...]]] = [
    *((operator, AGENT, values, TEXTS) for operator in ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
      for values in ("a", ["a", "b*"], "a*b", "?", "*", "${*}", "a${?}", "${$}", "${bad", "${aws:username}", "a${aws:PrincipalTag/t}", "${aws:userid}", "${aws:userid, 'd'}",
                     "${aws:username, 'd'}", "${aws:PrincipalTag/e, 'd'}", ["${aws:userid}", "x"], [], "\u00e9")),
    *((operator, AGENT, values, TEXTS[:-2]) for operator in ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase") for values in ("a", ["K", "1"], "S", "b*", "${aws:username}", "a*b")),
    *((operator, ARN, values, ARNS) for operator in ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")
      for values in ("a:b:c:d:e:f", "a:*", "*", "a:*:c:d:e:f", "a:b:c:d:e:*", "?:b:c:d:e:f", ["x", "a:b:c:d:e:f*"])),
    *((operator, AGENT, "a", TEXTS) for operator in ("StringEqualsIfExists", "StringNotEqualsIfExists", "stringequals", "STRINGNOTLIKE", "NoSuch", "ForAllValues:StringEquals")),
    *((prefix + operator, TAGS, values, ("", frozenset({"a"}), frozenset({"a", "b"}), frozenset({"b"}), frozenset({"ab", "x"})))
      for prefix in ("", "ForAllValues:", "ForAnyValue:") for operator in ("StringEquals", "StringNotEquals", "StringLikeIfExists", "StringNotLikeIfExists") for values in ("a", ["a", "b*"], [])),
    *(("Null", AGENT, values, ("", "a")) for values in ("true", "false", "TRUE", "False", ["true", "false"], "x", [])),
    *((prefix + "Null", TAGS, values, (frozenset({"a"}),)) for prefix in ("", "ForAllValues:", "ForAnyValue:") for values in ("true", "false")),
    *(("Bool", MFA, values, ("true", "false", "TRUE", "x", "")) for values in ("true", "False", ["true", "false"], "x", "${aws:PrincipalTag/t}", [])),
    *((operator, AGE, values, ("0", "1", "1.0", "1.5", "2", "x", "")) for operator in ("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals", "NumericLessThanIfExists")
      for values in ("1", ["1", "2"], "x", "1.5")),
    *((operator, IP, values, ("1.2.3.4", "1.2.4.4", "::1", "::ffff:1.2.3.4", "x", "")) for operator in ("IpAddress", "NotIpAddress") for values in ("1.2.3.0/24", ["::/0"], "x", "::ffff:1.2.3.0/120")),
    *((operator, TIME, values, ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")) for operator in ("DateEquals", "DateNotEquals", "DateLessThan", "DateGreaterThanEquals")
      for values in ("2026-01-01T00:00:00Z", "1767225600", "2026", "x")),
    ("StringEquals", "no:such", "a", ("a", "b")), ("StringNotEquals", "no:such", "a", ("a", "b")), ("BinaryEquals", AGENT, "YQ==", ("YQ==", "YQ", "a")),
]  # fmt: skip


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize("part", range(6))
def test_an_atom_is_the_evaluators_answer_in_both_readings(part: int, effect: str) -> None:
    for operator, key, values, held in TABLE[part::6]:
        for version in ("2012-10-17", "2008-10-17"):
            statement, condition, has_variables = parsed(operator, key, values, effect, version)
            for upper in (False, True):
                atom = compile_condition(condition, statement, has_variables, context(), upper=upper)
                for value in (None, *held):
                    said = true_of(atom, seconds(value) if key == TIME else value)
                    truth = truth_of(statement, condition, has_variables, value)
                    if operator == "NoSuch":  # AWS refuses it: the wide reading need not know that
                        assert said == upper
                    elif upper and "IgnoreCase" in operator and "\u00e9" in (str(value).lower(), str(values)):
                        assert said or truth != T
                    else:
                        assert said == (truth >= (U if upper else T)), (
                            operator,
                            key,
                            values,
                            value,
                            upper,
                            version,
                            effect,
                            said,
                            truth,
                        )


def seconds(value: ContextValue | None) -> ContextValue | None:
    """The time as the search keeps it."""
    return {"2026-01-01T00:00:00Z": "1767225600", "2026-01-02T00:00:00Z": "1767312000"}.get(str(value), value)


def test_the_time_is_compared_as_aws_writes_it_and_the_epoch_as_a_number() -> None:
    for key, number in ((TIME, "2026"), (EPOCH, "2026")):
        statement, condition, _ = parsed("DateEquals", key, number)
        for upper in (False, True):
            atom = compile_condition(condition, statement, True, context(), upper=upper)
            assert isinstance(atom, Atom)
            assert atom.key == "aws:currenttime"
            assert atom.test is not None
            assert atom.test.contains("1767225600") == upper
    statement, condition, _ = parsed("DateLessThan", EPOCH, "1767225600")
    atom = compile_condition(condition, statement, True, context(), upper=False)
    assert [true_of(atom, value) for value in ("1767225599", "1767225600")] == [True, False]
    statement, condition, _ = parsed("NumericEquals", TIME, "1767225600")
    number_of_a_date = compile_condition(condition, statement, True, context(), upper=True)
    assert not true_of(number_of_a_date, "1767225600")
    statement, condition, _ = parsed("NumericEquals", EPOCH, "1767225600")
    assert true_of(compile_condition(condition, statement, True, context(), upper=False), "1767225600")


# services


def test_of_a_service_only_the_keys_that_it_hides_are_settled_beforehand() -> None:
    service = context(SERVICE, "s3.amazonaws.com")
    for key in sorted(SERVICE_OPAQUE):
        for operator, value in itertools.product(
            ("StringEquals", "StringNotEquals", "StringLike", "Null"), ("true", "*", "111122223333", "${aws:PrincipalTag/t}")
        ):
            for effect in ("Allow", "Deny"):
                statement, condition, has_variables = parsed(operator, key, value, effect)
                truth = Run(Request("s3.amazonaws.com", "kms:Decrypt", {}, KEY), has_variables, lean=False).condition(
                    condition, effect
                )
                for upper in (False, True):
                    atom = compile_condition(condition, statement, has_variables, service, upper=upper)
                    assert atom is (truth >= (U if upper else T)), (key, operator, value, effect, upper)
                    assert isinstance(compile_condition(condition, statement, has_variables, context(), upper=upper), Atom)
    statement, condition, _ = parsed("StringEquals", AGENT, "a")
    for kind in (service, context()):
        atom = compile_condition(condition, statement, True, kind, upper=True)
        assert isinstance(atom, Atom)
        assert atom.key == "aws:useragent"


@pytest.mark.parametrize(
    ("key", "kind", "name"),
    [
        ("kms:calleraccount", ROLE, "aws:principalaccount"), ("kms:calleraccount", SERVICE, "kms:calleraccount"), ("aws:epochtime", SERVICE, "aws:currenttime"),
        ("kms:customermasterkeyspec", ROLE, "kms:keyspec"), ("kms:customermasterkeyusage", SERVICE, "kms:keyusage"), ("aws:epochtime", ROLE, "aws:currenttime"),
        ("aws:principalaccount", ROLE, "aws:principalaccount"), ("no:such", SERVICE, "no:such"), ("kms:keyspec", ROLE, "kms:keyspec"),
    ],
)  # fmt: skip
def test_two_names_of_one_value_are_one_variable(key: str, kind: str, name: str) -> None:
    assert variable_of(key, kind) == name


# how a proof cites it


@pytest.mark.parametrize(
    ("values", "index", "cited"),
    [
        (["a"], 0, "statement 0: StringLike aws:UserAgent [a]"), (["a", "b", "c"], 2, "statement 2: StringLike aws:UserAgent [a, b, c]"),
        (["a", "b", "c", "d"], 1, "statement 1: StringLike aws:UserAgent [a, b, c, …]"), (["a"], -1, "the question: StringLike aws:UserAgent [a]"),
        ([], 0, "statement 0: StringLike aws:UserAgent []"),
    ],
)  # fmt: skip
def test_a_condition_is_cited_as_it_is_written(values: list[str], index: int, cited: str) -> None:
    statement, condition, _ = parsed("StringLike", AGENT, values)
    atom = compile_condition(condition, statement._replace(index=index), True, context(), upper=True)
    assert isinstance(atom, Atom)
    assert atom.origin == cited


# values that are not known


TEXT_OPERATORS = (
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
)
FILLED = ("", "a", "b", "ab")


@pytest.mark.parametrize("operator", TEXT_OPERATORS)
@pytest.mark.parametrize(
    "values",
    [
        [(HOLE,)], [("a", HOLE)], [(HOLE, "b")], [("a", HOLE, "b")], [("a", HOLE), "b"], ["b", ("a", HOLE)], [("${aws:username}", HOLE)],
        [(HOLE, "${aws:PrincipalTag/t}")], [("${aws:userid}", HOLE)], [(HOLE, "${aws:userid}"), "b"], [("${aws:userid}", HOLE), "b"],
    ],
)  # fmt: skip
def test_a_hole_is_any_text_where_that_is_wider_and_no_text_where_that_is(operator: str, values: list[Parts]) -> None:
    """Whatever stands in the hole, the upper reading accepts what is then accepted, and the lower nothing else."""
    statement, condition = with_holes(operator, AGENT, *values)
    low, high = (compile_condition(condition, statement, True, context(), upper=upper) for upper in (False, True))
    wider = []
    for value in TEXTS[1:12]:
        truths = []
        for text in FILLED:
            items = tuple(
                one if isinstance(one, str) else "".join(part if isinstance(part, str) else text for part in one)
                for one in values
            )
            filled = condition._replace(values=tuple(Item(item, NODE) for item in items))
            truths.append(truth_of(statement, filled, True, value))
        assert true_of(high, value) >= (max(truths) >= U), (value, truths)
        assert true_of(low, value) <= (min(truths) == T), (value, truths)
        wider.append(true_of(high, value) and not true_of(low, value))
    has_value = not any("${aws:userid}" in one for one in values)
    assert any(wider) == has_value
    for atom in (low, high):
        assert isinstance(atom, Atom)
        test = atom.test
        assert test is not None
        assert test.patterns is not None
        inside = InPatterns(test.patterns, complement=test.complement)
        assert [test.contains(value) for value in TEXTS] == [inside(value) for value in TEXTS]


def answer_with(operator: str, key: str, *values: Parts) -> Answer:
    """Whether anyone at all may decrypt, where that is allowed under one condition."""
    statement, condition = with_holes(operator, key, *values)
    _, no_service, _ = parsed("Bool", "aws:PrincipalIsAWSService", "false")
    policy = policy_of({"Version": "2012-10-17", "Statement": []})._replace(
        statements=(statement._replace(conditions=(condition, no_service)),)
    )
    return find_allowed((policy,), statements_of([{"Principal": "*", "Action": "kms:Decrypt"}]), KEY, grant="any")


@pytest.mark.parametrize("operator", ["StringNotLike", "StringNotEquals", "StringNotEqualsIgnoreCase"])
@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([("a", HOLE)], "a${${}"), ([("a", HOLE), "b*"], "a${${}"), ([("${aws:username}", HOLE), "b*"], "${aws:username}${${}"), ([(HOLE, "${aws:username}")], "${${}${aws:username}"),
        ([(HOLE,)], "${${}"),
    ],
)  # fmt: skip
def test_an_answer_that_leans_on_the_text_beside_a_hole_is_left_open(operator: str, values: list[Parts], told: str) -> None:
    found = answer_with(operator, AGENT, *values)
    assert isinstance(found, Undetermined)
    assert found.causes == (Cause(SYMBOL, f"`{told}` could not be resolved"),)
    assert isinstance(answer_with(operator, AGENT, "a"), Violated)
    assert isinstance(answer_with(operator, "aws:PrincipalTag/t", *values), Violated), "where the key may be absent"


@pytest.mark.parametrize("operator", ["NumericEquals", "NumericNotEquals", "Bool", "IpAddress", "DateEquals"])
def test_a_value_of_another_kind_that_is_not_known_accepts_all_or_nothing(operator: str) -> None:
    for values in ([(HOLE,)], ["1", ("2", HOLE)], ["${aws:SourceIdentity}"]):
        statement, condition = with_holes(operator, AGE, *values)
        low, high = (compile_condition(condition, statement, True, context(), upper=upper) for upper in (False, True))
        absent = operators.lookup(operator).absent() == T  # type: ignore[union-attr]
        for atom, wanted in ((low, False), (high, True)):
            assert isinstance(atom, Atom)
            assert (atom.test, atom.wanted, atom.absent) == (None, wanted, absent)
            assert atom.empty == (absent and wanted if not wanted else True)


def test_a_variable_of_the_old_version_is_a_text_like_any_other() -> None:
    for operator, value in (("Bool", "${aws:SourceIdentity}"), ("StringEquals", "${aws:SourceIdentity}")):
        statement, condition, has_variables = parsed(operator, MFA, value, version="2008-10-17")
        assert not has_variables
        atom = compile_condition(condition, statement, has_variables, context(), upper=True)
        assert isinstance(atom, Atom)
        assert atom.test is not None
        assert [atom.test.contains(one) for one in ("true", value)] == [False, operator == "StringEquals"]


def test_a_variable_is_any_text_until_its_key_is_bound() -> None:
    statement, condition, _ = parsed("StringEquals", AGENT, "a${aws:SourceIdentity}")
    free = [compile_condition(condition, statement, True, context(), upper=upper) for upper in (False, True)]
    assert [[true_of(atom, value) for value in ("a", "ab", "b")] for atom in free] == [[False] * 3, [True, True, False]]
    for bound, accepted in (("b", "ab"), (None, "")):
        both = [
            compile_condition(condition, statement, True, context(bindings={"aws:sourceidentity": bound}), upper=upper)
            for upper in (False, True)
        ]
        assert [[value for value in ("a", "ab", "b") if true_of(atom, value)] for atom in both] == [
            [accepted] if accepted else []
        ] * 2
    literal = [compile_condition(condition, statement, False, context(), upper=upper) for upper in (False, True)]
    assert [true_of(atom, "a${aws:SourceIdentity}") for atom in literal] == [True, True]
    assert [true_of(atom, "ab") for atom in literal] == [False, False]


def test_the_default_of_a_variable_is_its_value_only_where_its_key_is_surely_absent() -> None:
    values = ("${aws:SourceIdentity, 'd'}", "a*")
    statement, condition, _ = parsed("StringLike", AGENT, list(values))
    texts = ("d", "ab", "x")
    for bindings, low, high in (
        ({}, ["ab"], [*texts]),
        ({"aws:sourceidentity": None}, ["d", "ab"], ["d", "ab"]),
        ({"aws:sourceidentity": "x"}, ["ab", "x"], ["ab", "x"]),
    ):
        for upper, wanted in ((False, low), (True, high)):
            atom = compile_condition(condition, statement, True, context(bindings=dict(bindings)), upper=upper)
            assert [text for text in texts if true_of(atom, text)] == wanted


@pytest.mark.parametrize(("operator", "wide"), [("StringLike", "bx"), ("StringEquals", "")])
def test_a_wildcard_in_the_value_of_a_variable_may_be_one(operator: str, wide: str) -> None:
    """Whether it is, no source says (UNSURE-16): the wide reading has it so, the narrow as it stands."""
    statement, condition, _ = parsed(operator, AGENT, "${aws:username}")
    low, high = (compile_condition(condition, statement, True, context(), upper=upper) for upper in (False, True))
    assert [true_of(low, value) for value in ("b*", "bx")] == [True, False]
    assert [true_of(high, value) for value in ("b*", "bx")] == [True, bool(wide)]


@pytest.mark.parametrize(
    ("values", "upper", "atom"),
    [
        (["true"], True, (True, True, False)), (["true"], False, (True, False, False)), (["false"], True, (False, True, True)), (["false"], False, (False, False, True)),
        (["True", "FALSE"], False, (True, True, True)), (["x"], True, (False, False, False)), ([(HOLE,)], True, (True, True, True)), ([(HOLE,)], False, (False, False, False)),
        (["true", (HOLE,)], True, (True, True, True)), (["false", (HOLE,)], False, (False, False, True)), ([], True, (False, False, False)),
    ],
)  # fmt: skip
def test_null_asks_for_absence(values: list[Parts], upper: bool, atom: tuple[bool, bool, bool]) -> None:
    statement, condition = with_holes("Null", AGENT, *values)
    made = compile_condition(condition, statement, True, context(), upper=upper)
    assert isinstance(made, Atom)
    assert (made.absent, made.empty, made.wanted, made.test, made.quantifier) == (*atom, None, SOME)


@pytest.mark.parametrize(
    ("operator", "quantifier"), [("StringEquals", SOME), ("ForAnyValue:StringEquals", SOME), ("ForAllValues:StringEquals", EVERY)]
)
def test_a_set_operator_speaks_of_some_member_or_of_every_one(operator: str, quantifier: str) -> None:
    for values in (["a"], []):
        statement, condition, _ = parsed(operator, TAGS, values)
        atom = compile_condition(condition, statement, True, context(), upper=True)
        assert isinstance(atom, Atom)
        assert atom.quantifier == quantifier


# sets of texts


def made(operator: str, *values: Parts, upper: bool = True, has_variables: bool = True) -> TextSet:
    use = operators.lookup(operator)
    assert use is not None
    items = tuple(Item(one if isinstance(one, str) else Template(one), NODE) for one in values)
    found = intern_test(use, items, has_variables, context(), upper=upper)
    assert isinstance(found, TextSet)
    return found


def test_the_same_set_of_texts_is_the_same_object() -> None:
    assert made("StringEquals", "a", "b") is made("StringEqualsIfExists", "a", "b") is made("ForAllValues:StringEquals", "a", "b")
    assert made("StringEquals", "a") is made("StringLike", "a")
    assert made("StringEquals", "a") is not made("StringNotEquals", "a")
    assert made("StringEquals", "a*") is not made("StringLike", "a*")
    assert made("StringEquals", "b") is made("StringEquals", "${aws:PrincipalTag/t}")
    assert made("NumericEquals", "1") is made("NumericEqualsIfExists", "1")
    assert made("NumericEquals", "1") is not made("NumericEquals", "1", upper=False)


def test_a_list_of_plain_texts_is_known_to_be_one() -> None:
    plain = made("StringEquals", "plain", "b*", "plain")
    assert (plain.literals, plain.complement, plain.patterns, plain.wanted) == (
        frozenset({"plain", "b*"}),
        False,
        (tuple("plain"), ("b", "*")),
        ("plain", "b*"),
    )
    assert made("StringNotLike", "a").literals == frozenset({"a"})
    assert made("StringNotLike", "a").complement
    assert made("StringLike", "a", "b*").literals is None
    assert made("StringEquals", ("a", HOLE)).literals is None
    assert made("StringEquals", ("a", HOLE), "b").wanted == ("b",)
    assert made("StringEquals", ("a", HOLE), "b", upper=False).literals == frozenset({"b"})
    assert made("StringEqualsIgnoreCase", "1").literals == frozenset({"1"})
    assert made("StringEqualsIgnoreCase", "a").literals is None
    numeric = made("NumericEquals", "1", "2")
    assert (numeric.patterns, numeric.literals, numeric.complement, numeric.wanted, numeric.family) == (
        None,
        None,
        False,
        ("1", "2"),
        "numeric",
    )
    assert not made("NumericNotEquals", "1").complement


@pytest.mark.parametrize(
    ("text", "upper", "accepted"),
    [
        ("k", True, "kK\u212a"), ("K", True, "kK\u212a"), ("s", True, "sS\u017f"), ("S", True, "sS\u017f"), ("a", True, "aA"), ("k", False, "kK"), ("S", False, "sS"), ("a", False, "aA"),
        ("1", True, "1"), ("-", False, "-"), ("\u00e9", True, "aAkKsS\u212a\u017f1-\u00e9\u00c9"), ("\u00e9", False, "\u00e9"),
    ],
)  # fmt: skip
def test_letters_without_case_are_both_and_perhaps_what_folds_to_them(text: str, upper: bool, accepted: str) -> None:
    for operator, reading in (("StringEqualsIgnoreCase", upper), ("StringNotEqualsIgnoreCase", not upper)):
        test = made(operator, text, upper=reading)
        inside = [char for char in "aAkKsS\u212a\u017f1-\u00e9\u00c9" if test.contains(char) != test.complement]
        assert inside == sorted(accepted, key="aAkKsS\u212a\u017f1-\u00e9\u00c9".index)
        assert test.patterns is not None
        assert inside == [char for char in "aAkKsS\u212a\u017f1-\u00e9\u00c9" if any(accepts(one, char) for one in test.patterns)]


# variables


def test_the_variables_of_a_condition_in_order_each_once() -> None:
    statement, condition = with_holes(
        "StringLike",
        AGENT,
        "a${aws:UserName}b${aws:PrincipalTag/T}",
        "${*}${aws:username}",
        (HOLE, "${aws:userid, 'd'}", HOLE, "x"),
        "plain",
        "${bad",
    )
    assert variables_in(condition) == ("aws:username", "aws:principaltag/t", "aws:userid")
    assert variables_in(condition._replace(values=())) == ()
    assert statement.conditions[0].values[0].value == "x"


def test_only_a_text_that_may_hold_a_variable_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def counted(text: str) -> tuple[str, ...]:
        taken.append(text)
        return ("v",)

    monkeypatch.setattr(module, "_variables_of", counted)
    _, condition = with_holes("StringLike", AGENT, "a", "$", "${x}", ("{", HOLE, "b${y}"))
    assert variables_in(condition) == ("v",)
    assert taken == ["${x}", "b${y}"]


# memory


def test_a_set_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    memory: dict[object, TextSet] = {}
    monkeypatch.setattr(module, "_TESTS", memory)
    first = made("StringEquals", "built once")
    assert list(memory.values()) == [first]
    assert made("StringEquals", "built once") is first
    assert made("StringLike", "built once") is first
    assert len(memory) == 1


@pytest.mark.parametrize(("kept", "left"), [(20_000, 20_001), (20_001, 1)])
def test_the_memory_of_sets_is_bounded(monkeypatch: pytest.MonkeyPatch, kept: int, left: int) -> None:
    memory: dict[object, TextSet] = dict.fromkeys(range(kept), made("StringEquals", "a"))
    monkeypatch.setattr(module, "_TESTS", memory)
    one = made("StringEquals", f"one of {kept}")
    assert len(memory) == left
    assert list(memory.values())[-1] is one


@pytest.mark.parametrize("order", [("x", "${aws:PrincipalTag/t}"), ("${aws:PrincipalTag/t}", "x")])
def test_a_set_of_texts_is_the_same_whoever_built_it_first(order: tuple[str, str]) -> None:
    """The memory of sets is shared by all questions: what a set lists may depend on nothing but the set."""
    module._TESTS.clear()
    bound = context()
    value = bound.bindings["aws:principaltag/t"]
    found = [made("StringEquals", value if one == "x" and value else one) for one in order]
    assert found[0] is found[1]
    assert (found[0].wanted, found[0].literals) == ((value,), frozenset({value}))
