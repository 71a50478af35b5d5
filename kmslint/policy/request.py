"""A concrete request to use a KMS key: what `evaluate` decides about.

An absent context key is absent from the mapping: never an empty string, never None.
"""

from collections.abc import Mapping

from kmslint.typed import NamedTuple, Union

ContextValue = Union[str, frozenset[str]]
"""A single-valued key holds a string, a multi-valued one a non-empty set of strings."""


class KeyContext(NamedTuple):
    """The KMS key as a request sees it; None where it is not known (before creation, in a template, not read)."""

    account: str | None = None
    region: str | None = None
    partition: str = "aws"
    key_id: str | None = None
    spec: str | None = None
    usage: str | None = None
    origin: str | None = None
    multi_region: bool | None = None
    multi_region_type: str | None = None
    tags: tuple[tuple[str, str], ...] | None = None
    aliases: tuple[str, ...] | None = None
    org_id: str | None = None

    def arn(self) -> str | None:
        """The key ARN, or None while a part of it is unknown."""
        if self.account is None or self.region is None or self.key_id is None:
            return None
        return f"arn:{self.partition}:kms:{self.region}:{self.account}:key/{self.key_id}"


class Request(NamedTuple):
    """One call of one principal.

    `principal` is a user, role-session (`arn:…:sts::…:assumed-role/NAME/SESSION`), federated-session or root ARN, a
    service principal (`s3.amazonaws.com`), or None for an anonymous caller. A role ARN stands for a session of that role.
    `parent` is the user ARN behind a federated session (GetFederationToken), None when unknown or not a federated session.
    `context` maps lower-cased condition keys to values.
    """

    principal: str | None
    action: str
    context: Mapping[str, ContextValue]
    key: KeyContext = KeyContext()
    parent: str | None = None
