"""The search in one cell: which clauses it commits to, what that costs, and that several views of one caller are one caller."""

import itertools
import random
from collections.abc import Mapping

import pytest

from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER
from kmslint.reason.callers import Caller, Callers, Names
from kmslint.reason.compile import Context, compile_condition
from kmslint.reason.domains import Domains
from kmslint.reason.modes import Mode
from kmslint.reason.query import find_allowed
from kmslint.reason.search import VIEWS, Problem, Search, _within, equal_to, holds, is_view
from kmslint.reason.strings import DIGIT, Budget, BudgetExceeded, Chars, accepts
from kmslint.reason.values import ABSENT, ALWAYS, EVERY, NEVER, SOME, Atom, Domain, Held, Solver, Unsolved
from tests.oracle.bridge import ACCOUNT, key_of, policy_of, statements_of

KEY = key_of()
AGENT, REFERER, TIME = "aws:useragent", "aws:referer", "aws:currenttime"
ARN, NUMBER, NAME, ID = "aws:principalarn", "aws:principalaccount", "aws:username", "aws:userid"


def atom_of(operator: str, key: str, value: str | list[str]) -> Atom:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}}
    parsed = policy_of({"Version": "2012-10-17", "Statement": [statement]}).statements[0]
    atom = compile_condition(parsed.conditions[0], parsed, True, Context(USER, None, {}, KEY), upper=True)
    assert isinstance(atom, Atom)
    return atom


def callers(group: str) -> dict[str, Caller]:
    """The open class of each kind in a group: of a fresh account, or of the key's own."""
    found = Callers(Names((ACCOUNT,), (), (), (), (), (), frozenset({ACCOUNT})), KEY).of(group)
    return {caller.kind: caller for caller in found}


CLASSES = [(group, kind) for group in ("fresh", ACCOUNT) for kind in (USER, ROLE, ROOT, FEDERATED) if (group, kind) != (ACCOUNT, ROOT)]  # fmt: skip


def search_of(caller: Caller, budget: Budget | None = None) -> Search:
    domains = Domains(caller, "Decrypt", Mode(), KEY, (ACCOUNT,), may=True)
    return Search(caller, domains, Solver(), Budget() if budget is None else budget)


# one caller


def identities(caller: Caller) -> list[dict[str, Held]]:
    """Callers of the class: all that their account, path and name make of the four views."""
    accounts = ("123456789015", "123456789019", "999999999995", "777777777777") if caller.is_fresh else (ACCOUNT,)
    found: list[dict[str, Held]] = []
    for account, path, name in itertools.product(accounts, ("", "p/"), ("a", "b", "ab", "5")):
        iam = f"arn:aws:iam::{account}:"
        views: dict[str, Held] = {ARN: iam + "root", NUMBER: account, NAME: ABSENT, ID: account}
        if caller.kind == USER:
            views |= {ARN: f"{iam}user/{path}{name}", NAME: name, ID: "AIDACKCEVSQ6C2EXAMPLE"}
        elif caller.kind == ROLE:
            views |= {ARN: f"{iam}role/{path}{name}", ID: "AROADBQP57FF2AEXAMPLE:a"}
        elif caller.kind == FEDERATED:
            views |= {ARN: f"arn:aws:sts::{account}:federated-user/{name}", ID: f"{account}:{name}"}
        found.append(views)
    return found


