"""Checks of who holds which rights: separation of duties, changes of the policy, self-service, grants."""

from collections.abc import Iterable, Iterator, Mapping

from kmslint.aws import actions as table
from kmslint.engine.finding import Finding
from kmslint.engine.predicates.asking import describe, policies
from kmslint.engine.predicates.places import Place, at, causes, literal, named, quoted, statements
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.policy.document import Statement
from kmslint.policy.patterns import glob, matches
from kmslint.policy.principals import SERVICE, account_of, identify
from kmslint.reason.answer import Answer, Proven, Undetermined, Violated
from kmslint.reason.query import find_allowed, find_allowed_by_statement, find_new_access
from kmslint.typed import Final

Params = Mapping[str, object]

_ADMINISTRATION: Final = (
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:DisableKey",
    "kms:DeleteImportedKeyMaterial",
    "kms:UpdatePrimaryRegion",
    "kms:ReplicateKey",
)
_PLAINTEXT: Final = (
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:Sign",
    "kms:GenerateMac",
    "kms:DeriveSharedSecret",
    "kms:Decapsulate",
)
_MAX_PRINCIPALS: Final = 200
"""Named principals that are asked about one by one; past it the policy has a problem of another kind."""


def _named_by_statement(key: Key) -> dict[str, Place]:
    """Every IAM or STS principal that an Allow names, but no account as a whole, and the first place that names it."""
    found: dict[str, Place] = {}
    for place in statements(key, "Allow"):
        if place.statement.not_principal:
            continue
        for entry in place.statement.principals or ():
            text = literal(entry.value)
            if entry.kind == "AWS" and text is not None and text != "*" and account_of(text) is None and identify(text).account:
                found.setdefault(text, place)
    return dict(list(found.items())[:_MAX_PRINCIPALS])


def is_listed(arn: str, patterns: Iterable[str]) -> bool:
    """Whether one of the ARN globs matches."""
    return any(matches(glob(pattern), arn) for pattern in patterns)


def _asks(key: Key, arn: str, actions: Iterable[str]) -> Answer:
    return find_allowed(
        policies(key), describe({"Principal": {"AWS": arn}, "Action": list(actions)}), key.context(), grant="direct"
    )


