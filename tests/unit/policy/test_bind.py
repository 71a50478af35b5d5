"""Symbols of a template become what they stand for, in every element, and nothing else changes."""

import pytest

from kmslint.policy.bind import bind, open_accounts, own_symbols, substitute, value_of
from kmslint.policy.document import Condition, Item, Policy, Principal, Statement
from kmslint.policy.request import KeyContext
from kmslint.tree import Symbol, Template, Value, from_python

NODE = from_python(None)
ACCOUNT, REGION = Symbol("a", "account"), Symbol("r", "region")
PARTITION, ARN, OTHER = Symbol("p", "partition"), Symbol("k", "key_arn"), Symbol("o")
KEY = KeyContext("111122223333", "eu-west-1", "aws-cn", "k")


def statement(
    principal: Value | None = None, action: Value | None = None, resource: Value | None = None, *conditions: Value
) -> Statement:
    """A statement of these; an element that is None is not there."""

    def items(value: Value | None) -> tuple[Item, ...] | None:
        return None if value is None else (Item(value, NODE), Item("x", NODE))

    principals = None if principal is None else (Principal("AWS", principal, NODE), Principal("Service", "x", NODE))
    held = tuple(Condition("Bool", f"k{number}", items(value) or (), NODE, NODE) for number, value in enumerate(conditions))
    return Statement(0, "s", "Deny", principals, items(action), items(resource), held, NODE, not_action=True)


def policy(*statements: Statement) -> Policy:
    return Policy("2012-10-17", statements, NODE)


HOLE, BOUND = Template(("x", ACCOUNT)), "x111122223333"

WHERE = [
    # where the symbol stands, with all other elements absent, empty or plain
    ((HOLE,), (BOUND,)),
    ((None, HOLE), (None, BOUND)),
    ((None, None, HOLE), (None, None, BOUND)),
    ((None, None, None, HOLE), (None, None, None, BOUND)),
    ((None, None, None, "x", HOLE), (None, None, None, "x", BOUND)),
    (("p", "a", "r", HOLE), ("p", "a", "r", BOUND)),
    ((HOLE, "a", "r", "c"), (BOUND, "a", "r", "c")),
]


@pytest.mark.parametrize(("written", "bound"), WHERE)
def test_a_symbol_is_replaced_wherever_it_stands(written: tuple[Value | None, ...], bound: tuple[Value | None, ...]) -> None:
    plain = statement("p", "a", "r", "c")
    held = policy(plain, statement(*written))
    assert own_symbols(held) == {"account"}
    assert bind(held, KEY) == policy(plain, statement(*bound))
    assert bind(held, KEY).statements[0] is plain
    assert substitute(held, {ACCOUNT: "111122223333"}) == policy(plain, statement(*bound))
    assert bind(held, KeyContext()) == held


def test_an_element_that_is_empty_stays_empty() -> None:
    empty = statement()._replace(
        principals=(),
        actions=(),
        resources=(),
        conditions=(Condition("Bool", "k", (), NODE, NODE), *statement(None, None, None, HOLE).conditions),
    )
    (bound,) = bind(policy(empty), KEY).statements
    assert (bound.principals, bound.actions, bound.resources, bound.conditions[0].values) == ((), (), (), ())
    assert bound.conditions[1].values[0].value == BOUND


def test_nothing_to_replace_gives_the_same_object() -> None:
    held = policy(statement("p", "a", "r", "c"), statement())
    assert bind(held, KEY) is held
    assert own_symbols(held) == frozenset()


@pytest.mark.parametrize(
    ("parts", "key", "value"),
    [
        ((ACCOUNT,), KEY, "111122223333"),
        ((REGION,), KEY, "eu-west-1"),
        ((PARTITION,), KEY, "aws-cn"),
        ((ARN,), KEY, "arn:aws-cn:kms:eu-west-1:111122223333:key/k"),
        ((ARN,), KEY._replace(key_id=None), Template((ARN,))),
        ((ACCOUNT,), KEY._replace(account=None), Template((ACCOUNT,))),
        ((REGION,), KEY._replace(region=None), Template((REGION,))),
        ((OTHER,), KEY, Template((OTHER,))),
        (("a", OTHER, "b", REGION, "c"), KEY, Template(("a", OTHER, "beu-west-1c"))),
        (("a", REGION, PARTITION, "c", OTHER, "d"), KEY, Template(("aeu-west-1aws-cnc", OTHER, "d"))),
        ((OTHER, OTHER), KEY, Template((OTHER, OTHER))),
        ((Symbol("n", "never"),), KEY, Template((Symbol("n", "never"),))),
    ],
)
def test_a_value(parts: tuple[str | Symbol, ...], key: KeyContext, value: Value) -> None:
    assert value_of(Template(parts), key) == value
    assert value_of("plain", key) == "plain"


def test_which_own_values_a_policy_holds() -> None:
    held = policy(
        statement(Template((OTHER, ACCOUNT)), "a", Template((ARN,))), statement(None, None, None, Template((REGION, OTHER)))
    )
    assert own_symbols(held) == {"account", "key_arn", "region"}


ACCOUNTS = [
    (("arn:aws:iam::", OTHER, ":root"), (OTHER,)),
    (("arn:aws:sts::", OTHER, ":assumed-role/a/b"), (OTHER,)),
    (("arn:aws:iam::", OTHER, ":user/", REGION), (OTHER,)),
    (("arn:aws:iam::", ACCOUNT, ":root"), ()),
    (("arn:aws:iam::", OTHER, "1:root"), ()),
    (("arn:aws:iam::", OTHER), ()),
    (("arn:aws:iam::", OTHER, REGION), ()),
    (("arn:aws:s3::", OTHER, ":root"), ()),
    (("arn:aws:iam::", "111122223333", ":role/", OTHER), ()),
    ((OTHER, REGION, ":root"), ()),
    (("arn:aws:iam::111122223333:role/", REGION, "-x"), ()),
]


@pytest.mark.parametrize(("parts", "accounts"), ACCOUNTS)
def test_a_symbol_that_is_surely_an_account(parts: tuple[str | Symbol, ...], accounts: tuple[Symbol, ...]) -> None:
    assert open_accounts(policy(statement(), statement(Template(parts)))) == accounts
    assert open_accounts(policy(statement(None, Template(parts), Template(parts), Template(parts)))) == ()


def test_open_accounts_come_once_and_in_order() -> None:
    second = Symbol("a2")
    values = [Template(("arn:aws:iam::", symbol, ":root")) for symbol in (OTHER, second, OTHER)]
    assert open_accounts(policy(*map(statement, values))) == (OTHER, second)
    assert open_accounts(policy(statement("p", "a", "r", "c"))) == ()


def test_a_value_that_is_tried_leaves_other_symbols() -> None:
    held = policy(statement(Template(("arn:", OTHER, ":", REGION)), "a", Template((OTHER,))))
    assert substitute(held, {OTHER: "o"}) == policy(statement(Template(("arn:o:", REGION)), "a", "o"))
    assert substitute(held, {}) == held
