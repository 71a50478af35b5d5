"""What `ask --who` prints: who may call an action, for people and for programs."""

import json
from collections.abc import Iterator, Sequence

from kmslint.inventory import Caller, Inventory
from kmslint.model.result import SourceError
from kmslint.policy.evaluate import UNDETERMINED
from kmslint.reason.witness import as_json
from kmslint.reporters.view import label
from kmslint.reporters.visible import visible


def as_document(action: str, found: Sequence[Inventory], errors: Sequence[SourceError]) -> str:
    """All keys in one document."""
    document = {
        "format": "kmslint-who/1",
        "action": action,
        "keys": [_inventory(one) for one in found],
        "errors": [{"source": one.source, "line": one.line, "column": one.column, "message": one.message} for one in errors],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _inventory(found: Inventory) -> dict[str, object]:
    key = found.key
    return {
        "id": key.id,
        "arn": key.arn,
        "account": key.account,
        "account_source": key.account_source,
        "source": key.source._asdict(),
        "external_accounts": list(found.accounts),
        "organizations": list(found.organizations),
        "services": list(found.services),
        "any_account": found.any_account,
        "any_service": found.any_service,
        "callers": [_caller_json(caller) for caller in found.callers],
        "reasons": list(found.reasons),
    }


def _caller_json(caller: Caller) -> dict[str, object]:
    witness = None if caller.witness is None else as_json(caller.witness)
    return {
        **caller._asdict(),
        "statements": [ref.statement for ref in caller.statements],
        "witness": witness,
        "reasons": list(caller.reasons),
    }


def as_text(action: str, found: Inventory) -> Iterator[str]:
    """Who may call, one class of callers a line."""
    head = f"{visible(label(found.key))}: "
    if not found.callers:
        yield head + f"nobody may call `{visible(action)}`"
    else:
        yield head + f"who may call `{visible(action)}`"
    for caller in found.callers:
        if caller.answer == UNDETERMINED:
            yield f"  perhaps {visible(caller.who)}"
            continue
        how = ", if an IAM policy of its account allows it too" if caller.grant == "delegated" else ""
        where = ", from outside the owner's account" if caller.external and caller.kind != "service" else ""
        by = ", ".join(str(ref.statement) for ref in caller.statements)
        yield f"  {visible(caller.who)}{where}{how} (statement {by})"
    yield from (f"  {line}" for line in _outside(found))
    yield from (f"  because: {visible(reason)}" for reason in found.reasons)


def _outside(found: Inventory) -> Iterator[str]:
    for name, listed, is_any in (
        ("accounts", found.accounts, "every account" if found.any_account else None),
        ("organizations", found.organizations, None),
        ("services", found.services, "every service" if found.any_service else None),
    ):
        whole = [*map(visible, listed), *([is_any] if is_any else [])]
        if whole:
            yield f"outside, {name}: {', '.join(whole)}"
