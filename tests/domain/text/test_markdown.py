"""Texts of others in Markdown, read with a parser of CommonMark and its tables."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from kaizen_tasks.domain.text.markdown import code_block, escape_markdown, markdown_link

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "[x](http://evil.example) ![y](http://evil.example)",
    "a | b | c",
    "`code` ``` *strong* _em_ ~~gone~~",
    "# heading",
    "line\n\n# another\n| a |\n|---|",
    "https://evil.example www.evil.example WWW.evil.example",
    "@ada #17 GH-17 :bomb: &copy; &#60;b&#62;",
    "$x$ <!-- ",
)


class _Reader(HTMLParser):
    """Collects the elements of a document, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markdown: str) -> _Reader:
    return _Reader(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_shown_as_it_is(text: str) -> None:
    page = read(f"see {escape_markdown(text)}")

    assert (page.elements, page.text.strip()) == (["p"], f"see {' '.join(text.split())}")


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_in_its_cell(text: str) -> None:
    page = read(f"| a | b |\n| --- | --- |\n| {escape_markdown(text)} | end |")

    assert page.elements == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    assert " ".join(text.split()) in page.text


@pytest.mark.parametrize("word", ["http://evil", "@ada", "www.evil", "#17", ":bomb"])
def test_source_has_nothing_that_a_forge_makes_a_link_of(word: str) -> None:
    assert word not in escape_markdown(f"see {word}.example")


@pytest.mark.parametrize("text", ["coach: promote v1.2.3 to prod", "next, in 2h: inv hold.remove --env mark, dom"])
def test_plain_text_stays_readable(text: str) -> None:
    assert escape_markdown(text) == text


def test_link_leads_to_web_pages_alone() -> None:
    link = markdown_link("a]b", "https://x.example/a b>|(c)")

    assert link == "[a&#93;b](<https://x.example/a%20b%3E%7C(c)>)"
    assert read(link).elements == ["p", "a"]
    assert markdown_link("a", "javascript:alert(1)") == "a"
    assert markdown_link("a", "") == "a"


@pytest.mark.parametrize("text", ["error: no\nstate", "```\n# out\n```", "````` x", "~~~\n<b>\x1b[31m"])
def test_code_ends_with_its_text(text: str) -> None:
    page = read(f"{code_block(text)}\n")

    assert page.elements == ["pre", "code"]
    assert page.text.rstrip("\n") == text.replace("\x1b[31m", "")
