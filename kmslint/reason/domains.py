"""What each context key can hold in one cell: fixed by the caller (D1–D5), by the KMS key (D10), by the case, or listed by AWS."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from kmslint.aws import condition_keys
from kmslint.policy import operators
from kmslint.policy.patterns import STAR
from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER, identify
from kmslint.policy.request import KeyContext
from kmslint.reason.callers import NAME, NAME_RUN, Caller
from kmslint.reason.modes import GRANT_ROLES, ORGANIZATIONS, USUAL_ORGANIZATION, Mode
from kmslint.reason.strings import DIGIT, NON_EMPTY, Chars, Regex, text
from kmslint.reason.values import ALWAYS, EMPTY, NEVER, OPTIONAL, Domain
from kmslint.typed import Final

_SOME_DIGITS: Final = (DIGIT, DIGIT._replace(star=True))
_SECONDS: Final[tuple[Regex, ...]] = tuple(
    (*sign, *number)
    for sign in ((), ("-",))
    for number in ((DIGIT,), (DIGIT,) * 2, (DIGIT,) * 3, (*(DIGIT,) * 4, *_SOME_DIGITS), (*_SOME_DIGITS, ".", *_SOME_DIGITS))
)
"""Epoch seconds, as the search keeps the time; never four digits alone, which may be a year (UNSURE-15)."""
_ID_CHAR: Final = Chars(frozenset("*?/$ "), negated=True)
_SERVICE_CHAR: Final = Chars(frozenset("abcdefghijklmnopqrstuvwxyz0123456789-."))
_UPPER_OR_DIGIT: Final = Chars(frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))


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
        "_split",
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
        self._split = frozenset((*self._fixed, *self._presence, *self._sets, *self._within))
        self.excluded_accounts = tuple(accounts) if caller.is_fresh else ()

    def of(self, key: str) -> Domain:
        """The domain of a lower-cased key."""
        domain = self._known.get(key)
        if domain is None:
            own = self._identity(key) or self._resource(key)
            domain = self._listed(key) if own is None else _shared(own)
            if key in self._split:
                domain = _shared(self._settled(key, domain))
            self._known[key] = domain
        return domain

    def _listed(self, key: str) -> Domain:
        find = _listed if len(key) <= _REMEMBERED_LENGTH else _listed.__wrapped__
        return find(key, self._caller.kind, self._action, self._may)

    def _settled(self, key: str, domain: Domain) -> Domain:
        """The domain as the case narrows it."""
        if domain.presence == NEVER:
            return _NEVER
        if key in self._fixed:
            value = self._fixed[key]
            return _NEVER if value is None else _constant(value) if value else _EMPTY
        if key in self._presence and not (key in _ROLES_OF_GRANTS and self._action != "CreateGrant"):
            domain = domain._replace(presence=self._presence[key])
        if key in self._within:
            domain = domain._replace(patterns=(self._within[key],), samples=())
        if key in self._sets:
            must, never = self._sets[key]
            domain = domain._replace(must_hold=must, never_hold=never)
        return domain

    def _identity(self, key: str) -> Domain | None:
        """Keys that the caller's class determines (D1–D5)."""
        if key not in _OF_CALLER:
            return None
        caller = self._caller
        find = _VIEWS.get(key)
        if find is not None:
            return find(self)
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
        return Domain(
            ALWAYS,
            patterns=caller.arns,
            excluded=caller.named,
            samples=self._sample_arns(),
            avoid=(*caller.avoid, *self._named_accounts()),
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
        if self._caller.kind == SERVICE:
            return _NEVER
        account = self._caller.account or ""
        if not self._caller.is_fresh:
            return _constant(account)
        return Domain(ALWAYS, patterns=((DIGIT,) * 12,), excluded=frozenset(self.excluded_accounts), samples=(account,))

    def _userid(self) -> Domain:
        """Source: IAM User Guide, "Variables and tags", table of principal values: T = ACCT; U = AIDA…; F = ACCT:NAME; R = AROA…:SESSION."""
        caller = self._caller
        if caller.kind == ROOT:
            return self._account()
        if caller.kind == SERVICE:
            return self._listed("aws:userid")
        if caller.kind == USER:
            return Domain(ALWAYS, patterns=(_unique("AIDA"),), samples=("AIDACKCEVSQ6C2EXAMPLE",))
        if caller.kind == FEDERATED:
            account: Regex = (DIGIT,) * 12 if caller.is_fresh else text(caller.account or "")
            named = identify(caller.arn).name
            name: Regex = text(named) if named else (NAME_RUN, NAME)
            return Domain(
                ALWAYS,
                patterns=((*account, ":", *name),),
                excluded=frozenset(f"{caller.account}:{identify(arn).name}" for arn in caller.named),
                avoid=tuple((*text(number), ":", STAR) for number in self.excluded_accounts),
                samples=(f"{caller.account}:{identify(caller.principal).name}",),
            )
        session: Regex = text(caller.session) if caller.session else (NAME, NAME_RUN)
        sample = f"AROADBQP57FF2AEXAMPLE:{identify(caller.principal).session}"
        others = tuple((STAR, ":", *text(one)) for one in caller.other_sessions)
        return Domain(ALWAYS, patterns=((*_unique("AROA"), ":", *session),), avoid=others, samples=(sample,))

    def _username(self) -> Domain:
        caller = self._caller
        if caller.kind != USER:
            return _NEVER
        if caller.arn is not None:
            return _constant(caller.name)
        return Domain(ALWAYS, patterns=((NAME_RUN, NAME),), samples=(caller.name,))

    def _resource(self, key: str) -> Domain | None:
        """Keys that the KMS key itself determines (D10); unknown metadata leaves every documented value open."""
        if key not in _OF_KEY and not key.startswith("aws:resourcetag/"):
            return None
        known = self._key
        constants = {
            "aws:resourceaccount": known.account,
            "aws:requestedregion": known.region,
            "kms:keyspec": known.spec,
            "kms:keyusage": known.usage,
            "kms:keyorigin": known.origin,
            "kms:multiregion": None if known.multi_region is None else str(known.multi_region).lower(),
            "kms:multiregionkeytype": known.multi_region_type,
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
        return None


_VIEWS: Final[Mapping[str, Callable[[Domains], Domain]]] = {
    "aws:principalarn": Domains._arn,  # noqa: SLF001 - of this module
    "aws:principalaccount": Domains._account,  # noqa: SLF001
    "aws:userid": Domains._userid,  # noqa: SLF001
    "aws:username": Domains._username,  # noqa: SLF001
}
_OF_CALLER: Final = frozenset(
    {*_VIEWS, "aws:principalisawsservice", "aws:principaltype", "aws:principalservicename", "aws:principalservicenameslist"}
)
_OF_KEY: Final = frozenset(
    {
        "aws:resourceaccount", "aws:requestedregion", "kms:keyspec", "kms:keyusage", "kms:keyorigin", "kms:multiregion",
        "aws:resourceorgid", "kms:multiregionkeytype",
    }
)  # fmt: skip
"""Keys whose value the KMS key may settle, beside its tags."""

_NEVER: Final = Domain(NEVER)
_EMPTY: Final = Domain(EMPTY)
_ROLES_OF_GRANTS: Final = frozenset(key for roles in GRANT_ROLES for key in roles)
_REMEMBERED_LENGTH: Final = 128
"""Characters of a key whose domain is remembered: policies come from strangers."""
_SHARED: Final[dict[Domain, Domain]] = {}


def _shared(domain: Domain) -> Domain:
    """The one object for this domain, so that memo tables can key by identity."""
    if len(_SHARED) > 20_000:
        _SHARED.clear()
    return _SHARED.setdefault(domain, domain)


@lru_cache(maxsize=8192)
def _listed(key: str, kind: str, action: str, may: bool) -> Domain:
    """What the table of condition keys says of requests by this kind of principal for this action."""
    listed = condition_keys.lookup(key)
    if listed is None:
        return _shared(Domain(OPTIONAL)) if may else _NEVER
    presence = condition_keys.presence_on(key, kind, action)
    if presence == "unsure":
        presence = OPTIONAL if may else NEVER
    if presence == NEVER:
        return _NEVER
    return _shared(_typed(key, listed, presence, may=may))


def _constant(value: str) -> Domain:
    return Domain(ALWAYS, finite=(value,))


def _unique(prefix: str) -> Regex:
    return (*text(prefix), *(_UPPER_OR_DIGIT,) * 17)


_FAMILIES: Final = {
    "String": operators.STRING, "ARN": operators.STRING, "Numeric": operators.NUMERIC, "Date": operators.DATE, "Bool": operators.BOOL,
    "IP": operators.IP,
}  # fmt: skip

_SAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:principalorgid": (USUAL_ORGANIZATION, "o-z9y8x7w6v5"),
    "aws:resourceorgid": ("o-k1m2s3l4i5",),
    "aws:sourceorgid": (USUAL_ORGANIZATION,),
    "aws:sourceip": ("198.51.100.23", "203.0.113.9", "2001:db8::1"),
    "aws:vpcsourceip": ("10.0.0.5",),
    "aws:sourcevpce": ("vpce-0123456789abcdef0",),
    "aws:sourcevpc": ("vpc-0123456789abcdef0",),
    "kms:viaservice": ("s3.us-east-1.amazonaws.com", "ec2.us-east-1.amazonaws.com"),
    "aws:sourceaccount": ("999999999999", "888888888888"),
    "aws:sourcearn": ("arn:aws:s3:::somebody-elses-bucket",),
    "aws:currenttime": ("1795000000",),
    "aws:useragent": ("aws-cli/2.0",),
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
    finite = ("false", "true") if listed.values == ("true", "false") else listed.values
    if key == "aws:securetransport":
        finite = ("true", "false") if may else ("true",)
    family = _FAMILIES[listed.type]
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
        may_be_empty=may and _is_free_text(key),
        integer=_BOUNDS.get(key),
    )
