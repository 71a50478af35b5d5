"""A key policy as a value: what was written, where, and nothing about what it means."""

from kmslint.tree import Node, Value
from kmslint.typed import NamedTuple


class Item(NamedTuple):
    """One entry of a list (an action, a resource, a condition value) and its place."""

    value: Value
    node: Node


class Principal(NamedTuple):
    """One principal entry.

    `kind` is "*" for the bare `"Principal": "*"`, else the map's key: "AWS", "Service", "Federated", "CanonicalUser".
    """

    kind: str
    value: Value
    node: Node


class Condition(NamedTuple):
    """One condition operator with one condition key. Names as written; conditions of a statement are ANDed."""

    operator: str
    key: str
    values: tuple[Item, ...]
    node: Node
    """The place of the condition key."""
    operator_node: Node


class Statement(NamedTuple):
    """One statement. An element that is not written is None; an empty list is ().

    `unknown` says why the statement counts as unknown (U) for access questions: it violates the grammar (AWS would reject
    it) or holds a part that could not be resolved. Empty for a well-formed statement.
    """

    index: int  # type: ignore[assignment]  # the tuple method of this name is not used
    sid: str | None
    effect: str | None
    """"Allow" | "Deny" | None (unreadable: could be either)."""
    principals: tuple[Principal, ...] | None
    actions: tuple[Item, ...] | None
    resources: tuple[Item, ...] | None
    conditions: tuple[Condition, ...]
    node: Node
    not_principal: bool = False
    not_action: bool = False
    not_resource: bool = False
    unknown: tuple[str, ...] = ()


class Policy(NamedTuple):
    """A policy document. `version` is as written, None when absent (which means 2008-10-17).

    `unknown` is not empty when the whole document could not be resolved: then every question about it is undetermined.
    """

    version: str | None
    statements: tuple[Statement, ...]
    node: Node | None = None
    unknown: tuple[str, ...] = ()

    def has_variables(self) -> bool:
        """Whether `${…}` is a policy variable here.

        Source: IAM User Guide, "IAM JSON policy elements: Version": variables need version 2012-10-17.
        """
        return self.version == "2012-10-17"


class Diagnostic(NamedTuple):
    """A violation of the policy grammar, at its place.

    `code` is stable and kebab-case (`duplicate-element`, `missing-effect`, `unknown-element`, …).
    """

    code: str
    message: str
    help: str | None
    node: Node
    pointer: str
    statement: int | None = None
