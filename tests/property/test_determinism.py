"""The same input gives the same answer, byte for byte, whatever the hash seed."""

import os
import random
import subprocess
import sys

from kmslint.reason.answer import Answer, Proven, Undetermined, Violated
from kmslint.reason.query import find_allowed, find_not_allowed
from tests import strategies
from tests.oracle.bridge import key_of, plain, policy_of, statements_of
from tests.strategies import Shape

CASES = 25
SHAPE = Shape(statements=4, unsettled=True)


def spelled(answer: Answer) -> str:
    """An answer as text; sets are sorted, for they have no order of their own."""
    if isinstance(answer, Proven):
        return f"proven {answer.assumptions}"
    request = answer.witness if isinstance(answer, Violated) else answer.candidate
    told = None if request is None else {**plain(request), "context": [(k, sorted(v)) for k, v in request.context.items()]}
    if isinstance(answer, Undetermined):
        return f"undetermined {answer.causes} {told} {answer.statements}"
    return f"violated {told} {answer.statements} {answer.grant} {answer.assumptions}"


def answers() -> str:
    lines = []
    for seed in range(CASES):
        case = strategies.draw_case(random.Random(seed), SHAPE)
        policies, described = tuple(policy_of(one) for one in case.policies), statements_of(case.described)
        lines += [spelled(question(policies, described, key_of(), grant="any")) for question in (find_allowed, find_not_allowed)]
    return "\n".join(lines)


def test_answers_do_not_depend_on_the_hash_seed() -> None:
    program = "from tests.property.test_determinism import answers; print(answers())"
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("0", "1", "4711")
    ]
    assert runs[0] == runs[1] == runs[2]
    assert "violated" in runs[0]
    assert "proven" in runs[0]


def test_answers_do_not_depend_on_what_was_asked_before() -> None:
    assert answers() == answers()
