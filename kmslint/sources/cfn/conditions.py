"""The scenarios in which a template may be deployed, as far as its conditions tell them apart.

A parameter that is not given may hold its default, any value that a condition compares it with, or another one; a comparison
that the text does not settle may come out either way. Each way in which the wanted conditions may come out together is one
scenario, with the values that lead there, defaults first.

Source: CloudFormation User Guide, "Condition functions".
"""

from collections.abc import Iterator, Mapping, Sequence

from kmslint.sources.cfn.evaluator import Evaluator
from kmslint.sources.cfn.given import OTHER, Given, Open
from kmslint.sources.cfn.template import Template
from kmslint.sources.cfn.values import literal, plain, shown, symbol_of
from kmslint.tree import ARRAY, OBJECT, Node
from kmslint.typed import Final, NamedTuple

MAX_SCENARIOS: Final = 64
"""Ways for the conditions of one key to come out. Real keys have at most a handful."""

MAX_ASSIGNMENTS: Final = 2_000
"""Assignments of values that are tried for one key."""

MAX_DEPTH: Final = 40
"""Conditions inside each other, by name or not."""

_ATOM: Final = "="
"""Begins the name of a comparison that the text does not settle; no parameter begins so."""

Assignment = Mapping[str, "str | bool | None"]


class Scenario(NamedTuple):
    """Values of parameters and comparisons, and how the wanted conditions come out."""

    assignment: Assignment
    answers: Mapping[str, bool]

    def named(self) -> str:
        """`IsProd, not IsShared`: how the conditions come out, as a report says it."""
        return ", ".join(name if holds else f"not {name}" for name, holds in self.answers.items())


def names_in(node: Node) -> Iterator[str]:
    """The conditions that the Fn::If functions of a value ask, in order."""
    stack = [node]
    while stack:
        found = stack.pop()
        for member in found.members():
            parts = member.value.items()
            if member.key == "Fn::If" and parts and (name := literal(parts[0])) is not None:
                yield name
        stack.extend(reversed([*(member.value for member in found.members()), *found.items()]))


def scenarios(template: Template, given: Given, wanted: Sequence[str], budget: list[int]) -> list[Scenario] | None:
    """The scenarios that tell the wanted conditions apart; None when there are more than the limits allow."""
    candidates = _Candidates(template)
    found: dict[tuple[bool, ...], Scenario] = {}
    stack: list[Assignment] = [{}]
    tried = 0
    while stack:
        assignment = stack.pop()
        tried += 1
        if tried > MAX_ASSIGNMENTS or len(found) > MAX_SCENARIOS:
            return None
        try:
            reading = _Conditions(template, given, assignment, candidates, budget)
            answers = {name: reading.holds(name) for name in wanted}
        except Open as missing:
            stack.extend({**assignment, missing.name: value} for value in reversed(candidates.of(missing.name)))
        else:
            found.setdefault(tuple(answers.values()), Scenario(assignment, answers))
    return list(found.values())


