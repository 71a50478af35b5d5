"""A check that looks at values passes none that it cannot see: where some text for a hole would fail, the answer is open."""

from typing import Any

import pytest

from kmslint.engine.assess import assess_rule
from kmslint.engine.finding import FAIL, UNDETERMINED
from kmslint.engine.loader import load_rules
from kmslint.model.settings import Settings
from kmslint.tree import Symbol, Template
from tests.unit.engine.test_predicates import OWNER, ROOT, STRANGER, allow, ask, document, key_with

HOLE = Symbol("var.x")
WHOLE = Template((HOLE,))
ROLE = f"arn:aws:iam::{OWNER}:role/App"
KEYED = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}


def within(*parts: str | Symbol) -> Template:
    return Template(parts)


CASES: list[tuple[str, str, dict[str, Any], str]] = [
    # check, what it is about, the policy with its hole, a text for the hole with which it fails
    ("invalid_principal", "a whole principal", document(allow({"AWS": WHOLE}, "kms:Decrypt")), "nobody"),
    ("invalid_principal", "a whole service", document(allow({"Service": WHOLE}, "kms:Decrypt")), "nobody"),
    ("invalid_principal", "the start of an ARN", document(allow({"AWS": within(HOLE, ":role/App")}, "kms:Decrypt")), "arn"),
    ("orphaned_principal", "a whole principal", document(allow({"AWS": WHOLE}, "kms:Decrypt")), "AIDACKCEVSQ6C2EXAMPLE"),
    (
        "orphaned_principal",
        "the end of an id",
        document(allow({"AWS": within("AROA", HOLE)}, "kms:Decrypt")),
        "CKCEVSQ6C2EXAMPLE",
    ),
    ("unknown_action", "an action", document(allow({"AWS": ROLE}, ["kms:Decrypt", WHOLE])), "kms:Nothing"),
    ("ineffective_action", "an action", document(allow({"AWS": ROLE}, [within("kms:", HOLE)])), "ListKeys"),
    (
        "negated_allow",
        "an exempt principal",
        document({"Effect": "Deny", "NotPrincipal": {"AWS": [WHOLE]}, "Action": "kms:*", "Resource": "*"}),
        ROLE,
    ),
    (
        "negated_allow",
        "an exempt principal of an account that is not exempt",
        document(
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": [within(f"arn:aws:iam::{OWNER}:role/", HOLE), STRANGER]},
                "Action": "kms:*",
                "Resource": "*",
            }
        ),
        "App",
    ),
    (
        "shadowed_statement",
        "whom both statements name",
        document(allow({"AWS": WHOLE}, "kms:Decrypt", KEYED), allow({"AWS": WHOLE}, "kms:Decrypt")),
        ROLE,
    ),
    (
        "shadowed_statement",
        "whom the broader statement names",
        document(allow({"AWS": ROLE}, "kms:Decrypt", KEYED), allow({"AWS": WHOLE}, "kms:Decrypt")),
        ROLE,
    ),
    (
        "bad_via_service_value",
        "a service",
        document(allow({"AWS": ROLE}, "kms:Decrypt", {"StringEquals": {"kms:ViaService": within(HOLE, ".amazonaws.com")}})),
        "s3",
    ),
    (
        "operator_type_mismatch",
        "a number",
        document(allow({"AWS": ROLE}, "kms:*", {"NumericLessThan": {"aws:MultiFactorAuthAge": WHOLE}})),
        "soon",
    ),
    (
        "impossible_condition",
        "a boolean",
        document(allow({"AWS": ROLE}, "kms:*", {"Bool": {"aws:MultiFactorAuthPresent": WHOLE}})),
        "perhaps",
    ),
]


def outcomes(check: str, policy: dict[str, Any], text: str | None = None) -> list[str]:
    key = key_with(policy if text is None else filled(policy, text))
    return [finding.outcome for finding in ask(check, key)]


def filled(value: Any, text: str) -> Any:  # noqa: ANN401 - any part of a policy
    """The policy with a text in the place of its hole."""
    if isinstance(value, Template):
        return "".join(part if isinstance(part, str) else text for part in value.parts)
    if isinstance(value, dict):
        return {name: filled(item, text) for name, item in value.items()}
    return [filled(item, text) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("check", "what", "policy", "text"), CASES, ids=[f"{one[0]}: {one[1]}" for one in CASES])
