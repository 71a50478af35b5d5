"""What of a report is shown, in which order, and how many of each: the same for every format."""

from collections.abc import Mapping

from kmslint.aws.condition_keys import lookup
from kmslint.model.key import Key, Known
from kmslint.model.result import SEVERITIES, Outcome, Report, Result
from kmslint.typed import NamedTuple


class View(NamedTuple):
    """How the user wants to see a report.

    `width` is in terminal columns. `full` asks SARIF for every result, not only for the findings. `pages` are the Markdown
    pages of the rules by id, for the formats that carry them.
    """

    min_severity: str = "info"
    show_suppressed: bool = False
    verbose: bool = False
    quiet: bool = False
    width: int = 100
    full: bool = False
    pages: Mapping[str, str] = {}
    caller: str | None = None
    """The ARN of whoever scanned, where it is known."""


class Finding(NamedTuple):
    """A FAIL to show, with its key and the lesser findings on the same statement that it stands for."""

    result: Result
    key: Key
    lesser: tuple[Result, ...]


class Tally(NamedTuple):
    """How many results have each outcome; suppressed ones are counted apart."""

    outcomes: dict[Outcome, int]
    suppressed: int


def shown(report: Report, view: View) -> tuple[Result, ...]:
    """The results at or above the severity that the view asks for, in the order of the report."""
    least = SEVERITIES.index(view.min_severity)
    if least == 0:
        return report.results
    return tuple(result for result in report.results if SEVERITIES.index(result.severity) >= least)


def findings(report: Report, view: View) -> tuple[Finding, ...]:
    """The failures to show, worst first, then by key and place.

    A folded one stands under the greater finding, if that one is shown; else for itself: suppressing the greater finding
    must not hide the lesser.
    """
    keys = {key.id: key for key in report.keys}
    failed = [
        result
        for result in shown(report, view)
        if result.outcome is Outcome.FAIL and (view.show_suppressed or not result.suppressed)
    ]
    present = {result.fingerprint for result in failed if result.folded_into is None}
    lesser: dict[str, list[Result]] = {}
    for result in failed:
        if result.folded_into in present and result.folded_into is not None:
            lesser.setdefault(result.folded_into, []).append(result)
    own = [result for result in failed if result.folded_into not in present]
    return tuple(
        Finding(result, keys[result.key], tuple(lesser.get(result.fingerprint, ()) if result.folded_into is None else ()))
        for result in worst_first(own, report)
    )


def undecided(report: Report, view: View) -> tuple[Result, ...]:
    """The UNDETERMINED results to show, worst first."""
    return worst_first(
        [result for result in shown(report, view) if result.outcome is Outcome.UNDETERMINED and not result.suppressed], report
    )


def worst_first(results: list[Result], report: Report) -> tuple[Result, ...]:
    """`results` by falling severity, then in the order of keys, places and rules. Stable."""
    order = {key.id: index for index, key in enumerate(report.keys)}

    def rank(result: Result) -> tuple[int, int, tuple[int, int], str]:
        place = (result.locations[0].line, result.locations[0].column) if result.locations else (0, 0)
        return -SEVERITIES.index(result.severity), order[result.key], place, result.rule

    return tuple(sorted(results, key=rank))


def tally(results: tuple[Result, ...]) -> Tally:
    """The count of each outcome, suppressed results apart."""
    outcomes = dict.fromkeys(Outcome, 0)
    suppressed = 0
    for result in results:
        if result.suppressed:
            suppressed += 1
        else:
            outcomes[result.outcome] += 1
    return Tally(outcomes, suppressed)


def context_name(name: str) -> str:
    """A context key as AWS writes it (`aws:PrincipalArn`); the engine compares keys in lower case. An unknown one as it is."""
    known = lookup(name)
    return known.name if known else name


def label(key: Key) -> str:
    """What a person calls the key: an alias, the resource address, the file, or the key id. Text of others, not yet visible."""
    aliases = key.facts.get("aliases")
    if isinstance(aliases, Known) and isinstance(aliases.value, list | tuple) and aliases.value:
        return str(aliases.value[0])
    source = key.source
    if source.address:
        return source.address
    if source.file:
        return f"{source.file}:{source.line}" if source.line > 1 else source.file
    return key.key_id or key.arn or source.uri or key.id


def owner_assumption(key: Key) -> str | None:
    """What is assumed of the key's owner account; None when it is known. Not yet visible."""
    if key.account_source == "inferred":
        return f"the owner account {key.account} is inferred from the policy; pass --account to say which it is"
    if key.account is None:
        return "the owner account is not known; pass --account to say which it is"
    return None
