"""What a principal and a key settle of a context, and what AWS could not say."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.policy.complete import complete, determined, oddities
from kmslint.policy.evaluate import evaluate
from kmslint.policy.request import KeyContext, Request
from kmslint.reason.answer import Violated
from kmslint.reason.query import find_allowed
from tests import strategies
from tests.oracle.bridge import key_of, policy_of, statements_of

ACCOUNT = "111122223333"
KEY = KeyContext(account=ACCOUNT, region="eu-central-1", key_id="1")


NO_KEY = KeyContext()


def request(principal: str | None, action: str = "kms:Decrypt", key: KeyContext = NO_KEY, **context: object) -> Request:
    return Request(principal, action, {name.replace("__", ":"): value for name, value in context.items()}, key)  # type: ignore[misc]


CALLER = {"aws:principalaccount": ACCOUNT, "kms:calleraccount": ACCOUNT, "aws:principalisawsservice": "false"}


@pytest.mark.parametrize(
    ("principal", "settled"),
    [
        (
            f"arn:aws:iam::{ACCOUNT}:user/team/bob",
            CALLER
            | {"aws:principaltype": "User", "aws:principalarn": f"arn:aws:iam::{ACCOUNT}:user/team/bob", "aws:username": "bob"},
        ),
        (
            f"arn:aws:iam::{ACCOUNT}:role/app/x",
            CALLER | {"aws:principaltype": "AssumedRole", "aws:principalarn": f"arn:aws:iam::{ACCOUNT}:role/app/x"},
        ),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/x/s", CALLER | {"aws:principaltype": "AssumedRole"}),
        (
            f"arn:aws:iam::{ACCOUNT}:root",
            CALLER | {"aws:principaltype": "Account", "aws:principalarn": f"arn:aws:iam::{ACCOUNT}:root", "aws:userid": ACCOUNT},
        ),
        (
            f"arn:aws:sts::{ACCOUNT}:federated-user/f",
            CALLER
            | {
                "aws:principaltype": "FederatedUser",
                "aws:principalarn": f"arn:aws:sts::{ACCOUNT}:federated-user/f",
                "aws:userid": f"{ACCOUNT}:f",
            },
        ),
        ("s3.amazonaws.com", {"aws:principalisawsservice": "true", "aws:principalservicename": "s3.amazonaws.com"}),
        (None, {"aws:principalaccount": "anonymous", "aws:principaltype": "Anonymous", "aws:userid": "anonymous"}),
        ("bob", {}),
    ],
    ids=["user", "role", "session", "root", "federated", "service", "anonymous", "nobody"],
)
def test_the_principal_settles(principal: str | None, settled: dict[str, str]) -> None:
    assert determined(request(principal)) == settled
    assert complete(request(principal)).context == settled


def test_the_key_settles() -> None:
    key = KEY._replace(
        spec="RSA_2048",
        usage="SIGN_VERIFY",
        origin="EXTERNAL",
        multi_region=True,
        multi_region_type="PRIMARY",
        tags=(("Team", "red"),),
        org_id="o-a1b2c3d4e5",
    )
    assert determined(request("bob", key=key)) == {
        "aws:resourceaccount": ACCOUNT,
        "aws:resourceorgid": "o-a1b2c3d4e5",
        "aws:requestedregion": "eu-central-1",
        "kms:keyspec": "RSA_2048",
        "kms:customermasterkeyspec": "RSA_2048",
        "kms:keyusage": "SIGN_VERIFY",
        "kms:customermasterkeyusage": "SIGN_VERIFY",
        "kms:keyorigin": "EXTERNAL",
        "kms:multiregion": "true",
        "kms:multiregionkeytype": "PRIMARY",
        "aws:resourcetag/team": "red",
    }
    assert determined(request("bob", key=KeyContext(multi_region=False))) == {"kms:multiregion": "false"}


def test_the_two_names_of_the_time_are_one() -> None:
    assert complete(request("bob", aws__epochtime="1795000000")).context["aws:currenttime"] == "1795000000"
    assert complete(request("bob", aws__currenttime="2026-11-24T08:00:00Z")).context["aws:epochtime"] == "2026-11-24T08:00:00Z"
    assert "aws:currenttime" not in complete(request("bob")).context


@given(strategies.seeds())
def test_what_is_given_stays_and_once_is_enough(seed: int) -> None:
    rng = random.Random(seed)
    principal = rng.choice(
        [f"arn:aws:iam::{ACCOUNT}:user/bob", f"arn:aws:sts::{ACCOUNT}:assumed-role/x/s", "s3.amazonaws.com", None]
    )
    given_keys = rng.sample(["aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:username", "aws:epochtime"], 2)
    asked = Request(principal, "kms:Decrypt", dict.fromkeys(given_keys, "x"), KEY)
    done = complete(asked)
    assert all(done.context[name] == "x" for name in given_keys)
    assert complete(done) == done


@given(strategies.seeds())
def test_a_witness_is_a_request_that_aws_could_make_and_completing_it_changes_no_decision(seed: int) -> None:
    case = strategies.draw_case(random.Random(seed), strategies.Shape(statements=3))
    policies = tuple(policy_of(one) for one in case.policies)
    answer = find_allowed(policies, statements_of(case.described), key_of(), grant="any")
    if isinstance(answer, Violated):
        completed = complete(answer.witness)
        assert oddities(completed) == ()
        before, after = evaluate(policies, answer.witness), evaluate(policies, completed)
        assert (before.decision, before.grant) == (after.decision, after.grant)


@given(
    st.dictionaries(
        st.sampled_from(["aws:sourceip", "aws:tagkeys", "x", "aws:principalarn", "\x1b[31m", ""]),
        st.text() | st.frozensets(st.text()),
    ),
    st.sampled_from(
        [None, "bob", "s3.amazonaws.com", f"arn:aws:sts::{ACCOUNT}:assumed-role/x/s", f"arn:aws:iam::{ACCOUNT}:root"]
    ),
    st.text(),
)
def test_nothing_that_is_asked_makes_it_fail(context: dict[str, str], principal: str | None, action: str) -> None:
    asked = Request(principal, action, context, KEY)
    assert all(isinstance(sentence, str) for sentence in oddities(complete(asked)))


USER = f"arn:aws:iam::{ACCOUNT}:user/bob"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/x/s"


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        (request(USER, "kms:Decryp"), "AWS KMS has no action `kms:Decryp`; did you mean `kms:Decrypt`?"),
        (request(USER, "s3:GetObject"), "AWS KMS has no action `s3:GetObject`"),
        (
            request(USER, aws__principalaccount="999999999999"),
            f"`aws:PrincipalAccount` is `999999999999`, but the principal and the key make it `{ACCOUNT}`",
        ),
        (
            request(USER, key=KEY, aws__requestedregion="us-east-1"),
            "`aws:RequestedRegion` is `us-east-1`, but the principal and the key make it `eu-central-1`",
        ),
        (
            request(SESSION, aws__principalarn=f"arn:aws:iam::{ACCOUNT}:role/y"),
            f"`aws:PrincipalArn` is `arn:aws:iam::{ACCOUNT}:role/y`, which is not the role of `{SESSION}`",
        ),
        (request(USER, aws__sourceaccount=ACCOUNT), "a `kms:Decrypt` call of such a principal never has `aws:SourceAccount`"),
        (
            request(USER, kms__grantoperations=frozenset({"Decrypt"})),
            "a `kms:Decrypt` call of such a principal never has `kms:GrantOperations`",
        ),
        (
            request(USER, aws__principalorgids="o-1"),
            "no request to AWS KMS has the condition key `aws:principalorgids`; did you mean `aws:PrincipalOrgID`?",
        ),
        (request(USER, aws__sourceip=frozenset({"10.0.0.1", "10.0.0.2"})), "`aws:SourceIp` has one value, not 2"),
        (request(USER, aws__securetransport="maybe"), "`maybe` is no value of `aws:SecureTransport`"),
        (
            request(USER, aws__sourceip="10.0.0.1", aws__sourcevpce="vpce-1"),
            "`aws:SourceIp` is absent through a VPC endpoint, which `aws:SourceVpce` speaks of",
        ),
        (
            request(USER, aws__viaawsservice="false", aws__calledvialast="s3.amazonaws.com"),
            "`aws:CalledViaLast` is there only when `aws:ViaAWSService` is `true`",
        ),
        (
            request(USER, aws__principalorgid="o-1", aws__principalorgpaths=frozenset({"o-2/r-1/"})),
            "`aws:PrincipalOrgPaths` holds `o-2/r-1/`, which is not in the organization `o-1` of `aws:PrincipalOrgID`",
        ),
        (
            request(USER, aws__currenttime="2026-11-24T08:00:00Z", aws__epochtime="0"),
            "`aws:CurrentTime` is `2026-11-24T08:00:00Z` and `aws:EpochTime` is `0`, which are two instants",
        ),
        (
            request(USER, kms__encryptioncontext__team="red", kms__encryptioncontextkeys=frozenset({"Other"})),
            "`kms:EncryptionContext:team` is there, but `kms:EncryptionContextKeys` does not list `team`",
        ),
    ],
)
def test_a_context_that_aws_could_not_produce_is_told(odd: Request, told: str) -> None:
    assert told in oddities(complete(odd))


@pytest.mark.parametrize(
    "ordinary",
    [
        request(USER, key=KEY, aws__sourceip="10.0.0.1"),
        request(USER, aws__sourcevpce="vpce-1", aws__vpcsourceip="10.0.0.1"),
        request(USER, aws__viaawsservice="true", aws__sourceip="10.0.0.1", aws__sourcevpce="vpce-1"),
        request(SESSION, aws__principalarn=f"arn:aws:iam::{ACCOUNT}:role/path/x"),
        request("s3.amazonaws.com", aws__sourceaccount=ACCOUNT, aws__sourceip="10.0.0.1", aws__sourcearn="arn:aws:s3:::b"),
        request(USER, aws__principalorgid="o-1", aws__principalorgpaths=frozenset({"o-1/r-1/"})),
        request(USER, aws__currenttime="2026-11-24T08:00:00Z", aws__epochtime="1795507200"),
        request(USER, kms__encryptioncontext__team="red", kms__encryptioncontextkeys=frozenset({"Team", "b"})),
        request(None),
    ],
)
def test_an_ordinary_context_is_not(ordinary: Request) -> None:
    assert oddities(complete(ordinary)) == ()
