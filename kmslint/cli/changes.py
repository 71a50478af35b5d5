"""What `diff` prints: each key's new access with the lines that cause it, for people and for programs."""

import json
from collections.abc import Iterator, Sequence

from kmslint.difference import (
    ADDED,
    DIFFERENT,
    EQUIVALENT,
    IDENTICAL,
    NARROWER,
    NEW_ACCESS,
    NO_NEW_ACCESS,
    REMOVED,
    UNDETERMINED,
    WIDER,
    Access,
    Change,
    Difference,
)
from kmslint.fact_changes import FactChange
from kmslint.location import Location
from kmslint.model.result import Report
from kmslint.reason.witness import as_json
from kmslint.reporters.excerpt import Excerpts
from kmslint.reporters.json import location_members
from kmslint.reporters.text import Line, Piece, excerpt, witness_sentence
from kmslint.reporters.view import label
from kmslint.reporters.visible import visible
from kmslint.typed import Final

MAX_ACTIONS: Final = 8
"""Actions that a headline names; -v names all, and so does JSON."""

_SEVERITY: Final = {"public": "critical", "cross-account": "high", "service": "medium", "own-account": "medium"}
"""How a kind is coloured."""

_PROVEN: Final = {
    IDENTICAL: "no new access: its policies say what they said",
    EQUIVALENT: "no new access, proven: the policies allow exactly the same requests as before",
    NARROWER: "no new access, proven: the policies allow less than before",
    None: "no new access, proven",
}


# for people


def lines(found: Difference, *, verbose: bool, quiet: bool) -> Iterator[Line]:
    """The report in lines: new access first in each key, then what was lost, facts, and what is open; a summary last."""
    for change in found.changes:
        yield from _change(change, verbose=verbose, quiet=quiet)
    if not quiet:
        yield from _aside(found, verbose=verbose)
        yield (Piece(_summary(found), "summary"),)


def plain(drawn: Iterator[Line]) -> str:
    """The lines without colours."""
    return "".join("".join(piece.text for piece in line).rstrip() + "\n" for line in drawn)


def _change(change: Change, *, verbose: bool, quiet: bool) -> Iterator[Line]:
    excerpts = Excerpts(Report(tuple(key for key in (change.new, change.old) if key is not None), (), (), (), "", "", 0))
    name = visible(label(change.key()))
    for access in change.gained:
        yield from _access(name, access, excerpts, "new access", "may newly call", verbose=verbose)
    if change.answer != NEW_ACCESS and not (quiet and change.answer == NO_NEW_ACCESS):
        yield (Piece(name, "key"), Piece(": "), *_verdict(change))
        yield from (_labelled("because" if change.answer == UNDETERMINED else "note", reason) for reason in change.reasons)
        yield ()
    elif change.answer == NEW_ACCESS and change.reasons and not quiet:
        yield (Piece(name, "key"), Piece(": "), Piece("about this key"))
        yield from (_labelled("note", reason) for reason in change.reasons)
        yield ()
    for access in change.lost:
        yield from _access(name, access, excerpts, "lost access", "may no longer call", verbose=verbose)
    for fact in change.facts:
        if fact.worse is not False or verbose:
            yield from _fact(name, fact)


def _verdict(change: Change) -> Iterator[Piece]:
    if change.answer == UNDETERMINED:
        yield Piece("undetermined", "severity.medium")
        yield Piece(": whether there is new access is not settled")
    elif change.kind in {ADDED, REMOVED}:
        yield Piece(f"no new access: a key {change.kind}")
    else:
        yield Piece(_PROVEN.get(change.relation, _PROVEN[None]))


def _access(name: str, access: Access, excerpts: Excerpts, what: str, verb: str, *, verbose: bool) -> Iterator[Line]:
    gain = access.gain
    style = f"severity.{_SEVERITY.get(gain.kind, 'low')}" if what == "new access" else "label"
    yield (
        Piece(name, "key"),
        Piece(f": {what} "),
        Piece(f"[{gain.kind}]", style),
        Piece(": "),
        Piece(f"{_who(access)} {verb} {_actions(gain.actions, verbose=verbose)}{_strength(gain.kind)}", "message"),
    )
    for number, (location, role) in enumerate(access.places):
        yield (
            Piece("  --> " if number == 0 else "  and "),
            Piece(_place(location), "place"),
            Piece(f" {_statement(location)} {role}"),
        )
        yield from excerpt(excerpts.rows(location))
    yield from (_labelled("when", condition) for condition in access.conditions)
    yield (Piece("  witness: ", "label"), Piece(witness_sentence(as_json(gain.witness))))
    if gain.more:
        yield _labelled("note", "the group may have more principals or actions than are listed")
    yield ()


def _who(access: Access) -> str:
    return ", ".join(visible(name) for name in access.gain.principals)


def _strength(kind: str) -> str:
    return " directly, no longer only as IAM policies of the account decide" if kind == "grant-strengthened" else ""


def _actions(actions: Sequence[str], *, verbose: bool) -> str:
    shown = actions if verbose or len(actions) <= MAX_ACTIONS else actions[: MAX_ACTIONS - 1]
    rest = f" and {len(actions) - len(shown)} more actions" if len(shown) < len(actions) else ""
    return ", ".join(f"kms:{name}" for name in shown) + rest


