"""Which paths a repository leaves out: `.gitignore` files, nested ones too, and `.git/info/exclude`.

Patterns become regular expressions without backtracking: an atomic group takes the first place where the text between two
stars fits, which is as good as any later one.

Source: Git, "gitignore", "Pattern Format".
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence

from kmslint.typed import Final, NamedTuple

NAME: Final = ".gitignore"

MAX_BYTES: Final = 1_000_000
"""Of one file; a larger one is not read. Nobody writes such a file by hand."""

MAX_PATTERN: Final = 4_096
"""Characters of one pattern; no path that it could mean is longer."""


class Patterns(NamedTuple):
    """The patterns of one file, from the last to the first, neighbours of one kind together."""

    folder: str
    """The path that patterns are relative to, absolute."""
    groups: tuple[tuple["re.Pattern[str]", bool], ...]
    """(expression over a relative path, a folder's with `/` at its end; whether it takes a path back in)."""

    def decide(self, path: str) -> bool | None:
        """Whether `path`, relative to the folder, is left out; None where no pattern speaks of it."""
        spelt = path if path.isascii() else _bytes_of(path)
        for expression, is_back in self.groups:
            if expression.match(spelt):
                return not is_back
        return None


class Ignored:
    """What is left out below one folder, as the walk goes down. An empty one leaves nothing out."""

    def __init__(self, top: str) -> None:
        self._known: dict[str, tuple[Patterns, ...]] = {}
        self._top = os.path.abspath(top)
        self._known[self._top] = tuple(_above(self._top))

    def holds(self, folder: str, name: str, *, is_folder: bool) -> bool:
        """Whether `name` in `folder` is left out. The folders around it are taken to be in: the walk came through them."""
        patterns = self._of(os.path.abspath(folder))
        if not patterns:
            return False
        path = os.path.join(os.path.abspath(folder), name)
        for found in reversed(patterns):
            relative = os.path.relpath(path, found.folder) if not path.startswith(found.folder) else _below(path, found.folder)
            answer = found.decide(relative.replace(os.sep, "/") + ("/" if is_folder else ""))
            if answer is not None:
                return answer
        return False

    def _of(self, folder: str) -> tuple[Patterns, ...]:
        """The patterns that count in `folder`, the nearest last."""
        found = self._known.get(folder)
        if found is None:
            above = os.path.dirname(folder)
            inherited = self._of(above) if above != folder else ()
            own = _read(os.path.join(folder, NAME), folder)
            found = self._known[folder] = (*inherited, own) if own else inherited
        return found


def read_patterns(lines: Iterable[str], folder: str) -> Patterns | None:
    """The patterns of the lines of one file; None where there are none."""
    groups: list[tuple[list[str], bool]] = []
    for line in map(_bytes_of, lines):
        pattern = _stripped(line)
        is_back = pattern.startswith("!")
        expression = _expression(pattern[is_back:]) if len(pattern) <= MAX_PATTERN else None
        if expression is None:
            continue
        if groups and groups[-1][1] == is_back:
            groups[-1][0].append(expression)
        else:
            groups.append(([expression], is_back))
    if not groups:
        return None
    made = [(re.compile("|".join(f"(?:{part})" for part in parts), re.DOTALL | re.ASCII), is_back) for parts, is_back in groups]
    return Patterns(folder, tuple(reversed(made)))


# --- files


def _above(top: str) -> Iterator[Patterns]:
    """The patterns of the repository around `top` that count in it, the nearest last; its own only outside one."""
    folders = [top]
    while not os.path.exists(os.path.join(folders[-1], ".git")):
        above = os.path.dirname(folders[-1])
        if above == folders[-1]:
            folders = [top]
            break
        folders.append(above)
    root = folders[-1]
    excluded = _read(os.path.join(root, ".git", "info", "exclude"), root)
    if excluded:
        yield excluded
    for folder in reversed(folders):
        found = _read(os.path.join(folder, NAME), folder)
        if found:
            yield found


def _read(file: str, folder: str) -> Patterns | None:
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError):
        return None
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return None
        content = os.fsdecode(stream.read(MAX_BYTES))
    return read_patterns(content.removeprefix("\ufeff").split("\n"), folder)


def _bytes_of(text: str) -> str:
    """The bytes of a path or pattern, one a character: Git compares bytes."""
    try:
        return os.fsencode(text).decode("latin-1")
    except UnicodeEncodeError:  # half of a surrogate pair, which no path holds
        return text


def _below(path: str, folder: str) -> str:
    return path[len(folder) :].lstrip(os.sep)


# --- one pattern


