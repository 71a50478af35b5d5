"""What one statement says of one request as a whole value: the truth, the kind of grant, and every reason that is given."""

from typing import NamedTuple

import pytest

from kmslint.policy.document import Condition, Item, Policy, Principal, Statement
from kmslint.policy.evaluate import Applied, Evaluation, Run, applies, evaluate
from kmslint.policy.request import ContextValue, KeyContext, Request
from kmslint.policy.truth import F, T, U, register_text
from kmslint.tree import Symbol, Template, Value, from_python
from tests.oracle.bridge import ACCOUNT, KEY_ARN, key_of

NODE = from_python(None)
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
LOGS = "logs.us-east-1.amazonaws.com"
HOLE = Template(("a", Symbol("x")))
OPEN = "`a${x}` could not be resolved"
EMPTY: frozenset[str] = frozenset()


class Held(NamedTuple):
    """A condition, what the request carries, and what is answered: for sure, and in the lean reading."""

    operator: str
    key: str
    values: tuple[Value, ...]
    present: ContextValue | None
    truth: int
    reasons: tuple[str, ...] = ()
    lean: int | None = None  # as `truth` where that is settled


def item(value: Value) -> Item:
    return Item(value, NODE)


def condition(operator: str, key: str, *values: Value) -> Condition:
    return Condition(operator, key, tuple(map(item, values)), NODE, NODE)


def statement(*conditions: Condition, effect: str | None = "Allow", principal: Value = "*", **more: object) -> Statement:
    """A statement that allows everything to everybody, but for what is said of it."""
    whole = Statement(0, None, effect, (Principal("AWS", principal, NODE),), (item("kms:*"),), (item("*"),), conditions, NODE)
    return whole._replace(**more)  # type: ignore[arg-type]


def asked(context: dict[str, ContextValue] | None = None, principal: str | None = BOB, key: KeyContext | None = None) -> Request:
    return Request(principal, "kms:Decrypt", context or {}, key or key_of())


def said(one: Statement, request: Request, *, lean: bool = False, version: str = "2012-10-17") -> Applied:
    return applies(one, Policy(version, (one,)), request, lean=lean)


def check(case: Held, principal: str = BOB) -> None:
    context = {} if case.present is None else {case.key.lower(): case.present}
    request = asked(context, principal)
    one = statement(condition(case.operator, case.key, *case.values))
    assert said(one, request) == Applied(case.truth, "direct", case.reasons)
    lean = case.truth if case.lean is None else case.lean
    assert said(one, request, lean=True).truth == lean


def unsure(*points: int) -> tuple[str, ...]:
    return tuple(register_text(point) for point in points)


VIA, TAG, DAYS, NOW, IP, KEYS = (
    "kms:ViaService", "aws:PrincipalTag/t", "kms:RotationPeriodInDays", "aws:CurrentTime", "aws:SourceIp", "aws:TagKeys",
)  # fmt: skip

