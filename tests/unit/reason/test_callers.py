"""Which classes of callers a list of statements tells apart, whole, and which names they come from."""

import pytest

from kmslint.policy.document import Principal, Statement
from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER, identify, match_principals
from kmslint.policy.request import KeyContext, Request
from kmslint.reason.callers import FRESH, SERVICES, Caller, Callers, Names, account_text, join_names, names_in
from kmslint.reason.query import find_allowed, who
from kmslint.reason.strings import accepts
from kmslint.tree import Symbol, Template, from_python
from tests.oracle.bridge import key_of, policy_of, statements_of

A, B = "111122223333", "444455556666"
KEY = key_of()
NONE = Names((), (), (), (), (), (), frozenset())
STRANGERS = ("999999999999", "888888888888", "777788889999", "555566667777", "123412341234", "210987654321", "314159265358", "271828182845")  # fmt: skip


def iam(rest: str, account: str = A) -> str:
    return f"arn:aws:iam::{account}:{rest}"


def sts(rest: str, account: str = A) -> str:
    return f"arn:aws:sts::{account}:{rest}"


def statement(principal: object = "*", condition: object = None) -> Statement:
    return statements_of([{"Principal": principal, "Action": "kms:Decrypt", "Condition": condition or {}}])[0]


@pytest.mark.parametrize(
    ("principal", "names"),
    [
        ("*", NONE),
        ({"AWS": A}, NONE._replace(accounts=(A,), digits=frozenset({A}))),
        ({"AWS": iam("root")}, NONE._replace(accounts=(A,), digits=frozenset({A}))),
        ({"AWS": [iam("user/p/u"), iam("user/v")]}, NONE._replace(accounts=(A,), users=(iam("user/p/u"), iam("user/v")), digits=frozenset({A}))),
        ({"AWS": iam("role/r", B)}, NONE._replace(accounts=(B,), roles=(iam("role/r", B),), digits=frozenset({B}))),
        ({"AWS": sts("assumed-role/r/s")}, NONE._replace(accounts=(A,), sessions=(sts("assumed-role/r/s"),), digits=frozenset({A}))),
        ({"AWS": sts("federated-user/f")}, NONE._replace(accounts=(A,), federated=(sts("federated-user/f"),), digits=frozenset({A}))),
        ({"Service": ["s3.amazonaws.com", "no service"]}, NONE._replace(services=("s3.amazonaws.com",))),
        ({"Service": iam("role/r")}, NONE._replace(digits=frozenset({A}))),
        ({"AWS": ["AIDACKCEVSQ6C2EXAMPLE", "x"]}, NONE),
        ({"Federated": iam("saml-provider/p")}, NONE._replace(digits=frozenset({A}))),
    ],
)  # fmt: skip
def test_the_names_in_a_principal_element(principal: object, names: Names) -> None:
    assert names_in(statement(principal)) == names


@pytest.mark.parametrize(
    ("operator", "key", "value", "names"),
    [
        ("StringEquals", "aws:PrincipalAccount", [A, B], NONE._replace(accounts=(A, B), digits=frozenset({A, B}))),
        ("StringEquals", "kms:CallerAccount", A, NONE._replace(accounts=(A,), digits=frozenset({A}))),
        ("ArnLike", "aws:PrincipalArn", iam("role/*"), NONE._replace(accounts=(A,), digits=frozenset({A}))),
        ("StringEquals", "aws:SourceAccount", A, NONE._replace(digits=frozenset({A}))),
        ("StringEquals", "aws:PrincipalServiceName", ["s3.amazonaws.com", "s3"], NONE._replace(services=("s3.amazonaws.com",))),
        ("StringEquals", "aws:UserAgent", "s3.amazonaws.com", NONE),
        ("StringEquals", "aws:PrincipalAccount", ["1" * 11, "1" * 13, "x" + A + "1"], NONE),
    ],
)  # fmt: skip
def test_the_names_in_a_condition(operator: str, key: str, value: object, names: Names) -> None:
    assert names_in(statement(condition={operator: {key: value}})) == names


