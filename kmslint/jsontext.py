"""Strict JSON (RFC 8259) with the place of every value, and every member kept, duplicates included.

Python's own reader drops the places and all but the last of two equal names, and takes NaN. This one refuses what the
standard refuses, and what no consumer could agree on: unpaired surrogates. A byte order mark at the start is passed over.

Source: RFC 8259, sections 2 to 8.
"""

import gc
import re
from bisect import bisect_right
from collections.abc import Callable
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # typeshed lacks it; documented nowhere, kept since 2.7

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.pattern import pattern
from kmslint.tree import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, Member, Node
from kmslint.typed import Final

MAX_DEPTH: Final = 100
"""Objects and lists inside each other. A key policy has 6; the bound keeps hostile input off Python's stack."""

MAX_CHARS: Final = 20_000_000
"""Characters of one text. The largest real input, a Terraform plan, has about 10 million."""

MAX_VALUES: Final = 2_000_000
"""Values of one text (about 400 MB as a tree), estimated before reading from its commas, colons and brackets."""

_LARGE: Final = 100_000
"""Past so many characters the garbage collector rests while a text is read: a tree has no cycles, and the collector would
look at all of it again and again (8 MB: 3.7 s with, 1.2 s without)."""

_BOM: Final = "\ufeff"
_NEW: Final = tuple.__new__  # half the time of Node(…): measured, 0.12 against 0.25 µs

