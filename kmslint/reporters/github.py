"""GitHub workflow commands: annotations on the lines of a pull request.

GitHub shows ten annotations of a kind for each step and drops the rest in silence. So the worst come first, ten at most, and
a notice says how many more there are.

Source: GitHub Docs, "Workflow commands for GitHub Actions"; actions/toolkit escapes as below.
"""

from collections.abc import Iterator

from kmslint.model.key import Key
from kmslint.model.result import SEVERITIES, Report, Result, SourceError
from kmslint.reporters.place import Place, places
from kmslint.reporters.text import summary, witness_sentence
from kmslint.reporters.view import View, findings, undecided
from kmslint.reporters.visible import visible
from kmslint.typed import Final

MAX_ANNOTATIONS: Final = 10

_COMMANDS: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "notice", "info": "notice"}


def render(report: Report, view: View) -> str:
    """Inputs that were not read, findings and undecided questions as annotations, at most ten; then a line that sums up."""
    commands = list(_annotations(report, view))
    lines = commands[:MAX_ANNOTATIONS]
    if len(commands) > MAX_ANNOTATIONS:
        more = len(commands) - MAX_ANNOTATIONS
        lines.append(_command("notice", f"{more} more; the job summary and the other reports hold all of them", title="kmslint"))
    # A line of the log that is no command must not read as one.
    lines.append("kmslint: " + summary(report, view._replace(verbose=True)))
    return "".join(line + "\n" for line in lines)


def _annotations(report: Report, view: View) -> Iterator[str]:
    for error in report.errors:
        yield _of_error(error)
    keys = {key.id: key for key in report.keys}
    failed = [(finding.result, False) for finding in findings(report, view)]
    open_questions = [(result, True) for result in undecided(report, view)]
    # Stable: at the same severity a finding stands before what was not decided.
    ordered = sorted(failed + open_questions, key=lambda pair: -SEVERITIES.index(pair[0].severity))
    for result, is_open in ordered:
        yield _of_result(result, keys[result.key], is_open=is_open)


def _of_error(error: SourceError) -> str:
    place = Place(error.source.removeprefix("./"), error.line or 1, error.column or 1, error.line or 1, error.column or 1)
    return _command("error", f"not read: {visible(error.message)}", title="kmslint: input", place=place)


def _of_result(result: Result, key: Key, *, is_open: bool) -> str:
    text = [visible(result.reason or result.message) if is_open else visible(result.message)]
    if result.witness is not None:
        text.append("witness: " + witness_sentence(result.witness))
    if result.help:
        text.append("help: " + visible(result.help))
    command = "warning" if is_open and _COMMANDS[result.severity] == "error" else _COMMANDS[result.severity]
    what = f"undetermined, {result.severity}" if is_open else result.severity
    return _command(command, "\n".join(text), title=f"{visible(result.rule)} [{what}]", place=places(result, key)[0])


def _command(name: str, message: str, *, title: str, place: Place | None = None) -> str:
    properties: dict[str, str] = {}
    if place is not None and not place.is_live:
        properties |= {"file": visible(place.path), "line": str(place.line)}
        if place.end_line > place.line:
            properties["endLine"] = str(place.end_line)
        else:
            properties |= {"col": str(place.column), "endColumn": str(max(place.column, place.end_column))}
    properties["title"] = title
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """`text` as the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """`text` as a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
