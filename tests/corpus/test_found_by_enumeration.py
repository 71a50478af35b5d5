"""Wrong answers that the comparison with enumeration once found, each as small as it gets, with its twin."""

from typing import NamedTuple

import pytest

from kmslint.reason.answer import Proven, StatementRef, Undetermined, Violated
from kmslint.reason.query import find_allowed, find_allowed_by_statement
from tests.oracle.bridge import ACCOUNT, key_of, policy_of, statements_of
from tests.oracle.evaluator import JsonObject, Plain

OWN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/svc/ap1"


def allow(**elements: Plain) -> JsonObject:
    return {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"} | elements


def deny(**elements: Plain) -> JsonObject:
    return allow(**elements) | {"Effect": "Deny"}


def asked(condition: JsonObject, action: str = "kms:Decrypt") -> JsonObject:
    return {"Principal": "*", "Action": action, "Condition": condition}


class Found(NamedTuple):
    name: str
    statements: list[JsonObject]
    described: JsonObject
    answer: type[Proven | Violated | Undetermined]


GRANTEE, GRANTEE_SERVICE = "kms:GranteePrincipal", "kms:GranteeServicePrincipal"
RETIRING, RETIRING_SERVICE = "kms:RetiringPrincipal", "kms:RetiringServicePrincipal"
ORG, PATHS = "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"
CONTEXT, CONTEXT_KEYS = "kms:EncryptionContext:D", "kms:EncryptionContextKeys"
CASES = [
    Found(
        "a pair named `D` has a member `D`, not `d`",
        [allow()],
        asked({"StringEquals": {CONTEXT: "x"}, "ForAllValues:StringNotEquals": {CONTEXT_KEYS: "d"}}),
        Violated,
    ),
    Found(
        "a pair has a member in some case",
        [allow()],
        asked({"StringEquals": {CONTEXT: "x"}, "ForAllValues:StringNotEqualsIgnoreCase": {CONTEXT_KEYS: "d"}}),
        Proven,
    ),
    Found(
        "an organization's paths start with its id",
        [allow()],
        asked({"StringEquals": {ORG: "o-aaaaaaaaaa"}, "ForAnyValue:StringLike": {PATHS: "o-bbbbbbbbbb/*"}}),
        Proven,
    ),
    Found(
        "an organization that no condition names has paths too",
        [allow(Condition={"ForAnyValue:StringLike": {PATHS: "*/r-*"}})],
        asked({"StringLike": {ORG: "o-*"}}),
        Violated,
    ),
    Found(
        "no organization has paths without their form",
        [allow(Condition={"ForAnyValue:StringLike": {PATHS: "r-*"}})],
        asked({"StringLike": {ORG: "o-*"}}),
        Undetermined,
    ),
    Found(
        "a grant has a grantee",
        [allow(Condition={"Null": {GRANTEE: "true", GRANTEE_SERVICE: "true"}})],
        asked({}, "kms:CreateGrant"),
        Proven,
    ),
    Found(
        "a grant has no two grantees",
        [allow(Condition={"Null": {GRANTEE: "false", GRANTEE_SERVICE: "false"}})],
        asked({}, "kms:CreateGrant"),
        Proven,
    ),
    Found(
        "a grant has a service or a principal as its grantee",
        [allow(Condition={"Null": {GRANTEE: "true", GRANTEE_SERVICE: "false"}})],
        asked({}, "kms:CreateGrant"),
        Violated,
    ),
    Found(
        "who may retire a grant need not be said",
        [allow(Condition={"Null": {RETIRING: "true", RETIRING_SERVICE: "true"}})],
        asked({}, "kms:CreateGrant"),
        Violated,
    ),
    Found(
        "a principal or a service may retire a grant, not both",
        [allow(Condition={"Null": {RETIRING: "false", RETIRING_SERVICE: "false"}})],
        asked({}, "kms:CreateGrant"),
        Proven,
    ),
    Found(
        "what no grant says decides nothing of a decryption",
        [allow(Condition={"Null": {GRANTEE: "true", GRANTEE_SERVICE: "true"}})],
        asked({}),
        Violated,
    ),
    Found(
        "an organization's paths may start with its id",
        [allow()],
        asked({"StringEquals": {ORG: "o-aaaaaaaaaa"}, "ForAnyValue:StringLike": {PATHS: "o-aaaaaaaaaa/*"}}),
        Violated,
    ),
    Found(
        "an organization has an id and paths",
        [allow()],
        asked({"StringEquals": {ORG: "o-aaaaaaaaaa"}, "Null": {PATHS: "true"}}),
        Proven,
    ),
    Found("outside an organization there is neither", [allow()], asked({"Null": {PATHS: "true", ORG: "true"}}), Violated),
    Found(
        # present and empty, the variable has no value (UNSURE-21 leaves open whether the tag is then described at all)
        "a variable may be present and empty",
        [allow(Condition={"StringNotEquals": {"kms:EncryptionContext:a": "${aws:PrincipalTag/x}"}})],
        asked(
            {
                "StringEqualsIfExists": {"aws:PrincipalTag/x": "d"},
                "Null": {"aws:PrincipalTag/x": "false"},
                "StringEquals": {"kms:EncryptionContext:a": "d"},
            }
        ),
        Undetermined,
    ),
    Found(
        "a via-service is no pattern",
        [allow(Condition={"StringEquals": {"kms:ViaService": "s3.*"}})],
        {"Principal": "*", "Action": "kms:Decrypt"},
        Proven,
    ),
    Found(
        "a via-service matches a pattern",
        [allow(Condition={"StringLike": {"kms:ViaService": "s3.*"}})],
        {"Principal": "*", "Action": "kms:Decrypt"},
        Violated,
    ),
    Found(
        "a role session always has an issue time",
        [
            allow(Action="kms:TagResource", Condition={"StringEquals": {"aws:TagKeys": "c"}}),
            allow(Principal={"AWS": OWN_ROLE}, Condition={"Null": {"aws:TokenIssueTime": "true"}}),
        ],
        {"Principal": {"AWS": OWN_ROLE}, "Action": "kms:TagResource"},
        Undetermined,
    ),
    Found(
        # whether a service's session has a date is open (UNSURE-7), and each condition on it is read by itself
        "one date is not two, but a service's is unknown",
        [allow(Condition={"DateEquals": {"aws:TokenIssueTime": "2026-06-01T12:00:00Z"}})],
        asked({"DateGreaterThan": {"aws:TokenIssueTime": "2026-06-01T12:00:00Z"}}),
        Undetermined,
    ),
    Found(
        "a variable that nothing defines has no value",
        [allow(Condition={"StringEquals": {"aws:UserAgent": "${aws:NoSuchKey}"}})],
        {"Principal": "*", "Action": "kms:Decrypt"},
        Proven,
    ),
    Found(
        "a variable takes the value that the witness shows",
        [
            allow(
                Condition={
                    "StringLike": {"kms:EncryptionContext:c": "a${aws:username}"},
                    "StringEquals": {"kms:EncryptionContext:c": "ab"},
                }
            )
        ],
        {"Principal": "*", "Action": "kms:Decrypt"},
        Violated,
    ),
    Found(
        "an address of another family is outside a Deny's range",
        [allow(), deny(Condition={"IpAddress": {"aws:SourceIp": "::/0"}})],
        asked({"IpAddress": {"aws:SourceIp": "203.0.113.7"}}),
        Violated,
    ),
    Found(
        "called via a service is a forward access session",
        [allow(Action="kms:DescribeKey", Condition={"Bool": {"aws:ViaAWSService": "true"}}), allow()],
        asked({"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}),
        Violated,
    ),
]


@pytest.mark.parametrize("case", [pytest.param(one, id=one.name) for one in CASES])
def test_the_answer_is_right_now(case: Found) -> None:
    policy = policy_of({"Version": "2012-10-17", "Statement": case.statements})
    answer = find_allowed((policy,), statements_of([case.described]), key_of(), grant="any")
    assert isinstance(answer, case.answer), answer


def test_called_via_a_service_means_a_forward_access_session() -> None:
    case = CASES[-1]
    policy = policy_of({"Version": "2012-10-17", "Statement": case.statements})
    answer = find_allowed((policy,), statements_of([case.described]), key_of(), grant="any")
    assert isinstance(answer, Violated)
    assert answer.witness.context.get("aws:viaawsservice", "true") == "true"


def test_a_statement_is_judged_by_itself() -> None:
    """Beside a plain Allow, one that only may admit a request is no second violation."""
    plain = allow(Action="kms:PutKeyPolicy")
    doubtful = {name: value for name, value in plain.items() if name != "Principal"} | {"NotPrincipal": {"AWS": ACCOUNT}}
    policy = policy_of({"Version": "2012-10-17", "Statement": [plain, doubtful]})
    described = statements_of([{"Principal": {"AWS": ACCOUNT}, "Action": "kms:PutKeyPolicy"}])
    answers = dict(find_allowed_by_statement((policy,), described, key_of(), grant="any"))
    assert {ref: type(answer) for ref, answer in answers.items()} == {
        StatementRef(0, 0): Violated,
        StatementRef(0, 1): Undetermined,
    }
