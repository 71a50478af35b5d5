"""One KMS key and everything known about it, whatever the source."""

from collections.abc import Mapping

from kmslint.location import Location
from kmslint.model.settings import Comment
from kmslint.policy.document import Diagnostic, Policy
from kmslint.policy.request import KeyContext
from kmslint.typed import Any, Final, NamedTuple, Union

_HOLE: Final = "${"
"""Begins a part of a template's tag or alias that is not resolved: neither may hold these characters."""


class Known(NamedTuple):
    """A fact that was read: a JSON value (bool, int, str, list, dict) and, where there is one, its place."""

    value: Any
    location: Location | None = None


class Absent(NamedTuple):
    """A fact known not to exist (a key without an alias, a template without a deletion window)."""

    location: Location | None = None


NOT_IN_SOURCE: Final = "not_in_source"
UNREAD: Final = "unread"


class Unknown(NamedTuple):
    """A fact that is not known.

    `kind` is NOT_IN_SOURCE (this source never carries it, or it was not asked for: rules that need it are NOT_APPLICABLE)
    or UNREAD (it should have been read and was not: rules that need it are UNDETERMINED, with `reason`).
    """

    kind: str
    reason: str


Fact = Union[Known, Absent, Unknown]

FACTS: Final[Mapping[str, str]] = {
    # name: how to read it (the command that a NOT_APPLICABLE result names)
    "manager": "kmslint scan --key-id ID",
    "spec": "kmslint scan --key-id ID",
    "usage": "kmslint scan --key-id ID",
    "origin": "kmslint scan --key-id ID",
    "state": "kmslint scan --key-id ID",
    "created": "kmslint scan --key-id ID",
    "description": "kmslint scan --key-id ID",
    "multi_region": "kmslint scan --key-id ID",
    "multi_region.type": "kmslint scan --key-id ID",
    "multi_region.primary": "kmslint scan --key-id ID",
    "multi_region.replicas": "kmslint scan --key-id ID",
    "rotation.enabled": "kmslint scan --key-id ID",
    "rotation.period_days": "kmslint scan --key-id ID",
    "rotation.next_date": "kmslint scan --key-id ID",
    "rotation.last_date": "kmslint scan --key-id ID --include rotations",
    "rotation.on_demand_start": "kmslint scan --key-id ID",
    "deletion.date": "kmslint scan --key-id ID",
    "deletion.pending_window_days": "kmslint scan --key-id ID",
    "deletion.planned": "kmslint check on a Terraform plan",
    "deletion.window_days": "kmslint check on the Terraform or CloudFormation source of the key",
    "lockout_check_bypassed": "kmslint check on the Terraform or CloudFormation source of the key",
    "material.expiration_model": "kmslint scan --key-id ID",
    "material.valid_to": "kmslint scan --key-id ID",
    "custom_key_store": "kmslint scan --key-id ID",
    "aliases": "kmslint scan --key-id ID",
    "tags": "kmslint scan --key-id ID",
    "grants": "kmslint scan --key-id ID",
    "last_used": "kmslint scan --key-id ID --include last-usage",
    "cloudtrail.trails": "kmslint scan --key-id ID --include cloudtrail",
    "alarms": "kmslint scan --key-id ID --include alarms",
}
"""Every fact that rules may speak of.

Values: manager CUSTOMER|AWS; spec, usage, origin, state as DescribeKey spells them; created, dates: ISO 8601 text;
multi_region bool; multi_region.type PRIMARY|REPLICA; rotation.enabled bool; rotation.period_days int; deletion.window_days int;
deletion.planned delete|replace: what a plan does to the key that there is;
aliases: list of alias names; tags: object; grants: list of objects as ListGrants returns them.
"""


class KeyPolicy(NamedTuple):
    """One named policy of a key ("default", "AWS_RAM"), with what is wrong in its text."""

    name: str
    policy: Policy
    diagnostics: tuple[Diagnostic, ...] = ()
    sha256: str | None = None
    size: int | None = None
    """Bytes of the policy text (UTF-8), as KMS would store it; None when the source does not fix it."""


class Source(NamedTuple):
    """Where a key comes from. `type`: policy | api | terraform | plan | cloudformation | snapshot | live."""

    type: str
    file: str | None = None
    uri: str | None = None
    line: int = 1
    column: int = 1
    address: str | None = None
    """Resource address (`module.kms.aws_kms_key.this[0]`, a logical id), if any."""


class Key(NamedTuple):
    """One KMS key. `id` names it within one report (k1, k2, …); `identity` names it across reports.

    `account`, `region` and `partition` are None when symbolic. `account_source` says how the owner is known:
    "arn" | "given" | "configured" | "inferred" | None. `policies_unread` is set when the key's policies could not be read
    at all or in part: then no access question is decided, and it says why. `notes` are told to the user beside the key.
    """

    id: str
    source: Source
    policies: tuple[KeyPolicy, ...]
    facts: Mapping[str, Fact]
    arn: str | None = None
    key_id: str | None = None
    account: str | None = None
    account_source: str | None = None
    region: str | None = None
    partition: str = "aws"
    sha256: str | None = None
    as_of: str | None = None
    policies_unread: str | None = None
    policies_not_in_source: str | None = None
    notes: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    """The accepted findings that the files of the key speak of."""

    def fact(self, name: str) -> Fact:
        """The fact called `name`; Unknown(not_in_source) where the source is silent about it."""
        found = self.facts.get(name)
        if found is not None:
            return found
        return Unknown(NOT_IN_SOURCE, f"`{name}` is not in a {self.source.type} source; {FACTS[name]} reads it")

    def identity(self) -> str:
        """ARN, resource address or file: what stays the same between two runs."""
        return self.arn or self.source.address or self.source.uri or self.source.file or self.key_id or self.id

    def context(self) -> KeyContext:
        """What a request sees of this key; facts that are not Known, or not to the last part, are None."""
        tags = self._known("tags")
        aliases = self._known("aliases")
        if any(_HOLE in str(part) for part in (tags or {}).items()):
            tags = None
        if any(_HOLE in str(name) for name in aliases or ()):
            aliases = None
        return KeyContext(
            account=self.account,
            region=self.region,
            partition=self.partition,
            key_id=self.key_id,
            spec=self._known("spec"),
            usage=self._known("usage"),
            origin=self._known("origin"),
            multi_region=self._known("multi_region"),
            multi_region_type=self._known("multi_region.type"),
            tags=None if tags is None else tuple(sorted(tags.items())),
            aliases=None if aliases is None else tuple(sorted(aliases)),
        )

    def _known(self, name: str) -> Any:  # noqa: ANN401  a fact holds any JSON value
        fact = self.facts.get(name)
        return fact.value if isinstance(fact, Known) else None
