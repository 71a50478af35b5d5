"""The closed list of questions about key policies. Rules and users ask these and nothing else.

Each is decided in two readings (SEMANTICS §0). Under *may*, what no source settles counts as allowing and every key takes
every value that is not excluded: nothing found there, exhaustively, is **Proven**. Under *must* it counts as not allowing and
keys take documented values: a request found there, replayed by `evaluate`, is **Violated**. All else is **Undetermined**.

Assumptions of every answer: only key policies are read (grants, IAM policies, SCPs, RCPs, VPC endpoint policies and
permissions boundaries are not), and a service principal's own call never carries a customer's identity (D11).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Final, NamedTuple

from kmslint.errors import InternalError
from kmslint.policy.document import Condition, Item, Policy, Principal, Statement
from kmslint.policy.evaluate import Evaluation, applies, evaluate
from kmslint.policy.operators import STRING
from kmslint.policy.principals import DELEGATED, DIRECT, SERVICE, Match, match_principals
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import T, U
from kmslint.reason import actionset
from kmslint.reason.answer import (
    BUDGET,
    INPUT,
    OWNER,
    REGISTER,
    SYMBOL,
    Answer,
    Cause,
    Killed,
    Proven,
    StatementRef,
    Undetermined,
    Violated,
)
from kmslint.reason.cells import Caller, Domains, Mode, Names, base_modes, callers, names_in
from kmslint.reason.compile import Context, compile_condition, variable_of, variables_in
from kmslint.reason.search import Budget, Clause, Model, Problem, Search
from kmslint.reason.strings import BudgetExceeded
from kmslint.reason.values import ALWAYS, NEVER, Atom, Domain, Solver, Unsolved
from kmslint.reason.witness import build
from kmslint.tree import from_python

DEFAULT: Final = "default"
ANY: Final = "any"

MAX_BINDINGS: Final = 400
"""Cases tried for the values of policy variables in one cell."""

D11: Final = "an AWS service's own call never carries the identity of a customer's principal (D11)"

_QUESTION: Final = Policy("2012-10-17", ())
_NODE: Final = from_python(None)
_EVERYONE: Final = (Principal("*", "*", _NODE),)
_EVERY_ACTION: Final = (Item("*", _NODE),)


class _Numbered(NamedTuple):
    """A statement with its place and its policy's reading of variables."""

    ref: StatementRef
    statement: Statement
    policy: Policy


class _Goal(NamedTuple):
    """A question in one reading: which statements count in which direction, and how the pieces combine."""

    problems: "Callable[[_Cell], Iterator[Problem]]"
    relevant: tuple[_Numbered, ...]
    """The statements whose conditions matter."""
    actions: int
    """The actions to ask about, as a mask."""
    label: StatementRef | None


class _Found(NamedTuple):
    """A model, as a request."""

    request: Request


class _Open(NamedTuple):
    """The cell could not be decided."""

    cause: Cause


class _Cell(NamedTuple):
    """One caller class and one group of actions, in one reading and one mode."""

    space: "Space"
    caller: Caller
    action: str
    bindings: dict[str, str | None]
    may: bool

    def atoms(self, numbered: _Numbered, *, upper: bool) -> tuple[Atom, ...] | None:
        """What the statement demands here; None when it does not apply."""
        if not self.space.applies(numbered, self.caller, self.action, upper=upper):
            return None
        return self.space.conditions(numbered, self.caller, self.bindings, upper=upper)

    def refuted(self, numbered: Iterable[_Numbered], *, upper: bool) -> list[Clause] | None:
        """Clauses that say: none of these statements applies; None when one applies to everything here."""
        clauses = []
        for one in numbered:
            atoms = self.atoms(one, upper=upper)
            if atoms is None:
                continue
            if not atoms:
                return None
            clauses.append(tuple(atom.negated() for atom in atoms))
        return clauses


