"""The text report as a terminal shows it: the same lines, in colours, with the outcomes drawn as a table.

Everything is a `rich.text.Text`, never markup: a `[red]` in a policy is six letters. This module alone imports rich.
"""

from collections.abc import Iterable, Mapping
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kmslint.model.result import Report
from kmslint.reporters import text
from kmslint.reporters.view import View
from kmslint.typed import Final

_STYLES: Final[Mapping[str, str]] = {
    "key": "bold",
    "rule": "bold",
    "severity.critical": "bold white on red",
    "severity.high": "bold red",
    "severity.medium": "bold yellow",
    "severity.low": "cyan",
    "severity.info": "blue",
    "message": "bold",
    "place": "cyan",
    "gutter": "blue",
    "mark": "bold red",
    "label": "green",
    "command": "bold green",
    "title": "bold",
    "summary": "bold",
}

_OUTCOMES: Final[Mapping[str, str]] = {"PASS": "green", "FAIL": "bold red", "UNDETERMINED": "yellow"}


def render(report: Report, view: View) -> str:
    """The report with ANSI colours. A long line is left to the terminal to wrap, so that a command can be copied whole."""
    drawn = StringIO()
    console = _console(drawn, view.width)
    for line in text.finding_lines(report, view):
        console.print(_drawn(line), soft_wrap=True)
    if not view.quiet:
        _draw_table(console, text.outcome_table(report, view))
        for line in text.closing_lines(report, view):
            console.print(_drawn(line), soft_wrap=True)
    return drawn.getvalue()


def draw(lines: Iterable[text.Line]) -> str:
    """The lines of any report with ANSI colours."""
    drawn = StringIO()
    console = _console(drawn, View().width)
    for line in lines:
        console.print(_drawn(line), soft_wrap=True)
    return drawn.getvalue()


def _console(drawn: StringIO, width: int) -> Console:
    return Console(
        file=drawn,
        force_terminal=True,
        color_system="standard",
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        no_color=False,
        force_jupyter=False,
    )


def _drawn(line: text.Line) -> Text:
    drawn = Text()
    for piece in line:
        drawn.append(piece.text, style=_STYLES.get(piece.style))
    return drawn


def _draw_table(console: Console, outcomes: text.Table) -> None:
    if outcomes.rows:
        table = Table(box=box.ROUNDED, border_style="blue", header_style="bold")
        table.add_column(Text(outcomes.heading[0]), overflow="fold", min_width=12)
        for heading in outcomes.heading[1:]:
            table.add_column(Text(heading), justify="right", no_wrap=True)
        for row in outcomes.rows:
            table.add_row(
                Text(row[0]), *(_count(heading, cell) for heading, cell in zip(outcomes.heading[1:], row[1:], strict=True))
            )
        console.print(table)
    if outcomes.left_out:
        console.print(Text(f"and {outcomes.left_out} keys without findings"))


def _count(heading: str, cell: str) -> Text:
    return Text(cell, style="dim" if cell == "0" else _OUTCOMES.get(heading, ""))
