"""What a request's principal and key settle about its context, and what a context says that AWS could not.

A user states the keys that matter and leaves out what follows from the caller (who it is, of which account and kind) and from
the KMS key (its account, Region and metadata). The dependencies are D1 to D10 of the semantics.
"""

from collections.abc import Iterator, Mapping

from kmslint.aws import actions
from kmslint.aws.condition_keys import lookup, nearest_key, presence_on
from kmslint.policy import values
from kmslint.policy.principals import ANONYMOUS, FEDERATED, OTHER, ROLE, ROOT, SERVICE, USER, Identity, identify
from kmslint.policy.request import ContextValue, KeyContext, Request
from kmslint.typed import Final

_TYPES: Final = {ROOT: "Account", USER: "User", FEDERATED: "FederatedUser", ROLE: "AssumedRole"}
_ENDPOINT: Final = ("aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip", "aws:sourcevpcarn", "aws:vpceaccount")
_CALLED: Final = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
_TIMES: Final = ("aws:currenttime", "aws:epochtime")
_ORGANIZATIONS: Final = ("principal", "resource", "source", "vpce")
_PAIRS: Final = (("kms:encryptioncontext:", "kms:encryptioncontextkeys"), ("aws:requesttag/", "aws:tagkeys"))


def complete(request: Request) -> Request:
    """The request with every context key that its principal and its KMS key determine; a key that is given stays as it is.

    The principal ARN of a role session is filled in only where the role's ARN is the principal: a session does not tell the
    role's path. Of the two keys of the time (D10) the one that is missing is taken from the other.
    """
    settled = determined(request)
    for name, other in (_TIMES, _TIMES[::-1]):
        if other in request.context:
            settled.setdefault(name, request.context[other])
    return request._replace(context={**settled, **request.context})


def determined(request: Request) -> dict[str, ContextValue]:
    """The context keys that the principal (D1 to D5) and the KMS key (D10) settle, lower case."""
    identity = identify(request.principal)
    return {**_by_principal(identity), **_by_key(request.key)}


def _by_principal(identity: Identity) -> dict[str, ContextValue]:
    """Source: IAM User Guide, "AWS global condition context keys", and "Variables and tags", table of principal values."""
    kind = identity.kind
    if kind == OTHER:
        return {}
    if kind == SERVICE:
        return {"aws:principalisawsservice": "true", "aws:principalservicename": identity.text}
    if kind == ANONYMOUS:
        return {"aws:principalaccount": "anonymous", "aws:principaltype": "Anonymous", "aws:userid": "anonymous"}
    return _known(
        {
            "aws:principalaccount": identity.account,
            "kms:calleraccount": identity.account,
            "aws:principaltype": _TYPES[kind],
            "aws:principalisawsservice": "false",
            "aws:principalarn": identity.role_arn if kind == ROLE else identity.text,
            "aws:username": identity.name if kind == USER else None,
            "aws:userid": {ROOT: identity.account, FEDERATED: f"{identity.account}:{identity.name}"}.get(kind),
        }
    )


def _by_key(key: KeyContext) -> dict[str, ContextValue]:
    found = _known(
        {
            "aws:resourceaccount": key.account,
            "aws:resourceorgid": key.org_id,
            "aws:requestedregion": key.region,
            "kms:keyspec": key.spec,
            "kms:customermasterkeyspec": key.spec,
            "kms:keyusage": key.usage,
            "kms:customermasterkeyusage": key.usage,
            "kms:keyorigin": key.origin,
            "kms:multiregion": None if key.multi_region is None else str(key.multi_region).lower(),
            "kms:multiregionkeytype": key.multi_region_type,
        }
    )
    for name, value in key.tags or ():
        found[f"aws:resourcetag/{name.lower()}"] = value
    return found


def _known(values: Mapping[str, str | None]) -> dict[str, ContextValue]:
    return {name: value for name, value in values.items() if value is not None}


# what AWS could not say


def oddities(request: Request) -> tuple[str, ...]:
    """Why AWS could not make this request: a sentence for each contradiction in its context. Empty for an ordinary request.

    The request is answered by the text of the policy all the same.
    """
    identity = identify(request.principal)
    context = request.context
    found = [*_of_action(request), *_of_keys(request, identity), *_of_identity(request, identity)]
    found += [*_of_network(context, identity), *_of_organizations(context), *_of_time(context), *_of_pairs(context)]
    return tuple(dict.fromkeys(found))


def spelled(name: str) -> str:
    """A condition key as AWS writes it; an unknown one as it is."""
    known = lookup(name)
    return name if known is None else known.name


