"""Numbers, dates, addresses and booleans as policies write them. None means: does not parse.

No standard module is imported for these on the common path: importing ipaddress and datetime costs a cold start 6 ms.
"""

import re
from functools import lru_cache

from kmslint.pattern import pattern
from kmslint.typed import TYPE_CHECKING, Final, Union

if TYPE_CHECKING:
    from decimal import Decimal

Number = Union[int, "Decimal"]

_NUMBER: Final = pattern(r"[-+]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})\Z", re.ASCII)
_INTEGER: Final = pattern(r"[-+]?\d{1,400}\Z", re.ASCII)
_DATE: Final = pattern(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,30})?)?(Z|[-+]\d\d:\d\d)?)?)?)?\Z", re.ASCII | re.IGNORECASE
)
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def boolean(text: str) -> bool | None:
    """`true` / `false` in any case."""
    return {"true": True, "false": False}.get(text.lower())


def number(text: str) -> Number | None:
    """A decimal number, exact: `10` equals `10.0`."""
    if _INTEGER.match(text):
        return int(text)
    if not _NUMBER.match(text):
        return None
    from decimal import Decimal

    return Decimal(text)


def instants(text: str) -> tuple[Number, ...]:
    """The instants, in seconds since 1970-01-01T00:00:00Z, that a date may mean; the likeliest first, () if it is none.

    Two where the documentation leaves it open: a bare four-digit number is a year or epoch seconds, and a time without
    a zone may be in any zone (UNSURE-15; taken as UTC, with the extremes beside it).
    Source: IAM User Guide, "Date condition operators": W3C ISO 8601 profile or epoch time.
    """
    match = _DATE.match(text)
    if match is None:
        seconds = number(text)
        return () if seconds is None else (seconds,)
    year, month, day = (int(part) if part else 1 for part in match.group(1, 2, 3))
    if not 1 <= month <= 12 or not 1 <= day <= _days_in(year, month):
        return ()
    base = _days_since_epoch(year, month, day) * 86400
    if match.group(2) is None:
        return (base, int(text))
    if match.group(4) is None:
        return (base,)
    return _with_time(base, match)


def _with_time(base: int, match: "re.Match[str]") -> tuple[Number, ...]:
    hour, minute = int(match.group(4)), int(match.group(5))
    second = int(match.group(6) or 0)
    if hour > 23 or minute > 59 or second > 60:
        return ()
    instant: Number = base + hour * 3600 + minute * 60 + second
    if match.group(7):
        from decimal import Decimal

        instant = instant + Decimal(match.group(7))
    zone = match.group(8)
    if zone is None:
        return (instant, instant - 14 * 3600, instant + 12 * 3600)
    if zone in "Zz":
        return (instant,)
    offset = int(zone[1:3]) * 3600 + int(zone[4:]) * 60
    return (instant - offset if zone[0] == "+" else instant + offset,)


def _days_in(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if leap and month == 2 else _DAYS[month - 1]


def _days_since_epoch(year: int, month: int, day: int) -> int:
    """Days of the proleptic Gregorian calendar since 1970-01-01."""
    shifted = year - (month <= 2)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def address(text: str) -> tuple[int, int] | None:
    """(IP version, integer) of one address."""
    four = _ipv4(text)
    if four is not None:
        return 4, four
    six = _ipv6(text)
    return None if six is None else (6, six)


@lru_cache(maxsize=1024)
def networks(text: str) -> tuple[tuple[int, int, int], ...]:
    """The (IP version, first, last) ranges that a CIDR may mean, the likeliest first; () if it is none.

    Host bits beyond the prefix are ignored. An IPv6 literal without a prefix is one host, or /32 as the documentation's
    "default prefix value of /32" would have it (UNSURE-17).
    Source: IAM User Guide, "IP address condition operators"; Access Analyzer policy-check reference.
    """
    base, slash, prefix_text = text.partition("/")
    parsed = address(base)
    if parsed is None:
        return ()
    version, value = parsed
    width = 32 if version == 4 else 128
    if not slash:
        hosts = (_range(version, value, width, width),)
        return hosts if version == 4 else (*hosts, _range(version, value, 32, width))
    if not _INTEGER.match(prefix_text) or not prefix_text.isdigit() or int(prefix_text) > width:
        return ()
    return (_range(version, value, int(prefix_text), width),)


def _range(version: int, value: int, prefix: int, width: int) -> tuple[int, int, int]:
    size = 1 << (width - prefix)
    first = value & ~(size - 1)
    return version, first, first + size - 1


def _ipv4(text: str) -> int | None:
    parts = text.split(".")
    if len(parts) != 4:
        return None
    value = 0
    for part in parts:
        if not part.isascii() or not part.isdigit() or len(part) > 3 or int(part) > 255:
            return None
        value = value << 8 | int(part)
    return value


def _ipv6(text: str) -> int | None:
    start, _, last = text.rpartition(":")
    if "." in last:  # a dotted IPv4 tail counts as two groups
        four = _ipv4(last)
        if four is None:
            return None
        text = f"{start}:{four >> 16:x}:{four & 0xFFFF:x}"
    head, gap, tail = text.partition("::")
    left, right = _groups(head), _groups(tail)
    if left is None or right is None:
        return None
    missing = 8 - len(left) - len(right)
    if (missing < 1) if gap else (missing != 0):
        return None
    value = 0
    for group in left + [0] * missing + right:
        value = value << 16 | group
    return value


def _groups(text: str) -> list[int] | None:
    """The 16-bit groups of one side of an IPv6 address."""
    parts = text.split(":") if text else []
    if not all(1 <= len(part) <= 4 and all(char in "0123456789abcdefABCDEF" for char in part) for part in parts):
        return None
    return [int(part, 16) for part in parts]


def mapped_ipv4(version: int, value: int) -> int | None:
    """The IPv4 address inside `::ffff:a.b.c.d`, or None."""
    return value & 0xFFFFFFFF if version == 6 and value >> 32 == 0xFFFF else None


def is_mapped(network: tuple[int, int, int]) -> bool:
    """Whether an IPv6 range lies within `::ffff:0:0/96`, and so names IPv4 addresses."""
    return network[0] == 6 and network[1] >> 32 == 0xFFFF and network[2] >> 32 == 0xFFFF


def binary(text: str) -> bytes | None:
    """Base64-decoded bytes."""
    from base64 import b64decode

    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None
