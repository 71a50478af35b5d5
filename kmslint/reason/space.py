"""The space of requests that a question ranges over, searched cell by cell.

A question supplies, per cell, problems (atoms that must hold, clauses of which one literal must); the space knows the
statements, the caller classes, the groups of actions, the case splits, and how statements become atoms in each of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product

from kmslint.aws.condition_keys import lookup as lookup_key
from kmslint.policy import operators
from kmslint.policy.document import Condition, Item, Policy, Principal, Statement
from kmslint.policy.evaluate import applies
from kmslint.policy.principals import ROLE, SERVICE, Match, match_principals
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import T, U
from kmslint.reason import actionset, certificate
from kmslint.reason.answer import BUDGET, Cause, Killed, StatementRef
from kmslint.reason.callers import FRESH, SERVICES, Caller, Callers, Names, join_names
from kmslint.reason.compile import Context, variable_of, variables_in
from kmslint.reason.domains import Domains
from kmslint.reason.modes import ORGANIZATIONS, Mode, base_modes
from kmslint.reason.search import VIEWS, Clause, Problem, Search, equal_to, is_view
from kmslint.reason.statements import Numbered, of_policy, of_question
from kmslint.reason.strings import Budget, BudgetExceeded
from kmslint.reason.values import ALWAYS, EMPTY, NEVER, Atom, Domain, Solver, Unsolved
from kmslint.reason.witness import build
from kmslint.tree import from_python
from kmslint.typed import Final, NamedTuple

MAX_BINDINGS: Final = 400
"""Cases tried for the values of policy variables in one cell."""

MAX_KNOWN: Final = 64
"""Lists of policies of which what was learnt is remembered."""

MAX_CALLERS: Final = 32
"""Sets of caller classes that are remembered for one list of policies."""

_NODE: Final = from_python(None)
_EVERYONE: Final = (Principal("*", "*", _NODE),)
_EVERY_ACTION: Final = (Item("*", _NODE),)


class Goal(NamedTuple):
    """A question in one reading. `problems` is asked per cell; `needed` are the statements that must apply for any problem."""

    problems: "Callable[[Cell], Iterable[Problem]]"
    relevant: tuple[Numbered, ...]
    """The statements whose conditions matter."""
    needed: tuple[Numbered, ...]
    actions: int
    counts: "Callable[[Caller], int]"
    """The actions of the question that count for a caller class, as a mask."""
    label: StatementRef | None = None
    stoppers: tuple[Numbered, ...] = ()
    """Denies that must not apply: where one applies to all, there is nothing to find."""


class Found(NamedTuple):
    """A model, as a request."""

    request: Request


class Open(NamedTuple):
    """A cell that could not be decided."""

    cause: Cause


class Cell(NamedTuple):
    """One caller class and one group of actions, in one reading and one mode."""

    space: "Space"
    caller: Caller
    action: str
    bit: int
    bindings: dict[str, str | None]
    may: bool
    group: int
    mode: Mode
    label: StatementRef | None

    def note(self, why: "Callable[[StatementRef | None, StatementRef, certificate.Evidence], Killed]", by: Numbered) -> None:
        """Note, when a certificate is wanted, that `by` settles this cell."""
        if self.space.steps is not None and self.may and len(self.space.steps) < certificate.MAX_STEPS:
            evidence = certificate.Evidence(self.caller, actionset.names(self.group), self.mode, (), ())
            self.space.steps.append(why(self.label, by.ref, evidence))

    def atoms(self, numbered: Numbered, *, upper: bool) -> tuple[Atom, ...] | None:
        """What the statement demands here; None when it does not apply."""
        if not numbered.actions(upper=upper) & self.bit or not self.space.reaches(numbered, self.caller, upper=upper):
            return None
        return self.space.conditions(numbered, self.caller, self.bindings, upper=upper)

    def refuted(self, numbered: Iterable[Numbered], *, upper: bool) -> list[Clause] | None:
        """Clauses that say: none of these statements applies; None when one applies to everything here."""
        clauses = []
        for one in numbered:
            atoms = self.atoms(one, upper=upper)
            if atoms is None:
                continue
            if not atoms:
                self.note(certificate.of_allow if one.statement.effect == "Allow" else certificate.of_deny, one)
                return None
            clauses.append(tuple(atom.negated() for atom in atoms))
        return clauses


class _Known:
    """What is learnt of one list of policies of one key, kept from one question to the next."""

    __slots__ = ("callers", "matches", "mentioned", "owners", "resources", "solver", "statements")

    def __init__(self, policies: tuple[Policy, ...]) -> None:
        self.owners = policies
        self.statements = tuple(one for place, policy in enumerate(policies) for one in of_policy(place, policy))
        self.mentioned = frozenset(condition.key.lower() for one in self.statements for condition in one.statement.conditions)
        self.solver = Solver()
        self.callers: dict[Names, Callers] = {}
        self.matches: dict[tuple[Numbered, int], Match] = {}
        self.resources: dict[Numbered, int] = {}


_KNOWN: Final[dict[tuple[object, ...], _Known]] = {}


def _known_of(policies: tuple[Policy, ...], key: KeyContext) -> _Known:
    """The memory for these very policy objects, which it keeps alive; bounded by MAX_KNOWN."""
    place = (*map(id, policies), key)
    known = _KNOWN.get(place)
    if known is None:
        if len(_KNOWN) >= MAX_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[place] = _Known(policies)
    return known


class Space:
    """What is shared by all questions about one list of policies and one described set."""

    def __init__(self, policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext) -> None:
        self.policies = tuple(policies)
        self.key = key
        self.described = of_question(described)
        self._known = _known_of(self.policies, key)
        self.statements = self._known.statements
        self.solver = self._known.solver
        self._callers: Callers | None = None
        self._excluded: dict[StatementRef, dict[tuple[str, bool], bool]] = {}
        self._covered: dict[tuple[StatementRef, str, bool], bool] = {}
        self.steps: list[Killed] | None = None
        """Where the steps of a proof are noted, when a certificate is wanted."""

    @property
    def callers(self) -> Callers:
        """Every class of callers that the statements tell apart."""
        if self._callers is None:
            names = join_names((one.names for one in (*self.statements, *self.described)), self.key)
            built = self._known.callers
            self._callers = built.get(names)
            if self._callers is None:
                if len(built) >= MAX_CALLERS:
                    built.clear()
                    self._known.matches.clear()
                self._callers = built[names] = Callers(names, self.key)
        return self._callers

    def allows(self) -> tuple[Numbered, ...]:
        """Every statement that may allow."""
        return tuple(one for one in self.statements if one.statement.effect != "Deny")

    def denies(self) -> tuple[Numbered, ...]:
        """Every statement that may deny."""
        return tuple(one for one in self.statements if one.statement.effect != "Allow")

    def principal(self, numbered: Numbered, caller: Caller) -> Match:
        """How the statement's Principal element sees a caller class."""
        known = (numbered, id(caller))
        match = self._known.matches.get(known)
        if match is None:
            context = {"aws:principalarn": caller.arn} if caller.arn is not None else {}
            request = Request(caller.principal, "kms:Decrypt", context, self.key, caller.parent)
            match = self._known.matches[known] = match_principals(numbered.statement, request, lean=False)
        return match

    def reaches(self, numbered: Numbered, caller: Caller, *, upper: bool) -> bool:
        """Whether principal, resource and form let the statement apply to this caller; actions and conditions aside."""
        statement = numbered.statement
        if statement.actions is None or statement.resources is None or not statement.principals:
            return False
        if statement.unknown and not upper:
            return False
        floor = U if upper else T
        return self.principal(numbered, caller).truth >= floor and self._resource(numbered) >= floor

    def _resource(self, numbered: Numbered) -> int:
        known = self._known.resources.get(numbered)
        if known is None:
            statement = numbered.statement
            bare = statement._replace(
                conditions=(), principals=_EVERYONE, not_principal=False, actions=_EVERY_ACTION, not_action=False, unknown=()
            )
            known = self._known.resources[numbered] = applies(
                bare, numbered.policy, Request(None, "kms:Decrypt", {}, self.key)
            ).truth
        return known

    def conditions(
        self, numbered: Numbered, caller: Caller, bindings: dict[str, str | None], *, upper: bool
    ) -> tuple[Atom, ...] | None:
        """The statement's conditions as atoms; None when one cannot hold."""
        atoms = []
        for index, condition in enumerate(numbered.statement.conditions):
            atom = numbered.atom(index, condition, Context(caller.kind, caller.principal, bindings, self.key), upper=upper)
            if atom is False:
                return None
            if atom is not True:
                atoms.append(atom)
        return tuple(atoms)

    # searching

    def search(self, goal: Goal, *, may: bool, budget: Budget) -> Iterator[Found | Open]:
        """Models of the goal, at most one per caller class and group of actions; or what kept a group from being decided."""
        pivots = tuple(dict.fromkeys(name for one in goal.relevant for name in one.pivots))
        keys = {condition.key.lower() for one in goal.relevant for condition in one.statement.conditions}
        mentioned = frozenset(keys | set(pivots))
        beside = self._known.mentioned
        masks = [one.actions(upper=upper) for one in goal.relevant for upper in (True, False)]
        modes: dict[str, tuple[Mode, ...]] = {}
        organizations = _organizations(goal, mentioned)
        for caller in self._candidates(goal, may=may):
            bits = goal.actions & goal.counts(caller)
            if not bits:
                continue
            blocker = self._blocker(goal, caller, may=may)
            if blocker is not None:
                self._note_reach(goal, caller, bits, blocker, may=may)
                continue
            kind = caller.kind
            if kind not in modes:
                modes[kind] = base_modes(kind, mentioned, beside, organizations, may=may)
            for group in actionset.groups(bits, masks, sorted(mentioned), kind):
                probe = _Probe(self, goal, caller, group, group & -group, pivots, mentioned | beside, budget, may)
                for mode in modes[kind]:
                    found = probe.in_mode(mode)
                    if found is not None:
                        yield found
                        break

    def _candidates(self, goal: Goal, *, may: bool) -> Iterator[Caller]:
        """The callers that the needed statements do not rule out as a group: by account, or as services."""
        if not goal.actions:
            return
        for group in self.callers.groups:
            if self.steps is None and self._is_settled(goal, group, may=may):
                continue
            yield from self.callers.of(group)

    def is_settled(self, needed: Sequence[Numbered], *, may: bool) -> bool:
        """Whether every group of callers is left out by one of the needed statements, as far as that shows at once."""
        for one in needed:
            if one.groups is not None:
                return all(any(self._excludes(other, group, upper=may) for other in needed) for group in one.groups)
        return False

    def _is_settled(self, goal: Goal, group: str, *, may: bool) -> bool:
        """Whether a needed statement leaves the whole group out, or a Deny stops all of it."""
        if any(self._excludes(one, group, upper=may) for one in goal.needed):
            return True
        return any(
            not goal.actions & ~one.actions(upper=not may) and self._covers(one, group, upper=not may) for one in goal.stoppers
        )

    def _covers(self, numbered: Numbered, group: str, *, upper: bool) -> bool:
        """Whether a statement applies to every request of the group: its principals, its resource and each condition take all."""
        known = (numbered.ref, group, upper)
        found = self._covered.get(known)
        if found is None:
            found = self._covered[known] = self._applies_to_all(numbered, group, upper=upper)
        return found

    def _applies_to_all(self, numbered: Numbered, group: str, *, upper: bool) -> bool:
        statement = numbered.statement
        if statement.not_principal or statement.resources is None or (statement.unknown and not upper):
            return False
        values = {entry.value for entry in statement.principals or () if entry.kind in {"*", "AWS"}}
        if "*" not in values and group not in values and f"arn:{self.key.partition}:iam::{group}:root" not in values:
            return False
        if self._resource(numbered) < (U if upper else T):
            return False
        return all(self._always(numbered, place, group, upper=upper) for place in range(len(statement.conditions)))

    def _always(self, numbered: Numbered, place: int, group: str, *, upper: bool) -> bool:
        """Whether a condition holds for every caller of the group, judged by account or by being a service."""
        condition = numbered.statement.conditions[place]
        if numbered.pivots and variables_in(condition):
            return False
        value = self._group_value(condition.key.lower(), group)
        if value is None:
            return False
        atom = numbered.atom(place, condition, _GROUP_CONTEXTS[group == SERVICES], upper=upper)
        if isinstance(atom, bool):
            return atom
        return _is_literal_for(group, atom) and _holds(atom, value)

    def _group_value(self, key: str, group: str) -> str | None:
        """The value of a key that all callers of the group share; None where they differ. FRESH: the stand-in account."""
        if key == "aws:principalisawsservice":
            return "true" if group == SERVICES else "false"
        if key not in _ACCOUNT_NAMES or group == SERVICES:
            return None
        return self.callers.of(FRESH)[0].account if group == FRESH else group

    def _excludes(self, numbered: Numbered, group: str, *, upper: bool) -> bool:
        if numbered.groups is not None and group not in numbered.groups:
            return True
        if not numbered.statement.conditions:
            return False
        memory = self._excluded.setdefault(numbered.ref, {}) if group == FRESH else numbered.settled
        found = memory.get((group, upper))
        if found is None:
            found = memory[group, upper] = self._excludes_by_condition(numbered, group, upper=upper)
        return found

    def _excludes_by_condition(self, numbered: Numbered, group: str, *, upper: bool) -> bool:
        """Whether a condition on the account (or on being a service) fails for the whole group."""
        for place, condition in enumerate(numbered.statement.conditions):
            value = self._group_value(condition.key.lower(), group)
            if value is None or (numbered.pivots and variables_in(condition)):
                continue
            atom = numbered.atom(place, condition, _GROUP_CONTEXTS[group == SERVICES], upper=upper)
            if atom is False:
                return True
            if atom is not True and _is_literal_for(group, atom) and not _holds(atom, value):
                return True
        return False

    def _note_reach(self, goal: Goal, caller: Caller, bits: int, blocker: Numbered, *, may: bool) -> None:
        if self.steps is not None and may and len(self.steps) < certificate.MAX_STEPS:
            evidence = certificate.Evidence(caller, actionset.names(bits), Mode(), (), ())
            self.steps.append(certificate.of_reach(goal.label, blocker.ref, evidence))

    def _blocker(self, goal: Goal, caller: Caller, *, may: bool) -> Numbered | None:
        """The first needed statement that cannot apply to this caller, judged by who calls and by nothing else; None if all can."""
        domains: Domains | None = None
        for one in goal.needed:
            if not self.reaches(one, caller, upper=may):
                return one
            for place, condition in enumerate(one.statement.conditions):
                name = condition.key.lower()
                if name not in _CALLER_KEYS or (one.pivots and variables_in(condition)):
                    continue
                if self.steps is None and name in _GROUP_KEYS and not caller.is_fresh:
                    continue  # the group was not left out by it
                atom = one.atom(place, condition, Context(caller.kind, caller.principal, _FREE, self.key), upper=may)
                if atom is True:
                    continue
                if atom is False:
                    return one
                if domains is None:
                    domains = Domains(caller, "Decrypt", Mode(), self.key, self.callers.names.accounts, may=may)
                if self._is_false(domains.of(atom.key), atom):
                    return one
        return None

    def _is_false(self, domain: Domain, atom: Atom) -> bool:
        """Whether a key that the caller's class fixes makes the atom false; an open one is left to the search."""
        if domain.finite is None and domain.presence != NEVER:
            return False
        return self.solver.model(domain, (atom,), Budget()) is None


