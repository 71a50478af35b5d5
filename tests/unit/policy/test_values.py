"""Numbers, instants, addresses, booleans and bytes: what each text means, and which mean nothing."""

import ipaddress
from decimal import Decimal

import pytest

from kmslint.policy import values

DIGITS = "\u0661"  # a digit, and none that AWS writes
SUPERSCRIPT = "\u00b2"  # isdigit() says yes, int() says no


@pytest.mark.parametrize(
    ("text", "meant"), [("true", True), ("FALSE", False), ("True", True), ("yes", None), ("", None), ("1", None)]
)
def test_booleans(text: str, meant: bool | None) -> None:
    assert values.boolean(text) is meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0", 0), ("10", 10), ("-7", -7), ("+7", 7), ("007", 7), ("1.5", Decimal("1.5")), ("10.0", Decimal("10.0")), (".5", Decimal("0.5")),
        ("-.5", Decimal("-0.5")), ("5.", Decimal(5)), ("9" * 400, int("9" * 400)), ("9" * 401, None), ("1." + "0" * 401, None), ("." + "1" * 401, None),
        ("", None), (".", None), ("-", None), ("1e3", None), ("1 ", None), ("1\n", None), ("1.5\n", None), (DIGITS, None), (SUPERSCRIPT, None), ("0x1", None), ("1,5", None),
        ("NaN", None), ("--1", None),
    ],
)  # fmt: skip
def test_numbers(text: str, meant: int | Decimal | None) -> None:
    """A whole number is an int: Decimal is not imported for it."""
    assert values.number(text) == meant
    assert type(values.number(text)) is type(meant)


HOUR, DAY = 3600, 86400
NOON = 1780315200  # 2026-06-01T12:00:00Z

INSTANTS: list[tuple[str, tuple[int | Decimal, ...]]] = [
    ("2026-06-01T12:00:00Z", (NOON,)),
    ("2026-06-01t12:00:00z", (NOON,)),
    ("2026-06-01T12:00Z", (NOON,)),
    ("2026-06-01T12:00:01Z", (NOON + 1,)),
    ("2026-06-01T12:01:00Z", (NOON + 60,)),
    ("2026-06-01T23:59:60Z", (NOON + 12 * HOUR,)),
    ("2026-06-01T12:00:00.25Z", (NOON + Decimal("0.25"),)),
    ("2026-06-01T12:00:00+14:30", (NOON - 14 * HOUR - 1800,)),
    ("2026-06-01T12:00:00-11:45", (NOON + 11 * HOUR + 2700,)),
    ("2026-06-01T12:00:00+02:05", (NOON - 2 * HOUR - 300,)),
    ("2026-06-01T12:00:00", (NOON, NOON - 14 * HOUR, NOON + 12 * HOUR)),
    ("2026-06-01", (NOON - 12 * HOUR,)),
    ("2026-06", (NOON - 12 * HOUR,)),
    ("2026-07", (NOON - 12 * HOUR + 30 * DAY,)),
    ("2026", (NOON - 12 * HOUR - 151 * DAY, 2026)),
    ("1970-01-01", (0,)),
    ("1970", (0, 1970)),
    ("2024-02-29", (1709164800,)),
    ("2000-02-29", (951782400,)),
    ("2026-12-31", (1798675200,)),
    ("0000-03-01", (-62162035200,)),
    ("0000-01-01", (-62167219200,)),
    ("9999-12-31", (253402214400,)),
    ("12345", (12345,)),
    ("-5", (-5,)),
    ("1.5", (Decimal("1.5"),)),
    ("2026-02-29", ()), ("2100-02-29", ()), ("1900-02-29", ()), ("2026-13-01", ()), ("2026-00-01", ()), ("2026-06-31", ()), ("2026-06-00", ()),
    ("2026-04-31", ()), ("2026-01-32", ()), ("2026-06-01T24:00:00Z", ()), ("2026-06-01T12:60:00Z", ()), ("2026-06-01T12:00:61Z", ()),
    ("2026-06-01T12Z", ()), ("2026-6-1", ()), ("2026-06-01 12:00:00Z", ()), ("soon", ()), ("", ()), ("2026-06-01T12:00:00Z\n", ()),
    (DIGITS * 4, ()), ("2026-06-01T12:00:00." + "1" * 31 + "Z", ()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), INSTANTS)
def test_instants(text: str, meant: tuple[int | Decimal, ...]) -> None:
    assert values.instants(text) == meant


@pytest.mark.parametrize("month", range(1, 13))
def test_the_last_day_of_each_month(month: int) -> None:
    from calendar import monthrange
    from datetime import UTC, datetime

    for year in (1900, 1999, 2000, 2023, 2024):
        last = monthrange(year, month)[1]
        assert values.instants(f"{year}-{month:02}-{last}") == (int(datetime(year, month, last, tzinfo=UTC).timestamp()),)
        assert values.instants(f"{year}-{month:02}-{last + 1}") == ()


