"""What is known of a statement before any search: its actions, its symbols, its conditions; and how a proof and a witness are told."""

import random
from collections.abc import Callable

import pytest

from kmslint.aws.actions import ACTIONS
from kmslint.policy.bind import bind, open_accounts, own_symbols, substitute, value_of
from kmslint.policy.document import Item, Policy, Principal, Statement
from kmslint.policy.evaluate import Run
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import T, U
from kmslint.reason import actionset
from kmslint.reason.answer import INPUT, SYMBOL, Answer, Killed, StatementRef, Undetermined
from kmslint.reason.certificate import sentence
from kmslint.reason.query import (
    find_allowed,
    find_allowed_by_statement,
    find_new_access,
    find_new_access_by_statement,
    find_not_allowed,
    is_inert,
    prove_all_allowed,
    prove_none_allowed,
    who,
)
from kmslint.reason.witness import as_json, spelled
from kmslint.tree import Symbol, Template, from_python
from tests.oracle.bridge import KEY_ARN, key_of, policy_of, statements_of

NODE = from_python(None)
KEY = key_of()
ACCOUNT, REGION, ARN, OTHER = Symbol("a", "account"), Symbol("r", "region"), Symbol("k", "key_arn"), Symbol("x")
ENTRIES = ("*", "kms:*", "kms:Decrypt", "KMS:decrypt", "kms:De*", "kms:*crypt", "kms:?ecrypt", "*:Decrypt", "k?s:De*", "s3:*", "kms:No",
           "kms:ReEncrypt*", "k*", "decrypt", "?ms:*")  # fmt: skip


def statement(actions: tuple[object, ...], *, negated: bool = False) -> Statement:
    items = tuple(Item(action, NODE) for action in actions)  # type: ignore[arg-type]
    made = Statement(0, None, "Allow", (Principal("*", "*", NODE),), items, (Item("*", NODE),), (), NODE)
    return made._replace(not_action=negated)


def test_a_mask_holds_the_actions_that_the_evaluator_matches() -> None:
    rng = random.Random(5)
    sets: list[tuple[str, ...]] = [(one,) for one in ENTRIES] + [tuple(rng.sample(ENTRIES, 3)) for _ in range(20)]
    for entries in sets:
        for negated in (False, True):
            for upper in (False, True):
                made = statement(entries, negated=negated)
                wanted = tuple(
                    name
                    for name in actionset.NAMES
                    if Run(Request(None, f"kms:{name}", {}), False, lean=False).action(made) >= (U if upper else T)
                )
                assert actionset.names(actionset.mask(made, upper=upper)) == wanted, (entries, negated, upper)


@pytest.mark.parametrize(("negated", "upper"), [(False, False), (False, True), (True, False), (True, True)])
def test_an_unresolved_action_is_all_in_the_wide_reading_and_none_in_the_narrow(negated: bool, upper: bool) -> None:
    made = statement((Template((OTHER,)),), negated=negated)
    assert actionset.mask(made, upper=upper) == (actionset.ALL if upper else 0)


def test_the_actions_of_the_search_are_those_a_key_policy_decides_about() -> None:
    known = {action.name: action for action in ACTIONS.values() if action.effective is not False}
    assert set(actionset.NAMES) == set(known)
    assert len(set(actionset.NAMES)) == len(actionset.NAMES)
    assert actionset.NAMES[:6] == ("Decrypt", "GenerateDataKey", "Encrypt", "PutKeyPolicy", "CreateGrant", "ScheduleKeyDeletion")
    assert actionset.names(actionset.ALL) == actionset.NAMES
    assert set(actionset.names(actionset.CERTAIN)) == {name for name, one in known.items() if one.effective}
    assert set(actionset.names(actionset.CROSS_ACCOUNT)) == {name for name, one in known.items() if one.cross_account}
    assert set(actionset.names(actionset.MAYBE_CROSS_ACCOUNT)) == {
        name for name, one in known.items() if one.cross_account is not False
    }


def test_the_first_of_a_group_stands_for_it() -> None:
    for index, name in enumerate(actionset.NAMES):
        assert actionset.first(1 << index) == name
        assert actionset.first(actionset.ALL & ~((1 << index) - 1)) == name


