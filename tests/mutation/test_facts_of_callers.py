"""Who a principal is, and the corners of the evaluator that no random request meets."""

import pytest

from kmslint.policy.document import Principal
from kmslint.policy.evaluate import evaluate
from kmslint.policy.operators import OPERATORS, lookup, nearest
from kmslint.policy.principals import FEDERATED, OTHER, ROLE, ROOT, SERVICE, USER, account_of, identify, match_entry
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import F, U
from kmslint.reason.answer import Proven, StatementRef, Violated
from kmslint.reason.query import find_allowed, find_not_allowed, is_inert
from kmslint.tree import Symbol, Template, from_python
from tests.oracle.bridge import KEY_ARN, key_of, policy_of, statements_of
from tests.strategies import OWNER, PARTNER

KEY = key_of()
EVERYBODY = statements_of([{"Principal": "*", "Action": "*"}])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("arn:aws:iam::111122223333:root", ROOT), ("arn:aws:sts::111122223333:root", OTHER),
        ("arn:aws:iam::111122223333:user/p/u", USER), ("arn:aws:sts::111122223333:user/u", OTHER),
        ("arn:aws:iam::111122223333:role/p/r", ROLE), ("arn:aws:sts::111122223333:role/r", OTHER),
        ("arn:aws:sts::111122223333:assumed-role/r/s", ROLE), ("arn:aws:iam::111122223333:assumed-role/r/s", OTHER),
        ("arn:aws:sts::111122223333:federated-user/f", FEDERATED), ("arn:aws:iam::111122223333:federated-user/f", OTHER),
        ("arn:aws:sts::111122223333:assumed-role/r", OTHER), ("arn:aws:iam::11112222333:root", OTHER), ("s3.amazonaws.com", SERVICE),
        ("logs.cn-north-1.amazonaws.com.cn", SERVICE), ("s3.example.com", OTHER), ("*", OTHER), ("", OTHER),
    ],
)  # fmt: skip
def test_what_kind_of_principal_a_text_names(text: str, kind: str) -> None:
    assert identify(text).kind == kind


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("111122223333", "111122223333"), ("arn:aws:iam::111122223333:root", "111122223333"), ("11112222333", None),
        ("1111222233334", None), ("11112222333x", None), ("\u0661" * 12, None), ("\u00b2" * 12, None), ("arn:aws:iam::111122223333:user/u", None),
    ],
)  # fmt: skip
def test_what_names_an_account_as_a_whole(text: str, account: str | None) -> None:
    assert account_of(text) == account


def test_the_nearest_operator() -> None:
    assert nearest("StringLikes") == "StringLike"
    assert nearest("ForAnyValue:StringLikes") == "StringLike"
    assert nearest("zzz") is None


@pytest.mark.parametrize("row", OPERATORS.values())
def test_every_operator_is_found_in_each_of_its_forms(row: object) -> None:
    name = row.name  # type: ignore[attr-defined]
    for prefix, quantifier in (("", None), ("ForAllValues:", "all"), ("ForAnyValue:", "any")):
        use = lookup(prefix + name)
        assert use == (row, quantifier, False, True)
        assert lookup((prefix + name).lower()) == (row, quantifier, False, False)
        lenient = lookup(prefix + name + "IfExists")
        assert lenient == (None if name == "Null" else (row, quantifier, True, True))
    assert lookup("ForSome:" + name) is None
    assert lookup(":" + name) is None
    assert lookup(name + "IfExistsIfExists") is None


def policy(principal: object, **more: object) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*", **more}],
    }


def decided(document: dict[str, object], request: Request, *, lean: bool = False) -> str:
    return evaluate((policy_of(document),), request, lean=lean).decision


CALLERS = {
    USER: f"arn:aws:iam::{OWNER}:user/u", ROLE: f"arn:aws:sts::{OWNER}:assumed-role/r/s", ROOT: f"arn:aws:iam::{OWNER}:root",
    FEDERATED: f"arn:aws:sts::{OWNER}:federated-user/f", SERVICE: "s3.amazonaws.com",
}  # fmt: skip


