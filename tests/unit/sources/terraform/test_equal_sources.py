"""The same key as JSON, HCL (two ways), `.tf.json` and plan: equal policies and facts. A law, so Hypothesis looks for exceptions."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kmslint.location import Text
from kmslint.sources.policy_json import NotAKey
from kmslint.sources.terraform_plan import keys_from_plan
from tests.unit.sources.terraform.shapes import facts, only_key, plain, stated

ODD = st.sampled_from(
    ["${aws:username}", "%{x}", 'a"b', "back\\slash", "é😀", "line\nend", "tab\t", "$", "%", "~", "{}", "'", "<<EOT"]
)
WORD = st.one_of(st.sampled_from(["kms:Decrypt", "kms:*", "111122223333", "alias/x", ""]), ODD)
LISTED = st.one_of(WORD, st.lists(WORD, min_size=1, max_size=3))
STATEMENT = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": LISTED, "Resource": LISTED},
    optional={
        "Sid": st.sampled_from(["a", "b c"]),
        "Principal": st.one_of(
            st.just("*"), st.dictionaries(st.sampled_from(["AWS", "Service"]), st.lists(WORD, min_size=1, max_size=2), min_size=1)
        ),
        "Condition": st.dictionaries(
            st.sampled_from(["StringEquals", "ForAnyValue:StringLike"]),
            st.dictionaries(st.sampled_from(["kms:ViaService", "aws:PrincipalTag/x"]), LISTED, min_size=1),
            min_size=1,
        ),
    },
)
POLICY = st.builds(
    lambda version, found: {"Version": version, "Statement": found},
    st.sampled_from(["2012-10-17", "2008-10-17"]),
    st.lists(STATEMENT, max_size=3),
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "description": WORD,
        "enable_key_rotation": st.booleans(),
        "rotation_period_in_days": st.integers(90, 2560),
        "deletion_window_in_days": st.integers(7, 30),
        "multi_region": st.booleans(),
        "customer_master_key_spec": st.sampled_from(["SYMMETRIC_DEFAULT", "RSA_2048"]),
        "key_usage": st.sampled_from(["ENCRYPT_DECRYPT", "SIGN_VERIFY"]),
        "bypass_policy_lockout_safety_check": st.booleans(),
        "tags": st.dictionaries(WORD, WORD, max_size=2),
    },
)


def hcl(value: object) -> str:
    """A JSON value as an HCL expression."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{hcl(str(key))} = {hcl(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(hcl, value)) + "]"
    if isinstance(value, str):
        return escaped(json.dumps(value, ensure_ascii=False).replace("\\t", "\\t"))
    return json.dumps(value)


def escaped(text: str) -> str:
    """A text in which nothing opens a hole."""
    return re.sub(r"([$%])(?=\{)", r"\1\1", text)


def arguments(values: dict[str, Any]) -> str:
    return "".join(f"  {name} = {hcl(value)}\n" for name, value in values.items())


@given(POLICY, ARGUMENTS)
def test_the_same_key_from_every_source(policy: dict[str, Any], values: dict[str, Any]) -> None:
    text = json.dumps(policy, indent=2)
    encoded = f'resource "aws_kms_key" "k" {{\n{arguments(values)}  policy = jsonencode({hcl(policy)})\n}}\n'
    heredoc = f'resource "aws_kms_key" "k" {{\n{arguments(values)}  policy = <<POLICY\n{escaped(text)}\nPOLICY\n}}\n'
    as_json = json.dumps({"resource": {"aws_kms_key": {"k": escape_all({**values, "policy": text})}}})
    as_plan = json.dumps(
        {
            "format_version": "1.2",
            "terraform_version": "1.9.0",
            "planned_values": {"root_module": {"resources": [planned({**values, "policy": text})]}},
            "resource_changes": [CREATED],
        }
    )
    plans = keys_from_plan(Text(as_plan))
    assert not isinstance(plans, NotAKey)
    keys = [only_key(encoded), only_key(heredoc), only_key({"main.tf.json": as_json}), plans[0]]
    assert [plain(key.policies[0].policy) for key in keys] == [stated(policy)] * 4
    assert [facts(key) for key in keys[1:]] == [facts(keys[0])] * 3
    assert len({(key.policies[0].sha256, key.policies[0].size) for key in keys}) == 1
    assert len({(key.account, key.partition) for key in keys}) == 1


def escape_all(value: object) -> object:
    if isinstance(value, dict):
        return {escaped(key): escape_all(inner) for key, inner in value.items()}
    return escaped(value) if isinstance(value, str) else value


CREATED = {
    "address": "aws_kms_key.k",
    "mode": "managed",
    "type": "aws_kms_key",
    "name": "k",
    "change": {"actions": ["create"], "before": None, "after": {}, "after_unknown": {"arn": True, "key_id": True}},
}


def planned(values: dict[str, Any]) -> dict[str, Any]:
    return {"address": "aws_kms_key.k", "mode": "managed", "type": "aws_kms_key", "name": "k", "values": values}
