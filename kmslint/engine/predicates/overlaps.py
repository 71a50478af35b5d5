"""Checks of statements against each other: a restriction that a broader Allow makes void, a statement that adds nothing."""

from collections.abc import Iterator, Mapping

from kmslint.aws import actions as table
from kmslint.engine.finding import Finding
from kmslint.engine.predicates.asking import describe
from kmslint.engine.predicates.places import Place, causes, literal, named, quoted, statements
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.policy import operators
from kmslint.policy.document import Condition, Policy, Statement
from kmslint.policy.operators import ALL, NULL
from kmslint.policy.principals import account_of, scope_of
from kmslint.reason.answer import Answer, Proven, Undetermined, Violated
from kmslint.reason.query import find_allowed, find_new_access
from kmslint.tree import Template
from kmslint.typed import Final

Params = Mapping[str, object]

_MAX_PAIRS: Final = 400
"""Pairs of Allow statements that are asked about. KMS accepts 32,768 bytes of policy: some 150 statements at most."""

_OPPOSITE: Final = {
    # the operator that holds exactly where the other does not; None of them with IfExists
    "StringEquals": "StringNotEquals",
    "StringNotEquals": "StringEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "StringNotLike": "StringLike",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "IpAddress": "NotIpAddress",
    "NotIpAddress": "IpAddress",
    "NumericEquals": "NumericNotEquals",
    "NumericLessThan": "NumericGreaterThanEqualsIfExists",
    "NumericLessThanEquals": "NumericGreaterThanIfExists",
    "NumericGreaterThan": "NumericLessThanEqualsIfExists",
    "NumericGreaterThanEquals": "NumericLessThanIfExists",
    "DateLessThan": "DateGreaterThanEqualsIfExists",
    "DateGreaterThan": "DateLessThanEqualsIfExists",
}
_NO_OPPOSITE: Final = "no question asks for the opposite of one of its conditions or of a principal that is not known"
_FLIPPED: Final = {"true": "false", "false": "true"}


