"""The files that put kmslint into other people's gates, as far as they run here."""

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kmslint import __version__
from tests.e2e.conftest import command

PUBLIC = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]}'
CLOSED = (
    '{"Version": "2012-10-17", "Statement": [{"Sid": "Owner", "Effect": "Allow", '
    '"Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]}'
)


def action(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / "action.yml").read_text(encoding="utf-8"))
    return found


def run_action(root: Path, folder: Path, **inputs: str) -> tuple[int, str, str]:
    """The exit code, output and job summary of the action's Check step, run in `folder` as the runner runs it."""
    program, path = command()
    temp = folder / "runner"
    (temp / "kmslint" / "bin").mkdir(parents=True, exist_ok=True)
    installed = temp / "kmslint" / "bin" / "kmslint"
    installed.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in program) + ' "$@"\n')
    installed.chmod(installed.stat().st_mode | stat.S_IXUSR)
    step = action(root)["runs"]["steps"][1]
    declared = action(root)["inputs"]
    given = {name: inputs.get(name.replace("-", "_"), one["default"]) for name, one in declared.items()}
    env = {name: given[value.removeprefix("${{ inputs.").removesuffix(" }}")] for name, value in step["env"].items()}
    assert len(env) == len(declared)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, **path, **env, "RUNNER_TEMP": str(temp), "GITHUB_OUTPUT": str(folder / "output"),
             "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "summary")},
    )  # fmt: skip
    assert (folder / "output").read_text().splitlines()[-1] == f"exit-code={done.returncode}"
    return done.returncode, done.stdout, (folder / "summary").read_text()


def test_the_action_fails_on_a_finding_and_passes_without(root: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(PUBLIC)
    code, printed, summary = run_action(root, tmp_path, paths="policy.json\n", account="111122223333", sarif_file="k.sarif")
    assert code == 1
    assert "::error file=policy.json,line=1," in printed
    assert summary.startswith("## ❌ kmslint")
    assert json.loads((tmp_path / "k.sarif").read_text())["version"] == "2.1.0"
    (tmp_path / "policy.json").write_text(CLOSED)
    assert run_action(root, tmp_path, paths="policy.json", arguments="--allow-undetermined\n-v")[0] == 0
    (tmp_path / "policy.json").write_text(PUBLIC)
    assert run_action(root, tmp_path, paths="policy.json", fail_on="never", arguments="--allow-undetermined")[0] == 0


@pytest.mark.parametrize("text", ["$(touch pwned)", "`touch pwned`", "; touch pwned", '" && touch pwned', "*", "a b.json"])
def test_an_input_is_a_word_and_no_script(root: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "policy.json").write_text(CLOSED)
    for name in ("paths", "account", "fail_on", "baseline"):
        with_one = {"paths": "policy.json"} | {name: text}
        assert run_action_anyway(root, tmp_path, **with_one) in {2, 3}
        assert not (tmp_path / "pwned").exists()


def run_action_anyway(root: Path, folder: Path, **inputs: str) -> int:
    (folder / "summary").write_text("")
    return run_action(root, folder, **inputs)[0]


def test_a_path_is_never_an_option(root: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(PUBLIC)
    assert run_action_anyway(root, tmp_path, paths="policy.json\n--exit-zero", account="111122223333") == 1


def test_no_script_of_the_action_holds_an_expression(root: Path) -> None:
    steps = action(root)["runs"]["steps"]
    assert all("${{" not in step["run"] for step in steps)
    assert all("uses" not in step for step in steps)


def test_a_summary_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(CLOSED)
    program, path = command()
    codes = []
    for summary in (tmp_path / "missing" / "summary", tmp_path / "summary"):
        done = subprocess.run(
            [*program, "check", "policy.json", "--account", "111122223333", "--allow-undetermined"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, **path, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)},
        )  # fmt: skip
        codes.append((done.returncode, done.stderr))
    assert codes == [(0, "warning: the job summary cannot be written: No such file or directory\n"), (0, "")]
    assert (tmp_path / "summary").read_text().startswith("## ✅ kmslint")


def test_the_hook_checks_the_repository(root: Path, tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    program, path = command()
    assert hook["entry"].split()[0] == "kmslint"
    codes = []
    for text in (None, CLOSED, PUBLIC):
        if text is not None:
            (tmp_path / "policy.json").write_text(text)
        done = subprocess.run(
            [*program, *hook["entry"].split()[1:], *hook["args"]],
            cwd=tmp_path, env={**os.environ, **path}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        codes.append(done.returncode)
    assert codes == [0, 0, 1]


def test_the_gitlab_job_writes_what_it_declares(root: Path, tmp_path: Path) -> None:
    job = yaml.safe_load((root / "docs" / "gitlab-ci.yml").read_text(encoding="utf-8"))["kmslint"]
    assert job["variables"]["KMSLINT_VERSION"] == __version__
    (tmp_path / "policy.json").write_text(PUBLIC)
    program, path = command()
    (script,) = job["script"]
    done = subprocess.run(
        [*program, *script.split()[1:]],
        cwd=tmp_path, env={**os.environ, **path}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    declared = {*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()}
    assert {file.name for file in tmp_path.iterdir()} == {"policy.json"} | declared


def test_a_baseline_through_the_command_line(tmp_path: Path) -> None:
    program, path = command()

    def check(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [*program, "check", "policy.json", "--account", "111122223333", "-q", "--format", "concise", *arguments],
            cwd=tmp_path, env={**os.environ, **path}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stderr

    (tmp_path / "policy.json").write_text(PUBLIC)
    assert check("--write-baseline", "b.json")[0] == 1
    assert check("--baseline", "b.json") == (0, "")
    (tmp_path / "policy.json").write_text(PUBLIC.replace("Decrypt", "Encrypt"))
    assert check("--baseline", "b.json")[0] == 1
    (tmp_path / "policy.json").write_text("\n\n" + PUBLIC.replace('"kms:Decrypt"', '[\n"kms:Decrypt"]'))
    assert check("--baseline", "b.json")[0] == 0
    assert check("--baseline", "none.json")[0] == 2
    assert check("--write-baseline", "b.json", "--output", "json=b.json")[0] == 2
