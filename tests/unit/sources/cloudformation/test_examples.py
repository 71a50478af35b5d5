"""The examples point at the lines that they are about."""

from pathlib import Path

from kmslint.app import load_rules, report_on
from kmslint.model.result import Outcome
from kmslint.model.settings import Settings
from kmslint.sources.files import collect


def findings(root: Path, folder: str) -> set[tuple[str, str, int | None, int | None]]:
    """(rule, file, line, column) of each finding above `low`."""
    found = collect([str(root / "examples" / folder)], settings=Settings())
    report = report_on(found, rules=load_rules(), settings=Settings(), as_of="2026-11-24T00:00:00Z")
    assert report.errors == ()
    return {
        (result.rule, Path(str(place.file)).name, place.line, place.column)
        for result in report.results
        if result.outcome is Outcome.FAIL and result.severity in {"medium", "high", "critical"}
        for place in result.locations[:1]
    }


def written(path: Path, line: int | None, column: int | None) -> str:
    return path.read_text(encoding="utf-8").splitlines()[(line or 0) - 1][(column or 0) - 1 :]


def test_cloudformation_points_at_the_template(root: Path) -> None:
    path = root / "examples" / "cloudformation" / "key.yaml"
    shown = {(rule, written(path, line, column)) for rule, _, line, column in findings(root, "cloudformation")}
    assert shown >= {
        ("rotation-disabled", "!If [IsProd, true, false]"),
        ("short-deletion-window", "!If [IsProd, 30, 7]"),
        ("confused-deputy", "Sid: LogsOfAnyAccount"),
    }


def test_cdk_points_at_the_code(root: Path) -> None:
    found = findings(root, "cdk")
    path = root / "examples" / "cdk" / "app.ts"
    assert {name for _, name, _, _ in found} == {"app.ts"}
    assert {written(path, line, column).split("(")[0] for _, _, line, column in found} == {"new Key"}
    assert {rule for rule, *_ in found} >= {"public-access", "rotation-disabled"}
