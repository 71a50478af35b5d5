"""Checks of the names of actions: do they exist, and can a key policy allow them."""

from collections.abc import Iterator, Mapping

from kmslint.aws import actions as table
from kmslint.engine.finding import Finding
from kmslint.engine.predicates.places import Place, literal, named, quoted, statements
from kmslint.model.key import Key, Known
from kmslint.model.settings import Settings
from kmslint.policy.document import Item
from kmslint.policy.principals import SERVICE, account_of, identify
from kmslint.policy.truth import register_text

Params = Mapping[str, object]

_CROSS_ACCOUNT = frozenset(table.CROSS_ACCOUNT)
_USAGE_OF_GROUPS: Mapping[str, frozenset[str]] = {
    # KeyUsage: the cryptographic operations that work with it (KMS API Reference, KeyUsage and each operation)
    "ENCRYPT_DECRYPT": frozenset(
        [
            "Encrypt",
            "Decrypt",
            "ReEncryptFrom",
            "ReEncryptTo",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "GenerateDataKeyPair",
            "GenerateDataKeyPairWithoutPlaintext",
        ]
    ),
    "SIGN_VERIFY": frozenset(("Sign", "Verify")),
    "GENERATE_VERIFY_MAC": frozenset(("GenerateMac", "VerifyMac")),
    "KEY_AGREEMENT": frozenset(("DeriveSharedSecret",)),
    "ENCAPSULATE_DECAPSULATE": frozenset(("Encapsulate", "Decapsulate")),
}
_USAGE_ACTIONS = frozenset().union(*_USAGE_OF_GROUPS.values())


def unknown_action(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every Action or NotAction entry that stands for no KMS action.

    Source: Service Authorization Reference, AWS Key Management Service; the table's date is `aws.actions.AS_OF`.
    """
    del settings, params
    for place in statements(key):
        entries = named(place.statement)
        has_valid = any(_stands_for_something(item) for item in entries)
        for item in entries:
            finding = _judge_name(place, item, has_valid=has_valid)
            if finding is not None:
                yield finding


def _stands_for_something(item: Item) -> bool:
    text = literal(item.value)
    return text is None or bool(table.match(text))


def _judge_name(place: Place, item: Item, *, has_valid: bool) -> Finding | None:
    text = literal(item.value)
    if text is None:
        return place.unresolved("whether this is an action of AWS KMS is open", item.value, node=item.node)
    if table.match(text):
        return None
    is_guard = place.statement.effect != "Allow" or place.statement.not_action
    severity = "high" if is_guard or not has_valid else "medium"
    prefix, colon, name = text.partition(":")
    if colon and prefix.lower() != "kms" and ("*" in prefix or "?" in prefix):
        return place.undetermined(
            f"{quoted(text)} has a wildcard in the service prefix", register_text(11), severity=severity, node=item.node
        )
    if not colon or prefix.lower() != "kms":
        message = f"{quoted(text)} is not an action of AWS KMS, so the entry has no effect on this key"
        return place.finding(message, severity=severity, node=item.node, help=_suggestion(name or text, colon))
    message = f"{quoted(text)} matches no KMS action known on {table.AS_OF}"
    return place.finding(message, severity=severity, node=item.node, help=_suggestion(name, colon))


def _suggestion(name: str, colon: str) -> str:
    best = table.nearest(name)
    if name.lower() == "reencrypt":
        return "the API operation ReEncrypt needs `kms:ReEncryptFrom` and `kms:ReEncryptTo`"
    if best is not None:
        return f"did you mean `kms:{best}`?"
    return "list actions of AWS KMS, each as `kms:Name`" if not colon else "remove the entry, or correct the name"


def ineffective_action(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every explicitly named action that a key policy cannot give: none for this key, this caller or this key usage.

    Source: KMS Developer Guide, "AWS KMS permissions"; "Allowing users in other accounts to use a KMS key".
    """
    del settings, params
    usage = key.fact("usage")
    allowed = _USAGE_OF_GROUPS.get(str(usage.value)) if isinstance(usage, Known) else None
    for place in statements(key):
        if place.statement.not_action:
            continue
        outsiders = _only_outsiders(place, key.account)
        for item in named(place.statement):
            if literal(item.value) is None:
                yield place.unresolved("whether a key policy can give this action is open", item.value, node=item.node)
                continue
            why = _why_ineffective(item, outsiders=outsiders, usable=allowed)
            if why is not None:
                severity = "info" if place.statement.effect == "Deny" else None
                yield place.finding(f"{quoted(item.value)} {why}", severity=severity, node=item.node, help=_where_to(item))


def _only_outsiders(place: Place, owner: str | None) -> bool:
    """Whether every principal is of another account than the owner, and none is a service or `*`."""
    entries = place.statement.principals
    if owner is None or not entries or place.statement.not_principal:
        return False
    accounts = []
    for entry in entries:
        text = literal(entry.value)
        if text is None or entry.kind != "AWS" or text == "*":
            return False
        account = account_of(text) or identify(text).account
        if account is None or identify(text).kind == SERVICE:
            return False
        accounts.append(account)
    return owner not in accounts


def _why_ineffective(item: Item, *, outsiders: bool, usable: frozenset[str] | None) -> str | None:
    text = literal(item.value)
    if text is None or "*" in text or "?" in text:
        return None
    found = table.match(text)
    if not found:
        return None
    action = table.ACTIONS[found[0].lower()]
    if action.effective is False:
        return "cannot be allowed by a key policy"
    if outsiders and action.cross_account is False:
        return "has no effect for a principal of another account"
    if usable is not None and action.name in _USAGE_ACTIONS and action.name not in usable:
        return "cannot be used with the key usage of this key"
    return None


def _where_to(item: Item) -> str:
    text = literal(item.value) or ""
    found = table.match(text)
    if found and table.ACTIONS[found[0].lower()].effective is False:
        return "allow it in an IAM policy of the caller instead, and remove it here"
    return "remove the action from the statement"
