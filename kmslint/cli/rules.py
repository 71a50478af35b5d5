"""`kmslint rules`: the catalogue."""

from kmslint import app
from kmslint.cli import messages
from kmslint.cli.options import Parser
from kmslint.engine.rule import Rule
from kmslint.reporters.visible import visible


def run(arguments: list[str]) -> int:
    """Print every rule, by id."""
    parser = Parser("rules", "", "List the rules.")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--rules", action="append", default=[], metavar="DIR", help="a folder with rules of your own; may repeat")
    found = parser.parse_args(arguments)
    rules = app.load_rules(tuple(found.rules))
    messages.write_stdout(_as_json(rules) if found.format == "json" else _as_text(rules))
    return 0


def _as_text(rules: tuple[Rule, ...]) -> str:
    width = max((len(rule.id) for rule in rules), default=0)
    return "".join(f"{rule.id:{width}}  {rule.severity:8}  {visible(rule.title)}\n" for rule in rules)


def _as_json(rules: tuple[Rule, ...]) -> str:
    import json

    return json.dumps([_entry(rule) for rule in rules], indent=2) + "\n"


def _entry(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity,
        "needs": list(rule.needs),
        "needs_settings": list(rule.needs_settings),
        "since": rule.since,
        "controls": [control._asdict() for control in rule.controls],
    }
