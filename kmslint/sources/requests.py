"""What a user asks about: requests as JSON, one, a list, or one a line; and statements that describe sets of requests.

A request is `{"principal", "action", "context", "key"?, "parent"?}`, as a report prints a witness. Read with the plain JSON
reader, ten times faster than the one that knows places: a file may hold a hundred thousand requests.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from kmslint.aws import actions
from kmslint.errors import InputError, UsageError
from kmslint.jsontext import quoted, read_json
from kmslint.location import Text
from kmslint.policy.principals import OTHER, identify
from kmslint.policy.request import ContextValue, KeyContext, Request
from kmslint.tree import ARRAY, BOOLEAN, NULL, OBJECT, Node
from kmslint.typed import Final, NamedTuple

_MEMBERS: Final = ("principal", "action", "context", "key", "parent")
_NEEDED: Final = ("principal", "action")
_KEY_ARN: Final = re.compile(r"arn:(aws[a-z-]*):kms:([a-z0-9-]+):([0-9]{12}):key/([A-Za-z0-9-]+)")
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_ACTION: Final = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_TEXTS: Final = ("spec", "usage", "origin", "multi_region_type", "org_id")


class Asked(NamedTuple):
    """One request and, where the request itself says so, the key that it is made to."""

    request: Request
    has_key: bool = False


class _Fault(ValueError):
    """What is wrong with one request, and the remedy."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


def read_requests(text: str, source: str) -> list[Asked]:
    """The requests of `text`: one object, a list of objects, or objects one after the other (JSON Lines).

    Raises:
        InputError: `text` is not JSON, or something in it is no request; with the line where that starts.
    """
    found: list[Asked] = []
    for at, value in _values(text.removeprefix("\ufeff"), source):
        for item in value if isinstance(value, list) else [value]:
            try:
                found.append(_asked(item))
            except _Fault as fault:
                which = f"request {len(found)}: " if isinstance(value, list) else ""
                raise InputError(which + fault.message, source=source, line=_line(text, at), help=fault.help) from None
    if not found:
        raise InputError("holds no request", source=source, help=_EXAMPLE)
    return found


_EXAMPLE: Final = 'write {"principal": ARN, "action": "kms:Decrypt", "context": {}}'


def request_of(value: object) -> Asked:
    """The request that a plain value (as `json.loads` gives it) describes. Raises UsageError when it describes none."""
    try:
        return _asked(value)
    except _Fault as fault:
        raise UsageError(fault.message, help=fault.help) from None


def read_context(pairs: Sequence[str]) -> dict[str, ContextValue]:
    """The request context of `--context K=V` options: a key that repeats, or a JSON list as V, makes a set.

    Raises UsageError where a pair is none.
    """
    found: dict[str, ContextValue] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip().lower()
        if not equals or not name:
            raise UsageError(f"`--context {pair}` is no pair", help="write --context aws:SourceIp=198.51.100.7")
        value = _listed(text)
        if name in found:
            value = frozenset(_members(found[name]) | _members(value))
        found[name] = value
    return found


def read_statements(text: str, source: str) -> list[dict[str, object]]:
    """The statements of `text`, one object or a list of objects, as plain values.

    Raises:
        InputError: `text` is not JSON, names something twice, or holds something else than statements.
    """
    node = read_json(Text(text, file=source))
    items = node.items() if node.kind == ARRAY else (node,)
    for item in items:
        if item.kind != OBJECT:
            raise _misplaced(item, "expected a statement, or a list of statements")
    return [_plain_object(item) for item in items]


# --- requests


def _values(text: str, source: str) -> Iterator[tuple[int, object]]:
    """Each JSON value of `text` with its offset."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_members_once, parse_int=str, parse_float=str, parse_constant=_refuse_constant, strict=True
    )
    at = _skip(text, 0)
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            told = f"not JSON: {error.msg.lower()}"
            raise InputError(told, source=source, line=error.lineno, column=error.colno) from None
        except _Fault as fault:
            raise InputError(fault.message, source=source, line=_line(text, at), help=fault.help) from None
        except RecursionError:
            raise InputError("values are nested too deep", source=source, line=_line(text, at)) from None
        yield at, value
        at = _skip(text, end)


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _members_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Fault(f"the member {quoted(twice)} is there twice", "keep one")
    return found


def _refuse_constant(word: str) -> object:
    raise _Fault(f"JSON has no {word}")


def _asked(value: object) -> Asked:
    if not isinstance(value, Mapping):
        raise _Fault("a request is an object", _EXAMPLE)
    for name in value:
        if name not in _MEMBERS:
            raise _Fault(f"a request has no member {quoted(str(name))}", f"known: {', '.join(_MEMBERS)}")
    for name in _NEEDED:
        if name not in value:
            raise _Fault(f"the request lacks `{name}`", _EXAMPLE)
    request = Request(
        principal_of(value["principal"]),
        action_of(value["action"]),
        _context(value.get("context", {})),
        _key(value["key"]) if value.get("key") is not None else KeyContext(),
        _parent(value.get("parent")),
    )
    return Asked(request, value.get("key") is not None)


def principal_of(value: object) -> str | None:
    """The principal of a request. Raises a ValueError that says what it may be."""
    if value is None:
        return None
    if isinstance(value, str) and identify(value).kind != OTHER:
        return value
    shown = quoted(value) if isinstance(value, str) else "this"
    raise _Fault(
        f"{shown} is no principal that calls AWS KMS",
        "an ARN of a user, a role, a session or an account's root, a service such as s3.amazonaws.com, or null for nobody",
    )


def action_of(value: object) -> str:
    """The action of a request, a known one in AWS's spelling. Raises a ValueError for what is no single action."""
    if isinstance(value, str) and _ACTION.fullmatch(value):
        prefix, _, name = value.partition(":")
        known = actions.ACTIONS.get(name.lower()) if prefix.lower() == "kms" else None
        return value if known is None else f"kms:{known.name}"
    shown = quoted(value) if isinstance(value, str) else "this"
    raise _Fault(f"{shown} is not one action", "write one such as kms:Decrypt, without wildcards")


