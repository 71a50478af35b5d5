"""What the properties of a key say of it.

Source: CloudFormation Template Reference, AWS::KMS::Key, AWS::KMS::ReplicaKey, AWS::KMS::Alias.
"""

from collections.abc import Callable, Mapping

from kmslint.jsontext import quoted
from kmslint.location import Location, pointer
from kmslint.model.key import UNREAD, Absent, Fact, Known, Unknown
from kmslint.sources.cfn.evaluator import Evaluator
from kmslint.sources.cfn.template import ALIAS, KEY, Resource
from kmslint.tree import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, Node, Symbol, Template
from kmslint.typed import Final

DEFAULT_WINDOW_DAYS: Final = 30
"""Source: AWS::KMS::Key, PendingWindowInDays: "If you do not include a value, it defaults to 30"."""

DEFAULT_PERIOD_DAYS: Final = 365
"""Source: AWS::KMS::Key, RotationPeriodInDays: "The default value is 365"."""

_SHARED: Final = ("spec", "usage", "rotation.enabled", "rotation.period_days")
"""Source: KMS Developer Guide, "Multi-Region keys", shared properties."""

_Reader = Callable[[Node], object]


class Properties:
    """The properties of one key in one scenario, each evaluated when asked for."""

    def __init__(self, resource: Resource, evaluator: Evaluator) -> None:
        self.resource = resource
        self.evaluator = evaluator

    def find(self, name: str) -> Node | None:
        """The value of a property; None where it is not set."""
        written = self.resource.property(name)
        value = None if written is None else self.evaluator.value(written)
        return None if value is None or value.kind == NULL else value

    def pointer(self, name: str) -> str:
        """The JSON pointer of a property."""
        return self.resource.at + pointer("Properties", name)

    def here(self) -> Location:
        """The place of the resource's logical id."""
        at = self.resource
        return at.key_node.text.locate(at.key_node.start, at.key_node.end, at.at, address=at.id)

    def place(self, name: str, node: Node) -> Location:
        """Where the value of a property stands."""
        written = self.resource.property(name) or node
        return written.text.locate(written.start, written.end, self.pointer(name), address=self.resource.id)

    def fact(self, name: str, read: _Reader, default: Fact) -> Fact:
        """A property as a fact; `default` where it is not set."""
        node = self.find(name)
        if node is None:
            return default._replace(location=self.here()) if isinstance(default, Known) else default
        if is_open(node):
            return Unknown(UNREAD, f"`{name}` is {quoted(str(node.as_text()))}, which could not be resolved")
        value = read(node)
        if value is None:
            return Unknown(UNREAD, f"`{name}` is {_kind(node)}, which CloudFormation does not take")
        return Known(value, self.place(name, node))


def facts_of(resource: Resource, evaluator: Evaluator) -> dict[str, Fact]:
    """The facts of a key or a replica, but for its aliases."""
    properties = Properties(resource, evaluator)
    facts: dict[str, Fact] = {
        "manager": Known("CUSTOMER"),
        "description": properties.fact("Description", _text, Known("")),
        "tags": properties.fact("Tags", _tags, Known({})),
        "deletion.window_days": properties.fact("PendingWindowInDays", _integer, Known(DEFAULT_WINDOW_DAYS)),
        "lockout_check_bypassed": properties.fact("BypassPolicyLockoutSafetyCheck", _boolean, Known(value=False)),
    }
    facts |= _key_facts(properties) if resource.type == KEY else _replica_facts(properties)
    enabled = properties.fact("Enabled", _boolean, Known(value=True))
    if isinstance(enabled, Unknown):
        facts["state"] = enabled
    elif isinstance(enabled, Known) and not enabled.value:
        facts["state"] = Known("Disabled", enabled.location)
    return facts


def _location(fact: Fact | None) -> Location | None:
    return fact.location if isinstance(fact, Known) else None


def _key_facts(properties: Properties) -> Mapping[str, Fact]:
    multi_region = properties.fact("MultiRegion", _boolean, Known(value=False))
    return {
        "spec": properties.fact("KeySpec", _text, Known("SYMMETRIC_DEFAULT")),
        "usage": properties.fact("KeyUsage", _text, Known("ENCRYPT_DECRYPT")),
        "origin": properties.fact("Origin", _text, Known("AWS_KMS")),
        "multi_region": multi_region,
        "multi_region.type": _if(multi_region, Known("PRIMARY", _location(multi_region))),
        **_rotation(properties),
    }


