"""The four kinds of block, each asked of one key: findings, or none for PASS."""

from collections.abc import Iterable, Iterator

from kmslint.engine import facts, message
from kmslint.engine.finding import FAIL, NOT_APPLICABLE, PASS, UNDETERMINED, Finding
from kmslint.engine.predicates import PREDICATES
from kmslint.engine.rule import EVERY, POLICY, Block, Check, Facts, Forbid, Options, Require, Rule, Table
from kmslint.engine.variables import describe, resolve
from kmslint.model.key import FACTS, NOT_IN_SOURCE, UNREAD, Absent, Fact, Key, Known, Unknown
from kmslint.model.settings import Settings
from kmslint.policy.document import Policy, Statement
from kmslint.policy.request import Request
from kmslint.reason.answer import Cause, Proven, StatementRef, Undetermined, Violated
from kmslint.reason.query import D11, find_allowed, find_allowed_by_statement, find_not_allowed
from kmslint.tree import Symbol, Template
from kmslint.typed import Final, NamedTuple, assert_never

_FORBIDDEN: Final = "{witness.principal} may call {witness.action}"
_DELEGATED: Final = "depends on IAM policies, which were not read"
_OPEN: Final = "whether such a request is allowed is not settled"


class Asked(NamedTuple):
    """One key with what its questions are asked under."""

    rule: Rule
    key: Key
    settings: Settings

    def policies(self) -> tuple[Policy, ...]:
        """The key's policies, in the order that a `StatementRef` counts."""
        return tuple(named.policy for named in self.key.policies)

    def statement(self, ref: StatementRef) -> Statement | None:
        """The statement that `ref` names; None for a policy as a whole."""
        statements = self.key.policies[ref.policy].policy.statements
        return next((statement for statement in statements if statement.index == ref.statement), None)

    def scope(self, ref: StatementRef | None = None, witness: Request | None = None) -> message.Scope:
        """What a message about this key, and this statement of it, may speak of."""
        if ref is None:
            return message.Scope(self.key, self.settings, witness=witness)
        return message.Scope(self.key, self.settings, self.key.policies[ref.policy].name, self.statement(ref), witness)


def ask(block: Block, asked: Asked) -> Iterator[Finding]:
    """What `block` finds on the key, with severity, message and help filled in from the block. None says PASS.

    A PASS finding carries what the proof assumes.
    """
    options = block.options
    applicability = judge_when(options.when, options.otherwise, asked)
    if applicability is not None:
        yield applicability
        return
    match block:
        case Forbid():
            found: Iterable[Finding] = _forbid(block, asked)
        case Require():
            found = _require(block, asked)
        case Facts():
            found = _facts(block, asked)
        case Check():
            found = _check(block, asked)
        case _:
            assert_never(block)
    for finding in found:
        yield _complete(finding, options, asked)


def judge_when(when: Table | None, otherwise: str | None, asked: Asked) -> Finding | None:
    """Why a rule or block does not apply (NOT_APPLICABLE), or whether it does is open (UNDETERMINED); None when it applies.

    A fact that the source never carries counts as missing here: code does not say whether a key waits for its deletion, and
    its other facts are judged all the same. A rule that cannot do without one lists it in `needs`.
    """
    if when is None:
        return None
    judgement = facts.judge(_schema(when, asked), lambda name: _missing_if_not_in_source(asked.key.fact(name)))
    if judgement.truth is True:
        return None
    if judgement.truth is None:
        return _unknown_facts(judgement.facts, asked.key)
    stated = ", ".join(f"{name} is {facts.shown(asked.key.fact(name))}" for name in judgement.facts)
    why = message.sentence(otherwise, asked.scope()) if otherwise else f"it does not apply: {stated}"
    return Finding(NOT_APPLICABLE, why, reason=why)


def _missing_if_not_in_source(fact: Fact) -> Fact:
    return Absent() if isinstance(fact, Unknown) and fact.kind == NOT_IN_SOURCE else fact


def severity_of(options: Options, asked: Asked) -> str:
    """The severity of a block's finding: the configured one of the rule, else under `strict` the block's strict one, else its own."""
    configured = asked.settings.severity.get(asked.rule.id)
    if configured is not None:
        return configured
    strict = options.strict_severity if asked.settings.strict else None
    return strict or options.severity or asked.rule.severity


