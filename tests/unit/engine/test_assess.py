"""From blocks to results: outcomes, severities, unknown owners, doubts, folding. Each no beside its yes."""

import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from kmslint.engine import blocks, loader
from kmslint.engine.assess import assess, assess_key, assess_rule
from kmslint.engine.rule import Rule
from kmslint.errors import RuleError
from kmslint.location import Location
from kmslint.model.key import NOT_IN_SOURCE, UNREAD, Absent, Fact, Key, Known, Unknown
from kmslint.model.result import Outcome, Result
from kmslint.model.settings import Settings
from kmslint.tree import Symbol
from tests.unit.engine.keys import APP, OTHER, OWNER, ROOT, allow, key, policy, rule

DEFAULTS = Settings()
STRICT = Settings(strict=True)
EVERYBODY = {"Principal": "*", "Action": "kms:Decrypt"}
FOREIGN = {
    "Principal": "*",
    "Action": "kms:Decrypt",
    "Condition": {
        "StringNotEquals": {"aws:PrincipalAccount": "${kmslint:trusted-accounts}"},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    },
}
PARTNER = {"AWS": f"arn:aws:iam::{OTHER}:role/Partner"}


def told(results: tuple[Result, ...]) -> list[tuple[str, str, str | None, int | None]]:
    return [
        (result.outcome.value, result.severity, result.policy, result.locations[0].statement if result.locations else None)
        for result in results
    ]


def ask(one: Rule, asked: Key, settings: Settings = DEFAULTS) -> list[tuple[str, str, str | None, int | None]]:
    return told(assess_rule(one, asked, settings))


# forbid


def test_a_failing_statement_is_a_result_with_its_own_witness() -> None:
    asked = key(allow(ROOT, "kms:List*"), allow(APP, Sid="App"), allow(PARTNER))
    results = assess_rule(rule(forbid=[EVERYBODY], holds="nobody may decrypt"), asked, DEFAULTS)
    assert told(results) == [("FAIL", "high", "default", 1), ("FAIL", "high", "default", 2)]
    assert [result.witness and result.witness["action"] for result in results] == ["kms:Decrypt", "kms:Decrypt"]
    assert results[0].message == f"`arn:aws:sts::{OWNER}:assumed-role/App/session` may call `kms:Decrypt`"
    assert results[0].locations[0][6:9] == ("/Statement/1", 1, "App")
    assert len({result.fingerprint for result in results}) == 2


def test_proven_is_a_pass_that_says_what_holds() -> None:
    asked = key(allow(ROOT, "kms:List*"))
    (result,) = assess_rule(rule(forbid=[EVERYBODY], holds="nobody may decrypt"), asked, DEFAULTS)
    assert (result.outcome, result.message, result.reason, result.witness) == (Outcome.PASS, "nobody may decrypt", None, None)
    (result,) = assess_rule(rule(forbid=[EVERYBODY]), asked, DEFAULTS)
    assert result.message == "nothing found: A rule"


def test_a_statement_of_another_policy_of_the_key_counts() -> None:
    asked = key(allow(ROOT, "kms:List*"))
    assert ask(rule(forbid=[EVERYBODY]), asked) == [("PASS", "high", None, None)]
    shared = asked._replace(policies=(*asked.policies, policy("AWS_RAM", allow(PARTNER))))
    assert ask(rule(forbid=[EVERYBODY]), shared) == [("FAIL", "high", "AWS_RAM", 0)]


def test_a_single_statement_has_the_pointer_of_one() -> None:
    from kmslint.jsontext import read_json
    from kmslint.location import Text
    from kmslint.policy.parse import parse_policy

    text = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}}'
    parsed, _ = parse_policy(read_json(Text(text, file="x.json")))
    asked = key()._replace(policies=(policy("default")._replace(policy=parsed),))
    (result,) = assess_rule(rule(forbid=[EVERYBODY]), asked, DEFAULTS)
    assert result.locations == (Location("x.json", None, 1, 40, 1, 113, "/Statement", 0, None),)


