"""Terraform's regular expressions, searched for in time proportional to pattern times text, whatever they are.

The syntax is that of RE2, of which the parts that policies use are read: what is left out, or no pattern at all, is
`Unsupported`, never guessed. A search follows all ways through the pattern at once, the preferred one first, so that it
finds the match that RE2 finds: the leftmost, of these the one that a search with backtracking would take.

Source: the syntax page of RE2; package regexp of Go, on "leftmost-first", "All" and "Expand"; R. Cox, "Regular Expression Matching:
the Virtual Machine Approach", on Pike's algorithm.
"""

from collections.abc import Callable, Iterator, Sequence

from kmslint.typed import Final, NamedTuple, Union

MAX_PATTERN: Final = 1_000
"""Characters of a pattern."""

MAX_PROGRAM: Final = 2_000
"""Steps of a pattern, its repetitions written out."""

MAX_DEPTH: Final = 20
"""Groups inside each other."""

MAX_REPEAT: Final = 1_000
"""The largest count in braces that RE2 takes."""

MAX_WORK: Final = 300_000
"""Steps taken through one text, about half a second. Real patterns take some hundred."""


class Unsupported(Exception):
    """The pattern is none, or is not read here, or the search takes too long."""


class Chars(NamedTuple):
    """A set of characters, by ranges of code points; `folds` where case is ignored, in ASCII."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False
    folds: bool = False

    def holds(self, char: str) -> bool:
        """Whether a character is in the set."""
        codes = {ord(char), ord(char.lower()), ord(char.upper())} if self.folds else {ord(char)}
        return any(low <= code <= high for code in codes for low, high in self.ranges) != self.negated


class _Assertion(NamedTuple):
    kind: str


class _Series(NamedTuple):
    parts: "tuple[_Node, ...]"


class _Choice(NamedTuple):
    parts: "tuple[_Node, ...]"


class _Repeat(NamedTuple):
    node: "_Node"
    least: int
    most: int | None
    greedy: bool


class _Group(NamedTuple):
    node: "_Node"
    number: int


_Node = Union[Chars, _Assertion, _Series, _Choice, _Repeat, _Group]

_DIGIT: Final = ((48, 57),)
_WORD: Final = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Final = ((9, 10), (12, 13), (32, 32))
_CLASSES: Final = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ANY: Final = Chars(((10, 10),), negated=True)
_EVERY: Final = Chars((), negated=True)
_REPEATS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


# --- reading


class _Parser:
    """Reads one pattern."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.folds = False
        self.dot = _ANY
        self.names: list[str | None] = []

    def pattern(self) -> _Node:
        if len(self.text) > MAX_PATTERN:
            raise Unsupported
        while self.take("(?i)") or self.take("(?s)"):
            letter = self.text[self.at - 2]
            self.folds = self.folds or letter == "i"
            self.dot = _EVERY if letter == "s" else self.dot
        if self.folds and not self.text.isascii():
            raise Unsupported
        found = self.choice()
        if self.at < len(self.text):
            raise Unsupported
        return found

    def take(self, word: str) -> bool:
        """Whether `word` stands here; then it is passed over."""
        if not self.text.startswith(word, self.at):
            return False
        self.at += len(word)
        return True

    def next(self) -> str:
        """The next character, passed over."""
        if self.at >= len(self.text):
            raise Unsupported
        self.at += 1
        return self.text[self.at - 1]

    def choice(self) -> _Node:
        parts = [self.series()]
        while self.take("|"):
            parts.append(self.series())
        return parts[0] if len(parts) == 1 else _Choice(tuple(parts))

    def series(self) -> _Node:
        parts: list[_Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            parts.append(self.repeated(self.atom()))
        return parts[0] if len(parts) == 1 else _Series(tuple(parts))

    def repeated(self, node: _Node) -> _Node:
        counts = self.counts()
        if counts is None:
            return node
        greedy = not self.take("?")
        if self.counts() is not None or _may_be_empty(node):
            raise Unsupported
        return _Repeat(node, counts[0], counts[1], greedy)

    def counts(self) -> tuple[int, int | None] | None:
        """How often the part before this may stand, None if no such thing is said."""
        for mark, counts in _REPEATS.items():
            if self.take(mark):
                return counts
        if not self.take("{"):
            return None
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at : max(end, self.at)].partition(",")
        if not _is_count(low) or (high and not _is_count(high)):
            raise Unsupported
        self.at = end + 1
        least, most = int(low), int(high) if high else None if comma else int(low)
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            raise Unsupported
        return least, most

    def atom(self) -> _Node:
        char = self.next()
        if char == "(":
            return self.group()
        if char == "[":
            return self.bracket()
        if char == "\\":
            return self.escape()
        if char == ".":
            return self.dot
        if char in "^$":
            return _Assertion("start" if char == "^" else "end")
        if char in "*+?{}])":
            raise Unsupported
        return self.chars(((ord(char), ord(char)),))

    def chars(self, ranges: Sequence[tuple[int, int]], *, negated: bool = False) -> Chars:
        return Chars(tuple(ranges), negated, self.folds)

    def group(self) -> _Node:
        number = None
        if not self.take("?:"):
            self.names.append(self.name() if self.take("?P<") else None)
            number = len(self.names)
        self.depth += 1
        if self.depth > MAX_DEPTH or (number is not None and self.text.startswith("?", self.at)):
            raise Unsupported
        found = self.choice()
        self.depth -= 1
        if not self.take(")"):
            raise Unsupported
        return found if number is None else _Group(found, number)

    def name(self) -> str:
        end = self.text.find(">", self.at)
        name = self.text[self.at : max(end, self.at)]
        if not (name.isascii() and name.isidentifier()) or name in self.names:
            raise Unsupported
        self.at = end + 1
        return name

    def escape(self) -> _Node:
        """What a backslash outside of brackets makes of the next character."""
        char = self.next()
        kind = {"b": "boundary", "B": "inside", "A": "start", "z": "end"}.get(char)
        if kind is not None:
            return _Assertion(kind)
        ranges = _CLASSES.get(char.lower())
        if ranges is not None:
            return self.chars(ranges, negated=char.isupper())
        code = ord(_escaped(char))
        return self.chars(((code, code),))

    def bracket(self) -> _Node:
        """A set of characters in brackets."""
        negated = self.take("^")
        ranges: list[tuple[int, int]] = []
        if self.take("]"):
            ranges.append((93, 93))
        while not self.take("]"):
            found = self.member()
            if isinstance(found, str):
                low = high = ord(found)
                if self.text.startswith("-", self.at) and not self.text.startswith("-]", self.at):
                    self.at += 1
                    last = self.member()
                    high = ord(last) if isinstance(last, str) else -1
                if high < low:
                    raise Unsupported
                found = ((low, high),)
            ranges += found
        return self.chars(ranges, negated=negated)

    def member(self) -> Union[str, tuple[tuple[int, int], ...]]:
        """One member of a set: a character, or a class of letters."""
        char = self.next()
        if char == "[":
            raise Unsupported
        if char != "\\":
            return char
        char = self.next()
        return _CLASSES.get(char) or _escaped(char)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 5


