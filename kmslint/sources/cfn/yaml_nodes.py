"""YAML becomes the tree of values with places, as CloudFormation reads it.

Only plain scalars are typed, and dates stay text: the version of a policy is no date. The short form of a function
(`!Ref X`) becomes its long form. Duplicates are kept. Nothing is constructed but nodes, and what aliases repeat is counted
before it is shared.

Source: YAML 1.1; CloudFormation User Guide, "CloudFormation template formats", "Intrinsic function reference".
"""

from collections.abc import Iterator

from kmslint.errors import InputError
from kmslint.jsontext import quoted
from kmslint.location import Text
from kmslint.pattern import pattern
from kmslint.tree import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, Member, Node
from kmslint.typed import Final, NamedTuple, Protocol, cast

MAX_DEPTH: Final = 100
"""Mappings and lists inside each other, as in JSON."""

MAX_NODES: Final = 1_000_000
"""Values of one text, what aliases repeat included: some 250 MB. The largest real template has some 30,000."""

_BOOLEAN: Final = pattern(r"(?:(?P<yes>yes|Yes|YES|true|True|TRUE|on|On|ON)|no|No|NO|false|False|FALSE|off|Off|OFF)\Z")
_NULL: Final = pattern(r"(?:~|null|Null|NULL|)\Z")
_NUMBER: Final = pattern(
    r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)\Z"
)
_STANDARD: Final = "tag:yaml.org,2002:"
_SAME_NAME: Final = frozenset({"Ref", "Condition", "Transform"})
_BLOCK_HEADER: Final = pattern(r"[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\r?\n")
_PROPERTIES: Final = pattern(r"(?:[!&][^\s,\[\]{}]*[ \t\r\n]*)*")
"""The tag and the anchor before a value."""

_KEY_SHOWN: Final = 100


class _Mark(Protocol):
    """A place of PyYAML."""

    index: int
    """Characters before it."""


class _Event(Protocol):
    """An event of PyYAML, as far as its kind has these."""

    start_mark: _Mark
    end_mark: _Mark
    anchor: str | None
    tag: str | None
    implicit: tuple[bool, bool]
    value: str
    flow_style: bool


class Documents(NamedTuple):
    """The documents of one text, in order. After a fault: what stood before it, the open values in `broken` by identity."""

    nodes: tuple[Node, ...]
    error: InputError | None = None
    broken: frozenset[int] = frozenset()


def read_yaml(text: Text) -> Documents:
    """The documents of a YAML text, with the first fault where there is one. O(n), no recursion."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(text)
    try:
        for event in yaml.parse(text.content, Loader=loader):
            builder.take(cast("_Event", event))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return builder.stop(_fault(text, error.problem or "this is not YAML", mark))
    except yaml.YAMLError as error:
        return builder.stop(_unreadable(text, error))
    except UnicodeEncodeError as error:
        line, column = text.position(error.start)
        problem = InputError("found half of a surrogate pair, which is no character", source=text.file, line=line, column=column)
        return builder.stop(problem)
    except InputError as error:
        return builder.stop(error)
    return Documents(tuple(builder.documents))


def _fault(text: Text, problem: str, mark: _Mark | None) -> InputError:
    """An error of the YAML reader. Its words are the library's own and quote single characters at most."""
    message = " ".join("".join(char if char.isprintable() else " " for char in problem).split())
    if mark is None:
        return InputError(message, source=text.file or text.uri)
    line, column = text.position(min(mark.index, len(text.content)))
    help = "a text that begins with `*` or `&` needs quotes" if "alias" in message or "anchor" in message else None
    return InputError(message, source=text.file or text.uri, line=line, column=column, help=help)


def _unreadable(text: Text, error: Exception) -> InputError:
    """A character that YAML does not allow."""
    at = getattr(error, "position", None)
    char = getattr(error, "character", None)
    shown = f"the character U+{char:04X}" if isinstance(char, int) else "a character"
    if not isinstance(at, int):
        return InputError("this is not YAML", source=text.file or text.uri)
    line, column = text.position(min(at, len(text.content)))
    return InputError(f"{shown} is not allowed in YAML", source=text.file or text.uri, line=line, column=column)


class _Frame:
    """A mapping or list that is being read. `size` counts the values in it, `depth` how deep they are nested."""

    __slots__ = ("anchor", "depth", "event", "items", "key", "members", "size")

    def __init__(self, event: _Event) -> None:
        self.event = event
        self.anchor: str | None = event.anchor
        self.members: list[Member] = []
        self.items: list[Node] = []
        self.key: Node | None = None
        self.size = 1
        self.depth = 1


