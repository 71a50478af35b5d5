"""For each `[[forbid]]` block that passes: requests inside the forbidden set, by the thousand, and none of them is allowed.

The requests are drawn from the constants of rule and policy, their neighbours and absent keys, completed by what the
principal and the key determine, and decided by the evaluator alone. A hole planted in the policy is found by the same
generator, or its silence would prove nothing. KMSLINT_CASES sets how many are drawn for a block (default 60).
"""

import os
import random
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from kmslint.aws import actions
from kmslint.aws.condition_keys import lookup, presence_on
from kmslint.engine.binding import bound
from kmslint.engine.loader import load_rules
from kmslint.engine.rule import Forbid
from kmslint.engine.variables import describe
from kmslint.model.key import Key, KeyPolicy, Source
from kmslint.model.settings import Settings
from kmslint.policy import variables
from kmslint.policy.complete import complete, determined, oddities
from kmslint.policy.document import Policy, Statement
from kmslint.policy.evaluate import applies, evaluate
from kmslint.policy.principals import SERVICE, identify
from kmslint.policy.request import ContextValue, KeyContext, Request
from kmslint.policy.truth import T
from kmslint.reason.answer import Violated
from kmslint.reason.query import find_allowed_by_statement
from kmslint.sources.files import collect
from tests.oracle.bridge import policy_of

CASES = int(os.environ.get("KMSLINT_CASES", "60"))
TRIES = 12
"""Draws for each request that is wanted: most miss the forbidden set."""
OWNER = "111122223333"
FRIEND = "444455556666"
STRANGER = "999999999999"
BLOCKS = [
    (rule.id, place, block) for rule in load_rules() for place, block in enumerate(rule.blocks) if isinstance(block, Forbid)
]
QUESTION = Policy("2012-10-17", ())
PATTERN = re.compile(r"[*?]")

SAMPLES = {
    "String": ("x", "o-a1b2c3d4e5", "s3.us-east-1.amazonaws.com", "vpce-0123456789abcdef0", STRANGER, OWNER),
    "ARN": ("arn:aws:s3:::somebody-elses-bucket", f"arn:aws:iam::{STRANGER}:role/other"),
    "Numeric": ("0", "7", "30", "365"),
    "Date": ("2026-11-24T08:00:00Z",),
    "Bool": ("true", "false"),
    "IP": ("192.88.99.77", "10.0.0.1", "2001:db8::1"),
}


class Set(NamedTuple):
    """One forbidden set and the policies that must not allow any of it."""

    policies: tuple[Policy, ...]
    described: tuple[Statement, ...]
    key: KeyContext
    grant: str


class Constants(NamedTuple):
    """What rule and policy speak of."""

    principals: tuple[str, ...]
    values: dict[str, tuple[str, ...]]
    """By lower-cased condition key: constants and their neighbours."""


# ------------------------------------------------------------------------------------------------------------- the generator


def constants(one: Set) -> Constants:
    statements = [*(statement for policy in one.policies for statement in policy.statements), *one.described]
    values: dict[str, dict[str, None]] = {}
    for statement in statements:
        for condition in statement.conditions:
            texts = [item.value for item in condition.values if isinstance(item.value, str)]
            known = values.setdefault(condition.key.lower(), {})
            known.update(dict.fromkeys(near for text in texts for near in neighbours(text)))
            for part in (part for text in texts for part in variables.split(text)):
                if isinstance(part, variables.Variable):
                    values.setdefault(part.key, {})
    for name, known in values.items():
        listed = lookup(name)
        known.update(dict.fromkeys(listed.values or SAMPLES[listed.type] if listed else ("x",)))
    texts = [entry.value for statement in statements for entry in statement.principals or () if isinstance(entry.value, str)]
    texts += [text for name in ("aws:principalarn", "aws:principalaccount", "kms:calleraccount") for text in values.get(name, ())]
    callers = [caller for text in (*texts, OWNER, FRIEND, STRANGER) for caller in around(text)]
    unique = dict.fromkeys((*callers, "s3.amazonaws.com", "other.amazonaws.com"))
    return Constants(tuple(unique), {name: tuple(known) for name, known in values.items()})


