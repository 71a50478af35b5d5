"""The options that `check` and `scan` share, from argv to one frozen value."""

import os
import re
from collections.abc import Collection, Mapping, Sequence

from kmslint.cli.arguments import Parser, WrongArgumentError
from kmslint.errors import UsageError
from kmslint.model.result import SEVERITIES
from kmslint.reporters import FORMATS
from kmslint.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = [
    "KeyArn",
    "Options",
    "Parser",
    "TemplateValues",
    "account_id",
    "add_shared",
    "add_template_values",
    "key_arn",
    "read_shared",
    "read_template_values",
    "undeclared",
]


class Options(NamedTuple):
    """What the user asked for. None where a configuration or a default decides."""

    format: str
    outputs: tuple[tuple[str, str], ...]
    """(format, file)."""
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    strict: bool
    min_severity: str
    fail_on: str | None
    exit_zero: bool
    account: str | None
    region: str | None
    as_of: str | None
    config: str | None
    no_config: bool
    rules: tuple[str, ...]
    allow_undetermined: bool
    allow_empty: bool
    show_suppressed: bool
    color: str
    quiet: bool
    verbose: bool
    framework: tuple[str, ...] = ()
    baseline: str | None = None
    write_baseline: str | None = None
    sarif: str = "findings"
    trusted_ref: str | None = None


def add_shared(parser: Parser) -> None:
    """Declare the options of `Options`."""
    report = parser.add_argument_group("what is shown")
    report.add_argument("--format", choices=tuple(FORMATS), default="text", help="format of the report on stdout (default: text)")
    report.add_argument(
        "--output",
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        type=_output,
        help="also write a report to FILE; may repeat",
    )
    report.add_argument(
        "--sarif",
        choices=("findings", "full"),
        default="findings",
        help="what a SARIF report holds: findings that are not suppressed (default), or every result",
    )
    report.add_argument("--min-severity", choices=SEVERITIES, default="info", help="show nothing below this severity")
    report.add_argument("--show-suppressed", action="store_true", help="show suppressed findings in full")
    report.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="NO_COLOR and FORCE_COLOR are heeded too"
    )
    report.add_argument("-q", "--quiet", action="store_true", help="findings only, no warnings")
    report.add_argument("-v", "--verbose", action="store_true", help="also what does not apply and what was skipped, and why")

    rules = parser.add_argument_group("what is asked")
    rules.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="RULE",
        type=_names,
        help="only these rules (comma-separated; may repeat)",
    )
    rules.add_argument("--ignore", action="append", default=[], metavar="RULE", type=_names, help="all but these rules")
    rules.add_argument(
        "--framework",
        action="append",
        default=[],
        metavar="NAME",
        type=_frameworks,
        help="only rules that bear on this framework, such as hipaa, grouped by its controls; may repeat",
    )
    rules.add_argument("--rules", action="append", default=[], metavar="DIR", help="a folder with rules of your own; may repeat")
    rules.add_argument("--strict", action="store_true", help="some notices become findings of medium severity")
    rules.add_argument("--account", metavar="ID", type=account_id, help="account that owns the keys")
    rules.add_argument("--region", metavar="REGION", type=_region, help="Region of the keys")
    rules.add_argument(
        "--as-of", metavar="DATE", type=_moment, help="time of observation, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ (default: now)"
    )
    rules.add_argument(
        "--config", metavar="FILE", help="configuration file (default: the nearest kmslint.toml or pyproject.toml)"
    )
    rules.add_argument("--no-config", action="store_true", help="read no configuration file")
    rules.add_argument(
        "--trusted-ref",
        metavar="REF",
        help="read configuration, baseline and --rules from this git revision, not from the change",
    )

    gate = parser.add_argument_group("what fails")
    gate.add_argument("--fail-on", choices=(*SEVERITIES, "never"), help="least severity that gives exit code 1 (default: medium)")
    gate.add_argument("--baseline", metavar="FILE", help="findings that FILE lists do not count")
    gate.add_argument("--write-baseline", metavar="FILE", help="list the findings of this run in FILE")
    gate.add_argument("--exit-zero", action="store_true", help="exit code 0 whatever the rules say")
    gate.add_argument("--allow-undetermined", action="store_true", help="exit code 0 instead of 4")
    gate.add_argument("--allow-empty", action="store_true", help="exit code 0 instead of 3 when there is no key to check")


