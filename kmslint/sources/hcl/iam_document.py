"""`data "aws_iam_policy_document"` → the policy document that the provider makes of it, each part with its place.

Source: hashicorp/aws provider, data source aws_iam_policy_document: "source_policy_documents", "override_policy_documents",
"principals and not_principals", "condition"; the provider joins several conditions of the same test and variable, writes
`&{…}` as the policy variable `${…}`, and lets a later statement with the same Sid replace an earlier one.
"""

from collections.abc import Iterator, Sequence

from kmslint.errors import InputError
from kmslint.sources.hcl import values
from kmslint.sources.hcl.expressions import Scope, pairs_of
from kmslint.sources.hcl.syntax import Block, Conditional, Expression, Place
from kmslint.sources.hcl.texts import Encoded
from kmslint.sources.hcl.values import Failure, Limit
from kmslint.tree import ARRAY, NULL, OBJECT, STRING, UNRESOLVED, Member, Node, Symbol, Template
from kmslint.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kmslint.sources.hcl.modules import Module
    from kmslint.sources.hcl.world import Instance

VERSION: Final = "2012-10-17"

MAX_STATEMENTS: Final = 5_000
"""Statements of one document. A key policy of 32 KB has room for some 500."""

_LISTS: Final = (
    ("actions", "Action"),
    ("not_actions", "NotAction"),
    ("resources", "Resource"),
    ("not_resources", "NotResource"),
)


class _Statement(NamedTuple):
    """A statement, its Sid (None if unresolved, empty if none), and why it may not be there."""

    node: Node
    sid: str | None
    doubt: str | None = None


class _Document(NamedTuple):
    """A policy document in the making."""

    version: Node | None
    id: Node | None
    statements: tuple[_Statement, ...]


