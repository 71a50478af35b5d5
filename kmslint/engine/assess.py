"""Every rule on every key: from the findings of a rule's blocks to its results."""

from collections.abc import Iterable, Iterator, Sequence

from kmslint.engine import binding, blocks, message
from kmslint.engine.binding import OWNER, World, bound
from kmslint.engine.blocks import Asked
from kmslint.engine.finding import FAIL, MANUAL, NOT_APPLICABLE, PASS, UNDETERMINED, Finding
from kmslint.engine.fingerprint import fingerprint
from kmslint.engine.rule import POLICY, Check, Rule
from kmslint.location import Location, pointer
from kmslint.model.key import NOT_IN_SOURCE, Key, KeyPolicy, Known, Unknown
from kmslint.model.result import SEVERITIES, Outcome, Result
from kmslint.model.settings import Settings
from kmslint.policy.document import Statement
from kmslint.policy.request import Request
from kmslint.tree import ARRAY, UNRESOLVED
from kmslint.typed import Any, Final, NamedTuple

MAX_OWNERS: Final = 24
"""Candidates for an unknown owner that are tried. A policy that names more accounts is undetermined unless two disagree before."""

_MAX_JOINED: Final = 5
"""Findings on one statement whose messages are joined; more are counted."""


def assess(rules: Sequence[Rule], keys: Iterable[Key], settings: Settings) -> tuple[Result, ...]:
    """The results of `rules` on `keys`, in the order of the keys, then of the rules, then of the statements.

    One result a rule and key, plus one for each further failing statement. The lesser of two findings on one statement, by
    the rules' `folds_into`, carries the fingerprint of the greater.
    """
    results: list[Result] = []
    for key in keys:
        results += assess_key(rules, key, settings)
    return tuple(results)


def assess_key(rules: Sequence[Rule], key: Key, settings: Settings) -> tuple[Result, ...]:
    """The results of `rules` on one key: a pure function of picklable values."""
    subject = _subject(bound(key), settings)
    found = [_Answered(rule, result) for rule in rules for result in _assess(rule, subject)]
    return tuple(_fold(answered, found) if answered.rule.folds_into else answered.result for answered in found)


def assess_rule(rule: Rule, key: Key, settings: Settings) -> tuple[Result, ...]:
    """The results of one rule on one key, nothing folded."""
    return tuple(_assess(rule, _subject(key, settings)))


class _Subject(NamedTuple):
    """One key, with what no rule needs to find out by itself."""

    key: Key
    settings: Settings
    worlds: tuple[World, ...] | None
    unknown_policy: str | None
    """Why its policies are not wholly known, if so."""
    unknown_statement: str | None
    """Why a statement of them is not known as a whole: who looks at statements has not seen it."""


def _subject(key: Key, settings: Settings) -> _Subject:
    policies = [named.policy for named in key.policies]
    unknown = next((policy.unknown[0] for policy in policies if policy.unknown), None)
    statements = (statement for policy in policies for statement in policy.statements)
    unseen = next((one.unknown[0] for one in statements if one.unknown and one.node.kind == UNRESOLVED), None)
    return _Subject(key, settings, binding.worlds(key, MAX_OWNERS), key.policies_unread or unknown, unseen)


def _assess(rule: Rule, subject: _Subject) -> list[Result]:
    asked = Asked(rule, subject.key, subject.settings)
    return [_result(finding, asked) for finding in _combine(_decide(asked, subject))]


class _Answered(NamedTuple):
    rule: Rule
    result: Result


def _fold(answered: _Answered, found: Sequence[_Answered]) -> Result:
    """The result, folded into the first failing result of the rules it folds into that stands on the same statement."""
    rule, result = answered
    if not rule.folds_into or result.outcome is not Outcome.FAIL or not result.locations:
        return result
    place = (result.policy, result.locations[0].statement)
    for greater in rule.folds_into:
        for other in found:
            is_same = other.rule.id == greater and other.result.outcome is Outcome.FAIL and other.result.locations
            if is_same and place[1] is not None and (other.result.policy, other.result.locations[0].statement) == place:
                return result._replace(folded_into=other.result.fingerprint)
    return result


