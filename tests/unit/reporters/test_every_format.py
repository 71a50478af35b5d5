"""What holds of every format: pure, deterministic, and harmless whatever a policy says."""

from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.model.result import Report
from kmslint.reporters import FORMATS
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import BY_HAND, EVERY, VIEWS, every_report, texts, with_text

MADE = sorted(FORMATS)


def render(format: str, report: Report, view: View) -> str:
    printed: str = import_module(FORMATS[format]).render(report, view)
    return printed


def is_harmless(printed: str) -> bool:
    """Only characters that show, and line ends; nothing that cannot be encoded."""
    printed.encode("utf-8")
    return all(char.isprintable() or char in {"\n", "\xad"} for char in printed)


@pytest.mark.parametrize("format", MADE)
@pytest.mark.parametrize("name", EVERY)
def test_the_same_report_is_the_same_harmless_text(format: str, name: str) -> None:
    report = every_report(name)
    first = render(format, report, View())
    assert is_harmless(first)
    assert first.endswith("\n")
    if name != "real":
        assert render(format, BY_HAND[name](), View()) == first


@given(format=st.sampled_from(MADE), text=texts, view=st.sampled_from(VIEWS))
def test_no_text_of_others_gets_through(format: str, text: str, view: View) -> None:
    assert is_harmless(render(format, with_text(text), view))


@pytest.mark.parametrize("format", MADE)
def test_a_finding_is_in_every_format_and_not_in_a_report_without(format: str) -> None:
    assert "public-access" in render(format, every_report("full"), View())
    assert "public-access" not in render(format, every_report("empty"), View())
