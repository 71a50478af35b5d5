"""What a template's author left to fill in: `account-id` where an account id belongs. No request has such a value."""

import re
from collections.abc import Iterator

from kmslint.engine.predicates.places import literal
from kmslint.pattern import pattern
from kmslint.policy.document import Condition, Principal, Statement
from kmslint.policy.operators import lookup
from kmslint.typed import Final

_ARN: Final = pattern(r"arn:[^:]*:[^:]*:[^:]*:(?P<account>[^:*?]+):.", re.DOTALL)
_ACCOUNT: Final = pattern(r"[0-9]{12}\Z")
_NO_ACCOUNTS: Final = frozenset({"aws", "cloudfront"})
"""What AWS itself writes into the account field of some ARNs."""
_CONTEXT: Final = "kms:encryptioncontext:"


def unfilled_binding(statement: Statement) -> str | None:
    """A value of a condition that binds the statement to an account that is still to be filled in; None if there is none.

    Every value of the condition is of that kind, and it demands one of them: as it stands, no call can satisfy it.
    """
    for condition in statement.conditions:
        values = [literal(item.value) for item in condition.values]
        if values and _demands(condition) and all(text is not None and _is_unfilled(text, condition.key) for text in values):
            return values[0]
    return None


def unfilled_principals(statement: Statement) -> Iterator[Principal]:
    """The AWS principals of the statement that are no principal yet: not `*`, and no account id in them."""
    for entry in statement.principals or ():
        text = literal(entry.value)
        if entry.kind == "AWS" and text is not None and (_has_unfilled_account(text) or _is_mark(text)):
            yield entry


def _demands(condition: Condition) -> bool:
    use = lookup(condition.operator)
    if use is None or use.if_exists or use.operator.negated or use.operator.name == "Null" or use.quantifier == "all":
        return False
    name = condition.key.lower()
    return name in {"aws:sourceaccount", "aws:sourcearn"} or name.startswith(_CONTEXT)


def _is_unfilled(text: str, key: str) -> bool:
    if key.lower() == "aws:sourceaccount":
        return not _ACCOUNT.match(text) and "*" not in text and "?" not in text
    return _has_unfilled_account(text)


def _has_unfilled_account(text: str) -> bool:
    found = _ARN.match(text)
    return found is not None and not _ACCOUNT.match(found["account"]) and found["account"] not in _NO_ACCOUNTS


def _is_mark(text: str) -> bool:
    """`<ARN>`, `${admin}`, `{{ arn }}`, `%s`: the marks of templates, in none of which an ARN stands."""
    return not text.startswith("arn:") and (text[:1] in {"<", "{"} or text.startswith(("${", "%")))
