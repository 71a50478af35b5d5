"""Who can reach a key, as a table of the HTML report: callers by actions, those outside the owner's account marked.

This asks `reason` itself, so it is done for this format alone. What is not listed is proven to have no access.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from kmslint.model.key import Key
from kmslint.policy.document import Policy
from kmslint.reason.answer import Violated
from kmslint.reason.query import Access, who
from kmslint.reporters.view import context_name
from kmslint.reporters.visible import visible
from kmslint.typed import Final, NamedTuple

ACTIONS: Final = (
    ("kms:Decrypt", "Decrypt"),
    ("kms:Encrypt", "Encrypt"),
    ("kms:GenerateDataKey", "Generate­DataKey"),
    ("kms:CreateGrant", "Create­Grant"),
    ("kms:PutKeyPolicy", "PutKey­Policy"),
    ("kms:ScheduleKeyDeletion", "Schedule­Key­Deletion"),
)
"""The actions that a key is judged by, and their headings (with soft hyphens)."""
MAX_PRINCIPALS: Final = 150
"""A policy that names more is not drawn: each is a class of its own for each action."""
MAX_ROWS: Final = 80

_OWN_CONTEXT: Final = frozenset({"aws:principalarn", "aws:principalaccount", "aws:userid", "aws:username", "aws:principaltype"})
"""What follows from the caller: it is no condition that somebody must meet."""
_SERVICE: Final = "S"
_ANY_SERVICE: Final = "another AWS service"
"""What `reason` calls the services that no policy names."""


class _Row(NamedTuple):
    """Callers that may do the same: what they are called, where they stand, and for each action a cell."""

    names: tuple[str, ...]
    place: str
    """"public" | "foreign" | "any-service" | "service" | "own" | "unknown"."""
    cells: tuple[str, ...]
    conditions: tuple[str, ...]
    statements: tuple[str, ...]
    doubts: tuple[str, ...]
    """Why a cell is not decided."""


_PLACES: Final = {
    "public": ("anyone", "critical", "public"),
    "foreign": ("outside", "high", ""),
    "any-service": ("any AWS service", "high", ""),
    "service": ("AWS service", "service", "svc"),
    "own": ("owner's account", "", "own"),
    "unknown": ("owner not known", "open", ""),
}
_ORDER: Final = tuple(_PLACES)
_CELLS: Final = {
    "direct": ("yes", "yes"),
    "delegated": ("iam", "if IAM allows"),
    "undetermined": ("unsure", "not decided"),
    "": ("no", "–"),
}


def reach(key: Key) -> str:
    """The table of `key`, or a sentence that says why there is none."""
    if key.policies_unread is not None:
        return f"<p>Not known: {escape(visible(key.policies_unread))}.</p>"
    if not key.policies:
        return "<p>Not known: no policy of this key was read.</p>"
    policies = [named.policy for named in key.policies]
    named = sum(len(statement.principals or ()) for policy in policies for statement in policy.statements)
    if named > MAX_PRINCIPALS:
        return f"<p>The policies name {named} principals, too many to draw; <code>kmslint ask --who</code> lists them.</p>"
    rows = _merged(_rows(policies, key))
    if not rows:
        return "<p>Nobody: no request for these actions is allowed by the key's policies.</p>"
    return "".join(_table(rows, key))


def _rows(policies: Sequence[Policy], key: Key) -> list[_Row]:
    """One row for each class of callers, in the order in which they are first met."""
    found: dict[tuple[str, str, str | None, bool], dict[str, Access]] = {}
    for action, _ in ACTIONS:
        for access in who(policies, action, key.context()):
            caller = (access.label, access.kind, access.account, access.is_fresh)
            found.setdefault(caller, {})[action] = access
    return [_row(by_action, key, policies) for by_action in found.values()]


def _row(by_action: Mapping[str, Access], key: Key, policies: Sequence[Policy]) -> _Row:
    first = next(iter(by_action.values()))
    cells: list[str] = []
    conditions: dict[str, None] = {}
    statements: dict[str, None] = {}
    doubts: dict[str, None] = {}
    for action, _ in ACTIONS:
        answer = by_action[action].answer if action in by_action else None
        if answer is None:
            cells.append("")
        elif isinstance(answer, Violated):
            cells.append(answer.grant or "direct")
            context = answer.witness.context.items()
            conditions |= dict.fromkeys(_condition(name, value) for name, value in context if name not in _OWN_CONTEXT)
            statements |= dict.fromkeys(_statement(policies, ref.policy, ref.statement) for ref in answer.statements)
        else:
            cells.append("undetermined")
            doubts |= dict.fromkeys(cause.text for cause in answer.causes)
    return _Row((first.label,), _place(first, key), tuple(cells), tuple(conditions), tuple(statements), tuple(doubts))


def _place(access: Access, key: Key) -> str:
    if access.kind == _SERVICE:
        return "any-service" if access.label == _ANY_SERVICE else "service"
    if access.is_fresh and access.is_foreign:
        return "public"
    if key.account is None:
        return "unknown"
    return "foreign" if access.is_foreign else "own"


def _condition(name: str, value: object) -> str:
    shown = ", ".join(map(str, value)) if isinstance(value, list | tuple | frozenset) else str(value)
    return f"{context_name(name)} = {shown}"


def _statement(policies: Sequence[Policy], policy: int, statement: int) -> str:
    for one in policies[policy].statements if policy < len(policies) else ():
        if one.index == statement:
            sid = one.sid
            return f"{sid}" if sid else str(statement)
    return str(statement)


def _merged(rows: Sequence[_Row]) -> list[_Row]:
    """Rows that differ in nothing but the caller as one, by place."""
    found: dict[tuple[object, ...], list[str]] = {}
    for row in rows:
        found.setdefault(tuple(row[1:]), []).extend(row.names)
    merged = [_Row(tuple(names), *rest) for rest, names in found.items()]  # type: ignore[arg-type]
    return sorted(merged, key=lambda row: _ORDER.index(row.place))


def _table(rows: Sequence[_Row], key: Key) -> Iterator[str]:
    owner = f"owned by account {key.account}" if key.account else "whose owner is not known"
    yield '<div class="scroll reach" tabindex="0" role="region" aria-label="Who can reach the key"><table>'
    proven = "By its policies alone, whoever is not listed may do none of these: proven."
    yield f"<caption><span>A key {escape(visible(owner))}. {proven}</span></caption>"
    yield '<thead><tr><th scope="col" class="w">caller</th>'
    yield from (f'<th scope="col" class="c">{heading}</th>' for _, heading in ACTIONS)
    yield "</tr></thead><tbody>"
    for row in rows[:MAX_ROWS]:
        yield from _drawn(row)
    yield "</tbody></table></div>"
    if len(rows) > MAX_ROWS:
        yield f"<p>…and {len(rows) - MAX_ROWS} more; <code>kmslint ask --who</code> lists them.</p>"


def _drawn(row: _Row) -> Iterator[str]:
    title, tag, style = _PLACES[row.place]
    names = "".join(f"<br>{escape(visible(name))}" for name in _together(row.names))
    yield f'<tr class="{style}"><th scope="row" class="w"><span class="tag {tag}">{title}</span>{names}{_on_what(row)}</th>'
    for cell in row.cells:
        kind, text = _CELLS[cell]
        yield f'<td class="c {kind}">{text}</td>'
    yield "</tr>"


def _on_what(row: _Row) -> str:
    """By which statements, and with what in the request beside the caller: as one request that is allowed has it."""
    by = f"by {', '.join(row.statements)}" if row.statements else ""
    carrying = f"such a request carries {'; '.join(row.conditions)}" if row.conditions else ""
    text = "; ".join(part for part in (by, carrying, *row.doubts) if part)
    return f'<br><span class="muted small">{escape(visible(text))}</span>' if text else ""


def _together(names: Sequence[str]) -> Iterator[str]:
    """Callers of one account as one line: `another user, another role session of account 111122223333`."""
    by_account: dict[str, list[str]] = {}
    for name in names:
        kind, of, account = name.rpartition(" of a")
        by_account.setdefault(f"{of}{account}" if of else f"\0{name}", []).append(kind or name)
    for account, kinds in by_account.items():
        yield kinds[0] if account.startswith("\0") else ", ".join(kinds) + account