def test_a_principal_with_a_hole_names_its_account() -> None:
    node = from_python(None)
    holes = (
        Template((f"arn:aws:iam::{B}:role/", Symbol("x"))),
        Template((Symbol("y"),)),
        Template(("arn:aws:iam::", Symbol("z"), ":root")),
    )
    made = statement()._replace(principals=tuple(Principal("AWS", hole, node) for hole in holes))
    assert names_in(made) == NONE._replace(accounts=(B,), digits=frozenset({B}))
    assert names_in(made._replace(principals=None)) == NONE
    last = made._replace(principals=(*(made.principals or ()), Principal("AWS", A, node)))
    assert names_in(last).accounts == (B, A)
    item = statement(condition={"StringEquals": {"aws:PrincipalAccount": [A, B]}})
    first, second = item.conditions[0].values
    open_value = item.conditions[0]._replace(values=(first._replace(value=Template((A, Symbol("x")))), second))
    assert names_in(item._replace(conditions=(open_value,))) == NONE._replace(accounts=(B,), digits=frozenset({B}))


def test_names_are_joined_once_each_in_order_after_the_owner_of_the_key() -> None:
    parts = [
        names_in(statement({"AWS": [B, iam("user/u")]})),
        names_in(statement({"AWS": [iam("user/u"), sts("federated-user/f"), iam("role/r"), sts("assumed-role/r/s")]})),
        names_in(statement({"Service": "s3.amazonaws.com"})),
    ]
    joined = Names(
        (A, B), (iam("user/u"),), (iam("role/r"),), (sts("assumed-role/r/s"),), (sts("federated-user/f"),), ("s3.amazonaws.com",), frozenset({A, B})
    )  # fmt: skip
    assert join_names(parts, KEY) == joined
    assert join_names(parts, KeyContext()) == joined._replace(accounts=(B, A))
    assert join_names([], KEY) == NONE._replace(accounts=(A,), digits=frozenset({A}))
    assert join_names([], KeyContext()) == NONE


@pytest.mark.parametrize("taken", range(len(STRANGERS) + 1))
def test_a_stranger_is_an_account_that_nobody_named(taken: int) -> None:
    wanted = (*STRANGERS, "100000000000")[taken]
    assert Callers(NONE._replace(digits=frozenset(STRANGERS[:taken])), KEY).stranger == wanted
    more = frozenset({*STRANGERS, "100000000000", "100000000001"})
    assert Callers(NONE._replace(digits=more), KEY).stranger == "100000000002"


@pytest.mark.parametrize("owner", STRANGERS)
def test_the_owner_of_the_key_is_no_stranger(owner: str) -> None:
    key = KEY._replace(account=owner)
    names = join_names([], key)
    assert Callers(names, key).stranger == next(one for one in STRANGERS if one != owner)
    public = policy_of(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}
    )
    accesses = who((public,), "kms:Decrypt", key)
    assert {access.account == owner for access in accesses if access.is_fresh} == {False}
    assert {access.is_foreign for access in accesses if access.is_fresh} == {True}


def test_a_number_is_read_as_an_account_only_alone() -> None:
    text = names_in(statement(condition={"StringEquals": {"aws:UserAgent": [f"a{A}b", f"1{A}", f"{B}1", f"{A}-{B}"]}}))
    assert text.digits == {A, B}


# classes


def classes(principal: object, group: str = A, key: KeyContext = KEY) -> list[tuple[str, str, str]]:
    found = Callers(join_names([names_in(statement(principal))], key), key).of(group)
    return [(caller.label, caller.kind, caller.principal) for caller in found]


