"""OCSF Compliance Finding (class 2003), a JSON list with an event for each result.

PASS is 1, FAIL is 3, what was not decided or only a person can answer is 2 (information missing), what does not apply is 99.

Source: Open Cybersecurity Schema Framework 1.5.0, class compliance_finding, profile cloud.
"""

import calendar
import json
import time

from kmslint import __version__
from kmslint.model.key import Key
from kmslint.model.result import Outcome, Report, Result
from kmslint.reporters.place import places
from kmslint.reporters.place import shown as place_shown
from kmslint.reporters.text import witness_sentence
from kmslint.reporters.view import View, label, shown
from kmslint.reporters.visible import visible
from kmslint.typed import Final

Object = dict[str, object]

VERSION: Final = "1.5.0"

_SEVERITIES: Final = {"info": (1, "Informational"), "low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}  # fmt: skip
_STATUS: Final = {
    Outcome.PASS: (1, "Pass"),
    Outcome.FAIL: (3, "Fail"),
    Outcome.UNDETERMINED: (2, "Warning"),
    Outcome.MANUAL: (2, "Warning"),
    Outcome.NOT_APPLICABLE: (99, "Not applicable"),
}


def render(report: Report, view: View) -> str:
    """One event a line between `[` and `]`, ASCII text. An input that was not read is no event: see the exit code."""
    keys = {key.id: key for key in report.keys}
    moment = calendar.timegm(time.strptime(report.as_of, "%Y-%m-%dT%H:%M:%SZ")) * 1000
    events = [json.dumps(_event(result, keys[result.key], moment)) for result in shown(report, view)]
    return "[" + ",".join(f"\n{event}" for event in events) + "\n]\n"


def _event(result: Result, key: Key, moment: int) -> Object:
    number, severity = _SEVERITIES[result.severity] if result.outcome is not Outcome.PASS else _SEVERITIES["info"]
    status = (3, "Suppressed") if result.suppressed else (1, "New")
    event: Object = {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200301,
        "type_name": "Compliance Finding: Create",
        "time": moment,
        "severity_id": number,
        "severity": severity,
        "status_id": status[0],
        "status": status[1],
        "message": visible(result.message or result.reason or result.title),
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {"name": "kmslint", "vendor_name": "kmslint", "version": __version__},
            "event_code": result.rule,
        },
        "cloud": _cloud(key),
        "compliance": _compliance(result),
        "finding_info": _finding(result, key, moment),
        "resources": [_resource(key)],
    }
    if result.help:
        event["remediation"] = {"desc": visible(result.help)}
    if result.suppressed:
        note = result.suppressed
        event["comment"] = visible(f"{note.reason} ({note.owner}, until {note.until})")
    return event


def _cloud(key: Key) -> Object:
    found: Object = {"provider": "AWS"}
    if key.region:
        found["region"] = visible(key.region)
    if key.account:
        found["account"] = {"uid": visible(key.account), "type_id": 10, "type": "AWS Account"}
    return found


def _compliance(result: Result) -> Object:
    number, name = _STATUS[result.outcome]
    found: Object = {"control": result.rule, "desc": visible(result.title), "status_id": number, "status": name}
    frameworks = dict.fromkeys(control.id.partition("/")[0] for control in result.controls)
    if frameworks:
        found["standards"] = [visible(name) for name in frameworks]
        found["requirements"] = [visible(control.id) for control in result.controls]
    details = [*([result.reason] if result.reason else []), *result.assumptions]
    if details:
        found["status_details"] = [visible(text) for text in details]
    return found


def _finding(result: Result, key: Key, moment: int) -> Object:
    lines = [result.message or result.reason or result.title, *(place_shown(place) for place in places(result, key))]
    if result.witness is not None:
        lines.append("witness: " + witness_sentence(result.witness))
    return {
        "uid": f"{result.rule}/{result.fingerprint}" if result.fingerprint else f"{result.rule}/{visible(key.identity())}",
        "title": visible(result.title),
        "desc": "\n".join(visible(line) for line in lines),
        "types": ["KMS key policy"],
        "created_time": moment,
        "analytic": {"type_id": 1, "type": "Rule", "uid": result.rule, "name": visible(result.title)},
    }


def _resource(key: Key) -> Object:
    found: Object = {"uid": visible(key.identity()), "name": visible(label(key)), "type": "AWS::KMS::Key", "cloud_partition": visible(key.partition)}  # fmt: skip
    if key.region:
        found["region"] = visible(key.region)
    if key.account:
        found["owner"] = {"account": {"uid": visible(key.account)}}
    return found
