"""What the differential tests share: the enumeration of one case, and what is wrong with an answer beside it."""

import itertools
import os
import random
from collections.abc import Callable
from typing import NamedTuple

from kmslint.reason.answer import BUDGET, Answer, Proven, Violated
from tests import strategies
from tests.oracle import evaluator, world
from tests.oracle.bridge import key_of, plain
from tests.oracle.evaluator import Decision, F, JsonObject, T
from tests.oracle.keys import CROSS_ACCOUNT
from tests.strategies import Case, Shape

CASES = int(os.environ.get("KMSLINT_CASES", "36"))
"""Random cases a question; the default keeps the suite fast."""
SEED = int(os.environ.get("KMSLINT_SEED", "0"))
KEY = key_of()
OWNER = KEY.account
SETTLED = Shape(statements=4)
OPEN = Shape(statements=3, unsettled=True)


class Tally(NamedTuple):
    """What enumeration saw in the described set: the strongest truth on FIRM requests, and on SOFT ones, with an example each."""

    firm: int
    soft: int
    example: JsonObject | None
    complete: bool


def described_documents(described: list[JsonObject]) -> list[JsonObject]:
    return [{"Version": "2012-10-17", "Statement": [{"Resource": "*", "Effect": "Allow", **one} for one in described]}]


def counts(req: JsonObject, found: Decision, grant: str) -> int:
    """The truth of "allowed" as the question counts grants; a foreign principal's ineffective action is no access."""
    who = evaluator.caller(req["principal"])
    foreign = who.account != OWNER
    if who.kind != "S" and foreign and not works_across(req["action"]):
        return F
    if grant == "default":
        grant = "any" if foreign else "direct"
    return found.direct if grant == "direct" else found.whole


def works_across(action: str) -> bool:
    return action.removeprefix("kms:") in CROSS_ACCOUNT | {world.UNSETTLED_ACTION}


def tally(
    case: Case, rng: random.Random, judge: Callable[[JsonObject, Decision], int], more: list[JsonObject] | None = None
) -> Tally:
    """Enumerates the described set; `judge` says how true the sought property is of one request."""
    described = described_documents(case.described)
    space = world.World([*case.policies, *(more or []), *described], rng, limit=2000)
    policies, asked = world.Compiled(space, case.policies), world.Compiled(space, described)
    firm = soft = F
    example: JsonObject | None = None
    for req, standing in space.requests():
        member = asked.decide(req).whole
        if member == F:
            continue
        truth = min(member, judge(req, policies.decide(req)))
        if standing == world.FIRM and member == T and truth > firm:
            firm, example = truth, req
        soft = max(soft, truth)
        if firm == T:
            break
    return Tally(firm, soft, example, space.complete)


def atoms_by(case: Case) -> list[world.Atom]:
    return world.atoms_of([*case.policies, *described_documents(case.described)])


def standing_of(case: Case, req: JsonObject) -> str:
    mentioned = {name for one in atoms_by(case) for name in one.names if evaluator.keys.is_known(name)}
    return world.judged(req, mentioned)


def fault_of_witness(case: Case, req: JsonObject, truth: Callable[[JsonObject], int]) -> str | None:
    """Why a witness is none: not described, not what was sought, or nothing that AWS can send; None for a good one.

    A witness holds the context keys that mattered: keys that AWS always sends may be left out if some value of theirs serves.
    """
    why = "no value of the keys that AWS always sends"
    if truth(req) != T or not evaluator.describes(case.described, req):
        return f"the witness does not show what it should: {req}"
    for whole in itertools.islice(world.completions(req, atoms_by(case)), 9000):
        if not evaluator.describes(case.described, whole) or truth(whole) != T:
            continue
        why = standing_of(case, whole)
        if why in (world.FIRM, world.SOFT):
            return None
    return f"AWS cannot send the witness: {why}: {req}"


def disagreement(case: Case, answer: Answer, seen: Tally, truth: Callable[[JsonObject], int]) -> str | None:
    """What is wrong with `answer`, if anything: never a wrong proof, a wrong witness, or a shrug at what is plain."""
    if isinstance(answer, Violated):
        return fault_of_witness(case, plain(answer.witness), truth)
    if isinstance(answer, Proven):
        return None if seen.firm == F else f"proven, but {'must' if seen.firm == T else 'may'} hold: {seen.example}"
    if any(cause.kind == BUDGET for cause in answer.causes):
        return None  # said to be given up; how often, `test_the_cases_are_no_walkover` bounds
    if seen.firm == T:
        return f"undetermined ({answer.causes}), but this must hold: {seen.example}"
    if seen.soft == F and seen.complete:
        candidate = None if answer.candidate is None else plain(answer.candidate)
        doubtful = candidate is not None and any(
            truth(whole) != F and standing_of(case, whole) in (world.FIRM, world.SOFT)
            for whole in itertools.islice(world.completions(candidate, atoms_by(case)), 9000)
        )
        return None if doubtful else f"undetermined ({answer.causes}), but no request may be one; candidate {candidate}"
    return None


def report(seed: int, case: Case, wrong: str) -> str:
    return f"seed {seed}: {wrong}\npolicies = {case.policies!r}\ndescribed = {case.described!r}"


def drawn(seed: int, shape: Shape) -> tuple[Case, random.Random]:
    rng = random.Random(seed)
    return strategies.draw_case(rng, shape), rng


def batches(count: int) -> list[tuple[int, int]]:
    size = max(1, count // 6)
    return [(SEED + start, SEED + min(start + size, count)) for start in range(0, count, size)]


def assert_none(faults: list[str | None]) -> None:
    found = [fault for fault in faults if fault is not None]
    assert not found, f"{len(found)} disagreements; the first:\n" + "\n\n".join(found[:3])
