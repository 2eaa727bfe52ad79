"""Merges two commits without touching index and working tree."""

from __future__ import annotations

from collections.abc import Mapping

from kaizen_tasks.adapters.git.command import Git
from kaizen_tasks.adapters.git.objects import build_tree, write_merge_commit
from kaizen_tasks.errors import Refused

MERGE_TREE_VERSION = (2, 38)  # the first version with `git merge-tree --write-tree`

_WITHOUT_RENAMES = ("-c", "merge.renames=false")
"""A release renames nothing, but deletes fragments, which must not conflict with a branch that renames them."""


def write_merge(git: Git, *, onto: str, commit: str, files: Mapping[str, bytes | None], message: str) -> str:
    """Write the merge of a commit into another, with some files as given, and return its hash; no ref is changed.

    Raises:
        Refused: files conflict that are not given, or git is too old.
    """
    if git.version < MERGE_TREE_VERSION:
        wanted = ".".join(map(str, MERGE_TREE_VERSION))
        raise Refused(f"git is older than {wanted}, so that it cannot merge without the working tree")
    result = git.run(
        *_WITHOUT_RENAMES, "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", onto, commit
    )
    if result.status not in {0, 1}:
        raise Refused(f"git cannot merge {commit[:10]} into {onto[:10]}: {result.reason}")
    tree, *paths = result.items
    conflicts = sorted({path for path in paths if path} - {git.repo.prefix + name for name in files})
    if conflicts:
        raise Refused(f"{commit[:10]} and {onto[:10]} have conflicting changes of {', '.join(conflicts)}")
    tree = build_tree(git, tree, files).tree
    return write_merge_commit(git, parents=(onto, commit), tree=tree, message=message)
