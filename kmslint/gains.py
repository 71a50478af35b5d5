"""Who gains what when a key's policies change: the answers of `find_new_access`, grouped for a reader.

Every action and every principal that is listed was shown by a request of its own, replayed by `evaluate` against the policies
before and after. What is not listed is proven not to be new, unless `Gains.open` says that it is not settled.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from kmslint.aws.condition_keys import presence_on
from kmslint.policy.document import Policy, Statement
from kmslint.policy.evaluate import ALLOW, EXPLICIT_DENY, evaluate
from kmslint.policy.narrower import is_narrower, is_same_policy, meaning
from kmslint.policy.parse import parse_statements
from kmslint.policy.principals import DIRECT, FEDERATED, ROLE, ROOT, SERVICE, USER, identify
from kmslint.policy.request import KeyContext, Request
from kmslint.reason import actionset
from kmslint.reason.answer import BUDGET, Answer, Cause, StatementRef, Undetermined, Violated
from kmslint.reason.query import find_new_access_by_statement
from kmslint.tree import from_python
from kmslint.typed import Final, NamedTuple

PUBLIC: Final = "public"
CROSS_ACCOUNT: Final = "cross-account"
SERVICES: Final = "service"
OWN_ACCOUNT: Final = "own-account"
STRENGTHENED: Final = "grant-strengthened"
ANY: Final = "any"
"""In a doubt: nothing is known of the kind."""

MAX_QUESTIONS: Final = 240
"""Questions asked to group the gains of one change. Past it a group says that it may have more members."""

MAX_PRINCIPALS: Final = 12
"""Principals listed in one group; it says that there are more."""

ANY_ACCOUNT: Final = "any account that the policy does not name"

_KINDS: Final = "URFTS"


class Named(NamedTuple):
    """What the policies before and after name, and the stand-in for an address of nobody: what "public" is measured by."""

    accounts: tuple[str, ...]
    organizations: tuple[str, ...]
    userids: tuple[str, ...]
    stranger_ip: str


class Gain(NamedTuple):
    """One group of newly allowed requests: who may call what, by which statement, and why it is new.

    `actions` are without `kms:`. `denied_by` are the statements of the old policies that denied it. `external` says that it
    reaches beyond the owner's account; `more` that the lists of principals and actions may be cut.
    """

    kind: str
    principals: tuple[str, ...]
    actions: tuple[str, ...]
    witness: Request
    statement: StatementRef
    denied_by: tuple[StatementRef, ...]
    external: bool
    more: bool = False


class Doubt(NamedTuple):
    """A kind of access of which it is not settled whether there is any that is new, with the reasons."""

    kind: str
    reasons: tuple[str, ...]
    statement: StatementRef | None = None


class Gains(NamedTuple):
    """All new access, and what is open. Both empty: proven that there is none."""

    found: tuple[Gain, ...] = ()
    open: tuple[Doubt, ...] = ()


class _Part(NamedTuple):
    """One principal with one group of actions: a gain before it is joined with others."""

    kind: str
    principal: str
    actions: tuple[str, ...]
    witness: Request
    statement: StatementRef
    denied_by: tuple[StatementRef, ...]
    external: bool
    more: bool = False
    asked: str = ""
    """The kind that was asked about: `kind` but for STRENGTHENED."""


def find_gains(old: Sequence[Policy], new: Sequence[Policy], key: KeyContext, named: Named) -> Gains:
    """What `new` allows and `old` does not, or allows directly where `old` only delegated to IAM policies.

    Statement references of gains count within `new`, those of `denied_by` within `old`.
    """
    asked = changed_allows(old, new)
    if asked is None:
        return Gains()
    answers = find_new_access_by_statement(old, asked, key)
    if not answers:
        return Gains()
    if any(policy.unknown for policy in (*old, *asked)):
        return Gains(open=tuple(Doubt(ANY, _texts(answer.causes)) for _, answer in answers if isinstance(answer, Undetermined)))
    return _Grouping(tuple(old), only(asked, {ref for ref, _ in answers}), key, named).gains(answers)


def admitting(old: Sequence[Policy], new: Sequence[Policy], key: KeyContext) -> tuple[StatementRef, ...]:
    """The Allows of `new` that admit, or may admit, what `old` does not."""
    return tuple(ref for ref, _ in find_new_access_by_statement(old, new, key))


def changed_allows(old: Sequence[Policy], new: Sequence[Policy]) -> tuple[Policy, ...] | None:
    """`new` without the Allows that plainly admit nothing new; None when none is left.

    Where every old Deny still stands, in full or wider, an Allow that says no more than an old one cannot admit anything new.
    """
    if len(old) == len(new) and all(is_same_policy(one, other) for one, other in zip(old, new, strict=True)):
        return None
    if any(policy.unknown for policy in (*old, *new)) or not _keeps_denies(old, new):
        return tuple(new)
    before = [said for said in _said(old) if said.statement.effect == "Allow"]
    known = {said.meaning for said in before}
    kept = {
        said.ref
        for said in _said(new)
        if said.statement.effect != "Deny" and said.meaning not in known and not any(_says_less(said, than) for than in before)
    }
    return only(new, kept) if kept else None


class _Said(NamedTuple):
    """A statement with what two statements must share to say the same: also what `${…}` means in their policies."""

    ref: StatementRef
    statement: Statement
    has_variables: bool
    meaning: object


def _said(policies: Sequence[Policy]) -> list[_Said]:
    return [
        _Said(StatementRef(place, one.index), one, policy.has_variables(), (policy.has_variables(), meaning(one)))
        for place, policy in enumerate(policies)
        for one in policy.statements
    ]


def _says_less(said: _Said, than: _Said) -> bool:
    return said.has_variables == than.has_variables and is_narrower(said.statement, than.statement)


def _keeps_denies(old: Sequence[Policy], new: Sequence[Policy]) -> bool:
    """Whether every statement of `old` that may deny stands in `new`, in full or wider."""
    after = [said for said in _said(new) if said.statement.effect == "Deny"]
    known = {said.meaning for said in after}
    return all(
        said.meaning in known or (said.statement.effect == "Deny" and any(_says_less(said, than) for than in after))
        for said in _said(old)
        if said.statement.effect != "Allow"
    )


def only(policies: Sequence[Policy], refs: Iterable[StatementRef]) -> tuple[Policy, ...]:
    """The policies with these Allows and all Denies."""
    kept = set(refs)
    return tuple(
        policy._replace(statements=tuple(one for one in policy.statements if one.effect == "Deny" or (place, one.index) in kept))
        for place, policy in enumerate(policies)
    )


class _Grouping:
    """Asks the one question again, of fewer and fewer requests, until it is known who gains what."""

    def __init__(self, old: tuple[Policy, ...], new: tuple[Policy, ...], key: KeyContext, named: Named) -> None:
        self.old = old
        self.new = new
        self.key = key
        self.named = named
        self.left = MAX_QUESTIONS
        self.single: dict[StatementRef, tuple[Policy, ...]] = {}
        self.taken: dict[StatementRef, set[str]] = {}
        """Actions that a statement opens to everybody: that it opens them to somebody is no news."""
        statements = [one for policy in (*old, *new) for one in policy.statements]
        self.statements = statements
        self.keys = sorted({condition.key.lower() for one in statements for condition in one.conditions})

    def gains(self, answers: Sequence[tuple[StatementRef, Answer]]) -> Gains:
        """The groups, the gravest kinds first. Nothing of `answers`, which say that there is new access, gets lost."""
        parts: list[_Part] = []
        doubts: list[Doubt] = []
        for kind, conditions in self._kinds():
            for found in self._of_kind(kind, conditions):
                (parts if isinstance(found, _Part) else doubts).append(found)  # type: ignore[arg-type]
        seen = {part.statement for part in parts} | {doubt.statement for doubt in doubts}
        for ref, answer in answers:
            if ref not in seen and isinstance(answer, Violated):
                parts.append(self._unsorted(ref, answer.witness))
            elif ref not in seen and isinstance(answer, Undetermined):
                doubts.append(Doubt(OWN_ACCOUNT, _texts(answer.causes), ref))
        return Gains(tuple(_joined(parts, self._replays)), tuple(_unanswered(doubts, parts)))

    # the kinds of callers

    def _kinds(self) -> Iterator[tuple[str, dict[str, dict[str, object]]]]:
        """Each kind with the conditions that describe its requests; together they describe all."""
        people: dict[str, object] = {"aws:PrincipalIsAWSService": "false"}
        yield PUBLIC, self._stranger()
        if self.key.account is None:
            yield CROSS_ACCOUNT, {"Bool": people}
        else:
            yield CROSS_ACCOUNT, {"Bool": people, "StringNotEquals": {"aws:PrincipalAccount": self.key.account}}
        yield SERVICES, {"Bool": {"aws:PrincipalIsAWSService": "true"}}
        if self.key.account is not None:
            yield OWN_ACCOUNT, {"Bool": people, "StringEquals": {"aws:PrincipalAccount": self.key.account}}

    def _stranger(self) -> dict[str, dict[str, object]]:
        """As the rule public-access: a stranger's own call, from anywhere, of an account and organization named nowhere."""
        conditions: dict[str, dict[str, object]] = {
            "StringNotEquals": {"aws:PrincipalOrgID": [*self.named.organizations, "${aws:ResourceOrgID}"]},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
            "Null": {"kms:ViaService": "true", "aws:SourceVpce": "true"},
            "IpAddress": {"aws:SourceIp": self.named.stranger_ip},
        }
        if self.named.accounts:
            conditions["StringNotEquals"]["aws:PrincipalAccount"] = list(self.named.accounts)
        if self.named.userids:
            conditions["StringNotLike"] = {"aws:userid": list(self.named.userids)}
        return conditions

    def _of_kind(self, kind: str, conditions: Mapping[str, dict[str, object]]) -> Iterator[_Part | Doubt]:
        """The parts of one kind: one group of actions after the other, until no new request of the kind is left."""
        remaining = list(actionset.NAMES)
        while remaining:
            answers = self._ask(self.new, conditions, remaining)
            violated = [(ref, answer.witness) for ref, answer in answers if isinstance(answer, Violated)]
            for ref, answer in answers:
                if isinstance(answer, Undetermined):
                    yield Doubt(kind, _texts(answer.causes), ref)
            if not violated:
                return
            group = self._group(violated[0][1].action.partition(":")[2], remaining)
            for ref, witness in violated:
                if witness.action.partition(":")[2] in group:
                    yield from self._of_statement(kind, conditions, ref, witness, group)
            remaining = [name for name in remaining if name not in group]

    def _of_statement(
        self, kind: str, conditions: Mapping[str, dict[str, object]], ref: StatementRef, witness: Request, group: Sequence[str]
    ) -> Iterator[_Part]:
        taken = self.taken.setdefault(ref, set())
        actions = tuple(name for name in group if name not in taken and self._replays(ref, witness, name))
        if not actions:
            return
        if kind == PUBLIC:
            taken.update(actions)
            yield self._part(kind, "any AWS principal", actions, ref, witness)
            return
        yield from self._by_principal(kind, conditions, ref, witness, actions)

    # actions

    def _group(self, action: str, remaining: Sequence[str]) -> tuple[str, ...]:
        """The actions that no statement and no condition key tells from `action`."""
        wanted = self._signature(action)
        return tuple(name for name in remaining if name == action or self._signature(name) == wanted)

    def _signature(self, action: str) -> tuple[object, ...]:
        bit = 1 << actionset.NAMES.index(action)
        matched = tuple(bool(actionset.mask(one, upper=upper) & bit) for one in self.statements for upper in (True, False))
        present = tuple(presence_on(key, kind, action) for key in self.keys for kind in _KINDS)
        sets = (actionset.CROSS_ACCOUNT, actionset.MAYBE_CROSS_ACCOUNT, actionset.CERTAIN)
        return matched, present, tuple(bool(mask & bit) for mask in sets)

    def _replays(self, ref: StatementRef, witness: Request, action: str) -> bool:
        """Whether the witness shows new access with another action too."""
        request = witness._replace(action=f"kms:{action}")
        before, after = evaluate(self.old, request), evaluate(self._alone(ref), request)
        return after.must and (not before.may or (after.grant == DIRECT and before.grant != DIRECT))

    # principals

    def _by_principal(
        self, kind: str, conditions: Mapping[str, dict[str, object]], ref: StatementRef, first: Request, actions: tuple[str, ...]
    ) -> Iterator[_Part]:
        """One part for each principal, asked for until there is no other."""
        excluded: dict[str, dict[str, list[str]]] = {}
        witness: Request | None = first
        for _ in range(MAX_PRINCIPALS):
            if witness is None:
                return
            name, exclusion = self._principal(witness)
            yield self._part(kind, name, actions, ref, witness)
            if exclusion is None:
                return
            operator, key, values = exclusion
            excluded.setdefault(operator, {}).setdefault(key, []).extend(values)
            if self.left <= 0:
                break
            answers = self._ask(self._alone(ref), _with(conditions, excluded), actions)
            witness = next((answer.witness for _, answer in answers if isinstance(answer, Violated)), None)
        if witness is not None:
            yield self._part(kind, self._principal(witness)[0], actions, ref, witness)._replace(more=True)

    def _principal(self, witness: Request) -> tuple[str, tuple[str, str, list[str]] | None]:
        """What the caller of a witness stands for, and the condition that leaves it out; None when nothing is left then."""
        identity = identify(witness.principal)
        if identity.kind == SERVICE:
            if self._names(identity.text):
                return identity.text, ("StringNotEquals", "aws:PrincipalServiceName", [identity.text])
            return "any AWS service", None
        if identity.account is None or (identity.account not in self.named.accounts and identity.account != self.key.account):
            return ANY_ACCOUNT, ("StringEquals", "aws:PrincipalAccount", list(self.named.accounts))
        if identity.kind == FEDERATED and self._names(witness.parent):
            return f"{witness.parent}", ("ArnNotLike", "aws:PrincipalArn", [identity.text.rpartition("/")[0] + "/*"])
        arn = witness.context.get("aws:principalarn")
        if isinstance(arn, str) and self._names(arn):
            return arn, ("ArnNotEquals", "aws:PrincipalArn", [arn])
        owner = " (the owner)" if identity.account == self.key.account else ""
        return f"account {identity.account}{owner}", ("StringNotEquals", "aws:PrincipalAccount", [identity.account])

    def _names(self, principal: str | None) -> bool:
        """Whether a Principal element, before or after, names it."""
        return any(entry.value == principal for one in self.statements for entry in one.principals or ())

    # parts

    def _part(self, kind: str, principal: str, actions: tuple[str, ...], ref: StatementRef, witness: Request) -> _Part:
        before = evaluate(self.old, witness)
        denied_by = tuple(StatementRef(*one) for one in before.matched) if before.decision == EXPLICIT_DENY else ()
        external = kind in {PUBLIC, CROSS_ACCOUNT}
        if kind == SERVICES and self._serves_others(ref, actions, principal):
            principal, external = f"{principal} (on behalf of any account)", True
        found = STRENGTHENED if before.decision == ALLOW else kind
        return _Part(found, principal, actions, witness, ref, denied_by, external, more=self.left <= 0, asked=kind)

    def _serves_others(self, ref: StatementRef, actions: tuple[str, ...], principal: str) -> bool:
        """Whether the service gains the call on behalf of another account than the owner's (the confused deputy)."""
        conditions: dict[str, dict[str, object]] = {"Bool": {"aws:PrincipalIsAWSService": "true"}}
        if self.key.account is not None:
            conditions["StringNotEquals"] = {"aws:SourceAccount": self.key.account}
        if principal != "any AWS service":
            conditions["StringEquals"] = {"aws:PrincipalServiceName": principal}
        answers = self._ask(self._alone(ref), conditions, actions)
        return any(isinstance(answer, Violated) for _, answer in answers)

    def _unsorted(self, ref: StatementRef, witness: Request) -> _Part:
        """A witness that no kind claimed: told by its caller."""
        identity = identify(witness.principal)
        if identity.kind == SERVICE:
            kind = SERVICES
        elif identity.kind in {USER, ROLE, FEDERATED, ROOT} and identity.account == self.key.account:
            kind = OWN_ACCOUNT
        else:
            kind = CROSS_ACCOUNT
        return self._part(kind, self._principal(witness)[0], (witness.action.partition(":")[2],), ref, witness)._replace(
            more=True
        )

    # asking

    def _alone(self, ref: StatementRef) -> tuple[Policy, ...]:
        """The new policies with one Allow: the same objects each time, so that what is learnt of them is kept."""
        found = self.single.get(ref)
        if found is None:
            found = self.single[ref] = only(self.new, (ref,))
        return found

    def _ask(
        self, new: tuple[Policy, ...], conditions: Mapping[str, Mapping[str, object]], actions: Sequence[str]
    ) -> tuple[tuple[StatementRef, Answer], ...]:
        if self.left <= 0:
            told = f"more than {MAX_QUESTIONS} questions would be needed to tell the groups of new access apart"
            return ((StatementRef(0, -1), Undetermined((Cause(BUDGET, told),))),)
        self.left -= 1
        described = _statement(conditions, tuple(actions))
        return find_new_access_by_statement(self.old, new, self.key, described)


