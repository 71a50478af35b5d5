"""Files, folders and stdin become keys, errors, and what was passed over with the reason.

One unreadable input never hides the others. A file that the user names must hold a key; a file met in a folder is an error
only if it looks like a key policy and cannot be read.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from kmslint.errors import InputError
from kmslint.jsontext import quoted
from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.sources import observed_files, template_files, terraform_files
from kmslint.sources.gitignore import Ignored
from kmslint.sources.policy_json import NotAKey, keys_from_json
from kmslint.typed import Final, NamedTuple, Protocol, Union

MAX_BYTES: Final = 20_000_000
"""A larger file is not read: a key policy has at most 32 KB, the largest real Terraform plan about 10 MB."""

MAX_FOLDERS_DEEP: Final = 100
"""Folders inside each other; deeper ones are reported, not read."""

STDIN: Final = "-"


class Skipped(NamedTuple):
    """An input that is plainly no key, and why."""

    source: str
    reason: str


class Reader(Protocol):
    """Reads the keys of one text. Raises InputError when the text is not of its format."""

    def __call__(
        self,
        text: Text,
        /,
        *,
        named: bool,
        type: str,
        arn: str | None,
        account: str | None,
        account_source: str,
        region: str | None,
    ) -> Union[Sequence[Union[Key, SourceError]], NotAKey]:
        """The keys of `text`, their ids left empty, and what could not be read of it; or why it holds none."""


READERS: Final[Mapping[str, Reader]] = {".json": keys_from_json, observed_files.LINES: keys_from_json} | dict.fromkeys(
    template_files.SUFFIXES, template_files.keys_in_template
)
"""What is read in folders, by the end of the name. A named file of another name is read as JSON."""

Found = Union[Key, SourceError, Skipped]


class _Run(NamedTuple):
    """What holds for all inputs of one run."""

    settings: Settings
    type: str
    arn: str | None
    account: str | None
    region: str | None
    var_files: Sequence[str]
    parameters: Mapping[str, str]
    declared: set[str]

    def owner(self, path: str) -> tuple[str | None, str]:
        """The owner of the keys in `path`, and how it is known: given for this run, or configured."""
        if self.account is not None:
            return self.account, "given"
        return configured_account(self.settings, path), "configured"

    def terraform(self) -> terraform_files.Given:
        """What Terraform code is read with."""
        return terraform_files.Given(self.owner, self.region, self.var_files, self.parameters, self.declared)


def collect(
    paths: Sequence[str],
    *,
    settings: Settings,
    type: str = "auto",
    arn: str | None = None,
    account: str | None = None,
    region: str | None = None,
    stdin: bytes | None = None,
    stdin_name: str = "<stdin>",
    var_files: Sequence[str] = (),
    parameters: Mapping[str, str] | None = None,
    declared: set[str] | None = None,
) -> Iterator[Found]:
    """What is found in `paths`, in their order, folders in the order of names; each file once.

    `stdin` is the content of standard input, which the path `-` stands for. `arn`, `account` and `region` are the keys', where
    given; `type` is as in `keys_from_json`; `var_files` and `parameters` are values of a template's variables. Into `declared` go
    the names of the variables that the templates with keys have. A key's id is left empty.
    """
    run = _Run(settings, type, arn, account, region, var_files, parameters or {}, set() if declared is None else declared)
    seen: set[str] = set()
    for path in paths:
        if path == STDIN:
            if STDIN not in seen:
                yield from _from_bytes(stdin or b"", stdin_name, run, keys_from_json, named=True)
            seen.add(STDIN)
        elif os.path.isdir(path):
            yield from _from_folder(path, run, seen)
        elif _is_new(path, seen):
            yield from _from_file(path, run, named=True)


def without_comments(found: Iterable[Found]) -> Iterator[Found]:
    """What was found, the comments that accept findings put aside: a change must not weaken its own gate."""
    for item in found:
        if not isinstance(item, Key) or not item.comments:
            yield item
            continue
        places = ", ".join(dict.fromkeys(comment.entry.where for comment in item.comments))
        note = f"the comments at {places} accept findings and do not count under --trusted-ref"
        yield item._replace(comments=(), notes=(*item.notes, note))


def configured_account(settings: Settings, path: str) -> str | None:
    """The owner that the configuration states for `path`: the first entry of `[[accounts]]` whose glob matches, else `account`.

    A glob is relative to the configuration file; one that names a folder stands for all in it; `*` crosses folders.
    """
    if not settings.accounts:
        return settings.account
    from fnmatch import fnmatchcase

    folder = os.path.dirname(os.path.abspath(settings.file)) if settings.file else os.getcwd()
    relative = os.path.relpath(os.path.abspath(path), folder).replace(os.sep, "/")
    for pattern, account in settings.accounts:
        glob = pattern.removeprefix("./").rstrip("/")
        if fnmatchcase(relative, glob) or fnmatchcase(relative, glob + "/*"):
            return account
    return settings.account


def _is_new(path: str, seen: set[str]) -> bool:
    """Whether `path` was not read before; from now on it was."""
    whole = os.path.abspath(path)
    if whole in seen:
        return False
    seen.add(whole)
    return True


def _label(path: str) -> str:
    """`path` for a report: a name that is not UTF-8 is shown with escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


