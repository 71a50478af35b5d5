"""The same question has the same answer, witness and all: fixed questions against the answers that were read and agreed to.

A change of the search that only moves a witness shows here and nowhere else. `KMSLINT_UPDATE_GOLDEN=1` writes the answers anew;
then read the difference: what was proven may not become a witness, nor the other way round, without a reason in the commit.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from kmslint.policy.document import Policy
from kmslint.policy.request import KeyContext, Request
from kmslint.reason.answer import Answer, Proven, StatementRef, Violated
from kmslint.reason.certificate import sentence
from kmslint.reason.query import (
    find_allowed,
    find_allowed_by_statement,
    find_applying,
    find_new_access_by_statement,
    find_not_allowed,
    is_inert,
    prove_all_allowed,
    prove_none_allowed,
    who,
)
from tests import strategies
from tests.oracle.bridge import policy_of, statements_of
from tests.oracle.compare import KEY
from tests.strategies import Case, Shape

GOLDEN = Path(__file__).parent / "answers.json"
BATCH = 10
GRANTS = ("default", "any", "direct", "delegated")
ACTIONS = ("kms:Decrypt", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:DescribeKey")
KEYS = (KEY, KEY, KEY._replace(account=None), KEY, KEY._replace(region=None, key_id=None), KEY._replace(partition="aws-cn"))
SHAPES = (Shape(statements=4), Shape(statements=3, unsettled=True), Shape(statements=6), Shape(statements=2))


def request_said(request: Request | None) -> str:
    if request is None:
        return "-"
    context = {key: value if isinstance(value, str) else sorted(value) for key, value in sorted(request.context.items())}
    return f"{request.principal} {request.action} {json.dumps(context)} {request.parent or ''}".strip()


def said(answer: Answer) -> str:
    """An answer in one line: its kind, what was found, and on what it rests."""
    if isinstance(answer, Proven):
        return f"proven; {'; '.join(answer.assumptions)}"
    if isinstance(answer, Violated):
        refs = " ".join(f"{ref.policy}.{ref.statement}" for ref in answer.statements)
        return f"violated [{refs}] {answer.grant}: {request_said(answer.witness)}"
    causes = "; ".join(f"{cause.kind} {cause.text}" for cause in answer.causes)
    return f"undetermined: {causes}: {request_said(answer.candidate)}"


def policies_of(case: Case) -> tuple[Policy, ...]:
    return tuple(policy_of(one) for one in case.policies)


def allowed(case: Case, key: KeyContext, turn: int) -> str:
    return said(find_allowed(policies_of(case), statements_of(case.described), key, grant=GRANTS[turn % 4]))


def by_statement(case: Case, key: KeyContext, turn: int) -> str:
    found = find_allowed_by_statement(policies_of(case), statements_of(case.described), key, grant=GRANTS[turn % 4])
    return " | ".join(f"{ref.policy}.{ref.statement} {said(answer)}" for ref, answer in found)


def refused(case: Case, key: KeyContext, turn: int) -> str:
    return said(find_not_allowed(policies_of(case), statements_of(case.described), key, grant=("any", "direct")[turn % 2]))


def newly(case: Case, key: KeyContext, turn: int) -> str:
    """What the policies allow that they do not without one of their statements, or with another's condition."""
    new = policies_of(case)
    at = turn % len(new[0].statements)
    rest = tuple(one for place, one in enumerate(new[0].statements) if place != at)
    old = (new[0]._replace(statements=rest), *new[1:])
    found = find_new_access_by_statement(old, new, key, statements_of(case.described) if turn % 3 else None)
    back = find_new_access_by_statement(new, old, key)
    return " | ".join(f"{ref.policy}.{ref.statement} {said(answer)}" for ref, answer in (*found, *back))


def inert(case: Case, key: KeyContext, turn: int) -> str:
    policies = policies_of(case)
    refs = [StatementRef(number, one.index) for number, policy in enumerate(policies) for one in policy.statements]
    return said(is_inert(policies, refs[turn % len(refs)], key))


def applying(case: Case, key: KeyContext, turn: int) -> str:
    policies = policies_of(case)
    refs = [StatementRef(number, one.index) for number, policy in enumerate(policies) for one in policy.statements]
    return said(find_applying(policies, refs[turn % len(refs)], statements_of(case.described), key))


def callers(case: Case, key: KeyContext, turn: int) -> str:
    found = who(policies_of(case), ACTIONS[turn % 4], key)
    return " | ".join(f"{one.label} {one.kind} {one.account} {one.is_foreign} {one.is_fresh} {said(one.answer)}" for one in found)


def steps_said(answer: Answer) -> str:
    """The answer and the steps of its proof: how many of each kind, and the last of each as it is told."""
    if not isinstance(answer, Proven):
        return said(answer)
    last = {step.why: sentence(step) for step in answer.certificate}
    counts = Counter(step.why for step in answer.certificate)
    return f"{said(answer)}; " + " | ".join(f"{counts[why]} {why}, {last[why]}" for why in sorted(last))


def certified(case: Case, key: KeyContext, turn: int) -> str:
    return steps_said(prove_none_allowed(policies_of(case), statements_of(case.described), key, grant=GRANTS[turn % 4]))


def certified_all(case: Case, key: KeyContext, turn: int) -> str:
    """Of the policies with an Allow of everything and without their Denies, every other time."""
    policies = policies_of(case)
    if turn % 2:
        everything = policy_of(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}
        )
        allows = tuple(one for one in policies[0].statements if one.effect != "Deny" or one.conditions)
        policies = (policies[0]._replace(statements=allows), everything)
    return steps_said(prove_all_allowed(policies, statements_of(case.described), key, grant=("any", "direct")[turn // 2 % 2]))


QUESTIONS: dict[str, tuple[Callable[[Case, KeyContext, int], str], int]] = {
    "allowed": (allowed, 240),
    "by statement": (by_statement, 120),
    "refused": (refused, 120),
    "newly": (newly, 80),
    "inert": (inert, 80),
    "callers": (callers, 40),
    "applying": (applying, 80),
    "certified": (certified, 100),
    "certified all": (certified_all, 60),
}


def answers(name: str, first: int) -> dict[str, str]:
    ask, _ = QUESTIONS[name]
    found = {}
    for turn in range(first, first + BATCH):
        case = strategies.draw_case(random.Random(70_000_000 + turn), SHAPES[turn // 2 % len(SHAPES)])
        found[f"{name} {turn}"] = ask(case, KEYS[turn % len(KEYS)], turn)
    return found


@pytest.mark.parametrize(
    ("name", "first"), [(name, first) for name, (_, count) in QUESTIONS.items() for first in range(0, count, BATCH)]
)
def test_the_same_question_has_the_same_answer(name: str, first: int) -> None:
    found = answers(name, first)
    known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if os.environ.get("KMSLINT_UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps({**known, **found}, indent=0, sort_keys=True, ensure_ascii=False) + "\n")
        return
    assert found == {question: known.get(question) for question in found}
