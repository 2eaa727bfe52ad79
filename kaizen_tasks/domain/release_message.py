"""Messages of release commits and tags, made from a template."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

MAX_LINE_LENGTH = 100
"""Characters of a line of notes, as commitlint's conventional configuration allows them."""

_TRAILER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*: \S.*")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_BULLET = re.compile(r"\s*(?:[-*+]|\d+[.)])?\s*")


def render_message(template: str, values: Mapping[str, str], *, trailers: tuple[str, ...] = ()) -> str:
    """Return a message: the template filled in, and trailers in its last paragraph.

    Args:
        template: with placeholders in braces; a blank line follows its subject, if it has none.
        values: by placeholder.
        trailers: such as `Signed-off-by: Sam <sam@example.com>`; one that the message has already is not repeated.
    """
    subject, _, body = template.format(**values).strip().partition("\n")
    paragraphs = [subject.strip(), *filter(None, [body.strip()])]
    missing_trailers = [trailer for trailer in trailers if trailer not in body.splitlines()]
    if missing_trailers:
        last_paragraph = body.strip().rpartition("\n\n")[2]
        has_trailers = bool(last_paragraph) and all(map(_TRAILER.fullmatch, last_paragraph.splitlines()))
        text = "\n".join(missing_trailers)
        paragraphs = [*paragraphs[:-1], f"{paragraphs[-1]}\n{text}"] if has_trailers else [*paragraphs, text]
    return "\n\n".join(paragraphs) + "\n"


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