def _escaped(char: str) -> str:
    """The character that a backslash and `char` mean: a control, or a mark as it is."""
    if char in _CONTROLS:
        return _CONTROLS[char]
    if char.isalnum() or not char.isascii():
        raise Unsupported
    return char


def _may_be_empty(node: _Node) -> bool:
    """Whether a part may match no character: RE2 and others differ in what they repeat of such."""
    if isinstance(node, Chars):
        return False
    if isinstance(node, _Series):
        return all(map(_may_be_empty, node.parts))
    if isinstance(node, _Choice):
        return any(map(_may_be_empty, node.parts))
    if isinstance(node, _Repeat):
        return node.least == 0
    return isinstance(node, _Assertion) or _may_be_empty(node.node)


# --- the program

_TAKE, _SPLIT, _JUMP, _SAVE, _ASSERT, _DONE = range(6)

_Step = tuple[int, object, object]


class Pattern(NamedTuple):
    """A pattern that is ready to be searched for. `names` are those of its groups, None for one without."""

    steps: "tuple[_Step, ...]"
    names: tuple[str | None, ...]
    ascii_only: bool
    """Whether only texts in ASCII are searched: case is ignored."""


def compiled(text: str) -> Pattern:
    """The pattern that a text is. Raises Unsupported."""
    parser = _Parser(text)
    steps: list[_Step] = []
    _emit(_Group(parser.pattern(), 0), steps)
    steps.append((_DONE, None, None))
    return Pattern(tuple(steps), tuple(parser.names), parser.folds)


