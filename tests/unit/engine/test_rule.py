"""rule.toml as a value, and each mistake in it told with its place and the nearest word."""

import pytest

from kmslint.engine.rule import Check, Facts, Forbid, Options, Require, Rule
from kmslint.engine.rule_file import page_sections, parse_rule
from kmslint.errors import RuleError
from kmslint.model.result import Control
from tests.unit.engine.keys import table

WHERE = "rules/a-rule/rule.toml"


def test_a_whole_rule() -> None:
    stated = table(
        holds="all is well with {key.account}",
        folds_into=["worse"],
        aws_managed=True,
        owner_sure=True,
        needs=["policy", "rotation.enabled"],
        needs_settings=["services_only"],
        when={"properties": {"spec": {"const": "SYMMETRIC_DEFAULT"}}},
        otherwise="not this one",
        forbid=[{"Principal": "*", "Action": "kms:*", "grant": "direct", "severity": "low", "strict_severity": "critical"}],
        require=[{"statements": [{"Action": "kms:Decrypt"}, {"Action": "kms:Encrypt"}], "quantifier": "some"}],
        facts=[{"fact": "aliases", "required": ["aliases"], "message": "no alias", "command": "aws kms x --key-id {key.id}"}],
        check=[{"predicate": "negated_allow", "params": {"a": ["${kmslint:owner}"]}}],
        controls=[{"id": "hipaa/164.312(b)", "why": "because"}],
    )
    assert parse_rule(stated, WHERE, "folder") == Rule(
        id="a-rule",
        title="A rule",
        severity="high",
        needs=("policy", "rotation.enabled"),
        since="0.1.0",
        blocks=(
            Forbid(Options(severity="low", strict_severity="critical"), ({"Principal": "*", "Action": "kms:*"},), "direct"),
            Require(Options(), ({"Action": "kms:Decrypt"}, {"Action": "kms:Encrypt"}), "some", "any"),
            Facts(Options(message="no alias", command="aws kms x --key-id {key.id}"), {"required": ["aliases"]}, "aliases"),
            Check(Options(), "negated_allow", {"a": ["${kmslint:owner}"]}),
        ),
        controls=(Control("hipaa/164.312(b)", "", "", "because"),),
        holds="all is well with {key.account}",
        folds_into=("worse",),
        aws_managed=True,
        owner_sure=True,
        needs_settings=("services_only",),
        when={"properties": {"spec": {"const": "SYMMETRIC_DEFAULT"}}},
        otherwise="not this one",
        folder="folder",
    )


FORBID = {"Principal": "*"}

WRONG = {
    "unknown key": ({"titel": "x"}, "unknown key `titel`", "did you mean `title`?"),
    "no block": ({"forbid": []}, "has no block", "add [[forbid]], [[require]], [[facts]] or [[check]]"),
    "id": ({"id": "A_Rule", "forbid": [FORBID]}, "`id` is `A_Rule`, expected words in kebab case", None),
    "since": ({"since": "1", "forbid": [FORBID]}, "`since` is `1`, expected a version such as 0.1.0", None),
    "severity": ({"severity": "hihg", "forbid": [FORBID]}, "`severity` is `hihg`", "did you mean `high`?"),
    "need": (
        {"needs": ["rotation.enable"], "forbid": [FORBID]},
        "`needs` is `rotation.enable`",
        "did you mean `rotation.enabled`?",
    ),
    "setting": (
        {"needs_settings": ["service_only"], "forbid": [FORBID]},
        "`needs_settings` is `service_only`",
        "did you mean `services_only`?",
    ),
    "list": ({"forbid": FORBID}, "`forbid` is not a list", "write `[[forbid]]` above each entry"),
    "table": ({"forbid": ["x"]}, "`forbid[0]` is not a table", None),
    "element": ({"forbid": [{"Principle": "*"}]}, "unknown key `forbid[0].Principle`", "did you mean `Principal`?"),
    "described": (
        {"forbid": [{"grant": "any"}]},
        "`forbid[0]` describes no request",
        "write the elements of one statement, or a list `statements`",
    ),
    "described twice": (
        {"forbid": [{"Action": "*", "statements": [FORBID]}]},
        "`forbid[0]` describes no request",
        "write the elements of one statement, or a list `statements`",
    ),
    "many": (
        {"forbid": [{"statements": [FORBID] * 65}]},
        "`forbid[0].statements` has 65 entries",
        "at most 64 are read",
    ),
    "grant": ({"forbid": [{**FORBID, "grant": "direkt"}]}, "`forbid[0].grant` is `direkt`", "did you mean `direct`?"),
    "quantifier": ({"require": [FORBID]}, "`require[0].quantifier` is missing", "expected one of `some`, `every`"),
    "variable": (
        {"forbid": [{"Principal": {"AWS": ["${kmslint:ownr}"]}}]},
        "`forbid[0]` has an unknown variable `${kmslint:ownr}`",
        "did you mean `owner`?",
    ),
    "placeholder": (
        {"forbid": [{**FORBID, "message": "{witness.actoin}"}]},
        "`forbid[0].message` has an unknown placeholder `{witness.actoin}`",
        "did you mean `witness.action`?",
    ),
    "predicate": (
        {"check": [{"predicate": "negated_alow"}]},
        "`check[0].predicate` is `negated_alow`",
        "did you mean `negated_allow`?",
    ),
    "keyword": (
        {"facts": [{"requird": ["aliases"]}]},
        "`facts[0]` has an unknown keyword `requird`",
        "did you mean `required`?",
    ),
    "fact": (
        {"facts": [{"properties": {"aliasses": {"minItems": 1}}}]},
        "`facts[0].properties` speaks of an unknown fact `aliasses`",
        "did you mean `aliases`?",
    ),
    "nothing asked": (
        {"facts": [{"fact": "aliases"}]},
        "`facts[0]` asks nothing",
        "add a keyword such as `properties` or `required`",
    ),
    "pattern": (
        {"facts": [{"properties": {"description": {"pattern": "(a+)+b"}}}]},
        "`facts[0].properties.description.pattern` may take long on hostile text",
        "repeat no group, look around or back at nothing, and write at most one of `*`, `+` and `{n,}`",
    ),
    "control": (
        {"forbid": [FORBID], "controls": [{"id": "hipaa", "why": "x"}]},
        "`controls[0].id` is `hipaa`",
        "write framework/citation, such as hipaa/164.312(a)(1)",
    ),
    "why": ({"forbid": [FORBID], "controls": [{"id": "hipaa/1"}]}, "`controls[0].why` is missing", None),
    "flag": ({"forbid": [FORBID], "aws_managed": "yes"}, "`aws_managed` is neither true nor false", None),
    "text": ({"forbid": [FORBID], "title": 3}, "`title` is not a text", None),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told(name: str) -> None:
    more, message, help = WRONG[name]
    with pytest.raises(RuleError) as caught:
        parse_rule(table(**more), WHERE)
    assert (caught.value.message, caught.value.source, caught.value.help) == (message, WHERE, help)


@pytest.mark.parametrize("missing", ["id", "title", "severity", "needs", "since"])
def test_a_missing_key_is_told(missing: str) -> None:
    stated = table(forbid=[FORBID])
    del stated[missing]
    with pytest.raises(RuleError, match=f"has no `{missing}`"):
        parse_rule(stated, WHERE)


def test_a_page_in_sections() -> None:
    text = "# a\nintro\n\n## What\n\none\n```\n## not a heading\n```\n## Fix\n\ntwo\n"
    assert page_sections(text) == {"": "# a\nintro", "What": "one\n```\n## not a heading\n```", "Fix": "two"}