# --- folders


def _from_folder(folder: str, run: _Run, seen: set[str]) -> Iterator[Found]:
    """What is in `folder` and below. Hidden folders are not entered, links to folders not followed.

    What `.gitignore` leaves out is left out, and told; what the user names is read all the same.
    """
    stack: list[tuple[str, int]] = [(folder, 0)]
    ignored = Ignored(folder)
    code: dict[str, None] = {}
    while stack:
        path, depth = stack.pop()
        if depth < 0 and terraform_files.is_code(path):
            code[os.path.dirname(path) or os.curdir] = None
        elif depth < 0:
            if _is_new(path, seen):
                yield from _from_file(path, run, named=False)
        elif depth > MAX_FOLDERS_DEEP:
            yield SourceError(_label(path), None, None, f"folders are nested more than {MAX_FOLDERS_DEEP} deep")
        else:
            try:
                inside = sorted(_entries(path, depth), reverse=True)
            except OSError as error:
                yield SourceError(_label(path), None, None, _reason(error))
                continue
            for entry, below in inside:
                if ignored.holds(path, os.path.basename(entry), is_folder=below >= 0):
                    yield Skipped(_label(entry), "left out by .gitignore")
                else:
                    stack.append((entry, below))
    fresh = [path for path in code if _is_new(os.path.join(path, "*.tf"), seen)]
    yield from terraform_files.keys_in_folders(fresh, run.terraform())


def _entries(folder: str, depth: int) -> Iterator[tuple[str, int]]:
    """The paths in `folder` that are read: folders with their depth, files with -1."""
    prefix = "" if os.path.normpath(folder) == os.curdir else folder
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    yield os.path.join(prefix, entry.name), depth + 1
            elif (_reader(entry.name) is not None or terraform_files.is_code(entry.name)) and not os.path.isdir(entry.path):
                yield os.path.join(prefix, entry.name), -1


def _reader(name: str) -> Reader | None:
    return READERS.get(os.path.splitext(name.lower().removesuffix(observed_files.PACKED))[1])


# --- files


def _from_file(path: str, run: _Run, *, named: bool) -> Iterator[Found]:
    """The keys in one file, or why there are none."""
    if terraform_files.is_code(path) and os.path.exists(path):
        yield from _from_code(path, run)
        return
    if observed_files.is_snapshot(path):
        yield from observed_files.keys_in_snapshot(path, _label(path), run.account)
        return
    if not named and path.lower().endswith(observed_files.LINES):
        yield Skipped(_label(path), "no snapshot of a scan")
        return
    try:
        data = _read(path, named=named)
    except OSError as error:
        yield SourceError(_label(path), None, None, _reason(error))
        return
    if data is None:
        yield Skipped(_label(path), "not a regular file")
    else:
        yield from _from_bytes(data, path, run, _reader(path) or keys_from_json, named=named)