def test_an_unsettled_statement_is_undetermined_once_and_only_when_none_fails() -> None:
    unsure = allow("*", Condition={"StringEquals": {"unknown:key": "x"}})
    (result,) = assess_rule(rule(forbid=[EVERYBODY]), key(unsure, unsure), DEFAULTS)
    assert (result.outcome, result.severity, result.policy) == (Outcome.UNDETERMINED, "high", "default")
    assert result.reason
    assert ask(rule(forbid=[EVERYBODY]), key(unsure, allow(APP))) == [("FAIL", "high", "default", 1)]


def test_a_policy_that_is_not_known_at_all() -> None:
    asked = key(allow(ROOT))
    unknown = asked.policies[0].policy._replace(statements=(), unknown=("`var.policy` could not be resolved",))
    asked = asked._replace(policies=(asked.policies[0]._replace(policy=unknown),))
    (result,) = assess_rule(rule(forbid=[EVERYBODY]), asked, DEFAULTS)
    assert (result.outcome, result.reason) == (Outcome.UNDETERMINED, "`var.policy` could not be resolved")


def test_one_result_a_key_if_the_block_says_so() -> None:
    asked = key(allow(APP), allow(PARTNER))
    assert ask(rule(forbid=[{**EVERYBODY, "per": "key"}]), asked)[1:] == []
    assert ask(rule(forbid=[{**EVERYBODY, "per": "key"}]), key(allow(ROOT, "kms:List*"))) == [("PASS", "high", None, None)]


def test_a_described_set_that_an_empty_list_empties_is_proven() -> None:
    described = {**EVERYBODY, "Condition": {"StringEquals": {"aws:PrincipalArn": "${kmslint:break-glass}"}}}
    assert ask(rule(forbid=[described]), key(allow(APP))) == [("PASS", "high", None, None)]
    known = Settings(break_glass=(f"arn:aws:iam::{OWNER}:role/App",))
    assert ask(rule(forbid=[described]), key(allow(APP)), known) == [("FAIL", "high", "default", 0)]


def test_several_statements_describe_their_union() -> None:
    described = {"statements": [{"Action": "kms:Encrypt"}, {"Action": "kms:Sign"}]}
    asked = key(allow(APP, "kms:Decrypt"), allow(APP, "kms:Sign"))
    assert ask(rule(forbid=[described]), asked) == [("FAIL", "high", "default", 1)]


def test_a_described_statement_that_is_none_is_a_rule_error() -> None:
    with pytest.raises(RuleError):
        assess_rule(rule(forbid=[{"Principal": "nobody"}]), key(allow(APP)), DEFAULTS)


# severities


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (DEFAULTS, "low"),
        (STRICT, "critical"),
        (Settings(severity={"a-rule": "info"}), "info"),
        (Settings(severity={"a-rule": "info"}, strict=True), "info"),
        (Settings(severity={"b-rule": "info"}), "low"),
    ],
)
def test_severity_of_a_block(settings: Settings, expected: str) -> None:
    one = rule(forbid=[{**EVERYBODY, "severity": "low", "strict_severity": "critical"}])
    assert ask(one, key(allow(APP)), settings) == [("FAIL", expected, "default", 0)]


def test_two_blocks_on_one_statement_give_the_graver() -> None:
    one = rule(forbid=[{**EVERYBODY, "severity": "low"}, {"Action": "kms:*", "severity": "critical"}])
    assert ask(one, key(allow(APP))) == [("FAIL", "critical", "default", 0)]


# require


@pytest.mark.parametrize(
    ("quantifier", "statements", "expected"),
    [
        ("some", (allow(APP, "kms:Decrypt"),), ("PASS", "high")),
        ("some", (allow(ROOT, "kms:Decrypt"),), ("PASS", "high")),  # the root user itself is allowed directly
        ("some", (allow(APP, "kms:Encrypt"),), ("FAIL", "high")),
        ("every", (allow(APP, "kms:Decrypt"),), ("PASS", "high")),
        ("every", (allow(ROOT, "kms:Decrypt"),), ("FAIL", "info")),
        ("every", (allow(APP, "kms:Decrypt", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),), ("FAIL", "high")),
    ],
)
def test_require(quantifier: str, statements: tuple[dict[str, object], ...], expected: tuple[str, str]) -> None:
    described: dict[str, object] = {"Action": "kms:Decrypt", "quantifier": quantifier}
    if quantifier == "every":
        described["Principal"] = APP
    (found,) = ask(rule(require=[described]), key(*statements))
    assert found[:2] == expected


