"""OSCAL assessment results: an inventory item for each key, an observation for each result, a finding and a risk where one failed.

A finding's target is the rule's own objective, never a whole control: kmslint says what it proved about keys, not that a
control is satisfied. Identifiers are derived from the content, so that the same report is the same document.

Source: NIST OSCAL 1.2.3, assessment-results model; it is written so that 1.1.2 readers take it too.
"""

import json
from collections.abc import Iterable

from kmslint import __version__
from kmslint.aws import actions
from kmslint.model.key import Key
from kmslint.model.result import Control, Outcome, Report, Result
from kmslint.reporters.place import places
from kmslint.reporters.place import shown as place_shown
from kmslint.reporters.text import witness_sentence
from kmslint.reporters.view import View, label, shown
from kmslint.reporters.visible import visible
from kmslint.typed import Final

Object = dict[str, object]

VERSION: Final = "1.1.2"
NAMESPACE: Final = "urn:kmslint:oscal"
"""Of the properties that OSCAL itself does not define."""

_SPACE: Final = "a6c1d9a8-6a40-5f0f-9d2e-2b7f0c1c6b11"
"""The UUID namespace of kmslint's documents."""


def render(report: Report, view: View) -> str:
    """The report as an OSCAL document, ASCII text."""
    return json.dumps({"assessment-results": _Document(report, view).content()}, indent=1) + "\n"


class _Document:
    """One document while it is written: names become UUIDs within it."""

    def __init__(self, report: Report, view: View) -> None:
        import hashlib

        self.report = report
        self.results = shown(report, view)
        self.keys = {key.id: key for key in report.keys}
        text = "\n".join(
            (report.as_of, report.config_sha256, *(key.identity() for key in report.keys), *(_name(one) for one in self.results))
        )
        self.seed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        self.named: dict[str, int] = {}
        self.ids = [self.unique("observation", _name(result)) for result in self.results]

    def uuid(self, *names: str) -> str:
        """The UUID of what `names` name in this document."""
        import uuid

        name = "\n".join((self.seed, *names)).encode("utf-8", "backslashreplace").decode()
        return str(uuid.uuid5(uuid.UUID(_SPACE), name))

    def unique(self, *names: str) -> str:
        """As `uuid`, and another one each time the same is named."""
        name = "\n".join(names)
        self.named[name] = self.named.get(name, 0) + 1
        return self.uuid(*names, str(self.named[name]))

    def content(self) -> Object:
        """The document's root."""
        return {
            "uuid": self.uuid("document"),
            "metadata": {
                "title": "kmslint: AWS KMS keys against rules",
                "last-modified": self.report.as_of,
                "version": self.seed[:16],
                "oscal-version": VERSION,
                "props": [_prop("kmslint-version", __version__), _prop("rules", str(self.report.rules)),
                          _prop("actions-as-of", actions.AS_OF), _prop("config-sha256", self.report.config_sha256)],
            },
            "import-ap": {"href": "#" + self.uuid("plan"), "remarks": "the rules and the configuration of the run are the plan"},
            "results": [self.result()],
            "back-matter": {"resources": [self.plan()]},
        }  # fmt: skip

    def plan(self) -> Object:
        """What stands for the assessment plan, which OSCAL insists on: the rules that were asked."""
        import base64

        rules = sorted({result.rule for result in self.results})
        text = json.dumps({"rules": rules, "config_sha256": self.report.config_sha256}).encode()
        return {
            "uuid": self.uuid("plan"),
            "title": "kmslint rules and configuration",
            "description": f"the rules that were asked, {self.report.rules} in all",
            "base64": {"filename": "rules.json", "media-type": "application/json", "value": base64.b64encode(text).decode()},
        }

    def result(self) -> Object:
        """The one result set: what was looked at, seen and found."""
        found: Object = {
            "uuid": self.uuid("result"),
            "title": "kmslint run",
            "description": "rules asked of AWS KMS keys, each answered by proof, by a witness, or not at all",
            "start": self.report.as_of,
            "end": self.report.as_of,
            "reviewed-controls": _reviewed(self.results),
        }
        if self.report.keys:
            found["local-definitions"] = {"inventory-items": [self.item(key) for key in self.report.keys]}
        observations = [self.observation(result, id) for result, id in zip(self.results, self.ids, strict=True)]
        observations += [self.unread(error.source, error.message) for error in self.report.errors]
        risks = [self.risk(result, id) for result, id in zip(self.results, self.ids, strict=True) if _failed(result)]
        findings = self.findings()
        for name, members in (("observations", observations), ("risks", risks), ("findings", findings)):
            if members:
                found[name] = members
        return found

    def item(self, key: Key) -> Object:
        """The key as an inventory item."""
        known = (("asset-id", key.identity()), ("account", key.account), ("region", key.region), ("sha256", key.sha256))
        props = [_prop(name, value) for name, value in known if value]
        return {"uuid": self.uuid("key", key.id), "description": _line(f"AWS KMS key {label(key)}"), "props": props}

    def observation(self, result: Result, id: str) -> Object:
        """One rule on one key, with its outcome."""
        key = self.keys[result.key]
        props = [_prop("rule", result.rule), _prop("outcome", result.outcome.value), _prop("severity", result.severity)]
        if result.fingerprint:
            props.append(_prop("fingerprint", result.fingerprint))
        if result.policy:
            props.append(_prop("policy", result.policy))
        props += [_prop("control", control.id) for control in result.controls]
        found: Object = {
            "uuid": id,
            "title": _line(f"{result.rule}: {result.title}"),
            "description": _line(result.message or result.reason or result.title),
            "props": props,
            "methods": ["TEST"],
            "types": ["finding" if _failed(result) else "control-objective"],
            "subjects": [{"subject-uuid": self.uuid("key", key.id), "type": "inventory-item"}],
            "relevant-evidence": [{"description": _line(text)} for text in _evidence(result, key)],
            "collected": self.report.as_of,
        }
        if result.reason:
            found["remarks"] = _line(result.reason)
        return found

    def unread(self, source: str, message: str) -> Object:
        """An input that was not read, or not wholly."""
        return {
            "uuid": self.unique("unread", source, message),
            "title": "input not read",
            "description": _line(f"{source}: {message}"),
            "methods": ["EXAMINE"],
            "collected": self.report.as_of,
        }

    def risk(self, result: Result, id: str) -> Object:
        """What a failure puts at risk; a suppressed one is an accepted deviation with its reason."""
        found: Object = {
            "uuid": self.uuid("risk", id),
            "title": _line(result.title),
            "description": _line(result.message or result.title),
            "statement": _line("; ".join(control.why for control in result.controls if control.why) or result.title),
            "props": [_prop("severity", result.severity)],
            "status": "deviation-approved" if result.suppressed else "open",
            "related-observations": [{"observation-uuid": id}],
        }
        note = result.suppressed
        if note:
            reason = f"{note.reason}; instead: {note.alternative}" if note.alternative else note.reason
            accepted = _prop("accepted-by", note.owner) | {"remarks": _line(reason)}
            found["props"] = [_prop("severity", result.severity), accepted, _prop("accepted-until", note.until)]
        return found

    def findings(self) -> list[Object]:
        """One finding for each rule that was decided, or not, on some key: satisfied only if it passed wherever it applies."""
        by_rule: dict[str, list[tuple[Result, str]]] = {}
        for result, id in zip(self.results, self.ids, strict=True):
            if result.outcome not in {Outcome.NOT_APPLICABLE, Outcome.MANUAL}:
                by_rule.setdefault(result.rule, []).append((result, id))
        return [self.finding(rule, by_rule[rule]) for rule in sorted(by_rule)]

    def finding(self, rule: str, results: list[tuple[Result, str]]) -> Object:
        """The rule's objective, over all keys."""
        failed = [id for result, id in results if _failed(result)]
        is_open = any(result.outcome is Outcome.UNDETERMINED for result, _ in results)
        state = "not-satisfied" if failed or is_open else "satisfied"
        reason = "fail" if failed else "other" if is_open else "pass"
        found: Object = {
            "uuid": self.uuid("finding", rule),
            "title": _line(results[0][0].title),
            "description": _line(f"the rule {rule} on {_keys(results)}"),
            "target": {
                "type": "objective-id",
                "target-id": _token(rule),
                "status": {"state": state, "reason": reason},
            },
            "related-observations": [{"observation-uuid": id} for _, id in results],
        }
        if failed:
            found["related-risks"] = [{"risk-uuid": self.uuid("risk", id)} for id in failed]
        return found


