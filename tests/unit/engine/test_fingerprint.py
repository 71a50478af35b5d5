"""Fingerprints survive moving and reformatting, and nothing else."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.engine.fingerprint import canonical, fingerprint
from kmslint.model.key import Absent, Known, Unknown
from kmslint.tree import Symbol, Template, from_python
from tests.unit.engine.keys import APP, ROOT, allow, key

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text('ab"\\{}[],:', max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab:", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def _shuffled(value: Any, order: random.Random) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        items = list(value.items())
        order.shuffle(items)
        return {name: _shuffled(item, order) for name, item in items}
    if isinstance(value, list):
        items = [_shuffled(item, order) for item in value]
        order.shuffle(items)
        return items
    return value


@given(VALUES, st.randoms(use_true_random=False))
def test_order_does_not_matter(value: object, order: random.Random) -> None:
    assert canonical(from_python(value)) == canonical(from_python(_shuffled(value, order)))


@given(VALUES)
def test_a_list_of_one_is_its_item(value: object) -> None:
    assert canonical(from_python([value])) == canonical(from_python(value))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": "b"}, {"a": "c"}),
        ({"a": "b"}, ["a", "b"]),
        (["a", "b"], "a,b"),
        (["a", "b"], ["a", "b", "b"]),
        (None, "null"),
        ({"a": {"b": "c"}}, {"a": "b", "c": ""}),
        ('a","b', ["a", "b"]),
        (Template((Symbol("x"),)), "${x}"),
        ([], {}),
    ],
)
def test_different_values_differ(left: object, right: object) -> None:
    assert canonical(from_python(left)) != canonical(from_python(right))


def test_booleans_and_their_words_are_one_value_to_iam() -> None:
    assert canonical(from_python(True)) == canonical(from_python("true"))


def test_a_statement_is_known_by_what_it_says() -> None:
    one = key(allow(ROOT), allow(APP, ["kms:Decrypt", "kms:Encrypt"], Sid="One"))
    two = key(allow(APP, ["kms:Encrypt", "kms:Decrypt"], Sid="Two"))
    first = fingerprint("r", "k", policy="default", statement=one.policies[0].policy.statements[1])
    second = fingerprint("r", "k", policy="default", statement=two.policies[0].policy.statements[0])
    third = fingerprint("r", "k", policy="default", statement=one.policies[0].policy.statements[0])
    assert first == second != third
    assert len(first) == 64


def test_rule_key_policy_and_fact_are_part_of_it() -> None:
    known = {
        fingerprint("r", "k"),
        fingerprint("s", "k"),
        fingerprint("r", "l"),
        fingerprint("r", "k", policy="default"),
        fingerprint("r", "k", fact=("spec", Known("a"))),
        fingerprint("r", "k", fact=("usage", Known("a"))),
        fingerprint("r", "k", fact=("spec", Known("b"))),
        fingerprint("r", "k", fact=("spec", Known(True))),
        fingerprint("r", "k", fact=("spec", Known({"a": ["b"]}))),
        fingerprint("r", "k", fact=("spec", Absent())),
        fingerprint("r", "k", fact=("spec", Unknown("unread", "x"))),
    }
    assert len(known) == 11


def test_an_unpaired_surrogate_has_a_fingerprint() -> None:
    assert len(fingerprint("r", "\ud800")) == 64
