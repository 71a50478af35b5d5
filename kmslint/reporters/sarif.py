"""SARIF 2.1.0, as code-scanning services read it: one run, its rules with their pages, and the findings.

By default only FAIL results that are not suppressed: GitHub shows everything else as an open alert. `View.full` writes every
result with its `kind`, for other readers.

Source: OASIS Standard "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; GitHub Docs, "SARIF support for
code scanning".
"""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

from kmslint import __version__
from kmslint.aws import actions
from kmslint.location import Location
from kmslint.model.key import Key
from kmslint.model.result import SEVERITIES, Outcome, Report, Result, SourceError
from kmslint.reporters.place import Place, at, of_key
from kmslint.reporters.text import control_sentence, witness_sentence
from kmslint.reporters.view import View, label, shown
from kmslint.reporters.visible import visible
from kmslint.typed import Final

Object = dict[str, object]

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS: Final = 25_000
"""What GitHub takes in one run; a larger file is refused whole. The worst are kept."""
MAX_TAGS: Final = 10
"""What GitHub shows of a rule's tags."""

_PLACEHOLDER: Final = re.compile(r"\{([0-9]+)\}")
_LEVELS: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
_SCORES: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5"}
"""`security-severity`: over 9.0 critical, 7.0 high, 4.0 medium, else low. A notice has none."""
_KINDS: Final = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "fail",
    Outcome.UNDETERMINED: "open",
    Outcome.NOT_APPLICABLE: "notApplicable",
    Outcome.MANUAL: "review",
}


