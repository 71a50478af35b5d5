"""Changes that look harmless and are not, each beside one that looks harmful and is none."""

import json

import pytest

from kmslint import diff
from tests.adversary.policies import ORG, OTHER, OWNER, Statement, policy, statement

ROOT = statement(principal={"AWS": OWNER}, action="kms:*")
ROLE = {"AWS": f"arn:aws:iam::{OWNER}:role/r"}
SESSION = {"AWS": f"arn:aws:sts::{OWNER}:assumed-role/r/s"}


def _of(operator: str) -> Statement:
    return statement(condition={operator: {"aws:PrincipalOrgID": ORG}})


def _deletion(days: str, operator: str = "NumericLessThan") -> tuple[Statement, ...]:
    window = {operator: {"kms:ScheduleKeyDeletionPendingWindowInDays": days}}
    return (
        statement(principal=ROLE, action="kms:ScheduleKeyDeletion"),
        statement("Deny", action="kms:ScheduleKeyDeletion", condition=window),
    )


Pair = tuple[tuple[Statement, ...], tuple[Statement, ...]]
OPENED: dict[str, Pair] = {
    "IfExists": ((_of("StringEquals"),), (_of("StringEqualsIfExists"),)),
    "ForAllValues": ((_of("StringEquals"),), (_of("ForAllValues:StringEquals"),)),
    "a day less": (_deletion("30"), _deletion("29")),
    "the role, not its session": ((statement(principal=SESSION),), (statement(principal=ROLE),)),
    "direct, not by IAM": ((ROOT,), (ROOT, statement(principal=ROLE))),
    "a Deny gone": ((statement(), statement("Deny", ROLE)), (statement(),)),
}
SAME: dict[str, Pair] = {
    "ForAnyValue": ((_of("StringEquals"),), (_of("ForAnyValue:StringEquals"),)),
    "the same days": (_deletion("30"), _deletion("29", "NumericLessThanEquals")),
    "the session, not the role": ((statement(principal=ROLE),), (statement(principal=SESSION),)),
    "no effect across accounts": ((ROOT,), (ROOT, statement(principal={"AWS": OTHER}, action="kms:PutKeyPolicy"))),
    "no resource": ((ROOT,), (ROOT, statement(Resource=None))),
    "another order": ((ROOT, statement("Deny", ROLE)), (statement("Deny", ROLE), ROOT)),
}


def _answer(pair: Pair) -> str:
    old, new = (json.dumps(policy(*statements)) for statements in pair)
    return diff(old, new, account=OWNER).answer


@pytest.mark.parametrize("pair", OPENED.values(), ids=OPENED)
def test_new_access_is_found(pair: Pair) -> None:
    assert _answer(pair) == "new_access"


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_no_new_access_is_proved(pair: Pair) -> None:
    assert _answer(pair) == "no_new_access"
