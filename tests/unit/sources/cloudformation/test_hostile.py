"""Hostile templates end in keys or in one clear error, soon, whatever they hold."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.sources.cloudformation import keys_from_template
from kmslint.sources.files import collect
from kmslint.sources.template_files import is_template


@contextmanager
def within(seconds: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


def outcome(content: str) -> list[Key | SourceError] | InputError:
    try:
        found = keys_from_template(Text(content, file="t.yaml"))
    except InputError as error:
        return error
    return list(found) if isinstance(found, list) else []


KEY = "Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy: {policy}\n"


def test_text_that_doubles_ends_in_an_error() -> None:
    content = f"x: &a0 {'y' * 100_000}\n"
    content += "".join(f"b{n}: &a{n} !Join ['', [{', '.join([f'*a{n - 1}'] * 10)}]]\n" for n in range(1, 5))
    with within(10):
        found = outcome(content + KEY.format(policy="*a4"))
    assert isinstance(found, InputError)
    assert "steps to evaluate" in found.message


def test_a_parameter_that_is_used_often_is_counted() -> None:
    use = "!Sub '" + "${P}" * 2_000 + "'"
    head = "Parameters:\n  P: {Type: String, Default: '" + "x" * 100_000 + "'}\n"
    with within(10):
        found = outcome(head + KEY.format(policy=f"{{Id: {use}, Statement: []}}"))
    assert isinstance(found, (InputError, list))


@pytest.mark.parametrize(
    "content",
    [
        "Type: AWS::KMS::Key\n" * 20_000,
        "Type" + " " * 200_000 + ": AWS::KMS::Key",
        'Type\\\\\\\\"' * 50_000 + "AWS::KMS::Key",
        "AWS::KMS::" + "Type: " * 100_000,
        KEY.format(policy="'" + "${self:" * 50_000 + "'"),
        KEY.format(policy="'" + "{{resolve:" * 50_000 + "'"),
        KEY.format(policy="!Sub '" + "${" * 100_000 + "'"),
        KEY.format(policy="'{" + "\\ue000" * 1_000 + "'"),
        KEY.format(policy="[" * 90 + "]" * 90),
        KEY.format(policy="!Sub [a, " * 40 + "b" + "]" * 40),
        KEY.format(policy="{Ref: " * 40 + "b" + "}" * 40),
    ],
    ids=range(11),
)  # fmt: skip
def test_odd_texts_end_soon(content: str) -> None:
    with within(5):
        is_template(content)
        outcome(content)


def test_many_keys_are_read_in_time() -> None:
    keys = "".join(
        f"  K{n}:\n    Type: AWS::KMS::Key\n    Properties: {{Description: !Sub '${{AWS::Region}} {n}'}}\n" for n in range(500)
    )
    with within(10):
        found = outcome("Resources:\n" + keys)
    assert isinstance(found, list)
    assert len(found) == 500


def test_references_in_circles_end() -> None:
    content = (
        "Parameters: {A: {Type: String, Default: !Ref A}}\n"
        "Mappings: {M: {a: {b: !FindInMap [M, a, b]}}}\n"
        "Conditions: {C: !Condition D, D: !Or [!Condition C, !Condition D]}\n"
        "Resources:\n"
        "  R: {Type: AWS::IAM::Role, Properties: {RoleName: !Sub '${S}', Path: !GetAtt R.Arn}}\n"
        "  S: {Type: AWS::IAM::Role, Properties: {RoleName: !Ref R}}\n"
        "  Key:\n    Type: AWS::KMS::Key\n    Condition: C\n    Properties:\n"
        "      Description: !FindInMap [M, a, b]\n"
        "      KeyPolicy: {Id: !Ref A, Statement: {Effect: Allow, Principal: {AWS: [!GetAtt R.Arn, !Ref S]}, Action: 'kms:*', Resource: '*'}}\n"
    )
    with within(5):
        found = outcome(content)
    assert isinstance(found, (list, InputError))


def test_long_chains_of_references_end() -> None:
    roles = "".join(f"  R{n}: {{Type: AWS::IAM::Role, Properties: {{RoleName: !Ref R{n + 1}}}}}\n" for n in range(1_500))
    nest = "!Not [" * 60 + "!Condition C{n}" + "]" * 60
    conditions = "".join(f"  C{n}: {nest.format(n=n + 1)}\n" for n in range(200))
    key = "  Key:\n    Type: AWS::KMS::Key\n    Properties: {Description: !If [C0, !Sub '${R0}', x], KeyPolicy: !Sub '${R0}'}\n"
    with within(5):
        assert isinstance(outcome(f"Conditions:\n{conditions}Resources:\n{key}{roles}"), list)


def test_unrelated_files_are_not_parsed(tmp_path: pytest.TempPathFactory) -> None:
    folder = str(tmp_path)
    for number in range(300):
        with open(f"{folder}/{number}.yaml", "w", encoding="utf-8") as file:
            file.write("kind: Deployment\nspec: [a, b]\n" * 500)
    with within(3):
        assert not [found for found in collect([folder], settings=Settings()) if isinstance(found, (Key, SourceError))]


FRAGMENTS = st.sampled_from(
    ["Resources", "Key", "Type", "AWS::KMS::Key", "AWS::KMS::Alias", "Properties", "KeyPolicy", "Statement", "Ref", "Fn::Sub", "Fn::If",
     "Fn::Join", "Fn::GetAtt", "Fn::FindInMap", "Fn::Select", "Fn::Split", "Fn::ForEach::X", "Conditions", "Parameters", "Default", "Tags",
     "TargetKeyId", "Condition", "Fn::Equals", "Fn::Not", "Mappings", "AWS::NoValue", "AWS::AccountId", "${AWS::AccountId}", "C", "P", "{}"]
)  # fmt: skip
TREES = st.recursive(
    FRAGMENTS | st.booleans() | st.none() | st.integers(0, 99),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FRAGMENTS, inner, max_size=4),
    max_leaves=25,
)


@given(TREES, TREES, TREES, TREES)
def test_any_tree_is_a_template_of_keys(properties: object, conditions: object, parameters: object, more: object) -> None:
    document = {
        "Parameters": parameters,
        "Conditions": conditions,
        "Mappings": more,
        "Resources": {
            "Key": {"Type": "AWS::KMS::Key", "Properties": properties, "Condition": "C"},
            "Other": {
                "Type": "AWS::KMS::Key",
                "Properties": {"KeyPolicy": properties, "Tags": more, "EnableKeyRotation": parameters},
            },
            "Name": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": more, "TargetKeyId": {"Ref": "Key"}}},
            "More": more,
        },
    }
    found = outcome(json.dumps(document))
    assert isinstance(found, list)
    assert any(isinstance(item, Key) and str(item.source.address).startswith("Other") for item in found)


@given(st.integers(0, 10_000), st.sampled_from(["", "x", "\n", "  - ", ": ", "{", "*", "!Sub "]))
def test_a_cut_or_changed_template_is_read_or_a_fault(at: int, put: str) -> None:
    content = (
        "Parameters:\n  P: {Type: String}\nConditions:\n  C: !Equals [!Ref P, x]\nResources:\n  Key:\n    Type: AWS::KMS::Key\n"
        "    Properties:\n      KeyPolicy:\n        Version: 2012-10-17\n        Statement:\n          - Effect: Allow\n"
        "            Principal: {AWS: !If [C, !Sub 'arn:aws:iam::${AWS::AccountId}:root', !Ref P]}\n            Action: kms:*\n            Resource: '*'\n"
    )
    at %= len(content)
    for changed in (content[:at] + put, content[:at] + put + content[at + 1 :]):
        found = outcome(changed)
        assert isinstance(found, InputError) or all(isinstance(item, (Key, SourceError)) for item in found)
