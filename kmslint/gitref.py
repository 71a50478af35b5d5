"""Reads files of a git revision through the git command: nothing is checked out, no hook or filter runs, no network is used.

The files are laid out in a temporary folder, so that every source reads them as it reads a working tree. What is found there is
then named after the revision (`main:keys/prod.json`).
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType

from kmslint.errors import InputError, UsageError
from kmslint.location import Location, Text
from kmslint.model.key import Absent, Fact, Key, Known, Unknown
from kmslint.model.result import SourceError
from kmslint.policy.document import Policy
from kmslint.sources.files import READERS, Found, Skipped
from kmslint.sources.terraform_files import SUFFIXES, is_code
from kmslint.tree import Member, Node
from kmslint.typed import Final, NamedTuple

MAX_BLOB: Final = 20_000_000
"""Bytes of a file that is laid out; a larger one is left out, as `check` would refuse it."""

MAX_TOTAL: Final = 500_000_000
"""Bytes laid out for one run."""

TIMEOUT: Final = 120
"""Seconds that one git command may take."""

BESIDE: Final = (".tfvars", ".tpl", ".tftpl", ".tmpl", ".txt", ".policy")
"""Other files that Terraform code may read a policy from."""

_REGULAR: Final = ("100644", "100755")
_LINK: Final = "120000"
_SAFE: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}


class Blob(NamedTuple):
    """A file of a revision. `path` is relative to the top of the repository, with `/`."""

    path: str
    id: str
    size: int
    is_link: bool


class Revision:
    """A commit, and a temporary folder in which files of it are laid out. Use it in a `with` statement."""

    def __init__(self, ref: str, directory: str) -> None:
        """The commit that `ref` names in the repository around `directory`.

        Raises UsageError when there is no repository, no git, or no such commit.
        """
        self.ref = ref
        self.top = os.path.realpath(_text(_git(directory, "rev-parse", "--show-toplevel", on_error=_no_repository(directory))))
        name = f"{ref}^{{commit}}"
        unknown = UsageError(
            f"git knows no revision `{ref}`", help="fetch it first: a shallow clone lacks it (fetch-depth: 0, git fetch origin)"
        )
        self.commit = _text(_git(directory, "rev-parse", "--verify", "--quiet", "--end-of-options", name, on_error=unknown))
        self._folder = tempfile.TemporaryDirectory(prefix="kmslint-")
        self.root = os.path.realpath(self._folder.name)
        os.mkdir(os.path.join(self.root, ".git"))  # the root of what code may read, as in a working tree
        self._blobs: dict[str, Blob] | None = None
        self._written = 0

    def __enter__(self) -> "Revision":  # noqa: PYI034  `Self` is imported from typing, which costs every start
        """Use it; the folder is removed at the end of the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._folder.cleanup()

    def relative(self, path: str) -> str:
        """The path below the top of the repository, with `/`; "" for the top itself.

        Raises UsageError for what is outside it.
        """
        found = self.inside(path)
        if found is None:
            raise UsageError("is outside the git repository", source=path, help=f"the repository is {self.top}")
        return found

    def inside(self, path: str) -> str | None:
        """As `relative`; None for what is outside. Links are followed up to the last part, which may be one itself."""
        if os.path.realpath(path) == self.top:
            return ""
        folder, name = os.path.split(os.path.abspath(path))
        whole = os.path.join(os.path.realpath(folder), name)
        if not whole.startswith(self.top.rstrip(os.sep) + os.sep):
            return None
        return os.path.relpath(whole, self.top).replace(os.sep, "/")

    def twin(self, path: str) -> str:
        """Where the temporary folder has, or would have, a file of the working tree; what is outside stays where it is."""
        found = self.inside(path)
        return path if found is None else self.place(found)

    def place(self, relative: str) -> str:
        """Where a file or folder of the revision is laid out, whether it was or not."""
        return os.path.join(self.root, *relative.split("/")) if relative else self.root

    def label(self, text: str) -> str:
        """`text` with every path of the temporary folder named after the revision instead."""
        return text.replace(self.root + os.sep, f"{self.ref}:").replace(self.root, f"{self.ref}:")

    def files(self, below: str = "") -> tuple[Blob, ...]:
        """The files at or below a path, links included; () when the revision has none there."""
        if self._blobs is None:
            listed = _git(self.top, "ls-tree", "-r", "-z", "--long", "--full-tree", self.commit)
            self._blobs = {blob.path: blob for blob in _parsed(listed)}
        if below in self._blobs:
            return (self._blobs[below],)
        prefix = f"{below}/" if below else ""
        return tuple(blob for path, blob in self._blobs.items() if path.startswith(prefix))

    def lay_out_inputs(self, below: Sequence[str]) -> None:
        """Put all that may hold keys at or below these paths into the folder; where code is among it, what it may read too.

        Raises InputError when it is too much, or git fails.
        """
        named = {blob.path: blob for path in below for blob in self.files(path)}
        has_code = any(is_code(path) for path in named)
        beside = self.files() if has_code else tuple(named.values())
        self.lay_out(blob for blob in beside if blob.path in below or is_input(blob.path))

    def lay_out(self, blobs: Iterable[Blob]) -> None:
        """Put these files into the temporary folder. A link inside the repository becomes a copy; others are left out.

        Raises InputError when they are too much, or git fails.
        """
        wanted = [blob for blob in blobs if blob.size <= MAX_BLOB and not os.path.lexists(self.place(blob.path))]
        self._written += sum(blob.size for blob in wanted)
        if self._written > MAX_TOTAL:
            raise InputError(
                f"the files of `{self.ref}` have more than {MAX_TOTAL:,} bytes", help="name the folders that hold keys"
            )
        for blob, content in zip(wanted, _contents(self.top, wanted), strict=True):
            if not blob.is_link:
                self._write(blob.path, content)
            elif (target := self._target(blob, content)) is not None:
                self._write(blob.path, _contents(self.top, [target])[0])

    def _target(self, link: Blob, content: bytes) -> Blob | None:
        """The file that a link names, if it is a file of this revision."""
        named = os.path.normpath(os.path.join(os.path.dirname(link.path), os.fsdecode(content))).replace(os.sep, "/")
        self.files()
        found = (self._blobs or {}).get(named)
        return found if found is not None and not found.is_link and found.size <= MAX_BLOB else None

    def _write(self, path: str, content: bytes) -> None:
        place = self.place(path)
        if not os.path.normpath(place).startswith(self.root + os.sep):
            raise InputError(f"`{path}` is no path of a file", source=self.ref)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(content)


