"""What each context key can hold: by the caller's class, by the KMS key, by the case, by AWS's lists."""

import pytest

from kmslint.aws.condition_keys import KEYS, lookup
from kmslint.policy import operators
from kmslint.policy.complete import determined
from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER
from kmslint.policy.request import KeyContext, Request
from kmslint.reason import domains as module
from kmslint.reason.callers import FRESH, SERVICES, Caller, Callers, Names
from kmslint.reason.domains import Domains
from kmslint.reason.modes import Mode
from kmslint.reason.strings import Budget, Constraint, accepts, shortest
from kmslint.reason.values import ABSENT, ALWAYS, EMPTY, NEVER, OPTIONAL, Domain, Held, Solver, domain_constraints
from tests.oracle.bridge import key_of

A, B = "111122223333", "444455556666"
STRANGER = "999999999999"
KEY = key_of()
NAMES = Names(
    (A, B), (f"arn:aws:iam::{A}:user/p/u",), (f"arn:aws:iam::{A}:role/p/r",), (f"arn:aws:sts::{A}:assumed-role/r/s", f"arn:aws:sts::{A}:assumed-role/q/s"),
    (f"arn:aws:sts::{A}:federated-user/f",), ("s3.amazonaws.com",), frozenset({A, B}),
)  # fmt: skip
CALLERS = Callers(NAMES, KEY)
NAMED = {(caller.kind, caller.label): caller for caller in CALLERS.of(A)}
FRESH_OF = {caller.kind: caller for caller in CALLERS.of(FRESH)}
OTHER_OF = {
    caller.kind: caller for caller in CALLERS.of(A) if caller.label.startswith(("another role", "another user", "another fed"))
}
S3 = CALLERS.of(SERVICES)[0]
FREE = Mode()
THE_USER = NAMED[USER, f"user arn:aws:iam::{A}:user/p/u"]
THE_ROLE = NAMED[ROLE, f"a session of arn:aws:iam::{A}:role/p/r"]
THE_SESSION = NAMED[ROLE, f"session s of arn:aws:iam::{A}:role/p/r"]
THE_ROOT = NAMED[ROOT, f"the root user of account {A}"]
THE_FEDERATED = NAMED[FEDERATED, f"federated session arn:aws:sts::{A}:federated-user/f"]


def domain(
    key: str, caller: Caller = THE_USER, mode: Mode = FREE, kms: KeyContext = KEY, *, may: bool = True, action: str = "Decrypt"
) -> Domain:
    return Domains(caller, action, mode, kms, (A, B), may=may).of(key)


def plainest(one: Domain) -> Held | None:
    """What a key of this domain is shown to hold where nothing is asked of it."""
    return Solver().model(one._replace(presence=ALWAYS) if one.presence == OPTIONAL else one, (), Budget())


def texts(one: Domain, *values: str) -> list[str]:
    return [value for value in values if one.holds(value)]


BOTH = pytest.mark.parametrize("may", [False, True])


# by the caller


@BOTH
@pytest.mark.parametrize(
    ("caller", "arn", "account", "name", "kind"),
    [
        (THE_USER, f"arn:aws:iam::{A}:user/p/u", A, "u", "User"),
        (THE_ROLE, f"arn:aws:iam::{A}:role/p/r", A, None, "AssumedRole"),
        (THE_SESSION, f"arn:aws:iam::{A}:role/p/r", A, None, "AssumedRole"),
        (THE_ROOT, f"arn:aws:iam::{A}:root", A, None, "Account"),
        (THE_FEDERATED, f"arn:aws:sts::{A}:federated-user/f", A, None, "FederatedUser"),
    ],
)
def test_a_named_caller_fixes_its_identity(
    caller: Caller, arn: str, account: str, name: str | None, kind: str, may: bool
) -> None:
    def fixed(value: str | None) -> Domain:
        return Domain(NEVER) if value is None else Domain(ALWAYS, finite=(value,))

    wanted = {"aws:principalarn": arn, "aws:principalaccount": account, "aws:username": name, "aws:principaltype": kind, "aws:principalisawsservice": "false",
              "aws:principalservicename": None, "aws:principalservicenameslist": None}  # fmt: skip
    assert {key: domain(key, caller, may=may) for key in wanted} == {key: fixed(value) for key, value in wanted.items()}


