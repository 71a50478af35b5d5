"""CSV, a row for each result: what spreadsheets and auditors' portals take."""

import csv
from collections.abc import Iterator
from io import StringIO

from kmslint import __version__
from kmslint.aws import actions
from kmslint.model.key import Key
from kmslint.model.result import Report, Result
from kmslint.reporters.place import places
from kmslint.reporters.place import shown as place_shown
from kmslint.reporters.text import witness_sentence
from kmslint.reporters.view import View, label, shown
from kmslint.reporters.visible import visible
from kmslint.typed import Final

COLUMNS: Final = (
    "key", "identity", "account", "region", "policy", "rule", "title", "severity", "outcome", "message", "reason", "help", "places",
    "statements", "witness", "controls", "assumptions", "suppressed_reason", "suppressed_owner", "suppressed_until", "alternative",
    "fingerprint", "folded_into", "sha256", "as_of", "version", "actions_as_of", "config_sha256",
)  # fmt: skip

_FORMULA: Final = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
"""What a spreadsheet takes for the beginning of a formula, in the full-width forms too."""


def render(report: Report, view: View) -> str:
    """A heading and a row for each result, suppressed ones too, then a row for each input that was not read (rule: input)."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    keys = {key.id: key for key in report.keys}
    for result in shown(report, view):
        writer.writerow(_cell(value) for value in _row(result, keys[result.key], report))
    for row in _unread(report):
        writer.writerow(_cell(value) for value in row)
    return text.getvalue()


def _row(result: Result, key: Key, report: Report) -> tuple[str | None, ...]:
    note = result.suppressed
    return (
        label(key), key.identity(), key.account, key.region, result.policy, result.rule, result.title, result.severity,
        result.outcome.value, result.message, result.reason, result.help,
        "; ".join(place_shown(place) for place in places(result, key)), _statements(result),
        None if result.witness is None else witness_sentence(result.witness),
        "; ".join(f"{control.id} ({control.status})" if control.status else control.id for control in result.controls),
        "; ".join(result.assumptions), note and note.reason, note and note.owner, note and note.until, note and note.alternative,
        result.fingerprint, result.folded_into, key.sha256, report.as_of, __version__, actions.AS_OF, report.config_sha256,
    )  # fmt: skip


def _statements(result: Result) -> str:
    named = ((place.statement, place.sid) for place in result.locations if place.statement is not None)
    return "; ".join(f"{number} {sid}" if sid else str(number) for number, sid in named)


def _unread(report: Report) -> Iterator[tuple[str | None, ...]]:
    for error in report.errors:
        cells: dict[str, str | None] = dict.fromkeys(COLUMNS)
        places_of = ":".join(str(part) for part in (error.source, error.line, error.column) if part is not None)
        cells |= {"key": error.source, "rule": "input", "outcome": "NOT_READ", "message": error.message, "help": error.help}
        cells |= {"places": places_of, "as_of": report.as_of, "version": __version__, "actions_as_of": actions.AS_OF}
        yield tuple((cells | {"config_sha256": report.config_sha256}).values())


def _cell(value: str | None) -> str:
    """`value` as a cell that no spreadsheet runs: a leading apostrophe makes it text."""
    text = visible(value or "")
    first = text.lstrip(" ")[:1]
    return f"'{text}" if first and first in _FORMULA else text
