"""Did you mean …? The nearest word of a list, for messages."""

from collections.abc import Iterable

_LONGEST = 80
"""Longer words are no typos of a name that AWS uses; the bound keeps hostile input cheap."""


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word of `words` that `word` is most likely a typo of; None when none is near. Case is ignored.

    Near means: at most one edit (insert, delete, replace, swap neighbours) in four characters, and never more than three.
    Of equally near words the first in order wins.
    """
    if len(word) > _LONGEST:
        return None
    folded = word.lower()
    best, fewest = None, min(3, (len(word) + 2) // 4) + 1
    for candidate in words:
        edits = _edits(folded, candidate.lower(), fewest)
        if edits < fewest:
            best, fewest = candidate, edits
    return best


def _edits(left: str, right: str, limit: int) -> int:
    """The edits that turn `left` into `right` (optimal string alignment), or `limit` when there are no fewer."""
    if abs(len(left) - len(right)) >= limit:
        return limit
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for row, a in enumerate(left, start=1):
        current = [row]
        for column, b in enumerate(right, start=1):
            edits = min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (a != b))
            if row > 1 and column > 1 and a == right[column - 2] and left[row - 2] == b:
                edits = min(edits, before[column - 2] + 1)
            current.append(edits)
        if min(current) >= limit:
            return limit
        before, previous = previous, current
    return min(previous[-1], limit)
