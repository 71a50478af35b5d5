"""Frameworks: the external requirements that rules bear on, one TOML file each, and the controls of a rule found in them."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from kmslint.aws.spelling import nearest
from kmslint.engine.rule import Rule
from kmslint.errors import RuleError
from kmslint.model.result import Control

Table = Mapping[str, object]

_FIELDS: Final = ("id", "title", "citation", "as_of", "controls", "source", "note")
_CONTROL_FIELDS: Final = ("id", "title", "status", "text", "bears_on_kms", "nprm", "manual", "source", "note")


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


class Framework(NamedTuple):
    """One framework and its controls in the order of the file."""

    id: str
    title: str
    citation: str
    as_of: str
    controls: tuple[Requirement, ...]


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
    return Framework(
        _text(table, "id", where),
        _text(table, "title", where),
        str(table.get("citation", "")),
        str(table.get("as_of", "")),
        found,
    )


Index = Mapping[str, Mapping[str, Requirement]]
"""The requirements of each framework by their ids."""


def index(frameworks: Iterable[Framework]) -> Index:
    """The frameworks as `with_controls` looks them up."""
    return {framework.id: {requirement.id: requirement for requirement in framework.controls} for framework in frameworks}


def with_controls(rule: Rule, frameworks: Index, where: str) -> Rule:
    """The rule with the title and status of each of its controls. Raises RuleError for one that no framework has."""
    return rule._replace(controls=tuple(_complete(control, frameworks, where) for control in rule.controls))


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
    optional = {name: str(table.get(name, "")) for name in ("status", "text", "bears_on_kms", "nprm", "manual")}
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
