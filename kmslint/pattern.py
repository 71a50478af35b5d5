"""Regular expressions that are compiled when they are first used: compiling all of them would cost every start 6 ms."""

import re

from kmslint.typed import Any, cast


class _Pattern:
    """Stands for a compiled pattern, whose methods it takes over one by one as they are asked for."""

    def __init__(self, text: str, flags: int) -> None:
        self.text = text
        self.flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any attribute of re.Pattern
        found = getattr(re.compile(self.text, self.flags), name)
        self.__dict__[name] = found
        return found


def pattern(text: str, flags: int = 0) -> "re.Pattern[str]":
    """`re.compile(text, flags)`, not yet compiled."""
    return cast("re.Pattern[str]", _Pattern(text, flags))
