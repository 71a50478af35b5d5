"""The questions one by one: which reading answers, what a candidate is checked against, and why an answer is left open."""

from types import SimpleNamespace
from typing import Any

import pytest

from kmslint.errors import InternalError
from kmslint.policy.document import Policy
from kmslint.policy.evaluate import Evaluation, evaluate
from kmslint.policy.request import ContextValue, KeyContext, Request
from kmslint.policy.truth import register_text
from kmslint.reason import query
from kmslint.reason.answer import (
    BUDGET,
    INPUT,
    REGISTER,
    SYMBOL,
    Answer,
    Cause,
    Proven,
    StatementRef,
    Undetermined,
    Violated,
)
from kmslint.reason.cells import Found, Open
from kmslint.reason.query import (
    D11,
    Access,
    find_allowed,
    find_allowed_by_statement,
    find_applying,
    find_new_access,
    find_new_access_by_statement,
    find_not_allowed,
    is_inert,
    prove_all_allowed,
    prove_none_allowed,
    who,
)
from kmslint.reason.space import Space
from kmslint.reason.strings import Budget
from kmslint.tree import Symbol, Template
from tests.oracle.bridge import ACCOUNT, key_of, policy_of, statements_of

KEY = key_of()
PARTNER = "444455556666"
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
EVE = f"arn:aws:iam::{PARTNER}:user/eve"
OWNER_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SERVICE = "s3.amazonaws.com"
NONE = Proven((D11,))
Json = dict[str, Any]


