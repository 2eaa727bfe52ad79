"""The inline Markdown of entries as safe HTML: code, bold, emphasis, links. All else is text."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from urllib.parse import urljoin

import attrs

from kaizen_tasks.domain.changelog.links.reference_definitions import normalize_label

_SAFE_URL = re.compile(
    r"(?:https?://|mailto:)[^\x00-\x20\x7f\\]+|(?!//)[^\x00-\x20\x7f:\\/?#]*(?:[/?#][^\x00-\x20\x7f\\]*)?",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"(?!//|#)[^:/?#]*(?:[/?#].*)?", re.DOTALL)
_INLINE = re.compile(
    r"""
      (?P<ticks>(?<!`)`+(?!`)) (?P<code>.+?) (?<!`)(?P=ticks)(?!`)
    | \\(?P<escaped>[!-/:-@\[-`{-~])
    | !?\[(?P<text>(?:[^\[\]\\]|\\.)*)\]
      (?: \([ ]*<?(?P<url>[^()\s<>]*(?:\([^()\s<>]*\)[^()\s<>]*)?)>?(?:\s+(?:"[^"]*"|'[^']*'))?[ ]*\)
        | \[(?P<label>[^\[\]]*)\] )?
    | <(?P<auto>(?:https?://|mailto:)[^\s<>]+)>
    | (?P<bold>\*\*|__)(?=\S)(?P<strong>(?:(?!(?P=bold)).)+)(?P=bold)
    | (?P<mark>(?<![*\w])\*|(?<![_\w])_)(?=\S)(?P<emphasis>[^*_]+)(?P=mark)(?!\w)
    """,
    re.VERBOSE | re.DOTALL,
)
_MARKDOWN_LINK = re.compile(
    r"(?P<kept>(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)|^[ ]{0,3}~~~.*?^[ ]{0,3}~~~)"
    r"|(?P<head>\]\(<?)(?P<url>[^()\s<>]+)",
    re.DOTALL | re.MULTILINE,
)


def absolute_url(url: str, base_url: str | None) -> str:
    """Resolve a relative address against a base; addresses within the page stay as they are."""
    if not base_url or not url or not _RELATIVE.fullmatch(url):
        return url
    return urljoin(base_url.rstrip("/") + "/", url)


def absolutize_links(markdown: str, base_url: str | None) -> str:
    """Resolve the relative links of Markdown, but for what is code."""
    if not base_url:
        return markdown
    return _MARKDOWN_LINK.sub(
        lambda match: match["kept"] or match["head"] + absolute_url(match["url"], base_url), markdown
    )


@attrs.frozen(kw_only=True)
class InlineRenderer:
    """How inline Markdown becomes HTML.

    `urls` are the destinations of link labels, by normalised label; `base_url` makes relative links absolute.
    """

    urls: Mapping[str, str]
    base_url: str | None = None

    def render(self, text: str) -> str:
        """Render Markdown without block structure; what could run or mislead becomes text."""
        pieces, position = [], 0
        for match in _INLINE.finditer(text):
            pieces += [html.escape(text[position : match.start()]), self._span(match)]
            position = match.end()
        return "".join([*pieces, html.escape(text[position:])])

    def _span(self, match: re.Match[str]) -> str:
        if match["code"] is not None:
            return f"<code>{html.escape(match['code'].strip() or match['code'])}</code>"
        if match["escaped"]:
            return html.escape(match["escaped"])
        if match["auto"]:
            return self._anchor(match["auto"], html.escape(match["auto"]))
        if match["strong"]:
            return f"<strong>{self.render(match['strong'])}</strong>"
        if match["emphasis"]:
            return f"<em>{self.render(match['emphasis'])}</em>"
        return self._link(match)

    def _link(self, match: re.Match[str]) -> str:
        label, url = match["label"] or match["text"], match["url"]
        destination = self.urls.get(normalize_label(label)) if url is None else url
        if destination is None:
            return html.escape(match.group())
        return self._anchor(destination, self.render(match["text"]))

    def _anchor(self, url: str, text: str) -> str:
        """Link to an http, https, mailto or relative address only."""
        if not _SAFE_URL.fullmatch(url):
            return text
        return f'<a href="{html.escape(absolute_url(url, self.base_url))}">{text}</a>'
