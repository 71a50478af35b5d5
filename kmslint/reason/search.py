"""Is a conjunction of atoms and clauses satisfiable? Unit propagation, shortest clause first, no normal form expansion.

Keys are independent once the cell has settled what they share, so a conjunction holds iff each key's atoms have a model.
The identity keys of a caller whose account or name is open are views of one ARN and are solved together.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER, identify
from kmslint.reason.cells import Caller, Domains
from kmslint.reason.strings import DIGIT, BudgetExceeded, Chars, Constraint, Regex, shortest, text
from kmslint.reason.values import TEXT_FAMILIES, Atom, Held, Solver, Unsolved, domain_constraints

MAX_NODES: Final = 20_000
"""Search nodes of one question in one cell. The corpus needs under 100; pigeonhole Denies grow by a factor n each."""

VIEWS: Final = frozenset({"aws:principalarn", "aws:principalaccount", "aws:username", "aws:userid"})
"""Keys that are parts of the caller's identity."""

Clause = tuple[Atom, ...]
Model = dict[str, Held]


class Problem(NamedTuple):
    """Atoms that must all hold, and clauses of which each must have one that holds."""

    units: tuple[Atom, ...]
    clauses: tuple[Clause, ...]


class Search:
    """One problem in one cell. `core` tells, after None, the atoms that excluded each other."""

    __slots__ = ("_caller", "_domains", "_nodes", "_solver", "core")

    def __init__(self, caller: Caller, domains: Domains, solver: Solver, budget: "Budget") -> None:
        self._caller = caller
        self._domains = domains
        self._solver = solver
        self._nodes = budget
        self.core: tuple[Atom, ...] = ()

    def model(self, problem: Problem) -> Model | None:
        """A value for every key that matters, or None. Raises BudgetExceeded or Unsolved, never answers wrongly."""
        state: dict[str, tuple[Atom, ...]] = {}
        model: Model = {}
        for atom in problem.units:
            group = self._group(atom.key)
            state[group] = (*state.get(group, ()), atom)
        for group, atoms in state.items():
            found = self._check(group, atoms)
            if found is None:
                self.core = atoms
                return None
            model[group] = found
        return self._branch(state, model, problem.clauses)

    def _branch(self, state: dict[str, tuple[Atom, ...]], model: Model, clauses: Sequence[Clause]) -> Model | None:
        """Satisfy all clauses on top of `state`, or return None. Recursion is bounded by the number of clauses."""
        self._nodes.spend()
        open_clauses: list[list[tuple[Atom, Held]]] = []
        for clause in clauses:
            options = self._options(state, clause)
            if options is None:
                continue
            if not options:
                self.core = (*clause, *(atom for one in clause for atom in state.get(self._group(one.key), ())))
                return None
            open_clauses.append(options)
        if not open_clauses:
            return model
        open_clauses.sort(key=len)
        first, rest = open_clauses[0], [tuple(atom for atom, _ in options) for options in open_clauses[1:]]
        for atom, held in first:
            group = self._group(atom.key)
            inner = {**state, group: (*state.get(group, ()), atom)}
            found = self._branch(inner, {**model, group: held}, rest)
            if found is not None:
                return found
        return None

    def _options(self, state: dict[str, tuple[Atom, ...]], clause: Clause) -> list[tuple[Atom, Held]] | None:
        """The literals of a clause that are still possible, with a model each; None when the present model satisfies one."""
        options = []
        for atom in clause:
            group = self._group(atom.key)
            atoms = state.get(group, ())
            if atom in atoms:
                return None
            found = self._check(group, (*atoms, atom))
            if found is not None:
                options.append((atom, found))
        return options

    def _group(self, key: str) -> str:
        """Keys that are views of one open identity share a group; every other key is one by itself."""
        caller = self._caller
        is_view = key in VIEWS and caller.kind != SERVICE and (caller.arn is None or caller.is_fresh)
        return "identity" if is_view else key

    def _check(self, group: str, atoms: tuple[Atom, ...]) -> Held | None:
        if group == "aws:currenttime" and any(atom.test is not None and atom.test.family in TEXT_FAMILIES for atom in atoms):
            raise Unsolved("a text comparison of the time")
        if group != "identity":
            return self._solver.model(self._domains.of(group), atoms)
        keys = {atom.key for atom in atoms}
        if len(keys) == 1:
            return self._one_view(next(iter(keys)), atoms)
        return self._views(keys, atoms)

    def _one_view(self, key: str, atoms: tuple[Atom, ...]) -> Held | None:
        held = self._solver.model(self._domains.of(key), atoms)
        return None if held is None else (key, held)  # type: ignore[return-value]

    def _views(self, keys: set[str], atoms: tuple[Atom, ...]) -> Held | None:
        """Several identity keys at once: try each key's own model against the rest, then lift all to the ARN's language."""
        by_key = {key: tuple(atom for atom in atoms if atom.key == key) for key in sorted(keys)}
        models: dict[str, Held] = {}
        for key, own in by_key.items():
            held = self._solver.model(self._domains.of(key), own)
            if held is None:
                return None
            models[key] = held
        consistent = self._agree(models)
        if consistent:
            return ("views", tuple(sorted(models.items())))  # type: ignore[return-value]
        if "aws:userid" in keys and self._caller.kind in {ROOT, FEDERATED}:
            raise Unsolved("aws:userid together with other keys of one identity")
        arn = self._lifted(by_key)
        if arn is None:
            return None
        found: dict[str, Held] = {"aws:principalarn": arn}
        found.update({key: models[key] for key in keys & {"aws:userid"}})
        return ("views", tuple(sorted(found.items())))  # type: ignore[return-value]

    def _agree(self, models: dict[str, Held]) -> bool:
        """Whether separately found values belong to one identity."""
        arn = models.get("aws:principalarn")
        account, name = models.get("aws:principalaccount"), models.get("aws:username")
        userid = models.get("aws:userid")
        if self._caller.kind in {ROOT, FEDERATED} and isinstance(userid, str) and self._caller.is_fresh:
            known = account if isinstance(account, str) else None
            if isinstance(arn, str):
                known = arn.split(":")[4]
                if self._caller.kind == FEDERATED and userid.partition(":")[2] != arn.rpartition("/")[2]:
                    return False
            if known is not None and userid.partition(":")[0] != known:
                return False
        if not isinstance(arn, str):
            return True
        identity = identify(arn)
        return (not isinstance(account, str) or account == identity.account) and (
            not isinstance(name, str) or name == identity.name
        )

    def _lifted(self, by_key: dict[str, tuple[Atom, ...]]) -> str | None:
        """A PrincipalArn whose account and name meet the conditions on them: exact, since the views are regular preimages."""
        constraints = domain_constraints(self._domains.of("aws:principalarn"))
        for key, atoms in by_key.items():
            if key == "aws:userid":
                continue
            for atom in atoms:
                if atom.test is None:
                    if not atom.wanted:
                        return None
                    continue
                if atom.test.family not in TEXT_FAMILIES or atom.test.patterns is None:
                    raise Unsolved(f"a condition on {key} that is not about text")
                patterns = tuple(lifted for pattern in atom.test.patterns if (lifted := self._lift(key, pattern)) is not None)
                constraints.append(Constraint(patterns, atom.wanted != atom.test.complement))
        return shortest(constraints)

    def _lift(self, key: str, pattern: Regex) -> Regex | None:
        caller = self._caller
        service = "sts" if caller.kind == FEDERATED else "iam"
        head = text(f"arn:{caller.partition}:{service}::")
        resource = {ROLE: ":role/", USER: ":user/", ROOT: ":root", FEDERATED: ":federated-user/"}[caller.kind]
        run = Chars(frozenset(), negated=True, star=True)
        if key == "aws:principalarn":
            return pattern
        if key == "aws:principalaccount":
            inner = _within(pattern, frozenset("0123456789"))
            tail: Regex = text(resource) if caller.kind == ROOT else (*text(resource), run)
            return None if inner is None else (*head, *inner, *tail)
        inner = _within(pattern, frozenset("/:"), complement=True)
        account: Regex = (DIGIT,) * 12
        return (
            None if inner is None else (*head, *account, *text(":user"), Chars(frozenset(), negated=True, star=True), "/", *inner)
        )


def _within(pattern: Regex, chars: frozenset[str], *, complement: bool = False) -> Regex | None:
    """The pattern with every token restricted to `chars` (or to all others); None when a literal is outside."""
    tokens: list[str | int | Chars] = []
    for token in pattern:
        if isinstance(token, str):
            if (token in chars) == complement:
                return None
            tokens.append(token)
        elif isinstance(token, Chars):
            tokens.append(_meet(token, chars, complement=complement))
        else:
            tokens.append(Chars(chars, complement, token == 1))
    return tuple(tokens)


def _meet(token: Chars, chars: frozenset[str], *, complement: bool) -> Chars:
    if complement:
        return Chars(token.chars | chars, True, token.star) if token.negated else Chars(token.chars - chars, False, token.star)
    return Chars(chars - token.chars, False, token.star) if token.negated else Chars(chars & token.chars, False, token.star)


class Budget:
    """Search nodes left for one question."""

    __slots__ = ("left",)

    def __init__(self, nodes: int = MAX_NODES) -> None:
        self.left = nodes

    def spend(self) -> None:
        """Count one node; raises BudgetExceeded when none is left."""
        self.left -= 1
        if self.left < 0:
            raise BudgetExceeded(f"the search needs more than {MAX_NODES} steps")
