"""What an expression is worth, as far as the text determines it; the rest stays a symbol that is named as it was written.

No value is guessed: an operation on something unresolved is itself unresolved, unless every possible value gives the same.

Source: HashiCorp, "HCL Native Syntax Specification", "Expressions"; Terraform Language, "Expressions", "Functions".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from kmslint.sources.hcl import values
from kmslint.sources.hcl.access import item_of, member_of
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
from kmslint.sources.hcl.texts import Piece, Texts
from kmslint.sources.hcl.values import Failure, Limit
from kmslint.tree import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, UNRESOLVED, Member, Node, Symbol
from kmslint.typed import Final, NamedTuple, Protocol

MAX_STEPS: Final = 300_000
"""Expressions evaluated for one root module (about 2 s). A module of a hundred keys takes some 20,000."""

MAX_DEPTH: Final = 110
"""Evaluations inside each other, references included: five Python calls each stay within Python's own limit."""

MAX_ITEMS: Final = 100_000
"""Values in one computed list or object, counted as often as it shows them."""


class References(Protocol):
    """What names mean in one module."""

    address: str
    """`module.a.module.b`, or empty for the root."""

    def reference(self, root: str, name: str, place: Place) -> Node | None:
        """The value of `root.name`, or None if the module cannot tell."""

    def member(self, symbol: str, name: str, place: Place) -> Node | None:
        """The attribute `name` of what a symbol stands for, or None if nothing is known of it."""

    def item(self, symbol: str, key: str, place: Place) -> Node | None:
        """The instance `key` (a number or a quoted text) of what a symbol stands for, or None."""

    def is_object(self, symbol: str) -> bool:
        """Whether the symbol stands for exactly one object."""

    def file(self, path: str) -> Node | None:
        """The text of a file, or None where it may not or cannot be read."""

    def template(self, path: str) -> Expression | None:
        """The template in a file, or None where it may not or cannot be read."""


class Scope(NamedTuple):
    """A module and the names bound inside the expression: `each`, `count`, those of `for` and of dynamic blocks."""

    module: References
    bindings: Mapping[str, Node]

    def bind(self, **more: Node) -> "Scope":
        """The scope with more names."""
        return Scope(self.module, {**self.bindings, **more})


Function = Callable[["Evaluator", Call, list[Node], Scope], Node | None]


