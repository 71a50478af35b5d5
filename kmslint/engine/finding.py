"""What one block of a rule says about one key, before it becomes a `Result`."""

from collections.abc import Callable, Iterable, Mapping

from kmslint.location import Location
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.policy.request import Request
from kmslint.tree import Node
from kmslint.typed import Final, NamedTuple

FAIL: Final = "FAIL"
UNDETERMINED: Final = "UNDETERMINED"
NOT_APPLICABLE: Final = "NOT_APPLICABLE"
PASS: Final = "PASS"
MANUAL: Final = "MANUAL"


class Finding(NamedTuple):
    """One answer of one block. A predicate that yields none says PASS.

    `severity` None means the block's. `policy` is the policy's name and `statement` the 0-based index in it; `node` is the
    place to show (else the statement's), with `pointer` as its JSON pointer (else the statement's). `fact` names the fact
    that a finding without a statement is about: it gives the place and the fingerprint. `reason` says why the outcome is
    UNDETERMINED or NOT_APPLICABLE. User text in `message` and `help` stands in backticks.
    """

    outcome: str
    """"FAIL" | "UNDETERMINED" | "NOT_APPLICABLE" | "PASS" | "MANUAL"."""
    message: str
    severity: str | None = None
    policy: str | None = None
    statement: int | None = None
    node: Node | None = None
    pointer: str = ""
    help: str | None = None
    reason: str | None = None
    witness: Request | None = None
    command: str | None = None
    fact: str | None = None
    location: Location | None = None
    """The place of a finding without a node (a fact's)."""
    assumptions: tuple[str, ...] = ()


Predicate = Callable[[Key, Settings, Mapping[str, object]], Iterable[Finding]]
"""A named check: pure, a function of the key, the settings and the `params` of its block."""
