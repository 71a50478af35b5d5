"""What a change of key policies newly allows: whole answers, a yes beside each no, and laws against enumeration."""

import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import kmslint
from kmslint.cli.changes import as_document, lines, plain
from kmslint.difference import (
    ADDED,
    CHANGED,
    EQUIVALENT,
    IDENTICAL,
    NARROWER,
    NEW_ACCESS,
    NO_NEW_ACCESS,
    REMOVED,
    UNDETERMINED,
    WIDER,
    Change,
    Difference,
    Side,
    compare,
    diff,
    difference,
    exit_code,
    pair,
    relative_to,
    side,
)
from kmslint.errors import InputError
from kmslint.fact_changes import FactChange
from kmslint.gains import ANY, CROSS_ACCOUNT, OWN_ACCOUNT, PUBLIC, SERVICES, STRENGTHENED, Named, find_gains
from kmslint.location import Text
from kmslint.model.key import UNREAD, Key, Known, Source, Unknown
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.policy.evaluate import evaluate
from kmslint.policy.narrower import is_narrower, is_same_policy
from kmslint.policy.parse import parse_policy, parse_shape
from kmslint.sources.files import collect
from kmslint.sources.policy_json import keys_from_json
from kmslint.tree import Symbol, Template, from_python
from tests import strategies
from tests.oracle import evaluator, world
from tests.oracle.bridge import key_of, policy_of
from tests.oracle.bridge import plain as plain_request
from tests.oracle.compare import OWNER as ORACLE_OWNER
from tests.oracle.compare import SETTLED, works_across
from tests.oracle.evaluator import F, JsonObject, T
from tests.strategies import Shape

OWNER, PARTNER, STRANGER = "111122223333", "444455556666", "999999999999"
SCHEMA = json.loads((Path(kmslint.__file__).parent / "schemas" / "diff-1.json").read_text())
EVIL = "\x1b]0;pwned\x07[bold red]x[/] \u202edesrever\r\n::error::"

ROOT_STATEMENT = {
    "Sid": "Root", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}, "Action": "kms:*", "Resource": "*",
}  # fmt: skip


def statement(**more: object) -> dict[str, object]:
    return {
        "Sid": "Use",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{PARTNER}:root"},
        "Action": ["kms:Decrypt", "kms:Encrypt"],
        "Resource": "*",
        **more,
    }


def deny(**more: object) -> dict[str, object]:
    organization = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    return statement(Sid="Outside", Effect="Deny", Principal="*", Action="kms:Decrypt", Condition=organization) | more


def text(*statements: dict[str, object], **more: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [ROOT_STATEMENT, *statements], **more}, indent=1)


def changed(old: str, new: str, **more: Any) -> Change:  # noqa: ANN401
    return diff(old, new, **{"account": OWNER, **more})


def told(change: Change) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(access.gain.kind, access.gain.principals, access.gain.actions) for access in change.gained]


def causes(change: Change) -> list[list[tuple[str | None, str | None, str]]]:
    return [[(place.file, place.sid, role) for place, role in access.places] for access in change.gained]


# who gains what


def test_nothing_new_is_proven_and_said_to_be_the_same() -> None:
    change = changed(text(statement()), text(statement()))
    assert (change.answer, change.relation, change.gained, change.lost) == (NO_NEW_ACCESS, IDENTICAL, (), ())


def test_an_account_added_to_a_list() -> None:
    wider = statement(Principal={"AWS": [f"arn:aws:iam::{PARTNER}:root", f"arn:aws:iam::{STRANGER}:root"]})
    change = changed(text(statement()), text(wider))
    assert (change.answer, change.relation) == (NEW_ACCESS, WIDER)
    assert told(change) == [(CROSS_ACCOUNT, (f"account {STRANGER}",), ("Decrypt", "Encrypt"))]
    assert causes(change) == [[("new", "Use", "allows it")]]
    assert change.gained[0].gain.external


