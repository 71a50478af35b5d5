"""Numbers, dates and addresses: the solver finds a value iff one of a dense set of values serves."""

import itertools
import random

import pytest

from kmslint.policy import operators
from kmslint.policy.principals import ROLE
from kmslint.reason.compile import Context, compile_condition
from kmslint.reason.search import holds
from kmslint.reason.values import ABSENT, ALWAYS, OPTIONAL, Absence, Atom, Budget, Domain, Solver, Unsolved, iso, plain
from tests.oracle.bridge import key_of, policy_of

KEY = key_of()
ORDERS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")


def atom_of(operator: str, key: str, values: list[str]) -> Atom:
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {operator: {key: values}}}
        ],
    }
    policy = policy_of(document)
    found = compile_condition(
        policy.statements[0].conditions[0], policy.statements[0], True, Context(ROLE, None, {}, KEY), upper=False
    )
    assert isinstance(found, Atom)
    return found


def agrees(domain: Domain, atoms: list[Atom], dense: list[str]) -> bool | None:
    """Whether a model was found, after comparing it with the dense set; None where no theory covers the atoms."""
    try:
        model = Solver().model(domain, atoms, Budget())
    except Unsolved:
        return None
    serves = [value for value in dense if domain.holds(value) and all(holds(atom, value) for atom in atoms)]
    if model is None:
        assert serves == [], [(atom.origin, atom.wanted) for atom in atoms]
        return False
    assert all(holds(atom, model) for atom in atoms), [(atom.origin, atom.wanted, model) for atom in atoms]
    assert isinstance(model, Absence) or (isinstance(model, str) and domain.holds(model))
    return True


def run(key: str, atoms: list[Atom], domains: list[Domain], dense: list[str], least: int) -> None:
    rng = random.Random(8)
    atoms = [one for atom in atoms for one in (atom, atom.negated())]
    outcomes = {True: 0, False: 0, None: 0}
    for domain in domains:
        for chosen in [[atom] for atom in atoms] + [rng.sample(atoms, rng.choice((2, 2, 3, 4))) for _ in range(250)]:
            outcomes[agrees(domain, chosen, dense)] += 1
    assert min(outcomes[True], outcomes[False]) >= least, (key, outcomes)


def test_numbers() -> None:
    key = "aws:MultiFactorAuthAge"
    constants = [["3"], ["4"], ["7"], ["3.5"], ["4", "7"], ["0"], ["-1"]]
    atoms = [atom_of(f"Numeric{order}", key, values) for order in ORDERS for values in constants]
    dense = [plain(number) for number in range(-4, 12)] + [
        f"{number}.{half}" for number in range(-3, 9) for half in ("25", "5", "75")
    ]
    run(key, atoms, [Domain(ALWAYS, family=operators.NUMERIC)], dense, 30)
    run(
        key, atoms, [Domain(ALWAYS, family=operators.NUMERIC, integer=bounds) for bounds in ((0, 7), (4, 4), (-2, 3))], dense, 100
    )


def test_numbers_read_as_text() -> None:
    key = "aws:MultiFactorAuthAge"
    numbers = [atom_of(f"Numeric{order}", key, [value]) for order in ORDERS for value in ("3", "12")]
    texts = [
        atom_of(operator, key, [value])
        for operator in ("StringLike", "StringNotLike", "StringEquals")
        for value in ("1*", "?", "12", "*3")
    ]
    run(
        key,
        numbers + texts,
        [Domain(ALWAYS, family=operators.NUMERIC, integer=(0, 40))],
        [str(number) for number in range(41)],
        60,
    )


def test_dates() -> None:
    key = "aws:TokenIssueTime"
    days = ["2026-06-01T12:00:00Z", "2026-06-01T12:00:01Z", "2026-07-01T00:00:00Z", "1780315202"]
    atoms = [atom_of(f"Date{order}", key, [value]) for order in ORDERS for value in days]
    noon = 1780315200
    dense = [iso(noon + step) for step in (-10, -1, 0, 1, 2, 3, 86400, 86400 * 30)] + [
        "2026-06-01T12:00:00.5Z",
        "2026-06-01T12:00:01.5Z",
    ]
    run(key, atoms, [Domain(ALWAYS, family=operators.DATE), Domain(OPTIONAL, family=operators.DATE)], dense, 40)


