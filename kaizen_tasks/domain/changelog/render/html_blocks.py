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
class HtmlBlockEnd:
    """How an HTML block ends, and whether it can begin in the middle of a paragraph."""

    pattern: re.Pattern[str] | None
    can_interrupt_paragraph: bool = True

    @property
    def ends_at_blank_line(self) -> bool:
        """Tell whether a blank line ends the block."""
        return self.pattern is None

    def matches_line(self, text: str) -> bool:
        """Tell whether a line, without its indent, ends the block."""
        return not text if self.pattern is None else bool(self.pattern.search(text))


@functools.cache
def _block_patterns() -> tuple[tuple[re.Pattern[str], HtmlBlockEnd], ...]:
    names = "|".join(_BLOCK_NAMES.split())
    verbatim_tags = r"(?a:script|pre|style|textarea)"
    ignore_case = re.IGNORECASE
    return (
        (
            re.compile(rf"<{verbatim_tags}(?=\s|>|$)", ignore_case),
            HtmlBlockEnd(pattern=re.compile(rf"</{verbatim_tags}>", ignore_case)),
        ),
        (re.compile("<!--"), HtmlBlockEnd(pattern=re.compile("-->"))),
        (re.compile(r"<\?"), HtmlBlockEnd(pattern=re.compile(r"\?>"))),
        (re.compile("<![A-Za-z]"), HtmlBlockEnd(pattern=re.compile(">"))),
        (re.compile(r"<!\[CDATA\["), HtmlBlockEnd(pattern=re.compile(r"\]\]>"))),
        (re.compile(rf"</?(?a:{names})(?=\s|/?>|$)", ignore_case), HtmlBlockEnd(pattern=None)),
        (
            re.compile(rf"(?:{_OPEN_TAG}|{_CLOSE_TAG})\s*$"),
            HtmlBlockEnd(pattern=None, can_interrupt_paragraph=False),
        ),
    )


def find_html_block_end(text: str) -> HtmlBlockEnd | None:
    """Tell how the HTML block ends that begins with this line, if one does.

    Args:
        text: a line without its indent.
    """
    return next((end for start, end in _block_patterns() if start.match(text)), None)
