import csv as reader
from io import StringIO

import pytest
from hypothesis import given

from kmslint.reporters import csv
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import EVERY, every_report, texts, with_text
from tests.unit.reporters.reports import full


def rows(printed: str) -> list[dict[str, str]]:
    return list(reader.DictReader(StringIO(printed), strict=True))


@pytest.mark.parametrize("name", EVERY)
def test_a_row_for_each_result_and_each_input_that_was_not_read(name: str) -> None:
    report = every_report(name)
    found = rows(csv.render(report, View()))
    assert [row["outcome"] for row in found] == [one.outcome.value for one in report.results] + ["NOT_READ"] * len(report.errors)
    assert all(tuple(row) == csv.COLUMNS for row in found)


def test_a_row_says_all_that_an_auditor_needs() -> None:
    row = rows(csv.render(full(), View()))[6]
    assert {name: value for name, value in row.items() if value} == {
        "key": "alias/payments",
        "identity": "arn:aws:kms:eu-central-1:111122223333:key/1#policy/default",
        "account": "111122223333",
        "region": "eu-central-1",
        "rule": "no-alias",
        "title": "No alias",
        "severity": "low",
        "outcome": "FAIL",
        "message": "the key has no alias",
        "places": "aws-kms/111122223333/eu-central-1/k2/policy.json:1:1",
        "suppressed_reason": "named by tag",
        "suppressed_owner": "platform",
        "suppressed_until": "2027-03-01",
        "alternative": "an inventory",
        "fingerprint": "0" * 63 + "4",
        "as_of": "2026-11-24T08:00:00Z",
        "version": row["version"],
        "actions_as_of": row["actions_as_of"],
        "config_sha256": "b" * 64,
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "  =1", "\uff1d1"])
def test_no_cell_is_a_formula(text: str) -> None:
    row = rows(csv.render(with_text(text), View()))[0]
    assert row["message"] == f"'{text}".replace("\uff1d", "\uff1d")
    assert rows(csv.render(with_text("a=1"), View()))[0]["message"] == "a=1"


@given(texts)
def test_no_cell_begins_as_a_formula_whatever_a_policy_says(text: str) -> None:
    for row in rows(csv.render(with_text(text), View())):
        assert all(not value.lstrip(" ").startswith(("=", "+", "-", "@")) for value in row.values())
