"""YAML as a tree: types as CloudFormation reads them, places exact, aliases counted, faults told with what stands before."""

import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kmslint.location import Text
from kmslint.sources.cfn import yaml_nodes
from kmslint.sources.cfn.yaml_nodes import MAX_DEPTH, Documents, read_yaml
from kmslint.tree import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, Node


def root(content: str) -> Node:
    documents = read_yaml(Text(content, file="t.yaml"))
    assert documents.error is None
    assert len(documents.nodes) == 1
    return documents.nodes[0]


def value(content: str) -> Node:
    """The value of `a` in a mapping."""
    found = root(f"a: {content}").member("a")
    assert found is not None
    return found


def simple(node: Node) -> object:
    """The value without places; an object as pairs, so that duplicates show."""
    if node.kind == OBJECT:
        return [(member.key, simple(member.value)) for member in node.members()]
    return [simple(item) for item in node.items()] if node.kind == ARRAY else node.value


@pytest.mark.parametrize(
    ("written", "kind", "expected"),
    [
        ("2012-10-17", STRING, "2012-10-17"),
        ("2012-10-17T00:00:00Z", STRING, "2012-10-17T00:00:00Z"),
        ('"true"', STRING, "true"),
        ("true", BOOLEAN, True),
        ("No", BOOLEAN, False),
        ("on", BOOLEAN, True),
        ("y", STRING, "y"),
        ("~", NULL, None),
        ("", NULL, None),
        ("null", NULL, None),
        ("'null'", STRING, "null"),
        ("30", NUMBER, "30"),
        ("1_000", NUMBER, "1_000"),
        ("0x1F", NUMBER, "0x1F"),
        ("1.5e+3", NUMBER, "1.5e+3"),
        ("111122223333", NUMBER, "111122223333"),
        ("022223333444", NUMBER, "022223333444"),
        ("12:30", STRING, "12:30"),
        ("kms:*", STRING, "kms:*"),
        ("arn:aws:iam::111122223333:root", STRING, "arn:aws:iam::111122223333:root"),
        (".", STRING, "."),
        ("!!str 30", STRING, "30"),
        ("!!str true", STRING, None),
        ("! 30", STRING, "30"),
    ],
)  # fmt: skip
def test_only_plain_scalars_have_a_type(written: str, kind: str, expected: object) -> None:
    found = value(written)
    assert found.kind == kind
    if expected is not None or kind == NULL:
        assert found.value == expected


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("!Ref X", [("Ref", "X")]),
        ("!Condition X", [("Condition", "X")]),
        ("!GetAtt A.B", [("Fn::GetAtt", "A.B")]),
        ("!Sub [a, {b: c}]", [("Fn::Sub", ["a", [("b", "c")]])]),
        ("!Join ['', [!Ref A, !Ref B]]", [("Fn::Join", ["", [[("Ref", "A")], [("Ref", "B")]]])]),
        ("!Nonsense {a: b}", [("Fn::Nonsense", [("a", "b")])]),
        ("!If [no, yes, !Ref A]", [("Fn::If", [False, True, [("Ref", "A")]])]),
    ],
)
def test_a_short_form_is_its_long_form(short: str, long: object) -> None:
    assert simple(value(short)) == long


def test_duplicates_and_odd_keys_are_kept_as_written() -> None:
    found = root("a: 1\na: 2\n2012-10-17: 3\ntrue: 4\n? [x, y]\n: 5\n012: 6\n")
    assert simple(found) == [("a", "1"), ("a", "2"), ("2012-10-17", "3"), ("true", "4"), ("[x, y]", "5"), ("012", "6")]


def test_merges_give_what_is_not_given() -> None:
    found = root("base: &b {x: 1, y: 2}\nmore: &m {y: 9, z: 3}\nmine: {y: 0, <<: [*b, *m]}\nquoted: {'<<': 1}\n")
    assert simple(found)[2] == ("mine", [("y", "0"), ("x", "1"), ("z", "3")])  # type: ignore[index]
    assert simple(found)[3] == ("quoted", [("<<", "1")])  # type: ignore[index]


def test_every_document_is_read() -> None:
    documents = read_yaml(Text("a: 1\n---\nb: 2\n---\n"))
    assert [simple(node) for node in documents.nodes] == [[("a", "1")], [("b", "2")], None]


def sliced(node: Node) -> str:
    return node.text.content[node.start : node.end]


def test_places_are_exact_in_any_script() -> None:
    content = 'é: "ß𝒳"\nlist:\n  - a: ü\n    b: 2   # why\n\n  - !Ref Ö\nlast: |\n  x\n  y\n\nnext: >-\n  folded\n  text\nflow: {a: [1, 2]}  \n'
    found = root(content)
    shown = {member.key: sliced(member.value) for member in found.members()}
    assert shown == {
        "é": '"ß𝒳"',
        "list": "- a: ü\n    b: 2   # why\n\n  - !Ref Ö",
        "last": "|\n  x\n  y",
        "next": ">-\n  folded\n  text",
        "flow": "{a: [1, 2]}",
    }
    first, second = found.members()[1].value.items()
    assert (sliced(first), sliced(second)) == ("a: ü\n    b: 2", "!Ref Ö")
    assert [sliced(member.key_node) for member in found.members()] == ["é", "list", "last", "next", "flow"]


def test_line_ends_of_windows_are_places_too() -> None:
    found = root("a: 1\r\nb:\r\n  - x\r\n")
    assert [member.value.text.position(member.value.start) for member in found.members()] == [(1, 4), (3, 3)]


# --- faults


