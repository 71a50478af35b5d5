"""tree-sitter's expression nodes → expressions of `syntax`.

Template literals are what stands between the nodes: tree-sitter leaves blanks at their ends out of them.

Source: HashiCorp, "HCL Native Syntax Specification", "Template Expressions".
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.pattern import pattern
from kmslint.sources.hcl.syntax import (
    ITEM,
    Attribute,
    Call,
    Choice,
    Conditional,
    Expression,
    For,
    Hole,
    Index,
    ListOf,
    Literal,
    Loop,
    ObjectOf,
    Operation,
    Part,
    Place,
    Quoted,
    Raw,
    Splat,
    Variable,
)
from kmslint.tree import BOOLEAN, NULL, NUMBER
from kmslint.typed import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH: Final = 80
"""Expressions inside each other. Real code has fewer than 20; the bound keeps hostile input off Python's stack."""

_ESCAPE: Final = pattern(r"\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|\$\$\{|%%\{", re.DOTALL)
_HEREDOC_ESCAPE: Final = pattern(r"\$\$\{|%%\{")
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t"}
_TUPLE_MARKS: Final = frozenset({"[", "]", "{", "}", "(", ")", ",", "comment"})


class Places(Protocol):
    """What turns bytes into characters."""

    text: Text

    def place(self, node: "Node") -> Place:
        """The place of a node."""


def read_expression(source: Places, node: "Node", depth: int) -> Expression:
    """The expression at `node`, inside `depth` others.

    Raises:
        InputError: the expression is nested too deeply, or is none.
    """
    if depth > MAX_DEPTH:
        raise _fault(source, node, f"expressions are nested more than {MAX_DEPTH} deep")
    children = [child for child in node.children if child.type != "comment"]
    if node.type == "expression" or (node.type in _WRAPPERS and len(children) == 1):
        return _sequence(source, children, node, depth)
    return _single(source, node, depth)


_WRAPPERS: Final = frozenset({"literal_value", "collection_value", "template_expr", "for_expr", "operation", "splat", "index"})


def _sequence(source: Places, children: "Sequence[Node]", node: "Node", depth: int) -> Expression:
    """A term and the accesses that follow it: `a.b[0]`. Parentheses are passed over."""
    terms = [child for child in children if child.type not in {"(", ")"}]
    if not terms:
        raise _fault(source, node, "found nothing, expected an expression")
    found = read_expression(source, terms[0], depth + 1)
    return _accesses(source, found, terms[1:], depth)


def _accesses(source: Places, base: Expression, accesses: "Sequence[Node]", depth: int) -> Expression:
    if len(accesses) > MAX_DEPTH:
        raise _fault(source, accesses[0], f"expressions are nested more than {MAX_DEPTH} deep")
    start = base.place.start
    for access in accesses:
        here = source.place(access)
        base = _access(source, base, access, Place(here.text, start, here.end), depth)
    return base


def _access(source: Places, base: Expression, access: "Node", place: Place, depth: int) -> Expression:
    if access.type == "get_attr":
        return Attribute(place, base, source.place(access.children[-1]).written())
    inner = access.children[0] if access.child_count == 1 else access
    if access.type == "index":
        if inner.type == "legacy_index":
            digits = source.place(inner).written().lstrip(".").strip()
            return Index(place, base, Literal(source.place(inner), NUMBER, digits))
        return Index(place, base, read_expression(source, inner.children[1], depth + 1))
    if access.type == "splat":
        marks = [child for child in inner.children if child.type in {"get_attr", "index", "splat"}]
        item = Variable(source.place(inner.children[0]), ITEM)
        return Splat(place, base, _accesses(source, item, marks, depth + 1))
    raise _fault(source, access, "found something that is no access")


def _single(source: Places, node: "Node", depth: int) -> Expression:
    reader = _READERS.get(node.type)
    if reader is None:
        raise _fault(source, node, "found something that is no expression")
    return reader(source, node, depth)


def _number(source: Places, node: "Node", _: int) -> Expression:
    place = source.place(node)
    return Literal(place, NUMBER, place.written())


def _boolean(source: Places, node: "Node", _: int) -> Expression:
    place = source.place(node)
    return Literal(place, BOOLEAN, place.written() == "true")


def _null(source: Places, node: "Node", _: int) -> Expression:
    return Literal(source.place(node), NULL, None)


def _variable(source: Places, node: "Node", _: int) -> Expression:
    place = source.place(node)
    return Variable(place, place.written())


def _call(source: Places, node: "Node", depth: int) -> Expression:
    name = source.place(node.children[0]).written()
    arguments: list[Expression] = []
    expands = False
    for child in node.children:
        if child.type == "function_arguments":
            arguments = [read_expression(source, part, depth + 1) for part in child.children if part.type == "expression"]
            expands = any(part.type == "ellipsis" for part in child.children)
    return Call(source.place(node), name, tuple(arguments), expands)


def _tuple(source: Places, node: "Node", depth: int) -> Expression:
    return ListOf(
        source.place(node),
        tuple(read_expression(source, child, depth + 1) for child in node.children if child.type == "expression"),
    )


