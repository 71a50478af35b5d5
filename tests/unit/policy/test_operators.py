"""The condition operators, cell by cell: what each says of a matching, another and an absent value, in every form."""

import pytest

from kmslint.policy.evaluate import evaluate
from tests.oracle.bridge import KEY_ARN, policy_of, request_of
from tests.oracle.evaluator import Plain

BOB = "arn:aws:iam::111122223333:user/bob"
APPLIES, FAILS, UNSURE = "allow", "implicit_deny", "undetermined"

NOON = "2026-06-01T12:00:00Z"
BEFORE = "2026-06-01T11:59:59Z"
AFTER = "2026-06-01T12:00:01Z"
BUCKET = "arn:aws:s3:::bucket"

POSITIVE: dict[str, tuple[str, str, str, str]] = {
    # operator: (condition key, policy value, request value that matches, request value that does not)
    "StringEquals": ("kms:ViaService", "s3.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com", "S3.us-east-1.amazonaws.com"),
    "StringEqualsIgnoreCase": ("kms:ViaService", "S3.x", "s3.X", "s4.x"),
    "StringLike": ("kms:ViaService", "s3.*", "s3.", "S3.x"),
    "NumericEquals": ("kms:RotationPeriodInDays", "100", "100.0", "101"),
    "NumericLessThan": ("kms:RotationPeriodInDays", "100", "99", "100"),
    "NumericLessThanEquals": ("kms:RotationPeriodInDays", "100", "100", "101"),
    "NumericGreaterThan": ("kms:RotationPeriodInDays", "100", "101", "100"),
    "NumericGreaterThanEquals": ("kms:RotationPeriodInDays", "100", "100", "99"),
    "DateEquals": ("aws:CurrentTime", NOON, "2026-06-01T14:00:00+02:00", AFTER),
    "DateLessThan": ("aws:CurrentTime", NOON, BEFORE, NOON),
    "DateLessThanEquals": ("aws:CurrentTime", NOON, NOON, AFTER),
    "DateGreaterThan": ("aws:CurrentTime", NOON, AFTER, NOON),
    "DateGreaterThanEquals": ("aws:CurrentTime", NOON, NOON, BEFORE),
    "Bool": ("aws:MultiFactorAuthPresent", "true", "true", "false"),
    "BinaryEquals": ("aws:PrincipalTag/blob", "YWI=", "YWI=", "YWM="),
    "IpAddress": ("aws:SourceIp", "203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
    "ArnEquals": ("aws:SourceArn", "arn:aws:s3:::b*", BUCKET, "arn:aws:s3:::other"),
    "ArnLike": ("aws:SourceArn", "arn:aws:s3:::b*", BUCKET, "arn:aws:sns:::bucket"),
}
NEGATED: dict[str, tuple[str, str, str, str]] = {
    "StringNotEquals": ("kms:ViaService", "a", "A", "a"),
    "StringNotEqualsIgnoreCase": ("kms:ViaService", "a", "b", "A"),
    "StringNotLike": ("kms:ViaService", "a*", "ba", "ab"),
    "NumericNotEquals": ("kms:RotationPeriodInDays", "100", "101", "100.0"),
    "DateNotEquals": ("aws:CurrentTime", NOON, AFTER, NOON),
    "NotIpAddress": ("aws:SourceIp", "203.0.113.0/24", "198.51.100.1", "203.0.113.7"),
    "ArnNotEquals": ("aws:SourceArn", "arn:aws:s3:::b*", "arn:aws:s3:::other", BUCKET),
    "ArnNotLike": ("aws:SourceArn", "arn:aws:s3:::b*", "arn:aws:sns:::other", BUCKET),
}
EVERY = POSITIVE | NEGATED


def decide(
    operator: str, key: str, values: Plain, context: dict[str, Plain], *, effect: str = "Allow", version: str = "2012-10-17"
) -> str:
    statement = {
        "Effect": effect,
        "Principal": "*",
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {operator: {key: values}},
    }
    others = [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}] if effect == "Deny" else []
    policy = policy_of({"Version": version, "Statement": [*others, statement]})
    request = request_of({"principal": BOB, "action": "kms:EnableKeyRotation", "context": context, "keyArn": KEY_ARN})
    return evaluate((policy,), request).decision


