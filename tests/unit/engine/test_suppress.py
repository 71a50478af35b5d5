"""Accepted findings: what an entry matches, when it ends, and what is told."""

import pytest

from kmslint.engine.suppress import suppress
from kmslint.location import Location
from kmslint.model.key import Key, Known, Source
from kmslint.model.result import Outcome, Result, Suppression
from kmslint.model.settings import Settings, SuppressionEntry

AS_OF = "2026-11-24T08:00:00Z"
ARN = "arn:aws:kms:us-east-1:111122223333:key/1234"
KEY = Key(
    id="k1",
    source=Source("policy", file="keys/prod.json", address="aws_kms_key.phi"),
    policies=(),
    facts={"aliases": Known(["alias/phi"])},
    arn=ARN,
    key_id="1234",
)
RESULT = Result(
    rule="public-access",
    title="t",
    outcome=Outcome.FAIL,
    severity="critical",
    key="k1",
    message="m",
    locations=(Location("keys/prod.json", None, 1, 1, 1, 2, "/Statement/0", 0, "AllowAll"),),
    fingerprint="f" * 64,
)


def entry(
    where: str = "keys/prod.json", until: str = "2027-03-01", rule: str = "public-access", **more: object
) -> SuppressionEntry:
    return SuppressionEntry(rule, where, "accepted", "sec", until, line=7)._replace(**more)  # type: ignore[arg-type]


def _run(*entries: SuppressionEntry, result: Result = RESULT) -> tuple[Suppression | None, tuple[str, ...]]:
    results, notes = suppress((result,), (KEY,), Settings(suppress=entries, file="kmslint.toml"), AS_OF)
    assert results == (result._replace(suppressed=results[0].suppressed),)
    return results[0].suppressed, notes


@pytest.mark.parametrize(
    "where",
    [
        "keys/prod.json",
        ARN,
        "1234",
        "alias/phi",
        "AllowAll",
        "f" * 64,
        "aws_kms_key.phi",
        "keys/*",
        "*prod*",
        "keys/prod.jso?",
        "*",
        "alias/p?i",
        "k*s/p*d*n",
    ],
)
def test_an_entry_matches_by_place(where: str) -> None:
    assert _run(entry(where)) == (Suppression("accepted", "sec", "2027-03-01", None, where), ())


@pytest.mark.parametrize(
    "where",
    ["keys/prod", "prod.json", "ALLOWALL", "alias/*/phi", "keys/prod.json?", "*.yaml", "f" * 63, "a*a*a*phi", "keys/prod.json*n"],
)
def test_an_entry_that_matches_nothing_is_told(where: str) -> None:
    note = f"kmslint.toml:7: the suppression of `public-access` at `{where}` (owner sec) matches no finding; remove it"
    assert _run(entry(where)) == (None, (note,))


def test_another_rule_is_not_meant() -> None:
    suppressed, notes = _run(entry(rule="negated-allow"))
    assert (suppressed, len(notes)) == (None, 1)


@pytest.mark.parametrize(
    ("outcome", "marked"), [("FAIL", True), ("UNDETERMINED", True), ("MANUAL", True), ("PASS", False), ("NOT_APPLICABLE", False)]
)
def test_what_can_be_accepted(outcome: str, marked: bool) -> None:
    suppressed, notes = _run(entry(), result=RESULT._replace(outcome=Outcome(outcome)))
    assert (suppressed is not None, len(notes)) == (marked, 0 if marked else 1)


@pytest.mark.parametrize(
    ("until", "note"),
    [
        ("2026-11-24", None),
        ("2027-11-25", None),
        ("2026-11-23", "expired on 2026-11-23; the finding counts again"),
        ("2027-11-26", "ends on 2027-11-26, more than a year ahead, and is not applied"),
    ],
)
def test_an_entry_ends_with_its_day_and_within_a_year(until: str, note: str | None) -> None:
    suppressed, notes = _run(entry(until=until))
    assert (suppressed is None) == (note is not None)
    assert notes == (
        () if note is None else (f"kmslint.toml:7: the suppression of `public-access` at `keys/prod.json` (owner sec) {note}",)
    )


def test_a_live_entry_wins_over_an_expired_one_and_the_first_over_the_second() -> None:
    first, second = entry("AllowAll", alternative="a vault"), entry("1234")
    suppressed, notes = _run(entry(until="2020-01-01"), first, second)
    assert suppressed == Suppression("accepted", "sec", "2027-03-01", "a vault", "AllowAll")
    assert len(notes) == 1


def test_without_entries_nothing_changes() -> None:
    assert suppress((RESULT,), (KEY,), Settings(), AS_OF) == ((RESULT,), ())


def test_a_pattern_of_many_stars_ends_soon() -> None:
    suppressed, _ = _run(entry("*a" * 200 + "*b"), result=RESULT._replace(fingerprint="a" * 5_000))
    assert suppressed is None
