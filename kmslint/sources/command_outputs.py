"""What other `aws kms` commands printed into the folder of a key policy: the facts of the same key.

`get-key-policy.json` beside `describe-key.json`, `get-key-rotation-status.json`, `list-aliases.json`, … is one key. An answer
is known by its content. Several keys in one folder are told apart by what stands in the names beside the command's.

Source: AWS CLI Command Reference, kms.
"""

import json
import os
import stat
from collections.abc import Mapping
from re import IGNORECASE

from kmslint.model.key import Absent, Fact, Key, Unknown
from kmslint.pattern import pattern
from kmslint.sources.kms_answers import Answer, Observation, Record, items_of, key_from, records_of, text_of
from kmslint.typed import Final

MAX_FILES: Final = 40
"""Files of a folder that are looked at. A folder with more holds no answers side by side."""

MAX_BYTES: Final = 1_000_000
"""Bytes of one answer."""

_OPERATIONS: Final[Mapping[str, str]] = {
    # a member that only this answer has: the operation
    "KeyMetadata": "DescribeKey",
    "KeyRotationEnabled": "GetKeyRotationStatus",
    "Aliases": "ListAliases",
    "Tags": "ListResourceTags",
    "Grants": "ListGrants",
    "PolicyNames": "ListKeyPolicies",
    "Rotations": "ListKeyRotations",
    "KeyLastUsage": "GetKeyLastUsage",
}
_COMMANDS: Final = pattern(
    r"get[-_]key[-_]policy|describe[-_]key|get[-_]key[-_]rotation[-_]status|list[-_]aliases|list[-_]resource[-_]tags|list[-_]grants"
    r"|list[-_]key[-_]policies|list[-_]key[-_]rotations|get[-_]key[-_]last[-_]usage",
    IGNORECASE,
)
_ACCOUNT_WIDE: Final = frozenset({"ListAliases"})


def with_neighbours(key: Key, path: str) -> Key:
    """The key of the policy in the file at `path`, with the facts that the answers beside it state."""
    answers = _answers(path)
    described = answers.get("DescribeKey")
    metadata = described.get("KeyMetadata") if isinstance(described, Mapping) else None
    key_id = text_of(metadata, "KeyId") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or key_id is None or key.key_id not in {None, key_id}:
        return key
    arn = text_of(metadata, "Arn") or key_id
    mine = {
        operation: found for operation, answer in answers.items() if (found := _of(answer, operation, key_id, arn)) is not None
    }
    seen = key_from(Observation(arn, key.region, "", mine), account=key.account)
    return seen._replace(
        source=key.source,
        policies=key.policies,
        facts=_facts(seen, mine),
        sha256=key.sha256,
        as_of=key.as_of,
        policies_unread=_lost(key, mine),
        notes=(),
    )


def _facts(seen: Key, answers: Mapping[str, Answer]) -> dict[str, Fact]:
    """The facts that were printed; those of a command that was not run are not in the source."""
    if "GetKeyRotationStatus" in answers:
        return dict(seen.facts)
    return {
        name: fact
        for name, fact in seen.facts.items()
        if not (name.startswith("rotation.") and isinstance(fact, (Absent, Unknown)))
    }


def _lost(key: Key, answers: Mapping[str, Answer]) -> str | None:
    """Which policies of the key are not there."""
    listed = answers.get("ListKeyPolicies")
    names = items_of(listed, "PolicyNames") if isinstance(listed, Mapping) else ()
    missing = [str(name) for name in names if name not in {policy.name for policy in key.policies}]
    return f"the policy `{missing[0]}` is not among the files" if missing else None


def _of(answer: Record, operation: str, key_id: str, arn: str) -> Record | None:
    """The part of an answer that is about the key; None for an answer about another one."""
    if operation in _ACCOUNT_WIDE:
        return {"Aliases": [record for record in records_of(answer, "Aliases") if text_of(record, "TargetKeyId") == key_id]}
    named = text_of(answer, "KeyId")
    return answer if named in {None, key_id, arn} else None


def _answers(path: str) -> dict[str, Record]:
    """The answers beside a file by operation. Of two for one operation neither counts, and of none where a second policy is."""
    own = os.path.basename(path)
    rest = _COMMANDS.sub("", own, count=1)
    found: dict[str, list[Record]] = {}
    for name in _names(path):
        if rest not in {own, _COMMANDS.sub("", name, count=1)} and "alias" not in name.lower():
            continue
        content = _read(os.path.join(os.path.dirname(path), name))
        if rest == own and '"PolicyName"' in content:
            return {}
        answer = _object(content)
        operation = next((_OPERATIONS[member] for member in _OPERATIONS if member in answer), None)
        if operation is not None:
            found.setdefault(operation, []).append(answer)
    return {operation: answers[0] for operation, answers in found.items() if len(answers) == 1}


def _names(path: str) -> list[str]:
    """The names of the other JSON files of a small folder, in order."""
    names: list[str] = []
    try:
        with os.scandir(os.path.dirname(path) or os.curdir) as entries:
            for entry in entries:
                names += [entry.name] if entry.name.endswith(".json") else []
                if len(names) > MAX_FILES:
                    return []
    except OSError:
        return []
    return sorted(name for name in names if name != os.path.basename(path))


def _read(path: str) -> str:
    """The text of a regular file; empty for anything else."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return ""
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def _object(content: str) -> Record:
    """The object that a text holds, if it is an answer; empty otherwise."""
    try:
        found = json.loads(content) if any(f'"{member}"' in content for member in _OPERATIONS) else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
