"""The report that people keep: one HTML file without script, font or image, which loads nothing and prints well.

Every piece of other people's text passes through `visible` and HTML escapes; the file's own policy forbids all loading.
"""

import re
from collections.abc import Iterable, Iterator
from html import escape

from kmslint import __version__
from kmslint.aws import actions
from kmslint.aws.partitions import VIA_SERVICES_AS_OF
from kmslint.model.key import Key
from kmslint.model.result import SEVERITIES, Control, Outcome, Report, Result
from kmslint.reporters.excerpt import Excerpts
from kmslint.reporters.html_reach import reach
from kmslint.reporters.html_style import STYLE
from kmslint.reporters.place import places
from kmslint.reporters.place import shown as place_shown
from kmslint.reporters.text import control_name, control_sentence, summary
from kmslint.reporters.view import (
    Finding,
    View,
    context_name,
    findings,
    label,
    owner_assumption,
    shown,
    tally,
    undecided,
    worst_first,
)
from kmslint.reporters.visible import visible
from kmslint.typed import Final

MAX_DRAWN: Final = 100
"""Keys whose callers are drawn; asking costs up to a second each."""
MAX_COLUMNS: Final = 6
"""Keys that have a column of their own in the matrix of controls."""

_CODE: Final = re.compile(r"`([^`]*)`")
_WORST: Final = (Outcome.FAIL, Outcome.UNDETERMINED, Outcome.MANUAL, Outcome.PASS, Outcome.NOT_APPLICABLE)
_SHOWN: Final = {
    Outcome.FAIL: ("critical", "fail"),
    Outcome.UNDETERMINED: ("open", "not decided"),
    Outcome.MANUAL: ("open", "for a person"),
    Outcome.PASS: ("pass", "pass"),
    Outcome.NOT_APPLICABLE: ("", "not applicable"),
}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_SECTIONS: Final = (
    ("keys", "Keys"),
    ("findings", "Findings"),
    ("undecided", "Not decided"),
    ("controls", "Controls"),
    ("exceptions", "Exceptions"),
    ("unread", "Not read"),
    ("basis", "What this rests on"),
    ("results", "All results"),
    ("provenance", "Provenance"),
)


