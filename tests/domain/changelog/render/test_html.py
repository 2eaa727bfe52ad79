"""Releases as HTML that runs and loads nothing."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.changelog.render.html import to_html
from kaizen_tasks.errors import KaizenError
from tests.domain.changelog.documents import ORDERLY, nasty, unreleased

FORBIDDEN_TAGS = {"script", "style", "iframe", "img", "form", "object", "embed", "svg", "math", "textarea", "title"}
ATTRIBUTES = {"href", "title", "datetime", "class", "start", "style", "type", "disabled", "checked", "open"}


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


def test_html_block_has_harmless_tags_and_a_comment_is_nothing() -> None:
    log = parse_changelog(unreleased("<!-- a\n\n## b -->\n\n<div onclick=c>\n<script>d</script>\n</div>\n"))
    assert to_html(log, log.sections) == (
        "<section>\n<h2>Unreleased</h2>\n<div>\n&lt;script&gt;d&lt;/script&gt;\n</div>\n</section>\n"
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
        ("a <img src=x onerror=b>", 'a <a href="x">x</a>'),
        ("a <img src='javascript:b' alt=c>", "a <a>c</a>"),
        ("[![a](b)](https://c)", '<a href="https://c">a</a>'),
        ("<kbd onclick=b>Esc</kbd> H<sub>2</sub>O<br>x", "<kbd>Esc</kbd> H<sub>2</sub>O<br>x"),
        ("<a href='https://b'>c</a> <a href=javascript:d>e</a>", '<a href="https://b">c</a> <a>e</a>'),
        ("<a href=//evil.example>a</a>", "<a>a</a>"),
        ("<a href='java&#115;cript:b'>a</a>", "<a>a</a>"),
        ("<b>never closed", "<b>never closed</b>"),
        ("never opened</kbd></section>", "never opened&lt;/section&gt;"),
        ("a Map<Key> b</Key>", "a Map&lt;Key&gt; b&lt;/Key&gt;"),
        ("a <input type=checkbox> b", "a &lt;input type=checkbox&gt; b"),
        ("a <T> and <Foo.Bar> b", "a &lt;T&gt; and &lt;Foo.Bar&gt; b"),
        ("&mdash; &lt;b&gt; &copy; `&lt;`", "— &lt;b&gt; © <code>&amp;lt;</code>"),
        ("~~a~~", "<s>a</s>"),
        ("https://a.b/c_d_e?f&g.", '<a href="https://a.b/c_d_e?f&amp;g">https://a.b/c_d_e?f&amp;g</a>.'),
        ("(https://a.b/c_(d))", '(<a href="https://a.b/c_(d)">https://a.b/c_(d)</a>)'),
        ("`https://a.b` [https://c.d](https://e.f)", '<code>https://a.b</code> <a href="https://e.f">https://c.d</a>'),
        ("www.a.b", '<a href="http://www.a.b">www.a.b</a>'),
    ],
)
def test_inline_markdown_is_rendered_and_what_could_run_is_not(text: str, expected: str) -> None:
    assert html(text) == expected


BLOCKS = """\
- a

  | b | c |
  | - | -: |
  | 1 | `2` |

  3. three
     - four

  > [!NOTE]
  > five

  > six

  <details><summary>seven</summary>

  *eight*

  </details>

- [x] nine
- [ ] ten [ref]

[ref]: https://r 'Title'
"""
BLOCKS_HTML = """\
<h3>Fixed</h3>
<ul class="contains-task-list">
<li>
<p>a</p>
<table>
<thead>
<tr>
<th>b</th>
<th style="text-align:right">c</th>
</tr>
</thead>
<tbody>
<tr>
<td>1</td>
<td style="text-align:right"><code>2</code></td>
</tr>
</tbody>
</table>
<ol start="3">
<li>three
<ul>
<li>four</li>
</ul>
</li>
</ol>
<div class="markdown-alert markdown-alert-note">
<p class="markdown-alert-title">Note</p>
<p>five</p>
</div>
<blockquote>
<p>six</p>
</blockquote>
<details><summary>seven</summary>
<p><em>eight</em></p>
</details>
</li>
<li class="task-list-item">
<p><input class="task-list-item-checkbox" disabled="" type="checkbox" checked=""> nine</p>
</li>
<li class="task-list-item">
<p><input class="task-list-item-checkbox" disabled="" type="checkbox"> ten <a href="https://r" title="Title">ref</a></p>
</li>
</ul>
"""


def test_blocks_are_rendered_as_on_github() -> None:
    log = parse_changelog(unreleased("### Fixed\n" + BLOCKS))
    shown = to_html(log, log.sections)
    assert shown.partition("</h2>\n")[2].removesuffix("</section>\n") == BLOCKS_HTML


def test_definition_with_another_scheme_is_no_text_and_no_link() -> None:
    log = parse_changelog(unreleased("### Fixed\n\n- [a] [b]\n\n[a]: javascript:a\n[b]: https://b\n\nc\n"))
    shown = to_html(log, log.sections)
    assert '<ul>\n<li><a>a</a> <a href="https://b">b</a></li>\n</ul>\n<p>c</p>\n</section>' in shown


def test_html_that_is_never_closed_stays_in_its_section() -> None:
    log = parse_changelog(b"## 1.1.0\n\n<details>\n<b\n\na\n\n## 1.0.0\n\nb\n")
    first, second = to_html(log, log.sections).split("<section>")[1:]
    assert first.endswith("<p>a</p>\n</details></section>\n")
    assert second == "\n<h2>1.0.0</h2>\n<p>b</p>\n</section>\n"


def test_relative_links_are_resolved_against_the_base_url() -> None:
    shown = html("[a](./b.md) [c](#d) ![e](f.png) <a href=g>h</a>", base_url="https://h/x")
    links = (("https://h/x/b.md", "a"), ("#d", "c"), ("https://h/x/f.png", "e"), ("https://h/x/g", "h"))
    assert shown == " ".join(f'<a href="{url}">{text}</a>' for url, text in links)


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
    assert tags.is_balanced


class _Tags(HTMLParser):
    """Fails at a tag, an attribute or a link that a page should not get from a changelog."""

    def __init__(self) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.is_balanced = True

    def handle_endtag(self, tag: str) -> None:
        self.is_balanced &= bool(self.open_tags) and self.open_tags.pop() == tag

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in FORBIDDEN_TAGS
        self.open_tags += [tag] if tag not in {"br", "hr", "wbr", "input"} else []
        assert {name for name, _ in attrs} <= ATTRIBUTES
        url = (dict(attrs).get("href") or "").lower()
        head = url.split("/")[0]
        assert ":" not in head or head.startswith(("http:", "https:", "mailto:")) or head[0] in "?#"
        assert not url.startswith(("//", "/\\"))


def test_deep_nesting_is_rendered_without_exhausting_the_stack() -> None:
    for text in (">" * 110 + "x", "[" * 3000 + "x", "*" * 3000 + "x", "![" * 500 + "x" + "](u)" * 500):
        log = parse_changelog(f"## 1.0.0\n\n{text}\n".encode())
        assert to_html(log, log.sections).startswith("<section>")
