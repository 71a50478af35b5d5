"""Live keys, read by boto3 from a fake KMS on loopback: every fact, every refusal, every page, and no secret anywhere."""

import json
import logging
import os
import pickle
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.errors import UsageError
from kmslint.model.key import Absent, Fact, Key, Known, Source, Unknown
from kmslint.model.result import SourceError
from kmslint.sources import kms_client
from kmslint.sources.aws import connect, read_all_keys, read_keys
from kmslint.sources.kms_answers import Failure, Observation, key_from, split_arn
from kmslint.sources.kms_client import Clients, Connection
from tests.fake_kms.server import ACCOUNT, DEFAULT_POLICY, REGION, FakeKey, FakeKms

NOW = "2026-11-24T08:00:00Z"
ACCESS_KEY, SECRET, TOKEN = "AKIAFAKEFAKEFAKE0001", "fake/secret+never/shown", "fake-session-token-never-shown"
PUBLIC = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]})


@pytest.fixture(scope="module", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Dummy credentials, no configuration files, no instance metadata, no waiting between retries."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("AWS_CONFIG_FILE", str(home / "config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_SESSION_TOKEN", TOKEN)
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
        yield


@pytest.fixture(scope="module")
def server(environment: None) -> Iterator[FakeKms]:
    with FakeKms() as running:
        yield running


@pytest.fixture(scope="module")
def clients(server: FakeKms) -> Iterator[Connection]:
    """One connection for the module: a session costs 80 ms."""
    connection = connect(None, REGION, server.url)
    yield connection
    connection.close()


@pytest.fixture
def kms(server: FakeKms) -> FakeKms:
    server.reset()
    return server


def scan(clients: Clients, *ids: str, **more: Any) -> list[Key | SourceError]:  # noqa: ANN401
    return list(read_keys(clients, ids, now=NOW, **more))


def scan_one(clients: Clients, asked: str, **more: Any) -> Key:  # noqa: ANN401
    (key,) = scan(clients, asked, **more)
    assert isinstance(key, Key)
    return key


def fail_one(clients: Clients, *ids: str) -> SourceError:
    (error,) = scan(clients, *ids)
    assert isinstance(error, SourceError)
    return error


def unread(reason: str) -> Unknown:
    return Unknown("unread", reason)


ORDINARY: dict[str, Fact] = {
    "manager": Known("CUSTOMER"),
    "spec": Known("SYMMETRIC_DEFAULT"),
    "usage": Known("ENCRYPT_DECRYPT"),
    "origin": Known("AWS_KMS"),
    "state": Known("Enabled"),
    "created": Known("2025-01-01T00:00:00Z"),
    "description": Known(""),
    "multi_region": Known(value=False),
    "multi_region.type": Absent(),
    "multi_region.primary": Absent(),
    "multi_region.replicas": Absent(),
    "deletion.date": Absent(),
    "deletion.pending_window_days": Absent(),
    "material.expiration_model": Absent(),
    "material.valid_to": Absent(),
    "custom_key_store": Absent(),
    "rotation.enabled": Known(value=True),
    "rotation.period_days": Known(365),
    "rotation.next_date": Known("2027-01-01T00:00:00Z"),
    "rotation.on_demand_start": Absent(),
    "aliases": Known(["alias/payments"]),
    "tags": Known({}),
    "grants": Known([]),
}


# --- one key


def test_every_fact_of_an_ordinary_key(kms: FakeKms, clients: Connection) -> None:
    fake = kms.add(FakeKey())
    key = scan_one(clients, fake.key_id)
    assert dict(key.facts) == ORDINARY
    assert key._replace(facts={}, policies=()) == Key(
        id="",
        source=Source("live", uri=fake.arn),
        policies=(),
        facts={},
        arn=fake.arn,
        key_id=fake.key_id,
        account=ACCOUNT,
        account_source="arn",
        region=REGION,
        partition="aws",
        sha256=key.policies[0].sha256,
        as_of=NOW,
    )
    (policy,) = key.policies
    assert (policy.name, policy.diagnostics, policy.size) == ("default", (), len(DEFAULT_POLICY))
    assert [(s.index, s.effect) for s in policy.policy.statements] == [(0, "Allow")]


def test_a_policy_has_its_place_in_the_returned_text(kms: FakeKms, clients: Connection) -> None:
    fake = kms.add(FakeKey(policies={"default": json.dumps(json.loads(PUBLIC), indent=1)}))
    (statement,) = scan_one(clients, fake.key_id).policies[0].policy.statements
    place = statement.node.locate("/Statement/0")
    assert (place.file, place.uri, place.line, place.column) == (None, f"{fake.arn}#policy/default", 3, 3)


@pytest.mark.parametrize("form", ["id", "arn", "alias", "alias arn"])
def test_a_key_is_found_by_each_of_its_names(kms: FakeKms, clients: Connection, form: str) -> None:
    fake = kms.add(FakeKey())
    names = {"id": fake.key_id, "arn": fake.arn, "alias": "alias/payments", "alias arn": fake.alias_arn("alias/payments")}
    key = scan_one(clients, names[form])
    assert (key.arn, key.source.uri, dict(key.facts), key.policies_unread) == (fake.arn, fake.arn, ORDINARY, None)


def test_an_arn_is_read_in_its_own_region(kms: FakeKms, clients: Connection) -> None:
    fake = kms.add(FakeKey(region="eu-central-1"))
    assert scan_one(clients, fake.arn).region == "eu-central-1"
    assert fail_one(clients, fake.key_id).message == f"no key `{fake.key_id}` in {REGION}"


def test_aws_region_is_the_region_when_none_is_given(kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    fake = kms.add(FakeKey(region="eu-central-1"))
    connection = connect(endpoint_url=kms.url)
    assert scan_one(connection, fake.key_id).region == "eu-central-1"
    connection.close()


@pytest.mark.parametrize(
    ("metadata", "facts"),
    [
        (
            {"KeyState": "PendingDeletion", "DeletionDate": 1798761600},
            {"state": Known("PendingDeletion"), "deletion.date": Known("2027-01-01T00:00:00Z")},
        ),
        (
            {"KeyState": "PendingDeletion"},
            {"state": Known("PendingDeletion"), "deletion.date": unread("kms:DescribeKey answered without DeletionDate")},
        ),
        (
            {"KeyState": "PendingReplicaDeletion", "PendingDeletionWindowInDays": 14},
            {"state": Known("PendingReplicaDeletion"), "deletion.pending_window_days": Known(14)},
        ),
        ({"KeyState": "Disabled", "Enabled": False}, {"state": Known("Disabled")}),
        ({"KeyManager": "AWS"}, {"manager": Known("AWS")}),
        ({"KeyManager": None}, {"manager": unread("kms:DescribeKey answered without KeyManager")}),
        ({"Description": "ledger \x1b[31m"}, {"description": Known("ledger \x1b[31m")}),
        ({"MultiRegion": None}, {}),
        (
            {"MultiRegion": "no"},
            dict.fromkeys(
                ("multi_region", "multi_region.type", "multi_region.primary", "multi_region.replicas"),
                unread("kms:DescribeKey answered without MultiRegion"),
            ),
        ),
        ({"KeySpec": None}, {}),
        (
            {"PendingDeletionWindowInDays": True},
            {
                "deletion.pending_window_days": unread(
                    "kms:DescribeKey answered with a PendingDeletionWindowInDays of an unexpected type"
                )
            },
        ),
    ],
)
def test_the_facts_of_describe_key(kms: FakeKms, clients: Connection, metadata: dict[str, Any], facts: dict[str, Fact]) -> None:
    fake = kms.add(FakeKey(metadata=metadata))
    assert dict(scan_one(clients, fake.key_id).facts) == {**ORDINARY, **facts}


NO_ROTATION: dict[str, Fact] = dict.fromkeys(
    ("rotation.enabled", "rotation.period_days", "rotation.next_date", "rotation.on_demand_start"), Absent()
)


@pytest.mark.parametrize(
    ("metadata", "facts"),
    [
        ({"KeySpec": "RSA_2048"}, {"spec": Known("RSA_2048")}),
        (
            {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
            {"spec": Known("HMAC_256"), "usage": Known("GENERATE_VERIFY_MAC")},
        ),
        (
            {"Origin": "EXTERNAL", "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": 1798761600},
            {
                "origin": Known("EXTERNAL"),
                "material.expiration_model": Known("KEY_MATERIAL_EXPIRES"),
                "material.valid_to": Known("2027-01-01T00:00:00Z"),
            },
        ),
        (
            {"Origin": "EXTERNAL"},
            {
                "origin": Known("EXTERNAL"),
                "material.expiration_model": unread("kms:DescribeKey answered without ExpirationModel"),
            },
        ),
        ({"Origin": "EXTERNAL", "KeyState": "PendingImport"}, {"origin": Known("EXTERNAL"), "state": Known("PendingImport")}),
        (
            {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1"},
            {"origin": Known("AWS_CLOUDHSM"), "custom_key_store": Known("cks-1")},
        ),
    ],
)
def test_rotation_is_not_asked_for_where_it_does_not_exist(
    kms: FakeKms, clients: Connection, metadata: dict[str, Any], facts: dict[str, Fact]
) -> None:
    fake = kms.add(FakeKey(metadata=metadata, rotation=None))
    assert dict(scan_one(clients, fake.key_id).facts) == {**ORDINARY, **NO_ROTATION, **facts}
    assert kms.count("GetKeyRotationStatus") == 0


@pytest.mark.parametrize(
    ("rotation", "facts", "notes"),
    [
        (
            {"KeyRotationEnabled": False},
            {"rotation.enabled": Known(value=False), "rotation.period_days": Absent(), "rotation.next_date": Absent()},
            (),
        ),
        (
            {
                "KeyRotationEnabled": True,
                "RotationPeriodInDays": 2560,
                "NextRotationDate": 1798761600,
                "OnDemandRotationStartDate": 1798761600,
            },
            {"rotation.period_days": Known(2560), "rotation.on_demand_start": Known("2027-01-01T00:00:00Z")},
            (),
        ),
        (
            {"KeyRotationEnabled": True},
            {"rotation.next_date": unread("kms:GetKeyRotationStatus answered without NextRotationDate")},
            ("kms:GetKeyRotationStatus gave no rotation period, so the default of 365 days is assumed",),
        ),
        (
            {},
            {
                "rotation.enabled": unread("kms:GetKeyRotationStatus answered without KeyRotationEnabled"),
                "rotation.next_date": unread("kms:GetKeyRotationStatus answered without NextRotationDate"),
            },
            (),
        ),
    ],
)
def test_the_facts_of_rotation(
    kms: FakeKms, clients: Connection, rotation: dict[str, Any], facts: dict[str, Fact], notes: tuple[str, ...]
) -> None:
    fake = kms.add(FakeKey(rotation=rotation))
    key = scan_one(clients, fake.key_id)
    assert (dict(key.facts), key.notes) == ({**ORDINARY, **facts}, notes)


def multi_region_pair(kms: FakeKms) -> tuple[FakeKey, FakeKey]:
    """A primary that rotates in us-east-1 and its replica in eu-central-1, which says that it does not."""
    name = "mrk-00000000000040008000000000000002"
    primary, replica = FakeKey(name), FakeKey(name, "eu-central-1", rotation={"KeyRotationEnabled": False})
    configuration = {
        "PrimaryKey": {"Arn": primary.arn, "Region": primary.region},
        "ReplicaKeys": [{"Arn": replica.arn, "Region": replica.region}],
    }
    for key, kind in ((primary, "PRIMARY"), (replica, "REPLICA")):
        key.metadata = {"MultiRegion": True, "MultiRegionConfiguration": {"MultiRegionKeyType": kind, **configuration}}
        kms.add(key)
    return primary, replica


def test_a_replica_rotates_as_its_primary_does(kms: FakeKms, clients: Connection) -> None:
    primary, replica = multi_region_pair(kms)
    shared = {
        "multi_region": Known(value=True),
        "multi_region.primary": Known(primary.arn),
        "multi_region.replicas": Known([replica.arn]),
    }
    assert [dict(key.facts) for key in scan(clients, primary.arn, replica.arn) if isinstance(key, Key)] == [
        {**ORDINARY, **shared, "multi_region.type": Known("PRIMARY")},
        {**ORDINARY, **shared, "multi_region.type": Known("REPLICA")},
    ]


def test_a_primary_that_is_closed_leaves_the_rotation_of_its_replica_unread(kms: FakeKms, clients: Connection) -> None:
    primary, replica = multi_region_pair(kms)
    kms.keys.remove(primary)
    reason = f"NotFound on kms:GetKeyRotationStatus for the primary key `{primary.arn}`"
    assert scan_one(clients, replica.arn).fact("rotation.enabled") == unread(reason)


def test_grants_and_tags_are_as_kms_returns_them(kms: FakeKms, clients: Connection) -> None:
    grant = {"KeyId": "k", "GrantId": "g1", "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/app", "Operations": ["Decrypt"]}
    bound = {"GrantId": "g2", "CreationDate": 1798761600, "Constraints": {"EncryptionContextSubset": {"a": "b"}}}
    fake = kms.add(FakeKey(grants=[grant, bound], tags={"owner": "payments", "empty": ""}, aliases=[]))
    key = scan_one(clients, fake.key_id)
    assert key.fact("grants") == Known([grant, {**bound, "CreationDate": "2027-01-01T00:00:00Z"}])
    assert key.fact("tags") == Known({"owner": "payments", "empty": ""})
    assert key.fact("aliases") == Known([])


def test_a_second_policy_is_read_too(kms: FakeKms, clients: Connection) -> None:
    fake = kms.add(FakeKey(policies={"AWS_RAM": PUBLIC, "default": DEFAULT_POLICY}))
    key = scan_one(clients, fake.key_id)
    assert [policy.name for policy in key.policies] == ["default", "AWS_RAM"]
    assert key.policies[1].policy.statements[0].node.locate().uri == f"{fake.arn}#policy/AWS_RAM"
    assert key.policies_unread is None


@pytest.mark.parametrize("text", ["", "not a policy", '{"Statement": [', "\x00", "[" * 100_000])
def test_a_policy_text_that_is_not_json_is_unread(kms: FakeKms, clients: Connection, text: str) -> None:
    fake = kms.add(FakeKey(policies={"default": text, "AWS_RAM": DEFAULT_POLICY}))
    key = scan_one(clients, fake.key_id)
    assert [policy.name for policy in key.policies] == ["AWS_RAM"]
    assert (key.policies_unread or "").startswith("policy `default` is not JSON: line 1, column ")


# --- on request only


def test_what_was_not_asked_for_is_not_in_the_source(kms: FakeKms, clients: Connection) -> None:
    fake = kms.add(FakeKey())
    key = scan_one(clients, fake.key_id)
    assert (kms.count("ListKeyRotations"), kms.count("GetKeyLastUsage")) == (0, 0)
    assert [fact.kind for name in ("rotation.last_date", "last_used") if isinstance(fact := key.fact(name), Unknown)] == [
        "not_in_source",
        "not_in_source",
    ]


def test_rotations_and_last_usage_on_request(kms: FakeKms, clients: Connection) -> None:
    used = {"KeyLastUsage": {"Timestamp": 1798761600, "Operation": "Decrypt"}}
    fake = kms.add(FakeKey(rotations=[{"RotationDate": 1798761600}, {"RotationDate": 1735689600}], last_usage=used))
    key = scan_one(clients, fake.key_id, include=("last-usage", "rotations"))
    assert (key.fact("rotation.last_date"), key.fact("last_used")) == (
        Known("2027-01-01T00:00:00Z"),
        Known({"timestamp": "2027-01-01T00:00:00Z"}),
    )


def test_a_key_without_rotation_or_use_on_request(kms: FakeKms, clients: Connection) -> None:
    fake = kms.add(FakeKey(last_usage={"KeyLastUsage": {}, "TrackingStartDate": 1735689600}))
    key = scan_one(clients, fake.key_id, include=("last-usage", "rotations"))
    assert (key.fact("rotation.last_date"), key.fact("last_used")) == (
        Absent(),
        Known({"tracking_start": "2025-01-01T00:00:00Z"}),
    )


def test_an_empty_answer_about_the_last_use_says_nothing(kms: FakeKms, clients: Connection) -> None:
    fake = kms.add(FakeKey())
    reason = "kms:GetKeyLastUsage answered without KeyLastUsage or TrackingStartDate"
    assert scan_one(clients, fake.key_id, include=("last-usage",)).fact("last_used") == unread(reason)


def test_an_unknown_include_is_a_wrong_usage(clients: Connection) -> None:
    with pytest.raises(UsageError) as caught:
        read_keys(clients, ("k",), now=NOW, include=("rotation",))
    assert (caught.value.message, caught.value.help) == ("`--include rotation` is not known", "known are last-usage, rotations")


# --- refusals

METADATA_FACTS = [
    name for name in ORDINARY if not name.startswith(("rotation.", "aliases", "tags", "grants", "multi_region", "manager"))
]
"""What DescribeKey alone tells. The id of a key tells whether it is multi-Region, its aliases tell whether it is AWS's."""
FACTS_OF = {
    "DescribeKey": METADATA_FACTS,
    "GetKeyRotationStatus": [name for name in ORDINARY if name.startswith("rotation.")],
    "ListAliases": ["aliases"],
    "ListResourceTags": ["tags"],
    "ListGrants": ["grants"],
    "ListKeyPolicies": [],
    "GetKeyPolicy": [],
}
REASONS = {
    "AccessDeniedException": "AccessDenied on kms:{}",
    "UnsupportedOperationException": "UnsupportedOperation on kms:{}",
    "KMSInvalidStateException": "KMSInvalidState on kms:{}",
    "ThrottlingException": "still throttled after every retry on kms:{}",
    "KMSInternalException": "KMSInternal on kms:{}",
    "\x1b[31m<b>": "an unknown error on kms:{}",
}


@pytest.mark.parametrize("code", REASONS)
@pytest.mark.parametrize("operation", FACTS_OF)
def test_a_refused_call_leaves_its_own_facts_unread_and_no_others(
    kms: FakeKms, clients: Connection, operation: str, code: str
) -> None:
    fake = kms.add(FakeKey())
    kms.refuse(operation, code)
    key = scan_one(clients, fake.arn)
    reason = REASONS[code].format(operation)
    assert dict(key.facts) == {**ORDINARY, **dict.fromkeys(FACTS_OF[operation], unread(reason))}
    unread_policies = {
        "GetKeyPolicy": f"{reason} for policy `default`",
        "ListKeyPolicies": f"{reason}, so policies other than `default` may exist",
    }
    assert key.policies_unread == unread_policies.get(operation)
    assert [policy.name for policy in key.policies] == ([] if operation == "GetKeyPolicy" else ["default"])
    assert (key.arn, key.account, key.region) == (fake.arn, ACCOUNT, REGION)


@pytest.mark.parametrize(
    "operation", [name for name in FACTS_OF if name not in {"DescribeKey", "ListKeyPolicies", "GetKeyPolicy"}]
)
def test_a_key_that_goes_away_meanwhile_leaves_facts_unread(kms: FakeKms, clients: Connection, operation: str) -> None:
    fake = kms.add(FakeKey())
    kms.refuse(operation, "NotFoundException")
    reason = f"NotFound on kms:{operation}"
    assert dict(scan_one(clients, fake.arn).facts) == {**ORDINARY, **dict.fromkeys(FACTS_OF[operation], unread(reason))}


def test_the_id_and_the_aliases_tell_something_of_a_key_that_is_not_described(kms: FakeKms, clients: Connection) -> None:
    kms.deny("DescribeKey")
    reason = unread("AccessDenied on kms:DescribeKey")
    ours = scan_one(clients, kms.add(FakeKey("mrk-00000000000040008000000000000002", aliases=[])).arn)
    assert (ours.fact("manager"), ours.fact("multi_region")) == (Known("CUSTOMER"), Known(value=True))
    assert {ours.fact(f"multi_region.{name}") for name in ("type", "primary", "replicas")} == {reason}
    theirs = scan_one(clients, kms.add(FakeKey(aliases=["alias/aws/s3"])).arn)
    assert (theirs.fact("manager"), theirs.fact("multi_region")) == (Known("AWS"), Known(value=False))
    kms.deny("ListAliases")
    assert scan_one(clients, theirs.arn or "").fact("manager") == reason


def test_list_keys_tells_the_arn_of_a_key_that_is_not_described(kms: FakeKms, clients: Connection) -> None:
    kms.add(FakeKey("00000000-0000-4000-8000-00000000000f"))
    fake = kms.add(FakeKey(aliases=[]))
    kms.page_size = 1
    kms.deny("DescribeKey")
    key = scan_one(clients, fake.key_id)
    assert (key.arn, key.account, key.account_source, key.source.uri) == (fake.arn, ACCOUNT, "arn", fake.arn)
    kms.deny("ListKeys")
    key = scan_one(clients, fake.key_id)
    assert (key.arn, key.key_id, key.account, key.source.uri) == (None, fake.key_id, None, fake.key_id)


def deny_all(kms: FakeKms) -> None:
    for operation in (*FACTS_OF, "ListKeys"):
        kms.deny(operation)


@pytest.mark.parametrize("account", [None, "444455556666"])
def test_a_key_that_is_wholly_closed_is_still_a_key(kms: FakeKms, clients: Connection, account: str | None) -> None:
    fake = kms.add(FakeKey())
    deny_all(kms)
    key = scan_one(clients, fake.key_id, account=account)
    assert dict(key.facts) == {
        "manager": unread("AccessDenied on kms:DescribeKey"),
        **{name: fact for name, fact in ORDINARY.items() if name.startswith("multi_region")},
        **{name: unread(f"AccessDenied on kms:{operation}") for operation, names in FACTS_OF.items() for name in names},
    }
    assert (key.arn, key.key_id, key.account, key.account_source, key.region, key.policies) == (
        None,
        fake.key_id,
        account,
        "given" if account else None,
        REGION,
        (),
    )
    assert key.policies_unread == (
        "AccessDenied on kms:GetKeyPolicy for policy `default`; "
        "AccessDenied on kms:ListKeyPolicies, so policies other than `default` may exist"
    )


@pytest.mark.parametrize("by_arn", [False, True])
def test_an_alias_is_resolved_by_list_aliases_when_describe_key_is_denied(
    kms: FakeKms, clients: Connection, by_arn: bool
) -> None:
    kms.add(FakeKey("00000000-0000-4000-8000-00000000000f", aliases=["alias/other"]))
    fake = kms.add(FakeKey())
    kms.deny("DescribeKey")
    key = scan_one(clients, fake.alias_arn("alias/payments") if by_arn else "alias/payments")
    assert (key.arn, key.key_id, key.policies_unread) == (fake.arn, fake.key_id, None)
    assert dict(key.facts) == {**ORDINARY, **dict.fromkeys(METADATA_FACTS, unread("AccessDenied on kms:DescribeKey"))}


def test_an_alias_that_nothing_resolves_is_a_key_of_which_nothing_is_known(kms: FakeKms, clients: Connection) -> None:
    kms.add(FakeKey())
    deny_all(kms)
    key = scan_one(clients, "alias/payments")
    assert set(key.facts) == set(ORDINARY)
    assert set(key.facts.values()) == {unread("AccessDenied on kms:DescribeKey")}
    assert key.policies_unread == "AccessDenied on kms:DescribeKey for policy `default`"


@pytest.mark.parametrize("operation", FACTS_OF)
def test_a_burst_of_throttling_is_waited_out(kms: FakeKms, clients: Connection, operation: str) -> None:
    fake = kms.add(FakeKey())
    kms.throttle(operation, 9)
    assert (dict(scan_one(clients, fake.key_id).facts), kms.count(operation)) == (ORDINARY, 10)


def test_a_longer_burst_is_not(kms: FakeKms, clients: Connection) -> None:
    fake = kms.add(FakeKey())
    kms.throttle("ListGrants", 10)
    assert scan_one(clients, fake.key_id).fact("grants") == unread("still throttled after every retry on kms:ListGrants")


def test_a_slow_answer_is_not_waited_for(kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    fake = kms.add(FakeKey())
    kms.delay("ListGrants", 0.6)
    connection = connect(None, REGION, kms.url, read_seconds=0.3)
    key = scan_one(connection, fake.key_id)
    connection.close()
    assert dict(key.facts) == {**ORDINARY, "grants": unread("no answer in time on kms:ListGrants")}


# --- pages


def without_policies(key: Key | SourceError) -> Key | SourceError:
    """Two readings of one policy are equal in all but their source texts, which compare by identity."""
    return key._replace(policies=()) if isinstance(key, Key) else key


def test_pages_make_no_difference(kms: FakeKms, clients: Connection) -> None:
    for number in range(3):
        kms.add(
            FakeKey(
                f"00000000-0000-4000-8000-00000000000{number}",
                aliases=[f"alias/{number}-{n}" for n in range(3)],
                tags={f"t{n}": str(n) for n in range(3)},
                grants=[{"GrantId": f"g{n}"} for n in range(3)],
                rotations=[{"RotationDate": 1735689600 + n} for n in range(3)],
                policies={"default": DEFAULT_POLICY, "AWS_RAM": PUBLIC, "third": PUBLIC},
            )
        )
    told: list[tuple[int, int]] = []

    def read(size: int) -> list[Key | SourceError]:
        kms.page_size = size
        return list(read_all_keys(clients, now=NOW, include=("rotations",), progress=lambda *counts: told.append(counts)))

    whole, by_two, by_one = read(1000), read(2), read(1)
    assert told == [(1, 3), (2, 3), (3, 3), (1, 2), (2, 2), (3, 3), (1, 1), (2, 2), (3, 3)]
    assert [(key.key_id, [policy.name for policy in key.policies]) for key in by_one if isinstance(key, Key)] == [
        (fake.key_id, ["default", "AWS_RAM", "third"]) for fake in kms.keys
    ]
    assert [*map(without_policies, whole)] == [*map(without_policies, by_two)] == [*map(without_policies, by_one)]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({"Grants": [], "Truncated": True}, "kms:ListGrants says that there is more, and not where"),
        ({"Grants": [], "Truncated": True, "NextMarker": "m"}, "kms:ListGrants says that there is more, and not where"),
    ],
)
def test_a_list_without_end_is_given_up(kms: FakeKms, clients: Connection, page: dict[str, Any], reason: str) -> None:
    fake = kms.add(FakeKey())
    kms.answer_raw("ListGrants", json.dumps(page).encode())
    assert scan_one(clients, fake.key_id).fact("grants") == unread(reason)


@pytest.mark.parametrize(
    ("pages", "fact"), [(3, unread("more than 3 pages on kms:ListGrants")), (4, Known([{"GrantId": "g"}] * 4))]
)
def test_pages_have_a_budget(kms: FakeKms, clients: Connection, monkeypatch: pytest.MonkeyPatch, pages: int, fact: Fact) -> None:
    monkeypatch.setattr(kms_client, "_MAX_PAGES", pages)
    kms.page_size = 1
    fake = kms.add(FakeKey(grants=[{"GrantId": "g"}] * 4))
    assert scan_one(clients, fake.key_id).fact("grants") == fact


def test_a_refused_page_of_list_keys_is_an_error_after_the_keys_before_it(kms: FakeKms, clients: Connection) -> None:
    kms.add(FakeKey())
    page = {"Keys": [{"KeyId": kms.keys[0].key_id, "KeyArn": kms.keys[0].arn}], "Truncated": True}
    kms.answer_raw("ListKeys", json.dumps(page).encode())
    key, error = read_all_keys(clients, now=NOW)
    assert isinstance(key, Key)
    assert error == SourceError(
        "--all",
        None,
        None,
        "kms:ListKeys says that there is more, and not where",
        "allow kms:ListKeys, or name the keys with --key-id",
    )


def test_all_keys_without_the_right_to_list_them(kms: FakeKms, clients: Connection) -> None:
    kms.deny("ListKeys")
    assert list(read_all_keys(clients, now=NOW)) == [
        SourceError("--all", None, None, "AccessDenied on kms:ListKeys", "allow kms:ListKeys, or name the keys with --key-id")
    ]


# --- no key


@pytest.mark.parametrize(
    ("asked", "help"),
    [
        ("00000000-0000-4000-8000-00000000dead", "check the id and --region; aws kms list-keys names the keys there"),
        ("alias/nobody", "check the id and --region; aws kms list-keys names the keys there"),
        ("payments", "pass a key id, a key ARN, an alias ARN, or an alias name as alias/NAME"),
    ],
)
def test_a_key_that_does_not_exist(kms: FakeKms, clients: Connection, asked: str, help: str) -> None:
    fake = kms.add(FakeKey())
    missing, found = scan(clients, asked, fake.key_id)
    assert missing == SourceError(asked, None, None, f"no key `{asked}` in {REGION}", help)
    assert isinstance(found, Key)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "x" * 3000,
        "arn:aws:kms",
        "arn:aws:s3:::bucket",
        "$(id)",
        "arn:aws:kms:no region!:111122223333:key/x",
        "a\nb",
        "\x00",
        "\ud800",
    ],
)
def test_an_id_that_is_none_is_an_error_of_that_id(kms: FakeKms, clients: Connection, asked: str) -> None:
    assert fail_one(clients, asked).source == asked


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
def test_credentials_that_are_refused_end_the_scan_with_one_error(kms: FakeKms, clients: Connection, code: str) -> None:
    kms.refuse("DescribeKey", code, "signature {authorization} {token}")
    assert fail_one(clients, "a", "b", "c") == SourceError(
        "a",
        None,
        None,
        f"credentials refused ({code}) on kms:DescribeKey",
        "aws sts get-caller-identity shows which credentials are found; renew them, or pass --profile",
    )


def test_credentials_that_expire_meanwhile_leave_facts_unread(kms: FakeKms, clients: Connection) -> None:
    fake = kms.add(FakeKey())
    kms.refuse("ListGrants", "ExpiredTokenException")
    reason = "credentials refused (ExpiredTokenException) on kms:ListGrants"
    assert dict(scan_one(clients, fake.key_id).facts) == {**ORDINARY, "grants": unread(reason)}


@pytest.mark.parametrize("missing", [("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY",)])
def test_no_credentials(kms: FakeKms, monkeypatch: pytest.MonkeyPatch, missing: Sequence[str]) -> None:
    for name in missing:
        monkeypatch.delenv(name)
    connection = connect(None, REGION, kms.url)
    error = fail_one(connection, "a", "b")
    connection.close()
    assert error.message in {"no usable credentials for kms:DescribeKey", "no usable AWS credentials"}
    assert error.help == "aws sts get-caller-identity shows which credentials are found; renew them, or pass --profile"
    assert kms.calls == []


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_an_endpoint_that_nobody_answers_ends_the_scan_with_one_error() -> None:
    connection = connect(None, REGION, f"http://someone:{SECRET.replace('/', '-')}@127.0.0.1:{closed_port()}")
    error = fail_one(connection, "a", "b", "c")
    connection.close()
    assert error == SourceError(
        "a",
        None,
        None,
        "endpoint not reached on kms:DescribeKey",
        "check --region, --endpoint-url, AWS_ENDPOINT_URL and the network or proxy between here and KMS",
    )


@pytest.mark.parametrize(
    ("profile", "region", "endpoint", "message"),
    [
        ("nobody", REGION, None, "the AWS profile `nobody` does not exist"),
        (None, REGION, "127.0.0.1:4566", "`--endpoint-url` is not an http or https URL"),
        (None, REGION, "file:///etc/passwd", "`--endpoint-url` is not an http or https URL"),
        (None, "not a region!", None, "the AWS Region is not a valid name"),
        (None, None, None, "no AWS Region is configured"),
    ],
)
def test_a_connection_that_cannot_be_made_is_a_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, profile: str | None, region: str | None, endpoint: str | None, message: str
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(UsageError) as caught:
        scan(connect(profile, region, endpoint), "a")
    assert caught.value.message == message
    assert caught.value.help


# --- answers that are not KMS's

HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"<html>",
    b'"x"',
    b"\xff\xfe",
    b"[" * 50_000,
    b'{"KeyMetadata": 7}',
    b'{"KeyMetadata": {"CreationDate": "x"}}',
]


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize("operation", FACTS_OF)
def test_an_unreadable_answer_raises_nothing_and_passes_nothing(
    kms: FakeKms, clients: Connection, operation: str, body: bytes
) -> None:
    fake = kms.add(FakeKey())
    kms.answer_raw(operation, body)
    (outcome,) = scan(clients, fake.arn)
    if operation == "DescribeKey" and isinstance(outcome, SourceError):
        assert outcome.message == "unreadable answer to kms:DescribeKey"
        return
    assert isinstance(outcome, Key)
    facts = [name for name in FACTS_OF[operation] if name not in HARMLESS]
    assert [name for name in facts if not isinstance(outcome.facts[name], Unknown)] == []
    assert bool(outcome.policies_unread) == (operation in {"ListKeyPolicies", "GetKeyPolicy"})
    assert [policy.name for policy in outcome.policies] == ([] if operation == "GetKeyPolicy" else ["default"])


