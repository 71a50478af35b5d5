"""A large JSON text whose places are computed only where they are asked for.

The C reader passes over everything else: descending to one value costs no more than reading the text a few times.
"""

import json
import re
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # not in the stubs

from kmslint.errors import InputError
from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.tree import Node
from kmslint.typed import Any, Final

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_SCAN: Final = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # not in the stubs


class Lazy:
    """The JSON value that starts at an offset of a text. `value` is it without places."""

    __slots__ = ("_items", "_members", "end", "start", "text", "value")

    def __init__(self, text: Text, start: int, end: int, value: Any) -> None:  # noqa: ANN401  a JSON value
        self.text = text
        self.start = start
        self.end = end
        self.value = value
        self._members: dict[str, Lazy] | None = None
        self._items: list[Lazy] | None = None

    def get(self, *names: str) -> "Lazy | None":
        """The value at the end of a chain of member names, or None."""
        here: Lazy | None = self
        for name in names:
            if here is None or not isinstance(here.value, dict):
                return None
            here = here.members().get(name)
        return here

    def members(self) -> "dict[str, Lazy]":
        """The members of an object; of two equal names the last."""
        if self._members is None:
            self._members = {}
            content = self.text.content
            at = self._first()
            while isinstance(self.value, dict) and content[at] != "}":
                name, at = scanstring(content, at + 1, True)
                at = _skip(content, _skip(content, at) + 1)
                found = _read(self.text, at)
                self._members[name] = found
                at = self._next(found.end)
        return self._members

    def items(self) -> "list[Lazy]":
        """The items of a list."""
        if self._items is None:
            self._items = []
            content = self.text.content
            at = self._first()
            while isinstance(self.value, list) and content[at] != "]":
                found = _read(self.text, at)
                self._items.append(found)
                at = self._next(found.end)
        return self._items

    def node(self) -> Node:
        """The value with the places of all its parts.

        Raises:
            InputError: it is nested too deeply, or holds what is no JSON after all.
        """
        start = self.start
        part = Text(self.text.content[start : self.end], outer=self.text, to_outer=lambda offset: start + offset)
        return read_json(part)

    def _first(self) -> int:
        return _skip(self.text.content, self.start + 1)

    def _next(self, end: int) -> int:
        content = self.text.content
        at = _skip(content, end)
        return _skip(content, at + 1) if content[at] == "," else at


def read_lazily(text: Text) -> Lazy:
    """The value of a whole text. O(n), at the speed of the C reader.

    Raises:
        InputError: the text is not JSON; with the place of the first fault.
    """
    try:
        return _read(text, _skip(text.content, 0))
    except (JSONDecodeError, StopIteration, RecursionError, IndexError):
        read_json(text)  # says what is wrong, and where
        raise InputError("the text is no JSON", source=text.file, line=1, column=1) from None


def _read(text: Text, at: int) -> Lazy:
    value, end = _SCAN(text.content, at)
    return Lazy(text, at, end, value)


def _skip(content: str, at: int) -> int:
    found = _BLANK.match(content, at)
    return found.end() if found else at
