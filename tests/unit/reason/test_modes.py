"""The cases of a question: what several keys share, whole, and only where at least two of them are asked about."""

import itertools

import pytest

from kmslint.policy.principals import FEDERATED, ROLE, ROOT, SERVICE, USER
from kmslint.reason.modes import USUAL_ORGANIZATION, Mode, _compatible, base_modes
from kmslint.reason.values import ALWAYS, NEVER, OPTIONAL

IP, VPCE, VPC, OWNER_ORG, OWNER_PATHS = "aws:sourceip", "aws:sourcevpce", "aws:sourcevpc", "aws:vpceorgid", "aws:vpceorgpaths"
VIA, BY, CALLED = "aws:viaawsservice", "kms:viaservice", "aws:calledvia"
ORG, PATHS = "aws:principalorgid", "aws:principalorgpaths"
PUBLIC, PRIVATE, FORWARDED = "over the internet", "through a VPC endpoint", "forwarded by a service"
ONE = (Mode(),)


def cases(*mentioned: str, beside: tuple[str, ...] = (), kind: str = ROLE, may: bool = True, **organizations: tuple[str, ...] | None) -> tuple[Mode, ...]:  # fmt: skip
    named = {f"aws:{whose}orgid": ids for whose, ids in organizations.items()}
    return base_modes(kind, frozenset(mentioned), frozenset(beside), named, may=may)


def public(*absent: str) -> Mode:
    return Mode(presence=((IP, ALWAYS), *((key, NEVER) for key in absent)), label=PUBLIC)


def private(*present: str) -> Mode:
    return Mode(presence=((IP, NEVER), *((key, ALWAYS) for key in present)), label=PRIVATE)


def forwarded(*optional: str) -> Mode:
    return Mode(((VIA, "true"),), ((IP, OPTIONAL), *((key, OPTIONAL) for key in optional)), label=FORWARDED)


@pytest.mark.parametrize("keys", [(), (IP,), (VPCE,), (OWNER_ORG,), (VIA,), (BY,), (CALLED,), (BY, CALLED), ("kms:encryptioncontextkeys",), ("kms:encryptioncontext:a",), (ORG, PATHS)])  # fmt: skip
def test_one_key_alone_shares_nothing(keys: tuple[str, ...]) -> None:
    for kind, may in itertools.product((USER, ROLE, ROOT, FEDERATED, SERVICE), (False, True)):
        assert cases(*keys, kind=kind, may=may) == ONE


@pytest.mark.parametrize(
    ("keys", "narrow"),
    [
        ((IP, VPCE), (public(VPCE), private(VPCE))),
        ((VPCE, VPC), (public(VPCE, VPC), private(VPCE, VPC))),
        ((IP, OWNER_PATHS), (public(OWNER_PATHS), private())),
        ((VPC, OWNER_ORG), (public(VPC, OWNER_ORG), private(VPC))),
        ((OWNER_ORG, OWNER_PATHS), (public(OWNER_ORG, OWNER_PATHS), private())),
        ((IP, "aws:sourcevpcarn"), (public("aws:sourcevpcarn"), private("aws:sourcevpcarn"))),
        ((IP, "aws:vpceaccount", "aws:vpcsourceip"), (public("aws:vpcsourceip", "aws:vpceaccount"), private("aws:vpcsourceip", "aws:vpceaccount"))),
    ],
)  # fmt: skip
def test_a_call_comes_over_the_internet_or_through_an_endpoint_and_perhaps_from_a_service(
    keys: tuple[str, ...], narrow: tuple[Mode, ...]
) -> None:
    assert cases(*keys, may=False) == narrow
    present = tuple(key for key, _ in narrow[1].presence[1:])
    assert cases(*keys) == (*narrow, forwarded(*present))
    assert cases(*keys, kind=SERVICE) == ONE


def test_a_key_that_only_the_witness_shows_takes_part_where_the_question_asks_about_one() -> None:
    assert cases(IP, beside=(VPCE,), may=False) == (public(VPCE), private(VPCE))
    assert cases(beside=(IP, VPCE), may=False) == ONE
    direct, through = Mode(((VIA, "false"),), ((BY, NEVER),)), Mode(((VIA, "true"),), label=FORWARDED)
    assert cases(VIA, beside=(BY,), may=False) == (direct, through)
    assert cases(BY, beside=(VIA,), may=False) == (direct, through)
    assert cases(beside=(VIA, BY), may=False) == ONE


