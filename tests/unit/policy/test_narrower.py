"""When a statement plainly says no more than another, and when two say the same: each element alone, each "no" by its "yes"."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings

from kmslint.policy.document import Condition, Item, Policy, Principal, Statement
from kmslint.policy.evaluate import applies
from kmslint.policy.narrower import is_narrower, is_same_policy, meaning, plain
from kmslint.policy.parse import parse_policy
from kmslint.tree import ARRAY, NUMBER, OBJECT, STRING, UNRESOLVED, Symbol, Template, Value, from_python
from tests import strategies
from tests.oracle import world
from tests.oracle.bridge import policy_of, request_of

NODE = from_python(None)
HOLE, OTHER_HOLE = Template(("kms:", Symbol("var.x"))), Template(("kms:", Symbol("var.y")))
EXAMPLES = max(10, settings().max_examples // 3)


def items(*values: Value) -> tuple[Item, ...]:
    return tuple(Item(value, NODE) for value in values)


def who(*entries: str | tuple[str, Value]) -> tuple[Principal, ...]:
    return tuple(Principal("AWS", one, NODE) if isinstance(one, str) else Principal(*one, NODE) for one in entries)


def when(operator: str, key: str, *values: Value) -> Condition:
    return Condition(operator, key, items(*values), NODE, NODE)


def statement(**changes: object) -> Statement:
    whole = Statement(0, None, "Allow", who("a", "b"), items("kms:A", "kms:B"), items("r", "s"), (), NODE)
    return whole._replace(**changes)  # type: ignore[arg-type]


def parsed(value: object) -> Statement:
    return parse_policy(from_python({"Version": "2012-10-17", "Statement": [value]}))[0].statements[0]


ORG, VIA = when("StringEquals", "aws:PrincipalOrgID", "o-a", "o-b"), when("Bool", "aws:ViaAWSService", "true")

PAIRS: list[tuple[dict[str, Any], dict[str, Any], bool, bool]] = [
    # changes of one statement, of the other, whether the one is narrower, and whether the other is
    ({}, {}, True, True),
    ({"index": 7, "sid": "X", "node": from_python([])}, {}, True, True),
    ({"principals": who("b", "a", "a")}, {}, True, True),
    ({"principals": who("a")}, {}, True, False),
    ({"principals": who("a", "c")}, {}, False, False),
    ({"principals": who("A", "b")}, {}, False, False),
    ({"principals": who(("Service", "a"))}, {}, False, False),
    ({"principals": ()}, {}, True, False),
    ({"principals": None}, {}, False, False),
    ({"principals": None}, {"principals": None}, False, False),
    ({"not_principal": True}, {}, False, False),
    ({"not_principal": True}, {"not_principal": True}, True, True),
    ({"not_principal": True, "principals": who("a")}, {"not_principal": True}, False, False),
    ({"actions": items("kms:b", "KMS:A")}, {}, True, True),
    ({"actions": items("kms:A")}, {}, True, False),
    ({"actions": items("kms:A", "kms:C")}, {}, False, False),
    ({"actions": items("kms:*")}, {"actions": items("*")}, True, False),
    ({"actions": items("kms:A")}, {"actions": items("kms:B", "*")}, True, False),
    ({"actions": items("*")}, {"actions": items("kms:B", "*")}, True, True),
    ({"actions": items("kms:A")}, {"actions": items("kms:*")}, False, False),
    ({"actions": items(HOLE)}, {"actions": items("kms:A", HOLE)}, True, False),
    ({"actions": items(HOLE)}, {"actions": items(OTHER_HOLE)}, False, False),
    ({"actions": ()}, {}, True, False),
    ({"actions": None}, {}, False, False),
    ({"actions": None}, {"actions": None}, False, False),
    ({"not_action": True}, {}, False, False),
    ({"not_action": True}, {"not_action": True}, True, True),
    ({"not_action": True, "actions": items("kms:A")}, {"not_action": True}, False, True),
    ({"not_action": True, "actions": items("kms:A")}, {"not_action": True, "actions": items("*")}, False, False),
    ({"resources": items("s", "r")}, {}, True, True),
    ({"resources": items("s")}, {}, True, False),
    ({"resources": items("R")}, {}, False, False),
    ({"resources": items("r", "x")}, {}, False, False),
    ({"resources": items("x")}, {"resources": items("*")}, True, False),
    ({"resources": None}, {}, False, False),
    ({"not_resource": True}, {}, False, False),
    ({"not_resource": True, "resources": items("r")}, {"not_resource": True}, False, True),
    ({"conditions": (ORG,)}, {}, True, False),
    ({"conditions": (ORG, VIA)}, {"conditions": (VIA, ORG, ORG)}, True, True),
    ({"conditions": (ORG, VIA)}, {"conditions": (VIA,)}, True, False),
    ({"conditions": (ORG,)}, {"conditions": (VIA,)}, False, False),
    ({"conditions": (ORG,)}, {"conditions": (when("StringEquals", "AWS:principalorgid", "o-b", "o-a"),)}, True, True),
    ({"conditions": (ORG,)}, {"conditions": (when("stringequals", "aws:PrincipalOrgID", "o-a", "o-b"),)}, False, False),
    ({"conditions": (ORG,)}, {"conditions": (when("StringEquals", "aws:PrincipalOrgID", "o-A", "o-b"),)}, False, False),
    ({"conditions": (ORG,)}, {"conditions": (when("StringEquals", "aws:PrincipalOrgID", "o-a"),)}, False, False),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "narrower", "wider"), PAIRS)
def test_each_element(one: dict[str, Any], other: dict[str, Any], narrower: bool, wider: bool) -> None:
    assert is_narrower(statement(**one), statement(**other)) is narrower
    assert is_narrower(statement(**other), statement(**one)) is wider


def test_a_statement_of_unknown_meaning_is_narrower_than_its_equal_alone() -> None:
    written = from_python({"Effect": "Allow", "Action": "kms:A"})
    doubtful = statement(unknown=("why",), node=written)
    assert is_narrower(doubtful, doubtful._replace(index=3, sid="S", actions=None)) is True
    assert is_narrower(doubtful, doubtful._replace(node=from_python({"Effect": "Allow", "Action": "kms:B"}))) is False
    assert is_narrower(doubtful, doubtful._replace(unknown=("why", "not"))) is False
    assert is_narrower(doubtful, statement()) is False
    assert is_narrower(statement(), doubtful) is False
    assert is_narrower(statement(), statement()) is True


MEANING = (
    "Allow",
    frozenset({("AWS", "a"), ("AWS", "b")}),
    frozenset({"kms:a", "kms:b"}),
    frozenset({"r", "s"}),
    frozenset(),
    (False, False, False),
)


@pytest.mark.parametrize(
    ("changes", "at", "value"),
    [
        ({}, 0, "Allow"),
        ({"sid": "S", "index": 4, "node": from_python("x")}, 0, "Allow"),
        ({"effect": "Deny"}, 0, "Deny"),
        ({"principals": who(("*", "*"))}, 1, frozenset({("*", "*")})),
        ({"principals": ()}, 1, frozenset()),
        ({"principals": None}, 1, None),
        ({"actions": items("KMS:X", HOLE)}, 2, frozenset({"kms:x", HOLE})),
        ({"actions": ()}, 2, frozenset()),
        ({"actions": None}, 2, None),
        ({"resources": items("R")}, 3, frozenset({"R"})),
        ({"resources": ()}, 3, frozenset()),
        ({"resources": None}, 3, None),
        ({"conditions": (ORG, VIA)}, 4, frozenset({("StringEquals", "aws:principalorgid", frozenset({"o-a", "o-b"})), ("Bool", "aws:viaawsservice", frozenset({"true"}))})),
        ({"not_principal": True}, 5, (True, False, False)),
        ({"not_action": True}, 5, (False, True, False)),
        ({"not_resource": True}, 5, (False, False, True)),
    ],
)  # fmt: skip
def test_the_meaning_of_a_statement(changes: dict[str, Any], at: int, value: object) -> None:
    assert meaning(statement(**changes)) == (*MEANING[:at], value, *MEANING[at + 1 :])


def test_the_meaning_of_a_doubtful_statement_is_its_text() -> None:
    assert meaning(statement(unknown=("why",), node=from_python(["x"]))) == ("Allow", ("why",), (ARRAY, ((STRING, "x"),)))


def test_the_plain_value_of_a_text() -> None:
    value = {"a": [1, "x", {}], "b": Template((Symbol("data.p.q"), "-x"))}
    assert plain(from_python(value)) == (
        OBJECT,
        (("a", (ARRAY, ((NUMBER, "1"), (STRING, "x"), (OBJECT, ())))), ("b", (STRING, value["b"]))),
    )
    assert plain(from_python({"a": 1, "b": 2})) != plain(from_python({"b": 2, "a": 1}))
    assert plain(from_python("1")) != plain(from_python(1))
    assert plain(from_python([Symbol("data.p.q")])) == (ARRAY, ((UNRESOLVED, Symbol("data.p.q")),))


@pytest.mark.parametrize(
    ("symbol", "is_input"),
    [
        (Symbol("var.x"), True),
        (Symbol("var.x.y"), True),
        (Symbol("Parameter"), True),
        (Symbol("data.aws_caller_identity.this.account_id", "account"), True),
        (Symbol("data.x.y.json"), False),
        (Symbol("local.var.x"), False),
    ],
)
def test_what_code_computes_as_a_whole_equals_nothing(symbol: Symbol, is_input: bool) -> None:
    found, again = plain(from_python(symbol)), plain(from_python(symbol))
    assert (found == again, found == (UNRESOLVED, symbol)) == (is_input, is_input)
    assert found is not None


def policy(*statements: Statement, **changes: object) -> Policy:
    return Policy("2012-10-17", statements)._replace(**changes)  # type: ignore[arg-type]


def test_policies_that_say_the_same() -> None:
    one, two = statement(), statement(effect="Deny")
    assert is_same_policy(policy(one, two), policy(two, one, one._replace(sid="S"))) is True
    assert is_same_policy(policy(one, two), policy(one)) is False
    assert is_same_policy(policy(one), policy(one, two)) is False
    assert is_same_policy(policy(one), policy(one, version="2008-10-17")) is False
    assert is_same_policy(policy(one, version="2008-10-17"), policy(one, version="2008-10-17")) is True
    assert is_same_policy(policy(one, node=from_python("x")), policy(one, node=from_python("y"))) is True


def test_a_policy_of_unknown_content_is_its_own_text() -> None:
    text, other = from_python({"Version": "2012-10-17", "x": 1}), from_python({"Version": "2012-10-17", "x": 2})
    known, doubtful = policy(node=text), policy(node=text, unknown=("why",))
    assert is_same_policy(doubtful, doubtful) is True
    assert is_same_policy(doubtful, doubtful._replace(node=other)) is False
    assert is_same_policy(doubtful, doubtful._replace(unknown=("else",))) is False
    assert is_same_policy(doubtful, known) is False
    assert is_same_policy(known, doubtful) is False
    assert is_same_policy(known, known._replace(node=None)) is True
    assert is_same_policy(doubtful, doubtful._replace(node=None)) is False
    assert is_same_policy(doubtful._replace(node=None), doubtful) is False
    assert is_same_policy(doubtful._replace(node=None), doubtful._replace(node=None)) is False
    assert is_same_policy(doubtful, doubtful._replace(statements=(statement(),))) is False
    computed = policy(node=from_python(Symbol("data.x.y.json")), unknown=("why",))
    assert is_same_policy(computed, computed) is False
    assert is_same_policy(*[policy(node=from_python(Symbol("var.policy")), unknown=("why",))] * 2) is True


# ------------------------------------------------------------------------------------------------------------------------- laws


def a_pair(rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two statements of which the second has some elements from elsewhere, or fewer or more members in them."""
    shape = strategies.Shape(statements=2, unsettled=True)
    pool = strategies.draw_pool(rng, shape)
    one = {**strategies.draw_statement(rng, shape, pool), "Effect": "Allow"}
    fresh = strategies.draw_statement(rng, shape, pool)
    other = json.loads(json.dumps(one))
    for element in rng.sample(["Condition", "Action", "NotAction", "Principal", "NotPrincipal", "Resource"], rng.choice((1, 2))):
        if element == "Condition" and element not in fresh:
            other.pop(element, None)
        elif element not in other or element not in fresh:
            continue
        elif rng.random() < 0.5 and element in {"Action", "NotAction"}:
            other[element] = [*([other[element]] if isinstance(other[element], str) else other[element]), "kms:Describ?Key"]
        else:
            other[element] = fresh[element]
    return one, other


