"""What one context key may hold: atoms over a key, the values it can take, and a model of a conjunction of atoms.

An atom is true iff (key absent and `absent`) or (key empty and `empty`) or (some / every member passes `test`). Every
condition operator is one atom, and so is its negation (DECISION_PROCEDURE §2).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from math import floor

from kmslint.policy import operators, values
from kmslint.policy.document import Item
from kmslint.policy.evaluate import Run
from kmslint.policy.truth import T, U
from kmslint.reason.strings import DIGIT, NON_EMPTY, Budget, Chars, Constraint, Regex, accepts, one_of, shortest
from kmslint.typed import Final, NamedTuple, Union

ALWAYS: Final = "always"
OPTIONAL: Final = "optional"
NEVER: Final = "never"
EMPTY: Final = "empty"
"""Present with no text: what OP26 calls a null value and register point 21 leaves open."""

SOME: Final = "some"
EVERY: Final = "every"

TEXT_FAMILIES: Final = frozenset({operators.STRING, operators.STRING_IGNORE_CASE, operators.LIKE, operators.ARN})


class Unsolved(Exception):
    """A key whose atoms no exact theory covers together; the question is then undetermined."""


class Test:
    """A set of values: those that one condition accepts in one reading.

    `contains` asks the evaluator's own comparison. `patterns` (text families) is the same set as a union of patterns,
    complemented when `complement`; `literals` lists that union when it is finite. Compared by identity: `compile` interns them.
    """

    __slots__ = ("_contains", "_known", "complement", "family", "literals", "patterns", "wanted")

    def __init__(
        self,
        family: str,
        wanted: tuple[str, ...],
        contains: "Contains | ContainsTime | InPatterns | Callable[[str], bool]",
        *,
        patterns: tuple[Regex, ...] | None,
        complement: bool,
        literals: frozenset[str] | None,
    ) -> None:
        self.family = family
        self.wanted = wanted
        self._contains = contains
        self._known: dict[str, bool] = {}
        self.patterns = patterns
        self.complement = complement
        self.literals = literals

    def contains(self, value: str) -> bool:
        """Whether `value` is in the set. Remembered, up to a bound."""
        if self.literals is not None:
            return (value in self.literals) != self.complement
        known = self._known.get(value)
        if known is None:
            known = self._contains(value)
            if len(self._known) < 4096:
                self._known[value] = known
        return known


class Contains:
    """The evaluator's comparison of one value with a condition's values, in the upper or the lower reading."""

    __slots__ = ("floor", "items", "run", "use")

    def __init__(self, run: Run, use: operators.Use, items: tuple[Item, ...], *, upper: bool) -> None:
        self.run = run
        self.use = use
        self.items = items
        self.floor = U if upper else T

    def __call__(self, value: str) -> bool:
        """Whether the value is accepted."""
        truth = self.run.base(self.use, value, self.items)
        self.run.reasons.clear()
        return truth >= self.floor


class ContainsTime:
    """The same for aws:CurrentTime, which the search keeps in epoch seconds and AWS writes as a date."""

    __slots__ = ("as_written",)

    def __init__(self, as_written: Contains) -> None:
        self.as_written = as_written

    def __call__(self, value: str) -> bool:
        """Whether the instant, as AWS writes it, is accepted."""
        instants = values.instants(value)
        return self.as_written(iso(instants[0]) if instants else value)


class InPatterns:
    """Membership in a union of patterns: for values with a hole, whose set no concrete comparison can decide."""

    __slots__ = ("complement", "patterns")

    def __init__(self, patterns: tuple[Regex, ...], *, complement: bool) -> None:
        self.patterns = patterns
        self.complement = complement

    def __call__(self, value: str) -> bool:
        """Whether the value is in the union (or outside, when complemented)."""
        return any(accepts(pattern, value) for pattern in self.patterns) != self.complement


class Atom(NamedTuple):
    """One condition on one key, or its negation. `test` None accepts every value; `wanted` False complements it."""

    key: str
    absent: bool
    empty: bool
    quantifier: str
    """SOME or EVERY member of the key's set; the same for a single-valued key."""
    test: Test | None
    wanted: bool
    origin: str
    """The condition as a proof cites it."""

    def negated(self) -> "Atom":
        """The atom that is true exactly where this one is false."""
        return Atom(
            self.key,
            not self.absent,
            not self.empty,
            EVERY if self.quantifier == SOME else SOME,
            self.test,
            not self.wanted,
            self.origin,
        )


