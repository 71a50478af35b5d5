"""Keys of a CDK assembly, told at the lines of the code that made them.

A template in `cdk.out` has nothing of the user's in it. The assembly's metadata name, for each construct, its logical id and
the stack of calls that made it; the first call outside of libraries is the user's.

Source: AWS CDK, cloud-assembly-schema, "Manifest", "Metadata types" (aws:cdk:logicalId, aws:cdk:creationStack).
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence

from kmslint.errors import InputError
from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.model.key import Fact, Key, KeyPolicy, Known
from kmslint.model.result import SourceError
from kmslint.policy.parse import parse_shape
from kmslint.tree import ARRAY, OBJECT, STRING, Member, Node
from kmslint.typed import Final, NamedTuple, Union

MAX_BYTES: Final = 20_000_000
"""A larger manifest, metadata or source file is not read."""

MAX_LINE: Final = 200_000
"""A line number past it is no place in a program."""

MAX_FRAMES: Final = 200
"""Calls of one recorded stack that are looked at."""

_FOREIGN: Final = ("node_modules", "node:", "internal/", "site-packages", "jsii-kernel", "jsii-runtime", "<anonymous>")


class Made(NamedTuple):
    """A construct: its path, and the place of the call that made it, if it was recorded."""

    path: str
    file: str | None = None
    line: int = 1
    column: int = 1


def at_source(found: Sequence[Union[Key, SourceError]], template: str) -> list[Union[Key, SourceError]]:
    """The keys of the template file of an assembly, at their places in the user's code where those are recorded.

    Only sources beside the assembly are read; of others the place is told, and no line shown.
    """
    made = constructs(template)
    texts: dict[str, Text] = {}
    return [_moved(item, made, template, texts) if isinstance(item, Key) else item for item in found]


def constructs(template: str) -> Mapping[str, Made]:
    """The constructs of the stack whose template file it is, by logical id. Empty where the metadata cannot be read."""
    folder = os.path.dirname(template)
    manifest = _json(os.path.join(folder, "manifest.json"))
    artifacts = manifest.member("artifacts") if manifest is not None else None
    found: dict[str, Made] = {}
    for artifact in artifacts.members() if artifacts is not None else ():
        properties = artifact.value.member("properties")
        file = properties.member("templateFile") if properties is not None else None
        if file is None or file.value != os.path.basename(template):
            continue
        for source in _metadata(artifact.value, folder):
            found |= dict(_made(source))
    return found


def _metadata(artifact: Node, folder: str) -> Iterator[Node]:
    """The metadata of a stack: in the manifest, or in a file of its own beside it."""
    inside = artifact.member("metadata")
    if inside is not None:
        yield inside
    name = artifact.member("additionalMetadataFile")
    if name is not None and isinstance(name.value, str) and os.path.basename(name.value) == name.value:
        outside = _json(os.path.join(folder, name.value))
        if outside is not None:
            yield outside


def _json(path: str) -> Node | None:
    """The content of a regular file that is JSON, or None."""
    content = _content(path)
    try:
        return None if content is None else read_json(Text(content, file=path))
    except InputError:
        return None


def _content(path: str) -> str | None:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return None
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, ValueError):
        return None


def _made(metadata: Node) -> Iterator[tuple[str, Made]]:
    """The constructs that have a logical id."""
    for construct in metadata.members():
        entries = construct.value.items()
        ids = [data for entry in entries if _type(entry) == "aws:cdk:logicalId" and (data := _text(entry.member("data")))]
        frames = [frame for entry in entries for frame in _frames(entry)]
        place = next((place for frame in frames if (place := _place(frame)) is not None), None)
        for id in ids:
            yield id, Made(construct.key, *place) if place is not None else Made(construct.key)


def _type(entry: Node) -> str | None:
    return _text(entry.member("type"))


def _text(node: Node | None) -> str | None:
    return node.value if node is not None and node.kind == STRING and isinstance(node.value, str) else None


def _frames(entry: Node) -> Iterator[str]:
    """The calls of a recorded stack, the innermost first."""
    stacks = [entry.member("trace")]
    if _type(entry) == "aws:cdk:creationStack":
        stacks.append(entry.member("data"))
    for recorded in stacks:
        for frame in recorded.items()[:MAX_FRAMES] if recorded is not None else ():
            if (text := _text(frame)) is not None:
                yield text


def _place(frame: str) -> tuple[str, int, int] | None:
    """The file, line and column of a call in the user's own code: `name (file:line:column)`, or without a name."""
    text = frame.strip().removeprefix("at ")
    inner = text[text.rfind("(") + 1 : -1] if text.endswith(")") else text
    if any(word in inner for word in _FOREIGN):
        return None
    parts = inner.removeprefix("file://").rsplit(":", 2)
    if len(parts) == 3 and len(parts[0]) == 1 and parts[0].isalpha():  # a drive
        parts = [f"{parts[0]}:{parts[1]}", parts[2]]
    is_path = parts[0].isprintable() and ("/" in parts[0] or "\\" in parts[0])
    if len(parts) < 2 or not is_path or not all(map(_is_number, parts[1:])):
        return None
    line, column = int(parts[1]), int(parts[2]) if len(parts) == 3 else 1
    return (parts[0], max(1, line), max(1, column)) if line <= MAX_LINE and column <= MAX_LINE else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 8


