import os
import subprocess
from pathlib import Path

import pytest
import yaml

from kmslint import __version__
from kmslint.cli.init import CODEOWNERS, WORKFLOW
from kmslint.config import read_settings
from tests.e2e.conftest import Ran, command


def init(folder: Path, *arguments: str) -> Ran:
    program, path = command()
    done = subprocess.run(
        [*program, "init", *arguments],
        cwd=folder, env={**os.environ, **path}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def files(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*")) if file.is_file()
    }


def test_an_empty_repository_gets_everything(tmp_path: Path) -> None:
    done = init(tmp_path, "--account", "111122223333", "--owner", "@example/security")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == (f"wrote kmslint.toml\nwrote {WORKFLOW}\nwrote .pre-commit-config.yaml\nwrote .github/CODEOWNERS\n")
    assert sorted(files(tmp_path)) == [".github/CODEOWNERS", WORKFLOW, ".pre-commit-config.yaml", "kmslint.toml"]


def test_what_is_written_is_what_its_readers_expect(tmp_path: Path) -> None:
    init(tmp_path, "--account", "111122223333", "--owner", "@example/security")
    settings = read_settings(str(tmp_path / "kmslint.toml"), today="2026-11-24")
    assert (settings.account, settings.fail_on, settings.trusted_accounts) == ("111122223333", "medium", ())
    workflow = yaml.safe_load((tmp_path / WORKFLOW).read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert all(len(step["uses"].partition("@")[2]) == 40 for step in job["steps"] if "uses" in step)
    assert [step["run"].endswith(f"kmslint=={__version__}") for step in job["steps"] if "run" in step] == [True, False]
    assert not any("${{" in step.get("run", "") for step in job["steps"])
    (repo,) = yaml.safe_load((tmp_path / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    (hook,) = repo["hooks"]
    assert (hook["id"], hook["pass_filenames"], hook["additional_dependencies"]) == (
        "kmslint",
        False,
        [f"kmslint=={__version__}"],
    )
    owners = (tmp_path / ".github" / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    assert [line.split() for line in owners][:2] == [
        ["/kmslint.toml", "@example/security"],
        ["/kmslint-baseline.json", "@example/security"],
    ]


def test_the_written_configuration_is_the_one_that_check_reads(tmp_path: Path) -> None:
    init(tmp_path)
    program, path = command()
    done = subprocess.run(
        [*program, "check", ".", "--allow-empty"],
        cwd=tmp_path, env={**os.environ, **path}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_there_is_kept_byte_for_byte(tmp_path: Path) -> None:
    init(tmp_path, "--owner", "@example/security")
    before = files(tmp_path)
    again = init(tmp_path, "--owner", "@example/others", "--account", "111122223333")
    assert again.stdout == f"kept kmslint.toml\nkept {WORKFLOW}\nkept .pre-commit-config.yaml\nkept .github/CODEOWNERS\n"
    assert files(tmp_path) == before


def test_files_of_others_are_not_edited_but_told_what_to_add(tmp_path: Path) -> None:
    (tmp_path / ".pre-commit-config.yaml").write_text("repos: []\n")
    (tmp_path / ".gitlab-ci.yml").write_text("stages: [test]\n")
    (tmp_path / "pyproject.toml").write_text("[tool.kmslint]\nstrict = true\n")
    (tmp_path / "CODEOWNERS").write_text("* @example/all")
    before = files(tmp_path)
    done = init(tmp_path)
    assert files(tmp_path) == before
    assert "kept pyproject.toml, which holds [tool.kmslint]\n" in done.stdout
    assert "add to .gitlab-ci.yml:\n    kmslint:\n" in done.stdout
    assert "add to .pre-commit-config.yaml:\n      - repo: local\n" in done.stdout
    assert "add to CODEOWNERS, or pass --owner:\n    /kmslint.toml" in done.stdout
    init(tmp_path, "--owner", "security@example.com")
    owners = (tmp_path / "CODEOWNERS").read_text().splitlines()
    assert owners[0] == "* @example/all"
    assert owners[1].split() == ["/kmslint.toml", "security@example.com"]


@pytest.mark.parametrize("name", CODEOWNERS)
def test_the_file_of_owners_that_is_there_is_the_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    assert f"added to {name}:\n" in init(tmp_path, "--owner", "@a/b").stdout


def test_no_job_is_written_where_none_is_wanted(tmp_path: Path) -> None:
    init(tmp_path, "--ci", "none")
    assert sorted(files(tmp_path)) == [".pre-commit-config.yaml", "kmslint.toml"]
    init(tmp_path, "--ci", "gitlab")
    assert yaml.safe_load((tmp_path / ".gitlab-ci.yml").read_text())["kmslint"]["artifacts"]["reports"]["codequality"]


@pytest.mark.parametrize("owner", ["", "nobody", "@a b", "@a\n* @evil", "-x", "@a/b #"])
def test_an_owner_is_one_word(tmp_path: Path, owner: str) -> None:
    done = init(tmp_path, f"--owner={owner}")
    assert done.code == 2
    assert files(tmp_path) == {}


def test_a_folder_that_is_none_or_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert init(tmp_path, "nowhere").code == 2
    (tmp_path / ".github").write_text("a file")
    done = init(tmp_path)
    assert done.code == 2
    assert "cannot be written" in done.stderr


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kmslint.toml").symlink_to(tmp_path / "elsewhere")
    assert "kept kmslint.toml\n" in init(tmp_path).stdout
    assert not (tmp_path / "elsewhere").exists()
