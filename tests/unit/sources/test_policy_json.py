"""What is a key policy and what is plainly something else; where the policy stands; whose key it is."""

import json
from hashlib import sha256
from typing import Any

import pytest

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.model.key import Key, Source
from kmslint.policy.parse import parse_policy
from kmslint.sources.owner import MAX_CANDIDATES, infer_owner, infer_partition
from kmslint.sources.policy_json import ENDPOINT_NOTE, NotAKey, keys_from_json
from kmslint.tree import from_python

OWNER, PARTNER = "111122223333", "444455556666"
ARN = f"arn:aws:kms:eu-central-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def root(account: str, partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{account}:root"


def allow(**more: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": root(OWNER)}, "Action": "kms:*", "Resource": "*", **more}


def deny(**more: object) -> dict[str, Any]:
    return allow(**{"Effect": "Deny", "Principal": "*", **more})


def document(*statements: object) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def read(value: object, **more: object) -> list[Key] | NotAKey:
    content = value if isinstance(value, str) else json.dumps(value)
    return keys_from_json(Text(content, file="f.json"), **more)


def one(value: object, **more: object) -> Key:
    found = read(value, **more)
    assert not isinstance(found, NotAKey), found
    (key,) = found
    return key


POLICY = document(allow())
WRITTEN = json.dumps(POLICY)

# --- where the policy stands


def test_a_document_is_a_key() -> None:
    content = "\n " + WRITTEN + "\n"
    key = one(content)
    assert (key.id, key.source, key.facts, key.notes) == ("", Source("policy", "f.json", None, 2, 2), {}, ())
    assert (key.account, key.account_source, key.partition, key.region, key.arn) == (OWNER, "inferred", "aws", None, None)
    (policy,) = key.policies
    assert (policy.name, policy.diagnostics, policy.size) == ("default", (), len(WRITTEN))
    assert key.sha256 == policy.sha256 == sha256(WRITTEN.encode()).hexdigest()
    assert key.fact("spec").reason.startswith("`spec` is not in a policy source")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content", "name", "size"),
    [
        (json.dumps({"Policy": WRITTEN, "PolicyName": "default"}), "default", len(WRITTEN)),
        (json.dumps({"Policy": WRITTEN, "PolicyName": "AWS_RAM"}, indent=4), "AWS_RAM", len(WRITTEN)),
        (json.dumps({"Policy": WRITTEN}), "default", len(WRITTEN)),
        (json.dumps({"Policy": POLICY}), "default", None),
        (json.dumps({"KeyId": "x", "Policy": POLICY, "BypassPolicyLockoutSafetyCheck": False}), "default", None),
        (json.dumps(WRITTEN), "default", len(WRITTEN)),
        (json.dumps(json.dumps({"Policy": WRITTEN})), "default", len(WRITTEN)),
        (WRITTEN + "\tdefault\n", "default", len(WRITTEN)),
        (WRITTEN + "\n\tAWS_RAM", "AWS_RAM", len(WRITTEN)),
        (WRITTEN + "\tdefault\r\n", "default", len(WRITTEN)),
    ],
)
def test_each_form_holds_the_same_policy(content: str, name: str, size: int | None) -> None:
    key = one(content)
    (policy,) = key.policies
    assert (policy.name, policy.size, policy.diagnostics) == (name, size, ())
    assert (key.account, key.notes) == (OWNER, ())
    assert policy.sha256 == sha256(WRITTEN.encode()).hexdigest()
    assert [item.value for item in policy.policy.statements[0].actions or ()] == ["kms:*"]


def test_a_place_in_a_string_is_one_in_the_file() -> None:
    content = json.dumps({"Policy": json.dumps(document(allow(Foo=1)), indent=1)}, indent=1)
    (policy,) = one(content).policies
    (fault,) = policy.diagnostics
    location = fault.node.locate(fault.pointer)
    line = content.split("\n")[location.line - 1]
    assert line[location.column - 1 :].startswith('\\"Foo\\"')
    assert (location.file, location.pointer) == ("f.json", "/Statement/0/Foo")


@pytest.mark.parametrize(
    "after", ["\tdefault policy", " default", "\t", "\tdefault\n{}", "\tdéfaut", "\t" + "x" * 129, " {}", ","]
)
def test_what_else_may_not_follow_a_policy(after: str) -> None:
    if not after.strip():
        assert one(WRITTEN + after).policies[0].name == "default"
        return
    with pytest.raises(InputError, match="expected the end of the text"):
        read(WRITTEN + after)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "a: 1",
        json.dumps({"Policy": "{"}),
        json.dumps({"Policy": "", "PolicyName": "default"}),
        json.dumps("{'a': 1}"),
    ],
)
def test_what_is_not_json_is_an_error_with_its_place(content: str) -> None:
    with pytest.raises(InputError) as caught:
        read(content)
    assert (caught.value.source, caught.value.line) == ("f.json", 1)
    assert caught.value.column is not None