def _object(source: Places, node: "Node", depth: int) -> Expression:
    members: list[tuple[Expression, Expression]] = []
    for child in node.children:
        if child.type == "object_elem":
            key, value = [part for part in child.children if part.type == "expression"][:2]
            members.append((_key(source, key, depth), read_expression(source, value, depth + 1)))
    return ObjectOf(source.place(node), tuple(members))


def _key(source: Places, node: "Node", depth: int) -> Expression:
    """The key of an object: a bare name is a string."""
    found = read_expression(source, node, depth + 1)
    if isinstance(found, Variable) and node.children[0].type != "(":
        return Quoted(found.place, (Raw(found.name, found.place.start),))
    return found


def _for(source: Places, node: "Node", depth: int) -> Expression:
    intro = next(child for child in node.children if child.type == "for_intro")
    names = tuple(source.place(child).written() for child in intro.children if child.type == "identifier")
    collection = next(child for child in intro.children if child.type == "expression")
    values = [read_expression(source, child, depth + 1) for child in node.children if child.type == "expression"]
    condition = next((child for child in node.children if child.type == "for_cond"), None)
    return For(
        source.place(node),
        names,
        read_expression(source, collection, depth + 1),
        values[0] if node.type == "for_object_expr" else None,
        values[-1],
        None if condition is None else read_expression(source, condition.children[-1], depth + 1),
        any(child.type == "ellipsis" for child in node.children),
    )


def _conditional(source: Places, node: "Node", depth: int) -> Expression:
    parts = [read_expression(source, child, depth + 1) for child in node.children if child.type == "expression"]
    if len(parts) != 3:
        raise _fault(source, node, "found a condition without both answers")
    return Conditional(source.place(node), parts[0], parts[1], parts[2])


_OPERANDS: Final = frozenset(
    {
        "variable_expr",
        "literal_value",
        "operation",
        "collection_value",
        "template_expr",
        "function_call",
        "for_expr",
        "expression",
        "conditional",
    }
)
_ACCESSES: Final = frozenset({"get_attr", "index", "splat"})


def _operation(source: Places, node: "Node", depth: int) -> Expression:
    """An operation. Operands are terms followed by accesses, with no node around both."""
    operator = ""
    operands: list[Expression] = []
    for child in node.children:
        if child.type in _ACCESSES and operands:
            place = source.place(child)
            operands[-1] = _access(source, operands[-1], child, Place(place.text, operands[-1].place.start, place.end), depth)
        elif child.type in _OPERANDS:
            operands.append(read_expression(source, child, depth + 1))
        elif child.type not in {"(", ")", "comment"}:
            operator = source.place(child).written()
    return Operation(source.place(node), operator, tuple(operands))


def _quoted(source: Places, node: "Node", depth: int) -> Expression:
    return read_parts(source, node, depth, None)


def read_parts(source: Places, node: "Node", depth: int, end: int | None) -> Quoted:
    """The parts of a quoted or heredoc template; a heredoc that a file is wrapped in ends at `end`."""
    place = source.place(node)
    if end is not None:
        return Quoted(Place(place.text, 0, end), _Template(source, _HEREDOC_ESCAPE, depth).parts(node.children, 0, end))
    if node.type == "heredoc_template":
        marks = [child for child in node.children if child.type == "heredoc_identifier"]
        start = place.text.content.find("\n", source.place(marks[0]).end) + 1
        stop = place.text.content.rfind("\n", 0, source.place(marks[-1]).start) + 1
        inner = [child for child in node.children if child.type not in {"heredoc_start", "heredoc_identifier"}]
        parts = _Template(source, _HEREDOC_ESCAPE, depth).parts(inner, start, max(stop, start))
        flush = place.text.content.startswith("<<-", place.start)
        return Quoted(place, _flushed(parts, place.text.content) if flush else parts)
    inner = [child for child in node.children if child.type not in {"quoted_template_start", "quoted_template_end"}]
    return Quoted(place, _Template(source, _ESCAPE, depth).parts(inner, place.start + 1, place.end - 1))


def _flushed(parts: tuple[Part, ...], content: str) -> tuple[Part, ...]:
    from kmslint.sources.hcl.heredocs import flushed

    return flushed(parts, content)


def unquoted(source: Places, node: "Node") -> str:
    """The text of a block label."""
    written = source.place(node).written()
    return written[1:-1] if written.startswith('"') else written


def _is_plain(content: str, start: int, end: int) -> bool:
    """Whether a range holds nothing that could start an escape: so it is with most, and it costs no expression."""
    return all(content.find(mark, start, end) < 0 for mark in ("\\", "$${", "%%{"))


