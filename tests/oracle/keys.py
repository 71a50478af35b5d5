"""The condition keys that the oracle knows, and for whom AWS sends them: written from docs/semantics, sections 10 and 11."""

from functools import cache

_NAMES = """
aws:PrincipalArn aws:PrincipalAccount aws:PrincipalOrgID aws:PrincipalOrgPaths aws:PrincipalIsAWSService
aws:PrincipalServiceName aws:PrincipalServiceNamesList aws:PrincipalType aws:userid aws:username aws:TokenIssueTime
aws:MultiFactorAuthPresent aws:MultiFactorAuthAge aws:FederatedProvider aws:AssumedRoot aws:SourceIdentity
aws:SignInSessionArn aws:ChatbotSourceArn aws:Ec2InstanceSourceVpc aws:Ec2InstanceSourcePrivateIPv4 ec2:SourceInstanceArn
ec2:RoleDelivery lambda:SourceFunctionArn codebuild:BuildArn codebuild:ProjectArn glue:RoleAssumedBy
glue:CredentialIssuingService ssm:SourceInstanceArn identitystore:UserId aws:SourceIp aws:SourceVpce aws:SourceVpc
aws:VpcSourceIp aws:SourceVpcArn aws:VpceAccount aws:VpceOrgID aws:VpceOrgPaths aws:ResourceAccount aws:ResourceOrgID
aws:ResourceOrgPaths aws:ViaAWSService aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:CalledViaAWSMCP
aws:ViaAWSMCPService aws:IsMcpServiceAction aws:CurrentTime aws:EpochTime aws:RequestedRegion aws:SecureTransport
aws:UserAgent aws:referer aws:TagKeys aws:SourceAccount aws:SourceArn aws:SourceOrgID aws:SourceOrgPaths kms:CallerAccount
kms:ViaService kms:KeySpec kms:CustomerMasterKeySpec kms:KeyUsage kms:CustomerMasterKeyUsage kms:KeyOrigin kms:MultiRegion
kms:MultiRegionKeyType kms:ResourceAliases kms:RequestAlias kms:EncryptionAlgorithm kms:EncapsulationAlgorithm
kms:EncryptionContextKeys kms:GrantIsForAWSResource kms:GrantConstraintType kms:GrantConstraintSourceArn kms:GrantOperations
kms:GranteePrincipal kms:GranteeServicePrincipal kms:RetiringPrincipal kms:RetiringServicePrincipal
kms:BypassPolicyLockoutSafetyCheck kms:PolicyName kms:ReEncryptOnSameKey kms:DataKeyPairSpec kms:MessageType
kms:SigningAlgorithm kms:MacAlgorithm kms:KeyAgreementAlgorithm kms:WrappingAlgorithm kms:WrappingKeySpec
kms:ExpirationModel kms:ValidTo kms:PrimaryRegion kms:ReplicaRegion kms:RotationPeriodInDays
kms:ScheduleKeyDeletionPendingWindowInDays kms:TrailingDaysWithoutKeyUsage
"""
KNOWN = frozenset(_NAMES.lower().split())
_PREFIXES = (
    "aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "kms:encryptioncontext:", "kms:recipientattestation:", "saml:",
)  # fmt: skip

UNKNOWN_FOR_SERVICES = frozenset(
    ("aws:principalarn", "aws:principalaccount", "kms:calleraccount", "aws:userid", "aws:principaltype")
)
"""Register, 7: what these hold for a service principal is not documented; never a customer's value (D11)."""

ENCRYPTING = frozenset(
    ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "GenerateDataKeyPair",
     "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext")
)  # fmt: skip
CROSS_ACCOUNT = ENCRYPTING | {
    "Encapsulate", "Decapsulate", "DeriveSharedSecret", "GenerateMac", "VerifyMac", "Sign", "Verify", "GetPublicKey",
    "DescribeKey", "CreateGrant", "RevokeGrant", "ListGrants", "GetKeyRotationStatus",
}  # fmt: skip
EFFECTIVE = CROSS_ACCOUNT | {
    "CancelKeyDeletion", "CreateAlias", "DeleteAlias", "DeleteImportedKeyMaterial", "DisableKey", "DisableKeyRotation",
    "EnableKey", "EnableKeyRotation", "GetKeyLastUsage", "GetKeyPolicy", "GetParametersForImport", "ImportKeyMaterial",
    "ListKeyPolicies", "ListKeyRotations", "ListResourceTags", "PutKeyPolicy", "ReplicateKey", "RotateKeyOnDemand",
    "ScheduleKeyDeletion", "TagResource", "UntagResource", "UpdateAlias", "UpdateKeyDescription", "UpdatePrimaryRegion",
}  # fmt: skip


@cache
def is_known(key: str) -> bool:
    """Whether the lower-cased `key` is a condition key of a KMS request; `<provider host>:claim` is one of an OIDC session."""
    prefix, colon, name = key.partition(":")
    if key in KNOWN or any(key.startswith(start) and len(key) > len(start) for start in _PREFIXES):
        return True
    return bool(colon and name) and "." in prefix
