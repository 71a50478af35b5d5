"""A small JSON Schema over the facts of a key, in three values: a fact that is not known makes no verdict.

At the top, `properties` are facts by their dotted names; an Absent fact is a missing one, an unknown one is unknown. Below,
values are ordinary JSON. Connectives are Kleene's: what is not known matters only where the answer depends on it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from kmslint.aws.spelling import nearest
from kmslint.model.key import Absent, Fact, Known, Unknown
from kmslint.pattern import pattern
from kmslint.tree import Symbol, Template
from kmslint.typed import Final, NamedTuple

Schema = Mapping[str, object]

MAX_TEXT: Final = 10_000
"""Characters that a pattern is tried on; a longer text is unknown. AWS allows at most 8192 (a description)."""

_MAX_DEPTH: Final = 16
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}


class SchemaError(Exception):
    """What is wrong with a schema; `at` is the path of keywords to it, `.a.b`."""

    def __init__(self, at: str, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.at = at
        self.message = message
        self.help = help


class Judgement(NamedTuple):
    """Whether the facts satisfy a schema (None: not known), and the names of the facts that settle or unsettle it."""

    truth: bool | None
    facts: tuple[str, ...]


def judge(schema: Schema, fact_of: Callable[[str], Fact]) -> Judgement:
    """Whether the facts satisfy `schema`, whose variables are resolved."""
    values: dict[str, object] = {}
    for name in dict.fromkeys(_names(schema)):
        fact = fact_of(name)
        if not isinstance(fact, Absent):
            values[name] = fact.value if isinstance(fact, Known) else fact
    truth = _satisfies(schema, values)
    return Judgement(truth, tuple(dict.fromkeys(_blame(schema, values, truth))))


def shown(fact: Fact) -> str:
    """A fact as a sentence calls it."""
    if isinstance(fact, Absent):
        return "absent"
    if isinstance(fact, Unknown):
        return "not known"
    value = fact.value
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    text = str(value).replace("`", "'")
    return f"`{text[:120]}…`" if len(text) > 120 else f"`{text}`"


# deciding


def _satisfies(schema: Schema, value: object) -> bool | None:
    if isinstance(value, (Unknown, Symbol, Template)):
        return None
    return _all(_KEYWORDS[name](argument, value) for name, argument in schema.items())


def _all(truths: Iterable[bool | None]) -> bool | None:
    found: bool | None = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            found = None
    return found


def _any(truths: Iterable[bool | None]) -> bool | None:
    return _not(_all(_not(truth) for truth in truths))


def _not(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _is(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name]) or (name == "integer" and isinstance(value, float) and value.is_integer())


def _same(left: object, right: object) -> bool | None:
    """JSON equality: true is not 1, a list equals a tuple; None where a part of `right` is not resolved."""
    if isinstance(right, (Symbol, Template)) or isinstance(left, (Symbol, Template)):
        return None
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return False if len(left) != len(right) else _all(_same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return False if left.keys() != right.keys() else _all(_same(left[name], right[name]) for name in left)
    return left == right


def _type(argument: object, value: object) -> bool:
    names = argument if isinstance(argument, list) else [argument]
    return any(_is(value, str(name)) for name in names)


def _enum(argument: object, value: object) -> bool | None:
    return _any(_same(item, value) for item in _list(argument))


def _bound(holds: Callable[[float, float], bool]) -> "_Keyword":
    def keyword(argument: object, value: object) -> bool:
        if not _is(value, "number"):
            return True
        return isinstance(argument, (int, float)) and isinstance(value, (int, float)) and holds(value, argument)

    return keyword


def _length(type_name: str, holds: Callable[[int, int], bool]) -> "_Keyword":
    def keyword(argument: object, value: object) -> bool:
        if not _is(value, type_name) or not isinstance(value, (str, list, tuple)):
            return True
        return isinstance(argument, int) and holds(len(value), argument)

    return keyword


def _pattern(argument: object, value: object) -> bool | None:
    if not isinstance(value, str):
        return True
    return None if len(value) > MAX_TEXT else re.search(str(argument), value) is not None


def _items(argument: object, value: object) -> bool | None:
    return _all(_satisfies(_table(argument), item) for item in value) if isinstance(value, (list, tuple)) else True


def _contains(argument: object, value: object) -> bool | None:
    return _any(_satisfies(_table(argument), item) for item in value) if isinstance(value, (list, tuple)) else True


def _properties(argument: object, value: object) -> bool | None:
    if not isinstance(value, Mapping):
        return True
    return _all(_satisfies(_table(schema), value[name]) for name, schema in _table(argument).items() if name in value)


def _required(argument: object, value: object) -> bool | None:
    if not isinstance(value, Mapping):
        return True
    return _all(_is_present(value, name) for name in _list(argument))


def _is_present(value: Mapping[object, object], name: object) -> bool | None:
    if name not in value:
        return False
    return None if isinstance(value[name], Unknown) else True


_Keyword = Callable[[object, object], "bool | None"]

_KEYWORDS: Final[Mapping[str, _Keyword]] = {
    "type": _type,
    "const": _same,
    "enum": _enum,
    "minimum": _bound(lambda value, limit: value >= limit),
    "maximum": _bound(lambda value, limit: value <= limit),
    "exclusiveMinimum": _bound(lambda value, limit: value > limit),
    "exclusiveMaximum": _bound(lambda value, limit: value < limit),
    "minLength": _length("string", lambda length, limit: length >= limit),
    "minItems": _length("array", lambda length, limit: length >= limit),
    "maxItems": _length("array", lambda length, limit: length <= limit),
    "pattern": _pattern,
    "items": _items,
    "contains": _contains,
    "properties": _properties,
    "required": _required,
    "anyOf": lambda argument, value: _any(_satisfies(_table(schema), value) for schema in _list(argument)),
    "allOf": lambda argument, value: _all(_satisfies(_table(schema), value) for schema in _list(argument)),
    "not": lambda argument, value: _not(_satisfies(_table(argument), value)),
}

KEYWORDS: Final = tuple(_KEYWORDS)


def _table(value: object) -> Schema:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


# saying which facts it was


def _names(schema: Schema) -> Iterator[str]:
    """The facts that a top-level schema speaks of."""
    for name, argument in schema.items():
        if name == "properties":
            yield from _table(argument)
        elif name == "required":
            yield from (str(item) for item in _list(argument))
        elif name in {"anyOf", "allOf"}:
            for part in _list(argument):
                yield from _names(_table(part))
        elif name == "not":
            yield from _names(_table(argument))


def _blame(schema: Schema, values: Mapping[str, object], truth: bool | None) -> Iterator[str]:
    """The facts whose state gives the top-level schema this truth."""
    for keyword, argument in schema.items():
        if truth is True or _KEYWORDS[keyword](argument, values) is truth:
            yield from _blamed(keyword, argument, values, truth)


def _blamed(keyword: str, argument: object, values: Mapping[str, object], truth: bool | None) -> Iterator[str]:
    if keyword == "properties":
        for name, schema in _table(argument).items():
            if name in values and _satisfies(_table(schema), values[name]) is truth:
                yield name
    elif keyword == "required":
        yield from (str(name) for name in _list(argument) if _is_present(values, name) is truth)  # type: ignore[arg-type]
    elif keyword in {"anyOf", "allOf"}:
        for part in _list(argument):
            if _satisfies(_table(part), values) is truth:
                yield from _blame(_table(part), values, truth)
    elif keyword == "not":
        yield from _blame(_table(argument), values, _not(truth))


# checking a schema


def validate(schema: Schema, facts: tuple[str, ...] | None = None, at: str = "", depth: int = _MAX_DEPTH) -> None:
    """Raises SchemaError at the first thing in `schema` that is no keyword, or not of the keyword's kind.

    With `facts`, `schema` is a top-level one and speaks only of them. A variable is left to be resolved.
    """
    if not depth:
        raise SchemaError(at, f"is nested more than {_MAX_DEPTH} deep")
    for name, argument in schema.items():
        if name not in _KEYWORDS:
            near = nearest(name, KEYWORDS)
            raise SchemaError("", f"has an unknown keyword `{at}.{name}`".replace("`.", "`"), _suggest(near, KEYWORDS))
        _validate_keyword(f"{at}.{name}", name, argument, facts, depth)


def _validate_keyword(at: str, name: str, argument: object, facts: tuple[str, ...] | None, depth: int) -> None:
    if name in {"properties", "required"} and facts is not None:
        _known_facts(at, argument, facts)
    if name == "properties":
        for member, schema in _expect_table(at, argument).items():
            validate(_expect_table(f"{at}.{member}", schema), None, f"{at}.{member}", depth - 1)
    elif name in {"anyOf", "allOf"}:
        for index, schema in enumerate(_expect_list(at, argument)):
            validate(_expect_table(f"{at}[{index}]", schema), facts, f"{at}[{index}]", depth - 1)
    elif name == "not":
        validate(_expect_table(at, argument), facts, at, depth - 1)
    elif name in {"items", "contains"}:
        validate(_expect_table(at, argument), None, at, depth - 1)
    elif not _is_variable(argument):
        _validate_leaf(at, name, argument)


def _validate_leaf(at: str, name: str, argument: object) -> None:
    if name in {"enum", "required"}:
        _expect_list(at, argument)
    elif name == "type":
        for word in argument if isinstance(argument, list) else [argument]:
            if word not in _TYPES:
                raise SchemaError(at, f"is `{word}`, not a type", _suggest(None, tuple(_TYPES)))
    elif name == "pattern":
        _validate_pattern(at, argument)
    elif name in {"minItems", "maxItems", "minLength"}:
        if not _is(argument, "integer"):
            raise SchemaError(at, "is not a whole number")
    elif name != "const" and not _is(argument, "number"):
        raise SchemaError(at, "is not a number")


def _known_facts(at: str, argument: object, facts: tuple[str, ...]) -> None:
    for name in argument if isinstance(argument, (dict, list)) else ():
        if name not in facts:
            raise SchemaError(at, f"speaks of an unknown fact `{name}`", _suggest(nearest(str(name), facts), facts))


def _validate_pattern(at: str, argument: object) -> None:
    if not isinstance(argument, str):
        raise SchemaError(at, "is not a text")
    try:
        re.compile(argument)
    except re.error as wrong:
        raise SchemaError(at, f"is not a regular expression: {wrong.msg}") from None
    if not is_tame(argument):
        help = "repeat no group, look around or back at nothing, and write at most one of `*`, `+` and `{n,}`"
        raise SchemaError(at, "may take long on hostile text", help)


_UNSAFE: Final = pattern(r"\(\?(?!:)|\\[1-9]|\)(?:[*+?]|\{)")
_UNBOUNDED: Final = pattern(r"[*+]|\{[0-9]*,\}")
_BOUNDED: Final = pattern(r"\{([0-9]*)(?:,([0-9]+))?\}")
_MAX_REPEATS: Final = 256
_MAX_CHOICES: Final = 8
"""Each `?` and `|` may double the ways to try."""


def is_tame(pattern: str) -> bool:
    """Whether a search for `pattern` takes at most (length of the text) squared steps: at most one unbounded repetition.

    No group is repeated, nothing looks around or back, choices are few and counted repetitions stay small.
    """
    bare = re.sub(r"\\[^1-9]", "x", pattern)
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "x", bare)
    choices = bare.replace("(?:", "(")
    if _UNSAFE.search(bare) or len(_UNBOUNDED.findall(bare)) > 1 or choices.count("?") + choices.count("|") > _MAX_CHOICES:
        return False
    product = 1
    for low, high in _BOUNDED.findall(bare):
        product *= max(1, int(high or low or 0))
    return product <= _MAX_REPEATS


def _is_variable(argument: object) -> bool:
    return isinstance(argument, str) and argument.startswith("${kmslint:")


def _expect_table(at: str, argument: object) -> Schema:
    if isinstance(argument, Mapping):
        return argument
    raise SchemaError(at, "is not a table")


def _expect_list(at: str, argument: object) -> list[object]:
    if isinstance(argument, list):
        return argument
    raise SchemaError(at, "is not a list")


def _suggest(near: str | None, words: tuple[str, ...]) -> str:
    return f"did you mean `{near}`?" if near else "expected one of " + ", ".join(f"`{word}`" for word in words)