def test_an_account_taken_from_a_list() -> None:
    wider = statement(Principal={"AWS": [f"arn:aws:iam::{PARTNER}:root", f"arn:aws:iam::{STRANGER}:root"]})
    change = changed(text(wider), text(statement()))
    assert (change.answer, change.relation, change.gained) == (NO_NEW_ACCESS, NARROWER, ())
    [lost] = change.lost
    assert (lost.gain.kind, lost.gain.principals, lost.gain.actions) == (
        CROSS_ACCOUNT,
        (f"account {STRANGER}",),
        ("Decrypt", "Encrypt"),
    )
    assert [(place.file, place.sid, role) for place, role in lost.places] == [("old", "Use", "allowed it")]


def test_a_deny_removed_names_the_deny_first() -> None:
    change = changed(text(statement(), deny()), text(statement()))
    assert told(change) == [
        (CROSS_ACCOUNT, (f"account {PARTNER}",), ("Decrypt",)),
        (OWN_ACCOUNT, (f"account {OWNER} (the owner)",), ("Decrypt",)),
    ]
    assert causes(change) == [
        [("old", "Outside", "denied it before"), ("new", "Use", "allows it")],
        [("old", "Outside", "denied it before"), ("new", "Root", "allows it")],
    ]


def test_a_deny_weakened_names_what_is_left_of_it() -> None:
    change = changed(text(statement(), deny()), text(statement(), deny(Principal={"AWS": f"arn:aws:iam::{OWNER}:root"})))
    assert causes(change) == [
        [("new", "Outside", "no longer denies it"), ("old", "Outside", "denied it before"), ("new", "Use", "allows it")]
    ]


def test_a_deny_added_takes_away() -> None:
    change = changed(text(statement()), text(statement(), deny()))
    assert (change.answer, change.relation) == (NO_NEW_ACCESS, NARROWER)
    assert [[(place.sid, role) for place, role in access.places] for access in change.lost] == [
        [("Outside", "denies it now"), ("Use", "allowed it")],
        [("Outside", "denies it now"), ("Root", "allowed it")],
    ]


def test_a_condition_turned_to_if_exists_lets_in_who_does_not_send_the_key() -> None:
    strict = {"StringEquals": {"kms:EncryptionContext:tenant": "blue"}}
    lax = {"StringEqualsIfExists": {"kms:EncryptionContext:tenant": "blue"}}
    change = changed(text(statement(Condition=strict)), text(statement(Condition=lax)))
    assert told(change) == [(CROSS_ACCOUNT, (f"account {PARTNER}",), ("Decrypt", "Encrypt"))]
    assert "kms:encryptioncontext:tenant" not in change.gained[0].gain.witness.context
    assert change.gained[0].conditions == ("StringEqualsIfExists kms:EncryptionContext:tenant = blue",)
    back = changed(text(statement(Condition=lax)), text(statement(Condition=strict)))
    assert (back.answer, back.relation) == (NO_NEW_ACCESS, NARROWER)


