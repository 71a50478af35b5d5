"""A snapshot says again what KMS said: the same keys, the same errors, or what is wrong with it; nothing in between."""

import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.sources import snapshot
from kmslint.sources.aws import connect, read_all_keys
from kmslint.sources.files import Skipped, collect
from kmslint.sources.kms_answers import Answer, Failure, Observation, key_from
from kmslint.sources.snapshot import Header, closing_lines, header_line, key_line, keys_in_stream
from tests.fake_kms.server import FakeKey, FakeKms

AS_OF = "2026-11-24T08:00:00Z"
ARN = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}'
ANSWERS: dict[str, Answer] = {
    "DescribeKey": {"KeyMetadata": {"Arn": ARN, "KeyId": ARN[-36:], "CreationDate": datetime(2025, 1, 1, 0, 0, 0, 250_000, UTC)}},
    "ListGrants": Failure("AccessDenied", "AccessDenied on kms:ListGrants"),
    "GetKeyPolicy/default": {"Policy": POLICY, "ResponseMetadata": {"HTTPHeaders": {"authorization": "secret"}}},
}
OBSERVED = Observation(ARN, "us-east-1", AS_OF, ANSWERS)
GONE = SourceError("alias/gone", None, None, "no key `alias/gone` in us-east-1", "check the id")


def text_of(*observations: Observation, errors: tuple[SourceError, ...] = (), account: str | None = None) -> str:
    lines = header_line(Header(AS_OF, account)) + "".join(map(key_line, observations))
    return lines + closing_lines(len(observations), errors)


def read(text: str, account: str | None = None) -> list[Key | SourceError]:
    return list(keys_in_stream(io.BytesIO(text.encode()), "s.jsonl", account))


def plain(found: object) -> object:
    """What was found, a policy being what its text is."""
    if not isinstance(found, Key):
        return found
    return found._asdict() | {"policies": [(policy.name, policy.sha256, policy.size) for policy in found.policies]}


def test_a_snapshot_reads_as_the_scan_did() -> None:
    found = read(text_of(OBSERVED, errors=(GONE,)))
    assert [plain(one) for one in found] == [plain(key_from(OBSERVED)), GONE]


def test_an_empty_scan_is_whole() -> None:
    assert read(text_of()) == []


def test_headers_of_the_answer_are_not_kept() -> None:
    assert "secret" not in text_of(OBSERVED)


