"""Every contradiction of a context, alone and beside others: all that is told, in order, and nothing else."""

import pytest

from kmslint.policy.complete import complete, determined, oddities, spelled
from kmslint.policy.request import ContextValue, KeyContext, Request

ACCOUNT = "111122223333"
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/p/r"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
S3 = "s3.amazonaws.com"
KEY = KeyContext()


def told(
    context: dict[str, ContextValue], principal: str | None = BOB, action: str = "kms:Decrypt", key: KeyContext = KEY
) -> list[str]:
    return list(oddities(Request(principal, action, {name.lower(): value for name, value in context.items()}, key)))


def both(*values: str) -> frozenset[str]:
    return frozenset(values)


def test_nothing_is_odd_about_what_is_not_said() -> None:
    """A context need not be complete."""
    for principal in (BOB, ROLE, SESSION, S3, None, "nobody"):
        assert told({}, principal) == []


# ------------------------------------------------------------------------------------------------------------------- the action


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("kms:Decrypt", []),
        ("KMS:decrypt", []),
        ("kms:Decryp", ["AWS KMS has no action `kms:Decryp`; did you mean `kms:Decrypt`?"]),
        ("s3:Decrypt", ["AWS KMS has no action `s3:Decrypt`; did you mean `kms:Decrypt`?"]),
        ("s3:GetObject", ["AWS KMS has no action `s3:GetObject`"]),
        ("Decrypt", ["AWS KMS has no action `Decrypt`; did you mean `kms:Decrypt`?"]),
        ("kms:ReEncrypt", ["AWS KMS has no action `kms:ReEncrypt`; did you mean `kms:ReEncrypt*`?"]),
        ("", ["AWS KMS has no action ``"]),
        ("kms:listkeys", ["`kms:ListKeys` is not an action that a key policy decides about"]),
    ],
)
def test_an_action(action: str, said: list[str]) -> None:
    assert told({}, action=action) == said


# --------------------------------------------------------------------------------------------------------------------- the keys

