"""Frameworks: the external requirements that rules bear on, one TOML file each, and the controls of a rule found in them."""

from collections.abc import Iterable, Mapping, Sequence

from kmslint.aws.spelling import nearest
from kmslint.engine.fingerprint import fingerprint
from kmslint.engine.rule import Rule
from kmslint.errors import RuleError, UsageError
from kmslint.model.key import Key
from kmslint.model.result import Control, Outcome, Provision, Result
from kmslint.typed import Final, NamedTuple

Table = Mapping[str, object]

_FIELDS: Final = ("id", "title", "citation", "as_of", "mapping", "controls", "source", "note")
_CONTROL_FIELDS: Final = ("id", "title", "status", "text", "bears_on_kms", "nprm", "manual", "mapping", "source", "note")


class Requirement(NamedTuple):
    """One control of a framework. `nprm` says what a proposed rule would change: never a present duty."""

    id: str
    title: str
    status: str
    text: str = ""
    bears_on_kms: str = ""
    nprm: str = ""
    manual: str = ""
    """What no rule can answer: the document to attach."""
    mapping: str = ""
    """Who says that rules bear on the control, if the framework's own `mapping` does not say it."""


class Framework(NamedTuple):
    """One framework and its controls in the order of the file."""

    id: str
    title: str
    citation: str
    as_of: str
    controls: tuple[Requirement, ...]
    mapping: str = ""
    """Who says that rules bear on its controls."""


def parse_framework(table: Table, where: str) -> Framework:
    """The framework that `table` states. Raises RuleError at the first thing that is wrong; `where` names the file."""
    _known(table, _FIELDS, where)
    controls = table.get("controls", [])
    if not isinstance(controls, list) or not all(isinstance(item, dict) for item in controls):
        raise RuleError("`controls` is not a list of tables", source=where, help="write `[[controls]]` above each")
    found = tuple(_requirement(item, f"controls[{index}]", where) for index, item in enumerate(controls))
    seen: set[str] = set()
    for control in found:
        if control.id in seen:
            raise RuleError(f"the control `{control.id}` stands twice", source=where)
        seen.add(control.id)
    name = _text(table, "id", where)
    if not all(part.isalnum() and part.isascii() and part.islower() | part.isdecimal() for part in name.split("-")):
        raise RuleError(f"`id` is `{name}`", source=where, help="write small letters, digits and hyphens, such as iso-27001")
    return Framework(
        name,
        _text(table, "title", where),
        str(table.get("citation", "")),
        str(table.get("as_of", "")),
        found,
        str(table.get("mapping", "")),
    )


Index = Mapping[str, Mapping[str, Requirement]]
"""The requirements of each framework by their ids."""


def index(frameworks: Iterable[Framework]) -> Index:
    """The frameworks as `with_controls` looks them up."""
    return {framework.id: {requirement.id: requirement for requirement in framework.controls} for framework in frameworks}


def with_controls(rule: Rule, frameworks: Index, where: str) -> Rule:
    """The rule with the title and status of each of its controls. Raises RuleError for one that no framework has."""
    return rule._replace(controls=tuple(_complete(control, frameworks, where) for control in rule.controls))


def choose(frameworks: Sequence[Framework], names: Sequence[str]) -> tuple[Framework, ...]:
    """The frameworks called `names`, each once. Raises UsageError for one that does not exist."""
    known = {framework.id: framework for framework in frameworks}
    for name in names:
        if name not in known:
            near = nearest(name, known)
            help = f"did you mean `{near}`?" if near else "choose from " + ", ".join(known)
            raise UsageError(f"`--framework` names an unknown framework `{name}`", help=help)
    return tuple(known[name] for name in dict.fromkeys(names))


def restricted(rules: Iterable[Rule], frameworks: Sequence[Framework]) -> tuple[Rule, ...]:
    """The rules that bear on a control of `frameworks`, each with those controls alone; every rule, if there are none."""
    if not frameworks:
        return tuple(rules)
    prefixes = tuple(f"{framework.id}/" for framework in frameworks)
    kept = (
        rule._replace(controls=tuple(control for control in rule.controls if control.id.startswith(prefixes))) for rule in rules
    )
    return tuple(rule for rule in kept if rule.controls)


def provisions(frameworks: Iterable[Framework], rules: Sequence[Rule]) -> tuple[Provision, ...]:
    """The controls of `frameworks`, each with those of `rules` that bear on it."""
    return tuple(
        Provision(
            id=f"{framework.id}/{found.id}",
            title=found.title,
            status=found.status,
            bears_on=found.bears_on_kms,
            rules=tuple(rule.id for rule in rules if any(one.id == f"{framework.id}/{found.id}" for one in rule.controls)),
            document=found.manual,
            proposed=found.nprm,
            mapping=found.mapping or framework.mapping,
        )
        for framework in frameworks
        for found in framework.controls
    )


def documents(frameworks: Iterable[Framework], keys: Iterable[Key]) -> tuple[Result, ...]:
    """For each key and each control with a document to attach, a MANUAL result; its rule is called like the framework."""
    asked = [(framework, found) for framework in frameworks for found in framework.controls if found.manual]
    return tuple(_document(framework, found, key) for key in keys for framework, found in asked)


def _document(framework: Framework, found: Requirement, key: Key) -> Result:
    name = f"{framework.id}/{found.id}"
    return Result(
        rule=framework.id,
        title=f"What no rule can answer: {framework.title}",
        outcome=Outcome.MANUAL,
        severity="info",
        key=key.id,
        message=f"attach: {found.manual}",
        reason="no rule can answer it: a person attaches the document",
        controls=(Control(name, found.title, found.status, found.bears_on_kms),),
        fingerprint=fingerprint(name, key.identity()),
    )


def _complete(control: Control, frameworks: Index, where: str) -> Control:
    name, _, citation = control.id.partition("/")
    known = frameworks.get(name)
    if known is None:
        help = _did_you_mean(nearest(name, frameworks))
        raise RuleError(f"unknown framework `{name}` of control `{control.id}`", source=where, help=help)
    requirement = known.get(citation)
    if requirement is None:
        raise RuleError(f"`{name}` has no control `{citation}`", source=where, help=_did_you_mean(nearest(citation, known)))
    return Control(control.id, requirement.title, requirement.status, control.why)


def _did_you_mean(near: str | None) -> str:
    return f"did you mean `{near}`?" if near else "add it to a file in rules/frameworks"


def _requirement(table: Table, at: str, where: str) -> Requirement:
    _known(table, _CONTROL_FIELDS, where, at)
    required = {name: _text(table, name, where, at) for name in ("id", "title")}
    optional = {name: str(table.get(name, "")) for name in _CONTROL_FIELDS[2:8]}
    return Requirement(**required, **optional)


def _known(table: Table, names: tuple[str, ...], where: str, at: str = "") -> None:
    for name in table:
        if name not in names:
            near = nearest(name, names)
            place = f"{at}.{name}" if at else name
            help = f"did you mean `{near}`?" if near else "known keys: " + ", ".join(names)
            raise RuleError(f"unknown key `{place}`", source=where, help=help)


def _text(table: Table, name: str, where: str, at: str = "") -> str:
    value = table.get(name)
    if isinstance(value, str) and value:
        return value
    raise RuleError(f"`{f'{at}.{name}' if at else name}` is not a text", source=where)
