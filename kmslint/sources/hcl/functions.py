"""Terraform's functions, as far as policies use them. One that answers None leaves the call a symbol.

Regular expressions are not evaluated: Terraform's differ from Python's, and Python's can take exponential time.

Source: HashiCorp, Terraform Language, "Functions".
"""

import re
from collections.abc import Callable, Iterable, Sequence

from kmslint.errors import InputError
from kmslint.sources.hcl import values
from kmslint.sources.hcl.expressions import Evaluator, Function, Scope, pairs_of
from kmslint.sources.hcl.syntax import Call, Place
from kmslint.sources.hcl.texts import Encoded
from kmslint.sources.hcl.values import Failure
from kmslint.tree import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, UNRESOLVED, Node, Symbol, Value
from kmslint.typed import Final

MAX_RANGE: Final = 10_000
"""Numbers that `range` makes."""


# --- lists and maps: the items keep their places


def _concat(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    found: list[Node] = []
    for argument in arguments:
        if argument.kind == UNRESOLVED:
            found.append(values.several(argument))
        elif argument.kind == ARRAY:
            found += argument.items()
        else:
            raise Failure(f"`concat` takes lists, found {argument.kind}", call.place)
    return values.array(found, call.place)


def _flatten(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind != ARRAY:
        return None
    return values.array(_flat(arguments[0]), call.place)


def _flat(node: Node) -> list[Node]:
    found: list[Node] = []
    for item in node.items():
        if item.kind == ARRAY:
            found += _flat(item)
        else:
            found.append(values.several(item) if item.kind == UNRESOLVED else item)
    return found


def _compact(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind != ARRAY:
        return None
    kept = [item for item in arguments[0].items() if item.kind != NULL and item.value != ""]
    return values.array([values.several(item) if values.is_open(item) else item for item in kept], call.place)


def _unique(items: Iterable[Node]) -> list[Node]:
    found: dict[object, Node] = {}
    for item in items:
        found.setdefault(values.plain(item), item)
    return list(found.values())


def _set(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind not in {ARRAY, NULL}:
        return None
    return arguments[0] if arguments[0].kind == NULL else values.array(_unique(arguments[0].items()), call.place)


def _union(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    found: list[Node] = []
    for argument in arguments:
        found += [values.several(argument)] if argument.kind == UNRESOLVED else argument.items()
    return values.array(_unique(found), call.place)


def _intersection(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if not arguments or not all(map(values.is_known, arguments)):
        return None
    others = [{values.plain(item) for item in argument.items()} for argument in arguments[1:]]
    kept = [item for item in arguments[0].items() if all(values.plain(item) in other for other in others)]
    return values.array(_unique(kept), call.place)


def _subtraction(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 2 or not all(map(values.is_known, arguments)):
        return None
    gone = {values.plain(item) for item in arguments[1].items()}
    return values.array(_unique(item for item in arguments[0].items() if values.plain(item) not in gone), call.place)


def _as_is(_: Evaluator, __: Call, arguments: list[Node], ___: Scope) -> Node | None:
    return arguments[0] if len(arguments) == 1 else None


def _merge(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    found: dict[str, Node] = {}
    for argument in arguments:
        if argument.kind == NULL:
            continue
        if argument.kind != OBJECT:
            return None
        found |= {member.key: member.value for member in argument.members()}
    return values.mapping(found.items(), call.place)


def _keys(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind != OBJECT:
        return None
    return values.array([values.string(key, call.place) for key in sorted(m.key for m in arguments[0].members())], call.place)


def _values(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind != OBJECT:
        return None
    return values.array([m.value for m in sorted(arguments[0].members(), key=lambda member: member.key)], call.place)


def _lookup(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) not in {2, 3} or arguments[0].kind != OBJECT or not values.is_known(arguments[1]):
        return None
    found = arguments[0].member(str(values.text_of(arguments[1])))
    if found is None and len(arguments) == 2:
        raise Failure("`lookup` finds nothing", call.place)
    return found if found is not None else arguments[2]


def _element(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 2 or arguments[0].kind != ARRAY or not values.is_known(arguments[1]):
        return None
    items = arguments[0].items()
    if any(map(values.is_several, items)):
        return None
    if not items:
        raise Failure("`element` of an empty list", call.place)
    return items[_integer(arguments[1]) % len(items)]


def _slice(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 3 or arguments[0].kind != ARRAY or any(map(values.is_several, arguments[0].items())):
        return None
    start, end = _integer(arguments[1]), _integer(arguments[2])
    if not 0 <= start <= end <= len(arguments[0].items()):
        raise Failure("`slice` leaves the list", call.place)
    return values.array(arguments[0].items()[start:end], call.place)


def _reverse(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    return values.array(arguments[0].items()[::-1], call.place) if arguments and arguments[0].kind == ARRAY else None


def _sort(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind != ARRAY or not values.is_known(arguments[0]):
        return None
    return values.array(sorted(arguments[0].items(), key=lambda item: str(values.text_of(item))), call.place)


def _one(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind != ARRAY or any(map(values.is_several, arguments[0].items())):
        return None
    items = arguments[0].items()
    if len(items) > 1:
        raise Failure("`one` of a list with more than one item", call.place)
    return items[0] if items else values.null(call.place)


def _zipmap(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 2 or not values.is_known(arguments[0]) or arguments[1].kind != ARRAY:
        return None
    if any(map(values.is_several, arguments[1].items())) or len(arguments[0].items()) != len(arguments[1].items()):
        return None
    names = [str(values.text_of(item)) for item in arguments[0].items()]
    return values.mapping(zip(names, arguments[1].items(), strict=True), call.place)


def _product(evaluator: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if any(argument.kind != ARRAY or any(map(values.is_several, argument.items())) for argument in arguments):
        return None
    found: list[tuple[Node, ...]] = [()]
    for argument in arguments:
        evaluator.spend(len(found) * len(argument.items()), call.place)
        found = [(*before, item) for before in found for item in argument.items()]
    return values.array([values.array(items, call.place) for items in found], call.place)


def _coalesce(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    for argument in arguments:
        if values.is_open(argument):
            return None
        if not _is_empty(argument):
            return argument
    raise Failure("`coalesce` finds no value", call.place)


def _is_empty(node: Node) -> bool:
    return node.kind == NULL or node.value == "" or (node.kind == ARRAY and not node.items())


def _contains(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 2 or arguments[0].kind != ARRAY:
        return None
    found = values.plain(arguments[1]) in {values.plain(item) for item in arguments[0].items()}
    if not found and not all(map(values.is_known, arguments)):
        return None
    return values.boolean(found, call.place)


def _length(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1:
        return None
    node = arguments[0]
    if node.kind == STRING:
        return values.number(len(node.value), call.place) if isinstance(node.value, str) else None
    if node.kind == UNRESOLVED or any(map(values.is_several, node.items())):
        return None
    pairs = pairs_of(node)
    return None if pairs is None else values.number(len(pairs), call.place)


def _range(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if not 1 <= len(arguments) <= 3 or not all(map(values.is_known, arguments)):
        return None
    found = range(*map(_integer, arguments))
    if len(found) > MAX_RANGE:
        raise values.Limit(f"`range` makes more than {MAX_RANGE:,} numbers", call.place)
    return values.array([values.number(item, call.place) for item in found], call.place)


def _all_true(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    return _quantified(call, arguments, wanted=True)


def _any_true(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    return _quantified(call, arguments, wanted=False)


def _quantified(call: Call, arguments: list[Node], *, wanted: bool) -> Node | None:
    """`alltrue` (wanted) and `anytrue`: whether no item differs from `wanted`, or the opposite."""
    if len(arguments) != 1 or not values.is_known(arguments[0]):
        return None
    items = [str(values.text_of(item)) == "true" for item in arguments[0].items()]
    return values.boolean(all(items) if wanted else any(items), call.place)


# --- texts that may have holes


def _join(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
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


_VERB: Final = re.compile(r"%(?:%|[sqvd]|0?[0-9]{1,2}d)")


def _format(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    found = _formatted(arguments)
    return None if found is None else values.string(found, call.place)


def _formatted(arguments: Sequence[Node]) -> Value | None:
    if not arguments or not isinstance(arguments[0].value, str):
        return None
    pattern, rest = arguments[0].value, list(arguments[1:])
    parts: list[str | Symbol] = []
    at = 0
    for verb in _VERB.finditer(pattern):
        parts.append(pattern[at : verb.start()])
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
    parts.append(pattern[at:])
    if rest or "%" in _VERB.sub("", pattern):
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
    return (verb % _integer(node),) if value.lstrip("-").isdigit() and len(value) < 20 else None


def _formatlist(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
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


def _split(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 2 or not isinstance(arguments[0].value, str) or not isinstance(arguments[1].value, str):
        return None
    separator, text = arguments[0].value, arguments[1].value
    pieces = text.split(separator) if separator else list(text)
    return values.array([values.string(piece, call.place) for piece in pieces], call.place)


def _to_string(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind in {UNRESOLVED, NULL, STRING}:
        return arguments[0] if len(arguments) == 1 else None
    return values.string(values.text_of(arguments[0]), call.place)


def _to_number(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind in {UNRESOLVED, NULL, NUMBER}:
        return arguments[0] if len(arguments) == 1 else None
    text = str(values.text_of(arguments[0]))
    if not re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", text):
        raise Failure(f"`{values.shown(text)}` is no number", call.place)
    return values.number(text, call.place)


def _to_bool(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind in {UNRESOLVED, NULL, BOOLEAN}:
        return arguments[0] if len(arguments) == 1 else None
    text = str(values.text_of(arguments[0]))
    if text not in {"true", "false"}:
        raise Failure(f"`{values.shown(text)}` is no boolean", call.place)
    return values.boolean(text == "true", call.place)


# --- JSON and files


def _json_encode(evaluator: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1:
        return None
    parts = values.render_json(arguments[0])
    evaluator.spend(len(parts), call.place)
    value = values.join_parts(parts)
    evaluator.texts.encode(value, Encoded(arguments[0]))
    return Node(STRING, value, call.place.text, call.place.start, call.place.end)


def _json_decode(evaluator: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    if len(arguments) != 1 or arguments[0].kind != STRING:
        return None
    try:
        found = evaluator.texts.decode(arguments[0])
    except InputError as error:
        raise Failure(f"`jsondecode` of what is not JSON: {error.message}", call.place) from None
    return None if found.doubts else found.node


def _file(_: Evaluator, __: Call, arguments: list[Node], scope: Scope) -> Node | None:
    if len(arguments) != 1 or not isinstance(arguments[0].value, str):
        return None
    return scope.module.file(arguments[0].value)


def _template_file(evaluator: Evaluator, _: Call, arguments: list[Node], scope: Scope) -> Node | None:
    if len(arguments) != 2 or not isinstance(arguments[0].value, str) or arguments[1].kind != OBJECT:
        return None
    template = scope.module.template(arguments[0].value)
    if template is None:
        return None
    return evaluator.evaluate(template, Scope(scope.module, {member.key: member.value for member in arguments[1].members()}))


# --- plain functions of known texts and numbers


def _integer(node: Node) -> int:
    text = str(values.text_of(node))
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Failure(f"`{values.shown(text)}` is no whole number", values.place_of(node))
    return int(text)


def _of_texts(compute: "Callable[..., str | bool | None]", count: int) -> Function:
    """A function of `count` known texts."""

    def apply(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
        if len(arguments) != count or not all(map(values.is_known, arguments)):
            return None
        found = compute(*(str(values.text_of(argument)) for argument in arguments))
        return _made(found, call.place)

    return apply


def _made(found: "str | bool | None", place: Place) -> Node | None:
    if found is None:
        return None
    return values.boolean(found, place) if isinstance(found, bool) else values.string(found, place)


def _of_numbers(compute: Callable[[list[float]], float]) -> Function:
    """A function of known numbers."""

    def apply(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
        if not arguments or not all(map(values.is_known, arguments)):
            return None
        texts = [str(values.text_of(argument)) for argument in arguments]
        if not all(re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", text) for text in texts):
            raise Failure("found a text that is no number", call.place)
        return values.number(compute([float(text) if "." in text else int(text) for text in texts]), call.place)

    return apply


def _replace(text: str, old: str, new: str) -> str | None:
    is_pattern = len(old) > 1 and old.startswith("/") and old.endswith("/")
    return None if is_pattern or len(text) * max(len(new), 1) > values.MAX_TEXT else text.replace(old, new)


def _trim(text: str, cut: str) -> str:
    return text.strip(cut)


def _substr(text: str, offset: str, length: str) -> str | None:
    if not (offset.lstrip("-").isdigit() and length.lstrip("-").isdigit()):
        return None
    start = int(offset) if int(offset) >= 0 else max(len(text) + int(offset), 0)
    return text[start:] if int(length) < 0 else text[start : start + int(length)]


def _digest(algorithm: str) -> Callable[[str], str]:
    def compute(text: str) -> str:
        import hashlib

        return hashlib.new(algorithm, text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()

    return compute


def _base64(text: str) -> str:
    from base64 import b64encode

    return b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def _base_name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _dir_name(path: str) -> str:
    return path.rpartition("/")[0] or "."


FUNCTIONS: Final[dict[str, Function]] = {
    "concat": _concat,
    "flatten": _flatten,
    "compact": _compact,
    "distinct": _set,
    "toset": _set,
    "tolist": _as_is,
    "tomap": _as_is,
    "sensitive": _as_is,
    "nonsensitive": _as_is,
    "ephemeralasnull": _as_is,
    "setunion": _union,
    "setintersection": _intersection,
    "setsubtract": _subtraction,
    "setproduct": _product,
    "merge": _merge,
    "keys": _keys,
    "values": _values,
    "lookup": _lookup,
    "element": _element,
    "slice": _slice,
    "reverse": _reverse,
    "sort": _sort,
    "one": _one,
    "zipmap": _zipmap,
    "coalesce": _coalesce,
    "coalescelist": _coalesce,
    "contains": _contains,
    "length": _length,
    "range": _range,
    "alltrue": _all_true,
    "anytrue": _any_true,
    "join": _join,
    "format": _format,
    "formatlist": _formatlist,
    "split": _split,
    "tostring": _to_string,
    "tonumber": _to_number,
    "tobool": _to_bool,
    "jsonencode": _json_encode,
    "jsondecode": _json_decode,
    "file": _file,
    "templatefile": _template_file,
    "lower": _of_texts(str.lower, 1),
    "upper": _of_texts(str.upper, 1),
    "title": _of_texts(str.title, 1),
    "trimspace": _of_texts(str.strip, 1),
    "chomp": _of_texts(lambda text: text.rstrip("\r\n"), 1),
    "trim": _of_texts(_trim, 2),
    "trimprefix": _of_texts(str.removeprefix, 2),
    "trimsuffix": _of_texts(str.removesuffix, 2),
    "startswith": _of_texts(str.startswith, 2),
    "endswith": _of_texts(str.endswith, 2),
    "strcontains": _of_texts(lambda text, part: part in text, 2),
    "replace": _of_texts(_replace, 3),
    "substr": _of_texts(_substr, 3),
    "strrev": _of_texts(lambda text: text[::-1], 1),
    "basename": _of_texts(_base_name, 1),
    "dirname": _of_texts(_dir_name, 1),
    "base64encode": _of_texts(_base64, 1),
    "md5": _of_texts(_digest("md5"), 1),
    "sha1": _of_texts(_digest("sha1"), 1),
    "sha256": _of_texts(_digest("sha256"), 1),
    "abs": _of_numbers(lambda numbers: abs(numbers[0])),
    "ceil": _of_numbers(lambda numbers: -(-numbers[0] // 1)),
    "floor": _of_numbers(lambda numbers: numbers[0] // 1),
    "min": _of_numbers(min),
    "max": _of_numbers(max),
}