class _Builder:
    """Takes events and makes nodes."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.documents: list[Node] = []
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Node, int, int] | None] = {}
        self.total = 0
        """Values that stand in the text, and what each alias repeats."""

    def take(self, event: _Event) -> None:
        """The next event."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self.place(_tagged(event, self.scalar(event)), 1, 0, event.anchor)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self.open(event)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            frame = self.stack.pop()
            self.place(_tagged(frame.event, self.collection(frame, event)), frame.size, frame.depth, frame.anchor)
        elif kind == "AliasEvent":
            self.alias(event)
        elif kind == "DocumentStartEvent":
            self.anchors = {}

    def open(self, event: _Event) -> None:
        """A mapping or list begins."""
        if len(self.stack) >= MAX_DEPTH:
            raise self.error(event, f"mappings and lists are nested more than {MAX_DEPTH} deep")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.stack.append(_Frame(event))

    def alias(self, event: _Event) -> None:
        """A value stands again."""
        anchor = event.anchor or ""
        alias = quoted("*" + anchor)
        if anchor not in self.anchors:
            raise self.error(event, f"the alias {alias} names no value", "put a text that begins with `*` in quotes")
        found = self.anchors[anchor]
        if found is None:
            raise self.error(event, f"the alias {alias} stands inside the value that it repeats")
        if len(self.stack) + found[2] > MAX_DEPTH:
            raise self.error(event, f"mappings and lists are nested more than {MAX_DEPTH} deep")
        self.total += found[1]
        self.place(*found, None)

    def place(self, node: Node, size: int, depth: int, anchor: str | None) -> None:
        """Put a finished value where it belongs."""
        self.total += 1
        if self.total > MAX_NODES:
            raise self.limit(node)
        if anchor is not None:
            self.anchors[anchor] = (node, size, depth)
        if not self.stack:
            self.documents.append(node)
            return
        frame = self.stack[-1]
        frame.size += size
        frame.depth = max(frame.depth, depth + 1)
        if frame.size > MAX_NODES:
            raise self.limit(node)
        if type(frame.event).__name__ == "SequenceStartEvent":
            frame.items.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            frame.members.append(Member(self.name(frame.key), frame.key, node))
            frame.key = None

    def name(self, key: Node) -> str:
        """A key as text: as written, whatever type YAML gives it."""
        if key.kind == STRING and isinstance(key.value, str):
            return key.value
        return self.text.content[key.start : min(key.end, key.start + _KEY_SHOWN)]

    def scalar(self, event: _Event) -> Node:
        """A scalar; plain ones have the type that YAML 1.1 gives them, but for dates and sexagesimal numbers."""
        start, end = event.start_mark.index, event.end_mark.index
        if event.tag is not None or event.anchor is not None:
            start = min(_PROPERTIES.match(self.text.content, start).end(), end)  # type: ignore[union-attr]  # matches anywhere
        value: str = event.value
        kind: str = STRING
        found: object = value
        if self.text.content[start : start + 1] in {"|", ">"}:
            end = start + len(self.text.content[start:end].rstrip())
        elif _is_plain(event):
            kind, found = _typed(value)
        return Node(kind, found, self.text, start, end)

    def collection(self, frame: _Frame, end_event: _Event) -> Node:
        """A finished mapping or list. One in block style ends with its last value."""
        is_list = type(frame.event).__name__ == "SequenceStartEvent"
        last = frame.items[-1:] if is_list else [member.value for member in frame.members[-1:]]
        start, end = frame.event.start_mark.index, end_event.end_mark.index
        if not frame.event.flow_style and last:
            inside = [node.end for node in last if node.end > start]
            end = max(inside, default=start)
        if is_list:
            return Node(ARRAY, tuple(frame.items), self.text, start, end)
        return Node(OBJECT, tuple(_merged(frame.members)), self.text, start, end)

    def stop(self, error: InputError) -> Documents:
        """What was read before a fault."""
        broken: list[Node] = []
        while self.stack:
            frame = self.stack.pop()
            kind = ARRAY if type(frame.event).__name__ == "SequenceStartEvent" else OBJECT
            start = frame.event.start_mark.index
            value: object = tuple(frame.items) if kind == ARRAY else tuple(frame.members)
            node = Node(kind, value, self.text, start, start)
            broken.append(node)
            if not self.stack:
                self.documents.append(node)
            elif type(self.stack[-1].event).__name__ == "SequenceStartEvent":
                self.stack[-1].items.append(node)
            elif (key := self.stack[-1].key) is not None:
                self.stack[-1].members.append(Member(self.name(key), key, node))
        return Documents(tuple(self.documents), error, frozenset(id(node) for node in broken))

    def error(self, event: _Event, message: str, help: str | None = None) -> InputError:
        """A fault where an event begins."""
        line, column = self.text.position(event.start_mark.index)
        return InputError(message, source=self.text.file or self.text.uri, line=line, column=column, help=help)

    def limit(self, node: Node) -> InputError:
        """The text holds too many values."""
        line, column = self.text.position(node.start)
        message = f"the text holds more than {MAX_NODES:,} values, what aliases repeat included"
        return InputError(message, source=self.text.file or self.text.uri, line=line, column=column)


