"""A parameter that is empty unless it is given is no principal: the policy that KMS refuses is told, and no access follows from it."""

import pytest

from kmslint.app import report_on
from kmslint.engine.loader import load_rules
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.tree import Symbol, Template
from tests.unit.sources.cloudformation.templates import ROLE, only_key, read, template, text, unknown, value_of

HEAD = """\
Parameters:
  Empty: {Type: String, Default: ""}
  Names: {Type: CommaDelimitedList, Default: ""}
  Full: {Type: String, Default: arn:aws:iam::111122223333:role/r}
"""
EMPTY = unknown("Empty")


def told(key: Key) -> list[tuple[str, str, int | None, tuple[int, int]]]:
    """Code, place by pointer, statement, and line and column of each diagnostic."""
    return [
        (found.code, found.pointer, found.statement, found.node.text.position(found.node.start))
        for found in key.policies[0].diagnostics
    ]


@pytest.mark.parametrize(
    ("principal", "value"),
    [
        ("!Ref Empty", EMPTY),
        ('!Sub "${Empty}"', EMPTY),
        ('!Join ["", [!Ref Empty]]', EMPTY),
        ('!Sub "arn:aws:iam::${Empty}:root"', text("arn:aws:iam::", Symbol("Empty"), ":root")),
        ('!Sub "arn:aws:iam::${Empty}:role/x"', text("arn:aws:iam::", Symbol("Empty"), ":role/x")),
        ('!Sub "arn:aws:iam::111122223333:role/${Empty}"', text("arn:aws:iam::111122223333:role/", Symbol("Empty"))),
        ("[!Ref Full, !Ref Empty]", [ROLE, EMPTY]),
    ],
)
def test_an_empty_principal_is_the_parameter(principal: str, value: object) -> None:
    assert value_of(principal, head=HEAD) == value
    assert told(only_key(template(principal, head=HEAD))) == [("empty-principal", "/Parameters/Empty/Default", 0, (2, 34))]


@pytest.mark.parametrize(
    ("principal", "value"),
    [
        ("!Ref Full", ROLE),
        ('!Sub "arn:aws:iam::111122223333:role/${Empty}r"', ROLE),
        ('!Sub "arn:aws:iam::111122223333:role${Empty}/r"', ROLE),
    ],
)
def test_a_part_may_be_empty(principal: str, value: object) -> None:
    assert value_of(principal, head=HEAD) == value
    assert told(only_key(template(principal, head=HEAD))) == []


def test_an_empty_list_is_no_principal_either() -> None:
    key = only_key(template("!Ref Names", head=HEAD))
    assert told(key) == [("empty-principal", "/Parameters/Names/Default", 0, (3, 46))]


def test_a_value_that_is_given_counts() -> None:
    content = template("!Ref Empty", head=HEAD)
    key = only_key(content, parameters={"Empty": ROLE})
    assert [entry.value for entry in key.policies[0].policy.statements[0].principals or ()] == [ROLE]
    assert told(key) == []


def test_a_condition_that_leaves_it_out() -> None:
    head = HEAD + 'Conditions: {Given: !Not [!Equals [!Ref Empty, ""]]}\n'
    keys, errors = read(template("!If [Given, !Ref Empty, !Ref Full]", head=head))
    assert errors == []
    found = [[entry.value for entry in key.policies[0].policy.statements[0].principals or ()] for key in keys]
    assert (sorted(found, key=str), [told(key) for key in keys]) == ([[ROLE], [EMPTY]], [[], []])


def test_an_empty_value_elsewhere_is_a_value() -> None:
    key = only_key(template("!Ref Full", head=HEAD, properties='Description: !Sub "a${Empty}b"'))
    assert (told(key), key.facts["description"].value) == ([], "ab")  # type: ignore[union-attr]  # known


def test_nothing_passes_because_of_it() -> None:
    access = ("public-access", "unbounded-wildcard", "untrusted-account-access")
    rules = [rule for rule in load_rules() if rule.id in {*access, "ineffective-statement", "invalid-principal"}]

    def outcomes(principal: str) -> dict[str, str]:
        content = template(principal, head=HEAD)
        report = report_on(
            [only_key(content, account="111122223333")],
            rules=rules,
            settings=Settings(),
            as_of="2026-11-24T00:00:00Z",
        )
        return {result.rule: str(result.outcome.value) for result in report.results}

    assert outcomes("!Ref Empty") == {
        **dict.fromkeys(access, "UNDETERMINED"),
        "ineffective-statement": "FAIL",
        "invalid-principal": "UNDETERMINED",
    }
    assert outcomes("!Ref Full") == dict.fromkeys((*access, "ineffective-statement", "invalid-principal"), "PASS")


def test_json_text_of_a_policy() -> None:
    content = """\
Parameters:
  Empty: {Type: String, Default: ""}
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy: !Sub '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "${Empty}"}, "Action": "kms:*", "Resource": "*"}]}'
"""
    key = only_key(content)
    assert [code for code, *_ in told(key)].count("empty-principal") == 1
    assert isinstance(next(iter(key.policies[0].policy.statements[0].principals or ())).value, Template)
