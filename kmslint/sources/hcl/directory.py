"""One folder of Terraform files, read together: its blocks by kind and name, and what could not be read."""

from collections.abc import Sequence

from kmslint.errors import InputError
from kmslint.sources.hcl.folder import Files
from kmslint.sources.hcl.reader import read_blocks
from kmslint.sources.hcl.syntax import Argument, Block, Body
from kmslint.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import TypeVar

    from kmslint.location import Text

    _K = TypeVar("_K")


class Directory(NamedTuple):
    """The blocks of a module's folder. `resources` and `data` are by (type, name)."""

    path: str
    variables: dict[str, Block]
    locals: dict[str, Argument]
    resources: dict[tuple[str, str], Block]
    data: dict[tuple[str, str], Block]
    modules: dict[str, Block]
    outputs: dict[str, Block]
    providers: list[Block]
    errors: list[InputError]


def is_terraform(name: str) -> bool:
    """Whether a file of this name is part of a module."""
    return name.endswith((".tf", ".tf.json", ".tofu", ".tofu.json"))


def read_directory(files: Files, path: str) -> Directory:
    """The blocks of the folder at `path`. Override files change what the others say."""
    found = Directory(path, {}, {}, {}, {}, {}, {}, [], [])
    names = [name for name in files.names(path) if is_terraform(name)]
    for name in sorted(names, key=_is_override):
        text = files.text(f"{path}/{name}" if path else name)
        if text is None:
            place = f"{path}/{name}" if path else name
            found.errors.append(InputError(files.fault(place) or "the file cannot be read as UTF-8 text", source=place))
            continue
        blocks, errors = _json_blocks(text) if name.endswith(".json") else read_blocks(text)
        found.errors.extend(errors)
        _add(found, blocks, override=_is_override(name))
    return found


def _json_blocks(text: "Text") -> tuple[tuple[Block, ...], tuple[InputError, ...]]:
    from kmslint.sources.hcl.json_syntax import read_json_blocks

    return read_json_blocks(text)


def _is_override(name: str) -> bool:
    stem = name.split(".", 1)[0]
    return stem == "override" or stem.endswith("_override")


def _add(found: Directory, blocks: Sequence[Block], *, override: bool) -> None:
    for block in blocks:
        labels = block.labels
        if block.kind == "locals":
            for name, argument in block.body().arguments.items():
                if override or name not in found.locals:
                    found.locals[name] = argument
        elif block.kind == "provider" and labels:
            found.providers.append(block)
        elif block.kind in {"resource", "data"} and len(labels) == 2:
            table = found.resources if block.kind == "resource" else found.data
            _put(table, (labels[0], labels[1]), block, override=override)
        elif block.kind in {"variable", "module", "output"} and len(labels) == 1:
            named = {"variable": found.variables, "module": found.modules, "output": found.outputs}[block.kind]
            _put(named, labels[0], block, override=override)


def _put(table: "dict[_K, Block]", key: "_K", block: Block, *, override: bool) -> None:
    before = table.get(key)
    if before is None:
        table[key] = block
    elif override:
        table[key] = _merged(before, block)


def _merged(before: Block, block: Block) -> Block:
    """A block with the arguments of an override; nested blocks of a kind are replaced as a whole."""

    def read() -> Body:
        kinds = {inner.kind for inner in block.body().blocks}
        kept = tuple(inner for inner in before.body().blocks if inner.kind not in kinds)
        return Body({**before.body().arguments, **block.body().arguments}, (*kept, *block.body().blocks))

    return Block(before.kind, before.labels, before.place, read)
