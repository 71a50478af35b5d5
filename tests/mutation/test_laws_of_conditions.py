"""An atom is the evaluator's own answer about one key, in both readings; and the solver finds a value iff there is one."""

import itertools
import random

import pytest

from kmslint.aws.condition_keys import lookup
from kmslint.policy.document import Condition, Policy, Statement
from kmslint.policy.evaluate import Run
from kmslint.policy.principals import FEDERATED, ROLE, ROOT, USER
from kmslint.policy.request import ContextValue, Request
from kmslint.policy.truth import T, U
from kmslint.reason.callers import Caller
from kmslint.reason.compile import Context, compile_condition, variables_in
from kmslint.reason.domains import Domains
from kmslint.reason.modes import Mode
from kmslint.reason.search import Problem, Search, equal_to, holds, is_view
from kmslint.reason.strings import DIGIT, NON_EMPTY, Budget
from kmslint.reason.values import (
    ABSENT,
    ALWAYS,
    EMPTY,
    EVERY,
    NEVER,
    OPTIONAL,
    SOME,
    TEXT_FAMILIES,
    Absence,
    Atom,
    Domain,
    Held,
    InPatterns,
    Solver,
)
from tests import strategies
from tests.oracle.bridge import key_of, policy_of
from tests.strategies import OWNER, Shape

KEY = key_of()
ODD = ("", "a", "A", "ab", "B", "x", "*", "a*", "1", "true", "TRUE", "false", "\u212a", "10", "203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9",
       "arn:aws:iam::111122223333:role/svc/ap1", "2026-06-01T12:00:00Z", "2026-06-01T12:00:00", "2026", "o-aaaaaaaaaa")  # fmt: skip
BOUND: dict[str, str | None] = {
    "aws:principaltag/t": "a*",
    "aws:username": "b",
    "aws:principalaccount": OWNER,
    "aws:resourceaccount": OWNER,
}
MORE = (
    ("StringEqualsIgnoreCase", "aws:UserAgent", ["K", "s", "\u00e9"]), ("StringNotEqualsIgnoreCase", "aws:UserAgent", ["k1"]),
    ("StringLike", "aws:UserAgent", ["${*}a", "a${?}", "${bad"]), ("StringNotLike", "aws:UserAgent", "x${aws:PrincipalTag/t}"),
    ("StringEquals", "aws:UserAgent", []), ("StringNotEquals", "aws:UserAgent", []), ("StringEqualsIfExists", "aws:UserAgent", []),
    ("ForAllValues:StringEquals", "aws:TagKeys", []), ("ForAnyValue:StringEquals", "aws:TagKeys", []), ("stringlike", "aws:UserAgent", "a*"),
    ("StringEquals", "aws:TagKeys", ["a", "b"]), ("StringNotEquals", "aws:TagKeys", "a"), ("NoSuch", "aws:UserAgent", "a"),
    ("StringEquals", "no:such", "a"), ("Null", "aws:UserAgent", ["true", "false"]), ("Null", "aws:UserAgent", "x"), ("Null", "aws:UserAgent", "TRUE"),
    ("ForAllValues:Null", "aws:TagKeys", "true"), ("ForAnyValue:Null", "aws:TagKeys", "true"), ("ForAnyValue:StringEqualsIfExists", "aws:TagKeys", "a"),
    ("ForAllValues:StringNotLike", "aws:TagKeys", ["a*", "B"]), ("ArnLike", "aws:SourceArn", ["arn:aws:s3:::*", "arn:*", "*"]),
    ("ArnNotLike", "aws:SourceArn", "arn:aws:*:*:*:x*y"), ("BoolIfExists", "aws:SecureTransport", "${aws:PrincipalTag/t}"),
    ("Bool", "aws:MultiFactorAuthPresent", "maybe"), ("NotIpAddress", "aws:SourceIp", ["::1", "10.0.0.0/8"]), ("IpAddress", "aws:SourceIp", "::ffff:203.0.113.0/120"),
    ("DateEquals", "aws:CurrentTime", "2026"), ("DateNotEquals", "aws:CurrentTime", "x"), ("NumericEquals", "aws:MultiFactorAuthAge", ["1.5", "10"]),
    ("NumericLessThan", "aws:MultiFactorAuthAge", "10"), ("NumericNotEquals", "aws:MultiFactorAuthAge", "ten"), ("BinaryEquals", "aws:UserAgent", "YQ=="),
    ("StringEquals", "aws:UserAgent", "${aws:PrincipalTag/none, 'a'}"), ("StringEquals", "aws:UserAgent", "${aws:PrincipalTag/none}"),
)  # fmt: skip