def test_everybody_is_public_and_told_once() -> None:
    change = changed(text(), text(statement(Principal="*")))
    assert told(change) == [(PUBLIC, ("any AWS principal",), ("Decrypt", "Encrypt"))]
    bounded = statement(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    kinds = [kind for kind, _, _ in told(changed(text(), text(bounded)))]
    assert kinds == [CROSS_ACCOUNT, STRENGTHENED]


def test_a_service_acts_for_others_unless_it_is_bound() -> None:
    service = statement(Principal={"Service": "s3.amazonaws.com"})
    change = changed(text(), text(service))
    assert told(change) == [(SERVICES, ("s3.amazonaws.com (on behalf of any account)",), ("Decrypt", "Encrypt"))]
    assert change.gained[0].gain.external
    bound = service | {"Condition": {"StringEquals": {"aws:SourceAccount": OWNER}}}
    change = changed(text(), text(bound))
    assert told(change) == [(SERVICES, ("s3.amazonaws.com",), ("Decrypt", "Encrypt"))]
    assert not change.gained[0].gain.external


def test_what_was_delegated_to_iam_and_is_now_direct_is_a_stronger_grant() -> None:
    role = f"arn:aws:iam::{OWNER}:role/app"
    change = changed(text(), text(statement(Principal={"AWS": role})))
    assert told(change) == [(STRENGTHENED, (role,), ("Decrypt", "Encrypt"))]
    assert not change.gained[0].gain.external
    back = changed(text(statement(Principal={"AWS": role})), text())
    assert (back.answer, back.relation) == (NO_NEW_ACCESS, NARROWER)


def test_actions_and_principals_are_told_apart_where_only_some_are_new() -> None:
    first, second = (f"arn:aws:iam::{PARTNER}:role/{name}" for name in ("a", "b"))
    old = [statement(Principal={"AWS": first}, Action="kms:Decrypt"), statement(Principal={"AWS": second}, Action="kms:Encrypt")]
    new = statement(Principal={"AWS": [first, second]})
    assert told(changed(text(*old), text(new))) == [
        (CROSS_ACCOUNT, (first,), ("Encrypt",)),
        (CROSS_ACCOUNT, (second,), ("Decrypt",)),
    ]


def test_each_witness_replays_and_the_old_policy_refuses_it() -> None:
    old, new = text(statement(), deny()), text(statement(Principal="*"))
    for access in changed(old, new).gained:
        for name in access.gain.actions:
            request = access.gain.witness._replace(action=f"kms:{name}")
            before, after = (evaluate((parse_policy(from_python(json.loads(one)))[0],), request) for one in (old, new))
            assert after.must
            assert not before.may or (before.grant, after.grant) == ("delegated", "direct")


def test_what_is_not_settled_of_one_action_hides_no_stronger_grant_of_another() -> None:
    session = f"arn:aws:sts::{OWNER}:assumed-role/app/s"
    new = statement(Principal={"AWS": session}, Action=["kms:Decrypt", "kms:SynchronizeMultiRegionKey"])
    old = json.dumps({"Version": "2012-10-17", "Statement": [ROOT_STATEMENT | {"Action": "kms:Decrypt"}]})
    both = json.dumps({"Version": "2012-10-17", "Statement": [ROOT_STATEMENT | {"Action": "kms:Decrypt"}, new]})
    assert [(kind, actions) for kind, _, actions in told(changed(old, both))] == [(STRENGTHENED, ("Decrypt",))]


# equivalent rewrites


SPLIT = (
    statement(Sid="One", Action="kms:Decrypt"),
    statement(Sid="Two", Action="kms:Encrypt"),
)
WIDE = statement(Action="kms:*crypt")
NESTED = statement(Principal={"AWS": PARTNER})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((statement(),), SPLIT),
        ((statement(),), (WIDE,)),
        ((statement(),), (NESTED,)),
        ((statement(),), (statement(Action=["kms:Encrypt", "kms:Decrypt"]),)),
        ((statement(), deny()), (deny(), statement())),
        ((statement(), deny(), deny(Action="kms:Encrypt")), (statement(), deny(Action=["kms:Encrypt", "kms:Decrypt"]))),
        ((deny(),), (deny(Condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),)),
    ],
    ids=["split", "wildcard", "account for root", "order of a list", "order of statements", "denies merged", "negated if-exists"],
)
def test_a_rewrite_is_proven_equal_both_ways(old: tuple[dict[str, object], ...], new: tuple[dict[str, object], ...]) -> None:
    for first, second in ((old, new), (new, old)):
        change = changed(text(*first), text(*second))
        assert (change.answer, change.gained, change.lost, change.open) == (NO_NEW_ACCESS, (), (), ())
        assert change.relation in {EQUIVALENT, IDENTICAL}


# the owner


def test_an_inferred_owner_is_an_assumption() -> None:
    change = changed(text(), text(statement()), account=None)
    assert told(change) == [(CROSS_ACCOUNT, (f"account {PARTNER}",), ("Decrypt", "Encrypt"))]
    assert change.assumptions == (f"the owner account `{OWNER}` is inferred from the policy; pass --account to say which it is",)
    assert changed(text(), text(statement())).assumptions == ()


def test_an_unknown_owner_is_undetermined_only_where_it_decides() -> None:
    nobody = {"Version": "2012-10-17", "Statement": [statement(Action="kms:DescribeKey")]}
    more = {"Version": "2012-10-17", "Statement": [statement(Action=["kms:DescribeKey", "kms:Decrypt"])]}
    change = changed(json.dumps(nobody), json.dumps(more), account=None)
    assert change.answer == NEW_ACCESS
    assert any("--account" in reason for reason in change.reasons)
    administers = {"Version": "2012-10-17", "Statement": [statement(Action="kms:DescribeKey"), statement(Action="kms:EnableKey")]}
    change = changed(json.dumps(nobody), json.dumps(administers), account=None)
    assert change.answer == UNDETERMINED
    assert "pass --account" in change.reasons[0]
    for owner, answer in ((PARTNER, NEW_ACCESS), (OWNER, NO_NEW_ACCESS)):
        assert changed(json.dumps(nobody), json.dumps(administers), account=owner).answer == answer


