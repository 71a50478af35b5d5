import time

from hypothesis import given
from hypothesis import strategies as st

from kmslint.location import Text
from kmslint.reporters.excerpt import Excerpts, Row
from tests.unit.reporters.reports import POLICY, empty, key_of, place


def rows(content: str, part: str) -> tuple[Row, ...]:
    key = key_of(content)
    return Excerpts(empty()._replace(keys=(key,))).rows(place(key, part))  # type: ignore[arg-type]


def test_a_part_of_one_line_is_underlined() -> None:
    assert rows('{\n  "Effect": "Allow"\n}', '"Allow"') == (
        Row("2", "", '  "Effect": "Allow"', ""),
        Row("", "", "", "            ^^^^^^^"),
    )


def test_a_part_of_several_lines_has_a_bar() -> None:
    assert rows('{"a": {\n  "b": 1\n  }}', '{\n  "b": 1\n  }') == (
        Row("1", "/", '{"a": {', ""),
        Row("2", "|", '  "b": 1', ""),
        Row("3", "|", "  }}", ""),
        Row("", "|", "", "___^"),
    )


def test_many_lines_are_shown_by_their_ends() -> None:
    content = "[\n" + "1,\n" * 50 + "1]"
    found = rows(content, content)
    assert [row.number for row in found] == [*(str(n) for n in range(1, 10)), "...", "52", ""]


def test_a_long_line_is_cut_around_the_part() -> None:
    content = "x" * 5_000_000 + "HERE" + "y" * 5_000_000
    source, mark = rows(content, "HERE")
    assert source.source == "…" + "x" * 30 + "HERE" + "y" * 76 + "…"
    assert mark.mark == " " * 31 + "^^^^"


def test_many_places_in_one_huge_line_are_found_fast() -> None:
    key = key_of("x" * 10_000_000)
    text = key.policies[0].policy.node.text  # type: ignore[union-attr]
    excerpts = Excerpts(empty()._replace(keys=(key,)))
    places = [text.locate(n * 1000, n * 1000 + 5) for n in range(2000)]
    started = time.process_time()
    assert all(len(excerpts.rows(place)) == 2 for place in places)
    assert time.process_time() - started < 5


def test_marks_stand_under_wide_and_escaped_characters() -> None:
    source, mark = rows("鍵\x1b\t=bad", "bad")
    assert source.source == r"鍵\x1b    =bad"
    assert mark.mark == " " * 11 + "^^^"


def test_an_unknown_text_has_no_excerpt() -> None:
    key = key_of(POLICY)
    elsewhere = place(key, "Open")._replace(file="other.json")  # type: ignore[attr-defined]
    assert Excerpts(empty()._replace(keys=(key,))).rows(elsewhere) == ()


@given(st.text(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_any_part_of_any_text_has_an_excerpt(content: str, start: int, length: int) -> None:
    key = key_of(content)
    text: Text = key.policies[0].policy.node.text  # type: ignore[union-attr]
    start = min(start, len(content))
    found = Excerpts(empty()._replace(keys=(key,))).rows(text.locate(start, min(start + length, len(content))))
    assert found
    assert all(row.source.isprintable() for row in found)
