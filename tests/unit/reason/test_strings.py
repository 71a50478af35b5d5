"""Texts in some unions of patterns and in no others: the first in order, what the search costs, and when it stops."""

import itertools
import random
from collections.abc import Sequence

import pytest

from kmslint.policy.patterns import ANY, STAR, Pattern, glob, matches, matches_arn
from kmslint.reason.answer import Proven, Violated
from kmslint.reason.query import find_allowed
from kmslint.reason.strings import (
    _POOL,
    DIGIT,
    MAX_WORK,
    NOT_COLON,
    NOT_COLON_RUN,
    Budget,
    BudgetExceeded,
    Chars,
    Constraint,
    Regex,
    _build,
    _close,
    _step,
    _symbols,
    accepts,
    arn_pattern,
    one_of,
    shortest,
    text,
)
from tests.oracle.bridge import key_of, policy_of, statements_of

ANY_RUN = Chars(frozenset(), negated=True, star=True)
B_RUN = one_of("b")._replace(star=True)


def inside(*patterns: Regex) -> Constraint:
    return Constraint(patterns, True)


def outside(*patterns: Regex) -> Constraint:
    return Constraint(patterns, False)


def spent(constraints: Sequence[Constraint]) -> tuple[str | None, int]:
    budget = Budget()
    found = shortest(constraints, budget)
    return found, MAX_WORK - budget.left


# ----------------------------------------------------------------------------------------------------------- the first text


@pytest.mark.parametrize(
    ("constraints", "found"),
    [
        ([], ""),
        ([inside()], None),
        ([outside()], ""),
        ([inside(())], ""),
        ([outside(())], "a"),
        ([outside((STAR,))], None),
        ([outside(()), outside((ANY, STAR))], None),
        ([outside((), (ANY, STAR))], None),
        ([inside((STAR,)), outside(())], "a"),
        ([inside((ANY, ANY)), outside((*text("a"), STAR))], "ba"),
        ([inside((ANY, STAR)), outside((STAR, *text("a")), (STAR, *text("b")))], "c"),
        ([inside(text("ab")), inside(glob("a*"))], "ab"),
        ([inside(text("ab")), outside(glob("a*"))], None),
        ([inside(text("ab"), text("b")), outside(text("b"))], "ab"),
        ([inside(glob("a*c")), inside(glob("*b*"))], "abc"),
        ([inside(glob("*x")), inside(glob("y*"))], "yx"),
        ([inside((DIGIT, DIGIT)), outside((*text("0"), STAR))], "10"),
        ([inside((NOT_COLON,)), outside((one_of("abcdefgh"),))], "i"),
        ([inside((one_of(":/"),)), outside(text(":"))], "/"),
        ([inside((*text("a"), B_RUN, *text("c"))), outside(text("ac"))], "abc"),
        ([inside((B_RUN, *text("b")))], "b"),
        ([inside((NOT_COLON_RUN,)), outside(()), outside((ANY,))], "aa"),
        ([inside((*text("a"), STAR, STAR, *text("b"))), outside(text("ab"))], "aab"),
        ([inside((Chars(frozenset("a"), negated=True),)), outside((Chars(frozenset("ab"), negated=True),))], "b"),
        ([inside(text("\u0416"))], "\u0416"),
        ([inside((one_of("\u0416\u0417"),)), outside(text("\u0416"))], "\u0417"),
        ([inside((one_of("\u0416\u0417\u0418\u0419\u041a\u041b"),)), outside((one_of("\u0416\u0417\u0418\u0419\u041a"),))], "\u041b"),
    ],
)  # fmt: skip
def test_the_first_text(constraints: list[Constraint], found: str | None) -> None:
    assert shortest(constraints, Budget()) == found


def in_all(constraints: Sequence[Constraint], value: str) -> bool:
    return all(any(accepts(pattern, value) for pattern in one.patterns) == one.wanted for one in constraints)


@pytest.mark.parametrize("part", range(4))
def test_the_first_of_all_texts_of_two_letters(part: int) -> None:
    """Against every text of up to five letters, in the order of length and letters."""
    rng = random.Random(part)
    tokens = ("a", "b", ANY, STAR, one_of("a"), B_RUN, Chars(frozenset("a"), negated=True), ANY_RUN)
    every = ["".join(letters) for size in range(6) for letters in itertools.product("ab", repeat=size)]
    only = inside((one_of("ab")._replace(star=True),))
    seen = set()
    for _ in range(250):
        patterns = [tuple(rng.choice(tokens) for _ in range(rng.randrange(4))) for _ in range(4)]
        constraints = [only, inside(*patterns[:2]), outside(patterns[2]), Constraint((patterns[3],), rng.random() < 0.5)]
        first = next((value for value in every if in_all(constraints, value)), None)
        found = shortest(constraints, Budget())
        assert found == first or (first is None and found is not None and len(found) > 5 and in_all(constraints, found))
        seen.add(found)
    assert len(seen) > 10


