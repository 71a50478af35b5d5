"""Who calls, and which principal entries match.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "… NotPrincipal"; KMS Developer Guide, "Key policies".
"""

from functools import lru_cache

from kmslint.pattern import pattern
from kmslint.policy.document import Principal, Statement
from kmslint.policy.request import Request
from kmslint.policy.truth import F, T, U, k_not, register_text
from kmslint.tree import Template
from kmslint.typed import Final, NamedTuple

USER: Final = "U"
ROLE: Final = "R"
FEDERATED: Final = "F"
ROOT: Final = "T"
SERVICE: Final = "S"
ANONYMOUS: Final = "A"
OTHER: Final = "?"

DIRECT: Final = "direct"
DELEGATED: Final = "delegated"

_ARN: Final = pattern(
    r"arn:([a-z0-9-]+):(iam|sts)::([0-9]{12}):(root|user/.+|role/.+|assumed-role/[^/]+/[^/]+|federated-user/[^/]+)\Z"
)
_UNIQUE_ID: Final = pattern(r"(AIDA|AROA)[A-Z0-9]{6,124}\Z")
_SERVICE: Final = pattern(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|aws\.internal|amazon\.com|aws\.com)\Z")
_WILD: Final = pattern(r"[*?]")


class Identity(NamedTuple):
    """A principal ARN or name taken apart. `name` is a role name, a user name, a federated name or a service name.

    `role_arn` is set where the full role ARN (with its path) is known; `session` where the session name is.
    """

    kind: str
    text: str
    partition: str | None = None
    account: str | None = None
    name: str | None = None
    session: str | None = None
    role_arn: str | None = None


@lru_cache(maxsize=8192)
def identify(text: str | None) -> Identity:
    """What kind of principal `text` names; kind OTHER if none that can call KMS."""
    if text is None:
        return Identity(ANONYMOUS, "")
    match = _ARN.match(text)
    if match is None:
        return Identity(SERVICE if _SERVICE.match(text) else OTHER, text, name=text)
    partition, service, account, resource = match.groups()
    kind, _, rest = resource.partition("/")
    if service == "iam" and kind == "root":
        return Identity(ROOT, text, partition, account)
    if service == "iam" and kind == "user":
        return Identity(USER, text, partition, account, rest.rpartition("/")[2])
    if service == "iam" and kind == "role":
        return Identity(ROLE, text, partition, account, rest.rpartition("/")[2], role_arn=text)
    if service == "sts" and kind == "assumed-role":
        name, _, session = rest.partition("/")
        return Identity(ROLE, text, partition, account, name, session)
    if service == "sts" and kind == "federated-user":
        return Identity(FEDERATED, text, partition, account, rest)
    return Identity(OTHER, text, name=text)


@lru_cache(maxsize=8192)
def account_of(text: str) -> str | None:
    """The account that an entry names as a whole: `arn:…:root` or twelve digits; else None."""
    if len(text) == 12 and text.isascii() and text.isdigit():
        return text
    identity = identify(text)
    return identity.account if identity.kind == ROOT else None


class Match(NamedTuple):
    """Whether an entry matches a caller (three-valued), how it grants, and which register points that rests on."""

    truth: int
    grant: str = DIRECT
    reasons: tuple[str, ...] = ()


_NO: Final = Match(F)
_YES: Final = Match(T)


def match_entry(entry: Principal, request: Request, *, lean: bool) -> Match:
    """Whether one principal entry matches the caller of `request`."""
    value = entry.value
    if isinstance(value, Template):
        return _match_template(value, request)
    if value == "*" and entry.kind in {"*", "AWS"}:
        return _YES
    caller = identify(request.principal)
    if entry.kind == "AWS":
        return _match_aws(value, caller, request, lean)
    if entry.kind == "Service":
        return _match_service(value, caller, request, lean)
    if entry.kind == "Federated":
        return _unsure(8, lean) if ":saml-provider/" in value and caller.kind == ROLE else _NO
    if entry.kind == "CanonicalUser":
        return _unsure(8, lean) if caller.kind in {USER, ROLE, ROOT, FEDERATED} else _NO
    return _NO


class Scope(NamedTuple):
    """What is sure of a principal entry with a hole: the account, and the kind of principal where that stands before the hole."""

    account: str
    kind: str | None


_SCOPE: Final = pattern(r"arn:[a-z0-9-]+:(iam|sts)::([0-9]{12}):(role/|user/|assumed-role/|federated-user/)?")
_KINDS: Final = {"role/": ROLE, "assumed-role/": ROLE, "user/": USER, "federated-user/": FEDERATED}


def scope_of(value: Template) -> Scope | None:
    """The account and kind that the text before the first hole settles; None when even the account is open."""
    head = value.parts[0]
    match = _SCOPE.match(head) if isinstance(head, str) else None
    return None if match is None else Scope(match.group(2), _KINDS.get(match.group(3)))


def _match_template(value: Template, request: Request) -> Match:
    """U, except for callers that the part before the hole rules out: another account's, or another kind of principal."""
    caller = identify(request.principal)
    scope = scope_of(value)
    if scope is not None:
        # a user ARN also matches that user's federated sessions
        kinds = {USER, FEDERATED} if scope.kind == USER else {scope.kind}
        if caller.account != scope.account or (scope.kind is not None and caller.kind not in kinds):
            return _NO
    return Match(U, DIRECT, (f"the principal `{value}` could not be resolved",))


