"""`--trusted-ref`: a change cannot weaken the gate that judges it, and is told what it would have changed."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Ran
from tests.e2e.test_diff import OWNER, PARTNER, PARTNER_USE, SAME, allow, git, policy, run, write

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git command")

OPEN = policy(allow(Sid="Open", Principal="*", Action="kms:Decrypt"))
CONFIG = f'account = "{OWNER}"\n'
SUPPRESS = '[[suppress]]\nrule = "public-access"\nwhere = "keys/*"\nreason = "because"\nowner = "me"\nuntil = "2027-01-01"\n'
RULE = """
id = "house-rule"
title = "Key policy lets the root of the partner decrypt"
severity = "high"
needs = ["policy"]
since = "0.1.0"

[[forbid]]
message = "{{witness.principal}} may call {{witness.action}}"
Principal = {{ AWS = "arn:aws:iam::{account}:root" }}
Action = "kms:Decrypt"
"""
PAGE = (
    "# house-rule\n\n## What it checks\nx\n\n## Why it matters\nx\n\n## When it is silent\nx\n\n## Fix\nx\n\n## References\nx\n"
)
FEW = ("--select", "public-access,unbounded-wildcard", "--as-of", "2026-11-24")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository whose `main` has a configuration and a key."""
    here = tmp_path / "repo"
    here.mkdir()
    git(here, "init", "-q", "-b", "main")
    write(here, kmslint_toml=CONFIG, keys__a_json=SAME)
    git(here, "add", "-A")
    git(here, "commit", "-q", "-m", "keys")
    return here


def check(cwd: Path, *arguments: str, trusted: bool = True) -> Ran:
    return run(cwd, "check", "keys", *FEW, *(("--trusted-ref", "main") if trusted else ()), *arguments)


def test_a_change_cannot_suppress_its_own_finding(repo: Path) -> None:
    write(repo, kmslint_toml=CONFIG + 'fail_on = "critical"\n' + SUPPRESS, keys__a_json=OPEN)
    assert check(repo, trusted=False).code == 0
    ran = check(repo)
    assert ran.code == 1
    assert "public-access [critical]" in ran.stdout
    for told in (
        '`fail_on` is "medium" as `main` has it; "critical", as the working tree has it, is not used',
        "a suppression that `main` does not have is not used: `public-access` at `keys/*` until 2027-01-01 (me: because)",
        "the working tree would have hidden public-access [critical] at keys/a.json",
    ):
        assert told in ran.stdout
        assert told in ran.stderr


def test_an_unchanged_gate_is_not_spoken_of(repo: Path) -> None:
    write(repo, keys__a_json=OPEN)
    ran, plain = check(repo), check(repo, trusted=False)
    assert (ran.code, ran.stdout) == (plain.code, plain.stdout)
    assert ran.code == 1


def test_a_change_may_tighten_the_gate_and_is_told_that_it_does_not_count_yet(repo: Path) -> None:
    write(repo, kmslint_toml=CONFIG + SUPPRESS, keys__a_json=OPEN)
    git(repo, "commit", "-q", "-a", "-m", "suppressed")
    write(repo, kmslint_toml=CONFIG)
    ran = check(repo, "--select", "public-access")
    assert "a suppression of `main` that the working tree does not have is used" in ran.stdout


def test_a_change_cannot_remove_break_or_shadow_the_configuration(repo: Path) -> None:
    write(repo, kmslint_toml=CONFIG + 'fail_on = "low"\n')
    git(repo, "commit", "-q", "-a", "-m", "strict")
    write(repo, keys__a_json=OPEN)
    strict = check(repo)
    (repo / "kmslint.toml").unlink()
    assert check(repo).code == strict.code == 1
    write(repo, kmslint_toml="not TOML [")
    ran = check(repo)
    assert ran.code == 1
    assert "the configuration of the working tree is not used, and could not be: " in ran.stdout
    git(repo, "checkout", "-q", "kmslint.toml")
    write(repo, keys__kmslint_toml='fail_on = "never"\n')
    ran = run(repo / "keys", "check", "a.json", *FEW, "--trusted-ref", "main")
    assert ran.code == 1
    assert '`fail_on` is "low" as `main` has it; "never", as the working tree has it, is not used' in ran.stdout


def test_a_named_configuration_is_the_one_of_the_revision(repo: Path) -> None:
    write(repo, ci__gate_toml=CONFIG)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "gate")
    write(repo, ci__gate_toml=CONFIG + 'fail_on = "never"\n', keys__a_json=OPEN)
    assert check(repo, "--config", "ci/gate.toml", trusted=False).code == 0
    assert check(repo, "--config", "ci/gate.toml").code == 1
    write(repo, ci__new_toml=CONFIG)
    ran = check(repo, "--config", "ci/new.toml")
    assert (ran.code, ran.stdout) == (2, "")
    assert "`--config ci/new.toml` is not in `main`" in ran.stderr


def test_a_configuration_outside_the_repository_is_read_as_it_is(repo: Path) -> None:
    write(repo.parent, gate_toml=CONFIG + 'fail_on = "never"\n')
    write(repo, keys__a_json=OPEN)
    assert check(repo, "--config", "../gate.toml").code == 0


