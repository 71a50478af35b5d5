"""Values that several conditions of one cell share: of policy variables, and of organizations with their paths."""

from collections.abc import Iterator, Sequence
from itertools import count

from kmslint.aws.condition_keys import lookup as lookup_key
from kmslint.policy import operators
from kmslint.policy.document import Condition
from kmslint.policy.variables import Part, Variable, split
from kmslint.reason.callers import Caller
from kmslint.reason.compile import variable_of, variables_in
from kmslint.reason.domains import Domains
from kmslint.reason.modes import ORGANIZATIONS
from kmslint.reason.search import VIEWS, is_view
from kmslint.reason.statements import Numbered
from kmslint.reason.strings import NON_EMPTY, Budget, BudgetExceeded
from kmslint.reason.values import ALWAYS, EMPTY, NEVER, Domain, Solver, Unsolved
from kmslint.tree import Template
from kmslint.typed import Final, NamedTuple

MAX_BINDINGS: Final = 400
"""Cases tried for the values of policy variables in one cell."""


class _Use(NamedTuple):
    """A condition, the key that it is about as the search names it, and the keys whose values variables insert into it."""

    key: str
    condition: Condition
    inserted: frozenset[str]


def _uses(relevant: Sequence[Numbered], kind: str) -> Iterator[_Use]:
    for one in relevant:
        for condition in one.statement.conditions:
            names = variables_in(condition) if one.has_variables else ()
            inserted = frozenset(variable_of(name, kind) for name in names)
            yield _Use(variable_of(condition.key.lower(), kind), condition, inserted)


def organizations(relevant: Sequence[Numbered], mentioned: frozenset[str]) -> dict[str, tuple[str, ...] | None]:
    """The organization ids that matter where an organization key and its paths key are both mentioned; None: not known.

    They are known where ids and paths are only compared with texts: case, wildcards, order and variables tell more ids apart.
    """
    found: dict[str, tuple[str, ...] | None] = {}
    for name, paths in ORGANIZATIONS.items():
        if name in mentioned and paths in mentioned:
            conditions = [
                condition
                for one in relevant
                for condition in one.statement.conditions
                if (condition.key.lower() == name and _family(condition) not in _OF_PRESENCE)
                or (condition.key.lower() == paths and _family(condition) not in _OF_NO_PATH)
            ]
            is_inserted = any(name in one.pivots for one in relevant)
            found[name] = None if is_inserted else _ids(conditions)
    return found


_OF_PRESENCE: Final = frozenset({None, operators.NULL})
_OF_NO_PATH: Final = _OF_PRESENCE | {operators.NUMERIC, operators.DATE, operators.BOOL}
"""What a condition asks of a path is the same for all ids: a text with a slash is no number, no date and no truth value."""


def _ids(conditions: Sequence[Condition]) -> tuple[str, ...] | None:
    """The ids that these conditions on an organization and its paths tell apart, one that none names first; None: not known."""
    values = [item.value for condition in conditions for item in condition.values]
    texts = {"*" if isinstance(value, Template) else value.partition("/")[0] for value in values}
    is_plain = all(_family(condition) in {operators.STRING, operators.LIKE} for condition in conditions) and not any(
        char in text for text in texts for char in "*?$"
    )
    if not is_plain or len(texts) >= MAX_BINDINGS:
        return None
    fresh = next(one for one in map("o-a1b2c3d4e{}".format, count(5)) if one not in texts)
    return (fresh, *sorted(texts))


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
    free: set[str], relevant: Sequence[Numbered], domains: Domains, settled: set[str], solver: Solver, caller: Caller
) -> tuple[dict[str, tuple[str | None, ...]], bool]:
    """Values to try for each of the `free` keys, whose values variables insert, and whether they are all that can matter.

    Equality only sees which values are equal. Where every condition on the keys involved compares literally, these are a
    complete set: the literals, what the case has `settled` for other keys, every value of a key that has finitely many, and of all
    other values as many as there are free keys. Elsewhere they are good guesses.
    """
    uses = list(_uses(relevant, caller.kind))
    choices: dict[str, tuple[str | None, ...]] = {}
    is_complete = True
    for linked in _linked(free, uses, caller):
        found, is_all = _candidates(linked, uses, domains, settled, solver, caller)
        choices |= found
        is_complete = is_complete and is_all
    return {name: choices[name] for name in sorted(choices)}, is_complete


def _linked(free: set[str], uses: Sequence[_Use], caller: Caller) -> list[set[str]]:
    """The free keys, parted into those that hang together: by a condition, by a common key, or as parts of one open identity.

    Which value a key of one part has changes nothing for those of another.
    """
    views = {name for name in free if is_view(name, caller)}
    parts = [({name}, {name}) for name in sorted(free - views)] + [(views, set(views))]
    for use in (use for use in uses if not use.inserted.isdisjoint(free)):
        touched = {use.key, *(use.inserted & free)}
        joined = [part for part in parts if not part[1].isdisjoint(touched)]
        parts = [part for part in parts if part not in joined]
        parts.append((set().union(*(names for names, _ in joined)), touched.union(*(keys for _, keys in joined))))
    return [names for names, _ in parts if names]


