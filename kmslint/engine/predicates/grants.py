"""Checks of live grants: who holds them, what they allow, how old they are."""

from collections.abc import Iterator, Mapping

from kmslint.engine.finding import Finding
from kmslint.engine.predicates.dates import moment
from kmslint.engine.predicates.places import FAIL, UNDETERMINED, missing, quoted
from kmslint.model.key import Key, Known
from kmslint.model.settings import Settings
from kmslint.policy.principals import SERVICE, account_of, identify
from kmslint.typed import Final

Params = Mapping[str, object]
Grant = Mapping[str, object]

_WORST: Final = frozenset({"Decrypt", "CreateGrant", "ReEncryptFrom"})
_READS: Final = frozenset({"Decrypt", "ReEncryptFrom"})


def _grants(key: Key) -> tuple[Grant, ...]:
    fact = key.fact("grants")
    values = fact.value if isinstance(fact, Known) and isinstance(fact.value, (list, tuple)) else ()
    return tuple(value for value in values if isinstance(value, Mapping))


def _text(grant: Grant, name: str) -> str | None:
    value = grant.get(name)
    return value if isinstance(value, str) and value else None


def _operations(grant: Grant) -> frozenset[str]:
    value = grant.get("Operations")
    return frozenset(str(item) for item in value) if isinstance(value, (list, tuple)) else frozenset()


def _finding(
    grant: Grant, message: str, *, outcome: str = FAIL, severity: str | None = None, reason: str | None = None
) -> Finding:
    name = _text(grant, "GrantId")
    command = None if name is None else f"aws kms revoke-grant --key-id {_text(grant, 'KeyId') or 'KEY_ID'} --grant-id {name}"
    return Finding(
        outcome=outcome,
        message=message,
        severity=severity,
        fact="grants",
        reason=reason,
        command=command if outcome == FAIL else None,
        help="revoke the grant if it is not meant, and create it again with what is meant",
    )


def _label(grant: Grant) -> str:
    name = _text(grant, "Name") or _text(grant, "GrantId")
    return f"the grant {quoted(name)}" if name else "a grant"


def untrusted_grant(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every grant whose grantee or retiring principal is of an account that is neither the owner nor trusted.

    Source: KMS API Reference, GrantListEntry; KMS Developer Guide, "Determining access", grants.
    """
    del params
    unread = missing(key, "grants", "who holds grants on the key")
    if unread is not None:
        yield unread
    trusted = {account for account in (key.account, *settings.trusted_accounts) if account}
    for grant in _grants(key):
        for role in ("GranteePrincipal", "RetiringPrincipal"):
            party = _text(grant, role)
            if party is not None:
                yield from _judge_party(key, grant, role, party, trusted)


def _judge_party(key: Key, grant: Grant, role: str, party: str, trusted: set[str]) -> Iterator[Finding]:
    identity = identify(party)
    account = account_of(party) or identity.account or _account_in(party)
    if identity.kind == SERVICE or account in trusted:
        return
    what = "gives its operations to" if role == "GranteePrincipal" else "can be retired by"
    if account is None:
        message = f"{_label(grant)} {what} {quoted(party)}, which names no account"
        yield _finding(grant, message, outcome=UNDETERMINED, reason="the principal names no account; it may have been deleted")
    elif key.account is None:
        message = f"{_label(grant)} {what} {quoted(party)}"
        yield _finding(grant, message, outcome=UNDETERMINED, reason="the owner account of the key is not known")
    else:
        severity = "critical" if role == "GranteePrincipal" and _operations(grant) & _WORST else None
        message = f"{_label(grant)} {what} {quoted(party)}, of account {quoted(account)}, which is not trusted"
        yield _finding(grant, message, severity=severity)


def _account_in(text: str) -> str | None:
    """The account field of any ARN, such as a session whose role name holds a colon."""
    parts = text.split(":", 5)
    is_account = len(parts) == 6 and parts[0] == "arn" and len(parts[4]) == 12 and parts[4].isdigit()
    return parts[4] if is_account else None


def overbroad_grant(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every grant without a constraint on decryption, with the right to grant on, too old, or given twice.

    Source: KMS Developer Guide, "Grants in AWS KMS", best practices; KMS API Reference, CreateGrant, Constraints.
    """
    del params
    unread = missing(key, "grants", "what grants on the key allow")
    if unread is not None:
        yield unread
    seen: set[str] = set()
    spec = key.fact("spec")
    has_context = not isinstance(spec, Known) or spec.value == "SYMMETRIC_DEFAULT"
    for grant in _grants(key):
        if not _is_of_service(grant):
            yield from _judge_breadth(grant, has_context=has_context)
            yield from _judge_age(key, settings, grant)
        same = repr([sorted(_operations(grant)), *(_stable(grant.get(name)) for name in _IDENTITY)])
        if same in seen:
            yield _finding(grant, f"{_label(grant)} repeats another one in all but its id", severity="low")
        seen.add(same)


_IDENTITY: Final = ("GranteePrincipal", "GranteeServicePrincipal", "RetiringPrincipal", "Constraints", "Name")


def _stable(value: object) -> object:
    return sorted((str(k), _stable(v)) for k, v in value.items()) if isinstance(value, Mapping) else value


def _is_of_service(grant: Grant) -> bool:
    """Whether an AWS service holds or retires it: services create grants with CreateGrant and without a context of yours."""
    if _text(grant, "GranteeServicePrincipal") or _text(grant, "RetiringServicePrincipal"):
        return True
    parties = (_text(grant, "GranteePrincipal"), _text(grant, "RetiringPrincipal"))
    return any(party is not None and (identify(party).kind == SERVICE or _is_infrastructure(party)) for party in parties)


def _is_infrastructure(party: str) -> bool:
    """A session in which a service acts for a resource of yours: `assumed-role/aws:ec2-infrastructure/i-…`."""
    return ":assumed-role/aws:" in party or ":role/aws-service-role/" in party


def _judge_breadth(grant: Grant, *, has_context: bool) -> Iterator[Finding]:
    operations = _operations(grant)
    if "CreateGrant" in operations:
        yield _finding(grant, f"{_label(grant)} lets its holder grant on to anybody")
    constraints = grant.get("Constraints")
    names = set(constraints) if isinstance(constraints, Mapping) else set()
    if not operations & _READS or not has_context or names & {"EncryptionContextEquals", "EncryptionContextSubset"}:
        return
    if "SourceArn" in names:
        reason = "whether a SourceArn constraint binds a grantee that is no service is not documented"
        yield _finding(grant, f"{_label(grant)} constrains decryption by SourceArn only", outcome=UNDETERMINED, reason=reason)
        return
    yield _finding(grant, f"{_label(grant)} allows decryption under any encryption context")


def _judge_age(key: Key, settings: Settings, grant: Grant) -> Iterator[Finding]:
    limit = settings.max_grant_age_days
    created, now = moment(grant.get("CreationDate")), moment(key.as_of)
    if limit is None or _text(grant, "RetiringPrincipal") is not None or created is None or now is None:
        return
    age = (now - created).days
    if age > limit:
        yield _finding(grant, f"{_label(grant)} is {age} days old, more than {limit}, and nobody can retire it")
