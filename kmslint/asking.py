"""The pipeline of `kmslint ask`: one question about the policies of one key. Also the Python API `ask`.

A request is decided by the evaluator itself, a described set of requests by the reasoning core. Where the owner of the key is
not known, a question is asked for every account that the policy names and for one that it does not: what holds for each holds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from kmslint.aws.condition_keys import presence_on
from kmslint.engine.binding import bound
from kmslint.engine.variables import accounts_in, describe
from kmslint.errors import InputError, RuleError
from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.policy import variables
from kmslint.policy.bind import own_symbols
from kmslint.policy.complete import complete, oddities, spelled
from kmslint.policy.document import Policy, Statement
from kmslint.policy.evaluate import ALLOW, UNDETERMINED, Evaluation, evaluate
from kmslint.policy.principals import ROLE, SERVICE, identify
from kmslint.policy.request import KeyContext, Request
from kmslint.reason import actionset
from kmslint.reason.answer import OWNER, Answer, Cause, Proven, StatementRef, Undetermined, Violated
from kmslint.reason.certificate import MAX_STEPS, sentence
from kmslint.reason.query import (
    find_allowed,
    find_not_allowed,
    prove_all_allowed,
    prove_none_allowed,
)
from kmslint.reason.roles import roles_told_apart
from kmslint.sources.policy_json import NotAKey, keys_from_json
from kmslint.sources.requests import request_of
from kmslint.typed import Final, NamedTuple, assert_never

MAX_OWNERS: Final = 24
"""Candidates for an unknown owner. A policy that names more accounts is undetermined."""

MAX_REMEMBERED: Final = 10_000
"""Sessions of which the Judge remembers the role ARNs that may be theirs."""

SOME: Final = "some"
EVERY: Final = "every"

PROVEN: Final = "proven"
VIOLATED: Final = "violated"

ASK_OWNER: Final = "the answer depends on the owner account of the key, which is not known; pass --account"

_DELEGATED: Final = "only through IAM policies of the account, which were not read"


class Decision(NamedTuple):
    """The decision on one request: "allow", "explicit_deny", "implicit_deny" or "undetermined".

    `grant` is "direct" or "delegated" (to IAM policies of the account) where something is, or may be, allowed. `statements`
    are those that decide. `reasons` say what is open, and what else a reader must know: a context that AWS could not produce.
    """

    decision: str
    grant: str | None = None
    statements: tuple[StatementRef, ...] = ()
    reasons: tuple[str, ...] = ()


class Verdict(NamedTuple):
    """The answer to a question about a set of requests: "proven", "violated" or "undetermined".

    `witness` is the request that shows it, where a request does. `proof` has a sentence for each step, if it was asked for.
    """

    answer: str
    witness: Request | None = None
    statements: tuple[StatementRef, ...] = ()
    reasons: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()


def ask(
    policy: str,
    request: Request | Mapping[str, object],
    *,
    account: str | None = None,
    key_arn: str | None = None,
    region: str | None = None,
) -> Decision:
    """Whether the key policy `policy` (JSON text) allows `request`, by the text alone.

    A mapping has the members `principal`, `action`, `context` and, if it wants, `key`. Context keys that the principal and
    the key determine are filled in.

    Raises:
        InputError: `policy` is not JSON, or holds no policy at all.
        UsageError: `request` describes no request.
    """
    found = keys_from_json(Text(policy), type="policy", arn=key_arn, account=account, region=region)
    if isinstance(found, NotAKey):
        raise InputError(f"holds no key policy: {found.reason}")
    judge = Judge(found[0])
    if isinstance(request, Request):
        return judge.decide(request, has_key=request.key != KeyContext())
    wanted = request_of(request)
    return judge.decide(wanted.request, has_key=wanted.has_key)


# one request


class _Owned(NamedTuple):
    """The policies and the key as one owner of the key makes them."""

    policies: tuple[Policy, ...]
    context: KeyContext


class Judge:
    """Decides requests about one key: thousands a second, for what the key's policies say is prepared once."""

    __slots__ = ("_arns", "_key", "_mentioned", "_named", "_owned", "_roles")

    def __init__(self, key: Key) -> None:
        self._key = key
        policies = policies_of(key)
        statements = [statement for policy in policies for statement in policy.statements]
        self._mentioned = tuple(dict.fromkeys(name for policy in policies for name in _mentioned(policy)))
        self._roles = tuple(entry.value for one in statements for entry in one.principals or () if isinstance(entry.value, str))
        is_open = key.account is None and _speaks_of_owner(policies, self._mentioned)
        self._named: tuple[str, ...] | None = owners_of(key) if is_open else None
        self._owned: dict[str | None, _Owned] = {}
        self._arns: dict[tuple[str, str | None], tuple[str, ...]] = {}

    def decide(self, request: Request, *, has_key: bool = False) -> Decision:
        """The decision on `request`, completed. `has_key`: the request says itself which key it is made to."""
        if self._key.policies_unread is not None:
            return Decision(UNDETERMINED, reasons=(self._key.policies_unread,))
        if has_key:
            key = bound(self._key._replace(account=request.key.account, region=request.key.region, key_id=request.key.key_id))
            return self._of_owner(_Owned(policies_of(key), request.key), request)
        owners = self._owners(request)
        if len(owners) > MAX_OWNERS:
            return Decision(UNDETERMINED, reasons=(ASK_OWNER,))
        agreed = _agreed([self._of_owner(self._as_owned(owner), request) for owner in owners])
        return Decision(UNDETERMINED, reasons=(ASK_OWNER,)) if agreed is None else agreed

    def completed(self, request: Request) -> tuple[tuple[Policy, ...], Request]:
        """The policies, and the request with what its principal and the key determine, for the first owner that may be."""
        owned = self._as_owned(self._owners(request)[0])
        completed = complete(request._replace(key=owned.context))
        return owned.policies, next(iter(self._placed(owned.policies, completed)), completed)

    def _owners(self, request: Request) -> tuple[str | None, ...]:
        """The owners of the key that may make a difference: the one that is known, or each that is named, the caller's account too."""
        if self._named is None:
            return (self._key.account,)
        account = identify(request.principal).account
        return self._named if account is None or account in self._named else (*self._named, account)

    def _as_owned(self, owner: str | None) -> _Owned:
        owned = self._owned.get(owner)
        if owned is None:
            key = bound(self._key._replace(account=owner))
            owned = _Owned(policies_of(key), key.context())
            if len(self._owned) <= MAX_OWNERS:
                self._owned[owner] = owned
        return owned

    def _of_owner(self, owned: _Owned, request: Request) -> Decision:
        """The decision where the owner is settled, and what a reader must know beside it."""
        completed = complete(request._replace(key=owned.context))
        decision = self._of_one(owned.policies, completed)
        notes = (*oddities(completed), *self._notes(completed, decision))
        return decision._replace(reasons=tuple(dict.fromkeys((*decision.reasons, *notes))))

    def _of_one(self, policies: tuple[Policy, ...], request: Request) -> Decision:
        """The decision on a completed request. A session whose role's path matters is undetermined unless all paths agree."""
        agreed = _agreed([_as_decision(evaluate(policies, one)) for one in self._placed(policies, request)])
        if agreed is None:
            told = f"the answer depends on the path of the role of `{request.principal}`"
            return Decision(UNDETERMINED, reasons=(f"{told}; state aws:PrincipalArn, or ask for the role",))
        return agreed

    def _placed(self, policies: tuple[Policy, ...], request: Request) -> tuple[Request, ...]:
        """The request for each principal ARN that the policies tell apart; itself where that is known or does not matter.

        A role that a Principal names is that role, for its name is unique in the account; else its path may be any. Empty
        where too many are told apart.
        """
        if "aws:principalarn" not in self._mentioned or "aws:principalarn" in request.context:
            return (request,)
        identity = identify(request.principal)
        if identity.kind != ROLE or identity.role_arn is not None:
            return (request,)
        known = (identity.text, request.key.account)
        arns = self._arns.get(known)
        if arns is None:
            stem = f"arn:{identity.partition}:iam::{identity.account}:role/"
            named = tuple(arn for arn in self._roles if arn.startswith(stem) and identify(arn).name == identity.name)
            arns = named or roles_told_apart(policies, request)
            if len(self._arns) < MAX_REMEMBERED:
                self._arns[known] = arns
        return tuple(request._replace(context={**request.context, "aws:principalarn": arn}) for arn in dict.fromkeys(arns))

    def _notes(self, request: Request, decision: Decision) -> Iterator[str]:
        identity = identify(request.principal)
        if identity.kind in "URFTS":
            action = request.action.partition(":")[2]
            for name in self._mentioned:
                is_settled = name in request.context or (name == "aws:principalarn" and identity.kind == ROLE)
                if not is_settled and presence_on(name, identity.kind, action) == "always":
                    yield f"every such request has `{spelled(name)}`, which is not given and counts as absent"
        owner = request.key.account
        is_foreign = owner is not None and identity.account is not None and identity.account != owner
        if decision.decision == ALLOW and is_foreign and identity.kind != SERVICE and not _works_abroad(request.action):
            yield f"`{request.action}` has no effect on a key of another account: the key's owner is {owner}"