CONDITIONS = [
    # a key that is no key: unsettled, whatever it holds, and in the lean reading a key like any other that is absent
    Held("StringEquals", "aws:nothing", ("x",), None, U, unsure(4), F),
    Held("StringNotEquals", "aws:nothing", ("x",), None, U, unsure(4), T),
    Held("StringEquals", "aws:nothing", ("x",), "x", U, unsure(4), T),
    Held("Null", "aws:nothing", ("true",), None, U, unsure(4), T),
    # an empty list of values
    Held("StringEquals", VIA, (), "x", U, unsure(5), F),
    Held("StringNotEquals", VIA, (), "x", U, unsure(5), T),
    Held("StringEqualsIfExists", VIA, (), "x", F),
    Held("StringNotEqualsIfExists", VIA, (), "x", F),
    Held("ForAllValues:StringNotEquals", KEYS, (), frozenset({"x"}), F),
    Held("ForAnyValue:StringNotEquals", KEYS, (), frozenset({"x"}), F),
    Held("Null", VIA, (), "x", F),
    Held("Null", VIA, (), None, F),
    # the name of an operator in another case, of one that holds, one that does not and one that is open for another reason
    Held("stringequals", VIA, ("x",), "x", U, unsure(13), T),
    Held("stringequals", VIA, ("x",), "y", F),
    Held("stringequals", VIA, (HOLE,), "y", U, (OPEN, *unsure(13)), F),
    # letters beyond ASCII
    Held("StringEqualsIgnoreCase", TAG, ("\u00c4",), "\u00e4", U, unsure(14), F),
    Held("StringEqualsIgnoreCase", TAG, ("\u00c4z",), "\u00c4Z", T),
    Held("StringEqualsIgnoreCase", TAG, ("@[AZaz`{",), "@[azAZ`{", T),
    Held("StringEqualsIgnoreCase", TAG, ("@",), "`", F),
    Held("StringEqualsIgnoreCase", TAG, ("[",), "{", F),
    Held("StringEqualsIgnoreCase", TAG, ("a*?b",), "A*?B", T),
    Held("StringEqualsIgnoreCase", TAG, ("a*b",), "axb", F),
    # a year or seconds, and a time without a zone
    Held("DateEquals", NOW, ("2026",), "2026-01-01", U, unsure(15), T),
    Held("DateEquals", NOW, ("2026",), "1970-01-01T00:33:46Z", U, unsure(15), F),
    Held("DateEquals", NOW, ("2026",), "2026-01-02", F),
    Held("DateGreaterThan", NOW, ("2026-06-01T12:00",), "2026-06-02T03:00:00Z", T),
    Held("DateGreaterThan", NOW, ("2026-06-01T12:00",), "2026-06-01T12:00:01Z", U, unsure(15), T),
    Held("DateGreaterThan", NOW, ("2026-06-01T12:00",), "2026-06-01T11:59:59Z", U, unsure(15), F),
    Held("DateNotEquals", NOW, ("2026",), "2026-01-01", U, unsure(15), F),
    # a variable where a boolean stands
    Held("Bool", "aws:SecureTransport", ("${aws:SecureTransport}",), "true", U, unsure(16), T),
    Held("Bool", "aws:SecureTransport", ("${aws:ViaAWSService}",), "true", F),
    Held("Bool", "aws:SecureTransport", ("${aws:ViaAWSService, 'TRUE'}",), "true", U, unsure(16), T),
    Held("Bool", "aws:SecureTransport", ("${aws:ViaAWSService, 'false'}",), "true", F),
    Held("Bool", "aws:SecureTransport", ("${aws:ViaAWSService, 'x'}",), "x", F),
    Held("Bool", "aws:SecureTransport", ("${*}",), "true", F),
    Held("Bool", "aws:SecureTransport", ("yes",), "yes", F),
    Held("Bool", "aws:SecureTransport", ("True",), "tRUE", T),
    # addresses
    Held("IpAddress", IP, ("2001:db8::1",), "2001:db8::1", T),
    Held("IpAddress", IP, ("2001:db8::1",), "2001:db8::2", U, unsure(17), F),
    Held("IpAddress", IP, ("2001:db8::1",), "2001:db9::1", F),
    Held("NotIpAddress", IP, ("2001:db8::1",), "2001:db8::2", U, unsure(17), T),
    Held("IpAddress", IP, ("203.0.113.0/24",), "::ffff:203.0.113.9", U, unsure(17), F),
    Held("IpAddress", IP, ("203.0.113.0/24",), "::ffff:203.0.114.9", F),
    Held("IpAddress", IP, ("::ffff:203.0.113.0/120",), "203.0.113.9", U, unsure(17), F),
    Held("IpAddress", IP, ("::ffff:203.0.113.0/120",), "203.0.114.9", F),
    Held("IpAddress", IP, ("::ffff:203.0.113.0/120",), "::203.0.113.9", F),
    Held("IpAddress", IP, ("::ffff:203.0.113.0/120",), "::ffff:203.0.113.9", T),
    Held("IpAddress", IP, ("::/0",), "203.0.113.9", F),
    Held("IpAddress", IP, ("::/0",), "::ffff:203.0.113.9", T),
    Held("IpAddress", IP, ("203.0.113.9",), "::ffff:203.0.113.9", U, unsure(17), F),
    Held("IpAddress", IP, ("::ffff:203.0.113.9",), "203.0.113.9", U, unsure(17), F),
    Held("IpAddress", IP, ("0.0.0.0/0",), "2001:db8::1", F),
    Held("IpAddress", IP, ("203.0.113.8/30",), "203.0.113.8", T),
    Held("IpAddress", IP, ("203.0.113.8/30",), "203.0.113.11", T),
    Held("IpAddress", IP, ("203.0.113.8/30",), "203.0.113.12", F),
    Held("IpAddress", IP, ("203.0.113.8/30",), "203.0.113.7", F),
    # an ARN pattern of few segments, and a star that would cross a colon
    Held("ArnLike", "aws:SourceArn", ("*",), "arn:aws:s3:::b", U, unsure(18), F),
    Held("ArnLike", "aws:SourceArn", ("arn:aws:s*:1:b",), "arn:aws:s3:::1:b", U, unsure(18), F),
    Held("ArnLike", "aws:SourceArn", ("arn:*:b",), "bucket", F),
    Held("ArnLike", "aws:SourceArn", ("arn:aws:s3:::*",), "arn:aws:s3:::b", T),
    Held("ArnNotLike", "aws:SourceArn", ("*",), "arn:aws:s3:::b", U, unsure(18), T),
    # ForAnyValue with IfExists
    Held("ForAnyValue:StringEqualsIfExists", KEYS, ("x",), None, U, unsure(19), F),
    Held("ForAnyValue:StringEqualsIfExists", KEYS, ("x",), EMPTY, U, unsure(19), F),
    Held("ForAnyValue:StringEqualsIfExists", KEYS, (), EMPTY, U, unsure(19), F),
    Held("ForAllValues:StringEqualsIfExists", KEYS, ("x",), None, T),
    Held("ForAnyValue:StringEqualsIfExists", TAG, ("x",), "", U, unsure(19), F),
    Held("ForAllValues:StringEquals", TAG, ("x",), "", T),
    Held("ForAnyValue:StringEquals", TAG, ("",), "", F),
    Held("ForAllValues:StringEquals", KEYS, ("x",), frozenset({"", "x"}), T),
    Held("ForAllValues:StringEquals", KEYS, ("x",), frozenset({"y", "x"}), F),
    Held("ForAnyValue:StringEquals", KEYS, ("",), frozenset({"", "x"}), F),
    Held("ForAnyValue:StringEquals", KEYS, ("x", HOLE), frozenset({"y"}), U, (OPEN,), F),
    Held("ForAnyValue:StringEquals", KEYS, ("y", HOLE), frozenset({"y"}), T),
    Held("ForAllValues:StringEquals", KEYS, ("y", HOLE), frozenset({"y", "z"}), U, (OPEN,), F),
    # a set without a set operator
    Held("StringEquals", KEYS, ("x",), frozenset({"x"}), U, unsure(20), F),
    Held("StringEquals", KEYS, ("x",), "x", U, unsure(20), F),
    Held("StringNotEquals", KEYS, ("x",), frozenset({"y", "x"}), U, unsure(20), F),
    Held("StringEquals", KEYS, ("x",), frozenset({"y"}), F),
    Held("StringEquals", KEYS, ("",), frozenset({""}), F),
    Held("StringEquals", KEYS, ("x",), EMPTY, F),
    Held("StringNotEquals", KEYS, ("x",), EMPTY, T),
    Held("StringEqualsIfExists", KEYS, ("x",), EMPTY, T),
    Held("StringEquals", KEYS, (), EMPTY, U, unsure(5), F),
    # a key that is present and empty
    Held("StringEquals", TAG, ("",), "", U, unsure(21), T),
    Held("StringEquals", TAG, ("x",), "", F),
    Held("StringNotEquals", TAG, ("",), "", U, unsure(21), F),
    Held("StringNotEquals", TAG, ("x",), "", T),
    Held("StringEqualsIfExists", TAG, ("x",), "", U, unsure(21), F),
    Held("StringEqualsIfExists", TAG, ("",), "", T),
    Held("Null", TAG, ("true",), "", U, unsure(21), T),
    Held("Null", TAG, ("false",), "", U, unsure(21), F),
    Held("Null", TAG, ("true", "false"), "", T),
    Held("Null", TAG, ("neither",), "", F),
    Held("Null", KEYS, ("true",), EMPTY, U, unsure(21), T),
    Held("Null", KEYS, ("FALSE",), frozenset({""}), T),
    Held("Null", TAG, (HOLE,), None, U, (OPEN,), F),
    Held("Null", TAG, ("true", HOLE), None, T),
    Held("Null", TAG, ("true", HOLE), "x", U, (OPEN,), F),
    Held("ForAllValues:Null", TAG, ("true",), "x", T),
    Held("ForAnyValue:Null", TAG, ("true",), None, F),
    # what cannot be read
    Held("NumericEquals", DAYS, ("x",), "1", F),
    Held("NumericNotEquals", DAYS, ("x",), "1", U, ("a value that `NumericNotEquals` cannot read",), T),
    Held("NumericNotEquals", DAYS, ("1",), "x", U, ("a value that `NumericNotEquals` cannot read",), T),
    Held("NumericNotEquals", DAYS, ("1", "x"), "1", F),
    Held("NotIpAddress", IP, ("x",), "10.0.0.1", U, ("a value that `NotIpAddress` cannot read",), T),
    Held("NotIpAddress", IP, ("10.0.0.1",), "x", U, ("a value that `NotIpAddress` cannot read",), T),
    Held("IpAddress", IP, ("10.0.0.1",), "x", F),
    Held("IpAddress", IP, ("10.0.0.0/33",), "10.0.0.1", F),
    Held("DateNotEquals", NOW, ("soon",), "2026-01-01", U, ("a value that `DateNotEquals` cannot read",), T),
    Held("DateEquals", NOW, ("soon",), "2026-01-01", F),
    Held("BinaryEquals", TAG, ("!",), "!", F),
    Held("BinaryEquals", TAG, ("!",), "YQ==", F),
    Held("BinaryEquals", TAG, ("YQ==",), "!", F),
    Held("BinaryEquals", TAG, ("YQ==",), "YQ==", T),
    Held("BinaryEquals", TAG, ("",), "", U, unsure(21), T),
    # a value of a template
    Held("StringEquals", VIA, (HOLE,), "x", U, (OPEN,), F),
    Held("StringEquals", VIA, (HOLE, "x"), "x", T),
    Held("StringNotEquals", VIA, (HOLE,), "x", U, (OPEN,), T),
    Held("StringNotEquals", VIA, (HOLE, "x"), "x", F),
    Held("StringEquals", VIA, (HOLE,), None, F),
    Held("StringNotEquals", VIA, (HOLE,), None, T),
    Held("Bool", "aws:SecureTransport", (HOLE,), "true", U, (OPEN,), F),
    Held("NumericLessThan", DAYS, (HOLE,), "1", U, (OPEN,), F),
    Held("IpAddress", IP, (HOLE,), "10.0.0.1", U, (OPEN,), F),
    Held("BinaryEquals", TAG, (HOLE,), "YQ==", U, (OPEN,), F),
]  # fmt: skip


