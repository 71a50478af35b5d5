"""Values that several conditions share: those tried for policy variables are all that matter, or said not to be."""

import itertools
import random
from typing import Any

import pytest

from kmslint.policy.evaluate import evaluate
from kmslint.policy.principals import ROOT
from kmslint.policy.request import KeyContext, Request
from kmslint.reason import cells, pivots
from kmslint.reason.answer import BUDGET, Answer, Cause, Proven, Undetermined, Violated
from kmslint.reason.callers import FRESH, SERVICES, Caller, Callers, Names
from kmslint.reason.domains import Domains
from kmslint.reason.modes import Mode
from kmslint.reason.pivots import bound, candidates, organizations
from kmslint.reason.query import find_allowed, find_not_allowed
from kmslint.reason.statements import Numbered, of_policy
from kmslint.reason.strings import DIGIT, BudgetExceeded, text
from kmslint.reason.values import ALWAYS, EMPTY, NEVER, OPTIONAL, Domain, Held, Solver
from kmslint.tree import Symbol, Template
from tests.oracle.bridge import ACCOUNT, key_of, policy_of, statements_of

KEY = key_of()
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
TAG, ALIEN = "aws:PrincipalTag/", "999999999999"
Json = dict[str, Any]


def policy(*conditions: Json, version: str = "2012-10-17", principal: Any = "*", action: str = "kms:*") -> Json:  # noqa: ANN401 - a principal as written
    written = [
        {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", "Condition": one} for one in conditions
    ]
    return {"Version": version, "Statement": written}


def relevant(*conditions: Json, version: str = "2012-10-17") -> tuple[Numbered, ...]:
    return of_policy(0, policy_of(policy(*conditions, version=version)))


def ask(allowed: Json, described: Json, key: KeyContext = KEY, principal: Any = "*", version: str = "2012-10-17") -> Answer:  # noqa: ANN401
    asked = {"Principal": principal, "Action": "kms:*", **({"Condition": described} if described else {})}
    return find_allowed([policy_of(policy(allowed, version=version))], statements_of([asked]), key, grant="any")


# -------------------------------------------------------------------------------------------- what a proof may not leave out

EQUAL = "StringEquals"


def shown(answer: Answer, *keys: str) -> tuple[Any, ...]:
    assert isinstance(answer, Violated), answer
    return tuple(answer.witness.context.get(key.lower()) for key in keys)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kms:ViaService", "s3.us-east-1.amazonaws.com"),
        ("aws:PrincipalType", "AssumedRole"),
        ("aws:RequestedRegion", "us-east-1"),
        ("aws:ResourceAccount", ACCOUNT),
        ("aws:ResourceTag/x", "red"),
        ("kms:KeySpec", "RSA_2048"),
        ("aws:SecureTransport", "true"),
        ("aws:MultiFactorAuthAge", "0"),
        ("aws:SourceIp", "198.51.100.23"),
        ("aws:PrincipalOrgID", "value0"),
        ("aws:UserAgent", "value0"),
    ],
)
def test_a_tag_may_equal_whatever_a_key_holds(key: str, value: str) -> None:
    known = KEY._replace(tags=(("x", "red"),), spec="RSA_2048")
    same = ask({EQUAL: {key: f"${{{TAG}t}}"}}, {}, known)
    assert shown(same, key, f"{TAG}t") == (value, value)
    without = ask({EQUAL: {key: f"${{{TAG}t}}"}}, {"Null": {f"{TAG}t": "true"}}, known, {"AWS": BOB})
    assert isinstance(without, Proven)


def test_sets_and_their_members() -> None:
    found = ask({"ForAnyValue:StringEquals": {"kms:GrantOperations": f"${{{TAG}t}}"}}, {})
    assert shown(found, "kms:GrantOperations", f"{TAG}t") == (frozenset({"CreateGrant"}), "CreateGrant")


def test_a_tag_may_be_what_another_variable_is_in_this_cell() -> None:
    known = KEY._replace(spec="RSA_2048")
    same = ask({EQUAL: {f"{TAG}a": "${kms:KeySpec}"}}, {EQUAL: {f"{TAG}a": f"${{{TAG}b}}"}}, known)
    assert shown(same, f"{TAG}a", f"{TAG}b") == ("RSA_2048", "RSA_2048")
    other = ask({EQUAL: {f"{TAG}a": "${kms:KeySpec}"}}, {EQUAL: {f"{TAG}a": f"${{{TAG}b}}", f"{TAG}b": "ECC_NIST_P256"}}, known)
    assert isinstance(other, Proven)


