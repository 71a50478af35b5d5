"""Regular sets of text: is some text in all of these pattern unions and in none of those, and which is the shortest?

A pattern is a sequence of tokens (`policy.patterns`, plus `Chars`). Each union runs as one bit-parallel automaton; their
product is explored breadth first, built only as far as it is needed, so the first text found is a shortest one.
"""

import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache

from kmslint.policy.patterns import ANY, STAR, Pattern
from kmslint.typed import Final, NamedTuple, Union

MAX_WORK: Final = 100_000
"""Units of work for one question in one reading: a solved key, an automaton step, a visited clause. The corpus needs under
2,000; the bound keeps a hostile policy under a second."""

_WORD: Final = 1024
"""Bits of an automaton's mask that cost about as much as the rest of a step."""


class Chars(NamedTuple):
    """One character out of a set (or out of its complement), once or, with `star`, any number of times."""

    chars: frozenset[str]
    negated: bool = False
    star: bool = False

    def has(self, char: str) -> bool:
        """Whether `char` is in the set."""
        return (char in self.chars) != self.negated


RegexToken = Union[str, int, Chars]
Regex = tuple[RegexToken, ...]

DIGIT: Final = Chars(frozenset("0123456789"))
NOT_COLON: Final = Chars(frozenset(":"), negated=True)
NOT_COLON_RUN: Final = Chars(frozenset(":"), negated=True, star=True)
ANYTHING: Final[Regex] = (STAR,)
NON_EMPTY: Final[Regex] = (ANY, STAR)

_POOL: Final = (
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_=+@./, :'()[]!#$%&;<>^`{|}~\"\\*?\u00e9\u0142\u4e2d"
)


_UNNAMED: Final = 0x4E2D
"""From here on the characters are tried for one that no pattern names, should all of `_POOL` be named."""


class BudgetExceeded(Exception):
    """The search met a named budget; the question is then undetermined, never answered wrongly."""


class Budget:
    """Work left for one question in one reading."""

    __slots__ = ("left",)

    def __init__(self, work: int = MAX_WORK) -> None:
        self.left = work

    def spend(self, work: int) -> None:
        """Count some work; raises BudgetExceeded when none is left."""
        self.left -= work
        if self.left < 0:
            raise BudgetExceeded(f"the search needs more than {MAX_WORK} steps")


class Constraint(NamedTuple):
    """The text must be (or, with `wanted` False, must not be) in the union of `patterns`."""

    patterns: tuple[Regex, ...]
    wanted: bool


class _Automaton(NamedTuple):
    """A union of patterns as bit masks: bit i is "before token i"; patterns lie side by side."""

    start: int
    moves: tuple[int, ...]
    """Per symbol: the states whose token takes it."""
    stars: int
    accept: int
    forever: int
    """States from which every continuation is accepted (a final STAR)."""


