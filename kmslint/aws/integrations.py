"""What AWS services need of a key: one row a service, with its source and the date of the text that was read.

A need is a request that must be allowed. Its caller is a service with its own principal, or a role that uses the service
(`ROLE`), which calls through a forward access session or directly. Values may hold `{account}`, `{region}`, `{partition}` and
`{source}`, the ARN for which the service acts. A value whose placeholder is not known is not part of the request.
"""

from collections.abc import Mapping
from types import MappingProxyType

from kmslint.typed import Final, NamedTuple

ROLE: Final = "role"
"""The caller is the principal of the configuration, else any principal of the owner."""


class Need(NamedTuple):
    """Requests that the key policy must allow: each of `actions`, by `caller`, with `context` (condition key → value)."""

    caller: str
    actions: tuple[str, ...]
    context: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    """Condition keys that such a request never has."""


class Integration(NamedTuple):
    """One service. `path`: service-principal, fas (forward access session), fas+grant, role."""

    id: str
    title: str
    path: str
    needs: tuple[Need, ...]
    source: str
    as_of: str


def _fas(service: str, *actions: str) -> Need:
    return Need(ROLE, actions, (("kms:ViaService", f"{service}.{{region}}.amazonaws.com"),))


def _grant(service: str) -> Need:
    via = ("kms:ViaService", f"{service}.{{region}}.amazonaws.com")
    return Need(ROLE, ("CreateGrant",), (via, ("kms:GrantIsForAWSResource", "true")))


_SOURCE: Final = (("aws:SourceAccount", "{account}"), ("aws:SourceArn", "{source}"))
_TRAIL: Final = (*_SOURCE, ("kms:EncryptionContext:aws:cloudtrail:arn", "{source}"))
_LOGS: Final = (*_SOURCE, ("kms:EncryptionContext:aws:logs:arn", "{source}"))
_AUTO_SCALING: Final = (
    "arn:{partition}:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
)

