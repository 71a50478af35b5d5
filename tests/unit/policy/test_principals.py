"""Who a text names, and which entries of Principal and NotPrincipal match whom: whole values, entry by entry."""

import pytest

from kmslint.policy.document import Item, Principal, Statement
from kmslint.policy.principals import (
    ANONYMOUS,
    FEDERATED,
    OTHER,
    ROLE,
    ROOT,
    SERVICE,
    USER,
    Identity,
    Match,
    Scope,
    account_of,
    identify,
    match_entry,
    match_principals,
    scope_of,
)
from kmslint.policy.request import ContextValue, KeyContext, Request
from kmslint.policy.truth import F, T, U, register_text
from kmslint.tree import Symbol, Template, Value, from_python

NODE = from_python(None)
KEY = KeyContext("111122223333", "us-east-1")
HOLE = Symbol("x")

BOB = "arn:aws:iam::111122223333:user/team/bob"
FRED = "arn:aws:sts::111122223333:federated-user/fred"
DEV = "arn:aws:iam::111122223333:role/path/Dev"
SESSION = "arn:aws:sts::111122223333:assumed-role/Dev/sess"
ROOT_ARN = "arn:aws:iam::111122223333:root"
OTHER_ROOT = "arn:aws:iam::444455556666:root"
OTHER_BOB = "arn:aws:iam::444455556666:user/team/bob"
LOGS = "logs.us-east-1.amazonaws.com"
CALLERS = (BOB, FRED, DEV, SESSION, ROOT_ARN, OTHER_ROOT, OTHER_BOB, LOGS, None, "nobody")


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        (None, Identity(ANONYMOUS, "")),
        (BOB, Identity(USER, BOB, "aws", "111122223333", "bob")),
        (FRED, Identity(FEDERATED, FRED, "aws", "111122223333", "fred")),
        (DEV, Identity(ROLE, DEV, "aws", "111122223333", "Dev", role_arn=DEV)),
        (SESSION, Identity(ROLE, SESSION, "aws", "111122223333", "Dev", "sess")),
        (ROOT_ARN, Identity(ROOT, ROOT_ARN, "aws", "111122223333")),
        (ROOT_ARN.replace("aws", "aws-cn"), Identity(ROOT, ROOT_ARN.replace("aws", "aws-cn"), "aws-cn", "111122223333")),
        (LOGS, Identity(SERVICE, LOGS, name=LOGS)),
        ("nobody", Identity(OTHER, "nobody", name="nobody")),
        ("", Identity(OTHER, "", name="")),
        (ROOT_ARN + "x", Identity(OTHER, ROOT_ARN + "x", name=ROOT_ARN + "x")),
        (ROOT_ARN.replace("iam", "sts"), Identity(OTHER, ROOT_ARN.replace("iam", "sts"), name=ROOT_ARN.replace("iam", "sts"))),
        (BOB.replace("iam", "sts"), Identity(OTHER, BOB.replace("iam", "sts"), name=BOB.replace("iam", "sts"))),
        (DEV.replace("iam", "sts"), Identity(OTHER, DEV.replace("iam", "sts"), name=DEV.replace("iam", "sts"))),
        (SESSION.replace("sts", "iam"), Identity(OTHER, SESSION.replace("sts", "iam"), name=SESSION.replace("sts", "iam"))),
        (FRED.replace("sts", "iam"), Identity(OTHER, FRED.replace("sts", "iam"), name=FRED.replace("sts", "iam"))),
    ],
)
def test_what_a_text_names(text: str | None, identity: Identity) -> None:
    identify.cache_clear()
    assert identify(text) == identity


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("444455556666", "444455556666"), (OTHER_ROOT, "444455556666"), (OTHER_BOB, None), ("44445555666", None), ("4444555566667", None),
        ("44445555666x", None), ("\u0664" * 12, None), ("\u00b2" * 12, None), ("", None), (LOGS, None),
    ],
)  # fmt: skip
def test_an_account_as_a_whole(text: str, account: str | None) -> None:
    account_of.cache_clear()
    assert account_of(text) == account


