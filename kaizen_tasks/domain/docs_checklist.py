"""The documentation checklist: who touches the first must touch the second."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def undocumented_changes(
    source_patterns: Sequence[str], docs_patterns: Sequence[str], changed_files: Sequence[str]
) -> tuple[str, ...]:
    """Return the files that ask for a documentation change which is not there; empty when all is well.

    Args:
        source_patterns: patterns of files that ask for it; `**` crosses folders, `*` does not.
        docs_patterns: patterns of files of which at least one must be touched.
        changed_files: the files that the release touches.
    """
    source_files = tuple(path for path in changed_files if matches_any(path, source_patterns))
    return () if any(matches_any(path, docs_patterns) for path in changed_files) else source_files


def matches_any(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a path from the app's folder fits one of the patterns."""
    return any(re.fullmatch(_glob_to_regex(pattern), path, re.DOTALL) for pattern in patterns)


def _glob_to_regex(pattern: str) -> str:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    wildcards = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(wildcards.get(piece, re.escape(piece)) for piece in pieces)