def policy(*statements: Json, unknown: tuple[str, ...] = (), version: str = "2012-10-17") -> Policy:
    whole = [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", **one} for one in statements]
    return policy_of({"Version": version, "Statement": whole})._replace(unknown=unknown)


def asked(*statements: Json) -> Any:  # noqa: ANN401
    return statements_of([{"Principal": "*", "Action": "kms:*", **one} for one in statements])


ALL = asked({})
DENY = {"Effect": "Deny"}
TO_BOB, TO_EVE, TO_OWNER, TO_PARTNER = ({"Principal": {"AWS": one}} for one in (BOB, EVE, OWNER_ROOT, PARTNER))


def if_(operator: str, key: str, value: object) -> Json:
    return {"Condition": {operator: {key: value}}}


def kind(answer: Answer) -> tuple[object, ...]:
    """An answer in short: who calls what by which statements and what grant, or nothing."""
    if isinstance(answer, Violated):
        return answer.witness.principal, answer.witness.action, [tuple(one) for one in answer.statements], answer.grant
    return (type(answer).__name__,)


# ----------------------------------------------------------------------------------------------------- a document that is not read

UNREAD = policy({}, unknown=("no such file",))
ALSO_UNREAD = policy({}, unknown=("a hole", "another"))
OPEN = Undetermined((Cause(SYMBOL, "no such file"),))


def test_a_policy_that_was_not_read_leaves_every_question_open() -> None:
    read = policy(DENY)
    both = [read, UNREAD, ALSO_UNREAD]
    answers = [
        find_allowed(both, ALL, KEY),
        prove_none_allowed(both, ALL, KEY),
        prove_all_allowed(both, ALL, KEY),
        find_not_allowed(both, ALL, KEY),
        find_new_access([read], both, KEY),
        find_new_access(both, [read], KEY),
        is_inert(both, StatementRef(0, 0), KEY),
        find_applying(both, StatementRef(1, 0), ALL, KEY),
    ]
    assert answers == [OPEN] * 8
    assert find_allowed_by_statement(both, ALL, KEY) == ((StatementRef(1, -1), OPEN),)
    assert find_new_access_by_statement([read], [read, UNREAD], KEY) == ((StatementRef(0, -1), OPEN),)
    assert find_allowed([ALSO_UNREAD], ALL, KEY) == Undetermined((Cause(SYMBOL, "a hole"), Cause(SYMBOL, "another")))
    assert who(both, "kms:Decrypt", KEY) == (Access("anybody", "?", None, True, True, OPEN),)


def test_whether_a_statement_applies_rests_on_its_own_policy_alone() -> None:
    read = policy(TO_BOB)
    assert kind(find_applying([UNREAD, read], StatementRef(1, 0), ALL, KEY)) == (BOB, "kms:Decrypt", [(0, 0)], "direct")
    assert kind(find_applying([read, UNREAD], StatementRef(0, 0), ALL, KEY)) == (BOB, "kms:Decrypt", [(0, 0)], "direct")


@pytest.mark.parametrize("ref", [StatementRef(0, 1), StatementRef(1, 0), StatementRef(-1, 0)])
def test_a_statement_that_is_not_there_does_nothing(ref: StatementRef) -> None:
    assert is_inert([policy({})], ref, KEY) == Proven()
    assert find_applying([policy({})], ref, ALL, KEY) == Proven()


# ------------------------------------------------------------------------------------------------------------------ what is allowed


@pytest.mark.parametrize(
    ("statements", "described", "grant", "found"),
    [
        ([{}], ({},), "default", ("arn:aws:sts::999999999999:assumed-role/Other/session", "kms:Decrypt", [(0, 0)], "direct")),
        ([TO_BOB], ({},), "default", (BOB, "kms:Decrypt", [(0, 0)], "direct")),
        ([TO_BOB, DENY], ({},), "default", ("Proven",)),
        ([TO_BOB, {**DENY, **TO_EVE}], ({},), "default", (BOB, "kms:Decrypt", [(0, 0)], "direct")),
        ([DENY, TO_BOB], (TO_EVE,), "default", ("Proven",)),
        ([TO_BOB, TO_EVE], (TO_EVE,), "default", (EVE, "kms:Decrypt", [(0, 1)], "direct")),
        ([TO_BOB], (TO_EVE, TO_BOB), "default", (BOB, "kms:Decrypt", [(0, 0)], "direct")),
        ([{**TO_EVE, "Action": "kms:PutKeyPolicy"}], ({},), "default", ("Proven",)),
        ([{**TO_EVE, "Action": "kms:ListAliases"}], ({},), "default", ("Proven",)),
        ([{**TO_BOB, "Action": "kms:Encrypt"}], ({"Action": "kms:Decrypt"},), "default", ("Proven",)),
    ],
)  # fmt: skip
def test_what_is_allowed(statements: list[Json], described: tuple[Json, ...], grant: str, found: tuple[object, ...]) -> None:
    policies = [policy(*statements)]
    answer = find_allowed(policies, asked(*described), KEY, grant=grant)
    assert kind(answer) == found
    assert kind(prove_none_allowed(policies, asked(*described), KEY, grant=grant)) == found
    if not isinstance(answer, Violated):
        assert answer == NONE


def session(account: str) -> str:
    return f"arn:aws:sts::{account}:assumed-role/Other/session"


@pytest.mark.parametrize(
    ("statements", "default", "direct", "delegated", "any_"),
    [
        ([TO_BOB], BOB, BOB, None, BOB),
        ([TO_OWNER], OWNER_ROOT, OWNER_ROOT, session(ACCOUNT), session(ACCOUNT)),
        ([TO_PARTNER], session(PARTNER), f"arn:aws:iam::{PARTNER}:root", session(PARTNER), session(PARTNER)),
        ([TO_OWNER, {}], OWNER_ROOT, OWNER_ROOT, None, session(ACCOUNT)),
        ([{}, TO_OWNER], session("999999999999"), session("999999999999"), None, session("999999999999")),
        ([TO_OWNER, TO_BOB], OWNER_ROOT, OWNER_ROOT, session(ACCOUNT), session(ACCOUNT)),
        ([TO_OWNER, {**TO_OWNER, **DENY}], None, None, None, None),
    ],
)  # fmt: skip
def test_which_allows_count(statements: list[Json], default: str | None, direct: str | None, delegated: str | None, any_: str | None) -> None:  # fmt: skip
    for grant, principal in (("default", default), ("direct", direct), ("delegated", delegated), ("any", any_)):
        answer = find_allowed([policy(*statements)], asked({"Action": "kms:Decrypt"}), KEY, grant=grant)
        if principal is None:
            assert answer == NONE, grant
            continue
        assert isinstance(answer, Violated), grant
        assert answer.witness.principal == principal, grant
        if grant in {"direct", "delegated"}:
            assert answer.grant == grant


def test_an_allow_that_another_makes_direct_is_not_delegated() -> None:
    described = asked({**TO_BOB, "Action": "kms:Decrypt"})
    both = policy(TO_OWNER, {**TO_BOB, **if_("StringEquals", "aws:UserAgent", "x")})
    answer = find_allowed([both], described, KEY, grant="delegated")
    assert isinstance(answer, Violated)
    assert answer.grant == "delegated"
    assert answer.witness.context.get("aws:useragent") != "x"
    assert find_allowed([policy(TO_OWNER, TO_BOB)], described, KEY, grant="delegated") == NONE


def test_each_statement_answers_for_itself() -> None:
    policies = [
        policy(TO_BOB, DENY | TO_EVE, TO_EVE),
        policy(DENY | TO_OWNER | {"Action": "kms:Create*"}, {"Action": "k*:Decrypt"}),
    ]
    found = find_allowed_by_statement(policies, ALL, KEY)
    assert [tuple(ref) for ref, _ in found] == [(0, 0), (1, 1)]
    assert kind(found[0][1]) == (BOB, "kms:Decrypt", [(0, 0)], "direct")
    assert isinstance(found[1][1], Undetermined)
    assert find_allowed(policies, ALL, KEY) == found[0][1]
    assert find_allowed_by_statement([policy(DENY)], ALL, KEY) == ()


def test_a_witness_ends_the_search_and_an_open_answer_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[StatementRef] = []
    called = query._ask

    def ask(space: Any, goals: Any, check: Any, budgets: Any = None) -> Answer:  # noqa: ANN401
        seen.append(check.allow)
        return called(space, goals, check, budgets)

    monkeypatch.setattr(query, "_ask", ask)
    policies = [policy({"Action": "k*:Decrypt"}, TO_BOB, TO_EVE)]
    assert kind(find_allowed(policies, ALL, KEY)) == (BOB, "kms:Decrypt", [(0, 1)], "direct")
    assert seen == [(0, 0), (0, 1)]
    seen.clear()
    assert len(find_allowed_by_statement(policies, ALL, KEY)) == 3
    assert seen == [(0, 0), (0, 1), (0, 2)]


def test_a_statement_that_shares_no_caller_with_the_question_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "_ask", lambda *_: pytest.fail("nothing to ask"))
    assert find_allowed([policy(TO_BOB)], asked(TO_EVE, {"Principal": {"Service": SERVICE}}), KEY) == NONE
    with pytest.raises(pytest.fail.Exception):
        find_allowed([policy(TO_BOB)], asked(TO_EVE, TO_BOB), KEY)


# --------------------------------------------------------------------------------------------------------------- what is not allowed


