"""The lines of the user's own text that a finding is about, with the part in question marked."""

from kmslint.location import Location, Text
from kmslint.model.result import Report
from kmslint.reporters.visible import cells, visible
from kmslint.typed import Final, NamedTuple

MAX_COLUMNS: Final = 110
"""A longer source line is cut around the marked part."""
LEAD: Final = 30
"""Characters kept before the marked part of a cut line."""
MAX_LINES: Final = 12
"""A longer part is shown by its first lines and its last."""


class Row(NamedTuple):
    """One row of an excerpt: a line number ("" for a mark, "..." for lines left out), the source, and the marks around it."""

    number: str
    bar: str
    source: str
    mark: str


class Excerpts:
    """Finds source lines by location. Holds the texts of a report's policies; reads no file."""

    def __init__(self, report: Report) -> None:
        self._texts: dict[str, Text] = {}
        self._last: tuple[Text, int, str] | None = None
        for key in report.keys:
            for named in key.policies:
                if named.policy.node is not None:
                    self._add(named.policy.node.text)

    def rows(self, location: Location) -> tuple[Row, ...]:
        """The excerpt at `location`; () where its text is not at hand."""
        text = self._texts.get(location.file or location.uri or "")
        if text is None:
            return ()
        end_line, end_column = location.end_line, location.end_column
        if end_line > location.line and end_column == 1:
            end_line, end_column = end_line - 1, len(self._line(text, end_line - 1)) + 1
        if end_line <= location.line:
            return self._single(text, location, max(end_column, location.column + 1))
        return self._several(text, location.line, end_line, end_column)

    def _add(self, text: Text) -> None:
        while text.outer is not None:
            text = text.outer
        name = text.file or text.uri
        if name is not None:
            self._texts.setdefault(name, text)

    def _single(self, text: Text, location: Location, end_column: int) -> tuple[Row, ...]:
        line = self._line(text, location.line)
        begin, end = location.column - 1, min(end_column - 1, len(line))
        first = max(0, begin - LEAD) if len(line) > MAX_COLUMNS else 0
        last = first + MAX_COLUMNS
        lead = ("…" if first else "") + _shown(line[first:begin])
        marked, rest = _shown(line[begin : min(end, last)]), _shown(line[end:last])
        source = lead + marked + rest + ("…" if len(line) > last else "")
        mark = " " * cells(lead) + "^" * max(1, cells(marked))
        return Row(str(location.line), "", source, ""), Row("", "", "", mark)

    def _several(self, text: Text, line: int, end_line: int, end_column: int) -> tuple[Row, ...]:
        numbers: list[int | None] = (
            list(range(line, end_line + 1))
            if end_line - line < MAX_LINES
            else [*range(line, line + MAX_LINES - 3), None, end_line]
        )
        rows: list[Row] = []
        for number in numbers:
            if number is None:
                rows.append(Row("...", "|", "", ""))
            else:
                source = self._line(text, number)
                cut = _shown(source[:MAX_COLUMNS]) + ("…" if len(source) > MAX_COLUMNS else "")
                rows.append(Row(str(number), "/" if number == line else "|", cut, ""))
        before_end = _shown(self._line(text, end_line)[: min(end_column - 2, MAX_COLUMNS)])
        rows.append(Row("", "|", "", "_" * (cells(before_end) + 1) + "^"))
        return tuple(rows)

    def _line(self, text: Text, number: int) -> str:
        if self._last is None or self._last[0] is not text or self._last[1] != number:
            self._last = (text, number, text.line(number))
        return self._last[2]


def _shown(source: str) -> str:
    return visible(source.replace("\t", "    "))