# ---------------------------------------------------------------------------------- the missing-key table, plain and IfExists


@pytest.mark.parametrize("operator", EVERY)
def test_a_present_key_is_compared(operator: str) -> None:
    key, constant, matching, other = EVERY[operator]
    assert decide(operator, key, constant, {key: matching}) == APPLIES
    assert decide(operator, key, constant, {key: other}) == FAILS


@pytest.mark.parametrize("operator", EVERY)
def test_if_exists_compares_a_present_key(operator: str) -> None:
    key, constant, matching, other = EVERY[operator]
    assert decide(operator + "IfExists", key, constant, {key: matching}) == APPLIES
    assert decide(operator + "IfExists", key, constant, {key: other}) == FAILS


@pytest.mark.parametrize("operator", POSITIVE)
def test_a_positive_operator_fails_on_an_absent_key(operator: str) -> None:
    key, constant, _, _ = EVERY[operator]
    assert decide(operator, key, constant, {}) == FAILS
    assert decide(operator, key, constant, {}, effect="Deny") == APPLIES


@pytest.mark.parametrize("operator", NEGATED)
def test_a_negated_operator_holds_on_an_absent_key(operator: str) -> None:
    key, constant, _, _ = EVERY[operator]
    assert decide(operator, key, constant, {}) == APPLIES
    assert decide(operator, key, constant, {}, effect="Deny") == "explicit_deny"


@pytest.mark.parametrize("operator", EVERY)
def test_if_exists_holds_on_an_absent_key(operator: str) -> None:
    key, constant, _, _ = EVERY[operator]
    assert decide(operator + "IfExists", key, constant, {}) == APPLIES
    assert decide(operator + "IfExists", key, constant, {}, effect="Deny") == "explicit_deny"


@pytest.mark.parametrize("suffix", ["", "IfExists"])
@pytest.mark.parametrize("operator", EVERY)
def test_for_all_values_holds_vacuously_on_an_absent_key(operator: str, suffix: str) -> None:
    key, constant, _, _ = EVERY[operator]
    assert decide(f"ForAllValues:{operator}{suffix}", key, constant, {}) == APPLIES


@pytest.mark.parametrize("operator", EVERY)
def test_for_any_value_fails_on_an_absent_key(operator: str) -> None:
    key, constant, _, _ = EVERY[operator]
    assert decide(f"ForAnyValue:{operator}", key, constant, {}) == FAILS


@pytest.mark.parametrize("operator", EVERY)
def test_for_any_value_if_exists_on_an_absent_key_is_not_settled(operator: str) -> None:
    key, constant, matching, other = EVERY[operator]
    assert decide(f"ForAnyValue:{operator}IfExists", key, constant, {}) == UNSURE
    assert decide(f"ForAnyValue:{operator}IfExists", key, constant, {key: matching}) == APPLIES
    assert decide(f"ForAnyValue:{operator}IfExists", key, constant, {key: other}) == FAILS


@pytest.mark.parametrize("quantifier", ["ForAllValues", "ForAnyValue"])
@pytest.mark.parametrize("operator", EVERY)
def test_a_set_operator_takes_a_single_value_as_a_set_of_one(operator: str, quantifier: str) -> None:
    key, constant, matching, other = EVERY[operator]
    assert decide(f"{quantifier}:{operator}", key, constant, {key: matching}) == APPLIES
    assert decide(f"{quantifier}:{operator}", key, constant, {key: other}) == FAILS