def test_a_service_is_named_only_in_a_forward_access_session() -> None:
    through = Mode(((VIA, "true"),), label=FORWARDED)
    none_called = Mode(((VIA, "false"),), ((CALLED, NEVER),))
    assert cases(VIA, CALLED) == (none_called, through)
    assert cases(VIA, CALLED, may=False) == (none_called, through)
    assert cases(VIA, "aws:calledviafirst", "aws:calledvialast") == (Mode(((VIA, "false"),), (("aws:calledviafirst", NEVER), ("aws:calledvialast", NEVER))), through)  # fmt: skip
    assert cases(VIA, BY) == (Mode(((VIA, "false"),)), through)
    assert cases(VIA, BY, may=False) == (Mode(((VIA, "false"),), ((BY, NEVER),)), through)
    assert cases(VIA, BY, CALLED, may=False) == (Mode(((VIA, "false"),), ((CALLED, NEVER), (BY, NEVER))), through)
    assert cases(VIA, CALLED, kind=SERVICE) == ONE


def test_cases_of_two_kinds_are_crossed_where_no_key_holds_two_values() -> None:
    direct, through = Mode(((VIA, "false"),)), Mode(((VIA, "true"),), label=FORWARDED)
    crossed = cases(IP, VPCE, VIA, BY)
    assert [(one.fixed, one.label) for one in crossed] == [
        (direct.fixed, PUBLIC),
        (through.fixed, f"{PUBLIC} {FORWARDED}"),
        (direct.fixed, PRIVATE),
        (through.fixed, f"{PRIVATE} {FORWARDED}"),
        ((*through.fixed, *through.fixed), f"{FORWARDED} {FORWARDED}"),
    ]
    assert [one.presence for one in crossed] == [public(VPCE).presence] * 2 + [private(VPCE).presence] * 2 + [
        forwarded(VPCE).presence
    ]


def test_an_organization_is_none_or_one_that_matters_with_paths_below_it() -> None:
    outside = Mode((), ((ORG, NEVER), (PATHS, NEVER)))

    def inside(name: str) -> Mode:
        return Mode(((ORG, name),), ((PATHS, ALWAYS),), (), ((PATHS, (*name, "/", 1)),))

    for kind, may in itertools.product((ROLE, SERVICE), (False, True)):
        assert cases(principal=("o-a", "o-b"), kind=kind, may=may) == (outside, inside("o-a"), inside("o-b"))
    for whose in ("resource", "source", "vpce"):
        name, paths = f"aws:{whose}orgid", f"aws:{whose}orgpaths"
        absent = Mode((), ((name, NEVER), (paths, NEVER)))
        inside_of = Mode(((name, "o-a"),), ((paths, ALWAYS),), (), ((paths, (*"o-a", "/", 1)),))
        assert base_modes(ROLE, frozenset(), frozenset(), {name: ("o-a",)}, may=True) == (absent, inside_of)
    assert cases(principal=None) == (outside, Mode((), ((ORG, ALWAYS), (PATHS, ALWAYS))))
    assert cases(principal=None, may=False) == (outside, inside(USUAL_ORGANIZATION))
    crossed = cases(principal=("o-a",), resource=("o-r",), may=False)
    assert [dict(one.fixed) for one in crossed] == [
        {},
        {"aws:resourceorgid": "o-r"},
        {ORG: "o-a"},
        {ORG: "o-a", "aws:resourceorgid": "o-r"},
    ]
    assert crossed[3].within == ((PATHS, (*"o-a", "/", 1)), ("aws:resourceorgpaths", (*"o-r", "/", 1)))


def test_an_endpoints_organization_comes_only_through_an_endpoint() -> None:
    found = cases(IP, OWNER_ORG, OWNER_PATHS, vpce=("o-v",), may=False)
    assert [(one.label, dict(one.fixed), dict(one.presence)) for one in found] == [
        (PUBLIC, {}, {IP: ALWAYS, OWNER_ORG: NEVER, OWNER_PATHS: NEVER}),
        (PRIVATE, {}, {IP: NEVER, OWNER_ORG: NEVER, OWNER_PATHS: NEVER}),
        (PRIVATE, {OWNER_ORG: "o-v"}, {IP: NEVER, OWNER_PATHS: ALWAYS}),
    ]
    hidden = cases(IP, OWNER_ORG, OWNER_PATHS, vpce=None)
    assert [(one.label, dict(one.presence)[OWNER_ORG]) for one in hidden] == [
        (PUBLIC, NEVER),
        (PRIVATE, NEVER),
        (PRIVATE, ALWAYS),
        (FORWARDED, NEVER),
        (FORWARDED, ALWAYS),
    ]


