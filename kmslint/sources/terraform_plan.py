"""`terraform show -json` → keys: what the plan will have made of them, each place one in the plan's text.

The whole text is read once by the C reader; places are computed for the KMS parts alone. Nothing else of a plan is kept:
plans hold secrets.

Source: HashiCorp, Terraform, "JSON Output Format" (plan, state, configuration and change representations).
"""

import re
from collections.abc import Iterator, Sequence

from kmslint.errors import InputError
from kmslint.jsontext import read_embedded
from kmslint.location import Text
from kmslint.model.key import Fact, Key, KeyPolicy, Known, Source, Unknown
from kmslint.policy.document import Policy
from kmslint.sources.hcl import values
from kmslint.sources.hcl.facts import EXTERNAL_REPLICA, KEY_TYPES, REPLICA, shared_by
from kmslint.sources.hcl.keys import ALIAS, GRANT, KEY_POLICY
from kmslint.sources.hcl.policies import DEFAULT_NOTE, NAME, default_policy, names_own_account, parsed
from kmslint.sources.hcl.syntax import Place
from kmslint.sources.hcl.texts import Encoded
from kmslint.sources.owner import infer_owner, infer_partition
from kmslint.sources.plan.configuration import Configuration, mapping, mappings, references_in, split
from kmslint.sources.plan.facts import Planned, aliases_of, facts_of, grants_of
from kmslint.sources.plan.lazy import Lazy, read_lazily
from kmslint.sources.policy_json import NotAKey
from kmslint.tree import OBJECT, STRING, Node
from kmslint.typed import Final, NamedTuple, Union

MAX_NESTING: Final = 30
"""Modules inside each other."""

_ATTACHED: Final = {KEY_POLICY: "key_id", ALIAS: "target_key_id", GRANT: "key_id"}
_IDS: Final = ("id", "key_id", "arn")
_ARN: Final = re.compile(r"arn:([\w-]+):kms:([\w-]+):([0-9]{12}):key/([\w-]+)")

DELETED_NOTE: Final = "the plan deletes this key: what it encrypted is lost after the waiting period"
REPLACED_NOTE: Final = (
    "the plan replaces this key: the old one is deleted, and what it encrypted is lost after the waiting period"
)
FORGOTTEN_NOTE: Final = "the plan forgets this key: it stays in AWS, and no code manages it any more"


class _Change(NamedTuple):
    """What the plan does to one resource."""

    actions: tuple[str, ...]
    unknown: object
    lazy: Lazy


def is_plan(value: object) -> bool:
    """Whether a JSON value is what `terraform show -json` prints, of a plan or of a state."""
    found = mapping(value)
    has_body = any(isinstance(found.get(name), dict) for name in ("planned_values", "values")) or "resource_changes" in found
    return has_body and "format_version" in found and "terraform_version" in found


def keys_from_plan(
    text: Text,
    /,
    *,
    named: bool = True,  # noqa: ARG001  as every reader
    type: str = "auto",  # noqa: ARG001
    arn: str | None = None,  # noqa: ARG001  a plan has many keys
    account: str | None = None,
    account_source: str = "given",
    region: str | None = None,
) -> Union[list[Key], NotAKey]:
    """The keys of a plan or a state, ids left empty; those that the plan deletes come last.

    Raises:
        InputError: the text is not JSON.
    """
    root = read_lazily(text)
    if not is_plan(root.value):
        return NotAKey("no Terraform plan")
    found = _Plan(root).keys()
    if not found:
        return NotAKey("a Terraform plan without KMS keys")
    if account is not None:
        found = [key._replace(account=account, account_source=account_source) for key in found]
    return [key if region is None else key._replace(region=region) for key in found]