NULL = [
    ("Null", "true", None, APPLIES),
    ("Null", "true", "s3.us-east-1.amazonaws.com", FAILS),
    ("Null", "false", None, FAILS),
    ("Null", "false", "s3.us-east-1.amazonaws.com", APPLIES),
    ("Null", True, None, APPLIES),
    ("Null", False, None, FAILS),
    ("Null", "TRUE", None, APPLIES),
    ("Null", ["true", "false"], None, APPLIES),
    ("Null", ["true", "false"], "x", APPLIES),
    ("Null", "maybe", None, FAILS),
    ("Null", "maybe", "x", FAILS),
    ("ForAllValues:Null", "true", None, APPLIES),
    ("ForAllValues:Null", "true", "x", APPLIES),
    ("ForAllValues:Null", "false", None, APPLIES),
    ("ForAnyValue:Null", "true", None, FAILS),
    ("ForAnyValue:Null", "false", "x", FAILS),
]


@pytest.mark.parametrize(("operator", "value", "present", "expected"), NULL)
def test_null_asks_whether_the_key_is_absent(operator: str, value: Plain, present: str | None, expected: str) -> None:
    context = {} if present is None else {"kms:ViaService": present}
    assert decide(operator, "kms:ViaService", value, context) == expected


@pytest.mark.parametrize(
    "operator", ["StringFoo", "NullIfExists", "ForSomeValue:StringEquals", "String Equals", "", "IfExists", "Not"]
)
def test_what_is_no_operator_matches_nothing_and_says_why(operator: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {operator: {"kms:ViaService": "x"}},
    }
    request = request_of({"principal": BOB, "action": "kms:Decrypt", "context": {"kms:ViaService": "x"}})
    found = evaluate((policy_of({"Version": "2012-10-17", "Statement": [statement]}),), request)
    assert found.decision == FAILS
    assert found.reasons


# ------------------------------------------------------------------------------------------------- several values, set operators

KEYS = "kms:EncryptionContextKeys"
SETS = [
    # operator, policy values, request set, expected
    ("ForAllValues:StringEquals", ["a", "b"], {"a"}, APPLIES),
    ("ForAllValues:StringEquals", ["a", "b"], {"a", "b"}, APPLIES),
    ("ForAllValues:StringEquals", ["a", "b"], {"a", "c"}, FAILS),
    ("ForAllValues:StringNotEquals", ["a", "b"], {"c"}, APPLIES),
    ("ForAllValues:StringNotEquals", ["a", "b"], {"c", "a"}, FAILS),
    ("ForAnyValue:StringEquals", ["a", "b"], {"c", "a"}, APPLIES),
    ("ForAnyValue:StringEquals", ["a", "b"], {"c"}, FAILS),
    ("ForAnyValue:StringNotEquals", ["a", "b"], {"a", "b"}, FAILS),
    ("ForAnyValue:StringNotEquals", ["a", "b"], {"a", "c"}, APPLIES),
    ("ForAnyValue:StringLike", ["a*"], {"b", "ab"}, APPLIES),
    ("ForAnyValue:StringLike", ["a*"], {"b"}, FAILS),
    ("ForAllValues:StringNotLike", ["a*"], {"b", "c"}, APPLIES),
    ("ForAllValues:StringNotLike", ["a*"], {"b", "ab"}, FAILS),
]


@pytest.mark.parametrize(("operator", "values", "present", "expected"), SETS)
def test_set_operators(operator: str, values: list[str], present: set[str], expected: str) -> None:
    assert decide(operator, KEYS, values, {KEYS: present}) == expected


@pytest.mark.parametrize(
    ("operator", "matching", "other"),
    [("StringEquals", "a", "b"), ("StringNotEquals", "b", "a"), ("StringLike", "a", "b"), ("StringEqualsIfExists", "a", "b")],
)
def test_a_set_without_a_set_operator_is_not_settled_where_a_member_matches(operator: str, matching: str, other: str) -> None:
    assert decide(operator, KEYS, "a", {KEYS: {matching}}) == UNSURE
    assert decide(operator, KEYS, "a", {KEYS: {matching, other}}) == UNSURE
    assert decide(operator, KEYS, "a", {KEYS: {other}}) == FAILS


