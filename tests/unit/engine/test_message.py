"""Templates: values in backticks or shell quotes, unknown ones in words, nothing expanded twice."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.engine import message
from kmslint.engine.message import Scope
from kmslint.model.key import Absent, Known
from kmslint.model.settings import Settings
from kmslint.policy.request import Request
from tests.unit.engine.keys import ROOT, allow, key

KEY = key(
    allow(ROOT, Sid="S`1"), facts={"rotation.period_days": Known(730), "aliases": Known(["alias/a", "alias/b"]), "spec": Absent()}
)
WITNESS = Request("arn:aws:sts::999999999999:assumed-role/x/s", "kms:Decrypt", {})
SCOPE = Scope(KEY, Settings(rotation_days=90), "default", KEY.policies[0].policy.statements[0], WITNESS)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{witness.principal} calls {witness.action}", "`arn:aws:sts::999999999999:assumed-role/x/s` calls `kms:Decrypt`"),
        ("{witness.account}", "`999999999999`"),
        ("{statement.sid} {statement.index} {policy}", "`S'1` `0` `default`"),
        ("{facts.rotation.period_days} > {settings.rotation_days}", "`730` > `90`"),
        ("{facts.aliases}", "`alias/a, alias/b`"),
        ("{facts.spec} {facts.usage} {settings.services_only}", "an unknown value an unknown value an unknown value"),
        ("{key.account} {key.region} {key.arn}", "`111122223333` an unknown Region the key"),
        ("{{key.id}} }}", "{key.id} }"),
        ("{settings.strict}", "`false`"),
    ],
)
def test_sentence(template: str, expected: str) -> None:
    assert message.sentence(template, SCOPE) == expected


def test_an_anonymous_caller_has_a_name() -> None:
    scope = SCOPE._replace(witness=Request(None, "kms:Decrypt", {}))
    assert message.sentence("{witness.principal} of {witness.account}", scope) == "a caller without credentials of no account"


def test_without_a_statement_there_is_no_sid() -> None:
    assert message.sentence("{statement.sid}", Scope(KEY, Settings())) == "without a Sid"
    assert message.sentence("{witness.action}", Scope(KEY, Settings())) == "an unknown value"


def test_an_unknown_value_of_a_command_is_a_word_to_replace() -> None:
    assert message.command("aws kms x --key-id {key.id}", SCOPE) == "aws kms x --key-id KEY_ID"


def test_a_known_value_of_a_command_stands_in_it() -> None:
    scope = SCOPE._replace(key=KEY._replace(key_id="1234abcd-12ab-34cd-56ef-1234567890ab"))
    assert message.command("x --key-id {key.id} {{a}}", scope) == "x --key-id 1234abcd-12ab-34cd-56ef-1234567890ab {a}"


@given(st.text())
def test_a_shell_reads_a_quoted_value_as_one_word_without_control_characters(text: str) -> None:
    assert shlex.split(message.shell_word(text)) == ["".join(char for char in text if char.isprintable())]


@given(st.text())
def test_user_text_cannot_end_its_backticks_or_its_line(text: str) -> None:
    shown = message.quoted(text)
    assert shown.count("`") == 2
    assert len(shown) <= message.MAX_SHOWN + 2
    assert len(shown.splitlines()) == 1


def test_a_value_is_not_a_template() -> None:
    scope = SCOPE._replace(key=KEY._replace(key_id="{witness.action}"))
    assert message.sentence("{key.id}", scope) == "`{witness.action}`"


def test_names_of_placeholders() -> None:
    assert list(message.placeholders("{a.b} {{c}} {d}")) == ["a.b", "d"]
    assert message.is_known("witness.action", witness=True)
    assert not message.is_known("witness.action", witness=False)
    assert all(message.is_known(name, witness=True) for name in message.names(witness=True))
    assert not message.is_known("facts.nothing", witness=True)
