"""A KMS of our own on loopback, for what no emulator does: refusals, throttling, pages, rotation periods, AWS_RAM."""
