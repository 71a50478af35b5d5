"""Configuration that a whole run is needed for: accounts per folder, the gate, and errors with their place."""

import json
from pathlib import Path
from typing import Any

import pytest

from kmslint.cli.main import main

ONE, TWO = "111122223333", "444455556666"


def key_policy(owner: str, other: str) -> str:
    principals = [f"arn:aws:iam::{account}:root" for account in (owner, other)]
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:Decrypt", "Resource": "*"} for principal in principals
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders of keys; the same two accounts stand in both."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in ("claims", "billing"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key.json").write_text(key_policy(ONE, TWO), encoding="utf-8")
    return tmp_path


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["check", *arguments, "--format", "json", "--as-of", "2026-11-24", "--type", "policy"])
    out, err = capsys.readouterr()
    assert out, err
    report: dict[str, Any] = json.loads(out)
    return code, report


def foreign(report: dict[str, Any]) -> dict[str, list[str]]:
    """By file: the accounts that untrusted-account-access finds."""
    files = {key["id"]: key["source"]["file"] for key in report["keys"]}
    found: dict[str, list[str]] = {file: [] for file in files.values()}
    for result in report["results"]:
        if result["rule"] == "untrusted-account-access" and result["outcome"] == "FAIL":
            found[files[result["key"]]].append(result["witness"]["context"]["aws:PrincipalAccount"])
    return found


def test_each_folder_has_the_owner_that_is_configured_for_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "kmslint.toml").write_text(
        f'account = "{ONE}"\n[[accounts]]\npath = "billing/*"\naccount = "{TWO}"\n', encoding="utf-8"
    )
    _, report = check(capsys, "claims", "billing")
    assert foreign(report) == {"claims/key.json": [TWO], "billing/key.json": [ONE]}
    assert {key["account_source"] for key in report["keys"]} == {"configured"}


def test_the_account_of_the_command_line_is_before_those_of_the_configuration(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "kmslint.toml").write_text(f'account = "{TWO}"\n', encoding="utf-8")
    assert foreign(check(capsys, "claims")[1]) == {"claims/key.json": [ONE]}
    assert foreign(check(capsys, "claims", "--account", ONE)[1]) == {"claims/key.json": [TWO]}
    assert foreign(check(capsys, "claims", "--account", ONE, "--no-config")[1]) == {"claims/key.json": [TWO]}


@pytest.mark.parametrize(("level", "code"), [("medium", 1), ("high", 1), ("critical", 0), ("never", 0)])
def test_fail_on_is_the_gate(folder: Path, capsys: pytest.CaptureFixture[str], level: str, code: int) -> None:
    (folder / "kmslint.toml").write_text(f'account = "{ONE}"\nfail_on = "{level}"\n', encoding="utf-8")
    assert check(capsys, "claims", "--select", "untrusted-account-access")[0] == code


def test_the_gate_follows_a_configured_severity(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "kmslint.toml").write_text(f'account = "{ONE}"\n[severity]\nuntrusted-account-access = "low"\n', encoding="utf-8")
    assert check(capsys, "claims", "--select", "untrusted-account-access")[0] == 0


@pytest.mark.parametrize(
    ("text", "place", "help"),
    [
        ("trusted_acounts = []\n", "kmslint.toml:1: unknown key `trusted_acounts`", "did you mean `trusted_accounts`?"),
        ('\nstrict = "yes"\n', "kmslint.toml:2: `strict` is `yes`, expected true or false", ""),
        ('[severity]\npublic-acess = "low"\n', "unknown rule `public-acess`", "did you mean `public-access`?"),
        (
            '[[suppress]]\nrule = "public-access"\nwhere = "x"\nowner = "y"\nuntil = 2027-01-01\n',
            "kmslint.toml:1: `[[suppress]]` has no `reason`",
            "",
        ),
        ("deletion_window_days = 31\n", "expected a whole number from 7 to 30", ""),
        ('[[integrations]]\nservise = "ebs"\n', "unknown key `servise` in `[[integrations]]`", "did you mean `service`?"),
    ],
)
def test_what_is_wrong_is_an_error_with_its_place_and_the_nearest_word(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, place: str, help: str
) -> None:
    (folder / "kmslint.toml").write_text(text, encoding="utf-8")
    code = main(["check", "claims"])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert place in err
    assert help in err
