"""Strict JSON with places: what is read, what is refused and where, and that every place is right."""

import gc
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.errors import InputError
from kmslint.jsontext import MAX_DEPTH, embedded_text, expect_end, quoted, read_embedded, read_json, read_json_start
from kmslint.location import Text
from kmslint.tree import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, Node

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)
LAYOUT = st.sampled_from([None, 0, 1, 4, "\t"])


def read(content: str) -> Node:
    return read_json(Text(content, file="f.json"))


def plain(node: Node) -> object:
    """What Python's own reader makes of the same text."""
    if node.kind == OBJECT:
        return {member.key: plain(member.value) for member in node.members()}
    if node.kind == ARRAY:
        return [plain(item) for item in node.items()]
    if node.kind == NUMBER:
        return json.loads(str(node.value))
    return node.value


def everywhere(node: Node) -> list[Node]:
    found = [node]
    for member in node.members():
        found += [member.key_node, *everywhere(member.value)]
    for item in node.items():
        found += everywhere(item)
    return found


def fault(content: str) -> tuple[int | None, int | None, str, str | None]:
    with pytest.raises(InputError) as caught:
        read(content)
    error = caught.value
    assert error.source == "f.json"
    assert error.message.isprintable()
    return error.line, error.column, error.message, error.help


def attempt(content: str) -> tuple[Node, None] | tuple[Node, InputError]:
    """The tree, or the error in its place."""
    try:
        return read(content), None
    except InputError as error:
        return Node(NULL, None, Text(""), 0, 0), error


# --- laws


@given(VALUES, LAYOUT, st.booleans())
def test_reading_undoes_printing(value: object, indent: int | str | None, ascii_only: bool) -> None:
    content = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert plain(read(content)) == json.loads(content) == value


@given(VALUES, LAYOUT, st.booleans(), st.sampled_from(["", " ", "\n\t\r "]))
def test_each_place_slices_back_to_its_value(value: object, indent: int | str | None, ascii_only: bool, blank: str) -> None:
    content = blank + json.dumps(value, indent=indent, ensure_ascii=ascii_only) + blank
    root = read(content)
    assert content[root.start : root.end] == content.strip(" \n\t\r")
    for node in everywhere(root):
        assert json.loads(content[node.start : node.end]) == plain(node)


@given(VALUES, st.booleans(), st.booleans())
def test_each_place_in_an_embedded_text_is_that_of_its_first_character(
    value: object, inner_ascii: bool, outer_ascii: bool
) -> None:
    """The inner offset of every node is mapped to the spelling of its first character in the file."""
    inner = json.dumps(value, ensure_ascii=inner_ascii)
    content = json.dumps({"a": 1, "Policy": inner}, ensure_ascii=outer_ascii, indent=1)
    held = read(content).member("Policy")
    assert held is not None
    root = read_embedded(held)
    assert plain(root) == value
    for node in everywhere(root):
        assert node.text.to_outer is not None
        start, end = node.text.to_outer(node.start), node.text.to_outer(node.end)
        assert json.loads('"' + content[start:end] + '"') == root.text.content[node.start : node.end]
        line, column = node.text.position(node.start)
        assert content.split("\n")[line - 1][column - 1] == content[start]


@given(st.text(max_size=60) | st.text(st.sampled_from('{}[]",:\\u0dD8truefalsn1.-e \n'), max_size=40))
def test_nothing_but_json_is_read_and_nothing_else_is_raised(content: str) -> None:
    """Python's reader is the second opinion; it also takes NaN, Infinity and unpaired surrogates."""
    found, error = attempt(content)
    if error is None:
        assert plain(found) == json.loads(content.removeprefix("\ufeff"))
        return
    lines = content.split("\n")
    assert 1 <= (error.line or 0) <= len(lines)
    assert 1 <= (error.column or 0) <= len(lines[(error.line or 0) - 1]) + 1
    try:
        shown = json.dumps(json.loads(content))
    except ValueError:
        return
    assert any(word in shown for word in ("NaN", "Infinity", "\\ud"))


@given(VALUES, st.data())
def test_a_text_cut_short_is_no_json(value: object, data: st.DataObject) -> None:
    content = json.dumps([value])
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(InputError):
        read(content[:cut])


# --- what is read


