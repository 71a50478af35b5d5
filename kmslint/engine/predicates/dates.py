"""Checks of a key's life that need a date: all against `Key.as_of`, the time of observation, never a clock."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from kmslint.engine.finding import Finding
from kmslint.engine.predicates.places import UNDETERMINED, missing
from kmslint.model.key import Key, Known, Unknown
from kmslint.model.settings import Settings

Params = Mapping[str, object]

_PENDING = ("PendingDeletion", "PendingReplicaDeletion")
_FULL_WINDOW = 30
"""Days; the longest waiting period that KMS accepts (KMS API Reference, ScheduleKeyDeletion)."""


def moment(value: object) -> datetime | None:
    """A date or time in ISO 8601 as an instant, UTC when it names no zone; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _observed(key: Key) -> datetime | None:
    return moment(key.as_of)


def _days(duration: timedelta) -> int:
    return duration.days


def _without_clock(what: str) -> Finding:
    return Finding(outcome=UNDETERMINED, message=f"{what} cannot be judged without a date", reason="give the time with --as-of")


def pending_deletion(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """The key waits for its deletion, without approval or with less than the full waiting period.

    Source: KMS API Reference, DescribeKey: KeyState, DeletionDate, PendingDeletionWindowInDays.
    """
    del params
    planned = key.fact("deletion.planned")
    if isinstance(planned, Known):
        yield from _planned_deletion(key, settings, planned)
        return
    state = key.fact("state")
    if not isinstance(state, Known):
        unread = missing(key, "state", "the state of the key")
        if unread is not None:
            yield unread
        return
    if state.value not in _PENDING:
        return
    if _is_approved(key, settings):
        yield from _short_window(key)
        return
    message = f"the key is scheduled for deletion: its state is {state.value}{_remaining(key)}"
    name = key.key_id or "ID"
    yield Finding(
        outcome="FAIL",
        message=message,
        help="cancel the deletion and enable the key again (cancelling leaves it disabled), or list its id in approved_deletions",
        command=f"aws kms cancel-key-deletion --key-id {name} && aws kms enable-key --key-id {name}",
    )


def _planned_deletion(key: Key, settings: Settings, planned: Known) -> Iterator[Finding]:
    """A plan that deletes the key, or puts another in its place."""
    if _is_approved(key, settings):
        yield from _short_window(key)
        return
    does = "replaces the key, which deletes the old one" if planned.value == "replace" else "deletes the key"
    window = key.fact("deletion.pending_window_days")
    after = f" of {window.value} days" if isinstance(window, Known) and isinstance(window.value, int) else ""
    accepted = "list its id in approved_deletions" if key.key_id else "accept the finding with [[suppress]]"
    yield Finding(
        outcome="FAIL",
        message=f"the plan {does}: what it encrypted is lost after the waiting period{after}",
        help=f"keep the key (`prevent_destroy = true` in its lifecycle block refuses such plans), or {accepted}",
        fact="deletion.planned",
        location=planned.location,
    )


def _is_approved(key: Key, settings: Settings) -> bool:
    return any(name in settings.approved_deletions for name in (key.key_id, key.arn) if name)


def _short_window(key: Key) -> Iterator[Finding]:
    """An approved deletion whose waiting period is known to be shorter than the longest one."""
    window = key.fact("deletion.pending_window_days")
    if isinstance(window, Known) and isinstance(window.value, int) and window.value < _FULL_WINDOW:
        message = f"the approved deletion has a waiting period of {window.value} days, below {_FULL_WINDOW}"
        help = "cancel the deletion and schedule it again with 30 days"
        yield Finding(outcome="FAIL", message=message, severity="medium", help=help)


def _remaining(key: Key) -> str:
    date = key.fact("deletion.date")
    end = moment(date.value) if isinstance(date, Known) else None
    now = _observed(key)
    if end is None:
        return ""
    if now is None:
        return f", the date is {end.date().isoformat()}"
    days = _days(end - now)
    left = f"{days} days left" if days != 1 else "1 day left"
    return f", {left if days >= 0 else 'the date has passed'} ({end.date().isoformat()})"


def rotation_overdue(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """The date of the next automatic rotation lies in the past.

    Source: KMS API Reference, GetKeyRotationStatus: NextRotationDate.
    """
    del settings, params
    unread = missing(key, "rotation.next_date", "the date of the next rotation")
    if unread is not None:
        yield unread
        return
    fact = key.fact("rotation.next_date")
    due = moment(fact.value) if isinstance(fact, Known) else None
    now = _observed(key)
    if due is None:
        message = "whether the last rotation took place is not known"
        yield Finding(outcome=UNDETERMINED, message=message, reason="GetKeyRotationStatus gave no NextRotationDate")
    elif now is None:
        yield _without_clock("a date of rotation")
    elif due < now:
        message = f"the rotation due on {due.date().isoformat()} did not take place ({_days(now - due)} days ago)"
        help = "enable the key if it was disabled, then rotate it on demand"
        command = f"aws kms rotate-key-on-demand --key-id {key.key_id or 'ID'}"
        yield Finding(outcome="FAIL", message=message, help=help, command=command)


def no_manual_rotation(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """The key material is older than `manual_rotation_days`, for keys that KMS cannot rotate by itself.

    Imported material is as old as its last on-demand rotation; other keys are as old as they are.
    Source: KMS API Reference, RotateKeyOnDemand, ListKeyRotations.
    """
    del params
    origin, created = key.fact("origin"), key.fact("created")
    since = moment(created.value) if isinstance(created, Known) else None
    rotated = key.fact("rotation.last_date")
    if isinstance(origin, Known) and origin.value == "EXTERNAL":
        if isinstance(rotated, Unknown) and since is not None and _is_old(key, since, settings) is True:
            message = "the age of the imported key material was not read"
            yield Finding(outcome=UNDETERMINED, message=message, reason=rotated.reason)
            return
        since = (moment(rotated.value) if isinstance(rotated, Known) else None) or since
    unread = missing(key, "created", "the age of the key") if since is None else None
    if unread is not None:
        yield unread
    elif since is None or _is_old(key, since, settings) is None:
        yield _without_clock("the age of the key material")
    elif _is_old(key, since, settings):
        limit = settings.manual_rotation_days
        message = (
            f"the key material is from {since.date().isoformat()}, older than {limit} days, and KMS does not rotate this key"
        )
        help = "import new material and rotate on demand (symmetric EXTERNAL keys), or move the alias to a new key"
        yield Finding(outcome="FAIL", message=message, help=help)


def _is_old(key: Key, since: datetime, settings: Settings) -> bool | None:
    now = _observed(key)
    return None if now is None else _days(now - since) > settings.manual_rotation_days


def key_material_expires(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Imported key material expires within `material_expiry_days`, or at a date that is not known.

    Source: KMS API Reference, DescribeKey: ExpirationModel, ValidTo (the earliest, with several materials).
    """
    del params
    unread = missing(key, "material.expiration_model", "whether the imported material expires")
    if unread is not None:
        yield unread
        return
    model = key.fact("material.expiration_model")
    if not isinstance(model, Known) or model.value != "KEY_MATERIAL_EXPIRES":
        return
    until = key.fact("material.valid_to")
    end, now = (moment(until.value) if isinstance(until, Known) else None), _observed(key)
    if end is None:
        yield Finding(
            outcome=UNDETERMINED, message="the imported material expires at a date that was not read", reason="no ValidTo"
        )
    elif now is None:
        yield _without_clock("the expiry of the key material")
    elif _days(end - now) <= settings.material_expiry_days:
        message = f"the imported key material expires on {end.date().isoformat()}, in {_days(end - now)} days"
        help = "import the same material again, without expiry or with a later date, and set an alarm on its expiry"
        yield Finding(outcome="FAIL", message=message, help=help)


def unused_key(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """No cryptographic operation used the key for `unused_days`, so far as KMS has tracked it.

    Source: KMS API Reference, GetKeyLastUsage: KeyLastUsage, TrackingStartDate.
    """
    del params
    unread = missing(key, "last_used", "the last use of the key")
    if unread is not None:
        yield unread
        return
    fact = key.fact("last_used")
    usage = fact.value if isinstance(fact, Known) and isinstance(fact.value, dict) else {}
    now = _observed(key)
    used, tracked = moment(usage.get("timestamp")), moment(usage.get("tracking_start"))
    created_fact = key.fact("created")
    created = moment(created_fact.value) if isinstance(created_fact, Known) else None
    since = used or max((date for date in (tracked, created) if date is not None), default=None)
    if now is None:
        yield _without_clock("the last use of the key")
    elif since is None:
        reason = "neither a use nor the start of tracking was read"
        yield Finding(outcome=UNDETERMINED, message="the last use of the key is not known", reason=reason)
    elif _days(now - since) > settings.unused_days:
        yield Finding(outcome="FAIL", message=_unused_sentence(used, tracked, created, since), help=_UNUSED_HELP)


_UNUSED_HELP = "find out who owns it; disable it first and watch for DisabledException, and schedule deletion only after that"


def _unused_sentence(used: datetime | None, tracked: datetime | None, created: datetime | None, since: datetime) -> str:
    if used is not None:
        return f"the key was last used on {used.date().isoformat()}"
    if created is not None and (tracked is None or created >= tracked):
        return f"the key was never used since it was created on {created.date().isoformat()}"
    return f"the key was not used since tracking began on {since.date().isoformat()}"
