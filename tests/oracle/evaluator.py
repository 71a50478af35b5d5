"""A second, slow evaluator over plain dictionaries, written from docs/semantics alone.

It shares no code with the product, so that a wrong reading has to be made twice to go unseen. Truth is three-valued:
`F < U < T`; U is a point of the register that no public source settles.
A request is a dictionary: `principal`, `action`, `context` (any case of key; string, or list or set for a multi-valued key),
`keyArn`, optional `parent` (the user behind a federated session).
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from tests.oracle import keys

F, U, T = 0, 1, 2

Plain = Any
"""A JSON value, or a context value."""
JsonObject = dict[str, Plain]


def k_and(values: Iterable[int]) -> int:
    return min(values, default=T)


def k_or(values: Iterable[int]) -> int:
    return max(values, default=F)


def k_not(value: int) -> int:
    return T - value


def agree(*values: int) -> int:
    """The common value, or U: for a point where AWS might take either road."""
    return values[0] if len(set(values)) == 1 else U


def as_list(value: Plain) -> list[Plain]:
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]


# ---------------------------------------------------------------------------------------------------- principals (§2, §4)


class Caller(NamedTuple):
    kind: str
    account: str | None
    partition: str | None
    arn: str | None
    name: str | None
    session: str | None


_ARN = re.compile(r"arn:([^:]*):(iam|sts)::([0-9]{12}):(.*)", re.DOTALL)


@cache
def caller(text: str | None) -> Caller:
    if text is None:
        return Caller("A", None, None, None, None, None)
    found = _ARN.fullmatch(text)
    if found is None:
        return Caller("S", None, None, None, text, None)
    partition, _, account, rest = found.groups()
    if rest == "root":
        return Caller("T", account, partition, text, None, None)
    head, _, tail = rest.partition("/")
    if head == "user":
        return Caller("U", account, partition, text, tail.rpartition("/")[2], None)
    if head == "federated-user":
        return Caller("F", account, partition, text, tail, None)
    if head == "assumed-role":
        name, _, session = tail.partition("/")
        return Caller("R", account, partition, None, name, session)
    assert head == "role", text
    return Caller("R", account, partition, text, tail.rpartition("/")[2], None)


class Hit(NamedTuple):
    """How one entry matches: `value`, and whether only as the caller's account, by the root user, as a session, …"""

    value: int
    sort: str  # "star" | "account" | "root" | "user" | "role" | "session" | "federated" | "service" | "none"


_MISS = Hit(F, "none")


def entry_hit(kind: str, entry: str, req: JsonObject, *, lean: bool) -> Hit:
    who = caller(req["principal"])
    if kind == "*":
        return Hit(T, "star") if entry == "*" else _MISS
    if kind == "Service":
        return service_hit(entry, req, who, lean=lean)
    if kind == "Federated":
        saml = ":saml-provider/" in entry and who.kind == "R"
        return Hit(F if lean else U, "federated") if saml else _MISS
    if kind == "CanonicalUser":
        return _MISS if lean or who.kind != "T" else Hit(U, "root")
    if entry == "*":
        return Hit(T, "star")
    return aws_hit(entry, req, who, lean=lean)


def service_hit(entry: str, req: JsonObject, who: Caller, *, lean: bool) -> Hit:
    if who.kind != "S":
        return _MISS
    names = {who.name, *as_list(context_of(req).get("aws:principalservicenameslist", []))}
    if entry in names:
        return Hit(T, "service")
    head, _, tail = entry.partition(".")
    regional = re.fullmatch(re.escape(head) + r"\.[a-z0-9-]+\." + re.escape(tail), who.name or "")
    return Hit(U, "service") if regional and tail and not lean else _MISS


