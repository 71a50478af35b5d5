"""Counts what the rules find over real inputs, and draws findings at random for a person to judge.

    python tools/sample_findings.py PATH... [--account ID] [--seed TEXT] [--draw N]

Prints Markdown: a table of rule x outcome, then N failures above notices (folded ones are left out: they are named under
another). A policy whose owner cannot be inferred belongs to --account. The seed may be any text; the same inputs and seed
draw the same findings.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from kmslint import app
from kmslint.model.key import Key
from kmslint.model.result import Outcome, Report, Result
from kmslint.model.settings import Settings
from kmslint.reporters.text import witness_sentence
from kmslint.reporters.view import label
from kmslint.reporters.visible import visible
from kmslint.sources.files import collect

COLUMNS = ("critical", "high", "medium", "low", "info")
AS_OF = "2026-11-24T00:00:00Z"


def main(arguments: list[str] | None = None) -> int:
    """Print the table and the draw."""
    parser = argparse.ArgumentParser(description="Count findings over real inputs and draw some at random.")
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument("--account", default="111122223333", metavar="ID")
    parser.add_argument("--seed", default="", metavar="TEXT")
    parser.add_argument("--draw", type=int, default=0, metavar="N")
    found = parser.parse_args(arguments)
    report = judged(found.paths, found.account)
    print("\n".join(table(report)))
    if found.draw:
        print("\n" + "\n".join(drawn(report, found.seed, found.draw)))
    return 0


def judged(paths: Sequence[str], account: str) -> Report:
    """The report on everything in `paths`."""
    inputs = collect(tuple(paths), settings=Settings())
    owned = (_owned(item, account) if isinstance(item, Key) else item for item in inputs)
    return app.report_on(owned, rules=app.load_rules(), settings=Settings(), as_of=AS_OF)


def _owned(key: Key, account: str) -> Key:
    if key.account is not None or key.source.type != "policy":
        return key
    return key._replace(account=account, account_source="given")


def table(report: Report) -> Iterator[str]:
    """A row for each rule that finds, or does not decide, anything."""
    failed = Counter((result.rule, result.severity) for result in report.results if result.outcome is Outcome.FAIL)
    undecided = Counter(result.rule for result in report.results if result.outcome is Outcome.UNDETERMINED)
    folded = Counter(result.rule for result in report.results if result.folded_into)
    yield f"{len(report.keys)} keys, {len(report.errors)} inputs not read, {len(report.skipped)} skipped"
    yield from ("", f"| rule | {' | '.join(COLUMNS)} | of these folded | undetermined |", "|---|" + "--:|" * (len(COLUMNS) + 2))
    for rule in sorted({name for name, _ in failed} | undecided.keys()):
        cells = [str(failed[rule, level] or "") for level in COLUMNS]
        yield f"| {rule} | {' | '.join(cells)} | {folded[rule] or ''} | {undecided[rule] or ''} |"


def drawn(report: Report, seed: str, count: int) -> Iterator[str]:
    """`count` failures, each told as a list item."""
    failed = [
        result
        for result in report.results
        if result.outcome is Outcome.FAIL and result.severity != "info" and not result.folded_into
    ]
    keys = {key.id: key for key in report.keys}
    chosen = sorted(random.Random(seed).sample(range(len(failed)), min(count, len(failed))))
    for number, index in enumerate(chosen, start=1):
        yield from _told(number, failed[index], keys[failed[index].key])


def _told(number: int, result: Result, key: Key) -> Iterator[str]:
    place = result.locations[0] if result.locations else None
    where = f"{place.file or place.uri}:{place.line}" if place else key.source.file or ""
    yield f"{number}. {result.rule} [{result.severity}] {visible(label(key))} ({visible(str(where))}): {visible(result.message)}"
    if result.witness is not None:
        yield f"   witness: {witness_sentence(result.witness)}"


if __name__ == "__main__":
    sys.exit(main())