ADDRESSES = [
    "0.0.0.1", "255.255.255.255", "1.2.3.4", "10.0.0.1", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8",
    "2001:DB8::a", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:1.2.3.5", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1::1.2.3.5", "64:ff9b::192.0.2.33",
]  # fmt: skip
NO_ADDRESSES = [
    "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "0001.2.3.4", "1.2.3.0004", "1.2.3.", ".1.2.3", "1.2.3.a", "1.2.3.-4", "1.2.3.4 ",
    f"1.2.3.{DIGITS}", f"1.2.3.{SUPERSCRIPT}", ":", ":::", "1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:::2", ":1", "1:", ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::", "::12g4", "::g", f"::{DIGITS}", "1.2.3.4::", "1.2.3.4::1", "::1.2.3.4:5",
    "1:1.2.3.4:2::", "::1.2.3", "::1.2.3.256", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "1.2.3.4:5", "::ffff:1.2.3.4.", "[::1]", "::-1", "::+1", "::0x1",
    "1:2:3:4:5:6:7:8" + ":9" * 20_000, "1.2.3.4" + ".5" * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("text", ADDRESSES)
def test_an_address(text: str) -> None:
    whole = ipaddress.ip_address(text)
    assert values.address(text) == (whole.version, int(whole))


def test_leading_zeros_of_ipv4_are_decimal() -> None:
    assert values.address("010.001.000.255") == (4, 0x0A0100FF)


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear"):
        ipaddress.ip_address(text)
    assert values.address(text) is None
    assert values.networks(text) == ()
    assert values.networks(text + "/8") == ()


@pytest.mark.parametrize("text", ["10.1.2.3/0", "10.1.2.3/1", "10.1.2.3/8", "10.1.2.3/31", "10.1.2.3/32", "2001:db8::f/0", "2001:db8::f/33", "2001:db8::f/127", "2001:db8::f/128", "10.1.2.3/032"])  # fmt: skip
def test_a_range(text: str) -> None:
    whole = ipaddress.ip_network(text.replace("/032", "/32"), strict=False)
    assert values.networks(text) == ((whole.version, int(whole[0]), int(whole[-1])),)


def test_an_address_without_a_prefix() -> None:
    whole = ipaddress.ip_network("2001:db8::/32")
    host = int(ipaddress.ip_address("2001:db8::f"))
    assert values.networks("10.1.2.3") == ((4, 0x0A010203, 0x0A010203),)
    assert values.networks("2001:db8::f") == ((6, host, host), (6, int(whole[0]), int(whole[-1])))


@pytest.mark.parametrize("prefix", ["", "33", "-1", "+8", "8 ", "a", "8/8", DIGITS, SUPERSCRIPT, "1" * 5_000, "1.0", "255.0.0.0"])
def test_no_range(prefix: str) -> None:
    assert values.networks(f"10.0.0.0/{prefix}") == ()
    assert values.networks("::/129") == ()
    assert values.address("::1%eth0") is None
    assert values.networks("/8") == ()


@pytest.mark.parametrize(
    ("version", "value", "inner"),
    [
        (6, 0xFFFF_0102_0305, 0x0102_0305), (6, 0xFFFF_FFFF_FFFF, 0xFFFF_FFFF), (6, 0xFFFF_0000_0000, 0), (6, 0x1_FFFF_0102_0304, None), (6, 0xFFFE_0102_0304, None),
        (6, 0x0102_0304, None), (6, 1, None), (4, 0x0102_0304, None), (4, 0xFFFF_0102_0304, None),
    ],
)  # fmt: skip
def test_the_ipv4_address_inside(version: int, value: int, inner: int | None) -> None:
    assert values.mapped_ipv4(version, value) == inner


@pytest.mark.parametrize(
    ("text", "is_mapped"),
    [
        ("::ffff:0:0/96", True), ("::ffff:1.2.3.0/120", True), ("::ffff:1.2.3.4/128", True), ("::ffff:0:0/95", False), ("::fffe:0:0/96", False), ("::/0", False),
        ("1.2.3.4/32", False), ("::1:ffff:0:0/96", False),
    ],
)  # fmt: skip
def test_which_ranges_name_ipv4_addresses(text: str, is_mapped: bool) -> None:
    (network,) = values.networks(text)
    assert values.is_mapped(network) is is_mapped
    assert values.is_mapped((4, *network[1:])) is False
    assert values.is_mapped((6, 0xFFFF_0000_0000, 0x1_0000_0000_0000)) is False
    assert values.is_mapped((6, 0xFFFE_FFFF_FFFF, 0xFFFF_0000_0000)) is False


@pytest.mark.parametrize(
    ("text", "meant"),
    [("YWI=", b"ab"), ("", b""), ("YWI", None), ("YW I=", None), ("!", None), ("\u00e9", None), ("YWI=\n", None)],
)
def test_binary(text: str, meant: bytes | None) -> None:
    assert values.binary(text) == meant
