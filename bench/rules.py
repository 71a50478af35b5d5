"""All rules on one real policy, in a warm process: from the text of a policy to its results, with the owner given.

`first` is the first time that this process sees the policy (other policies have warmed it), `again` the median of later
times, each reading the text anew. CPU time, so that a busy machine spoils nothing. `--by-rule` prints where it goes.
Asserts nothing.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(ROOT)

from kmslint.engine.assess import assess_key, assess_rule  # noqa: E402
from kmslint.engine.binding import bound  # noqa: E402
from kmslint.engine.loader import load_rules  # noqa: E402
from kmslint.engine.rule import Rule  # noqa: E402
from kmslint.errors import InputError  # noqa: E402
from kmslint.location import Text  # noqa: E402
from kmslint.model.key import Key  # noqa: E402
from kmslint.model.settings import Settings  # noqa: E402
from kmslint.sources.policy_json import NotAKey, keys_from_json  # noqa: E402

AS_OF: Final = "2026-11-24T00:00:00Z"
AIM_MS: Final = 2.0


class Row(NamedTuple):
    """One policy. Times in milliseconds; reading the text is in neither `first` nor `again`."""

    name: str
    statements: int
    read: float
    first: float
    again: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=_corpus())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--account", default="111122223333")
    parser.add_argument("--by-rule", action="store_true", help="the mean of each rule over the policies, slowest first")
    arguments = parser.parse_args()
    if arguments.folder is None or not os.path.isdir(arguments.folder):
        print("skipped: no folder of policies (set KMSLINT_SHARED, or put `shared` beside the checkout)")
        return
    texts = [(name, text) for name, text in _texts(arguments.folder) if _key(text, arguments.account) is not None]
    rules = load_rules()
    for _, text in texts[:3]:
        _timed(rules, text, arguments.account)
    if arguments.by_rule:
        _print_rules(rules, [text for _, text in texts], arguments.account)
    else:
        _print([_row(rules, name, text, arguments) for name, text in texts[3:] + texts[:3]], len(rules))


def _corpus() -> str | None:
    shared = os.environ.get("KMSLINT_SHARED") or os.path.join(os.path.dirname(ROOT), "shared")
    return os.path.join(shared, "corpus", "json") if os.path.isdir(shared) else None


def _texts(folder: str) -> list[tuple[str, str]]:
    found = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            found.append((name, file.read()))
    return found


def _key(text: str, account: str) -> Key | None:
    try:
        found = keys_from_json(Text(text), account=account)
    except InputError:
        return None
    return None if isinstance(found, NotAKey) else found[0]._replace(id="k1", as_of=AS_OF)


def _timed(rules: Sequence[Rule], text: str, account: str) -> tuple[float, float]:
    """Milliseconds to read the text, and to assess its key."""
    start = time.thread_time_ns()
    key = _key(text, account)
    middle = time.thread_time_ns()
    if key is not None:
        assess_key(rules, key, Settings())
    return (middle - start) / 1e6, (time.thread_time_ns() - middle) / 1e6


def _row(rules: Sequence[Rule], name: str, text: str, arguments: argparse.Namespace) -> Row:
    key = _key(text, arguments.account)
    statements = 0 if key is None else sum(len(named.policy.statements) for named in key.policies)
    read, first = _timed(rules, text, arguments.account)
    again = median(_timed(rules, text, arguments.account)[1] for _ in range(arguments.rounds))
    return Row(name, statements, read, first, again)


def _print(rows: list[Row], rules: int) -> None:
    statements = sum(row.statements for row in rows)
    print(f"{rules} rules, {len(rows)} policies, {statements} statements, python {sys.version.split()[0]}, times in ms\n")
    print(f"{'':12}{'median':>10}{'p90':>10}{'max':>10}")
    for name in ("read", "first", "again"):
        values = sorted(getattr(row, name) for row in rows)
        print(f"{name:12}{median(values):10.3f}{values[int(0.9 * len(values))]:10.3f}{values[-1]:10.3f}")
    print(f"\nmedian of first, to stay under {AIM_MS}: {median(row.first for row in rows):.2f}")
    print("slowest:", ", ".join(f"{row.name} {row.first:.1f}" for row in sorted(rows, key=lambda row: -row.first)[:5]))


def _print_rules(rules: Sequence[Rule], texts: Sequence[str], account: str) -> None:
    spent = dict.fromkeys((rule.id for rule in rules), 0)
    for text in texts:
        key = _key(text, account)
        if key is not None:
            key = bound(key)
            for rule in rules:
                start = time.thread_time_ns()
                assess_rule(rule, key, Settings())
                spent[rule.id] += time.thread_time_ns() - start
    print(f"mean of {len(texts)} policies, ms; {sum(spent.values()) / 1e6 / len(texts):.3f} in all")
    for name, total in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"{total / 1e6 / len(texts):8.3f}  {name}")


if __name__ == "__main__":
    main()
