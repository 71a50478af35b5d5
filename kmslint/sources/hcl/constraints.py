"""Type constraints of variables, as far as they change a value: optional attributes and texts that are numbers.

Source: HashiCorp, Terraform Language, "Type Constraints", "Optional Object Type Attributes".
"""

from kmslint.sources.hcl import values
from kmslint.sources.hcl.expressions import Evaluator, Scope
from kmslint.sources.hcl.syntax import Call, Expression, ObjectOf, Quoted, Raw, Variable
from kmslint.tree import ARRAY, BOOLEAN, NUMBER, OBJECT, STRING, Node
from kmslint.typed import Final

_COLLECTIONS: Final = frozenset({"list", "set", "map"})


def converted(node: Node, type: Expression, evaluator: Evaluator, scope: Scope) -> Node:
    """The value as its type constraint makes it."""
    if isinstance(type, Variable):
        return _scalar(node, type.name)
    if not isinstance(type, Call) or not type.arguments:
        return node
    inner = type.arguments[0]
    if type.name == "object" and node.kind == OBJECT and isinstance(inner, ObjectOf):
        return _object(node, inner, evaluator, scope)
    if type.name in _COLLECTIONS and node.kind == ARRAY:
        evaluator.spend(len(node.items()), type.place)
        return node._replace(value=tuple(converted(item, inner, evaluator, scope) for item in node.items()))
    if type.name == "map" and node.kind == OBJECT:
        evaluator.spend(len(node.members()), type.place)
        members = tuple(member._replace(value=converted(member.value, inner, evaluator, scope)) for member in node.members())
        return node._replace(value=members)
    return node


def _scalar(node: Node, name: str) -> Node:
    if name == "string" and node.kind in {NUMBER, BOOLEAN}:
        return values.string(values.text_of(node), values.place_of(node))
    if name == "bool" and node.kind == STRING and node.value in {"true", "false"}:
        return values.boolean(node.value == "true", values.place_of(node))
    return node


def _object(node: Node, type: ObjectOf, evaluator: Evaluator, scope: Scope) -> Node:
    """The object with the attributes of its type and no others."""
    found: list[tuple[str, Node]] = []
    for key, constraint in type.members:
        name = "".join(part.value for part in key.parts if isinstance(part, Raw)) if isinstance(key, Quoted) else ""
        is_optional = isinstance(constraint, Call) and constraint.name == "optional" and bool(constraint.arguments)
        inner = constraint.arguments[0] if isinstance(constraint, Call) and is_optional else constraint
        value = node.member(name)
        if (
            (value is None or value.kind == "null")
            and isinstance(constraint, Call)
            and is_optional
            and len(constraint.arguments) > 1
        ):
            value = evaluator.evaluate(constraint.arguments[1], scope)
        if value is None:
            value = values.null(values.place_of(node))
        found.append((name, converted(value, inner, evaluator, scope)))
    return values.mapping(found, values.place_of(node))
