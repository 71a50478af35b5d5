"""The same question takes the same work: what the search counts on fixed questions, against what it counted when that was agreed.

Leaving callers, cases and conditions out early changes no answer, only the work; a shortcut that stopped working would show
nowhere else, since nothing here is timed. Each count is a number of calls: classes of callers built, principals matched, conditions
compiled, problems searched, keys solved, budget spent. `KMSLINT_UPDATE_GOLDEN=1` writes them anew; more work needs a reason.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kmslint.reason import actionset, cells, certificate, domains, groups, search, space, statements, strings, values
from kmslint.reason import compile as compiler
from kmslint.reason.callers import Callers
from kmslint.reason.strings import Budget
from tests import strategies
from tests.mutation.test_answers_stay import BATCH, KEYS, QUESTIONS, SHAPES

GOLDEN = Path(__file__).parent / "work.json"
COUNTED: dict[str, tuple[object, str]] = {
    "classes": (Callers, "_build"),
    "principals": (space, "match_principals"),
    "conditions": (statements, "compile_condition"),
    "groups": (groups.Groups, "_excludes_by_condition"),
    "covers": (groups.Groups, "_applies_to_all"),
    "modes": (cells, "base_modes"),
    "splits": (cells, "_split_of"),
    "shrunk": (certificate, "shrink"),
    "cells": (cells, "build"),
    "problems": (search.Search, "_satisfy"),
    "solved": (values.Solver, "_present"),
    "found": (values, "_find"),
    "budget": (Budget, "spend"),
}


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Counts calls of what is expensive while it is open. What earlier questions left in memory is forgotten: it saves work."""
    counts: Counter[str] = Counter()
    _forget()
    with pytest.MonkeyPatch.context() as patch:
        for name, (owner, attribute) in COUNTED.items():
            patch.setattr(owner, attribute, _counted(getattr(owner, attribute), counts, name))
        yield counts


def _forget() -> None:
    for memory in (space._KNOWN, statements._PREPARED, compiler._TESTS, domains._SHARED):
        memory.clear()  # type: ignore[attr-defined]
    for module in (actionset, compiler, domains, strings):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def _counted(called: Callable[..., Any], counts: Counter[str], name: str) -> Callable[..., Any]:
    def count(*args: Any, **more: Any) -> Any:  # noqa: ANN401 - any call
        counts[name] += args[1] if name == "budget" else 1
        return called(*args, **more)

    return count


def work(name: str, first: int) -> dict[str, str]:
    ask, _ = QUESTIONS[name]
    found = {}
    for turn in range(first, first + BATCH):
        case = strategies.draw_case(random.Random(70_000_000 + turn), SHAPES[turn // 2 % len(SHAPES)])
        with counting() as counts:
            ask(case, KEYS[turn % len(KEYS)], turn)
        found[f"{name} {turn}"] = " ".join(f"{one} {counts[one]}" for one in COUNTED)
    return found


@pytest.mark.parametrize(
    ("name", "first"), [(name, first) for name, (_, count) in QUESTIONS.items() for first in range(0, count, BATCH)]
)
def test_the_same_question_takes_the_same_work(name: str, first: int) -> None:
    found = work(name, first)
    known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if os.environ.get("KMSLINT_UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps({**known, **found}, indent=0, sort_keys=True) + "\n")
        return
    assert found == {question: known.get(question) for question in found}
