"""Condition keys: type, presence and values of everything that a KMS request can carry.

Presence answers "is the key in the request context?" for each kind of principal:

    U  IAM user              R  role session        F  GetFederationToken session
    T  account root user     S  AWS service principal

Sources, by the tag in each row:
    GCK   IAM User Guide, "AWS global condition context keys"
    VAR   IAM User Guide, "IAM policy elements: Variables and tags", information available in all requests
    KMS   AWS KMS Developer Guide, "AWS KMS condition keys"
    PERM  AWS KMS Developer Guide, "AWS KMS permissions" (which action carries which key)
    API   AWS KMS API Reference (required parameters, enumerations)
    SAR   Service Authorization Reference, AWS Key Management Service
    INF   inferred by kmslint; the note says from what
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from kmslint.aws._tables import ATTESTATION, ENUMS
from kmslint.aws.actions import ACTIONS
from kmslint.aws.spelling import nearest as _nearest
from kmslint.typed import Final, Literal, NamedTuple

Presence = Literal["always", "optional", "never", "unsure"]
"""`optional`: requests with and without the key exist. `unsure`: no source says."""

Type = Literal["String", "ARN", "Numeric", "Date", "Bool", "IP"]
Group = Literal["principal", "session", "network", "resource", "request", "kms"]

KINDS: Final = "URFTS"

_CACHED_LENGTH: Final = 256
"""Longer keys are looked up anew: a policy may hold one of 32 KB."""


class ConditionKey(NamedTuple):
    """One condition key, or one family of keys whose name ends in `*`.

    `presence` is by kind of principal, on an action that carries the key. `values` are all values it can take, None when they
    are open. `const`: the key's metadata, tags, aliases or ARN fix it. `note` says what the other fields cannot.
    """

    name: str
    type: Type
    multi: bool
    presence: Mapping[str, Presence]
    values: tuple[str, ...] | None
    const: bool
    group: Group
    source: str
    note: str = ""


_LETTERS: Final[Mapping[str, Presence]] = {"+": "always", "o": "optional", "-": "never", "?": "unsure"}


@lru_cache(maxsize=32)
def _presence(letters: str) -> Mapping[str, Presence]:
    """`++++?`: one letter for each of U, R, F, T, S."""
    return MappingProxyType({kind: _LETTERS[letter] for kind, letter in zip(KINDS, letters, strict=True)})


_Row = tuple[str, Type, str, str, str]

# name, type, presence for U R F T S, source, note
_PRINCIPAL: Final[tuple[_Row, ...]] = (
    ("aws:PrincipalArn", "ARN", "++++?", "GCK", "the role ARN for a role session; no customer's for a service"),
    ("aws:PrincipalAccount", "String", "++++?", "GCK", "no customer's for a service"),
    ("aws:PrincipalOrgID", "String", "oooo-", "GCK", "when the account is in an organization"),
    ("aws:PrincipalOrgPaths", "String", "oooo-", "GCK", "when the account is in an organization"),
    ("aws:PrincipalTag/*", "String", "ooo--", "GCK", "INF: session tags for F, none for T and S"),
    ("aws:PrincipalIsAWSService", "Bool", "+++++", "GCK", "true for S only; false when a service acts by a grant (KMS)"),
    ("aws:PrincipalServiceName", "String", "----+", "GCK", ""),
    ("aws:PrincipalServiceNamesList", "String", "----+", "GCK", "contains the service principal (INF)"),
    ("aws:PrincipalType", "String", "++++?", "VAR", "a function of the kind"),
    ("aws:userid", "String", "++++?", "VAR", ""),
    ("aws:username", "String", "+----", "GCK", "the name without the path"),
)
_SESSION: Final[tuple[_Row, ...]] = (
    ("aws:TokenIssueTime", "Date", "o++o?", "GCK", "U and T with temporary credentials only"),
    ("aws:MultiFactorAuthPresent", "Bool", "oo?o-", "GCK", "temporary credentials; said to be absent for federated identities"),
    ("aws:MultiFactorAuthAge", "Numeric", "oo?o-", "GCK", "seconds; as aws:MultiFactorAuthPresent"),
    ("aws:FederatedProvider", "String", "-o---", "GCK", "AssumeRoleWithWebIdentity; a name or an ARN"),
    ("aws:AssumedRoot", "Bool", "---o-", "GCK", "AssumeRoot sessions"),
    ("aws:SourceIdentity", "String", "-o---", "GCK", ""),
    ("aws:SignInSessionArn", "ARN", "oooo-", "GCK", "sign-in sessions"),
    ("aws:ChatbotSourceArn", "ARN", "-o---", "GCK", ""),
    ("aws:Ec2InstanceSourceVpc", "String", "-o---", "GCK", "credentials of an EC2 instance profile"),
    ("aws:Ec2InstanceSourcePrivateIPv4", "IP", "-o---", "GCK", "credentials of an EC2 instance profile"),
    ("ec2:SourceInstanceArn", "ARN", "-o---", "GCK", "credentials of an EC2 instance profile"),
    ("ec2:RoleDelivery", "Numeric", "-o---", "GCK", "credentials of an EC2 instance profile"),
    ("lambda:SourceFunctionArn", "ARN", "-o---", "GCK", ""),
    ("codebuild:BuildArn", "ARN", "-o---", "GCK", ""),
    ("codebuild:ProjectArn", "ARN", "-o---", "GCK", ""),
    ("glue:RoleAssumedBy", "String", "-o---", "GCK", ""),
    ("glue:CredentialIssuingService", "String", "-o---", "GCK", ""),
    ("ssm:SourceInstanceArn", "ARN", "-o---", "GCK", ""),
    ("identitystore:UserId", "String", "-o---", "GCK", "sessions of IAM Identity Center"),
    ("saml:*", "String", "-o---", "GCK", "AssumeRoleWithSAML"),
    ("<oidc-provider>:*", "String", "-o---", "GCK", "AssumeRoleWithWebIdentity; the prefix is the provider's host and path"),
)
_NETWORK: Final[tuple[_Row, ...]] = (
    ("aws:SourceIp", "IP", "oooo?", "GCK", "absent through a VPC endpoint"),
    ("aws:SourceVpce", "String", "oooo-", "GCK", "through a VPC endpoint; the last hop only"),
    ("aws:SourceVpc", "String", "oooo-", "GCK", "as aws:SourceVpce"),
    ("aws:VpcSourceIp", "IP", "oooo-", "GCK", "as aws:SourceVpce"),
    ("aws:SourceVpcArn", "ARN", "oooo-", "GCK", "as aws:SourceVpce"),
    ("aws:VpceAccount", "String", "oooo-", "GCK", "as aws:SourceVpce"),
    ("aws:VpceOrgID", "String", "oooo-", "GCK", "when the endpoint's owner is in an organization"),
    ("aws:VpceOrgPaths", "String", "oooo-", "GCK", "when the endpoint's owner is in an organization"),
)
_RESOURCE: Final[tuple[_Row, ...]] = (
    ("aws:ResourceAccount", "String", "+++++", "GCK", "the account of the key"),
    ("aws:ResourceOrgID", "String", "ooooo", "GCK", "when the key's account is in an organization"),
    ("aws:ResourceOrgPaths", "String", "ooooo", "GCK", "when the key's account is in an organization"),
    ("aws:ResourceTag/*", "String", "ooooo", "GCK", "when the key has the tag; the tag's name ignores case"),
)
_REQUEST: Final[tuple[_Row, ...]] = (
    ("aws:ViaAWSService", "Bool", "++++?", "GCK", "true in a forward access session"),
    ("aws:CalledVia", "String", "oooo?", "GCK", "forward access sessions of some services"),
    ("aws:CalledViaFirst", "String", "oooo?", "GCK", "forward access sessions"),
    ("aws:CalledViaLast", "String", "oooo?", "GCK", "forward access sessions"),
    ("aws:CalledViaAWSMCP", "String", "oooo-", "GCK", "calls by an MCP server of AWS"),
    ("aws:ViaAWSMCPService", "Bool", "oooo-", "GCK", "calls by an MCP server of AWS"),
    ("aws:IsMcpServiceAction", "Bool", "oooo-", "AWS managed policy AWSMcpServiceActionsFullAccess", ""),
    ("aws:CurrentTime", "Date", "+++++", "GCK", "one instant with aws:EpochTime"),
    ("aws:EpochTime", "Date", "+++++", "GCK", "one instant with aws:CurrentTime"),
    ("aws:RequestedRegion", "String", "+++++", "GCK", "INF: the Region of the key, for KMS is regional"),
    ("aws:SecureTransport", "Bool", "+++++", "GCK", "INF: true, for KMS endpoints speak TLS only"),
    ("aws:UserAgent", "String", "+++++", "GCK", "the caller chooses it"),
    ("aws:referer", "String", "oooo?", "GCK", "the caller chooses it"),
    ("aws:TagKeys", "String", "ooooo", "GCK", "PERM: TagResource, UntagResource; INF: the list may be empty"),
    ("aws:RequestTag/*", "String", "ooooo", "GCK", "TagResource; UntagResource by PERM and not by SAR: unsure"),
    ("aws:SourceAccount", "String", "----o", "GCK", "calls by a service principal on behalf of a resource"),
    ("aws:SourceArn", "ARN", "----o", "GCK", "calls by a service principal on behalf of a resource"),
    ("aws:SourceOrgID", "String", "----o", "GCK", "when the source account is in an organization"),
    ("aws:SourceOrgPaths", "String", "----o", "GCK", "when the source account is in an organization"),
)
# On an action that carries the key: ACTIONS says which.
_KMS: Final[tuple[_Row, ...]] = (
    ("kms:CallerAccount", "String", "++++?", "KMS", "aws:PrincipalAccount; no customer's for a service"),
    ("kms:ViaService", "String", "oooo?", "KMS", "forward access sessions of an integrated service"),
    ("kms:KeySpec", "String", "+++++", "KMS", ""),
    ("kms:CustomerMasterKeySpec", "String", "+++++", "KMS", "deprecated name of kms:KeySpec"),
    ("kms:KeyUsage", "String", "+++++", "KMS", ""),
    ("kms:CustomerMasterKeyUsage", "String", "+++++", "KMS", "deprecated name of kms:KeyUsage"),
    ("kms:KeyOrigin", "String", "+++++", "KMS", ""),
    ("kms:MultiRegion", "Bool", "+++++", "KMS", ""),
    ("kms:MultiRegionKeyType", "String", "ooooo", "KMS", "when the key is multi-Region"),
    ("kms:ResourceAliases", "String", "?????", "KMS", "KMS: IAM policies only; PERM: key policies too"),
    ("kms:RequestAlias", "String", "ooooo", "KMS", "when the request names the key by alias"),
    ("kms:EncryptionAlgorithm", "String", "+++++", "KMS", "even when defaulted; SYMMETRIC_DEFAULT on GenerateDataKey*"),
    ("kms:EncapsulationAlgorithm", "String", "+++++", "API", "required parameter"),
    ("kms:EncryptionContext:*", "String", "ooooo", "KMS", "symmetric keys; the name of the pair ignores case"),
    ("kms:EncryptionContextKeys", "String", "ooooo", "KMS", "symmetric keys"),
    ("kms:GrantIsForAWSResource", "Bool", "ooooo", "KMS", "true for an integrated service; else false or absent"),
    ("kms:GrantConstraintType", "String", "ooooo", "KMS", "absent without an encryption context constraint"),
    ("kms:GrantConstraintSourceArn", "ARN", "ooooo", "SAR", ""),
    ("kms:GrantOperations", "String", "+++++", "API", "required parameter; an empty list is refused"),
    ("kms:GranteePrincipal", "String", "ooooo", "KMS", "exactly one of this and kms:GranteeServicePrincipal"),
    ("kms:GranteeServicePrincipal", "String", "ooooo", "SAR", "exactly one of this and kms:GranteePrincipal"),
    ("kms:RetiringPrincipal", "String", "ooooo", "KMS", "at most one of this and kms:RetiringServicePrincipal"),
    ("kms:RetiringServicePrincipal", "String", "ooooo", "SAR", "at most one of this and kms:RetiringPrincipal"),
    ("kms:BypassPolicyLockoutSafetyCheck", "Bool", "ooooo", "KMS", "absent when the parameter is omitted"),
    ("kms:PolicyName", "String", "+++++", "API", "`default` when the parameter is omitted"),
    ("kms:ReEncryptOnSameKey", "Bool", "+++++", "KMS", ""),
    ("kms:DataKeyPairSpec", "String", "+++++", "API", "required parameter"),
    ("kms:MessageType", "String", "ooooo", "KMS", "RAW, or absent, when omitted"),
    ("kms:SigningAlgorithm", "String", "+++++", "API", "required parameter"),
    ("kms:MacAlgorithm", "String", "+++++", "API", "required parameter"),
    ("kms:KeyAgreementAlgorithm", "String", "+++++", "API", "required parameter"),
    ("kms:WrappingAlgorithm", "String", "+++++", "API", "required parameter"),
    ("kms:WrappingKeySpec", "String", "+++++", "API", "required parameter"),
    ("kms:ExpirationModel", "String", "ooooo", "KMS", "absent when the parameter is omitted"),
    ("kms:ValidTo", "Date", "ooooo", "KMS", "epoch seconds"),
    ("kms:PrimaryRegion", "String", "+++++", "API", "required parameter"),
    ("kms:ReplicaRegion", "String", "+++++", "API", "required parameter"),
    ("kms:RotationPeriodInDays", "Numeric", "ooooo", "KMS", "90 to 2560; 365, or absent, when omitted"),
    ("kms:ScheduleKeyDeletionPendingWindowInDays", "Numeric", "ooooo", "KMS", "7 to 30; 30, or absent, when omitted"),
    ("kms:TrailingDaysWithoutKeyUsage", "Numeric", "+++++", "KMS", "whole days since the last use"),
    ("kms:RecipientAttestation:*", "String", "ooooo", "KMS", "with an attestation document; lower-case hexadecimal"),
)

_BOOL: Final = ("true", "false")
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    **ENUMS,
    "aws:AssumedRoot": ("true",),
    "aws:PrincipalType": ("Account", "User", "FederatedUser", "AssumedRole", "Anonymous"),
    "ec2:RoleDelivery": ("1.0", "2.0"),
    "kms:GrantConstraintType": ("EncryptionContextEquals", "EncryptionContextSubset"),
    "kms:PolicyName": ("default", "AWS_RAM"),
}
_MULTI: Final = frozenset(
    {
        "aws:CalledVia",
        "aws:PrincipalOrgPaths",
        "aws:PrincipalServiceNamesList",
        "aws:ResourceOrgPaths",
        "aws:SourceOrgPaths",
        "aws:TagKeys",
        "aws:VpceOrgPaths",
        "kms:EncryptionContextKeys",
        "kms:GrantOperations",
        "kms:ResourceAliases",
    }
)
"""The keys that hold a set of values. Source: GCK and KMS, "Value type" of each key."""

_CONST: Final = frozenset(
    {
        "aws:RequestedRegion",
        "aws:ResourceAccount",
        "aws:ResourceOrgID",
        "aws:ResourceOrgPaths",
        "aws:ResourceTag/*",
        "kms:CustomerMasterKeySpec",
        "kms:CustomerMasterKeyUsage",
        "kms:KeyOrigin",
        "kms:KeySpec",
        "kms:KeyUsage",
        "kms:MultiRegion",
        "kms:MultiRegionKeyType",
        "kms:ResourceAliases",
    }
)


"""The keys whose value follows from the KMS key and not from the request."""

_TAG_KEYS: Final = frozenset({"aws:requesttag/*", "aws:resourcetag/*", "aws:tagkeys"})
"""Global keys that, as those of KMS, only some actions carry (PERM, SAR)."""

_DISPUTED: Final = frozenset({("aws:requesttag/*", "UntagResource")})
"""PERM says that the action carries the key, SAR does not."""


def lookup(key: str) -> ConditionKey | None:
    """What is known of a condition key, in any case; None for a key that KMS requests do not know (a typo, or another service's).

    A member of a family (`aws:PrincipalTag/team`) has the family's facts and its own name.
    """
    lower = _fold(key)
    found = KEYS.get(lower)
    if found is not None and not found.name.endswith("*"):
        return found
    family = _family(lower)
    if family is None:
        return None
    if family is _OIDC:
        return family._replace(name=key)
    head = family.name[:-1]
    return family._replace(name=head + key[len(head) :])


def presence_on(key: str, kind: str, action: str) -> Presence:
    """Whether a request of principal kind `kind` (U R F T S) for `action` (`Decrypt`) has the condition key.

    "never" means that no such request has it, "always" that each has; a key that is not known is "unsure". A key of KMS is
    never present on an action that does not carry it; on an action about which no source speaks (FutureAction) it may be.
    Whether a tag, an alias or an organization is there is a fact of the KMS key: "optional" until the caller knows the key.
    Source: AWS KMS Developer Guide, "AWS KMS permissions", "AWS KMS condition keys".
    """
    found = _row_of(key)
    if found is None:
        return "unsure"
    presence = found.presence[kind]
    family = found.name.lower()
    if not _is_by_action(family):
        return presence
    known = ACTIONS.get(action.lower())
    if known is None or known.effective is None:
        return "optional" if presence == "always" else presence
    if family not in known.condition_keys:
        return "never"
    return "unsure" if (family, known.name) in _DISPUTED else presence


def depends_on_action(key: str) -> bool:
    """Whether requests for one action may have the condition key and requests for another not, or only sometimes."""
    found = _row_of(key)
    return found is not None and _is_by_action(found.name.lower())


def _is_by_action(family: str) -> bool:
    return family.startswith("kms:") or family in _TAG_KEYS


def nearest_key(key: str) -> str | None:
    """The condition key that `key` is most likely a typo of, or None."""
    placeholder = _PLACEHOLDERS.get(key.lower().rstrip("/:"))
    if placeholder is not None:
        return placeholder
    if ":" not in key:
        for prefix in ("aws:", "kms:"):
            found = lookup(prefix + key)
            if found is not None:
                return found.name
    found_name = _nearest(key, _NAMES)
    if found_name is not None:
        return found_name
    for separator in "/:":
        cut = key.find(separator, len("aws:")) + 1
        head = _nearest(key[:cut], _HEADS.values()) if cut else None
        if head is not None and len(key) > cut:
            return head + key[cut:]
    return None


def _key(row: _Row, group: Group) -> ConditionKey:
    name, type_, letters, source, note = row
    values = _VALUES.get(name) or (_BOOL if type_ == "Bool" else None)
    return ConditionKey(name, type_, name in _MULTI, _presence(letters), values, name in _CONST, group, source, note)


def _table() -> Mapping[str, ConditionKey]:
    parts: tuple[tuple[Group, tuple[_Row, ...]], ...] = (
        ("principal", _PRINCIPAL),
        ("session", _SESSION),
        ("network", _NETWORK),
        ("resource", _RESOURCE),
        ("request", _REQUEST),
        ("kms", _KMS),
    )
    return MappingProxyType({row[0].lower(): _key(row, group) for group, rows in parts for row in rows})


KEYS: Final = _table()
"""Every condition key, and family of keys, by its lower-cased name."""

_OIDC: Final = KEYS["<oidc-provider>:*"]
_NAMES: Final = tuple(key.name for key in KEYS.values() if not key.name.endswith("*"))
_HEADS: Final[Mapping[str, str]] = {
    key.name.lower()[:-1]: key.name[:-1] for key in KEYS.values() if key.name.endswith("*") and key is not _OIDC
}
_PLACEHOLDERS: Final[Mapping[str, str]] = {
    # a family without its member: how AWS's documentation writes the whole
    "aws:principaltag": "aws:PrincipalTag/tag-key",
    "aws:requesttag": "aws:RequestTag/tag-key",
    "aws:resourcetag": "aws:ResourceTag/tag-key",
    "kms:encryptioncontext": "kms:EncryptionContext:context-key",
    "kms:recipientattestation": "kms:RecipientAttestation:ImageSha384",
}
_ATTESTATION: Final = frozenset(name.lower() for name in ATTESTATION)


def _fold(key: str) -> str:
    """Lower case for ASCII letters only: `\u212a` (Kelvin) is no `k`."""
    return key.lower() if key.isascii() else "".join(letter.lower() if letter.isascii() else letter for letter in key)


def _row_of(key: str) -> ConditionKey | None:
    return _row_cached(key) if len(key) <= _CACHED_LENGTH else _row(_fold(key))


@lru_cache(maxsize=1024)
def _row_cached(key: str) -> ConditionKey | None:
    return _row(_fold(key))


def _row(lower: str) -> ConditionKey | None:
    found = KEYS.get(lower)
    return found if found is not None and not found.name.endswith("*") else _family(lower)


def _family(lower: str) -> ConditionKey | None:
    """The family that a lower-cased key belongs to."""
    for head in _HEADS:
        if lower.startswith(head) and len(lower) > len(head):
            rest = lower[len(head) :]
            return KEYS[head + "*"] if head != "kms:recipientattestation:" or rest in _ATTESTATION or rest == "*" else None
    provider, colon, claim = lower.rpartition(":")
    return _OIDC if colon and claim and _is_provider(provider) else None


def _is_provider(text: str) -> bool:
    """Whether `text` looks like the host, and perhaps path, of an OpenID Connect provider: a dotted host name."""
    host = text.partition("/")[0]
    labels = host.split(".")
    return len(labels) > 1 and all(label.replace("-", "a").isalnum() and label.isascii() for label in labels)
