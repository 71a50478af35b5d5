"""The catalogue as a wheel carries it: what every check reads, and beside it what only some commands read.

`rules.json` holds the rules as lists of their fields, checked when the wheel was built and not again when it is read.
`pages.json` holds the frameworks, and the pages and cases of the rules.
"""

import json
import os
from collections.abc import Mapping, Sequence

from kmslint.engine.rule import Block, Check, Facts, Forbid, Options, Require, Rule
from kmslint.errors import RuleError
from kmslint.model.result import Control
from kmslint.sha256 import hexdigest
from kmslint.typed import Any, Final

Table = Mapping[str, object]

FORMAT: Final = "kmslint-rules/2"
RULES: Final = "rules.json"
PAGES: Final = "pages.json"

_KINDS: Final[Mapping[str, Any]] = {"forbid": Forbid, "require": Require, "facts": Facts, "check": Check}


def write(folder: str, rules: Sequence[Rule], frameworks: Sequence[Table], pages: Table) -> None:
    """Put the catalogue into `folder`. The same rules give the same bytes. Raises RuleError when a value is not JSON."""
    held = {"format": FORMAT, "rules": [_row(rule) for rule in rules]}
    _write(os.path.join(folder, RULES), held)
    _write(os.path.join(folder, PAGES), {"format": FORMAT, "frameworks": frameworks, "pages": pages})


def read_rules(folder: str) -> tuple[Rule, ...]:
    """The rules in `folder`, by id. Raises RuleError when they cannot be read."""
    rows: list[Any] = _read(os.path.join(folder, RULES), "rules", list)
    return tuple(_rule(*row) for row in rows)


def read_frameworks(folder: str) -> list[Table]:
    """The frameworks in `folder` as plain tables. Raises RuleError when they cannot be read."""
    found: list[Table] = _read(os.path.join(folder, PAGES), "frameworks", list)
    return found


def read_pages(folder: str) -> Mapping[str, Mapping[str, object]]:
    """For each rule in `folder` its "page" and its "cases". Raises RuleError when they cannot be read."""
    found: Mapping[str, Mapping[str, object]] = _read(os.path.join(folder, PAGES), "pages", dict)
    return found


def digest(rules: Sequence[Rule]) -> str:
    """SHA-256 (hex) of what the rules ask, wherever they were read from. Equal rules, equal digest."""
    rows = json.dumps([_row(rule) for rule in rules], sort_keys=True, separators=(",", ":"), default=str)
    return hexdigest(rows.encode())


def _row(rule: Rule) -> list[object]:
    blocks = [[name, *block] for block in rule.blocks for name, kind in _KINDS.items() if isinstance(block, kind)]
    fields: dict[str, object] = rule._asdict() | {"blocks": blocks}
    return [value for name, value in fields.items() if name != "folder"]


def _rule(*row: Any) -> Rule:  # noqa: ANN401  a row is JSON
    """The rule whose fields are `row`, in their order, without its folder."""
    id, title, severity, needs, since, blocks, controls, holds, folds_into, *rest = row
    aws_managed, owner_sure, needs_settings, when, otherwise = rest
    return Rule(
        id,
        title,
        severity,
        tuple(needs),
        since,
        tuple([_block(*block) for block in blocks]),
        tuple([Control(*control) for control in controls]),
        holds,
        tuple(folds_into),
        aws_managed,
        owner_sure,
        tuple(needs_settings),
        when,
        otherwise,
    )


def _block(kind: str, options: list[Any], asked: Any, *rest: Any) -> Block:  # noqa: ANN401  a row is JSON
    statements = tuple(asked) if isinstance(asked, list) else asked
    block: Block = _KINDS[kind](Options(*options), statements, *rest)
    return block


def _write(file: str, value: Table) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except TypeError as error:
        raise RuleError(f"a value is not JSON: {error}", help="write dates in quotes") from None
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")


def _read(file: str, name: str, kind: type) -> Any:  # noqa: ANN401  JSON, of the kind asked for
    try:
        with open(file, "rb") as stream:
            found = json.loads(stream.read())
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror}", source=file, help="install kmslint again") from None
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get(name), kind):
        raise RuleError("is no catalogue of rules", source=file, help="install kmslint again")
    return found[name]