def _stripped(line: str) -> str:
    """The pattern of a line; empty for a comment. Blanks at its end count only behind a backslash."""
    line = line.removesuffix("\r")
    if line.startswith("#"):
        return ""
    end = len(line)
    while end and line[end - 1] == " " and not _is_escaped(line, end - 1):
        end -= 1
    return line[:end]


def _is_escaped(line: str, at: int) -> bool:
    before = line[:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _expression(pattern: str) -> str | None:
    """The regular expression of a pattern over a relative path; None for one that matches nothing."""
    is_folder = pattern.endswith("/")
    body = pattern[:-1] if is_folder else pattern
    is_anchored = "/" in body
    segments = ["**" if len(part) > 1 and not part.strip("*") else part for part in _segments(body.removeprefix("/"))]
    if "" in segments:
        return None
    if not is_anchored:
        segments = ["**", *segments]
    made = _path(segments)
    return None if made is None else made + (r"/\Z" if is_folder else r"/?\Z")


def _segments(body: str) -> list[str]:
    """The parts of a pattern between slashes; a slash in brackets parts nothing."""
    found = [""]
    at = 0
    while at < len(body):
        bracket = _bracket(body, at) if body[at] == "[" else None
        end = bracket[1] if bracket else at + 2 if body[at] == "\\" else at + 1
        if body[at] == "/":
            found.append("")
        else:
            found[-1] += body[at:end]
        at = end
    return found


def _path(segments: Sequence[str]) -> str | None:
    """The expression of segments, `**` among them standing for any number of folders."""
    runs: list[list[str]] = [[]]
    for number, segment in enumerate(segments):
        if segment != "**":
            made = _segment(segment)
            if made is None:
                return None
            runs[-1].append(made)
        elif number == len(segments) - 1:
            runs[-1].append("(?:[^/]+(?:/[^/]+)*)" if len(segments) > 1 else "[^/]+(?:/[^/]+)*")
        elif runs[-1] or number == 0:
            runs.append([])
    first, *others = ["/".join(run) for run in runs]
    text = first
    for number, run in enumerate(others):
        text += "/" if text else ""
        any_folders = "(?:[^/]+/)*?" if number < len(others) - 1 else "(?:[^/]+/)*"
        text = f"{text}(?>{any_folders}{run})" if number < len(others) - 1 else f"{text}{any_folders}{run}"
    return text


_ANY: Final = "[^/]"


def _segment(segment: str) -> str | None:
    """The expression of one segment; None where a `[` has no end or a backslash nothing behind it, which match nothing."""
    if segment.strip("*") == "":
        return f"{_ANY}+"
    chunks: list[str] = [""]
    at = 0
    while at < len(segment):
        char = segment[at]
        if char == "*":
            at += 1
            if chunks[-1] or len(chunks) == 1:
                chunks.append("")
            continue
        read = _bracket(segment, at) if char == "[" else _single(segment, at)
        if read is None:
            return None
        chunks[-1] += read[0]
        at = read[1]
    first, *middle = chunks
    if not middle:
        return first
    *inner, last = middle
    return first + "".join(f"(?>{_ANY}*?{chunk})" for chunk in inner) + f"{_ANY}*{last}"


def _single(segment: str, at: int) -> tuple[str, int] | None:
    """One character of a segment, and where the next begins."""
    if segment[at] == "?":
        return _ANY, at + 1
    if segment[at] != "\\":
        return re.escape(segment[at]), at + 1
    return None if at + 1 == len(segment) else (re.escape(segment[at + 1]), at + 2)


_CLASSES: Final = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r"\ \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"\x21-\x2e\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


def _bracket(segment: str, start: int) -> tuple[str, int] | None:
    """A set of characters, and where the next part begins."""
    at = start + 1
    is_negated = segment[at : at + 1] in {"!", "^"}
    at += is_negated
    inside = ""
    first = at
    while at < len(segment) and (segment[at] != "]" or at == first):
        if segment.startswith("[:", at) and (end := segment.find(":]", at)) > 0:
            named = _CLASSES.get(segment[at + 2 : end])
            if named is None:
                return None
            inside += named
            at = end + 2
            continue
        low, at = _member(segment, at)
        if segment[at : at + 1] == "-" and segment[at + 1 : at + 2] not in {"", "]"}:
            high, at = _member(segment, at + 1)
            inside += f"{re.escape(low)}-{re.escape(high)}" if low <= high else re.escape(low)  # as Git reads it
        else:
            inside += re.escape(low)
    if at >= len(segment):
        return None
    if is_negated:
        return (f"[^/{inside}]", at + 1)
    return (f"(?!/)[{inside}]" if inside else "(?!)", at + 1)


def _member(segment: str, at: int) -> tuple[str, int]:
    """One character in a set, and where the next part begins."""
    if segment[at] == "\\" and at + 1 < len(segment):
        return segment[at + 1], at + 2
    return segment[at], at + 1