def _unsure(point: int, lean: bool) -> Match:
    return _NO if lean else Match(U, DIRECT, (register_text(point),))


def _match_aws(value: str, caller: Identity, request: Request, lean: bool) -> Match:
    if _WILD.search(value):
        return _NO  # a wildcard that is part of a principal is not supported (IAM User Guide, "Principal")
    account = account_of(value)
    if account is not None:
        if account != caller.account or not _same_partition(identify(value), request):
            return _NO
        return Match(T, DIRECT if caller.kind == ROOT else DELEGATED)
    entry = identify(value)
    if entry.kind == OTHER:
        return _match_unique_id(value, caller, lean)
    if entry.account != caller.account or not _same_partition(entry, request):
        return _NO
    if entry.kind == ROLE and caller.kind == ROLE:
        return _match_role(entry, caller, request, lean)
    if entry.kind == USER and caller.kind == FEDERATED:
        return _match_parent(value, request, lean)
    return _YES if value == caller.text and entry.kind in {USER, FEDERATED} else _NO


def _same_partition(entry: Identity, request: Request) -> bool:
    """Accounts are per partition: an entry of another partition than the key's matches nobody."""
    return entry.partition is None or entry.partition == request.key.partition


def _match_unique_id(value: str, caller: Identity, lean: bool) -> Match:
    match = _UNIQUE_ID.match(value)
    kinds = {"AIDA": {USER, FEDERATED}, "AROA": {ROLE}}  # a user's federated sessions are the user's
    return _unsure(9, lean) if match and caller.kind in kinds[match.group(1)] else _NO


def _match_role(entry: Identity, caller: Identity, request: Request, lean: bool) -> Match:
    if entry.name != caller.name:
        return _NO
    if entry.session is not None:
        if caller.session is None:
            return _NO if lean else Match(U, DIRECT, (f"`{caller.text}` may be any session of the role",))
        return _YES if entry.session == caller.session else _NO
    known = caller.role_arn or request.context.get("aws:principalarn")
    return _YES if known is None or known == entry.text else _NO


def _match_parent(value: str, request: Request, lean: bool) -> Match:
    """A user ARN matches the user's GetFederationToken sessions.

    A request that does not say whose session it is means the user of the same name, if the entry names that user.
    Source: IAM User Guide, "Policy evaluation logic" (SEMANTICS §9.3).
    """
    if request.parent is None:
        if identify(value).name == identify(request.principal).name:
            return _YES
        return _NO if lean else Match(U, DIRECT, (f"whether the federated session is one of `{value}` is not given",))
    return _YES if request.parent == value else _NO


def _match_service(value: str, caller: Identity, request: Request, lean: bool) -> Match:
    """Source: AWS global condition context keys, aws:PrincipalServiceNamesList: all names that belong to the service."""
    if caller.kind != SERVICE:
        return _NO
    listed = request.context.get("aws:principalservicenameslist", ())
    if value == caller.text or value in ({listed} if isinstance(listed, str) else listed):
        return _YES if "*" not in value else _NO
    head, _, tail = caller.text.partition(".")
    is_regional_form = value == f"{head}.{tail.partition('.')[2]}" and tail.count(".") >= 2
    return _unsure(28, lean) if is_regional_form else _NO


def match_principals(statement: Statement, request: Request, *, lean: bool) -> Match:
    """Whether the statement's Principal or NotPrincipal admits the caller, and as what kind of grant."""
    if not statement.principals:
        return _NO
    if statement.not_principal:
        return _match_not_principal(statement, statement.principals, request, lean)
    found = [match_entry(entry, request, lean=lean) for entry in statement.principals]
    best = max(match.truth for match in found)
    hits = [match for match in found if match.truth == best]
    grant = DIRECT if any(match.grant == DIRECT for match in hits) else DELEGATED
    return Match(best, grant, tuple(dict.fromkeys(reason for match in hits for reason in match.reasons)))


def _match_not_principal(statement: Statement, entries: tuple[Principal, ...], request: Request, lean: bool) -> Match:
    """NotPrincipal: the documentation contradicts itself about a listed account (UNSURE-10), so three sets are told apart.

    Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal"; SEMANTICS §4.
    """
    caller = identify(request.principal)
    named, by_account = F, False
    sure: list[str] = []
    for entry in entries:
        text, truth = str(entry.value), match_entry(entry, request, lean=lean).truth
        if entry.kind == "AWS" and account_of(text) is not None:
            by_account = by_account or truth == T
            continue
        named = max(named, truth)
        if truth == T:
            sure.append(text)
    is_listed_root = by_account and caller.kind == ROOT
    if lean:
        return Match(k_not(T if is_listed_root else named))
    if named == F and not by_account:
        return _YES
    if is_listed_root or (sure and _is_surely_exempt(statement, sure, caller, by_account=by_account)):
        return _NO
    return Match(U, DIRECT, (register_text(10),))


def _is_surely_exempt(statement: Statement, names: list[str], caller: Identity, *, by_account: bool) -> bool:
    """Whether a caller that has these names in the list escapes whatever is true of its account."""
    if statement.effect == "Allow" or caller.kind == SERVICE or "*" in names:
        return True
    return by_account and any(identify(name).session is None for name in names)
