"""Replace a template's own symbols by what they stand for: the key's account, partition, Region and ARN."""

from kmslint.policy.document import Condition, Item, Policy, Principal, Statement
from kmslint.policy.request import KeyContext
from kmslint.tree import Symbol, Template, Value


def own_symbols(policy: Policy) -> frozenset[str]:
    """Which of the key's own values ("account", "partition", "region", "key_arn") the policy holds as symbols."""
    found = (
        part.own
        for statement in policy.statements
        for value in _values(statement)
        if isinstance(value, Template)
        for part in value.parts
        if isinstance(part, Symbol)
    )
    return frozenset(own for own in found if own is not None)


def bind(policy: Policy, key: KeyContext) -> Policy:
    """`policy` with every symbol that is by definition the key's own replaced by its value in `key`, where that is known."""
    statements = tuple(_statement(statement, key) for statement in policy.statements)
    return policy if statements == policy.statements else policy._replace(statements=statements)


def _statement(statement: Statement, key: KeyContext) -> Statement:
    if not _has_symbols(statement):
        return statement
    return statement._replace(
        principals=None if statement.principals is None else tuple(_principal(entry, key) for entry in statement.principals),
        actions=_items(statement.actions, key),
        resources=_items(statement.resources, key),
        conditions=tuple(_condition(condition, key) for condition in statement.conditions),
    )


def _has_symbols(statement: Statement) -> bool:
    return any(isinstance(value, Template) for value in _values(statement))


def _values(statement: Statement) -> list[Value]:
    values: list[Value] = [entry.value for entry in statement.principals or ()]
    values += [item.value for item in (*(statement.actions or ()), *(statement.resources or ()))]
    values += [item.value for condition in statement.conditions for item in condition.values]
    return values


def _principal(entry: Principal, key: KeyContext) -> Principal:
    return entry._replace(value=value_of(entry.value, key))


def _items(items: tuple[Item, ...] | None, key: KeyContext) -> tuple[Item, ...] | None:
    return None if items is None else tuple(item._replace(value=value_of(item.value, key)) for item in items)


def _condition(condition: Condition, key: KeyContext) -> Condition:
    return condition._replace(values=_items(condition.values, key) or ())


def value_of(value: Value, key: KeyContext) -> Value:
    """The value with its own symbols replaced; a `str` when nothing else was open."""
    if isinstance(value, str):
        return value
    own = {"account": key.account, "partition": key.partition, "region": key.region, "key_arn": key.arn()}
    parts: list[str | Symbol] = []
    for part in value.parts:
        known = own.get(part.own or "") if isinstance(part, Symbol) else part
        piece = part if known is None else known
        if isinstance(piece, str) and parts and isinstance(parts[-1], str):
            parts[-1] += piece
        else:
            parts.append(piece)
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    return Template(tuple(parts))
