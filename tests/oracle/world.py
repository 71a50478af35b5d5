"""Which requests AWS can send: presence of keys, their values, and how they hang together (docs/semantics, sections 10, 11).

`standing` judges one request: FIRM (documented as possible), SOFT (an inference or a point of the register says yes or no), or
a sentence that says why AWS cannot send it. `requests` enumerates representatives: every principal class, action and cell of
values that the constants of a policy tell apart.
"""

import itertools
import random
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from tests.oracle import evaluator, keys
from tests.oracle.evaluator import Caller, JsonObject, Plain, as_list, caller

FIRM, SOFT = "firm", "soft"
UNSETTLED_ACTION = "SynchronizeMultiRegionKey"
"""No source says whether a key policy decides about it, nor across accounts."""
REGION = "us-east-1"

# ---------------------------------------------------------------------------------------------------------------- presence

_ALWAYS = {"aws:principalisawsservice", "aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:useragent",
           "aws:resourceaccount", "aws:requestedregion", "kms:keyorigin", "kms:keyspec"}  # fmt: skip
_PERSONAL = {"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:userid", "kms:calleraccount"}
_SERVICE_ONLY = {"aws:sourceaccount", "aws:sourcearn"}
_NETWORK = {"aws:sourceip", "aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip"}
_CALLED = {"aws:calledvia", "aws:calledviafirst", "aws:calledvialast"}
_ORGANIZATION = {"aws:principalorgid", "aws:principalorgpaths"}


def presence(key: str, kind: str, action: str) -> str:
    """ "always", "optional", "never", "doubtful" (sending it is an inference), "expected" (its absence is one)."""
    if action == "kms:" + UNSETTLED_ACTION and key.startswith("kms:") and key not in _PERSONAL:
        return "optional"
    if key in _ALWAYS:
        return "always"
    if key in _PERSONAL:
        return "doubtful" if kind == "S" else "always"
    if key in _ORGANIZATION or key in ("kms:viaservice", *_CALLED):
        return ("never" if key in _ORGANIZATION else "doubtful") if kind == "S" else "optional"
    if key.startswith("aws:principaltag/"):
        return "optional" if kind in "UR" else "doubtful"
    rules = {
        "aws:username": "always" if kind == "U" else "never",
        "aws:principalservicename": "always" if kind == "S" else "never",
        "aws:principalservicenameslist": "always" if kind == "S" else "never",
        "aws:viaawsservice": "doubtful" if kind == "S" else "always",
        "aws:tokenissuetime": {"R": "always", "F": "always", "S": "doubtful"}.get(kind, "optional"),
        "aws:multifactorauthpresent": {"S": "never", "F": "doubtful"}.get(kind, "optional"),
        "aws:multifactorauthage": {"S": "never", "F": "doubtful"}.get(kind, "optional"),
    }
    if key in rules:
        return rules[key]
    if key in _SERVICE_ONLY:
        return "optional" if kind == "S" else "never"
    if key in _NETWORK:
        return "doubtful" if kind == "S" else "optional"
    if key.startswith("aws:resourcetag/") or key == "aws:referer":
        return "optional"
    return presence_on_action(key, action.removeprefix("kms:"))


def presence_on_action(key: str, action: str) -> str:
    if action == UNSETTLED_ACTION:
        return "optional"
    encrypts = action in keys.ENCRYPTING
    if key == "kms:encryptioncontextkeys" or key.startswith("kms:encryptioncontext:"):
        return "optional" if encrypts or action == "CreateGrant" else "never"
    if key == "aws:tagkeys":
        return "expected" if action in ("TagResource", "UntagResource") else "never"
    if key.startswith("aws:requesttag/"):
        return {"TagResource": "optional", "UntagResource": "doubtful"}.get(action, "never")
    rules: dict[str, tuple[str, tuple[str, ...]]] = {
        "kms:grantoperations": ("always", ("CreateGrant",)),
        "kms:grantisforawsresource": ("expected", ("CreateGrant", "ListGrants", "RevokeGrant")),
        "kms:rotationperiodindays": ("expected", ("EnableKeyRotation",)),
        "kms:schedulekeydeletionpendingwindowindays": ("expected", ("ScheduleKeyDeletion",)),
        "kms:bypasspolicylockoutsafetycheck": ("optional", ("PutKeyPolicy",)),
        "kms:encryptionalgorithm": ("always", tuple(sorted(keys.ENCRYPTING))),
    }
    if key in rules:
        rule, carriers = rules[key]
        return rule if action in carriers else "never"
    return "doubtful"


