"""Replace a template's own symbols by what they stand for: the key's account, partition, Region and ARN."""

from collections.abc import Callable, Iterable, Mapping

from kmslint.policy.document import Item, Policy, Statement
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


def open_accounts(policy: Policy) -> tuple[Symbol, ...]:
    """The symbols that stand where a principal ARN has its account, in source order: unresolved, but surely an account."""
    found: dict[Symbol, None] = {}
    for statement in policy.statements:
        for entry in statement.principals or ():
            parts = entry.value.parts if isinstance(entry.value, Template) else ()
            for head, symbol, tail in zip(parts, parts[1:], parts[2:], strict=False):
                is_account = (
                    isinstance(head, str) and head.endswith(("iam::", "sts::")) and isinstance(tail, str) and tail.startswith(":")
                )
                if is_account and isinstance(symbol, Symbol) and symbol.own is None:
                    found[symbol] = None
    return tuple(found)


def substitute(policy: Policy, values: Mapping[Symbol, str]) -> Policy:
    """`policy` with each of these symbols, wherever it stands, replaced by a value tried for it."""
    return policy._replace(
        statements=tuple(_mapped(statement, lambda value: _filled(value, values)) for statement in policy.statements)
    )


def _filled(value: Value, values: Mapping[Symbol, str]) -> Value:
    if isinstance(value, str):
        return value
    return _joined(values.get(part, part) if isinstance(part, Symbol) else part for part in value.parts)


def _statement(statement: Statement, key: KeyContext) -> Statement:
    return _mapped(statement, lambda value: value_of(value, key))


def _mapped(statement: Statement, change: Callable[[Value], Value]) -> Statement:
    if not _has_symbols(statement):
        return statement
    return statement._replace(
        principals=statement.principals and tuple(one._replace(value=change(one.value)) for one in statement.principals),
        actions=statement.actions and _items(statement.actions, change),
        resources=statement.resources and _items(statement.resources, change),
        conditions=tuple(one._replace(values=_items(one.values, change)) for one in statement.conditions),
    )


def _has_symbols(statement: Statement) -> bool:
    return any(isinstance(value, Template) for value in _values(statement))


def _values(statement: Statement) -> list[Value]:
    values: list[Value] = [entry.value for entry in statement.principals or ()]
    values += [item.value for item in (*(statement.actions or ()), *(statement.resources or ()))]
    values += [item.value for condition in statement.conditions for item in condition.values]
    return values


def _items(items: tuple[Item, ...], change: Callable[[Value], Value]) -> tuple[Item, ...]:
    return tuple(item._replace(value=change(item.value)) for item in items)


def value_of(value: Value, key: KeyContext) -> Value:
    """The value with its own symbols replaced; a `str` when nothing else was open."""
    if isinstance(value, str):
        return value
    own: dict[str | None, str | None]
    own = {"account": key.account, "partition": key.partition, "region": key.region, "key_arn": key.arn()}
    return _joined(own.get(part.own) or part if isinstance(part, Symbol) else part for part in value.parts)


def _joined(pieces: Iterable[str | Symbol]) -> Value:
    """One value of these pieces: text where no symbol is left."""
    parts: list[str | Symbol] = []
    for piece in pieces:
        if isinstance(piece, str) and parts and isinstance(parts[-1], str):
            parts[-1] += piece
        else:
            parts.append(piece)
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    return Template(tuple(parts))
