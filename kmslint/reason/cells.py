"""Cells: groups of requests that differ only in free context keys.

A cell fixes the caller's class (a named principal, "another role session of account A", a fresh account's user, …), the
action, and a few shared bits (VPC endpoint or not, forward access session or not). Inside it every statement is a
conjunction of atoms, and each key's domain is known. Principal has no partial wildcards, so the classes are finite.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from kmslint.aws import condition_keys
from kmslint.pattern import pattern
from kmslint.policy import operators
from kmslint.policy.document import Statement
from kmslint.policy.patterns import STAR
from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER, account_of, identify, scope_of
from kmslint.policy.request import KeyContext
from kmslint.reason.strings import DIGIT, NON_EMPTY, Chars, Regex, text
from kmslint.reason.values import ALWAYS, EMPTY, NEVER, OPTIONAL, Domain
from kmslint.typed import Final, NamedTuple

_DIGITS: Final = pattern(r"(?<![0-9])[0-9]{12}(?![0-9])")
_NAME: Final = Chars(frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@-_"))
_NAME_RUN: Final = _NAME._replace(star=True)
_PATH_RUN: Final = Chars(frozenset(chr(code) for code in range(0x21, 0x7F)), star=True)
_ID_CHAR: Final = Chars(frozenset("*?/$ "), negated=True)
_SERVICE_CHAR: Final = Chars(frozenset("abcdefghijklmnopqrstuvwxyz0123456789-."))
_SOME_DIGITS: Final = (DIGIT, DIGIT._replace(star=True))
_SECONDS: Final[tuple[Regex, ...]] = tuple(
    (*sign, *number)
    for sign in ((), ("-",))
    for number in ((DIGIT,), (DIGIT,) * 2, (DIGIT,) * 3, (*(DIGIT,) * 4, *_SOME_DIGITS), (*_SOME_DIGITS, ".", *_SOME_DIGITS))
)
"""Epoch seconds, as the search keeps the time; never four digits alone, which may be a year (UNSURE-15)."""
_UPPER_OR_DIGIT: Final = Chars(frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))

_STRANGERS: Final = (
    "999999999999", "888888888888", "777788889999", "555566667777", "123412341234", "210987654321", "314159265358", "271828182845",
)  # fmt: skip


class Caller(NamedTuple):
    """A class of principals that no statement's Principal element tells apart.

    `principal` is a member, as a request names it; `account` its account (for a fresh account a stand-in, and `is_fresh`).
    `arn` is aws:PrincipalArn where the class fixes it, else `arns` is its language, outside `named`.
    """

    label: str
    kind: str
    principal: str
    account: str | None
    partition: str
    is_fresh: bool = False
    arn: str | None = None
    arns: tuple[Regex, ...] = ()
    named: frozenset[str] = frozenset()
    session: str | None = None
    other_sessions: tuple[str, ...] = ()
    parent: str | None = None
    name: str | None = None


class Names(NamedTuple):
    """Every principal, account and service that the statements name."""

    accounts: tuple[str, ...]
    users: tuple[str, ...]
    roles: tuple[str, ...]
    sessions: tuple[str, ...]
    federated: tuple[str, ...]
    services: tuple[str, ...]
    digits: frozenset[str]


def names_in(statement: Statement) -> Names:
    """Collect the names in principal entries and, for accounts and services, in condition values."""
    found: dict[str, dict[str, None]] = {kind: {} for kind in ("A", USER, ROLE, "session", FEDERATED, SERVICE)}
    digits: set[str] = set()
    for entry in statement.principals or ():
        if isinstance(entry.value, str):
            _note(entry.value, entry.kind, found)
            digits.update(_DIGITS.findall(entry.value))
            continue
        scope = scope_of(entry.value)
        if scope is not None:
            found["A"][scope.account] = None
            digits.add(scope.account)
    for condition in statement.conditions:
        name = condition.key.lower()
        for item in condition.values:
            if not isinstance(item.value, str):
                continue
            mentioned = _DIGITS.findall(item.value)
            digits.update(mentioned)
            if name in _ACCOUNT_KEYS:
                found["A"].update(dict.fromkeys(mentioned))
            elif name == "aws:principalservicename" and identify(item.value).kind == SERVICE:
                found[SERVICE][item.value] = None
    accounts, users, roles, sessions, federated, services = (tuple(names) for names in found.values())
    return Names(accounts, users, roles, sessions, federated, services, frozenset(digits))


def join_names(parts: Iterable[Names], key: KeyContext) -> Names:
    """The names of several statements together, the key's owner first."""
    found: tuple[dict[str, None], ...] = ({}, {}, {}, {}, {}, {})
    if key.account is not None:
        found[0][key.account] = None
    digits: set[str] = set()
    for part in parts:
        every = (part.accounts, part.users, part.roles, part.sessions, part.federated, part.services)
        for known, names in zip(found, every, strict=True):
            known.update(dict.fromkeys(names))
        digits |= part.digits
    accounts, users, roles, sessions, federated, services = (tuple(known) for known in found)
    return Names(accounts, users, roles, sessions, federated, services, frozenset(digits))