CONDITIONS: dict[str, list[tuple[str, str | list[str]]]] = {
    ARN: [("StringLike", "*5:*"), ("StringLike", "*/a"), ("StringLike", "arn:aws:*::1*"), ("StringNotLike", "*9:*"), ("StringNotLike", "*b"),
          ("ArnLike", "arn:aws:iam::*:*/p/*"), ("StringLike", ["*/b", "*5"]), ("StringEquals", "arn:aws:iam::123456789015:user/p/b"), ("Null", "false")],
    NUMBER: [("StringLike", "1*"), ("StringNotLike", "*5"), ("StringEquals", "123456789015"), ("StringNotEquals", ["123456789015", ACCOUNT]),
             ("StringLike", "?2345678901?"), ("StringEqualsIfExists", ["123456789019", "x", "1*"]), ("StringLike", ["x*", "*7*"]), ("Null", "false")],
    NAME: [("StringLike", "a*"), ("StringNotEquals", "a"), ("StringEqualsIfExists", "b"), ("Null", "true"), ("Null", "false"), ("StringNotLike", "?"),
           ("StringLike", ["*/a", "?b"]), ("StringNotLikeIfExists", ["a?", "p/*"])],
    ID: [("StringLike", "*:a"), ("StringLike", "1*"), ("StringNotLike", "*5*"), ("StringLike", ["A*", "*5"]), ("StringEqualsIfExists", "123456789015:b")],
}  # fmt: skip


@pytest.mark.parametrize(("group", "kind"), CLASSES)
def test_views_have_a_model_where_one_caller_serves_and_the_model_is_one_caller(group: str, kind: str) -> None:
    caller = callers(group)[kind]
    rng = random.Random(11)
    served = 0
    for _ in range(90):
        keys = rng.sample(sorted(CONDITIONS), rng.choice((2, 2, 3)))
        chosen = [(key, *rng.choice(CONDITIONS[key])) for key in keys]
        atoms = tuple(atom_of(operator, key, value) for key, operator, value in chosen)
        serving = [one for one in identities(caller) if all(holds(atom, one[atom.key]) for atom in atoms)]
        try:
            model = search_of(caller).model(Problem(atoms, ()))
        except Unsolved:
            assert ID in keys, chosen
            continue
        if model is None:
            assert not serving, (chosen, serving)
            continue
        served += 1
        assert all(holds(atom, model[atom.key]) for atom in atoms), (chosen, model)
        arn, account, name, unique = (model.get(key) for key in (ARN, NUMBER, NAME, ID))
        assert kind == USER or not isinstance(name, str)
        accounts, names = {account}, {name}
        if isinstance(arn, str):
            accounts.add(arn.split(":")[4])
            names.add(arn.rpartition("/")[2] if kind in {USER, FEDERATED} else None)
        if isinstance(unique, str) and kind in {ROOT, FEDERATED}:
            accounts.add(unique.partition(":")[0])
            names.add(unique.partition(":")[2] or None)
        assert len({one for one in accounts if isinstance(one, str)}) <= 1, (chosen, model)
        assert len({one for one in names if isinstance(one, str)}) <= 1, (chosen, model)
    assert served > 3


