"""Releases as Markdown, JSON and safe HTML."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.changelog.render.html_page import to_html
from kaizen_tasks.domain.changelog.render.inline import InlineRenderer
from kaizen_tasks.domain.changelog.render.sections import to_json, to_json_list, to_markdown
from kaizen_tasks.errors import KaizenError
from tests.domain.changelog.documents import ORDERLY, nasty, unreleased


def html(text: str, *, base_url: str | None = None) -> str:
    return InlineRenderer(urls={"REF": "https://r"}, base_url=base_url).render(text)


def test_shows_the_body_of_one_release_as_written() -> None:
    log = parse_changelog(ORDERLY)
    assert to_markdown(log, log.releases[:1]) == "A word before.\n\n### Added\n\n- Old\n"


def test_shows_several_releases_with_their_headings() -> None:
    log = parse_changelog(ORDERLY)
    text = to_markdown(log, log.releases)
    assert text.startswith("## [1.1.0] - 2026-02-03\n\nA word before.")
    assert text.endswith(
        "\n[1.1.0]: https://github.com/o/r/compare/v1.0.0...v1.1.0\n[1.0.0]: https://github.com/o/r/releases/tag/v1.0.0\n"
    )


def test_takes_along_the_definitions_that_are_used() -> None:
    log = parse_changelog(unreleased("### Fixed\n- [a] `[b]`\n\n[a]: docs/a.md\n[c]: http://c\n"))
    text = to_markdown(log, log.sections, base_url="https://h/o/r/blob/v1")
    assert text == "### Fixed\n- [a] `[b]`\n\n[a]: https://h/o/r/blob/v1/docs/a.md\n"


def test_makes_relative_links_absolute_but_not_in_code() -> None:
    log = parse_changelog(unreleased("- [a](b.md) [c](https://d) [e](#f) `[g](h)`\n\n~~~\n[i](j)\n~~~\n"))
    text = to_markdown(log, log.sections, base_url="https://h/x/")
    assert text == "- [a](https://h/x/b.md) [c](https://d) [e](#f) `[g](h)`\n\n~~~\n[i](j)\n~~~\n"


def test_shows_a_release_as_json() -> None:
    newer, older = parse_changelog(ORDERLY).releases
    assert json.loads(to_json(newer)) == {
        "version": "1.1.0",
        "title": "1.1.0",
        "date": "2026-02-03",
        "yanked": False,
        "summary": "A word before.",
        "groups": [{"type": "Added", "name": "Added", "entries": [{"text": "Old", "breaking": False, "line": 21}]}],
    }
    assert [one["version"] for one in json.loads(to_json_list([newer, older]))] == ["1.1.0", "1.0.0"]


def test_shows_a_release_as_html() -> None:
    log = parse_changelog(ORDERLY)
    assert to_html(log, log.releases[1:]) == (
        '<section>\n<h2>1.0.0 <time datetime="2026-01-02">2026-01-02</time> <em>yanked</em></h2>\n'
        "<h3>Added</h3>\n<ul>\n<li>First</li>\n</ul>\n</section>\n"
    )


def test_shows_what_entries_contain() -> None:
    log = parse_changelog(unreleased("### Fixed\n- a\n  - b\n\n  ```py\n  <c>\n  ```\n\n  <!-- d -->\n  # e\n"))
    assert "<li>" + "<p>a</p>\n<ul>\n<li>b</li>\n</ul>\n<pre>&lt;c&gt;</pre>\n<p><strong>e</strong></p></li>" in (
        to_html(log, log.sections)
    )


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
        ("[a **b**](https://c 'd')", '<a href="https://c">a <strong>b</strong></a>'),
        ("[a](b/c.md#d)", '<a href="b/c.md#d">a</a>'),
        ("[a][ref] [ref] [nope]", '<a href="https://r">a</a> <a href="https://r">ref</a> [nope]'),
        ("<https://a?b&c>", '<a href="https://a?b&amp;c">https://a?b&amp;c</a>'),
        ("[a](mailto:b@c)", '<a href="mailto:b@c">a</a>'),
        ('[a](http://b"onclick=c)', '<a href="http://b&quot;onclick=c">a</a>'),
        ("[a](javascript:b)", "a"),
        ("[a](JaVaScRiPt:b)", "a"),
        ("[a](\x01javascript:b)", "a"),
        ("[a](data:text/html,b)", "a"),
        ("[a](//evil.example)", "a"),
        ("[a](/\\evil.example)", "a"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<img src=x onerror=a>", "&lt;img src=x onerror=a&gt;"),
    ],
)
def test_renders_a_little_markdown_and_nothing_that_runs(text: str, expected: str) -> None:
    assert html(text) == expected


def test_makes_links_absolute_in_html() -> None:
    assert html("[a](./b.md)", base_url="https://h/x") == '<a href="https://h/x/b.md">a</a>'


@given(st.one_of(st.text(), nasty(), st.text(alphabet="[]()`*_<>\\!:/ajs\x01\t\n&;\"'")))
def test_html_has_no_other_tags_than_its_own(text: str) -> None:
    from html.parser import HTMLParser

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in {"a", "code", "strong", "em"}
            for name, value in attrs:
                assert name == "href"
                head = (value or "").lower().split("/")[0]
                assert ":" not in head or head.startswith(("http:", "https:", "mailto:")) or head[0] in "?#"

    tags = Tags()
    tags.feed(html(text))
    tags.close()


@given(nasty())
def test_shows_any_text_or_refuses(text: str) -> None:
    try:
        log = parse_changelog(text.encode())
        shown = to_html(log, log.sections), to_markdown(log, log.sections)
        listed = json.loads(to_json_list(log.sections))
    except KaizenError:
        return
    assert len(listed) == len(log.sections) == shown[0].count("<section>\n<h2>")
