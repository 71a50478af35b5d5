"""The question of `questions.py` as one call of an SMT solver (cvc5), beside kmslint on the same policies.

May a principal of an account that the policy does not name decrypt, calling directly? The encoding is written from the
documentation and shares nothing with `kmslint.reason`: a text and a presence bit for each condition key, the kind of caller and
the action as choices, every condition as a formula. What it does not speak of (sets, numbers, dates, addresses, policy
variables) is counted and left out. Prints times, their ratio, the solver's unknowns and whether both agree. Asserts nothing.
"""

import argparse
import os
import sys
import time
from collections import Counter
from importlib import import_module
from statistics import median
from typing import Any, Final

ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(ROOT)
sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from questions import OWNER, _corpus, _documents, policy_of, stranger  # noqa: E402

from kmslint.aws.condition_keys import lookup, presence_on  # noqa: E402
from kmslint.policy import operators  # noqa: E402
from kmslint.policy.document import Condition, Policy, Statement  # noqa: E402
from kmslint.policy.evaluate import applies  # noqa: E402
from kmslint.policy.patterns import STAR, Pattern, glob  # noqa: E402
from kmslint.policy.request import KeyContext, Request  # noqa: E402
from kmslint.policy.truth import F  # noqa: E402
from kmslint.reason.answer import Proven  # noqa: E402
from kmslint.reason.query import find_allowed  # noqa: E402

FRESH: Final = "271828182845"
CALLERS: Final = {
    "U": f"arn:aws:iam::{FRESH}:user/somebody",
    "R": f"arn:aws:sts::{FRESH}:assumed-role/somebody/session",
    "T": f"arn:aws:iam::{FRESH}:root",
    "F": f"arn:aws:sts::{FRESH}:federated-user/somebody",
}
ARNS: Final = {
    "U": ("arn:aws:iam::", ":user/"),
    "R": ("arn:aws:iam::", ":role/"),
    "T": ("arn:aws:iam::", ":root"),
    "F": ("arn:aws:sts::", ":federated-user/"),
}
ACTIONS: Final = ("Decrypt", "GenerateDataKey")
SAME: Final = {"kms:calleraccount": "aws:principalaccount"}
TEXT: Final = {operators.STRING, operators.LIKE, operators.ARN}
UNSPOKEN: Final = {"aws:userid", "aws:principaltype", "aws:principalorgpaths"}
"""Keys whose ties to other keys the encoding does not write down."""


class NotEncodedError(Exception):
    """The policy says something that the encoding does not speak of."""