@pytest.mark.parametrize(
    ("listed", "prefix"), [("kms:encryptioncontextkeys", "kms:encryptioncontext:"), ("aws:tagkeys", "aws:requesttag/")]
)
@pytest.mark.parametrize("kind", [ROLE, SERVICE])
def test_a_pair_is_listed_exactly_when_it_is_there(listed: str, prefix: str, kind: str) -> None:
    def case(there: tuple[str, ...], gone: tuple[str, ...]) -> Mode:
        presence = (*((prefix + one, ALWAYS) for one in there), *((prefix + one, NEVER) for one in gone))
        return Mode((), (*presence, (listed, ALWAYS)) if there else presence, ((listed, there, gone),))

    assert cases(listed, prefix + "a", kind=kind) == (case((), ("a",)), case(("a",), ()))
    two = (case((), ("a", "b")), case(("a",), ("b",)), case(("b",), ("a",)), case(("a", "b"), ()))
    assert cases(prefix + "b", listed, prefix + "a", kind=kind) == two
    assert cases(listed, beside=(prefix + "a",), kind=kind) == ONE
    other = "aws:requesttag/x" if prefix.startswith("kms") else "kms:encryptioncontext:x"
    assert cases(listed, other, kind=kind) == ONE


def test_many_pairs_are_not_tied_since_the_cases_double_with_each() -> None:
    def named(size: int) -> tuple[str, ...]:
        return ("aws:tagkeys", *(f"aws:requesttag/{place}" for place in range(size)))

    five = cases(*named(5))
    assert len(set(five)) == 2**5
    assert {frozenset((*must, *never)) for one in five for _, must, never in one.sets} == {frozenset("01234")}
    assert cases(*named(6)) == ONE


@pytest.mark.parametrize("kind", [ROLE, SERVICE])
def test_a_grant_has_one_grantee_and_at_most_one_who_retires_it(kind: str) -> None:
    def case(*there: str, of: tuple[str, str]) -> dict[str, str]:
        return {one: ALWAYS if one in there else NEVER for one in of}

    grantee, retiring = (
        (f"kms:{role}principal", f"kms:{role}serviceprincipal") for role in ("grantee", "retiring")
    )  # fmt: skip
    given = [case(one, of=grantee) for one in grantee]
    retired = [*(case(one, of=retiring) for one in retiring), case(of=retiring)]
    assert [dict(one.presence) for one in cases(*grantee, kind=kind)] == given
    assert [dict(one.presence) for one in cases(*retiring, kind=kind)] == retired
    both = [first | second for first in given for second in retired]
    assert [dict(one.presence) for one in cases(*grantee, *retiring, kind=kind)] == both
    for alone in (*grantee, *retiring):
        assert cases(alone, kind=kind) == ONE
    assert cases(grantee[0], retiring[1], kind=kind) == ONE


def test_two_cases_exclude_each_other_where_one_key_would_be_two_things() -> None:
    says = {
        "absent": [Mode(((VPC, None),)), Mode(presence=((VPC, NEVER),))],
        "there": [Mode(((VPC, "v"),)), Mode(presence=((VPC, ALWAYS),))],
        "open": [Mode(), Mode(presence=((VPC, OPTIONAL),)), Mode(((IP, "v"),), ((BY, NEVER),))],
    }
    for (left, lefts), (right, rights) in itertools.product(says.items(), repeat=2):
        for one, other in itertools.product(lefts, rights):
            assert _compatible(one, other) == ({left, right} != {"absent", "there"}), (one, other)
    assert not _compatible(Mode(((VPC, "v"),)), Mode(((VPC, "w"),)))
    assert not _compatible(Mode(((IP, "v"), (VPC, "v"))), Mode(((IP, "v"), (VPC, "w"))))
    assert not _compatible(Mode(presence=((IP, NEVER), (VPC, NEVER))), Mode(presence=((IP, NEVER), (VPC, ALWAYS))))
