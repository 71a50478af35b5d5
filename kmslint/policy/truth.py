"""Three truth values, and the register of what no public source settles.

F < U < T: AND is min, OR is max, NOT mirrors. U stands for "AWS may do either".
"""

from collections.abc import Iterable

from kmslint.typed import Final

F: Final = 0
U: Final = 1
T: Final = 2


def k_not(value: int) -> int:
    """Kleene negation: U stays."""
    return T - value


def k_all(values: Iterable[int]) -> int:
    """Kleene AND; T for nothing."""
    return min(values, default=T)


def k_any(values: Iterable[int]) -> int:
    """Kleene OR; F for nothing."""
    return max(values, default=F)


REGISTER: Final = {
    1: "the same condition key twice in one block, in different case",
    4: "a condition key that AWS does not list",
    5: "an empty list of condition values",
    7: "the principal keys of a call that an AWS service makes with its own principal",
    8: "a SAML or canonical-user principal in a key policy",
    9: "a principal written as a unique id (AIDA…, AROA…)",
    10: "whether NotPrincipal with an account exempts the account's other principals",
    11: "a wildcard in the service prefix of an action",
    12: "a Resource other than `*` in a key policy",
    13: "a condition operator in another case than documented",
    14: "case-insensitive comparison beyond ASCII",
    15: "a date that may be a year or epoch seconds, or a time without a zone",
    16: "a policy variable in a Bool condition",
    17: "an IPv6 literal without a prefix, or an IPv4-mapped address",
    18: "an ARN pattern with fewer than six segments, or a `*` that would cross a colon",
    19: "ForAnyValue with IfExists on an absent key",
    20: "a multi-valued condition key without ForAllValues or ForAnyValue",
    21: "a condition key that is present but empty",
    22: "wildcard characters in the value of a policy variable",
    23: "a malformed policy variable",
    24: "aws:SourceIp in a forward access session",
    26: "kms:ViaService, aws:ViaAWSService and aws:CalledVia in a service's own call",
    27: "NotResource without Resource",
    28: "a global service name for a regional service",
}
"""Point → what is open. Numbers are stable; reports cite them as `UNSURE-n`."""


def register_text(point: int) -> str:
    """`UNSURE-n: what is open`, as reasons print it."""
    return f"UNSURE-{point}: {REGISTER[point]}"