class Encoding:
    """One question as a formula."""

    def __init__(self, cvc5: Any, limit_ms: int) -> None:  # noqa: ANN401  the module, where it is installed
        self.cvc5 = cvc5
        self.tm = cvc5.TermManager()
        self.solver = cvc5.Solver(self.tm)
        self.solver.setLogic("ALL")
        self.solver.setOption("tlimit-per", str(limit_ms))
        self.kinds = {kind: self.tm.mkConst(self.tm.getBooleanSort(), f"kind {kind}") for kind in CALLERS}
        self.actions = {name: self.tm.mkConst(self.tm.getBooleanSort(), name) for name in ACTIONS}
        self.keys: dict[str, tuple[Any, Any]] = {}
        for choices in (self.kinds, self.actions):
            self._claim(self._any(list(choices.values())))

    def ask(self, policy: Policy, described: Statement) -> str:
        """sat, unsat or unknown: is a described request allowed."""
        allows = [self._statement(one, policy) for one in policy.statements if one.effect != "Deny"]
        denies = [self._statement(one, policy) for one in policy.statements if one.effect != "Allow"]
        self._claim(self._statement(described, Policy("2012-10-17", ())))
        self._claim(self._any(allows))
        for deny in denies:
            self._claim(self._no(deny))
        result = self.solver.checkSat()
        return "unknown" if result.isUnknown() else "sat" if result.isSat() else "unsat"

    # formulas

    def _term(self, kind: str, *parts: Any) -> Any:  # noqa: ANN401
        return self.tm.mkTerm(getattr(self.cvc5.Kind, kind), *parts)

    def _claim(self, formula: Any) -> None:  # noqa: ANN401
        self.solver.assertFormula(formula)

    def _no(self, formula: Any) -> Any:  # noqa: ANN401
        return self._term("NOT", formula)

    def _any(self, formulas: list[Any]) -> Any:  # noqa: ANN401
        return self.tm.mkFalse() if not formulas else formulas[0] if len(formulas) == 1 else self._term("OR", *formulas)

    def _all(self, formulas: list[Any]) -> Any:  # noqa: ANN401
        return self.tm.mkTrue() if not formulas else formulas[0] if len(formulas) == 1 else self._term("AND", *formulas)

    # statements

    def _statement(self, statement: Statement, policy: Policy) -> Any:  # noqa: ANN401
        """When it applies: for the callers and actions that the evaluator lets through, with every condition."""
        if statement.unknown:
            raise NotEncodedError("a statement that is not known")
        cells = [
            self._all([self.kinds[kind], self.actions[action]])
            for kind, caller in CALLERS.items()
            for action in ACTIONS
            if self._fits(statement, policy, caller, action)
        ]
        if not cells:
            return self.tm.mkFalse()
        return self._all([self._any(cells), *(self._condition(one, policy) for one in statement.conditions)])

    def _fits(self, statement: Statement, policy: Policy, caller: str, action: str) -> bool:
        """Whether principal, action and resource let the statement apply; for a Deny only surely."""
        request = Request(caller, f"kms:{action}", {}, KeyContext(account=OWNER), f"arn:aws:iam::{FRESH}:user/parent")
        truth = applies(statement._replace(conditions=()), policy, request).truth
        if truth not in {F, 2}:
            raise NotEncodedError("a point that no source settles")
        return truth != F

    def _condition(self, condition: Condition, policy: Policy) -> Any:  # noqa: ANN401
        use, name = operators.lookup(condition.operator), condition.key.lower()
        listed = lookup(name)
        values = [item.value for item in condition.values]
        plain = [value for value in values if isinstance(value, str)]
        if use is None or listed is None or listed.multi or use.quantifier is not None or name in UNSPOKEN or not plain:
            raise NotEncodedError(f"{condition.operator} {condition.key}")
        if len(plain) < len(values) or (policy.has_variables() and any("${" in value for value in plain)):
            raise NotEncodedError("a policy variable or symbol")
        present, text = self._key(name)
        if use.operator.family == operators.NULL:
            return self._any([self._no(present) if value.lower() == "true" else present for value in plain])
        if use.operator.family == operators.BOOL:
            found = self._any([self._term("EQUAL", text, self.tm.mkString(value.lower())) for value in plain])
        elif use.operator.family in TEXT:
            found = self._any([self._member(text, use.operator.family, value) for value in plain])
        else:
            raise NotEncodedError(condition.operator)
        holds = self._no(found) if use.operator.negated else found
        absent = use.if_exists or use.operator.negated
        return self._any([self._no(present), holds]) if absent else self._all([present, holds])

    # keys

    def _key(self, name: str) -> tuple[Any, Any]:
        """The presence and the text of a condition key, with what the caller and the action make of both."""
        name = SAME.get(name, name)
        if name not in self.keys:
            present = self.tm.mkConst(self.tm.getBooleanSort(), f"has {name}")
            text = self.tm.mkConst(self.tm.getStringSort(), name)
            self.keys[name] = present, text
            self._claim(self._no(self._term("EQUAL", text, self.tm.mkString(""))))
            for kind, is_kind in self.kinds.items():
                for action, is_action in self.actions.items():
                    presence = presence_on(name, kind, action)
                    if presence in {"always", "never"}:
                        here = self._term("AND", is_kind, is_action)
                        self._claim(self._term("IMPLIES", here, present if presence == "always" else self._no(present)))
            self._shape(name, text)
        return self.keys[name]

    def _shape(self, name: str, text: Any) -> None:  # noqa: ANN401
        listed = lookup(name)
        if name == "aws:principalisawsservice":
            self._claim(self._term("EQUAL", text, self.tm.mkString("false")))
        elif name == "aws:principalaccount":
            digit = self._term("REGEXP_RANGE", self.tm.mkString("0"), self.tm.mkString("9"))
            self._claim(self._term("STRING_IN_REGEXP", text, self._term("REGEXP_CONCAT", *(digit,) * 12)))
        elif name == "aws:principalarn":
            account = self._key("aws:principalaccount")[1]
            for kind, (head, tail) in ARNS.items():
                start = self._term("STRING_CONCAT", self.tm.mkString(head), account, self.tm.mkString(tail))
                fits = self._term("EQUAL", text, start) if kind == "T" else self._term("STRING_PREFIX", start, text)
                self._claim(self._term("IMPLIES", self.kinds[kind], fits))
        elif listed is not None and listed.values is not None:
            self._claim(self._any([self._term("EQUAL", text, self.tm.mkString(value)) for value in listed.values]))

    # text

    def _member(self, text: Any, family: str, value: str) -> Any:  # noqa: ANN401
        if family == operators.STRING:
            return self._term("EQUAL", text, self.tm.mkString(value))
        pattern = glob(value)
        segments = sum(token == ":" for token in pattern) if family == operators.ARN else 5
        if segments < 5:
            raise NotEncodedError("an ARN pattern with fewer than six segments")
        return self._term("STRING_IN_REGEXP", text, self._regex(pattern, in_segments=family == operators.ARN))

    def _regex(self, pattern: Pattern, *, in_segments: bool) -> Any:  # noqa: ANN401
        parts, colons = [], 0
        for token in pattern:
            colons += token == ":"
            if isinstance(token, str):
                parts.append(self._term("STRING_TO_REGEXP", self.tm.mkString(token)))
                continue
            one = self._term("REGEXP_ALLCHAR")
            if in_segments and colons < 5:
                colon = self._term("STRING_TO_REGEXP", self.tm.mkString(":"))
                one = self._term("REGEXP_INTER", one, self._term("REGEXP_COMPLEMENT", colon))
            parts.append(self._term("REGEXP_STAR", one) if token == STAR else one)
        if not parts:
            return self._term("STRING_TO_REGEXP", self.tm.mkString(""))
        return parts[0] if len(parts) == 1 else self._term("REGEXP_CONCAT", *parts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=_corpus())
    parser.add_argument("--limit", type=int, default=5_000, help="milliseconds for one call of the solver")
    arguments = parser.parse_args()
    try:
        cvc5 = import_module("cvc5")
    except ImportError:
        print("skipped: cvc5 is not installed; the extra `solver` brings it")
        return
    if arguments.folder is None or not os.path.isdir(arguments.folder):
        print("skipped: no folder of policies (set KMSLINT_SHARED, or put `shared` beside the checkout)")
        return
    _print(*_measure(cvc5, arguments.folder, arguments.limit))


