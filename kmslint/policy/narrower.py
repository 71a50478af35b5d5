"""Whether one statement plainly says no more than another, judged by their elements alone.

Sound and cheap, never complete: "no" means only that the elements do not show it. Symbols of a template are compared by name,
so a statement that holds unresolved values can still be shown to say what it said before.
"""

from kmslint.policy.document import Condition, Item, Policy, Statement
from kmslint.tree import ARRAY, OBJECT, Node, Symbol, Value


def is_narrower(statement: Statement, than: Statement) -> bool:
    """Whether `statement` applies only to requests to which `than` applies, and grants no more strongly, shown by elements.

    Both have one effect and stand in policies of one version. A statement of unknown meaning is narrower only than its equal.
    """
    if statement.unknown or than.unknown:
        return meaning(statement) == meaning(than)
    return (
        _principals(statement, than)
        and _items(statement.actions, than.actions, statement.not_action, than.not_action, fold=True)
        and _items(statement.resources, than.resources, statement.not_resource, than.not_resource, fold=False)
        and _conditions(statement) >= _conditions(than)
    )


def meaning(statement: Statement) -> object:
    """A value that two statements share only if they say the same, whatever their Sids, places and the order of lists."""
    if statement.unknown:
        return statement.effect, statement.unknown, plain(statement.node)
    return (
        statement.effect,
        None if statement.principals is None else frozenset((entry.kind, entry.value) for entry in statement.principals),
        None if statement.actions is None else _values(statement.actions, fold=True),
        None if statement.resources is None else _values(statement.resources, fold=False),
        _conditions(statement),
        (statement.not_principal, statement.not_action, statement.not_resource),
    )


def is_same_policy(policy: Policy, other: Policy) -> bool:
    """Whether two policies hold the same statements in any order. A policy of unknown content equals only its own text."""
    if policy.version != other.version or policy.unknown != other.unknown:
        return False
    if policy.unknown and (policy.node is None or other.node is None or plain(policy.node) != plain(other.node)):
        return False
    return {meaning(one) for one in policy.statements} == {meaning(one) for one in other.statements}


def plain(node: Node) -> object:
    """The value of a policy or a statement without its places; members and items in their order.

    One that code computes as a whole (`data.x.y.json`) equals nothing, not even itself: the code may compute something else
    now. An input of the code (`var.x`, a parameter) is the same as long as it is given the same, and so is a symbol inside.
    """
    if isinstance(node.value, Symbol):
        is_input = node.value.own is not None or node.value.name.startswith("var.") or "." not in node.value.name
        return (node.kind, node.value) if is_input else object()
    return _plain(node)


def _plain(node: Node) -> object:
    if node.kind == OBJECT:
        return node.kind, tuple((member.key, _plain(member.value)) for member in node.members())
    if node.kind == ARRAY:
        return node.kind, tuple(_plain(item) for item in node.items())
    return node.kind, node.value


def _principals(statement: Statement, than: Statement) -> bool:
    if statement.principals is None or than.principals is None or statement.not_principal != than.not_principal:
        return False
    ours = {(entry.kind, entry.value) for entry in statement.principals}
    theirs = {(entry.kind, entry.value) for entry in than.principals}
    return theirs == ours if statement.not_principal else ours <= theirs


def _items(ours: tuple[Item, ...] | None, theirs: tuple[Item, ...] | None, is_not: bool, was_not: bool, *, fold: bool) -> bool:
    if ours is None or theirs is None or is_not != was_not:
        return False
    mine, others = _values(ours, fold=fold), _values(theirs, fold=fold)
    return others <= mine if is_not else mine <= others or "*" in others


def _values(items: tuple[Item, ...], *, fold: bool) -> frozenset[Value]:
    return frozenset(item.value.lower() if fold and isinstance(item.value, str) else item.value for item in items)


def _conditions(statement: Statement) -> frozenset[tuple[str, str, frozenset[Value]]]:
    """The conditions as a set. An operator in another case than the documented one is an open point: it is kept as written."""
    return frozenset(map(_condition, statement.conditions))


def _condition(condition: Condition) -> tuple[str, str, frozenset[Value]]:
    return condition.operator, condition.key.lower(), _values(condition.values, fold=False)
