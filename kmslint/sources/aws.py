"""Live keys: what KMS answers, through boto3, as keys.

Reading goes on whatever is refused: an operation that is denied, unsupported, throttled out or too slow makes its own facts
unread, with the reason, and never drops the key. Only a key that does not exist, credentials that do not work and an
endpoint that does not answer are errors of the input.

Source: KMS API Reference, the operations named below; RULES "4.3 Verdicts" for the scanner's permissions.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from kmslint.errors import InputError, UsageError
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.sources.kms_answers import (
    DEFAULT_POLICY,
    Answer,
    Failure,
    Observation,
    Record,
    items_of,
    key_arn,
    key_from,
    metadata_of,
    primary_of,
    records_of,
    rotates_automatically,
    split_arn,
    text_of,
)
from kmslint.sources.kms_client import CREDENTIAL_HELP, WORKERS, Clients, KmsClient, answer_of, connect, pages_of
from kmslint.typed import Final, NamedTuple

__all__ = ["INCLUDES", "connect", "read_all_keys", "read_keys"]

INCLUDES: Final[Mapping[str, str]] = {"rotations": "ListKeyRotations", "last-usage": "GetKeyLastUsage"}
"""What is read only on request, because its quota is small (100 and 5 calls a second), and the operation that reads it."""

Progress = Callable[[int, int], None]
"""Told after each key: keys done, keys known of so far."""

Observed = Callable[[Observation], None]
"""Told of each key that was read, in order, before the key is handed out: what KMS answered."""

_WINDOW: Final = 64
"""Keys in flight: enough to keep the workers busy, few enough that memory does not grow with the account."""


def read_keys(
    clients: Clients,
    ids: Sequence[str],
    *,
    now: str,
    account: str | None = None,
    include: Sequence[str] = (),
    executor: Executor | None = None,
    progress: Progress | None = None,
    observed: Observed | None = None,
) -> Iterator[Key | SourceError]:
    """Each key once, in the order of `ids` (key ids, key ARNs, alias names, alias ARNs), or why it could not be read.

    `now` (ISO 8601) becomes `as_of`; `account` owns the keys of which KMS does not tell the owner. An ARN is read in its
    own Region. Without an `executor`, several keys are read by a few threads.
    Raises UsageError for an unknown word in `include` or a missing Region.
    """
    reader = _Reader(clients, now, account, _operations(include))
    return _read(reader, tuple(dict.fromkeys(ids)), executor, _Listeners(progress, observed))


def read_all_keys(
    clients: Clients,
    *,
    now: str,
    account: str | None = None,
    include: Sequence[str] = (),
    executor: Executor | None = None,
    progress: Progress | None = None,
    observed: Observed | None = None,
) -> Iterator[Key | SourceError]:
    """Every key of the account in the configured Region, AWS managed ones too, as `read_keys` reads them.

    A page of ListKeys that is refused is an error after the keys of the pages before it.
    """
    reader = _Reader(clients, now, account, _operations(include))
    return _read_pages(reader, pages_of(clients(None), "ListKeys", {}), executor, _Listeners(progress, observed))


def _read_pages(
    reader: "_Reader", pages: Iterator[Answer], executor: Executor | None, listeners: "_Listeners"
) -> Iterator[Key | SourceError]:
    before = 0
    for page in pages:
        if isinstance(page, Failure):
            yield _list_error(page)
            return
        found = [arn for record in records_of(page, "Keys") if (arn := text_of(record, "KeyArn") or text_of(record, "KeyId"))]
        yield from _read(reader, found, executor, listeners.after(before))
        before += len(found)


class _Listeners(NamedTuple):
    """Who is told while keys are read."""

    progress: Progress | None
    observed: Observed | None

    def after(self, before: int) -> "_Listeners":
        """The same for a page that comes after `before` keys."""
        progress = self.progress
        if progress is None:
            return self
        return self._replace(progress=lambda done, total: progress(before + done, before + total))


class _Reader(NamedTuple):
    """How to read one key: the unit of work, picklable when its clients are."""

    clients: Clients
    now: str
    account: str | None
    extra: tuple[str, ...]

    def read(self, asked: str) -> "_Seen | _Problem":
        """The key and what KMS answered about it, or why there is none."""
        try:
            observation = self.observe(asked)
        except InputError as error:
            return _Problem("credentials", SourceError(asked, None, None, error.message, error.help))
        if isinstance(observation, _Problem):
            return observation
        return _Seen(observation, key_from(observation, account=self.account))

    def observe(self, asked: str) -> "Observation | _Problem":
        """Every answer about the key `asked`, or why there is no key to ask about."""
        place = split_arn(asked)
        client = self._client(place.region) if place else self.clients(None)
        if isinstance(client, Failure):
            return _Problem("key", SourceError(asked, None, None, *_no_such_key(asked, None)))
        region: str = client.meta.region_name
        described = answer_of(client, "DescribeKey", KeyId=asked)
        if isinstance(described, Failure) and (problem := _problem(described, asked, region)):
            return problem
        answers: dict[str, Answer] = {"DescribeKey": described}
        observation = Observation(asked, region, self.now, answers)
        target = text_of(metadata_of(observation), "Arn") or _resolve(client, asked)
        if target is None:
            answers |= _unasked(described, self.extra)
            return observation
        answers |= _about(client, target, self.extra)
        answers |= self._rotation(client, target, metadata_of(observation))
        return observation._replace(asked=target)

    def _rotation(self, client: KmsClient, target: str, metadata: Record) -> dict[str, Answer]:
        """GetKeyRotationStatus where it applies; of a replica, that of its primary in its own Region.

        Source: KMS Developer Guide, "Rotating multi-Region keys": rotation is set on the primary key only.
        """
        if rotates_automatically(metadata) is False:
            return {}
        primary = primary_of(metadata)
        place = split_arn(primary) if primary else None
        if place is None:
            return {"GetKeyRotationStatus": answer_of(client, "GetKeyRotationStatus", KeyId=target)}
        there = self._client(place.region)
        answer = there if isinstance(there, Failure) else answer_of(there, "GetKeyRotationStatus", KeyId=primary)
        if isinstance(answer, Failure):
            answer = Failure(answer.code, f"{answer.reason} for the primary key `{primary}`")
        return {"GetKeyRotationStatus": answer}

    def _client(self, region: str) -> KmsClient | Failure:
        """The client of a Region that an ARN names, which may be any text."""
        try:
            return self.clients(region)
        except UsageError:
            return Failure("NoRegion", "no such Region")


class _Seen(NamedTuple):
    """A key that was read."""

    observation: Observation
    key: Key


class _Problem(NamedTuple):
    """Why there is no key. `kind`: "key" (this one) | "unreachable" | "credentials" (no key can be read)."""

    kind: str
    error: SourceError


def _operations(include: Sequence[str]) -> tuple[str, ...]:
    for word in include:
        if word not in INCLUDES:
            raise UsageError(f"`--include {word}` is not known", help=f"known are {', '.join(sorted(INCLUDES))}")
    return tuple(INCLUDES[word] for word in sorted(set(include)))


def _about(client: KmsClient, target: str, extra: Sequence[str]) -> dict[str, Answer]:
    """What KMS says about the key `target` (a key id or ARN: these operations take no alias)."""
    operations = ("ListKeyPolicies", "ListAliases", "ListResourceTags", "ListGrants", *extra)
    answers = {operation: answer_of(client, operation, KeyId=target) for operation in operations}
    for name in _policy_names(answers["ListKeyPolicies"]):
        answers[f"GetKeyPolicy/{name}"] = answer_of(client, "GetKeyPolicy", KeyId=target, PolicyName=name)
    return answers


def _unasked(described: Answer, extra: Sequence[str]) -> dict[str, Answer]:
    """The answers about an alias whose key could not be found out: all missing, for the same reason."""
    reason = described if isinstance(described, Failure) else Failure("NoArn", "kms:DescribeKey answered without Arn")
    operations = ("ListAliases", "ListResourceTags", "ListGrants", "GetKeyRotationStatus", *extra)
    return {**dict.fromkeys(operations, reason), f"GetKeyPolicy/{DEFAULT_POLICY}": reason}


def _policy_names(answer: Answer) -> list[str]:
    """The names of the key's policies, `default` first and always."""
    listed = () if isinstance(answer, Failure) else items_of(answer, "PolicyNames")
    others = {name for name in listed if isinstance(name, str)} - {DEFAULT_POLICY}
    return [DEFAULT_POLICY, *sorted(others)]


