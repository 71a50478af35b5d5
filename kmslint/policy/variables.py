"""Policy variables: `${key}`, `${key, 'default'}`, `${*}`, in condition values and resources of version 2012-10-17.

Source: IAM User Guide, "IAM policy elements: Variables and tags".
"""

from functools import lru_cache

from kmslint.typed import Final, NamedTuple, Union

_ESCAPES: Final = frozenset("*?$")


class Variable(NamedTuple):
    """`${key}` or `${key, 'default'}`. `key` is lower-cased: condition keys compare case-insensitively."""

    key: str
    default: str | None


class Escaped(NamedTuple):
    """`${*}`, `${?}` or `${$}`: the literal character, also where wildcards are active."""

    char: str


class Malformed(NamedTuple):
    """Text that starts like a variable and is none (UNSURE-23: literal text, or a value that matches nothing)."""

    text: str


Part = Union[str, Variable, Escaped, Malformed]


@lru_cache(maxsize=4096)
def split(text: str) -> tuple[Part, ...]:
    """The parts of `text`, in order; literal runs are plain strings. O(n)."""
    if "${" not in text:
        return (text,)
    parts: list[Part] = []
    at = 0
    while at < len(text):
        start = text.find("${", at)
        if start < 0:
            parts.append(text[at:])
            break
        if start > at:
            parts.append(text[at:start])
        end = text.find("}", start) + 1
        if not end:
            parts.append(Malformed(text[start:]))
            break
        parts.append(_variable(text[start:end]))
        at = end
    return tuple(parts)


def _variable(text: str) -> Part:
    body = text[2:-1]
    if body in _ESCAPES:
        return Escaped(body)
    key, comma, rest = body.partition(",")
    if not key or any(char.isspace() or char in "${'" for char in key):
        return Malformed(text)
    if not comma:
        return Variable(key.lower(), None)
    if len(rest) >= 3 and rest.startswith(" '") and rest.endswith("'") and "'" not in rest[2:-1]:
        return Variable(key.lower(), rest[2:-1])
    return Malformed(text)