def test_the_classes_of_an_account_of_which_nothing_is_named() -> None:
    assert classes("*") == [
        (f"another role session of account {A}", ROLE, sts("assumed-role/Other/session")),
        (f"another user of account {A}", USER, iam("user/other")),
        (f"the root user of account {A}", ROOT, iam("root")),
        (f"another federated session of account {A}", FEDERATED, sts("federated-user/federated")),
    ]
    account = "999999999999"
    assert classes("*", FRESH) == [
        ("a role session of an account named nowhere", ROLE, sts("assumed-role/Other/session", account)),
        ("a user of an account named nowhere", USER, iam("user/other", account)),
        ("the root user of an account named nowhere", ROOT, iam("root", account)),
        ("a federated session of an account named nowhere", FEDERATED, sts("federated-user/federated", account)),
    ]


def test_every_name_is_a_class_and_the_rest_of_its_kind_another() -> None:
    named = [iam("role/p/r"), sts("assumed-role/r/s1"), sts("assumed-role/r/session"), sts("assumed-role/q/s"), iam("user/u"),
             sts("federated-user/f"), iam("user/w", B), sts("assumed-role/x/y", B), sts("federated-user/g", B), iam("role/z", B)]  # fmt: skip
    assert classes({"AWS": named}) == [
        (f"a session of {iam('role/p/r')}", ROLE, sts("assumed-role/r/session2")),
        (f"session s1 of {iam('role/p/r')}", ROLE, sts("assumed-role/r/s1")),
        (f"session session of {iam('role/p/r')}", ROLE, sts("assumed-role/r/session")),
        (f"another session of role q of account {A}", ROLE, sts("assumed-role/q/session")),
        ("session s of role q", ROLE, sts("assumed-role/q/s")),
        (f"another role session of account {A}", ROLE, sts("assumed-role/Other/session")),
        (f"user {iam('user/u')}", USER, iam("user/u")),
        (f"another user of account {A}", USER, iam("user/other")),
        (f"the root user of account {A}", ROOT, iam("root")),
        (f"federated session {sts('federated-user/f')}", FEDERATED, sts("federated-user/f")),
        (f"another federated session of account {A}", FEDERATED, sts("federated-user/federated")),
        (f"federated session {sts('federated-user/f')}", FEDERATED, sts("federated-user/f")),
        (f"another federated session of account {A}", FEDERATED, sts("federated-user/federated")),
    ]


def test_what_stands_for_the_rest_has_a_name_that_nobody_has() -> None:
    named = [iam("role/Other"), sts("assumed-role/Other2/session"), sts("assumed-role/Other2/session2"), iam("user/p/other"), iam("user/parent"),
             sts("federated-user/federated"), sts("federated-user/federated2")]  # fmt: skip
    principals = [principal for _, _, principal in classes({"AWS": named})]
    assert sts("assumed-role/Other3/session") in principals
    assert sts("assumed-role/Other2/session3") in principals
    assert iam("user/other2") in principals
    assert sts("federated-user/federated3") in principals
    parents = {caller.parent for caller in callers_of({"AWS": named}) if caller.kind == FEDERATED}
    assert parents == {iam("user/p/other"), iam("user/parent"), iam("user/parent2")}


def callers_of(principal: object, group: str = A, key: KeyContext = KEY) -> tuple[Caller, ...]:
    return Callers(join_names([names_in(statement(principal))], key), key).of(group)


def arns_of(caller: Caller, texts: list[str]) -> list[str]:
    """Those of the texts that may be aws:PrincipalArn of the class."""
    if caller.arn is not None and not caller.is_fresh:
        return [text for text in texts if text == caller.arn]
    held = [text for text in texts if text not in caller.named and any(accepts(pattern, text) for pattern in caller.arns)]
    return [text for text in held if not any(accepts(pattern, text) for pattern in caller.avoid)]


