"""Where something stands: a text, an offset in it, and the place a user sees."""

from bisect import bisect_right
from collections.abc import Callable, Sequence

from kmslint.typed import NamedTuple


class Location(NamedTuple):
    """A place that a report shows. Lines and columns are 1-based; the end is exclusive."""

    file: str | None
    uri: str | None
    line: int
    column: int
    end_line: int
    end_column: int
    pointer: str
    statement: int | None = None
    sid: str | None = None
    address: str | None = None


class Text:
    """One input text, and how an offset in it becomes a line and a column.

    A policy inside a JSON string is a text of its own whose `outer` is the file: `to_outer` maps its offsets, so
    that every place shown is one in the file that the user edits. Line starts are computed once, when first asked.
    """

    __slots__ = ("_lines", "content", "file", "outer", "to_outer", "uri")

    def __init__(
        self,
        content: str,
        *,
        file: str | None = None,
        uri: str | None = None,
        outer: "Text | None" = None,
        to_outer: Callable[[int], int] | None = None,
    ) -> None:
        self.content = content
        self.file: str | None = outer.file if outer else file
        self.uri: str | None = outer.uri if outer else uri
        self.outer = outer
        self.to_outer = to_outer
        self._lines: list[int] | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of `offset` in the outermost text. O(n) once, then O(log n)."""
        if self.outer is not None and self.to_outer is not None:
            return self.outer.position(self.to_outer(offset))
        lines = self._line_starts()
        line = bisect_right(lines, offset)
        return line, offset - lines[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of the 1-based line `number` of the outermost text, without its line end; '' past the end."""
        if self.outer is not None:
            return self.outer.line(number)
        lines = self._line_starts()
        if not 1 <= number <= len(lines):
            return ""
        end = lines[number] if number < len(lines) else len(self.content)
        return self.content[lines[number - 1] : end].rstrip("\r\n")

    def locate(self, start: int, end: int, pointer: str = "", **more: "int | str | None") -> Location:
        """The `Location` of `content[start:end]`."""
        line, column = self.position(start)
        end_line, end_column = self.position(end)
        return Location(self.file, self.uri, line, column, end_line, end_column, pointer, **more)  # type: ignore[arg-type]

    def _line_starts(self) -> Sequence[int]:
        if self._lines is None:
            starts = [0]
            find = self.content.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._lines = starts
        return self._lines


def pointer(*parts: str | int) -> str:
    """The JSON pointer (RFC 6901) of a path.

    >>> pointer("Statement", 0, "a/b")
    '/Statement/0/a~1b'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
