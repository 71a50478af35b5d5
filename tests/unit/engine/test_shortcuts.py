"""Predicates that answer some questions without asking them, against asking all of them."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.engine.finding import Finding
from kmslint.engine.predicates import PREDICATES, administrators, effects
from kmslint.engine.predicates.asking import describe
from kmslint.engine.predicates.places import literal, named, statements
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.policy.document import Policy
from kmslint.reason.answer import Answer, Proven
from kmslint.reason.query import find_allowed
from tests.unit.engine.keys import OTHER, OWNER, ROOT, key

SETTINGS = Settings()
ROOT_ARN = f"arn:aws:iam::{OWNER}:root"
_actions = st.sampled_from(
    [
        "kms:*",
        "*",
        "kms:PutKeyPolicy",
        "kms:Decrypt",
        ["kms:GetKeyPolicy", "KMS:putkeypolicy"],
        ["kms:Get*", "kms:Put*"],
        "kms:Sign",
        ["kms:Decrypt", "kms:DescribeKey"],
        ["kms:Decrypt", "kms:Sign", "kms:CreateGrant"],
        "s3:*",
        "k*:PutKeyPolicy",
        ["kms:Decrypt", "kms:NoSuchAction"],
    ]
)
_principals = st.sampled_from(
    [
        {"Principal": ROOT},
        {"Principal": {"AWS": OWNER}},
        {"Principal": "*"},
        {"Principal": {"AWS": [f"arn:aws:iam::{OWNER}:role/App", ROOT_ARN]}},
        {"Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}},
        {"Principal": {"Service": "s3.amazonaws.com"}},
        {"NotPrincipal": ROOT},
    ]
)
_conditions = st.sampled_from(
    [
        {},
        {},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5", "${ORG}"]}}},
        {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
        {"Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}},
        {"Condition": {"StringEquals": {"kms:GrantOperations": "Decrypt"}}},
        {"Condition": {"ForAnyValue:StringEquals": {"kms:GrantOperations": "Decrypt"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalAccount": OTHER}}},
        {"Condition": {"StringLike": {"aws:userid": "a*"}, "StringNotLike": {"aws:userid": "a*"}}},
        {"Condition": {"Null": {"kms:KeySpec": "false"}}},
    ]
)
_resources = st.sampled_from(
    [{"Resource": "*"}] * 5 + [{"Resource": "arn:aws:kms:eu-west-1:1:alias/a"}, {"NotResource": "*"}, {}]
)
_statements = st.builds(
    lambda effect, action, *parts: {"Effect": effect, action[0]: action[1], **parts[0], **parts[1], **parts[2]},
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.tuples(st.sampled_from(["Action", "Action", "Action", "NotAction"]), _actions),
    _principals,
    _conditions,
    _resources,
)
_keys = st.lists(_statements, min_size=1, max_size=3).map(lambda found: key(*found))


@given(_keys)
def test_a_plain_administrator_is_a_durable_one(asked: Key) -> None:
    if administrators._is_plainly_administered(asked, ROOT_ARN):
        assert isinstance(administrators._ask(asked, ROOT_ARN).answer, Proven)


DENY = {"Effect": "Deny", "Principal": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("more", "plain"),
    [
        ([], True),
        ([{**DENY, "Action": "kms:Decrypt"}], True),
        ([{**DENY, "Action": ["kms:Decrypt", "kms:Put*"]}], False),
        ([{**DENY, "Action": "*"}], False),
        ([{**DENY, "Action": "?ms:PutKeyPolicy"}], False),
        ([{**DENY, "NotAction": "kms:Decrypt"}], False),
        ([{"Effect": "Maybe", "Principal": "*", "Action": "kms:*", "Resource": "*"}], False),
    ],
)
def test_a_plain_administrator_is_seen_beside_denies_of_other_actions(more: list[dict[str, object]], plain: bool) -> None:
    root = {"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}
    assert administrators._is_plainly_administered(key(root, *more), ROOT_ARN) is plain


def every_impossible_condition(asked: Key) -> Iterator[tuple[int, str | None]]:
    """(statement, action) of each finding, by asking about the statement without its conditions first and each action last."""
    for place in statements(asked):
        statement = place.statement
        if not statement.conditions or statement.unknown or not statement.principals:
            continue
        if effects._is_reported_elsewhere(statement) or effects._opaque_key(statement) is not None:
            continue

        def admits(conditional: bool, action: str, place: effects.Place = place) -> Answer:
            allow = place.statement._replace(effect="Allow", index=0)
            policy = Policy("2012-10-17", (allow if conditional else allow._replace(conditions=()),))
            return find_allowed((policy,), describe({"Principal": "*", "Action": action}), asked.context(), grant="any")

        if isinstance(admits(False, "kms:*"), Proven):
            continue
        if isinstance(admits(True, "kms:*"), Proven):
            yield statement.index, None
            continue
        for item in () if statement.not_action else named(statement):
            text = literal(item.value) or ""
            known = effects.table.match(text) and not effects._is_ineffective(text)
            if known and isinstance(admits(True, text), Proven):
                yield statement.index, text


@given(_keys)
def test_an_impossible_condition_is_the_one_that_every_question_finds(asked: Key) -> None:
    def action_of(finding: Finding) -> str | None:
        entry = finding.message.removeprefix("no request for `").partition("`")[0]
        return entry if finding.message.startswith("no request for") else None

    found = [one for one in PREDICATES["impossible_condition"](asked, SETTINGS, {}) if one.outcome == "FAIL"]
    assert [(one.statement, action_of(one)) for one in found] == list(every_impossible_condition(asked))


def test_an_impossible_action_is_found_beside_possible_ones() -> None:
    condition = {"ForAnyValue:StringEquals": {"kms:GrantOperations": "Decrypt"}}
    statement = {"Effect": "Allow", "Principal": ROOT, "Resource": "*", "Condition": condition}
    asked = key({**statement, "Action": ["kms:CreateGrant", "kms:Sign"]}, {**statement, "Action": "kms:Sign"})
    assert list(every_impossible_condition(asked)) == [(0, "kms:Sign"), (1, None)]


@given(_statements)
def test_a_description_that_is_remembered_is_the_one_that_is_made(found: dict[str, object]) -> None:
    described = {name: value for name, value in found.items() if name in {"Principal", "Action", "Condition"}}
    assert describe(described) is describe(dict(described))
    assert describe({**described, "Action": "kms:Verify"}) != describe({**described, "Action": "kms:Encrypt"})
