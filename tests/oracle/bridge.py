"""From the plain dictionaries that tests write to the product's values, and back."""

from typing import Any

from kmslint.policy.document import Policy, Statement
from kmslint.policy.parse import parse_policy, parse_statements
from kmslint.policy.request import ContextValue, KeyContext, Request
from kmslint.tree import from_python

ACCOUNT = "111122223333"
KEY_ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def key_of(arn: str = KEY_ARN) -> KeyContext:
    _, partition, _, region, account, rest = arn.split(":", 5)
    return KeyContext(account=account, region=region, partition=partition, key_id=rest.removeprefix("key/"))


def policy_of(document: dict[str, Any]) -> Policy:
    policy, _ = parse_policy(from_python(document))
    return policy


def statements_of(described: list[dict[str, Any]]) -> tuple[Statement, ...]:
    """Statements as a rule means them: of the key, whatever their effect."""
    statements, _ = parse_statements(from_python([{"Effect": "Allow", "Resource": "*", **one} for one in described]))
    return statements


def context_of(context: dict[str, Any]) -> dict[str, ContextValue]:
    return {key.lower(): value if isinstance(value, str) else frozenset(value) for key, value in context.items()}


def request_of(request: dict[str, Any]) -> Request:
    return Request(
        principal=request["principal"],
        action=request["action"],
        context=context_of(request["context"]),
        key=key_of(request.get("keyArn", KEY_ARN)),
        parent=request.get("parent"),
    )


def plain(request: Request, key_arn: str = KEY_ARN) -> dict[str, Any]:
    """A witness as the oracle reads it."""
    return {
        "principal": request.principal,
        "action": request.action,
        "context": dict(request.context),
        "keyArn": key_arn,
        "parent": request.parent,
    }