# --- moving a key


def _moved(key: Key, made: Mapping[str, Made], template: str, texts: dict[str, Text]) -> Key:
    """The key at the place of its construct; as it is where no construct bears its logical id."""
    address = key.source.address or ""
    id, space, way = address.partition(" ")
    construct = made.get(id)
    if construct is None:
        return key
    named = construct.path.strip("/").removesuffix("/Resource") + space + way
    if construct.file is None:
        return key._replace(source=key.source._replace(address=named))
    place = _Place(texts.setdefault(construct.file, _source(construct, template)), construct)
    source = key.source._replace(file=place.text.file, line=construct.line, column=construct.column, address=named)
    return key._replace(
        source=source,
        policies=tuple(map(place.policy, key.policies)),
        facts={name: place.fact(fact, named) for name, fact in key.facts.items()},
    )


def _source(construct: Made, template: str) -> Text:
    """The user's file. Of one that is not beside the assembly, as many empty lines as the place needs."""
    root = os.path.dirname(os.path.abspath(os.path.dirname(template)))
    path = _beside(construct.file or "", root)
    content = _content(path) if path is not None else None
    if path is None or content is None:
        return Text("\n" * (construct.line - 1) + " " * construct.column, file=construct.file)
    return Text(content, file=os.path.relpath(path) if not os.path.isabs(template) else path)


def _beside(file: str, root: str) -> str | None:
    """The file inside `root` that a recorded path means: the path itself, or the longest end of it that is there."""
    real = os.path.realpath(root)
    parts = file.replace("\\", "/").strip("/").split("/")[-20:]
    candidates = [file, *(os.path.join(root, *parts[start:]) for start in range(len(parts)))]
    for candidate in candidates:
        if os.path.isfile(candidate) and os.path.realpath(candidate).startswith(real.rstrip(os.sep) + os.sep):
            return candidate
    return None


class _Place:
    """Puts everything of a key at the place of its construct."""

    def __init__(self, text: Text, construct: Made) -> None:
        self.text = text
        self.start = self._offset(construct)
        end = text.content.find("\n", self.start)
        self.end = len(text.content) if end < 0 else end

    def _offset(self, construct: Made) -> int:
        at = 0
        for _ in range(construct.line - 1):
            at = self.text.content.find("\n", at) + 1
            if at == 0:
                return max(0, len(self.text.content) - 1)
        return min(at + construct.column - 1, len(self.text.content))

    def policy(self, found: KeyPolicy) -> KeyPolicy:
        """The policy read again, its values standing at the construct."""
        if found.policy.node is None:
            return found
        policy, diagnostics = parse_shape(self.node(found.policy.node))
        return found._replace(policy=policy, diagnostics=diagnostics)

    def node(self, node: Node) -> Node:
        """The value at the construct's line."""
        value = node.value
        if node.kind == ARRAY:
            value = tuple(self.node(item) for item in node.items())
        elif node.kind == OBJECT:
            value = tuple(Member(m.key, self.node(m.key_node), self.node(m.value)) for m in node.members())
        return Node(node.kind, value, self.text, self.start, self.end)

    def fact(self, fact: Fact, address: str) -> Fact:
        """The fact at the construct's line."""
        if not isinstance(fact, Known) or fact.location is None:
            return fact
        return fact._replace(location=self.text.locate(self.start, self.end, fact.location.pointer, address=address))
