"""What KMS answered about one key, as a `Key`. Pure: no network, no clock.

An `Observation` holds the answers by operation (`DescribeKey`, `GetKeyPolicy/default`, …), all pages joined, or why there
is none. An operation that was not asked is not in it. Answers are other people's text: each field is used only when it
has the documented type, and a field that KMS always sends and did not is unread, not a default.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from re import fullmatch

from kmslint.errors import InputError
from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.model.key import UNREAD, Absent, Fact, Key, KeyPolicy, Known, Source, Unknown
from kmslint.policy.parse import parse_policy
from kmslint.typed import Final, NamedTuple, Union

LIVE: Final = "live"
DEFAULT_POLICY: Final = "default"
DEFAULT_PERIOD_DAYS: Final = 365
"""Source: KMS API Reference, GetKeyRotationStatus, RotationPeriodInDays: "The default value is 365 days"."""


class Failure(NamedTuple):
    """An operation without a usable answer. `reason` is one phrase, e.g. `AccessDenied on kms:GetKeyPolicy`."""

    code: str
    reason: str


Record = Mapping[str, object]
Answer = Union[Record, Failure]


class Observation(NamedTuple):
    """One key as KMS showed it at `as_of` (ISO 8601). `asked` is the id that was asked for, `region` where."""

    asked: str
    region: str | None
    as_of: str
    answers: Mapping[str, Answer]


class Arn(NamedTuple):
    """The parts of a KMS ARN. `resource` is `key/ID` or `alias/NAME`."""

    partition: str
    region: str
    account: str
    resource: str

    def key(self, key_id: str) -> str:
        """The ARN of another key of the same account and Region."""
        return f"arn:{self.partition}:kms:{self.region}:{self.account}:key/{key_id}"


def split_arn(text: str) -> Arn | None:
    """The parts of a KMS key or alias ARN; None for any other text."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "kms" or not all(parts):  # arn:p:kms:r:a:resource
        return None
    return Arn(parts[1], parts[3], parts[4], parts[5])


def text_of(record: Record, name: str) -> str | None:
    """The field `name` if it is text, else None."""
    value = record.get(name)
    return value if isinstance(value, str) else None


def records_of(record: Record, name: str) -> Iterator[Record]:
    """The objects in the list field `name`."""
    for item in items_of(record, name):
        if isinstance(item, Mapping):
            yield item


def items_of(record: Record, name: str) -> Sequence[object]:
    """The items of the list field `name`; () when it is no list."""
    value = record.get(name)
    return value if isinstance(value, (list, tuple)) else ()


def metadata_of(observation: Observation) -> Record:
    """What DescribeKey said of the key; empty when it was not read."""
    answer = observation.answers.get("DescribeKey")
    metadata = answer.get("KeyMetadata") if isinstance(answer, Mapping) else None
    return metadata if isinstance(metadata, Mapping) else {}


def rotates_automatically(metadata: Record) -> bool | None:
    """Whether automatic rotation exists for the key; None when DescribeKey does not tell.

    Source: KMS API Reference, EnableKeyRotation: symmetric encryption keys with material that KMS made, and no others.
    """
    spec, origin = _spec(metadata), text_of(metadata, "Origin")
    if spec is None or origin is None:
        return None
    return spec == "SYMMETRIC_DEFAULT" and origin == "AWS_KMS"


def primary_of(metadata: Record) -> str | None:
    """The ARN of the primary key if this key is a replica, else None."""
    configuration = metadata.get("MultiRegionConfiguration")
    if not isinstance(configuration, Mapping) or text_of(configuration, "MultiRegionKeyType") != "REPLICA":
        return None
    primary = configuration.get("PrimaryKey")
    return text_of(primary, "Arn") if isinstance(primary, Mapping) else None


def key_arn(observation: Observation) -> str | None:
    """The ARN of the observed key: from DescribeKey, from the id that was asked for, or from one of its aliases."""
    arn = text_of(metadata_of(observation), "Arn")
    if arn is not None and split_arn(arn):
        return arn
    asked = split_arn(observation.asked)
    if asked and asked.resource.startswith("key/"):
        return observation.asked
    for alias in _aliases(observation):
        owner, target = split_arn(text_of(alias, "AliasArn") or ""), text_of(alias, "TargetKeyId")
        if owner and target:
            return owner.key(target)
    return None