# from blocks to findings


def _decide(asked: Asked, subject: _Subject) -> list[Finding]:
    """What the rule finds, before one outcome is made of it."""
    stopped = _applicability(asked)
    if stopped is not None:
        return [stopped]
    if POLICY not in asked.rule.needs:
        return _ask_blocks(asked)
    worlds = subject.worlds
    findings = _ask_blocks(asked) if worlds is None else _ask_in_worlds(asked, worlds)
    return _with_doubts(findings, asked, subject)


def _ask_blocks(asked: Asked) -> list[Finding]:
    found = [list(blocks.ask(block, asked)) for block in asked.rule.blocks]
    return [finding for findings in found for finding in findings or [Finding(PASS, "")]]


def _applicability(asked: Asked) -> Finding | None:
    """Why the rule is not asked of this key at all; None when it is."""
    rule, key = asked.rule, asked.key
    manager = key.facts.get("manager")
    if isinstance(manager, Known) and manager.value == "AWS" and not rule.aws_managed:
        why = "an AWS managed key: AWS writes its policy and rotates it"
        return Finding(NOT_APPLICABLE, why, reason=why)
    for name in rule.needs_settings:
        if getattr(asked.settings, name) in {None, ()}:
            why = f"`{name}` is not set in the configuration"
            return Finding(NOT_APPLICABLE, why, reason=why)
    if POLICY in rule.needs and key.policies_not_in_source is not None and not key.policies:
        return Finding(NOT_APPLICABLE, "the key policy was not read", reason=key.policies_not_in_source)
    missing = tuple(name for name in rule.needs if name != POLICY and _is_not_in_source(key, name))
    if missing:
        return blocks.not_in_source(missing, key)
    return blocks.judge_when(rule.when, rule.otherwise, asked)


def _is_not_in_source(key: Key, name: str) -> bool:
    fact = key.fact(name)
    return isinstance(fact, Unknown) and fact.kind == NOT_IN_SOURCE


def _ask_in_worlds(asked: Asked, worlds: Sequence[World]) -> list[Finding]:
    """The findings that hold whatever the open accounts are: asked for every account in the policy, and for one named nowhere.

    A failure counts when it fails in each world; a rule that passes in each passes. Else the open accounts decide.
    """
    is_whole = len(worlds) <= MAX_OWNERS
    first = _ask_blocks(asked._replace(key=worlds[0].key))
    agreed = {_place(finding) for finding in first if finding.outcome == FAIL}
    outcomes = {_outcome(first)}
    for world in worlds[1:MAX_OWNERS]:
        findings = _ask_blocks(asked._replace(key=world.key))
        agreed &= {_place(finding) for finding in findings if finding.outcome == FAIL}
        outcomes.add(_outcome(findings))
        if len(outcomes) > 1 and not agreed:
            break
    failed = [finding for finding in first if finding.outcome == FAIL and _place(finding) in agreed]
    if failed and is_whole:
        return [_anonymous(finding, worlds[0]) for finding in failed]
    if len(outcomes) == 1 and FAIL not in outcomes and is_whole:
        return [_anonymous(finding, worlds[0]) for finding in first]
    severity = max((finding.severity or asked.rule.severity for finding in first), key=SEVERITIES.index)
    return [Finding(UNDETERMINED, worlds[0].question, severity=severity, reason=worlds[0].question)]


