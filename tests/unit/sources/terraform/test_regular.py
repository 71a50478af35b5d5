"""Regular expressions of Terraform: what is read, and that no pattern and no text take long."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.sources.hcl import expressions
from kmslint.sources.hcl.regular import Search, Unsupported, compiled, replaced
from tests.unit.sources.terraform.shapes import facts, only_key, read


def found(pattern: str, text: str) -> list[str]:
    return [text[match[0] : match[1]] for match in Search(compiled(pattern), text).all()]


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("a", "aba", ["a", "a"]),
        ("a*", "baac", ["", "aa", ""]),
        ("ab|a", "aab", ["a", "ab"]),
        ("a|ab", "aab", ["a", "a"]),
        ("a+?", "aa", ["a", "a"]),
        ("a$", "a\na", ["a"]),
        ("^a", "a\na", ["a"]),
        (".", "a\nb", ["a", "b"]),
        ("(?s).", "a\nb", ["a", "\n", "b"]),
        ("(?i)aRn", "ARN arn", ["ARN", "arn"]),
        ("\\s", "\v \t", [" ", "\t"]),
        ("\\d", "1\u0661", ["1"]),
        ("[]a]", "]ab", ["]", "a"]),
        ("[^\\d-]", "1-a", ["a"]),
        ("[+-.]", "+,-./", ["+", ",", "-", "."]),
        ("a{2,3}", "aaaaa", ["aaa", "aa"]),
        ("\\.\\_\\/", "._/", ["._/"]),
        ("é", "aé", ["é"]),
    ],
)
def test_matches(pattern: str, text: str, matches: list[str]) -> None:
    assert found(pattern, text) == matches


@pytest.mark.parametrize(
    "pattern",
    [
        "(", ")", "a)", "[a", "*a", "a**", "a*+", "a{1}{2}", "a{,2}", "a{", "a{2,1}", "a{1001}", "\\1", "\\pL", "\\x41", "\\Qa\\E",
        "[[:alpha:]]", "[b-a]", "[a-\\d]", "[\\S]", "(?=a)", "(?!a)", "(?<=a)", "(?<a>a)", "a(?i)b", "(?P<1>a)", "(?P<a>a)(?P<a>b)",
        "(a*)*", "(a|b?)+", "(?:)*", "^*", "(?i)é", "\\", "]",
        "a" * 1001, "(" * 21 + "a" + ")" * 21, "(a{1000}){3}",
    ],
)  # fmt: skip
def test_what_is_not_read(pattern: str) -> None:
    with pytest.raises(Unsupported):
        compiled(pattern)


def test_the_nearest_that_is_read() -> None:
    for pattern in ("a" * 1000, "(" * 20 + "a" + ")" * 20, "(a{100}){3}", "(?i)e", "(a*)", "(a+)*", "(?P<a>a)(?P<b>b)"):
        assert compiled(pattern).steps


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(?:a+)+b", "a+a+a+a+a+b", "(.+.+)+x"])
def test_no_pattern_takes_exponential_time(pattern: str) -> None:
    search = Search(compiled(pattern), "a" * 2_000 + "c")
    assert search.find(0) is None
    assert search.work < 100_000


def test_a_search_ends_at_its_budget() -> None:
    long = compiled("[ab]{0,900}c")
    with pytest.raises(Unsupported):
        Search(long, "ab" * 10_000).find(0)
    assert Search(long, "ab" * 100 + "c").find(0) == (0, 201)
    with pytest.raises(Unsupported):
        list(Search(compiled("a.*b|a"), "a" * 10_000).all())


def test_groups_that_take_no_part() -> None:
    assert Search(compiled("(a)|(b)"), "b").find(0) == (0, 1, None, None, 0, 1)
    assert replaced(compiled("(a)|(b)"), "ab", "<$1$2>")[0] == "<a><b>"


@pytest.mark.parametrize(
    ("new", "text"),
    [("$1", "x"), ("${1}", "x"), ("$1y", ""), ("${1}y", "xy"), ("$$1", "$1"), ("$", "$"), ("${", "${"), ("${1", "${1"), ("$01", ""),
     ("$name", "x"), ("$0$0", "xx"), ("$2", ""), ("$-", "$-")],
)  # fmt: skip
def test_what_a_replacement_means(new: str, text: str) -> None:
    assert replaced(compiled("(?P<name>x)"), "x", new)[0] == text


LETTERS = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "c"])
PARTS = st.recursive(
    LETTERS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(
            inner.filter(lambda part: part.startswith(("[", "."))), st.sampled_from(["*", "+", "?", "{2}", "*?", "{1,2}"])
        ).map(lambda two: f"(?:{two[0]}){two[1]}"),
        inner.map(lambda part: f"({part})"),
    ),
    max_leaves=6,
)


@given(PARTS, st.text("abc\n", max_size=12))
def test_python_finds_the_same_first_match(pattern: str, text: str) -> None:
    theirs = re.search(pattern, text, re.ASCII)
    try:
        ours = Search(compiled(pattern), text).find(0)
    except Unsupported:
        return
    assert (None if ours is None else (ours[0], ours[1])) == (None if theirs is None else theirs.span())


def test_a_policy_of_matches() -> None:
    code = """
    locals {
      arns  = ["arn:aws:iam::111122223333:role/a", "arn:aws:iam::444455556666:role/b"]
      ids   = [for arn in local.arns : regex("::(?P<id>[0-9]{12}):", arn).id]
    }
    resource "aws_kms_key" "k" { policy = jsonencode({ Statement = [
      { Effect = "Allow", Principal = { AWS = local.ids }, Action = "kms:Decrypt", Resource = "*" } ] }) }
    """
    (statement,) = only_key(code).policies[0].policy.statements
    assert [entry.value for entry in statement.principals or ()] == ["111122223333", "444455556666"]
    (broken,) = only_key(code.replace("[0-9]{12}", "x*+")).policies[0].policy.statements
    assert not all(isinstance(entry.value, str) for entry in broken.principals or ())


def test_the_budget_of_a_module_counts_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "MAX_STEPS", 30_000)
    text = "a" * 1_000
    code = f"""
    locals {{ all = [for i in range(3000) : length(regexall("a|b|c|d|e|f|g", "{text}"))] }}
    resource "aws_kms_key" "k" {{ description = jsonencode(local.all) }}
    """
    (key,), errors = read(code)
    assert [error.message for error in errors] == ["reading it takes more than 30,000 steps"]
    assert facts(key)["description"] == ("unread", "`jsonencode(local.all)` could not be resolved")
    assert facts(only_key(code.replace("3000", "5")))["description"] == f"[{','.join(['1000'] * 5)}]"
