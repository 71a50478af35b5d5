"""Who may call an action with a key: every class of callers, and from them the accounts, organizations and services outside.

Exhaustive: what is not listed is proven to have no access by the key's policies.
"""

from collections.abc import Iterator, Sequence

from kmslint.asking import ASK_OWNER, MAX_OWNERS, VIOLATED, Verdict, forbid, owners_of, policies_of
from kmslint.engine.binding import bound
from kmslint.engine.variables import resolve
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.policy.evaluate import UNDETERMINED
from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER
from kmslint.policy.request import Request
from kmslint.policy.truth import register_text
from kmslint.reason.answer import StatementRef, Undetermined, Violated
from kmslint.reason.query import Access, who
from kmslint.typed import Final, NamedTuple

KINDS: Final = {
    USER: "user",
    ROLE: "role session",
    FEDERATED: "federated session",
    ROOT: "root user",
    SERVICE: "service",
    "?": "anybody",
}

ALLOWED: Final = "allowed"

_REGIONAL: Final = register_text(28)


class Caller(NamedTuple):
    """One class of callers that may call the action.

    `external` is whether it is outside the owner's account, None while the owner is not known. `is_any` marks the classes of
    every account (or service) that the policies do not name. `answer` is "allowed" (by `grant`, as `witness` shows) or
    "undetermined", and `reasons` say why.
    """

    who: str
    kind: str
    account: str | None
    external: bool | None
    is_any: bool
    answer: str
    grant: str | None = None
    statements: tuple[StatementRef, ...] = ()
    witness: Request | None = None
    reasons: tuple[str, ...] = ()


class Inventory(NamedTuple):
    """Who may call an action with one key.

    `accounts`, `organizations` and `services` are those outside that may, by name; `any_account` and `any_service` say that
    one which no policy names may too. `reasons` say what is open: something that may have access stands there.
    """

    key: Key
    callers: tuple[Caller, ...]
    accounts: tuple[str, ...]
    organizations: tuple[str, ...]
    services: tuple[str, ...]
    any_account: bool
    any_service: bool
    reasons: tuple[str, ...] = ()


def take(key: Key, action: str) -> Inventory:
    """Everybody who may call `action` (`kms:Decrypt`, or a pattern of actions: any of them) with `key`."""
    if key.policies_unread is not None:
        return Inventory(key, (), (), (), (), any_account=False, any_service=False, reasons=(key.policies_unread,))
    callers = _folded(tuple(_callers(key, action)))
    sure = [caller for caller in callers if caller.answer == ALLOWED]
    people = [caller for caller in sure if caller.kind != KINDS[SERVICE] and caller.external is not False]
    organizations, doubts = _organizations(key, action)
    outsiders = _beyond_organizations(key, action) if any(caller.is_any for caller in people) else None
    if outsiders is not None and outsiders.answer == UNDETERMINED:
        doubts += tuple(f"an account named nowhere: {reason}" for reason in outsiders.reasons)
    reasons = [f"{caller.who}: {reason}" for caller in callers for reason in caller.reasons if caller.answer == UNDETERMINED]
    if key.account is None:
        reasons.append("the owner account of the key is not known: one of the accounts may be it; pass --account")
    return Inventory(
        key,
        callers,
        tuple(dict.fromkeys(caller.account for caller in people if caller.account is not None and not caller.is_any)),
        organizations,
        tuple(caller.who for caller in sure if caller.kind == KINDS[SERVICE] and not caller.is_any),
        any_account=outsiders is not None and outsiders.answer == VIOLATED,
        any_service=any(caller.is_any for caller in sure if caller.kind == KINDS[SERVICE]),
        reasons=tuple(dict.fromkeys((*reasons, *doubts))),
    )


