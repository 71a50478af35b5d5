"""From a model to a request: the caller and all keys that it determines belong to one identity."""

from collections.abc import Mapping

import pytest

from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER
from kmslint.policy.request import ContextValue, Request
from kmslint.reason.answer import Violated
from kmslint.reason.callers import FRESH, SERVICES, Caller, Callers, Names
from kmslint.reason.domains import Domains
from kmslint.reason.modes import Mode
from kmslint.reason.query import find_allowed
from kmslint.reason.values import ABSENT, Held, Solver
from kmslint.reason.witness import _shown, as_json, build, spelled
from tests.oracle.bridge import ACCOUNT, key_of, policy_of, statements_of

KEY = key_of()
ARN, NUMBER, NAME, ID, CALLER = "aws:principalarn", "aws:principalaccount", "aws:username", "aws:userid", "kms:calleraccount"
VIEWS = (ARN, NUMBER, NAME, ID, CALLER)
IAM, STS = f"arn:aws:iam::{ACCOUNT}:", f"arn:aws:sts::{ACCOUNT}:"
NAMED = Names(
    (ACCOUNT,), (f"{IAM}user/bob",), (f"{IAM}role/svc/app",), (f"{STS}assumed-role/app/s1",), (f"{STS}federated-user/fed",), (), frozenset({ACCOUNT})
)  # fmt: skip
OF_OWNER = {caller.label: caller for caller in Callers(NAMED, KEY).of(ACCOUNT)}
STRANGERS = {caller.kind: caller for caller in Callers(NAMED, KEY).of(FRESH)}
(LAST_SERVICE,) = Callers(NAMED, KEY).of(SERVICES)
USER_ID, ROLE_ID = "AIDACKCEVSQ6C2EXAMPLE", "AROADBQP57FF2AEXAMPLE"


def built(caller: Caller, model: Mapping[str, Held], *mentioned: str, mode: Mode = Mode()) -> Request:  # noqa: B008 - a frozen value
    domains = Domains(caller, "Decrypt", mode, KEY, (ACCOUNT,), may=False)
    return build(caller, "Decrypt", dict(model), domains, frozenset(mentioned), KEY, Solver())


def views(arn: str, account: str, name: str | None, userid: str) -> dict[str, ContextValue]:
    found: dict[str, ContextValue] = {ARN: arn, NUMBER: account, ID: userid, CALLER: account}
    return found if name is None else {**found, NAME: name}


def role(account: str, name: str, session: str, path: str = "") -> tuple[str, dict[str, ContextValue]]:
    shown = views(f"arn:aws:iam::{account}:role/{path}{name}", account, None, f"{ROLE_ID}:{session}")
    return f"arn:aws:sts::{account}:assumed-role/{name}/{session}", shown


def user(account: str, name: str, path: str = "") -> tuple[str, dict[str, ContextValue]]:
    arn = f"arn:aws:iam::{account}:user/{path}{name}"
    return arn, views(arn, account, name, USER_ID)


def root(account: str) -> tuple[str, dict[str, ContextValue]]:
    arn = f"arn:aws:iam::{account}:root"
    return arn, views(arn, account, None, account)


def federated(account: str, name: str) -> tuple[str, dict[str, ContextValue]]:
    arn = f"arn:aws:sts::{account}:federated-user/{name}"
    return arn, views(arn, account, None, f"{account}:{name}")


NINES, TWOS = "9" * 12, "222233334444"


@pytest.mark.parametrize(
    ("kind", "model", "made"),
    [
        (ROLE, {}, role(NINES, "Other", "session")),
        (ROLE, {NUMBER: TWOS}, role(TWOS, "Other", "session")),
        (ROLE, {ARN: f"arn:aws:iam::{TWOS}:role/x/y"}, role(TWOS, "y", "session", "x/")),
        (USER, {}, user(NINES, "other")),
        (USER, {NUMBER: TWOS}, user(TWOS, "other")),
        (USER, {NAME: "eve"}, user(NINES, "eve")),
        (USER, {NAME: "eve", NUMBER: TWOS}, user(TWOS, "eve")),
        (USER, {ARN: f"arn:aws:iam::{TWOS}:user/x/eve"}, user(TWOS, "eve", "x/")),
        (ROOT, {}, root(NINES)),
        (ROOT, {NUMBER: TWOS}, root(TWOS)),
        (ROOT, {ID: TWOS}, root(TWOS)),
        (ROOT, {ID: TWOS, NUMBER: TWOS}, root(TWOS)),
        (ROOT, {ARN: f"arn:aws:iam::{TWOS}:root"}, root(TWOS)),
        (FEDERATED, {}, federated(NINES, "federated")),
        (FEDERATED, {NUMBER: TWOS}, federated(TWOS, "federated")),
        (FEDERATED, {ID: f"{TWOS}:eve"}, federated(TWOS, "eve")),
        (FEDERATED, {ARN: f"arn:aws:sts::{TWOS}:federated-user/eve"}, federated(TWOS, "eve")),
    ],
)
def test_a_stranger_is_one_caller(kind: str, model: dict[str, Held], made: tuple[str, dict[str, ContextValue]]) -> None:
    request = built(STRANGERS[kind], model, *VIEWS)
    assert (request.principal, dict(request.context)) == made