@pytest.mark.parametrize(
    ("group", "kind", "conditions", "model"),
    [
        ("fresh", USER, [("StringLike", ARN, "*:user/p/?"), ("StringEquals", NUMBER, "123456789015"), ("StringEquals", NAME, "n")],
         {ARN: "arn:aws:iam::123456789015:user/p/n", NUMBER: "123456789015", NAME: "n"}),
        ("fresh", ROLE, [("StringLike", ARN, "*5:role/r"), ("StringLike", NUMBER, "1*"), ("StringEqualsIfExists", NAME, "bob")],
         {ARN: "arn:aws:iam::100000000005:role/r", NUMBER: "100000000005", NAME: ABSENT}),
        ("fresh", ROLE, [("StringLike", ARN, "*5:role/r"), ("StringLike", NUMBER, "1*"), ("Null", NAME, "true")],
         {ARN: "arn:aws:iam::100000000005:role/r", NUMBER: "100000000005", NAME: ABSENT}),
        ("fresh", ROLE, [("StringLike", ARN, "*5:role/r"), ("StringLike", NUMBER, "1*"), ("StringLike", ID, "*:s")],
         {ARN: "arn:aws:iam::100000000005:role/r", NUMBER: "100000000005", ID: "AROA00000000000000000:s"}),
        ("fresh", ROLE, [("StringLike", ARN, "*"), ("StringLike", ID, "AROA*")],
         {ARN: "arn:aws:iam::999999999999:role/Other", ID: "AROADBQP57FF2AEXAMPLE:session"}),
        ("fresh", ROLE, [("StringLike", ARN, "*"), ("Null", NAME, "true")], {ARN: "arn:aws:iam::999999999999:role/Other", NAME: ABSENT}),
        ("fresh", USER, [("Null", ARN, "false"), ("StringLike", ARN, "*5:user/a"), ("StringLike", NUMBER, "1*")],
         {ARN: "arn:aws:iam::100000000005:user/a", NUMBER: "100000000005", NAME: "a"}),
        ("fresh", FEDERATED, [("StringLike", ARN, "*5:federated-user/a"), ("StringLike", NUMBER, "1*")],
         {ARN: "arn:aws:sts::100000000005:federated-user/a", NUMBER: "100000000005"}),
        ("fresh", ROOT, [("StringLike", ARN, "*5:root"), ("StringNotLike", NUMBER, ["0*", "?0*"])],
         {ARN: "arn:aws:iam::110000000005:root", NUMBER: "110000000005"}),
        (ACCOUNT, USER, [("StringLike", ARN, "*:user/a:?"), ("StringNotLike", NAME, "a*")], None),
        (ACCOUNT, USER, [("StringLike", ARN, "*/a:/?"), ("StringNotLike", NAME, "a*")],
         {ARN: f"arn:aws:iam::{ACCOUNT}:user/a:/b", NAME: "b", NUMBER: ACCOUNT}),
        ("fresh", USER, [("StringLike", ARN, "*5:user/a"), ("StringLike", NUMBER, "1:*")], None),
        ("fresh", USER, [("StringLike", ARN, f"arn:aws:iam::{ACCOUNT[:-1]}?:user/a"), ("StringLike", NUMBER, f"{ACCOUNT[:-1]}?")],
         {ARN: f"arn:aws:iam::{ACCOUNT[:-1]}0:user/a", NUMBER: f"{ACCOUNT[:-1]}0"}),
        ("fresh", ROOT, [("StringLike", ID, "1*"), ("StringLike", NUMBER, "1*")], {ID: "100000000000", NUMBER: "100000000000"}),
        ("fresh", ROOT, [("StringLike", ID, "1*"), ("StringLike", ARN, "arn:aws:iam::100000000000:*")],
         {ID: "100000000000", ARN: "arn:aws:iam::100000000000:root"}),
        ("fresh", FEDERATED, [("StringLike", ID, "1*:f"), ("StringLike", ARN, "arn:aws:sts::100000000000:*/f")],
         {ID: "100000000000:f", ARN: "arn:aws:sts::100000000000:federated-user/f"}),
    ],
)  # fmt: skip
def test_what_the_views_of_one_caller_hold_together(
    group: str, kind: str, conditions: list[tuple[str, str, str | list[str]]], model: dict[str, Held] | None
) -> None:
    units = tuple(atom_of(*one) for one in conditions)
    assert search_of(callers(group)[kind]).model(Problem(units, ())) == model


@pytest.mark.parametrize(
    ("group", "kind", "conditions"),
    [
        (ACCOUNT, FEDERATED, [("StringLike", ID, "*:x"), ("StringLike", ARN, "*/y")]),
        ("fresh", FEDERATED, [("StringLike", ID, "1*"), ("StringLike", ARN, "*2:*")]),
        ("fresh", ROOT, [("StringLike", ID, "1*"), ("StringLike", NUMBER, "2*")]),
        ("fresh", ROOT, [("StringLike", ID, "1*"), ("StringLike", ARN, "*2:root")]),
        ("fresh", USER, [("NumericGreaterThan", NUMBER, "5"), ("StringLike", ARN, "*2:*")]),
    ],
)
def test_what_no_theory_covers_is_unsolved_and_no_answer(group: str, kind: str, conditions: list[tuple[str, str, str]]) -> None:
    units = tuple(atom_of(*one) for one in conditions)
    with pytest.raises(Unsolved):
        search_of(callers(group)[kind]).model(Problem(units, ()))


