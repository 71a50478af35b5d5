"""Checks that declared integrations work: what each service needs is allowed, and not for strangers.

Source: `aws.integrations`, row by row.
"""

from collections.abc import Iterator, Mapping

from kmslint.aws.integrations import INTEGRATIONS, ROLE, Integration, Need
from kmslint.aws.partitions import service_name
from kmslint.engine.finding import Finding
from kmslint.engine.predicates.asking import describe, policies
from kmslint.engine.predicates.placeholders import unfilled_binding
from kmslint.engine.predicates.places import NOT_APPLICABLE, UNDETERMINED, Place, at, causes, quoted, statements
from kmslint.engine.predicates.services import used_for_strangers
from kmslint.model.key import Key
from kmslint.model.settings import Integration as Declared
from kmslint.model.settings import Settings
from kmslint.policy.principals import DELEGATED
from kmslint.policy.truth import register_text
from kmslint.reason.answer import Proven, Undetermined, Violated
from kmslint.reason.query import find_allowed
from kmslint.typed import Final

Params = Mapping[str, object]

_OWN_RULE: Final = frozenset({"cloudtrail-trail", "cloudwatch-logs"})
"""Integrations that a rule of their own reports."""


def integration_lacks_permission(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every request of a declared integration that the key policy does not allow.

    Allowed by delegation alone is a notice, but a failure for a service-linked role, whose IAM permissions are fixed.
    """
    del params
    for declared in settings.integrations:
        known = INTEGRATIONS.get(declared.service)
        if known is None:
            reason = "known are " + ", ".join(INTEGRATIONS)
            yield Finding(outcome=UNDETERMINED, message=f"{quoted(declared.service)} is no known integration", reason=reason)
        elif declared.service not in _OWN_RULE:
            for need in known.needs:
                yield from _unmet(key, declared, known, need)


def _unmet(key: Key, declared: Declared, known: Integration, need: Need) -> Iterator[Finding]:
    caller = _caller(key, declared, need)
    if caller is None:
        reason = "give the owner account with --account, and the principal of the integration in the configuration"
        yield Finding(outcome=UNDETERMINED, message=f"who uses the key for {known.title} is not known", reason=reason)
        return
    for action in need.actions:
        described = {"Principal": caller, "Action": f"kms:{action}", "Condition": _condition(key, declared, need)}
        answer = find_allowed(policies(key), describe(described), key.context(), grant="direct")
        if not isinstance(answer, Violated):
            answer = find_allowed(policies(key), describe(described), key.context(), grant="any")
        yield from _judge(answer, known, need, f"kms:{action}", described)


def _judge(
    answer: Proven | Violated | Undetermined, known: Integration, need: Need, action: str, described: Mapping[str, object]
) -> Iterator[Finding]:
    who = _shown(described["Principal"])
    match answer:
        case Proven():
            message = f"{known.title} needs {quoted(action)} for {who}, which the key policy does not allow"
            yield Finding(outcome="FAIL", message=message, help=f"add this statement: {_statement(described)}")
        case Undetermined():
            message = f"whether {known.title} may call {quoted(action)} is not settled"
            yield Finding(outcome=UNDETERMINED, message=message, reason=causes(answer))
        case Violated(grant=grant) if grant == DELEGATED:
            message = f"{known.title} may call {quoted(action)} only if IAM policies allow it to {who}"
            severity = None if "aws-service-role" in need.caller else "info"
            help = "check the IAM policies of the role, or name the role in the key policy"
            yield Finding(outcome="FAIL", message=message, severity=severity, help=help)
        case Violated():
            pass


def _caller(key: Key, declared: Declared, need: Need) -> dict[str, str] | None:
    """The Principal element of the caller; None where it cannot be told."""
    if need.caller == ROLE:
        if declared.principal is not None:
            return {"AWS": declared.principal}
        return None if key.account is None else {"AWS": f"arn:{key.partition}:iam::{key.account}:root"}
    text = _filled(need.caller, key, declared)
    if text is None:
        return None
    return {"AWS": text} if text.startswith("arn:") else {"Service": text}


def _filled(text: str, key: Key, declared: Declared) -> str | None:
    """`text` with its placeholders filled; None if one is not known."""
    values = {
        "account": key.account,
        "region": key.region,
        "partition": key.partition,
        "source": declared.source,
        "service": declared.principal,
    }
    for name, value in values.items():
        hole = "{" + name + "}"
        if hole in text:
            if value is None:
                return None
            text = text.replace(hole, value)
    return text


def _condition(key: Key, declared: Declared, need: Need) -> dict[str, dict[str, object]]:
    condition: dict[str, dict[str, object]] = {}
    for name, pattern in need.context:
        value = _filled(pattern, key, declared)
        if value is not None:
            operator = "Bool" if value == "true" else "StringEquals"
            condition.setdefault(operator, {})[name] = value
    for name in need.absent:
        condition.setdefault("Null", {})[name] = "true"
    return condition


def _shown(principal: object) -> str:
    values = principal.values() if isinstance(principal, Mapping) else ()
    return ", ".join(quoted(str(value)) for value in values)


def _statement(described: Mapping[str, object]) -> str:
    """The statement to add, as JSON on one line."""
    from json import dumps

    condition = {name: value for name, value in _mapping(described["Condition"]).items() if name != "Null"}
    statement = {"Effect": "Allow", "Principal": described["Principal"], "Action": described["Action"], "Resource": "*"}
    return dumps({**statement, "Condition": condition} if condition else statement)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _declared(settings: Settings, service: str) -> tuple[Declared, ...]:
    return tuple(declared for declared in settings.integrations if declared.service == service)


def _first_for(key: Key, prefix: str) -> Place | None:
    """The first Allow for a service whose name begins with `prefix`."""
    for place in statements(key, "Allow"):
        if any(entry.kind == "Service" and str(entry.value).startswith(prefix) for entry in place.statement.principals or ()):
            return place
    return None


def _at(finding: Finding, place: Place | None) -> Finding:
    """The finding at the statement that should have said otherwise, if there is one."""
    if place is None:
        return finding
    return finding._replace(policy=place.policy.name, statement=place.statement.index, node=place.statement.node)


def cloudtrail_integration(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """A declared trail cannot use the key, or its statement does not name the trail as the source.

    Source: AWS CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail".
    """
    del params
    trails = _declared(settings, "cloudtrail-trail")
    if not trails:
        reason = 'declare the trail: [[integrations]] service = "cloudtrail-trail"'
        yield Finding(outcome=NOT_APPLICABLE, message="no trail is declared to use the key", reason=reason)
        return
    place = _first_for(key, "cloudtrail.")
    known = INTEGRATIONS["cloudtrail-trail"]
    for declared in trails:
        for need in known.needs:
            for finding in _unmet(key, declared, known, need):
                yield _at(finding, place)
    for place in statements(key, "Allow"):
        names = {str(entry.value) for entry in place.statement.principals or () if entry.kind == "Service"}
        keys = {condition.key.lower() for condition in place.statement.conditions}
        if names == {"cloudtrail.amazonaws.com"} and "aws:sourcearn" not in keys:
            message = "the statement for CloudTrail does not name the trail in aws:SourceArn"
            help = "add StringEquals on aws:SourceArn with the ARN of the trail, besides the encryption context"
            yield place.finding(message, severity="low", help=help)


def cloudwatch_logs_integration(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """CloudWatch Logs cannot use the key for a declared log group, or can use it for log groups of strangers.

    Source: Amazon CloudWatch Logs User Guide, "Encrypt log data using AWS KMS".
    """
    del params
    declared = _declared(settings, "cloudwatch-logs")
    place = _first_for(key, "logs.")
    if not declared and place is None:
        reason = 'declare it: [[integrations]] service = "cloudwatch-logs"'
        yield Finding(
            outcome=NOT_APPLICABLE, message="CloudWatch Logs is neither declared nor named in the policy", reason=reason
        )
        return
    yield from _names_of_logs(key)
    for ref, answer in used_for_strangers(key, settings, {"StringLike": {"aws:PrincipalServiceName": "logs.*"}}).items():
        found = at(key, ref)
        unfilled = unfilled_binding(found.statement)
        if isinstance(answer, Violated) and unfilled is not None:
            reason = f"no account id stands in {quoted(unfilled)}; write yours"
            yield found.undetermined("for which log groups CloudWatch Logs may use the key is still to be filled in", reason)
        elif isinstance(answer, Violated):
            message = f"{quoted(answer.witness.principal or 'logs')} may call {quoted(answer.witness.action)} for log groups of any account"
            help = "add ArnLike on kms:EncryptionContext:aws:logs:arn with your account, or StringEquals on aws:SourceAccount"
            yield found.finding(message, witness=answer.witness, help=help)
        elif isinstance(answer, Undetermined):
            yield found.undetermined("whether CloudWatch Logs may use the key for other accounts is not settled", causes(answer))
    for entry in declared:
        for need in INTEGRATIONS["cloudwatch-logs"].needs:
            for finding in _unmet(key, entry, INTEGRATIONS["cloudwatch-logs"], need):
                yield _at(finding, place)


def _names_of_logs(key: Key) -> Iterator[Finding]:
    """Principals of CloudWatch Logs without a Region, or of another Region than the key's."""
    for place in statements(key, "Allow"):
        for entry in place.statement.principals or ():
            name = service_name(str(entry.value)) if entry.kind == "Service" else None
            if name is None or name.service != "logs":
                continue
            if name.region is None:
                yield place.undetermined(f"{quoted(entry.value)} names no Region", register_text(28), node=entry.node)
            elif key.region is not None and name.region != key.region:
                message = f"{quoted(entry.value)} is the service of another Region than the key's, {quoted(key.region)}"
                yield place.finding(message, node=entry.node, help=f"name `logs.{key.region}.amazonaws.com`")
