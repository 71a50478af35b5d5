"""Who, what and which key a statement means, and how statements decide together."""

import pytest

from kmslint.policy.evaluate import evaluate
from tests.oracle.bridge import ACCOUNT, KEY_ARN, key_of, policy_of, request_of
from tests.oracle.evaluator import Plain

PARTNER = "444455556666"
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
DEV = f"arn:aws:iam::{ACCOUNT}:role/path/Dev"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/sess"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/fred"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
PARTNER_BOB = f"arn:aws:iam::{PARTNER}:user/bob"
PARTNER_ROOT = f"arn:aws:iam::{PARTNER}:root"
S3 = "s3.amazonaws.com"

DIRECT, DELEGATED = ("allow", "direct"), ("allow", "delegated")
NO, EXPLICIT, UNSURE = ("implicit_deny", None), ("explicit_deny", None), ("undetermined", None)


def allow(**elements: Plain) -> dict[str, Plain]:
    return {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"} | elements


def deny(**elements: Plain) -> dict[str, Plain]:
    return allow(**elements) | {"Effect": "Deny"}


def without(statement: dict[str, Plain], *names: str) -> dict[str, Plain]:
    return {name: value for name, value in statement.items() if name not in names}


def decide(  # the whole decision, as (decision, grant)
    *statements: dict[str, Plain],
    principal: str | None = BOB,
    action: str = "kms:Decrypt",
    context: dict[str, Plain] | None = None,
    lean: bool = False,
    parent: str | None = None,
    key_arn: str = KEY_ARN,
) -> tuple[str, str | None]:
    request = request_of(
        {"principal": principal, "action": action, "context": context or {}, "parent": parent, "keyArn": key_arn}
    )
    found = evaluate((policy_of({"Version": "2012-10-17", "Statement": list(statements)}),), request, lean=lean)
    return found.decision, (found.grant if found.decision == "allow" else None)


# ---------------------------------------------------------------------------------------------- principals, row by row of §4

PRINCIPALS = [
    # element, caller, answer
    ("*", BOB, DIRECT),
    ("*", PARTNER_BOB, DIRECT),
    ("*", S3, DIRECT),
    ({"AWS": "*"}, BOB, DIRECT),
    ({"AWS": "*"}, PARTNER_ROOT, DIRECT),
    ({"AWS": "*"}, S3, DIRECT),
    ({"AWS": [PARTNER_BOB, "*"]}, SESSION, DIRECT),
    ({"AWS": ACCOUNT}, BOB, DELEGATED),
    ({"AWS": ACCOUNT}, SESSION, DELEGATED),
    ({"AWS": ACCOUNT}, FEDERATED, DELEGATED),
    ({"AWS": ACCOUNT}, ROOT, DIRECT),
    ({"AWS": ACCOUNT}, PARTNER_BOB, NO),
    ({"AWS": ACCOUNT}, S3, NO),
    ({"AWS": ROOT}, BOB, DELEGATED),
    ({"AWS": ROOT}, ROOT, DIRECT),
    ({"AWS": ROOT}, PARTNER_ROOT, NO),
    ({"AWS": PARTNER}, PARTNER_BOB, DELEGATED),
    ({"AWS": PARTNER_ROOT}, PARTNER_ROOT, DIRECT),
    ({"AWS": BOB}, BOB, DIRECT),
    ({"AWS": BOB}, f"arn:aws:iam::{ACCOUNT}:user/Bob", NO),
    ({"AWS": BOB}, f"arn:aws:iam::{ACCOUNT}:user/team/bob", NO),
    ({"AWS": BOB}, PARTNER_BOB, NO),
    ({"AWS": BOB}, ROOT, NO),
    ({"AWS": BOB}, f"arn:aws:iam::{ACCOUNT}:role/bob", NO),
    ({"AWS": DEV}, SESSION, DIRECT),
    ({"AWS": DEV}, DEV, DIRECT),
    ({"AWS": DEV}, f"arn:aws:iam::{ACCOUNT}:role/other/Dev", NO),
    ({"AWS": DEV}, f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/sess", NO),
    ({"AWS": DEV}, f"arn:aws:sts::{PARTNER}:assumed-role/Dev/sess", NO),
    ({"AWS": SESSION}, SESSION, DIRECT),
    ({"AWS": SESSION}, f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/other", NO),
    ({"AWS": SESSION}, f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/sess", NO),
    ({"AWS": FEDERATED}, FEDERATED, DIRECT),
    ({"AWS": FEDERATED}, f"arn:aws:sts::{ACCOUNT}:federated-user/other", NO),
    ({"AWS": FEDERATED}, f"arn:aws:iam::{ACCOUNT}:user/fred", NO),
    ({"Service": S3}, S3, DIRECT),
    ({"Service": S3}, "sns.amazonaws.com", NO),
    ({"Service": S3}, BOB, NO),
    ({"Service": ["sns.amazonaws.com", S3]}, S3, DIRECT),
    ({"Service": "logs.us-east-1.amazonaws.com"}, "logs.us-east-1.amazonaws.com", DIRECT),
    ({"Service": "logs.us-east-1.amazonaws.com"}, "logs.eu-west-1.amazonaws.com", NO),
    ({"Service": "logs.amazonaws.com"}, "logs.us-east-1.amazonaws.com", UNSURE),
    ({"Service": "*"}, S3, NO),
    ({"Service": "*.amazonaws.com"}, S3, NO),
    ({"Federated": "*"}, BOB, NO),
    ({"Federated": "accounts.google.com"}, SESSION, NO),
    ({"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"}, SESSION, NO),
    ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}, SESSION, NO),
    ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/*"}, BOB, NO),
    ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/bo?"}, BOB, NO),
    ({"AWS": "arn:aws:iam::*:root"}, BOB, NO),
    ({"AWS": f"arn:aws:iam::{ACCOUNT}:group/admins"}, BOB, NO),
    ({"AWS": f"arn:aws-cn:iam::{ACCOUNT}:user/bob"}, BOB, NO),
    ({"AWS": f"arn:aws-us-gov:iam::{ACCOUNT}:root"}, BOB, NO),
    ({"AWS": "AIDAEXAMPLEEXAMPLE123"}, BOB, UNSURE),
    ({"AWS": "AROAEXAMPLEEXAMPLE123"}, SESSION, UNSURE),
    ({"AWS": PARTNER, "Service": S3}, S3, DIRECT),
    ({"AWS": PARTNER, "Service": S3}, PARTNER_BOB, DELEGATED),
    ({"AWS": PARTNER, "Service": S3}, BOB, NO),
    ({"AWS": [ROOT, BOB]}, BOB, DIRECT),
    ({"AWS": [BOB, ROOT]}, BOB, DIRECT),
    ({"AWS": [ROOT, "*"]}, BOB, DIRECT),
    ({"AWS": []}, BOB, NO),
    ({}, BOB, NO),
]


@pytest.mark.parametrize(("element", "caller", "expected"), PRINCIPALS)
def test_principals(element: Plain, caller: str, expected: tuple[str, str | None]) -> None:
    assert decide(allow(Principal=element), principal=caller) == expected


def test_a_user_matches_its_federated_sessions_only() -> None:
    session = f"arn:aws:sts::{ACCOUNT}:federated-user/laptop"
    assert decide(allow(Principal={"AWS": BOB}), principal=session, parent=BOB) == DIRECT
    assert decide(allow(Principal={"AWS": BOB}), principal=session, parent=f"arn:aws:iam::{ACCOUNT}:user/eve") == NO


def test_the_names_of_a_service_count_all() -> None:
    names = {"aws:PrincipalServiceNamesList": ["logs.us-east-1.amazonaws.com", "logs.amazonaws.com"]}
    caller = "logs.us-east-1.amazonaws.com"
    assert decide(allow(Principal={"Service": "logs.amazonaws.com"}), principal=caller, context=names) == DIRECT
    assert decide(allow(Principal={"Service": "sns.amazonaws.com"}), principal=caller, context=names) == NO


def test_the_path_of_a_role_counts_where_it_is_known() -> None:
    statement = allow(Principal={"AWS": DEV})
    assert decide(statement, principal=SESSION, context={"aws:PrincipalArn": DEV}) == DIRECT


def test_the_anonymous_caller_matches_the_star_alone() -> None:
    assert decide(allow(), principal=None) == DIRECT
    assert decide(allow(Principal={"AWS": ROOT}), principal=None) == NO


def test_an_account_in_a_deny_denies_every_principal_of_it() -> None:
    for caller in (BOB, SESSION, FEDERATED, ROOT):
        assert decide(allow(), deny(Principal={"AWS": ACCOUNT}), principal=caller) == EXPLICIT
    assert decide(allow(), deny(Principal={"AWS": ACCOUNT}), principal=PARTNER_BOB) == DIRECT
    assert decide(allow(), deny(Principal={"AWS": ACCOUNT}), principal=S3) == DIRECT


NOT_PRINCIPAL_DENY = [
    # listed, caller, answer, lean
    ({"AWS": BOB}, BOB, UNSURE, DIRECT),
    ({"AWS": BOB}, PARTNER_BOB, EXPLICIT, EXPLICIT),
    ({"AWS": [BOB, ROOT]}, BOB, DIRECT, DIRECT),
    ({"AWS": [BOB, ROOT]}, ROOT, DIRECT, DIRECT),
    ({"AWS": [BOB, ROOT]}, f"arn:aws:iam::{ACCOUNT}:user/eve", UNSURE, EXPLICIT),
    ({"AWS": [BOB, ROOT]}, PARTNER_BOB, EXPLICIT, EXPLICIT),
    ({"AWS": ROOT}, ROOT, DIRECT, DIRECT),
    ({"AWS": ROOT}, BOB, UNSURE, EXPLICIT),
    ({"AWS": ROOT}, PARTNER_ROOT, EXPLICIT, EXPLICIT),
    ({"AWS": [DEV, ROOT]}, SESSION, DIRECT, DIRECT),
    ({"AWS": DEV}, SESSION, UNSURE, DIRECT),
    ({"AWS": [SESSION, DEV, ROOT]}, SESSION, DIRECT, DIRECT),
    ({"AWS": [SESSION, ROOT]}, SESSION, UNSURE, DIRECT),
    ({"AWS": [SESSION, ROOT]}, f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/other", UNSURE, EXPLICIT),
    ({"AWS": [FEDERATED, ROOT]}, FEDERATED, DIRECT, DIRECT),
    ({"Service": S3}, S3, DIRECT, DIRECT),
    ({"Service": S3}, "sns.amazonaws.com", EXPLICIT, EXPLICIT),
    ({"Service": S3}, BOB, EXPLICIT, EXPLICIT),
    ({"AWS": "*"}, BOB, DIRECT, DIRECT),
]


@pytest.mark.parametrize(("listed", "caller", "expected", "lean"), NOT_PRINCIPAL_DENY)
def test_deny_with_not_principal(
    listed: Plain, caller: str, expected: tuple[str, str | None], lean: tuple[str, str | None]
) -> None:
    statement = without(deny(NotPrincipal=listed), "Principal")
    assert decide(allow(), statement, principal=caller) == expected
    assert decide(allow(), statement, principal=caller, lean=True) == lean


NOT_PRINCIPAL_ALLOW = [
    ({"AWS": BOB}, BOB, NO),
    ({"AWS": BOB}, f"arn:aws:iam::{ACCOUNT}:user/eve", DIRECT),
    ({"AWS": BOB}, PARTNER_BOB, DIRECT),
    ({"AWS": BOB}, S3, DIRECT),
    ({"AWS": ROOT}, ROOT, NO),
    ({"AWS": ROOT}, BOB, UNSURE),
    ({"AWS": ROOT}, PARTNER_BOB, DIRECT),
    ({"AWS": DEV}, SESSION, NO),
    ({"Service": S3}, S3, NO),
    ({"Service": S3}, BOB, DIRECT),
]


@pytest.mark.parametrize(("listed", "caller", "expected"), NOT_PRINCIPAL_ALLOW)
def test_allow_with_not_principal(listed: Plain, caller: str, expected: tuple[str, str | None]) -> None:
    assert decide(without(allow(NotPrincipal=listed), "Principal"), principal=caller) == expected


# ----------------------------------------------------------------------------------------------------------- actions, resources

ACTIONS = [
    ("kms:Decrypt", "kms:Decrypt", DIRECT),
    ("KMS:decrypt", "kms:Decrypt", DIRECT),
    ("kms:Decrypt", "kms:Encrypt", NO),
    ("kms:*", "kms:Decrypt", DIRECT),
    ("kms:De*", "kms:DescribeKey", DIRECT),
    ("kms:De*", "kms:Encrypt", NO),
    ("kms:*Key", "kms:GenerateDataKey", DIRECT),
    ("kms:*Key", "kms:GenerateDataKeyPair", NO),
    ("kms:Decryp?", "kms:Decrypt", DIRECT),
    ("kms:Decrypt?", "kms:Decrypt", NO),
    ("kms:*crypt", "kms:Encrypt", DIRECT),
    ("kms:ReEncrypt", "kms:ReEncryptFrom", NO),
    ("kms:ReEncrypt*", "kms:ReEncryptFrom", DIRECT),
    ("*", "kms:Decrypt", DIRECT),
    ("s3:*", "kms:Decrypt", NO),
    ("s3:Decrypt", "kms:Decrypt", NO),
    ("Decrypt", "kms:Decrypt", NO),
    (" kms:Decrypt", "kms:Decrypt", NO),
    ("kms: Decrypt", "kms:Decrypt", NO),
    ("kms:Decrypt\n", "kms:Decrypt", NO),
    ("k*:Decrypt", "kms:Decrypt", UNSURE),
    ("*:Decrypt", "kms:Decrypt", UNSURE),
    ("*:*", "kms:Decrypt", UNSURE),
    ("k*:Encrypt", "kms:Decrypt", NO),
    (["kms:Encrypt", "kms:Decrypt"], "kms:Decrypt", DIRECT),
    ([], "kms:Decrypt", NO),
    ("kms:De(crypt)", "kms:Decrypt", NO),
    ("kms:.*", "kms:Decrypt", NO),
]


@pytest.mark.parametrize(("entry", "action", "expected"), ACTIONS)
def test_actions(entry: Plain, action: str, expected: tuple[str, str | None]) -> None:
    assert decide(allow(Action=entry), action=action) == expected


NOT_ACTIONS = [
    ("kms:Encrypt", DIRECT),
    ("kms:DECRYPT", NO),
    ("kms:De*", NO),
    ("s3:*", DIRECT),
    ("*", NO),
    (["kms:Encrypt", "kms:Decrypt"], NO),
    ("*:Decrypt", UNSURE),
]


@pytest.mark.parametrize(("entry", "expected"), NOT_ACTIONS)
def test_not_action_is_the_complement(entry: Plain, expected: tuple[str, str | None]) -> None:
    assert decide(without(allow(NotAction=entry), "Action")) == expected


RESOURCES = [
    # Resource, answer, lean
    ("*", DIRECT, DIRECT),
    (["*"], DIRECT, DIRECT),
    (KEY_ARN, UNSURE, DIRECT),
    ([KEY_ARN, "*"], DIRECT, DIRECT),
    (KEY_ARN.replace("1234abcd", "ffffffff"), UNSURE, NO),
    ("arn:aws:kms:*:111122223333:key/*", UNSURE, DIRECT),
    ("arn:aws:kms:*", UNSURE, DIRECT),
    ("arn:aws:kms:us-east-1:111122223333:alias/a", NO, NO),
    ([], NO, NO),
]


@pytest.mark.parametrize(("element", "expected", "lean"), RESOURCES)
def test_resources(element: Plain, expected: tuple[str, str | None], lean: tuple[str, str | None]) -> None:
    assert decide(allow(Resource=element)) == expected
    assert decide(allow(Resource=element), lean=True) == lean


def test_not_resource_alone_is_not_settled_and_leans_to_no() -> None:
    statement = without(allow(NotResource="arn:aws:kms:us-east-1:111122223333:alias/a"), "Resource")
    assert decide(statement) == UNSURE
    assert decide(statement, lean=True) == NO
    assert decide(without(allow(NotResource="*"), "Resource")) == NO


@pytest.mark.parametrize("missing", ["Action", "Resource", "Principal"])
def test_a_statement_that_lacks_an_element_has_no_effect(missing: str) -> None:
    assert decide(without(allow(), missing)) == NO
    assert decide(allow(), without(deny(), missing)) == DIRECT
    assert decide(allow(), deny()) == EXPLICIT


def test_an_unfinished_resource_on_a_key_whose_arn_is_not_known_is_not_settled() -> None:
    request = request_of({"principal": BOB, "action": "kms:Decrypt", "context": {}})._replace(key=key_of()._replace(key_id=None))
    policy = policy_of({"Version": "2012-10-17", "Statement": [allow(Resource="arn:aws:kms:us-east-1:111122223333:key/*")]})
    assert evaluate((policy,), request).decision == "undetermined"


# --------------------------------------------------------------------------------------------------------------------- decision


def test_nothing_is_allowed_unless_a_statement_allows() -> None:
    assert decide(deny(Action="kms:Encrypt")) == NO
    assert decide(allow(Action="kms:Encrypt")) == NO
    assert decide(allow(Action="kms:Decrypt")) == DIRECT


def test_a_deny_wins_wherever_it_stands() -> None:
    assert decide(allow(), deny()) == EXPLICIT
    assert decide(deny(), allow()) == EXPLICIT
    assert decide(allow(), deny(Condition={"StringEquals": {"kms:ViaService": "x"}})) == DIRECT


def test_a_deny_without_any_allow_is_explicit() -> None:
    assert decide(deny()) == EXPLICIT


def test_an_unsettled_deny_leaves_the_request_undetermined_and_an_unsettled_allow_beside_a_plain_one_does_not() -> None:
    assert decide(allow(), deny(Action="*:Decrypt")) == UNSURE
    assert decide(allow(), allow(Action="*:Decrypt")) == DIRECT
    assert decide(allow(Action="*:Decrypt"), deny()) == EXPLICIT


def test_the_stronger_grant_is_named() -> None:
    assert decide(allow(Principal={"AWS": ROOT})) == DELEGATED
    assert decide(allow(Principal={"AWS": ROOT}), allow(Principal={"AWS": BOB})) == DIRECT
    assert decide(allow(Principal={"AWS": BOB}), allow(Principal={"AWS": ROOT})) == DIRECT


def test_matched_statements_are_those_that_decide() -> None:
    policy = policy_of({"Version": "2012-10-17", "Statement": [allow(Action="kms:Encrypt"), allow(), deny(Action="kms:Sign")]})
    ask = {"principal": BOB, "context": {}}
    assert evaluate((policy,), request_of({**ask, "action": "kms:Decrypt"})).matched == ((0, 1),)
    assert evaluate((policy,), request_of({**ask, "action": "kms:Sign"})).matched == ((0, 2),)


def test_the_two_policies_of_a_key_are_one() -> None:
    default = policy_of({"Version": "2012-10-17", "Statement": [deny(Action="kms:Sign")]})
    shared = policy_of({"Version": "2012-10-17", "Statement": [allow(Principal={"AWS": PARTNER})]})
    ask = {"principal": PARTNER_BOB, "context": {}}
    found = evaluate((default, shared), request_of({**ask, "action": "kms:Decrypt"}))
    assert (found.decision, found.grant, found.matched) == ("allow", "delegated", ((1, 0),))
    found = evaluate((default, shared), request_of({**ask, "action": "kms:Sign"}))
    assert (found.decision, found.matched) == ("explicit_deny", ((0, 0),))
    assert evaluate((default,), request_of({**ask, "action": "kms:Decrypt"})).decision == "implicit_deny"


def test_each_policy_keeps_its_own_version() -> None:
    block = {"StringEquals": {"aws:PrincipalTag/a": "${aws:PrincipalTag/b}"}}
    new = policy_of({"Version": "2012-10-17", "Statement": [allow(Condition=block)]})
    old = policy_of({"Version": "2008-10-17", "Statement": [allow(Condition=block)]})
    request = request_of(
        {"principal": BOB, "action": "kms:Decrypt", "context": {"aws:PrincipalTag/a": "x", "aws:PrincipalTag/b": "x"}}
    )
    assert evaluate((new,), request).decision == "allow"
    assert evaluate((old,), request).decision == "implicit_deny"
    assert evaluate((old, new), request).matched == ((1, 0),)


def test_no_policy_allows_nothing() -> None:
    assert evaluate((), request_of({"principal": BOB, "action": "kms:Decrypt", "context": {}})).decision == "implicit_deny"


def test_conditions_are_all_needed() -> None:
    block = {"StringEquals": {"kms:ViaService": "x", "kms:CallerAccount": ACCOUNT}, "Bool": {"aws:SecureTransport": "true"}}
    whole = {"kms:ViaService": "x", "kms:CallerAccount": ACCOUNT, "aws:SecureTransport": "true"}
    assert decide(allow(Condition=block), context=whole) == DIRECT
    for key in whole:
        assert decide(allow(Condition=block), context={k: v for k, v in whole.items() if k != key}) == NO
    assert decide(allow(Condition={})) == DIRECT


def test_a_statement_that_violates_the_grammar_is_unknown_in_either_effect() -> None:
    broken = allow(Surprise="x")
    assert decide(broken) == UNSURE
    assert decide(allow(), broken | {"Effect": "Deny"}) == UNSURE
    assert decide(allow(), broken) == DIRECT


@pytest.mark.parametrize("key", sorted({"aws:PrincipalArn", "aws:PrincipalAccount", "kms:CallerAccount", "aws:userid"}))
def test_what_a_service_principal_sends_as_its_account_is_no_customers(key: str) -> None:
    customer = BOB if key == "aws:PrincipalArn" else ACCOUNT
    assert decide(allow(Condition={"StringEquals": {key: customer}}), principal=S3) == NO
    assert decide(allow(Condition={"StringNotEquals": {key: customer}}), principal=S3) == DIRECT
    assert decide(allow(Condition={"StringEqualsIfExists": {key: customer}}), principal=S3) == UNSURE
    assert decide(allow(Condition={"Null": {key: "true"}}), principal=S3) == UNSURE


def test_a_kind_of_document_that_is_no_policy_at_all_does_not_break_the_evaluator() -> None:
    for document in ({}, {"Statement": []}, {"Statement": "x"}, {"Statement": [1, None]}, {"Statement": {"Effect": 1}}):
        found = evaluate((policy_of(document),), request_of({"principal": BOB, "action": "kms:Decrypt", "context": {}}))
        assert found.decision in {"implicit_deny", "undetermined"}