def answer_to(condition: dict[str, dict[str, str]]) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": condition}
    policies = (policy_of({"Version": "2012-10-17", "Statement": [statement]}),)
    asked = statements_of([{"Principal": "*", "Action": "kms:Decrypt"}])
    return type(find_allowed(policies, asked, KEY, grant="any")).__name__


OUTSIDE = {
    "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::???????????5:role/r"},
    "StringLike": {"aws:PrincipalAccount": "1*"},
    "Bool": {"aws:PrincipalIsAWSService": "false"},
}


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ({"StringEqualsIfExists": {"aws:username": "bob"}}, "Violated"),
        ({"Null": {"aws:username": "true"}}, "Violated"),
        ({"StringNotEquals": {"aws:username": "r"}}, "Violated"),
        ({"StringEquals": {"aws:username": "bob"}}, "Proven"),
        ({"Null": {"aws:username": "false"}}, "Proven"),
    ],
)
def test_a_role_session_has_no_user_name_that_could_differ_from_its_arn(more: dict[str, dict[str, str]], answer: str) -> None:
    assert answer_to({**OUTSIDE, **more}) == answer


def test_a_user_name_has_no_colon_whatever_its_path_has() -> None:
    colon = {"StringNotLike": {"aws:username": "a*"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
    assert answer_to({**colon, "StringLike": {"aws:PrincipalArn": "arn:aws:iam::????????????:user/a:?"}}) == "Proven"
    assert answer_to({**colon, "StringLike": {"aws:PrincipalArn": "arn:aws:iam::????????????:user/a:/?"}}) == "Violated"


def test_a_federated_session_has_one_name() -> None:
    named = {"StringLike": {"aws:userid": f"{ACCOUNT}:x"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
    assert answer_to({**named, "StringEquals": {"aws:PrincipalArn": f"arn:aws:sts::{ACCOUNT}:federated-user/y"}}) != "Violated"
    assert answer_to({**named, "StringEquals": {"aws:PrincipalArn": f"arn:aws:sts::{ACCOUNT}:federated-user/x"}}) == "Violated"


TOKENS: tuple[str | int | Chars, ...] = (
    "a",
    "5",
    "/",
    0,
    1,
    DIGIT,
    DIGIT._replace(star=True),
    Chars(frozenset("a5"), negated=True),
    Chars(frozenset("5/"), negated=True, star=True),
)


@pytest.mark.parametrize("chars", ["5", "a5", ""])
def test_a_pattern_within_some_characters_has_its_texts_of_these_characters(chars: str) -> None:
    texts = ["".join(one) for size in (0, 1, 2, 3) for one in itertools.product("a5/x", repeat=size)]
    for size in (0, 1, 2):
        for pattern in itertools.product(TOKENS, repeat=size):
            within = _within(pattern, frozenset(chars))
            for text in texts:
                wanted = accepts(pattern, text) and set(text) <= set(chars)
                assert (within is not None and accepts(within, text)) == wanted, (pattern, text)


# clauses

A, B, C, D, E = (
    equal_to(key, value) for key, value in ((AGENT, "a"), (AGENT, "b"), (REFERER, "c"), (REFERER, "d"), (AGENT, "e"))
)
FREE = callers("fresh")[USER]
FREE_AGENT = equal_to(AGENT, "aws-cli/2.0")


def work_of(problem: Problem) -> int:
    budget = Budget()
    assert search_of(FREE, budget).model(problem) is not None
    return Budget().left - budget.left


def test_work_is_counted_and_none_is_done_twice() -> None:
    """One for each round and each clause in it; for each key that is solved, its atoms and the tests of them."""
    assert work_of(Problem((), ())) == 1
    assert work_of(Problem((A,), ())) == 1 + 2
    assert work_of(Problem((A, A), ((A,),))) == 1 + 2
    assert work_of(Problem((A, C), ())) == 1 + 2 + 2
    assert work_of(Problem((A,), ((A, B), (B, A, C)))) == (1 + 2) + 2
    unmet = 2 + (1 + 1) + 2 * 2 + 2 + 1
    assert work_of(Problem((A,), ((B, C),))) == unmet
    assert work_of(Problem((A,), ((B, E, C), (C, B)))) == 2 + (1 + 2) + 2 + (1 + 1)
    assert work_of(Problem((), ((FREE_AGENT, B),))) == 1 + 1
    for work in (0, unmet - 1):
        with pytest.raises(BudgetExceeded):
            search_of(FREE, Budget(work)).model(Problem((A,), ((B, C),)))
    assert search_of(FREE, Budget(unmet)).model(Problem((A,), ((B, C),))) == {AGENT: "a", REFERER: "c"}


def test_the_shortest_clause_comes_first_and_a_met_one_needs_nothing() -> None:
    free = [equal_to(f"aws:requesttag/{letter}", "v") for letter in "pqrst"]
    keys = [atom.key for atom in free]
    domains = Domains(FREE, "TagResource", Mode(), KEY, (), may=True)
    long, short = tuple(free[:3]), tuple(free[3:])
    for clauses in ((long, short), (short, long)):
        model = Search(FREE, domains, Solver(), Budget()).model(Problem((), clauses))
        assert model is not None
        assert {key: held for key, held in model.items() if held == "v"} == {keys[3]: "v", keys[0]: "v"}
        committed = [key for key in model if model[key] == "v"]
        assert committed == [key for key in model if key in {keys[0], keys[3]}]
    one = Search(FREE, domains, Solver(), Budget()).model(Problem((free[0],), ((free[1], free[0]), (free[2], free[3], free[0]))))
    assert one is not None
    assert [key for key, held in one.items() if held == "v"] == [keys[0]]


def test_a_later_literal_serves_where_the_first_leads_nowhere() -> None:
    search = search_of(FREE)
    assert search.model(Problem((), ((A, C), (B, D), (B, E)))) == {AGENT: "b", REFERER: "c"}
    assert search.model(Problem((), ((A, B), (B, E), (A, E)))) is None
    assert search.model(Problem((A,), ((B, E), (C, D)))) is None
    assert search.model(Problem((A,), ((B,),))) is None
    assert search.model(Problem((A, B), ())) is None


def test_a_view_that_the_model_leaves_open_is_committed_to() -> None:
    """Not taken from its own plainest value: that may be another caller's than the values already found."""
    name = atom_of("StringEquals", NAME, "n")
    arn = atom_of("StringLike", ARN, "*:user/p/?")
    model = views_of(search_of(FREE).model(Problem((arn,), ((name, A),))))
    assert model == {ARN: "arn:aws:iam::000000000000:user/p/n", NUMBER: "000000000000", NAME: "n"}
    other = atom_of("StringNotEquals", NAME, "n")
    assert views_of(search_of(FREE).model(Problem((arn, name), ((other, A),)))) == model
    assert search_of(FREE).model(Problem((arn, name), ((other, other),))) is None
    not_n = views_of(search_of(FREE).model(Problem((arn,), ((other, A),))))
    assert not_n == {ARN: "arn:aws:iam::000000000000:user/p/a", NUMBER: "000000000000", NAME: "a"}


def views_of(model: Mapping[str, Held] | None) -> dict[str, Held]:
    return {key: held for key, held in (model or {}).items() if key in VIEWS}


class Fixed:
    """Domains of which a test says what they are."""

    def __init__(self, **domains: Domain) -> None:
        self.domains = domains

    def of(self, key: str) -> Domain:
        return self.domains[key]


def test_a_key_that_can_hold_nothing_meets_no_literal() -> None:
    domains = Fixed(x=Domain(ALWAYS, finite=()), y=Domain(ALWAYS, finite=("v",)))
    search = Search(FREE, domains, Solver(), Budget())  # type: ignore[arg-type]
    x, y = equal_to("x", "v"), equal_to("y", "v")
    assert search.model(Problem((), ((x, y),))) == {"y": "v"}
    assert search.model(Problem((), ((x, x),))) is None


@pytest.mark.parametrize("operator", ["StringLike", "ArnLike", "StringNotEquals"])
def test_the_time_is_compared_as_an_instant_only(operator: str) -> None:
    date = atom_of("DateGreaterThan", TIME, "2026-01-01T00:00:00Z")
    with pytest.raises(Unsolved, match="a text comparison of the time"):
        search_of(FREE).model(Problem((date, atom_of(operator, TIME, "2026*")), ()))
    found = search_of(FREE).model(Problem((date, atom_of("Null", TIME, "false")), ()))
    assert found is not None
    assert holds(date, found[TIME])
    assert search_of(FREE).model(Problem((atom_of(operator, AGENT, "arn:2026:a:b:c:d"),), ())) is not None


def test_when_an_atom_is_true() -> None:
    some, every = equal_to("k", "a"), equal_to("k", "a")._replace(quantifier=EVERY)
    present = Atom("k", False, True, SOME, None, True, "")
    table: list[tuple[Atom, Held, bool]] = [
        (some, ABSENT, False), (some._replace(absent=True), ABSENT, True), (some, "", False), (some._replace(empty=True), "", True),
        (some, "a", True), (some, "b", False), (some._replace(wanted=False), "a", False), (some._replace(wanted=False), "b", True),
        (some, ("a", "b"), True), (some, ("b", "c"), False), (every, ("a", "b"), False), (every, ("a",), True),
        (some._replace(wanted=False), ("a", "b"), True), (every._replace(wanted=False), ("a", "b"), False), (every._replace(wanted=False), ("b", "c"), True),
        (present, "a", True), (present, ABSENT, False), (present, "", True), (present.negated(), "a", False), (present.negated(), ABSENT, True),
    ]  # fmt: skip
    assert [holds(atom, held) for atom, held, _ in table] == [wanted for _, _, wanted in table]


def test_an_atom_of_equality() -> None:
    absent = equal_to("k", None)
    assert [holds(absent, held) for held in (ABSENT, "", "a")] == [True, False, False]
    assert absent.origin == "k is absent"
    equal = equal_to("k", "a*")
    assert [holds(equal, held) for held in (ABSENT, "", "a*", "ab")] == [False, False, True, False]
    assert equal.origin == "k = a*"
    test = equal.test
    assert test is not None
    assert (test.patterns, test.complement, test.literals, test.wanted) == ((("a", "*"),), False, frozenset({"a*"}), ("a*",))
    assert Solver().model(Domain(ALWAYS), (equal, atom_of("StringLike", "aws:UserAgent", "a?")), Budget()) == "a*"
    assert Solver().model(Domain(NEVER), (absent,), Budget()) == ABSENT


def test_the_views_are_the_four_keys_of_an_identity() -> None:
    assert frozenset({ARN, NUMBER, NAME, ID}) == VIEWS
    own = Callers(Names((ACCOUNT,), (f"arn:aws:iam::{ACCOUNT}:user/u",), (), (), (), ("s3.amazonaws.com",), frozenset()), KEY)
    opened = {caller.label for caller in own if is_view(ARN, caller)}
    fixed = {
        f"user arn:aws:iam::{ACCOUNT}:user/u",
        f"the root user of account {ACCOUNT}",
        "the service s3.amazonaws.com",
        "the service s3.us-east-1.amazonaws.com",
        "another AWS service",
    }
    assert opened == {caller.label for caller in own} - fixed
    assert not any(is_view(AGENT, caller) for caller in own)
    service = Caller("s", SERVICE, "s3.amazonaws.com", None, "aws")
    found = search_of(service).model(Problem((equal_to(ARN, None), equal_to(NUMBER, None)), ()))
    assert found == {ARN: ABSENT, NUMBER: ABSENT}