def aws_hit(entry: str, req: JsonObject, who: Caller, *, lean: bool) -> Hit:
    if who.kind in "SA":
        return _MISS
    if re.fullmatch(r"[0-9]{12}", entry):
        entry = f"arn:{own_partition(req)}:iam::{entry}:root"
    if re.fullmatch(r"A(ID|RO)A[A-Z0-9]+", entry):
        suits = who.kind in ("UF" if entry[1] == "I" else "R")
        return Hit(U, "user") if suits and not lean else _MISS
    if not _ARN.fullmatch(entry) or "*" in entry or "?" in entry:
        return _MISS
    if entry.split(":")[1] != own_partition(req):
        return _MISS
    head = _ARN.fullmatch(entry).group(4).partition("/")[0]  # type: ignore[union-attr]
    if head not in ("root", "user", "role", "assumed-role", "federated-user"):
        return _MISS
    return named_hit(caller(entry), entry, req, who)


def named_hit(named: Caller, entry: str, req: JsonObject, who: Caller) -> Hit:
    if named.account != who.account:
        return _MISS
    if named.kind == "T":
        return Hit(T, "root" if who.kind == "T" else "account")
    if named.kind == "U":
        return Hit(T, "user") if matches_user(entry, req, who) else _MISS
    if named.kind == "F":
        return Hit(T, "federated") if who.kind == "F" and entry == req["principal"] else _MISS
    if named.kind == "R" and who.kind == "R":
        if named.session is not None:
            return Hit(T, "session") if (named.name, named.session) == (who.name, who.session) else _MISS
        return Hit(T, "role") if matches_role(entry, req, who) else _MISS
    return _MISS


def matches_user(entry: str, req: JsonObject, who: Caller) -> bool:
    """A user ARN matches the user and the federated sessions that the user started; the parent defaults to the same name."""
    if who.kind == "U":
        return entry == req["principal"]
    if who.kind != "F":
        return False
    parent = req.get("parent")
    return entry == parent if parent else entry.rpartition("/")[2] == who.name


def matches_role(entry: str, req: JsonObject, who: Caller) -> bool:
    """A role ARN, path included, matches every session of the role; a session's path is known from aws:PrincipalArn alone."""
    known = who.arn or context_of(req).get("aws:principalarn")
    if known:
        return bool(entry == known)
    return entry.rpartition("/")[2] == who.name


def own_partition(req: JsonObject) -> str:
    return str(req["keyArn"]).split(":")[1]


def entries(element: Plain) -> list[tuple[str, str]]:
    if isinstance(element, str):
        return [("*", element)]
    return [(kind, item) for kind, value in element.items() for item in as_list(value)]


def principal(stmt: JsonObject, req: JsonObject, *, lean: bool) -> tuple[int, int]:
    """(value with a direct grant, value with any grant)."""
    if "NotPrincipal" in stmt:
        hits = [entry_hit(kind, item, req, lean=lean) for kind, item in entries(stmt["NotPrincipal"])]
        rule = not_principal_deny if stmt["Effect"] == "Deny" else not_principal_allow
        value = rule(hits, stmt["NotPrincipal"], req, lean=lean)
        return value, value
    if "Principal" not in stmt:
        return F, F
    hits = [entry_hit(kind, item, req, lean=lean) for kind, item in entries(stmt["Principal"])]
    direct = k_or(hit.value for hit in hits if hit.sort != "account")
    return direct, k_or(hit.value for hit in hits)


def not_principal_deny(hits: list[Hit], element: Plain, req: JsonObject, *, lean: bool) -> int:
    """Deny + NotPrincipal: who is surely denied, who may be, and the documented example for the lean reading (register, 10)."""
    exempt_at_most = k_or(hit.value for hit in hits)
    personal = k_or(hit.value for hit in hits if hit.sort != "account")
    if lean:
        return k_not(personal)
    listed = any(hit.sort in ("account", "root") and hit.value == T for hit in hits)
    surely = k_or(hit.value for hit in hits if hit.sort in ("star", "service", "root"))
    if listed:
        surely = max(surely, k_or(hit.value for hit in hits if hit.sort in ("user", "role", "federated")))
    if listed and any(hit.sort == "session" for hit in hits) and role_is_listed(element, req):
        surely = max(surely, T)
    if exempt_at_most == F:
        return T
    return F if surely == T else U