@pytest.mark.parametrize("case", CONDITIONS, ids=lambda case: f"{case.operator}-{case.key}-{case.values}-{case.present}")
def test_a_condition_and_the_reasons(case: Held) -> None:
    check(case)


def held(
    operator: str, value: str, present: str, tags: dict[str, str], version: str = "2012-10-17"
) -> tuple[int, tuple[str, ...], int]:
    """What is said of a tag compared with a value that may hold variables: the truth, its reasons, and the lean truth."""
    context: dict[str, ContextValue] = {f"aws:principaltag/{name}": text for name, text in tags.items()}
    context |= {"aws:principaltag/t": present, "aws:nothing": "n", "aws:tagkeys": frozenset({"k"})}
    one = statement(condition(operator, TAG, value))
    sure = said(one, asked(context), version=version)
    return sure.truth, sure.reasons, said(one, asked(context), version=version, lean=True).truth


IN = "${aws:PrincipalTag/u}"

VARIABLES = [
    # operator, policy value, request value, other tags, answer
    ("StringEquals", IN, "a", {"u": "a"}, (T, (), T)),
    ("StringEquals", IN, "b", {"u": "a"}, (F, (), F)),
    ("StringEquals", "${AWS:PRINCIPALTAG/U}", "a", {"u": "a"}, (T, (), T)),
    ("StringEquals", f"x{IN}y", "xay", {"u": "a"}, (T, (), T)),
    ("StringEquals", f"{IN}{IN}", "aa", {"u": "a"}, (T, (), T)),
    ("StringEquals", IN, "a", {}, (F, (), F)),
    ("StringNotEquals", IN, "a", {}, (T, (), T)),
    ("StringEquals", IN, IN, {}, (F, (), F)),
    # a default; a present value goes before it, an empty one does not
    ("StringEquals", "${aws:PrincipalTag/u, 'd'}", "d", {}, (T, (), T)),
    ("StringEquals", "${aws:PrincipalTag/u, 'd'}", "d", {"u": "a"}, (F, (), F)),
    ("StringEquals", "${aws:PrincipalTag/u, 'd'}", "a", {"u": "a"}, (T, (), T)),
    ("StringEquals", "${aws:PrincipalTag/u, 'd'}", "d", {"u": ""}, (T, (), T)),
    # what is no key, and a key that holds a set, have no value
    ("StringEquals", "${aws:nothing}", "n", {}, (F, (), F)),
    ("StringEquals", "${aws:nothing, 'd'}", "n", {}, (F, (), F)),
    ("StringEquals", "${aws:nothing, 'd'}", "d", {}, (T, (), T)),
    ("StringEquals", "${aws:TagKeys}", "k", {}, (F, (), F)),
    ("StringEquals", "${aws:TagKeys, 'd'}", "d", {}, (T, (), T)),
    # wildcards in an inserted value
    ("StringLike", IN, "ab", {"u": "a*"}, (U, unsure(22), F)),
    ("StringLike", IN, "a*", {"u": "a*"}, (T, (), T)),
    ("StringLike", IN, "b", {"u": "a*"}, (F, (), F)),
    ("StringNotLike", IN, "ab", {"u": "a*"}, (U, unsure(22), T)),
    ("StringEquals", IN, "ab", {"u": "a*"}, (F, (), F)),
    ("StringEqualsIgnoreCase", IN, "AB", {"u": "a*"}, (F, (), F)),
    ("StringLike", f"{IN}-*", "a-b", {"u": "a"}, (T, (), T)),
    ("ArnLike", f"arn:aws:s3:::{IN}", "arn:aws:s3:::ab", {"u": "a?"}, (U, unsure(22), F)),
    ("ArnLike", f"arn:aws:s3:::{IN}", "arn:aws:s3:::a?", {"u": "a?"}, (T, (), T)),
    ("ArnLike", f"arn:aws:{IN}:b", "arn:aws:s3:::b", {"u": "*"}, (U, unsure(18, 22), F)),
    # the characters that a variable writes
    ("StringLike", "${*}", "*", {}, (T, (), T)),
    ("StringLike", "${*}", "a", {}, (F, (), F)),
    ("StringLike", "${?}", "?", {}, (T, (), T)),
    ("StringLike", "${?}", "a", {}, (F, (), F)),
    ("StringEquals", "${$}", "$", {}, (T, (), T)),
    ("StringEquals", "${*}", "*", {}, (T, (), T)),
    # a variable that is none: literal text, or anything in its place
    ("StringEquals", "${}", "${}", {}, (U, unsure(23), T)),
    ("StringEquals", "${}", "x", {}, (U, unsure(23), F)),
    ("StringEquals", "a${}", "x", {}, (F, (), F)),
    ("StringEquals", "a${}", "ax", {}, (U, unsure(23), F)),
    ("StringNotEquals", "a${}", "ax", {}, (U, unsure(23), T)),
    ("StringLike", "a*${x", "a-${x", {}, (U, unsure(23), T)),
    ("StringLike", "a${ x}b", "a-c", {}, (F, (), F)),
    ("StringLike", "${*}${ x}", "a", {}, (F, (), F)),
    ("StringLike", "${*}${ x}", "*a", {}, (U, unsure(23), F)),
    ("StringEqualsIgnoreCase", "A${}", "ax", {}, (U, unsure(23), F)),
    ("StringEqualsIgnoreCase", "A${}", "a${}", {}, (U, unsure(23), T)),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "value", "present", "tags", "answer"), VARIABLES)
