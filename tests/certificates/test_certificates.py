"""Every proof comes with a certificate that a checker without a search accepts; a damaged one it rejects."""

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from kmslint.engine.loader import load_rules
from kmslint.engine.rule import Forbid
from kmslint.engine.variables import describe
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.policy.document import Policy, Statement
from kmslint.policy.request import KeyContext
from kmslint.reason import cells
from kmslint.reason import certificate as certificates
from kmslint.reason import space as spaces
from kmslint.reason.answer import Killed, Proven
from kmslint.reason.certificate import Evidence, sentence
from kmslint.reason.query import find_allowed, find_not_allowed, prove_all_allowed, prove_none_allowed
from kmslint.reason.search import Problem, Search
from kmslint.sources.files import collect
from tests import strategies
from tests.certificates.checker import missing_of_all_allowed, missing_of_none_allowed
from tests.oracle.bridge import key_of, policy_of, statements_of
from tests.strategies import Shape
from tests.unit.reason.test_pivots import draw as shared_values

CASES = int(os.environ.get("KMSLINT_CASES", "60"))
GRANTS = ("default", "any", "direct", "delegated")
SHAPES = (Shape(), Shape(statements=4, unsettled=True), Shape(statements=3, variables=True))
KEY = key_of()


Item = TypeVar("Item")


class Question(NamedTuple):
    policies: tuple[Policy, ...]
    described: tuple[Statement, ...]
    grant: str


def drawn(seed: int) -> Question:
    case = strategies.draw_case(random.Random(seed), SHAPES[seed % 3])
    return Question(tuple(policy_of(one) for one in case.policies), statements_of(case.described), GRANTS[seed % 4])


def asked(described: list[dict[str, object]], *statements: dict[str, object], grant: str = "any") -> Question:
    policy = {"Version": "2012-10-17", "Statement": [{"Resource": "*", **one} for one in statements]}
    return Question((policy_of(policy),), statements_of(described), grant)


def none_allowed(question: Question) -> Proven | None:
    found = prove_none_allowed(question.policies, question.described, KEY, grant=question.grant)
    return found if isinstance(found, Proven) else None


def rejects(question: Question, steps: Sequence[Killed]) -> bool:
    return bool(missing_of_none_allowed(question.policies, question.described, KEY, steps, question.grant))


def drawn_alone(seed: int) -> Question:
    """With one described statement: of two, the step of one may do for both."""
    question = drawn(seed)
    return question._replace(described=question.described[:1])


PROVEN = [(seed, question, answer) for seed in range(24) if (answer := none_allowed(question := drawn_alone(seed)))]


# ----------------------------------------------------------------------------------------------------------- what is accepted


@pytest.mark.parametrize("start", range(0, CASES, 30))
def test_certificates_of_random_policies_verify(start: int) -> None:
    proven = 0
    for seed in range(start, start + 30):
        question = drawn(seed)
        answer = prove_none_allowed(question.policies, question.described, KEY, grant=question.grant)
        assert type(answer) is type(find_allowed(question.policies, question.described, KEY, grant=question.grant))
        if isinstance(answer, Proven):
            proven += 1
            assert not rejects(question, answer.certificate), seed
    assert proven


@pytest.mark.parametrize("start", range(0, CASES, 30))
def test_certificates_that_all_is_allowed_verify(start: int) -> None:
    for seed in range(start, start + 30):
        question = drawn(seed)
        answer = prove_all_allowed(question.policies, question.described, KEY)
        assert type(answer) is type(find_not_allowed(question.policies, question.described, KEY))
        if isinstance(answer, Proven):
            assert missing_of_all_allowed(question.policies, question.described, KEY, answer.certificate) == [], seed


