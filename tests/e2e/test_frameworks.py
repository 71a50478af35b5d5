"""`--framework` and documented decisions: what a compliance officer reads, from configuration to report."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import kmslint as package
from kmslint.cli.main import main
from kmslint.engine.loader import load_catalogue
from kmslint.reporters import FORMATS

OWNER = "111122223333"
SCHEMA = json.loads((Path(package.__file__).parent / "schemas" / "report-1.json").read_text(encoding="utf-8"))
AS_OF = ("--as-of", "2026-11-24")
CATALOGUE = load_catalogue()
HIPAA = {rule.id for rule in CATALOGUE.rules if any(control.id.startswith("hipaa/") for control in rule.controls)}
PROVISIONS = [
    f"hipaa/{control.id}" for framework in CATALOGUE.frameworks if framework.id == "hipaa" for control in framework.controls
]

ROOT = {
    "Sid": "Owner",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
OPEN = {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}


class Run:
    """kmslint in this process, in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys

    def policy(self, name: str, *statements: Mapping[str, Any]) -> str:
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2), encoding="utf-8")
        return name

    def config(self, text: str) -> None:
        (self.folder / "kmslint.toml").write_text(text, encoding="utf-8")

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = main(["check", *arguments, *AS_OF])
        out, err = self.capsys.readouterr()
        return code, out, err

    def report(self, *arguments: str) -> dict[str, Any]:
        _, out, err = self(*arguments, "--format", "json")
        assert "error:" not in err
        found: dict[str, Any] = json.loads(out)
        return found


@pytest.fixture
def kmslint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return Run(tmp_path, capsys)


def by_control(out: str) -> dict[str, list[str]]:
    """Heading of each control → the lines under it."""
    lines = out[out.index("by control:\n") :].splitlines()[1:]
    found: dict[str, list[str]] = {}
    for line in lines:
        if not line.strip() or line.startswith("  This says"):
            break
        if line.startswith("    "):
            found[next(reversed(found))].append(line.strip())
        else:
            found[line.strip()] = []
    return found


def test_the_report_has_each_provision_with_its_rules_and_its_document(kmslint: Run) -> None:
    code, out, _ = kmslint(kmslint.policy("p.json", ROOT, OPEN), "--framework", "hipaa", "--account", OWNER)
    found = by_control(out)
    assert code == 1
    assert len(found) == len(PROVISIONS)
    breach = found["HIPAA 164.402 Unsecured protected health information (breach)"]
    assert breach[0].startswith("public-access: FAIL [critical]: ")
    assert breach[1].startswith(
        "weak-key-spec: NOT_APPLICABLE: `spec` is not in a policy source; kmslint scan --key-id ID reads it"
    )
    assert breach[2].startswith("MANUAL: attach for a finding about access by strangers")
    assert [name for name, lines in found.items() if not any(line.startswith("MANUAL: attach ") for line in lines)] == []
    recovery = found["HIPAA 164.308(a)(7)(ii)(B) Disaster recovery plan (required)"]
    assert "proposed, not in force: the proposed rule would ask for restoration within 72 hours; not final" in recovery


def test_without_a_framework_there_is_no_such_section_and_no_document(kmslint: Run) -> None:
    _, out, _ = kmslint(kmslint.policy("p.json", ROOT, OPEN), "--account", OWNER)
    assert "by control:" not in out
    assert kmslint.report("p.json", "--account", OWNER)["summary"]["MANUAL"] == 0


def test_what_no_rule_can_answer_is_a_manual_result_on_each_key(kmslint: Run) -> None:
    kmslint.policy("a.json", ROOT)
    kmslint.policy("b.json", ROOT)
    report = kmslint.report("a.json", "b.json", "--framework", "hipaa", "--account", OWNER)
    manual = [result for result in report["results"] if result["outcome"] == "MANUAL"]
    assert [(result["key"], result["controls"][0]["id"]) for result in manual] == [
        (key, provision) for key in ("k1", "k2") for provision in PROVISIONS
    ]
    assert {result["rule"] for result in manual} == {"hipaa"}
    assert len({result["fingerprint"] for result in manual}) == len(manual)
    assert report["summary"]["MANUAL"] == len(manual)


@pytest.mark.parametrize("framework", [framework.id for framework in CATALOGUE.frameworks])
def test_the_json_report_holds_the_provisions_and_keeps_to_its_schema(kmslint: Run, framework: str) -> None:
    kmslint.policy("p.json", ROOT, OPEN)
    report = kmslint.report("p.json", "--framework", framework, "--account", OWNER)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    (stated,) = [one for one in CATALOGUE.frameworks if one.id == framework]
    assert [provision["id"] for provision in report["provisions"]] == [f"{framework}/{one.id}" for one in stated.controls]
    asked = {result["rule"] for result in report["results"]} - {framework}
    assert {rule for provision in report["provisions"] for rule in provision["rules"]} == asked
    assert all(provision["mapping"] for provision in report["provisions"])
    assert "provisions" not in kmslint.report("p.json", "--account", OWNER)