@pytest.mark.parametrize(
    ("parts", "scope"),
    [
        (("arn:aws:iam::111122223333:role/", HOLE), Scope("111122223333", ROLE)),
        (("arn:aws:sts::111122223333:assumed-role/", HOLE, "/s"), Scope("111122223333", ROLE)),
        (("arn:aws:iam::111122223333:user/a", HOLE), Scope("111122223333", USER)),
        (("arn:aws:sts::111122223333:federated-user/", HOLE), Scope("111122223333", FEDERATED)),
        (("arn:aws:iam::111122223333:", HOLE), Scope("111122223333", None)),
        (("arn:aws:iam::111122223333:ro", HOLE), Scope("111122223333", None)),
        (("arn:aws:iam::", HOLE, ":root"), None),
        (("arn:aws:iam::111122223333", HOLE), None),
        ((HOLE, ":root"), None),
    ],
)
def test_what_is_sure_of_an_entry_with_a_hole(parts: tuple[str | Symbol, ...], scope: Scope | None) -> None:
    assert scope_of(Template(parts)) == scope


# ------------------------------------------------------------------------------------------------------------------- one entry


def asked(
    principal: str | None, context: dict[str, ContextValue] | None = None, parent: str | None = None, key: KeyContext = KEY
) -> Request:
    return Request(principal, "kms:Decrypt", context or {}, key, parent)


YES, NO, ACCOUNT = Match(T), Match(F), Match(T, "delegated")


def point(number: int) -> Match:
    return Match(U, "direct", (register_text(number),))


def unresolved(text: str) -> Match:
    return Match(U, "direct", (f"the principal `{text}` could not be resolved",))


ENTRIES: list[tuple[str, Value, dict[str | None, Match]]] = [
    # kind, value, and who is matched; nobody else is
    ("*", "*", dict.fromkeys(CALLERS, YES)),
    ("AWS", "*", dict.fromkeys(CALLERS, YES)),
    ("Service", "*", {}),
    ("Federated", "*", {}),
    ("CanonicalUser", "*", dict.fromkeys((BOB, FRED, DEV, SESSION, ROOT_ARN, OTHER_ROOT, OTHER_BOB), point(8))),
    ("*", BOB, {}),
    ("AWS", "111122223333", {BOB: ACCOUNT, FRED: ACCOUNT, DEV: ACCOUNT, SESSION: ACCOUNT, ROOT_ARN: YES}),
    ("AWS", ROOT_ARN, {BOB: ACCOUNT, FRED: ACCOUNT, DEV: ACCOUNT, SESSION: ACCOUNT, ROOT_ARN: YES}),
    ("AWS", "444455556666", {OTHER_BOB: ACCOUNT, OTHER_ROOT: YES}),
    ("AWS", ROOT_ARN.replace("aws", "aws-cn"), {}),
    ("AWS", BOB, {BOB: YES, FRED: Match(U, "direct", (f"whether the federated session is one of `{BOB}` is not given",))}),
    ("AWS", "arn:aws:iam::111122223333:user/x/fred", {FRED: YES}),
    ("AWS", "arn:aws:iam::444455556666:user/x/fred", {}),
    ("AWS", BOB.replace("aws", "aws-cn"), {}),
    ("AWS", "arn:aws:iam::111122223333:user/te?m/bob", {}),
    ("AWS", "arn:aws:iam::111122223333:role/*", {}),
    ("AWS", FRED, {FRED: YES}),
    ("AWS", DEV, {DEV: YES, SESSION: YES}),
    ("AWS", DEV.replace("path/", ""), {SESSION: YES}),
    ("AWS", DEV.replace("Dev", "Ops"), {}),
    ("AWS", DEV.replace("aws", "aws-cn"), {}),
    ("AWS", SESSION, {SESSION: YES, DEV: Match(U, "direct", (f"`{DEV}` may be any session of the role",))}),
    ("AWS", SESSION + "2", {DEV: Match(U, "direct", (f"`{DEV}` may be any session of the role",))}),
    ("AWS", SESSION.replace("Dev", "Ops"), {}),
    ("AWS", "AIDACKCEVSQ6C2EXAMPLE", dict.fromkeys((BOB, FRED, OTHER_BOB), point(9))),
    ("AWS", "AROADBQP57FF2AEXAMPLE", dict.fromkeys((DEV, SESSION), point(9))),
    ("AWS", "AGPACKCEVSQ6C2EXAMPLE", {}),
    ("AWS", "AIDAsmall", {}),
    ("AWS", "nobody", {}),
    ("AWS", LOGS, {}),
    ("Service", LOGS, {LOGS: YES}),
    ("Service", "logs.amazonaws.com", {LOGS: point(28)}),
    ("Service", "logs.us-east-1.amazonaws", {}),
    ("Service", "us-east-1.amazonaws.com", {}),
    ("Service", "amazonaws.com", {}),
    ("Service", "nobody", {}),
    ("Service", BOB, {}),
    ("Federated", "arn:aws:iam::111122223333:saml-provider/p", dict.fromkeys((DEV, SESSION), point(8))),
    ("Federated", "arn:aws:iam::111122223333:oidc-provider/p", {}),
    ("Group", "x", {}),
    ("AWS", Template((HOLE,)), dict.fromkeys(CALLERS, unresolved("${x}"))),
    ("Service", Template(("a.", HOLE)), dict.fromkeys(CALLERS, unresolved("a.${x}"))),
    (
        "AWS",
        Template(("arn:aws:iam::111122223333:role/", HOLE)),
        dict.fromkeys((DEV, SESSION), unresolved("arn:aws:iam::111122223333:role/${x}")),
    ),
    (
        "AWS",
        Template(("arn:aws:iam::111122223333:user/", HOLE)),
        dict.fromkeys((BOB, FRED), unresolved("arn:aws:iam::111122223333:user/${x}")),
    ),
    (
        "AWS",
        Template(("arn:aws:sts::111122223333:federated-user/", HOLE)),
        {FRED: unresolved("arn:aws:sts::111122223333:federated-user/${x}")},
    ),
    (
        "AWS",
        Template(("arn:aws:iam::444455556666:", HOLE)),
        dict.fromkeys((OTHER_ROOT, OTHER_BOB), unresolved("arn:aws:iam::444455556666:${x}")),
    ),
]