# keys on one side


def key(*statements: dict[str, object], file: str = "a.json", account: str | None = OWNER, **more: Any) -> Key:  # noqa: ANN401
    found = keys_from_json(Text(text(*statements), file=file), type="policy", account=account)
    assert isinstance(found, list)
    [one] = found
    assert isinstance(one, Key)
    return one._replace(**more)


def test_an_added_key_with_the_default_policy_gives_nobody_anything() -> None:
    change = compare(None, key(), id="k1")
    assert (change.kind, change.answer, change.gained) == (ADDED, NO_NEW_ACCESS, ())


def test_an_added_key_reports_what_it_allows_beyond_the_default() -> None:
    change = compare(None, key(statement()), id="k1")
    assert (change.kind, change.answer) == (ADDED, NEW_ACCESS)
    assert told(change) == [(CROSS_ACCOUNT, (f"account {PARTNER}",), ("Decrypt", "Encrypt"))]


def test_a_removed_key_gives_nothing() -> None:
    change = compare(key(statement()), None, id="k1")
    assert (change.kind, change.answer, change.gained) == (REMOVED, NO_NEW_ACCESS, ())


def test_an_unread_policy_is_undetermined_never_new_and_never_proven() -> None:
    hidden = key()._replace(policies_unread="AccessDenied on kms:GetKeyPolicy", policies=())
    for old, new in ((hidden, key(statement())), (key(statement()), hidden), (None, hidden)):
        change = compare(old, new, id="k1")
        assert (change.answer, change.reasons) == (UNDETERMINED, ("AccessDenied on kms:GetKeyPolicy",))


# pairs


def side_of(*keys: Key) -> Side:
    return Side(keys, relative=lambda one: one.source.file or "")


def placed(name: str, **more: Any) -> Key:  # noqa: ANN401
    return Key(name, more.pop("source", Source("policy", file=f"{name}.json")), (), more.pop("facts", {}), **more)


def test_keys_are_paired_by_arn_then_address_then_alias_then_file() -> None:
    arn = f"arn:aws:kms:us-east-1:{OWNER}:key/1"
    alias = {"aliases": Known(["alias/x"])}
    old = side_of(
        placed("by-file"),
        placed("old-arn", arn=arn),
        placed("old-address", source=Source("terraform", file="m/main.tf", address="aws_kms_key.a")),
        placed("old-alias", facts=alias),
        placed("gone"),
    )
    new = side_of(
        placed("new-alias", facts=alias),
        placed("new-address", source=Source("terraform", file="m/keys.tf", address="aws_kms_key.a")),
        placed("new-arn", arn=arn),
        placed("by-file"),
        placed("added"),
    )
    assert [(one and one.id, two and two.id) for one, two in pair(old, new)] == [
        ("old-alias", "new-alias"),
        ("old-address", "new-address"),
        ("old-arn", "new-arn"),
        ("by-file", "by-file"),
        (None, "added"),
        ("gone", None),
    ]


def test_a_name_of_two_keys_pairs_none_of_them() -> None:
    alias = {"aliases": Known(["alias/x"])}
    old = side_of(placed("a", facts=alias), placed("b", facts=alias))
    new = side_of(placed("c", facts=alias))
    assert [(one and one.id, two and two.id) for one, two in pair(old, new)] == [(None, "c"), ("a", None), ("b", None)]


def test_one_address_in_two_files_of_a_folder_is_two_keys() -> None:
    def of(file: str) -> Key:
        return placed(file, source=Source("cloudformation", file=f"stacks/{file}", address="Key"))

    found = pair(side_of(of("a"), of("b"), of("c")), side_of(of("c"), of("b"), of("d")))
    assert [(one and one.id, two and two.id) for one, two in found] == [("c", "c"), ("b", "b"), ("a", "d")]


