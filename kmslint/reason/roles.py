"""The role behind a session: its name is known and its path is not."""

from collections.abc import Iterator, Sequence

from kmslint.policy.document import Condition, Policy
from kmslint.policy.principals import identify
from kmslint.policy.request import Request
from kmslint.reason.compile import Context, compile_condition, variables_in
from kmslint.reason.strings import Budget, BudgetExceeded, Chars, Constraint, Regex, accepts, shortest, text
from kmslint.reason.values import Atom
from kmslint.typed import Final

_PRINTED: Final = frozenset(chr(code) for code in range(0x21, 0x7F))
_PATH: Final[Regex] = (Chars(_PRINTED), Chars(_PRINTED, star=True))
"""What stands between the slashes of a path: `/` alone, or something between two (IAM API, CreateRole, "Path")."""


def roles_told_apart(policies: Sequence[Policy], request: Request) -> tuple[str, ...]:
    """A role ARN for each way in which the conditions on aws:PrincipalArn can see the role of the session that calls.

    Empty where nothing is known: past the budget, or where policy variables play with the ARN.
    """
    if any(_inserts_arn(policy) for policy in policies):
        return ()
    identity = identify(request.principal)
    stem = f"arn:{identity.partition}:iam::{identity.account}:role/"
    pathless = f"{stem}{identity.name}"
    place = Constraint((text(pathless), (*text(stem), *_PATH, *text(f"/{identity.name}"))), True)
    ways: list[_Way] = [((place,), pathless)]
    budget = Budget()
    try:
        for pattern in dict.fromkeys(_patterns(policies, request)):
            ways = [part for way in ways for part in _split(way, pattern, budget)]
    except BudgetExceeded:
        return ()
    return tuple(arn for _, arn in ways)


_Way = tuple[tuple[Constraint, ...], str]
"""What is so of a set of role ARNs, and one of them."""


def _split(way: _Way, pattern: Regex, budget: Budget) -> tuple[_Way, ...]:
    """The ARNs of `way` that `pattern` matches and those that it does not; `way` alone where one of the two has no member."""
    known, arn = way
    is_matched = accepts(pattern, arn)
    others = (*known, Constraint((pattern,), not is_matched))
    other = shortest(others, budget)
    if other is None:
        return (way,)
    return ((*known, Constraint((pattern,), is_matched)), arn), (others, other)


def _inserts_arn(policy: Policy) -> bool:
    """Whether a condition compares something with `${aws:PrincipalArn}`, or aws:PrincipalArn with a variable."""
    conditions = [condition for statement in policy.statements for condition in statement.conditions]
    return policy.has_variables() and any(map(_compares_arn, conditions))


def _compares_arn(condition: Condition) -> bool:
    used = variables_in(condition)
    return "aws:principalarn" in used or (bool(used) and condition.key.lower() == "aws:principalarn")


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