def _of_action(request: Request) -> Iterator[str]:
    prefix, _, name = request.action.partition(":")
    known = actions.ACTIONS.get(name.lower()) if prefix.lower() == "kms" else None
    if known is None:
        near = actions.nearest(request.action)
        yield f"AWS KMS has no action `{request.action}`" + (f"; did you mean `kms:{near}`?" if near else "")
    elif known.effective is False:
        yield f"`kms:{known.name}` is not an action that a key policy decides about"


def _of_keys(request: Request, identity: Identity) -> Iterator[str]:
    action = request.action.partition(":")[2]
    for name, value in request.context.items():
        known = lookup(name)
        if known is None:
            near = nearest_key(name)
            yield f"no request to AWS KMS has the condition key `{name}`" + (f"; did you mean `{near}`?" if near else "")
            continue
        if identity.kind in "URFTS" and presence_on(name, identity.kind, action) == "never":
            yield f"a `{request.action}` call of such a principal never has `{known.name}`"
        if isinstance(value, frozenset) and not known.multi:
            yield f"`{known.name}` has one value, not {len(value)}"
        members = (value,) if isinstance(value, str) else sorted(value)
        strange = next((one for one in members if known.values is not None and one not in known.values), None)
        if strange is not None:
            yield f"`{strange}` is no value of `{known.name}`"


def _of_identity(request: Request, identity: Identity) -> Iterator[str]:
    context = request.context
    for name, value in determined(request).items():
        if name in context and context[name] != value:
            yield f"`{spelled(name)}` is {_shown(context[name])}, but the principal and the key make it {_shown(value)}"
    arn = context.get("aws:principalarn")
    if identity.kind == ROLE and identity.role_arn is None and isinstance(arn, str):
        role = identify(arn)
        if (role.kind, role.partition, role.account, role.name, role.session) != (
            ROLE,
            identity.partition,
            identity.account,
            identity.name,
            None,
        ):
            yield f"`aws:PrincipalArn` is `{arn}`, which is not the role of `{identity.text}`"


def _of_network(context: Mapping[str, ContextValue], identity: Identity) -> Iterator[str]:
    """D6 and D9. Source: IAM User Guide, "AWS global condition context keys", "Properties of the network"."""
    called = [name for name in _CALLED if name in context]
    is_forwarded = context.get("aws:viaawsservice") == "true"
    if called and context.get("aws:viaawsservice") == "false":
        yield f"`{spelled(called[0])}` is there only when `aws:ViaAWSService` is `true`"
    endpoint = [name for name in _ENDPOINT if name in context]
    if "aws:sourceip" in context and endpoint and identity.kind != SERVICE and not is_forwarded:
        yield f"`aws:SourceIp` is absent through a VPC endpoint, which `{spelled(endpoint[0])}` speaks of"


def _of_organizations(context: Mapping[str, ContextValue]) -> Iterator[str]:
    """D8."""
    for whose in _ORGANIZATIONS:
        name, paths = f"aws:{whose}orgid", f"aws:{whose}orgpaths"
        organization = context.get(name)
        if paths not in context or not isinstance(organization, str):
            continue
        held = context[paths]
        members = (held,) if isinstance(held, str) else sorted(held)
        stray = next((path for path in members if not path.startswith(organization + "/")), None)
        if stray is not None:
            yield f"`{spelled(paths)}` holds `{stray}`, which is not in the organization `{organization}` of `{spelled(name)}`"


def _of_time(context: Mapping[str, ContextValue]) -> Iterator[str]:
    """D10: one instant under two names."""
    left, right = (context.get(name) for name in _TIMES)
    if not (isinstance(left, str) and isinstance(right, str)):
        return
    one, other = values.instants(left), values.instants(right)
    if one and other and not set(one) & set(other):
        yield f"`aws:CurrentTime` is `{left}` and `aws:EpochTime` is `{right}`, which are two instants"


def _of_pairs(context: Mapping[str, ContextValue]) -> Iterator[str]:
    """D7: the names of the pairs are the members of the set key, compared without case."""
    for prefix, listed in _PAIRS:
        pairs = {name[len(prefix) :] for name in context if name.startswith(prefix)}
        held = context.get(listed)
        if held is None:
            continue
        members = {member.lower() for member in ((held,) if isinstance(held, str) else held)}
        missing = sorted(pairs - members)
        if missing:
            yield f"`{spelled(prefix + missing[0])}` is there, but `{spelled(listed)}` does not list `{missing[0]}`"


def _shown(value: ContextValue) -> str:
    if isinstance(value, str):
        return f"`{value}`"
    return "[" + ", ".join(f"`{member}`" for member in sorted(value)) + "]"
