"""Faults planted in the search have to be found by the enumeration, or its silence proves nothing."""

import sys
from collections.abc import Callable

import pytest

from kmslint.errors import InternalError
from kmslint.reason import compile as compiling
from kmslint.reason import values
from tests.differential.test_reason_enumeration import allowed_fault
from tests.oracle.compare import SETTLED
from tests.strategies import KEYS, Shape

LIMIT = 300
"""Random cases within which a fault has to show."""
SETS = Shape(statements=3, variables=False, keys=tuple(key for key in KEYS if key.multi))
OF_SERVICES = Shape(
    statements=2, keys=tuple(key for key in KEYS if key.name.startswith(("aws:Source", "aws:PrincipalIs", "aws:PrincipalServ")))
)


def is_found(shape: Shape = SETTLED) -> bool:
    """Whether some case disagrees; a witness that does not replay is the search's own alarm, and as good."""
    for seed in range(LIMIT):
        try:
            if allowed_fault(seed, shape, "any") is not None:
                return True
        except InternalError:
            return True
    return False


def forget_absence(atom: values.Atom) -> values.Atom:
    """A negated condition that treats an absent key as its opposite does."""
    opposite = ORIGINAL_NEGATED(atom)
    return opposite._replace(absent=atom.absent)


def forget_quantifier(atom: values.Atom) -> values.Atom:
    """Not for all would be for all not."""
    return ORIGINAL_NEGATED(atom)._replace(quantifier=atom.quantifier)


def forget_complement(atom: values.Atom) -> values.Atom:
    return ORIGINAL_NEGATED(atom)._replace(wanted=atom.wanted)


ORIGINAL_NEGATED = values.Atom.negated


@pytest.mark.parametrize(("fault", "shape"), [(forget_absence, SETTLED), (forget_quantifier, SETS), (forget_complement, SETS)])
def test_a_wrong_negation_is_found(
    fault: Callable[[values.Atom], values.Atom], shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values.Atom, "negated", fault)
    assert is_found(shape)


@pytest.mark.parametrize("absent", [True, False])
def test_a_wrong_answer_about_absent_keys_is_found(absent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if absent keys satisfied every operator, or none."""
    original = compiling.compile_condition

    def planted(*args: object, **named: object) -> values.Atom | bool:
        found = original(*args, **named)  # type: ignore[arg-type]
        return found if isinstance(found, bool) else found._replace(absent=absent)

    for module in [one for name, one in sys.modules.items() if name.startswith("kmslint.reason")]:
        if hasattr(module, "compile_condition"):
            monkeypatch.setattr(module, "compile_condition", planted)
    assert is_found()


def test_a_search_that_never_finds_a_value_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no key could ever be present: everything that needs one is called proven."""
    monkeypatch.setattr(values.Solver, "_present", lambda *_: None)
    assert is_found()


def test_a_search_that_looks_at_no_services_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from kmslint.reason import callers

    monkeypatch.setattr(callers, "_services", lambda *_: [])
    assert is_found(OF_SERVICES)