def test_a_multi_valued_key_that_is_absent_follows_the_table_without_a_set_operator_too() -> None:
    assert decide("StringEquals", KEYS, "a", {}) == FAILS
    assert decide("StringNotEquals", KEYS, "a", {}) == APPLIES
    assert decide("StringEqualsIfExists", KEYS, "a", {}) == APPLIES


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals"])
def test_an_empty_list_is_not_settled_on_a_present_key(operator: str) -> None:
    assert decide(operator, "kms:ViaService", [], {"kms:ViaService": "x"}) == UNSURE


def test_an_empty_list_under_for_any_value_or_on_a_present_key_matches_nothing() -> None:
    assert decide("ForAnyValue:StringEquals", KEYS, [], {KEYS: {"a"}}) == FAILS
    assert decide("ForAllValues:StringEquals", KEYS, [], {KEYS: {"a"}}) == FAILS
    assert decide("ForAllValues:StringEquals", KEYS, [], {}) == APPLIES
    assert decide("StringEqualsIfExists", "kms:ViaService", [], {"kms:ViaService": "x"}) == FAILS
    assert decide("StringEqualsIfExists", "kms:ViaService", [], {}) == APPLIES


def test_values_of_a_positive_operator_are_alternatives_and_of_a_negated_one_are_all_excluded() -> None:
    via = "kms:ViaService"
    assert decide("StringEquals", via, ["a", "b"], {via: "b"}) == APPLIES
    assert decide("StringEquals", via, ["a", "b"], {via: "c"}) == FAILS
    assert decide("StringNotEquals", via, ["a", "b"], {via: "c"}) == APPLIES
    assert decide("StringNotEquals", via, ["a", "b"], {via: "b"}) == FAILS


# -------------------------------------------------------------------------------------------------------------- comparing text

TEXTS = [
    ("StringEquals", "a*", "a*", APPLIES),
    ("StringEquals", "a*", "ab", FAILS),
    ("StringEquals", "a?", "ab", FAILS),
    ("StringEqualsIgnoreCase", "A*", "a*", APPLIES),
    ("StringEqualsIgnoreCase", "A*", "ab", FAILS),
    ("StringLike", "*", "", UNSURE),
    ("StringLike", "*", "anything: at /all\n", APPLIES),
    ("StringLike", "a*b", "ab", APPLIES),
    ("StringLike", "a*b", "a::/b", APPLIES),
    ("StringLike", "a*b", "abc", FAILS),
    ("StringLike", "a?b", "ab", FAILS),
    ("StringLike", "a?b", "a\nb", APPLIES),
    ("StringLike", "a?b", "axxb", FAILS),
    ("StringLike", "a.b", "axb", FAILS),
    ("StringLike", "[a]", "a", FAILS),
    ("StringLike", "[a]", "[a]", APPLIES),
    ("StringLike", "a\\*", "a*", FAILS),
    ("StringLike", "**a**", "a", APPLIES),
    ("StringLike", "?*", "a", APPLIES),
    ("StringLike", "a$", "a", FAILS),
    ("StringLike", "a$", "a$", APPLIES),
    ("StringEquals", "a", "a ", FAILS),
    ("StringEquals", "a", "a\n", FAILS),
    ("StringLike", "a", "a\n", FAILS),
    ("StringEqualsIgnoreCase", "\u00c4", "\u00e4", UNSURE),
    ("StringEqualsIgnoreCase", "\u00c4", "\u00c4", APPLIES),
    ("StringEqualsIgnoreCase", "K", "\u212a", UNSURE),
]


@pytest.mark.parametrize(("operator", "constant", "value", "expected"), TEXTS)
def test_text(operator: str, constant: str, value: str, expected: str) -> None:
    assert decide(operator, "aws:PrincipalTag/t", constant, {"aws:PrincipalTag/t": value}) == expected


@pytest.mark.parametrize("operator", ["stringequals", "STRINGEQUALS", "StringEqualsifexists", "forallvalues:StringEquals"])
def test_the_case_of_an_operator_name_is_not_settled(operator: str) -> None:
    assert decide(operator, "kms:ViaService", "x", {"kms:ViaService": "x"}) == UNSURE
    assert decide(operator, "kms:ViaService", "x", {"kms:ViaService": "y"}) == FAILS