def role_is_listed(element: Plain, req: JsonObject) -> bool:
    who = caller(req["principal"])
    return any(
        kind == "AWS" and ":role/" in item and entry_hit(kind, item, req, lean=False).value == T
        for kind, item in entries(element)
        if who.kind == "R"
    )


def not_principal_allow(hits: list[Hit], element: Plain, req: JsonObject, *, lean: bool) -> int:
    exact = k_or(hit.value for hit in hits if hit.sort != "account")
    if exact == T:
        return F
    in_listed_account = any(hit.sort == "account" for hit in hits)
    if in_listed_account:
        return T if lean else U
    return k_not(exact)


# ----------------------------------------------------------------------------------------------- actions, resources (§5, §6)


@cache
def glob_regex(pattern: str, *, fold: bool = False) -> re.Pattern[str]:
    text = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile(text, re.DOTALL | (re.IGNORECASE | re.ASCII if fold else 0))


def glob(pattern: str, text: str, *, fold: bool = False) -> bool:
    return glob_regex(pattern, fold=fold).fullmatch(text) is not None


def action_hit(entry: str, action: str, *, lean: bool) -> int:
    if entry == "*":
        return T
    prefix, colon, _ = entry.partition(":")
    if not colon or not glob(entry, action, fold=True):
        return F
    if prefix.lower() == "kms":
        return T
    return F if lean else U


def action(stmt: JsonObject, req: JsonObject, *, lean: bool) -> int:
    element = as_list(stmt.get("Action", stmt.get("NotAction")))
    hit = k_or(action_hit(entry, req["action"], lean=lean) for entry in element)
    return k_not(hit) if "NotAction" in stmt else hit


def resource_hit(entry: str, req: JsonObject, *, lean: bool) -> int:
    if entry == "*":
        return T
    if re.fullmatch(r"arn:[^:]*:kms:[^:]*:[^:]*:alias/.*", entry):
        return F
    if not lean:
        return U
    regex = "".join(
        (".*" if at + 1 == len(entry) or entry[at + 1] == ":" else "[^:]*") if c == "*" else "." if c == "?" else re.escape(c)
        for at, c in enumerate(entry)
    )
    return T if re.fullmatch(regex, req["keyArn"], re.DOTALL) else F


def resource(stmt: JsonObject, req: JsonObject, *, lean: bool) -> int:
    if "Resource" in stmt:
        return k_or(resource_hit(entry, req, lean=lean) for entry in as_list(stmt["Resource"]))
    if lean:
        return F
    hit = k_or(resource_hit(entry, req, lean=lean) for entry in as_list(stmt["NotResource"]))
    return min(U, k_not(hit))


# -------------------------------------------------------------------------------------------------------- conditions (§7)

_OPERATOR = re.compile(r"(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?", re.IGNORECASE)

NEGATIONS = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnlike",
    "arnnotlike": "arnlike",
}
POSITIVES = {
    "stringequals", "stringequalsignorecase", "stringlike", "numericequals", "numericlessthan", "numericlessthanequals",
    "numericgreaterthan", "numericgreaterthanequals", "dateequals", "datelessthan", "datelessthanequals", "dategreaterthan",
    "dategreaterthanequals", "bool", "binaryequals", "ipaddress", "arnequals", "arnlike", "null",
}  # fmt: skip
PROPER_CASE = {
    name.lower(): name
    for name in [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnNotEquals",
        "ArnLike",
        "ArnNotLike",
        "Null",
    ]
}


class Operator(NamedTuple):
    quantifier: str  # "" | "all" | "any"
    base: str
    negated: bool
    if_exists: bool
    exact_case: bool


