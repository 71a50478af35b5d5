"""The pipeline of `kmslint diff`: pairs the keys of two sides, and says for each what the new one allows and the old one did not.

Also the Python API `diff`. A verdict "no new access" is a proof; new access comes with requests that show it.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from kmslint.asking import ASK_OWNER, MAX_OWNERS, owners_of
from kmslint.engine.binding import bound
from kmslint.engine.variables import STRANGER_IP, resolve
from kmslint.errors import InputError
from kmslint.fact_changes import FactChange, fact_changes
from kmslint.gains import (
    ANY,
    CROSS_ACCOUNT,
    OWN_ACCOUNT,
    PUBLIC,
    Doubt,
    Gain,
    Gains,
    Named,
    admitting,
    changed_allows,
    find_gains,
    only,
)
from kmslint.location import Location, Text, pointer
from kmslint.model.key import Key, Known
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.policy.document import Policy, Statement
from kmslint.policy.narrower import is_same_policy
from kmslint.policy.parse import parse_policy
from kmslint.policy.principals import identify
from kmslint.policy.request import KeyContext
from kmslint.reason.answer import StatementRef
from kmslint.sources.files import Found
from kmslint.sources.policy_json import NotAKey, keys_from_json
from kmslint.tree import ARRAY, Node, Symbol, Template, from_python
from kmslint.typed import Final, NamedTuple

NO_NEW_ACCESS: Final = "no_new_access"
NEW_ACCESS: Final = "new_access"
UNDETERMINED: Final = "undetermined"

CHANGED: Final = "changed"
ADDED: Final = "added"
REMOVED: Final = "removed"

GATES: Final = (PUBLIC, CROSS_ACCOUNT, ANY)
"""What `--fail-on-new-access` takes."""

IDENTICAL: Final = "identical"
EQUIVALENT: Final = "equivalent"
NARROWER: Final = "narrower"
WIDER: Final = "wider"
DIFFERENT: Final = "different"


class Access(NamedTuple):
    """Requests that only one side allows. `places` are where it comes from, the cause first, each with what it is."""

    gain: Gain
    places: tuple[tuple[Location, str], ...]
    conditions: tuple[str, ...]
    """The conditions of the statement that allows it."""


class Change(NamedTuple):
    """One key before and after. `old` or `new` is None for a key that is only on the other side.

    `relation` says how the policies compare: "identical" in text, "equivalent", "narrower", "wider", "different", or None while
    it is not settled. `lost` is filled when it is asked for. `open` are the kinds of access that are not settled; `reasons` say
    why, and what else a reader must know.
    """

    id: str
    kind: str
    old: Key | None
    new: Key | None
    answer: str
    relation: str | None = None
    gained: tuple[Access, ...] = ()
    lost: tuple[Access, ...] = ()
    facts: tuple[FactChange, ...] = ()
    open: tuple[Doubt, ...] = ()
    reasons: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    def key(self) -> Key:
        """The key as it is now, else as it was."""
        found = self.new or self.old
        if found is None:
            raise ValueError("a change of no key")
        return found


class Difference(NamedTuple):
    """What `kmslint diff` found."""

    changes: tuple[Change, ...]
    errors: tuple[SourceError, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


class Side(NamedTuple):
    """The keys of one side, what could not be read, and what names a key's file on both sides."""

    keys: tuple[Key, ...]
    errors: tuple[SourceError, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    relative: Callable[[Key], str] = lambda key: key.source.file or ""


def diff(old: str, new: str, *, account: str | None = None, key_arn: str | None = None, region: str | None = None) -> Change:
    """What the key policy `new` (JSON text) allows and `old` does not, with what it takes away.

    `account` owns the key; without it the policies may tell.

    Raises:
        InputError: a text is not JSON, or holds no policy at all.
    """
    keys = []
    for name, text in (("old", old), ("new", new)):
        found = keys_from_json(Text(text, file=name), type="policy", arn=key_arn, account=account, region=region)
        if isinstance(found, NotAKey):
            raise InputError(f"holds no key policy: {found.reason}", source=name)
        keys.append(found[0])
    return compare(keys[0], keys[1], id="k1", removed=True)


def side(found: Iterable[Found], relative: Callable[[Key], str]) -> Side:
    """One side from what a source found."""
    keys: list[Key] = []
    errors: list[SourceError] = []
    skipped: list[tuple[str, str]] = []
    for item in found:
        if isinstance(item, Key):
            keys.append(item)
        elif isinstance(item, SourceError):
            errors.append(item)
        else:
            skipped.append((item.source, item.reason))
    return Side(tuple(keys), tuple(errors), tuple(skipped), relative)


def relative_to(root: str) -> Callable[[Key], str]:
    """What names the file of a key below the folder `root`: its path from there, with `/`."""

    def name(key: Key) -> str:
        if key.source.file is None:
            return key.source.uri or ""
        folder, file = os.path.split(os.path.abspath(key.source.file))
        return os.path.relpath(os.path.join(os.path.realpath(folder), file), os.path.realpath(root)).replace(os.sep, "/")

    return name


def difference(old: Side, new: Side, *, removed: bool = False) -> Difference:
    """Every key of both sides, compared with its other self; those of the new side in its order, removed ones last."""
    pairs = pair(old, new)
    changes = [compare(before, after, id=f"k{number}", removed=removed) for number, (before, after) in enumerate(pairs, start=1)]
    return Difference(tuple(changes), (*old.errors, *new.errors), (*old.skipped, *new.skipped))


def exit_code(found: Difference, gate: str, *, allow_undetermined: bool = False, allow_empty: bool = False) -> int:
    """1 for new access that the gate names, else 3 for what was not read, else 4 for what is open, else 0."""
    if any(counts(access.gain, gate) for change in found.changes for access in change.gained):
        return 1
    if found.errors or not (found.changes or allow_empty):
        return 3
    is_open = any(_is_gated(doubt.kind, gate) for change in found.changes for doubt in change.open)
    return 4 if is_open and not allow_undetermined else 0


def counts(gain: Gain, gate: str) -> bool:
    """Whether new access of this group is what the gate stops."""
    return gate == ANY or gain.kind == PUBLIC or (gate == CROSS_ACCOUNT and gain.external)


def _is_gated(kind: str, gate: str) -> bool:
    if gate == ANY or kind in {ANY, PUBLIC}:
        return True
    return gate == CROSS_ACCOUNT and kind != OWN_ACCOUNT


# pairs


def pair(old: Side, new: Side) -> tuple[tuple[Key | None, Key | None], ...]:
    """The keys of both sides, matched by ARN, by resource address in one file, one folder or at all, by alias, then by file and order in it.

    A name that stands for several keys of one side matches none of them.
    """
    partner: dict[int, int] = {}
    for names in _NAMES:
        before = _unique(old, names, set(partner.values()))
        for name, place in _unique(new, names, set(partner)).items():
            if name in before:
                partner[place] = before[name]
    pairs: list[tuple[Key | None, Key | None]] = [
        (old.keys[partner[place]] if place in partner else None, key) for place, key in enumerate(new.keys)
    ]
    matched = set(partner.values())
    return tuple(pairs) + tuple((key, None) for place, key in enumerate(old.keys) if place not in matched)


def _unique(side: Side, names: Callable[[Side, Key, int], object], taken: set[int]) -> dict[object, int]:
    found: dict[object, int] = {}
    seen: set[object] = set()
    order: dict[str, int] = {}
    for place, key in enumerate(side.keys):
        file = side.relative(key)
        number = order[file] = order.get(file, -1) + 1
        name = None if place in taken else names(side, key, number)
        if name is None:
            continue
        if name in seen:
            found.pop(name, None)
        else:
            found[name] = place
        seen.add(name)
    return found


def _by_address_in_file(side: Side, key: Key, number: int) -> object:
    del number
    return (side.relative(key), key.source.address) if key.source.address else None


def _by_address_in_folder(side: Side, key: Key, number: int) -> object:
    del number
    return (os.path.dirname(side.relative(key)), key.source.address) if key.source.address else None


def _by_alias(side: Side, key: Key, number: int) -> object:
    del side, number
    fact = key.facts.get("aliases")
    listed = fact.value if isinstance(fact, Known) and isinstance(fact.value, (list, tuple)) else ()
    names = [name for name in listed if isinstance(name, str)]
    return (min(names), key.account if key.account_source == "arn" else None, key.region) if names else None


def _by_file(side: Side, key: Key, number: int) -> object:
    return (side.relative(key), number) if key.source.address is None else None


def _by_order(side: Side, key: Key, number: int) -> object:
    """In two single files the keys are matched by their order, whatever the files are called."""
    return number if side.relative(key) == "" else None


_NAMES: Final[tuple[Callable[[Side, Key, int], object], ...]] = (
    lambda side, key, number: key.arn,  # noqa: ARG005
    _by_address_in_file,
    _by_address_in_folder,
    lambda side, key, number: key.source.address,  # noqa: ARG005
    _by_alias,
    _by_file,
    _by_order,
)


# one key


def compare(old: Key | None, new: Key | None, *, id: str, removed: bool = False) -> Change:
    """One key before and after. With `removed`, what it lost is listed too."""
    if new is None:
        told = "the key is gone from the new side; what it allowed there is allowed by nothing that was compared"
        return Change(id, REMOVED, old, None, NO_NEW_ACCESS, reasons=(told,))
    if old is None:
        return _added(new, id)
    facts = fact_changes(old, new)
    change = Change(id, CHANGED, old, new, NO_NEW_ACCESS, IDENTICAL, facts=facts, assumptions=tuple(_symbols(old, new)))
    if _is_identical(old, new):
        return change
    unread = old.policies_unread or new.policies_unread
    if unread is not None:
        return _open(change, (unread,))
    return _compared(change, old, new, removed=removed)


def _is_identical(old: Key, new: Key) -> bool:
    """Whether both say the same of who may use the key, whoever owns it."""
    if old.policies_unread or new.policies_unread or len(old.policies) != len(new.policies) or _context_doubts(old, new):
        return False
    return all(
        one.name == other.name and is_same_policy(one.policy, other.policy)
        for one, other in zip(old.policies, new.policies, strict=True)
    )


def _open(change: Change, reasons: tuple[str, ...], kind: str = ANY) -> Change:
    return change._replace(answer=UNDETERMINED, relation=None, open=(Doubt(kind, reasons),), reasons=reasons)


class _Pair(NamedTuple):
    """Both sides of one key with one owner: policies without own symbols, and what a request sees of the key."""

    old: tuple[Policy, ...]
    new: tuple[Policy, ...]
    context: KeyContext
    named: Named


def _compared(change: Change, old: Key, new: Key, *, removed: bool) -> Change:
    owners, assumed, doubts = _owners(old, new)
    change = change._replace(assumptions=(*assumed, *change.assumptions))
    if len(owners) > MAX_OWNERS:
        return _open(change, (ASK_OWNER,))
    first = _pair(old, new, owners[0])
    gains = find_gains(first.old, first.new, first.context, first.named)
    losses = find_gains(first.new, first.old, first.context, first.named) if removed else _only_whether(first)
    for owner in owners[1:]:
        other = _pair(old, new, owner)
        if _is_any(_refs(other.old, other.new, other.context)) != _is_any(gains):
            return _open(change, (ASK_OWNER, *_perhaps(gains)))
    if owners[1:] and any(_is_of(gain, owners[1:]) for gain in gains.found):
        doubts = (*doubts, "whose access it is depends on the owner account of the key, which is not known; pass --account")
    doubts = (*doubts, *_context_doubts(old, new))
    return _answered(change, old, new, gains, losses, doubts)


def _answered(change: Change, old: Key, new: Key, gains: Gains, losses: Gains, doubts: tuple[str, ...]) -> Change:
    opened = gains.open
    context = _context_doubts(old, new)
    if context:
        opened = (*opened, Doubt(ANY, context))
    answer = NEW_ACCESS if gains.found else UNDETERMINED if opened else NO_NEW_ACCESS
    told = dict.fromkeys((*(reason for doubt in opened for reason in doubt.reasons), *doubts))
    return change._replace(
        answer=answer,
        relation=_relation(gains, losses, opened),
        gained=tuple(_access(gain, new, old, _GAINED) for gain in gains.found),
        lost=tuple(_access(gain, old, new, _LOST) for gain in losses.found),
        open=opened,
        reasons=tuple(told),
    )


def _relation(gains: Gains, losses: Gains, opened: tuple[Doubt, ...]) -> str | None:
    if (opened and not gains.found) or (losses.open and not losses.found):
        return None
    return {
        (False, False): EQUIVALENT,
        (False, True): NARROWER,
        (True, False): WIDER,
        (True, True): DIFFERENT,
    }[bool(gains.found), bool(losses.found or losses.open)]


def _only_whether(pair: _Pair) -> Gains:
    """Whether something is lost, without saying what: a doubt stands for it."""
    return Gains(open=()) if not _refs(pair.new, pair.old, pair.context) else Gains(open=(Doubt(ANY, ()),))


def _refs(old: tuple[Policy, ...], new: tuple[Policy, ...], context: KeyContext) -> tuple[StatementRef, ...]:
    asked = changed_allows(old, new)
    return () if asked is None else admitting(old, asked, context)


def _is_any(found: Gains | tuple[StatementRef, ...]) -> bool:
    return bool(found.found or found.open) if isinstance(found, Gains) else bool(found)


def _pair(old: Key, new: Key, owner: str | None) -> _Pair:
    """Both policies with the values that the key gives to their own symbols, the same for both."""
    both = bound(
        new._replace(
            account=owner,
            region=new.region or old.region,
            key_id=new.key_id or old.key_id,
            policies=(*old.policies, *new.policies),
        )
    )
    policies = tuple(named.policy for named in both.policies)
    split = len(old.policies)
    return _Pair(policies[:split], policies[split:], both.context(), _named(both))


def _named(key: Key) -> Named:
    return Named(
        _list("${kmslint:named-accounts}", key),
        _list("${kmslint:named-organizations}", key),
        _list("${kmslint:named-userids}", key),
        STRANGER_IP,
    )


def _list(variable: str, key: Key) -> tuple[str, ...]:
    found = resolve([variable], key, _DEFAULTS)
    return tuple(str(item) for item in found) if isinstance(found, list) else ()


_DEFAULTS: Final = Settings()


# the owner


def _owners(old: Key, new: Key) -> tuple[tuple[str | None, ...], tuple[str, ...], tuple[str, ...]]:
    """The accounts that may own the key, what is assumed of it, and what is open. It is one key: one account owns both sides."""
    sure = tuple(dict.fromkeys(key.account for key in (new, old) if key.account is not None and key.account_source != "inferred"))
    if len(sure) == 2:
        told = f"the owner was `{sure[1]}` and is `{sure[0]}`: compared as a key of `{sure[0]}`"
        return sure[:1], (), (told,)
    if sure:
        return sure, (), ()
    guessed = tuple(dict.fromkeys(key.account for key in (old, new) if key.account is not None))
    if len(guessed) == 1:
        told = f"the owner account `{guessed[0]}` is inferred from the policy; pass --account to say which it is"
        return guessed, (told,), ()
    both = new._replace(account=None, policies=(*old.policies, *new.policies))
    return owners_of(both), ("the owner account is not known; pass --account to say which it is",), ()


def _is_of(gain: Gain, owners: Sequence[str | None]) -> bool:
    return identify(gain.witness.principal).account in owners


def _perhaps(gains: Gains) -> Iterator[str]:
    for gain in gains.found:
        who = ", ".join(gain.principals)
        yield f"if the owner is an account that the policies do not name: {who} may newly call kms:{', kms:'.join(gain.actions[:5])}"


# what the comparison rests on


def _context_doubts(old: Key, new: Key) -> tuple[str, ...]:
    """Facts of the key that changed and that its policies ask about: the old policy was about the old value."""
    asked = {
        condition.key.lower()
        for named in (*old.policies, *new.policies)
        for statement in named.policy.statements
        for condition in statement.conditions
    }
    before, after = old.context()._asdict(), new.context()._asdict()
    return tuple(
        f"the key's {what} changed, and its policy asks about them; kmslint diff compares policies of a key that stays as it is"
        for field, what, keys in _CONTEXT
        if before[field] != after[field] and any(name.startswith(keys) for name in asked)
    )


_CONTEXT: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("tags", "tags", ("aws:resourcetag/",)),
    ("aliases", "aliases", ("kms:resourcealiases", "kms:requestalias")),
    ("spec", "spec", ("kms:keyspec", "kms:customermasterkeyspec")),
    ("usage", "usage", ("kms:keyusage", "kms:customermasterkeyusage")),
    ("origin", "origin", ("kms:keyorigin",)),
    ("multi_region", "multi-Region setting", ("kms:multiregion",)),
)


