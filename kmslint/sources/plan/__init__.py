"""Terraform plans: a JSON text read where it speaks of KMS, and the configuration that comes with it."""