@pytest.mark.parametrize(
    ("allowed", "described", "variable"),
    [
        ({EQUAL: {f"{TAG}a": "${aws:PrincipalAccount}"}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1234*:role/*"}}, {}, "aws:principalaccount"),
        ({EQUAL: {f"{TAG}a": "${aws:PrincipalAccount}", f"{TAG}b": "${aws:PrincipalArn}"}}, {EQUAL: {f"{TAG}a": "123456789999"}}, "aws:principalaccount"),
        ({EQUAL: {f"{TAG}a": "${aws:username}", f"{TAG}b": "${aws:PrincipalArn}"}}, {EQUAL: {f"{TAG}a": "zed"}}, "aws:username"),
        ({EQUAL: {"aws:UserAgent": "${*}", f"{TAG}b": f"${{{TAG}a}}"}}, {EQUAL: {f"{TAG}a": "${aws:UserAgent}"}}, "aws:useragent"),
    ],
)  # fmt: skip
def test_guesses_prove_nothing(allowed: Json, described: Json, variable: str) -> None:
    found = ask(allowed, described)
    wanted = Cause(BUDGET, f"the policy variable `${{{variable}}}` was not eliminated")
    assert isinstance(found, Violated) or (isinstance(found, Undetermined) and wanted in found.causes), found


def test_the_account_of_one_open_identity_is_tried_where_nothing_else_of_it_is_asked() -> None:
    account = {EQUAL: {f"{TAG}a": "${aws:PrincipalAccount}"}}
    assert shown(ask(account, {}), f"{TAG}a", "aws:PrincipalAccount") == (ALIEN, ALIEN)
    tagged = ask(account, {EQUAL: {f"{TAG}a": "no account"}})
    assert isinstance(tagged, Proven)


def test_no_text_equals_the_time() -> None:
    found = ask({EQUAL: {f"{TAG}a": "${aws:CurrentTime}"}}, {})
    assert isinstance(found, Undetermined)
    assert found.causes == (Cause(BUDGET, "a text comparison of the time"),)
    assert shown(ask({EQUAL: {f"{TAG}a": "${aws:EpochTime}"}}, {}), f"{TAG}a", "aws:EpochTime") == ("1795000000", "1795000000")
    barred = ask(
        {EQUAL: {f"{TAG}a": "${aws:CurrentTime}"}}, {"Bool": {"aws:PrincipalIsAWSService": "true"}}, principal={"AWS": BOB}
    )
    assert isinstance(barred, Proven)


PATHS = {"Null": {"aws:PrincipalOrgPaths": "false", "aws:PrincipalOrgID": "false"}}


@pytest.mark.parametrize(
    ("condition", "described"),
    [
        ({"StringNotEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, {"Null": {"aws:ResourceOrgPaths": "false"}}),
        ({EQUAL: {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, {EQUAL: {"aws:PrincipalOrgID": "o-x"}}),
        ({EQUAL: {f"{TAG}x": "${aws:PrincipalOrgID}"}}, {EQUAL: {f"{TAG}x": "o-x"}}),
        ({"StringEqualsIgnoreCase": {"aws:PrincipalOrgID": "o-ABC"}}, {"StringNotEquals": {"aws:PrincipalOrgID": "o-ABC"}}),
        ({"StringNotEqualsIgnoreCase": {"aws:PrincipalOrgID": "O-A1B2C3D4E5"}}, {}),
        ({"NumericLessThan": {"aws:PrincipalOrgID": "5"}}, {}),
        ({"StringNotEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5", *(f"o-a1b2c3d4e{n}" for n in range(6, 200))]}}, {}),
    ],
)  # fmt: skip
def test_an_organization_that_no_text_names_is_not_forgotten(condition: Json, described: Json) -> None:
    assert not isinstance(ask({**condition, **PATHS}, described), Proven)


def test_an_organization_that_none_can_be_is_proven() -> None:
    twice = ask({EQUAL: {"aws:PrincipalOrgID": "o-x"}, **PATHS}, {EQUAL: {"aws:PrincipalOrgID": "o-y"}})
    assert isinstance(twice, Proven)
    gone = ask({EQUAL: {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}, **PATHS}, {"Null": {"aws:ResourceOrgID": "true"}})
    assert isinstance(gone, Proven)


# ----------------------------------------------------------------------------------- the law: what enumeration finds is not proven


LITERALS = ("a", "b", "us-east-1", "s3.us-east-1.amazonaws.com")
NEW = ("n1", "n2", "n3", "new.amazonaws.com")
# keys with all the values that matter to conditions over these literals
WORLD: dict[str, tuple[str | None, ...]] = {
    f"{TAG}p": (None, *LITERALS, *NEW),
    f"{TAG}q": (None, *LITERALS, *NEW),
    "aws:UserAgent": (*LITERALS, *NEW),
    "kms:ViaService": (None, "s3.us-east-1.amazonaws.com", "new.amazonaws.com"),
    "aws:RequestedRegion": ("us-east-1",),
    "aws:ResourceTag/r": ("b",),
}
TAGGED = KEY._replace(tags=(("r", "b"),))


def draw(rng: random.Random) -> tuple[Json, Json, Json | None]:
    """What an Allow, a question and perhaps a Deny ask, of two or three keys that meet."""
    keys = rng.sample(sorted(WORLD), rng.choice((2, 3)))
    insertable = [key for key in keys if key != "aws:UserAgent"]

    def condition(*, variable: bool) -> Json:
        block: Json = {}
        for _ in range(rng.choice((1, 1, 2))):
            operator, key = rng.choice((EQUAL, EQUAL, "StringNotEquals", "StringEqualsIfExists")), rng.choice(keys)
            value = f"${{{rng.choice(insertable)}}}" if variable else rng.choice(LITERALS)
            block.setdefault(operator, {})[key] = rng.choice(([value], [value, rng.choice(LITERALS)]))
            variable = rng.random() < 0.4
        return block

    return condition(variable=True), condition(variable=False), rng.choice((None, condition(variable=rng.random() < 0.5)))


@pytest.mark.parametrize("start", range(0, 120, 20))
def test_what_some_request_shows_is_not_proven_and_what_none_shows_is(start: int) -> None:
    open_answers = 0
    for seed in range(start, start + 20):
        blocks = draw(random.Random(seed))
        allowed, described, denied = blocks
        document = policy(allowed)
        if denied is not None:
            document["Statement"].append({**document["Statement"][0], "Effect": "Deny", "Condition": denied})
        asked = statements_of([{"Principal": {"AWS": BOB}, "Action": "kms:*", "Condition": described}])
        answer = find_allowed([policy_of(document)], asked, TAGGED, grant="any")
        keys = [key for key in WORLD if f"'{key}'" in str(blocks) or f"${{{key}}}" in str(blocks)]
        some = False
        for values in itertools.product(*(WORLD[key] for key in keys)):
            context = {key.lower(): value for key, value in zip(keys, values, strict=True) if value is not None}
            request = Request(BOB, "kms:Decrypt", {"aws:principalarn": BOB, **context}, TAGGED)
            some = all(evaluate([policy_of(one)], request).must for one in (document, policy(described)))
            if some:
                break
        assert not isinstance(answer, Proven if some else Violated), (seed, blocks, answer)
        open_answers += isinstance(answer, Undetermined)
    assert open_answers <= 1  # a tag that is there and empty, or values of three variables


# ------------------------------------------------------------------------------------------------------------ organizations

ORG, ORG_PATHS = "aws:principalorgid", "aws:principalorgpaths"
BOTH = frozenset({ORG, ORG_PATHS})


def org(*operators_and_values: tuple[str, Any], paths: tuple[tuple[str, Any], ...] = ()) -> tuple[Numbered, ...]:
    blocks = [{operator: {"aws:PrincipalOrgID": values}} for operator, values in operators_and_values]
    return relevant(*blocks, *({operator: {"aws:PrincipalOrgPaths": values}} for operator, values in paths))


@pytest.mark.parametrize(
    ("statements", "ids"),
    [
        (org(), ("o-a1b2c3d4e5",)),
        (org((EQUAL, ["o-b", "o-a"]), ("StringLike", "o-b")), ("o-a1b2c3d4e5", "o-a", "o-b")),
        (org((EQUAL, "o-a1b2c3d4e5")), ("o-a1b2c3d4e6", "o-a1b2c3d4e5")),
        (org((EQUAL, ["o-a1b2c3d4e5", "o-a1b2c3d4e6"])), ("o-a1b2c3d4e7", "o-a1b2c3d4e5", "o-a1b2c3d4e6")),
        (org(paths=(("ForAnyValue:StringEquals", "o-a/r-1/ou-2/"),)), ("o-a1b2c3d4e5", "o-a")),
        (org((EQUAL, "o-b"), paths=(("ForAnyValue:StringLike", "o-a/*"),)), ("o-a1b2c3d4e5", "o-a", "o-b")),
        (org(paths=(("ForAnyValue:StringLike", "o-*/r-1/"),)), None),
        (org(("StringLike", "o-?")), None),
        (org(("StringEquals", "o-$")), None),
        (org((EQUAL, f"${{{TAG}x}}")), None),
        (org(("Null", "true")), ("o-a1b2c3d4e5",)),
        (org(("NoSuchOperator", "o-*")), ("o-a1b2c3d4e5",)),
        (org(("StringEqualsIgnoreCase", "o-a")), None),
        (org(("NumericEquals", "5")), None),
        (org(("Bool", "true")), None),
        (org(paths=(("ForAnyValue:NumericEquals", "*"), ("ForAnyValue:Bool", "?"), ("ForAnyValue:DateEquals", "$"))), ("o-a1b2c3d4e5",)),
        (org(paths=(("ForAnyValue:IpAddress", "10.0.0.0/8"),)), None),
        (org(("ArnEquals", "o-a")), None),
        (org((EQUAL, [f"o-{n}" for n in range(399)])), ("o-a1b2c3d4e5", *sorted(f"o-{n}" for n in range(399)))),
        (org((EQUAL, [f"o-{n}" for n in range(400)])), None),
        (relevant({EQUAL: {f"{TAG}x": "${aws:PrincipalOrgID}"}}), None),
        (relevant({EQUAL: {f"{TAG}x": "${aws:ResourceOrgID}"}}), ("o-a1b2c3d4e5",)),
        (relevant({EQUAL: {f"{TAG}x": "${aws:PrincipalOrgID}"}}, version="2008-10-17"), ("o-a1b2c3d4e5",)),
        (relevant({EQUAL: {"aws:ResourceOrgID": "o-r"}}), ("o-a1b2c3d4e5",)),
    ],
)  # fmt: skip
def test_the_organizations_that_texts_tell_apart(statements: tuple[Numbered, ...], ids: tuple[str, ...] | None) -> None:
    assert organizations(statements, BOTH) == {ORG: ids}


@pytest.mark.parametrize("whose", ["principal", "resource", "source", "vpce"])
def test_only_an_organization_with_its_paths_is_a_case(whose: str) -> None:
    name, paths = f"aws:{whose}orgid", f"aws:{whose}orgpaths"
    assert organizations((), frozenset({name, paths})) == {name: ("o-a1b2c3d4e5",)}
    assert organizations((), frozenset({name})) == organizations((), frozenset({paths})) == {}
    assert set(organizations((), frozenset({*BOTH, name, paths}))) == {ORG, name}


# ---------------------------------------------------------------------------------------------------------- one value of a key


@pytest.mark.parametrize(
    ("name", "domain", "values"),
    [
        ("kms:keyspec", Domain(ALWAYS, finite=("a",)), ("a",)),
        ("kms:keyspec", Domain(ALWAYS, finite=("a", "b")), ()),
        ("kms:keyspec", Domain(OPTIONAL, finite=("a",)), ()),
        ("kms:keyspec", Domain(ALWAYS), ()),
        ("kms:keyspec", Domain(ALWAYS, finite=()), ()),
        ("kms:keyspec", Domain(NEVER, finite=("a",)), (None,)),
        ("kms:keyspec", Domain(EMPTY, finite=("a",)), (None,)),
        ("kms:keyspec", Domain(ALWAYS, multi=True, finite=("a",)), (None,)),
        ("no:suchkey", Domain(ALWAYS, finite=("a",)), (None,)),
    ],
)
def test_a_variable_has_one_value_where_its_key_has(name: str, domain: Domain, values: tuple[str | None, ...]) -> None:
    assert bound(name, domain) == values


# ------------------------------------------------------------------------------------------------------------ values that are tried

CALLERS = Callers(Names((ACCOUNT,), (BOB,), (), (), (), (), frozenset({ACCOUNT})), KEY)
ROLE_SESSION, FRESH_USER = CALLERS.of(FRESH)[:2]
A_USER = next(one for one in CALLERS.of(ACCOUNT) if one.arn == BOB)
FRESH_ROOT = next(one for one in CALLERS.of(FRESH) if one.kind == ROOT)
A_SERVICE = CALLERS.of(SERVICES)[0]
A, B, C = "aws:principaltag/a", "aws:principaltag/b", "aws:principaltag/c"


def tried(
    free: set[str], *conditions: Json, settled: tuple[str, ...] = (), caller: Caller = A_USER, mode: Mode = Mode(), key: KeyContext = KEY, action: str = "Decrypt", version: str = "2012-10-17"  # noqa: B008
) -> tuple[dict[str, tuple[str | None, ...]], bool]:  # fmt: skip
    domains = Domains(caller, action, mode, key, (ACCOUNT,), may=True)
    return candidates(free, relevant(*conditions, version=version), domains, set(settled), Solver(), caller)


def is_(value: Any, key: str = f"{TAG}a", operator: str = EQUAL) -> Json:  # noqa: ANN401 - one or many
    return {operator: {key: value}}


VAR_A, VAR_B = f"${{{TAG}a}}", f"${{{TAG}b}}"


@pytest.mark.parametrize(
    ("conditions", "values", "is_complete"),
    [
        ((), (None, "value0", ""), True),
        ((is_("x"),), (None, "value0", "x", ""), True),
        ((is_(["x", "value0", ""]),), (None, "value1", "value0", "x", ""), True),
        ((is_("x", f"{TAG}b"),), (None, "value0", ""), True),
        ((is_(VAR_A, f"{TAG}b"), is_("x", f"{TAG}b")), (None, "value0", "x", ""), True),
        ((is_(VAR_A, f"{TAG}b"), is_("x*", f"{TAG}b", "StringLike")), (None, "value0", "x*", ""), False),
        ((is_(VAR_A, "aws:UserAgent", "StringLike"),), (None, "value0", ""), False),
        ((is_(VAR_A, operator="StringEqualsIgnoreCase"),), (None, "value0", ""), False),
        ((is_("7", operator="NumericEquals"),), (None, "value0", "7", ""), False),
        ((is_("true", operator="Null"),), (None, "value0", "true", ""), True),
        ((is_("x", operator="NoSuchOperator"),), (None, "value0", "x", ""), True),
        ((is_(f"p{VAR_A}s", f"{TAG}b"), is_(["p1s", "ps", "p1", "1s", "p2s", "q3s", "p4q"], f"{TAG}b")), (None, "value0", "1", "1s", "2", "p1", "p1s", "p2s", "p4q", "ps", "q3s", ""), False),
        ((is_(f"{VAR_A}{VAR_B}", f"{TAG}c"), is_("x", f"{TAG}c")), (None, "value0", "x", ""), False),
        ((is_(f"${{{TAG}a, 'd'}}", f"{TAG}b"),), (None, "value0", ""), False),
        ((is_(["${*}", VAR_A], f"{TAG}b"),), (None, "value0", ""), False),
        ((is_("${*}"),), (None, "value0", ""), False),
        ((is_("${bad key}"),), (None, "value0", ""), False),
        ((is_(f"x{VAR_A}", f"{TAG}b"),), (None, "value0", ""), False),
        ((is_(VAR_A, "aws:PrincipalType"),), (None, "value0", "User", ""), True),
        ((is_(VAR_A, "aws:SecureTransport"),), (None, "value0", "false", "true", ""), True),
        ((is_(VAR_A, "kms:ViaService"),), (None, "value0", "s3.us-east-1.amazonaws.com", ""), True),
        ((is_(VAR_A, "kms:ViaService"), is_("s3.us-east-1.amazonaws.com")), (None, "value0", "ec2.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com", ""), True),
        ((is_(VAR_A, "aws:PrincipalOrgID"),), (None, "value0", "/", ""), True),
        ((is_(VAR_A, "aws:PrincipalOrgID"), is_("/")), (None, "value0", " ", "/", ""), True),
        ((is_(VAR_A, "aws:PrincipalOrgID"), is_(VAR_A, "kms:ViaService")), (None, "value0", "/", "s3.us-east-1.amazonaws.com", ""), False),
        ((is_(VAR_A, "aws:MultiFactorAuthAge"),), (None, "value0", "0", ""), True),
        ((is_(VAR_A, "aws:MultiFactorAuthAge"), is_(VAR_A, "kms:ViaService")), (None, "value0", "0", "s3.us-east-1.amazonaws.com", ""), False),
        ((is_(VAR_A, "aws:PrincipalArn"),), (None, "value0", BOB, ""), True),
        ((is_(VAR_A, "aws:userid"),), (None, "value0", "AIDACKCEVSQ6C2EXAMPLE", ""), True),
    ],
)  # fmt: skip
def test_the_values_that_one_variable_may_have(conditions: tuple[Json, ...], values: tuple[str | None, ...], is_complete: bool) -> None:  # fmt: skip
    assert tried({A}, *conditions) == ({A: values}, is_complete)


def test_what_the_case_settles_is_tried_too() -> None:
    assert tried({A}, is_("x"), settled=("s", "x")) == ({A: (None, "value0", "s", "x", "")}, True)
    present = Mode(presence=((A, ALWAYS),))
    assert tried({A}, is_("x"), mode=present) == ({A: ("value0", "x", "")}, True)
    assert tried({"aws:requestedregion"}, key=KEY._replace(region=None))[0]["aws:requestedregion"][0] == "value0"


@pytest.mark.parametrize(
    ("caller", "free", "conditions", "parts"),
    [
        (A_USER, f"{A} {B}", (), [{A}, {B}]),
        (A_USER, f"{A} {B}", (is_("x"), is_("y", f"{TAG}b")), [{A}, {B}]),
        (A_USER, f"{A} {B}", (is_(VAR_A, f"{TAG}b"),), [{A, B}]),
        (A_USER, f"{A} {B}", (is_([VAR_A, VAR_B], f"{TAG}c"),), [{A, B}]),
        (A_USER, f"{A} {B}", (is_(VAR_A, f"{TAG}c"), is_(VAR_B, f"{TAG}d")), [{A}, {B}]),
        (A_USER, f"{A} {B}", (is_(VAR_A, f"{TAG}c"), is_(VAR_B, f"{TAG}c")), [{A, B}]),
        (A_USER, f"{A} {B}", (is_(VAR_A, "kms:CallerAccount"), is_(VAR_B, "aws:PrincipalAccount")), [{A, B}]),
        (A_USER, f"{A} {B}", (is_([VAR_A, "${kms:KeySpec}"], f"{TAG}c"), is_([VAR_B, "${kms:KeySpec}"], f"{TAG}d")), [{A}, {B}]),
        (A_USER, f"{A} {B}", (is_(VAR_A, f"{TAG}c"), is_("${kms:KeySpec}", f"{TAG}b"), is_(VAR_B, "kms:KeySpec")), [{A}, {B}]),
        (A_USER, f"{A} {B} {C}", (is_(VAR_A, f"{TAG}d"), is_(VAR_B, f"{TAG}e"), is_(VAR_A, f"{TAG}e")), [{C}, {A, B}]),
        (A_USER, f"{A} {B} {C}", (is_(VAR_B, f"{TAG}c"), is_("x")), [{A}, {B, C}]),
        (FRESH_USER, f"{A} aws:username aws:principalarn", (), [{A}, {"aws:username", "aws:principalarn"}]),
        (FRESH_USER, f"{A} aws:username aws:principalarn", (is_(VAR_A, "aws:PrincipalArn"),), [{A, "aws:username", "aws:principalarn"}]),
        (A_USER, f"{A} aws:userid", (is_(VAR_A, f"{TAG}b"),), [{"aws:userid"}, {A}]),
    ],
)  # fmt: skip
def test_variables_hang_together_by_what_compares_them(
    caller: Caller, free: str, conditions: tuple[Json, ...], parts: list[set[str]]
) -> None:
    uses = list(pivots._uses(relevant(*conditions), caller.kind))
    assert pivots._linked(set(free.split()), uses, caller) == parts


def test_guesses_for_one_variable_are_guesses_for_all() -> None:
    like_a, like_b = is_(VAR_A, "aws:UserAgent", "StringLike"), is_(VAR_B, "aws:UserAgent", "StringLike")
    same_a, same_b = is_(VAR_A, f"{TAG}c"), is_(VAR_B, f"{TAG}c")
    for conditions in ((like_a, same_b), (same_b, like_a), (same_a, like_b), (like_b, same_a)):
        assert tried({A, B}, *conditions)[1] is False
    assert tried({A, B}, same_a, is_(VAR_B, f"{TAG}d"))[1] is True


def test_what_looks_like_a_variable_is_text_in_the_older_version() -> None:
    old = "2008-10-17"
    assert tried({A}, is_(VAR_A, f"{TAG}b"), is_("x*", f"{TAG}b", "StringLike"), version=old) == ({A: (None, "value0", "")}, True)
    assert tried({A}, is_("${aws:username}"), version=old) == ({A: (None, "value0", "")}, False)


def holed(key: str, *parts: str | Symbol) -> tuple[Numbered, ...]:
    """A condition whose value could not be resolved."""
    (one,) = relevant(is_("x", key))
    (condition,) = one.statement.conditions
    open_value = condition._replace(values=(condition.values[0]._replace(value=Template(parts)),))
    return (Numbered(one.ref, one.statement._replace(conditions=(open_value,)), one.policy),)


def test_a_value_with_a_hole_is_no_literal_and_no_organization_that_is_known() -> None:
    domains = Domains(A_USER, "Decrypt", Mode(), KEY, (), may=True)
    found = candidates({A}, holed(f"{TAG}a", "p", Symbol("x")), domains, set(), Solver(), A_USER)
    assert found == ({A: (None, "value0", "")}, False)
    assert organizations(holed("aws:PrincipalOrgID", "p", Symbol("x")), BOTH) == {ORG: None}
    assert organizations(holed("aws:PrincipalOrgPaths", "o-a/", Symbol("x")), BOTH) == {ORG: None}


def test_a_new_value_is_none_that_is_taken_and_none_that_is_left_out() -> None:
    digit = Domain(ALWAYS, patterns=((DIGIT,),), excluded=frozenset("01"), samples=("1", "3"))
    assert [pivots._fresh(digit, set(taken), Solver()) for taken in ("", "3", "32", "3256789")] == ["3", "2", "4", "4"]
    assert pivots._fresh(digit, set("23456789"), Solver()) is None


def test_every_linked_key_has_a_new_value_of_its_own() -> None:
    new = (None, "value0", "value1", "/", " ", "")
    organization = [is_(one, "aws:PrincipalOrgID") for one in (VAR_A, VAR_B)]
    assert tried({A, B}, *organization) == ({A: new, B: new}, True)
    both = (None, "value0", "value1", "x", "")
    assert tried({A, B}, is_("x"), is_(VAR_A, f"{TAG}b")) == ({A: both, B: both}, True)
    via = "kms:viaservice"
    found, is_complete = tried({A, B, via}, is_("x"), is_(VAR_A, "kms:ViaService"), is_(VAR_B, "kms:ViaService"))
    inside = ("s3.us-east-1.amazonaws.com", "ec2.us-east-1.amazonaws.com", "a.amazonaws.com")
    assert found == {
        A: (None, "value0", "value1", *inside, "x", ""),
        B: (None, "value0", "value1", *inside, "x", ""),
        via: (None, *inside),
    }
    assert is_complete


def test_keys_that_nothing_compares_need_no_values_of_each_other() -> None:
    """One key of numbers and one of ids, each compared with its own kind: complete, though no value serves both."""
    alone = (None, "value0", "")
    assert tried({A, B}, is_(VAR_A, "aws:PrincipalOrgID")) == ({A: (None, "value0", "/", ""), B: alone}, True)
    assert tried({A, B}, is_("x")) == ({A: (None, "value0", "x", ""), B: alone}, True)
    apart = (is_(VAR_A, "aws:PrincipalOrgID"), is_(VAR_B, "kms:ViaService"))
    assert tried({A, B}, *apart)[1]
    assert not tried({A, B}, *apart, is_(VAR_A, f"{TAG}b"))[1]
    account, arn = "aws:principalaccount", "aws:principalarn"
    of_one_identity = (is_("${aws:PrincipalAccount}"), is_("${aws:PrincipalArn}", f"{TAG}b"))
    assert not tried({account, arn}, *of_one_identity, caller=ROLE_SESSION)[1]


@pytest.mark.parametrize(
    ("caller", "free", "conditions", "is_complete"),
    [
        (ROLE_SESSION, A, (is_(VAR_A, "aws:PrincipalAccount"),), False),
        (FRESH_ROOT, "aws:principalaccount aws:userid", (is_("${aws:PrincipalAccount}"), is_("${aws:userid}")), False),
        (FRESH_ROOT, "aws:userid", (is_("${aws:userid}"),), True),
        (A_USER, A, (is_(VAR_A, "aws:PrincipalAccount"),), True),
        (ROLE_SESSION, "aws:principalaccount", (is_("${aws:PrincipalAccount}"),), True),
        (ROLE_SESSION, "aws:principalaccount", (is_("${kms:CallerAccount}"),), True),
        (ROLE_SESSION, "aws:principalaccount", (is_("${aws:PrincipalAccount}"), is_("x", "aws:userid")), False),
        (ROLE_SESSION, "aws:principalaccount", (is_("${aws:PrincipalAccount}"), is_("x", "aws:UserAgent")), True),
        (ROLE_SESSION, A, (is_(VAR_A, f"{TAG}b"), is_("x", "aws:userid"), is_("y", "aws:PrincipalArn")), True),
        (FRESH_USER, "aws:username", (is_("${aws:username}"),), True),
        (FRESH_USER, "aws:username", (is_("${aws:username}"), is_("x", "aws:PrincipalArn")), False),
        (A_SERVICE, A, (is_(VAR_A, "aws:userid"), is_("x", "aws:PrincipalArn")), True),
    ],
)
def test_parts_of_an_open_identity_go_together(
    caller: Caller, free: str, conditions: tuple[Json, ...], is_complete: bool
) -> None:
    assert tried(set(free.split()), *conditions, caller=caller)[1] == is_complete


def test_pairs_that_a_set_must_list_in_some_case_are_guesses() -> None:
    held = Mode(sets=(("aws:tagkeys", ("foo",), ()),))
    barred = Mode(sets=(("aws:tagkeys", (), ("foo",)),))
    same = is_(VAR_A, "aws:TagKeys", "ForAnyValue:StringEquals")
    assert tried({A}, same, action="TagResource") == ({A: (None, "value0", "")}, True)
    for mode in (held, barred):
        assert tried({A}, same, mode=mode, action="TagResource") == ({A: (None, "value0", "")}, False)


class Tired(Solver):
    """A solver whose work is used up."""

    def model(self, *_: object) -> Held | None:
        raise BudgetExceeded("no")


class Helpless(Solver):
    """A solver that finds no value."""

    def model(self, *_: object) -> Held | None:
        return None


def test_a_value_that_was_not_found_is_not_known_to_be_none() -> None:
    inside = relevant(is_(VAR_A, "kms:ViaService"))
    domains = Domains(A_USER, "Decrypt", Mode(within=(("kms:viaservice", text("only.amazonaws.com")),)), KEY, (), may=True)
    assert candidates({A}, inside, domains, set(), Solver(), A_USER) == ({A: (None, "value0", "only.amazonaws.com", "")}, True)
    assert candidates({A}, inside, domains, set(), Tired(), A_USER) == ({A: (None, "value0", "")}, False)
    assert candidates({A}, inside, domains, set(), Helpless(), A_USER) == ({A: (None, "value0", "")}, True)
    beyond = relevant(is_(VAR_A, "aws:PrincipalOrgID"))
    assert candidates({A}, beyond, domains, set(), Helpless(), A_USER) == ({A: (None, "value0", "")}, False)
    number = relevant(is_(VAR_A, "aws:MultiFactorAuthAge"))
    assert candidates({A}, number, domains, set(), Helpless(), A_USER) == ({A: (None, "value0", "")}, False)
    one = relevant(is_(VAR_A, "kms:ViaService"), is_("only.amazonaws.com"))
    assert candidates({A}, one, domains, set(), Solver(), A_USER) == ({A: (None, "value0", "only.amazonaws.com", "")}, True)


def test_too_many_cases_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound counts the product of what the variables may be."""
    same, both = {EQUAL: {f"{TAG}a": VAR_B}}, {EQUAL: {f"{TAG}a": "x", f"{TAG}b": "y"}}
    assert isinstance(ask(same, both), Proven)
    monkeypatch.setattr(cells, "MAX_BINDINGS", 5)
    assert isinstance(ask(same, both), Proven)
    monkeypatch.setattr(cells, "MAX_BINDINGS", 4)
    assert ask(same, both) == Undetermined(
        (Cause(BUDGET, f"the policy variable `${{{B}}}` was not eliminated"),), ask(same, both).candidate  # type: ignore[union-attr]
    )  # fmt: skip
    assert pivots.MAX_BINDINGS == 400


def test_all_are_allowed_only_where_every_value_of_the_variable_is() -> None:
    asked = statements_of([{"Principal": {"AWS": BOB}, "Action": "kms:Decrypt"}])

    def refused(*blocks: Json) -> Answer:
        return find_not_allowed([policy_of(policy(*blocks, principal={"AWS": BOB}))], asked, KEY._replace(tags=(("r", "b"),)))

    same, other = {EQUAL: {f"{TAG}a": "${aws:ResourceTag/r}"}}, {"StringNotEquals": {f"{TAG}a": "${aws:ResourceTag/r}"}}
    assert shown(refused(same), f"{TAG}a") == (None,)
    assert isinstance(refused(same, other), Proven)
    assert isinstance(refused(other, {EQUAL: {f"{TAG}a": "b"}}), Proven)
    assert shown(refused(other, {EQUAL: {f"{TAG}a": "c"}}), f"{TAG}a") == ("b",)
