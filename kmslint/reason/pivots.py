"""Values that several conditions of one cell share: of policy variables, and of organizations with their paths."""

from collections.abc import Sequence

from kmslint.aws.condition_keys import lookup as lookup_key
from kmslint.policy import operators
from kmslint.policy.document import Condition
from kmslint.reason.compile import variable_of, variables_in
from kmslint.reason.domains import Domains
from kmslint.reason.modes import ORGANIZATIONS
from kmslint.reason.search import VIEWS
from kmslint.reason.statements import Numbered
from kmslint.reason.strings import Budget, BudgetExceeded
from kmslint.reason.values import ALWAYS, EMPTY, NEVER, Domain, Solver
from kmslint.typed import Final

MAX_BINDINGS: Final = 400
"""Cases tried for the values of policy variables in one cell."""


def organizations(relevant: Sequence[Numbered], mentioned: frozenset[str]) -> dict[str, tuple[str, ...] | None]:
    """The organization ids that matter where an organization key and its paths key are both mentioned; None: not known."""
    found: dict[str, tuple[str, ...] | None] = {}
    for name, paths in ORGANIZATIONS.items():
        if name in mentioned and paths in mentioned:
            texts = [
                item.value.split("/", 1)[0] if condition.key.lower() == paths else item.value
                for one in relevant
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


def bound(name: str, domain: Domain) -> tuple[str | None, ...]:
    """The one value that a variable has in a cell, if it has just one: the key's constant, or None (no value)."""
    if lookup_key(name) is None:
        return (None,)
    if domain.multi or domain.presence in {NEVER, EMPTY}:
        return (None,)
    if domain.presence == ALWAYS and domain.finite is not None and len(domain.finite) == 1:
        return (domain.finite[0],)
    return ()


def candidates(
    variables: set[str], relevant: Sequence[Numbered], domains: Domains, settled: set[str], solver: Solver, kind: str
) -> tuple[dict[str, tuple[str | None, ...]], bool]:
    """Values to try for each variable key, and whether they are all that can matter.

    Equality only sees which values are equal: where every condition on the keys involved compares literally, the literals
    and one fresh value a key are a complete set, with what the case has `settled` for other keys. Elsewhere they are good guesses.
    """
    involved = set(variables)
    uses: list[tuple[str, Condition, bool]] = []
    for one in relevant:
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
