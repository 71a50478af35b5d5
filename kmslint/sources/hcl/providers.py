"""Which account and Region a block works in: those of its provider configuration.

`data.aws_caller_identity` is the key's own account only where both use the same credentials.

Source: HashiCorp, Terraform Language, "Provider Configuration", "Passing Providers Explicitly".
"""

from collections.abc import Mapping, Sequence

from kmslint.sources.hcl.syntax import Attribute, Block, Expression, ObjectOf, Quoted, Raw, Variable
from kmslint.typed import Final, NamedTuple

_ELSEWHERE: Final = frozenset({"alias", "region", "default_tags", "ignore_tags", "version", "retry_mode", "max_retries"})
"""Arguments that do not change the account."""


class Provider(NamedTuple):
    """A provider configuration: `identity` is what decides the account, `region` the Region, both as written."""

    name: str
    identity: tuple[str, ...] = ()
    region: str = ""
    block: Block | None = None


def provider_named(name: str, blocks: Sequence[Block]) -> Provider:
    """The configuration `aws` or `aws.alias` of the root module."""
    for block in blocks:
        alias = block.argument("alias")
        label = block.labels[0]
        if name == (f"{label}.{_word(alias.expression())}" if alias is not None else label):
            body = block.body()
            said = [f"{key}={argument.place.written()}" for key, argument in body.arguments.items() if key not in _ELSEWHERE]
            said += [inner.place.written() for inner in body.blocks if inner.kind not in _ELSEWHERE]
            region = body.arguments.get("region")
            return Provider(name, tuple(sorted(said)), region.place.written() if region else "", block)
    return Provider(name)


def chosen_name(block: Block) -> str:
    """The local name of the provider configuration that a resource or data block uses."""
    argument = block.argument("provider")
    return _word(argument.expression()) if argument is not None else block.labels[0].split("_", 1)[0]


def passed_names(block: Block) -> Mapping[str, str]:
    """What a module call passes: the child's local names to the caller's."""
    argument = block.argument("providers")
    found = argument.expression() if argument is not None else None
    if not isinstance(found, ObjectOf):
        return {}
    return {_word(key): _word(value) for key, value in found.members}


def _word(expression: Expression) -> str:
    """`aws.east` of a reference or a string."""
    if isinstance(expression, Variable):
        return expression.name
    if isinstance(expression, Attribute):
        return f"{_word(expression.base)}.{expression.name}"
    if isinstance(expression, Quoted):
        return "".join(part.value for part in expression.parts if isinstance(part, Raw))
    return ""