def test_a_required_request_that_is_not_allowed_is_the_witness() -> None:
    asked = key(allow(ROOT, "kms:List*"))
    (result,) = assess_rule(rule(require=[{"Principal": APP, "Action": "kms:Decrypt", "quantifier": "every"}]), asked, DEFAULTS)
    assert result.witness is not None
    assert (result.witness["action"], result.policy) == ("kms:Decrypt", None)
    assert result.locations[0].pointer == ""
    (result,) = assess_rule(rule(require=[{"Principal": APP, "Action": "kms:Decrypt", "quantifier": "some"}]), asked, DEFAULTS)
    assert (result.outcome, result.witness, result.message) == (Outcome.FAIL, None, "no such request is allowed")


def test_required_access_that_depends_on_iam_says_so() -> None:
    asked = key(allow(ROOT, "kms:*"))
    (result,) = assess_rule(rule(require=[{"Principal": APP, "Action": "kms:Decrypt", "quantifier": "every"}]), asked, DEFAULTS)
    assert (result.severity, "depends on IAM policies, which were not read" in result.message) == ("info", True)


def test_nothing_required_is_not_applicable() -> None:
    one = rule(require=[{"Principal": {"AWS": "${kmslint:break-glass}"}, "Action": "kms:Decrypt", "quantifier": "every"}])
    assert ask(one, key(allow(APP))) == [("NOT_APPLICABLE", "high", None, None)]


# facts

ROTATION = {"required": ["rotation.enabled"], "properties": {"rotation.enabled": {"const": True}}}
PLACE = Location("main.tf", None, 3, 3, 3, 30, "")


def _facts(**more: object) -> Rule:
    return rule(needs=["rotation.enabled"], facts=[{**ROTATION, **more}])


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (Known(True), ("PASS", "nothing found: A rule", None)),
        (Known(False, PLACE), ("FAIL", "rotation.enabled is `false`", None)),
        (Absent(), ("FAIL", "rotation.enabled is absent", None)),
        (Unknown(UNREAD, "AccessDenied"), ("UNDETERMINED", "rotation.enabled is not known", "rotation.enabled: AccessDenied")),
        (Known(Symbol("var.on")), ("UNDETERMINED", "rotation.enabled is not known", "rotation.enabled could not be resolved")),
        (Unknown(NOT_IN_SOURCE, "not here"), ("NOT_APPLICABLE", "rotation.enabled was not read", "not here")),
    ],
)
def test_facts(fact: Fact, expected: tuple[str, str, str | None]) -> None:
    (result,) = assess_rule(_facts(), key(facts={"rotation.enabled": fact}), DEFAULTS)
    assert (result.outcome.value, result.message, result.reason) == expected


def test_a_fact_that_the_source_never_carries_names_what_reads_it() -> None:
    (result,) = assess_rule(_facts(), key(), DEFAULTS)
    assert (result.outcome, result.command) == (Outcome.NOT_APPLICABLE, "kmslint scan --key-id ID")
    assert result.reason == "`rotation.enabled` is not in a policy source; kmslint scan --key-id ID reads it"


def test_a_failing_fact_has_its_place_its_command_and_a_fingerprint_of_its_value() -> None:
    one = _facts(message="off for {key.account}", help="turn it on", command="aws kms enable-key-rotation --key-id {key.id}")
    (result,) = assess_rule(one, key(facts={"rotation.enabled": Known(False, PLACE)}), DEFAULTS)
    assert (result.message, result.help, result.locations) == (f"off for `{OWNER}`", "turn it on", (PLACE,))
    assert result.command == "aws kms enable-key-rotation --key-id KEY_ID"
    (other,) = assess_rule(one, key(facts={"rotation.enabled": Absent()}), DEFAULTS)
    assert other.fingerprint != result.fingerprint


def test_a_limit_of_the_settings() -> None:
    one = rule(needs=[], facts=[{"properties": {"rotation.period_days": {"maximum": "${kmslint:rotation-days}"}}}])
    asked = key(facts={"rotation.period_days": Known(400)})
    assert ask(one, asked)[0][0] == "FAIL"
    assert ask(one, asked, Settings(rotation_days=400))[0][0] == "PASS"


