"""Does a folder of evidence still hold what it held, and does its snapshot still give what it gave?"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence

from kmslint import __version__
from kmslint.engine import compiled
from kmslint.engine.frameworks import Framework, restricted
from kmslint.engine.loader import Catalogue
from kmslint.engine.rule import Rule
from kmslint.errors import ConfigError, InputError
from kmslint.evidence import BASELINE, FORMAT, MANIFEST, REPORT, SETTINGS, SNAPSHOT, SUMS, digests, judged, rendered, sums
from kmslint.model.result import Report
from kmslint.sha256 import hexdigest
from kmslint.sources.snapshot import is_moment
from kmslint.typed import Any, Final, NamedTuple

MAX_BYTES: Final = 10_000_000
"""Of a manifest: it names a hundred files."""
MAX_CHANGES: Final = 200
"""Results that differ and are told one by one."""


class Manifest(NamedTuple):
    """What a manifest states, as far as it is verified. `files`: name → SHA-256."""

    as_of: str
    caller: str | None
    version: str
    rules_sha256: str
    rules: tuple[str, ...]
    frameworks: tuple[str, ...]
    files: Mapping[str, str]
    digest: str
    """The SHA-256 of the manifest itself."""


class Verdict(NamedTuple):
    """What changed, and what should be known of the comparison and is no change. `results` counts those that were recomputed."""

    changes: tuple[str, ...]
    notes: tuple[str, ...]
    results: int


def read_manifest(directory: str) -> Manifest:
    """The manifest of the evidence in `directory`. Raises InputError when there is none that can be read."""
    file = os.path.join(directory, MANIFEST)
    if _is_odd(file):
        raise InputError("is no regular file", source=file, help=_HELP)
    try:
        with open(file, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {(error.strerror or 'unknown error').lower()}", source=file, help=_HELP) from None
    found = _json(data) if len(data) <= MAX_BYTES else None
    manifest = _manifest(found, hexdigest(data)) if isinstance(found, dict) and found.get("format") == FORMAT else None
    if manifest is None:
        raise InputError(f"is no manifest: expected `{FORMAT}`", source=file, help=_HELP)
    return manifest


def verify(directory: str, manifest: Manifest, catalogue: Catalogue) -> Verdict:
    """What differs between the evidence in `directory` and its manifest, and between its report and its snapshot.

    Raises InputError when a file cannot be read.
    """
    changes = list(_file_changes(directory, manifest))
    notes: list[str] = []
    rules, frameworks = _asked(manifest, catalogue, changes)
    is_same_tool = manifest.version == __version__ and compiled.digest(rules) == manifest.rules_sha256
    if not is_same_tool:
        notes.append(f"judged by kmslint {manifest.version} then and {__version__} now, with other rules or another program")
    odd = [name for name in (SNAPSHOT, SETTINGS, BASELINE, REPORT) if _is_odd(os.path.join(directory, name))]
    if odd:
        return Verdict((*changes, f"the results cannot be recomputed: {odd[0]} is no regular file"), tuple(notes), 0)
    try:
        again = judged(directory, rules, frameworks, manifest.as_of)
    except ConfigError as error:
        return Verdict((*changes, f"the results cannot be recomputed: {error}"), tuple(notes), 0)
    except OSError as error:
        raise _unreadable(directory, error) from None
    changes += _result_changes(directory, again, manifest, is_same_tool=is_same_tool)
    return Verdict(tuple(changes), tuple(notes), len(again.results))


_HELP: Final = "name the folder that kmslint scan --evidence made"


def _is_odd(path: str) -> bool:
    """Whether there is something at `path` that is no regular file: a link may lead anywhere, a pipe never ends."""
    return os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path))


def _unreadable(directory: str, error: OSError) -> InputError:
    return InputError(f"cannot be read: {(error.strerror or 'unknown error').lower()}", source=error.filename or directory)


def _json(data: bytes) -> object:
    """The JSON value in `data`; None for what is none."""
    try:
        found: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found


def _manifest(found: Mapping[str, Any], digest: str) -> Manifest | None:
    """The manifest, if each member has its type."""
    tool, rules, files = (_table(found.get(name)) for name in ("tool", "rules", "files"))
    as_of, version, sha256 = found.get("as_of"), tool.get("version"), rules.get("sha256")
    ids, frameworks, caller = _texts(rules.get("ids")), _texts(found.get("frameworks")), found.get("caller")
    listed = {name: str(_table(stated).get("sha256")) for name, stated in files.items()}
    if not (isinstance(as_of, str) and is_moment(as_of) and isinstance(version, str) and isinstance(sha256, str)):
        return None
    if ids is None or frameworks is None or not isinstance(caller, (str, type(None))):
        return None
    return Manifest(as_of, caller, version, sha256, ids, frameworks, listed, digest)


def _texts(value: object) -> tuple[str, ...] | None:
    """The texts of a list; None for anything else."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return tuple(value)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _asked(manifest: Manifest, catalogue: Catalogue, changes: list[str]) -> tuple[tuple[Rule, ...], tuple[Framework, ...]]:
    """The rules and frameworks that the manifest names; those that are not there any more are noted among `changes`."""
    rules = {rule.id: rule for rule in catalogue.rules}
    frameworks = {framework.id: framework for framework in catalogue.frameworks}
    named = (
        *(name for name in manifest.rules if name not in rules),
        *(name for name in manifest.frameworks if name not in frameworks),
    )
    changes += [f"the rule or framework `{name}` is not there; `--rules DIR` names rules of your own" for name in named]
    chosen = tuple(frameworks[name] for name in manifest.frameworks if name in frameworks)
    asked = tuple(rules[name] for name in manifest.rules if name in rules)
    return restricted(asked, chosen) if chosen else asked, chosen


