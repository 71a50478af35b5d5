"""The closed list of questions about key policies. Rules and users ask these and nothing else.

Each is decided in two readings (SEMANTICS §0). Under *may*, what no source settles counts as allowing and every key takes
every value that is not excluded: nothing found there, exhaustively, is **Proven**. Under *must* it counts as not allowing and
keys take documented values: a request found there, replayed by `evaluate`, is **Violated**. All else is **Undetermined**.

Assumptions of every answer: only key policies are read (grants, IAM policies, SCPs, RCPs, VPC endpoint policies and
permissions boundaries are not), and a service principal's own call never carries a customer's identity (D11).
"""

from collections.abc import Callable, Iterator, Sequence

from kmslint.errors import InternalError
from kmslint.policy.document import Item, Policy, Principal, Statement
from kmslint.policy.evaluate import Applied, Evaluation, applies, evaluate
from kmslint.policy.principals import DELEGATED, DIRECT, SERVICE
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import F, T, register_text
from kmslint.reason import actionset
from kmslint.reason.answer import INPUT, REGISTER, SYMBOL, Answer, Cause, Killed, Proven, StatementRef, Undetermined, Violated
from kmslint.reason.callers import Caller
from kmslint.reason.cells import Cell, Found, Goal, Open, models
from kmslint.reason.certificate import of_reach
from kmslint.reason.modes import ENDPOINT, ENDPOINT_OWNER, ORGANIZATIONS
from kmslint.reason.search import Problem
from kmslint.reason.space import Space, is_foreign
from kmslint.reason.statements import Numbered
from kmslint.reason.strings import Budget
from kmslint.reason.values import Atom
from kmslint.tree import from_python
from kmslint.typed import Final, NamedTuple

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
    answers: list[Answer] = []
    for _, answer in _by_statement(policies, described, key, grant):
        answers.append(answer)
        if isinstance(answer, Violated):
            break
    return _first(answers)


def find_allowed_by_statement(
    policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext, *, grant: str = DEFAULT
) -> tuple[tuple[StatementRef, Answer], ...]:
    """`find_allowed` for each Allow statement by itself, against all Denies: those that admit, or may admit, a request.

    Empty means proven for all.
    """
    return tuple(_by_statement(policies, described, key, grant))


def _by_statement(
    policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext, grant: str
) -> Iterator[tuple[StatementRef, Answer]]:
    unknown = _unknown_policy(policies)
    if unknown is not None:
        yield StatementRef(unknown[0], -1), Undetermined(unknown[1])
        return
    space = Space(policies, described, key)
    budgets = Budget(), Budget()
    for allow in space.allows():
        if all(space.groups.is_settled((allow, described), upper=True) for described in space.described):
            continue
        answer = _ask(space, _allowing(space, allow, grant), _Allowed(space, allow.ref, grant), budgets)
        if not isinstance(answer, Proven):
            yield allow.ref, answer


def prove_none_allowed(
    policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext, *, grant: str = DEFAULT
) -> Answer:
    """`find_allowed`, with a certificate when the answer is Proven: a step for each group of requests that was ruled out."""
    unknown = _unknown_policy(policies)
    if unknown is not None:
        return Undetermined(unknown[1])
    space = Space(policies, described, key)
    steps: list[Killed] = []
    space.steps = steps
    answers = [_ask(space, _allowing(space, allow, grant), _Allowed(space, allow.ref, grant)) for allow in space.allows()]
    return _certified(_first(answers), steps)


def prove_all_allowed(policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext, *, grant: str = ANY) -> Answer:
    """`find_not_allowed`, with a certificate when the answer is Proven."""
    unknown = _unknown_policy(policies)
    if unknown is not None:
        return Undetermined(unknown[1])
    space = Space(policies, described, key)
    steps: list[Killed] = []
    space.steps = steps
    return _certified(_ask(space, _refusing(space, grant), _Refused(space, grant)), steps)


def _certified(answer: Answer, steps: Sequence[Killed]) -> Answer:
    return answer._replace(certificate=tuple(steps)) if isinstance(answer, Proven) else answer