@pytest.mark.parametrize("format", [name for name in FORMATS if name not in {"text", "json"}])
def test_every_format_can_carry_a_framework(kmslint: Run, format: str) -> None:
    kmslint.policy("p.json", ROOT, OPEN)
    code, out, err = kmslint("p.json", "--framework", "hipaa", "--account", OWNER, "--format", format)
    assert (code, "public-access" in out, "bug" in err) == (1, True, False)
    assert re.search(r"\bis compliant\b|in compliance", out, re.IGNORECASE) is None


def test_only_rules_that_bear_on_the_framework_are_asked_and_only_its_controls_are_shown(kmslint: Run) -> None:
    kmslint.policy("p.json", ROOT, OPEN)
    report = kmslint.report("p.json", "--framework", "cis-aws-7", "--account", OWNER)
    asked = {result["rule"] for result in report["results"]} - {"cis-aws-7"}
    assert asked == {"public-access", "rotation-disabled", "no-key-alarms"}
    assert {control["id"].partition("/")[0] for result in report["results"] for control in result["controls"]} == {"cis-aws-7"}
    assert report["tool"]["rules"] == 3
    hipaa = {result["rule"] for result in kmslint.report("p.json", "--framework", "hipaa", "--account", OWNER)["results"]}
    assert hipaa - {"hipaa"} == HIPAA
    both = kmslint.report("p.json", "--framework", "soc2,cis-aws-7", "--framework", "soc2", "--account", OWNER)
    assert {"public-access", "key-not-usable"} <= {result["rule"] for result in both["results"]}


def test_select_narrows_a_framework_and_the_rest_is_said_not_to_have_been_asked(kmslint: Run) -> None:
    code, out, _ = kmslint(
        kmslint.policy("p.json", ROOT), "--framework", "securityhub", "--select", "public-access", "--account", OWNER
    )
    found = by_control(out)
    assert code == 0
    assert found["SECURITYHUB KMS.5 Keys are not publicly accessible"] == [
        "public-access: PASS: no stranger can use the key by a call of their own"
    ]
    assert found["SECURITYHUB KMS.4 Rotation is on"] == ["no rule that was asked bears on it"]
    code, _, err = kmslint("p.json", "--framework", "securityhub", "--select", "no-alias", "--account", OWNER)
    assert (code, "leave no rule to ask" in err) == (2, True)


def test_an_unknown_framework_is_an_error_that_names_the_nearest(kmslint: Run) -> None:
    kmslint.policy("p.json", ROOT)
    code, out, err = kmslint("p.json", "--framework", "hippa")
    assert (code, out) == (2, "")
    assert "unknown framework `hippa`" in err
    assert "did you mean `hipaa`?" in err
    code, _, err = kmslint("p.json", "--framework", "hipaa,,soc2")
    assert (code, "holds an empty framework name" in err) == (2, True)


@pytest.mark.parametrize("framework", [framework.id for framework in CATALOGUE.frameworks])
def test_no_report_says_that_anything_is_compliant(kmslint: Run, framework: str) -> None:
    for statements in ((ROOT,), (ROOT, OPEN)):
        _, out, _ = kmslint(kmslint.policy("p.json", *statements), "--framework", framework, "--account", OWNER, "-v")
        assert re.search(r"\bcompliant\b|in compliance|meets? (the|hipaa)", out, re.IGNORECASE) is None
        assert "Whether a provision is met is for people to judge." in out


def test_many_keys_are_counted_and_those_that_fail_are_listed(kmslint: Run) -> None:
    for number in range(14):
        kmslint.policy(f"keys/{number:02}.json", ROOT, *([OPEN] if number else []))
    _, out, _ = kmslint("keys", "--framework", "cis-aws-7", "--account", OWNER)
    lines = by_control(out)["CIS-AWS-7 2.21 Key policies grant no public access"]
    assert lines[0] == "public-access: 1 PASS, 13 FAIL"
    assert lines[1].startswith("keys/01.json: FAIL [critical]: ")
    assert lines[11] == "and 3 more"
    assert len(lines) == 12


SUPPRESS = """
[[suppress]]
rule = "{rule}"
where = "Open"
reason = "claims intake until the gateway is replaced"
owner = "sec-eng"
until = {until}
{more}
"""


def test_a_documented_decision_is_listed_with_reason_and_alternative(kmslint: Run) -> None:
    kmslint.policy("p.json", ROOT, OPEN)
    more = 'alternative = "payloads are encrypted by the client"'
    kmslint.config(SUPPRESS.format(rule="public-access", until="2027-03-01", more=more))
    code, out, _ = kmslint("p.json", "--select", "public-access", "--account", OWNER)
    assert code == 0
    at = out.index("addressable specifications not implemented, the documented reason and alternative (45 CFR 164.306(d)(3)):\n")
    assert out[at:].splitlines()[1] == (
        "  HIPAA 164.308(a)(4)(ii)(B) Access authorization (addressable): p.json: public-access: claims intake until the gateway"
        " is replaced; instead: payloads are encrypted by the client (sec-eng, until 2027-03-01)"
    )
    assert "(standard): p.json" not in out[at:]
    (result,) = kmslint.report("p.json", "--select", "public-access", "--account", OWNER)["results"]
    assert result["outcome"] == "FAIL"
    assert result["suppressed"] == {
        "reason": "claims intake until the gateway is replaced",
        "owner": "sec-eng",
        "until": "2027-03-01",
        "alternative": "payloads are encrypted by the client",
        "where": "Open",
    }


