"""Patterns against the plainest matcher there is, and ARNs segment by segment."""

from itertools import product

import pytest

from kmslint.policy.patterns import ANY, STAR, Pattern, glob, literal, matches, matches_arn, split_arn


def plainly(pattern: Pattern, value: str) -> bool:
    """Whether the pattern matches, by its definition."""
    if not pattern:
        return value == ""
    first, rest = pattern[0], pattern[1:]
    if first == STAR:
        return any(plainly(rest, value[at:]) for at in range(len(value) + 1))
    return value != "" and first in (ANY, value[0]) and plainly(rest, value[1:])


TEXTS = ["".join(chars) for size in range(6) for chars in product("ab", repeat=size)]
PATTERNS = ["".join(chars) for size in range(5) for chars in product("ab*?", repeat=size)]


def test_every_short_pattern_on_every_short_text() -> None:
    for text in PATTERNS:
        pattern = glob(text)
        assert [value for value in TEXTS if matches(pattern, value)] == [value for value in TEXTS if plainly(pattern, value)]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("", ()), ("ab", ("a", "b")), ("a*", ("a", STAR)), ("?b", (ANY, "b")), ("*?", (STAR, ANY)), ("a.[b]", tuple("a.[b]"))],
)
def test_what_a_text_writes(text: str, pattern: Pattern) -> None:
    assert glob(text) == pattern
    assert literal(text) == tuple(text)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a:b:c:d:e:f", ("a", "b", "c", "d", "e", "f")),
        ("a:b:c:d:e:f:g", ("a", "b", "c", "d", "e", "f:g")),
        (":::::", ("", "", "", "", "", "")),
        ("a:b:c:d:e", None),
        ("*", None),
        ("", None),
        ("*:?:*:*::*:*", ("*", "?", "*", "*", "", "*:*")),
    ],
)
def test_the_segments_of_an_arn(text: str, segments: tuple[str, ...] | None) -> None:
    assert split_arn(glob(text)) == (None if segments is None else tuple(map(glob, segments)))


@pytest.mark.parametrize(
    ("pattern", "value", "is_match"),
    [
        ("a:b:c:d:e:f", "a:b:c:d:e:f", True),
        ("a:b:c:d:e:*", "a:b:c:d:e:f:g/h", True),
        ("a:b:c:d:e:f", "a:b:c:d:e:f:g", False),
        ("*:*:*:*:*:*", "a:b:c:d:e:f", True),
        ("*:*:*:*:*:*", "a:b:c:d:e", False),
        ("a:*:d:e:f:g", "a:b:c:d:e:f:g", False),
        ("a:b*e:f:g:h:i", "a:b:e:f:g:h:i", False),
        ("*", "a:b:c:d:e:f", False),
        ("x:b:c:d:e:f", "a:b:c:d:e:f", False),
        ("a:b:c:d:e:x", "a:b:c:d:e:f", False),
        ("a:b:c:?:e:f", "a:b:c::e:f", False),
    ],
)
def test_a_wildcard_of_an_arn_stays_in_its_segment(pattern: str, value: str, is_match: bool) -> None:
    assert matches_arn(glob(pattern), value) is is_match
