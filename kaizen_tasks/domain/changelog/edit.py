"""Edits of spans of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable


@attrs.frozen(kw_only=True)
class TextEdit:
    """The replacement of a span of bytes; an empty span is an insertion."""

    start: int
    end: int
    replacement: bytes


def apply_edits(content: bytes, edits: Iterable[TextEdit]) -> bytes:
    """Apply edits that do not overlap; several at one offset keep their order."""
    pieces, position = [], 0
    for edit in sorted(edits, key=lambda item: item.start):
        pieces += [content[position : edit.start], edit.replacement]
        position = edit.end
    return b"".join([*pieces, content[position:]])