def around(text: str) -> Iterator[str]:
    """A principal or account that is written, and those beside it."""
    identity = identify(text)
    if identity.kind == SERVICE:
        yield text
        return
    found = re.search(r"\d{12}", text)
    if identity.kind not in "URFT" and (found is None or (text != found[0] and not text.startswith("arn:"))):
        return
    if identity.kind in "URFT":
        yield text
        if identity.role_arn is not None:
            yield f"arn:{identity.partition}:sts::{identity.account}:assumed-role/{identity.name}/session"
    account = identity.account or (found[0] if found else STRANGER)
    for kind in (
        "iam::{}:user/somebody",
        "iam::{}:role/other",
        "iam::{}:role/path/other",
        "iam::{}:root",
        "sts::{}:federated-user/f",
    ):
        yield "arn:aws:" + kind.format(account)


def neighbours(text: str) -> Iterator[str]:
    """A constant and texts that differ from it in what an operator may see."""
    if "${" in text:
        return
    plain = text.replace("*", "x").replace("?", "y")
    yield plain
    if PATTERN.search(text):
        yield from (text.replace("*", "").replace("?", "z"), text.replace("*", "a:b/c").replace("?", "y"))
    yield from (plain + "x", plain[:-1], plain.upper())
    number = re.fullmatch(r"\d{1,9}", text)
    if number:
        yield from (str(int(text) - 1), str(int(text) + 1))
    address = re.fullmatch(r"(\d+\.\d+\.\d+\.)(\d+)/\d+", text)
    if address:
        yield from (address[1] + address[2], address[1] + str(int(address[2]) + 1))


def draw(one: Set, known: Constants, rng: random.Random) -> Request | None:
    """A request that AWS could make and that the set describes; None when this try misses."""
    asked = rng.choice(one.described)
    action = rng.choice(actions_of(asked))
    principal = rng.choice(known.principals)
    kind = identify(principal).kind
    bare = Request(principal, f"kms:{action}", {}, one.key, f"arn:aws:iam::{OWNER}:user/parent" if kind == "F" else None)
    context: dict[str, ContextValue] = {}
    for name, values in known.values.items():
        presence = presence_on(name, kind, action)
        if presence in {"never", "unsure"} or name in determined(bare):
            continue
        fitting = [value for value in values if is_value(name, value) and fits(asked, name, value)]
        may_be_absent = presence != "always" and fits(asked, name, None)
        if fitting and not (may_be_absent and rng.random() < 0.5):
            context[name] = drawn_value(name, fitting, rng)
        elif not may_be_absent:
            return None
    request = complete(bare._replace(context={**context, **identity_keys(principal, known, rng)}))
    is_described = any(applies(described, QUESTION, request).truth == T for described in one.described)
    return request if is_described and not oddities(request) else None


def drawn_value(name: str, fitting: list[str], rng: random.Random) -> ContextValue:
    listed = lookup(name)
    if listed is None or not listed.multi:
        return rng.choice(fitting)
    return frozenset(rng.sample(fitting, min(len(fitting), rng.randint(1, 2))))


def identity_keys(principal: str, known: Constants, rng: random.Random) -> dict[str, ContextValue]:
    """What the caller's kind determines in shape alone: a unique id, the role of a session."""
    identity = identify(principal)
    found: dict[str, ContextValue] = {}
    if identity.kind == "U":
        found["aws:userid"] = "AIDACKCEVSQ6C2EXAMPLE"
    if identity.kind == "R":
        found["aws:userid"] = f"AROADBQP57FF2AEXAMPLE:{identity.session or 'session'}"
        if identity.role_arn is None:
            stem = f"arn:{identity.partition}:iam::{identity.account}:role/"
            arns = [arn for arn in known.principals if arn.startswith(stem) and identify(arn).name == identity.name]
            found["aws:principalarn"] = rng.choice(arns or [f"{stem}{identity.name}", f"{stem}path/{identity.name}"])
    return found


