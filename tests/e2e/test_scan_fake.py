"""`kmslint scan` of a KMS that refuses, pages and throttles: nothing unread passes."""

import json
from collections.abc import Iterable, Iterator

import pytest

from tests.e2e.conftest import Scan
from tests.fake_kms.server import DEFAULT_POLICY, FakeKey, FakeKms

PUBLIC = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]}
)
TAGS = {"owner": "payments", "environment": "test", "data-classification": "none"}


@pytest.fixture
def kms() -> Iterator[FakeKms]:
    with FakeKms() as server:
        yield server


UNDETERMINED = {
    "DescribeKey": ("pending-deletion", "key-not-usable"),
    "ListKeyPolicies": ("public-access", "untrusted-account-access", "confused-deputy", "no-durable-admin"),
    "GetKeyPolicy": ("public-access", "untrusted-account-access", "confused-deputy", "no-durable-admin"),
    "GetKeyRotationStatus": ("rotation-disabled",),
    "ListAliases": ("no-alias",),
    "ListResourceTags": ("missing-ownership",),
    "ListGrants": ("untrusted-grant",),
}
"""What cannot be decided without the answer to each call."""


def select(rules: Iterable[str]) -> list[str]:
    return [word for rule in rules for word in ("--select", rule)]


def test_a_key_that_is_wholly_read_has_nothing_undetermined(scan: Scan, kms: FakeKms) -> None:
    """The twin of the test below: the refusal alone makes the difference."""
    fake = kms.add(FakeKey(tags=TAGS, metadata={"Description": "the ledger"}))
    rules = {rule for needed in UNDETERMINED.values() for rule in needed}
    ran = scan(kms.url, "--key-id", fake.key_id, *select(sorted(rules)), "--fail-on", "low")
    assert ran.outcomes(fake.arn) == dict.fromkeys(rules, "PASS")
    assert (ran.code, ran.report()["errors"]) == (0, [])


@pytest.mark.parametrize("operation", UNDETERMINED)
def test_a_denied_call_is_undetermined_and_exits_4(scan: Scan, kms: FakeKms, operation: str) -> None:
    fake = kms.add(FakeKey(tags=TAGS, metadata={"Description": "the ledger"}))
    kms.deny(operation)
    ran = scan(kms.url, "--key-id", fake.arn, *select(UNDETERMINED[operation]), "--fail-on", "low")
    assert ran.outcomes(fake.arn) == dict.fromkeys(UNDETERMINED[operation], "UNDETERMINED")
    reasons = [result["reason"] for result in ran.report()["results"]]
    assert [reason for reason in reasons if f"AccessDenied on kms:{operation}" not in (reason or "")] == []
    assert (ran.code, [key["arn"] for key in ran.report()["keys"]]) == (4, [fake.arn])


def test_undetermined_may_be_allowed(scan: Scan, kms: FakeKms) -> None:
    fake = kms.add(FakeKey())
    kms.deny("GetKeyPolicy")
    arguments = ("--key-id", fake.arn, "--select", "public-access")
    assert [scan(kms.url, *arguments).code, scan(kms.url, *arguments, "--allow-undetermined").code] == [4, 0]


def test_a_public_statement_in_the_aws_ram_policy_is_found(scan: Scan, kms: FakeKms) -> None:
    fake = kms.add(FakeKey(policies={"default": DEFAULT_POLICY, "AWS_RAM": PUBLIC}))
    ran = scan(kms.url, "--key-id", fake.key_id, "--select", "public-access")
    (result,) = ran.report()["results"]
    (place,) = result["locations"]
    assert (ran.code, result["outcome"], result["policy"], place["uri"], place["pointer"]) == (
        1,
        "FAIL",
        "AWS_RAM",
        f"{fake.arn}#policy/AWS_RAM",
        "/Statement/0",
    )


@pytest.mark.parametrize(("days", "outcome"), [(365, "PASS"), (366, "FAIL"), (2560, "FAIL")])
def test_the_rotation_period_is_judged(scan: Scan, kms: FakeKms, days: int, outcome: str) -> None:
    fake = kms.add(FakeKey())
    assert fake.rotation is not None
    fake.rotation["RotationPeriodInDays"] = days
    ran = scan(kms.url, "--key-id", fake.key_id, "--select", "long-rotation-period", "--fail-on", "low")
    assert (ran.outcomes(fake.arn), ran.code) == ({"long-rotation-period": outcome}, int(outcome == "FAIL"))


def test_pages_of_keys_and_aliases_are_all_read(scan: Scan, kms: FakeKms) -> None:
    kms.page_size = 1
    for number in range(4):
        kms.add(FakeKey(f"00000000-0000-4000-8000-00000000000{number}", aliases=["alias/aws/none", f"alias/{number}"]))
    ran = scan(kms.url, "--all", "--select", "no-alias")
    assert [ran.outcomes(fake.arn) for fake in kms.keys] == [{"no-alias": "PASS"}] * 4
    assert ran.code == 0


def test_an_aws_managed_key_is_not_judged_by_its_policy(scan: Scan, kms: FakeKms) -> None:
    fake = kms.add(FakeKey(metadata={"KeyManager": "AWS"}, policies={"default": PUBLIC}, aliases=["alias/aws/s3"]))
    ran = scan(kms.url, "--key-id", fake.key_id, "--select", "public-access", "--select", "rotation-disabled")
    assert (set(ran.outcomes(fake.arn).values()), ran.code) == ({"NOT_APPLICABLE"}, 0)


def test_throttling_is_waited_out(scan: Scan, kms: FakeKms) -> None:
    fake = kms.add(FakeKey())
    kms.throttle("GetKeyPolicy", 2)
    assert scan(kms.url, "--key-id", fake.key_id, "--select", "public-access").outcomes(fake.arn) == {"public-access": "PASS"}


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_credentials_that_do_not_work_are_an_error_with_help(scan: Scan, kms: FakeKms, code: str) -> None:
    kms.refuse("DescribeKey", code, "signature {authorization} {token}")
    ran = scan(kms.url, "--key-id", "alias/a", "--key-id", "alias/b")
    assert (ran.code, [error["message"] for error in ran.report()["errors"]]) == (
        3,
        [f"credentials refused ({code}) on kms:DescribeKey"],
    )


def test_a_policy_smuggles_nothing_to_the_terminal(scan: Scan, kms: FakeKms) -> None:
    statement = {**json.loads(PUBLIC)["Statement"][0], "Sid": "\x1b[31m[bold red]x\u202e\r\n::error::"}
    kms.add(FakeKey(policies={"default": json.dumps({"Statement": [statement]})}, metadata={"Description": "\x1b]0;x\x07"}))
    for color in ({}, {"FORCE_COLOR": "1"}):
        ran = scan(kms.url, "--key-id", "alias/payments", format="text", **color)
        assert ran.code == 1
        assert [
            bad for bad in ("\x1b[31m[bold", "\x1b]0;", "\u202e", "\n::error::", "\r") if bad in ran.stdout + ran.stderr
        ] == []