HARMLESS = {"description", "rotation.period_days", "rotation.on_demand_start", "material.valid_to"}
"""Facts with a documented meaning of silence: empty, 365 days, not running, none."""


@pytest.mark.parametrize("body", [{"PolicyNames": [7]}, {"PolicyNames": ["p"] * 17}, {"PolicyNames": None}, {"Names": []}])
def test_odd_policy_names_are_not_absent_ones(kms: FakeKms, clients: Connection, body: dict[str, Any]) -> None:
    fake = kms.add(FakeKey())
    kms.answer_raw("ListKeyPolicies", json.dumps(body).encode())
    assert "so policies other than `default` may exist" in (scan_one(clients, fake.key_id).policies_unread or "")


def test_a_primary_in_no_region_leaves_the_rotation_unread(kms: FakeKms, clients: Connection) -> None:
    _, replica = multi_region_pair(kms)
    there = f"arn:aws:kms:evil host/..:{ACCOUNT}:key/x"
    replica.metadata["MultiRegionConfiguration"] = {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": {"Arn": there},
        "ReplicaKeys": [],
    }
    key = scan_one(clients, replica.arn)
    assert key.fact("rotation.enabled") == unread(f"no such Region for the primary key `{there}`")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["KeyMetadata", "Arn", "Policy", "Grants", "Tags"]) | st.text(max_size=4), inner, max_size=3
        )
    ),
    max_leaves=12,
)
fields = ["Arn", "KeyId", "KeySpec", "Origin", "KeyState", "MultiRegion", "MultiRegionConfiguration", "DeletionDate", "ValidTo"]
answers = st.dictionaries(
    st.sampled_from([*FACTS_OF, "GetKeyPolicy/default", "ListKeyRotations", "GetKeyLastUsage"]),
    st.builds(Failure, st.just("AccessDenied"), st.just("AccessDenied on kms:X"))
    | st.dictionaries(st.sampled_from(["Policy", "PolicyNames", "Grants", "Tags", "Aliases", "KeyRotationEnabled"]), json_values)
    | st.fixed_dictionaries({"KeyMetadata": st.dictionaries(st.sampled_from(fields), json_values)}),
)