class Space:
    """What is shared by all questions about one list of policies and one described set."""

    def __init__(self, policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext) -> None:
        self.policies = tuple(policies)
        self.key = key
        self.described = tuple(
            _Numbered(StatementRef(-1, index), statement._replace(index=-1), _QUESTION) for index, statement in enumerate(described)
        )
        self.statements = tuple(
            _Numbered(StatementRef(number, statement.index), statement, policy)
            for number, policy in enumerate(self.policies)
            for statement in policy.statements
        )
        self.names: Names = names_in([one.statement for one in (*self.statements, *self.described)], key)
        self.callers = callers(self.names, key)
        self.solver = Solver()
        self._matches: dict[tuple[StatementRef, int, str], Match] = {}
        self._compiled: dict[tuple[StatementRef, str, bool], tuple[Atom, ...] | None] = {}

    def allows(self) -> tuple[_Numbered, ...]:
        """Every statement that may allow."""
        return tuple(one for one in self.statements if one.statement.effect != "Deny")

    def denies(self) -> tuple[_Numbered, ...]:
        """Every statement that may deny."""
        return tuple(one for one in self.statements if one.statement.effect != "Allow")

    def principal(self, numbered: _Numbered, caller: Caller) -> Match:
        """How the statement's Principal element sees a caller class."""
        known = (numbered.ref, id(caller), "")
        match = self._matches.get(known)
        if match is None:
            context = {"aws:principalarn": caller.arn} if caller.arn is not None else {}
            request = Request(caller.principal, "kms:Decrypt", context, self.key, caller.parent)
            match = self._matches[known] = match_principals(numbered.statement, request, lean=False)
        return match

    def applies(self, numbered: _Numbered, caller: Caller, action: str, *, upper: bool) -> bool:
        """Whether principal, action, resource and form let the statement apply, conditions aside."""
        statement = numbered.statement
        if statement.actions is None or statement.resources is None or not statement.principals:
            return False
        if statement.unknown and not upper:
            return False
        if not actionset.mask(statement, upper=upper) >> actionset.NAMES.index(action) & 1:
            return False
        floor = U if upper else T
        return self.principal(numbered, caller).truth >= floor and self._resource(numbered) >= floor

    def _resource(self, numbered: _Numbered) -> int:
        statement = numbered.statement
        if not statement.not_resource and statement.resources and statement.resources[0].value == "*":
            return T
        bare = statement._replace(conditions=(), principals=_EVERYONE, not_principal=False, actions=_EVERY_ACTION, not_action=False, unknown=())
        return applies(bare, numbered.policy, Request(None, "kms:Decrypt", {}, self.key)).truth

    def conditions(self, numbered: _Numbered, caller: Caller, bindings: dict[str, str | None], *, upper: bool) -> tuple[Atom, ...] | None:
        """The statement's conditions as atoms; None when one cannot hold."""
        statement = numbered.statement
        if not statement.conditions:
            return ()
        has_variables = numbered.policy.has_variables()
        is_plain = not has_variables or not any(variables_in(condition) for condition in statement.conditions)
        known = (numbered.ref, caller.kind, upper)
        if is_plain and known in self._compiled:
            return self._compiled[known]
        context = Context(caller.kind, caller.principal, bindings, self.key)
        atoms: list[Atom] | None = []
        for condition in statement.conditions:
            atom = compile_condition(condition, statement, has_variables, context, upper=upper)
            if atom is False:
                atoms = None
                break
            if isinstance(atom, Atom):
                atoms.append(atom)  # type: ignore[union-attr]
        found = None if atoms is None else tuple(atoms)
        if is_plain:
            self._compiled[known] = found
        return found

    # searching

    def search(self, goal: _Goal, caller: Caller, budget: Budget, *, may: bool) -> Iterator[_Found | _Open]:
        """Models of the goal for one caller class, one per group of actions; or what kept a group from being decided."""
        conditions = [condition for one in goal.relevant for condition in one.statement.conditions]
        pivots = tuple(dict.fromkeys(name for one in goal.relevant for name in _pivots(one)))
        mentioned = frozenset(condition.key.lower() for condition in conditions) | frozenset(pivots)
        masks = [actionset.mask(one.statement, upper=upper) for one in goal.relevant for upper in (True, False)]
        modes = base_modes(caller.kind, mentioned, may=may)
        for group in actionset.groups(goal.actions, masks, sorted(mentioned), caller.kind):
            action = actionset.first(group)
            for mode in modes:
                found = self._in_mode(goal, caller, action, mode, pivots, mentioned, budget, may=may)
                if found is not None:
                    yield found
                    break

    def _in_mode(
        self,
        goal: _Goal,
        caller: Caller,
        action: str,
        mode: Mode,
        pivots: tuple[str, ...],
        mentioned: frozenset[str],
        budget: Budget,
        *,
        may: bool,
    ) -> _Found | _Open | None:
        domains = Domains(caller, action, mode, self.key, self.names.accounts, may=may)
        bindings = {name: value for name in pivots for value in _bound(domains.of(variable_of(name, caller.kind)))}
        free = tuple(name for name in pivots if name not in bindings)
        # OVER in may (a free variable is any text), UNDER in must (it matches nothing): what it finds there is a case to split
        try:
            found = self._solve(goal, _Cell(self, caller, action, bindings, may), domains, mentioned, budget)
        except (Unsolved, BudgetExceeded) as stop:
            return _Open(Cause(BUDGET, str(stop)))
        if not free or (found is None and may):
            return found
        if found is not None and not may:
            return found
        return self._split(goal, caller, action, mode, free, bindings, mentioned, budget, may=may)

    def _split(
        self,
        goal: _Goal,
        caller: Caller,
        action: str,
        mode: Mode,
        free: tuple[str, ...],
        bindings: dict[str, str | None],
        mentioned: frozenset[str],
        budget: Budget,
        *,
        may: bool,
    ) -> _Found | _Open | None:
        """Try values for the keys whose values are inserted into patterns: all that matter where only equality is asked."""
        variables = {variable_of(name, caller.kind) for name in free}
        domains = Domains(caller, action, mode, self.key, self.names.accounts, may=may)
        choices, is_complete = _candidates(variables, goal, domains, self.solver, caller.kind)
        total = 1
        for values in choices.values():
            total *= len(values)
        cases = product(*choices.values()) if total <= MAX_BINDINGS else ()
        for values in cases:
            fixed = tuple(zip(choices, values, strict=True))
            inner = mode._replace(fixed=(*mode.fixed, *fixed))
            chosen = dict(fixed)
            bound = {**bindings, **{name: chosen[variable_of(name, caller.kind)] for name in free}}
            narrowed = Domains(caller, action, inner, self.key, self.names.accounts, may=may)
            try:
                found = self._solve(goal, _Cell(self, caller, action, bound, may), narrowed, mentioned, budget)
            except (Unsolved, BudgetExceeded) as stop:
                return _Open(Cause(BUDGET, str(stop)))
            if found is not None:
                return found
        if (is_complete and total <= MAX_BINDINGS) or not may:
            return None
        return _Open(Cause(BUDGET, f"the policy variable `${{{free[0]}}}` was not eliminated"))

    def _solve(self, goal: _Goal, cell: _Cell, domains: Domains, mentioned: frozenset[str], budget: Budget) -> _Found | None:
        for problem in goal.problems(cell):
            model = Search(cell.caller, domains, self.solver, budget).model(problem)
            if model is not None:
                return _Found(self._request(cell, model, domains, mentioned))
        return None

    def _request(self, cell: _Cell, model: Model, domains: Domains, mentioned: frozenset[str]) -> Request:
        return build(cell.caller, cell.action, model, domains, mentioned, self.key, self.solver)


