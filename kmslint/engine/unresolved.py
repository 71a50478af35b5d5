"""Where the values stand that a template leaves open, and what would settle an answer that depends on them."""

from collections.abc import Iterable, Iterator

from kmslint.model.key import Key
from kmslint.policy.document import Statement
from kmslint.tree import UNRESOLVED, Node, Symbol, Template
from kmslint.typed import Final

MAX_TOLD: Final = 3
"""Places that one answer names."""

_LEFT_OPEN: Final = "could not be resolved"
_SETTLED: Final = {
    "terraform": "a plan knows it",
    "plan": "it is known after the apply: kmslint scan reads the key then",
    "cloudformation": "a stack knows it: kmslint scan reads the key there",
}


def explained(reason: str, key: Key) -> str:
    """`reason`, why an answer is undetermined, with the place of each value of a template that it names and what settles it."""
    settled = _SETTLED.get(key.source.type)
    if settled is None:
        return reason
    places: dict[str, str] = {}
    for symbol, node in _symbols(key):
        if symbol.own is None and symbol.name not in places and f"{symbol.name}" in reason:
            line, column = node.text.position(node.start)
            places[symbol.name] = f"`{symbol.name}` stands at {node.text.file or node.text.uri}:{line}:{column}"
            if len(places) == MAX_TOLD:
                break
    if not places:
        return f"{reason}; {settled}" if _LEFT_OPEN in reason else reason
    is_variable = key.source.type == "cloudformation" or any("var." in name for name in places)
    options = "--param" if key.source.type == "cloudformation" else "--param or --var-file"
    given = f"{options} gives its value, or {settled}" if is_variable and key.source.type != "plan" else settled
    return f"{reason}; {', '.join(places.values())}: {given}"


def _symbols(key: Key) -> Iterator[tuple[Symbol, Node]]:
    """The symbols of the policies, each with a value that it stands in."""
    for named in key.policies:
        if named.policy.node is not None:
            yield from _in_node(named.policy.node)
        for statement in named.policy.statements:
            yield from _in_statement(statement)


def _in_statement(statement: Statement) -> Iterator[tuple[Symbol, Node]]:
    items = [*(statement.actions or ()), *(statement.resources or ())]
    items += [item for condition in statement.conditions for item in condition.values]
    entries = [(entry.value, entry.node) for entry in statement.principals or ()] + [(item.value, item.node) for item in items]
    for value, node in entries:
        if isinstance(value, Template):
            yield from ((part, node) for part in value.parts if isinstance(part, Symbol))
    for node in (statement.node, *(member.value for member in statement.node.members())):
        yield from _in_node(node)


def _in_node(node: Node) -> Iterable[tuple[Symbol, Node]]:
    """The symbol that a node as a whole is."""
    return ((node.value, node),) if node.kind == UNRESOLVED and isinstance(node.value, Symbol) else ()
