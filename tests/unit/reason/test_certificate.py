"""The steps of a proof: a core from which nothing can be taken, and the sentence that a person reads."""

from types import SimpleNamespace

import pytest

from kmslint.reason.answer import Killed, StatementRef
from kmslint.reason.callers import FRESH, Callers, Names
from kmslint.reason.cells import Cell
from kmslint.reason.certificate import Evidence, of_allow, of_conditions, of_deny, of_reach, sentence, shrink
from kmslint.reason.domains import Domains
from kmslint.reason.modes import Mode
from kmslint.reason.search import Problem, Search, equal_to
from kmslint.reason.strings import Budget
from kmslint.reason.values import Atom, Solver
from tests.oracle.bridge import ACCOUNT, key_of

KEY = key_of()
CALLER = Callers(Names((ACCOUNT,), (), (), (), (), (), frozenset({ACCOUNT})), KEY).of(FRESH)[0]
DOMAINS = Domains(CALLER, "Decrypt", Mode(), KEY, (ACCOUNT,), may=True)


def is_(key: str, value: str | None) -> Atom:
    return equal_to(f"aws:{key}", value)


A, B, C = is_("referer", "a"), is_("referer", "b"), is_("useragent", "c")
NOT_A, NOT_B, NOT_C = A.negated(), B.negated(), C.negated()


def is_refuted(problem: Problem) -> bool:
    return Search(CALLER, DOMAINS, Solver(), Budget()).model(problem) is None


@pytest.mark.parametrize(
    ("problem", "core"),
    [
        (Problem((A, B), ()), Problem((A, B), ())),
        (Problem((A, C, B), ()), Problem((A, B), ())),
        (Problem((C, A, NOT_A), ((B, NOT_C),)), Problem((A, NOT_A), ())),
        (Problem((C, A), ((B, NOT_C),)), Problem((C, A), ((B, NOT_C),))),
        (Problem((C,), ((A, B), (NOT_C, NOT_C), (NOT_A, B))), Problem((C,), ((NOT_C, NOT_C),))),
        (Problem((), ((A, B), (NOT_A,), (NOT_B,), (C,))), Problem((), ((A, B), (NOT_A,), (NOT_B,)))),
        (Problem((A, A, B), ()), Problem((A, B), ())),
    ],
)
def test_a_core_holds_what_excludes_each_other_and_nothing_else(problem: Problem, core: Problem) -> None:
    assert is_refuted(problem)
    assert shrink(problem, CALLER, DOMAINS, Solver()) == core
    assert is_refuted(core)
    for index in range(len(core.units)):
        assert not is_refuted(core._replace(units=core.units[:index] + core.units[index + 1 :]))
    for index in range(len(core.clauses)):
        assert not is_refuted(core._replace(clauses=core.clauses[:index] + core.clauses[index + 1 :]))


def test_the_last_of_several_cores_is_kept() -> None:
    """What comes first is tried first for whether it can go, conditions before clauses."""
    last = is_("referer", "d")
    assert shrink(Problem((A, B, last), ()), CALLER, DOMAINS, Solver()) == Problem((B, last), ())
    assert shrink(Problem((A, B), ((NOT_C,), (C,))), CALLER, DOMAINS, Solver()) == Problem((), ((NOT_C,), (C,)))


# ----------------------------------------------------------------------------------------------------------------- as it is told

NAMES = ("Decrypt", "Encrypt", "Sign", "Verify", "CreateGrant")
SUBJECT, BY = StatementRef(0, 4), StatementRef(1, 7)


def evidence(actions: int, label: str = "", units: tuple[Atom, ...] = (), clauses: tuple[tuple[Atom, ...], ...] = ()) -> Evidence:
    return Evidence(CALLER, NAMES[:actions], Mode(label=label), units, clauses)


WHO = "a role session of an account named nowhere"


@pytest.mark.parametrize(
    ("actions", "label", "cell"),
    [
        (1, "", f"{WHO}, kms:Decrypt"),
        (2, "", f"{WHO}, kms:Decrypt, kms:Encrypt"),
        (3, "", f"{WHO}, kms:Decrypt, kms:Encrypt, kms:Sign"),
        (4, "", f"{WHO}, kms:Decrypt, kms:Encrypt, kms:Sign, …"),
        (5, "over the internet", f"{WHO}, kms:Decrypt, kms:Encrypt, kms:Sign, …, over the internet"),
        (1, "over the internet", f"{WHO}, kms:Decrypt, over the internet"),
    ],
)
def test_a_cell_names_its_caller_three_actions_and_its_case(actions: int, label: str, cell: str) -> None:
    of = evidence(actions, label)
    assert of_conditions(SUBJECT, of) == Killed(cell, SUBJECT, "conditions", None, (), of)
    assert of_reach(SUBJECT, BY, of) == Killed(cell, SUBJECT, "reach", BY, (), of)
    assert of_deny(None, BY, of) == Killed(cell, None, "deny", BY, (), of)
    assert of_allow(None, BY, of) == Killed(cell, None, "allow", BY, (), of)


def test_the_core_of_a_step_is_told_once_each() -> None:
    of = evidence(1, units=(A, C, A), clauses=((A, NOT_C), (B,), (B,)))
    step = of_conditions(None, of)
    assert step.core == (A.origin, C.origin, f"not all of: {A.origin}; {NOT_C.origin}", f"not all of: {B.origin}")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (of_reach(SUBJECT, BY, evidence(1)), "statement 4 allows none of it: statement 7 does not apply"),
        (of_reach(None, BY, evidence(1)), "statement 7 does not apply"),
        (of_reach(SUBJECT, StatementRef(-1, 2), evidence(1)), "statement 4 allows none of it: the question does not apply"),
        (of_reach(SUBJECT, StatementRef(0, 2), evidence(1)), "statement 4 allows none of it: statement 2 does not apply"),
        (of_reach(SUBJECT, BY, evidence(1))._replace(by=None), "statement 4 allows none of it: the question does not apply"),
        (of_deny(SUBJECT, BY, evidence(1)), "statement 4 allows none of it: statement 7 denies it"),
        (of_deny(None, BY, evidence(1)), "statement 7 denies it"),
        (of_deny(None, BY, evidence(1))._replace(by=None), "statement ? denies it"),
        (of_allow(None, BY, evidence(1)), "statement 7 allows all of it"),
        (of_allow(None, BY, evidence(1))._replace(by=None), "statement ? allows all of it"),
        (
            of_conditions(SUBJECT, evidence(1, units=(A, B))),
            f"statement 4 allows none of it: these cannot hold together: {A.origin} · {B.origin}",
        ),
        (of_conditions(None, evidence(1, units=(A,))), f"these cannot hold together: {A.origin}"),
    ],
)
def test_a_step_as_a_person_reads_it(step: Killed, told: str) -> None:
    assert sentence(step) == f"{WHO}, kms:Decrypt: {told}"


def test_a_certificate_keeps_five_thousand_steps() -> None:
    space = SimpleNamespace(steps=[None] * 4_999)
    cell = Cell(space, CALLER, "Decrypt", 1, {}, True, 1, Mode(), None)  # type: ignore[arg-type]
    by = SimpleNamespace(ref=BY)
    for _ in range(2):
        cell.note(of_deny, by)  # type: ignore[arg-type]
        assert len(space.steps) == 5_000
    assert space.steps[-1] == of_deny(None, BY, evidence(1))