# applicability


WHEN = {"properties": {"spec": {"const": "SYMMETRIC_DEFAULT"}}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (Known("SYMMETRIC_DEFAULT"), ("FAIL", None)),
        (Known("RSA_2048"), ("NOT_APPLICABLE", "`RSA_2048` keys cannot rotate")),
        (Unknown(UNREAD, "AccessDenied"), ("UNDETERMINED", "spec: AccessDenied")),
        (Unknown(NOT_IN_SOURCE, "x"), ("FAIL", None)),
        (Absent(), ("FAIL", None)),
    ],
)
@pytest.mark.parametrize("where", ["rule", "block"])
def test_when(spec: Fact, expected: tuple[str, str | None], where: str) -> None:
    condition = {"when": WHEN, "otherwise": "{facts.spec} keys cannot rotate"}
    one = rule(needs=[], facts=[ROTATION], **condition) if where == "rule" else rule(needs=[], facts=[{**ROTATION, **condition}])
    (result,) = assess_rule(one, key(facts={"rotation.enabled": Known(False), "spec": spec}), DEFAULTS)
    assert (result.outcome.value, result.reason) == expected


def test_a_rule_whose_blocks_do_not_all_apply_passes_by_the_others() -> None:
    one = rule(needs=[], facts=[{**ROTATION, "when": WHEN}, {"required": ["spec"]}])
    assert ask(one, key(facts={"spec": Known("RSA_2048"), "rotation.enabled": Known(False)}))[0][0] == "PASS"


def test_without_a_sentence_the_facts_say_why_it_does_not_apply() -> None:
    one = rule(needs=[], when=WHEN, facts=[ROTATION])
    (result,) = assess_rule(one, key(facts={"spec": Known("RSA_2048")}), DEFAULTS)
    assert result.reason == "it does not apply: spec is `RSA_2048`"


@pytest.mark.parametrize(("aws_managed", "outcome"), [(False, "NOT_APPLICABLE"), (True, "FAIL")])
def test_an_aws_managed_key(aws_managed: bool, outcome: str) -> None:
    asked = key(allow(APP), facts={"manager": Known("AWS")})
    assert ask(rule(forbid=[EVERYBODY], aws_managed=aws_managed), asked)[0][0] == outcome
    assert (
        ask(rule(forbid=[EVERYBODY], aws_managed=aws_managed), key(allow(APP), facts={"manager": Known("CUSTOMER")}))[0][0]
        == "FAIL"
    )


def test_a_setting_that_a_rule_needs() -> None:
    one = rule(forbid=[EVERYBODY], needs_settings=["services_only"])
    (result,) = assess_rule(one, key(allow(APP)), DEFAULTS)
    assert (result.outcome, result.reason) == (Outcome.NOT_APPLICABLE, "`services_only` is not set in the configuration")
    assert ask(one, key(allow(APP)), Settings(services_only=("s3.us-east-1.amazonaws.com",)))[0][0] == "FAIL"


# what was not read


def test_policies_that_were_not_read_never_pass() -> None:
    one = rule(forbid=[{**EVERYBODY, "severity": "low"}])
    quiet = key(allow(ROOT, "kms:List*"))._replace(policies_unread="AccessDenied on kms:GetKeyPolicy for `AWS_RAM`")
    (result,) = assess_rule(one, quiet, DEFAULTS)
    assert (result.outcome, result.severity, result.reason) == (
        Outcome.UNDETERMINED,
        "low",
        "AccessDenied on kms:GetKeyPolicy for `AWS_RAM`",
    )
    assert ask(one, quiet._replace(policies=())) == [("UNDETERMINED", "low", None, None)]
    loud = key(allow(APP))._replace(policies_unread="AccessDenied")
    assert ask(one, loud) == [("FAIL", "low", "default", 0)]


def test_policies_that_the_source_never_carries() -> None:
    asked = key()._replace(policies=(), policies_not_in_source="a list of keys carries no policy")
    (result,) = assess_rule(rule(forbid=[EVERYBODY]), asked, DEFAULTS)
    assert (result.outcome, result.reason) == (Outcome.NOT_APPLICABLE, "a list of keys carries no policy")


# the owner


