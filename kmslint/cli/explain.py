"""`kmslint explain`: the page of a rule with an example that fails and one that passes, or what bears on a control."""

import json
from collections.abc import Iterator, Mapping

from kmslint.aws.spelling import nearest
from kmslint.cli import messages
from kmslint.cli.options import Parser
from kmslint.engine.examples import pair
from kmslint.engine.frameworks import Framework, Requirement
from kmslint.engine.loader import Catalogue, cases, load_catalogue, page
from kmslint.engine.rule import Rule
from kmslint.errors import UsageError
from kmslint.reporters.text import control_sentence
from kmslint.reporters.visible import visible


def run(arguments: list[str]) -> int:
    """Print what is known of a rule or a control."""
    parser = Parser("explain", "RULE|CONTROL", "Show the page of a rule, or the rules that bear on a control.")
    parser.add_argument(
        "name", metavar="RULE|CONTROL", help="a rule id, a control such as hipaa/164.312(a)(1), or a framework such as hipaa"
    )
    parser.add_argument("--rules", action="append", default=[], metavar="DIR", help="a folder with rules of your own; may repeat")
    found = parser.parse_args(arguments)
    catalogue = load_catalogue(tuple(found.rules))
    messages.write_stdout("".join(f"{visible(line).rstrip()}\n" for line in _lines(found.name, catalogue)))
    return 0


def _lines(name: str, catalogue: Catalogue) -> Iterator[str]:
    """The page about `name`. Raises UsageError when it is neither a rule nor a control."""
    rules = {rule.id: rule for rule in catalogue.rules}
    controls = list(_requirements(name, catalogue))
    framework = next((one for one in catalogue.frameworks if one.id == name), None)
    if name in rules:
        yield from _about_rule(rules[name])
    elif framework is not None:
        yield from _about_framework(framework, catalogue)
    elif controls:
        for framework, control in controls:
            yield from _about_control(framework, control, catalogue)
    else:
        names = (
            *rules,
            *(one.id for one in catalogue.frameworks),
            *(f"{one.id}/{control.id}" for one in catalogue.frameworks for control in one.controls),
        )
        near = nearest(name, names)
        help = f"did you mean `{near}`?" if near else "kmslint rules lists the rules"
        raise UsageError(f"`{name}` is neither a rule nor a control", help=help)


def _about_rule(rule: Rule) -> Iterator[str]:
    yield from page(rule).splitlines()
    yield ""
    yield "## At a glance"
    yield ""
    yield f"rule {rule.id}, severity {rule.severity}, since {rule.since}, needs {', '.join(rule.needs)}"
    if rule.needs_settings:
        yield f"asked only when the configuration sets {', '.join(rule.needs_settings)}"
    yield from (control_sentence(control) for control in rule.controls)
    found = cases(rule)
    failing, passing = pair(found)
    for heading, name in (("Fails", failing), ("Passes", passing)):
        if name is not None:
            yield from ("", f"## {heading}", "")
            yield from _example(found[name])


def _example(case: object) -> Iterator[str]:
    """A case as a user may try it: the policy, and the facts and settings that it is judged under."""
    if not isinstance(case, Mapping):
        return
    for name, title in (("input", "policy"), ("key", "key"), ("config", "configuration")):
        if name in case:
            yield f"{title}:"
            value = case[name]
            shown = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
            yield from (f"  {line}" for line in shown.splitlines())


def _requirements(name: str, catalogue: Catalogue) -> Iterator[tuple[Framework, Requirement]]:
    for framework in catalogue.frameworks:
        for control in framework.controls:
            if name in {control.id, f"{framework.id}/{control.id}"}:
                yield framework, control


def _about_framework(framework: Framework, catalogue: Catalogue) -> Iterator[str]:
    as_of = f", as of {framework.as_of}" if framework.as_of else ""
    yield f"{framework.title} ({framework.citation}{as_of})"
    yield f"  mapping: {framework.mapping}" if framework.mapping else ""
    for control in framework.controls:
        name = f"{framework.id}/{control.id}"
        answers = [rule.id for rule in catalogue.rules if any(found.id == name for found in rule.controls)]
        status = f" ({control.status})" if control.status else ""
        yield f"{name} {control.title}{status}: {', '.join(answers) or 'no rule'}"


def _about_control(framework: Framework, control: Requirement, catalogue: Catalogue) -> Iterator[str]:
    status = f" ({control.status})" if control.status else ""
    yield f"{framework.title}: {control.id} {control.title}{status}"
    told = (
        ("", control.text),
        ("bears on KMS keys: ", control.bears_on_kms),
        ("proposed, not in force: ", control.nprm),
        ("for a person to answer, attach: ", control.manual),
        ("mapping: ", control.mapping or framework.mapping),
    )
    yield from (f"  {label}{text}" for label, text in told if text)
    yield "rules that bear on it:"
    name = f"{framework.id}/{control.id}"
    answers = [(rule, found) for rule in catalogue.rules for found in rule.controls if found.id == name]
    yield from (f"  {rule.id} [{rule.severity}]: {found.why}" for rule, found in answers)
    if not answers:
        yield "  none"
    yield ""
