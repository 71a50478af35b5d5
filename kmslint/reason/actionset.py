"""Sets of actions as bit masks: which statements match which actions, and how the actions of a question group."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from kmslint.aws import condition_keys
from kmslint.aws.actions import ACTIONS, EFFECTIVE
from kmslint.aws.actions import match as match_actions
from kmslint.policy.document import Statement
from kmslint.policy.patterns import glob, matches
from kmslint.tree import Template
from kmslint.typed import Final

_PREFERRED: Final = ("Decrypt", "GenerateDataKey", "Encrypt", "PutKeyPolicy", "CreateGrant", "ScheduleKeyDeletion")
_REST: Final = tuple(name for name in EFFECTIVE if name not in _PREFERRED)
_UNCERTAIN: Final = tuple(action.name for action in ACTIONS.values() if action.effective is None)

NAMES: Final = (*_PREFERRED, *_REST, *_UNCERTAIN)
"""Every action that a key policy can decide about, the most telling first: a witness takes the first that serves."""

ALL: Final = (1 << len(NAMES)) - 1
CERTAIN: Final = (1 << (len(_PREFERRED) + len(_REST))) - 1
"""Without those of which no source says that a key policy decides about them."""

_BIT: Final = {name: 1 << index for index, name in enumerate(NAMES)}

CROSS_ACCOUNT: Final = sum(_BIT[name] for name in NAMES if ACTIONS[name.lower()].cross_account)
MAYBE_CROSS_ACCOUNT: Final = sum(_BIT[name] for name in NAMES if ACTIONS[name.lower()].cross_account is not False)


def mask(statement: Statement, *, upper: bool) -> int:
    """The actions that the statement's Action or NotAction matches, each U counted as `upper` says."""
    return _mask(tuple(item.value for item in statement.actions or ()), statement.not_action, upper)


@lru_cache(maxsize=4096)
def _mask(values: "tuple[str | Template, ...]", is_not: bool, upper: bool) -> int:
    widen = upper != is_not
    found = 0
    for value in values:
        found |= _entry(value, widen)
    return ALL & ~found if is_not else found


@lru_cache(maxsize=8192)
def _entry(value: "str | Template", widen: bool) -> int:
    if isinstance(value, Template):
        return ALL if widen else 0
    prefix = value.partition(":")[0]
    if value == "*":
        return ALL
    if "*" in prefix or "?" in prefix:
        return sum(bit for name, bit in _BIT.items() if widen and _may_match(value, name))  # UNSURE-11
    return sum(_BIT[name] for name in match_actions(value) if name in _BIT)


def _may_match(value: str, name: str) -> bool:
    return matches(glob(value.lower()), f"kms:{name.lower()}")


def names(bits: int) -> tuple[str, ...]:
    """The actions of a mask, in the order of NAMES."""
    return tuple(name for name, bit in _BIT.items() if bits & bit)


def first(bits: int) -> str:
    """The action that stands for a non-empty group."""
    return NAMES[(bits & -bits).bit_length() - 1]


def groups(bits: int, masks: Iterable[int], keys: Sequence[str], kind: str) -> tuple[int, ...]:
    """Split `bits` into groups that no mask tells apart and that carry the same `keys` in the same way."""
    parts = [bits] if bits else []
    carriers = (carrier for key in keys for carrier in _carriers(key, kind))
    for cut in (*masks, *carriers):
        parts = [piece for part in parts for piece in (part & cut, part & ~cut) if piece]
    parts.sort(key=lambda part: part & -part)
    return tuple(parts)


@lru_cache(maxsize=4096)
def _carriers(key: str, kind: str) -> tuple[int, ...]:
    """The actions on which `key` is always, sometimes or never present, as masks; () where the action does not matter."""
    if not condition_keys.depends_on_action(key):
        return ()
    found: dict[str, int] = {}
    for name, bit in _BIT.items():
        presence = condition_keys.presence_on(key, kind, name)
        found[presence] = found.get(presence, 0) | bit
    return tuple(found.values())
