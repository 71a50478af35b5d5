"""The tables against an independently collected one: every difference is listed here, with its reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from kmslint.aws.actions import ACTIONS, CROSS_ACCOUNT, EFFECTIVE
from kmslint.aws.condition_keys import KEYS, ConditionKey, lookup

Json = dict[str, Any]
ANSWERS = {"yes": True, "no": False, None: None}


@pytest.fixture(scope="module")
def listed(shared: Path) -> Json:
    found: Json = json.loads((shared / "data" / "kms_actions.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def keys(shared: Path) -> list[Json]:
    found: list[Json] = json.loads((shared / "data" / "condition_keys.json").read_text(encoding="utf-8"))["keys"]
    return found


def test_the_same_actions_with_the_same_flags(listed: Json) -> None:
    theirs = {
        entry["name"]: (entry["group"], entry["effective_in_key_policy"], entry["grant_operation"]) for entry in listed["actions"]
    }
    assert {action.name: (action.group, action.effective, action.grant_operation) for action in ACTIONS.values()} == theirs
    counts = listed["counts"]
    assert (len(ACTIONS), len(EFFECTIVE), len(CROSS_ACCOUNT)) == (
        counts["actions"],
        counts["effective_in_key_policy"],
        counts["cross_account"],
    )


def test_the_same_use_across_accounts(listed: Json) -> None:
    theirs = {
        entry["name"]: ANSWERS.get(entry["cross_account"]["docs_table"] or entry["cross_account"]["botocore"], "in words")
        for entry in listed["actions"]
    }
    ours = {action.name: action.cross_account for action in ACTIONS.values()}
    assert {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]} == {
        "GenerateRandom": (False, "in words"),  # n/a: it uses no key
        "ListRetirableGrants": (False, "in words"),  # the principal must be one of the caller's account
    }


def test_the_same_operations(listed: Json) -> None:
    theirs = {entry["name"]: entry["api_operation"] for entry in listed["actions"]}
    ours = {action.name: action.operation for action in ACTIONS.values()}
    assert {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]} == {}


def test_the_same_condition_keys(listed: Json) -> None:
    differing = {}
    for entry in listed["actions"]:
        theirs = {_family(key) for source in entry["condition_keys"].values() for key in source or ()}
        ours = {*ACTIONS[entry["name"].lower()].condition_keys}
        # the deprecated names of kms:KeySpec and kms:KeyUsage go with them here, and stand in no list there
        ours -= {"kms:customermasterkeyspec", "kms:customermasterkeyusage"}
        if ours != theirs:
            differing[entry["name"]] = (sorted(ours - theirs), sorted(theirs - ours))
    assert differing == {
        # none reaches a key policy; theirs leaves out what the Service Authorization Reference lists
        "GenerateRandom": (["kms:calleraccount"], []),
        "ListAliases": (["kms:calleraccount", "kms:viaservice"], []),
        "ListKeys": (["kms:calleraccount", "kms:viaservice"], []),
    }


def test_the_same_keys_of_conditions(keys: list[Json]) -> None:
    differing = {}
    for entry in keys:
        for name in _names(entry["key"]):
            row = KEYS.get(name.lower()) or lookup(name)
            ours = None if row is None else (row.type, row.multi, row.group)
            theirs = (entry["type"], bool(entry["multi"]), entry["cls"])
            if ours != theirs:
                differing[name] = (ours, theirs)
    assert differing == {
        # one operator family parses each of them; the others still compare its text
        "aws:FederatedProvider": (("String", False, "session"), ("String/ARN", False, "session")),
        "aws:CalledViaAWSMCP": (("String", False, "request"), ("String/Bool", False, "request")),
        "aws:ViaAWSMCPService": (("Bool", False, "request"), ("String/Bool", False, "request")),
        "aws:EpochTime": (("Date", False, "request"), ("Date/Numeric", False, "request")),
        "kms:ValidTo": (("Date", False, "kms"), ("Date (docs use Numeric*)", False, "kms")),
    }


def test_no_key_of_conditions_is_ours_alone(keys: list[Json]) -> None:
    theirs = {_as_family(name).lower() for entry in keys for name in _names(entry["key"])}
    assert {row.name.lower() for row in KEYS.values()} == theirs


def test_the_same_constants(keys: list[Json]) -> None:
    theirs = {name for entry in keys for name in _names(entry["key"]) if "CONST" in entry["domain"]}
    ours = {row.name for row in KEYS.values() if row.const}
    assert theirs - ours == set()
    assert ours - theirs == {
        "aws:ResourceOrgPaths",  # goes with aws:ResourceOrgID
        "kms:MultiRegionKeyType",  # of the key as observed; it can change
        "kms:ResourceAliases",  # the key's aliases as observed
    }


def test_presence_agrees_wherever_the_other_table_speaks_plainly(keys: list[Json]) -> None:
    plain = {
        "always": "always always always always always",
        "iff S": "never never never never always",
        "iff U": "always never never never never",
        "optional for R": "never optional never never never",
        "optional for S only": "never never never never optional",
        "iff VPC endpoint": "optional optional optional optional never",
        "always; S: UNSURE-26": "always always always always unsure",
        "FAS only; S: UNSURE-26": "optional optional optional optional unsure",
    }
    disagreeing, compared = {}, 0
    for entry in keys:
        for name in _names(entry["key"]):
            row = KEYS[_as_family(name).lower()]
            expected = plain.get(entry["presence"])
            if expected is None:
                continue
            compared += 1
            if _words(row) != expected:
                disagreeing[name] = _words(row)
    assert compared >= 20
    assert disagreeing == {
        # "always" there leaves S to its domain: UNSURE-7
        "aws:PrincipalType": "always always always always unsure",
        "aws:userid": "always always always always unsure",
    }


def _words(row: ConditionKey) -> str:
    return " ".join(row.presence.values())


def _names(text: str) -> list[str]:
    """`kms:PrimaryRegion / kms:ReplicaRegion`, `saml:* , <oidc-provider>:*`: each name; `:PCRn` continues the one before."""
    return [name for name in text.replace(" , ", " / ").split(" / ") if not name.startswith(":")]


def _as_family(name: str) -> str:
    return "kms:RecipientAttestation:*" if name.startswith("kms:RecipientAttestation:") else name


def _family(key: str) -> str:
    return _as_family(key.partition("${")[0] + ("*" if "${" in key else "")).lower()