def is_input(path: str) -> bool:
    """Whether a file of this name may hold keys, or what Terraform code reads."""
    lower = path.lower()
    return os.path.splitext(lower)[1] in READERS or lower.endswith((*SUFFIXES, *BESIDE))


# the git command


def _git(directory: str, *arguments: str, on_error: UsageError | None = None, stdin: bytes = b"") -> bytes:
    """What git prints. Raises `on_error`, or InputError, when it fails; UsageError when there is no git."""
    try:
        done = subprocess.run(  # noqa: S603  arguments are a list, a revision is parsed after --end-of-options
            ["git", "--no-replace-objects", "-c", "core.fsmonitor=false", *arguments],  # noqa: S607
            cwd=directory,
            env={**os.environ, **_SAFE},
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError("the git command was not found", help="install git") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"the git command cannot be run: {error}") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"git took more than {TIMEOUT} seconds") from None
    if done.returncode != 0:
        told = done.stderr.decode("utf-8", "backslashreplace").strip().rpartition("\n")[2]
        raise on_error or InputError(f"git failed: {told or 'no message'}")
    return done.stdout


def _no_repository(directory: str) -> UsageError:
    return UsageError(f"`{directory}` is in no git repository", help="run kmslint inside the repository")


def _text(output: bytes) -> str:
    return os.fsdecode(output.removesuffix(b"\n"))


