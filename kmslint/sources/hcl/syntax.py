"""The parts of an HCL file as values: blocks, attributes and expressions, each with its place.

Source: HashiCorp, "HCL Native Syntax Specification": structural elements, expressions, templates.
"""

from collections.abc import Callable

from kmslint.location import Location, Text
from kmslint.typed import Final, NamedTuple, Union

ITEM: Final = "\0item"
"""The variable that stands for one element inside a splat."""


class Place(NamedTuple):
    """A range of characters of a text."""

    text: Text
    start: int
    end: int

    def written(self) -> str:
        """What stands there."""
        return self.text.content[self.start : self.end]

    def locate(self, pointer: str = "") -> Location:
        """The `Location` of the range."""
        return self.text.locate(self.start, self.end, pointer)


class Literal(NamedTuple):
    """A number (its text), a boolean or null; `kind` is the kind of the tree."""

    place: Place
    kind: str
    value: object


class Raw(NamedTuple):
    """Literal text of a template; character i stands at `start + i`, all of it at `start` when `spread` is false."""

    value: str
    start: int
    spread: bool = True


class Hole(NamedTuple):
    """`${…}` in a template."""

    place: Place
    value: "Expression"


class Choice(NamedTuple):
    """`%{ if }` in a template."""

    place: Place
    condition: "Expression"
    then: "tuple[Part, ...]"
    otherwise: "tuple[Part, ...]"


class Loop(NamedTuple):
    """`%{ for }` in a template."""

    place: Place
    names: tuple[str, ...]
    collection: "Expression"
    body: "tuple[Part, ...]"


Part = Union[Raw, Hole, Choice, Loop]


class Quoted(NamedTuple):
    """A string, quoted or a heredoc."""

    place: Place
    parts: tuple[Part, ...]


class Variable(NamedTuple):
    """A name that starts a reference."""

    place: Place
    name: str


class Attribute(NamedTuple):
    """`base.name`."""

    place: Place
    base: "Expression"
    name: str


class Index(NamedTuple):
    """`base[key]`."""

    place: Place
    base: "Expression"
    key: "Expression"


class Splat(NamedTuple):
    """`base[*]…` or `base.*…`; `body` is what is taken of each element, the variable `ITEM`."""

    place: Place
    base: "Expression"
    body: "Expression"


class Call(NamedTuple):
    """`name(arguments)`; `expands` when the last argument is followed by `...`."""

    place: Place
    name: str
    arguments: "tuple[Expression, ...]"
    expands: bool


class ListOf(NamedTuple):
    """`[a, b]`."""

    place: Place
    items: "tuple[Expression, ...]"


class ObjectOf(NamedTuple):
    """`{ a = b }`; a bare name as key is a string."""

    place: Place
    members: "tuple[tuple[Expression, Expression], ...]"


class For(NamedTuple):
    """`[for k, v in collection : value if condition]`, or with a `key` the form in braces; `groups` for `...`."""

    place: Place
    names: tuple[str, ...]
    collection: "Expression"
    key: "Expression | None"
    value: "Expression"
    condition: "Expression | None"
    groups: bool


class Conditional(NamedTuple):
    """`condition ? then : otherwise`."""

    place: Place
    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"


class Operation(NamedTuple):
    """A unary (one operand) or binary operation."""

    place: Place
    operator: str
    operands: "tuple[Expression, ...]"


Expression = Union[Literal, Quoted, Variable, Attribute, Index, Splat, Call, ListOf, ObjectOf, For, Conditional, Operation]


class Argument:
    """`name = expression`. The expression is read when first asked for: most are never needed."""

    __slots__ = ("_expression", "_read", "name", "place")

    def __init__(self, name: str, place: Place, read: "Callable[[], Expression]") -> None:
        self.name = name
        self.place = place
        self._read = read
        self._expression: Expression | None = None

    def expression(self) -> Expression:
        """The right-hand side. Raises InputError where it is nested too deeply."""
        if self._expression is None:
            self._expression = self._read()
        return self._expression


class Body(NamedTuple):
    """What stands between braces."""

    arguments: dict[str, Argument]
    blocks: "tuple[Block, ...]"


class Block:
    """`kind "label" … { … }`. The body is read when first asked for."""

    __slots__ = ("_body", "_read", "kind", "labels", "place")

    def __init__(self, kind: str, labels: tuple[str, ...], place: Place, read: Callable[[], Body]) -> None:
        self.kind = kind
        self.labels = labels
        self.place = place
        self._read = read
        self._body: Body | None = None

    def body(self) -> Body:
        """The arguments and the nested blocks."""
        if self._body is None:
            self._body = self._read()
        return self._body

    def argument(self, name: str) -> Argument | None:
        """The argument called `name`, or None."""
        return self.body().arguments.get(name)

    def nested(self, kind: str) -> "tuple[Block, ...]":
        """The nested blocks of a kind, `dynamic` blocks that make such blocks included, in order."""
        return tuple(block for block in self.body().blocks if block.kind == kind or is_dynamic(block, kind))


def is_dynamic(block: Block, kind: str) -> bool:
    """Whether the block is `dynamic "kind"`."""
    return block.kind == "dynamic" and block.labels == (kind,)
