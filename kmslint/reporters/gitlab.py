"""GitLab Code Quality: a JSON list of findings, which the merge request compares with those of its target branch.

Source: GitLab Docs, "Code Quality", section "Code Quality report format".
"""

import json
from collections.abc import Iterator

from kmslint.model.key import Key
from kmslint.model.result import Outcome, Report, Result
from kmslint.reporters.place import places
from kmslint.reporters.view import View, shown
from kmslint.reporters.visible import visible
from kmslint.typed import Final

Object = dict[str, object]

_SEVERITIES: Final = {"info": "info", "low": "minor", "medium": "major", "high": "critical", "critical": "blocker"}


def render(report: Report, view: View) -> str:
    """The findings that are not suppressed, and what was not decided, in the order of the report. ASCII text."""
    return json.dumps(list(_entries(report, view)), indent=1) + "\n"


def _entries(report: Report, view: View) -> Iterator[Object]:
    keys = {key.id: key for key in report.keys}
    seen: dict[str, int] = {}
    for result in shown(report, view):
        if result.outcome in {Outcome.FAIL, Outcome.UNDETERMINED} and not result.suppressed:
            yield _entry(result, keys[result.key], seen)


def _entry(result: Result, key: Key, seen: dict[str, int]) -> Object:
    place = places(result, key)[0]
    is_open = result.outcome is Outcome.UNDETERMINED
    text = f"not decided: {result.reason or result.message}" if is_open else result.message
    return {
        "description": visible(f"{result.rule}: {text}"),
        "check_name": result.rule,
        "fingerprint": _unique(result, key, seen),
        "severity": _SEVERITIES[result.severity],
        "location": {"path": visible(place.path), "lines": {"begin": place.line, "end": place.end_line}},
    }


def _unique(result: Result, key: Key, seen: dict[str, int]) -> str:
    """The finding's fingerprint; GitLab drops the second of two that are equal, so that one is counted."""
    import hashlib

    stem = f"{result.rule}/{result.fingerprint}" if result.fingerprint else f"{result.rule}/{key.identity()}"
    seen[stem] = seen.get(stem, 0) + 1
    if result.fingerprint and seen[stem] == 1:
        return result.fingerprint
    return hashlib.sha256(f"{stem}/{seen[stem]}".encode("utf-8", "surrogatepass")).hexdigest()
