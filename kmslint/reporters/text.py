"""The report for people, as plain lines. Every piece of other people's text passes through `visible`.

The lines are built of (text, style) pieces, so that a terminal can draw the same report in colours (`rich_text`).
"""

from collections.abc import Iterable, Iterator

from kmslint.location import Location
from kmslint.model.key import Key
from kmslint.model.result import SEVERITIES, Control, Outcome, Report, Result
from kmslint.reporters.excerpt import Excerpts, Row
from kmslint.reporters.view import Finding, Tally, View, context_name, findings, label, owner_assumption, shown, tally, undecided
from kmslint.reporters.visible import visible
from kmslint.typed import Final, NamedTuple

MAX_CONTROLS: Final = 2
"""Controls shown under a finding; the rule's page lists all."""
MAX_LISTED: Final = 10
"""Results of one rule that are listed under a control; more are counted."""
MAX_KEYS: Final = 40
"""Rows of the table of outcomes; beyond it, keys with nothing to report are left out."""


class Piece(NamedTuple):
    """A stretch of one line in one style. `style` names what it is, not how it looks."""

    text: str
    style: str = ""


Line = tuple[Piece, ...]


class Table(NamedTuple):
    """The outcomes per key: a heading, rows of the same length, and how many keys were left out."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


def render(report: Report, view: View) -> str:
    """The report as plain text: findings worst first, the table of outcomes, and what the outcomes rest on."""
    lines = ["".join(piece.text for piece in line) for line in finding_lines(report, view)]
    if not view.quiet:
        lines += _plain_table(outcome_table(report, view))
        lines += ["".join(piece.text for piece in line) for line in closing_lines(report, view)]
    return "".join(line.rstrip() + "\n" for line in lines)


def finding_lines(report: Report, view: View) -> Iterator[Line]:
    """Each finding: what, where with its source, why, what next; an empty line after each."""
    excerpts = Excerpts(report)
    for finding in findings(report, view):
        yield _headline(finding)
        yield from _places(finding.result, excerpts)
        yield from _explanation(finding, view)
        yield ()


def outcome_table(report: Report, view: View) -> Table:
    """How many results had each outcome, per key. What a person must answer and what is suppressed only where there is such."""
    by_key: dict[str, list[Result]] = {key.id: [] for key in report.keys}
    for result in shown(report, view):
        by_key[result.key].append(result)
    tallies = [(key, tally(tuple(by_key[key.id]))) for key in report.keys]
    kept = tallies if len(tallies) <= MAX_KEYS else [(key, counts) for key, counts in tallies if _has_something(counts)]
    columns = [
        outcome for outcome in Outcome if outcome is not Outcome.MANUAL or any(counts.outcomes[outcome] for _, counts in kept)
    ]
    has_suppressed = any(counts.suppressed for _, counts in kept)
    heading = ("key", *(outcome.value for outcome in columns), *(("suppressed",) if has_suppressed else ()))
    rows = tuple(
        (
            visible(label(key)),
            *(str(counts.outcomes[outcome]) for outcome in columns),
            *((str(counts.suppressed),) if has_suppressed else ()),
        )
        for key, counts in kept
    )
    return Table(heading, rows, len(tallies) - len(kept))


def closing_lines(report: Report, view: View) -> Iterator[Line]:
    """What was found by control, what the outcomes rest on, what was not decided or read and why, and one line that sums up."""
    yield from _provision_lines(report, view)
    yield from _section("not decided", _undecided_lines(report, view))
    yield from _section("assumed", _assumption_lines(report))
    yield from _section("suppressed", _suppressed_lines(report, view))
    yield from _section(_DECISIONS, _decision_lines(report))
    yield from _section("notes", (_plain(visible(note)) for note in _notes(report)))
    if view.verbose:
        yield from _section("not applicable", _aside_lines(report, Outcome.NOT_APPLICABLE))
        if not report.provisions:
            yield from _section("for a person to answer", _aside_lines(report, Outcome.MANUAL))
        yield from _section("skipped", (_plain(f"{visible(file)}: {visible(reason)}") for file, reason in report.skipped))
    yield from _section("not read", (_plain(visible(error.source)) for error in report.errors))
    yield (Piece(summary(report, view), "summary"),)


def summary(report: Report, view: View) -> str:
    """One sentence of counts. It says what was found and what was not decided, never that a key is compliant."""
    if not report.keys:
        return _joined(["no key was found", *_unread(report)])
    counts = tally(shown(report, view))
    found = findings(report, view._replace(show_suppressed=False))
    severities = [finding.result.severity for finding in found]
    worst = ", ".join(f"{severities.count(level)} {level}" for level in reversed(SEVERITIES) if level in severities)
    folded = sum(len(finding.lesser) for finding in found)
    parts = [
        _counted(len(found), "finding")
        + (f" ({worst})" if worst else "")
        + (f" and {folded} lesser on the same statements" if folded else ""),
        f"{counts.outcomes[Outcome.UNDETERMINED]} undetermined",
        f"{counts.outcomes[Outcome.PASS]} passed",
        f"{counts.outcomes[Outcome.NOT_APPLICABLE]} not applicable",
    ]
    if counts.outcomes[Outcome.NOT_APPLICABLE] and not view.verbose:
        parts[-1] += " (-v says why)"
    if counts.outcomes[Outcome.MANUAL]:
        parts.append(f"{counts.outcomes[Outcome.MANUAL]} for a person to answer")
    if counts.suppressed:
        parts.append(f"{counts.suppressed} suppressed")
    return f"{_counted(len(report.keys), 'key')}, {_counted(report.rules, 'rule')}: " + _joined([*parts, *_unread(report)])


def witness_sentence(witness: dict[str, object]) -> str:
    """A witness as a sentence: who calls what, with which request context."""
    principal = witness.get("principal")
    who = f"`{visible(str(principal))}`" if principal is not None else "a caller without credentials"
    context = witness.get("context")
    pairs = (
        [f"{visible(context_name(str(key)))} = {_value(value)}" for key, value in context.items()]
        if isinstance(context, dict)
        else []
    )
    return f"{who} calls `{visible(str(witness.get('action')))}`" + (f" with {', '.join(pairs)}" if pairs else "")


def control_sentence(control: Control) -> str:
    """A control as a line: framework and citation, title, status, and why the rule bears on it."""
    return visible(control_name(control.id, control.title, control.status) + (f": {control.why}" if control.why else ""))


def control_name(id: str, title: str, status: str) -> str:
    """What a control is called: framework and citation, title, status. Not yet visible."""
    framework, _, citation = id.partition("/")
    name = f"{framework.upper()} {citation}" if citation else id
    return name + (f" {title}" if title else "") + (f" ({status})" if status else "")


def _headline(finding: Finding) -> Line:
    result = finding.result
    return (
        Piece(visible(label(finding.key)), "key"),
        Piece(": "),
        Piece(visible(result.rule), "rule"),
        Piece(" "),
        Piece(f"[{result.severity}]", f"severity.{result.severity}"),
        Piece(": "),
        Piece(visible(result.message), "message"),
    )


def _places(result: Result, excerpts: Excerpts) -> Iterator[Line]:
    for number, location in enumerate(result.locations):
        yield (Piece("  --> " if number == 0 else "  and "), Piece(_place(location), "place"), Piece(_statement(location)))
        yield from excerpt(excerpts.rows(location))


def _place(location: Location) -> str:
    return f"{visible(location.file or location.uri or '')}:{location.line}:{location.column}"


def _statement(location: Location) -> str:
    if location.sid:
        return f" statement `{visible(location.sid)}`"
    return f" statement {location.statement}" if location.statement is not None else ""


def excerpt(rows: tuple[Row, ...]) -> Iterator[Line]:
    """The rows behind their line numbers, with room for the marks beside them where one has any."""
    gutter = max((len(row.number) for row in rows), default=0)
    wide = any(row.bar for row in rows)
    for row in rows:
        bar = f"{row.bar:1}" if wide else ""
        gap = " " if wide and not row.mark else ""
        yield (
            Piece(f" {row.number:>{gutter}} | {bar}", "gutter"),
            Piece(row.mark or gap + row.source, "mark" if row.mark else "source"),
        )


def _explanation(finding: Finding, view: View) -> Iterator[Line]:
    result = finding.result
    if result.witness is not None:
        yield _labelled("witness", witness_sentence(result.witness))
    limit = len(result.controls) if view.verbose else MAX_CONTROLS
    for control in result.controls[:limit]:
        yield _labelled("why", control_sentence(control))
    if len(result.controls) > limit:
        yield _labelled("why", f"and {len(result.controls) - limit} more: kmslint explain {visible(result.rule)}")
    if finding.lesser:
        yield _labelled(
            "also",
            ", ".join(f"{visible(lesser.rule)} [{lesser.severity}]" for lesser in finding.lesser) + " on the same statement",
        )
    if result.suppressed:
        note = result.suppressed
        yield _labelled("suppressed", visible(f"{note.reason} ({note.owner}, until {note.until})"))
    if result.help:
        yield _labelled("help", visible(result.help))
    if result.command:
        yield _labelled("fix", visible(result.command), "command")


def _undecided_lines(report: Report, view: View) -> Iterator[Line]:
    keys = {key.id: key for key in report.keys}
    for result in undecided(report, view):
        what = visible(result.reason or result.message)
        yield _plain(f"{visible(label(keys[result.key]))}: {visible(result.rule)} [{result.severity}]: {what}")


def _assumption_lines(report: Report) -> Iterator[Line]:
    for key in report.keys:
        owner = owner_assumption(key)
        if owner:
            yield _plain(f"{visible(label(key))}: {visible(owner)}")
    seen: set[tuple[str, str]] = set()
    keys = {key.id: key for key in report.keys}
    for result in report.results:
        for text in result.assumptions:
            if (result.key, text) not in seen and not _speaks_of_owner(keys[result.key], text):
                seen.add((result.key, text))
                yield _plain(f"{visible(label(keys[result.key]))}: {visible(text)}")


def _speaks_of_owner(key: Key, assumption: str) -> bool:
    return owner_assumption(key) is not None and "owner" in assumption and "inferred" in assumption


def _suppressed_lines(report: Report, view: View) -> Iterator[Line]:
    keys = {key.id: key for key in report.keys}
    for result in shown(report, view):
        note = result.suppressed
        if note and not view.show_suppressed:
            why = f"{note.reason} ({note.owner}, until {note.until})" + (
                f"; instead: {note.alternative}" if note.alternative else ""
            )
            yield _plain(f"{visible(label(keys[result.key]))}: {visible(result.rule)} [{result.severity}]: {visible(why)}")


_DECISIONS: Final = "addressable specifications not implemented, the documented reason and alternative (45 CFR 164.306(d)(3))"


def _decision_lines(report: Report) -> Iterator[Line]:
    """The suppressions that decide about an addressable specification, each specification once for a finding."""
    keys = {key.id: key for key in report.keys}
    for result in report.results:
        note = result.suppressed
        for control in result.controls if note else ():
            if note and control.status == "addressable":
                instead = f"instead: {note.alternative}" if note.alternative else "no alternative is documented"
                what = control_name(control.id, control.title, control.status)
                where = f"{label(keys[result.key])}: {result.rule}"
                yield _plain(visible(f"{what}: {where}: {note.reason}; {instead} ({note.owner}, until {note.until})"))


def _provision_lines(report: Report, view: View) -> Iterator[Line]:
    """Each control that the report is asked about: which rules answer it, what they found, and what no rule can answer."""
    if not report.provisions:
        return
    results: dict[str, list[Result]] = {}
    for result in shown(report, view):
        results.setdefault(result.rule, []).append(result)
    yield (Piece("by control:", "title"),)
    for provision in report.provisions:
        yield (Piece("  "), Piece(visible(control_name(provision.id, provision.title, provision.status)), "rule"))
        for rule in provision.rules:
            yield from _answer_lines(rule, results.get(rule, []), report)
        if provision.document:
            yield (Piece("    "), Piece("MANUAL", "label"), Piece(visible(f": attach {provision.document}")))
        if not (provision.rules or provision.document):
            yield _plain("    no rule that was asked bears on it")
        if provision.proposed:
            yield (Piece("    "), Piece("proposed, not in force", "label"), Piece(visible(f": {provision.proposed}")))
    yield _plain("  This says what was found about the keys that were read. Whether a provision is met is for people to judge.")
    yield ()


def _answer_lines(rule: str, results: list[Result], report: Report) -> Iterator[Line]:
    """What one rule found: its result, or the counts of its outcomes and each result that is not plainly good."""
    if len(results) == 1:
        yield (Piece("    "), *_answer(results[0], visible(rule)))
        return
    counts = tally(tuple(results))
    told = [f"{count} {outcome.value}" for outcome, count in counts.outcomes.items() if count]
    told += [f"{counts.suppressed} suppressed"] if counts.suppressed else []
    yield (Piece("    "), Piece(f"{visible(rule)}: {', '.join(told) or 'not shown'}"))
    keys = {key.id: key for key in report.keys}
    listed = [result for result in results if result.outcome in {Outcome.FAIL, Outcome.UNDETERMINED}]
    for result in listed[:MAX_LISTED]:
        yield (Piece("      "), *_answer(result, visible(label(keys[result.key]))))
    if len(listed) > MAX_LISTED:
        yield _plain(f"      and {len(listed) - MAX_LISTED} more")


def _answer(result: Result, name: str) -> Line:
    bad = result.outcome in {Outcome.FAIL, Outcome.UNDETERMINED}
    level = f" [{result.severity}]" if bad else ""
    told = result.message if result.outcome in {Outcome.FAIL, Outcome.PASS} else result.reason or result.message
    style = f"severity.{result.severity}" if bad else ""
    accepted = " (suppressed)" if result.suppressed else ""
    return Piece(f"{name}: "), Piece(f"{result.outcome.value}{level}{accepted}", style), Piece(f": {visible(told)}")


def _notes(report: Report) -> Iterator[str]:
    yield from report.notes
    for key in report.keys:
        yield from (f"{label(key)}: {note}" for note in key.notes)


def _aside_lines(report: Report, outcome: Outcome) -> Iterator[Line]:
    keys = {key.id: key for key in report.keys}
    for result in report.results:
        if result.outcome is outcome:
            yield _plain(
                f"{visible(label(keys[result.key]))}: {visible(result.rule)}: {visible(result.reason or result.message)}"
            )


def _section(title: str, lines: Iterable[Line]) -> Iterator[Line]:
    for number, line in enumerate(lines):
        if number == 0:
            yield (Piece(f"{title}:", "title"),)
        yield (Piece("  "), *line)


def _labelled(name: str, text: str, style: str = "") -> Line:
    return (Piece(f"  {name}: ", "label"), Piece(text, style))


def _plain(text: str) -> Line:
    return (Piece(text),)


def _plain_table(table: Table) -> list[str]:
    if not table.rows:
        return [f"{_counted(table.left_out, 'key')} without findings", ""] if table.left_out else []
    columns = list(zip(table.heading, *table.rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    lines = [_aligned(row, widths) for row in (table.heading, *table.rows)]
    if table.left_out:
        lines.append(f"and {_counted(table.left_out, 'key')} without findings")
    return [*lines, ""]


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))])


def _has_something(counts: Tally) -> bool:
    return bool(counts.outcomes[Outcome.FAIL] or counts.outcomes[Outcome.UNDETERMINED] or counts.suppressed)


def _unread(report: Report) -> list[str]:
    parts = []
    if report.skipped:
        parts.append(f"{_counted(len(report.skipped), 'file')} skipped")
    if report.errors:
        parts.append(f"{_counted(len(report.errors), 'input')} not read, or not wholly")
    return parts


def _joined(parts: list[str]) -> str:
    return ", ".join(parts)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(f"`{visible(str(item))}`" for item in value) + "]"
    return f"`{visible(str(value))}`"