def _anonymous(finding: Finding, world: World) -> Finding:
    """The finding without the accounts that stood in for open ones: only the witness, which needs them, keeps them."""

    def shown(text: str | None) -> str | None:
        for account, name in world.stand_ins:
            text = None if text is None else text.replace(account, name)
        return text

    witness = "" if finding.witness is None else repr(finding.witness)
    told = tuple(
        f"the owner account of the key is not known; in the request, {account} stands for it"
        if name == OWNER
        else f"`{name}` could not be resolved; in the request, {account} stands for it"
        for account, name in world.stand_ins
        if account in witness
    )
    return finding._replace(
        message=shown(finding.message) or "",
        help=shown(finding.help),
        reason=shown(finding.reason),
        command=shown(finding.command),
        assumptions=(*finding.assumptions, *told),
    )


def _place(finding: Finding) -> tuple[str | None, int | None, str | None]:
    return finding.policy, finding.statement, finding.severity


def _outcome(findings: Sequence[Finding]) -> str:
    """The one outcome of a rule: FAIL before UNDETERMINED before MANUAL before PASS before NOT_APPLICABLE."""
    outcomes = {finding.outcome for finding in findings}
    return next(outcome for outcome in (FAIL, UNDETERMINED, MANUAL, PASS, NOT_APPLICABLE) if outcome in outcomes)


def _with_doubts(findings: list[Finding], asked: Asked, subject: _Subject) -> list[Finding]:
    """No PASS about policies that were not wholly read, nor, for some rules under `strict`, about an owner that is a guess.

    A question reasons about an unknown statement by itself; a predicate looks at what is there, and what it did not see
    passes no rule.
    """
    key = asked.key
    assumptions: tuple[str, ...] = ()
    if key.account_source == "inferred":
        assumptions = (f"the owner account `{key.account}` is inferred from the policy; pass --account to say which it is",)
    doubt = subject.unknown_policy
    if doubt is None and subject.unknown_statement is not None and any(isinstance(one, Check) for one in asked.rule.blocks):
        doubt = subject.unknown_statement
    if doubt is None and asked.settings.strict and asked.rule.owner_sure and key.account_source == "inferred":
        doubt = f"the owner account `{key.account}` is only inferred; pass --account"
    if doubt is None and not assumptions:
        return findings
    return [_doubted(finding._replace(assumptions=assumptions + finding.assumptions), doubt, asked) for finding in findings]


def _doubted(finding: Finding, doubt: str | None, asked: Asked) -> Finding:
    if doubt is None or finding.outcome != PASS:
        return finding
    severity = blocks.severity_of(asked.rule.blocks[0].options, asked)
    return finding._replace(
        outcome=UNDETERMINED, message="not everything that decides it is known", reason=doubt, severity=severity
    )


# from findings to results


def _combine(findings: list[Finding]) -> list[Finding]:
    """The findings to report: one for each failing statement, else one in all."""
    if len(findings) == 1:
        return findings
    outcome = _outcome(findings)
    chosen = [finding for finding in findings if finding.outcome == outcome]
    if outcome != FAIL:
        return [_one(chosen)]
    places: dict[tuple[str | None, int | None, str | None], list[Finding]] = {}
    for finding in chosen:
        places.setdefault((finding.policy, finding.statement, finding.fact), []).append(finding)
    return [_worst(group) for group in places.values()]


def _one(findings: list[Finding]) -> Finding:
    """Several findings of one outcome that is no failure as one: the gravest, with every reason and assumption."""
    gravest = max(findings, key=lambda finding: _rank(finding.severity))
    told = tuple(dict.fromkeys(finding.reason for finding in findings if finding.reason))
    assumptions = tuple(dict.fromkeys(text for finding in findings for text in finding.assumptions))
    return gravest._replace(reason="; ".join(told[:_MAX_JOINED]) or None, assumptions=assumptions)


def _worst(group: list[Finding]) -> Finding:
    """Several failures on one statement as one: the gravest; those as grave that say something else are added."""
    gravest = max(group, key=lambda finding: _rank(finding.severity))
    if gravest.witness is not None:
        return gravest
    texts = tuple(dict.fromkeys(finding.message for finding in group if finding.severity == gravest.severity))
    more = f"; and {len(texts) - _MAX_JOINED} more" if len(texts) > _MAX_JOINED else ""
    return gravest._replace(message="; ".join(texts[:_MAX_JOINED]) + more)


