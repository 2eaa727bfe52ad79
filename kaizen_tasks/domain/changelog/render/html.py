"""Releases as an HTML fragment for a "What's new" page, rendered by markdown-it as GitHub-flavoured Markdown.

The fragment runs and loads nothing, whatever a changelog contains: see `sanitizer.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.common.html_re import HTML_TAG_RE
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from kaizen_tasks.domain.changelog.links.relative import absolute_url
from kaizen_tasks.domain.changelog.markdown.blocks import MAX_NESTING
from kaizen_tasks.domain.changelog.render.sanitizer import is_harmless_tag, is_safe_url, sanitize
from kaizen_tasks.domain.changelog.render.sections import body_markdown, used_definitions

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore
    from markdown_it.utils import EnvType, OptionsDict

    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.changelog.section import Section

_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)")
_LOOSE_TASK = re.compile(r"(<input [^>]*> ?)<p>")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BARE_URL = re.compile(r"(?<![^\s*_~(])(?:https?://|www\.)[^\s<.][^\s<]*\.[^\s<]+")
"""A web address in text: https://github.github.com/gfm/#autolinks-extension-."""


def to_html(log: Changelog, sections: Sequence[Section], *, base_url: str | None = None) -> str:
    """Return releases as HTML, each as a `<section>`.

    Args:
        log: the changelog, in which link labels are looked up.
        sections: the releases to render.
        base_url: base of relative links, which are made absolute; None leaves them relative.
    """
    markdown = _Markdown(base_url)
    bodies = (_render(markdown, log, section, base_url) for section in sections)
    fragments = zip(map(_heading, sections), bodies, strict=True)
    return "".join(f"<section>\n{heading}\n{body}</section>\n" for heading, body in fragments)


def render_body(log: Changelog, section: Section, *, base_url: str | None = None) -> str:
    """Return what is below the heading of a release as HTML; for the arguments see `to_html`."""
    return _render(_Markdown(base_url), log, section, base_url)


def _render(markdown: _Markdown, log: Changelog, section: Section, base_url: str | None) -> str:
    body = sanitize(markdown.render(_with_definitions(log, section)), base_url=base_url)
    return _LOOSE_TASK.sub(r"<p>\1", body)


def _heading(section: Section) -> str:
    heading = section.title
    date_html = f' <time datetime="{heading.date}">{heading.date}</time>' if heading.date else ""
    yanked_html = " <em>yanked</em>" if heading.yanked else ""
    return f"<h2>{escapeHtml(heading.label)}{date_html}{yanked_html}</h2>"


def _with_definitions(log: Changelog, section: Section) -> str:
    """Return a section's Markdown after the link definitions that it uses, so that no open fence hides them.

    The line feed at the end prevents an error in markdown-it-py for some comments in quotations.
    """
    body = body_markdown(section)
    return "\n".join(used_definitions(log, body)) + f"\n\n{body}\n"


class _Markdown(MarkdownIt):
    """A parser of GitHub-flavoured Markdown with an allow-list for links."""

    def __init__(self, base_url: str | None) -> None:
        options = {"maxNesting": MAX_NESTING, "linkify": False}  # markdown-it's needs a further library
        super().__init__("gfm-like2", options, renderer_cls=_Renderer)
        self.core.ruler.before("block", "definitions", lambda _: self._enter_phase(of_definitions=True))
        self.core.ruler.before("inline", "links", lambda _: self._enter_phase(of_definitions=False))
        self.core.ruler.push("autolink", _link_addresses)
        self._base_url = base_url
        self._reads_definitions = False

    def _enter_phase(self, *, of_definitions: bool) -> None:
        self._reads_definitions = of_definitions

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's name
        """Return the URL of a link, resolved and normalised."""
        return super().normalizeLink(absolute_url(url, self._base_url))

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        """Return whether a URL may be linked; a link with another URL is shown as written.

        A definition may have any, so that it is not text, together with those below it: the sanitizer drops the URL.
        """
        return self._reads_definitions or is_safe_url(url)


def _link_addresses(state: StateCore) -> None:
    """Make links of the web addresses in text."""
    for token in state.tokens:
        if token.type == "inline":
            token.children = list(_with_links(token.children or ()))


def _with_links(tokens: Sequence[Token]) -> Iterator[Token]:
    depth = 0  # of links; HTML may also open one
    for token in tokens:
        if token.type == "html_inline":
            depth += token.content.lower().startswith("<a ") - token.content.lower().startswith("</a")
        depth += token.nesting if token.tag == "a" else 0
        if token.type != "text" or depth > 0:
            yield token
        else:
            yield from _split_text(token.content)


def _split_text(text: str) -> Iterator[Token]:
    position = 0
    for match in _BARE_URL.finditer(text):
        address = _trim_address(match.group())
        url = address if "://" in address else f"http://{address}"
        if not is_safe_url(url):
            continue
        yield Token("text", "", 0, content=text[position : match.start()])
        yield Token("link_open", "a", 1, attrs={"href": url})
        yield Token("text", "", 0, content=address)
        yield Token("link_close", "a", -1)
        position = match.start() + len(address)
    yield Token("text", "", 0, content=text[position:])


def _trim_address(address: str) -> str:
    """Return a web address without the punctuation and the closing parentheses that belong to the sentence."""
    while True:
        trimmed = address.rstrip("?!.,:;*_~'\"")
        if trimmed.endswith(")") and trimmed.count(")") > trimmed.count("("):
            trimmed = trimmed[:-1]
        if trimmed == address:
            return address
        address = trimmed


class _Renderer(RendererHTML):
    """Renders comments as nothing, and HTML that is no harmless tag as text."""

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        html = _COMMENT.sub("", tokens[idx].content).strip()
        return _escape_other_tags(html) + "\n" if html else ""

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return _escape_other_tags(_COMMENT.sub("", tokens[idx].content))

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Render a heading inside an entry as `<h4>`, below the headings of the types."""
        if tokens[idx].level:
            tokens[idx].tag = "h4"
        return self.renderToken(tokens, idx, options, env)

    heading_close = heading_open


def _escape_other_tags(html: str) -> str:
    """Return HTML in which `<` begins nothing but harmless tags that end, so that none swallows what comes below it."""
    pieces, position = [], 0
    while (start := html.find("<", position)) >= 0:
        name = _TAG_NAME.match(html, start)
        tag = HTML_TAG_RE.match(html[start:]) if name and is_harmless_tag(name[1]) else None
        pieces += [html[position:start], tag.group() if tag else "&lt;"]
        position = start + (len(tag.group()) if tag else 1)
    return "".join([*pieces, html[position:]])
