"""Names and numbers in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

MAX_NAMES = 3
MAX_ENVIRONMENTS = 8
"""How many environments are named where each of them matters, such as in a heading."""


def list_names(names: Sequence[str], *, limit: int = MAX_NAMES) -> str:
    """Return the first names and the number of the others: `a, b, c and 2 more`."""
    others = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {others} more" if others > 0 else "")


def counted(number: int, noun: str) -> str:
    """Return a number of things in words: `1 environment`, `2 environments`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