def test_key_names_fold_case_with_their_suffix() -> None:
    assert decide("StringEquals", "AWS:principaltag/TEAM", "x", {"aws:PrincipalTag/team": "x"}) == APPLIES
    assert decide("StringEquals", "AWS:principaltag/TEAM", "x", {"aws:PrincipalTag/other": "x"}) == FAILS


# ------------------------------------------------------------------------------------------------------------------------ ARNs

ARNS = [
    ("arn:aws:s3:::bucket", BUCKET, APPLIES),
    ("arn:aws:s3:::Bucket", BUCKET, FAILS),
    ("arn:*:s3:*:*:bucket", BUCKET, APPLIES),
    ("arn:aws:s?:::bucket", BUCKET, APPLIES),
    ("*:aws:s3:::bucket", BUCKET, APPLIES),
    ("arn:aws:logs:us-east-1:1:log-group:*", "arn:aws:logs:us-east-1:1:log-group:a:b/c", APPLIES),
    ("arn:aws:s3:*:1:b", "arn:aws:s3:us:9:x:1:b", UNSURE),
    ("*", BUCKET, UNSURE),
    ("arn:aws:s3*", BUCKET, UNSURE),
    ("arn:aws:sns*", BUCKET, FAILS),
    ("arn:aws:s3:::bucket", "bucket", FAILS),
    ("arn:aws:s3:::b", "arn:aws:s3:::b:c", FAILS),
]


@pytest.mark.parametrize("operator", ["ArnEquals", "ArnLike"])
@pytest.mark.parametrize(("constant", "value", "expected"), ARNS)
def test_arns_compare_segment_by_segment_with_wildcards_in_both_operators(
    operator: str, constant: str, value: str, expected: str
) -> None:
    assert decide(operator, "aws:SourceArn", constant, {"aws:SourceArn": value}) == expected


@pytest.mark.parametrize("operator", ["ArnNotEquals", "ArnNotLike"])
@pytest.mark.parametrize(("constant", "value", "expected"), ARNS)
def test_negated_arn_operators_say_the_opposite(operator: str, constant: str, value: str, expected: str) -> None:
    opposite = {APPLIES: FAILS, FAILS: APPLIES, UNSURE: UNSURE}[expected]
    assert decide(operator, "aws:SourceArn", constant, {"aws:SourceArn": value}) == opposite


# ------------------------------------------------------------------------------------------------ numbers, dates, booleans, IPs

NUMBERS = [
    ("NumericEquals", "10", "10.0", APPLIES),
    ("NumericEquals", "10.50", "10.5", APPLIES),
    ("NumericEquals", "-1", "-1.0", APPLIES),
    ("NumericEquals", "10", "11", FAILS),
    ("NumericEquals", "10abc", "10", FAILS),
    ("NumericNotEquals", "10abc", "10", UNSURE),
    ("NumericEquals", "10", "ten", FAILS),
    ("NumericNotEquals", "10", "ten", UNSURE),
    ("NumericLessThan", "100", "99.999", APPLIES),
    ("NumericLessThan", "9", "10", FAILS),
    ("NumericGreaterThan", "9007199254740992", "9007199254740993", APPLIES),
    ("NumericGreaterThan", "9007199254740993", "9007199254740992", FAILS),
]


@pytest.mark.parametrize(("operator", "constant", "value", "expected"), NUMBERS)
def test_numbers(operator: str, constant: str, value: str, expected: str) -> None:
    assert decide(operator, "kms:RotationPeriodInDays", constant, {"kms:RotationPeriodInDays": value}) == expected


def test_json_numbers_and_booleans_are_read_as_their_text() -> None:
    assert decide("NumericEquals", "kms:RotationPeriodInDays", 365, {"kms:RotationPeriodInDays": "365"}) == APPLIES
    assert decide("NumericEquals", "kms:RotationPeriodInDays", 364, {"kms:RotationPeriodInDays": "365"}) == FAILS
    assert decide("Bool", "aws:SecureTransport", True, {"aws:SecureTransport": "true"}) == APPLIES
    assert decide("Bool", "aws:SecureTransport", False, {"aws:SecureTransport": "true"}) == FAILS


