"""Writes the commit of a release, after its hooks have run."""

from __future__ import annotations

from kaizen_tasks.adapters.git.command import Git
from kaizen_tasks.adapters.git.objects import COMMIT_HOOKS, Check, commit_tree, encode_message, has_hooks


def write_commit(
    git: Git, *, parent: str, tree: str, paths: tuple[str, ...], message: str, check: Check | None = None
) -> str:
    """Run the commit hooks, write a commit object, and return its hash.

    Args:
        git: the repository.
        parent: full hash of the parent.
        tree: hash of the tree.
        paths: the files of the tree that differ from the parent, which hooks may change.
        message: the commit's message, which hooks may edit.
        check: called with the contents of the files that hooks have changed.

    Raises:
        Refused: a hook rejected the commit or changed other files, or git has no author or committer.
    """
    final_message = encode_message(message)
    if has_hooks(git, COMMIT_HOOKS):
        from kaizen_tasks.adapters.git.hooks import run_commit_hooks

        tree, final_message = run_commit_hooks(git, tree=tree, paths=paths, message=message, check=check)
    return commit_tree(git, (parent,), tree, final_message)