def _owned(*statements: Mapping[str, object]) -> list[tuple[str, str, str | None, int | None]]:
    return ask(rule(forbid=[FOREIGN]), key(*statements, account=None))


def test_an_unknown_owner_does_not_matter_to_a_stranger() -> None:
    assert _owned(allow("*")) == [("FAIL", "high", "default", 0)]


def test_an_unknown_owner_does_not_matter_where_nobody_is_allowed() -> None:
    assert _owned(allow(APP, "kms:List*")) == [("PASS", "high", None, None)]


def test_an_unknown_owner_decides_about_a_named_account() -> None:
    (result,) = assess_rule(rule(forbid=[FOREIGN]), key(allow(APP), account=None), DEFAULTS)
    assert (result.outcome, result.severity) == (Outcome.UNDETERMINED, "high")
    assert "--account" in (result.reason or "")
    assert ask(rule(forbid=[FOREIGN]), key(allow(APP))) == [("PASS", "high", None, None)]
    assert ask(rule(forbid=[FOREIGN]), key(allow(APP), account=OTHER)) == [("FAIL", "high", "default", 0)]


def test_a_failure_that_holds_for_every_owner_stands_while_another_does_not() -> None:
    assert _owned(allow(APP), allow("*")) == [("FAIL", "high", "default", 1)]


def test_of_two_accounts_at_most_one_owns_the_key() -> None:
    assert _owned(allow(APP), allow(PARTNER))[0][0] == "UNDETERMINED"


def test_more_accounts_than_are_tried_are_undetermined() -> None:
    many = [allow({"AWS": f"{number:012}"}, "kms:List*") for number in range(1, 40)]
    assert _owned(*many)[0][0] == "UNDETERMINED"
    assert _owned(*many[:20])[0][0] == "PASS"


def test_the_account_that_stands_for_an_unknown_owner_is_shown_only_in_the_witness() -> None:
    (result,) = assess_rule(
        rule(
            forbid=[
                {
                    **EVERYBODY,
                    "message": "of {key.account}",
                    "Condition": {"StringEquals": {"aws:PrincipalAccount": "${kmslint:owner}"}},
                }
            ]
        ),
        key(allow("*"), account=None),
        DEFAULTS,
    )
    assert (result.outcome, result.message) == (Outcome.FAIL, "of `OWNER`")
    assert any("stands for it" in assumption for assumption in result.assumptions)


INFERRED = key(allow(ROOT))._replace(account_source="inferred")


def test_an_inferred_owner_is_the_first_assumption() -> None:
    (result,) = assess_rule(rule(forbid=[FOREIGN]), INFERRED, DEFAULTS)
    assert result.outcome is Outcome.PASS
    assert result.assumptions[0] == f"the owner account `{OWNER}` is inferred from the policy; pass --account to say which it is"
    (given,) = assess_rule(rule(forbid=[FOREIGN]), INFERRED._replace(account_source="given"), DEFAULTS)
    assert given.assumptions == result.assumptions[1:]


@pytest.mark.parametrize(
    ("settings", "owner_sure", "outcome"),
    [(STRICT, True, "UNDETERMINED"), (STRICT, False, "PASS"), (DEFAULTS, True, "PASS")],
)
def test_under_strict_an_inferred_owner_may_be_no_ground_for_a_pass(settings: Settings, owner_sure: bool, outcome: str) -> None:
    assert ask(rule(forbid=[FOREIGN], owner_sure=owner_sure), INFERRED, settings)[0][0] == outcome


# several rules


def _named(id: str, **more: object) -> Rule:
    return rule(**more)._replace(id=id)


def test_the_lesser_finding_on_one_statement_is_folded_into_the_greater() -> None:
    greater, lesser = (
        _named("greater", forbid=[EVERYBODY]),
        _named("lesser", forbid=[{"Action": "kms:*"}], folds_into=["greater"]),
    )
    results = assess((lesser, greater), [key(allow(APP), allow(APP, "kms:Encrypt"))], DEFAULTS)
    folded = {(result.rule, result.locations[0].statement): result.folded_into for result in results}
    first = next(result for result in results if result.rule == "greater")
    assert folded == {("greater", 0): None, ("lesser", 0): first.fingerprint, ("lesser", 1): None}
    alone = assess((lesser,), [key(allow(APP))], DEFAULTS)
    assert [result.folded_into for result in alone] == [None]


