"""Laws of the evaluator: what may never matter, and what may only move a decision one way."""

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.policy.evaluate import evaluate
from tests import strategies
from tests.oracle import world
from tests.oracle.bridge import policy_of, request_of
from tests.oracle.evaluator import JsonObject
from tests.strategies import Case, Shape

WIDE = Shape(statements=4, unsettled=True)
STRENGTH = {"allow": 2, "undetermined": 1, "implicit_deny": 0, "explicit_deny": 0}
Decided = tuple[str, str | None]


@st.composite
def questions(draw: Callable[..., random.Random]) -> tuple[list[JsonObject], JsonObject, random.Random]:
    """Policies, a request about the keys they mention, and a source of further choices."""
    rng = draw(st.randoms(use_true_random=False))
    policies = strategies.draw_case(rng, WIDE).policies
    return policies, world.random_request(rng, world.atoms_of(policies)), rng


def decide(policies: list[JsonObject], req: JsonObject) -> Decided:
    found = evaluate(tuple(policy_of(one) for one in policies), request_of(req))
    return found.decision, found.grant if found.decision == "allow" else None


def strength(policies: list[JsonObject], req: JsonObject) -> int:
    return STRENGTH[decide(policies, req)[0]]


def with_statements(policies: list[JsonObject], statements: list[JsonObject]) -> list[JsonObject]:
    return [{**policies[0], "Statement": statements}, *policies[1:]]


@given(questions())
def test_the_order_of_statements_and_policies_does_not_matter(
    question: tuple[list[JsonObject], JsonObject, random.Random],
) -> None:
    policies, req, rng = question
    statements = list(policies[0]["Statement"])
    rng.shuffle(statements)
    assert decide(with_statements(policies, statements)[::-1], req) == decide(policies, req)


@given(questions())
def test_saying_it_twice_changes_nothing(question: tuple[list[JsonObject], JsonObject, random.Random]) -> None:
    policies, req, _ = question
    assert decide([*policies, *policies], req) == decide(policies, req)


@given(questions())
def test_one_more_deny_never_allows_more(question: tuple[list[JsonObject], JsonObject, random.Random]) -> None:
    policies, req, rng = question
    extra = strategies.draw_statement(rng, WIDE, strategies.draw_pool(rng, WIDE)) | {"Effect": "Deny"}
    assert strength([*policies, {"Version": "2012-10-17", "Statement": [extra]}], req) <= strength(policies, req)


@given(questions())
def test_one_allow_less_never_allows_more(question: tuple[list[JsonObject], JsonObject, random.Random]) -> None:
    policies, req, rng = question
    statements = policies[0]["Statement"]
    gone = rng.randrange(len(statements))
    fewer = [one for at, one in enumerate(statements) if at != gone or one["Effect"] == "Deny"]
    assert strength(with_statements(policies, fewer), req) <= strength(policies, req)


@given(questions())
def test_nothing_is_allowed_without_an_allow(question: tuple[list[JsonObject], JsonObject, random.Random]) -> None:
    policies, req, _ = question
    only_denies = [{**one, "Statement": [s for s in one["Statement"] if s["Effect"] == "Deny"]} for one in policies]
    assert strength(only_denies, req) == 0


@given(questions())
def test_a_deny_of_everything_wins(question: tuple[list[JsonObject], JsonObject, random.Random]) -> None:
    policies, req, _ = question
    wall = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    assert decide([*policies, {"Version": "2012-10-17", "Statement": [wall]}], req) == ("explicit_deny", None)


@given(questions())
def test_the_case_of_actions_and_key_names_does_not_matter(question: tuple[list[JsonObject], JsonObject, random.Random]) -> None:
    policies, req, _ = question
    assert decide([recased(one) for one in policies], req) == decide(policies, req)


def recased(policy: JsonObject) -> JsonObject:
    def one(statement: JsonObject) -> JsonObject:
        changed = dict(statement)
        for name in ("Action", "NotAction"):
            if name in changed:
                actions = changed[name] if isinstance(changed[name], list) else [changed[name]]
                changed[name] = [action.swapcase() for action in actions]
        if "Condition" in changed:
            changed["Condition"] = {
                op: {key.swapcase(): value for key, value in keys.items()} for op, keys in changed["Condition"].items()
            }
        return changed

    return {**policy, "Statement": [one(statement) for statement in policy["Statement"]]}