def _resolve(client: KmsClient, asked: str) -> str | None:
    """The key to ask about when DescribeKey does not tell, by its ARN if a list tells that; None for an unknown alias."""
    place = split_arn(asked)
    name = place.resource if place else asked
    if name.startswith("alias/"):
        return _resolve_alias(client, asked, name)
    return asked if place else _listed_arn(client, asked) or asked


def _resolve_alias(client: KmsClient, asked: str, name: str) -> str | None:
    listed = answer_of(client, "ListAliases")
    if isinstance(listed, Failure):
        return None
    mine = [alias for alias in records_of(listed, "Aliases") if text_of(alias, "AliasName") == name]
    return key_arn(Observation(asked, None, "", {"ListAliases": {"Aliases": mine}}))


def _listed_arn(client: KmsClient, key_id: str) -> str | None:
    for page in pages_of(client, "ListKeys", {}):
        for key in () if isinstance(page, Failure) else records_of(page, "Keys"):
            if text_of(key, "KeyId") == key_id:
                return text_of(key, "KeyArn")
    return None


# --- many keys


def _read(reader: _Reader, ids: Sequence[str], executor: Executor | None, listeners: _Listeners) -> Iterator[Key | SourceError]:
    if executor is not None or len(ids) <= 1:
        yield from _collect(reader, ids, executor, listeners)
        return
    with ThreadPoolExecutor(min(WORKERS, len(ids))) as threads:
        yield from _collect(reader, ids, threads, listeners)