KEYS: list[tuple[dict[str, ContextValue], str | None, list[str]]] = [
    ({"aws:nothing": "x"}, BOB, ["no request to AWS KMS has the condition key `aws:nothing`"]),
    (
        {"aws:PrincipalOrgIDs": "o-1"},
        BOB,
        ["no request to AWS KMS has the condition key `aws:principalorgids`; did you mean `aws:PrincipalOrgID`?"],
    ),
    (
        {"aws:nothing": "x", "aws:SecureTransport": "maybe"},
        BOB,
        ["no request to AWS KMS has the condition key `aws:nothing`", "`maybe` is no value of `aws:SecureTransport`"],
    ),
    ({"aws:SourceAccount": ACCOUNT}, BOB, ["a `kms:Decrypt` call of such a principal never has `aws:SourceAccount`"]),
    ({"aws:SourceAccount": ACCOUNT}, S3, []),
    ({"aws:SourceAccount": ACCOUNT}, "nobody", []),
    ({"kms:GrantOperations": both("Decrypt")}, BOB, ["a `kms:Decrypt` call of such a principal never has `kms:GrantOperations`"]),
    ({"aws:username": "bob"}, SESSION, ["a `kms:Decrypt` call of such a principal never has `aws:username`"]),
    ({"aws:SourceIp": both("10.0.0.1")}, BOB, ["`aws:SourceIp` has one value, not 1"]),
    ({"aws:SourceIp": both("10.0.0.1", "10.0.0.2")}, BOB, ["`aws:SourceIp` has one value, not 2"]),
    ({"aws:TagKeys": both("a", "b")}, None, []),
    ({"aws:SecureTransport": "True"}, BOB, ["`True` is no value of `aws:SecureTransport`"]),
    ({"aws:SecureTransport": "true"}, BOB, []),
    (
        {"aws:SecureTransport": both("true", "x", "y")},
        BOB,
        ["`aws:SecureTransport` has one value, not 3", "`x` is no value of `aws:SecureTransport`"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("context", "principal", "said"), KEYS)
def test_a_key(context: dict[str, ContextValue], principal: str | None, said: list[str]) -> None:
    assert told(context, principal) == said


def test_each_member_of_a_set_is_a_value_of_the_key() -> None:
    assert told({"kms:GrantOperations": both("Decrypt", "Nope")}, action="kms:CreateGrant") == [
        "`Nope` is no value of `kms:GrantOperations`"
    ]
    assert told({"kms:GrantOperations": both("Decrypt", "Encrypt")}, action="kms:CreateGrant") == []


# ----------------------------------------------------------------------------------------------------------------- the identity

IDENTITIES: list[tuple[dict[str, ContextValue], str | None, list[str]]] = [
    ({"aws:PrincipalAccount": ACCOUNT, "aws:username": "bob"}, BOB, []),
    (
        {"aws:username": "eve", "aws:PrincipalType": "User"},
        BOB,
        ["`aws:username` is `eve`, but the principal and the key make it `bob`"],
    ),
    (
        {"aws:username": both("eve", "bob")},
        BOB,
        ["`aws:username` has one value, not 2", "`aws:username` is [`bob`, `eve`], but the principal and the key make it `bob`"],
    ),
    ({"aws:PrincipalArn": ROLE}, SESSION, []),
    ({"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/r"}, SESSION, []),
    (
        {"aws:PrincipalArn": ROLE + "2"},
        ROLE,
        [f"`aws:PrincipalArn` is `{ROLE}2`, but the principal and the key make it `{ROLE}`"],
    ),
    *(
        ({"aws:PrincipalArn": arn}, SESSION, [f"`aws:PrincipalArn` is `{arn}`, which is not the role of `{SESSION}`"])
        for arn in (
            ROLE + "2", ROLE.replace("aws", "aws-cn"), ROLE.replace(ACCOUNT, "444455556666"), SESSION, BOB.replace("bob", "r"), "r", "",
        )
    ),
    ({"aws:PrincipalArn": both(ROLE)}, SESSION, ["`aws:PrincipalArn` has one value, not 1"]),
    ({"aws:PrincipalArn": ROLE}, S3, []),
]  # fmt: skip


@pytest.mark.parametrize(("context", "principal", "said"), IDENTITIES)
def test_an_identity(context: dict[str, ContextValue], principal: str | None, said: list[str]) -> None:
    assert told(context, principal) == said


def test_what_the_key_makes_it() -> None:
    key = KeyContext(ACCOUNT, "eu-west-1", spec="RSA_2048", tags=(("Team", "red"),))
    assert told({"aws:ResourceTag/TEAM": "blue", "kms:KeySpec": "RSA_2048"}, "nobody", "kms:Sign", key) == [
        "`aws:ResourceTag/team` is `blue`, but the principal and the key make it `red`"
    ]


# ------------------------------------------------------------------------------------------------- network, organizations, time

CONTEXTS: list[tuple[dict[str, ContextValue], str | None, list[str]]] = [
    ({"aws:CalledVia": both("x")}, BOB, []),
    ({"aws:ViaAWSService": "true", "aws:CalledVia": both("x")}, BOB, []),
    ({"aws:ViaAWSService": "false"}, BOB, []),
    (
        {"aws:ViaAWSService": "false", "aws:CalledVia": both("x"), "aws:CalledViaLast": "x"},
        BOB,
        ["`aws:CalledVia` is there only when `aws:ViaAWSService` is `true`"],
    ),
    ({"aws:SourceIp": "10.0.0.1"}, BOB, []),
    ({"aws:SourceVpc": "vpc-1"}, BOB, []),
    *(
        (
            {"aws:SourceIp": "10.0.0.1", name: "x"},
            BOB,
            [f"`aws:SourceIp` is absent through a VPC endpoint, which `{name}` speaks of"],
        )
        for name in ("aws:SourceVpce", "aws:SourceVpc", "aws:VpcSourceIp", "aws:SourceVpcArn", "aws:VpceAccount")
    ),
    ({"aws:SourceIp": "10.0.0.1", "aws:SourceVpc": "x", "aws:ViaAWSService": "true"}, BOB, []),
    (
        {"aws:SourceIp": "10.0.0.1", "aws:SourceVpc": "x", "aws:ViaAWSService": "false"},
        BOB,
        ["`aws:SourceIp` is absent through a VPC endpoint, which `aws:SourceVpc` speaks of"],
    ),
    (
        {"aws:SourceIp": "10.0.0.1", "aws:SourceVpc": "x"},
        S3,
        ["a `kms:Decrypt` call of such a principal never has `aws:SourceVpc`"],
    ),
    # organizations
    ({"aws:PrincipalOrgID": "o-1", "aws:PrincipalOrgPaths": both("o-1/r-1/", "o-1/r-2/")}, BOB, []),
    ({"aws:PrincipalOrgID": "o-1", "aws:PrincipalOrgPaths": "o-1/r-1/"}, BOB, []),
    ({"aws:PrincipalOrgPaths": both("o-1/r-1/")}, BOB, []),
    ({"aws:PrincipalOrgID": "o-1"}, BOB, []),
    (
        {"aws:PrincipalOrgID": both("o-2"), "aws:PrincipalOrgPaths": both("o-1/r-1/")},
        BOB,
        ["`aws:PrincipalOrgID` has one value, not 1"],
    ),
    (
        {"aws:PrincipalOrgID": "o-1", "aws:PrincipalOrgPaths": "o-12/r-1/"},
        BOB,
        ["`aws:PrincipalOrgPaths` holds `o-12/r-1/`, which is not in the organization `o-1` of `aws:PrincipalOrgID`"],
    ),
    (
        {
            "aws:PrincipalOrgID": "o-1", "aws:ResourceOrgID": "o-1", "aws:ResourceOrgPaths": both("o-1/r", "o-3/r", "o-2/r"),
            "aws:VpceOrgID": "o-1", "aws:VpceOrgPaths": both("o-4/r"),
        },
        BOB,
        [
            "`aws:ResourceOrgPaths` holds `o-2/r`, which is not in the organization `o-1` of `aws:ResourceOrgID`",
            "`aws:VpceOrgPaths` holds `o-4/r`, which is not in the organization `o-1` of `aws:VpceOrgID`",
        ],
    ),
    (
        {"aws:SourceOrgID": "o-1", "aws:SourceOrgPaths": both("o-2/r")},
        S3,
        ["`aws:SourceOrgPaths` holds `o-2/r`, which is not in the organization `o-1` of `aws:SourceOrgID`"],
    ),
    # one instant under two names
    ({"aws:CurrentTime": "2026-11-24T08:00:00Z", "aws:EpochTime": "1795507200"}, BOB, []),
    ({"aws:CurrentTime": "2026-11-24T08:00:00", "aws:EpochTime": "1795507200"}, BOB, []),
    ({"aws:CurrentTime": "2026-11-24T22:00:00", "aws:EpochTime": "1795507200"}, BOB, []),
    (
        {"aws:CurrentTime": "2026-11-24T08:00:01Z", "aws:EpochTime": "1795507200"},
        BOB,
        ["`aws:CurrentTime` is `2026-11-24T08:00:01Z` and `aws:EpochTime` is `1795507200`, which are two instants"],
    ),
    ({"aws:CurrentTime": "soon", "aws:EpochTime": "1795507200"}, BOB, []),
    ({"aws:CurrentTime": "2026-11-24T08:00:00Z", "aws:EpochTime": "later"}, BOB, []),
    ({"aws:CurrentTime": "2026-11-24T08:00:00Z"}, BOB, []),
    ({"aws:EpochTime": "1795507200"}, BOB, []),
    ({"aws:CurrentTime": "2026-11-24T08:00:00Z", "aws:EpochTime": both("0")}, BOB, ["`aws:EpochTime` has one value, not 1"]),
    ({"aws:CurrentTime": both("0"), "aws:EpochTime": "1795507200"}, BOB, ["`aws:CurrentTime` has one value, not 1"]),
    # the names of pairs
    ({"kms:EncryptionContext:a": "x"}, BOB, []),
    ({"kms:EncryptionContextKeys": both("a")}, BOB, []),
    ({"kms:EncryptionContext:a": "x", "kms:EncryptionContextKeys": both("b", "A")}, BOB, []),
    ({"kms:EncryptionContext:Team": "x", "kms:EncryptionContextKeys": "TEAM"}, BOB, []),
    (
        {"kms:EncryptionContext:b": "x", "kms:EncryptionContext:a": "y", "kms:EncryptionContextKeys": both("c")},
        BOB,
        ["`kms:EncryptionContext:a` is there, but `kms:EncryptionContextKeys` does not list `a`"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("context", "principal", "said"), CONTEXTS)
def test_a_context(context: dict[str, ContextValue], principal: str | None, said: list[str]) -> None:
    assert told(context, principal) == said


def test_the_tags_of_a_request_are_pairs_too() -> None:
    context: dict[str, ContextValue] = {"aws:RequestTag/Team": "red", "aws:TagKeys": both("other")}
    assert told(context, action="kms:TagResource") == ["`aws:RequestTag/team` is there, but `aws:TagKeys` does not list `team`"]
    assert told({**context, "aws:TagKeys": both("TEAM")}, action="kms:TagResource") == []


def test_all_kinds_of_oddity_are_told_at_once_and_each_once() -> None:
    context: dict[str, ContextValue] = {
        "aws:nothing": "x", "aws:username": "eve", "aws:SourceIp": "10.0.0.1", "aws:SourceVpc": "v", "aws:CurrentTime": "0", "aws:EpochTime": "1",
    }  # fmt: skip
    assert told(context, action="kms:x") == [
        "AWS KMS has no action `kms:x`",
        "no request to AWS KMS has the condition key `aws:nothing`",
        "`aws:username` is `eve`, but the principal and the key make it `bob`",
        "`aws:SourceIp` is absent through a VPC endpoint, which `aws:SourceVpc` speaks of",
        "`aws:CurrentTime` is `0` and `aws:EpochTime` is `1`, which are two instants",
    ]


# --------------------------------------------------------------------------------------------------------------------- the rest


def test_a_key_is_spelled_as_aws_writes_it() -> None:
    assert spelled("kms:viaservice") == "kms:ViaService"
    assert spelled("aws:principaltag/Team") == "aws:PrincipalTag/Team"
    assert spelled("No:Such") == "No:Such"


def test_a_time_that_is_given_is_not_replaced() -> None:
    given: dict[str, ContextValue] = {"aws:currenttime": "1", "aws:epochtime": "2"}
    assert complete(Request("nobody", "kms:Decrypt", given)).context == given


def test_what_is_not_known_of_a_key_settles_nothing() -> None:
    assert determined(Request("nobody", "kms:Decrypt", {})) == {}
    assert determined(Request("nobody", "kms:Decrypt", {}, KeyContext(tags=()))) == {}