class Evaluator:
    """Evaluates expressions within one budget."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self._steps = 0
        self._asked = 0
        self._weights: dict[int, tuple[object, int]] = {}
        self._depth = 0

    def spend(self, count: int, place: Place) -> None:
        """Count work. Raises Limit past MAX_STEPS."""
        self._steps += count
        if self._steps > MAX_STEPS:
            raise Limit(f"reading it takes more than {MAX_STEPS:,} steps", place)

    def evaluate(self, expression: Expression, scope: Scope) -> Node:
        """The value. Raises Failure where Terraform would stop, Limit past a budget, InputError at a bad nested file."""
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                raise Limit(f"references and expressions are nested more than {MAX_DEPTH} deep", expression.place)
            self.spend(1, expression.place)
            found = _EVALUATORS[type(expression)](self, expression, scope)
            if found.kind in {ARRAY, OBJECT} and self.weight(found) > MAX_ITEMS:
                raise Limit(f"a list or an object holds more than {MAX_ITEMS:,} values", expression.place)
            return found
        finally:
            self._depth -= 1

    def deeper(self, place: Place, compute: Callable[[], Node]) -> Node:
        """What `compute` gives, one level deeper: a block that is looked into costs more calls than its expression."""
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                raise Limit(f"references and expressions are nested more than {MAX_DEPTH} deep", place)
            return compute()
        finally:
            self._depth -= 1

    def weight(self, node: Node) -> int:
        """How many values a value shows. Parts that are shared are counted once, and added as often as they are used."""
        if node.kind not in {ARRAY, OBJECT}:
            return 1
        known = self._weights.get(id(node.value))
        if known is None:
            inside = node.items() or [member.value for member in node.members()]
            known = self._weights[id(node.value)] = (node.value, 1 + sum(map(self.weight, inside)))
        return known[1]

    def part(self, expression: Expression, scope: Scope) -> Node:
        """The value of a part of a list or an object: one that has none is a symbol, unless `try` or `can` asks."""
        if self._asked:
            return self.evaluate(expression, scope)
        try:
            return self.evaluate(expression, scope)
        except Failure:
            return self.symbol(expression, scope)

    def asked(self, expression: Expression, scope: Scope) -> Node:
        """The value, for `try` and `can`: every part of it must have one."""
        self._asked += 1
        try:
            return self.evaluate(expression, scope)
        finally:
            self._asked -= 1

    def symbol(self, expression: Expression, scope: Scope) -> Node:
        """The expression as a symbol of its own: its text, with what its local names are bound to."""
        text = values.shown(expression.place.written())
        self.spend(len(scope.bindings), expression.place)
        bound = [f"{name} = {_label(scope.bindings[name])}" for name in sorted(_names(expression)) if name in scope.bindings]
        name = text + (f" with {', '.join(bound)}" if bound else "")
        address = scope.module.address
        return values.unresolved(f"{address}: {name}" if address else name, expression.place)


def _label(node: Node) -> str:
    """A bound value, short, so that two different values have two different labels."""
    parts = values.render_json(node)
    return values.shown("".join(part if isinstance(part, str) else "${" + part.name + "}" for part in parts))


def _names(expression: object) -> "set[str]":
    """The names that start references anywhere in an expression."""
    found: set[str] = set()
    todo: list[object] = [expression]
    while todo:
        part = todo.pop()
        if isinstance(part, Variable):
            found.add(part.name)
        elif isinstance(part, tuple) and not isinstance(part, (Place, Raw, Literal)):
            todo.extend(part)
    return found


# --- literals, lists, objects


def _literal(_: Evaluator, expression: Literal, __: Scope) -> Node:
    place = expression.place
    value = values.number_text(str(expression.value)) if expression.kind == NUMBER else expression.value
    return Node(expression.kind, value, place.text, place.start, place.end)


def _list(self: Evaluator, expression: ListOf, scope: Scope) -> Node:
    return values.array([self.part(item, scope) for item in expression.items], expression.place)


def _object(self: Evaluator, expression: ObjectOf, scope: Scope) -> Node:
    members: list[tuple[str, Node, Node]] = []
    for key_expression, value_expression in expression.members:
        key = self.evaluate(key_expression, scope)
        if not values.is_known(key):
            return key._replace(kind=UNRESOLVED, value=values.symbol_of(self.symbol(key_expression, scope)))
        members.append((str(values.text_of(key)), key, self.part(value_expression, scope)))
    found = {key: Member(key, node, value) for key, node, value in members}
    place = expression.place
    return Node(OBJECT, tuple(found.values()), place.text, place.start, place.end)


# --- templates


def _quoted(self: Evaluator, expression: Quoted, scope: Scope) -> Node:
    parts = expression.parts
    if len(parts) == 1 and isinstance(parts[0], Hole):
        return self.evaluate(parts[0].value, scope)
    pieces = _pieces(self, parts, scope)
    if pieces is None:
        return self.symbol(expression, scope)
    value = values.join_parts([piece.value for piece in pieces])
    if len(value) > values.MAX_TEXT:
        raise Limit(f"a text has more than {values.MAX_TEXT:,} characters", expression.place)
    if "{" in str(value) and len(str(value)) > 1:
        self.texts.spell(value, expression.place.text, pieces)
    place = expression.place
    return Node(STRING, value, place.text, place.start, place.end)


def _pieces(self: Evaluator, parts: Sequence[Part], scope: Scope) -> list[Piece] | None:
    """The pieces of a template, or None where its structure is open."""
    found: list[Piece] = []
    for part in parts:
        if isinstance(part, Raw):
            found.append(Piece(part.value, part.start, part.spread))
        elif isinstance(part, Hole):
            value = values.text_of(self.evaluate(part.value, scope))
            self.spend(len(str(value)) // 100, part.place)
            found += [Piece(piece, part.place.start, spread=False) for piece in values.parts_of(value)]
        else:
            more = _choice(self, part, scope) if isinstance(part, Choice) else _loop(self, part, scope)
            if more is None:
                return None
            found += more
    return found


def _choice(self: Evaluator, part: Choice, scope: Scope) -> list[Piece] | None:
    condition = truth(self.evaluate(part.condition, scope))
    if condition is None:
        return None
    return _pieces(self, part.then if condition else part.otherwise, scope)


def _loop(self: Evaluator, part: Loop, scope: Scope) -> list[Piece] | None:
    pairs = pairs_of(self.evaluate(part.collection, scope))
    if pairs is None:
        return None
    found: list[Piece] = []
    for key, value in pairs:
        pieces = _pieces(self, part.body, scope.bind(**_bound(part.names, key, value)))
        if pieces is None:
            return None
        found += pieces
        self.spend(len(found), part.place)
    return found


# --- references


def _variable(_: Evaluator, expression: Variable, scope: Scope) -> Node:
    bound = scope.bindings.get(expression.name)
    if bound is not None:
        return bound
    return values.unresolved(_prefixed(scope, expression.name), expression.place)


def _prefixed(scope: Scope, name: str) -> str:
    return f"{scope.module.address}.{name}" if scope.module.address else name


def _attribute(self: Evaluator, expression: Attribute, scope: Scope) -> Node:
    base = expression.base
    if isinstance(base, Variable) and base.name not in scope.bindings:
        found = scope.module.reference(base.name, expression.name, expression.place)
        if found is not None:
            return found
    return member_of(self.evaluate(base, scope), expression.name, scope, expression.place)


def _index(self: Evaluator, expression: Index, scope: Scope) -> Node:
    base = self.evaluate(expression.base, scope)
    key = self.evaluate(expression.key, scope)
    if not values.is_known(key):
        return self.symbol(expression, scope)
    found = item_of(base, key, scope, expression.place)
    return self.symbol(expression, scope) if values.is_several(found) else found


def _splat(self: Evaluator, expression: Splat, scope: Scope) -> Node:
    base = self.evaluate(expression.base, scope)
    if base.kind == UNRESOLVED and not scope.module.is_object(values.symbol_of(base).name):
        return self.symbol(expression, scope)
    if base.kind == NULL:
        return values.array((), expression.place)
    items = base.items() if base.kind == ARRAY else (base,)
    found: list[Node] = []
    for item in items:
        value = self.evaluate(expression.body, scope.bind(**{ITEM: item}))
        found.append(values.several(value) if values.is_several(item) and value.kind == UNRESOLVED else value)
    return values.array(found, expression.place)


# --- loops


def pairs_of(node: Node) -> list[tuple[Node, Node]] | None:
    """The keys and values of a collection, in the order of iteration; None where they are not all known to be there.

    Source: HashiCorp, Terraform, "for Expressions", "Result Types": the keys of maps and objects are sorted.
    """
    place = values.place_of(node)
    if node.kind == OBJECT:
        return [(member.key_node._replace(value=member.key, kind=STRING), member.value) for member in _sorted(node)]
    if node.kind == ARRAY:
        if any(map(values.is_several, node.items())):
            return None
        return [(values.number(index, place), item) for index, item in enumerate(node.items())]
    if node.kind == UNRESOLVED:
        return None
    raise Failure(f"{node.kind} has no items", place)


def _sorted(node: Node) -> list[Member]:
    return sorted(node.members(), key=lambda member: member.key)


def _bound(names: Sequence[str], key: Node, value: Node) -> dict[str, Node]:
    return {names[0]: value} if len(names) == 1 else {names[0]: key, names[1]: value}


def _for(self: Evaluator, expression: For, scope: Scope) -> Node:
    pairs = pairs_of(self.evaluate(expression.collection, scope))
    if pairs is None:
        return self.symbol(expression, scope)
    found: list[tuple[Node | None, Node]] = []
    for inner in self_scopes(expression, pairs, scope):
        chosen = True if expression.condition is None else truth(self.evaluate(expression.condition, inner))
        if chosen is None:
            return self.symbol(expression, scope)
        if chosen:
            key = None if expression.key is None else self.evaluate(expression.key, inner)
            found.append((key, self.evaluate(expression.value, inner)))
    if expression.key is None:
        return values.array([value for _, value in found], expression.place)
    if not all(key is not None and values.is_known(key) for key, _ in found):
        return self.symbol(expression, scope)
    pairs_found = [(str(values.text_of(key)), value) for key, value in found if key is not None]
    return _grouped(pairs_found, expression.place) if expression.groups else values.mapping(pairs_found, expression.place)


def self_scopes(expression: For, pairs: Sequence[tuple[Node, Node]], scope: Scope) -> Iterator[Scope]:
    """The scope of each turn of a `for`."""
    for key, value in pairs:
        yield scope.bind(**_bound(expression.names, key, value))


def _grouped(pairs: Sequence[tuple[str, Node]], place: Place) -> Node:
    groups: dict[str, list[Node]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return values.mapping([(key, values.array(group, place)) for key, group in groups.items()], place)


# --- operations


def truth(node: Node) -> bool | None:
    """A condition as a boolean; None if it is not known. Raises Failure for what is none."""
    if node.kind == BOOLEAN:
        return bool(node.value)
    if node.kind == STRING and node.value in {"true", "false"}:
        return node.value == "true"
    if node.kind == UNRESOLVED or (node.kind == STRING and not isinstance(node.value, str)):
        return None
    raise Failure(f"{node.kind} is no condition", values.place_of(node))


def _conditional(self: Evaluator, expression: Conditional, scope: Scope) -> Node:
    from kmslint.sources.hcl.operations import conditional

    return conditional(self, expression, scope)


def _operation(self: Evaluator, expression: Operation, scope: Scope) -> Node:
    from kmslint.sources.hcl.operations import operation

    return operation(self, expression, scope)


# --- calls


def _function(name: str) -> Function | None:
    from kmslint.sources.hcl.functions import FUNCTIONS

    return FUNCTIONS.get(name)


def _call(self: Evaluator, expression: Call, scope: Scope) -> Node:
    if expression.name == "try":
        return _try(self, expression, scope)
    if expression.name == "can":
        return _can(self, expression, scope)
    arguments = [self.evaluate(argument, scope) for argument in expression.arguments]
    if expression.expands and arguments:
        last = arguments.pop()
        if last.kind != ARRAY:
            return self.symbol(expression, scope)
        arguments += last.items()
    function = _function(expression.name.removeprefix("core::"))
    if function is None or any(map(values.is_several, arguments)):
        return self.symbol(expression, scope)
    if len(arguments) > MAX_ITEMS:
        raise Limit(f"a call has more than {MAX_ITEMS:,} arguments", expression.place)
    found = function(self, expression, arguments, scope)
    if found is None:
        return self.symbol(expression, scope)
    if found.kind in {ARRAY, OBJECT}:
        self.spend(len(found.value) // 10, expression.place)  # type: ignore[arg-type]  # a tuple
    return found


def _try(self: Evaluator, expression: Call, scope: Scope) -> Node:
    """The first argument that has a value. One that is unresolved may have none: then nothing is known."""
    for argument in expression.arguments:
        try:
            found = self.asked(argument, scope)
        except Failure:
            continue
        if _exists(found, scope) or argument is expression.arguments[-1]:
            return found
        return self.symbol(expression, scope)
    raise Failure("no argument of `try` has a value", expression.place)


def _exists(node: Node, scope: Scope) -> bool:
    """Whether a value is known to be there: it is known, or made of attributes of blocks that are."""
    if node.kind not in {UNRESOLVED, STRING}:
        return True
    parts = (node.value,) if node.kind == UNRESOLVED else values.parts_of(node.value)  # type: ignore[arg-type]
    symbols = [part for part in parts if isinstance(part, Symbol)]
    return all(symbol.own is not None or _is_there(symbol.name, scope) for symbol in symbols)


def _is_there(name: str, scope: Scope) -> bool:
    """Whether a reference is to a variable or to an attribute of a block that is there."""
    base, _, last = name.rpartition(".")
    return scope.module.is_object(base) or (base.rpartition(".")[2] == "var" and last.isidentifier())


def _can(self: Evaluator, expression: Call, scope: Scope) -> Node:
    try:
        found = self.asked(expression.arguments[0], scope)
    except (Failure, IndexError):
        return values.boolean(False, expression.place)
    return values.boolean(True, expression.place) if _exists(found, scope) else self.symbol(expression, scope)


_EVALUATORS: Final[dict[type, Callable[..., Node]]] = {
    Literal: _literal,
    Quoted: _quoted,
    Variable: _variable,
    Attribute: _attribute,
    Index: _index,
    Splat: _splat,
    Call: _call,
    ListOf: _list,
    ObjectOf: _object,
    For: _for,
    Conditional: _conditional,
    Operation: _operation,
}
