"""Terraform's functions of texts that may have holes, and conversions.

Source: HashiCorp, Terraform Language, "Functions", "String Functions", "Type Conversion Functions".
"""

import re
from collections.abc import Sequence

from kmslint.pattern import pattern
from kmslint.sources.hcl import values
from kmslint.sources.hcl.expressions import Evaluator, Scope
from kmslint.sources.hcl.syntax import Call
from kmslint.sources.hcl.values import Failure
from kmslint.tree import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, UNRESOLVED, Node, Symbol, Value
from kmslint.typed import Final


def join(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items as one text, a separator between them."""
    if len(arguments) < 2 or not isinstance(arguments[0].value, str) or any(list_.kind != ARRAY for list_ in arguments[1:]):
        return None
    items = [item for list_ in arguments[1:] for item in list_.items()]
    if any(map(values.is_several, items)):
        return None
    parts: list[str | Symbol] = []
    for number, item in enumerate(items):
        parts += [arguments[0].value] if number else []
        parts += values.parts_of(values.text_of(item))
    return values.string(values.join_parts(parts), call.place)


_VERB: Final = pattern(r"%(?:%|[sqvd]|0?[0-9]{1,2}d)")


def format_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """A text with values in the places of verbs."""
    found = _formatted(arguments)
    return None if found is None else values.string(found, call.place)


def _formatted(arguments: Sequence[Node]) -> Value | None:
    if not arguments or not isinstance(arguments[0].value, str):
        return None
    template, rest = arguments[0].value, list(arguments[1:])
    parts: list[str | Symbol] = []
    at = 0
    for verb in _VERB.finditer(template):
        parts.append(template[at : verb.start()])
        at = verb.end()
        if verb.group() == "%%":
            parts.append("%")
            continue
        if not rest:
            return None
        piece = _formatted_one(verb.group(), rest.pop(0))
        if piece is None:
            return None
        parts += piece
    parts.append(template[at:])
    if rest or "%" in _VERB.sub("", template):
        return None
    return values.join_parts(parts)


def _formatted_one(verb: str, node: Node) -> "Sequence[str | Symbol] | None":
    if node.kind in {ARRAY, OBJECT, NULL}:
        return None
    value = values.text_of(node)
    if verb in {"%s", "%v"} or (verb == "%d" and node.kind in {NUMBER, UNRESOLVED}):
        return values.parts_of(value)
    if not isinstance(value, str):
        return None
    if verb == "%q":
        return values.render_json(values.string(value, values.place_of(node)))
    return (verb % integer(node),) if value.lstrip("-").isdigit() and len(value) < 20 else None


def formatlist(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """One such text for each item of lists."""
    lists = [argument for argument in arguments[1:] if argument.kind == ARRAY]
    if any(any(map(values.is_several, list_.items())) for list_ in lists):
        return None
    sizes = {len(list_.items()) for list_ in lists}
    if len(sizes) != 1:
        return None
    found: list[Node] = []
    for index in range(sizes.pop()):
        row = [argument.items()[index] if argument.kind == ARRAY else argument for argument in arguments[1:]]
        text = _formatted([arguments[0], *row])
        if text is None:
            return None
        found.append(values.string(text, call.place))
    return values.array(found, call.place)


def split(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The pieces of a text between separators."""
    if len(arguments) != 2 or not isinstance(arguments[0].value, str) or not isinstance(arguments[1].value, str):
        return None
    separator, text = arguments[0].value, arguments[1].value
    pieces = text.split(separator) if separator else list(text)
    return values.array([values.string(piece, call.place) for piece in pieces], call.place)


def to_string(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """A scalar as a text."""
    if len(arguments) != 1 or arguments[0].kind in {UNRESOLVED, NULL, STRING}:
        return arguments[0] if len(arguments) == 1 else None
    return values.string(values.text_of(arguments[0]), call.place)


def to_number(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """A text as a number."""
    if len(arguments) != 1 or arguments[0].kind in {UNRESOLVED, NULL, NUMBER}:
        return arguments[0] if len(arguments) == 1 else None
    text = str(values.text_of(arguments[0]))
    if not re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", text):
        raise Failure(f"`{values.shown(text)}` is no number", call.place)
    return values.number(text, call.place)


def to_bool(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """A text as a boolean."""
    if len(arguments) != 1 or arguments[0].kind in {UNRESOLVED, NULL, BOOLEAN}:
        return arguments[0] if len(arguments) == 1 else None
    text = str(values.text_of(arguments[0]))
    if text not in {"true", "false"}:
        raise Failure(f"`{values.shown(text)}` is no boolean", call.place)
    return values.boolean(text == "true", call.place)


def integer(node: Node) -> int:
    """A known whole number. Raises Failure for anything else."""
    text = str(values.text_of(node))
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Failure(f"`{values.shown(text)}` is no whole number", values.place_of(node))
    return int(text)


def has_marks(text: str) -> bool:
    """Whether what a reader sees as one character may be several: a mark on a letter, an end of line of two."""
    return "\r\n" in text or max(text, default="") >= "\u0300"