@pytest.mark.parametrize("kind", CALLERS)
def test_a_canonical_user_may_be_any_principal_of_an_account(kind: str) -> None:
    request = Request(CALLERS[kind], "kms:Decrypt", {}, KEY)
    document = policy({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"})
    assert decided(document, request) == ("implicit_deny" if kind == SERVICE else "undetermined")
    assert decided(document, request, lean=True) == "implicit_deny"


@pytest.mark.parametrize("kind", CALLERS)
def test_a_saml_provider_may_be_a_role_session(kind: str) -> None:
    request = Request(CALLERS[kind], "kms:Decrypt", {}, KEY)
    document = policy({"Federated": f"arn:aws:iam::{OWNER}:saml-provider/p"})
    assert decided(document, request) == ("undetermined" if kind == ROLE else "implicit_deny")
    assert decided(policy({"Federated": "cognito-identity.amazonaws.com"}), request) == "implicit_deny"


@pytest.mark.parametrize(
    ("unique", "kinds"),
    [("AIDACKCEVSQ6C2EXAMPLE", (USER, FEDERATED)), ("AROADBQP57FF2AEXAMPLE", (ROLE,)), ("AGPACKCEVSQ6C2EXAMPLE", ())],
)
@pytest.mark.parametrize("caller", CALLERS)
def test_a_unique_id_may_be_a_principal_of_its_kind(unique: str, kinds: tuple[str, ...], caller: str) -> None:
    request = Request(CALLERS[caller], "kms:Decrypt", {}, KEY)
    assert decided(policy({"AWS": unique}), request) == ("undetermined" if caller in kinds else "implicit_deny")


@pytest.mark.parametrize(
    ("resource", "key", "decision"),
    [
        (KEY_ARN, KEY, "allow"), (KEY_ARN.replace("1234abcd", "*"), KEY, "allow"), (KEY_ARN + "x", KEY, "implicit_deny"),
        (f"arn:aws:kms:*:{OWNER}:key/*", KEY, "allow"), ("arn:aws:kms:*", KEY, "allow"), ("arn:aws:k*s:*", KEY, "implicit_deny"),
        (f"arn:aws:kms:*:{PARTNER}:key/*", KEY, "implicit_deny"), (f"arn:aws:kms:*:{PARTNER}:key/*", KEY._replace(account=PARTNER), "allow"),
        ("arn:aws:kms:us-east-1:111122223333:key/x", KeyContext(), "allow"), ("arn:aws:kms:eu-west-1:*:key/*", KEY._replace(key_id=None), "implicit_deny"),
        ("arn:aws:kms:eu-west-1:*:key/*", KEY._replace(key_id=None, region="eu-west-1"), "allow"), ("arn:aws:kms:*:*:key/k", KEY._replace(key_id="k", account=None), "allow"),
        ("arn:aws:kms:*:444455556666:key/*", KEY._replace(account=PARTNER, region=None), "allow"), ("arn:aws:kms:us-east-1:*:key/x?", KEY._replace(key_id="xy"), "allow"),
        ("arn:aws:kms:us-east-1:*:alias/a", KEY, "implicit_deny"), ("*alias/*", KEY, "implicit_deny"),
    ],
)  # fmt: skip
def test_a_resource_that_names_the_key_is_unsettled_and_leans_to_what_it_says(
    resource: str, key: KeyContext, decision: str
) -> None:
    request = Request(f"arn:aws:iam::{OWNER}:root", "kms:Decrypt", {}, key)
    assert decided(policy("*", Resource=resource), request, lean=True) == decision
    assert decided(policy("*", Resource=resource), request) == ("implicit_deny" if ":alias/" in resource else "undetermined")


@pytest.mark.parametrize(
    ("operator", "value", "decision"),
    [
        ("StringLike", "*", "undetermined"), ("StringLike", "arn:aws:iam::111122223333:*", "implicit_deny"), ("StringLike", "AROA123456789012*", "undetermined"),
        ("StringLike", "AROA123456789012:*", "implicit_deny"), ("StringLike", "AROA12345678901:*", "undetermined"), ("StringLike", "AIDA123456789012:*", "implicit_deny"),
        ("StringLike", "AXXX123456789012:*", "undetermined"), ("StringLike", "a", "implicit_deny"), ("StringEquals", "*", "implicit_deny"),
        ("StringEquals", "${aws:ResourceAccount}", "implicit_deny"), ("StringEquals", "${aws:username}", "undetermined"), ("StringLike", "111122223333:*", "undetermined"),
        ("StringLike", "x:11112222333:*", "undetermined"), ("StringLike", "x:111122223333", "implicit_deny"), ("StringLike", "?:111122223333:x", "implicit_deny"),
    ],
)  # fmt: skip
def test_a_service_never_carries_a_customers_identity(operator: str, value: str, decision: str) -> None:
    request = Request("s3.amazonaws.com", "kms:Decrypt", {}, KEY)
    assert decided(policy("*", Condition={operator: {"aws:userid": value}}), request) == decision


def test_a_delegated_allow_counts_as_none_when_direct_ones_are_asked_for() -> None:
    delegating = (policy_of(policy({"AWS": f"arn:aws:iam::{OWNER}:root"})),)
    asked = statements_of([{"Principal": {"AWS": f"arn:aws:iam::{OWNER}:user/u"}, "Action": "kms:Decrypt"}])
    assert isinstance(find_not_allowed(delegating, asked, KEY), Proven)
    assert isinstance(find_not_allowed(delegating, asked, KEY, grant="direct"), Violated)
    assert isinstance(find_allowed(delegating, asked, KEY, grant="any"), Violated)
    assert isinstance(find_allowed(delegating, asked, KEY, grant="delegated"), Violated)
    assert isinstance(find_allowed(delegating, asked, KEY, grant="direct"), Proven)
    assert isinstance(find_allowed(delegating, asked, KEY), Proven)
    direct = (policy_of(policy({"AWS": f"arn:aws:iam::{OWNER}:user/u"})),)
    assert isinstance(find_not_allowed(direct, asked, KEY, grant="direct"), Proven)
    assert isinstance(find_allowed(direct, asked, KEY), Violated)
    assert isinstance(find_allowed(direct, asked, KEY, grant="delegated"), Proven)
    both = (*delegating, *direct)
    assert isinstance(is_inert(both, StatementRef(0, 0), KEY), Violated)
    assert isinstance(is_inert(both, StatementRef(1, 0), KEY), Violated)
    assert isinstance(is_inert(both, StatementRef(2, 0), KEY), Proven)
    assert isinstance(is_inert((*direct, *direct), StatementRef(0, 0), KEY), Proven)


def joined(first: str, second: str) -> dict[str, object]:
    """Allows what equals `first` and denies all that does not equal `second`."""
    statements = [
        {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": {"kms:EncryptionContext:c": first}}},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": {"StringNotEquals": {"kms:EncryptionContext:c": second}}},
    ]  # fmt: skip
    return {"Version": "2012-10-17", "Statement": statements}


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ("p${aws:PrincipalTag/t}", "${aws:PrincipalTag/t}p", "p"), ("p${aws:PrincipalTag/t}", "pq", "q"), ("${aws:PrincipalTag/t}", "pq", "pq"),
        ("${aws:PrincipalTag/t}${aws:PrincipalTag/t}", "aa", "a"), ("${aws:PrincipalTag/t}", "${aws:PrincipalTag/t}", "x"),
        ("${aws:PrincipalTag/t, 'd'}", "d", "d"),
    ],
)  # fmt: skip
def test_no_proof_where_a_value_of_the_variable_serves(first: str, second: str, value: str) -> None:
    """The twin of each shows that the pair of texts is not allowed because of something else."""
    policies = (policy_of(joined(first, second)),)
    context = {
        "aws:principaltag/t": value,
        "kms:encryptioncontext:c": first.replace("${aws:PrincipalTag/t, 'd'}", value).replace("${aws:PrincipalTag/t}", value),
    }
    request = Request(f"arn:aws:iam::{OWNER}:user/u", "kms:Decrypt", context, KEY)
    assert evaluate(policies, request).must
    asked = statements_of([{"Principal": "*", "Action": "kms:Decrypt"}])
    assert not isinstance(find_allowed(policies, asked, KEY, grant="any"), Proven)


