"""`kmslint diff` as users run it: files, folders, stdin and git revisions, judged by exit code, stdout and stderr."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import kmslint
from tests.e2e.conftest import Ran, command

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((Path(kmslint.__file__).parent / "schemas" / "diff-1.json").read_text())
OWNER, PARTNER = "111122223333", "444455556666"
EVIL = "\x1b]0;pwned\x07[red]x[/] \u202e"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git command")


def allow(**more: object) -> dict[str, object]:
    root = {"AWS": f"arn:aws:iam::{OWNER}:root"}
    return {"Sid": "S", "Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*", **more}


def policy(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [allow(), *statements]}, indent=2)


PARTNER_USE = allow(Sid="Partner", Principal={"AWS": f"arn:aws:iam::{PARTNER}:root"}, Action="kms:Decrypt")
SAME, WIDER, PUBLIC = policy(), policy(PARTNER_USE), policy(allow(Sid="Open", Principal="*", Action="kms:Decrypt"))


def run(cwd: Path, *arguments: str, stdin: str = "", **more: str) -> Ran:
    program, path = command()
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("KMSLINT_", "GIT_")) and name != "FORCE_COLOR"
    }
    env = {**kept, **path, "HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd / "none"), **more}
    done = subprocess.run(
        [*program, *arguments], cwd=cwd, env=env, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def git(cwd: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout


def write(folder: Path, **files: str) -> None:
    for name, content in files.items():
        place = folder / name.replace("__", "/").replace("_json", ".json").replace("_tf", ".tf").replace("_toml", ".toml")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository whose `main` has two keys."""
    here = tmp_path / "repo"
    here.mkdir()
    git(here, "init", "-q", "-b", "main")
    write(here, keys__a_json=SAME, keys__b_json=SAME)
    git(here, "add", "-A")
    git(here, "commit", "-q", "-m", "keys")
    return here


def answers(ran: Ran) -> list[tuple[str, str, str]]:
    document = ran.report()
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return [(key["name"], key["change"], key["answer"]) for key in document["keys"]]


# files and folders


def test_two_files(tmp_path: Path) -> None:
    write(tmp_path, old_json=SAME, new_json=WIDER)
    ran = run(tmp_path, "diff", "old.json", "new.json")
    assert ran.code == 1
    assert ran.stdout.startswith(
        f"new.json: new access [cross-account]: account {PARTNER} may newly call kms:Decrypt\n  --> new.json:"
    )
    assert f"witness: `arn:aws:sts::{PARTNER}:assumed-role/" in ran.stdout
    back = run(tmp_path, "diff", "new.json", "old.json", "--removed")
    assert back.code == 0
    assert "no new access, proven: the policies allow less than before" in back.stdout
    assert f"lost access [cross-account]: account {PARTNER} may no longer call kms:Decrypt" in back.stdout


def test_a_witness_is_answered_the_same_by_ask(tmp_path: Path) -> None:
    write(tmp_path, old_json=SAME, new_json=WIDER)
    witness = run(tmp_path, "diff", "old.json", "new.json", "--format", "json").report()["keys"][0]["new"][0]["witness"]
    write(tmp_path, request_json=json.dumps(witness))
    decisions = [
        run(tmp_path, "ask", file, "--request", "request.json", "--account", OWNER, "--format", "json").report()["decision"]
        for file in ("old.json", "new.json")
    ]
    assert decisions == ["implicit_deny", "allow"]


@pytest.mark.parametrize(
    ("new", "gate", "code"),
    [
        (PUBLIC, "public", 1), (WIDER, "public", 0), (WIDER, "cross-account", 1), (WIDER, "any", 1), (SAME, "any", 0),
    ],
    ids=["public stops public", "public lets an account", "cross-account stops it", "any stops it", "nothing stops nothing"],
)  # fmt: skip
def test_the_gate(tmp_path: Path, new: str, gate: str, code: int) -> None:
    write(tmp_path, old_json=SAME, new_json=new)
    assert run(tmp_path, "diff", "old.json", "new.json", "--fail-on-new-access", gate).code == code
    assert run(tmp_path, "diff", "old.json", "new.json", "--fail-on-new-access", gate, "--exit-zero").code == 0


