"""A template's own symbols (its account, partition, Region, ARN) take the key's values before anything is asked."""

from kmslint.model.key import Key
from kmslint.policy.bind import bind, own_symbols
from kmslint.typed import Final

_REGIONS: Final = ("eu-central-1", "us-west-2", "ap-southeast-2", "sa-east-1", "ca-central-1", "eu-north-1", "af-south-1")
"""Stand-ins for a Region that is a symbol: the first that the policies do not name."""


def bound(key: Key) -> Key:
    """`key` with the own symbols of its policies replaced, as far as they are known; the same object when there are none.

    A symbolic Region equals itself wherever it stands, so a stand-in that the policies do not name decides every question in
    which the Region matters only as the key's own.
    """
    symbols = {name for named in key.policies for name in own_symbols(named.policy)}
    if not symbols:
        return key
    if key.region is None and "region" in symbols:
        key = key._replace(region=_stand_in(key))
    context = key.context()
    return key._replace(policies=tuple(named._replace(policy=bind(named.policy, context)) for named in key.policies))


def _stand_in(key: Key) -> str:
    texts = repr([named.policy.statements for named in key.policies])
    return next((region for region in _REGIONS if region not in texts), _REGIONS[0])
