"""The keys of one root module: every instance of a key block in it and in the modules that it calls.

With each go the policies, aliases and grants that other blocks attach to it.
"""

import re
from collections.abc import Iterator, Sequence

from kmslint.errors import InputError
from kmslint.model.key import UNREAD, Fact, Key, KeyPolicy, Known, Source, Unknown
from kmslint.pattern import pattern
from kmslint.policy.document import Policy
from kmslint.sources.hcl.facts import (
    EXTERNAL_REPLICA,
    KEY_TYPES,
    REPLICA,
    Arguments,
    facts_of,
    grants_of,
    located,
    shared_by,
    unresolved_name,
)
from kmslint.sources.hcl.modules import Module
from kmslint.sources.hcl.policies import DEFAULT_NOTE, default_policy, key_policy, names_own_account
from kmslint.sources.hcl.syntax import Block, Place
from kmslint.sources.hcl.values import Failure, Limit
from kmslint.sources.hcl.world import Instance, World
from kmslint.sources.owner import infer_owner, infer_partition
from kmslint.tree import STRING, Node
from kmslint.typed import Final, NamedTuple

KEY_POLICY: Final = "aws_kms_key_policy"
ALIAS: Final = "aws_kms_alias"
GRANT: Final = "aws_kms_grant"

MAX_KEYS: Final = 10_000
"""Instances of key blocks of one root module."""

_IDS: Final = (".key_id", ".arn", ".id")
_HIDING: Final = pattern(r"\b(?:local|each)\.")
"""What an expression that is open may have a key from, without naming it."""

_ATTACHED: Final = {KEY_POLICY: "key_id", ALIAS: "target_key_id", GRANT: "key_id"}


class Found(NamedTuple):
    """One block instance with its module."""

    module: Module
    instance: Instance

    @property
    def type(self) -> str:
        """The resource type."""
        return self.instance.block.labels[0]

    @property
    def address(self) -> str:
        """The resource address."""
        return self.instance.address


class KeyFound(NamedTuple):
    """A key, and the blocks that it was made of."""

    key: Key
    blocks: tuple[Block, ...]


def keys_of(root: Module) -> Iterator[KeyFound]:
    """The keys of a root module, ids and owners left empty, in the order of the files and calls."""
    blocks = list(_all_blocks(root))
    keys = [found for found in blocks if found.type in KEY_TYPES]
    attached = [(found, _targets(found, keys)) for found in blocks if found.type in _ATTACHED]
    facts = {found.address: facts_of(found.module, found.instance) for found in keys}
    for found in keys:
        mine = [other for other, targets in attached if targets is not None and found.address in targets]
        lost = [other for other, targets in attached if targets is None and other.type == KEY_POLICY]
        yield _key(root.world, found, mine, lost, _with_primary(found, keys, facts))
    for found, targets in attached:
        if found.type == KEY_POLICY and not targets:
            yield _policy_alone(root.world, found)


def _all_blocks(root: Module) -> Iterator[Found]:
    """The KMS blocks of a module and of those that it calls."""
    count = 0
    todo: list[tuple[Module, tuple[str, ...]]] = [(root, ())]
    while todo:
        module, doubts = todo.pop(0)
        for (type, name), block in module.directory.resources.items():
            if type not in KEY_TYPES and type not in _ATTACHED:
                continue
            for instance in _instances(module, block, f"{type}.{name}"):
                count += 1
                if count > MAX_KEYS:
                    module.world.report(Limit(f"there are more than {MAX_KEYS:,} keys, policies and aliases", block.place))
                    return
                doubt = "; ".join([*doubts, *([instance.doubt] if instance.doubt else [])]) or None
                yield Found(module, instance._replace(doubt=doubt))
        todo += [(child, (*doubts, *([call.doubt] if call.doubt else []))) for call, child in module.children()]


