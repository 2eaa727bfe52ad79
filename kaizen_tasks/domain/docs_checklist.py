"""The documentation checklist: a release that changes some files must change their documentation."""

from __future__ import annotations

import re
from collections.abc import Sequence


def undocumented_changes(
    source_patterns: Sequence[str], docs_patterns: Sequence[str], changed_files: Sequence[str]
) -> tuple[str, ...]:
    """Return the changed files that need documentation; empty when a file of the documentation was changed.

    Args:
        source_patterns: patterns of files that need documentation; `**` crosses folders, `*` does not.
        docs_patterns: patterns of the documentation files, of which one changed file is enough.
        changed_files: the files that the release changes.
    """
    source_files = tuple(path for path in changed_files if matches_any(path, source_patterns))
    return () if any(matches_any(path, docs_patterns) for path in changed_files) else source_files


def matches_any(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a path, relative to the app's folder, matches one of the patterns."""
    return any(re.fullmatch(_glob_to_regex(pattern), path, re.DOTALL) for pattern in patterns)


def _glob_to_regex(pattern: str) -> str:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    wildcards = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(wildcards.get(piece, re.escape(piece)) for piece in pieces)
