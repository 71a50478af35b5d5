"""Terraform code → keys, as far as the text determines them.

All files of a folder are one module. A module that another one calls is read with the inputs of each call; it is read by
itself only for the keys that no call reaches.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.pattern import pattern
from kmslint.sources.hcl.directory import Directory, is_terraform
from kmslint.sources.hcl.facts import KEY_TYPES
from kmslint.sources.hcl.folder import Files
from kmslint.sources.hcl.keys import KEY_POLICY, KeyFound, keys_of
from kmslint.sources.hcl.modules import Module
from kmslint.sources.hcl.reader import read_arguments
from kmslint.sources.hcl.syntax import Argument, Block, Place, Variable
from kmslint.sources.hcl.values import string
from kmslint.sources.hcl.world import World
from kmslint.tree import Node
from kmslint.typed import Final, Union

Owner = Callable[[str], tuple[str | None, str]]
"""Of a path: the owner of its keys, and how it is known (`given`, `configured`)."""

_CALLS: Final = pattern(r'\bsource"?\s*[=:]\s*"(\.[^"\n]*)"')
_KMS: Final = "aws_kms_"


def keys_from_directory(
    files: Files,
    directory: str,
    *,
    account: str | None = None,
    account_source: str = "given",
    region: str | None = None,
    var_files: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    only: str | None = None,
) -> Iterator[Union[Key, SourceError]]:
    """The keys of the module in `directory`, and what could not be read of it. `only` keeps to one file of it."""
    return keys_from_directories(
        files,
        (directory,),
        owner=lambda _: (account, account_source),
        region=region,
        var_files=var_files,
        variables=variables,
        only=only,
    )


def keys_from_directories(
    files: Files,
    directories: Sequence[str],
    *,
    owner: Owner = lambda _: (None, "given"),
    region: str | None = None,
    var_files: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    declared: set[str] | None = None,
    only: str | None = None,
) -> Iterator[Union[Key, SourceError]]:
    """The keys of the modules in `directories`, and what could not be read of them, each once.

    Into `declared` go the names of the variables of root modules.
    """
    scan = _Scan(files, owner, region, var_files, variables or {}, None if only is None else os.path.normpath(only))
    scan.declared = set() if declared is None else declared
    return scan.keys([os.path.normpath(directory) for directory in directories])


class _Scan:
    """One reading of some folders. Parsed files are shared by all modules that use them."""

    def __init__(
        self,
        files: Files,
        owner: Owner,
        region: str | None,
        var_files: Sequence[str],
        variables: Mapping[str, str],
        only: str | None,
    ) -> None:
        self.files = files
        self.owner = owner
        self.region = region
        self.var_files = var_files
        self.variables = variables
        self.only = only
        self.declared: set[str] = set()
        self.directories: dict[str, Directory] = {}
        self.told: set[tuple[str | None, int | None, int | None, str]] = set()
        self.seen: set[int] = set()
        """Blocks whose keys were told, by identity: they live as long as `directories` does."""
        self._calls: dict[str, tuple[bool, tuple[str, ...]]] = {}

    def keys(self, directories: Sequence[str]) -> Iterator[Union[Key, SourceError]]:
        promising = [path for path in directories if self.is_promising(path)]
        called = {target for path in promising for target in self.calls(path)[1] if target != path}
        for path in promising:
            if path not in called:
                yield from self.root(path)
        for path in promising:
            if path in called and self.calls(path)[0]:
                yield from self.root(path, again=False)

    def calls(self, path: str) -> tuple[bool, tuple[str, ...]]:
        """Whether a folder speaks of KMS, and the folders it calls. A look at the text, without reading it as HCL."""
        found = self._calls.get(path)
        if found is None:
            places = [os.path.join(path, name) for name in self.files.names(path) if is_terraform(name)]
            texts = [self.files.text(place) for place in places]
            contents = [text.content for text in texts if text is not None]
            sources = [source for content in contents if '".' in content for source in _CALLS.findall(content)]
            targets = {os.path.normpath(os.path.join(path, source)) for source in sources}
            speaks = any(_KMS in content for content in contents) or (
                None in texts and any(self.files.fault(place) is not None for place in places)
            )
            found = self._calls[path] = (speaks, tuple(sorted(targets)))
        return found

    def is_promising(self, path: str) -> bool:
        """Whether a folder, or one that it calls, speaks of KMS."""
        todo, known = [path], {path}
        while todo:
            here = todo.pop()
            speaks, targets = self.calls(here)
            if speaks or self.files.text(os.path.join(here, ".terraform", "modules", "modules.json")) is not None:
                return True
            fresh = [target for target in targets if target not in known]
            known.update(fresh)
            todo += fresh
        return False

    def root(self, path: str, *, again: bool = True) -> Iterator[Union[Key, SourceError]]:
        """The keys of the root module at `path`; without `again`, only those of blocks that no call has reached."""
        world = World(self.files)
        world.directories = self.directories
        module = Module(world, world.directory(path))
        if not again and not self.unseen(module.directory):
            return
        module.inputs = self.inputs(module)
        before = set(self.seen)
        for found in keys_of(module):
            if again or id(found.blocks[0]) not in before:
                self.seen.add(id(found.blocks[0]))
                if self.is_wanted(found):
                    yield self.owned(found.key)
        yield from self.errors(world, module.directory)

    def unseen(self, directory: Directory) -> bool:
        """Whether a folder has a key that no call has reached."""
        wanted = {*KEY_TYPES, KEY_POLICY}
        return any(type in wanted and id(block) not in self.seen for (type, _), block in directory.resources.items())

    def is_wanted(self, found: KeyFound) -> bool:
        """Whether a key stands, at least in part, in the one file that was asked for."""
        if self.only is None:
            return True
        nodes = [policy.policy.node for policy in found.key.policies]
        nodes += [statement.node for policy in found.key.policies for statement in policy.policy.statements]
        files = [block.place.text.file for block in found.blocks] + [node.text.file for node in nodes if node is not None]
        return any(file is not None and os.path.normpath(file) == self.only for file in files)

    def owned(self, key: Key) -> Key:
        """The key with the owner and Region that were given."""
        account, how = self.owner(key.source.file or "")
        if account is not None:
            key = key._replace(account=account, account_source=how)
        return key if self.region is None else key._replace(region=self.region)

    def errors(self, world: World, directory: Directory) -> Iterator[SourceError]:
        for error in (*directory.errors, *world.errors.values()):
            key = (error.source, error.line, error.column, error.message)
            if key not in self.told and (self.only is None or os.path.normpath(error.source or "") == self.only):
                self.told.add(key)
                yield SourceError(error.source or directory.path, error.line, error.column, error.message, error.help)

    # variables

    def inputs(self, module: Module) -> dict[str, Callable[[], Node]]:
        """The values of a root module's variables: files in Terraform's order, then single values."""
        path = module.directory.path
        self.declared.update(module.directory.variables)
        names = self.files.names(path)
        order = [name for name in ("terraform.tfvars", "terraform.tfvars.json") if name in names]
        order += sorted(name for name in names if name.endswith((".auto.tfvars", ".auto.tfvars.json")))
        found: dict[str, Callable[[], Node]] = {}
        for file in [*(os.path.join(path, name) for name in order), *self.var_files]:
            for name, argument in self.definitions(module.world, file).items():
                found[name] = _value_of(module, argument)
        for name, text in self.variables.items():
            found[name] = _given(module, name, text)
        return found

    def definitions(self, world: World, file: str) -> dict[str, Argument]:
        text = self.files.text(file)
        if text is None:
            world.report(InputError("the variable file cannot be read", source=file))
            return {}
        found, errors = _json_arguments(text) if file.endswith(".json") else read_arguments(text)
        for error in errors:
            world.report(error)
        return found


def _json_arguments(text: Text) -> tuple[dict[str, Argument], tuple[InputError, ...]]:
    from kmslint.sources.hcl.json_syntax import read_json_arguments

    return read_json_arguments(text)


def _value_of(module: Module, argument: Argument) -> Callable[[], Node]:
    return lambda: module.value(argument, module.scope)


def _given(module: Module, name: str, text: str) -> Callable[[], Node]:
    """A value from the command line: a text, or an expression where the variable's type is not `string`."""

    def read() -> Node:
        source = Text(f"{name} = {text}\n", file="<variable>")
        block: Block | None = module.directory.variables.get(name)
        kind = block.argument("type") if block is not None else None
        expression = kind.expression() if kind is not None else None
        is_text = expression is None or (isinstance(expression, Variable) and expression.name in {"string", "any"})
        found, errors = read_arguments(source)
        if is_text or errors or name not in found:
            return string(text, Place(source, len(name) + 3, len(source.content) - 1))
        return module.value(found[name], module.scope)

    return read