def test_groups_are_a_partition_that_no_mask_cuts() -> None:
    rng = random.Random(6)
    for _ in range(50):
        bits = rng.getrandbits(len(actionset.NAMES)) or 1
        masks = [rng.getrandbits(len(actionset.NAMES)) for _ in range(3)]
        parts = actionset.groups(bits, masks, ("kms:viaservice", "kms:encryptioncontextkeys", "aws:tagkeys"), "R")
        assert sum(parts) == bits
        assert all(one & other == 0 for at, one in enumerate(parts) for other in parts[:at])
        assert all(part & mask in (0, part) for part in parts for mask in masks)
        assert [part & -part for part in parts] == sorted(part & -part for part in parts)
    assert actionset.groups(0, [1], (), "R") == ()
    assert actionset.groups(7, [], (), "R") == (7,)
    assert actionset.groups(7, [2], (), "R") == (5, 2)


def holding(*values: object) -> Policy:
    """A policy with the values in turn as principal, action, resource and condition value."""
    principal, action, resource, condition = values
    document = policy_of(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "p"},
                    "Action": "a",
                    "Resource": "r",
                    "Condition": {"StringEquals": {"k": "c"}},
                },
                {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"},
            ],
        }
    )
    first = document.statements[0]
    whole = first._replace(
        principals=(Principal("AWS", principal, NODE),),  # type: ignore[arg-type]
        actions=(Item(action, NODE),),  # type: ignore[arg-type]
        resources=(Item(resource, NODE),),  # type: ignore[arg-type]
        conditions=(first.conditions[0]._replace(values=(Item(condition, NODE),)),),  # type: ignore[arg-type]
    )
    return document._replace(statements=(whole, document.statements[1]))


def values_of(policy: Policy) -> tuple[object, ...]:
    one = policy.statements[0]
    assert one.principals
    assert one.actions
    assert one.resources
    return one.principals[0].value, one.actions[0].value, one.resources[0].value, one.conditions[0].values[0].value


def test_own_symbols_become_what_the_key_is() -> None:
    root = Template(("arn:aws:iam::", ACCOUNT, ":root"))
    policy = holding(root, Template((OTHER,)), Template((ARN,)), Template(("kms.", REGION, ".", OTHER, "!")))
    assert own_symbols(policy) == {"account", "region", "key_arn"}
    bound = bind(policy, KEY)
    assert values_of(bound) == (
        "arn:aws:iam::111122223333:root", Template((OTHER,)), KEY_ARN, Template(("kms.us-east-1.", OTHER, "!")),
    )  # fmt: skip
    assert bound.statements[1] is policy.statements[1]
    assert own_symbols(bound) == frozenset()


def test_what_is_not_known_of_the_key_stays_a_symbol() -> None:
    root = Template(("arn:aws:iam::", ACCOUNT, ":root"))
    policy = holding(root, "kms:*", Template((ARN,)), Template((Symbol("p", "partition"), ":", REGION)))
    bare = KeyContext(region="eu-west-1")
    assert values_of(bind(policy, bare)) == (root, "kms:*", Template((ARN,)), "aws:eu-west-1")
    plain = holding("p", "a", "r", "c")
    assert bind(plain, KEY) is plain
    assert value_of("a", KEY) == "a"
    assert own_symbols(plain) == frozenset()


def test_an_open_account_is_a_symbol_in_the_place_of_one() -> None:
    other = Symbol("y")
    assert open_accounts(holding(Template(("arn:aws:iam::", OTHER, ":root")), "a", "r", "c")) == (OTHER,)
    assert open_accounts(holding(Template(("arn:aws:sts::", other, ":assumed-role/a/b")), "a", "r", "c")) == (other,)
    for value in (
        Template((OTHER,)), Template(("arn:aws:iam::", OTHER)), Template(("arn:aws:iam::", OTHER, "x")), Template(("a", OTHER, ":root")),
        Template(("arn:aws:iam::", ACCOUNT, ":root")), Template((OTHER, other, ":root")), Template(("arn:aws:iam::", OTHER, other)), "p",
    ):  # fmt: skip
        assert open_accounts(holding(value, Template(("iam::", OTHER, ":")), "r", "c")) == ()


