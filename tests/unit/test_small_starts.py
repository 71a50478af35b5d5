"""What stands in for parts of the standard library that are slow to start, held to what it stands for."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.pattern import pattern
from kmslint.sha256 import hexdigest


@given(st.binary(max_size=300))
def test_a_digest_is_the_one_of_hashlib(data: bytes) -> None:
    assert hexdigest(data) == hashlib.sha256(data).hexdigest()


@given(st.text(alphabet="aAbB12", max_size=12))
def test_a_pattern_finds_what_the_compiled_one_finds(text: str) -> None:
    ours, theirs = pattern("(a+)b?", re.IGNORECASE), re.compile("(a+)b?", re.IGNORECASE)
    for _ in range(2):
        assert [found.span(1) for found in ours.finditer(text)] == [found.span(1) for found in theirs.finditer(text)]
        assert ours.sub("x", text) == theirs.sub("x", text)
        for name in ("match", "search", "fullmatch"):
            one, other = getattr(ours, name)(text), getattr(theirs, name)(text)
            assert (one and one.groups()) == (other and other.groups())
    assert (ours.pattern, ours.flags) == ("(a+)b?", re.IGNORECASE)


def test_a_pattern_is_compiled_when_it_is_used() -> None:
    wrong = pattern("(")
    with pytest.raises(re.error):
        wrong.match("")
