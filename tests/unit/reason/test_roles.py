"""The role behind a session: an ARN for each way in which conditions can see it, and none where nothing is known."""

import itertools
import random
import re
from typing import Any

import pytest
from hypothesis import given

from kmslint.policy.evaluate import Evaluation, evaluate
from kmslint.policy.request import Request
from kmslint.reason import roles
from kmslint.reason.roles import roles_told_apart
from kmslint.reason.strings import Budget
from tests import strategies
from tests.oracle.bridge import ACCOUNT, key_of, policy_of

STEM = f"arn:aws:iam::{ACCOUNT}:role/"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/s"
REQUEST = Request(SESSION, "kms:Decrypt", {}, key_of())
ARN = "aws:PrincipalArn"
NOWHERE = (STEM + "Dev",)
"""Conditions that see every such role alike."""


def document(*conditions: dict[str, Any], version: str | None = "2012-10-17") -> dict[str, Any]:
    statements = [
        {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": one} for one in conditions
    ]
    return {"Statement": statements} | ({} if version is None else {"Version": version})


def told(*conditions: dict[str, Any], version: str | None = "2012-10-17", caller: str = SESSION) -> tuple[str, ...]:
    return roles_told_apart([policy_of(document(*conditions, version=version))], REQUEST._replace(principal=caller))


def like(*patterns: str, operator: str = "StringLike", key: str = ARN) -> dict[str, Any]:
    return {operator: {key: list(patterns)}}


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        # what stands between `role/` and the name: nothing, and the shortest path that the pattern sees in the other way
        ("*", ("",)),
        (SESSION, ("",)),
        (STEM + "Ops", ("",)),
        (STEM + "Dev", ("", "a/")),
        (STEM + "*Dev", ("",)),
        (STEM + "*/Dev", ("", "a/")),
        (STEM + "?*/Dev", ("", "a/")),
        (STEM + "a/*", ("", "a/")),
        (STEM + "b/*", ("", "b/")),
        (STEM + "a/Dev", ("", "a/")),
        (STEM + "a*Dev", ("", "a/")),
        (STEM + "svc/*/x/Dev", ("", "svc//x/")),
        # a path holds the characters from ! to ~ and is `/`, or starts and ends with one and has something between
        (STEM + "!/Dev", ("", "!/")),
        (STEM + "~/Dev", ("", "~/")),
        (STEM + "//Dev", ("", "//")),
        (STEM + "/Dev", ("",)),
        (STEM + " /Dev", ("",)),
        (STEM + "\x7f/Dev", ("",)),
        (STEM + "\u00e9/Dev", ("",)),
    ],
)  # fmt: skip
def test_one_pattern_tells_two_roles_apart_or_none(pattern: str, paths: tuple[str, ...]) -> None:
    assert told(like(pattern)) == tuple(f"{STEM}{path}Dev" for path in paths)


def test_without_a_condition_on_the_arn_one_role_stands_for_all() -> None:
    assert told({}) == NOWHERE
    assert told(like(STEM + "a/*", key="aws:PrincipalTag/x")) == NOWHERE
    assert told({"Null": {ARN: "true"}}) == NOWHERE
    assert told({"StringIs": {ARN: STEM + "a/Dev"}}) == NOWHERE
    assert told({"NumericEquals": {ARN: "1"}}, {"StringEquals": {ARN: []}}) == NOWHERE
    assert roles_told_apart([], REQUEST) == NOWHERE


def test_the_role_is_in_the_account_and_the_partition_of_its_session() -> None:
    of_china = "arn:aws-cn:sts::444455556666:assumed-role/Ops/s"
    stem = "arn:aws-cn:iam::444455556666:role/"
    assert told(like("*/x/Ops"), caller=of_china) == (stem + "Ops", stem + "x/Ops")
    assert told(like(STEM + "x/Ops"), caller=of_china) == (stem + "Ops",)


def test_each_combination_that_there_is() -> None:
    each = tuple(f"{STEM}{path}Dev" for path in ("", "b/", "a/", "ab/"))
    assert told(like(STEM + "a*", STEM + "*b/Dev")) == each
    assert told(like(STEM + "a*"), like(STEM + "*b/Dev", key="AWS:principalARN")) == each
    assert told(like(STEM + "a/*"), like(STEM + "b/*")) == tuple(f"{STEM}{path}Dev" for path in ("", "b/", "a/"))
    assert told(like(STEM + "a*"), like(STEM + "a*")) == (STEM + "Dev", STEM + "a/Dev")
    one, other = (policy_of(document(like(STEM + path + "/*"))) for path in "ab")
    assert roles_told_apart([one, other], REQUEST) == tuple(f"{STEM}{path}Dev" for path in ("", "b/", "a/"))


def test_both_readings_of_an_arn_are_told_apart() -> None:
    """Whether a `*` reaches over a colon is not settled: one role for no, one for yes in both readings, one for between."""
    anywhere = "arn:aws:iam::*:role/a/Dev"
    assert told(like(anywhere, operator="ArnLike")) == (STEM + "Dev", STEM + "a/Dev", STEM + ":role/a/Dev")
    assert told(like(anywhere)) == (STEM + "Dev", STEM + "a/Dev")
    assert told(like("arn:*/a/Dev", operator="ArnEquals")) == (STEM + "Dev", STEM + "a/Dev")
    assert told(like("x:*/a/Dev", operator="ArnEquals")) == NOWHERE


