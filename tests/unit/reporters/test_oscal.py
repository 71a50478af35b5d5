import base64
import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from kmslint.reporters import oscal
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import EVERY, SCHEMAS, every_report, faults, texts, with_text
from tests.unit.reporters.reports import full


@cache
def schema() -> jsonschema.protocols.Validator:
    """The part of the unified schema for assessment results, so that a fault is told where it is."""
    text = (SCHEMAS / "oscal-1.2.3.json").read_text(encoding="utf-8")
    found = json.loads(text.replace(r"(\\p{L}|_)(\\p{L}|\\p{N}|[.\\-_])*", r"([^\\W\\d]|_)(\\w|[.\\-])*"))
    (model,) = [one for one in found.pop("oneOf") if "assessment-results" in one["properties"]]
    return jsonschema.Draft7Validator(found | model)


def document(printed: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed)
    return found


@pytest.mark.parametrize("name", EVERY)
def test_it_is_valid(name: str) -> None:
    """Of the real keys, a fortieth of the observations: the pure-Python validator takes 12 s for all of them."""
    found = document(oscal.render(every_report(name), View()))
    if name == "real":
        (result,) = found["assessment-results"]["results"]
        result["observations"] = result["observations"][::40]
    assert faults(schema(), found) == []


@given(texts)
def test_it_is_valid_whatever_a_policy_says(text: str) -> None:
    assert faults(schema(), document(oscal.render(with_text(text), View()))) == []


def test_an_invalid_document_is_told() -> None:
    found = document(oscal.render(full(), View()))
    del found["assessment-results"]["import-ap"]
    assert faults(schema(), found) == ["assessment-results: 'import-ap' is a required property"]


def test_the_model_of_another_tool_takes_it() -> None:
    model = pytest.importorskip("trestle.oscal.assessment_results", reason="compliance-trestle is not installed")
    read = model.Model.model_validate(document(oscal.render(full(), View())))
    assert len(read.assessment_results.results[0].observations) == len(full().results) + 1


@pytest.mark.parametrize("name", EVERY)
def test_every_reference_leads_somewhere_and_no_identifier_stands_twice(name: str) -> None:
    found = document(oscal.render(every_report(name), View()))["assessment-results"]
    (result,) = found["results"]
    named = [found["uuid"], result["uuid"], *(one["uuid"] for one in found["back-matter"]["resources"])]
    items = [one["uuid"] for one in result.get("local-definitions", {}).get("inventory-items", [])]
    observations = [one["uuid"] for one in result.get("observations", [])]
    risks = [one["uuid"] for one in result.get("risks", [])]
    named += [*items, *observations, *risks, *(one["uuid"] for one in result.get("findings", []))]
    assert len(set(named)) == len(named)
    assert found["import-ap"]["href"].removeprefix("#") in named
    for one in result.get("observations", []):
        assert {subject["subject-uuid"] for subject in one.get("subjects", [])} <= set(items)
    for one in (*result.get("risks", []), *result.get("findings", [])):
        assert {related["observation-uuid"] for related in one["related-observations"]} <= set(observations)
        assert {related["risk-uuid"] for related in one.get("related-risks", [])} <= set(risks)


def test_a_rule_is_satisfied_only_where_it_passed_and_its_doubts_are_no_pass() -> None:
    (result,) = document(oscal.render(full(), View()))["assessment-results"]["results"]
    states = {one["target"]["target-id"]: one["target"]["status"] for one in result["findings"]}
    assert states == {
        "iam-delegation": {"state": "not-satisfied", "reason": "fail"},
        "no-alias": {"state": "not-satisfied", "reason": "fail"},
        "no-durable-admin": {"state": "satisfied", "reason": "pass"},
        "public-access": {"state": "not-satisfied", "reason": "fail"},
        "rotation-disabled": {"state": "not-satisfied", "reason": "other"},
        "untrusted-account-access": {"state": "not-satisfied", "reason": "fail"},
    }
    assert [one["status"] for one in result["risks"]] == ["open", "open", "open", "deviation-approved"]
    selected = result["reviewed-controls"]["control-selections"][0]["include-controls"]
    assert [one["control-id"] for one in selected] == ["hipaa-164.308-a-4", "hipaa-164.312-a-1", "x"]


def test_the_plan_names_the_rules() -> None:
    (plan,) = document(oscal.render(full(), View()))["assessment-results"]["back-matter"]["resources"]
    rules = json.loads(base64.b64decode(plan["base64"]["value"]))["rules"]
    assert rules == sorted({one.rule for one in full().results})