@pytest.mark.parametrize(
    ("statements", "described", "grant", "found"),
    [
        ([{}], {}, "any", ("Proven",)),
        ([{}, {**DENY, "Action": "kms:Encrypt"}], {}, "any", (session("999999999999"), "kms:Encrypt", [], None)),
        ([TO_BOB], TO_BOB, "any", ("Proven",)),
        ([TO_BOB], TO_EVE, "any", (EVE, "kms:Decrypt", [], None)),
        ([TO_OWNER], {**TO_BOB, "Action": "kms:Decrypt"}, "any", ("Proven",)),
        ([TO_OWNER], {**TO_BOB, "Action": "kms:Decrypt"}, "direct", (BOB, "kms:Decrypt", [(0, 0)], "delegated")),
        ([TO_OWNER, TO_BOB], {**TO_BOB, "Action": "kms:Decrypt"}, "direct", ("Proven",)),
        ([{**TO_BOB, **if_("Null", "aws:UserAgent", "false")}, {**TO_BOB, **if_("Null", "aws:UserAgent", "true")}], TO_BOB, "any", ("Proven",)),
        ([{**TO_BOB, **if_("StringEquals", "aws:UserAgent", "x")}, {**TO_BOB, **if_("StringNotEquals", "aws:UserAgent", "x")}], TO_BOB, "any", ("Proven",)),
        ([{**TO_BOB, **if_("StringEquals", "aws:UserAgent", "x")}, {**TO_BOB, **if_("StringNotLike", "aws:UserAgent", "x*")}], TO_BOB, "any", (BOB, "kms:Decrypt", [], None)),
        ([], TO_BOB, "any", (BOB, "kms:Decrypt", [], None)),
    ],
)  # fmt: skip
def test_what_is_not_allowed(statements: list[Json], described: Json, grant: str, found: tuple[object, ...]) -> None:
    policies = [policy(*statements)]
    described_set = asked({"Action": "kms:Decrypt", **described} if described else {"Action": ["kms:Decrypt", "kms:Encrypt"]})
    answer = find_not_allowed(policies, described_set, KEY, grant=grant)
    assert kind(answer) == found
    assert kind(prove_all_allowed(policies, described_set, KEY, grant=grant)) == found
    if isinstance(answer, Proven):
        assert answer == NONE


def test_only_a_proof_has_a_certificate() -> None:
    proven = prove_none_allowed([policy(TO_BOB, DENY)], ALL, KEY)
    assert isinstance(proven, Proven)
    assert {step.why for step in proven.certificate} == {"reach", "deny"}
    assert {step.subject for step in proven.certificate} == {StatementRef(0, 0)}
    assert proven.assumptions == (D11,)
    whole = prove_all_allowed([policy({})], ALL, KEY)
    assert isinstance(whole, Proven)
    assert {(step.why, step.by, step.subject) for step in whole.certificate} == {("allow", StatementRef(0, 0), None)}
    assert find_allowed([policy(TO_BOB, DENY)], ALL, KEY) == NONE
    assert kind(prove_none_allowed([policy({"Action": "k*:Decrypt"})], ALL, KEY)) == ("Undetermined",)


# ------------------------------------------------------------------------------------------------------------------------ new access


@pytest.mark.parametrize(
    ("old", "new", "described", "found"),
    [
        ([[{}]], [[{}]], None, []),
        ([[TO_BOB]], [[TO_BOB, TO_EVE]], None, [((0, 1), (EVE, "kms:Decrypt", [(0, 1)], "direct"))]),
        ([[TO_BOB], [DENY]], [[DENY | TO_EVE], [TO_EVE, TO_BOB]], None, [((1, 1), (BOB, "kms:Decrypt", [(1, 1)], "direct"))]),
        ([[TO_OWNER]], [[TO_OWNER, TO_BOB]], None, [((0, 1), (BOB, "kms:Decrypt", [(0, 0), (0, 1)], "direct"))]),
        ([[TO_OWNER, TO_BOB]], [[TO_BOB, TO_OWNER]], None, []),
        ([[TO_OWNER, TO_BOB, {**DENY, "Action": "kms:Encrypt"}]], [[TO_BOB]], {"Action": "kms:Decrypt"}, []),
        ([[TO_OWNER, TO_BOB, {**DENY, "Action": "kms:Encrypt"}]], [[TO_BOB]], None, [((0, 0), (BOB, "kms:Encrypt", [(0, 0)], "direct"))]),
        ([[]], [[{"Action": "kms:Encrypt"}]], {"Action": "kms:Decrypt"}, []),
        ([[TO_BOB]], [[]], None, []),
        ([[{"Action": "k*:Decrypt"}]], [[{"Action": "kms:Decrypt"}]], None, [((0, 0), ("Undetermined",))]),
    ],
)  # fmt: skip
def test_what_is_newly_allowed(old: list[list[Json]], new: list[list[Json]], described: Json | None, found: list[object]) -> None:
    before, after = [policy(*one) for one in old], [policy(*one) for one in new]
    limits = None if described is None else asked(described)
    answers = find_new_access_by_statement(before, after, KEY, limits)
    assert [(tuple(ref), kind(answer)) for ref, answer in answers] == found
    whole = find_new_access(before, after, KEY, limits)
    assert whole == (answers[0][1] if answers else NONE)


def test_a_witness_of_one_statement_is_told_before_an_open_answer_of_another() -> None:
    answers = find_new_access_by_statement([policy()], [policy({"Action": "k*:Decrypt", **TO_EVE}, TO_BOB)], KEY)
    assert [type(answer) for _, answer in answers] == [Undetermined, Violated]
    assert find_new_access([policy()], [policy({"Action": "k*:Decrypt", **TO_EVE}, TO_BOB)], KEY) == answers[1][1]


# ------------------------------------------------------------------------------------------------------------- statements that matter


