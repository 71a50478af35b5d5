"""Whole groups of callers left out at once: by account, or as AWS services, before any class of the group is built.

Every shortcut here is one-sided: "left out" is only said where each class of the group would be left out by itself. What it
cannot see costs time and changes no answer.
"""

from collections.abc import Callable, Mapping, Sequence

from kmslint.policy.principals import ROLE
from kmslint.policy.request import KeyContext
from kmslint.policy.truth import T, U
from kmslint.reason.answer import StatementRef
from kmslint.reason.callers import FRESH, SERVICES
from kmslint.reason.compile import Context, variables_in
from kmslint.reason.statements import Numbered
from kmslint.reason.values import Atom
from kmslint.typed import Final

_ACCOUNT_NAMES: Final = ("aws:principalaccount", "kms:calleraccount")
GROUP_KEYS: Final = frozenset({*_ACCOUNT_NAMES, "aws:principalisawsservice"})
"""Keys that all callers of a group share."""

_FREE: Final[Mapping[str, str | None]] = {}
_CONTEXTS: Final = {
    False: Context(ROLE, "arn:aws:sts::000000000000:assumed-role/any/session", _FREE, KeyContext()),
    True: Context("S", "any.amazonaws.com", _FREE, KeyContext()),
}


class Groups:
    """What the statements of one question say of whole groups. `stranger` tells the account that stands for a fresh one."""

    __slots__ = ("_covered", "_excluded", "_key", "_resource", "_stranger")

    def __init__(self, key: KeyContext, stranger: Callable[[], str], resource: Callable[[Numbered], int]) -> None:
        self._key = key
        self._stranger = stranger
        self._resource = resource
        self._excluded: dict[tuple[StatementRef, bool], bool] = {}
        self._covered: dict[tuple[StatementRef, str, bool], bool] = {}

    def excludes(self, numbered: Numbered, group: str, *, upper: bool) -> bool:
        """Whether the statement applies to no request of the group: by its Principal, or by a condition on the account."""
        if numbered.groups is not None and group not in numbered.groups:
            return True
        if not numbered.statement.conditions:
            return False
        if group == FRESH:
            return self._excludes_strangers(numbered, upper=upper)
        found = numbered.settled.get((group, upper))
        if found is None:
            found = numbered.settled[group, upper] = self._excludes_by_condition(numbered, group, upper=upper)
        return found

    def _excludes_strangers(self, numbered: Numbered, *, upper: bool) -> bool:
        """Not remembered with the statement, since who is a stranger depends on what else is asked."""
        found = self._excluded.get((numbered.ref, upper))
        if found is None:
            found = self._excluded[numbered.ref, upper] = self._excludes_by_condition(numbered, FRESH, upper=upper)
        return found

    def is_settled(self, needed: Sequence[Numbered], *, upper: bool) -> bool:
        """Whether every group of callers is left out by one of the needed statements, as far as that shows at once."""
        for one in needed:
            if one.groups is not None:
                return all(any(self.excludes(other, group, upper=upper) for other in needed) for group in one.groups)
        return False

    def covers(self, numbered: Numbered, group: str, *, upper: bool) -> bool:
        """Whether a statement applies to every request of the group: its principals, its resource and each condition take all."""
        known = (numbered.ref, group, upper)
        found = self._covered.get(known)
        if found is None:
            found = self._covered[known] = self._applies_to_all(numbered, group, upper=upper)
        return found

    def _applies_to_all(self, numbered: Numbered, group: str, *, upper: bool) -> bool:
        statement = numbered.statement
        if statement.not_principal or statement.resources is None or numbered.pivots or (statement.unknown and not upper):
            return False
        values = {entry.value for entry in statement.principals or () if entry.kind in {"*", "AWS"}}
        if "*" not in values and group not in values and f"arn:{self._key.partition}:iam::{group}:root" not in values:
            return False
        if self._resource(numbered) < (U if upper else T):
            return False
        return all(self._always(numbered, place, group, upper=upper) for place in range(len(statement.conditions)))

    def _always(self, numbered: Numbered, place: int, group: str, *, upper: bool) -> bool:
        """Whether a condition holds for every caller of the group, judged by account or by being a service."""
        condition = numbered.statement.conditions[place]
        value = self._value(condition.key.lower(), group)
        if value is None:
            return False
        atom = numbered.atom(place, condition, _CONTEXTS[group == SERVICES], upper=upper)
        return atom if isinstance(atom, bool) else _is_literal_for(group, atom) and _holds(atom, value)

    def _excludes_by_condition(self, numbered: Numbered, group: str, *, upper: bool) -> bool:
        """Whether a condition on the account (or on being a service) fails for the whole group."""
        for place, condition in enumerate(numbered.statement.conditions):
            value = self._value(condition.key.lower(), group)
            if value is None or (numbered.pivots and variables_in(condition)):
                continue
            atom = numbered.atom(place, condition, _CONTEXTS[group == SERVICES], upper=upper)
            if atom is False:
                return True
            if atom is not True and _is_literal_for(group, atom) and not _holds(atom, value):
                return True
        return False

    def _value(self, key: str, group: str) -> str | None:
        """The value of a key that all callers of the group share; None where they differ."""
        if key not in GROUP_KEYS:
            return None
        if key == "aws:principalisawsservice":
            return "true" if group == SERVICES else "false"
        if group == SERVICES:
            return None
        return self._stranger() if group == FRESH else group


def _is_literal_for(group: str, atom: Atom) -> bool:
    """Whether the group's value of the key decides for the whole group.

    A fresh account is like any other that is named nowhere only where names are compared literally.
    """
    return group != FRESH or atom.test is None or atom.test.literals is not None


def _holds(atom: Atom, value: str) -> bool:
    return atom.wanted if atom.test is None else atom.test.contains(value) == atom.wanted
