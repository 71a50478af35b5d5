"""Numbers, dates, addresses and policy variables: each against the standard library, or against its definition."""

import calendar
import ipaddress
import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kmslint.policy import values, variables
from kmslint.policy.request import KeyContext
from kmslint.policy.truth import REGISTER, F, T, U, k_all, k_any, k_not, register_text
from kmslint.policy.variables import Escaped, Malformed, Variable

YEARS = (1, 4, 100, 400, 1600, 1900, 1969, 1970, 1972, 1999, 2000, 2001, 2023, 2024, 2100, 9999)


@pytest.mark.parametrize("year", YEARS)
def test_every_day_counts_from_the_epoch(year: int) -> None:
    for month in range(1, 13):
        for day in range(1, calendar.monthrange(year, month)[1] + 1):
            wanted = calendar.timegm((year, month, day, 0, 0, 0))
            assert values.instants(f"{year:04}-{month:02}-{day:02}") == (wanted,)
        assert values.instants(f"{year:04}-{month:02}-{calendar.monthrange(year, month)[1] + 1:02}") == ()
    assert values.instants(f"{year:04}") == (calendar.timegm((year, 1, 1, 0, 0, 0)), year)
    assert values.instants(f"{year:04}-07") == (calendar.timegm((year, 7, 1, 0, 0, 0)),)


@pytest.mark.parametrize("text", ["2024-00", "2024-13", "2024-01-00", "2024-1-1", "20240101", "2024-01-01T", "2024-01-01T12"])
def test_what_is_no_date_has_no_instant(text: str) -> None:
    assert values.instants(text) == (() if text != "20240101" else (20240101,))


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("00:00Z", 0), ("23:59Z", 86340), ("23:59:59Z", 86399), ("23:59:60z", 86400), ("12:34:56Z", 45296), ("12:00+00:00", 43200),
        ("12:00+02:30", 34200), ("12:00-02:30", 52200), ("00:00:00.5Z", Decimal("0.5")), ("00:00:01.25-00:01", Decimal("61.25")),
    ],
)  # fmt: skip
def test_a_time_with_a_zone_is_one_instant(time: str, seconds: int | Decimal) -> None:
    assert values.instants(f"1970-01-01T{time}") == (seconds,)


@pytest.mark.parametrize("time", ["24:00Z", "00:60Z", "00:00:61Z", "1:00Z", "00:00.5Z", "00:00:00+0200"])
def test_an_impossible_time_is_no_instant(time: str) -> None:
    assert values.instants(f"1970-01-01T{time}") == ()


def test_a_time_without_a_zone_is_utc_or_as_far_as_zones_go() -> None:
    assert values.instants("1970-01-02T00:00:00") == (86400, 86400 - 14 * 3600, 86400 + 12 * 3600)


def test_an_instant_is_what_datetime_says() -> None:
    rng = random.Random(1)
    for _ in range(300):
        stamp = rng.randrange(-62_135_596_800, 253_402_300_799)
        assert values.instants(datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")) == (stamp,)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0", 0), ("-1", -1), ("+7", 7), ("10.0", Decimal(10)), (".5", Decimal("0.5")), ("1.", Decimal(1)), ("007", 7),
        ("", None), (".", None), ("1e3", None), ("0x1", None), ("1,0", None), (" 1", None), ("1 ", None), ("\u0661", None), ("nan", None),
    ],
)  # fmt: skip
def test_numbers(text: str, wanted: int | Decimal | None) -> None:
    assert values.number(text) == wanted


def random_address(rng: random.Random) -> str:
    if rng.random() < 0.4:
        return ".".join(str(rng.choice((0, 1, 9, 10, 99, 127, 255, 256, 300))) for _ in range(rng.choice((3, 4, 4, 4, 5))))
    groups = [
        rng.choice(("0", "0000", "1", "ffff", "FFFF", "abcd", "12345", "g", "")) for _ in range(rng.choice((1, 2, 6, 7, 8, 8, 9)))
    ]
    text = ":".join(group or "0" for group in groups)
    if rng.random() < 0.6:
        at = rng.randrange(len(groups) + 1)
        text = ":".join(groups[:at]) + "::" + ":".join(groups[at + rng.randrange(3) :])
    return text + rng.choice(("", "", "", ":1.2.3.4", ":1.2.3.256", ":", "::"))


def by_library(text: str) -> tuple[int, int] | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return found.version, int(found)


def test_an_address_is_what_ipaddress_says() -> None:
    rng = random.Random(2)
    seen = {4: 0, 6: 0, None: 0}
    for _ in range(4000):
        text = random_address(rng)
        wanted = by_library(text)
        assert values.address(text) == wanted, text
        seen[wanted and wanted[0]] += 1
    assert min(seen.values()) > 100