@pytest.mark.parametrize(
    ("statements", "at", "found"),
    [
        ([TO_BOB], 0, (BOB, "kms:Decrypt", [(1, 0)], "direct")),
        ([TO_BOB, {}], 0, ("Proven",)),
        ([TO_BOB, TO_OWNER], 0, (BOB, "kms:Decrypt", [(1, 0), (1, 1)], "direct")),
        ([TO_OWNER, TO_BOB], 0, (session(ACCOUNT), "kms:Decrypt", [(1, 0)], "delegated")),
        ([TO_BOB, DENY], 0, ("Proven",)),
        ([TO_BOB, DENY], 1, (BOB, "kms:Decrypt", [], None)),
        ([TO_BOB, {**DENY, **TO_EVE}], 1, ("Proven",)),
        ([TO_BOB, DENY, DENY], 1, ("Proven",)),
        ([TO_OWNER, {**TO_OWNER, "Action": "kms:*"}], 1, ("Proven",)),
        ([{"Action": "kms:Decrypt", "Effect": "Permit"}], 0, ("Undetermined",)),
        ([TO_BOB, {"Effect": "Permit"}], 1, ("Undetermined",)),
    ],
)  # fmt: skip
def test_whether_a_statement_matters(statements: list[Json], at: int, found: tuple[object, ...]) -> None:
    policies = [policy(DENY | {"Action": "kms:Sign"}), policy(*statements)]
    answer = is_inert(policies, StatementRef(1, at), KEY)
    assert kind(answer) == found
    if isinstance(answer, Violated):
        without = policies[1]._replace(statements=tuple(one for one in policies[1].statements if one.index != at))
        before, after = evaluate(policies, answer.witness), evaluate([policies[0], without], answer.witness)
        assert (before.decision, before.grant) != (after.decision, after.grant)


@pytest.mark.parametrize(
    ("statement", "described", "found"),
    [
        (DENY | TO_BOB, {}, (BOB, "kms:Decrypt", [(0, 1)], "direct")),
        (TO_OWNER, {}, (session(ACCOUNT), "kms:Decrypt", [(0, 1)], "delegated")),
        (TO_BOB, TO_EVE, ("Proven",)),
        (DENY | if_("Bool", "aws:SecureTransport", "false"), if_("Bool", "aws:SecureTransport", "true"), ("Proven",)),
        ({"Effect": "Permit", **TO_BOB}, {}, ("Undetermined",)),
    ],
)
def test_whether_a_statement_admits_anything_by_itself(statement: Json, described: Json, found: tuple[object, ...]) -> None:
    answer = find_applying([policy(DENY), policy({}, statement)], StatementRef(1, 1), asked(described), KEY)
    assert kind(answer) == found


# ----------------------------------------------------------------------------------------------------------------------- who may call


def test_every_class_that_may_call_is_listed_with_a_witness() -> None:
    whole = [policy(TO_BOB, {"Principal": {"Service": SERVICE}}, {**TO_EVE, "Action": "kms:Encrypt"}, TO_PARTNER, DENY | TO_EVE)]
    found = who(whole, "kms:Decrypt", KEY)
    assert [(one.label, one.kind, one.account, one.is_foreign, one.is_fresh) for one in found] == [
        (f"user {BOB}", "U", ACCOUNT, False, False),
        (f"another federated session of account {ACCOUNT}", "F", ACCOUNT, False, False),
        (f"another role session of account {PARTNER}", "R", PARTNER, True, False),
        (f"another user of account {PARTNER}", "U", PARTNER, True, False),
        (f"the root user of account {PARTNER}", "T", PARTNER, True, False),
        (f"another federated session of account {PARTNER}", "F", PARTNER, True, False),
        (f"the service {SERVICE}", "S", None, True, False),
        ("the service s3.us-east-1.amazonaws.com", "S", None, True, False),
    ]
    assert all(isinstance(one.answer, Violated) and one.answer.witness.action == "kms:Decrypt" for one in found[:-1])
    assert isinstance(found[-1].answer, Undetermined)
    assert [one.is_fresh for one in who([policy({})], "kms:Decrypt", KEY)][:4] == [True] * 4
    assert who([policy(DENY)], "kms:Decrypt", KEY) == ()


# ------------------------------------------------------------------------------------------------------- how a question is answered


def test_the_answer_of_a_union() -> None:
    request = Request(BOB, "kms:Decrypt", {}, KEY)
    violated, other = Violated(request), Violated(request._replace(action="kms:Encrypt"))
    first = Undetermined((Cause(INPUT, "a"), Cause(SYMBOL, "b")), request)
    second = Undetermined((Cause(SYMBOL, "b"), Cause(REGISTER, "c")), None)
    assert query._first([]) == NONE
    assert query._first([Proven(), Proven()]) == NONE
    assert query._first([Proven(), first, violated, other]) == violated
    assert query._first([first, Proven(), second]) == Undetermined((Cause(INPUT, "a"), Cause(SYMBOL, "b"), Cause(REGISTER, "c")), request)  # fmt: skip
    assert query._first([second, first]).candidate is None  # type: ignore[union-attr]


def test_a_search_without_work_left_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "Budget", lambda: Budget(0))
    barred = [policy(TO_BOB | if_("StringEquals", "aws:UserAgent", "x"), DENY | if_("StringLike", "aws:UserAgent", "x*"))]
    found = find_allowed(barred, ALL, KEY)
    assert isinstance(found, Undetermined)
    assert [cause.kind for cause in found.causes] == [BUDGET]
    assert found.candidate is None
    for other in (prove_none_allowed(barred, ALL, KEY), find_not_allowed(barred, asked(TO_BOB), KEY), is_inert(barred, StatementRef(0, 0), KEY)):  # fmt: skip
        assert isinstance(other, Undetermined)
    assert all(isinstance(one.answer, Undetermined) for one in who(barred, "kms:Decrypt", KEY))
    monkeypatch.undo()
    assert find_allowed(barred, ALL, KEY) == NONE