def test_what_the_arn_of_each_class_may_be() -> None:
    roles = [iam("role/r"), iam("role/p/r"), iam("role/q"), iam("role/p/q"), iam("role/pq"), iam("role/")]
    others = [iam("user/u"), iam("user/p/u"), iam("root"), sts("federated-user/f"), sts("federated-user/"), iam("role/r", B)]
    texts = [*roles, *others]
    found = {
        caller.label: arns_of(caller, texts)
        for caller in callers_of({"AWS": [iam("role/r"), sts("assumed-role/q/s"), iam("user/u")]})
    }
    assert found == {
        f"a session of {iam('role/r')}": [iam("role/r")],
        f"another session of role q of account {A}": [iam("role/q"), iam("role/p/q")],
        "session s of role q": [iam("role/q"), iam("role/p/q")],
        f"another role session of account {A}": [iam("role/p/r"), iam("role/pq")],
        f"user {iam('user/u')}": [iam("user/u")],
        f"another user of account {A}": [iam("user/p/u")],
        f"the root user of account {A}": [iam("root")],
        f"another federated session of account {A}": [sts("federated-user/f")],
    }
    own = next(caller for caller in callers_of("*") if caller.kind == FEDERATED)
    assert arns_of(own, [sts("federated-user/f"), sts("federated-user/f", B)]) == [sts("federated-user/f")]
    fresh = {caller.kind: arns_of(caller, texts) for caller in callers_of("*", FRESH)}
    assert fresh == {
        ROLE: [*roles[:-1], iam("role/r", B)],
        USER: others[:2],
        ROOT: [iam("root")],
        FEDERATED: [sts("federated-user/f")],
    }


def test_the_facts_of_a_class() -> None:
    named = [iam("role/p/r"), sts("assumed-role/r/s1"), sts("assumed-role/q/s"), iam("user/p/u"), sts("federated-user/f")]
    by_label = {(caller.label, caller.parent): caller for caller in callers_of({"AWS": named})}

    def facts(label: str, parent: str | None = None) -> tuple[object, ...]:
        one = by_label[label, parent]
        return one.account, one.partition, one.is_fresh, one.arn, one.named, one.session, one.other_sessions, one.name

    mine, open_names = (A, "aws", False), frozenset({iam("role/p/r"), iam("user/p/u")})
    assert facts(f"a session of {iam('role/p/r')}") == (*mine, iam("role/p/r"), frozenset(), None, ("s1",), "r")
    assert facts(f"session s1 of {iam('role/p/r')}") == (*mine, iam("role/p/r"), frozenset(), "s1", (), "r")
    assert facts(f"another session of role q of account {A}") == (*mine, None, frozenset(), None, ("s",), "q")
    assert facts("session s of role q") == (*mine, None, frozenset(), "s", (), "q")
    assert facts(f"another role session of account {A}") == (*mine, None, open_names, None, (), "Other")
    assert facts(f"user {iam('user/p/u')}") == (*mine, iam("user/p/u"), frozenset(), None, (), "u")
    assert facts(f"another user of account {A}") == (*mine, None, open_names, None, (), "other")
    assert facts(f"the root user of account {A}") == (*mine, iam("root"), frozenset(), None, (), "")
    for parent in (iam("user/p/u"), iam("user/parent")):
        assert facts(f"federated session {sts('federated-user/f')}", parent) == (
            *mine,
            sts("federated-user/f"),
            frozenset(),
            None,
            (),
            "",
        )
        assert facts(f"another federated session of account {A}", parent) == (
            *mine,
            None,
            frozenset({sts("federated-user/f")}),
            None,
            (),
            "",
        )
    for caller in callers_of({"AWS": named}, FRESH):
        assert (caller.account, caller.is_fresh, caller.named) == ("999999999999", True, frozenset())
        assert caller.arn == (iam("root", "999999999999") if caller.kind == ROOT else None)


def test_a_session_is_one_of_each_role_that_has_its_name() -> None:
    """Only one of two paths can be the real one, and which of them a policy does not say."""
    named = [iam("role/a/r"), iam("role/b/r"), sts("assumed-role/r/s")]
    found = [(caller.arn, caller.session) for caller in callers_of({"AWS": named}) if caller.kind == ROLE]
    assert found == [
        (iam("role/a/r"), None),
        (iam("role/a/r"), "s"),
        (iam("role/b/r"), None),
        (iam("role/b/r"), "s"),
        (None, None),
    ]