_ACCOUNT_KEYS: Final = frozenset({"aws:principalarn", "aws:principalaccount", "kms:calleraccount"})


def _note(value: str, kind: str, found: Mapping[str, dict[str, None]]) -> None:
    if kind == "Service":
        if identify(value).kind == SERVICE:
            found[SERVICE][value] = None
        return
    account = account_of(value)
    identity = identify(value)
    if account is not None or identity.account is not None:
        found["A"][account or identity.account or ""] = None
    if identity.kind == USER:
        found[USER][value] = None
    elif identity.kind == FEDERATED:
        found[FEDERATED][value] = None
    elif identity.kind == ROLE:
        found[ROLE if identity.session is None else "session"][value] = None


FRESH: Final = "fresh"
"""The group of callers of an account that no statement names."""

SERVICES: Final = "services"
"""The group of callers that are AWS services."""


class Callers:
    """Every class of callers, grouped by account and built when first asked for; strangers come first.

    So a witness is the plainest one that serves, and a question that only one account can answer builds no other.
    """

    __slots__ = ("_built", "_key", "groups", "names")

    def __init__(self, names: Names, key: KeyContext) -> None:
        self.names = names
        self._key = key
        self._built: dict[str, tuple[Caller, ...]] = {}
        self.groups = (FRESH, *names.accounts, SERVICES)

    def of(self, group: str) -> tuple[Caller, ...]:
        """The classes of one group: an account, FRESH or SERVICES."""
        built = self._built.get(group)
        if built is None:
            built = self._built[group] = tuple(self._build(group))
        return built

    def __iter__(self) -> Iterator[Caller]:
        """All classes, group by group."""
        for group in self.groups:
            yield from self.of(group)

    def _build(self, group: str) -> list[Caller]:
        names = self.names
        if group == SERVICES:
            return _services(names, self._key)
        account = group
        if group == FRESH:
            account = next((number for number in _STRANGERS if number not in names.digits), None) or _unused(names.digits)
        return sorted(_of_account(account, names, self._key, is_fresh=group == FRESH), key=_plainness)


def _plainness(caller: Caller) -> int:
    """Order within one kind is kept; federated sessions and root users come last, since they make odd witnesses."""
    return {ROLE: 0, USER: 1, ROOT: 2, FEDERATED: 3}[caller.kind]