def test_statements_share_one_budget_a_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Budget] = []

    def make() -> Budget:
        made.append(Budget())
        return made[-1]

    monkeypatch.setattr(query, "Budget", make)
    four = [policy(TO_BOB, TO_EVE, TO_OWNER, TO_PARTNER)]
    assert len(find_allowed_by_statement(four, ALL, KEY)) == 4
    assert len(made) == 2
    assert len(find_new_access_by_statement([policy()], four, KEY)) == 4
    assert len(made) == 4


def test_a_witness_that_the_evaluator_does_not_confirm_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query._Allowed, "holds", lambda *_: None)
    with pytest.raises(InternalError, match=rf"a witness does not replay: {BOB} kms:Decrypt"):
        find_allowed([policy(TO_BOB)], ALL, KEY)


def test_a_plain_candidate_of_the_wide_reading_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    readings: list[bool] = []
    called = query.models

    def models(space: Any, goal: Any, *, may: bool, budget: Budget) -> Any:  # noqa: ANN401
        readings.append(may)
        return called(space, goal, may=may, budget=budget)

    monkeypatch.setattr(query, "models", models)
    assert kind(find_allowed([policy(TO_BOB)], ALL, KEY))[0] == BOB
    assert readings == [True]
    readings.clear()
    assert kind(find_allowed([policy(TO_BOB | if_("Bool", "aws:SecureTransport", "false"))], ALL, KEY)) == ("Undetermined",)
    assert readings == [True, False]


# ------------------------------------------------------------------------------------------------------- which candidates are usual

VPCE, IP, VIA, BY, CALLED = "aws:sourcevpce", "aws:sourceip", "aws:viaawsservice", "kms:viaservice", "aws:calledvia"
ORG, PATHS = "aws:principalorgid", "aws:principalorgpaths"


def request(context: dict[str, ContextValue], principal: str | None = BOB, action: str = "kms:Decrypt") -> Request:
    return Request(principal, action, context, KEY)


@pytest.mark.parametrize(
    ("context", "is_usual"),
    [
        ({}, True),
        ({"aws:useragent": "x"}, True),
        ({"aws:useragent": ""}, False),
        ({"kms:resourcealiases": frozenset({"alias/x"})}, False),
        ({"aws:securetransport": "true"}, True),
        ({"aws:securetransport": "false"}, False),
        ({ORG: "o-a"}, True),
        ({PATHS: frozenset({"o-a/r"})}, True),
        ({ORG: "o-a", PATHS: frozenset({"o-a/r", "o-a/s"})}, True),
        ({ORG: "o-a", PATHS: frozenset({"o-a/r", "o-ab/s"})}, False),
        ({ORG: "o-a", PATHS: frozenset({"o-a"})}, False),
        ({"aws:resourceorgid": "o-a", "aws:resourceorgpaths": frozenset({"o-b/r"})}, False),
        ({"aws:sourceorgid": "o-a", "aws:sourceorgpaths": frozenset({"o-b/r"})}, False),
        ({ORG: "o-a", PATHS: frozenset({"o-a/r"}), "aws:vpceorgid": "o-a", "aws:vpceorgpaths": frozenset({"o-b/"})}, False),
        ({ORG: "o-a", "aws:resourceorgpaths": frozenset({"o-b/r"})}, True),
        ({VIA: "true"}, True),
        ({VIA: "true", BY: SERVICE}, True),
        ({VIA: "false", BY: SERVICE}, False),
        ({VIA: "true", CALLED: frozenset({SERVICE})}, True),
        ({VIA: "false", CALLED: frozenset({SERVICE})}, False),
        ({VIA: "true", BY: SERVICE, IP: "10.0.0.1"}, False),
        ({VIA: "true", IP: "10.0.0.1"}, True),
        ({VIA: "false", IP: "10.0.0.1"}, True),
        ({BY: SERVICE, IP: "10.0.0.1"}, True),
        ({IP: "10.0.0.1"}, True),
        ({VPCE: "vpce-1"}, True),
        ({IP: "10.0.0.1", VPCE: "vpce-1"}, False),
        ({IP: "10.0.0.1", "aws:vpceorgid": "o-a"}, False),
        ({IP: "10.0.0.1", "aws:vpcsourceip": "10.0.0.1"}, False),
    ],
)
def test_a_usual_candidate_shows_no_value_that_only_the_wide_reading_explores(context: dict[str, ContextValue], is_usual: bool) -> None:  # fmt: skip
    assert query._is_usual(request(context)) is is_usual
    assert query._is_usual(request(context, action="kms:SynchronizeMultiRegionKey")) is False


@pytest.mark.parametrize(
    ("context", "is_usual"),
    [
        ({}, True),
        ({"aws:sourceaccount": ACCOUNT}, True),
        ({VPCE: "vpce-1"}, True),
        ({BY: SERVICE}, False),
        ({VIA: "true"}, False),
        ({CALLED: frozenset({SERVICE})}, False),
        ({IP: "10.0.0.1"}, False),
        ({"aws:tokenissuetime": "2026-01-01T00:00:00Z"}, False),
        ({"aws:securetransport": "false"}, False),
        ({ORG: "o-a", PATHS: frozenset({"o-b/r"})}, False),
    ],
)
def test_a_services_own_call_shows_nothing_of_how_it_came(context: dict[str, ContextValue], is_usual: bool) -> None:
    assert query._is_usual(request(context, SERVICE)) is is_usual


def test_a_call_by_nobody_is_usual_as_a_persons_is() -> None:
    assert query._is_usual(request({VIA: "true"}, None))


# --------------------------------------------------------------------------------------------------------- why an answer is open


