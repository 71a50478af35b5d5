"""Checks of multi-Region keys: were several Regions declared, and which."""

from collections.abc import Iterator, Mapping

from kmslint.engine.finding import Finding
from kmslint.engine.predicates.places import quoted
from kmslint.model.key import Key, Known
from kmslint.model.settings import Settings

Params = Mapping[str, object]


def undeclared_multi_region(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """The key is multi-Region, and the configuration does not say that keys are meant to be.

    Source: KMS Developer Guide, "Multi-Region keys in AWS KMS": the property cannot be changed.
    """
    del params
    fact = key.fact("multi_region")
    if isinstance(fact, Known) and fact.value is True and settings.multi_region is not True:
        help = "set multi_region = true if it is meant, else create a single-Region key and re-encrypt: the property cannot be changed"
        yield Finding(outcome="FAIL", message="the key is multi-Region without a declared need", fact="multi_region", help=help)


def unapproved_replica_region(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """The key, its primary or one of its replicas is in a Region outside `regions`.

    Source: KMS API Reference, DescribeKey, MultiRegionConfiguration.
    """
    del params
    approved = settings.regions or ()
    for fact, arn in _related(key):
        region = arn.split(":")[3] if arn.count(":") >= 5 else ""
        if region and region not in approved:
            message = f"the related key {quoted(arn)} is in Region {quoted(region)}, which is not approved"
            help = "schedule the deletion of that replica once nothing uses it, or add the Region to regions of the configuration"
            yield Finding(outcome="FAIL", message=message, fact=fact, help=help)


def _related(key: Key) -> Iterator[tuple[str, str]]:
    """(fact, ARN) of the primary and of every replica."""
    seen: set[str] = set()
    for name in ("multi_region.primary", "multi_region.replicas"):
        fact = key.fact(name)
        values = fact.value if isinstance(fact, Known) else ()
        for value in values if isinstance(values, (list, tuple)) else (values,):
            if isinstance(value, str) and value not in seen:
                seen.add(value)
                yield name, value
