"""Texts that are computed from templates, and the values they encode.

`policy = jsonencode(…)` is a text whose value is known without reading it again; a heredoc is a text whose every character
stands somewhere in a file. Both facts are kept beside the text, by the identity of the text object, so that they survive
locals, variables and modules, and are lost as soon as a function makes another text of it.
"""

from bisect import bisect_right
from collections.abc import Sequence

from kmslint.errors import InputError
from kmslint.jsontext import embedded_text, read_json
from kmslint.location import Text
from kmslint.sources.hcl.syntax import Place
from kmslint.sources.hcl.values import parts_of, unresolved
from kmslint.tree import ARRAY, OBJECT, STRING, UNRESOLVED, Member, Node, Symbol, Template, Value
from kmslint.typed import Final, NamedTuple

_PRIVATE: Final = range(0xE000, 0xF8FF)
"""Characters of the private use area: two that the text does not hold mark a hole while it is read as JSON."""

_WHOLE: Final = "!"
"""Marks a hole that stands where a JSON value may stand, and not inside a string."""

_BREAKS_OUT: Final = ('\\"', "'\"'")
"""What an expression joins with when its text leaves the JSON string it stands in."""


class Piece(NamedTuple):
    """A part of a computed text: character i stands at `start + i`, all of it at `start` when `spread` is false."""

    value: str | Symbol
    start: int
    spread: bool


class Encoded(NamedTuple):
    """The value that a text encodes. `doubts` say of list items in it, by index, why they may not be there."""

    node: Node
    doubts: tuple[tuple[int, str], ...] = ()


class Texts:
    """What is known of computed texts."""

    def __init__(self) -> None:
        self._spelled: dict[int, tuple[Value, Text, tuple[Piece, ...]]] = {}
        self._encoded: dict[int, tuple[Value, Encoded]] = {}

    def spell(self, value: Value, text: Text, pieces: Sequence[Piece]) -> None:
        """Remember where the pieces of `value` stand in `text`."""
        self._spelled[id(value)] = (value, text, tuple(pieces))

    def encode(self, value: Value, encoded: Encoded) -> None:
        """Remember which value the JSON text `value` encodes."""
        self._encoded[id(value)] = (value, encoded)

    def decode(self, node: Node) -> Encoded:
        """The value that the text `node` encodes as JSON.

        Raises:
            InputError: the text is not JSON, whatever its holes hold.
        """
        if node.kind != STRING:
            return Encoded(node)
        found = self._encoded.get(id(node.value))
        if found is not None:
            return found[1]
        spelled = self._spelled.get(id(node.value))
        if spelled is not None:
            return Encoded(_read(spelled[1], spelled[2]))
        value: Value = node.value  # type: ignore[assignment]  # a string's value is a text
        content = node.text.content
        if isinstance(value, str):
            if content[node.start : node.end] == value:
                return Encoded(_read(node.text, (Piece(value, node.start, True),)))
            if content[node.start : node.start + 1] == '"' and node.text.outer is None and _is_json_string(node):
                return Encoded(read_json(embedded_text(node)))
        return Encoded(_read(node.text, [Piece(part, node.start, False) for part in parts_of(value)]))


def _is_json_string(node: Node) -> bool:
    import json

    try:
        return bool(json.loads(node.text.content[node.start : node.end]) == node.value)
    except ValueError:
        return False


def _read(text: Text, pieces: Sequence[Piece]) -> Node:
    """The JSON value that the pieces spell, holes kept."""
    literal = "".join(piece.value for piece in pieces if isinstance(piece.value, str))
    marks = _free_marks(literal)
    content: list[str] = []
    map_: list[tuple[int, int, bool]] = []
    symbols: list[Symbol] = []
    at = 0
    state = _State()
    for piece in pieces:
        value = piece.value
        if isinstance(value, Symbol):
            value = f"{marks[0]}{len(symbols)}{marks[1]}" if state.inside else f'"{marks[0]}{len(symbols)}{_WHOLE}{marks[1]}"'
            symbols.append(piece.value)  # type: ignore[arg-type]
            map_.append((at, piece.start, False))
        else:
            state.pass_over(value)
            map_.append((at, piece.start, piece.spread))
        content.append(value)
        at += len(value)
    starts = [entry[0] for entry in map_]

    def to_outer(offset: int) -> int:
        if not starts:
            return 0
        inner, outer, spread = map_[max(bisect_right(starts, offset) - 1, 0)]
        return outer + offset - inner if spread else outer

    joined = "".join(content)
    node = read_json(Text(joined, outer=text, to_outer=to_outer))
    return _Filling(symbols, marks, joined).fill(node) if symbols else node


class _State:
    """Whether a position of a JSON text is inside a string."""

    def __init__(self) -> None:
        self.inside = False
        self.escaped = False

    def pass_over(self, value: str) -> None:
        for char in value:
            if self.escaped:
                self.escaped = False
            elif char == "\\" and self.inside:
                self.escaped = True
            elif char == '"':
                self.inside = not self.inside


def _free_marks(literal: str) -> tuple[str, str]:
    free = [chr(code) for code in _PRIVATE if chr(code) not in literal] if not literal.isascii() else ["\ue000", "\ue001"]
    if len(free) < 2:
        raise InputError("the text uses every private character of Unicode", line=1, column=1)
    return free[0], free[1]


class _Filling:
    """Puts the symbols back into the tree of a text that was read with marks."""

    def __init__(self, symbols: Sequence[Symbol], marks: tuple[str, str], content: str) -> None:
        self.symbols = symbols
        self.marks = marks
        self.content = content

    def fill(self, node: Node) -> Node:
        if node.kind == ARRAY:
            return node._replace(value=tuple(self.fill(item) for item in node.items()))
        if node.kind == OBJECT:
            return self.object(node)
        if node.kind == STRING:
            return self.string(node)
        return node

    def object(self, node: Node) -> Node:
        """An object; one with an unresolved name is unresolved."""
        for member in node.members():
            if self.marks[0] in member.key:
                symbol = next(part for part in self.parts(member.key) if isinstance(part, Symbol))
                return unresolved(symbol.name, Place(node.text, node.start, node.end))
        members = tuple(Member(member.key, member.key_node, self.fill(member.value)) for member in node.members())
        return node._replace(value=members)

    def string(self, node: Node) -> Node:
        if self.marks[0] not in str(node.value):
            return node
        parts = self.parts(str(node.value))
        for part in parts:
            if isinstance(part, Symbol) and any(mark in part.name for mark in _BREAKS_OUT):
                return node._replace(kind=UNRESOLVED, value=part)
        if len(parts) == 1 and _WHOLE + self.marks[1] in str(node.value):
            return node._replace(kind=UNRESOLVED, value=parts[0])
        return node._replace(value=Template(parts))

    def parts(self, value: str) -> tuple[str | Symbol, ...]:
        found: list[str | Symbol] = []
        opening, closing = self.marks
        for number, piece in enumerate(value.split(opening)):
            if not number:
                found += [piece] if piece else []
                continue
            index, _, rest = piece.partition(closing)
            found.append(self.symbols[int(index.rstrip(_WHOLE))])
            found += [rest] if rest else []
        return tuple(found)