def _instances(module: Module, block: Block, label: str) -> Sequence[Instance]:
    try:
        return module.instances(block, label)
    except (Limit, InputError) as error:
        module.world.report(error)
    except Failure as failure:
        module.world.report(Limit(failure.message, failure.place))
    return (Instance(block, module.scope, module.named(f"{label}[*]"), "*", "how often it is there could not be told"),)


# --- what is attached to which key


def _targets(found: Found, keys: Sequence[Found]) -> tuple[str, ...] | None:
    """The addresses of the keys that a policy, an alias or a grant is for: () for a key elsewhere, None if nobody can tell."""
    node = Arguments(found.module, found.instance).node(_ATTACHED[found.type])
    return () if node is None else _keys_named(node, found.module, keys)


def _keys_named(node: Node, module: Module, keys: Sequence[Found]) -> tuple[str, ...] | None:
    name = unresolved_name(node)
    if name is None:
        return ()
    base = next((name.removesuffix(end) for end in _IDS if name.endswith(end)), name)
    exact = tuple(key.address for key in keys if key.address == base)
    if exact:
        return exact
    family = tuple(key.address for key in keys if _block_address(key) == base or _is_open(key, base))
    if family:
        return family
    blocks = {_block_address(key): key for key in keys if key.module is module and _mentions(name, key)}
    if len(blocks) == 1:
        block = next(iter(blocks))
        return tuple(key.address for key in keys if _block_address(key) == block)
    return None if blocks or _HIDING.search(name) else ()


def _block_address(key: Found) -> str:
    return key.address if key.instance.key is None else key.address[: -len(key.instance.key) - 2]


def _is_open(key: Found, base: str) -> bool:
    """Whether `base` is some instance of a block whose instances are not known."""
    return key.instance.key == "*" and base.startswith(f"{_block_address(key)}[")


def _mentions(name: str, key: Found) -> bool:
    labels = key.instance.block.labels
    return re.search(rf"\b{re.escape(labels[0])}\.{re.escape(labels[1])}(?![\w-])", name) is not None


def _with_primary(found: Found, keys: Sequence[Found], facts: dict[str, dict[str, Fact]]) -> dict[str, Fact]:
    """The facts of a key; a replica has some of its primary's."""
    mine = facts[found.address]
    if found.type in {REPLICA, EXTERNAL_REPLICA}:
        node = Arguments(found.module, found.instance).node("primary_key_arn")
        primaries = _keys_named(node, found.module, keys) if node is not None else ()
        if primaries and primaries[0] != found.address:
            mine = mine | shared_by(facts[primaries[0]])
    return mine


# --- one key


def _key(world: World, found: Found, attached: Sequence[Found], lost: Sequence[Found], facts: dict[str, Fact]) -> KeyFound:
    notes: list[str] = []
    policies = [other for other in attached if other.type == KEY_POLICY]
    holder, policy = _policy(world, found, policies, lost, notes)
    bypassed = [facts_of_bypass(other) for other in policies]
    for fact in bypassed:
        if isinstance(fact, Known) and fact.value:
            facts = facts | {"lockout_check_bypassed": fact}
    facts = facts | {"aliases": _aliases([other for other in attached if other.type == ALIAS], found)}
    grants = [(other.module, other.instance) for other in attached if other.type == GRANT]
    if grants:
        facts = facts | {"grants": grants_of(grants)}
    if found.instance.doubt:
        notes.append(f"the key may not be created: {found.instance.doubt}")
    key = _identified(found, policy, facts, tuple(notes))
    return KeyFound(key, (found.instance.block, *(other.instance.block for other in policies), holder.instance.block))


def facts_of_bypass(found: Found) -> Fact:
    """Whether a block skips the lockout safety check."""
    return Arguments(found.module, found.instance).boolean("bypass_policy_lockout_safety_check", Known(value=False))


