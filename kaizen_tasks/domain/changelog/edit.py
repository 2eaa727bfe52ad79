"""Edits that replace spans of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kaizen_tasks.domain.changelog.markdown.lines import is_after_blank_line, is_line_start, newline_before


class TextEdit(NamedTuple):
    """The replacement of a span of bytes; an empty span is an insertion."""

    start: int
    end: int
    replacement: bytes


def apply_edits(content: bytes, edits: Iterable[TextEdit]) -> bytes:
    """Return the content with edits applied, which must not overlap; edits at the same offset keep their order."""
    pieces, position = [], 0
    for edit in sorted(edits, key=lambda item: item.start):
        pieces += [content[position : edit.start], edit.replacement]
        position = edit.end
    return b"".join([*pieces, content[position:]])


def insert_lines(content: bytes, offset: int, lines: Sequence[str], *, blank_before: bool = False) -> TextEdit:
    """Return the edit that inserts lines at the start of a line, or at the end of a file that lacks a line ending."""
    newline = newline_before(content, offset)
    text = newline.join(line.encode() for line in lines)
    prefix = newline if blank_before and not is_after_blank_line(content, offset) else b""
    if is_line_start(content, offset):
        return TextEdit(start=offset, end=offset, replacement=prefix + text + newline)
    return TextEdit(start=offset, end=offset, replacement=newline + prefix + text)
