"""What keeps access questions undecided: every forbid question of the rules on every key of some folders, counted by answer and cause.

Causes are a point of the register, an unresolved symbol, a budget, or input that was not read. Asserts nothing.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Final

ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(ROOT)

from kmslint.engine.binding import bound  # noqa: E402
from kmslint.engine.loader import load_rules  # noqa: E402
from kmslint.engine.rule import Forbid  # noqa: E402
from kmslint.engine.variables import describe  # noqa: E402
from kmslint.model.key import Key  # noqa: E402
from kmslint.model.settings import Settings  # noqa: E402
from kmslint.reason.answer import Answer, Undetermined  # noqa: E402
from kmslint.reason.query import find_allowed_by_statement  # noqa: E402
from kmslint.sources.files import collect  # noqa: E402


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="*", default=_corpus())
    parser.add_argument("--account", default="111122223333", help="the owner of keys that do not say theirs")
    arguments = parser.parse_args()
    if not arguments.folder:
        print("skipped: no folder (set KMSLINT_SHARED, or put `shared` beside the checkout)")
    for folder in arguments.folder:
        found = collect([folder], settings=Settings(), account=None)
        keys = [bound(key._replace(account=key.account or arguments.account)) for key in found if isinstance(key, Key)]
        _print(folder, len(keys), Counter(answer for key in keys for answer in _answers(key)))


def _corpus() -> list[str]:
    shared = os.environ.get("KMSLINT_SHARED") or os.path.join(os.path.dirname(ROOT), "shared")
    return [os.path.join(shared, "corpus", name) for name in ("json", "cfn", "plan")] if os.path.isdir(shared) else []


def _answers(key: Key) -> Iterator[str]:
    settings = Settings()
    for rule in load_rules():
        for block in rule.blocks:
            if not isinstance(block, Forbid):
                continue
            described = describe(block.statements, key, settings, rule.id)
            policies = tuple(named.policy for named in key.policies)
            answers = [answer for _, answer in find_allowed_by_statement(policies, described, key.context(), grant=block.grant)]
            if not answers:
                yield "proven"
            for answer in answers:
                yield _told(answer)


def _told(answer: Answer) -> str:
    if isinstance(answer, Undetermined):
        return "undetermined: " + "+".join(sorted({cause.kind for cause in answer.causes}))
    return "violated"


def _print(folder: str, keys: int, counts: "Counter[str]") -> None:
    total = sum(counts.values())
    print(f"{folder}: {keys} keys, {total} answers")
    for name, count in sorted(counts.items()):
        print(f"  {name:32}{count:6}{100 * count / total:7.2f} %")


if __name__ == "__main__":
    main()
