"""Verdicts at the edges: no PASS where something gets through, no FAIL where nothing does."""

import json
from collections.abc import Sequence
from functools import cache

import pytest

from kmslint import check_policy, load_rules
from kmslint.engine.rule import Rule
from kmslint.model.result import Outcome, Result
from tests.adversary import policies

AS_OF = "2026-11-24T08:00:00Z"
CASES = tuple(policies.access_cases())


@cache
def _rules() -> dict[str, Rule]:
    return {rule.id: rule for rule in load_rules()}


def _results(policy: policies.Policy, rules: Sequence[str]) -> tuple[Result, ...]:
    asked = [_rules()[name] for name in rules]
    return tuple(check_policy(json.dumps(policy), account=policies.OWNER, rules=asked, as_of=AS_OF).results)


def _letter(results: Sequence[Result], rule: str) -> str:
    """P, F, U; I and L for a FAIL that is a notice or low."""
    own = [result for result in results if result.rule == rule]
    severities = {result.severity for result in own if result.outcome is Outcome.FAIL}
    if severities:
        return {frozenset({"info"}): "I", frozenset({"low"}): "L"}.get(frozenset(severities), "F")
    return "U" if any(result.outcome is Outcome.UNDETERMINED for result in own) else "P"


@pytest.mark.parametrize(("policy", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_access(policy: policies.Policy, expected: str) -> None:
    results = _results(policy, policies.RULES)
    found = "".join(_letter(results, rule) for rule in policies.RULES)
    assert found == "".join(was if want == "." else want for want, was in zip(expected, found, strict=True))
    ranks = ["PUF".index(letter) for letter in found[:3]]
    assert ranks == sorted(ranks), "public, unbounded and untrusted are nested"


@pytest.mark.parametrize(
    ("statements", "expected"), [case[1:] for case in policies.DELETIONS], ids=[c[0] for c in policies.DELETIONS]
)
def test_short_deletion(statements: tuple[policies.Statement, ...], expected: str) -> None:
    rule = "short-deletion-allowed"
    assert _letter(_results(policies.policy(*statements), (rule,)), rule) == expected


@pytest.mark.parametrize(
    ("statements", "expected"), [case[1:] for case in policies.ADMINISTRATORS], ids=[c[0] for c in policies.ADMINISTRATORS]
)
def test_durable_administrator(statements: tuple[policies.Statement, ...], expected: str) -> None:
    rule = "no-durable-admin"
    assert _letter(_results(policies.policy(*statements), (rule,)), rule) == expected
