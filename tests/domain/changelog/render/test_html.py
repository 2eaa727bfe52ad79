"""Releases as HTML that runs and loads nothing."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.changelog.render.html import to_html
from kaizen_tasks.errors import KaizenError
from tests.domain.changelog.documents import ORDERLY, nasty, unreleased

TAGS = {
    *("section", "h2", "h3", "h4", "h5", "h6", "time", "p", "ul", "ol", "li", "blockquote", "pre", "hr", "br"),
    *("a", "code", "strong", "em"),
}
ATTRIBUTES = {"href", "title", "datetime", "class", "start"}


def html(text: str, *, base_url: str | None = None) -> str:
    """Return the HTML of an entry."""
    log = parse_changelog(unreleased(f"### Fixed\n- {text}\n\n[ref]: https://r\n"))
    shown = to_html(log, log.sections, base_url=base_url)
    return shown.partition("<li>")[2].partition("</li>")[0]


def test_release_is_a_section_with_its_date_and_types() -> None:
    log = parse_changelog(ORDERLY)
    assert to_html(log, log.releases[1:]) == (
        '<section>\n<h2>1.0.0 <time datetime="2026-01-02">2026-01-02</time> <em>yanked</em></h2>\n'
        "<h3>Added</h3>\n<ul>\n<li>First</li>\n</ul>\n</section>\n"
    )


def test_entry_keeps_its_lists_code_and_lesser_headings() -> None:
    log = parse_changelog(unreleased("### Fixed\n- a\n  - b\n\n  ```py\n  <c>\n  ```\n\n  <!-- d -->\n  # e\n"))
    assert to_html(log, log.sections) == (
        "<section>\n<h2>Unreleased</h2>\n<h3>Fixed</h3>\n<ul>\n<li>\n<p>a</p>\n<ul>\n<li>b</li>\n</ul>\n"
        '<pre><code class="language-py">&lt;c&gt;\n</code></pre>\n<h4>e</h4>\n</li>\n</ul>\n</section>\n'
    )


def test_html_block_is_text_and_a_comment_is_nothing() -> None:
    log = parse_changelog(unreleased("<!-- a\n\n## b -->\n\n<div onclick=c>\n<script>d</script>\n</div>\n"))
    assert to_html(log, log.sections) == (
        "<section>\n<h2>Unreleased</h2>\n"
        "<p>&lt;div onclick=c&gt;\n&lt;script&gt;d&lt;/script&gt;\n&lt;/div&gt;</p>\n</section>\n"
    )


def test_fence_that_is_never_closed_hides_no_link_definition() -> None:
    log = parse_changelog(b"[a]: https://b\n\n## 1.0.0\n\n[a]\n\n```\nc\n")
    assert '<p><a href="https://b">a</a></p>\n<pre><code>c\n</code></pre>' in to_html(log, log.sections)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("`a < *b*`", "<code>a &lt; *b*</code>"),
        ("``a`b``", "<code>a`b</code>"),
        ("**a *b* c**", "<strong>a <em>b</em> c</strong>"),
        ("__a__ _b_ snake_case_name", "<strong>a</strong> <em>b</em> snake_case_name"),
        ("\\*a\\*", "*a*"),
        ("2 * 3 * 4 **", "2 * 3 * 4 **"),
        ("[a **b**](https://c 'd')", '<a href="https://c" title="d">a <strong>b</strong></a>'),
        ("[a](b/c.md#d)", '<a href="b/c.md#d">a</a>'),
        ("[a][ref] [ref] [nope]", '<a href="https://r">a</a> <a href="https://r">ref</a> [nope]'),
        ("<https://a?b&c>", '<a href="https://a?b&amp;c">https://a?b&amp;c</a>'),
        ("a <script>b(1)</script>", "a &lt;script&gt;b(1)&lt;/script&gt;"),
        ("a <!-- b --> c", "a  c"),
        ("[a](mailto:b@c)", '<a href="mailto:b@c">a</a>'),
        ('[a](http://b"onclick=c)', '<a href="http://b%22onclick=c">a</a>'),
        ("![a **b**](https://c)", '<a href="https://c">a b</a>'),
        ("![a](javascript:b)", "![a](javascript:b)"),
        ("[a](javascript:b)", "[a](javascript:b)"),
        ("[a](JaVaScRiPt:b)", "[a](JaVaScRiPt:b)"),
        ("[a](javascript&colon;b)", "[a](javascript:b)"),
        ("[a](data:text/html,b)", "[a](data:text/html,b)"),
        ("[a](data:image/png;base64,b)", "[a](data:image/png;base64,b)"),
        ("[a](//evil.example)", "[a](//evil.example)"),
        ("<javascript:a>", "&lt;javascript:a&gt;"),
        ("a <img src=x onerror=b>", "a &lt;img src=x onerror=b&gt;"),
    ],
)
def test_inline_markdown_is_rendered_and_what_could_run_is_text(text: str, expected: str) -> None:
    assert html(text) == expected


def test_relative_links_are_resolved_against_the_base_url() -> None:
    shown = html("[a](./b.md) [c](#d) ![e](f.png)", base_url="https://h/x")
    assert shown == '<a href="https://h/x/b.md">a</a> <a href="#d">c</a> <a href="https://h/x/f.png">e</a>'


@settings(max_examples=300, deadline=None)
@given(st.one_of(nasty(), st.text(), st.text(alphabet="[]()`*_<>\\!:/ajs\x01\t\n&;\"'")).map(str.encode))
@example(b"> - <!--\n> ")
@example(b"[a](\x01javascript:b) [c](/\\evil.example) [d](javascript&Tab;:e) <a:b>")
def test_hostile_changelog_has_harmless_html(content: bytes) -> None:
    try:
        log = parse_changelog(b"## 1.0.0\n" + content)
    except KaizenError:
        return
    shown = to_html(log, log.sections)
    tags = _Tags()
    tags.feed(shown)
    tags.close()
    assert shown.count("<section>\n<h2>") == len(log.sections)


class _Tags(HTMLParser):
    """Fails at a tag, an attribute or a link that a page should not get from a changelog."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert {name for name, _ in attrs} <= ATTRIBUTES
        url = (dict(attrs).get("href") or "").lower()
        head = url.split("/")[0]
        assert ":" not in head or head.startswith(("http:", "https:", "mailto:")) or head[0] in "?#"
        assert not url.startswith(("//", "/\\"))


def test_deep_nesting_is_rendered_without_exhausting_the_stack() -> None:
    for text in (">" * 110 + "x", "[" * 3000 + "x", "*" * 3000 + "x", "![" * 500 + "x" + "](u)" * 500):
        log = parse_changelog(f"## 1.0.0\n\n{text}\n".encode())
        assert to_html(log, log.sections).startswith("<section>")
