"""Checks of single conditions: does the key exist, does the operator fit it, can the value ever occur."""

from collections.abc import Iterator, Mapping

from kmslint.aws import actions as table
from kmslint.aws.condition_keys import ConditionKey, lookup, nearest_key
from kmslint.aws.partitions import VIA_SERVICES, via_service
from kmslint.engine.finding import Finding
from kmslint.engine.predicates.places import Place, literal, named, quoted, statements
from kmslint.model.key import Key, Known
from kmslint.model.settings import Settings
from kmslint.policy import operators, values
from kmslint.policy.document import Condition, Item
from kmslint.policy.operators import Use
from kmslint.policy.truth import register_text
from kmslint.typed import Final

Params = Mapping[str, object]

_CONTEXT: Final = "kms:encryptioncontext:"
_CONTEXT_KEYS: Final = "kms:encryptioncontextkeys"
_DEPRECATED: Final = {"kms:customermasterkeyspec": "kms:KeySpec", "kms:customermasterkeyusage": "kms:KeyUsage"}
_IAM_ONLY: Final = frozenset({"kms:resourcealiases"})


def _conditions(key: Key, effect: str | None = None) -> Iterator[tuple[Place, Condition, Use]]:
    """Every condition whose operator exists, with its statement."""
    for place in statements(key, effect):
        for condition in place.statement.conditions:
            use = operators.lookup(condition.operator)
            if use is not None:
                yield place, condition, use


def _holds_without_key(use: Use) -> bool:
    """Whether a request without the key satisfies the condition: what an unknown key amounts to."""
    return use.operator.family != operators.NULL and use.absent() != 0