def test_a_variable_and_the_reasons(
    operator: str, value: str, present: str, tags: dict[str, str], answer: tuple[int, tuple[str, ...], int]
) -> None:
    assert held(operator, value, present, tags) == answer


@pytest.mark.parametrize("version", ["2008-10-17", "2011-01-01"])
@pytest.mark.parametrize("value", [IN, "${*}", "${}", "a${aws:nothing, 'd'}"])
def test_without_the_version_a_variable_is_text(value: str, version: str) -> None:
    assert held("StringEquals", value, value, {"u": "a"}, version) == (T, (), T)
    assert held("StringEquals", value, "a", {"u": "a"}, version) == (F, (), F)
    assert held("Bool", "${*}", "true", {}, version) == (F, (), F)


# ------------------------------------------------------------------------------- the keys of a service's own call (UNSURE-7, D11)

OPAQUE = [
    # a customer's value is none of a service's; a pattern may match what the service carries; absent is the other reading
    Held("StringEquals", "aws:PrincipalAccount", (ACCOUNT,), None, F),
    Held("StringEqualsIgnoreCase", "aws:PrincipalAccount", (ACCOUNT,), None, F),
    Held("StringNotEquals", "aws:PrincipalAccount", (ACCOUNT,), None, T),
    Held("StringEqualsIfExists", "aws:PrincipalAccount", (ACCOUNT,), None, U, unsure(7), T),
    Held("StringLike", "aws:PrincipalAccount", (ACCOUNT,), None, F),
    Held("StringLike", "aws:PrincipalAccount", ("11*",), None, U, unsure(7), F),
    Held("StringLike", "aws:PrincipalAccount", ("11112222333?",), None, U, unsure(7), F),
    Held("StringLikeIfExists", "aws:PrincipalAccount", ("11*",), None, U, unsure(7), T),
    Held("StringNotLikeIfExists", "aws:PrincipalAccount", ("11*",), None, U, unsure(7), T),
    Held("StringNotEqualsIfExists", "aws:PrincipalAccount", (ACCOUNT,), None, T),
    Held("ForAllValues:StringLike", "aws:PrincipalAccount", ("11*",), None, U, unsure(7), T),
    Held("ForAnyValue:StringLikeIfExists", "aws:PrincipalAccount", ("11*",), None, U, unsure(19), F),
    *(
        Held("StringLike", name, ("*",), None, U, unsure(7), F)
        for name in (
            "aws:PrincipalArn", "aws:PrincipalAccount", "kms:CallerAccount", "aws:userid", "aws:PrincipalType", "aws:TokenIssueTime",
        )
    ),
    Held("StringNotLike", "aws:PrincipalAccount", ("11*",), None, U, unsure(7), T),
    Held("StringLike", "aws:PrincipalAccount", (ACCOUNT, "*"), None, U, unsure(7), F),
    Held("ArnLike", "aws:PrincipalArn", (f"arn:aws:iam::{ACCOUNT}:role/*",), None, F),
    Held("ArnLike", "aws:PrincipalArn", ("arn:aws:iam::11112222333:role/*",), None, U, unsure(7), F),
    Held("ArnLike", "aws:PrincipalArn", ("arn:aws:iam::" + "\u0661" * 12 + ":role/*",), None, U, unsure(7), F),
    Held("ArnLike", "aws:PrincipalArn", ("arn:aws:iam::11112222333x:role/*",), None, U, unsure(7), F),
    Held("StringLike", "aws:PrincipalArn", (f"{ACCOUNT}:*",), None, U, unsure(7), F),
    Held("StringLike", "aws:PrincipalArn", (f"*:{ACCOUNT}",), None, U, unsure(7), F),
    Held("StringLike", "aws:PrincipalArn", (f"*:{ACCOUNT}:*",), None, F),
    Held("StringLike", "aws:userid", ("AROAEXAMPLEEXAMPLE:*",), None, F),
    Held("StringLike", "aws:userid", ("AIDAEXAMPLEEXAMP*",), None, U, unsure(7), F),
    Held("StringLike", "aws:userid", ("AIDAEXAMPLEEXAMP:*",), None, F),
    Held("StringLike", "aws:userid", ("AROAEXAMPLEEXAM:*",), None, U, unsure(7), F),
    Held("StringLike", "aws:userid", ("ABCDEXAMPLEEXAMPLE:*",), None, U, unsure(7), F),
    Held("StringLike", "aws:userid", ("AROAEXAMPLE-EXAMPLE:*",), None, U, unsure(7), F),
    Held("DateLessThan", "aws:TokenIssueTime", ("2026-01-01T00:00:00Z",), None, U, unsure(7), F),
    Held("DateLessThan", "aws:TokenIssueTime", ("2026-01-01T00:00:00Z",), "2025-01-01T00:00:00Z", T),
    Held("DateNotEquals", "aws:TokenIssueTime", ("2026-01-01T00:00:00Z",), None, U, unsure(7), T),
    Held("StringEquals", "aws:PrincipalAccount", (HOLE,), None, U, unsure(7), F),
    Held("StringEquals", "aws:PrincipalAccount", ("${aws:ResourceAccount}",), None, F),
    Held("StringEquals", "aws:PrincipalAccount", ("${AWS:ResourceACCOUNT}",), None, F),
    Held("StringEquals", "aws:PrincipalAccount", ("${aws:SourceAccount}",), None, U, unsure(7), F),
    Held("Null", "aws:PrincipalAccount", ("true",), None, U, unsure(7), T),
    Held("Null", "aws:PrincipalAccount", ("false",), None, U, unsure(7), F),
    Held("Null", "aws:PrincipalAccount", ("true", "false"), None, T),
    Held("Null", "aws:PrincipalAccount", (), None, F),
    Held("StringEquals", "aws:PrincipalAccount", (), None, U, unsure(5, 7), F),
    Held("StringNotEquals", "aws:PrincipalAccount", (), None, U, unsure(5, 7), T),
    Held("StringEqualsIfExists", "aws:PrincipalAccount", (), None, U, unsure(7), T),
    Held("ForAllValues:StringEquals", "aws:PrincipalAccount", (ACCOUNT,), None, U, unsure(7), T),
    Held("ForAnyValue:StringNotEquals", "aws:PrincipalAccount", (ACCOUNT,), None, U, unsure(7), F),
    Held("StringEquals", "aws:PrincipalType", ("User",), None, F),
    Held("StringEquals", "kms:CallerAccount", (ACCOUNT,), ACCOUNT, T),
    # a key that a service does not hide
    Held("StringLike", VIA, ("*",), None, F),
]  # fmt: skip