class Domain(NamedTuple):
    """The values that a key can take in one cell.

    `finite` lists them all; else they are the texts in `patterns` outside `excluded` and the patterns of `avoid`. `samples` are readable members, tried
    first. `multi` keys hold non-empty sets. `must_hold` are members that a set must contain and `never_hold` those that it must not, both in any
    case (couplings). `integer` bounds an integer-valued key, which holds digits alone: `7`, never `07` or `7.0`.
    """

    presence: str
    multi: bool = False
    family: str = operators.STRING
    finite: tuple[str, ...] | None = None
    patterns: tuple[Regex, ...] = (NON_EMPTY,)
    excluded: frozenset[str] = frozenset()
    avoid: tuple[Regex, ...] = ()
    samples: tuple[str, ...] = ()
    may_be_empty: bool = False
    integer: tuple[int, int] | None = None
    must_hold: tuple[str, ...] = ()
    never_hold: tuple[str, ...] = ()

    def holds(self, value: str) -> bool:
        """Whether a single value belongs to the domain."""
        if self.finite is not None:
            return value in self.finite
        if value in self.excluded or value.lower() in self.never_hold:
            return False
        if self.family == operators.NUMERIC and not self._is_number(value):
            return False
        if self.family == operators.IP and values.address(value) is None:
            return False
        if self.family == operators.DATE and not values.instants(value):
            return False
        if any(accepts(pattern, value) for pattern in self.avoid):
            return False
        return any((pattern == NON_EMPTY and value != "") or accepts(pattern, value) for pattern in self.patterns)

    def _is_number(self, value: str) -> bool:
        parsed = values.number(value)
        if self.integer is None:
            return parsed is not None
        return str(parsed) == value and isinstance(parsed, int) and self.integer[0] <= parsed <= self.integer[1]


class Absence(NamedTuple):
    """The model value of an absent key."""


ABSENT: Final = Absence()
Held = Union[Absence, str, tuple[str, ...]]
"""A model of one key: absent, a value, or the members of a set."""


MAX_FOUND: Final = 50_000
"""Answers that a solver remembers."""


class Solver:
    """Finds models of conjunctions of atoms on one key, with a bounded memory of what it found.

    Domains and tests are interned (`cells`, `compile`), so the memory keys them by identity and keeps them alive.
    """

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[tuple[int, frozenset[tuple[int, bool]]], tuple[str | None, object]] = {}

    def model(self, domain: Domain, atoms: Sequence[Atom], budget: Budget) -> Held | None:
        """A value of the key that makes all atoms true, or None. Exact; raises Unsolved or BudgetExceeded where it cannot be."""
        if domain.presence == EMPTY:
            return "" if all(atom.empty for atom in atoms) else None
        if domain.presence != ALWAYS and all(atom.absent for atom in atoms):
            return ABSENT
        if domain.presence == NEVER:
            return None
        held = self._present(domain, atoms, budget)
        if held is None and domain.may_be_empty and all(atom.empty for atom in atoms):
            return ""
        return held

    def _present(self, domain: Domain, atoms: Sequence[Atom], budget: Budget) -> Held | None:
        if not domain.multi:
            return self._value(domain, [(atom.test, atom.wanted) for atom in atoms], budget)
        every = [(atom.test, atom.wanted) for atom in atoms if atom.quantifier == EVERY]
        members: dict[str, None] = {}
        for wanted in domain.must_hold:
            found = wanted if _passes(every, wanted) else self._in_some_case(domain, wanted, every, budget)
            if found is None:
                return None
            members[found] = None
        for atom in atoms:
            if atom.quantifier == SOME and not any(_passes([(atom.test, atom.wanted)], member) for member in members):
                value = self._value(domain, [*every, (atom.test, atom.wanted)], budget)
                if value is None:
                    return None
                members[value] = None
        if not members:
            value = self._value(domain, every, budget)
            if value is None:
                return None
            members[value] = None
        return tuple(members)

    def _in_some_case(self, domain: Domain, wanted: str, tests: list[tuple[Test | None, bool]], budget: Budget) -> str | None:
        """A member that equals `wanted` but for case (D7: pairs compare without case, members of the set key keep theirs)."""
        spelled = domain._replace(patterns=(_any_case(wanted),), samples=(), must_hold=(), never_hold=(), finite=None)
        if not all(want for test, want in tests if test is None):
            return None
        return _find(spelled, [(test, want) for test, want in tests if test is not None], budget)

    def _value(self, domain: Domain, tests: Iterable[tuple[Test | None, bool]], budget: Budget) -> str | None:
        """One value of the domain in all the (test, wanted) sets, or None."""
        wanted: dict[Test, bool] = {}
        for test, want in tests:
            if test is None:
                if not want:
                    return None
                continue
            if wanted.setdefault(test, want) != want:
                return None
            if want != test.complement and test.literals == frozenset():
                return None
        known = (id(domain), frozenset((id(test), want) for test, want in wanted.items()))
        found = self._found.get(known)
        if found is None:
            found = (_find(domain, list(wanted.items()), budget), (domain, *wanted))
            if len(self._found) < MAX_FOUND:
                self._found[known] = found
        return found[0]