@cache
def operator(text: str) -> Operator | None:
    found = _OPERATOR.fullmatch(text)
    if found is None:
        return None
    quantifier, base, if_exists = found.group(1) or "", found.group(2), found.group(3) or ""
    name = base.lower()
    if (name not in NEGATIONS and name not in POSITIVES) or (name == "null" and if_exists):
        return None
    exact = base == PROPER_CASE[name] and quantifier in ("", "ForAllValues", "ForAnyValue") and if_exists in ("", "IfExists")
    positive = NEGATIONS.get(name, "arnlike" if name == "arnequals" else name)
    sort = {"": "", "forallvalues": "all", "foranyvalue": "any"}[quantifier.lower()]
    return Operator(sort, positive, name in NEGATIONS, bool(if_exists), exact)


def scalar(value: Plain) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def context_of(req: JsonObject) -> JsonObject:
    return {key.lower(): value for key, value in req["context"].items()}


def is_null(value: Plain) -> bool:
    """Absent, or the null data set of the documentation: no value, or only the empty string in a set."""
    return value is None or (isinstance(value, (list, set, tuple, frozenset)) and not set(value) - {""})


def condition(op_text: str, key: str, raw: Plain, req: JsonObject, *, variables: bool, lean: bool) -> int:
    op = operator(op_text)
    if op is None:
        return F
    value = condition_value(op, key.lower(), [scalar(item) for item in as_list(raw)], req, variables=variables, lean=lean)
    return value if op.exact_case or lean else min(U, value)


def condition_value(op: Operator, key: str, values: list[str], req: JsonObject, *, variables: bool, lean: bool) -> int:
    found = context_of(req).get(key)
    kind = caller(req["principal"]).kind
    if not keys.is_known(key):
        seen = held(op, None if is_null(found) else found, key, values, req, variables=variables, lean=lean)
        return seen if lean else (U if found is None or seen != F else F)
    if kind == "S" and found is None and key in keys.UNKNOWN_FOR_SERVICES:
        absent = held(op, None, key, values, req, variables=variables, lean=lean)
        return absent if lean else agree(absent, opaque(op, values))
    if found == "" and op.quantifier:
        found = None
    if kind == "S" and found is None and key == "aws:tokenissuetime" and not lean and op.base != "null":
        return U
    if kind == "S" and found is None and key == "aws:tokenissuetime" and not lean and not op.quantifier:
        return U if {value.lower() for value in values} & {"true", "false"} else F
    if found == "" and op.base == "null" and lean:
        found = None
    if found == "":
        empty = held(op, found, key, values, req, variables=variables, lean=lean)
        return empty if lean else agree(empty, held(op, None, key, values, req, variables=variables, lean=lean))
    if op.base == "null" and not op.quantifier and found is not None and is_null(found) and not lean:
        return U
    return held(op, None if is_null(found) else found, key, values, req, variables=variables, lean=lean)


def opaque(op: Operator, values: list[str]) -> int:
    """On a value that is no customer's: it equals no constant, and a pattern may match it or not (D11).

    A pattern that spells out a customer's account, or a customer's unique id, is a customer's value as well.
    """
    if op.base == "null":
        if op.quantifier:
            return T if op.quantifier == "all" else F
        return T if any(value.lower() == "false" for value in values) else F
    open_ended = "*?$" if op.base in ("stringlike", "arnlike") else "$"
    theirs = re.compile(r":\d{12}:|\A(AROA|AIDA)[A-Z0-9]{12,}(:|\Z)|\A\$\{aws:ResourceAccount\}\Z", re.IGNORECASE)
    match = k_or(
        F if theirs.search(value) else T if value == "*" and op.base == "stringlike" else U if set(value) & set(open_ended) else F
        for value in values
    )
    return k_not(match) if op.negated else match


def held(op: Operator, found: Plain, key: str, values: list[str], req: JsonObject, *, variables: bool, lean: bool) -> int:
    """The missing-key table (§7.2) and the set operators (§7.3)."""
    if op.base == "null":
        if op.quantifier:
            return T if op.quantifier == "all" else F
        return T if any(value.lower() == ("true" if found is None else "false") for value in values) else F
    if not values:
        return empty_list(op, found, lean=lean)

    def base(value: str) -> int:
        return matches(op, value, values, req, variables=variables, lean=lean)

    if op.quantifier == "all":
        return T if found is None else k_and(base(value) for value in members(found))
    if op.quantifier == "any":
        if found is None:
            return (F if lean else U) if op.if_exists else F
        return k_or(base(value) for value in members(found))
    if found is None:
        return T if op.if_exists or op.negated else F
    if not isinstance(found, str):
        return F if lean else min(U, k_or(base(value) for value in members(found)))
    return base(found)


