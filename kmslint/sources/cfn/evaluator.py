"""What an expression of a template is worth, as far as the text determines it.

What is not determined is a symbol that bears the name the author wrote: a parameter, a resource, an attribute, or the whole
expression. The account, partition and Region of the stack are the key's own.

Source: CloudFormation User Guide, "Intrinsic function reference", "Pseudo parameters reference", "Dynamic references".
"""

from collections.abc import Callable, Mapping, Sequence

from kmslint.sources.cfn import values
from kmslint.sources.cfn.given import MAX_WORK, Given, Open
from kmslint.sources.cfn.holes import FOREIGN, closed, split_sub, sub_arguments
from kmslint.sources.cfn.template import KEY_TYPES, Resource, Template
from kmslint.sources.cfn.values import Limit, as_written, join_parts, literal, parts_of, symbol_node, text_node
from kmslint.tree import ARRAY, OBJECT, STRING, Member, Node, Symbol, Value
from kmslint.tree import Template as Text
from kmslint.typed import Final

MAX_DEPTH: Final = 100
"""Expressions inside each other, through references too. A text is nested no deeper."""

_PSEUDO: Final = {
    "AWS::AccountId": "account",
    "AWS::Partition": "partition",
    "AWS::Region": "region",
    "AWS::StackId": None,
    "AWS::StackName": None,
    "AWS::NotificationARNs": None,
}
_NO_VALUE: Final = "AWS::NoValue"
_ATOMS: Final = frozenset({"account", "partition", "region"})
"""Own symbols: their values hold no `:`, `/` or `,`."""

_ROLES: Final[Mapping[str, tuple[str, str]]] = {
    # type: (the word in its ARN, the property that names it)
    "AWS::IAM::Role": ("role", "RoleName"),
    "AWS::IAM::User": ("user", "UserName"),
}
_SERVERLESS_FUNCTION: Final = "AWS::Serverless::Function"
_LISTS: Final = ("CommaDelimitedList", "List<")
_STORED: Final = "AWS::SSM::Parameter::Value"