def _statement(conditions: Mapping[str, Mapping[str, object]], actions: tuple[str, ...]) -> tuple[Statement, ...]:
    """The described set: any principal, these actions, under these conditions."""
    listed = list({f"kms:{name}": None for name in actions})
    block = {operator: dict(keys) for operator, keys in conditions.items()}
    parsed, _ = parse_statements(from_python({"Principal": "*", "Action": listed, "Condition": block}))
    return parsed


def _with(
    conditions: Mapping[str, Mapping[str, object]], more: Mapping[str, Mapping[str, list[str]]]
) -> dict[str, dict[str, object]]:
    """The conditions with more of them. A list under a negated operator that is there already grows."""
    found: dict[str, dict[str, object]] = {operator: dict(keys) for operator, keys in conditions.items()}
    for operator, keys in more.items():
        table = found.setdefault(operator, {})
        for key, values in keys.items():
            before = table.get(key, [])
            table[key] = [*(before if isinstance(before, list) else [before]), *values]
    return found


def _texts(causes: Iterable[Cause]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cause.text for cause in causes))


def _unanswered(doubts: Iterable[Doubt], parts: Sequence[_Part]) -> Iterator[Doubt]:
    """The doubts, each once, without those about what a statement does when it is known to do as bad or worse."""
    for doubt in dict.fromkeys(doubts):
        if not any(part.statement == doubt.statement and part.asked in {PUBLIC, doubt.kind} for part in parts):
            yield doubt


