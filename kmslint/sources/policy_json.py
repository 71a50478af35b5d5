"""A JSON text becomes the key whose policy it holds, or the reason why it holds none.

Read are: a policy document; the output of `aws kms get-key-policy`, as JSON and with `--output text` (the policy, a tab, its
name); a JSON string that holds a policy; an object with a `Policy`.
"""

import re
from collections.abc import Iterator

from kmslint.errors import InputError
from kmslint.jsontext import expect_end, quoted, read_embedded, read_json_start
from kmslint.location import Text
from kmslint.model.key import Key, KeyPolicy, Source
from kmslint.pattern import pattern
from kmslint.policy.document import Policy, Statement
from kmslint.policy.parse import parse_policy, parse_shape
from kmslint.policy.patterns import glob, matches
from kmslint.sha256 import hexdigest
from kmslint.sources.owner import infer_owner, infer_partition
from kmslint.tree import OBJECT, STRING, Node
from kmslint.typed import Final, NamedTuple, Union

DEFAULT_POLICY: Final = "default"
"""Source: KMS API Reference, GetKeyPolicy, PolicyName: "The only valid name is default"."""

ENDPOINT_NOTE: Final = (
    "this may be an endpoint policy, which looks the same: as a key policy it lets nobody change it; "
    "`--type policy` says that it is a key policy"
)

_NAME_AFTER: Final = pattern(r"[ \r\n]*\t[ ]*(\w{1,128})\s*\Z", re.ASCII)
"""Source: AWS CLI User Guide, "Text output format"; KMS API Reference, PolicyNameType."""

_OPEN: Final = pattern(r"[*?$]")

_ELSEWHERE: Final = (
    ("KeyMetadata", "the output of `aws kms describe-key`, which holds no policy"),
    ("KeyRotationEnabled", "the output of `aws kms get-key-rotation-status`, which holds no policy"),
    ("Grants", "the output of `aws kms list-grants`, which holds no policy"),
    ("Aliases", "the output of `aws kms list-aliases`, which holds no policy"),
    ("AWSTemplateFormatVersion", "a CloudFormation template"),
    ("Resources", "a CloudFormation template"),
    ("planned_values", "a Terraform plan"),
    ("resource_changes", "a Terraform plan"),
    ("terraform_version", "a Terraform state or plan"),
)


class NotAKey(NamedTuple):
    """Why a text is plainly something else than the policy of a key."""

    reason: str


class _Found(NamedTuple):
    """The value that is the policy. `is_text` where it stands as the text that KMS stores; `sure` where only KMS prints such."""

    node: Node
    name: str
    is_text: bool
    sure: bool


def keys_from_json(
    text: Text,
    *,
    named: bool = True,
    type: str = "auto",
    arn: str | None = None,
    account: str | None = None,
    account_source: str = "given",
    region: str | None = None,
) -> Union[list[Key], NotAKey]:
    """The key whose policy `text` holds, its id left empty; or why there is none.

    `named` says that the user named this text: then a text that claims to be a policy is one, however empty. `type` "policy"
    says that it is a key policy, whatever it looks like. `arn` is the key's, `account` its owner's as `account_source` knows it.

    Raises:
        InputError: `text`, or the policy inside it, is not JSON.
    """
    node, end = read_json_start(text)
    after = _NAME_AFTER.match(text.content, node.end) if "\t" in text.content[node.end :] else None
    if after is None:
        expect_end(text, end)
    found = _find(node, after.group(1) if after else None, claimed=type == "policy")
    if isinstance(found, NotAKey):
        return found
    policy, diagnostics = parse_policy(found.node) if found.is_text else parse_shape(found.node)
    settled = found.sure or type == "policy"
    if not settled:
        reason = _something_else(policy, found.node, named=named)
        if reason is not None:
            return NotAKey(reason)
    data = _slice(found.node).encode("utf-8", "surrogatepass")
    digest = hexdigest(data)
    named_policy = KeyPolicy(found.name, policy, diagnostics, digest, len(data) if found.is_text else None)
    key = _key(text, node, named_policy, region)
    notes = () if settled or not _may_be_endpoint(policy) else (ENDPOINT_NOTE,)
    return [_owned(key._replace(notes=notes), policy, arn, account, account_source)]


def _slice(node: Node) -> str:
    return node.text.content[node.start : node.end]


def _key(text: Text, node: Node, policy: KeyPolicy, region: str | None) -> Key:
    line, column = text.position(node.start)
    source = Source("policy", text.file, text.uri, line, column)
    return Key(id="", source=source, policies=(policy,), facts={}, region=region, sha256=policy.sha256)


def _owned(key: Key, policy: Policy, arn: str | None, account: str | None, account_source: str) -> Key:
    """The key with its owner: by its ARN, as given, or as the policy's text tells."""
    if arn is not None:
        _, partition, _, region, owner, resource = arn.split(":", 5)
        key_id = resource.removeprefix("key/")
        return key._replace(arn=arn, key_id=key_id, account=owner, account_source="arn", region=region, partition=partition)
    partition = infer_partition((policy,))
    if account is not None:
        return key._replace(account=account, account_source=account_source, partition=partition)
    owner_told = infer_owner((policy,), partition)
    return key._replace(account=owner_told, account_source="inferred" if owner_told else None, partition=partition)