# ------------------------------------------------------------------------------------------------------------ the characters


def test_one_character_for_each_class() -> None:
    assert _symbols([]) == ["a"]
    assert _symbols([(ANY, STAR)]) == ["a"]
    assert _symbols([text("b")]) == ["a", "b"]
    assert _symbols([text("a")]) == ["a", "b"]
    assert _symbols([(DIGIT,), (DIGIT._replace(star=True),)]) == ["a", "0"]
    assert _symbols([(DIGIT, "7")]) == ["a", "0", "7"]
    assert _symbols([(one_of("ab"), one_of("bc"))]) == ["a", "b", "c", "d"]
    assert _symbols([("\u0416", one_of("\u0417\u0418"))]) == ["a", "\u0416", "\u0417"]
    assert _symbols([(NOT_COLON,)]) == ["a", ":"]


def test_a_character_that_is_named_nowhere_is_among_them() -> None:
    everything = one_of(_POOL)
    assert _symbols([(everything,)]) == ["a", "\u4e2e"]
    assert _symbols([text(_POOL)]) == [*_POOL, "\u4e2e"]
    assert _symbols([text(_POOL), text("\u4e2e\u4e2f")]) == [*_POOL, "\u4e2e", "\u4e2f", "\u4e30"]
    assert shortest([inside((ANY,)), outside(*(text(char) for char in _POOL))], Budget()) == "\u4e2e"
    assert shortest([inside((ANY,)), outside((everything,))], Budget()) == "\u4e2e"
    assert shortest([inside((everything,)), outside(*(text(char) for char in _POOL))], Budget()) is None


def test_a_condition_that_names_every_readable_character_leaves_others() -> None:
    names = [char.replace("*", "${*}").replace("?", "${?}") for char in _POOL]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringLike": {"aws:UserAgent": "?"}, "StringNotLike": {"aws:UserAgent": names}},
    }
    described = statements_of([{"Action": "kms:Decrypt"}])
    answers = [
        find_allowed((policy_of({"Version": "2012-10-17", "Statement": [one]}),), described, key_of(), grant="any")
        for one in (statement, {**statement, "Condition": {"StringLike": {"aws:UserAgent": "?"}, "StringNotLike": {"aws:UserAgent": [*names, "*"]}}})
    ]  # fmt: skip
    assert [type(answer) for answer in answers] == [Violated, Proven]


# ------------------------------------------------------------------------------------------------------------- what it costs


def test_what_a_search_costs() -> None:
    """A unit for each automaton and character, once; then half of it for each state that is left."""
    assert spent([]) == ("", 0)
    assert spent([inside()]) == (None, 0)
    assert spent([outside((STAR,))]) == (None, 0)
    assert spent([inside(text("a"))]) == ("a", 2 + 1)
    assert spent([inside(text("ab"))]) == ("ab", 3 + 1 + 1)
    assert spent([inside(text("ab")), inside(text("ac"))]) == (None, 8 + 4 + 4)
    assert spent([inside(text("ab")), outside(text("a")), outside(text("b"))]) == ("ab", 6 + 3 + 3)
    assert spent([inside(text("ab")), inside(text("ab"))]) == ("ab", 3 + 1 + 1)
    assert spent([inside(text("aaaa")), outside(text("aaaa"), text("aaaa"))]) == (None, 4 + 2 * 5)


def test_a_long_automaton_costs_more() -> None:
    assert spent([inside(text("a" * 1022)), inside(text("b"))]) == (None, 6 + 3)
    assert spent([inside(text("a" * 1023)), inside(text("b"))]) == (None, 9 + 4)
    assert spent([inside(text("a" * 2046)), inside(text("b"))]) == (None, 9 + 4)
    assert spent([inside(text("a" * 2047)), inside(text("b"))]) == (None, 12 + 6)


def test_the_search_stops_at_its_budget() -> None:
    question = [inside(text("abc"))]
    found, cost = spent(question)
    assert found == "abc"
    assert shortest(question, Budget(cost)) == "abc"
    for less in range(cost):
        with pytest.raises(BudgetExceeded, match=f"more than {MAX_WORK} steps"):
            shortest(question, Budget(less))


def test_a_budget_is_spent_to_the_last_unit() -> None:
    budget = Budget(2)
    budget.spend(2)
    assert budget.left == 0
    budget.spend(0)
    with pytest.raises(BudgetExceeded):
        budget.spend(1)
    assert Budget().left == MAX_WORK == 100_000