def _joined(parts: Sequence[_Part], replays: Callable[[StatementRef, Request, str], bool]) -> Iterator[Gain]:
    """Parts of one kind and statement as few gains: principals that gain the same actions together, then actions of the same.

    The witness of a gain shows new access with each of its actions.
    """
    by_actions: dict[tuple[object, ...], list[_Part]] = {}
    for part in parts:
        by_actions.setdefault((_source(part), part.actions), []).append(part)
    gains: dict[tuple[object, ...], list[Gain]] = {}
    for group in by_actions.values():
        gain = _gain(group)
        told = gains.setdefault((_source(group[0]), gain.principals), [])
        for place, other in enumerate(told):
            if all(replays(other.statement, other.witness, name) for name in gain.actions):
                actions = _in_order(dict.fromkeys((*other.actions, *gain.actions)))
                told[place] = other._replace(actions=actions, more=other.more or gain.more)
                break
        else:
            told.append(gain)
    for told in gains.values():
        yield from told


def _gain(group: Sequence[_Part]) -> Gain:
    """The parts of one source and the same actions as one gain."""
    first = group[0]
    principals = tuple(_plainer(dict.fromkeys(part.principal for part in group)))
    more = any(part.more for part in group)
    return Gain(first.kind, principals, first.actions, first.witness, first.statement, first.denied_by, first.external, more)


def _source(part: _Part) -> tuple[object, ...]:
    """What parts that are told together have in common."""
    return part.kind, part.statement, part.denied_by, part.external


def _plainer(principals: Iterable[str]) -> Iterator[str]:
    """Without the users and roles of an account that is listed as a whole."""
    listed = tuple(principals)
    whole = {name.split()[1] for name in listed if name.startswith("account ")}
    return (name for name in listed if not (name.startswith("arn:") and name.split(":")[4] in whole))


def _in_order(actions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(actions, key=actionset.NAMES.index))