@pytest.mark.parametrize(("first", "second"), [("p${aws:PrincipalTag/t}", "qr"), ("${aws:PrincipalTag/t}", ""), ("a", "b")])
def test_a_proof_where_no_value_of_the_variable_serves(first: str, second: str) -> None:
    policies = (policy_of(joined(first, second)),)
    asked = statements_of([{"Principal": "*", "Action": "kms:Decrypt"}])
    found = find_allowed(policies, asked, KEY, grant="any")
    assert not isinstance(found, Violated)


def held(
    operator: str, key: str, value: str, name: str, context: object, *, lean: bool = False, version: str = "2012-10-17"
) -> str:
    document = {**policy("*", Condition={operator: {key: value}}), "Version": version}
    request = Request(f"arn:aws:iam::{OWNER}:user/u", "kms:Decrypt", {name: context}, KEY)  # type: ignore[dict-item]
    return decided(document, request, lean=lean)


def test_corners_of_one_condition() -> None:
    assert held("DateEquals", "aws:CurrentTime", "2026", "aws:currenttime", "2026-01-01T00:00:00Z", lean=True) == "allow"
    assert held("DateEquals", "aws:CurrentTime", "2026", "aws:currenttime", "2026-01-01T00:00:00Z") == "undetermined"
    assert held("IpAddress", "aws:SourceIp", "::ffff:1.2.3.0/120", "aws:sourceip", "::1.2.3.4") == "implicit_deny"
    assert held("IpAddress", "aws:SourceIp", "::ffff:1.2.3.0/120", "aws:sourceip", "1.2.3.4") == "undetermined"
    assert held("StringEquals", "aws:TagKeys", "a", "aws:tagkeys", frozenset({""})) == "implicit_deny"
    assert held("StringNotEquals", "aws:TagKeys", "a", "aws:tagkeys", frozenset({""})) == "allow"
    old = Request("s3.amazonaws.com", "kms:Decrypt", {}, KEY)
    literal = {**policy("*", Condition={"StringEquals": {"aws:userid": "${aws:username}"}}), "Version": "2008-10-17"}
    assert decided(literal, old) == "implicit_deny"


@pytest.mark.parametrize(
    ("head", "matching"),
    [
        (f"arn:aws:iam::{OWNER}:user/", {USER, FEDERATED}), (f"arn:aws:iam::{OWNER}:role/", {ROLE}),
        (f"arn:aws:sts::{OWNER}:assumed-role/", {ROLE}), (f"arn:aws:sts::{OWNER}:federated-user/", {FEDERATED}),
        (f"arn:aws:iam::{OWNER}:", {USER, ROLE, ROOT, FEDERATED}), (f"arn:aws:iam::{PARTNER}:user/", set()),
        ("arn:aws:iam::", {USER, ROLE, ROOT, FEDERATED, SERVICE}), ("", {USER, ROLE, ROOT, FEDERATED, SERVICE}),
    ],
)  # fmt: skip
def test_a_hole_leaves_open_only_what_stands_after_it(head: str, matching: set[str]) -> None:
    entry = Principal("AWS", Template((head, Symbol("x")) if head else (Symbol("x"),)), from_python(None))
    for kind, caller in CALLERS.items():
        request = Request(caller, "kms:Decrypt", {}, KEY)
        assert match_entry(entry, request, lean=False).truth == (U if kind in matching else F), kind