def members(found: Plain) -> list[str]:
    return [found] if isinstance(found, str) else sorted(found)


def empty_list(op: Operator, found: Plain, *, lean: bool) -> int:
    if op.quantifier == "any":
        return F
    if op.quantifier == "all" or op.if_exists:
        return T if found is None else F
    return (T if op.negated else F) if lean else U


# ------------------------------------------------------------------------------------------- one value against one constant


class Unparsable(Exception):
    """The request value is nothing that the operator can read."""


def matches(op: Operator, value: str, constants: list[str], req: JsonObject, *, variables: bool, lean: bool) -> int:
    compare = COMPARE[op.base]
    try:
        results = [compare(value, constant, req, op, variables, lean) for constant in constants]
    except Unparsable:
        if op.negated:
            return T if lean else U
        return F
    match = k_or(results)
    return k_not(match) if op.negated else match


Piece = tuple[str, bool]  # text, literal?
_VARIABLE = re.compile(r"\$\{([^{}$\s,*?]+)(?:, '([^']*)')?\}|\$\{([*?$])\}")


class Expanded(NamedTuple):
    """A constant with its variables replaced: None where one has no value. `inserted`: some text came from the request."""

    pieces: list[Piece] | None
    inserted: bool = False
    malformed: bool = False
    empty: bool = False
    """Whether a variable's key is present but empty, which may count as absent (register, 21)."""


def expand(constant: str, req: JsonObject, *, variables: bool, keep_empty: bool = True) -> Expanded:
    if not variables:
        return Expanded([(constant, False)])
    context = context_of(req)
    pieces: list[Piece] = []
    at, inserted, empty = 0, False, False
    for found in _VARIABLE.finditer(constant):
        pieces.append((constant[at : found.start()], False))
        at = found.end()
        if found.group(3):
            pieces.append((found.group(3), True))
            continue
        name = found.group(1).lower()
        value = context.get(name) if keys.is_known(name) else None
        empty |= value == ""
        if not isinstance(value, str) or (value == "" and not keep_empty):
            value = found.group(2)
        else:
            inserted = True
        if value is None:
            return Expanded(None, empty=empty)
        pieces.append((value, True))
    pieces.append((constant[at:], False))
    rest = "".join(text for text, literal in pieces if not literal)
    return Expanded(pieces, inserted, "${" in rest, empty)


def literal_text(pieces: list[Piece]) -> str:
    return "".join(text for text, _ in pieces)


def regex_of(pieces: list[Piece], star: str, one: str) -> str:
    return "".join(
        re.escape(text) if literal else "".join(star if c == "*" else one if c == "?" else re.escape(c) for c in text)
        for text, literal in pieces
    )


def with_variables(compare: Callable[[str, list[Piece]], int]) -> Callable[..., int]:
    def once(value: str, found: Expanded, op: Operator, *, lean: bool) -> int:
        if found.pieces is None:
            return F
        result = compare(value, found.pieces)
        if found.malformed and not lean:
            return U
        if found.inserted and not lean and op.base in ("stringlike", "arnlike"):
            result = agree(result, compare(value, [(text, False) for text, _ in found.pieces]))
        return agreed_arn(result, value, found.pieces, lean=lean) if op.base == "arnlike" else result

    def run(value: str, constant: str, req: JsonObject, op: Operator, variables: bool, lean: bool) -> int:
        found = expand(constant, req, variables=variables)
        result = once(value, found, op, lean=lean)
        if not found.empty or lean:
            return result
        return agree(result, once(value, expand(constant, req, variables=variables, keep_empty=False), op, lean=lean))

    return run