def _callers(key: Key, action: str) -> Iterator[Caller]:
    if key.account is not None:
        yield from (_caller(access, key.account) for access in _who(key, action))
        return
    owners = owners_of(key)
    runs = [_who(key._replace(account=owner), action) for owner in owners[:MAX_OWNERS]]
    agreed = len(owners) <= MAX_OWNERS
    named = [_by_class([access for access in run if access.account != owners[0]]) for run in runs]
    for each in dict.fromkeys(each for run in named for each in run):
        found = [run[each] for run in named if each in run]
        caller = _caller(found[0], None)
        if len(found) < len(runs) or not agreed or any(type(one.answer) is not type(found[0].answer) for one in found):
            caller = caller._replace(answer=UNDETERMINED, witness=None, reasons=(ASK_OWNER,))
        yield caller


def _who(key: Key, action: str) -> tuple[Access, ...]:
    owned = bound(key)
    return who(policies_of(owned), action, owned.context())


def _folded(callers: tuple[Caller, ...]) -> tuple[Caller, ...]:
    """Without the regional names of services that are listed by their global name, where nothing but that name is open."""
    listed = {caller.who for caller in callers if caller.kind == KINDS[SERVICE] and caller.answer == ALLOWED}
    return tuple(caller for caller in callers if not (_global_name(caller.who) in listed and caller.reasons == (_REGIONAL,)))


def _global_name(service: str) -> str:
    """`s3.eu-central-1.amazonaws.com` without its Region."""
    head, _, tail = service.partition(".")
    return f"{head}.{tail.partition('.')[2]}"


def _by_class(run: Sequence[Access]) -> dict[tuple[str, int], Access]:
    """The classes of one run; those of one label (sessions of several users) are numbered."""
    found: dict[tuple[str, int], Access] = {}
    for access in run:
        number = sum(label == access.label for label, _ in found)
        found[access.label, number] = access
    return found


def _caller(access: Access, owner: str | None) -> Caller:
    is_service = access.kind == SERVICE
    name = access.label.removeprefix("the service ") if is_service else access.label
    external = None if owner is None and not is_service else access.is_foreign
    is_any = access.is_fresh or (is_service and not access.label.startswith("the service "))
    caller = Caller(name, KINDS[access.kind], None if access.is_fresh else access.account, external, is_any, ALLOWED)
    answer = access.answer
    if isinstance(answer, Violated):
        return caller._replace(grant=answer.grant, statements=answer.statements, witness=answer.witness)
    return caller._replace(answer=UNDETERMINED, reasons=_texts(answer))


def _texts(answer: Undetermined) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cause.text for cause in answer.causes))


# organizations


def _organizations(key: Key, action: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The organizations, of those that the policies name, whose other accounts may call; and what is open about one."""
    found: list[str] = []
    doubts: list[str] = []
    for name in _named_organizations(key):
        verdict = _asked(key, action, {"StringEquals": {"aws:PrincipalOrgID": name}})
        if verdict.answer == VIOLATED:
            found.append(name)
        elif verdict.answer == UNDETERMINED:
            doubts += [f"organization {name}: {reason}" for reason in verdict.reasons]
    return tuple(found), tuple(doubts)


def _beyond_organizations(key: Key, action: str) -> Verdict:
    """Whether nobody outside the named accounts and organizations may call."""
    names = _named_organizations(key)
    return _asked(key, action, {"StringNotEquals": {"aws:PrincipalOrgID": list(names)}} if names else {})


def _named_organizations(key: Key) -> tuple[str, ...]:
    found = resolve(["${kmslint:named-organizations}"], key, Settings())
    return tuple(str(name) for name in found) if isinstance(found, list) else ()


def _asked(key: Key, action: str, condition: dict[str, dict[str, object]]) -> Verdict:
    """Whether a principal of an account that the policies do not name may call under `condition`."""
    conditions: dict[str, dict[str, object]] = {"StringNotEquals": {}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
    for operator, keys in condition.items():
        conditions.setdefault(operator, {}).update(keys)
    conditions["StringNotEquals"]["aws:PrincipalAccount"] = "${kmslint:named-accounts}"
    statement = {"Principal": "*", "Action": action, "Resource": "*", "Condition": conditions}
    return forbid(key, [statement], Settings(), grant="any")