def render(report: Report, view: View) -> str:
    """The report as a SARIF log, ASCII text."""
    chosen = _chosen(report, view)
    keys = {key.id: key for key in report.keys}
    rules = _rules(report, view)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    seen: dict[str, int] = {}
    run: Object = {
        "tool": {
            "driver": {
                "name": "kmslint",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": rules,
                "properties": {"rules": report.rules, "actions_as_of": actions.AS_OF},
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [_result(result, keys[result.key], index[result.rule], seen, view) for result in chosen],
        "properties": {"as_of": report.as_of, "config_sha256": report.config_sha256, "left_out": _left_out(report, view)},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _chosen(report: Report, view: View) -> list[Result]:
    wanted = _wanted(report, view)
    if len(wanted) <= MAX_RESULTS:
        return wanted
    order = sorted(range(len(wanted)), key=lambda number: (-SEVERITIES.index(wanted[number].severity), number))
    return [wanted[number] for number in sorted(order[:MAX_RESULTS])]


def _wanted(report: Report, view: View) -> list[Result]:
    if view.full:
        return list(shown(report, view))
    return [result for result in shown(report, view) if result.outcome is Outcome.FAIL and not result.suppressed]


def _left_out(report: Report, view: View) -> int:
    return max(0, len(_wanted(report, view)) - MAX_RESULTS)


def _rules(report: Report, view: View) -> list[Object]:
    """Every rule that was asked, by id. Readers take the severity of an alert from its rule: the worst of its findings."""
    by_id: dict[str, list[Result]] = {}
    for result in report.results:
        by_id.setdefault(result.rule, []).append(result)
    return [_rule(name, by_id[name], view) for name in sorted(by_id)]


def _rule(name: str, results: list[Result], view: View) -> Object:
    failed = [result for result in results if result.outcome is Outcome.FAIL and not result.suppressed]
    severity = max((result.severity for result in failed or results), key=SEVERITIES.index)
    first = results[0]
    page = view.pages.get(name, "")
    controls = dict.fromkeys(control for result in results for control in result.controls)
    tags = ["security", *dict.fromkeys(visible(control.id) for control in controls)][:MAX_TAGS]
    properties: Object = {"tags": tags, "precision": "very-high", "problem.severity": _problem(severity)}
    if severity in _SCORES:
        properties["security-severity"] = _SCORES[severity]
    plain = "\n".join((visible(first.title), *(control_sentence(control) for control in controls)))
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "shortDescription": {"text": _literal(first.title)},
        "fullDescription": {"text": _literal(first.title)},
        "help": {"text": plain, "markdown": page or plain},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": properties,
    }


def _problem(severity: str) -> str:
    return {"error": "error", "warning": "warning"}.get(_LEVELS[severity], "recommendation")


def _result(result: Result, key: Key, rule: int, seen: dict[str, int], view: View) -> Object:
    is_failure = result.outcome is Outcome.FAIL
    places = [at(location, key) for location in result.locations] or [of_key(key)]
    locations: list[Location | None] = list(result.locations) or [None]
    found: Object = {
        "ruleId": result.rule,
        "ruleIndex": rule,
        "kind": "informational" if is_failure and result.severity == "info" and view.full else _KINDS[result.outcome],
        "level": _LEVELS[result.severity] if is_failure else "none",
        "message": {"text": _message(result)},
        "locations": [_location(places[0], locations[0], key)],
        "partialFingerprints": _fingerprints(result, seen),
        "properties": _properties(result, key),
    }
    if found["kind"] == "informational":
        found["level"] = "none"
    if len(places) > 1:
        found["relatedLocations"] = [
            _location(place, location, key) | {"id": number, "message": {"text": _literal(_why_related(location))}}
            for number, (place, location) in enumerate(zip(places[1:], locations[1:], strict=True), 1)
        ]
    if result.suppressed:
        note = result.suppressed
        justification = f"{note.reason} ({note.owner}, until {note.until})"
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": visible(justification)}]
    return found


def _message(result: Result) -> str:
    lines = [result.message or result.reason or result.title]
    if result.reason and result.message:
        lines.append(result.reason)
    text = [_literal(line) for line in lines]
    if result.witness is not None:
        text.append("witness: " + _literal(witness_sentence(result.witness)))
    if result.help:
        text.append("help: " + _literal(result.help))
    if result.command:
        text.append("fix: " + _literal(result.command))
    return "\n".join(text)


def _fingerprints(result: Result, seen: dict[str, int]) -> Object:
    """GitHub follows an alert by `primaryLocationLineHash`: the fingerprint, so that moving the statement keeps the alert."""
    name = f"{result.rule}/{result.fingerprint}"
    seen[name] = seen.get(name, 0) + 1
    value = f"{result.fingerprint or '0' * 64}:{seen[name]}"
    return {"kmslint/v1": value, "primaryLocationLineHash": value}


def _properties(result: Result, key: Key) -> Object:
    found: Object = {"severity": result.severity, "outcome": result.outcome.value, "key": visible(label(key))}
    if result.policy:
        found["policy"] = visible(result.policy)
    if result.folded_into:
        found["folded_into"] = result.folded_into
    if result.assumptions:
        found["assumptions"] = [visible(text) for text in result.assumptions]
    if result.controls:
        found["controls"] = [visible(control.id) for control in result.controls]
    return found


def _location(place: Place, location: Location | None, key: Key) -> Object:
    found: Object = {"physicalLocation": {"artifactLocation": _artifact(place), "region": _region(place)}}
    if place.is_live or (location is not None and location.pointer):
        name = visible(location.sid or location.pointer) if location is not None else visible(label(key))
        whole = f"{key.identity()}#{location.pointer if location is not None else ''}"
        found["logicalLocations"] = [{"name": name or "policy", "fullyQualifiedName": visible(whole), "kind": "resource"}]
    return found


def _artifact(place: Place) -> Object:
    """A path relative to the root of the repository, or the URI of an absolute one."""
    path = quote(place.path.encode("utf-8", _lossless(place.path)), safe="/-._~")
    if place.path.startswith("/"):
        return {"uri": "file://" + path}
    return {"uri": path} if place.path.startswith("../") else {"uri": path, "uriBaseId": "%SRCROOT%"}


def _lossless(path: str) -> str:
    return (
        "surrogateescape" if not any("\ud800" <= char < "\udc80" or "\udcff" < char <= "\udfff" for char in path) else "replace"
    )


def _region(place: Place) -> Object:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": max(place.end_column, 1),
    }


def _why_related(location: Location | None) -> str:
    if location is None or (location.sid is None and location.statement is None):
        return "see also"
    return f"statement `{location.sid}`" if location.sid else f"statement {location.statement}"


def _invocation(report: Report) -> Object:
    found: Object = {"executionSuccessful": not report.errors}
    notices = list(_notices(report))
    if notices:
        found["toolExecutionNotifications"] = notices
    return found


def _notices(report: Report) -> Iterator[Object]:
    for error in report.errors:
        yield {"level": "error", "message": {"text": _literal(error.message)}, "locations": [_error_location(error)]}
    for note in report.notes:
        yield {"level": "note", "message": {"text": _literal(note)}}


def _error_location(error: SourceError) -> Object:
    line, column = error.line or 1, error.column or 1
    place = Place(error.source.removeprefix("./") or ".", line, column, line, column)
    return {"physicalLocation": {"artifactLocation": _artifact(place), "region": _region(place)}}


def _literal(text: str) -> str:
    r"""`text` without what a SARIF reader takes for a link (`[`) or a placeholder (`{0}`). SARIF 2.1.0, 3.11.5 and 3.11.6.

    Braces that are no placeholder stay single: readers that should fold `{{` into `{` show both.
    """
    escaped = visible(text).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return _PLACEHOLDER.sub(r"{{\1}}", escaped)