class _Open(Exception):
    """The document as a whole cannot be told."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node


def read_document(module: "Module", instance: "Instance") -> Encoded:
    """The document of a data block. Unresolved as a whole where what it is merged from decides over its statements."""
    try:
        return _Reading(module, instance).document()
    except _Open as open_:
        return Encoded(open_.node)


class _Reading:
    """One reading of one data block."""

    def __init__(self, module: "Module", instance: "Instance") -> None:
        self.module = module
        self.block = instance.block
        self.scope = instance.scope
        self.place = instance.block.place

    def document(self) -> Encoded:
        merged = _Document(None, None, ())
        for source in self.documents("source_policy_documents", "source_json"):
            merged = self.merge(merged, self.other(source, overrides=False))
        merged = self.merge(merged, self.own())
        for override in self.documents("override_policy_documents", "override_json"):
            merged = self.merge(merged, self.other(override, overrides=True))
        return self.encoded(merged)

    def encoded(self, merged: _Document) -> Encoded:
        pairs: list[tuple[str, Node]] = []
        if merged.version is not None:
            pairs.append(("Version", merged.version))
        if merged.id is not None:
            pairs.append(("Id", merged.id))
        pairs.append(("Statement", values.array([statement.node for statement in merged.statements], self.place)))
        doubts = tuple((number, statement.doubt) for number, statement in enumerate(merged.statements) if statement.doubt)
        return Encoded(values.mapping(pairs, self.place), doubts)

    # merging

    def documents(self, plural: str, singular: str) -> list[Node]:
        """The JSON texts of an argument, in order; a null or empty one is none."""
        found: list[Node] = []
        several = self.value(plural, self.block, self.scope)
        if several is not None and several.kind == UNRESOLVED:
            found.append(values.several(several))
        elif several is not None:
            found += several.items()
        single = self.value(singular, self.block, self.scope)
        if single is not None:
            found.append(single)
        return [node for node in found if node.kind != NULL and node.value != ""]

    def other(self, node: Node, *, overrides: bool) -> _Document:
        """A document that is merged in. One that is unresolved adds a statement that could be any."""
        try:
            encoded = self.module.world.evaluator.texts.decode(node)
        except InputError as error:
            self.module.world.report(error)
            encoded = Encoded(values.unresolved("a document that is not JSON", values.place_of(node)))
        if encoded.node.kind != OBJECT:
            if overrides:
                raise _Open(encoded.node if encoded.node.kind == UNRESOLVED else values.unresolved("a document", self.place))
            return _Document(None, None, (_Statement(encoded.node, ""),))
        doubts = dict(encoded.doubts)
        listed = encoded.node.member("Statement")
        items = () if listed is None else listed.items() if listed.kind == ARRAY else (listed,)
        statements = tuple(_Statement(item, _sid(item), doubts.get(number)) for number, item in enumerate(items))
        return _Document(encoded.node.member("Version"), encoded.node.member("Id"), statements)

    def merge(self, old: _Document, new: _Document) -> _Document:
        """The two documents as one."""
        statements = list(old.statements)
        count = len(statements) + len(new.statements)
        self.module.world.evaluator.spend(count, self.place)
        if count > MAX_STATEMENTS:
            raise Limit(f"the document has more than {MAX_STATEMENTS:,} statements", self.place)
        for statement in new.statements:
            at = None
            if statement.sid != "":
                if statement.sid is None and any(known.sid != "" for known in statements):
                    raise _Open(values.unresolved(f"the Sid {_sid_text(statement.node)}", self.place))
                if any(known.sid is None for known in statements):
                    raise _Open(values.unresolved("a Sid that another may replace", self.place))
                at = next((number for number, known in enumerate(statements) if known.sid == statement.sid), None)
            if at is None:
                statements.append(statement)
            elif statement.doubt is None:
                statements[at] = statement
            else:
                statements[at] = statements[at]._replace(doubt=statements[at].doubt or statement.doubt)
                statements.append(statement)
        return _Document(_later(old.version, new.version), new.id or old.id, tuple(statements))

    # the block's own statements

    def own(self) -> _Document:
        version = self.value("version", self.block, self.scope) or values.string(VERSION, self.place)
        id = self.value("policy_id", self.block, self.scope)
        statements = [
            self.statement(block, scope, doubt) for block, scope, doubt in self.expanded(self.block, "statement", self.scope)
        ]
        return _Document(version, None if id is None or id.value == "" else id, tuple(statements))

    def statement(self, block: Block, scope: Scope, doubt: str | None) -> _Statement:
        pairs: list[tuple[str, Node]] = []
        sid = self.value("sid", block, scope)
        if sid is not None and sid.value != "":
            pairs.append(("Sid", _as_string(sid)))
        pairs.append(("Effect", self.value("effect", block, scope) or values.string("Allow", block.place)))
        for name, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
            found = self.principals(block, name, scope)
            if found is not None:
                pairs.append((element, found))
        for name, element in _LISTS:
            listed = self.value(name, block, scope)
            if listed is not None and listed.value != ():
                pairs.append((element, self.list_of(listed, variables="resources" in name)))
        conditions = self.conditions(block, scope)
        if conditions is not None:
            pairs.append(("Condition", conditions))
        node = values.mapping(pairs, block.place)
        return _Statement(node, _sid(node), doubt)

    def list_of(self, node: Node, *, variables: bool = True) -> Node:
        """A set of strings. One string is what the provider writes for a set of one."""
        if node.kind != ARRAY:
            return node
        items = [_with_variables(_as_string(item)) if variables else _as_string(item) for item in node.items()]
        return items[0] if len(items) == 1 and items[0].kind == STRING else node._replace(value=tuple(items))

    def principals(self, block: Block, name: str, scope: Scope) -> Node | None:
        """The Principal element that the blocks of a statement make together."""
        found: dict[str, tuple[Node, list[Node]]] = {}
        for inner, inside, doubt in self.expanded(block, name, scope):
            type = self.value("type", inner, inside)
            listed = self.value("identifiers", inner, inside)
            if doubt is not None:
                return values.unresolved(doubt, inner.place)
            if type is None or type.kind != STRING or not isinstance(type.value, str):
                return type if type is not None and type.kind == UNRESOLVED else values.unresolved("type", inner.place)
            identifiers = self.list_of(listed) if listed is not None else values.array((), inner.place)
            several = [_as_item(identifiers)] if identifiers.kind == UNRESOLVED else list(identifiers.items()) or [identifiers]
            if identifiers.kind == ARRAY and not identifiers.items():
                several = []
            found.setdefault(type.value, (type, []))[1].extend(several)
        if not found:
            return None
        if set(found) == {"*"} and [item.value for item in found["*"][1]] == ["*"]:
            return values.string("*", values.place_of(found["*"][1][0]))
        place = block.place
        members = tuple(Member(kind, type, self._one_or_list(items, place)) for kind, (type, items) in found.items())
        return Node(OBJECT, members, place.text, place.start, place.end)

    def _one_or_list(self, items: Sequence[Node], place: Place) -> Node:
        return items[0] if len(items) == 1 and items[0].kind == STRING else values.array(items, place)

    def conditions(self, block: Block, scope: Scope) -> Node | None:
        """The Condition element: several conditions of one test and variable are one."""
        found: dict[str, tuple[Node, dict[str, tuple[Node, list[Node]]]]] = {}
        for inner, inside, doubt in self.expanded(block, "condition", scope):
            test = self.value("test", inner, inside)
            variable = self.value("variable", inner, inside)
            listed = self.value("values", inner, inside)
            if doubt is not None:
                return values.unresolved(doubt, inner.place)
            for node in (test, variable):
                if node is None or node.kind != STRING or not isinstance(node.value, str):
                    name = node if node is not None and node.kind == UNRESOLVED else None
                    return name or values.unresolved("a condition that is not known", inner.place)
            identifiers = self.list_of(listed) if listed is not None else values.array((), inner.place)
            several = [_as_item(identifiers)] if identifiers.kind == UNRESOLVED else list(identifiers.items()) or [identifiers]
            if identifiers.kind == ARRAY and not identifiers.items():
                several = []
            by_key = found.setdefault(str(test.value), (test, {}))[1]  # type: ignore[union-attr,arg-type]  # a string, as tested
            by_key.setdefault(str(variable.value), (variable, []))[1].extend(several)  # type: ignore[union-attr,arg-type]
        if not found:
            return None
        blocks: list[Member] = []
        place = block.place
        for operator, (operator_node, by_key) in found.items():
            members = tuple(Member(key, node, self._one_or_list(items, place)) for key, (node, items) in by_key.items())
            blocks.append(
                Member(operator, operator_node, Node(OBJECT, members, place.text, operator_node.start, operator_node.end))
            )
        return Node(OBJECT, tuple(blocks), place.text, place.start, place.end)

    # blocks and arguments

    def value(self, name: str, block: Block, scope: Scope) -> Node | None:
        """The value of an argument; None where it is absent or null."""
        argument = block.argument(name)
        if argument is None:
            return None
        found = self.module.value(argument, scope)
        return None if found.kind == NULL else found

    def expanded(self, block: Block, kind: str, scope: Scope) -> Iterator[tuple[Block, Scope, str | None]]:
        """The blocks of a kind, those that dynamic blocks make included, each with its scope and why it may not be there."""
        for inner in block.nested(kind):
            if inner.kind == kind:
                yield inner, scope, None
            else:
                yield from self.dynamic(inner, kind, scope)

    def dynamic(self, block: Block, kind: str, scope: Scope) -> Iterator[tuple[Block, Scope, str | None]]:
        content = next((inner for inner in block.body().blocks if inner.kind == "content"), None)
        argument = block.argument("for_each")
        if content is None or argument is None:
            return
        iterator = block.argument("iterator")
        name = values.shown(iterator.place.written().partition("=")[2].strip()) if iterator is not None else kind
        pairs, doubt = self.turns(argument.expression(), scope)
        for key, item in pairs:
            bound = values.mapping([("key", key), ("value", item)], argument.place)
            yield content, Scope(scope.module, {**scope.bindings, name: bound}), doubt

    def turns(self, expression: Expression, scope: Scope) -> tuple[list[tuple[Node, Node]], str | None]:
        """What a dynamic block repeats for, and why it may not: an open condition may give either of its lists."""
        evaluator = self.module.world.evaluator
        try:
            value = evaluator.evaluate(expression, scope)
        except Failure:
            value = evaluator.symbol(expression, scope)
        pairs = None if value.kind in {UNRESOLVED, NULL} else pairs_of(value)
        if pairs is not None:
            return pairs, None
        if value.kind == NULL:
            return [], None
        reason = f"`{values.symbol_of(value).name}` could not be resolved, and decides whether the statement is there"
        if isinstance(expression, Conditional):
            sides = [self.turns(side, scope)[0] for side in (expression.then, expression.otherwise)]
            return [*sides[0], *sides[1]], reason
        if value.kind == ARRAY:
            return [(values.number(number, values.place_of(item)), item) for number, item in enumerate(value.items())], reason
        name = values.symbol_of(value).name
        each = values.unresolved(f"{name}[*]", expression.place)
        return [(values.unresolved(f"{name}[*].key", expression.place), each)], reason


def _as_item(node: Node) -> Node:
    """An unresolved list as the one item of a list."""
    return values.several(node)


def _as_string(node: Node) -> Node:
    """An item of a list of strings: unresolved or not, it is one string, unless it stands for several."""
    if node.kind == UNRESOLVED and not values.is_several(node):
        return node._replace(kind=STRING, value=Template((values.symbol_of(node),)))
    if node.kind in {"number", "boolean"}:
        return values.string(values.text_of(node), values.place_of(node))
    return node


def _with_variables(node: Node) -> Node:
    """A text in which `&{` opens a policy variable."""
    if node.kind != STRING:
        return node
    parts = values.parts_of(node.value)  # type: ignore[arg-type]  # a string's value is a text
    if not any(isinstance(part, str) and "&{" in part for part in parts):
        return node
    changed: list[str | Symbol] = [part.replace("&{", "${") if isinstance(part, str) else part for part in parts]
    return node._replace(value=changed[0] if len(changed) == 1 else Template(tuple(changed)))


def _sid(node: Node) -> str | None:
    """The Sid of a statement: empty if it has none, None if it is not known."""
    if node.kind != OBJECT:
        return ""
    sid = node.member("Sid")
    if sid is None or sid.kind == NULL:
        return ""
    return sid.value if isinstance(sid.value, str) else None


def _sid_text(node: Node) -> str:
    sid = node.member("Sid")
    return str(sid.as_text()) if sid is not None else ""


def _later(old: Node | None, new: Node | None) -> Node | None:
    """The later of two versions."""
    if old is None or new is None:
        return new or old
    return new if str(new.value) > str(old.value) else old
