"""`kmslint-report/1`: the whole report for programs. Its schema is `kmslint/schemas/report-1.json`."""

import json
from collections.abc import Mapping

from kmslint import __version__
from kmslint.aws import actions
from kmslint.location import Location
from kmslint.model.key import Key
from kmslint.model.result import Control, Outcome, Provision, Report, Result, SourceError, Suppression
from kmslint.reporters.view import View, context_name, shown, tally


def render(report: Report, view: View) -> str:
    """The report as one JSON document of ASCII text, a line for each key, result and error. Suppressed results are in it."""
    results = shown(report, view)
    members = [
        ("format", _compact("kmslint-report/1")),
        ("tool", _compact(tool_members(report))),
        ("as_of", _compact(report.as_of)),
        ("config_sha256", _compact(report.config_sha256)),
        ("keys", _list([_compact(key_members(key)) for key in report.keys])),
        ("results", _list([_compact(result_members(result)) for result in results])),
        ("errors", _list([_compact(error_members(error)) for error in report.errors])),
        ("summary", _compact(summary_members(report, results))),
    ]
    if report.provisions:
        provisions = _list([_compact(provision_members(provision)) for provision in report.provisions])
        members.insert(-1, ("provisions", provisions))
    if report.notes:
        members.insert(-1, ("notes", _compact([_text(note) for note in report.notes])))
    return "{" + ",\n ".join(f'"{name}": {value}' for name, value in members) + "}\n"


def tool_members(report: Report) -> dict[str, object]:
    """What made the report: the version, how many rules ran, and the date of the table of actions."""
    return {"version": __version__, "rules": report.rules, "actions_as_of": actions.AS_OF}


def provision_members(provision: Provision) -> dict[str, object]:
    """A control of `--framework`: the rules that bear on it, what only a person can attach, and what is only proposed."""
    return {**provision._asdict(), "rules": list(provision.rules)}


def _compact(value: object) -> str:
    return json.dumps(value)


def _list(items: list[str]) -> str:
    return "[" + ",".join(f"\n  {item}" for item in items) + "]"


def key_members(key: Key) -> dict[str, object]:
    """A member of `keys`."""
    source = key.source
    return {
        "id": key.id,
        "arn": _text(key.arn),
        "account": _text(key.account),
        "account_source": key.account_source,
        "region": _text(key.region),
        "source": {
            "type": source.type,
            "file": _text(source.file),
            "uri": _text(source.uri),
            "line": source.line,
            "column": source.column,
        },
        "sha256": key.sha256,
    }


def result_members(result: Result) -> dict[str, object]:
    """A member of `results`."""
    return {
        "rule": result.rule,
        "outcome": result.outcome.value,
        "severity": result.severity,
        "key": result.key,
        "policy": _text(result.policy),
        "message": _text(result.message),
        "help": _text(result.help),
        "locations": [location_members(location) for location in result.locations],
        "witness": _witness(result.witness),
        "assumptions": [_text(assumption) for assumption in result.assumptions],
        "reason": _text(result.reason),
        "controls": [_control(control) for control in result.controls],
        "fingerprint": result.fingerprint,
        "folded_into": result.folded_into,
        "suppressed": _suppression(result.suppressed),
    }


def location_members(location: Location) -> dict[str, object]:
    """A member of `locations`, the same in every document of kmslint."""
    return {
        "file": _text(location.file),
        "uri": _text(location.uri),
        "line": location.line,
        "column": location.column,
        "end_line": location.end_line,
        "end_column": location.end_column,
        "pointer": _text(location.pointer),
        "statement": location.statement,
        "sid": _text(location.sid),
    }


def _witness(witness: Mapping[str, object] | None) -> dict[str, object] | None:
    if witness is None:
        return None
    context = witness.get("context")
    pairs = context.items() if isinstance(context, Mapping) else ()
    found = {
        "principal": _value(witness.get("principal")),
        "action": _value(witness.get("action")),
        "context": {str(_text(context_name(str(name)))): _value(value) for name, value in pairs},
    }
    return found | {"parent": _value(witness["parent"])} if "parent" in witness else found


def _value(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_text(str(item)) for item in value]
    return None if value is None else _text(str(value))


def _control(control: Control) -> dict[str, object]:
    return {"id": control.id, "title": control.title, "status": control.status, "why": control.why}


def _suppression(suppression: Suppression | None) -> dict[str, object] | None:
    return None if suppression is None else {name: _text(value) for name, value in suppression._asdict().items()}


def error_members(error: SourceError) -> dict[str, object]:
    """A member of `errors`."""
    return {"source": _text(error.source), "line": error.line, "column": error.column, "message": _text(error.message)}


def summary_members(report: Report, results: tuple[Result, ...]) -> dict[str, int]:
    """`summary`: the counts of `results`."""
    counts = tally(results)
    return {
        "keys": len(report.keys),
        **{outcome.value: counts.outcomes[outcome] for outcome in Outcome},
        "suppressed": counts.suppressed,
    }


def _text(text: str | None) -> str | None:
    r"""`text` as JSON can carry it to every reader: an unpaired surrogate (a file name's odd byte) becomes the text `\udc80`."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()
