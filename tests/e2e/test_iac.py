"""Infrastructure as code, as users check it: findings at the author's line, and what is said of values that are not known."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import kmslint
from kmslint.engine.loader import load_rules

ROOT = Path(__file__).resolve().parents[2]
NEEDS_POLICY = frozenset(rule.id for rule in load_rules() if "policy" in rule.needs)
ACCESS = ("public-access", "unbounded-wildcard", "untrusted-account-access", "confused-deputy")


class Done(NamedTuple):
    code: int
    out: str
    err: str

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def places(self) -> list[str]:
        """`file:line:column rule [severity]` of each line of a concise report, in order."""
        lines = [line.split("] ", 1)[0] + "]" for line in self.out.splitlines() if "] " in line]
        return [line.replace(": ", " ", 1) if ": " in line.split(" [")[0] else line for line in lines]

    def outcomes(self) -> dict[str, str]:
        return {result["rule"]: result["outcome"] for result in self.report()["results"]}

    def reasons(self) -> dict[str, str]:
        return {result["rule"]: result["reason"] for result in self.report()["results"] if result["outcome"] == "UNDETERMINED"}


def check(*arguments: str, cwd: Path = ROOT, stdin: str = "") -> Done:
    path = {"PYTHONPATH": str(ROOT)} if kmslint.__file__.startswith(str(ROOT)) else {}
    done = subprocess.run(
        [sys.executable, "-m", "kmslint", "check", *arguments, "--no-config", "--as-of", "2026-11-24"],
        cwd=cwd,
        input=stdin,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), **path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


EXAMPLES = {
    "terraform": (
        "examples/terraform/modules/key/main.tf:26:7 public-access [critical]",
        "examples/terraform/main.tf:50:3 confused-deputy [high]",
        "examples/terraform/main.tf:16:1 rotation-disabled [medium]",
        "examples/terraform/main.tf:18:3 short-deletion-window [medium]",
        "examples/terraform/main.tf:16:1 missing-ownership [low]",
        "examples/terraform/modules/key/main.tf:12:1 missing-ownership [low]",
        "examples/terraform/main.tf:39:3 public-access [undetermined, critical]",
        "examples/terraform/main.tf:39:3 unbounded-wildcard [undetermined, high]",
        "examples/terraform/main.tf:39:3 untrusted-account-access [undetermined, high]",
    ),
    "cloudformation": (
        "examples/cloudformation/key.yaml:56:13 confused-deputy [high]",
        "examples/cloudformation/key.yaml:33:26 rotation-disabled [medium]",
        "examples/cloudformation/key.yaml:34:28 short-deletion-window [medium]",
        "examples/cloudformation/key.yaml:29:3 untrusted-account-access [undetermined, high]",
    ),
    "cdk": (
        "examples/cdk/app.ts:8:13 public-access [critical]",
        "examples/cdk/app.ts:8:13 rotation-disabled [medium]",
        "examples/cdk/app.ts:8:13 missing-ownership [low]",
    ),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_findings_stand_where_the_author_wrote(example: str) -> None:
    done = check(f"examples/{example}", "--format", "concise", "--min-severity", "low")
    assert done.code == 1
    assert set(EXAMPLES[example]) <= set(done.places()), done.out
    failing = [place for place in done.places() if "undetermined" not in place]
    assert sorted(set(failing)) == sorted(place for place in EXAMPLES[example] if "undetermined" not in place)


DATA = 'data "aws_caller_identity" "me" {}\n'
OWN = '"arn:aws:iam::${data.aws_caller_identity.me.account_id}:root"'


def key(*principals: str, more: str = "") -> str:
    """A module with one key, whose own account administers it and whose users are `principals`, HCL expressions."""
    return f"""{DATA}{more}
