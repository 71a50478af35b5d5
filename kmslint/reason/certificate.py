"""Why a question was proven: one step for each group of requests, small enough to check without searching.

The search only says "no model". For a certificate each refuted cell is taken again and its problem is shrunk to a minimal
core by deletion: conditions that must hold, and clauses of which one literal must, that cannot hold together.
"""

from collections.abc import Sequence

from kmslint.reason.answer import Killed, StatementRef
from kmslint.reason.callers import Caller
from kmslint.reason.domains import Domains
from kmslint.reason.modes import Mode
from kmslint.reason.search import Clause, Problem, Search
from kmslint.reason.strings import Budget
from kmslint.reason.values import Atom, Solver
from kmslint.typed import NamedTuple

MAX_STEPS = 5_000
"""Steps that a certificate keeps; the corpus needs under 500."""


class Evidence(NamedTuple):
    """The cell of a step and its minimal core. `actions` are the names of the group; `may` is always the wide reading."""

    caller: Caller
    actions: tuple[str, ...]
    mode: Mode
    units: tuple[Atom, ...]
    clauses: tuple[Clause, ...]


def shrink(problem: Problem, caller: Caller, domains: Domains, solver: Solver) -> Problem:
    """A minimal unsatisfiable part of an unsatisfiable problem, found by deleting what is not needed. O(n) searches."""
    units, clauses = list(problem.units), list(problem.clauses)
    for part in (units, clauses):
        for entry in list(part):
            place = part.index(entry)  # type: ignore[arg-type]
            part.pop(place)
            if not _is_refuted(units, clauses, caller, domains, solver):
                part.insert(place, entry)  # type: ignore[arg-type]
    return Problem(tuple(units), tuple(clauses))


def _is_refuted(units: Sequence[Atom], clauses: Sequence[Clause], caller: Caller, domains: Domains, solver: Solver) -> bool:
    return Search(caller, domains, solver, Budget()).model(Problem(tuple(units), tuple(clauses))) is None


def of_conditions(subject: StatementRef | None, evidence: Evidence) -> Killed:
    """The step of a cell whose conditions exclude each other."""
    core = [atom.origin for atom in evidence.units]
    core += ["not all of: " + "; ".join(atom.origin for atom in clause) for clause in evidence.clauses]
    return Killed(_cell(evidence), subject, "conditions", None, tuple(dict.fromkeys(core)), evidence)


def of_reach(subject: StatementRef | None, by: StatementRef, evidence: Evidence) -> Killed:
    """The step of a cell that a needed statement does not reach."""
    return Killed(_cell(evidence), subject, "reach", by, (), evidence)


def of_deny(subject: StatementRef | None, by: StatementRef, evidence: Evidence) -> Killed:
    """The step of a cell that a Deny stops whatever the context."""
    return Killed(_cell(evidence), subject, "deny", by, (), evidence)


def of_allow(subject: StatementRef | None, by: StatementRef, evidence: Evidence) -> Killed:
    """The step of a cell that an Allow lets through whatever the context, where a request that is not allowed is looked for."""
    return Killed(_cell(evidence), subject, "allow", by, (), evidence)


def _cell(evidence: Evidence) -> str:
    actions = ", ".join(f"kms:{name}" for name in evidence.actions[:3]) + (", …" if len(evidence.actions) > 3 else "")
    return f"{evidence.caller.label}, {actions}" + (f", {evidence.mode.label}" if evidence.mode.label else "")


def sentence(step: Killed) -> str:
    """The step as a person reads it."""
    subject = "" if step.subject is None else f"statement {step.subject.statement} allows none of it: "
    if step.why == "reach":
        by = "the question" if step.by is None or step.by.policy < 0 else f"statement {step.by.statement}"
        return f"{step.cell}: {subject}{by} does not apply"
    if step.why == "deny":
        return f"{step.cell}: {subject}statement {step.by.statement if step.by else '?'} denies it"
    if step.why == "allow":
        return f"{step.cell}: {subject}statement {step.by.statement if step.by else '?'} allows all of it"
    return f"{step.cell}: {subject}these cannot hold together: " + " · ".join(step.core)