def drawn() -> list[tuple[Statement, Policy, Condition]]:
    """Conditions of random policies, and one of each odd kind."""
    found = []
    documents = [
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Principal": "*", "Action": "*", "Resource": "*", "Condition": {operator: {key: values}}}]}
        for operator, key, values in MORE
        for effect in ("Allow", "Deny")
    ]  # fmt: skip
    for seed in range(120):
        documents += strategies.draw_case(random.Random(80_000_000 + seed), Shape(unsettled=True)).policies
    for policy in map(policy_of, documents):
        found += [(statement, policy, condition) for statement in policy.statements for condition in statement.conditions]
    return found


DRAWN = drawn()


def shapes(condition: Condition) -> list[ContextValue | None]:
    """What the key may hold: nothing, odd values, the condition's own constants and their neighbours, alone and in sets."""
    own = [str(item.value) for item in condition.values]
    singles = [
        *ODD,
        *own,
        *(value.replace("*", "b") for value in own),
        *(value + "x" for value in own),
        *(value.upper() for value in own),
    ]
    known = lookup(condition.key)
    if known is None or not known.multi:
        return [None, *singles]
    pairs = itertools.combinations(dict.fromkeys(("a", "B", "b", *own)), 2)
    return [None, *(frozenset({one}) for one in singles if one), *map(frozenset, pairs)]


def true_of(atom: Atom | bool, value: ContextValue | None) -> bool:
    if isinstance(atom, bool):
        return atom
    return holds(atom, ABSENT if value is None else value if isinstance(value, str) else tuple(sorted(value)))


@pytest.mark.parametrize("part", range(8))
def test_an_atom_says_what_the_evaluator_says(part: int) -> None:
    context = Context(ROLE, f"arn:aws:sts::{OWNER}:assumed-role/ap1/s1", BOUND, KEY)
    for statement, policy, condition in DRAWN[part::8]:
        name = condition.key.lower()
        if name in BOUND or name.startswith("kms:calleraccount"):
            continue
        bare = {key: value for key, value in BOUND.items() if value is not None}
        is_bound = all(key in BOUND for key in variables_in(condition))
        for upper in (False, True):
            atom = compile_condition(condition, statement, policy.has_variables(), context, upper=upper)
            for value in shapes(condition):
                held = dict(bare) if value is None else {**bare, name: value}
                run = Run(Request(context.principal, "kms:Decrypt", held, KEY), policy.has_variables(), lean=False)
                truth = run.condition(condition, statement.effect)
                said = true_of(atom, value)
                is_wider = (condition.operator == "NoSuch" and statement.effect == "Allow") or (
                    upper and "IgnoreCase" in condition.operator and "\u00e9" in str(condition.values)
                )
                if is_bound and not is_wider:
                    assert said == (truth >= (U if upper else T)), (condition, value, upper)
                elif upper:
                    assert said or truth == 0, (condition, value)


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringNotEqualsIfExists"])
def test_an_empty_list_at_an_empty_value(operator: str) -> None:
    context = Context(ROLE, None, {}, KEY)
    condition = {operator: {"kms:EncryptionContext:c": []}}
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition}],
    }
    statement = policy_of(document).statements[0]
    truth = Run(Request(None, "kms:Decrypt", {"kms:encryptioncontext:c": ""}, KEY), True, lean=False).condition(
        statement.conditions[0], "Deny"
    )
    for upper in (False, True):
        atom = compile_condition(statement.conditions[0], statement, True, context, upper=upper)
        assert true_of(atom, "") == (truth >= (U if upper else T))