def _symbols(old: Key, new: Key) -> Iterator[str]:
    """The values that both sides leave open: what a name stands for is taken to be the same before and after."""
    after = set(_open_names(new))
    for name in dict.fromkeys(name for name in _open_names(old) if name in after):
        yield f"`{name}` stands for the same value before and after"


def _open_names(key: Key) -> Iterator[str]:
    for named in key.policies:
        for statement in named.policy.statements:
            values: list[object] = [entry.value for entry in statement.principals or ()]
            values += [item.value for item in (*(statement.actions or ()), *(statement.resources or ()))]
            values += [item.value for condition in statement.conditions for item in condition.values]
            if statement.unknown:
                values += _leaves(statement.node)
            for value in values:
                parts = value.parts if isinstance(value, Template) else (value,)
                yield from (part.name for part in parts if isinstance(part, Symbol) and part.own is None)


def _leaves(node: Node) -> Iterator[object]:
    stack = [node]
    while stack:
        here = stack.pop()
        inside = [member.value for member in here.members()] or list(here.items())
        stack += inside
        if not inside:
            yield here.value


# added keys


def _added(new: Key, id: str) -> Change:
    """A key that is only on the new side: what it allows beyond the policy that KMS gives a key when none is stated."""
    change = Change(id, ADDED, None, new, NO_NEW_ACCESS)
    if new.policies_unread is not None:
        return _open(change, (new.policies_unread,))
    owners = owners_of(new) if new.account is None else (new.account,)
    if len(owners) > MAX_OWNERS:
        return _open(change, (ASK_OWNER,))
    if new.account is None:
        change = change._replace(assumptions=("the owner account is not known; pass --account to say which it is",))
    elif new.account_source == "inferred":
        change = change._replace(assumptions=(f"the owner account `{new.account}` is inferred from the policy; pass --account",))
    answers = [_beyond_default(new, owner) for owner in owners]
    if any(bool(refs) != bool(answers[0][1]) for _, refs in answers):
        return _open(change, (ASK_OWNER,))
    pair, refs = answers[0]
    if not refs:
        told = "a new key; it allows nothing beyond what KMS lets the owner's IAM policies decide by default"
        return change._replace(relation=NARROWER, reasons=(told,))
    gains = find_gains((), only(pair.new, refs), pair.context, pair.named)
    doubts = ("a new key: compared with no key, all that it allows beyond the default policy is new",)
    return _answered(change, new, new, gains, Gains(), doubts)._replace(relation=None)


