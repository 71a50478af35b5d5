"""Sets of actions: what an entry matches in each reading, and the groups that neither a statement nor a key tells apart."""

import pytest

from kmslint.aws import condition_keys
from kmslint.reason import actionset
from kmslint.reason.actionset import ALL, NAMES, _carriers, _entry, first, groups, mask, names
from kmslint.tree import Symbol, Template
from tests.oracle.bridge import policy_of

HOLE = Template(("kms:Dec", Symbol("rest")))


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    for known in (actionset._mask, actionset._entry, actionset._carriers):
        known.cache_clear()


def of(*wanted: str) -> int:
    return sum(1 << NAMES.index(name) for name in wanted)


@pytest.mark.parametrize(
    ("entry", "upper", "lower"),
    [
        ("*", ALL, ALL),
        ("kms:*", ALL, ALL),
        ("kms:Decrypt", of("Decrypt"), of("Decrypt")),
        ("KMS:dECRYPT", of("Decrypt"), of("Decrypt")),
        ("kms:?ecrypt", of("Decrypt"), of("Decrypt")),
        ("kms:Re?ncryptF*", of("ReEncryptFrom"), of("ReEncryptFrom")),
        ("kms:ListKeys", 0, 0),  # no key policy decides about it
        ("kms:NoSuch", 0, 0),
        ("s3:GetObject", 0, 0),
        ("k*:Decrypt", of("Decrypt"), 0),
        ("?ms:Decrypt", of("Decrypt"), 0),
        ("*Decrypt", of("Decrypt"), 0),
        ("K*:dECRYPT", of("Decrypt"), 0),
        ("k*", ALL, 0),
        ("s*:Decrypt", 0, 0),
        ("**", ALL, 0),
        (HOLE, ALL, 0),
    ],
)
def test_what_an_entry_matches(entry: str | Template, upper: int, lower: int) -> None:
    assert (_entry(entry, True), _entry(entry, False)) == (upper, lower)


@pytest.mark.parametrize(
    ("element", "entries", "upper", "lower"),
    [
        ("Action", ["kms:Decrypt", "kms:Encrypt"], of("Decrypt", "Encrypt"), of("Decrypt", "Encrypt")),
        ("Action", ["kms:Decrypt", "k*:Encrypt"], of("Decrypt", "Encrypt"), of("Decrypt")),
        ("NotAction", ["kms:Decrypt"], ALL - of("Decrypt"), ALL - of("Decrypt")),
        ("NotAction", ["kms:Decrypt", "k*:Encrypt"], ALL - of("Decrypt"), ALL - of("Decrypt", "Encrypt")),
        ("NotAction", ["*"], 0, 0),
        (None, [], 0, 0),
    ],
)
def test_what_a_statement_matches(element: str | None, entries: list[str], upper: int, lower: int) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Resource": "*"} | ({} if element is None else {element: entries})
    (parsed,) = policy_of({"Version": "2012-10-17", "Statement": [statement]}).statements
    assert (mask(parsed, upper=True), mask(parsed, upper=False)) == (upper, lower)


def test_the_first_and_the_names_of_a_set_are_in_the_order_of_the_search() -> None:
    some = of("CreateGrant", "Encrypt", "Decrypt")
    assert names(some) == ("Decrypt", "Encrypt", "CreateGrant")
    assert (first(some), first(some - of("Decrypt")), first(of("CreateGrant"))) == ("Decrypt", "Encrypt", "CreateGrant")
    assert names(0) == ()


@pytest.mark.parametrize(
    ("key", "kind"),
    [("kms:encryptionalgorithm", "R"), ("kms:encryptioncontextkeys", "S"), ("kms:grantoperations", "U"), ("aws:tagkeys", "F")],
)
def test_the_actions_that_carry_a_key_alike(key: str, kind: str) -> None:
    parts = _carriers(key, kind)
    assert len(parts) > 1
    assert [names(part) for part in parts] == [
        tuple(name for name in NAMES if condition_keys.presence_on(key, kind, name) == presence)
        for presence in dict.fromkeys(condition_keys.presence_on(key, kind, name) for name in NAMES)
    ]


def test_a_key_of_every_request_parts_no_actions() -> None:
    assert [_carriers(key, "R") for key in ("aws:sourceip", "aws:principalarn", "no:such")] == [(), (), ()]


def test_groups() -> None:
    some = of("Decrypt", "Encrypt", "CreateGrant")
    assert groups(some, (), (), "R") == (some,)
    assert groups(0, (), (), "R") == ()
    assert groups(0, (some,), ("kms:grantoperations",), "R") == ()
    assert groups(some, (of("Encrypt"), ALL, 0), (), "R") == (of("Decrypt", "CreateGrant"), of("Encrypt"))
    assert groups(some, (of("Decrypt"), of("Encrypt")), (), "R") == (of("Decrypt"), of("Encrypt"), of("CreateGrant"))
    assert groups(some, (), ("kms:grantoperations",), "R") == (of("Decrypt", "Encrypt"), of("CreateGrant"))
    assert groups(some, (), ("aws:sourceip", "kms:grantoperations"), "R") == (of("Decrypt", "Encrypt"), of("CreateGrant"))
    assert groups(of("Decrypt"), (), ("kms:grantoperations", "kms:viaservice"), "R") == (of("Decrypt"),)
    assert groups(some, (of("Decrypt"),), ("kms:grantoperations",), "R") == (of("Decrypt"), of("Encrypt"), of("CreateGrant"))
