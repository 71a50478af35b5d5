"""Laws of the questions: transformations that keep or move an answer, whatever the policy."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.policy.evaluate import evaluate
from kmslint.reason.answer import Answer, Proven, StatementRef, Undetermined, Violated
from kmslint.reason.query import find_allowed, find_new_access, is_inert, who
from tests import strategies
from tests.oracle.bridge import key_of, policy_of, statements_of
from tests.oracle.evaluator import JsonObject
from tests.property.test_laws_of_evaluate import recased, split_actions, split_values, with_statements
from tests.strategies import Shape

SMALL = Shape(statements=3)
WIDE = Shape(statements=3, unsettled=True)
KEY = key_of()
Question = tuple[list[JsonObject], list[JsonObject], random.Random]


@st.composite
def questions(draw: Callable[..., random.Random], shape: Shape = SMALL) -> Question:
    rng = draw(st.randoms(use_true_random=False))
    case = strategies.draw_case(rng, shape)
    return case.policies, case.described, rng


def ask(policies: list[JsonObject], described: list[JsonObject]) -> Answer:
    return find_allowed(tuple(policy_of(one) for one in policies), statements_of(described), KEY, grant="any")


def rank(answer: Answer) -> int:
    """How much is allowed: nothing, perhaps something, surely something."""
    return {Proven: 0, Undetermined: 1, Violated: 2}[type(answer)]


@given(questions(WIDE))
def test_the_order_of_statements_and_policies_does_not_matter(question: Question) -> None:
    policies, described, rng = question
    statements = list(policies[0]["Statement"])
    rng.shuffle(statements)
    assert rank(ask(with_statements(policies, statements)[::-1], described[::-1])) == rank(ask(policies, described))


@given(questions(WIDE))
def test_one_more_deny_never_adds_a_witness(question: Question) -> None:
    policies, described, rng = question
    extra = strategies.draw_statement(rng, SMALL, strategies.draw_pool(rng, SMALL)) | {"Effect": "Deny"}
    assert rank(ask([*policies, {"Version": "2012-10-17", "Statement": [extra]}], described)) <= rank(ask(policies, described))


@given(questions(WIDE))
def test_one_allow_less_never_adds_a_witness(question: Question) -> None:
    policies, described, rng = question
    statements = policies[0]["Statement"]
    gone = rng.randrange(len(statements))
    fewer = [one for at, one in enumerate(statements) if at != gone or one["Effect"] == "Deny"]
    assert rank(ask(with_statements(policies, fewer), described)) <= rank(ask(policies, described))


@given(questions())
def test_a_smaller_set_never_adds_a_witness(question: Question) -> None:
    policies, described, _ = question
    narrowed = {
        **described[0],
        "Condition": {**described[0].get("Condition", {}), "NumericLessThan": {"aws:MultiFactorAuthAge": "60"}},
    }
    assert rank(ask(policies, [narrowed])) <= rank(ask(policies, [described[0]]))
    assert rank(ask(policies, [described[0]])) <= rank(ask(policies, described))


@given(questions())
def test_case_and_splitting_do_not_matter(question: Question) -> None:
    policies, described, _ = question
    plain = rank(ask(policies, described))
    assert rank(ask([recased(one) for one in policies], described)) == plain
    assert rank(ask([{**one, "Statement": list(split_actions(one["Statement"]))} for one in policies], described)) == plain
    assert rank(ask([{**one, "Statement": list(split_values(one["Statement"]))} for one in policies], described)) == plain


@given(questions(WIDE))
def test_every_witness_replays(question: Question) -> None:
    policies, described, _ = question
    answer = ask(policies, described)
    if isinstance(answer, Violated):
        found = evaluate(tuple(policy_of(one) for one in policies), answer.witness)
        assert found.decision == "allow"
        assert found.grant == "direct" or answer.grant == "delegated"
        assert {(ref.policy, ref.statement) for ref in answer.statements} <= set(found.matched)


@given(questions())
def test_a_policy_opens_nothing_beside_itself_and_a_wall_closes_everything(question: Question) -> None:
    policies, described, _ = question
    given_policies = tuple(policy_of(one) for one in policies)
    wall = policy_of(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
    )
    assert not isinstance(find_new_access(given_policies, given_policies, KEY), Violated)
    assert isinstance(find_allowed((*given_policies, wall), statements_of(described), KEY, grant="any"), Proven)


@given(questions())
def test_an_empty_policy_opens_nothing_and_everything_is_new_against_it(question: Question) -> None:
    policies, _, _ = question
    given_policies = tuple(policy_of(one) for one in policies)
    everything = statements_of([{"Principal": "*", "Action": "*"}])
    allowed = find_allowed(given_policies, everything, KEY, grant="any")
    assert isinstance(find_new_access(given_policies, (), KEY), Proven)
    assert rank(find_new_access((), given_policies, KEY)) == rank(allowed)


@given(questions())
def test_an_inert_statement_can_go(question: Question) -> None:
    policies, described, rng = question
    at = rng.randrange(len(policies[0]["Statement"]))
    if isinstance(is_inert(tuple(policy_of(one) for one in policies), StatementRef(0, at), KEY), Proven):
        rest = [one for place, one in enumerate(policies[0]["Statement"]) if place != at]
        assert rank(ask(with_statements(policies, rest), described)) == rank(ask(policies, described))


@given(questions())
def test_who_gives_a_witness_each(question: Question) -> None:
    policies, _, _ = question
    given_policies = tuple(policy_of(one) for one in policies)
    for access in who(given_policies, "kms:Decrypt", KEY):
        answer = access.answer
        assert not isinstance(answer, Proven)
        if isinstance(answer, Violated):
            assert evaluate(given_policies, answer.witness).decision == "allow"
            assert answer.witness.action == "kms:Decrypt"


@pytest.mark.parametrize("grant", ["direct", "delegated", "any", "default"])
def test_the_kinds_of_grant_divide_the_allowed(grant: str) -> None:
    account = policy_of(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": str(KEY.account)}, "Action": "*", "Resource": "*"}],
        }
    )
    owner = statements_of([{"Principal": {"AWS": f"arn:aws:iam::{KEY.account}:user/bob"}, "Action": "kms:Decrypt"}])
    answer = find_allowed((account,), owner, KEY, grant=grant)
    assert isinstance(answer, Violated) == (grant in ("delegated", "any"))
    assert isinstance(answer, Proven) == (grant in ("direct", "default"))
