"""The command line: finds the command, runs it, and turns everything that can end a run into an exit code."""

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from kmslint.cli import messages
from kmslint.errors import InternalError, KmslintError, UsageError
from kmslint.typed import Final, NoReturn

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "check": ("kmslint.cli.check", "check files, folders or stdin; no network, no credentials"),
    "scan": ("kmslint.cli.scan", "check live keys through the AWS API"),
    "verify": ("kmslint.cli.verify", "verify the evidence that scan --evidence kept"),
    "diff": ("kmslint.cli.diff", "what a change of keys newly allows, with a request that shows it"),
    "ask": ("kmslint.cli.ask", "ask one question about one key policy"),
    "explain": ("kmslint.cli.explain", "show the page of a rule, or the rules that bear on a control"),
    "rules": ("kmslint.cli.rules", "list the rules"),
    "init": ("kmslint.cli.init", "write a configuration, a CI job and a pre-commit hook, where there is none"),
}
"""Command → (module with `run(arguments) -> int`, what it does). A module is imported when its command is asked for."""

INTERRUPTED: Final = 130
"""128 + SIGINT, as shells report it."""

GARBAGE: Final = 100_000
"""Objects made before the collector looks for cycles: a plain check makes fewer (its default, 700, costs it 4 ms)."""


def run() -> NoReturn:
    """The process `kmslint`: `main`, then the end at once; to take the interpreter apart first would cost a check 7 ms."""
    gc.set_threshold(GARBAGE)
    code = main()
    messages.flush()
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of `kmslint ARGV` (INTERFACE, "Exit codes"). Prints the report on stdout, all else on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    messages.prepare_streams()
    try:
        return _run(arguments)
    except InternalError as error:
        return messages.report_bug(error, arguments)
    except KmslintError as error:
        messages.show_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        messages.show("interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the last line of defence: a bug is a message and exit code 70, never a verdict
        return messages.report_bug(error, arguments)


def _run(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in COMMANDS:
        run: Callable[[list[str]], int] = import_module(COMMANDS[first][0]).run
        return run(arguments[1:])
    if first == "--version":
        from kmslint import __version__

        messages.write_stdout(f"kmslint {__version__}\n")
        return 0
    if first in {"--help", "-h", "help"}:
        messages.write_stdout(_overview())
        return 0
    raise _unknown(first)


def _overview() -> str:
    commands = "".join(f"  {name:9}{summary}\n" for name, (_, summary) in COMMANDS.items())
    return (
        "usage: kmslint COMMAND [OPTION...]\n\n"
        "what an AWS KMS key policy really allows, by proof\n\n"
        f"commands:\n{commands}\n"
        "options:\n  --version  print the version\n  --help     print this; kmslint COMMAND --help prints a command's options\n\n"
        "exit codes:\n"
        "  0 nothing failed   1 a rule failed, or new access   2 wrong usage   3 nothing found, or an input was not read\n"
        "  4 something was not decided   70 a bug in kmslint\n"
    )


def _unknown(word: str) -> UsageError:
    from kmslint.aws.spelling import nearest

    if not word:
        return UsageError("no command was given", help="kmslint --help lists the commands")
    if os.path.exists(word):
        return UsageError(f"unknown command `{word}`", help=f"to check that file: kmslint check {word}")
    near = nearest(word, COMMANDS)
    return UsageError(
        f"unknown command `{word}`", help=f"did you mean `{near}`?" if near else "kmslint --help lists the commands"
    )
