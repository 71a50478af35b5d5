"""Regions, partitions, service principals and values of kms:ViaService by their shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.aws import partitions
from kmslint.aws.partitions import PARTITIONS, VIA_SERVICES, ServiceName


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("mx-central-1", "aws"),
        ("ap-southeast-12", "aws"),
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-northwest-1", "aws-cn"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
        ("eusc-east-1", None),
        ("us-east-1a", None),
        ("us-east", None),
        ("us-east-", None),
        ("US-EAST-1", None),
        ("us-East-1", None),
        ("us-east-\u0661", None),
        ("us-\u00e9st-1", None),
        ("us--1", None),
        ("xx-east-1", None),
        ("us-east-1-", None),
        ("*", None),
        ("", None),
        ("aws-global", None),
    ],
)
def test_region(region: str, partition: str | None) -> None:
    assert partitions.partition_of_region(region) == partition
    assert partitions.is_region(region) is (partition is not None)


@pytest.mark.parametrize(
    ("arn", "partition"),
    [
        ("arn:aws:iam::111122223333:root", "aws"),
        ("arn:aws-cn:kms:cn-north-1:111122223333:key/x", "aws-cn"),
        ("arn:aws-us-gov:", "aws-us-gov"),
        ("arn:aws", None),
        ("arn:*:iam::111122223333:root", None),
        ("arn:AWS:iam::111122223333:root", None),
        ("ARN:aws:iam::111122223333:root", None),
        ("arn:aws-moon:iam::111122223333:root", None),
        ("111122223333", None),
        ("", None),
    ],
)
def test_partition_of_an_arn(arn: str, partition: str | None) -> None:
    assert partitions.partition_of_arn(arn) == partition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3.amazonaws.com", ServiceName("s3", None, "amazonaws.com")),
        ("logs.us-east-1.amazonaws.com", ServiceName("logs", "us-east-1", "amazonaws.com")),
        ("logs.cn-north-1.amazonaws.com.cn", ServiceName("logs", "cn-north-1", "amazonaws.com.cn")),
        ("replication.dynamodb.amazonaws.com", ServiceName("replication.dynamodb", None, "amazonaws.com")),
        ("delivery.logs.us-gov-east-1.amazonaws.com", ServiceName("delivery.logs", "us-gov-east-1", "amazonaws.com")),
        ("ec2.c2s.ic.gov", ServiceName("ec2", None, "c2s.ic.gov")),
        ("us-east-1.amazonaws.com", ServiceName("us-east-1", None, "amazonaws.com")),
        ("amazonaws.com", None),
        (".amazonaws.com", None),
        ("s3..amazonaws.com", None),
        ("*.amazonaws.com", None),
        ("*", None),
        ("S3.amazonaws.com", None),
        ("s3.AMAZONAWS.com", None),
        ("-s3.amazonaws.com", None),
        ("s3-.amazonaws.com", None),
        ("s3_x.amazonaws.com", None),
        ("s3.amazonaws.com ", None),
        ("s3.amazonaws.com\n", None),
        ("s3.amazonaws.com.example.org", None),
        ("s\u0663.amazonaws.com", None),
        (f"{'a' * 64}.amazonaws.com", None),
        (f"{'a.' * 200}amazonaws.com", None),
        ("arn:aws:iam::111122223333:root", None),
        ("", None),
    ],
)
def test_service_principal(text: str, expected: ServiceName | None) -> None:
    assert partitions.service_name(text) == expected
    assert partitions.is_service_principal(text) is (expected is not None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("rds.us-east-1.amazonaws.com", ServiceName("rds", "us-east-1", "amazonaws.com")),
        ("rds.cn-north-1.amazonaws.com", ServiceName("rds", "cn-north-1", "amazonaws.com")),
        ("rds.cn-north-1.amazonaws.com.cn", None),
        ("rds.amazonaws.com", None),
        ("rds.*.amazonaws.com", None),
        ("rds.us-east-1", None),
        ("rds", None),
    ],
)
def test_value_of_via_service(value: str, expected: ServiceName | None) -> None:
    assert partitions.via_service(value) == expected


def test_known_services_are_labels_of_such_values() -> None:
    named = {name: partitions.via_service(f"{name}.us-east-1.amazonaws.com") for name in VIA_SERVICES}
    assert named == {name: ServiceName(name, "us-east-1", "amazonaws.com") for name in VIA_SERVICES}
    assert list(VIA_SERVICES) == sorted(VIA_SERVICES)


@given(st.text(max_size=60))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    name = partitions.service_name(text)
    assert name is None or text == ".".join(filter(None, (name.service, name.region, name.suffix)))
    assert partitions.partition_of_arn(text) in {None, *PARTITIONS}


def test_botocore_knows_no_region_that_the_pattern_refuses() -> None:
    loaders = pytest.importorskip("botocore.loaders")
    data = loaders.Loader().load_data("partitions")
    listed = {
        region: entry["id"] for entry in data["partitions"] for region in entry["regions"] if not region.endswith("-global")
    }
    assert {region: partitions.partition_of_region(region) for region in listed} == listed
    assert {entry["id"]: entry["outputs"]["dnsSuffix"] for entry in data["partitions"]} == PARTITIONS
