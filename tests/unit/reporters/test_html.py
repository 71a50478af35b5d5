import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given

from kmslint import app
from kmslint.model.key import Key
from kmslint.reporters import html
from kmslint.reporters.html_reach import MAX_PRINCIPALS, reach
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import EVERY, every_report, texts, with_text
from tests.unit.reporters.reports import EVIL, full

VOID = {"meta", "br", "link", "img", "input", "hr"}
LOADS = {"src", "srcset", "data", "poster", "action", "background", "formaction"}


class Page(HTMLParser):
    """Reads a page and keeps what the tests ask: its elements, text, ids and links."""

    def __init__(self, printed: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(printed)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.mark.parametrize("name", EVERY)
def test_it_is_one_whole_file_that_loads_nothing(name: str) -> None:
    printed = html.render(every_report(name), View(show_suppressed=True))
    page = Page(printed)
    assert page.open == []
    assert {tag for tag, _ in page.elements} & {
        "script",
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "svg",
    } == set()
    for tag, attributes in page.elements:
        assert not LOADS & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in printed[printed.index("<style>") : printed.index("</style>")]
    assert "@import" not in printed
    policy = next(attributes["content"] for tag, attributes in page.elements if attributes.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@pytest.mark.parametrize("name", EVERY)
def test_a_keyboard_and_a_screen_reader_find_their_way(name: str) -> None:
    page = Page(html.render(every_report(name), View()))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert {str(link)[1:] for link in links} <= set(ids)
    assert ("html", {"lang": "en"}) in page.elements
    assert [tag for tag, _ in page.elements].count("h1") == 1
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    tables = [tag for tag, _ in page.elements if tag == "table"]
    assert len(tables) == len([tag for tag, _ in page.elements if tag == "caption"])
    assert all(attributes.get("scope") in {"col", "row"} for tag, attributes in page.elements if tag == "th")
    regions = [attributes for _, attributes in page.elements if attributes.get("role") == "region"]
    assert all(attributes.get("tabindex") == "0" and attributes.get("aria-label") for attributes in regions)


@given(texts)
def test_text_of_others_is_text(text: str) -> None:
    page = Page(html.render(with_text(f"x{text}"), View(show_suppressed=True)))
    plain = Page(html.render(with_text("x"), View(show_suppressed=True)))
    assert [tag for tag, _ in page.elements if tag != "code"] == [tag for tag, _ in plain.elements if tag != "code"]


@pytest.mark.parametrize(
    "part", ["keys", "findings", "undecided", "controls", "exceptions", "unread", "basis", "results", "provenance"]
)
def test_every_section_is_there_even_if_empty(part: str) -> None:
    for name in ("full", "empty"):
        assert f'<h2 id="{part}">' in html.render(every_report(name), View())


def test_it_says_what_was_found_accepted_not_read_and_on_what_it_rests() -> None:
    text = Page(html.render(full(), View())).text
    for told in (
        "2 findings in 2 keys", "Key policy lets any AWS principal use the key", "AccessDenied on kms:GetKeyRotationStatus",
        "named by tag", "an inventory", "platform", "2027-03-01", "broken.json", "package.json",
        "the owner account 111122223333 is inferred", "a" * 64, "b" * 64, "2026-11-24T08:00:00Z", "HIPAA 164.312(a)(1)",
    ):  # fmt: skip
        assert told in text, told
    assert EVIL not in text


def key_of(policy: str, account: str | None = "111122223333") -> Key:
    return app.check_policy(policy, account=account, rules=()).keys[0]


OPEN = """{"Statement": [
 {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"},
 {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]}"""
CLOSED = OPEN.replace('"*", "Action": "kms:Decrypt"', '{"AWS": "arn:aws:iam::444455556666:role/x"}, "Action": "kms:Decrypt"')


def test_who_can_reach_a_key_is_drawn_and_strangers_are_marked() -> None:
    assert '<tr class="public">' in reach(key_of(OPEN))
    assert '<tr class="public">' not in reach(key_of(CLOSED))
    assert "any AWS service" in reach(key_of(OPEN))
    assert "any AWS service" not in reach(key_of(CLOSED))
    text = Page(reach(key_of(CLOSED))).text
    assert "arn:aws:iam::444455556666:role/x" in text
    assert "outside" in text
    assert "if IAM allows" in text
    assert "by Open" in text


def test_where_nothing_can_be_drawn_a_sentence_says_why() -> None:
    nobody = key_of(OPEN.replace('"Allow"', '"Deny"'))
    assert reach(nobody) == "<p>Nobody: no request for these actions is allowed by the key's policies.</p>"
    assert reach(nobody._replace(policies_unread="AccessDenied <x>")) == "<p>Not known: AccessDenied &lt;x&gt;.</p>"
    assert reach(nobody._replace(policies=())) == "<p>Not known: no policy of this key was read.</p>"
    many = ", ".join(f'"arn:aws:iam::111122223333:role/r{number}"' for number in range(MAX_PRINCIPALS + 1))
    crowded = reach(key_of(CLOSED.replace('"arn:aws:iam::444455556666:role/x"', f"[{many}]")))
    assert crowded.startswith(f"<p>The policies name {MAX_PRINCIPALS + 2} principals")


def test_no_script_and_no_network_word_hides_in_the_style(root: Path) -> None:
    style = (root / "kmslint" / "reporters" / "html_style.py").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|@font-face|expression|javascript", style)
