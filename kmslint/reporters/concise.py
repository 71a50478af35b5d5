"""One line a finding, `file:line:column: rule [severity] message`: for editors, grep and pre-commit."""

from collections.abc import Iterator

from kmslint.model.key import Key
from kmslint.model.result import Report, Result
from kmslint.reporters.text import summary
from kmslint.reporters.view import View, findings, undecided
from kmslint.reporters.visible import visible


def render(report: Report, view: View) -> str:
    """The findings, worst first, then what was not decided, then one line that sums up (not with `quiet`)."""
    lines = list(_lines(report, view))
    if not view.quiet:
        lines.append(summary(report, view._replace(verbose=True)))
    return "".join(line + "\n" for line in lines)


def _lines(report: Report, view: View) -> Iterator[str]:
    keys = {key.id: key for key in report.keys}
    for finding in findings(report, view):
        result = finding.result
        accepted = " (suppressed)" if result.suppressed else ""
        yield f"{_place(result, finding.key)}: {visible(result.rule)} [{result.severity}] {visible(result.message)}{accepted}"
    for result in undecided(report, view):
        why = visible(result.reason or result.message)
        yield f"{_place(result, keys[result.key])}: {visible(result.rule)} [undetermined, {result.severity}] {why}"


def _place(result: Result, key: Key) -> str:
    """Where it stands: a live key's own URI instead of a file."""
    if result.locations:
        first = result.locations[0]
        return visible(f"{first.file or first.uri or key.identity()}:{first.line}:{first.column}")
    return visible(f"{key.source.file or key.source.uri or key.identity()}:{key.source.line}:{key.source.column}")