def _candidates(
    free: set[str], uses: Sequence[_Use], domains: Domains, settled: set[str], solver: Solver, caller: Caller
) -> tuple[dict[str, tuple[str | None, ...]], bool]:
    """`candidates` for keys that are linked."""
    involved = {*free, *(use.key for use in uses if not use.inserted.isdisjoint(free))}
    about = [use for use in uses if use.key in involved]
    texts = {item.value for use in about for item in use.condition.values if isinstance(item.value, str)}
    listed = {value for name in involved for value in domains.of(name).finite or ()}
    literals = sorted({value for value in texts if "${" not in value} | _insertable(texts) | settled | listed)
    fresh, is_enough = _fresh_values(free, involved, domains, literals, solver)
    choices = {name: _choices(domains.of(name), (*fresh, *literals)) for name in sorted(free)}
    is_complete = (
        is_enough and all(map(_is_literal, about)) and not _leans_on_identity(free, involved, {use.key for use in uses}, caller)
    )
    return choices, is_complete


def _choices(domain: Domain, values: Sequence[str]) -> tuple[str | None, ...]:
    """Those of the values that the key may hold, with its absence first and the empty text last."""
    absent = () if domain.presence == ALWAYS else (None,)
    empty = ("",) if domain.may_be_empty else ()
    return tuple(dict.fromkeys((*absent, *(value for value in values if domain.holds(value)), *empty)))


def _insertable(texts: set[str]) -> set[str]:
    """What a variable would have to hold for a pattern with it to equal a literal: `b` for `a${aws:username}` and `ab`."""
    found = set()
    for pattern in (value for value in texts if value.count("${") == 1):
        head, _, rest = pattern.partition("${")
        tail = rest.partition("}")[2]
        for value in texts:
            if "${" not in value and value.startswith(head) and value.endswith(tail):
                found.add(value[len(head) : len(value) - len(tail)])
    return found


def _is_literal(use: _Use) -> bool:
    """Whether the condition sees of a value only which literal, or which one variable, it equals."""
    family = _family(use.condition)
    if family is None or family == operators.NULL:
        return True
    return family == operators.STRING and all(_is_text_or_variable(item.value, use) for item in use.condition.values)


def _is_text_or_variable(value: object, use: _Use) -> bool:
    return isinstance(value, str) and ("${" not in value or (bool(use.inserted) and _is_one_variable(split(value))))


def _is_one_variable(parts: Sequence[Part]) -> bool:
    return len(parts) == 1 and isinstance(parts[0], Variable) and parts[0].default is None


def _leans_on_identity(free: set[str], involved: set[str], mentioned: set[str], caller: Caller) -> bool:
    """Whether an identity that the caller's class leaves open shows in more than one free key: its parts go together."""
    views = {name for name in VIEWS & (involved | mentioned) if is_view(name, caller)}
    return not views.isdisjoint(involved) and (len(views) > 1 or not views <= free)


def _fresh_values(
    free: set[str], involved: set[str], domains: Domains, literals: Sequence[str], solver: Solver
) -> tuple[tuple[str, ...], bool]:
    """Values that are no literals, and whether there are enough.

    Of two values that are in the same domains one is as good as the other. So it takes as many as there are free keys, in the one
    domain that does not hold every text, and outside it as many as there are keys that could hold them.
    """
    fresh: dict[str, None] = {}
    own = [domains.of(name) for name in sorted(involved)]
    wide = sum(_is_open(domains.of(name)) for name in free)
    narrow = {_bare(domain): domain for domain in own if domain.finite is None and not _is_open(domain)}
    is_enough = len(narrow) <= 1 and not any(domain.must_hold or domain.never_hold for domain in own)
    try:
        for name in sorted(free):
            _take(fresh, _fresh(domains.of(name), {*literals, *fresh}, solver))
        for domain in narrow.values():
            for _ in range(len(free) - sum(map(domain.holds, fresh))):
                found = _fresh(domain, {*literals, *fresh}, solver)
                is_enough = is_enough and (found is not None or domain.family == operators.STRING)
                _take(fresh, found)
            for _ in range(wide - sum(not domain.holds(value) for value in fresh)):
                found = _beyond(domain, {*literals, *fresh}, solver)
                is_enough = is_enough and found is not None
                _take(fresh, found)
    except (BudgetExceeded, Unsolved):
        is_enough = False
    return tuple(fresh), is_enough


def _take(fresh: dict[str, None], found: str | None) -> None:
    if found is not None:
        fresh[found] = None


def _is_open(domain: Domain) -> bool:
    """Whether every text but the empty one is a value."""
    return _bare(domain) == _ANY_TEXT


def _bare(domain: Domain) -> Domain:
    """The domain as to which single texts it holds."""
    return domain._replace(presence=ALWAYS, multi=False, samples=(), may_be_empty=False, must_hold=(), never_hold=())


_ANY_TEXT: Final = Domain(ALWAYS, patterns=(NON_EMPTY,))


def _fresh(domain: Domain, taken: set[str], solver: Solver) -> str | None:
    """A value of the domain that is none of `taken`; None when there is none."""
    for sample in (*domain.samples, _new_text(taken)):
        if sample not in taken and domain.holds(sample):
            return sample
    return _text(_bare(domain)._replace(excluded=domain.excluded | taken), solver)


def _beyond(domain: Domain, taken: set[str], solver: Solver) -> str | None:
    """A text that is neither in the domain nor one of `taken`; None when there is none."""
    return _text(_ANY_TEXT._replace(avoid=domain.patterns, excluded=frozenset(taken)), solver)


def _new_text(taken: set[str]) -> str:
    return next(text for text in map("value{}".format, count()) if text not in taken)


def _text(domain: Domain, solver: Solver) -> str | None:
    found = solver.model(domain, (), Budget())
    return found if isinstance(found, str) else None
