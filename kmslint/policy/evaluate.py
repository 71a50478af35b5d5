"""What a key policy means: `evaluate` is the definition that all else in kmslint is tested against.

Slow and obvious on purpose. Three-valued: where no public source settles what AWS does (the register in `truth`), the
answer is U with the point named. With `lean=True` each point takes its likeliest answer instead.
"""

from collections.abc import Sequence

from kmslint.aws.condition_keys import lookup as lookup_key
from kmslint.policy import operators, values, variables
from kmslint.policy.document import Condition, Item, Policy, Statement
from kmslint.policy.operators import Use
from kmslint.policy.patterns import ANY, STAR, Pattern, glob, literal, matches, matches_arn
from kmslint.policy.principals import DELEGATED, DIRECT, SERVICE, identify, match_principals
from kmslint.policy.request import ContextValue, Request
from kmslint.policy.truth import F, T, U, k_all, k_any, k_not, register_text
from kmslint.tree import Template, Value
from kmslint.typed import Final, NamedTuple

ALLOW: Final = "allow"
EXPLICIT_DENY: Final = "explicit_deny"
IMPLICIT_DENY: Final = "implicit_deny"
UNDETERMINED: Final = "undetermined"

SERVICE_OPAQUE: Final = frozenset(
    {"aws:principalarn", "aws:principalaccount", "kms:calleraccount", "aws:userid", "aws:principaltype", "aws:tokenissuetime"}
)
"""Keys whose value in a service principal's own call is not known (UNSURE-7), but never a customer's (D11)."""


class Evaluation(NamedTuple):
    """The decision on one request.

    `grant` is "direct" or "delegated" (to IAM policies of the account) for an allow. `matched` are the statements that
    decide, as (policy, statement) indices. `reasons` name what an undetermined decision rests on. `may` and `must` are the
    two readings of SEMANTICS §0: must implies the real answer, which implies may.
    """

    decision: str
    grant: str | None = None
    matched: tuple[tuple[int, int], ...] = ()
    reasons: tuple[str, ...] = ()
    may: bool = False
    must: bool = False


class Applied(NamedTuple):
    """Whether one statement applies to a request, and as what kind of grant."""

    truth: int
    grant: str
    reasons: tuple[str, ...]


def evaluate(policies: Sequence[Policy], request: Request, *, lean: bool = False) -> Evaluation:
    """Decide `request` against the union of `policies`: explicit deny, else allow, else implicit deny.

    Source: IAM User Guide, "Policy evaluation logic"; KMS Developer Guide, "Key policies": a key policy must allow
    explicitly. Grants, IAM policies, SCPs and boundaries are not part of it. O(statements x values).
    """
    allows: list[tuple[tuple[int, int], Applied]] = []
    denies: list[tuple[tuple[int, int], Applied]] = []
    rejected: list[str] = []
    for number, policy in enumerate(policies):
        if policy.unknown:
            unknown = ((number, -1), Applied(U, DIRECT, policy.unknown))
            allows.append(unknown)
            denies.append(unknown)
        for statement in policy.statements:
            applied = applies(statement, policy, request, lean=lean)
            if applied.truth == F:
                rejected += applied.reasons
                continue
            if statement.effect != "Deny":
                allows.append(((number, statement.index), applied))
            if statement.effect != "Allow":
                denies.append(((number, statement.index), applied))
    return _decide(allows, denies, rejected)


