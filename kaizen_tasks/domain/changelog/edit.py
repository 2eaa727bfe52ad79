"""Changing bytes in a few places and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable


@attrs.frozen(kw_only=True)
class Splice:
    """Bytes that take the place of a span; an empty span is an insertion."""

    start: int
    end: int
    new: bytes


def spliced(content: bytes, splices: Iterable[Splice]) -> bytes:
    """Make changes that do not overlap; several at one place stay in the given order."""
    pieces, at = [], 0
    for splice in sorted(splices, key=lambda one: one.start):
        pieces += [content[at : splice.start], splice.new]
        at = splice.end
    return b"".join([*pieces, content[at:]])
