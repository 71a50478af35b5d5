"""A baseline: the findings that were there when it was written, by fingerprint, so that a gate speaks of new ones only.

A fingerprint survives moving and reformatting a statement and changes with what the statement says. An entry accepts a
finding of its rule and fingerprint at the severity that it had, or below: one that got worse counts again. Only failures are
recorded; what was not decided is never accepted by a baseline.
"""

from collections.abc import Iterable, Mapping

from kmslint.errors import ConfigError
from kmslint.model.result import SEVERITIES, Outcome, Report, Result, Suppression
from kmslint.typed import Final, NamedTuple

FORMAT: Final = "kmslint-baseline/1"
MAX_BYTES: Final = 50_000_000
"""A larger baseline is refused."""
OWNER: Final = "baseline"
UNTIL: Final = "fixed"

_HOW: Final = "kmslint check --write-baseline FILE writes one"


class Entry(NamedTuple):
    """One accepted finding. `key` is the key's identity: entries of keys that a run does not see are left alone."""

    fingerprint: str
    rule: str
    key: str
    severity: str


def read_baseline(file: str) -> tuple[Entry, ...]:
    """The entries of the baseline `file`, in its order.

    Raises ConfigError when it cannot be read or is none: without it nobody knows what was accepted.
    """
    return parse_baseline(content_of(file), file)


def parse_baseline(content: bytes, file: str) -> tuple[Entry, ...]:
    """The entries of a baseline that was read from `file`. Raises ConfigError when it is none."""
    import json

    try:
        found: object = json.loads(content)
    except (ValueError, RecursionError):
        raise ConfigError("is no baseline: it is not JSON", source=file) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("findings"), list):
        raise ConfigError(f"is no baseline: expected `{FORMAT}`", source=file, help=_HOW)
    return tuple(_entry(item, index, file) for index, item in enumerate(found["findings"]))


def write_baseline(report: Report) -> str:
    """The text of a baseline that accepts every failure of `report` but those that a `[[suppress]]` accepts. Deterministic."""
    import json

    names = {key.id: key.identity() for key in report.keys}
    worst: dict[tuple[str, str], Entry] = {}
    for result in report.results:
        if result.outcome is Outcome.FAIL and result.fingerprint and (result.suppressed is None or is_baselined(result)):
            entry = Entry(result.fingerprint, result.rule, names[result.key], result.severity)
            known = worst.get((entry.rule, entry.fingerprint))
            if known is None or SEVERITIES.index(known.severity) < SEVERITIES.index(entry.severity):
                worst[entry.rule, entry.fingerprint] = entry
    entries = sorted(worst.values(), key=lambda entry: (entry.key, entry.rule, entry.fingerprint))
    lines = ",".join(f"\n  {json.dumps(entry._asdict())}" for entry in entries)
    return f'{{"format": "{FORMAT}",\n "findings": [{lines}]}}\n'


def apply_baseline(report: Report, entries: Iterable[Entry], file: str) -> Report:
    """The report with the failures that `entries` accept set apart, and a note for each entry that no longer matches."""
    listed = tuple(entries)
    accepted: Mapping[tuple[str, str], Entry] = {(entry.rule, entry.fingerprint): entry for entry in listed}
    results = tuple(_judged(result, accepted, file) for result in report.results)
    return report._replace(results=results, notes=(*report.notes, *_notes(report, listed, file)))


def is_baselined(result: Result) -> bool:
    """Whether a baseline, and no `[[suppress]]`, accepts the result."""
    return result.suppressed is not None and result.suppressed.owner == OWNER and result.suppressed.until == UNTIL


def _judged(result: Result, accepted: Mapping[tuple[str, str], Entry], file: str) -> Result:
    entry = accepted.get((result.rule, result.fingerprint))
    if entry is None or result.outcome is not Outcome.FAIL or result.suppressed is not None:
        return result
    if SEVERITIES.index(result.severity) > SEVERITIES.index(entry.severity):
        return result
    return result._replace(suppressed=Suppression(f"known when {file} was written", OWNER, UNTIL, where=result.fingerprint))


def _notes(report: Report, entries: tuple[Entry, ...], file: str) -> Iterable[str]:
    """What to tell: entries that are fixed (their rule was asked of their key and does not fail so any more)."""
    names = {key.id: key.identity() for key in report.keys}
    asked = {(names[result.key], result.rule) for result in report.results}
    present = {(result.rule, result.fingerprint) for result in report.results if result.outcome is Outcome.FAIL}
    # A rule that could not be decided this time has not been fixed.
    unsure = {(names[result.key], result.rule) for result in report.results if result.outcome is Outcome.UNDETERMINED}
    for entry in entries:
        where = (entry.key, entry.rule)
        if (entry.rule, entry.fingerprint) not in present and where in asked and where not in unsure:
            yield f"{file}: fixed: `{entry.rule}` of {entry.key} ({entry.fingerprint[:12]}); write the baseline again"


def content_of(file: str) -> bytes:
    """The bytes of the baseline `file`. Raises ConfigError when it cannot be read."""
    try:
        with open(file, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"the baseline cannot be read: {error.strerror}", source=file, help=_HOW) from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"is larger than {MAX_BYTES} bytes", source=file)
    return content


def _entry(item: object, index: int, file: str) -> Entry:
    values = [item.get(name) for name in Entry._fields] if isinstance(item, dict) else []
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) != len(Entry._fields) or texts[3] not in SEVERITIES:
        raise ConfigError(f"`findings[{index}]` is no entry: expected {', '.join(Entry._fields)}", source=file)
    return Entry(*texts)