# ------------------------------------------------------------------------------------------------------- one request's standing


class Impossible(Exception):
    """AWS cannot send such a request; the message says why."""


def require(condition: bool, sentence: str) -> None:
    if not condition:
        raise Impossible(sentence)


def standing(req: JsonObject, mentioned: Iterable[str]) -> str:
    """FIRM, SOFT or why the request is impossible; every key of `mentioned` counts as absent where the context lacks it."""
    context = evaluator.context_of(req)
    who = caller(req["principal"])
    try:
        doubts = [
            sum(judge_presence(key, key in context, who.kind, req["action"]) for key in {*mentioned, *context}) > 0,
            judge_person(context, who, req),
            judge_network(context, who.kind),
            judge_forwarding(context),
            judge_time(context),
            judge_context_keys(context, set(mentioned)),
            judge_values(context, who.kind, req),
            req["action"] == "kms:" + UNSETTLED_ACTION,
        ]
    except Impossible as found:
        return str(found)
    return SOFT if any(doubts) else FIRM


def judge_presence(key: str, present: bool, kind: str, action: str) -> bool:
    require(not present or keys.is_known(key), f"nobody knows {key}")
    rule = presence(key, kind, action)
    require(present or rule != "always", f"{key} is always present for {kind} on {action}")
    require(not present or rule != "never", f"{key} is never present for {kind} on {action}")
    unsettled = kind == "S" and key == "aws:tokenissuetime"
    return unsettled or (present and rule == "doubtful") or (not present and rule == "expected")


def principal_arn(who: Caller, req: JsonObject) -> str | None:
    """What aws:PrincipalArn has to be; None where a session's role path leaves it open."""
    if who.kind == "R" and who.arn is None:
        return None
    return who.arn


def judge_person(context: JsonObject, who: Caller, req: JsonObject) -> bool:
    types = {"U": "User", "R": "AssumedRole", "F": "FederatedUser", "T": "Account"}
    require(who.kind != "A", "KMS refuses anonymous requests")
    if "aws:principalisawsservice" in context:
        require(
            context["aws:principalisawsservice"] == ("true" if who.kind == "S" else "false"),
            "aws:PrincipalIsAWSService is the kind",
        )
    if who.kind == "S":
        require(context.get("aws:principalservicename", who.name) == who.name, "aws:PrincipalServiceName is the service")
        return False
    for key in ("aws:principalaccount", "kms:calleraccount"):
        require(context.get(key, who.account) == who.account, f"{key} is the account of the principal")
    arn = context.get("aws:principalarn")
    if arn is not None:
        known = principal_arn(who, req)
        suits = arn == known if known else re.fullmatch(rf"arn:aws:iam::{who.account}:role/(.+/)?{re.escape(str(who.name))}", arn)
        require(bool(suits), "aws:PrincipalArn is the principal's")
    require(context.get("aws:principaltype", types[who.kind]) == types[who.kind], "aws:PrincipalType is the kind")
    require(context.get("aws:username", who.name) == who.name, "aws:username is the name of the user")
    if who.kind == "F" and req.get("parent"):
        require(caller(req["parent"]).account == who.account, "the parent of a federated session is of its account")
    return False


def judge_network(context: JsonObject, kind: str) -> bool:
    endpoint = [key for key in ("aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip") if key in context]
    forwarded = context.get("aws:viaawsservice") == "true" or "kms:viaservice" in context
    if kind == "S" or forwarded:
        return bool(_NETWORK & set(context))
    both = bool(endpoint) and "aws:sourceip" in context
    require(not both or "aws:viaawsservice" not in context, "a request has an endpoint or a source address, not both")
    return both


def judge_mentioned_network(context: JsonObject, mentioned: set[str], kind: str) -> None:
    """The keys of an endpoint come together, and one of the two sides is there (not for services, nor forwarded)."""
    if kind == "S" or context.get("aws:viaawsservice") == "true" or "kms:viaservice" in context:
        return
    side = {key for key in mentioned if key in ("aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip")}
    there = {key for key in side if key in context}
    require(not there or there == side, "the keys of an endpoint come together")
    if "aws:sourceip" in mentioned and side:
        require("aws:sourceip" in context or bool(there), "a request has an endpoint or a source address")


