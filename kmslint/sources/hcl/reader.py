"""Native HCL text → blocks. tree-sitter reads; this module names what it read, and never fails on half a file.

A file with a syntax error is cut at the lines that start a block at the left margin, and each piece is read by itself:
the good ones count, each bad one is reported at its place.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.pattern import pattern
from kmslint.sources.hcl.syntax import Argument, Block, Body, Expression, Place
from kmslint.sources.hcl.tree_expressions import read_expression, read_parts, unquoted
from kmslint.typed import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from types import ModuleType

    from tree_sitter import Node, Parser

MAX_CHARS: Final = 5_000_000
"""Characters of one file. A thousand times the usual; keeps the C parser's memory under 1 GB."""

_KINDS: Final = "resource|data|module|locals|variable|output|provider|terraform|moved|import|check|removed|ephemeral|action"
_HEADER: Final = pattern(rf'^(?:{_KINDS})\b[ \t]*(?:"[^"\n]*"[ \t]*){{0,2}}\{{', re.MULTILINE)
_HEREDOC: Final = pattern(r"<<-?[ \t]*([A-Za-z_][A-Za-z0-9_-]*)[ \t]*\r?\n")
_WIDE: Final = pattern(r"[^\x00-\x7f]")
_END_MARK: Final = "KMSLINT_END"


class Source:
    """One text as tree-sitter sees it: bytes, and the way back from a byte to a character."""

    __slots__ = ("_after", "_shift", "base", "text")

    def __init__(self, text: Text, content: str, base: int) -> None:
        self.text = text
        self.base = base
        """Offset in `text` of the first character of `content`."""
        self._after: list[int] = []
        self._shift: list[int] = []
        if not content.isascii():
            self._index(content)

    def offset(self, byte: int) -> int:
        """The character offset in the text of a byte offset of the content."""
        if not self._after:
            return byte + self.base
        at = bisect_right(self._after, byte)
        return byte + self.base - (self._shift[at - 1] if at else 0)

    def place(self, node: "Node") -> Place:
        """The place of a node."""
        return Place(self.text, self.offset(node.start_byte), self.offset(node.end_byte))

    def _index(self, content: str) -> None:
        shift = 0
        for found in _WIDE.finditer(content):
            shift += len(found.group().encode("utf-8", "surrogatepass")) - 1
            self._after.append(found.end() + shift)
            self._shift.append(shift)


def read_blocks(text: Text) -> tuple[tuple[Block, ...], tuple[InputError, ...]]:
    """The blocks of a file at its top level, and what could not be read of it."""
    return _Reading(text).blocks()


def read_arguments(text: Text) -> tuple[dict[str, Argument], tuple[InputError, ...]]:
    """The arguments of a file that has no blocks: a variable definitions file (`.tfvars`)."""
    return _Reading(text).arguments()


def parsed_whole(text: Text) -> "tuple[Source, Node]":
    """The tree of a whole file, faults and comments included, and the way from it to the text.

    Raises:
        InputError: the file is larger than any that is read.
    """
    reading = _Reading(text)
    if len(text.content) > MAX_CHARS:
        raise reading.too_large()
    return reading.parsed(0, len(text.content))


def read_template(text: Text) -> Expression:
    """The template that the whole of `text` is, as `templatefile` reads it.

    Raises:
        InputError: the text is no template.
    """
    mark = _END_MARK
    while mark in text.content:
        mark += "_"
    prefix = f"x = <<{mark}\n"
    content = f"{prefix}{text.content}\n{mark}\n"
    source = Source(text, content, -len(prefix))
    root = _parse(content)
    if root.has_error:
        raise _syntax_error(source, root)
    heredoc = root.descendant_for_byte_range(4, 4)
    while heredoc is not None and heredoc.type != "heredoc_template":
        heredoc = heredoc.parent
    if heredoc is None:
        raise InputError("the text is no template", source=text.file, line=1, column=1)
    return read_parts(source, heredoc, 0, len(text.content))