def unknown_condition_key(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every condition key that no request to KMS carries: misspelt, another service's, deprecated, or for IAM policies only.

    Source: Service Authorization Reference, AWS KMS, condition keys; KMS Developer Guide, "AWS KMS condition keys".
    """
    del settings, params
    for place, condition, use in _conditions(key):
        name = condition.key.lower()
        if name in _DEPRECATED:
            message = f"{quoted(condition.key)} is deprecated"
            yield place.finding(message, severity="low", node=condition.node, help=f"write `{_DEPRECATED[name]}`")
        elif name in _IAM_ONLY:
            message = (
                f"{quoted(condition.key)} is for IAM policies; AWS's documents disagree on whether a key policy evaluates it"
            )
            help = "use kms:RequestAlias, or move the right to an IAM policy"
            yield place.finding(message, severity="medium", node=condition.node, help=help)
        elif lookup(condition.key) is None:
            yield _unknown(place, condition, use)


def _unknown(place: Place, condition: Condition, use: Use) -> Finding:
    is_open = place.statement.effect == "Allow" and _holds_without_key(use)
    effect = "so the condition restricts nobody" if is_open else "so the condition never holds"
    if place.statement.effect == "Deny" and _holds_without_key(use):
        effect = "so the condition always holds"
    best = nearest_key(condition.key)
    help = f"did you mean `{best}`?" if best else "use a global condition key or one of AWS KMS"
    message = f"no request to KMS has the condition key {quoted(condition.key)}, {effect}"
    return place.finding(message, severity="critical" if is_open else None, node=condition.node, help=help)


_FAMILIES: Final = {
    # type of the key: operator families that compare it as its type
    "String": frozenset({operators.STRING, operators.STRING_IGNORE_CASE, operators.LIKE}),
    "ARN": frozenset({operators.ARN, operators.STRING, operators.STRING_IGNORE_CASE, operators.LIKE}),
    "Numeric": frozenset({operators.NUMERIC}),
    "Date": frozenset({operators.DATE}),
    "Bool": frozenset({operators.BOOL}),
    "IP": frozenset({operators.IP}),
}
_TEXTUAL: Final = frozenset({operators.STRING, operators.STRING_IGNORE_CASE, operators.LIKE})
_ARN_VALUED: Final = frozenset({"kms:granteeprincipal", "kms:retiringprincipal", "aws:federatedprovider"})
_NUMERIC_DATES: Final = frozenset({"aws:epochtime", "kms:validto"})


def operator_type_mismatch(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every condition whose operator compares another type than the key has, or whose value is none of that type.

    Source: IAM User Guide, "IAM JSON policy elements: Condition operators". ARN operators on an encryption context and string
    operators on an ARN are forms that AWS documents.
    """
    del settings, params
    for place, condition, use in _conditions(key):
        known = lookup(condition.key)
        if known is None or use.operator.family == operators.NULL:
            continue
        if not _fits(known, condition, use):
            operator, kind = quoted(condition.operator), known.type
            message = f"{operator} does not compare values of type {kind}, which {quoted(condition.key)} has"
            severity = "low" if kind in {"Bool", "Numeric"} and use.operator.family in _TEXTUAL else None
            help = f"use {_OPERATOR_FOR[kind]}"
            yield place.finding(message, severity=severity, node=condition.operator_node, help=help)
            continue
        for item in condition.values:
            finding = _judge_value(place, condition, use, item)
            if finding is not None:
                yield finding


_OPERATOR_FOR: Final = {
    "String": "a String operator",
    "ARN": "ArnEquals or ArnLike",
    "Numeric": "a Numeric operator",
    "Date": "a Date operator",
    "Bool": "Bool",
    "IP": "IpAddress or NotIpAddress",
}


def _fits(known: ConditionKey, condition: Condition, use: Use) -> bool:
    name = condition.key.lower()
    family = use.operator.family
    if family == operators.ARN and (name.startswith(_CONTEXT) or name in _ARN_VALUED):
        return True
    if family == operators.NUMERIC and name in _NUMERIC_DATES:
        return True
    return family in _FAMILIES[known.type]


def _judge_value(place: Place, condition: Condition, use: Use, item: Item) -> Finding | None:
    text = literal(item.value)
    family = use.operator.family
    if text is None and family in _PARSED:
        return place.unresolved(
            f"whether {quoted(condition.operator)} can compare this value is open", item.value, node=item.node
        )
    if text is None or "${" in text:
        return None
    if family in {operators.STRING, operators.STRING_IGNORE_CASE} and ("*" in text or "?" in text):
        message = f"{quoted(condition.operator)} takes the wildcard in {quoted(text)} literally"
        help = "use StringLike (StringNotLike), or ArnLike for an ARN"
        return place.finding(message, node=item.node, help=help)
    if family == operators.ARN and text.count(":") < 5:
        message = f"{quoted(text)} has fewer than the six parts of an ARN"
        return place.undetermined(message, register_text(18), node=item.node)
    if _parses(family, text):
        return None
    return place.finding(f"{quoted(text)} is no value that {quoted(condition.operator)} can compare", node=item.node)


_PARSED: Final = frozenset({operators.NUMERIC, operators.DATE, operators.BOOL, operators.IP})
"""Families whose values have a form."""


def _parses(family: str, text: str) -> bool:
    match family:
        case operators.NUMERIC:
            return values.number(text) is not None
        case operators.DATE:
            return bool(values.instants(text))
        case operators.BOOL:
            return values.boolean(text) is not None
        case operators.IP:
            return bool(values.networks(text))
        case _:
            return True


def bad_via_service_value(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every value of kms:ViaService that no request has: malformed, of another Region, or a pattern compared literally.

    Source: KMS Developer Guide, "AWS KMS condition keys", kms:ViaService: `SERVICE.REGION.amazonaws.com` in all partitions.
    """
    del params
    for place, condition, use in _conditions(key):
        if condition.key.lower() != "kms:viaservice" or use.operator.family == operators.NULL:
            continue
        for item in condition.values:
            text = literal(item.value)
            if text is None:
                yield place.unresolved("whether a request has this value of kms:ViaService is open", item.value, node=item.node)
                continue
            finding = None if "${" in text else _judge_via(place, item, text, use, key, settings)
            if finding is not None:
                yield finding


def _judge_via(place: Place, item: Item, text: str, use: Use, key: Key, settings: Settings) -> Finding | None:
    is_pattern = use.operator.family == operators.LIKE
    if "*" in text or "?" in text:
        if not is_pattern:
            return place.finding(
                f"{quoted(text)} is a pattern, which only StringLike compares", node=item.node, help="use StringLike"
            )
        return None if _may_be_via(text) else _malformed(place, item, text)
    name = via_service(text)
    if name is None:
        return _malformed(place, item, text)
    regions = _regions(key, settings)
    if regions and name.region not in regions:
        message = f"{quoted(text)} is of Region {quoted(name.region or '')}, the key of {quoted(regions[0])}"
        return place.finding(message, node=item.node, help="write the Region of the key")
    if name.service not in VIA_SERVICES:
        message = f"{quoted(text)} names a service that is not known to support kms:ViaService"
        return place.finding(
            message, severity="info", node=item.node, help="see the table of services in the KMS Developer Guide"
        )
    return None


def _may_be_via(pattern: str) -> bool:
    """Whether the pattern's end can be that of a value: it ends in `amazonaws.com`, or in a wildcard."""
    return pattern.endswith(("*", "?", "amazonaws.com"))


def _regions(key: Key, settings: Settings) -> tuple[str, ...]:
    """The Regions that a request to the key can name; () when they are not known, as for a multi-Region key."""
    multi = key.fact("multi_region")
    if key.region is None or (isinstance(multi, Known) and multi.value is True):
        return settings.regions or ()
    return (key.region,)


def _malformed(place: Place, item: Item, text: str) -> Finding:
    message = f"{quoted(text)} can never be the value of kms:ViaService"
    return place.finding(
        message, node=item.node, help="write `SERVICE.REGION.amazonaws.com`, such as `s3.us-east-1.amazonaws.com`"
    )


def uncarried_encryption_context(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every explicitly named action of an Allow that demands an encryption context which the action, or the key, does not have.

    Source: KMS Developer Guide, "Encryption context", and "Permissions for AWS services in key policies".
    """
    del settings, params
    spec = key.fact("spec")
    asymmetric = isinstance(spec, Known) and spec.value != "SYMMETRIC_DEFAULT"
    for place, condition, use in _conditions(key, "Allow"):
        name = condition.key.lower()
        if not (name.startswith(_CONTEXT) or name == _CONTEXT_KEYS) or not _is_demand(condition, use):
            continue
        if asymmetric:
            message = (
                f"{quoted(condition.key)} is never there: the key is {quoted(str(spec.value))}, not for symmetric encryption"  # type: ignore[union-attr]
            )
            yield place.finding(message, node=condition.node, help="remove the condition, or use a symmetric encryption key")
            continue
        for item in () if place.statement.not_action else named(place.statement):
            if _lacks_context(item):
                message = f"{quoted(item.value)} has no encryption context, so it is not allowed under {quoted(condition.key)}"
                help = "move the action to a statement of its own, without that condition"
                yield place.finding(message, node=item.node, help=help)


def _is_demand(condition: Condition, use: Use) -> bool:
    """Whether a request without the key fails the condition."""
    if use.operator.family == operators.NULL:
        return all(str(item.value).lower() == "false" for item in condition.values)
    return use.absent() == 0


def _lacks_context(item: Item) -> bool:
    text = literal(item.value)
    if text is None or "*" in text or "?" in text:
        return False
    found = table.match(text)
    if not found:
        return False
    action = table.ACTIONS[found[0].lower()]
    return action.effective is not False and not any(name.startswith("kms:encryptioncontext") for name in action.condition_keys)