def test_a_tried_value_stands_wherever_its_symbol_did() -> None:
    policy = holding(Template(("arn:aws:iam::", OTHER, ":root")), Template((ACCOUNT,)), "r", Template((OTHER, "/", ACCOUNT)))
    tried = substitute(policy, {OTHER: "444455556666"})
    assert values_of(tried) == ("arn:aws:iam::444455556666:root", Template((ACCOUNT,)), "r", Template(("444455556666/", ACCOUNT)))


# what is not read


QUESTIONS: dict[str, Callable[[Policy], Answer | tuple[object, ...]]] = {
    "allowed": lambda policy: find_allowed((policy,), EVERYTHING, KEY),
    "not allowed": lambda policy: find_not_allowed((policy,), EVERYTHING, KEY),
    "new": lambda policy: find_new_access((), (policy,), KEY),
    "old": lambda policy: find_new_access((policy,), (), KEY),
    "inert": lambda policy: is_inert((policy,), StatementRef(0, 0), KEY),
    "proof": lambda policy: prove_none_allowed((policy,), EVERYTHING, KEY),
    "dual proof": lambda policy: prove_all_allowed((policy,), EVERYTHING, KEY),
}
EVERYTHING = statements_of([{"Principal": "*", "Action": "*"}])


@pytest.mark.parametrize("question", QUESTIONS)
def test_nothing_is_proven_of_a_policy_that_was_not_read(question: str) -> None:
    policy = policy_of({"Version": "2012-10-17", "Statement": []})._replace(unknown=("not read",))
    found = QUESTIONS[question](policy)
    assert isinstance(found, Undetermined)
    assert [(cause.kind, cause.text) for cause in found.causes] == [(SYMBOL, "not read")]
    assert SYMBOL != INPUT


def test_a_policy_that_was_not_read_stands_for_all_of_its_statements() -> None:
    read = policy_of({"Version": "2012-10-17", "Statement": []})
    policies = (read, read._replace(unknown=("not read",)))
    [(ref, answer)] = find_allowed_by_statement(policies, EVERYTHING, KEY)
    assert (ref, type(answer)) == (StatementRef(1, -1), Undetermined)
    [(ref, answer)] = find_new_access_by_statement((read,), policies, KEY)
    assert (ref.statement, type(answer)) == (-1, Undetermined)
    [access] = who(policies, "kms:Decrypt", KEY)
    assert access[:5] == ("anybody", "?", None, True, True)
    assert isinstance(access.answer, Undetermined)
    assert who((read,), "kms:Decrypt", KEY) == ()


# as people read it


HERE, THERE, ASKED = StatementRef(0, 1), StatementRef(0, 2), StatementRef(-1, 0)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Killed("c", None, "reach", ASKED, ()), "c: the question does not apply"),
        (Killed("c", HERE, "reach", None, ()), "c: statement 1 allows none of it: the question does not apply"),
        (Killed("c", HERE, "reach", THERE, ()), "c: statement 1 allows none of it: statement 2 does not apply"),
        (Killed("c", HERE, "reach", StatementRef(0, 0), ()), "c: statement 1 allows none of it: statement 0 does not apply"),
        (Killed("c", None, "deny", THERE, ()), "c: statement 2 denies it"),
        (Killed("c", None, "deny", None, ()), "c: statement ? denies it"),
        (Killed("c", None, "allow", THERE, ()), "c: statement 2 allows all of it"),
        (Killed("c", None, "allow", None, ()), "c: statement ? allows all of it"),
        (
            Killed("c", HERE, "conditions", None, ("p", "q")),
            "c: statement 1 allows none of it: these cannot hold together: p · q",
        ),
    ],
)
def test_a_step_is_a_sentence(step: Killed, said: str) -> None:
    assert sentence(step) == said


def test_a_witness_is_printed_in_the_spelling_of_aws() -> None:
    request = Request("p", "kms:Decrypt", {"kms:viaservice": "v", "aws:tagkeys": frozenset({"b", "a"}), "no:such": "x"})
    shown = {
        "principal": "p",
        "action": "kms:Decrypt",
        "context": {"kms:ViaService": "v", "aws:TagKeys": ["a", "b"], "no:such": "x"},
    }
    assert as_json(request) == shown
    assert as_json(request._replace(parent="u")) == {**shown, "parent": "u"}
    assert spelled("kms:encryptioncontext:Dept") == "kms:EncryptionContext:Dept"
