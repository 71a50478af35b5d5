"""Who will still be able to administer the key: durable administrators."""

from collections.abc import Iterator, Mapping

from kmslint.aws import actions
from kmslint.engine.finding import Finding
from kmslint.engine.predicates.asking import allows_only, describe, policies
from kmslint.engine.predicates.placeholders import unfilled_principals
from kmslint.engine.predicates.places import UNDETERMINED, causes, literal, named, quoted, statements
from kmslint.engine.predicates.rights import is_listed
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.policy.document import Statement
from kmslint.policy.principals import ROLE, USER, identify
from kmslint.reason.answer import Proven, Undetermined, Violated
from kmslint.reason.query import find_allowed, find_not_allowed
from kmslint.typed import NamedTuple

Params = Mapping[str, object]

_ADMINISTRATION = ("kms:GetKeyPolicy", "kms:PutKeyPolicy")
_FAR = "2099-01-01T00:00:00Z"
"""A right that ends before is no durable right."""
_MAX_CANDIDATES = 64
"""Principals asked about. A policy that names more has an administrator among the first, or none that anybody could find."""


class _Candidate(NamedTuple):
    """A principal and whether it is durable: Proven, Undetermined, or None for no."""

    arn: str
    answer: Proven | Undetermined | None


def no_durable_admin(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """The key has no principal whose ordinary calls to read and change its policy are all allowed.

    Durable is the owner's root (by delegation too), or two named principals. Organization and multi-factor conditions are
    ordinary; every other condition makes an administrator one that can be lost.
    """
    del params
    if key.policies_unread is not None:
        message = "whether the key has a durable administrator is not known"
        yield Finding(outcome=UNDETERMINED, message=message, severity="high", reason=key.policies_unread)
        return
    if key.account is None:
        reason = "the owner account of the key is not known; pass --account"
        yield Finding(
            outcome=UNDETERMINED, message="whether the key has a durable administrator depends on its owner", reason=reason
        )
        return
    root = f"arn:{key.partition}:iam::{key.account}:root"
    if _is_plainly_administered(key, root):
        return
    account = _ask(key, root)
    if isinstance(account.answer, Proven):
        return
    others = [_ask(key, arn) for arn in _named_principals(key, settings)[:_MAX_CANDIDATES]]
    for finding in _judge([account, *others], settings.key_admins):
        unfilled = _unfilled_administrator(key)
        yield finding if unfilled is None or finding.severity == "low" else _still_open(finding, unfilled)


def _is_plainly_administered(key: Key, root: str) -> bool:
    """Whether an Allow gives the account both rights without conditions, and no Deny is about either: no need to ask then."""
    every = [place.statement for place in statements(key)]
    if any(named.policy.unknown for named in key.policies) or any(_may_deny(one) for one in every if one.effect != "Allow"):
        return False
    return any(_gives(one, (root, str(key.account))) for one in every if one.effect == "Allow")


def _gives(statement: Statement, account: tuple[str, str]) -> bool:
    if statement.conditions or statement.unknown or statement.not_principal or statement.not_action or statement.not_resource:
        return False
    given = {name for item in named(statement) for name in actions.match(literal(item.value) or "")}
    return (
        given.issuperset(name.removeprefix("kms:") for name in _ADMINISTRATION)
        and any(item.value == "*" for item in statement.resources or ())
        and any(entry.kind == "AWS" and entry.value in account for entry in statement.principals or ())
    )


def _may_deny(statement: Statement) -> bool:
    """Whether a statement that may be a Deny can be about one of the two rights, so far as the names of its actions tell."""
    texts = [literal(item.value) for item in named(statement)]
    if statement.not_action or not texts:
        return True
    return any(
        text is None
        or text[:4].lower() != "kms:"
        or not {f"kms:{name}" for name in actions.match(text)}.isdisjoint(_ADMINISTRATION)
        for text in texts
    )


def _unfilled_administrator(key: Key) -> str | None:
    """A principal that is still to be filled in and that may then administer the key."""
    for place in statements(key, "Allow"):
        allowed = {f"kms:{name}" for item in named(place.statement) for name in actions.match(literal(item.value) or "")}
        if not place.statement.not_action and allowed.issuperset(_ADMINISTRATION):
            for entry in unfilled_principals(place.statement):
                return str(entry.value)
    return None


def _still_open(finding: Finding, unfilled: str) -> Finding:
    reason = f"{quoted(unfilled)} is no principal yet; once it is filled in, it may administer the key"
    message = "whether the key has a durable administrator depends on a principal that is still to be filled in"
    return finding._replace(outcome=UNDETERMINED, message=message, reason=reason, help=None)


def _judge(candidates: list[_Candidate], key_admins: tuple[str, ...]) -> Iterator[Finding]:
    durable = [candidate.arn for candidate in candidates if isinstance(candidate.answer, Proven)]
    declared = any(is_listed(arn, key_admins) for arn in durable)
    if len(durable) >= 2 and declared:
        return
    open_answers = [candidate.answer for candidate in candidates if isinstance(candidate.answer, Undetermined)]
    severity = "low" if len(durable) >= 2 else "high"
    if open_answers:
        message = "whether the key has a durable administrator is not settled"
        yield Finding(outcome=UNDETERMINED, message=message, severity=severity, reason=causes(open_answers[0]))
        return
    yield Finding(outcome="FAIL", message=_sentence(durable), severity=severity, help=_help(durable))


def _sentence(durable: list[str]) -> str:
    if not durable:
        return (
            "nobody can be relied on to change this policy: if it is the whole policy of the key, the key may become unmanageable"
        )
    if len(durable) == 1:
        return f"only `{durable[0]}` can be relied on to change the key policy: without it the key is unmanageable"
    return f"the key depends on {len(durable)} named administrators, none of which is declared in key_admins"


def _help(durable: list[str]) -> str:
    if len(durable) >= 2:
        return "list the administrators in key_admins of the configuration, or allow the account principal to administer the key"
    return (
        "allow kms:GetKeyPolicy and kms:PutKeyPolicy to the account principal, or to a second administrator, without conditions"
    )


def _named_principals(key: Key, settings: Settings) -> tuple[str, ...]:
    """Roles and users of the owner that the policies name, as principals or under aws:PrincipalArn, and declared ones."""
    found: dict[str, None] = dict.fromkeys((*settings.key_admins, *settings.break_glass))
    for place in statements(key):
        for entry in place.statement.principals or ():
            found[literal(entry.value) or ""] = None
        for condition in place.statement.conditions:
            if condition.key.lower() == "aws:principalarn":
                found.update(dict.fromkeys(literal(item.value) or "" for item in condition.values))
    return tuple(arn for arn in found if _is_durable_kind(arn, key.account))


def _is_durable_kind(arn: str, owner: str | None) -> bool:
    identity = identify(arn)
    has_wildcard = "*" in arn or "?" in arn
    return identity.kind in {ROLE, USER} and ":sts:" not in arn and identity.account == owner and not has_wildcard


def _ask(key: Key, arn: str) -> _Candidate:
    """Proven if the Allows admit every ordinary call of `arn` and no Deny forbids them all."""
    ordinary = describe(_ordinary(key, arn))
    for action in _ADMINISTRATION:
        answer = find_allowed(policies(key), describe({**_ordinary(key, arn), "Action": action}), key.context(), grant="any")
        if not isinstance(answer, Violated):
            return _Candidate(arn, answer if isinstance(answer, Undetermined) else None)
    answer = find_not_allowed(allows_only(key), ordinary, key.context())
    return _Candidate(arn, None if isinstance(answer, Violated) else answer)


def _ordinary(key: Key, arn: str) -> dict[str, object]:
    """The calls of an ordinary day: direct, with multi-factor authentication, from the named organization, now and far from now."""
    condition: dict[str, dict[str, object]] = {
        "ArnEquals": {"aws:PrincipalArn": arn},
        "Null": {"kms:ViaService": "true", "aws:SourceVpce": "true", "kms:BypassPolicyLockoutSafetyCheck": "true"},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "NumericLessThan": {"aws:MultiFactorAuthAge": "60"},
        "DateGreaterThan": {"aws:CurrentTime": _FAR},
    }
    organizations = _named_organizations(key)
    if organizations:
        condition["StringEquals"] = {"aws:PrincipalOrgID": organizations}
    return {"Principal": {"AWS": arn}, "Action": list(_ADMINISTRATION), "Condition": condition}


def _named_organizations(key: Key) -> list[str]:
    """The organizations that the policies compare aws:PrincipalOrgID with, as written."""
    found: dict[str, None] = {}
    for place in statements(key):
        for condition in place.statement.conditions:
            if condition.key.lower() == "aws:principalorgid":
                found.update(dict.fromkeys(literal(item.value) or "" for item in condition.values))
    return [text for text in found if text and not {"*", "?", "$"}.intersection(text)]
