"""Small Terraform modules as keys, and policies as plain values: equal values are equal policies, wherever they stand."""

import json
from collections.abc import Mapping

from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.model.key import Absent, Fact, Key, Known
from kmslint.model.result import SourceError
from kmslint.policy.document import Policy, Statement
from kmslint.policy.parse import parse_policy
from kmslint.sources.hcl.folder import Memory
from kmslint.sources.terraform_hcl import keys_from_directory

ROOT = "arn:aws:iam::111122223333:root"
ADMIN = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}


def read(files: Mapping[str, str] | str, directory: str = ".", **given: object) -> tuple[list[Key], list[SourceError]]:
    """The keys of a module, and what could not be read of it."""
    texts = {"main.tf": files} if isinstance(files, str) else files
    found = list(keys_from_directory(Memory(texts), directory, **given))  # type: ignore[arg-type]
    return [item for item in found if isinstance(item, Key)], [item for item in found if isinstance(item, SourceError)]


def only_key(files: Mapping[str, str] | str, directory: str = ".", **given: object) -> Key:
    """The one key of a module that can be read without an error."""
    keys, errors = read(files, directory, **given)
    assert errors == []
    assert len(keys) == 1, [key.source.address for key in keys]
    return keys[0]


def policy_of(files: Mapping[str, str] | str, directory: str = ".", **given: object) -> object:
    """The plain policy of the one key of a module."""
    return plain(only_key(files, directory, **given).policies[0].policy)


def stated(document: object) -> object:
    """The plain policy that a JSON document states."""
    return plain(parse_policy(read_json(Text(json.dumps(document))))[0])


def statements(*found: object, version: str = "2012-10-17") -> object:
    """The plain policy of these statements."""
    return stated({"Version": version, "Statement": list(found)})


def plain(policy: Policy) -> object:
    """The policy without places; of a symbol, its name and what it is of the key."""
    return (policy.version, policy.unknown, [_statement(statement) for statement in policy.statements])


def _statement(statement: Statement) -> object:
    return {
        "sid": statement.sid,
        "effect": statement.effect,
        "principals": statement.principals and [(entry.kind, entry.value) for entry in statement.principals],
        "actions": statement.actions and [item.value for item in statement.actions],
        "resources": statement.resources and [item.value for item in statement.resources],
        "conditions": sorted(
            (condition.operator, condition.key, [str(item.value) for item in condition.values])
            for condition in statement.conditions
        ),
        "not": (statement.not_principal, statement.not_action, statement.not_resource),
        "unknown": statement.unknown,
    }


def facts(key: Key) -> dict[str, object]:
    """The facts without places: a value, `absent`, or the kind of ignorance and its reason."""
    return {name: _fact(fact) for name, fact in key.facts.items()}


def _fact(fact: Fact) -> object:
    if isinstance(fact, Known):
        return fact.value
    return "absent" if isinstance(fact, Absent) else (fact.kind, fact.reason)