class _Candidates:
    """The values that a parameter may have, as far as the conditions tell them apart."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.compared: dict[str, list[str]] = {}
        for condition in template.conditions.values():
            self._collect(condition)

    def _collect(self, condition: Node) -> None:
        stack = [condition]
        while stack:
            node = stack.pop()
            for member in node.members():
                if member.key == "Fn::Equals" and len(member.value.items()) == 2:
                    left, right = member.value.items()
                    self._compare(left, right)
                    self._compare(right, left)
                stack.append(member.value)
            stack.extend(node.items())

    def _compare(self, reference: Node, other: Node) -> None:
        members = reference.members()
        name = literal(members[0].value) if len(members) == 1 and members[0].key == "Ref" else None
        value = literal(other)
        if name is not None and value is not None and value not in self.compared.setdefault(name, []):
            self.compared[name].append(value)

    def of(self, name: str) -> "list[str | bool | None]":
        """The values to try, the likeliest first."""
        if name.startswith(_ATOM):
            return [True, False]
        compared = self.compared.get(name, [])
        declared = self.template.parameters.get(name)
        if declared is None:
            return [*compared, OTHER]
        stored = (literal(declared.member("Type")) or "").startswith("AWS::SSM::Parameter::Value")
        default = None if stored else literal(declared.member("Default"))
        values = list(dict.fromkeys([*([] if default is None else [default]), *compared]))
        allowed = declared.member("AllowedValues")
        if allowed is None or allowed.kind != ARRAY or stored:
            return [*values, OTHER]
        choices = [text for item in allowed.items() if (text := literal(item)) is not None]
        kept: list[str | bool | None] = [value for value in values if value in choices]
        return kept if set(choices) <= set(kept) and kept else [*kept, OTHER]

    def excludes(self, name: str, value: str) -> bool:
        """Whether "another value" of `name` is surely not `value`."""
        return value in self.of(name)


class _Conditions:
    """The conditions of a template under one assignment."""

    def __init__(
        self, template: Template, given: Given, assignment: Assignment, candidates: _Candidates, budget: list[int]
    ) -> None:
        self.template = template
        self.assignment = assignment
        self.candidates = candidates
        self.evaluator = Evaluator(template, given, scenario=assignment, conditions=self.holds, budget=budget, asks=True)
        self.pending: list[str] = []
        self.depth = 0

    def holds(self, name: str) -> bool:
        """Whether the condition `name` holds. Raises Open where the assignment does not settle it."""
        condition = self.template.conditions.get(name)
        if condition is None or name in self.pending:
            return self._atom(f"condition {name}")
        self.pending.append(name)
        try:
            return self._judge(condition)
        finally:
            self.pending.pop()

    def _judge(self, node: Node) -> bool:
        self.evaluator.spend(1)
        if self.depth >= MAX_DEPTH:
            return self._atom(_source(node))
        self.depth += 1
        try:
            return self._function(node)
        finally:
            self.depth -= 1

    def _function(self, node: Node) -> bool:
        members = node.members()
        if node.kind != OBJECT or len(members) != 1:
            return self._atom(_source(node))
        name, argument = members[0].key, members[0].value
        if name == "Fn::Equals" and len(argument.items()) == 2:
            return self._equals(*argument.items())
        if name == "Fn::And":
            return all(self._judge(item) for item in argument.items())
        if name == "Fn::Or":
            return any(self._judge(item) for item in argument.items())
        if name == "Fn::Not" and len(argument.items()) == 1:
            return not self._judge(argument.items()[0])
        if name == "Condition" and (called := literal(argument)) is not None:
            return self.holds(called)
        return self._atom(_source(node))

    def _equals(self, left_node: Node, right_node: Node) -> bool:
        left, right = self.evaluator.value(left_node), self.evaluator.value(right_node)
        left_text, right_text = literal(left), literal(right)
        if left_text is not None and right_text is not None:
            return left_text == right_text
        if plain(left) == plain(right):
            return True
        if self._differs(left, right_text) or self._differs(right, left_text):
            return False
        words = sorted(
            _source(node) if value is None else shown(str(value.as_text() or _source(node)))
            for node, value in ((left_node, left), (right_node, right))
        )
        return self._atom(f"{words[0]} is {words[1]}")

    def _differs(self, node: Node | None, text: str | None) -> bool:
        """Whether `node` is a parameter that holds another value than those it is compared with, `text` being one of them."""
        symbol = None if node is None else symbol_of(node)
        if symbol is None or text is None or self.assignment.get(symbol.name, "") is not OTHER:
            return False
        return self.candidates.excludes(symbol.name, text)

    def _atom(self, text: str) -> bool:
        name = _ATOM + text
        if name not in self.assignment:
            raise Open(name)
        return self.assignment[name] is True


def _source(node: Node) -> str:
    return shown(node.text.content[node.start : node.end])
