"""Small templates as keys. What is expected of a policy is said by the same policy as plain JSON."""

import json
from textwrap import dedent, indent

from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.sources.cloudformation import keys_from_template
from kmslint.sources.policy_json import NotAKey
from kmslint.tree import Symbol, Template
from tests.unit.sources.terraform.shapes import facts, plain, stated

ACCOUNT, PARTITION, REGION = (Symbol(f"AWS::{name}", own) for name, own in (
    ("AccountId", "account"), ("Partition", "partition"), ("Region", "region"),
))  # fmt: skip
ROLE = "arn:aws:iam::111122223333:role/r"

__all__ = ["facts", "plain", "stated"]


def read(content: str, *, file: str = "t.yaml", **given: object) -> tuple[list[Key], list[SourceError]]:
    """The keys of a template, and what could not be read of it."""
    found = keys_from_template(Text(content, file=file), **given)  # type: ignore[arg-type]
    items = [] if isinstance(found, NotAKey) else found
    return [item for item in items if isinstance(item, Key)], [item for item in items if isinstance(item, SourceError)]


def only_key(content: str, **given: object) -> Key:
    """The one key of a template that can be read without an error."""
    keys, errors = read(content, **given)
    assert errors == []
    assert len(keys) == 1, [key.source.address for key in keys]
    return keys[0]


def template(principal: str, *, more: str = "", properties: str = "", head: str = "") -> str:
    """A template whose key lets `principal`, a YAML expression, decrypt."""
    body = f"""\
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
{indent(dedent(properties), " " * 6)}
      KeyPolicy:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal:
              AWS: {principal}
            Action: kms:Decrypt
            Resource: "*"
{indent(dedent(more), "  ")}
"""
    return dedent(head) + "\n" + body


def principals(content: str, **given: object) -> list[object]:
    """Whom the first statement of the one key is about."""
    statement = only_key(content, **given).policies[0].policy.statements[0]
    return [entry.value for entry in statement.principals or ()]


def value_of(expression: str, **more: str) -> object:
    """What an expression is worth where one principal stands; a list where it is worth several."""
    found = principals(template(expression, **more))
    return found[0] if len(found) == 1 else found


def text(*parts: str | Symbol) -> Template:
    return Template(parts)


def unknown(name: str) -> Template:
    """A value that is all one symbol."""
    return Template((Symbol(name),))


def as_json(document: object) -> str:
    return json.dumps(document, indent=1)
