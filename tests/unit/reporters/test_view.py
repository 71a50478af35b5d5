from kmslint.model.key import Key, Known, Source
from kmslint.model.result import Outcome, Suppression
from kmslint.reporters.view import View, findings, label, shown, tally, undecided
from tests.unit.reporters.reports import full


def test_findings_come_worst_first_with_the_folded_under_the_greater() -> None:
    found = findings(full(), View())
    assert [(f.result.rule, [r.rule for r in f.lesser]) for f in found] == [
        ("public-access", ["untrusted-account-access"]),
        ("iam-delegation", []),
    ]


def test_a_suppressed_greater_finding_does_not_hide_the_lesser() -> None:
    report = full()
    hidden = tuple(
        result._replace(suppressed=Suppression("r", "o", "2027-01-01")) if result.rule == "public-access" else result
        for result in report.results
    )
    assert [f.result.rule for f in findings(report._replace(results=hidden), View())] == [
        "untrusted-account-access",
        "iam-delegation",
    ]
    every = findings(report._replace(results=hidden), View(show_suppressed=True))
    assert [f.result.rule for f in every] == ["public-access", "no-alias", "iam-delegation"]


def test_least_severity_hides_all_below_it() -> None:
    report = full()
    assert {result.severity for result in shown(report, View(min_severity="medium"))} == {"critical", "high", "medium"}
    assert shown(report, View()) == report.results
    assert [result.rule for result in undecided(report, View(min_severity="medium"))] == ["rotation-disabled"]
    assert undecided(report, View(min_severity="high")) == ()


def test_suppressed_results_are_counted_apart() -> None:
    counts = tally(full().results)
    assert counts.suppressed == 1
    assert counts.outcomes == {
        Outcome.PASS: 1,
        Outcome.FAIL: 3,
        Outcome.UNDETERMINED: 1,
        Outcome.NOT_APPLICABLE: 1,
        Outcome.MANUAL: 0,
    }


def test_a_key_is_called_by_its_most_readable_name() -> None:
    key = Key("k1", Source("policy", "a.json"), (), {})
    assert label(key) == "a.json"
    assert label(key._replace(source=Source("plan", "a.json", line=7))) == "a.json:7"
    assert label(key._replace(source=Source("plan", "a.json", address="aws_kms_key.x"))) == "aws_kms_key.x"
    assert label(key._replace(facts={"aliases": Known(["alias/b", "alias/c"])})) == "alias/b"
    assert label(key._replace(facts={"aliases": Known([])})) == "a.json"
    assert label(Key("k1", Source("live"), (), {}, key_id="1234")) == "1234"
    assert label(Key("k1", Source("live"), (), {})) == "k1"


def test_fold_digests_are_distinct() -> None:
    assert len({result.fingerprint for result in full().results}) == 7
