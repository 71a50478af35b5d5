"""Checks the certificate of a proof without the search that made it.

Two things are verified. *Coverage*: each Allow × described statement × class of callers × action × case of the shared bits
is ruled out by a step. *Each step*, by theory alone: "reach", "deny" and "allow" by the evaluator's own matching, a core of
"conditions" by writing its clauses out and asking each key's theory whether one value can meet all that is asked of it.
What the checker trusts: the classes of callers, the cases (`cells`), and conditions as atoms (`compile`).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import NamedTuple, TypeVar

from kmslint.aws.actions import ACTIONS
from kmslint.aws.condition_keys import lookup
from kmslint.policy import operators
from kmslint.policy.document import Policy, Statement
from kmslint.policy.evaluate import Run
from kmslint.policy.principals import SERVICE, match_principals
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import F, T
from kmslint.reason.actionset import NAMES
from kmslint.reason.answer import Killed
from kmslint.reason.callers import Caller
from kmslint.reason.certificate import Evidence
from kmslint.reason.compile import Context, compile_condition, variable_of, variables_in
from kmslint.reason.domains import Domains
from kmslint.reason.modes import Mode, base_modes
from kmslint.reason.pivots import organizations
from kmslint.reason.search import VIEWS, Clause, Problem, Search, is_view
from kmslint.reason.space import Space
from kmslint.reason.statements import Numbered
from kmslint.reason.strings import Budget, BudgetExceeded
from kmslint.reason.values import ALWAYS, EMPTY, NEVER, Atom, Domain, Solver, Unsolved

Value = TypeVar("Value")


class Step(NamedTuple):
    """A step that was found true, for these actions in this case."""

    step: Killed
    evidence: Evidence


class Part(NamedTuple):
    """One thing to show: all of `needed` cannot apply while none of `stoppers` does. `relevant` fixes the cases."""

    needed: tuple[Numbered, ...]
    stoppers: Sequence[Numbered]
    relevant: tuple[Numbered, ...]
    is_silent: bool = False
    """No step speaks of statements in `needed` that do not reach: that is seen here."""


class Checker:
    """The certificate of one answer. `missing` lists what it does not show; empty for a proof."""

    def __init__(
        self,
        policies: Sequence[Policy],
        described: Sequence[Statement],
        key: KeyContext,
        certificate: Sequence[Killed],
        grant: str,
    ) -> None:
        self.space = Space(policies, described, key)
        self.key = key
        self.grant = grant
        self.solver = Solver()
        self.known: dict[tuple[object, ...], object] = {}
        self.by_caller: dict[Caller, list[Step]] = {}
        for step in certificate:
            assert isinstance(step.evidence, Evidence)
            self.by_caller.setdefault(step.evidence.caller, []).append(Step(step, step.evidence))

    # what must be ruled out

    def missing_of_none_allowed(self) -> Iterator[str]:
        """For "no described request is allowed": what no step rules out."""
        allows, denies = self.space.allows(), self.space.denies()
        for allow, asked in product(allows, self.space.described):
            others = tuple(one for one in allows if one is not allow) if self.grant == "delegated" else ()
            relevant = (asked, allow, *denies, *others)
            for caller in self.space.callers:
                steps = [one for one in self.by_caller.get(caller, []) if one.step.subject == allow.ref]
                stoppers = [*denies, *(one for one in others if self.is_direct(one, caller))]
                for action in NAMES:
                    if self.counts(allow, asked, caller, action):
                        part = Part((allow, asked), stoppers, relevant)
                        yield from self._uncovered(part, caller, action, steps)

    def missing_of_all_allowed(self) -> Iterator[str]:
        """For "every described request is allowed": what no step shows to be allowed, or not to be asked for."""
        allows, denies = self.space.allows(), self.space.denies()
        for asked, caller in product(self.space.described, self.space.callers):
            steps = self.by_caller.get(caller, [])
            relevant = (asked, *allows, *denies)
            counted = [one for one in allows if self.grant != "direct" or self.is_direct(one, caller)]
            parts = [Part((asked,), counted, relevant), *(Part((asked, deny), (), relevant, is_silent=True) for deny in denies)]
            for action, part in product((name for name in NAMES if self.acts(asked, name) != F), parts):
                yield from self._uncovered(part, caller, action, steps)

    def counts(self, allow: Numbered, asked: Numbered, caller: Caller, action: str) -> bool:
        """Whether an allow by this statement would be an answer at all."""
        if self.acts(allow, action) == F or self.acts(asked, action) == F:
            return False
        foreign = caller.kind == SERVICE or caller.account != self.key.account
        if foreign and caller.kind != SERVICE and ACTIONS[action.lower()].cross_account is False:
            return False
        if self.grant == "any" or (self.grant == "default" and foreign):
            return True
        return self.is_direct(allow, caller) == (self.grant != "delegated")

    # coverage

    def _uncovered(self, part: Part, caller: Caller, action: str, steps: Sequence[Step]) -> Iterator[str]:
        """The cases in which no true step shows that all of `needed` cannot apply while none of `stoppers` does."""
        mine = [one for one in steps if action in one.evidence.actions]
        for case in self.once(self._cases, caller.kind, part.relevant):
            at_case = [one for one in mine if one.evidence.mode in {case, Mode()}]
            if any(self.is_true(one, part, caller, action) for one in at_case):
                continue
            if part.is_silent and any(not self.may_reach(one, caller, action, case) for one in part.needed):
                continue
            split = [one for one in mine if one.evidence.mode not in {case, Mode()} and is_part(one.evidence.mode, case)]
            true = [one.evidence.mode for one in split if self.is_true(one, part, caller, action)]
            if not self.is_complete(true, case, caller, action, part.relevant):
                yield f"{caller.label}, kms:{action}, {case.label or 'any case'}, {[one.ref for one in part.needed]}"

    def _cases(self, kind: str, relevant: tuple[Numbered, ...]) -> tuple[Mode, ...]:
        mentioned = frozenset(name for one in relevant for name in self.names(one))
        beside = frozenset(one.key.lower() for each in self.space.statements for one in each.statement.conditions)
        return base_modes(kind, mentioned, beside, organizations(relevant, mentioned), may=True)

    def is_complete(self, modes: Sequence[Mode], case: Mode, caller: Caller, action: str, relevant: Sequence[Numbered]) -> bool:
        """Whether the cases of policy variables are all that matter: equality sees only which literal a value is, if any."""
        chosen = {mode.fixed[len(case.fixed) :] for mode in modes}
        if not chosen:
            return False
        names = [name for name, _ in next(iter(chosen))]
        tried = [{dict(one)[name] for one in chosen} for name in names]
        if {tuple(zip(names, values, strict=True)) for values in product(*tried)} != chosen:
            return False
        domains = self.domains(caller, action, case)
        keys, literals = beside(relevant, set(names), caller.kind)
        asked = {variable_of(condition.key.lower(), caller.kind) for one in relevant for condition in one.statement.conditions}
        views = {key for key in keys | asked if is_view(key, caller)}
        if literals is None or (views & keys and (len(views) > 1 or not views <= set(names))):
            return False
        own = [domains.of(key) for key in sorted(keys)]
        literals |= {value for domain in own for value in domain.finite or ()}
        literals |= {value for value in (*self.bindings(caller, action, case).values(), *dict(case.fixed).values()) if value}
        wide = sum(plain(domains.of(name)) == ANY_TEXT for name in names)
        for name, values in zip(names, tried, strict=True):
            domain = domains.of(name)
            needed = {value for value in literals if domain.holds(value)} | ({None} if domain.presence != ALWAYS else set())
            needed |= {""} if domain.may_be_empty else set()
            fresh = {value for value in values if value and value not in literals}
            if not needed <= values or (
                domain.finite is None and not self.is_mixed(fresh, own, domain, (len(names), wide), literals)
            ):
                return False
        return True

    def is_mixed(
        self, fresh: set[str], own: Sequence[Domain], domain: Domain, enough: tuple[int, int], literals: set[str]
    ) -> bool:
        """Whether there are `enough` values of each sort that domains tell apart: in the one that does not hold every text, and,
        for a key that does, outside it."""
        narrow = {plain(one): one for one in own if one.finite is None and plain(one) != ANY_TEXT}
        if len(narrow) > 1 or any(one.must_hold or one.never_hold for one in own):
            return False
        for one in narrow.values() or [domain]:
            inside = {value for value in fresh if one.holds(value)}
            rest = plain(one)._replace(excluded=one.excluded | fresh | literals)
            is_used_up = one.family == operators.STRING and self.solver.model(rest, (), Budget()) is None
            if len(inside) < enough[0] and not is_used_up:
                return False
            if plain(domain) == ANY_TEXT != plain(one) and len(fresh - inside) < enough[1]:
                return False
        return True

    # single steps

    def is_true(self, one: Step, part: Part, caller: Caller, action: str) -> bool:
        """Whether the step shows, for this action, that `needed` cannot all apply without one of `stoppers`."""
        step, mode = one.step, one.evidence.mode
        needed, stoppers = part.needed, part.stoppers
        by = next((each for each in (*needed, *stoppers) if each.ref == step.by), None)
        if step.why == "reach":
            return by in needed and by is not None and not self.may_reach(by, caller, action, mode)
        if step.why in {"deny", "allow"}:
            return by in stoppers and by is not None and self.applies_to_all(by, caller, action, mode)
        if step.why != "conditions":
            return False
        return self.is_core(one.evidence, needed, caller, action, stoppers)

    def is_core(
        self, evidence: Evidence, needed: tuple[Numbered, ...], caller: Caller, action: str, stoppers: Sequence[Numbered]
    ) -> bool:
        mode = evidence.mode
        demanded = {atom for one in needed for atom in self.atoms(one, caller, action, mode, upper=True) or ()}
        if not demanded.issuperset(evidence.units):
            return False
        offered = [self.refusal(one, caller, action, mode) for one in stoppers]
        if not all(any(clause and set(clause) <= set(part) for clause in offered) for part in evidence.clauses):
            return False
        return self.excludes(evidence.units, evidence.clauses, self.domains(caller, action, mode), caller)

    def excludes(self, units: tuple[Atom, ...], clauses: Sequence[Clause], domains: Domains, caller: Caller) -> bool:
        """Whether the atoms and one literal of each clause can never hold together, written out literal by literal."""
        if not self.is_possible(units, domains, caller):
            return True
        return bool(clauses) and all(self.excludes((*units, atom), clauses[1:], domains, caller) for atom in clauses[0])

    def is_possible(self, atoms: tuple[Atom, ...], domains: Domains, caller: Caller) -> bool:
        """Whether each key has a value that meets its atoms; the keys of one open identity are asked together."""
        try:
            for key in {atom.key for atom in atoms}:
                own = tuple(atom for atom in atoms if atom.key == key)
                if self.solver.model(domains.of(key), own, Budget()) is None:
                    return False
            views = tuple(atom for atom in atoms if atom.key in VIEWS)
            return not views or Search(caller, domains, self.solver, Budget()).model(Problem(views, ())) is not None
        except (Unsolved, BudgetExceeded):
            return True

    # statements against cells

    def once(self, compute: Callable[..., Value], *about: object) -> Value:
        """Computed once for the same arguments."""
        place = (compute.__name__, *about)
        if place not in self.known:
            self.known[place] = compute(*about)
        return self.known[place]  # type: ignore[return-value]

    def acts(self, one: Numbered, action: str) -> int:
        return self.once(self._acts, one, action)

    def _acts(self, one: Numbered, action: str) -> int:
        return Run(Request(None, f"kms:{action}", {}, self.key), one.has_variables, lean=False).action(one.statement)

    def request(self, caller: Caller, action: str) -> Request:
        context = {} if caller.arn is None else {"aws:principalarn": caller.arn}
        return Request(caller.principal, f"kms:{action}", context, self.key, caller.parent)

    def is_direct(self, one: Numbered, caller: Caller) -> bool:
        return match_principals(one.statement, self.request(caller, "Decrypt"), lean=False).grant == "direct"

    def fit(self, one: Numbered, caller: Caller, action: str) -> int:
        """Principal, action, resource and form of a statement against a cell."""
        statement = one.statement
        if statement.actions is None or statement.resources is None or not statement.principals:
            return F
        fit = min(self.acts(one, action), self.once(self._fit_of_caller, one, caller))
        return min(fit, 1) if statement.unknown else fit

    def _fit_of_caller(self, one: Numbered, caller: Caller) -> int:
        request = self.request(caller, "Decrypt")
        resource = Run(request, one.has_variables, lean=False).resource(one.statement)
        return min(match_principals(one.statement, request, lean=False).truth, resource)

    def may_reach(self, one: Numbered, caller: Caller, action: str, mode: Mode) -> bool:
        """Whether the statement may apply: fit, and no single condition that fails for the whole cell."""
        atoms = self.atoms(one, caller, action, mode, upper=True)
        if atoms is None:
            return False
        domains = self.domains(caller, action, mode)
        return all(self.is_possible((atom,), domains, caller) for atom in atoms)

    def applies_to_all(self, one: Numbered, caller: Caller, action: str, mode: Mode) -> bool:
        return self.atoms(one, caller, action, mode, upper=False) == ()

    def refusal(self, one: Numbered, caller: Caller, action: str, mode: Mode) -> Clause:
        """One of these holds where the statement surely does not apply; empty where nothing is known."""
        atoms = self.atoms(one, caller, action, mode, upper=False)
        return tuple(atom.negated() for atom in atoms or ())

    def atoms(self, one: Numbered, caller: Caller, action: str, mode: Mode, *, upper: bool) -> tuple[Atom, ...] | None:
        """What the statement asks of the context in a cell; None where it does not (upper) or may not (lower) apply."""
        if self.fit(one, caller, action) < (1 if upper else T):
            return None
        return self.once(self._conditions, one, caller, tuple(self.bindings(caller, action, mode).items()), upper)

    def _conditions(
        self, one: Numbered, caller: Caller, bound: tuple[tuple[str, str | None], ...], upper: bool
    ) -> tuple[Atom, ...] | None:
        bindings = dict(bound)
        context = Context(caller.kind, caller.principal, bindings, self.key)
        found = [
            compile_condition(condition, one.statement, one.has_variables, context, upper=upper)
            for condition in one.statement.conditions
        ]
        return None if any(atom is False for atom in found) else tuple(atom for atom in found if isinstance(atom, Atom))

    def bindings(self, caller: Caller, action: str, mode: Mode) -> dict[str, str | None]:
        """The policy variables that have just one value in a cell."""
        domains = self.domains(caller, action, mode)
        values = {name: only_value(name, domains.of(variable_of(name, caller.kind))) for name in self.pivots}
        return {name: value[0] for name, value in values.items() if value}

    @cached_property
    def pivots(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for one in (*self.space.statements, *self.space.described) for name in one.pivots))

    def names(self, one: Numbered) -> set[str]:
        return {condition.key.lower() for condition in one.statement.conditions} | set(one.pivots)

    def domains(self, caller: Caller, action: str, mode: Mode) -> Domains:
        return self.once(self._domains, caller, action, mode)

    def _domains(self, caller: Caller, action: str, mode: Mode) -> Domains:
        return Domains(caller, action, mode, self.key, self.space.callers.names.accounts, may=True)


def only_value(name: str, domain: Domain) -> tuple[str | None, ...]:
    if lookup(name) is None or domain.multi or domain.presence in {NEVER, EMPTY}:
        return (None,)
    return domain.finite if domain.presence == ALWAYS and domain.finite is not None and len(domain.finite) == 1 else ()


def is_part(mode: Mode, case: Mode) -> bool:
    """Whether `mode` is `case` with further keys fixed."""
    return mode._replace(fixed=mode.fixed[: len(case.fixed)]) == case


ANY_TEXT = Domain(ALWAYS)


def plain(domain: Domain) -> Domain:
    """Which single texts the domain holds, and nothing else of it."""
    return Domain(
        ALWAYS,
        family=domain.family,
        finite=domain.finite,
        patterns=domain.patterns,
        excluded=domain.excluded,
        avoid=domain.avoid,
        integer=domain.integer,
    )


def beside(relevant: Sequence[Numbered], names: set[str], kind: str) -> tuple[set[str], set[str] | None]:
    """The variables and the keys that conditions compare with them, and every literal that these are compared with.

    None for the literals where a condition does more than ask for equality.
    """
    uses = [(one, condition) for one in relevant for condition in one.statement.conditions]
    inserted = [
        {variable_of(name, kind) for name in variables_in(condition)} if one.has_variables else set() for one, condition in uses
    ]
    keys = names | {variable_of(c.key.lower(), kind) for (_, c), held in zip(uses, inserted, strict=True) if held & names}
    literals: set[str] = set()
    for (_, condition), held in zip(uses, inserted, strict=True):
        if variable_of(condition.key.lower(), kind) not in keys:
            continue
        use = operators.lookup(condition.operator)
        if use is None or use.operator.family == operators.NULL:
            continue
        if use.operator.family != operators.STRING:
            return keys, None
        for item in condition.values:
            if not isinstance(item.value, str):
                return keys, None
            whole = re.fullmatch(r"\$\{[^\s${}',]{2,}\}", item.value)
            if "${" in item.value and not (held and whole):
                return keys, None
            if "${" not in item.value:
                literals.add(item.value)
    return keys, literals


def missing_of_none_allowed(
    policies: Sequence[Policy],
    described: Sequence[Statement],
    key: KeyContext,
    certificate: Sequence[Killed],
    grant: str = "default",
) -> list[str]:
    """What a certificate of `prove_none_allowed` leaves open."""
    return list(Checker(policies, described, key, certificate, grant).missing_of_none_allowed())


def missing_of_all_allowed(
    policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext, certificate: Sequence[Killed], grant: str = "any"
) -> list[str]:
    """What a certificate of `prove_all_allowed` leaves open."""
    return list(Checker(policies, described, key, certificate, grant).missing_of_all_allowed())
