"""docs/rules is what tools/build_docs.py writes, and says what it should."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "rules"
RULES = sorted(file.parent.name for file in (ROOT / "rules").glob("*/rule.toml"))

if not (ROOT / "tools").is_dir():
    pytest.skip("the tools are no part of this copy", allow_module_level=True)


def build(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "build_docs.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)}, timeout=60)


def test_the_pages_are_current() -> None:
    done = build("--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_missing_or_superfluous_page_is_named_and_repaired(tmp_path: Path) -> None:
    assert build(str(tmp_path)).returncode == 0
    (tmp_path / "no-alias.md").write_text("# no-alias\n", encoding="utf-8")
    (tmp_path / "public-access.md").unlink()
    (tmp_path / "no-rule.md").write_text("", encoding="utf-8")
    done = build(str(tmp_path), "--check")
    named = [Path(line.partition(": is stale")[0]).name for line in done.stderr.splitlines()]
    assert (done.returncode, named) == (1, ["no-alias.md", "no-rule.md", "public-access.md"])
    assert build(str(tmp_path)).returncode == 0
    assert build(str(tmp_path), "--check").returncode == 0
    assert (tmp_path / "no-alias.md").read_text(encoding="utf-8") == (PAGES / "no-alias.md").read_text(encoding="utf-8")


def test_every_rule_has_a_page_with_both_examples_and_its_controls() -> None:
    assert sorted(file.stem for file in PAGES.glob("*.md")) == sorted([*RULES, "README"])
    for rule in RULES:
        page = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
        headings = [line for line in page.splitlines() if line.startswith("## ")]
        assert headings[-3:] == ["## Fails", "## Passes", "## Controls"], rule
        assert "Outcome: FAIL" in page, rule
        assert "Outcome: PASS" in page, rule