def test_a_session_and_a_unique_id_that_were_asked_for_are_those_of_the_caller() -> None:
    request = built(STRANGERS[ROLE], {ID: "AROAXXXXXXXXXXXXXXXXX:alice"}, *VIEWS)
    principal, shown = role(NINES, "Other", "alice")
    assert (request.principal, dict(request.context)) == (principal, {**shown, ID: "AROAXXXXXXXXXXXXXXXXX:alice"})
    request = built(STRANGERS[USER], {ID: "AIDAXXXXXXXXXXXXXXXXX"}, *VIEWS)
    principal, shown = user(NINES, "other")
    assert (request.principal, dict(request.context)) == (principal, {**shown, ID: "AIDAXXXXXXXXXXXXXXXXX"})


@pytest.mark.parametrize(
    ("label", "made"),
    [
        (f"session s1 of {IAM}role/svc/app", role(ACCOUNT, "app", "s1", "svc/")),
        (f"a session of {IAM}role/svc/app", role(ACCOUNT, "app", "session", "svc/")),
        (f"another role session of account {ACCOUNT}", role(ACCOUNT, "Other", "session")),
        (f"user {IAM}user/bob", user(ACCOUNT, "bob")),
        (f"another user of account {ACCOUNT}", user(ACCOUNT, "other")),
        (f"the root user of account {ACCOUNT}", root(ACCOUNT)),
        (f"federated session {STS}federated-user/fed", federated(ACCOUNT, "fed")),
        (f"another federated session of account {ACCOUNT}", federated(ACCOUNT, "federated")),
    ],
)
def test_a_caller_of_the_owner_is_one_caller(label: str, made: tuple[str, dict[str, ContextValue]]) -> None:
    request = built(OF_OWNER[label], {}, *VIEWS)
    assert (request.principal, dict(request.context)) == made
    assert request.parent == OF_OWNER[label].parent


def test_another_user_of_a_name_that_is_taken_has_another_path() -> None:
    others = OF_OWNER[f"another user of account {ACCOUNT}"]
    assert built(others, {NAME: "bob"}).principal == f"{IAM}user/other/bob"
    assert built(others, {NAME: "eve"}).principal == f"{IAM}user/eve"


# --------------------------------------------------------------------------------------------------------------- context


def test_what_is_always_there_is_shown_if_it_is_mentioned_and_arn_and_account_in_any_case() -> None:
    always = {ARN: f"arn:aws:iam::{NINES}:role/Other", NUMBER: NINES}
    caller = STRANGERS[ROLE]
    assert built(caller, {}) == Request(
        f"arn:aws:sts::{NINES}:assumed-role/Other/session", "kms:Decrypt", always, KEY, caller.parent
    )
    request = built(
        caller, {"aws:referer": "x", "aws:sourcevpc": ABSENT}, "aws:referer", "aws:sourcevpc", "aws:useragent", "aws:tagkeys"
    )
    assert dict(request.context) == {**always, "aws:referer": "x", "aws:useragent": "aws-cli/2.0"}
    request = built(caller, {"aws:referer": "x", "aws:tagkeys": ("a", "b")}, "aws:tagkeys")
    assert dict(request.context) == {**always, "aws:tagkeys": frozenset({"a", "b"})}


def test_an_empty_tag_of_the_key_is_shown_empty() -> None:
    """It is in every request, whether or not a condition on it was solved."""
    key = KEY._replace(tags=(("team", ""),))
    caller = STRANGERS[ROLE]
    domains = Domains(caller, "Decrypt", Mode(), key, (ACCOUNT,), may=False)
    request = build(caller, "Decrypt", {}, domains, frozenset({"aws:resourcetag/team", "aws:resourcetag/x"}), key, Solver())
    assert dict(request.context) == {ARN: f"arn:aws:iam::{NINES}:role/Other", NUMBER: NINES, "aws:resourcetag/team": ""}