class _Reading:
    """One reading of one file."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.content = text.content

    def blocks(self) -> tuple[tuple[Block, ...], tuple[InputError, ...]]:
        if len(self.content) > MAX_CHARS:
            return (), (self.too_large(),)
        source, root = self.parsed(0, len(self.content))
        if not root.has_error:
            return tuple(_blocks(source, root)), ()
        return self.pieces()

    def arguments(self) -> tuple[dict[str, Argument], tuple[InputError, ...]]:
        if len(self.content) > MAX_CHARS:
            return {}, (self.too_large(),)
        source, root = self.parsed(0, len(self.content))
        errors = (_syntax_error(source, root),) if root.has_error else ()
        return _arguments(source, _children(root)), errors

    def parsed(self, start: int, end: int) -> "tuple[Source, Node]":
        if self.content.startswith("\ufeff") and start == 0:
            start = 1
        content = self.content[start:end]
        return Source(self.text, content, start), _parse(content)

    def pieces(self) -> tuple[tuple[Block, ...], tuple[InputError, ...]]:
        """The blocks that can be read where the file as a whole cannot."""
        blocks: list[Block] = []
        errors: list[InputError] = []
        starts = self.starts()
        for start, end in zip(starts, [*starts[1:], len(self.content)], strict=True):
            source, root = self.parsed(start, end)
            if root.has_error:
                errors.append(_syntax_error(source, root))
            else:
                blocks += _blocks(source, root)
        return tuple(blocks), tuple(errors)

    def starts(self) -> list[int]:
        """The offsets at which pieces start: block headers at the left margin that stand in no heredoc."""
        starts = [0]
        inside = list(self.heredocs())
        for header in _HEADER.finditer(self.content):
            at = header.start()
            if at and not any(start <= at < end for start, end in inside):
                starts.append(at)
        return starts

    def heredocs(self) -> Iterator[tuple[int, int]]:
        """The ranges of heredocs that have an end before the next block header would hide a lost one."""
        at = 0
        while found := _HEREDOC.search(self.content, at):
            closing = re.compile(rf"^[ \t]*{re.escape(found.group(1))}[ \t]*$", re.MULTILINE).search(self.content, found.end())
            at = closing.end() if closing else found.end()
            if closing:
                yield found.start(), at

    def too_large(self) -> InputError:
        return InputError(
            f"the file has {len(self.content):,} characters, more than {MAX_CHARS:,}", source=self.text.file, line=1, column=1
        )


def _parse(content: str) -> "Node":
    return _parser().parse(content.encode("utf-8", "surrogatepass")).root_node


@lru_cache(maxsize=1)
def _parser() -> "Parser":
    """The parser, made once: it has no state between two texts."""
    import tree_sitter_hcl

    binding = _tree_sitter()
    return cast("Parser", binding.Parser(binding.Language(tree_sitter_hcl.language())))


def _tree_sitter() -> "ModuleType":
    """tree-sitter's extension module, without the package around it where that is not loaded.

    All that the package adds is one class, for which it imports `typing`: that is 7 % of a start.
    """
    import sys
    from importlib.machinery import ExtensionFileLoader, PathFinder

    package = None if "typing" in sys.modules else PathFinder.find_spec("tree_sitter")
    spec = PathFinder.find_spec("tree_sitter._binding", package.submodule_search_locations) if package is not None else None
    if spec is None or not isinstance(spec.loader, ExtensionFileLoader):
        import tree_sitter

        return tree_sitter
    found = spec.loader.create_module(spec)
    spec.loader.exec_module(found)
    return found


def _children(root: "Node") -> "Sequence[Node]":
    """What stands in a body, whatever wraps it."""
    if root.type in {"config_file", "block"}:
        for child in root.children:
            if child.type == "body":
                return child.children
        return ()
    return root.children


def _blocks(source: Source, root: "Node") -> Iterator[Block]:
    for child in _children(root):
        if child.type == "block":
            yield _block(source, child)


def _block(source: Source, node: "Node") -> Block:
    labels: list[str] = []
    for child in node.children:
        if child.type in {"identifier", "string_lit"}:
            labels.append(unquoted(source, child))
        elif child.type == "block_start":
            break
    return Block(labels[0] if labels else "", tuple(labels[1:]), source.place(node), _body_of(source, node))


def _body_of(source: Source, node: "Node") -> Callable[[], Body]:
    def read() -> Body:
        children = _children(node)
        return Body(_arguments(source, children), tuple(_block(source, child) for child in children if child.type == "block"))

    return read


def _arguments(source: Source, children: "Sequence[Node]") -> dict[str, Argument]:
    found: dict[str, Argument] = {}
    for child in children:
        if child.type == "attribute" and child.child_count >= 3:
            name = source.place(child.children[0]).written()
            found.setdefault(name, Argument(name, source.place(child), _expression_of(source, child.children[2])))
    return found


def _expression_of(source: Source, node: "Node") -> Callable[[], Expression]:
    return lambda: read_expression(source, node, 0)


def _syntax_error(source: Source, root: "Node") -> InputError:
    """The first fault of a tree that has one."""
    node = root
    while True:
        bad = next((child for child in node.children if child.has_error or child.is_missing), None)
        if bad is None or node.is_missing:
            break
        node = bad
        if node.is_error and not any(child.has_error for child in node.children):
            break
    place = source.place(node)
    line, column = place.text.position(place.start)
    message = f"expected `{node.type}`" if node.is_missing else f"found {_shown(place)}, which is no Terraform here"
    return InputError(message, source=place.text.file, line=line, column=column, help="terraform validate shows more")


def _shown(place: Place) -> str:
    word = place.written().split("\n", 1)[0].strip()
    shown = "".join(char for char in word if char.isprintable())[:40]
    return f"`{shown}`" if shown else "a line"
