"""A rule as a value: what it asks of a key, and what its answers are called. `rule_file` reads one."""

from collections.abc import Mapping

from kmslint.model.result import Control
from kmslint.typed import Final, NamedTuple, Union

Table = Mapping[str, object]

POLICY: Final = "policy"
"""The one word of `needs` that is not a fact: the key's policies."""

GRANTS: Final = ("default", "direct", "delegated", "any")
SOME: Final = "some"
EVERY: Final = "every"


class Options(NamedTuple):
    """What every block may carry; None where the block leaves it to the rule."""

    severity: str | None = None
    strict_severity: str | None = None
    """The severity under `strict`."""
    when: Table | None = None
    """The facts under which the block applies."""
    otherwise: str | None = None
    """Why it does not apply, as a sentence, when `when` is false."""
    message: str | None = None
    help: str | None = None
    command: str | None = None


class Forbid(NamedTuple):
    """No request that one of `statements` describes may be allowed."""

    options: Options
    statements: tuple[Table, ...]
    grant: str = "default"
    per: str = "statement"
    """"statement": a result for each Allow that admits one; "key": one result in all."""


class Require(NamedTuple):
    """Some, or every, request that `statements` describe must be allowed."""

    options: Options
    statements: tuple[Table, ...]
    quantifier: str
    grant: str = "any"


class Facts(NamedTuple):
    """The facts of the key satisfy `schema`. `fact` names the one that a finding is about, else the one that fails."""

    options: Options
    schema: Table
    fact: str | None = None


class Check(NamedTuple):
    """A predicate of `engine.predicates` finds nothing."""

    options: Options
    predicate: str
    params: Table


Block = Union[Forbid, Require, Facts, Check]


class Rule(NamedTuple):
    """One rule: what it asks of a key, and what its answers are called."""

    id: str
    title: str
    severity: str
    needs: tuple[str, ...]
    since: str
    blocks: tuple[Block, ...]
    controls: tuple[Control, ...]
    holds: str | None = None
    """What a PASS says."""
    folds_into: tuple[str, ...] = ()
    """The rules whose finding on the same statement is the greater one, greatest first."""
    aws_managed: bool = False
    """Whether it also applies to AWS managed keys, whose policy and rotation are not the customer's."""
    owner_sure: bool = False
    """Whether, under `strict`, an inferred owner account leaves it UNDETERMINED at best."""
    needs_settings: tuple[str, ...] = ()
    when: Table | None = None
    otherwise: str | None = None
    folder: str | None = None
    """Where rule.md and cases/ are; None for a rule of the compiled catalogue."""
