"""Rules of a user's own: the recipe of docs/own-rules.md as it stands there, and what else a folder of rules may do."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, command

PAGE = ROOT / "docs" / "own-rules.md"
OWNER = "111122223333"
NAME = "deletion-without-mfa"

if not PAGE.is_file():
    pytest.skip("the documentation is no part of this copy", allow_module_level=True)

RECIPE = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[0]


def allow(*, with_mfa: bool) -> dict[str, Any]:
    return {
        "Sid": "Deletion",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OWNER}:role/Admin"},
        "Action": "kms:ScheduleKeyDeletion",
        "Resource": "*",
        **({"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}} if with_mfa else {}),
    }


def write_policy(folder: Path, *, with_mfa: bool) -> None:
    owner = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"},
        "Action": ["kms:GetKeyPolicy", "kms:PutKeyPolicy"],
        "Resource": "*",
    }
    document = {"Version": "2012-10-17", "Statement": [owner, allow(with_mfa=with_mfa)]}
    (folder / "policy.json").write_text(json.dumps(document), encoding="utf-8")


def environment(folder: Path) -> Mapping[str, str]:
    """`kmslint` is found, whether it is installed or run from the checkout."""
    words, more = command()
    shim = folder / "bin" / "kmslint"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    path = os.pathsep.join([str(shim.parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, **more, "PATH": path, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


def run(folder: Path, *words: str, script: str | None = None) -> subprocess.CompletedProcess[str]:
    arguments = ["sh", "-e", "-c", script] if script is not None else ["kmslint", *words]
    return subprocess.run(arguments, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which the recipe has been followed on a policy that its rule does not like."""
    write_policy(tmp_path, with_mfa=False)
    done = run(tmp_path, script=RECIPE)
    assert done.returncode == 1, done.stderr
    assert f"{NAME} [high]: `arn:aws:sts::{OWNER}:assumed-role/Admin/session` may call `kms:ScheduleKeyDeletion`" in done.stdout
    return tmp_path


def results(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    return [(result["rule"], result["outcome"]) for result in json.loads(done.stdout)["results"]]


def test_the_recipe_is_under_fifteen_lines() -> None:
    assert len(RECIPE.splitlines()) < 15


def test_the_rule_passes_where_it_should_and_stands_beside_the_others(folder: Path) -> None:
    write_policy(folder, with_mfa=True)
    one = run(folder, "check", "policy.json", "--rules", "rules", "--select", NAME, "--account", OWNER, "--format", "json")
    assert (one.returncode, results(one)) == (0, [(NAME, "PASS")])
    all_rules = run(folder, "check", "policy.json", "--rules", "rules", "--account", OWNER, "--format", "json", "--exit-zero")
    names = {rule for rule, _ in results(all_rules)}
    assert {NAME, "public-access"} <= names
    without = run(folder, "check", "policy.json", "--account", OWNER, "--format", "json", "--exit-zero")
    assert {rule for rule, _ in results(without)} == names - {NAME}


def test_the_rule_is_listed_and_its_page_is_shown(folder: Path) -> None:
    listed = run(folder, "rules", "--rules", "rules", "--format", "json")
    assert NAME in [rule["id"] for rule in json.loads(listed.stdout)]
    missing = run(folder, "explain", NAME, "--rules", "rules")
    assert (missing.returncode, "every rule has a page rule.md" in missing.stderr) == (2, True)
    (folder / "rules" / NAME / "rule.md").write_text(f"# {NAME}\n\n## Fix\n\nAsk for \x1b[31mMFA.\n", encoding="utf-8")
    page = run(folder, "explain", NAME, "--rules", "rules")
    assert page.returncode == 0
    assert "\x1b" not in page.stdout
    assert "MFA." in page.stdout


def test_a_wrong_word_is_an_error_with_its_file_and_the_nearest_word(folder: Path) -> None:
    file = folder / "rules" / NAME / "rule.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("severity", "severty"), encoding="utf-8")
    done = run(folder, "check", "policy.json", "--rules", "rules")
    assert done.returncode == 2
    assert f"rules/{NAME}/rule.toml: unknown key `severty`" in done.stderr
    assert "did you mean `severity`?" in done.stderr


def test_a_rule_may_not_take_the_id_of_another(folder: Path) -> None:
    (folder / "rules" / NAME).rename(folder / "rules" / "public-access")
    file = folder / "rules" / "public-access" / "rule.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(NAME, "public-access"), encoding="utf-8")
    done = run(folder, "check", "policy.json", "--rules", "rules")
    assert (done.returncode, "`public-access` is already the id in" in done.stderr) == (2, True)


def test_a_framework_of_ones_own_groups_the_report(folder: Path) -> None:
    (folder / "rules" / "frameworks").mkdir()
    (folder / "rules" / "frameworks" / "house.toml").write_text(
        'id = "house"\ntitle = "House rules"\n[[controls]]\nid = "1"\ntitle = "Deletion"\nmanual = "the approval"\n',
        encoding="utf-8",
    )
    file = folder / "rules" / NAME / "rule.toml"
    with file.open("a", encoding="utf-8") as stream:
        stream.write('[[controls]]\nid = "house/1"\nwhy = "two factors before anything is lost"\n')
    done = run(folder, "check", "policy.json", "--rules", "rules", "--framework", "house", "--account", OWNER)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = lines.index("  HOUSE 1 Deletion")
    assert lines[at + 1].startswith(f"    {NAME}: FAIL [high]: ")
    assert lines[at + 2] == "    MANUAL: attach the approval"
    unknown = run(folder, "check", "policy.json", "--rules", "rules", "--framework", "hous")
    assert (unknown.returncode, "did you mean `house`?" in unknown.stderr) == (2, True)
