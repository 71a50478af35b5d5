"""The name of a finding that survives moving and reformatting: SHA-256 over what was found, not over where it stands."""

from collections.abc import Iterable, Mapping

from kmslint.model.key import Absent, Fact, Known
from kmslint.policy.document import Statement
from kmslint.sha256 import hexdigest
from kmslint.tree import ARRAY, OBJECT, Node, Symbol, Template


def fingerprint(
    rule: str,
    identity: str,
    *,
    policy: str | None = None,
    statement: Statement | None = None,
    fact: tuple[str, Fact] | None = None,
) -> str:
    """64 hex digits over the rule, the key's identity, and the canonical statement, or the fact's name and value.

    The Sid, the order of members and lists, and whether one value stands in a list of its own do not matter.
    """
    parts = [rule, identity, policy or ""]
    if statement is not None:
        parts.append(canonical(statement.node, without="Sid"))
    elif fact is not None:
        parts += [fact[0], _of_fact(fact[1])]
    return hexdigest(_listed(_quoted(part) for part in parts).encode("utf-8", "surrogatepass"))


def canonical(node: Node, without: str | None = None) -> str:
    """A text that equal values share: members and items sorted, a list of one item as the item. `without` is left out.

    Members of one name are all kept, so that a duplicate is not lost.
    """
    if node.kind == OBJECT:
        members = [_quoted(member.key) + ":" + canonical(member.value) for member in node.members() if member.key != without]
        return "{" + ",".join(sorted(members)) + "}"
    if node.kind == ARRAY:
        items = [canonical(item) for item in node.items()]
        return items[0] if len(items) == 1 else _listed(sorted(items))
    text = node.as_text()
    if isinstance(text, Template):
        return "<" + _quoted(str(text)) + ">"
    return "null" if text is None else _quoted(text)


def _of_fact(fact: Fact) -> str:
    if isinstance(fact, Known):
        return _plain(fact.value)
    return "absent" if isinstance(fact, Absent) else "unknown"


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(_quoted(str(name)) + ":" + _plain(item) for name, item in value.items())) + "}"
    if isinstance(value, (list, tuple)) and not isinstance(value, (Symbol, Template)):
        return _listed(sorted(_plain(item) for item in value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(str(value))


def _listed(items: Iterable[str]) -> str:
    return "[" + ",".join(items) + "]"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