def test_one_address_in_two_folders_is_two_keys() -> None:
    def of(folder: str) -> Key:
        return placed(folder, source=Source("terraform", file=f"{folder}/main.tf", address="aws_kms_key.this"))

    found = pair(side_of(of("prod"), of("test")), side_of(of("test"), of("prod")))
    assert [(one and one.id, two and two.id) for one, two in found] == [("test", "test"), ("prod", "prod")]


# facts


@pytest.mark.parametrize(
    ("name", "old", "new", "worse"),
    [
        ("rotation.enabled", True, False, True),
        ("rotation.enabled", False, True, False),
        ("rotation.period_days", 365, 730, True),
        ("rotation.period_days", 730, 365, False),
        ("deletion.window_days", 30, 7, True),
        ("deletion.window_days", 7, 30, False),
        ("state", "Enabled", "PendingDeletion", True),
        ("state", "Disabled", "Enabled", False),
        ("lockout_check_bypassed", False, True, True),
        ("description", "a", "b", False),
    ],
)
def test_a_fact_that_changed(name: str, old: object, new: object, worse: bool) -> None:
    change = compare(key(facts={name: Known(old)}), key(facts={name: Known(new)}), id="k1")
    assert change.facts == (FactChange(name, old, new, worse),)
    assert compare(key(facts={name: Known(old)}), key(facts={name: Known(old)}), id="k1").facts == ()


def test_grants_are_compared_by_what_they_give() -> None:
    grant = {"GrantId": "1", "GranteePrincipal": "arn:a", "Operations": ["Decrypt", "Encrypt"], "CreationDate": 1}
    again = grant | {"GrantId": "2", "Operations": ["Encrypt", "Decrypt"], "CreationDate": 2}
    other = grant | {"GrantId": "3", "GranteePrincipal": "arn:b"}
    same = compare(key(facts={"grants": Known([grant])}), key(facts={"grants": Known([grant, again])}), id="k1")
    more = compare(key(facts={"grants": Known([grant])}), key(facts={"grants": Known([again, other])}), id="k1")
    assert [fact.worse for fact in same.facts] == [False]
    assert more.facts == (FactChange("grants", [], [other], worse=True),)


def test_a_fact_that_cannot_be_read_any_more_is_no_good_news() -> None:
    unread = Unknown(UNREAD, "AccessDenied")
    change = compare(key(facts={"rotation.enabled": Known(True)}), key(facts={"rotation.enabled": unread}), id="k1")
    assert change.facts == (FactChange("rotation.enabled", True, None, None),)


def test_tags_that_the_policy_asks_about_must_not_change() -> None:
    asks = statement(Condition={"StringEquals": {"aws:ResourceTag/team": "a"}})
    team = [key(asks, facts={"tags": Known({"team": name})}) for name in ("b", "a")]
    assert compare(team[0], team[1], id="k1").answer == UNDETERMINED
    assert compare(team[0], team[0], id="k1").answer == NO_NEW_ACCESS
    plain_keys = [key(statement(), facts={"tags": Known({"team": name})}) for name in ("b", "a")]
    assert compare(plain_keys[0], plain_keys[1], id="k1").answer == NO_NEW_ACCESS


# templates


def template(*statements: dict[str, object]) -> Key:
    policy, _ = parse_shape(from_python({"Version": "2012-10-17", "Statement": [ROOT_STATEMENT, *statements]}))
    one = key()
    return one._replace(policies=(one.policies[0]._replace(policy=policy),))


def open_principal(*names: str) -> dict[str, object]:
    return {"AWS": [Template((Symbol(name),)) for name in names]}


def test_a_symbol_equals_itself() -> None:
    same = compare(
        template(statement(Principal=open_principal("var.a"))), template(statement(Principal=open_principal("var.a"))), id="k1"
    )
    assert (same.answer, same.relation) == (NO_NEW_ACCESS, IDENTICAL)
    assert same.assumptions == ("`var.a` stands for the same value before and after",)
    fewer = compare(
        template(statement(Principal=open_principal("var.a", "var.b"))),
        template(statement(Principal=open_principal("var.b"))),
        id="k1",
    )
    assert fewer.answer == NO_NEW_ACCESS


