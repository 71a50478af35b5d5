"""Real documents: every key policy is found, everything else is named with its reason, and nothing raises.

Here stand facts about the files of the shared corpus (names, places of faults), none of their text.
"""

from collections import Counter
from pathlib import Path

import pytest

from kmslint.errors import InputError
from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.policy.parse import parse_policy, parse_statements
from kmslint.sources.files import Found, Skipped, collect
from kmslint.tree import Node

BROKEN = {
    # not JSON, with the place and the fault
    "ExpediaGroup__apiary-data-lake__templates_apiary-kms-key-policy.json": (4, 1, "found `%`, expected a value"),
    "KZNGroup__serverless-connect-voicemail__kms-key-policy.json": (33, 11, "found `/`, expected a value"),
    "awsdocs__amazon-cloudwatch-logs-user-guide__doc_source_encrypt-log-data-kms.md__3.json": (
        29,
        95,
        "found the character U+000A in a string, which may hold no control character",
    ),
    "awsdocs__amazon-rds-user-guide__doc_source_USER_PerfInsights.access-control.md__1.json": (
        5,
        5,
        "found `/`, expected a member name in double quotes",
    ),
    "awsdocs__amazon-sagemaker-developer-guide__doc_source_feature-store-security-cross-account.md__2.json": (
        20,
        17,
        "found `]`, expected a value",
    ),
    "awsdocs__aws-kms-developer-guide__doc_source_kms-vpc-endpoint.md__4.json": (
        43,
        9,
        "found `}`, expected a member name in double quotes",
    ),
}
"""The documents of `json` that no strict reader takes: templates, comments, a broken line, commas too many."""


def found_in(folder: Path) -> list[Found]:
    return list(collect([str(folder)], settings=Settings()))


def keys(results: list[Found]) -> list[Key]:
    return [result for result in results if isinstance(result, Key)]


def errors(results: list[Found]) -> list[SourceError]:
    return [result for result in results if isinstance(result, SourceError)]


def test_every_key_policy_is_a_key_or_an_error_with_its_place(shared: Path) -> None:
    results = found_in(shared / "corpus/json")
    wrong = {Path(error.source).name: (error.line, error.column, error.message) for error in errors(results)}
    assert wrong == BROKEN
    assert [result for result in results if isinstance(result, Skipped)] == []
    assert len(keys(results)) + len(BROKEN) == len(list((shared / "corpus/json").iterdir())) == 84
    assert all(len(key.policies) == 1 and key.policies[0].policy.unknown == () for key in keys(results))
    assert all(key.policies[0].policy.statements for key in keys(results))


def test_what_real_key_policies_get_wrong(shared: Path) -> None:
    """AWS took these policies, so a complaint about the grammar would most likely be ours."""
    complaints = {
        Path(str(key.source.file)).name: [diagnostic.code for diagnostic in key.policies[0].diagnostics]
        for key in keys(found_in(shared / "corpus/json"))
        if key.policies[0].diagnostics
    }
    assert complaints == {
        "awslabs__aws-cloudformation-iam-policy-validator__cfn_policy_validator_tests_validation_tests_"
        "test_resource_validator.py__2.json": ["empty-principal"],
        "k9securityio__terraform-aws-kms-key__examples_generated.least_privilege_policy.json": ["empty-condition-values"] * 2,
    }


def test_what_is_no_key_policy_is_none(shared: Path) -> None:
    """The endpoint policies among them would be keys with a note; the only ones with principals are control policies."""
    results = found_in(shared / "corpus/json_other")
    assert keys(results) == []
    assert errors(results) == []
    reasons = Counter(result.reason for result in results if isinstance(result, Skipped))
    assert reasons == {
        "a policy without principals: an IAM policy or a service control policy": 91,
        "a resource control policy": 3,
    }


@pytest.mark.parametrize("folder", ["json_fragments", "api"])
def test_other_folders_hold_no_key_policy_yet(shared: Path, folder: str) -> None:
    results = found_in(shared / "corpus" / folder)
    assert keys(results) == []
    assert all(error.line is not None for error in errors(results))


@pytest.mark.parametrize("folder", ["json", "json_other", "json_fragments", "api", "plan", "cfn"])
def test_a_named_file_is_a_key_or_an_error_with_a_reason(shared: Path, folder: str) -> None:
    paths = sorted((shared / "corpus" / folder).iterdir())
    for path in paths:
        result, *_ = collect([str(path)], settings=Settings())
        assert isinstance(result, (Key, SourceError))
        if isinstance(result, SourceError):
            assert result.source == str(path)
            assert result.message.isprintable()
    for result in collect([str(path) for path in paths], settings=Settings(), type="policy"):
        assert isinstance(result, (Key, SourceError))


@pytest.mark.parametrize("folder", ["json", "json_other", "json_fragments", "api", "plan", "cfn"])
def test_every_part_of_every_document_can_be_read_as_a_policy(shared: Path, folder: str) -> None:
    """Whatever shape stands where a policy is expected, the parser answers."""
    for path in sorted((shared / "corpus" / folder).iterdir()):
        try:
            root = read_json(Text(path.read_text(encoding="utf-8"), file=str(path)))
        except (InputError, UnicodeDecodeError):
            continue
        for node in some_parts(root):
            policy, diagnostics = parse_policy(node)
            assert policy.statements or policy.unknown or diagnostics
            parse_statements(node)


def some_parts(root: Node) -> list[Node]:
    """The first few hundred nodes, breadth first."""
    found = [root]
    for node in found:
        if len(found) > 200:
            break
        found += [member.value for member in node.members()]
        found += node.items()
    return found


def test_places_in_real_policies_slice_back_to_what_was_read(shared: Path) -> None:
    for key in keys(found_in(shared / "corpus/json")):
        for statement in key.policies[0].policy.statements:
            for item in (*(statement.actions or ()), *(statement.resources or ())):
                assert item.node.text.content[item.node.start : item.node.end] == f'"{item.value}"'
            for entry in statement.principals or ():
                assert entry.node.text.content[entry.node.start : entry.node.end] == f'"{entry.value}"'
