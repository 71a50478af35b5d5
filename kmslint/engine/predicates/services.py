"""Checks of AWS services as principals: on whose behalf do they call, and do they call at all."""

from collections.abc import Iterator, Mapping

from kmslint.aws import actions as table
from kmslint.engine.finding import Finding
from kmslint.engine.predicates.asking import conditions, describe, policies
from kmslint.engine.predicates.placeholders import unfilled_binding
from kmslint.engine.predicates.places import UNDETERMINED, Place, at, causes, literal, named, quoted, statements
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.pattern import pattern
from kmslint.policy.document import Condition, Principal, Statement
from kmslint.policy.operators import lookup as operator_of
from kmslint.policy.request import Request
from kmslint.policy.truth import register_text
from kmslint.reason.answer import Answer, Proven, StatementRef, Undetermined, Violated
from kmslint.reason.query import find_allowed_by_statement
from kmslint.tree import Template, Value
from kmslint.typed import Final

Params = Mapping[str, object]

_USE: Final = (*(f"kms:{name}" for name in table.CRYPTO), "kms:CreateGrant")
_READ: Final = ("kms:Describe*", "kms:Get*", "kms:List*")
_CONTEXT: Final = "kms:encryptioncontext:"
_NO_ACCOUNT_ARN: Final = pattern(r"arn:[^:*?]+:[^:*?]+:[^:*?]*::[^*?]+\Z")
_REGION: Final = pattern(r"\.(?:[a-z]{2}(?:-[a-z]+)+-\d+|\*)\Z")
_UNSOURCED: Final = frozenset({"events.amazonaws.com"})
"""Services documented to send no aws:Source* keys towards encrypted targets (EventBridge User Guide, encrypted SNS topics)."""


