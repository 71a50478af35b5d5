"""A key policy that a template holds as JSON text, with its holes and with the place of every part.

Source: CloudFormation Template Reference, AWS::KMS::Key, KeyPolicy: an object, or JSON text.
"""

from bisect import bisect_right
from collections.abc import Sequence

from kmslint.errors import InputError
from kmslint.jsontext import embedded_text, read_json
from kmslint.location import Text
from kmslint.sources.cfn.evaluator import Evaluator
from kmslint.sources.cfn.holes import split_sub, sub_arguments
from kmslint.sources.cfn.values import as_written, join_parts, parts_of, text_node
from kmslint.sources.cfn.yaml_nodes import Piece, pieces_of
from kmslint.tree import ARRAY, OBJECT, STRING, Member, Node, Symbol, Template
from kmslint.typed import Final, NamedTuple

_OPEN: Final = "\ue000"
_CLOSE: Final = "\ue001"
"""Characters of the private use area that mark a hole while the text is read as JSON."""


class _Part(NamedTuple):
    """A part of the text: as written from `start` on, or all of it at `start` when `spread` is false."""

    value: str | Symbol
    start: int
    spread: bool


def policy_value(written: Node, evaluator: Evaluator) -> Node | None:
    """The policy that a property means: its value, and where that is JSON text, the value of the text."""
    argument = written.member("Fn::Sub") if len(written.members()) == 1 else None
    template = sub_arguments(argument)[0] if argument is not None else None
    if argument is not None and template is not None and _is_object_text(template.value):
        return _read(_substituted(template, argument, evaluator), template, written)
    found = evaluator.value(written)
    if found is None or found.kind != STRING or not _is_object_text(found.value):
        return found
    if isinstance(found.value, str) and written.kind == STRING and found.value == written.value:
        return _read_plain(written)
    parts = parts_of(found.value)  # type: ignore[arg-type]  # a string's value is a text
    return _read([_Part(part, found.start, spread=False) for part in parts], found, written)


def _is_object_text(value: object) -> bool:
    first = value.parts[0] if isinstance(value, Template) else value
    return isinstance(first, str) and first.lstrip(" \t\r\n\ufeff").startswith("{")


def _read_plain(node: Node) -> Node:
    """The value of a literal text; the text itself where it is no JSON, for the parser to complain about."""
    content = node.text.content
    try:
        if content[node.start : node.start + 1] == '"' and "\n" not in content[node.start : node.end]:
            return read_json(embedded_text(node))
    except InputError:
        return node
    return _read([_Part(piece.value, piece.start, piece.spread) for piece in pieces_of(node)], node, node)


def _substituted(template: Node, argument: Node, evaluator: Evaluator) -> list[_Part]:
    """The parts of a text of Fn::Sub with their places."""
    pieces = pieces_of(template)
    starts: list[int] = []
    at = 0
    for piece in pieces:
        starts.append(at)
        at += len(piece.value)
    found: list[_Part] = []
    variables = sub_arguments(argument)[1]
    at = 0
    for text, name in split_sub(str(template.value)):
        literal_bang = name is None and text != str(template.value)[at : at + len(text)]
        if name is None and not literal_bang:
            found += _spread(evaluator.sub_piece(text, None, {}), at, len(text), pieces, starts)
        else:
            place = _outer(at, pieces, starts)
            found += [_Part(part, place, spread=False) for part in evaluator.sub_piece(text, name, variables)]
        at += len(text) + (1 if literal_bang else 0)
    return found


def _spread(values: Sequence[str | Symbol], at: int, length: int, pieces: Sequence[Piece], starts: Sequence[int]) -> list[_Part]:
    """Literal text in the parts that stand together in the source."""
    if len(values) != 1 or not isinstance(values[0], str):
        return [_Part(value, _outer(at, pieces, starts), spread=False) for value in values]
    text, end = values[0], at + length
    cuts = [at, *(start for start in starts if at < start < end)]
    return [
        _Part(text[first - at : last - at], _outer(first, pieces, starts), spread=True)
        for first, last in zip(cuts, [*cuts[1:], end], strict=True)
    ]


def _outer(at: int, pieces: Sequence[Piece], starts: Sequence[int]) -> int:
    index = max(bisect_right(starts, at) - 1, 0)
    piece = pieces[index]
    return piece.start + (at - starts[index] if piece.spread else 0)


def _read(parts: Sequence[_Part], node: Node, written: Node) -> Node:
    """The JSON value that the parts spell, holes kept; a symbol where the holes are more than texts."""
    symbols: list[Symbol] = []
    content: list[str] = []
    starts: list[int] = []
    at = 0
    for part in parts:
        value = part.value
        if isinstance(value, Symbol):
            symbols.append(value)
            value = f"{_OPEN}{len(symbols) - 1}{_CLOSE}"
        starts.append(at)
        content.append(value)
        at += len(value)
    joined = "".join(content)
    if any(mark in str(part.value) for part in parts for mark in (_OPEN, _CLOSE) if isinstance(part.value, str)):
        return as_written(written)

    def to_outer(offset: int) -> int:
        if not starts:
            return node.start
        index = max(bisect_right(starts, offset) - 1, 0)
        return parts[index].start + (offset - starts[index] if parts[index].spread else 0)

    try:
        found = read_json(Text(joined, outer=node.text, to_outer=to_outer))
    except InputError:
        return as_written(written) if symbols else node
    return _filled(found, symbols) if symbols else found


def _filled(node: Node, symbols: Sequence[Symbol]) -> Node:
    """The tree with the symbols put back."""
    if node.kind == ARRAY:
        return node._replace(value=tuple(_filled(item, symbols) for item in node.items()))
    if node.kind == OBJECT:
        members = tuple(Member(_name(m.key, symbols), m.key_node, _filled(m.value, symbols)) for m in node.members())
        return node._replace(value=members)
    if node.kind == STRING and isinstance(node.value, str) and _OPEN in node.value:
        return text_node(join_parts(_parts(node.value, symbols)), node)
    return node


def _parts(text: str, symbols: Sequence[Symbol]) -> list[str | Symbol]:
    first, *rest = text.split(_OPEN)
    found: list[str | Symbol] = [first]
    for piece in rest:
        number, _, after = piece.partition(_CLOSE)
        found += [symbols[int(number)], after]
    return found


def _name(key: str, symbols: Sequence[Symbol]) -> str:
    """The name of a member; a hole in it is shown as it is written, and so makes it no element."""
    if _OPEN not in key:
        return key
    return "".join(part if isinstance(part, str) else f"${{{part.name}}}" for part in _parts(key, symbols))
