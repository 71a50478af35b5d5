"""Every rule folder: its cases, its page, its controls. One test a thing, all folders."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from kmslint.engine import loader
from kmslint.engine.assess import assess_rule
from kmslint.engine.examples import distance, pair
from kmslint.engine.rule import Rule
from kmslint.engine.rule_file import page_sections
from kmslint.engine.variables import describe
from kmslint.model.result import Outcome
from tests.rules.case import OUTCOMES, key_of, mismatches, read_case, replay, settings_of

RULES = Path(__file__).resolve().parents[2] / "rules"
FOLDERS = sorted(file.parent for file in RULES.glob("*/rule.toml"))
CASES = sorted(RULES.glob("*/cases/*.json"))
SUBJECT = ("input", "key", "config")
HEADINGS = ["What it checks", "Why it matters", "When it is silent", "Fix", "References"]

_catalogue = loader.build(*loader.read_folder(str(RULES)))
_rules: Mapping[str, Rule] = {rule.id: rule for rule in _catalogue.rules}


def _name(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.stem}" if path.suffix == ".json" else path.name


@pytest.mark.parametrize("file", CASES, ids=_name)
def test_case(file: Path) -> None:
    case = read_case(file)
    key, settings = key_of(case), settings_of(case)
    results = assess_rule(_rules[file.parent.parent.name], key, settings)
    assert mismatches(case, results, key) == []


@pytest.mark.parametrize("file", [file for file in CASES if file.stem.startswith("fail")], ids=_name)
def test_the_witness_of_a_forbidden_request_replays(file: Path) -> None:
    case = read_case(file)
    key, settings = key_of(case), settings_of(case)
    rule = _rules[file.parent.parent.name]
    if rule.needs != ("policy",) or any(type(block).__name__ != "Forbid" for block in rule.blocks):
        return
    for result in assess_rule(rule, key, settings):
        if result.outcome is Outcome.FAIL:
            assert replay(result, key) == "allow"


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_page_has_the_fixed_headings_and_says_something_under_each(folder: Path) -> None:
    text = loader.page(_rules[folder.name])
    sections = page_sections(text)
    assert text.splitlines()[0] == f"# {folder.name}"
    assert [heading for heading in sections if heading] == HEADINGS
    assert all(len(sections[heading]) > 20 for heading in HEADINGS)
    assert "HIPAA requires" not in text


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_every_control_has_a_title_and_a_reason(folder: Path) -> None:
    rule = _rules[folder.name]
    assert rule.controls
    assert [control.id for control in rule.controls if not (control.title and control.why)] == []
    assert len({control.id for control in rule.controls}) == len(rule.controls)


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_some_pass_is_one_node_away_from_a_fail(folder: Path) -> None:
    cases = loader.read_cases(str(folder))
    failing, passing = pair(cases)
    assert failing is not None
    assert passing is not None
    subjects = [{name: part for name, part in cases[case].items() if name in SUBJECT} for case in (failing, passing)]  # type: ignore[attr-defined]
    assert distance(*subjects) == 1, (failing, passing)


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_the_described_sets_are_statements(folder: Path) -> None:
    key = key_of({"input": {"Version": "2012-10-17", "Statement": []}, "key": {"account": "111122223333", "region": "us-east-1"}})
    for block in _rules[folder.name].blocks:
        describe(getattr(block, "statements", ()), key, settings_of({}), folder.name)


def test_every_file_in_cases_is_a_case() -> None:
    names = [file.name for file in RULES.glob("*/cases/*")]
    prefixes = tuple(OUTCOMES)
    assert [name for name in names if not name.endswith(".json") or not name.startswith(prefixes)] == []