def test_two_folders_are_matched_by_path(tmp_path: Path) -> None:
    write(tmp_path, old__same_json=SAME, old__x__wider_json=SAME, old__gone_json=SAME)
    write(tmp_path, new__same_json=SAME, new__x__wider_json=WIDER, new__added_json=WIDER)
    ran = run(tmp_path, "diff", "old", "new", "--format", "json")
    assert answers(ran) == [
        ("new/added.json", "added", "new_access"),
        ("new/same.json", "changed", "no_new_access"),
        ("new/x/wider.json", "changed", "new_access"),
        ("old/gone.json", "removed", "no_new_access"),
    ]
    assert ran.code == 1


def test_one_side_may_be_standard_input(tmp_path: Path) -> None:
    write(tmp_path, old_json=SAME)
    assert run(tmp_path, "diff", "old.json", "-", stdin=WIDER).code == 1
    assert run(tmp_path, "diff", "-", "old.json", stdin=WIDER).code == 0
    assert run(tmp_path, "diff", "-", "-", stdin=WIDER).code == 2


TERRAFORM = """
variable "partner" {{ type = string }}
resource "aws_kms_key" "this" {{
  enable_key_rotation = {rotation}
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [
      {{ Sid = "Root", Effect = "Allow", Principal = {{ AWS = "arn:aws:iam::111122223333:root" }}, Action = "kms:*", Resource = "*" }},
      {{ Sid = "Use", Effect = "Allow", Principal = {{ AWS = {principals} }}, Action = {actions}, Resource = "*" }},
    ]
  }})
}}
"""


def terraform(principals: str = "[var.partner]", actions: str = '"kms:Decrypt"', rotation: str = "true") -> str:
    return TERRAFORM.format(principals=principals, actions=actions, rotation=rotation)


def test_code_against_code_with_an_open_value(tmp_path: Path) -> None:
    write(tmp_path, old__main_tf=terraform(), new__main_tf=terraform(rotation="false"))
    ran = run(tmp_path, "diff", "old", "new", "--format", "json")
    [key] = ran.report()["keys"]
    assert (ran.code, key["answer"], key["relation"]) == (0, "no_new_access", "identical")
    assert key["assumptions"][-1:] == ["`var.partner` stands for the same value before and after"]
    assert [(fact["name"], fact["old"], fact["new"], fact["worse"]) for fact in key["facts"]] == [
        ("rotation.enabled", True, False, True),
        *[(fact["name"], fact["old"], fact["new"], False) for fact in key["facts"][1:]],
    ]
    write(tmp_path, new__main_tf=terraform(principals=f'[var.partner, "arn:aws:iam::{PARTNER}:root"]', actions='"kms:*crypt"'))
    ran = run(tmp_path, "diff", "old", "new", "--format", "json", "--account", OWNER)
    [key] = ran.report()["keys"]
    assert (ran.code, key["answer"]) == (1, "new_access")
    assert ("cross-account", ["kms:Encrypt"]) in [(group["kind"], group["actions"]) for group in key["new"]]


def test_code_against_a_policy_text(tmp_path: Path) -> None:
    write(
        tmp_path, old_json=policy(PARTNER_USE | {"Sid": "Use"}), main_tf=terraform(principals=f'["arn:aws:iam::{PARTNER}:root"]')
    )
    ran = run(tmp_path, "diff", "old.json", "main.tf", "--account", OWNER, "--format", "json")
    assert (ran.code, answers(ran)) == (0, [("aws_kms_key.this", "changed", "no_new_access")])
    write(tmp_path, old_json=SAME)
    assert run(tmp_path, "diff", "old.json", "main.tf", "--account", OWNER).code == 1


# what cannot be read


