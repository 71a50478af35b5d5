# A key as it is often written: `kmslint check examples/terraform` says what is wrong with it, and where.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

variable "partner_role" {
  description = "Role of the partner that reads the exports"
  type        = string
}

locals {
  account = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"
}

resource "aws_kms_key" "exports" {
  description             = "Exports for the partner"
  deletion_window_in_days = 7
  policy                  = data.aws_iam_policy_document.exports.json
}

resource "aws_kms_alias" "exports" {
  name          = "alias/exports"
  target_key_id = aws_kms_key.exports.key_id
}

data "aws_iam_policy_document" "exports" {
  statement {
    sid       = "AccountAdministers"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [local.account]
    }
  }

  statement {
    sid       = "PartnerReads"
    actions   = ["kms:Decrypt", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [var.partner_role]
    }
  }

  statement {
    sid       = "LogsEncrypt"
    actions   = ["kms:Encrypt*", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.eu-west-1.amazonaws.com"]
    }
  }
}

module "backups" {
  source = "./modules/key"

  name  = "backups"
  users = ["*"]
}
