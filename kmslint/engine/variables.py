"""`${kmslint:…}`: what rules may ask about that only the key and the settings know.

A list splices into the list it stands in. An empty list describes nobody: a condition that asks for one of its members is
false, so its statement describes no request, and one that asks for none of them is true, so it falls away.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from kmslint.aws import actions
from kmslint.errors import RuleError
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.pattern import pattern
from kmslint.policy.document import Statement
from kmslint.policy.operators import ALL, NULL, lookup
from kmslint.tree import Symbol, Template, from_python
from kmslint.typed import Final, Union

STRANGER_IP: Final = "192.88.99.77"
"""An address from which nobody calls: public to every test for private and reserved ranges, yet of no organization.

The range was for 6to4 relays and is withdrawn (RFC 7526). The ranges for documentation (RFC 5737) would not do: policies
copied from documentation name them, and a stranger must stand outside the ranges that a policy names.
"""

GRANT_ACTIONS: Final = ("kms:CreateGrant", "kms:RevokeGrant", "kms:RetireGrant")

Plain = Union[str, int, Template]
"""A value of a variable: text, a number, or text that the source left open."""
Value = Union[Plain, tuple[Plain, ...]]

_OPEN: Final = "${kmslint:"
_HOLE: Final = pattern(r"\$\{kmslint:([^}]*)\}")
_ORGANIZATION: Final = pattern(r"o-[a-z0-9]{10,32}\Z")
_MAX_DEPTH: Final = 32
_MAX_PRODUCTS: Final = 100_000
"""Values that one text with several list variables in it may become: an organization has at most some thousands of accounts."""


class _Empty:
    """What an empty list leaves where one value stood."""


_EMPTY: Final = _Empty()


def _own(key: Key, settings: Settings) -> str | None:
    del settings
    return key.account


def _trusted_accounts(key: Key, settings: Settings) -> tuple[Plain, ...]:
    owner = () if key.account is None else (key.account,)
    return tuple(dict.fromkeys((*owner, *settings.trusted_accounts)))


def _named_accounts(key: Key, settings: Settings) -> tuple[Plain, ...]:
    return tuple(dict.fromkeys((*_trusted_accounts(key, settings), *accounts_in(key))))


def _named_organizations(key: Key, settings: Settings) -> tuple[Plain, ...]:
    found = (text.split("/", 1)[0] for text in _condition_texts(key))
    return tuple(dict.fromkeys((*settings.trusted_organizations, *(name for name in found if _ORGANIZATION.match(name)))))


def _named_userids(key: Key, settings: Settings) -> tuple[Plain, ...]:
    del settings
    named = (text for name, text in _conditions(key) if name == "aws:userid")
    return tuple(dict.fromkeys(text for text in named if not re.search(r"[*?$]", text.split(":", 1)[0])))


def _prefixed(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"kms:{name}" for name in names)


_Reader = Callable[[Key, Settings], "Value | None"]

_READERS: Final[Mapping[str, _Reader]] = {
    "owner": _own,
    "key-arn": lambda key, settings: key.arn,  # noqa: ARG005
    "key-id": lambda key, settings: key.key_id,  # noqa: ARG005
    "region": lambda key, settings: key.region,  # noqa: ARG005
    "partition": lambda key, settings: key.partition,  # noqa: ARG005
    "trusted-accounts": _trusted_accounts,
    "trusted-organizations": lambda key, settings: settings.trusted_organizations,  # noqa: ARG005
    "named-accounts": _named_accounts,
    "named-organizations": _named_organizations,
    "named-userids": _named_userids,
    "key-admins": lambda key, settings: settings.key_admins,  # noqa: ARG005
    "break-glass": lambda key, settings: settings.break_glass,  # noqa: ARG005
    "admins": lambda key, settings: tuple(dict.fromkeys(settings.key_admins + settings.break_glass)),  # noqa: ARG005
    "regions": lambda key, settings: settings.regions or (),  # noqa: ARG005
    "services-only": lambda key, settings: settings.services_only or (),  # noqa: ARG005
    "required-tags": lambda key, settings: settings.required_tags,  # noqa: ARG005
    "approved-deletions": lambda key, settings: settings.approved_deletions,  # noqa: ARG005
    "cross-account-actions": lambda key, settings: _prefixed(actions.CROSS_ACCOUNT),  # noqa: ARG005
    "crypto-actions": lambda key, settings: _prefixed(actions.CRYPTO),  # noqa: ARG005
    "admin-actions": lambda key, settings: _prefixed(actions.ADMIN),  # noqa: ARG005
    "grant-actions": lambda key, settings: GRANT_ACTIONS,  # noqa: ARG005
    "stranger-ip": lambda key, settings: STRANGER_IP,  # noqa: ARG005
    "deletion-window-days": lambda key, settings: settings.deletion_window_days,  # noqa: ARG005
    "rotation-days": lambda key, settings: settings.rotation_days,  # noqa: ARG005
    "manual-rotation-days": lambda key, settings: settings.manual_rotation_days,  # noqa: ARG005
    "material-expiry-days": lambda key, settings: settings.material_expiry_days,  # noqa: ARG005
    "unused-days": lambda key, settings: settings.unused_days,  # noqa: ARG005
    "max-grant-age-days": lambda key, settings: settings.max_grant_age_days,  # noqa: ARG005
    "log-retention-days": lambda key, settings: settings.log_retention_days,  # noqa: ARG005
}

NAMES: Final = tuple(_READERS)
"""Every variable, without `kmslint:`."""

_SYMBOLS: Final = {"owner": "account", "key-arn": "key_arn", "region": "region"}
"""What stands in for a variable that is not known: a symbol of the key's own (`tree.Symbol.own`)."""