def answer_to(condition: dict[str, dict[str, str]], *, allowed: str = A, denied: str) -> str:
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": allowed}, "Action": "kms:*", "Resource": "*", "Condition": condition},
        {"Effect": "Deny", "Principal": {"AWS": denied}, "Action": "kms:*", "Resource": "*"},
    ]
    policies = (policy_of({"Version": "2012-10-17", "Statement": statements}),)
    return type(find_allowed(policies, statements_of([{"Principal": "*", "Action": "kms:Decrypt"}]), KEY, grant="any")).__name__


@pytest.mark.parametrize(
    ("condition", "allowed", "denied", "answer"),
    [
        ({"StringLike": {"aws:userid": "*:s"}}, iam("role/r"), sts("assumed-role/r/s"), "Proven"),
        ({"StringLike": {"aws:userid": "*:t"}}, iam("role/r"), sts("assumed-role/r/s"), "Violated"),
        ({"StringLike": {"aws:userid": "*:s"}}, A, sts("assumed-role/r/s"), "Violated"),
        ({"StringLike": {"aws:userid": "*:session"}, "StringEquals": {"aws:PrincipalArn": iam("role/r")}}, A, sts("assumed-role/r/session"), "Proven"),
        ({"StringEquals": {"aws:PrincipalArn": iam("role/r")}}, A, sts("assumed-role/r/session"), "Violated"),
        ({"StringEquals": {"aws:PrincipalArn": iam("role/p/r")}}, A, sts("assumed-role/r/session"), "Violated"),
        ({"StringEquals": {"aws:userid": f"{A}:f"}}, A, sts("federated-user/f"), "Proven"),
        ({"StringEquals": {"aws:userid": f"{A}:g"}}, A, sts("federated-user/f"), "Violated"),
        ({"StringEquals": {"aws:userid": f"{A}:f"}}, "*", A, "Proven"),
        ({"StringEquals": {"aws:userid": f"{B}:f"}}, "*", A, "Violated"),
        ({"StringEquals": {"aws:userid": A}}, "*", A, "Proven"),
    ],
)  # fmt: skip
def test_a_caller_that_stands_for_the_rest_is_none_of_those_named(
    condition: dict[str, dict[str, str]], allowed: str, denied: str, answer: str
) -> None:
    """Whatever a condition on its session, its name or its account makes of it."""
    assert answer_to(condition, allowed=allowed, denied=denied) == answer


def test_every_caller_is_seen_as_its_class_by_every_named_entry() -> None:
    """The member that stands for a class is matched by the same principal entries as any other member."""
    named = [
        iam("role/p/r"),
        sts("assumed-role/r/s1"),
        sts("assumed-role/q/s"),
        iam("user/u"),
        sts("federated-user/f"),
        A,
        iam("role/z", B),
    ]
    entries = [statement({"AWS": one}) for one in named]
    members = {
        f"a session of {iam('role/p/r')}": sts("assumed-role/r/zzz"), f"another session of role q of account {A}": sts("assumed-role/q/zzz"),
        f"another role session of account {A}": sts("assumed-role/zzz/s1"), f"another user of account {A}": iam("user/zzz"),
    }  # fmt: skip
    checked = 0
    for caller in callers_of({"AWS": named}):
        other = members.get(caller.label)
        if other is None:
            continue
        context = {"aws:principalarn": caller.arn} if caller.arn is not None else {}
        for entry in entries:
            one, two = (
                match_principals(entry, Request(text, "kms:Decrypt", context, KEY), lean=False)
                for text in (caller.principal, other)
            )
            assert (one.truth, one.grant) == (two.truth, two.grant), (caller.label, entry.principals)
            checked += 1
    assert checked == len(members) * len(entries)