def test_an_unreadable_side_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    write(tmp_path, old_json="{", new_json=SAME)
    ran = run(tmp_path, "diff", "old.json", "new.json")
    assert ran.code == 3
    assert ran.stderr.startswith("error: old.json:1:2")
    assert run(tmp_path, "diff", "missing.json", "new.json").code == 3
    write(tmp_path, old_json="{", new_json=WIDER)
    assert run(tmp_path, "diff", "old.json", "new.json").code == 1  # a key that nobody saw before: its access is new


@pytest.mark.parametrize(
    "arguments",
    [("one.json",), ("a", "b", "c"), (), ("a", "b", "--account", "1"), ("a", "b", "--base", "-"), ("-", "--base", "main")],
    ids=["one", "three", "none", "account", "no such revision", "stdin with base"],
)
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = run(tmp_path, "diff", *arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: ")


def test_an_open_question_is_exit_code_4_and_names_the_option(tmp_path: Path) -> None:
    bare = {"Version": "2012-10-17", "Statement": [PARTNER_USE | {"Action": "kms:DescribeKey"}]}
    more = {
        "Version": "2012-10-17",
        "Statement": [PARTNER_USE | {"Action": "kms:DescribeKey"}, PARTNER_USE | {"Action": "kms:EnableKey"}],
    }
    write(tmp_path, old_json=json.dumps(bare), new_json=json.dumps(more))
    ran = run(tmp_path, "diff", "old.json", "new.json")
    assert ran.code == 4
    assert "pass --account" in ran.stdout
    assert run(tmp_path, "diff", "old.json", "new.json", "--allow-undetermined").code == 0
    assert run(tmp_path, "diff", "old.json", "new.json", "--account", PARTNER).code == 1


def test_text_of_others_is_harmless(tmp_path: Path) -> None:
    write(
        tmp_path,
        old_json=SAME,
        new_json=policy(PARTNER_USE | {"Sid": EVIL, "Condition": {"StringLike": {"aws:UserAgent": EVIL}}}),
    )
    for color in ("never", "always"):
        ran = run(tmp_path, "diff", "old.json", "new.json", "--color", color)
        assert ran.code == 1
        assert "\x1b]" not in ran.stdout + ran.stderr
        assert "\u202e" not in ran.stdout + ran.stderr
        assert "[red]x[/]" in ran.stdout


def test_reports_go_to_files_too(tmp_path: Path) -> None:
    write(tmp_path, old_json=SAME, new_json=WIDER)
    ran = run(tmp_path, "diff", "old.json", "new.json", "--output", "json=out.json", "-q")
    assert json.loads((tmp_path / "out.json").read_text())["summary"]["new_access"] == 1
    assert ran.stdout.startswith("new.json: new access")


# a git revision


def test_the_working_tree_against_a_revision(repo: Path) -> None:
    assert run(repo, "diff", "--base", "main").code == 0
    write(repo, keys__b_json=WIDER, keys__c_json=SAME)
    (repo / "keys" / "a.json").unlink()
    ran = run(repo, "diff", "--base", "main", "--format", "json")
    assert ran.code == 1
    assert answers(ran) == [
        ("keys/b.json", "changed", "new_access"),
        ("keys/c.json", "added", "no_new_access"),
        ("main:keys/a.json", "removed", "no_new_access"),
    ]
    assert git(repo, "status", "--porcelain").splitlines() == [" D keys/a.json", " M keys/b.json", "?? keys/c.json"]


def test_paths_are_meant_from_where_one_stands(repo: Path) -> None:
    write(repo, keys__b_json=WIDER)
    assert run(repo / "keys", "diff", "--base", "main", "a.json").code == 0
    ran = run(repo / "keys", "diff", "--base", "main", "b.json")
    assert ran.code == 1
    assert "--> b.json:" in ran.stdout
    (repo / "keys" / "a.json").unlink()
    assert run(repo / "keys", "diff", "--base", "main", "a.json").code == 0
    assert run(repo / "keys", "diff", "--base", "main", "nowhere.json").code == 3
    assert run(repo / "keys", "diff", "--base", "main", "/").code == 2


def test_a_deny_that_is_gone_is_shown_where_it_was(repo: Path) -> None:
    outside = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    write(repo, keys__a_json=policy(PARTNER_USE, allow(Sid="Outside", Effect="Deny", Principal="*", Condition=outside)))
    git(repo, "commit", "-q", "-a", "-m", "deny")
    write(repo, keys__a_json=policy(PARTNER_USE))
    ran = run(repo, "diff", "--base", "HEAD", "keys")
    assert ran.code == 1
    assert "  --> HEAD:keys/a.json:" in ran.stdout
    assert "statement `Outside` denied it before" in ran.stdout
    assert '"aws:PrincipalOrgID"' in ran.stdout  # the lines of the old text are shown


def test_modules_of_a_revision_are_read_as_in_a_working_tree(repo: Path) -> None:
    call = 'module "key" {{\n  source = "../modules/key"\n  readers = {readers}\n}}\n'
    module = terraform("var.readers").replace(
        'variable "partner" { type = string }', 'variable "readers" { type = list(string) }'
    )
    assert "var.readers" in module
    write(repo, modules__key__main_tf=module, live__main_tf=call.format(readers=f'["arn:aws:iam::{OWNER}:root"]'))
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "modules")
    write(repo, live__main_tf=call.format(readers=f'["arn:aws:iam::{OWNER}:root", "arn:aws:iam::{PARTNER}:root"]'))
    ran = run(repo, "diff", "--base", "main", "live", "--format", "json")
    assert answers(ran) == [("module.key.aws_kms_key.this", "changed", "new_access")]
    assert "/kmslint-" not in ran.stdout


