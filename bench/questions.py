"""One question about one real policy, in a warm process, beside policyuniverse on the same policy in the same run.

The question is public-access in small: may a principal of an account that the policy does not name decrypt, calling
directly? Both readings are part of it. policyuniverse does `Policy(document)` and `is_internet_accessible()`.
`first` is the first time that this process sees the policy, `again` the median of later times. CPU time, so that a busy
machine spoils nothing. Asserts nothing.
"""

import argparse
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Final, NamedTuple, TypeVar

ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(ROOT)

from kmslint.policy.document import Policy, Statement  # noqa: E402
from kmslint.policy.parse import parse_policy, parse_statements  # noqa: E402
from kmslint.policy.request import KeyContext  # noqa: E402
from kmslint.reason.query import find_allowed  # noqa: E402
from kmslint.tree import from_python  # noqa: E402

T = TypeVar("T")
OWNER: Final = "111122223333"
ACCOUNT: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")


class Row(NamedTuple):
    """One policy. Times in milliseconds."""

    name: str
    statements: int
    answer: str
    first: float
    again: float
    parse: float
    other: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=_corpus())
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.folder is None or not os.path.isdir(arguments.folder):
        print("skipped: no folder of policies (set KMSLINT_SHARED, or put `shared` beside the checkout)")
        return
    documents = list(_documents(arguments.folder))
    _measure("warm-up", documents[0][1], 1)
    rows = [_measure(name, document, arguments.rounds) for name, document in documents]
    _print(rows)


def _corpus() -> str | None:
    shared = os.environ.get("KMSLINT_SHARED") or os.path.join(os.path.dirname(ROOT), "shared")
    return os.path.join(shared, "corpus", "json") if os.path.isdir(shared) else None


def _documents(folder: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Every file that is one policy document, or holds one under `Policy`, that both tools can read."""
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            text = file.read()
        try:
            document = json.loads(text)
            if isinstance(document, dict) and isinstance(document.get("Policy"), str):
                document = json.loads(document["Policy"])
        except json.JSONDecodeError:
            continue
        if isinstance(document, dict) and "Statement" in document:
            yield name, document


def stranger(document: dict[str, object]) -> tuple[Statement, ...]:
    """The described set: requests to decrypt of principals of accounts that `document` does not name."""
    named = sorted({OWNER, *ACCOUNT.findall(json.dumps(document))})
    condition = {
        "StringNotEquals": {"aws:PrincipalAccount": named},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
        "Null": {"kms:ViaService": "true", "aws:SourceVpce": "true"},
    }
    statement = {"Effect": "Allow", "Principal": "*", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}
    return parse_statements(from_python([statement | {"Condition": condition}]))[0]


def policy_of(document: object) -> Policy:
    """`document` as kmslint reads it, complaints left aside."""
    return parse_policy(from_python(document))[0]


def _measure(name: str, document: dict[str, object], rounds: int) -> Row:
    import policyuniverse.policy

    described = stranger(document)
    key = KeyContext(account=OWNER)
    policy = policy_of(document)
    first, answer = _timed(partial(find_allowed, (policy,), described, key))
    again: list[float] = []
    parse: list[float] = []
    other: list[float] = []
    for _ in range(rounds):
        parsed, fresh = _timed(partial(policy_of, document))
        parse.append(parsed)
        again.append(_timed(partial(find_allowed, (fresh,), described, key))[0])
        other.append(_timed(partial(_internet_accessible, policyuniverse.policy.Policy, document))[0])
    return Row(name, len(policy.statements), type(answer).__name__, first, median(again), median(parse), median(other))


def _internet_accessible(build: Callable[[object], object], document: object) -> object:
    try:
        return build(document).is_internet_accessible()  # type: ignore[attr-defined]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None  # what it makes of a malformed document is not measured here


def _timed(call: Callable[[], T]) -> tuple[float, T]:
    start = time.thread_time_ns()
    value = call()
    return (time.thread_time_ns() - start) / 1e6, value


def _print(rows: list[Row]) -> None:
    print(
        f"{len(rows)} policies, {sum(row.statements for row in rows)} statements, python {sys.version.split()[0]}, times in ms\n"
    )
    print(f"{'':34}{'median':>10}{'p99':>10}{'max':>10}")
    columns = {
        "kmslint question, first": [row.first for row in rows],
        "kmslint question, again": [row.again for row in rows],
        "kmslint parse": [row.parse for row in rows],
        "policyuniverse": [row.other for row in rows],
    }
    for name, values in columns.items():
        print(f"{name:34}{median(values):10.4f}{_percentile(values, 0.99):10.4f}{max(values):10.4f}")
    other = median(columns["policyuniverse"])
    for name in ("first", "again"):
        print(f"ratio of medians, {name}: {median(columns[f'kmslint question, {name}']) / other:.2f}")
    print(f"median of ratios, first: {median(row.first / row.other for row in rows):.2f}")
    print("answers:", ", ".join(f"{name} {count}" for name, count in sorted(Counter(row.answer for row in rows).items())))
    print("slowest:", ", ".join(f"{row.name} {row.first:.2f}" for row in sorted(rows, key=lambda row: -row.first)[:5]))


def _percentile(values: list[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    main()
