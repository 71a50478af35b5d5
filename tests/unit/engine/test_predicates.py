"""Named checks: laws over random policies, and the corners that cases of rules do not reach."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.aws import actions as table
from kmslint.engine.finding import FAIL, MANUAL, NOT_APPLICABLE, PASS, UNDETERMINED, Finding
from kmslint.engine.predicates import PREDICATES
from kmslint.engine.predicates.dates import moment
from kmslint.engine.predicates.places import quoted
from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.model.key import FACTS, UNREAD, Absent, Key, KeyPolicy, Known, Source, Unknown
from kmslint.model.result import SEVERITIES
from kmslint.model.settings import Settings
from kmslint.policy.evaluate import evaluate
from kmslint.policy.parse import parse_policy
from kmslint.tree import Symbol, Template, from_python

OWNER = "111122223333"
STRANGER = "444455556666"
ROOT = f"arn:aws:iam::{OWNER}:root"
OUTCOMES = {FAIL, MANUAL, NOT_APPLICABLE, PASS, UNDETERMINED}


def key_with(document: object, *, account: str | None = OWNER, facts: Mapping[str, Any] | None = None) -> Key:
    """A key with one policy, given as a Python value."""
    node = read_json(Text(json.dumps(document))) if not _has_symbols(document) else from_python(document)
    policy, diagnostics = parse_policy(node)
    known = {name: value if isinstance(value, (Absent, Unknown)) else Known(value) for name, value in (facts or {}).items()}
    named = KeyPolicy("default", policy, diagnostics, size=len(json.dumps(document, default=str)))
    return Key("k1", Source("policy", "p.json"), (named,), known, account=account, account_source="given", as_of="2026-11-24")


def _has_symbols(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_symbols, value.values()))
    return isinstance(value, (Symbol, Template)) or (isinstance(value, list) and any(map(_has_symbols, value)))


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(principal: object, action: object, condition: object = None, **more: object) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}
    return statement if condition is None else {**statement, "Condition": condition}


def ask(name: str, key: Key, settings: Settings | None = None) -> list[Finding]:
    return list(PREDICATES[name](key, settings or Settings(), {}))


# --- random policies, small enough to collide

_principals = st.sampled_from(
    [
        "*",
        {"AWS": ROOT},
        {"AWS": f"arn:aws:iam::{OWNER}:role/App"},
        {"AWS": [f"arn:aws:iam::{OWNER}:role/KeyAdmin", f"arn:aws:iam::{STRANGER}:root"]},
        {"AWS": "AIDACKCEVSQ6C2EXAMPLE"},
        {"AWS": f"arn:aws:iam::{OWNER}:role/app-*"},
        {"Service": "s3.amazonaws.com"},
        {"Service": ["logs.us-east-1.amazonaws.com", "rds.amazonaws.com"]},
        {"Federated": "cognito-identity.amazonaws.com"},
    ]
)
_actions = st.sampled_from(
    ["kms:*", "kms:Decrypt", ["kms:Decrypt", "kms:CreateGrant"], "kms:Put*", "kms:ReEncrypt", "s3:GetObject", ["kms:DescribeKey"]]
)
_conditions = st.sampled_from(
    [
        None,
        {"StringEquals": {"kms:ViaService": "rds.us-east-1.amazonaws.com"}},
        {"StringNotEquals": {"aws:PrincipalAccount": OWNER}},
        {"StringEqualsIfExists": {"kms:CallerAccount": OWNER}},
        {"StringEquals": {"aws:SourceAccount": OWNER}},
        {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["a"]}},
        {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}},
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringLike": {"kms:CallerAcount": "*"}},
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{OWNER}:*"}},
    ]
)


@st.composite
def _statements(draw: st.DrawFn) -> dict[str, Any]:
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    statement: dict[str, Any] = {"Effect": effect, "Resource": "*"}
    statement[draw(st.sampled_from(["Principal", "Principal", "Principal", "NotPrincipal"]))] = draw(_principals)
    if "NotPrincipal" in statement and statement["NotPrincipal"] == "*":
        statement["NotPrincipal"] = {"AWS": "*"}
    statement[draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))] = draw(_actions)
    condition = draw(_conditions)
    return statement if condition is None else {**statement, "Condition": condition}


_policies = st.lists(_statements(), min_size=1, max_size=3).map(lambda found: document(*found))
_NAME_PRODUCTS = {"cloudwatch_logs_integration", "integration_lacks_permission"}
"""Their messages begin with the name of a service, which keeps its capital."""

_POLICY_CHECKS = sorted(set(PREDICATES) - {"cloudtrail_integration"})


@given(_policies)
def test_every_witness_is_allowed_and_every_finding_is_well_formed(policy: dict[str, Any]) -> None:
    key = key_with(policy)
    for name in _POLICY_CHECKS:
        for finding in ask(name, key):
            assert finding.outcome in OUTCOMES
            assert finding.severity is None or finding.severity in SEVERITIES
            assert finding.message
            assert "\n" not in finding.message
            assert re.match(r"[a-z`]|IAM ", finding.message) or name in _NAME_PRODUCTS
            assert finding.outcome == FAIL or finding.reason
            assert finding.statement is None or finding.statement < len(key.policies[0].policy.statements)
            if finding.witness is not None and name != "network_condition_blocks_services":
                decided = evaluate((key.policies[0].policy,), finding.witness)
                assert decided.decision == "allow", (name, finding.message)


@given(_policies)
def test_a_check_is_a_function(policy: dict[str, Any]) -> None:
    key = key_with(policy)
    for name in ("no_durable_admin", "confused_deputy", "shadowed_statement", "admin_uses_key"):
        assert ask(name, key) == ask(name, key)


@given(_policies)
def test_a_deny_for_everybody_leaves_no_right_to_complain_of(policy: dict[str, Any]) -> None:
    everything = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    key = key_with(document(*policy["Statement"], everything))
    for name in (
        "confused_deputy",
        "admin_uses_key",
        "non_admin_policy_change",
        "unconstrained_create_grant",
        "optional_condition",
    ):
        assert [finding for finding in ask(name, key) if finding.outcome == FAIL] == []
    assert [(finding.outcome, finding.severity) for finding in ask("no_durable_admin", key)] == [(FAIL, "high")]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Version", "Statement", "Effect", "Principal", "Action", "Condition", "Resource", "AWS", "Sid"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_no_json_value_makes_a_check_raise(value: object) -> None:
    key = key_with(value)
    for name in _POLICY_CHECKS:
        ask(name, key)


_hostile = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        10**30,
        "",
        "2026-13-45",
        "\x1b[31m",
        [],
        [None],
        [[]],
        {},
        {"a": None},
        [{"GranteePrincipal": 7}],
        [{"Name": []}],
    ]
)


_SHAPED = {"tags", "aliases", "spec", "usage", "origin", "multi_region", "multi_region.type"}
"""What every source gives in one shape, because requests see it (`Key.context`)."""


@given(st.dictionaries(st.sampled_from(sorted(set(FACTS) - _SHAPED)), _hostile, max_size=8))
def test_no_fact_makes_a_check_raise(facts: dict[str, Any]) -> None:
    key = key_with(document(allow({"AWS": ROOT}, "kms:*")), facts=facts)
    for name in PREDICATES:
        ask(name, key)


@given(st.sampled_from(sorted(FACTS)), st.sampled_from(sorted(PREDICATES)))
def test_an_unread_fact_is_never_a_failure(fact: str, name: str) -> None:
    key = key_with(document(allow({"AWS": ROOT}, "kms:*")), facts={fact: Unknown(UNREAD, "AccessDenied")})
    clean = key_with(document(allow({"AWS": ROOT}, "kms:*")))
    fails = [finding.message for finding in ask(name, key) if finding.outcome == FAIL]
    assert fails == [finding.message for finding in ask(name, clean) if finding.outcome == FAIL]


# --- names of actions


@given(st.text(alphabet="kms:*?DecryptRE", max_size=12))
def test_an_action_is_unknown_exactly_if_nothing_matches(text: str) -> None:
    findings = ask("unknown_action", key_with(document(allow({"AWS": ROOT}, ["kms:Decrypt", text]))))
    assert bool(findings) == (not table.match(text))


@pytest.mark.parametrize("name", table.EFFECTIVE)
def test_every_effective_action_is_known_and_effective(name: str) -> None:
    key = key_with(document(allow({"AWS": f"arn:aws:iam::{OWNER}:role/App"}, f"kms:{name}")))
    assert ask("unknown_action", key) == []
    assert ask("ineffective_action", key) == []


@pytest.mark.parametrize(
    ("written", "help"),
    [
        ("kms:ReEncrypt", "the API operation ReEncrypt needs `kms:ReEncryptFrom` and `kms:ReEncryptTo`"),
        ("kms:DecryptDataKey", "did you mean `kms:Decrypt`?"),
        ("kms:Decrpyt", "did you mean `kms:Decrypt`?"),
        ("s3:GetObject", "remove the entry, or correct the name"),
    ],
)
def test_the_help_names_what_was_meant(written: str, help: str) -> None:
    (finding,) = ask("unknown_action", key_with(document(allow({"AWS": ROOT}, written))))
    assert (finding.outcome, finding.severity, finding.help) == (FAIL, "high", help)


# --- principals


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        OWNER,
        ROOT,
        f"arn:aws:iam::{OWNER}:role/a/b/c",
        f"arn:aws:sts::{OWNER}:assumed-role/App/i-0123",
        "AROACKCEVSQ6C2EXAMPLE",
    ],
)
def test_a_valid_principal_is_left_alone(principal: str) -> None:
    assert ask("invalid_principal", key_with(document(allow({"AWS": principal}, "kms:Decrypt")))) == []


@pytest.mark.parametrize(
    "principal",
    [
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role//x",
        "arn:aws:iam::11112222333:root",
        "arn:aws:iam::111122223333:instance-profile/x",
        "arn:aws:iam::111122223333:*",
        "arn:aws:iam::*:root",
        "arn:aws:iam::111122223333:root\n",
        "arn:aws:s3:::bucket",
        "arn:aws-us-gov:iam::111122223333:root",
        "role/App",
        "",
        "١١١١٢٢٢٢٣٣٣٣",
    ],
)
def test_an_invalid_principal_is_one_finding(principal: str) -> None:
    findings = ask("invalid_principal", key_with(document(allow({"AWS": principal}, "kms:Decrypt"))))
    assert [(finding.outcome, finding.statement) for finding in findings] == [(FAIL, 0)]


def test_a_long_hostile_principal_takes_no_time_and_little_space() -> None:
    text = "arn:aws:iam::111122223333:role/" + "a/" * 10_000 + "!"
    (finding,) = ask("invalid_principal", key_with(document(allow({"AWS": text}, "kms:Decrypt"))))
    assert len(finding.message) < 300


# --- durable administrators


def test_a_template_is_judged_by_what_it_is_sure_to_be() -> None:
    own_root = Template(("arn:", Symbol("AWS::Partition", "partition"), ":iam::", Symbol("AWS::AccountId", "account"), ":root"))
    policy = document(allow({"AWS": own_root}, "kms:*"))
    assert [finding for finding in ask("no_durable_admin", key_with(policy)) if finding.outcome == FAIL] == []
    other = document(allow({"AWS": Template(("arn:aws:iam::", Symbol("var.account"), ":root"))}, "kms:*"))
    assert [finding.outcome for finding in ask("no_durable_admin", key_with(other))] != []


@pytest.mark.parametrize(
    ("condition", "outcomes"),
    [
        (None, []),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}}, []),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, []),
        ({"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}, [FAIL]),
        ({"StringEquals": {"aws:PrincipalTag/team": "security"}}, [FAIL]),
        ({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, [FAIL]),
    ],
)
def test_only_organization_and_multi_factor_conditions_leave_an_administrator_durable(
    condition: object, outcomes: list[str]
) -> None:
    findings = ask("no_durable_admin", key_with(document(allow({"AWS": ROOT}, "kms:*", condition))))
    assert [finding.outcome for finding in findings] == outcomes


# --- dates


@given(st.datetimes())
def test_a_moment_without_a_zone_is_utc(value: datetime) -> None:
    assert moment(value.isoformat()) == moment(value.isoformat() + "+00:00")


@pytest.mark.parametrize("value", [None, 5, "", "tomorrow", "2026-02-30", ["2026-01-01"]])
def test_what_is_no_date_is_no_moment(value: object) -> None:
    assert moment(value) is None


@pytest.mark.parametrize(("as_of", "outcome"), [("2026-11-24", FAIL), ("2026-01-01", None), (None, UNDETERMINED)])
def test_a_rotation_is_overdue_from_the_time_of_observation(as_of: str | None, outcome: str | None) -> None:
    key = key_with(document(allow({"AWS": ROOT}, "kms:*")), facts={"rotation.next_date": "2026-01-10"})._replace(as_of=as_of)
    assert [finding.outcome for finding in ask("rotation_overdue", key)] == ([] if outcome is None else [outcome])


# --- text of users


@given(st.text())
def test_quoted_text_ends_where_its_backticks_end(text: str) -> None:
    shown = quoted(text)
    assert shown[0] == shown[-1] == "`"
    assert "`" not in shown[1:-1]
    assert len(shown) <= 122


def test_a_secret_is_not_repeated_in_the_message() -> None:
    secret = "078-05-1120"
    condition = {"StringEquals": {"kms:EncryptionContext:patient": f"Jane {secret}"}}
    key = key_with(
        document(allow({"AWS": ROOT}, "kms:Decrypt", condition, Sid=f"p {secret}")), facts={"aliases": [f"alias/{secret}"]}
    )
    findings = ask("secrets_in_metadata", key)
    assert [finding.outcome for finding in findings] == [FAIL, FAIL, FAIL]
    assert [finding for finding in findings if secret in f"{finding.message}{finding.help}{finding.command}"] == []


@given(st.text(alphabet="0123456789-. @aMRN:", max_size=200))
def test_the_search_for_secrets_never_hangs(text: str) -> None:
    ask("secrets_in_metadata", key_with(document(allow({"AWS": ROOT}, "kms:*")), facts={"description": text * 20}))


def test_account_and_key_ids_are_no_secrets() -> None:
    text = f"{OWNER} 1234abcd-12ab-34cd-56ef-1234567890ab arn:aws:kms:us-east-1:{OWNER}:key/078-05-1120 i-0123456789abcdef0"
    assert not re.search(r"\d{3}-\d{2}-\d{4}", text.replace("078-05-1120", ""))
    assert ask("secrets_in_metadata", key_with(document(), facts={"description": text})) == []