def _agreed(found: Sequence[Decision]) -> Decision | None:
    """The one decision of all cases, by the statements that decide each; None where they differ."""
    if not found or any(one[:2] != found[0][:2] for one in found[1:]):
        return None
    common = tuple(ref for ref in found[0].statements if all(ref in one.statements for one in found[1:]))
    return found[0]._replace(statements=common or found[0].statements)


def _as_decision(found: Evaluation) -> Decision:
    return Decision(found.decision, found.grant, tuple(StatementRef(*ref) for ref in found.matched), found.reasons)


def _works_abroad(action: str) -> bool:
    """Source: KMS Developer Guide, "AWS KMS permissions", column "Cross-account use"."""
    name = action.partition(":")[2]
    return name not in actionset.NAMES or bool(actionset.MAYBE_CROSS_ACCOUNT >> actionset.NAMES.index(name) & 1)


def _mentioned(policy: Policy) -> Iterator[str]:
    """The condition keys, lower case, that a policy asks about or inserts as variables."""
    for statement in policy.statements:
        for condition in statement.conditions:
            yield condition.key.lower()
        values = [item.value for condition in statement.conditions for item in condition.values]
        values += [item.value for item in statement.resources or ()]
        for value in values:
            if isinstance(value, str) and "${" in value and policy.has_variables():
                yield from (part.key for part in variables.split(value) if isinstance(part, variables.Variable))


