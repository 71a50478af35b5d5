"""A condition becomes an atom, in the upper or in the lower reading.

Upper counts every U of the evaluator as true, lower as false. *May* reads Allow upper and Deny lower, *must* the opposite,
so that must-allowed ⊆ really allowed ⊆ may-allowed.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from kmslint.aws.condition_keys import lookup as lookup_key
from kmslint.policy import operators, variables
from kmslint.policy.document import Condition, Item, Statement
from kmslint.policy.evaluate import SERVICE_OPAQUE, Run
from kmslint.policy.operators import Use
from kmslint.policy.patterns import STAR, glob, literal
from kmslint.policy.principals import SERVICE
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import T, U
from kmslint.reason.strings import Chars, Regex, arn_pattern
from kmslint.reason.values import EVERY, SOME, TEXT_FAMILIES, Atom, Contains, ContainsTime, InPatterns, Test
from kmslint.tree import Template
from kmslint.typed import Final, NamedTuple, Union

Bindings = Mapping[str, Union[str, None]]
"""Keys whose value is fixed in a cell: a value, or None for absent. Other keys are free."""

SAME_KEY: Final[Mapping[str, str]] = {
    "kms:calleraccount": "aws:principalaccount",
    "kms:customermasterkeyspec": "kms:keyspec",
    "kms:customermasterkeyusage": "kms:keyusage",
    "aws:epochtime": "aws:currenttime",
}
"""Keys that hold one value under two names (D1, D10; the CustomerMasterKey* names are the old ones). The time is kept in epoch seconds."""


class Context(NamedTuple):
    """What compiling a condition needs to know of its cell."""

    kind: str
    principal: str | None
    bindings: Bindings
    key: KeyContext


def variable_of(key: str, kind: str) -> str:
    """The name under which the search keeps `key` (lower case): keys that always hold one value share it."""
    if kind == SERVICE and key == "kms:calleraccount":
        return key
    return SAME_KEY.get(key, key)


def compile_condition(
    condition: Condition, statement: Statement, has_variables: bool, context: Context, *, upper: bool
) -> Atom | bool:
    """The atom of one condition; a bool where its truth does not depend on the request's context."""
    use = operators.lookup(condition.operator)
    if use is None:
        return upper
    if not use.exact_case and not upper:
        return False
    name = condition.key.lower()
    known = lookup_key(condition.key)
    if known is None:
        return upper
    if context.kind == SERVICE and name in SERVICE_OPAQUE:
        return _constant(condition, statement, has_variables, context, upper=upper)
    origin = _origin(condition, statement)
    key = variable_of(name, context.kind)
    if use.operator.family == operators.NULL:
        return _null(use, condition, key, origin, upper=upper)
    return _compare(use, condition, key, origin, has_variables, context, is_multi=known.multi, upper=upper)


def _origin(condition: Condition, statement: Statement) -> str:
    values = ", ".join(str(item.value) for item in condition.values[:3])
    more = ", …" if len(condition.values) > 3 else ""
    where = f"statement {statement.index}" if statement.index >= 0 else "the question"
    return f"{where}: {condition.operator} {condition.key} [{values}{more}]"


def _constant(condition: Condition, statement: Statement, has_variables: bool, context: Context, *, upper: bool) -> bool:
    run = Run(Request(context.principal, "kms:Decrypt", {}, context.key), has_variables, lean=False)
    return run.condition(condition, statement.effect) >= (U if upper else T)


def _null(use: Use, condition: Condition, key: str, origin: str, *, upper: bool) -> Atom | bool:
    if use.quantifier is not None:
        return use.quantifier == operators.ALL
    says = [item.value if isinstance(item.value, Template) else item.value.lower() for item in condition.values]
    open_values = upper and any(isinstance(value, Template) for value in says)
    absent = "true" in says or open_values
    present = "false" in says or open_values
    empty = (absent or present) if upper else (absent and present)
    return Atom(key, absent, empty, SOME, None, present, origin)