def test_another_symbol_may_be_anybody() -> None:
    other = compare(
        template(statement(Principal=open_principal("var.a"))), template(statement(Principal=open_principal("var.b"))), id="k1"
    )
    assert other.answer == UNDETERMINED
    assert any("var.b" in reason for reason in other.reasons)
    before = template(statement(Principal=open_principal("var.a")))
    added = statement(Principal={"AWS": [Template((Symbol("var.a"),)), PARTNER]})
    assert compare(before, template(added), id="k1").answer == UNDETERMINED  # `var.a` may be that account
    other_actions = statement(Sid="More", Action="kms:DescribeKey")
    sure = compare(before, template(statement(Principal=open_principal("var.a")), other_actions), id="k1")
    assert told(sure) == [(CROSS_ACCOUNT, (f"account {PARTNER}",), ("DescribeKey",))]


def test_the_owners_symbol_is_the_owner() -> None:
    own = Template(("arn:aws:iam::", Symbol("account", "account"), ":root"))
    first = template(statement(Principal={"AWS": own}))
    second = template(statement(Principal={"AWS": f"arn:aws:iam::{OWNER}:root"}))
    assert compare(first, second, id="k1").relation == EQUIVALENT


def test_a_policy_that_code_computes_is_never_taken_to_be_the_same() -> None:
    def unresolved(name: str) -> Key:
        policy, _ = parse_shape(from_python(Symbol(name)))
        one = key()
        return one._replace(policies=(one.policies[0]._replace(policy=policy._replace(unknown=("could not be resolved",))),))

    assert compare(unresolved("data.x.y.json"), unresolved("data.x.y.json"), id="k1").answer == UNDETERMINED
    assert compare(unresolved("var.policy"), unresolved("var.policy"), id="k1").answer == NO_NEW_ACCESS
    assert compare(unresolved("var.policy"), unresolved("var.other"), id="k1").answer == UNDETERMINED


# exit codes


@pytest.mark.parametrize(
    ("new", "codes"),
    [
        (statement(Principal="*"), (1, 1, 1)),
        (statement(), (0, 1, 1)),
        (statement(Principal={"Service": "s3.amazonaws.com"}), (0, 1, 1)),
        (statement(Principal={"AWS": f"arn:aws:iam::{OWNER}:role/app"}), (0, 0, 1)),
        (statement(Effect="Deny"), (0, 0, 0)),
    ],
    ids=["public", "cross-account", "unbound service", "own account", "nothing"],
)
def test_the_gate(new: dict[str, object], codes: tuple[int, ...]) -> None:
    found = Difference((compare(key(), key(new), id="k1"),))
    assert tuple(exit_code(found, gate) for gate in (PUBLIC, CROSS_ACCOUNT, ANY)) == codes


def test_new_access_wins_over_errors_and_errors_over_what_is_open() -> None:
    unclear = compare(key(), key()._replace(policies_unread="x"), id="k1")
    error = SourceError("b.json", 1, 1, "not JSON")
    bad = compare(key(), key(statement()), id="k2")
    assert exit_code(Difference((unclear, bad), (error,)), ANY) == 1
    assert exit_code(Difference((unclear,), (error,)), ANY) == 3
    assert exit_code(Difference((unclear,)), PUBLIC) == 4
    assert exit_code(Difference((unclear,)), ANY, allow_undetermined=True) == 0
    assert exit_code(Difference(()), ANY) == 3
    assert exit_code(Difference(()), ANY, allow_empty=True) == 0


def test_a_text_that_is_no_policy_is_an_input_error() -> None:
    with pytest.raises(InputError):
        diff("{", text())
    with pytest.raises(InputError):
        diff(text(), "no policy")


# what is printed


def strict(schema: object) -> object:
    if isinstance(schema, dict):
        closed = {name: strict(part) for name, part in schema.items()}
        if "properties" in closed and "additionalProperties" not in closed and "required" in closed and "allOf" not in closed:
            closed["additionalProperties"] = False
        return closed
    return [strict(part) for part in schema] if isinstance(schema, list) else schema