def _passes(tests: Iterable[tuple[Test | None, bool]], value: str) -> bool:
    return all(want if test is None else test.contains(value) == want for test, want in tests)


def _find(domain: Domain, tests: list[tuple[Test, bool]], budget: Budget) -> str | None:
    """One value in the domain and in every set; None iff there is none."""
    budget.spend(len(tests))
    if domain.finite is not None:
        return next((value for value in domain.finite if _passes(tests, value)), None)
    for sample in domain.samples:
        if _passes(tests, sample) and domain.holds(sample):
            return sample
    lists = [test.literals for test, want in tests if want != test.complement and test.literals is not None]
    if lists:
        shortest_list = min(lists, key=len)
        return next((value for value in sorted(shortest_list) if domain.holds(value) and _passes(tests, value)), None)
    if domain.family in {operators.NUMERIC, operators.DATE, operators.IP} or any(t.family not in TEXT_FAMILIES for t, _ in tests):
        return _find_ordered(domain, tests, budget)
    return _find_text(domain, tests, budget)


def _find_text(domain: Domain, tests: list[tuple[Test, bool]], budget: Budget) -> str | None:
    constraints = domain_constraints(domain)
    for test, want in tests:
        if test.patterns is None:
            raise Unsolved("a condition on text that is not a text pattern")
        constraints.append(Constraint(test.patterns, want != test.complement))
    return shortest(constraints, budget)


def domain_constraints(domain: Domain) -> list[Constraint]:
    """The domain's own language, as constraints on a text."""
    constraints = [Constraint(domain.patterns, True)]
    if domain.avoid:
        constraints.append(Constraint(domain.avoid, False))
    if domain.excluded:
        constraints.append(Constraint(tuple(tuple(value) for value in sorted(domain.excluded)), False))
    constraints += [Constraint((_any_case(value),), False) for value in domain.never_hold]
    return constraints


def _any_case(value: str) -> Regex:
    return tuple(_cases(char) for char in value)


def _cases(char: str) -> str | Chars:
    cases = frozenset(case for case in (char, char.lower(), char.upper()) if len(case) == 1)
    return char if len(cases) == 1 else Chars(cases)


def _find_ordered(domain: Domain, tests: list[tuple[Test, bool]], budget: Budget) -> str | None:
    """Numbers, dates, addresses and booleans: one candidate for every cell of the refinement that the constants make."""
    families = {test.family for test, _ in tests}
    if len(families) > 1 or families & TEXT_FAMILIES:
        return _project(domain, tests, budget)
    return _of_one_family(domain, tests, budget)


def _of_one_family(domain: Domain, tests: list[tuple[Test, bool]], budget: Budget) -> str | None:
    found = _candidate(domain, tests, budget)
    return _unforeseen(domain, tests, budget) if found is None else found


