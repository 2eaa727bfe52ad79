"""The branch that proposes the next release, and the text of its pull request."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from kaizen_tasks.domain.tag_pattern import TagPattern

TRAILER = "Kaizen-Proposal"
"""Ends the message of a commit that these tasks have proposed, with a digest of its release files."""

BRANCH = "release/next"
BEGIN = "<!-- kaizen: the lines up to the next comment are replaced; what is above or below them stays -->"
END = "<!-- kaizen: end -->"
_GENERATED = re.compile(r"<!-- kaizen: the lines.*?<!-- kaizen: end -->", re.DOTALL)


def proposal_branch(branch: str, *, main_branch: str, tag: str) -> str:
    """Return the name of the branch that proposes the next release of another one.

    Args:
        branch: the branch that is released from.
        main_branch: the first of the branches that releases are made from; others have proposals of their own.
        tag: the template of tags; an app that shares its repository has one of its own.
    """
    others = [TagPattern(template=tag).component, "" if branch == main_branch else branch]
    return "-".join((BRANCH, *(re.sub(r"[^A-Za-z0-9.]+", "-", other) for other in others if other)))


def digest(contents: Mapping[str, bytes | None]) -> str:
    """Return a digest of the contents of files, by name; None is for a file that is deleted."""
    hashed = hashlib.sha256()
    for name, content in sorted(contents.items()):
        hashed.update(f"{name}\0{'' if content is None else len(content)}\0".encode() + (content or b""))
    return hashed.hexdigest()[:16]


def render_body(existing: str, *, notes: str, instruction: str) -> str:
    """Return the description of a pull request: with the notes in place of older ones, and all else as it is.

    Args:
        existing: the description so far.
        notes: the section of the changelog.
        instruction: what merging does.
    """
    generated = f"{BEGIN}\n{notes.strip()}\n\n---\n{instruction}\n{END}"
    text = existing.replace("\r\n", "\n")
    if _GENERATED.search(text):
        return _GENERATED.sub(lambda _: generated, text, count=1)
    return f"{text.rstrip()}\n\n{generated}\n".lstrip()
