"""What `ask` prints: answers for people, with the statement that decides, and for programs."""

import json
from collections.abc import Iterator, Sequence

from kmslint.asking import PROVEN, SOME, VIOLATED, Decision, Judge, Verdict
from kmslint.location import Location
from kmslint.model.key import Key
from kmslint.model.result import Report
from kmslint.policy.document import Policy, Statement
from kmslint.policy.evaluate import ALLOW, EXPLICIT_DENY, IMPLICIT_DENY, UNDETERMINED
from kmslint.policy.mismatch import mismatch
from kmslint.policy.principals import identify
from kmslint.policy.request import Request
from kmslint.reason.answer import StatementRef
from kmslint.reason.witness import as_json
from kmslint.reporters.excerpt import Excerpts
from kmslint.reporters.text import excerpt, witness_sentence
from kmslint.reporters.visible import visible
from kmslint.typed import Final

MAX_UNMATCHED: Final = 5
"""Allow statements of which the text says why they do not apply; --explain says it of all statements."""

_NOBODY: Final = "a caller without credentials"


# requests


def decision_json(decision: Decision) -> str:
    """One line (INTERFACE, "kmslint ask")."""
    found = {
        "decision": decision.decision,
        "grant": decision.grant,
        "statements": [ref.statement for ref in decision.statements],
        "reasons": list(decision.reasons),
    }
    return json.dumps(found, ensure_ascii=False) + "\n"


def decision_text(key: Key, judge: Judge, request: Request, decision: Decision, *, explain: bool) -> Iterator[str]:
    """The decision on one request as sentences, with the statements that decide."""
    yield _headline(request, decision)
    yield from _places(key, decision.statements)
    if decision.decision == IMPLICIT_DENY or explain:
        yield from _unmatched(*judge.completed(request), decision, explain=explain)
    yield from (f"  {_kind_of_note(decision)}: {visible(reason)}" for reason in decision.reasons)


def decision_line(number: int, request: Request, decision: Decision) -> Iterator[str]:
    """The decision on one of several requests."""
    named = ", ".join(f"statement {ref.statement}" for ref in decision.statements[:3])
    yield f"{number}: {_headline(request, decision)}" + (f" ({named})" if named else "")
    yield from (f"  {_kind_of_note(decision)}: {visible(reason)}" for reason in decision.reasons)


def _kind_of_note(decision: Decision) -> str:
    return "because" if decision.decision == UNDETERMINED else "note"


def _headline(request: Request, decision: Decision) -> str:
    who = _caller(request)
    what = f"`{visible(request.action)}`"
    if decision.decision == ALLOW and decision.grant == "delegated":
        account = identify(request.principal).account
        return f"allowed through IAM: {who} may call {what} if an IAM policy of account {account} allows it too"
    if decision.decision == ALLOW:
        return f"allowed: {who} may call {what}"
    if decision.decision == EXPLICIT_DENY:
        return f"denied: {who} may not call {what}"
    if decision.decision == IMPLICIT_DENY:
        return f"not allowed: no statement allows {who} to call {what}"
    return f"undetermined: whether {who} may call {what} is not settled"


def _caller(request: Request) -> str:
    return _NOBODY if request.principal is None else f"`{visible(request.principal)}`"


def _unmatched(policies: Sequence[Policy], request: Request, decision: Decision, *, explain: bool) -> Iterator[str]:
    lines = []
    for number, policy in enumerate(policies):
        for statement in policy.statements:
            if StatementRef(number, statement.index) in decision.statements or (statement.effect == "Deny" and not explain):
                continue
            why = mismatch(statement, policy, request)
            if why is not None:
                lines.append(f"  {_name(statement)} does not apply: {visible(why)}")
    yield from lines if explain else lines[:MAX_UNMATCHED]
    if len(lines) > MAX_UNMATCHED and not explain:
        yield f"  and {len(lines) - MAX_UNMATCHED} more; --explain lists them"


# questions


def verdict_json(verdict: Verdict, *, explain: bool) -> str:
    """One line (INTERFACE, "kmslint ask"); with --explain also the proof."""
    is_shown = verdict.witness is not None and verdict.answer != UNDETERMINED
    found: dict[str, object] = {
        "answer": verdict.answer,
        "witness": as_json(verdict.witness) if is_shown and verdict.witness is not None else None,
        "reasons": list(verdict.reasons),
    }
    if explain:
        found["proof"] = list(verdict.proof)
    return json.dumps(found, ensure_ascii=False) + "\n"


def forbid_text(key: Key, verdict: Verdict) -> Iterator[str]:
    """The answer whether nothing described is allowed."""
    if verdict.answer == PROVEN:
        yield "proven: no such request is allowed by the key policy"
    elif verdict.answer == VIOLATED and verdict.witness is not None:
        yield f"violated: {_caller(verdict.witness)} may call `{visible(verdict.witness.action)}`"
    else:
        yield "undetermined: whether such a request is allowed is not settled"
    yield from _rest(key, verdict)


def require_text(key: Key, verdict: Verdict, quantifier: str) -> Iterator[str]:
    """The answer whether some, or all, of what is described is allowed."""
    if quantifier == SOME:
        told = {PROVEN: "such a request is allowed", VIOLATED: "no such request is allowed by the key policy"}
    else:
        told = {PROVEN: "every such request is allowed by the key policy", VIOLATED: "such a request is not allowed"}
    yield f"{verdict.answer}: {told.get(verdict.answer, 'whether it is allowed is not settled')}"
    yield from _rest(key, verdict)


def _rest(key: Key, verdict: Verdict) -> Iterator[str]:
    if verdict.witness is not None:
        word = "witness" if verdict.answer != UNDETERMINED else "perhaps"
        yield f"  {word}: {witness_sentence(as_json(verdict.witness))}"
    yield from _places(key, verdict.statements)
    word = {PROVEN: "assuming", VIOLATED: "note"}.get(verdict.answer, "because")
    yield from (f"  {word}: {visible(reason)}" for reason in verdict.reasons)
    if verdict.proof:
        yield "  proof:"
        yield from (f"    {visible(step)}" for step in verdict.proof)


# places


def _places(key: Key, refs: Sequence[StatementRef]) -> Iterator[str]:
    """Each statement with the lines of the user's text."""
    excerpts = Excerpts(Report((key,), (), (), (), "", "", 0))
    for ref in refs:
        statement = _statement(key, ref)
        if statement is None:
            continue
        location = statement.node.locate(statement=statement.index, sid=statement.sid)
        yield f"  --> {_place(location)} {_name(statement)}"
        for line in excerpt(excerpts.rows(location)):
            yield "".join(piece.text for piece in line).rstrip()


def _statement(key: Key, ref: StatementRef) -> Statement | None:
    statements = key.policies[ref.policy].policy.statements
    return next((statement for statement in statements if statement.index == ref.statement), None)


def _place(location: Location) -> str:
    return f"{visible(location.file or location.uri or '<policy>')}:{location.line}:{location.column}"


def _name(statement: Statement) -> str:
    return f"statement `{visible(str(statement.sid))}`" if statement.sid else f"statement {statement.index}"