def test_a_decision_without_an_alternative_says_that_there_is_none(kmslint: Run) -> None:
    kmslint.policy("p.json", ROOT, OPEN)
    kmslint.config(SUPPRESS.format(rule="public-access", until="2027-03-01", more=""))
    _, out, _ = kmslint("p.json", "--select", "public-access", "--account", OWNER)
    assert "replaced; no alternative is documented (sec-eng, until 2027-03-01)" in out


def test_a_suppression_of_a_rule_without_an_addressable_provision_is_no_such_decision(kmslint: Run) -> None:
    kmslint.policy("p.json", ROOT, OPEN)
    kmslint.config(SUPPRESS.format(rule="confused-deputy", until="2027-03-01", more='alternative = "x"'))
    _, out, _ = kmslint("p.json", "--select", "confused-deputy", "--account", OWNER)
    assert "suppressed:\n" in out
    assert "addressable specifications" not in out


def test_an_expired_suppression_and_one_that_matches_nothing_are_said(kmslint: Run) -> None:
    kmslint.policy("p.json", ROOT, OPEN)
    kmslint.config(
        SUPPRESS.format(rule="public-access", until="2026-11-23", more="")
        + SUPPRESS.format(rule="unbounded-wildcard", until="2027-01-01", more="").replace('"Open"', '"Opne"')
    )
    code, out, err = kmslint("p.json", "--select", "public-access,unbounded-wildcard", "--account", OWNER)
    assert code == 1
    for text in (out, err):
        assert (
            "the suppression of `public-access` at `Open` (owner sec-eng) expired on 2026-11-23; the finding counts again" in text
        )
        assert "the suppression of `unbounded-wildcard` at `Opne` (owner sec-eng) matches no finding; remove it" in text


def test_a_suppression_lasts_a_year_at_most(kmslint: Run) -> None:
    kmslint.policy("p.json", ROOT)
    kmslint.config(SUPPRESS.format(rule="public-access", until="2027-11-25", more=""))
    assert kmslint("p.json", "--account", OWNER)[0] == 0
    kmslint.config(SUPPRESS.format(rule="public-access", until="2027-11-26", more=""))
    code, _, err = kmslint("p.json", "--account", OWNER)
    assert (code, "more than a year ahead" in err) == (2, True)


def test_suppressed_findings_are_named_as_such_under_their_provision(kmslint: Run) -> None:
    kmslint.policy("p.json", ROOT, OPEN)
    kmslint.config(SUPPRESS.format(rule="public-access", until="2027-03-01", more=""))
    _, out, _ = kmslint("p.json", "--framework", "hipaa", "--account", OWNER)
    breach = by_control(out)["HIPAA 164.402 Unsecured protected health information (breach)"]
    assert breach[0].startswith("public-access: FAIL [critical] (suppressed): ")


def test_the_text_of_a_policy_cannot_write_into_the_grouped_report(kmslint: Run) -> None:
    evil = "\x1b[31mHIPAA 164.402\nby control:\r\u202e"
    kmslint.policy("p.json", ROOT, {**OPEN, "Sid": evil, "Action": "kms:Nope\x1b[0m\n  HIPAA 1"})
    _, out, _ = kmslint("p.json", "--framework", "hipaa", "--account", OWNER, "-v")
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert len(by_control(out)) == len(PROVISIONS)
    assert out.count("\nby control:\n") == 1


def test_explain_says_who_maps_rules_to_a_control(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "nist-800-53r5/SC-12(2)"]) == 0
    assert "mapping: published by AWS: Security Hub lists it for KMS.3 and KMS.4" in capsys.readouterr().out
    assert main(["explain", "nist-800-53r5/SC-12(1)"]) == 0
    assert "mapping: engineering mapping: " in capsys.readouterr().out
    assert main(["explain", "hipaa/164.308(a)(8)"]) == 0
    out = capsys.readouterr().out
    assert "proposed, not in force: the proposed rule would ask for a compliance audit every 12 months; not final" in out
    assert "for a person to answer, attach: the dated evaluation" in out


def test_explain_lists_a_framework(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "soc2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("SOC 2: Trust Services Criteria (")
    assert lines[1].startswith("  mapping: engineering mapping: ")
    assert lines[-1] == "soc2/A1.2 Recovery infrastructure works: integration-lacks-permission, key-not-usable"
    assert len(lines) == 7
    assert main(["explain", "soc3"]) == 2
    assert "did you mean `soc2`?" in capsys.readouterr().err
