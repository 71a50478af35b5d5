"""Where the texts of a template have holes: those of Fn::Sub, and those that stand in any text.

Source: CloudFormation User Guide, "Fn::Sub", "Dynamic references"; Serverless Framework, "Variables".
"""

from collections.abc import Mapping, Sequence

from kmslint.pattern import pattern
from kmslint.tree import ARRAY, STRING, Node, Symbol
from kmslint.typed import Final

_REFERENCE: Final = "{{resolve:"
_HOLE: Final = pattern(r"\$\{(!?)([^{}]*)\}")
FOREIGN: Final = pattern(
    r"\{\{resolve:[^{}]*\}\}"
    r"|\$\{(?:self|opt|file|env|ssm|cf|s3|sls|param|custom|strToBool)[:(.](?:[^{}]|\{[^{}]*\})*\}"
    r"|#\{(AWS::[A-Za-z]+|[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*)\}"
)
"""Holes that stand in any text: dynamic references, variables of the Serverless Framework and of its plugin for pseudo parameters."""


def sub_arguments(argument: Node) -> tuple[Node | None, Mapping[str, Node]]:
    """The text of Fn::Sub (None if it is no text) and its variables."""
    items = argument.items()
    if argument.kind == ARRAY:
        template = items[0] if len(items) == 2 else None
        variables = {member.key: member.value for member in items[1].members()} if template is not None else {}
    else:
        template, variables = argument, {}
    is_text = template is not None and template.kind == STRING and isinstance(template.value, str)
    return (template if is_text else None), variables


def split_sub(text: str) -> list[tuple[str, str | None]]:
    """The parts of a text of Fn::Sub as they stand, with the name of each hole. `${!x}` is the literal `${x}`."""
    found: list[tuple[str, str | None]] = []
    at = 0
    for hole in _HOLE.finditer(text):
        if hole.group(1):
            found.append((text[at : hole.start()] + "${" + hole.group(2) + "}", None))
        else:
            found += [(text[at : hole.start()], None), (hole.group(), hole.group(2).strip())]
        at = hole.end()
    found.append((text[at:], None))
    return [(piece, name) for piece, name in found if piece or name is not None]


def closed(parts: Sequence[str | Symbol]) -> list[str | Symbol]:
    """The pieces with each dynamic reference that was put together from several as one symbol."""
    found: list[str | Symbol] = []
    inside: list[str] = []
    for part in parts:
        if inside:
            end = part.find("}}") if isinstance(part, str) else -1
            inside.append(part[: end if end >= 0 else None] if isinstance(part, str) else f"${{{part.name}}}")
            if isinstance(part, str) and end >= 0:
                found += [Symbol("".join(inside)), part[end + 2 :]]
                inside = []
        elif isinstance(part, str) and (at := part.rfind(_REFERENCE)) >= 0 and "}}" not in part[at:]:
            found.append(part[:at])
            inside.append(part[at + 2 :])
        else:
            found.append(part)
    return found if not inside else [*found, Symbol("".join(inside))]