def actions_of(statement: Statement) -> list[str]:
    """The actions that a described statement lists, those that a key policy decides about."""
    named = {name for item in statement.actions or () if isinstance(item.value, str) for name in actions.match(item.value)}
    chosen = set(actions.EFFECTIVE) - named if statement.not_action else named & set(actions.EFFECTIVE)
    return sorted(chosen) or ["Decrypt"]


def is_value(name: str, value: str) -> bool:
    """Whether AWS could put the value under the key."""
    if value == "":
        return False
    if name == "aws:sourceaccount":
        return re.fullmatch(r"\d{12}", value) is not None
    if name == "kms:viaservice":
        return re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com", value) is not None
    listed = lookup(name)
    if listed is None or listed.values is not None:
        return listed is not None and value in (listed.values or ())
    if listed.type == "Numeric":
        return value.isdecimal() and is_in_range(name, int(value))
    return listed.type not in {"Bool", "IP", "Date"} or parses(listed.type, value)


def is_in_range(name: str, number: int) -> bool:
    low, high = {
        "kms:rotationperiodindays": (90, 2560),
        "kms:schedulekeydeletionpendingwindowindays": (7, 30),
    }.get(name, (0, 10**9))
    return low <= number <= high


def parses(kind: str, value: str) -> bool:
    if kind == "Bool":
        return value in {"true", "false"}
    if kind == "Date":
        return re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", value) is not None
    return re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]*::[0-9a-f:]*", value) is not None


def fits(asked: Statement, name: str, value: str | None) -> bool:
    """Whether the set's own conditions on this key alone let the value, or the absence, through."""
    own = tuple(condition for condition in asked.conditions if condition.key.lower() == name)
    if not own:
        return True
    listed = lookup(name)
    held: ContextValue | None = frozenset({value}) if value is not None and listed is not None and listed.multi else value
    context = {} if held is None else {name: held}
    request = Request(f"arn:aws:iam::{OWNER}:root", "kms:Decrypt", context)
    item = asked.node
    everyone = asked._replace(
        principals=ANYBODY, not_principal=False, actions=ANYTHING, not_action=False, conditions=own, node=item
    )
    return applies(everyone, QUESTION, request).truth == T


_WIDE = policy_of({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]})
ANYBODY = _WIDE.statements[0].principals
ANYTHING = _WIDE.statements[0].actions


# ------------------------------------------------------------------------------------------------------------- the questions


def counterexample(one: Set, request: Request) -> bool:
    """Whether the request is allowed in a way that counts: across accounts only what works there, at home what is direct."""
    decided = evaluate(one.policies, request)
    if not decided.must:
        return False
    identity = identify(request.principal)
    is_foreign = identity.kind == SERVICE or identity.account != one.key.account
    if is_foreign and identity.kind != SERVICE:
        known = actions.ACTIONS[request.action.removeprefix("kms:").lower()]
        if not known.cross_account:
            return False
    if one.grant == "any" or (one.grant == "default" and is_foreign):
        return True
    return decided.grant == ("delegated" if one.grant == "delegated" else "direct")


def sample(one: Set, seed: int, wanted: int) -> Iterator[Request]:
    """Up to `wanted` requests of the set."""
    rng = random.Random(seed)
    known = constants(one)
    found = 0
    for _ in range(wanted * TRIES):
        request = draw(one, known, rng)
        if request is not None:
            found += 1
            yield request
        if found == wanted:
            return


def sets_of(key: Key) -> Iterator[tuple[str, Set]]:
    """The forbidden set of each block, as it stands for this key."""
    owned = bound(key._replace(account=key.account or OWNER))
    for name, place, block in BLOCKS:
        described = describe(block.statements, owned, Settings(), name)
        if described:
            policies = tuple(named.policy for named in owned.policies)
            yield f"{name}/{place}", Set(policies, described, owned.context(), block.grant)


def passes(one: Set) -> bool:
    return find_allowed_by_statement(one.policies, one.described, one.key, grant=one.grant) == ()


def fails(one: Set) -> bool:
    found = find_allowed_by_statement(one.policies, one.described, one.key, grant=one.grant)
    return any(isinstance(answer, Violated) for _, answer in found)