@BOTH
@pytest.mark.parametrize(
    "caller", [*FRESH_OF.values(), *OTHER_OF.values(), THE_USER, THE_ROLE, THE_SESSION, THE_ROOT, THE_FEDERATED]
)
def test_what_the_principal_of_a_class_settles_is_in_its_domains(caller: Caller, may: bool) -> None:
    """The member that stands for the class holds what a request of its principal holds."""
    for key, value in determined(Request(caller.principal, "kms:Decrypt", {}, KEY)).items():
        one = domain("aws:principalaccount" if key == "kms:calleraccount" else key, caller, may=may)
        assert one.presence == ALWAYS
        assert isinstance(value, str)
        assert one.holds(value), (key, value)


def languages(caller: Caller) -> tuple[Domain, Domain, Domain, Domain]:
    arn, account, name, unique = (
        domain(f"aws:{key}", caller) for key in ("principalarn", "principalaccount", "username", "userid")
    )
    return arn, account, name, unique


def test_the_account_of_a_stranger_is_any_that_is_not_named() -> None:
    numbers = (A, B, STRANGER, "123456789012", "1" * 11, "1" * 13, "x" * 12, "")
    for caller in FRESH_OF.values():
        arn, account, _, _ = languages(caller)
        assert texts(account, *numbers) == [STRANGER, "123456789012"]
        assert plainest(account) == STRANGER
        head, tail = {
            USER: ("iam", "user/p/x"),
            ROLE: ("iam", "role/x"),
            ROOT: ("iam", "root"),
            FEDERATED: ("sts", "federated-user/x"),
        }[caller.kind]
        arns = [f"arn:aws:{head}::{number}:{tail}" for number in numbers]
        assert [text.split(":")[4] for text in texts(arn, *arns)] == [STRANGER, "123456789012"]
        assert not arn.holds(f"arn:aws-cn:{head}::{STRANGER}:{tail}")
        shown = plainest(arn)
        assert shown == {USER: f"arn:aws:iam::{STRANGER}:user/other", ROLE: f"arn:aws:iam::{STRANGER}:role/Other", ROOT: f"arn:aws:iam::{STRANGER}:root",
                         FEDERATED: f"arn:aws:sts::{STRANGER}:federated-user/federated"}[caller.kind]  # fmt: skip
        assert shortest(domain_constraints(arn._replace(samples=())), Budget()) is not None


def test_the_rest_of_an_account_is_all_that_is_not_named() -> None:
    arn, account, name, _ = languages(OTHER_OF[USER])
    assert texts(
        arn, f"arn:aws:iam::{A}:user/p/u", f"arn:aws:iam::{A}:user/u", f"arn:aws:iam::{B}:user/x", f"arn:aws:iam::{A}:role/x"
    ) == [f"arn:aws:iam::{A}:user/u"]
    assert account == Domain(ALWAYS, finite=(A,))
    assert texts(name, "u", "v", "a.b-c_d@e=f,g+h", "a/b", "a b", "") == ["u", "v", "a.b-c_d@e=f,g+h"]
    assert plainest(name) == "other"
    arn, account, name, _ = languages(OTHER_OF[ROLE])
    assert texts(arn, *(f"arn:aws:iam::{A}:role/{rest}" for rest in ("p/r", "r", "q", "x/q", "x", "x/y"))) == [
        f"arn:aws:iam::{A}:role/x",
        f"arn:aws:iam::{A}:role/x/y",
    ], "a role's name is one of its account, whatever its path"
    assert (account, name) == (Domain(ALWAYS, finite=(A,)), Domain(NEVER))
    assert plainest(arn) == f"arn:aws:iam::{A}:role/Other"


