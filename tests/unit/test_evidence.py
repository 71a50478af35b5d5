"""Evidence: what is kept says again what was asked; what was changed in it is found; nothing outside it is touched."""

import hashlib
import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint import app
from kmslint.baseline import apply_baseline, parse_baseline, write_baseline
from kmslint.config import digest, read_settings
from kmslint.effective import effective_toml
from kmslint.engine.loader import Catalogue, load_catalogue
from kmslint.errors import InputError, InternalError, UsageError
from kmslint.evidence import Asked, Evidence
from kmslint.model.result import Report
from kmslint.model.settings import Integration, Settings, SuppressionEntry
from kmslint.sources.kms_answers import Failure, Observation, key_from
from kmslint.sources.snapshot import Header
from kmslint.verification import Verdict, read_manifest, verify
from tests.fake_kms.server import ACCOUNT, FakeKey

AS_OF = "2026-11-24T08:00:00Z"
CALLER = "arn:aws:sts::111122223333:assumed-role/Auditor/me"
PUBLIC = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]}
)
OWNED = Settings(account=ACCOUNT)
RULES = ("public-access", "untrusted-grant", "no-alias")


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


def observation(policy: str = PUBLIC) -> Observation:
    fake = FakeKey()
    metadata = {"Arn": fake.arn, "KeyId": fake.key_id, "KeyManager": "CUSTOMER", "KeyState": "Enabled", "Origin": "AWS_KMS"}
    answers = {
        "DescribeKey": {"KeyMetadata": metadata},
        "ListKeyPolicies": {"PolicyNames": ["default"]},
        "GetKeyPolicy/default": {"Policy": policy},
        "ListAliases": {"Aliases": []},
        "ListGrants": Failure("AccessDenied", "AccessDenied on kms:ListGrants"),
    }
    return Observation(fake.arn, "us-east-1", AS_OF, answers)


def report_of(catalogue: Catalogue, settings: Settings, *observations: Observation) -> tuple[Report, Asked]:
    rules = tuple(rule for rule in catalogue.rules if rule.id in RULES)
    keys = [key_from(one) for one in observations]
    report = app.report_on(keys, rules=rules, settings=settings, as_of=AS_OF)
    return report, Asked(settings, rules, (), None, AS_OF, AS_OF, CALLER)


Keep = Callable[..., Path]


@pytest.fixture
def keep(tmp_path: Path, catalogue: Catalogue) -> Keep:
    """Evidence of one public key."""

    def make(settings: Settings = OWNED, *, baseline: bytes | None = None, accepted: bool = False) -> Path:
        report, asked = report_of(catalogue, settings, observation())
        if baseline is not None and accepted:
            report = apply_baseline(report, parse_baseline(baseline, "another name"), "another name")
        with Evidence(str(tmp_path / "ev"), Header(AS_OF, ACCOUNT)) as evidence:
            evidence.note(observation())
            evidence.finish(report, asked._replace(baseline=baseline))
        return tmp_path / "ev"

    return make


def verified(folder: Path, catalogue: Catalogue) -> Verdict:
    return verify(str(folder), read_manifest(str(folder)), catalogue)


# --- what is kept


def test_what_is_in_it(keep: Keep) -> None:
    folder = keep()
    inside = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    pages = [f"rules/{rule}.md" for rule in sorted(RULES)]
    reports = ["report.csv", "report.html", "report.json", "report.ocsf.json", "report.oscal.json"]
    assert inside == sorted(["SHA256SUMS", "manifest.json", "kmslint.toml", "snapshot.jsonl", *reports, *pages])
    manifest = json.loads((folder / "manifest.json").read_text())
    stated = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    others = [name for name in inside if name not in {"SHA256SUMS", "manifest.json"}]
    assert stated == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in others}
    assert (manifest["as_of"], manifest["caller"], manifest["rules"]["ids"]) == (AS_OF, CALLER, sorted(RULES))
    assert CALLER in (folder / "report.html").read_text()
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        found, name = line.split("  ")
        assert found == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert list(folder.parent.iterdir()) == [folder]


def test_the_same_scan_is_kept_as_the_same_bytes(keep: Keep) -> None:
    first = keep()
    kept = {path.relative_to(first): path.read_bytes() for path in first.rglob("*") if path.is_file()}
    first.rename(first.with_name("first"))
    again = keep()
    assert {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()} == kept


TEXTS = st.text(min_size=1, max_size=8).filter(lambda text: bool(text.strip()) and text.isprintable()) | st.sampled_from(
    ['"', "\\", "a\nb", "\x7f", "#", "é", "\U0001f600", "[x]", "'''"]
)