def test_every_kind_of_value_with_its_place() -> None:
    content = '{"a": [1.5e3, "x"], "b": {"c": null}, "d": true}'
    text = Text(content)
    node = read_json(text)
    a, b, d = (member.value for member in node.members())
    assert (node.kind, node.start, node.end) == (OBJECT, 0, len(content))
    assert a == Node(ARRAY, (Node(NUMBER, "1.5e3", text, 7, 12), Node(STRING, "x", text, 14, 17)), text, 6, 18)
    assert b.members()[0].value == Node(NULL, None, text, 31, 35)
    assert d == Node(BOOLEAN, True, text, 43, 47)
    assert [member.key_node.start for member in node.members()] == [1, 20, 38]


def test_duplicates_are_kept_however_they_are_spelt() -> None:
    node = read('{"a": 1, "\\u0061": 2, "A": 3}')
    assert [(member.key, member.value.value) for member in node.members()] == [("a", "1"), ("a", "2"), ("A", "3")]


@pytest.mark.parametrize("number", ["0", "-0", "10", "0.5", "-1.25e-3", "1E+2", "123456789012345678901234567890"])
def test_a_number_keeps_its_spelling(number: str) -> None:
    assert read(number).value == number


@pytest.mark.parametrize("number", ["01", "+1", ".5", "1.", "1e", "0x10", "1_000", "--1", "-", "\u0661"])
def test_what_is_no_number(number: str) -> None:
    fault(number)


def test_a_byte_order_mark_at_the_start_is_passed_over_and_nowhere_else() -> None:
    assert read('\ufeff{"a": 1}').member("a") is not None
    assert fault('{\ufeff"a": 1}')[:3] == (1, 2, "found the character U+FEFF, expected a member name in double quotes")
    assert fault("\ufeff\ufeff1")[0] == 1


@pytest.mark.parametrize("blank", ["\u00a0", "\u2028", "\x0b", "\x0c", "\x00"])
def test_only_four_characters_are_blank(blank: str) -> None:
    assert fault(f"{blank}1")[:2] == (1, 1)
    assert fault(f"[1{blank}]")[:2] == (1, 3)


def test_a_value_and_what_follows_it() -> None:
    text = Text('{"a": 1}\tdefault\n')
    node, end = read_json_start(text)
    assert (node.end, end) == (8, 9)
    expect_end(Text("1"), 1)
    with pytest.raises(InputError, match="found `default`, expected the end of the text"):
        expect_end(text, end)


# --- what is refused, and where


@pytest.mark.parametrize(
    ("content", "line", "column", "message", "help"),
    [
        ("", 1, 1, "found the end of the text, expected a value", None),
        (" \n ", 2, 2, "found the end of the text, expected a value", None),
        ('{"a": 1,\n}', 2, 1, "found `}`, expected a member name in double quotes", "remove the comma before it"),
        ('{"a": 1, b: 2}', 1, 10, "found `b`, expected a member name in double quotes", None),
        ("{'a': 1}", 1, 2, "found `'`, expected a member name in double quotes", "JSON writes strings in double quotes"),
        ('{"a" 1}', 1, 6, "found `1`, expected `:`", None),
        ('{"a": 1 "b": 2}', 1, 9, 'found `"`, expected `,` or `}`', None),
        ("[1,]", 1, 4, "found `]`, expected a value", "remove the comma before it"),
        ("[,1]", 1, 2, "found `,`, expected a value", None),
        ("[1 2]", 1, 4, "found `2`, expected `,` or `]`", None),
        ("[1}", 1, 3, "found `}`, expected `,` or `]`", None),
        ("// x\n1", 1, 1, "found `/`, expected a value", "JSON has no comments"),
        ("1 # x", 1, 3, "found `#`, expected the end of the text", "a text holds one JSON value"),
        ("NaN", 1, 1, "found `NaN`, expected a value", "JSON has no NaN"),
        ("[True]", 1, 2, "found `True`, expected a value", "JSON writes `true`"),
        ("{} {}", 1, 4, "found `{`, expected the end of the text", "a text holds one JSON value"),
        ('{"a": ${b}}', 1, 7, "found `$`, expected a value", "a template must be rendered before it is JSON"),
        ('["a', 1, 2, "the string is not closed", 'end it with `"`'),
        ('["a", "b\\"', 1, 7, "the string is not closed", 'end it with `"`'),
        (
            '["a\nb"]',
            1,
            4,
            "found the character U+000A in a string, which may hold no control character",
            'a line end is written `\\n`, or the string lacks its closing `"`',
        ),
        (
            '["\x1b[31m"]',
            1,
            3,
            "found the character U+001B in a string, which may hold no control character",
            "write it as an escape",
        ),
        ('["\\x41"]', 1, 3, "`\\x` is no JSON escape", None),
        ('["\\u00g0"]', 1, 4, "found an incomplete `\\u` escape, expected four hexadecimal digits", None),
        ('["\\ud800x"]', 1, 3, "`\\ud800` is half of a surrogate pair and no character", None),
        ('["\\udc00\\ud800"]', 1, 3, "`\\udc00` is half of a surrogate pair and no character", None),
        ('["\ud800"]', 1, 3, "found half of a surrogate pair, which is no character", None),
        ('{"\\ud83d": 1}', 1, 3, "`\\ud83d` is half of a surrogate pair and no character", None),
    ],
)
def test_a_fault_has_its_place_and_its_remedy(content: str, line: int, column: int, message: str, help: str | None) -> None:
    assert fault(content) == (line, column, message, help)