@BOTH
def test_a_service_has_a_name_and_no_customers_identity(may: bool) -> None:
    for key in ("aws:principalarn", "aws:principalaccount", "aws:username"):
        assert domain(key, S3, may=may) == Domain(NEVER)
    assert domain("aws:principalisawsservice", S3, may=may) == Domain(ALWAYS, finite=("true",))
    assert domain("aws:principalservicename", S3, may=may) == Domain(ALWAYS, finite=("s3.amazonaws.com",))
    names = domain("aws:principalservicenameslist", S3, may=may)
    assert names == (
        Domain(ALWAYS, True, must_hold=("s3.amazonaws.com",)) if may else Domain(ALWAYS, True, finite=("s3.amazonaws.com",))
    )
    assert plainest(names) == ("s3.amazonaws.com",)
    assert (
        domain("aws:userid", S3, may=may).presence
        == domain("aws:principaltype", S3, may=may).presence
        == (OPTIONAL if may else NEVER)
    )


UNIQUE = "A1B2C3D4E5F6G7H8I"


@pytest.mark.parametrize(
    ("caller", "held", "shown"),
    [
        (THE_USER, ["AIDA" + UNIQUE], "AIDACKCEVSQ6C2EXAMPLE"),
        (FRESH_OF[USER], ["AIDA" + UNIQUE], "AIDACKCEVSQ6C2EXAMPLE"),
        (THE_ROLE, [f"AROA{UNIQUE}:x", f"AROA{UNIQUE}:session"], "AROADBQP57FF2AEXAMPLE:session"),
        (THE_SESSION, [f"AROA{UNIQUE}:s"], "AROADBQP57FF2AEXAMPLE:s"),
        (FRESH_OF[ROLE], [f"AROA{UNIQUE}:s", f"AROA{UNIQUE}:x", f"AROA{UNIQUE}:session"], "AROADBQP57FF2AEXAMPLE:session"),
        (THE_ROOT, [A], A),
        (FRESH_OF[ROOT], [STRANGER, "123456789012"], STRANGER),
        (THE_FEDERATED, [f"{A}:f"], f"{A}:f"),
        (OTHER_OF[FEDERATED], [f"{A}:x"], f"{A}:federated"),
        (FRESH_OF[FEDERATED], [f"{STRANGER}:f"], f"{STRANGER}:federated"),
    ],
)
def test_the_unique_id_of_a_caller(caller: Caller, held: list[str], shown: str) -> None:
    candidates = ["AIDA" + UNIQUE, "AIDA" + UNIQUE + "1", "AIDA" + UNIQUE[:-1], "AIDA" + UNIQUE.lower(), f"AROA{UNIQUE}:s", f"AROA{UNIQUE}:x", f"AROA{UNIQUE}:session",
                  f"AROA{UNIQUE}:", f"AROA{UNIQUE}", f"AROA{UNIQUE}1:s", A, B, STRANGER, "123456789012", f"{A}:f", f"{A}:x", f"{A}:", f"{STRANGER}:f", f"{A}1:f", f"{A[:-1]}:f"]  # fmt: skip
    one = domain("aws:userid", caller)
    assert texts(one, *candidates) == held
    assert plainest(one) == shown
    assert domain("aws:userid", caller, may=False) == one


# by the KMS key

KNOWN = KEY._replace(spec="RSA_2048", usage="SIGN_VERIFY", origin="EXTERNAL", multi_region=True, multi_region_type="REPLICA", org_id="o-abc", tags=(("Team", "x"), ("a/b", "y")))  # fmt: skip


@BOTH
@pytest.mark.parametrize("caller", [THE_USER, S3])
def test_what_the_kms_key_settles_of_a_request_it_settles_of_the_search(may: bool, caller: Caller) -> None:
    old_names = {"kms:customermasterkeyspec", "kms:customermasterkeyusage"}
    for known in (KNOWN, KNOWN._replace(multi_region=False, multi_region_type=None)):
        settled = determined(Request(None, "kms:Decrypt", {}, known))
        settled = {
            key: value
            for key, value in settled.items()
            if not key.startswith("aws:principal") and key not in old_names | {"aws:userid"}
        }
        assert len(settled) == (10 if known.multi_region else 9)
        for key, value in settled.items():
            assert domain(key, caller, kms=known, may=may) == Domain(ALWAYS, finite=(value,)), key  # type: ignore[arg-type]


