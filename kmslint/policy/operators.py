"""Condition operators as one table, and what each says when the key is absent.

Every row names its source. `IAM` is the IAM User Guide page "IAM JSON policy elements: Condition operators".
"""

from collections.abc import Mapping
from functools import lru_cache

from kmslint.policy.truth import F, T, U
from kmslint.typed import Final, NamedTuple

STRING: Final = "string"
STRING_IGNORE_CASE: Final = "string-ignore-case"
LIKE: Final = "like"
ARN: Final = "arn"
NUMERIC: Final = "numeric"
DATE: Final = "date"
BOOL: Final = "bool"
BINARY: Final = "binary"
IP: Final = "ip"
NULL: Final = "null"


class Operator(NamedTuple):
    """One base operator. `compare` is "eq" or an order ("lt", "le", "gt", "ge"), request value on the left."""

    name: str
    family: str
    negated: bool
    compare: str
    source: str


_ROWS: Final = (
    Operator("StringEquals", STRING, False, "eq", "IAM, String condition operators: exact matching, case sensitive"),
    Operator("StringNotEquals", STRING, True, "eq", "IAM, String condition operators: negated matching"),
    Operator("StringEqualsIgnoreCase", STRING_IGNORE_CASE, False, "eq", "IAM, String condition operators: ignoring case"),
    Operator(
        "StringNotEqualsIgnoreCase",
        STRING_IGNORE_CASE,
        True,
        "eq",
        "IAM, String condition operators: negated, ignoring case",
    ),
    Operator("StringLike", LIKE, False, "eq", "IAM, String condition operators: case sensitive, `*` and `?` anywhere"),
    Operator("StringNotLike", LIKE, True, "eq", "IAM, String condition operators: negated, `*` and `?` anywhere"),
    Operator("NumericEquals", NUMERIC, False, "eq", "IAM, Numeric condition operators"),
    Operator("NumericNotEquals", NUMERIC, True, "eq", "IAM, Numeric condition operators"),
    Operator("NumericLessThan", NUMERIC, False, "lt", "IAM, Numeric condition operators"),
    Operator("NumericLessThanEquals", NUMERIC, False, "le", "IAM, Numeric condition operators"),
    Operator("NumericGreaterThan", NUMERIC, False, "gt", "IAM, Numeric condition operators"),
    Operator("NumericGreaterThanEquals", NUMERIC, False, "ge", "IAM, Numeric condition operators"),
    Operator("DateEquals", DATE, False, "eq", "IAM, Date condition operators: ISO 8601 or epoch time"),
    Operator("DateNotEquals", DATE, True, "eq", "IAM, Date condition operators"),
    Operator("DateLessThan", DATE, False, "lt", "IAM, Date condition operators"),
    Operator("DateLessThanEquals", DATE, False, "le", "IAM, Date condition operators"),
    Operator("DateGreaterThan", DATE, False, "gt", "IAM, Date condition operators"),
    Operator("DateGreaterThanEquals", DATE, False, "ge", "IAM, Date condition operators"),
    Operator("Bool", BOOL, False, "eq", "IAM, Boolean condition operators"),
    Operator("BinaryEquals", BINARY, False, "eq", "IAM, Binary condition operators: base64"),
    Operator("IpAddress", IP, False, "eq", "IAM, IP address condition operators: CIDR"),
    Operator("NotIpAddress", IP, True, "eq", "IAM, IP address condition operators: all except the range"),
    Operator("ArnEquals", ARN, False, "eq", "IAM, ARN condition operators: ArnEquals and ArnLike behave identically"),
    Operator("ArnLike", ARN, False, "eq", "IAM, ARN condition operators: each segment checked separately"),
    Operator("ArnNotEquals", ARN, True, "eq", "IAM, ARN condition operators"),
    Operator("ArnNotLike", ARN, True, "eq", "IAM, ARN condition operators"),
    Operator("Null", NULL, False, "eq", "IAM, Condition operator to check existence of condition keys"),
)

OPERATORS: Final[Mapping[str, Operator]] = {row.name.lower(): row for row in _ROWS}

ALL: Final = "all"
ANY: Final = "any"

ABSENT: Final[Mapping[tuple[str | None, bool, bool], int]] = {
    # (set operator, IfExists, negated): answer when the key is absent from the request
    (None, False, False): F,  # IAM: "if the key … is not present in the request context, the values do not match"
    (None, False, True): T,  # IAM: a negated operator "returns true" when the key is not present
    (None, True, False): T,  # IAM, …IfExists: "if the condition key is not present, evaluate the condition element as true"
    (None, True, True): T,  # IAM, …IfExists
    (ALL, False, False): T,  # IAM, set operators: ForAllValues "returns true if there are no context keys in the request"
    (ALL, False, True): T,  # IAM, set operators
    (ALL, True, False): T,  # IAM, set operators
    (ALL, True, True): T,  # IAM, set operators
    (ANY, False, False): F,  # IAM, set operators: ForAnyValue: "if there are no matching context keys … returns false"
    (ANY, False, True): F,  # IAM, set operators
    (ANY, True, False): U,  # UNSURE-19
    (ANY, True, True): U,  # UNSURE-19
}
"""The missing-key table (SEMANTICS §7.2) for every operator but Null, which asks for the absence itself."""


class Use(NamedTuple):
    """An operator as a statement writes it: `ForAllValues:StringLikeIfExists`."""

    operator: Operator
    quantifier: str | None
    if_exists: bool
    exact_case: bool
    """Whether it is spelled as documented; another case is UNSURE-13."""

    def absent(self) -> int:
        """What the condition says about a request without the key; not for Null."""
        return ABSENT[self.quantifier, self.if_exists, self.operator.negated]


@lru_cache(maxsize=1024)
def lookup(text: str) -> Use | None:
    """The operator that `text` names, in any case; None if there is none (AWS rejects it).

    Source: Access Analyzer policy-check reference, "Invalid condition operator", "NullIfExists".
    """
    head, colon, rest = text.partition(":")
    quantifier = {"forallvalues": ALL, "foranyvalue": ANY}.get(head.lower())
    if colon and quantifier is None:
        return None
    base = rest if colon else text
    if_exists = base.lower().endswith("ifexists")
    operator = OPERATORS.get((base[:-8] if if_exists else base).lower())
    if operator is None or (operator.family == NULL and if_exists):
        return None
    prefix = {ALL: "ForAllValues:", ANY: "ForAnyValue:", None: ""}[quantifier]
    spelled = f"{prefix}{operator.name}{'IfExists' if if_exists else ''}"
    return Use(operator, quantifier, if_exists, spelled == text)


def nearest(text: str) -> str | None:
    """The documented operator that `text` most resembles, or None."""
    from difflib import get_close_matches

    found = get_close_matches(text.rpartition(":")[2], [row.name for row in _ROWS])
    return found[0] if found else None
