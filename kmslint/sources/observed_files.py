"""Where keys that were observed are met among files: items of AWS Config, packed files, and answers of `aws kms` side by side."""

import os
from collections.abc import Iterator, Sequence

from kmslint.errors import InputError
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.typed import Final, Union

PACKED: Final = ".gz"
"""AWS Config delivers its files so."""

_POLICY: Final = "policy"


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
