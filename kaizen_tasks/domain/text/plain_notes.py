"""Notes of a release as text for the messages of its commit and tag."""

from __future__ import annotations

import re
import textwrap

MAX_LINE_LENGTH = 100
"""Characters of a line of notes, as commitlint's conventional configuration allows them."""

_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_BULLET = re.compile(r"\s*(?:[-*+]|\d+[.)])?\s*")


def plain_notes(markdown: str) -> str:
    """Return notes as text for a message: headings without number signs, which editors of git remove."""
    lines: list[str] = []
    is_code = False
    for line in markdown.strip().splitlines():
        is_code ^= bool(_FENCE.match(line))
        lines += [line] if is_code else _short_lines(line)
    return "\n".join(lines)


def _short_lines(line: str) -> list[str]:
    heading = _HEADING.fullmatch(line)
    text = heading[1] if heading else line
    bullet = _BULLET.match(text)
    indent = " " * len(bullet[0]) if bullet else ""
    return textwrap.wrap(
        text,
        MAX_LINE_LENGTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    ) or [""]
