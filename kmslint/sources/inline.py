"""Comments in HCL and YAML that accept a finding, beside what it is about.

    # kmslint: ignore[public-access] until=2027-03-01 owner=security@example.com the bucket is public on purpose

A comment behind code stands for that line, one on a line of its own for the next line of code. JSON has no comments.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.model.key import Key, Known
from kmslint.model.result import SourceError
from kmslint.model.settings import Comment, SuppressionEntry
from kmslint.pattern import pattern
from kmslint.sources.terraform_files import is_code
from kmslint.typed import TYPE_CHECKING, Final, NamedTuple, Union

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax

MARK: Final = "kmslint:"

MAX_COMMENTS: Final = 1_000
"""Comments of one file; a file that accepts more has another purpose."""

_COMMENT: Final = pattern(r"(?:#+|//+)[ \t]*kmslint:[ \t]*(ignore\b.*)", re.DOTALL)
_RULES: Final = pattern(r"ignore\[([a-z0-9-]+(?:[ \t]*,[ \t]*[a-z0-9-]+)*)\](?=\s|\Z)")
_FIELD: Final = pattern(r"\s*(until|owner|alternative)=(?:\"([^\"]*)\"|(\S+))")
_EXAMPLE: Final = "write `# kmslint: ignore[rule] until=YYYY-MM-DD owner=NAME reason`"


class Comments(NamedTuple):
    """The comments of one file, and what is wrong with the others."""

    found: tuple[Comment, ...] = ()
    errors: tuple[InputError, ...] = ()


def comments_in(text: Text) -> Comments:
    """The comments of one file that speak to kmslint. A text without any costs one search."""
    if MARK not in text.content or text.file is None:
        return Comments()
    name = text.file.lower()
    if name.endswith(".json") or text.content.lstrip().startswith("{"):
        return Comments()
    found: list[Comment] = []
    errors: list[InputError] = []
    for start, end in (_hcl_comments if is_code(name) else _yaml_comments)(text):
        match = _COMMENT.match(text.content[start:end])
        if match is None:
            continue
        try:
            found += _read(match[1].strip(), text, start)
        except InputError as error:
            errors.append(error)
        if len(found) > MAX_COMMENTS:
            raise InputError(f"more than {MAX_COMMENTS:,} findings are accepted in one file", source=text.file)
    return Comments(tuple(found), tuple(errors))


def with_comments(
    found: Iterable[Union[Key, SourceError]], text_of: Callable[[str], Text | None]
) -> Iterator[Union[Key, SourceError]]:
    """Keys with the comments of the files that they stand in, and an error for each comment that cannot be read."""
    known: dict[str, Comments] = {}
    for item in found:
        if not isinstance(item, Key):
            yield item
            continue
        fresh: list[InputError] = []
        comments: list[Comment] = []
        for file in files_of(item):
            if file not in known:
                known[file] = _comments_of(text_of(file))
                fresh += known[file].errors
            comments += known[file].found
        yield item._replace(comments=tuple(comments)) if comments else item
        for error in fresh:
            yield SourceError(error.source or "", error.line, error.column, error.message, error.help)


def files_of(key: Key) -> tuple[str, ...]:
    """The files in which a key stands: its own, its statements', its facts'."""
    files: list[str | None] = [key.source.file]
    for named in key.policies:
        policy = named.policy
        files += [policy.node.text.file] if policy.node is not None else []
        files += [statement.node.text.file for statement in policy.statements]
    files += [fact.location.file for fact in key.facts.values() if isinstance(fact, Known) and fact.location is not None]
    return tuple(dict.fromkeys(file for file in files if file is not None))


def _comments_of(text: Text | None) -> Comments:
    try:
        return Comments() if text is None else comments_in(text)
    except InputError as error:
        return Comments((), (error,))


# --- one comment


def _read(said: str, text: Text, start: int) -> list[Comment]:
    """What a comment accepts: one entry for each rule. Raises InputError where it lacks a part."""
    line, column = text.position(start)

    def wrong(message: str) -> InputError:
        return InputError(message, source=text.file, line=line, column=column, help=_EXAMPLE)

    rules = _RULES.match(said)
    if rules is None:
        raise wrong("the comment names no rule in brackets")
    fields, reason = _fields(said[rules.end() :], wrong)
    missing = [name for name in ("until", "owner") if name not in fields] + ([] if reason else ["reason"])
    if missing:
        name = missing[0] if missing[0] == "reason" else f"`{missing[0]}=`"
        raise wrong(f"the comment has no {name}, and accepts nothing")
    if not _is_date(fields["until"]):
        raise wrong(f"`until={_shown(fields['until'])}` is not a date such as 2027-03-01")
    code = _line_of_code(text, line)
    where = f"{text.file}:{line}"
    return [
        Comment(
            SuppressionEntry(rule.strip(), where, reason, fields["owner"], fields["until"], fields.get("alternative"), 0),
            text.file or "",
            code,
        )
        for rule in rules[1].split(",")
    ]


def _fields(said: str, wrong: Callable[[str], InputError]) -> tuple[dict[str, str], str]:
    """The fields at the start of a text, and what follows them: the reason."""
    fields: dict[str, str] = {}
    at = 0
    while found := _FIELD.match(said, at):
        if found[1] in fields:
            raise wrong(f"the comment says `{found[1]}=` twice")
        fields[found[1]] = (found[2] if found[2] is not None else found[3]).strip()
        if not fields[found[1]]:
            raise wrong(f"`{found[1]}=` is empty")
        at = found.end()
    return fields, " ".join(said[at:].split())


def _is_date(text: str) -> bool:
    import datetime as dt

    if len(text) != 10:
        return False
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text[:40])


def _line_of_code(text: Text, line: int) -> int:
    """The line that a comment on `line` stands for: its own if code stands before it, else the next that has code."""
    if not text.line(line).lstrip().startswith(("#", "//")):
        return line
    last = text.content.count("\n") + 1
    for number in range(line + 1, last + 1):
        said = text.line(number).strip()
        if said and not said.startswith(("#", "//")):
            return number
    return line


# --- where comments stand


def _hcl_comments(text: Text) -> Iterator[tuple[int, int]]:
    """The ranges of the comments of an HCL file, as its parser sees them."""
    from kmslint.sources.hcl.reader import parsed_whole

    source, root = parsed_whole(text)
    todo: list[Syntax] = [root]
    while todo:
        node = todo.pop()
        if node.type == "comment":
            yield source.offset(node.start_byte), source.offset(node.end_byte)
        todo.extend(reversed(node.children))


def _yaml_comments(text: Text) -> Iterator[tuple[int, int]]:
    """The ranges of what begins with `#` in a YAML file and stands in no value, as far as the file can be read."""
    values = _scalars(text)
    number = 0
    content = text.content
    for match in re.finditer(r"(?<!\S)#[^\r\n]*", content):
        while number < len(values) and values[number][1] <= match.start():
            number += 1
        if number == len(values) or match.start() < values[number][0]:
            yield match.start(), match.end()


def _scalars(text: Text) -> Sequence[tuple[int, int]]:
    """The ranges of the scalars of a YAML text, in order; of a faulty one, those before the fault and all behind it as one."""
    import yaml

    found: list[tuple[int, int]] = []
    try:
        for event in yaml.parse(text.content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.ScalarEvent) and event.start_mark is not None and event.end_mark is not None:
                start, end = event.start_mark.index, event.end_mark.index
                is_block = event.style in {"|", ">"}
                found.append((start, start + len(text.content[start:end].rstrip()) if is_block else end))
    except (yaml.YAMLError, UnicodeEncodeError):
        found.append((found[-1][1] if found else 0, len(text.content)))
    return found