def test_the_patterns_of_a_test_are_the_values_it_accepts() -> None:
    context = Context(ROLE, None, BOUND, KEY)
    seen = 0
    for statement, policy, condition in DRAWN:
        for upper in (False, True):
            atom = compile_condition(condition, statement, policy.has_variables(), context, upper=upper)
            if isinstance(atom, bool) or atom.test is None or atom.test.patterns is None:
                continue
            seen += 1
            inside = InPatterns(atom.test.patterns, complement=atom.test.complement)
            assert atom.test.family in TEXT_FAMILIES
            for value in shapes(condition):
                if isinstance(value, str):
                    assert atom.test.contains(value) == inside(value), (condition, value, upper)
            if atom.test.literals is not None:
                assert {"".join(str(token) for token in one) for one in atom.test.patterns} == atom.test.literals
    assert seen > 300


def test_a_negated_atom_is_true_exactly_where_the_atom_is_not() -> None:
    context = Context(ROLE, None, BOUND, KEY)
    for statement, policy, condition in DRAWN:
        atom = compile_condition(condition, statement, policy.has_variables(), context, upper=True)
        if isinstance(atom, Atom):
            for value in shapes(condition):
                assert true_of(atom, value) != true_of(atom.negated(), value)
            assert atom.negated().negated() == atom


# values of one key

POOL = ("a", "b", "ab", "B", "x", "aa")
DOMAINS = tuple(
    Domain(presence, multi, finite=finite, patterns=patterns, excluded=excluded, avoid=avoid, samples=samples, may_be_empty=empty)
    for presence in (ALWAYS, OPTIONAL, NEVER, EMPTY)
    for multi in (False, True)
    for finite, patterns, excluded, avoid, samples, empty in (
        (None, (NON_EMPTY,), frozenset(), (), (), False),
        (("a", "b"), (NON_EMPTY,), frozenset(), (), (), True),
        (None, (("a", 1), ("b",)), frozenset({"a"}), (), ("ab",), False),
        (None, (NON_EMPTY,), frozenset({"a"}), (("b", 1),), ("x", "a"), True),
    )
)


def held_by(domain: Domain) -> list[Held]:
    """Every value over a small pool that a key of this domain may hold."""
    if domain.presence == EMPTY:
        return [""]
    found: list[Held] = [] if domain.presence == ALWAYS else [ABSENT]
    if domain.presence == NEVER:
        return found
    single = [value for value in POOL if domain.holds(value)]
    if domain.may_be_empty:
        found.append("")
    if not domain.multi:
        return [*found, *single]
    return found + [members for size in (1, 2, 3) for members in itertools.combinations(single, size)]