_ROWS: Final = (
    Integration(
        "rds",
        "Amazon RDS",
        "fas+grant",
        (_grant("rds"), _fas("rds", "DescribeKey")),
        "Amazon RDS User Guide, Encrypting Amazon RDS resources",
        "2023-06",
    ),
    Integration(
        "s3-sse-kms",
        "Amazon S3, SSE-KMS",
        "fas",
        (_fas("s3", "GenerateDataKey", "Decrypt"),),
        "Amazon S3 User Guide, Using server-side encryption with AWS KMS keys, Permissions",
        "2023-06",
    ),
    Integration(
        "s3-event-notifications",
        "Amazon S3 event notifications",
        "service-principal",
        (Need("s3.amazonaws.com", ("GenerateDataKey", "Decrypt"), _SOURCE),),
        "Amazon S3 User Guide, Granting permissions to publish event notification messages",
        "2023-06",
    ),
    Integration(
        "s3-inventory",
        "Amazon S3 Inventory",
        "service-principal",
        (Need("s3.amazonaws.com", ("GenerateDataKey",), _SOURCE),),
        "Amazon S3 User Guide, Configuring Amazon S3 Inventory",
        "2023-06",
    ),
    Integration(
        "cloudtrail-trail",
        "AWS CloudTrail trail",
        "service-principal",
        (
            Need("cloudtrail.amazonaws.com", ("GenerateDataKey",), _TRAIL),
            Need("cloudtrail.amazonaws.com", ("DescribeKey",), _SOURCE),
        ),
        "AWS CloudTrail User Guide, Configure AWS KMS key policies for CloudTrail",
        "2023-06",
    ),
    Integration(
        "cloudtrail-lake",
        "AWS CloudTrail Lake event data store",
        "service-principal",
        (
            Need(
                "cloudtrail.amazonaws.com",
                ("GenerateDataKey", "Decrypt", "DescribeKey"),
                absent=("aws:SourceArn", "aws:SourceAccount"),
            ),
        ),
        "AWS CloudTrail User Guide, Configure AWS KMS key policies for CloudTrail, event data stores",
        "2023-06",
    ),
    Integration(
        "cloudwatch-logs",
        "Amazon CloudWatch Logs",
        "service-principal",
        (Need("logs.{region}.amazonaws.com", ("GenerateDataKey", "Decrypt", "Encrypt"), _LOGS),),
        "Amazon CloudWatch Logs User Guide, Encrypt log data using AWS KMS",
        "2023-06",
    ),
    Integration(
        "sns-publisher-service",
        "a service that publishes to an encrypted Amazon SNS topic",
        "service-principal",
        (Need("{service}", ("GenerateDataKey", "Decrypt"), _SOURCE),),
        "Amazon SNS Developer Guide, Key management",
        "2022-12",
    ),
    Integration(
        "sqs-producer-service",
        "a service that sends to an encrypted Amazon SQS queue",
        "service-principal",
        (Need("{service}", ("GenerateDataKey", "Decrypt"), _SOURCE),),
        "Amazon SQS Developer Guide, Key management",
        "2023-06",
    ),
    Integration(
        "lambda-env",
        "AWS Lambda environment variables",
        "fas+grant",
        (_grant("lambda"), _fas("lambda", "Decrypt")),
        "AWS KMS Developer Guide, AWS KMS condition keys, kms:ViaService (the actions are inferred)",
        "2023-06",
    ),
    Integration(
        "ebs",
        "Amazon EBS",
        "fas+grant",
        (_grant("ec2"), _fas("ec2", "Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo")),
        "AWS KMS Developer Guide, How Amazon EBS uses AWS KMS",
        "2023-06",
    ),
    Integration(
        "autoscaling-slr",
        "Amazon EC2 Auto Scaling",
        "role",
        (
            Need(_AUTO_SCALING, ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey")),
            Need(_AUTO_SCALING, ("CreateGrant",), (("kms:GrantIsForAWSResource", "true"),)),
        ),
        "Amazon EC2 Auto Scaling User Guide, Required AWS KMS key policy for use with encrypted volumes",
        "2023-06",
    ),
    Integration(
        "dynamodb",
        "Amazon DynamoDB",
        "fas+grant",
        (
            _grant("dynamodb"),
            _fas("dynamodb", "Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey"),
        ),
        "Amazon DynamoDB Developer Guide, DynamoDB encryption at rest usage notes",
        "2025",
    ),
    Integration(
        "secretsmanager",
        "AWS Secrets Manager",
        "fas",
        (_fas("secretsmanager", "GenerateDataKey", "Decrypt"),),
        "AWS Secrets Manager User Guide, Secret encryption and decryption",
        "2023-06",
    ),
    Integration(
        "ssm-parameter",
        "AWS Systems Manager Parameter Store",
        "fas",
        (_fas("ssm", "Encrypt", "Decrypt"),),
        "AWS KMS Developer Guide, How AWS Systems Manager Parameter Store uses AWS KMS",
        "2023-06",
    ),
    Integration(
        "backup-role",
        "AWS Backup",
        "role",
        (_grant("backup"), _fas("backup", "GenerateDataKey", "Decrypt"), Need(ROLE, ("DescribeKey",))),
        "AWS managed policy AWSBackupServiceRolePolicyForBackup; AWS Backup Developer Guide, Encryption",
        "2026-02",
    ),
    Integration(
        "efs",
        "Amazon EFS",
        "fas",
        (_grant("elasticfilesystem"), _fas("elasticfilesystem", "GenerateDataKeyWithoutPlaintext", "Decrypt", "DescribeKey")),
        "Amazon EFS User Guide, Encrypting data at rest",
        "2023-06",
    ),
    Integration(
        "eks-envelope",
        "Amazon EKS secrets",
        "fas+grant",
        (Need(ROLE, ("CreateGrant", "DescribeKey"), (("kms:ViaService", "eks.{region}.amazonaws.com"),)),),
        "Amazon EKS User Guide, Encrypt Kubernetes secrets with AWS KMS (the service condition is inferred)",
        "2024-12",
    ),
    Integration(
        "redshift",
        "Amazon Redshift",
        "fas+grant",
        (_grant("redshift"), _fas("redshift", "DescribeKey", "GenerateDataKey", "Decrypt")),
        "AWS KMS Developer Guide, How Amazon Redshift uses AWS KMS (the actions are inferred)",
        "2023-06",
    ),
    Integration(
        "config-delivery",
        "AWS Config delivery channel",
        "service-principal",
        (Need("config.amazonaws.com", ("GenerateDataKey", "Decrypt"), _SOURCE),),
        "AWS Config Developer Guide, Permissions for the KMS key for the delivery channel",
        "2023-06",
    ),
    Integration(
        "cloudfront-oac",
        "Amazon CloudFront origin access control",
        "service-principal",
        (Need("cloudfront.amazonaws.com", ("Decrypt",), (("aws:SourceArn", "{source}"),)),),
        "Amazon CloudFront Developer Guide, Restricting access to an Amazon S3 origin, SSE-KMS",
        "2025",
    ),
)

INTEGRATIONS: Final[Mapping[str, Integration]] = MappingProxyType({row.id: row for row in _ROWS})
"""Every known integration by its id, as `[[integrations]] service` names it."""
