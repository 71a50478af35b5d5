"""A report on its way out: to stdout in the format asked for, to files, and its warnings to stderr."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

from kmslint.cli import messages
from kmslint.cli.options import Options
from kmslint.errors import InputError, UsageError
from kmslint.model.result import Report, SourceError
from kmslint.reporters import FORMATS
from kmslint.reporters.view import View, label, owner_assumption
from kmslint.typed import TextIO

Render = Callable[[Report, View], str]


def emit(report: Report, options: Options) -> None:
    """Write every report that was asked for, warnings first.

    Raises UsageError when a file cannot be written.
    """
    _tell(report, options)
    view = View(
        options.min_severity,
        options.show_suppressed,
        options.verbose,
        options.quiet,
        full=options.sarif == "full",
        pages=_pages(report, options),
    )
    for format, file in options.outputs:
        write_atomically(file, _renderer(format)(report, view))
    if options.format == "text" and wants_color(options.color, sys.stdout, os.environ):
        from kmslint.reporters import rich_text

        messages.write_stdout(rich_text.render(report, view._replace(width=_terminal_width())))
    else:
        messages.write_stdout(_renderer(options.format)(report, view))
    _summarize(report, view, os.environ)


def _summarize(report: Report, view: View, environ: Mapping[str, str]) -> None:
    """Add the report to the summary of a GitHub Actions job. It is a courtesy: that it fails is told, and changes nothing."""
    file = environ.get("GITHUB_STEP_SUMMARY")
    if environ.get("GITHUB_ACTIONS") != "true" or not file:
        return
    text = _renderer("markdown")(report, view)
    try:
        with open(file, "a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text + "\n")
    except OSError as error:
        messages.show_warning(f"the job summary cannot be written: {error.strerror}")


def _pages(report: Report, options: Options) -> Mapping[str, str]:
    """The pages of the rules that were asked, where a format carries them; {} elsewhere, for reading them takes a while."""
    if "sarif" not in {options.format, *(format for format, _ in options.outputs)}:
        return {}
    from kmslint.engine.loader import load_rules, pages

    asked = {result.rule for result in report.results}
    return pages(rule for rule in load_rules(options.rules) if rule.id in asked)


def wants_color(choice: str, stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether to draw in colour: the option, else NO_COLOR, else FORCE_COLOR, else whether `stream` is a terminal that can."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return environ.get("TERM") != "dumb" and stream is not None and not stream.closed and stream.isatty()


def write_atomically(file: str, text: str) -> None:
    """Put `text` into `file` at once: a reader sees the old report or the new one, never half of one.

    A device or pipe is written as it is. Raises UsageError when it cannot be written.
    """
    target = os.path.realpath(file)
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            with open(target, "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
        else:
            _replace(target, text)
    except OSError as error:
        raise UsageError(
            f"the report cannot be written: {error.strerror}", source=file, help="choose a file that can be written"
        ) from None


def _replace(target: str, text: str) -> None:
    draft = os.path.join(os.path.dirname(target), f".{os.path.basename(target)}.{os.getpid()}.tmp")
    try:
        with open(draft, "x", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        if os.path.exists(target):
            os.chmod(draft, os.stat(target).st_mode & 0o777)
        os.replace(draft, target)
    except BaseException:
        _remove(draft)
        raise


def _remove(file: str) -> None:
    try:
        os.unlink(file)
    except OSError:
        return


def _renderer(format: str) -> Render:
    render: Render = import_module(FORMATS[format]).render
    return render


def _terminal_width() -> int:
    """The columns of the terminal; what a view assumes where it does not say."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):
        columns = 0
    return max(40, columns) if columns else View().width


def _tell(report: Report, options: Options) -> None:
    for error in report.errors:
        messages.show(f"error: {place(error)}: {error.message}")
        if error.help:
            messages.show(f"  help: {error.help}")
    if not (report.keys or report.errors or options.allow_empty):
        messages.show_error(InputError("no key was found", help="name files that hold key policies, or pass --allow-empty"))
    if not options.quiet:
        for warning in _warnings(report):
            messages.show_warning(warning)
    if options.verbose:
        for file, reason in report.skipped:
            messages.show(f"skipped: {file}: {reason}")


def _warnings(report: Report) -> Iterator[str]:
    for key in report.keys:
        if key.account_source == "inferred":
            yield f"{label(key)}: {owner_assumption(key)}"
    for key in report.keys:
        yield from (f"{label(key)}: {note}" for note in key.notes)
    yield from report.notes


def place(error: SourceError) -> str:
    """`source:line:column`, as far as they are known."""
    return ":".join(str(part) for part in (error.source, error.line, error.column) if part is not None)