def names_in(value: object, depth: int = _MAX_DEPTH) -> Iterator[str]:
    """The variables that a plain value (dict, list, str …) mentions, keys of tables included."""
    if isinstance(value, str):
        whole = _whole(value)
        yield from _holes(value) if whole is None else (whole,)
    elif isinstance(value, Mapping) and depth:
        for name, item in value.items():
            yield from names_in(name, depth - 1)
            yield from names_in(item, depth - 1)
    elif isinstance(value, list) and depth:
        for item in value:
            yield from names_in(item, depth - 1)


def _whole(text: str) -> str | None:
    """The variable that is all of `text`."""
    return text[len(_OPEN) : -1] if text.startswith(_OPEN) and text.find("}") == len(text) - 1 else None


def _holes(text: str) -> list[str]:
    return _HOLE.findall(text) if _OPEN in text else []


def resolve(value: object, key: Key, settings: Settings) -> object:
    """`value` with every variable replaced: a plain value again, in which a list has spliced into its list.

    A variable alone in a text gives its own type (a number, a list); within a longer text it gives one text per member. What
    is not known becomes a Template.
    """
    found = _resolve(value, key, settings)
    return [] if isinstance(found, _Empty) else found


def describe(statements: Sequence[Mapping[str, object]], key: Key, settings: Settings, where: str) -> tuple[Statement, ...]:
    """The described set of a rule as parsed statements; () when every one of them describes nothing.

    Raises RuleError when a statement violates the policy grammar. `where` names the rule.
    """
    known = (id(statements), *(_value(name, key, settings) for name in _names_of(statements)))
    remembered = _DESCRIBED.get(known)
    if remembered is None:
        if len(_DESCRIBED) >= MAX_DESCRIBED:
            _DESCRIBED.clear()
        remembered = _DESCRIBED[known] = (statements, _parse(statements, key, settings, where))
    return remembered[1]


MAX_DESCRIBED: Final = 2_048
"""Described sets that are remembered, by rule block and values of the variables in it."""

_DESCRIBED: Final[dict[tuple[object, ...], tuple[object, tuple[Statement, ...]]]] = {}
_NAMES_OF: Final[dict[int, tuple[object, tuple[str, ...]]]] = {}


