"""The facts of a key that the values of a plan state, each at its place in the plan.

A value that the plan does not know is the provider's default where the configuration has no expression for it, and
unresolved where it has one.
"""

from collections.abc import Callable, Mapping, Sequence

from kmslint.location import Location
from kmslint.model.key import UNREAD, Absent, Fact, Known, Unknown
from kmslint.sources.hcl.facts import (
    DEFAULT_PERIOD,
    DEFAULT_WINDOW,
    EXTERNAL,
    EXTERNAL_REPLICA,
    KEY,
    to_boolean,
    to_integer,
    to_tags,
    to_text,
    to_texts,
)
from kmslint.sources.plan.configuration import references_in
from kmslint.tree import NULL, Node
from kmslint.typed import Any, Final, NamedTuple

_REPLICA_SHARES: Final = ("spec", "usage", "rotation.enabled", "rotation.period_days")


class Planned(NamedTuple):
    """A resource as the plan will leave it.

    `unknown` is None where the plan does not say what it does not know yet, `expressions` where it has no configuration.
    """

    node: Node
    values: Node
    address: str
    type: str
    index: object  # type: ignore[assignment]  # the tuple method of this name is not used
    unknown: Mapping[str, Any] | None
    expressions: Mapping[str, Any] | None
    path: tuple[tuple[str, str], ...]

    def value(self, name: str) -> Node | None:
        """The value of an argument; None where it is null, absent or not known yet."""
        found = self.values.member(name)
        return None if found is None or found.kind == NULL or (self.unknown or {}).get(name) is True else found

    def is_open(self, name: str) -> bool:
        """Whether the argument has an expression whose value the plan does not know."""
        if self.value(name) is not None:
            return False
        if self.unknown is not None and not _has_true(self.unknown.get(name)):
            return False
        return self.expressions is None or (name in self.expressions and not _is_null(self.expressions[name]))

    def open_name(self, name: str) -> str:
        """What decides an open argument, as the author wrote it."""
        references = references_in((self.expressions or {}).get(name))
        prefix = "".join(f"module.{call}{index}." for call, index in self.path)
        return prefix + references[0] if references else f"{self.address}.{name}"

    def locate(self, name: str) -> Location:
        """The place of an argument, or of the resource where it is not written."""
        found = self.values.member(name) if name else None
        if found is not None:
            return found.text.locate(found.start, found.end, f"/values/{name}", address=self.address)
        return self.node.text.locate(self.node.start, self.node.start + 1, "", address=self.address)

    def fact(self, name: str, convert: Callable[[Node], object], default: Fact) -> Fact:
        """The argument `name` as a fact; `default` is what the provider or KMS makes of its absence."""
        found = self.value(name)
        if found is None and self.is_open(name):
            return Unknown(UNREAD, f"`{self.open_name(name)}` could not be resolved")
        if found is None:
            return default._replace(location=self.locate(name)) if isinstance(default, Known) else default
        if _has_true((self.unknown or {}).get(name)):
            return Unknown(UNREAD, f"`{self.open_name(name)}` could not be resolved")
        value = convert(found)
        if value is None:
            return Unknown(UNREAD, f"`{name}` has a value of an unexpected type")
        return Known(value, self.locate(name))

    def boolean(self, name: str, *, default: bool) -> Fact:
        """A boolean argument."""
        return self.fact(name, to_boolean, Known(default))


def facts_of(found: Planned) -> dict[str, Fact]:
    """The facts of a key that its own values state."""
    facts: dict[str, Fact] = {
        "manager": Known("CUSTOMER"),
        "description": found.fact("description", to_text, Known("")),
        "deletion.window_days": found.fact("deletion_window_in_days", to_integer, Known(DEFAULT_WINDOW)),
        "lockout_check_bypassed": found.boolean("bypass_policy_lockout_safety_check", default=False),
        "tags": found.fact("tags_all" if found.value("tags_all") is not None else "tags", to_tags, Known({})),
    }
    if found.type == KEY:
        return facts | _key(found)
    if found.type == EXTERNAL:
        return facts | _external(found)
    return facts | _replica(found)


def _key(found: Planned) -> dict[str, Fact]:
    spec = "key_spec" if found.value("key_spec") is not None else "customer_master_key_spec"
    enabled = found.boolean("enable_key_rotation", default=False)
    period: Fact = Absent()
    if isinstance(enabled, Known) and enabled.value:
        period = found.fact("rotation_period_in_days", to_integer, Known(DEFAULT_PERIOD))
    elif isinstance(enabled, Unknown):
        period = enabled
    return {
        "spec": found.fact(spec, to_text, Known("SYMMETRIC_DEFAULT")),
        "usage": found.fact("key_usage", to_text, Known("ENCRYPT_DECRYPT")),
        "origin": _origin(found),
        **_multi_region(found),
        "rotation.enabled": enabled,
        "rotation.period_days": period,
    }