@given(TEXTS, TEXTS, st.booleans() | st.none(), st.lists(TEXTS, max_size=3, unique=True))
def test_the_effective_configuration_has_the_same_digest(
    tmp_path_factory: pytest.TempPathFactory, reason: str, where: str, multi_region: bool | None, tags: list[str]
) -> None:
    settings = Settings(
        account=ACCOUNT,
        accounts=(("envs/*", ACCOUNT),),
        multi_region=multi_region,
        regions=(),
        required_tags=tuple(tags),
        integrations=(Integration("s3-sse-kms"), Integration("cloudtrail-trail", "arn:aws:iam::111122223333:role/x")),
        max_grant_age_days=7,
        strict=True,
        fail_on="never",
        severity={"b": "low", "a": "high"},
        suppress=(SuppressionEntry("public-access", where, reason, "me", "2027-01-01", None, 7),),
    )
    file = tmp_path_factory.mktemp("toml") / "kmslint.toml"
    file.write_text(effective_toml(settings), encoding="utf-8", newline="\n")
    tomllib.loads(file.read_text(encoding="utf-8"))
    assert digest(read_settings(str(file), today=AS_OF[:10])) == digest(settings)


def test_a_folder_that_holds_something_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    for place in (tmp_path, tmp_path / "x"):
        with pytest.raises(UsageError, match="is there already"):
            Evidence(str(place), Header(AS_OF, None))
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_empty_folder_is_filled(keep: Keep, tmp_path: Path) -> None:
    (tmp_path / "ev").mkdir()
    assert (keep() / "manifest.json").is_file()


def test_nothing_is_left_of_a_scan_that_ends_early(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Evidence(str(tmp_path / "ev"), Header(AS_OF, None)) as evidence:  # noqa: PT012
        evidence.note(observation())
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_that_says_otherwise_is_a_bug_and_is_not_kept(tmp_path: Path, catalogue: Catalogue) -> None:
    report, asked = report_of(catalogue, Settings(), observation())
    with (  # noqa: PT012
        pytest.raises(InternalError, match="does not give the results"),
        Evidence(str(tmp_path / "ev"), Header(AS_OF, None)) as evidence,
    ):
        evidence.note(observation(PUBLIC.replace("Allow", "Deny")))
        evidence.finish(report, asked)
    assert list(tmp_path.iterdir()) == []


# --- what is verified


def test_what_was_not_touched_is_the_same(keep: Keep, catalogue: Catalogue) -> None:
    assert verified(keep(), catalogue) == Verdict((), (), 3)


def test_a_baseline_is_kept_and_applied_again(keep: Keep, catalogue: Catalogue) -> None:
    report, _ = report_of(catalogue, Settings(account=ACCOUNT), observation())
    baseline = write_baseline(report).encode()
    with pytest.raises(InternalError):
        keep(baseline=baseline)  # the twin: a scan that was not compared with it
    folder = keep(baseline=baseline, accepted=True)
    assert (folder / "baseline.json").read_bytes() == baseline
    assert verified(folder, catalogue) == Verdict((), (), 3)
    assert json.loads((folder / "report.json").read_text())["summary"]["suppressed"] == 2


def test_a_suppression_is_kept(keep: Keep, catalogue: Catalogue) -> None:
    entry = SuppressionEntry("public-access", FakeKey().arn, "a demonstration", "me", "2027-01-01", line=12)
    folder = keep(Settings(account=ACCOUNT, suppress=(entry,), file="/somewhere/else.toml"))
    assert verified(folder, catalogue) == Verdict((), (), 3)
    assert "/somewhere" not in "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


def spoil_snapshot(folder: Path) -> None:
    file = folder / "snapshot.jsonl"
    file.write_text(file.read_text().replace("kms:Decrypt", "kms:Encrypt"))


def spoil_settings(folder: Path) -> None:
    with (folder / "kmslint.toml").open("a") as file:
        file.write('[severity]\npublic-access = "low"\n')


def spoil_report(folder: Path) -> None:
    file = folder / "report.json"
    file.write_text(file.read_text().replace('"FAIL"', '"PASS"'))


def link_report(folder: Path) -> None:
    (folder / "report.csv").unlink()
    (folder / "report.csv").symlink_to("/etc/passwd")


def piped(file: Path) -> None:
    file.unlink(missing_ok=True)
    os.mkfifo(file)


SPOILED: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "a page changed": (lambda folder: (folder / "rules/no-alias.md").write_text("x"), ("rules/no-alias.md: SHA-256 is ",)),
    "a page gone": (lambda folder: (folder / "rules/no-alias.md").unlink(), ("rules/no-alias.md: is gone",)),
    "a file more": (lambda folder: (folder / "more").write_text("x"), ("more: is not in the manifest",)),
    "a link more": (lambda folder: (folder / "loop").symlink_to(folder), ("loop: is not in the manifest",)),
    "a link instead": (link_report, ("report.csv: is no regular file",)),
    "a pipe instead": (lambda folder: os.mkfifo(folder / "pipe"), ("pipe: is not in the manifest",)),
    "a pipe for the snapshot": (
        lambda folder: piped(folder / "snapshot.jsonl"),
        ("snapshot.jsonl: is no regular file", "the results cannot be recomputed: snapshot.jsonl is no"),
    ),
    "a pipe for a baseline": (
        lambda folder: piped(folder / "baseline.json"),
        ("baseline.json: is not in the manifest", "the results cannot be recomputed: baseline.json is no"),
    ),
    "sums": (lambda folder: (folder / "SHA256SUMS").write_text(""), ("SHA256SUMS: SHA-256 is ",)),
    "report": (spoil_report, ("report.json: SHA-256 is ", "public-access on ", "no-alias on ")),
    "no report": (lambda folder: (folder / "report.json").write_text("[" * 100_000), ("report.json: SHA-256", "report.json: is no report")),
    "settings": (spoil_settings, ("kmslint.toml: SHA-256 is ", "public-access on ")),
    "settings broken": (lambda folder: (folder / "kmslint.toml").write_text("x"), ("kmslint.toml: SHA-256", "the results cannot be")),
    "snapshot": (spoil_snapshot, ("snapshot.jsonl: SHA-256 is ", "public-access on ", "no-alias on ", "untrusted-grant on ")),
    "snapshot gone": (
        lambda folder: (folder / "snapshot.jsonl").unlink(),
        ("snapshot.jsonl: is gone", "public-access on ", "no-alias on ", "untrusted-grant on "),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILED)
def test_what_was_changed_is_found(keep: Keep, catalogue: Catalogue, name: str) -> None:
    folder = keep()
    spoil, expected = SPOILED[name]
    spoil(folder)
    changes = verified(folder, catalogue).changes
    assert len(changes) == len(expected)
    assert [begin for begin in expected if not any(change.startswith(begin) for change in changes)] == []


def test_a_rule_that_is_not_there_any_more_is_told(keep: Keep, catalogue: Catalogue) -> None:
    fewer = catalogue._replace(rules=tuple(rule for rule in catalogue.rules if rule.id != "no-alias"))
    verdict = verified(keep(), fewer)
    assert verdict.changes[0] == "the rule or framework `no-alias` is not there; `--rules DIR` names rules of your own"
    assert "with other rules" in verdict.notes[0]


def rewritten(folder: Path, **members: object) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | members))


