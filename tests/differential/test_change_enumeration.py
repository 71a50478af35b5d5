"""Questions about change against enumeration: what a new policy opens, and which statements decide nothing."""

import random

import pytest

from kmslint.reason.answer import Proven, StatementRef
from kmslint.reason.query import find_new_access, is_inert
from tests import strategies
from tests.oracle import evaluator, world
from tests.oracle.bridge import policy_of
from tests.oracle.compare import CASES, KEY, OWNER, SETTLED, Tally, assert_none, batches, counts, disagreement, works_across
from tests.oracle.evaluator import Decision, F, JsonObject, Plain, T, U
from tests.strategies import Case, Shape


def gain(old: Decision, new: Decision, req: JsonObject) -> int:
    """Whether `new` allows what `old` does not, or directly what `old` only delegated."""
    who = evaluator.caller(req["principal"])
    if who.kind != "S" and who.account != OWNER and not works_across(req["action"]):
        return F
    return max(min(new.whole, evaluator.k_not(old.whole)), min(new.direct, evaluator.k_not(old.direct)))


def changed(rng: random.Random, policies: list[JsonObject], shape: Shape) -> list[JsonObject]:
    """The policies with one small change: a statement dropped, another's condition dropped, or one of a fresh draw added."""
    number = rng.randrange(len(policies))
    statements = [dict(one) for one in policies[number]["Statement"]]
    at = rng.randrange(len(statements))
    form = rng.random()
    if form < 0.35 and len(statements) > 1:
        del statements[at]
    elif form < 0.6:
        statements[at].pop("Condition", None)
    else:
        statements.append(strategies.draw_statement(rng, shape, strategies.draw_pool(rng, shape)))
    return [{**one, "Statement": statements} if place == number else one for place, one in enumerate(policies)]


EVERYTHING: list[dict[str, Plain]] = [{"Principal": "*", "Action": "*"}]


def new_access_fault(seed: int) -> str | None:
    rng = random.Random(40_000_000 + seed)
    old = strategies.draw_case(rng, SETTLED).policies
    new = changed(rng, old, SETTLED)
    case = Case([*old, *new], EVERYTHING)
    space = world.World([*old, *new], rng, limit=1000)
    before, after = world.Compiled(space, old), world.Compiled(space, new)
    firm = soft = F
    example = None
    for req, standing in space.requests():
        truth = gain(before.decide(req), after.decide(req), req)
        if standing == world.FIRM and truth > firm:
            firm, example = truth, req
        soft = max(soft, truth)
    answer = find_new_access(tuple(policy_of(one) for one in old), tuple(policy_of(one) for one in new), KEY)

    def truth_of(req: JsonObject) -> int:
        return gain(evaluator.decide(old, req), evaluator.decide(new, req), req)

    if isinstance(answer, Proven) and firm == U:
        return None  # an unsettled point that old and new share is no new access
    wrong = disagreement(case, answer, Tally(firm, soft, example, space.complete), truth_of)
    return None if wrong is None else f"seed {seed}: {wrong}\nold = {old!r}\nnew = {new!r}"


@pytest.mark.parametrize(("first", "last"), batches(CASES))
def test_find_new_access_agrees_with_enumeration(first: int, last: int) -> None:
    assert_none([new_access_fault(seed) for seed in range(first, last)])


def inert_fault(seed: int) -> str | None:
    """Removing an inert statement changes no decision: neither whether a request is allowed, nor how."""
    rng = random.Random(50_000_000 + seed)
    policies = [strategies.draw_case(rng, SETTLED).policies[0]]
    at = rng.randrange(len(policies[0]["Statement"]))
    space = world.World(policies, rng, limit=1000)
    whole = world.Compiled(space, policies)
    answer = is_inert(tuple(policy_of(one) for one in policies), StatementRef(0, at), KEY)
    if not isinstance(answer, Proven):
        return None
    for req, standing in space.requests():
        if standing != world.FIRM or not counts(req, Decision(T, T, F), "any"):
            continue
        with_it, without_it = whole.decide(req), whole.decide(req, skip=at)
        if {with_it.whole, without_it.whole} == {F, T} or {with_it.direct, without_it.direct} == {F, T}:
            return f"seed {seed}: statement {at} is called inert, but decides {req}\npolicies = {policies!r}"
    return None


@pytest.mark.parametrize(("first", "last"), batches(CASES))
def test_an_inert_statement_decides_nothing(first: int, last: int) -> None:
    assert_none([inert_fault(seed) for seed in range(first, last)])
