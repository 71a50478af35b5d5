"""Functions of the AWS provider.

Source: hashicorp/aws provider documentation, "Functions": arn_build, arn_parse, trim_iam_role_path.
"""

from kmslint.sources.hcl import values
from kmslint.sources.hcl.expressions import Evaluator, Scope
from kmslint.sources.hcl.syntax import Call
from kmslint.sources.hcl.values import Failure
from kmslint.tree import NULL, UNRESOLVED, Node, Symbol
from kmslint.typed import Final

_FIELDS: Final = ("partition", "service", "region", "account_id", "resource")


def arn_build(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """An ARN of its five parts, which may have holes."""
    if len(arguments) != len(_FIELDS) or any(argument.kind == NULL for argument in arguments):
        return None
    parts: list[str | Symbol] = ["arn"]
    for argument in arguments:
        parts += [":", *values.parts_of(values.text_of(argument))]
    return values.string(values.join_parts(parts), call.place)


def arn_parse(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The five parts of an ARN. Raises Failure for what is none."""
    if len(arguments) != 1 or arguments[0].kind == UNRESOLVED or not isinstance(arguments[0].value, str):
        return None
    prefix, *parts = arguments[0].value.split(":", len(_FIELDS))
    if prefix != "arn" or len(parts) != len(_FIELDS):
        raise Failure("the text is no ARN", call.place)
    return values.mapping(
        [(name, values.string(part, call.place)) for name, part in zip(_FIELDS, parts, strict=True)], call.place
    )


def trim_iam_role_path(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The ARN of a role without the path in it."""
    if len(arguments) != 1 or not isinstance(arguments[0].value, str):
        return None
    head, word, tail = arguments[0].value.partition(":role/")
    if not (word and head.startswith("arn:") and ":iam:" in head):
        return None
    return values.string(f"{head}{word}{tail.rpartition('/')[2]}", call.place)