def test_the_owner_is_kept_and_may_be_overridden() -> None:
    bare = OBSERVED._replace(asked="00000000-0000-4000-8000-000000000001", answers={"DescribeKey": Failure("X", "X")})
    text = text_of(bare, account="111122223333")
    accounts = [found.account for found in (*read(text), *read(text, "444455556666")) if isinstance(found, Key)]
    assert accounts == ["111122223333", "444455556666"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
MOMENTS = st.datetimes(timezones=st.just(UTC)) | VALUES
"""botocore makes times of the fields that KMS documents as times, and of no others."""
METADATA = {
    **dict.fromkeys(("Arn", "KeyId", "KeyState", "Origin", "MultiRegion", "PendingDeletionWindowInDays"), VALUES),
    **dict.fromkeys(("CreationDate", "DeletionDate", "ValidTo"), MOMENTS),
}
OPERATIONS: Mapping[str, st.SearchStrategy[Any]] = {
    "DescribeKey": st.fixed_dictionaries({"KeyMetadata": st.fixed_dictionaries({}, optional=METADATA) | VALUES}),
    "GetKeyPolicy/default": st.fixed_dictionaries({"Policy": st.just(POLICY) | VALUES}),
    "GetKeyRotationStatus": st.fixed_dictionaries({"KeyRotationEnabled": VALUES, "NextRotationDate": MOMENTS}),
    "ListAliases": st.fixed_dictionaries({"Aliases": st.lists(st.fixed_dictionaries({"AliasName": VALUES}), max_size=2)}),
    "ListGrants": st.fixed_dictionaries({"Grants": st.lists(VALUES, max_size=2)}),
    "ListKeyRotations": st.fixed_dictionaries(
        {"Rotations": st.lists(st.fixed_dictionaries({"RotationDate": MOMENTS}), max_size=2)}
    ),
    "ListResourceTags": st.builds(Failure, st.text(), st.text()),
}


@given(st.fixed_dictionaries({}, optional=OPERATIONS), st.text())  # type: ignore[arg-type]
def test_whatever_kms_says_is_judged_the_same_from_a_snapshot(answers: dict[str, Answer], asked: str) -> None:
    """But for a number that JSON has no word for: NaN is equal to nothing, not even to itself."""
    observation = Observation(asked, None, AS_OF, answers)
    (found,) = read(text_of(observation))
    assert isinstance(found, Key)
    wanted = key_from(observation)
    facts = {name: fact for name, fact in wanted.facts.items() if "nan" not in repr(fact) and "inf" not in repr(fact)}
    assert {name: found.facts[name] for name in facts} == facts
    assert plain(found._replace(facts={})) == plain(wanted._replace(facts={}))


def faulty() -> Iterator[tuple[str, str, int, str]]:
    whole = text_of(OBSERVED, errors=(GONE,))
    lines = whole.splitlines(keepends=True)
    yield "policy changed", whole.replace("kms:Decrypt", "kms:Encrypt"), 2, "the answer of `GetKeyPolicy/default`"
    yield "failure changed", whole.replace("AccessDenied on", "Throttled on"), 2, "the answer of `ListGrants`"
    yield "cut", "".join(lines[:-1]), 3, "it has no last line"
    yield "cut in a line", whole[:-20], 4, "the line is not JSON"
    yield "a key taken out", "".join([lines[0], *lines[2:]]), 3, "0 keys and 1 errors were read"
    yield "an error taken out", "".join([*lines[:2], lines[3]]), 3, "1 keys and 0 errors were read"
    yield "a key after the end", whole + lines[1], 5, "the line is no key, error or end"
    yield "another format", whole.replace("snapshot/1", "snapshot/9"), 1, "is no snapshot: expected `kmslint-snapshot/1`"
    yield "an odd time", whole.replace(AS_OF, "9999-99-99T00:00:00Z", 1), 1, "`as_of` is not a time"
    yield "an odd time of a key", lines[0] + lines[1].replace(AS_OF, "today"), 2, "the line is no key, error or end"
    yield "empty", "", 1, "the line is not JSON"
    yield "deep", lines[0] + "[" * 200_000 + "\n", 2, "the line is not JSON"
    yield "a list", lines[0] + "[]\n", 2, "the line is no JSON object"
    yield (
        "odd answers",
        lines[0] + '{"key":"k","region":null,"as_of":"2026-11-24T08:00:00Z","answers":[7]}\n',
        2,
        "an answer has no operation",
    )
    yield "odd error", lines[0] + '{"error":{"source":7}}\n', 2, "an error has no source or message"
    yield "odd end", lines[0] + '{"end":true}\n', 2, "its last line counts true"
    yield "no answers", lines[0] + '{"key":"k"}\n', 2, "the line is no key, error or end"


@pytest.mark.parametrize(("text", "line", "message"), [case[1:] for case in faulty()], ids=[case[0] for case in faulty()])
def test_a_changed_or_cut_snapshot_is_an_error_of_the_input(text: str, line: int, message: str) -> None:
    (*_, last) = read(text)
    assert isinstance(last, SourceError)
    assert (last.line, message in last.message) == (line, True)


def test_a_line_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = text_of(OBSERVED)
    monkeypatch.setattr(snapshot, "MAX_LINE", len(key_line(OBSERVED)))
    assert [type(found) for found in read(text)] == [Key]
    monkeypatch.setattr(snapshot, "MAX_LINE", len(key_line(OBSERVED)) - 1)
    (found,) = read(text)
    assert isinstance(found, SourceError)
    assert "longer than" in found.message


# --- among files


def test_a_snapshot_is_met_among_files_and_other_lines_are_not(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(text_of(OBSERVED))
    (tmp_path / "b.jsonl").write_text(json.dumps({"Statement": "kms"}) + "\n{}\n")
    found = list(collect([str(tmp_path)], settings=Settings()))
    assert [plain(one) for one in found] == [
        plain(key_from(OBSERVED)),
        Skipped(str(tmp_path / "b.jsonl"), "no snapshot of a scan"),
    ]


def test_lines_that_are_named_and_no_snapshot_are_an_error(tmp_path: Path) -> None:
    file = tmp_path / "b.jsonl"
    file.write_text("{}\n{}\n")
    (found,) = collect([str(file)], settings=Settings())
    assert isinstance(found, SourceError)


def test_moment_of(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(text_of())
    assert (snapshot.moment_of(str(file)), snapshot.moment_of(str(tmp_path))) == (AS_OF, None)


# --- from a scan


def test_a_scan_tells_each_key_once_and_its_snapshot_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    with FakeKms(page_size=2) as kms:
        for number in range(5):
            kms.add(
                FakeKey(key_id=f"00000000-0000-4000-8000-00000000000{number}", grants=[{"GrantId": "g", "CreationDate": 1.5}])
            )
        kms.deny("ListResourceTags")
        told: list[Observation] = []
        with_clients = connect(None, "us-east-1", kms.url)
        found = list(read_all_keys(with_clients, now=AS_OF, include=("rotations",), observed=told.append))
        with_clients.close()
    assert len(told) == 5
    assert [plain(one) for one in read(text_of(*told))] == [plain(one) for one in found]