def some_difference() -> Difference:
    evil = key(statement(Sid=EVIL, Condition={"StringEquals": {"kms:EncryptionContext:x": EVIL}}), file=f"{EVIL}.json")
    return Difference(
        (
            compare(key(statement(), deny()), key(statement(Principal="*")), id="k1", removed=True),
            compare(
                key(statement(), facts={"rotation.enabled": Known(True)}),
                key(facts={"rotation.enabled": Known(False)}),
                id="k2",
                removed=True,
            ),
            compare(None, evil, id="k3"),
            compare(key(), None, id="k4"),
            compare(key(), key()._replace(policies_unread=EVIL), id="k5"),
        ),
        (SourceError(EVIL, 3, 1, EVIL),),
        ((EVIL, "not JSON"),),
        (EVIL,),
    )


def test_the_document_is_valid() -> None:
    document = json.loads(as_document(some_difference()))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["summary"] == {
        "keys": 5, "new_access": 2, "no_new_access": 2, "undetermined": 1, "added": 1, "removed": 1, "facts_worse": 1,
    }  # fmt: skip
    assert as_document(some_difference()).isascii()
    document["keys"][0]["answer"] = "no_new_access"
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def test_the_text_carries_no_escape_of_others() -> None:
    shown = plain(lines(some_difference(), verbose=True, quiet=False))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert not [line for line in shown.split("\n") if line.startswith("::error")]


def test_the_text_in_full() -> None:
    found = Difference(
        (compare(key(statement(), deny()), key(statement(Sid="Use", Principal="*"), deny(), file="b.json"), id="k1"),)
    )
    assert plain(lines(found, verbose=False, quiet=False)).splitlines()[:2] == [
        "b.json: new access [public]: any AWS principal may newly call kms:Encrypt",
        "  --> b.json:13:3 statement `Use` allows it",
    ]


# laws

