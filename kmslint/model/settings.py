"""The settings of one run: INTERFACE.md "Configuration", frozen."""

from collections.abc import Mapping

from kmslint.typed import NamedTuple


class Integration(NamedTuple):
    """A service that must be able to use the key: `[[integrations]]`."""

    service: str
    principal: str | None = None
    source: str | None = None


class SuppressionEntry(NamedTuple):
    """`[[suppress]]`: a finding accepted by its owner until a date. `line` is its place in the configuration."""

    rule: str
    where: str
    reason: str
    owner: str
    until: str
    alternative: str | None = None
    line: int = 0


class Comment(NamedTuple):
    """`# kmslint: ignore[…]` beside what it is about: a finding accepted in the code itself.

    `entry.where` is `file:line` and `entry.line` the line of the comment; `line` is the code that it stands for.
    """

    entry: SuppressionEntry
    file: str
    line: int


class Settings(NamedTuple):
    """Each field is the configuration key of the same name; the default is the documented one."""

    account: str | None = None
    accounts: tuple[tuple[str, str], ...] = ()
    """(path glob, account)."""
    trusted_accounts: tuple[str, ...] = ()
    trusted_organizations: tuple[str, ...] = ()
    key_admins: tuple[str, ...] = ()
    break_glass: tuple[str, ...] = ()
    regions: tuple[str, ...] | None = None
    multi_region: bool | None = None
    required_tags: tuple[str, ...] = ("owner", "environment", "data-classification")
    integrations: tuple[Integration, ...] = ()
    services_only: tuple[str, ...] | None = None
    rotation_days: int = 365
    manual_rotation_days: int = 730
    deletion_window_days: int = 30
    approved_deletions: tuple[str, ...] = ()
    material_expiry_days: int = 30
    unused_days: int = 90
    max_grant_age_days: int | None = None
    sensitive_patterns: tuple[str, ...] | None = None
    log_retention_days: int = 2192
    evidence_store: str | None = None
    strict: bool = False
    fail_on: str = "medium"
    severity: Mapping[str, str] = {}
    suppress: tuple[SuppressionEntry, ...] = ()
    file: str | None = None
    """The configuration file, for messages."""
    sha256: str = ""