def _policy(
    world: World, found: Found, attached: Sequence[Found], lost: Sequence[Found], notes: list[str]
) -> tuple[Found, KeyPolicy]:
    """The policy of a key and the block that states it: that of its own block, unless an `aws_kms_key_policy` sets another."""
    provider = found.module.provider(found.instance.block)
    own = Arguments(found.module, found.instance).node("policy")
    has_own = own is not None and own.value != ""
    for other in attached:
        node = Arguments(other.module, other.instance).node("policy")
        if node is not None:
            if has_own or len(attached) > 1:
                notes.append(f"the key has several policies in code: `{other.address}` is applied after the key's own")
            policy = key_policy(world, node, found.address, provider)
            if other.instance.doubt and other.instance.doubt != found.instance.doubt:
                policy = _doubtful(policy, f"`{other.address}` may not be there: {other.instance.doubt}")
            return other, policy
    if has_own and own is not None:
        return found, key_policy(world, own, found.address, provider)
    if lost:
        reason = f"`{lost[0].address}` may set it, and its `key_id` could not be resolved"
        return found, KeyPolicy("default", Policy(None, (), None, unknown=(reason,)))
    notes.append(DEFAULT_NOTE)
    policy = key_policy(world, default_policy(_header(found)), found.address, provider)
    return found, policy


def _header(found: Found) -> Place:
    place = found.instance.block.place
    end = place.text.content.find("\n", place.start, place.end)
    return place if end < 0 else place._replace(end=end)


def _doubtful(policy: KeyPolicy, reason: str) -> KeyPolicy:
    return policy._replace(policy=policy.policy._replace(unknown=(*policy.policy.unknown, reason)))


def _aliases(blocks: Sequence[Found], key: Found) -> Fact:
    """The names of the aliases that point at a key. One whose name is open leaves the list open."""
    names: list[str] = []
    place = located(key.instance, "", key.address)
    for found in blocks:
        arguments = Arguments(found.module, found.instance)
        name = arguments.node("name")
        open_ = unresolved_name(name) if name is not None else f"{found.address}.name"
        if open_ is not None or name is None or name.kind != STRING:
            return Unknown(UNREAD, f"`{open_}` could not be resolved")
        if found.instance.doubt and not key.instance.doubt:
            return Unknown(UNREAD, f"`{found.address}` may not be there: {found.instance.doubt}")
        names.append(str(name.value))
        place = arguments.location("name")
    return Known(sorted(names), place)


def _policy_alone(world: World, found: Found) -> KeyFound:
    """The policy of a key that no code here creates."""
    node = Arguments(found.module, found.instance).node("policy")
    provider = found.module.provider(found.instance.block)
    if node is None:
        policy = KeyPolicy("default", Policy(None, (), None, unknown=("the block has no `policy`",)))
    else:
        policy = key_policy(world, node, found.address, provider)
    notes = ("the key itself is not in the code: nothing but this policy is known of it",)
    facts: dict[str, Fact] = {"lockout_check_bypassed": facts_of_bypass(found)}
    return KeyFound(_identified(found, policy, facts, notes), (found.instance.block,))


def _identified(found: Found, policy: KeyPolicy, facts: dict[str, Fact], notes: tuple[str, ...]) -> Key:
    place = found.instance.block.place
    line, column = place.text.position(place.start)
    source = Source("terraform", place.text.file, None, line, column, found.address)
    partition = infer_partition((policy.policy,))
    owner = None if names_own_account(policy.policy.node) else infer_owner((policy.policy,), partition)
    return Key(
        id="",
        source=source,
        policies=(policy,),
        facts=facts,
        account=owner,
        account_source="inferred" if owner else None,
        region=_region(found),
        partition=partition,
        sha256=policy.sha256,
        notes=notes,
    )


def _region(found: Found) -> str | None:
    """The Region that the block, or its provider configuration, states."""
    node = Arguments(found.module, found.instance).node("region")
    block = found.module.provider(found.instance.block).block
    if node is None and block is not None:
        root = found.module.root
        node = Arguments(root, Instance(block, root.scope, found.address, None)).node("region")
    return node.value if node is not None and isinstance(node.value, str) else None
