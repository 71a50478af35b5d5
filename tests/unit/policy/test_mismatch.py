"""Why a statement does not apply: the sentence for each element, the first that fails, and silence where none surely does."""

import random
from typing import Any

import pytest
from hypothesis import given

from kmslint.policy.document import Condition, Item, Policy, Principal, Statement
from kmslint.policy.evaluate import applies
from kmslint.policy.mismatch import mismatch
from kmslint.policy.request import ContextValue, KeyContext, Request
from kmslint.policy.truth import F, U
from kmslint.tree import Symbol, Template, Value, from_python
from tests import strategies
from tests.oracle.bridge import policy_of, request_of
from tests.oracle.world import atoms_of, random_request

NODE = from_python(None)
OWNER, PARTNER = "111122223333", "444455556666"
KEY = KeyContext(OWNER, "us-east-1", key_id="1234abcd-12ab-34cd-56ef-1234567890ab")
BOB, EVE = f"arn:aws:iam::{OWNER}:user/bob", f"arn:aws:iam::{OWNER}:user/eve"
HOLE = Template((Symbol("var.x"),))
NO_EFFECT = "it lacks an element and has no effect"


def items(*values: Value) -> tuple[Item, ...]:
    return tuple(Item(value, NODE) for value in values)


def when(operator: str, key: str, *values: Value) -> Condition:
    return Condition(operator, key, items(*values), NODE, NODE)


def statement(*conditions: Condition, **changes: object) -> Statement:
    whole = Statement(0, None, "Allow", (Principal("AWS", BOB, NODE),), items("kms:Decrypt"), items("*"), conditions, NODE)
    return whole._replace(**changes)  # type: ignore[arg-type]


def why(one: Statement, context: dict[str, ContextValue] | None = None, version: str | None = "2012-10-17", **changes: object) -> str | None:  # fmt: skip
    request = Request(BOB, "kms:Decrypt", context or {}, KEY)._replace(**changes)  # type: ignore[arg-type]
    policy = Policy(version, (one,))
    found = mismatch(one, policy, request)
    assert (found is None) == (applies(one, policy, request).truth != F)
    return found


def test_a_statement_that_applies_has_no_reason() -> None:
    assert why(statement()) is None
    assert why(statement(not_principal=True), principal=EVE) is None
    assert why(statement(not_action=True), action="kms:Encrypt") is None
    assert why(statement(resources=items("arn:aws:kms:us-east-1:444455556666:key/x"), not_resource=True)) is None


@pytest.mark.parametrize(
    "changes",
    [{"actions": None}, {"resources": None}, {"principals": None}, {"principals": ()}, {"actions": None, "resources": None}],
)
def test_an_element_that_is_not_written(changes: dict[str, None]) -> None:
    assert why(statement(**changes)) == NO_EFFECT


@pytest.mark.parametrize(
    ("changes", "asked", "sentence"),
    [
        ({}, {"principal": EVE}, "its Principal does not match"),
        ({"not_principal": True}, {}, "its NotPrincipal does not match"),
        ({}, {"action": "kms:Encrypt"}, "its Action does not match"),
        ({"not_action": True}, {}, "its NotAction does not match"),
        ({"actions": ()}, {}, "its Action does not match"),
        ({"resources": items("arn:aws:kms:us-east-1:111122223333:alias/x")}, {}, "its Resource does not match"),
        ({"not_resource": True}, {}, "its NotResource does not match"),
        ({"resources": ()}, {}, "its Resource does not match"),
        # the first of several, in the order of the sentence "who may do what to what, when"
        ({"not_action": True, "not_resource": True}, {"principal": EVE}, "its Principal does not match"),
        ({"not_resource": True}, {"action": "kms:Encrypt"}, "its Action does not match"),
        (
            {"not_resource": True, "conditions": (when("Bool", "aws:SecureTransport", "true"),)},
            {},
            "its NotResource does not match",
        ),
    ],
)
def test_the_first_element_that_does_not_match(changes: dict[str, Any], asked: dict[str, str], sentence: str) -> None:
    assert why(statement(**changes), **asked) == sentence


TAG = "aws:PrincipalTag/Team"