_ACCOUNT_NAMES: Final = ("aws:principalaccount", "kms:calleraccount")
_GROUP_KEYS: Final = frozenset({*_ACCOUNT_NAMES, "aws:principalisawsservice"})
_FREE: Final[Mapping[str, str | None]] = {}
_GROUP_CONTEXTS: Final = {
    False: Context(ROLE, "arn:aws:sts::000000000000:assumed-role/any/session", _FREE, KeyContext()),
    True: Context(SERVICE, "any.amazonaws.com", _FREE, KeyContext()),
}


def _is_literal_for(group: str, atom: Atom) -> bool:
    """Whether the group's value of the key decides for the whole group.

    A fresh account is like any other that is named nowhere only where names are compared literally.
    """
    return group != FRESH or atom.test is None or atom.test.literals is not None


def _holds(atom: Atom, value: str) -> bool:
    return atom.wanted if atom.test is None else atom.test.contains(value) == atom.wanted


_CALLER_KEYS: Final = frozenset(
    {
        "aws:principalarn", "aws:principalaccount", "kms:calleraccount", "aws:username", "aws:principalisawsservice",
        "aws:principaltype", "aws:principalservicename",
    }
)  # fmt: skip
"""Keys that the caller's class determines whatever the action and the case."""


class _Probe(NamedTuple):
    """One caller class and one group of actions, probed case by case."""

    space: Space
    goal: Goal
    caller: Caller
    group: int
    bit: int
    pivots: tuple[str, ...]
    mentioned: frozenset[str]
    budget: Budget
    may: bool

    def domains(self, mode: Mode) -> Domains:
        return Domains(
            self.caller, actionset.first(self.bit), mode, self.space.key, self.space.callers.names.accounts, may=self.may
        )

    def in_mode(self, mode: Mode) -> Found | Open | None:
        """A model in this case, None if there is none, or Open."""
        kind = self.caller.kind
        domains = self.domains(mode)
        bindings = {name: value for name in self.pivots for value in _bound(name, domains.of(variable_of(name, kind)))}
        free = tuple(name for name in self.pivots if name not in bindings)
        try:
            # OVER in may (a free variable is any text), UNDER in must (its value matches nothing)
            found = self._solve(domains, bindings)
            if not free or (found is None) == self.may:
                return found
            return self._split(mode, domains, free, bindings)
        except (Unsolved, BudgetExceeded) as stop:
            return Open(Cause(BUDGET, str(stop)))

    def _split(self, mode: Mode, domains: Domains, free: tuple[str, ...], bindings: dict[str, str | None]) -> Found | Open | None:
        """Try values for the keys whose values are inserted into patterns: all that matter where only equality is asked."""
        kind = self.caller.kind
        fixed = {value for _, value in mode.fixed if value is not None}
        choices, is_complete = _candidates(
            {variable_of(name, kind) for name in free}, self.goal, domains, fixed, self.space.solver, kind
        )
        total = 1
        for values in choices.values():
            total *= max(len(values), 1)
        for values in product(*choices.values()) if total <= MAX_BINDINGS else ():
            chosen = dict(zip(choices, values, strict=True))
            views = {name for name in chosen if is_view(name, self.caller)}
            settled = ((name, value) for name, value in chosen.items() if name not in views)
            narrowed = self.domains(mode._replace(fixed=(*mode.fixed, *settled)))
            bound = {**bindings, **{name: chosen[variable_of(name, kind)] for name in free}}
            found = self._solve(narrowed, bound, tuple(equal_to(name, chosen[name]) for name in sorted(views)))
            if found is not None:
                return found
        if not self.may or (is_complete and total <= MAX_BINDINGS):
            return None
        return Open(Cause(BUDGET, f"the policy variable `${{{free[0]}}}` was not eliminated"))

    def _solve(self, domains: Domains, bindings: dict[str, str | None], views: tuple[Atom, ...] = ()) -> Found | None:
        """A model of one of the goal's problems. `views` fix parts of the caller's identity that a policy variable inserts."""
        space = self.space
        action = actionset.first(self.bit)
        cell = Cell(space, self.caller, action, self.bit, bindings, self.may, self.group, domains.mode, self.goal.label)
        for asked in self.goal.problems(cell):
            problem = asked._replace(units=(*asked.units, *views)) if views else asked
            model = Search(self.caller, domains, space.solver, self.budget).model(problem)
            if model is not None:
                return Found(build(self.caller, action, model, domains, self.mentioned, space.key, space.solver))
            if space.steps is not None and self.may and len(space.steps) < certificate.MAX_STEPS:
                core = certificate.shrink(problem, self.caller, domains, space.solver)
                evidence = self._evidence(domains.mode, core)
                space.steps.append(certificate.of_conditions(self.goal.label, evidence))
        return None

    def _evidence(self, mode: Mode, core: Problem) -> certificate.Evidence:
        names = tuple(name for name in actionset.names(self.group))
        return certificate.Evidence(self.caller, names, mode, core.units, core.clauses)