def _new_name(stem: str, taken: Container[str | None]) -> str:
    """`stem`, or `stem2`, `stem3`, …: the first that is not taken."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}{number}"
    return name


def _unused(digits: frozenset[str]) -> str:
    number = 100000000000
    while str(number) in digits:
        number += 1
    return str(number)


def _of_account(account: str, names: Names, key: KeyContext, *, is_fresh: bool) -> list[Caller]:
    partition = key.partition
    iam = f"arn:{partition}:iam::{account}:"
    where = "an account named nowhere" if is_fresh else f"account {account}"
    one = "a" if is_fresh else "another"
    named = frozenset(arn for arn in (*names.users, *names.roles) if f"::{account}:" in arn)
    users = [arn for arn in names.users if arn.startswith(iam)]
    roles = [arn for arn in names.roles if arn.startswith(iam)]
    sessions = [arn for arn in names.sessions if arn.startswith(f"arn:{partition}:sts::{account}:")]
    classes: list[Caller] = []
    session_of = {identify(arn).name or "": [] for arn in sessions}  # type: dict[str, list[str]]
    for arn in sessions:
        session_of[identify(arn).name or ""].append(identify(arn).session or "")
    for arn in roles:
        classes += _role(arn, account, partition, session_of.pop(identify(arn).name or "", []))
    for name, known in session_of.items():
        classes += _unplaced_role(name, account, partition, known, iam)
    taken = {identify(arn).name for arn in (*roles, *sessions)}
    other = _new_name("Other", taken)
    prefix = _account_text(partition, account, is_fresh=is_fresh)
    classes.append(
        Caller(
            f"{one} role session of {where}", ROLE, f"arn:{partition}:sts::{account}:assumed-role/{other}/session", account, partition,
            is_fresh, None, ((*prefix, *text(":role/"), _PATH_RUN, _NAME),), named, name=other,
        )
    )  # fmt: skip
    classes += [Caller(f"user {arn}", USER, arn, account, partition, arn=arn, name=identify(arn).name) for arn in users]
    someone = _new_name("other", {identify(arn).name for arn in users})
    classes.append(
        Caller(
            f"{one} user of {where}", USER, f"{iam}user/{someone}", account, partition, is_fresh, None,
            ((*prefix, *text(":user/"), _PATH_RUN, _NAME),), named, name=someone,
        )
    )  # fmt: skip
    classes.append(Caller(f"the root user of {where}", ROOT, iam + "root", account, partition, is_fresh, iam + "root"))
    classes += _federated(account, names, partition, is_fresh=is_fresh, users=users, where=where)
    return classes


def _account_text(partition: str, account: str, *, is_fresh: bool) -> Regex:
    digits: Regex = (DIGIT,) * 12 if is_fresh else text(account)
    return (*text(f"arn:{partition}:iam::"), *digits)


def _role(arn: str, account: str, partition: str, known: list[str]) -> list[Caller]:
    name = identify(arn).name or ""
    stem = f"arn:{partition}:sts::{account}:assumed-role/{name}/"
    sessions = [
        Caller(f"session {one} of {arn}", ROLE, stem + one, account, partition, arn=arn, session=one, name=name) for one in known
    ]
    free = _new_name("session", known)
    return [
        Caller(f"a session of {arn}", ROLE, stem + free, account, partition, arn=arn, other_sessions=tuple(known), name=name),
        *sessions,
    ]


def _unplaced_role(name: str, account: str, partition: str, known: list[str], iam: str) -> list[Caller]:
    """A role known only by its sessions: its path is not known, so neither is aws:PrincipalArn."""
    places = ((*text(iam + "role/" + name),), (*text(iam + "role/"), _PATH_RUN, *text("/" + name)))
    stem = f"arn:{partition}:sts::{account}:assumed-role/{name}/"
    free = _new_name("session", known)
    rest = Caller(
        f"another session of role {name} of account {account}", ROLE, stem + free, account, partition, arns=places,
        other_sessions=tuple(known), name=name,
    )  # fmt: skip
    return [rest] + [
        Caller(f"session {one} of role {name}", ROLE, stem + one, account, partition, arns=places, session=one, name=name)
        for one in known
    ]


def _federated(account: str, names: Names, partition: str, *, is_fresh: bool, users: list[str], where: str) -> list[Caller]:
    """GetFederationToken sessions, by name and by the user behind them: a user ARN matches that user's sessions too."""
    stem = f"arn:{partition}:sts::{account}:federated-user/"
    known = [arn for arn in names.federated if arn.startswith(stem)]
    free = _new_name("federated", {identify(arn).name for arn in known})
    nobody = f"arn:{partition}:iam::{account}:user/" + _new_name("parent", {identify(arn).name for arn in users})
    sts = (*text(f"arn:{partition}:sts::"), *((DIGIT,) * 12 if is_fresh else text(account)))
    language = ((*sts, *text(":federated-user/"), _NAME_RUN, _NAME),)
    found = []
    for parent in (*users, nobody):
        found += [Caller(f"federated session {arn}", FEDERATED, arn, account, partition, arn=arn, parent=parent) for arn in known]
        found.append(
            Caller(
                f"{'a' if is_fresh else 'another'} federated session of {where}", FEDERATED, stem + free, account, partition, is_fresh, None, language,
                frozenset(known), parent=parent,
            )
        )  # fmt: skip
    return found


