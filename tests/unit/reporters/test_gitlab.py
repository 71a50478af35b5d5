import json

import pytest
from hypothesis import given

from kmslint.model.result import Outcome
from kmslint.reporters import gitlab
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import EVERY, every_report, faults, schema, texts, with_text
from tests.unit.reporters.reports import DIGEST, full

SCHEMA = "gitlab-code-quality.json"


@pytest.mark.parametrize("name", EVERY)
def test_it_is_valid_and_no_fingerprint_stands_twice(name: str) -> None:
    report = every_report(name)
    found = json.loads(gitlab.render(report, View()))
    assert faults(schema(SCHEMA), found) == []
    assert len({one["fingerprint"] for one in found}) == len(found)
    counted = [one for one in report.results if one.outcome in {Outcome.FAIL, Outcome.UNDETERMINED} and not one.suppressed]
    assert len(found) == len(counted)


@given(texts)
def test_it_is_valid_whatever_a_policy_says(text: str) -> None:
    assert faults(schema(SCHEMA), json.loads(gitlab.render(with_text(text), View()))) == []


def test_a_finding_is_told_in_the_words_of_gitlab() -> None:
    found = json.loads(gitlab.render(full(), View()))
    assert found[1] == {
        "description": "public-access: `arn:aws:iam::999999999999:role/x` may call `kms:Decrypt`",
        "check_name": "public-access",
        "fingerprint": DIGEST + "1",
        "severity": "blocker",
        "location": {"path": "policy.json", "lines": {"begin": 5, "end": 11}},
    }
    assert [(one["check_name"], one["severity"]) for one in found] == [
        ("iam-delegation", "info"),
        ("public-access", "blocker"),
        ("untrusted-account-access", "critical"),
        ("rotation-disabled", "major"),
    ]


def test_twins_are_told_apart() -> None:
    report = full()
    twice = report._replace(results=(report.results[1], report.results[1]))
    first, second = json.loads(gitlab.render(twice, View()))
    assert first["fingerprint"] == DIGEST + "1"
    assert second["fingerprint"] not in {DIGEST + "1", ""}