def _emit(node: _Node, steps: list[_Step]) -> None:
    if len(steps) > MAX_PROGRAM:
        raise Unsupported
    if isinstance(node, Chars):
        steps.append((_TAKE, node, None))
    elif isinstance(node, _Assertion):
        steps.append((_ASSERT, node.kind, None))
    elif isinstance(node, _Series):
        for part in node.parts:
            _emit(part, steps)
    elif isinstance(node, _Choice):
        _emit_choice(node, steps)
    elif isinstance(node, _Repeat):
        _emit_repeat(node, steps)
    else:
        steps.append((_SAVE, 2 * node.number, None))
        _emit(node.node, steps)
        steps.append((_SAVE, 2 * node.number + 1, None))


def _emit_choice(node: _Choice, steps: list[_Step]) -> None:
    jumps: list[int] = []
    for part in node.parts[:-1]:
        split = len(steps)
        steps.append((_SPLIT, None, None))
        _emit(part, steps)
        jumps.append(len(steps))
        steps.append((_JUMP, None, None))
        steps[split] = (_SPLIT, split + 1, len(steps))
    _emit(node.parts[-1], steps)
    for jump in jumps:
        steps[jump] = (_JUMP, len(steps), None)


def _emit_repeat(node: _Repeat, steps: list[_Step]) -> None:
    for _ in range(node.least):
        _emit(node.node, steps)
    if node.most is None:
        split = len(steps)
        steps.append((_SPLIT, None, None))
        _emit(node.node, steps)
        steps.append((_JUMP, split, None))
        steps[split] = _split(node, split + 1, len(steps))
        return
    splits: list[int] = []
    for _ in range(node.most - node.least):
        splits.append(len(steps))
        steps.append((_SPLIT, None, None))
        _emit(node.node, steps)
    for split in splits:
        steps[split] = _split(node, split + 1, len(steps))


def _split(node: _Repeat, again: int, on: int) -> _Step:
    return (_SPLIT, again, on) if node.greedy else (_SPLIT, on, again)


# --- the search

Match = tuple[int | None, ...]
"""Where the match and its groups start and end, two numbers each; None for a group that took no part."""