@pytest.mark.parametrize(("kind", "value", "matched"), ENTRIES)
def test_an_entry_matches_these_and_nobody_else(kind: str, value: Value, matched: dict[str | None, Match]) -> None:
    entry = Principal(kind, value, NODE)
    for caller in CALLERS:
        wanted = matched.get(caller, NO)
        assert (caller, match_entry(entry, asked(caller), lean=False)) == (caller, wanted)
        is_open = wanted.truth == U and not isinstance(value, Template)
        assert (caller, match_entry(entry, asked(caller), lean=True)) == (caller, NO if is_open else wanted)


def test_the_partition_of_an_entry_is_that_of_the_key() -> None:
    china = KEY._replace(partition="aws-cn")
    for value in (ROOT_ARN, BOB, DEV, FRED):
        entry = Principal("AWS", value.replace("aws", "aws-cn"), NODE)
        assert match_entry(entry, asked(value.replace("aws", "aws-cn"), key=china), lean=False) == YES
        assert match_entry(Principal("AWS", value, NODE), asked(value, key=china), lean=False) == NO
    assert match_entry(Principal("AWS", "111122223333", NODE), asked(BOB, key=china), lean=False) == ACCOUNT


def test_the_path_of_a_role_is_compared_where_it_is_known() -> None:
    other = DEV.replace("path", "other")
    for value, context, wanted in (
        (DEV, {"aws:principalarn": DEV}, YES), (DEV, {"aws:principalarn": other}, NO), (other, {"aws:principalarn": other}, YES), (other, {}, YES),
    ):  # fmt: skip
        assert match_entry(Principal("AWS", value, NODE), asked(SESSION, dict(context)), lean=False) == wanted
    assert match_entry(Principal("AWS", DEV, NODE), asked(DEV, {"aws:principalarn": other}), lean=False) == YES


def test_a_user_and_a_role_of_one_name_are_two() -> None:
    user = BOB.replace("bob", "Dev")
    assert match_entry(Principal("AWS", DEV, NODE), asked(user), lean=False) == NO
    assert match_entry(Principal("AWS", user, NODE), asked(SESSION), lean=False) == NO
    assert match_entry(Principal("AWS", user, NODE), asked(user), lean=False) == YES


def test_whose_a_federated_session_is() -> None:
    entry = Principal("AWS", BOB, NODE)
    assert match_entry(entry, asked(FRED, parent=BOB), lean=False) == YES
    assert match_entry(entry, asked(FRED, parent=BOB + "2"), lean=False) == NO
    fred = Principal("AWS", BOB.replace("bob", "fred"), NODE)
    assert match_entry(fred, asked(FRED, parent=BOB), lean=False) == NO
    assert match_entry(fred, asked(FRED), lean=True) == YES


