"""What a template leaves open takes values before anything is asked.

Its own symbols (its account, partition, Region, ARN) take the key's. An owner that is not known, and a symbol that stands for an
account, are tried: as an account named nowhere, and as each account that is named, the owner's included. What holds in each
of these worlds holds.
"""

from collections.abc import Iterator, Sequence
from itertools import islice, product

from kmslint.engine.variables import accounts_in
from kmslint.model.key import Key
from kmslint.policy.bind import bind, open_accounts, own_symbols, substitute
from kmslint.tree import Symbol
from kmslint.typed import Final, NamedTuple

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


OWNER: Final = "OWNER"
"""How messages show an owner account that is not known."""

_ASK_OWNER: Final = "the answer depends on the owner account of the key, which is not known; pass --account"


class World(NamedTuple):
    """The key with every open account settled. `stand_ins` are accounts that stand for something: (account, as messages show it)."""

    key: Key
    stand_ins: tuple[tuple[str, str], ...]
    question: str
    """What to say when the worlds disagree."""


def worlds(key: Key, most: int) -> tuple[World, ...] | None:
    """Every world that can matter, the one in which all open accounts are named nowhere first; None when nothing is open.

    At most `most` + 1: one more than `most` says that there are too many to try.
    """
    symbols = tuple(dict.fromkeys(symbol for named in key.policies for symbol in open_accounts(named.policy)))
    if key.account is not None and not symbols:
        return None
    return tuple(islice(_worlds(key, symbols), most + 1))


def _worlds(key: Key, symbols: tuple[Symbol, ...]) -> Iterator[World]:
    named = accounts_in(key)
    fresh = _fresh(named, len(symbols) + 1)
    owners = (fresh[0], *named) if key.account is None else (key.account,)
    question = _question(key, symbols)
    for owner in owners:
        owned = bound(key._replace(account=owner))
        others = tuple(dict.fromkeys((owner, *named)))
        for values in product(*((one, *others) for one in fresh[1:])):
            filled = dict(zip(symbols, values, strict=True))
            policies = (
                tuple(one._replace(policy=substitute(one.policy, filled)) for one in owned.policies)
                if symbols
                else owned.policies
            )
            shown = [(owner, OWNER)] if key.account is None and owner == fresh[0] else []
            shown += [(value, "${" + symbol.name + "}") for symbol, value in filled.items() if value in fresh]
            yield World(owned._replace(policies=policies), tuple(shown), question)


def _question(key: Key, symbols: tuple[Symbol, ...]) -> str:
    if not symbols:
        return _ASK_OWNER
    names = ", ".join(f"`${{{symbol.name}}}`" for symbol in symbols[:3]) + (", …" if len(symbols) > 3 else "")
    beside = ", and on the owner account of the key; pass --account" if key.account is None else ""
    return f"the answer depends on {names}, which could not be resolved{beside}"


def _fresh(taken: Sequence[str], count: int) -> tuple[str, ...]:
    """Accounts that stand nowhere in the policy."""
    numbers = (str(number) for number in range(100000000007, 10**12, 1_000_003))
    return tuple(islice((number for number in numbers if number not in taken), count))
