"""SHA-256 without `hashlib`, which loads OpenSSL: 3 ms of every start for the digests of some short texts.

The interpreter's own implementation is in a module of its own (CPython's `random` takes its SHA-512 from there); where an
interpreter is built without it, `hashlib` has one.
"""

import sys

try:
    if sys.version_info >= (3, 12):
        from _sha2 import sha256
    else:
        from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    from hashlib import sha256


def hexdigest(data: bytes) -> str:
    """The 64 hex digits of the SHA-256 of `data`."""
    return str(sha256(data).hexdigest())