def test_addresses() -> None:
    key = "aws:SourceIp"
    ranges = [["203.0.113.0/24"], ["203.0.113.128/25"], ["203.0.113.7"], ["0.0.0.0/0"], ["0.0.0.0/1", "128.0.0.0/1"], ["::/0"], ["2001:db8::/32"],
              ["2001:db8::/33"], ["2001:db8::1/128"], ["255.255.255.255/32"], ["0.0.0.0/32"]]  # fmt: skip
    atoms = [atom_of(operator, key, values) for operator in ("IpAddress", "NotIpAddress") for values in ranges]
    dense = ["203.0.113.0", "203.0.113.7", "203.0.113.8", "203.0.113.127", "203.0.113.128", "203.0.113.255", "203.0.114.0", "203.0.112.255", "8.8.8.8",
             "0.0.0.0", "0.0.0.1", "255.255.255.255", "255.255.255.254", "::", "2001:db8::", "2001:db8::1", "2001:db8::2", "2001:db8:8000::",  # noqa: S104 - an input
             "2001:db9::", "ffff::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]  # fmt: skip
    run(key, atoms, [Domain(ALWAYS, family=operators.IP), Domain(OPTIONAL, family=operators.IP)], dense, 40)


def test_booleans() -> None:
    key = "aws:MultiFactorAuthPresent"
    atoms = [atom_of("Bool", key, values) for values in (["true"], ["false"], ["TRUE", "false"], ["x"])]
    run(
        key,
        atoms,
        [Domain(ALWAYS, family=operators.BOOL, finite=("true", "false")), Domain(OPTIONAL, family=operators.BOOL)],
        ["true", "false", "x"],
        20,
    )


@pytest.mark.parametrize(
    ("operators_and_values", "serves"),
    [
        ([("IpAddress", "203.0.113.0/24"), ("StringLike", "203.0.113.9*")], True), ([("IpAddress", "203.0.113.0/24"), ("StringEquals", "203.0.113.9")], True),
        ([("IpAddress", "203.0.113.0/24"), ("StringEquals", "203.0.114.9")], False), ([("StringLike", "a*"), ("StringLike", "b*")], False),
        ([("IpAddress", "203.0.113.0/24"), ("NotIpAddress", "203.0.113.0/24"), ("StringLike", "2*")], False),
    ],
)  # fmt: skip
def test_text_and_addresses_on_one_key(operators_and_values: list[tuple[str, str]], serves: bool) -> None:
    atoms = [atom_of(operator, "aws:SourceIp", [value]) for operator, value in operators_and_values]
    outcome = agrees(Domain(ALWAYS, family=operators.IP), atoms, [f"203.0.113.{number}" for number in range(256)])
    assert outcome in (serves, None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (1780315200, "2026-06-01T12:00:00Z"), (253402300799, "9999-12-31T23:59:59Z"),
        (253402300800, "253402300800"), (-62135596800, "0001-01-01T00:00:00Z"), (-62135596801, "-62135596801"),
    ],
)  # fmt: skip
def test_an_instant_is_printed_as_aws_prints_it(seconds: int, text: str) -> None:
    assert iso(seconds) == text


def test_an_absent_key_is_a_model_where_all_atoms_take_absence() -> None:
    atoms = [atom_of(f"Numeric{order}IfExists", "aws:MultiFactorAuthAge", ["3"]) for order in ORDERS]
    for size in (1, 2):
        for chosen in itertools.combinations(atoms, size):
            assert Solver().model(Domain(OPTIONAL, family=operators.NUMERIC), chosen, Budget()) == ABSENT
