"""The search cell by cell: whom it leaves out at once, what it splits, which steps of a proof it notes, and where it stops."""

from collections import Counter
from typing import Any

import pytest

from kmslint.policy.document import Policy
from kmslint.reason import actionset, cells, certificate
from kmslint.reason.answer import BUDGET, Cause, Proven, StatementRef, Undetermined, Violated
from kmslint.reason.callers import FRESH, SERVICES, Caller
from kmslint.reason.cells import Cell, Found, Goal, Open, models
from kmslint.reason.modes import Mode
from kmslint.reason.query import _allowing, find_allowed, find_not_allowed, prove_none_allowed
from kmslint.reason.search import Model, Problem, Search
from kmslint.reason.space import Space
from kmslint.reason.strings import Budget
from tests.oracle.bridge import ACCOUNT, key_of, policy_of, statements_of

KEY = key_of()
PARTNER = "444455556666"
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
Json = dict[str, Any]
DENY = {"Effect": "Deny"}
TO_BOB = {"Principal": {"AWS": BOB}}


def policy(*statements: Json) -> Policy:
    whole = [{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", **one} for one in statements]
    return policy_of({"Version": "2012-10-17", "Statement": whole})


def if_(operator: str, key: str, value: object) -> Json:
    return {"Condition": {operator: {key: value}}}


def space_of(*statements: Json, described: Json | None = None) -> Space:
    asked = statements_of([{"Principal": "*", "Action": "kms:Decrypt", **(described or {})}])
    return Space([policy(*statements)], asked, KEY)


def goal_of(space: Space, *, may: bool) -> Goal:
    return next(_allowing(space, space.allows()[0], "any")(may))


# --------------------------------------------------------------------------------------------------- a statement in one cell


def cell(space: Space, caller: Caller, *, may: bool = True, action: str = "Decrypt") -> Cell:
    bit = 1 << actionset.NAMES.index(action)
    return Cell(space, caller, action, bit, {}, may, bit, Mode(), StatementRef(0, 0))


AGENT = if_("StringEquals", "aws:UserAgent", "x")


def test_what_a_statement_demands_in_a_cell() -> None:
    space = space_of({}, TO_BOB, AGENT, {"Action": "kms:Encrypt"}, {"Extra": 1}, {"Action": "k*:Decrypt"}, if_("NoSuchOperator", "aws:UserAgent", "x"))  # fmt: skip
    stranger = cell(space, space.callers.of(FRESH)[0])

    def demanded(*, upper: bool) -> list[list[str] | None]:
        found = [stranger.atoms(one, upper=upper) for one in space.statements]
        return [None if atoms is None else [atom.key for atom in atoms] for atoms in found]

    assert demanded(upper=True) == [[], None, ["aws:useragent"], None, [], [], []]
    assert demanded(upper=False) == [[], None, ["aws:useragent"], None, None, None, None]


@pytest.mark.parametrize(("effect", "why"), [("Allow", "allow"), ("Deny", "deny"), ("Permit", "deny")])
def test_a_statement_that_applies_to_all_is_a_step_where_a_certificate_is_wanted(effect: str, why: str) -> None:
    space = space_of(TO_BOB, AGENT, {"Effect": effect}, AGENT)
    stranger = space.callers.of(FRESH)[0]
    one = cell(space, stranger)
    assert [len(clause) for clause in one.refuted(space.statements[:2], upper=True) or ()] == [1]
    assert one.refuted((), upper=True) == []
    assert one.refuted(space.statements, upper=True) is None
    assert space.steps is None
    space.steps = []
    assert cell(space, stranger, may=False).refuted(space.statements, upper=True) is None
    assert space.steps == []
    assert one.refuted(space.statements, upper=True) is None
    (step,) = space.steps
    evidence = certificate.Evidence(stranger, ("Decrypt",), Mode(), (), ())
    assert (step.why, step.by, step.subject, step.evidence) == (why, StatementRef(0, 2), StatementRef(0, 0), evidence)


def test_a_clause_says_that_one_condition_of_a_statement_fails() -> None:
    both = {"Condition": {"StringEquals": {"aws:UserAgent": "x", "aws:Referer": "y"}}}
    space = space_of(both)
    one = cell(space, space.callers.of(FRESH)[0])
    atoms = one.atoms(space.statements[0], upper=True)
    assert atoms is not None
    assert one.refuted(space.statements, upper=True) == [tuple(atom.negated() for atom in atoms)]


# ------------------------------------------------------------------------------------------------------ whom it leaves out at once


def built(monkeypatch: pytest.MonkeyPatch, *statements: Json, described: Json | None = None) -> tuple[str, tuple[str, ...]]:
    """The answer, and the groups of callers that were looked at."""
    seen: list[str] = []
    space = space_of(*statements, described=described)
    called = type(space.callers).of

    def of(self: Any, group: str) -> Any:  # noqa: ANN401
        seen.append(group)
        return called(self, group)

    with monkeypatch.context() as patch:
        patch.setattr(type(space.callers), "of", of)
        asked = statements_of([{"Principal": "*", "Action": "kms:Decrypt", **(described or {})}])
        answer = find_allowed([policy(*statements)], asked, KEY, grant="any")
    return type(answer).__name__, tuple(seen)


NOT_FOREIGN = DENY | if_("StringNotEquals", "aws:PrincipalAccount", ACCOUNT)
EVERYBODY = (FRESH, ACCOUNT, PARTNER, SERVICES)
PARTNERS = {"Principal": {"AWS": [ACCOUNT, PARTNER]}}


@pytest.mark.parametrize(
    ("statements", "found", "groups"),
    [
        ([{}, DENY], "Proven", ()),
        ([{}, DENY | {"Extra": 1}], "Undetermined", (FRESH, ACCOUNT, SERVICES)),
        ([{}, DENY | {"Action": "k*:Decrypt"}], "Undetermined", (FRESH, ACCOUNT, SERVICES)),
        ([{}, DENY | {"Action": "kms:D*"}], "Proven", ()),
        ([{}, DENY | {"Action": "kms:Encrypt"}], "Violated", (FRESH,)),
        ([{}, DENY | {"Resource": "arn:aws:kms:*:*:key/*"}], "Undetermined", (FRESH, ACCOUNT, SERVICES)),
        ([{}, DENY | {"Principal": {"AWS": ACCOUNT}}], "Violated", (FRESH,)),
        ([PARTNERS, DENY | PARTNERS], "Proven", ()),
        ([PARTNERS, DENY | {"Principal": {"AWS": PARTNER}}, DENY | {"Principal": {"AWS": ACCOUNT}}], "Proven", ()),
        ([PARTNERS, NOT_FOREIGN], "Violated", (ACCOUNT,)),
        ([PARTNERS, NOT_FOREIGN, DENY | TO_BOB | {"Action": "kms:*"}, DENY | {"Principal": {"AWS": ACCOUNT}}], "Proven", ()),
        ([{}, NOT_FOREIGN, DENY | {"Principal": {"AWS": ACCOUNT}}], "Proven", (SERVICES,)),
        ([{"Action": "k*:Decrypt"}, DENY], "Proven", ()),
        ([TO_BOB | {"Extra": 1}, DENY | PARTNERS], "Proven", ()),
        ([{} | if_("StringEqual", "aws:PrincipalAccount", ACCOUNT), DENY | PARTNERS], "Undetermined", (FRESH, SERVICES, SERVICES)),
    ],
)  # fmt: skip
def test_groups_that_a_deny_covers_or_that_a_statement_leaves_out_are_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, statements: list[Json], found: str, groups: tuple[str, ...]
) -> None:
    assert built(monkeypatch, *statements) == (found, groups)


def test_a_question_about_other_actions_looks_at_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert built(monkeypatch, {"Action": "kms:Encrypt"}) == ("Proven", ())
    assert built(monkeypatch, {}, described={"Action": "s3:*"}) == ("Proven", ())


def test_a_certificate_looks_at_everybody() -> None:
    space = space_of(PARTNERS, DENY)
    goal = goal_of(space, may=True)
    assert list(models(space, goal, may=True, budget=Budget())) == []
    space.steps = []
    assert list(models(space, goal, may=True, budget=Budget())) == []
    reached = [step.evidence.caller for step in space.steps]  # type: ignore[attr-defined]
    assert set(reached) == set(space.callers)
    counts = Counter(step.why for step in space.steps)
    assert counts == {"reach": len(space.callers.of(FRESH)) + len(space.callers.of(SERVICES)), "deny": len(space.callers.of(ACCOUNT)) + len(space.callers.of(PARTNER))}  # fmt: skip


# -------------------------------------------------------------------------------------------------------- the steps of a proof

CONTRARY = if_("StringEquals", "aws:UserAgent", "y")


@pytest.mark.parametrize(
    ("statements", "described", "why"),
    [([{}, DENY], {}, "deny"), ([TO_BOB], {"Principal": {"AWS": PARTNER}}, "reach"), ([AGENT], CONTRARY, "conditions")],
)
def test_a_certificate_has_room_for_so_many_steps(
    monkeypatch: pytest.MonkeyPatch, statements: list[Json], described: Json, why: str
) -> None:
    asked = statements_of([{"Principal": "*", "Action": "kms:Decrypt", **described}])
    whole = prove_none_allowed([policy(*statements)], asked, KEY)
    assert isinstance(whole, Proven)
    assert {step.why for step in whole.certificate} - {"reach"} == {why} - {"reach"}
    total = len(whole.certificate)
    assert total > 4
    for room in (0, 1, 4, total, total + 1):
        monkeypatch.setattr(certificate, "MAX_STEPS", room)
        assert prove_none_allowed([policy(*statements)], asked, KEY) == whole._replace(certificate=whole.certificate[:room])


@pytest.mark.parametrize(("statements", "described"), [([{}, DENY], {}), ([TO_BOB], {"Principal": {"AWS": PARTNER}}), ([AGENT], CONTRARY)])  # fmt: skip
def test_only_the_wide_reading_notes_steps(statements: list[Json], described: Json) -> None:
    space = space_of(*statements, described=described)
    for may, noted in ((False, False), (True, True)):
        space.steps = []
        assert list(models(space, goal_of(space, may=may), may=may, budget=Budget())) == []
        assert bool(space.steps) == noted


def test_a_step_of_conditions_names_its_core_and_its_case() -> None:
    statements = [{"Condition": {"StringEquals": {"aws:UserAgent": "x", "aws:Referer": "r"}}}]
    asked = statements_of([{"Principal": {"AWS": BOB}, "Action": ["kms:Decrypt", "kms:Encrypt"], **CONTRARY}])
    proven = prove_none_allowed([policy(*statements)], asked, KEY, grant="any")
    assert isinstance(proven, Proven)
    steps = [step for step in proven.certificate if step.why == "conditions"]
    assert {step.core for step in steps} == {("the question: StringEquals aws:UserAgent [y]", "statement 0: StringEquals aws:UserAgent [x]")}  # fmt: skip
    for step in steps:
        assert isinstance(step.evidence, certificate.Evidence)
        assert step.evidence.actions == ("Decrypt",)
        assert [atom.key for atom in step.evidence.units] == ["aws:useragent"] * 2
        assert step.evidence.clauses == ()
        assert step.subject == StatementRef(0, 0)


# ------------------------------------------------------------------------------------------------------------ where it is split


def calls(monkeypatch: pytest.MonkeyPatch, *names: str) -> Counter[str]:
    counts: Counter[str] = Counter()

    def counted(name: str) -> Any:  # noqa: ANN401
        called = getattr(cells, name)

        def count(*of: Any, **more: Any) -> Any:  # noqa: ANN401
            counts[name] += 1
            return called(*of, **more)

        return count

    for name in names:
        monkeypatch.setattr(cells, name, counted(name))
    return counts


def test_cases_are_made_once_for_each_kind_of_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = calls(monkeypatch, "base_modes", "_split_of")
    space = space_of(AGENT, described=CONTRARY)
    assert list(models(space, goal_of(space, may=True), may=True, budget=Budget())) == []
    assert len(list(space.callers)) > 5
    assert counts == {"base_modes": 5, "_split_of": 1}
    counts.clear()
    blocked = space_of(TO_BOB, described={"Principal": {"AWS": f"{BOB}by"}})
    assert list(models(blocked, goal_of(blocked, may=True), may=True, budget=Budget())) == []
    assert counts == {}


def test_one_model_is_enough_for_a_caller_and_a_group_of_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first case that has a model ends the search there: over the internet before through an endpoint."""
    searched: list[str] = []
    called = Search.model

    def model(self: Search, problem: Problem) -> Model | None:
        searched.append(self._domains.mode.label)
        return called(self, problem)

    monkeypatch.setattr(Search, "model", model)
    network = {"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}, "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
    space = space_of(TO_BOB | network)
    found = list(models(space, goal_of(space, may=False), may=False, budget=Budget()))
    assert [type(one) for one in found] == [Found, Found]  # the user, and a federated session of that user
    assert searched == ["over the internet"] * 2
    searched.clear()
    endpoint = {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}, "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
    through = space_of(TO_BOB | endpoint)
    (first, _) = models(through, goal_of(through, may=False), may=False, budget=Budget())
    assert isinstance(first, Found)
    assert first.request.context.get("aws:sourcevpce") == "vpce-1"
    assert searched[:2] == ["over the internet", "through a VPC endpoint"]


def test_actions_that_a_statement_tells_apart_are_searched_apart() -> None:
    space = space_of({"Action": "kms:*", **TO_BOB}, DENY | {"Action": "kms:Decrypt", **AGENT}, described={"Action": ["kms:Decrypt", "kms:Encrypt", "kms:Sign"]})  # fmt: skip
    found = [one.request for one in models(space, goal_of(space, may=True), may=True, budget=Budget()) if isinstance(one, Found)]
    users = [one.action for one in found if one.principal == BOB]
    assert users == ["kms:Decrypt", "kms:Encrypt"]


def test_actions_that_only_one_reading_tells_apart_are_searched_apart() -> None:
    space = space_of({"Action": "kms:*", **TO_BOB}, DENY | {"Action": ["k*:Sign", "kms:Encrypt"], **AGENT}, described={"Action": ["kms:Decrypt", "kms:Encrypt", "kms:Sign"]})  # fmt: skip
    for may in (True, False):
        found = [one.request for one in models(space, goal_of(space, may=may), may=may, budget=Budget()) if isinstance(one, Found)]  # fmt: skip
        assert [one.action for one in found if one.principal == BOB] == ["kms:Decrypt", "kms:Encrypt", "kms:Sign"]


# ------------------------------------------------------------------------------------------------------------------ where it stops


def test_a_cell_that_needs_more_work_than_is_left_is_open() -> None:
    space = space_of(TO_BOB | AGENT, DENY | if_("StringLike", "aws:UserAgent", "x*"))
    found = list(models(space, goal_of(space, may=True), may=True, budget=Budget(0)))
    assert {type(one) for one in found} == {Open}
    assert [one.cause.kind for one in found if isinstance(one, Open)] == [BUDGET] * len(found)
    assert list(models(space, goal_of(space, may=True), may=True, budget=Budget())) == []


def test_too_many_values_of_variables_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = calls(monkeypatch, "Search")
    tag = "aws:PrincipalTag/"
    same = [TO_BOB | if_("StringEquals", f"{tag}a", f"${{{tag}b}}")]
    asked = statements_of([{"Principal": {"AWS": BOB}, "Action": "kms:Decrypt", "Condition": {"StringEquals": {f"{tag}a": "x", f"{tag}b": "y"}}}])  # fmt: skip
    assert isinstance(find_allowed([policy(*same)], asked, KEY), Proven)
    assert searched["Search"] == 2 * (1 + 4 + 1)  # absent, new, x, y, empty
    searched.clear()
    monkeypatch.setattr(cells, "MAX_BINDINGS", 3)
    found = find_allowed([policy(*same)], asked, KEY)
    assert isinstance(found, Undetermined)
    assert found.causes == (Cause(BUDGET, "the policy variable `${aws:principaltag/b}` was not eliminated"),)
    assert searched["Search"] == 2 * 2


def test_values_that_are_only_guesses_still_make_a_witness() -> None:
    tag = "aws:PrincipalTag/"
    like = [TO_BOB | if_("StringLike", f"{tag}a", f"${{{tag}b}}*"), DENY | if_("StringNotEquals", f"{tag}a", "xy")]
    asked = statements_of([{"Principal": {"AWS": BOB}, "Action": "kms:Decrypt", "Condition": {"StringEquals": {f"{tag}b": "x"}}}])
    found = find_allowed([policy(*like)], asked, KEY)
    assert isinstance(found, Violated)
    assert found.witness.context.items() >= {"aws:principaltag/a": "xy", "aws:principaltag/b": "x"}.items()


def test_a_free_variable_allows_all_when_looking_for_what_is_not_allowed() -> None:
    """What the variable is decides whether the Allow applies, so each of its values has to be tried."""
    tag = "aws:PrincipalTag/a"
    allows = [TO_BOB | if_("StringEquals", "aws:ResourceTag/r", f"${{{tag}}}"), TO_BOB | if_("StringNotEquals", "aws:ResourceTag/r", f"${{{tag}}}")]  # fmt: skip
    asked = statements_of([{"Principal": {"AWS": BOB}, "Action": "kms:Decrypt", **if_("Null", tag, "false")}])
    tagged = KEY._replace(tags=(("r", "b"),))
    assert isinstance(find_not_allowed([policy(*allows)], asked, tagged), Proven)
    one = find_not_allowed([policy(*allows[:1])], asked, tagged)
    assert isinstance(one, Violated)
    assert one.witness.context.get(tag.lower()) != "b"