def _names_of(statements: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    found = _NAMES_OF.get(id(statements))
    if found is None:
        found = _NAMES_OF[id(statements)] = (statements, tuple(dict.fromkeys(names_in(list(statements)))))
    return found[1]


def _parse(statements: Sequence[Mapping[str, object]], key: Key, settings: Settings, where: str) -> tuple[Statement, ...]:
    from kmslint.policy.parse import parse_statements

    plain = [bound for statement in statements if (bound := _bind(statement, key, settings)) is not None]
    if not plain:
        return ()
    parsed, diagnostics = parse_statements(from_python(plain))
    if diagnostics:
        raise RuleError(f"a described statement is not one: {diagnostics[0].message}", source=where, help=diagnostics[0].help)
    return parsed


def accounts_in(key: Key) -> tuple[str, ...]:
    """Every account that stands literally in the key's policies, in principals or conditions, in source order.

    As a value of its own, or as the account of an ARN, even of an ARN pattern. `*` and `?` in the account name nobody.
    """
    found = (account_in(text) for text in (*_principal_texts(key), *_condition_texts(key)))
    return tuple(dict.fromkeys(account for account in found if account is not None))


@lru_cache(maxsize=4096)
def account_in(text: str) -> str | None:
    """The account that a principal or a condition value names: twelve digits, or the fifth part of an ARN."""
    if _is_account(text):
        return text
    parts = text.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[0] == "arn" and _is_account(parts[4]) else None


def _is_account(text: str) -> bool:
    return len(text) == 12 and text.isascii() and text.isdigit()


def _principal_texts(key: Key) -> Iterator[str]:
    for named in key.policies:
        for statement in named.policy.statements:
            for entry in statement.principals or ():
                if isinstance(entry.value, str):
                    yield entry.value


def _conditions(key: Key) -> Iterator[tuple[str, str]]:
    for named in key.policies:
        for statement in named.policy.statements:
            for condition in statement.conditions:
                for item in condition.values:
                    if isinstance(item.value, str):
                        yield condition.key.lower(), item.value


def _condition_texts(key: Key) -> Iterator[str]:
    return (text for _, text in _conditions(key))


_LAST: Final[list[tuple[Key, Settings, dict[str, "Value | None"]]]] = []
"""The values already read for the key at hand: one rule after the other asks for the same ones."""


def _value(name: str, key: Key, settings: Settings) -> Value | None:
    if not _LAST or _LAST[0][0] is not key or _LAST[0][1] is not settings:
        _LAST[:] = [(key, settings, {})]
    values = _LAST[0][2]
    if name not in values:
        values[name] = _read(name, key, settings)
    return values[name]


def _read(name: str, key: Key, settings: Settings) -> Value | None:
    read = _READERS.get(name)
    if read is None:
        raise RuleError(f"unknown variable `${{kmslint:{name}}}`", help="known: " + ", ".join(NAMES))
    found = read(key, settings)
    if found is None and name in _SYMBOLS:
        return Template((Symbol(f"kmslint:{name}", _SYMBOLS[name]),))
    return found


def _resolve(value: object, key: Key, settings: Settings) -> object:
    if isinstance(value, str):
        return _resolve_text(value, key, settings)
    if isinstance(value, list):
        members: list[object] = []
        for item in value:
            found = _resolve(item, key, settings)
            if isinstance(found, list) and isinstance(item, str):
                members += found
            elif not isinstance(found, _Empty):
                members.append(found)
        return members if members or not value else _EMPTY
    if isinstance(value, Mapping):
        return {name: resolve(item, key, settings) for name, item in value.items()}
    return value


def _resolve_text(text: str, key: Key, settings: Settings) -> object:
    if _OPEN not in text:
        return text
    whole = _whole(text)
    if whole is not None:
        return _listed(_value(whole, key, settings))
    texts: list[tuple[str | Symbol, ...]] = [()]
    pieces = _HOLE.split(text)
    for index, piece in enumerate(pieces):
        found = piece if index % 2 == 0 else _value(piece, key, settings)
        options = found if isinstance(found, tuple) and not isinstance(found, Template) else (found,)
        if len(texts) * len(options) > _MAX_PRODUCTS:
            raise RuleError(f"`{text}` stands for more than {_MAX_PRODUCTS} values", help="use one list in one text")
        texts = [(*before, *_parts(option)) for before in texts for option in options]
    joined: list[object] = [_join(parts) for parts in texts]
    return _EMPTY if not joined else joined[0] if len(joined) == 1 else joined


def _listed(found: "Value | None") -> object:
    if found is None:
        return _EMPTY
    if isinstance(found, tuple) and not isinstance(found, Template):
        return list(found) if found else _EMPTY
    return found


def _parts(option: object) -> tuple[str | Symbol, ...]:
    return option.parts if isinstance(option, Template) else (str(option),)


def _join(parts: tuple[str | Symbol, ...]) -> str | Template:
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else Template(parts)


def _bind(statement: Mapping[str, object], key: Key, settings: Settings) -> dict[str, object] | None:
    """The statement with its variables replaced; None when an empty list leaves it nothing to describe."""
    bound: dict[str, object] = {}
    for element, value in statement.items():
        if element == "Condition" and isinstance(value, Mapping):
            conditions = _bind_conditions(value, key, settings)
            if conditions is None:
                return None
            bound[element] = conditions
            continue
        found = _bind_element(value, key, settings)
        if not isinstance(found, _Empty):
            bound[element] = found
        elif not element.startswith("Not"):
            return None
    return bound


def _bind_element(value: object, key: Key, settings: Settings) -> object:
    """An element; a principal map whose every list is empty is empty itself."""
    if not isinstance(value, Mapping):
        return _resolve(value, key, settings)
    found = {name: _resolve(item, key, settings) for name, item in value.items()}
    kept = {name: item for name, item in found.items() if not isinstance(item, _Empty)}
    return kept or _EMPTY


def _bind_conditions(block: Mapping[str, object], key: Key, settings: Settings) -> dict[str, dict[str, object]] | None:
    bound: dict[str, dict[str, object]] = {}
    for operator, keys in block.items():
        if not isinstance(keys, Mapping):
            raise RuleError(f"the condition operator `{operator}` holds no table")
        for name, value in keys.items():
            found = _resolve(value, key, settings)
            if not isinstance(found, _Empty):
                bound.setdefault(operator, {})[name] = found
                continue
            use = lookup(operator)
            if use is None or use.operator.family == NULL:
                raise RuleError(f"`{operator}` cannot take an empty list", help="write a value")
            if use.operator.negated:
                continue
            if not use.if_exists and use.quantifier != ALL:
                return None
            bound.setdefault("Null", {})[name] = "true"  # only a request without the key has no value outside the empty list
    return bound
