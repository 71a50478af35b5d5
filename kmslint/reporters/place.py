"""Where a finding stands, for programs that know nothing but files: a path with forward slashes, lines and columns."""

from kmslint.location import Location
from kmslint.model.key import Key
from kmslint.model.result import Result
from kmslint.reporters.visible import visible
from kmslint.typed import NamedTuple


class Place(NamedTuple):
    """A stretch of a file, 1-based, the end exclusive. A live key has no file: `path` is then a made-up one that names it."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    is_live: bool = False


def places(result: Result, key: Key) -> tuple[Place, ...]:
    """Every place of the result; that of the key where it has none."""
    return tuple(at(location, key) for location in result.locations) or (of_key(key),)


def at(location: Location, key: Key) -> Place:
    """The place of `location`, which is one of `key`."""
    end_line, end_column = max(location.line, location.end_line), location.end_column
    if end_line == location.line:
        end_column = max(location.column, end_column)
    path = _slashes(location.file) if location.file else stand_in(key)
    return Place(path, location.line, location.column, end_line, end_column, location.file is None)


def of_key(key: Key) -> Place:
    """Where the key itself is defined."""
    source = key.source
    path = _slashes(source.file) if source.file else stand_in(key)
    return Place(path, source.line, source.column, source.line, source.column, source.file is None)


def stand_in(key: Key) -> str:
    """A relative path that names a live key, for a reader that insists on a file: no such file exists."""
    parts = ("aws-kms", key.account, key.region, key.key_id or (key.arn or key.id).rpartition("/")[2])
    return "/".join(_one_segment(part) for part in parts if part) + "/policy.json"


def shown(place: Place) -> str:
    """`path:line:column`, safe to print."""
    return f"{visible(place.path)}:{place.line}:{place.column}"


def _slashes(file: str) -> str:
    path = file.replace("\\", "/") if "\\" in file and ("/" not in file) else file
    while path.startswith("./"):
        path = path[2:]
    return path or "."


def _one_segment(text: str) -> str:
    return "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "-" for char in text).strip(".") or "-"
