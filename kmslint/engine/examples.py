"""Which cases of a rule show it best: one that fails, and the one nearest to it that passes."""

from collections.abc import Iterator, Mapping

_SUBJECT = ("input", "key", "config")
"""The members of a case that say what is judged."""


def pair(cases: Mapping[str, object]) -> tuple[str | None, str | None]:
    """The names of a failing and a passing case that differ in as few JSON nodes as any; the first such pair by name.

    None for a kind of case that there is none of.
    """
    failing = sorted(name for name in cases if name.startswith("fail"))
    passing = sorted(name for name in cases if name.startswith("pass"))
    if not (failing and passing):
        return next(iter(failing), None), next(iter(passing), None)
    pairs = [(bad, good) for bad in failing for good in passing]
    return min(pairs, key=lambda names: (distance(_subject(cases[names[0]]), _subject(cases[names[1]])), names))


def distance(left: object, right: object) -> int:
    """How many JSON nodes differ: a value changed, or a member or an item added or removed, counts one."""
    if isinstance(left, dict) and isinstance(right, dict):
        shared = left.keys() & right.keys()
        return len(left.keys() ^ right.keys()) + sum(distance(left[name], right[name]) for name in shared)
    if isinstance(left, list) and isinstance(right, list):
        return min(_aligned(left, right))
    return 0 if type(left) is type(right) and left == right else 1


def _aligned(left: list[object], right: list[object]) -> Iterator[int]:
    """The distance item by item, or with one item of the longer list left out."""
    if len(left) == len(right):
        yield sum(distance(a, b) for a, b in zip(left, right, strict=True))
        return
    shorter, longer = sorted((left, right), key=len)
    if len(longer) - len(shorter) > 1:
        yield abs(len(left) - len(right))
        return
    for index in range(len(longer)):
        rest = longer[:index] + longer[index + 1 :]
        yield 1 + sum(distance(a, b) for a, b in zip(shorter, rest, strict=True))


def _subject(case: object) -> dict[str, object]:
    return {name: case[name] for name in _SUBJECT if name in case} if isinstance(case, Mapping) else {}