def shadowed_statement(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every conditional Allow whose action a broader Allow gives without the condition, and every Allow that adds nothing.

    Source: IAM User Guide, "Policy evaluation logic": one matching Allow is enough.
    """
    del params
    allows = [place for place in statements(key, "Allow") if not place.statement.unknown]
    delegated = "medium" if settings.strict else "info"
    yield from _delegation(key, allows, delegated)
    asked = 0
    for place in allows:
        doubt: Finding | None = None
        for broad in allows:
            if broad is place or asked >= _MAX_PAIRS:
                continue
            if not _covers(broad.statement, place.statement):
                doubt = doubt or _perhaps_covered(place, broad)
                continue
            asked += 1
            severity = delegated if _is_account(broad.statement, key.account) else "medium"
            finding = _compare(key, place, broad, severity)
            if finding is not None:
                yield finding
                break
        else:
            if doubt is not None:
                yield doubt


def _delegation(key: Key, allows: list[Place], severity: str) -> Iterator[Finding]:
    """A notice where the account statement leaves to IAM what other statements allow only under a condition."""
    for root in allows:
        if root.statement.conditions or not _is_account(root.statement, key.account):
            continue
        restricted = [
            place
            for place in allows
            if place.statement.conditions
            and not _is_account(place.statement, key.account)  # `_compare` says it of the statement itself
            and _shares_action(place.statement, root.statement)
        ]
        if restricted:
            names = ", ".join(_name(place) for place in restricted[:5])
            message = f"IAM policies may allow, without the conditions of {names}, what the account statement delegates to them"
            help = "review the IAM policies of the account, limit the account statement, or state the condition as a Deny"
            yield root.finding(message, severity=severity, help=help)


def _is_account(statement: Statement, owner: str | None) -> bool:
    texts = [literal(entry.value) for entry in statement.principals or ()]
    return not statement.not_principal and any(
        text is not None and owner is not None and account_of(text) == owner for text in texts
    )


def _name(place: Place) -> str:
    return quoted(place.statement.sid) if place.statement.sid else f"statement {place.statement.index}"


def _actions_of(statement: Statement) -> frozenset[str]:
    found = {name for item in named(statement) for name in table.match(literal(item.value) or "")}
    return frozenset(table.EFFECTIVE) - found if statement.not_action else frozenset(found)


def _shares_action(one: Statement, other: Statement) -> bool:
    return bool(_actions_of(one) & _actions_of(other))


def _covers_actions(broad: Statement, narrow: Statement) -> bool:
    return bool(_actions_of(narrow)) and _actions_of(narrow) <= _actions_of(broad)


def _perhaps_covered(place: Place, broad: Place) -> Finding | None:
    """A doubt where `broad` names somebody whom a template leaves open, who may be the principal of `place`."""
    if not place.statement.conditions or broad.statement.not_principal or not _covers_actions(broad.statement, place.statement):
        return None
    open_entries = (entry.value for entry in broad.statement.principals or () if isinstance(entry.value, Template))
    whom = next((value for value in open_entries if scope_of(value) is None), None)
    if whom is None:
        return None
    return place.unresolved(f"whether {_name(broad)} makes the conditions of this statement void is open", whom)


def _covers(broad: Statement, narrow: Statement) -> bool:
    """Whether `broad` names at least the principals and the actions of `narrow`, so far as their text tells."""
    if broad.not_principal or narrow.not_principal or not _covers_actions(broad, narrow):
        return False
    wide = {(entry.kind, str(entry.value)) for entry in broad.principals or ()}
    if ("*", "*") in wide or ("AWS", "*") in wide:
        return True
    return bool(narrow.principals) and all((entry.kind, str(entry.value)) in wide for entry in narrow.principals or ())


def _compare(key: Key, place: Place, broad: Place, severity: str) -> Finding | None:
    """What `broad` makes of the conditions of `place`; `severity` is that of a condition that is void."""
    if not place.statement.conditions:
        return _redundant(place, broad) if not broad.statement.conditions else None
    outside = _outside(place.statement)
    added = _adds(key, place, broad)
    if isinstance(added, Violated):
        return None
    if outside is None or isinstance(added, Undetermined):
        message = f"whether {_name(broad)} makes the conditions of this statement void is not settled"
        reason = causes(added) if isinstance(added, Undetermined) else _NO_OPPOSITE
        return place.undetermined(message, reason, severity=severity)
    answer = find_allowed(_alone(key, broad), describe(*outside), key.context(), grant="any")
    match answer:
        case Proven():
            return None
        case Undetermined():
            message = f"whether {_name(broad)} makes the conditions of this statement void is not settled"
            return place.undetermined(message, causes(answer), severity=severity)
        case Violated(witness=witness):
            caller = quoted(witness.principal or "anybody")
            message = f"the conditions are void: {_name(broad)} lets {caller} call {quoted(witness.action)} without them"
            help = "remove the broader statement or give it the same conditions; or state the restriction as a Deny"
            return place.finding(message, severity=severity, witness=witness, help=help)


def _redundant(place: Place, broad: Place) -> Finding | None:
    """Of two statements that say the same, the later one is redundant."""
    if _covers(place.statement, broad.statement) and place.ref() < broad.ref():
        return None
    message = f"the statement adds nothing to {_name(broad)}"
    return place.finding(message, severity="info", help="remove one of the two")


def _adds(key: Key, place: Place, broad: Place) -> Answer:
    """Proven if the statement allows nothing that `broad` does not allow as well."""
    return find_new_access(_alone(key, broad), _alone(key, place), key.context())


def _alone(key: Key, kept: Place) -> tuple[Policy, ...]:
    """The policies with all their Denies, but with no other Allow than `kept`."""
    return tuple(
        policy.policy._replace(
            statements=tuple(s for s in policy.policy.statements if s.effect != "Allow" or s is kept.statement)
        )
        for policy in key.policies
    )


def _outside(statement: Statement) -> list[dict[str, object]] | None:
    """The requests with the statement's principals and actions that fail one of its conditions; None if one has no opposite."""
    principals: dict[str, list[str]] = {}
    for entry in statement.principals or ():
        if literal(entry.value) is None:
            return None
        principals.setdefault("AWS" if entry.kind == "*" else entry.kind, []).append(str(entry.value))
    described: list[dict[str, object]] = []
    for condition in statement.conditions:
        opposites = _opposites(condition)
        if opposites is None:
            return None
        base = {"Principal": principals, "Action": sorted(f"kms:{name}" for name in _actions_of(statement))}
        described += [{**base, "Condition": opposite} for opposite in opposites]
    return described


def _opposites(condition: Condition) -> list[dict[str, dict[str, object]]] | None:
    use = operators.lookup(condition.operator)
    texts = [literal(item.value) for item in condition.values]
    if use is None or None in texts:
        return None
    name, plain = condition.key, [text for text in texts if text is not None]
    if use.operator.family == NULL:
        return [{"Null": {name: [_FLIPPED.get(text.lower(), text) for text in plain]}}]
    if use.operator.name == "Bool":
        flipped: dict[str, dict[str, object]] = {"Bool": {name: [_FLIPPED.get(text.lower(), text) for text in plain]}}
        return [flipped] if use.if_exists else [flipped, {"Null": {name: "true"}}]
    opposite = _OPPOSITE.get(use.operator.name)
    if opposite is None:
        return None
    if use.quantifier is not None:
        swapped = "ForAnyValue:" if use.quantifier == ALL else "ForAllValues:"
        return [{swapped + opposite: {name: plain}}] if opposite.count("IfExists") == 0 and not use.if_exists else None
    if use.if_exists:
        return [{opposite.removesuffix("IfExists"): {name: plain}, "Null": {name: "false"}}]
    return [{opposite: {name: plain}}]
