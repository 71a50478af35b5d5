"""What an evaluation is given from outside: the user's values, and what a scenario settles."""

from collections.abc import Mapping

from kmslint.typed import Final, NamedTuple

MAX_WORK: Final = 4_000_000
"""Values visited and characters joined for one text. The largest real template needs some 100,000."""

OTHER: Final = None
"""The value of a parameter in a scenario: none of those that the conditions compare it with."""


class Given(NamedTuple):
    """What the user says of the stack: values of parameters, and where it is deployed."""

    parameters: Mapping[str, str] = {}
    account: str | None = None
    region: str | None = None
    partition: str | None = None
    suffix: str = "amazonaws.com"


class Open(Exception):
    """A condition depends on something that the scenario does not settle yet: a parameter, or a comparison by its text."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
