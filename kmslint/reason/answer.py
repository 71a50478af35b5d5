"""What the reasoning core answers. Three answers, never a bool."""

from kmslint.policy.request import Request
from kmslint.typed import NamedTuple, Union

REGISTER = "register"
"""A point of AWS's behaviour that no public source settles (the register in docs/semantics)."""
SYMBOL = "symbol"
"""A value of a template that could not be resolved."""
BUDGET = "budget"
"""The search stopped at a named budget."""
INPUT = "input"
"""A part of the input that was not read or violates the grammar."""
OWNER = "owner"
"""The owner account is not known and the answer depends on it."""


class Cause(NamedTuple):
    """Why a question is undetermined: one of the kinds above and a sentence that names the point, symbol or budget."""

    kind: str
    text: str


class StatementRef(NamedTuple):
    """One statement of one of the policies that were asked about, both 0-based."""

    policy: int
    statement: int


class Killed(NamedTuple):
    """One step of a proof: no request of this group is what was asked for, and why.

    `why` is "reach" (the statement `by` does not apply to this caller or action), "deny" (the Deny `by` stops all of it),
    "allow" (the Allow `by` lets all of it through, where a request that is not allowed is looked for) or
    "conditions" (the atoms of `core` cannot hold together). `evidence` is what a checker needs to verify the step without
    searching (`reason.certificate`).
    """

    cell: str
    """The group of requests, as a sentence."""
    subject: StatementRef | None
    """The Allow statement that the step is about, if it is about one."""
    why: str
    by: StatementRef | None
    core: tuple[str, ...]
    """The conditions that cannot hold together, each naming its statement."""
    evidence: object = None


class Proven(NamedTuple):
    """No such request exists, and the search was exhaustive under the assumptions."""

    assumptions: tuple[str, ...] = ()
    certificate: tuple[Killed, ...] = ()


class Violated(NamedTuple):
    """Such a request exists: `witness`, replayed by `policy.evaluate`.

    `statements` are the Allow statements that admit it; `grant` is "direct" or "delegated" (None where nothing is allowed).
    """

    witness: Request
    statements: tuple[StatementRef, ...] = ()
    grant: str | None = None
    assumptions: tuple[str, ...] = ()


class Undetermined(NamedTuple):
    """Neither could be shown. `candidate` is a request that may be one, where there is one."""

    causes: tuple[Cause, ...]
    candidate: Request | None = None
    statements: tuple[StatementRef, ...] = ()


Answer = Union[Proven, Violated, Undetermined]