DATES = [
    ("DateEquals", "2026-01-01", "2026-01-01T00:00:00Z", APPLIES),
    ("DateEquals", "2026-01", "2026-01-01T00:00Z", APPLIES),
    ("DateEquals", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.50Z", APPLIES),
    ("DateEquals", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z", FAILS),
    ("DateEquals", "1767225600", "2026-01-01T00:00:00Z", APPLIES),
    ("DateEquals", "1767225601", "2026-01-01T00:00:00Z", FAILS),
    ("DateLessThan", "2030-01-01T00:00:00Z", "4102444800", FAILS),
    ("DateLessThan", "2030-01-01T00:00:00Z", "1767225600", APPLIES),
    ("DateGreaterThan", "2026-01-01T00:00:00+01:00", "2025-12-31T23:30:00Z", APPLIES),
    ("DateGreaterThan", "2026-01-01T00:00:00-01:00", "2025-12-31T23:30:00Z", FAILS),
    ("DateEquals", "2026-13-01", "2026-01-01T00:00:00Z", FAILS),
    ("DateEquals", "2026-02-29", "2026-03-01T00:00:00Z", FAILS),
    ("DateNotEquals", "soon", "2026-01-01T00:00:00Z", UNSURE),
    ("DateEquals", "soon", "2026-01-01T00:00:00Z", FAILS),
    ("DateEquals", "2026-01-01", "soon", FAILS),
    ("DateNotEquals", "2026-01-01", "soon", UNSURE),
    ("DateGreaterThan", "2020", "2019-06-01T00:00:00Z", UNSURE),
    ("DateGreaterThan", "2020", "2026-06-01T00:00:00Z", APPLIES),
]


@pytest.mark.parametrize(("operator", "constant", "value", "expected"), DATES)
def test_dates(operator: str, constant: str, value: str, expected: str) -> None:
    assert decide(operator, "aws:CurrentTime", constant, {"aws:CurrentTime": value}) == expected


BOOLEANS = [
    ("true", "true", APPLIES),
    ("True", "true", APPLIES),
    ("true", "TRUE", APPLIES),
    ("true", "false", FAILS),
    ("yes", "yes", FAILS),
    ("1", "true", FAILS),
    (["true", "false"], "false", APPLIES),
]


@pytest.mark.parametrize(("constant", "value", "expected"), BOOLEANS)
def test_booleans(constant: Plain, value: str, expected: str) -> None:
    assert decide("Bool", "aws:MultiFactorAuthPresent", constant, {"aws:MultiFactorAuthPresent": value}) == expected


ADDRESSES = [
    ("IpAddress", "10.0.0.0/8", "10.255.255.255", APPLIES),
    ("IpAddress", "10.0.0.0/8", "11.0.0.0", FAILS),
    ("IpAddress", "10.1.2.3/8", "10.9.9.9", APPLIES),
    ("IpAddress", "10.1.2.3", "10.1.2.3", APPLIES),
    ("IpAddress", "10.1.2.3", "10.1.2.4", FAILS),
    ("IpAddress", "0.0.0.0/0", "8.8.8.8", APPLIES),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", FAILS),
    ("IpAddress", "::/0", "8.8.8.8", FAILS),
    ("IpAddress", "::ffff:8.0.0.0/104", "8.8.8.8", UNSURE),
    ("IpAddress", "::ffff:8.0.0.0/104", "9.8.8.8", FAILS),
    ("IpAddress", "::ffff:8.0.0.0/104", "::ffff:8.8.8.8", APPLIES),
    ("IpAddress", "2001:db8::/32", "2001:DB8::1", APPLIES),
    ("IpAddress", "2001:db8::1", "2001:db8:0:0:0:0:0:1", APPLIES),
    ("IpAddress", "2001:db8::1", "2001:db8::2", UNSURE),
    ("IpAddress", "2001:db8::1", "2001:db9::2", FAILS),
    ("IpAddress", "10.0.0.0/8", "::ffff:10.1.1.1", UNSURE),
    ("IpAddress", "10.0.0.0/8", "::ffff:11.1.1.1", FAILS),
    ("IpAddress", "10.0.0.0/33", "10.0.0.0", FAILS),
    ("IpAddress", "10.0.0", "10.0.0.0", FAILS),
    ("IpAddress", "10.0.0.0/8", "here", FAILS),
    ("NotIpAddress", "10.0.0.0/8", "11.0.0.0", APPLIES),
    ("NotIpAddress", "10.0.0.0/8", "10.0.0.0", FAILS),
    ("NotIpAddress", "10.0.0.0/8", "2001:db8::1", APPLIES),
    ("NotIpAddress", "10.0.0.0/33", "10.0.0.0", UNSURE),
    ("NotIpAddress", "10.0.0.0/8", "here", UNSURE),
    ("NotIpAddress", "2001:db8::1", "2001:db8::2", UNSURE),
]


@pytest.mark.parametrize(("operator", "constant", "value", "expected"), ADDRESSES)
def test_addresses(operator: str, constant: str, value: str, expected: str) -> None:
    assert decide(operator, "aws:SourceIp", constant, {"aws:SourceIp": value}) == expected


def test_an_operator_of_another_family_reads_the_value_as_its_own() -> None:
    assert decide("StringEquals", "aws:SecureTransport", "false", {"aws:SecureTransport": "false"}) == APPLIES
    assert decide("StringLike", "aws:SourceIp", "10.*", {"aws:SourceIp": "10.1.1.1"}) == APPLIES
    assert decide("StringLike", "aws:SourceIp", "10.*", {"aws:SourceIp": "110.1.1.1"}) == FAILS
    assert decide("NumericLessThanEquals", "kms:ValidTo", "1546257599.0", {"kms:ValidTo": "1546257599"}) == APPLIES
    assert decide("NumericLessThanEquals", "kms:ValidTo", "1546257599.0", {"kms:ValidTo": "1546257600"}) == FAILS


# ------------------------------------------------------------------------------------------------------------------- variables

TAG, OTHER = "aws:PrincipalTag/a", "aws:ResourceTag/a"
VARIABLES = [
    # operator, policy value, context, expected
    ("StringEquals", "${aws:PrincipalTag/a}", {TAG: "x", OTHER: "x"}, APPLIES),
    ("StringEquals", "${aws:PrincipalTag/a}", {TAG: "y", OTHER: "x"}, FAILS),
    ("StringEquals", "${AWS:principaltag/A}", {TAG: "x", OTHER: "x"}, APPLIES),
    ("StringEquals", "p-${aws:PrincipalTag/a}-s", {TAG: "x", OTHER: "p-x-s"}, APPLIES),
    ("StringEquals", "${aws:PrincipalTag/a}", {OTHER: "x"}, FAILS),
    ("StringNotEquals", "${aws:PrincipalTag/a}", {OTHER: "x"}, APPLIES),
    ("StringNotEquals", "${aws:PrincipalTag/a}", {TAG: "x", OTHER: "x"}, FAILS),
    ("StringEquals", "${aws:PrincipalTag/a, 'd'}", {OTHER: "d"}, APPLIES),
    ("StringEquals", "${aws:PrincipalTag/a, 'd'}", {TAG: "x", OTHER: "d"}, FAILS),
    ("StringEquals", "${aws:PrincipalTag/a, 'd'}", {TAG: "x", OTHER: "x"}, APPLIES),
    ("StringEquals", "${aws:PrincipalTag/a,'d'}", {OTHER: "d"}, UNSURE),
    ("StringEquals", "${*}", {OTHER: "*"}, APPLIES),
    ("StringEquals", "${$}{x}", {OTHER: "${x}"}, APPLIES),
    ("StringLike", "a${*}", {OTHER: "a*"}, APPLIES),
    ("StringLike", "a${*}", {OTHER: "ab"}, FAILS),
    ("StringLike", "a${?}", {OTHER: "a?"}, APPLIES),
    ("StringLike", "a${?}", {OTHER: "ab"}, FAILS),
    ("StringLike", "${aws:PrincipalTag/a}*", {TAG: "x", OTHER: "xy"}, APPLIES),
    ("StringLike", "${aws:PrincipalTag/a}*", {TAG: "z", OTHER: "xy"}, FAILS),
    ("StringLike", "${aws:PrincipalTag/a}", {TAG: "x*", OTHER: "xy"}, UNSURE),
    ("StringLike", "${aws:PrincipalTag/a}", {TAG: "x*", OTHER: "x*"}, APPLIES),
    ("StringEquals", "${aws:PrincipalTag/a}", {TAG: "x*", OTHER: "xy"}, FAILS),
    ("StringEquals", "${}", {OTHER: "x"}, UNSURE),
    ("StringEquals", "${aws:PrincipalTag/a", {OTHER: "x"}, UNSURE),
    ("StringEqualsIgnoreCase", "${aws:PrincipalTag/a}", {TAG: "X", OTHER: "x"}, APPLIES),
    ("StringEquals", "$", {OTHER: "$"}, APPLIES),
    ("StringEquals", "$x{y}", {OTHER: "$x{y}"}, APPLIES),
]


@pytest.mark.parametrize(("operator", "constant", "context", "expected"), VARIABLES)
def test_variables(operator: str, constant: str, context: dict[str, str], expected: str) -> None:
    assert decide(operator, OTHER, constant, context) == expected


@pytest.mark.parametrize("version", ["2008-10-17", ""])
def test_variables_are_plain_text_in_old_documents(version: str) -> None:
    statement = {
        "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*",
        "Condition": {"StringEquals": {OTHER: "${aws:PrincipalTag/a}"}},
    }  # fmt: skip
    document = {"Statement": [statement]} | ({"Version": version} if version else {})
    for value, expected in (("x", FAILS), ("${aws:PrincipalTag/a}", APPLIES)):
        request = request_of({"principal": BOB, "action": "kms:Decrypt", "context": {TAG: "x", OTHER: value}})
        assert evaluate((policy_of(document),), request).decision == expected


def test_wildcards_work_in_old_documents() -> None:
    assert decide("StringLike", OTHER, "a*", {OTHER: "ab"}, version="2008-10-17") == APPLIES
    assert decide("StringLike", OTHER, "a${*}", {OTHER: "a${xyz}"}, version="2008-10-17") == APPLIES


def test_a_variable_in_an_arn_does_not_split_it() -> None:
    arn, account = "aws:PrincipalArn", "aws:PrincipalAccount"
    constant = "arn:aws:iam::${aws:PrincipalAccount}:user/*"
    assert decide("ArnLike", arn, constant, {arn: BOB, account: "111122223333"}) == APPLIES
    assert decide("ArnLike", arn, constant, {arn: BOB, account: "444455556666"}) == FAILS


def test_variables_in_numeric_date_and_address_operators_are_not_replaced() -> None:
    assert (
        decide("NumericEquals", "aws:MultiFactorAuthAge", "${aws:PrincipalTag/a}", {TAG: "5", "aws:MultiFactorAuthAge": "5"})
        == FAILS
    )
    assert decide("IpAddress", "aws:SourceIp", "${aws:PrincipalTag/a}", {TAG: "10.0.0.1", "aws:SourceIp": "10.0.0.1"}) == FAILS


def test_a_variable_in_bool_is_not_settled() -> None:
    key = "aws:MultiFactorAuthPresent"
    assert decide("Bool", key, "${aws:PrincipalTag/a}", {TAG: "true", key: "true"}) == UNSURE
    assert decide("Bool", key, "${aws:PrincipalTag/a}", {TAG: "true", key: "false"}) == FAILS


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "Null"])
def test_a_key_that_nobody_knows_is_not_settled_where_it_may_hold(operator: str) -> None:
    values = "true" if operator == "Null" else "x"
    assert decide(operator, "kms:NoSuchKey", values, {}) == UNSURE