@given(answers, st.text(max_size=20))
def test_any_answers_make_a_key(given_answers: dict[str, Any], asked: str) -> None:
    key = key_from(Observation(asked, REGION, NOW, given_answers))
    assert key.as_of == NOW
    json.dumps([fact.value for fact in key.facts.values() if isinstance(fact, Known)])


@given(st.from_regex(r"arn:[a-z-]{3,10}:kms:[a-z0-9-]{1,12}:[0-9]{12}:(key|alias)/[!-~]{1,20}", fullmatch=True))
def test_an_arn_splits_and_joins(text: str) -> None:
    arn = split_arn(text)
    assert arn is not None
    assert f"arn:{arn.partition}:kms:{arn.region}:{arn.account}:{arn.resource}" == text


@pytest.mark.parametrize(
    "text", ["", "k", "alias/x", "arn:aws:s3:::b", "arn:aws:kms:us-east-1:111122223333:", "arn:aws:kms::1:key/x"]
)
def test_what_is_no_kms_arn_does_not_split(text: str) -> None:
    assert split_arn(text) is None


# --- many keys


def test_results_come_in_order_each_key_once(kms: FakeKms, clients: Connection) -> None:
    fakes = [kms.add(FakeKey(f"00000000-0000-4000-8000-0000000000{n:02}", aliases=[f"alias/{n}"])) for n in range(20)]
    kms.delay("GetKeyPolicy", 0.01)
    told: list[tuple[int, int]] = []
    ids = [fake.key_id for fake in reversed(fakes)]
    found = scan(clients, *ids, "alias/3", ids[0], progress=lambda done, total: told.append((done, total)))
    assert [key.key_id for key in found if isinstance(key, Key)] == ids
    assert told == [(done, 21) for done in range(1, 22)]