def _candidate(domain: Domain, tests: list[tuple[Test, bool]], budget: Budget) -> str | None:
    candidates = _candidates(domain, [test for test, _ in tests])
    budget.spend(len(candidates))
    return next((value for value in candidates if domain.holds(value) and _passes(tests, value)), None)


def _unforeseen(domain: Domain, tests: list[tuple[Test, bool]], budget: Budget) -> str | None:
    """Conditions of one family that no candidate meets: a value of a domain of which the candidates do not meet every cell.

    Such a domain has a language of its own (an ARN, paths of one organization). If none of its texts reads as a value of the
    family, the conditions accept all of them or none.
    """
    if not tests or _is_covered(domain, tests[0][0].family):
        return None
    constraints = domain_constraints(domain)
    found = shortest(constraints, budget)
    if found is None or _passes(tests, found):
        return found
    family = tests[0][0].family
    readable = Constraint(((one_of(_READABLE[family])._replace(star=True),),), True)
    if shortest([*constraints, readable], budget) is None:
        return None
    raise Unsolved(f"conditions of another kind ({family}) on one key")


_READABLE: Final[Mapping[str, str]] = {
    operators.NUMERIC: "0123456789+-.",
    operators.DATE: "0123456789+-.:TtZz",
    operators.IP: "0123456789abcdefABCDEF:.",
    operators.BOOL: "truefalsTRUEFALS",
    operators.BINARY: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=",
}
"""Family → every character that a text which reads as one of its values can have."""

_ACCOUNT_NUMBERS: Final[tuple[Regex, ...]] = ((DIGIT,) * 12,)


def _is_covered(domain: Domain, family: str) -> bool:
    """Whether the candidates meet every cell of the domain that conditions of this family tell apart."""
    if domain.family == family:
        return True
    is_whole = not domain.avoid and not domain.never_hold
    if domain.patterns == _ACCOUNT_NUMBERS:
        return is_whole and family != operators.BINARY
    return is_whole and domain.patterns == (NON_EMPTY,) and not domain.excluded


def _project(domain: Domain, tests: list[tuple[Test, bool]], budget: Budget) -> str | None:
    """Several families on one key: where no candidate serves, a family that is unsatisfiable alone is a proof, all else is open."""
    found = _candidate(domain, tests, budget)
    if found is not None:
        return found
    text = [(test, want) for test, want in tests if test.family in TEXT_FAMILIES]
    if text:
        found = _find_text(domain, text, budget)
        if found is None or (domain.holds(found) and _passes(tests, found)):
            return found
        if _short_range(domain):
            return None
    families = sorted({test.family for test, _ in tests})
    for family in families:
        alone = [(test, want) for test, want in tests if test.family == family]
        if family not in TEXT_FAMILIES and _is_refuted(domain, alone, budget):
            return None
    raise Unsolved(f"conditions of several kinds ({', '.join(families)}) on one key")


def _is_refuted(domain: Domain, tests: list[tuple[Test, bool]], budget: Budget) -> bool:
    try:
        found = _of_one_family(domain, tests, budget)
    except Unsolved:
        found = "open"
    return found is None


def _short_range(domain: Domain) -> range:
    """All values of a domain of few integers; none of any other domain."""
    if domain.integer is None or domain.integer[1] - domain.integer[0] > 4096:
        return range(0)
    return range(domain.integer[0], domain.integer[1] + 1)


def _candidates(domain: Domain, tests: list[Test]) -> list[str]:
    found: dict[str, None] = dict.fromkeys(domain.samples)
    families = {test.family for test in tests} | {domain.family}
    constants = [value for test in tests for value in test.wanted]
    if operators.NUMERIC in families:
        found.update(dict.fromkeys(_numbers(domain, constants)))
    if operators.DATE in families:
        found.update(dict.fromkeys(_dates(constants)))
    if operators.IP in families:
        found.update(dict.fromkeys(_addresses(constants)))
    if operators.BOOL in families:
        found.update({"true": None, "false": None})
    if domain.patterns == _ACCOUNT_NUMBERS:
        marks = [instant for value in (*constants, *domain.excluded) for instant in values.instants(value)]
        found.update({f"{number:012}": None for number in _integers(marks, 0, 10**12 - 1)})
    if families & TEXT_FAMILIES:
        found.update(dict.fromkeys(map(str, _short_range(domain))))
    found.update(dict.fromkeys(constants))
    found["x"] = None
    return list(found)