resource "aws_iam_role" "app" {{
  name = "app"
}}
resource "aws_kms_key" "k" {{
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.p.json
}}
data "aws_iam_policy_document" "p" {{
  statement {{
    actions   = ["kms:*"]
    resources = ["*"]
    principals {{
      type        = "AWS"
      identifiers = [{OWN}]
    }}
  }}
  statement {{
    actions   = ["kms:Decrypt"]
    resources = ["*"]
    principals {{
      type        = "AWS"
      identifiers = [{", ".join(principals)}]
    }}
  }}
}}
"""


def checked(folder: Path, content: str, *arguments: str) -> Done:
    (folder / "main.tf").write_text(content)
    return check("main.tf", *arguments, "--format", "json", cwd=folder)


def test_a_role_of_the_same_module_is_no_stranger(tmp_path: Path) -> None:
    done = checked(tmp_path, key("aws_iam_role.app.arn"))
    assert {rule: done.outcomes()[rule] for rule in ACCESS} == dict.fromkeys(ACCESS, "PASS")
    assert checked(tmp_path, key('"*"')).outcomes()["public-access"] == "FAIL"


def test_a_variable_is_named_with_its_place_and_what_settles_it(tmp_path: Path) -> None:
    content = key("var.partner_role", more='variable "partner_role" {}\n')
    done = checked(tmp_path, content, "--select", ",".join(ACCESS))
    assert done.code == 4
    told = done.reasons()
    assert set(told) == set(ACCESS)
    for reason in told.values():
        assert "`${var.partner_role}` could not be resolved" in reason
        assert reason.endswith(
            "`var.partner_role` stands at main.tf:2:1: --param or --var-file gives its value, or a plan knows it"
        )
    own = checked(tmp_path, content, "--param", "partner_role=arn:aws:iam::111122223333:role/x", "--account", "111122223333")
    assert {rule: own.outcomes()[rule] for rule in ACCESS} == dict.fromkeys(ACCESS, "PASS")
    anybody = checked(tmp_path, content, "--param", "partner_role=*")
    assert [anybody.outcomes()[rule] for rule in ("public-access", "confused-deputy")] == ["FAIL", "FAIL"]


def test_a_policy_of_which_nothing_is_known_is_undetermined_for_every_rule(tmp_path: Path) -> None:
    content = 'variable "policy" {}\nresource "aws_kms_key" "k" {\n  policy = var.policy\n}\n'
    done = checked(tmp_path, content)
    outcomes = done.outcomes()
    assert {outcomes[rule] for rule in NEEDS_POLICY} == {"UNDETERMINED", "NOT_APPLICABLE"}
    assert {rule: outcomes[rule] for rule in ACCESS} == dict.fromkeys(ACCESS, "UNDETERMINED")
    assert all("`var.policy` stands at main.tf:1:1" in done.reasons()[rule] for rule in ACCESS)
    given = checked(tmp_path, content, "--param", 'policy={"Statement": []}')
    assert {given.outcomes()[rule] for rule in ACCESS} == {"PASS"}


def test_a_literal_account_may_be_the_owner(tmp_path: Path) -> None:
    content = key('"arn:aws:iam::444455556666:role/x"')
    done = checked(tmp_path, content)
    told = done.reasons()["untrusted-account-access"]
    assert told == "the answer depends on the owner account of the key, which is not known; pass --account"
    assert done.outcomes()["public-access"] == "PASS"
    owned = checked(tmp_path, content, "--account", "444455556666")
    assert owned.outcomes()["untrusted-account-access"] == "PASS"
    foreign = checked(tmp_path, content, "--account", "111122223333")
    assert foreign.outcomes()["untrusted-account-access"] == "FAIL"


def test_values_from_a_file_outside_the_module(tmp_path: Path) -> None:
    module = tmp_path / "module"
    (module / ".git").mkdir(parents=True)
    values = tmp_path / "prod.tfvars"
    values.write_text('partner_role = "*"\n')
    content = key("var.partner_role", more='variable "partner_role" {}\n')
    assert checked(module, content).outcomes()["public-access"] == "UNDETERMINED"
    assert checked(module, content, "--var-file", str(values)).outcomes()["public-access"] == "FAIL"
    both = checked(module, content, "--var-file", "../prod.tfvars", "--param", "partner_role=arn:aws:iam::111122223333:role/x")
    assert both.outcomes()["public-access"] == "PASS"
    missing = check("main.tf", "--var-file", "nowhere.tfvars", cwd=module)
    assert (missing.code, missing.out) == (2, "")
    assert "`nowhere.tfvars` is not a file that can be read" in missing.err


TEMPLATE = """\
Parameters:
  Partner:
    Type: String
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      EnableKeyRotation: true
      KeyPolicy:
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}
            Action: kms:*
            Resource: "*"
          - Effect: Allow
            Principal: {AWS: !Ref Partner}
            Action: kms:Decrypt
            Resource: "*"
