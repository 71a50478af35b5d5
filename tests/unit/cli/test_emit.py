import io
import os
import stat
import threading
from pathlib import Path

import pytest

from kmslint.cli.emit import emit, wants_color, write_atomically
from kmslint.cli.options import Parser, add_shared, read_shared
from kmslint.errors import UsageError
from tests.unit.reporters.reports import empty, full, hostile


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "terminal", "environ", "wanted"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_wanted_by_option_then_environment_then_terminal(
    choice: str, terminal: bool, environ: dict[str, str], wanted: bool
) -> None:
    assert wants_color(choice, Terminal() if terminal else io.StringIO(), environ) is wanted


def test_no_stdout_wants_no_colour() -> None:
    assert wants_color("auto", None, {}) is False


def test_a_report_replaces_the_old_one_at_once(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")
    file.chmod(0o640)
    held = file.open()
    write_atomically(str(file), "new \u00e9")
    assert held.read() == "old"
    assert file.read_text(encoding="utf-8") == "new \u00e9"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["report.json"]
    held.close()


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(str(tmp_path / "link"), "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_atomically(str(pipe), "through")
    reader.join(5)
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["missing/report", ".", "file/x"])
def test_what_cannot_be_written_is_a_usage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="the report cannot be written"):
        write_atomically(str(tmp_path / name), "x")
    assert os.listdir(tmp_path) == ["file"]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, report: object = None) -> tuple[str, str]:
    parser = Parser("check", "[PATH...]", "test")
    add_shared(parser)
    emit(report or full(), read_shared(parser.parse_args(list(arguments))))  # type: ignore[arg-type]
    return capsys.readouterr()


def test_the_report_is_on_stdout_and_the_rest_on_stderr(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out, err = shown(capsys, "--output", f"json={tmp_path}/r.json", "--output", f"text={tmp_path}/r.txt")
    assert out == (tmp_path / "r.txt").read_text()
    assert (tmp_path / "r.json").read_text().startswith('{"format": "kmslint-report/1"')
    assert err == (
        "error: broken.json:3:7: expected `,` or `}`\n"
        "warning: policy.json: the owner account 111122223333 is inferred from the policy; pass --account to say which it is\n"
        "warning: suppression of `x` (kmslint.toml:3) matches nothing\n"
    )
    assert shown(capsys, "-q")[1] == "error: broken.json:3:7: expected `,` or `}`\n"
    assert shown(capsys, "-v")[1].endswith("skipped: package.json: not a key policy\n")


def test_colours_are_drawn_when_asked_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert "\x1b[" not in shown(capsys)[0]
    assert "\x1b[" in shown(capsys, "--color", "always")[0]
    assert "\x1b[" not in shown(capsys, "--color", "always", "--format", "json")[0]


def test_nothing_hostile_reaches_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = shown(capsys, "-v", report=hostile())
    assert all(line.isprintable() for line in (out + err).split("\n"))


def test_nothing_found_is_an_error_on_stderr_unless_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, report=empty()) == (
        "no key was found\n",
        "error: no key was found\n  help: name files that hold key policies, or pass --allow-empty\n",
    )
    assert shown(capsys, "--allow-empty", report=empty()) == ("no key was found\n", "")