class Search:
    """The search for a pattern in one text."""

    def __init__(self, pattern: Pattern, text: str) -> None:
        if pattern.ascii_only and not text.isascii():
            raise Unsupported
        self.steps = pattern.steps
        self.text = text
        self.work = 0
        self._none: Match = (None,) * (2 * len(pattern.names) + 2)

    def find(self, start: int) -> Match | None:
        """The first match at or after `start`. Raises Unsupported past MAX_WORK."""
        found: Match | None = None
        threads: list[tuple[Chars, int, Match]] = []
        ends: Match | None = None
        for at in range(start, len(self.text) + 1):
            ways = [(pc, saved) for chars, pc, saved in threads if chars.holds(self.text[at - 1])]
            if found is None:
                ways.append((0, self._none))
            threads, ends = self.follow(ways, at)
            found = ends or found
            if found is not None and not threads:
                break
        return found

    def follow(self, ways: Sequence[tuple[int, Match]], at: int) -> tuple[list[tuple[Chars, int, Match]], Match | None]:
        """What the ways wait for next, in order; and the end of the first that is done, which ends all behind it."""
        threads: list[tuple[Chars, int, Match]] = []
        seen: set[int] = set()
        stack = list(reversed(ways))
        while stack:
            pc, saved = stack.pop()
            if pc in seen:
                continue
            seen.add(pc)
            self.work += 1
            if self.work > MAX_WORK:
                raise Unsupported
            kind, first, second = self.steps[pc]
            if kind == _DONE:
                return threads, saved
            if isinstance(first, Chars):
                threads.append((first, pc + 1, saved))
            elif kind == _SPLIT:
                stack += [(second, saved), (first, saved)]  # type: ignore[list-item]  # places in the program
            elif kind == _JUMP:
                stack.append((first, saved))  # type: ignore[arg-type]
            elif kind == _SAVE:
                place: int = first  # type: ignore[assignment]
                stack.append((pc + 1, (*saved[:place], at, *saved[place + 1 :])))
            elif self.holds(str(first), at):
                stack.append((pc + 1, saved))
        return threads, None

    def holds(self, kind: str, at: int) -> bool:
        """Whether an assertion holds between the characters before and behind `at`."""
        if kind in {"start", "end"}:
            return at == (0 if kind == "start" else len(self.text))
        before = at > 0 and _is_word(self.text[at - 1])
        after = at < len(self.text) and _is_word(self.text[at])
        return (before != after) == (kind == "boundary")

    def all(self) -> Iterator[Match]:
        """All matches that do not overlap; an empty one at the end of another does not count."""
        at, last = 0, -1
        while at <= len(self.text):
            found = self.find(at)
            if found is None:
                return
            start, end = _ends(found)
            counts = end != at or start != last
            at = end + 1 if end == at else end
            last = end
            if counts:
                yield found


def _is_word(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


def _ends(match: Match) -> tuple[int, int]:
    return match[0] or 0, match[1] or 0


def replaced(pattern: Pattern, text: str, new: str) -> tuple[str, int]:
    """The text with every match replaced by `new`, in which `$1` and `${name}` are groups; and the steps that it took."""
    search = Search(pattern, text)
    pieces: list[str] = []
    at = last = 0
    while at <= len(text):
        found = search.find(at)
        if found is None:
            break
        start, end = _ends(found)
        pieces.append(text[last:start])
        if end > last or start == 0:
            pieces += _expanded(new, _groups(pattern, text, found))
        last = end
        at = max(at + 1, end)
    return "".join(pieces) + text[last:], search.work


def _groups(pattern: Pattern, text: str, match: Match) -> Callable[[str], str]:
    """The text of a group by its number or name; empty where there is none, or it took no part."""

    def named(name: str) -> str:
        known = [number for number, own in enumerate(pattern.names, 1) if own == name]
        number = int(name) if _is_count(name) and (name == "0" or name[0] != "0") else known[-1] if known else -1
        if not 0 <= number <= len(pattern.names) or match[2 * number] is None:
            return ""
        return text[match[2 * number] : match[2 * number + 1]]

    return named


def _expanded(new: str, group: Callable[[str], str]) -> Iterator[str]:
    """The pieces of a replacement. A `$` that begins no name is one."""
    while True:
        before, dollar, rest = new.partition("$")
        yield before
        if not dollar:
            return
        if rest.startswith("$"):
            yield "$"
            new = rest[1:]
            continue
        name, new = _name_in(rest)
        yield group(name) if name else "$"


def _name_in(rest: str) -> tuple[str, str]:
    """The name that follows a `$`, and what is behind it; an empty name where there is none."""
    braced = rest.startswith("{")
    at = start = 1 if braced else 0
    while at < len(rest) and (rest[at].isalnum() or rest[at] == "_"):
        at += 1
    name = rest[start:at]
    if not name or (braced and not rest.startswith("}", at)):
        return "", rest
    return name, rest[at + braced :]