def test_a_revision_that_does_not_exist(repo: Path) -> None:
    for ref in ("nowhere", "--output=/x", "-x", "main:keys", ""):
        ran = run(repo, "diff", f"--base={ref}")
        assert (ran.code, ran.stdout) == (2, ""), ref
        assert "git knows no revision" in ran.stderr


def test_links_and_odd_names_of_a_revision(repo: Path) -> None:
    (repo / "keys" / "link.json").symlink_to("a.json")
    (repo / "keys" / "outside.json").symlink_to("/etc/hostname")
    (repo / "keys" / 'od"d\n\x1b.json').write_text(SAME)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "odd")
    (repo / "keys" / "outside.json").unlink()
    ran = run(repo, "diff", "--base", "main", "--format", "json")
    assert (ran.code, {answer for _, _, answer in answers(ran)}) == (0, {"no_new_access"})
    assert {change for _, change, _ in answers(ran)} == {"changed"}


def test_a_hostile_repository_runs_nothing(repo: Path) -> None:
    hook = repo / "hook"
    hook.write_text("#!/bin/sh\ntouch " + str(repo / "ran") + "\n")
    hook.chmod(0o755)
    git(repo, "config", "core.fsmonitor", str(hook))
    git(repo, "config", "core.pager", str(hook))
    git(repo, "config", "filter.x.smudge", str(hook))
    (repo / ".gitattributes").write_text("*.json filter=x\n")
    assert run(repo, "diff", "--base", "main").code == 0
    assert not (repo / "ran").exists()


def test_nothing_is_left_behind(repo: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    assert run(repo, "diff", "--base", "main", TMPDIR=str(temporary)).code == 0
    assert run(repo, "diff", "--base", "main", "/", TMPDIR=str(temporary)).code == 2
    assert list(temporary.iterdir()) == []


def test_the_python_function() -> None:
    diff: Callable[..., Any] = kmslint.diff
    change = diff(SAME, WIDER, account=OWNER)
    assert (change.answer, [access.gain.kind for access in change.gained]) == ("new_access", ["cross-account"])


def test_the_demonstration_prints_what_its_page_shows(tmp_path: Path) -> None:
    program, path = command()
    page = (ROOT / "docs" / "pull-request.md").read_text()
    script = ROOT / "examples" / "pull-request" / "demo.sh"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KMSLINT_", "GIT_"))}
    env = {**kept, **path, "KMSLINT": " ".join(program), "HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", str(script), str(tmp_path / "demo")], env=env, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip("\n") in page
    assert [line for line in done.stdout.splitlines() if line.startswith("exit code")] == ["exit code 0", *["exit code 1"] * 4]
