"""Accepted findings: kept in the report with reason, owner and end, and not counted. By rule and place, never by message."""

import re
from collections.abc import Iterator, Sequence

from kmslint.model.key import Key, Known
from kmslint.model.result import Outcome, Result, Suppression
from kmslint.model.settings import Comment, Settings, SuppressionEntry
from kmslint.typed import Final

MAX_DAYS: Final = 366
"""A suppression ends at most a year ahead (a leap year has 366 days)."""

_SUPPRESSIBLE: Final = (Outcome.FAIL, Outcome.UNDETERMINED, Outcome.MANUAL)


def suppress(
    results: Sequence[Result], keys: Sequence[Key], settings: Settings, as_of: str, comments: Sequence[Comment] = ()
) -> tuple[tuple[Result, ...], tuple[str, ...]]:
    """The results, those that a live entry accepts marked, and what the user is told about entries: of settings and comments.

    An entry is live through its date `until`, judged at `as_of`. One that expired, that ends more than a year ahead, or that
    matches nothing is told.
    """
    entries = (*settings.suppress, *(comment.entry for comment in comments))
    if not entries:
        return tuple(results), ()
    by_id = {key.id: key for key in keys}
    live = {index: entry for index, entry in enumerate(entries) if _doubt(entry, as_of) is None}
    first = len(settings.suppress)
    used: set[int] = set()
    marked = []
    for result in results:
        key = by_id[result.key]
        hits = [index for index, entry in enumerate(settings.suppress) if _matches(entry, result, key)]
        hits += [first + index for index, comment in enumerate(comments) if _stands_at(comment, result, key)]
        used.update(hits)
        entry = next((live[index] for index in hits if index in live), None)
        marked.append(result if entry is None else result._replace(suppressed=_suppression(entry)))
    return tuple(marked), tuple(_notes(entries, settings.file, as_of, used))


def _suppression(entry: SuppressionEntry) -> Suppression:
    return Suppression(entry.reason, entry.owner, entry.until, entry.alternative, entry.where)


def _matches(entry: SuppressionEntry, result: Result, key: Key) -> bool:
    return (
        entry.rule == result.rule
        and result.outcome in _SUPPRESSIBLE
        and any(_fits(entry.where, name) for name in _names(result, key))
    )


def _stands_at(comment: Comment, result: Result, key: Key) -> bool:
    """Whether a comment stands beside a result: at its place, in its statement, or at the head of the key."""
    if comment.entry.rule != result.rule or result.outcome not in _SUPPRESSIBLE:
        return False
    if (key.source.file, key.source.line) == (comment.file, comment.line):
        return True
    place = result.locations[0] if result.locations else None
    if place is None or place.file != comment.file:
        return False
    last = place.line if place.statement is None else place.end_line
    return place.line <= comment.line <= last


def _names(result: Result, key: Key) -> Iterator[str]:
    """What `where` may call the place of a result: fingerprint, key, alias, resource address, path, Sid."""
    yield result.fingerprint
    yield from (name for name in (key.key_id, key.arn, key.source.address, key.source.file, key.source.uri) if name)
    aliases = key.facts.get("aliases")
    if isinstance(aliases, Known) and isinstance(aliases.value, (list, tuple)):
        yield from (name for name in aliases.value if isinstance(name, str))
    yield from (place.sid for place in result.locations if place.sid)


def _fits(where: str, name: str) -> bool:
    """Whether `where` is `name`, or a pattern of it in which `*` is any run of characters and `?` any one."""
    if where == name:
        return True
    if "*" not in where and "?" not in where:
        return False
    parts = re.split(r"\*+", where)
    if len(parts) == 1:
        return _same(where, name)
    return _fits_parts(parts, name)


def _fits_parts(parts: list[str], name: str) -> bool:
    """The pieces between stars in `name`, in order, the first at its start and the last at its end. Never backtracks."""
    first, *middle, last = parts
    if len(name) < len(first) + len(last) or not _same(first, name[: len(first)]):
        return False
    if not _same(last, name[len(name) - len(last) :]):
        return False
    at, end = len(first), len(name) - len(last)
    for part in middle:
        at = next(
            (start + len(part) for start in range(at, end - len(part) + 1) if _same(part, name[start : start + len(part)])), -1
        )
        if at < 0:
            return False
    return True


def _same(pattern: str, text: str) -> bool:
    return len(pattern) == len(text) and all(want in {"?", have} for want, have in zip(pattern, text, strict=True))


def _doubt(entry: SuppressionEntry, as_of: str) -> str | None:
    """Why an entry is not live; None when it is."""
    today = as_of[:10]
    if entry.until < today:
        return f"expired on {entry.until}; the finding counts again"
    if _days(today, entry.until) > MAX_DAYS:
        return f"ends on {entry.until}, more than a year ahead, and is not applied"
    return None


def _days(first: str, last: str) -> int:
    import datetime as dt

    return (dt.date.fromisoformat(last) - dt.date.fromisoformat(first)).days


def _notes(entries: Sequence[SuppressionEntry], file: str | None, as_of: str, used: set[int]) -> Iterator[str]:
    for index, entry in enumerate(entries):
        doubt = _doubt(entry, as_of)
        if doubt is not None:
            yield f"{_called(entry, file)} {doubt}"
        elif index not in used:
            yield f"{_called(entry, file)} matches no finding; remove it"


def _called(entry: SuppressionEntry, file: str | None) -> str:
    place = f"{file}:{entry.line}: " if file and entry.line else ""
    return f"{place}the suppression of `{entry.rule}` at `{entry.where}` (owner {entry.owner})"
