"""Case splits: what several context keys share, settled one case at a time.

Keys are independent except for the dependencies D6–D9 of the semantics: a few shared bits (through a VPC endpoint or not, a forward
access session or not), organizations with their paths, and set keys with the pairs they list. A complete split over these
makes the keys of each case independent again.
"""

from collections.abc import Mapping

from kmslint.policy.patterns import STAR
from kmslint.policy.principals import SERVICE
from kmslint.reason.strings import Regex, text
from kmslint.reason.values import ALWAYS, NEVER, OPTIONAL
from kmslint.typed import Final, NamedTuple


class Mode(NamedTuple):
    """A case of a finite split: keys fixed to a value (None: absent), and keys whose presence is settled."""

    fixed: tuple[tuple[str, str | None], ...] = ()
    presence: tuple[tuple[str, str], ...] = ()
    sets: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()
    """(set key, members it must hold, members it must not, in any case)."""
    within: tuple[tuple[str, Regex], ...] = ()
    """(key, pattern that all of its values must match)."""
    label: str = ""


ORGANIZATIONS: Final[Mapping[str, str]] = {
    "aws:principalorgid": "aws:principalorgpaths",
    "aws:resourceorgid": "aws:resourceorgpaths",
    "aws:sourceorgid": "aws:sourceorgpaths",
    "aws:vpceorgid": "aws:vpceorgpaths",
}
"""Organization keys and the paths keys that go with them: present together, and every path starts with the id (D8)."""

USUAL_ORGANIZATION: Final = "o-a1b2c3d4e5"
"""The organization of a witness, where the policies name none."""

ENDPOINT: Final = ("aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip", "aws:sourcevpcarn", "aws:vpceaccount")
ENDPOINT_OWNER: Final = ("aws:vpceorgid", "aws:vpceorgpaths")
"""The organization of the endpoint's owner: only through an endpoint, and only if the owner is in one."""
GRANT_ROLES: Final = (
    ("kms:granteeprincipal", "kms:granteeserviceprincipal"),
    ("kms:retiringprincipal", "kms:retiringserviceprincipal"),
)
"""Who gets a grant, and who may retire it: a principal or a service, never both, on CreateGrant (D12)."""
_FORWARDED: Final = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
MAX_TIED_KEYS: Final = 5
"""Encryption-context keys (or request tags) tied to their set key: 2^n cases. Past it the tie is dropped for proofs."""


def base_modes(
    kind: str,
    mentioned: frozenset[str],
    beside: frozenset[str],
    organizations: Mapping[str, tuple[str, ...] | None],
    *,
    may: bool,
) -> tuple[Mode, ...]:
    """The complete case split over what at least two mentioned keys share (D6, D7, D8, D9, E1).

    `beside` are keys of statements that the question does not turn on: a witness shows them too. `organizations` gives, for
    each organization key whose paths key is mentioned too, the ids that matter (None: patterns hide them).
    """
    modes: list[Mode] = [Mode()]
    every = mentioned | beside
    if kind != SERVICE:
        modes = _cross(
            modes, _network(every, may=may) if _touches(mentioned, ("aws:sourceip", *ENDPOINT, *ENDPOINT_OWNER)) else []
        )
        modes = _cross(modes, _forwarded(every, may=may) if _touches(mentioned, (*_FORWARDED, *_VIA)) else [])
    for name, ids in sorted(organizations.items()):
        modes = _cross(modes, _organization(name, ids, may=may))
    for set_key, prefix in (("kms:encryptioncontextkeys", "kms:encryptioncontext:"), ("aws:tagkeys", "aws:requesttag/")):
        tied = sorted(key for key in mentioned if key.startswith(prefix))
        if set_key in mentioned and 0 < len(tied) <= MAX_TIED_KEYS:
            modes = _cross(modes, _tied(set_key, prefix, tied))
    for principal, service in GRANT_ROLES:
        if principal in mentioned and service in mentioned:
            modes = _cross(modes, _granted(principal, service))
    return tuple(modes)


_VIA: Final = ("kms:viaservice", "aws:viaawsservice")


def _touches(mentioned: frozenset[str], keys: tuple[str, ...]) -> bool:
    return not mentioned.isdisjoint(keys)


def _organization(name: str, ids: tuple[str, ...] | None, *, may: bool) -> list[Mode]:
    """D8: no organization at all, or one of the ids that matter, with paths below it."""
    paths = ORGANIZATIONS[name]
    outside = Mode((), ((name, NEVER), (paths, NEVER)))
    if ids is None:
        # OVER in may: the tie is dropped, id and paths are only present together; UNDER in must: only one usual id is tried
        return [outside, Mode((), ((name, ALWAYS), (paths, ALWAYS)))] if may else [outside, _inside(name, USUAL_ORGANIZATION)]
    return [outside, *(_inside(name, one) for one in ids)]


