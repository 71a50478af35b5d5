"""The effective configuration of a run as TOML: what `kmslint.toml` would say to ask the same questions again."""

import json
from collections.abc import Iterator, Mapping

from kmslint.model.settings import Settings
from kmslint.typed import Final

_TABLES: Final = ("accounts", "integrations", "suppress", "severity")
_NO_SETTINGS: Final = frozenset({"file", "sha256", *_TABLES})


def effective_toml(settings: Settings) -> str:
    """The text of a `kmslint.toml` that states each setting, defaults included; what is unset is left out.

    `config.read_settings` of it, on the same day, has the same `config.digest`.
    """
    return "".join(f"{line}\n" for line in _lines(settings))


def _lines(settings: Settings) -> Iterator[str]:
    yield "# what the run was asked with, defaults included"
    for name, value in settings._asdict().items():
        if name not in _NO_SETTINGS and value is not None:
            yield f"{name} = {_value(value)}"
    for path, account in settings.accounts:
        yield from _table("accounts", {"path": path, "account": account})
    for integration in settings.integrations:
        yield from _table("integrations", integration._asdict())
    for entry in settings.suppress:
        yield from _table("suppress", {name: value for name, value in entry._asdict().items() if name != "line"})
    if settings.severity:
        yield from ("", "[severity]")
        yield from (f"{_text(rule)} = {_text(level)}" for rule, level in sorted(settings.severity.items()))


def _table(name: str, values: Mapping[str, str | None]) -> Iterator[str]:
    yield from ("", f"[[{name}]]")
    yield from (f"{field} = {_text(value)}" for field, value in values.items() if value is not None)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_text(str(item)) for item in value)}]"
    return _text(str(value))


def _text(text: str) -> str:
    """A basic string of TOML: as JSON writes it, but for DEL, which TOML escapes. Source: TOML 1.0.0, "String"."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