_BLANK: Final = pattern(r"[ \t\n\r]*")
_COMMA: Final = pattern(r"[ \t\n\r]*,[ \t\n\r]*")
_BLANKS: Final = frozenset(" \t\n\r")
_END: Final = "\0"
_STRING: Final = pattern(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NUMBER: Final = pattern(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD: Final = pattern(r"[A-Za-z0-9_.+-]+")
_UNPAIRED: Final = pattern("[\ud800-\udfff]")
_MAYBE_UNPAIRED: Final = pattern("\\\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_ESCAPE: Final = pattern(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
_LITERALS: Final[dict[str, tuple[str, str, object]]] = {
    "t": ("true", BOOLEAN, True),
    "f": ("false", BOOLEAN, False),
    "n": ("null", NULL, None),
}
_HINTS: Final = {
    "'": "JSON writes strings in double quotes",
    "/": "JSON has no comments",
    "#": "JSON has no comments",
    "\u201c": "use straight double quotes",
    "\u201d": "use straight double quotes",
    "...": "replace the ellipsis by what it stands for",
    "\u2026": "replace the ellipsis by what it stands for",
    "{": "a template must be rendered before it is JSON",
    "$": "a template must be rendered before it is JSON",
    "<": "replace the placeholder by a value",
}
_WORD_HINTS: Final = {
    "NaN": "JSON has no NaN",
    "Infinity": "JSON has no Infinity",
    "-Infinity": "JSON has no Infinity",
    "True": "JSON writes `true`",
    "False": "JSON writes `false`",
    "None": "JSON writes `null`",
    "undefined": "JSON writes `null`",
}


def read_json(text: Text, *, max_depth: int = MAX_DEPTH, max_chars: int = MAX_CHARS) -> Node:
    """The tree of `text`, which is one JSON value and nothing else. O(n).

    Raises:
        InputError: `text` is not JSON, or is larger or deeper than the limits; with the place of the first fault.
    """
    node, end = read_json_start(text, max_depth=max_depth, max_chars=max_chars)
    expect_end(text, end)
    return node


def read_json_start(text: Text, *, max_depth: int = MAX_DEPTH, max_chars: int = MAX_CHARS) -> tuple[Node, int]:
    """The tree of the JSON value that `text` starts with, and the offset of what follows it and its blanks.

    Raises:
        InputError: as `read_json`.
    """
    content = text.content
    if len(content) > max_chars:
        raise _error(text, 0, f"the text has {len(content):,} characters, more than {max_chars:,}")
    if len(content) > MAX_VALUES and sum(map(content.count, ",:[{")) > MAX_VALUES:
        raise _error(text, 0, f"the text holds more than {MAX_VALUES:,} values")
    start = 1 if content.startswith(_BOM) else 0
    collecting = gc.isenabled() and len(content) > _LARGE
    if collecting:
        gc.disable()
    try:
        node = _Reader(text, max_depth).value(_skip(content, start), 0)
    except JSONDecodeError as error:
        raise _string_fault(text, error) from None
    finally:
        if collecting:
            gc.enable()
    return node, _skip(content, node.end)


def expect_end(text: Text, at: int) -> None:
    """Raises InputError unless `text` ends at `at`."""
    if at < len(text.content):
        raise _fault(text, at, "the end of the text", help="a text holds one JSON value")


def read_embedded(node: Node) -> Node:
    """The tree of the JSON text inside the JSON string `node`, its places being those in the file around it.

    Raises:
        InputError: the string does not hold JSON.
    """
    return read_json(embedded_text(node))


def embedded_text(node: Node) -> Text:
    """The content of the JSON string `node` as a text of its own, whose places are those in the file around it."""
    content = node.value if isinstance(node.value, str) else ""
    return Text(content, outer=node.text, to_outer=_outward(node))


def _outward(node: Node) -> Callable[[int], int]:
    """The map from an offset in the string's content to one in the text around it. Built at the first call."""
    inner: list[int] = []
    outer: list[int] = []

    def build() -> None:
        inner.append(0)
        outer.append(node.start + 1)
        for escape in _ESCAPE.finditer(node.text.content, node.start + 1, max(node.start + 1, node.end - 1)):
            inner.append(inner[-1] + escape.start() - outer[-1] + 1)
            outer.append(escape.end())

    def to_outer(offset: int) -> int:
        if node.end - node.start < 2:
            return node.start  # a value that no source text spells
        if not inner:
            build()
        at = bisect_right(inner, offset) - 1
        return min(outer[at] + offset - inner[at], node.end - 1)

    return to_outer


def _skip(content: str, at: int) -> int:
    """The offset of the first character at or after `at` that is not blank."""
    return _BLANK.match(content, at).end()  # type: ignore[union-attr]  # matches anywhere


class _Reader:
    """One reading of one text. Every method takes an offset and returns the node that starts there.

    `content` ends with a character that no JSON value holds, so that looking at the next one never fails. A broken string
    ends the reading with the JSONDecodeError of `scanstring`, which `fault` explains.
    """

    __slots__ = ("content", "max_depth", "string", "text")

    def __init__(self, text: Text, max_depth: int) -> None:
        self.text = text
        self.content = text.content + _END
        self.max_depth = max_depth
        doubtful = "\\u" in text.content or not text.content.isascii()
        careful = doubtful and _MAYBE_UNPAIRED.search(text.content) is not None
        self.string: Callable[[str, int], tuple[str, int]] = self.whole_string if careful else scanstring

    def value(self, at: int, depth: int) -> Node:
        """The value at `at`, inside `depth` objects and lists."""
        content = self.content
        mark = content[at]
        if mark == '"':
            found, end = self.string(content, at + 1)
            return _NEW(Node, (STRING, found, self.text, at, end))
        if mark == "{":
            return self.object(at, depth + 1)
        if mark == "[":
            return self.array(at, depth + 1)
        if mark in _LITERALS:
            word, kind, value = _LITERALS[mark]
            if content.startswith(word, at):
                return _NEW(Node, (kind, value, self.text, at, at + len(word)))
        number = _NUMBER.match(content, at)
        if number:
            return _NEW(Node, (NUMBER, number.group(), self.text, at, number.end()))
        raise _fault(self.text, at, "a value")

    def object(self, at: int, depth: int) -> Node:
        """The object whose `{` is at `at`."""
        self.enter(at, depth)
        content, text, string, skip, next_one = self.content, self.text, self.string, self.skip, _COMMA.match
        members: list[Member] = []
        here = skip(at + 1)
        if content[here] == "}":
            return _NEW(Node, (OBJECT, (), text, at, here + 1))
        while True:
            if content[here] != '"':
                raise self.no_name(here, after_comma=bool(members))
            key, end = string(content, here + 1)
            colon = end if content[end] == ":" else skip(end)
            if content[colon] != ":":
                raise _fault(text, colon, "`:`")
            start = skip(colon + 1)
            if content[start] == '"':
                found, after = string(content, start + 1)
                value: Node = _NEW(Node, (STRING, found, text, start, after))
            else:
                value = self.value(start, depth)
                after = value[4]
            members.append(_NEW(Member, (key, _NEW(Node, (STRING, key, text, here, end)), value)))
            comma = next_one(content, after)
            if comma is None:
                return _NEW(Node, (OBJECT, tuple(members), text, at, self.close(after, "}")))
            here = comma.end()

    def array(self, at: int, depth: int) -> Node:
        """The list whose `[` is at `at`."""
        self.enter(at, depth)
        content, next_one = self.content, _COMMA.match
        items: list[Node] = []
        here = self.skip(at + 1)
        if content[here] == "]":
            return _NEW(Node, (ARRAY, (), self.text, at, here + 1))
        while True:
            if content[here] == "]":
                raise _fault(self.text, here, "a value", help="remove the comma before it")
            item = self.value(here, depth)
            items.append(item)
            comma = next_one(content, item[4])
            if comma is None:
                return _NEW(Node, (ARRAY, tuple(items), self.text, at, self.close(item[4], "]")))
            here = comma.end()

    def skip(self, at: int) -> int:
        """The offset of the first character at or after `at` that is not blank."""
        char = self.content[at]
        if char == " ":
            at += 1
            char = self.content[at]
        return _skip(self.content, at) if char in _BLANKS else at

    def whole_string(self, content: str, start: int) -> tuple[str, int]:
        """As `scanstring`: the string whose content starts at `start`, and the offset after its closing quote."""
        found, end = scanstring(content, start)
        if _UNPAIRED.search(found):
            raise self.unpaired(start, end)
        return found, end

    def close(self, at: int, bracket: str) -> int:
        """The offset after the closing `bracket`, which is the next thing at or after `at`."""
        at = _skip(self.content, at)
        if self.content[at] != bracket:
            raise _fault(self.text, at, f"`,` or `{bracket}`")
        return at + 1

    def enter(self, at: int, depth: int) -> None:
        """Stop at values that are nested too deeply."""
        if depth > self.max_depth:
            raise _error(self.text, at, f"objects and lists are nested more than {self.max_depth} deep")

    def no_name(self, at: int, *, after_comma: bool) -> InputError:
        """The fault of an object in which no member name stands at `at`."""
        closes = self.content[at] == "}"
        hint = "remove the comma before it" if closes and after_comma else None
        return _fault(self.text, at, "a member name in double quotes", help=hint)

    def unpaired(self, start: int, end: int) -> InputError:
        """The fault of a string that holds half of a surrogate pair."""
        for found in _ESCAPE.finditer(self.content, start, end - 1):
            if len(found.group()) == 6 and "\ud800" <= chr(int(found.group()[-4:], 16)) <= "\udfff":
                return _error(self.text, found.start(), f"{_show(found.group())} is half of a surrogate pair and no character")
        raw = _UNPAIRED.search(self.content, start, end)
        return _error(self.text, raw.start() if raw else start, "found half of a surrogate pair, which is no character")


def _string_fault(text: Text, error: JSONDecodeError) -> InputError:
    """Why `scanstring` stopped: the string is not closed, holds a control character, or an escape that JSON does not have."""
    content, at = text.content, error.pos
    if at >= len(content) or error.msg.startswith("Unterminated"):
        opened = [found.start() for found in _STRING.finditer(content)]
        return _error(text, opened[-1], "the string is not closed", help='end it with `"`')
    char = content[at]
    if char < " ":
        hint = 'a line end is written `\\n`, or the string lacks its closing `"`' if char in "\r\n" else "write it as an escape"
        return _error(text, at, f"found {_show(char)} in a string, which may hold no control character", help=hint)
    if content[at - 1 : at + 1] == "\\u" or content[at : at + 2] == "\\u":
        return _error(text, at, "found an incomplete `\\u` escape, expected four hexadecimal digits")
    return _error(text, at, f"{_show(content[at : at + 2])} is no JSON escape")


def _fault(text: Text, at: int, expected: str, *, help: str | None = None) -> InputError:
    """The error that something other than `expected` stands at `at`."""
    word = _WORD.match(text.content, at)
    found = word.group() if word else text.content[at : at + 1]
    hint = help or _WORD_HINTS.get(found) or _HINTS.get(found)
    return _error(text, at, f"found {_show(found)}, expected {expected}", help=hint)


def quoted(text: str) -> str:
    r"""`text` for a message: in backticks, shortened to 60 characters, with escapes for characters that do not show.

    >>> quoted("a\x1b[31m")
    '`a\\u001b[31m`'
    """
    short = text if len(text) <= 60 else text[:60] + "…"
    if not short.isprintable():
        short = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in short)
    return f"`{short}`"


def _show(found: str) -> str:
    """`found` for a message: in backticks, shortened, without characters that do not show."""
    if not found:
        return "the end of the text"
    if len(found) == 1 and not found.isprintable():
        return f"the character U+{ord(found):04X}"
    return quoted(found)


def _error(text: Text, at: int, message: str, *, help: str | None = None) -> InputError:
    line, column = text.position(at)
    return InputError(message, source=text.file or text.uri, line=line, column=column, help=help)