def confused_deputy(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every Allow by which a service may use the key on behalf of an account that is neither the owner nor trusted.

    Source: IAM User Guide, "The confused deputy problem"; RULES.md KMS-SVC-001 for the accepted bindings.
    """
    del params
    if not any(_admits_services(place.statement) for place in statements(key) if place.statement.effect != "Deny"):
        return
    if not _trusted(key, settings):
        reason = "the owner account of the key is not known; pass --account"
        yield Finding(
            outcome=UNDETERMINED, message="on whose behalf services may use the key is open", severity="high", reason=reason
        )
        return
    used = used_for_strangers(key, settings)
    for ref, answer in used.items():
        finding = _judge(at(key, ref), answer, settings, "high", "use")
        if finding is not None:
            yield finding
    if all(
        place.ref() in used for place in statements(key) if place.statement.effect != "Deny" and _admits_services(place.statement)
    ):
        return  # reading is the lesser finding on the same statements
    for ref, answer in _answers(key, settings, _READ, {}).items():
        finding = None if ref in used else _judge(at(key, ref), answer, settings, "low", "read")
        if finding is not None:
            yield finding


def _admits_services(statement: Statement) -> bool:
    """Whether some principal entry may match a service: `*`, a service, everything except, or what is not known."""
    if statement.not_principal or statement.unknown:
        return True
    entries = statement.principals or ()
    return any(entry.kind in {"*", "Service"} or entry.value == "*" or _may_be_anybody(entry.value) for entry in entries)


def _may_be_anybody(value: Value) -> bool:
    """Whether a value that a template leaves open may turn out to be `*`."""
    return isinstance(value, Template) and not any(isinstance(part, str) or part.own is not None for part in value.parts)


Conditions = Mapping[str, Mapping[str, object]]


def used_for_strangers(key: Key, settings: Settings, services: Conditions | None = None) -> dict[StatementRef, Answer]:
    """By Allow: whether a service may use the key on behalf of an account that is not trusted. `services` narrows down which."""
    return _answers(key, settings, _USE, services or {})


def _trusted(key: Key, settings: Settings) -> tuple[str, ...]:
    return tuple(dict.fromkeys(account for account in (key.account, *settings.trusted_accounts) if account))


def _answers(key: Key, settings: Settings, asked: tuple[str, ...], services: Conditions) -> dict[StatementRef, Answer]:
    trusted = _trusted(key, settings)
    condition = conditions(
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
        services,
        _for_others(trusted, settings.trusted_organizations),
        _unbound_sources(key),
        _unbound_contexts(key, trusted),
    )
    described = describe({"Principal": "*", "Action": list(asked), "Condition": condition})
    return dict(find_allowed_by_statement(policies(key), described, key.context()))


def _for_others(accounts: tuple[str, ...], organizations: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """The call is on behalf of none of `accounts`, so far as the service says on whose behalf it is."""
    strangers: dict[str, dict[str, object]] = {
        "StringNotEquals": {"aws:SourceAccount": list(accounts)},
        "ArnNotLike": {"aws:SourceArn": [f"arn:*:*:*:{account}:*" for account in accounts]},
    }
    if organizations:
        strangers["StringNotEquals"]["aws:SourceOrgID"] = list(organizations)
        strangers["ForAllValues:StringNotLike"] = {"aws:SourceOrgPaths": [f"{org}/*" for org in organizations]}
    return strangers


def _unbound_sources(key: Key) -> dict[str, dict[str, object]]:
    """A bucket ARN written out in full names the owner's own bucket, though it carries no account."""
    own = [text for text in _values(key, "aws:sourcearn") if _NO_ACCOUNT_ARN.match(text)]
    return {"StringNotEquals": {"aws:SourceArn": own}} if own else {}


def _unbound_contexts(key: Key, trusted: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """An encryption context that holds a trusted account id, alone or as the account of an ARN, binds the call."""
    names = dict.fromkeys(
        condition.key
        for place in statements(key)
        for condition in place.statement.conditions
        if condition.key.lower().startswith(_CONTEXT) and condition.key.lower() != _CONTEXT + "aws:s3:arn"
    )
    bound = [pattern for account in trusted for pattern in (account, f"arn:*:*:*:{account}:*")]
    return {"StringNotLike": dict.fromkeys(names, bound)} if names else {}


def _values(key: Key, name: str) -> list[str]:
    found: dict[str, None] = {}
    for place in statements(key):
        for condition in place.statement.conditions:
            if condition.key.lower() == name:
                found.update(dict.fromkeys(literal(item.value) or "" for item in condition.values))
    return [text for text in found if text]


def _judge(place: Place, answer: Answer, settings: Settings, severity: str, verb: str) -> Finding | None:
    match answer:
        case Proven():
            return None
        case Undetermined():
            message = f"whether a service may {verb} the key for another account is not settled"
            return place.undetermined(message, causes(answer), severity=severity)
        case Violated(witness=witness):
            unfilled = unfilled_binding(place.statement)
            if unfilled is not None:
                return _unfilled(place, unfilled, severity, verb)
            message = f"{quoted(witness.principal or '*')} may call {quoted(witness.action)} on behalf of any account"
            level = _level(place.statement, settings, severity)
            return place.finding(message, severity=level, witness=witness, help=_binding_help(place.statement, witness))


def _unfilled(place: Place, value: str, severity: str, verb: str) -> Finding:
    message = f"for whom a service may {verb} the key is still to be filled in"
    return place.undetermined(message, f"no account id stands in {quoted(value)}; write yours", severity=severity)


def _level(statement: Statement, settings: Settings, severity: str) -> str:
    """Info where the service documents no way to be bound."""
    services = _services(statement)
    if services and services <= _UNSOURCED:
        return "info"
    declared = {integration.service for integration in settings.integrations}
    if services == {"cloudtrail.amazonaws.com"} and "cloudtrail-lake" in declared and "cloudtrail-trail" not in declared:
        return "info"
    return severity


def _services(statement: Statement) -> frozenset[str]:
    """The service principals of a statement that names nothing else; empty otherwise."""
    entries = statement.principals or ()
    if statement.not_principal or any(entry.kind != "Service" for entry in entries):
        return frozenset()
    return frozenset(str(entry.value) for entry in entries)


def _binding_help(statement: Statement, witness: Request) -> str:
    if _services(statement) and _services(statement) <= _UNSOURCED:
        return "EventBridge sends no aws:Source keys to encrypted targets: use a key of its own for them"
    if (witness.principal or "").startswith("logs."):
        return "add ArnLike on kms:EncryptionContext:aws:logs:arn with your account, or StringEquals on aws:SourceAccount"
    return "add StringEquals on aws:SourceAccount with your account, or ArnLike on aws:SourceArn, as the service's guide says"


def via_service_on_service_principal(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every Allow for a service principal that demands a forwarded call of an IAM principal.

    FAIL where the forwarding service is the principal's own, else UNDETERMINED (UNSURE-26).
    Source: KMS Developer Guide, "AWS KMS condition keys", kms:ViaService; IAM User Guide, aws:PrincipalIsAWSService.
    """
    del settings, params
    for place in statements(key, "Allow"):
        services = [entry for entry in place.statement.principals or () if entry.kind == "Service"]
        demand = next((c for c in place.statement.conditions if _demands_forwarding(c)), None)
        if not services or demand is None or place.statement.not_principal:
            continue
        yield _judge_forwarding(place, services, demand)


def _demands_forwarding(condition: Condition) -> bool:
    use = operator_of(condition.operator)
    if use is None or use.if_exists or use.operator.negated or use.operator.name == "Null" or use.quantifier == "all":
        return False
    name = condition.key.lower()
    if name == "aws:viaawsservice":
        return any(str(item.value).lower() == "true" for item in condition.values)
    return name in {"kms:viaservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast"}


def _judge_forwarding(place: Place, services: list[Principal], demand: Condition) -> Finding:
    own = next((entry for entry in services if _is_own_service(str(entry.value), demand)), None)
    scope = (
        "" if len(services) == len(place.statement.principals or ()) else " (the statement's other principals are not affected)"
    )
    if own is None:
        message = f"{quoted(services[0].value)} may never satisfy {quoted(demand.key)}{scope}"
        return place.undetermined(message, register_text(26), severity="low", node=demand.node)
    message = f"{quoted(own.value)} calls KMS with its own principal, so {quoted(demand.key)} is not there to match{scope}"
    help = "name the role that uses the service as principal and keep the condition; it carries the role's forwarded calls"
    return place.finding(message, node=demand.node, help=help)


def _is_own_service(principal: str, demand: Condition) -> bool:
    """Whether a kms:ViaService value is the service of `principal`: `rds.us-east-1.amazonaws.com` of `rds.amazonaws.com`."""
    if demand.key.lower() != "kms:viaservice":
        return False
    name = _service_name(principal)
    return any(_service_name(str(item.value)) == name for item in demand.values)


def _service_name(host: str) -> str:
    """`rds` of `rds.amazonaws.com`, `rds.us-east-1.amazonaws.com` and `rds.*.amazonaws.com`."""
    bare = host.removesuffix(".cn").removesuffix(".amazonaws.com")
    return _REGION.sub("", bare) if "." in bare else bare


_THROUGH_CALLERS: Final = frozenset({"ec2", "secretsmanager", "eks", "elasticfilesystem", "autoscaling"})
"""Services that reach KMS with their caller's credentials, a role or a grant, never with their own principal."""

_DIRECT_USES: Final[Mapping[str, frozenset[str]]] = {
    # service: actions that a document of AWS shows for its own principal
    "rds": frozenset({"Decrypt"}),
    "lambda": frozenset({"Decrypt", "GenerateDataKey"}),
    "dynamodb": frozenset(table.match("kms:Describe*") + table.match("kms:Get*") + table.match("kms:List*")),
    "redshift": frozenset({"CreateGrant", "Decrypt"}),
    "ssm": frozenset({"Decrypt", "GenerateDataKey"}),
    "backup": frozenset(),
}


def needless_service_principal(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every Allow for a service that is not known to call KMS with its own principal, or not with that action.

    Source: each service's guide, as listed in rules/needless-service-principal/rule.md.
    """
    del settings, params
    for place in statements(key, "Allow"):
        for entry in place.statement.principals or ():
            name = _service_name(str(entry.value)) if entry.kind == "Service" else ""
            if name in _THROUGH_CALLERS:
                message = f"{quoted(entry.value)} is not known to call KMS with its own principal"
                help = "remove it, and allow the role that uses the service, with kms:ViaService"
                yield place.finding(message, severity="low", node=entry.node, help=help)
            elif name in _DIRECT_USES and _beyond(place.statement, _DIRECT_USES[name]):
                beyond = quoted("kms:" + _beyond(place.statement, _DIRECT_USES[name])[0])
                message = f"{quoted(entry.value)} is not known to call {beyond} with its own principal"
                help = (
                    "allow the role that uses the service instead, with kms:ViaService, unless the service's guide says otherwise"
                )
                yield place.finding(message, severity="info", node=entry.node, help=help)


def _beyond(statement: Statement, documented: frozenset[str]) -> list[str]:
    """The actions of the statement that are outside the documented ones; describing the key is always fine."""
    if statement.not_action:
        return ["PutKeyPolicy"]
    actions = {name for item in named(statement) for name in table.match(literal(item.value) or "")}
    return sorted(actions - documented - {"DescribeKey"})