def agreed_arn(result: int, value: str, pieces: list[Piece], *, lean: bool) -> int:
    if result == T or lean:
        return result
    return U if re.fullmatch(regex_of(pieces, ".*", "."), value, re.DOTALL) else F


def string_equals(value: str, pieces: list[Piece]) -> int:
    return T if value == literal_text(pieces) else F


def string_like(value: str, pieces: list[Piece]) -> int:
    return T if re.fullmatch(regex_of(pieces, ".*", "."), value, re.DOTALL) else F


def arn_like(value: str, pieces: list[Piece]) -> int:
    """The certain reading: segment by segment, six of them, a `*` inside the first five stops at a colon."""
    segments: list[list[Piece]] = [[]]
    for text, literal in pieces:
        if literal:
            segments[-1].append((text, True))
            continue
        head, *tail = text.split(":", 6 - len(segments))
        segments[-1].append((head, False))
        segments.extend([(part, False)] for part in tail)
    parts = value.split(":", 5)
    if len(segments) != 6 or len(parts) != 6:
        return F
    return T if all(re.fullmatch(regex_of(p, ".*", "."), v, re.DOTALL) for p, v in zip(segments, parts, strict=True)) else F


def fold_ascii(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def ignore_case(value: str, constant: str, req: JsonObject, op: Operator, variables: bool, lean: bool) -> int:
    found = expand(constant, req, variables=variables)
    if found.pieces is None:
        return U if found.empty and not lean else F
    text = literal_text(found.pieces)
    if (found.malformed or found.empty) and not lean:
        return U
    if fold_ascii(value) == fold_ascii(text):
        return T
    return U if value.casefold() == text.casefold() and not lean else F


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")


def number(text: str) -> Fraction | None:
    return Fraction(text) if _NUMBER.fullmatch(text) else None


ORDER: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "equals": lambda a, b: a == b,
    "lessthan": lambda a, b: a < b,
    "lessthanequals": lambda a, b: a <= b,
    "greaterthan": lambda a, b: a > b,
    "greaterthanequals": lambda a, b: a >= b,
}


def numeric(value: str, constant: str, req: JsonObject, op: Operator, variables: bool, lean: bool) -> int:
    left, right = number(value), number(constant)
    if left is None:
        raise Unparsable
    if right is None:
        return U if op.negated and not lean else F
    return T if ORDER[op.base.removeprefix("numeric")](left, right) else F


_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instants(text: str) -> tuple[list[Fraction], bool]:
    """(the readings of a date, most likely first; whether it is certain)."""
    found = _DATE.fullmatch(text)
    if found is None:
        seconds = number(text)
        return ([] if seconds is None else [seconds]), True
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return [], True
    at = Fraction(int((moment - _EPOCH).total_seconds())) + (Fraction("0" + fraction) if fraction else 0)
    if zone and zone != "Z":
        shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])).total_seconds()
        at -= int(shift) if zone[0] == "+" else -int(shift)
    if month is None:
        return [at, Fraction(int(year))], False
    return [at], not (hour and zone is None)


def date(value: str, constant: str, req: JsonObject, op: Operator, variables: bool, lean: bool) -> int:
    lefts, left_sure = instants(value)
    rights, right_sure = instants(constant)
    if not lefts:
        raise Unparsable
    if not rights:
        return U if op.negated and not lean else F
    order = ORDER[op.base.removeprefix("date")]
    if lean:
        return T if order(lefts[0], rights[0]) else F
    results = [T if order(a, b) else F for a in lefts for b in rights]
    if not (left_sure and right_sure) and len(lefts) == len(rights) == 1:
        return U
    return agree(*results)


def boolean(value: str, constant: str, req: JsonObject, op: Operator, variables: bool, lean: bool) -> int:
    plain = truth(constant, value)
    if "${" not in constant or not variables:
        return plain
    pieces = expand(constant, req, variables=True).pieces
    substituted = F if pieces is None else truth(literal_text(pieces), value)
    return substituted if lean else agree(plain, substituted)


