"""The same key as JSON, HCL, plan and CloudFormation: equal keys, and equal answers of every rule about what all of them say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.app import report_on
from kmslint.engine.loader import load_rules
from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.sources.cloudformation import keys_from_template
from kmslint.sources.policy_json import NotAKey, keys_from_json
from kmslint.sources.terraform_plan import keys_from_plan
from tests.unit.sources.terraform.shapes import facts, only_key, plain, stated
from tests.unit.sources.terraform.test_equal_sources import CREATED, POLICY, arguments, hcl, planned

AS_OF = "2026-11-24T08:00:00Z"
ACCOUNT = "111122223333"
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "description": st.sampled_from(["", "key", "é ${x"]),
        "enable_key_rotation": st.booleans(),
        "rotation_period_in_days": st.integers(90, 2560),
        "deletion_window_in_days": st.integers(7, 30),
        "multi_region": st.booleans(),
        "key_usage": st.sampled_from(["ENCRYPT_DECRYPT", "SIGN_VERIFY"]),
        "customer_master_key_spec": st.sampled_from(["SYMMETRIC_DEFAULT", "RSA_2048"]),
        "bypass_policy_lockout_safety_check": st.booleans(),
        "tags": st.dictionaries(st.sampled_from(["owner", "a b"]), st.sampled_from(["", "x"]), max_size=2),
    },
)
PROPERTIES = {
    "description": "Description",
    "enable_key_rotation": "EnableKeyRotation",
    "rotation_period_in_days": "RotationPeriodInDays",
    "deletion_window_in_days": "PendingWindowInDays",
    "multi_region": "MultiRegion",
    "key_usage": "KeyUsage",
    "customer_master_key_spec": "KeySpec",
    "bypass_policy_lockout_safety_check": "BypassPolicyLockoutSafetyCheck",
}


def as_hcl(policy: dict[str, Any], values: dict[str, Any]) -> Key:
    content = f'resource "aws_kms_key" "k" {{\n{arguments(values)}  policy = jsonencode({hcl(policy)})\n}}\n'
    return only_key(content, account=ACCOUNT, region="eu-west-1")


def as_plan(policy: dict[str, Any], values: dict[str, Any]) -> Key:
    content = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": [planned({**values, "policy": json.dumps(policy)})]}},
        "resource_changes": [CREATED],
    }
    return only(keys_from_plan(Text(json.dumps(content), file="p.json"), account=ACCOUNT, region="eu-west-1"))


def as_template(policy: dict[str, Any], values: dict[str, Any]) -> Key:
    properties: dict[str, Any] = {PROPERTIES[name]: value for name, value in values.items() if name in PROPERTIES}
    if "tags" in values:
        properties["Tags"] = [{"Key": name, "Value": value} for name, value in values["tags"].items()]
    document = {"Resources": {"k": {"Type": "AWS::KMS::Key", "Properties": {**properties, "KeyPolicy": policy}}}}
    return only(keys_from_template(Text(json.dumps(document), file="t.json"), account=ACCOUNT, region="eu-west-1"))


def as_json(policy: dict[str, Any]) -> Key:
    return only(keys_from_json(Text(json.dumps(policy), file="k.json"), type="policy", account=ACCOUNT, region="eu-west-1"))


def only(found: object) -> Key:
    assert not isinstance(found, (NotAKey, SourceError))
    (key,) = found  # type: ignore[misc]
    assert isinstance(key, Key)
    return key


def identity(key: Key) -> tuple[object, ...]:
    return (key.account, key.account_source, key.region, key.partition, key.policies_unread, key.policies[0].name)


@given(POLICY, SETTINGS)
def test_the_same_key_from_four_sources(policy: dict[str, Any], values: dict[str, Any]) -> None:
    keys = [as_hcl(policy, values), as_plan(policy, values), as_template(policy, values)]
    bare = as_json(policy)
    assert [plain(key.policies[0].policy) for key in [*keys, bare]] == [stated(policy)] * 4
    assert [identity(key) for key in [*keys, bare]] == [identity(bare)] * 4
    codes = [[found.code for found in key.policies[0].diagnostics] for key in [*keys, bare]]
    assert codes == [codes[0]] * 4
    told = [{name: value for name, value in facts(key).items() if name != "aliases"} for key in keys]
    assert told == [told[0]] * 3
    assert bare.facts == {}


# --- rules about facts decide for every kind of template

GOOD = {
    "enable_key_rotation": True,
    "deletion_window_in_days": 30,
    "tags": {"owner": "o", "environment": "e", "data-classification": "d"},
    "description": "what it is for",
}
ADMIN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}],
}
SOURCES = {"terraform": as_hcl, "plan": as_plan, "cloudformation": as_template}
RULES = {rule.id: rule for rule in load_rules()}


def outcome(key: Key, rule: str, settings: Settings) -> str:
    results = report_on([key], rules=(RULES[rule],), settings=settings, as_of=AS_OF).results
    (found,) = {result.outcome.value for result in results}
    return found


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("rotation-disabled", {}, {"enable_key_rotation": False}),
        ("long-rotation-period", {"rotation_period_in_days": 365}, {"rotation_period_in_days": 366}),
        ("short-deletion-window", {}, {"deletion_window_in_days": 7}),
        ("lockout-check-bypass", {"bypass_policy_lockout_safety_check": False}, {"bypass_policy_lockout_safety_check": True}),
        ("undeclared-multi-region", {"multi_region": False}, {"multi_region": True}),
        ("missing-ownership", {}, {"tags": {"owner": "o"}}),
        (
            "weak-key-spec",
            {"key_usage": "SIGN_VERIFY", "customer_master_key_spec": "ECC_NIST_P256", "enable_key_rotation": False},
            {"key_usage": "SIGN_VERIFY", "customer_master_key_spec": "ECC_SECG_P256K1", "enable_key_rotation": False},
        ),
    ],
)
def test_a_rule_about_facts_decides(source: str, rule: str, good: dict[str, Any], bad: dict[str, Any]) -> None:
    settings = Settings(multi_region=False)
    policy = ADMIN
    if rule == "lockout-check-bypass":
        deny = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "kms:PutKeyPolicy",
            "Resource": "*",
            "Condition": {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}},
        }
        policy = {**ADMIN, "Statement": [*ADMIN["Statement"], deny]}
    read = SOURCES[source]
    assert outcome(read(policy, {**GOOD, **good}), rule, settings) == "PASS"
    assert outcome(read(policy, {**GOOD, **bad}), rule, settings) == "FAIL"


ALIASED = {
    "terraform": 'resource "aws_kms_alias" "a" {\n  name = "alias/x"\n  target_key_id = aws_kms_key.k.key_id\n}\n',
    "cloudformation": '{"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/x", "TargetKeyId": {"Ref": "k"}}}',
}


@pytest.mark.parametrize("source", ALIASED)
def test_an_alias_counts_where_the_template_has_it(source: str) -> None:
    if source == "terraform":
        head = f'resource "aws_kms_key" "k" {{\n  policy = jsonencode({hcl(ADMIN)})\n}}\n'
        keys = [only_key(head + ALIASED[source]), only_key(head)]
    else:
        bare = {"k": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": ADMIN}}}
        both = {**bare, "a": json.loads(ALIASED[source])}
        keys = [only(keys_from_template(Text(json.dumps({"Resources": found})))) for found in (both, bare)]
    assert [outcome(key, "no-alias", Settings()) for key in keys] == ["PASS", "FAIL"]