def judge_forwarding(context: JsonObject) -> bool:
    called = _CALLED & set(context)
    forwarded = context.get("aws:viaawsservice")
    require(not called or forwarded != "false", "aws:CalledVia means aws:ViaAWSService")
    chain = context.get("aws:calledvia")
    if chain is not None:
        for end in ("aws:calledviafirst", "aws:calledvialast"):
            require(end not in context or context[end] in chain, f"{end} is one of aws:CalledVia")
    return "kms:viaservice" in context and forwarded == "false"


def judge_time(context: JsonObject) -> bool:
    moments = {}
    for key in ("aws:currenttime", "aws:epochtime", "aws:tokenissuetime"):
        if key in context:
            readings, sure = evaluator.instants(context[key])
            require(bool(readings) and sure, f"{key} is an instant")
            moments[key] = readings[0]
    now, epoch = moments.get("aws:currenttime"), moments.get("aws:epochtime")
    require(now is None or epoch is None or now == epoch, "aws:CurrentTime and aws:EpochTime are one instant")
    issued = moments.get("aws:tokenissuetime")
    later = now if now is not None else epoch
    return issued is not None and later is not None and issued > later


_LISTINGS = (("kms:encryptioncontext:", "kms:encryptioncontextkeys"), ("aws:requesttag/", "aws:tagkeys"))


def judge_context_keys(context: JsonObject, mentioned: set[str]) -> bool:
    for family, listing in _LISTINGS:
        pairs = {key.removeprefix(family) for key in context if key.startswith(family)}
        if listing not in mentioned and listing not in context:
            continue
        listed = {name.lower() for name in context.get(listing, ())}
        require(pairs <= listed, f"{listing} names every pair")
        named = {key.removeprefix(family) for key in {*mentioned, *context} if key.startswith(family)}
        if listing == "kms:encryptioncontextkeys":
            require(named & listed <= pairs, f"{listing} names no pair that is absent")
        elif named & listed - pairs:
            return True
    return False


_ENUMERATED = {
    "kms:encryptionalgorithm": {"SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"},
    "kms:keyorigin": {"AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"},
}
GRANT_OPERATIONS = frozenset(
    ("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo", "Sign",
     "Verify", "GetPublicKey", "CreateGrant", "RetireGrant", "DescribeKey", "GenerateDataKeyPair",
     "GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate", "Decapsulate")
)  # fmt: skip
_BOOLEAN = {"aws:principalisawsservice", "aws:securetransport", "aws:viaawsservice", "aws:multifactorauthpresent",
            "kms:grantisforawsresource", "kms:bypasspolicylockoutsafetycheck"}  # fmt: skip
_RANGES = {"kms:rotationperiodindays": (90, 2560), "kms:schedulekeydeletionpendingwindowindays": (7, 30)}


def judge_values(context: JsonObject, kind: str, req: JsonObject) -> bool:
    doubt = sum(judge_value(key, value, kind) for key, value in context.items()) > 0
    own = str(req["keyArn"]).split(":")[4]
    require(context.get("aws:resourceaccount", own) == own, "aws:ResourceAccount is the account of the key")
    require(context.get("aws:requestedregion", REGION) == REGION, "aws:RequestedRegion is the Region of the key")
    paths, org = context.get("aws:principalorgpaths"), context.get("aws:principalorgid")
    if paths and org:
        require(all(path.startswith(org + "/") for path in paths), "organization paths start with the organization")
    doubt |= context.get("aws:securetransport") == "false" or context.get("kms:grantisforawsresource") == "false"
    doubt |= "aws:multifactorauthage" in context and context.get("aws:multifactorauthpresent", "true") != "true"
    algorithm = context.get("kms:encryptionalgorithm", "SYMMETRIC_DEFAULT")
    return doubt or ("GenerateDataKey" in req["action"] and algorithm != "SYMMETRIC_DEFAULT")