# --- files


def _file_changes(directory: str, manifest: Manifest) -> Iterator[str]:
    """Only files that are found are opened: a manifest's names are never followed."""
    try:
        present = dict(digests(directory))
    except OSError as error:
        raise _unreadable(directory, error) from None
    expected = {**manifest.files, MANIFEST: manifest.digest}
    expected[SUMS] = hexdigest(sums(expected).encode("utf-8", "surrogatepass"))
    for name in sorted({*present, *expected}):
        if name not in present:
            yield f"{name}: is gone"
        elif name not in expected:
            yield f"{name}: is not in the manifest"
        elif not present[name][0]:
            yield f"{name}: is no regular file"
        elif present[name][0] != expected[name]:
            yield f"{name}: SHA-256 is {present[name][0]}, was {expected[name]}"


# --- results


def _result_changes(directory: str, again: Report, manifest: Manifest, *, is_same_tool: bool) -> Iterator[str]:
    """How the report in the folder differs from the one that its snapshot gives now."""
    try:
        with open(os.path.join(directory, REPORT), "rb") as stream:
            kept = stream.read()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(directory, error) from None
    made = rendered("json", again, manifest.caller).encode("utf-8", "backslashreplace")
    if made == kept:
        return
    was, now = _outcomes(_json(kept)), _outcomes(_json(made))
    if was is None or now is None:
        yield f"{REPORT}: is no report"
        return
    differing = [about for about in {**was, **now} if was.get(about) != now.get(about)]
    for rule, key in differing[:MAX_CHANGES]:
        then, today = was.get((rule, key), ()), now.get((rule, key), ())
        yield f"{rule} on {key}: was {_said(then)}, is {_said(today)}"
    if len(differing) > MAX_CHANGES:
        yield f"and {len(differing) - MAX_CHANGES} more results"
    if not differing and is_same_tool:
        yield f"{REPORT}: the snapshot gives the same outcomes, in other words"


def _outcomes(report: object) -> dict[tuple[str, str], tuple[tuple[str, str, str], ...]] | None:
    """Outcome, severity and fingerprint of each result by rule and key; None for what is no report."""
    found = _table(report)
    keys, results = found.get("keys"), found.get("results")
    if not isinstance(keys, list) or not isinstance(results, list):
        return None
    names = {str(_table(key).get("id")): str(_table(key).get("arn") or _table(key).get("id")) for key in keys}
    by_key: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for item in results:
        result = _table(item)
        about = str(result.get("rule")), names.get(str(result.get("key")), str(result.get("key")))
        outcome = f"{result.get('outcome')}{' suppressed' if result.get('suppressed') else ''}"
        by_key.setdefault(about, []).append((outcome, str(result.get("severity")), str(result.get("fingerprint"))))
    return {about: tuple(sorted(said)) for about, said in by_key.items()}


def _said(results: Sequence[tuple[str, str, str]]) -> str:
    words = [f"{outcome} [{severity}] {fingerprint[:12]}".rstrip() for outcome, severity, fingerprint in results]
    return ", ".join(words) or "not there"
