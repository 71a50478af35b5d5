"""Whole groups of callers left out or taken at once: what is said of a group is so for each class of it."""

from typing import Any

import pytest

from kmslint.policy.evaluate import applies
from kmslint.policy.request import Request
from kmslint.policy.truth import F, T, U
from kmslint.reason import groups as groups_module
from kmslint.reason.callers import FRESH, SERVICES, Callers, join_names
from kmslint.reason.groups import Groups
from kmslint.reason.statements import Numbered, of_policy
from tests.oracle.bridge import ACCOUNT, KEY_ARN, key_of, policy_of

KEY = key_of()
PARTNER, ALIEN = "444455556666", "999999999999"
GROUPS = (FRESH, ACCOUNT, PARTNER, SERVICES)
Json = dict[str, Any]


def statement(written: Json, version: str = "2012-10-17") -> Numbered:
    whole = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", **written}
    kept = {name: value for name, value in whole.items() if value is not None}
    return of_policy(0, policy_of({"Version": version, "Statement": [kept]}))[0]


def if_(operator: str, key: str, value: object, version: str = "2012-10-17") -> Numbered:
    return statement({"Condition": {operator: {key: value}}}, version)


def who(principal: object) -> Numbered:
    return statement({"Principal": principal})


def root(account: str, partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{account}:root"


IS_SERVICE = "aws:PrincipalIsAWSService"
TABLE = {
    "everybody": (who("*"), "covers covers covers covers", None),
    "every AWS principal": (who({"AWS": "*"}), "covers covers covers covers", None),
    "no federated star": (who({"Federated": "*"}), "open open open open", None),
    "a service's star": (who({"Service": "*"}), "out out out open", None),
    "an account": (who({"AWS": ACCOUNT}), "out covers out out", None),
    "an account as its root": (who({"AWS": root(ACCOUNT)}), "out covers out out", None),
    "an account of another partition": (who({"AWS": root(ACCOUNT, "aws-cn")}), "out open out out", None),
    "two accounts": (who({"AWS": [ACCOUNT, root(PARTNER)]}), "out covers covers out", None),
    "a role": (who({"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}), "out open out out", None),
    "a service": (who({"Service": "s3.amazonaws.com"}), "out out out open", None),
    "a service and an account": (who({"Service": "s3.amazonaws.com", "AWS": PARTNER}), "out out covers open", None),
    "an id": (who({"AWS": "AIDACKCEVSQ6C2EXAMPLE"}), "open open open open", None),
    "an account named as a service": (who({"Service": ACCOUNT}), "out out out open", None),
    "not everybody": (statement({"Principal": None, "NotPrincipal": {"AWS": "*"}}), "open open open open", None),
    "nobody": (statement({"Principal": None}), "out out out out", None),
    "another key": (statement({"Resource": "arn:aws:kms:us-east-1:1:key/x"}), "covers covers covers covers", None),
    "no resource": (statement({"Resource": None}), "open open open open", None),
    "against the grammar": (statement({"Extra": 1}), "covers covers covers covers", "open open open open"),
    "the account": (if_("StringEquals", "aws:PrincipalAccount", ACCOUNT), "out covers out open", None),
    "the caller's account": (if_("StringEquals", "kms:CallerAccount", [ACCOUNT, PARTNER]), "out covers covers open", None),
    "not the account": (if_("StringNotEquals", "AWS:PRINCIPALACCOUNT", ACCOUNT), "covers out covers open", None),
    "if there, the account": (if_("StringEqualsIfExists", "aws:PrincipalAccount", ACCOUNT), "out covers out open", None),
    "accounts by pattern": (if_("StringLike", "aws:PrincipalAccount", "1111*"), "open covers out open", None),
    "no accounts by pattern": (if_("StringNotLike", "aws:PrincipalAccount", "1111*"), "open out covers open", None),
    "any account by pattern": (if_("StringLike", "aws:PrincipalAccount", "*"), "open covers covers open", None),
    "the stranger's by pattern": (if_("StringLike", "aws:PrincipalAccount", "9*"), "open out out open", None),
    "accounts by number": (if_("NumericLessThan", "aws:PrincipalAccount", "200000000000"), "open covers out open", None),
    "services": (if_("Bool", IS_SERVICE, "true"), "open out out covers", None),
    "no services": (if_("Bool", IS_SERVICE, "false"), "open covers covers out", None),
    "an account that is not there": (if_("Null", "aws:PrincipalAccount", "true"), "out out out open", None),
    "an account that is there": (if_("Null", "aws:PrincipalAccount", "false"), "covers covers covers open", None),
    "a variable": (if_("StringEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}"), "open open open open", None),
    "no variable yet": (
        if_("StringNotEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}", "2008-10-17"), "covers covers covers open", None,
    ),
    "a variable and an account": (
        statement({"Condition": {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}", "kms:CallerAccount": PARTNER}}}),
        "out out open open", None,
    ),
    "another key's condition": (if_("StringEquals", "aws:UserAgent", "x"), "open open open open", None),
    "another condition and the account": (
        statement({"Condition": {"StringEquals": {"aws:UserAgent": "x", "aws:PrincipalAccount": ACCOUNT}}}), "out open out open", None,
    ),
    "all accounts and then one": (
        statement({"Condition": {"Null": {"aws:PrincipalAccount": "false"}, "StringEquals": {"kms:CallerAccount": ACCOUNT}}}),
        "out covers out open", None,
    ),
    "an ARN": (if_("StringEquals", "aws:PrincipalArn", root(ACCOUNT)), "open open open open", None),
    "an operator that is none": (
        if_("StringEqual", "aws:PrincipalAccount", ACCOUNT), "covers covers covers open", "out out out open",
    ),
    "an operator in another case": (
        if_("stringequals", "aws:PrincipalAccount", ACCOUNT), "out covers out open", "out out out open",
    ),
}  # fmt: skip
"""What a statement says of strangers, the owner's account, a partner's, and services: upper reading, and lower where it differs."""


def told(one: Numbered, *, upper: bool) -> str:
    known = Groups(KEY, lambda: ALIEN, lambda _: T)
    return " ".join(
        "out" if known.excludes(one, group, upper=upper) else "covers" if known.covers(one, group, upper=upper) else "open"
        for group in GROUPS
    )


@pytest.mark.parametrize("name", TABLE)
def test_what_a_statement_says_of_whole_groups(name: str) -> None:
    one, upper, lower = TABLE[name]
    assert (told(one, upper=True), told(one, upper=False)) == (upper, lower or upper)


@pytest.mark.parametrize("name", TABLE)
def test_what_is_said_of_a_group_the_evaluator_says_of_each_caller(name: str) -> None:
    one = TABLE[name][0]
    known = Groups(KEY, lambda: ALIEN, lambda _: T)
    callers = Callers(join_names([one.names, who({"AWS": PARTNER}).names], KEY), KEY)
    for group in GROUPS:
        for caller in callers.of(group):
            is_service = group == SERVICES
            account = {} if is_service else {"aws:principalaccount": caller.account, "kms:calleraccount": caller.account}
            context = {"aws:principalisawsservice": str(is_service).lower(), **account}
            truth = applies(
                one.statement, one.policy, Request(caller.principal, "kms:Decrypt", context, KEY, caller.parent)
            ).truth
            if name == "another key":
                truth = T  # the resource is somebody else's to judge
            assert not known.excludes(one, group, upper=True) or truth == F
            assert not known.excludes(one, group, upper=False) or truth < T
            assert not known.covers(one, group, upper=True) or truth >= U
            assert not known.covers(one, group, upper=False) or truth == T


def test_what_is_said_is_yes_or_no() -> None:
    known = Groups(KEY, lambda: ALIEN, lambda _: T)
    agent = if_("StringEquals", "aws:UserAgent", "x")
    assert known.excludes(who("*"), ACCOUNT, upper=True) is known.excludes(agent, ACCOUNT, upper=True) is False
    assert known.excludes(who({"AWS": PARTNER}), ACCOUNT, upper=True) is known.covers(who("*"), ACCOUNT, upper=True) is True
    assert known._always(agent, 0, ACCOUNT, upper=True) is False


@pytest.mark.parametrize(("truth", "upper", "lower"), [(T, True, True), (U, True, False), (F, False, False)])
def test_a_statement_about_another_key_takes_nobody(truth: int, upper: bool, lower: bool) -> None:
    known = Groups(KEY, lambda: ALIEN, lambda _: truth)
    assert (known.covers(who("*"), ACCOUNT, upper=True), known.covers(who("*"), ACCOUNT, upper=False)) == (upper, lower)


def test_the_partition_of_a_root_is_the_keys() -> None:
    for named, covers in ((root(ACCOUNT, "aws-cn"), True), (root(ACCOUNT), False), (ACCOUNT, True)):
        china = Groups(KEY._replace(partition="aws-cn"), lambda: ALIEN, lambda _: T)
        assert china.covers(who({"AWS": named}), ACCOUNT, upper=False) == covers


# ------------------------------------------------------------------------------------------------------- several that are needed


@pytest.mark.parametrize(
    ("needed", "is_settled"),
    [
        ((who({"AWS": ACCOUNT}), who({"AWS": PARTNER})), True),
        ((who({"AWS": [ACCOUNT, PARTNER]}), who({"AWS": PARTNER})), False),
        ((who("*"), who({"AWS": PARTNER})), False),
        ((who("*"), if_("StringEquals", "aws:PrincipalAccount", ACCOUNT)), False),
        ((if_("StringEquals", "aws:PrincipalAccount", ACCOUNT), who({"AWS": PARTNER})), True),
        ((who({"AWS": PARTNER}), if_("StringEquals", "aws:PrincipalAccount", PARTNER)), False),
        ((who({"AWS": [ACCOUNT, PARTNER]}), if_("StringNotEquals", "aws:PrincipalAccount", ACCOUNT)), False),
        ((who({"AWS": [ACCOUNT, PARTNER]}), if_("StringNotEquals", "aws:PrincipalAccount", [ACCOUNT, PARTNER])), True),
        ((who({"Service": "s3.amazonaws.com"}), if_("Bool", IS_SERVICE, "false")), True),
        ((who({"Service": "s3.amazonaws.com"}), if_("Bool", IS_SERVICE, "true")), False),
        ((who({"AWS": ACCOUNT}), who("*")), False),
        ((), False),
    ],
)
def test_needed_statements_that_share_no_caller_need_no_search(needed: tuple[Numbered, ...], is_settled: bool) -> None:
    known = Groups(KEY, lambda: ALIEN, lambda _: T)
    assert known.is_settled(needed, upper=True) == known.is_settled(needed, upper=False) == is_settled


def test_needed_statements_may_be_settled_in_one_reading_only() -> None:
    known = Groups(KEY, lambda: ALIEN, lambda _: T)
    needed = (who({"AWS": ACCOUNT}), if_("StringEqual", "aws:PrincipalAccount", ACCOUNT))
    assert (known.is_settled(needed, upper=True), known.is_settled(needed, upper=False)) == (False, True)


# ------------------------------------------------------------------------------------------------------------- what is remembered


def test_each_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[tuple[str, bool]] = []

    def count(name: str) -> None:
        called = getattr(Groups, name)

        def judge(self: Groups, one: Numbered, group: str, *, upper: bool) -> bool:
            judged.append((group, upper))
            return bool(called(self, one, group, upper=upper))

        monkeypatch.setattr(groups_module.Groups, name, judge)

    one = if_("StringNotEquals", "aws:PrincipalAccount", ACCOUNT)
    each = [(group, upper) for group in GROUPS for upper in (True, False)]
    for name, asked in (("_excludes_by_condition", Groups.excludes), ("_applies_to_all", Groups.covers)):
        count(name)
        known = Groups(KEY, lambda: ALIEN, lambda _: T)
        first = [asked(known, one, group, upper=upper) for group, upper in each]
        assert judged == each
        assert [asked(known, one, group, upper=upper) for group, upper in each] == first
        assert judged == each
        judged.clear()


def test_who_is_a_stranger_is_not_remembered_with_the_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    one = if_("StringEquals", "aws:PrincipalAccount", ALIEN)
    assert not Groups(KEY, lambda: ALIEN, lambda _: T).excludes(one, FRESH, upper=True)
    assert Groups(KEY, lambda: "888888888888", lambda _: T).excludes(one, FRESH, upper=True)
    assert Groups(KEY, lambda: ALIEN, lambda _: T).excludes(one, ACCOUNT, upper=True)
    monkeypatch.setattr(groups_module.Groups, "_excludes_by_condition", lambda *_, **__: pytest.fail("known already"))
    assert Groups(KEY, lambda: ALIEN, lambda _: T).excludes(one, ACCOUNT, upper=True)


def test_what_is_remembered_is_of_the_statement_and_not_of_its_place_in_a_policy() -> None:
    first, second = of_policy(
        0,
        policy_of(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": {key: account}}}
                    for key, account in (("aws:PrincipalAccount", ACCOUNT), ("aws:PrincipalAccount", PARTNER))
                ],
            }
        ),
    )  # fmt: skip
    known = Groups(KEY, lambda: ALIEN, lambda _: T)
    for group, takes in ((ACCOUNT, first), (PARTNER, second)):
        for one in (first, second):
            assert known.covers(one, group, upper=True) == (one is takes)
            assert known.excludes(one, group, upper=True) == (one is not takes)
    assert KEY_ARN.split(":")[4] == ACCOUNT