@pytest.mark.parametrize(
    "text",
    ["::", "::1", "1::", "1::8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "::1.2.3.4",
     "::ffff:1.2.3.4", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "1::2::3", ":::", "1:::2", ":1", "1:", "1.2.3.4:1",
     "::12345", "::g", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.255", "1.2.3.256", "0.0.0.1", "", ":", "1.2.3.", "1..2.3", "a.b.c.d", "::1.2.3"],
)  # fmt: skip
def test_the_edges_of_addresses(text: str) -> None:
    assert values.address(text) == by_library(text)


@pytest.mark.parametrize(
    "text", ["1.2.3.4/24", "10.0.0.0/8", "0.0.0.0/0", "1.2.3.4/32", "2001:db8::1/32", "::/0", "::1/128", "1.2.3.4/31"]
)
def test_a_range_is_what_ipaddress_says(text: str) -> None:
    found = ipaddress.ip_network(text, strict=False)
    assert values.networks(text) == ((found.version, int(found[0]), int(found[-1])),)


@pytest.mark.parametrize(
    "text", ["1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3.4/x", "1.2.3.4/1/1", "1.2.3/8", "/8"]
)
def test_what_is_no_range_is_none(text: str) -> None:
    assert values.networks(text) == ()


def test_an_address_without_a_prefix_is_one_host_and_for_ipv6_perhaps_32_bits() -> None:
    assert values.networks("1.2.3.4") == ((4, 0x01020304, 0x01020304),)
    first = 0x20010DB8 << 96
    assert values.networks("2001:db8::1") == ((6, first + 1, first + 1), (6, first, first + (1 << 96) - 1))


def test_only_ffff_0_0_96_holds_ipv4_addresses() -> None:
    mapped = 0xFFFF << 32
    assert values.mapped_ipv4(6, mapped | 0x01020304) == 0x01020304
    assert values.mapped_ipv4(6, 0x01020304) is None
    assert values.mapped_ipv4(6, mapped << 1) is None
    assert values.mapped_ipv4(4, 0x01020304) is None
    assert values.is_mapped((6, mapped, mapped | 0xFFFFFFFF))
    assert not values.is_mapped((6, mapped, (mapped | 0xFFFFFFFF) + 1))
    assert not values.is_mapped((6, mapped - 1, mapped))
    assert not values.is_mapped((4, mapped, mapped))


@pytest.mark.parametrize(
    ("text", "wanted"), [("", b""), ("YQ==", b"a"), ("YQ", None), ("Y Q==", None), ("*", None), ("YWI=", b"ab")]
)
def test_binary(text: str, wanted: bytes | None) -> None:
    assert values.binary(text) == wanted


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("",)), ("a", ("a",)), ("$a{b}", ("$a{b}",)),
        ("${aws:UserName}", (Variable("aws:username", None),)),
        ("a${K}b${k}", ("a", Variable("k", None), "b", Variable("k", None))),
        ("${k, 'd'}", (Variable("k", "d"),)), ("${k, ''}", (Variable("k", ""),)), ("${k, 'a, b'}", (Variable("k", "a, b"),)),
        ("${*}${?}${$}", (Escaped("*"), Escaped("?"), Escaped("$"))), ("${*}a", (Escaped("*"), "a")),
        ("a${b", ("a", Malformed("${b"))), ("${}", (Malformed("${}"),)), ("${a b}", (Malformed("${a b}"),)),
        ("${$a}", (Malformed("${$a}"),)), ("${a'}", (Malformed("${a'}"),)), ("${a{}", (Malformed("${a{}"),)),
        ("${k,'d'}", (Malformed("${k,'d'}"),)), ("${k, 'd}", (Malformed("${k, 'd}"),)), ("${k, d'}", (Malformed("${k, d'}"),)),
        ("${k, '}", (Malformed("${k, '}"),)), ("${k, 'a'b'}", (Malformed("${k, 'a'b'}"),)), ("${k,}", (Malformed("${k,}"),)),
        ("}${k}", ("}", Variable("k", None))),
    ],
)  # fmt: skip
def test_variables(text: str, parts: tuple[object, ...]) -> None:
    assert variables.split(text) == parts


def test_three_truths() -> None:
    assert [k_not(one) for one in (F, U, T)] == [T, U, F]
    assert (k_all(()), k_any(())) == (T, F)
    for one in (F, U, T):
        for other in (F, U, T):
            assert k_all((one, other)) == min(one, other)
            assert k_any((one, other)) == max(one, other)
    assert F < U < T


def test_the_points_of_the_register_keep_their_numbers() -> None:
    assert sorted(REGISTER) == [1, 4, 5, 7, *range(8, 25), 26, 27, 28]
    assert register_text(21) == "UNSURE-21: a condition key that is present but empty"


def test_a_key_has_an_arn_when_all_its_parts_are_known() -> None:
    whole = KeyContext(account="111122223333", region="eu-west-1", key_id="k", partition="aws")
    assert whole.arn() == "arn:aws:kms:eu-west-1:111122223333:key/k"
    for part in ("account", "region", "key_id"):
        assert whole._replace(**{part: None}).arn() is None
