"""Conditions, comparisons and arithmetic.

Source: HashiCorp, "HCL Native Syntax Specification", "Operations", "Conditional Operator".
"""

from collections.abc import Callable, Mapping, Sequence

from kmslint.sources.hcl import values
from kmslint.sources.hcl.expressions import Evaluator, Scope, truth
from kmslint.sources.hcl.syntax import Conditional, Operation
from kmslint.sources.hcl.values import Failure
from kmslint.tree import NULL, NUMBER, STRING, Node
from kmslint.typed import Final


def conditional(evaluator: Evaluator, expression: Conditional, scope: Scope) -> Node:
    """One of two answers; both, where they are alike, whatever the condition is."""
    condition = truth(evaluator.evaluate(expression.condition, scope))
    if condition is not None:
        return evaluator.evaluate(expression.then if condition else expression.otherwise, scope)
    try:
        then, otherwise = evaluator.evaluate(expression.then, scope), evaluator.evaluate(expression.otherwise, scope)
    except Failure:
        return evaluator.symbol(expression, scope)
    return then if values.plain(then) == values.plain(otherwise) else evaluator.symbol(expression, scope)


def operation(evaluator: Evaluator, expression: Operation, scope: Scope) -> Node:
    """The value of an operation."""
    operator = expression.operator
    if operator in {"&&", "||"}:
        return _logical(evaluator, expression, scope)
    operands = [evaluator.evaluate(operand, scope) for operand in expression.operands]
    if operator in {"==", "!="}:
        return _equality(evaluator, expression, operands, scope)
    if not all(map(values.is_known, operands)):
        return evaluator.symbol(expression, scope)
    if operator == "!":
        return values.boolean(not truth(operands[0]), expression.place)
    return _arithmetic(expression, [_number(operand) for operand in operands])


def _logical(evaluator: Evaluator, expression: Operation, scope: Scope) -> Node:
    """`&&` and `||`: one operand may decide alone."""
    decides = expression.operator == "||"
    is_open = False
    for operand in expression.operands:
        found = truth(evaluator.evaluate(operand, scope))
        if found is decides:
            return values.boolean(decides, expression.place)
        is_open = is_open or found is None
    return evaluator.symbol(expression, scope) if is_open else values.boolean(not decides, expression.place)


def _equality(evaluator: Evaluator, expression: Operation, operands: Sequence[Node], scope: Scope) -> Node:
    left, right = operands
    equal = values.plain(left) == values.plain(right)
    if NULL in {left.kind, right.kind} and not values.is_open(left) and not values.is_open(right):
        equal = left.kind == right.kind  # a list with an unresolved item is not null
    elif not equal and not (values.is_known(left) and values.is_known(right)):
        return evaluator.symbol(expression, scope)
    if not equal and {left.kind, right.kind} == {STRING, NUMBER}:
        equal = False
    return values.boolean(equal == (expression.operator == "=="), expression.place)


def _number(node: Node) -> float:
    text = str(values.text_of(node))
    try:
        return int(text) if text.lstrip("-").isdigit() and len(text) < 30 else float(text)
    except ValueError:
        raise Failure(f"`{values.shown(text)}` is no number", values.place_of(node)) from None


def _arithmetic(expression: Operation, operands: Sequence[float]) -> Node:
    place = expression.place
    if len(operands) == 1:
        return values.number(-operands[0], place)
    left, right = operands
    compare = _COMPARISONS.get(expression.operator)
    if compare is not None:
        return values.boolean(compare(left, right), place)
    compute = _COMPUTATIONS.get(expression.operator)
    if compute is None or (expression.operator in "/%" and right == 0):
        raise Failure("the operation has no value", place)
    try:
        return values.number(compute(left, right), place)
    except (OverflowError, ValueError):
        raise Failure("the number is too large", place) from None


_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_COMPUTATIONS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a - b * int(a / b),
}
