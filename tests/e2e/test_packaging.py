"""What is shipped, what is locked, and that the documents, the gate and the package say the same."""

import importlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import kmslint

EXPECT_WHEEL = os.environ.get("KMSLINT_EXPECT_WHEEL") == "1"
HEAVY = (
    "boto3",
    "botocore",
    "dataclasses",
    "importlib.metadata",
    "inspect",
    "logging",
    "pathlib",
    "policyuniverse",
    "rich",
    "tomllib",
    "yaml",
)
MACHINE = re.compile(
    r"file:|https?:|^--(?:extra-)?index-url|^--find-links|^--trusted-host|(?<![\w.])/(?:home|opt|root|tmp|work|usr)/"
)


def lock_names(text: str) -> dict[str, int]:
    """Each requirement of a lock and how many hashes it has."""
    found: dict[str, int] = {}
    name = ""
    for line in text.splitlines():
        if match := re.match(r"([a-z0-9-]+)==\S+", line):
            name = match[1]
            found[name] = 0
        elif line.strip().startswith("--hash=sha256:"):
            found[name] += 1
    return found


def canonical(requirement: str) -> str:
    """The normalised name in a requirement."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~\[; ]", requirement)[0]).lower()


def build(root: Path, target: str, folder: Path) -> Path:
    """The one distribution that hatchling makes of the checkout at `root`."""
    pytest.importorskip("hatchling", reason="hatchling (extra `test`) builds the distributions under test")
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(root, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(root, "sdist", tmp_path_factory.mktemp("sdist"))


def test_the_wheel_carries_package_compiled_rules_schema_and_types(wheel: Path, root: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        rules = archive.read("kmslint/_rules/rules.json").decode()
    modules = {path.relative_to(root).as_posix() for path in (root / "kmslint").rglob("*.py")}
    assert modules <= names
    assert {"kmslint/py.typed", "kmslint/schemas/report-1.json"} <= names
    assert {name.split("/")[0] for name in names} == {"kmslint", f"kmslint-{kmslint.__version__}.dist-info"}
    for folder in sorted((root / "rules").glob("*/rule.toml")):
        assert json.dumps(folder.parent.name) in rules


def test_building_writes_nothing_into_the_checkout(root: Path, tmp_path: Path) -> None:
    compiled = root / "kmslint" / "_rules" / "rules.json"
    before = compiled.stat().st_mtime_ns if compiled.exists() else None
    build(root, "wheel", tmp_path)
    assert (compiled.stat().st_mtime_ns if compiled.exists() else None) == before


def test_a_wheel_from_the_sdist_is_the_wheel_from_the_checkout(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    assert {"tests", "rules", "tools", "LICENSE", "README.md", "requirements.lock"} <= {path.name for path in source.iterdir()}
    again = build(source, "wheel", tmp_path / "out")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as two:
        assert [(info.filename, info.CRC) for info in one.infolist()] == [(info.filename, info.CRC) for info in two.infolist()]


def test_the_gate_tests_an_installed_wheel(root: Path) -> None:
    if not EXPECT_WHEEL:
        pytest.skip("only where KMSLINT_EXPECT_WHEEL=1, which .ci/run sets, must a wheel be under test")
    package = Path(kmslint.__file__).parent
    assert root not in package.parents
    assert (package / "_rules" / "rules.json").is_file()
    assert importlib.metadata.version("kmslint") == kmslint.__version__


def test_the_lock_holds_hashes_and_no_address(root: Path) -> None:
    text = (root / "requirements.lock").read_text()
    assert [line for line in text.splitlines() if MACHINE.search(line)] == []
    assert [name for name, hashes in lock_names(text).items() if hashes == 0] == []


@pytest.mark.parametrize(
    "line", ["--index-url https://x.example/simple", "kmslint @ file:///home/me/kmslint", "    # from /opt/wheels"]
)
def test_an_address_or_path_in_a_lock_would_be_seen(line: str) -> None:
    assert MACHINE.search(line)


def test_the_lock_has_every_requirement(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {canonical(line) for line in (*project["dependencies"], *extras["test"], *extras["dev"])}
    assert wanted - set(lock_names((root / "requirements.lock").read_text())) == set()


def test_the_changelog_begins_with_verdicts(root: Path) -> None:
    sections = re.findall(r"^### (.+)$", (root / "CHANGELOG.md").read_text().split("\n## ")[1], re.MULTILINE)
    order = ["Verdicts", "Breaking", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    assert sections == [name for name in order if name in sections]
    assert sections[0] == "Verdicts"


def test_the_readme_has_the_two_commands_that_set_up_and_test(root: Path) -> None:
    block = re.search(r"## Try it.*?```sh\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    assert block is not None
    first, second = block[1].splitlines()
    assert first.startswith("python3 -m venv .venv && .venv/bin/pip install -q '.[test]' && .venv/bin/kmslint check examples/")
    assert second == ".venv/bin/python -m pytest -q"


def test_every_variable_that_the_code_reads_is_in_the_table(root: Path) -> None:
    sources = [path for folder in ("kmslint", "tests", "bench", "tools") for path in (root / folder).rglob("*.py")]
    texts = [path.read_text() for path in sources]
    read = set().union(*(re.findall(r"environ(?:\.get\(|\[)\s*\"(KMSLINT_[A-Z_]+)\"", text) for text in texts))
    table = set(re.findall(r"^\| `(KMSLINT_[A-Z_]+)` \|", (root / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    assert read == table


def test_the_layers_drawn_are_the_layers_enforced(root: Path) -> None:
    (contract, _) = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    drawn = re.search(r"^cli → .*$", (root / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert drawn is not None
    enforced = [re.sub(r"kmslint\.|[() ]", "", layer) for layer in contract["layers"]]
    assert [re.sub(r"[() ]", "", layer) for layer in drawn[0].split("→")] == enforced


def test_no_file_names_the_machine_it_was_written_on(root: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    place = str(root.parent)
    if len(place) < len("/work"):
        pytest.skip("the checkout stands at the root of the file system")
    texts = {name: (root / name).read_bytes() for name in listed.stdout.split("\0") if name and (root / name).is_file()}
    assert [name for name, text in texts.items() if f"{place}/".encode() in text] == []


def started_modules(*arguments: str) -> set[str]:
    """The modules in memory after `kmslint` ran with `arguments`."""
    code = "import sys; from kmslint.cli.main import main; main(sys.argv[1:]); sys.stderr.write('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    return set(done.stderr.splitlines()[-1].split())


def test_a_start_imports_nothing_heavy(root: Path) -> None:
    modules = started_modules("check", str(root / "examples" / "policy.json"), "--format", "json", "--no-config")
    assert "kmslint.reason.query" in modules
    already = set(
        subprocess.run(
            [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    allowed = already | (set() if EXPECT_WHEEL else {"tomllib"})  # a checkout reads the rule folders
    assert sorted(modules.intersection(HEAVY) - allowed) == []


@pytest.mark.parametrize(
    "arguments", [["cold.py", "--runs", "1"], ["growth.py", "--rounds", "1"], ["questions.py", "--rounds", "1"]]
)
def test_a_benchmark_runs(arguments: list[str], root: Path) -> None:
    script, *rest = arguments
    done = subprocess.run(
        [sys.executable, str(root / "bench" / script), *rest], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