def test_findings_on_one_statement_of_a_predicate_are_one_result(monkeypatch: pytest.MonkeyPatch) -> None:
    from kmslint.engine.finding import Finding

    def find(*_: object) -> list[Finding]:
        at = {"policy": "default", "statement": 0}
        return [
            Finding("FAIL", "one", **at),
            Finding("FAIL", "two", **at),
            Finding("FAIL", "less", severity="low", **at),
            Finding("FAIL", "other", policy="default", statement=1, help="do it"),
        ]

    monkeypatch.setattr(blocks, "PREDICATES", {"negated_allow": find})
    results = assess_rule(rule(check=[{"predicate": "negated_allow", "help": "as ever"}]), key(allow(APP), allow(APP)), DEFAULTS)
    assert [(result.message, result.help, result.severity) for result in results] == [
        ("one; two", "as ever", "high"),
        ("other", "do it", "high"),
    ]


def test_many_findings_on_one_statement_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from kmslint.engine.finding import Finding

    found = [Finding("FAIL", f"m{number}", policy="default", statement=0) for number in range(9)]
    monkeypatch.setattr(blocks, "PREDICATES", {"negated_allow": lambda *_: found})
    (result,) = assess_rule(rule(check=[{"predicate": "negated_allow"}]), key(allow(APP)), DEFAULTS)
    assert result.message == "m0; m1; m2; m3; m4; and 4 more"


def test_what_only_a_person_can_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from kmslint.engine.finding import Finding

    monkeypatch.setattr(blocks, "PREDICATES", {"negated_allow": lambda *_: [Finding("MANUAL", "look at the escrow")]})
    (result,) = assess_rule(rule(check=[{"predicate": "negated_allow"}]), key(allow(APP)), DEFAULTS)
    assert (result.outcome, result.message) == (Outcome.MANUAL, "look at the escrow")


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (Known({}), ("PASS", None)),
        (Absent(), ("PASS", None)),
        (Unknown(UNREAD, "AccessDenied"), ("UNDETERMINED", "tags: AccessDenied")),
        (Known(Symbol("var.tags")), ("UNDETERMINED", "tags could not be resolved")),
    ],
)
def test_finding_nothing_is_no_pass_while_a_needed_fact_was_not_read(
    fact: Fact, expected: tuple[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "PREDICATES", {"negated_allow": lambda *_: []})
    (result,) = assess_rule(rule(needs=["tags"], check=[{"predicate": "negated_allow"}]), key(facts={"tags": fact}), DEFAULTS)
    assert (result.outcome.value, result.reason) == expected


def test_parameters_of_a_predicate_are_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(blocks, "PREDICATES", {"negated_allow": lambda *arguments: seen.append(arguments[2]) or []})
    assess_rule(
        rule(check=[{"predicate": "negated_allow", "params": {"a": "${kmslint:trusted-accounts}", "b": 3}}]),
        key(allow(APP)),
        DEFAULTS,
    )
    assert seen == [{"a": [OWNER], "b": 3}]


def test_the_catalogue_on_a_key_is_a_function_of_picklable_values() -> None:
    rules = loader.load_rules()
    asked = key(allow(ROOT, "kms:*"), allow("*", Sid="Open"))
    results = assess_key(rules, asked, DEFAULTS)
    again = assess_key(*pickle.loads(pickle.dumps((rules, asked, DEFAULTS))))  # noqa: S301
    assert again == results
    assert {result.rule for result in results} == {one.id for one in rules}
    assert all(len(result.fingerprint) == 64 for result in results)


def test_a_public_statement_folds_its_lesser_findings() -> None:
    results = assess_key(loader.load_rules(), key(allow(ROOT, "kms:*"), allow("*", Sid="Open")), DEFAULTS)
    failed = {result.rule: result for result in results if result.outcome is Outcome.FAIL and result.policy == "default"}
    public = failed["public-access"]
    assert (public.severity, public.locations[0].sid, public.folded_into) == ("critical", "Open", None)
    assert failed["unbounded-wildcard"].folded_into == public.fingerprint
    assert failed["untrusted-account-access"].folded_into == public.fingerprint