def _decide(
    allows: list[tuple[tuple[int, int], Applied]], denies: list[tuple[tuple[int, int], Applied]], rejected: list[str]
) -> Evaluation:
    deny = k_any(applied.truth for _, applied in denies)
    allow = k_any(applied.truth for _, applied in allows)
    if deny == T:
        return Evaluation(EXPLICIT_DENY, matched=tuple(ref for ref, applied in denies if applied.truth == T))
    if allow == F:
        return Evaluation(IMPLICIT_DENY, reasons=tuple(dict.fromkeys(rejected)))
    granting = [(ref, applied) for ref, applied in allows if applied.truth == allow]
    grant = DIRECT if any(applied.grant == DIRECT for _, applied in granting) else DELEGATED
    if allow == T and deny == F:
        return Evaluation(ALLOW, grant, tuple(ref for ref, _ in granting), may=True, must=True)
    unsure = [(ref, applied) for ref, applied in (*granting, *denies) if applied.truth == U]
    reasons = dict.fromkeys(reason for _, applied in unsure for reason in applied.reasons)
    return Evaluation(UNDETERMINED, grant, tuple(ref for ref, _ in unsure), tuple(reasons), may=True)


def applies(statement: Statement, policy: Policy, request: Request, *, lean: bool = False) -> Applied:
    """Whether `statement` applies to `request`: principal AND action AND resource AND every condition.

    A statement without an action or a resource has no effect (BOTO PutKeyPolicy: "the policy statement has no effect").
    """
    if statement.actions is None or statement.resources is None or not statement.principals:
        return Applied(F, DIRECT, ())
    run = Run(request, policy.has_variables(), lean)
    principal = match_principals(statement, request, lean=lean)
    truth = min(
        principal.truth,
        run.action(statement),
        run.resource(statement),
        *(run.condition(condition, statement.effect) for condition in statement.conditions),
    )
    if statement.unknown and truth != F:
        truth = F if lean else U
        run.reasons += statement.unknown
    reasons = (*principal.reasons, *run.reasons) if truth == U else tuple(run.rejections)
    return Applied(truth, principal.grant, tuple(dict.fromkeys(reasons)))


