"""A parser that takes plain command lines apart by itself, and leaves all others to argparse.

argparse takes 5 ms of every start, most of them for help and complaints that a check in a pipeline never prints. Plain is a
line of known options, each with a value that is in order, and words. Whatever else it holds, from `--help` to a wrong value, is
read by argparse from its first word on, so that there is one set of rules.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence

from kmslint.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from argparse import Namespace

    from kmslint.cli.full_parser import FullParser

_KNOWN: Final = frozenset({"action", "choices", "default", "help", "metavar", "nargs", "type"})
"""What a declaration may hold whose option is taken apart here."""


class WrongArgumentError(Exception):
    """The value of an option is not of its kind; the message says why."""


class Declared(NamedTuple):
    """One option, or words of the command line, as argparse's `add_argument` takes it, and the heading it is helped under."""

    names: tuple[str, ...]
    how: Mapping[str, Any]
    group: str | None

    def is_option(self) -> bool:
        """Whether it is asked for by name."""
        return self.names[0].startswith("-")

    def dest(self) -> str:
        """The name of the attribute that holds its value."""
        long = (name for name in self.names if name.startswith("--"))
        return next(long, self.names[0]).lstrip("-").replace("-", "_")


class Group(NamedTuple):
    """Options that the help lists under one heading."""

    parser: "Parser"
    title: str

    def add_argument(self, *names: str, **how: Any) -> None:  # noqa: ANN401  as argparse has it
        """Declare an option of the group."""
        self.parser.declared.append(Declared(names, how, self.title))


class Parser:
    """The options of one command. Raises UsageError for a line that is wrong; `--help` prints the help and ends the process."""

    def __init__(self, command: str, arguments: str, description: str) -> None:
        self.described = (command, arguments, description)
        self.declared: list[Declared] = []

    def add_argument(self, *names: str, **how: Any) -> None:  # noqa: ANN401  as argparse has it
        """Declare an option, or the words of the line."""
        self.declared.append(Declared(names, how, None))

    def add_argument_group(self, title: str) -> Group:
        """A heading of the help, under which options can be declared."""
        return Group(self, title)

    def parse_args(self, line: Sequence[str]) -> "Namespace":
        """The values of a line whose words stand together."""
        return taken_apart(self.declared, line, words=False) or self.full().parse_args(line)

    def parse_intermixed_args(self, line: Sequence[str]) -> "Namespace":
        """The values of a line whose words may stand between options."""
        return taken_apart(self.declared, line, words=True) or self.full().parse_intermixed_args(line)

    def full(self) -> "FullParser":
        """The argparse parser of the same options."""
        from kmslint.cli.full_parser import FullParser

        return FullParser(*self.described, self.declared)


def taken_apart(declared: Sequence[Declared], line: Sequence[str], *, words: bool) -> "Namespace | None":
    """The values of a plain line; None where argparse must say. Without `words`, a line with any is not plain."""
    options = {name: one for one in declared if one.is_option() for name in one.names}
    places = [one for one in declared if not one.is_option()]
    if any(not one.how.keys() <= _KNOWN for one in declared) or any(one.how.get("nargs") != "*" for one in places):
        return None
    if len(places) > 1 or any(not _is_plain(one) for one in options.values()):
        return None
    values = {one.dest(): _default(one) for one in options.values()}
    found: list[str] = []
    rest = iter(line)
    for word in rest:
        if word == "-" or not word.startswith("-"):
            found.append(word)
        elif not _set(values, options, word, rest):
            return None
    if found and not (words and places):
        return None
    return _namespace(values | {place.dest(): found for place in places})


def _is_plain(option: Declared) -> bool:
    how = option.how
    return how.get("action", "store") in {"store", "append", "store_true"} and "nargs" not in how


def _default(option: Declared) -> object:
    return False if option.how.get("action") == "store_true" else option.how.get("default")


def _set(values: dict[str, Any], options: Mapping[str, Declared], word: str, rest: Iterator[str]) -> bool:
    """Note what `word` (with the next one of `rest`, if it takes a value) says; False where argparse must say."""
    name, equals, text = word.partition("=") if word.startswith("--") else (word, "", "")
    option = options.get(name)
    if option is None:
        return False
    dest, action = option.dest(), option.how.get("action")
    if action == "store_true":
        values[dest] = True
        return not equals
    if not equals:
        text = next(rest, "-")
        if text.startswith("-"):
            return False
    convert = option.how.get("type")
    try:
        value = text if convert is None else convert(text)
    except _refusals():
        return False
    if "choices" in option.how and value not in option.how["choices"]:
        return False
    values[dest] = [*(values[dest] or ()), value] if action == "append" else value
    return True


def _refusals() -> tuple[type[Exception], ...]:
    """What a `type` may raise. Where it can raise an error of argparse, argparse is there."""
    loaded = sys.modules.get("argparse")
    return (WrongArgumentError, ValueError, TypeError, *(() if loaded is None else (loaded.ArgumentTypeError,)))


class _Values:
    """Holds values as argparse's Namespace does."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.__dict__.update(values)


def _namespace(values: Mapping[str, object]) -> "Namespace":
    found: Any = _Values(values)
    return found  # type: ignore[no-any-return]  # to its readers it is a Namespace
