"""kmslint: what an AWS KMS key policy really allows, by proof."""

__version__ = "0.1.0"
