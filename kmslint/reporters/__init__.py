"""One module a format, each with `render(report, view) -> str`: pure, so that the same report is the same text."""

from collections.abc import Mapping

from kmslint.typed import Final

FORMATS: Final[Mapping[str, str]] = {
    "text": "kmslint.reporters.text",
    "json": "kmslint.reporters.json",
}
"""Format name → module, imported when it is asked for."""
