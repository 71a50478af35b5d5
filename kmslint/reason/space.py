"""What a question is asked about: the statements, the classes of callers, and which statement can apply to whom.

What is learnt of one list of policies is kept from one question to the next.
"""

from collections.abc import Mapping, Sequence

from kmslint.policy.document import Item, Policy, Principal, Statement
from kmslint.policy.evaluate import applies
from kmslint.policy.principals import SERVICE, Match, match_principals
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import T, U
from kmslint.reason.answer import Killed
from kmslint.reason.callers import Caller, Callers, Names, join_names
from kmslint.reason.compile import Context, variables_in
from kmslint.reason.domains import Domains
from kmslint.reason.groups import GROUP_KEYS, Groups
from kmslint.reason.modes import Mode
from kmslint.reason.statements import Numbered, of_policy, of_question
from kmslint.reason.strings import Budget
from kmslint.reason.values import NEVER, Atom, Domain, Solver
from kmslint.tree import from_python
from kmslint.typed import Final

MAX_KNOWN: Final = 64
"""Lists of policies of which what was learnt is remembered."""

MAX_CALLERS: Final = 32
"""Sets of caller classes that are remembered for one list of policies."""

MAX_DOMAINS: Final = 4_096
"""Cells (caller, action, case, reading) whose domains are remembered for one list of policies."""

_NODE: Final = from_python(None)
_YES: Final = Match(T)
_EVERYONE: Final = (Principal("*", "*", _NODE),)
_EVERY_ACTION: Final = (Item("*", _NODE),)
_FREE: Final[Mapping[str, str | None]] = {}


class _Known:
    """What is learnt of one list of policies of one key, kept from one question to the next."""

    __slots__ = ("_key", "_others", "_usual", "allows", "denies", "mentioned", "owners", "resources", "solver", "statements")

    def __init__(self, policies: tuple[Policy, ...], key: KeyContext) -> None:
        self.owners = policies
        self.statements = tuple(one for place, policy in enumerate(policies) for one in of_policy(place, policy))
        self.allows = tuple(one for one in self.statements if one.statement.effect != "Deny")
        self.denies = tuple(one for one in self.statements if one.statement.effect != "Allow")
        self.mentioned = frozenset(condition.key.lower() for one in self.statements for condition in one.statement.conditions)
        self.solver = Solver()
        self.resources: dict[Numbered, int] = {}
        self._usual: _Classes | None = None
        self._others: dict[Names, _Classes] = {}
        self._key = key

    def classes(self, described: Sequence[Numbered]) -> "_Classes":
        """The classes of callers that the policies and a question tell apart."""
        usual = self._usual
        if usual is None:
            usual = self._usual = _Classes(Callers(join_names((one.names for one in self.statements), self._key), self._key))
        more = [one.names for one in described if not usual.callers.knows(one.names)]
        if not more:
            return usual
        names = join_names((usual.callers.names, *more), self._key)
        found = self._others.get(names)
        if found is None:
            if len(self._others) >= MAX_CALLERS:
                self._others.clear()
            found = self._others[names] = _Classes(Callers(names, self._key))
        return found


class _Classes:
    """Classes of callers with what is known of each, by the identity of the class, which this keeps alive."""

    __slots__ = ("blocked", "callers", "domains", "matches")

    def __init__(self, callers: Callers) -> None:
        self.callers = callers
        self.matches: dict[tuple[Numbered, int], Match] = {}
        self.blocked: dict[tuple[Numbered, int, bool], bool] = {}
        self.domains: dict[tuple[int, str, Mode, bool], Domains] = {}


_KNOWN: Final[dict[tuple[object, ...], _Known]] = {}


def _known_of(policies: tuple[Policy, ...], key: KeyContext) -> _Known:
    """The memory for these very policy objects, which it keeps alive; bounded by MAX_KNOWN."""
    place = (*map(id, policies), key)
    known = _KNOWN.get(place)
    if known is None:
        if len(_KNOWN) >= MAX_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[place] = _Known(policies, key)
    return known