def test_services_are_those_named_their_regional_names_and_another() -> None:
    def named(*services: str, key: KeyContext = KEY) -> list[tuple[str, str, str, str | None, str]]:
        found = Callers(NONE._replace(services=services), key).of(SERVICES)
        return [(caller.label, caller.kind, caller.principal, caller.account, caller.name) for caller in found]

    def service(name: str) -> tuple[str, str, str, None, str]:
        return f"the service {name}", SERVICE, name, None, name

    def another(name: str = "other.amazonaws.com") -> tuple[str, str, str, None, str]:
        return "another AWS service", SERVICE, name, None, name

    assert named() == [another()]
    s3, regional = "s3.amazonaws.com", "s3.us-east-1.amazonaws.com"
    assert named(s3) == [service(s3), service(regional), another()]
    assert named(s3, key=KEY._replace(region="eu-west-1")) == [service(s3), service("s3.eu-west-1.amazonaws.com"), another()]
    assert named(s3, key=KEY._replace(region=None)) == [service(s3), service(regional), another()]
    assert named(s3, regional) == [service(s3), service(regional), another()]
    china = "logs.amazonaws.com.cn"
    assert named(china) == [service(china), service("logs.us-east-1.amazonaws.com.cn"), another()]
    assert named("x.aws.internal", "a.b.amazonaws.com") == [service("x.aws.internal"), service("a.b.amazonaws.com"), another()]
    assert named("other.amazonaws.com", "other2.aws.com")[-1] == another("other3.amazonaws.com")
    partition = {caller.partition for caller in Callers(NONE, KEY._replace(partition="aws-cn")).of(SERVICES)}
    assert partition == {"aws-cn"}


def test_all_classes_come_group_by_group_strangers_first_and_are_built_once() -> None:
    every = Callers(join_names([names_in(statement({"AWS": B, "Service": "s3.amazonaws.com"}))], KEY), KEY)
    assert every.groups == (FRESH, A, B, SERVICES)
    assert list(every) == [caller for group in every.groups for caller in every.of(group)]
    assert every.of(A) is every.of(A)
    assert [identify(caller.principal).kind for caller in every.of(B)] == [ROLE, USER, ROOT, FEDERATED]
    china = Callers(NONE._replace(accounts=(A,)), KEY._replace(partition="aws-cn")).of(A)
    assert {caller.principal.split(":")[1] for caller in china} == {"aws-cn"}


def test_classes_serve_again_while_no_new_name_comes_up() -> None:
    known = Callers(join_names([names_in(statement({"AWS": [iam("user/u"), B]}))], KEY), KEY)
    assert known.knows(NONE) is True
    assert known.knows(NONE._replace(digits=frozenset({"123456789012"}))) is True
    assert known._taken is None, "names that are none are compared with nothing"
    assert known.knows(names_in(statement({"AWS": iam("user/u")}))) is True
    taken = known._taken
    for new in ({"AWS": iam("user/v")}, {"AWS": "123456789012"}, {"Service": "s3.amazonaws.com"}):
        assert known.knows(names_in(statement(new))) is False
    assert known.knows(NONE._replace(digits=frozenset({known.stranger}))) is False
    assert known._taken is taken, "what is known is gathered once"


def test_a_path_has_every_visible_ascii_character() -> None:
    """Source: IAM API Reference, CreateRole, Path: `[\\u0021-\\u007E]+`; a name has letters, digits and `+=,.@-_`."""
    role, user = (next(caller for caller in callers_of("*") if caller.kind == kind) for kind in (ROLE, USER))
    for code in range(0x1F, 0x81):
        for caller, kind in ((role, "role"), (user, "user")):
            assert len(arns_of(caller, [iam(f"{kind}/{chr(code)}/x")])) == (0x21 <= code <= 0x7E), code
    assert not arns_of(role, [iam("role/x/!"), iam("role/x/\u00e9"), iam("role/x ")])


def test_the_start_of_an_arn_of_an_account() -> None:
    own, any_of_them = account_text("aws", A, is_fresh=False), account_text("aws-cn", A, is_fresh=True)
    assert accepts(own, f"arn:aws:iam::{A}")
    assert not accepts(own, f"arn:aws:iam::{B}")
    assert accepts(any_of_them, f"arn:aws-cn:iam::{B}")
    for wrong in (B[:-1], B + "1", "x" * 12):
        assert not accepts(any_of_them, f"arn:aws-cn:iam::{wrong}")