def _name(result: Result) -> str:
    return "\n".join((result.rule, result.key, result.policy or "", result.fingerprint, result.outcome.value))


def _failed(result: Result) -> bool:
    return result.outcome is Outcome.FAIL


def _keys(results: list[tuple[Result, str]]) -> str:
    count = len({result.key for result, _ in results})
    return "1 key" if count == 1 else f"{count} keys"


def _evidence(result: Result, key: Key) -> Iterable[str]:
    yield from (place_shown(place) for place in places(result, key))
    if result.witness is not None:
        yield "witness: " + witness_sentence(result.witness)
    yield from (f"assumed: {text}" for text in result.assumptions)
    if key.sha256:
        yield f"sha256 of the policy as read: {key.sha256}"


def _reviewed(results: tuple[Result, ...]) -> Object:
    controls = {control.id: control for result in results for control in result.controls}
    if not controls:
        return {"control-selections": [{"description": "no rule that was asked names a control", "include-all": {}}]}
    return {"control-selections": [{"include-controls": [_selected(controls[name]) for name in sorted(controls)]}]}


def _selected(control: Control) -> Object:
    return {"control-id": _token(control.id)}


def _prop(name: str, value: str) -> Object:
    return {"name": name, "ns": NAMESPACE, "value": _line(value)}


def _token(text: str) -> str:
    """`text` as an OSCAL token: letters, digits, `.`, `-` and `_`, beginning with a letter or `_`."""
    kept = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in text)
    while "--" in kept:
        kept = kept.replace("--", "-")
    kept = kept.strip("-") or "_"
    return kept if kept[0].isalpha() or kept[0] == "_" else f"_{kept}"


def _line(text: str) -> str:
    """`text` as an OSCAL string: not empty, no space at either end."""
    return visible(text).strip() or "-"
