"""The rules against the catalogue that they were written from: every pair, every probe, and the reconstructed seed policy.

The catalogue is no part of kmslint. It is `data/catalogue.yaml` of the real inputs; without it these tests are skipped.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kmslint.engine import loader
from kmslint.engine.assess import assess_rule
from kmslint.engine.rule import Rule
from kmslint.model.key import Key
from kmslint.model.result import Outcome, Result
from kmslint.policy.evaluate import evaluate
from kmslint.policy.request import Request
from tests.conftest import shared_path
from tests.rules.case import key_of, settings_of

yaml = pytest.importorskip("yaml", reason="PyYAML reads the catalogue")

RULES = Path(__file__).resolve().parents[2] / "rules"
OWNER = "111122223333"

_SHARED = shared_path()
_DATA = None if _SHARED is None else _SHARED / "data"
if _DATA is None or not (_DATA / "catalogue.yaml").is_file():
    pytest.skip("no catalogue: neither KMSLINT_SHARED nor ../shared beside the checkout holds it", allow_module_level=True)

# the C loader reads the file in a tenth of the time
CATALOGUE: dict[str, Any] = yaml.load(
    (_DATA / "catalogue.yaml").read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
)
with (_DATA / "rule_ids.tsv").open(encoding="utf-8", newline="") as _file:
    IDS: dict[str, str] = {row["catalogue_id"]: row["rule_id"] for row in csv.DictReader(_file, delimiter="\t")}

_rules: Mapping[str, Rule] = {rule.id: rule for rule in loader.build(*loader.read_folder(str(RULES))).rules}
ENTRIES = [entry for entry in CATALOGUE["rules"] if IDS[entry["id"]] in _rules]

_FACTS = {
    # fact of a key as the catalogue writes it: as kmslint calls it
    "KeyManager": "manager",
    "KeySpec": "spec",
    "KeyUsage": "usage",
    "Origin": "origin",
    "KeyState": "state",
    "MultiRegion": "multi_region",
    "KeyRotationEnabled": "rotation.enabled",
    "RotationPeriodInDays": "rotation.period_days",
    "NextRotationDate": "rotation.next_date",
    "DeletionDate": "deletion.date",
    "ExpirationModel": "material.expiration_model",
    "ValidTo": "material.valid_to",
    "CreationDate": "created",
    "KeyCreationDate": "created",
    "Description": "description",
    "Aliases": "aliases",
    "Tags": "tags",
    "Grants": "grants",
}


def _case(side: list[Any] | Mapping[str, Any]) -> dict[str, Any]:
    """One side of a pair as a case: policy, configuration, facts."""
    if isinstance(side, list):
        return {"input": {"Version": "2012-10-17", "Statement": side}, "key": _key({})}
    if "Statement" in side:
        return {"input": side, "key": _key({})}
    case: dict[str, Any] = {"key": _key(side.get("key", {})), "config": side.get("config", {})}
    if "policy" in side:
        case["input"] = {"Version": "2012-10-17", "Statement": side["policy"]}
    if "resource" in side:
        ((arguments,),) = (list(side["resource"].values()),)
        case["key"] = {"source": "terraform", "facts": {"deletion.window_days": arguments["deletion_window_in_days"]}}
    return case


def _key(given: Mapping[str, Any]) -> dict[str, Any]:
    stated = {**CATALOGUE["meta"]["pairs"]["defaults"]["key"], **given}
    arn = stated["Arn"]
    facts: dict[str, Any] = {_FACTS[name]: value for name, value in stated.items() if name in _FACTS}
    facts |= _multi_region(stated.get("MultiRegionConfiguration"))
    facts |= _logging(stated.get("logging"))
    if "rotations" in stated:
        facts["rotation.last_date"] = max(stated["rotations"], default=None)
    if "KeyLastUsage" in stated:
        usage = {"timestamp": stated["KeyLastUsage"].get("Timestamp"), "tracking_start": stated.get("TrackingStartDate")}
        facts["last_used"] = {name: value for name, value in usage.items() if value}
    return {
        "account": OWNER,
        "arn": arn,
        "key_id": arn.rpartition("/")[2],
        "region": arn.split(":")[3],
        "as_of": f"{stated['as_of']}T00:00:00Z",
        "facts": facts,
    }


def _multi_region(configuration: Mapping[str, Any] | None) -> dict[str, Any]:
    if configuration is None:
        return {}
    return {
        "multi_region.type": configuration["MultiRegionKeyType"],
        "multi_region.primary": configuration["PrimaryKey"]["Arn"],
        "multi_region.replicas": [replica["Arn"] for replica in configuration["ReplicaKeys"]],
    }


def _logging(logging: Mapping[str, Any] | None) -> dict[str, Any]:
    if logging is None:
        return {}
    return {"alarms": [logging]} if "filterPattern" in logging else {"cloudtrail.trails": [logging]}


def _results(entry: Mapping[str, Any], side: str) -> tuple[Result, ...]:
    case = _case(entry[side])
    return assess_rule(_rules[IDS[entry["id"]]], key_of(case), settings_of(case))


def _outcomes(results: tuple[Result, ...]) -> set[str]:
    return {result.outcome.value for result in results}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: IDS[entry["id"]])
def test_the_non_compliant_side_fails(entry: Mapping[str, Any]) -> None:
    results = _results(entry, "non_compliant")
    assert Outcome.FAIL in {result.outcome for result in results}, [(r.outcome.value, r.message, r.reason) for r in results]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: IDS[entry["id"]])
def test_the_compliant_side_passes(entry: Mapping[str, Any]) -> None:
    results = _results(entry, "compliant")
    assert _outcomes(results) == {"PASS"}, [(r.outcome.value, r.severity, r.message, r.reason) for r in results]


def _decision(key: Key, probe: Mapping[str, Any]) -> str:
    """`Allowed` or `Denied`, with the caller's IAM policies as the probe states them."""
    context = {name.lower(): frozenset(value) if isinstance(value, list) else value for name, value in probe["context"].items()}
    request = Request(probe["principal"], probe["action"], context, key.context())
    found = evaluate(tuple(named.policy for named in key.policies), request, lean=True)
    allowed = found.decision == "allow" and (found.grant == "direct" or bool(probe.get("identity_allows")))
    return "Allowed" if allowed else "Denied"