def _pivots(numbered: _Numbered) -> tuple[str, ...]:
    if not numbered.policy.has_variables():
        return ()
    return tuple(name for condition in numbered.statement.conditions for name in variables_in(condition))


def _bound(domain: Domain) -> tuple[str | None, ...]:
    """The one value that a variable has in a cell, if it has just one: the key's constant, or None (no value)."""
    if domain.multi or (domain.presence == NEVER and not domain.may_be_empty):
        return (None,)
    if domain.presence == ALWAYS and domain.finite is not None and len(domain.finite) == 1:
        return (domain.finite[0],)
    return ()


def _candidates(
    variables: set[str], goal: _Goal, domains: Domains, solver: Solver, kind: str
) -> tuple[dict[str, tuple[str | None, ...]], bool]:
    """Values to try for each variable key, and whether they are all that can matter.

    Equality only sees which values are equal: where every condition on the keys involved compares literally, the literals
    and one fresh value a key are a complete set. Elsewhere they are good guesses.
    """
    involved = set(variables)
    uses: list[tuple[Condition, bool]] = []
    for one in goal.relevant:
        for condition in one.statement.conditions:
            inserted = {variable_of(name, kind) for name in variables_in(condition)} if one.policy.has_variables() else set()
            if inserted & variables:
                involved.add(variable_of(condition.key.lower(), kind))
            uses.append((condition, bool(inserted)))
    about = [(condition, with_variable) for condition, with_variable in uses if variable_of(condition.key.lower(), kind) in involved]
    is_complete = all(_is_literal(condition, with_variable) for condition, with_variable in about)
    literals = {
        item.value for condition, _ in about for item in condition.values if isinstance(item.value, str) and "${" not in item.value
    }
    choices: dict[str, tuple[str | None, ...]] = {}
    fresh: list[str] = []
    for name in sorted(variables):
        value = _fresh(domains.of(name), literals | set(fresh), solver)
        if value is not None:
            fresh.append(value)
    for name in sorted(variables):
        domain = domains.of(name)
        values: list[str | None] = [value for value in (*fresh, *sorted(literals)) if domain.holds(value)]
        if domain.presence != ALWAYS:
            values.insert(0, None)
        choices[name] = tuple(dict.fromkeys(values))
    return choices, is_complete


def _is_literal(condition: Condition, with_variable: bool) -> bool:
    from kmslint.policy import operators

    use = operators.lookup(condition.operator)
    if use is None:
        return True
    if use.operator.family == operators.NULL:
        return True
    if use.operator.family != STRING:
        return False
    return not with_variable or all(
        isinstance(item.value, str) and ("${" not in item.value or _is_one_variable(item.value)) for item in condition.values
    )