def _parent(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise _Fault("`parent` is the ARN of the user behind a federated session")


def _context(value: object) -> dict[str, ContextValue]:
    if not isinstance(value, Mapping):
        raise _Fault("`context` is an object of condition keys")
    found: dict[str, ContextValue] = {}
    for name, item in value.items():
        lower = str(name).lower()
        if lower in found:
            raise _Fault(f"the condition key {quoted(lower)} is there twice", "names of condition keys ignore case")
        found[lower] = _value(lower, item)
    return found


def _value(name: str, item: object) -> ContextValue:
    if isinstance(item, list | tuple | set | frozenset):
        return frozenset(_scalar(name, one) for one in item)
    return _scalar(name, item)


def _scalar(name: str, item: object) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str | int | float):
        return str(item)
    what = "leave out a key that is absent" if item is None else "a value is a text, a number, true, false, or a list of them"
    raise _Fault(f"the condition key {quoted(name)} has no such value", what)


def _key(value: object) -> KeyContext:
    """The key of a request: its ARN, or an object with `arn` and what is known of the key's metadata."""
    if isinstance(value, str):
        return key_context(value)
    if not isinstance(value, Mapping) or not isinstance(value.get("arn"), str):
        raise _Fault("`key` is a key ARN, or an object with `arn`, `spec`, `usage`, `origin`, …")
    known: dict[str, str] = {}
    for name in value:
        if name not in {"arn", *_TEXTS}:
            raise _Fault(f"`key` has no member {quoted(str(name))}", f"known: arn, {', '.join(_TEXTS)}")
        if not isinstance(value[name], str):
            raise _Fault(f"`{name}` of `key` is a text")
        known[str(name)] = value[name]
    return key_context(known["arn"])._replace(
        spec=known.get("spec"),
        usage=known.get("usage"),
        origin=known.get("origin"),
        multi_region_type=known.get("multi_region_type"),
        org_id=known.get("org_id"),
    )


def key_context(arn: str) -> KeyContext:
    """What a key ARN tells of its key. Raises a ValueError for anything else."""
    found = _KEY_ARN.fullmatch(arn)
    if found is None:
        raise _Fault(f"{quoted(arn)} is not a key ARN", "such as arn:aws:kms:eu-central-1:111122223333:key/ID")
    return KeyContext(account=found[3], region=found[2], partition=found[1], key_id=found[4])


def _listed(text: str) -> ContextValue:
    """The value of a `--context` option: the members of a JSON list of scalars, else the text itself."""
    if not text.startswith("["):
        return text
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
        return _value("", value) if isinstance(value, list) else text
    except (ValueError, RecursionError):
        return text


def _members(value: ContextValue) -> frozenset[str]:
    return frozenset({value}) if isinstance(value, str) else value


# --- statements


def _plain_object(node: Node) -> dict[str, object]:
    found: dict[str, object] = {}
    for member in node.members():
        if member.key in found:
            raise _misplaced(member.key_node, f"the member {quoted(member.key)} is there twice")
        found[member.key] = _plain(member.value)
    return found


def _plain(node: Node) -> object:
    """The plain value of a tree; its depth is bounded by the reader's. A number or boolean stays what a condition reads."""
    if node.kind == OBJECT:
        return _plain_object(node)
    if node.kind == ARRAY:
        return [_plain(item) for item in node.items()]
    if node.kind in {BOOLEAN, NULL}:
        return node.value
    return str(node.value)


def _misplaced(node: Node, message: str) -> InputError:
    line, column = node.text.position(node.start)
    return InputError(message, source=node.text.file, line=line, column=column)
