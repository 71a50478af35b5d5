"""Frameworks: reading, choosing, restricting rules, and what a report holds of them."""

import pytest

from kmslint.engine import loader
from kmslint.engine.frameworks import Framework, Requirement, choose, documents, parse_framework, provisions, restricted
from kmslint.engine.loader import Source
from kmslint.errors import RuleError, UsageError
from kmslint.model.key import Key
from kmslint.model.key import Source as KeySource
from kmslint.model.result import Control, Outcome, Provision, Result

TABLE = {
    "id": "acme",
    "title": "Acme rules",
    "citation": "Acme 1",
    "mapping": "ours",
    "controls": [
        {
            "id": "1",
            "title": "First",
            "bears_on_kms": "much",
            "manual": "the list",
            "nprm": "more; not final",
            "status": "required",
        },
        {"id": "2", "title": "Second", "mapping": "theirs"},
        {"id": "3", "title": "Third"},
    ],
}
ACME = Framework(
    "acme",
    "Acme rules",
    "Acme 1",
    "",
    (
        Requirement("1", "First", "required", "", "much", "more; not final", "the list"),
        Requirement("2", "Second", "", mapping="theirs"),
        Requirement("3", "Third", ""),
    ),
    "ours",
)
OTHER = Framework("other", "Other", "", "", (Requirement("x", "X", ""),))


def rule(name: str, *controls: str) -> Source:
    table = {
        "id": name,
        "title": name,
        "severity": "low",
        "since": "0.1.0",
        "needs": ["aliases"],
        "facts": [{"required": ["aliases"]}],
        "controls": [{"id": control, "why": f"{name} bears on {control}"} for control in controls],
    }
    return Source(table, f"{name}/rule.toml", None)


CATALOGUE = loader.build(
    [rule("a", "acme/1", "other/x"), rule("b", "acme/1", "acme/2"), rule("c", "other/x")],
    [
        Source(TABLE, "acme.toml", None),
        Source({"id": "other", "title": "Other", "controls": [{"id": "x", "title": "X"}]}, "o", None),
    ],
)


def key(id: str, file: str) -> Key:
    return Key(id, KeySource("policy", file), (), {})


def test_a_framework_is_read_whole() -> None:
    assert parse_framework(TABLE, "acme.toml") == ACME


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"titel": "x"}, "unknown key `titel`"),
        ({"title": ""}, "`title` is not a text"),
        ({"id": "acme-1.0"}, "`id` is `acme-1.0`"),
        ({"id": "Acme"}, "`id` is `Acme`"),
        ({"id": "acme-"}, "`id` is `acme-`"),
        ({"controls": {}}, "`controls` is not a list of tables"),
        ({"controls": ["x"]}, "`controls` is not a list of tables"),
        ({"controls": [{"id": "1"}]}, "`controls[0].title` is not a text"),
        ({"controls": [{"id": "1", "title": "x", "manul": "y"}]}, "unknown key `controls[0].manul`"),
        ({"controls": [{"id": "1", "title": "x"}, {"id": "1", "title": "y"}]}, "the control `1` stands twice"),
    ],
)
def test_a_wrong_framework_is_an_error_with_its_place(change: dict[str, object], message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_framework({**TABLE, **change}, "acme.toml")
    assert (caught.value.message, caught.value.source) == (message, "acme.toml")


def test_frameworks_are_chosen_by_name_once_and_in_the_order_asked() -> None:
    assert choose((ACME, OTHER), ["other", "acme", "other"]) == (OTHER, ACME)
    assert choose((ACME, OTHER), []) == ()
    with pytest.raises(UsageError) as caught:
        choose((ACME, OTHER), ["acne"])
    assert (caught.value.message, caught.value.help) == (
        "`--framework` names an unknown framework `acne`",
        "did you mean `acme`?",
    )


def test_rules_are_restricted_to_those_that_bear_on_a_framework_and_to_its_controls() -> None:
    kept = restricted(CATALOGUE.rules, (ACME,))
    assert [(one.id, [control.id for control in one.controls]) for one in kept] == [
        ("a", ["acme/1"]),
        ("b", ["acme/1", "acme/2"]),
    ]
    assert restricted(CATALOGUE.rules, ()) == CATALOGUE.rules
    assert [one.id for one in restricted(CATALOGUE.rules, (OTHER, ACME))] == ["a", "b", "c"]


def test_a_framework_whose_name_begins_another_is_not_taken_for_it() -> None:
    longer = Framework("acm", "Acm", "", "", (Requirement("1", "First", ""),))
    assert restricted(CATALOGUE.rules, (longer,)) == ()


def test_each_provision_names_the_rules_that_were_asked_its_document_and_its_mapping() -> None:
    asked = restricted(CATALOGUE.rules, (ACME,))
    assert provisions((ACME,), asked) == (
        Provision("acme/1", "First", "required", "much", ("a", "b"), "the list", "more; not final", "ours"),
        Provision("acme/2", "Second", "", "", ("b",), mapping="theirs"),
        Provision("acme/3", "Third", "", "", (), mapping="ours"),
    )
    assert provisions((), asked) == ()


def test_a_document_is_a_manual_result_on_each_key() -> None:
    keys = (key("k1", "a.json"), key("k2", "b.json"))
    first, second = documents((ACME, OTHER), keys)
    assert first == Result(
        rule="acme",
        title="What no rule can answer: Acme rules",
        outcome=Outcome.MANUAL,
        severity="info",
        key="k1",
        message="attach: the list",
        reason="no rule can answer it: a person attaches the document",
        controls=(Control("acme/1", "First", "required", "much"),),
        fingerprint=first.fingerprint,
    )
    assert second == first._replace(key="k2", fingerprint=second.fingerprint)
    assert first.fingerprint != second.fingerprint
    assert documents((ACME,), [key("k9", "a.json")])[0].fingerprint == first.fingerprint
    assert documents((), keys) == ()