def _speaks_of_owner(policies: Sequence[Policy], mentioned: Sequence[str]) -> bool:
    """Whether a decision may depend on who owns the key."""
    if "aws:resourceaccount" in mentioned or any({"account", "key_arn"} & own_symbols(policy) for policy in policies):
        return True
    return any(item.value != "*" for policy in policies for one in policy.statements for item in one.resources or ())


def owners_of(key: Key) -> tuple[str, ...]:
    """Accounts that may own a key whose owner is not known: one that stands nowhere in its policies, and each that does."""
    named = accounts_in(key)
    fresh = 100000000007
    while str(fresh) in named:
        fresh += 1
    return (str(fresh), *named)


# sets of requests

Statements = Sequence[Mapping[str, object]]


def forbid(
    key: Key,
    statements: Statements,
    settings: Settings,
    *,
    grant: str = "default",
    explain: bool = False,
    where: str = "the question",
) -> Verdict:
    """Whether no request that `statements` describe is allowed. A witness is a request that is.

    Raises RuleError when a statement is none.
    """
    search = prove_none_allowed if explain else find_allowed

    def query(policies: tuple[Policy, ...], described: tuple[Statement, ...], context: KeyContext) -> Answer:
        return search(policies, described, context, grant=grant)

    return _verdict(for_owners(key, statements, settings, where, query))