def key_from(observation: Observation, *, account: str | None = None) -> Key:
    """The key, everything that could not be read included as such. `account` is the owner when KMS does not tell.

    `id` is left empty: the report numbers its keys.
    """
    arn = key_arn(observation)
    place = split_arn(arn) if arn else None
    policies, unread = _policies(observation, arn or observation.asked)
    key_id = _key_id(observation, place)
    return Key(
        id="",
        source=Source(LIVE, uri=arn or observation.asked),
        policies=policies,
        facts=_facts(observation, key_id or ""),
        arn=arn,
        key_id=key_id,
        account=place.account if place else account,
        account_source=("arn" if place else "given") if place or account else None,
        region=place.region if place else observation.region,
        partition=place.partition if place else "aws",
        sha256=next((policy.sha256 for policy in policies if policy.name == DEFAULT_POLICY), None),
        as_of=observation.as_of,
        policies_unread=unread,
        notes=tuple(_notes(observation)),
    )


def _key_id(observation: Observation, place: Arn | None) -> str | None:
    if place and place.resource.startswith("key/"):
        return place.resource.removeprefix("key/")
    told = text_of(metadata_of(observation), "KeyId")
    bare = observation.asked if ":" not in observation.asked and not observation.asked.startswith("alias/") else None
    return told or bare


# --- policies


def _policies(observation: Observation, owner: str) -> tuple[tuple[KeyPolicy, ...], str | None]:
    policies = []
    unread = []
    for name, answer in _policy_answers(observation):
        policy = _policy(name, answer, owner)
        if isinstance(policy, KeyPolicy):
            policies.append(policy)
        else:
            unread.append(policy)
    names = observation.answers.get("ListKeyPolicies")
    if isinstance(names, Failure):
        unread.append(f"{names.reason}, so policies other than `{DEFAULT_POLICY}` may exist")
    return tuple(policies), "; ".join(unread) or None


def _policy_answers(observation: Observation) -> Iterator[tuple[str, Answer]]:
    for operation, answer in observation.answers.items():
        if operation.startswith("GetKeyPolicy/"):
            yield operation.removeprefix("GetKeyPolicy/"), answer


def _policy(name: str, answer: Answer, owner: str) -> KeyPolicy | str:
    """The policy, or why it could not be read."""
    if isinstance(answer, Failure):
        return f"{answer.reason} for policy `{name}`"
    content = text_of(answer, "Policy")
    if content is None:
        return f"kms:GetKeyPolicy answered without the text of policy `{name}`"
    try:
        node = read_json(Text(content, uri=f"{owner}#policy/{name}"))
    except InputError as error:
        return f"policy `{name}` is not JSON: line {error.line}, column {error.column}: {error.message}"
    policy, diagnostics = parse_policy(node)
    data = content.encode("utf-8", "surrogatepass")
    return KeyPolicy(name, policy, diagnostics, sha256(data).hexdigest(), len(data))


# --- facts


def _facts(observation: Observation, key_id: str) -> dict[str, Fact]:
    described = observation.answers.get("DescribeKey")
    if isinstance(described, Failure):
        facts = _undescribed_facts(observation, described, key_id)
    else:
        facts = _metadata_facts(metadata_of(observation), key_id)
    return {**facts, **_rotation_facts(observation), **_listed_facts(observation)}


_MULTI_REGION_FACTS: Final = ("multi_region.type", "multi_region.primary", "multi_region.replicas")
_METADATA_FACTS: Final = (
    "manager",
    "spec",
    "usage",
    "origin",
    "state",
    "created",
    "description",
    "multi_region",
    *_MULTI_REGION_FACTS,
    "deletion.date",
    "deletion.pending_window_days",
    "material.expiration_model",
    "material.valid_to",
    "custom_key_store",
)


