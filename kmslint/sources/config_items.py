"""Keys among the items of AWS Config: configuration snapshots, histories, and what `aws configservice` prints.

The latest item of each key counts. Names are compared without their case: snapshot and command spell some differently.

Source: AWS Config Developer Guide, "Components of a configuration item", "Example configuration history and snapshot from AWS
Config"; AWS Config resource schema, AWS::KMS::Key.
"""

from collections.abc import Iterator

from kmslint.errors import InputError
from kmslint.jsontext import read_embedded, read_json
from kmslint.location import Text
from kmslint.model.key import UNREAD, Fact, Key, KeyPolicy, Source, Unknown
from kmslint.policy.parse import parse_policy
from kmslint.sha256 import hexdigest
from kmslint.sources.kms_answers import Failure, Observation, Record, key_from, split_arn
from kmslint.sources.policy_json import DEFAULT_POLICY, NotAKey
from kmslint.tree import ARRAY, BOOLEAN, NUMBER, OBJECT, STRING, Node
from kmslint.typed import Final, Union

_KEY: Final = "aws::kms::key"
_GONE: Final = frozenset({"resourcedeleted", "resourcenotrecorded", "resourcedeletednotrecorded"})
_POLICY: Final = ("policy", "keypolicy")
_FIELDS: Final = (
    "Arn", "KeyId", "AWSAccountId", "CreationDate", "Enabled", "Description", "KeyUsage", "KeyState", "DeletionDate", "ValidTo", "Origin",
    "CustomKeyStoreId", "ExpirationModel", "KeyManager", "CustomerMasterKeySpec", "KeySpec", "MultiRegion",
)  # fmt: skip
"""Of the item's `configuration`, as DescribeKey spells them."""


def keys_from_config(
    text: Text,
    *,
    named: bool = True,  # noqa: ARG001  # the shape of every reader
    type: str = "auto",  # noqa: ARG001
    arn: str | None = None,  # noqa: ARG001
    account: str | None = None,
    account_source: str = "given",
    region: str | None = None,  # noqa: ARG001
) -> Union[list[Key], NotAKey]:
    """The keys whose items are in `text`, their ids left empty. A key's own ARN says whose it is.

    Raises:
        InputError: `text` is not JSON.
    """
    latest: dict[str, Node] = {}
    for item in _items(read_json(text)):
        name = _text(item, "arn") or _text(item, "resourceid") or ""
        before = latest.get(name)
        if before is None or _moment(before) <= _moment(item):
            latest[name] = item
    keys = [_key(item, account, account_source) for item in latest.values() if _status(item) not in _GONE]
    return keys or NotAKey("no item of a KMS key in it")