def test_patterns_that_exclude_each_other_are_as_many_cases() -> None:
    letters = "abcdefghij"
    alone = {f"{STEM}{path}Dev" for path in ("", *(f"{letter}/" for letter in letters))}
    paths = [f"{STEM}{letter}/*" for letter in letters]
    assert set(told(like(*paths))) == alone
    assert set(told(like("*", "nobody", STEM + "*", STEM + "*Dev", *paths, *paths))) == alone


def test_work_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(like(*(f"{STEM}*{letter}*" for letter in "abcd"))) != ()
    assert told(like(*(f"{STEM}*{letter}*" for letter in "abcdefgh"))) == ()
    monkeypatch.setattr(roles, "Budget", lambda: Budget(10))
    assert told(like(STEM + "a/*")) == ()
    assert told({}) == NOWHERE


@pytest.mark.parametrize(
    ("conditions", "known"),
    [
        ([like("${aws:PrincipalArn}", key="aws:PrincipalTag/x")], False),
        ([like("x", "${aws:principalARN}", key="aws:PrincipalTag/x")], False),
        ([like("${aws:username}", key="aws:PrincipalTag/x")], True),
        ([like("${aws:username}")], False),
        ([like("${aws:username}", key="AWS:principalarn")], False),
        ([like(STEM + "a", "x${aws:PrincipalAccount}")], False),
        ([like(STEM + "Ops"), like("${aws:PrincipalArn}", key="aws:PrincipalTag/x"), like("y")], False),
        ([like(STEM + "Ops"), like("${aws:username}"), like("y", key="aws:PrincipalTag/x")], False),
        ([like(STEM + "Ops"), like("${aws:username}", key="aws:PrincipalTag/x")], True),
        ([like(STEM + "${*}")], True),
        ([like(STEM + "Ops"), like("y")], True),
    ],
)
def test_variables_that_play_with_the_arn(conditions: list[dict[str, Any]], known: bool) -> None:
    assert told(*conditions) == (NOWHERE if known else ())
    for version in ("2008-10-17", None):
        assert told(*conditions, version=version) == NOWHERE
    plays, does_not = (policy_of(document(*some)) for some in (conditions, [like(STEM + "Ops")]))
    for policies in ([plays, does_not], [does_not, plays]):
        assert roles_told_apart(policies, REQUEST) == (NOWHERE if known else ())


# -------------------------------------------------------------------------------------------------------------------------- law

PATHS = ("", "a/", "b/", "ab/", "ba/", "a/b/", "b/a/", "a/a/", "c/", "a:b/", ":role/a/", "//", "a//", "A/")
REAL = re.compile(re.escape(STEM) + r"(?:[!-~]+/)?Dev")
PIECES = ("*", "*", "?", "a", "b", "/", "Dev", "a/", "/Dev", "*/Dev", ":role/", "${*}")
HEADS = (STEM, STEM, STEM, "arn:aws:iam::*:role/", "*", "arn:*/", f"arn:aws:iam::{ACCOUNT}:*", f"arn:aws:iam::{ACCOUNT[:4]}*")
OPERATORS = (
    "StringLike", "StringNotLike", "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
    "ArnLike", "ArnNotLike", "ArnEquals", "StringLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:ArnNotLike", "stringlike",
)  # fmt: skip


def a_pattern(rng: random.Random) -> str:
    return rng.choice(HEADS) + "".join(rng.choices(PIECES, k=rng.choice((0, 1, 2, 3)))) + rng.choice(("", "Dev", "/Dev", "*"))


def a_policy(rng: random.Random) -> dict[str, Any]:
    whole = document(*[
        {rng.choice(OPERATORS): {ARN: [a_pattern(rng) for _ in range(rng.choice((1, 1, 2)))]}} for _ in range(rng.choice((1, 2, 2)))
    ])  # fmt: skip
    whole["Statement"][-1]["Effect"] = rng.choice(("Allow", "Deny"))
    return whole


@given(strategies.seeds())
def test_no_role_is_seen_in_another_way_than_those_told_apart(seed: int) -> None:
    policies = [policy_of(a_policy(random.Random(seed)))]
    found = roles_told_apart(policies, REQUEST)
    assert len(set(found)) == len(found)
    assert [arn for arn in found if not REAL.fullmatch(arn)] == []
    if found:
        assert {answer(policies, STEM + path + "Dev") for path in PATHS} <= {answer(policies, arn) for arn in found}


def answer(policies: list[Any], arn: str) -> Evaluation:
    return evaluate(policies, REQUEST._replace(context={"aws:principalarn": arn}))


def test_the_law_is_met_by_policies_that_tell_roles_apart() -> None:
    found = [roles_told_apart([policy_of(a_policy(random.Random(seed)))], REQUEST) for seed in range(60)]
    assert sum(len(arns) > 1 for arns in found) > 20
    assert sum(arns == () for arns in found) < 10
    assert set(itertools.chain.from_iterable(found)) > {STEM + "Dev", STEM + "a/Dev", STEM + "b/Dev"}