def _services(names: Names, key: KeyContext) -> list[Caller]:
    region = key.region or "us-east-1"
    known = list(names.services)
    regional = [
        f"{head}.{region}.{rest}"
        for head, _, rest in (name.partition(".") for name in known)
        if rest in {"amazonaws.com", "amazonaws.com.cn"} and f"{head}.{region}.{rest}" not in known
    ]
    other = _new_name("other", {name.partition(".")[0] for name in known}) + ".amazonaws.com"
    return [Caller(f"the service {name}", SERVICE, name, None, key.partition, name=name) for name in (*known, *regional)] + [
        Caller("another AWS service", SERVICE, other, None, key.partition, name=other)
    ]


# modes: shared bits, and values fixed for a policy variable


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

ENDPOINT: Final = ("aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip", "aws:sourcevpcarn", "aws:vpceaccount")
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
        modes = _cross(modes, _network(every, may=may) if _touches(mentioned, ("aws:sourceip", *ENDPOINT)) else [])
        modes = _cross(modes, _forwarded(every, may=may) if _touches(mentioned, (*_FORWARDED, *_VIA)) else [])
    for name, ids in sorted(organizations.items()):
        modes = _cross(modes, _organization(name, ids, may=may))
    for set_key, prefix in (("kms:encryptioncontextkeys", "kms:encryptioncontext:"), ("aws:tagkeys", "aws:requesttag/")):
        tied = sorted(key for key in mentioned if key.startswith(prefix))
        if set_key in mentioned and 0 < len(tied) <= MAX_TIED_KEYS:
            modes = _cross(modes, _tied(set_key, prefix, tied))
    return tuple(modes)


_VIA: Final = ("kms:viaservice", "aws:viaawsservice")


def _touches(mentioned: frozenset[str], keys: tuple[str, ...]) -> bool:
    return not mentioned.isdisjoint(keys)


def _organization(name: str, ids: tuple[str, ...] | None, *, may: bool) -> list[Mode]:
    """D8: no organization at all, or one of the ids that matter, with paths below it."""
    paths = ORGANIZATIONS[name]
    outside = Mode((), ((name, NEVER), (paths, NEVER)))
    if ids is None:
        # OVER in may: the tie is dropped, id and paths are only present together; must looks for nothing there
        return [outside, Mode((), ((name, ALWAYS), (paths, ALWAYS)))] if may else [outside]
    return [
        outside,
        *(Mode(((name, one),), ((paths, ALWAYS),), (), ((paths, (*text(one), "/", STAR)),)) for one in ids),
    ]


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
    known = dict(left.fixed)
    return all(known.get(key, value) == value for key, value in right.fixed)


