"""The requests that a question ranges over, searched cell by cell: caller class × group of actions × case.

A question supplies, per cell, problems: atoms that must hold, and clauses of which one literal must.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from math import prod

from kmslint.policy.request import Request
from kmslint.reason import actionset, certificate
from kmslint.reason.answer import BUDGET, Cause, Killed, StatementRef
from kmslint.reason.callers import Caller
from kmslint.reason.compile import variable_of
from kmslint.reason.domains import Domains
from kmslint.reason.modes import Mode, base_modes
from kmslint.reason.pivots import MAX_BINDINGS, bound, candidates, organizations
from kmslint.reason.search import Clause, Problem, Search, equal_to, is_view
from kmslint.reason.space import Space
from kmslint.reason.statements import Numbered
from kmslint.reason.strings import Budget, BudgetExceeded
from kmslint.reason.values import Atom, Unsolved
from kmslint.reason.witness import build
from kmslint.typed import NamedTuple


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

    space: Space
    caller: Caller
    action: str
    bit: int
    bindings: dict[str, str | None]
    may: bool
    group: int
    mode: Mode
    label: StatementRef | None

    def note(self, why: Callable[[StatementRef | None, StatementRef, certificate.Evidence], Killed], by: Numbered) -> None:
        """Note, when a certificate is wanted, that `by` settles this cell."""
        steps = _open_steps(self.space, may=self.may)
        if steps is not None:
            evidence = certificate.Evidence(self.caller, actionset.names(self.group), self.mode, (), ())
            steps.append(why(self.label, by.ref, evidence))

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


def _open_steps(space: Space, *, may: bool) -> list[Killed] | None:
    """Where to note a step: None when no certificate is wanted, in the reading that proves nothing, and when it is full."""
    steps = space.steps
    return steps if may and steps is not None and len(steps) < certificate.MAX_STEPS else None


class _Split(NamedTuple):
    """What tells the cells of one goal apart beside the caller: keys, action masks, and the ids of organizations."""

    pivots: tuple[str, ...]
    mentioned: frozenset[str]
    masks: tuple[int, ...]
    organizations: dict[str, tuple[str, ...] | None]
    modes: dict[str, tuple[Mode, ...]]


def _split_of(goal: Goal) -> _Split:
    pivots = tuple(dict.fromkeys(name for one in goal.relevant for name in one.pivots))
    mentioned = frozenset((*pivots, *(condition.key.lower() for one in goal.relevant for condition in one.statement.conditions)))
    masks = tuple(dict.fromkeys(one.actions(upper=upper) for one in goal.relevant for upper in (True, False)))
    return _Split(pivots, mentioned, masks, organizations(goal.relevant, mentioned), {})


def models(space: Space, goal: Goal, *, may: bool, budget: Budget) -> Iterator[Found | Open]:
    """Models of the goal, at most one per caller class and group of actions; or what kept a group from being decided."""
    split: _Split | None = None
    for caller in _callers(space, goal, may=may):
        bits = goal.actions & goal.counts(caller)
        if not bits:
            continue
        blocker = next((one for one in goal.needed if space.blocks(one, caller, may=may)), None)
        if blocker is not None:
            _note_reach(space, goal, caller, bits, blocker, may=may)
            continue
        if split is None:
            split = _split_of(goal)
        kind = caller.kind
        modes = split.modes.get(kind)
        if modes is None:
            modes = base_modes(kind, split.mentioned, space.mentioned, split.organizations, may=may)
            split.modes[kind] = modes
        for group in actionset.groups(bits, split.masks, sorted(split.mentioned), kind):
            probe = _Probe(space, goal, split, caller, group, budget, may)
            found = next((found for mode in modes if (found := probe.in_mode(mode)) is not None), None)
            if found is not None:
                yield found


def _callers(space: Space, goal: Goal, *, may: bool) -> Iterator[Caller]:
    """The callers that the statements do not rule out as a group: by account, or as services."""
    if not goal.actions:
        return
    callers = space.callers
    for group in callers.groups:
        if space.steps is None and _is_settled(space, goal, group, may=may):
            continue
        yield from callers.of(group)


def _is_settled(space: Space, goal: Goal, group: str, *, may: bool) -> bool:
    """Whether a needed statement leaves the whole group out, or a Deny stops all of it."""
    groups = space.groups
    for one in goal.needed:
        if groups.excludes(one, group, upper=may):
            return True
    return any(
        not goal.actions & ~one.actions(upper=not may) and groups.covers(one, group, upper=not may) for one in goal.stoppers
    )


def _note_reach(space: Space, goal: Goal, caller: Caller, bits: int, blocker: Numbered, *, may: bool) -> None:
    steps = _open_steps(space, may=may)
    if steps is not None:
        evidence = certificate.Evidence(caller, actionset.names(bits), Mode(), (), ())
        steps.append(certificate.of_reach(goal.label, blocker.ref, evidence))


class _Probe(NamedTuple):
    """One caller class and one group of actions, probed case by case."""

    space: Space
    goal: Goal
    split: _Split
    caller: Caller
    group: int
    budget: Budget
    may: bool

    def domains(self, mode: Mode) -> Domains:
        return self.space.domains(self.caller, actionset.first(self.group), mode, may=self.may)

    def in_mode(self, mode: Mode) -> Found | Open | None:
        """A model in this case, None if there is none, or Open."""
        domains, kind, pivots = self.domains(mode), self.caller.kind, self.split.pivots
        bindings = {name: value for name in pivots for value in bound(name, domains.of(variable_of(name, kind)))}
        free = tuple(name for name in pivots if name not in bindings)
        try:
            # OVER in may (a free variable is any text), UNDER in must (its value matches nothing)
            found = self._solve(domains, bindings)
            if not free or (found is None) == self.may:
                return found
            return self._with_values(mode, domains, free, bindings)
        except (Unsolved, BudgetExceeded) as stop:
            return Open(Cause(BUDGET, str(stop)))

    def _with_values(
        self, mode: Mode, domains: Domains, free: tuple[str, ...], bindings: dict[str, str | None]
    ) -> Found | Open | None:
        """Try values for the keys whose values are inserted into patterns: all that matter where only equality is asked."""
        if "aws:currenttime" in free:
            raise Unsolved("a text comparison of the time")
        kind = self.caller.kind
        settled = {value for value in (*dict(mode.fixed).values(), *bindings.values()) if value is not None}
        choices, is_complete = candidates(
            {variable_of(name, kind) for name in free}, self.goal.relevant, domains, settled, self.space.solver, self.caller
        )
        is_tried = prod(map(len, choices.values())) <= MAX_BINDINGS
        for values in product(*choices.values()) if is_tried else ():
            chosen = dict(zip(choices, values, strict=True))
            narrowed = self.domains(mode._replace(fixed=(*mode.fixed, *chosen.items())))
            known = {**bindings, **{name: chosen[variable_of(name, kind)] for name in free}}
            views = tuple(equal_to(name, value) for name, value in chosen.items() if is_view(name, self.caller))
            found = self._solve(narrowed, known, views)
            if found is not None:
                return found
        if not self.may or (is_complete and is_tried):
            return None
        return Open(Cause(BUDGET, f"the policy variable `${{{free[0]}}}` was not eliminated"))

    def _solve(self, domains: Domains, bindings: dict[str, str | None], views: tuple[Atom, ...] = ()) -> Found | None:
        """A model of one of the goal's problems. `views` fix parts of the caller's identity that a policy variable inserts."""
        space, group = self.space, self.group
        action = actionset.first(group)
        cell = Cell(space, self.caller, action, group & -group, bindings, self.may, group, domains.mode, self.goal.label)
        for asked in self.goal.problems(cell):
            problem = Problem((*asked.units, *views), asked.clauses)
            model = Search(self.caller, domains, space.solver, self.budget).model(problem)
            if model is not None:
                shown = self.split.mentioned | space.mentioned
                return Found(build(self.caller, action, model, domains, shown, space.key, space.solver))
            steps = _open_steps(space, may=self.may)
            if steps is not None:
                core = certificate.shrink(problem, self.caller, domains, space.solver)
                evidence = certificate.Evidence(self.caller, actionset.names(group), domains.mode, core.units, core.clauses)
                steps.append(certificate.of_conditions(self.goal.label, evidence))
        return None
