"""Keys and rules for the tests of the engine."""

import json
from collections.abc import Mapping

from kmslint.engine.rule import Rule
from kmslint.engine.rule_file import parse_rule
from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.model.key import Fact, Key, KeyPolicy, Source
from kmslint.policy.parse import parse_policy

OWNER = "111122223333"
OTHER = "444455556666"
ROOT = {"AWS": f"arn:aws:iam::{OWNER}:root"}
APP = {"AWS": f"arn:aws:iam::{OWNER}:role/App"}


def allow(principal: object, action: object = "kms:Decrypt", **more: object) -> dict[str, object]:
    """An Allow statement."""
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}


def key(*statements: Mapping[str, object], account: str | None = OWNER, facts: Mapping[str, Fact] | None = None) -> Key:
    """A key whose default policy has these statements."""
    return Key(
        id="k1",
        source=Source("policy", file="policy.json"),
        policies=(policy("default", *statements),),
        facts=facts or {},
        account=account,
        account_source="given" if account else None,
    )


def policy(name: str, *statements: Mapping[str, object]) -> KeyPolicy:
    """A named policy."""
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=1)
    parsed, diagnostics = parse_policy(read_json(Text(text, file="policy.json")))
    return KeyPolicy(name, parsed, diagnostics, size=len(text))


def table(**more: object) -> dict[str, object]:
    """The least rule.toml, with `more` in it."""
    return {"id": "a-rule", "title": "A rule", "severity": "high", "since": "0.1.0", "needs": ["policy"], **more}


def rule(**more: object) -> Rule:
    """The rule of `table`."""
    return parse_rule(table(**more), "rules/a-rule/rule.toml")
