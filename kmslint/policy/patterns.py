"""Patterns over text: what `StringLike`, `ArnLike`, actions and resources match.

A pattern is a tuple of tokens: a one-character string stands for itself, ANY for exactly one character, STAR for any run.
"""

from functools import lru_cache

from kmslint.typed import Final, Union

ANY: Final = 0
STAR: Final = 1

Token = Union[str, int]
Pattern = tuple[Token, ...]


def glob(text: str) -> Pattern:
    """The pattern that `text` writes: `*` and `?` are wildcards, all else literal."""
    if "*" not in text and "?" not in text:
        return tuple(text)
    return tuple(STAR if char == "*" else ANY if char == "?" else char for char in text)


def literal(text: str) -> Pattern:
    """The pattern that matches `text` alone."""
    return tuple(text)


def matches(pattern: Pattern, value: str) -> bool:
    """Whether the whole `value` matches. O(len(pattern) x len(value)) at worst, no recursion."""
    at = 0
    index = 0
    star: int | None = None
    resume = 0
    size = len(pattern)
    while index < len(value):
        token = pattern[at] if at < size else None
        if token == STAR:
            star = at
            resume = index
            at += 1
        elif token == ANY or token == value[index]:
            at += 1
            index += 1
        elif star is not None:
            resume += 1
            index = resume
            at = star + 1
        else:
            return False
    while at < size and pattern[at] == STAR:
        at += 1
    return at == size


@lru_cache(maxsize=4096)
def split_arn(pattern: Pattern) -> tuple[Pattern, ...] | None:
    """The six segments of an ARN pattern, split at its first five literal colons; None if there are fewer."""
    segments: list[Pattern] = []
    start = 0
    for index, token in enumerate(pattern):
        if token == ":" and len(segments) < 5:
            segments.append(pattern[start:index])
            start = index + 1
    if len(segments) < 5:
        return None
    segments.append(pattern[start:])
    return tuple(segments)


def matches_arn(pattern: Pattern, value: str) -> bool:
    """Segment by segment: a wildcard in the first five segments never crosses a colon.

    Source: IAM User Guide, "Condition operators", ARN operators: each of the six components is checked separately.
    """
    segments = split_arn(pattern)
    parts = value.split(":", 5)
    if segments is None or len(parts) < 6:
        return False
    return all(map(matches, segments, parts))
