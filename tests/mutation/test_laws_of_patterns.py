"""Patterns and regular sets against their definition, on every text over a small alphabet."""

import itertools
import random
import re

import pytest

from kmslint.policy.patterns import glob, literal, matches, matches_arn, split_arn
from kmslint.reason.strings import (
    ANYTHING,
    DIGIT,
    NON_EMPTY,
    NOT_COLON,
    NOT_COLON_RUN,
    Budget,
    BudgetExceeded,
    Chars,
    Constraint,
    Regex,
    accepts,
    arn_pattern,
    one_of,
    shortest,
    text,
)

LETTERS = "ab:"
TEXTS = ["".join(chars) for size in range(5) for chars in itertools.product(LETTERS, repeat=size)]
PATTERNS = ["".join(chars) for size in range(5) for chars in itertools.product("a:*?", repeat=size)]


def regex_of(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern), re.DOTALL)


def test_a_glob_matches_what_its_regular_expression_does() -> None:
    for pattern in PATTERNS:
        wanted = regex_of(pattern)
        tokens = glob(pattern)
        for value in TEXTS[:120]:
            assert matches(tokens, value) == (wanted.fullmatch(value) is not None) == accepts(tokens, value), (pattern, value)


def test_a_literal_matches_itself_alone() -> None:
    for pattern in PATTERNS[:100]:
        assert [value for value in PATTERNS[:100] if matches(literal(pattern), value)] == [pattern]


@pytest.mark.parametrize("count", [4, 5, 6])
def test_an_arn_pattern_has_six_segments(count: int) -> None:
    parts = ["a"] * (count + 1)
    assert split_arn(glob(":".join(parts))) == (None if count < 5 else (*[("a",)] * 5, tuple(":".join(parts[5:]))))


@pytest.mark.parametrize(
    ("pattern", "value", "wanted"),
    [
        ("a:*:c:d:e:f", "a:b:c:d:e:f", True), ("a:*:c:d:e:f", "a:b:x:c:d:e:f", False), ("a:b:c:d:e:*", "a:b:c:d:e:f:g:h", True),
        ("a:b:c:d:e:f*h", "a:b:c:d:e:f:g:h", True), ("a:b:c:d:e:f", "a:b:c:d:e", False), ("a:*", "a:b:c:d:e:f", False),
        ("*:*:*:*:*:*", ":::::", True), ("a:?:c:d:e:f", "a::c:d:e:f", False), ("a:b:c:d:e:", "a:b:c:d:e:", True),
    ],
)  # fmt: skip
def test_wildcards_stay_in_their_segment(pattern: str, value: str, wanted: bool) -> None:
    assert matches_arn(glob(pattern), value) is wanted
    regular = arn_pattern(glob(pattern))
    assert (regular is not None and accepts(regular, value)) is wanted


def random_regex(rng: random.Random) -> Regex:
    tokens = [
        *LETTERS,
        0,
        1,
        1,
        DIGIT,
        NOT_COLON,
        NOT_COLON_RUN,
        one_of("ab"),
        Chars(frozenset("a"), True, True),
        Chars(frozenset("b:"), False, True),
    ]
    return tuple(rng.choice(tokens) for _ in range(rng.randrange(5)))


def by_definition(pattern: Regex, value: str) -> bool:
    if not pattern:
        return not value
    token = pattern[0]
    starred = token == 1 or (isinstance(token, Chars) and token.star)
    takes = bool(value) and (
        token == value[0] if isinstance(token, str) else token.has(value[0]) if isinstance(token, Chars) else True
    )
    if starred:
        return by_definition(pattern[1:], value) or (takes and by_definition(pattern, value[1:]))
    return takes and by_definition(pattern[1:], value[1:])


def test_a_pattern_accepts_what_its_definition_says() -> None:
    rng = random.Random(3)
    for _ in range(150):
        pattern = random_regex(rng)
        for value in (*TEXTS[:50], "0", "a0", "00", "z", "zz"):
            assert accepts(pattern, value) == by_definition(pattern, value), (pattern, value)


def meets(constraints: list[Constraint], value: str) -> bool:
    return all(any(by_definition(one, value) for one in constraint.patterns) == constraint.wanted for constraint in constraints)


def test_the_shortest_text_is_one_and_none_is_shorter() -> None:
    """No text over the letters, a digit and one more character is shorter; where there is none, no text of up to four serves."""
    rng = random.Random(4)
    every = ["".join(chars) for size in range(4) for chars in itertools.product("ab:0z", repeat=size)]
    found_some = found_none = 0
    for _ in range(400):
        constraints = [
            Constraint(tuple(random_regex(rng) for _ in range(rng.randrange(1, 4))), rng.random() < 0.6)
            for _ in range(rng.randrange(1, 4))
        ]
        found = shortest(constraints, Budget())
        smaller = [value for value in every if (found is None or len(value) < len(found)) and meets(constraints, value)]
        assert smaller == [], (constraints, found)
        assert found is None or meets(constraints, found), (constraints, found)
        found_some, found_none = found_some + (found is not None), found_none + (found is None)
    assert min(found_some, found_none) > 40


@pytest.mark.parametrize(
    ("wanted", "unwanted", "found"),
    [
        ([ANYTHING], [], ""), ([NON_EMPTY], [], "a"), ([NON_EMPTY], [("a",)], "b"), ([NON_EMPTY], [("a", 1)], "b"),
        ([NON_EMPTY], [(0,)], "aa"), ([text("abc")], [], "abc"), ([text("abc")], [text("abc")], None), ([text("B")], [text("b")], "B"),
        ([(DIGIT, DIGIT)], [], "00"), ([(DIGIT, DIGIT)], [("0", 1)], "10"), ([(NOT_COLON, ":")], [], "a:"), ([("\u4e2d",)], [], "\u4e2d"),
        ([("\u0130",)], [], "\u0130"), ([NON_EMPTY], [(Chars(frozenset("abcdefgh"), False, True),)], "i"),
        ([(1, "b")], [(1, "b", 1)], None), ([("a", 1), (1, "b")], [text("ab")], "aab"), ([()], [], ""), ([], [ANYTHING], None),
    ],
)  # fmt: skip
def test_the_first_text_is_a_readable_one(wanted: list[Regex], unwanted: list[Regex], found: str | None) -> None:
    constraints = [Constraint((one,), True) for one in wanted] + [Constraint((one,), False) for one in unwanted]
    assert shortest(constraints, Budget()) == found


def test_a_search_past_its_budget_is_given_up() -> None:
    hard = [Constraint((("b", 1, "a", *[0] * 12),), True), Constraint(((1, "a", *[0] * 12),), False)]
    with pytest.raises(BudgetExceeded, match="the search needs more than 100000 steps"):
        shortest(hard, Budget(50))
    budget = Budget(3)
    budget.spend(2)
    budget.spend(1)
    assert budget.left == 0
    with pytest.raises(BudgetExceeded):
        budget.spend(1)