def _compare(
    use: Use, condition: Condition, key: str, origin: str, has_variables: bool, context: Context, *, is_multi: bool, upper: bool
) -> Atom:
    floor = U if upper else T
    absent = use.absent() >= floor
    quantifier = EVERY if use.quantifier == operators.ALL else SOME
    if not condition.values:
        present = use.quantifier is None and not use.if_exists and upper
        empty = absent if use.quantifier is not None else present
        return Atom(key, absent, empty, quantifier, None, present, origin)
    if use.quantifier is None and is_multi and not upper:
        return Atom(key, absent, absent, SOME, None, False, origin)
    is_date = condition.key.lower() == "aws:currenttime"
    found = intern_test(use, condition.values, has_variables, context, upper=upper, is_date=is_date)
    test, wanted = (None, found) if isinstance(found, bool) else (found, True)
    empty = absent
    if use.quantifier is None:
        at_empty = wanted if test is None else test.contains("")
        empty = (absent or at_empty) if upper else (absent and at_empty)
    return Atom(key, absent, empty, quantifier, test, wanted, origin)


# tests


def intern_test(
    use: Use, items: tuple[Item, ...], has_variables: bool, context: Context, *, upper: bool, is_date: bool = False
) -> Test | bool:
    """The set of values that the condition accepts; the same object for the same set of texts. A bool for all or nothing.

    With `is_date` the values are instants that AWS writes as dates: a number compared with one does not parse.
    """
    used = _variables_in(items) if has_variables else ()
    bound = tuple((name, context.bindings[name]) for name in used if name in context.bindings)
    is_open = len(bound) < len(used) or any(isinstance(item.value, Template) for item in items)
    if use.operator.family not in TEXT_FAMILIES:
        if is_open:
            return upper
        return _ordered_test(
            use._replace(quantifier=None, if_exists=False),
            tuple(item.value for item in items),
            bound,
            has_variables,
            upper,
            is_date,
        )
    values = tuple(item.value for item in items)
    return _text_test(use._replace(quantifier=None, if_exists=False), values, bound, has_variables, upper)


@lru_cache(maxsize=8192)
def _variables_of(text: str) -> tuple[str, ...]:
    return tuple(part.key for part in variables.split(text) if isinstance(part, variables.Variable))