def _beyond_default(new: Key, owner: str) -> tuple[_Pair, tuple[StatementRef, ...]]:
    pair = _pair(new._replace(policies=()), new, owner)
    return pair, _refs(_default_policies(pair.context, owner), pair.new, pair.context)


def _default_policies(context: KeyContext, owner: str) -> tuple[Policy, ...]:
    """Source: KMS Developer Guide, "Default key policy", for a key that is created by a program."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{context.partition}:iam::{owner}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy, _ = parse_policy(from_python({"Version": "2012-10-17", "Statement": [statement]}))
    return (policy,)


# places


class _Roles(NamedTuple):
    """What a report calls the statements that decide: the Allow, the Deny of the other side, the Deny that took its place."""

    allow: str
    deny: str
    successor: str


_GAINED: Final = _Roles("allows it", "denied it before", "no longer denies it")
_LOST: Final = _Roles("allowed it", "denies it now", "did not deny it")


def _access(gain: Gain, allowing: Key, other: Key, roles: _Roles) -> Access:
    """Access of one side with its places: a Deny of the other side comes first, for it is the cause."""
    statement = _statement(allowing, gain.statement)
    places: list[tuple[Location, str]] = []
    for ref in gain.denied_by:
        places += _denial(ref, allowing, other, roles)
    places += _located(allowing, gain.statement, roles.allow)
    return Access(gain, tuple(places), () if statement is None else tuple(_told(statement)))


def _denial(ref: StatementRef, allowing: Key, other: Key, roles: _Roles) -> Iterator[tuple[Location, str]]:
    """The Deny that stops it on the other side, after the Deny of the same Sid on this side, which does not."""
    denied = _statement(other, ref)
    if denied is None:
        return
    for place, named in enumerate(allowing.policies):
        for one in named.policy.statements:
            if one.effect == "Deny" and denied.sid is not None and one.sid == denied.sid:
                yield from _located(allowing, StatementRef(place, one.index), roles.successor)
    yield from _located(other, ref, roles.deny)


def _located(key: Key, ref: StatementRef, role: str) -> list[tuple[Location, str]]:
    statement = _statement(key, ref)
    if statement is None:
        return []
    at = _pointer(key.policies[ref.policy].policy.node, statement)
    return [(statement.node.locate(at, statement=statement.index, sid=statement.sid), role)]


def _statement(key: Key, ref: StatementRef) -> Statement | None:
    if ref.policy >= len(key.policies):
        return None
    statements = key.policies[ref.policy].policy.statements
    return next((one for one in statements if one.index == ref.statement), None)


def _pointer(node: Node | None, statement: Statement) -> str:
    listed = None if node is None else node.member("Statement")
    return pointer("Statement") if listed is not None and listed.kind != ARRAY else pointer("Statement", statement.index)


def _told(statement: Statement) -> Iterator[str]:
    for condition in statement.conditions:
        values = ", ".join(str(item.value) for item in condition.values)
        yield f"{condition.operator} {condition.key} = {values}"