"""


def test_a_parameter_of_a_template(tmp_path: Path) -> None:
    (tmp_path / "key.yaml").write_text(TEMPLATE)
    done = check("key.yaml", "--format", "json", cwd=tmp_path)
    assert "`Partner` stands at key.yaml:16:" in done.reasons()["public-access"]
    assert "--param gives its value" in done.reasons()["public-access"]
    assert check("key.yaml", "--format", "json", "--param", "Partner=*", cwd=tmp_path).outcomes()["public-access"] == "FAIL"
    role = "Partner=arn:aws:iam::111122223333:role/x"
    given = check("key.yaml", "--format", "json", "--param", role, "--account", "111122223333", cwd=tmp_path)
    assert {given.outcomes()[rule] for rule in ACCESS} == {"PASS"}


def test_a_file_named_alone_is_read_with_its_module(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(key("local.who"))
    (tmp_path / "locals.tf").write_text('locals {\n  who = "*"\n}\nresource "aws_kms_key" "other" {}\n')
    done = check("main.tf", "--format", "json", cwd=tmp_path)
    assert done.outcomes()["public-access"] == "FAIL"
    assert len(done.report()["keys"]) == 1
    assert len(check(".", "--format", "json", cwd=tmp_path).report()["keys"]) == 2


def test_a_comment_accepts_a_finding_for_the_gate(tmp_path: Path) -> None:
    said = "# kmslint: ignore[public-access,unbounded-wildcard,untrusted-account-access,confused-deputy] until=2027-03-01 owner=sec ok"
    content = key('"*"')
    chosen = ("--select", ",".join(ACCESS))
    assert checked(tmp_path, content, *chosen).code == 1
    assert (
        checked(tmp_path, content.replace('actions   = ["kms:Decrypt"]', f'actions = ["kms:Decrypt"] {said}'), *chosen).code == 0
    )


def test_what_git_ignores_is_told_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "main.tf").write_text(key('"*"'))
    (tmp_path / ".gitignore").write_text("out/\n")
    done = check(".", "-v", cwd=tmp_path)
    assert done.code == 3
    assert "out: left out by .gitignore" in done.out + done.err
    assert check("out", cwd=tmp_path).code == 1


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    evil = "\x1b]0;pwned\x07[bold red]x"
    content = key("var.x").replace("var.x", f'var["{evil}"]')
    (tmp_path / "main.tf").write_text(content)
    for name in ("text", "concise", "json"):
        done = check("main.tf", "--format", name, cwd=tmp_path)
        assert "\x1b" not in done.out + done.err


# --- what a start loads


def loaded(folder: Path, content: str) -> set[str]:
    """The modules that reading one file of code, in a process of its own, has loaded."""
    folder.joinpath("main.tf").write_text(content, encoding="utf-8")
    code = (
        "import sys\nimport kmslint.cli.check\nfrom kmslint.model.settings import Settings\n"
        "from kmslint.sources.files import collect\n"
        "print(*(item.source.address for item in collect(['main.tf'], settings=Settings())))\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    path = {"PYTHONPATH": str(ROOT)} if kmslint.__file__.startswith(str(ROOT)) else {}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "aws_kms_key.k\n"
    return set(done.stderr.splitlines())


def test_a_file_of_code_loads_what_it_uses(tmp_path: Path) -> None:
    plain = 'resource "aws_kms_key" "k" {\n  policy = "{}"\n}\n'
    uses = {
        "json_syntax": None,
        "functions": 'description = lower("A")',
        "operations": 'description = true ? "a" : "b"',
        "heredocs": "description = <<-E\n    a\n  E",
    }
    modules = loaded(tmp_path, plain)
    assert not modules & {"typing", "hashlib", "dataclasses", "pathlib", "inspect", "yaml", "logging"}
    assert not modules & {f"kmslint.sources.hcl.{name}" for name in uses}
    for name, line in uses.items():
        if line is not None:
            assert f"kmslint.sources.hcl.{name}" in loaded(tmp_path, plain.replace("{\n", f"{{\n  {line}\n", 1)), name