def with_hole(one: Set, document: dict[str, object]) -> Set:
    """The set asked of the policies and one more Allow."""
    more = policy_of({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **document}]})
    return one._replace(policies=(*one.policies, more))


HOLES = (
    {"Principal": "*", "Action": "kms:*"},
    {"Principal": {"AWS": "*"}, "Action": "kms:*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    {"Principal": "*", "Action": "kms:*", "Condition": {"Null": {"aws:PrincipalServiceName": "true"}}},
    {
        "Principal": "*",
        "Action": "kms:*",
        "Condition": {"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{STRANGER}:role/back*", "aws:UserAgent": "door"}},
    },
)
"""Allows, from wide open to a door that only one name opens."""


def key_of(*statements: dict[str, object]) -> Key:
    policy = policy_of({"Version": "2012-10-17", "Statement": [{"Resource": "*", **one} for one in statements]})
    return Key("k1", Source("policy"), (KeyPolicy("default", policy),), {}, account=OWNER, account_source="given")


ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}, "Action": "kms:*"}
PERIMETER = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "kms:*",
    "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "Bool": {"aws:PrincipalIsAWSService": "false"}},
}
OWN = {
    "delegating": key_of(ROOT),
    "organization": key_of(
        ROOT,
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["kms:Decrypt", "kms:DescribeKey"],
            "Condition": {
                "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
                "StringLike": {"kms:ViaService": "s3.*.amazonaws.com"},
            },
        },
    ),
    "perimeter": key_of(
        ROOT, PERIMETER, {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{FRIEND}:role/app"}, "Action": "kms:Decrypt"}
    ),
    "service": key_of(
        ROOT,
        {
            "Effect": "Allow",
            "Principal": {"Service": "logs.eu-central-1.amazonaws.com"},
            "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-central-1:{OWNER}:*"}},
        },
    ),
    "administrator": key_of(
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWNER}:role/admin"}, "Action": ["kms:Put*", "kms:Describe*"]},
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OWNER}:role/admin"},
            "Action": "kms:ScheduleKeyDeletion",
            "Condition": {"NumericGreaterThanEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}},
        },
    ),
}


def assert_silent(name: str, key: Key) -> set[str]:
    """No counterexample to any block that passes; the blocks of which enough was drawn."""
    drawn_from = set()
    for block, one in sets_of(key):
        if passes(one):
            requests = list(sample(one, zlib.crc32(f"{name} {block}".encode()), CASES))
            assert [request for request in requests if counterexample(one, request)] == [], (name, block)
            if len(requests) >= CASES // 2:
                drawn_from.add(block)
    return drawn_from


@pytest.mark.parametrize("name", OWN)
def test_no_counterexample_to_a_pass_on_our_own_policies(name: str) -> None:
    assert assert_silent(name, OWN[name])


def real(shared: Path, share: int) -> Iterable[Key]:
    keys = [one for one in collect((str(shared / "corpus" / "json"),), settings=Settings()) if isinstance(one, Key)]
    return keys[:: max(1, len(keys) * share // CASES)]


def test_no_counterexample_to_a_pass_on_real_policies(shared: Path) -> None:
    drawn_from: set[str] = set()
    for key in real(shared, 10):
        drawn_from |= assert_silent(str(key.source.file), key)
    assert len(drawn_from) >= 5


@pytest.mark.parametrize("hole", range(len(HOLES)))
@pytest.mark.parametrize("name", ["delegating", "organization", "service", "perimeter"])
def test_a_planted_hole_is_found(name: str, hole: int) -> None:
    """For every block that passes without the hole and fails with it, the same generator finds a counterexample."""
    found, missed = set(), set()
    for block, one in sets_of(OWN[name]):
        holed = with_hole(one, HOLES[hole])
        if passes(one) and fails(holed):
            requests = sample(holed, zlib.crc32(f"{name} {block}".encode()), 4_000)
            (found if any(counterexample(holed, request) for request in requests) else missed).add(block)
    assert missed == set()
    assert found
