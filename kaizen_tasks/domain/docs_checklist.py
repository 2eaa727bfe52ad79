"""The documentation checklist: who touches the first must touch the second."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def missing(when: Sequence[str], update: Sequence[str], touched: Sequence[str]) -> tuple[str, ...]:
    """Return the files that ask for a documentation change which is not there; empty when all is well.

    Args:
        when: patterns of files that ask for it; `**` crosses folders, `*` does not.
        update: patterns of files of which at least one must be touched.
        touched: the files that the release touches.
    """
    asking = tuple(path for path in touched if matches(path, when))
    return () if any(matches(path, update) for path in touched) else asking


def matches(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a path from the app's folder fits one of the patterns."""
    return any(re.fullmatch(_expression(pattern), path, re.DOTALL) for pattern in patterns)


def _expression(pattern: str) -> str:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(piece, re.escape(piece)) for piece in pieces)
