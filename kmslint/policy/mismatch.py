"""Why a statement does not apply to a request: the first of its elements that does not match."""

from kmslint.policy import operators
from kmslint.policy.complete import spelled
from kmslint.policy.document import Condition, Policy, Statement
from kmslint.policy.evaluate import Run
from kmslint.policy.principals import match_principals
from kmslint.policy.request import Request
from kmslint.policy.truth import F


def mismatch(statement: Statement, policy: Policy, request: Request) -> str | None:
    """The element that keeps `statement` from applying to `request`, as `its condition … does not hold`; None if none surely does."""
    if statement.actions is None or statement.resources is None or not statement.principals:
        return "it lacks an element and has no effect"
    run = Run(request, policy.has_variables(), lean=False)
    if match_principals(statement, request, lean=False).truth == F:
        return f"its {'NotPrincipal' if statement.not_principal else 'Principal'} does not match"
    if run.action(statement) == F:
        return f"its {'NotAction' if statement.not_action else 'Action'} does not match"
    if run.resource(statement) == F:
        return f"its {'NotResource' if statement.not_resource else 'Resource'} does not match"
    for condition in statement.conditions:
        if run.condition(condition, statement.effect) == F:
            return _failed(condition, request)
    return None


def _failed(condition: Condition, request: Request) -> str:
    name = spelled(condition.key)
    if operators.lookup(condition.operator) is None:
        return f"its condition operator `{condition.operator}` does not exist"
    held = request.context.get(condition.key.lower())
    if held is None:
        return f"its condition {condition.operator} `{name}` does not hold: the request has no `{name}`"
    members = (held,) if isinstance(held, str) else sorted(held)
    shown = ", ".join(f"`{member}`" for member in members[:5]) + (", …" if len(members) > 5 else "")
    return f"its condition {condition.operator} `{name}` does not hold: the request has {shown or 'an empty list'}"
