"""Values of HCL: nodes of the tree, made, compared and turned into text."""

import json
from collections.abc import Iterable, Sequence

from kmslint.sha256 import hexdigest
from kmslint.sources.hcl.syntax import Place
from kmslint.tree import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, UNRESOLVED, Member, Node, Symbol, Template, Value
from kmslint.typed import Final

MAX_TEXT: Final = 2_000_000
"""Characters of one computed text. A key policy has at most 32,768."""

SEVERAL: Final = "..."
"""Ends the name of a symbol that stands in a list for any number of its items, as HCL writes an expansion."""

_SHOWN: Final = 160
"""Characters of an expression in the name of a symbol; longer ones are cut and told apart by a digest."""


class Failure(Exception):
    """The expression has no value: Terraform would stop here. `try` and `can` ask for it."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class Limit(Exception):
    """The evaluation takes more than a named budget allows."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


def string(value: Value, place: Place) -> Node:
    """A string; a text that is all one symbol is a value of unknown shape."""
    if isinstance(value, Template) and len(value.parts) == 1:
        return Node(UNRESOLVED, value.parts[0], place.text, place.start, place.end)
    return Node(STRING, value, place.text, place.start, place.end)


def number(value: float | str, place: Place) -> Node:
    """A number; a whole one is written without a fraction."""
    return Node(NUMBER, number_text(value), place.text, place.start, place.end)


def number_text(value: float | str) -> str:
    """A number as Terraform writes it into a text."""
    try:
        found = int(value)
        if isinstance(value, (int, str)) or found == value:
            return str(found)
    except (ValueError, OverflowError):
        pass
    try:
        real = float(value)
    except (ValueError, OverflowError):
        return "0"
    return str(int(real)) if real.is_integer() and abs(real) < 1e21 else repr(real)


def boolean(value: bool, place: Place) -> Node:
    """A boolean."""
    return Node(BOOLEAN, value, place.text, place.start, place.end)


def null(place: Place) -> Node:
    """Null: as if not written."""
    return Node(NULL, None, place.text, place.start, place.end)


def array(items: Iterable[Node], place: Place) -> Node:
    """A list."""
    return Node(ARRAY, tuple(items), place.text, place.start, place.end)


def mapping(pairs: Iterable[tuple[str, Node]], place: Place) -> Node:
    """An object or a map; of two equal names the last counts."""
    found = dict(pairs)
    members = tuple(Member(key, Node(STRING, key, value.text, value.start, value.start), value) for key, value in found.items())
    return Node(OBJECT, members, place.text, place.start, place.end)


def unresolved(name: str, place: Place, own: str | None = None) -> Node:
    """A value that the text does not determine."""
    return Node(UNRESOLVED, Symbol(name, own), place.text, place.start, place.end)


def place_of(node: Node) -> Place:
    """Where a value stands."""
    return Place(node.text, node.start, node.end)


def symbol_of(node: Node) -> Symbol:
    """The symbol of an unresolved node."""
    value = node.value
    return value if isinstance(value, Symbol) else Symbol(str(value))


def is_open(node: Node) -> bool:
    """Whether the value is one symbol: unresolved, or a text of which nothing is known, which may be empty or null."""
    return node.kind == UNRESOLVED or (isinstance(node.value, Template) and len(node.value.parts) == 1)


def opened(node: Node) -> Node:
    """One symbol as a value of unknown shape."""
    return node._replace(kind=UNRESOLVED, value=node.value.parts[0]) if isinstance(node.value, Template) else node


def closed(node: Node) -> Node:
    """A value of unknown shape as a text of which nothing else is known."""
    return node._replace(kind=STRING, value=Template((symbol_of(node),))) if node.kind == UNRESOLVED else node


def is_several(node: Node) -> bool:
    """Whether the node stands for any number of items of the list it is in."""
    return node.kind == UNRESOLVED and symbol_of(node).name.endswith(SEVERAL)


def several(node: Node) -> Node:
    """The unresolved list `node` as an item that stands for any number of items."""
    node = opened(node)
    symbol = symbol_of(node)
    if symbol.name.endswith(SEVERAL):
        return node
    return node._replace(value=Symbol(symbol.name + SEVERAL))


def is_known(node: Node) -> bool:
    """Whether the value is known to the last leaf."""
    if node.kind == STRING:
        return isinstance(node.value, str)
    if node.kind == ARRAY:
        return all(map(is_known, node.items()))
    if node.kind == OBJECT:
        return all(is_known(member.value) for member in node.members())
    return node.kind != UNRESOLVED


def plain(node: Node) -> object:
    """The value without its places: equal plain values are equal values. Hashable."""
    if node.kind == ARRAY:
        return (ARRAY, tuple(plain(item) for item in node.items()))
    if node.kind == OBJECT:
        return (OBJECT, frozenset((member.key, plain(member.value)) for member in node.members()))
    if node.kind == NUMBER:
        return (NUMBER, number_text(str(node.value)))
    return (node.kind, node.value)


def text_of(node: Node) -> Value:
    """A scalar as text in a template. Raises Failure for what has none."""
    if node.kind == NUMBER:
        return number_text(str(node.value))
    value = node.as_text()
    if value is None:
        raise Failure(f"{node.kind} has no text", place_of(node))
    return value


def join_parts(parts: Sequence[str | Symbol]) -> Value:
    """The text of pieces in order."""
    found: list[str | Symbol] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    if all(isinstance(part, str) for part in found):
        return "".join(str(part) for part in found)
    return Template(tuple(found))


def parts_of(value: Value) -> tuple[str | Symbol, ...]:
    """The pieces of a text."""
    return value.parts if isinstance(value, Template) else (value,)


def render_json(node: Node) -> list[str | Symbol]:
    """The JSON text of a value, compact; what is unresolved stays a hole."""
    found: list[str | Symbol] = []
    _render(node, found)
    return found


def _render(node: Node, found: list[str | Symbol]) -> None:
    if node.kind == OBJECT:
        found.append("{")
        for number, member in enumerate(node.members()):
            found.append(("," if number else "") + json.dumps(member.key) + ":")
            _render(member.value, found)
        found.append("}")
    elif node.kind == ARRAY:
        found.append("[")
        for number, item in enumerate(node.items()):
            if number:
                found.append(",")
            _render(item, found)
        found.append("]")
    elif node.kind == STRING:
        found.append('"')
        parts = parts_of(node.value)  # type: ignore[arg-type]  # a string's value is a text
        found += [json.dumps(part)[1:-1] if isinstance(part, str) else part for part in parts]
        found.append('"')
    elif node.kind == UNRESOLVED:
        found.append(symbol_of(node))
    else:
        found.append("null" if node.kind == NULL else str(text_of(node)))


def shown(written: str) -> str:
    """An expression as one line, for the name of a symbol."""
    line = " ".join("".join(char if char.isprintable() else " " for char in written).split())
    if len(line) <= _SHOWN:
        return line
    return f"{line[:_SHOWN]}… ({hexdigest(line.encode('utf-8', 'surrogatepass'))[:8]})"