def judge_value(key: str, value: Plain, kind: str) -> bool:
    require(value != frozenset(), f"{key} is empty")
    if key in _ENUMERATED:
        require(value in _ENUMERATED[key], f"{key} is one of an enumeration")
    elif key in _BOOLEAN:
        require(value in ("true", "false"), f"{key} is a boolean")
    elif key in _RANGES:
        low, high = _RANGES[key]
        require(bool(re.fullmatch("[0-9]+", value)) and low <= int(value) <= high, f"{key} is an integer in {low}..{high}")
    elif key in ("aws:sourceip", "aws:vpcsourceip"):
        found = evaluator.address(value)
        require(found is not None, f"{key} is an address")
        return getattr(found, "ipv4_mapped", None) is not None
    elif key == "aws:multifactorauthage":
        require(bool(re.fullmatch(r"[0-9]+", value)), f"{key} is a count of seconds")
    elif key in ("aws:principalaccount", "kms:calleraccount", "aws:sourceaccount") and kind != "S":
        require(bool(re.fullmatch(r"[0-9]{12}", value)), f"{key} is an account")
    elif key == "kms:grantoperations":
        require(set(value) <= GRANT_OPERATIONS, f"{key} holds grant operations")
    elif key == "kms:viaservice":
        return re.fullmatch(rf"[a-z0-9.-]+\.{REGION}\.amazonaws\.com", value) is None
    return bool(value == "")


def pairs_of_organization(context: JsonObject, mentioned: set[str]) -> None:
    both = {"aws:principalorgid", "aws:principalorgpaths"}
    if both <= mentioned:
        require(("aws:principalorgid" in context) == ("aws:principalorgpaths" in context), "an organization has an id and paths")


def judge_grant(context: JsonObject, mentioned: set[str], action: str) -> None:
    """CreateGrant names exactly one grantee, and at most one who may retire the grant (API Reference, CreateGrant)."""
    if action != "kms:CreateGrant":
        return
    grantees = {"kms:granteeprincipal", "kms:granteeserviceprincipal"}
    there = grantees & set(context)
    require(len(there) < 2 and not (grantees <= mentioned and not there), "a grant has exactly one grantee")
    require(len({"kms:retiringprincipal", "kms:retiringserviceprincipal"} & set(context)) < 2, "one may retire a grant")


def judged(req: JsonObject, mentioned: set[str]) -> str:
    """`standing`, and the ties between mentioned keys that are there or not together."""
    found = standing(req, mentioned)
    if found not in (FIRM, SOFT):
        return found
    context = evaluator.context_of(req)
    try:
        judge_mentioned_network(context, mentioned, caller(req["principal"]).kind)
        pairs_of_organization(context, mentioned)
        judge_grant(context, mentioned, req["action"])
    except Impossible as why:
        return str(why)
    return found


def personal_of(principal: str) -> dict[str, str]:
    """The context keys that a principal decides; a session's role is taken to have no path."""
    who = caller(principal)
    if who.kind == "S":
        return {"aws:principalisawsservice": "true", "aws:principalservicename": principal}
    account = str(who.account)
    found = {"aws:principalaccount": account, "kms:calleraccount": account, "aws:principalisawsservice": "false"}
    found["aws:principalarn"] = who.arn or f"arn:aws:iam::{account}:role/{who.name}"
    found["aws:principaltype"] = {"U": "User", "R": "AssumedRole", "F": "FederatedUser", "T": "Account"}[who.kind]
    return found | ({"aws:username": str(who.name)} if who.kind == "U" else {})


# ----------------------------------------------------------------------------------------------------------------- candidates


class Atom(NamedTuple):
    """One (operator, key, values) of a Condition. `names` are the condition keys that its truth depends on, sorted."""

    operator: str
    key: str
    values: Plain
    variables: bool
    names: tuple[str, ...]
    spelled: str

    def truth(self, req: JsonObject) -> int:
        return evaluator.condition(self.operator, self.key, self.values, req, variables=self.variables, lean=False)


def atom(operator: str, key: str, values: Plain, *, variables: bool) -> Atom:
    names = {key.lower()}
    if variables:
        for value in as_list(values):
            names |= {name.lower() for name in re.findall(r"\$\{([^{}$\s,*?]+)", str(value))}
    spelled = f"{operator} {key.lower()} {values!r} {variables}"
    return Atom(operator, key.lower(), values, variables, tuple(sorted(names)), spelled)


def atoms_of(documents: Iterable[JsonObject]) -> list[Atom]:
    found = []
    for document in documents:
        new = document.get("Version") == "2012-10-17"
        for stmt in evaluator.statements(document):
            for operator, block in (stmt.get("Condition") or {}).items():
                found += [atom(operator, key, values, variables=new) for key, values in block.items()]
    return found


def constants_of(key: str, atoms: list[Atom]) -> list[str]:
    return sorted({evaluator.scalar(value) for one in atoms if one.key == key for value in as_list(one.values)})


