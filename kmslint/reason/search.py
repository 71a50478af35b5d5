"""Is a conjunction of atoms and clauses satisfiable? Driven by the model at hand, never by a normal form.

A model of the atoms that must hold is taken; the clauses that it happens to satisfy need nothing. For a clause that it does
not satisfy, each literal is committed to in turn and its key solved anew. Keys are independent once the cell has settled what
they share, so a conjunction holds iff each key's atoms have a model. The identity keys of a caller whose account or name is
open are views of one ARN and are solved together.
"""

from collections.abc import Mapping, Sequence

from kmslint.policy.operators import STRING
from kmslint.policy.patterns import STAR
from kmslint.policy.principals import FEDERATED, ROOT, SERVICE, USER
from kmslint.reason.callers import NAME, Caller
from kmslint.reason.domains import Domains
from kmslint.reason.strings import DIGIT, Budget, Chars, Constraint, Regex, shortest, text
from kmslint.reason.values import (
    ABSENT,
    EVERY,
    SOME,
    TEXT_FAMILIES,
    Absence,
    Atom,
    Held,
    Solver,
    Test,
    Unsolved,
    domain_constraints,
)
from kmslint.typed import Final, NamedTuple

VIEWS: Final = frozenset({"aws:principalarn", "aws:principalaccount", "aws:username", "aws:userid"})
"""Keys that are parts of the caller's identity."""

Clause = tuple[Atom, ...]
Model = dict[str, Held]
"""A value for every key that was solved."""


class Problem(NamedTuple):
    """Atoms that must all hold, and clauses of which each must have one that holds."""

    units: tuple[Atom, ...]
    clauses: tuple[Clause, ...]


def holds(atom: Atom, held: Held) -> bool:
    """Whether an atom is true of a key's value."""
    if isinstance(held, Absence):
        return atom.absent
    if held == "":
        return atom.empty
    members = (held,) if isinstance(held, str) else held
    if atom.test is None:
        return atom.wanted
    passed = (atom.test.contains(member) == atom.wanted for member in members)
    return all(passed) if atom.quantifier == EVERY else any(passed)


def is_view(key: str, caller: Caller) -> bool:
    """Whether the key is a part of an identity that the caller's class leaves open."""
    return key in VIEWS and caller.kind != SERVICE and (caller.arn is None or caller.is_fresh)


def equal_to(key: str, value: str | None) -> Atom:
    """The atom that says: the key holds just this value, or (None) is absent."""
    if value is None:
        return Atom(key, True, False, SOME, None, False, f"{key} is absent")
    test = Test(STRING, (value,), value.__eq__, patterns=(text(value),), complement=False, literals=frozenset({value}))
    return Atom(key, False, False, SOME, test, True, f"{key} = {value}")