class Run:
    """One statement against one request: the request, how to read the register, and the reasons met on the way."""

    __slots__ = ("context", "has_variables", "kind", "lean", "reasons", "rejections", "request")

    def __init__(self, request: Request, has_variables: bool, lean: bool) -> None:
        self.request = request
        self.context = request.context
        self.has_variables = has_variables
        self.lean = lean
        self.kind = identify(request.principal).kind
        self.reasons: list[str] = []
        self.rejections: list[str] = []

    def unsure(self, point: int, lean: int) -> int:
        """U with the register point as reason, or the lean answer."""
        if self.lean:
            return lean
        self.reasons.append(register_text(point))
        return U

    def between(self, may: bool, must: bool, point: int, lean: int) -> int:
        """T or F where both readings agree, else the register point."""
        if may == must:
            return T if may else F
        return self.unsure(point, lean)

    def unresolved(self, value: Template) -> int:
        """U: a value of a template whose content is not known."""
        self.reasons.append(f"`{value}` could not be resolved")
        return F if self.lean else U

    # action and resource

    def action(self, statement: Statement) -> int:
        """Whether Action, or NotAction, matches the request's action."""
        found = k_any([self._action_entry(item.value) for item in statement.actions or ()])
        return k_not(found) if statement.not_action else found

    def _action_entry(self, value: Value) -> int:
        """Source: IAM User Guide, "AWS JSON policy elements: Action": the prefix and the name are not case sensitive."""
        if isinstance(value, Template):
            return self.unresolved(value)
        if value == "*":
            return T
        pattern, action = value.lower(), self.request.action.lower()
        prefix = pattern.partition(":")[0]
        if not matches(glob(pattern), action):
            return F
        if "*" in prefix or "?" in prefix:
            return self.unsure(11, F)
        return T

    def resource(self, statement: Statement) -> int:
        """Whether Resource, or NotResource, matches the key."""
        entries = [self._resource_entry(item.value) for item in statement.resources or ()]
        if not statement.not_resource:
            return k_any(entries)
        if any(item.value == "*" for item in statement.resources or ()):
            return F
        return self.unsure(27, F)

    def _resource_entry(self, value: Value) -> int:
        """`*` means this key; anything else is UNSURE-12, and an alias ARN never matches (SEMANTICS §6)."""
        if isinstance(value, Template):
            return self.unresolved(value)
        if value == "*":
            return T
        if value.startswith("arn:") and ":alias/" in value:
            return F
        return self.unsure(12, T if self._resource_leans(value) else F)

    def _resource_leans(self, value: str) -> bool:
        key = self.request.key
        shape = f"arn:{key.partition}:kms:{key.region or 'us-east-1'}:{key.account or '111122223333'}:key/{key.key_id or 'x'}"
        pattern = self._expand_resource(value)
        return pattern is not None and _matches_resource(pattern, shape)

    def _expand_resource(self, value: str) -> Pattern | None:
        """Source: variables only after the fifth colon (IAM User Guide, "Variables and tags", Resource element)."""
        head = value.split(":", 5)
        if len(head) < 6:
            return glob(value)
        tail = self._expand(head[5], wildcards=True)
        if tail is None:
            return None
        return (*glob(":".join(head[:5]) + ":"), *tail[0])

    # conditions

    def condition(self, condition: Condition, effect: str | None) -> int:
        """Whether one (operator, key) pair holds."""
        use = operators.lookup(condition.operator)
        if use is None:
            message = f"`{condition.operator}` is no condition operator: AWS rejects the policy"
            self.rejections.append(message)
            self.reasons.append(message)
            return F if effect == "Allow" or self.lean else U
        truth = self._keyed(use, condition)
        if not use.exact_case and truth != F:
            return self.unsure(13, truth)
        return truth

    def _keyed(self, use: Use, condition: Condition) -> int:
        known = lookup_key(condition.key)
        name = condition.key.lower()
        present = self.context.get(name)
        if known is None and not self.lean:
            self.reasons.append(register_text(4))
            return U
        if self.kind == SERVICE and name in SERVICE_OPAQUE and present is None:
            return self._opaque(use, condition)
        if known is not None and known.multi and isinstance(present, str):
            present = frozenset({present})
        return self._compare(use, condition.values, present)

    def _opaque(self, use: Use, condition: Condition) -> int:
        """A key whose value in a service's own call is unknown: absent, or a value that is no customer's (D11)."""
        absent = self._compare(use, condition.values, None)
        if use.operator.family == operators.NULL or not condition.values:
            opaque = self._compare(use, condition.values, "opaque")
        else:
            hit = k_any(
                [U if _may_hit_opaque(item.value, use, has_variables=self.has_variables) else F for item in condition.values]
            )
            opaque = k_not(hit) if use.operator.negated else hit
        return absent if absent == opaque else self.unsure(7, absent)

    def _compare(self, use: Use, items: tuple[Item, ...], present: ContextValue | None) -> int:
        if use.operator.family == operators.NULL:
            return self._null(use, items, present)
        if use.quantifier is not None:
            return self._quantified(use, items, present)
        if present is None:
            return use.absent()
        if not items:
            return F if use.if_exists else self.unsure(5, T if use.operator.negated else F)
        if isinstance(present, frozenset):
            return self._without_set_operator(use, items, present)
        truth = self.base(use, present, items)
        if present == "" and truth != use.absent():
            return self.unsure(21, truth)
        return truth

    def _null(self, use: Use, items: tuple[Item, ...], present: ContextValue | None) -> int:
        """Source: Access Analyzer reference: ForAllValues:Null is always true, ForAnyValue:Null always false."""
        if use.quantifier is not None:
            return T if use.quantifier == operators.ALL else F
        is_absent = k_any([self._says(item, "true") for item in items])
        is_present = k_any([self._says(item, "false") for item in items])
        if present is None:
            return is_absent
        if present in ("", frozenset()):
            return is_absent if is_absent == is_present else self.unsure(21, is_absent)
        return is_present

    def _says(self, item: Item, word: str) -> int:
        if isinstance(item.value, Template):
            return self.unresolved(item.value)
        return T if item.value.lower() == word else F

    def _quantified(self, use: Use, items: tuple[Item, ...], present: ContextValue | None) -> int:
        held = () if present is None else (present,) if isinstance(present, str) else sorted(present)
        members = tuple(member for member in held if member != "")
        if not members:
            truth = use.absent()
            return self.unsure(19, F) if truth == U else truth
        if not items:
            return F
        found = [self.base(use, member, items) for member in members]
        return k_all(found) if use.quantifier == operators.ALL else k_any(found)

    def _without_set_operator(self, use: Use, items: tuple[Item, ...], present: frozenset[str]) -> int:
        members = sorted(member for member in present if member != "")
        if not members:
            return use.absent()
        found = k_any([self.base(use, member, items) for member in members])
        return F if found == F else self.unsure(20, F)

    def base(self, use: Use, value: str, items: tuple[Item, ...]) -> int:
        """One request value against the policy values: any of them, or none of them when negated."""
        found = k_any([self._one(use, value, item.value) for item in items])
        return k_not(found) if use.operator.negated else found

    # one value against one value

    def _one(self, use: Use, value: str, wanted: Value) -> int:
        if isinstance(wanted, Template):
            return self.unresolved(wanted)
        family = use.operator.family
        if family in {operators.STRING, operators.STRING_IGNORE_CASE, operators.LIKE, operators.ARN}:
            return self._text(family, value, wanted)
        if family == operators.BOOL:
            return self._bool(value, wanted)
        if family == operators.NUMERIC:
            return self._ordered(use, _single(values.number(value)), _single(values.number(wanted)))
        if family == operators.DATE:
            return self._ordered(use, values.instants(value), values.instants(wanted))
        if family == operators.IP:
            return self._ip(use, value, wanted)
        decoded = values.binary(wanted)
        return T if decoded is not None and decoded == values.binary(value) else F

    def _text(self, family: str, value: str, wanted: str) -> int:
        expanded = self._expand(wanted, wildcards=family in {operators.LIKE, operators.ARN})
        if expanded is None:
            return F
        literally, actively, doubtful = expanded
        truth = self._pattern(family, value, literally)
        if doubtful:
            return self.unsure(23, truth) if matches(actively, value) or family == operators.STRING_IGNORE_CASE else F
        if actively != literally:
            truth = self.between(self._pattern(family, value, actively) != F, truth == T, 22, truth)
        return truth

    def _pattern(self, family: str, value: str, pattern: Pattern) -> int:
        if family == operators.ARN:
            return self.between(matches(pattern, value), matches_arn(pattern, value), 18, F)
        if family != operators.STRING_IGNORE_CASE:
            return T if matches(pattern, value) else F
        text = "".join(map(str, pattern))
        must = _fold_ascii(text) == _fold_ascii(value)
        return self.between(text.casefold() == value.casefold(), must, 14, F)

    def _expand(self, text: str, *, wildcards: bool) -> tuple[Pattern, Pattern, bool] | None:
        """The pattern of a policy value: inserted text literal, inserted text active, and whether a `${…}` is malformed.

        A malformed one makes the second pattern stand for whatever AWS may take it to mean.

        None when a variable has no value: then the value matches nothing.
        Source: IAM User Guide, "Variables and tags": a variable without a value is null; defaults; `${*}`.
        """
        read = glob if wildcards else literal
        if not self.has_variables:
            pattern = read(text)
            return pattern, pattern, False
        plain: list[str | int] = []
        active: list[str | int] = []
        doubtful = False
        for part in variables.split(text):
            if isinstance(part, variables.Variable):
                inserted = self._value_of(part)
                if inserted is None:
                    return None
                plain += literal(inserted)
                active += read(inserted)
                continue
            if isinstance(part, variables.Malformed):
                doubtful = True
                plain += literal(part.text)
                active.append(STAR)
                continue
            tokens = read(part) if isinstance(part, str) else literal(part.char)
            plain += tokens
            active += tokens
        return tuple(plain), tuple(active), doubtful

    def _value_of(self, variable: variables.Variable) -> str | None:
        """Source: IAM User Guide, "Variables and tags": a name that is no key, or a multi-valued key, has no value."""
        if lookup_key(variable.key) is None:
            return variable.default
        found = self.context.get(variable.key)
        return found if isinstance(found, str) and found != "" else variable.default

    def _bool(self, value: str, wanted: str) -> int:
        expanded = self._expand(wanted, wildcards=False)
        if expanded is None:
            return F
        text, _, _ = expanded
        found = values.boolean("".join(map(str, text)))
        if found is None or found != values.boolean(value):
            return F
        return self.unsure(16, T) if "${" in wanted else T  # as text it would be no boolean

    def _ordered(self, use: Use, left: tuple[values.Number, ...], right: tuple[values.Number, ...]) -> int:
        if not left or not right:
            return self._does_not_parse(use)
        answers = [_compare_numbers(use.operator.compare, a, b) for a in left for b in right]
        return self.between(any(answers), all(answers), 15, T if answers[0] else F)

    def _ip(self, use: Use, value: str, wanted: str) -> int:
        parsed = values.address(value)
        ranges = values.networks(wanted)
        if parsed is None or not ranges:
            return self._does_not_parse(use)
        must = all(_inside(parsed, one) for one in ranges)
        inner = values.mapped_ipv4(*parsed)
        may = any(_inside(parsed, one) for one in ranges) or (inner is not None and _inside((4, inner), ranges[0]))
        if parsed[0] == 4 and values.is_mapped(ranges[0]):
            may = _inside((6, 0xFFFF << 32 | parsed[1]), ranges[0])
        return self.between(may, must, 17, F)

    def _does_not_parse(self, use: Use) -> int:
        """A positive operator fails; whether a negated one holds is not documented."""
        if not use.operator.negated or self.lean:
            return F
        self.reasons.append(f"a value that `{use.operator.name}` cannot read")
        return U


