"""Statements prepared for searching: what can be said of one once, whoever asks and whatever is asked.

Everything is computed when first needed and kept with the statement, so a statement that a question never reaches costs nothing.
"""

from collections.abc import Callable, Sequence

from kmslint.policy.document import Condition, Policy, Statement
from kmslint.policy.principals import account_of, identify, scope_of
from kmslint.reason import actionset
from kmslint.reason.answer import StatementRef
from kmslint.reason.callers import SERVICES, Names, names_in
from kmslint.reason.compile import Context, compile_condition, variables_in
from kmslint.reason.values import Atom
from kmslint.typed import Final, NamedTuple

MAX_PREPARED: Final = 512
"""Policies and questions whose prepared statements are remembered."""

MAX_ATOMS: Final = 4_096
"""Atoms that one statement remembers: each condition in each kind of caller, reading and binding of variables."""

_QUESTION: Final = Policy("2012-10-17", ())


class Numbered:
    """A statement with its place in the policies that are asked about (policy -1: a statement of the question)."""

    __slots__ = (
        "_atoms",
        "_groups",
        "_lower",
        "_names",
        "_pivots",
        "_upper",
        "has_variables",
        "is_for_all",
        "policy",
        "ref",
        "settled",
        "statement",
    )

    def __init__(self, ref: StatementRef, statement: Statement, policy: Policy) -> None:
        self.ref = ref
        self.statement = statement
        self.policy = policy
        self.has_variables = policy.has_variables()
        self.is_for_all = not statement.not_principal and any(
            entry.value == "*" and entry.kind in {"*", "AWS"} for entry in statement.principals or ()
        )
        """Whether its Principal matches every caller."""
        self.settled: dict[tuple[str, bool], bool] = {}
        """What `space` knows of whole groups of callers: (account or SERVICES, reading) → left out by a condition."""
        self._atoms: dict[tuple[object, ...], Atom | bool] = {}
        self._pivots: tuple[str, ...] | None = None
        self._upper: int | None = None
        self._lower: int | None = None
        self._names: Names | None = None
        self._groups: tuple[dict[str, None] | None] | None = None

    @property
    def pivots(self) -> tuple[str, ...]:
        """The keys whose values policy variables insert into its conditions."""
        if self._pivots is None:
            conditions = self.statement.conditions if self.has_variables else ()
            self._pivots = tuple(dict.fromkeys(name for condition in conditions for name in variables_in(condition)))
        return self._pivots

    def actions(self, *, upper: bool) -> int:
        """The actions that it matches, as a mask."""
        if self._upper is None:
            self._upper = actionset.mask(self.statement, upper=True)
        if upper:
            return self._upper
        if self._lower is None:
            self._lower = 0 if self.statement.unknown else actionset.mask(self.statement, upper=False)
        return self._lower

    @property
    def names(self) -> Names:
        """The principals, accounts and services that it names."""
        if self._names is None:
            self._names = names_in(self.statement)
        return self._names

    @property
    def groups(self) -> dict[str, None] | None:
        """The caller groups (accounts, SERVICES) that its Principal can match at all, in source order; None for any."""
        if self._groups is None:
            self._groups = (_groups_of(self.statement),)
        return self._groups[0]

    def atom(self, place: int, condition: Condition, context: Context, *, upper: bool) -> Atom | bool:
        """The atom of its condition at `place`, remembered."""
        bound: tuple[object, ...] = ()
        if self.pivots:
            bound = tuple((name, context.bindings[name]) for name in variables_in(condition) if name in context.bindings)
        known = (place, context.kind, upper, bound)
        atom = self._atoms.get(known)
        if atom is None:
            atom = compile_condition(condition, self.statement, self.has_variables, context, upper=upper)
            if len(self._atoms) < MAX_ATOMS:
                self._atoms[known] = atom
        return atom


def _groups_of(statement: Statement) -> dict[str, None] | None:
    if statement.not_principal:
        return None
    groups: dict[str, None] = {}
    for entry in statement.principals or ():
        if not isinstance(entry.value, str):
            scope = scope_of(entry.value)
            if scope is None or entry.kind != "AWS":
                return None
            groups[scope.account] = None
            continue
        if entry.kind == "Service":
            groups[SERVICES] = None
            continue
        account = account_of(entry.value) or identify(entry.value).account
        if account is None or entry.kind != "AWS":
            return None
        groups[account] = None
    return groups


class _Remembered(NamedTuple):
    owner: object
    statements: tuple[Numbered, ...]


_PREPARED: Final[dict[tuple[int, int], _Remembered]] = {}


def _remember(place: int, owner: object, prepare: Callable[[], tuple[Numbered, ...]]) -> tuple[Numbered, ...]:
    """What was prepared for this very object, which the memory keeps alive; bounded by MAX_PREPARED."""
    known = (place, id(owner))
    found = _PREPARED.get(known)
    if found is None:
        if len(_PREPARED) >= MAX_PREPARED:
            _PREPARED.clear()
        found = _PREPARED[known] = _Remembered(owner, prepare())
    return found.statements


def of_policy(place: int, policy: Policy) -> tuple[Numbered, ...]:
    """The statements of the policy at `place`."""
    return _remember(
        place, policy, lambda: tuple(Numbered(StatementRef(place, one.index), one, policy) for one in policy.statements)
    )


def of_question(described: Sequence[Statement]) -> tuple[Numbered, ...]:
    """The statements of a described set; pass the same tuple again to have them remembered."""
    frozen = tuple(described)
    return _remember(
        -1,
        frozen,
        lambda: tuple(Numbered(StatementRef(-1, place), one._replace(index=-1), _QUESTION) for place, one in enumerate(frozen)),
    )
