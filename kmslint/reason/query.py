"""The closed list of questions about key policies. Rules and users ask these and nothing else.

Each is decided in two readings (SEMANTICS §0). Under *may*, what no source settles counts as allowing and every key takes
every value that is not excluded: nothing found there, exhaustively, is **Proven**. Under *must* it counts as not allowing and
keys take documented values: a request found there, replayed by `evaluate`, is **Violated**. All else is **Undetermined**.

Assumptions of every answer: only key policies are read (grants, IAM policies, SCPs, RCPs, VPC endpoint policies and
permissions boundaries are not), and a service principal's own call never carries a customer's identity (D11).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from kmslint.errors import InternalError
from kmslint.policy.document import Policy, Statement
from kmslint.policy.evaluate import Evaluation, applies, evaluate
from kmslint.policy.principals import DELEGATED, DIRECT, SERVICE
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import T, register_text
from kmslint.reason import actionset
from kmslint.reason.answer import BUDGET, INPUT, REGISTER, SYMBOL, Answer, Cause, Proven, StatementRef, Undetermined, Violated
from kmslint.reason.cells import Caller
from kmslint.reason.search import Budget, Problem
from kmslint.reason.space import Cell, Found, Goal, Numbered, Open, Space, is_foreign

DEFAULT: Final = "default"
ANY: Final = "any"

D11: Final = "an AWS service's own call never carries the identity of a customer's principal (D11)"


# the questions


def find_allowed(policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext, *, grant: str = DEFAULT) -> Answer:
    """Is some request in the described set (a union of IAM statements) allowed?

    Proven: no such request, whatever IAM policies, SCPs and grants add or take. Violated: this request is allowed by the key
    policies (with `delegated`, if an IAM policy of its account allows it too). `grant` says which allows count: "direct",
    "delegated", "any", or "default": any for foreign principals, direct for the owner's.
    """
    answers = [answer for _, answer in find_allowed_by_statement(policies, described, key, grant=grant)]
    violated = [answer for answer in answers if isinstance(answer, Violated)]
    if violated:
        return violated[0]
    causes = tuple(dict.fromkeys(cause for answer in answers if isinstance(answer, Undetermined) for cause in answer.causes))
    if not answers:
        return Proven((D11,))
    first = answers[0]
    return Undetermined(causes, first.candidate if isinstance(first, Undetermined) else None)


def find_allowed_by_statement(
    policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext, *, grant: str = DEFAULT
) -> tuple[tuple[StatementRef, Answer], ...]:
    """`find_allowed` for each Allow statement by itself, against all Denies: those that admit, or may admit, a request.

    Empty means proven for all.
    """
    unknown = _unknown_policy(policies)
    if unknown is not None:
        return ((StatementRef(unknown[0], -1), Undetermined(unknown[1])),)
    space = Space(policies, described, key)
    found = []
    for allow in space.allows():
        answer = _ask(space, lambda may, allow=allow: _allowing(space, allow, grant, may=may), _Allowed(space, grant))  # type: ignore[misc]
        if not isinstance(answer, Proven):
            found.append((allow.ref, answer))
    return tuple(found)


def find_not_allowed(policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext, *, grant: str = ANY) -> Answer:
    """Is some described request not allowed?

    Proven: every described request is allowed by the key policies. Violated: this described request is not. With `grant`
    "direct", an allow that only delegates to IAM policies does not count as one.
    """
    unknown = _unknown_policy(policies)
    if unknown is not None:
        return Undetermined(unknown[1])
    space = Space(policies, described, key)
    return _ask(space, lambda may: _refusing(space, grant, may=may), _Refused(space, grant))


def _unknown_policy(policies: Sequence[Policy]) -> tuple[int, tuple[Cause, ...]] | None:
    for number, policy in enumerate(policies):
        if policy.unknown:
            return number, tuple(Cause(SYMBOL, reason) for reason in policy.unknown)
    return None


class _Allowed:
    """Checks a candidate of `find_allowed` with the evaluator."""

    def __init__(self, space: Space, grant: str) -> None:
        self.space = space
        self.grant = grant

    def holds(self, request: Request) -> Evaluation | None:
        """The evaluation, when the request is described and must be allowed; else None."""
        decided = evaluate(self.space.policies, request)
        return decided if decided.must and _is_described(self.space, request) else None


class _Refused:
    """Checks a candidate of `find_not_allowed` with the evaluator."""

    def __init__(self, space: Space, grant: str) -> None:
        self.space = space
        self.grant = grant

    def holds(self, request: Request) -> Evaluation | None:
        """The evaluation, when the request is described and may not be allowed; else None."""
        decided = evaluate(self.space.policies, request)
        is_refused = not decided.may or (self.grant == DIRECT and decided.grant == DELEGATED)
        return decided if is_refused and _is_described(self.space, request) else None


def _is_described(space: Space, request: Request) -> bool:
    return any(applies(one.statement, one.policy, request).truth == T for one in space.described)


def _ask(space: Space, goals: Callable[[bool], Iterator[Goal]], check: "_Allowed | _Refused") -> Answer:
    """The may reading first: most questions end there with a proof, or with a candidate that replays at once."""
    candidate: Request | None = None
    causes: list[Cause] = []
    budget = Budget()
    for found in _models(space, goals, budget, may=True):
        if isinstance(found, Open):
            causes.append(found.cause)
            continue
        answer = _replayed(found.request, check) if _is_usual(space, found.request) else None
        if answer is not None:
            return answer
        candidate = candidate or found.request
    if candidate is None and not causes:
        return Proven((D11,))
    for found in _models(space, goals, Budget(), may=False):
        if isinstance(found, Open):
            causes.append(found.cause)
            continue
        answer = _replayed(found.request, check)
        if answer is None:
            raise InternalError(f"a witness does not replay: {found.request.principal} {found.request.action} {dict(found.request.context)}")
        return answer
    return Undetermined(tuple(dict.fromkeys((*causes, *_causes(space, candidate)))), candidate)


def _models(space: Space, goals: Callable[[bool], Iterator[Goal]], budget: Budget, *, may: bool) -> Iterator[Found | Open]:
    for goal in goals(may):
        yield from space.search(goal, may=may, budget=budget)


def _replayed(request: Request, check: "_Allowed | _Refused") -> Violated | None:
    decided = check.holds(request)
    if decided is None:
        return None
    refs = tuple(StatementRef(*ref) for ref in decided.matched) if decided.must else ()
    return Violated(request, refs, decided.grant if decided.must else None)


def _is_usual(space: Space, request: Request) -> bool:
    """Whether a candidate of the wide reading is also one of the narrow reading: no value that only *may* explores."""
    context = request.context
    if any(value == "" for value in context.values()) or "kms:resourcealiases" in context:
        return False
    if context.get("aws:securetransport") == "false":
        return False
    if request.action == "kms:SynchronizeMultiRegionKey":
        return False
    is_service = request.principal is not None and not request.principal.startswith("arn:")
    if is_service:
        return not any(name in context for name in ("kms:viaservice", "aws:viaawsservice", "aws:calledvia", "aws:sourceip"))
    if "aws:viaawsservice" in context and ("kms:viaservice" in context or "aws:calledvia" in context):
        return context["aws:viaawsservice"] == "true" and "aws:sourceip" not in context
    has_both = "aws:sourceip" in context and any(name in context for name in ("aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip"))
    return not has_both


def _causes(space: Space, candidate: Request | None) -> tuple[Cause, ...]:
    """Why a candidate is no witness: the register points and unresolved values that the evaluator met, or an unusual context."""
    if candidate is None:
        return ()
    decided = evaluate(space.policies, candidate)
    reasons = list(decided.reasons)
    for one in space.described:
        reasons += applies(one.statement, one.policy, candidate).reasons
    if not reasons:
        reasons.append(_unusual(candidate))
    return tuple(Cause(_kind_of(reason), reason) for reason in dict.fromkeys(reasons))


def _unusual(request: Request) -> str:
    if request.principal is not None and not request.principal.startswith("arn:"):
        return register_text(26 if any(name.startswith(("kms:via", "aws:via", "aws:called")) for name in request.context) else 7)
    if any(value == "" for value in request.context.values()):
        return register_text(21)
    if "aws:viaawsservice" in request.context or "aws:sourceip" in request.context:
        return register_text(24)
    return f"a request that AWS is not known to make ({request.action} with {', '.join(sorted(request.context))})"


def _kind_of(reason: str) -> str:
    if reason.startswith("UNSURE-"):
        return REGISTER
    if "could not be resolved" in reason:
        return SYMBOL
    return INPUT


# goals


def _allowing(space: Space, allow: Numbered, grant: str, *, may: bool) -> Iterator[Goal]:
    """The described requests that `allow` admits and no Deny stops."""
    denies = space.denies()
    others = tuple(one for one in space.allows() if one is not allow) if grant == DELEGATED else ()

    def counts(caller: Caller) -> int:
        return _counted(space, allow, caller, grant, may=may)

    for described in space.described:

        def problems(cell: Cell, described: Numbered = described) -> Iterator[Problem]:
            asked = cell.atoms(described, upper=may)
            admitted = cell.atoms(allow, upper=may)
            if asked is None or admitted is None:
                return
            direct = [one for one in others if space.principal(one, cell.caller).grant == DIRECT]
            stopped = cell.refuted((*denies, *direct), upper=not may)
            if stopped is not None:
                yield Problem((*asked, *admitted), tuple(stopped))

        bits = allow.actions(upper=may) & described.actions(upper=may)
        yield Goal(problems, (described, allow, *denies, *others), (described, allow), bits, counts, allow.ref)


def _counted(space: Space, allow: Numbered, caller: Caller, grant: str, *, may: bool) -> int:
    """The actions for which an allow of this caller class by this statement counts, as a mask.

    A foreign principal's call of an action that does not work across accounts is no access (KMS Developer Guide, permissions
    table, "Cross-account use").
    """
    foreign = is_foreign(caller, space.key)
    if not (grant == ANY or (grant == DEFAULT and foreign)):
        wanted = DELEGATED if grant == DELEGATED else DIRECT
        if space.principal(allow, caller).grant != wanted:
            return 0
    if foreign and caller.kind != SERVICE:
        return actionset.MAYBE_CROSS_ACCOUNT if may else actionset.CROSS_ACCOUNT & actionset.CERTAIN
    return actionset.ALL if may else actionset.CERTAIN


def _refusing(space: Space, grant: str, *, may: bool) -> Iterator[Goal]:
    """The described requests that no Allow admits, or that some Deny stops. `may`: that are not surely allowed."""
    allows, denies = space.allows(), space.denies()

    def counts(caller: Caller) -> int:
        return actionset.ALL if may else actionset.CERTAIN

    for described in space.described:

        def problems(cell: Cell, described: Numbered = described) -> Iterator[Problem]:
            asked = cell.atoms(described, upper=may)
            if asked is None:
                return
            counted = allows if grant != DIRECT else [one for one in allows if space.principal(one, cell.caller).grant == DIRECT]
            unmet = cell.refuted(counted, upper=not may)
            if unmet is not None:
                yield Problem(asked, tuple(unmet))
            for deny in denies:
                stopped = cell.atoms(deny, upper=may)
                if stopped is not None:
                    yield Problem((*asked, *stopped), ())

        yield Goal(problems, (described, *allows, *denies), (described,), described.actions(upper=may), counts)
