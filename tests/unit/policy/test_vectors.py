"""Every row of the documented vectors through `evaluate`."""

import pytest

from kmslint.policy.evaluate import evaluate
from tests.oracle import vectors
from tests.oracle.bridge import policy_of, request_of
from tests.oracle.evaluator import Plain

ROWS = vectors.load()
SURE = [row for row in ROWS if not row["unsure"]]
UNSURE = [row for row in ROWS if row["unsure"]]

MEANING = {
    "allowed": ("allow", "direct"),
    "allowed_for_account": ("allow", "delegated"),
    "not_matched": ("implicit_deny", None),
    "rejected": ("implicit_deny", None),
    "denied": ("explicit_deny", None),
}


def decided(row: dict[str, Plain], *, lean: bool) -> tuple[str, str | None]:
    found = evaluate((policy_of(row["policy"]),), request_of({**row["request"], "keyArn": row["keyArn"]}), lean=lean)
    return found.decision, found.grant


@pytest.mark.parametrize("row", SURE, ids=lambda row: row["name"])
def test_a_settled_row_has_its_documented_answer_in_both_readings(row: dict[str, Plain]) -> None:
    assert decided(row, lean=False) == MEANING[row["aws"]]
    assert decided(row, lean=True) == MEANING[row["aws"]]


@pytest.mark.parametrize("row", UNSURE, ids=lambda row: row["name"])
def test_an_unsettled_row_is_undetermined_with_a_reason_and_leans_as_the_register_says(row: dict[str, Plain]) -> None:
    found = evaluate((policy_of(row["policy"]),), request_of({**row["request"], "keyArn": row["keyArn"]}))
    assert found.decision == "undetermined"
    assert found.reasons
    assert decided(row, lean=True) == MEANING[row["lean"]]


@pytest.mark.parametrize("row", [row for row in SURE if row["aws"] == "rejected"], ids=lambda row: row["name"])
def test_a_rejected_policy_says_why(row: dict[str, Plain]) -> None:
    found = evaluate((policy_of(row["policy"]),), request_of({**row["request"], "keyArn": row["keyArn"]}))
    assert found.reasons
