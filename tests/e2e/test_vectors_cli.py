"""`kmslint ask`, one call a row with the row's policy and key, answers every documented vector as AWS does."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kmslint.cli.main import main
from tests.e2e.conftest import command
from tests.oracle import vectors

ROWS = vectors.load()
MEANING = {
    "allowed": ("allow", "direct"),
    "allowed_for_account": ("allow", "delegated"),
    "not_matched": ("implicit_deny", None),
    "rejected": ("implicit_deny", None),
    "denied": ("explicit_deny", None),
}
CODES = {"allow": 0, "explicit_deny": 1, "implicit_deny": 1, "undetermined": 4}
SPAWNED = ROWS[::20]
"""Rows that are asked in a process of their own too."""


def arguments(row: Mapping[str, Any], folder: Path) -> list[str]:
    (folder / "policy.json").write_text(json.dumps(row["policy"]), encoding="utf-8")
    (folder / "request.json").write_text(json.dumps(row["request"]), encoding="utf-8")
    return [
        *("ask", str(folder / "policy.json"), "--key", row["keyArn"], "--request", str(folder / "request.json")),
        *("--format", "json", "--no-config"),
    ]


def options(request: Mapping[str, Any]) -> list[str]:
    """The request as options instead of a file."""
    pairs = []
    for name, value in request["context"].items():
        pairs += ["--context", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    principal = "null" if request["principal"] is None else request["principal"]
    return ["--principal", principal, "--action", request["action"], *pairs]


def judge(row: Mapping[str, Any], code: int, out: str) -> None:
    answer = json.loads(out)
    assert set(answer) == {"decision", "grant", "statements", "reasons"}
    assert code == CODES[answer["decision"]]
    if row["unsure"]:
        assert answer["decision"] == "undetermined"
        assert any(reason.startswith("UNSURE-") for reason in answer["reasons"])
    else:
        assert (answer["decision"], answer["grant"]) == MEANING[row["aws"]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_every_vector(row: Mapping[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = arguments(row, tmp_path)
    code = main(asked)
    told = capsys.readouterr()
    judge(row, code, told.out)
    assert told.err == ""
    again = main([*asked[:4], *asked[6:], *options(row["request"])])
    assert (again, capsys.readouterr().out) == (code, told.out)


@pytest.mark.parametrize("row", SPAWNED, ids=lambda row: row["name"])
def test_some_vectors_through_the_installed_command(row: Mapping[str, Any], tmp_path: Path) -> None:
    program, more = command()
    done = subprocess.run(
        [*program, *arguments(row, tmp_path)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    judge(row, done.returncode, done.stdout)


def test_all_rows_of_one_policy_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of several requests: an answer a line in their order, exit code 0 whatever they are."""
    policies = [json.dumps(row["policy"]) for row in ROWS]
    common = max(policies, key=policies.count)
    rows = [row for row, policy in zip(ROWS, policies, strict=True) if policy == common]
    asked = arguments(rows[0], tmp_path)
    lines = [json.dumps({**row["request"], "key": row["keyArn"]}) for row in (*rows, *rows)]
    (tmp_path / "request.json").write_text("\n".join(lines), encoding="utf-8")
    assert main(asked) == 0
    answers = capsys.readouterr().out.splitlines()
    for row, answer in zip((*rows, *rows), answers, strict=True):
        judge(row, CODES[json.loads(answer)["decision"]], answer)
