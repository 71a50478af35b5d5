"""A JSON value becomes a policy, and everything wrong with its shape a diagnostic at its place. Shape only, no meaning.

No value is refused: whatever violates the grammar is described by diagnostics and counts as unknown, so that no answer
rests on it. Three violations have a documented meaning instead: a statement without an action, without a resource or
without a principal has no effect.

Where a malformed element could be anything, it is read as `*` in a statement that is unknown: such a statement may apply
to every request and surely applies to none.

Source: IAM User Guide, "Grammar of the IAM JSON policy language"; KMS API Reference, PutKeyPolicy, Policy; IAM Access
Analyzer policy check reference.
"""

from collections.abc import Iterable

from kmslint.errors import InputError
from kmslint.jsontext import quoted, read_embedded
from kmslint.location import pointer
from kmslint.pattern import pattern
from kmslint.policy import operators
from kmslint.policy.document import Condition, Diagnostic, Item, Policy, Principal, Statement
from kmslint.tree import ARRAY, OBJECT, STRING, UNRESOLVED, Member, Node, Symbol, Template, Value
from kmslint.typed import Final

MAX_BYTES: Final = 32_768
"""Source: KMS Developer Guide, "Resource quotas": key policy document size 32 KB."""

MAX_CHARS: Final = 131_072
"""A longer text is not read as a policy: no call of KMS takes it. Source: KMS API model, PolicyType, max."""

MAX_DIAGNOSTICS: Final = 1_000
"""Complaints about one policy. Nobody reads more, and a hostile file would make millions."""

MAX_REASONS: Final = 10
"""Reasons kept of why one statement is unknown; the diagnostics have them all."""

_REFUSED: Final = pattern("[^\t\n\r\x20-\xff]")
"""Source: KMS API model, PolicyType, pattern."""

_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_EFFECTS: Final = ("Allow", "Deny")
_KINDS: Final = ("AWS", "Service", "Federated", "CanonicalUser")
_DOCUMENT: Final = {"version": "Version", "id": "Id", "statement": "Statement"}
_ELEMENTS: Final = {
    name.lower(): name
    for name in ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
}
_PRINCIPAL_TYPES: Final = {kind.lower(): kind for kind in _KINDS}

_NEW: Final = tuple.__new__  # half the time of Item(…): measured


def parse_policy(node: Node) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """The policy that the JSON text of `node` states, and every violation of the grammar and of the limits of KMS.

    A JSON string that holds the policy is read as the policy. Never raises for a JSON value. O(n).
    """
    complaints = _Complaints()
    if node.kind == STRING and isinstance(node.value, str):
        try:
            node = read_embedded(node)
        except InputError as error:
            complaints.add(
                "policy-not-an-object", f"the policy is a string that is not JSON: {error.message}", node, "", error.help
            )
            return Policy(None, (), node, unknown=("the policy is a string that is not JSON",)), complaints.all()
    _limits(node, complaints)
    if node.end - node.start > MAX_CHARS:
        return Policy(
            None, (), node, unknown=(f"the policy has more than the {MAX_CHARS:,} characters that KMS takes",)
        ), complaints.all()
    return _policy(node, complaints), complaints.all()


def parse_shape(node: Node) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """As `parse_policy` for a value that is not the text that KMS will see (a template): its size and characters count for nothing."""
    complaints = _Complaints()
    return _policy(node, complaints), complaints.all()


def parse_statements(node: Node) -> tuple[tuple[Statement, ...], tuple[Diagnostic, ...]]:
    """The requests that one statement or a list of statements describes.

    Principal, Action and Resource may be left out and then mean any; Effect may be left out and means nothing.
    """
    complaints = _Complaints()
    found: list[Statement] = []
    for index, (item, at) in enumerate(_each(node, "")):
        if item.kind == OBJECT:
            found.append(_Reading(item, index, at, complaints).described())
        else:
            complaints.add("malformed-statement", f"a statement is an object, found {_kind(item)}", item, at, statement=index)
    return tuple(found), complaints.all()


