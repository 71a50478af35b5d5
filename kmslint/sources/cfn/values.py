"""Values of a template: nodes of the tree, made, joined and compared."""

from collections.abc import Iterable, Sequence

from kmslint.sha256 import hexdigest
from kmslint.tree import ARRAY, NUMBER, OBJECT, STRING, UNRESOLVED, Node, Symbol, Template, Value
from kmslint.typed import Final

_SHOWN: Final = 160
"""Characters of an expression in the name of a symbol; longer ones are cut and told apart by a digest."""


class Limit(Exception):
    """The evaluation takes more than a named budget allows."""


def text_node(value: Value, place: Node) -> Node:
    """A text at the place of `place`; one that is all a single symbol is a value of unknown shape."""
    if isinstance(value, Template) and len(value.parts) == 1:
        return place._replace(kind=UNRESOLVED, value=value.parts[0])
    return place._replace(kind=STRING, value=value)


def symbol_node(name: str, place: Node, own: str | None = None) -> Node:
    """A value that the template does not determine."""
    return place._replace(kind=UNRESOLVED, value=Symbol(name, own))


def as_written(node: Node) -> Node:
    """The value of an expression that is not resolved: a symbol that bears its text."""
    return symbol_node(shown(node.text.content[node.start : node.end]), node)


def symbol_of(node: Node) -> Symbol | None:
    """The symbol that `node` is, or None."""
    return node.value if isinstance(node.value, Symbol) and node.kind == UNRESOLVED else None


def literal(node: Node | None) -> str | None:
    """The text of a scalar that is known, or None."""
    value = None if node is None else node.as_text()
    return value if isinstance(value, str) else None


def parts_of(value: Value) -> tuple[str | Symbol, ...]:
    """The pieces of a text."""
    return value.parts if isinstance(value, Template) else (value,)


def join_parts(parts: Iterable[str | Symbol]) -> Value:
    """The text of pieces in order."""
    found: list[str | Symbol] = []
    run: list[str] = []
    for part in parts:
        if isinstance(part, str):
            run.append(part)
            continue
        if any(run):
            found.append("".join(run))
        run = []
        found.append(part)
    if any(run):
        found.append("".join(run))
    if all(isinstance(part, str) for part in found):
        return "".join(str(part) for part in found)
    return Template(tuple(found))


def plain(node: Node | None) -> object:
    """The value without its places: equal plain values are equal values. Hashable."""
    if node is None:
        return None
    if node.kind == ARRAY:
        return (ARRAY, tuple(plain(item) for item in node.items()))
    if node.kind == OBJECT:
        return (OBJECT, tuple((member.key, plain(member.value)) for member in node.members()))
    if node.kind == NUMBER:
        return (NUMBER, str(node.value))
    return (node.kind, node.value)


def texts_of(node: Node) -> Sequence[str]:
    """The literal texts of a list of scalars or of one scalar, unresolved ones left out."""
    items = node.items() if node.kind == ARRAY else (node,)
    return [text for item in items if (text := literal(item)) is not None]


def shown(written: str) -> str:
    """An expression as one line, for the name of a symbol."""
    line = " ".join("".join(char if char.isprintable() else " " for char in written[: 20 * _SHOWN]).split())
    if len(line) <= _SHOWN:
        return line
    return f"{line[:_SHOWN]}… ({hexdigest(written.encode('utf-8', 'surrogatepass'))[:8]})"