def test_a_name_that_leads_outside_is_never_followed(keep: Keep, catalogue: Catalogue) -> None:
    folder = keep()
    outside = folder.parent / "secret"
    outside.write_text("secret")
    stated = {"../secret": {"sha256": hashlib.sha256(b"secret").hexdigest(), "bytes": 6}}
    rewritten(folder, files=stated)
    assert "../secret: is gone" in verified(folder, catalogue).changes


@pytest.mark.parametrize(
    "members",
    [{"format": "kmslint-evidence/9"}, {"as_of": 7}, {"rules": []}, {"rules": {"ids": [7], "sha256": ""}}, {"frameworks": "x"},
     {"tool": None}, {"caller": 7}],
)  # fmt: skip
def test_what_is_no_manifest_cannot_be_read(keep: Keep, members: dict[str, object]) -> None:
    folder = keep()
    rewritten(folder, **members)
    with pytest.raises(InputError, match="is no manifest"):
        read_manifest(str(folder))


def test_a_pipe_is_no_manifest_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(InputError, match="is no regular file"):
        read_manifest(str(tmp_path))


@pytest.mark.parametrize("text", ["", "[]", "{" * 100_000, "\xff"])
def test_garbage_is_no_manifest(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="is no manifest"):
        read_manifest(str(tmp_path))


@pytest.mark.parametrize("as_of", ["", "x", "2026-11-24", "9999-99-99T99:99:99Z", "2026-11-24T08:00:00+01:00"])
def test_an_odd_time_in_a_manifest_is_no_manifest(keep: Keep, as_of: str) -> None:
    folder = keep(Settings(account=ACCOUNT, suppress=(SuppressionEntry("public-access", "x", "y", "me", "2027-01-01"),)))
    rewritten(folder, as_of=as_of)
    with pytest.raises(InputError, match="is no manifest"):
        read_manifest(str(folder))