class _Template:
    """The parts of one template."""

    def __init__(self, source: Places, escape: re.Pattern[str], depth: int) -> None:
        self.source = source
        self.escape = escape
        self.depth = depth
        self.trim = False
        """Whether a strip marker said to drop the blanks that follow."""

    def parts(self, nodes: "Sequence[Node]", start: int, end: int) -> tuple[Part, ...]:
        """The parts between `start` and `end`, where `nodes` stand."""
        found: list[Part] = []
        at = start
        for node in nodes:
            if node.type not in _HOLES:
                continue
            place = self.source.place(node)
            self.literal(found, at, place.start, _strips_before(node))
            found += self.part(node)
            at = place.end
        self.literal(found, at, end, strips=False)
        return tuple(found)

    def part(self, node: "Node") -> Sequence[Part]:
        """The part that an interpolation or a directive is."""
        if node.type == "template_interpolation":
            self.trim = _strips_after(node)
            value = next((child for child in node.children if child.type == "expression"), None)
            if value is None:
                return ()
            return (Hole(self.source.place(node), read_expression(self.source, value, self.depth + 1)),)
        return (self.directive(node.children[0] if node.type == "template_directive" else node),)

    def directive(self, node: "Node") -> Part:
        marks = [child for child in node.children if child.type in _DIRECTIVES]
        place = self.source.place(node)
        value = next(child for child in marks[0].children if child.type == "expression")
        read = read_expression(self.source, value, self.depth + 1)
        bodies = [self.between(node, first, second) for first, second in pairwise(marks)]
        self.trim = _strips_after(marks[-1])
        if node.type == "template_for":
            names = tuple(self.source.place(child).written() for child in marks[0].children if child.type == "identifier")
            return Loop(place, names, read, bodies[0])
        return Choice(place, read, bodies[0], bodies[1] if len(bodies) > 1 else ())

    def between(self, node: "Node", first: "Node", second: "Node") -> tuple[Part, ...]:
        """The parts between two marks of a directive."""
        if self.depth > MAX_DEPTH:
            raise _fault(self.source, node, f"expressions are nested more than {MAX_DEPTH} deep")
        inside = [child for child in node.children if first.end_byte <= child.start_byte and child.end_byte <= second.start_byte]
        self.trim = _strips_after(first)
        self.depth += 1
        found: list[Part] = []
        at = self.source.place(first).end
        for child in inside:
            if child.type in _HOLES:
                place = self.source.place(child)
                self.literal(found, at, place.start, _strips_before(child))
                found += self.part(child)
                at = place.end
        self.literal(found, at, self.source.place(second).start, _strips_before(second))
        self.depth -= 1
        return tuple(found)

    def literal(self, found: list[Part], start: int, end: int, strips: bool) -> None:
        """Add the literal text of a range, escapes resolved, blanks dropped where a strip marker says so."""
        content = self.source.text.content
        if self.trim:
            while start < end and content[start] in " \t\r\n":
                start += 1
        if strips:
            while end > start and content[end - 1] in " \t\r\n":
                end -= 1
        self.trim = False
        at = start
        if _is_plain(content, start, end):
            found += [Raw(content[start:end], start)] if start < end else []
            return
        for escape in self.escape.finditer(content, start, end):
            if at < escape.start():
                found.append(Raw(content[at : escape.start()], at))
            found.append(Raw(_unescape(escape.group()), escape.start(), spread=False))
            at = escape.end()
        if at < end:
            found.append(Raw(content[at:end], at))


_HOLES: Final = frozenset({"template_interpolation", "template_directive", "template_for", "template_if"})
_DIRECTIVES: Final = frozenset(
    {"template_for_start", "template_for_end", "template_if_intro", "template_else_intro", "template_if_end"}
)


def _strips_before(node: "Node") -> bool:
    """Whether `${~` or `%{~` opens the node."""
    while node.type in {"template_directive", "template_if", "template_for"}:
        node = node.children[0]
    return len(node.children) > 1 and node.children[1].type == "strip_marker"


def _strips_after(node: "Node") -> bool:
    """Whether `~}` closes the node."""
    return len(node.children) > 2 and node.children[-2].type == "strip_marker"


def _unescape(escape: str) -> str:
    if escape[0] in "$%":
        return escape[1:]
    if escape[1] in "uU" and len(escape) > 2:
        code = int(escape[2:], 16)  # noqa: FURB166  the prefix is no Python prefix
        return "\ufffd" if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF else chr(code)
    return _PLAIN.get(escape[1], escape[1])


def _fault(source: Places, node: "Node", message: str) -> InputError:
    place = source.place(node)
    line, column = place.text.position(place.start)
    return InputError(message, source=place.text.file, line=line, column=column)


_READERS: Final[dict[str, Callable[[Places, "Node", int], Expression]]] = {
    "numeric_lit": _number,
    "bool_lit": _boolean,
    "null_lit": _null,
    "string_lit": _quoted,
    "quoted_template": _quoted,
    "heredoc_template": _quoted,
    "variable_expr": _variable,
    "function_call": _call,
    "tuple": _tuple,
    "object": _object,
    "for_tuple_expr": _for,
    "for_object_expr": _for,
    "conditional": _conditional,
    "unary_operation": _operation,
    "binary_operation": _operation,
}
