"""A cached view of the repository, which is valid until something changes: each part is read from git once."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from kaizen_tasks.adapters.git.command import FIRST_COMMIT_COMMAND, Git
from kaizen_tasks.adapters.git.objects import BuiltTree, build_tree
from kaizen_tasks.errors import Refused

BRANCH_PREFIX, TAG_PREFIX, PENDING_PREFIX = "refs/heads/", "refs/tags/", "refs/kaizen/release/"
SKIP_WORKTREE = "S"
"""In `git ls-files -v`: the sparse checkout leaves this file out."""
_TAG_REF = re.compile(r"refs/tags/[\w./+-]+")


class HeadRef(NamedTuple):
    """The commit and branch of HEAD.

    Attributes:
        commit: full hash of the commit.
        ref: full name of the branch, or `HEAD` when HEAD is detached.
    """

    commit: str
    ref: str

    @property
    def branch(self) -> str:
        """The branch's short name; empty when HEAD is detached."""
        return self.ref.removeprefix(BRANCH_PREFIX) if self.ref.startswith(BRANCH_PREFIX) else ""


class RepoSnapshot:
    """The state of a repository, each part of which is read when it is first used, and only then.

    Create a new snapshot to see later changes.

    Args:
        git: the repository.
        written: commits by the names under which `resolve_commit` looks for them, of objects that this process has
            written: objects never change.
    """

    def __init__(self, git: Git, written: Mapping[str, str]) -> None:
        self._git = git
        self._commits = dict(written)
        self._trees: dict[tuple[str, tuple[tuple[str, bytes | None], ...]], BuiltTree] = {}
        self._merged_tags: dict[str, tuple[str, ...]] = {}

    @cached_property
    def head(self) -> HeadRef:
        """The commit and branch of HEAD; raises Refused when there is no repository or no commit."""
        self._git.repo  # noqa: B018 - raises a better error for a folder outside a repository
        head, _ = self._head_and_refs
        if head is not None:
            return head
        result = self._git.run("rev-parse", "HEAD", "--symbolic-full-name", "HEAD")
        if not result.ok:
            raise Refused("the repository has no commit yet", hint=FIRST_COMMIT_COMMAND)
        return HeadRef(*result.text.split("\n"))

    @property
    def tags(self) -> tuple[str, ...]:
        """The names of all tags."""
        return tuple(ref.removeprefix(TAG_PREFIX) for ref in self._refs if ref.startswith(TAG_PREFIX))

    def merged_tags(self, commit: str) -> tuple[str, ...]:
        """Return the names of the tags of a commit and its ancestors."""
        if commit not in self._merged_tags:
            options = ("--format=%(refname:lstrip=2)", "--merged", commit)
            self._merged_tags[commit] = tuple(self._git.run_checked("for-each-ref", *options, TAG_PREFIX).text.split())
        return self._merged_tags[commit]

    @property
    def branches(self) -> tuple[str, ...]:
        """The short names of all branches of this clone."""
        return tuple(ref.removeprefix(BRANCH_PREFIX) for ref in self._refs if ref.startswith(BRANCH_PREFIX))

    @cached_property
    def pending(self) -> Mapping[str, str]:
        """The commits of unfinished releases, by tag."""
        targets = {ref: target for ref, target in self._refs.items() if ref.startswith(PENDING_PREFIX)}
        return {ref.removeprefix(PENDING_PREFIX): self.resolve_commit(target) for ref, target in targets.items()}

    @cached_property
    def modified_files(self) -> tuple[str, ...]:
        """The app's tracked files whose content differs from HEAD, staged or not, sorted."""
        return self.list_modified(".")

    def list_modified(self, folder: str) -> tuple[str, ...]:
        """Return the tracked files of a folder whose content differs from HEAD, relative to the app's folder."""
        result = self._git.run_checked(
            "--no-optional-locks", "status", "--porcelain", "-z", "--no-renames",
            "--untracked-files=no", "--ignore-submodules=dirty", "--", folder,
        )  # fmt: skip
        return tuple(sorted(posixpath.relpath(item[3:], self._git.repo.prefix or ".") for item in result.items))

    def resolve_commit(self, name: str) -> str:
        """Return the full hash of the commit that a ref, tag or hash names; an empty string when unknown."""
        if name not in self._commits:
            target = self._refs.get(name, "") if _TAG_REF.fullmatch(name) else name
            self._commits[name] = target and (self._commits.get(target) or self._git.resolve_commit(name))
        return self._commits[name]

    def tag_object(self, tag: str) -> str:
        """Return the hash of the tag object to which a private ref points, or an empty string."""
        target = self._refs.get(f"{PENDING_PREFIX}{tag}", "")
        return target if target != self.pending.get(tag, "") else ""

    def build_tree(self, commit: str, files: Mapping[str, bytes | None]) -> BuiltTree:
        """Return the tree of a commit with some files replaced; see `objects.build_tree`."""
        key = commit, tuple(files.items())
        if key not in self._trees:
            self._trees[key] = build_tree(self._git, commit, files)
        return self._trees[key]

    @property
    def _refs(self) -> Mapping[str, str]:
        """The hashes of the commits or tag objects of all branches, tags and private refs, by ref, sorted."""
        return self._head_and_refs[1]

    @cached_property
    def _head_and_refs(self) -> tuple[HeadRef | None, Mapping[str, str]]:
        """HEAD, or None when HEAD is detached or has no commit, and the hashes of all refs."""
        prefixes = (BRANCH_PREFIX, TAG_PREFIX, PENDING_PREFIX)
        result = self._git.run_checked("for-each-ref", "--format=%(HEAD)%(objectname) %(refname)", *prefixes)
        head, targets = None, {}
        for line in filter(None, result.text.split("\n")):
            target, _, ref = line[1:].partition(" ")
            targets[ref] = target
            if line[0] == "*":
                head = HeadRef(target, ref)
        return head, targets