@pytest.mark.parametrize("case", OPAQUE, ids=lambda case: f"{case.operator}-{case.key}-{case.values}-{case.present}")
def test_the_principal_keys_of_a_service_are_its_own(case: Held) -> None:
    check(case, LOGS)


def test_the_principal_keys_of_a_user_are_not_hidden() -> None:
    check(Held("StringLike", "aws:PrincipalAccount", ("11*",), None, F))


def test_without_the_version_a_service_does_not_carry_the_text_of_a_variable() -> None:
    one = statement(condition("StringEquals", "aws:PrincipalAccount", "${aws:SourceAccount}"))
    assert said(one, asked(principal=LOGS), version="2008-10-17") == Applied(F, "direct", ())
    assert said(one, asked(principal=LOGS)) == Applied(U, "direct", unsure(7))


# --------------------------------------------------------------------------------------------------------- actions and resources

WHERE = "arn:aws:kms:us-east-1:111122223333:key/"
ID = KEY_ARN.removeprefix(WHERE)

RESOURCES: list[tuple[Value, int, tuple[str, ...], int]] = [
    ("*", T, (), T),
    (HOLE, U, (OPEN,), F),
    (KEY_ARN, U, unsure(12), T),
    (WHERE + "x", U, unsure(12), F),
    (WHERE + "?" * len(ID), U, unsure(12), T),
    (WHERE + "?" * (len(ID) - 1), U, unsure(12), F),
    ("arn:aws:kms:*:key/*", U, unsure(12), T),
    ("arn:aws:kms:*:key/?*", U, unsure(12), F),
    ("arn:aws:kms*", U, unsure(12), T),
    ("arn:aws:*:111122223333:key/*", U, unsure(12), T),
    ("arn:aws:k*s:111122223333:key/*", U, unsure(12), F),
    ("arn:aws:s3*", U, unsure(12), F),
    ("*:key/*", U, unsure(12), T),
    ("*x", U, unsure(12), F),
    ("arn:aws:kms:us-east-1:111122223333:alias/a", F, (), F),
    ("arn:*:alias/*", F, (), F),
    ("x:alias/a", U, unsure(12), F),
    ("arn:aws:kms:us-east-1:111122223333:key/${aws:PrincipalTag/id}", U, unsure(12), T),
    ("arn:aws:kms:us-east-1:111122223333:key/${aws:PrincipalTag/star}", U, unsure(12), F),
    ("arn:aws:kms:us-east-1:111122223333:key/${aws:PrincipalTag/none}", U, unsure(12), F),
    ("arn:aws:kms:us-east-1:111122223333:key/*${aws:PrincipalTag/end}", U, unsure(12), T),
    ("arn:aws:kms:us-east-?:111122223333:key/${aws:PrincipalTag/id}", U, unsure(12), T),
    ("arn:aws:kms:us-east-1:${aws:PrincipalTag/account}:key/*", U, unsure(12), F),
]  # fmt: skip
TAGS: dict[str, ContextValue] = {
    "aws:principaltag/id": ID, "aws:principaltag/star": "*", "aws:principaltag/end": ID[-4:], "aws:principaltag/account": ACCOUNT,
}  # fmt: skip


