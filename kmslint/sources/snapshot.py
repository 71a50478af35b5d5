"""A snapshot: what KMS answered in one scan, so that it can be judged again without AWS. JSON Lines, one key a line.

    {"format": "kmslint-snapshot/1", "tool": …, "as_of": …, "account": …}
    {"key": the id that was asked for, "region": …, "as_of": …, "answers": [{"operation": …, "sha256": …, "answer": …}, …]}
    {"error": {"source": …, "line": …, "column": …, "message": …, "help": …}}
    {"end": {"keys": …, "errors": …}}

An answer is what KMS said, all pages joined, times in UTC and whole seconds; its `sha256` is that of its canonical text (names
sorted, no blanks, ASCII). Instead of `answer` a line may carry `failure`: why there is none. A snapshot without its last line is
cut short, an answer with another digest was changed: both are errors of the input, never keys.
"""

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from kmslint import __version__
from kmslint.errors import InputError
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.sha256 import hexdigest
from kmslint.sources.kms_answers import Answer, Failure, Observation, key_from
from kmslint.typed import TYPE_CHECKING, Any, Final, NamedTuple, Union

if TYPE_CHECKING:
    from typing import BinaryIO

FORMAT: Final = "kmslint-snapshot/1"
MAX_LINE: Final = 64_000_000
"""Bytes of one line: a key may have 50 000 grants, of about 500 bytes each."""

Found = Union[Key, SourceError]


class Header(NamedTuple):
    """What holds for the whole snapshot. `account` owns the keys of which KMS did not tell the owner."""

    as_of: str
    account: str | None
    tool: str = __version__


# --- writing


def header_line(header: Header) -> str:
    """The first line."""
    return _line({"format": FORMAT, **header._asdict()})


def key_line(observation: Observation) -> str:
    """The line of one key."""
    answers = [_stated(operation, answer) for operation, answer in observation.answers.items()]
    return _line({"key": observation.asked, "region": observation.region, "as_of": observation.as_of, "answers": answers})


def closing_lines(keys: int, errors: Iterable[SourceError]) -> str:
    """The lines of what could not be read, and the last line."""
    listed = [_line({"error": error._asdict()}) for error in errors]
    return "".join(listed) + _line({"end": {"keys": keys, "errors": len(listed)}})


def _stated(operation: str, answer: Answer) -> dict[str, object]:
    if isinstance(answer, Failure):
        said: object = answer._asdict()
        return {"operation": operation, "sha256": _digest(said), "failure": said}
    said = {name: _storable(value) for name, value in answer.items() if name != "ResponseMetadata"}
    return {"operation": operation, "sha256": _digest(said), "answer": said}


def _storable(value: object) -> object:
    """The value as JSON holds it; null for what JSON has no word for, so that no text comes of what is no text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(name): _storable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(item) for item in value]
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return None


def _line(value: Mapping[str, object]) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def _digest(value: object) -> str:
    return hexdigest(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


# --- reading


def is_snapshot(path: str) -> bool:
    """Whether the regular file at `path` begins as a snapshot does. False where it cannot be read."""
    return _header_of(path) is not None


def moment_of(path: str) -> str | None:
    """The time of observation of the snapshot at `path`; None where it is none."""
    header = _header_of(path)
    return None if header is None else header.as_of


def keys_in_file(path: str, name: str, account: str | None = None) -> Iterator[Found]:
    """The keys of the snapshot at `path`, as the scan yielded them, and what is wrong with it. A line at a time.

    `account` owns the keys of which KMS did not tell the owner; without it, the account that the snapshot states.
    """
    try:
        with open(path, "rb") as stream:
            yield from keys_in_stream(stream, name, account)
    except OSError as error:
        yield SourceError(name, None, None, f"cannot be read: {(error.strerror or 'unknown error').lower()}")


def keys_in_stream(stream: "BinaryIO", name: str, account: str | None = None) -> Iterator[Found]:
    """As `keys_in_file`, from an open file."""
    number, keys, errors, end = 1, 0, 0, None
    try:
        header = _header(_object(stream.readline(MAX_LINE + 1)))
        while data := stream.readline(MAX_LINE + 1):
            number += 1
            record = _object(data) if end is None else {}
            if "end" in record:
                end = record["end"]
            elif "error" in record:
                errors += 1
                yield _error(record["error"])
            else:
                keys += 1
                yield key_from(_observation(record), account=account or header.account)
    except InputError as error:
        yield SourceError(name, number, None, error.message, _HELP)
        return
    if end != {"keys": keys, "errors": errors}:
        wanted = "it has no last line" if end is None else f"its last line counts {json.dumps(end)[:80]}"
        told = f"the snapshot is not whole: {keys} keys and {errors} errors were read, {wanted}"
        yield SourceError(name, number, None, told, _HELP)


_HELP: Final = "scan again, or take the copy whose SHA-256 stands in manifest.json"


def is_moment(text: str) -> bool:
    """Whether `text` is a time as kmslint writes it: UTC, ISO 8601, whole seconds."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").strftime("%Y-%m-%dT%H:%M:%SZ") == text
    except ValueError:
        return False


