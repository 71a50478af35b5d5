"""Reads a rule from the table that its rule.toml holds, and its page.

Reading checks everything that can be wrong in a rule: an unknown key, a value of the wrong kind, a fact, a variable, a
predicate or a placeholder that does not exist. Each complaint names the file, the key and the nearest valid word.
"""

import os
import re
from collections.abc import Callable, Iterable

from kmslint.aws.spelling import nearest
from kmslint.engine import facts, message, variables
from kmslint.engine.predicates import PREDICATES
from kmslint.engine.rule import EVERY, GRANTS, POLICY, SOME, Block, Check, Facts, Forbid, Options, Require, Rule, Table
from kmslint.errors import RuleError
from kmslint.model.key import FACTS
from kmslint.model.result import SEVERITIES, Control
from kmslint.model.settings import Settings
from kmslint.pattern import pattern
from kmslint.typed import Final

_ID: Final = pattern(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_SINCE: Final = pattern(r"[0-9]+\.[0-9]+\.[0-9]+\Z")
_ELEMENTS: Final = ("Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
_MAX_SIBLING_STATEMENTS: Final = 64


def parse_rule(table: Table, where: str, folder: str | None = None) -> Rule:
    """The rule that `table` states; `where` names its file in messages. Titles of its controls are still empty.

    Raises RuleError at the first thing that is wrong.
    """
    return _Reading(where).rule(table, folder)


class _Reading:
    """One rule file while it is read."""

    def __init__(self, where: str) -> None:
        self.where = where

    def rule(self, table: Table, folder: str | None) -> Rule:
        known = (*Rule._fields, "forbid", "require", "facts", "check")
        self.known("", table, tuple(name for name in known if name not in {"blocks", "folder"}))
        for name in ("id", "title", "severity", "needs", "since"):
            if name not in table:
                raise self.error(f"has no `{name}`", "a rule needs id, title, severity, needs and since")
        blocks = tuple(self.blocks(table))
        if not blocks:
            raise self.error("has no block", "add [[forbid]], [[require]], [[facts]] or [[check]]")
        return Rule(
            id=self.matching("id", table["id"], _ID, "words in kebab case"),
            title=self.text("title", table["title"]),
            severity=self.word("severity", table["severity"], SEVERITIES),
            needs=self.words("needs", table["needs"], (POLICY, *FACTS)),
            since=self.matching("since", table["since"], _SINCE, "a version such as 0.1.0"),
            blocks=blocks,
            controls=tuple(self.controls(table.get("controls", []))),
            holds=self.template("holds", table.get("holds"), witness=False),
            folds_into=tuple(self.text("folds_into", item) for item in self.items("folds_into", table.get("folds_into", []))),
            aws_managed=self.flag("aws_managed", table.get("aws_managed", False)),
            owner_sure=self.flag("owner_sure", table.get("owner_sure", False)),
            needs_settings=self.words("needs_settings", table.get("needs_settings", []), Settings._fields),
            when=self.schema("when", table.get("when")),
            otherwise=self.template("otherwise", table.get("otherwise"), witness=False),
            folder=folder,
        )

    def blocks(self, table: Table) -> Iterable[Block]:
        readers: tuple[tuple[str, Callable[[str, Table], Block]], ...] = (
            ("forbid", self.forbid),
            ("require", self.require),
            ("facts", self.facts),
            ("check", self.check),
        )
        for name, read in readers:
            for index, block in enumerate(self.items(name, table.get(name, []))):
                yield read(f"{name}[{index}]", self.table(f"{name}[{index}]", block))

    def forbid(self, at: str, table: Table) -> Forbid:
        self.known(at, table, (*Options._fields, *_ELEMENTS, "statements", "grant", "per"))
        grant = self.word(f"{at}.grant", table.get("grant", "default"), GRANTS)
        per = self.word(f"{at}.per", table.get("per", "statement"), ("statement", "key"))
        return Forbid(self.options(at, table), self.statements(at, table), grant, per)

    def require(self, at: str, table: Table) -> Require:
        self.known(at, table, (*Options._fields, *_ELEMENTS, "statements", "grant", "quantifier"))
        quantifier = self.word(f"{at}.quantifier", table.get("quantifier"), (SOME, EVERY))
        grant = self.word(f"{at}.grant", table.get("grant", "any"), GRANTS)
        return Require(self.options(at, table), self.statements(at, table), quantifier, grant)

    def facts(self, at: str, table: Table) -> Facts:
        options = (*Options._fields, "fact")
        schema = self.schema(at, {name: value for name, value in table.items() if name not in options})
        fact = table.get("fact")
        if not schema:
            raise self.error(f"`{at}` asks nothing", "add a keyword such as `properties` or `required`")
        return Facts(self.options(at, table), schema, None if fact is None else self.word(f"{at}.fact", fact, FACTS))

    def check(self, at: str, table: Table) -> Check:
        self.known(at, table, (*Options._fields, "predicate", "params"))
        predicate = self.word(f"{at}.predicate", table.get("predicate"), PREDICATES)
        params = self.table(f"{at}.params", table.get("params", {}))
        self.variables(f"{at}.params", params)
        return Check(self.options(at, table), predicate, params)

    def options(self, at: str, table: Table) -> Options:
        def severity(name: str) -> str | None:
            return self.word(f"{at}.{name}", table[name], SEVERITIES) if name in table else None

        return Options(
            severity=severity("severity"),
            strict_severity=severity("strict_severity"),
            when=self.schema(f"{at}.when", table.get("when")),
            otherwise=self.template(f"{at}.otherwise", table.get("otherwise"), witness=False),
            message=self.template(f"{at}.message", table.get("message"), witness=True),
            help=self.template(f"{at}.help", table.get("help"), witness=True),
            command=self.template(f"{at}.command", table.get("command"), witness=True),
        )

    def statements(self, at: str, table: Table) -> tuple[Table, ...]:
        own = {name: table[name] for name in _ELEMENTS if name in table}
        listed = self.items(f"{at}.statements", table.get("statements", []))
        if bool(own) == bool(listed):
            raise self.error(f"`{at}` describes no request", "write the elements of one statement, or a list `statements`")
        if len(listed) > _MAX_SIBLING_STATEMENTS:
            raise self.error(f"`{at}.statements` has {len(listed)} entries", f"at most {_MAX_SIBLING_STATEMENTS} are read")
        statements = tuple(self.table(f"{at}.statements[{i}]", item) for i, item in enumerate(listed)) or (own,)
        for index, statement in enumerate(statements):
            name = f"{at}.statements[{index}]" if listed else at
            self.known(name, statement, _ELEMENTS)
            self.variables(name, statement)
        return statements

    def controls(self, value: object) -> Iterable[Control]:
        for index, item in enumerate(self.items("controls", value)):
            at = f"controls[{index}]"
            table = self.table(at, item)
            self.known(at, table, ("id", "why"))
            name = self.text(f"{at}.id", table.get("id"))
            if not name.partition("/")[2]:
                raise self.error(f"`{at}.id` is `{name}`", "write framework/citation, such as hipaa/164.312(a)(1)")
            yield Control(name, "", "", self.text(f"{at}.why", table.get("why")))

    # values

    def schema(self, at: str, value: object) -> Table | None:
        if value is None:
            return None
        try:
            facts.validate(self.table(at, value), tuple(FACTS))
        except facts.SchemaError as wrong:
            raise self.error(f"`{at}{wrong.at}` {wrong.message}", wrong.help) from None
        self.variables(at, value)
        return self.table(at, value)

    def template(self, at: str, value: object, *, witness: bool) -> str | None:
        if value is None:
            return None
        text = self.text(at, value)
        for name in message.placeholders(text):
            if not message.is_known(name, witness=witness):
                near = nearest(name, message.names(witness=witness))
                raise self.error(
                    f"`{at}` has an unknown placeholder `{{{name}}}`", _did_you_mean(near, message.names(witness=witness))
                )
        return text

    def variables(self, at: str, value: object) -> None:
        for name in variables.names_in(value):
            if name not in variables.NAMES:
                near = nearest(name, variables.NAMES)
                raise self.error(f"`{at}` has an unknown variable `${{kmslint:{name}}}`", _did_you_mean(near, variables.NAMES))

    def known(self, at: str, table: Table, names: tuple[str, ...]) -> None:
        for name in table:
            if name not in names:
                place = f"{at}.{name}" if at else name
                raise self.error(f"unknown key `{place}`", _did_you_mean(nearest(name, names), names))

    def word(self, at: str, value: object, words: Iterable[str]) -> str:
        if isinstance(value, str) and value in words:
            return value
        shown = tuple(words)
        near = nearest(value, shown) if isinstance(value, str) else None
        found = f"is `{value}`" if value is not None else "is missing"
        raise self.error(f"`{at}` {found}", _did_you_mean(near, shown))

    def words(self, at: str, value: object, words: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.word(at, item, words) for item in self.items(at, value))

    def matching(self, at: str, value: object, pattern: "re.Pattern[str]", expected: str) -> str:
        text = self.text(at, value)
        if pattern.match(text):
            return text
        raise self.error(f"`{at}` is `{text}`, expected {expected}")

    def text(self, at: str, value: object) -> str:
        if isinstance(value, str) and value.strip():
            return value
        raise self.error(f"`{at}` is not a text" if value is not None else f"`{at}` is missing")

    def flag(self, at: str, value: object) -> bool:
        if isinstance(value, bool):
            return value
        raise self.error(f"`{at}` is neither true nor false")

    def items(self, at: str, value: object) -> list[object]:
        if isinstance(value, list):
            return value
        raise self.error(
            f"`{at}` is not a list", f"write `[[{at}]]` above each entry" if at in {"forbid", "facts", "check"} else None
        )

    def table(self, at: str, value: object) -> Table:
        if isinstance(value, dict):
            return value
        raise self.error(f"`{at}` is not a table")

    def error(self, message: str, help: str | None = None) -> RuleError:
        return RuleError(message, source=self.where, help=help)


def _did_you_mean(near: str | None, words: Iterable[str]) -> str:
    return f"did you mean `{near}`?" if near else "expected one of " + ", ".join(f"`{word}`" for word in words)


def page_sections(text: str) -> dict[str, str]:
    """The sections of a rule.md by their headings (`## …`), in order; the text before the first under ""."""
    sections: dict[str, list[str]] = {"": []}
    current = sections[""]
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            current = sections.setdefault(line[3:].strip(), [])
        else:
            current.append(line)
    return {heading: "\n".join(lines).strip() for heading, lines in sections.items()}


def read_page(folder: str) -> str:
    """The text of rule.md in `folder`. Raises RuleError when it cannot be read."""
    file = os.path.join(folder, "rule.md")
    try:
        with open(file, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError):
        raise RuleError("cannot be read", source=file, help="every rule has a page rule.md, UTF-8") from None