class _Complaints:
    """The diagnostics of one text, in the order of reading."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def add(self, code: str, message: str, node: Node, at: str, help: str | None = None, *, statement: int | None = None) -> None:
        """One more complaint; past MAX_DIAGNOSTICS the last says that there are more."""
        if len(self.found) < MAX_DIAGNOSTICS:
            self.found.append(Diagnostic(code, message, help, node, at, statement))
        elif len(self.found) == MAX_DIAGNOSTICS:
            self.found.append(
                Diagnostic("too-many-complaints", "the policy has more faults than are listed", None, node, at, statement)
            )

    def near(self, name: str, names: Iterable[str]) -> str | None:
        """The name of `names` that `name` resembles, if a message will say so."""
        return None if len(self.found) >= MAX_DIAGNOSTICS else _nearest(name, names)

    def near_operator(self, text: str) -> str | None:
        """The operator that `text` resembles, with the set operator and the IfExists of `text` where they fit."""
        prefix, colon, base = text.rpartition(":")
        plain = base[:-8] if base.lower().endswith("ifexists") else base
        near = None if len(self.found) >= MAX_DIAGNOSTICS else operators.nearest(plain)
        if near is None:
            return None
        whole = f"{prefix}{colon}{near}{base[len(plain) :]}"
        return whole if operators.lookup(whole) else near

    def all(self) -> tuple[Diagnostic, ...]:
        """What was complained about."""
        return tuple(self.found)


# --- the text


def _limits(node: Node, complaints: _Complaints) -> None:
    """Complain about a policy text that KMS would refuse for its size or its characters."""
    content = node.text.content[node.start : node.end]  # empty where the value was built in memory
    size = len(content.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        message = f"the policy has {size:,} bytes, and KMS stores at most {MAX_BYTES:,}"
        complaints.add("policy-too-large", message, node, "", "move rights to IAM policies or grants, or merge statements")
    refused = None if content.isascii() else _REFUSED.search(content)
    if refused:
        code = ord(refused.group())
        start = node.start + refused.start()
        shown = f"U+{code:04X}" + (f" {quoted(chr(code))}" if chr(code).isprintable() else "")
        place = Node(STRING, chr(code), node.text, start, start + 1)
        message = f"the character {shown} is not allowed in a key policy"
        complaints.add("character-not-allowed", message, place, "", "use characters up to U+00FF, or write a JSON escape")


# --- the document


def _policy(node: Node, complaints: _Complaints) -> Policy:
    if _symbolic(node):
        return Policy(None, (), node, unknown=(_unresolved("the policy", node),))
    if node.kind != OBJECT:
        reason = f"a policy is an object, found {_kind(node)}"
        complaints.add("policy-not-an-object", reason, node, "")
        return Policy(None, (), node, unknown=(reason,))
    given, odd = _document(node, complaints)
    version, doubt = _version(given.get("Version"), complaints)
    doubt = odd.get("Version", doubt)
    _id(given.get("Id"), complaints)
    statements, unknown = _statements(given.get("Statement"), node, complaints)
    unknown = odd.get("Statement", unknown)
    if doubt is not None:
        statements = tuple(_doubt_variables(statement, doubt) for statement in statements)
    return Policy(version, statements, node, unknown=(unknown,) if unknown else ())


def _document(node: Node, complaints: _Complaints) -> tuple[dict[str, Member], dict[str | None, str]]:
    """The elements of the document by name, and what is odd about them: given twice, or in another case (UNSURE-2)."""
    given: dict[str, Member] = {}
    odd: dict[str | None, str] = {}
    for member in node.members():
        name = _DOCUMENT.get(member.key.lower())
        at = pointer(member.key)
        if name != member.key:
            message = f"{quoted(member.key)} is no element of a policy"
            near = complaints.near(member.key, _DOCUMENT.values())
            help = f"did you mean `{near}`?" if near else "an element is one of " + ", ".join(_DOCUMENT.values())
            complaints.add("unknown-element", message, member.key_node, at, help)
            odd[name] = message
        if name in given:
            odd[name] = _twice(quoted(name), given[name], member)
            complaints.add("duplicate-element", odd[name], member.key_node, at, "keep one")
        elif name is not None:
            given[name] = member
    return given, odd


def _version(member: Member | None, complaints: _Complaints) -> tuple[str | None, str | None]:
    """The version as written, and why nobody knows whether the policy has variables, if so."""
    if member is None:
        return None, None
    node = member.value
    if _symbolic(node):
        return None, _unresolved("`Version`", node)
    text = str(node.value) if node.kind == STRING else None
    if text in _VERSIONS:
        return text, None
    reason = f"`Version` is {_shown(node)}, and no version of the policy language"
    complaints.add("invalid-version", reason, node, "/Version", 'set "Version": "2012-10-17"')
    return text, reason


def _id(member: Member | None, complaints: _Complaints) -> None:
    if member is not None and member.value.kind not in {STRING, UNRESOLVED}:
        complaints.add("invalid-id", f"`Id` is a string, found {_kind(member.value)}", member.value, "/Id")


def _statements(member: Member | None, node: Node, complaints: _Complaints) -> tuple[tuple[Statement, ...], str | None]:
    """The statements, and why they are not known as a whole, if so."""
    if member is None:
        complaints.add("missing-statement", "the policy has no `Statement`", node, "", 'add "Statement": [ … ]')
        return (), "the policy has no `Statement`"
    value = member.value
    if _symbolic(value):
        return (), _unresolved("`Statement`", value)
    if value.kind not in {OBJECT, ARRAY}:
        reason = f"`Statement` is an object or a list of objects, found {_kind(value)}"
        complaints.add("malformed-statement", reason, value, "/Statement")
        return (), reason
    if value.kind == ARRAY and not value.value:
        complaints.add(
            "empty-statement-list", "the policy has no statement", value, "/Statement", "a key policy has at least one"
        )
    return tuple(_statement(item, index, at, complaints) for index, (item, at) in enumerate(_each(value, "/Statement"))), None


def _each(node: Node, at: str) -> Iterable[tuple[Node, str]]:
    """The items of a list with their pointers; anything else is a list of itself."""
    if node.kind != ARRAY:
        return ((node, at),)
    return ((item, f"{at}/{index}") for index, item in enumerate(node.items()))


def _statement(node: Node, index: int, at: str, complaints: _Complaints) -> Statement:
    if node.kind == OBJECT:
        return _Reading(node, index, at, complaints).statement()
    if _symbolic(node):
        reason = _unresolved("the statement", node)
    else:
        reason = f"a statement is an object, found {_kind(node)}"
        complaints.add("malformed-statement", reason, node, at, statement=index)
    return Statement(index, None, None, _anybody(node), _anything(node), _anything(node), (), node, unknown=(reason,))


def _doubt_variables(statement: Statement, reason: str) -> Statement:
    """The statement, unknown if its meaning depends on whether `${…}` is a variable."""
    items = [*(statement.resources or ()), *(item for condition in statement.conditions for item in condition.values)]
    if any(isinstance(item.value, Template) or "${" in item.value for item in items):
        return statement._replace(unknown=(*statement.unknown, reason))
    return statement


# --- one statement


class _Reading:
    """The reading of one statement object: its elements, and why it is unknown."""

    __slots__ = ("at", "complaints", "given", "index", "misspelt", "node", "reasons", "twice")

    def __init__(self, node: Node, index: int, at: str, complaints: _Complaints) -> None:
        self.node = node
        self.index = index
        self.at = at
        self.complaints = complaints
        self.reasons: list[str] = []
        self.given: dict[str, Member] = {}
        self.twice: set[str] = set()
        self.misspelt: list[str | None] = []
        """For each name that is no element, the element it resembles."""
        for member in node.value:  # type: ignore[attr-defined]  # an object
            name = member.key
            if name not in _ELEMENTS.values() or name in self.given:
                self.odd(member)
            else:
                self.given[name] = member

    def statement(self) -> Statement:
        """The statement of a policy."""
        sid, effect = self.sid(), self.effect()
        principals, not_principal = self.principals()
        actions, not_action = self.listed("Action")
        resources, not_resource = self.listed("Resource")
        conditions = self.conditions()
        if not_resource:
            self.complain(
                "missing-resource",
                "the statement has `NotResource` and no `Resource`",
                self.given["NotResource"].key_node,
                "NotResource",
                _RESOURCE,
            )
        return Statement(
            self.index, sid, effect, principals, actions, resources, conditions, self.node,
            not_principal, not_action, not_resource, tuple(self.reasons),
        )  # fmt: skip

    def described(self) -> Statement:
        """The statement of a question: what is left out is any."""
        sid = self.sid()
        anything = (_anything(self.node), False)
        principals, not_principal = self.principals() if self.has("Principal") else (_anybody(self.node), False)
        actions, not_action = self.listed("Action") if self.has("Action") else anything
        resources, not_resource = self.listed("Resource") if self.has("Resource") else anything
        conditions = self.conditions()
        return Statement(
            self.index, sid, "Allow", principals, actions, resources, conditions, self.node,
            not_principal, not_action, not_resource, tuple(self.reasons),
        )  # fmt: skip

    # complaints

    def complain(self, code: str, message: str, node: Node, part: str, help: str | None = None) -> None:
        """A violation whose meaning is documented: the statement stays known."""
        self.complaints.add(code, message, node, f"{self.at}/{part}" if part else self.at, help, statement=self.index)

    def spoil(self, code: str, message: str, node: Node, part: str, help: str | None = None) -> None:
        """A violation that makes the statement unknown."""
        self.complain(code, message, node, part, help)
        self.doubt(message)

    def doubt(self, reason: str) -> None:
        """Make the statement unknown. A few reasons are enough."""
        if len(self.reasons) < MAX_REASONS:
            self.reasons.append(reason)

    def odd(self, member: Member) -> None:
        """A member that is no element, or one that was there before. Another case of an element's name is read as the element."""
        name = _ELEMENTS.get(member.key.lower())
        if name != member.key:
            near = self.complaints.near(member.key, _ELEMENTS.values())
            help = f"did you mean `{near}`?" if near else "an element is one of " + ", ".join(_ELEMENTS.values())
            self.spoil(
                "unknown-element",
                f"{quoted(member.key)} is no element of a statement",
                member.key_node,
                pointer(member.key)[1:],
                help,
            )
            if name is None:
                self.misspelt.append(near)
                return
        if name in self.given:
            self.spoil("duplicate-element", _twice(quoted(name), self.given[name], member), member.key_node, name, "keep one")
            self.twice.add(name)
        else:
            self.given[name] = member

    # elements

    def has(self, name: str) -> bool:
        """Whether the element or its negation is there."""
        return name in self.given or "Not" + name in self.given

    def sid(self) -> str | None:
        """The Sid; spaces are allowed in key policies, and two statements may share one (UNSURE-3)."""
        member = self.given.get("Sid")
        if member is None:
            return None
        if member.value.kind == STRING:
            return str(member.value.value)
        if member.value.kind != UNRESOLVED:
            self.spoil("invalid-sid", f"`Sid` is a string, found {_kind(member.value)}", member.value, "Sid")
        return None

    def effect(self) -> str | None:
        """The effect; None where it cannot be told."""
        member = self.given.get("Effect")
        if member is None:
            if self.is_missing("Effect"):
                self.spoil("missing-effect", "the statement has no `Effect`", self.node, "", "add `Allow` or `Deny`")
            return None
        node = member.value
        if node.value in _EFFECTS:
            return None if "Effect" in self.twice else str(node.value)
        if _symbolic(node):
            self.doubt(_unresolved("`Effect`", node))
            return None
        near = next((effect for effect in _EFFECTS if effect.lower() == str(node.value).lower()), None)
        help = f"did you mean `{near}`? case matters" if near else None
        self.spoil("invalid-effect", f"`Effect` is `Allow` or `Deny`, found {_shown(node)}", node, "Effect", help)
        return None

    def is_missing(self, name: str) -> bool:
        """Whether to complain that `name` is missing: not if a misspelt element is likely to be it."""
        return name not in self.misspelt and "Not" + name not in self.misspelt

    def choose(self, name: str) -> tuple[Member, bool] | None:
        """The element or its negation, and which; None where it is absent or cannot be told."""
        plain, negated = self.given.get(name), self.given.get("Not" + name)
        if plain is not None and negated is not None:
            message = f"`{name}` and `Not{name}` exclude each other"
            self.spoil("exclusive-elements", message, negated.key_node, f"Not{name}", "keep one of them")
            return None
        member = plain or negated
        if member is None:
            if self.is_missing(name):
                self.complain(
                    f"missing-{name.lower()}", f"the statement has no `{name}`, so it has no effect", self.node, "", _ADD[name]
                )
            return None
        return None if {name, "Not" + name} & self.twice else (member, negated is not None)

    def may_be_anything(self, name: str) -> bool:
        """Whether an element that `choose` did not find is there all the same, in a form that tells nothing."""
        return self.has(name) or bool(self.misspelt)

    def listed(self, name: str) -> tuple[tuple[Item, ...] | None, bool]:
        """The entries of Action or Resource and whether they are negated; None where there is no such element."""
        chosen = self.choose(name)
        if chosen is None:
            return (_anything(self.node), False) if self.may_be_anything(name) else (None, False)
        member, negated = chosen
        part = "Not" + name if negated else name
        items = self.strings(member.value, part)
        if items is None:
            return _anything(member.value), False
        if not items:
            self.empty(f"empty-{name.lower()}", f"`{part}` is empty", member.value, part, negated=negated)
        return items, negated

    def empty(self, code: str, message: str, node: Node, part: str, *, negated: bool) -> None:
        """An empty element has no effect; what an empty negated one means is not documented.

        Source: IAM Access Analyzer policy check reference, "Empty array action", "Empty array resource", "Empty array principal".
        """
        if negated:
            self.spoil(code, message, node, part)
        else:
            self.complain(code, f"{message}, so the statement has no effect", node, part)

    def strings(self, node: Node, part: str) -> tuple[Item, ...] | None:
        """The entries of a string or a list of strings; None for anything else."""
        if node.kind == STRING:
            return (_NEW(Item, (node.value, node)),)
        if node.kind == UNRESOLVED:
            self.unresolved(part, node)
            return (Item(_symbol(node), node),)
        if node.kind != ARRAY:
            self.malformed(part, node, part)
            return None
        found: list[Item] = []
        fine = True
        for index, item in enumerate(node.items()):
            if item.kind == STRING:
                found.append(_NEW(Item, (item.value, item)))
            elif item.kind == UNRESOLVED:
                found.append(Item(_symbol(item), item))
            else:
                self.malformed(part, item, f"{part}/{index}")
                fine = False
        return tuple(found) if fine else None

    def malformed(self, name: str, node: Node, part: str) -> None:
        """A value that is neither a string nor a list of strings."""
        code = "malformed-" + name.lower().removeprefix("not")
        self.spoil(code, f"`{name}` is a string or a list of strings, found {_kind(node)}", node, part)

    def unresolved(self, name: str, node: Node) -> None:
        """A whole element that is a symbol: unknown, unless it is the key's own account or the like and so no list."""
        if isinstance(node.value, Symbol) and node.value.own is None:
            self.doubt(_unresolved(f"`{name}`", node))

    # principals

    def principals(self) -> tuple[tuple[Principal, ...] | None, bool]:
        """The principal entries and whether they are negated; None where there is no such element."""
        chosen = self.choose("Principal")
        if chosen is None:
            return (_anybody(self.node), False) if self.may_be_anything("Principal") else (None, False)
        member, negated = chosen
        part = "NotPrincipal" if negated else "Principal"
        before, self.reasons = self.reasons, []
        entries = self.entries(member.value, part, negated=negated)
        doubtful, self.reasons = bool(self.reasons), [*before, *self.reasons]
        if entries is None or (negated and doubtful):
            return _anybody(member.value), False
        return entries, negated

    def entries(self, node: Node, part: str, *, negated: bool) -> tuple[Principal, ...] | None:
        """The entries of one Principal element; None where they could be anybody."""
        if node.value == "*":
            return _anybody(node)
        if node.kind == OBJECT:
            return self.principal_map(node, part, negated=negated)
        if node.kind == UNRESOLVED:
            self.doubt(_unresolved(f"`{part}`", node))
            return None
        if node.kind == STRING:
            value: Value = node.value  # type: ignore[assignment]  # a string
            message = f'`{part}` is "*" or an object, found {quoted(str(value))}'
            self.spoil("malformed-principal", message, node, part, 'write {"AWS": "…"} or {"Service": "…"}')
            return (Principal("AWS", value, node),)
        if node.kind == ARRAY and not node.value:
            self.empty("empty-principal", f"`{part}` is empty", node, part, negated=negated)
            return ()
        self.spoil("malformed-principal", f'`{part}` is "*" or an object, found {_kind(node)}', node, part)
        return None

    def principal_map(self, node: Node, part: str, *, negated: bool) -> tuple[Principal, ...] | None:
        """The entries of an object of principals by type."""
        found: list[Principal] = []
        seen: dict[str, Member] = {}
        fine = True
        for member in node.members():
            kind = self.principal_type(member, part)
            name = _PRINCIPAL_TYPES.get(member.key.lower(), member.key)
            if name in seen:
                message = _twice(f"the principal type {quoted(name)}", seen[name], member)
                self.spoil("duplicate-principal-type", message, member.key_node, part + pointer(name), "join the two lists")
            seen[name] = member
            values = self.principal_values(member, part)
            fine = fine and values is not None
            found += [_NEW(Principal, (kind, item.value, item.node)) for item in values or ()]
            if values == ():
                self.complain(
                    "empty-principal", f"`{part}` lists no {quoted(member.key)} principal", member.value, f"{part}/{kind}"
                )
        if not seen or (negated and fine and not found):
            self.empty("empty-principal", f"`{part}` is empty", node, part, negated=negated)
        return tuple(found) if fine else None

    def principal_type(self, member: Member, part: str) -> str:
        """The type of principals that `member` lists; of a name that is no type, the nearest, and `AWS` failing that."""
        if member.key in _KINDS:
            return member.key
        kind = _PRINCIPAL_TYPES.get(member.key.lower())
        near = self.complaints.near(member.key, _KINDS)
        help = f"did you mean `{near}`?" if near else "a principal type is one of " + ", ".join(_KINDS)
        message = f"{quoted(member.key)} is no type of principal"
        self.spoil("unknown-principal-type", message, member.key_node, part + pointer(member.key), help)
        return kind or "AWS"

    def principal_values(self, member: Member, part: str) -> tuple[Item, ...] | None:
        """The entries under one principal type; a number is read as an account that lost its quotes."""
        node, where = member.value, part + pointer(member.key)
        if node.kind == STRING:
            return (_NEW(Item, (node.value, node)),)
        self.unresolved(part, node)
        found: list[Item] = []
        fine = True
        for item, at in _each(node, where):
            value = item.as_text()
            if item.kind not in {STRING, UNRESOLVED}:
                self.spoil("malformed-principal", f"a principal is a string, found {_kind(item)}", item, at, "put it in quotes")
            if value is None:
                fine = False
            else:
                found.append(_NEW(Item, (value, item)))
        return tuple(found) if fine else None

    # conditions

    def conditions(self) -> tuple[Condition, ...]:
        """The conditions that could be read. Where one is left out, the statement is unknown."""
        member = self.given.get("Condition")
        if member is None or "Condition" in self.twice:
            return ()
        node = member.value
        if node.kind == UNRESOLVED:
            self.doubt(_unresolved("`Condition`", node))
            return ()
        if node.kind != OBJECT:
            self.spoil("malformed-condition", f"`Condition` is an object, found {_kind(node)}", node, "Condition")
            return ()
        found: dict[str, list[Condition]] = {}
        first: dict[str, Member] = {}
        for block in node.members():
            if block.key in first:
                message = _twice(f"the condition operator {quoted(block.key)}", first[block.key], block)
                help = "join the two objects: AWS keeps one at most"
                self.spoil("duplicate-operator", message, block.key_node, "Condition" + pointer(block.key), help)
                found[block.key] = []
                continue
            first[block.key] = block
            found[block.key] = self.block(block)
        return tuple(condition for conditions in found.values() for condition in conditions)

    def block(self, block: Member) -> list[Condition]:
        """The conditions under one operator."""
        operator, node = block.key, block.value
        if operators.lookup(operator) is None:
            self.unknown_operator(block)
        if node.kind != OBJECT:
            part = "Condition" + pointer(operator)
            if node.kind == UNRESOLVED:
                self.doubt(_unresolved(f"the condition {quoted(operator)}", node))
            else:
                message = f"{quoted(operator)} takes an object of condition keys, found {_kind(node)}"
                self.spoil("malformed-condition", message, node, part)
            return []
        found: list[Condition] = []
        first: dict[str, Member] = {}
        dropped: set[str] = set()
        for member in node.members():
            folded = member.key.lower()
            if folded in first:
                self.same_key(operator, first[folded], member)
                if member.key == first[folded].key:
                    dropped.add(member.key)
            first.setdefault(folded, member)
            values = self.values(operator, member)
            if values is not None:
                found.append(_NEW(Condition, (operator, member.key, values, member.key_node, block.key_node)))
        return [condition for condition in found if condition.key not in dropped]

    def unknown_operator(self, block: Member) -> None:
        """An operator that does not exist: the evaluator knows what that means, so the statement stays known."""
        near = self.complaints.near_operator(block.key)
        help = f"did you mean `{near}`?" if near else None
        message = f"unknown condition operator {quoted(block.key)}"
        self.complain("unknown-operator", message, block.key_node, "Condition" + pointer(block.key), help)

    def same_key(self, operator: str, first: Member, member: Member) -> None:
        """One condition key twice under one operator; in another case, KMS may take both (UNSURE-1)."""
        message = _twice(f"the condition key {quoted(member.key)}", first, member)
        if first.key != member.key:
            message += f" as {quoted(first.key)}, and the case of a condition key does not count"
        self.spoil(
            "duplicate-condition-key", message, member.key_node, "Condition" + pointer(operator, member.key), "join the two"
        )

    def values(self, operator: str, member: Member) -> tuple[Item, ...] | None:
        """The values of one condition: strings, numbers and booleans as IAM reads them; None where one is something else."""
        node = member.value
        if node.kind == STRING:
            return (_NEW(Item, (node.value, node)),)
        part = "Condition" + pointer(operator, member.key)
        found: list[Item] = []
        fine = True
        for item, at in _each(node, part):
            value = item.as_text()
            if value is None:
                message = f"a condition value is a string, a number or a boolean, found {_kind(item)}"
                self.spoil("malformed-condition-value", message, item, at)
                fine = False
            else:
                found.append(_NEW(Item, (value, item)))
        if fine and not found:
            self.complain("empty-condition-values", f"{quoted(member.key)} has no value to compare with", node, part)
        return tuple(found) if fine else None


