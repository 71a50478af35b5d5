"""Every key of the configuration, from its line in kmslint.toml to the outcome that it changes. A yes and a no for each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kmslint.config import read_settings
from kmslint.engine import loader
from kmslint.engine.assess import assess_rule
from kmslint.model.settings import Settings
from tests.rules.case import key_of

RULES = Path(__file__).resolve().parents[2] / "rules"
CATALOGUE = {rule.id: rule for rule in loader.build(*loader.read_folder(str(RULES))).rules}
OWNER, OTHER = "111122223333", "444455556666"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:us-east-1:{OWNER}:key/{KEY_ID}"
LIVE = {"manager": "CUSTOMER", "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT", "origin": "AWS_KMS", "state": "Enabled"}


def allow(principal: object, *actions: str, **condition: Mapping[str, object]) -> dict[str, Any]:
    found = {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*"}
    return found | ({"Condition": condition} if condition else {})


def role(name: str, account: str = OWNER) -> dict[str, str]:
    return {"AWS": f"arn:aws:iam::{account}:role/{name}"}


def policy(*statements: Mapping[str, Any], **key: object) -> dict[str, Any]:
    stated = {"account": OWNER, "region": "us-east-1", "arn": ARN, "key_id": KEY_ID, **key}
    return {"input": {"Version": "2012-10-17", "Statement": list(statements)}, "key": stated}


def live(**facts: object) -> dict[str, Any]:
    named = {name.replace("__", "."): value for name, value in facts.items()}
    return {"key": {"account": OWNER, "region": "us-east-1", "arn": ARN, "key_id": KEY_ID, "facts": {**LIVE, **named}}}


ROOT = allow({"AWS": f"arn:aws:iam::{OWNER}:root"}, "kms:*")
ROOT_USE = allow({"AWS": f"arn:aws:iam::{OWNER}:root"}, "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:DescribeKey")
ADMIN = allow(role("Admin"), "kms:PutKeyPolicy", "kms:GetKeyPolicy")
GRANT = {"GrantId": "g", "GranteePrincipal": f"arn:aws:iam::{OTHER}:role/Vendor", "Operations": ["Encrypt"]}
OLD_GRANT = {
    "GrantId": "g",
    "GranteePrincipal": f"arn:aws:iam::{OWNER}:role/Batch",
    "Operations": ["Encrypt"],
    "CreationDate": "2026-01-01T00:00:00Z",
}
TAGS = {"team": "claims"}
REPLICATE = allow(role("Admin"), "kms:ReplicateKey", StringEquals={"kms:ReplicaRegion": "eu-west-1"})
MULTI = {"multi_region": True, "multi_region.type": "PRIMARY", "multi_region.primary": ARN, "multi_region.replicas": []}

CHANGES: list[tuple[str, str, str, dict[str, Any], str, str]] = [
    # key, its line, rule, case, outcome without it, outcome with it
    (
        "trusted_accounts",
        f'["{OTHER}"]',
        "untrusted-account-access",
        policy(ROOT, allow(role("Vendor", OTHER), "kms:Decrypt")),
        "FAIL high",
        "PASS",
    ),
    ("trusted_accounts", f'["{OTHER}"]', "untrusted-grant", live(grants=[GRANT]), "FAIL high", "PASS"),
    (
        "trusted_organizations",
        '["o-a1b2c3d4e5"]',
        "untrusted-account-access",
        policy(ROOT, allow("*", "kms:Decrypt", StringEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"})),
        "FAIL high",
        "PASS",
    ),
    ("key_admins", f'["arn:aws:iam::{OWNER}:role/Ad*"]', "non-admin-policy-change", policy(ROOT, ADMIN), "FAIL info", "PASS"),
    ("break_glass", f'["arn:aws:iam::{OWNER}:role/Admin"]', "non-admin-policy-change", policy(ROOT, ADMIN), "FAIL info", "PASS"),
    ("regions", '["us-east-1", "eu-west-1"]', "unapproved-replica", policy(ROOT_USE, REPLICATE), "NOT_APPLICABLE", "PASS"),
    ("regions", '["us-east-1"]', "unapproved-replica", policy(ROOT_USE, REPLICATE), "NOT_APPLICABLE", "FAIL high"),
    ("multi_region", "true", "undeclared-multi-region", live(multi_region=True), "FAIL low", "PASS"),
    ("required_tags", '["team"]', "missing-ownership", live(tags=TAGS, description="claims"), "FAIL low", "PASS"),
    (
        "services_only",
        '["s3.us-east-1.amazonaws.com"]',
        "unrestricted-direct-use",
        policy(ROOT, allow(role("App"), "kms:Decrypt")),
        "NOT_APPLICABLE",
        "FAIL medium",
    ),
    ("rotation_days", "180", "long-rotation-period", live(rotation__enabled=True, rotation__period_days=365), "PASS", "FAIL low"),
    (
        "manual_rotation_days",
        "30",
        "no-manual-rotation",
        live(spec="RSA_4096", created="2026-06-01T00:00:00Z"),
        "PASS",
        "FAIL low",
    ),
    (
        "deletion_window_days",
        "7",
        "short-deletion-window",
        {"key": {"account": OWNER, "source": "terraform", "facts": {"deletion.window_days": 7}}},
        "FAIL medium",
        "PASS",
    ),
    (
        "deletion_window_days",
        "14",
        "short-deletion-allowed",
        policy(
            allow(role("Admin"), "kms:ScheduleKeyDeletion"),
            {
                **allow("*", "kms:ScheduleKeyDeletion", NumericLessThan={"kms:ScheduleKeyDeletionPendingWindowInDays": "14"}),
                "Effect": "Deny",
            },
        ),
        "FAIL high",
        "PASS",
    ),
    (
        "approved_deletions",
        f'["{KEY_ID}"]',
        "pending-deletion",
        live(state="PendingDeletion", deletion__date="2026-12-24T00:00:00Z", deletion__window_days=30),
        "FAIL critical",
        "PASS",
    ),
    (
        "material_expiry_days",
        "90",
        "key-material-expires",
        live(origin="EXTERNAL", material__expiration_model="KEY_MATERIAL_EXPIRES", material__valid_to="2027-01-24T00:00:00Z"),
        "PASS",
        "FAIL high",
    ),
    (
        "unused_days",
        "10",
        "unused-key",
        live(created="2025-01-01T00:00:00Z", last_used={"timestamp": "2026-11-01T00:00:00Z"}),
        "PASS",
        "FAIL info",
    ),
    ("max_grant_age_days", "90", "overbroad-grant", live(grants=[OLD_GRANT]), "PASS", "FAIL medium"),
    ("sensitive_patterns", '["claims"]', "secrets-in-metadata", live(description="key of claims"), "PASS", "FAIL high"),
    ("evidence_store", '"s3://evidence"', "unretained-evidence", live(), "NOT_APPLICABLE", "MANUAL"),
    ("strict", "true", "iam-delegation", policy(ROOT), "FAIL info", "FAIL medium"),
    ("strict", "true", "short-deletion-allowed", policy(ROOT), "FAIL info", "FAIL medium"),
    (
        "strict",
        "true",
        "untrusted-account-access",
        policy(ROOT, account_source="inferred"),
        "PASS",
        "UNDETERMINED high",
    ),
]

TABLES = {
    "account": "tests/e2e/test_configuration.py",
    "accounts": "tests/e2e/test_configuration.py",
    "fail_on": "tests/e2e/test_configuration.py",
    "integrations": "below",
    "severity": "below",
    "log_retention_days": "below",
    "suppress": "tests/e2e/test_frameworks.py",
}


def settings_from(folder: Path, text: str) -> Settings:
    file = folder / "kmslint.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings(str(file), today="2026-11-24")


def outcomes(rule: str, case: Mapping[str, Any], settings: Settings) -> list[str]:
    found = assess_rule(CATALOGUE[rule], key_of(case), settings)
    bad = {"FAIL", "UNDETERMINED"}
    return [result.outcome.value + (f" {result.severity}" if result.outcome.value in bad else "") for result in found]


@pytest.mark.parametrize(
    ("name", "value", "rule", "case", "without", "outcome"), CHANGES, ids=[f"{c[0]}-{c[2]}-{c[5].split(' ')[0]}" for c in CHANGES]
)
def test_a_key_changes_the_outcome_that_it_is_for(
    name: str, value: str, rule: str, case: dict[str, Any], without: str, outcome: str, tmp_path: Path
) -> None:
    if rule == "unapproved-replica":
        case = {**case, "key": {**case["key"], "facts": {**LIVE, **MULTI}}}
    assert outcomes(rule, case, Settings()) == [without]
    assert outcomes(rule, case, settings_from(tmp_path, f"{name} = {value}\n")) == [outcome]


def test_every_key_of_the_configuration_is_tried() -> None:
    assert {change[0] for change in CHANGES} | TABLES.keys() == set(Settings._fields) - {"file", "sha256"}


def test_a_declared_integration_must_work(tmp_path: Path) -> None:
    declared = settings_from(tmp_path, '[[integrations]]\nservice = "config-delivery"\n')
    source = {"StringEquals": {"aws:SourceAccount": OWNER}}
    works = policy(ROOT, allow({"Service": "config.amazonaws.com"}, "kms:Decrypt", "kms:GenerateDataKey", **source))
    lacks = policy(ROOT, allow({"Service": "config.amazonaws.com"}, "kms:Decrypt", **source))
    assert outcomes("integration-lacks-permission", lacks, Settings()) == ["NOT_APPLICABLE"]
    assert outcomes("integration-lacks-permission", lacks, declared) == ["FAIL high"]
    assert outcomes("integration-lacks-permission", works, declared) == ["PASS"]


def test_an_integration_for_a_principal_asks_about_that_principal(tmp_path: Path) -> None:
    case = policy(allow(role("App"), "kms:Decrypt", "kms:GenerateDataKey*", "kms:Encrypt"))
    text = '[[integrations]]\nservice = "s3-sse-kms"\nprincipal = "arn:aws:iam::' + OWNER + ':role/{}"\n'
    assert outcomes("integration-lacks-permission", case, settings_from(tmp_path, text.format("App"))) == ["PASS"]
    assert set(outcomes("integration-lacks-permission", case, settings_from(tmp_path, text.format("Bpp")))) == {"FAIL high"}


def test_a_configured_severity_replaces_every_other(tmp_path: Path) -> None:
    case = policy(ROOT, allow("*", "kms:Decrypt"))
    assert outcomes("public-access", case, Settings()) == ["FAIL critical"]
    assert outcomes("public-access", case, settings_from(tmp_path, '[severity]\npublic-access = "low"\n')) == ["FAIL low"]
    strict = settings_from(tmp_path, 'strict = true\n[severity]\niam-delegation = "info"\n')
    assert outcomes("iam-delegation", policy(ROOT), strict) == ["FAIL info"]


def test_the_configured_retention_of_logs_is_what_a_person_confirms(tmp_path: Path) -> None:
    store = 'evidence_store = "s3://evidence"\n'
    rule, key = CATALOGUE["unretained-evidence"], key_of(live())
    (default,) = assess_rule(rule, key, settings_from(tmp_path, store))
    (chosen,) = assess_rule(rule, key, settings_from(tmp_path, f"{store}log_retention_days = 400\n"))
    assert (
        default.message
        == "confirm that `s3://evidence` keeps reports for six years, and audit logs for the 2192 days that you chose"
    )
    assert chosen.message == default.message.replace("2192", "400")