def find_not_allowed(policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext, *, grant: str = ANY) -> Answer:
    """Is some described request not allowed?

    Proven: every described request is allowed by the key policies. Violated: this described request is not, also where it
    could not work anyway (an action that does not work across accounts). With `grant` "direct", an allow that only delegates
    to IAM policies does not count as one.
    """
    unknown = _unknown_policy(policies)
    if unknown is not None:
        return Undetermined(unknown[1])
    space = Space(policies, described, key)
    return _ask(space, _refusing(space, grant), _Refused(space, grant))


def find_new_access(
    old: Sequence[Policy], new: Sequence[Policy], key: KeyContext, described: Sequence[Statement] | None = None
) -> Answer:
    """Does `new` allow a request that `old` does not, or allow one directly that `old` only delegated to IAM policies?

    Proven: no new access, whatever else decides beside the key policy. Violated: this request is newly allowed.
    """
    return _first([answer for _, answer in find_new_access_by_statement(old, new, key, described)])


def find_new_access_by_statement(
    old: Sequence[Policy], new: Sequence[Policy], key: KeyContext, described: Sequence[Statement] | None = None
) -> tuple[tuple[StatementRef, Answer], ...]:
    """`find_new_access` for each Allow statement of `new`; policy indices count within `new`. Empty means proven for all."""
    unknown = _unknown_policy((*new, *old))
    if unknown is not None:
        return ((StatementRef(0, -1), Undetermined(unknown[1])),)
    space = Space((*old, *new), _EVERYTHING if described is None else described, key)
    before, after = range(len(old)), range(len(old), len(old) + len(new))
    found: list[tuple[StatementRef, Answer]] = []
    budgets = Budget(), Budget()
    for allow in (one for one in space.allows() if one.ref.policy in after):
        ref = StatementRef(allow.ref.policy - len(old), allow.ref.statement)
        answers: list[Answer] = []
        for strengthened in (False, True):
            check = _NewlyAllowed(space, len(old), strengthened=strengthened)
            answers.append(_ask(space, _newly_allowing(space, allow, before, after, strengthened=strengthened), check, budgets))
            if isinstance(answers[-1], Violated):
                break
        answer = _first(answers)
        if not isinstance(answer, Proven):
            found.append((ref, answer))
    return tuple(found)


def is_inert(policies: Sequence[Policy], ref: StatementRef, key: KeyContext) -> Answer:
    """Does no request make this statement matter?

    Proven: with or without it, every request gets the same decision (and the same kind of grant). Violated: this request is
    decided otherwise without it.
    """
    unknown = _unknown_policy(policies)
    if unknown is not None:
        return Undetermined(unknown[1])
    space = Space(policies, _EVERYTHING, key)
    subject = next((one for one in space.statements if one.ref == ref), None)
    if subject is None:
        return Proven()
    return _ask(space, _mattering(space, subject), _Matters(space, ref))


def find_applying(policies: Sequence[Policy], ref: StatementRef, described: Sequence[Statement], key: KeyContext) -> Answer:
    """Does this statement, read as an Allow and by itself, admit a described request?

    Proven: no request meets its principal, action, resource and conditions; a Deny denies nothing then, an Allow allows nothing.
    Violated: this request would be allowed if the statement were the only one, and an Allow.
    """
    unknown = _unknown_policy(policies[ref.policy : ref.policy + 1])
    if unknown is not None:
        return Undetermined(unknown[1])
    space = Space(policies, described, key)
    subject = next((one for one in space.statements if one.ref == ref), None)
    if subject is None:
        return Proven()
    return _ask(space, _allowing(space, subject, ANY, alone=True), _Alone(space, subject))


class Access(NamedTuple):
    """One class of callers that may call an action: who, by which answer, and whether from outside the owner's account."""

    label: str
    kind: str
    """U user, R role session, F federated session, T root user, S AWS service."""
    account: str | None
    is_foreign: bool
    is_fresh: bool
    """The class is every account that the policies do not name."""
    answer: Violated | Undetermined


def who(policies: Sequence[Policy], action: str, key: KeyContext) -> tuple[Access, ...]:
    """Every class of principals that may call `action` (`kms:Decrypt`), each with a witness; exhaustive.

    A class that is not listed is proven to have no access by the key policies.
    """
    described = (_EVERYTHING[0]._replace(actions=(Item(action, _NODE),)),)
    unknown = _unknown_policy(policies)
    if unknown is not None:
        return (Access("anybody", "?", None, True, True, Undetermined(unknown[1])),)
    space = Space(policies, described, key)
    found = []
    for caller in space.callers:
        answer = _ask(space, _admitting(space, caller), _Allowed(space))
        if not isinstance(answer, Proven):
            found.append(Access(caller.label, caller.kind, caller.account, is_foreign(caller, key), caller.is_fresh, answer))
    return tuple(found)


