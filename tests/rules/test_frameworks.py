"""The frameworks in rules/frameworks, and what the rules say of their controls."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kmslint.engine import loader
from kmslint.engine.frameworks import Framework
from tests.conftest import shared_path

RULES = Path(__file__).resolve().parents[2] / "rules"
CATALOGUE = loader.build(*loader.read_folder(str(RULES)))
FRAMEWORKS: dict[str, Framework] = {framework.id: framework for framework in CATALOGUE.frameworks}
MAPPED = {(rule.id, control.id) for rule in CATALOGUE.rules for control in rule.controls}

STATUSES = {"required", "addressable", "standard", "general", "breach"}

PREFIXES = {
    "SH": ("securityhub",),
    "53r5": ("nist-800-53r5",),
    "PCI401": ("pci-dss-4",),
    "SOC2": ("soc2",),
    "ISO": ("iso-27001",),
    "CIS5": ("cis-aws-5",),
    "CIS7": ("cis-aws-7",),
    "CIS1.4–5.0": ("cis-aws-1", "cis-aws-2", "cis-aws-3", "cis-aws-4", "cis-aws-5"),
    "CIS6/7": ("cis-aws-6", "cis-aws-7"),
}
"""How the catalogue writes a framework: how kmslint does. Its other prefixes name other tools' checks, not requirements."""

NOT_TAKEN = {
    # generation of strong keys: nothing that an administrator of the policy has to do with
    ("no-durable-admin", "pci-dss-4/3.7.1"),
    # manual cleartext key operations, which KMS has for imported material alone
    ("admin-uses-key", "pci-dss-4/3.7.6"),
}


def test_the_frameworks_are_the_catalogues() -> None:
    assert sorted(FRAMEWORKS) == sorted(
        ["hipaa", "nist-800-53r5", "pci-dss-4", "securityhub", "soc2", "iso-27001", *(f"cis-aws-{n}" for n in range(1, 8))]
    )


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=FRAMEWORKS)
def test_a_framework_says_what_it_is_and_who_maps_rules_to_it(framework: Framework) -> None:
    assert framework.title
    assert framework.citation
    assert framework.mapping
    assert framework.controls
    for control in framework.controls:
        assert control.title
        assert control.bears_on_kms
        assert (control.status in STATUSES) == (framework.id == "hipaa")


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=FRAMEWORKS)
def test_each_control_is_answered_by_a_rule_or_by_a_document(framework: Framework) -> None:
    answered = {control for _, control in MAPPED}
    silent = [one.id for one in framework.controls if f"{framework.id}/{one.id}" not in answered and not one.manual]
    assert silent == []


def test_hipaa_names_a_document_for_every_provision() -> None:
    assert [control.id for control in FRAMEWORKS["hipaa"].controls if not control.manual] == []


def test_engineering_mappings_say_so_and_published_ones_name_who_published_them() -> None:
    assert [name for name, one in FRAMEWORKS.items() if "engineering mapping" not in one.mapping] == ["hipaa"]
    stated = {control.id: control.mapping for control in FRAMEWORKS["nist-800-53r5"].controls if control.mapping}
    assert {"SC-12", "SC-12(2)", "SC-28(3)"} == {name for name, text in stated.items() if text.startswith("published by AWS")}
    assert {"AU-12", "SC-12(1)", "SC-12(3)", "AC-3(7)"}.isdisjoint(stated)


def test_every_mapping_has_a_reason_of_its_own() -> None:
    said: dict[tuple[str, str], list[str]] = {}
    for rule in CATALOGUE.rules:
        whys = [control.why for control in rule.controls]
        assert len(set(whys)) == len(whys), (rule.id, whys)
        for control in rule.controls:
            said.setdefault((control.id, control.why), []).append(rule.id)
    assert {place: rules for place, rules in said.items() if len(rules) > 1} == {}


def _texts() -> Iterator[str]:
    for framework in FRAMEWORKS.values():
        for control in framework.controls:
            yield from (control.title, control.text, control.bears_on_kms, control.manual)
    for rule in CATALOGUE.rules:
        yield from (rule.title, rule.holds or "", *(control.why for control in rule.controls))


def test_nothing_says_compliant_or_that_hipaa_requires_rotation() -> None:
    assert [text for text in _texts() if re.search(r"\bcompliant\b|hipaa requires", text, re.IGNORECASE)] == []


def test_what_is_only_proposed_is_said_under_its_label_alone() -> None:
    proposed = [control for control in FRAMEWORKS["hipaa"].controls if control.nprm]
    assert proposed
    assert [control.id for control in proposed if "not final" not in control.nprm] == []
    named = re.compile(r"72 hours|every 12 months|proposed|NPRM")
    assert [text for text in _texts() if named.search(text)] == []


def _ids_of_catalogue() -> Iterator[tuple[str, str]]:
    yaml = pytest.importorskip("yaml", reason="PyYAML reads the catalogue")
    shared = shared_path()
    if shared is None or not (shared / "data" / "catalogue.yaml").is_file():
        pytest.skip("no catalogue: neither KMSLINT_SHARED nor ../shared beside the checkout holds it")
    loader_class = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    catalogue: dict[str, Any] = yaml.load((shared / "data" / "catalogue.yaml").read_text(encoding="utf-8"), Loader=loader_class)
    with (shared / "data" / "rule_ids.tsv").open(encoding="utf-8", newline="") as file:
        names = {row["catalogue_id"]: row["rule_id"] for row in csv.DictReader(file, delimiter="\t")}
    for entry in catalogue["rules"]:
        for text in entry["other"]:
            prefix, _, rest = text.partition(":")
            for part in rest.split(", ") if prefix == "SH" else [rest]:
                citation = part.split(" ")[0]
                yield from ((names[entry["id"]], f"{framework}/{citation}") for framework in PREFIXES.get(prefix, ()))


def test_every_id_of_the_catalogue_is_mapped_or_left_out_for_a_reason() -> None:
    wanted = set(_ids_of_catalogue())
    assert len(wanted) > 150
    assert wanted - MAPPED == NOT_TAKEN
