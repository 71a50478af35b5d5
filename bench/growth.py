"""How the cost of one question grows with the number of statements: 1 to 300, with the fitted exponent.

A third of the statements are Denies with conditions, the rest Allows with conditions on a few shared keys; the policy
allows no stranger, so that the search is exhaustive. Every policy is new to the process. CPU time; asserts nothing.
"""

import argparse
import math
import os
import sys
import time
from statistics import median
from typing import Final

ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(ROOT)

from kmslint.policy.parse import parse_policy, parse_statements  # noqa: E402
from kmslint.policy.request import KeyContext  # noqa: E402
from kmslint.reason.query import find_allowed  # noqa: E402
from kmslint.tree import from_python  # noqa: E402

OWNER: Final = "111122223333"
SIZES: Final = (1, 3, 10, 30, 100, 300)
SERVICES: Final = ("s3", "ec2", "rds", "lambda", "sqs", "sns", "dynamodb", "secretsmanager")
ACTIONS: Final = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey", "kms:CreateGrant")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    _ask(2, 999)
    points = [(size, [_ask(size, seed) for seed in range(rounds)]) for size in SIZES]
    print(
        f"python {sys.version.split()[0]}, {rounds} policies a size, median ms\n{'statements':>10}{'ms':>10}{'ms each':>10}  answer"
    )
    for size, samples in points:
        middle = median(sample[0] for sample in samples)
        print(f"{size:10}{middle:10.3f}{middle / size:10.4f}  {', '.join(sorted({sample[1] for sample in samples}))}")
    curve = [(size, median(sample[0] for sample in samples)) for size, samples in points if size >= 10]
    print(f"\ntime ~ statements ^ {_exponent(curve):.2f} (least squares on logarithms, from 10 statements)")


def _ask(size: int, seed: int) -> tuple[float, str]:
    """Milliseconds and the answer for one new policy of `size` statements."""
    statements = [_statement(index, seed) for index in range(size)]
    policy, _ = parse_policy(from_python({"Version": "2012-10-17", "Statement": statements}))
    condition = {"StringNotEquals": {"aws:PrincipalAccount": [OWNER]}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
    wanted = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": condition}
    described, _ = parse_statements(from_python([wanted]))
    start = time.thread_time_ns()
    answer = find_allowed((policy,), described, KeyContext(account=OWNER))
    return (time.thread_time_ns() - start) / 1e6, type(answer).__name__


def _statement(index: int, seed: int) -> dict[str, object]:
    number = index * 7919 + seed * 104729
    service = f"{SERVICES[number % len(SERVICES)]}.us-east-1.amazonaws.com"
    if index % 3 == 2:
        condition: dict[str, object] = {
            "StringNotEquals": {"kms:ViaService": service},
            "StringNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/team-{index}-*"},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        }
        action = ACTIONS[number % len(ACTIONS)]
        return {"Sid": f"D{index}", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*", "Condition": condition}
    principal: object = {"AWS": f"arn:aws:iam::{OWNER}:role/team-{index}-{seed}"} if index % 2 else {"AWS": "*"}
    condition = {"StringEquals": {"kms:CallerAccount": OWNER, "kms:ViaService": service}}
    chosen = [ACTIONS[number % len(ACTIONS)], ACTIONS[(number + 1) % len(ACTIONS)]]
    return {
        "Sid": f"A{index}",
        "Effect": "Allow",
        "Principal": principal,
        "Action": chosen,
        "Resource": "*",
        "Condition": condition,
    }


def _exponent(curve: list[tuple[int, float]]) -> float:
    """The slope of the least-squares line through the logarithms."""
    xs = [math.log(size) for size, _ in curve]
    ys = [math.log(value) for _, value in curve]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / sum((x - x_mean) ** 2 for x in xs)


if __name__ == "__main__":
    main()
