"""What can go wrong, as one small tree.

    KmslintError
    ├── UsageError        wrong arguments                     exit 2
    │   ├── ConfigError   kmslint.toml / [tool.kmslint]       exit 2
    │   └── RuleError     a rule folder                       exit 2
    ├── InputError        an input that cannot be read        exit 3
    └── InternalError     a bug in kmslint                    exit 70

A message is lower case, without a full stop, says what was found and what was expected, and quotes user text
in backticks. `help` says what to do next. Places are 1-based; None where there is no place.
"""


class KmslintError(Exception):
    """A failure that kmslint explains to its user."""

    exit_code = 70

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        line: int | None = None,
        column: int | None = None,
        help: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.line = line
        self.column = column
        self.help = help

    def __str__(self) -> str:
        """`source:line:column: message`, as far as the parts are known."""
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)
        return f"{place}: {self.message}" if place else self.message


class UsageError(KmslintError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file says something that kmslint does not know."""


class RuleError(UsageError):
    """A rule folder is not a rule."""


class InputError(KmslintError):
    """An input could not be read or is not what it claims to be."""

    exit_code = 3


class InternalError(KmslintError):
    """A bug in kmslint: an invariant did not hold."""

    exit_code = 70
