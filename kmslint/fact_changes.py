"""Facts of a key that changed between two readings of it, and which of them got worse."""

import json
from collections.abc import Callable, Iterator, Mapping

from kmslint.location import Location
from kmslint.model.key import UNREAD, Absent, Fact, Key, Known, Unknown
from kmslint.tree import Symbol, Template
from kmslint.typed import Any, Final, NamedTuple


class FactChange(NamedTuple):
    """A fact before and after, as JSON values; None where it does not exist or is not known.

    `worse` is None where a value is not known, so that nobody can say. `location` is its place after, else before.
    """

    name: str
    old: Any
    new: Any
    worse: bool | None
    location: Location | None = None


def fact_changes(old: Key, new: Key) -> tuple[FactChange, ...]:
    """The facts that differ, by name. A fact that one of the sources never carries is not compared."""
    return tuple(_changes(old, new))


def _changes(old: Key, new: Key) -> Iterator[FactChange]:
    for name in sorted({*old.facts, *new.facts} & {*_JUDGES, *_PLAIN}):
        before, after = old.fact(name), new.fact(name)
        if _is_silent(before) or _is_silent(after):
            continue
        first, second = _value(before), _value(after)
        if first == second and isinstance(before, Unknown) == isinstance(after, Unknown):
            continue
        if name == "grants":
            first, second = _without_shared(first, second)
        yield FactChange(name, first, second, _worse(name, before, after), _place(after) or _place(before))


def _is_silent(fact: Fact) -> bool:
    return isinstance(fact, Unknown) and fact.kind != UNREAD


def _value(fact: Fact) -> Any:  # noqa: ANN401  a fact holds any JSON value
    """The fact's value with what a template left open as text."""
    return _plain(fact.value) if isinstance(fact, Known) else None


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Symbol):
        return "${" + value.name + "}"
    if isinstance(value, Template):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _is_open(fact: Fact) -> bool:
    return isinstance(fact, Unknown) or (isinstance(fact, Known) and isinstance(fact.value, (Symbol, Template)))


def _worse(name: str, before: Fact, after: Fact) -> bool | None:
    judge = _JUDGES.get(name)
    if judge is None:
        return False
    if _is_open(before) or _is_open(after):
        return None
    return judge(_value(before), _value(after))


def _place(fact: Fact) -> Location | None:
    return fact.location if isinstance(fact, (Known, Absent)) else None


# when a change is for the worse: before, after → bool


def _turned_off(before: object, after: object) -> bool:
    return bool(before) and not after


def _turned_on(before: object, after: object) -> bool:
    return bool(after) and not before


def _grew(before: object, after: object) -> bool:
    return isinstance(before, int) and isinstance(after, int) and after > before


def _shrank(before: object, after: object) -> bool:
    return isinstance(before, int) and isinstance(after, int) and after < before


def _left_enabled(before: object, after: object) -> bool:
    return before == "Enabled" and after != "Enabled"


def _began_to_expire(before: object, after: object) -> bool:
    del before
    return after == "KEY_MATERIAL_EXPIRES"


def _got_grants(before: object, after: object) -> bool:
    return bool(_without_shared(before, after)[1])


def _lost_some(before: object, after: object) -> bool:
    return bool(_without_shared(before, after)[0])


def _without_shared(before: Any, after: Any) -> tuple[list[Any], list[Any]]:  # noqa: ANN401
    """What only one of two lists holds. Grants are compared without when and as what they were made."""
    first, second = _listed(before), _listed(after)
    return (
        [item for mark, item in first.items() if mark not in second],
        [item for mark, item in second.items() if mark not in first],
    )


_INCIDENTAL: Final = frozenset({"GrantId", "CreationDate", "Name"})


def _listed(value: Any) -> dict[str, Any]:  # noqa: ANN401
    items = value if isinstance(value, list) else []
    return {_mark(item): item for item in items}


def _mark(item: Any) -> str:  # noqa: ANN401
    if isinstance(item, Mapping):
        item = {
            name: sorted(map(str, part)) if isinstance(part, list) else part
            for name, part in item.items()
            if name not in _INCIDENTAL
        }
    return json.dumps(item, sort_keys=True, default=str)


_JUDGES: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "rotation.enabled": _turned_off,
    "rotation.period_days": _grew,
    "deletion.window_days": _shrank,
    "deletion.date": _turned_on,
    "lockout_check_bypassed": _turned_on,
    "multi_region": _turned_on,
    "state": _left_enabled,
    "material.expiration_model": _began_to_expire,
    "grants": _got_grants,
    "cloudtrail.trails": _lost_some,
    "alarms": _lost_some,
}
"""Facts that can get worse."""

_PLAIN: Final = ("aliases", "custom_key_store", "description", "manager", "material.valid_to", "origin", "spec", "tags", "usage")
"""Facts whose change is told, and judged by nobody."""