def _undescribed_facts(observation: Observation, failure: Failure, key_id: str) -> dict[str, Fact]:
    """The facts of a key that DescribeKey does not show: unread, but for what its id and its aliases prove.

    Source: KMS API Reference, CreateAlias: names under `alias/aws/` are reserved for AWS managed keys, which all have one.
    """
    facts: dict[str, Fact] = dict.fromkeys(_METADATA_FACTS, Unknown(UNREAD, failure.reason))
    if isinstance(observation.answers.get("ListAliases"), Mapping):
        names = [text_of(alias, "AliasName") or "" for alias in _aliases(observation)]
        facts["manager"] = Known("AWS" if any(name.startswith("alias/aws/") for name in names) else "CUSTOMER")
    multi_region = _told_by_id(key_id)
    if multi_region is not None:
        facts["multi_region"] = Known(multi_region)
    if multi_region is False:
        facts |= dict.fromkeys(_MULTI_REGION_FACTS, Absent())
    return facts


def _told_by_id(key_id: str) -> bool | None:
    """Whether the key is a multi-Region key, by its id; None for text that is no key id.

    Source: KMS Developer Guide, "Multi-Region keys in AWS KMS": their ids, and no others, begin with `mrk-`.
    """
    if key_id.startswith("mrk-"):
        return True
    return False if fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", key_id) else None


def _metadata_facts(metadata: Record, key_id: str) -> dict[str, Fact]:
    """The facts of DescribeKey.

    Source: KMS API Reference, KeyMetadata: which fields are present in which state and for which origin.
    """
    state, origin = text_of(metadata, "KeyState"), text_of(metadata, "Origin")
    model = text_of(metadata, "ExpirationModel")
    imported = origin == "EXTERNAL" and state != "PendingImport"
    return {
        "manager": _told(metadata, "KeyManager"),
        "spec": _told(metadata, "KeySpec" if "KeySpec" in metadata else "CustomerMasterKeySpec"),
        "usage": _told(metadata, "KeyUsage"),
        "origin": _told(metadata, "Origin"),
        "state": _told(metadata, "KeyState"),
        "created": _told(metadata, "CreationDate"),
        "description": Known(text_of(metadata, "Description") or ""),
        "deletion.date": _told_if(state in {"PendingDeletion", None}, metadata, "DeletionDate"),
        "deletion.pending_window_days": _told_if(
            state in {"PendingReplicaDeletion", None}, metadata, "PendingDeletionWindowInDays", kind=int
        ),
        "material.expiration_model": _told_if(imported or origin is None, metadata, "ExpirationModel"),
        "material.valid_to": _told_if(model == "KEY_MATERIAL_EXPIRES", metadata, "ValidTo"),
        "custom_key_store": _told_if(origin not in {"AWS_KMS", "EXTERNAL"}, metadata, "CustomKeyStoreId"),
        **_multi_region_facts(metadata, key_id),
    }


def _multi_region_facts(metadata: Record, key_id: str) -> dict[str, Fact]:
    multi_region = metadata.get("MultiRegion", _told_by_id(key_id))
    if multi_region is False:
        return {"multi_region": Known(value=False), **dict.fromkeys(_MULTI_REGION_FACTS, Absent())}
    configuration = metadata.get("MultiRegionConfiguration")
    if multi_region is not True:
        return dict.fromkeys(("multi_region", *_MULTI_REGION_FACTS), _silent("MultiRegion"))
    if not isinstance(configuration, Mapping):
        return {"multi_region": Known(value=True), **dict.fromkeys(_MULTI_REGION_FACTS, _silent("MultiRegionConfiguration"))}
    primary = configuration.get("PrimaryKey")
    replicas = [arn for replica in records_of(configuration, "ReplicaKeys") if (arn := text_of(replica, "Arn"))]
    return {
        "multi_region": Known(value=True),
        "multi_region.type": _told(configuration, "MultiRegionKeyType"),
        "multi_region.primary": _told(primary, "Arn") if isinstance(primary, Mapping) else _silent("PrimaryKey"),
        "multi_region.replicas": Known(replicas),
    }


_ROTATION_FACTS: Final = ("rotation.enabled", "rotation.period_days", "rotation.next_date", "rotation.on_demand_start")


