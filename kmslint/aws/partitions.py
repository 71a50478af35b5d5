"""Partitions, Regions, service principals and the names that kms:ViaService takes.

Sources: botocore, data/partitions.json (partitions, DNS suffixes, Region patterns); IAM User Guide, "AWS JSON policy elements:
Principal", AWS service principals; AWS KMS Developer Guide, "AWS KMS condition keys", kms:ViaService.
"""

from collections.abc import Mapping

from kmslint.typed import Final, NamedTuple

_LONGEST_HOST: Final = 253
_LONGEST_LABEL: Final = 63

PARTITIONS: Final[Mapping[str, str]] = {
    # partition: DNS suffix
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-us-gov": "amazonaws.com",
}

_GEOGRAPHIES: Final[Mapping[str, str]] = {
    # what stands before the last two words of a Region's name: the partition
    **dict.fromkeys(("af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"), "aws"),
    "cn": "aws-cn",
    "eu-isoe": "aws-iso-e",
    "eusc-de": "aws-eusc",
    "us-gov": "aws-us-gov",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "us-isof": "aws-iso-f",
}

_SUFFIXES: Final = tuple(sorted({f".{suffix}" for suffix in PARTITIONS.values()}))

VIA_SERVICES_AS_OF: Final = "2023-06-15"
"""The day of VIA_SERVICES. A service that is not in it may support kms:ViaService since: that is no error."""

VIA_SERVICES: Final[Mapping[str, str]] = {
    # first part of the value of kms:ViaService: the services behind it
    "airflow": "Managed Workflows for Apache Airflow",
    "appflow": "AppFlow",
    "apprunner": "App Runner",
    "athena": "Athena",
    "auditmanager": "Audit Manager",
    "backup": "Backup",
    "backup-gateway": "Backup Gateway",
    "cassandra": "Keyspaces",
    "codeartifact": "CodeArtifact",
    "codeguru-reviewer": "CodeGuru Reviewer",
    "comprehend": "Comprehend",
    "connect": "Connect",
    "dax": "ElastiCache (with elasticache)",
    "directoryservice": "Directory Service",
    "dms": "Database Migration Service",
    "dynamodb": "DynamoDB",
    "ec2": "EC2 (EBS only)",
    "ecr": "ECR",
    "eks": "EKS",
    "elasticache": "ElastiCache (with dax)",
    "elasticfilesystem": "EFS",
    "es": "OpenSearch Service",
    "finspace": "FinSpace",
    "firehose": "Data Firehose",
    "forecast": "Forecast",
    "fsx": "FSx",
    "geo": "Location Service",
    "glue": "Glue",
    "groundstation": "Ground Station",
    "healthlake": "HealthLake",
    "importexport": "Snowball",
    "iotsitewise": "IoT SiteWise",
    "kafka": "Managed Streaming for Apache Kafka",
    "kendra": "Kendra",
    "kinesis": "Kinesis",
    "kinesisvideo": "Kinesis Video Streams",
    "lambda": "Lambda",
    "lex": "Lex",
    "license-manager": "License Manager",
    "lookoutequipment": "Lookout for Equipment",
    "lookoutmetrics": "Lookout for Metrics",
    "lookoutvision": "Lookout for Vision",
    "macie": "Macie",
    "malware-protection": "GuardDuty",
    "managedblockchain": "Managed Blockchain",
    "mediatailor": "Elemental MediaTailor",
    "memorydb": "MemoryDB",
    "mgn": "Application Migration Service",
    "monitron": "Monitron",
    "mq": "MQ",
    "nimble": "Nimble Studio",
    "omics": "Omics",
    "profile": "Connect Customer Profiles",
    "proton": "Proton",
    "qldb": "QLDB",
    "rds": "RDS, Aurora, Neptune, RDS Performance Insights",
    "redshift": "Redshift",
    "redshift-serverless": "Redshift Serverless",
    "rekognition": "Rekognition",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "secretsmanager": "Secrets Manager",
    "ses": "SES",
    "sns": "SNS",
    "sqlworkbench": "Redshift query editor v2",
    "sqs": "SQS",
    "ssm": "Systems Manager",
    "ssm-contacts": "Systems Manager Incident Manager Contacts",
    "ssm-incidents": "Systems Manager Incident Manager",
    "storagegateway": "Storage Gateway",
    "timestream": "Timestream",
    "translate": "Translate",
    "wisdom": "Connect Wisdom",
    "workmail": "WorkMail",
    "workspaces": "WorkSpaces",
    "workspaces-web": "WorkSpaces Web",
    "xray": "X-Ray",
}


class ServiceName(NamedTuple):
    """A service principal or a value of kms:ViaService, taken apart. `region` is None for a global name."""

    service: str
    region: str | None
    suffix: str


def partition_of_region(region: str) -> str | None:
    """The partition of a Region by its name (`us-gov-west-1`: `aws-us-gov`); None for what is not a Region's name."""
    words = region.split("-")
    if len(words) < len(("us", "east", "1")) or not region.isascii():
        return None
    *geography, direction, number = words
    if not direction.isalpha() or direction != direction.lower() or not number.isdigit():
        return None
    return _GEOGRAPHIES.get("-".join(geography))


def is_region(text: str) -> bool:
    """Whether `text` is shaped like a Region's name of a known partition. Regions open often: the list is not closed."""
    return partition_of_region(text) is not None


def partition_of_arn(arn: str) -> str | None:
    """The partition an ARN names, or None when it is no ARN or the partition is unknown (a wildcard, a template symbol)."""
    prefix, _, rest = arn.partition(":")
    partition, colon, _ = rest.partition(":")
    return partition if prefix == "arn" and colon and partition in PARTITIONS else None


def service_name(text: str) -> ServiceName | None:
    """`logs.us-east-1.amazonaws.com` taken apart; None for what is not shaped like a service principal.

    A service is one or more labels of lower-case letters, digits and hyphens; a Region stands last. Wildcards are no part of it.
    """
    suffix = next((suffix for suffix in _SUFFIXES if text.endswith(suffix)), None)
    if suffix is None or len(text) > _LONGEST_HOST:
        return None
    labels = text.removesuffix(suffix).split(".")
    if not all(map(_is_label, labels)):
        return None
    if len(labels) > 1 and is_region(labels[-1]):
        return ServiceName(".".join(labels[:-1]), labels[-1], suffix[1:])
    return ServiceName(".".join(labels), None, suffix[1:])


def is_service_principal(text: str) -> bool:
    """Whether `text` is shaped like an AWS service principal (`s3.amazonaws.com`)."""
    return service_name(text) is not None


def via_service(value: str) -> ServiceName | None:
    """A value that kms:ViaService can have, taken apart; None when no request ever has it.

    The suffix is `amazonaws.com` in every partition and the Region is part of it.
    Source: AWS KMS Developer Guide, "AWS KMS condition keys", Services that support the kms:ViaService condition key.
    """
    name = service_name(value)
    return name if name is not None and name.region is not None and name.suffix == "amazonaws.com" else None


def _is_label(label: str) -> bool:
    plain = label.replace("-", "")
    return (
        plain.isascii()
        and plain.isalnum()
        and plain == plain.lower()
        and not label.startswith("-")
        and not label.endswith("-")
        and len(label) <= _LONGEST_LABEL
    )
