"""How predicates put a question to the reasoning core: described statements in IAM's own grammar."""

from collections.abc import Mapping

from kmslint.model.key import Key
from kmslint.policy.document import Policy, Statement
from kmslint.policy.parse import parse_statements
from kmslint.tree import from_python
from kmslint.typed import Final

Described = Mapping[str, object]


def policies(key: Key) -> tuple[Policy, ...]:
    """The key's policies in the order that `StatementRef.policy` counts."""
    return tuple(named.policy for named in key.policies)


def allows_only(key: Key) -> tuple[Policy, ...]:
    """The same policies without their Denies: what would be allowed if nothing were taken away."""
    return tuple(
        policy._replace(statements=tuple(statement for statement in policy.statements if statement.effect != "Deny"))
        for policy in policies(key)
    )


MAX_DESCRIBED: Final = 1_024
"""Described sets that are remembered: predicates ask the same of every key, and `reason` remembers what it prepared for one."""

_DESCRIBED: Final[dict[str, tuple[Statement, ...]]] = {}


def describe(*statements: Described) -> tuple[Statement, ...]:
    """The requests that any of `statements` describes. Effect and Resource are filled in: a question has no other."""
    known = repr(statements)
    found = _DESCRIBED.get(known)
    if found is None:
        if len(_DESCRIBED) >= MAX_DESCRIBED:
            _DESCRIBED.clear()
        full = [{"Effect": "Allow", "Resource": "*", **statement} for statement in statements]
        found = _DESCRIBED[known] = parse_statements(from_python(full))[0]
    return found


def conditions(*parts: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """Several Condition elements as one: operator by operator, later keys win."""
    merged: dict[str, dict[str, object]] = {}
    for part in parts:
        for operator, keys in part.items():
            merged.setdefault(operator, {}).update(keys)
    return merged
