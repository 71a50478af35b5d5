"""Reports against golden files. `KMSLINT_UPDATE_GOLDEN=1` writes them anew; then read the difference."""

import os
from pathlib import Path

import pytest

from kmslint.model.result import Report
from kmslint.reporters import json, rich_text, text
from kmslint.reporters.view import View
from tests.unit.reporters.reports import full, hostile

GOLDEN = Path(__file__).parent / "golden"

CASES = {
    "full.txt": (full(), text.render, View()),
    "full-verbose.txt": (full(), text.render, View(verbose=True, show_suppressed=True)),
    "full-quiet.txt": (full(), text.render, View(quiet=True)),
    "full-colour.txt": (full(), rich_text.render, View()),
    "hostile.txt": (hostile(), text.render, View(verbose=True, show_suppressed=True)),
    "full.json": (full(), json.render, View()),
}


@pytest.mark.parametrize("name", CASES)
def test_the_report_is_the_golden_one(name: str) -> None:
    report, render, view = CASES[name]
    assert isinstance(report, Report)
    printed = render(report, view).encode()
    file = GOLDEN / name
    if os.environ.get("KMSLINT_UPDATE_GOLDEN"):
        file.write_bytes(printed)
    assert printed.decode() == file.read_text(encoding="utf-8")