@pytest.mark.parametrize(
    ("caller", "listed", "value", "matched"),
    [
        (LOGS, frozenset({"logs.amazonaws.com"}), "logs.amazonaws.com", YES),
        (LOGS, "logs.amazonaws.com", "logs.amazonaws.com", YES),
        (LOGS, frozenset({"logs.amazonaws.com"}), "sns.amazonaws.com", NO),
        (LOGS, "xlogs.amazonaws.comx", "logs.amazonaws.com", point(28)),
        (LOGS, frozenset({"*.amazonaws.com"}), "*.amazonaws.com", NO),
        (BOB, frozenset({"logs.amazonaws.com"}), "logs.amazonaws.com", NO),
        ("logs.a.b.amazonaws.com", frozenset(), "logs.b.amazonaws.com", point(28)),
        ("logs.amazonaws.com", frozenset(), "logs.com", NO),
        ("logs.x.amazonaws.com.cn", frozenset(), "logs.amazonaws.com.cn", point(28)),
    ],
)
def test_the_names_of_a_service(caller: str, listed: ContextValue, value: str, matched: Match) -> None:
    request = asked(caller, {"aws:principalservicenameslist": listed})
    assert match_entry(Principal("Service", value, NODE), request, lean=False) == matched
    assert match_entry(Principal("Service", value, NODE), request, lean=True) == (NO if matched.truth == U else matched)


# -------------------------------------------------------------------------------------------------------------- the whole element


def statement(*entries: tuple[str, Value], negated: bool = False, effect: str | None = "Deny") -> Statement:
    principals = tuple(Principal(kind, value, NODE) for kind, value in entries)
    anything = (Item("*", NODE),)
    return Statement(0, None, effect, principals, anything, anything, (), NODE, negated)


def aws(*values: Value) -> tuple[tuple[str, Value], ...]:
    return tuple(("AWS", value) for value in values)


UID = "AIDACKCEVSQ6C2EXAMPLE"


@pytest.mark.parametrize(
    ("entries", "matched"),
    [
        ((), NO),
        (aws(OTHER_ROOT), NO),
        (aws(OTHER_ROOT, DEV), NO),
        (aws(OTHER_ROOT, BOB), YES),
        (aws(BOB, OTHER_ROOT), YES),
        (aws(ROOT_ARN), ACCOUNT),
        (aws(ROOT_ARN, OTHER_ROOT), ACCOUNT),
        (aws(ROOT_ARN, BOB), YES),
        (aws(BOB, ROOT_ARN), YES),
        (aws(ROOT_ARN, UID), ACCOUNT),
        (aws(UID, OTHER_ROOT), point(9)),
        (aws(BOB, UID), YES),
        ((*aws(UID, UID), ("CanonicalUser", "c")), Match(U, "direct", (register_text(9), register_text(8)))),
    ],
)
def test_entries_are_alternatives(entries: tuple[tuple[str, Value], ...], matched: Match) -> None:
    assert match_principals(statement(*entries), asked(BOB), lean=False) == matched
    settled = NO if matched.truth == U else matched
    assert match_principals(statement(*entries), asked(BOB), lean=True) == settled
    assert match_principals(statement()._replace(principals=None), asked(BOB), lean=False) == NO


OPEN = point(10)
CHINA_ROOT, CHINA_DEV = ROOT_ARN.replace("aws", "aws-cn"), DEV.replace("aws", "aws-cn")
OTHER_DEV = DEV.replace("path", "other")
EVE = BOB.replace("bob", "eve")

