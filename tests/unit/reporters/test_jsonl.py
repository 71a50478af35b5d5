import json

import pytest

from kmslint.reporters import json as whole
from kmslint.reporters import jsonl
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import EVERY, every_report


@pytest.mark.parametrize("name", EVERY)
def test_the_lines_are_the_members_of_the_json_report(name: str) -> None:
    report = every_report(name)
    lines = [json.loads(line) for line in jsonl.render(report, View()).splitlines()]
    expected = json.loads(whole.render(report, View()))
    by_type: dict[str, list[dict[str, object]]] = {}
    for line in lines:
        by_type.setdefault(line.pop("type"), []).append(line)
    head = {name: expected[name] for name in ("tool", "as_of", "config_sha256")}
    assert by_type.pop("run") == [{"format": "kmslint-lines/1", **head}]
    assert by_type.pop("summary") == [expected["summary"]]
    assert by_type.pop("key", []) == expected["keys"]
    assert by_type.pop("result", []) == expected["results"]
    assert by_type.pop("error", []) == expected["errors"]
    assert by_type == {}