def test_what_is_not_known_of_the_kms_key_stays_open() -> None:
    nothing = KeyContext()
    for key in ("aws:resourceaccount", "aws:requestedregion", "kms:keyspec", "kms:keyusage", "kms:keyorigin", "kms:multiregion"):
        one = domain(key, kms=nothing)
        assert one.presence == ALWAYS
        assert one.finite is None or len(one.finite) > 1
        assert one == domain(key, kms=nothing, may=False)
    for key in ("aws:resourceorgid", "aws:resourcetag/team", "kms:multiregionkeytype"):
        assert domain(key, kms=nothing).presence == OPTIONAL
        assert domain(key, kms=nothing, may=False).presence == OPTIONAL


@BOTH
def test_whether_a_key_is_multi_region_settles_whether_it_has_a_type(may: bool) -> None:
    key = "kms:multiregionkeytype"
    assert domain(key, kms=KEY._replace(multi_region=True), may=may) == Domain(ALWAYS, finite=("PRIMARY", "REPLICA"))
    assert domain(key, kms=KEY._replace(multi_region=False), may=may) == Domain(NEVER)
    assert domain("kms:multiregion", kms=KEY._replace(multi_region=False), may=may) == Domain(ALWAYS, finite=("false",))
    assert domain("kms:keyspec", kms=KEY._replace(multi_region=False), may=may).presence == ALWAYS


@BOTH
def test_a_tag_is_there_with_its_value_or_not_at_all_where_tags_are_known(may: bool) -> None:
    tagged = KEY._replace(tags=(("Team", "x"), ("a/b", "y"), ("empty", "")))
    assert domain("aws:resourcetag/team", kms=tagged, may=may) == Domain(ALWAYS, finite=("x",))
    assert domain("aws:resourcetag/a/b", kms=tagged, may=may) == Domain(ALWAYS, finite=("y",))
    assert domain("aws:resourcetag/empty", kms=tagged, may=may) == Domain(EMPTY)
    assert domain("aws:resourcetag/none", kms=tagged, may=may) == Domain(NEVER)
    assert domain("aws:resourcetag/none", kms=KEY._replace(tags=()), may=may) == Domain(NEVER)
    for key in ("kms:keyspec", "kms:keyusage", "kms:multiregionkeytype", "aws:resourceorgid"):
        assert domain(key, kms=tagged, may=may) == domain(key, may=may) != Domain(NEVER)
    assert domain("aws:requesttag/team", kms=tagged, may=may, action="TagResource").presence == OPTIONAL


def test_aliases_are_looked_at_only_where_everything_is_that_no_source_excludes() -> None:
    assert domain("kms:resourcealiases").presence == OPTIONAL
    assert domain("kms:resourcealiases", may=False) == Domain(NEVER)
    assert domain("kms:requestalias", may=False).presence == OPTIONAL


# by the case


def test_a_case_fixes_a_key_or_its_presence_or_its_language() -> None:
    agent, org, paths, tag = "aws:useragent", "aws:principalorgid", "aws:principalorgpaths", "aws:principaltag/t"
    free = domain(org)
    assert domain(org, mode=Mode(((org, "o-1"),))) == Domain(ALWAYS, finite=("o-1",))
    assert domain(org, mode=Mode(((org, None),))) == Domain(NEVER)
    assert domain(tag, mode=Mode(((tag, ""),))) == Domain(EMPTY)
    assert domain(agent, mode=Mode(((org, "o-1"),))) == domain(agent)
    for presence in (ALWAYS, OPTIONAL, NEVER):
        assert domain(org, mode=Mode(presence=((org, presence),))) == free._replace(presence=presence)
    assert domain(agent, mode=Mode(presence=((org, NEVER),))) == domain(agent)
    below = (*"o-1", "/", 1)
    one = domain(paths, mode=Mode(presence=((paths, ALWAYS),), within=((paths, below),)))
    assert (one.presence, one.patterns, one.samples, one.multi) == (ALWAYS, (below,), (), True)
    assert domain(org, mode=Mode(within=((org, below),))) == free._replace(patterns=(below,), samples=())
    listed = domain("kms:encryptioncontextkeys", mode=Mode(sets=(("kms:encryptioncontextkeys", ("a",), ("b", "c")),)))
    assert listed == domain("kms:encryptioncontextkeys")._replace(must_hold=("a",), never_hold=("b", "c"))


