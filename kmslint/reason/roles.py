"""The role behind a session: its name is known and its path is not."""

from collections.abc import Iterator, Sequence
from itertools import product

from kmslint.policy.document import Policy
from kmslint.policy.principals import identify
from kmslint.policy.request import Request
from kmslint.reason.compile import Context, compile_condition, variables_in
from kmslint.reason.strings import Budget, BudgetExceeded, Chars, Constraint, Regex, shortest, text
from kmslint.reason.values import Atom
from kmslint.typed import Final

MAX_PATTERNS: Final = 6
"""Patterns of which a role ARN may match any combination: 2^6 of them are tried."""

_PATH: Final = Chars(frozenset(chr(code) for code in range(0x21, 0x7F)), star=True)


def roles_told_apart(policies: Sequence[Policy], request: Request) -> tuple[str, ...]:
    """A role ARN for each way in which the conditions on aws:PrincipalArn can see the role of the session that calls.

    Empty where nothing is known: past MAX_PATTERNS or the budget, or where policy variables play with the ARN.
    """
    identity = identify(request.principal)
    stem, name = f"arn:{identity.partition}:iam::{identity.account}:role/", identity.name or ""
    places: tuple[Regex, ...] = (text(stem + name), (*text(stem), _PATH, *text("/" + name)))
    budget = Budget()
    if any(_inserts_arn(policy) for policy in policies):
        return ()
    try:
        patterns = [one for one in dict.fromkeys(_patterns(policies, request)) if _matters(one, places, budget)]
        if len(patterns) > MAX_PATTERNS:
            return ()
        found = (_member(places, patterns, wanted, budget) for wanted in product((False, True), repeat=len(patterns)))
        return tuple(arn for arn in found if arn is not None)
    except BudgetExceeded:
        return ()


def _inserts_arn(policy: Policy) -> bool:
    """Whether a condition compares something with `${aws:PrincipalArn}`, or aws:PrincipalArn with a variable."""
    if not policy.has_variables():
        return False
    conditions = [condition for statement in policy.statements for condition in statement.conditions]
    return any("aws:principalarn" in variables_in(one) for one in conditions) or any(
        one.key.lower() == "aws:principalarn" and variables_in(one) for one in conditions
    )


def _patterns(policies: Sequence[Policy], request: Request) -> Iterator[Regex]:
    context = Context("R", request.principal, {}, request.key)
    for policy in policies:
        for statement in policy.statements:
            for condition in statement.conditions:
                if condition.key.lower() == "aws:principalarn":
                    for upper in (True, False):
                        atom = compile_condition(condition, statement, policy.has_variables(), context, upper=upper)
                        if isinstance(atom, Atom) and atom.test is not None and atom.test.patterns is not None:
                            yield from atom.test.patterns


def _matters(pattern: Regex, places: tuple[Regex, ...], budget: Budget) -> bool:
    return all(_member(places, [pattern], (wanted,), budget) is not None for wanted in (True, False))


def _member(places: tuple[Regex, ...], patterns: Sequence[Regex], wanted: Sequence[bool], budget: Budget) -> str | None:
    parts = [Constraint((pattern,), want) for pattern, want in zip(patterns, wanted, strict=True)]
    return shortest([Constraint(places, True), *parts], budget)
