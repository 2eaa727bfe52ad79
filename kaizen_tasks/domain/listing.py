"""Lists names in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

MAX_NAMES = 3


def list_names(names: Sequence[str]) -> str:
    """Return the first names and the number of the others: `a, b, c and 2 more`."""
    others = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {others} more" if others > 0 else "")
