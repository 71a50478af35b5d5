"""`kmslint scan --evidence` and `kmslint verify`, as commands: what is kept, that it can be judged again, and that no secret is in it."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import SECRETS, Ran, Scan, command
from tests.fake_kms.server import FakeKey, FakeKms

PUBLIC = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]}
)
Kmslint = Callable[..., Ran]


@pytest.fixture
def kms() -> Iterator[FakeKms]:
    with FakeKms() as server:
        yield server


@pytest.fixture
def kmslint(home: Path, aws_environment: Mapping[str, str]) -> Kmslint:
    program, path = command()

    def run(*arguments: str, cwd: Path = home, **more: str) -> Ran:
        done = subprocess.run(
            [*program, *arguments],
            cwd=cwd,
            env={**aws_environment, **path, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


def test_evidence_is_kept_judged_again_and_verified(scan: Scan, kmslint: Kmslint, kms: FakeKms, tmp_path: Path) -> None:
    kms.add(FakeKey(policies={"default": PUBLIC}))
    kms.add(FakeKey(key_id="00000000-0000-4000-8000-000000000002", aliases=["alias/\x1b[31mledger<script>"]))
    kms.deny("ListGrants")
    folder = tmp_path / "evidence"
    ran = scan(kms.url, "--all", "--key-id=x", "--evidence", str(folder))
    assert (ran.code, folder.exists()) == (2, False)
    ran = scan(kms.url, "--all", "--evidence", str(folder), "--framework", "hipaa", "--include", "rotations")
    digest = ran.stderr.rsplit(" ", 1)[1].strip()
    assert (ran.code, f"evidence: {folder}, SHA-256 of its manifest: {digest}" in ran.stderr) == (1, True)

    held = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert [(name, secret) for name, data in held.items() for secret in (*SECRETS, "AWS4-HMAC") if secret.encode() in data] == []
    assert kms.url.encode() not in b"".join(held.values())
    assert held["report.json"].decode() == ran.stdout

    same = ("--config", str(folder / "kmslint.toml"), "--framework", "hipaa", "--format", "json")
    offline = kmslint("check", str(folder / "snapshot.jsonl"), *same)
    assert (offline.code, offline.stdout) == (1, ran.stdout)

    verified = kmslint("verify", str(folder), "--sha256", digest)
    assert (verified.code, verified.stdout.splitlines()[1:]) == (
        0,
        [f"{len(held) - 2} files and {len(ran.report()['results'])} results were compared, all are as they were"],
    )
    assert kmslint("verify", str(folder), "--sha256", "0" * 64).code == 1
    (folder / "snapshot.jsonl").write_bytes(held["snapshot.jsonl"].replace(b"kms:Decrypt", b"kms:Encrypt"))
    assert kmslint("verify", str(folder)).code == 1
    (folder / "manifest.json").unlink()
    assert kmslint("verify", str(folder)).code == 3


def test_evidence_is_never_overwritten_and_no_call_is_made(scan: Scan, kms: FakeKms, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    ran = scan(kms.url, "--all", "--evidence", str(tmp_path))
    assert (ran.code, "is there already" in ran.stderr, kms.calls) == (2, True, [])


def test_what_could_not_be_read_is_kept_too(scan: Scan, kmslint: Kmslint, kms: FakeKms, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    ran = scan(kms.url, "--key-id", "alias/none", "--evidence", str(folder))
    errors = json.loads((folder / "report.json").read_text())["errors"]
    assert (ran.code, [error["source"] for error in errors], kmslint("verify", str(folder)).code) == (3, ["alias/none"], 0)


def test_the_caller_is_told_where_sts_answers(kmslint: Kmslint, moto_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    arguments = ("scan", "--all", "--region", "us-east-1", "--evidence", str(folder), "--format", "concise")
    ran = kmslint(*arguments, AWS_ENDPOINT_URL=moto_url)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (ran.code, str(manifest["caller"]).startswith("arn:aws:sts::")) == (3, True)


def test_a_scan_does_not_fail_for_sts(kmslint: Kmslint, kms: FakeKms, tmp_path: Path) -> None:
    fake = kms.add(FakeKey())
    folder = tmp_path / "evidence"
    arguments = ("scan", "--key-id", fake.arn, "--region", "us-east-1", "--evidence", str(folder), "--select", "public-access")
    ran = kmslint(*arguments, AWS_ENDPOINT_URL_KMS=kms.url, AWS_ENDPOINT_URL_STS="http://127.0.0.1:9")
    assert (ran.code, json.loads((folder / "manifest.json").read_text())["caller"]) == (0, None)


def test_a_baseline_holds_in_evidence(scan: Scan, kmslint: Kmslint, kms: FakeKms, tmp_path: Path) -> None:
    kms.add(FakeKey(policies={"default": PUBLIC}))
    baseline, folder = tmp_path / "baseline.json", tmp_path / "evidence"
    scan(kms.url, "--all", "--write-baseline", str(baseline))
    ran = scan(kms.url, "--all", "--baseline", str(baseline), "--evidence", str(folder))
    assert ran.report()["summary"]["FAIL"] == 0
    assert ran.report()["summary"]["suppressed"] > 0
    assert kmslint("verify", str(folder)).code == 0


def test_what_a_trusted_revision_says_is_kept(kmslint: Kmslint, kms: FakeKms, tmp_path: Path) -> None:
    fake = kms.add(FakeKey(policies={"default": PUBLIC}))
    repository, folder = tmp_path / "repository", tmp_path / "evidence"
    repository.mkdir()
    settings = repository / "kmslint.toml"
    settings.write_text('rotation_days = 90\n[severity]\npublic-access = "high"\n')
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    settings.write_text('[severity]\npublic-access = "low"\n')
    program = ("scan", "--key-id", fake.arn, "--endpoint-url", kms.url, "--region", "us-east-1", "--trusted-ref", "HEAD")
    ran = kmslint(*program, "--evidence", str(folder), "--format", "json", cwd=repository)
    kept = json.loads((folder / "report.json").read_text())
    severities = {result["severity"] for result in kept["results"] if result["rule"] == "public-access"}
    assert (ran.code, severities, "rotation_days = 90" in (folder / "kmslint.toml").read_text()) == (1, {"high"}, True)
    assert json.loads((folder / "manifest.json").read_text())["notes"] == ran.report()["notes"]
    assert kmslint("verify", str(folder)).code == 0


def test_evidence_where_nothing_can_be_written(scan: Scan, kms: FakeKms, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ran = scan(kms.url, "--all", "--evidence", str(tmp_path / "file" / "evidence"))
    assert (ran.code, "the evidence cannot be written" in ran.stderr) == (2, True)


@pytest.mark.parametrize("name", ["nowhere", "evidence\x1b[31m"])
def test_verify_of_nothing(kmslint: Kmslint, name: str) -> None:
    ran = kmslint("verify", name)
    assert (ran.code, "\x1b" in ran.stderr) == (3, False)