def _network(mentioned: frozenset[str], *, may: bool) -> list[Mode]:
    """D6: through a VPC endpoint the endpoint keys are present and aws:SourceIp is absent; otherwise the other way round.

    A forward access session shows the service's own hop, and the sources conflict about its address (UNSURE-24).
    """
    endpoint = [key for key in ENDPOINT if key in mentioned]
    if len(endpoint) + ("aws:sourceip" in mentioned) < 2:
        return []
    public = Mode(presence=(("aws:sourceip", ALWAYS), *((key, NEVER) for key in endpoint)), label="over the internet")
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


# domains


class Domains:
    """The domain of each key in one cell. `may` widens to what no source excludes; else only what is documented or usual."""

    __slots__ = (
        "_action",
        "_caller",
        "_fixed",
        "_key",
        "_known",
        "_may",
        "_presence",
        "_sets",
        "_within",
        "excluded_accounts",
        "mode",
    )

    def __init__(self, caller: Caller, action: str, mode: Mode, key: KeyContext, accounts: Sequence[str], *, may: bool) -> None:
        self._caller = caller
        self._action = action
        self._key = key
        self._may = may
        self.mode = mode
        self._known: dict[str, Domain] = {}
        self._fixed = dict(mode.fixed)
        self._presence = dict(mode.presence)
        self._sets = {name: (must, never) for name, must, never in mode.sets}
        self._within = dict(mode.within)
        self.excluded_accounts = tuple(accounts) if caller.is_fresh else ()

    def of(self, key: str) -> Domain:
        """The domain of a lower-cased key."""
        domain = self._known.get(key)
        if domain is None:
            domain = self._known[key] = _shared(self._settle(key))
        return domain

    def _settle(self, key: str) -> Domain:
        domain = self._identity(key) or self._resource(key) or self._listed(key)
        if key in self._fixed:
            value = self._fixed[key]
            if value == "":
                return _EMPTY
            return _NEVER if value is None or domain.presence == NEVER else Domain(ALWAYS, finite=(value,))
        presence = self._presence.get(key)
        if presence is not None and domain.presence != NEVER:
            domain = domain._replace(presence=presence)
        if key in self._within and domain.presence != NEVER:
            domain = domain._replace(patterns=(self._within[key],), samples=())
        if key in self._sets:
            must, never = self._sets[key]
            domain = domain._replace(must_hold=must, never_hold=never)
        return domain

    def _identity(self, key: str) -> Domain | None:
        """Keys that the caller's class determines (D1–D5)."""
        caller = self._caller
        find = {
            "aws:principalarn": self._arn,
            "aws:principalaccount": self._account,
            "aws:userid": self._userid,
            "aws:username": self._username,
        }.get(key)
        if find is not None:
            return find()
        if key == "aws:principalisawsservice":
            return _constant("true" if caller.kind == SERVICE else "false")
        if key == "aws:principaltype" and caller.kind != SERVICE:
            return _constant({USER: "User", ROLE: "AssumedRole", FEDERATED: "FederatedUser", ROOT: "Account"}[caller.kind])
        if key == "aws:principalservicename":
            return _constant(caller.principal) if caller.kind == SERVICE else _NEVER
        if key == "aws:principalservicenameslist":
            return self._service_names() if caller.kind == SERVICE else _NEVER
        return None

    def _service_names(self) -> Domain:
        if self._may:
            return Domain(ALWAYS, multi=True, must_hold=(self._caller.principal,))
        return Domain(ALWAYS, multi=True, finite=(self._caller.principal,))

    def _arn(self) -> Domain:
        caller = self._caller
        if caller.kind == SERVICE:
            return _NEVER
        if caller.arn is not None and not caller.is_fresh:
            return _constant(caller.arn)
        if caller.kind == ROOT:
            prefix = _account_text(caller.partition, caller.account or "", is_fresh=True)
            return Domain(
                ALWAYS, patterns=((*prefix, *text(":root")),), samples=(caller.arn or "",), avoid=self._named_accounts()
            )
        return Domain(
            ALWAYS, patterns=caller.arns, excluded=caller.named, samples=self._sample_arns(), avoid=self._named_accounts()
        )

    def _named_accounts(self) -> tuple[Regex, ...]:
        """ARNs of the accounts that a fresh account is not."""
        service = "sts" if self._caller.kind == FEDERATED else "iam"
        return tuple((*text(f"arn:{self._caller.partition}:{service}::{account}:"), STAR) for account in self.excluded_accounts)

    def _sample_arns(self) -> tuple[str, ...]:
        caller = self._caller
        if caller.kind == ROLE:
            return (f"arn:{caller.partition}:iam::{caller.account}:role/{caller.name}",)
        return (caller.principal,)

    def _account(self) -> Domain:
        caller = self._caller
        if caller.kind == SERVICE:
            return _NEVER
        if not caller.is_fresh:
            return _constant(caller.account or "")
        return Domain(
            ALWAYS, patterns=((DIGIT,) * 12,), excluded=frozenset(self.excluded_accounts), samples=(caller.account or "",)
        )

    def _userid(self) -> Domain:
        """Source: IAM User Guide, "Variables and tags", table of principal values: T = ACCT; U = AIDA…; F = ACCT:NAME; R = AROA…:SESSION."""
        caller = self._caller
        account: Regex = (DIGIT,) * 12 if caller.is_fresh else text(caller.account or "")
        if caller.kind == ROOT:
            return Domain(
                ALWAYS, patterns=(account,), samples=(caller.account or "",), excluded=frozenset(self.excluded_accounts)
            )
        if caller.kind == USER:
            return Domain(ALWAYS, patterns=(_unique("AIDA"),), samples=("AIDACKCEVSQ6C2EXAMPLE",))
        if caller.kind == FEDERATED:
            named = identify(caller.arn).name if caller.arn else None
            name: Regex = text(named) if named else (_NAME_RUN, _NAME)
            return Domain(
                ALWAYS, patterns=((*account, ":", *name),), samples=(f"{caller.account}:{identify(caller.principal).name}",)
            )
        session: Regex = text(caller.session) if caller.session else (_NAME, _NAME_RUN)
        sample = f"AROADBQP57FF2AEXAMPLE:{caller.session or identify(caller.principal).session}"
        return Domain(ALWAYS, patterns=((*_unique("AROA"), ":", *session),), samples=(sample,))

    def _username(self) -> Domain:
        caller = self._caller
        if caller.kind != USER:
            return _NEVER
        if caller.arn is not None:
            return _constant(caller.name or "")
        return Domain(ALWAYS, patterns=((_NAME_RUN, _NAME),), samples=(caller.name or "",))

    def _resource(self, key: str) -> Domain | None:
        """Keys that the KMS key itself determines (D10); unknown metadata leaves every documented value open."""
        known = self._key
        constants = {
            "aws:resourceaccount": known.account,
            "aws:requestedregion": known.region,
            "kms:keyspec": known.spec,
            "kms:keyusage": known.usage,
            "kms:keyorigin": known.origin,
            "kms:multiregion": None if known.multi_region is None else str(known.multi_region).lower(),
            "aws:resourceorgid": known.org_id,
        }
        value = constants.get(key)
        if value is not None:
            return _constant(value)
        if key == "kms:multiregionkeytype" and known.multi_region is not None:
            if not known.multi_region:
                return _NEVER
            return Domain(ALWAYS, finite=("PRIMARY", "REPLICA"))
        if key.startswith("aws:resourcetag/") and known.tags is not None:
            tags = {name.lower(): value for name, value in known.tags}
            found = tags.get(key.partition("/")[2])
            return _NEVER if found is None else Domain(ALWAYS, finite=(found,)) if found else _EMPTY
        if key == "kms:resourcealiases" and not self._may:
            return _NEVER
        return None

    def _listed(self, key: str) -> Domain:
        """What the table of condition keys says."""
        listed = condition_keys.lookup(key)
        if listed is None:
            return Domain(OPTIONAL) if self._may else _NEVER
        presence = condition_keys.presence_on(key, self._caller.kind, self._action)
        if presence == "unsure":
            presence = OPTIONAL if self._may else NEVER
        if presence == NEVER:
            return _NEVER
        return _typed(key, listed, presence, may=self._may)