def _place(location: Location) -> str:
    return f"{visible(location.file or location.uri or '<policy>')}:{location.line}:{location.column}"


def _statement(location: Location) -> str:
    return f"statement `{visible(location.sid)}`" if location.sid else f"statement {location.statement}"


def _fact(name: str, fact: FactChange) -> Iterator[Line]:
    word = {True: "got worse", False: "changed", None: "changed, and nobody can say whether for the worse"}[fact.worse]
    yield (
        Piece(name, "key"),
        Piece(": fact "),
        Piece(fact.name, "rule"),
        Piece(f" {word}", "severity.medium" if fact.worse else ""),
        Piece(f": {_shown(fact.old)} -> {_shown(fact.new)}"),
    )
    if fact.location is not None:
        yield (Piece("  --> "), Piece(_place(fact.location), "place"))
    yield ()


def _shown(value: object) -> str:
    return visible(json.dumps(value, ensure_ascii=False, default=str))[:300]


def _labelled(name: str, text: str) -> Line:
    return (Piece(f"  {name}: ", "label"), Piece(visible(text)))


def _aside(found: Difference, *, verbose: bool) -> Iterator[Line]:
    told = [
        f"{visible(label(change.key()))}: {visible(text)}"
        for change in found.changes
        for text in change.assumptions
        if verbose or change.relation != IDENTICAL
    ]
    for title, texts in (
        ("assumed", told),
        ("notes", [visible(note) for note in found.notes]),
        ("not read", [visible(error.source) for error in found.errors]),
        ("skipped", [f"{visible(file)}: {visible(reason)}" for file, reason in found.skipped] if verbose else []),
    ):
        if texts:
            yield (Piece(f"{title}:", "title"),)
            yield from ((Piece(f"  {text}"),) for text in dict.fromkeys(texts))


def _summary(found: Difference) -> str:
    counts = summary(found)
    keys = f"{counts['keys']} key" + ("" if counts["keys"] == 1 else "s")
    parts = [f"{counts[NEW_ACCESS]} with new access", f"{counts[NO_NEW_ACCESS]} without", f"{counts[UNDETERMINED]} undetermined"]
    parts += [f"{counts[name]} {name}" for name in (ADDED, REMOVED) if counts[name]]
    if counts["facts_worse"]:
        parts.append(f"{counts['facts_worse']} facts got worse")
    if found.errors:
        parts.append(f"{len(found.errors)} inputs not read, or not wholly")
    return f"{keys} compared: " + ", ".join(parts)


# for programs


def summary(found: Difference) -> dict[str, int]:
    """The counts of answers, of added and removed keys, and of facts that got worse."""
    answers = [change.answer for change in found.changes]
    kinds = [change.kind for change in found.changes]
    return {
        "keys": len(found.changes),
        **{answer: answers.count(answer) for answer in (NEW_ACCESS, NO_NEW_ACCESS, UNDETERMINED)},
        **{kind: kinds.count(kind) for kind in (ADDED, REMOVED)},
        "facts_worse": sum(fact.worse is True for change in found.changes for fact in change.facts),
    }


def as_document(found: Difference) -> str:
    """`kmslint-diff/1`: one JSON document of ASCII text. Its schema is `kmslint/schemas/diff-1.json`."""
    document = {
        "format": "kmslint-diff/1",
        "keys": [_key(change) for change in found.changes],
        "errors": [
            {"source": _text(one.source), "line": one.line, "column": one.column, "message": _text(one.message)}
            for one in found.errors
        ],
        "notes": [_text(note) for note in found.notes],
        "summary": summary(found),
    }
    return json.dumps(document, indent=1) + "\n"


def _key(change: Change) -> dict[str, object]:
    return {
        "id": change.id,
        "name": _text(change.key().identity()),
        "change": change.kind,
        "account": change.key().account,
        "answer": change.answer,
        "relation": change.relation if change.relation in {IDENTICAL, EQUIVALENT, NARROWER, WIDER, DIFFERENT} else None,
        "new": [_group(access) for access in change.gained],
        "removed": [_group(access) for access in change.lost],
        "facts": [
            {"name": fact.name, "old": fact.old, "new": fact.new, "worse": fact.worse, "location": _location(fact.location)}
            for fact in change.facts
        ],
        "reasons": [_text(reason) for reason in change.reasons],
        "assumptions": [_text(text) for text in change.assumptions],
    }


def _group(access: Access) -> dict[str, object]:
    gain = access.gain
    return {
        "kind": gain.kind,
        "external": gain.external,
        "principals": _text(", ".join(gain.principals)),
        "actions": [f"kms:{name}" for name in gain.actions],
        "conditions": [_text(condition) for condition in access.conditions],
        "witness": as_json(gain.witness),
        "locations": [{**(_location(location) or {}), "role": role} for location, role in access.places],
        "complete": not gain.more,
    }


def _location(location: Location | None) -> dict[str, object] | None:
    return None if location is None else location_members(location)


def _text(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()