@pytest.mark.parametrize(
    ("principal", "context", "point"),
    [
        (SERVICE, {}, 7),
        (SERVICE, {"aws:useragent": ""}, 7),
        (SERVICE, {"kms:viaservice": SERVICE}, 26),
        (SERVICE, {"aws:viaawsservice": "true"}, 26),
        (SERVICE, {"aws:calledviafirst": SERVICE}, 26),
        (SERVICE, {"aws:sourceip": "10.0.0.1"}, 7),
        (BOB, {"aws:useragent": "", "aws:sourceip": "10.0.0.1"}, 21),
        (BOB, {"aws:sourceip": "10.0.0.1"}, 24),
        (BOB, {"aws:viaawsservice": "true"}, 24),
        (None, {"aws:viaawsservice": "true"}, 24),
    ],
)
def test_an_unusual_candidate_names_the_point_that_no_source_settles(
    principal: str | None, context: dict[str, ContextValue], point: int
) -> None:
    assert query._unusual(request(context, principal)) == register_text(point)


def test_any_other_candidate_is_told_as_it_is() -> None:
    told = "a request that AWS is not known to make (kms:Decrypt with aws:principaltag/x, aws:useragent)"
    for principal in (BOB, None):
        assert query._unusual(request({"aws:useragent": "x", "aws:principaltag/x": "y"}, principal)) == told


@pytest.mark.parametrize(
    ("reason", "kind_"),
    [
        (register_text(7), REGISTER),
        ("UNSURE-99: x", REGISTER),
        ("the principal `${x}` could not be resolved", SYMBOL),
        ("see UNSURE-7", INPUT),
        ("`Extra` is no element of a statement", INPUT),
    ],
)
def test_the_kind_of_a_reason(reason: str, kind_: str) -> None:
    assert query._kind_of(reason) == kind_


def test_the_causes_of_a_candidate_are_what_the_evaluator_met() -> None:
    described = asked(if_("StringEquals", "no:such", "x"))
    found = find_allowed([policy(TO_BOB | {"Extra": 1}, {"Action": "k*:Decrypt", **DENY, **TO_EVE})], described, KEY)
    assert isinstance(found, Undetermined)
    assert found.causes == (Cause(INPUT, "`Extra` is no element of a statement"), Cause(REGISTER, register_text(4)))
    assert found.candidate is not None
    assert found.candidate.principal == BOB
    space = SimpleNamespace(described=(), policies=())
    check = SimpleNamespace(judged=([policy(TO_BOB | {"Extra": 1})], [policy(TO_BOB | {"Extra": 1}), policy(TO_BOB | {"Action": "k*:*"})]))  # fmt: skip
    causes = query._causes(space, check, request({}))  # type: ignore[arg-type]
    assert causes == (Cause(INPUT, "`Extra` is no element of a statement"), Cause(REGISTER, register_text(11)))
    assert query._causes(space, check, None) == ()  # type: ignore[arg-type]
    plain = SimpleNamespace(judged=([policy(TO_BOB)],))
    assert query._causes(space, plain, request({"aws:sourceip": "10.0.0.1"})) == (Cause(REGISTER, register_text(24)),)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------- what is only perhaps so

DOUBT, GRAMMAR = {"Extra": 1}, Cause(INPUT, "`Extra` is no element of a statement")
WIDE, PREFIX = {"Action": "k*:Decrypt"}, Cause(REGISTER, register_text(11))
ODD_ACTION = {"Action": "kms:SynchronizeMultiRegionKey"}


def may_allow(statements: list[Json], described: Json, grant: str) -> Answer:
    return find_allowed([policy(*statements)], asked({"Action": "kms:Decrypt", **described}), KEY, grant=grant)


def may_refuse(statements: list[Json], described: Json, grant: str) -> Answer:
    return find_not_allowed([policy(*statements)], asked({"Action": "kms:Decrypt", **described}), KEY, grant=grant)


@pytest.mark.parametrize(
    ("ask", "statements", "described", "grant", "causes"),
    [
        (may_allow, [TO_OWNER, TO_BOB | DOUBT], TO_BOB, "delegated", (GRAMMAR,)),
        (may_allow, [TO_OWNER], TO_BOB, "delegated", None),
        (may_allow, [TO_OWNER, TO_BOB | DOUBT | {"Action": "kms:Encrypt"}], TO_BOB, "delegated", None),
        (may_allow, [TO_OWNER, TO_EVE | DOUBT], TO_BOB, "delegated", None),
        (may_allow, [TO_OWNER, TO_OWNER | DOUBT], TO_BOB, "delegated", None),
        (may_allow, [TO_OWNER, TO_BOB | DOUBT], TO_BOB, "any", None),
        (may_allow, [TO_BOB], WIDE, "any", (PREFIX,)),
        (may_allow, [TO_BOB], ODD_ACTION, "any", (Cause(INPUT, "a request that AWS is not known to make (kms:SynchronizeMultiRegionKey with aws:principalaccount, aws:principalarn)"),)),
        (may_refuse, [TO_OWNER | DOUBT], TO_BOB, "any", (GRAMMAR,)),
        (may_refuse, [TO_OWNER | DOUBT], TO_BOB, "direct", None),
        (may_refuse, [TO_BOB | DOUBT], TO_BOB, "direct", (GRAMMAR,)),
        (may_refuse, [], TO_BOB | WIDE, "any", (PREFIX,)),
        (may_refuse, [], TO_BOB | ODD_ACTION, "any", (Cause(INPUT, "a request that AWS is not known to make (kms:SynchronizeMultiRegionKey with aws:principalaccount, aws:principalarn)"),)),
    ],
)  # fmt: skip
def test_what_only_may_be_so_is_left_open(ask: Any, statements: list[Json], described: Json, grant: str, causes: tuple[Cause, ...] | None) -> None:  # noqa: ANN401  # fmt: skip
    answer = ask(statements, described, grant)
    assert answer.causes == causes if isinstance(answer, Undetermined) else causes is None
    assert isinstance(answer, Undetermined | Violated)