def faults(seed: int) -> tuple[bool, list[Any]]:
    """Whether one statement is narrower than the other, and the requests to which it applies more."""
    rng = random.Random(seed)
    pair = a_pair(rng)
    if rng.random() < 0.5:
        pair = pair[::-1]
    documents = [{"Version": "2012-10-17", "Statement": [one]} for one in pair]
    narrow, wide = map(policy_of, documents)
    if not is_narrower(narrow.statements[0], wide.statements[0]):
        return False, []
    requests = [request for request, _ in world.World(documents, rng, limit=60).requests()]
    found = []
    for request in map(request_of, rng.sample(requests, min(len(requests), 150))):
        ours, theirs = (applies(one.statements[0], one, request).truth for one in (narrow, wide))
        if ours > theirs:
            found.append((documents, request, ours, theirs))
    return True, found


@settings(max_examples=EXAMPLES)
@given(strategies.seeds())
def test_a_narrower_statement_applies_nowhere_else(seed: int) -> None:
    assert faults(seed)[1] == []


def test_the_law_is_met_by_real_pairs() -> None:
    """Of both kinds there are many, so that the law is no empty one."""
    answers = [faults(seed)[0] for seed in range(40)]
    assert 10 < sum(answers) < 35


@given(strategies.seeds())
def test_being_narrower_is_an_order_on_meanings(seed: int) -> None:
    rng = random.Random(seed)
    first, second = map(parsed, a_pair(rng))
    third = parsed(a_pair(rng)[0])
    assert is_narrower(first, first)
    assert is_same_policy(policy(first, second), policy(second, first))
    for a, b, c in ((first, second, third), (second, first, third), (third, first, second)):
        if is_narrower(a, b) and is_narrower(b, c):
            assert is_narrower(a, c)
        if meaning(a) == meaning(b):
            assert is_narrower(a, b)
