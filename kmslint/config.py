"""Reads `kmslint.toml`, or `[tool.kmslint]` of pyproject.toml, into `Settings`.

An unknown key is an error that names the nearest; a value of the wrong kind says what was found and what was expected.
Rule ids are checked by the caller, who knows the rules. The TOML reader is imported only when there is a file to read.
"""

import os
import re
from collections.abc import Callable, Mapping

from kmslint.aws.spelling import nearest
from kmslint.errors import ConfigError
from kmslint.model.result import SEVERITIES
from kmslint.model.settings import Integration, Settings, SuppressionEntry
from kmslint.sha256 import hexdigest
from kmslint.typed import Any, Final

MAX_BYTES: Final = 1_000_000
"""A larger configuration file is refused: nobody writes one, and reading it costs memory and time."""

MAX_SUPPRESSION_DAYS: Final = 366
"""A suppression ends at most a year ahead (a leap year has 366 days)."""

_OURS: Final = "[tool.kmslint"
_Reader = Callable[[object], object]
_Path = tuple[str | int, ...]


def find_config(directory: str, environ: Mapping[str, str], *, top: str | None = None) -> str | None:
    """The configuration file of a run that starts in `directory`; None if there is none.

    The nearest of kmslint.toml and a pyproject.toml that has a [tool.kmslint] table, from `directory` upward; else
    `$XDG_CONFIG_HOME/kmslint/kmslint.toml`. In one folder, kmslint.toml wins. With `top`, nothing above that folder counts.

    Raises:
        ConfigError: a pyproject.toml on the way cannot be read, so that nobody knows what it says.
    """
    here = os.path.abspath(directory)
    while True:
        own, shared = os.path.join(here, "kmslint.toml"), os.path.join(here, "pyproject.toml")
        if os.path.isfile(own):
            return own
        if os.path.isfile(shared) and _OURS in _text_of(shared):
            return shared
        parent = os.path.dirname(here)
        if here == top:
            return None
        if parent == here:
            return _personal_config(environ)
        here = parent


def read_settings(file: str, *, today: str) -> Settings:
    """The settings that `file` states, the documented default for what it leaves out. `today` is `YYYY-MM-DD`.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or says something that kmslint does not know.
    """
    text = _text_of(file)
    root = ("tool", "kmslint") if os.path.basename(file) == "pyproject.toml" else ()
    table: object = _parse(text, file)
    for name in root:
        table = table.get(name, {}) if isinstance(table, dict) else {}
    return _Reading(file, text, root, today).settings(table)


def digest(settings: Settings) -> str:
    """SHA-256 (hex) of the effective settings: two runs with the same digest asked the same questions.

    Where the settings stand (file, line) is no part of it.
    """
    import json

    stated = settings._replace(
        file=None,
        sha256="",
        severity=dict(sorted(settings.severity.items())),
        suppress=tuple(entry._replace(line=0) for entry in settings.suppress),
    )
    return hexdigest(json.dumps(stated._asdict(), separators=(",", ":"), sort_keys=True).encode())


