"""A plan that deletes or replaces a key is a finding, whatever the policy says."""

import json

import pytest

from kmslint.app import report_on
from kmslint.engine.loader import load_rules
from kmslint.model.result import Outcome
from kmslint.model.settings import Settings
from tests.unit.sources.terraform.test_plan import POLICY, change, plan, read, resource

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
BEFORE = {"policy": POLICY, "deletion_window_in_days": 7, "arn": f"arn:aws:kms:eu-west-1:111122223333:key/{KEY_ID}"}
RULES = tuple(rule for rule in load_rules() if rule.id in {"pending-deletion", "short-deletion-window", "no-alias"})


def told(content: str, **configured: object) -> dict[str, tuple[str, str]]:
    """Of each rule, the outcome and what it says."""
    settings = Settings()._replace(**configured)  # type: ignore[arg-type]
    found = report_on(read(content), rules=RULES, settings=settings, as_of="2026-11-24T08:00:00Z").results
    return {result.rule: (f"{result.outcome.value} {result.severity}", result.message) for result in found}


@pytest.mark.parametrize(
    ("actions", "says"),
    [
        (["delete"], "the plan deletes the key: what it encrypted is lost after the waiting period of 7 days"),
        (
            ["delete", "create"],
            "the plan replaces the key, which deletes the old one: what it encrypted is lost after the waiting period of 7 days",
        ),
        (
            ["create", "delete"],
            "the plan replaces the key, which deletes the old one: what it encrypted is lost after the waiting period of 7 days",
        ),
    ],
)
def test_a_key_that_goes_is_a_finding(actions: list[str], says: str) -> None:
    stays = [resource("aws_kms_key.k", {"policy": POLICY})] if "create" in actions else []
    found = told(plan(stays, [change("aws_kms_key.k", actions, BEFORE, {}, {"arn": True})]))
    assert found["pending-deletion"] == ("FAIL critical", says)
    if not stays:
        assert found["short-deletion-window"][0] == "FAIL medium"
        assert found["no-alias"][0].startswith("NOT_APPLICABLE")


@pytest.mark.parametrize("actions", [["no-op"], ["update"], ["create"]])
def test_a_key_that_stays_is_none(actions: list[str]) -> None:
    content = plan([resource("aws_kms_key.k", {"policy": POLICY})], [change("aws_kms_key.k", actions, BEFORE, {})])
    assert told(content)["pending-deletion"][0].split()[0] == Outcome.NOT_APPLICABLE.value


def test_a_key_that_is_forgotten_stays_in_aws() -> None:
    content = plan([], [change("aws_kms_key.k", ["forget"], BEFORE)])
    assert told(content)["pending-deletion"][0].split()[0] == Outcome.NOT_APPLICABLE.value


def test_an_approved_deletion_is_about_the_window_alone() -> None:
    content = plan([], [change("aws_kms_key.k", ["delete"], BEFORE)])
    assert told(content, approved_deletions=(KEY_ID,))["pending-deletion"] == (
        "FAIL medium",
        "the approved deletion has a waiting period of 7 days, below 30",
    )
    full = plan([], [change("aws_kms_key.k", ["delete"], {**BEFORE, "deletion_window_in_days": 30})])
    assert told(full, approved_deletions=(KEY_ID,))["pending-deletion"][0].split()[0] == "PASS"


@pytest.mark.parametrize("window", [None, "7", True, {"a": 1}, [7]])
def test_a_window_that_is_no_number_is_not_told(window: object) -> None:
    content = plan([], [change("aws_kms_key.k", ["delete"], {**BEFORE, "deletion_window_in_days": window})])
    assert told(content)["pending-deletion"][1].endswith("lost after the waiting period")


def test_the_finding_stands_in_the_plan() -> None:
    content = plan([], [change("aws_kms_key.k", ["delete"], BEFORE)])
    found = report_on(read(content), rules=RULES, settings=Settings(), as_of="2026-11-24T08:00:00Z").results
    (place,) = next(result.locations for result in found if result.rule == "pending-deletion")
    assert place.file == "plan.json"
    assert json.loads("{" + content.split("\n")[place.line - 1].strip().rstrip("{") + "0}") == {"before": 0}
