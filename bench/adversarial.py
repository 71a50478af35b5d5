"""Policies made to be slow: CPU time, peak memory and the answer of each, one process a policy.

Bounds aimed at: 2 s and 200 MiB; past a budget the answer is Undetermined. Prints, asserts nothing.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(ROOT)

from kmslint.policy.parse import parse_policy, parse_statements  # noqa: E402
from kmslint.policy.request import KeyContext  # noqa: E402
from kmslint.reason.answer import Answer, Undetermined  # noqa: E402
from kmslint.reason.query import find_allowed  # noqa: E402
from kmslint.tree import from_python  # noqa: E402

OWNER: Final = "111122223333"
LIMIT_SECONDS: Final = 60
Document = dict[str, object]


def statement(effect: str = "Allow", principal: object = "*", action: object = "kms:Decrypt", **condition: object) -> Document:
    """One statement; `condition` maps operators to their keys and values."""
    core: Document = {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*"}
    return core | {"Condition": condition} if condition else core


def many_statements() -> list[Document]:
    """32 KB of small statements, Allows and Denies, each with a condition of its own."""
    statements: list[Document] = []
    while len(json.dumps(statements)) < 32_000:
        index = len(statements)
        likes = {"aws:PrincipalArn": f"arn:aws:iam::*:role/t{index}*"}
        statements.append(statement("Deny" if index % 2 else "Allow", StringLike=likes))
    return statements


def long_list() -> list[Document]:
    """700 role ARNs in one list: only they are let through, and a pattern denies them all."""
    arns = [f"arn:aws:iam::999999999999:role/r{index}" for index in range(700)]
    return [
        statement(StringLike={"aws:PrincipalArn": "arn:aws:iam::*:role/*"}),
        statement("Deny", ArnNotEquals={"aws:PrincipalArn": arns}),
        statement("Deny", StringLike={"aws:PrincipalArn": "arn:aws:iam::*:role/r*"}),
    ]


def pigeonhole(holes: int = 7) -> list[Document]:
    """`holes + 1` pigeons, `holes` holes: Denies that no request escapes, for a reason that propagation does not see."""
    denies = [
        statement("Deny", StringNotEquals={f"aws:PrincipalTag/p{pigeon}": [f"h{hole}" for hole in range(holes)]})
        for pigeon in range(holes + 1)
    ]
    for hole in range(holes):
        for left in range(holes + 1):
            for right in range(left):
                tags = {f"aws:PrincipalTag/p{left}": f"h{hole}", f"aws:PrincipalTag/p{right}": f"h{hole}"}
                denies.append(statement("Deny", StringEquals=tags))
    return [statement(), *denies]


def cross_denies(width: int = 8) -> list[Document]:
    """One more Deny than keys, each with a negated condition on every key."""
    denies = [
        statement("Deny", StringNotLike={f"aws:PrincipalTag/k{key}": f"v{row}*" for key in range(width)})
        for row in range(width + 1)
    ]
    return [statement(), *denies]


def question_marks() -> list[Document]:
    """A window of question marks: the classic exponential automaton."""
    return [
        statement(StringLike={"aws:PrincipalTag/x": "*a" + "?" * 24}),
        statement("Deny", StringLike={"aws:PrincipalTag/x": ["*b" + "?" * 23, "*c" + "?" * 22]}),
    ]


def negative_globs() -> list[Document]:
    """One wide pattern less sixty others."""
    return [
        statement(StringLike={"aws:PrincipalArn": "arn:aws:iam::*:role/*"}),
        statement("Deny", StringLike={"aws:PrincipalArn": [f"arn:aws:iam::*:role/*x{index}y*z{index}*" for index in range(60)]}),
    ]


def alternating_stars() -> list[Document]:
    """Long patterns of alternating letters and stars."""
    return [
        statement(StringLike={"aws:PrincipalTag/x": "*a*b" * 60}),
        statement("Deny", StringLike={"aws:PrincipalTag/x": ["*b*a" * 60, "*a*a*b*" * 40]}),
    ]


def variables() -> list[Document]:
    """Policy variables that tie tags to each other."""
    ties = [
        statement("Deny", StringNotEquals={f"aws:PrincipalTag/t{index}": "${aws:PrincipalTag/t" + str(index + 1) + "}"})
        for index in range(40)
    ]
    return [statement(), *ties]


FAMILIES: Final[dict[str, Callable[[], list[Document]]]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        many_statements,
        long_list,
        pigeonhole,
        cross_denies,
        question_marks,
        negative_globs,
        alternating_stars,
        variables,
    )
}


def main() -> None:
    """Measure each family in a process of its own and print, or be that process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", nargs="*", help="default: all", metavar="|".join(FAMILIES))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.family if name not in FAMILIES]:
        parser.error(f"unknown family `{unknown[0]}`: expected one of {', '.join(FAMILIES)}")
    if arguments.child:
        _child(arguments.family[0])
        return
    print(f"python {sys.version.split()[0]}; aimed at: 2 s, 200 MiB\n{'family':20}{'bytes':>8}{'s':>9}{'MiB':>7}  answer")
    for name in arguments.family or FAMILIES:
        print(_row(name), flush=True)


def _row(name: str) -> str:
    command = [sys.executable, os.path.abspath(__file__), "--child", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"{name:20}{'':8}{'> ' + str(LIMIT_SECONDS):>9}"
    if done.returncode:
        return f"{name:20}  failed: {done.stderr.strip().splitlines()[-1]}"
    return done.stdout.rstrip("\n")


def _child(name: str) -> None:
    document = {"Version": "2012-10-17", "Statement": FAMILIES[name]()}
    foreign = statement(StringNotEquals={"aws:PrincipalAccount": OWNER}, Bool={"aws:PrincipalIsAWSService": "false"})
    described, _ = parse_statements(from_python([foreign]))
    start = time.process_time()
    policy, _ = parse_policy(from_python(document))
    answer = find_allowed((policy,), described, KeyContext(account=OWNER))
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:20}{len(json.dumps(document)):8}{seconds:9.3f}{peak:7.0f}  {_told(answer)}")


def _told(answer: Answer) -> str:
    causes = answer.causes if isinstance(answer, Undetermined) else ()
    return f"{type(answer).__name__}{': ' if causes else ''}{', '.join(sorted({cause.kind for cause in causes}))}"


if __name__ == "__main__":
    main()
