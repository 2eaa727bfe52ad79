"""Where CommonMark's seven kinds of HTML blocks begin and end.

Specification: https://spec.commonmark.org/0.31.2/#html-blocks
"""

from __future__ import annotations

import functools
import re

import attrs

_BLOCK_NAMES = """
address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl
dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend
li link main menu menuitem nav noframes ol optgroup option p param search section summary table tbody td
tfoot th thead title tr track ul
"""
_ATTRIBUTE = r"""(?:\s+[a-zA-Z_:][a-zA-Z0-9:._-]*(?:\s*=\s*(?:[^"'=<>`\x00-\x20]+|'[^']*'|"[^"]*"))?)"""
_OPEN_TAG = rf"<[A-Za-z][A-Za-z0-9\-]*{_ATTRIBUTE}*\s*/?>"
_CLOSE_TAG = r"</[A-Za-z][A-Za-z0-9\-]*\s*>"


@attrs.frozen(kw_only=True)
class HtmlEnd:
    """How an HTML block ends, and whether it can begin in the middle of a paragraph."""

    pattern: re.Pattern[str] | None
    interrupts: bool = True

    @property
    def at_blank(self) -> bool:
        """Tell whether a blank line ends the block."""
        return self.pattern is None

    def found(self, text: str) -> bool:
        """Tell whether a line, without its indent, ends the block."""
        return not text if self.pattern is None else bool(self.pattern.search(text))


@functools.cache
def _kinds() -> tuple[tuple[re.Pattern[str], HtmlEnd], ...]:
    names = "|".join(_BLOCK_NAMES.split())
    verbatim = r"(?a:script|pre|style|textarea)"
    ignore = re.IGNORECASE
    return (
        (
            re.compile(rf"<{verbatim}(?=\s|>|$)", ignore),
            HtmlEnd(pattern=re.compile(rf"</{verbatim}>", ignore)),
        ),
        (re.compile("<!--"), HtmlEnd(pattern=re.compile("-->"))),
        (re.compile(r"<\?"), HtmlEnd(pattern=re.compile(r"\?>"))),
        (re.compile("<![A-Za-z]"), HtmlEnd(pattern=re.compile(">"))),
        (re.compile(r"<!\[CDATA\["), HtmlEnd(pattern=re.compile(r"\]\]>"))),
        (re.compile(rf"</?(?a:{names})(?=\s|/?>|$)", ignore), HtmlEnd(pattern=None)),
        (
            re.compile(rf"(?:{_OPEN_TAG}|{_CLOSE_TAG})\s*$"),
            HtmlEnd(pattern=None, interrupts=False),
        ),
    )


def html_end(text: str) -> HtmlEnd | None:
    """Tell how the HTML block ends that begins with this line, if one does.

    Args:
        text: a line without its indent.
    """
    return next((end for start, end in _kinds() if start.match(text)), None)