@pytest.mark.parametrize("key", ["aws:sourceaccount", "aws:username", "kms:encryptioncontextkeys"])
def test_no_case_gives_a_caller_or_an_action_a_key_that_it_never_has(key: str) -> None:
    below = (*"o-1", "/", 1)
    for mode in (
        Mode(((key, "x"),)), Mode(((key, ""),)), Mode(((key, None),)), Mode(presence=((key, ALWAYS),)), Mode(presence=((key, OPTIONAL),)),
        Mode(within=((key, below),)), Mode(sets=((key, ("a",), ()),)),
    ):  # fmt: skip
        assert domain(key, THE_ROLE, mode, action="DescribeKey") == Domain(NEVER)


@pytest.mark.parametrize(
    "key", ["kms:granteeprincipal", "kms:granteeserviceprincipal", "kms:retiringprincipal", "kms:retiringserviceprincipal"]
)
def test_that_a_grant_has_one_grantee_is_said_of_grants_alone(key: str) -> None:
    for presence in (ALWAYS, NEVER):
        mode = Mode(presence=((key, presence), ("aws:sourcevpce", presence)))
        assert domain(key, mode=mode, action="CreateGrant").presence == presence
        assert domain(key, mode=mode, action="AnActionToCome").presence == OPTIONAL
        assert domain(key, mode=mode, action="Decrypt").presence == NEVER
        for action in ("CreateGrant", "AnActionToCome"):
            assert domain("aws:sourcevpce", mode=mode, action=action).presence == presence


# by AWS's lists


def test_a_key_that_no_request_has_is_open_or_left_out() -> None:
    assert domain("no:such") == Domain(OPTIONAL)
    assert domain("no:such", may=False) == Domain(NEVER)


def test_where_no_source_tells_the_wide_reading_has_both_and_the_narrow_none() -> None:
    assert domain("aws:multifactorauthpresent", THE_FEDERATED).presence == OPTIONAL
    assert domain("aws:multifactorauthpresent", THE_FEDERATED, may=False) == Domain(NEVER)
    assert domain("aws:multifactorauthpresent", THE_USER, may=False).presence == OPTIONAL
    assert domain("aws:sourceaccount") == Domain(NEVER)
    assert domain("kms:encryptioncontext:a", action="DescribeKey") == Domain(NEVER)


@BOTH
def test_the_type_of_a_key_is_the_family_of_its_values(may: bool) -> None:
    families = {"String": operators.STRING, "ARN": operators.STRING, "Numeric": operators.NUMERIC, "Date": operators.DATE, "Bool": operators.BOOL, "IP": operators.IP}  # fmt: skip
    seen = set()
    for name, known in KEYS.items():
        key = name.replace("<oidc-provider>", "accounts.google.com").replace("*", "x")
        one = Domains(
            S3 if known.presence[SERVICE] == "always" else THE_ROLE, "CreateGrant", Mode(), KeyContext(), (), may=may
        ).of(key)
        if lookup(key) is None or one.presence == NEVER or key in FIXED or name == "aws:epochtime":
            continue
        seen.add(known.type)
        assert (one.family, one.multi) == (families[known.type], known.multi), key
        if known.values is not None and key != "aws:securetransport":
            assert set(one.finite or ()) == set(known.values), key
        elif key != "aws:securetransport":
            assert one.finite is None, key
    assert seen == set(families)


FIXED = ("aws:principalarn", "aws:principalaccount", "aws:userid", "aws:username", "aws:principaltype", "aws:principalisawsservice", "aws:principalservicename",
         "aws:principalservicenameslist")  # fmt: skip


def test_a_call_is_encrypted_where_real_ones_are_sought() -> None:
    assert domain("aws:securetransport").finite == ("true", "false")
    assert domain("aws:securetransport", may=False).finite == ("true",)
    assert domain("aws:viaawsservice").finite == domain("aws:viaawsservice", may=False).finite == ("false", "true")
    assert domain("aws:assumedroot", THE_ROOT).finite == ("true",)
    assert domain("aws:principaltag/t", may=False).finite is None