def _single(value: values.Number | None) -> tuple[values.Number, ...]:
    return () if value is None else (value,)


def _compare_numbers(compare: str, left: values.Number, right: values.Number) -> bool:
    if compare == "eq":
        return left == right
    if compare == "lt":
        return left < right
    if compare == "le":
        return left <= right
    return left > right if compare == "gt" else left >= right


def _inside(address: tuple[int, int], network: tuple[int, int, int]) -> bool:
    return address[0] == network[0] and network[1] <= address[1] <= network[2]


def _matches_resource(pattern: Pattern, arn: str) -> bool:
    """A glob over the whole ARN in which only a `*` that ends a segment crosses a colon (SEMANTICS §6)."""
    if matches_arn(pattern, arn):
        return True
    crosses = all(token != STAR or index + 1 == len(pattern) or pattern[index + 1] == ":" for index, token in enumerate(pattern))
    return crosses and ANY not in pattern and matches(pattern, arn)


def _may_hit_opaque(value: Value, use: Use, *, has_variables: bool) -> bool:
    """Whether a policy value might match a value that is no customer's (D11): not if it is, or names, a customer's own."""
    if isinstance(value, Template):
        return True
    if has_variables and "${" in value:
        return value.lower() != "${aws:resourceaccount}"
    family = use.operator.family
    if family not in {operators.LIKE, operators.ARN}:
        return family not in {operators.STRING, operators.STRING_IGNORE_CASE}
    return ("*" in value or "?" in value) and not _names_customer(value)


def _names_customer(pattern: str) -> bool:
    """Whether every text that matches holds a customer's account, or the unique id of a customer's user or role."""
    if any(len(part) == 12 and part.isascii() and part.isdigit() for part in pattern.split(":")[1:-1]):
        return True
    head = pattern.partition(":")[0]
    return head.startswith(("AROA", "AIDA")) and len(head) >= 16 and head.isalnum()


_UPPER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _fold_ascii(text: str) -> str:
    return text.translate(_UPPER)