def _variables_in(items: tuple[Item, ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in items:
        texts = (
            (item.value,) if isinstance(item.value, str) else tuple(part for part in item.value.parts if isinstance(part, str))
        )
        for text in texts:
            if "${" in text:
                found.update(dict.fromkeys(_variables_of(text)))
    return tuple(found)


def variables_in(condition: Condition) -> tuple[str, ...]:
    """The lower-cased keys of the policy variables in a condition's values."""
    return _variables_in(condition.values)


def _run(bound: tuple[tuple[str, str | None], ...], has_variables: bool) -> Run:
    context = {name: value for name, value in bound if value is not None}
    return Run(Request(None, "kms:Decrypt", context), has_variables, lean=False)


def _items(values: "tuple[str | Template, ...]") -> tuple[Item, ...]:
    return tuple(Item(value, None) for value in values)  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _ordered_test(
    use: Use, values: tuple[str, ...], bound: tuple[tuple[str, str | None], ...], has_variables: bool, upper: bool, is_date: bool
) -> Test:
    compared = Contains(_run(bound, has_variables), use, _items(values), upper=upper)
    contains = ContainsTime(compared) if is_date else compared
    return Test(use.operator.family, values, contains, patterns=None, complement=False, literals=None)


@lru_cache(maxsize=4096)
def _text_test(
    use: Use, values: "tuple[str | Template, ...]", bound: tuple[tuple[str, str | None], ...], has_variables: bool, upper: bool
) -> Test:
    widen = upper != use.operator.negated
    bindings = dict(bound)
    patterns: dict[Regex, None] = {}
    has_hole = False
    for value in values:
        pattern, hole = _pattern(use.operator.family, value, bindings, has_variables, widen=widen)
        has_hole = has_hole or hole
        if pattern is not None:
            patterns[pattern] = None
    family = use.operator.family
    return _interned(family, tuple(patterns), use.operator.negated, has_hole, use, values, bound, has_variables, upper)


_TESTS: Final[dict[tuple[str, tuple[Regex, ...], bool, bool], Test]] = {}


def _interned(
    family: str,
    patterns: tuple[Regex, ...],
    complement: bool,
    has_hole: bool,
    use: Use,
    values: "tuple[str | Template, ...]",
    bound: tuple[tuple[str, str | None], ...],
    has_variables: bool,
    upper: bool,
) -> Test:
    known = ("text", patterns, complement, has_hole)
    test = _TESTS.get(known)
    if test is not None:
        return test
    contains: Contains | InPatterns
    if has_hole or family == operators.STRING_IGNORE_CASE:
        contains = InPatterns(patterns, complement=complement)
    else:
        contains = Contains(_run(bound, has_variables), use, _items(values), upper=upper)
    constants = tuple("".join(map(str, pattern)) for pattern in patterns if all(isinstance(token, str) for token in pattern))
    literals = frozenset(constants) if len(constants) == len(patterns) else None
    test = Test(family, constants, contains, patterns=patterns, complement=complement, literals=literals)
    if len(_TESTS) > 20_000:
        _TESTS.clear()
    _TESTS[known] = test
    return test


def _pattern(
    family: str, value: "str | Template", bindings: Bindings, has_variables: bool, *, widen: bool
) -> tuple[Regex | None, bool]:
    """The pattern of one policy value (None: it matches nothing) and whether it has a hole.

    OVER when `widen`: a hole is any text. UNDER otherwise: a value with a hole matches nothing.
    """
    tokens: list[str | int] = []
    has_hole = isinstance(value, Template)
    wildcards = family in {operators.LIKE, operators.ARN}
    for part in _parts(value, has_variables):
        inserted = _inserted(part, bindings)
        if inserted is None:
            return None, has_hole
        if inserted is _HOLE:
            has_hole = True
            tokens.append(STAR)
        elif isinstance(part, str):
            tokens += glob(part) if wildcards else literal(part)
        else:
            is_active = wildcards and widen and isinstance(part, variables.Variable)
            tokens += glob(inserted) if is_active else literal(inserted)
    if has_hole and not widen:
        return None, True
    return _finish(family, tuple(tokens), widen=widen), has_hole


def _finish(family: str, tokens: tuple[str | int, ...], *, widen: bool) -> Regex | None:
    if family == operators.ARN and not widen:
        return arn_pattern(tokens)
    if family == operators.STRING_IGNORE_CASE:
        return tuple(_ignore_case(token, widen=widen) if isinstance(token, str) else token for token in tokens)
    return tokens


_HOLE: Final = "\0hole"


def _parts(value: "str | Template", has_variables: bool) -> "Iterator[variables.Part | None]":
    """The parts of a value in order; None for a symbol."""
    for piece in value.parts if isinstance(value, Template) else (value,):
        if not isinstance(piece, str):
            yield None
        elif has_variables:
            yield from variables.split(piece)
        else:
            yield piece


def _inserted(part: variables.Part | None, bindings: Bindings) -> str | None:
    """The text of a part; _HOLE where it is not known here; None where a variable has no value."""
    if isinstance(part, str):
        return part
    if isinstance(part, variables.Escaped):
        return part.char
    if isinstance(part, variables.Variable) and part.key in bindings:
        return bindings[part.key] or part.default
    return _HOLE


_EXTRA_FOLDS: Final = {"k": "\u212a", "s": "\u017f"}


def _ignore_case(char: str, *, widen: bool) -> "str | int | Chars":
    if char.isascii():
        cases = {char.lower(), char.upper()}
        if widen and char.lower() in _EXTRA_FOLDS:
            cases.add(_EXTRA_FOLDS[char.lower()])
        return Chars(frozenset(cases)) if len(cases) > 1 else char
    # OVER: full case folding may change the length of a text (UNSURE-14)
    return STAR if widen else char
