"""`kmslint ask` as a user runs it: a process of its own, pipes, exit codes, and nothing heavy imported."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import command

OWNER = "111122223333"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Admin",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"},
    ],
}
STRANGER = "arn:aws:iam::999999999999:role/x"
PUBLIC = {"Action": "kms:Decrypt", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "${kmslint:owner}"}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.json").write_text(json.dumps(POLICY), encoding="utf-8")
    (tmp_path / "public.json").write_text(json.dumps(PUBLIC), encoding="utf-8")
    return tmp_path


def ask(folder: Path, *arguments: str, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
    program, path = command()
    return subprocess.run(
        [*program, "ask", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "none"), **path, **more},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_question_a_pipe_and_a_code(folder: Path) -> None:
    allowed = ask(folder, "policy.json", "--principal", STRANGER, "--action", "kms:Decrypt")
    assert (allowed.returncode, allowed.stderr) == (0, "")
    assert allowed.stdout.startswith(f"allowed: `{STRANGER}` may call `kms:Decrypt`\n  --> policy.json:1:")
    refused = ask(folder, "policy.json", "--principal", STRANGER, "--action", "kms:Encrypt", "--format", "json")
    assert (refused.returncode, json.loads(refused.stdout)["decision"]) == (1, "implicit_deny")
    violated = ask(folder, "policy.json", "--forbid", "public.json", "--account", OWNER, "--format", "json")
    assert violated.returncode == 1
    witness = json.dumps(json.loads(violated.stdout)["witness"])
    again = ask(folder, "policy.json", "--request", "-", "--account", OWNER, "--format", "json", stdin=witness)
    assert (again.returncode, json.loads(again.stdout)["decision"]) == (0, "allow")
    piped = ask(folder, "-", "--principal", STRANGER, "--action", "kms:Decrypt", stdin=json.dumps(POLICY))
    assert (piped.returncode, piped.stderr) == (0, "")
    assert piped.stdout.splitlines()[1].startswith("  --> <stdin>:1:")


def test_the_nearest_configuration_says_whom_to_trust(folder: Path) -> None:
    trusted = {**PUBLIC, "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "${kmslint:trusted-accounts}"}}}
    question = {**trusted, "Principal": {"AWS": "arn:aws:iam::999999999999:role/x"}}
    (folder / "question.json").write_text(json.dumps(question), encoding="utf-8")
    assert ask(folder, "policy.json", "--forbid", "question.json", "--account", OWNER).returncode == 1
    (folder / "kmslint.toml").write_text('trusted_accounts = ["999999999999"]\n', encoding="utf-8")
    assert ask(folder, "policy.json", "--forbid", "question.json", "--account", OWNER).returncode == 0
    assert ask(folder, "policy.json", "--forbid", "question.json", "--account", OWNER, "--no-config").returncode == 1


def test_help_offers_what_works(folder: Path) -> None:
    shown = ask(folder, "--help")
    assert shown.returncode == 0
    for option in ("--principal", "--action", "--context", "--request", "--who", "--forbid", "--require", "--every", "--explain"):
        assert option in shown.stdout


def test_nothing_heavy_is_imported(folder: Path) -> None:
    done = ask(folder, "policy.json", "--who", "--action", "kms:Decrypt", "--account", OWNER, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert not imported & {"boto3", "rich", "logging", "dataclasses", "pathlib", "yaml", "importlib.metadata"}


def test_the_answer_does_not_depend_on_the_hash_seed(folder: Path) -> None:
    arguments = ("policy.json", "--who", "--action", "kms:*", "--account", OWNER, "--format", "json")
    answers = {ask(folder, *arguments, PYTHONHASHSEED=seed).stdout for seed in ("0", "1", "4711")}
    assert len(answers) == 1
