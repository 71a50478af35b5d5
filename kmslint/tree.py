"""A value with its place: what every source hands to the policy parser.

JSON, HCL, YAML and plans all become this tree, so the parser reads one thing. A part that the source could not resolve
(`var.partner`, a template parameter) is a `Symbol`: it equals itself, and nothing else is known of it.
"""

from collections.abc import Mapping, Sequence

from kmslint.location import Location, Text
from kmslint.typed import Final, NamedTuple, Union

OBJECT: Final = "object"
ARRAY: Final = "array"
STRING: Final = "string"
NUMBER: Final = "number"
BOOLEAN: Final = "boolean"
NULL: Final = "null"
UNRESOLVED: Final = "unresolved"


class Symbol(NamedTuple):
    """An unresolved reference. `own` is set when it is by definition the key's own account, partition, region or ARN."""

    name: str
    own: str | None = None
    """"account" | "partition" | "region" | "key_arn" | None."""


class Template(NamedTuple):
    """Text with holes: literal pieces and symbols, in order. Never all literal (that is a `str`)."""

    parts: tuple[Union[str, Symbol], ...]

    def __str__(self) -> str:
        """As a person reads it: symbols as `${name}`."""
        return "".join(part if isinstance(part, str) else "${" + part.name + "}" for part in self.parts)


Value = Union[str, Template]


class Node(NamedTuple):
    """One value and where it stands.

    `value` is, by `kind`: object → tuple of Member, array → tuple of Node, string → str or Template, number → its source
    text, boolean → bool, null → None, unresolved → Symbol (a value of unknown shape).
    """

    kind: str
    value: object
    text: Text
    start: int
    end: int

    def locate(self, pointer: str = "", *, statement: int | None = None, sid: str | None = None) -> Location:
        """The place of this node."""
        return self.text.locate(self.start, self.end, pointer, statement=statement, sid=sid)

    def members(self) -> "tuple[Member, ...]":
        """The members of an object, duplicates included, in source order; () for any other kind."""
        return self.value if self.kind == OBJECT else ()  # type: ignore[return-value]

    def items(self) -> "tuple[Node, ...]":
        """The items of an array; () for any other kind."""
        return self.value if self.kind == ARRAY else ()  # type: ignore[return-value]

    def member(self, key: str) -> "Node | None":
        """The value of the first member called `key`, or None."""
        for member in self.members():
            if member.key == key:
                return member.value
        return None

    def as_text(self) -> Value | None:
        """The text of a string, number or boolean as IAM reads it (`true`, `10`); None for any other kind.

        Source: SEMANTICS §1, "scalar": AWS's own examples write JSON booleans and numbers in conditions.
        """
        if self.kind == STRING:
            return self.value  # type: ignore[return-value]
        if self.kind == NUMBER:
            return str(self.value)
        if self.kind == BOOLEAN:
            return "true" if self.value else "false"
        if self.kind == UNRESOLVED:
            return Template((self.value,))  # type: ignore[arg-type]
        return None


class Member(NamedTuple):
    """One `key: value` of an object, with the place of the key."""

    key: str
    key_node: Node
    value: Node


_NOWHERE: Final = Text("")


def from_python(value: object, text: Text = _NOWHERE) -> Node:
    """The tree of a plain value (dict, list, str, int, float, bool, None), all of it at the start of `text`.

    For rule files and the Python API, where no source places exist. Template and Symbol values are kept.
    """
    if isinstance(value, Mapping):
        members = tuple(Member(str(k), Node(STRING, str(k), text, 0, 0), from_python(v, text)) for k, v in value.items())
        return Node(OBJECT, members, text, 0, 0)
    if isinstance(value, Symbol):
        return Node(UNRESOLVED, value, text, 0, 0)
    if isinstance(value, (str, Template)):
        return Node(STRING, value, text, 0, 0)
    if isinstance(value, Sequence):
        return Node(ARRAY, tuple(from_python(item, text) for item in value), text, 0, 0)
    if isinstance(value, bool):
        return Node(BOOLEAN, value, text, 0, 0)
    if isinstance(value, (int, float)):
        return Node(NUMBER, repr(value), text, 0, 0)
    if value is None:
        return Node(NULL, None, text, 0, 0)
    raise TypeError(f"not a JSON value: {value!r}")