EXAMPLES = max(15, settings().max_examples // 3)


def a_key(policies: list[JsonObject]) -> Key:
    one = key()
    named = tuple(one.policies[0]._replace(name=f"p{place}", policy=policy_of(policy)) for place, policy in enumerate(policies))
    return one._replace(policies=named)


@settings(max_examples=EXAMPLES)
@given(strategies.seeds())
def test_a_policy_compared_with_itself_is_identical(seed: int) -> None:
    policies = strategies.draw_case(random.Random(seed), Shape(statements=4, unsettled=True)).policies
    change = compare(a_key(policies), a_key(json.loads(json.dumps(policies))), id="k1", removed=True)
    assert (change.answer, change.relation, change.gained, change.lost, change.open) == (NO_NEW_ACCESS, IDENTICAL, (), (), ())


@settings(max_examples=EXAMPLES)
@given(strategies.seeds(), st.booleans())
def test_more_allows_and_fewer_denies_take_nothing_away(seed: int, adds: bool) -> None:
    rng = random.Random(seed)
    shape = Shape(statements=4)
    [policy, *rest] = strategies.draw_case(rng, shape).policies
    extra = strategies.draw_statement(rng, shape, strategies.draw_pool(rng, shape)) | {"Effect": "Allow" if adds else "Deny"}
    more = {**policy, "Statement": [*policy["Statement"], extra]}
    old, new = (policy, more) if adds else (more, policy)
    change = compare(a_key([old, *rest]), a_key([new, *rest]), id="k1", removed=True)
    assert change.lost == ()
    assert change.relation in {IDENTICAL, EQUIVALENT, WIDER, None}
    back = compare(a_key([new, *rest]), a_key([old, *rest]), id="k1")
    assert (back.answer, back.gained) == (NO_NEW_ACCESS, ())


@settings(max_examples=EXAMPLES)
@given(strategies.seeds())
def test_a_narrower_statement_matches_nothing_more(seed: int) -> None:
    rng = random.Random(seed)
    shape = Shape(statements=2, unsettled=True)
    pool = strategies.draw_pool(rng, shape)
    one = strategies.draw_statement(rng, shape, pool)
    other = dict(one)
    for element in rng.sample(["Condition", "Action", "Principal"], 2):
        fresh = strategies.draw_statement(rng, shape, pool)
        if element in fresh and element in other:
            other[element] = fresh[element]
    both = [{"Version": "2012-10-17", "Statement": [{**statement_, "Effect": "Allow"}]} for statement_ in (one, other)]
    first, second = (policy_of(policy).statements[0] for policy in both)
    if not is_narrower(first, second):
        return
    space = world.World(both, rng, limit=300)
    ours, theirs = (world.Compiled(space, [policy]) for policy in both)
    for request, _ in space.requests():
        narrow, wide = ours.decide(request), theirs.decide(request)
        assert narrow.whole <= wide.whole
        assert narrow.direct <= wide.direct


@settings(max_examples=EXAMPLES)
@example(7781)
@example(3508130)
@given(strategies.seeds())
def test_every_new_request_is_in_a_group_and_every_group_holds(seed: int) -> None:
    """Enumeration: no request is new and not told, by kind and action; no witness and no action is told wrongly."""
    rng = random.Random(seed)
    old = strategies.draw_case(rng, SETTLED).policies
    new = [{**policy, "Statement": [dict(one) for one in policy["Statement"]]} for policy in old]
    at = rng.randrange(len(new[0]["Statement"]))
    if rng.random() < 0.4:
        del new[0]["Statement"][at]
    else:
        new[0]["Statement"].append(strategies.draw_statement(rng, SETTLED, strategies.draw_pool(rng, SETTLED)))
    change = compare(a_key(old), a_key(new), id="k1")
    for access in change.gained:
        for name in access.gain.actions:
            shown = plain_request(access.gain.witness._replace(action=f"kms:{name}"))
            assert gained(evaluator.decide(old, shown), evaluator.decide(new, shown), shown) == T
    covered = {(name, access.gain.kind) for access in change.gained for name in access.gain.actions}
    space = world.World([*old, *new], rng, limit=400)
    before, after = world.Compiled(space, old), world.Compiled(space, new)
    for request, standing in space.requests():
        if standing != world.FIRM or gained(before.decide(request), after.decide(request), request) != T or change.open:
            continue
        name = request["action"].partition(":")[2]
        assert {(name, kind) for kind in (PUBLIC, STRENGTHENED, kind_of(request))} & covered, request


def gained(before: evaluator.Decision, after: evaluator.Decision, request: JsonObject) -> int:
    who = evaluator.caller(request["principal"])
    if who.kind != "S" and who.account != ORACLE_OWNER and not works_across(request["action"]):
        return F
    return max(min(after.whole, evaluator.k_not(before.whole)), min(after.direct, evaluator.k_not(before.direct)))


def kind_of(request: JsonObject) -> str:
    who = evaluator.caller(request["principal"])
    if who.kind == "S":
        return SERVICES
    return OWN_ACCOUNT if who.account == ORACLE_OWNER else CROSS_ACCOUNT


def test_the_questions_are_few_and_what_is_cut_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [statement(Sid=f"S{n}", Principal={"AWS": [f"{n}{m:02}".rjust(12, "4") for m in range(20)]}) for n in range(3)]
    change = changed(text(), text(*many))
    assert [access.gain.more for access in change.gained] == [True, True, True]
    monkeypatch.setattr("kmslint.gains.MAX_QUESTIONS", 2)
    few = changed(text(), text(*many))
    assert few.answer == NEW_ACCESS
    assert len(few.gained) == 3


def test_policies_in_another_order_of_statements_are_the_same() -> None:
    first, second = (policy_of(json.loads(text(*statements))) for statements in ((statement(), deny()), (deny(), statement())))
    assert is_same_policy(first, second)
    assert not is_same_policy(first, policy_of(json.loads(text(statement()))))
    assert find_gains([first], [second], key_of(), Named((), (), (), "192.88.99.77")).found == ()


def test_real_inputs_compared_with_themselves_are_the_same(shared: Path) -> None:
    def read() -> Side:
        return side(collect((str(shared / "corpus" / "json"),), settings=Settings()), relative_to(str(shared)))

    found = difference(read(), read())
    assert len(found.changes) > 50
    assert {(change.kind, change.answer, change.relation) for change in found.changes} == {(CHANGED, NO_NEW_ACCESS, IDENTICAL)}


def test_two_files_of_several_keys_are_compared_in_order() -> None:
    keys = [key(file="x"), key(statement(), file="x")]
    found = difference(Side(tuple(keys), relative=lambda one: ""), Side(tuple(keys), relative=lambda one: ""))
    assert [(change.id, change.kind, change.answer) for change in found.changes] == [
        ("k1", CHANGED, NO_NEW_ACCESS),
        ("k2", CHANGED, NO_NEW_ACCESS),
    ]