def _rotation_facts(observation: Observation) -> dict[str, Fact]:
    """The facts of GetKeyRotationStatus; Absent for a key that cannot rotate automatically."""
    answer = observation.answers.get("GetKeyRotationStatus")
    if answer is None:
        return dict.fromkeys(_ROTATION_FACTS, Absent())
    if isinstance(answer, Failure):
        return dict.fromkeys(_ROTATION_FACTS, Unknown(UNREAD, answer.reason))
    asked = "kms:GetKeyRotationStatus"
    on = answer.get("KeyRotationEnabled") is not False
    period: Record = {"RotationPeriodInDays": DEFAULT_PERIOD_DAYS, **answer}
    return {
        "rotation.enabled": _told(answer, "KeyRotationEnabled", asked, bool),
        "rotation.period_days": _told(period, "RotationPeriodInDays", asked, int) if on else Absent(),
        "rotation.next_date": _told_if(on, answer, "NextRotationDate", asked),
        "rotation.on_demand_start": _told_if(False, answer, "OnDemandRotationStartDate", asked),  # while it runs
    }


def _listed_facts(observation: Observation) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    for operation, name in _LISTED.items():
        answer = observation.answers.get(operation)
        if isinstance(answer, Failure):
            facts[name] = Unknown(UNREAD, answer.reason)
        elif answer is not None:
            facts[name] = _listed(name, answer)
    return facts


_LISTED: Final[Mapping[str, str]] = {
    "ListAliases": "aliases",
    "ListResourceTags": "tags",
    "ListGrants": "grants",
    "ListKeyRotations": "rotation.last_date",
    "GetKeyLastUsage": "last_used",
}


def _listed(name: str, answer: Record) -> Fact:
    if name == "aliases":
        return Known([alias for record in records_of(answer, "Aliases") if (alias := text_of(record, "AliasName"))])
    if name == "tags":
        return Known(
            {
                tag: text_of(record, "TagValue") or ""
                for record in records_of(answer, "Tags")
                if (tag := text_of(record, "TagKey"))
            }
        )
    if name == "grants":
        return Known([_plain(record) for record in records_of(answer, "Grants")])
    if name == "rotation.last_date":
        dates = [date for record in records_of(answer, "Rotations") if (date := _date(record.get("RotationDate")))]
        return Known(max(dates)) if dates else Absent()
    return _last_used(answer)


def _last_used(answer: Record) -> Fact:
    """`timestamp`, without which no use is recorded, and `tracking_start`, before which none could be."""
    usage = answer.get("KeyLastUsage")
    used = _date(usage.get("Timestamp")) if isinstance(usage, Mapping) else None
    dates = {"timestamp": used, "tracking_start": _date(answer.get("TrackingStartDate"))}
    told = {name: date for name, date in dates.items() if date}
    return Known(told) if told else _silent("KeyLastUsage or TrackingStartDate", "kms:GetKeyLastUsage")


def _notes(observation: Observation) -> Iterator[str]:
    rotation = observation.answers.get("GetKeyRotationStatus")
    if isinstance(rotation, Mapping) and rotation.get("KeyRotationEnabled") is True and "RotationPeriodInDays" not in rotation:
        yield f"kms:GetKeyRotationStatus gave no rotation period, so the default of {DEFAULT_PERIOD_DAYS} days is assumed"


# --- values


def _spec(metadata: Record) -> str | None:
    return text_of(metadata, "KeySpec") or text_of(metadata, "CustomerMasterKeySpec")


def _aliases(observation: Observation) -> Iterator[Record]:
    answer = observation.answers.get("ListAliases")
    return records_of(answer, "Aliases") if isinstance(answer, Mapping) else iter(())


def _told(record: Record, field: str, operation: str = "kms:DescribeKey", kind: type = str) -> Fact:
    """The field, which KMS always sends: without it, or with another type than documented, the fact is unread."""
    if field not in record:
        return _silent(field, operation)
    value = _plain(record[field])
    if type(value) is kind:
        return Known(value)
    return Unknown(UNREAD, f"{operation} answered with a {field} of an unexpected type")


def _told_if(expected: bool, record: Record, field: str, operation: str = "kms:DescribeKey", kind: type = str) -> Fact:
    """The field, which KMS sends only when it is `expected`: without it, and not expected, the fact is Absent."""
    return _told(record, field, operation, kind) if expected or field in record else Absent()


def _silent(field: str, operation: str = "kms:DescribeKey") -> Unknown:
    return Unknown(UNREAD, f"{operation} answered without {field}")


def _plain(value: object) -> object:
    """The value as JSON would hold it, dates as ISO 8601 in UTC."""
    if isinstance(value, datetime):
        return _date(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _date(value: object) -> str | None:
    """ISO 8601 in UTC, whole seconds; text is taken as it is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value if isinstance(value, str) else None