def _organizations(goal: Goal, mentioned: frozenset[str]) -> dict[str, tuple[str, ...] | None]:
    """The organization ids that matter where an organization key and its paths key are both mentioned; None: not known."""
    found: dict[str, tuple[str, ...] | None] = {}
    for name, paths in ORGANIZATIONS.items():
        if name in mentioned and paths in mentioned:
            texts = [
                item.value.split("/", 1)[0] if condition.key.lower() == paths else item.value
                for one in goal.relevant
                for condition in one.statement.conditions
                if condition.key.lower() in {name, paths} and _family(condition) != operators.NULL
                for item in condition.values
                if isinstance(item.value, str) and not (one.has_variables and _is_one_variable(item.value))
            ]
            is_plain = not any(char in text for text in texts for char in "*?$")
            fresh = next(one for one in ("o-a1b2c3d4e5", *(f"o-a1b2c3d4e{n}" for n in range(10, 99))) if one not in texts)
            found[name] = tuple(dict.fromkeys((fresh, *sorted(texts)))) if is_plain and len(texts) < MAX_BINDINGS else None
    return found


def _family(condition: Condition) -> str | None:
    use = operators.lookup(condition.operator)
    return None if use is None else use.operator.family


def _bound(name: str, domain: Domain) -> tuple[str | None, ...]:
    """The one value that a variable has in a cell, if it has just one: the key's constant, or None (no value)."""
    if lookup_key(name) is None:
        return (None,)
    if domain.multi or domain.presence in {NEVER, EMPTY}:
        return (None,)
    if domain.presence == ALWAYS and domain.finite is not None and len(domain.finite) == 1:
        return (domain.finite[0],)
    return ()