def test_a_model_is_a_value_of_the_domain_that_makes_all_atoms_true() -> None:
    rng = random.Random(7)
    context = Context(ROLE, None, BOUND, KEY)
    atoms = []
    for statement, policy, condition in DRAWN:
        atom = compile_condition(condition, statement, policy.has_variables(), context, upper=True)
        if (
            isinstance(atom, Atom)
            and (atom.test is None or atom.test.family in TEXT_FAMILIES)
            and len(str(condition.values)) < 900
        ):
            atoms += [atom, atom.negated()]
    atoms = list(dict.fromkeys(atom._replace(key="k", origin="") for atom in atoms))
    assert len(atoms) > 200
    single = [(domain, [atom]) for domain in DOMAINS for atom in atoms]
    several = [(rng.choice(DOMAINS), rng.sample(atoms, rng.choice((2, 2, 3)))) for _ in range(800)]
    found_some = found_none = 0
    for domain, chosen in (*single, *several):
        model = Solver().model(domain, chosen, Budget())
        serves = [held for held in held_by(domain) if all(holds(atom, held) for atom in chosen)]
        if model is None:
            assert serves == [], (domain, chosen)
        else:
            assert all(holds(atom, model) for atom in chosen), (domain, chosen, model)
            members = () if isinstance(model, Absence) else model if isinstance(model, tuple) else (model,) if model else ()
            assert all(domain.holds(member) for member in members)
            assert (model == ABSENT) <= (domain.presence not in {ALWAYS, EMPTY})
            assert (isinstance(model, tuple) and model != ABSENT) <= domain.multi
            assert (model == "") <= (domain.presence == EMPTY or domain.may_be_empty)
        found_some, found_none = found_some + (model is not None), found_none + (model is None)
    assert min(found_some, found_none) > 150


def every(test_of: str, *, wanted: bool = True) -> Atom:
    return equal_to("k", test_of)._replace(quantifier=EVERY, wanted=wanted)


def test_a_set_holds_what_it_must_and_nothing_that_it_must_not() -> None:
    domain = Domain(ALWAYS, True, must_hold=("a",), never_hold=("c",))
    assert Solver().model(domain, (), Budget()) == ("a",)
    assert Solver().model(domain, (every("a"),), Budget()) == ("a",)
    assert Solver().model(domain, (every("A"),), Budget()) == ("A",)
    assert Solver().model(domain, (every("b"),), Budget()) is None
    assert Solver().model(domain, (equal_to("k", "b"),), Budget()) == ("a", "b")
    assert Solver().model(domain, (equal_to("k", "c"),), Budget()) is None
    assert Solver().model(domain, (equal_to("k", "C"),), Budget()) is None
    assert Solver().model(domain, (every("a", wanted=False),), Budget()) == ("A",)


# several keys of one identity

OPEN = {
    USER: Caller("u", USER, f"arn:aws:iam::{OWNER}:user/other", OWNER, "aws", True, arns=((*"arn:aws:iam::", *(DIGIT,) * 12, *":user/", 1),)),
    ROLE: Caller("r", ROLE, f"arn:aws:sts::{OWNER}:assumed-role/other/s", OWNER, "aws", True, arns=((*"arn:aws:iam::", *(DIGIT,) * 12, *":role/", 1),)),
    ROOT: Caller("t", ROOT, f"arn:aws:iam::{OWNER}:root", OWNER, "aws", True, arns=((*"arn:aws:iam::", *(DIGIT,) * 12, *":root"),)),
}  # fmt: skip


def search_in(kind: str) -> Search:
    return Search(OPEN[kind], Domains(OPEN[kind], "Decrypt", Mode(), KEY, (), may=True), Solver(), Budget())


def condition_atom(operator: str, key: str, value: str) -> Atom:
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}}
        ],
    }
    policy = policy_of(document)
    atom = compile_condition(
        policy.statements[0].conditions[0], policy.statements[0], True, Context(USER, None, {}, KEY), upper=True
    )
    assert isinstance(atom, Atom)
    return atom


ARN_IS, ACCOUNT_IS, NAME_IS = "aws:PrincipalArn", "aws:PrincipalAccount", "aws:username"


