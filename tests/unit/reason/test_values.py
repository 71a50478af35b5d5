"""What a key may hold: domains, the values tried for conditions that are not about text, and models of several atoms."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from kmslint.policy import operators, values
from kmslint.policy.document import Item
from kmslint.policy.patterns import ANY, STAR
from kmslint.policy.principals import ROLE
from kmslint.reason.answer import Proven, Undetermined, Violated
from kmslint.reason.compile import Context, intern_test
from kmslint.reason.query import find_allowed
from kmslint.reason.search import holds
from kmslint.reason.strings import DIGIT, NON_EMPTY, Budget, Constraint, one_of, text
from kmslint.reason.values import (
    ABSENT,
    ALWAYS,
    EMPTY,
    EVERY,
    MAX_FOUND,
    NEVER,
    OPTIONAL,
    SOME,
    Atom,
    Contains,
    ContainsTime,
    Domain,
    Held,
    InPatterns,
    Solver,
    Unsolved,
    _address,
    _addresses,
    _candidates,
    _dates,
    _find,
    _find_ordered,
    _find_text,
    _integers,
    _is_covered,
    _middle,
    _numbers,
    _project,
    _seconds,
    _sum,
    domain_constraints,
    iso,
    plain,
)
from kmslint.reason.values import (
    Test as Accepted,
)
from tests.oracle.bridge import key_of, policy_of, statements_of

KEY = key_of()
DIGITS = ((DIGIT,) * 12,)
ORG_PATHS = ((*text("o-abc/"), STAR),)


def set_of(operator: str, *wanted: str, upper: bool = True) -> Accepted:
    use = operators.lookup(operator)
    assert use is not None
    found = intern_test(use, tuple(Item(one, None) for one in wanted), False, Context(ROLE, None, {}, KEY), upper=upper)  # type: ignore[arg-type]
    assert isinstance(found, Accepted)
    return found


def where(accept: Callable[[str], bool], family: str = operators.NUMERIC) -> Accepted:
    """A set of values that no pattern and no list describes."""
    return Accepted(family, (), accept, patterns=None, complement=False, literals=None)


def atom(
    test: Accepted | None, *, wanted: bool = True, quantifier: str = SOME, absent: bool = False, empty: bool = False
) -> Atom:
    return Atom("k", absent, empty, quantifier, test, wanted, "it")


def solved(domain: Domain, *atoms: Atom) -> Held | None:
    return Solver().model(domain, atoms, Budget())


# ------------------------------------------------------------------------------------------------------------- domains


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        (Domain(ALWAYS), "a|x y|*", "|"),
        (Domain(ALWAYS, finite=("a", "b")), "a|b", "c||A"),
        (Domain(ALWAYS, excluded=frozenset({"a", "B"})), "A|b|c", "a|B|"),
        (Domain(ALWAYS, never_hold=("ab",)), "a|b|abc", "ab|AB|aB|"),
        (Domain(ALWAYS, avoid=(text("a"), (*text("b"), STAR))), "aa|c|ab", "a|b|bc|"),
        (Domain(ALWAYS, patterns=(text("ab"), (*text("c"), ANY))), "ab|cx", "a|c|cxx||abc"),
        (Domain(ALWAYS, patterns=((STAR,),)), "|a", None),
        (Domain(ALWAYS, family=operators.NUMERIC), "7|-7|7.5|07", "x|1e3||7 "),
        (Domain(ALWAYS, family=operators.NUMERIC, integer=(7, 30)), "7|8|30", "6|31|7.0|7.5|07|+8|x|"),
        (Domain(ALWAYS, family=operators.NUMERIC, integer=(-2, 0)), "-2|-1|0", "-3|1|-0|-1.0"),
        (Domain(ALWAYS, family=operators.IP), "1.2.3.4|::1|::", "1.2.3|1.2.3.4/32|x|"),
        (Domain(ALWAYS, family=operators.DATE), "2024-01-01|7|2024-01-01T00:00:00Z", "2024-13-01|x|"),
        (Domain(ALWAYS, family=operators.BOOL), "true|x", "|"),
    ],
)  # fmt: skip
def test_what_belongs_to_a_domain(domain: Domain, inside: str, outside: str | None) -> None:
    assert {value: domain.holds(value) for value in inside.split("|")} == dict.fromkeys(inside.split("|"), True)
    if outside is not None:
        assert {value: domain.holds(value) for value in outside.split("|")} == dict.fromkeys(outside.split("|"), False)


def test_any_text_is_in_the_plain_domain_without_running_a_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kmslint.reason.values.accepts", None)
    assert Domain(ALWAYS).holds("a")
    with pytest.raises(TypeError):
        Domain(ALWAYS, patterns=DIGITS).holds("a")


def test_the_language_of_a_domain_as_constraints() -> None:
    domain = Domain(ALWAYS, patterns=DIGITS, excluded=frozenset({"b", "a1"}), avoid=(text("z"),), never_hold=("k-1", "\u00df"))
    assert domain_constraints(domain) == [
        Constraint(DIGITS, True),
        Constraint((("z",),), False),
        Constraint((("a", "1"), ("b",)), False),
        Constraint(((one_of("kK"), "-", "1"),), False),
        Constraint((("\u00df",),), False),  # its capital is two letters
    ]
    assert domain_constraints(Domain(ALWAYS)) == [Constraint((NON_EMPTY,), True)]


def test_a_letter_whose_capital_is_a_capital_of_another_keeps_itself() -> None:
    (_, constraint) = domain_constraints(Domain(ALWAYS, never_hold=("\u017f",)))
    assert constraint == Constraint(((one_of("\u017fS"),),), False)


# --------------------------------------------------------------------------------------------------------------- tests


def test_a_list_is_not_asked_of_the_comparison() -> None:
    def refuse(value: str) -> bool:
        raise AssertionError(value)

    inside = Accepted(operators.STRING, ("a",), refuse, patterns=(("a",),), complement=False, literals=frozenset({"a"}))
    outside = Accepted(operators.STRING, ("a",), refuse, patterns=(("a",),), complement=True, literals=frozenset({"a"}))
    assert [inside.contains(value) for value in "ab"] == [True, False]
    assert [outside.contains(value) for value in "ab"] == [False, True]


def test_a_comparison_is_made_once_a_value_up_to_a_bound() -> None:
    asked: list[str] = []

    def ask(value: str) -> bool:
        asked.append(value)
        return value == "7"

    test = where(ask)
    assert [test.contains("7"), test.contains("8"), test.contains("7"), test.contains("8")] == [True, False, True, False]
    assert asked == ["7", "8"]
    for number in range(100, 100 + 4096):
        test.contains(str(number))
    asked.clear()
    for value in ("7", "4193", "4194", "4195", "4195"):  # 7, 8 and 100 to 4193 are remembered
        test.contains(value)
    assert asked == ["4194", "4195", "4195"]


def test_a_union_of_patterns_or_what_is_outside() -> None:
    patterns = (text("a"), (*text("b"), STAR))
    values_ = ("a", "ab", "b", "bc", "")
    assert [InPatterns(patterns, complement=False)(value) for value in values_] == [True, False, True, True, False]
    assert [InPatterns(patterns, complement=True)(value) for value in values_] == [False, True, False, False, True]


def test_an_instant_is_compared_as_aws_writes_it() -> None:
    seen: list[str] = []

    class Written:
        def __call__(self, value: str) -> bool:
            seen.append(value)
            return value.endswith("Z")

    compare = ContainsTime(Written())  # type: ignore[arg-type]
    assert [compare("0"), compare("1780315200.5"), compare("soon")] == [True, True, False]
    assert seen == ["1970-01-01T00:00:00Z", "2026-06-01T12:00:00.5Z", "soon"]


@pytest.mark.parametrize("upper", [True, False])
def test_the_upper_reading_takes_what_is_open(upper: bool) -> None:
    """A number that does not parse: whether a negated operator holds is documented nowhere."""
    assert set_of("NumericNotEquals", "5", upper=upper).contains("x") is upper
    assert set_of("NumericNotEquals", "5", upper=upper).contains("6")
    assert not set_of("NumericNotEquals", "5", upper=upper).contains("5.0")


def test_the_negation_of_an_atom_is_true_of_what_it_is_false_of() -> None:
    one = Atom("k", True, False, SOME, set_of("StringLike", "a*"), True, "it")
    other = one.negated()
    assert other == Atom("k", False, True, EVERY, one.test, False, "it")
    assert other.negated() == one
    for held in (ABSENT, "", "a", "b", ("a", "b"), ("b",), ("a", "ab")):
        assert holds(one, held) is not holds(other, held)


# -------------------------------------------------------------------------------------------------------------- models


SOME_A = atom(set_of("StringEquals", "a"))
SOME_B = atom(set_of("StringEquals", "b"))
EVERY_AB = atom(set_of("StringEquals", "a", "b"), quantifier=EVERY, absent=True)
TAKES_ABSENCE = atom(None, wanted=False, absent=True)
TAKES_EMPTY = atom(None, wanted=False, empty=True)
ANYTHING = atom(None)


@pytest.mark.parametrize(
    ("domain", "atoms", "model"),
    [
        (Domain(EMPTY), (), ""),
        (Domain(EMPTY), (TAKES_EMPTY, TAKES_EMPTY), ""),
        (Domain(EMPTY), (TAKES_EMPTY, TAKES_ABSENCE), None),
        (Domain(EMPTY), (ANYTHING,), None),
        (Domain(NEVER), (), ABSENT),
        (Domain(NEVER), (TAKES_ABSENCE, EVERY_AB), ABSENT),
        (Domain(NEVER), (TAKES_ABSENCE, SOME_A), None),
        (Domain(NEVER, may_be_empty=True), (TAKES_EMPTY,), None),
        (Domain(OPTIONAL), (TAKES_ABSENCE,), ABSENT),
        (Domain(OPTIONAL), (EVERY_AB, SOME_A), "a"),
        (Domain(OPTIONAL), (TAKES_ABSENCE, SOME_A), None),
        (Domain(ALWAYS), (TAKES_ABSENCE,), None),
        (Domain(ALWAYS), (), "a"),
        (Domain(ALWAYS, samples=("s",)), (ANYTHING,), "s"),
        (Domain(ALWAYS), (SOME_A, SOME_B), None),
        (Domain(ALWAYS), (SOME_A, SOME_A._replace(wanted=False)), None),
        (Domain(ALWAYS), (atom(set_of("StringEquals", "a"), wanted=False),), "b"),
        (Domain(OPTIONAL, may_be_empty=True), (TAKES_EMPTY,), ""),
        (Domain(OPTIONAL, may_be_empty=True), (TAKES_EMPTY, SOME_A), None),
        (Domain(OPTIONAL, may_be_empty=True), (atom(set_of("StringLike", "b*"), empty=True),), "b"),
        (Domain(OPTIONAL), (TAKES_EMPTY,), None),
        (Domain(ALWAYS, multi=True), (), ("a",)),
        (Domain(ALWAYS, multi=True), (SOME_A, SOME_B, EVERY_AB), ("a", "b")),
        (Domain(ALWAYS, multi=True), (EVERY_AB, SOME_A), ("a",)),
        (Domain(ALWAYS, multi=True), (EVERY_AB,), ("a",)),
        (Domain(ALWAYS, multi=True), (EVERY_AB, atom(set_of("StringLike", "c*"))), None),
        (Domain(ALWAYS, multi=True), (EVERY_AB, atom(set_of("StringLike", "c*"), quantifier=EVERY)), None),
        (Domain(ALWAYS, multi=True), (atom(None, wanted=False, quantifier=EVERY),), None),
        (Domain(ALWAYS, multi=True), (atom(None, wanted=False),), None),
        (Domain(ALWAYS, multi=True), (SOME_B, atom(set_of("StringLike", "?"))), ("b",)),
        (Domain(ALWAYS, multi=True, must_hold=("b",)), (), ("b",)),
        (Domain(ALWAYS, multi=True, must_hold=("b",)), (SOME_A, EVERY_AB), ("b", "a")),
        (Domain(ALWAYS, multi=True, must_hold=("b", "c")), (), ("b", "c")),
        (Domain(ALWAYS, multi=True, must_hold=("c",)), (EVERY_AB,), None),
        (Domain(ALWAYS, multi=True, must_hold=("c",)), (EVERY_AB._replace(test=None, wanted=True),), ("c",)),
        (Domain(ALWAYS, multi=True, must_hold=("c",)), (EVERY_AB._replace(test=None, wanted=False),), None),
        (Domain(ALWAYS, multi=True, must_hold=("b",)), (atom(set_of("StringEquals", "B"), quantifier=EVERY),), ("B",)),
        (Domain(ALWAYS, multi=True, must_hold=("b",), samples=("z",)), (atom(set_of("StringNotEquals", "b"), quantifier=EVERY),), ("B",)),
        (
            Domain(ALWAYS, multi=True, must_hold=("b",)),
            (atom(set_of("StringNotLike", "b"), quantifier=EVERY), atom(None, quantifier=EVERY)),
            ("B",),
        ),
        (
            Domain(ALWAYS, multi=True, must_hold=("b",)),
            (atom(set_of("StringNotLike", "b"), quantifier=EVERY), atom(None, quantifier=EVERY, wanted=False)),
            None,
        ),
        (Domain(ALWAYS, multi=True, must_hold=("b",), never_hold=("a",)), (SOME_A,), None),
        (Domain(ALWAYS, multi=True, never_hold=("a",)), (), ("b",)),
        (Domain(ALWAYS, multi=True, never_hold=("a",)), (atom(set_of("StringEqualsIgnoreCase", "a")),), None),
    ],
)  # fmt: skip
def test_models(domain: Domain, atoms: tuple[Atom, ...], model: Held | None) -> None:
    assert solved(domain, *atoms) == model


def test_a_question_about_one_key_is_answered_once() -> None:
    solver, domain = Solver(), Domain(ALWAYS)
    likes = atom(set_of("StringLike", "a*c"))
    first, again = Budget(), Budget()
    assert solver.model(domain, (likes,), first) == solver.model(domain, (likes,), again) == "ac"
    assert first.left < again.left == Budget().left
    other = Budget()
    assert solver.model(domain, (likes._replace(wanted=False),), other) == "a"
    assert solver.model(Domain(ALWAYS, samples=("b",)), (likes,), other) == "ac"
    assert other.left < again.left


def test_the_answer_that_there_is_no_value_is_remembered_too() -> None:
    solver, domain = Solver(), Domain(ALWAYS)
    apart = (atom(set_of("StringLike", "a*")), atom(set_of("StringLike", "b*")))
    first, again = Budget(), Budget()
    assert solver.model(domain, apart, first) is None
    assert solver.model(domain, apart, again) is None
    assert first.left < again.left == Budget().left


def test_a_bounded_number_of_answers_is_remembered() -> None:
    solver, likes = Solver(), atom(set_of("StringLike", "a*"))
    solver._found.update({(number, frozenset()): (None, None) for number in range(MAX_FOUND - 1)})
    for _ in range(2):
        assert solver.model(Domain(ALWAYS), (likes,), Budget()) == "a"
        assert len(solver._found) == MAX_FOUND == 50_000


def test_a_member_that_serves_as_it_is_costs_no_search() -> None:
    domain = Domain(ALWAYS, multi=True, must_hold=("b",))
    likes = atom(set_of("StringLike", "?"), quantifier=EVERY)
    assert Solver().model(domain, (likes,), Budget(0)) == ("b",)


def test_a_comparison_keeps_no_reasons() -> None:
    open_number = set_of("NumericNotEquals", "5")
    assert open_number.contains("x")
    assert isinstance(open_number._contains, Contains)
    assert list(open_number._contains.run.reasons) == []


def test_a_set_and_its_complement_and_an_empty_list_cost_no_search() -> None:
    budget = Budget(0)
    likes = atom(set_of("StringLike", "a*"))
    assert Solver().model(Domain(ALWAYS), (likes, likes._replace(wanted=False)), budget) is None
    nothing = Accepted(operators.STRING, (), lambda _: False, patterns=(), complement=False, literals=frozenset())
    everything = Accepted(operators.STRING, (), lambda _: True, patterns=(), complement=True, literals=frozenset())
    assert Solver().model(Domain(ALWAYS), (atom(nothing),), budget) is None
    assert Solver().model(Domain(ALWAYS), (atom(everything, wanted=False),), budget) is None
    assert solved(Domain(ALWAYS), atom(nothing, wanted=False)) == solved(Domain(ALWAYS), atom(everything)) == "a"


# ------------------------------------------------------------------------------------------------------ finding a value


def test_the_values_of_a_list_are_tried_and_the_shortest_list_is_taken() -> None:
    long = set_of("StringEquals", *"abcdefgh")
    short = set_of("StringEquals", *"hg")
    asked: list[str] = []

    def ask(value: str) -> bool:
        asked.append(value)
        return value == "h"

    assert _find(Domain(ALWAYS), [(where(ask), True), (long, True), (short, True)], Budget()) == "h"
    assert asked == ["g", "h"]
    assert _find(Domain(ALWAYS), [(long, True), (short, False), (set_of("StringNotEquals", *"abcdef"), True)], Budget()) is None
    assert _find(Domain(ALWAYS), [(set_of("StringNotEquals", "a", "b"), False), (short, False)], Budget()) == "a"
    assert _find(Domain(ALWAYS, excluded=frozenset("a")), [(long, True)], Budget()) == "b"


def test_samples_come_first_and_must_belong() -> None:
    domain = Domain(ALWAYS, excluded=frozenset({"p"}), samples=("p", "q", "r"))
    assert _find(domain, [], Budget()) == "q"
    assert _find(domain, [(set_of("StringEquals", "q"), False)], Budget()) == "r"
    assert _find(domain, [(set_of("StringLike", "p"), True)], Budget()) is None
    assert _find(Domain(ALWAYS, finite=("a", "b"), samples=("z",)), [(set_of("StringEquals", "b"), True)], Budget()) == "b"
    assert _find(Domain(ALWAYS, finite=("a", "b")), [(set_of("StringEquals", "c"), True)], Budget()) is None


def test_finding_costs_its_conditions_and_its_candidates() -> None:
    budget = Budget()
    tests = [(set_of("StringNotEquals", "a"), True), (set_of("StringNotEquals", "b"), True)]
    assert _find(Domain(ALWAYS, samples=("c",)), tests, budget) == "c"
    assert Budget().left - budget.left == 2
    budget = Budget()
    assert _find_ordered(Domain(ALWAYS, family=operators.NUMERIC), [(set_of("NumericEquals", "5"), True)], budget) == "5"
    assert Budget().left - budget.left == len({"5", "4", "6", "0", "x"})


def test_a_text_condition_without_a_pattern_is_not_searched() -> None:
    with pytest.raises(Unsolved, match="not a text pattern"):
        _find_text(Domain(ALWAYS), [(where(lambda _: True, operators.STRING), True)], Budget())


@pytest.mark.parametrize("family", [operators.NUMERIC, operators.DATE, operators.IP])
def test_a_domain_of_numbers_is_never_searched_as_text(family: str) -> None:
    found = _find(Domain(ALWAYS, family=family), [], Budget())
    assert found is not None
    assert Domain(ALWAYS, family=family).holds(found)


# ---------------------------------------------------------------------------------------------------------- candidates


@pytest.mark.parametrize(
    ("bounds", "constants", "tried"),
    [
        (None, [], "0"),
        (None, ["x"], "0"),
        (None, ["5"], "5 4 6 0"),
        (None, ["7", "5", "5.0", "x"], "5 7 4 6 6 8 6 0"),
        (None, ["-1", "0.5"], "-1 0.5 -2 -0.5 0 1.5 -0.25 0"),
        ((7, 30), [], "7 30"),
        ((7, 30), ["x", "10"], "7 9 10 11 30"),
        ((7, 30), ["7", "30.5", "31"], "7 8 29 30"),
        ((7, 30), ["6", "8.5"], "7 8 9 30"),
        ((0, 3), ["-1", "2"], "0 1 2 3"),
    ],
)
def test_numbers_that_are_tried(bounds: tuple[int, int] | None, constants: list[str], tried: str) -> None:
    assert _numbers(Domain(ALWAYS, family=operators.NUMERIC, integer=bounds), constants) == tried.split()


def test_every_cell_of_a_range_of_integers_has_one() -> None:
    marks = (Decimal("-2.5"), -1, Decimal("0.5"), 3, 4, Decimal("9.5"))
    found = _integers(marks, -4, 12)
    assert found == sorted(set(found))
    for number in range(-4, 13):
        sides = [(number > mark) - (number < mark) for mark in marks]
        assert any([(one > mark) - (one < mark) for mark in marks] == sides for one in found), number
    assert all(-4 <= number <= 12 for number in found)


def test_dates_that_are_tried() -> None:
    usual = 1795000000
    assert _dates([]) == [iso(usual), str(usual)]
    one = 1780315200
    points = (one, one + 2, one - 1, one + 1, one + 1, one + 3, one + 1, usual)
    assert _dates(["2026-06-01T12:00:02Z", str(one), "x"]) == [iso(at) for at in points] + [str(at) for at in points]


@pytest.mark.parametrize(
    ("point", "written"),
    [(2024, "2024.0"), (-1234, "-1234.0"), (999, "999"), (-123, "-123"), (12345, "12345"), (Decimal("20.5"), "20.5"), (0, "0")],
)
def test_seconds_are_never_four_digits_alone(point: values.Number, written: str) -> None:
    assert _seconds(point) == written
    assert len(values.instants(written)) == 1


V4, V6 = "0.0.0.0", "0:0:0:0:0:0:0:0"  # noqa: S104 - an input
MAPPED = "0:0:0:0:0:ffff:"
BELOW, LAST = "2000" + ":ffff" * 7, "2001" + ":ffff" * 7


@pytest.mark.parametrize(
    ("constants", "tried"),
    [
        ([], f"{V4} {V6}"),
        (["x", "1.2.3.4/33"], f"{V4} {V6}"),
        (
            ["10.0.0.0/8"],
            f"{V4} 9.255.255.255 10.0.0.0 10.255.255.255 11.0.0.0 {V6} {MAPPED}9ff:ffff {MAPPED}a00:0 {MAPPED}aff:ffff {MAPPED}b00:0",
        ),
        (
            ["0.0.0.0/0"],
            f"{V4} 255.255.255.255 {V6} 0:0:0:0:0:fffe:ffff:ffff {MAPPED}0:0 {MAPPED}ffff:ffff 0:0:0:0:1:0:0:0",
        ),
        (
            ["1.2.3.4", "2001::/16"],
            f"{V4} 1.2.3.3 1.2.3.4 1.2.3.5 {V6} {MAPPED}102:303 {MAPPED}102:304 {MAPPED}102:305 {BELOW} 2001:0:0:0:0:0:0:0 {LAST} 2002:0:0:0:0:0:0:0",
        ),
        (["::/0"], f"{V4} {V6} " + ":".join(["ffff"] * 8)),
        (
            ["2001:db8::/32"],
            f"{V4} {V6} 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:0:0:0:0:0:0 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9:0:0:0:0:0:0",
        ),
        (
            ["::ffff:1.2.3.0/120"],
            f"{V4} 1.2.2.255 1.2.3.0 1.2.3.255 1.2.4.0 {V6} {MAPPED}102:2ff {MAPPED}102:300 {MAPPED}102:3ff {MAPPED}102:400",
        ),
    ],
)  # fmt: skip
def test_addresses_that_are_tried(constants: list[str], tried: str) -> None:
    assert _addresses(constants) == tried.split()


def test_an_address_is_written_as_it_is_read() -> None:
    for version, value in (
        (4, 0),
        (4, 0x01020304),
        (4, 2**32 - 1),
        (6, 0),
        (6, 0x20010DB8 << 96 | 0x00A1_B2C3),
        (6, 2**128 - 1),
        (6, 0x0123_4567_89AB_CDEF_1032_5476_98BA_DCFE),
    ):
        assert values.address(_address(version, value)) == (version, value)


@pytest.mark.parametrize(
    ("domain", "tests", "tried"),
    [
        (Domain(ALWAYS), [("Bool", "true")], "true false x"),
        (Domain(ALWAYS), [("BinaryEquals", "QUJD")], "QUJD x"),
        (Domain(ALWAYS, samples=("s",)), [("NumericEquals", "5")], "s 5 4 6 0 x"),
        (Domain(ALWAYS), [("NumericEquals", "5.0"), ("Bool", "true")], "5.0 4.0 6.0 0 true false x"),
        (Domain(ALWAYS), [("IpAddress", "::/0")], f"{V4} {V6} {':'.join(['ffff'] * 8)} ::/0 x"),
        (Domain(ALWAYS), [("DateEquals", "1780315200")], " ".join((*_dates(["1780315200"]), "x"))),
        (Domain(ALWAYS, family=operators.NUMERIC), [], "0 x"),
        (Domain(ALWAYS, family=operators.IP), [], f"{V4} {V6} x"),
        (Domain(ALWAYS, family=operators.DATE), [], " ".join((*_dates([]), "x"))),
        (Domain(ALWAYS, family=operators.BOOL), [], "true false x"),
        (Domain(ALWAYS, family=operators.NUMERIC, integer=(7, 12)), [("StringLike", "1*")], "7 12 8 9 10 11 x"),
        (Domain(ALWAYS, family=operators.NUMERIC, integer=(7, 12)), [("NumericLessThan", "9")], "7 8 9 10 12 x"),
        (Domain(ALWAYS, family=operators.NUMERIC, integer=(0, 4097)), [("StringLike", "1*")], "0 4097 x"),
        (Domain(ALWAYS, family=operators.NUMERIC, integer=(1, 4098)), [("StringLike", "1*")], "1 4098 x"),
        (Domain(ALWAYS), [("StringLike", "1*")], "x"),
        (
            Domain(ALWAYS, patterns=DIGITS, excluded=frozenset({"000000000003"})), [("NumericLessThan", "7")],
            "7 6 8 0 000000000000 000000000002 000000000003 000000000004 000000000006 000000000007 000000000008 999999999999 x",
        ),
    ],
)  # fmt: skip
def test_values_that_are_tried(domain: Domain, tests: list[tuple[str, str]], tried: str) -> None:
    assert _candidates(domain, [set_of(operator, wanted) for operator, wanted in tests]) == tried.split()


def test_a_range_of_4096_steps_is_tried_whole() -> None:
    domain = Domain(ALWAYS, family=operators.NUMERIC, integer=(10, 4106))
    assert set(map(str, range(10, 4107))) <= set(_candidates(domain, [set_of("StringLike", "1*")]))


# --------------------------------------------------------------------------------------------------------- exact numbers

LONG = "1" + "0" * 36 + ".5"


def test_sums_and_halves_are_exact() -> None:
    tiny = Decimal("0." + "0" * 399 + "1")
    huge = 10**400 - 1
    assert _sum(2, 3) == 5
    assert isinstance(_sum(2, 3), int)
    assert _sum(Decimal(LONG), -1) == Decimal("9" * 36 + ".5")
    assert plain(_sum(huge, tiny)) == "9" * 400 + "." + "0" * 399 + "1"
    assert plain(_middle(huge, tiny)) == "4" + "9" * 399 + "." + "5" + "0" * 399 + "5"
    assert (_middle(2, 3), _middle(-1, 1)) == (Decimal("2.5"), 0)
    assert plain(_middle(100, 300)) == "200"
    assert plain(Decimal("0.00000005")) == "0.00000005"
    assert plain(Decimal("2E+3")) == "2000"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (Decimal("0.5"), "1970-01-01T00:00:00.5Z"),
        (Decimal("-0.5"), "1969-12-31T23:59:59.5Z"),
        (Decimal("-1.25"), "1969-12-31T23:59:58.75Z"),
        (Decimal("7.0"), "1970-01-01T00:00:07Z"),
        (Decimal("1780315200.123456789012345"), "2026-06-01T12:00:00.123456789012345Z"),
        (Decimal("1780315200.1234567890123456"), "1780315200.1234567890123456"),
        (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (-62_135_596_801, "-62135596801"),
        (Decimal("-62135596800.5"), "-62135596800.5"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (Decimal("253402300799.5"), "253402300799.5"),
        (253_402_300_800, "253402300800"),
        (Decimal(LONG), LONG),
        (-(10**400) + 1, "-" + "9" * 400),
    ],
)  # fmt: skip
def test_an_instant_is_printed_exactly(seconds: values.Number, written: str) -> None:
    assert iso(seconds) == written
    assert values.instants(written)[0] == seconds


# ------------------------------------------------------------------------- domains with a language, and what they do not say

NUMBER = Domain(ALWAYS, family=operators.NUMERIC, integer=(0, 40))
WIDE = NUMBER._replace(integer=(0, 10**9))


@pytest.mark.parametrize(
    ("domain", "tests", "found"),
    [
        # all members are account numbers: read as integers, whatever the zeros in front
        (Domain(ALWAYS, patterns=DIGITS), [("NumericLessThan", "5", True)], "000000000000"),
        (Domain(ALWAYS, patterns=DIGITS), [("NumericLessThan", "5", True), ("NumericGreaterThan", "3.5", True)], "000000000004"),
        (Domain(ALWAYS, patterns=DIGITS), [("NumericLessThan", "0", True)], None),
        (Domain(ALWAYS, patterns=DIGITS), [("NumericGreaterThan", "999999999999", True)], None),
        (Domain(ALWAYS, patterns=DIGITS), [("NumericGreaterThanEquals", "999999999999", True)], "999999999999"),
        (Domain(ALWAYS, patterns=DIGITS, excluded=frozenset({"000000000000"})), [("NumericLessThan", "1", True)], None),
        (Domain(ALWAYS, patterns=DIGITS, excluded=frozenset({"000000000000"})), [("NumericLessThan", "2", True)], "000000000001"),
        (Domain(ALWAYS, patterns=DIGITS), [("NumericEquals", "5", False), ("NumericLessThan", "6", True)], "000000000000"),
        (Domain(ALWAYS, patterns=DIGITS), [("DateLessThan", "1970-01-01T00:00:05Z", True), ("DateGreaterThan", "3", True)], "000000000004"),
        (Domain(ALWAYS, patterns=DIGITS), [("IpAddress", "0.0.0.0/0", True)], None),
        (Domain(ALWAYS, patterns=DIGITS), [("Bool", "true", True)], None),
        (Domain(ALWAYS, patterns=DIGITS), [("Bool", "true", False)], "000000000000"),
        # no member reads as a number: all are alike
        (Domain(ALWAYS, patterns=ORG_PATHS), [("NumericEquals", "5", True)], None),
        (Domain(ALWAYS, patterns=ORG_PATHS), [("NumericEquals", "5", False)], "o-abc/"),
        (Domain(ALWAYS, patterns=ORG_PATHS), [("NumericNotEquals", "5", True)], "o-abc/"),
        (Domain(ALWAYS, patterns=ORG_PATHS), [("IpAddress", "0.0.0.0/0", True)], None),
        (Domain(ALWAYS, patterns=ORG_PATHS), [("DateEquals", "0", True)], None),
        (Domain(ALWAYS, patterns=ORG_PATHS), [("Bool", "false", True)], None),
        (Domain(ALWAYS, patterns=ORG_PATHS), [("Bool", "false", False)], "o-abc/"),
        (Domain(ALWAYS, patterns=ORG_PATHS), [("BinaryEquals", "QUJD", True)], None),
        # nothing belongs to the domain
        (Domain(ALWAYS, patterns=(text("q"),), avoid=(text("q"),)), [("NumericEquals", "5", False)], None),
        # conditions of several kinds, or of text on numbers
        (Domain(ALWAYS), [("NumericEquals", "5", True), ("Bool", "true", False)], "5"),
        (WIDE, [("StringLike", "5*", True)], "5"),
        (WIDE, [("StringLike", "5*", True), ("NumericLessThan", "3", True), ("NumericGreaterThan", "3", True)], None),
        (Domain(ALWAYS, family=operators.NUMERIC, integer=(5, 4)), [], None),
        # a free text can be any number, and any other text
        (Domain(ALWAYS), [("NumericEquals", "5", True), ("NumericEquals", "5", False)], None),
        (Domain(ALWAYS), [("NumericEquals", "5", True), ("NumericLessThan", "5", True)], None),
        (Domain(ALWAYS), [("NumericEquals", "5", False)], "4"),
        (Domain(ALWAYS), [("BinaryEquals", "QUJD", True), ("BinaryEquals", "QUJE", True)], None),
        (Domain(ALWAYS, family=operators.BOOL), [("Bool", "true", True), ("Bool", "false", True)], None),
        (Domain(ALWAYS, never_hold=("0", "4", "6", "x")), [("NumericEquals", "5", False)], "a"),
    ],
)  # fmt: skip
def test_conditions_of_one_kind_on_a_domain(domain: Domain, tests: list[tuple[str, str, bool]], found: str | None) -> None:
    asked = [(set_of(operator, wanted), want) for operator, wanted, want in tests]
    assert _find_ordered(domain, asked, Budget()) == found


@pytest.mark.parametrize(
    ("domain", "operator", "wanted"),
    [
        # `05` is not in the set key either way, but 5.0 may be
        (Domain(ALWAYS, never_hold=("5",)), "NumericEquals", "5"),
        (Domain(ALWAYS, excluded=frozenset({"5"})), "NumericEquals", "5"),
        (Domain(ALWAYS, avoid=(text("5"),)), "NumericEquals", "5"),
        (Domain(ALWAYS, patterns=((*text("0"), STAR),)), "NumericEquals", "5"),
        (Domain(ALWAYS, patterns=DIGITS, avoid=((STAR, "5"),)), "NumericEquals", "5"),
        (Domain(ALWAYS, patterns=((*text("t"), STAR),), excluded=frozenset({"true"})), "Bool", "true"),
        (Domain(ALWAYS, patterns=((*text("f"), STAR),), excluded=frozenset({"false"})), "Bool", "false"),
        (Domain(ALWAYS, patterns=((*text("T"), STAR),)), "Bool", "true"),
        (Domain(ALWAYS, patterns=((*text("F"), STAR),)), "Bool", "false"),
        (Domain(ALWAYS, patterns=((*text(":"), STAR),), excluded=frozenset({"::1"})), "IpAddress", "::1/128"),
        (Domain(ALWAYS, patterns=((*text("abcdef:"), STAR), (*text("ABCDEF.:"), STAR))), "IpAddress", "::1/128"),
        (Domain(ALWAYS, patterns=((*text("0123456789"), STAR),)), "IpAddress", "::1/128"),
        (Domain(ALWAYS, patterns=((*text("T:z-+."), STAR),)), "DateEquals", "5"),
        (Domain(ALWAYS, patterns=((*text("t0123456789Z"), STAR),)), "DateEquals", "5"),
        (Domain(ALWAYS, patterns=((*text("+-."), STAR),)), "NumericEquals", "5"),
        (Domain(ALWAYS, patterns=((*text("0123456789"), STAR),)), "NumericEquals", "5"),
        (Domain(ALWAYS, patterns=((*text("+/="), STAR),)), "BinaryEquals", "QUJD"),
        (Domain(ALWAYS, patterns=DIGITS, excluded=frozenset({"111122223333"})), "BinaryEquals", "111122223333"),
    ],
)  # fmt: skip
def test_what_no_candidate_settles_is_open(domain: Domain, operator: str, wanted: str) -> None:
    with pytest.raises(Unsolved, match="conditions of another kind"):
        _find_ordered(domain, [(set_of(operator, wanted), True)], Budget())


def test_conditions_of_several_kinds_are_no_refinement() -> None:
    with pytest.raises(Unsolved, match="conditions of several kinds"):
        _find_ordered(Domain(ALWAYS), [(set_of("NumericEquals", "5"), True), (set_of("Bool", "true"), True)], Budget())


@pytest.mark.parametrize(
    ("domain", "families"),
    [
        (Domain(ALWAYS), {"numeric", "date", "ip", "bool", "binary"}),
        (Domain(ALWAYS, excluded=frozenset("a")), set()),
        (Domain(ALWAYS, avoid=(text("a"),)), set()),
        (Domain(ALWAYS, never_hold=("a",)), set()),
        (Domain(ALWAYS, patterns=ORG_PATHS), set()),
        (Domain(ALWAYS, patterns=DIGITS), {"numeric", "date", "ip", "bool"}),
        (Domain(ALWAYS, patterns=DIGITS, excluded=frozenset("a")), {"numeric", "date", "ip", "bool"}),
        (Domain(ALWAYS, patterns=DIGITS, avoid=(text("a"),)), set()),
        (Domain(ALWAYS, family=operators.DATE, patterns=DIGITS, avoid=(text("a"),)), {"date"}),
    ],
)
def test_the_domains_of_which_the_candidates_meet_every_cell(domain: Domain, families: set[str]) -> None:
    assert {family for family in ("numeric", "date", "ip", "bool", "binary") if _is_covered(domain, family)} == families


# ------------------------------------------------------------------------------------------------ several kinds on one key


def open_or_found(domain: Domain, *tests: tuple[str, str, bool]) -> str | None:
    try:
        return _project(domain, [(set_of(operator, wanted), want) for operator, wanted, want in tests], Budget())
    except Unsolved as error:
        return str(error)


ADDRESS = Domain(ALWAYS, family=operators.IP)
OPEN = "conditions of several kinds ({}) on one key"


@pytest.mark.parametrize(
    ("domain", "tests", "says"),
    [
        (Domain(ALWAYS), [("StringLike", "7*", True), ("NumericLessThan", "9", True)], "7"),
        (Domain(ALWAYS), [("StringLike", "a*", True), ("StringLike", "b*", True), ("NumericLessThan", "9", True)], None),
        (Domain(ALWAYS), [("StringLike", "*5?", True), ("NumericLessThan", "9", True)], OPEN.format("like, numeric")),
        (Domain(ALWAYS), [("StringLike", "*5?", True), ("NumericLessThan", "9", True), ("NumericGreaterThan", "9", True)], None),
        (Domain(ALWAYS), [("StringLike", "q*", True), ("Bool", "true", True), ("Bool", "false", True)], None),
        (Domain(ALWAYS), [("Bool", "true", True), ("NumericEquals", "5", True)], OPEN.format("bool, numeric")),
        (Domain(ALWAYS), [("Bool", "true", True), ("NumericEquals", "5", True), ("NumericEquals", "5", False)], None),
        (Domain(ALWAYS, patterns=ORG_PATHS), [("StringLike", "*7", True), ("NumericEquals", "5", True)], None),
        (Domain(ALWAYS, patterns=ORG_PATHS), [("StringLike", "*7", True), ("NumericEquals", "5", False)], "o-abc/7"),
        (Domain(ALWAYS, never_hold=("5",)), [("StringLike", "q*", True), ("NumericEquals", "5", True)], OPEN.format("like, numeric")),
        (NUMBER, [("StringLike", "1*", True), ("NumericGreaterThan", "30", True)], None),
        (NUMBER, [("StringLike", "3*", True)], "3"),
        (WIDE, [("StringLike", "*2*?", True)], OPEN.format("like")),
        (WIDE, [("StringEquals", "q", True)], OPEN.format("string")),
        (WIDE, [("Bool", "true", True)], None),
        (NUMBER, [("Bool", "true", True)], None),
        (NUMBER, [("NumericEquals", "5", True), ("DateEquals", "6", True)], OPEN.format("date, numeric")),
        (ADDRESS, [("StringLike", "10.*", True)], OPEN.format("like")),
        (ADDRESS, [("StringLike", "10.0.0.9", True)], "10.0.0.9"),
        (ADDRESS, [("StringLike", "*", True), ("IpAddress", "10.0.0.0/8", True), ("IpAddress", "10.0.0.0/8", False)], None),
    ],
)  # fmt: skip
def test_conditions_of_several_kinds(domain: Domain, tests: list[tuple[str, str, bool]], says: str | None) -> None:
    assert open_or_found(domain, *tests) == says


# -------------------------------------------------------------------------------------------------- through the whole core


def asked(allow: dict[str, object], deny: dict[str, object] | None = None) -> object:
    statements: list[dict[str, object]] = [
        {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": allow}
    ]
    if deny is not None:
        statements.append({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": deny})
    policy = policy_of({"Version": "2012-10-17", "Statement": statements})
    described = statements_of([{"Action": "kms:Decrypt", "Condition": {"Bool": {"aws:PrincipalIsAWSService": "false"}}}])
    return type(find_allowed((policy,), described, KEY, grant="any"))


IN_ORG: dict[str, object] = {"StringEquals": {"aws:PrincipalOrgID": "o-abc"}}


@pytest.mark.parametrize(
    ("allow", "deny", "answer"),
    [
        ({"NumericGreaterThan": {"aws:PrincipalTag/level": LONG}}, None, Violated),
        ({"NumericGreaterThan": {"aws:PrincipalTag/level": LONG}, "NumericLessThan": {"aws:PrincipalTag/level": "3"}}, None, Proven),
        ({"DateGreaterThan": {"aws:CurrentTime": LONG}}, None, Violated),
        ({"DateGreaterThan": {"aws:TokenIssueTime": LONG}}, None, Violated),
        ({"DateEquals": {"aws:CurrentTime": "-1234"}}, None, Violated),
        ({"NumericLessThan": {"aws:PrincipalAccount": "100000000000"}}, None, Violated),
        ({"NumericLessThan": {"aws:PrincipalAccount": "0"}}, None, Proven),
        # a condition that no path meets as a number, and that each meets when negated
        ({**IN_ORG, "ForAnyValue:NumericEquals": {"aws:PrincipalOrgPaths": "5"}}, None, Proven),
        ({**IN_ORG, "ForAnyValue:NumericNotEquals": {"aws:PrincipalOrgPaths": "5"}}, None, Undetermined),
        (IN_ORG, {"ForAnyValue:NumericEquals": {"aws:PrincipalOrgPaths": "5"}}, Violated),
        # IPv4 addresses may be meant by a range of mapped ones, and are outside of every range of IPv6
        ({"IpAddress": {"aws:SourceIp": "::ffff:1.2.3.0/120"}}, {"IpAddress": {"aws:SourceIp": "::/0"}}, Undetermined),
        ({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, {"IpAddress": {"aws:SourceIp": "::/0"}}, Proven),
    ],
)  # fmt: skip
def test_a_proof_is_never_of_values_that_were_not_tried(
    allow: dict[str, object], deny: dict[str, object] | None, answer: type
) -> None:
    assert asked(allow, deny) is answer
