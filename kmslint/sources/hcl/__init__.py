"""Terraform's language: read with places, evaluated as far as the text alone determines it."""
