"""The oracle itself against the documented vectors: an oracle that errs there is no oracle."""

from typing import Any

import pytest

from tests.oracle import evaluator, vectors
from tests.oracle.evaluator import F, T

ROWS = vectors.load()


def spelled(found: evaluator.Decision) -> str:
    if found.deny == T:
        return "denied"
    if found.whole == F:
        return "not_matched"
    if found.direct == T:
        return "allowed"
    return "allowed_for_account" if found.whole == T else "UNSURE"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_the_oracle_gives_the_documented_answer(row: dict[str, Any]) -> None:
    request = {**row["request"], "keyArn": row["keyArn"]}
    documented = "not_matched" if row["aws"] == "rejected" else row["aws"]
    assert spelled(evaluator.decide([row["policy"]], request)) == documented
    assert spelled(evaluator.decide([row["policy"]], request, lean=True)) == row.get("lean", documented)
