"""What ends a run, and the exit code of each end."""

import os
import subprocess
import sys
from types import ModuleType

import pytest

import kmslint
from kmslint.cli import main as cli
from kmslint.errors import ConfigError, InputError, InternalError, KmslintError, RuleError, UsageError


def plant(monkeypatch: pytest.MonkeyPatch, end: BaseException | int) -> None:
    module = ModuleType("planted")

    def run(_: list[str]) -> int:
        if isinstance(end, BaseException):
            raise end
        return end

    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "planted", module)
    monkeypatch.setattr(cli, "COMMANDS", {"check": ("planted", "planted")})


@pytest.mark.parametrize("code", [0, 1, 3, 4])
def test_a_command_decides_the_code(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    plant(monkeypatch, code)
    assert cli.main(["check"]) == code


@pytest.mark.parametrize(
    ("end", "code", "stderr"),
    [
        (UsageError("no such thing", help="try another"), 2, "error: no such thing\n  help: try another\n"),
        (ConfigError("bad", source="a.toml", line=3), 2, "error: a.toml:3: bad\n"),
        (RuleError("bad", source="rule.toml"), 2, "error: rule.toml: bad\n"),
        (InputError("gone", source="x\x1b[31m", line=1, column=2), 3, "error: x\\x1b[31m:1:2: gone\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_errors_say_what_where_and_what_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], end: BaseException, code: int, stderr: str
) -> None:
    plant(monkeypatch, end)
    assert cli.main(["check"]) == code
    assert capsys.readouterr() == ("", stderr)


@pytest.mark.parametrize(
    "bug", [InternalError("witness does not replay"), KmslintError("x"), TypeError("s3cr3t"), RecursionError(), MemoryError()]
)
def test_a_bug_is_a_message_and_code_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bug: Exception
) -> None:
    plant(monkeypatch, bug)
    assert cli.main(["check", "a b.json", "\x1b[2J"]) == 70
    out, err = capsys.readouterr()
    assert out == ""
    if type(bug) is not KmslintError:
        assert f"error: this is a bug in kmslint: {type(bug).__name__} at test_main.py:" in err
        assert "to reproduce: kmslint check 'a b.json' '\\x1b[2J'" in err
        assert f"with kmslint {kmslint.__version__}, Python " in err
    assert "Traceback" not in err
    assert "\x1b" not in err
    assert "s3cr3t" not in err


def test_the_traceback_is_there_with_v(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plant(monkeypatch, TypeError("boom"))
    assert cli.main(["check", "-v"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"kmslint {kmslint.__version__}\n"
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {command} " in shown for command in cli.COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        ([], "error: no command was given\n  help: kmslint --help lists the commands\n"),
        (["chek"], "error: unknown command `chek`\n  help: did you mean `check`?\n"),
        (["--frobnicate"], "error: unknown command `--frobnicate`\n  help: kmslint --help lists the commands\n"),
        ([__file__], f"error: unknown command `{__file__}`\n  help: to check that file: kmslint check {__file__}\n"),
    ],
    ids=["none", "typo", "option", "file"],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], stderr: str) -> None:
    assert cli.main(arguments) == 2
    assert capsys.readouterr() == ("", stderr)


@pytest.mark.parametrize("arguments", [["--version"], ["nothing"], ["check", "no-such-file.json"]])
def test_the_process_ends_with_all_that_was_written(arguments: list[str]) -> None:
    code = "import atexit, sys; from kmslint.cli import main as m; atexit.register(print, 'taken apart'); sys.stdout.write('early '); m.run()"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    plain = subprocess.run(
        [sys.executable, "-c", "import sys; from kmslint.cli.main import main; sys.exit(main())", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (plain.returncode, "early " + plain.stdout, plain.stderr)
    assert done.returncode == {"--version": 0, "nothing": 2, "check": 3}[arguments[0]]


def test_the_process_ends_though_stdout_is_full() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kmslint", "--version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (2, "error: the report cannot be written to stdout: No space left on device\n")
