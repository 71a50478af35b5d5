"""`kmslint scan` of keys that boto3 created in moto: the outcomes that RULES states, and the exit codes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from tests.e2e.conftest import SECRETS, Ran, Scan

ACCOUNT = "123456789012"
"""The account of everything in moto."""
ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
WILDCARD = {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
STRANGERS_DENIED = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "kms:Decrypt",
    "Resource": "*",
    "Condition": {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}},
}
ALL_DENIED = {**STRANGERS_DENIED, "Action": "kms:*"}
"""moto ignores the condition of a Deny and refuses DescribeKey itself."""
FOREIGN = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "kms:Decrypt", "Resource": "*"}
SERVICE = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:GenerateDataKey", "Resource": "*"}
BOUND_SERVICE = {**SERVICE, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}

OUTSIDERS_KEPT_OUT = {
    "public-access": "PASS",
    "unbounded-wildcard": "PASS",
    "untrusted-account-access": "PASS",
    "confused-deputy": "PASS",
    "no-durable-admin": "PASS",
}


class Case(NamedTuple):
    """A key to create, and what RULES says of it."""

    expected: Mapping[str, str]
    statements: tuple[Mapping[str, Any], ...] | None = (ROOT,)
    rotates: bool = True
    alias: bool = True
    spec: str = "SYMMETRIC_DEFAULT"
    then: str | None = None


CASES = {
    "default policy": Case(
        {
            **OUTSIDERS_KEPT_OUT,
            "iam-delegation": "FAIL",
            "rotation-disabled": "FAIL",
            "long-rotation-period": "NOT_APPLICABLE",
            "no-alias": "FAIL",
        },
        statements=None,
        rotates=False,
        alias=False,
    ),
    "good": Case(
        {
            **OUTSIDERS_KEPT_OUT,
            "rotation-disabled": "PASS",
            "long-rotation-period": "PASS",
            "short-deletion-window": "NOT_APPLICABLE",
            "pending-deletion": "PASS",
            "key-not-usable": "PASS",
            "no-alias": "PASS",
        }
    ),
    "public": Case({"public-access": "FAIL", "unbounded-wildcard": "FAIL", "untrusted-account-access": "FAIL"}, (ROOT, WILDCARD)),
    "closed": Case(OUTSIDERS_KEPT_OUT, (ROOT, WILDCARD, STRANGERS_DENIED)),
    "closed, not described": Case(
        {**OUTSIDERS_KEPT_OUT, "pending-deletion": "UNDETERMINED", "key-not-usable": "UNDETERMINED"}, (ROOT, WILDCARD, ALL_DENIED)
    ),
    "foreign": Case({**OUTSIDERS_KEPT_OUT, "untrusted-account-access": "FAIL"}, (ROOT, FOREIGN)),
    "service": Case({**OUTSIDERS_KEPT_OUT, "confused-deputy": "FAIL"}, (ROOT, SERVICE)),
    "bound service": Case(OUTSIDERS_KEPT_OUT, (ROOT, BOUND_SERVICE)),
    "rsa": Case(
        {"rotation-disabled": "NOT_APPLICABLE", "long-rotation-period": "NOT_APPLICABLE"}, rotates=False, spec="RSA_2048"
    ),
    "pending": Case(
        {"pending-deletion": "FAIL", "rotation-disabled": "NOT_APPLICABLE", "no-alias": "NOT_APPLICABLE"},
        then="schedule_key_deletion",
    ),
    "disabled": Case({"key-not-usable": "FAIL", "rotation-disabled": "PASS", "pending-deletion": "PASS"}, then="disable_key"),
}


def create(kms: Any, name: str, case: Case) -> str:  # noqa: ANN401  boto3 makes its clients at run time
    """The ARN of a new key."""
    policy = {} if case.statements is None else {"Policy": json.dumps({"Version": "2012-10-17", "Statement": case.statements})}
    usage = "SIGN_VERIFY" if case.spec.startswith("RSA") else "ENCRYPT_DECRYPT"
    metadata = kms.create_key(KeySpec=case.spec, KeyUsage=usage, **policy)["KeyMetadata"]
    if case.rotates:
        kms.enable_key_rotation(KeyId=metadata["KeyId"])
    if case.alias:
        kms.create_alias(AliasName=f"alias/{name.replace(',', '').replace(' ', '-')}", TargetKeyId=metadata["KeyId"])
    if case.then:
        getattr(kms, case.then)(KeyId=metadata["KeyId"])
    return str(metadata["Arn"])


@pytest.fixture(scope="module")
def arns(moto_url: str) -> Iterator[Mapping[str, str]]:
    """The ARN of each case's key."""
    import boto3

    access, secret, token = SECRETS
    kms = boto3.client(
        "kms",
        region_name="us-east-1",
        endpoint_url=moto_url,
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )
    yield {name: create(kms, name, case) for name, case in CASES.items()}
    kms.close()