_RESOURCE: Final = 'add "Resource": "*", which means the key that the policy is attached to'
_ADD: Final = {"Principal": "say whom the statement is about", "Action": 'add "Action"', "Resource": _RESOURCE}


# --- words


def _anything(node: Node) -> tuple[Item, ...]:
    return (Item("*", node),)


def _anybody(node: Node) -> tuple[Principal, ...]:
    return (Principal("*", "*", node),)


def _symbol(node: Node) -> Template:
    """The text of an unresolved node."""
    return Template((node.value,))  # type: ignore[arg-type]  # a Symbol


def _symbolic(node: Node) -> bool:
    """Whether `node` is a value, or a text, that could not be resolved."""
    return node.kind == UNRESOLVED or isinstance(node.value, Template)


def _unresolved(what: str, node: Node) -> str:
    return f"{what} is {quoted(str(node.as_text()))}, which could not be resolved"


def _kind(node: Node) -> str:
    """What `node` is, for a message."""
    if node.kind == STRING:
        return f"the string {quoted(str(node.value))}"
    if node.kind == ARRAY:
        return "a list" if node.value else "an empty list"
    if node.kind == OBJECT:
        return "an object"
    return quoted(str(node.as_text() or "null"))


def _shown(node: Node) -> str:
    """A text as it is; anything else by its kind."""
    return quoted(str(node.value)) if node.kind == STRING else _kind(node)


def _twice(what: str, first: Member, again: Member) -> str:
    """That `what` is given twice, with both places."""
    places = [first.key_node.text.position(member.key_node.start) for member in (first, again)]
    here, there = (f"line {line}, column {column}" for line, column in places)
    return f"{what} is given twice, at {here} and at {there}"


def _nearest(name: str, names: Iterable[str]) -> str | None:
    from kmslint.aws.spelling import nearest  # only for a message

    return nearest(name, names)