def _rotation(properties: Properties) -> Mapping[str, Fact]:
    enabled = properties.fact("EnableKeyRotation", _boolean, Known(value=False))
    period = properties.fact("RotationPeriodInDays", _integer, Known(DEFAULT_PERIOD_DAYS))
    return {"rotation.enabled": enabled, "rotation.period_days": _if(enabled, period)}


def _if(condition: Fact, then: Fact) -> Fact:
    """`then` if the condition is true, Absent if it is false, and not known if it is not."""
    if isinstance(condition, Known):
        return then if condition.value is True else Absent()
    return condition


def _replica_facts(properties: Properties) -> Mapping[str, Fact]:
    """The facts of a replica. What it shares with its primary key is known only where that is in the template."""
    here = properties.here()
    shared: Mapping[str, Fact] = dict.fromkeys(
        _SHARED, Unknown(UNREAD, "it is that of the primary key, which is not in the template")
    )
    primary = _primary(properties)
    if primary is not None:
        evaluator = properties.evaluator
        shared = _key_facts(Properties(primary, evaluator))
    return {
        **{name: shared[name] for name in _SHARED},
        "origin": shared.get("origin", Known("AWS_KMS", here)),
        "multi_region": Known(value=True, location=here),
        "multi_region.type": Known("REPLICA", here),
        "multi_region.primary": properties.fact("PrimaryKeyArn", _text, Unknown(UNREAD, "`PrimaryKeyArn` is not set")),
    }


def _primary(properties: Properties) -> Resource | None:
    """The primary key of a replica, if the template makes it."""
    target = properties.find("PrimaryKeyArn")
    resources = properties.evaluator.template.resources.values()
    return next((found for found in resources if found.type == KEY and targets(target, found)), None)


def aliases_of(resource: Resource, aliases: list[Resource], evaluator: Evaluator, *, complete: bool) -> Fact:
    """The names of the aliases of the template that target the key. A part that is not resolved stays as `${Name}`."""
    found: list[object] = []
    place: Location | None = None
    for alias in aliases:
        target, name = alias.property("TargetKeyId"), alias.property("AliasName")
        if target is None or name is None or not targets(evaluator.value(target), resource):
            continue
        condition = alias.node.member("Condition")
        text = evaluator.text(name)
        if condition is not None and evaluator.conditions(str(condition.value)) is False:
            continue
        if text is not None:
            found.append(str(text))
            place = place or name.text.locate(name.start, name.end, alias.at, address=alias.id)
    if not found and not complete:
        return Unknown(UNREAD, "the template could not be read to its end")
    return Known(found, place or Properties(resource, evaluator).here())


def targets(target: Node | None, resource: Resource) -> bool:
    """Whether an alias's target is the key, by its id or its ARN."""
    value = None if target is None else target.as_text()
    parts = value.parts if isinstance(value, Template) else ()
    names = {resource.id, f"{resource.id}.Arn", f"{resource.id}.KeyId"}
    return any(isinstance(part, Symbol) and part.name in names for part in parts)


def is_alias(resource: Resource) -> bool:
    """Whether a resource names a key."""
    return resource.type == ALIAS


def is_open(node: Node) -> bool:
    """Whether the value is a symbol as a whole."""
    return isinstance(node.value, Symbol)


def _kind(node: Node) -> str:
    if node.kind in {OBJECT, ARRAY}:
        return "a list" if node.kind == ARRAY else "an object"
    return quoted(str(node.as_text() or "null"))


def _text(node: Node) -> str | None:
    """A text; its holes stay as `${Name}`."""
    value = node.as_text()
    return None if value is None else str(value)


def _boolean(node: Node) -> bool | None:
    """Source: CloudFormation takes the texts `true` and `false` for booleans, in any case."""
    if node.kind == BOOLEAN:
        return bool(node.value)
    return {"true": True, "false": False}.get(str(node.value).lower()) if node.kind == STRING else None


def _integer(node: Node) -> int | None:
    """A number, or a text that is one."""
    text = str(node.value) if node.kind in {NUMBER, STRING} else ""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None


def _tags(node: Node) -> dict[str, str] | None:
    """The tags of a list of `Key` and `Value`, or of an object, which SAM writes. A hole in a value stays as `${Name}`."""
    if node.kind == OBJECT:
        pairs = [(member.key, member.value) for member in node.members()]
    else:
        pairs = [
            (str(key.as_text()), value)
            for item in node.items()
            if (key := item.member("Key")) and (value := item.member("Value"))
        ]
    found = {name: str(text) for name, value in pairs if (text := value.as_text()) is not None}
    return found if node.kind in {OBJECT, ARRAY} and not any(is_open(item) for item in node.items()) else None
