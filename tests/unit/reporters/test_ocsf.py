import json

import pytest
from hypothesis import given

from kmslint.reporters import ocsf
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import every_report, faults, schema, texts, with_text
from tests.unit.reporters.reports import DIGEST, full

SCHEMA = "ocsf-1.5.0-compliance-finding.json"


def events(printed: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(printed)
    return found


@pytest.mark.parametrize("name", ["full", "hostile", "empty"])
def test_each_event_is_valid(name: str) -> None:
    for event in events(ocsf.render(every_report(name), View())):
        assert faults(schema(SCHEMA), event) == []


def test_each_event_on_a_real_key_is_valid() -> None:
    """A fortieth of them all: the pure-Python validator takes 1 ms an event."""
    found = events(ocsf.render(every_report("real"), View()))
    assert len(found) == len(every_report("real").results)
    assert [fault for event in found[::40] for fault in faults(schema(SCHEMA), event)] == []


@given(texts)
def test_it_is_valid_whatever_a_policy_says(text: str) -> None:
    assert [fault for event in events(ocsf.render(with_text(text), View())) for fault in faults(schema(SCHEMA), event)] == []


def test_an_invalid_event_is_told() -> None:
    (event, *_) = events(ocsf.render(full(), View()))
    assert faults(schema(SCHEMA), event) == []
    assert faults(schema(SCHEMA), event | {"class_uid": 2004}) != []
    assert faults(schema(SCHEMA), event | {"verdict": "fail"}) != []


def test_the_outcome_is_in_the_words_of_ocsf() -> None:
    found = events(ocsf.render(full(), View()))
    told = [(e["metadata"]["event_code"], e["compliance"]["status_id"], e["severity_id"], e["status_id"]) for e in found]  # type: ignore[index]
    assert told == [
        ("iam-delegation", 3, 1, 1),
        ("public-access", 3, 5, 1),
        ("untrusted-account-access", 3, 4, 1),
        ("rotation-disabled", 99, 3, 1),
        ("no-durable-admin", 1, 1, 1),
        ("rotation-disabled", 2, 3, 1),
        ("no-alias", 3, 2, 3),
    ]
    public = found[1]
    assert public["time"] == 1_795_507_200_000
    assert public["finding_info"]["uid"] == f"public-access/{DIGEST}1"  # type: ignore[index]
    assert public["compliance"]["requirements"] == ["hipaa/164.312(a)(1)", "hipaa/164.308(a)(4)", "x"]  # type: ignore[index]
