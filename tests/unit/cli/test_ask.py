"""`kmslint ask`: every question, both formats, every exit code, and what it makes of odd and hostile input."""

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kmslint
from kmslint.asking import Decision, ask
from kmslint.cli.main import main
from kmslint.errors import InputError, KmslintError, UsageError
from kmslint.policy.request import Request
from kmslint.reason.answer import StatementRef
from kmslint.sources.requests import read_requests, read_statements

OWNER, FRIEND, STRANGER = "111122223333", "444455556666", "999999999999"
ROOT = {"Sid": "Admin", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}, "Action": "kms:*", "Resource": "*"}
ORG = {
    "Sid": "Org",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "kms:Decrypt",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
}
NET = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "kms:Decrypt",
    "Resource": "*",
    "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Null": {"aws:SourceIp": "false"}},
}
PEER = {"Sid": "Peer", "Effect": "Allow", "Principal": {"AWS": FRIEND}, "Action": "kms:*", "Resource": "*"}
LOGS = {"Effect": "Allow", "Principal": {"Service": "logs.eu-central-1.amazonaws.com"}, "Action": "kms:Encrypt", "Resource": "*"}


class Desk:
    """Asks in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys

    def file(self, name: str, content: object) -> str:
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        (self.folder / name).write_text(text, encoding="utf-8")
        return str(self.folder / name)

    def policy(self, *statements: object, name: str = "policy.json") -> str:
        return self.file(name, {"Version": "2012-10-17", "Statement": list(statements)})

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = main(["ask", *arguments, "--no-config"])
        told = self.capsys.readouterr()
        return code, told.out, told.err

    def json(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        code, out, _ = self(*arguments, "--format", "json")
        found: dict[str, Any] = json.loads(out)
        return code, found


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def by(principal: str, action: str = "kms:Decrypt", **context: str) -> list[str]:
    pairs = [part for name, value in context.items() for part in ("--context", f"{name.replace('__', ':')}={value}")]
    return ["--principal", principal, "--action", action, *pairs]


USER = f"arn:aws:iam::{OWNER}:user/bob"
OUTSIDER = f"arn:aws:iam::{STRANGER}:role/x"

# ------------------------------------------------------------------------------------------------------------- one request


@pytest.mark.parametrize(
    ("arguments", "code", "answer"),
    [
        (by(f"arn:aws:iam::{OWNER}:root"), 0, {"decision": "allow", "grant": "direct", "statements": [0], "reasons": []}),
        (by(USER), 0, {"decision": "allow", "grant": "delegated", "statements": [0], "reasons": []}),
        (by(OUTSIDER), 1, {"decision": "implicit_deny", "grant": None, "statements": [], "reasons": []}),
        (
            by(OUTSIDER, aws__principalorgid="o-a1b2c3d4e5"),
            0,
            {"decision": "allow", "grant": "direct", "statements": [1], "reasons": []},
        ),
        (
            by(OUTSIDER, aws__principalorgid="o-a1b2c3d4e5", aws__sourceip="192.0.2.1"),
            1,
            {"decision": "explicit_deny", "grant": None, "statements": [2], "reasons": []},
        ),
        (by("null"), 1, {"decision": "implicit_deny", "grant": None, "statements": [], "reasons": []}),
        (
            by("logs.eu-central-1.amazonaws.com", "kms:Encrypt"),
            0,
            {"decision": "allow", "grant": "direct", "statements": [3], "reasons": []},
        ),
        (by(USER, "KMS:decrypt"), 0, {"decision": "allow", "grant": "delegated", "statements": [0], "reasons": []}),
    ],
    ids=["root", "delegated", "stranger", "organization", "denied", "anonymous", "service", "case"],
)
def test_one_request(desk: Desk, arguments: list[str], code: int, answer: dict[str, Any]) -> None:
    assert desk.json(desk.policy(ROOT, ORG, NET, LOGS), *arguments) == (code, answer)


def test_an_open_point_is_undetermined(desk: Desk) -> None:
    policy = desk.policy({**ROOT, "Resource": f"arn:aws:kms:eu-central-1:{OWNER}:key/1"})
    code, answer = desk.json(policy, *by(USER), "--account", OWNER)
    assert (code, answer["decision"]) == (4, "undetermined")
    assert answer["reasons"][0].startswith("UNSURE-12: ")


def test_a_decision_for_people_shows_the_statement_in_the_text(desk: Desk) -> None:
    policy = desk.policy(ROOT, ORG)
    code, out, err = desk(policy, *by(OUTSIDER, aws__PrincipalOrgID="o-a1b2c3d4e5"))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"allowed: `{OUTSIDER}` may call `kms:Decrypt`"
    assert lines[1] == f"  --> {policy}:13:3 statement `Org`"
    assert lines[2] == " 13 | /   {"
    assert any('"o-a1b2c3d4e5"' in line for line in lines)


def test_a_delegated_allow_says_what_else_it_takes(desk: Desk) -> None:
    _, out, _ = desk(desk.policy(ROOT), *by(USER))
    assert out.startswith(
        f"allowed through IAM: `{USER}` may call `kms:Decrypt` if an IAM policy of account {OWNER} allows it too\n"
    )


def test_what_is_not_allowed_says_why_each_statement_does_not_apply(desk: Desk) -> None:
    code, out, _ = desk(desk.policy(ROOT, ORG, NET), *by(OUTSIDER, aws__PrincipalOrgID="o-other"))
    assert code == 1
    assert out.splitlines() == [
        f"not allowed: no statement allows `{OUTSIDER}` to call `kms:Decrypt`",
        "  statement `Admin` does not apply: its Principal does not match",
        "  statement `Org` does not apply: its condition StringEquals `aws:PrincipalOrgID` does not hold: the request has `o-other`",
    ]
    _, out, _ = desk(desk.policy(ROOT, ORG, NET), *by(OUTSIDER), "--explain")
    assert out.splitlines()[2:] == [
        "  statement `Org` does not apply: its condition StringEquals `aws:PrincipalOrgID` does not hold: the request has no `aws:PrincipalOrgID`",
        "  statement 2 does not apply: its condition Null `aws:SourceIp` does not hold: the request has no `aws:SourceIp`",
    ]


def test_a_repeated_context_key_is_a_set(desk: Desk) -> None:
    tags = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}
    policy = desk.policy({**ROOT, "Principal": {"AWS": USER}, "Action": "kms:TagResource", "Condition": tags})
    assert desk.json(policy, *by(USER, "kms:TagResource"), "--context", "aws:TagKeys=a", "--context", "aws:tagkeys=b")[0] == 0
    assert desk.json(policy, *by(USER, "kms:TagResource"), "--context", 'aws:TagKeys=["a", "b"]')[0] == 0
    assert desk.json(policy, *by(USER, "kms:TagResource"), "--context", 'aws:TagKeys=["a", "c"]')[0] == 1
    assert desk.json(policy, *by(USER, "kms:TagResource"), "--context", "aws:TagKeys=a", "--context", "aws:TagKeys=c")[0] == 1


def test_an_allow_that_works_nowhere_abroad_is_answered_by_the_text_with_a_note(desk: Desk) -> None:
    policy = desk.policy(ROOT, PEER)
    code, answer = desk.json(policy, *by(f"arn:aws:iam::{FRIEND}:root", "kms:PutKeyPolicy"), "--account", OWNER)
    assert (code, answer["decision"]) == (0, "allow")
    assert answer["reasons"] == [f"`kms:PutKeyPolicy` has no effect on a key of another account: the key's owner is {OWNER}"]
    assert desk.json(policy, *by(f"arn:aws:iam::{FRIEND}:root"), "--account", OWNER)[1]["reasons"] == []


def test_a_key_that_every_request_has_is_named_when_it_is_not_given(desk: Desk) -> None:
    policy = desk.policy({**ORG, "Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}})
    code, answer = desk.json(policy, *by(OUTSIDER))
    assert code == 1
    assert answer["reasons"] == ["every such request has `aws:CurrentTime`, which is not given and counts as absent"]
    assert desk.json(policy, *by(OUTSIDER, aws__EpochTime="1795000000"))[1]["decision"] == "allow"


# a session does not tell its role's path


def by_role(pattern: str) -> dict[str, Any]:
    return {**ORG, "Condition": {"ArnLike": {"aws:PrincipalArn": pattern}}}


SESSION = f"arn:aws:sts::{STRANGER}:assumed-role/x/s"


def test_the_path_of_a_session_s_role_decides_and_is_not_known(desk: Desk) -> None:
    code, answer = desk.json(desk.policy(by_role(f"arn:aws:iam::{STRANGER}:role/app/*")), *by(SESSION))
    assert (code, answer["decision"]) == (4, "undetermined")
    assert "path of the role" in answer["reasons"][0]


def test_the_path_of_a_session_s_role_does_not_matter(desk: Desk) -> None:
    assert desk.json(desk.policy(by_role(f"arn:aws:iam::{STRANGER}:role/*")), *by(SESSION))[0] == 0
    assert desk.json(desk.policy(by_role(f"arn:aws:iam::{FRIEND}:role/*")), *by(SESSION))[0] == 1


def test_several_conditions_on_the_path_are_seen_together(desk: Desk) -> None:
    """No pattern alone has a role that all of them allow."""
    both = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/a/*"}, "StringLike": {"aws:PrincipalArn": "*/b/*"}}
    code, answer = desk.json(desk.policy({**ORG, "Condition": both}), *by(SESSION))
    assert (code, answer["decision"]) == (4, "undetermined")
    never = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/a/*"}, "StringLike": {"aws:PrincipalArn": "*/y"}}
    assert desk.json(desk.policy({**ORG, "Condition": never}), *by(SESSION))[0] == 1


def test_more_patterns_than_are_tried_leave_the_path_open(desk: Desk) -> None:
    many = [by_role(f"arn:aws:iam::{STRANGER}:role/{place}/*") for place in "abcdefghij"]
    assert desk.json(desk.policy(*many), *by(SESSION))[0] == 4


def test_a_variable_that_inserts_the_arn_leaves_the_path_open(desk: Desk) -> None:
    inserted = {"StringEquals": {"kms:EncryptionContext:who": "${aws:PrincipalArn}"}}
    context = by(SESSION, kms__EncryptionContext__who=f"arn:aws:iam::{STRANGER}:role/app/x")
    assert desk.json(desk.policy({**ORG, "Condition": inserted}), *context)[0] == 4
    assert (
        desk.json(
            desk.policy({**ORG, "Condition": inserted}), *context, "--context", f"aws:PrincipalArn=arn:aws:iam::{STRANGER}:role/x"
        )[0]
        == 1
    )


def test_the_path_of_a_session_s_role_is_named_by_a_principal_or_given(desk: Desk) -> None:
    named = {**by_role(f"arn:aws:iam::{STRANGER}:role/app/*"), "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:role/app/x"}}
    assert desk.json(desk.policy(named), *by(SESSION)) == (
        0,
        {"decision": "allow", "grant": "direct", "statements": [0], "reasons": []},
    )
    given_arn = by(SESSION, aws__PrincipalArn=f"arn:aws:iam::{STRANGER}:role/app/x")
    assert desk.json(desk.policy(by_role(f"arn:aws:iam::{STRANGER}:role/app/*")), *given_arn)[0] == 0
    assert (
        desk.json(desk.policy(by_role(f"arn:aws:iam::{STRANGER}:role/app/*")), *by(f"arn:aws:iam::{STRANGER}:role/app/x"))[0] == 0
    )


# who owns the key


def test_an_unknown_owner_that_decides_is_asked_for(desk: Desk) -> None:
    own = {"StringEquals": {"aws:ResourceAccount": OWNER}}
    policy = desk.policy({**ORG, "Condition": own}, PEER, {**ROOT, "Condition": own})
    code, answer = desk.json(policy, *by(OUTSIDER))
    assert (code, answer["decision"]) == (4, "undetermined")
    assert "pass --account" in answer["reasons"][0]
    assert desk.json(policy, *by(OUTSIDER), "--account", OWNER)[0] == 0
    assert desk.json(policy, *by(OUTSIDER), "--account", FRIEND)[0] == 1
    assert desk.json(policy, *by(OUTSIDER), "--key", f"arn:aws:kms:eu-central-1:{OWNER}:key/1")[0] == 0
    request = {"principal": OUTSIDER, "action": "kms:Decrypt", "key": f"arn:aws:kms:eu-central-1:{FRIEND}:key/1"}
    assert desk.json(policy, "--request", desk.file("r.json", request), "--account", OWNER)[0] == 1


def test_an_unknown_owner_that_does_not_decide_is_not_asked_for(desk: Desk) -> None:
    assert desk.json(desk.policy(ORG, PEER, ROOT), *by(OUTSIDER))[0] == 1


# -------------------------------------------------------------------------------------------------------- files of requests


def test_json_lines_give_an_answer_a_line_and_exit_code_0(desk: Desk) -> None:
    policy = desk.policy(ROOT, ORG)
    requests = [{"principal": one, "action": "kms:Decrypt", "context": {}} for one in (USER, OUTSIDER, None)]
    lines = desk.file("r.jsonl", "\n".join(json.dumps(one) for one in requests) + "\n\n")
    code, out, _ = desk(policy, "--request", lines, "--format", "json")
    assert code == 0
    assert [json.loads(line)["decision"] for line in out.splitlines()] == ["allow", "implicit_deny", "implicit_deny"]
    assert desk(policy, "--request", desk.file("r.json", requests), "--format", "json") == (0, out, "")
    code, out, _ = desk(policy, "--request", lines)
    assert out.splitlines() == [
        f"0: allowed through IAM: `{USER}` may call `kms:Decrypt` if an IAM policy of account {OWNER} allows it too (statement 0)",
        f"1: not allowed: no statement allows `{OUTSIDER}` to call `kms:Decrypt`",
        "2: not allowed: no statement allows a caller without credentials to call `kms:Decrypt`",
    ]


@pytest.mark.parametrize("read", [0, 1], ids=["policy", "request"])
def test_stdin_is_the_policy_or_the_requests(desk: Desk, read: int, monkeypatch: pytest.MonkeyPatch) -> None:
    policy, request = desk.policy(ROOT), desk.file("r.json", {"principal": USER, "action": "kms:Decrypt"})
    content = Path([policy, request][read]).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    arguments = [[policy, "-"][read == 0], "--request", [request, "-"][read == 1]]
    assert desk.json(*arguments)[0] == 0


def test_values_of_every_json_type(desk: Desk) -> None:
    conditions = {
        "NumericEquals": {"kms:RotationPeriodInDays": "365"},
        "Bool": {"aws:SecureTransport": "true"},
        "ForAnyValue:StringEquals": {"aws:TagKeys": "7"},
    }
    policy = desk.policy({**ROOT, "Principal": {"AWS": USER}, "Condition": conditions})
    context = {"kms:RotationPeriodInDays": 365, "aws:SecureTransport": True, "aws:TagKeys": [7, "x"]}
    request = {"principal": USER, "action": "kms:EnableKeyRotation", "context": context}
    assert desk.json(policy, "--request", desk.file("r.json", request))[1]["decision"] == "allow"
    request["context"] = {**context, "aws:SecureTransport": False}
    assert desk.json(policy, "--request", desk.file("r.json", request))[1]["decision"] == "implicit_deny"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no request"),
        ("[]", "holds no request"),
        ("{", "not JSON: "),
        ("7", ":1: a request is an object"),
        ('{"action": "kms:Decrypt"}', ":1: the request lacks `principal`"),
        ('{"principal": null}', ":1: the request lacks `action`"),
        ('{"principal": "bob", "action": "kms:Decrypt"}', ":1: `bob` is no principal that calls AWS KMS"),
        ('{"principal": 7, "action": "kms:Decrypt"}', "is no principal that calls AWS KMS"),
        ('{"principal": null, "action": "kms:*"}', ":1: `kms:*` is not one action"),
        ('{"principal": null, "action": "kms:Decrypt", "acton": 1}', ":1: a request has no member `acton`"),
        ('{"principal": null, "action": "kms:Decrypt", "context": []}', ":1: `context` is an object of condition keys"),
        ('{"principal": null, "action": "kms:Decrypt", "context": {"a": null}}', ":1: the condition key `a` has no such value"),
        ('{"principal": null, "action": "kms:Decrypt", "context": {"a": {}}}', ":1: the condition key `a` has no such value"),
        ('{"principal": null, "action": "kms:Decrypt", "context": {"a": "x", "a": "y"}}', ":1: the member `a` is there twice"),
        (
            '{"principal": null, "action": "kms:Decrypt", "context": {"a": "x", "A": "y"}}',
            ":1: the condition key `a` is there twice",
        ),
        ('{"principal": null, "action": "kms:Decrypt", "context": {"a": NaN}}', ":1: JSON has no NaN"),
        ('{"principal": null, "action": "kms:Decrypt", "key": "x"}', ":1: `x` is not a key ARN"),
        ('{"principal": null, "action": "kms:Decrypt", "key": {"arn": "x", "color": "y"}}', ":1: `key` has no member `color`"),
        ('{"principal": null, "action": "kms:Decrypt", "parent": []}', ":1: `parent` is the ARN"),
        ('{"principal": null, "action": "kms:Decrypt"}\n\n{"principal": null}', ":3: the request lacks `action`"),
        ("[" * 100_000, "nested too deep"),
        ('{"principal": null, "action": "kms:Decrypt", "context": {"a": ' + "9" * 10_000 + "}}", ""),
        ("\ufeff[{}]", ":1: request 0: the request lacks `principal`"),
    ],
)
def test_what_is_no_request(desk: Desk, text: str, told: str) -> None:
    code, out, err = desk(desk.policy(ROOT), "--request", desk.file("r.json", text))
    if told:
        assert (code, out) == (3, "")
        assert told in err
        assert "bug" not in err
    else:
        assert code == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.text(alphabet='{}[]":,\\ntrue0-7.eE principalactioncontext\ud800\u0000') | st.text())
def test_no_text_of_requests_or_statements_makes_it_fail(text: str) -> None:
    for read in (read_requests, read_statements):
        try:
            read(text, "file")
        except KmslintError as error:
            assert isinstance(error, InputError)


# ---------------------------------------------------------------------------------------------------------- sets of requests

FOREIGN = {
    "Action": "kms:Decrypt",
    "Condition": {
        "StringNotEquals": {"aws:PrincipalAccount": "${kmslint:trusted-accounts}"},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    },
}


def test_forbid_is_proven_or_has_a_witness_that_asks_back(desk: Desk) -> None:
    question = desk.file("forbid.json", FOREIGN)
    code, answer = desk.json(desk.policy(ROOT), "--forbid", question)
    assert (code, answer["answer"], answer["witness"]) == (0, "proven", None)
    policy = desk.policy(ROOT, ORG)
    code, answer = desk.json(policy, "--forbid", question)
    assert (code, answer["answer"], answer["reasons"]) == (1, "violated", [])
    assert desk.json(policy, "--request", desk.file("w.json", answer["witness"]))[0] == 0


def test_forbid_for_people(desk: Desk) -> None:
    question = desk.file("forbid.json", [FOREIGN])
    code, out, err = desk(desk.policy(ROOT, ORG), "--forbid", question)
    assert code == 1
    assert err == f"warning: the owner account {OWNER} is inferred from the policy; pass --account to say which it is\n"
    assert out.startswith("violated: `arn:aws:sts::")
    assert "statement `Org`" in out
    code, out, err = desk(desk.policy(ROOT), "--forbid", question, "--account", OWNER, "--explain")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "proven: no such request is allowed by the key policy"
    assert "  proof:" in out
    assert "the question does not apply" in out


def test_the_proof_is_part_of_the_json(desk: Desk) -> None:
    _, answer = desk.json(desk.policy(ROOT, PEER), "--forbid", desk.file("f.json", FOREIGN), "--explain", "--account", FRIEND)
    assert answer["answer"] == "violated"
    assert answer["proof"] == []
    _, answer = desk.json(desk.policy(ROOT), "--forbid", desk.file("f.json", FOREIGN), "--explain", "--account", OWNER)
    assert answer["proof"]


def test_trusted_accounts_come_from_the_configuration(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    question = desk.file("f.json", FOREIGN)
    config = desk.file("kmslint.toml", f'account = "{OWNER}"\ntrusted_accounts = ["{FRIEND}"]\n')
    policy = desk.policy(ROOT, PEER)
    assert desk.json(policy, "--forbid", question)[0] == 1
    assert main(["ask", policy, "--forbid", question, "--config", config]) == 0
    assert main(["ask", policy, "--forbid", question, "--config", config, "--no-config"]) == 2


def test_grants_count_as_rules_count_them(desk: Desk) -> None:
    policy = desk.policy(ROOT)
    question = desk.file("f.json", {"Principal": {"AWS": USER}, "Action": "kms:Decrypt"})
    assert desk.json(policy, "--forbid", question)[0] == 0
    assert desk.json(policy, "--forbid", question, "--grant", "any")[0] == 1
    assert desk.json(policy, "--forbid", question, "--grant", "delegated")[0] == 1
    code, answer = desk.json(policy, "--require", question)
    assert (code, answer["answer"], answer["reasons"]) == (
        0,
        "proven",
        ["allowed only through IAM policies of the account, which were not read"],
    )
    assert desk.json(policy, "--require", question, "--grant", "direct")[0] == 1


def test_require_some_and_every(desk: Desk) -> None:
    policy = desk.policy({**ROOT, "Principal": {"AWS": USER}, "Action": ["kms:Decrypt", "kms:Encrypt"]})
    both = desk.file("r.json", {"Principal": {"AWS": USER}, "Action": ["kms:Decrypt", "kms:CreateGrant"]})
    one = desk.file("o.json", {"Principal": {"AWS": USER}, "Action": "kms:Decrypt"})
    none = desk.file("n.json", {"Principal": {"AWS": USER}, "Action": "kms:CreateGrant"})
    asked = ["--account", OWNER, "--require"]
    assert desk.json(policy, *asked, both)[1]["answer"] == "proven"
    code, answer = desk.json(policy, *asked, both, "--every")
    assert (code, answer["answer"], answer["witness"]["action"]) == (1, "violated", "kms:CreateGrant")
    assert desk.json(policy, *asked, one, "--every")[0] == 0
    assert desk.json(policy, *asked, none) == (
        1,
        {"answer": "violated", "witness": None, "reasons": desk.json(policy, *asked, none)[1]["reasons"]},
    )
    code, out, _ = desk(policy, *asked, one, "--every", "--explain")
    assert out.startswith("proven: every such request is allowed by the key policy\n")
    assert "statement 0 allows all of it" in out


def test_a_question_that_describes_nothing(desk: Desk) -> None:
    nobody = desk.file(
        "n.json", {"Action": "kms:Decrypt", "Condition": {"StringEquals": {"aws:PrincipalArn": "${kmslint:key-admins}"}}}
    )
    assert desk.json(desk.policy(ROOT), "--forbid", nobody)[1] == {
        "answer": "proven",
        "witness": None,
        "reasons": ["the statements describe no request"],
    }
    assert desk.json(desk.policy(ROOT), "--require", nobody)[0] == 1


def test_a_question_whose_answer_depends_on_the_owner(desk: Desk) -> None:
    policy = desk.policy(ROOT, PEER)
    question = desk.file("f.json", {**FOREIGN, "Principal": {"AWS": FRIEND}})
    code, answer = desk.json(policy, "--forbid", question)
    assert (code, answer["answer"], answer["witness"]) == (4, "undetermined", None)
    assert "pass --account" in answer["reasons"][0]
    assert desk.json(policy, "--forbid", question, "--account", OWNER)[0] == 1
    assert desk.json(policy, "--forbid", question, "--account", FRIEND)[0] == 0


@pytest.mark.parametrize(
    ("statement", "code", "told"),
    [
        ("7", 3, "expected a statement"),
        ("[7]", 3, "expected a statement"),
        ('{"Action": "kms:Decrypt", "Action": "kms:Encrypt"}', 3, "the member `Action` is there twice"),
        ('{"Acton": "kms:Decrypt"}', 2, "a described statement is not one"),
        ('{"Action": "kms:Decrypt", "Condition": {"StringEquals": "x"}}', 2, "holds no table"),
        ('{"Action": "kms:Decrypt", "Condition": {"StringLikes": {"a": "x"}}}', 2, "a described statement is not one"),
        ('{"Action": "kms:Decrypt", "Condition": {"StringEquals": {"a": "${kmslint:nonsense}"}}}', 2, "unknown variable"),
        ("{", 3, ""),
    ],
)
def test_what_is_no_statement(desk: Desk, statement: str, code: int, told: str) -> None:
    found, out, err = desk(desk.policy(ROOT), "--forbid", desk.file("f.json", statement))
    assert (found, out) == (code, "")
    assert told in err


# ------------------------------------------------------------------------------------------------------------------- who may


def callers(inventory: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {caller["who"]: (caller["answer"], caller["grant"]) for caller in inventory["callers"]}


def test_who_may_call(desk: Desk) -> None:
    code, found = desk.json(desk.policy(ROOT, ORG, PEER, LOGS), "--who", "--action", "kms:Decrypt", "--account", OWNER)
    assert code == 0
    assert (found["format"], found["action"], found["errors"]) == ("kmslint-who/1", "kms:Decrypt", [])
    (key,) = found["keys"]
    assert key["external_accounts"] == [FRIEND]
    assert key["organizations"] == ["o-a1b2c3d4e5"]
    assert (key["services"], key["any_account"], key["any_service"], key["reasons"]) == ([], False, False, [])
    assert callers(key)[f"the root user of account {OWNER}"] == ("allowed", "direct")
    assert callers(key)[f"another user of account {OWNER}"] == ("allowed", "delegated")
    assert callers(key)["a user of an account named nowhere"] == ("allowed", "direct")


def test_every_witness_of_who_is_allowed(desk: Desk) -> None:
    policy = desk.policy(ROOT, ORG, PEER, LOGS)
    _, found = desk.json(policy, "--who", "--action", "kms:*", "--account", OWNER)
    witnesses = [caller["witness"] for caller in found["keys"][0]["callers"]]
    assert witnesses
    _, out, _ = desk(policy, "--request", desk.file("w.json", witnesses), "--account", OWNER, "--format", "json")
    assert {json.loads(line)["decision"] for line in out.splitlines()} == {"allow"}


def test_who_names_services_and_everybody(desk: Desk) -> None:
    public = {**ORG, "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}}
    _, found = desk.json(desk.policy(ROOT, public, LOGS), "--who", "--action", "kms:Decrypt", "--account", OWNER)
    assert (found["keys"][0]["any_account"], found["keys"][0]["organizations"]) == (True, [])
    _, found = desk.json(desk.policy(ROOT, LOGS), "--who", "--action", "kms:Encrypt", "--account", OWNER)
    assert (found["keys"][0]["services"], found["keys"][0]["any_service"]) == (["logs.eu-central-1.amazonaws.com"], False)
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"}
    _, found = desk.json(desk.policy(ROOT, everyone), "--who", "--action", "kms:Encrypt", "--account", OWNER)
    assert (found["keys"][0]["any_service"], found["keys"][0]["any_account"]) == (True, True)


def test_an_inventory_over_a_folder(desk: Desk) -> None:
    desk.policy(ROOT, PEER, name="a.json")
    desk.policy(ROOT, LOGS, name="b.json")
    desk.file("package.json", {"name": "x"})
    code, found = desk.json(str(desk.folder), "--who", "--action", "kms:Encrypt", "--account", OWNER)
    assert code == 0
    assert [(os.path.basename(key["source"]["file"]), key["external_accounts"], key["services"]) for key in found["keys"]] == [
        ("a.json", [FRIEND], []),
        ("b.json", [], ["logs.eu-central-1.amazonaws.com"]),
    ]
    code, out, _ = desk(str(desk.folder), "--who", "--action", "Encrypt", "--account", OWNER)
    assert f"  outside, accounts: {FRIEND}" in out.splitlines()
    assert "  outside, services: logs.eu-central-1.amazonaws.com" in out.splitlines()


def test_an_inventory_of_a_key_without_an_owner_says_so(desk: Desk) -> None:
    code, found = desk.json(desk.policy(ROOT, PEER), "--who", "--action", "kms:Decrypt")
    (key,) = found["keys"]
    assert code == 4
    assert sorted(key["external_accounts"]) == sorted([OWNER, FRIEND])
    assert any("pass --account" in reason for reason in key["reasons"])
    assert {caller["external"] for caller in key["callers"]} == {None}


def test_nobody_may(desk: Desk) -> None:
    code, out, _ = desk(desk.policy({**ROOT, "Action": "kms:Encrypt"}), "--who", "--action", "kms:Decrypt", "--account", OWNER)
    assert code == 0
    assert out.splitlines()[0].endswith("nobody may call `kms:Decrypt`")


def test_an_unreadable_file_is_an_error_beside_the_others(desk: Desk) -> None:
    desk.policy(ROOT, name="a.json")
    desk.file("b.json", '{"Statement": [kms')
    code, found = desk.json(str(desk.folder), "--who", "--action", "kms:Encrypt", "--account", OWNER)
    assert (code, len(found["keys"]), len(found["errors"])) == (3, 1, 1)


# ------------------------------------------------------------------------------------------------------------------ the rest


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing is asked"),
        (["--who", "--forbid", "x", "--action", "a"], "options ask more than one question: --who, --forbid"),
        (["--principal", "null"], "`--principal` needs `--action`"),
        (["--who"], "`--who` needs `--action`"),
        (["--forbid", "x", "--action", "kms:Decrypt"], "`--forbid` takes no `--action`"),
        (["--forbid", "x", "--context", "a=b"], "`--context` belongs to `--principal`"),
        (["--forbid", "x", "--every"], "`--every` belongs to `--require`"),
        (["--principal", "null", "--action", "kms:Decrypt", "--grant", "any"], "`--grant` belongs to"),
        (["--require", "x", "--every", "--grant", "delegated"], "cannot count delegated access alone"),
        (["--principal", "bob", "--action", "kms:Decrypt"], "`bob` is no principal"),
        (["--principal", OWNER, "--action", "kms:Decrypt"], "is no principal"),
        (["--principal", "null", "--action", "kms:*"], "`kms:*` is not one action"),
        (["--principal", "null", "--action", "Decrypt"], "`Decrypt` is not one action"),
        (["--principal", "null", "--action", "kms:Decrypt", "--context", "a"], "`--context a` is no pair"),
        (["--principal", "null", "--action", "kms:Decrypt", "--region", "x"], "`x` is not a Region"),
        (
            [
                "--principal",
                "null",
                "--action",
                "kms:Decrypt",
                "--account",
                FRIEND,
                "--key",
                f"arn:aws:kms:eu-central-1:{OWNER}:key/1",
            ],
            "contradicts",
        ),
    ],
)
def test_wrong_usage(desk: Desk, arguments: list[str], told: str) -> None:
    code, out, err = desk(desk.policy(ROOT), *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert "\n  help: " in err or "\n" in err


def test_stdin_is_read_once(desk: Desk) -> None:
    assert desk("-", "--request", "-")[0] == 2


@pytest.mark.parametrize("content", ["", "{", '{"name": "x"}', "[]"])
def test_what_is_no_key_policy(desk: Desk, content: str) -> None:
    code, out, err = desk(desk.file("p.json", content), *by(USER))
    assert (code, out) == (3, "")
    assert err.startswith("error: ")


def test_a_missing_file(desk: Desk) -> None:
    assert desk(str(desk.folder / "none.json"), *by(USER))[0] == 3
    assert desk(desk.policy(ROOT), "--request", str(desk.folder / "none.json"))[0] == 3
    assert desk(desk.policy(ROOT), "--forbid", str(desk.folder))[0] == 3


def test_one_of_several_keys_is_chosen_by_place_or_address(desk: Desk) -> None:
    template = {
        "Resources": {
            name: {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [statement]}}}
            for name, statement in (("Ours", ROOT), ("Theirs", {**ROOT, "Principal": {"AWS": FRIEND}}))
        }
    }
    file = desk.file("template.json", template)
    code, out, err = desk(file, *by(USER))
    assert (code, out) == (3, "")
    assert "2 keys were found" in err
    assert "Ours" in err
    assert desk(file, *by(USER), "--address", "Ours")[0] == 0
    assert desk(file, *by(USER), "--address", "Theirs")[0] == 1
    line = next(number for number, text in enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1) if '"Ours"' in text)
    assert desk(f"{file}:{line}", *by(USER))[0] == 0
    assert desk(f"{file}:1", *by(USER))[0] == 3


def test_hostile_text_shows_and_does_nothing(desk: Desk) -> None:
    evil = "\x1b[2J[red]\u202e"
    statement = {**ORG, "Sid": evil, "Condition": {"StringEquals": {evil: evil}}}
    policy = desk.policy(ROOT, statement)
    for arguments in (
        by(OUTSIDER),
        by(OUTSIDER, "kms:Decrypt", **{evil: evil}),
        ["--who", "--action", "kms:" + evil],
        ["--who", "--action", evil],
    ):
        _, out, err = desk(policy, *arguments, "--explain")
        assert "\x1b" not in out + err
        assert "\u202e" not in out + err


def test_ten_thousand_requests_are_a_matter_of_seconds(desk: Desk) -> None:
    request = json.dumps({"principal": OUTSIDER, "action": "kms:Decrypt", "context": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    code, out, _ = desk(
        desk.policy(ROOT, ORG, NET), "--request", desk.file("many.jsonl", f"{request}\n" * 3_000), "--format", "json"
    )
    assert (code, len(out.splitlines()), set(out.splitlines())) == (
        0,
        3_000,
        {'{"decision": "allow", "grant": "direct", "statements": [1], "reasons": []}'},
    )


# the Python API

TEXT = json.dumps({"Version": "2012-10-17", "Statement": [ROOT, ORG]})


def test_ask_in_python() -> None:
    assert kmslint.ask is ask
    request = {"principal": OUTSIDER, "action": "kms:Decrypt", "context": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    allowed = Decision("allow", "direct", (StatementRef(0, 1),))
    assert ask(TEXT, request) == allowed
    assert ask(TEXT, Request(OUTSIDER, "kms:Decrypt", {"aws:principalorgid": "o-a1b2c3d4e5"})) == allowed
    assert ask(TEXT, {**request, "context": {}}, account=OWNER) == Decision("implicit_deny")


def test_ask_in_python_says_what_is_no_policy() -> None:
    with pytest.raises(InputError):
        ask("{", {"principal": None, "action": "kms:Decrypt"})
    assert ask("[]", {"principal": None, "action": "kms:Decrypt"}).decision == "undetermined"


def test_ask_in_python_says_what_is_no_request() -> None:
    with pytest.raises(UsageError):
        ask(TEXT, {"principal": None})