def test_what_would_fail_for_some_text_is_not_passed(check: str, what: str, policy: dict[str, Any], text: str) -> None:
    assert FAIL in outcomes(check, policy, text), what
    assert outcomes(check, policy) == [UNDETERMINED]
    (finding,) = ask(check, key_with(policy))
    assert "var.x" in (finding.reason or "")


@pytest.mark.parametrize(
    ("check", "policy"),
    [
        ("invalid_principal", document(allow({"AWS": within(f"arn:aws:iam::{OWNER}:role/", HOLE)}, "kms:Decrypt"))),
        ("invalid_principal", document(allow({"Service": within(HOLE, ".amazonaws.com")}, "kms:Decrypt"))),
        ("orphaned_principal", document(allow({"AWS": within(f"arn:aws:iam::{OWNER}:role/", HOLE)}, "kms:Decrypt"))),
        ("orphaned_principal", document(allow({"Service": WHOLE}, "kms:Decrypt"))),
        ("ineffective_action", document({"Effect": "Allow", "Principal": {"AWS": ROLE}, "NotAction": [WHOLE], "Resource": "*"})),
        ("negated_allow", document({"Effect": "Deny", "NotPrincipal": {"AWS": [within(f"arn:aws:iam::{OWNER}:role/", HOLE), ROOT]}, "Action": "kms:*", "Resource": "*"})),
        ("shadowed_statement", document(allow({"AWS": ROLE}, "kms:Decrypt", KEYED), allow({"AWS": WHOLE}, "kms:Encrypt"))),
        ("shadowed_statement", document(allow({"AWS": ROLE}, "kms:Decrypt", KEYED), allow({"AWS": within(f"arn:aws:iam::{STRANGER}:role/", HOLE)}, "kms:Decrypt"))),
        ("operator_type_mismatch", document(allow({"AWS": ROLE}, "kms:*", {"StringEquals": {"aws:PrincipalTag/team": WHOLE}}))),
    ],
)  # fmt: skip
def test_what_no_text_makes_wrong_is_passed(check: str, policy: dict[str, Any]) -> None:
    """Text that stands in a name is taken for one: AWS refuses a policy in which it is none."""
    assert outcomes(check, policy) == []


def test_conditions_without_an_exact_opposite_are_not_compared() -> None:
    binary = {"BinaryEquals": {"aws:PrincipalTag/team": "QmxvY2s="}}
    (finding,) = ask(
        "shadowed_statement", key_with(document(allow({"AWS": ROLE}, "kms:Decrypt", binary), allow("*", "kms:Decrypt")))
    )
    assert finding.outcome == UNDETERMINED
    assert outcomes("shadowed_statement", document(allow({"AWS": ROLE}, "kms:Decrypt", binary), allow("*", "kms:Encrypt"))) == []


def test_one_action_may_be_open_beside_one_that_is_possible() -> None:
    """No document says whether a key policy decides about SynchronizeMultiRegionKey."""
    (finding,) = ask(
        "impossible_condition", key_with(document(allow({"AWS": ROLE}, ["kms:Decrypt", "kms:SynchronizeMultiRegionKey"], KEYED)))
    )
    assert (finding.outcome, "kms:SynchronizeMultiRegionKey" in finding.message) == (UNDETERMINED, True)
    assert outcomes("impossible_condition", document(allow({"AWS": ROLE}, ["kms:Decrypt", "kms:Encrypt"], KEYED))) == []


def test_a_check_passes_no_statement_that_it_has_not_seen() -> None:
    (rule,) = [one for one in load_rules() if one.id == "unknown-action"]
    seen = allow({"AWS": ROLE}, "kms:Decrypt")
    found = [assess_rule(rule, key_with(document(seen, *more)), Settings())[0] for more in ([], [seen], [HOLE])]
    assert [one.outcome.value for one in found] == ["PASS", "PASS", "UNDETERMINED"]
    assert "var.x" in (found[2].reason or "")
