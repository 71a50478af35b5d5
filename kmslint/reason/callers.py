"""Who may call: classes of principals that no statement's Principal element tells apart.

A named principal, "another role session of account A", a fresh account's user, a service, … Principal has no partial wildcards,
so the classes are finite; each is represented by one member, which the evaluator's own matching sees.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import count

from kmslint.pattern import pattern
from kmslint.policy.document import Statement
from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER, account_of, identify, scope_of
from kmslint.policy.request import KeyContext
from kmslint.reason.strings import DIGIT, Chars, Regex, text
from kmslint.typed import Final, NamedTuple

_DIGITS: Final = pattern(r"(?<![0-9])[0-9]{12}(?![0-9])")
NAME: Final = Chars(frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@-_"))
NAME_RUN: Final = NAME._replace(star=True)
"""The characters of a user, role or session name, once and any number of times."""
_PATH_RUN: Final = Chars(frozenset(chr(code) for code in range(0x21, 0x7F)), star=True)
_STRANGERS: Final = (
    "999999999999", "888888888888", "777788889999", "555566667777", "123412341234", "210987654321", "314159265358", "271828182845",
)  # fmt: skip


class Caller(NamedTuple):
    """A class of principals that no statement's Principal element tells apart.

    `principal` is a member, as a request names it; `account` its account (for a fresh account a stand-in, and `is_fresh`).
    `arn` is aws:PrincipalArn where the class fixes it, else `arns` is its language, outside `named` and `avoid`.
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
    avoid: tuple[Regex, ...] = ()
    session: str | None = None
    other_sessions: tuple[str, ...] = ()
    parent: str | None = None
    name: str = ""


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
    owner = () if key.account is None else (key.account,)
    found: tuple[dict[str, None], ...] = (dict.fromkeys(owner), {}, {}, {}, {}, {})
    digits = set(owner)
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
    identity = identify(value)
    account = account_of(value) or identity.account
    if account is not None:
        found["A"][account] = None
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

    __slots__ = ("_built", "_key", "_taken", "groups", "names", "stranger")

    def __init__(self, names: Names, key: KeyContext) -> None:
        self.names = names
        self.stranger = next(number for number in _strangers() if number not in names.digits)
        """The account that stands for one that is named nowhere."""
        self._taken: tuple[frozenset[str], ...] | None = None
        self._key = key
        self._built: dict[str, tuple[Caller, ...]] = {}
        self.groups = (FRESH, *names.accounts, SERVICES)

    def of(self, group: str) -> tuple[Caller, ...]:
        """The classes of one group: an account, FRESH or SERVICES."""
        built = self._built.get(group)
        if built is None:
            built = self._built[group] = tuple(self._build(group))
        return built

    def knows(self, names: Names) -> bool:
        """Whether these names tell no further classes apart, nor take the account that stands for a fresh one."""
        if self.stranger in names.digits:
            return False
        if not any(names[:-1]):
            return True
        if self._taken is None:
            self._taken = tuple(frozenset(known) for known in self.names[:-1])
        return all(known.issuperset(more) for known, more in zip(self._taken, names[:-1], strict=True))

    def __iter__(self) -> Iterator[Caller]:
        """All classes, group by group."""
        for group in self.groups:
            yield from self.of(group)

    def _build(self, group: str) -> list[Caller]:
        names = self.names
        if group == SERVICES:
            return _services(names, self._key)
        account = self.stranger if group == FRESH else group
        return _of_account(account, names, self._key, is_fresh=group == FRESH)


def _name(arn: str) -> str:
    """The name of the user, role or federated session that an ARN names."""
    return identify(arn).name or ""


