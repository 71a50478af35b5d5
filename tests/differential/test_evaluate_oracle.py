"""The evaluator against the oracle: random policies, random requests, every point of the register included."""

import random

import pytest

from kmslint.policy.evaluate import evaluate
from tests import strategies
from tests.oracle import evaluator, world
from tests.oracle.bridge import policy_of, request_of
from tests.oracle.compare import CASES, assert_none, batches
from tests.oracle.evaluator import Decision, F, T
from tests.strategies import Shape

POLICIES = CASES * 5
REQUESTS = 12
WIDE = Shape(statements=4, unsettled=True)


def expected(found: Decision) -> tuple[str, str | None]:
    """The decision of the definition, from the three truths of the oracle."""
    if found.deny == T:
        return "explicit_deny", None
    if found.whole == T:
        return "allow", "direct" if found.direct == T else "delegated"
    return ("implicit_deny" if found.whole == F else "undetermined"), None


def faults(seed: int) -> list[str | None]:
    rng = random.Random(seed)
    documents = strategies.draw_case(rng, WIDE).policies
    policies = tuple(policy_of(one) for one in documents)
    atoms = world.atoms_of(documents)
    found: list[str | None] = []
    for _ in range(REQUESTS):
        req = world.random_request(rng, atoms)
        for lean in (False, True):
            answer = evaluate(policies, request_of(req), lean=lean)
            said = (answer.decision, answer.grant if answer.decision == "allow" else None)
            wanted = expected(evaluator.decide(documents, req, lean=lean))
            if said != wanted:
                found.append(f"seed {seed}, lean {lean}: {said}, the oracle {wanted}\nrequest = {req}\npolicies = {documents!r}")
    return found


@pytest.mark.parametrize(("first", "last"), batches(POLICIES))
def test_evaluate_agrees_with_the_oracle(first: int, last: int) -> None:
    assert_none([fault for seed in range(60_000_000 + first, 60_000_000 + last) for fault in faults(seed)])