class _Plan:
    """One reading of one plan."""

    def __init__(self, root: Lazy) -> None:
        self.root = root
        self.configuration = Configuration(root.value.get("configuration"))
        self.has_configuration = isinstance(root.value.get("configuration"), dict)
        self.changes = {str(change.value.get("address")): _changed(change) for change in self.changed()}
        self.account = _caller(root.value)
        self.is_state = "values" in root.value
        self.lost: list[Planned] = []
        """Policies that may be of any key which has no id yet."""

    def changed(self) -> Iterator[Lazy]:
        """The changes of KMS resources."""
        listed = self.root.get("resource_changes")
        for value, lazy in zip(listed.value, listed.items(), strict=True) if listed and isinstance(listed.value, list) else ():
            if isinstance(value, dict) and _is_kms(value):
                yield lazy

    def keys(self) -> list[Key]:
        planned = [self.planned(lazy) for lazy in self.resources()]
        keys = [found for found in planned if found.type in KEY_TYPES]
        facts = {found.address: facts_of(found) for found in keys}
        attached = [(found, self.targets(found, keys)) for found in planned if found.type in _ATTACHED]
        self.lost = [other for other, targets in attached if other.type == KEY_POLICY and not targets and _is_lost(other)]
        found = [self.key(key, [other for other, targets in attached if key.address in targets], keys, facts) for key in keys]
        found += [self.alone(other) for other, targets in attached if other.type == KEY_POLICY and not targets]
        return [*found, *self.deleted({key.address for key in keys})]

    def resources(self) -> Iterator[Lazy]:
        """The KMS resources that there will be (of a state: that there are)."""
        start = self.root.get("planned_values", "root_module") or self.root.get("values", "root_module")
        todo: list[tuple[Lazy, int]] = [(start, 0)] if start else []
        while todo:
            module, depth = todo.pop(0)
            listed = module.get("resources")
            if listed is not None and isinstance(listed.value, list) and any(map(_is_kms, mappings(listed.value))):
                yield from (lazy for lazy in listed.items() if _is_kms(mapping(lazy.value)))
            children = module.get("child_modules")
            if children is not None and depth < MAX_NESTING and _speaks_of_kms(children.value):
                todo += [(child, depth + 1) for child in children.items() if isinstance(child.value, dict)]

    def planned(self, lazy: Lazy) -> Planned:
        """A resource as the plan will leave it."""
        node = lazy.node()
        address = str(lazy.value.get("address"))
        change = self.changes.get(address)
        block = self.configuration.block(address)
        return Planned(
            node=node,
            values=node.member("values") or node,
            address=address,
            type=str(lazy.value.get("type")),
            index=lazy.value.get("index"),
            unknown=mapping(change.unknown) if change else {} if self.is_state else None,
            expressions=block.expressions if block else None if not self.has_configuration else {},
            path=split(address)[0],
        )

    # what belongs together

    def targets(self, found: Planned, keys: Sequence[Planned]) -> tuple[str, ...]:
        """The addresses of the keys that a policy, an alias or a grant is for."""
        argument = _ATTACHED[found.type]
        told = found.value(argument)
        if told is not None and isinstance(told.value, str):
            return tuple(key.address for key in keys if told.value in _ids(key))
        return self.referred(found, argument, keys)

    def referred(self, found: Planned, argument: str, keys: Sequence[Planned]) -> tuple[str, ...]:
        """The keys that the expression of an argument refers to."""
        expression = (found.expressions or {}).get(argument)
        path = tuple(name for name, _ in found.path)
        blocks = self.configuration.blocks_named(references_in(expression), path)
        candidates = [key for key in keys if (tuple(name for name, _ in key.path), _block_of(key)) in blocks]
        near = [key for key in candidates if key.path[: len(found.path)] == found.path[: len(key.path)]] or candidates
        same = [key for key in near if key.index == found.index and key.index is not None]
        return tuple(key.address for key in same or near)

    # one key

    def key(self, found: Planned, attached: Sequence[Planned], keys: Sequence[Planned], facts: dict[str, dict[str, Fact]]) -> Key:
        notes: list[str] = []
        mine = facts[found.address]
        if found.type in {REPLICA, EXTERNAL_REPLICA}:
            for primary in self.targets_of_primary(found, keys):
                mine = mine | shared_by(facts[primary])
        policies = [other for other in attached if other.type == KEY_POLICY]
        policy = self.policy(found, policies, notes)
        for other in policies:
            bypassed = other.boolean("bypass_policy_lockout_safety_check", default=False)
            if isinstance(bypassed, Unknown) or bypassed.value:  # type: ignore[union-attr]  # Known, with a default
                mine = mine | {"lockout_check_bypassed": bypassed}
        mine = mine | {"aliases": aliases_of([other for other in attached if other.type == ALIAS], found)}
        grants = [other for other in attached if other.type == GRANT]
        if grants:
            mine = mine | {"grants": grants_of(grants)}
        change = self.changes.get(found.address)
        if change is not None and {"delete", "create"} <= set(change.actions):
            notes.append(REPLACED_NOTE)
            mine = {"state": Known("Enabled")} | mine | _deletion(found, change, "replace")
        return self.identified(found, policy, mine, tuple(notes))

    def targets_of_primary(self, found: Planned, keys: Sequence[Planned]) -> tuple[str, ...]:
        """The primary key of a replica, if it is in the plan."""
        told = found.value("primary_key_arn")
        if told is not None and isinstance(told.value, str):
            return tuple(key.address for key in keys if told.value in _ids(key))[:1]
        return tuple(name for name in self.referred(found, "primary_key_arn", keys) if name != found.address)[:1]

    def policy(self, found: Planned, policies: Sequence[Planned], notes: list[str]) -> KeyPolicy:
        """The policy of a key: that of an `aws_kms_key_policy`, else its own, else the default one."""
        for other in policies:
            return self.stated(other, "policy", found.address)
        if found.value("policy") is not None or found.is_open("policy"):
            return self.stated(found, "policy", found.address)
        if self.lost and not _ids(found):
            reason = f"`{self.lost[0].address}` may set it, and the plan does not tell which key that is for"
            return KeyPolicy(NAME, Policy(None, (), found.node, unknown=(reason,)))
        notes.append(DEFAULT_NOTE)
        return parsed(Encoded(default_policy(_header(found.node))))

    def stated(self, found: Planned, argument: str, address: str) -> KeyPolicy:
        """The policy that an argument holds."""
        node = found.value(argument)
        if node is None or node.kind != STRING:
            name = found.open_name(argument)
            node = values.unresolved(name, _header(found.node))
            return KeyPolicy(NAME, Policy(None, (), node, unknown=(f"the policy is `{name}`, which the plan does not know yet",)))
        try:
            return parsed(Encoded(read_embedded(node)))
        except InputError as error:
            return KeyPolicy(NAME, Policy(None, (), node, unknown=(f"the policy of `{address}` is not JSON: {error.message}",)))

    def alone(self, found: Planned) -> Key:
        """The policy of a key that is not in the plan."""
        facts = {"lockout_check_bypassed": found.boolean("bypass_policy_lockout_safety_check", default=False)}
        notes = ("the key itself is not in the plan: nothing but this policy is known of it",)
        return self.identified(found, self.stated(found, "policy", found.address), facts, notes)

    def deleted(self, kept: set[str]) -> Iterator[Key]:
        """The keys that are in the state and not in the plan's result."""
        for address, change in self.changes.items():
            before = change.lazy.get("change", "before")
            type = str(change.lazy.value.get("type"))
            is_gone = address not in kept and type in KEY_TYPES and {"delete", "forget"} & set(change.actions)
            if not is_gone or before is None or not isinstance(before.value, dict):
                continue
            node = before.node()
            found = Planned(node, node, address, type, change.lazy.value.get("index"), {}, {}, split(address)[0])
            notes = [DELETED_NOTE if "delete" in change.actions else FORGOTTEN_NOTE]
            policy = self.policy(found, (), notes)
            facts = facts_of(found)
            if "delete" in change.actions:
                facts |= {"state": Known("PendingDeletion")} | _deletion(found, change, "delete")
            yield self.identified(found, policy, facts, tuple(notes))

    def identified(self, found: Planned, policy: KeyPolicy, facts: dict[str, Fact], notes: tuple[str, ...]) -> Key:
        line, column = found.node.text.position(found.node.start)
        told = found.value("arn")
        arn = told.value if told is not None and isinstance(told.value, str) and found.type in KEY_TYPES else None
        match = _ARN.fullmatch(arn) if arn else None
        partition = match.group(1) if match else infer_partition((policy.policy,))
        account, how = (match.group(3), "arn") if match else (self.account, "inferred" if self.account else None)
        if account is None and not names_own_account(policy.policy.node):
            account = infer_owner((policy.policy,), partition)
            how = "inferred" if account else None
        return Key(
            id="",
            source=Source("plan", found.node.text.file, found.node.text.uri, line, column, found.address),
            policies=(policy,),
            facts=facts,
            arn=arn if match else None,
            key_id=match.group(4) if match else None,
            account=account,
            account_source=how,
            region=match.group(2) if match else self.region(found),
            partition=partition,
            sha256=policy.sha256,
            notes=notes,
        )

    def region(self, found: Planned) -> str | None:
        """The Region that the block, or its provider configuration, states."""
        told = found.value("region")
        if told is not None and isinstance(told.value, str):
            return told.value
        block = self.configuration.block(found.address)
        provider = mapping(self.configuration.providers.get(block.provider)) if block else {}
        region = mapping(mapping(provider.get("expressions")).get("region")).get("constant_value")
        return region if isinstance(region, str) else None