def _from_code(path: str, run: _Run) -> Iterator[Found]:
    """The keys in one named file of Terraform code."""
    is_empty = True
    for found in terraform_files.keys_in_file(path, run.terraform()):
        is_empty = False
        yield found
    if is_empty:
        yield Skipped(_label(path), "no KMS key in it")


def _read(path: str, *, named: bool) -> bytes | None:
    """At most MAX_BYTES + 1 bytes of a file; None for a pipe or a device that nobody named."""
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags if named else flags | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        if not named and not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        return file.read(MAX_BYTES + 1)


def _reason(error: OSError) -> str:
    """Why the system refused, lower case: `permission denied`, `no such file or directory`."""
    return f"cannot be read: {(error.strerror or 'unknown error').lower()}"


def _from_bytes(data: bytes, path: str, run: _Run, reader: Reader, *, named: bool) -> Iterator[Found]:
    """The keys in the content of a file."""
    label = _label(path)
    try:
        data = observed_files.unpacked(data, MAX_BYTES + 1) if path.lower().endswith(observed_files.PACKED) else data
        text = Text(_decode(data, label), file=label)
        if not named and run.type == "auto" and not _is_promising(text.content):
            yield Skipped(label, "no policy in it")
            return
        if terraform_files.is_code(path):
            yield from terraform_files.keys_in_text(text, run.terraform())
            return
        account, how = run.owner(path)
        if terraform_files.is_plan(text.content):
            from kmslint.sources.terraform_plan import keys_from_plan as reader
        elif run.type == "auto" and template_files.is_template(text.content):
            reader = partial(template_files.keys_in_template, parameters=run.parameters, declared=run.declared)
        elif run.type == "auto" and observed_files.is_config(text.content):
            from kmslint.sources.config_items import keys_from_config as reader
        found = reader(text, named=named, type=run.type, arn=run.arn, account=account, account_source=how, region=run.region)
    except InputError as error:
        if named or _looks_like_policy(data):
            yield SourceError(label, error.line, error.column, error.message, error.help)
        else:
            yield Skipped(label, f"cannot be read: {error.message}")
        return
    if not isinstance(found, NotAKey):
        yield from observed_files.joined(found, path, text.content) if run.arn is None else found
    elif named:
        yield SourceError(label, None, None, f"holds no key policy: {found.reason}", _ABOUT_TYPE)
    else:
        yield Skipped(label, found.reason)


_ABOUT_TYPE: Final = "`--type policy` reads it as a key policy all the same"


def _decode(data: bytes, label: str) -> str:
    """The text of UTF-8 bytes without its byte order mark. Raises InputError for anything else."""
    if len(data) > MAX_BYTES:
        raise InputError(f"larger than {MAX_BYTES:,} bytes", source=label)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("the text is UTF-16, expected UTF-8", source=label, help="save it as UTF-8")
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        raise InputError(
            f"the byte {quoted(f'0x{data[error.start]:02x}')} is not UTF-8", source=label, line=line, column=column
        ) from None


def _is_promising(content: str) -> bool:
    """Whether a text in a folder is worth parsing: it may hold a policy. An escape could spell any word."""
    return (
        "\\u" in content
        or terraform_files.is_plan(content)
        or template_files.is_template(content)
        or observed_files.is_config(content)
        or ("tatement" in content and ("kms" in content.lower() or "*" in content))
    )


def _looks_like_policy(data: bytes) -> bool:
    """Whether a text that cannot be read looks like a key policy: it holds both `kms` and `Statement`, in any encoding."""
    plain = data.replace(b"\0", b"")
    return b"Statement" in plain and b"kms" in plain.lower()