_SHORT = ["".join(letters) for size in (1, 2, 3) for letters in itertools.product("abAx", repeat=size)]
_TEXT_KEYS = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "kms:encryptioncontext:", "aws:useragent")
_FIXED: dict[str, list[str]] = {
    "kms:viaservice": [
        "s3.us-east-1.amazonaws.com", "ec2.us-east-1.amazonaws.com", "rds.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com",
        "rds.eu-west-1.amazonaws.com",
    ],
    "aws:principalorgid": ["o-aaaaaaaaaa", "o-bbbbbbbbbb", "o-freshfresh", "o-abababababa"],
    "aws:sourceaccount": ["111122223333", "444455556666", "777788889999", "999900001111"],
    "aws:sourcearn": [
        "arn:aws:s3:::bucket", "arn:aws:s3:::other", "arn:aws:logs:us-east-1:111122223333:log-group:x",
        "arn:aws:sns:us-east-1:111122223333:t", "arn:aws:sns:us-east-1:444455556666:t",
    ],
    "aws:sourceip": [
        "203.0.113.7", "203.0.113.8", "203.0.113.0", "203.0.113.128", "203.0.113.127", "203.0.114.0", "198.51.100.1", "8.8.8.8",
        "2001:db8::1", "2001:db9::1",
    ],
    "aws:vpcsourceip": ["10.1.0.1", "10.2.0.1", "172.16.0.1"],
    "aws:sourcevpce": ["vpce-1", "vpce-2", "vpce-3"],
    "aws:sourcevpc": ["vpc-1", "vpc-2", "vpc-3"],
    "aws:multifactorauthage": ["0", "1", "299", "300", "301", "3599", "3600", "3601"],
    "kms:rotationperiodindays": ["90", "91", "364", "365", "366", "400", "401", "2559", "2560"],
    "kms:schedulekeydeletionpendingwindowindays": ["7", "8", "13", "14", "15", "29", "30"],
}  # fmt: skip
_TIMES = [1780315199, 1780315200, 1780315201, 1782863999, 1782864000, 1782864001]
_SETS: dict[str, list[str]] = {
    "aws:principalorgpaths": [
        "o-aaaaaaaaaa/r-ab12/ou-ab12-11111111/", "o-aaaaaaaaaa/r-ab12/", "o-bbbbbbbbbb/r-cd34/", "o-bbbbbbbbbb/r-zz99/",
        "o-freshfresh/r-ab12/",
    ],
    "aws:calledvia": ["athena.amazonaws.com", "dynamodb.amazonaws.com", "cloudformation.amazonaws.com"],
    "kms:grantoperations": ["Decrypt", "Encrypt", "CreateGrant", "GenerateDataKey", "DescribeKey"],
    "kms:encryptioncontextkeys": ["c", "C", "d", "D", "e", "cc", "zz"],
    "aws:tagkeys": ["c", "C", "e", "cc", "zz"],
}  # fmt: skip


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def candidates(key: str, atoms: list[Atom]) -> list[Plain]:
    """Values that meet every cell which the constants cut out of this key's domain; absence is added by the caller."""
    if key in _BOOLEAN:
        return ["true", "false"]
    if key in _ENUMERATED:
        return sorted(_ENUMERATED[key])
    if key in ("aws:currenttime", "aws:tokenissuetime"):
        return [iso(moment) for moment in _TIMES]
    if key == "aws:epochtime":
        return [str(moment) for moment in _TIMES]
    if key == "aws:resourceaccount":
        return ["111122223333"]
    if key == "aws:requestedregion":
        return [REGION]
    if key in _SETS:
        return [frozenset(group) for size in (1, 2, 3) for group in itertools.combinations(_SETS[key], size)]
    if key in _FIXED:
        return list(_FIXED[key])
    if key.startswith(_TEXT_KEYS):
        return list(dict.fromkeys(["", *_SHORT, "bob", "abob", "azed", "zed", "x*", *constants_of(key, atoms)]))
    return []


_TELLING = frozenset(("", "a", "b", "ab", "x", "x*", "bob", "abob", "azed", "111122223333", "444455556666"))