@pytest.mark.parametrize(
    ("key", "held", "not_held"),
    [
        ("kms:rotationperiodindays", ["90", "365", "2560"], ["89", "2561", "90.5", "x", ""]),
        ("kms:schedulekeydeletionpendingwindowindays", ["7", "30"], ["6", "31", "7.5"]),
        ("kms:trailingdayswithoutkeyusage", ["0", "1000000000"], ["-1", "1000000001"]),
        ("aws:multifactorauthage", ["0", "1000000000"], ["-1", "1000000001", "0.5"]),
        ("ec2:roledelivery", ["1.0", "2.0"], ["3.0", "1"]),
        ("aws:sourceip", ["198.51.100.23", "::1"], ["x", "1.2.3", "10.0.0.0/8", ""]),
        ("aws:principalorgid", ["o-a1b2c3d4e5", "x"], ["", "o-*", "o-?", "o/", "$o", "o p"]),
        ("aws:resourceorgid", ["o-a1b2c3d4e5", "x"], ["", "o-*", "o-?", "o/", "$o", "o p"]),
        ("aws:vpceorgid", ["o-a1b2c3d4e5", "x"], ["", "o-*", "o-?", "o/", "$o", "o p"]),
        ("kms:viaservice", ["s3.us-east-1.amazonaws.com", "x.amazonaws.com"], ["", ".amazonaws.com", "S3.amazonaws.com", "s3.amazonaws.org", "s3_x.amazonaws.com", "xamazonaws.com"]),
        ("aws:useragent", ["aws-cli/2.0", " ", "*"], [""]),
        ("aws:sourcevpce", ["vpce-1", "x"], [""]),
        ("kms:encryptioncontext:a", ["v", "*"], [""]),
        ("kms:grantoperations", ["Decrypt", "CreateGrant"], ["decrypt", ""]),
    ],
)  # fmt: skip
def test_the_values_of_a_key(key: str, held: list[str], not_held: list[str]) -> None:
    actions = {"kms:rotationperiodindays": "EnableKeyRotation", "kms:schedulekeydeletionpendingwindowindays": "ScheduleKeyDeletion",
               "kms:trailingdayswithoutkeyusage": "ScheduleKeyDeletion", "kms:grantoperations": "CreateGrant"}  # fmt: skip
    one = domain(key, THE_ROLE, action=actions.get(key, "Decrypt"))
    assert one.presence != NEVER
    assert texts(one, *held, *not_held) == held
    shown = plainest(one)
    assert all(one.holds(member) for member in (shown if isinstance(shown, tuple) else (shown,)))  # type: ignore[arg-type]


def test_the_account_behind_a_service_has_twelve_digits() -> None:
    one = domain("aws:sourceaccount", S3)
    assert texts(one, A, "1" * 11, "1" * 13, "x" * 12, "") == [A]
    assert domain("aws:sourceorgid", S3).holds("o-1")
    assert not domain("aws:sourceorgid", S3).holds("o*")


def test_the_time_is_epoch_seconds_that_nobody_takes_for_a_year() -> None:
    one = domain("aws:currenttime")
    held = ["0", "10", "999", "12345", "123456", "1795000000", "-5", "-12", "-123", "-12345", "1.5", "12.25", "1234.5", "-1.5"]
    assert texts(one, *held, "1234", "2026", "-1234", "2026-01-01T00:00:00Z", "1.", ".5", "1e3", "", "x", "+5", "--5") == held
    assert (one.presence, one.family, one.finite) == (ALWAYS, operators.DATE, None)