def test_a_key_under_its_other_name_has_the_same_value() -> None:
    request = built(STRANGERS[USER], {"aws:currenttime": "0.5", "kms:keyspec": "RSA_2048"}, "aws:epochtime", "aws:currenttime", "kms:customermasterkeyspec")  # fmt: skip
    shown = {name: value for name, value in request.context.items() if name not in {ARN, NUMBER}}
    assert shown == {"aws:currenttime": "1970-01-01T00:00:00.5Z", "aws:epochtime": "0.5", "kms:customermasterkeyspec": "RSA_2048"}


@pytest.mark.parametrize(
    ("name", "held", "shown"),
    [
        ("aws:referer", None, None),
        ("aws:currenttime", None, None),
        ("aws:currenttime", ABSENT, None),
        ("aws:referer", ABSENT, None),
        ("aws:referer", "0", "0"),
        ("aws:referer", "", ""),
        ("aws:tagkeys", ("b", "a"), frozenset({"a", "b"})),
        ("aws:currenttime", "1780315200", "2026-06-01T12:00:00Z"),
        ("aws:epochtime", "1780315200", "1780315200"),
        ("aws:epochtime", "2026-06-01T12:00:00Z", "1780315200"),
        ("aws:tokenissuetime", "1780315200", "1780315200"),
        ("aws:currenttime", "soon", "soon"),
    ],
)
def test_a_value_as_a_request_shows_it(name: str, held: Held | None, shown: ContextValue | None) -> None:
    assert _shown(name, held) == shown


ENDPOINT = "vpce-0123456789abcdef0"


@pytest.mark.parametrize(
    ("model", "mentioned", "endpoint"),
    [
        ({"aws:sourceip": ABSENT}, ("aws:sourceip",), ENDPOINT),
        ({"aws:sourceip": ABSENT, "aws:sourcevpce": "vpce-1"}, ("aws:sourceip", "aws:sourcevpce"), "vpce-1"),
        ({"aws:sourceip": "192.0.2.1"}, ("aws:sourceip",), None),
        ({}, (), None),
    ],
)
def test_a_call_without_an_address_came_through_an_endpoint(
    model: dict[str, Held], mentioned: tuple[str, ...], endpoint: str | None
) -> None:
    assert built(STRANGERS[USER], model, *mentioned).context.get("aws:sourcevpce") == endpoint
    assert dict(built(LAST_SERVICE, model, "aws:sourceip").context).get("aws:sourcevpce") is None


def test_a_service_has_no_keys_of_a_customer() -> None:
    request = built(LAST_SERVICE, {"aws:sourceaccount": TWOS}, *VIEWS, "aws:sourceaccount", "aws:principalservicename")
    assert request == Request(
        "other.amazonaws.com", "kms:Decrypt",
        {"aws:sourceaccount": TWOS, "aws:principalservicename": "other.amazonaws.com"}, KEY, None,
    )  # fmt: skip
    assert LAST_SERVICE.kind == SERVICE


@pytest.mark.parametrize(
    ("pattern", "principal"),
    [(TWOS, f"arn:aws:iam::{TWOS}:root"), ("2222*:bob", "arn:aws:sts::222200000000:federated-user/bob")],
)
def test_the_account_of_a_witness_is_that_of_its_unique_id(pattern: str, principal: str) -> None:
    policy = policy_of(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "kms:Decrypt",
                    "Resource": "*",
                    "Condition": {"StringLike": {"aws:userid": pattern}, "Bool": {"aws:PrincipalIsAWSService": "false"}},
                }
            ],
        }
    )
    found = find_allowed((policy,), statements_of([{"Action": "kms:Decrypt"}]), KEY, grant="any")
    assert isinstance(found, Violated)
    account = principal.split(":")[4]
    assert (found.witness.principal, found.witness.context[ARN], found.witness.context[NUMBER]) == (principal, principal, account)


# ------------------------------------------------------------------------------------------------------------- as it is told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("aws:sourceip", "aws:SourceIp"),
        ("kms:encryptioncontext:Team name", "kms:EncryptionContext:Team name"),
        ("aws:principaltag/Team", "aws:PrincipalTag/Team"),
        ("saml:aud", "saml:aud"),
        ("no:such", "no:such"),
    ],
)
def test_a_key_in_the_spelling_of_aws(name: str, said: str) -> None:
    assert spelled(name) == said


def test_a_request_as_json() -> None:
    context: dict[str, ContextValue] = {"aws:useragent": "x", "aws:tagkeys": frozenset("ba")}
    request = Request("p", "kms:Decrypt", context, KEY)
    shown = {"principal": "p", "action": "kms:Decrypt", "context": {"aws:TagKeys": ["a", "b"], "aws:UserAgent": "x"}}
    assert as_json(request) == shown
    assert list(as_json(request)["context"]) == ["aws:TagKeys", "aws:UserAgent"]
    assert as_json(request._replace(parent="u")) == {**shown, "parent": "u"}