def reasons(causes: Iterable[Cause]) -> str:
    """Why an answer is open, as one sentence."""
    texts = tuple(dict.fromkeys(cause.text for cause in causes))
    shown = "; ".join(texts[:5]) or "the search did not settle it"
    return shown if len(texts) <= 5 else f"{shown}; and {len(texts) - 5} more"


def _forbid(block: Forbid, asked: Asked) -> Iterator[Finding]:
    described = describe(block.statements, asked.key, asked.settings, f"rule {asked.rule.id}")
    if not described:
        return
    context = asked.key.context()
    if block.per == "key":
        answer = find_allowed(asked.policies(), described, context, grant=block.grant)
        ref = answer.statements[0] if isinstance(answer, (Violated, Undetermined)) and answer.statements else None
        yield _forbidden(ref, answer, block, asked)
        return
    found = find_allowed_by_statement(asked.policies(), described, context, grant=block.grant)
    for ref, answer in found:
        yield _forbidden(ref, answer, block, asked)
    if not found:
        yield Finding(PASS, "", assumptions=(D11,))


def _forbidden(ref: StatementRef | None, answer: Proven | Violated | Undetermined, block: Forbid, asked: Asked) -> Finding:
    template = block.options.message or _FORBIDDEN
    match answer:
        case Violated():
            told = message.sentence(template, asked.scope(ref, answer.witness))
            return _at(ref, asked, Finding(FAIL, told, witness=answer.witness, assumptions=answer.assumptions))
        case Undetermined():
            told = _OPEN
            if answer.candidate is not None:
                told += f": {message.sentence(_FORBIDDEN, asked.scope(ref, answer.candidate))} perhaps"
            return _at(ref, asked, Finding(UNDETERMINED, told, reason=reasons(answer.causes)))
        case Proven():
            return Finding(PASS, "", assumptions=answer.assumptions)
        case _:
            assert_never(answer)


def _require(block: Require, asked: Asked) -> Iterator[Finding]:
    described = describe(block.statements, asked.key, asked.settings, f"rule {asked.rule.id}")
    if not described:
        yield Finding(NOT_APPLICABLE, "no request is required", reason="no request is required")
        return
    require = _require_every if block.quantifier == EVERY else _require_some
    yield require(block, described, asked)


def _require_every(block: Require, described: tuple[Statement, ...], asked: Asked) -> Finding:
    answer = find_not_allowed(asked.policies(), described, asked.key.context(), grant=block.grant)
    match answer:
        case Violated():
            told = message.sentence(
                block.options.message or "{witness.principal} may not call {witness.action}", asked.scope(None, answer.witness)
            )
            return Finding(FAIL, told, witness=answer.witness, assumptions=answer.assumptions)
        case Undetermined():
            return Finding(UNDETERMINED, "whether every such request is allowed is not settled", reason=reasons(answer.causes))
        case Proven():
            directly = find_not_allowed(asked.policies(), described, asked.key.context(), grant="direct")
            return _satisfied(answer.assumptions, is_direct=isinstance(directly, Proven) or block.grant != "any")
        case _:
            assert_never(answer)


def _require_some(block: Require, described: tuple[Statement, ...], asked: Asked) -> Finding:
    answer = find_allowed(asked.policies(), described, asked.key.context(), grant=block.grant)
    match answer:
        case Violated():
            directly = find_allowed(asked.policies(), described, asked.key.context(), grant="direct")
            return _satisfied(answer.assumptions, is_direct=isinstance(directly, Violated) or block.grant != "any")
        case Undetermined():
            return Finding(UNDETERMINED, "whether any such request is allowed is not settled", reason=reasons(answer.causes))
        case Proven():
            told = message.sentence(block.options.message or "no such request is allowed", asked.scope())
            return Finding(FAIL, told, assumptions=answer.assumptions)
        case _:
            assert_never(answer)


def _satisfied(assumptions: tuple[str, ...], *, is_direct: bool) -> Finding:
    """PASS, or a notice where only the key policy's delegation to IAM allows what is required."""
    if is_direct:
        return Finding(PASS, "", assumptions=assumptions)
    return Finding(
        FAIL, f"what is required is allowed only through IAM: it {_DELEGATED}", severity="info", assumptions=assumptions
    )


