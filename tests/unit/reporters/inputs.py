"""Inputs that every format is tested with: the reports made by hand, and the report on every real key policy."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from hypothesis import strategies as st

from kmslint import app
from kmslint.model.result import Report
from kmslint.model.settings import Settings
from kmslint.reporters.view import View
from kmslint.sources.files import collect
from tests.conftest import shared_path
from tests.unit.reporters.reports import EVIL, empty, full, hostile

SCHEMAS = Path(__file__).parents[2] / "schemas"
BY_HAND: dict[str, Callable[[], Report]] = {"full": full, "hostile": hostile, "empty": empty}
VIEWS = (View(), View(verbose=True, show_suppressed=True, full=True), View(quiet=True, min_severity="high"))

texts = st.text(
    st.one_of(st.sampled_from("`|<>&\"'\\[](){}@#:%,=+-\n\r\t\x00\x1b\u202e\u2028\ud800$*_~!www.://"), st.characters()),
    max_size=40,
)
"""Text that a stranger may have written."""


@cache
def real_report() -> Report:
    """The report on every document of the shared corpus; the test is skipped where there is none."""
    folder = shared_path()
    if folder is None:
        pytest.skip("no real inputs: neither KMSLINT_SHARED nor ../shared beside the checkout is a folder")
    found = collect([str(folder / "corpus" / "json")], settings=Settings())
    report = app.report_on(found, rules=app.load_rules(), settings=Settings(), as_of="2026-11-24T08:00:00Z")
    assert len(report.keys) > 70
    return report


def every_report(name: str) -> Report:
    """One of the reports made by hand, or `real`."""
    return real_report() if name == "real" else BY_HAND[name]()


EVERY = (*BY_HAND, "real")


def with_text(text: str) -> Report:
    """The hostile report with another text in all those places."""
    return _swapped(hostile(), text)  # type: ignore[return-value]


def _swapped(value: object, text: str) -> object:
    if isinstance(value, str):
        return value.replace(EVIL, text)
    if isinstance(value, dict):
        return {_swapped(key, text): _swapped(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [_swapped(item, text) for item in value]
    if isinstance(value, tuple):
        items = [_swapped(item, text) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value


@cache
def schema(name: str) -> jsonschema.protocols.Validator:
    """A validator of the schema `name` in tests/schemas."""
    found = json.loads((SCHEMAS / name).read_text(encoding="utf-8"), parse_constant=None)
    return jsonschema.validators.validator_for(found)(found)


def faults(validator: jsonschema.protocols.Validator, value: object) -> list[str]:
    """What is wrong with `value`, with its place."""
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in validator.iter_errors(value)]