def read_shared(found: "Namespace") -> Options:
    """The parsed options as a value. Raises UsageError where two of them contradict each other."""
    values: dict[str, Any] = {name: getattr(found, name) for name in Options._fields if hasattr(found, name)}
    for name in ("select", "ignore", "framework"):
        values[name] = tuple(rule for names in values[name] for rule in names)
    outputs = tuple(found.output)
    files = [file for _, file in outputs]
    if len(set(files)) < len(files):
        raise UsageError("two `--output` options name the same file", help="give each format a file of its own")
    if found.write_baseline in files:
        raise UsageError("`--write-baseline` and `--output` name the same file", help="give each a file of its own")
    if found.config is not None and found.no_config:
        raise UsageError("`--config` and `--no-config` contradict each other", help="leave one out")
    return Options(outputs=outputs, **{**values, "rules": tuple(values["rules"])})


def account_id(text: str) -> str:
    """An account id, for a parser."""
    if re.fullmatch("[0-9]{12}", text):
        return text
    raise WrongArgumentError(f"`{text}` is not an account id of 12 digits")


class KeyArn(NamedTuple):
    """The parts of a key ARN."""

    arn: str
    region: str
    account: str
    key_id: str


_KEY_ARN: Final = r"arn:aws[a-z-]*:kms:([a-z0-9-]+):([0-9]{12}):key/([A-Za-z0-9-]+)"


def key_arn(text: str) -> KeyArn:
    """A key ARN, for a parser."""
    found = re.fullmatch(_KEY_ARN, text)
    if found:
        return KeyArn(text, found[1], found[2], found[3])
    raise WrongArgumentError(f"`{text}` is not a key ARN such as arn:aws:kms:eu-central-1:111122223333:key/ID")


def _region(text: str) -> str:
    if re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", text):
        return text
    raise WrongArgumentError(f"`{text}` is not a Region such as eu-central-1")


def _names(text: str) -> Sequence[str]:
    names = [name.strip() for name in text.split(",")]
    if all(names):
        return names
    raise WrongArgumentError(f"`{text}` holds an empty rule id")


def _frameworks(text: str) -> Sequence[str]:
    names = [name.strip() for name in text.split(",")]
    if all(names):
        return names
    raise WrongArgumentError(f"`{text}` holds an empty framework name")


def _output(text: str) -> tuple[str, str]:
    name, _, file = text.partition("=")
    if name not in FORMATS:
        raise WrongArgumentError(f"`{name}` is not a format; choose from {', '.join(FORMATS)}")
    if not file:
        raise WrongArgumentError(f"`{text}` names no file; write {name}=FILE")
    return name, file


class TemplateValues(NamedTuple):
    """What the user says of the variables of templates: `--param` and `--var-file`."""

    parameters: Mapping[str, str]
    var_files: tuple[str, ...]


def add_template_values(parser: Parser) -> None:
    """Declare the options of `TemplateValues`."""
    templates = parser.add_argument_group("templates")
    templates.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        type=_parameter,
        help="value of a Terraform variable or a CloudFormation parameter; may repeat",
    )
    templates.add_argument(
        "--var-file",
        action="append",
        default=[],
        metavar="FILE",
        type=_var_file,
        help="values of Terraform variables, as terraform -var-file; may repeat",
    )


def read_template_values(found: "Namespace") -> TemplateValues:
    """The parsed options as a value. Raises UsageError where one parameter has two values."""
    parameters: dict[str, str] = {}
    for name, value in found.param:
        if parameters.setdefault(name, value) != value:
            raise UsageError(f"`--param` gives `{name}` two values", help="leave one out")
    return TemplateValues(parameters, tuple(found.var_file))


def undeclared(values: TemplateValues, declared: Collection[str]) -> tuple[str, ...]:
    """A note for each `--param` that no template has. `declared` are the names of the variables of those that were read."""
    from kmslint.aws.spelling import nearest

    notes: list[str] = []
    for name in values.parameters:
        if name not in declared:
            near = nearest(name, sorted(declared))
            more = f"; did you mean `{near}`?" if near else ""
            notes.append(f"`--param {name}` changes nothing: no template with a KMS key has such a variable or parameter{more}")
    return tuple(notes)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if equals and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,254}", name):
        return name, value
    raise WrongArgumentError(f"`{text}` is not of the form NAME=VALUE")


def _var_file(text: str) -> str:
    if os.path.isfile(text) and os.access(text, os.R_OK):
        return text
    raise WrongArgumentError(f"`{text}` is not a file that can be read")


def _moment(text: str) -> str:
    import datetime as dt

    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?", text):
            return dt.datetime.fromisoformat(text.rstrip("Z")).isoformat() + "Z"
    except ValueError:
        pass
    raise WrongArgumentError(f"`{text}` is not a date such as 2026-11-24 or 2026-11-24T08:00:00Z")
