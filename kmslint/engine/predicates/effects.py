"""Checks of what statements do together: who gets in without the key that should bind them, and what never applies."""

from collections.abc import Iterator, Mapping

from kmslint.aws import actions as table
from kmslint.aws.condition_keys import lookup, presence_on
from kmslint.engine.finding import Finding
from kmslint.engine.predicates.asking import describe, policies
from kmslint.engine.predicates.places import Place, causes, literal, named, quoted, statements
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.policy import operators
from kmslint.policy.document import Condition, Item, Policy, Statement
from kmslint.policy.evaluate import SERVICE_OPAQUE
from kmslint.policy.operators import ALL, NULL, Use
from kmslint.policy.principals import account_of, identify
from kmslint.policy.truth import register_text
from kmslint.reason.answer import Answer, Proven, StatementRef, Undetermined, Violated
from kmslint.reason.query import find_allowed, find_allowed_by_statement, find_applying
from kmslint.typed import Final

Params = Mapping[str, object]

_MAX_ACTIONS: Final = 40
"""Named actions of one statement that are asked about one by one; more than there are in any sensible statement."""


def vacuous_set_operator(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every set operator that does not bind, or is missing.

    ForAllValues holds without the key; on a single-valued key a set operator says nothing; a multi-valued key needs one.
    Source: IAM User Guide, "Set operators for multivalued context keys".
    """
    del settings, params
    for place in statements(key):
        for condition in place.statement.conditions:
            use = operators.lookup(condition.operator)
            known = lookup(condition.key)
            if use is None or known is None or use.operator.family == NULL:
                continue
            if use.quantifier == ALL:
                yield from _judge_for_all(key, place, condition, is_multi=known.multi)
            elif use.quantifier is not None and not known.multi:
                message = f"{quoted(condition.key)} has a single value, so {quoted(condition.operator)} says nothing more than without the set operator"
                yield place.finding(message, severity="low", node=condition.operator_node, help="drop the set operator")
            elif use.quantifier is None and known.multi:
                message = f"{quoted(condition.key)} may have several values, so it needs ForAnyValue or ForAllValues"
                help = "write `ForAnyValue:` before the operator (for ForAllValues add Null with false)"
                yield place.finding(message, severity="medium", node=condition.operator_node, help=help)


def _judge_for_all(key: Key, place: Place, condition: Condition, *, is_multi: bool) -> Iterator[Finding]:
    if _requires_presence(place.statement, condition) or not _may_be_absent(place.statement, condition):
        return
    if place.statement.effect == "Deny":
        message = (
            f"{quoted(condition.operator)} also holds without {quoted(condition.key)}, so the Deny reaches requests without it"
        )
        yield place.finding(
            message, severity="medium", node=condition.operator_node, help="use ForAnyValue, or add Null with false"
        )
        return
    answer = _admits(key, place, {"Null": {condition.key: "true"}})
    match answer:
        case None | Proven():
            if not is_multi:
                message = f"{quoted(condition.key)} has a single value, so ForAllValues only makes it optional"
                yield place.finding(message, severity="medium", node=condition.operator_node, help="drop the set operator")
        case Undetermined():
            message = f"whether a request without {quoted(condition.key)} is allowed is not settled"
            yield place.undetermined(message, causes(answer), node=condition.operator_node)
        case Violated(witness=witness):
            caller, action = quoted(witness.principal or "anybody"), quoted(witness.action)
            message = (
                f"{quoted(condition.operator)} also holds without {quoted(condition.key)}: {caller} may call {action} without it"
            )
            help = f'add "Null": {{"{condition.key}": "false"}}, or use ForAnyValue'
            yield place.finding(message, node=condition.operator_node, witness=witness, help=help)


def _requires_presence(statement: Statement, condition: Condition) -> bool:
    """Whether another condition of the statement fails without the key."""
    for other in statement.conditions:
        if other is condition or other.key.lower() != condition.key.lower():
            continue
        use = operators.lookup(other.operator)
        if use is not None and (_is_null_false(other, use) or (use.operator.family != NULL and use.absent() == 0)):
            return True
    return False


def _is_null_false(condition: Condition, use: Use) -> bool:
    return use.operator.family == NULL and all(str(item.value).lower() == "false" for item in condition.values)


def _may_be_absent(statement: Statement, condition: Condition) -> bool:
    """Whether some action of the statement comes with and without the key; an action that never has it is another matter."""
    found = {name for item in named(statement) for name in table.match(literal(item.value) or "")}
    covered = set(table.EFFECTIVE) - found if statement.not_action else found
    return any(presence_on(condition.key, "R", name) not in {"always", "never"} for name in covered)


def _admits(key: Key, place: Place, condition: Mapping[str, Mapping[str, object]]) -> Answer | None:
    """What the statement by itself, against all Denies, allows of the requests that `condition` describes."""
    described = describe({"Principal": "*", "Action": "kms:*", "Condition": condition})
    answers: Mapping[StatementRef, Answer] = dict(find_allowed_by_statement(policies(key), described, key.context(), grant="any"))
    return answers.get(place.ref())


def optional_condition(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every Allow that nothing binds but conditions which hold without their key, or which exclude only some values.

    Excluding is no way in where every principal is a named one of the owner's: the principals bind.

    Source: IAM User Guide, "…IfExists condition operators", "Negated matching condition operators".
    """
    del settings, params
    for place in statements(key, "Allow"):
        uses = [(condition, operators.lookup(condition.operator)) for condition in place.statement.conditions]
        loose = [(condition, use) for condition, use in uses if use is not None and _is_loose(use)]
        if not loose or len(loose) < len(uses):
            continue
        condition, use = loose[0]
        yield from _judge_loose(key, place, condition, use)


def _is_loose(use: Use) -> bool:
    return use.operator.family != NULL and use.quantifier is None and (use.if_exists or use.operator.negated)


def _judge_loose(key: Key, place: Place, condition: Condition, use: Use) -> Iterator[Finding]:
    is_excluding = use.operator.negated
    asked: Mapping[str, Mapping[str, object]] = {} if is_excluding else {"Null": {condition.key: "true"}}
    answer = _admits(key, place, asked)
    severity = _severity_for(place.statement, key.account)
    if is_excluding and not use.if_exists and severity == "medium":
        return
    match answer:
        case None | Proven():
            return
        case Undetermined():
            message = f"whether {quoted(condition.operator)} on {quoted(condition.key)} lets anybody pass is not settled"
            yield place.undetermined(message, causes(answer), severity=severity, node=condition.operator_node)
        case Violated(witness=witness):
            why = "excludes only the listed values of" if is_excluding else "holds without"
            caller, action = quoted(witness.principal or "anybody"), quoted(witness.action)
            message = (
                f"{quoted(condition.operator)} {why} {quoted(condition.key)}, and nothing else binds: {caller} may call {action}"
            )
            help = "use the positive operator without IfExists, with the values that are meant"
            yield place.finding(message, severity=severity, node=condition.operator_node, witness=witness, help=help)


def _severity_for(statement: Statement, owner: str | None) -> str:
    """Medium for roles and users of the owner, high for everybody else."""
    if statement.not_principal:
        return "high"
    for entry in statement.principals or ():
        text = literal(entry.value)
        if entry.kind != "AWS" or text in {None, "*"} or owner is None:
            return "high"
        if (account_of(str(text)) or identify(str(text)).account) != owner:
            return "high"
    return "medium"


def impossible_condition(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every statement with conditions, or explicitly named action of one, that no request can satisfy.

    Source: IAM User Guide, "Condition", evaluation logic; KMS Developer Guide, "AWS KMS permissions", condition keys.
    """
    del settings, params
    for place in statements(key):
        if place.statement.conditions and not place.statement.unknown and place.statement.principals:
            yield from _judge_satisfiable(key, place)


def _judge_satisfiable(key: Key, place: Place) -> Iterator[Finding]:
    severity = "high" if place.statement.effect == "Deny" else "medium"
    if _is_reported_elsewhere(place.statement):
        return
    opaque = _opaque_key(place.statement)
    if opaque is not None:
        message = f"whether a service's own call has {quoted(opaque.key)} is not documented"
        yield place.undetermined(message, register_text(7), severity=severity, node=opaque.node)
        return
    what = "right" if place.statement.effect == "Allow" else "guard"
    answer = _applying(key, place, "kms:*")
    if isinstance(answer, Proven):
        if isinstance(_admitted(key, _unconditional(place)), Proven):
            return  # not the conditions are to blame: the principal, the action or the resource is
        message = f"no request can satisfy the conditions of the statement, so the {what} does not exist"
        yield place.finding(message, severity=severity, help="remove the condition that cannot hold, or the statement")
        return
    shown = answer.witness.action if isinstance(answer, Violated) else None
    for item in _to_ask(place.statement):
        text = literal(item.value)
        if text is None or not table.match(text) or _is_ineffective(text) or _is_shown(text, shown):
            continue
        of_action = _applying(key, place, text)
        if isinstance(of_action, Proven):
            message = f"no request for {quoted(text)} can satisfy the conditions, so this {what} does not exist"
            help = "move the action to a statement of its own, without the condition that it never carries"
            yield place.finding(message, severity=severity, node=item.node, help=help)
        elif isinstance(of_action, Undetermined):
            message = f"whether a request for {quoted(text)} can satisfy the conditions is open"
            yield place.undetermined(message, causes(of_action), severity=severity, node=item.node)
    if isinstance(answer, Undetermined):
        message = "whether a request can satisfy the conditions of the statement is open"
        yield place.undetermined(message, causes(answer), severity=severity)


def _to_ask(statement: Statement) -> tuple[Item, ...]:
    """The entries of Action that may each be impossible though the statement is not; a single entry is the statement."""
    entries = () if statement.not_action else named(statement)[:_MAX_ACTIONS]
    return entries if len(entries) > 1 else ()


def _is_shown(text: str, action: str | None) -> bool:
    """Whether a request for `action`, which the statement admits, is one for the entry `text`."""
    return action is not None and action.removeprefix("kms:") in table.match(text)


def _unconditional(place: Place) -> Policy:
    """The statement without its conditions as a policy of its own, as an Allow."""
    return Policy(place.policy.policy.version, (place.statement._replace(conditions=(), effect="Allow", index=0),))


def _is_ineffective(text: str) -> bool:
    """Whether only actions that no key policy can allow match: `ineffective_action` reports those."""
    return not any(table.ACTIONS[name.lower()].effective is not False for name in table.match(text))


def _is_reported_elsewhere(statement: Statement) -> bool:
    """Whether another rule owns the reason: unknown keys, forwarded calls of services, encryption contexts, a foreign resource."""
    only_services = all(entry.kind == "Service" for entry in statement.principals or ())
    resources = {literal(item.value) for item in statement.resources or ()}
    if "*" not in resources:
        return True
    for condition in statement.conditions:
        name = condition.key.lower()
        if lookup(name) is None or name.startswith("kms:encryptioncontext"):
            return True
        if only_services and name in {
            "kms:viaservice",
            "aws:viaawsservice",
            "aws:calledvia",
            "aws:calledviafirst",
            "aws:calledvialast",
        }:
            return True
    return False


def _opaque_key(statement: Statement) -> Condition | None:
    """A condition, in a statement for services alone, on a key whose value in their calls no source tells."""
    if statement.not_principal or any(entry.kind != "Service" for entry in statement.principals or ()):
        return None
    return next((condition for condition in statement.conditions if condition.key.lower() in SERVICE_OPAQUE), None)


def _applying(key: Key, place: Place, action: str) -> Answer:
    """Whether the statement, by itself and as an Allow, admits a request for `action`."""
    return find_applying(policies(key), place.ref(), describe({"Principal": "*", "Action": action}), key.context())


def _admitted(key: Key, alone: Policy) -> Answer:
    """Whether the policy admits any request."""
    return find_allowed((alone,), describe({"Principal": "*", "Action": "kms:*"}), key.context(), grant="any")
