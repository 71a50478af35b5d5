import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.baseline import Entry, apply_baseline, is_baselined, read_baseline, write_baseline
from kmslint.errors import ConfigError
from kmslint.model.result import Outcome, Report
from tests.unit.reporters.reports import DIGEST, full, hostile

PUBLIC = Entry(DIGEST + "1", "public-access", "policy.json", "critical")


def counted(report: Report) -> list[str]:
    return [one.rule for one in report.results if one.outcome is Outcome.FAIL and not one.suppressed]


def written(report: Report, folder: Path) -> tuple[Entry, ...]:
    file = folder / "baseline.json"
    file.write_text(write_baseline(report), encoding="utf-8")
    return read_baseline(str(file))


def test_what_was_written_accepts_what_was_there(tmp_path: Path) -> None:
    entries = written(full(), tmp_path)
    assert entries == (
        Entry(DIGEST + "3", "iam-delegation", "policy.json", "info"),
        PUBLIC,
        Entry(DIGEST + "2", "untrusted-account-access", "policy.json", "high"),
    )
    accepted = apply_baseline(full(), entries, "baseline.json")
    assert counted(full()) == ["iam-delegation", "public-access", "untrusted-account-access"]
    assert counted(accepted) == []
    assert accepted.notes == full().notes


def test_it_speaks_of_failures_alone_and_leaves_suppressions_be(tmp_path: Path) -> None:
    accepted = apply_baseline(full(), written(full(), tmp_path), "b")
    by_rule = {(one.rule, one.key): one for one in accepted.results}
    assert by_rule["no-alias", "k2"].suppressed == full().results[-1].suppressed
    assert by_rule["rotation-disabled", "k2"].suppressed is None
    assert not is_baselined(by_rule["no-alias", "k2"])
    assert is_baselined(by_rule["public-access", "k1"])


def test_a_new_finding_and_one_that_got_worse_count() -> None:
    assert counted(apply_baseline(full(), (PUBLIC,), "b")) == ["iam-delegation", "untrusted-account-access"]
    milder = PUBLIC._replace(severity="high")
    assert "public-access" in counted(apply_baseline(full(), (milder,), "b"))
    other_rule = PUBLIC._replace(rule="iam-delegation")
    assert "public-access" in counted(apply_baseline(full(), (other_rule,), "b"))


def test_what_is_fixed_is_told_and_what_was_not_asked_is_not() -> None:
    gone = PUBLIC._replace(fingerprint="f" * 64)
    (note,) = apply_baseline(full(), (gone,), "b").notes[1:]
    assert note == "b: fixed: `public-access` of policy.json (ffffffffffff); write the baseline again"
    elsewhere = gone._replace(key="other.json")
    not_asked = gone._replace(rule="weak-key-spec")
    undecided = gone._replace(rule="rotation-disabled", key="arn:aws:kms:eu-central-1:111122223333:key/1#policy/default")
    assert apply_baseline(full(), (elsewhere, not_asked, undecided), "b").notes == full().notes


def test_writing_again_keeps_what_a_baseline_accepts(tmp_path: Path) -> None:
    entries = written(full(), tmp_path)
    assert written(apply_baseline(full(), entries, "b"), tmp_path) == entries
    fixed = full()._replace(results=full().results[:1])
    assert written(fixed, tmp_path) == entries[:1]


def test_it_is_the_same_text_whatever_the_order() -> None:
    report = full()
    assert write_baseline(report) == write_baseline(report._replace(results=report.results[::-1]))
    assert json.loads(write_baseline(hostile()))["format"] == "kmslint-baseline/1"
    assert write_baseline(report._replace(results=())) == '{"format": "kmslint-baseline/1",\n "findings": []}\n'


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"format": "kmslint-report/1", "findings": []}', '{"format": "kmslint-baseline/1"}', "[" * 100_000,
     '{"format": "kmslint-baseline/1", "findings": [1]}', '{"format": "kmslint-baseline/1", "findings": [{"rule": "x"}]}',
     '{"format": "kmslint-baseline/1", "findings": [{"fingerprint": "a", "rule": "x", "key": "k", "severity": "bad"}]}',
     '{"format": "kmslint-baseline/1", "findings": [{"fingerprint": 1, "rule": "x", "key": "k", "severity": "low"}]}', "\x00"],
)  # fmt: skip
def test_what_is_no_baseline_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "b.json"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        read_baseline(str(file))
    assert error.value.source == str(file)


def test_a_baseline_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the baseline cannot be read"):
        read_baseline(str(tmp_path / "none.json"))


@given(st.lists(st.sampled_from(range(len(full().results))), unique=True))
def test_a_baseline_of_some_accepts_just_those(chosen: list[int]) -> None:
    report = full()
    some = report._replace(results=tuple(report.results[number] for number in chosen))
    entries = tuple(Entry(**one) for one in json.loads(write_baseline(some))["findings"])
    left = apply_baseline(report, entries, "b")
    assert set(counted(left)) == set(counted(report)) - set(counted(some))
