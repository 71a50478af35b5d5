"""argparse as kmslint uses it: its complaints are kmslint's own errors, its help is as wide as the terminal."""

import argparse
import os
from collections.abc import Callable, Sequence

from kmslint.cli import messages
from kmslint.cli.arguments import Declared, WrongArgumentError
from kmslint.errors import UsageError
from kmslint.typed import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


class _Formatter(argparse.HelpFormatter):
    """Help as wide as the terminal. Finding the width here saves argparse the import of shutil."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_width())


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and columns.isascii() and len(columns) < 6:
        return max(40, int(columns) - 2)
    try:
        return max(40, os.get_terminal_size().columns - 2)
    except (OSError, ValueError):
        return 78


class FullParser(argparse.ArgumentParser):
    """The options of one command."""

    def __init__(self, command: str, arguments: str, description: str, declared: Sequence[Declared] = ()) -> None:
        usage = f"kmslint {command} [OPTION...] {arguments}".rstrip()
        super().__init__(
            prog=f"kmslint {command}", usage=usage, description=description, allow_abbrev=False, formatter_class=_Formatter
        )
        groups: dict[str | None, Any] = {None: self}
        for one in declared:
            if one.group not in groups:
                groups[one.group] = self.add_argument_group(one.group)
            groups[one.group].add_argument(*one.names, **_how(one))

    def error(self, message: str) -> NoReturn:
        """Raise UsageError; exit code 2."""
        raise UsageError(message, help=f"{self.prog} --help lists the options")

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        """Print the help on stdout, which may be gone before all of it is written."""
        if file is None:
            messages.write_stdout(self.format_help())
        else:
            super().print_help(file)


def _how(declared: Declared) -> dict[str, Any]:
    how = dict(declared.how)
    if "type" in how:
        how["type"] = _converter(how["type"])
    return how


def _converter(convert: Callable[[str], object]) -> Callable[[str], object]:
    """`convert`, whose complaint argparse shows."""

    def converted(text: str) -> object:
        try:
            return convert(text)
        except WrongArgumentError as wrong:
            raise argparse.ArgumentTypeError(str(wrong)) from None

    converted.__name__ = getattr(convert, "__name__", "value")
    return converted
