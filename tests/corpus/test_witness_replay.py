"""Each finding with a witness, over real inputs: `kmslint ask --request` on that witness says what the finding says.

And the findings are the same, byte for byte, under different hash seeds. Small by default; KMSLINT_CASES makes it bigger
(500 and more: every finding of every folder).
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kmslint.cli.main import main
from tests.e2e.conftest import command

CASES = int(os.environ.get("KMSLINT_CASES", "60"))
FOLDERS = ("json", "plan") if CASES < 500 else ("json", "plan", "cfn", "json_other", "json_fragments")
REFUSED = frozenset({"network-condition-blocks-services"})
"""Rules whose witness is a request that should be allowed and is not."""
AS_OF = "2026-11-24"
STANDS_FOR = re.compile(r"the owner account of the key is not known; in the request, (\d{12}) stands for it")


def report_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    main(["check", str(folder), "--format", "json", "--no-config", "--as-of", AS_OF, "--allow-empty", "-q"])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def witnessed(report: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(key, result) for each finding with a witness on a key that its place names: variants of one resource share a place."""
    keys = {key["id"]: key for key in report["keys"]}
    places = [place(key) for key in report["keys"]]
    findings = [(keys[one["key"]], one) for one in report["results"] if one["witness"] is not None and one["outcome"] == "FAIL"]
    return [(key, result) for key, result in findings if places.count(place(key)) == 1]


def place(key: dict[str, Any]) -> str:
    return f"{key['source']['file']}:{key['source']['line']}"


def owner(key: dict[str, Any], result: dict[str, Any]) -> Iterator[str]:
    """The options that say whose key it is, as the report says it."""
    if key["arn"]:
        yield from ("--key", key["arn"])
    elif key["account"]:
        yield from ("--account", key["account"])
    else:
        for assumption in result["assumptions"]:
            stand_in = STANDS_FOR.search(assumption)
            if stand_in:
                yield from ("--account", stand_in[1])


@pytest.mark.parametrize("folder", FOLDERS)
def test_ask_says_what_the_finding_says(folder: str, shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    findings = witnessed(report_on(shared / "corpus" / folder, capsys))
    asked = findings[:: max(1, len(findings) // CASES)] if CASES < 500 else findings
    wrong = []
    for key, result in asked:
        (tmp_path / "witness.json").write_text(json.dumps(result["witness"]), encoding="utf-8")
        arguments = [
            "ask",
            place(key),
            "--request",
            str(tmp_path / "witness.json"),
            *owner(key, result),
        ]
        code = main([*arguments, "--format", "json", "--no-config"])
        told = capsys.readouterr()
        if told.out == "" or (json.loads(told.out)["decision"] == "allow", code) != (
            result["rule"] not in REFUSED,
            int(result["rule"] in REFUSED),
        ):
            wrong.append((result["rule"], key["source"]["file"], result["witness"], told.out or told.err))
    assert wrong == []
    assert asked or folder not in {"json", "plan"}


def test_findings_do_not_depend_on_the_hash_seed(shared: Path, tmp_path: Path) -> None:
    files = sorted((shared / "corpus" / "json").iterdir())
    chosen = files[:: max(1, len(files) * 8 // CASES)]
    program, more = command()
    runs = [
        subprocess.run(
            [*program, "check", *map(str, chosen), "--format", "json", "--no-config", "--as-of", AS_OF],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONHASHSEED": seed, **more},
            capture_output=True,
            timeout=300,
            check=False,
        )
        for seed in ("0", "1", "4711")
    ]
    assert runs[0].stdout == runs[1].stdout == runs[2].stdout
    assert runs[0].stderr == runs[1].stderr == runs[2].stderr
    report = json.loads(runs[0].stdout)
    assert report["keys"]
    assert witnessed(report)
