"""What is prepared of a statement once: whom and what it can match, its variables and atoms, and how much is remembered."""

from typing import Any

import pytest

from kmslint.policy.document import Principal, Statement
from kmslint.policy.principals import Match, match_principals
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import T
from kmslint.reason import actionset, statements
from kmslint.reason.answer import StatementRef
from kmslint.reason.callers import SERVICES, Names, names_in
from kmslint.reason.compile import Context, compile_condition
from kmslint.reason.statements import Numbered, of_policy, of_question
from kmslint.tree import Symbol, Template
from tests.oracle.bridge import ACCOUNT, key_of, policy_of, statements_of

KEY = key_of()
PARTNER = "444455556666"
SERVICE = "s3.amazonaws.com"
Json = dict[str, Any]


def all_of(*written: Json, version: str | None = "2012-10-17") -> tuple[Numbered, ...]:
    whole = [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", **one} for one in written]
    document = {"Statement": whole} if version is None else {"Version": version, "Statement": whole}
    return of_policy(3, policy_of(document))


def one(version: str | None = "2012-10-17", **written: Any) -> Numbered:  # noqa: ANN401 - an element of a statement
    return all_of(written, version=version)[0]


def context(kind: str = "R", **bindings: str | None) -> Context:
    return Context(kind, "arn:aws:iam::111122223333:role/x", bindings, KEY)


# ----------------------------------------------------------------------------------------------------------------- as numbered


def test_a_statement_knows_its_policy_and_its_place() -> None:
    first, second = all_of({}, {"Effect": "Deny"})
    assert (first.ref, second.ref) == (StatementRef(3, 0), StatementRef(3, 1))
    assert second.statement.effect == "Deny"
    assert second.policy.statements == (first.statement, second.statement)


def test_a_statement_of_a_question_has_no_place_in_any_policy() -> None:
    described = statements_of([{"Action": "kms:Decrypt"}, {"Action": "kms:Encrypt"}])
    first, second = of_question(described)
    assert (first.ref, second.ref) == (StatementRef(-1, 0), StatementRef(-1, 1))
    assert [each.statement for each in (first, second)] == [each._replace(index=-1) for each in described]
    assert first.has_variables
    assert first.policy.statements == ()


@pytest.mark.parametrize(("version", "has_variables"), [("2012-10-17", True), ("2008-10-17", False), (None, False)])
def test_variables_are_of_the_newer_version(version: str | None, has_variables: bool) -> None:
    written = one(version, Condition={"StringEquals": {"aws:UserAgent": ["${aws:username}-${AWS:UserName}", "${kms:KeySpec}"]}})
    assert written.has_variables is has_variables
    assert written.pivots == (("aws:username", "kms:keyspec") if has_variables else ())
    assert written.pivots is written.pivots


def test_variables_of_several_conditions_are_told_once_each_in_their_order() -> None:
    said = {"StringEquals": {"aws:UserAgent": "${kms:KeySpec}", "aws:PrincipalTag/t": ["${aws:username}", "${kms:KeySpec}"]}}
    assert one(Condition=said).pivots == ("kms:keyspec", "aws:username")
    assert one().pivots == ()


# ------------------------------------------------------------------------------------------------------------ actions and names


@pytest.mark.parametrize(
    ("written", "upper", "lower"),
    [
        ({"Action": "kms:Decrypt"}, ("Decrypt",), ("Decrypt",)),
        ({"Action": ["kms:Decrypt", "k*:Encrypt"]}, ("Decrypt", "Encrypt"), ("Decrypt",)),
        ({"Action": "kms:Decrypt", "Extra": 1}, ("Decrypt",), ()),
        ({"Action": "s3:*"}, (), ()),
    ],
)
def test_the_actions_of_a_statement_in_each_reading(written: Json, upper: tuple[str, ...], lower: tuple[str, ...]) -> None:
    for first in (True, False):
        each = one(**written)
        assert actionset.names(each.actions(upper=first)) == (upper if first else lower)
        assert actionset.names(each.actions(upper=not first)) == (lower if first else upper)
        assert actionset.names(each.actions(upper=first)) == (upper if first else lower)


def test_actions_and_names_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    masks: list[bool] = []
    named: list[Statement] = []

    def mask(statement: Statement, *, upper: bool) -> int:
        masks.append(upper)
        return actionset.mask(statement, upper=upper)

    def names(statement: Statement) -> Names:
        named.append(statement)
        return names_in(statement)

    monkeypatch.setattr(statements, "actionset", type("Counted", (), {"mask": staticmethod(mask)}))
    monkeypatch.setattr(statements, "names_in", names)
    each = one(Principal={"AWS": ACCOUNT})
    assert each.actions(upper=True) == each.actions(upper=True) == actionset.ALL
    assert masks == [True]
    assert each.actions(upper=False) == each.actions(upper=False) == actionset.ALL
    assert masks == [True, False]
    assert each.names is each.names
    assert each.names.accounts == (ACCOUNT,)
    assert named == [each.statement]


ROLE, STS = f"arn:aws:iam::{ACCOUNT}:role/x", f"arn:aws:sts::{PARTNER}:assumed-role/x/s"


@pytest.mark.parametrize(
    ("written", "groups"),
    [
        ({"Principal": "*"}, None),
        ({"Principal": {"AWS": "*"}}, None),
        ({"Principal": {"AWS": ACCOUNT}}, (ACCOUNT,)),
        ({"Principal": {"AWS": [STS, ROLE, f"arn:aws:iam::{ACCOUNT}:root"]}}, (PARTNER, ACCOUNT)),
        ({"Principal": {"AWS": [ACCOUNT, "AIDACKCEVSQ6C2EXAMPLE"]}}, None),
        ({"Principal": {"AWS": [ACCOUNT, "*"]}}, None),
        ({"Principal": {"Service": SERVICE}}, (SERVICES,)),
        ({"Principal": {"Service": [SERVICE, "logs.amazonaws.com"], "AWS": ACCOUNT}}, (SERVICES, ACCOUNT)),
        ({"Principal": {"AWS": ACCOUNT, "Service": SERVICE}}, (ACCOUNT, SERVICES)),
        ({"Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/x"}}, None),
        ({"Principal": {"Federated": ACCOUNT}}, None),
        ({"Principal": {"CanonicalUser": ACCOUNT}}, None),
        ({"NotPrincipal": {"AWS": ACCOUNT}, "Principal": None}, None),
        ({"Principal": None}, ()),
    ],
)
def test_the_groups_of_callers_that_a_principal_can_match(written: Json, groups: tuple[str, ...] | None) -> None:
    whole = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", **written}
    each = of_policy(0, policy_of({"Statement": [{name: value for name, value in whole.items() if value is not None}]}))[0]
    assert (None if each.groups is None else tuple(each.groups)) == groups
    assert each.groups is each.groups


