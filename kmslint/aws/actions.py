"""KMS actions: what each lets its caller do, where it counts, and which condition keys come with it.

Source: tools/build_tables.py says where each field comes from.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from kmslint.aws import _tables
from kmslint.aws.spelling import nearest as _nearest
from kmslint.typed import Final, NamedTuple

AS_OF: Final = _tables.AS_OF
"""The day of the youngest source, ISO 8601."""

FUTURE: Final = "FutureAction"
"""The name that stands for a KMS action which does not exist yet. It is not in ACTIONS."""


class Action(NamedTuple):
    """One KMS permission.

    `effective`: a key policy can allow it (None: no source says). `cross_account`: it works on a key of another account.
    `grant_operation`: a grant can hold it. `operation`: the API operation that asks for it, None for an internal one.
    `condition_keys`: lower-cased, the kms: and tag keys that a request can carry; a family of keys ends in `*`.
    """

    name: str
    group: str
    effective: bool | None
    cross_account: bool | None
    grant_operation: bool
    operation: str | None
    condition_keys: frozenset[str]


ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {row[0].lower(): Action(*row[:-1], condition_keys=frozenset(row[-1])) for row in _tables.ACTIONS}
)
"""Every known action by its lower-cased name (`decrypt`), in the order of the names."""

EFFECTIVE: Final = tuple(action.name for action in ACTIONS.values() if action.effective)
"""The actions that a key policy can allow."""

CROSS_ACCOUNT: Final = tuple(name for name in EFFECTIVE if ACTIONS[name.lower()].cross_account)
"""The actions of EFFECTIVE that work on a key of another account."""

CRYPTO: Final = tuple(name for name in EFFECTIVE if ACTIONS[name.lower()].group.startswith("crypto."))
"""The cryptographic operations of EFFECTIVE."""

ADMIN: Final = tuple(name for name in EFFECTIVE if ACTIONS[name.lower()].group.startswith("admin."))
"""The actions of EFFECTIVE that change a key, its policy, grants, aliases or tags."""

_HINTS: Final = {
    # name that people write: what they want
    "decryptdatakey": "Decrypt",
    "encryptdatakey": "Encrypt",
    "reencrypt": "ReEncrypt*",
}

_CACHED_LENGTH: Final = 128
"""Longer patterns are rare; matching them anew is cheaper than remembering them."""


def match(pattern: str) -> tuple[str, ...]:
    """The names of all known actions that an entry of Action matches, sorted; () for another service's.

    `*` is any run of characters, `?` exactly one; case is ignored. The prefix is `kms`, or the pattern is `*` alone. A wildcard
    in the prefix matches nothing here (SEMANTICS: UNSURE-11; the caller decides).
    Source: IAM User Guide, "IAM JSON policy elements: Action".
    """
    if len(pattern) > _CACHED_LENGTH:
        return _match(pattern)
    return _match_cached(pattern)


def matches_future(pattern: str) -> bool:
    """Whether the entry matches some action that does not exist yet. Only an entry with a wildcard does.

    A name without a wildcard that AWS does not know is a mistake, not a plan.
    """
    name = _name_pattern(pattern)
    return name is not None and ("*" in name or "?" in name)


def covers_future(pattern: str) -> bool:
    """Whether the entry matches every action that will ever exist (`*`, `kms:*`)."""
    name = _name_pattern(pattern)
    return name is not None and name != "" and not name.strip("*")


def nearest(name: str) -> str | None:
    """The action that `name` (with or without `kms:`) probably means, as written in AWS's documentation, without prefix.

    `ReEncrypt`, an API operation whose permissions are ReEncryptFrom and ReEncryptTo, gives the pattern `ReEncrypt*`.
    """
    bare = name[4:] if name[:4].lower() == "kms:" else name
    hint = _HINTS.get(bare.lower())
    return hint or _nearest(bare, (action.name for action in ACTIONS.values()))


def _match(pattern: str) -> tuple[str, ...]:
    name = _name_pattern(pattern)
    if name is None:
        return ()
    if "*" not in name and "?" not in name:
        action = ACTIONS.get(name)
        return () if action is None else (action.name,)
    head = name.rstrip("*")
    if "*" in head or "?" in head:
        return tuple(action.name for lower, action in ACTIONS.items() if _glob(name, lower))
    return tuple(action.name for lower, action in ACTIONS.items() if lower.startswith(head))


_match_cached = lru_cache(maxsize=1024)(_match)


def _name_pattern(pattern: str) -> str | None:
    """The part after `kms:`, lower-cased; None when no KMS action can match.

    Names are ASCII, so a pattern with another character matches none (and `\u212a`, Kelvin, must not fold to `k`).
    """
    if pattern == "*":
        return "*"
    if not pattern.isascii() or pattern[:4].lower() != "kms:":
        return None
    return pattern[4:].lower()


def _glob(pattern: str, text: str) -> bool:
    """Whether `*` and `?` of `pattern` can be filled to give `text`. O(len(pattern) + len(text) * longest literal run)."""
    star, resume = -1, 0
    p = t = 0
    while t < len(text):
        if p < len(pattern) and pattern[p] == "*":
            star, resume = p, t
            p += 1
        elif p < len(pattern) and pattern[p] in ("?", text[t]):
            p, t = p + 1, t + 1
        elif star >= 0:
            resume += 1
            p, t = star + 1, resume
        else:
            return False
    return not pattern[p:].strip("*")