def _header_of(path: str) -> Header | None:
    if not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as stream:
            return _header(_object(stream.readline(4096)))
    except (OSError, InputError):
        return None


def _header(record: Mapping[str, Any]) -> Header:
    as_of, account, tool = record.get("as_of"), record.get("account"), record.get("tool")
    if record.get("format") != FORMAT or not isinstance(as_of, str) or not isinstance(tool, str):
        raise InputError(f"is no snapshot: expected `{FORMAT}`")
    if not is_moment(as_of):
        raise InputError("`as_of` is not a time as 2026-11-24T08:00:00Z")
    if account is not None and not isinstance(account, str):
        raise InputError("`account` is not an account id")
    return Header(as_of, account, tool)


def _object(data: bytes) -> Mapping[str, Any]:
    """The JSON object of one line. Raises InputError for anything else."""
    if len(data) > MAX_LINE:
        raise InputError(f"the line is longer than {MAX_LINE:,} bytes")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError("the line is not JSON") from None
    if not isinstance(found, dict):
        raise InputError("the line is no JSON object")
    return found


def _observation(record: Mapping[str, Any]) -> Observation:
    """What the line of a key states. Raises InputError where it does not say it, or its digests differ."""
    asked, region, as_of, listed = (record.get(name) for name in ("key", "region", "as_of", "answers"))
    texts_stand = isinstance(asked, str) and isinstance(as_of, str) and isinstance(region, (str, type(None)))
    if not texts_stand or not isinstance(listed, list) or not is_moment(str(as_of)):
        raise InputError("the line is no key, error or end")
    return Observation(str(asked), region, str(as_of), dict(_answer(item) for item in listed))


def _answer(item: object) -> tuple[str, Answer]:
    stated = item if isinstance(item, dict) else {}
    operation = stated.get("operation")
    said = stated.get("failure" if "failure" in stated else "answer")
    if not isinstance(operation, str) or not isinstance(said, dict):
        raise InputError("an answer has no operation or nothing said")
    if stated.get("sha256") != _digest(said):
        raise InputError(f"the answer of `{operation}` is not the one that was read: its SHA-256 differs")
    if "failure" not in stated:
        return operation, said
    code, reason = said.get("code"), said.get("reason")
    if not isinstance(code, str) or not isinstance(reason, str):
        raise InputError(f"the failure of `{operation}` has no code or reason")
    return operation, Failure(code, reason)


def _error(stated: object) -> SourceError:
    values = stated if isinstance(stated, dict) else {}
    source, message, help = values.get("source"), values.get("message"), values.get("help")
    line, column = (value if isinstance(value := values.get(name), int) else None for name in ("line", "column"))
    if not isinstance(source, str) or not isinstance(message, str) or not isinstance(help, (str, type(None))):
        raise InputError("an error has no source or message")
    return SourceError(source, line, column, message, help)