def _candidates(
    variables: set[str], goal: Goal, domains: Domains, settled: set[str], solver: Solver, kind: str
) -> tuple[dict[str, tuple[str | None, ...]], bool]:
    """Values to try for each variable key, and whether they are all that can matter.

    Equality only sees which values are equal: where every condition on the keys involved compares literally, the literals
    and one fresh value a key are a complete set, with what the case has `settled` for other keys. Elsewhere they are good guesses.
    """
    involved = set(variables)
    uses: list[tuple[str, Condition, bool]] = []
    for one in goal.relevant:
        for condition in one.statement.conditions:
            inserted = {variable_of(name, kind) for name in variables_in(condition)} if one.has_variables else set()
            name = variable_of(condition.key.lower(), kind)
            if inserted & variables:
                involved.add(name)
            uses.append((name, condition, bool(inserted)))
    about = [(condition, with_variable) for name, condition, with_variable in uses if name in involved]
    is_complete = all(_is_literal(condition, with_variable) for condition, with_variable in about) and not (
        involved & VIEWS - variables
    )
    texts = {item.value for condition, _ in about for item in condition.values if isinstance(item.value, str)}
    literals = sorted({value for value in texts if "${" not in value} | _insertable(texts) | settled)
    fresh: dict[str, None] = {}
    for name in sorted(variables):
        value = _fresh(domains.of(name), {*literals, *fresh}, solver)
        if value is not None:
            fresh[value] = None
    choices: dict[str, tuple[str | None, ...]] = {}
    for name in sorted(variables):
        domain = domains.of(name)
        values: list[str | None] = [value for value in (*fresh, *literals) if domain.holds(value)]
        if domain.presence != ALWAYS:
            values.insert(0, None)
        if domain.may_be_empty:
            values.append("")
        choices[name] = tuple(dict.fromkeys(values))
    return choices, is_complete