def _numbers(domain: Domain, constants: list[str]) -> list[str]:
    """Each constant, its neighbours, the points between, and the ends of the range."""
    numbers = sorted({parsed for parsed in (values.number(value) for value in constants) if parsed is not None})
    if domain.integer is not None:
        return [str(number) for number in _integers(numbers, *domain.integer)]
    return [plain(number) for number in (*_refined(numbers), 0)]


def _integers(marks: Iterable[values.Number], low: int, high: int) -> list[int]:
    """An integer of every cell that the marks make of a range, in order."""
    whole = {low, high}
    for mark in marks:
        whole |= {int(mark) - 1, int(mark), int(mark) + 1}
    return [number for number in sorted(whole) if low <= number <= high]


def _refined(points: Sequence[values.Number]) -> list[values.Number]:
    """The points, which are sorted, one before, one after and one between any two of them."""
    before, after = [_sum(point, -1) for point in points], [_sum(point, 1) for point in points]
    return [*points, *before, *after, *(_middle(left, right) for left, right in pairwise(points))]


_PRECISION: Final = 900
"""Digits that the sum or the half of two numbers of a policy can have: each has at most 400 before and after the point."""


def _sum(left: values.Number, right: values.Number) -> values.Number:
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    from decimal import Context, Decimal

    return Context(prec=_PRECISION).add(Decimal(left), Decimal(right))


def _middle(left: values.Number, right: values.Number) -> values.Number:
    from decimal import Context, Decimal

    return Context(prec=_PRECISION).divide(Decimal(_sum(left, right)), Decimal(2))


def plain(number: values.Number) -> str:
    """The number in digits, without an exponent."""
    return str(number) if isinstance(number, int) else f"{number:f}"


def _dates(constants: list[str]) -> list[str]:
    instants = sorted({instant for value in constants for instant in values.instants(value)})
    points = [*_refined(instants), 1795000000]
    return [iso(point) for point in points] + [_seconds(point) for point in points]


def _seconds(point: values.Number) -> str:
    """Epoch seconds that nobody can take for a year."""
    text = plain(point)
    return f"{text}.0" if len(text.removeprefix("-")) == 4 and "." not in text else text


_FIRST_SECOND: Final = -62_135_596_800
_LAST_SECOND: Final = 253_402_300_799
"""Of the years 1 to 9999."""
_LONGEST_FRACTION: Final = 15


def iso(seconds: values.Number) -> str:
    """The instant as AWS prints aws:CurrentTime, with a fraction where it has one.

    Epoch seconds where that cannot be printed: outside the years 1 to 9999, and with a fraction of more than 15 digits.
    """
    if not _FIRST_SECOND <= seconds <= _LAST_SECOND or len(plain(seconds).partition(".")[2]) > _LONGEST_FRACTION:
        return plain(seconds)
    whole = floor(seconds)
    fraction = seconds - whole
    from datetime import UTC, datetime, timedelta

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=whole)
    tail = f"{fraction:f}"[1:] if fraction else ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + tail + "Z"


_MAPPED: Final = 0xFFFF << 32
"""Where IPv6 keeps the IPv4 addresses (UNSURE-17)."""


def _addresses(constants: list[str]) -> list[str]:
    """Both ends of every range and their neighbours, each as an address of the other version too; and one of each version."""
    points = {(4, 0), (6, 0)}
    for value in constants:
        for version, first, last in values.networks(value):
            for edge in (first - 1, first, last, last + 1):
                points |= {(version, edge), (6, _MAPPED + edge) if version == 4 else (4, edge - _MAPPED)}
    return [_address(version, value) for version, value in sorted(points) if 0 <= value < (2**32 if version == 4 else 2**128)]


def _address(version: int, value: int) -> str:
    if version == 4:
        return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))
    return ":".join(f"{value >> shift & 0xFFFF:x}" for shift in (112, 96, 80, 64, 48, 32, 16, 0))