def _is_one_variable(text: str) -> bool:
    return text.startswith("${") and text.find("}") == len(text) - 1 and "," not in text


def _fresh(domain: Domain, taken: set[str], solver: Solver) -> str | None:
    """A value of the domain that is none of `taken`; None when there is none."""
    for sample in (*domain.samples, *(f"value{number}" for number in range(len(taken) + 1))):
        if sample not in taken and domain.holds(sample):
            return sample
    try:
        found = solver.model(domain._replace(presence=ALWAYS, multi=False, excluded=domain.excluded | frozenset(taken)), ())
    except BudgetExceeded:
        return None
    return found if isinstance(found, str) else None


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


def _ask(space: Space, goals: Callable[[bool], Iterator[_Goal]], check: "_Allowed | _Refused") -> Answer:
    """The may reading first: most questions end there with a proof, or with a candidate that replays at once."""
    candidate: Request | None = None
    causes: list[Cause] = []
    budget = Budget()
    for found in _models(space, goals, budget, may=True):
        if isinstance(found, _Open):
            causes.append(found.cause)
            continue
        answer = _replayed(found.request, check) if _is_usual(space, found.request) else None
        if answer is not None:
            return answer
        candidate = candidate or found.request
    if candidate is None and not causes:
        return Proven((D11,))
    for found in _models(space, goals, Budget(), may=False):
        if isinstance(found, _Open):
            causes.append(found.cause)
            continue
        answer = _replayed(found.request, check)
        if answer is None:
            raise InternalError(f"a witness does not replay: {found.request.principal} {found.request.action} {dict(found.request.context)}")
        return answer
    return Undetermined(tuple(dict.fromkeys((*causes, *_causes(space, candidate)))), candidate)


def _models(space: Space, goals: Callable[[bool], Iterator[_Goal]], budget: Budget, *, may: bool) -> Iterator[_Found | _Open]:
    for goal in goals(may):
        for caller in space.callers:
            yield from space.search(goal, caller, budget, may=may)


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
    from kmslint.policy.truth import register_text

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
    return OWNER if "owner" in reason else INPUT


# goals


def _allowing(space: Space, allow: _Numbered, grant: str, *, may: bool) -> Iterator[_Goal]:
    """The described requests that `allow` admits and no Deny stops."""
    denies = space.denies()
    others = tuple(one for one in space.allows() if one is not allow) if grant == DELEGATED else ()
    for described in space.described:
        bits = actionset.mask(allow.statement, upper=may) & actionset.mask(described.statement, upper=may)
        if not may:
            bits &= actionset.CERTAIN

        def problems(cell: _Cell, described: _Numbered = described) -> Iterator[Problem]:
            if not _counts(space, allow, cell, grant):
                return
            asked = cell.atoms(described, upper=may)
            admitted = cell.atoms(allow, upper=may)
            if asked is None or admitted is None:
                return
            stopped = cell.refuted(denies, upper=not may)
            if stopped is None:
                return
            if others:
                direct = [one for one in others if space.principal(one, cell.caller).grant == DIRECT]
                beside = cell.refuted(direct, upper=not may)
                if beside is None:
                    return
                stopped += beside
            yield Problem((*asked, *admitted), tuple(stopped))

        yield _Goal(problems, (described, allow, *denies, *others), bits, allow.ref)


def _counts(space: Space, allow: _Numbered, cell: _Cell, grant: str) -> bool:
    """Whether an allow of this caller class by this statement counts for the question.

    A foreign principal's call of an action that does not work across accounts is no access (KMS Developer Guide, permissions
    table, "Cross-account use").
    """
    is_foreign = cell.caller.kind == SERVICE or cell.caller.account != space.key.account
    if is_foreign and cell.caller.kind != SERVICE:
        works = actionset.MAYBE_CROSS_ACCOUNT if cell.may else actionset.CROSS_ACCOUNT
        if not works >> actionset.NAMES.index(cell.action) & 1:
            return False
    if grant == ANY or (grant == DEFAULT and is_foreign):
        return True
    wanted = DELEGATED if grant == DELEGATED else DIRECT
    return space.principal(allow, cell.caller).grant == wanted


def _refusing(space: Space, grant: str, *, may: bool) -> Iterator[_Goal]:
    """The described requests that no Allow admits, or that some Deny stops. `may`: that are not surely allowed."""
    allows, denies = space.allows(), space.denies()
    for described in space.described:
        bits = actionset.mask(described.statement, upper=may) & (actionset.ALL if may else actionset.CERTAIN)

        def problems(cell: _Cell, described: _Numbered = described) -> Iterator[Problem]:
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

        yield _Goal(problems, (described, *allows, *denies), bits, None)
