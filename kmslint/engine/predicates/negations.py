"""Checks of statements that say "everything except"."""

from collections.abc import Iterator, Mapping

from kmslint.engine.finding import Finding
from kmslint.engine.predicates.asking import describe, policies
from kmslint.engine.predicates.places import Place, causes, literal, quoted, statements
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.policy.document import Statement
from kmslint.policy.principals import SERVICE, account_of, identify, scope_of
from kmslint.reason.answer import Answer, Proven, StatementRef, Undetermined, Violated
from kmslint.reason.query import find_allowed_by_statement
from kmslint.tree import Template

Params = Mapping[str, object]


def negated_allow(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every Allow with NotPrincipal or NotAction that admits somebody, and every Deny whose NotPrincipal forgets the account.

    Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal", "… NotAction".
    """
    del settings, params
    negated = [place for place in statements(key, "Allow") if place.statement.not_principal or place.statement.not_action]
    admitted = _admitted(key) if negated else {}
    for place in negated:
        finding = _judge_allow(place, admitted.get(place.ref()))
        if finding is not None:
            yield finding
    for place in statements(key, "Deny"):
        forgotten = _forgotten_account(place.statement)
        if isinstance(forgotten, Template):
            message = "whether the Deny exempts the account of each principal that it exempts is open"
            yield place.unresolved(message, forgotten, severity="medium")
        elif forgotten is not None:
            exempt, account = forgotten
            message = f"the Deny exempts {quoted(exempt)} but not its account, so it may deny the exempt principal too"
            help = f"add the account principal `arn:…:iam::{account}:root`, or use Principal `*` and ArnNotEquals on aws:PrincipalArn"
            yield place.finding(message, severity="medium", help=help)


def _admitted(key: Key) -> dict[StatementRef, Answer]:
    everything = describe({"Principal": "*", "Action": "kms:*"})
    return dict(find_allowed_by_statement(policies(key), everything, key.context(), grant="any"))


def _judge_allow(place: Place, answer: Answer | None) -> Finding | None:
    statement = place.statement
    element = "NotPrincipal" if statement.not_principal else "NotAction"
    severity = "critical" if statement.not_principal else "high"
    match answer:
        case None | Proven():
            return None
        case Undetermined():
            message = f"whether the Allow with {element} admits anybody is not settled"
            return place.undetermined(message, causes(answer), severity=severity)
        case Violated(witness=witness):
            what = "every principal but the listed ones" if statement.not_principal else "every action but the listed ones"
            caller = quoted(witness.principal or "anybody")
            message = f"the Allow covers {what}: {caller} may call {quoted(witness.action)}"
            help = "list the principals that are meant" if statement.not_principal else "list the actions that are meant"
            return place.finding(message, severity=severity, witness=witness, help=help)


def _forgotten_account(statement: Statement) -> tuple[str, str] | Template | None:
    """An exempt principal and its account, if a Deny with NotPrincipal does not exempt the account as well.

    A principal that a template leaves open, where its account is not known to be exempt.
    """
    if not statement.not_principal:
        return None
    texts = [literal(entry.value) for entry in statement.principals or () if entry.kind == "AWS"]
    known = [text for text in texts if text is not None]
    accounts = {account_of(text) for text in known}
    for text in known:
        identity = identify(text)
        if identity.account is not None and identity.kind != SERVICE and identity.account not in accounts:
            return text, identity.account
    for entry in statement.principals or ():
        if isinstance(entry.value, Template) and entry.kind == "AWS":
            scope = scope_of(entry.value)
            if scope is None or scope.account not in accounts:
                return entry.value
    return None
