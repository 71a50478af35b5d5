"""Random policies and described sets over small domains, biased to collide.

`draw_case(random.Random(seed))` is the fast, seeded generator of the differential tests; the hypothesis strategies at the end
wrap the same grammar, so that a failing property shrinks.
"""

import random
from typing import Any, NamedTuple

from hypothesis import strategies as st

OWNER, PARTNER, THIRD, FRESH = "111122223333", "444455556666", "777788889999", "999900001111"
KEY_ARN = f"arn:aws:kms:us-east-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"

Plain = Any
Json = dict[str, Plain]


def user(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:user/{name}"


def role(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def session(account: str, name: str, of: str) -> str:
    return f"arn:aws:sts::{account}:assumed-role/{name}/{of}"


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


def federated(account: str, name: str) -> str:
    return f"arn:aws:sts::{account}:federated-user/{name}"


AWS_PRINCIPALS = (
    "*", "*", "*", OWNER, root(OWNER), root(OWNER), PARTNER, root(PARTNER), root(THIRD), user(OWNER, "bob"),
    user(PARTNER, "bob"), role(OWNER, "svc/ap1"), role(PARTNER, "ap1"), session(OWNER, "ap1", "s1"), federated(OWNER, "fred"),
)  # fmt: skip
SERVICES = ("s3.amazonaws.com", "logs.us-east-1.amazonaws.com")
ACTIONS = (
    "kms:*", "kms:*", "*", "kms:Decrypt", "kms:decrypt", "kms:Encrypt", "kms:De*", "kms:*crypt", "kms:CreateGrant",
    "kms:Create*", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:EnableKeyRotation", "kms:TagResource", "kms:Describ?Key",
    "kms:ReEncrypt*", "s3:*", "kms:NoSuchAction",
)  # fmt: skip

TEXT = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
ARN = ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringEquals", "StringLike", "StringNotLike")
NUMERIC = (
    "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
    "NumericGreaterThanEquals",
)  # fmt: skip
DATE = tuple(name.replace("Numeric", "Date") for name in NUMERIC)
ADDRESS = ("IpAddress", "NotIpAddress")
NOON, LATER = "2026-06-01T12:00:00Z", "2026-07-01T00:00:00Z"


class Key(NamedTuple):
    """A condition key of the small world: the operators it meets and the constants it is compared with."""

    name: str
    operators: tuple[str, ...]
    constants: tuple[str, ...]
    multi: bool = False


_LETTERS = ("a", "b", "A", "ab", "a*", "*b", "?", "a?", "*a*", "b")
_VIA = ("s3.us-east-1.amazonaws.com", "ec2.us-east-1.amazonaws.com", "s3.*.amazonaws.com", "*.us-east-1.amazonaws.com", "s3.*")
_ARNS = (
    user(OWNER, "bob"), role(OWNER, "svc/ap1"), f"arn:aws:iam::{OWNER}:role/*", f"arn:aws:iam::{PARTNER}:*",
    "arn:aws:iam::*:user/bob", f"arn:aws:iam::{OWNER}:role/*ap1", f"arn:aws:iam::{OWNER}:*", root(OWNER),
)  # fmt: skip
_ACCOUNTS = (OWNER, PARTNER, THIRD)
_ORGS = ("o-aaaaaaaaaa", "o-bbbbbbbbbb")
_IPS = ("203.0.113.0/24", "203.0.113.7", "203.0.113.128/25", "198.51.100.0/24", "0.0.0.0/0", "2001:db8::/32")
_OPERATIONS = ("Decrypt", "Encrypt", "CreateGrant", "GenerateDataKey")
_PATHS = ("o-aaaaaaaaaa/*", "o-aaaaaaaaaa/r-ab12/ou-ab12-11111111/*", "o-bbbbbbbbbb/r-cd34/*")

KEYS = (
    Key("kms:ViaService", TEXT, _VIA),
    Key("kms:ViaService", TEXT, _VIA),
    Key("aws:PrincipalTag/t", TEXT, _LETTERS),
    Key("aws:ResourceTag/t", TEXT, _LETTERS),
    Key("aws:UserAgent", TEXT, _LETTERS),
    Key("kms:EncryptionContext:c", TEXT, _LETTERS),
    Key("kms:EncryptionContext:D", TEXT, _LETTERS),
    Key("kms:EncryptionContextKeys", TEXT, ("c", "C", "d", "D", "e", "c*"), multi=True),
    Key("aws:RequestTag/c", TEXT, _LETTERS),
    Key("aws:TagKeys", TEXT, ("c", "C", "e", "c*"), multi=True),
    Key("aws:PrincipalOrgID", TEXT[:4], (*_ORGS, "o-a*")),
    Key("aws:PrincipalOrgPaths", TEXT[2:4], _PATHS, multi=True),
    Key("aws:PrincipalAccount", TEXT[:4], (*_ACCOUNTS, "1111*")),
    Key("kms:CallerAccount", TEXT[:4], _ACCOUNTS),
    Key("aws:PrincipalArn", ARN, _ARNS),
    Key("aws:PrincipalArn", ARN, _ARNS),
    Key("aws:username", TEXT[:4], ("bob", "b*", "zed")),
    Key("aws:PrincipalType", TEXT[:2], ("User", "AssumedRole", "Account")),
    Key("aws:PrincipalIsAWSService", ("Bool",), ("true", "false")),
    Key("aws:PrincipalServiceName", TEXT[:4], (*SERVICES, "*.amazonaws.com")),
    Key("aws:SourceAccount", TEXT[:2], _ACCOUNTS),
    Key("aws:SourceArn", ARN[:4], (f"arn:aws:s3:::{'b'}*", f"arn:aws:logs:us-east-1:{OWNER}:*", f"arn:aws:*:*:{OWNER}:*")),
    Key("aws:SourceIp", ADDRESS, _IPS),
    Key("aws:VpcSourceIp", ADDRESS, ("10.0.0.0/8", "10.1.0.0/16")),
    Key("aws:SourceVpce", TEXT[:4], ("vpce-1", "vpce-2", "vpce-*")),
    Key("aws:SourceVpc", TEXT[:2], ("vpc-1", "vpc-2")),
    Key("aws:SecureTransport", ("Bool",), ("true", "false")),
    Key("aws:ViaAWSService", ("Bool",), ("true", "false")),
    Key("aws:CalledVia", TEXT[:2], ("athena.amazonaws.com", "dynamodb.amazonaws.com"), multi=True),
    Key("aws:MultiFactorAuthPresent", ("Bool",), ("true", "false")),
    Key("aws:MultiFactorAuthAge", NUMERIC, ("0", "300", "3600")),
    Key("aws:CurrentTime", DATE, (NOON, LATER)),
    Key("aws:EpochTime", DATE, ("1780315200", LATER)),
    Key("aws:TokenIssueTime", DATE, (NOON, LATER)),
    Key("kms:RotationPeriodInDays", NUMERIC, ("90", "365", "400.5", "2560", "80")),
    Key("kms:ScheduleKeyDeletionPendingWindowInDays", NUMERIC, ("7", "14", "30", "31")),
    Key("kms:GrantOperations", TEXT[:2], _OPERATIONS, multi=True),
    Key("kms:GrantIsForAWSResource", ("Bool",), ("true", "false")),
    Key("kms:GrantIsForAWSResource", ("Bool",), ("true", "false")),
    Key("kms:EncryptionAlgorithm", TEXT[:2], ("SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_256")),
    Key("kms:KeyOrigin", TEXT[:2], ("AWS_KMS", "EXTERNAL")),
    Key("kms:BypassPolicyLockoutSafetyCheck", ("Bool",), ("true", "false")),
    Key("aws:ResourceAccount", TEXT[:2], (OWNER, PARTNER)),
    Key("aws:RequestedRegion", TEXT[:2], ("us-east-1", "eu-west-1")),
)
VARIABLES = (
    ("aws:ResourceTag/t", "${aws:PrincipalTag/t}"),
    ("aws:UserAgent", "${aws:PrincipalTag/t, 'a'}"),
    ("kms:EncryptionContext:c", "${aws:PrincipalTag/t}"),
    ("kms:EncryptionContext:c", "a${aws:username}"),
    ("kms:CallerAccount", "${aws:PrincipalAccount}"),
    ("aws:PrincipalAccount", "${aws:ResourceAccount}"),
    ("aws:SourceAccount", "${aws:ResourceAccount}"),
    ("aws:UserAgent", "x${*}"),
)


class Shape(NamedTuple):
    """What a drawn policy may hold."""

    statements: int = 4
    blocks: int = 2
    variables: bool = True
    unsettled: bool = False
    """Points of the register: sets without a set operator, other Resources, wildcards in the service prefix, …"""
    keys: tuple[Key, ...] = KEYS


class Case(NamedTuple):
    policies: list[Json]
    described: list[Json]


def some(rng: random.Random, items: tuple[str, ...], most: int = 2) -> Plain:
    count = min(rng.choice((1, 1, 1, 2, 2, 3)), most, len(items))
    chosen = rng.sample(items, count)
    return chosen[0] if count == 1 and rng.random() < 0.5 else chosen


def draw_operator(rng: random.Random, key: Key, shape: Shape) -> str:
    operator = rng.choice(key.operators)
    bare = shape.unsettled and rng.random() < 0.2
    if (key.multi and not bare) or (not key.multi and rng.random() < 0.08):
        operator = rng.choice(("ForAllValues:", "ForAnyValue:")) + operator
    if rng.random() < 0.2 and (shape.unsettled or not operator.startswith("ForAny")):
        operator += "IfExists"
    return operator


def draw_condition(rng: random.Random, shape: Shape, pool: tuple[Key, ...]) -> Json:
    block: Json = {}
    for _ in range(rng.choice((0, 1, 1, 1, 2, shape.blocks))):
        key = rng.choice(pool)
        name = key.name.upper() if rng.random() < 0.05 else key.name
        if rng.random() < 0.12:
            block.setdefault("Null", {})[name] = rng.choice(("true", "false"))
        elif shape.variables and rng.random() < 0.08:
            name, text = rng.choice(VARIABLES)
            block.setdefault(rng.choice(TEXT[:4]), {})[name] = text
        else:
            block.setdefault(draw_operator(rng, key, shape), {})[name] = some(rng, key.constants, 3)
    return {operator: tidy(keys) for operator, keys in block.items()}


def tidy(keys: Json) -> Json:
    """One spelling a key in one block: two are a point of the register."""
    return {name: value for name, value in keys.items() if name in {kept.lower(): kept for kept in keys}.values()}


def draw_principal(rng: random.Random, *, denies: bool) -> Json:
    form = rng.random()
    if form < 0.25:
        return {"Principal": "*"}
    if form < 0.75:
        return {"Principal": {"AWS": some(rng, AWS_PRINCIPALS, 3)}}
    if form < 0.87:
        return {"Principal": {"Service": some(rng, SERVICES)}}
    if form < 0.92:
        return {"Principal": {"AWS": some(rng, AWS_PRINCIPALS), "Service": some(rng, SERVICES)}}
    if not denies and form < 0.96:
        return {"Principal": "*"}
    return {"NotPrincipal": {"AWS": some(rng, AWS_PRINCIPALS[3:], 3)}}


def draw_resource(rng: random.Random, shape: Shape) -> Json:
    if not shape.unsettled or rng.random() < 0.85:
        return {"Resource": "*"}
    return rng.choice(({"Resource": KEY_ARN}, {"NotResource": KEY_ARN}, {"Resource": "arn:aws:kms:us-east-1:1:alias/x"}))


def draw_statement(rng: random.Random, shape: Shape, pool: tuple[Key, ...]) -> Json:
    effect = rng.choice(("Allow", "Allow", "Deny"))
    actions = ACTIONS if not shape.unsettled else (*ACTIONS, "k*:Decrypt")
    name = "NotAction" if rng.random() < 0.12 else "Action"
    statement = {"Effect": effect, **draw_principal(rng, denies=effect == "Deny"), name: some(rng, actions, 2)}
    statement |= draw_resource(rng, shape)
    condition = draw_condition(rng, shape, pool)
    return statement | ({"Condition": condition} if condition else {})


def draw_pool(rng: random.Random, shape: Shape) -> tuple[Key, ...]:
    """A few keys for all statements of a case, so that they meet."""
    return tuple(rng.sample(shape.keys, min(len(shape.keys), rng.choice((1, 2, 2, 3)))))


def draw_policy(rng: random.Random, shape: Shape, pool: tuple[Key, ...]) -> Json:
    version = {"Version": "2008-10-17"} if rng.random() < 0.06 else {} if rng.random() < 0.03 else {"Version": "2012-10-17"}
    count = rng.randint(1, shape.statements)
    return {**version, "Statement": [draw_statement(rng, shape, pool) for _ in range(count)]}


DESCRIBED_ACTIONS = ("kms:*", "kms:*", "kms:Decrypt", "kms:Encrypt", "kms:CreateGrant", "kms:De*", "kms:PutKeyPolicy")


def draw_described(rng: random.Random, shape: Shape, pool: tuple[Key, ...]) -> list[Json]:
    settled = shape._replace(unsettled=False, variables=False)
    statements = []
    for _ in range(rng.choice((1, 1, 1, 2))):
        form = rng.random()
        principal: Plain = "*"
        if form < 0.35:
            principal = {"AWS": some(rng, AWS_PRINCIPALS, 2)}
        elif form < 0.45:
            principal = {"Service": some(rng, SERVICES, 1)}
        statement: Json = {"Principal": principal, "Action": some(rng, DESCRIBED_ACTIONS)}
        condition = draw_condition(rng, settled, pool)
        statements.append(statement | ({"Condition": condition} if condition else {}))
    return statements


def draw_case(rng: random.Random, shape: Shape = Shape()) -> Case:  # noqa: B008 - a frozen value
    pool = draw_pool(rng, shape)
    policies = [draw_policy(rng, shape, pool)]
    if rng.random() < 0.1:
        policies.append(draw_policy(rng, shape, pool))
    return Case(policies, draw_described(rng, shape, pool))


def cases(shape: Shape = Shape()) -> st.SearchStrategy[Case]:  # noqa: B008 - a frozen value
    """Cases by the same grammar; hypothesis draws and shrinks every choice."""
    return st.randoms(use_true_random=False).map(lambda rng: draw_case(rng, shape))


def seeds() -> st.SearchStrategy[int]:
    return st.integers(min_value=0, max_value=2**32 - 1)
