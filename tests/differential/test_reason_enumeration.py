"""The reasoning core against enumeration: random policies, every representative request, and an oracle that shares no code.

`KMSLINT_CASES` sets the number of random cases (default 36 a question); `KMSLINT_SEED` moves the start.
"""

from collections.abc import Callable

import pytest

from kmslint.reason.answer import BUDGET, Answer, Proven, StatementRef, Undetermined, Violated
from kmslint.reason.query import find_allowed, find_allowed_by_statement, find_not_allowed
from tests.oracle import evaluator
from tests.oracle.bridge import policy_of, statements_of
from tests.oracle.compare import (
    CASES,
    KEY,
    OPEN,
    SEED,
    SETTLED,
    assert_none,
    batches,
    counts,
    disagreement,
    drawn,
    report,
    tally,
)
from tests.oracle.evaluator import Decision, JsonObject
from tests.strategies import Case, Shape


def allowed_fault(seed: int, shape: Shape, grant: str, ask: Callable[..., Answer] = find_allowed) -> str | None:
    case, rng = drawn(seed, shape)

    def truth(req: JsonObject) -> int:
        return counts(req, evaluator.decide(case.policies, req), grant)

    seen = tally(case, rng, lambda req, found: counts(req, found, grant))
    answer = ask(tuple(policy_of(one) for one in case.policies), statements_of(case.described), KEY, grant=grant)
    wrong = disagreement(case, answer, seen, truth)
    return None if wrong is None else report(seed, case, wrong)


@pytest.mark.parametrize(("first", "last"), batches(CASES * 2))
def test_find_allowed_agrees_with_enumeration(first: int, last: int) -> None:
    grants = ("default", "any", "direct")
    assert_none([allowed_fault(seed, SETTLED, grants[seed % 3]) for seed in range(first, last)])


@pytest.mark.parametrize(("first", "last"), batches(CASES))
def test_find_allowed_agrees_with_enumeration_on_points_of_the_register(first: int, last: int) -> None:
    assert_none([allowed_fault(seed, OPEN, "any") for seed in range(10_000_000 + first, 10_000_000 + last)])


# ----------------------------------------------------------------------------------------------------------- find_not_allowed


def refused_fault(seed: int) -> str | None:
    """By the text alone: what does not work across accounts is not allowed either where no statement says so."""
    case, rng = drawn(20_000_000 + seed, SETTLED)

    def judge(_: JsonObject, found: Decision) -> int:
        return evaluator.k_not(found.whole)

    def truth(req: JsonObject) -> int:
        return evaluator.k_not(evaluator.decide(case.policies, req).whole)

    seen = tally(case, rng, judge)
    answer = find_not_allowed(tuple(policy_of(one) for one in case.policies), statements_of(case.described), KEY)
    wrong = disagreement(case, answer, seen, truth)
    return None if wrong is None else report(seed, case, wrong)


@pytest.mark.parametrize(("first", "last"), batches(CASES))
def test_find_not_allowed_agrees_with_enumeration(first: int, last: int) -> None:
    assert_none([refused_fault(seed) for seed in range(first, last)])


# -------------------------------------------------------------------------------------------------- find_allowed_by_statement


def alone(case: Case, ref: StatementRef) -> list[JsonObject]:
    """The policies with every Deny and only the Allow that `ref` names."""
    kept = []
    for number, policy in enumerate(case.policies):
        statements = [
            one
            for at, one in enumerate(policy["Statement"])
            if one["Effect"] == "Deny" or (number, at) == (ref.policy, ref.statement)
        ]
        kept.append({**policy, "Statement": statements})
    return kept


def by_statement_faults(seed: int) -> list[str | None]:
    """Each Allow statement's own answer, against all Denies; a statement that is not named is proven."""
    case, rng = drawn(30_000_000 + seed, SETTLED)
    given = tuple(policy_of(one) for one in case.policies)
    answers = dict(find_allowed_by_statement(given, statements_of(case.described), KEY, grant="any"))
    faults: list[str | None] = []
    for number, policy in enumerate(case.policies):
        for at, statement in enumerate(policy["Statement"]):
            ref = StatementRef(number, at)
            if statement["Effect"] == "Deny":
                faults.append(f"seed {seed}: a Deny is named: {ref}" if ref in answers else None)
                continue
            part = case._replace(policies=alone(case, ref))

            def truth(req: JsonObject, part: Case = part) -> int:
                return counts(req, evaluator.decide(part.policies, req), "any")

            seen = tally(part, rng, lambda req, found: counts(req, found, "any"))
            wrong = disagreement(part, answers.get(ref, Proven()), seen, truth)
            faults.append(None if wrong is None else report(seed, part, f"{ref}: {wrong}"))
    return faults


@pytest.mark.parametrize(("first", "last"), batches(CASES // 2))
def test_find_allowed_by_statement_agrees_with_enumeration(first: int, last: int) -> None:
    assert_none([fault for seed in range(first, last) for fault in by_statement_faults(seed)])


def test_the_cases_are_no_walkover() -> None:
    """Both answers have to be common among the random cases and giving up rare, or the comparisons above show little."""
    kinds = {Proven: 0, Violated: 0, Undetermined: 0}
    given_up = 0
    for seed in range(SEED, SEED + 100):
        case, _ = drawn(seed, SETTLED)
        answer = find_allowed(tuple(policy_of(one) for one in case.policies), statements_of(case.described), KEY, grant="any")
        kinds[type(answer)] += 1
        given_up += isinstance(answer, Undetermined) and any(cause.kind == BUDGET for cause in answer.causes)
    assert kinds[Proven] >= 25
    assert kinds[Violated] >= 25
    assert given_up <= 2