def test_two_policies_in_one_object_are_none() -> None:
    with pytest.raises(InputError) as caught:
        read(f'{{"Policy": {WRITTEN},\n "Policy": {{}}}}')
    assert (caught.value.message, caught.value.line, caught.value.column) == ("`Policy` is given twice", 2, 2)


# --- what is something else


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "no JSON object"),
        (3, "no JSON object"),
        ("null", "no JSON object"),
        (json.dumps("x"), "no JSON object"),
        ([POLICY], "no JSON object"),
        ({}, "no policy in it"),
        ({"name": "x", "version": "1.0.0"}, "no policy in it"),
        ({"Policy": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, "its `Policy` holds no policy"),
        ({"Policy": 3}, "its `Policy` holds no policy"),
        ({"Policy": None}, "its `Policy` holds no policy"),
        ({"Policy": {"Arn": "x"}}, None),
        ({"KeyMetadata": {"KeyId": "x"}}, "the output of `aws kms describe-key`, which holds no policy"),
        ({"KeyRotationEnabled": True}, "the output of `aws kms get-key-rotation-status`, which holds no policy"),
        ({"Resources": {}}, "a CloudFormation template"),
        ({"format_version": "1.2", "planned_values": {}}, "a Terraform plan"),
        (
            document({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}),
            "a policy without principals: an IAM policy or a service control policy",
        ),
        (document(allow(Action="sts:AssumeRole")), "a policy of other services: `sts`"),
        (document(allow(Action=["s3:GetObject", "S3:Put*", "sns:Publish"])), "a policy of other services: `s3`, `sns`"),
        (document(deny(Action=["kms:*", "s3:*"])), "a resource control policy"),
        (document(allow(Action="*", Resource="arn:aws:s3:::bucket/*")), "a policy of other resources: `s3`"),
        ({"Policy": json.dumps(document(allow(Action="s3:*"))), "Arn": "x"}, "a policy of other services: `s3`"),
    ],
)
def test_what_is_plainly_something_else(value: object, reason: str | None) -> None:
    if reason is not None:
        assert read(value) == NotAKey(reason)
        assert read(value, named=False) == NotAKey(reason)
    settled = one(value, type="policy")
    assert len(settled.policies) == 1
    assert settled.notes == ()


@pytest.mark.parametrize(
    "value",
    [
        document(allow(), {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}),
        document(allow(Action=["kms:*", "s3:GetObject"])),
        document(allow(), allow(Action="s3:GetObject")),
        document(deny(Action=["kms:*", "s3:*"]), allow()),
        document(deny()),
        document(allow(Action="KMS:*")),
        document(allow(Action="*")),
        document(allow(Action="*:*")),
        document(allow(Action="*", Resource=["arn:aws:s3:::bucket/*", ARN])),
        document({"Effect": "Allow", "Principal": "*", "NotAction": ["iam:*"], "Resource": "*"}),
        {"Statement": allow()},
    ],
)
def test_what_may_be_a_key_policy_is_one(value: object) -> None:
    assert len(one(value).policies) == 1
    assert len(one(value, named=False).policies) == 1


@pytest.mark.parametrize(
    "value", [{"Statement": []}, {"statement": [allow()]}, {"Statement": "x"}, {"Version": "x", "Statement": None}]
)
def test_a_text_that_claims_to_be_a_policy_is_one_when_named(value: dict[str, Any]) -> None:
    assert one(value).policies[0].diagnostics != ()


def test_in_a_folder_an_empty_claim_is_passed_over() -> None:
    assert read({"Statement": []}, named=False) == NotAKey("no statement has an action")
    assert read(document(allow(Action=[])), named=False) == NotAKey("no statement has an action")
    assert one(document(allow(Action=[]))).policies[0].diagnostics != ()
    assert read({"Statement": "select 1"}, named=False) == NotAKey("no statement has an action")
    assert one({"Id": "kms", "Statement": []}, named=False).policies[0].diagnostics != ()


def test_only_kms_prints_a_policy_name() -> None:
    """What `aws kms get-key-policy` printed is a key policy, whatever it says."""
    trust = json.dumps(document(allow(Action="sts:AssumeRole")))
    assert one({"Policy": trust, "PolicyName": "default"}).notes == ()
    assert one(trust + "\tdefault").notes == ()
    assert one({"Policy": 5, "PolicyName": "default"}).policies[0].policy.unknown != ()
    assert isinstance(read({"Policy": trust}), NotAKey)


@pytest.mark.parametrize(
    ("statements", "noted"),
    [
        ([allow()], False),
        ([allow(Action="kms:Put*")], False),
        ([allow(Action=["kms:Decrypt", "kms:PutKeyPolicy"])], False),
        ([allow(NotAction="kms:Decrypt", Action=[])], False),
        ([allow(Action="kms:Decrypt")], True),
        ([allow(Action="*")], True),
        ([deny()], True),
        ([deny(), allow(Action="kms:Decrypt", Principal="*")], True),
        ([deny(), allow()], False),
    ],
)
def test_what_nothing_tells_from_an_endpoint_policy_has_a_note(statements: list[dict[str, Any]], noted: bool) -> None:
    for statement in statements:
        if "NotAction" in statement:
            del statement["Action"]
    value = document(*statements)
    assert one(value).notes == ((ENDPOINT_NOTE,) if noted else ())
    assert one(value, type="policy").notes == ()


