from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from kmslint.model.result import Outcome
from kmslint.reporters import junit
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import EVERY, SCHEMAS, every_report, texts, with_text
from tests.unit.reporters.reports import full


@pytest.mark.parametrize("name", EVERY)
def test_it_is_valid(name: str) -> None:
    xmlschema = pytest.importorskip("xmlschema", reason="xmlschema is not installed: pip install '.[test]'")
    schema = xmlschema.XMLSchema(str(SCHEMAS / "junit.xsd"))
    assert [error.reason for error in schema.iter_errors(junit.render(every_report(name), View()))] == []


@pytest.mark.parametrize("name", EVERY)
def test_the_counts_are_those_of_the_cases(name: str) -> None:
    report = every_report(name)
    root = ET.fromstring(junit.render(report, View()))  # noqa: S314  our own text
    for element in (root, *root.iter("testsuite")):
        assert int(element.get("tests", "")) == len(list(element.iter("testcase")))
        assert int(element.get("failures", "")) == len(list(element.iter("failure")))
        assert int(element.get("errors", "")) == len(list(element.iter("error")))
    assert len(list(root.iter("testcase"))) == len(report.results) + len(report.errors)


def test_each_outcome_has_its_element() -> None:
    root = ET.fromstring(junit.render(full(), View()))  # noqa: S314  our own text
    found = {
        (suite.get("name"), case.get("name")): [child.tag for child in case]
        for suite in root.iter("testsuite")
        for case in suite.iter("testcase")
    }
    assert found == {
        ("policy.json", "iam-delegation"): ["failure"],
        ("policy.json", "public-access"): ["failure"],
        ("policy.json", "untrusted-account-access"): ["failure"],
        ("policy.json", "rotation-disabled"): ["skipped"],
        ("policy.json", "no-durable-admin"): [],
        ("alias/payments", "rotation-disabled"): ["error"],
        ("alias/payments", "no-alias"): ["skipped"],
        ("inputs", "broken.json:3:7"): ["error"],
    }


@given(texts)
def test_it_is_xml_whatever_a_policy_says(text: str) -> None:
    root = ET.fromstring(junit.render(with_text(text), View()))  # noqa: S314  our own text
    outcomes = [one.outcome for one in with_text(text).results]
    assert len(list(root.iter("failure"))) == 1
    assert outcomes.count(Outcome.FAIL) == 2