def reduced(key: str, atoms: list[Atom], values: list[Plain], rng: random.Random) -> list[Plain]:
    """One value for each way the atoms on this key can come out; all values where a variable or another key looks at it."""
    looking = [one for one in atoms if key in one.names]
    tied = ("aws:currenttime", "aws:epochtime", "aws:principalorgid", "aws:principalorgpaths")
    if any(len(one.names) > 1 for one in looking):
        return [value for value in values if value in _TELLING] or values[:6]
    if key in tied or key.startswith(("kms:encryptioncontextkeys", "aws:tagkeys")):
        return values if len(values) <= 12 else rng.sample(values, 12)
    groups: dict[tuple[int, ...], Plain] = {}
    probe = {"principal": "arn:aws:iam::111122223333:user/x", "action": "kms:Decrypt", "keyArn": KEY_ARN}
    for value in values:
        req = {**probe, "context": {key: value}}
        groups.setdefault(tuple(one.truth(req) for one in looking), value)
    return list(groups.values())


# ------------------------------------------------------------------------------------------------------------------ principals

KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ACCOUNTS = ("111122223333", "444455556666", "777788889999", "999900001111")


def completions(req: JsonObject, atoms: list[Atom]) -> Iterator[JsonObject]:
    """The request with every mentioned key that has to be there, as the principal and the other keys say or with any value."""
    context = evaluator.context_of(req)
    kind = caller(req["principal"]).kind
    mentioned = {name for one in atoms for name in one.names if keys.is_known(name)}
    missing = mentioned - set(context)
    personal = personal_of(req["principal"])
    filled = context | {key: personal[key] for key in missing & set(personal)}
    filled |= tied(context, missing)
    free = {key for key in missing - set(filled) if presence(key, kind, req["action"]) == "always"} - DETERMINED
    free |= {family + name.lower() for family, listing in _LISTINGS for name in context.get(listing, ())} & (
        missing - set(filled)
    )
    sides = [free]
    endpoint = mentioned & {"aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip"}
    if kind != "S" and endpoint & missing:
        sides = [free | (endpoint & missing), free | ({"aws:sourceip"} & missing), free]
    for side in sides:
        names = sorted(side)
        for values in itertools.islice(itertools.product(*(candidates(key, atoms) for key in names)), 3000):
            yield {**req, "context": filled | dict(zip(names, values, strict=True))}


def tied(context: JsonObject, missing: set[str]) -> JsonObject:
    """Keys that are missing and that keys of the context decide."""
    found: JsonObject = {}
    for family, listing in _LISTINGS:
        pairs = frozenset(key.removeprefix(family) for key in context if key.startswith(family))
        if pairs and listing in missing:
            found[listing] = pairs
    if "aws:principalorgid" in context and "aws:principalorgpaths" in missing:
        found["aws:principalorgpaths"] = frozenset((context["aws:principalorgid"] + "/r-ab12/",))
    if "aws:principalorgpaths" in context and "aws:principalorgid" in missing:
        found["aws:principalorgid"] = min(context["aws:principalorgpaths"]).partition("/")[0]
    return found


class Person(NamedTuple):
    principal: str
    personal: dict[str, str]
    """The context keys that the principal alone decides."""
    parent: str | None = None


def people() -> Iterator[Person]:
    """Every named principal of the small world and a stranger of each kind, in each account."""
    for account in ACCOUNTS:
        common = {"aws:principalaccount": account, "kms:calleraccount": account, "aws:principalisawsservice": "false"}
        for name in ("bob", "zed"):
            arn = f"arn:aws:iam::{account}:user/{name}"
            yield Person(arn, common | {"aws:principalarn": arn, "aws:principaltype": "User", "aws:username": name})
        known = "svc/ap1" if account == ACCOUNTS[0] else "ap1"  # a name is one role of its account, whatever the path
        for path, session in ((known, "s1"), (known, "other"), ("zrole", "s1")):
            name = path.rpartition("/")[2]
            personal = {"aws:principalarn": f"arn:aws:iam::{account}:role/{path}", "aws:principaltype": "AssumedRole"}
            yield Person(f"arn:aws:sts::{account}:assumed-role/{name}/{session}", common | personal)
        for name, parent in (("fred", "zed"), ("other", "zed"), ("other", "bob")):
            arn = f"arn:aws:sts::{account}:federated-user/{name}"
            personal = {"aws:principalarn": arn, "aws:principaltype": "FederatedUser"}
            yield Person(arn, common | personal, f"arn:aws:iam::{account}:user/{parent}")
        arn = f"arn:aws:iam::{account}:root"
        yield Person(arn, common | {"aws:principalarn": arn, "aws:principaltype": "Account"})
    for service in ("s3.amazonaws.com", "logs.us-east-1.amazonaws.com", "fresh.amazonaws.com", "s3.us-east-1.amazonaws.com"):
        yield Person(service, {"aws:principalisawsservice": "true", "aws:principalservicename": service})