def test_a_pair_of_surrogate_escapes_is_one_character() -> None:
    assert read('"\\ud83d\\ude00"').value == "😀"
    assert read('"\\\\ud800"').value == "\\ud800"


def test_depth_is_bounded_from_either_bracket() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH).kind == ARRAY
    assert fault("[" * (MAX_DEPTH + 1))[1:3] == (MAX_DEPTH + 1, f"objects and lists are nested more than {MAX_DEPTH} deep")
    assert fault('{"a":' * 1_000_000)[1:3] == (5 * MAX_DEPTH + 1, f"objects and lists are nested more than {MAX_DEPTH} deep")
    with pytest.raises(InputError, match="more than 2 deep"):
        read_json(Text("[[[]]]"), max_depth=2)


def test_size_is_bounded_before_reading() -> None:
    with pytest.raises(InputError, match="the text has 3 characters, more than 2"):
        read_json(Text("[1]"), max_chars=2)
    with pytest.raises(InputError, match="more than 2,000,000 values"):
        read_json(Text("[" + "0," * 3_000_000 + "0]"))


def test_time_is_linear_in_a_hostile_text() -> None:
    """No fault makes the reader look at a text twice for each of its parts. Generous: 1 MB each, well under a second."""
    for content in (
        '"' + "\\" * 1_000_000,
        '["' + 'a","' * 250_000,
        " " * 1_000_000,
        "[" + " " * 1_000_000 + "x",
        '"' + "\\ud800" * 170_000,
    ):
        start = time.perf_counter()
        fault(content)
        assert time.perf_counter() - start < 2


def test_the_garbage_collector_is_left_as_it_was() -> None:
    large = "[" + " " * 200_000
    for content in (large + "]", large + "x", large + '"\\x"'):
        for wanted in (gc.disable, gc.enable):
            wanted()
            before = gc.isenabled()
            attempt(content)
            assert gc.isenabled() is before


# --- embedded texts


def test_a_fault_in_an_embedded_text_is_placed_in_the_file() -> None:
    held = read('{\n  "Policy": "{\\n  \\"a\\": }"\n}').member("Policy")
    assert held is not None
    with pytest.raises(InputError) as caught:
        read_embedded(held)
    assert (caught.value.line, caught.value.column, caught.value.message) == (2, 26, "found `}`, expected a value")


def test_a_text_in_a_text_in_a_text() -> None:
    innermost = '{"deep": "x"}'
    content = json.dumps({"a": json.dumps({"b": innermost})})
    first = read(content).member("a")
    assert first is not None
    second = read_embedded(first).member("b")
    assert second is not None
    deep = read_embedded(second).member("deep")
    assert deep is not None
    line, column = deep.text.position(deep.start)
    assert (line, content[column - 1 :][: len('\\\\\\"x')]) == (1, '\\\\\\"x')
    assert deep.text.file == "f.json"


def test_a_string_that_no_file_spells_has_one_place() -> None:
    text = embedded_text(Node(STRING, '{"a": 1}', Text("x\ny"), 2, 2))
    assert [text.position(offset) for offset in (0, 5)] == [(2, 1), (2, 1)]


def test_what_a_message_quotes_cannot_harm() -> None:
    assert quoted("a\x1b[31m\u202eb") == "`a\\u001b[31m\\u202eb`"
    assert quoted("x" * 1_000) == "`" + "x" * 60 + "…`"