def _facts(block: Facts, asked: Asked) -> Iterator[Finding]:
    judgement = facts.judge(_schema(block.schema, asked), asked.key.fact)
    if judgement.truth is True:
        return
    if judgement.truth is None:
        yield _unknown_facts(judgement.facts, asked.key)
        return
    name = block.fact or (judgement.facts[0] if judgement.facts else None)
    stated = ", ".join(f"{fact} is {facts.shown(asked.key.fact(fact))}" for fact in judgement.facts)
    told = message.sentence(block.options.message, asked.scope()) if block.options.message else stated
    yield Finding(FAIL, told, fact=name)


def _unknown_facts(names: tuple[str, ...], key: Key) -> Finding:
    """UNDETERMINED when one of the facts should have been read and was not, else NOT_APPLICABLE with the command that reads it.

    A fact that was read but holds an unresolved part (of a template) counts as one that should have been read.
    """
    missing = [(name, key.fact(name)) for name in names]
    unread = [f"{name}: {fact.reason}" for name, fact in missing if isinstance(fact, Unknown) and fact.kind == UNREAD]
    unread += [f"{name} could not be resolved" for name, fact in missing if isinstance(fact, Known)]
    listed = ", ".join(names)
    if unread:
        return Finding(UNDETERMINED, f"{listed} is not known", reason="; ".join(unread), fact=names[0])
    return not_in_source(names, key)


def not_in_source(names: tuple[str, ...], key: Key) -> Finding:
    """NOT_APPLICABLE: the source never carries these facts; names what reads them."""
    reason = "; ".join(dict.fromkeys(fact.reason for name in names if isinstance(fact := key.fact(name), Unknown)))
    commands = dict.fromkeys(FACTS[name] for name in names)
    return Finding(NOT_APPLICABLE, f"{', '.join(names)} was not read", reason=reason, command="; ".join(commands))


def _check(block: Check, asked: Asked) -> Iterator[Finding]:
    """What the predicate finds. Finding nothing is no PASS while a fact that the rule needs was not read."""
    params = resolve(block.params, asked.key, asked.settings)
    if not isinstance(params, dict):
        params = {}
    found = tuple(PREDICATES[block.predicate](asked.key, asked.settings, params))
    yield from found
    unread = tuple(name for name in asked.rule.needs if name != POLICY and not _is_readable(asked.key.fact(name)))
    if unread and not found:
        yield _unknown_facts(unread, asked.key)


def _is_readable(fact: Fact) -> bool:
    return not isinstance(fact, Unknown) and not (isinstance(fact, Known) and isinstance(fact.value, (Symbol, Template)))


def _schema(schema: Table, asked: Asked) -> Table:
    resolved = resolve(schema, asked.key, asked.settings)
    return resolved if isinstance(resolved, dict) else {}


def _at(ref: StatementRef | None, asked: Asked, finding: Finding) -> Finding:
    """The finding at the statement (or, without one, the policy) that `ref` names."""
    if ref is None:
        return finding
    statement = asked.statement(ref)
    named = asked.key.policies[ref.policy]
    return finding._replace(
        policy=named.name,
        statement=None if statement is None else statement.index,
        node=named.policy.node if statement is None else statement.node,
    )


def _complete(finding: Finding, options: Options, asked: Asked) -> Finding:
    """The finding with what it leaves open filled in from its block. A configured severity replaces every other."""
    configured = asked.settings.severity.get(asked.rule.id)
    severity = configured or finding.severity or severity_of(options, asked)
    if finding.outcome == PASS:
        return finding._replace(severity=severity)
    ref = _ref(finding, asked.key)
    scope = asked.scope(ref, finding.witness)
    help, command = finding.help, finding.command
    if finding.outcome == FAIL:
        help = help or (message.sentence(options.help, scope) if options.help else None)
        command = command or (message.command(options.command, scope) if options.command else None)
    told = finding.message
    if not told and options.message:
        told = message.sentence(options.message, scope)
    return finding._replace(severity=severity, help=help, command=command, message=told)


def _ref(finding: Finding, key: Key) -> StatementRef | None:
    if finding.policy is None or finding.statement is None:
        return None
    for number, named in enumerate(key.policies):
        if named.name == finding.policy:
            return StatementRef(number, finding.statement)
    return None