def test_an_error_names_the_file_of_the_revision(repo: Path) -> None:
    write(repo, kmslint_toml="fail_onn = 1\n")
    git(repo, "commit", "-q", "-a", "-m", "broken")
    write(repo, kmslint_toml=CONFIG)
    ran = check(repo)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: main:kmslint.toml:1: unknown key `fail_onn`")


def test_globs_of_accounts_are_meant_in_the_working_tree(repo: Path) -> None:
    write(repo, kmslint_toml=f'[[accounts]]\npath = "keys/*"\naccount = "{OWNER}"\n')
    git(repo, "commit", "-q", "-a", "-m", "accounts")
    write(repo, kmslint_toml=f'[[accounts]]\npath = "keys/*"\naccount = "{PARTNER}"\n')
    ran = check(repo, "--format", "json")
    assert [(key["account"], key["account_source"]) for key in ran.report()["keys"]] == [(OWNER, "configured")]


def test_a_change_cannot_add_to_its_baseline(repo: Path) -> None:
    assert check(repo, "--write-baseline", "baseline.json", trusted=False).code == 0
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "baseline")
    write(repo, keys__a_json=OPEN)
    assert check(repo, "--write-baseline", "baseline.json", trusted=False).code == 1
    assert check(repo, "--baseline", "baseline.json", trusted=False).code == 0
    ran = check(repo, "--baseline", "baseline.json")
    assert ran.code == 1
    assert "`baseline.json` is changed in the working tree; what `main` has is used" in ran.stdout
    assert "the working tree would have hidden public-access [critical] at keys/a.json" in ran.stdout
    assert "/kmslint-" not in ran.stdout + ran.stderr


def test_a_change_cannot_bend_a_rule_of_the_house(repo: Path) -> None:
    write(repo, house__house_rule_toml="")
    shutil.rmtree(repo / "house")
    folder = repo / "house" / "house-rule"
    folder.mkdir(parents=True)
    (folder / "rule.toml").write_text(RULE.format(account=PARTNER))
    (folder / "rule.md").write_text(PAGE)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "rule")
    (folder / "rule.toml").write_text(RULE.format(account="999999999999"))
    write(repo, keys__a_json=policy(PARTNER_USE))
    asked = ("check", "keys", "--rules", "house", "--select", "house-rule", "--as-of", "2026-11-24")
    assert run(repo, *asked).code == 0
    ran = run(repo, *asked, "--trusted-ref", "main")
    assert ran.code == 1
    assert "`house/house-rule/rule.toml` is changed in the working tree; what `main` has is used" in ran.stdout
    assert "the working tree would have hidden house-rule [high] at keys/a.json" in ran.stdout
    assert "/kmslint-" not in ran.stdout + ran.stderr


def test_diff_takes_the_owner_from_the_revision(repo: Path) -> None:
    bare = json.dumps({"Version": "2012-10-17", "Statement": [PARTNER_USE]})
    more = json.dumps({"Version": "2012-10-17", "Statement": [PARTNER_USE | {"Action": ["kms:Decrypt", "kms:EnableKey"]}]})
    write(repo, keys__a_json=bare)
    git(repo, "commit", "-q", "-a", "-m", "bare")
    write(repo, keys__a_json=more, kmslint_toml=f'account = "{PARTNER}"\n')
    ran = run(repo, "diff", "--base", "main", "--trusted-ref", "main", "--format", "json")
    assert ran.report()["keys"][0]["account"] == OWNER
    assert ran.report()["notes"] == [
        f'`account` is "{OWNER}" as `main` has it; "{PARTNER}", as the working tree has it, is not used'
    ]
    assert run(repo, "diff", "--base", "main", "--format", "json").report()["keys"][0]["account"] == PARTNER


@pytest.mark.parametrize("ref", ["nowhere", "--help", "", "HEAD:keys"])
def test_a_revision_that_is_none(repo: Path, ref: str) -> None:
    ran = run(repo, "check", "keys", f"--trusted-ref={ref}")
    assert (ran.code, ran.stdout) == (2, "")
    assert f"git knows no revision `{ref}`" in ran.stderr


@pytest.mark.parametrize("asked", [("scan", "--all"), ("diff", "keys", "keys")], ids=["scan", "diff"])
def test_every_gate_takes_it(repo: Path, asked: tuple[str, ...]) -> None:
    ran = run(repo, *asked, "--trusted-ref", "nowhere")
    assert (ran.code, ran.stdout) == (2, "")
    assert "git knows no revision `nowhere`" in ran.stderr
    write(repo, kmslint_toml="fail_onn = 1\n")
    git(repo, "commit", "-q", "-a", "-m", "broken")
    write(repo, kmslint_toml=CONFIG)
    ran = run(repo, *asked, "--trusted-ref", "main")
    assert ran.stderr.startswith("error: main:kmslint.toml:1: unknown key `fail_onn`")


def test_outside_a_repository_there_is_nothing_to_trust(tmp_path: Path) -> None:
    write(tmp_path, a_json=SAME)
    ran = run(tmp_path, "check", "a.json", "--trusted-ref", "main")
    assert (ran.code, ran.stdout) == (2, "")
    assert "is in no git repository" in ran.stderr