def test_certificates_of_values_that_variables_share_verify() -> None:
    proven = 0
    for seed in range(40):
        allowed, described, denied = shared_values(random.Random(seed))
        statements = [{"Effect": effect, "Principal": "*", "Action": "kms:*", "Condition": condition} for effect, condition in (("Allow", allowed), ("Deny", denied)) if condition]  # fmt: skip
        question = asked([{"Action": "kms:Decrypt", "Principal": {"AWS": "444455556666"}, "Condition": described}], *statements)
        answer = prove_none_allowed(question.policies, question.described, KEY, grant="any")
        if isinstance(answer, Proven):
            proven += 1
            assert not rejects(question, answer.certificate), seed
    assert proven


def test_certificates_of_the_rules_on_real_policies_verify(shared: Path) -> None:
    found = collect((str(shared / "corpus" / "json"),), settings=Settings())
    keys = [one for one in found if isinstance(one, Key)]
    every = max(1, len(keys) * 10 // CASES)
    checked = 0
    for key in keys[::every]:
        owned = key._replace(account=key.account or "111122223333")
        for described, grant in forbidden(owned):
            policies = tuple(named.policy for named in owned.policies)
            answer = prove_none_allowed(policies, described, owned.context(), grant=grant)
            if isinstance(answer, Proven):
                checked += 1
                assert missing_of_none_allowed(policies, described, owned.context(), answer.certificate, grant) == [], key.source
    assert checked


def forbidden(key: Key) -> list[tuple[tuple[Statement, ...], str]]:
    blocks = [(rule.id, block) for rule in load_rules() for block in rule.blocks if isinstance(block, Forbid)]
    sets = [(describe(block.statements, key, Settings(), name), block.grant) for name, block in blocks]
    return [(described, grant) for described, grant in sets if described]


# ----------------------------------------------------------------------------------------------------------- what is rejected


@pytest.mark.parametrize(("seed", "question", "answer"), PROVEN, ids=[str(seed) for seed, _, _ in PROVEN])
def test_a_certificate_without_one_of_its_steps_is_rejected(seed: int, question: Question, answer: Proven) -> None:
    steps = answer.certificate
    for index in range(0, len(steps), max(1, len(steps) // 12)):
        kept = [step for step in steps if step != steps[index]]
        assert rejects(question, kept), sentence(steps[index])


@pytest.mark.parametrize(("seed", "question", "answer"), PROVEN, ids=[str(seed) for seed, _, _ in PROVEN])
def test_a_certificate_with_a_weakened_core_is_rejected(seed: int, question: Question, answer: Proven) -> None:
    steps = answer.certificate
    for index, step in [(index, step) for index, step in enumerate(steps) if step.why == "conditions"][:6]:
        evidence = step.evidence
        assert isinstance(evidence, Evidence)
        weaker = [evidence._replace(units=cut) for cut in shorter(evidence.units)]
        weaker += [evidence._replace(clauses=cut) for cut in shorter(evidence.clauses)]
        for one in weaker:
            assert rejects(question, (*steps[:index], step._replace(evidence=one), *steps[index + 1 :]))


def shorter(items: tuple[Item, ...]) -> list[tuple[Item, ...]]:
    return [items[:index] + items[index + 1 :] for index in range(len(items))]


ORG = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "kms:Decrypt",
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
}
NOT_ORG = [{"Action": "kms:Decrypt", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}]


def test_a_proof_of_another_policy_proves_nothing() -> None:
    question = asked(NOT_ORG, ORG)
    answer = none_allowed(question)
    assert answer is not None
    assert not rejects(question, answer.certificate)
    wider = asked(NOT_ORG, {**ORG, "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}})
    assert none_allowed(wider) is None
    assert rejects(wider, answer.certificate)


def test_a_step_for_fewer_actions_covers_fewer() -> None:
    question = asked([{**NOT_ORG[0], "Action": ["kms:Decrypt", "kms:Encrypt"]}], {**ORG, "Action": "kms:*"})
    answer = none_allowed(question)
    assert answer is not None
    assert not rejects(question, answer.certificate)
    fewer = [step._replace(evidence=step.evidence._replace(actions=("Decrypt",))) for step in answer.certificate]  # type: ignore[attr-defined]
    assert rejects(question, fewer)


def test_a_false_step_does_not_count() -> None:
    question = asked([{"Action": "kms:Decrypt"}], ORG)
    caller = next(iter(spaces.Space(question.policies, question.described, KEY).callers))
    proven = none_allowed(asked(NOT_ORG, ORG))
    assert proven is not None
    for step in proven.certificate:
        evidence = step.evidence
        assert isinstance(evidence, Evidence)
        if evidence.caller == caller:
            for why in ("reach", "deny", "allow"):
                assert rejects(question, (step._replace(why=why, by=step.subject),))


class Liar(Search):
    """A search that never finds anything."""

    def model(self, problem: Problem) -> None:
        return None


def test_a_search_that_lies_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    question = asked([{"Action": "kms:Decrypt"}], ORG)
    assert none_allowed(question) is None
    monkeypatch.setattr(cells, "Search", Liar)
    monkeypatch.setattr(certificates, "Search", Liar)
    answer = none_allowed(question)
    assert answer is not None
    assert rejects(question, answer.certificate)


# -------------------------------------------------------------------------------------------------------- what each step covers


def kinds(answer: Proven | None) -> set[str]:
    assert answer is not None
    return {step.why for step in answer.certificate}


def test_a_deny_that_stops_all_is_one_step_a_cell() -> None:
    question = asked([{"Action": "kms:Decrypt"}], ORG, {"Effect": "Deny", "Principal": "*", "Action": "kms:*"})
    answer = none_allowed(question)
    assert kinds(answer) == {"deny"}
    assert answer is not None
    assert not rejects(question, answer.certificate)
    assert all("statement 1 denies it" in sentence(step) for step in answer.certificate)


def test_the_cases_of_a_policy_variable_are_complete_or_rejected() -> None:
    same_tag = {"StringEquals": {"kms:EncryptionContext:team": "${aws:PrincipalTag/team}"}}
    other = {"StringEquals": {"kms:EncryptionContext:team": "red", "aws:PrincipalTag/team": "blue"}}
    question = asked([{"Action": "kms:Decrypt", "Condition": other}], {**ORG, "Condition": same_tag})
    answer = none_allowed(question)
    assert answer is not None
    assert not rejects(question, answer.certificate)
    cases = [index for index, step in enumerate(answer.certificate) if step.evidence.mode.fixed]  # type: ignore[attr-defined]
    assert cases
    for index in cases[:6]:
        assert rejects(question, answer.certificate[:index] + answer.certificate[index + 1 :])


def test_a_statement_that_allows_all_is_a_step_of_the_dual() -> None:
    described = statements_of([{"Action": "kms:Decrypt", "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"}}])
    policies = asked([], {"Effect": "Allow", "Principal": "*", "Action": "kms:*"}).policies
    answer = prove_all_allowed(policies, described, KEY)
    assert isinstance(answer, Proven)
    assert missing_of_all_allowed(policies, described, KEY, answer.certificate) == []
    (kept,) = [index for index, step in enumerate(answer.certificate) if step.why == "allow"]
    assert "statement 0 allows all of it" in sentence(answer.certificate[kept])
    assert missing_of_all_allowed(policies, described, KEY, answer.certificate[:kept] + answer.certificate[kept + 1 :])


def test_a_certificate_of_an_unknown_owner_is_one_of_no_account() -> None:
    """The checker asks with the same key: a proof for one owner is none for another."""
    question = asked(
        [{"Action": "kms:PutKeyPolicy"}], {"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "kms:*"}
    )
    abroad = prove_none_allowed(question.policies, question.described, KEY, grant="any")
    assert isinstance(abroad, Proven)
    assert missing_of_none_allowed(question.policies, question.described, KEY, abroad.certificate, "any") == []
    at_home = KeyContext(account="444455556666")
    assert missing_of_none_allowed(question.policies, question.described, at_home, abroad.certificate, "any")