_NEVER: Final = Domain(NEVER)
_EMPTY: Final = Domain(EMPTY)
_SHARED: Final[dict[Domain, Domain]] = {}


def _shared(domain: Domain) -> Domain:
    """The one object for this domain, so that memo tables can key by identity."""
    if len(_SHARED) > 20_000:
        _SHARED.clear()
    return _SHARED.setdefault(domain, domain)


def _constant(value: str) -> Domain:
    return Domain(ALWAYS, finite=(value,))


def _unique(prefix: str) -> Regex:
    return (*text(prefix), *(_UPPER_OR_DIGIT,) * 17)


_FAMILIES: Final = {
    "String": operators.STRING, "ARN": operators.STRING, "Numeric": operators.NUMERIC, "Date": operators.DATE, "Bool": operators.BOOL,
    "IP": operators.IP,
}  # fmt: skip

_SAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:principalorgid": ("o-a1b2c3d4e5", "o-z9y8x7w6v5"),
    "aws:resourceorgid": ("o-k1m2s3l4i5",),
    "aws:sourceorgid": ("o-a1b2c3d4e5",),
    "aws:sourceip": ("198.51.100.23", "203.0.113.9", "2001:db8::1"),
    "aws:vpcsourceip": ("10.0.0.5",),
    "aws:sourcevpce": ("vpce-0123456789abcdef0",),
    "aws:sourcevpc": ("vpc-0123456789abcdef0",),
    "kms:viaservice": ("s3.us-east-1.amazonaws.com", "ec2.us-east-1.amazonaws.com"),
    "aws:sourceaccount": ("999999999999", "888888888888"),
    "aws:sourcearn": ("arn:aws:s3:::somebody-elses-bucket",),
    "aws:currenttime": ("1795000000",),
    "aws:epochtime": ("1795000000",),
    "aws:useragent": ("aws-cli/2.0",),
    "aws:securetransport": ("true",),
    "aws:viaawsservice": ("false", "true"),
}