@pytest.mark.parametrize(
    ("old", "new", "described", "open_"),
    [
        ([TO_OWNER, TO_BOB | DOUBT], [TO_OWNER, TO_BOB], {}, [((0, 1), (GRAMMAR,))]),
        ([TO_OWNER], [TO_OWNER, TO_BOB | DOUBT], {}, [((0, 1), (GRAMMAR,))]),
        ([TO_OWNER, TO_EVE | DOUBT], [TO_OWNER, TO_BOB], {}, [((0, 1), None)]),
        ([TO_OWNER, TO_BOB | DOUBT, DENY | TO_OWNER], [TO_OWNER, TO_BOB], {}, [((0, 0), None), ((0, 1), None)]),
        ([TO_OWNER, DENY | TO_BOB | DOUBT], [TO_OWNER, TO_BOB], TO_BOB, [((0, 0), (GRAMMAR,)), ((0, 1), None)]),
        ([], [TO_BOB], WIDE, [((0, 0), (PREFIX,))]),
    ],
)  # fmt: skip
def test_access_that_may_not_be_new_is_left_open(
    old: list[Json], new: list[Json], described: Json, open_: list[tuple[object, ...]]
) -> None:
    limits = asked({"Action": "kms:Decrypt", **described})
    found = find_new_access_by_statement([policy(*old)], [policy(*new)], KEY, limits)
    assert [(tuple(ref), answer.causes if isinstance(answer, Undetermined) else None) for ref, answer in found] == open_


@pytest.mark.parametrize(
    ("old", "newly", "strengthened"),
    [
        ([], True, True),
        ([TO_OWNER], False, True),
        ([TO_BOB], False, False),
        ([TO_BOB, DENY], True, True),
        ([TO_OWNER, TO_BOB | DOUBT], False, False),
        ([TO_OWNER | DOUBT], False, True),
    ],
)
def test_what_counts_as_new_beside_what_was(old: list[Json], newly: bool, strengthened: bool) -> None:
    space = Space([policy(*old), policy(TO_BOB)], ALL, KEY)
    checks = [query._NewlyAllowed(space, 1, strengthened=wanted) for wanted in (False, True)]
    assert [check.holds(request({})) is not None for check in checks] == [newly, strengthened]
    assert [check.holds(request({}, EVE)) for check in checks] == [None, None]


def test_an_unusual_candidate_is_not_laid_to_another_statement() -> None:
    both = [policy(TO_BOB | if_("Bool", "aws:SecureTransport", "false"), TO_BOB | DOUBT)]
    (_, first), (_, second) = find_allowed_by_statement(both, asked(TO_BOB), KEY)
    told = (
        "a request that AWS is not known to make (kms:Decrypt with aws:principalaccount, aws:principalarn, aws:securetransport)"
    )
    assert isinstance(first, Undetermined)
    assert isinstance(second, Undetermined)
    assert (first.causes, second.causes) == ((Cause(INPUT, told),), (GRAMMAR,))


@pytest.mark.parametrize(
    ("policies", "ref", "causes"),
    [
        ([[TO_BOB], [TO_BOB | DOUBT]], (0, 0), (GRAMMAR,)),
        ([[TO_BOB], [TO_EVE | DOUBT]], (0, 0), None),
        ([[TO_EVE], [TO_BOB], [TO_BOB | DOUBT]], (1, 0), (GRAMMAR,)),
        ([[TO_BOB | DOUBT, TO_OWNER]], (0, 0), (GRAMMAR,)),
        ([[TO_BOB, TO_OWNER | DOUBT]], (0, 0), None),
        ([[TO_BOB, TO_OWNER, TO_BOB | DOUBT]], (0, 0), (GRAMMAR,)),
        ([[TO_BOB, TO_OWNER, TO_EVE | DOUBT]], (0, 0), None),
        ([[TO_BOB | DOUBT, DENY]], (0, 1), (GRAMMAR,)),
        ([[TO_BOB, DENY | DOUBT]], (0, 1), (GRAMMAR,)),
    ],
)
def test_whether_it_matters_is_left_open_where_another_statement_may_do_the_same(
    policies: list[list[Json]], ref: tuple[int, int], causes: tuple[Cause, ...] | None
) -> None:
    answer = is_inert([policy(*one) for one in policies], StatementRef(*ref), KEY)
    assert isinstance(answer, Undetermined | Violated)
    assert (answer.causes if isinstance(answer, Undetermined) else None) == causes


@pytest.mark.parametrize("action", ["k*:Decrypt", "kms:SynchronizeMultiRegionKey"])
def test_who_may_call_an_action_that_is_not_settled_is_left_open(action: str) -> None:
    found = who([policy(TO_BOB, TO_EVE)], action, KEY)
    assert [one.account for one in found] == [ACCOUNT, ACCOUNT, PARTNER, PARTNER]
    assert {type(one.answer) for one in found} == {Undetermined}


def test_who_may_call_by_a_statement_that_is_not_settled_is_left_open() -> None:
    found = who([policy(TO_BOB | WIDE)], "kms:Decrypt", KEY)
    assert [type(one.answer) for one in found] == [Undetermined, Undetermined]
    assert who([policy(TO_BOB | WIDE)], "kms:Encrypt", KEY) == ()


def test_what_is_not_allowed_directly_may_be_allowed_all_the_same() -> None:
    answer = may_refuse([TO_OWNER | DOUBT], TO_BOB, "direct")
    assert isinstance(answer, Violated)
    assert (answer.statements, answer.grant) == ((), None)


# ------------------------------------------------------------------------------------------------ steps of conditions that never hold

