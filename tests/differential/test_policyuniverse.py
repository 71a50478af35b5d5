"""policyuniverse's `is_internet_accessible` as a second opinion on "may a stranger use the key?", and where it differs.

It reads the principals and the conditions of each Allow statement by itself. What it cannot know is listed here, each
difference with its reason; an agreement that breaks, or a difference that goes away, fails a test.
"""

import warnings
from typing import NamedTuple

import pytest

from kmslint.reason.answer import Proven, Violated
from kmslint.reason.query import find_allowed
from tests.oracle.bridge import ACCOUNT, key_of, policy_of, statements_of
from tests.oracle.evaluator import JsonObject, Plain

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    policyuniverse = pytest.importorskip("policyuniverse.policy", reason="policyuniverse is not installed")

STRANGER = {
    "Principal": "*",
    "Action": "*",
    "Condition": {
        "StringNotEquals": {"aws:PrincipalAccount": [ACCOUNT, "444455556666"], "aws:PrincipalOrgID": ["o-aaaaaaaaaa"]},
        "StringNotLike": {"aws:userid": ["AROAEXAMPLEEXAMPLE123:*"]},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
        "Null": {"kms:ViaService": "true", "aws:SourceVpce": "true"},
        "IpAddress": {"aws:SourceIp": "192.0.2.66"},
    },
}
"""A caller whom no policy below names, calling directly, from an address that none names."""


def allow(**elements: Plain) -> JsonObject:
    return {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"} | elements


def where(operator: str, key: str, value: Plain) -> list[JsonObject]:
    return [allow(Condition={operator: {key: value}})]


def both(statements: list[JsonObject]) -> tuple[bool, bool]:
    """(open by policyuniverse, open by proof or witness)."""
    document = {"Version": "2012-10-17", "Statement": statements}
    answer = find_allowed((policy_of(document),), statements_of([STRANGER]), key_of())
    assert isinstance(answer, (Proven, Violated)), answer
    return policyuniverse.Policy(document).is_internet_accessible(), isinstance(answer, Violated)


ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
AGREED: dict[str, tuple[list[JsonObject], bool]] = {
    "everybody": ([allow()], True),
    "everybody, in a map": ([allow(Principal={"AWS": "*"})], True),
    "everybody in a list": ([allow(Principal={"AWS": [ROLE, "*"]})], True),
    "everybody but an account": ([{k: v for k, v in allow(NotPrincipal={"AWS": ACCOUNT}).items() if k != "Principal"}], True),
    "an account": ([allow(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], False),
    "a role": ([allow(Principal={"AWS": ROLE})], False),
    "a service": ([allow(Principal={"Service": "s3.amazonaws.com"})], False),
    "callers of an account": (where("StringEquals", "kms:CallerAccount", ACCOUNT), False),
    "principals of an account": (where("StringEquals", "aws:PrincipalAccount", ACCOUNT), False),
    "principals of an organization": (where("StringEquals", "aws:PrincipalOrgID", "o-aaaaaaaaaa"), False),
    "principals outside an organization": (where("StringNotEquals", "aws:PrincipalOrgID", "o-aaaaaaaaaa"), True),
    "a principal by ARN": (where("ArnEquals", "aws:PrincipalArn", ROLE), False),
    "a session by its id": (where("StringLike", "aws:userid", "AROAEXAMPLEEXAMPLE123:*"), False),
    "a source ARN": (where("ArnLike", "aws:SourceArn", "arn:aws:s3:::bucket"), False),
    "a source account": (where("StringEquals", "aws:SourceAccount", ACCOUNT), False),
    "an endpoint": (where("StringEquals", "aws:SourceVpce", "vpce-1"), False),
    "an address range": (where("IpAddress", "aws:SourceIp", "203.0.113.0/24"), False),
    "every address": (where("IpAddress", "aws:SourceIp", "0.0.0.0/0"), True),
    "an encrypted connection": (where("Bool", "aws:SecureTransport", "true"), True),
    "an encryption context, which the caller chooses": (where("StringEquals", "kms:EncryptionContext:team", "blue"), True),
    "any caller account": (where("StringLike", "kms:CallerAccount", "*"), True),
}


class Difference(NamedTuple):
    statements: list[JsonObject]
    theirs: bool
    why: str


DENY_ALL = allow(Action="kms:*") | {"Effect": "Deny"}
DENY_OUTSIDE = DENY_ALL | {"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}}}
DIFFERENT: dict[str, Difference] = {
    "a Deny of everything": Difference([allow(), DENY_ALL], True, "it reads no Deny"),
    "a Deny of outsiders": Difference([allow(), DENY_OUTSIDE], True, "it reads no Deny"),
    "only through a service": Difference(
        where("StringEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com"), True, "it does not know kms:ViaService"
    ),
    "no resource": Difference(
        [{k: v for k, v in allow().items() if k != "Resource"}], True, "it does not know that such a statement has no effect"
    ),
    "an action of another service": Difference([allow(Action="s3:*")], True, "it does not ask whether an action is one of KMS"),
    "an action that stays in its account": Difference(
        [allow(Action="kms:PutKeyPolicy")], True, "it does not know which actions work across accounts"
    ),
    "a federated star": Difference(
        [allow(Principal={"Federated": "*"})], True, "it takes any star for everybody; a KMS caller is a role session"
    ),
    "all values, maybe none": Difference(
        where("ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-aaaaaaaaaa"),
        False,
        "it forgets that ForAllValues holds for a caller outside any organization, who sends no value",
    ),
    "if the key exists": Difference(
        where("StringEqualsIfExists", "aws:PrincipalOrgID", "o-aaaaaaaaaa"),
        False,
        "it forgets that IfExists holds for a caller outside any organization",
    ),
}


@pytest.mark.parametrize("name", AGREED)
def test_both_say_the_same(name: str) -> None:
    statements, is_open = AGREED[name]
    assert both(statements) == (is_open, is_open)


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_known_difference_is_still_one(name: str) -> None:
    case = DIFFERENT[name]
    assert both(case.statements) == (case.theirs, not case.theirs), case.why
