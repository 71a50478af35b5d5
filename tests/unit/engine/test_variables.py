"""Variables: lists splice, empty lists describe nobody, what is not known stays a symbol."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.engine import variables
from kmslint.engine.variables import STRANGER_IP, account_in, accounts_in, describe, names_in, resolve
from kmslint.errors import RuleError
from kmslint.model.settings import Settings
from kmslint.policy.evaluate import applies
from kmslint.policy.request import Request
from kmslint.policy.truth import T
from kmslint.tree import Symbol, Template
from tests.unit.engine.keys import APP, OTHER, OWNER, ROOT, allow, key

KEY = key(allow(ROOT))._replace(region="eu-central-1", key_id="k", arn=f"arn:aws:kms:eu-central-1:{OWNER}:key/k")
TRUSTING = Settings(
    trusted_accounts=(OTHER, OWNER), trusted_organizations=("o-a1b2c3d4e5",), services_only=("s3.*.amazonaws.com",)
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${kmslint:owner}", OWNER),
        ("arn:aws:iam::${kmslint:owner}:root", f"arn:aws:iam::{OWNER}:root"),
        ("${kmslint:trusted-accounts}", [OWNER, OTHER]),
        (["a", "${kmslint:trusted-accounts}", "b"], ["a", OWNER, OTHER, "b"]),
        ("arn:aws:iam::${kmslint:trusted-accounts}:root", [f"arn:aws:iam::{OWNER}:root", f"arn:aws:iam::{OTHER}:root"]),
        ("${kmslint:trusted-accounts}/${kmslint:trusted-accounts}", [f"{a}/{b}" for a in (OWNER, OTHER) for b in (OWNER, OTHER)]),
        ("${kmslint:deletion-window-days}", 30),
        ("P${kmslint:rotation-days}D", "P365D"),
        ({"maximum": "${kmslint:rotation-days}", "x": ["${kmslint:break-glass}"]}, {"maximum": 365, "x": []}),
        (["${kmslint:break-glass}", "a"], ["a"]),
        ("${aws:PrincipalAccount}", "${aws:PrincipalAccount}"),
        (3, 3),
        ("${kmslint:key-arn}", f"arn:aws:kms:eu-central-1:{OWNER}:key/k"),
        ("${kmslint:partition}", "aws"),
        ("${kmslint:stranger-ip}", STRANGER_IP),
        ("${kmslint:services-only}", ["s3.*.amazonaws.com"]),
        ("${kmslint:grant-actions}", ["kms:CreateGrant", "kms:RevokeGrant", "kms:RetireGrant"]),
    ],
)
def test_resolve(value: object, expected: object) -> None:
    assert resolve(value, KEY, TRUSTING) == expected


@pytest.mark.parametrize("name", variables.NAMES)
def test_every_variable_has_a_value(name: str) -> None:
    found = resolve(["${kmslint:" + name + "}"], KEY, Settings())
    assert isinstance(found, list)


def test_what_is_not_known_is_the_keys_own_symbol() -> None:
    unknown = key(allow(APP), account=None)
    symbol = Symbol("kmslint:owner", "account")
    assert resolve("${kmslint:owner}", unknown, Settings()) == Template((symbol,))
    assert resolve("arn:aws:iam::${kmslint:owner}:root", unknown, Settings()) == Template(("arn:aws:iam::", symbol, ":root"))
    assert resolve("${kmslint:region}", unknown, Settings()) == Template((Symbol("kmslint:region", "region"),))


def test_names_are_found_wherever_they_stand() -> None:
    value = {"a": ["${kmslint:owner} ${kmslint:region}", {"${kmslint:x}": 3}], "b": "${aws:y}"}
    assert list(names_in(value)) == ["owner", "region", "x"]


def test_an_unknown_variable_is_told() -> None:
    with pytest.raises(RuleError, match="unknown variable"):
        resolve("${kmslint:nobody}", KEY, Settings())


def _named(name: str, *statements: dict[str, object]) -> object:
    return resolve(["${kmslint:" + name + "}"], key(*statements), Settings())


def _when(operator: str, name: str, *values: str) -> dict[str, object]:
    return allow("*", Condition={operator: {name: list(values)}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("444455556666", "444455556666"),
        ("arn:aws:iam::444455556666:root", "444455556666"),
        ("arn:aws:iam::444455556666:role/*", "444455556666"),
        ("arn:aws-cn:s3:::bucket", None),
        ("arn:aws:iam::4444*:role/x", None),
        ("arn:aws:iam::*:role/444455556666", None),
        ("*444455556666*", None),
        ("44445555666", None),
        ("٤٤٤٤٥٥٥٥٦٦٦٦", None),
        ("arn:aws:iam", None),
        ("", None),
    ],
)
def test_an_account_stands_literally(text: str, expected: str | None) -> None:
    assert account_in(text) == expected


def test_accounts_of_principals_and_conditions_in_order() -> None:
    found = key(
        allow({"AWS": ["555555555555", APP["AWS"], "*"]}),
        _when("StringEquals", "aws:SourceAccount", OTHER, "555555555555"),
        allow({"Service": "s3.amazonaws.com"}, Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:666666666666:x/*"}}),
    )
    assert accounts_in(found) == ("555555555555", OWNER, OTHER, "666666666666")


def test_named_organizations() -> None:
    paths = _when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-aaaaaaaaaa/r-1/*", "o-*/x", "*")
    assert _named("named-organizations", paths, _when("StringEquals", "aws:PrincipalOrgID", "o-bbbbbbbbbb")) == [
        "o-aaaaaaaaaa",
        "o-bbbbbbbbbb",
    ]


def test_named_user_ids() -> None:
    ids = _when("StringLike", "AWS:userId", "AROAEXAMPLE:*", "AIDAEXAMPLE", "AROA*:x", "*", "${aws:userid}")
    assert _named("named-userids", ids, _when("StringLike", "aws:username", "alice")) == ["AROAEXAMPLE:*", "AIDAEXAMPLE"]


def test_the_stranger_calls_from_a_public_address_outside_the_ranges_that_documentation_uses() -> None:
    address = ipaddress.ip_address(STRANGER_IP)
    assert not address.is_private
    documented = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    assert not any(address in ipaddress.ip_network(network) for network in documented)


def _describes(statement: dict[str, Any], context: dict[str, str], settings: Settings | None = None) -> bool:
    described = describe([statement], KEY, settings or Settings(), "a test")
    request = Request(f"arn:aws:iam::{OTHER}:user/x", "kms:Decrypt", {name.lower(): value for name, value in context.items()})
    return any(applies(one, KEY.policies[0].policy, request).truth == T for one in described)


EMPTY = ["${kmslint:break-glass}"]


@pytest.mark.parametrize(
    ("operator", "with_key", "without_key"),
    [
        ("StringEquals", False, False),
        ("StringNotEquals", True, True),
        ("StringLike", False, False),
        ("ArnNotLike", True, True),
        ("NotIpAddress", True, True),
        ("StringEqualsIfExists", False, True),
        ("StringNotEqualsIfExists", True, True),
        ("ForAllValues:StringEquals", False, True),
        ("ForAllValues:StringNotEquals", True, True),
        ("ForAnyValue:StringEquals", False, False),
    ],
)
def test_an_empty_list_has_no_members(operator: str, with_key: bool, without_key: bool) -> None:
    statement = {"Principal": "*", "Action": "kms:*", "Condition": {operator: {"aws:PrincipalArn": EMPTY}}}
    assert (_describes(statement, {"aws:PrincipalArn": "x"}), _describes(statement, {})) == (with_key, without_key)


def test_the_other_values_of_a_list_remain() -> None:
    statement = {"Condition": {"StringEquals": {"aws:PrincipalArn": [*EMPTY, "x"]}}}
    assert _describes(statement, {"aws:PrincipalArn": "x"})
    assert not _describes(statement, {"aws:PrincipalArn": "y"})


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Principal": {"AWS": EMPTY}}, False),
        ({"Principal": {"AWS": EMPTY, "Service": "x.amazonaws.com"}}, False),
        ({"NotPrincipal": {"AWS": EMPTY}}, True),
        ({"Action": EMPTY}, False),
        ({"NotAction": EMPTY}, True),
        ({"Action": "${kmslint:crypto-actions}"}, True),
        ({"Action": "${kmslint:admin-actions}"}, False),
        ({}, True),
    ],
)
def test_an_empty_element(statement: dict[str, Any], expected: bool) -> None:
    assert _describes(statement, {}) is expected


def test_an_empty_list_of_a_null_test_is_told() -> None:
    with pytest.raises(RuleError, match="`Null` cannot take an empty list"):
        describe([{"Condition": {"Null": {"aws:x": EMPTY}}}], KEY, Settings(), "a test")


def test_an_operator_without_a_table_is_told() -> None:
    with pytest.raises(RuleError, match="`StringEquals` holds no table"):
        describe([{"Condition": {"StringEquals": "x"}}], KEY, Settings(), "a test")


def test_a_described_statement_that_is_none_is_told() -> None:
    with pytest.raises(RuleError, match="a described statement is not one"):
        describe([{"Principal": "nobody"}], KEY, Settings(), "a test")


@given(st.lists(st.sampled_from(["${kmslint:trusted-accounts}", "${kmslint:break-glass}", "a", "b"]), max_size=5))
def test_splicing_is_concatenation(items: list[str]) -> None:
    lists = {"${kmslint:trusted-accounts}": [OWNER, OTHER], "${kmslint:break-glass}": []}
    expected = [member for item in items for member in lists.get(item, [item])]
    assert resolve(items, KEY, TRUSTING) == expected


def test_the_product_of_lists_is_bounded() -> None:
    many = Settings(trusted_accounts=tuple(f"{number:012}" for number in range(1_000)))
    assert len(resolve(["${kmslint:trusted-accounts}"], KEY, many)) == 1_001  # type: ignore[arg-type]
    with pytest.raises(RuleError, match="stands for more than 100000 values"):
        resolve("${kmslint:trusted-accounts}" * 4, KEY, many)
