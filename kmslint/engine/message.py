"""Templates of messages, helps and commands: `{witness.action}` and its like, filled with what was found.

User text stands in backticks in a sentence, and is quoted for a shell in a command. A value that is not known is said in
words. Nothing of a value is read as a template again.
"""

import re
from collections.abc import Iterator

from kmslint.model.key import FACTS, Key, Known
from kmslint.model.settings import Settings
from kmslint.pattern import pattern
from kmslint.policy.document import Statement
from kmslint.policy.principals import identify
from kmslint.policy.request import Request
from kmslint.typed import Final, NamedTuple

MAX_SHOWN: Final = 160
"""Characters of one value in a message; a longer one is cut. Policies hold texts of 32 KB."""

_HOLE: Final = pattern(r"\{\{|\}\}|\{([^{}]*)\}")
_WITNESS: Final = ("witness.principal", "witness.action", "witness.account", "statement.sid", "statement.index", "policy")
_KEY: Final = ("key.id", "key.arn", "key.account", "key.region")
_PLAIN: Final = pattern(r"[A-Za-z0-9_./:=,@+-]+\Z")


class Scope(NamedTuple):
    """What a template may speak of; None where a finding has no such part."""

    key: Key
    settings: Settings
    policy: str | None = None
    statement: Statement | None = None
    witness: Request | None = None


def placeholders(template: str) -> Iterator[str]:
    """The names between single braces, in order."""
    for match in _HOLE.finditer(template) if "{" in template else ():
        if match[1] is not None:
            yield match[1]


def names(*, witness: bool) -> tuple[str, ...]:
    """Every placeholder that a template may use; those about a finding only with `witness`."""
    found = _KEY + tuple(f"settings.{name}" for name in Settings._fields) + tuple(f"facts.{name}" for name in FACTS)
    return _WITNESS + found if witness else found


def is_known(name: str, *, witness: bool) -> bool:
    """Whether a template may use `name`."""
    head, _, rest = name.partition(".")
    if head == "facts":
        return rest in FACTS
    if head == "settings":
        return rest in Settings._fields
    return name in _KEY or (witness and name in _WITNESS)


def sentence(template: str, scope: Scope) -> str:
    """The template as a sentence: values in backticks, unknown ones in words."""

    def fill(match: "re.Match[str]") -> str:
        if match[1] is None:
            return match[0][0]
        value = _value(match[1], scope)
        return quoted(value) if value is not None else _UNKNOWN.get(match[1], "an unknown value")

    return _HOLE.sub(fill, template) if "{" in template or "}" in template else template


def command(template: str, scope: Scope) -> str:
    """The template as a shell command: values quoted, an unknown one as a word in capitals to replace."""

    def fill(match: "re.Match[str]") -> str:
        if match[1] is None:
            return match[0][0]
        value = _value(match[1], scope)
        return shell_word(value) if value is not None else re.sub(r"[^A-Z0-9]+", "_", match[1].upper())

    return _HOLE.sub(fill, template)


def quoted(value: str) -> str:
    """User text in backticks, on one line, cut past MAX_SHOWN characters."""
    shown = value if len(value) <= MAX_SHOWN else value[: MAX_SHOWN - 1] + "…"
    return "`" + " ".join(shown.replace("`", "'").split()) + "`"


def shell_word(value: str) -> str:
    """`value` as one word of a POSIX shell; control characters are left out."""
    if _PLAIN.match(value):
        return value
    return "'" + "".join(char for char in value if char.isprintable()).replace("'", "'\"'\"'") + "'"


_UNKNOWN: Final = {
    "witness.principal": "a caller without credentials",
    "witness.account": "no account",
    "statement.sid": "without a Sid",
    "key.account": "an unknown account",
    "key.region": "an unknown Region",
    "key.arn": "the key",
    "key.id": "the key",
}


def _value(name: str, scope: Scope) -> str | None:
    head, _, rest = name.partition(".")
    if head == "facts":
        fact = scope.key.facts.get(rest)
        return _shown(fact.value) if isinstance(fact, Known) else None
    if head == "settings":
        return _shown(getattr(scope.settings, rest))
    if head == "key":
        return _of_key(rest, scope.key)
    if head == "witness":
        return _of_witness(rest, scope.witness)
    if head == "policy":
        return scope.policy
    statement = scope.statement
    if statement is None:
        return None
    return statement.sid if rest == "sid" else str(statement.index)


def _of_key(name: str, key: Key) -> str | None:
    if name == "id":
        return key.key_id or key.arn
    if name == "arn":
        return key.arn
    return key.account if name == "account" else key.region


def _of_witness(name: str, witness: Request | None) -> str | None:
    if witness is None:
        return None
    if name == "account":
        return identify(witness.principal).account
    return witness.principal if name == "principal" else witness.action


def _shown(value: object) -> str | None:
    """A value of a fact or a setting as a person writes it; None for one that is not set."""
    if value is None or value == ():
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return str(value)