@pytest.fixture(scope="module")
def scanned(scan: Scan, moto_url: str, arns: Mapping[str, str]) -> Ran:
    """All keys in one scan."""
    return scan(moto_url, *(word for arn in arns.values() for word in ("--key-id", arn)))


@pytest.mark.parametrize("name", CASES)
def test_each_key_has_the_outcomes_that_its_rules_state(scanned: Ran, arns: Mapping[str, str], name: str) -> None:
    outcomes = scanned.outcomes(arns[name])
    assert {rule: outcomes.get(rule) for rule in CASES[name].expected} == CASES[name].expected


def test_keys_come_in_the_order_asked_with_their_identity(scanned: Ran, arns: Mapping[str, str]) -> None:
    assert [
        (key["arn"], key["account"], key["account_source"], key["region"], key["source"]["type"])
        for key in scanned.report()["keys"]
    ] == [(arn, ACCOUNT, "arn", "us-east-1", "live") for arn in arns.values()]
    assert scanned.report()["errors"] == []
    assert scanned.code == 1


def test_a_finding_points_into_the_returned_policy(scanned: Ran, arns: Mapping[str, str]) -> None:
    report = scanned.report()
    (key,) = [key["id"] for key in report["keys"] if key["arn"] == arns["public"]]
    (result,) = [r for r in report["results"] if (r["key"], r["rule"], r["outcome"]) == (key, "public-access", "FAIL")]
    (place,) = result["locations"]
    assert (place["file"], place["uri"], place["pointer"]) == (None, f"{arns['public']}#policy/default", "/Statement/1")
    assert (result["severity"], result["witness"]["action"]) == ("critical", "kms:Decrypt")


RULES_OF_ACCESS = ("public-access", "unbounded-wildcard", "untrusted-account-access", "confused-deputy", "no-durable-admin")
RULES_OF_LIFE = ("rotation-disabled", "long-rotation-period", "pending-deletion", "key-not-usable", "no-alias")


@pytest.mark.parametrize(
    ("name", "code"),
    [("good", 0), ("closed", 0), ("closed, not described", 4), ("public", 1), ("foreign", 1), ("service", 1), ("disabled", 1)],
)
def test_the_exit_code_says_whether_something_was_found(
    scan: Scan, moto_url: str, arns: Mapping[str, str], name: str, code: int
) -> None:
    selected = [word for rule in (*RULES_OF_ACCESS, *RULES_OF_LIFE) for word in ("--select", rule)]
    ran = scan(moto_url, "--key-id", arns[name], *selected)
    assert (ran.code, [key["arn"] for key in ran.report()["keys"]]) == (code, [arns[name]])


def test_an_alias_names_a_key(scan: Scan, moto_url: str, arns: Mapping[str, str]) -> None:
    ran = scan(moto_url, "--key-id", "alias/good", "--select", "rotation-disabled")
    assert ([key["arn"] for key in ran.report()["keys"]], ran.code) == ([arns["good"]], 0)


def test_all_keys_are_scanned(scan: Scan, moto_url: str, arns: Mapping[str, str]) -> None:
    ran = scan(moto_url, "--all", "--select", "rotation-disabled")
    assert sorted(key["arn"] for key in ran.report()["keys"]) == sorted(arns.values())


def test_text_says_what_was_found_and_where(scan: Scan, moto_url: str, arns: Mapping[str, str]) -> None:
    ran = scan(moto_url, "--key-id", arns["public"], format="text")
    assert ran.code == 1
    assert "public-access" in ran.stdout
    assert f"{arns['public']}#policy/default" in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr


def test_a_key_that_does_not_exist_is_an_error(scan: Scan, moto_url: str, arns: Mapping[str, str]) -> None:
    missing = "00000000-0000-4000-8000-00000000dead"
    ran = scan(moto_url, "--key-id", missing)
    assert (ran.code, [(error["source"], error["message"]) for error in ran.report()["errors"]]) == (
        3,
        [(missing, f"no key `{missing}` in us-east-1")],
    )
