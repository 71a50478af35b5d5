"""Checks of principals: their form, and what is left of deleted ones."""

from collections.abc import Iterator, Mapping

from kmslint.engine.finding import Finding
from kmslint.engine.predicates.places import Place, literal, quoted, statements
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.pattern import pattern
from kmslint.policy.document import Principal
from kmslint.tree import Template

Params = Mapping[str, object]

_UNIQUE_ID = pattern(r"A(?:GPA|IDA|IPA|KIA|NPA|NVA|PKA|ROA|SCA|SIA)[A-Z0-9]{8,124}\Z")
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-")
_PATH = frozenset(map(chr, range(ord("!"), ord("~") + 1)))
"""The characters of a part of a path: printable ASCII (the slash parts them)."""
_SERVICE = pattern(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|aws\.internal|amazon\.com|aws\.com)\Z")


def invalid_principal(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every principal whose form a key policy does not understand.

    Source: IAM User Guide, "AWS JSON policy elements: Principal"; KMS Developer Guide, "Key policies" (no IAM groups).
    """
    del settings, params
    for place in statements(key):
        for entry in place.statement.principals or ():
            finding = _judge(place, entry, key.partition)
            if finding is not None:
                yield finding


def _judge(place: Place, entry: Principal, partition: str) -> Finding | None:
    if entry.kind in {"Federated", "CanonicalUser"}:
        message = f"a {entry.kind} principal is not supported in a key policy: {quoted(entry.value)}"
        return place.finding(message, severity="low", node=entry.node, help="name the role that the identity assumes")
    if isinstance(entry.value, Template):
        return _judge_template(place, entry, entry.value, partition)
    if entry.kind == "Service":
        return _judge_service(place, entry, entry.value)
    wrong = _wrong_form(entry.value, partition) if entry.kind == "AWS" else None
    if wrong is None:
        return None
    why, help = wrong
    return place.finding(f"the principal {quoted(entry.value)} {why}", node=entry.node, help=help)


def _judge_service(place: Place, entry: Principal, text: str) -> Finding | None:
    if _SERVICE.match(text):
        return None
    why = "matches nobody" if text == "*" else "is not the name of an AWS service"
    help = "write the service's full name, such as `cloudtrail.amazonaws.com`"
    return place.finding(f"the service principal {quoted(text)} {why}", node=entry.node, help=help)


def _judge_template(place: Place, entry: Principal, value: Template, partition: str) -> Finding | None:
    """What is sure of a principal with a hole.

    A literal part with a wildcard inside an ARN can never become a valid form, whatever the rest resolves to. Text that stands in
    a name of a valid form is taken for such a name: AWS refuses a policy in which it is none. All else is open.
    """
    fixed = [part for part in value.parts if isinstance(part, str)]
    if entry.kind == "AWS" and any("*" in part or "?" in part or ":group/" in part for part in fixed):
        message = f"the principal {quoted(value)} has a part that no valid principal has"
        return place.finding(message, node=entry.node, help="name roles or users in full; put a pattern into aws:PrincipalArn")
    named = "".join(part if isinstance(part, str) else "x" for part in value.parts)
    is_valid = _SERVICE.match(named) if entry.kind == "Service" else _wrong_form(named, partition) is None
    if fixed and is_valid:
        return None
    return place.unresolved("whether this is a principal of a valid form is open", value, node=entry.node)


def _wrong_form(text: str, partition: str) -> tuple[str, str] | None:
    """Why an AWS principal is wrong and what to do; None for a valid one."""
    if text == "*":
        return None
    arn, _, rest = text.partition(":")
    parts = rest.split(":", 4)
    if arn != "arn" or len(parts) < 5 or not _begins_arn(*parts[:4]) or not parts[4]:
        if _is_account(text) or _is_unique_id(text):
            return None
        return "is neither an account, an IAM or STS ARN, nor `*`", "name an account, a role or a user by its ARN"
    named, service, _, _, resource = parts
    if resource.startswith("group/"):
        return "is an IAM group, which cannot be a principal", "name the roles that the group's members assume"
    if "*" in resource or "?" in resource:
        pattern = "name the account and add ArnLike on aws:PrincipalArn with this pattern"
        return "has a wildcard inside an ARN, which AWS takes literally or rejects", pattern
    if not _is_resource(service, resource):
        return "is not a user, role, session or account", "name a role or a user by its ARN"
    if named != partition:
        return f"is of partition {quoted(named)}, the key of {quoted(partition)}", "name a principal of the key's partition"
    return None


def _begins_arn(partition: str, service: str, region: str, account: str) -> bool:
    """Whether these parts of an ARN are those of a principal."""
    is_partition = partition.isascii() and partition.replace("-", "a").isalnum() and partition == partition.lower()
    return is_partition and service in {"iam", "sts"} and not region and _is_account(account)


def _is_unique_id(text: str) -> bool:
    return text.startswith("A") and _UNIQUE_ID.match(text) is not None


def _is_account(text: str) -> bool:
    return len(text) == 12 and text.isascii() and text.isdigit()


def _is_resource(service: str, resource: str) -> bool:
    """Whether the last part of an ARN names a user, role, session or account."""
    kind, *path = resource.split("/")
    if not path or not path[-1] or not _NAME.issuperset(path[-1]):
        return service == "iam" and resource == "root"
    if service == "iam":
        return kind in {"user", "role"} and all(part and _PATH.issuperset(part) for part in path[:-1])
    if kind == "assumed-role":
        return len(path) == 2 and path[0] != "" and _NAME.issuperset(path[0])
    return kind == "federated-user" and len(path) == 1


_OF_UNIQUE_IDS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def _may_be_unique_id(value: Template) -> bool:
    """Whether nothing that is known of the text keeps it from being a unique id."""
    return all(_OF_UNIQUE_IDS.issuperset(part) for part in value.parts if isinstance(part, str))


def orphaned_principal(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every principal that is a unique id: what KMS shows after the user or role was deleted.

    Source: IAM User Guide, "IAM identifiers", unique identifiers; KMS Developer Guide, "Key policies".
    """
    del settings, params
    for place in statements(key):
        for entry in place.statement.principals or ():
            if entry.kind == "AWS" and isinstance(entry.value, Template) and _may_be_unique_id(entry.value):
                yield place.unresolved(
                    "whether this is the unique id of a deleted principal is open", entry.value, node=entry.node
                )
                continue
            text = literal(entry.value)
            if entry.kind == "AWS" and text is not None and _is_unique_id(text):
                message = f"the principal {quoted(text)} is a unique id: the user or role it stood for was deleted"
                help = "remove the id; if the role exists again, name its ARN"
                yield place.finding(message, node=entry.node, help=help)