@pytest.mark.parametrize(
    ("condition", "context", "sentence"),
    [
        (when("StringEquals", "AWS:principalorgid", "o-a"), {}, "StringEquals `aws:PrincipalOrgID` does not hold: the request has no `aws:PrincipalOrgID`"),
        (when("StringEquals", "aws:PrincipalOrgID", "o-a"), {"aws:principalorgid": "o-b"}, "StringEquals `aws:PrincipalOrgID` does not hold: the request has `o-b`"),
        (when("StringEquals", "aws:PrincipalOrgID", "o-a"), {"aws:principalorgid": "o-a"}, None),
        (when("StringNotEquals", "aws:PrincipalOrgID", "o-a"), {"aws:principalorgid": "o-a"}, "StringNotEquals `aws:PrincipalOrgID` does not hold: the request has `o-a`"),
        (when("StringNotEquals", "aws:PrincipalOrgID", "o-a"), {}, None),
        (when("Null", "aws:PrincipalOrgID", "true"), {"aws:principalorgid": "o-a"}, "Null `aws:PrincipalOrgID` does not hold: the request has `o-a`"),
        (when("Null", "aws:PrincipalOrgID", "true"), {}, None),
        (when("ForAnyValue:StringEquals", "aws:TagKeys", "x"), {"aws:tagkeys": frozenset({"b", "a"})}, "ForAnyValue:StringEquals `aws:TagKeys` does not hold: the request has `a`, `b`"),
        (when("ForAnyValue:StringEquals", "aws:TagKeys", "x"), {"aws:tagkeys": frozenset("edcba")}, "ForAnyValue:StringEquals `aws:TagKeys` does not hold: the request has `a`, `b`, `c`, `d`, `e`"),
        (when("ForAnyValue:StringEquals", "aws:TagKeys", "x"), {"aws:tagkeys": frozenset("fedcba")}, "ForAnyValue:StringEquals `aws:TagKeys` does not hold: the request has `a`, `b`, `c`, `d`, `e`, …"),
        (when("ForAnyValue:StringEquals", "aws:TagKeys", "x"), {"aws:tagkeys": frozenset("gfedcba")}, "ForAnyValue:StringEquals `aws:TagKeys` does not hold: the request has `a`, `b`, `c`, `d`, `e`, …"),
        (when("ForAnyValue:StringEquals", "aws:TagKeys", "x"), {"aws:tagkeys": frozenset()}, "ForAnyValue:StringEquals `aws:TagKeys` does not hold: the request has an empty list"),
        (when("ForAnyValue:StringEquals", "aws:TagKeys", "x"), {"aws:tagkeys": frozenset("xyz")}, None),
        (when("StringIs", "aws:PrincipalOrgID", "o-a"), {"aws:principalorgid": "o-a"}, "operator `StringIs` does not exist"),
    ],
)  # fmt: skip
def test_a_condition_that_does_not_hold(condition: Condition, context: dict[str, ContextValue], sentence: str | None) -> None:
    assert why(statement(condition), context) == (sentence and f"its condition {sentence}")


def test_the_first_condition_that_surely_fails() -> None:
    holds, fails, also = (when("StringEquals", TAG, "a"), when("StringEquals", TAG, "b"), when("StringLike", TAG, "c*"))
    unsure = when("StringEquals", TAG, HOLE)
    sentence = "its condition {} `aws:PrincipalTag/Team` does not hold: the request has `a`".format
    context: dict[str, ContextValue] = {"aws:principaltag/team": "a"}
    assert why(statement(holds, unsure, fails, also), context) == sentence("StringEquals")
    assert why(statement(unsure, also, fails), context) == sentence("StringLike")
    assert why(statement(holds, unsure), context) is None


@pytest.mark.parametrize(
    "one",
    [
        statement(principals=(Principal("CanonicalUser", "a" * 64, NODE),)),
        statement(principals=(Principal("AWS", HOLE, NODE),)),
        statement(principals=(Principal("AWS", OWNER, NODE),), not_principal=True),
        statement(actions=items(HOLE)),
        statement(actions=items("k*:Decrypt")),
        statement(resources=items(HOLE)),
        statement(when("StringEquals", "aws:PrincipalOrgID", HOLE)),
        statement(when("StringEquals", "kms:NoSuchKey", "x")),
        statement(when("StringIs", "aws:PrincipalOrgID", "o-a"), effect="Deny"),
    ],
    ids=["canonical", "principal", "listed account", "action", "prefix", "resource", "value", "key", "operator of a deny"],
)
def test_what_is_not_settled_is_no_reason(one: Statement) -> None:
    policy = Policy("2012-10-17", (one,))
    request = Request(BOB, "kms:Decrypt", {"aws:principalorgid": "o-a"}, KEY)
    assert applies(one, policy, request).truth == U
    assert mismatch(one, policy, request) is None


def test_a_variable_is_one_in_the_new_version_alone() -> None:
    one = statement(when("StringEquals", TAG, "${aws:username}"))
    context: dict[str, ContextValue] = {"aws:principaltag/team": "bob", "aws:username": "bob"}
    assert why(one, context) is None
    for version in ("2008-10-17", None):
        assert (
            why(one, context, version)
            == "its condition StringEquals `aws:PrincipalTag/Team` does not hold: the request has `bob`"
        )


@given(strategies.seeds())
def test_there_is_a_reason_exactly_where_the_statement_does_not_apply(seed: int) -> None:
    rng = random.Random(seed)
    documents = strategies.draw_case(rng, strategies.Shape(unsettled=True)).policies
    atoms = atoms_of(documents)
    for policy in map(policy_of, documents):
        for one in policy.statements:
            for _ in range(4):
                request = request_of(random_request(rng, atoms))
                assert (mismatch(one, policy, request) is None) == (applies(one, policy, request).truth != F)
