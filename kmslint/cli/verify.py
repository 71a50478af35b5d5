"""`kmslint verify`: is evidence what it was, and does its snapshot still give its results? Exit code 0 if so, 1 if not."""

import re

from kmslint.cli import messages
from kmslint.cli.arguments import WrongArgumentError
from kmslint.cli.options import Parser
from kmslint.engine.loader import load_catalogue
from kmslint.reporters.visible import visible
from kmslint.verification import Manifest, Verdict, read_manifest, verify


def run(arguments: list[str]) -> int:
    """Verify the evidence that `arguments` name."""
    parser = Parser(
        "verify", "DIR", "Recompute the hashes of evidence, and its results from its snapshot. No network, no credentials."
    )
    parser.add_argument("directory", metavar="DIR", help="a folder that kmslint scan --evidence made")
    parser.add_argument("--sha256", metavar="HEX", type=_digest, help="the SHA-256 that the manifest must have")
    parser.add_argument("--rules", action="append", default=[], metavar="DIR", help="a folder with rules of your own; may repeat")
    found = parser.parse_args(arguments)
    manifest = read_manifest(found.directory)
    verdict = verify(found.directory, manifest, load_catalogue(tuple(found.rules)))
    if found.sha256 not in {None, manifest.digest}:
        wrong = f"manifest.json: SHA-256 is {manifest.digest}, expected {found.sha256}"
        verdict = verdict._replace(changes=(wrong, *verdict.changes))
    messages.write_stdout("".join(f"{visible(line)}\n" for line in _lines(manifest, verdict)))
    return 1 if verdict.changes else 0


def _lines(manifest: Manifest, verdict: Verdict) -> list[str]:
    by = f" by {manifest.caller}" if manifest.caller else ""
    return [
        f"evidence of {manifest.as_of}{by}: kmslint {manifest.version}, {len(manifest.rules)} rules, manifest {manifest.digest}",
        *(f"note: {note}" for note in verdict.notes),
        *(f"changed: {change}" for change in verdict.changes),
        f"{len(manifest.files)} files and {verdict.results} results were compared, "
        + (f"{len(verdict.changes)} changed" if verdict.changes else "all are as they were"),
    ]


def _digest(text: str) -> str:
    if re.fullmatch("[0-9a-fA-F]{64}", text):
        return text.lower()
    raise WrongArgumentError(f"`{text}` is not a SHA-256 of 64 hex digits")
