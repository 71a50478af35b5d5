"""The pipeline on one screen: collect keys, assess them by the rules, set accepted findings apart. Also the Python API."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from kmslint.aws.spelling import nearest
from kmslint.config import digest
from kmslint.engine.assess import assess
from kmslint.engine.loader import load_rules
from kmslint.engine.rule import Rule
from kmslint.errors import ConfigError, InputError, UsageError
from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import SEVERITIES, Outcome, Report, Result, SourceError
from kmslint.model.settings import Comment, Settings
from kmslint.sources.files import Skipped
from kmslint.sources.policy_json import NotAKey, keys_from_json
from kmslint.typed import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from kmslint.engine.frameworks import Framework
    from kmslint.sources.kms_answers import Observation

__all__ = ["check_policy", "check_rule_names", "choose_rules", "exit_code", "load_rules", "now", "report_on", "scan_keys"]

Found = Union[Key, SourceError, Skipped]


def report_on(
    found: Iterable[Found],
    *,
    rules: Sequence[Rule],
    settings: Settings,
    as_of: str,
    frameworks: "Sequence[Framework]" = (),
    known: Collection[str] = (),
) -> Report:
    """The report on what a source found. Keys are numbered in the order in which they come.

    With `frameworks` it also holds their controls, and for each key what a person must attach. `known` are the ids of all
    rules, asked or not: a comment that accepts another one is told.
    """
    keys: list[Key] = []
    errors: list[SourceError] = []
    skipped: list[tuple[str, str]] = []
    for item in found:
        if isinstance(item, Key):
            keys.append(item._replace(id=f"k{len(keys) + 1}", as_of=item.as_of or as_of))
        elif isinstance(item, SourceError):
            errors.append(item)
        else:
            skipped.append((item.source, item.reason))
    asked = {rule.id for rule in rules}
    accepted = settings._replace(suppress=tuple(entry for entry in settings.suppress if entry.rule in asked))
    results = assess(rules, keys, settings)
    notes: tuple[str, ...] = ()
    comments = tuple(dict.fromkeys(comment for key in keys for comment in key.comments))
    if accepted.suppress or comments:
        from kmslint.engine.suppress import suppress

        heeded = tuple(comment for comment in comments if comment.entry.rule in asked)
        results, notes = suppress(results, keys, accepted, as_of, heeded)
        notes += tuple(_unknown_rule(comment) for comment in comments if known and comment.entry.rule not in known)
    report = Report(tuple(keys), results, tuple(errors), tuple(skipped), as_of, digest(settings), len(rules), notes)
    if not frameworks:
        return report
    from kmslint.engine.frameworks import documents, provisions

    return report._replace(results=results + documents(frameworks, keys), provisions=provisions(frameworks, rules))


def check_policy(
    text: str,
    *,
    account: str | None = None,
    settings: Settings | None = None,
    rules: Sequence[Rule] | None = None,
    as_of: str | None = None,
) -> Report:
    """The report on one key policy, given as JSON text. `account` owns the key; without it the policy may tell.

    `as_of` is the time of observation (`YYYY-MM-DDTHH:MM:SSZ`; now, if it is None).

    Raises:
        InputError: `text` is not JSON, or holds no policy at all.
    """
    chosen = settings or Settings()
    found = keys_from_json(
        Text(text),
        type="policy",
        account=account or chosen.account,
        account_source="given" if account else "configured",
    )
    if isinstance(found, NotAKey):
        raise InputError(f"holds no key policy: {found.reason}")
    return report_on(found, rules=load_rules() if rules is None else rules, settings=chosen, as_of=as_of or now())


def scan_keys(
    key_ids: Sequence[str] | None,
    *,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    account: str | None = None,
    include: Sequence[str] = (),
    settings: Settings | None = None,
    rules: Sequence[Rule] | None = None,
    frameworks: "Sequence[Framework]" = (),
    as_of: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    observed: "Callable[[Observation], None] | None" = None,
) -> Report:
    """The report on live keys: key ids, key ARNs, alias names or alias ARNs; every key of the Region if `key_ids` is None.

    Reads with the credentials that the AWS CLI would use. `progress` is told after each key: keys read, keys known of;
    `observed` is told of each key what KMS answered.

    Raises:
        UsageError: the profile, Region or endpoint does not exist.
    """
    from kmslint.sources.aws import connect, read_all_keys, read_keys

    chosen = settings or Settings()
    moment = as_of or now()
    clients = connect(profile, region, endpoint_url)
    owner = account or chosen.account
    found: Iterator[Key | SourceError]
    if key_ids is None:
        found = read_all_keys(clients, now=moment, account=owner, include=include, progress=progress, observed=observed)
    else:
        found = read_keys(clients, key_ids, now=moment, account=owner, include=include, progress=progress, observed=observed)
    asked = load_rules() if rules is None else rules
    return report_on(found, rules=asked, settings=chosen, as_of=moment, frameworks=frameworks)


def choose_rules(rules: Sequence[Rule], select: Sequence[str], ignore: Sequence[str]) -> tuple[Rule, ...]:
    """The rules to ask: those of `select` (all, if it is empty) without those of `ignore`.

    Raises UsageError for a rule that does not exist.
    """
    known = {rule.id: rule for rule in rules}
    for option, names in (("--select", select), ("--ignore", ignore)):
        for name in names:
            if name not in known:
                raise UsageError(f"`{option}` names an unknown rule `{name}`", help=_did_you_mean(name, known))
    return tuple(rule for rule in rules if rule.id not in ignore and (not select or rule.id in select))


def check_rule_names(rules: Sequence[Rule], settings: Settings) -> None:
    """Raises ConfigError when the configuration names a rule that does not exist."""
    known = {rule.id: rule for rule in rules}
    named = [(entry.rule, entry.line or None) for entry in settings.suppress] + [(rule, None) for rule in settings.severity]
    for name, line in named:
        if name not in known:
            raise ConfigError(f"unknown rule `{name}`", source=settings.file, line=line, help=_did_you_mean(name, known))


def exit_code(report: Report, settings: Settings, *, allow_undetermined: bool, allow_empty: bool) -> int:
    """The exit code of a run (INTERFACE, "Exit codes"): 1 before 3 before 4 before 0."""
    counted = [result for result in report.results if not result.suppressed and _reaches(result, settings.fail_on)]
    if any(result.outcome is Outcome.FAIL for result in counted):
        return 1
    if report.errors or not (report.keys or allow_empty):
        return 3
    if not allow_undetermined and any(result.outcome is Outcome.UNDETERMINED for result in counted):
        return 4
    return 0


def now() -> str:
    """The time, UTC, as `as_of` is written. The only clock of kmslint: everything below is told the time."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _unknown_rule(comment: Comment) -> str:
    return f"{comment.entry.where}: the comment accepts an unknown rule `{comment.entry.rule}`; kmslint rules lists the rules"


def _reaches(result: Result, fail_on: str) -> bool:
    return fail_on != "never" and SEVERITIES.index(result.severity) >= SEVERITIES.index(fail_on)


def _did_you_mean(name: str, known: Mapping[str, object]) -> str:
    near = nearest(name, known)
    return f"did you mean `{near}`?" if near else "kmslint rules lists the rules"
