"""Plain command lines, taken apart by hand, against argparse; and all others, which argparse must read."""

import contextlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.cli.arguments import Parser, taken_apart
from kmslint.cli.check import _parser
from kmslint.errors import UsageError

WORDS = (
    "a.json",
    "-",
    "",
    "a b",
    "--",
    "-q",
    "-v",
    "-qv",
    "-x",
    "-1",
    "--format",
    "--format=json",
    "json",
    "xml",
    "--form",
    "--output",
    "json=a=b",
    "--output=text=t",
    "--strict",
    "--strict=yes",
    "--account",
    "111122223333",
    "--account=1",
    "--as-of",
    "2026-11-24",
    "--as-of=tomorrow",
    "--select",
    "a,b",
    "--select=c",
    "a,,b",
    "--key",
    "arn:aws:kms:eu-central-1:111122223333:key/a",
    "--config=",
    "--help",
)
LINES = st.lists(st.sampled_from(WORDS), max_size=6)


def by_argparse(line: list[str], *, words: bool) -> dict[str, object] | None:
    """What argparse makes of a line; None for an error or help."""
    full = _parser().full()
    try:
        with contextlib.redirect_stdout(None):
            return vars(full.parse_intermixed_args(line) if words else full.parse_args(line))
    except (UsageError, SystemExit, AttributeError):
        return None


@given(LINES, st.booleans())
def test_a_line_that_is_taken_apart_says_what_argparse_reads_in_it(line: list[str], words: bool) -> None:
    found = taken_apart(_parser().declared, line, words=words)
    if found is not None:
        assert vars(found) == by_argparse(line, words=words)


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["a.json"],
        ["a.json", "--format", "json", "b.json", "-q", "-"],
        ["--format=json", "--no-config", "examples", "--select", "a,b", "--select=c", "--account", "111122223333"],
        ["--output=json=a", "--output", "text=b", "--as-of=2026-11-24", "-v", ""],
    ],
)
def test_plain_lines_are_taken_apart(line: list[str]) -> None:
    found = taken_apart(_parser().declared, line, words=True)
    assert found is not None
    assert vars(found) == by_argparse(line, words=True)


@pytest.mark.parametrize(
    "line",
    [
        ["--help"],
        ["--"],
        ["-qv"],
        ["--form=json"],
        ["--format"],
        ["--format", "xml"],
        ["--account=1"],
        ["--strict=yes"],
        ["--key", "-"],
    ],
)
def test_other_lines_are_left_to_argparse(line: list[str]) -> None:
    assert taken_apart(_parser().declared, line, words=True) is None


@pytest.mark.parametrize("how", [{"nargs": 2}, {"action": "count"}, {"required": True}, {"dest": "x"}, {"const": 1}])
def test_other_options_are_left_to_argparse(how: dict[str, object]) -> None:
    parser = Parser("x", "", "y")
    parser.add_argument("--plain")
    assert taken_apart(parser.declared, ["--plain", "1"], words=False) is not None
    parser.add_argument("--other", **how)
    assert taken_apart(parser.declared, ["--plain", "1"], words=False) is None


def test_defaults_are_not_shared_between_lines() -> None:
    parser = _parser()
    assert parser.parse_intermixed_args(["--select", "a"]).select == [["a"]]
    assert parser.parse_intermixed_args(["--select", "b"]).select == [["b"]]
    assert parser.parse_intermixed_args([]).select == []


def test_a_plain_check_does_not_import_argparse() -> None:
    script = (
        "import sys\nfrom kmslint.cli.main import main\nmain(['check', 'no-such-file', '--format', 'json', '--no-config'])\n"
        "sys.exit('argparse' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0