_NODE: Final = from_python(None)
_EVERYTHING: Final = (
    Statement(0, None, "Allow", (Principal("*", "*", _NODE),), (Item("*", _NODE),), (Item("*", _NODE),), (), _NODE),
)


def _first(answers: Sequence[Answer]) -> Answer:
    """The answer for a union: a witness if there is one, else what is undetermined, else proven."""
    for answer in answers:
        if isinstance(answer, Violated):
            return answer
    open_answers = [answer for answer in answers if isinstance(answer, Undetermined)]
    if not open_answers:
        return Proven((D11,))
    causes = tuple(dict.fromkeys(cause for answer in open_answers for cause in answer.causes))
    return Undetermined(causes, open_answers[0].candidate)


def _unknown_policy(policies: Sequence[Policy]) -> tuple[int, tuple[Cause, ...]] | None:
    for number, policy in enumerate(policies):
        if policy.unknown:
            return number, tuple(Cause(SYMBOL, reason) for reason in policy.unknown)
    return None


class _Allowed:
    """Checks a candidate of `find_allowed` with the evaluator: one Allow statement by itself, against all Denies."""

    def __init__(self, space: Space, allow: StatementRef | None = None, grant: str = ANY) -> None:
        self.space = space
        self.allow = allow
        self.grant = grant

    @property
    def judged(self) -> tuple[tuple[Policy, ...], ...]:
        """The policies that a candidate is checked against."""
        return (self.space.policies if self.allow is None else tuple(_alone(self.space.policies, self.allow)),)

    def holds(self, request: Request) -> Evaluation | None:
        """The evaluation, when the request is described and must be allowed; else None."""
        decided = evaluate(self.judged[0], request)
        if not decided.must or not _is_described(self.space, request):
            return None
        if self.grant == DELEGATED and _may_be_direct(self.space.policies, request):
            return None
        return decided


def _may_be_direct(policies: Sequence[Policy], request: Request) -> bool:
    """Whether some Allow that is not just for the IAM policies of an account may apply, whatever else does."""
    return any(True for _ in _direct(policies, request))


def _direct(policies: Sequence[Policy], request: Request) -> Iterator[Applied]:
    """How each Allow applies that may apply and is not just for the IAM policies of an account."""
    for policy in policies:
        for one in policy.statements:
            applied = applies(one, policy, request)
            if one.effect != "Deny" and applied.grant == DIRECT and applied.truth != F:
                yield applied


class _Alone:
    """Checks a candidate of `find_applying` with the evaluator: the statement as the only one, and an Allow."""

    def __init__(self, space: Space, subject: Numbered) -> None:
        self.space = space
        self.subject = subject

    @property
    def judged(self) -> tuple[tuple[Policy, ...], ...]:
        """The policies that a candidate is checked against."""
        subject = self.subject
        return ((subject.policy._replace(statements=(subject.statement._replace(effect="Allow"),)),),)

    def holds(self, request: Request) -> Evaluation | None:
        """The evaluation, when the request is described and must be allowed; else None."""
        decided = evaluate(self.judged[0], request)
        return decided if decided.must and _is_described(self.space, request) else None


def _alone(policies: Sequence[Policy], allow: StatementRef) -> Iterator[Policy]:
    """The policies with `allow` as their only Allow statement."""
    for place, policy in enumerate(policies):
        kept = (one for one in policy.statements if one.effect != "Allow" or (place, one.index) == allow)
        yield policy._replace(statements=tuple(kept))


class _Refused:
    """Checks a candidate of `find_not_allowed` with the evaluator."""

    def __init__(self, space: Space, grant: str) -> None:
        self.space = space
        self.grant = grant
        self.judged = (space.policies,)

    def holds(self, request: Request) -> Evaluation | None:
        """The evaluation, when the request is described and may not be allowed; else None."""
        decided = evaluate(self.space.policies, request)
        is_refused = not decided.may or (self.grant == DIRECT and decided.grant == DELEGATED)
        return decided if is_refused and _is_described(self.space, request) else None