_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "kms:rotationperiodindays": (90, 2560),
    "kms:schedulekeydeletionpendingwindowindays": (7, 30),
    "kms:trailingdayswithoutkeyusage": (0, 10**9),
    "aws:multifactorauthage": (0, 10**9),
}


def _is_free_text(key: str) -> bool:
    """Tags and encryption context: text that a caller may also leave empty."""
    return "/" in key or key.startswith("kms:encryptioncontext:")


def _typed(key: str, listed: condition_keys.ConditionKey, presence: str, *, may: bool) -> Domain:
    finite = listed.values
    if listed.type == "Bool":
        finite = ("true",) if key == "aws:securetransport" and not may else _SAMPLES.get(key, ("false", "true"))
        if key == "aws:securetransport" and may:
            finite = ("true", "false")
    family = _FAMILIES[listed.type]
    may_be_empty = may and listed.type == "String" and finite is None and presence == OPTIONAL and _is_free_text(key)
    patterns: tuple[Regex, ...] = (NON_EMPTY,)
    if key == "aws:sourceaccount":
        patterns = ((DIGIT,) * 12,)
    elif key == "aws:currenttime":
        patterns = _SECONDS
    elif key in ORGANIZATIONS:
        patterns = ((_ID_CHAR, _ID_CHAR._replace(star=True)),)
    elif key == "kms:viaservice":
        patterns = ((_SERVICE_CHAR, _SERVICE_CHAR._replace(star=True), *text(".amazonaws.com")),)
    return Domain(
        presence,
        listed.multi,
        family,
        finite,
        patterns,
        samples=_SAMPLES.get(key, ()),
        may_be_empty=may_be_empty,
        integer=_BOUNDS.get(key),
    )
