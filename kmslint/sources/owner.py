"""Whose key it is, as far as a policy text tells.

A source that does not state the owner infers it: exactly one account must be allowed kms:PutKeyPolicy as an account. What
everybody is allowed identifies nobody. The answer is an assumption, and is reported as one.
"""

from collections.abc import Iterator, Sequence

from kmslint.aws.partitions import PARTITIONS
from kmslint.policy.document import Condition, Item, Policy, Statement
from kmslint.policy.evaluate import applies
from kmslint.policy.principals import account_of
from kmslint.policy.request import KeyContext, Request
from kmslint.policy.truth import T
from kmslint.typed import Final

MAX_CANDIDATES: Final = 20
"""Accounts that are tried. A policy that lets more accounts change it has no owner that its text tells."""

_STRANGER: Final = "000000000000"
"""An account that no policy can mean: AWS gives no account this number."""

_IDENTITY: Final = frozenset({"aws:principalaccount", "kms:calleraccount", "aws:principalarn"})
"""Condition keys that say who calls; others are supposed to hold: the root user can call from a place that suits them."""


def infer_owner(policies: Sequence[Policy], partition: str) -> str | None:
    """The one account whose root user the policies allow kms:PutKeyPolicy, or None when none or several are allowed.

    Statements that are not known, and conditions on anything but the caller, are left out of account.
    """
    known = [(policy, _bare(statement)) for policy in policies for statement in policy.statements if not statement.unknown]
    allows = [(policy, statement) for policy, statement in known if statement.effect == "Allow"]
    denies = [(policy, statement) for policy, statement in known if statement.effect == "Deny"]
    allows = [(policy, statement) for policy, statement in allows if not _applies(policy, statement, _STRANGER, partition)]
    candidates = sorted({account for _, statement in allows for account in _accounts(statement)})
    if len(candidates) > MAX_CANDIDATES:
        return None
    owners = [
        account
        for account in candidates
        if any(_applies(policy, statement, account, partition) for policy, statement in allows)
        and not any(_applies(policy, statement, account, partition) for policy, statement in denies)
    ]
    return owners[0] if len(owners) == 1 else None


def infer_partition(policies: Sequence[Policy]) -> str:
    """The one partition of all ARNs among the principals; `aws` where they do not tell."""
    values = (entry.value for policy in policies for statement in policy.statements for entry in statement.principals or ())
    found = {value.split(":", 2)[1] for value in values if isinstance(value, str) and value.startswith("arn:")}
    partition = found.pop() if len(found) == 1 else "aws"
    return partition if partition in PARTITIONS else "aws"


def _bare(statement: Statement) -> Statement:
    """The statement with its conditions on the caller alone, and on this key whatever its Resource says."""
    resources = statement.resources and (Item("*", statement.node),)
    return statement._replace(
        resources=resources, not_resource=False, conditions=tuple(filter(_is_identity, statement.conditions))
    )


def _is_identity(condition: Condition) -> bool:
    return condition.key.lower() in _IDENTITY


def _accounts(statement: Statement) -> Iterator[str]:
    """The accounts that stand in the principals and conditions of `statement`."""
    values = [entry.value for entry in statement.principals or ()]
    values += [item.value for condition in statement.conditions for item in condition.values]
    for value in values:
        account = account_of(value) if isinstance(value, str) else None
        if account is not None:
            yield account


def _applies(policy: Policy, statement: Statement, account: str, partition: str) -> bool:
    root = f"arn:{partition}:iam::{account}:root"
    context = {"aws:principalaccount": account, "kms:calleraccount": account, "aws:principalarn": root}
    request = Request(root, "kms:PutKeyPolicy", context, KeyContext(account=account, partition=partition))
    return applies(statement, policy, request).truth == T