@pytest.mark.parametrize(("value", "truth", "reasons", "lean"), RESOURCES)
def test_a_resource_and_the_reasons(value: Value, truth: int, reasons: tuple[str, ...], lean: int) -> None:
    one = statement(resources=(item(value),))
    assert said(one, asked(TAGS)) == Applied(truth, "direct", reasons)
    assert said(one, asked(TAGS), lean=True).truth == lean


def test_a_variable_in_a_resource_needs_the_version() -> None:
    one = statement(resources=(item(WHERE + "${aws:PrincipalTag/id}"),))
    assert [said(one, asked(TAGS), lean=True, version=version).truth for version in ("2012-10-17", "2008-10-17")] == [T, F]


@pytest.mark.parametrize(
    ("key", "pattern", "lean"),
    [
        (KeyContext(), "arn:aws:kms:us-east-1:111122223333:key/x", T),
        (KeyContext(), "arn:aws:kms:us-east-1:111122223333:key/y", F),
        (KeyContext(), "arn:aws:kms:*:*:key/*", T),
        (KeyContext(partition="aws-cn"), "arn:aws:kms:*:*:key/*", F),
        (KeyContext(partition="aws-cn"), "arn:aws-cn:kms:*:*:key/*", T),
        (KeyContext(region="eu-west-1"), "arn:aws:kms:eu-west-1:*:key/*", T),
        (KeyContext(region="eu-west-1"), "arn:aws:kms:us-east-1:*:key/*", F),
        (KeyContext(account="444455556666"), "arn:aws:kms:*:444455556666:key/*", T),
        (KeyContext(account="444455556666"), "arn:aws:kms:*:111122223333:key/*", F),
        (KeyContext(key_id="k"), "arn:aws:kms:*:*:key/k", T),
        (KeyContext(key_id="k"), "arn:aws:kms:*:*:key/x", F),
        (KeyContext("444455556666", "eu-west-1", "aws", "k"), "arn:aws:kms:eu-west-1:444455556666:key/k", T),
        (KeyContext("444455556666", "eu-west-1", "aws", "k"), "arn:aws:kms:eu-west-1:444455556666:key/x", F),
    ],
)
def test_what_is_not_known_of_a_key_is_any_that_fits(key: KeyContext, pattern: str, lean: int) -> None:
    one = statement(resources=(item(pattern),))
    assert said(one, asked(key=key), lean=True).truth == lean
    assert said(one, asked(key=key)) == Applied(U, "direct", unsure(12))


