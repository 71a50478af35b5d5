"""The parts of a text that may hold policy variables."""

import pytest

from kmslint.policy.variables import Escaped, Malformed, Part, Variable, split

PARTS: list[tuple[str, tuple[Part, ...]]] = [
    ("", ("",)),
    ("plain $x {y}", ("plain $x {y}",)),
    ("${k}", (Variable("k", None),)),
    ("${AWS:UserId}", (Variable("aws:userid", None),)),
    ("a${k}b", ("a", Variable("k", None), "b")),
    ("${k}${l}", (Variable("k", None), Variable("l", None))),
    ("a${k}b${l}c", ("a", Variable("k", None), "b", Variable("l", None), "c")),
    ("}${k}", ("}", Variable("k", None))),
    ("${k}}", (Variable("k", None), "}")),
    ("${*}${?}${$}", (Escaped("*"), Escaped("?"), Escaped("$"))),
    ("${**}", (Variable("**", None),)),
    # defaults
    ("${k, 'd'}", (Variable("k", "d"),)),
    ("${K, 'D e,f'}", (Variable("k", "D e,f"),)),
    ("${k, ''}", (Variable("k", ""),)),
    ("${k, ' '}", (Variable("k", " "),)),
    ("${k,'d'}", (Malformed("${k,'d'}"),)),
    ("${k, d}", (Malformed("${k, d}"),)),
    ("${k, 'd}", (Malformed("${k, 'd}"),)),
    ("${k, d'}", (Malformed("${k, d'}"),)),
    ("${k, '}", (Malformed("${k, '}"),)),
    ("${k,}", (Malformed("${k,}"),)),
    ("${k,  'd'}", (Malformed("${k,  'd'}"),)),
    ("${k, 'd' }", (Malformed("${k, 'd' }"),)),
    ("${k, ''d'}", (Malformed("${k, ''d'}"),)),
    ("${k, 'd''}", (Malformed("${k, 'd''}"),)),
    ("${k, 'd'e'}", (Malformed("${k, 'd'e'}"),)),
    # what is no name
    ("${}", (Malformed("${}"),)),
    ("${, 'd'}", (Malformed("${, 'd'}"),)),
    ("${ k}", (Malformed("${ k}"),)),
    ("${k }", (Malformed("${k }"),)),
    ("${a\tb}", (Malformed("${a\tb}"),)),
    ("${'k'}", (Malformed("${'k'}"),)),
    ("${a$b}", (Malformed("${a$b}"),)),
    ("${a{b}", (Malformed("${a{b}"),)),
    ("${a${b}", (Malformed("${a${b}"),)),
    ("x${}y", ("x", Malformed("${}"), "y")),
    # no end
    ("${", (Malformed("${"),)),
    ("a${k", ("a", Malformed("${k"))),
    ("}a${k", ("}a", Malformed("${k"))),
    ("${k}${l", (Variable("k", None), Malformed("${l"))),
]


@pytest.mark.parametrize(("text", "parts"), PARTS)
def test_the_parts_of_a_text(text: str, parts: tuple[Part, ...]) -> None:
    assert split(text) == parts