def truth(constant: str, value: str) -> int:
    return T if constant.lower() == value.lower() and value.lower() in ("true", "false") else F


def binary(value: str, constant: str, req: JsonObject, op: Operator, variables: bool, lean: bool) -> int:
    try:
        return T if base64.b64decode(value, validate=True) == base64.b64decode(constant, validate=True) else F
    except (binascii.Error, ValueError):
        return F


_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def ip(value: str, constant: str, req: JsonObject, op: Operator, variables: bool, lean: bool) -> int:
    found = address(value)
    if found is None:
        raise Unparsable
    host, slash, _ = constant.partition("/")
    try:
        network = ipaddress.ip_network(constant, strict=False)
    except ValueError:
        return U if op.negated and not lean else F
    if found in network:
        return T
    if lean:
        return F
    readings = [found in network]
    if isinstance(network, ipaddress.IPv6Network) and not slash and isinstance(found, ipaddress.IPv6Address):
        readings.append(found in ipaddress.ip_network(host + "/32", strict=False))
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    if mapped is not None and isinstance(network, ipaddress.IPv4Network):
        readings.append(mapped in network)
    if isinstance(found, ipaddress.IPv4Address) and isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        readings.append(ipaddress.IPv6Address(f"::ffff:{found}") in network)
    return U if any(readings) else F


COMPARE: dict[str, Callable[..., int]] = {
    "stringequals": with_variables(string_equals),
    "stringequalsignorecase": ignore_case,
    "stringlike": with_variables(string_like),
    "arnlike": with_variables(arn_like),
    "bool": boolean,
    "binaryequals": binary,
    "ipaddress": ip,
    **dict.fromkeys(("numeric" + name for name in ORDER), numeric),
    **dict.fromkeys(("date" + name for name in ORDER), date),
}


# --------------------------------------------------------------------------------------------------------- decision (§0, §8)


def conditions(stmt: JsonObject, req: JsonObject, *, variables: bool, lean: bool) -> int:
    return k_and(
        condition(op, key, values, req, variables=variables, lean=lean)
        for op, block in (stmt.get("Condition") or {}).items()
        for key, values in block.items()
    )


def applies(policy: JsonObject, stmt: JsonObject, req: JsonObject, *, lean: bool = False) -> tuple[int, int]:
    """(as a direct grant, as any grant); a statement without action or resource has no effect."""
    if not {"Action", "NotAction"} & set(stmt) or not {"Resource", "NotResource"} & set(stmt):
        return F, F
    direct, whole = principal(stmt, req, lean=lean)
    rest = k_and([action(stmt, req, lean=lean), resource(stmt, req, lean=lean)])
    if min(whole, rest) == F:
        return F, F
    rest = min(rest, conditions(stmt, req, variables=policy.get("Version") == "2012-10-17", lean=lean))
    return min(direct, rest), min(whole, rest)


class Decision(NamedTuple):
    direct: int
    """Whether the request is allowed directly."""
    whole: int
    """Whether it is allowed at all, directly or by delegation."""
    deny: int
    """Whether a Deny applies."""


def statements(policy: JsonObject) -> list[JsonObject]:
    return as_list(policy["Statement"])


def decide(policies: list[JsonObject], req: JsonObject, *, lean: bool = False) -> Decision:
    direct = whole = deny = F
    for policy in policies:
        for stmt in statements(policy):
            one, both = applies(policy, stmt, req, lean=lean)
            if stmt["Effect"] == "Deny":
                deny = max(deny, both)
            else:
                direct, whole = max(direct, one), max(whole, both)
    closed = k_not(deny)
    return Decision(min(direct, closed), min(whole, closed), deny)


def describes(described: list[JsonObject], req: JsonObject) -> bool:
    """Whether the request is in the set that `described` speaks of: statements without effect or resource, as a union."""
    policy = {"Version": "2012-10-17"}
    return any(applies(policy, {"Resource": "*", "Effect": "Allow", **stmt}, req)[1] == T for stmt in described)