def test_an_executor_of_the_caller_changes_nothing(kms: FakeKms, clients: Connection) -> None:
    class Recording(ThreadPoolExecutor):
        asked: list[str] = []  # noqa: RUF012

        def submit(self, work: Any, /, *arguments: Any, **more: Any) -> Future[Any]:  # noqa: ANN401
            self.asked.extend(arguments)
            return super().submit(work, *arguments, **more)

    fakes = [kms.add(FakeKey(f"00000000-0000-4000-8000-00000000000{n}")) for n in range(3)]
    ids = [fake.key_id for fake in fakes]
    with Recording(2) as executor:
        found = scan(clients, *ids, executor=executor)
    assert (Recording.asked, [key.key_id for key in found if isinstance(key, Key)]) == (ids, ids)


def test_a_reader_who_stops_early_waits_for_no_more_keys(kms: FakeKms, clients: Connection) -> None:
    ids = [kms.add(FakeKey(f"00000000-0000-4000-8000-000000000{n:03}")).key_id for n in range(200)]
    keys = read_keys(clients, ids, now=NOW)
    assert isinstance(keys, Iterator)
    next(keys)
    keys.close()  # type: ignore[attr-defined]
    assert kms.count("DescribeKey") < 100


def test_a_connection_can_be_sent_to_another_process() -> None:
    copy = pickle.loads(pickle.dumps(connect(None, REGION, "http://127.0.0.1:1")))  # noqa: S301  our own bytes
    assert copy(None).meta.region_name == REGION
    copy.close()


# --- secrets


def test_no_secret_is_ever_shown(kms: FakeKms, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.INFO)
    fakes = [kms.add(FakeKey(f"00000000-0000-4000-8000-00000000000{n}")) for n in range(len(FACTS_OF))]
    for fake, operation in zip(fakes, FACTS_OF, strict=True):
        kms.deny(operation, key=fake)
    connection = connect(None, REGION, kms.url)
    shown = [repr(scan(connection, *(fake.key_id for fake in fakes))), repr(connection), repr(pickle.dumps(connection))]
    kms.refuse("DescribeKey", "ExpiredTokenException", "{authorization} {token}")
    shown += [repr(scan(connection, "a")), caplog.text, *capfd.readouterr()]
    connection.close()
    assert [secret for secret in (ACCESS_KEY, SECRET, TOKEN, "Signature=") if any(secret in text for text in shown)] == []


def test_the_fake_does_quote_the_request_in_its_refusals(kms: FakeKms, clients: Connection) -> None:
    """The twin of the test above: there is something to leak."""
    from botocore.exceptions import ClientError

    kms.deny("ListKeys")
    with pytest.raises(ClientError, match=f"Credential={ACCESS_KEY}/.*Signature=.*{TOKEN}"):
        clients(None).list_keys()
