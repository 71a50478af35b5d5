"""What kmslint found: results, and the report that holds them."""

from enum import Enum

from kmslint.location import Location
from kmslint.model.key import Key
from kmslint.typed import Any, NamedTuple


class Outcome(Enum):
    """What became of one rule on one key."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNDETERMINED = "UNDETERMINED"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    MANUAL = "MANUAL"


SEVERITIES = ("info", "low", "medium", "high", "critical")
"""From least to worst; a FAIL of severity info is a notice."""


class Control(NamedTuple):
    """An external requirement that a rule bears on, and why it does."""

    id: str
    """`framework/citation`, e.g. `hipaa/164.312(a)(1)`."""
    title: str
    status: str
    """HIPAA: required | addressable | standard | general | breach; else "" ."""
    why: str


class Provision(NamedTuple):
    """A control that a report is asked about with `--framework`: which rules bear on it, and what none of them can answer."""

    id: str
    """`framework/citation`, as in Control."""
    title: str
    status: str
    bears_on: str
    """Why it bears on KMS keys at all."""
    rules: tuple[str, ...]
    """The rules that bear on it, of those that were asked."""
    document: str = ""
    """What only a person can answer: the document to attach."""
    proposed: str = ""
    """What a proposed rule would change: a label of its own, never a present duty."""
    mapping: str = ""
    """Who says that the rules bear on it."""


class Suppression(NamedTuple):
    """The decision that a finding is accepted: kept in the report, not counted."""

    reason: str
    owner: str
    until: str
    alternative: str | None = None
    where: str = ""


class Result(NamedTuple):
    """One rule on one key; for a failing access rule, one per failing statement.

    `witness` is `{"principal", "action", "context"}` as INTERFACE.md prints it, or None. `assumptions` are what the
    outcome rests on; `reason` says why it is UNDETERMINED or NOT_APPLICABLE. `command` is a fix to paste, if one exists.
    """

    rule: str
    title: str
    outcome: Outcome
    severity: str
    key: str
    message: str
    policy: str | None = None
    help: str | None = None
    command: str | None = None
    locations: tuple[Location, ...] = ()
    witness: dict[str, Any] | None = None
    assumptions: tuple[str, ...] = ()
    reason: str | None = None
    controls: tuple[Control, ...] = ()
    fingerprint: str = ""
    folded_into: str | None = None
    """The fingerprint of the greater finding on the same statement."""
    suppressed: Suppression | None = None


class SourceError(NamedTuple):
    """An input that could not be read, or not wholly."""

    source: str
    line: int | None
    column: int | None
    message: str
    help: str | None = None


class Report(NamedTuple):
    """Everything one run found. `skipped` lists (file, reason) of what is plainly not a key."""

    keys: tuple[Key, ...]
    results: tuple[Result, ...]
    errors: tuple[SourceError, ...]
    skipped: tuple[tuple[str, str], ...]
    as_of: str
    config_sha256: str
    rules: int
    notes: tuple[str, ...] = ()
    provisions: tuple[Provision, ...] = ()
    """The controls of `--framework`, in the order of their frameworks; () without it."""
