"""The attribute or item of a value.

Source: HashiCorp, "HCL Native Syntax Specification", "Index Operator", "Attribute Access Operator".
"""

from kmslint.sources.hcl import values
from kmslint.sources.hcl.syntax import Place
from kmslint.sources.hcl.values import Failure
from kmslint.tree import ARRAY, NUMBER, OBJECT, UNRESOLVED, Node
from kmslint.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from kmslint.sources.hcl.expressions import Scope


def member_of(node: Node, name: str, scope: "Scope", place: Place) -> Node:
    """The attribute `name` of a value. Raises Failure where it has none."""
    if node.kind == OBJECT:
        found = node.member(name)
        if found is None:
            raise Failure(f"there is no `{values.shown(name)}`", place)
        return found
    if node.kind == UNRESOLVED:
        symbol = values.symbol_of(node)
        if values.is_several(node):
            return values.unresolved(f"{symbol.name}.{name}", place)
        return scope.module.member(symbol.name, name, place) or values.unresolved(f"{symbol.name}.{name}", place)
    if node.kind == ARRAY and name.isdigit():
        return item_of(node, values.number(name, place), scope, place)
    raise Failure(f"{node.kind} has no attribute `{values.shown(name)}`", place)


def item_of(node: Node, key: Node, scope: "Scope", place: Place) -> Node:
    """The item at a known key. Raises Failure where there is none."""
    text = str(values.text_of(key))
    if node.kind == OBJECT:
        return member_of(node, text, scope, place)
    if node.kind == UNRESOLVED:
        name = values.symbol_of(node).name
        label = text if key.kind == NUMBER else '"' + values.shown(text) + '"'
        return scope.module.item(name, label, place) or values.unresolved(f"{name}[{label}]", place)
    if node.kind == ARRAY:
        items = node.items()
        if not text.isdigit() or len(text) > 9:
            raise Failure(f"`{values.shown(text)}` is no index", place)
        before = items[: int(text) + 1]
        if any(map(values.is_several, before)):
            return values.several(next(item for item in before if values.is_several(item)))
        if int(text) >= len(items):
            raise Failure(f"there is no item {text}", place)
        return items[int(text)]
    raise Failure(f"{node.kind} has no items", place)