@pytest.mark.parametrize(
    ("key", "shown", "caller"),
    [
        ("aws:principalorgid", "o-a1b2c3d4e5", THE_ROLE), ("aws:resourceorgid", "o-k1m2s3l4i5", THE_ROLE), ("aws:sourceorgid", "o-a1b2c3d4e5", S3),
        ("aws:sourceip", "198.51.100.23", THE_ROLE), ("aws:vpcsourceip", "10.0.0.5", THE_ROLE), ("aws:sourcevpce", "vpce-0123456789abcdef0", THE_ROLE),
        ("aws:sourcevpc", "vpc-0123456789abcdef0", THE_ROLE), ("kms:viaservice", "s3.us-east-1.amazonaws.com", THE_ROLE), ("aws:sourceaccount", STRANGER, S3),
        ("aws:sourcearn", "arn:aws:s3:::somebody-elses-bucket", S3), ("aws:currenttime", "1795000000", THE_ROLE), ("aws:useragent", "aws-cli/2.0", THE_ROLE),
        ("aws:securetransport", "true", THE_ROLE), ("aws:viaawsservice", "false", THE_ROLE),
    ],
)  # fmt: skip
@BOTH
def test_a_witness_shows_values_that_look_real(key: str, shown: str, caller: Caller, may: bool) -> None:
    one = domain(key, caller, may=may)
    assert plainest(one) == shown
    assert all(one.holds(sample) for sample in one.samples)
    assert one.finite is not None or one.samples[0] == shown


@pytest.mark.parametrize(
    ("key", "is_free"),
    [("kms:encryptioncontext:a", True), ("aws:principaltag/t", True), ("aws:resourcetag/t", True), ("aws:requesttag/t", True), ("aws:sourceidentity", False),
     ("aws:useragent", False), ("aws:principalorgid", False), ("kms:messagetype", False), ("aws:sourceip", False), ("aws:tagkeys", False)],
)  # fmt: skip
def test_tags_and_encryption_context_may_be_empty_text(key: str, is_free: bool) -> None:
    action = {"aws:requesttag/t": "TagResource", "aws:tagkeys": "TagResource", "kms:messagetype": "Sign"}.get(key, "Decrypt")
    assert domain(key, THE_ROLE, action=action).may_be_empty == is_free
    assert not domain(key, THE_ROLE, action=action, may=False).may_be_empty
    assert domain(key, THE_ROLE, action=action).presence != NEVER


# memory


def test_equal_domains_are_one_object_and_so_is_one_key_asked_for_twice() -> None:
    both = [Domains(THE_ROLE, "Decrypt", Mode(), KEY, (A, B), may=True) for _ in range(2)]
    assert both[0].of("aws:useragent") is both[1].of("aws:useragent")
    calls: list[str] = []

    class Counted(Domains):
        def _identity(self, key: str) -> Domain | None:
            calls.append(key)
            return super()._identity(key)

    counted = Counted(THE_ROLE, "Decrypt", Mode(), KEY, (A, B), may=True)
    assert counted.of("aws:useragent") is counted.of("aws:useragent")
    assert calls == ["aws:useragent"]
    assert counted.of("aws:username") == Domain(NEVER)
    assert calls == ["aws:useragent", "aws:username"]


@pytest.mark.parametrize(("kept", "left"), [(20_000, 20_001), (20_001, 1)])
def test_the_memory_of_domains_is_bounded(monkeypatch: pytest.MonkeyPatch, kept: int, left: int) -> None:
    memory: dict[object, Domain] = {place: Domain(NEVER) for place in range(kept)}
    monkeypatch.setattr(module, "_SHARED", memory)
    one = domain("aws:username")
    assert len(memory) == left
    assert memory[one] is one


def test_what_is_listed_is_remembered_but_for_long_keys() -> None:
    def remembered(key: str) -> int:
        before = module._listed.cache_info().currsize
        assert domain(key, THE_ROLE).presence == OPTIONAL
        return module._listed.cache_info().currsize - before

    head = "aws:principaltag/"
    longest = head + "x" * (128 - len(head))
    assert [remembered(longest), remembered(longest), remembered(longest + "x"), remembered(longest[:-1])] == [1, 0, 0, 1]


def test_a_callers_excluded_accounts_are_those_that_are_named_if_it_is_fresh() -> None:
    fresh = Domains(FRESH_OF[USER], "Decrypt", Mode(), KEY, [A, B], may=True)
    assert fresh.excluded_accounts == (A, B)
    assert Domains(THE_USER, "Decrypt", Mode(), KEY, [A, B], may=True).excluded_accounts == ()
    assert shortest([Constraint(fresh.of("aws:principalaccount").patterns, True)], Budget()) == "0" * 12
    assert accepts(fresh.of("aws:principalaccount").patterns[0], A)
    assert Solver().model(Domain(NEVER), (), Budget()) == ABSENT