def test_a_state_is_explored_once() -> None:
    """All letters lead to the same state, but for a `q` at the start: 21 states, not 3 ** 19."""
    assert spent([inside((one_of("ab"), one_of("ab"), "c")), outside((STAR, "a", STAR), (STAR, "b", STAR))]) == (None, 8 + 4)
    assert spent([inside((ANY,) * 20), inside((*(ANY,) * 19, "z")), outside(text("q"))]) == ("a" * 19 + "z", 9 + 4 * 21)


def test_what_can_only_fail_is_not_followed() -> None:
    """After `a` nothing is outside of `a*`: one state is left, the start."""
    assert spent([inside(glob("a*")), outside(glob("a*"), text("b"))]) == (None, 6 + 3)


# -------------------------------------------------------------------------------------------------------------- automata


def test_patterns_lie_side_by_side_in_one_automaton() -> None:
    built = _build((("a", STAR), (), (STAR, one_of("ab")), (ANY,), (B_RUN,), ("q",)), ["a", "b", "c"])
    # bits: a=0 *=1 end=2 | end=3 | *=4 ab=5 end=6 | ?=7 end=8 | b*=9 end=10 | q=11 end=12
    everyone = 1 << 1 | 1 << 4 | 1 << 7
    assert built == (
        1 << 0 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11,
        (everyone | 1 << 0 | 1 << 5, everyone | 1 << 5 | 1 << 9, everyone),
        1 << 1 | 1 << 4 | 1 << 9,
        1 << 2 | 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 12,
        1 << 1,
    )


@pytest.mark.parametrize(
    ("pattern", "members", "others"),
    [
        ((), ["|"], ["a"]),
        (text("ab"), ["ab"], ["|", "a", "b", "abc", "ba"]),
        (glob("a*"), ["a", "ab", "abc"], ["|", "b", "ba"]),
        (glob("?b"), ["ab", "bb"], ["b", "a", "abb", "ba"]),
        (glob("*a*b"), ["ab", "xaxb"], ["a", "b", "ba", "abx"]),
        ((DIGIT, B_RUN, "c"), ["1c", "1bbc"], ["c", "ac", "1b", "1bbac"]),
        ((NOT_COLON_RUN, ":"), [":", "a:"], ["|", "a", "::", "a:b"]),
        ((NOT_COLON,), ["a", "*"], [":", "|", "ab"]),
    ],
)
def test_the_texts_of_a_pattern(pattern: Regex, members: list[str], others: list[str]) -> None:
    assert [accepts(pattern, value.strip("|")) for value in members] == [True] * len(members)
    assert [accepts(pattern, value.strip("|")) for value in others] == [False] * len(others)


def test_a_pattern_without_classes_is_that_of_the_evaluator() -> None:
    rng = random.Random(5)
    for _ in range(400):
        pattern: Pattern = tuple(rng.choice(("a", "b", ANY, STAR)) for _ in range(rng.randrange(6)))
        for size in range(5):
            value = "".join(rng.choice("ab") for _ in range(size))
            assert accepts(pattern, value) is matches(pattern, value), (pattern, value)


@pytest.mark.parametrize(
    "pattern", ["arn:aws:iam::*:role/*", "a:*:?:d:e:f*:g", "*:*:*:*:*:*", ":::::", "a:b:c:d:e", "*", "a:b?c:d:e:f:*"]
)
def test_an_arn_is_read_segment_by_segment(pattern: str) -> None:
    read = arn_pattern(glob(pattern))
    values = ["arn:aws:iam::1:role/x", "arn:aws:iam::1:2:role/x", "a:b:c:d:e:f:g", "a:b:cc:d:e:f:g", "a:b::d:e:f:g", ":::::", "a:b:c:d:e", "a:bxc:d:e:f:", "a:b:c:d:e:f:"]  # fmt: skip
    assert (read is None) == (pattern.count(":") < 5)
    for value in values:
        assert (read is not None and accepts(read, value)) is matches_arn(glob(pattern), value), value


def test_the_parts_of_an_arn_pattern() -> None:
    assert arn_pattern(("*", ":", ANY, STAR, ":", ":", ":", ":", ANY, STAR)) == ("*", ":", NOT_COLON, NOT_COLON_RUN, ":", ":", ":", ":", ANY, STAR)  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------- shortcuts


def test_a_pattern_that_failed_reads_no_more_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    masks: list[int] = []

    def noted(mask: int, stars: int) -> int:
        masks.append(mask)
        return _close(mask, stars)

    monkeypatch.setattr("kmslint.reason.strings._close", noted)
    assert not accepts.__wrapped__(text("ab"), "a" * 50)
    assert masks == [1, 2, 0]


def test_a_union_that_failed_takes_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    automaton = _build((text("a"),), ["a", "b"])
    assert [_step(1, automaton, symbol) for symbol in (0, 1)] == [2, 0]
    monkeypatch.setattr("kmslint.reason.strings._close", None)
    assert _step(0, automaton, 0) == 0
