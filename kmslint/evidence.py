"""Evidence: a folder with everything that one scan read, asked and found, made to be kept and to be verified.

    snapshot.jsonl   what KMS answered                      kmslint.toml    what was asked, defaults included
    report.*         what was found                         baseline.json   findings that did not count, if any
    rules/*.md       the page of each rule that was asked   manifest.json   the SHA-256 of all of these, versions, dates, caller
    SHA256SUMS       the same for `sha256sum -c`, with the manifest

The reports are made from the snapshot in the folder, as `verify` makes them again. The folder appears whole or not at all, and is
never overwritten. It holds no credential: what KMS is asked with is nowhere in what KMS answers.

Source: 45 CFR 164.316(b)(2)(i): documentation is kept for six years.
"""

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from types import TracebackType

from kmslint import __version__, app
from kmslint.aws import actions
from kmslint.aws.partitions import VIA_SERVICES_AS_OF
from kmslint.baseline import apply_baseline, content_of, parse_baseline
from kmslint.config import digest, read_settings
from kmslint.effective import effective_toml
from kmslint.engine import compiled
from kmslint.engine.frameworks import Framework
from kmslint.engine.loader import pages
from kmslint.engine.rule import Rule
from kmslint.errors import InternalError, UsageError
from kmslint.model.result import Report, SourceError
from kmslint.model.settings import Settings
from kmslint.reporters import FORMATS
from kmslint.reporters.view import View
from kmslint.sha256 import hexdigest
from kmslint.sources.kms_answers import Observation
from kmslint.sources.snapshot import Header, closing_lines, header_line, key_line, keys_in_file
from kmslint.typed import Final, NamedTuple, NoReturn

FORMAT: Final = "kmslint-evidence/1"
MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
SNAPSHOT: Final = "snapshot.jsonl"
SETTINGS: Final = "kmslint.toml"
BASELINE: Final = "baseline.json"
REPORT: Final = "report.json"

REPORTS: Final[Mapping[str, str]] = {
    "html": "report.html",
    "json": REPORT,
    "csv": "report.csv",
    "oscal": "report.oscal.json",
    "ocsf": "report.ocsf.json",
}
"""Format: the file that holds it."""


class Asked(NamedTuple):
    """What a run asked, and who asked when. `caller` is an ARN, where STS told it; `baseline` the text of `--baseline`."""

    settings: Settings
    rules: tuple[Rule, ...]
    frameworks: tuple[Framework, ...]
    baseline: bytes | None
    as_of: str
    made: str
    caller: str | None


class Evidence:
    """The folder while it is filled, in a `with` statement: without `finish`, nothing is left of it."""

    def __init__(self, directory: str, header: Header) -> None:
        """Raises UsageError when `directory` holds something, or cannot be made."""
        self.directory = os.path.abspath(directory)
        self._draft = f"{os.path.dirname(self.directory)}{os.sep}.{os.path.basename(self.directory)}.{os.getpid()}.tmp"
        self._keys = 0
        if os.path.lexists(directory) and (not os.path.isdir(directory) or os.listdir(directory)):
            raise UsageError("is there already", source=directory, help="evidence is never overwritten; name a new folder")
        try:
            os.makedirs(self._draft)
            self._snapshot = open(os.path.join(self._draft, SNAPSHOT), "x", encoding="ascii", newline="\n")  # noqa: SIM115
            self._snapshot.write(header_line(header))
        except OSError as error:
            raise self._unwritable(error) from None

    def __enter__(self) -> "Evidence":  # noqa: PYI034  `Self` is imported from typing, which costs every start
        """Use it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Take away what was not finished."""
        self._snapshot.close()
        shutil.rmtree(self._draft, ignore_errors=True)

    def note(self, observation: Observation) -> None:
        """Write down what KMS answered about one key. Raises UsageError when it cannot be written."""
        try:
            self._snapshot.write(key_line(observation))
        except OSError as error:
            raise self._unwritable(error) from None
        self._keys += 1

    def finish(self, report: Report, asked: Asked) -> str:
        """Put the folder in its place; the SHA-256 of its manifest.

        `report` is what the scan found; its notes go into the manifest. Raises UsageError when the folder cannot be written,
        InternalError when the snapshot does not give the same results.
        """
        try:
            self._snapshot.write(closing_lines(self._keys, report.errors))
            self._snapshot.close()
            manifest = self._filled(report, asked)
            if os.path.isdir(self.directory):
                os.rmdir(self.directory)
            os.rename(self._draft, self.directory)
        except OSError as error:
            raise self._unwritable(error) from None
        return manifest

    def _filled(self, report: Report, asked: Asked) -> str:
        self._write(SETTINGS, effective_toml(asked.settings))
        if asked.baseline is not None:
            self._write(BASELINE, asked.baseline)
        again = judged(self._draft, asked.rules, asked.frameworks, asked.as_of)
        if _verdicts(again) != _verdicts(report):
            raise InternalError("the snapshot of the scan does not give the results of the scan")
        for format, name in REPORTS.items():
            self._write(name, rendered(format, again, asked.caller))
        for id, page in pages(asked.rules).items():
            self._write(f"rules/{id}.md", page)
        files = dict(digests(self._draft))
        manifest = json.dumps(_manifest(asked, report.notes, files), indent=1) + "\n"
        self._write(MANIFEST, manifest)
        self._write(SUMS, sums({**{name: sha for name, (sha, _) in files.items()}, MANIFEST: hexdigest(manifest.encode())}))
        return hexdigest(manifest.encode())

    def _write(self, name: str, content: str | bytes) -> None:
        data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
        file = os.path.join(self._draft, *name.split("/"))
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "xb") as stream:
            stream.write(data)

    def _unwritable(self, error: OSError) -> UsageError:
        reason = (error.strerror or "unknown error").lower()
        return UsageError(f"the evidence cannot be written: {reason}", source=self.directory, help="name a folder elsewhere")


