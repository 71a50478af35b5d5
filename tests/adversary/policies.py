"""Policies at the edges of the semantics, each with the verdict that SEMANTICS argues for.

A verdict is one letter a rule, in the order of RULES: F fails, I fails as a notice, U undetermined, P passes, `.` not judged here.
The key is of account OWNER in partition aws, with nothing configured; OTHER is an account that policies name, everybody else a stranger.
"""

from collections.abc import Iterator, Mapping

OWNER, OTHER = "111122223333", "444455556666"
RULES = ("public-access", "unbounded-wildcard", "untrusted-account-access", "confused-deputy")
ORG = "o-aaaaaaaaaa"

Statement = dict[str, object]
Policy = dict[str, object]
Case = tuple[str, Policy, str]


def statement(
    effect: str = "Allow", principal: object = "*", action: object = "kms:Decrypt", condition: object = None, **more: object
) -> Statement:
    """A statement on the whole key; None in `more` leaves an element out."""
    made = {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*", "Condition": condition, **more}
    return {name: value for name, value in made.items() if value is not None}


def policy(*statements: Statement, version: str | None = "2012-10-17") -> Policy:
    """A policy of these statements."""
    return {**({"Version": version} if version else {}), "Statement": list(statements)}


def _on(operator: str, key: str, value: object) -> Mapping[str, object]:
    return {operator: {key: value}}


_CALLER, _ORGANIZATION, _ARN = "kms:CallerAccount", "aws:PrincipalOrgID", "aws:PrincipalArn"
_SOURCE, _SOURCE_ARN = "aws:SourceAccount", "aws:SourceArn"
_ROLE = f"arn:aws:iam::{OWNER}:role/Admin"

# What bounds an Allow for everybody, and what does not.
_ALLOWS: tuple[tuple[str, object, str], ...] = (
    ("nothing", None, "FFFF"),
    ("no condition in a table", {}, "FFFF"),
    ("the owner", _on("StringEquals", _CALLER, OWNER), "PPPP"),
    ("the owner, in a list", _on("StringEquals", _CALLER, [OWNER]), "PPPP"),
    ("the owner, key in another case", _on("StringEquals", "KMS:CALLERACCOUNT", OWNER), "PPPP"),
    ("the owner, by aws:PrincipalAccount", _on("StringEquals", "aws:PrincipalAccount", OWNER), "PPPP"),
    ("the owner or another", _on("StringEquals", _CALLER, [OWNER, OTHER]), "PPFP"),
    ("another", _on("StringEquals", _CALLER, OTHER), "PPFP"),
    ("any account, by a wildcard", _on("StringLike", _CALLER, "*"), "FFF."),
    ("accounts by a prefix", _on("StringLike", _CALLER, "1111*"), "FFF."),
    ("accounts by twelve places", _on("StringLike", _CALLER, "????????????"), "FFF."),
    ("accounts by eleven places", _on("StringLike", _CALLER, "???????????"), "PPP."),
    ("the owner or a wildcard", _on("StringLike", _CALLER, [OWNER, "9*"]), "FFF."),
    ("a literal star", _on("StringEquals", _CALLER, "*"), "PPP."),
    ("an account of thirteen digits", _on("StringEquals", _CALLER, OWNER + "4"), "PPP."),
    ("the owner, if the key exists", _on("StringEqualsIfExists", _CALLER, OWNER), "PPP."),
    ("the owner, for all values", _on("ForAllValues:StringEquals", _CALLER, OWNER), "PPP."),
    ("the owner, for any value", _on("ForAnyValue:StringEquals", _CALLER, OWNER), "PPP."),
    ("not the owner", _on("StringNotEquals", _CALLER, OWNER), "FFF."),
    ("not another", _on("StringNotEquals", _CALLER, OTHER), "FFF."),
    ("no caller account", _on("Null", _CALLER, "true"), "PPP."),
    ("some caller account", _on("Null", _CALLER, "false"), "FFF."),
    ("some or no caller account", _on("Null", _CALLER, ["true", "false"]), "FFFF"),
    ("the owner and not the owner", {**_on("StringEquals", _CALLER, OWNER), **_on("StringNotEquals", _CALLER, OWNER)}, "PPPP"),
    ("an organization", _on("StringEquals", _ORGANIZATION, ORG), "PPFP"),
    ("an organization, if the key exists", _on("StringEqualsIfExists", _ORGANIZATION, ORG), "FFFF"),
    ("an organization, for all values", _on("ForAllValues:StringEquals", _ORGANIZATION, ORG), "FFFF"),
    ("an organization, for any value", _on("ForAnyValue:StringEquals", _ORGANIZATION, ORG), "PPFP"),
    (
        "an organization, for all values and present",
        {**_on("ForAllValues:StringEquals", _ORGANIZATION, ORG), **_on("Null", _ORGANIZATION, "false")},
        "PPFP",
    ),
    ("not an organization", _on("StringNotEquals", _ORGANIZATION, ORG), "FFFF"),
    ("not an organization, for any value", _on("ForAnyValue:StringNotEquals", _ORGANIZATION, ORG), "FFFP"),
    ("organizations by a wildcard", _on("StringLike", _ORGANIZATION, "o-*"), "FFFP"),
    ("no organization", _on("Null", _ORGANIZATION, "true"), "FFFF"),
    ("some organization", _on("Null", _ORGANIZATION, "false"), "FFFP"),
    ("an organization in another case", _on("StringEqualsIgnoreCase", _ORGANIZATION, ORG.upper()), "..FP"),
    ("paths of an organization", _on("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{ORG}/r-ab12/*"), "..FP"),
    ("paths of all organizations", _on("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "*/r-*"), "..FP"),
    ("paths, for all values", _on("ForAllValues:StringLike", "aws:PrincipalOrgPaths", f"{ORG}/*"), "FFFF"),
    ("an address range", _on("IpAddress", "aws:SourceIp", "10.0.0.0/8"), "PFF."),
    ("every IPv4 address", _on("IpAddress", "aws:SourceIp", "0.0.0.0/0"), "FFF."),
    ("every IPv4 address in halves", _on("IpAddress", "aws:SourceIp", ["0.0.0.0/1", "128.0.0.0/1"]), "FFF."),
    ("every IPv6 address", _on("IpAddress", "aws:SourceIp", "::/0"), "UFF."),
    ("addresses outside a range", _on("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"), "FFFF"),
    ("an address range that is none", _on("IpAddress", "aws:SourceIp", "10.0.0.0/33"), "PPPP"),
    ("an endpoint", _on("StringEquals", "aws:SourceVpce", "vpce-1"), "PFFP"),
    ("an endpoint, if any", _on("StringEqualsIfExists", "aws:SourceVpce", "vpce-1"), "FFFF"),
    ("not an endpoint", _on("StringNotEquals", "aws:SourceVpce", "vpce-1"), "FFFF"),
    ("some endpoint", _on("Null", "aws:SourceVpce", "false"), "PFFP"),
    (
        "an endpoint and an address",
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}, "IpAddress": {"aws:SourceIp": "9.9.9.9"}},
        "PUUP",
    ),
    ("an endpoint of the owner", _on("StringEquals", "aws:VpceAccount", OWNER), "UFFP"),
    ("a service in between", _on("StringEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com"), "PFFU"),
    (
        "a service in between, for all values",
        _on("ForAllValues:StringEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com"),
        "FFFF",
    ),
    (
        "a service in between and the owner",
        {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com", _CALLER: OWNER}},
        "PPPP",
    ),
    ("an encryption context", _on("StringEquals", "kms:EncryptionContext:purpose", "x"), "FFFF"),
    ("a user agent", _on("StringEquals", "aws:UserAgent", "x"), "FFFF"),
    ("an alias", _on("StringEquals", "kms:RequestAlias", "alias/x"), "FFF."),
    ("multi-factor authentication", _on("Bool", "aws:MultiFactorAuthPresent", "true"), "FFF."),
    ("a recent second factor", _on("NumericLessThan", "aws:MultiFactorAuthAge", "3600"), "FFF."),
    ("a tag of the caller", _on("StringEquals", "aws:PrincipalTag/team", "x"), "FFFP"),
    ("two equal tags", _on("StringEquals", "aws:PrincipalTag/a", "${aws:PrincipalTag/b}"), "FFFP"),
    ("a date in the past", _on("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z"), "FFFF"),
    ("a date far ahead", _on("DateLessThan", "aws:CurrentTime", "2999-01-01T00:00:00Z"), "FFFF"),
    ("a date that is none", _on("DateGreaterThan", "aws:CurrentTime", "tomorrow"), "PPPP"),
    (
        "no moment at all",
        {"DateGreaterThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}, "DateLessThan": {"aws:EpochTime": "1577836800"}},
        "PPPP",
    ),
    ("services only", _on("Bool", "aws:PrincipalIsAWSService", "true"), "PPPF"),
    ("no services", _on("Bool", "aws:PrincipalIsAWSService", "false"), "FFFP"),
    ("no services, upper case", _on("Bool", "aws:PrincipalIsAWSService", "FALSE"), "FFFP"),
    ("no services, JSON false", _on("Bool", "aws:PrincipalIsAWSService", value=False), "FFFP"),
    ("no services, as text", _on("StringEquals", "aws:PrincipalIsAWSService", "false"), "FFFP"),
    ("a service name", _on("StringEquals", "aws:PrincipalServiceName", "s3.amazonaws.com"), "PPPF"),
    ("a kind of principal", _on("StringEquals", "aws:PrincipalType", "AssumedRole"), "FFF."),
    ("a kind that does not exist", _on("StringEquals", "aws:PrincipalType", "Robot"), "PPP."),
    ("a role of the owner", _on("ArnEquals", _ARN, _ROLE), "PPPP"),
    ("roles of every account", _on("ArnLike", _ARN, "arn:aws:iam::*:role/Admin"), "FFFU"),
    ("roles of every account, literally", _on("StringEquals", _ARN, "arn:aws:iam::*:role/Admin"), "PPPP"),
    ("a session as aws:PrincipalArn", _on("StringEquals", _ARN, f"arn:aws:sts::{OWNER}:assumed-role/Admin/s"), "PPPP"),
    ("roles of another account", _on("ArnLike", _ARN, f"arn:aws:iam::{OTHER}:role/*"), "PPFP"),
    ("everything of the owner", _on("ArnLike", _ARN, f"arn:aws:iam::{OWNER}:*"), "PPPP"),
    ("a role of another partition", _on("ArnEquals", _ARN, f"arn:aws-cn:iam::{OTHER}:role/x"), "PPPP"),
    ("a prefix that ends in the account", _on("StringLike", _ARN, f"arn:aws:iam::{OWNER}*"), "PPP."),
    ("the owner's number in a role's name", _on("StringLike", _ARN, f"arn:aws:iam::*:role/*{OWNER}*"), "FFFU"),
    ("a prefix without the last digit", _on("StringLike", _ARN, f"arn:aws:iam::{OWNER[:-1]}*"), "FFFU"),
    ("a user's name", _on("StringEquals", "aws:username", "bob"), "FFFP"),
    ("a role's unique id", _on("StringLike", "aws:userid", "AROAEXAMPLEEXAMPLE123:*"), "PPFP"),
    ("every unique id", _on("StringLike", "aws:userid", "AROA*"), "FFF."),
    ("the owner as source", _on("StringEquals", _SOURCE, OWNER), "PPPP"),
    ("another as source", _on("StringEquals", _SOURCE, OTHER), "PPPF"),
    ("not the owner as source", _on("StringNotEquals", _SOURCE, OWNER), "FFFF"),
    ("the owner as source, if any", _on("StringEqualsIfExists", _SOURCE, OWNER), "FFFF"),
    ("the caller's own account", _on("StringEquals", _CALLER, "${aws:PrincipalAccount}"), "FFF."),
    ("not the caller's own account", _on("StringNotEquals", _CALLER, "${aws:PrincipalAccount}"), "PPP."),
    ("the key's account", _on("StringEquals", _CALLER, "${aws:ResourceAccount}"), "PPPP"),
    ("the key's account, with a default", _on("StringEquals", _CALLER, f"${{aws:ResourceAccount, '{OTHER}'}}"), "PPP."),
    ("not a variable without a value", _on("StringNotEquals", "aws:UserAgent", "${aws:SourceVpce}"), "FFFF"),
    ("a variable without a value", _on("StringEquals", "aws:UserAgent", "${aws:PrincipalOrgPaths}"), "PPPP"),
    ("a star that is a letter", _on("StringLike", _CALLER, "${*}"), "PPP."),
)

# Who is meant.
_PRINCIPALS: tuple[tuple[str, object, str], ...] = (
    ("everybody", "*", "FFFF"),
    ("everybody of AWS", {"AWS": "*"}, "FFFF"),
    ("everybody in a list", {"AWS": [OWNER, "*"]}, "FFFF"),
    ("everybody beside a service", {"Service": "s3.amazonaws.com", "AWS": "*"}, "FFFF"),
    ("another account", {"AWS": OTHER}, "PPFP"),
    ("another account's root", {"AWS": f"arn:aws:iam::{OTHER}:root"}, "PPFP"),
    ("a role of another account", {"AWS": f"arn:aws:iam::{OTHER}:role/x"}, "PPFP"),
    ("a user of another account", {"AWS": f"arn:aws:iam::{OTHER}:user/x"}, "PPFP"),
    ("a session of another account", {"AWS": f"arn:aws:sts::{OTHER}:assumed-role/x/s"}, "PPFP"),
    ("a federated user of another account", {"AWS": f"arn:aws:sts::{OTHER}:federated-user/x"}, "PPFP"),
    ("the owner", {"AWS": OWNER}, "PPPP"),
    ("a role of the owner", {"AWS": _ROLE}, "PPPP"),
    ("another partition", {"AWS": f"arn:aws-cn:iam::{OTHER}:root"}, "PPPP"),
    ("a group", {"AWS": f"arn:aws:iam::{OTHER}:group/x"}, "PPPP"),
    ("roles by a wildcard", {"AWS": f"arn:aws:iam::{OTHER}:role/*"}, "PPPP"),
    ("accounts by a wildcard", {"AWS": "arn:aws:iam::*:root"}, "PPPP"),
    ("a number that is no account", {"AWS": OTHER[1:]}, "PPPP"),
    ("nobody", {"AWS": []}, "PPPP"),
    ("nobody at all", {}, "PPPP"),
    ("a service", {"Service": "s3.amazonaws.com"}, "PPPF"),
    ("a regional service", {"Service": "logs.us-east-1.amazonaws.com"}, "PPPF"),
    ("every service", {"Service": "*"}, "PPPP"),
    ("a provider of OpenID Connect", {"Federated": "accounts.google.com"}, "PPPP"),
    ("a deleted role", {"AWS": "AROAEXAMPLEEXAMPLE12"}, "..U."),
)

_ACTIONS: tuple[tuple[str, object, str], ...] = (
    ("upper case", "KMS:DECRYPT", "FFFF"),
    ("a question mark", "kms:Dec?ypt", "FFFF"),
    ("too many question marks", "kms:Dec??ypt", "PPPP"),
    ("everything", "*", "FFFF"),
    ("every action", "kms:*", "FFFF"),
    ("a wildcard in the service", "k*:Decrypt", "UUUU"),
    ("a wildcard as service", "*:Decrypt", "UUUU"),
    ("another service", "s3:*", "PPPP"),
    ("a space behind", "kms:Decrypt ", "PPPP"),
    ("no service", "Decrypt", "PPPP"),
    ("no action of its own", "kms:ReEncrypt", "PPPP"),
    ("re-encryption", "kms:ReEncryptTo", "FFFF"),
    ("an action of no key", "kms:ListKeys", "PPPP"),
    ("an action without effect", "kms:RetireGrant", "PPPP"),
    ("an action for the owner alone", "kms:PutKeyPolicy", "PPPP"),
    ("actions for the owner alone", ["kms:*Policy", "kms:ScheduleKeyDeletion", "kms:Enable*"], "PPP."),
    ("a read across accounts", "kms:DescribeKey", "FFF."),
    ("a grant", "kms:CreateGrant", "FFFF"),
    ("no action", [], "PPPP"),
    ("an action among strangers", ["s3:GetObject", "kms:Decrypt"], "FFFF"),
    ("a line break behind", "kms:Decrypt\n", "PPPP"),
    ("a letter that only looks like K", "\u212ams:Decrypt", "PPPP"),
    ("a letter that only looks like s", "km\u017f:Decrypt", "PPPP"),
)

_NOT_ACTIONS: tuple[tuple[str, object, str], ...] = (
    ("but decryption", "kms:Decrypt", "FFFF"),
    ("but every action", "kms:*", "PPPP"),
    ("but everything", "*", "PPPP"),
    ("but another service", "s3:*", "FFFF"),
    ("but nothing", [], "UUUU"),
    ("but a wildcard of no action", "kms:Zzz*", "FFFF"),
)

# Denies beside `Allow * kms:Decrypt`.
_DENIES: tuple[tuple[str, tuple[Statement, ...], str], ...] = (
    ("the same", (statement("Deny"),), "PPPP"),
    ("the same, for AWS", (statement("Deny", {"AWS": "*"}),), "PPPP"),
    ("everything", (statement("Deny", action="*"),), "PPPP"),
    ("the same in another case", (statement("Deny", action="kms:DECRYPT"),), "PPPP"),
    ("another action", (statement("Deny", action="kms:Encrypt"),), "FFFF"),
    ("all but this action", (statement("Deny", action=None, NotAction="kms:Decrypt"),), "FFFF"),
    ("all but reading", (statement("Deny", action=None, NotAction="kms:Describe*"),), "PPPP"),
    ("without a resource", (statement("Deny", Resource=None),), "FFFF"),
    ("for another key", (statement("Deny", Resource=f"arn:aws:kms:us-east-1:{OWNER}:key/other"),), "UUUU"),
    ("whoever is not of the owner", (statement("Deny", condition=_on("StringNotEquals", _CALLER, OWNER)),), "PPPP"),
    (
        "whoever is not of the owner, if exists",
        (statement("Deny", condition=_on("StringNotEqualsIfExists", _CALLER, OWNER)),),
        "PPPP",
    ),
    (
        "whoever is not of the owner, with another operator",
        (statement("Deny", condition=_on("StringNotLike", _CALLER, OWNER)),),
        "PPPP",
    ),
    (
        "whoever is not of the owner, for all values",
        (statement("Deny", condition=_on("ForAllValues:StringNotEquals", _CALLER, OWNER)),),
        "PPP.",
    ),
    ("one stranger", (statement("Deny", condition=_on("StringEquals", _CALLER, OTHER)),), "FFF."),
    ("one stranger's account", (statement("Deny", {"AWS": OTHER}),), "FFFF"),
    ("the owner", (statement("Deny", {"AWS": OWNER}),), "FFFF"),
    ("whoever is not of an organization", (statement("Deny", condition=_on("StringNotEquals", _ORGANIZATION, ORG)),), "PPFP"),
    (
        "whoever is of another organization",
        (statement("Deny", condition=_on("ForAnyValue:StringNotEquals", _ORGANIZATION, ORG)),),
        "FFFF",
    ),
    (
        "whoever is not of an organization, but services",
        (
            statement(
                "Deny",
                condition={**_on("StringNotEquals", _ORGANIZATION, ORG), **_on("Bool", "aws:PrincipalIsAWSService", "false")},
            ),
        ),
        "PPFF",
    ),
    (
        "neither owner nor organization",
        (statement("Deny", condition={"StringNotEquals": {_CALLER: OWNER, _ORGANIZATION: ORG}}),),
        "PPFP",
    ),
    (
        "not the owner, not the organization",
        (
            statement("Deny", condition=_on("StringNotEquals", _CALLER, OWNER)),
            statement("Deny", condition=_on("StringNotEquals", _ORGANIZATION, ORG)),
        ),
        "PPPP",
    ),
    (
        "without a second factor",
        (statement("Deny", condition=_on("BoolIfExists", "aws:MultiFactorAuthPresent", "false")),),
        "FFF.",
    ),
    ("without an endpoint", (statement("Deny", condition=_on("StringNotEquals", "aws:SourceVpce", "vpce-1")),), "PFFP"),
    ("without an address", (statement("Deny", condition=_on("NotIpAddress", "aws:SourceIp", "10.0.0.0/8")),), "PFF."),
    ("plain transport", (statement("Deny", condition=_on("Bool", "aws:SecureTransport", "false")),), "FFFF"),
    ("every account by a wildcard", (statement("Deny", condition=_on("StringLike", _CALLER, "*")),), "PPP."),
    ("every first digit", tuple(statement("Deny", condition=_on("StringLike", _CALLER, f"{d}*")) for d in range(10)), "PPP."),
    (
        "every first digit but one",
        tuple(statement("Deny", condition=_on("StringLike", _CALLER, f"{d}*")) for d in range(10) if d != 7),
        "FFF.",
    ),
    (
        "every kind of principal",
        (
            statement(
                "Deny", condition=_on("StringEquals", "aws:PrincipalType", ["Account", "User", "FederatedUser", "AssumedRole"])
            ),
        ),
        "PPP.",
    ),
    (
        "every kind but one",
        (statement("Deny", condition=_on("StringEquals", "aws:PrincipalType", ["Account", "User", "AssumedRole"])),),
        "FFF.",
    ),
    (
        "every moment",
        (
            statement("Deny", condition=_on("DateLessThan", "aws:CurrentTime", "2027-01-01T00:00:00Z")),
            statement("Deny", condition=_on("DateGreaterThanEquals", "aws:CurrentTime", "2027-01-01T00:00:00Z")),
        ),
        "PPPP",
    ),
    (
        "every moment but one",
        (
            statement("Deny", condition=_on("DateLessThan", "aws:CurrentTime", "2027-01-01T00:00:00Z")),
            statement("Deny", condition=_on("DateGreaterThan", "aws:CurrentTime", "2027-01-01T00:00:00Z")),
        ),
        "FFFF",
    ),
    (
        "every moment, on two clocks",
        (
            statement("Deny", condition=_on("DateLessThan", "aws:CurrentTime", "2027-01-01T00:00:00Z")),
            statement("Deny", condition=_on("NumericGreaterThanEquals", "aws:EpochTime", "1798761600")),
        ),
        "UUUU",
    ),
    ("all but the owner's root", (statement("Deny", None, NotPrincipal={"AWS": f"arn:aws:iam::{OWNER}:root"}),), "PPPP"),
    ("all but another's root", (statement("Deny", None, NotPrincipal={"AWS": f"arn:aws:iam::{OTHER}:root"}),), "PPFP"),
    ("all but a service", (statement("Deny", None, NotPrincipal={"Service": "s3.amazonaws.com"}),), "PPPF"),
    ("an unknown condition key", (statement("Deny", condition=_on("StringNotEquals", "foo:bar", "x")),), "UUUU"),
    ("an unknown operator", (statement("Deny", condition=_on("StringMatches", _CALLER, "*")),), "UUUU"),
    (
        "a condition on an unmatched context",
        (statement("Deny", condition=_on("Null", "kms:EncryptionContext:a", "true")),),
        "FFFF",
    ),
    (
        "with and without a context",
        (
            statement("Deny", condition=_on("Null", "kms:EncryptionContext:a", "true")),
            statement("Deny", condition=_on("StringLike", "kms:EncryptionContext:A", "*")),
        ),
        "UUUU",
    ),
    (
        "without a context, and one value",
        (
            statement("Deny", condition=_on("Null", "kms:EncryptionContext:a", "true")),
            statement("Deny", condition=_on("StringEquals", "kms:EncryptionContext:a", "1")),
        ),
        "FFFF",
    ),
    ("by a deny written allow", (statement("deny"),), "UUUU"),
)

# A service's statement: what binds it to the owner.
_BINDINGS: tuple[tuple[str, object, str], ...] = (
    ("nothing", None, "F"),
    ("the source account", _on("StringEquals", _SOURCE, OWNER), "P"),
    ("the source account, upper case", _on("StringEquals", "AWS:SOURCEACCOUNT", OWNER), "P"),
    ("another source account", _on("StringEquals", _SOURCE, OTHER), "F"),
    ("the source account, if any", _on("StringEqualsIfExists", _SOURCE, OWNER), "F"),
    ("the source account, for all values", _on("ForAllValues:StringEquals", _SOURCE, OWNER), "F"),
    ("the source account by a wildcard", _on("StringLike", _SOURCE, "1111*"), "F"),
    ("a source", _on("ArnLike", _SOURCE_ARN, f"arn:aws:logs:us-east-1:{OWNER}:*"), "P"),
    ("a source of any account", _on("ArnLike", _SOURCE_ARN, "arn:aws:logs:us-east-1:*:*"), "F"),
    ("a source of another", _on("ArnLike", _SOURCE_ARN, f"arn:aws:logs:us-east-1:{OTHER}:*"), "F"),
    ("the owner's number in a name", _on("ArnLike", _SOURCE_ARN, f"arn:aws:logs:us-east-1:*:log-group:{OWNER}"), "F"),
    ("a bucket", _on("ArnEquals", _SOURCE_ARN, "arn:aws:s3:::claims"), "P"),
    ("buckets by a wildcard", _on("ArnLike", _SOURCE_ARN, "arn:aws:s3:::*"), "F"),
    ("buckets and the account", {**_on("ArnLike", _SOURCE_ARN, "arn:aws:s3:::*"), **_on("StringEquals", _SOURCE, OWNER)}, "P"),
    ("the caller account", _on("StringEquals", _CALLER, OWNER), "P"),
    (
        "a context with the account",
        _on("StringLike", "kms:EncryptionContext:aws:cloudtrail:arn", f"arn:aws:cloudtrail:*:{OWNER}:trail/*"),
        "P",
    ),
    (
        "a context without the account",
        _on("StringLike", "kms:EncryptionContext:aws:cloudtrail:arn", "arn:aws:cloudtrail:*:*:trail/*"),
        "F",
    ),
    ("not another source account", _on("StringNotEquals", _SOURCE, OTHER), "F"),
    ("an organization that is not trusted", _on("StringEquals", "aws:SourceOrgID", ORG), "F"),
)

_ADMIN = statement(principal={"AWS": _ROLE}, action="kms:ScheduleKeyDeletion")
_WINDOW = "kms:ScheduleKeyDeletionPendingWindowInDays"


def _admin(operator: str, value: object) -> Statement:
    return {**_ADMIN, "Condition": {operator: {_WINDOW: value}}}


def _no(operator: str, value: object, principal: object = "*") -> Statement:
    return statement("Deny", principal, "kms:ScheduleKeyDeletion", {operator: {_WINDOW: value}})


# Who may choose a short waiting period (30 days are asked for; AWS takes 7 to 30).
DELETIONS: tuple[tuple[str, tuple[Statement, ...], str], ...] = (
    ("nothing", (_ADMIN,), "F"),
    ("a deny below 30", (_ADMIN, _no("NumericLessThan", "30")), "P"),
    ("a deny below 30, a number", (_ADMIN, _no("NumericLessThan", 30)), "P"),
    ("a deny below 30.0", (_ADMIN, _no("NumericLessThan", "30.0")), "P"),
    ("a deny below 30, if exists", (_ADMIN, _no("NumericLessThanIfExists", "30")), "P"),
    ("a deny below 29", (_ADMIN, _no("NumericLessThan", "29")), "F"),
    ("a deny up to 29", (_ADMIN, _no("NumericLessThanEquals", "29")), "P"),
    ("a deny of all but 30", (_ADMIN, _no("NumericNotEquals", "30")), "P"),
    ("a deny of all but 30, as text", (_ADMIN, _no("StringNotEquals", "30")), "P"),
    ("a deny above 30", (_ADMIN, _no("NumericGreaterThan", "30")), "F"),
    ("a deny below no number", (_ADMIN, _no("NumericLessThan", "thirty")), "F"),
    ("a deny for any value", (_ADMIN, _no("ForAnyValue:NumericLessThan", "30")), "P"),
    ("a deny for another role", (_ADMIN, _no("NumericLessThan", "30", {"AWS": _ROLE + "2"})), "F"),
    ("a deny for this role", (_ADMIN, _no("NumericLessThan", "30", {"AWS": _ROLE})), "P"),
    ("a deny for the account", (_ADMIN, _no("NumericLessThan", "30", {"AWS": OWNER})), "P"),
    ("a deny for another account", (_ADMIN, _no("NumericLessThan", "30", {"AWS": OTHER})), "F"),
    ("a deny in a list of numbers", (_ADMIN, _no("NumericEquals", [str(days) for days in range(7, 30)])), "P"),
    ("a deny in a list with a hole", (_ADMIN, _no("NumericEquals", [str(days) for days in range(7, 30) if days != 13])), "F"),
    (
        "a deny with a second factor",
        (
            _ADMIN,
            statement(
                "Deny",
                "*",
                "kms:ScheduleKeyDeletion",
                {"NumericLessThan": {_WINDOW: "30"}, "Bool": {"aws:MultiFactorAuthPresent": "false"}},
            ),
        ),
        "F",
    ),
    ("an allow from 30", (_admin("NumericGreaterThanEquals", "30"),), "P"),
    ("an allow above 29", (_admin("NumericGreaterThan", "29"),), "P"),
    ("an allow above 28", (_admin("NumericGreaterThan", "28"),), "F"),
    ("an allow of two", (_admin("NumericEquals", ["30", "14"]),), "F"),
    ("an allow below AWS's least", (_admin("NumericLessThan", "7"),), "P"),
    ("an allow from 30, if exists", (_admin("NumericGreaterThanEqualsIfExists", "30"),), "P"),
    ("the account", (statement(principal={"AWS": OWNER}, action="kms:*"),), "I"),
    ("another account", (statement(principal={"AWS": OTHER}, action="kms:*"),), "P"),
    ("a service", (statement(principal={"Service": "config.amazonaws.com"}, action="kms:*"),), "F"),
    ("everybody", (statement(action="kms:Schedule*"),), "F"),
    ("everybody's own account", (statement(action="kms:*", condition=_on("StringEquals", _CALLER, OWNER)),), "F"),
    ("all actions but this", (statement(principal={"AWS": _ROLE}, action=None, NotAction="kms:ScheduleKeyDeletion"),), "P"),
    ("all actions but another", (statement(principal={"AWS": _ROLE}, action=None, NotAction="kms:DisableKey"),), "F"),
    ("a session", (statement(principal={"AWS": f"arn:aws:sts::{OWNER}:assumed-role/a/b"}, action="kms:*"),), "F"),
)

_ROOT = statement(principal={"AWS": f"arn:aws:iam::{OWNER}:root"}, action="kms:*")
_TWO = {"AWS": [_ROLE, _ROLE + "2"]}

# Who can be relied on to change the policy. The letter L: fails as low.
ADMINISTRATORS: tuple[tuple[str, tuple[Statement, ...], str], ...] = (
    ("the account", (_ROOT,), "P"),
    ("the account, twelve digits", ({**_ROOT, "Principal": {"AWS": OWNER}},), "P"),
    (
        "the account, all but one action",
        ({**{k: v for k, v in _ROOT.items() if k != "Action"}, "NotAction": "kms:Decrypt"},),
        "P",
    ),
    ("the account, two actions", ({**_ROOT, "Action": ["kms:GetKeyPolicy", "kms:PutKeyPolicy"]},), "P"),
    ("the account, to write only", ({**_ROOT, "Action": "kms:PutKeyPolicy"},), "F"),
    ("the account, with a second factor", ({**_ROOT, "Condition": _on("Bool", "aws:MultiFactorAuthPresent", "true")},), "P"),
    ("the account, of its organization", ({**_ROOT, "Condition": _on("StringEquals", _ORGANIZATION, ORG)},), "P"),
    ("the account, from an address", ({**_ROOT, "Condition": _on("IpAddress", "aws:SourceIp", "9.9.9.0/24")},), "F"),
    ("the account, from an endpoint", ({**_ROOT, "Condition": _on("StringEquals", "aws:SourceVpce", "vpce-1")},), "F"),
    (
        "the account, for some years",
        ({**_ROOT, "Condition": _on("DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:00Z")},),
        "F",
    ),
    ("the account, denied to all", (_ROOT, statement("Deny", action="kms:PutKeyPolicy")), "F"),
    ("the account, denied in another case", (_ROOT, statement("Deny", action="KMS:PUTKEYPOLICY")), "F"),
    (
        "the account, denied to strangers",
        (_ROOT, statement("Deny", action="kms:*", condition=_on("StringNotEquals", _CALLER, OWNER))),
        "P",
    ),
    ("the account, denied to a role", (_ROOT, statement("Deny", {"AWS": _ROLE}, "kms:PutKeyPolicy")), "P"),
    ("the account, denied to itself", (_ROOT, statement("Deny", {"AWS": OWNER}, "kms:PutKeyPolicy")), "F"),
    (
        "the account, the bypass denied",
        (
            _ROOT,
            statement("Deny", action="kms:PutKeyPolicy", condition=_on("Bool", "kms:BypassPolicyLockoutSafetyCheck", "true")),
        ),
        "P",
    ),
    ("another account", ({**_ROOT, "Principal": {"AWS": OTHER}},), "F"),
    ("one role", ({**_ROOT, "Principal": {"AWS": _ROLE}},), "F"),
    ("one role twice", ({**_ROOT, "Principal": {"AWS": [_ROLE, _ROLE]}},), "F"),
    ("two roles", ({**_ROOT, "Principal": _TWO},), "L"),
    (
        "two sessions",
        ({**_ROOT, "Principal": {"AWS": [f"arn:aws:sts::{OWNER}:assumed-role/a/b", f"arn:aws:sts::{OWNER}:assumed-role/a/c"]}},),
        "F",
    ),
    ("everybody of the account", (statement(action="kms:*", condition=_on("StringEquals", _CALLER, OWNER)),), "P"),
    ("a service", (statement(principal={"Service": "config.amazonaws.com"}, action="kms:*"),), "F"),
    ("the account without a resource", ({k: v for k, v in _ROOT.items() if k != "Resource"},), "F"),
)


def access_cases() -> Iterator[Case]:
    """Each case: its name, the policy, a letter for each of RULES."""
    for name, condition, verdict in _ALLOWS:
        yield f"bounded by: {name}", policy(statement(condition=condition)), verdict
    for name, principal, verdict in _PRINCIPALS:
        yield f"principal: {name}", policy(_ROOT, statement(principal=principal)), verdict
    for name, action, verdict in _ACTIONS:
        yield f"action: {name}", policy(statement(action=action)), verdict
    for name, action, verdict in _NOT_ACTIONS:
        yield f"not action: {name}", policy(statement(action=None, NotAction=action)), verdict
    for name, denies, verdict in _DENIES:
        yield f"denied: {name}", policy(statement(), *denies), verdict
        yield f"denied first: {name}", policy(*denies, statement()), verdict
    for name, condition, verdict in _BINDINGS:
        yield (
            f"service: {name}",
            policy(statement(principal={"Service": "s3.amazonaws.com"}, condition=condition)),
            "PPP" + verdict,
        )
    yield from _versions()
    yield from _exceptions()


def _versions() -> Iterator[Case]:
    """Variables are text in version 2008-10-17 and where no version stands."""
    own = _on("StringEquals", _CALLER, "${aws:PrincipalAccount}")
    other = _on("StringNotEquals", _CALLER, "${aws:PrincipalAccount}")
    for version in ("2008-10-17", None):
        yield f"version {version}: own account", policy(statement(condition=own), version=version), "PPP."
        yield f"version {version}: not own account", policy(statement(condition=other), version=version), "FFF."
        star = statement(condition=_on("StringLike", "aws:UserAgent", "*"))
        yield f"version {version}: wildcards work", policy(star, version=version), "FFFF"


def _exceptions() -> Iterator[Case]:
    """NotPrincipal beside Allow."""
    for name, principal in (
        ("the owner", {"AWS": OWNER}),
        ("a role", {"AWS": _ROLE}),
        ("a service", {"Service": "s3.amazonaws.com"}),
    ):
        yield f"allowed to all but {name}", policy(statement(principal=None, NotPrincipal=principal)), "FFFF"
    yield "allowed to all but everybody", policy(statement(principal=None, NotPrincipal="*")), "PPPP"
    yield "an effect written allow", policy(_ROOT, statement("allow")), "UUUU"
    none = {"StringEquals": {_CALLER: []}}
    yield "an empty list of accounts", policy(_ROOT, statement(condition=none)), "UUUU"
