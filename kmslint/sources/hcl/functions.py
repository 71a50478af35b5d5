"""Terraform's functions, as far as policies use them. One that answers None leaves the call a symbol.

Source: HashiCorp, Terraform Language, "Functions".
"""

import re
from collections.abc import Callable

from kmslint.errors import InputError
from kmslint.sources.hcl import list_functions, pattern_functions, provider_functions, text_functions, values
from kmslint.sources.hcl.expressions import Evaluator, Function, Scope
from kmslint.sources.hcl.syntax import Call, Place
from kmslint.sources.hcl.texts import Encoded
from kmslint.sources.hcl.values import Failure
from kmslint.tree import OBJECT, STRING, Node
from kmslint.typed import Final

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


def _in_case(change: Callable[[str], str]) -> Callable[[str], str | None]:
    """Letters in another case, one by one. One that becomes several is left to Terraform."""

    def apply(text: str) -> str | None:
        found = [change(char) for char in text]
        return "".join(found) if all(len(char) == 1 for char in found) else None

    return apply


def _title(text: str) -> str | None:
    """Every letter that begins a word in upper case, the others as they are."""
    if not text.isascii():
        return None
    return "".join(
        c.upper() if not (before.isalnum() or before == "_") else c for before, c in zip(" " + text, text, strict=False)
    )


_BLANKS: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""Source: Unicode, White_Space."""


def _trim(text: str, cut: str) -> str:
    return text.strip(cut)


def _reversed(text: str) -> str | None:
    return None if text_functions.has_marks(text) else text[::-1]


def _substr(text: str, offset: str, length: str) -> str | None:
    if text_functions.has_marks(text) or not (offset.lstrip("-").isdigit() and length.lstrip("-").isdigit()):
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


def _base64_decoded(text: str) -> str | None:
    """Of what is no Base64, or no text in it, Terraform makes an error: left open, as it is no policy either."""
    from base64 import b64decode

    try:
        return b64decode(text.translate({10: None, 13: None}), validate=True).decode("utf-8")
    except ValueError:
        return None


def _base64_digest(algorithm: str) -> Callable[[str], str]:
    def compute(text: str) -> str:
        import hashlib
        from base64 import b64encode

        data = text.encode("utf-8", "surrogatepass")
        return b64encode(hashlib.new(algorithm, data, usedforsecurity=False).digest()).decode("ascii")

    return compute


def _url_encoded(text: str) -> str:
    from urllib.parse import quote_plus

    return quote_plus(text, safe="", errors="surrogatepass")


def _indented(width: str, text: str) -> str | None:
    if not (width.isascii() and width.isdecimal() and len(width) < 4) or len(text) * (int(width) + 1) > values.MAX_TEXT:
        return None
    return text.replace("\n", "\n" + " " * int(width))


def _base_name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2] or ("/" if path else ".")


def _dir_name(path: str) -> str:
    from posixpath import normpath

    folder = path[: path.rfind("/") + 1]
    return normpath(folder).replace("//", "/") if folder else "."


def _file_exists(_: Evaluator, call: Call, arguments: list[Node], scope: Scope) -> Node | None:
    """Known only where the file is there: one that may not be read may exist all the same."""
    if len(arguments) != 1 or not isinstance(arguments[0].value, str) or scope.module.file(arguments[0].value) is None:
        return None
    return values.boolean(True, call.place)


FUNCTIONS: Final[dict[str, Function]] = {
    "concat": list_functions.concat,
    "flatten": list_functions.flatten,
    "compact": list_functions.compact,
    "distinct": list_functions.distinct,
    "toset": list_functions.set_of,
    "tolist": list_functions.as_is,
    "tomap": list_functions.as_is,
    "sensitive": list_functions.as_is,
    "nonsensitive": list_functions.as_is,
    "ephemeralasnull": list_functions.as_is,
    "setunion": list_functions.union,
    "setintersection": list_functions.intersection,
    "setsubtract": list_functions.subtraction,
    "setproduct": list_functions.product,
    "merge": list_functions.merge,
    "keys": list_functions.keys_of,
    "values": list_functions.values_of,
    "lookup": list_functions.lookup,
    "element": list_functions.element,
    "slice": list_functions.slice_of,
    "reverse": list_functions.reverse_of,
    "sort": list_functions.sort_of,
    "one": list_functions.one,
    "zipmap": list_functions.zipmap,
    "coalesce": list_functions.coalesce,
    "coalescelist": list_functions.coalesce,
    "contains": list_functions.contains,
    "length": list_functions.length_of,
    "range": list_functions.range_of,
    "alltrue": list_functions.all_true,
    "anytrue": list_functions.any_true,
    "join": text_functions.join,
    "format": text_functions.format_of,
    "formatlist": text_functions.formatlist,
    "split": text_functions.split,
    "tostring": text_functions.to_string,
    "tonumber": text_functions.to_number,
    "tobool": text_functions.to_bool,
    "jsonencode": _json_encode,
    "jsondecode": _json_decode,
    "file": _file,
    "templatefile": _template_file,
    "fileexists": _file_exists,
    "regex": pattern_functions.regex,
    "regexall": pattern_functions.regexall,
    "replace": pattern_functions.replace,
    "lower": _of_texts(_in_case(str.lower), 1),
    "upper": _of_texts(_in_case(str.upper), 1),
    "title": _of_texts(_title, 1),
    "trimspace": _of_texts(lambda text: text.strip(_BLANKS), 1),
    "chomp": _of_texts(lambda text: text.rstrip("\r\n"), 1),
    "trim": _of_texts(_trim, 2),
    "trimprefix": _of_texts(str.removeprefix, 2),
    "trimsuffix": _of_texts(str.removesuffix, 2),
    "startswith": _of_texts(str.startswith, 2),
    "endswith": _of_texts(str.endswith, 2),
    "strcontains": _of_texts(lambda text, part: part in text, 2),
    "substr": _of_texts(_substr, 3),
    "strrev": _of_texts(_reversed, 1),
    "basename": _of_texts(_base_name, 1),
    "dirname": _of_texts(_dir_name, 1),
    "indent": _of_texts(_indented, 2),
    "urlencode": _of_texts(_url_encoded, 1),
    "base64encode": _of_texts(_base64, 1),
    "base64decode": _of_texts(_base64_decoded, 1),
    "base64sha256": _of_texts(_base64_digest("sha256"), 1),
    "base64sha512": _of_texts(_base64_digest("sha512"), 1),
    "md5": _of_texts(_digest("md5"), 1),
    "sha1": _of_texts(_digest("sha1"), 1),
    "sha256": _of_texts(_digest("sha256"), 1),
    "sha512": _of_texts(_digest("sha512"), 1),
    "provider::aws::arn_build": provider_functions.arn_build,
    "provider::aws::arn_parse": provider_functions.arn_parse,
    "provider::aws::trim_iam_role_path": provider_functions.trim_iam_role_path,
    "abs": _of_numbers(lambda numbers: abs(numbers[0])),
    "ceil": _of_numbers(lambda numbers: -(-numbers[0] // 1)),
    "floor": _of_numbers(lambda numbers: numbers[0] // 1),
    "min": _of_numbers(min),
    "max": _of_numbers(max),
    "sum": list_functions.sum_of,
    "index": list_functions.index_of,
    "chunklist": list_functions.chunks_of,
    "matchkeys": list_functions.matching,
    "transpose": list_functions.transposed,
}
