"""Fits the HTML of release notes into the page: below its headings, without styles of their own, with text in links."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser
from typing import Final

_ALIGNMENTS: Final = {f"text-align:{side}": side for side in ("left", "center", "right")}
_NEEDS_TEXT: Final = frozenset({"a", "h4", "h5", "h6", "th", "summary"})
"""Elements that say nothing to a screen reader when they are empty."""


def fit_notes(html: str) -> str:
    """Return sanitised HTML for the page, which allows no style attributes, and has no place for relative links.

    Args:
        html: what `domain.changelog.render.html` returns.
    """
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return "".join(writer.pieces)


class _Writer(HTMLParser):
    """Writes what it parses; sanitised HTML closes its elements in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._open: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write a tag as the page has it, or nothing in its place."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "input":
            self.pieces.append("☑ " if "checked" in attributes else "☐ ")
            return
        written, text = _fit(tag, attributes)
        if tag not in {"br", "hr", "wbr"}:
            self._open.append((written, len(self.pieces)))
        self.pieces.append(text)

    def handle_endtag(self, tag: str) -> None:
        """Close an element; one that needs a text and has none is left out."""
        if not self._open:
            return
        written, position = self._open.pop()
        if written in _NEEDS_TEXT and not "".join(self.pieces[position + 1 :]).strip():
            self.pieces[position:] = ["<td></td>"] if written == "th" else []
        elif written:
            self.pieces.append(f"</{written}>")

    def handle_data(self, data: str) -> None:
        """Write text."""
        self.pieces.append(escape(data, quote=False))


def _fit(tag: str, attributes: dict[str, str]) -> tuple[str, str]:
    """Return the tag that stands for another one on the page, and its text; both empty if there is none."""
    if tag == "a":
        url = attributes.get("href", "")
        is_absolute = url.lower().startswith(("http://", "https://", "mailto:"))
        return ("a", f'<a href="{escape(url)}" rel="noreferrer">') if is_absolute else ("", "")
    if tag in {"dl", "dt", "dd"}:
        return "div", "<div>"
    if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
        tag = f"h{min(max(int(tag[1]) + 1, 4), 6)}"
    side = _ALIGNMENTS.get(attributes.get("style", "")) or attributes.get("align", "")
    kept = {"class": side} if side in _ALIGNMENTS.values() else {}
    kept |= {name: attributes[name] for name in ("start", "colspan", "rowspan", "open") if name in attributes}
    attribute_text = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
    return tag, f"<{tag}{attribute_text}>"