NEVER = if_("ForAnyValue:Null", "aws:UserAgent", "true")


def test_a_condition_that_never_holds_is_a_step_of_its_statement() -> None:
    none = prove_none_allowed([policy(TO_BOB | NEVER)], asked(TO_BOB), KEY)
    assert isinstance(none, Proven)
    ours, theirs = StatementRef(0, 0), StatementRef(-1, 0)
    assert {(step.why, step.by, step.subject) for step in none.certificate} == {("reach", ours, ours), ("reach", theirs, ours)}
    assert BOB in {step.evidence.caller.principal for step in none.certificate if step.by == ours}  # type: ignore[attr-defined]
    every = prove_all_allowed([policy()], asked(TO_BOB | NEVER), KEY)
    assert isinstance(every, Proven)
    assert {(step.why, step.by, step.subject) for step in every.certificate} == {("reach", theirs, None)}
    assert BOB in {step.evidence.caller.principal for step in every.certificate}  # type: ignore[attr-defined]


# -------------------------------------------------------------------------------------------------- what is made of what is found


class Checking:
    """A check that confirms the requests of some actions."""

    def __init__(self, *confirmed: str, policies: tuple[Policy, ...] = ()) -> None:
        self.confirmed = confirmed
        self.judged = (policies,)

    def holds(self, one: Request) -> Evaluation | None:
        return Evaluation("allow", "direct", ((0, 3),), may=True, must=True) if one.action in self.confirmed else None


def made_of(monkeypatch: pytest.MonkeyPatch, wide: list[object], narrow: list[object], check: Checking) -> Answer:
    """The answer where the search finds these, in the wide and then in the narrow reading."""

    def models(space: object, goal: object, *, may: bool, budget: object) -> Any:  # noqa: ANN401
        yield from wide if may else narrow

    monkeypatch.setattr(query, "models", models)
    space = SimpleNamespace(described=(), policies=())
    return query._ask(space, lambda _: iter([None]), check)  # type: ignore[arg-type, list-item, return-value]


def found(action: str, **context: ContextValue) -> Found:
    return Found(request({f"aws:{name}": value for name, value in context.items()}, action=action))


NO_WORK, OTHER = Cause(BUDGET, "no work"), Cause(BUDGET, "other")
ONE, TWO, THREE = found("one"), found("two"), found("three")
ODD = found("odd", useragent="")
EMPTY = Cause(REGISTER, register_text(21))


def shown(one: Found) -> Violated:
    return Violated(one.request, (StatementRef(0, 3),), "direct")


@pytest.mark.parametrize(
    ("wide", "narrow", "confirmed", "answer"),
    [
        ([], [ONE], ("one",), NONE),
        ([ONE, TWO], [THREE], ("one", "two", "three"), shown(ONE)),
        ([ONE, TWO], [THREE], ("two", "three"), shown(TWO)),
        ([Open(NO_WORK), TWO], [THREE], ("two", "three"), shown(TWO)),
        ([ODD], [THREE], ("odd", "three"), shown(THREE)),
        ([ODD], [], ("odd",), Undetermined((EMPTY,), ODD.request)),
        ([ODD, ONE], [], (), Undetermined((EMPTY,), ODD.request)),
        ([Open(NO_WORK)], [], (), Undetermined((NO_WORK,), None)),
        ([Open(NO_WORK), Open(OTHER), Open(NO_WORK)], [], (), Undetermined((NO_WORK, OTHER), None)),
        ([Open(NO_WORK)], [Open(OTHER), THREE], ("three",), shown(THREE)),
        ([Open(NO_WORK), ODD], [Open(OTHER)], (), Undetermined((NO_WORK, OTHER, EMPTY), ODD.request)),
    ],
)
def test_what_is_made_of_what_the_search_finds(
    monkeypatch: pytest.MonkeyPatch, wide: list[object], narrow: list[object], confirmed: tuple[str, ...], answer: Answer
) -> None:
    assert made_of(monkeypatch, wide, narrow, Checking(*confirmed)) == answer


def test_a_narrow_candidate_that_is_not_confirmed_is_a_fault_unless_a_hole_explains_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InternalError, match=r"a witness does not replay: .*bob three \{\}"):
        made_of(monkeypatch, [ODD], [THREE], Checking())
    with pytest.raises(InternalError):
        made_of(monkeypatch, [ODD], [THREE], Checking(policies=(policy(TO_BOB | DOUBT),)))
    holed = policy(TO_BOB | {"Action": "*"})
    entry = (holed.statements[0].principals or ())[0]
    open_entry = entry._replace(value=Template((f"arn:aws:iam::{ACCOUNT}:user/", Symbol("x"))))
    holed = holed._replace(statements=(holed.statements[0]._replace(principals=(open_entry,)),))
    hole = Cause(SYMBOL, f"the principal `{open_entry.value}` could not be resolved")
    check = Checking("two", policies=(holed,))
    assert made_of(monkeypatch, [ODD], [THREE], check) == Undetermined((hole,), ODD.request)
    assert made_of(monkeypatch, [Open(NO_WORK)], [THREE, ONE], check) == Undetermined((NO_WORK, hole), THREE.request)
    assert made_of(monkeypatch, [Open(NO_WORK)], [THREE, TWO], check) == shown(TWO)


def test_the_owner_counts_where_he_is_known() -> None:
    nobodys = KeyContext(account=None, region="us-east-1", partition="aws", key_id=None)
    answer = find_allowed([policy(TO_OWNER)], asked({"Action": "kms:PutKeyPolicy"}), nobodys)
    assert answer == NONE
    assert kind(find_allowed([policy(TO_OWNER)], asked({"Action": "kms:PutKeyPolicy"}), KEY))[0] == OWNER_ROOT
