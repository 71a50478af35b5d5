import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from kmslint.model.result import SourceError
from kmslint.reporters import markdown
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import EVERY, every_report, texts, with_text
from tests.unit.reporters.reports import full

GITHUB = MarkdownIt("gfm-like", {"linkify": False, "html": True})


def test_a_comment_is_a_verdict_a_table_and_the_details() -> None:
    printed = markdown.render(full(), View())
    assert printed.startswith("## ❌ kmslint\n\n2 keys, 4 rules")
    assert (
        "| critical | <code>public-access</code> | <code>policy.json:5:5</code> | "
        "<code>arn:aws:iam::999999999999:role/x</code> may call <code>kms:Decrypt</code> |\n"
    ) in printed
    assert "<details><summary>public-access [critical]: policy.json</summary>" in printed
    assert markdown.render(full()._replace(results=(), errors=()), View()).startswith("## ✅")
    assert markdown.render(full()._replace(results=()), View()).startswith("## ⚠️")
    assert markdown.render(every_report("empty"), View()).startswith("## ⚠️")


@given(texts)
def test_text_of_others_means_itself(text: str) -> None:
    """Read as Markdown, the text makes code and characters, and nothing else: no link, image, heading, list or raw HTML."""
    tokens = GITHUB.parse(f"x {markdown.inline(text)}\n\n{markdown.inline(text)}\n")
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert kinds <= {"text", "text_special", "html_inline"}
    raw = {child.content for token in tokens for child in token.children or () if child.type == "html_inline"}
    assert raw <= {"<code>", "</code>", "<!-- -->"}


@given(texts)
def test_a_row_of_the_table_stays_one_row(text: str) -> None:
    lines = markdown.render(with_text(text), View()).split("\n")
    (row,) = [line for line in lines if line.startswith("| critical")]
    assert row.count("|") == 5


@pytest.mark.parametrize(
    "text", ["@octocat", "#12", "https://example.com", "www.example.com", "![x](y)", "<img src=x>", "a|b", "$x$"]
)
def test_nobody_is_called_and_nothing_is_loaded(text: str) -> None:
    assert text not in markdown.inline(text)
    assert markdown.inline("policy.json") == "policy.json"


@pytest.mark.parametrize("name", EVERY)
def test_it_fits_into_a_comment(name: str) -> None:
    assert len(markdown.render(every_report(name), View())) <= 65_536


def test_what_does_not_fit_is_counted() -> None:
    report = full()
    many = report._replace(results=tuple(report.results[1]._replace(fingerprint=str(number)) for number in range(500)))
    printed = markdown.render(many, View())
    assert len(printed) <= 65_536
    assert "…and 400 more\n" in printed
    assert "more; another format holds them" in printed
    huge = report._replace(errors=tuple(SourceError("x" * 5000, 1, 1, "y" * 5000) for _ in range(50)))
    assert len(markdown.render(huge, View())) <= 200_000
