"""Releases as an HTML fragment for a "What's new" page, rendered by markdown-it.

The fragment runs and loads nothing: HTML is shown as text, images as links. Links are http, https, mailto or relative.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML

from kaizen_tasks.domain.changelog.links.relative import absolute_url
from kaizen_tasks.domain.changelog.markdown.blocks import MAX_NESTING
from kaizen_tasks.domain.changelog.render.sections import body_markdown, used_definitions

if TYPE_CHECKING:
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

    from kaizen_tasks.domain.changelog.model import Changelog, Section

_SAFE_URL = re.compile(
    r"(?:https?://|mailto:)[^\x00-\x20\x7f\\]+|(?!//)[^\x00-\x20\x7f:\\/?#]*(?:[/?#][^\x00-\x20\x7f\\]*)?",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def to_html(log: Changelog, sections: Sequence[Section], *, base_url: str | None = None) -> str:
    """Return releases as HTML, each as a `<section>`.

    Args:
        log: the changelog, in which link labels are looked up.
        sections: the releases to render.
        base_url: base of relative links, which are made absolute; None leaves them relative.
    """
    markdown = _Markdown(base_url)
    fragments = ((_heading(section), markdown.render(_with_definitions(log, section))) for section in sections)
    return "".join(f"<section>\n{heading}\n{body}</section>\n" for heading, body in fragments)


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
    """A parser of CommonMark with an allow-list for links."""

    def __init__(self, base_url: str | None) -> None:
        super().__init__("commonmark", {"maxNesting": MAX_NESTING}, renderer_cls=_SafeRenderer)
        self._base_url = base_url

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's name
        """Return the URL of a link, resolved and normalised."""
        return super().normalizeLink(absolute_url(url, self._base_url))

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        """Return whether a URL may be linked; a link with another URL is shown as written."""
        return _SAFE_URL.fullmatch(url) is not None


class _SafeRenderer(RendererHTML):
    """Renders HTML as text, without comments, and images as links."""

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        text = _COMMENT.sub("", tokens[idx].content).strip()
        return f"<p>{escapeHtml(text)}</p>\n" if text else ""

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return escapeHtml(_COMMENT.sub("", tokens[idx].content))

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        text = self.renderInlineAsText(token.children, options, env)
        return f'<a href="{escapeHtml(str(token.attrs["src"]))}">{escapeHtml(text)}</a>'

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Render a heading inside an entry as `<h4>`, below the headings of the types."""
        if tokens[idx].level:
            tokens[idx].tag = "h4"
        return self.renderToken(tokens, idx, options, env)

    heading_close = heading_open
