"""`--param` and `--var-file` in `check`, `ask` and `diff`: the same values, and what is said of those that nothing takes."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Ran, command

PARTNER, STRANGER = "arn:aws:iam::444455556666:role/x", "arn:aws:iam::999999999999:role/x"
CODE = """\
variable "partner" {
  type = string
}
data "aws_caller_identity" "current" {}
resource "aws_kms_key" "k" {
  policy = jsonencode({
    Statement = [
      {
        Effect = "Allow", Action = "kms:*", Resource = "*"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root" }
      },
      { Effect = "Allow", Action = "kms:Decrypt", Resource = "*", Principal = { AWS = var.partner } },
    ]
  })
}
"""
TEMPLATE = """\
Parameters:
  Partner: {Type: String}
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Statement:
          - {Effect: Allow, Action: "kms:*", Resource: "*", Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}}
          - {Effect: Allow, Action: kms:Decrypt, Resource: "*", Principal: {AWS: !Ref Partner}}
"""


def run(folder: Path, *arguments: str, stdin: str = "") -> Ran:
    program, path = command()
    done = subprocess.run(
        [*program, *arguments, "--no-config"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **path},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def decision(folder: Path, file: str, *more: str) -> str:
    asked = ("--principal", PARTNER, "--action", "kms:Decrypt", "--account", "111122223333", "--format", "json")
    found: str = json.loads(run(folder, "ask", file, *asked, *more).stdout)["decision"]
    return found


@pytest.mark.parametrize(("file", "content", "name"), [("main.tf", CODE, "partner"), ("key.yaml", TEMPLATE, "Partner")])
def test_ask_takes_a_parameter(tmp_path: Path, file: str, content: str, name: str) -> None:
    (tmp_path / file).write_text(content)
    assert decision(tmp_path, file) == "undetermined"
    assert decision(tmp_path, file, "--param", f"{name}={PARTNER}") == "allow"
    assert decision(tmp_path, file, "--param", f"{name}={STRANGER}") == "implicit_deny"


def test_ask_takes_a_file_of_variables(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(CODE)
    (tmp_path / "eu.tfvars").write_text(f'partner = "{PARTNER}"\n')
    assert decision(tmp_path, "main.tf", "--var-file", "eu.tfvars") == "allow"
    assert decision(tmp_path, "main.tf", "--var-file", "eu.tfvars", "--param", f"partner={STRANGER}") == "implicit_deny"


def test_code_on_stdin_takes_a_file_of_variables(tmp_path: Path) -> None:
    (tmp_path / "eu.tfvars").write_text('partner = "*"\n')

    def public(*more: str) -> str:
        done = run(tmp_path, "check", "-", "--stdin-filename", "main.tf", "--format", "json", *more, stdin=CODE)
        outcomes: dict[str, str] = {result["rule"]: result["outcome"] for result in done.report()["results"]}
        return outcomes["public-access"]

    assert public() == "UNDETERMINED"
    assert public("--var-file", "eu.tfvars") == "FAIL"


def test_ask_and_diff_know_code_on_stdin_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(CODE)
    named = ("--stdin-filename", "other.tf", "--param", f"partner={PARTNER}", "--account", "111122223333")
    who = run(tmp_path, "ask", "-", "--who", "--action", "kms:Decrypt", *named, stdin=CODE)
    assert (who.code, PARTNER in who.stdout) == (0, True)
    assert run(tmp_path, "diff", "main.tf", "-", *named, stdin=CODE).code == 0
    wider = run(tmp_path, "diff", "main.tf", "-", *named, stdin=CODE.replace("var.partner", '"*"'))
    assert (wider.code, "other.tf:12" in wider.stdout) == (1, True)
    assert run(tmp_path, "diff", "main.tf", "-", *named[2:], stdin=CODE).code == 3


def test_diff_takes_values_for_both_sides(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "old" / "main.tf").write_text(CODE.replace("var.partner", f'"{PARTNER}"'))
    (tmp_path / "new" / "main.tf").write_text(CODE)
    account = ("--account", "111122223333")
    assert run(tmp_path, "diff", "old", "new", *account).code in {1, 4}
    same = run(tmp_path, "diff", "old", "new", "--param", f"partner={PARTNER}", *account)
    assert (same.code, "no new access" in same.stdout) == (0, True)
    (tmp_path / "eu.tfvars").write_text(f'partner = "{STRANGER}"\n')
    wider = run(tmp_path, "diff", "old", "new", "--var-file", "eu.tfvars", *account)
    assert (wider.code, f"{STRANGER} may newly call kms:Decrypt" in wider.stdout) == (1, True)


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git command")
def test_diff_reads_a_file_of_variables_as_the_revision_has_it(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, capture_output=True, check=True)

    git("init", "-q")
    (tmp_path / "main.tf").write_text(CODE)
    (tmp_path / "eu.tfvars").write_text(f'partner = "{PARTNER}"\n')
    git("add", "main.tf", "eu.tfvars")
    git("commit", "-q", "-m", "first")
    asked = ("diff", "--base", "HEAD", "--account", "111122223333", "--var-file", "eu.tfvars")
    assert run(tmp_path, *asked).code == 0
    (tmp_path / "eu.tfvars").write_text(f'partner = "{STRANGER}"\n')
    changed = run(tmp_path, *asked)
    assert (changed.code, f"{STRANGER} may newly call kms:Decrypt" in changed.stdout) == (1, True)
    (tmp_path / "us.tfvars").write_text(f'partner = "{STRANGER}"\n')
    fresh = run(tmp_path, *asked[:-1], "us.tfvars")
    assert fresh.code in {1, 4}
    assert "`HEAD` has no `us.tfvars`: the variables that it sets have no value there" in fresh.stdout


NOTE = "`--param partnr` changes nothing: no template with a KMS key has such a variable or parameter; did you mean `partner`?"


def test_a_parameter_that_nothing_declares_is_told(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(CODE)
    (tmp_path / "key.yaml").write_text(TEMPLATE.replace("Parameters:", "Parameters:\n  Unused: {Type: String, Default: a}"))
    wrong = ("--param", "partnr=*")
    checked = run(tmp_path, "check", "main.tf", "--format", "json", *wrong).report()
    assert checked["notes"] == [NOTE]
    assert NOTE in run(tmp_path, "check", "main.tf", *wrong).stdout
    asked = run(tmp_path, "ask", "main.tf", "--who", "--action", "kms:Decrypt", *wrong)
    assert asked.stderr.splitlines() == [f"warning: {NOTE}"]
    assert NOTE in run(tmp_path, "diff", "main.tf", "main.tf", *wrong).stdout
    right = ("--param", "partner=*", "--param", "Partner=*", "--param", "Unused=b")
    assert "notes" not in run(tmp_path, "check", ".", "--format", "json", *right).report()
    assert run(tmp_path, "ask", ".", "--who", "--action", "kms:Decrypt", *right).stderr == ""
