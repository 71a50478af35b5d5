"""The statements of a key and the findings that stand at them."""

from collections.abc import Iterator

from kmslint.engine.finding import Finding
from kmslint.model.key import NOT_IN_SOURCE, Key, KeyPolicy, Unknown
from kmslint.policy.document import Item, Statement
from kmslint.policy.request import Request
from kmslint.reason.answer import StatementRef, Undetermined
from kmslint.tree import Node, Template, Value, from_python
from kmslint.typed import NamedTuple

FAIL = "FAIL"
UNDETERMINED = "UNDETERMINED"
NOT_APPLICABLE = "NOT_APPLICABLE"
MANUAL = "MANUAL"


class Place(NamedTuple):
    """One statement of one policy of a key. `number` is the policy's index, as `StatementRef.policy` counts."""

    number: int
    policy: KeyPolicy
    statement: Statement

    def ref(self) -> StatementRef:
        """The statement as `reason` refers to it."""
        return StatementRef(self.number, self.statement.index)

    def finding(
        self,
        message: str,
        *,
        outcome: str = FAIL,
        severity: str | None = None,
        node: Node | None = None,
        help: str | None = None,
        reason: str | None = None,
        witness: Request | None = None,
    ) -> Finding:
        """A finding at this statement, or at `node` within it."""
        return Finding(
            outcome=outcome,
            message=message,
            severity=severity,
            policy=self.policy.name,
            statement=self.statement.index if self.statement.index >= 0 else None,
            node=node or self.statement.node,
            help=help,
            reason=reason,
            witness=witness,
        )

    def unresolved(self, message: str, value: Value, *, severity: str | None = None, node: Node | None = None) -> Finding:
        """An UNDETERMINED finding about a value that a template leaves open: some text for it would fail."""
        return self.undetermined(message, f"{quoted(value)} could not be resolved", severity=severity, node=node)

    def undetermined(self, message: str, reason: str, *, severity: str | None = None, node: Node | None = None) -> Finding:
        """An UNDETERMINED finding at this statement."""
        return self.finding(message, outcome=UNDETERMINED, severity=severity, node=node, reason=reason)


def statements(key: Key, effect: str | None = None) -> Iterator[Place]:
    """Every statement of every policy of `key`, in order; with `effect` only those that say so."""
    for number, policy in enumerate(key.policies):
        for statement in policy.policy.statements:
            if effect is None or statement.effect == effect:
                yield Place(number, policy, statement)


def at(key: Key, ref: StatementRef) -> Place:
    """The place that `reason` refers to. A policy that is unknown as a whole has no statement there, and index -1."""
    policy = key.policies[ref.policy]
    found = policy.policy.statements
    if 0 <= ref.statement < len(found):
        return Place(ref.policy, policy, found[ref.statement])
    nowhere = policy.policy.node or from_python(None)
    return Place(ref.policy, policy, Statement(-1, None, None, None, None, None, (), nowhere))


def quoted(value: Value) -> str:
    """User text as a message shows it: in backticks, shortened past 120 characters."""
    text = str(value)
    shown = text if len(text) <= 120 else text[:117] + "…"
    return "`" + shown.replace("`", "'") + "`"


def literal(value: Value) -> str | None:
    """The text of a resolved value; None for one with an unresolved part."""
    return None if isinstance(value, Template) else value


def named(statement: Statement) -> tuple[Item, ...]:
    """The Action or NotAction entries; () when the element is missing."""
    return statement.actions or ()


def causes(answer: Undetermined) -> str:
    """Why an answer is open, as one sentence."""
    return "; ".join(dict.fromkeys(cause.text for cause in answer.causes)) or "the search did not decide it"


def missing(key: Key, name: str, what: str) -> Finding | None:
    """The finding that says why a fact cannot be judged; None if it was read (or is known to be absent)."""
    fact = key.fact(name)
    if not isinstance(fact, Unknown):
        return None
    outcome = NOT_APPLICABLE if fact.kind == NOT_IN_SOURCE else UNDETERMINED
    return Finding(outcome=outcome, message=f"{what} was not read", fact=name, reason=fact.reason)