class _NewlyAllowed:
    """Checks a candidate of `find_new_access` with the evaluator."""

    def __init__(self, space: Space, split: int, *, strengthened: bool) -> None:
        self.space = space
        self.split = split
        self.strengthened = strengthened
        self.judged = (space.policies[split:], space.policies[:split])

    def holds(self, request: Request) -> Evaluation | None:
        """The evaluation by the new policies, when the request must be allowed by them and may not be by the old ones."""
        old, new = self.space.policies[: self.split], self.space.policies[self.split :]
        before, after = evaluate(old, request), evaluate(new, request)
        if not after.must or not _is_described(self.space, request):
            return None
        if self.strengthened:
            return after if after.grant == DIRECT and not (before.may and _may_be_direct(old, request)) else None
        return None if before.may else after


class _Matters:
    """Checks a candidate of `is_inert`: the decision with and without the statement."""

    def __init__(self, space: Space, ref: StatementRef) -> None:
        self.space = space
        policy = space.policies[ref.policy]
        kept = tuple(statement for statement in policy.statements if statement.index != ref.statement)
        self.without = (*space.policies[: ref.policy], policy._replace(statements=kept), *space.policies[ref.policy + 1 :])
        self.judged = (space.policies, self.without)

    def holds(self, request: Request) -> Evaluation | None:
        """The evaluation with the statement, when it surely differs from the one without."""
        with_it, without = evaluate(self.space.policies, request), evaluate(self.without, request)
        if with_it.must and (not without.may or (with_it.grant == DIRECT and not _may_be_direct(self.without, request))):
            return with_it
        return with_it if without.must and not with_it.may else None


def _is_described(space: Space, request: Request) -> bool:
    return any(applies(one.statement, one.policy, request).truth == T for one in space.described)


Check = _Allowed | _Alone | _Refused | _NewlyAllowed | _Matters
Goals = Callable[[bool], Iterator[Goal]]
"""The goals of a question in the *may* reading (True) or the *must* reading (False)."""


def _ask(space: Space, goals: "Goals", check: "Check", budgets: tuple[Budget, Budget] | None = None) -> Answer:
    """The may reading first: most questions end there with a proof, or with a candidate that replays at once."""
    candidate: Request | None = None
    causes: list[Cause] = []
    wide, narrow = budgets or (Budget(), Budget())
    for found in _models(space, goals, wide, may=True):
        if isinstance(found, Open):
            causes.append(found.cause)
            continue
        answer = _replayed(found.request, check) if _is_usual(found.request) else None
        if answer is not None:
            return answer
        candidate = candidate or found.request
    if candidate is None and not causes:
        return Proven((D11,))
    for found in _models(space, goals, narrow, may=False):
        if isinstance(found, Open):
            causes.append(found.cause)
            continue
        answer = _replayed(found.request, check)
        if answer is not None:
            return answer
        holes = [cause for cause in _causes(space, check, found.request) if cause.kind == SYMBOL]
        if not holes:
            raise InternalError(
                f"a witness does not replay: {found.request.principal} {found.request.action} {dict(found.request.context)}"
            )
        # UNDER: the search knows the text around a hole, the evaluator leaves all of such a value open
        causes += holes
        candidate = candidate or found.request
    return Undetermined(tuple(dict.fromkeys((*causes, *_causes(space, check, candidate)))), candidate)


def _models(space: Space, goals: "Goals", budget: Budget, *, may: bool) -> Iterator[Found | Open]:
    for goal in goals(may):
        yield from models(space, goal, may=may, budget=budget)


def _replayed(request: Request, check: "Check") -> Violated | None:
    decided = check.holds(request)
    if decided is None:
        return None
    refs = tuple(StatementRef(*ref) for ref in decided.matched) if decided.must else ()
    return Violated(request, refs, decided.grant if decided.must else None)


def _is_usual(request: Request) -> bool:
    """Whether a candidate of the wide reading is also one of the narrow reading: no value that only *may* explores."""
    context = request.context
    if "" in context.values() or "kms:resourcealiases" in context:
        return False
    if context.get("aws:securetransport") == "false":
        return False
    if request.action == "kms:SynchronizeMultiRegionKey":
        return False
    if any(not _is_below(context.get(name), context.get(paths)) for name, paths in ORGANIZATIONS.items()):
        return False
    is_service = request.principal is not None and not request.principal.startswith("arn:")
    if is_service:
        return not any(name in context for name in _NOT_OF_SERVICES)
    if "aws:viaawsservice" in context and ("kms:viaservice" in context or "aws:calledvia" in context):
        return context["aws:viaawsservice"] == "true" and "aws:sourceip" not in context
    return "aws:sourceip" not in context or not any(name in context for name in (*ENDPOINT, *ENDPOINT_OWNER))