# --- where the policy stands


def _find(node: Node, name: str | None, *, claimed: bool) -> Union[_Found, NotAKey]:
    """The policy in `node`; `name` is what stood behind it in text output."""
    if node.kind == STRING and _is_object_text(node):
        node = read_embedded(node)
    if node.kind != OBJECT:
        return _Found(node, DEFAULT_POLICY, is_text=True, sure=True) if claimed else NotAKey("no JSON object")
    wrapped = node.member("Policy")
    if wrapped is not None and node.member("Statement") is None:
        return _unwrap(node, wrapped, claimed=claimed)
    if name is not None or claimed or _has_statement(node):
        return _Found(node, name or DEFAULT_POLICY, is_text=True, sure=name is not None)
    return NotAKey(next((what for member, what in _ELSEWHERE if node.member(member) is not None), "no policy in it"))


def _unwrap(node: Node, wrapped: Node, *, claimed: bool) -> Union[_Found, NotAKey]:
    """The policy under `Policy`. Only KMS prints a `PolicyName` beside it. Raises InputError where there are two."""
    for member in node.members():
        if member.key == "Policy" and member.value is not wrapped:
            line, column = member.key_node.text.position(member.key_node.start)
            raise InputError("`Policy` is given twice", source=node.text.file, line=line, column=column, help="keep one")
    name = node.member("PolicyName")
    policy_name = name.value if name is not None and isinstance(name.value, str) and name.kind == STRING else None
    if wrapped.kind == STRING and (policy_name is not None or _is_object_text(wrapped)):
        return _Found(read_embedded(wrapped), policy_name or DEFAULT_POLICY, is_text=True, sure=policy_name is not None)
    if wrapped.kind == OBJECT or policy_name is not None or claimed:
        return _Found(wrapped, policy_name or DEFAULT_POLICY, is_text=False, sure=policy_name is not None)
    return NotAKey("its `Policy` holds no policy")


def _is_object_text(node: Node) -> bool:
    return isinstance(node.value, str) and node.value.lstrip(" \t\r\n\ufeff").startswith("{")


def _has_statement(node: Node) -> bool:
    """Whether an object claims to be a policy. Another case of the name is a fault of the policy, and no other thing."""
    return any(member.key.lower() == "statement" for member in node.members())


# --- is it a key policy?


def _something_else(policy: Policy, node: Node, *, named: bool) -> str | None:
    """What the policy plainly is, if it is not a key's; None if it may be one."""
    services = {service for statement in policy.statements for service in _services(statement)}
    if not services:
        is_claim = named or "kms" in _slice(node).lower()
        return None if is_claim else "no statement has an action"
    if all(statement.principals is None for statement in policy.statements):
        return "a policy without principals: an IAM policy or a service control policy"
    if not services & {"kms", "*"}:
        return f"a policy of other services: {', '.join(quoted(service) for service in sorted(services)[:5])}"
    if services != {"kms"} and all(map(_denies_everybody, policy.statements)):
        return "a resource control policy"
    if "kms" not in services and (other := _other_resources(policy)):
        return f"a policy of other resources: {', '.join(quoted(service) for service in other[:5])}"
    return None


def _services(statement: Statement) -> Iterator[str]:
    """The services of the actions that are written, lower case; `*` where it may be any, as in all that NotAction leaves."""
    for item in statement.actions or ():
        if item.node.kind == STRING:
            prefix = str(item.value).lower().partition(":")[0]
            yield "*" if statement.not_action or _OPEN.search(prefix) else prefix


def _denies_everybody(statement: Statement) -> bool:
    everybody = statement.principals is not None and all(entry.value == "*" for entry in statement.principals)
    return statement.effect == "Deny" and everybody and not statement.not_principal


def _other_resources(policy: Policy) -> list[str]:
    """The services whose resources the statements are about; empty as soon as one may be about a KMS key."""
    found: set[str] = set()
    for statement in policy.statements:
        for item in statement.resources or ():
            parts = str(item.value).split(":", 3)
            if statement.not_resource or len(parts) < 4 or parts[2] == "kms" or "*" in parts[2]:
                return []
            found.add(parts[2])
    return sorted(found)


def _may_be_endpoint(policy: Policy) -> bool:
    """Whether the policy lets nobody change it, as a key policy must.

    Source: KMS Developer Guide, "Connect to AWS KMS through a VPC endpoint": an endpoint policy names actions of KMS and principals.
    """
    return not policy.unknown and not any(map(_lets_change, policy.statements))


def _lets_change(statement: Statement) -> bool:
    if statement.effect == "Deny" or not statement.actions:
        return False
    patterns = [str(item.value).lower() for item in statement.actions]
    changes = any(pattern.startswith("kms:") and matches(glob(pattern), "kms:putkeypolicy") for pattern in patterns)
    return changes != statement.not_action