def _deletion(found: Planned, change: _Change, what: str) -> dict[str, Fact]:
    """What the plan does to the key that there is, and how long KMS will wait: as long as the state says."""
    place = found.node.locate()
    before = change.lazy.get("change", "before", "deletion_window_in_days")
    window = before.value if before is not None else None
    days: dict[str, Fact] = {"deletion.pending_window_days": Known(window, place)} if type(window) is int else {}
    return {"deletion.planned": Known(what, place), **days}


def _is_kms(resource: object) -> bool:
    found = mapping(resource)
    return found.get("mode", "managed") == "managed" and (found.get("type") in KEY_TYPES or found.get("type") in _ATTACHED)


def _speaks_of_kms(modules: object) -> bool:
    """Whether some module below has a KMS resource."""
    todo = [(module, 0) for module in mappings(modules)]
    while todo:
        module, depth = todo.pop()
        if any(map(_is_kms, mappings(module.get("resources")))):
            return True
        if depth < MAX_NESTING:
            todo += [(child, depth + 1) for child in mappings(module.get("child_modules"))]
    return False


def _changed(lazy: Lazy) -> _Change:
    change = mapping(lazy.value.get("change"))
    actions = change.get("actions")
    return _Change(tuple(map(str, actions)) if isinstance(actions, list) else (), change.get("after_unknown"), lazy)


