"""The cases of a rule: one key each, and what the rule says about it.

A case is `rules/<id>/cases/<outcome>-<what>.json`:

    {"note":   why it is here (optional),
     "input":  a policy document (policy "default"), {"policies": {name: document}}, or the policy's raw text (a string);
               without it the source carries no policy,
     "key":    {"account", "account_source", "region", "partition", "arn", "key_id", "as_of", "source",
                "facts": {name of model.key.FACTS: value, null for Absent},
                "unread": {fact or "policy": reason}, "not_in_source": [fact or "policy"]},
     "config": the keys of kmslint.toml,
     "expect": [{"outcome", "severity", "policy", "statement", "witness", "message", "reason"}]}

`expect` lists all results of the rule, in order; each is compared on what it states. `message` and `reason` are substrings.
`witness` is a request that the policies must allow; it need not be the one that is found. A fact that is not stated is not in
the source. The first part of the file's name is the outcome of the first expected result.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.model.key import FACTS, NOT_IN_SOURCE, UNREAD, Absent, Fact, Key, KeyPolicy, Known, Source, Unknown
from kmslint.model.result import Result
from kmslint.model.settings import Integration, Settings, SuppressionEntry
from kmslint.policy.evaluate import evaluate
from kmslint.policy.parse import parse_policy
from kmslint.policy.request import ContextValue, Request

OUTCOMES = {
    "fail": "FAIL",
    "pass": "PASS",
    "undetermined": "UNDETERMINED",
    "not-applicable": "NOT_APPLICABLE",
    "manual": "MANUAL",
}
_CASE_KEYS = {"note", "input", "key", "config", "expect"}
_KEY_KEYS = {
    *("account", "account_source", "region", "partition", "arn", "key_id", "as_of", "source"),
    *("facts", "unread", "not_in_source"),
}
_EXPECT_KEYS = {"outcome", "severity", "policy", "statement", "witness", "message", "reason"}


def read_case(file: Path) -> dict[str, Any]:
    """The case in `file`, checked against the schema above."""
    case: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert case.keys() <= _CASE_KEYS, sorted(case.keys() - _CASE_KEYS)
    assert case.get("key", {}).keys() <= _KEY_KEYS, sorted(case["key"].keys() - _KEY_KEYS)
    assert case["expect"], "a case expects at least one result"
    for expected in case["expect"]:
        assert expected.keys() <= _EXPECT_KEYS, sorted(expected.keys() - _EXPECT_KEYS)
        assert expected["outcome"] in OUTCOMES.values()
    assert case["expect"][0]["outcome"] == next(
        outcome for name, outcome in OUTCOMES.items() if file.stem == name or file.stem.startswith(f"{name}-")
    )
    return case


def key_of(case: Mapping[str, Any]) -> Key:
    """The key that a case describes."""
    stated = case.get("key", {})
    policies = tuple(_policy(name, document) for name, document in _documents(case).items())
    unread, not_in_source = dict(stated.get("unread", {})), list(stated.get("not_in_source", []))
    facts = stated.get("facts", {})
    return Key(
        id="k1",
        source=Source(stated.get("source", "live" if facts else "policy"), file="case.json"),
        policies=policies,
        facts=_facts(facts, unread, not_in_source),
        arn=stated.get("arn"),
        key_id=stated.get("key_id"),
        account=stated.get("account"),
        account_source=stated.get("account_source", "given" if stated.get("account") else None),
        region=stated.get("region"),
        partition=stated.get("partition", "aws"),
        as_of=stated.get("as_of", "2026-11-24T08:00:00Z"),
        policies_unread=unread.get("policy"),
        policies_not_in_source=None if policies or "policy" in unread else "the source carries no key policy",
    )


def settings_of(case: Mapping[str, Any]) -> Settings:
    """The settings that a case states, the documented defaults for what it leaves out."""
    values: dict[str, Any] = {}
    for name, value in case.get("config", {}).items():
        assert name in Settings._fields, name
        values[name] = tuple(value) if isinstance(value, list) else value
    for name, entry in (("integrations", Integration), ("suppress", SuppressionEntry)):
        if name in values:
            values[name] = tuple(entry(**item) for item in values[name])
    return Settings()._replace(**values)


def mismatches(case: Mapping[str, Any], results: tuple[Result, ...], key: Key) -> list[str]:
    """What differs between the expected results and `results`; [] when the case holds."""
    expected = case["expect"]
    found = [
        f"{result.outcome.value} {result.severity} {_statement(result)} {result.message!r} {result.reason!r}"
        for result in results
    ]
    if len(results) != len(expected):
        return [f"{len(results)} results, expected {len(expected)}", *found]
    wrong = [line for want, result in zip(expected, results, strict=True) for line in _differences(want, result, key)]
    return [*wrong, *found] if wrong else []


def replay(result: Result, key: Key) -> str:
    """The decision of `evaluate` on the witness of `result`."""
    assert result.witness is not None
    return _decision(result.witness, key)


def _differences(want: Mapping[str, Any], result: Result, key: Key) -> list[str]:
    have = {
        "outcome": result.outcome.value,
        "severity": result.severity,
        "policy": result.policy,
        "statement": _statement(result),
    }
    wrong = [f"{name} is {have[name]!r}, expected {want[name]!r}" for name in have if name in want and have[name] != want[name]]
    for name, text in (("message", result.message), ("reason", result.reason or "")):
        if want.get(name) and want[name] not in text:
            wrong.append(f"{name} is {text!r}, expected it to hold {want[name]!r}")
    if "witness" in want and _decision(want["witness"], key) != "allow":
        wrong.append(f"the stated witness is not allowed: {_decision(want['witness'], key)}")
    return wrong


def _statement(result: Result) -> int | None:
    return result.locations[0].statement if result.locations else None


def _decision(witness: Mapping[str, Any], key: Key) -> str:
    context: dict[str, ContextValue] = {
        name.lower(): value if isinstance(value, str) else frozenset(value) for name, value in witness.get("context", {}).items()
    }
    request = Request(witness["principal"], witness["action"], context, key.context(), witness.get("parent"))
    return evaluate(tuple(named.policy for named in key.policies), request).decision


def _documents(case: Mapping[str, Any]) -> Mapping[str, Any]:
    found = case.get("input")
    if found is None:
        return {}
    if isinstance(found, dict) and set(found) == {"policies"}:
        policies: Mapping[str, Any] = found["policies"]
        return policies
    return {"default": found}


def _policy(name: str, document: object) -> KeyPolicy:
    content = document if isinstance(document, str) else json.dumps(document, indent=2)
    policy, diagnostics = parse_policy(read_json(Text(content, file="case.json")))
    return KeyPolicy(name, policy, diagnostics, size=len(content.encode()))


def _facts(facts: Mapping[str, Any], unread: Mapping[str, str], not_in_source: list[str]) -> dict[str, Fact]:
    for name in (*facts, *unread, *not_in_source):
        assert name in FACTS or name == "policy", name
    found: dict[str, Fact] = {name: Absent() if value is None else Known(value) for name, value in facts.items()}
    found |= {name: Unknown(UNREAD, reason) for name, reason in unread.items() if name != "policy"}
    found |= {name: Unknown(NOT_IN_SOURCE, f"`{name}` is not read here") for name in not_in_source if name != "policy"}
    return found