class Search:
    """One problem in one cell."""

    __slots__ = ("_budget", "_caller", "_domains", "_solver")

    def __init__(self, caller: Caller, domains: Domains, solver: Solver, budget: Budget) -> None:
        self._caller = caller
        self._domains = domains
        self._solver = solver
        self._budget = budget

    def model(self, problem: Problem) -> Model | None:
        """A value for every key that matters, or None. Raises BudgetExceeded or Unsolved, never answers wrongly."""
        state: dict[str, tuple[Atom, ...]] = {}
        single = [clause[0] for clause in problem.clauses if len(clause) == 1]
        for atom in (*problem.units, *single):
            group = self._group(atom.key)
            known = state.get(group, ())
            if atom not in known:
                state[group] = (*known, atom)
        model: Model = {}
        for group, atoms in state.items():
            found = self._solve(group, atoms)
            if found is None:
                return None
            model.update(found)
        return self._satisfy(state, model, [clause for clause in problem.clauses if len(clause) > 1])

    def _satisfy(self, state: dict[str, tuple[Atom, ...]], model: Model, clauses: Sequence[Clause]) -> Model | None:
        """Extend the model to all clauses, or return None. Depth is bounded by the number of clauses."""
        self._budget.spend(1 + len(clauses))
        unmet = [clause for clause in clauses if not any(self._is_met(atom, model) for atom in clause)]
        if not unmet:
            return model
        clause = min(unmet, key=len)
        rest = [other for other in clauses if other is not clause]
        for atom in clause:
            group = self._group(atom.key)
            atoms = (*state.get(group, ()), atom)
            found = self._solve(group, atoms)
            if found is None:
                continue
            complete = self._satisfy({**state, group: atoms}, {**model, **found}, rest)
            if complete is not None:
                return complete
        return None

    def _is_met(self, atom: Atom, model: Model) -> bool:
        held = model.get(atom.key)
        if held is None and not is_view(atom.key, self._caller):
            held = self._solver.model(self._domains.of(atom.key), (), self._budget)
            if held is not None:
                model[atom.key] = held
        return held is not None and holds(atom, held)

    def _group(self, key: str) -> str:
        """Keys that are views of one open identity share a group; every other key is one by itself."""
        return "identity" if is_view(key, self._caller) else key

    def _solve(self, group: str, atoms: tuple[Atom, ...]) -> Mapping[str, Held] | None:
        """Values for the keys of one group, or None when its atoms exclude each other."""
        self._budget.spend(len(atoms))
        if group == "aws:currenttime" and any(atom.test is not None and atom.test.family in TEXT_FAMILIES for atom in atoms):
            raise Unsolved("a text comparison of the time")
        keys = {atom.key for atom in atoms}
        if len(keys) > 1:
            return self._views(keys, atoms)
        key = next(iter(keys))
        held = self._solver.model(self._domains.of(key), atoms, self._budget)
        return None if held is None else {key: held}

    def _views(self, keys: set[str], atoms: tuple[Atom, ...]) -> Mapping[str, Held] | None:
        """Several identity keys at once: try each key's own model against the rest, then lift all to the ARN's language."""
        by_key = {key: tuple(atom for atom in atoms if atom.key == key) for key in sorted(keys)}
        models: dict[str, Held] = {}
        for key, own in by_key.items():
            held = self._solver.model(self._domains.of(key), own, self._budget)
            if held is None:
                return None
            models[key] = held
        if self._agree(models):
            return models
        if "aws:userid" in keys and self._caller.kind in {ROOT, FEDERATED}:
            raise Unsolved("aws:userid together with other keys of one identity")
        # a key that such a caller never has is settled by its absence; the unique part of aws:userid is no part of the ARN
        arn = self._lifted({key: own for key, own in by_key.items() if key != "aws:userid" and models[key] != ABSENT})
        if arn is None:
            return None
        found: dict[str, Held] = {**models, "aws:principalarn": arn, "aws:principalaccount": arn.split(":")[4]}
        if self._caller.kind == USER:
            found["aws:username"] = arn.rpartition("/")[2]
        return found

    def _agree(self, models: dict[str, Held]) -> bool:
        """Whether separately found values belong to one identity: no two tell different accounts, and no two different names."""
        accounts: set[str] = set()
        names: set[str] = set()
        for key, held in ((key, held) for key, held in models.items() if isinstance(held, str)):
            if key == "aws:principalarn":
                accounts.add(held.split(":")[4])
                names.add(held.rpartition("/")[2])
            elif key == "aws:principalaccount":
                accounts.add(held)
            elif key == "aws:username":
                names.add(held)
            elif self._caller.kind in {ROOT, FEDERATED}:
                account, colon, name = held.partition(":")
                accounts.add(account)
                if colon:
                    names.add(name)
        return len(accounts) <= 1 and len(names) <= 1

    def _lifted(self, by_key: dict[str, tuple[Atom, ...]]) -> str | None:
        """A PrincipalArn whose account and name meet the conditions on them: exact, since the views are regular preimages.

        Each key's own conditions have a model where the key is present, so those without a test hold.
        """
        constraints: list[Constraint] = []
        for key, atoms in by_key.items():
            own = domain_constraints(self._domains.of(key))
            for test, wanted in ((atom.test, atom.wanted) for atom in atoms):
                if test is None:
                    continue
                if test.patterns is None:
                    raise Unsolved(f"a condition on {key} that is not about text")
                own.append(Constraint(test.patterns, wanted != test.complement))
            constraints += [Constraint(self._lift(key, one.patterns), one.wanted) for one in own]
        return shortest(constraints, self._budget)

    def _lift(self, key: str, patterns: tuple[Regex, ...]) -> tuple[Regex, ...]:
        """The ARNs whose part that `key` shows is in one of the patterns, among the ARNs of the caller's class."""
        if key == "aws:principalarn":
            return patterns
        service = "sts" if self._caller.kind == FEDERATED else "iam"
        head = text(f"arn:{self._caller.partition}:{service}::")
        if key == "aws:principalaccount":
            return tuple((*head, *inner, ":", STAR) for inner in _all_within(patterns, DIGIT.chars))
        return tuple((*head, *(DIGIT,) * 12, *text(":user"), STAR, "/", *inner) for inner in _all_within(patterns, NAME.chars))


def _all_within(patterns: tuple[Regex, ...], chars: frozenset[str]) -> list[Regex]:
    """The texts of the patterns that are made of `chars` alone."""
    return [inner for pattern in patterns if (inner := _within(pattern, chars)) is not None]


def _within(pattern: Regex, chars: frozenset[str]) -> Regex | None:
    """The pattern with every token restricted to `chars`; None when a literal is outside."""
    tokens: list[str | Chars] = []
    for token in pattern:
        if isinstance(token, str):
            if token not in chars:
                return None
            tokens.append(token)
        elif isinstance(token, Chars):
            tokens.append(Chars(chars - token.chars if token.negated else chars & token.chars, star=token.star))
        else:
            tokens.append(Chars(chars, star=token == STAR))
    return tuple(tokens)
