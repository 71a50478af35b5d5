"""Each cell of the table of exit codes, with its twin; the same for every format."""

import json
from pathlib import Path

import pytest

from kmslint.cli.main import main
from tests.adversary.policies import OWNER, policy, statement
from tests.adversary.test_hostile import FORMATS

ROOT = statement(principal={"AWS": OWNER}, action="kms:*")
STRANGER = "arn:aws:iam::444455556666:role/x"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files: dict[str, str] = {
        "good.json": json.dumps(policy(ROOT)),
        "bad.json": json.dumps(policy(ROOT, statement())),
        "open.json": json.dumps(policy(ROOT, statement(condition={"StringEquals": {"kms:Foo": "x"}}))),
        "broken.json": '{"Statement": [{"Principal": "*", "Action": "kms:*"',
        "package.json": '{"name": "x"}',
        "question.json": json.dumps({"Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "kms:Decrypt"}),
    }
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
    Path("empty").mkdir()


FIXED = ("check", "--no-config", "--account", OWNER, "--select", "public-access")
CHECKS: tuple[tuple[str, int], ...] = (
    ("good.json", 0),
    ("bad.json", 1),
    ("bad.json --exit-zero", 0),
    ("bad.json --fail-on never", 0),
    ("good.json bad.json", 1),
    ("open.json", 4),
    ("open.json --allow-undetermined", 0),
    ("open.json --fail-on never", 0),
    ("open.json bad.json", 1),
    ("broken.json", 3),
    ("broken.json --allow-empty", 3),
    ("broken.json good.json", 3),
    ("broken.json open.json", 3),
    ("broken.json bad.json", 1),
    ("missing.json", 3),
    ("package.json", 3),
    ("empty", 3),
    ("empty --allow-empty", 0),
)


@pytest.mark.parametrize(("arguments", "code"), CHECKS, ids=[case[0] for case in CHECKS])
def test_check(arguments: str, code: int) -> None:
    assert main([*FIXED, *arguments.split()]) == code


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_the_same_codes(name: str) -> None:
    files = {"good.json": 0, "bad.json": 1, "broken.json": 3, "open.json": 4}
    assert {file: main([*FIXED, "--format", name, file]) for file in files} == files


WRONG = (
    *("", "nope", "check --format nope", "check --frmat json", "check --account 12 good.json", "check --config x.toml good.json"),
    *("check --output json good.json", "check --output nope=x good.json", "check --output json=/nonexistent/x good.json"),
    *("check --select nope good.json", "check --as-of yesterday good.json", "check --rules /nonexistent good.json"),
    *("check --key arn:aws:s3:::x good.json", "check --region moon good.json", "check --min-severity huge good.json"),
    *("ask good.json", f"ask good.json --principal {STRANGER}", "diff good.json", "explain", "explain nope", "scan"),
)


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_usage(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = main(arguments.split())
    except SystemExit as stopped:
        code = stopped.code
    left = capsys.readouterr()
    assert code == 2
    assert left.out == ""
    assert "Traceback" not in left.err


OTHERS: tuple[tuple[str, int], ...] = (
    (f"ask bad.json --principal {STRANGER} --action kms:Decrypt", 0),
    (f"ask good.json --principal {STRANGER} --action kms:Decrypt", 1),
    (f"ask open.json --principal {STRANGER} --action kms:Decrypt", 4),
    (f"ask broken.json --principal {STRANGER} --action kms:Decrypt", 3),
    (f"ask missing.json --principal {STRANGER} --action kms:Decrypt", 3),
    ("ask good.json --forbid question.json", 0),
    ("ask bad.json --forbid question.json", 1),
    ("ask open.json --forbid question.json", 4),
    ("ask bad.json --require question.json", 0),
    ("ask good.json --require question.json", 1),
    ("ask bad.json --who --action kms:Decrypt", 0),
    ("diff good.json good.json", 0),
    ("diff good.json bad.json", 1),
    ("diff bad.json good.json", 0),
    ("diff good.json open.json", 4),
    ("diff good.json broken.json", 3),
    ("diff missing.json good.json", 3),
    ("explain public-access", 0),
    ("explain hipaa/164.312(a)(1)", 0),
    ("rules", 0),
    ("rules --format json", 0),
)


@pytest.mark.parametrize(("arguments", "code"), OTHERS, ids=[case[0] for case in OTHERS])
def test_other_commands(arguments: str, code: int) -> None:
    assert main(arguments.split()) == code