@pytest.mark.parametrize(
    ("values", "truth", "reasons"),
    [
        (("*",), F, ()),
        ((KEY_ARN,), U, unsure(27)),
        ((KEY_ARN, "*"), F, ()),
        (("arn:aws:kms:us-east-1:1:alias/a",), U, unsure(27)),
    ],
)
def test_not_resource(values: tuple[str, ...], truth: int, reasons: tuple[str, ...]) -> None:
    one = statement(resources=tuple(map(item, values)), not_resource=True)
    found = said(one, asked())
    assert (found.truth, found.reasons[-1:]) == (truth, reasons)
    assert said(one, asked(), lean=True).truth == F


@pytest.mark.parametrize(
    ("values", "truth", "reasons", "lean"),
    [
        (("*",), T, (), T), (("kms:decrypt",), T, (), T), (("kms:Encrypt",), F, (), F), ((HOLE,), U, (OPEN,), F), (("kms:x", HOLE), U, (OPEN,), F),
        (("*:Decrypt",), U, unsure(11), F), (("km?:Decrypt",), U, unsure(11), F), (("km?:Encrypt",), F, (), F), (("*:Decrypt", "kms:D*"), T, (), T),
        (("kms:Decryp?",), T, (), T), (("*crypt",), U, unsure(11), F), ((), F, (), F),
    ],
)  # fmt: skip
def test_an_action_and_the_reasons(values: tuple[Value, ...], truth: int, reasons: tuple[str, ...], lean: int) -> None:
    for negated in (False, True):
        one = statement(actions=tuple(map(item, values)), not_action=negated)
        assert said(one, asked()) == Applied(2 - truth if negated else truth, "direct", reasons)
        assert said(one, asked(), lean=True).truth == (2 - lean if negated else lean)
    assert Run(asked(), True, False).action(statement(actions=None)) == F
    assert Run(asked(), True, False).resource(statement(resources=None)) == F
    assert Run(asked(), True, False).resource(statement(resources=None, not_resource=True)) == U


# ------------------------------------------------------------------------------------------------------------ the whole statement

NO_OPERATOR = condition("StringLikes", VIA, "x")
WHY = "`StringLikes` is no condition operator: AWS rejects the policy"


@pytest.mark.parametrize("element", ["principals", "actions", "resources"])
def test_a_statement_that_lacks_an_element_says_nothing_at_all(element: str) -> None:
    """Not even why: what else is wrong with it matters to nobody."""
    one = statement(NO_OPERATOR, principal=ACCOUNT)
    assert said(one, asked()) == Applied(F, "delegated", (WHY,))
    assert said(one._replace(**{element: None}), asked()) == Applied(F, "direct", ())  # type: ignore[arg-type]
    assert said(one._replace(principals=()), asked()) == Applied(F, "direct", ())


def test_no_operator_fails_an_allow_and_may_be_anything_in_a_deny() -> None:
    for effect, truth, lean in (("Allow", F, F), ("Deny", U, F), (None, U, F)):
        one = statement(NO_OPERATOR, effect=effect)
        assert said(one, asked()) == Applied(truth, "direct", (WHY,))
        assert said(one, asked(), lean=True) == Applied(lean, "direct", (WHY,))


def test_each_reason_is_given_once_and_the_principal_first() -> None:
    twice = (condition("StringEquals", "aws:nothing", "x"), condition("StringEquals", "aws:other", "x"))
    assert said(statement(*twice, principal="AIDAEXAMPLEEXAMPLE123"), asked()) == Applied(U, "direct", unsure(9, 4))
    refused = condition("StringLikes", "aws:nothing", "x")
    assert said(statement(NO_OPERATOR, refused), asked()) == Applied(F, "direct", (WHY,))


def test_what_is_settled_has_no_reasons() -> None:
    """An entry that is open gives no reason where another one decides, and neither does a condition."""
    one = statement(condition("StringEquals", VIA, HOLE, "x"), actions=(item("*:Decrypt"), item("kms:*")))
    assert said(one, asked({VIA.lower(): "x"})) == Applied(T, "direct", ())
    assert said(one, asked({VIA.lower(): "y"})) == Applied(U, "direct", (register_text(11), OPEN))
    assert said(one, asked()) == Applied(F, "direct", ())


def test_an_unknown_statement_is_unknown_only_where_it_could_apply() -> None:
    one = statement(unknown=("it is odd", "very"))
    assert said(one, asked()) == Applied(U, "direct", ("it is odd", "very"))
    assert said(one, asked(), lean=True) == Applied(F, "direct", ())
    assert said(one._replace(actions=(item("kms:Encrypt"),)), asked()) == Applied(F, "direct", ())
    assert said(one._replace(unknown=()), asked()) == Applied(T, "direct", ())
    maybe = one._replace(conditions=(condition("StringEquals", "aws:nothing", "x"),))
    assert said(maybe, asked()) == Applied(U, "direct", (register_text(4), "it is odd", "very"))


