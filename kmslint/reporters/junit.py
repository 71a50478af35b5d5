"""JUnit XML: a suite for each key, a case for each rule. FAIL is a failure, UNDETERMINED an error, what does not apply is skipped.

Source: the schema that Jenkins reads (tests/schemas/junit.xsd).
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from kmslint.model.key import Key
from kmslint.model.result import Outcome, Report, Result, SourceError
from kmslint.reporters.place import places
from kmslint.reporters.place import shown as place_shown
from kmslint.reporters.text import witness_sentence
from kmslint.reporters.view import View, label, shown
from kmslint.reporters.visible import visible


def render(report: Report, view: View) -> str:
    """The report as one XML document. Text of others passes through `visible`, so that no character is one XML forbids."""
    by_key: dict[str, list[Result]] = {key.id: [] for key in report.keys}
    for result in shown(report, view):
        by_key[result.key].append(result)
    suites = [list(_suite(number, key, by_key[key.id], report)) for number, key in enumerate(report.keys)]
    if report.errors:
        suites.append(list(_unread(len(suites), report)))
    failures, errors, tests = _totals(by_key, report)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuites name="kmslint" tests="{tests}" failures="{failures}" errors="{errors}" time="0">')
    lines += [line for suite in suites for line in suite]
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _totals(by_key: dict[str, list[Result]], report: Report) -> tuple[int, int, int]:
    every = [result for results in by_key.values() for result in results]
    return _failures(every), _errors(every) + len(report.errors), len(every) + len(report.errors)


def _failures(results: list[Result]) -> int:
    return sum(result.outcome is Outcome.FAIL and not result.suppressed for result in results)


def _errors(results: list[Result]) -> int:
    return sum(result.outcome is Outcome.UNDETERMINED and not result.suppressed for result in results)


def _is_skipped(result: Result) -> bool:
    return result.suppressed is not None or result.outcome in {Outcome.NOT_APPLICABLE, Outcome.MANUAL}


def _suite(number: int, key: Key, results: list[Result], report: Report) -> Iterator[str]:
    skipped = sum(_is_skipped(result) for result in results)
    counts = f'tests="{len(results)}" failures="{_failures(results)}" errors="{_errors(results)}" skipped="{skipped}"'
    yield f"  <testsuite {_suite_head(number, label(key), report)} {counts}>"
    properties = (("identity", key.identity()), ("account", key.account), ("region", key.region), ("sha256", key.sha256))
    known = [(name, value) for name, value in properties if value]
    yield "    <properties>"
    for name, value in known:
        yield f'      <property name="{name}" value={_attribute(value)}/>'
    yield "    </properties>"
    names: dict[str, int] = {}
    for result in results:
        names[result.rule] = names.get(result.rule, 0) + 1
        yield from _case(result, key, names[result.rule])
    yield "  </testsuite>"


def _suite_head(number: int, name: str, report: Report) -> str:
    moment = report.as_of.removesuffix("Z")
    return f'id="{number}" package="kmslint" name={_attribute(name)} timestamp="{moment}" hostname="localhost" time="0"'


def _case(result: Result, key: Key, occurrence: int) -> Iterator[str]:
    name = result.rule if occurrence == 1 else f"{result.rule} ({occurrence})"
    opened = f'    <testcase name={_attribute(name)} classname={_attribute(label(key))} time="0"'
    body = _body(result, key)
    if not body:
        yield opened + "/>"
        return
    yield opened + ">"
    yield "      " + body
    yield "    </testcase>"


def _body(result: Result, key: Key) -> str:
    text = visible(result.reason or result.message or result.title)
    if result.suppressed:
        note = result.suppressed
        return f"<skipped>{escape(visible(f'suppressed: {note.reason} ({note.owner}, until {note.until})'))}</skipped>"
    if _is_skipped(result):
        return f"<skipped>{escape(text)}</skipped>"
    if result.outcome is Outcome.UNDETERMINED:
        return f'<error type="undetermined" message={_attribute(text)}>{escape(_details(result, key))}</error>'
    if result.outcome is Outcome.FAIL:
        what = _attribute(result.message)
        return f"<failure type={_attribute(result.severity)} message={what}>{escape(_details(result, key))}</failure>"
    return ""


def _details(result: Result, key: Key) -> str:
    lines = [place_shown(place) for place in places(result, key)]
    if result.witness is not None:
        lines.append("witness: " + witness_sentence(result.witness))
    if result.help:
        lines.append("help: " + visible(result.help))
    return "\n".join(lines)


def _unread(number: int, report: Report) -> Iterator[str]:
    counts = f'tests="{len(report.errors)}" failures="0" errors="{len(report.errors)}" skipped="0"'
    yield f"  <testsuite {_suite_head(number, 'inputs', report)} {counts}>"
    for error in report.errors:
        yield f'    <testcase name={_attribute(_where(error))} classname="inputs" time="0">'
        yield f'      <error type="not-read" message={_attribute(error.message)}/>'
        yield "    </testcase>"
    yield "  </testsuite>"


def _where(error: SourceError) -> str:
    return ":".join(str(part) for part in (error.source, error.line, error.column) if part is not None)


def _attribute(text: str) -> str:
    return quoteattr(visible(text))