@pytest.mark.parametrize(
    ("written", "is_for_all"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": [ACCOUNT, "*"]}}, True),
        ({"Principal": {"Service": "*"}}, False),
        ({"Principal": {"Federated": "*"}}, False),
        ({"Principal": {"CanonicalUser": "*"}}, False),
        ({"Principal": {"AWS": ACCOUNT}}, False),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/*"}}, False),
        ({"NotPrincipal": "*", "Principal": None}, False),
        ({"NotPrincipal": {"AWS": "*"}, "Principal": None}, False),
        ({"NotPrincipal": {"AWS": ACCOUNT}, "Principal": None}, False),
        ({"Principal": None}, False),
    ],
)
def test_a_statement_is_for_everybody_or_has_to_be_matched(written: Json, is_for_all: bool) -> None:
    whole = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", **written}
    each = of_policy(0, policy_of({"Statement": [{name: value for name, value in whole.items() if value is not None}]}))[0]
    assert each.is_for_all is is_for_all
    for caller in (f"arn:aws:iam::{PARTNER}:user/x", SERVICE):
        match = match_principals(each.statement, Request(caller, "kms:Decrypt", {}, KEY), lean=False)
        assert not is_for_all or match == Match(T)


@pytest.mark.parametrize(
    ("kind", "parts", "groups"),
    [
        ("AWS", (f"arn:aws:iam::{ACCOUNT}:role/", Symbol("x")), (PARTNER, ACCOUNT)),
        ("AWS", ("arn:aws:iam::", Symbol("x"), ":root"), None),
        ("Service", (f"arn:aws:iam::{ACCOUNT}:role/", Symbol("x")), None),
        ("Federated", (f"arn:aws:iam::{ACCOUNT}:role/", Symbol("x")), None),
    ],
)
def test_the_groups_of_a_principal_with_a_hole(
    kind: str, parts: tuple[str | Symbol, ...], groups: tuple[str, ...] | None
) -> None:
    known = one(Principal={"AWS": PARTNER})
    entries = known.statement.principals or ()
    entry = Principal(kind, Template(parts), entries[0].node)
    each = Numbered(known.ref, known.statement._replace(principals=(*entries, entry)), known.policy)
    assert (None if each.groups is None else tuple(each.groups)) == groups
    first = Numbered(known.ref, known.statement._replace(principals=(entry, *entries)), known.policy)
    assert first.groups == each.groups


# ------------------------------------------------------------------------------------------------------------------------ atoms

SAID = {
    "StringEquals": {"aws:UserAgent": "${aws:username}", "aws:PrincipalTag/t": "x"},
    "Bool": {"aws:PrincipalIsAWSService": "true"},
}


class Compiling:
    """Counts what is compiled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        monkeypatch.setattr(statements, "compile_condition", self)

    def __call__(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - those of compile_condition
        self.count += 1
        return compile_condition(*arguments, **more)


CONTEXTS = [
    context(kind, **bindings)
    for kind in ("R", "S")
    for bindings in ({}, {"aws:username": "bob"}, {"aws:username": None}, {"aws:username": "eve", "kms:keyspec": "z"})
]


def test_an_atom_is_compiled_once_for_what_it_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    compiling, each = Compiling(monkeypatch), one(Condition=SAID)
    asked = [
        (place, condition, seen, upper)
        for place, condition in enumerate(each.statement.conditions)
        for seen in CONTEXTS
        for upper in (True, False)
    ]
    first = [each.atom(place, condition, seen, upper=upper) for place, condition, seen, upper in asked]
    assert compiling.count == 4 * 2 * 2 + 2 * 2 + 2 * 2  # the bindings matter to the first condition alone
    again = [each.atom(place, condition, seen, upper=upper) for place, condition, seen, upper in asked]
    assert compiling.count == 24
    assert all(one is other for one, other in zip(first, again, strict=True))
    alone = [compile_condition(c, each.statement, True, seen, upper=upper) for _, c, seen, upper in asked]
    assert first == alone


def test_variables_of_the_older_version_bind_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    compiling, each = Compiling(monkeypatch), one("2008-10-17", Condition=SAID)
    found = {each.atom(0, each.statement.conditions[0], seen, upper=True) for seen in CONTEXTS[:4]}
    assert (compiling.count, len(found)) == (1, 1)


def test_a_full_memory_of_atoms_changes_nothing_but_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    assert statements.MAX_ATOMS == 4_096
    monkeypatch.setattr(statements, "MAX_ATOMS", 2)
    compiling, each = Compiling(monkeypatch), one(Condition=SAID)
    conditions = each.statement.conditions
    asked = [each.atom(place, conditions[place], context(), upper=True) for place in (0, 1, 2, 0, 1, 2, 2)]
    assert compiling.count == 3 + 2  # the third is compiled anew each time
    assert asked == [compile_condition(conditions[place], each.statement, True, context(), upper=True) for place in (0, 1, 2, 0, 1, 2, 2)]  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------- what is remembered


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[int, int], object]:
    """An empty memory in the place of the one that all share."""
    memory: dict[tuple[int, int], object] = {}
    monkeypatch.setattr(statements, "_PREPARED", memory)
    return memory


def test_the_same_policy_at_the_same_place_is_prepared_once(prepared: dict[tuple[int, int], object]) -> None:
    policy = policy_of({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]})
    same = policy._replace()
    assert of_policy(0, policy) is of_policy(0, policy)
    assert of_policy(0, policy) is not of_policy(0, same)
    assert of_policy(1, policy)[0].ref == StatementRef(1, 0)
    assert len(prepared) == 3
    described = statements_of([{"Action": "kms:*"}])
    assert of_question(described) is of_question(described)
    assert of_question(list(described)) is not of_question(described)
    assert len(prepared) == 5


def test_the_memory_of_policies_is_bounded(monkeypatch: pytest.MonkeyPatch, prepared: dict[tuple[int, int], object]) -> None:
    assert statements.MAX_PREPARED == 512
    monkeypatch.setattr(statements, "MAX_PREPARED", 2)
    sizes = []
    policies = [policy_of({"Statement": [{"Effect": "Allow", "Action": f"kms:{n}"}]}) for n in range(5)]
    for policy in policies:
        assert of_policy(0, policy)[0].statement == policy.statements[0]
        sizes.append(len(prepared))
    assert sizes == [1, 2, 1, 2, 1]
    assert of_policy(0, policies[-1]) is of_policy(0, policies[-1])


def test_a_key_in_another_account_is_no_part_of_what_is_remembered() -> None:
    """The memory is of the statement alone: an atom never tells whose key it was asked about."""
    each = one(Condition=SAID)
    condition = each.statement.conditions[1]
    here = each.atom(1, condition, context(), upper=True)
    assert each.atom(1, condition, context()._replace(key=KeyContext()), upper=True) is here
