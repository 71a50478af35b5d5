"""Where keys that were observed are met among files: snapshots, items of AWS Config, packed files, answers of `aws kms` side by side."""

import os
from collections.abc import Iterator, Sequence

from kmslint.errors import InputError
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.typed import Final, Union

PACKED: Final = ".gz"
"""AWS Config delivers its files so."""

LINES: Final = ".jsonl"
"""How the names of snapshots end."""

_POLICY: Final = "policy"


def is_snapshot(path: str) -> bool:
    """Whether the file at `path` is a snapshot of a scan."""
    if not path.lower().endswith(LINES):
        return False
    from kmslint.sources import snapshot

    return snapshot.is_snapshot(path)


def keys_in_snapshot(path: str, name: str, account: str | None) -> Iterator[Union[Key, SourceError]]:
    """The keys of the snapshot at `path`, which reports call `name`. `account` owns those that do not tell."""
    from kmslint.sources import snapshot

    return snapshot.keys_in_file(path, name, account)


def is_config(content: str) -> bool:
    """Whether a text holds items of AWS Config about keys, judged without reading it."""
    return "AWS::KMS::Key" in content and "onfigurationItem" in content and "esourceType" in content


def unpacked(data: bytes, most: int) -> bytes:
    """The first `most` bytes that a gzip file holds. Raises InputError for what is no gzip file."""
    import zlib

    try:
        return zlib.decompressobj(wbits=31).decompress(data, most)
    except zlib.error:
        raise InputError("the file is not packed with gzip", help="unpack it first") from None


def joined(found: Sequence[Union[Key, SourceError]], path: str, content: str) -> Iterator[Union[Key, SourceError]]:
    """What was found in a file; the policy that `aws kms get-key-policy` printed, with the answers beside it."""
    printed = '"PolicyName"' in content or "get-key-policy" in path or "get_key_policy" in path
    for item in found:
        if printed and isinstance(item, Key) and item.source.type == _POLICY and os.path.isfile(path):
            from kmslint.sources.command_outputs import with_neighbours

            yield with_neighbours(item, path)
        else:
            yield item