def _new_name(stem: str, taken: Container[str]) -> str:
    """`stem`, or `stem2`, `stem3`, …: the first that is not taken."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}{number}"
    return name


def _strangers() -> Iterator[str]:
    """Account numbers for one that no statement names: readable ones, then all others in order."""
    yield from _STRANGERS
    yield from map(str, count(10**11))


def _of_account(account: str, names: Names, key: KeyContext, *, is_fresh: bool) -> list[Caller]:
    """Roles, users, the root user, federated sessions: the last two make odd witnesses."""
    partition = key.partition
    iam = f"arn:{partition}:iam::{account}:"
    where = "an account named nowhere" if is_fresh else f"account {account}"
    one = "a" if is_fresh else "another"
    users = [arn for arn in names.users if arn.startswith(iam)]
    roles = [arn for arn in names.roles if arn.startswith(iam)]
    named = frozenset((*users, *roles))
    sessions = [arn for arn in names.sessions if arn.startswith(f"arn:{partition}:sts::{account}:")]
    classes: list[Caller] = []
    sessions_of: dict[str, list[str]] = {}
    for arn in sessions:
        sessions_of.setdefault(_name(arn), []).append(arn.rpartition("/")[2])
    placed = {_name(arn) for arn in roles}
    for arn in roles:
        classes += _role(arn, account, partition, sessions_of.get(_name(arn), []))
    for name, known in sessions_of.items():
        if name not in placed:
            classes += _unplaced_role(name, account, partition, known, iam)
    other = _new_name("Other", {*placed, *sessions_of})
    prefix = account_text(partition, account, is_fresh=is_fresh)
    classes.append(
        Caller(
            f"{one} role session of {where}", ROLE, f"arn:{partition}:sts::{account}:assumed-role/{other}/session", account, partition,
            is_fresh, None, ((*prefix, *text(":role/"), _PATH_RUN, NAME),), named,
            tuple(place for name in sessions_of for place in _places(name, iam)), name=other,
        )
    )  # fmt: skip
    classes += [Caller(f"user {arn}", USER, arn, account, partition, arn=arn, name=_name(arn)) for arn in users]
    someone = _new_name("other", {_name(arn) for arn in users})
    classes.append(
        Caller(
            f"{one} user of {where}", USER, f"{iam}user/{someone}", account, partition, is_fresh, None,
            ((*prefix, *text(":user/"), _PATH_RUN, NAME),), named, name=someone,
        )
    )  # fmt: skip
    classes.append(
        Caller(f"the root user of {where}", ROOT, iam + "root", account, partition, is_fresh, iam + "root", ((*prefix, *text(":root")),))
    )  # fmt: skip
    classes += _federated(account, names, partition, is_fresh=is_fresh, users=users, where=where)
    return classes


def account_text(partition: str, account: str, *, is_fresh: bool) -> Regex:
    """The start of an IAM ARN of this account, or of any account where it is fresh."""
    digits: Regex = (DIGIT,) * 12 if is_fresh else text(account)
    return (*text(f"arn:{partition}:iam::"), *digits)


def _role(arn: str, account: str, partition: str, known: list[str]) -> list[Caller]:
    name = _name(arn)
    stem = f"arn:{partition}:sts::{account}:assumed-role/{name}/"
    sessions = [
        Caller(f"session {one} of {arn}", ROLE, stem + one, account, partition, arn=arn, session=one, name=name) for one in known
    ]
    free = _new_name("session", known)
    return [
        Caller(f"a session of {arn}", ROLE, stem + free, account, partition, arn=arn, other_sessions=tuple(known), name=name),
        *sessions,
    ]


def _places(name: str, iam: str) -> tuple[Regex, ...]:
    """The ARNs that the one role of this name in its account may have. Source: IAM API Reference, CreateRole, RoleName."""
    return text(iam + "role/" + name), (*text(iam + "role/"), _PATH_RUN, *text("/" + name))


def _unplaced_role(name: str, account: str, partition: str, known: list[str], iam: str) -> list[Caller]:
    """A role known only by its sessions: its path is not known, so neither is aws:PrincipalArn."""
    places = _places(name, iam)
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
    free = _new_name("federated", {_name(arn) for arn in known})
    nobody = f"arn:{partition}:iam::{account}:user/" + _new_name("parent", {_name(arn) for arn in users})
    sts = (*text(f"arn:{partition}:sts::"), *((DIGIT,) * 12 if is_fresh else text(account)))
    language = ((*sts, *text(":federated-user/"), NAME_RUN, NAME),)
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