def _insertable(texts: set[str]) -> set[str]:
    """What a variable would have to hold for a pattern with it to equal a literal: `b` for `a${aws:username}` and `ab`."""
    found = set()
    for pattern in (value for value in texts if value.count("${") == 1):
        head, _, rest = pattern.partition("${")
        tail = rest.partition("}")[2]
        for value in texts:
            if "${" not in value and len(value) > len(head) + len(tail) and value.startswith(head) and value.endswith(tail):
                found.add(value[len(head) : len(value) - len(tail)])
    return found


def _is_literal(condition: Condition, with_variable: bool) -> bool:
    """Whether the condition sees of a value only which literal (or which one variable) it equals."""
    use = operators.lookup(condition.operator)
    if use is None or use.operator.family == operators.NULL:
        return True
    if use.operator.family != operators.STRING:
        return False
    return not with_variable or all(
        isinstance(item.value, str) and ("${" not in item.value or _is_one_variable(item.value)) for item in condition.values
    )


def _is_one_variable(text: str) -> bool:
    return text.startswith("${") and text.find("}") == len(text) - 1 and "," not in text


def _fresh(domain: Domain, taken: set[str], solver: Solver) -> str | None:
    """A value of the domain that is none of `taken`; None when there is none."""
    for sample in (*domain.samples, *(f"value{place}" for place in range(len(taken) + 1))):
        if sample not in taken and domain.holds(sample):
            return sample
    try:
        found = solver.model(
            domain._replace(presence=ALWAYS, multi=False, excluded=domain.excluded | frozenset(taken)), (), Budget()
        )
    except BudgetExceeded:
        return None
    return found if isinstance(found, str) else None


def is_foreign(caller: Caller, key: KeyContext) -> bool:
    """Whether the caller is no principal of the owner's account; an AWS service is foreign."""
    return caller.kind == SERVICE or caller.account != key.account
