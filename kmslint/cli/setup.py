"""From options to what the pipeline needs, the settings of the run and the rules to ask; and from its report to an exit code."""

import os

from kmslint import app
from kmslint.cli.options import Options
from kmslint.config import find_config, read_settings
from kmslint.engine.loader import Catalogue, load_catalogue, load_rules
from kmslint.engine.rule import Rule
from kmslint.errors import UsageError
from kmslint.model.result import Report
from kmslint.model.settings import Settings
from kmslint.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kmslint.engine.frameworks import Framework


def settings_of(options: Options, as_of: str) -> Settings:
    """The configuration, overridden by the options.

    Raises ConfigError when the configuration cannot be read or understood.
    """
    settings = _configured(options, as_of[:10])
    if options.account is not None:
        settings = settings._replace(account=options.account)
    if options.fail_on is not None:
        settings = settings._replace(fail_on=options.fail_on)
    return settings._replace(strict=True) if options.strict else settings


class Asked(NamedTuple):
    """What a run asks: its rules, and the frameworks that the report is grouped by."""

    rules: tuple[Rule, ...]
    known: tuple[str, ...]
    """The ids of all rules."""
    frameworks: "tuple[Framework, ...]"


def asked_of(options: Options, settings: Settings) -> Asked:
    """The rules and frameworks to ask.

    Raises UsageError for a rule or framework that does not exist, RuleError for a rule folder that is none.
    """
    every = load_catalogue(options.rules) if options.framework else Catalogue(load_rules(options.rules), ())
    app.check_rule_names(every.rules, settings)
    chosen = app.choose_rules(every.rules, options.select, options.ignore)
    frameworks: tuple[Framework, ...] = ()
    if options.framework:
        from kmslint.engine.frameworks import choose, restricted

        frameworks = choose(every.frameworks, options.framework)
        chosen = restricted(chosen, frameworks)
    if not chosen:
        named = "`--select`, `--ignore` and `--framework`" if frameworks else "`--select` and `--ignore`"
        raise UsageError(f"{named} leave no rule to ask", help="kmslint rules lists the rules")
    return Asked(chosen, tuple(rule.id for rule in every.rules), frameworks)


def compared(report: Report, options: Options) -> Report:
    """The report with what `--baseline` accepts set apart; with `--write-baseline`, its findings are written down first.

    Raises ConfigError when the baseline cannot be read, UsageError when it cannot be written.
    """
    if options.baseline is None and options.write_baseline is None:
        return report
    from kmslint.baseline import apply_baseline, read_baseline, write_baseline
    from kmslint.cli.emit import write_atomically

    entries = read_baseline(options.baseline) if options.baseline is not None else None
    if options.write_baseline is not None:
        write_atomically(options.write_baseline, write_baseline(report))
    return report if entries is None else apply_baseline(report, entries, options.baseline or "")


def gate(report: Report, settings: Settings, options: Options) -> int:
    """The exit code that the report earns under the options."""
    code = app.exit_code(report, settings, allow_undetermined=options.allow_undetermined, allow_empty=options.allow_empty)
    return 0 if options.exit_zero and code in {1, 4} else code


def _configured(options: Options, today: str) -> Settings:
    if options.no_config:
        return Settings()
    file = options.config if options.config is not None else find_config(_working_directory(), os.environ)
    return read_settings(file, today=today) if file is not None else Settings()


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return os.sep
