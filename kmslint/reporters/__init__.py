"""One module a format, each with `render(report, view) -> str`: pure, so that the same report is the same text."""

from collections.abc import Mapping

from kmslint.typed import Final

FORMATS: Final[Mapping[str, str]] = {
    "text": "kmslint.reporters.text",
    "concise": "kmslint.reporters.concise",
    "json": "kmslint.reporters.json",
    "jsonl": "kmslint.reporters.jsonl",
    "sarif": "kmslint.reporters.sarif",
    "junit": "kmslint.reporters.junit",
    "github": "kmslint.reporters.github",
    "gitlab": "kmslint.reporters.gitlab",
    "markdown": "kmslint.reporters.markdown",
    "html": "kmslint.reporters.html",
    "csv": "kmslint.reporters.csv",
    "ocsf": "kmslint.reporters.ocsf",
    "oscal": "kmslint.reporters.oscal",
}
"""Format name → module, imported when it is asked for."""