def _items(root: Node) -> Iterator[Node]:
    """The items of keys, wherever they stand."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.kind == OBJECT and (_text(node, "resourcetype") or "").lower() == _KEY:
            yield node
        else:
            stack.extend(reversed([*(member.value for member in node.members()), *node.items()]))


def _member(node: Node | None, *names: str) -> Node | None:
    """The first member whose name, in any case, is one of `names`."""
    members = node.members() if node is not None else ()
    return next((member.value for member in members if member.key.lower() in names), None)


def _text(node: Node | None, *names: str) -> str | None:
    found = _member(node, *names)
    value = found.as_text() if found is not None else None
    return value if isinstance(value, str) else None


def _moment(item: Node) -> str:
    return _text(item, "configurationitemcapturetime") or ""


def _status(item: Node) -> str:
    return (_text(item, "configurationitemstatus") or "").lower()


def _part(item: Node, name: str) -> Node | None:
    """An object of the item; `aws configservice` prints it as JSON text."""
    found = _member(item, name)
    if found is None or found.kind != STRING:
        return found
    try:
        return read_embedded(found)
    except InputError:
        return None


def _key(item: Node, account: str | None, account_source: str) -> Key:
    configuration, supplement = _part(item, "configuration"), _part(item, "supplementaryconfiguration")
    arn = _text(item, "arn") or _text(configuration, "arn") or _text(item, "resourceid") or ""
    answers = {"DescribeKey": {"KeyMetadata": _metadata(configuration, arn)}, **_answers(item, supplement)}
    seen = key_from(Observation(arn, _text(item, "awsregion"), _moment(item), answers), account=account)
    policy = _policy(configuration, supplement)
    line, column = item.text.position(item.start)
    key = seen._replace(
        source=Source("snapshot", item.text.file, item.text.uri, line, column),
        facts=_facts(seen, rotation_read=_text(supplement, "keyrotationstatus") is not None),
        as_of=_moment(item) or None,
        policies=(policy,) if policy is not None else (),
        sha256=policy.sha256 if policy is not None else None,
        policies_not_in_source=None if policy is not None else "the item of AWS Config holds no key policy",
    )
    owner = _text(item, "awsaccountid", "accountid")
    if key.account_source == "given" and key.account is not None:
        return key._replace(account_source=account_source)
    return key if key.account is not None or owner is None else key._replace(account=owner, account_source="arn")


def _metadata(configuration: Node | None, arn: str) -> dict[str, object]:
    """What the item says, as DescribeKey would."""
    found = {
        name: value
        for name in _FIELDS
        if (node := _member(configuration, name.lower())) is not None and (value := _plain(node)) is not None
    }
    return {"Arn": arn, **found} if split_arn(arn) else found


def _answers(item: Node, supplement: Node | None) -> dict[str, Record | Failure]:
    found: dict[str, Record | Failure] = {}
    rotation = _text(supplement, "keyrotationstatus")
    if rotation is not None and rotation.lower() in {"true", "false"}:
        found["GetKeyRotationStatus"] = {"KeyRotationEnabled": rotation.lower() == "true"}
    tags = _member(item, "tags")
    if tags is not None and tags.kind == OBJECT:
        pairs = [(member.key, _plain(member.value)) for member in tags.members()]
        found["ListResourceTags"] = {"Tags": [{"TagKey": name, "TagValue": value} for name, value in pairs]}
    elif tags is not None and tags.kind == ARRAY:
        listed = [{"TagKey": _text(tag, "key", "tagkey"), "TagValue": _text(tag, "value", "tagvalue")} for tag in tags.items()]
        found["ListResourceTags"] = {"Tags": listed}
    return found


def _facts(seen: Key, *, rotation_read: bool) -> dict[str, Fact]:
    """The facts of the item; what it never carries is left to be not in the source."""
    facts = {name: fact for name, fact in seen.facts.items() if not _is_silence(fact)}
    if not rotation_read:
        facts = {name: fact for name, fact in facts.items() if not name.startswith("rotation.")}
    facts.pop("rotation.next_date", None)
    facts.pop("rotation.on_demand_start", None)
    return facts


def _is_silence(fact: Fact) -> bool:
    return isinstance(fact, Unknown) and fact.kind == UNREAD and fact.reason.startswith("kms:")


def _policy(configuration: Node | None, supplement: Node | None) -> KeyPolicy | None:
    """The key policy, where the item holds it: as JSON text or as an object."""
    node = _member(supplement, *_POLICY) or _member(configuration, *_POLICY)
    if node is None or node.kind not in {STRING, OBJECT}:
        return None
    policy, diagnostics = parse_policy(node)
    content = str(node.value) if node.kind == STRING else node.text.content[node.start : node.end]
    data = content.encode("utf-8", "surrogatepass")
    return KeyPolicy(DEFAULT_POLICY, policy, diagnostics, hexdigest(data), len(data) if node.kind == STRING else None)


def _plain(node: Node) -> object:
    """The value of a scalar; None for anything else."""
    if node.kind == NUMBER:
        text = str(node.value)
        return int(text) if text.isdecimal() and len(text) < 16 else text
    return node.value if node.kind in {STRING, BOOLEAN} else None