def _caller(plan: object) -> str | None:
    """The account that the plan was made in: that of every `aws_caller_identity` in it."""
    found: set[str] = set()
    state = mapping(mapping(mapping(plan).get("prior_state")).get("values"))
    todo = [(mapping(state.get("root_module")), 0)]
    while todo:
        module, depth = todo.pop()
        for resource in mappings(module.get("resources")):
            if resource.get("type") == "aws_caller_identity":
                found.add(str(mapping(resource.get("values")).get("account_id")))
        if depth < MAX_NESTING:
            todo += [(child, depth + 1) for child in mappings(module.get("child_modules"))]
    account = found.pop() if len(found) == 1 else ""
    return account if re.fullmatch(r"[0-9]{12}", account) else None


def _ids(key: Planned) -> set[str]:
    found = (key.value(name) for name in _IDS)
    return {node.value for node in found if node is not None and isinstance(node.value, str)}


def _is_lost(policy: Planned) -> bool:
    """Whether a key policy is for a key that is not known: that of a local value or a loop, and not one that was looked up."""
    references = references_in((policy.expressions or {}).get("key_id"))
    is_elsewhere = bool(references) and all(name.startswith("data.") for name in references)
    return policy.is_open("key_id") and not is_elsewhere


def _block_of(key: Planned) -> str:
    return split(key.address)[1].partition("[")[0]


def _header(node: Node) -> Place:
    """The place of a resource: its opening brace stands for it all."""
    return Place(node.text, node.start, node.start + 1 if node.kind == OBJECT else node.end)