PEOPLE = tuple(people())
DETERMINED = frozenset(key for person in PEOPLE for key in person.personal)


# ---------------------------------------------------------------------------------------------------------------- enumeration


class World:
    """The requests that a set of documents can tell apart, and each statement's truth on them, computed once and kept."""

    def __init__(self, documents: list[JsonObject], rng: random.Random, *, limit: int = 4000) -> None:
        self.atoms = atoms_of(documents)
        self.mentioned = {key for one in self.atoms for key in one.names if keys.is_known(key)}
        self.rng = rng
        self.limit = limit
        self.complete = True
        self._truth: dict[tuple[Plain, ...], int] = {}
        self._assignments: dict[tuple[Plain, ...], list[tuple[dict[str, Plain], str]]] = {}
        self._options = {
            key: reduced(key, self.atoms, candidates(key, self.atoms), rng) for key in sorted(self.mentioned - DETERMINED)
        }
        self._actions = self._representative_actions(documents)
        self._people = self._representative_people(documents)

    def _representative_actions(self, documents: list[JsonObject]) -> list[str]:
        groups: dict[tuple[Plain, ...], str] = {}
        stmts = [stmt for document in documents for stmt in evaluator.statements(document)]
        for name in (*sorted(keys.EFFECTIVE), UNSETTLED_ACTION):
            req = {"action": "kms:" + name}
            matched = tuple(evaluator.action(stmt, req, lean=False) for stmt in stmts if {"Action", "NotAction"} & set(stmt))
            carried = tuple(presence_on_action(key, name) for key in sorted(self.mentioned))
            groups.setdefault((matched, carried, name in keys.CROSS_ACCOUNT, "GenerateDataKey" in name), "kms:" + name)
        return list(groups.values())

    def _representative_people(self, documents: list[JsonObject]) -> list[Person]:
        groups: dict[tuple[Plain, ...], Person] = {}
        stmts = [stmt for document in documents for stmt in evaluator.statements(document)]
        varied = {key for one in self.atoms if len(one.names) > 1 for key in one.names} & DETERMINED
        for person in PEOPLE:
            req = {
                "principal": person.principal,
                "keyArn": KEY_ARN,
                "context": person.personal,
                "parent": person.parent,
                "action": "",
            }
            who = caller(person.principal)
            matched = tuple(evaluator.principal(stmt, req, lean=False) for stmt in stmts)
            held = tuple(one.truth(req) for one in self.atoms if set(one.names) <= DETERMINED)
            values = tuple(person.personal.get(key) for key in sorted(varied))
            groups.setdefault((who.kind, who.account == KEY_ARN.split(":")[4], matched, held, values), person)
        return list(groups.values())

    def assignments(self, kind: str, action: str, person: Person) -> list[tuple[dict[str, Plain], str]]:
        """Values of the mentioned keys that the principal does not fix, possible for this kind on this action."""
        carried = tuple(presence(key, kind, action) for key in sorted(self.mentioned))
        memo = (kind, carried, "GenerateDataKey" in action, action.endswith(UNSETTLED_ACTION))
        found = self._assignments.get(memo)
        if found is None:
            found = self._assignments[memo] = self._assign(kind, action, person)
        return found

    def _assign(self, kind: str, action: str, person: Person) -> list[tuple[dict[str, Plain], str]]:
        axes: list[list[tuple[str, Plain]]] = []
        for key, options in self._options.items():
            rule = presence(key, kind, action)
            if kind == "S" and key in keys.UNKNOWN_FOR_SERVICES:
                continue
            axis = [] if rule == "always" else [(key, None)]
            axes.append(axis if rule == "never" else [*axis, *((key, option) for option in options)])
        personal = {key: value for key, value in person.personal.items() if key in self.mentioned}
        free = [one for one in self.atoms if not DETERMINED.intersection(one.names)]
        mixed = sorted({key for one in self.atoms if DETERMINED.intersection(one.names) for key in one.names} - DETERMINED)
        found: dict[tuple[Plain, ...], tuple[dict[str, Plain], str]] = {}
        for pairs in self._product(axes):
            extra = {key: value for key, value in pairs if value is not None}
            req = {
                "principal": person.principal,
                "action": action,
                "context": personal | extra,
                "keyArn": KEY_ARN,
                "parent": person.parent,
            }
            verdict = judged(req, self.mentioned)
            if verdict in (FIRM, SOFT):
                cell = (verdict, tuple(self.atom_truth(a, req) for a in free), tuple(extra.get(key) for key in mixed))
                found.setdefault(cell, (extra, verdict))
        return list(found.values())

    def _product(self, axes: list[list[tuple[str, Plain]]]) -> Iterator[tuple[tuple[str, Plain], ...]]:
        size = 1
        for axis in axes:
            size *= len(axis)
        if size <= self.limit:
            return itertools.product(*axes)
        self.complete = False
        return (tuple(self.rng.choice(axis) for axis in axes) for _ in range(self.limit // 4))

    def requests(self) -> Iterator[tuple[JsonObject, str]]:
        for action in self._actions:
            for person in self._people:
                kind = caller(person.principal).kind
                personal = {key: value for key, value in person.personal.items() if key in self.mentioned}
                for extra, verdict in self.assignments(kind, action, person):
                    context = personal | extra
                    yield (
                        {
                            "principal": person.principal,
                            "action": action,
                            "context": context,
                            "keyArn": KEY_ARN,
                            "parent": person.parent,
                        },
                        verdict,
                    )

    def atom_truth(self, one: Atom, req: JsonObject) -> int:
        context = req["context"]
        service = ":" not in req["principal"]
        memo = (one.spelled, service, *[context.get(key) for key in one.names])
        found = self._truth.get(memo)
        if found is None:
            found = self._truth[memo] = one.truth(req)
        return found


class Compiled:
    """Statements of one side (policies or a described set), with principal, action and conditions kept apart and remembered."""

    def __init__(self, world: World, documents: list[JsonObject]) -> None:
        self.world = world
        self.rows = [
            (stmt.get("Effect", "Allow") == "Deny", stmt, atoms_of([{**document, "Statement": [stmt]}]))
            for document in documents
            for stmt in evaluator.statements(document)
        ]
        self._static: dict[tuple[Plain, ...], list[tuple[int, int]]] = {}

    def _statics(self, req: JsonObject) -> list[tuple[int, int]]:
        memo = (req["principal"], req["action"], req["parent"], req["context"].get("aws:principalarn"))
        found = self._static.get(memo)
        if found is None:
            found = self._static[memo] = [self._static_of(stmt, req) for _, stmt, _ in self.rows]
        return found

    def _static_of(self, stmt: JsonObject, req: JsonObject) -> tuple[int, int]:
        person = next(p for p in PEOPLE if (p.principal, p.parent) == (req["principal"], req["parent"]))
        full = {**req, "context": {**person.personal, **req["context"]}}
        return evaluator.applies({}, {key: value for key, value in stmt.items() if key != "Condition"}, full)

    def decide(self, req: JsonObject, skip: int | None = None) -> evaluator.Decision:
        direct = whole = deny = evaluator.F
        for at, ((denies, _, atoms), (one, both)) in enumerate(zip(self.rows, self._statics(req), strict=True)):
            if both == evaluator.F or at == skip:
                continue
            held = min((self.world.atom_truth(one, req) for one in atoms), default=evaluator.T)
            if denies:
                deny = max(deny, min(both, held))
            else:
                direct, whole = max(direct, min(one, held)), max(whole, min(both, held))
        closed = evaluator.k_not(deny)
        return evaluator.Decision(min(direct, closed), min(whole, closed), deny)


def random_request(rng: random.Random, atoms: list[Atom]) -> JsonObject:
    """Any request about the keys of `atoms`, possible or not: for laws that hold of the text of a policy."""
    person = rng.choice(PEOPLE)
    context = {key: value for key, value in person.personal.items() if rng.random() < 0.9}
    for key in sorted({name for one in atoms for name in one.names} - set(context)):
        options = candidates(key, atoms) or ["a", "b", "true"]
        if rng.random() < 0.8:
            context[key] = rng.choice(options)
    action = "kms:" + rng.choice(sorted(keys.EFFECTIVE))
    if rng.random() < 0.6:
        action = rng.choice(("kms:Decrypt", "kms:Encrypt", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:EnableKeyRotation"))
    return {"principal": person.principal, "action": action, "context": context, "keyArn": KEY_ARN, "parent": person.parent}
