"""The parts of a `<<-` heredoc, without the blanks that all its lines start with.

Source: HashiCorp, "HCL Native Syntax Specification", "Template Literals": flush heredocs.
"""

from kmslint.sources.hcl.syntax import Choice, Hole, Loop, Part, Raw


def flushed(parts: tuple[Part, ...], content: str) -> tuple[Part, ...]:
    """The parts of a `<<-` heredoc: without the blanks that all its lines start with."""
    indents = list(_indents(parts, content))
    width = min(indents, default=0)
    return _outdented(parts, content, width) if width else parts


def _indents(parts: tuple[Part, ...], content: str) -> "list[int]":
    found: list[int] = []
    for number, part in enumerate(parts):
        if isinstance(part, Raw) and part.spread:
            for start, line in _lines(part, content):
                blank = not line.strip(" \t\r\n")
                last = start + len(line) == part.start + len(part.value)
                if blank and (line.endswith("\n") or (last and number + 1 == len(parts))):
                    continue
                found.append(len(line) - len(line.lstrip(" \t")))
        elif isinstance(part, (Hole, Choice, Loop)) and _opens_line(part.place.start, content):
            found.append(0)
        if isinstance(part, Choice):
            found += _indents(part.then, content) + _indents(part.otherwise, content)
        elif isinstance(part, Loop):
            found += _indents(part.body, content)
    return found


def _outdented(parts: tuple[Part, ...], content: str, width: int) -> tuple[Part, ...]:
    found: list[Part] = []
    for part in parts:
        if isinstance(part, Choice):
            found.append(
                part._replace(then=_outdented(part.then, content, width), otherwise=_outdented(part.otherwise, content, width))
            )
        elif isinstance(part, Loop):
            found.append(part._replace(body=_outdented(part.body, content, width)))
        elif isinstance(part, Raw) and part.spread:
            at = part.start
            for start, line in _lines(part, content):
                if at < start:
                    found.append(Raw(content[at:start], at))
                at = start + min(width, len(line) - len(line.lstrip(" \t")))
            if at < part.start + len(part.value):
                found.append(Raw(content[at : part.start + len(part.value)], at))
        else:
            found.append(part)
    return tuple(found)


def _lines(part: Raw, content: str) -> "list[tuple[int, str]]":
    """The lines that start inside the piece, each with its offset, as far as the piece goes."""
    found: list[tuple[int, str]] = []
    at, end = part.start, part.start + len(part.value)
    while at < end:
        after = content.find("\n", at, end)
        after = end if after < 0 else after + 1
        if _opens_line(at, content):
            found.append((at, content[at:after]))
        at = after
    return found


def _opens_line(at: int, content: str) -> bool:
    return at == 0 or content[at - 1] == "\n"