@given(questions())
def test_splitting_the_actions_of_a_statement_changes_nothing(
    question: tuple[list[JsonObject], JsonObject, random.Random],
) -> None:
    policies, req, _ = question
    assert decide([{**one, "Statement": list(split_actions(one["Statement"]))} for one in policies], req) == decide(policies, req)


def split_actions(statements: list[JsonObject]) -> Iterator[JsonObject]:
    for one in statements:
        actions = one.get("Action")
        for action in actions if isinstance(actions, list) else [actions]:
            yield one if action is None else {**one, "Action": action}


@given(questions())
def test_splitting_the_values_of_a_positive_operator_changes_nothing(
    question: tuple[list[JsonObject], JsonObject, random.Random],
) -> None:
    policies, req, _ = question
    assert decide([{**one, "Statement": list(split_values(one["Statement"]))} for one in policies], req) == decide(policies, req)


def split_values(statements: list[JsonObject]) -> Iterator[JsonObject]:
    """Each statement once for every value of the first plain or ForAnyValue positive operator with several."""
    for one in statements:
        for operator, keys in (one.get("Condition") or {}).items():
            key, values = next(iter(keys.items()))
            if "Not" in operator or operator.startswith("ForAll") or not isinstance(values, list) or len(values) < 2:
                continue
            for value in values:
                yield {**one, "Condition": {**one["Condition"], operator: {**keys, key: value}}}
            break
        else:
            yield one


OPPOSITES = [
    ("StringEquals", "StringNotEquals"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ("StringLike", "StringNotLike"),
    ("ForAllValues:StringLike", "ForAnyValue:StringNotLike"),
    ("ForAnyValue:StringEquals", "ForAllValues:StringNotEquals"),
    ("NumericEquals", "NumericNotEquals"),
    ("DateEquals", "DateNotEquals"),
    ("IpAddress", "NotIpAddress"),
    ("ArnLike", "ArnNotLike"),
    ("ArnEquals", "ArnNotEquals"),
]


def of_family(operator: str) -> list[strategies.Key]:
    base = operator.rpartition(":")[2]
    return [key for key in strategies.KEYS if base in key.operators and key.multi == (":" in operator)]


@pytest.mark.parametrize(("operator", "opposite"), OPPOSITES)
@given(rng=st.randoms(use_true_random=False))
def test_allowing_where_it_holds_is_denying_where_its_opposite_holds(operator: str, opposite: str, rng: random.Random) -> None:
    key = rng.choice(of_family(operator))
    values = strategies.some(rng, key.constants, 3)
    plain = {"Principal": "*", "Action": "kms:*", "Resource": "*"}
    positive = [
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **plain, "Condition": {operator: {key.name: values}}}]}
    ]
    deny = {"Effect": "Deny", **plain, "Condition": {opposite: {key.name: values}}}
    negative = [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **plain}, deny]}]
    req = world.random_request(rng, world.atoms_of(positive))
    assert strength(positive, req) == strength(negative, req)


@given(questions())
def test_the_lean_reading_lies_between_the_two(question: tuple[list[JsonObject], JsonObject, random.Random]) -> None:
    policies, req, _ = question
    given_policies = tuple(policy_of(one) for one in policies)
    both, lean = evaluate(given_policies, request_of(req)), evaluate(given_policies, request_of(req), lean=True)
    assert both.must <= (lean.decision == "allow") <= both.may
    assert lean.decision != "undetermined"


def test_the_laws_are_asked_about_requests_of_every_kind() -> None:
    seen = set()
    for seed in range(300):
        rng = random.Random(seed)
        policies = strategies.draw_case(rng, WIDE).policies
        seen.add(decide(policies, world.random_request(rng, world.atoms_of(policies))))
    assert seen == {
        ("allow", "direct"), ("allow", "delegated"), ("explicit_deny", None), ("implicit_deny", None), ("undetermined", None),
    }  # fmt: skip


def test_a_case_is_a_value() -> None:
    assert strategies.draw_case(random.Random(7)) == strategies.draw_case(random.Random(7))
    assert isinstance(strategies.draw_case(random.Random(7)), Case)
