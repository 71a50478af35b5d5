"""What all modules of one root module share, and the instance of a block."""

from collections.abc import Callable

from kmslint.errors import InputError
from kmslint.sources.hcl.directory import Directory, read_directory
from kmslint.sources.hcl.expressions import Evaluator, Scope
from kmslint.sources.hcl.folder import Files
from kmslint.sources.hcl.providers import Provider
from kmslint.sources.hcl.syntax import Block, Place
from kmslint.sources.hcl.texts import Texts
from kmslint.sources.hcl.values import Limit
from kmslint.tree import Node
from kmslint.typed import NamedTuple


class Instance(NamedTuple):
    """One instance of a block. `key` is as an address shows it (`0`, `"a"`), None without count and for_each, `*` if open."""

    block: Block
    scope: Scope
    address: str
    key: str | None
    doubt: str | None = None
    """Why the block may have no such instance."""


class World:
    """What all modules of one root share."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.evaluator = Evaluator(Texts())
        self.directories: dict[str, Directory] = {}
        self.subjects: dict[str, Callable[[str, Place], Node | None]] = {}
        """What a symbol stands for, by its name: how an attribute of it is found."""
        self.objects: set[str] = set()
        """Names of symbols that stand for exactly one object."""
        self.providers: dict[str, Provider] = {}
        """The provider of the block that a symbol of one's own account or Region came from."""
        self.errors: dict[tuple[str | None, int | None, int | None, str], InputError] = {}
        self.modules = 0

    def directory(self, path: str) -> Directory:
        """The folder at `path`, read once."""
        found = self.directories.get(path)
        if found is None:
            found = self.directories[path] = read_directory(self.files, path)
            for error in found.errors:
                self.report(error)
        return found

    def report(self, error: InputError | Limit) -> None:
        """Remember an error, once."""
        if isinstance(error, Limit):
            line, column = error.place.text.position(error.place.start)
            error = InputError(error.message, source=error.place.text.file, line=line, column=column)
        self.errors.setdefault((error.source, error.line, error.column, error.message), error)