def render(report: Report, view: View) -> str:
    """The whole file. Every section is there in every report, so that a missing one is seen to be empty, not forgotten."""
    sections = (
        _keys(report, view),
        _findings(report, view),
        _undecided(report, view),
        _controls(report, view),
        _exceptions(report, view),
        _unread(report),
        _basis(report),
        _results(report, view),
        _provenance(report, view),
    )
    parts = [*_head(report, view), "<main id=main>"]
    for (name, title), lines in zip(_SECTIONS, sections, strict=True):
        parts.append(f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>')
        parts.extend(lines)
        parts.append("</section>")
    parts.append(f"</main><footer><p>kmslint {__version__}. It says what was found about the keys that were read;")
    parts.append("whether a requirement is met is for people to judge.</p></footer></body></html>")
    return "\n".join(parts) + "\n"


def _head(report: Report, view: View) -> Iterator[str]:
    counts = tally(shown(report, view))
    failed = [finding.result.severity for finding in findings(report, view._replace(show_suppressed=False))]
    title = (
        f"{len(failed)} finding{'' if len(failed) == 1 else 's'} in {len(report.keys)} key{'' if len(report.keys) == 1 else 's'}"
    )
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
    yield f"<title>kmslint: {title}</title><style>{STYLE}</style></head><body>"
    yield '<a class="skip" href="#main">Skip to the report</a>'
    yield f"<header><h1>{title}</h1><p class=muted>AWS KMS keys, {_e(report.as_of)}, kmslint {__version__}</p><ul class=chips>"
    for level in reversed(SEVERITIES):
        if level in failed:
            yield f'<li class="{level}"><b>{failed.count(level)}</b>{level}</li>'
    for outcome, words in ((Outcome.UNDETERMINED, "not decided"), (Outcome.MANUAL, "for a person"), (Outcome.PASS, "passed")):
        if counts.outcomes[outcome]:
            yield f'<li class="{_SHOWN[outcome][0]}"><b>{counts.outcomes[outcome]}</b>{words}</li>'
    for number, words in ((counts.suppressed, "suppressed"), (len(report.errors), "not read")):
        if number:
            yield f'<li class="{"open" if words == "not read" else ""}"><b>{number}</b>{words}</li>'
    yield f"</ul><p>{_e(summary(report, view._replace(verbose=True)))}</p><nav aria-label=Sections><ul>"
    yield from (f'<li><a href="#{name}">{words}</a></li>' for name, words in _SECTIONS)
    yield "</ul></nav></header>"


def _keys(report: Report, view: View) -> Iterator[str]:
    if not report.keys:
        yield "<p>No key was found.</p>"
        return
    by_key = _by_key(report, view)
    rows = []
    for key in report.keys:
        counts = tally(tuple(by_key[key.id]))
        failed = [one.severity for one in by_key[key.id] if one.outcome is Outcome.FAIL and not one.suppressed]
        worst = max(failed, key=SEVERITIES.index) if failed else None
        tag = f'<span class="tag {worst}">{worst}</span>' if worst else "<span class=muted>none</span>"
        numbers = (counts.outcomes[outcome] for outcome in (Outcome.FAIL, Outcome.UNDETERMINED, Outcome.PASS))
        owner = f"{_e(key.account or 'not known')}{' (inferred)' if key.account_source == 'inferred' else ''}"
        rows.append(
            f'<tr><th scope="row" class="w"><a href="#{key.id}">{_e(label(key))}</a></th><td>{owner}</td>'
            f"<td>{_e(key.region or '–')}</td><td>{tag}</td>"
            + "".join(f'<td class="n">{number}</td>' for number in numbers)
            + "</tr>"
        )
    heads = ("key", "owner", "Region", "worst finding", "failed", "not decided", "passed")
    yield from _table("Keys and their outcomes", heads, rows, numeric=("failed", "not decided", "passed"))
    for number, key in enumerate(report.keys):
        yield f'<h3 id="{key.id}">Who can reach {_e(label(key))}</h3>'
        if key.arn:
            yield f"<p class=muted>{_e(key.arn)}</p>"
        if number < MAX_DRAWN:
            yield reach(key)
        else:
            yield "<p>Not drawn, for there are many keys; <code>kmslint ask --who</code> lists the callers.</p>"


def _findings(report: Report, view: View) -> Iterator[str]:
    found = findings(report, view)
    if not found:
        yield "<p>None.</p>"
    excerpts = Excerpts(report)
    for key in report.keys:
        own = [finding for finding in found if finding.key.id == key.id]
        if own:
            yield f"<h3>{_e(label(key))}</h3>"
            for finding in own:
                yield from _card(finding, excerpts)


def _card(finding: Finding, excerpts: Excerpts) -> Iterator[str]:
    result = finding.result
    yield f'<article class="card {result.severity}"><h4><span class="tag {result.severity}">{result.severity}</span> '
    yield f"{_e(result.rule)}: {_e(result.title)}</h4><p>{_prose(result.message)}</p>"
    for location, place in zip(result.locations, places(result, finding.key), strict=False):
        named = f" statement {_e(location.sid)}" if location.sid else ""
        yield f"<p class=muted>{_e(place_shown(place))}{named}</p>"
        rows = excerpts.rows(location)
        if rows:
            gutter = max(len(row.number) for row in rows)
            yield (
                f'<pre tabindex="0" aria-label="source at line {place.line}">'
                + "\n".join(
                    f'<span class="g">{row.number:>{gutter}} {row.bar or " "}</span> '
                    + (f'<span class="m" aria-hidden="true">{_e(row.mark)}</span>' if row.mark else escape(row.source))
                    for row in rows
                )
                + "</pre>"
            )
    yield "<dl>"
    yield from (f"<dt>{name}</dt><dd>{text}</dd>" for name, text in _points(result, finding))
    yield "</dl></article>"


def _points(result: Result, finding: Finding) -> Iterator[tuple[str, str]]:
    if result.witness is not None:
        yield "witness", _witness(result.witness)
    if result.controls:
        yield "why", _why(result.controls)
    if finding.lesser:
        yield "also", ", ".join(f"{_e(one.rule)} [{one.severity}]" for one in finding.lesser) + " on the same statement"
    for assumption in result.assumptions:
        yield "assumed", _prose(assumption)
    if result.suppressed:
        note = result.suppressed
        yield "suppressed", _e(f"{note.reason} ({note.owner}, until {note.until})")
    if result.help:
        yield "help", _prose(result.help)
    if result.command:
        yield "fix", f"<code>{_e(result.command)}</code>"
    yield "fingerprint", f"<code>{_e(result.fingerprint)}</code>"


def _why(controls: tuple[Control, ...]) -> str:
    """The controls of the first framework in full, those of the others folded."""
    first = [control for control in controls if _framework(control.id) == min(map(_framework, (one.id for one in controls)))]
    rest = [control for control in controls if control not in first]
    text = f"<ul class=plain>{''.join(f'<li>{_e(control_sentence(control))}</li>' for control in first)}</ul>"
    if rest:
        listed = "".join(f"<li>{_e(control_sentence(control))}</li>" for control in rest)
        text += f"<details><summary>and {len(rest)} of other frameworks</summary><ul class=plain>{listed}</ul></details>"
    return text


def _framework(control: str) -> tuple[bool, str]:
    """A control's framework, HIPAA before the others."""
    name = control.partition("/")[0]
    return name != "hipaa", name


def _witness(witness: dict[str, object]) -> str:
    principal = witness.get("principal")
    who = f"<code>{_e(str(principal))}</code>" if principal is not None else "a caller without credentials"
    context = witness.get("context")
    pairs = context.items() if isinstance(context, dict) else ()
    listed = "".join(f"<li><code>{_e(context_name(str(name)))}</code> = {_value(value)}</li>" for name, value in pairs)
    calls = f"{who} calls <code>{_e(str(witness.get('action')))}</code>"
    return calls + (f" with<ul class=plain>{listed}</ul>" if listed else "")


def _value(value: object) -> str:
    items = value if isinstance(value, list | tuple) else [value]
    return ", ".join(f"<code>{_e(str(item))}</code>" for item in items)


def _undecided(report: Report, view: View) -> Iterator[str]:
    keys = {key.id: key for key in report.keys}
    rows = [
        f'<tr><th scope="row">{_e(result.rule)}</th><td><span class="tag open">{result.severity}</span></td>'
        f"<td class=w>{_e(label(keys[result.key]))}</td><td class=w>{_prose(result.reason or result.message)}</td></tr>"
        for result in undecided(report, view)
    ]
    yield from _table("What could not be decided counts as no pass", ("rule", "severity", "key", "why"), rows)
    manual = [
        f'<tr><th scope="row">{_e(result.rule)}</th><td class=w>{_e(label(keys[result.key]))}</td><td class=w>{_prose(result.reason or result.message)}</td></tr>'
        for result in shown(report, view)
        if result.outcome is Outcome.MANUAL
    ]
    if manual:
        yield from _table("For a person to answer", ("rule", "key", "what"), manual)


def _controls(report: Report, view: View) -> Iterator[str]:
    """A row for each control: what its rules found, by key where there are few keys, else in counts."""
    by_control: dict[str, list[Result]] = {}
    names: dict[str, tuple[str, str]] = {}
    for result in shown(report, view):
        for control in result.controls:
            by_control.setdefault(control.id, []).append(result)
            names.setdefault(control.id, (control.title, control.status))
    few = len(report.keys) <= MAX_COLUMNS
    columns = [label(key) for key in report.keys] if few else [_SHOWN[outcome][1] for outcome in _WORST]
    rows = []
    for id in sorted(by_control, key=lambda name: (*_framework(name), name)):
        results = by_control[id]
        title, status = names[id]
        name = control_name(id, "", "")
        cells = "".join(_by_each_key(results, report) if few else _in_counts(results))
        rules = ", ".join(dict.fromkeys(one.rule for one in results if one.outcome in {Outcome.FAIL, Outcome.UNDETERMINED} and not one.suppressed))  # fmt: skip
        rows.append(
            f'<tr><th scope="row">{_e(name)}</th><td class=w>{_e(title)}</td><td>{_e(status)}</td>{cells}<td class=w>{_e(rules)}</td></tr>'
        )
    heads = (
        "control",
        "title",
        "status",
        *(f"<span class=k>{_e(column)}</span>" for column in columns),
        "rules that failed or did not decide",
    )
    caption = "The worst outcome of the rules that bear on each control; suppressed results are left out"
    yield from _table(caption, heads, rows)


def _by_each_key(results: list[Result], report: Report) -> Iterator[str]:
    for key in report.keys:
        own = [one for one in results if one.key == key.id and not one.suppressed]
        failed = [one.severity for one in own if one.outcome is Outcome.FAIL]
        yield f"<td>{_failure(max(failed, key=SEVERITIES.index)) if failed else _outcome(_worst(own))}</td>"


def _in_counts(results: list[Result]) -> Iterator[str]:
    counts = tally(tuple(results)).outcomes
    yield from (f'<td class="n">{counts[outcome]}</td>' for outcome in _WORST)


def _worst(results: Iterable[Result]) -> Outcome | None:
    found = {one.outcome for one in results}
    return next((outcome for outcome in _WORST if outcome in found), None)


def _failure(severity: str) -> str:
    """A failure with its severity; one of severity info is a notice."""
    return f'<span class="tag {severity}">{"notice" if severity == "info" else f"fail, {severity}"}</span>'


def _outcome(outcome: Outcome | None) -> str:
    if outcome is None:
        return "<span class=muted>–</span>"
    style, words = _SHOWN[outcome]
    return f'<span class="tag {style}">{words}</span>'


def _exceptions(report: Report, view: View) -> Iterator[str]:
    keys = {key.id: key for key in report.keys}
    rows = []
    for result in worst_first([one for one in shown(report, view) if one.suppressed], report):
        note = result.suppressed
        if note is not None:
            addressable = [control.id for control in result.controls if control.status == "addressable"]
            bears = f"<br><span class=muted>addressable: {_e(', '.join(addressable))}</span>" if addressable else ""
            rows.append(
                f'<tr><th scope="row">{_e(result.rule)}{bears}</th><td><span class="tag {result.severity}">{result.severity}</span></td>'
                f"<td class=w>{_e(label(keys[result.key]))}</td><td class=w>{_e(note.reason)}</td><td>{_e(note.alternative or '–')}</td>"
                f"<td>{_e(note.owner)}</td><td>{_e(note.until)}</td></tr>"
            )
    heads = ("rule", "severity", "key", "reason", "alternative", "owner", "until")
    yield from _table("Findings that were accepted", heads, rows)


def _unread(report: Report) -> Iterator[str]:
    rows = [
        f'<tr><th scope="row">{_e(error.source)}</th><td>{error.line or "–"}</td><td class=w>{_prose(error.message)}</td>'
        f"<td class=w>{_prose(error.help or '–')}</td></tr>"
        for error in report.errors
    ]
    yield from _table("Inputs that could not be read, or not wholly", ("input", "line", "why", "help"), rows)
    if report.skipped:
        yield f"<details><summary>{len(report.skipped)} skipped, for they are plainly no keys</summary><ul class=plain>"
        yield from (f"<li>{_e(file)}: {_e(reason)}</li>" for file, reason in report.skipped)
        yield "</ul></details>"


def _basis(report: Report) -> Iterator[str]:
    items: dict[str, None] = {}
    for key in report.keys:
        owner = owner_assumption(key)
        for text in (*((owner,) if owner else ()), *key.notes):
            items[f"{_e(label(key))}: {_prose(text)}"] = None
    for result in report.results:
        items |= dict.fromkeys(_prose(text) for text in result.assumptions)
    items |= dict.fromkeys(_prose(note) for note in report.notes)
    yield "<ul class=plain>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>" if items else "<p>Nothing is assumed.</p>"


def _results(report: Report, view: View) -> Iterator[str]:
    keys = {key.id: key for key in report.keys}
    rows = [
        f'<tr><th scope="row">{_e(result.rule)}</th><td class=w>{_e(label(keys[result.key]))}</td><td>{_outcome(result.outcome)}'
        f"{' suppressed' if result.suppressed else ''}</td><td>{result.severity}</td>"
        f"<td class=w>{_prose(result.message or result.reason or '')}</td></tr>"
        for result in shown(report, view)
    ]
    yield f"<details><summary>Each of {report.rules} rules on each key: {len(rows)} results (printed if it is open)</summary>"
    yield from _table("Every result", ("rule", "key", "outcome", "severity", "what"), rows)
    yield "</details>"


def _provenance(report: Report, view: View) -> Iterator[str]:
    yield "<dl>"
    for name, text in (
        ("tool", f"kmslint {__version__}, {report.rules} rules"),
        ("time", report.as_of),
        *((("scanned by", view.caller),) if view.caller else ()),
        ("configuration", f"SHA-256 {report.config_sha256}"),
        ("table of actions", f"as of {actions.AS_OF}"),
        ("table of kms:ViaService names", f"as of {VIA_SERVICES_AS_OF}"),
    ):
        yield f"<dt>{name}</dt><dd>{_e(text)}</dd>"
    yield "</dl>"
    rows = [row for key in report.keys for row in _inputs(key)]
    yield from _table("Inputs", ("key", "source", "what", "bytes", "SHA-256"), rows)


def _inputs(key: Key) -> Iterator[str]:
    where = f"{key.source.type}: {key.source.file or key.source.uri or key.identity()}"
    read = [(f"policy {named.name}", named.size, named.sha256) for named in key.policies]
    if key.sha256 and key.sha256 not in {digest for _, _, digest in read}:
        read.insert(0, ("input", None, key.sha256))
    for what, size, digest in read or [("no policy", None, None)]:
        yield (
            f'<tr><th scope="row">{_e(label(key))}</th><td class=w>{_e(where)}</td><td>{_e(what)}</td>'
            f"<td>{'–' if size is None else size}</td><td class=w><code>{_e(digest or '–')}</code></td></tr>"
        )


def _by_key(report: Report, view: View) -> dict[str, list[Result]]:
    by_key: dict[str, list[Result]] = {key.id: [] for key in report.keys}
    for result in shown(report, view):
        by_key[result.key].append(result)
    return by_key


def _table(caption: str, heads: Iterable[str], rows: list[str], numeric: tuple[str, ...] = ()) -> Iterator[str]:
    """A table that a keyboard can scroll. `heads` and `rows` are HTML."""
    if not rows:
        yield "<p>None.</p>"
        return
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table><caption><span>{caption}</span></caption><thead><tr>'
    yield from (f'<th scope="col"{" class=n" if head in numeric else ""}>{head}</th>' for head in heads)
    yield "</tr></thead><tbody>"
    yield from rows
    yield "</tbody></table></div>"


def _prose(text: str) -> str:
    """A sentence; what stands in backticks is code."""
    parts = _CODE.split(visible(text))
    return "".join(f"<code>{escape(part)}</code>" if number % 2 else escape(part) for number, part in enumerate(parts))


def _e(text: str) -> str:
    return escape(visible(text))
