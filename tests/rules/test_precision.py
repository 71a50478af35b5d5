"""Precise, not loud: AWS's default key policy, and every policy that AWS's own guides print.

The guides' policies are no part of kmslint; without the real inputs their tests are skipped. What each of them gives above a
notice stands here, so that a rule which becomes louder fails a test. docs/verification.md argues why each stays.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from kmslint import app
from kmslint.errors import InputError
from kmslint.model.key import Key
from kmslint.model.result import Outcome, Result
from tests.conftest import shared_path

OWNER = "111122223333"
AS_OF = "2026-11-24T00:00:00Z"
RULES = app.load_rules()
LOUD = {"no-durable-admin high"}
"""What a page that prints a part of a policy gives: as a whole policy, nobody could change it."""

GUIDES: dict[str, set[str]] = {
    "amazon-cloudwatch-logs-user-guide:encrypt-log-data-kms#1": {"invalid-principal high"},
    "amazon-cloudwatch-logs-user-guide:encrypt-log-data-kms#2": {"invalid-principal high"},
    "amazon-cloudwatch-logs-user-guide:encrypt-log-data-kms#4": {"confused-deputy high", "invalid-principal high"},
    "amazon-dynamodb-developer-guide:encryption.usagenotes#1": {"confused-deputy low"} | LOUD,
    "amazon-dynamodb-developer-guide:encryption.usagenotes#2": LOUD,
    "amazon-efs-user-guide:encryption-at-rest#1": LOUD,
    "amazon-rds-user-guide:USER_ShareSnapshot#1": {"external-grant-creation high", "untrusted-account-access high"} | LOUD,
    "amazon-redshift-management-guide:managing-snapshots-console#1": {"untrusted-account-access high"} | LOUD,
    "amazon-redshift-management-guide:query-editor-v2-getting-started#1": {
        "bad-via-service-value medium",
        "resource-not-star low",
    },
    "amazon-sagemaker-developer-guide:feature-store-security#1": {"ineffective-action low", "invalid-principal high"},
    "amazon-sagemaker-developer-guide:model-registry-version#1": {"invalid-principal high"} | LOUD,
    "amazon-sagemaker-developer-guide:sagemaker-roles#2": {"invalid-principal high"} | LOUD,
    "amazon-sagemaker-developer-guide:sms-create-sns-input-topic#1": {"invalid-principal high"},
    "amazon-sns-developer-guide:sns-key-management#2": {"confused-deputy high", "document-limits low"} | LOUD,
    "amazon-sqs-developer-guide:sqs-key-management#1": {"confused-deputy high"} | LOUD,
    "amazon-sqs-developer-guide:sqs-key-management#4": {"invalid-principal high"} | LOUD,
    "aws-kms-developer-guide:conditions-kms#24": {"ineffective-action low", "resource-not-star low"} | LOUD,
    "aws-kms-developer-guide:conditions-kms#25": LOUD,
    "aws-kms-developer-guide:infrastructure-security#1": LOUD,
    "aws-kms-developer-guide:key-policy-overview#1": LOUD,
    "aws-kms-developer-guide:key-policy-overview#2": {
        "short-deletion-allowed high",
        "unconstrained-create-grant medium",
        "untrusted-account-access high",
    },
    "aws-kms-developer-guide:key-policy-services#2": LOUD,
    # two endpoint policies, read as key policies because the test says so
    "aws-kms-developer-guide:kms-vpc-endpoint#1": {"document-limits low", "ineffective-action low", "resource-not-star low"}
    | LOUD,
    "aws-kms-developer-guide:kms-vpc-endpoint#2": {"document-limits low", "resource-not-star low"} | LOUD,
    "aws-kms-developer-guide:kms-vpc-endpoint#3": {"network-condition-blocks-services medium"},
    "aws-kms-developer-guide:policy-evaluation#2": {"untrusted-account-access high"},
    "aws-kms-developer-guide:programming-key-policies#1": LOUD,
    "aws-kms-developer-guide:programming-key-policies#2": {
        "admin-uses-key high",
        "non-admin-policy-change high",
        "short-deletion-allowed high",
        "unconstrained-create-grant high",
    }
    | LOUD,
    "aws-kms-developer-guide:services-wm#1": LOUD,
    "aws-systems-manager-user-guide:cross-service-confused-deputy-prevention#1": {"resource-not-star low"} | LOUD,
    "aws-systems-manager-user-guide:sysman-inventory-resource-data-sync#1": {"resource-not-star low"} | LOUD,
}


def loud(results: tuple[Result, ...]) -> set[str]:
    """What is found above a notice and not named under something greater."""
    return {
        f"{result.rule} {result.severity}"
        for result in results
        if result.outcome is Outcome.FAIL and result.severity != "info" and not result.folded_into
    }


@pytest.mark.parametrize("principal", [f"arn:aws:iam::{OWNER}:root", OWNER])
def test_the_default_key_policy_gives_notices_alone(principal: str) -> None:
    default = {
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [
            {"Sid": "Default", "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"},
        ],
    }
    results = app.check_policy(json.dumps(default), account=OWNER, rules=RULES, as_of=AS_OF).results
    assert loud(results) == set()
    assert [result.rule for result in results if result.outcome is Outcome.UNDETERMINED] == []
    assert sorted({result.rule for result in results if result.outcome is Outcome.FAIL}) == [
        "iam-delegation",
        "short-deletion-allowed",
    ]


def test_the_default_key_policy_of_another_account_gives_more() -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}, "Action": "kms:*", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert "untrusted-account-access high" in loud(
        app.check_policy(text, account="444455556666", rules=RULES, as_of=AS_OF).results
    )


def _printed() -> Iterator[Path]:
    shared = shared_path()
    if shared is not None:
        yield from sorted((shared / "corpus" / "json").glob("awsdocs__*"))


def _name(file: Path) -> str:
    stem = file.name.removeprefix("awsdocs__").removesuffix(".json")
    return stem.replace("__doc_source_", ":").replace(".md__", "#")


def _owner(key: Key, text: str) -> str:
    """The owner that the page means: told by the policy, else the account that it writes most."""
    accounts = Counter(re.findall(r"\b[0-9]{12}\b", text))
    return key.account or (accounts.most_common(1)[0][0] if accounts else OWNER)


@pytest.mark.skipif(not list(_printed()), reason="no guides: neither KMSLINT_SHARED nor ../shared beside the checkout holds them")
def test_the_policies_that_the_guides_print_give_what_is_argued_and_nothing_else() -> None:
    found: dict[str, set[str]] = {}
    for file in _printed():
        text = file.read_text(encoding="utf-8")
        try:
            key = app.check_policy(text, rules=(), as_of=AS_OF).keys[0]
        except InputError:
            continue  # a page's text with comments or dots in it
        report = app.check_policy(text, account=_owner(key, text), rules=RULES, as_of=AS_OF)
        found[_name(file)] = loud(report.results)
    assert {name: rules for name, rules in found.items() if rules} == GUIDES
