"""Reports made by hand for the tests of reporters: one with everything in it, one that is hostile, and none at all."""

from kmslint.location import Text, pointer
from kmslint.model.key import Key, KeyPolicy, Known, Source
from kmslint.model.result import Control, Outcome, Report, Result, SourceError, Suppression
from kmslint.policy.document import Policy
from kmslint.tree import OBJECT, Node

POLICY = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Admin", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"},
    {
      "Sid": "Open",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "kms:Decrypt",
      "Resource": "*"
    }
  ]
}
"""

DIGEST = "0" * 63
ACCESS = Control("hipaa/164.312(a)(1)", "Access control", "standard", "access only for persons that have been granted rights")
OTHERS = (Control("hipaa/164.308(a)(4)", "Information access management", "standard", "who"), Control("x", "", "", ""))


def key_of(content: str, *, id: str = "k1", file: str | None = "policy.json", uri: str | None = None, **more: object) -> Key:
    text = Text(content, file=file, uri=uri)
    policy = Policy("2012-10-17", (), Node(OBJECT, (), text, 0, len(content)))
    source = Source("policy" if file else "live", file, uri)
    return Key(id, source, (KeyPolicy("default", policy),), {})._replace(**more)


def place(key: Key, part: str, statement: int | None = None, sid: str | None = None) -> object:
    text = key.policies[0].policy.node.text  # type: ignore[union-attr]
    start = text.content.index(part)
    return text.locate(start, start + len(part), pointer("Statement", statement or 0), statement=statement, sid=sid)


def full() -> Report:
    key = key_of(POLICY, account="111122223333", account_source="inferred", sha256="a" * 64)
    live = key_of("{}", id="k2", file=None, uri="arn:aws:kms:eu-central-1:111122223333:key/1#policy/default")
    live = live._replace(
        facts={"aliases": Known(["alias/payments"])}, account="111122223333", account_source="arn", region="eu-central-1"
    )
    opened = POLICY[POLICY.index('    {\n      "Sid": "Open"') + 4 : POLICY.index("\n  ]")]
    public = Result(
        "public-access",
        "Key policy lets any AWS principal use the key",
        Outcome.FAIL,
        "critical",
        "k1",
        "`arn:aws:iam::999999999999:role/x` may call `kms:Decrypt`",
        policy="default",
        help="name the principals, or require aws:PrincipalOrgID in a Condition",
        command="aws kms put-key-policy --key-id KEY --policy file://policy.json",
        locations=(place(key, opened, 1, "Open"),),  # type: ignore[arg-type]
        witness={
            "principal": "arn:aws:sts::999999999999:assumed-role/x/s",
            "action": "kms:Decrypt",
            "context": {"aws:principalaccount": "999999999999", "aws:tagkeys": ["a", "b"]},
        },
        controls=(ACCESS, *OTHERS),
        fingerprint=DIGEST + "1",
    )
    untrusted = public._replace(
        rule="untrusted-account-access", severity="high", fingerprint=DIGEST + "2", folded_into=DIGEST + "1"
    )
    delegation = Result(
        "iam-delegation",
        "The policy delegates to IAM",
        Outcome.FAIL,
        "info",
        "k1",
        "IAM policies of `111122223333` may grant any action",
        policy="default",
        locations=(place(key, '"arn:aws:iam::111122223333:root"', 0, "Admin"),),  # type: ignore[arg-type]
        fingerprint=DIGEST + "3",
        assumptions=("the owner account 111122223333 is inferred", "service control policies were not read"),
    )
    alias = Result("no-alias", "No alias", Outcome.FAIL, "low", "k2", "the key has no alias", fingerprint=DIGEST + "4")
    alias = alias._replace(suppressed=Suppression("named by tag", "platform", "2027-03-01", "an inventory", "alias/payments"))
    rotation = Result(
        "rotation-disabled",
        "Rotation",
        Outcome.UNDETERMINED,
        "medium",
        "k2",
        "",
        reason="AccessDenied on kms:GetKeyRotationStatus",
    )
    silent = Result(
        "rotation-disabled",
        "Rotation",
        Outcome.NOT_APPLICABLE,
        "medium",
        "k1",
        "",
        reason="not in a policy; `kmslint scan` reads it",
    )
    passed = Result("no-durable-admin", "Admin", Outcome.PASS, "high", "k1", "the owner can always administer the key")
    plain = (result._replace(fingerprint=DIGEST + mark) for result, mark in ((silent, "5"), (passed, "6"), (rotation, "7")))
    return Report(
        keys=(key, live),
        results=(delegation, public, untrusted, *plain, alias),
        errors=(SourceError("broken.json", 3, 7, "expected `,` or `}`"),),
        skipped=(("package.json", "not a key policy"),),
        as_of="2026-11-24T08:00:00Z",
        config_sha256="b" * 64,
        rules=4,
        notes=("suppression of `x` (kmslint.toml:3) matches nothing",),
    )


EVIL = "\x1b]0;pwned\x07\x1b[31m[bold red]link[/] \u202edesrever\u200b\x9b2J\r\n::error::x\u2028\ud800"


def hostile() -> Report:
    """Every text that a stranger can write holds terminal escapes, markup, bidirectional overrides and line ends."""
    content = '{"Statement": [{"Sid": "' + EVIL.replace("\n", " ") + '\t"}]}'
    key = key_of(content, file=EVIL + ".json", account=EVIL, account_source="inferred", notes=(EVIL,), region=EVIL)
    where = place(key, content, 0, EVIL)
    failed = Result(
        "public-access", EVIL, Outcome.FAIL, "critical", "k1", EVIL, policy=EVIL, help=EVIL, command=EVIL,
        locations=(where,),  # type: ignore[arg-type]
        witness={"principal": EVIL, "action": EVIL, "context": {EVIL: EVIL, "list": [EVIL]}},
        controls=(Control(EVIL, EVIL, EVIL, EVIL),), fingerprint=DIGEST + "1", assumptions=(EVIL,),
    )  # fmt: skip
    accepted = failed._replace(suppressed=Suppression(EVIL, EVIL, EVIL, EVIL, EVIL), fingerprint=DIGEST + "2")
    unknown = failed._replace(outcome=Outcome.UNDETERMINED, reason=EVIL, witness=None)
    silent = failed._replace(outcome=Outcome.NOT_APPLICABLE, reason=EVIL, witness=None)
    results = (failed, accepted, unknown, silent, silent._replace(outcome=Outcome.MANUAL))
    return Report(
        (key,), results, (SourceError(EVIL, 1, 1, EVIL),), ((EVIL, EVIL),), "2026-11-24T08:00:00Z", "b" * 64, 1, (EVIL,)
    )


def empty() -> Report:
    return Report((), (), (), (), "2026-11-24T08:00:00Z", "b" * 64, 4)
