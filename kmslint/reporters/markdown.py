"""Markdown for a pull-request comment or a job summary: a verdict, a table of findings, and each finding unfolded on demand.

Other people's text can neither format, link, embed, mention nor refer to anything: see `inline`.
"""

import re
from collections.abc import Iterator

from kmslint import __version__
from kmslint.model.result import Report, Result
from kmslint.reporters.excerpt import Excerpts
from kmslint.reporters.place import places
from kmslint.reporters.place import shown as place_shown
from kmslint.reporters.text import control_sentence, summary, witness_sentence
from kmslint.reporters.view import Finding, View, findings, label, owner_assumption, undecided
from kmslint.reporters.visible import visible
from kmslint.typed import Final

MAX_CHARACTERS: Final = 60_000
"""GitHub refuses a comment of more than 65 536 characters; a job summary may have 1 MiB."""
MAX_ROWS: Final = 100
MAX_MESSAGE: Final = 2_000

_SPECIAL: Final = re.compile(r"[\\`*_\[\]<>#|~@&$]|:(?=//)|(?i:www)\.")
_BLOCK: Final = re.compile(r"[-+= ]|[0-9]+[.)]")
"""What would begin a list, a rule, a heading or a block of code at the start of a line."""
_CODE: Final = re.compile(r"`([^`]*)`")


def render(report: Report, view: View) -> str:
    """At most `MAX_CHARACTERS`; what does not fit is counted."""
    found = findings(report, view)
    parts = [*_head(report, view), *_table(found), *_open(report, view)]
    tail = list(_tail(report))
    room = MAX_CHARACTERS - sum(map(len, (*parts, *tail))) - 200
    parts += _details(found, report, room)
    return "".join((*parts, *tail))


def inline(text: str) -> str:
    """`text` as inline Markdown that means itself; what stands in backticks is shown as code.

    Characters with a meaning become entities, which Markdown does not read as syntax. An `@` or `#` is parted from what
    follows, so that nobody is notified and no issue is linked.
    """
    parts = _CODE.split(_cut(visible(text)))
    shown = "".join(f"<code>{_plain(part)}</code>" if number % 2 else _plain(part) for number, part in enumerate(parts))
    return f"&#{ord(shown[0])};{shown[1:]}" if _BLOCK.match(shown) else shown


def _cut(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "…"


def _plain(text: str) -> str:
    return _SPECIAL.sub(lambda found: _entity(found[0]), text)


def _entity(text: str) -> str:
    if len(text) > 1:
        return text[:-1] + "&#46;"
    return f"&#{ord(text)};" + ("<!-- -->" if text in "@#" else "")


def _head(report: Report, view: View) -> Iterator[str]:
    failed = {finding.result.severity for finding in findings(report, view._replace(show_suppressed=False))}
    is_open = bool(undecided(report, view) or report.errors or not report.keys)
    mark = "❌" if failed - {"info", "low"} else "⚠️" if is_open or "low" in failed else "✅"
    yield f"## {mark} kmslint\n\n{inline(summary(report, view._replace(verbose=True)))}\n\n"


def _table(found: tuple[Finding, ...]) -> Iterator[str]:
    if not found:
        return
    yield "| severity | rule | where | what |\n|---|---|---|---|\n"
    for finding in found[:MAX_ROWS]:
        result = finding.result
        where = inline(f"`{place_shown(places(result, finding.key)[0])}`")
        accepted = " (suppressed)" if result.suppressed else ""
        yield f"| {result.severity}{accepted} | {inline(f'`{result.rule}`')} | {where} | {inline(result.message)} |\n"
    if len(found) > MAX_ROWS:
        yield f"\n…and {len(found) - MAX_ROWS} more\n"
    yield "\n"


def _details(found: tuple[Finding, ...], report: Report, room: int) -> list[str]:
    """Each finding unfolded, as many as fit into `room` characters."""
    excerpts = Excerpts(report)
    parts: list[str] = []
    for number, finding in enumerate(found):
        part = "".join(_detail(finding, excerpts))
        room -= len(part)
        if room < 0:
            parts.append(f"…and {len(found) - number} more; another format holds them\n\n")
            break
        parts.append(part)
    return parts


def _detail(finding: Finding, excerpts: Excerpts) -> Iterator[str]:
    result = finding.result
    title = f"{_html(result.rule)} [{result.severity}]: {_html(label(finding.key))}"
    yield f"<details><summary>{title}</summary>\n\n{inline(result.message)}\n\n"
    for location in result.locations:
        rows = excerpts.rows(location)
        if rows:
            source = "\n".join(f"{row.number:>5} {row.source}".rstrip() for row in rows if row.number)
            yield f"<pre>{_block(source)}</pre>\n\n"
    yield from (f"- {text}\n" for text in _points(result, finding))
    yield "\n</details>\n\n"


def _points(result: Result, finding: Finding) -> Iterator[str]:
    if result.witness is not None:
        yield f"**witness:** {inline(witness_sentence(result.witness))}"
    for control in result.controls:
        yield f"**why:** {inline(control_sentence(control))}"
    for lesser in finding.lesser:
        yield f"**also:** {inline(f'`{lesser.rule}`')} [{lesser.severity}] on the same statement"
    if result.suppressed:
        note = result.suppressed
        yield f"**suppressed:** {inline(f'{note.reason} ({note.owner}, until {note.until})')}"
    if result.help:
        yield f"**help:** {inline(result.help)}"
    if result.command:
        yield f"**fix:** <code>{_plain(_cut(visible(result.command)))}</code>"


def _open(report: Report, view: View) -> Iterator[str]:
    keys = {key.id: key for key in report.keys}
    yield from _list("Not decided", [
        f"{inline(f'`{result.rule}`')} [{result.severity}], {inline(label(keys[result.key]))}: "
        f"{inline(result.reason or result.message)}"
        for result in undecided(report, view)
    ])  # fmt: skip
    yield from _list("Not read", [
        f"{inline(':'.join(str(part) for part in (error.source, error.line, error.column) if part is not None))}: "
        f"{inline(error.message)}"
        for error in report.errors
    ])  # fmt: skip
    assumed = [(key, owner_assumption(key)) for key in report.keys]
    yield from _list("Assumed", [f"{inline(label(key))}: {inline(owner)}" for key, owner in assumed if owner])
    yield from _list("Notes", [inline(note) for note in report.notes])


def _list(title: str, items: list[str]) -> Iterator[str]:
    if items:
        yield f"**{title}**\n\n"
        yield from (f"- {item}\n" for item in items[:20])
        yield f"- …and {len(items) - 20} more\n\n" if len(items) > 20 else "\n"


def _tail(report: Report) -> Iterator[str]:
    yield f"<sub>kmslint {__version__}, {report.rules} rules, {report.as_of}</sub>\n"


def _html(text: str) -> str:
    return _plain(_cut(visible(text)))


def _block(source: str) -> str:
    """Lines as the content of `<pre>`: an entity for each character that HTML or Markdown reads, no empty line."""
    return "\n".join(_plain(line) or " " for line in source.split("\n"))
