"""What a question is asked about: who can be reached by which statement, and what is remembered of it for how long."""

from typing import Any

import pytest

from kmslint.policy.document import Policy
from kmslint.policy.evaluate import applies
from kmslint.policy.principals import match_principals
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import F, T, U
from kmslint.reason import space as spaces
from kmslint.reason.answer import StatementRef
from kmslint.reason.callers import FRESH, SERVICES, Caller, Callers
from kmslint.reason.domains import Domains
from kmslint.reason.modes import Mode
from kmslint.reason.space import Space, is_foreign
from kmslint.reason.statements import Numbered
from kmslint.reason.values import Atom
from tests.oracle.bridge import ACCOUNT, KEY_ARN, key_of, policy_of, statements_of

KEY = key_of()
PARTNER = "444455556666"
BOB, ROLE = f"arn:aws:iam::{ACCOUNT}:user/bob", f"arn:aws:iam::{ACCOUNT}:role/app"
SERVICE = "s3.amazonaws.com"
Json = dict[str, Any]
NOBODY = statements_of([{"Action": "kms:*"}])


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[object, ...], object]:
    """An empty memory in the place of the one that all share."""
    memory: dict[tuple[object, ...], object] = {}
    monkeypatch.setattr(spaces, "_KNOWN", memory)
    return memory