def require(
    key: Key,
    statements: Statements,
    settings: Settings,
    *,
    quantifier: str = SOME,
    grant: str = "any",
    explain: bool = False,
    where: str = "the question",
) -> Verdict:
    """Whether some, or every, request that `statements` describe is allowed.

    For "some" a witness is a request that is allowed, for "every" one that is not. Raises RuleError when a statement is none.
    """
    if quantifier == EVERY:
        return _every(key, statements, settings, grant, where, explain=explain)
    search = prove_none_allowed if explain else find_allowed

    def query(policies: tuple[Policy, ...], described: tuple[Statement, ...], context: KeyContext) -> Answer:
        return search(policies, described, context, grant=grant)

    found = _verdict(for_owners(key, statements, settings, where, query))
    if found.answer == VIOLATED:
        decided = evaluate(policies_of(key), found.witness) if found.witness is not None else None
        reasons = (
            (*found.reasons, f"allowed {_DELEGATED}") if decided is not None and decided.grant == "delegated" else found.reasons
        )
        return found._replace(answer=PROVEN, reasons=reasons)
    return found._replace(answer=VIOLATED) if found.answer == PROVEN else found


def _every(key: Key, statements: Statements, settings: Settings, grant: str, where: str, *, explain: bool) -> Verdict:
    search = prove_all_allowed if explain else find_not_allowed

    def query(policies: tuple[Policy, ...], described: tuple[Statement, ...], context: KeyContext) -> Answer:
        return search(policies, described, context, grant=grant)

    def directly(policies: tuple[Policy, ...], described: tuple[Statement, ...], context: KeyContext) -> Answer:
        return find_not_allowed(policies, described, context, grant="direct")

    found = _verdict(for_owners(key, statements, settings, where, query))
    if found.answer == PROVEN and grant != "direct":
        strictly = for_owners(key, statements, settings, where, directly)
        if not isinstance(strictly, Proven):
            return found._replace(reasons=(*found.reasons, f"some of it is allowed {_DELEGATED}"))
    return found


def policies_of(key: Key) -> tuple[Policy, ...]:
    """The key's policies in the order that a `StatementRef` counts."""
    return tuple(named.policy for named in key.policies)


Query = Callable[[tuple[Policy, ...], tuple[Statement, ...], KeyContext], Answer]
"""A question of the reasoning core: about these policies, this described set and this key."""


def for_owners(
    key: Key,
    statements: Statements,
    settings: Settings,
    where: str,
    query: Query,
) -> Answer:
    """The answer that holds whoever owns the key; undetermined, naming the owner, where that decides."""
    if key.policies_unread is not None:
        return Undetermined((Cause("input", key.policies_unread),))
    candidates = (key.account,) if key.account is not None else owners_of(key)
    answers: list[Answer] = []
    for account in candidates[:MAX_OWNERS]:
        owned = bound(key._replace(account=account))
        described = _described(statements, owned, settings, where)
        answers.append(
            query(policies_of(owned), described, owned.context())
            if described
            else Proven(("the statements describe no request",))
        )
        if type(answers[-1]) is not type(answers[0]):
            return Undetermined((Cause(OWNER, ASK_OWNER),))
    if len(candidates) > MAX_OWNERS:
        return Undetermined((Cause(OWNER, ASK_OWNER),))
    if key.account is None and isinstance(answers[0], Violated):
        stands_for = f"the owner account of the key is not known; {candidates[0]} stands for it"
        return answers[0]._replace(assumptions=(*answers[0].assumptions, stands_for))
    return answers[0]


def _described(statements: Statements, key: Key, settings: Settings, where: str) -> tuple[Statement, ...]:
    found = describe(statements, key, settings, where)
    unknown = next((statement for statement in found if statement.unknown and key.account is not None), None)
    if unknown is not None:
        raise RuleError(f"a described statement is not one: {unknown.unknown[0]}", source=where)
    return found


def _verdict(answer: Answer) -> Verdict:
    match answer:
        case Proven():
            return Verdict(PROVEN, reasons=answer.assumptions, proof=tuple(proof(answer)))
        case Violated():
            return Verdict(VIOLATED, answer.witness, answer.statements, answer.assumptions)
        case Undetermined():
            reasons = tuple(dict.fromkeys(cause.text for cause in answer.causes))
            return Verdict(UNDETERMINED, answer.candidate, answer.statements, reasons)
        case _:
            assert_never(answer)


def proof(answer: Proven) -> Iterator[str]:
    """The certificate as sentences, each once."""
    yield from dict.fromkeys(sentence(step) for step in answer.certificate)
    if len(answer.certificate) >= MAX_STEPS:
        yield f"the proof has more than the {MAX_STEPS} steps that are kept"
