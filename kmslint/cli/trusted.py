"""`--trusted-ref`: what judges a change is read from a git revision, so that the change cannot weaken its own gate.

Configuration with its suppressions, baseline and folders of rules are read from the revision. What the working tree would have
changed in them is told. Files outside the repository are read as they are: a change cannot edit them.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType

from kmslint import app
from kmslint.cli.options import Options
from kmslint.cli.setup import Asked, asked_of, compared, settings_of
from kmslint.config import find_config, read_settings
from kmslint.errors import ConfigError, KmslintError, UsageError
from kmslint.gitref import Revision
from kmslint.model.key import Key
from kmslint.model.result import SEVERITIES, Outcome, Report, Result
from kmslint.model.settings import Settings, SuppressionEntry
from kmslint.typed import Final

MAX_SHOWN: Final = 160
"""Characters of a value that a note shows."""


class Trusted:
    """The inputs of a gate as a revision has them. Use it in a `with` statement: errors inside name the revision's files."""

    def __init__(self, ref: str, environ: Mapping[str, str] | None = None) -> None:
        """Raises UsageError when there is no repository around the working directory, or no such revision."""
        self._environ = os.environ if environ is None else environ
        self.revision = Revision(ref, os.getcwd())
        self.ref = ref

    def __enter__(self) -> "Trusted":  # noqa: PYI034  `Self` is imported from typing, which costs every start
        """Use it; the files that were laid out are removed at the end of the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Name the revision's files in an error as the revision names them."""
        if isinstance(error, KmslintError):
            error.message = self.revision.label(error.message)
            error.source = None if error.source is None else self.revision.label(error.source)
            error.args = (error.message,)
        self.revision.__exit__(kind, error, trace)

    # where the revision has it

    def options(self, options: Options) -> Options:
        """The options with every file and folder that judges taken from the revision.

        Raises UsageError when the revision does not have one of them.
        """
        config = None if options.no_config else self.config(options.config)
        return options._replace(
            config=config,
            no_config=config is None,
            rules=tuple(self._laid_out(folder, "--rules") for folder in options.rules),
            baseline=None if options.baseline is None else self._laid_out(options.baseline, "--baseline"),
        )

    def config(self, named: str | None) -> str | None:
        """The configuration file: the one that is named, else the nearest in the revision, else the nearest around it."""
        if named is not None:
            return self._laid_out(named, "--config")
        here = self.revision.inside(os.getcwd()) or ""
        above = [here.rsplit("/", count)[0] for count in range(here.count("/") + 1)] + [""] if here else [""]
        for folder in above:
            for name in ("kmslint.toml", "pyproject.toml"):
                self.revision.lay_out(self.revision.files(f"{folder}/{name}".lstrip("/")))
        found = find_config(self.revision.place(here), {}, top=self.revision.root)
        return found or find_config(os.path.dirname(self.revision.top), self._environ)

    def settings(self, options: Options, as_of: str) -> Settings:
        """The settings of the run, paths in them meant as in the working tree."""
        return self._at_home(settings_of(options, as_of))

    def configuration(self, named: str | None, theirs: Callable[[], Settings], today: str) -> tuple[Settings, tuple[str, ...]]:
        """The configuration alone, and a note for each setting that is another in `theirs`, the working tree's."""
        file = self.config(named)
        ours = Settings() if file is None else self._at_home(read_settings(file, today=today))
        return ours, tuple(self._changes_of_settings(ours, theirs))

    def _at_home(self, settings: Settings) -> Settings:
        file = settings.file
        if file is None or not file.startswith(self.revision.root + os.sep):
            return settings
        return settings._replace(file=os.path.join(self.revision.top, os.path.relpath(file, self.revision.root)))

    def _laid_out(self, path: str, option: str) -> str:
        relative = self.revision.inside(path)
        if relative is None:
            return path
        blobs = self.revision.files(relative)
        if not blobs:
            raise UsageError(f"`{option} {path}` is not in `{self.ref}`", help=f"commit it there, or leave {option} out")
        self.revision.lay_out(blobs)
        return self.revision.place(relative)

    # what the change would have changed

    def told(self, report: Report, settings: Settings, given: Options) -> Report:
        """The report with notes on what of the gate the working tree changes, and which findings that would have hidden."""
        notes = [*self._changes_of_settings(settings, lambda: settings_of(given, report.as_of)), *self._changes_of_files(given)]
        if notes:
            notes += self._hidden(report, settings, given)
        label = self.revision.label
        results = tuple(
            _labelled(result, label(result.suppressed.reason)) if result.suppressed else result for result in report.results
        )
        return report._replace(results=results, notes=(*map(label, report.notes), *notes))

    def _changes_of_settings(self, ours: Settings, read: Callable[[], Settings]) -> Iterator[str]:
        """A note for each setting that differs, and for each suppression that only one side has."""
        try:
            theirs = read()
        except ConfigError as error:
            yield f"the configuration of the working tree is not used, and could not be: {error}"
            return
        for name in Settings._fields:
            mine, yours = getattr(ours, name), getattr(theirs, name)
            if name in {"file", "sha256", "suppress"} or mine == yours:
                continue
            yield f"`{name}` is {_shown(mine)} as `{self.ref}` has it; {_shown(yours)}, as the working tree has it, is not used"
        here = [_entry(entry) for entry in ours.suppress]
        there = [_entry(entry) for entry in theirs.suppress]
        for entry in there:
            if entry not in here:
                yield f"a suppression that `{self.ref}` does not have is not used: {entry}"
        for entry in here:
            if entry not in there:
                yield f"a suppression of `{self.ref}` that the working tree does not have is used: {entry}"

    def _changes_of_files(self, given: Options) -> Iterator[str]:
        """A note for each file of rules, and the baseline, that is another in the working tree."""
        for folder in (*given.rules, *(() if given.baseline is None else (given.baseline,))):
            relative = self.revision.inside(folder)
            if relative is None:
                continue
            there = {blob.path: _content(self.revision.place(blob.path)) for blob in self.revision.files(relative)}
            here = {path: _content(os.path.join(self.revision.top, path)) for path in {*there, *self._present(relative)}}
            for path in sorted(here):
                if here[path] != there.get(path):
                    what = "is new" if path not in there else "is gone" if here[path] is None else "is changed"
                    yield f"`{path}` {what} in the working tree; what `{self.ref}` has is used"

    def _present(self, relative: str) -> Iterator[str]:
        top = os.path.join(self.revision.top, relative)
        for folder, _, names in os.walk(top):
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.revision.top).replace(os.sep, "/")

    def _hidden(self, report: Report, settings: Settings, given: Options) -> Iterator[str]:
        """A note for each finding that counts and would not count if the working tree judged itself."""
        try:
            theirs = settings_of(given, report.as_of)
            asked: Asked = asked_of(given, theirs)
            rules, frameworks = asked.rules, asked.frameworks
            other = app.report_on(report.keys, rules=rules, settings=theirs, as_of=report.as_of, frameworks=frameworks)
            other = compared(other, given._replace(write_baseline=None))
        except KmslintError as error:
            yield f"the working tree could not judge itself: {error}"
            return
        counted = {_mark(result) for result in _counted(other, theirs)}
        names = {key.id: key for key in report.keys}
        for result in _counted(report, settings):
            if _mark(result) not in counted:
                yield f"the working tree would have hidden {result.rule} [{result.severity}] at {_name(names[result.key])}: {result.message}"


def _labelled(result: Result, reason: str) -> Result:
    return result if result.suppressed is None else result._replace(suppressed=result.suppressed._replace(reason=reason))


def _counted(report: Report, settings: Settings) -> Sequence[Result]:
    """The failures that fail the run."""
    if settings.fail_on == "never":
        return ()
    least = SEVERITIES.index(settings.fail_on)
    return [
        result
        for result in report.results
        if result.outcome is Outcome.FAIL and not result.suppressed and SEVERITIES.index(result.severity) >= least
    ]


def _mark(result: Result) -> tuple[str, str, str]:
    return result.rule, result.key, result.fingerprint


def _name(key: Key) -> str:
    return key.source.address or key.source.file or key.identity()


def _entry(entry: SuppressionEntry) -> str:
    return f"`{entry.rule}` at `{entry.where}` until {entry.until} ({entry.owner}: {entry.reason})"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _content(file: str) -> bytes | None:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except OSError:
        return None
