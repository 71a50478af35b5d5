"""Real Terraform plans: no exception, and no key missed against a second count of the text."""

import re
from pathlib import Path

import pytest

from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.sources.policy_json import NotAKey
from kmslint.sources.terraform_plan import keys_from_plan
from tests.conftest import shared_path

PLANS = sorted(((shared_path() or Path("absent")) / "corpus" / "plan").glob("*.json"))

_KEY = re.compile(
    r'"address"\s*:\s*"((?:module\.[\w-]+(?:\[[^\]]*\])?\.)*aws_kms_(?:external_|replica_|replica_external_)?key\.[^"]*)"'
)


def keys(path: Path) -> list[Key]:
    found = keys_from_plan(Text(path.read_text(encoding="utf-8"), file=path.name))
    assert not isinstance(found, NotAKey), found
    return found


@pytest.mark.skipif(not PLANS, reason="no real inputs: neither KMSLINT_SHARED nor ../shared beside the checkout is a folder")
def test_every_key_is_found() -> None:
    assert len(PLANS) >= 10
    for path in PLANS:
        text = path.read_text(encoding="utf-8")
        planned = text[text.index('"planned_values"') : text.index('"resource_changes"')]
        assert sorted(key.source.address or "" for key in keys(path)) == sorted(set(_KEY.findall(planned))), path.name


@pytest.mark.skipif(not PLANS, reason="no real inputs: neither KMSLINT_SHARED nor ../shared beside the checkout is a folder")
def test_every_policy_is_known_or_says_why() -> None:
    for path in PLANS:
        for key in keys(path):
            policy = key.policies[0].policy
            assert policy.unknown == ()
            assert policy.statements
            location = policy.statements[0].node.locate()
            assert location.line >= 1