class Space:
    """What is shared by all questions about one list of policies and one described set."""

    def __init__(self, policies: Sequence[Policy], described: Sequence[Statement], key: KeyContext) -> None:
        self.policies = tuple(policies)
        self.key = key
        self.described = of_question(described)
        self._known = _known_of(self.policies, key)
        self.statements = self._known.statements
        self.mentioned = self._known.mentioned
        self.solver = self._known.solver
        self.groups = Groups(self.key, lambda: self.callers.stranger, self.resource)
        """What the statements say of whole groups of callers."""
        self.steps: list[Killed] | None = None
        """Where the steps of a proof are noted, when a certificate is wanted."""
        self._built: _Classes | None = None

    @property
    def _classes(self) -> _Classes:
        """Built when first needed: many questions are settled by whole groups."""
        if self._built is None:
            self._built = self._known.classes(self.described)
        return self._built

    @property
    def callers(self) -> Callers:
        """Every class of callers that the statements tell apart."""
        return self._classes.callers

    def allows(self) -> tuple[Numbered, ...]:
        """Every statement that may allow."""
        return self._known.allows

    def denies(self) -> tuple[Numbered, ...]:
        """Every statement that may deny."""
        return self._known.denies

    def principal(self, numbered: Numbered, caller: Caller) -> Match:
        """How the statement's Principal element sees a caller class."""
        if numbered.is_for_all:
            return _YES
        known = (numbered, id(caller))
        match = self._classes.matches.get(known)
        if match is None:
            context = {"aws:principalarn": caller.arn} if caller.arn is not None else {}
            request = Request(caller.principal, "kms:Decrypt", context, self.key, caller.parent)
            match = self._classes.matches[known] = match_principals(numbered.statement, request, lean=False)
        return match

    def reaches(self, numbered: Numbered, caller: Caller, *, upper: bool) -> bool:
        """Whether principal, resource and form let the statement apply to this caller; actions and conditions aside."""
        if numbered.statement.unknown and not upper:
            return False
        floor = U if upper else T
        return self.principal(numbered, caller).truth >= floor and self.resource(numbered) >= floor

    def resource(self, numbered: Numbered) -> int:
        """How the statement's Resource element sees the key itself."""
        known = self._known.resources.get(numbered)
        if known is None:
            statement = numbered.statement
            if _is_any(statement):
                return T
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
        conditions = numbered.statement.conditions
        if not conditions:
            return ()
        atoms = []
        context = Context(caller.kind, caller.principal, bindings, self.key)
        for index, condition in enumerate(conditions):
            atom = numbered.atom(index, condition, context, upper=upper)
            if atom is False:
                return None
            if atom is not True:
                atoms.append(atom)
        return tuple(atoms)

    def domains(self, caller: Caller, action: str, mode: Mode, *, may: bool) -> Domains:
        """What each context key can hold in one cell."""
        memory = self._classes.domains
        known = (id(caller), action, mode, may)
        found = memory.get(known)
        if found is None:
            if len(memory) >= MAX_DOMAINS:
                memory.clear()
            found = memory[known] = Domains(caller, action, mode, self.key, self.callers.names.accounts, may=may)
        return found

    def blocks(self, numbered: Numbered, caller: Caller, *, may: bool) -> bool:
        """Whether the statement cannot apply to this caller, judged by who calls and by nothing else."""
        known = (numbered, id(caller), may)
        found = self._classes.blocked.get(known)
        if found is None:
            found = self._classes.blocked[known] = not self.reaches(numbered, caller, upper=may) or self._is_refused(
                numbered, caller, may=may
            )
        return found

    def _is_refused(self, numbered: Numbered, caller: Caller, *, may: bool) -> bool:
        """Whether a condition on who calls fails for the whole class."""
        for place, condition in enumerate(numbered.statement.conditions):
            name = condition.key.lower()
            if name not in _CALLER_KEYS or (numbered.pivots and variables_in(condition)):
                continue
            atom = numbered.atom(place, condition, Context(caller.kind, caller.principal, _FREE, self.key), upper=may)
            if atom is True:
                continue
            if atom is False or self._is_false(self.domains(caller, "Decrypt", _ANY_CASE, may=may).of(atom.key), atom):
                return True
        return False

    def _is_false(self, domain: Domain, atom: Atom) -> bool:
        """Whether a key that the caller's class fixes makes the atom false; an open one is left to the search."""
        is_settled = domain.finite is not None or domain.presence == NEVER
        return is_settled and self.solver.model(domain, (atom,), Budget()) is None


def _is_any(statement: Statement) -> bool:
    """Whether the Resource element is just `*`, which means the key itself (SEMANTICS §6)."""
    resources = statement.resources or ()
    return not statement.not_resource and len(resources) == 1 and resources[0].value == "*"


_ANY_CASE: Final = Mode()
_CALLER_KEYS: Final = GROUP_KEYS | {"aws:principalarn", "aws:username", "aws:principaltype", "aws:principalservicename"}
"""Keys that the caller's class determines whatever the action and the case."""


def is_foreign(caller: Caller, key: KeyContext) -> bool:
    """Whether the caller is no principal of the owner's account; an AWS service is foreign."""
    return caller.kind == SERVICE or caller.account != key.account