# --- whose key it is


def test_the_owner_in_its_order() -> None:
    stated = one(POLICY, arn=ARN, account=PARTNER)
    assert (stated.arn, stated.key_id, stated.account, stated.account_source) == (ARN, ARN.rpartition("/")[2], OWNER, "arn")
    assert (stated.region, stated.partition) == ("eu-central-1", "aws")
    given = one(POLICY, account=PARTNER, region="us-east-1")
    assert (given.account, given.account_source, given.region) == (PARTNER, "given", "us-east-1")
    configured = one(POLICY, account=PARTNER, account_source="configured")
    assert (configured.account, configured.account_source) == (PARTNER, "configured")
    inferred = one(POLICY)
    assert (inferred.account, inferred.account_source) == (OWNER, "inferred")
    unknown = one(document(allow(Principal="*")))
    assert (unknown.account, unknown.account_source) == (None, None)


def owner(*statements: object, partition: str = "aws") -> str | None:
    return infer_owner((parse_policy(from_python(document(*statements)))[0],), partition)


CALLER = {"StringEquals": {"kms:CallerAccount": OWNER}}
VIA = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([allow()], OWNER),
        ([allow(Principal={"AWS": OWNER})], OWNER),
        ([allow(Action="kms:PutKeyPolicy")], OWNER),
        ([allow(NotAction="kms:Decrypt", Action="kms:x")], None),
        ([allow(Action="kms:Decrypt")], None),
        ([allow(Principal={"AWS": [OWNER, PARTNER]})], None),
        ([allow(), allow(Principal={"AWS": PARTNER}, Action="kms:Decrypt")], OWNER),
        ([allow(), allow(Principal={"AWS": PARTNER})], None),
        ([allow(), allow(Principal="*")], OWNER),
        ([allow(Principal="*"), allow(Principal={"AWS": PARTNER}, Action="kms:Decrypt")], None),
        ([allow(Principal="*", Condition=CALLER)], OWNER),
        ([allow(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})], None),
        ([allow(Condition=VIA)], OWNER),
        ([allow(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})], OWNER),
        ([allow(Condition={"StringEquals": {"aws:PrincipalAccount": PARTNER}})], None),
        ([allow(Principal={"AWS": f"arn:aws:iam::{OWNER}:role/admin"})], None),
        ([allow(Principal={"AWS": [OWNER, PARTNER]}), deny(Principal={"AWS": PARTNER})], OWNER),
        ([allow(), deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": OWNER}})], OWNER),
        ([allow(Resource=ARN)], OWNER),
        ([allow(Sid=1)], None),
        ([deny()], None),
        ([], None),
    ],
)
def test_the_owner_that_a_text_tells(statements: list[object], found: str | None) -> None:
    assert owner(*statements) == found


def test_a_policy_that_names_everybody_is_not_searched() -> None:
    many = [f"{number:012}" for number in range(1, MAX_CANDIDATES + 2)]
    rest = deny(Principal={"AWS": many[1:]})
    assert owner(allow(Principal={"AWS": many}), rest) is None
    assert owner(allow(Principal={"AWS": many[:-1]}), rest) == many[0]


def test_the_partition_is_that_of_the_principals() -> None:
    def partition(*arns: str) -> str:
        return infer_partition((parse_policy(from_python(document(allow(Principal={"AWS": list(arns)}))))[0],))

    china = root(OWNER, "aws-cn")
    assert partition(china, OWNER) == "aws-cn"
    assert partition(china, root(OWNER)) == "aws"
    assert partition(OWNER) == "aws"
    assert partition("arn:aws-nowhere:iam::111122223333:root") == "aws"
    assert partition("arn:x") == "aws"
    key = one(document(allow(Principal={"AWS": china})))
    assert (key.account, key.partition) == (OWNER, "aws-cn")


# --- hostile texts


def test_nothing_smuggled_reaches_a_reason() -> None:
    found = read(document(allow(Action="\x1b[31m:x")))
    assert found == NotAKey("a policy of other services: `\\u001b[31m`")


def test_seven_hundred_accounts_are_no_work() -> None:
    many = [f"{number:012}" for number in range(1, 701)]
    assert one(document(*[allow(Principal={"AWS": many}) for _ in range(20)])).account is None


def test_a_text_that_no_call_takes_is_a_key_of_which_nothing_is_known() -> None:
    key = one(document(*[allow()] * 2_000), named=False)
    assert [fault.code for fault in key.policies[0].diagnostics] == ["policy-too-large"]
    assert (key.account, key.notes) == (None, ())
    assert key.policies[0].policy.unknown != ()