def _inside(name: str, organization: str) -> Mode:
    """The caller, the key … is in this organization, with paths below it."""
    paths = ORGANIZATIONS[name]
    return Mode(((name, organization),), ((paths, ALWAYS),), (), ((paths, (*text(organization), "/", STAR)),))


def _granted(principal: str, service: str) -> list[Mode]:
    """D12: a grant has exactly one grantee, and at most one who may retire it.

    Source: AWS KMS API Reference, CreateGrant: "You must specify either GranteePrincipal or GranteeServicePrincipal, but not both",
    "You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both".
    """
    modes = [Mode(presence=((principal, ALWAYS), (service, NEVER))), Mode(presence=((principal, NEVER), (service, ALWAYS)))]
    return modes if principal == GRANT_ROLES[0][0] else [*modes, Mode(presence=((principal, NEVER), (service, NEVER)))]


def _cross(left: list[Mode], right: list[Mode]) -> list[Mode]:
    if not right:
        return left
    return [
        Mode(
            a.fixed + b.fixed,
            a.presence + b.presence,
            a.sets + b.sets,
            a.within + b.within,
            " ".join(part for part in (a.label, b.label) if part),
        )
        for a in left
        for b in right
        if _compatible(a, b)
    ]


def _compatible(left: Mode, right: Mode) -> bool:
    """Whether no key would hold two values, or be both present and absent."""
    known, there = dict(left.fixed), _presence(left)
    if any({there.get(key), other} == {NEVER, ALWAYS} for key, other in _presence(right).items()):
        return False
    return all(known.get(key, value) == value for key, value in right.fixed)


def _presence(mode: Mode) -> dict[str, str]:
    """Whether the keys that the case settles are there."""
    return {**dict(mode.presence), **{key: NEVER if value is None else ALWAYS for key, value in mode.fixed}}


def _network(mentioned: frozenset[str], *, may: bool) -> list[Mode]:
    """D6: through a VPC endpoint the endpoint keys are present and aws:SourceIp is absent; otherwise the other way round.

    A forward access session shows the service's own hop, and the sources conflict about its address (UNSURE-24).
    """
    endpoint = [key for key in ENDPOINT if key in mentioned]
    owner = [key for key in ENDPOINT_OWNER if key in mentioned]
    if len(endpoint) + len(owner) + ("aws:sourceip" in mentioned) < 2:
        return []
    absent = tuple((key, NEVER) for key in (*endpoint, *owner))
    public = Mode(presence=(("aws:sourceip", ALWAYS), *absent), label="over the internet")
    private = Mode(presence=(("aws:sourceip", NEVER), *((key, ALWAYS) for key in endpoint)), label="through a VPC endpoint")
    forwarded = Mode(
        (("aws:viaawsservice", "true"),),
        (("aws:sourceip", OPTIONAL), *((key, OPTIONAL) for key in endpoint)),
        label="forwarded by a service",
    )
    return [public, private, forwarded] if may else [public, private]


def _forwarded(mentioned: frozenset[str], *, may: bool) -> list[Mode]:
    """D9: aws:CalledVia… only in a forward access session; E1, which is inferred, only where a real-looking witness is sought."""
    called = [key for key in _FORWARDED if key in mentioned]
    via = "kms:viaservice" in mentioned
    if "aws:viaawsservice" not in mentioned or not (called or via):
        return []
    direct = [(key, NEVER) for key in called] + ([] if may or not via else [("kms:viaservice", NEVER)])
    return [
        Mode((("aws:viaawsservice", "false"),), tuple(direct)),
        Mode((("aws:viaawsservice", "true"),), label="forwarded by a service"),
    ]


def _tied(set_key: str, prefix: str, tied: list[str]) -> list[Mode]:
    """D7: a pair's key is in the set key exactly when the pair is present (compared without case)."""
    modes = []
    for bits in range(1 << len(tied)):
        there = tuple(key for index, key in enumerate(tied) if bits >> index & 1)
        gone = tuple(key for key in tied if key not in there)
        presence = tuple((key, ALWAYS) for key in there) + tuple((key, NEVER) for key in gone)
        if there:
            presence += ((set_key, ALWAYS),)
        sets = ((set_key, tuple(key[len(prefix) :] for key in there), tuple(key[len(prefix) :] for key in gone)),)
        modes.append(Mode((), presence, sets))
    return modes
