"""`.tf.json` → blocks.

Source: HashiCorp, Terraform Language, "JSON Configuration Syntax".
"""

from collections.abc import Callable, Iterator

from kmslint.errors import InputError
from kmslint.jsontext import embedded_text, read_json
from kmslint.location import Text
from kmslint.sources.hcl.reader import read_template
from kmslint.sources.hcl.syntax import Argument, Block, Body, Expression, ListOf, Literal, ObjectOf, Place, Quoted, Raw
from kmslint.tree import ARRAY, OBJECT, STRING, Member, Node
from kmslint.typed import Final

_LABELS: Final = {"resource": 2, "data": 2, "module": 1, "variable": 1, "output": 1, "provider": 1, "dynamic": 1}
"""How many labels a block of a kind has."""


def read_json_blocks(text: Text) -> tuple[tuple[Block, ...], tuple[InputError, ...]]:
    """The blocks of a `.tf.json` file, and what could not be read of it."""
    try:
        root = read_json(text)
    except InputError as error:
        return (), (error,)
    if root.kind != OBJECT:
        return (), (InputError("expected an object of blocks", source=text.file, line=1, column=1),)
    return tuple(_blocks(root.members())), ()


def read_json_arguments(text: Text) -> tuple[dict[str, Argument], tuple[InputError, ...]]:
    """The arguments of a `.tfvars.json` file: its texts are no templates."""
    try:
        root = read_json(text)
    except InputError as error:
        return {}, (error,)
    return {member.key: Argument(member.key, _place(member.value), _plain_of(member.value)) for member in root.members()}, ()


def _blocks(members: tuple[Member, ...]) -> Iterator[Block]:
    for member in members:
        yield from _labelled(member.key, (), _LABELS.get(member.key, 0), member, member.value)


def _labelled(kind: str, labels: tuple[str, ...], missing: int, member: Member, node: Node) -> Iterator[Block]:
    """The blocks in `node`, whose remaining labels are its names."""
    if node.kind == ARRAY:
        for item in node.items():
            yield from _labelled(kind, labels, missing, member, item)
    elif node.kind == OBJECT and missing:
        for inner in node.members():
            yield from _labelled(kind, (*labels, inner.key), missing - 1, inner, inner.value)
    elif node.kind == OBJECT:
        place = Place(node.text, member.key_node.start if len(labels) else node.start, node.end)
        yield Block(kind, labels, place, _body_of(node))


def _body_of(node: Node) -> Callable[[], Body]:
    def read() -> Body:
        members = tuple(member for member in node.members() if member.key != "//")
        arguments = {
            member.key: Argument(
                member.key, Place(node.text, member.key_node.start, member.value.end), _expression_of(member.value)
            )
            for member in members
        }
        return Body(arguments, tuple(_blocks(tuple(member for member in members if member.value.kind in {OBJECT, ARRAY}))))

    return read


def _expression_of(node: Node) -> Callable[[], Expression]:
    return lambda: _expression(node, templates=True)


def _plain_of(node: Node) -> Callable[[], Expression]:
    return lambda: _expression(node, templates=False)


def _expression(node: Node, *, templates: bool) -> Expression:
    place = _place(node)
    if node.kind == STRING:
        return _string(node, templates=templates)
    if node.kind == ARRAY:
        return ListOf(place, tuple(_expression(item, templates=templates) for item in node.items()))
    if node.kind == OBJECT:
        pairs = ((_string(m.key_node, templates=templates), _expression(m.value, templates=templates)) for m in node.members())
        return ObjectOf(place, tuple(pairs))
    return Literal(place, node.kind, node.value)


def _string(node: Node, *, templates: bool) -> Expression:
    """A text, which in a configuration is a template."""
    value = node.value if isinstance(node.value, str) else ""
    text = embedded_text(node)
    if templates and ("${" in value or "%{" in value):
        return read_template(text)
    return Quoted(Place(text, 0, len(value)), (Raw(value, 0),) if value else ())


def _place(node: Node) -> Place:
    return Place(node.text, node.start, node.end)