def judged(directory: str, rules: Sequence[Rule], frameworks: Sequence[Framework], as_of: str) -> Report:
    """The report on the snapshot in `directory`, by the configuration and baseline in it.

    Raises ConfigError when one of these cannot be read.
    """
    settings = read_settings(os.path.join(directory, SETTINGS), today=as_of[:10])._replace(file=SETTINGS)
    found = keys_in_file(os.path.join(directory, SNAPSHOT), SNAPSHOT)
    report = app.report_on(found, rules=rules, settings=settings, as_of=as_of, frameworks=frameworks)
    baseline = os.path.join(directory, BASELINE)
    if not os.path.isfile(baseline):
        return report
    return apply_baseline(report, parse_baseline(content_of(baseline), BASELINE), BASELINE)


def rendered(format: str, report: Report, caller: str | None) -> str:
    """The report in full, as evidence holds it: nothing is hidden, and it says who scanned."""
    text: str = import_module(FORMATS[format]).render(report, View(show_suppressed=True, verbose=True, caller=caller))
    return text


def digests(directory: str) -> Iterator[tuple[str, tuple[str, int]]]:
    """Each regular file in `directory` and below, by its name from there, with its SHA-256 and bytes; sorted.

    What is no regular file (a link, a pipe) is not opened: it has the digest "" . Raises OSError when a file cannot be read.
    """
    for folder, folders, names in os.walk(directory, onerror=_raise):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*names, *links]):
            path = os.path.join(folder, name)
            inside = os.path.relpath(path, directory).replace(os.sep, "/")
            yield inside, ("", 0) if os.path.islink(path) or not os.path.isfile(path) else _digest(path)


def sums(digests: Mapping[str, str]) -> str:
    """The text of SHA256SUMS, as `sha256sum -c` reads it."""
    return "".join(f"{sha}  {name}\n" for name, sha in sorted(digests.items()))


def _manifest(asked: Asked, notes: Sequence[str], files: Mapping[str, tuple[str, int]]) -> dict[str, object]:
    return {
        "format": FORMAT,
        "as_of": asked.as_of,
        "made": asked.made,
        "caller": asked.caller,
        "tool": {"name": "kmslint", "version": __version__, "python": platform.python_version()},
        "tables": {"actions": actions.AS_OF, "via_services": VIA_SERVICES_AS_OF},
        "rules": {"sha256": compiled.digest(asked.rules), "ids": [rule.id for rule in asked.rules]},
        "frameworks": [framework.id for framework in asked.frameworks],
        "config_sha256": digest(asked.settings),
        "notes": list(notes),
        "files": {name: {"sha256": sha, "bytes": size} for name, (sha, size) in files.items()},
    }


def _verdicts(report: Report) -> tuple[list[tuple[object, ...]], tuple[SourceError, ...]]:
    """What must be the same from the snapshot. How a suppression is called may differ: it names the file that it stands in."""
    verdicts: list[tuple[object, ...]] = [
        (result.rule, result.key, result.outcome, result.severity, result.fingerprint, result.suppressed is not None)
        for result in report.results
    ]
    return verdicts, report.errors


def _digest(path: str) -> tuple[str, int]:
    found, size = hashlib.sha256(), 0
    with open(path, "rb") as stream:
        while part := stream.read(1 << 20):
            found.update(part)
            size += len(part)
    return found.hexdigest(), size


def _raise(error: OSError) -> NoReturn:
    raise error