_NOT_OF_SERVICES: Final = ("kms:viaservice", "aws:viaawsservice", "aws:calledvia", "aws:sourceip", "aws:tokenissuetime")
"""Keys that a service's own call may carry or not (UNSURE-7, UNSURE-26)."""


def _is_below(organization: object, paths: object) -> bool:
    """D8: every path starts with the organization's id; nothing to compare where either is not part of the request."""
    if not isinstance(organization, str) or not isinstance(paths, frozenset):
        return True
    return all(path.startswith(organization + "/") for path in paths)


def _causes(space: Space, check: "Check", candidate: Request | None) -> tuple[Cause, ...]:
    """Why a candidate is no witness: the register points and unresolved values that the evaluator met, or an unusual context."""
    if candidate is None:
        return ()
    reasons = [reason for policies in check.judged for reason in evaluate(policies, candidate).reasons]
    for one in space.described:
        reasons += applies(one.statement, one.policy, candidate).reasons
    if not reasons and _is_usual(candidate):
        reasons += [reason for applied in _direct(space.policies, candidate) for reason in applied.reasons]
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


def _allowing(space: Space, allow: Numbered, grant: str, *, alone: bool = False) -> Goals:
    """The described requests that `allow` admits and no Deny stops; `alone` sets the Denies aside."""
    denies = () if alone else space.denies()
    others = space.allows() if grant == DELEGATED else ()

    def goals(may: bool) -> Iterator[Goal]:
        for described in space.described:

            def problems(cell: Cell, described: Numbered = described) -> Iterator[Problem]:
                direct = [one for one in others if space.principal(one, cell.caller).grant == DIRECT]
                yield from _admitted(cell, (described, allow), (*denies, *direct))

            bits = allow.actions(upper=may) & described.actions(upper=may)
            counts = _counting(space, allow, grant, may=may)
            yield Goal(problems, (described, allow, *denies, *others), (described, allow), bits, counts, allow.ref, denies)

    return goals


def _admitted(cell: Cell, needed: Sequence[Numbered], denies: Sequence[Numbered]) -> Iterator[Problem]:
    """All of `needed` apply, none of `denies` does."""
    demanded: list[Atom] = []
    for one in needed:
        atoms = cell.atoms(one, upper=cell.may)
        if atoms is None:
            cell.note(of_reach, one)
            return
        demanded += atoms
    stopped = cell.refuted(denies, upper=not cell.may)
    if stopped is not None:
        yield Problem(tuple(demanded), tuple(stopped))


def _counting(space: Space, allow: Numbered, grant: str, *, may: bool) -> Callable[[Caller], int]:
    """The actions for which an allow of a caller class by this statement counts, as a mask.

    A foreign principal's call of an action that does not work across accounts is no access (KMS Developer Guide, permissions
    table, "Cross-account use").
    """

    def counts(caller: Caller) -> int:
        foreign = is_foreign(caller, space.key)
        if not (grant == ANY or (grant == DEFAULT and foreign)):
            wanted = DELEGATED if grant == DELEGATED else DIRECT
            if space.principal(allow, caller).grant != wanted:
                return 0
        if foreign and caller.kind != SERVICE:
            return actionset.MAYBE_CROSS_ACCOUNT if may else actionset.CROSS_ACCOUNT & actionset.CERTAIN
        return actionset.ALL if may else actionset.CERTAIN

    return counts


def _counting_all(*, may: bool) -> Callable[[Caller], int]:
    bits = actionset.ALL if may else actionset.CERTAIN
    return lambda _: bits