def fault(content: str) -> tuple[Documents, tuple[int | None, int | None, str]]:
    documents = read_yaml(Text(content, file="t.yaml"))
    assert documents.error is not None
    error = documents.error
    return documents, (error.line, error.column, error.message)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("a: [1, 2", (1, 9)),
        ("a: b: c", (1, 5)),
        ("a: *", (1, 5)),
        ("a: 'x", (1, 6)),
        ("a:\n\t- b", (2, 1)),
        ("- a\nb: c", (2, 1)),
        ("a: *nowhere", (1, 4)),
        ("a: \x07", (1, 4)),
        ("%YAML 9.9\n---\na: 1", (1, 1)),
        ("{% if x %}", (1, 2)),
    ],
)
def test_a_fault_has_a_place(content: str, place: tuple[int, int]) -> None:
    _, (line, column, message) = fault(content)
    assert (line, column) == place
    assert message[0].islower()
    assert not message.endswith(".")
    assert "\n" not in message


def test_what_stands_before_a_fault_is_kept_and_what_is_open_is_marked() -> None:
    documents, _ = fault("good:\n  a: 1\nopen:\n  b: [1, 2\n")
    (node,) = documents.nodes
    assert simple(node) == [("good", [("a", "1")]), ("open", [("b", ["1", "2"])])]
    good, opened = (member.value for member in node.members())
    assert (id(good) in documents.broken, id(opened) in documents.broken, id(node) in documents.broken) == (False, True, True)


def test_an_alias_inside_its_own_value_is_a_fault() -> None:
    _, (line, column, message) = fault("a: &x\n  - b\n  - *x\n")
    assert (line, column, message) == (3, 5, "the alias `*x` stands inside the value that it repeats")


def test_an_alias_that_is_no_bomb_repeats_its_value() -> None:
    assert simple(root("a: &x [1]\nb: *x\nc: [*x, *x]")) == [("a", ["1"]), ("b", ["1"]), ("c", [["1"], ["1"]])]


def test_an_alias_bomb_ends_in_a_fault_soon() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    start = time.monotonic()
    _, (line, _, message) = fault("\n".join(lines))
    assert message == "the text holds more than 1,000,000 values, what aliases repeat included"
    assert line is not None
    assert time.monotonic() - start < 2


def test_a_merge_bomb_ends_in_a_fault_soon() -> None:
    lines = ["a0: &a0 {" + ", ".join(f"k{i}: v" for i in range(100)) + "}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 20)}]" for n in range(1, 8)]
    _, (_, _, message) = fault("\n".join([*lines, "b: {<<: *a7}"]))
    assert "more than 1,000,000 values" in message


def test_values_are_counted_once_however_deep_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "MAX_NODES", 60)
    deep = "{a: " * 20 + "x" + "}" * 20
    assert len(read_yaml(Text(deep)).nodes) == 1
    assert "more than 60 values" in fault("{a: " * 30 + "x" + "}" * 30)[1][2]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_is_bounded(opening: str) -> None:
    start = time.monotonic()
    documents = read_yaml(Text(opening * 50_000))
    assert documents.error is not None
    assert time.monotonic() - start < 5
    fine = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert read_yaml(Text(fine)).error is None
    assert read_yaml(Text("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))).error is not None


def test_aliases_do_not_nest_deeper_than_text() -> None:
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300))
    _, (line, _, message) = fault(chain)
    assert (line, message) == (100, "mappings and lists are nested more than 100 deep")
    fine = "\n".join(chain.splitlines()[:90])
    assert read_yaml(Text(fine)).error is None


def test_half_a_surrogate_pair_is_a_fault() -> None:
    _, (line, column, message) = fault("a: 1\nb: \ud800")
    assert (line, column, message) == (2, 4, "found half of a surrogate pair, which is no character")


# --- laws

LEAVES = st.one_of(
    st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x7f\ufeff\ufffe\uffff"), max_size=12),
    st.booleans(),
    st.none(),
    st.integers(-(10**12), 10**12),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd:#-?"), inner, max_size=4),
    max_leaves=12,
)


def as_python(node: Node) -> object:
    if node.kind == OBJECT:
        return {member.key: as_python(member.value) for member in node.members()}
    if node.kind == ARRAY:
        return [as_python(item) for item in node.items()]
    return int(str(node.value)) if node.kind == NUMBER else node.value


@given(VALUES)
def test_what_json_writes_is_read_back(found: object) -> None:
    assert as_python(root(json.dumps({"a": found}, ensure_ascii=False))) == {"a": found}


@given(VALUES, st.booleans())
def test_what_yaml_writes_is_read_back(found: object, flow: bool) -> None:
    content = yaml.safe_dump({"a": found}, allow_unicode=True, default_flow_style=flow, sort_keys=False)
    assert as_python(root(content)) == {"a": found}


@given(VALUES)
def test_every_node_slices_to_itself(found: object) -> None:
    content = yaml.safe_dump({"a": found}, allow_unicode=True, sort_keys=False)
    stack = [root(content)]
    while stack:
        node = stack.pop()
        inside = [part for member in node.members() for part in (member.key_node, member.value)] + list(node.items())
        assert all(node.start <= part.start <= part.end <= node.end for part in inside)
        if node.kind == NUMBER:
            assert sliced(node) == node.value
        stack += inside


@given(st.text("abc:-[]{}&*!|>'\"#%@`,? \n\t0", max_size=60))
def test_any_text_is_read_or_a_fault(content: str) -> None:
    documents = read_yaml(Text(content, file="t.yaml"))
    assert documents.error is None or documents.error.line is not None