PROBED = [entry for entry in CATALOGUE["rules"] if entry.get("probe")]


@pytest.mark.parametrize("entry", PROBED, ids=lambda entry: IDS[entry["id"]])
def test_the_probe_is_decided_as_stated(entry: Mapping[str, Any]) -> None:
    probe = entry["probe"]
    good = {**probe, **probe.get("compliant_request", {})}
    decided = (_decision(key_of(_case(entry["non_compliant"])), probe), _decision(key_of(_case(entry["compliant"])), good))
    assert decided == (probe["expect_non_compliant"], probe["expect_compliant"])


REQUESTS = [
    (integration, kind, number)
    for integration in CATALOGUE["integrations"]
    for kind in ("must_allow", "must_not_allow")
    for number in range(len(integration[kind]))
]


@pytest.mark.parametrize(("integration", "kind", "number"), REQUESTS, ids=[f"{i['id']}-{k}-{n}" for i, k, n in REQUESTS])
def test_the_request_of_an_integration_is_decided_as_stated(integration: Mapping[str, Any], kind: str, number: int) -> None:
    key = key_of(_case(integration["example_statements"]))
    assert _decision(key, integration[kind][number]) == ("Allowed" if kind == "must_allow" else "Denied")


SEED = CATALOGUE["fixtures"]
EXPECTED = [line for line in SEED["expected"] if IDS[line["rule"]] in _rules]


def _seed() -> tuple[Key, Any]:
    side = {"policy": SEED["seed_policy_reconstructed"]["Statement"], "config": SEED["config"]}
    case = _case(side)
    return key_of(case), settings_of(case)


@pytest.mark.parametrize("line", EXPECTED, ids=lambda line: IDS[line["rule"]])
def test_the_seed_policy_gives_the_listed_outcome(line: Mapping[str, Any]) -> None:
    key, settings = _seed()
    results = assess_rule(_rules[IDS[line["rule"]]], key, settings)
    verdict = line["verdict"].split(" ")[0]
    sids = [location.sid for result in results for location in result.locations]
    if verdict == "PASS":
        assert _outcomes(results) == {"PASS"}, [(r.outcome.value, r.message, r.reason) for r in results]
        return
    assert _outcomes(results) == {"FAIL"}, [(r.outcome.value, r.message, r.reason) for r in results]
    assert ("info" in {result.severity for result in results}) == (verdict == "INFO")
    if line["statement"] != "all":
        assert line["statement"] in sids


def test_strict_makes_the_notices_of_the_seed_policy_medium() -> None:
    key, settings = _seed()
    rules = [rule for rule in ("iam-delegation", "short-deletion-allowed") if rule in _rules]
    results = [result for rule in rules for result in assess_rule(_rules[rule], key, settings._replace(strict=True))]
    assert [(result.rule, result.severity) for result in results] == [(rule, "medium") for rule in rules]


@pytest.mark.parametrize("probe", SEED["probes"], ids=lambda probe: probe["name"])
def test_a_request_to_the_seed_policy_is_decided_as_stated(probe: Mapping[str, Any]) -> None:
    key, _ = _seed()
    assert _decision(key, probe) == probe["expect"]


def test_every_rule_id_of_the_catalogue_is_a_folder() -> None:
    assert sorted(set(IDS.values()) - set(_rules)) == []


def test_hipaa_holds_every_citation_of_the_catalogue() -> None:
    frameworks = {framework.id: framework for framework in loader.build(*loader.read_folder(str(RULES))).frameworks}
    statuses = {control.id.removeprefix("hipaa/"): control.status for control in frameworks["hipaa"].controls}
    short = {"general rule": "general", "breach rule": "breach"}
    wanted = {cite: short.get(entry["status"], entry["status"]) for cite, entry in CATALOGUE["citations"].items()}
    assert {name: statuses.get(name) for name in wanted} == wanted