def _refusing(space: Space, grant: str) -> Goals:
    """The described requests that no Allow admits, or that some Deny stops. In *may*: that are not surely allowed."""
    allows, denies = space.allows(), space.denies()

    def goals(may: bool) -> Iterator[Goal]:
        for described in space.described:

            def problems(cell: Cell, described: Numbered = described) -> Iterator[Problem]:
                asked = cell.atoms(described, upper=may)
                if asked is None:
                    cell.note(of_reach, described)
                    return
                counted = (
                    allows if grant != DIRECT else [one for one in allows if space.principal(one, cell.caller).grant == DIRECT]
                )
                yield from _refused(cell, asked, counted, denies)

            yield Goal(
                problems, (described, *allows, *denies), (described,), described.actions(upper=may), _counting_all(may=may)
            )

    return goals


def _refused(cell: Cell, asked: tuple[Atom, ...], allows: Sequence[Numbered], denies: Sequence[Numbered]) -> Iterator[Problem]:
    """`asked` holds, and no Allow applies or some Deny does."""
    unmet = cell.refuted(allows, upper=not cell.may)
    if unmet is not None:
        yield Problem(asked, tuple(unmet))
    for deny in denies:
        stopped = cell.atoms(deny, upper=cell.may)
        if stopped is not None:
            yield Problem((*asked, *stopped), ())


def _newly_allowing(space: Space, allow: Numbered, before: range, after: range, *, strengthened: bool) -> Goals:
    """The described requests that `allow` admits and no new Deny stops, and that the old policies do not allow (directly)."""
    old_allows = tuple(one for one in space.allows() if one.ref.policy in before)
    old_denies = tuple(one for one in space.denies() if one.ref.policy in before)
    new_denies = tuple(one for one in space.denies() if one.ref.policy in after)

    def goals(may: bool) -> Iterator[Goal]:
        for described in space.described:

            def problems(cell: Cell, described: Numbered = described) -> Iterator[Problem]:
                counted = [one for one in old_allows if not strengthened or space.principal(one, cell.caller).grant == DIRECT]
                for admitted in _admitted(cell, (described, allow), new_denies):
                    for refused in _refused(cell, admitted.units, counted, old_denies):
                        yield Problem(refused.units, (*admitted.clauses, *refused.clauses))

            bits = allow.actions(upper=may) & described.actions(upper=may)
            relevant = (described, allow, *new_denies, *old_allows, *old_denies)
            counts = _counting(space, allow, DIRECT if strengthened else ANY, may=may)
            yield Goal(problems, relevant, (described, allow), bits, counts, allow.ref, new_denies)

    return goals


def _mattering(space: Space, subject: Numbered) -> Goals:
    """The requests that `subject` decides: allowed by it alone, or denied by it alone though allowed."""
    denies = tuple(one for one in space.denies() if one is not subject)
    allows = tuple(one for one in space.allows() if one is not subject)
    relevant = (subject, *allows, *denies)

    def allowed_alone(cell: Cell) -> Iterator[Problem]:
        is_direct = space.principal(subject, cell.caller).grant == DIRECT
        beside = [one for one in allows if not is_direct or space.principal(one, cell.caller).grant == DIRECT]
        yield from _admitted(cell, (subject,), (*denies, *beside))

    def denied_alone(cell: Cell) -> Iterator[Problem]:
        for allow in allows:
            yield from _admitted(cell, (subject, allow), denies)

    def goals(may: bool) -> Iterator[Goal]:
        bits, counts = subject.actions(upper=may), _counting(space, subject, ANY, may=may)
        if subject.statement.effect != "Deny":
            yield Goal(allowed_alone, relevant, (subject,), bits, counts, subject.ref)
        if subject.statement.effect != "Allow":
            yield Goal(denied_alone, relevant, (subject,), bits, counts, subject.ref)

    return goals


def _admitting(space: Space, caller: Caller) -> Goals:
    """The described requests of one caller class that some Allow admits and no Deny stops."""
    denies = space.denies()

    def goals(may: bool) -> Iterator[Goal]:
        for allow in space.allows():
            counted = _counting(space, allow, ANY, may=may)
            for described in space.described:

                def problems(cell: Cell, described: Numbered = described, allow: Numbered = allow) -> Iterator[Problem]:
                    yield from _admitted(cell, (described, allow), denies)

                def counts(one: Caller, counted: Callable[[Caller], int] = counted) -> int:
                    return counted(one) if one is caller else 0

                bits = allow.actions(upper=may) & described.actions(upper=may)
                yield Goal(problems, (described, allow, *denies), (described, allow), bits, counts, allow.ref, denies)

    return goals
