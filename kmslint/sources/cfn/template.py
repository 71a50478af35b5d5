"""One template: its parameters, mappings, conditions and resources, found wherever they stand in a text.

A template may be the whole text, a part of it (Serverless Framework's `resources`, a test file's inputs), a text inside a
stack set, or a bare map of resources.

Source: CloudFormation User Guide, "Template sections", "Fn::ForEach", "Transform section".
"""

from collections.abc import Iterator, Mapping

from kmslint.location import pointer
from kmslint.sources.cfn.values import literal, texts_of
from kmslint.tree import ARRAY, OBJECT, Member, Node
from kmslint.typed import Final, NamedTuple

KEY: Final = "AWS::KMS::Key"
REPLICA: Final = "AWS::KMS::ReplicaKey"
ALIAS: Final = "AWS::KMS::Alias"
KEY_TYPES: Final = frozenset({KEY, REPLICA})
LOOP: Final = "Fn::ForEach::"

_HARMLESS: Final = (
    "AWS::Serverless-2016-10-31",
    "AWS::LanguageExtensions",
    "AWS::CodeDeployBlueGreen",
    "AWS::SecretsManager-",
    "AWS::Include",
)
"""Transforms that leave the resources of KMS as they are written."""

MAX_LOOP: Final = 200
"""Resources that one Fn::ForEach makes. A template holds at most 500."""


class Resource(NamedTuple):
    """One resource. `bindings` are the variables of the loops that make it, `at` its JSON pointer."""

    id: str
    key_node: Node
    node: Node
    type: str
    at: str
    bindings: Mapping[str, str] = {}

    def property(self, name: str) -> Node | None:
        """A property as written."""
        properties = self.node.member("Properties")
        return None if properties is None else properties.member(name)


class Template(NamedTuple):
    """What one template says. `macros` are transforms that may change anything; `whole` is false for a bare map of resources."""

    parameters: Mapping[str, Node]
    mappings: Node | None
    conditions: Mapping[str, Node]
    resources: Mapping[str, Resource]
    macros: tuple[str, ...]
    at: str
    whole: bool


def templates_in(root: Node) -> Iterator[Template]:
    """The templates in a document that hold a key of KMS, in order."""
    stack: list[tuple[Node, Node | None, str, str]] = [(root, None, "", "")]
    while stack:
        node, parent, at, name = stack.pop()
        if node.kind == OBJECT and _holds_keys(node):
            whole = parent is not None and name == "Resources"
            yield _template(node, parent if whole else None, at)
            continue
        below: list[tuple[Node, Node | None, str, str]] = []
        if node.kind == ARRAY:
            below = [(item, None, f"{at}/{index}", "") for index, item in enumerate(node.items())]
        elif node.kind == OBJECT:
            below = [(member.value, node, at + pointer(member.key), member.key) for member in node.members()]
        stack.extend(reversed(below))


def is_resource(node: Node, types: frozenset[str] = KEY_TYPES) -> bool:
    """Whether a value is a resource of one of the types."""
    return node.kind == OBJECT and literal(node.member("Type")) in types


def _holds_keys(node: Node) -> bool:
    return any(is_resource(member.value) or any(map(is_resource, _looped(member))) for member in node.members())


def _looped(member: Member) -> Iterator[Node]:
    """The resources in a loop, loops inside it included."""
    parts = member.value.items()
    if member.key.startswith(LOOP) and len(parts) == 3:
        for inner in parts[2].members():
            yield inner.value
            yield from _looped(inner)


def _template(resources: Node, parent: Node | None, at: str) -> Template:
    parameters = _section(parent, "Parameters")
    found: dict[str, Resource] = {}
    for resource in _resources(resources, at, {}, parameters):
        found.setdefault(resource.id, resource)
    transform = parent.member("Transform") if parent is not None else None
    names = [] if transform is None else [text for text in texts_of(transform) if not text.startswith(_HARMLESS)]
    mappings = parent.member("Mappings") if parent is not None else None
    return Template(parameters, mappings, _section(parent, "Conditions"), found, tuple(names), at, parent is not None)


def _section(parent: Node | None, name: str) -> Mapping[str, Node]:
    section = parent.member(name) if parent is not None else None
    return {} if section is None else {member.key: member.value for member in section.members()}


def _resources(node: Node, at: str, bindings: Mapping[str, str], parameters: Mapping[str, Node]) -> Iterator[Resource]:
    """The resources of a map, those of loops included."""
    for member in node.members():
        where = at + pointer(member.key)
        if member.key.startswith(LOOP):
            yield from _loop(member, where, bindings, parameters)
        elif member.value.kind == OBJECT:
            id = _bound(member.key, bindings)
            yield Resource(id, member.key_node, member.value, literal(member.value.member("Type")) or "", where, bindings)


def _loop(member: Member, at: str, bindings: Mapping[str, str], parameters: Mapping[str, Node]) -> Iterator[Resource]:
    """The resources of one Fn::ForEach. Where its collection is not known, the variable stays a hole."""
    parts = member.value.items()
    name = literal(parts[0]) if len(parts) == 3 else None
    if name is None:
        return
    collection = parts[1]
    reference = collection.member("Ref")
    if reference is not None:
        default = parameters.get(literal(reference) or "")
        words = literal(default.member("Default")) if default is not None and default.member("Default") else None
        values = [word.strip() for word in words.split(",")] if words else []
    else:
        values = list(texts_of(collection)) if collection.kind == ARRAY else []
    depth = len(bindings)
    for value in (values or [f"${{{name}}}"])[: MAX_LOOP if depth == 0 else 20]:
        if depth < 3:
            yield from _resources(parts[2], f"{at}/2", {**bindings, name: value}, parameters)


def _bound(id: str, bindings: Mapping[str, str]) -> str:
    for name, value in bindings.items():
        id = id.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", value)
    return id
