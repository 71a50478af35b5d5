"""Answers of `aws kms` side by side in a folder are one key; of what is doubtful, nothing is joined."""

import json
from pathlib import Path

from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.sources.files import collect
from tests.unit.sources.terraform.shapes import facts

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:eu-central-1:444455556666:key/{ID}"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}],
}
PRINTED = {"Policy": json.dumps(POLICY), "PolicyName": "default"}
METADATA = {
    "KeyMetadata": {
        "AWSAccountId": "444455556666", "KeyId": ID, "Arn": ARN, "CreationDate": "2026-01-01T00:00:00+00:00", "Enabled": True,
        "Description": "", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT", "MultiRegion": False,
    }
}  # fmt: skip
ROTATION = {"KeyRotationEnabled": True, "KeyId": ID, "RotationPeriodInDays": 365, "NextRotationDate": "2027-01-01T00:00:00+00:00"}
ALIASES = {"Aliases": [{"AliasName": "alias/a", "TargetKeyId": ID}, {"AliasName": "alias/b", "TargetKeyId": "other"}]}
TAGS = {"Tags": [{"TagKey": "owner", "TagValue": "team"}]}


def keys(folder: Path, **files: object) -> list[Key]:
    for name, content in files.items():
        (folder / (name.replace("_", "-") + ".json")).write_text(json.dumps(content))
    return [found for found in collect([str(folder)], settings=Settings()) if isinstance(found, Key)]


def test_answers_side_by_side_are_one_key(tmp_path: Path) -> None:
    (key,) = keys(
        tmp_path, get_key_policy=PRINTED, describe_key=METADATA, get_key_rotation_status=ROTATION, list_aliases=ALIASES, list_resource_tags=TAGS,
    )  # fmt: skip
    assert (key.arn, key.key_id, key.account, key.account_source, key.region) == (ARN, ID, "444455556666", "arn", "eu-central-1")
    shown = facts(key)
    expected = {
        "state": "Enabled",
        "rotation.enabled": True,
        "rotation.period_days": 365,
        "aliases": ["alias/a"],
        "tags": {"owner": "team"},
    }
    assert {name: shown[name] for name in expected} == expected
    assert str(key.source.file).endswith("get-key-policy.json")
    assert key.policies[0].policy.statements[0].node.locate().file == key.source.file


def test_a_command_that_was_not_run_leaves_its_facts_out(tmp_path: Path) -> None:
    (key,) = keys(tmp_path, get_key_policy=PRINTED, describe_key=METADATA)
    assert [name for name in key.facts if name.startswith("rotation") or name in {"aliases", "tags"}] == []


def test_a_policy_alone_is_what_it_was(tmp_path: Path) -> None:
    (key,) = keys(tmp_path, get_key_policy=PRINTED)
    assert (key.arn, key.account, key.account_source, dict(key.facts)) == (None, "111122223333", "inferred", {})


def test_any_names_will_do_in_a_folder_with_one_policy(tmp_path: Path) -> None:
    (key,) = keys(tmp_path, p=PRINTED, m=METADATA, r=ROTATION)
    assert (key.arn, facts(key)["rotation.enabled"]) == (ARN, True)


def test_with_two_policies_names_tell_or_nothing_is_joined(tmp_path: Path) -> None:
    assert [key.arn for key in keys(tmp_path, p=PRINTED, q=PRINTED, m=METADATA)] == [None, None]
    for path in tmp_path.iterdir():
        path.unlink()
    other = {"KeyMetadata": METADATA["KeyMetadata"] | {"KeyId": "b", "Arn": ARN.replace(ID, "b")}}
    found = keys(
        tmp_path,
        a_get_key_policy=PRINTED,
        b_get_key_policy=PRINTED,
        a_describe_key=METADATA,
        b_describe_key=other,
        list_aliases=ALIASES,
    )
    assert [(key.key_id, facts(key)["aliases"]) for key in found] == [(ID, ["alias/a"]), ("b", [])]


def test_an_answer_about_another_key_is_not_taken(tmp_path: Path) -> None:
    (key,) = keys(tmp_path, get_key_policy=PRINTED, describe_key=METADATA, get_key_rotation_status=ROTATION | {"KeyId": "other"})
    assert "rotation.enabled" not in key.facts


def test_a_second_policy_that_is_not_there_is_told(tmp_path: Path) -> None:
    listed = {"PolicyNames": ["default", "AWS_RAM"]}
    (key,) = keys(tmp_path, get_key_policy=PRINTED, describe_key=METADATA, list_key_policies=listed)
    assert key.policies_unread == "the policy `AWS_RAM` is not among the files"
    (key,) = keys(tmp_path, list_key_policies={"PolicyNames": ["default"]})
    assert key.policies_unread is None


def test_odd_neighbours_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "list-grants.json").write_bytes(b'\xff\xfe"Grants"')
    (tmp_path / "list-resource-tags.json").write_text("[" * 100_000 + '"Tags"')
    (tmp_path / "list-key-rotations.json").mkdir()
    (key,) = keys(tmp_path, get_key_policy=PRINTED, describe_key={"KeyMetadata": {"KeyId": 7}}, list_aliases={"Aliases": 7})
    assert key.arn is None
    (key,) = keys(tmp_path, describe_key=METADATA)
    assert key.arn == ARN


def test_a_folder_of_many_files_is_not_joined_by_looking_at_all(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"other-{number}.json").write_text("{}")
    (key,) = keys(tmp_path, get_key_policy=PRINTED, describe_key=METADATA)
    assert key.arn is None