def _collect(
    reader: _Reader, ids: Sequence[str], executor: Executor | None, listeners: _Listeners
) -> Iterator[Key | SourceError]:
    """The results in order, each key once. Where no key can be read, the first error stands for all."""
    seen: set[str] = set()
    for done, outcome in enumerate(_in_order(reader, ids, executor), 1):
        if listeners.progress is not None:
            listeners.progress(done, len(ids))
        if isinstance(outcome, _Problem):
            yield outcome.error
            if outcome.kind == "credentials" or (outcome.kind == "unreachable" and not seen):
                return
        elif outcome.key.identity() not in seen:
            seen.add(outcome.key.identity())
            if listeners.observed is not None:
                listeners.observed(outcome.observation)
            yield outcome.key


def _in_order(reader: _Reader, ids: Sequence[str], executor: Executor | None) -> Iterator[_Seen | _Problem]:
    if executor is None:
        yield from (reader.read(asked) for asked in ids)
        return
    waiting: deque[Future[_Seen | _Problem]] = deque()
    try:
        for asked in ids:
            waiting.append(executor.submit(reader.read, asked))
            if len(waiting) >= _WINDOW:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


# --- errors of the input


_NO_SUCH_KEY: Final = frozenset({"NotFound", "InvalidArn", "Validation", "InvalidRequest"})


def _problem(failure: Failure, asked: str, region: str | None) -> _Problem | None:
    """What to tell instead of a key; None when the key may well exist and only DescribeKey is closed to us."""
    if failure.code in _NO_SUCH_KEY:
        return _Problem("key", SourceError(asked, None, None, *_no_such_key(asked, region)))
    return _no_connection(failure, asked)


def _no_connection(failure: Failure, source: str) -> _Problem | None:
    if failure.code == "Credentials":
        return _Problem("credentials", SourceError(source, None, None, failure.reason, CREDENTIAL_HELP))
    if failure.code in {"Unreachable", "Unreadable"}:
        return _Problem("unreachable", SourceError(source, None, None, failure.reason, _ENDPOINT_HELP))
    return None


_ENDPOINT_HELP: Final = "check --region, --endpoint-url, AWS_ENDPOINT_URL and the network or proxy between here and KMS"


def _no_such_key(asked: str, region: str | None) -> tuple[str, str]:
    where = f" in {region}" if region else ""
    if "/" not in asked and ":" not in asked and not re.fullmatch(r"(mrk-)?[0-9a-fA-F-]{32,36}", asked):
        return f"no key `{asked}`{where}", "pass a key id, a key ARN, an alias ARN, or an alias name as alias/NAME"
    return f"no key `{asked}`{where}", "check the id and --region; aws kms list-keys names the keys there"


def _list_error(failure: Failure) -> SourceError:
    problem = _no_connection(failure, "--all")
    if problem is not None:
        return problem.error
    return SourceError("--all", None, None, failure.reason, "allow kms:ListKeys, or name the keys with --key-id")
