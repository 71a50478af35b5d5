"""The policy of a key: what its argument holds, read as a policy with the places of the code."""

import json

from kmslint.errors import InputError
from kmslint.model.key import KeyPolicy
from kmslint.policy.document import Diagnostic, Policy
from kmslint.policy.parse import MAX_BYTES, parse_shape
from kmslint.sha256 import hexdigest
from kmslint.sources.hcl import values
from kmslint.sources.hcl.facts import unresolved_name
from kmslint.sources.hcl.providers import Provider
from kmslint.sources.hcl.syntax import Place
from kmslint.sources.hcl.texts import Encoded
from kmslint.sources.hcl.world import World
from kmslint.tree import ARRAY, NULL, OBJECT, STRING, UNRESOLVED, Member, Node, Symbol, Template
from kmslint.typed import Final

NAME: Final = "default"

DEFAULT_NOTE: Final = "the code sets no key policy: the key has the default one, which lets the account's IAM policies decide"


def default_policy(place: Place) -> Node:
    """The policy that KMS gives a key for which none is stated, all of it at `place`.

    Source: KMS Developer Guide, "Default key policy", created programmatically.
    """
    root = Template(("arn:", Symbol("partition", "partition"), ":iam::", Symbol("account", "account"), ":root"))
    statement = values.mapping(
        (
            ("Sid", values.string("Enable IAM User Permissions", place)),
            ("Effect", values.string("Allow", place)),
            ("Principal", values.mapping((("AWS", values.string(root, place)),), place)),
            ("Action", values.string("kms:*", place)),
            ("Resource", values.string("*", place)),
        ),
        place,
    )
    return values.mapping(
        (
            ("Version", values.string("2012-10-17", place)),
            ("Id", values.string("key-default-1", place)),
            ("Statement", values.array((statement,), place)),
        ),
        place,
    )


def key_policy(world: World, node: Node, address: str, provider: Provider) -> KeyPolicy:
    """The policy that a `policy` argument holds."""
    try:
        encoded = world.evaluator.texts.decode(node)
    except InputError as error:
        open_ = unresolved_name(node)
        if open_ is None:
            world.report(error)
        reason = f"the policy is not JSON: {error.message}" if open_ is None else f"`{open_}` could not be resolved"
        return KeyPolicy(NAME, Policy(None, (), node, unknown=(reason,)))
    return parsed(Encoded(Settling(world, address, provider).settle(encoded.node), encoded.doubts))


def parsed(encoded: Encoded) -> KeyPolicy:
    """The policy that a settled value states; its digest and size where it is known to the last leaf."""
    tree = encoded.node
    policy, diagnostics = parse_shape(tree)
    if encoded.doubts:
        statements = list(policy.statements)
        for number, reason in encoded.doubts:
            if number < len(statements):
                statements[number] = statements[number]._replace(unknown=(*statements[number].unknown, reason))
        policy = policy._replace(statements=tuple(statements))
    if encoded.doubts or not values.is_known(tree):
        return KeyPolicy(NAME, policy, diagnostics)
    data = stored_text(tree)
    if len(data) > MAX_BYTES:
        message = f"the policy has {len(data):,} bytes, and KMS stores at most {MAX_BYTES:,}"
        help = "move rights to IAM policies or grants, or merge statements"
        diagnostics = (*diagnostics, Diagnostic("policy-too-large", message, help, tree, ""))
    return KeyPolicy(NAME, policy, diagnostics, hexdigest(data), len(data))


def stored_text(tree: Node) -> bytes:
    """The text that the provider sends to KMS: compact, names in order."""
    return json.dumps(_sorted(tree), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _sorted(node: Node) -> object:
    if node.kind == OBJECT:
        return {member.key: _sorted(member.value) for member in sorted(node.members(), key=lambda member: member.key)}
    if node.kind == ARRAY:
        return [_sorted(item) for item in node.items()]
    if node.kind == STRING or node.kind in {NULL, "boolean"}:
        return node.value
    return json.loads(values.number_text(str(node.value)))


class Settling:
    """Settles what the symbols of a policy are for one key: its own account, its own ARN, or something else."""

    def __init__(self, world: World, address: str, provider: Provider) -> None:
        self.world = world
        self.arn = f"{address}.arn"
        self.provider = provider

    def settle(self, node: Node) -> Node:
        """The value with its symbols settled."""
        if node.kind == OBJECT:
            members = (Member(member.key, member.key_node, self.settle(member.value)) for member in node.members())
            return node._replace(value=tuple(members))
        if node.kind == ARRAY:
            return node._replace(value=tuple(self.settle(item) for item in node.items()))
        if node.kind == UNRESOLVED:
            symbol = self.symbol(values.symbol_of(node))
            if symbol.own is not None:
                return node._replace(kind=STRING, value=Template((symbol,)))
            return node._replace(value=symbol)
        if isinstance(node.value, Template):
            parts = tuple(part if isinstance(part, str) else self.symbol(part) for part in node.value.parts)
            return node._replace(value=Template(parts))
        return node

    def symbol(self, symbol: Symbol) -> Symbol:
        """The symbol as it is for this key."""
        if symbol.name == self.arn:
            return Symbol(symbol.name, "key_arn")
        if symbol.own is None:
            return Symbol(symbol.name.removesuffix(values.SEVERAL))
        other = self.world.providers.get(symbol.name)
        if other is None or (other.identity == self.provider.identity and self.same_region(symbol, other)):
            return symbol
        return Symbol(symbol.name)

    def same_region(self, symbol: Symbol, other: Provider) -> bool:
        """Whether a Region symbol of another provider configuration is the key's; other symbols have no Region."""
        return symbol.own != "region" or other.name == self.provider.name or (other.region == self.provider.region != "")


def names_own_account(node: Node | None) -> bool:
    """Whether the policy speaks of the key's own account as a symbol."""
    if node is None:
        return False
    if node.kind == UNRESOLVED:
        return values.symbol_of(node).own == "account"
    if isinstance(node.value, Template):
        return any(isinstance(part, Symbol) and part.own == "account" for part in node.value.parts)
    return any(map(names_own_account, node.items() or tuple(member.value for member in node.members())))