def shortest(constraints: Sequence[Constraint], budget: Budget) -> str | None:
    """The shortest text that meets all constraints, first in the order of `_POOL` among equals; None iff there is none.

    Raises BudgetExceeded. O(states x symbols x pattern bits / 64).
    """
    constraints = _merged(constraints)
    symbols = _symbols([pattern for constraint in constraints for pattern in constraint.patterns])
    automata = [_build(constraint.patterns, symbols) for constraint in constraints]
    wanted = [constraint.wanted for constraint in constraints]
    start = _prune([automaton.start for automaton in automata], automata, wanted)
    if start is None:
        return None
    if _accepts(start, automata, wanted):
        return ""
    cost = sum(1 + automaton.accept.bit_length() // _WORD for automaton in automata)
    budget.spend(cost * len(symbols))
    return _explore(start, automata, wanted, symbols, cost, budget)


def _merged(constraints: Sequence[Constraint]) -> list[Constraint]:
    """The same set with one union for all that is unwanted: one automaton instead of many."""
    unwanted = dict.fromkeys(pattern for constraint in constraints if not constraint.wanted for pattern in constraint.patterns)
    wanted = list(dict.fromkeys(constraint for constraint in constraints if constraint.wanted))
    return [*wanted, Constraint(tuple(unwanted), False)] if unwanted else wanted


def _explore(
    start: tuple[int, ...], automata: list[_Automaton], wanted: list[bool], symbols: Sequence[str], cost: int, budget: Budget
) -> str | None:
    seen: dict[tuple[int, ...], tuple[tuple[int, ...], int] | None] = {start: None}
    layer = [start]
    while layer:
        following = []
        for state in layer:
            budget.spend(cost * len(symbols) // 2)
            for index in range(len(symbols)):
                masks = [_step(mask, automaton, index) for mask, automaton in zip(state, automata, strict=True)]
                after = _prune(masks, automata, wanted)
                if after is None or after in seen:
                    continue
                seen[after] = (state, index)
                if _accepts(after, automata, wanted):
                    return _spell(after, seen, symbols)
                following.append(after)
        layer = following
    return None


def _step(mask: int, automaton: _Automaton, symbol: int) -> int:
    if not mask:
        return 0
    taken = mask & automaton.moves[symbol]
    stars = automaton.stars
    after = ((taken & ~stars) << 1) | (taken & stars)
    return _close(after, stars)


def _close(mask: int, stars: int) -> int:
    """Follow the empty moves over starred tokens."""
    while True:
        wider = mask | (mask & stars) << 1
        if wider == mask:
            return mask
        mask = wider


def _prune(masks: list[int], automata: list[_Automaton], wanted: list[bool]) -> tuple[int, ...] | None:
    """The state, or None when no continuation can meet the constraints."""
    for index, mask in enumerate(masks):
        if wanted[index]:
            if not mask:
                return None
        elif mask & automata[index].forever:
            return None
    return tuple(masks)


def _accepts(state: tuple[int, ...], automata: list[_Automaton], wanted: list[bool]) -> bool:
    return all(bool(mask & automaton.accept) == want for mask, automaton, want in zip(state, automata, wanted, strict=True))


def _spell(
    state: tuple[int, ...], seen: dict[tuple[int, ...], tuple[tuple[int, ...], int] | None], symbols: Sequence[str]
) -> str:
    letters = []
    step = seen[state]
    while step is not None:
        letters.append(symbols[step[1]])
        step = seen[step[0]]
    return "".join(reversed(letters))


def _symbols(patterns: Iterable[Regex]) -> list[str]:
    """One character for each class of characters that no token tells apart, readable ones first."""
    literal: set[str] = set()
    classes: set[Chars] = set()
    for pattern in patterns:
        for token in pattern:
            if isinstance(token, str):
                literal.add(token)
            elif isinstance(token, Chars):
                classes.add(token._replace(star=False))
    ordered = sorted(classes, key=lambda one: (one.negated, sorted(one.chars)))
    chosen: list[str] = []
    signatures: set[tuple[bool, ...]] = set()
    named = literal.union(*(one.chars for one in classes))
    unnamed = next(char for char in map(chr, range(_UNNAMED, sys.maxunicode)) if char not in named)
    for char in (*_POOL, *sorted(named - set(_POOL)), unnamed):
        if char in literal:
            chosen.append(char)
            continue
        signature = tuple(one.has(char) for one in ordered)
        if signature not in signatures:
            signatures.add(signature)
            chosen.append(char)
    return chosen


def _build(patterns: tuple[Regex, ...], symbols: Sequence[str]) -> _Automaton:
    start = stars = accept = forever = 0
    moves = [0] * len(symbols)
    index_of = {char: index for index, char in enumerate(symbols)}
    everyone: int = 0
    base = 0
    for pattern in patterns:
        start |= 1 << base
        for offset, token in enumerate(pattern):
            bit = 1 << (base + offset)
            if isinstance(token, str):
                index = index_of.get(token)
                if index is not None:
                    moves[index] |= bit
            elif isinstance(token, Chars):
                stars |= bit if token.star else 0
                for index, char in enumerate(symbols):
                    if token.has(char):
                        moves[index] |= bit
            else:
                everyone |= bit
                stars |= bit if token == STAR else 0
        end = 1 << (base + len(pattern))
        accept |= end
        if pattern and pattern[-1] == STAR:
            forever |= end >> 1
        base += len(pattern) + 1
    return _Automaton(_close(start, stars), tuple(move | everyone for move in moves), stars, accept, forever)


@lru_cache(maxsize=4096)
def accepts(pattern: Regex, text: str) -> bool:
    """Whether the whole `text` is in the pattern. O(len(text) x len(pattern) / 64)."""
    stars = accept = 0
    for offset, token in enumerate(pattern):
        if token == STAR or (isinstance(token, Chars) and token.star):
            stars |= 1 << offset
    accept = 1 << len(pattern)
    mask = _close(1, stars)
    for char in text:
        taken = 0
        for offset, token in enumerate(pattern):
            if mask >> offset & 1 and _takes(token, char):
                taken |= 1 << offset
        mask = _close(((taken & ~stars) << 1) | (taken & stars), stars)
        if not mask:
            return False
    return bool(mask & accept)


def _takes(token: RegexToken, char: str) -> bool:
    if isinstance(token, str):
        return token == char
    return token.has(char) if isinstance(token, Chars) else True


def text(value: str) -> Regex:
    """The pattern of `value` alone."""
    return tuple(value)


def one_of(chars: str) -> Chars:
    """One character out of `chars`."""
    return Chars(frozenset(chars))


def arn_pattern(pattern: Pattern) -> Regex | None:
    """An ARN pattern read segment by segment; None when it has fewer than six segments and so matches nothing."""
    colons = 0
    tokens: list[RegexToken] = []
    for token in pattern:
        if token == ":":
            colons += 1
        if colons < 5 and isinstance(token, int):
            tokens.append(NOT_COLON_RUN if token == STAR else NOT_COLON)
        else:
            tokens.append(token)
    return tuple(tokens) if colons >= 5 else None