def test_the_grant_of_what_applies() -> None:
    assert said(statement(principal=ACCOUNT), asked()) == Applied(T, "delegated", ())
    assert said(statement(principal=BOB), asked()) == Applied(T, "direct", ())
    assert said(statement(principal=ACCOUNT, unknown=("odd",)), asked()) == Applied(U, "delegated", ("odd",))


# -------------------------------------------------------------------------------------------------------------- statements together

ALLOWS, DENIES = statement(), statement(effect="Deny")
MAYBE = condition("StringEquals", "aws:nothing", "x")
OPEN_ALLOW, OPEN_DENY, EITHER = statement(MAYBE), statement(MAYBE, effect="Deny"), statement(effect=None, unknown=("either",))
DELEGATES = statement(principal=ACCOUNT)
UNREAD = Policy(None, (), unknown=("not read",))


def policy(*statements: Statement) -> Policy:
    return Policy("2012-10-17", tuple(one._replace(index=index) for index, one in enumerate(statements)))


NOT_SURE = unsure(4)

DECISIONS: list[tuple[tuple[Policy, ...], Evaluation]] = [
    ((), Evaluation("implicit_deny")),
    ((policy(),), Evaluation("implicit_deny")),
    ((policy(ALLOWS),), Evaluation("allow", "direct", ((0, 0),), may=True, must=True)),
    ((policy(DELEGATES),), Evaluation("allow", "delegated", ((0, 0),), may=True, must=True)),
    ((policy(DELEGATES, ALLOWS),), Evaluation("allow", "direct", ((0, 0), (0, 1)), may=True, must=True)),
    ((policy(DELEGATES), policy(ALLOWS)), Evaluation("allow", "direct", ((0, 0), (1, 0)), may=True, must=True)),
    ((policy(ALLOWS, OPEN_ALLOW),), Evaluation("allow", "direct", ((0, 0),), may=True, must=True)),
    ((policy(DELEGATES, OPEN_ALLOW),), Evaluation("allow", "delegated", ((0, 0),), may=True, must=True)),
    ((policy(DENIES),), Evaluation("explicit_deny", None, ((0, 0),))),
    ((policy(ALLOWS, OPEN_DENY, DENIES, DENIES),), Evaluation("explicit_deny", None, ((0, 2), (0, 3)))),
    ((policy(OPEN_DENY),), Evaluation("implicit_deny")),
    ((policy(OPEN_ALLOW, DENIES),), Evaluation("explicit_deny", None, ((0, 1),))),
    ((policy(OPEN_ALLOW),), Evaluation("undetermined", "direct", ((0, 0),), NOT_SURE, may=True)),
    ((policy(ALLOWS, OPEN_DENY),), Evaluation("undetermined", "direct", ((0, 1),), NOT_SURE, may=True)),
    ((policy(DELEGATES, OPEN_DENY),), Evaluation("undetermined", "delegated", ((0, 1),), NOT_SURE, may=True)),
    ((policy(OPEN_ALLOW, OPEN_DENY),), Evaluation("undetermined", "direct", ((0, 0), (0, 1)), NOT_SURE, may=True)),
    ((policy(EITHER),), Evaluation("undetermined", "direct", ((0, 0), (0, 0)), ("either",), may=True)),
    ((policy(ALLOWS, EITHER),), Evaluation("undetermined", "direct", ((0, 1),), ("either",), may=True)),
    ((policy(EITHER, DENIES),), Evaluation("explicit_deny", None, ((0, 1),))),
    ((UNREAD,), Evaluation("undetermined", "direct", ((0, -1), (0, -1)), ("not read",), may=True)),
    ((policy(ALLOWS), UNREAD), Evaluation("undetermined", "direct", ((1, -1),), ("not read",), may=True)),
    ((policy(DENIES), UNREAD), Evaluation("explicit_deny", None, ((0, 0),))),
    ((policy(statement(NO_OPERATOR), statement(NO_OPERATOR)),), Evaluation("implicit_deny", reasons=(WHY,))),
    ((policy(statement(NO_OPERATOR), ALLOWS),), Evaluation("allow", "direct", ((0, 1),), may=True, must=True)),
    (
        (policy(statement(condition("StringEquals", VIA, "x"), effect="Deny"), ALLOWS),),
        Evaluation("allow", "direct", ((0, 1),), may=True, must=True),
    ),
]


@pytest.mark.parametrize(("policies", "decision"), DECISIONS)
def test_a_decision_and_what_it_rests_on(policies: tuple[Policy, ...], decision: Evaluation) -> None:
    assert evaluate(policies, asked()) == decision


def test_the_lean_reading_decides_what_is_open() -> None:
    assert evaluate((policy(OPEN_ALLOW),), asked(), lean=True) == Evaluation("implicit_deny")
    assert evaluate((policy(ALLOWS, OPEN_DENY),), asked(), lean=True).decision == "allow"
    assert evaluate((policy(EITHER),), asked(), lean=True) == Evaluation("implicit_deny")
    assert evaluate((UNREAD,), asked(), lean=True).decision == "undetermined"
