"""Makes HTML harmless: it is parsed and written anew, with the tags and attributes of two lists and nothing else.

Whatever a browser would make of the original, it gets this: text is escaped, elements are closed, images are links.
"""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import Final

from kaizen_tasks.domain.changelog.links.relative import absolute_url

_SAFE_URL = re.compile(
    r"(?:https?://|mailto:)[^\x00-\x20\x7f\\]+|(?!//)[^\x00-\x20\x7f:\\/?#]*(?:[/?#][^\x00-\x20\x7f\\]*)?",
    re.IGNORECASE,
)
_VOID_TAGS: Final = frozenset({"br", "hr", "input", "wbr"})
_TAGS: Final = _VOID_TAGS | frozenset(
    {
        *("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "blockquote", "pre", "details", "summary"),
        *("ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption"),
        *("a", "abbr", "b", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s", "samp", "small"),
        *("span", "strike", "strong", "sub", "sup", "tt", "u", "var"),
    }
)
_ATTRIBUTES: Final = {
    "href": _SAFE_URL,
    "title": re.compile(r".+", re.DOTALL),
    "class": re.compile(r"language-\S+|task-list-item(-checkbox)?|contains-task-list|markdown-alert[a-z -]*"),
    "style": re.compile(r"text-align:(left|right|center)"),
    "align": re.compile(r"left|right|center"),
    "start": re.compile(r"\d+"),
    "colspan": re.compile(r"\d{1,3}"),
    "rowspan": re.compile(r"\d{1,3}"),
    **dict.fromkeys(("checked", "disabled", "open"), re.compile(r".*", re.DOTALL)),
    "type": re.compile("checkbox"),
}
"""The values that each attribute may have."""


def is_safe_url(url: str) -> bool:
    """Return whether a URL may be linked: http, https, mailto, or relative."""
    return _SAFE_URL.fullmatch(url) is not None


def is_harmless_tag(name: str) -> bool:
    """Return whether tags of a name may stay where a changelog has them; images become links."""
    return name.lower() in _TAGS - {"input"} or name.lower() == "img"


def sanitize(html: str, *, base_url: str | None = None) -> str:
    """Return HTML with harmless tags and attributes, without any others.

    Args:
        html: the HTML.
        base_url: base of relative links.
    """
    writer = _Writer(base_url)
    writer.feed(html)
    writer.close()
    return writer.html()


class _Writer(HTMLParser):
    """Writes what it parses."""

    def __init__(self, base_url: str | None) -> None:
        super().__init__(convert_charrefs=True)
        self._base_url = base_url
        self._pieces: list[str] = []
        self._open_tags: list[str] = []

    def html(self) -> str:
        """Return what was written, with all elements closed."""
        return "".join([*self._pieces, *(f"</{tag}>" for tag in reversed(self._open_tags))])

    def set_cdata_mode(self, elem: str, **_: bool) -> None:
        """Parse what follows `<script>` and its like as any other text."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write a tag of the list; there is no link in a link, and no input but a checkbox."""
        attributes = {name: value or "" for name, value in attrs}
        is_known = tag in _TAGS and (tag != "input" or attributes.get("type") == "checkbox")
        if tag == "img":
            self._write_image(attributes)
        elif is_known and (tag != "a" or "a" not in self._open_tags):
            self._open(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        """Close an element, with those that are open in it."""
        if tag in self._open_tags:
            closed_tag = ""
            while closed_tag != tag:
                closed_tag = self._open_tags.pop()
                self._pieces.append(f"</{closed_tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write a tag that ends with `/>`, of which an element that is not void is empty."""
        self.handle_starttag(tag, attrs)
        if tag in _TAGS - _VOID_TAGS:
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        """Write text."""
        self._pieces.append(_escape_text(data))

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        if "href" in attributes:
            attributes["href"] = absolute_url(attributes["href"], self._base_url)
        attribute_text = "".join(
            f' {name}="{escape(value)}"'
            for name, value in attributes.items()
            if name in _ATTRIBUTES and _ATTRIBUTES[name].fullmatch(value)
        )
        self._pieces.append(f"<{tag}{attribute_text}>")
        if tag not in _VOID_TAGS:
            self._open_tags.append(tag)

    def _write_image(self, attributes: dict[str, str]) -> None:
        """Write an image as a link, so that a page loads nothing; inside a link, as its text."""
        text = attributes.get("alt") or attributes.get("src", "")
        if "a" in self._open_tags:
            self.handle_data(text)
            return
        self._open("a", {"href": attributes.get("src", ""), "title": attributes.get("title", "")})
        self.handle_data(text)
        self.handle_endtag("a")


def _escape_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