def admin_uses_key(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every named principal that may both administer the key and obtain plaintext with it, over all statements together.

    Source: KMS Developer Guide, "Default key policy", key administrators and key users; NIST SP 800-53r5 AC-5.
    """
    del params
    for arn, place in _named_by_statement(key).items():
        if is_listed(arn, settings.break_glass):
            continue
        administers = _asks(key, arn, _ADMINISTRATION)
        if isinstance(administers, Proven):
            continue
        uses = _asks(key, arn, _PLAINTEXT)
        if isinstance(uses, Proven):
            continue
        if isinstance(administers, Violated) and isinstance(uses, Violated):
            yield _both(place, arn, administers, uses)
            continue
        open_answer = administers if isinstance(administers, Undetermined) else uses
        reason = causes(open_answer) if isinstance(open_answer, Undetermined) else ""
        yield place.undetermined(f"whether {quoted(arn)} may both administer and use the key is not settled", reason)


def _both(place: Place, arn: str, administers: Violated, uses: Violated) -> Finding:
    total = (
        any(table.covers_future(literal(item.value) or "") for item in named(place.statement)) and not place.statement.not_action
    )
    what = f"{quoted(administers.witness.action)} and {quoted(uses.witness.action)}"
    message = f"{quoted(arn)} may both administer and use the key: {what}"
    help = "split the statement: one role that administers the key, other roles that use it; or list a deploy role in break_glass"
    return place.finding(message, severity="high" if total else None, witness=uses.witness, help=help)


def non_admin_policy_change(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every Allow by which somebody other than the account or a declared administrator may change the key policy.

    Without `key_admins`: high for services and for principals that also use the key, a notice for others.
    Source: KMS API Reference, PutKeyPolicy.
    """
    del params
    admins = (*settings.key_admins, *settings.break_glass)
    described = describe({"Principal": "*", "Action": "kms:PutKeyPolicy"})
    for ref, answer in find_allowed_by_statement(policies(key), described, key.context(), grant="direct"):
        place = at(key, ref)
        if isinstance(answer, Undetermined):
            yield place.undetermined("whether the statement lets anybody change the key policy is not settled", causes(answer))
            continue
        for arn in _changers(place, key):
            if is_listed(arn, admins):
                continue
            finding = _judge_changer(key, place, arn, declared=bool(settings.key_admins))
            if finding is not None:
                yield finding


def _changers(place: Place, key: Key) -> list[str]:
    """The parties that the statement names, but the owner's account; `*` where it names everybody or everybody else."""
    if place.statement.not_principal:
        return ["*"]
    texts = [literal(entry.value) for entry in place.statement.principals or ()]
    return [text for text in texts if text is not None and (key.account is None or account_of(text) != key.account)]


def _judge_changer(key: Key, place: Place, arn: str, *, declared: bool) -> Finding | None:
    kind = "AWS" if identify(arn).kind != SERVICE else "Service"
    who = {"Principal": "*"} if arn == "*" else {"Principal": {kind: arn}}
    answer = find_allowed(policies(key), describe({**who, "Action": "kms:PutKeyPolicy"}), key.context(), grant="direct")
    match answer:
        case Proven():
            return None
        case Undetermined():
            return place.undetermined(f"whether {quoted(arn)} may change the key policy is not settled", causes(answer))
        case Violated(witness=witness):
            uses = kind == "Service" or arn == "*" or isinstance(_asks(key, arn, _PLAINTEXT), Violated)
            severity = "high" if declared or uses else "info"
            message = f"{quoted(arn)} may change the key policy, which amounts to every other right"
            help = "remove kms:PutKeyPolicy from the statement, or list the principal in key_admins"
            return place.finding(message, severity=severity, witness=witness, help=help)


_ATTRIBUTE_ACTIONS: Final = {
    # what a condition reads: the actions that change it
    "aws:resourcetag/": ("kms:TagResource", "kms:UntagResource"),
    "kms:requestalias": ("kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"),
}


def self_service_attributes(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every named principal outside `key_admins` that may change the tags or aliases on which an Allow depends.

    Source: KMS Developer Guide, "ABAC for AWS KMS".
    """
    del params
    changing = tuple(
        action
        for prefix, actions in _ATTRIBUTE_ACTIONS.items()
        for action in actions
        if any(c.key.lower().startswith(prefix) for place in statements(key, "Allow") for c in place.statement.conditions)
    )
    if not changing:
        return
    for arn, place in _named_by_statement(key).items():
        if is_listed(arn, (*settings.key_admins, *settings.break_glass)):
            continue
        match _asks(key, arn, changing):
            case Violated(witness=witness):
                message = f"{quoted(arn)} may call {quoted(witness.action)} and so change an attribute that a right depends on"
                help = "leave tags and aliases of this key to principals in key_admins"
                yield place.finding(message, witness=witness, help=help)
            case Undetermined() as answer:
                yield place.undetermined(f"whether {quoted(arn)} may change tags or aliases is not settled", causes(answer))
            case Proven():
                pass


_ANYBODY: Final = "arn:aws:iam::999999999999:role/anybody"
"""An arbitrary grantee: no policy limits a grant to it."""


def unconstrained_create_grant(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every Allow by which a principal of the owner may grant decryption to an arbitrary grantee in a direct call.

    Source: KMS Developer Guide, "Grants in AWS KMS"; "AWS KMS condition keys", kms:GrantIsForAWSResource.
    """
    del settings, params
    condition: dict[str, dict[str, object]] = {
        "Bool": {"aws:PrincipalIsAWSService": "false"},
        "BoolIfExists": {"kms:GrantIsForAWSResource": "false"},
        "Null": {"kms:ViaService": "true", "kms:GrantConstraintSourceArn": "true", "kms:GranteeServicePrincipal": "true"},
        "StringEquals": {"kms:GranteePrincipal": _ANYBODY},
        "ArnNotLike": {"aws:PrincipalArn": "arn:*:iam::*:root"},
        "ForAnyValue:StringEquals": {"kms:GrantOperations": ["Decrypt", "CreateGrant"]},
    }
    if key.account is not None:
        condition["StringEquals"]["aws:PrincipalAccount"] = key.account
    described = describe({"Principal": "*", "Action": "kms:CreateGrant", "Condition": condition})
    for ref, answer in find_allowed_by_statement(policies(key), described, key.context(), grant="direct"):
        place = at(key, ref)
        is_console_default = any((literal(item.value) or "").lower() == "kms:create*" for item in named(place.statement))
        severity = "medium" if is_console_default else None
        if isinstance(answer, Undetermined):
            yield place.undetermined("whether a grant to anybody is allowed is not settled", causes(answer), severity=severity)
        elif isinstance(answer, Violated):
            source = " (`kms:Create*` is how the AWS console writes key administrators)" if is_console_default else ""
            message = f"{quoted(answer.witness.principal or 'anybody')} may grant decryption to anybody, in any account{source}"
            help = "add Bool kms:GrantIsForAWSResource = true, or pin kms:GranteePrincipal and kms:GrantOperations"
            yield place.finding(message, severity=severity, witness=answer.witness, help=help)


_NETWORK: Final = frozenset({"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpcsourceip"})


def network_condition_blocks_services(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """A request that a service makes for an allowed principal fails on nothing but a network condition.

    `address`: what aws:SourceIp is, if it is there: one that stands in no policy. Which it is in a forwarded call is
    UNSURE-24; a principal that calls the service from an address that a condition excludes is refused for that.
    Source: KMS Developer Guide, "AWS global condition keys", aws:SourceIp and aws:SourceVpce; IAM User Guide, aws:ViaAWSService.
    """
    del settings
    limited = [place for place in statements(key) if any(c.key.lower() in _NETWORK for c in place.statement.conditions)]
    if not limited:
        return
    without = tuple(
        policy._replace(statements=tuple(kept for s in policy.statements if (kept := _without_network(s)) is not None))
        for policy in policies(key)
    )
    forwarded = {
        "Principal": "*",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"],
        "Condition": {
            "Null": {"kms:ViaService": "false", "aws:SourceVpce": "true", "aws:SourceVpc": "true"},
            "Bool": {"aws:ViaAWSService": "true", "aws:PrincipalIsAWSService": "false"},
            **({"IpAddressIfExists": {"aws:SourceIp": params["address"]}} if "address" in params else {}),
        },
    }
    answer = find_new_access(policies(key), without, key.context(), describe(forwarded))
    place = limited[0]
    match answer:
        case Violated(witness=witness):
            caller, action = quoted(witness.principal or "a principal"), quoted(witness.action)
            message = f"a service that calls {action} for {caller} fails on a network condition: the call comes from the service"
            help = 'spare services in the same statement: "BoolIfExists": {"aws:ViaAWSService": "false"}, and IfExists on aws:SourceIp'
            yield place.finding(message, witness=witness, help=help)
        case Undetermined():
            yield place.undetermined("whether the network condition cuts off services is not settled", causes(answer))
        case Proven():
            pass


def _without_network(statement: Statement) -> Statement | None:
    """The statement as if the network did not matter: a Deny that only the network triggers goes, an Allow loses the condition."""
    rest = tuple(c for c in statement.conditions if c.key.lower() not in _NETWORK)
    if len(rest) == len(statement.conditions):
        return statement
    return None if statement.effect == "Deny" else statement._replace(conditions=rest)
