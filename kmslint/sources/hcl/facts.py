"""The facts of a key that its Terraform arguments state, each at the place of its argument.

Source: hashicorp/aws provider documentation: aws_kms_key, aws_kms_external_key, aws_kms_replica_key,
aws_kms_replica_external_key, aws_kms_grant; SEMANTICS §12.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from kmslint.location import Location
from kmslint.model.key import UNREAD, Absent, Fact, Known, Unknown
from kmslint.sources.hcl import values
from kmslint.sources.hcl.modules import Module
from kmslint.sources.hcl.syntax import Argument
from kmslint.sources.hcl.world import Instance
from kmslint.tree import ARRAY, NULL, OBJECT, UNRESOLVED, Node, Symbol, Template
from kmslint.typed import Final

KEY: Final = "aws_kms_key"
EXTERNAL: Final = "aws_kms_external_key"
REPLICA: Final = "aws_kms_replica_key"
EXTERNAL_REPLICA: Final = "aws_kms_replica_external_key"
KEY_TYPES: Final = (KEY, EXTERNAL, REPLICA, EXTERNAL_REPLICA)

DEFAULT_WINDOW: Final = 30
"""Days. Source: provider documentation, deletion_window_in_days: "If you do not specify a value, it defaults to 30"."""

DEFAULT_PERIOD: Final = 365
"""Days. Source: KMS API Reference, EnableKeyRotation, RotationPeriodInDays."""

_REPLICA_SHARES: Final = ("spec", "usage", "rotation.enabled", "rotation.period_days")


class Arguments:
    """The arguments of one instance of a block, as facts."""

    def __init__(self, module: Module, instance: Instance) -> None:
        self.module = module
        self.instance = instance

    def node(self, name: str) -> Node | None:
        """The value of an argument; None where it is absent or null."""
        argument = self.instance.block.argument(name)
        if argument is None:
            return None
        found = self.module.read(argument, self.instance.scope)
        return None if found.kind == NULL else found

    def location(self, name: str) -> Location:
        """The place of an argument, or of the block where it is not written."""
        argument = self.instance.block.argument(name)
        return located(argument if argument is not None else self.instance, name, self.instance.address)

    def fact(self, name: str, convert: "Callable[[Node], object]", default: Fact) -> Fact:
        """The argument `name` as a fact; `default` is what the provider or KMS makes of its absence."""
        found = self.node(name)
        if found is None:
            return default._replace(location=self.location(name)) if isinstance(default, Known) else default
        open_ = unresolved_name(found)
        if open_ is not None:
            return Unknown(UNREAD, f"`{open_}` could not be resolved")
        value = convert(found)
        if value is None:
            return Unknown(UNREAD, f"`{name}` has a value of an unexpected type")
        return Known(value, self.location(name))

    def boolean(self, name: str, default: Fact) -> Fact:
        """A boolean argument."""
        return self.fact(name, to_boolean, default)

    def integer(self, name: str, default: Fact) -> Fact:
        """A whole number."""
        return self.fact(name, to_integer, default)

    def text(self, name: str, default: Fact) -> Fact:
        """A text."""
        return self.fact(name, to_text, default)


def located(what: "Argument | Instance", name: str, address: str) -> Location:
    """The place of an argument, or of the first line of a block."""
    if isinstance(what, Argument):
        return what.place.text.locate(what.place.start, what.place.end, name, address=address)
    place = what.block.place
    end = place.text.content.find("\n", place.start, place.end)
    return place.text.locate(place.start, place.end if end < 0 else end, "", address=address)


def unresolved_name(node: Node) -> str | None:
    """The first unresolved part of a value, or None if it is known."""
    if node.kind == UNRESOLVED:
        return values.symbol_of(node).name.removesuffix(values.SEVERAL)
    if isinstance(node.value, Template):
        return next(part.name for part in node.value.parts if isinstance(part, Symbol))
    inside = node.items() or tuple(member.value for member in node.members())
    return next((name for item in inside if (name := unresolved_name(item)) is not None), None)


def facts_of(module: Module, instance: Instance) -> dict[str, Fact]:
    """The facts of a key that its own block states."""
    type = instance.block.labels[0]
    arguments = Arguments(module, instance)
    found: dict[str, Fact] = {
        "manager": Known("CUSTOMER"),
        "description": arguments.text("description", Known("")),
        "deletion.window_days": arguments.integer("deletion_window_in_days", Known(DEFAULT_WINDOW)),
        "lockout_check_bypassed": arguments.boolean("bypass_policy_lockout_safety_check", Known(value=False)),
        "tags": tags_of(arguments),
    }
    if type == KEY:
        found |= _key(arguments)
    elif type == EXTERNAL:
        found |= _external(arguments)
    else:
        found |= _replica(arguments, type)
    return found


def _key(arguments: Arguments) -> dict[str, Fact]:
    spec = "customer_master_key_spec" if arguments.node("customer_master_key_spec") is not None else "key_spec"
    found = {
        "spec": arguments.text(spec, Known("SYMMETRIC_DEFAULT")),
        "usage": arguments.text("key_usage", Known("ENCRYPT_DECRYPT")),
        "origin": _origin(arguments),
        **_multi_region(arguments),
    }
    return found | rotation_of(arguments)


def rotation_of(arguments: Arguments) -> dict[str, Fact]:
    """Rotation is off unless the code says otherwise; its period counts only where it is on."""
    enabled = arguments.boolean("enable_key_rotation", Known(value=False))
    period: Fact = Absent()
    if isinstance(enabled, Known) and enabled.value:
        period = arguments.integer("rotation_period_in_days", Known(DEFAULT_PERIOD))
    elif isinstance(enabled, Unknown):
        period = enabled
    return {"rotation.enabled": enabled, "rotation.period_days": period}


def _origin(arguments: Arguments) -> Fact:
    """AWS_KMS, or that of a custom key store: which kind of store it is stands elsewhere."""
    if arguments.node("xks_key_id") is not None:
        return Known("EXTERNAL_KEY_STORE", arguments.location("xks_key_id"))
    store = arguments.node("custom_key_store_id")
    if store is None:
        return Known("AWS_KMS", arguments.location("custom_key_store_id"))
    open_ = unresolved_name(store)
    if open_ is not None and ".aws_kms_custom_key_store." not in f".{open_}":
        return Unknown(UNREAD, f"`{open_}` could not be resolved")
    return Known("AWS_CLOUDHSM", arguments.location("custom_key_store_id"))


def _multi_region(arguments: Arguments) -> dict[str, Fact]:
    found = arguments.boolean("multi_region", Known(value=False))
    kind: Fact = Absent() if isinstance(found, Known) else found
    if isinstance(found, Known) and found.value:
        kind = Known("PRIMARY", found.location)
    return {"multi_region": found, "multi_region.type": kind}


def _external(arguments: Arguments) -> dict[str, Fact]:
    ends = arguments.text("valid_to", Absent())
    model: Fact = ends if isinstance(ends, Unknown) else Known("KEY_MATERIAL_EXPIRES", arguments.location("valid_to"))
    if isinstance(ends, Absent):
        model = Known("KEY_MATERIAL_DOES_NOT_EXPIRE", arguments.location("valid_to"))
    return {
        "spec": arguments.text("key_spec", Known("SYMMETRIC_DEFAULT")),
        "usage": arguments.text("key_usage", Known("ENCRYPT_DECRYPT")),
        "origin": Known("EXTERNAL", arguments.location("")),
        "material.valid_to": ends,
        "material.expiration_model": model,
        "rotation.enabled": Absent(),
        "rotation.period_days": Absent(),
        **_multi_region(arguments),
    }


def _replica(arguments: Arguments, type: str) -> dict[str, Fact]:
    here = arguments.location("")
    found: dict[str, Fact] = {"multi_region": Known(value=True, location=here), "multi_region.type": Known("REPLICA", here)}
    if type == EXTERNAL_REPLICA:
        found |= {
            "spec": Known("SYMMETRIC_DEFAULT", here),
            "usage": Known("ENCRYPT_DECRYPT", here),
            "origin": Known("EXTERNAL", here),
            "rotation.enabled": Absent(),
            "rotation.period_days": Absent(),
        }
    else:
        reason = "it is that of the primary key, whose code was not found"
        found |= {name: Unknown(UNREAD, reason) for name in _REPLICA_SHARES}
        found["origin"] = Known("AWS_KMS", here)
    return found


def shared_by(primary: Mapping[str, Fact]) -> dict[str, Fact]:
    """What a replica shares with its primary key.

    Source: KMS Developer Guide, "Multi-Region keys", shared properties.
    """
    return {name: primary[name] for name in (*_REPLICA_SHARES, "origin") if name in primary}


def tags_of(arguments: Arguments) -> Fact:
    """The tags of a key, with those that its provider configuration adds to every resource."""
    own = arguments.fact("tags", to_tags, Known({}))
    added = _default_tags(arguments)
    if isinstance(own, Known) and isinstance(added, Known):
        return Known({**added.value, **own.value}, own.location)
    return own if isinstance(own, Unknown) else added


def _default_tags(arguments: Arguments) -> Fact:
    provider = arguments.module.provider(arguments.instance.block)
    root = arguments.module.root
    for block in provider.block.nested("default_tags") if provider.block is not None else ():
        return Arguments(root, Instance(block, root.scope, arguments.instance.address, None)).fact("tags", to_tags, Known({}))
    return Known({})


def grants_of(blocks: Sequence[tuple[Module, Instance]]) -> Fact:
    """The grants that `aws_kms_grant` blocks make, as ListGrants returns them."""
    found: list[dict[str, object]] = []
    for module, instance in blocks:
        arguments = Arguments(module, instance)
        grant: dict[str, object] = {}
        for argument, field, convert in _GRANT:
            fact = arguments.fact(argument, convert, Absent())
            if isinstance(fact, Unknown):
                return fact
            if isinstance(fact, Known):
                grant[field] = fact.value
        constraints = _constraints(module, instance)
        if isinstance(constraints, Unknown):
            return constraints
        if isinstance(constraints, Known):
            grant["Constraints"] = constraints.value
        found.append(grant)
    return Known(found, located(blocks[0][1], "", blocks[0][1].address))


def _constraints(module: Module, instance: Instance) -> Fact:
    found: dict[str, object] = {}
    for block in instance.block.nested("constraints"):
        if block.kind == "dynamic":
            return Unknown(UNREAD, "the constraints of a grant could not be resolved")
        arguments = Arguments(module, Instance(block, instance.scope, instance.address, None))
        for argument, field in (
            ("encryption_context_equals", "EncryptionContextEquals"),
            ("encryption_context_subset", "EncryptionContextSubset"),
        ):
            fact = arguments.fact(argument, to_tags, Absent())
            if isinstance(fact, Unknown):
                return fact
            if isinstance(fact, Known):
                found[field] = fact.value
    return Known(found) if found else Absent()


def to_boolean(node: Node) -> bool | None:
    """A boolean, also one that is written as a text."""
    text = node.as_text()
    return {"true": True, "false": False}.get(text) if isinstance(text, str) else None


def to_integer(node: Node) -> int | None:
    """A whole number, also one that is written as a text."""
    text = node.as_text()
    return int(text) if isinstance(text, str) and re.fullmatch(r"-?[0-9]{1,9}", text) else None


def to_text(node: Node) -> str | None:
    """A text, or a scalar as one."""
    text = node.as_text()
    return text if isinstance(text, str) else None


def to_texts(node: Node) -> list[str] | None:
    """A list of texts."""
    found = [to_text(item) for item in node.items()]
    return [text for text in found if text is not None] if node.kind == ARRAY and None not in found else None


def to_tags(node: Node) -> dict[str, str] | None:
    """A map of texts; null ones are none."""
    if node.kind != OBJECT:
        return None
    return {member.key: str(member.value.as_text() or "") for member in node.members() if member.value.kind != NULL}


_GRANT: "Final[tuple[tuple[str, str, Callable[[Node], object]], ...]]" = (
    ("name", "Name", to_text),
    ("grantee_principal", "GranteePrincipal", to_text),
    ("retiring_principal", "RetiringPrincipal", to_text),
    ("operations", "Operations", to_texts),
)