def _rank(severity: str | None) -> int:
    return -1 if severity is None else SEVERITIES.index(severity)


_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}


def _result(finding: Finding, asked: Asked) -> Result:
    rule, key, settings = asked
    named = None if finding.policy is None else next((one for one in key.policies if one.name == finding.policy), None)
    statement = _statement(finding, named)
    fact = None if finding.fact is None else (finding.fact, key.fact(finding.fact))
    return Result(
        rule=rule.id,
        title=rule.title,
        outcome=_OUTCOMES[finding.outcome],
        severity=settings.severity.get(rule.id) or finding.severity or rule.severity,
        key=key.id,
        message=_told(finding, rule, asked),
        policy=finding.policy,
        help=finding.help,
        command=finding.command,
        locations=tuple(_locations(finding, named, statement, key)),
        witness=None if finding.witness is None else _as_json(finding.witness),
        assumptions=finding.assumptions,
        reason=_reason(finding, key),
        controls=rule.controls,
        fingerprint=fingerprint(rule.id, key.identity(), policy=finding.policy, statement=statement, fact=fact),
    )


def _reason(finding: Finding, key: Key) -> str | None:
    """Why an outcome is what it is; of a template, also where the values stand that it depends on."""
    if finding.outcome != UNDETERMINED or key.source.type not in {"terraform", "plan", "cloudformation"}:
        return finding.reason
    from kmslint.engine.unresolved import explained

    return explained(finding.reason or finding.message, key)


def _told(finding: Finding, rule: Rule, asked: Asked) -> str:
    if finding.outcome == PASS:
        return finding.message or (message.sentence(rule.holds, asked.scope()) if rule.holds else f"nothing found: {rule.title}")
    return finding.message or rule.title


def _statement(finding: Finding, named: KeyPolicy | None) -> Statement | None:
    if named is None or finding.statement is None:
        return None
    return next((statement for statement in named.policy.statements if statement.index == finding.statement), None)


def _locations(finding: Finding, named: KeyPolicy | None, statement: Statement | None, key: Key) -> Iterator[Location]:
    """The places of a finding: the node it names, else its statement, its policy, or the fact it is about."""
    at = "" if named is None or statement is None else _pointer(named, statement)
    if finding.node is not None and finding.outcome != PASS:
        sid = None if statement is None else statement.sid
        yield finding.node.locate(finding.pointer or at, statement=finding.statement, sid=sid)
    elif finding.location is not None:
        yield finding.location
    elif statement is not None:
        yield statement.node.locate(finding.pointer or at, statement=statement.index, sid=statement.sid)
    elif finding.fact is not None:
        place = getattr(key.fact(finding.fact), "location", None)
        if isinstance(place, Location):
            yield place
    elif (
        finding.outcome == FAIL and finding.policy is None and len(key.policies) == 1 and key.policies[0].policy.node is not None
    ):
        yield key.policies[0].policy.node.locate()


def _pointer(named: KeyPolicy, statement: Statement) -> str:
    """The JSON pointer of a statement within its policy document."""
    node = named.policy.node
    listed = None if node is None else node.member("Statement")
    return pointer("Statement") if listed is not None and listed.kind != ARRAY else pointer("Statement", statement.index)


def _as_json(witness: Request) -> dict[str, Any]:
    """The witness as reports print it and `kmslint ask --request` reads it; a multi-valued key is a sorted list."""
    context = {name: value if isinstance(value, str) else sorted(value) for name, value in sorted(witness.context.items())}
    found: dict[str, Any] = {"principal": witness.principal, "action": witness.action, "context": context}
    return found if witness.parent is None else found | {"parent": witness.parent}
