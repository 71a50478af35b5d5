"""Every real template: no exception, and every key found that a second, independent count finds."""

import json
import re
from pathlib import Path

import pytest
import yaml

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.sources.cloudformation import DEFAULT_POLICY_NOTE, keys_from_template
from kmslint.sources.template_files import is_template
from tests.conftest import shared_path

SHARED = shared_path()
FOLDER = SHARED / "corpus" / "cfn" if SHARED else None
FILES = sorted(FOLDER.iterdir()) if FOLDER is not None and FOLDER.is_dir() else []

NOT_JSON = "parser_success_triple_quotes_string.json"
"""A test file with Python's triple quotes, which no template may hold."""


class _Loader(yaml.SafeLoader):
    """Plain Python values, whatever the tags."""


_Loader.add_multi_constructor("", lambda loader, _, node: _construct(loader, node))


def _construct(loader: yaml.SafeLoader, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else str(node.value)


def counted(value: object) -> list[str]:
    """The logical ids of the keys in a value, by another reader and another walk."""
    if isinstance(value, list):
        return [id for item in value for id in counted(item)]
    if not isinstance(value, dict):
        return []
    found = []
    for name, item in value.items():
        if isinstance(item, dict) and str(item.get("Type")) in {"AWS::KMS::Key", "AWS::KMS::ReplicaKey"}:
            found.append(str(name))
        found += counted(item)
    return found


def plainly(content: str) -> list[object]:
    """The documents of a text: JSON where it is that, else YAML, which takes a comma too many."""
    try:
        return [json.loads(content)]
    except ValueError:
        return list(yaml.load_all(content, Loader=_Loader))  # a safe loader


def read(path: Path) -> list[Key | SourceError]:
    content = path.read_text(encoding="utf-8")
    assert is_template(content)
    found = keys_from_template(Text(content, file=path.name))
    return found if isinstance(found, list) else []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[-60:])
def test_every_key_is_found(path: Path) -> None:
    content = path.read_text(encoding="utf-8")
    if path.name.endswith(NOT_JSON):
        with pytest.raises(InputError, match="expected"):
            read(path)
        return
    expected = [id for document in plainly(content) for id in counted(document)]
    textual = re.findall(r"""["']?\bType["']?\s*:\s*["']?AWS::KMS::(?:Replica)?Key["']?\s*(?:[,}]|$)""", content, re.MULTILINE)
    assert len(textual) == len(expected)
    found = read(path)
    assert [item for item in found if isinstance(item, SourceError)] == []
    names = [re.split(r" \(", str(item.source.address))[0] for item in found if isinstance(item, Key)]
    assert sorted(set(names)) == sorted(set(expected))
    assert len(names) >= len(expected)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[-60:])
def test_every_statement_stands_in_its_file(path: Path) -> None:
    if path.name.endswith(NOT_JSON):
        pytest.skip("no template")
    lines = path.read_text(encoding="utf-8").splitlines()
    for key in read(path):
        assert isinstance(key, Key)
        for statement in key.policies[0].policy.statements if DEFAULT_POLICY_NOTE not in key.notes else ():
            location = statement.node.locate()
            assert 1 <= location.line <= location.end_line <= len(lines)
            written = "\n".join(lines[location.line - 1 : location.end_line])
            assert statement.sid is None or "${" in str(statement.sid) or statement.sid in written
            assert location.file == path.name


def test_the_corpus_is_there() -> None:
    if not FILES:
        pytest.skip("the shared inputs are not there")
    assert len(FILES) > 90


def test_most_real_policies_are_resolved() -> None:
    """A policy that is unknown as a whole names what it waits for."""
    if not FILES:
        pytest.skip("the shared inputs are not there")
    keys = [key for path in FILES if not path.name.endswith(NOT_JSON) for key in read(path) if isinstance(key, Key)]
    unknown = [key.policies[0].policy.unknown for key in keys if key.policies[0].policy.unknown]
    assert len(unknown) <= 3
    assert all("`" in reason for reasons in unknown for reason in reasons)