def _origin(found: Planned) -> Fact:
    if found.value("xks_key_id") is not None:
        return Known("EXTERNAL_KEY_STORE", found.locate("xks_key_id"))
    if found.value("custom_key_store_id") is not None or found.is_open("custom_key_store_id"):
        return Known("AWS_CLOUDHSM", found.locate("custom_key_store_id"))
    return Known("AWS_KMS", found.locate("custom_key_store_id"))


def _multi_region(found: Planned) -> dict[str, Fact]:
    region = found.boolean("multi_region", default=False)
    kind: Fact = Absent() if isinstance(region, Known) else region
    if isinstance(region, Known) and region.value:
        kind = Known("PRIMARY", region.location)
    return {"multi_region": region, "multi_region.type": kind}


def _external(found: Planned) -> dict[str, Fact]:
    ends = found.fact("valid_to", to_text, Absent())
    model: Fact = ends if isinstance(ends, Unknown) else Known("KEY_MATERIAL_EXPIRES", found.locate("valid_to"))
    if isinstance(ends, Absent):
        model = Known("KEY_MATERIAL_DOES_NOT_EXPIRE", found.locate("valid_to"))
    return {
        "spec": found.fact("key_spec", to_text, Known("SYMMETRIC_DEFAULT")),
        "usage": found.fact("key_usage", to_text, Known("ENCRYPT_DECRYPT")),
        "origin": Known("EXTERNAL", found.locate("")),
        "material.valid_to": ends,
        "material.expiration_model": model,
        "rotation.enabled": Absent(),
        "rotation.period_days": Absent(),
        **_multi_region(found),
    }


def _replica(found: Planned) -> dict[str, Fact]:
    here = found.locate("")
    facts: dict[str, Fact] = {"multi_region": Known(value=True, location=here), "multi_region.type": Known("REPLICA", here)}
    if found.type == EXTERNAL_REPLICA:
        return facts | {
            "spec": Known("SYMMETRIC_DEFAULT", here),
            "usage": Known("ENCRYPT_DECRYPT", here),
            "origin": Known("EXTERNAL", here),
            "rotation.enabled": Absent(),
            "rotation.period_days": Absent(),
        }
    reason = "it is that of the primary key, which the plan does not hold"
    return facts | dict.fromkeys(_REPLICA_SHARES, Unknown(UNREAD, reason)) | {"origin": Known("AWS_KMS", here)}


def aliases_of(aliases: Sequence[Planned], key: Planned) -> Fact:
    """The names of the aliases that point at a key."""
    names: list[str] = []
    place = key.locate("")
    for alias in aliases:
        fact = alias.fact("name", to_text, Unknown(UNREAD, f"`{alias.address}.name` could not be resolved"))
        if not isinstance(fact, Known):
            return fact
        names.append(fact.value)
        place = alias.locate("name")
    return Known(sorted(names), place)


def grants_of(grants: Sequence[Planned]) -> Fact:
    """The grants that `aws_kms_grant` resources make, as ListGrants returns them."""
    found: list[dict[str, object]] = []
    for planned in grants:
        grant: dict[str, object] = {}
        for argument, field, convert in _GRANT:
            fact = planned.fact(argument, convert, Absent())
            if isinstance(fact, Unknown):
                return fact
            if isinstance(fact, Known):
                grant[field] = fact.value
        constraints = _constraints(planned)
        if constraints is None:
            return Unknown(UNREAD, f"`{planned.address}.constraints` could not be resolved")
        if constraints:
            grant["Constraints"] = constraints
        found.append(grant)
    return Known(found, grants[0].locate(""))


def _constraints(planned: Planned) -> dict[str, object] | None:
    listed = planned.value("constraints")
    if listed is None:
        return None if planned.is_open("constraints") else {}
    if _has_true((planned.unknown or {}).get("constraints")):
        return None
    found: dict[str, object] = {}
    for block in listed.items():
        for argument, field in _CONSTRAINTS:
            value = block.member(argument)
            tags = to_tags(value) if value is not None else None
            if tags:
                found[field] = tags
    return found


_CONSTRAINTS: Final = (
    ("encryption_context_equals", "EncryptionContextEquals"),
    ("encryption_context_subset", "EncryptionContextSubset"),
)
_GRANT: Final[tuple[tuple[str, str, Callable[[Node], object]], ...]] = (
    ("name", "Name", to_text),
    ("grantee_principal", "GranteePrincipal", to_text),
    ("retiring_principal", "RetiringPrincipal", to_text),
    ("operations", "Operations", to_texts),
)


def _is_null(expression: object) -> bool:
    """Whether an expression is the constant null."""
    if not isinstance(expression, dict):
        return False
    return "constant_value" in expression and expression["constant_value"] is None


def _has_true(unknown: object) -> bool:
    """Whether some part of a value is not known yet."""
    todo: list[object] = [unknown]
    while todo:
        part = todo.pop()
        if part is True:
            return True
        if isinstance(part, dict):
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)
    return False