def _is_plain(event: _Event) -> bool:
    return bool(event.implicit[0]) and event.tag is None


def _typed(value: str) -> tuple[str, object]:
    """The kind and value of a plain scalar."""
    first = value[:1]
    if first in "yYnNtTfFoO~" and len(value) < 6:
        boolean = _BOOLEAN.match(value)
        if boolean:
            return BOOLEAN, boolean.group("yes") is not None
        if _NULL.match(value):
            return NULL, None
    if first in "-+.0123456789" and _NUMBER.match(value):
        return NUMBER, value
    return STRING, value


def _tagged(event: _Event, node: Node) -> Node:
    """The value that a tagged one means: a function in its long form, or the standard type."""
    tag = event.tag
    if tag is None or tag == "!":
        return node
    if tag.startswith(_STANDARD):
        return node._replace(kind=STRING) if tag == _STANDARD + "str" and node.kind not in {OBJECT, ARRAY} else node
    name = tag.removeprefix("!")
    long = name if name in _SAME_NAME else f"Fn::{name}"
    start = event.start_mark.index
    key = Node(STRING, long, node.text, start, start)
    return Node(OBJECT, (Member(long, key, node),), node.text, start, node.end)


def _merged(members: list[Member]) -> Iterator[Member]:
    """The members of a mapping, those of `<<` included where they are not given.

    Source: yaml.org, "Merge Key Language-Independent Type for YAML".
    """
    if not any(map(_is_merge, members)):
        yield from members
        return
    given = {member.key for member in members if not _is_merge(member)}
    for member in members:
        if not _is_merge(member):
            yield member
            continue
        for source in member.value.items() or (member.value,):
            for inner in source.members():
                if inner.key not in given:
                    given.add(inner.key)
                    yield inner


def _is_merge(member: Member) -> bool:
    node = member.key_node
    return member.key == "<<" and node.text.content[node.start : node.end] == "<<"


# --- where the characters of a scalar stand


class Piece(NamedTuple):
    """A part of a text: character i stands at `start + i`, or all of it at `start` when `spread` is false."""

    value: str
    start: int
    spread: bool = True


def pieces_of(node: Node) -> list[Piece]:
    """The literal text of the string `node` in parts that stand together in its source, in order."""
    value = node.value if isinstance(node.value, str) else ""
    content = node.text.content
    first = content[node.start : node.start + 1]
    if first in {"|", ">"}:
        return _block_pieces(value, node) or [Piece(value, node.start, spread=False)]
    inside = node.start + 1 if first in {'"', "'"} else node.start
    if content.startswith(value, inside):
        return [Piece(value, inside)]
    return [Piece(value, node.start, spread=False)]


def _block_pieces(value: str, node: Node) -> list[Piece]:
    """The lines of a literal block; [] where the source does not spell the value line by line."""
    content = node.text.content
    header = _BLOCK_HEADER.match(content, node.start)
    if header is None:
        return []
    at, indent = header.end(), -1
    found: list[Piece] = []
    for line in value.splitlines(keepends=True):
        text = line.rstrip("\r\n")
        if indent < 0 and text:
            indent = len(content) - at - len(content[at:].lstrip(" ")) - (len(text) - len(text.lstrip(" ")))
        start = at + (indent if text else 0)
        if text and (indent < 0 or not content.startswith(text, start)):
            return []
        found.append(Piece(line, start))
        at = content.find("\n", at) + 1 or len(content)
    return found