EXEMPT: list[tuple[tuple[tuple[str, Value], ...], str | None, Match, Match, Match]] = [
    # listed, caller, whether a Deny applies and an Allow, and the Deny in the lean reading
    (aws(BOB), EVE, YES, YES, YES),
    (aws(BOB), BOB, OPEN, NO, NO),
    (aws(BOB, ROOT_ARN), BOB, NO, NO, NO),
    (aws(ROOT_ARN, BOB), BOB, NO, NO, NO),
    (aws(BOB, ROOT_ARN), EVE, OPEN, OPEN, YES),
    (aws(BOB, "111122223333"), EVE, OPEN, OPEN, YES),
    (aws(ROOT_ARN), ROOT_ARN, NO, NO, NO),
    (aws(ROOT_ARN), BOB, OPEN, OPEN, YES),
    (aws(ROOT_ARN, OTHER_ROOT), BOB, OPEN, OPEN, YES),
    (aws(OTHER_ROOT, ROOT_ARN), BOB, OPEN, OPEN, YES),
    (aws(OTHER_ROOT), BOB, YES, YES, YES),
    (aws(OTHER_ROOT), ROOT_ARN, YES, YES, YES),
    (aws(BOB, OTHER_ROOT), BOB, OPEN, NO, NO),
    # an account, or a role, of another partition is another one
    (aws(CHINA_ROOT), ROOT_ARN, YES, YES, YES),
    (aws(CHINA_ROOT), BOB, YES, YES, YES),
    (aws(BOB, CHINA_ROOT), BOB, OPEN, NO, NO),
    (aws(SESSION, ROOT_ARN, CHINA_DEV), SESSION, OPEN, NO, NO),
    # a session, its role, and its account
    (aws(SESSION), SESSION, OPEN, NO, NO),
    (aws(SESSION, ROOT_ARN), SESSION, OPEN, NO, NO),
    (aws(SESSION, DEV), SESSION, OPEN, NO, NO),
    (aws(SESSION, DEV, ROOT_ARN), SESSION, NO, NO, NO),
    (aws(DEV, SESSION, ROOT_ARN), SESSION, NO, NO, NO),
    (aws(DEV, ROOT_ARN), SESSION, NO, NO, NO),
    (aws(SESSION, DEV.replace("Dev", "Ops"), ROOT_ARN), SESSION, OPEN, NO, NO),
    ((*aws(SESSION, ROOT_ARN), ("Service", DEV)), SESSION, OPEN, NO, NO),
    (aws(FRED, ROOT_ARN), FRED, NO, NO, NO),
    (aws(FRED), FRED, OPEN, NO, NO),
    # a star exempts all of its kind, and the star of another kind nobody
    (aws("*"), BOB, NO, NO, NO),
    ((("*", "*"),), BOB, NO, NO, NO),
    (aws("*"), None, NO, NO, NO),
    (aws(BOB, "*"), BOB, NO, NO, NO),
    ((*aws(BOB), ("Service", "*")), BOB, OPEN, NO, NO),
    ((("Service", LOGS),), LOGS, NO, NO, NO),
    ((("Service", "logs.amazonaws.com"),), LOGS, OPEN, OPEN, YES),
    ((("Service", LOGS),), BOB, YES, YES, YES),
    ((("Service", LOGS),), None, YES, YES, YES),
    # twelve digits name an account where accounts stand
    ((("Service", "111122223333"),), ROOT_ARN, YES, YES, YES),
    ((("Federated", "111122223333"),), BOB, YES, YES, YES),
    ((("CanonicalUser", "111122223333"),), BOB, OPEN, OPEN, YES),
    # what is open leaves it open
    (aws(UID), BOB, OPEN, OPEN, YES),
    (aws(UID, BOB, ROOT_ARN), BOB, NO, NO, NO),
    (aws(BOB, UID, ROOT_ARN), BOB, NO, NO, NO),
    (aws(UID, ROOT_ARN), BOB, OPEN, OPEN, YES),
    (aws(Template((HOLE,))), BOB, OPEN, OPEN, Match(U)),
    (aws(Template((HOLE,)), ROOT_ARN), ROOT_ARN, NO, NO, NO),
    (aws(Template(("arn:aws:iam::444455556666:", HOLE))), BOB, YES, YES, YES),
]


@pytest.mark.parametrize(("listed", "caller", "deny", "allow", "lean"), EXEMPT)
def test_whom_a_list_exempts(
    listed: tuple[tuple[str, Value], ...], caller: str | None, deny: Match, allow: Match, lean: Match
) -> None:
    denies = statement(*listed, negated=True)
    assert match_principals(denies, asked(caller), lean=False) == deny
    assert match_principals(denies._replace(effect="Allow"), asked(caller), lean=False) == allow
    assert match_principals(denies, asked(caller), lean=True) == lean


def test_a_role_of_another_path_exempts_no_session() -> None:
    denies = statement(*aws(SESSION, OTHER_DEV, ROOT_ARN), negated=True)
    assert match_principals(denies, asked(SESSION, {"aws:principalarn": OTHER_DEV}), lean=False) == NO
    assert match_principals(denies, asked(SESSION, {"aws:principalarn": DEV}), lean=False) == OPEN


def test_an_unreadable_effect_exempts_as_a_deny_does() -> None:
    assert match_principals(statement(*aws(BOB), negated=True, effect=None), asked(BOB), lean=False) == OPEN
