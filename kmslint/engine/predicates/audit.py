"""Checks of the account around a key: trails that record its use, alarms on its destruction."""

import re
from collections.abc import Iterator, Mapping

from kmslint.engine.finding import Finding
from kmslint.engine.predicates.places import MANUAL, missing, quoted
from kmslint.model.key import Key, Known
from kmslint.model.settings import Settings
from kmslint.typed import Final

Params = Mapping[str, object]
Record = Mapping[str, object]

_KMS: Final = "kms.amazonaws.com"


def _records(key: Key, name: str) -> tuple[Record, ...]:
    fact = key.fact(name)
    values = fact.value if isinstance(fact, Known) and isinstance(fact.value, (list, tuple)) else ()
    return tuple(value for value in values if isinstance(value, Mapping))


def _list(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else ()


def key_use_not_logged(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """No trail that is logging records all management events of KMS, read and write, in the Region of the key.

    Source: AWS CloudTrail User Guide, "Logging management events"; KMS Developer Guide, "Logging AWS KMS API calls".
    """
    del settings, params
    unread = missing(key, "cloudtrail.trails", "which trails record the use of the key")
    if unread is not None:
        yield unread
        return
    trails = _records(key, "cloudtrail.trails")
    reasons = [_why_not(trail, key.region) for trail in trails]
    if any(reason is None for reason in reasons):
        return
    help = "record management events, read and write, of all Regions in a trail that excludes no source"
    if not trails:
        message = "no trail records the use of the key; the event history alone keeps 90 days"
    else:
        message = f"no trail records all use of the key: {reasons[0]}"
    yield Finding(outcome="FAIL", message=message, fact="cloudtrail.trails", help=help)


def _why_not(trail: Record, region: str | None) -> str | None:
    """Why a trail does not record every call on a key of `region`; None if it does."""
    name = quoted(str(trail.get("Name") or trail.get("TrailARN") or "a trail"))
    if trail.get("IsLogging") is False:
        return f"{name} is switched off"
    home = trail.get("HomeRegion")
    if trail.get("IsMultiRegionTrail") is False and region is not None and home not in {None, region}:
        return f"{name} records Region {quoted(str(home))} only"
    basic = [value for value in _list(trail.get("EventSelectors")) if isinstance(value, Mapping)]
    advanced = [value for value in _list(trail.get("AdvancedEventSelectors")) if isinstance(value, Mapping)]
    if any(_records_kms(selector) for selector in basic) or any(_selects_kms(selector) for selector in advanced):
        return None
    if not basic and not advanced and "EventSelectors" not in trail and "AdvancedEventSelectors" not in trail:
        return f"the event selectors of {name} were not read"
    return f"{name} leaves out events of KMS, or read events, which is how CloudTrail files Decrypt"


def _records_kms(selector: Record) -> bool:
    """A basic selector: management events of both kinds, KMS not excluded."""
    excluded = _list(selector.get("ExcludeManagementEventSources"))
    read_write = selector.get("ReadWriteType", "All")
    return selector.get("IncludeManagementEvents", True) is True and read_write == "All" and _KMS not in excluded


def _selects_kms(selector: Record) -> bool:
    """An advanced selector for management events that neither limits readOnly nor excludes KMS."""
    fields = {str(field.get("Field")): field for field in _list(selector.get("FieldSelectors")) if isinstance(field, Mapping)}
    category = fields.get("eventCategory")
    if category is None or "Management" not in _list(category.get("Equals")) or "readOnly" in fields:
        return False
    source = fields.get("eventSource")
    if source is None:
        return True
    wanted, unwanted = _list(source.get("Equals")), _list(source.get("NotEquals"))
    return _KMS not in unwanted and (not wanted or _KMS in wanted)


def weak_log_integrity(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """A trail without log file validation or without a KMS key, or one whose key is the key that it watches.

    Source: AWS CloudTrail User Guide, "Validating CloudTrail log file integrity", "Encrypting CloudTrail log files".
    """
    del settings, params
    unread = missing(key, "cloudtrail.trails", "how the logs of the key are kept")
    if unread is not None:
        yield unread
    for trail in _records(key, "cloudtrail.trails"):
        name = quoted(str(trail.get("Name") or trail.get("TrailARN") or "the trail"))
        log_key = trail.get("KmsKeyId")
        target = trail.get("Name") or "TRAIL"
        if trail.get("LogFileValidationEnabled") is False:
            command = f"aws cloudtrail update-trail --name {target} --enable-log-file-validation"
            message = f"{name} does not validate its log files, so an altered file goes unnoticed"
            yield Finding(outcome="FAIL", message=message, fact="cloudtrail.trails", help="enable it", command=command)
        if "KmsKeyId" in trail and not log_key:
            message = f"{name} does not encrypt its log files with a KMS key"
            help = "give the trail a KMS key of its own, apart from the keys of the data"
            yield Finding(outcome="FAIL", message=message, fact="cloudtrail.trails", help=help)
        elif log_key and log_key in {key.arn, key.key_id}:
            message = f"{name} encrypts its log files with the key that it watches"
            help = "use a key of its own for logs, so that readers of logs and users of data stay apart"
            yield Finding(outcome="FAIL", message=message, severity="info", fact="cloudtrail.trails", help=help)


_WATCHED: Final = ("DisableKey", "ScheduleKeyDeletion")
_WATCHED_STRICTLY: Final = (*_WATCHED, "PutKeyPolicy", "CreateGrant", "DeleteImportedKeyMaterial", "DisableKeyRotation")


def no_key_alarms(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """No alarm with a receiver, and no rule with a target, watches for the disabling and the deletion of keys.

    Source: CIS AWS Foundations Benchmark, monitoring of disabling or scheduled deletion of customer created keys.
    """
    del params
    unread = missing(key, "alarms", "what alarms watch the key")
    if unread is not None:
        yield unread
        return
    watched = _WATCHED_STRICTLY if settings.strict else _WATCHED
    alarms = _records(key, "alarms")
    heard = [alarm for alarm in alarms if _has_receiver(alarm)]
    unwatched = [event for event in watched if not any(_matches(alarm, event) for alarm in heard)]
    if not unwatched:
        return
    events = ", ".join(f"`{event}`" for event in unwatched)
    silent = any(_matches(alarm, event) for alarm in alarms for event in unwatched)
    why = "the alarm on it reaches nobody" if silent else "no alarm watches for it"
    help = "create an EventBridge rule, or a metric filter with an alarm, for these events of kms.amazonaws.com, and confirm a subscriber"
    yield Finding(outcome="FAIL", message=f"nobody is told about {events}: {why}", fact="alarms", help=help)


def _has_receiver(alarm: Record) -> bool:
    return alarm.get("receivers") != 0 and alarm.get("enabled") is not False


_EVENT_NAME: Final = re.compile(r"eventName\s{0,9}=\s{0,9}\"?(?P<name>[A-Za-z*]{1,64})\"?")
_EVENT_SOURCE: Final = re.compile(r"eventSource\s{0,9}=\s{0,9}\"?(?P<name>[a-z.*]{1,64})\"?")


def _matches(alarm: Record, event: str) -> bool:
    """Whether a filter pattern of CloudWatch Logs, or an event pattern of EventBridge, catches `event` of KMS."""
    text = alarm.get("filterPattern")
    if isinstance(text, str):
        sources = {match["name"] for match in _EVENT_SOURCE.finditer(text)}
        names = {match["name"] for match in _EVENT_NAME.finditer(text)}
        return event in names and _KMS in sources and "!=" not in text
    pattern = alarm.get("eventPattern")
    detail = pattern.get("detail") if isinstance(pattern, Mapping) else None
    if not isinstance(detail, Mapping):
        return False
    sources_wanted, names_wanted = detail.get("eventSource"), detail.get("eventName")
    return (sources_wanted is None or _KMS in _list(sources_wanted)) and (names_wanted is None or event in _list(names_wanted))


_SIX_YEARS: Final = 2192
"""Days in any six years. Source: 45 CFR 164.316(b)(2)(i)."""


def unretained_evidence(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """The store of reports is not known to keep them for six years; the retention of audit logs is for a person to confirm.

    Source: 45 CFR 164.316(b)(2)(i), which is about documentation; that it covers raw logs is disputed.
    """
    del params
    retained = next(
        (t.get("evidence_retention_days") for t in _records(key, "cloudtrail.trails") if "evidence_retention_days" in t), None
    )
    store = quoted(settings.evidence_store or "")
    if isinstance(retained, int) and retained < _SIX_YEARS:
        message = f"the evidence store {store} keeps reports for {retained} days, less than six years ({_SIX_YEARS} days)"
        help = "write reports to a bucket with object lock or a lifecycle of at least six years"
        yield Finding(outcome="FAIL", message=message, help=help)
    elif not isinstance(retained, int):
        message = f"confirm that {store} keeps reports for six years, and audit logs for the {settings.log_retention_days} days that you chose"
        reason = "the retention of the store was not read"
        yield Finding(outcome=MANUAL, message=message, reason=reason)
