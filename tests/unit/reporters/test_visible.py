import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from kmslint.reporters.visible import cells, visible


def test_what_shows_stays_and_what_does_not_is_escaped() -> None:
    assert visible("Größe 鍵 `kms:*` [red]") == "Größe 鍵 `kms:*` [red]"
    assert visible("a\x1b[31m\x07\x9b\x00\x7f\n\r\t") == r"a\x1b[31m\x07\u009b\x00\x7f\n\r\t"
    assert (
        visible("\u202e\u2066\u200b\u200d\ufeff\u061c\u2028\u00a0\u00ad")
        == r"\u202e\u2066\u200b\u200d\ufeff\u061c\u2028\u00a0\u00ad"
    )
    assert visible("\ud800\U000e0041\U0010ffff\u3164\uffa0") == r"\ud800\U000e0041\U0010ffff\u3164\uffa0"


@given(st.text(st.characters()))
def test_only_characters_that_show_remain(text: str) -> None:
    shown = visible(text)
    assert all(unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in shown)
    assert shown.isprintable()
    assert visible(shown) == shown
    shown.encode("utf-8")


def test_cells_counts_terminal_columns() -> None:
    assert cells("abc") == 3
    assert cells("鍵a") == 3
    assert cells("e\u0301") == 1