@pytest.mark.parametrize(
    ("kind", "conditions", "arn"),
    [
        (USER, [("StringLike", ARN_IS, "*:user/p/*"), ("StringEquals", ACCOUNT_IS, "777788889999"), ("StringEquals", NAME_IS, "n")], "arn:aws:iam::777788889999:user/p/n"),
        (USER, [("StringLike", ARN_IS, "*:user/*z"), ("StringLike", NAME_IS, "n*")], "arn:aws:iam::000000000000:user/nz"),
        (USER, [("StringLike", ARN_IS, "*1:user/n"), ("StringLike", ACCOUNT_IS, "9*")], "arn:aws:iam::900000000001:user/n"),
        (USER, [("StringLike", ARN_IS, "*:user/n"), ("StringEquals", NAME_IS, "m")], None),
        (USER, [("StringLike", ARN_IS, "arn:aws:iam::777788889999:user/*"), ("StringEquals", ACCOUNT_IS, "777788889998")], None),
        (USER, [("StringLike", ARN_IS, "*:user/a/n"), ("StringEquals", NAME_IS, "a/n")], None),
        (USER, [("StringLike", NAME_IS, "n"), ("StringEquals", ACCOUNT_IS, "x77788889999"), ("StringLike", ARN_IS, "*")], None),
        (ROLE, [("StringLike", ARN_IS, "*:role/p/*"), ("StringEquals", ACCOUNT_IS, "777788889999")], "arn:aws:iam::777788889999:role/p/"),
        (ROOT, [("StringLike", ARN_IS, "*9:root"), ("StringNotLike", ACCOUNT_IS, "0*")], "arn:aws:iam::100000000009:root"),
    ],
)  # fmt: skip
def test_views_of_one_identity_are_solved_together(kind: str, conditions: list[tuple[str, str, str]], arn: str | None) -> None:
    units = tuple(condition_atom(*one) for one in conditions)
    model = search_in(kind).model(Problem(units, ()))
    if arn is None:
        assert model is None
        return
    assert model is not None
    assert all(holds(unit, model[unit.key]) for unit in units)
    found = model["aws:principalarn"]
    assert isinstance(found, str)
    assert model.get("aws:principalaccount", found.split(":")[4]) == found.split(":")[4]
    assert model.get("aws:username", found.rpartition("/")[2]) == found.rpartition("/")[2]
    assert len(found) == len(arn)


def test_only_an_open_identity_has_views() -> None:
    assert is_view("aws:principalarn", OPEN[USER])
    assert is_view("aws:principalarn", OPEN[USER]._replace(is_fresh=False))
    assert is_view("aws:principalarn", OPEN[USER]._replace(arn="a"))
    assert not is_view("aws:principalarn", OPEN[USER]._replace(arn="a", is_fresh=False))
    assert not is_view("aws:useragent", OPEN[USER])
    assert not is_view("aws:principalarn", Caller("s", "S", "s3.amazonaws.com", None, "aws"))
    assert FEDERATED not in OPEN


def test_one_clause_of_each_needs_one_literal() -> None:
    def text_is(key: str, value: str) -> Atom:
        return equal_to(key, value)

    a, b = text_is("aws:useragent", "a"), text_is("aws:useragent", "b")
    c, d = text_is("aws:referer", "c"), text_is("aws:referer", "d")
    search = search_in(USER)
    assert search.model(Problem((), ())) == {}
    assert search.model(Problem((a,), ((b,),))) is None
    assert search.model(Problem((a,), ((b, c),))) == {"aws:useragent": "a", "aws:referer": "c"}
    assert search.model(Problem((a,), ((b, c), (d, b)))) is None
    assert search.model(Problem((a,), ((b, c), (d, a)))) == {"aws:useragent": "a", "aws:referer": "c"}
    assert search.model(Problem((), ((a, c), (b, d), (c, d)))) is not None
    assert search.model(Problem((equal_to("aws:referer", None),), ((c, b),))) == {"aws:referer": ABSENT, "aws:useragent": "b"}
    assert holds(equal_to("k", None), ABSENT)
    assert not holds(equal_to("k", "a"), ABSENT)
    assert not holds(equal_to("k", "a"), "")
    assert holds(equal_to("k", "a"), ("b", "a"))
    assert not holds(equal_to("k", "a")._replace(quantifier=EVERY), ("b", "a"))
    assert equal_to("k", "a").quantifier == SOME