def _parsed(listed: bytes) -> Iterator[Blob]:
    """The regular files and links of `git ls-tree -z --long`: `MODE SP TYPE SP ID SP+ SIZE TAB PATH NUL`."""
    for entry in listed.split(b"\0"):
        head, tab, path = entry.partition(b"\t")
        fields = head.decode("ascii", "replace").split()
        if tab and len(fields) == 4 and fields[0] in {*_REGULAR, _LINK}:
            yield Blob(os.fsdecode(path), fields[2], int(fields[3]) if fields[3].isdigit() else 0, fields[0] == _LINK)


def _contents(directory: str, blobs: Sequence[Blob]) -> list[bytes]:
    """The contents of blobs, in order, by one `git cat-file --batch`."""
    if not blobs:
        return []
    output = _git(directory, "cat-file", "--batch", stdin=b"".join(blob.id.encode() + b"\n" for blob in blobs))
    found = []
    at = 0
    for blob in blobs:
        end = output.find(b"\n", at)
        header = output[at:end].split()
        if end < 0 or len(header) != 3 or header[1] != b"blob":
            raise InputError(f"git has no content for `{blob.path}`", help="fetch the whole revision first")
        size = int(header[2])
        found.append(output[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return found


# naming what was found after the revision


def relabelled(found: Found, label: Callable[[str], str]) -> Found:
    """A key, error or skipped input whose places are named by `label` instead of the temporary folder."""
    match found:
        case SourceError():
            return found._replace(source=label(found.source), message=label(found.message))
        case Skipped():
            return Skipped(label(found.source), label(found.reason))
        case _:
            return _key(found, label)


def _key(key: Key, label: Callable[[str], str]) -> Key:
    for text in _texts(key):
        if text.file is not None:
            text.file = label(text.file)
    source = key.source._replace(
        file=None if key.source.file is None else label(key.source.file),
        uri=None if key.source.uri is None else label(key.source.uri),
    )
    return key._replace(
        source=source,
        facts={name: _fact(fact, label) for name, fact in key.facts.items()},
        policies=tuple(
            named._replace(policy=named.policy._replace(unknown=tuple(map(label, named.policy.unknown))))
            for named in key.policies
        ),
        policies_unread=None if key.policies_unread is None else label(key.policies_unread),
        notes=tuple(map(label, key.notes)),
    )


def _fact(fact: Fact, label: Callable[[str], str]) -> Fact:
    match fact:
        case Unknown():
            return fact._replace(reason=label(fact.reason))
        case Known() | Absent():
            return fact._replace(location=_location(fact.location, label))


def _location(location: Location | None, label: Callable[[str], str]) -> Location | None:
    return location if location is None or location.file is None else location._replace(file=label(location.file))


def _texts(key: Key) -> Iterable[Text]:
    """Every text that the nodes of the key's policies stand in, outer ones included, each once."""
    found: dict[int, Text] = {}
    stack: list[object] = [node for named in key.policies for node in _nodes(named.policy)]
    stack += [diagnostic.node for named in key.policies for diagnostic in named.diagnostics]
    while stack:
        node = stack.pop()
        if not isinstance(node, Node):
            continue
        text: Text | None = node.text
        while text is not None and id(text) not in found:
            found[id(text)] = text
            text = text.outer
        if isinstance(node.value, tuple):
            for part in node.value:
                stack += (part.key_node, part.value) if isinstance(part, Member) else (part,)
    return found.values()


def _nodes(policy: Policy) -> Iterator[Node | None]:
    yield policy.node
    for statement in policy.statements:
        yield statement.node
        yield from (entry.node for entry in statement.principals or ())
        yield from (item.node for item in (*(statement.actions or ()), *(statement.resources or ())))
        for condition in statement.conditions:
            yield from (condition.node, condition.operator_node)
            yield from (item.node for item in condition.values)
