"""Checks of a policy's text: its grammar, its size, its version, its Resource elements."""

from collections.abc import Iterator, Mapping

from kmslint.engine.finding import Finding
from kmslint.engine.predicates.places import FAIL, Place, literal, quoted, statements
from kmslint.model.key import Key, KeyPolicy
from kmslint.model.settings import Settings
from kmslint.policy.document import Diagnostic, Item
from kmslint.policy.truth import register_text
from kmslint.tree import Template

Params = Mapping[str, object]

_LIMITS = frozenset({"policy-too-large", "character-not-allowed", "missing-version", "invalid-version", "old-version"})
"""Diagnostics that are about the document as a whole: `document_limits` reports them."""
_MAX_BYTES = 32_768
_NEARLY = 0.9


def ineffective_statement(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every violation of the policy grammar that the parser found, at its place.

    Source: IAM User Guide, "Grammar of the IAM JSON policy language"; KMS API Reference, PutKeyPolicy.
    """
    del settings, params
    for policy in key.policies:
        for diagnostic in policy.diagnostics:
            if diagnostic.code not in _LIMITS:
                yield _as_finding(policy, diagnostic, None)


def _as_finding(policy: KeyPolicy, diagnostic: Diagnostic, severity: str | None) -> Finding:
    return Finding(
        outcome=FAIL,
        message=diagnostic.message,
        severity=severity,
        policy=policy.name,
        statement=diagnostic.statement,
        node=diagnostic.node,
        pointer=diagnostic.pointer,
        help=diagnostic.help,
    )


def document_limits(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """The policy is too large, holds characters that KMS refuses, or is of a version that takes `${…}` literally.

    Source: KMS Developer Guide, "Resource quotas": key policy document size; IAM User Guide, "Version".
    """
    del settings, params
    for policy in key.policies:
        for diagnostic in policy.diagnostics:
            if diagnostic.code in {"policy-too-large", "character-not-allowed"}:
                yield _as_finding(policy, diagnostic, "medium")
        yield from _size(policy)
        yield from _version(policy)


def _size(policy: KeyPolicy) -> Iterator[Finding]:
    """A warning from nine tenths of the quota on; past the quota the parser has already complained."""
    if policy.size is not None and _NEARLY * _MAX_BYTES <= policy.size <= _MAX_BYTES:
        message = f"the policy has {policy.size} of at most {_MAX_BYTES} bytes"
        help = "move rights to grants or IAM policies, or merge statements"
        yield Finding(outcome=FAIL, message=message, severity="low", policy=policy.name, node=policy.policy.node, help=help)


def _version(policy: KeyPolicy) -> Iterator[Finding]:
    version = policy.policy.version
    if version == "2012-10-17" or policy.policy.unknown:
        return
    written = "no Version" if version is None else f"Version {quoted(version)}"
    help = 'set "Version": "2012-10-17"'
    found = _first_variable(policy)
    if found is None:
        message = f"the policy has {written}, which AWS keeps only for old policies"
        yield Finding(outcome=FAIL, message=message, severity="low", policy=policy.name, node=policy.policy.node, help=help)
        return
    index, item = found
    message = f"the policy has {written}, so {quoted(item.value)} is plain text and no policy variable"
    yield Finding(outcome=FAIL, message=message, severity="high", policy=policy.name, statement=index, node=item.node, help=help)


def _first_variable(policy: KeyPolicy) -> tuple[int, Item] | None:
    """The first condition value that looks like a policy variable, and the index of its statement."""
    for statement in policy.policy.statements:
        for condition in statement.conditions:
            for item in condition.values:
                text = literal(item.value)
                if text is not None and "${" in text:
                    return statement.index, item
    return None


def resource_not_star(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every Resource other than `*`: in a key policy `*` means this key, and nothing else can be meant.

    Source: KMS Developer Guide, "Key policies", Resource. What KMS does with another value is UNSURE-12.
    """
    del settings, params
    for place in statements(key):
        for item in place.statement.resources or ():
            finding = _judge_resource(place, item, key.arn)
            if finding is not None:
                yield finding


def _judge_resource(place: Place, item: Item, own: str | None) -> Finding | None:
    if isinstance(item.value, Template):
        message = f"the resource {quoted(item.value)} stands where a key policy says `*`"
        return place.finding(message, severity="low", node=item.node, help=_STAR)
    text = item.value
    if text == "*":
        return None
    if own is not None and text == own:
        message = "the resource is this key's own ARN, where a key policy says `*`"
        return place.finding(message, severity="info", node=item.node, help=_STAR)
    is_key = text.startswith("arn:") and ":kms:" in text and ":key/" in text
    if is_key and (own is None or "*" in text or "?" in text):
        message = f"the resource {quoted(text)} stands where a key policy says `*`; {register_text(12)}"
        return place.finding(message, severity="low", node=item.node, help=_STAR)
    message = f"the resource {quoted(text)} is not this key, so the statement most likely has no effect"
    return place.finding(message, severity="medium", node=item.node, help=_STAR)


_STAR = 'write "Resource": "*", which means the key that the policy is attached to'