def policy(*statements: Json, version: str = "2012-10-17") -> Policy:
    whole = [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", **one} for one in statements]
    kept = [{name: value for name, value in one.items() if value is not None} for one in whole]
    return policy_of({"Version": version, "Statement": kept})


def space_of(*statements: Json, key: KeyContext = KEY, described: Any = NOBODY) -> Space:  # noqa: ANN401
    return Space([policy(*statements)], described, key)


def caller(space: Space, arn: str) -> Caller:
    return next(one for one in space.callers if one.arn == arn)


# ------------------------------------------------------------------------------------------------------ what it is asked about


def test_statements_that_cannot_be_read_may_allow_and_may_deny() -> None:
    space = Space([policy({}, {"Effect": "Deny"}), policy({"Effect": "Permit"}, {"Effect": None})], NOBODY, KEY)
    refs = [[one.ref for one in some] for some in (space.statements, space.allows(), space.denies())]
    allow, deny, odd, none = StatementRef(0, 0), StatementRef(0, 1), StatementRef(1, 0), StatementRef(1, 1)
    assert refs == [[allow, deny, odd, none], [allow, odd, none], [deny, odd, none]]


def test_the_keys_that_any_condition_of_the_policies_names() -> None:
    asked = statements_of([{"Action": "kms:*", "Condition": {"StringEquals": {"aws:UserAgent": "x"}}}])
    space = space_of(
        {"Condition": {"StringEquals": {"AWS:SourceIp": "${aws:username}"}}},
        {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        described=asked,
    )
    assert space.mentioned == {"aws:sourceip", "aws:securetransport"}


# ----------------------------------------------------------------------------------------------------------- who can be reached

PRINCIPALS = ("*", {"AWS": ACCOUNT}, {"AWS": BOB}, {"AWS": ROLE}, {"AWS": PARTNER}, {"Service": SERVICE}, {"AWS": f"arn:aws:sts::{ACCOUNT}:federated-user/bob"})  # fmt: skip


def test_principals_are_seen_as_the_evaluator_sees_them() -> None:
    space = space_of(*({"Principal": one} for one in PRINCIPALS))
    for one in space.statements:
        for each in space.callers:
            context = {} if each.arn is None else {"aws:principalarn": each.arn}
            request = Request(each.principal, "kms:Decrypt", context, KEY, each.parent)
            assert space.principal(one, each) == match_principals(one.statement, request, lean=False)
            assert space.principal(one, each) is space.principal(one, each)


def test_a_role_with_a_path_is_told_by_its_arn() -> None:
    path = f"arn:aws:iam::{ACCOUNT}:role/team/app"
    space = space_of({"Principal": {"AWS": ROLE}}, {"Principal": {"AWS": path}})
    (one, other) = space.statements
    found = [[space.principal(each, caller(space, arn)).truth for arn in (ROLE, path)] for each in (one, other)]
    assert found == [[T, F], [F, T]]


@pytest.mark.parametrize(
    ("written", "upper", "lower"),
    [
        ({}, True, True),
        ({"Principal": {"AWS": BOB}}, True, True),
        ({"Principal": {"AWS": ROLE}}, False, False),
        ({"Principal": {"AWS": "AIDACKCEVSQ6C2EXAMPLE"}}, True, False),
        ({"Principal": None}, False, False),
        ({"Principal": None, "NotPrincipal": {"AWS": ROLE}}, True, True),
        ({"Action": None}, True, True),
        ({"Action": "s3:*"}, True, True),
        ({"Resource": None}, False, False),
        ({"Resource": KEY_ARN}, True, False),
        ({"Resource": "arn:aws:kms:us-east-1:1:alias/x"}, False, False),
        ({"Extra": 1}, True, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalArn": ROLE}}}, True, True),
    ],
)
def test_whom_a_statement_reaches_conditions_aside(written: Json, upper: bool, lower: bool) -> None:
    space = space_of({"Principal": {"AWS": [BOB, ROLE]}}, written)
    bob, one = caller(space, BOB), space.statements[1]
    assert (space.reaches(one, bob, upper=True), space.reaches(one, bob, upper=False)) == (upper, lower)


RESOURCES = ("*", [KEY_ARN], [KEY_ARN, "*"], "arn:aws:kms:*:*:key/*", "arn:aws:s3:::x", [], "${aws:username}", "*:*", "**")


@pytest.mark.parametrize("element", ["Resource", "NotResource"])
@pytest.mark.parametrize("written", RESOURCES)
def test_the_resource_of_a_statement_is_the_key_or_not(element: str, written: object) -> None:
    space = space_of({"Resource": None, element: written, "Effect": "Deny", "Action": "kms:Encrypt", "Principal": {"AWS": BOB}, "Condition": {"Bool": {"aws:SecureTransport": "false"}}})  # fmt: skip
    (one,) = space.statements
    bare = policy({"Resource": None, element: written}).statements[0]
    request = Request("arn:aws:iam::111122223333:user/x", "kms:Decrypt", {}, KEY)
    assert space.resource(one) == applies(bare, one.policy, request).truth


def test_a_resource_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    monkeypatch.setattr(spaces, "applies", lambda *of: judged.append(of) or applies(*of))
    space = space_of({"Resource": KEY_ARN}, {"Resource": "*"}, {"Resource": "*", "Extra": 1})
    truths = [space.resource(one) for one in space.statements * 2]
    assert truths == [U, T, T] * 2
    assert len(judged) == 1


# ------------------------------------------------------------------------------------------------------------------ conditions


def test_conditions_are_atoms_where_they_depend_on_the_context() -> None:
    space = space_of(
        {},
        {"Condition": {"StringEquals": {"aws:UserAgent": "a", "aws:Referer": "b"}}},
        {"Condition": {"StringEquals": {"aws:UserAgent": "a"}, "NoSuchOperator": {"aws:Referer": "b"}}},
        {"Condition": {"NoSuchOperator": {"aws:Referer": "b"}, "StringEquals": {"aws:UserAgent": "a"}}},
    )
    bob = space.callers.of(FRESH)[0]

    def keys(place: int, *, upper: bool) -> list[str] | None:
        atoms = space.conditions(space.statements[place], bob, {}, upper=upper)
        return None if atoms is None else [atom.key for atom in atoms if isinstance(atom, Atom)]

    assert [keys(place, upper=True) for place in range(4)] == [[], ["aws:useragent", "aws:referer"], ["aws:useragent"], ["aws:useragent"]]  # fmt: skip
    assert [keys(place, upper=False) for place in range(4)] == [[], ["aws:useragent", "aws:referer"], None, None]


def test_a_statement_without_conditions_has_nothing_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "Context", lambda *_: pytest.fail("nothing to compile"))
    space = space_of({})
    assert space.conditions(space.statements[0], space.callers.of(FRESH)[0], {}, upper=True) == ()


def test_a_bound_variable_is_in_the_atom() -> None:
    space = space_of({"Condition": {"StringEquals": {"aws:UserAgent": "${aws:username}"}}})
    fresh = space.callers.of(FRESH)[0]
    (bound,) = space.conditions(space.statements[0], fresh, {"aws:username": "eve"}, upper=False) or ()
    assert bound.test is not None
    assert (bound.test.contains("eve"), bound.test.contains("bob")) == (True, False)


# ------------------------------------------------------------------------------------------------------- who is left out for good


def if_(operator: str, key: str, value: str) -> Json:
    return {"Condition": {operator: {key: value}}}


BLOCKED = [
    ({}, "", ""),
    ({"Principal": {"AWS": BOB}}, "role fresh service", "role fresh service"),
    ({"Principal": {"AWS": "AIDACKCEVSQ6C2EXAMPLE"}}, "role fresh service", "bob role fresh service"),
    (if_("StringEquals", "aws:PrincipalArn", BOB), "role service", "role service"),
    (if_("StringNotEquals", "aws:PrincipalArn", BOB), "bob", "bob"),
    (if_("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:user/*"), "role service", "role service"),
    (if_("StringEquals", "aws:PrincipalType", "User"), "role fresh service", "role fresh service"),
    (if_("StringEquals", "aws:username", "bob"), "role fresh service", "role fresh service"),
    (if_("StringEquals", "aws:PrincipalServiceName", SERVICE), "bob role fresh", "bob role fresh"),
    (if_("StringNotEquals", "aws:PrincipalServiceName", SERVICE), "service", "service"),
    (if_("StringEquals", "aws:PrincipalAccount", ACCOUNT), "service", "service"),
    (if_("StringEquals", "aws:PrincipalAccount", PARTNER), "bob role service", "bob role service"),
    (if_("Bool", "aws:PrincipalIsAWSService", "true"), "bob role fresh", "bob role fresh"),
    (if_("StringEquals", "aws:UserAgent", "x"), "", ""),
    ({"Condition": {"StringEquals": {"aws:UserAgent": "x", "aws:username": "bob"}}}, "role fresh service", "role fresh service"),
    ({"Condition": {"StringEquals": {"aws:PrincipalType": "User", "aws:username": "eve"}}}, "bob role fresh service", "bob role fresh service"),
    (if_("StringEquals", "aws:username", "${aws:PrincipalTag/t}"), "", ""),
    ({"Condition": {"StringEquals": {"aws:username": "${aws:PrincipalTag/t}", "aws:PrincipalArn": ROLE}}}, "bob service", "bob service"),
    (if_("NoSuchOperator", "aws:PrincipalArn", ROLE), "", "bob role fresh service"),
    ({"Condition": {"NoSuchOperator": {"aws:PrincipalArn": ROLE}, "StringEquals": {"aws:username": "eve"}}}, "bob role fresh service", "bob role fresh service"),
    ({"Condition": {"Null": {"aws:username": "false"}, "StringLike": {"aws:username": "e*"}}}, "bob role fresh service", "bob role fresh service"),
    (if_("Null", "aws:username", "true"), "bob", "bob"),
]  # fmt: skip
"""Who is left out by a condition on who calls, in the upper and in the lower reading: bob, a role, a stranger's role, a service."""


@pytest.mark.parametrize(("written", "upper", "lower"), BLOCKED)
def test_who_is_left_out_by_who_calls_alone(written: Json, upper: str, lower: str) -> None:
    space = space_of({"Principal": {"AWS": [BOB, ROLE]}}, written)
    who = {"bob": caller(space, BOB), "role": caller(space, ROLE), "fresh": space.callers.of(FRESH)[0], "service": space.callers.of(SERVICES)[0]}  # fmt: skip
    one = space.statements[1]
    for _ in range(2):
        blocked = [" ".join(name for name in who if space.blocks(one, who[name], may=may)) for may in (True, False)]
        assert blocked == [upper, lower]


def test_who_is_left_out_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    space = space_of({"Condition": {"StringEquals": {"aws:username": "bob"}}})
    one, fresh = space.statements[0], space.callers.of(FRESH)[0]
    refused = []
    called = Space._is_refused

    def count(self: Space, numbered: Numbered, each: Caller, *, may: bool) -> bool:
        refused.append(may)
        return called(self, numbered, each, may=may)

    monkeypatch.setattr(Space, "_is_refused", count)
    assert [space.blocks(one, fresh, may=may) for may in (True, True, False, False)] == [True] * 4
    assert refused == [True, False]


# -------------------------------------------------------------------------------------------------------------- what is remembered


def test_the_same_policies_share_what_is_learnt(known: dict[tuple[object, ...], object]) -> None:
    policies = (policy({"Principal": {"AWS": ACCOUNT}}), policy({"Effect": "Deny"}))
    first, second = Space(policies, NOBODY, KEY), Space(list(policies), NOBODY, KEY)
    assert first.statements is second.statements
    assert first.callers is second.callers
    assert first.solver is second.solver
    others = [
        Space(policies[::-1], NOBODY, KEY),
        Space(policies, NOBODY, KEY._replace(region=None)),
        Space(policies[:1], NOBODY, KEY),
    ]
    assert all(other.callers is not first.callers for other in others)
    assert len(known) == 4


def test_lists_of_policies_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch, known: dict[tuple[object, ...], object]) -> None:  # fmt: skip
    assert spaces.MAX_KNOWN == 64
    monkeypatch.setattr(spaces, "MAX_KNOWN", 2)
    kept = [policy({"Action": f"kms:{number}"}) for number in range(5)]
    sizes = []
    for one in kept:
        assert Space([one], NOBODY, KEY).statements[0].statement == one.statements[0]
        sizes.append(len(known))
    assert sizes == [1, 2, 1, 2, 1]


def asking(*accounts: str) -> Any:  # noqa: ANN401 - statements
    return statements_of([{"Principal": {"AWS": one}, "Action": "kms:*"} for one in accounts])


def test_a_question_that_names_nobody_new_has_the_callers_of_the_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    monkeypatch.setattr(spaces, "Callers", lambda *of: built.append(of) or Callers(*of))
    one = policy({"Principal": {"AWS": [ACCOUNT, PARTNER]}})
    usual = Space([one], NOBODY, KEY).callers
    assert Space([one], asking(PARTNER), KEY).callers is usual
    assert len(built) == 1
    other = Space([one], asking("777788889999", PARTNER), KEY).callers
    assert other.groups == (FRESH, ACCOUNT, PARTNER, "777788889999", SERVICES)
    assert Space([one], asking("777788889999"), KEY).callers is other
    assert len(built) == 2
    assert usual.groups == (FRESH, ACCOUNT, PARTNER, SERVICES)


def test_sets_of_callers_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spaces.MAX_CALLERS == 32
    monkeypatch.setattr(spaces, "MAX_CALLERS", 2)
    one = policy({})
    built = [Space([one], asking(f"77778888999{number}"), KEY).callers for number in (0, 1, 0, 1, 2, 2, 1)]
    assert [callers.groups[2][-1] for callers in built] == list("0101221")
    assert built[0] is built[2]
    assert built[1] is built[3]
    assert built[4] is built[5]
    assert built[6] is not built[1]


def test_the_callers_of_a_question_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    called = spaces._Known.classes

    def classes(self: spaces._Known, described: Any) -> Any:  # noqa: ANN401
        looked.append(described)
        return called(self, described)

    monkeypatch.setattr(spaces._Known, "classes", classes)
    space = space_of({})
    assert looked == []
    assert space.callers is space.callers
    assert space.principal(space.statements[0], space.callers.of(FRESH)[0]).truth == T
    assert looked == [space.described]


def test_domains_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spaces.MAX_DOMAINS == 4_096
    built = []
    monkeypatch.setattr(spaces, "Domains", lambda *of, may: built.append(of) or Domains(*of, may=may))
    space = space_of({"Principal": {"AWS": BOB}})
    fresh, bob = space.callers.of(FRESH)[0], caller(space, BOB)
    cases = [
        (one, action, mode, may)
        for one in (fresh, bob)
        for action in ("Decrypt", "CreateGrant")
        for mode in (Mode(), Mode((("aws:useragent", "x"),)))
        for may in (True, False)
    ]

    def asked() -> list[object]:
        return [space.domains(one, action, mode, may=may) for one, action, mode, may in cases]

    first = asked()
    assert len(built) == len(cases) == len(set(map(id, first)))
    assert all(one is other for one, other in zip(asked(), first, strict=True))
    assert len(built) == len(cases)
    excluded = [one.excluded_accounts for one in (space.domains(fresh, "Decrypt", Mode(), may=True), space.domains(bob, "Decrypt", Mode(), may=True))]  # fmt: skip
    assert excluded == [(ACCOUNT,), ()]
    monkeypatch.setattr(spaces, "MAX_DOMAINS", 3)
    small = space_of({"Principal": {"AWS": BOB}}, key=KEY._replace(spec="RSA_2048"))
    where = [(small.callers.of(FRESH)[0], action) for action in ("Decrypt", "Encrypt", "CreateGrant", "PutKeyPolicy")]
    kept = [small.domains(one, action, Mode(), may=True) for one, action in where]
    last = where[-1]
    assert small.domains(*last, Mode(), may=True) is kept[-1]
    assert small.domains(*where[0], Mode(), may=True) is not kept[0]


# ------------------------------------------------------------------------------------------------------------- who is a foreigner


def test_who_is_no_principal_of_the_owners_account() -> None:
    space = space_of({"Principal": {"AWS": [BOB, PARTNER]}})
    foreign = {group: {is_foreign(one, KEY) for one in space.callers.of(group)} for group in space.callers.groups}
    assert foreign == {FRESH: {True}, ACCOUNT: {False}, PARTNER: {True}, SERVICES: {True}}
    nobodys = KEY._replace(account=None)
    assert {is_foreign(one, nobodys) for one in space.callers} == {True}