class _WrongValueError(Exception):
    """A value that is not what its key expects; the message is what it expects, `at` the part that is wrong."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(expected)
        self.expected = expected
        self.value = value


class _Reading:
    """One configuration file while it is read: knows where each key stands, for messages."""

    def __init__(self, file: str, text: str, root: tuple[str, ...], today: str) -> None:
        self.file = file
        self.text = text
        self.root = root
        self.today = today

    def settings(self, table: object) -> Settings:
        if not isinstance(table, dict):
            raise self.error((), "`tool.kmslint` is not a table", "write `[tool.kmslint]`")
        self.known_keys((), table, tuple(_KEYS))
        values: dict[str, Any] = {name: self.value((name,), value, _KEYS[name]) for name, value in table.items() if name in _KEYS}
        for name, read in (("accounts", self.account), ("integrations", self.integration), ("suppress", self.suppression)):
            if name in table:
                values[name] = self.tables(name, table[name], read)
        if "severity" in table:
            values["severity"] = self.severities(table["severity"])
        return Settings(file=self.file)._replace(**values)

    def tables(self, name: str, value: object, read: Callable[[_Path, dict[str, object]], object]) -> tuple[object, ...]:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error((name,), f"`{name}` is not a list of tables", f"write `[[{name}]]` above each entry")
        return tuple(read((name, index), item) for index, item in enumerate(value))

    def account(self, path: _Path, table: dict[str, object]) -> tuple[str, str]:
        found = self.fields(path, table, {"path": _text, "account": _account_id})
        return found["path"] or "", found["account"] or ""

    def integration(self, path: _Path, table: dict[str, object]) -> Integration:
        found = self.fields(path, table, {"service": _text}, {"principal": _arn, "source": _arn})
        return Integration(found["service"] or "", found["principal"], found["source"])

    def suppression(self, path: _Path, table: dict[str, object]) -> SuppressionEntry:
        required = {"rule": _text, "where": _text, "reason": _text, "owner": _text, "until": _date}
        found = self.fields(path, table, required, {"alternative": _text})
        until = found["until"] or ""
        if _days_between(self.today, until) > MAX_SUPPRESSION_DAYS:
            raise self.error(
                (*path, "until"),
                f"`suppress.until` is `{until}`, more than a year ahead",
                "choose a date at most a year from now",
            )
        stated = {name: value or "" for name, value in found.items() if name != "alternative"}
        return SuppressionEntry(**stated, alternative=found["alternative"], line=self.line(path) or 0)

    def fields(
        self,
        path: _Path,
        table: dict[str, object],
        required: Mapping[str, "_TextReader"],
        optional: Mapping[str, "_TextReader"] | None = None,
    ) -> dict[str, str | None]:
        readers = {**required, **(optional or {})}
        self.known_keys(path, table, tuple(readers))
        missing = [name for name in required if name not in table]
        if missing:
            raise self.error(path, f"`[[{path[0]}]]` has no `{missing[0]}`", f"each entry needs {_listed(tuple(required))}")
        return {
            name: self.text_value((*path, name), table[name], read) if name in table else None for name, read in readers.items()
        }

    def severities(self, table: object) -> dict[str, str]:
        if not isinstance(table, dict):
            raise self.error(("severity",), "`severity` is not a table", 'write `[severity]` and below it `rule-id = "high"`')
        return {rule: self.text_value(("severity", rule), level, _severity) for rule, level in sorted(table.items())}

    def known_keys(self, path: _Path, table: dict[str, object], known: tuple[str, ...]) -> None:
        names = (*known, "accounts", "integrations", "suppress", "severity") if not path else known
        for name in table:
            if name not in names:
                near = nearest(name, names)
                where = f" in `[[{path[0]}]]`" if path else ""
                raise self.error(
                    (*path, name),
                    f"unknown key `{name}`{where}",
                    f"did you mean `{near}`?" if near else f"known keys: {', '.join(sorted(names))}",
                )

    def value(self, path: _Path, value: object, read: _Reader) -> object:
        try:
            return read(value)
        except _WrongValueError as wrong:
            name = ".".join(str(part) for part in path if isinstance(part, str))
            raise self.error(path, f"`{name}` is {_shown(wrong.value)}, expected {wrong.expected}", None) from None

    def text_value(self, path: _Path, value: object, read: "_TextReader") -> str:
        return str(self.value(path, value, read))

    def error(self, path: _Path, message: str, help: str | None) -> ConfigError:
        return ConfigError(message, source=self.file, line=self.line(path), help=help)

    def line(self, path: _Path) -> int | None:
        places = _key_lines(self.text)
        full: _Path = (*self.root, *path)
        for length in range(len(full), 0, -1):
            if full[:length] in places:
                return places[full[:length]]
        return None


def _personal_config(environ: Mapping[str, str]) -> str | None:
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", ""), ".config")
    file = os.path.join(home, "kmslint", "kmslint.toml")
    return file if os.path.isabs(file) and os.path.isfile(file) else None


def _text_of(file: str) -> str:
    remedy = "--no-config ignores configuration files"
    try:
        with open(file, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", source=file, help=remedy) from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"is larger than {MAX_BYTES} bytes", source=file, help=remedy)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text", source=file, line=line, help="save it as UTF-8") from None


def _parse(text: str, file: str) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError("is nested too deeply", source=file) from None
    except ValueError as error:
        message, line, column = _toml_complaint(str(error), text)
        raise ConfigError(f"is not TOML: {message}", source=file, line=line, column=column) from None


_TOML_PLACE: Final = r"(?s:(.*)) \(at (?:line (\d+), column (\d+)|end of document)\)"


def _toml_complaint(message: str, text: str) -> tuple[str, int | None, int | None]:
    found = re.fullmatch(_TOML_PLACE, message)
    if not found:
        return _lowered(message), None, None
    if not found[2]:
        return _lowered(found[1]), text.count("\n") + 1, None
    return _lowered(found[1]), int(found[2]), int(found[3])


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


_KEY_PART: Final = r"""\s*(?:"([^"\n]*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))\s*"""


def _key_lines(text: str) -> dict[_Path, int]:
    """The 1-based line of each table header and key of a TOML text, as far as a line shows it (no multi-line keys)."""
    places: dict[_Path, int] = {}
    counts: dict[_Path, int] = {}
    table: _Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.lstrip()
        if stripped.startswith("["):
            listed = stripped.startswith("[[")
            table = _dotted(stripped[2 if listed else 1 :], "]")
            if listed:
                index = counts[table] = counts.get(table, -1) + 1
                table = (*table, index)
            places.setdefault(table, number)
        else:
            key = _dotted(line, "=")
            if key:
                places.setdefault((*table, *key), number)
    return places


def _dotted(text: str, end: str) -> _Path:
    """The parts of the dotted key at the start of `text`, if `end` follows it; else ()."""
    parts: list[str] = []
    at = 0
    part = re.compile(_KEY_PART)
    while found := part.match(text, at):
        parts.append(found[1] or found[2] or found[3] or "")
        at = found.end()
        if text.startswith(end, at):
            return tuple(parts)
        if not text.startswith(".", at):
            return ()
        at += 1
    return ()


def _shown(value: object) -> str:
    """A value as a message shows it: in backticks, cut to a readable length."""
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(part for part in (", ".join(f"`{name}`" for name in names[:-1]), f"`{names[-1]}`") if part)


_TextReader = Callable[[object], str]

_ACCOUNT: Final = r"[0-9]{12}"
_ORGANIZATION: Final = r"o-[a-z0-9]{10,32}"
_REGION: Final = r"[a-z]{2,4}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}"
_ARN: Final = r"arn:[a-z*?-]+:[A-Za-z0-9*?-]+:[a-z0-9*?-]*:[0-9*?]*:[^\s\x00-\x1f]+"
_SERVICE_NAME: Final = r"[a-z0-9*?-]+(?:\.[a-z0-9*?-]+)*\.amazonaws\.com(?:\.cn)?"
_KEY_ID: Final = r"(?:arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/)?(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


def _text(value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise _WrongValueError("text that is not empty", value)


def _matching(pattern: str, expected: str) -> _TextReader:
    def read(value: object) -> str:
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        raise _WrongValueError(expected, value)

    return read


def _date(value: object) -> str:
    import datetime as dt

    try:
        if type(value) is dt.date:
            return value.isoformat()
        if isinstance(value, str) and re.fullmatch(_DATE, value):
            return dt.date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise _WrongValueError("a date such as 2027-03-01", value)


def _days_between(first: str, second: str) -> int:
    import datetime as dt

    return (dt.date.fromisoformat(second) - dt.date.fromisoformat(first)).days


def _list(read: _Reader) -> _Reader:
    def read_all(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise _WrongValueError("a list in square brackets", value)
        return tuple(dict.fromkeys(read(item) for item in value))

    return read_all


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _WrongValueError("true or false", value)


def _whole_number(low: int, high: int) -> _Reader:
    def read(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise _WrongValueError(f"a whole number from {low} to {high}", value)

    return read


def _one_of(*words: str) -> _TextReader:
    def read(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise _WrongValueError("one of " + ", ".join(words), value)

    return read


_account_id: Final = _matching(_ACCOUNT, "an account id of 12 digits in quotes")
_arn: Final = _matching(_ARN, "an ARN such as arn:aws:iam::111122223333:role/name (`*` and `?` may stand in it)")
_severity: Final = _one_of(*SEVERITIES)
_days: Final = _whole_number(1, 36_500)

_KEYS: Final[Mapping[str, _Reader]] = {
    "account": _account_id,
    "trusted_accounts": _list(_account_id),
    "trusted_organizations": _list(_matching(_ORGANIZATION, "an organization id such as o-a1b2c3d4e5")),
    "key_admins": _list(_arn),
    "break_glass": _list(_arn),
    "regions": _list(_matching(_REGION, "a Region such as eu-central-1")),
    "multi_region": _boolean,
    "required_tags": _list(_text),
    "services_only": _list(_matching(_SERVICE_NAME, "a service name of kms:ViaService such as s3.us-east-1.amazonaws.com")),
    "rotation_days": _days,
    "manual_rotation_days": _days,
    "deletion_window_days": _whole_number(7, 30),
    "approved_deletions": _list(_matching(_KEY_ID, "a key id or key ARN")),
    "material_expiry_days": _days,
    "unused_days": _days,
    "max_grant_age_days": _days,
    "sensitive_patterns": _list(_text),
    "log_retention_days": _days,
    "evidence_store": _text,
    "strict": _boolean,
    "fail_on": _one_of(*SEVERITIES, "never"),
}