def _measure(cvc5: Any, folder: str, limit: int) -> tuple[list[tuple[float, float]], Counter[str], list[str]]:  # noqa: ANN401
    times: list[tuple[float, float]] = []
    counts: Counter[str] = Counter()
    disagreements: list[str] = []
    for name, document in _documents(folder):
        described, policy = stranger(document), policy_of(document)
        start = time.perf_counter_ns()
        try:
            answer = Encoding(cvc5, limit).ask(policy, described[0])
        except NotEncodedError as reason:
            counts["not encoded"] += 1
            counts[f"  {reason}"] += 1
            continue
        solver = (time.perf_counter_ns() - start) / 1e6
        start = time.perf_counter_ns()
        own = find_allowed((policy,), described, KeyContext(account=OWNER))
        kmslint = (time.perf_counter_ns() - start) / 1e6
        counts[answer] += 1
        times.append((kmslint, solver))
        if answer != "unknown" and isinstance(own, Proven) != (answer == "unsat"):
            disagreements.append(f"{name}: kmslint {type(own).__name__}, cvc5 {answer}")
    return times, counts, disagreements


def _print(times: list[tuple[float, float]], counts: Counter[str], disagreements: list[str]) -> None:
    print(f"{len(times)} questions put to both, times in ms, the first time that each sees the policy")
    for title, values in (("kmslint", [one for one, _ in times]), ("cvc5", [other for _, other in times])):
        if values:
            print(f"{title:10} median {median(values):9.3f}   max {max(values):9.3f}")
    if times:
        print(f"median of ratios: {median(other / one for one, other in times):.0f}")
    print(
        "cvc5:",
        ", ".join(f"{name} {counts[name]}" for name in ("sat", "unsat", "unknown")),
        f"· not encoded {counts['not encoded']}",
    )
    for reason, count in counts.most_common():
        if reason.startswith("  "):
            print(f"{reason}: {count}")
    print("disagreements:", "; ".join(disagreements) or "none")


if __name__ == "__main__":
    main()
