"""JSON Lines: the members of `kmslint-report/1`, one a line, each with its `type`. For logs and streams."""

import json
from collections.abc import Iterator

from kmslint.model.result import Report
from kmslint.reporters.json import error_members, key_members, result_members, summary_members, tool_members
from kmslint.reporters.view import View, shown

FORMAT = "kmslint-lines/1"


def render(report: Report, view: View) -> str:
    """A `run` line, then each key, result and input that was not read, then `summary`: a file that lacks it was cut short."""
    return "".join(json.dumps(line) + "\n" for line in _lines(report, view))


def _lines(report: Report, view: View) -> Iterator[dict[str, object]]:
    results = shown(report, view)
    yield {
        "type": "run",
        "format": FORMAT,
        "tool": tool_members(report),
        "as_of": report.as_of,
        "config_sha256": report.config_sha256,
    }
    yield from ({"type": "key", **key_members(key)} for key in report.keys)
    yield from ({"type": "result", **result_members(result)} for result in results)
    yield from ({"type": "error", **error_members(error)} for error in report.errors)
    yield {"type": "summary", **summary_members(report, results)}
