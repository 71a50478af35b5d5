import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given

from kmslint.model.result import Outcome
from kmslint.reporters import sarif
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import EVERY, VIEWS, every_report, faults, schema, texts, with_text
from tests.unit.reporters.reports import DIGEST, full

SCHEMA = "sarif-2.1.0.json"


def run(printed: str) -> dict[str, Any]:
    (found,) = json.loads(printed)["runs"]
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("view", VIEWS)
def test_it_is_valid(name: str, view: View) -> None:
    assert faults(schema(SCHEMA), json.loads(sarif.render(every_report(name), view))) == []


@given(texts)
def test_it_is_valid_whatever_a_policy_says(text: str) -> None:
    assert faults(schema(SCHEMA), json.loads(sarif.render(with_text(text), View(full=True)))) == []


def test_only_findings_that_count_are_in_it_unless_all_is_asked_for() -> None:
    found = [(one["ruleId"], one["kind"], one["level"]) for one in run(sarif.render(full(), View()))["results"]]
    assert found == [
        ("iam-delegation", "fail", "note"),
        ("public-access", "fail", "error"),
        ("untrusted-account-access", "fail", "error"),
    ]
    everything = run(sarif.render(full(), View(full=True)))["results"]
    assert [(one["ruleId"], one["kind"], one["level"], "suppressions" in one) for one in everything] == [
        ("iam-delegation", "informational", "none", False),
        ("public-access", "fail", "error", False),
        ("untrusted-account-access", "fail", "error", False),
        ("rotation-disabled", "notApplicable", "none", False),
        ("no-durable-admin", "pass", "none", False),
        ("rotation-disabled", "open", "none", False),
        ("no-alias", "fail", "note", True),
    ]


def test_a_finding_is_followed_by_its_fingerprint_and_twins_differ() -> None:
    report = full()
    twice = report._replace(results=(*report.results, report.results[1]))
    marks = [
        one["partialFingerprints"] for one in run(sarif.render(twice, View()))["results"] if one["ruleId"] == "public-access"
    ]
    assert marks == [
        {"kmslint/v1": f"{DIGEST}1:1", "primaryLocationLineHash": f"{DIGEST}1:1"},
        {"kmslint/v1": f"{DIGEST}1:2", "primaryLocationLineHash": f"{DIGEST}1:2"},
    ]


def test_a_rule_carries_its_page_and_the_severity_of_its_worst_finding() -> None:
    rules = {
        rule["id"]: rule
        for rule in run(sarif.render(full(), View(pages={"public-access": '# Page\n\n{"a": 1}'})))["tool"]["driver"]["rules"]
    }
    public = rules["public-access"]
    assert public["help"]["markdown"] == '# Page\n\n{"a": 1}'
    assert public["properties"] == {
        "tags": ["security", "hipaa/164.312(a)(1)", "hipaa/164.308(a)(4)", "x"],
        "precision": "very-high",
        "problem.severity": "error",
        "security-severity": "9.5",
    }
    assert "security-severity" not in rules["iam-delegation"]["properties"]


def test_the_place_is_one_in_the_file_and_a_live_key_has_a_stand_in() -> None:
    public = next(one for one in run(sarif.render(full(), View()))["results"] if one["ruleId"] == "public-access")
    assert public["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "policy.json", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 5, "startColumn": 5, "endLine": 11, "endColumn": 6},
            },
            "logicalLocations": [{"name": "Open", "fullyQualifiedName": "policy.json#/Statement/1", "kind": "resource"}],
        }
    ]
    live = next(one for one in run(sarif.render(full(), View(full=True)))["results"] if one["ruleId"] == "no-alias")
    (place,) = live["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "aws-kms/111122223333/eu-central-1/k2/policy.json"
    assert place["logicalLocations"] == [
        {
            "name": "alias/payments",
            "fullyQualifiedName": "arn:aws:kms:eu-central-1:111122223333:key/1#policy/default#",
            "kind": "resource",
        }
    ]


@given(texts)
def test_a_message_links_nowhere_and_a_path_is_the_file(text: str) -> None:
    (first, *_) = run(sarif.render(with_text(text), View()))["results"]
    message = first["message"]["text"].replace("\\\\", "").replace("\\[", "").replace("\\]", "")
    assert "[" not in message.replace("list = [", "")
    uri = first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    if not any("\ud800" <= char <= "\udfff" for char in text) and "\\" not in text and not text.startswith((".", "/")):
        assert unquote(uri) == text + ".json"


def test_the_worst_are_kept_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MAX_RESULTS", 20)
    report = full()
    (mild,) = [one for one in report.results if one.rule == "iam-delegation"]
    (grave,) = [one for one in report.results if one.rule == "public-access"]
    many = report._replace(results=(*[mild] * sarif.MAX_RESULTS, grave))
    found = run(sarif.render(many, View()))
    assert len(found["results"]) == sarif.MAX_RESULTS
    assert found["results"][-1]["ruleId"] == "public-access"
    assert found["properties"]["left_out"] == 1


def test_an_input_that_was_not_read_is_told() -> None:
    (invocation,) = run(sarif.render(full(), View()))["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [notice["level"] for notice in invocation["toolExecutionNotifications"]] == ["error", "note"]
    assert run(sarif.render(full()._replace(errors=(), notes=()), View()))["invocations"] == [{"executionSuccessful": True}]


def test_statements_that_interact_are_related() -> None:
    report = full()
    both = report.results[1]._replace(locations=(*report.results[1].locations, *report.results[0].locations))
    (found,) = run(sarif.render(report._replace(results=(both,)), View()))["results"]
    assert [(one["id"], one["message"]["text"]) for one in found["relatedLocations"]] == [(1, "statement `Admin`")]
    assert both.outcome is Outcome.FAIL
