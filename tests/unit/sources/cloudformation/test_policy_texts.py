"""A key policy as JSON text in a template: read as the policy, holes kept, every place that of the file."""

import json
from textwrap import indent

import pytest

from kmslint.model.key import Key
from tests.unit.sources.cloudformation.templates import ACCOUNT, only_key, plain, stated, text

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "One",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {"Sid": "Two", "Effect": "Deny", "Principal": "*", "Action": "kms:PutKeyPolicy", "Resource": "*"},
    ],
}
PRETTY = json.dumps(POLICY, indent=2)
HOLED = PRETTY.replace("111122223333", "${AWS::AccountId}")


def key(policy: str) -> Key:
    return only_key(f"Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy: {policy}\n")


def block(content: str, head: str = "|") -> str:
    return f"{head}\n{indent(content, ' ' * 8)}"


def expected(principal: object = "arn:aws:iam::111122223333:root") -> object:
    found = stated(POLICY)
    found[2][0]["principals"] = [("AWS", principal)]  # type: ignore[index]
    return found


OWN_ROOT = text("arn:aws:iam::", ACCOUNT, ":root")


@pytest.mark.parametrize(
    ("policy", "principal"),
    [
        (block(PRETTY), "arn:aws:iam::111122223333:root"),
        (json.dumps(json.dumps(POLICY)), "arn:aws:iam::111122223333:root"),
        (json.dumps(PRETTY), "arn:aws:iam::111122223333:root"),
        ("'" + json.dumps(POLICY) + "'", "arn:aws:iam::111122223333:root"),
        (block(PRETTY, ">"), "arn:aws:iam::111122223333:root"),
        (block(HOLED, "!Sub |"), OWN_ROOT),
        ("!Sub '" + HOLED.replace("\n", " ") + "'", OWN_ROOT),
        ("\n        Fn::Sub: " + json.dumps(HOLED), OWN_ROOT),
        ("\n        Fn::Sub:\n          - " + json.dumps(PRETTY.replace("111122223333", "${Who}")) + "\n          - {Who: !Ref AWS::AccountId}", OWN_ROOT),
    ],
)  # fmt: skip
def test_a_policy_text_is_the_policy(policy: str, principal: object) -> None:
    found = key(policy).policies[0]
    assert plain(found.policy) == expected(principal)
    assert found.diagnostics == ()


@pytest.mark.parametrize(
    "policy", [block(PRETTY), block(HOLED, "!Sub |"), block(HOLED, "!Sub |-"), "\n       Fn::Sub: " + block(HOLED, "|")]
)
def test_in_a_block_each_statement_has_its_lines(policy: str) -> None:
    content = f"Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy: {policy}\n"
    lines = content.splitlines()
    for statement in only_key(content).policies[0].policy.statements:
        location = statement.node.locate()
        assert lines[location.line - 1].strip() == "{"
        assert lines[location.line].strip() == f'"Sid": "{statement.sid}",'
        assert lines[location.end_line - 1].strip().rstrip(",") == "}"


def test_in_a_json_string_each_statement_has_its_column() -> None:
    document = {"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": json.dumps(POLICY)}}}}
    content = json.dumps(document)
    second = only_key(content, file="t.json").policies[0].policy.statements[1]
    at = second.node.locate().column - 1
    assert content[at:].startswith('{\\"Sid\\": \\"Two\\"')


def test_a_hole_that_is_more_than_a_text_makes_the_policy_unknown() -> None:
    found = key('!Sub \'{"Version": "2012-10-17", "Statement": ${Statements}}\'').policies[0].policy
    assert found.statements == ()
    assert len(found.unknown) == 1


def test_text_that_is_no_json_is_a_fault_of_the_policy() -> None:
    found = key("'{\"Version\": }'").policies[0]
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["policy-not-an-object"]
    assert found.policy.unknown != ()


def test_private_characters_do_not_pass_for_holes() -> None:
    found = key('"{\\"Statement\\": [{\\"Sid\\": \\"\\ue0000\\ue001 ${self:x}\\"}]}"').policies[0].policy
    assert found.unknown != () or found.statements[0].unknown != ()
