"""Items of AWS Config: the latest of each key, its facts and its policy where the item holds one, packed files too."""

import gzip
import json
from pathlib import Path

import pytest

from kmslint.model.key import Key, Known
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.sources.files import Found, Skipped, collect
from tests.unit.sources.terraform.shapes import facts, plain, stated

ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}],
}


def item(**more: object) -> dict[str, object]:
    configuration = {
        "keyId": ARN.rsplit("/", maxsplit=1)[1], "arn": ARN, "enabled": True, "description": "backups", "keyUsage": "ENCRYPT_DECRYPT",
        "keyState": "Enabled", "origin": "AWS_KMS", "keyManager": "CUSTOMER", "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "awsaccountId": "111122223333",
    }  # fmt: skip
    return {
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": "2026-10-01T08:00:00.000Z", "configurationItemStatus": "OK",
        "ARN": ARN, "resourceType": "AWS::KMS::Key", "resourceId": ARN.rsplit("/", maxsplit=1)[1], "awsRegion": "eu-central-1",
        "awsAccountId": "111122223333", "tags": {"owner": "team"}, "configuration": configuration,
        "supplementaryConfiguration": {"KeyRotationStatus": False, "Policy": json.dumps(POLICY)},
    } | more  # fmt: skip


def snapshot(*items: object) -> str:
    return json.dumps({"fileVersion": "1.0", "configurationItems": [*items, {"resourceType": "AWS::S3::Bucket", "ARN": "x"}]})


def found(path: Path, **more: object) -> list[Found]:
    return list(collect([str(path)], settings=Settings(), **more))  # type: ignore[arg-type]


def only_key(folder: Path, content: str | bytes, name: str = "snapshot.json") -> Key:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    (key,) = found(folder)
    assert isinstance(key, Key)
    return key


def test_an_item_is_a_key(tmp_path: Path) -> None:
    key = only_key(tmp_path, snapshot(item()))
    assert (key.arn, key.account, key.account_source, key.region, key.as_of) == (
        ARN, "111122223333", "arn", "eu-central-1", "2026-10-01T08:00:00.000Z",
    )  # fmt: skip
    assert plain(key.policies[0].policy) == stated(POLICY)
    shown = facts(key)
    expected = {
        "state": "Enabled", "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT", "origin": "AWS_KMS", "manager": "CUSTOMER",
        "description": "backups", "rotation.enabled": False, "tags": {"owner": "team"}, "multi_region": False,
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == expected
    assert key.source.type == "snapshot"
    assert key.policies_not_in_source is None


def test_a_policy_stands_in_the_file(tmp_path: Path) -> None:
    content = snapshot(item())
    key = only_key(tmp_path, content)
    location = key.policies[0].policy.statements[0].node.locate()
    assert content[location.column - 1 :].startswith('{\\"Effect\\"')
    assert str(location.file).endswith("snapshot.json")


@pytest.mark.parametrize(
    "more",
    [
        {"supplementaryConfiguration": {"Policy": POLICY}},
        {"supplementaryConfiguration": {"keyPolicy": json.dumps(POLICY)}},
        {"supplementaryConfiguration": json.dumps({"Policy": json.dumps(POLICY)})},
        {"supplementaryConfiguration": {}, "configuration": json.dumps({"arn": ARN, "keyPolicy": POLICY})},
    ],
)
def test_a_policy_is_read_wherever_the_item_holds_it(tmp_path: Path, more: dict[str, object]) -> None:
    assert plain(only_key(tmp_path, snapshot(item(**more))).policies[0].policy) == stated(POLICY)


def test_without_a_policy_or_a_rotation_nothing_is_claimed(tmp_path: Path) -> None:
    key = only_key(tmp_path, snapshot(item(supplementaryConfiguration={})))
    assert (key.policies, key.policies_not_in_source) == ((), "the item of AWS Config holds no key policy")
    assert [name for name in key.facts if name.startswith("rotation")] == []


@pytest.mark.parametrize("status", [True, "true", "TRUE"])
def test_rotation_is_read_however_it_is_spelled(tmp_path: Path, status: object) -> None:
    key = only_key(tmp_path, snapshot(item(supplementaryConfiguration={"KeyRotationStatus": status})))
    rotation = key.facts["rotation.enabled"]
    assert isinstance(rotation, Known)
    assert rotation.value is True


def test_the_latest_item_of_a_key_counts_and_a_deleted_key_is_none(tmp_path: Path) -> None:
    older = item(configurationItemCaptureTime="2026-09-01T00:00:00Z", tags={"owner": "before"})
    assert facts(only_key(tmp_path, snapshot(item(), older)))["tags"] == {"owner": "team"}
    gone = item(configurationItemCaptureTime="2026-11-01T00:00:00Z", configurationItemStatus="ResourceDeleted")
    (tmp_path / "snapshot.json").write_text(snapshot(item(), gone))
    (result,) = found(tmp_path)
    assert isinstance(result, Skipped)
    assert result.reason == "no item of a KMS key in it"


def test_what_the_command_prints_is_read_too(tmp_path: Path) -> None:
    printed = {
        "configurationItems": [item(configuration=json.dumps({"keyId": "x", "arn": ARN, "keyState": "Disabled"}), arn=ARN)]
    }
    assert facts(only_key(tmp_path, json.dumps(printed)))["state"] == "Disabled"


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    key = only_key(tmp_path, gzip.compress(snapshot(item()).encode()), "111122223333_Config_ConfigSnapshot.json.gz")
    assert key.arn == ARN


def test_a_packed_file_that_is_none_or_a_bomb_is_an_error(tmp_path: Path) -> None:
    bomb, broken = tmp_path / "bomb.json.gz", tmp_path / "broken.json.gz"
    bomb.write_bytes(gzip.compress(b" " * 60_000_000))
    broken.write_bytes(b"{}")
    shown = [result.message for path in (bomb, broken) for result in found(path) if isinstance(result, SourceError)]
    assert shown == ["larger than 20,000,000 bytes", "the file is not packed with gzip"]


@pytest.mark.parametrize("odd", [7, None, [], {}, "x", "{", ["AWS::KMS::Key"]])
def test_odd_items_do_no_harm(tmp_path: Path, odd: object) -> None:
    contents = [
        snapshot(item(configuration=odd)), snapshot(item(supplementaryConfiguration=odd)), snapshot(item(tags=odd)),
        snapshot(item(ARN=odd, resourceId=odd)), snapshot(odd, item()), json.dumps({"configurationItems": odd, "x": "AWS::KMS::Key esourceType"}),
    ]  # fmt: skip
    for content in contents:
        (tmp_path / "snapshot.json").write_text(content)
        assert all(isinstance(result, (Key, SourceError, Skipped)) for result in found(tmp_path))