class Evaluator:
    """Evaluates the expressions of one template in one scenario.

    `scenario` settles parameters and comparisons; with `asks`, what it does not settle raises Open (conditions), else the
    default of a parameter counts; with `opens_empty` an empty one does not. `conditions` answers Fn::If; None is unknown.
    """

    def __init__(
        self,
        template: Template,
        given: Given,
        *,
        scenario: Mapping[str, "str | bool | None"] | None = None,
        conditions: Callable[[str], bool | None] = lambda _: None,
        current: Resource | None = None,
        budget: list[int] | None = None,
        asks: bool = False,
        opens_empty: bool = False,
    ) -> None:
        self.template = template
        self.given = given
        self.scenario = scenario or {}
        self.conditions = conditions
        self.current = current
        self.asks = asks
        self.opens_empty = opens_empty
        self.budget = budget if budget is not None else [MAX_WORK]
        self._depth = 0
        self._pending: set[tuple[str, str]] = set()

    def spend(self, amount: int) -> None:
        """Count work. Raises Limit past MAX_WORK."""
        self.budget[0] -= amount
        if self.budget[0] < 0:
            raise Limit(f"the template takes more than {MAX_WORK:,} steps to evaluate")

    def value(self, node: Node) -> Node | None:
        """The value of an expression; None for AWS::NoValue, which takes a member or an item away."""
        self.spend(1)
        if self._depth >= MAX_DEPTH:
            return as_written(node)
        self._depth += 1
        try:
            return self._value(node)
        finally:
            self._depth -= 1

    def _value(self, node: Node) -> Node | None:
        if node.kind == OBJECT:
            return self._object(node)
        if node.kind == ARRAY:
            return node._replace(value=tuple(found for item in node.items() if (found := self.value(item)) is not None))
        if node.kind == STRING and isinstance(node.value, str):
            return self._text(node, node.value)
        return node

    def text(self, node: Node) -> Value | None:
        """The text of an expression; None where it is a list, an object or nothing."""
        found = self.value(node)
        return None if found is None else found.as_text()

    # objects

    def _object(self, node: Node) -> Node | None:
        members = node.members()
        if len(members) == 1:
            function = _FUNCTIONS.get(members[0].key)
            if function is not None:
                return function(self, members[0].value, node)
        if any(member.key.startswith("Fn::") for member in members):
            return as_written(node)
        found = []
        for member in members:
            value = self.value(member.value)
            if value is not None:
                found.append(Member(self._name(member.key), member.key_node, value))
        return node._replace(value=tuple(found))

    def _name(self, key: str) -> str:
        """The name of a member: loops may fill it in."""
        bindings = self.current.bindings if self.current is not None else {}
        for name, value in bindings.items():
            key = key.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", value)
        return key

    # texts

    def _text(self, node: Node, text: str) -> Node:
        """A text with what is filled in everywhere."""
        self.spend(len(text) >> 6)
        if "{" not in text:
            return node
        parts = self.foreign_parts(text)
        return node if len(parts) == 1 and isinstance(parts[0], str) else text_node(join_parts(parts), node)

    def foreign_parts(self, text: str) -> list[str | Symbol]:
        """A literal text and the holes that stand in any text."""
        if "{{" not in text and "#{" not in text and "${" not in text:
            return [text]
        found: list[str | Symbol] = []
        at = 0
        for hole in FOREIGN.finditer(text):
            found.append(text[at : hole.start()])
            found += self.reference(hole.group(1)) if hole.group(1) else [Symbol(values.shown(hole.group().strip("${}")))]
            at = hole.end()
        found.append(text[at:])
        return found

    def reference(self, name: str) -> tuple[str | Symbol, ...]:
        """The text of `${Name}` or `${Name.Attribute}`."""
        place = self._nowhere()
        id, dot, attribute = name.partition(".")
        node = self._attribute(id, attribute, place) if dot else self._reference(name, place)
        value = node.as_text()
        return (Symbol(name),) if value is None else parts_of(value)

    def _nowhere(self) -> Node:
        return next(iter(self.template.resources.values())).node

    # references

    def _ref(self, argument: Node, node: Node) -> Node | None:
        name = literal(argument)
        if name is None:
            return as_written(node)
        return None if name == _NO_VALUE else self._reference(name, node)

    def _reference(self, name: str, node: Node) -> Node:
        """The value of a parameter, a pseudo parameter or a resource."""
        bindings = self.current.bindings if self.current is not None else {}
        if name in bindings:
            return text_node(bindings[name], node)
        if name == "AWS::URLSuffix":
            return text_node(self.given.suffix, node)
        if name in _PSEUDO:
            return self._pseudo(name, node)
        if name in self.template.parameters:
            return self._parameter(name, node)
        resource = self.template.resources.get(name)
        if resource is not None and resource.type in _ROLES:
            return self._property(resource, _ROLES[resource.type][1], node) or symbol_node(name, node)
        if resource is not None and resource.type == "AWS::S3::Bucket":
            return self._property(resource, "BucketName", node) or symbol_node(name, node)
        return symbol_node(name, node)

    def _pseudo(self, name: str, node: Node) -> Node:
        if self.asks:
            known = self._given(name)
            if known is not None:
                return text_node(known, node)
            settled = self._settled(name)
            if settled is not None:
                return text_node(settled, node)
        return symbol_node(name, node, _PSEUDO[name])

    def _given(self, name: str) -> str | None:
        """What the user said of the stack, under the name of a pseudo parameter."""
        given = self.given
        return {"AWS::AccountId": given.account, "AWS::Region": given.region, "AWS::Partition": given.partition}.get(name)

    def _settled(self, name: str) -> str | None:
        """The value that the scenario gives; None for another one than those it is compared with. Raises Open."""
        if name not in self.scenario:
            raise Open(name)
        found = self.scenario[name]
        return found if isinstance(found, str) else None

    def _parameter(self, name: str, node: Node) -> Node:
        """A parameter: as given, as the scenario has it, or its default."""
        declared = self.template.parameters[name]
        type = literal(declared.member("Type")) or "String"
        if name in self.given.parameters:
            return self._typed(self.given.parameters[name], type, node)
        if self.asks or name in self.scenario:
            settled = self._settled(name)
            is_open = settled is None or (self.opens_empty and settled == "")
            return symbol_node(name, node) if is_open else self._typed(str(settled), type, node)
        default = declared.member("Default")
        hidden = declared.member("NoEcho")
        text = literal(default)
        is_open = text is None or (self.opens_empty and text == "") or type.startswith(_STORED)
        if text is None or is_open or (hidden is not None and literal(hidden) != "false"):
            return symbol_node(name, node)
        return self._typed(text, type, node)

    def _typed(self, text: str, type: str, node: Node) -> Node:
        self.spend(len(text) >> 3)
        if type.startswith(_LISTS):
            return node._replace(kind=ARRAY, value=tuple(text_node(part.strip(), node) for part in text.split(",")))
        parts = self.foreign_parts(text)
        return text_node(join_parts(parts), node)

    def _get_att(self, argument: Node, node: Node) -> Node | None:
        items = argument.items()
        if items:
            names = [literal(item) for item in items]
            if len(names) < 2 or None in names:
                return as_written(node)
            return self._attribute(str(names[0]), ".".join(str(name) for name in names[1:]), node)
        id, dot, attribute = (literal(argument) or "").partition(".")
        return self._attribute(id, attribute, node) if dot else as_written(node)

    def _attribute(self, id: str, attribute: str, node: Node) -> Node:
        """An attribute of a resource. A role is one of the key's own account, whatever it is called.

        Source: IAM User Guide, "IAM identifiers"; SAM Developer Guide, "Generated CloudFormation resources".
        """
        name = f"{id}.{attribute}"
        resource = self.template.resources.get(id)
        if attribute == "Arn":
            if self.current is not None and id == self.current.id and self.current.type in KEY_TYPES:
                return symbol_node(name, node, "key_arn")
            if resource is not None and resource.type in _ROLES:
                return self._role_arn(resource, node)
            if resource is None and self._is_generated_role(id):
                return self._arn(("role/", Symbol(id)), node)
        return symbol_node(name, node)

    def _is_generated_role(self, id: str) -> bool:
        function = self.template.resources.get(id.removesuffix("Role")) if id.endswith("Role") else None
        return function is not None and function.type == _SERVERLESS_FUNCTION and function.property("Role") is None

    def _role_arn(self, resource: Resource, node: Node) -> Node:
        word, naming = _ROLES[resource.type]
        name = self._property(resource, naming, node)
        path = self._property(resource, "Path", node)
        name_value = name.as_text() if name is not None else None
        path_value = path.as_text() if path is not None else "/"
        tail = parts_of(name_value) if name_value is not None else (Symbol(resource.id),)
        middle = parts_of(path_value) if path_value is not None else (Symbol(f"{resource.id}.Path"),)
        return self._arn((word, *middle, *tail), node)

    def _arn(self, tail: tuple[str | Symbol, ...], node: Node) -> Node:
        head = ("arn:", Symbol("AWS::Partition", "partition"), ":iam::", Symbol("AWS::AccountId", "account"), ":")
        return text_node(join_parts((*head, *tail)), node)

    def _property(self, resource: Resource, name: str, node: Node) -> Node | None:
        """A property of another resource, at the place of `node`; None where it is not set."""
        found = resource.property(name)
        asked = (resource.id, name)
        if found is None or asked in self._pending:
            return None
        self._pending.add(asked)
        try:
            value = self.value(found)
        finally:
            self._pending.discard(asked)
        return None if value is None or value.as_text() is None else node._replace(kind=value.kind, value=value.value)

    # texts made of others

    def _sub(self, argument: Node, node: Node) -> Node | None:
        parts = self.sub_parts(argument)
        return as_written(node) if parts is None else text_node(join_parts(closed(parts)), node)

    def sub_parts(self, argument: Node) -> list[str | Symbol] | None:
        """The pieces of Fn::Sub, or None where its text is not known."""
        template, variables = sub_arguments(argument)
        if template is None:
            return None
        found: list[str | Symbol] = []
        for piece, name in split_sub(str(template.value)):
            found += self.sub_piece(piece, name, variables)
        self.spend(sum(len(part) for part in found if isinstance(part, str)) >> 3)
        return found

    def sub_piece(self, piece: str, name: str | None, variables: Mapping[str, Node]) -> list[str | Symbol]:
        """The text of one part of Fn::Sub: literal, or the hole called `name`."""
        if name is None:
            return self.foreign_parts(piece)
        if name in variables:
            value = self.text(variables[name])
            return [Symbol(name)] if value is None else list(parts_of(value))
        return list(self.reference(name))

    def _join(self, argument: Node, node: Node) -> Node | None:
        items = argument.items()
        delimiter = literal(self.value(items[0])) if len(items) == 2 else None
        found = self.value(items[1]) if delimiter is not None else None
        if delimiter is None or found is None or found.kind != ARRAY:
            return as_written(node)
        parts: list[str | Symbol] = []
        for index, item in enumerate(found.items()):
            value = item.as_text()
            if value is None:
                return as_written(node)
            parts += [delimiter] if index and delimiter else []
            parts += parts_of(value)
        self.spend(sum(len(part) for part in parts if isinstance(part, str)) >> 3)
        return text_node(join_parts(closed(parts)), node)

    def _split(self, argument: Node, node: Node) -> Node | None:
        items = self._split_items(argument, node)
        return as_written(node) if items is None or None in items else node._replace(kind=ARRAY, value=tuple(items))

    def _split_items(self, argument: Node, node: Node) -> list[Node | None] | None:
        """The items of Fn::Split; one that holds an open symbol is None and the last. None where nothing is known.

        Own symbols hold no `:`, `/` or `,`, so an ARN with them can be split.
        """
        items = argument.items()
        delimiter = literal(self.value(items[0])) if len(items) == 2 else None
        source = self.text(items[1]) if delimiter else None
        if not delimiter or source is None:
            return None
        found: list[list[str | Symbol]] = [[]]
        is_open = False
        for part in parts_of(source):
            if isinstance(part, Symbol):
                is_open = part.own not in _ATOMS or delimiter not in {":", "/", ","}
                found[-1].append(part)
            else:
                first, *rest = part.split(delimiter)
                found[-1].append(first)
                found += [[piece] for piece in rest]
            if is_open:
                break
        self.spend(len(found))
        known = [text_node(join_parts(parts), node) for parts in (found[:-1] if is_open else found)]
        return [*known, None] if is_open else list(known)

    def _select(self, argument: Node, node: Node) -> Node | None:
        items = argument.items()
        index = literal(self.value(items[0])) if len(items) == 2 else None
        if index is None or not (index.isdecimal() and index.isascii() and len(index) < 6):
            return as_written(node)
        split = items[1].member("Fn::Split")
        listed = None if split is not None else self.value(items[1])
        chosen: Sequence[Node | None] = (
            (self._split_items(split, node) or ()) if split is not None else listed.items() if listed else ()
        )
        found = chosen[int(index)] if int(index) < len(chosen) else None
        return as_written(node) if found is None else found

    def _find_in_map(self, argument: Node, node: Node) -> Node | None:
        items = argument.items()
        names = [self._map_key(item) for item in items[:3]]
        default = items[3].member("DefaultValue") if len(items) == 4 else None
        if len(names) < 3 or self.template.mappings is None or names[0] is None:
            return as_written(node)
        table = self.template.mappings.member(names[0])
        rows = [] if table is None else [row.value for row in table.members() if names[1] in {None, row.key}]
        cells = [cell.value for row in rows for cell in row.members() if names[2] in {None, cell.key}]
        if not cells:
            return self.value(default) if default is not None and None not in names else as_written(node)
        self.spend(len(cells))
        if None in names and (default is not None or len({values.plain(cell) for cell in cells}) > 1):
            return as_written(node)
        cell = cells[0]
        if cell.kind in {OBJECT, ARRAY}:
            return cell
        found = self._text(cell, cell.value) if isinstance(cell.value, str) else cell
        return found._replace(text=node.text, start=node.start, end=node.end)

    def _map_key(self, node: Node) -> str | None:
        """A key of a mapping: the Region and the account count where they are given."""
        value = self.text(node)
        if isinstance(value, Text) and len(value.parts) == 1 and isinstance(value.parts[0], Symbol):
            return {"region": self.given.region, "account": self.given.account}.get(value.parts[0].own or "")
        return value if isinstance(value, str) else None

    # others

    def _if(self, argument: Node, node: Node) -> Node | None:
        items = argument.items()
        name = literal(items[0]) if len(items) == 3 else None
        if name is None:
            return as_written(node)
        holds = self.conditions(name)
        if holds is not None:
            return self.value(items[1] if holds else items[2])
        yes, no = self.value(items[1]), self.value(items[2])
        return yes if values.plain(yes) == values.plain(no) else as_written(node)

    def _import_value(self, argument: Node, node: Node) -> Node | None:
        name = self.text(argument)
        return as_written(node) if name is None else symbol_node(f"Fn::ImportValue {values.shown(str(name))}", node)

    def _base64(self, argument: Node, node: Node) -> Node | None:
        text = literal(self.value(argument))
        if text is None:
            return as_written(node)
        from base64 import b64encode

        return text_node(b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii"), node)


_Function = Callable[[Evaluator, Node, Node], "Node | None"]

_FUNCTIONS: Final[Mapping[str, _Function]] = {
    "Ref": Evaluator._ref,  # noqa: SLF001
    "Fn::Sub": Evaluator._sub,  # noqa: SLF001
    "Fn::Join": Evaluator._join,  # noqa: SLF001
    "Fn::GetAtt": Evaluator._get_att,  # noqa: SLF001
    "Fn::If": Evaluator._if,  # noqa: SLF001
    "Fn::FindInMap": Evaluator._find_in_map,  # noqa: SLF001
    "Fn::Select": Evaluator._select,  # noqa: SLF001
    "Fn::Split": Evaluator._split,  # noqa: SLF001
    "Fn::ImportValue": Evaluator._import_value,  # noqa: SLF001
    "Fn::Base64": Evaluator._base64,  # noqa: SLF001
}
