"""From a model to a request that a person can read and anyone can replay."""

from collections.abc import Mapping

from kmslint.aws import condition_keys
from kmslint.policy import values
from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER, identify
from kmslint.policy.request import ContextValue, KeyContext, Request
from kmslint.reason.callers import Caller
from kmslint.reason.compile import variable_of
from kmslint.reason.domains import Domains
from kmslint.reason.search import VIEWS, Model
from kmslint.reason.strings import Budget
from kmslint.reason.values import Absence, Held, Solver, iso, plain
from kmslint.typed import Any, Final


def build(
    caller: Caller, action: str, model: Model, domains: Domains, mentioned: frozenset[str], key: KeyContext, solver: Solver
) -> Request:
    """The request of `model`: its caller, and a value for every mentioned key that is present.

    Keys that are always present and that no condition constrained get their plainest value, so that the request is one that
    AWS could make as far as the mentioned keys go.
    """
    held: dict[str, Held | None] = dict(model)
    for name in sorted({variable_of(name, caller.kind) for name in mentioned} - VIEWS):
        if name not in held:
            held[name] = solver.model(domains.of(name), (), Budget())
    principal, arn = _principal(caller, held)
    context: dict[str, ContextValue] = {}
    identity = _identity(caller, principal, arn, held)
    for name in sorted(mentioned | _ALWAYS_SHOWN):
        value = identity.get(name) if name in identity else _shown(name, held.get(variable_of(name, caller.kind)))
        if value is not None:
            context[name] = value
    if "aws:sourceip" in mentioned and "aws:sourceip" not in context and caller.kind != SERVICE:
        context.setdefault("aws:sourcevpce", "vpce-0123456789abcdef0")  # D6: without it, the call came through an endpoint
    return Request(principal, f"kms:{action}", context, key, caller.parent)


_ALWAYS_SHOWN: Final = frozenset({"aws:principalarn", "aws:principalaccount"})


def _principal(caller: Caller, held: Mapping[str, Held | None]) -> tuple[str, str | None]:
    """The principal as the request names it, and aws:PrincipalArn."""
    if caller.kind == SERVICE:
        return caller.principal, None
    userid = held.get("aws:userid")
    arn = held.get("aws:principalarn", None if caller.is_fresh else caller.arn)
    if not isinstance(arn, str):
        arn = _plain_arn(caller, held.get("aws:principalaccount"), held.get("aws:username"), userid)
    identity = identify(arn)
    if caller.kind in {USER, ROOT, FEDERATED}:
        return arn, arn
    session = userid.partition(":")[2] if isinstance(userid, str) else identify(caller.principal).session
    return f"arn:{caller.partition}:sts::{identity.account}:assumed-role/{identity.name}/{session}", arn


def _plain_arn(caller: Caller, account: Held | None, name: Held | None, userid: Held | None) -> str:
    number = account if isinstance(account, str) else caller.account
    if isinstance(userid, str) and caller.kind in {ROOT, FEDERATED}:
        number = userid.partition(":")[0]
    if caller.kind == ROOT:
        return f"arn:{caller.partition}:iam::{number}:root"
    if caller.kind == FEDERATED:
        label = userid.partition(":")[2] if isinstance(userid, str) else identify(caller.principal).name
        return f"arn:{caller.partition}:sts::{number}:federated-user/{label}"
    kind = "role" if caller.kind == ROLE else "user"
    label = name if isinstance(name, str) else caller.name
    plain = f"arn:{caller.partition}:iam::{number}:{kind}/{label}"
    return plain if plain not in caller.named else f"arn:{caller.partition}:iam::{number}:{kind}/other/{label}"


def _identity(caller: Caller, principal: str, arn: str | None, held: Mapping[str, Held | None]) -> dict[str, str | None]:
    """The keys that the caller determines (D1–D5)."""
    if arn is None:
        return {}
    identity = identify(arn)
    keys: dict[str, str | None] = {
        "aws:principalarn": arn,
        "aws:principalaccount": identity.account,
        "kms:calleraccount": identity.account,
        "aws:username": identity.name if caller.kind == USER else None,
    }
    userid = held.get("aws:userid")
    if isinstance(userid, str):
        keys["aws:userid"] = userid
    elif caller.kind == ROOT:
        keys["aws:userid"] = identity.account
    elif caller.kind == FEDERATED:
        keys["aws:userid"] = f"{identity.account}:{identity.name}"
    elif caller.kind == ROLE:
        keys["aws:userid"] = f"AROADBQP57FF2AEXAMPLE:{identify(principal).session}"
    else:
        keys["aws:userid"] = "AIDACKCEVSQ6C2EXAMPLE"
    return keys


def _shown(name: str, held: Held | None) -> ContextValue | None:
    if held is None or isinstance(held, Absence):
        return None
    if isinstance(held, tuple):
        return frozenset(held)
    if name in {"aws:currenttime", "aws:epochtime"}:
        instants = values.instants(held)
        return held if not instants else iso(instants[0]) if name == "aws:currenttime" else plain(instants[0])
    return held


def as_json(request: Request) -> dict[str, Any]:
    """The request as INTERFACE.md prints a witness; key names in AWS's spelling, set values as sorted lists."""
    context: dict[str, Any] = {}
    for name, value in sorted(request.context.items()):
        context[spelled(name)] = value if isinstance(value, str) else sorted(value)
    shown: dict[str, Any] = {"principal": request.principal, "action": request.action, "context": context}
    if request.parent is not None:
        shown["parent"] = request.parent
    return shown


def spelled(name: str) -> str:
    """A lower-cased condition key in AWS's own spelling; the part after a prefix key stays as it is."""
    known = condition_keys.lookup(name)
    return name if known is None else known.name
