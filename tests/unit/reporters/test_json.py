import json
from pathlib import Path

import jsonschema
import pytest

import kmslint
from kmslint.aws.actions import AS_OF
from kmslint.model.result import Report
from kmslint.reporters.json import render
from kmslint.reporters.view import View
from tests.unit.reporters.reports import EVIL, empty, full, hostile

SCHEMA = json.loads((Path(kmslint.__file__).parent / "schemas" / "report-1.json").read_text())


def strict(schema: object) -> object:
    """The schema that allows nothing it does not name: what this version writes."""
    if isinstance(schema, dict):
        closed = {name: strict(part) for name, part in schema.items()}
        if "properties" in closed and "additionalProperties" not in closed:
            closed["additionalProperties"] = False
        return closed
    return [strict(part) for part in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("report", [full(), hostile(), empty()], ids=["full", "hostile", "empty"])
def test_the_document_is_valid_and_holds_nothing_unnamed(report: Report) -> None:
    document = json.loads(render(report, View()))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    if report.keys and report.keys[0].account == EVIL:
        document["keys"][0]["account"] = "111122223333"
    jsonschema.Draft202012Validator(strict(SCHEMA)).validate(document)


@pytest.mark.parametrize("spoil", ["format", "results", "summary", "keys"])
def test_the_schema_refuses_what_it_should(spoil: str) -> None:
    document = json.loads(render(full(), View()))
    del document[spoil]
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def test_the_document_is_what_the_interface_shows() -> None:
    document = json.loads(render(full(), View()))
    assert document["format"] == "kmslint-report/1"
    assert document["tool"] == {"version": kmslint.__version__, "rules": 4, "actions_as_of": AS_OF}
    assert document["keys"][0] == {
        "id": "k1",
        "arn": None,
        "account": "111122223333",
        "account_source": "inferred",
        "region": None,
        "source": {"type": "policy", "file": "policy.json", "uri": None, "line": 1, "column": 1},
        "sha256": "a" * 64,
    }
    assert document["results"][1]["locations"] == [
        {
            "file": "policy.json",
            "uri": None,
            "line": 5,
            "column": 5,
            "end_line": 11,
            "end_column": 6,
            "pointer": "/Statement/1",
            "statement": 1,
            "sid": "Open",
        }
    ]
    assert document["results"][6]["suppressed"] == {
        "reason": "named by tag",
        "owner": "platform",
        "until": "2027-03-01",
        "alternative": "an inventory",
        "where": "alias/payments",
    }
    assert document["errors"] == [{"source": "broken.json", "line": 3, "column": 7, "message": "expected `,` or `}`"}]
    assert document["summary"] == {
        "keys": 2,
        "PASS": 1,
        "FAIL": 3,
        "UNDETERMINED": 1,
        "NOT_APPLICABLE": 1,
        "MANUAL": 0,
        "suppressed": 1,
    }


def test_hostile_text_is_ascii_and_comes_back_whole() -> None:
    printed = render(hostile(), View())
    assert all(" " <= char <= "~" or char == "\n" for char in printed)
    assert json.loads(printed)["results"][0]["message"] == EVIL.replace("\ud800", "\\ud800")
    json.loads(printed.encode())


def test_least_severity_holds_for_machines_too() -> None:
    document = json.loads(render(full(), View(min_severity="high")))
    assert {result["severity"] for result in document["results"]} == {"critical", "high"}
    assert document["summary"]["FAIL"] == 2
