"""Parameters whose default is an empty string, where a principal stands: the stack needs another value to come to be.

KMS refuses a policy with an empty principal, so that no key ever has it: whoever makes the stack gives the parameter a value,
which is not known. An empty default in a name, a description or a condition is a value like any other.

Source: IAM User Guide, "AWS JSON policy elements: Principal"; KMS API Reference, PutKeyPolicy, MalformedPolicyDocumentException.
"""

from collections.abc import Container, Iterator, Mapping

from kmslint.location import pointer
from kmslint.policy.document import Diagnostic
from kmslint.sources.cfn.template import Template
from kmslint.sources.cfn.values import literal, parts_of
from kmslint.tree import ARRAY, OBJECT, Node, Symbol
from kmslint.typed import Final

_ELEMENTS: Final = ("Principal", "NotPrincipal")


def empty_parameters(template: Template, given: Container[str], settled: Mapping[str, object]) -> frozenset[str]:
    """The parameters that are empty by their default, and neither given nor settled to be something else by a scenario."""
    empty = (name for name, declared in template.parameters.items() if literal(declared.member("Default")) == "")
    return frozenset(name for name in empty if name not in given and settled.get(name, "") == "")


def empty_principals(policy: Node, template: Template, empty: Container[str]) -> Iterator[Diagnostic]:
    """A diagnostic at every parameter of `empty` that makes a principal of the policy one that KMS refuses.

    In `policy` these parameters are symbols.
    """
    listed = policy.member("Statement") if policy.kind == OBJECT else None
    statements = () if listed is None else listed.items() if listed.kind == ARRAY else (listed,)
    for index, statement in enumerate(statements):
        found: dict[str, None] = {}
        for element in _ELEMENTS:
            node = statement.member(element) if statement.kind == OBJECT else None
            if node is not None:
                found |= dict.fromkeys(name for text in _texts(node) for name in _missing(text, empty))
        for name in found:
            yield _diagnostic(name, template, index)


def _texts(node: Node) -> Iterator[tuple[str | Symbol, ...]]:
    """The texts of a principal element, in pieces."""
    stack = [node]
    while stack:
        found = stack.pop()
        if isinstance(found.value, Symbol):
            yield (found.value,)
        elif (text := found.as_text()) is not None:
            yield parts_of(text)
        stack.extend(reversed([*(member.value for member in found.members()), *found.items()]))


def _missing(text: tuple[str | Symbol, ...], empty: Container[str]) -> list[str]:
    """The parameters without which the text is no principal."""
    names = [part.name for part in text if isinstance(part, Symbol) and part.name in empty]
    rest = "".join("" if isinstance(part, Symbol) and part.name in names else str(part) for part in text)
    return names if names and _is_refused(rest) else []


def _is_refused(principal: str) -> bool:
    """Whether a principal lacks its account, its name or all."""
    return not principal or ":::" in principal or principal.startswith((".", ":")) or principal.endswith(("/", ":", "::root"))


def _diagnostic(name: str, template: Template, statement: int) -> Diagnostic:
    node = template.parameters[name].member("Default") or template.parameters[name]
    at = template.at.removesuffix("/Resources") + pointer("Parameters", name, "Default")
    message = f"the parameter `{name}` is empty unless it is given, and an empty string is no principal: KMS refuses the policy"
    help = f"pass --param {name}=VALUE for what the stack gets, and declare the parameter without a default, or leave the statement out by a condition"
    return Diagnostic("empty-principal", message, help, node, at, statement)
