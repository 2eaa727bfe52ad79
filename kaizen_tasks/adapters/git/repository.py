"""What a clone has: its commits, files and configuration, and the commits that are written into it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.git.command import MIN_GIT_VERSION, Git, GitResult
from kaizen_tasks.adapters.git.commit import write_commit
from kaizen_tasks.adapters.git.identity import IDENTITY_HINT, committer_of, has_identity, name_and_address
from kaizen_tasks.adapters.git.objects import Check
from kaizen_tasks.adapters.git.snapshot import RepoSnapshot
from kaizen_tasks.adapters.host.atomic_write import WorkingTree
from kaizen_tasks.domain.git.head import HeadState
from kaizen_tasks.domain.git.push_target import PushTarget, choose_branch, choose_remote
from kaizen_tasks.errors import NOTHING_CHANGED, NotFound, Refused

if TYPE_CHECKING:
    from kaizen_tasks.adapters.git.tracked_files import TrackedFiles
    from kaizen_tasks.domain.git.commit import Commit

_OPERATIONS_IN_PROGRESS = {
    "MERGE_HEAD": "a merge is under way: finish it, or: git merge --abort",
    "rebase-merge": "a rebase is under way: finish it, or: git rebase --abort",
    "rebase-apply": "a rebase is under way: finish it, or: git rebase --abort",
    "CHERRY_PICK_HEAD": "a cherry-pick is under way: finish it, or: git cherry-pick --abort",
    "REVERT_HEAD": "a revert is under way: finish it, or: git revert --abort",
}


class GitRepository:
    """The repository around the app's folder, in which nothing but new objects is written.

    Args:
        root: the app's folder: the repository's own, or one inside it.
        remote: name of the remote to which releases are pushed; empty to find it in git's configuration.
    """

    def __init__(self, root: Path, *, remote: str = "") -> None:
        self._git = Git(root)
        self._written: dict[str, str] = {}
        self._snapshot = RepoSnapshot(self._git, self._written)
        self._configured_remote = remote
        self._trailers: dict[tuple[str, str], str] = {}

    def head(self) -> HeadState:
        """Return the checked-out commit and branch; a CI service may check out a branch by its commit only."""
        head = self._snapshot.head
        return HeadState(commit=head.commit, branch=head.branch or self._ci_branch(head.commit))

    def _ci_branch(self, commit: str) -> str:
        """Return the branch that a CI service has checked out as a detached HEAD, or an empty string."""
        from kaizen_tasks.adapters.host.ci_run import find_checkout

        branch, tip = find_checkout(os.environ)
        return branch if tip and self._git.is_ancestor(tip, commit) else ""

    def push_target(self) -> PushTarget:
        """Return the remote and the branch to which releases of this branch are pushed."""
        branch, config = self.head().branch, self._git.config
        values = config.last_values
        remote = choose_remote(config.remotes, configured=self._configured_remote, branch=branch, values=values)
        target = choose_branch(remote, branch=branch, local_branches=self._snapshot.branches, values=values)
        return PushTarget(remote=remote, branch=target)

    def resolve(self, name: str) -> str:
        """Return the full hash of the commit that a ref, tag or hash names; an empty string when unknown."""
        return self._snapshot.resolve_commit(name) if name else ""

    def read_at(self, commit: str, path: str) -> bytes | None:
        """Return a file's content in a commit, or None when the commit lacks the file."""
        short_path = posixpath.normpath(path)
        if not short_path.startswith("../"):
            return self._git.objects.read(f"{commit}:./{short_path}", "blob")  # from the app's folder, as git knows it
        path_in_repo = self.path_in_repository(path)
        return None if path_in_repo.startswith("../") else self._git.objects.read(f"{commit}:{path_in_repo}", "blob")

    def modified_files(self, folder: str = ".") -> tuple[str, ...]:
        """Return the tracked files of a folder whose content differs from HEAD, staged or not, sorted."""
        self._git.require_in_repository(folder)
        return self._snapshot.modified_files if folder == "." else self._snapshot.list_modified(folder)

    def tracked_files(self, folder: str) -> Mapping[str, bool]:
        """Return the files of a folder in the index by path, and of each whether it is checked out."""
        return self._tracked_files.of(folder)

    @cached_property
    def _tracked_files(self) -> TrackedFiles:
        from kaizen_tasks.adapters.git.tracked_files import TrackedFiles

        return TrackedFiles(self._git)

    def find_lines(self, pattern: str) -> tuple[str, ...]:
        """Return the paths of the app's files in HEAD with a line that matches, binary files left out."""
        options = ("--files-with-matches", "-z", "-I", "--extended-regexp", "-e", pattern)
        result = self._git.run("grep", *options, "HEAD", "--", ".")
        return tuple(item.removeprefix("HEAD:") for item in result.items)

    def ignored_files(self, folder: str) -> tuple[str, ...]:
        """Return the files of a folder that git ignores and does not track."""
        options = ("--others", "--ignored", "--exclude-standard", "-z")
        return tuple(self._git.run_checked("--literal-pathspecs", "ls-files", *options, "--", folder).items)

    def blockers(self) -> tuple[str, ...]:
        """Return descriptions of what prevents a commit, each with a fix."""
        repo = self._git.repo
        blockers = [text for name, text in _OPERATIONS_IN_PROGRESS.items() if (repo.git_dir / name).exists()]
        if repo.index_file.with_name("index.lock").exists():
            blockers.append(f"another git process is running: wait for it; if there is none: rm {repo.index_file}.lock")
        if repo.is_shallow:
            blockers.append("this is a shallow clone: git fetch --unshallow")
        if not self._git.is_supported:
            blockers.append(f"git is older than {'.'.join(map(str, MIN_GIT_VERSION))}: install a newer one")
        if not all(has_identity(self._git, role) for role in ("AUTHOR", "COMMITTER")):
            blockers.append(f"git has no author or committer: {IDENTITY_HINT}")
        return tuple(blockers)

    def committer(self) -> str:
        """Return the committer's name and address, as `git commit --signoff` writes them."""
        if not self._committer.ok:
            raise Refused(f"git has no committer: {self._committer.reason}", state=NOTHING_CHANGED, hint=IDENTITY_HINT)
        return name_and_address(self._committer.out).decode("utf-8", "replace")

    @cached_property
    def _committer(self) -> GitResult:
        return self._git.run("var", "GIT_COMMITTER_IDENT")

    def tags(self, *, merged_into: str = "") -> tuple[str, ...]:
        """Return the names of all tags, or only of those on a commit and its ancestors."""
        return self._snapshot.merged_tags(merged_into) if merged_into else self._snapshot.tags

    def changed_files(self, since: str, until: str) -> tuple[str, ...]:
        """Return the files that the commits after `since` and up to `until` change, from the app's folder, sorted."""
        revision_range = f"{since}..{until}" if since else until
        result = self._git.run_checked(
            "log", "-m", "--first-parent", "--format=", "--name-only", "--no-renames", "-z",
            revision_range, "--",
        )  # fmt: skip
        folder = self._git.repo.prefix
        paths = {path for path in result.items if path}
        return tuple(sorted(posixpath.relpath(path, folder) if folder else path for path in paths))

    def commits_between(self, since: str, until: str) -> tuple[str, ...]:
        """Return the commits of `until` that `since` lacks, newest first, each as its short hash and its subject."""
        options = ("--no-show-signature", "--abbrev=10", "--format=%h %s", "--end-of-options", f"{since}..{until}")
        return tuple(self._git.run_checked("log", *options).text.splitlines())

    def latest_change(self, commit: str, paths: tuple[str, ...]) -> str:
        """Return the last commit up to one, following first parents, that changed a path, or an empty string."""
        options = ("-1", "--first-parent", "--no-show-signature", "--format=%H", "--end-of-options", commit)
        return self._git.run_checked("log", *options, "--", *paths).text

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Return whether `ancestor` is reachable from `descendant`.

        Raises:
            NotFound: `descendant` is not in this clone.
        """
        if self._git.is_ancestor(ancestor, descendant):
            return True
        if not self.resolve(descendant):
            raise NotFound(f"the commit {descendant[:12]} is not in this clone", hint="git fetch --all")
        return False

    def merge_base(self, first: str, second: str) -> str:
        """Return the best common ancestor of two commits, or an empty string."""
        return self._git.run("merge-base", "--end-of-options", first, second).text

    def is_on_remote(self, commit: str) -> bool:
        """Return whether a branch of a remote had a commit when it was fetched last."""
        options = ("--count=1", f"--contains={commit}", "--format=%(refname)")
        return bool(self._git.run("for-each-ref", *options, "refs/remotes").text)

    def commit_trailer(self, commit: str, key: str) -> str:
        """Return the value of a trailer in a commit's message, or an empty string."""
        if (commit, key) not in self._trailers:
            option = f"--format=%(trailers:key={key},valueonly=true,separator=%x2C)"
            result = self._git.run_checked("log", "-1", "--no-show-signature", option, "--end-of-options", commit)
            self._trailers[commit, key] = result.text.strip()
        return self._trailers[commit, key]

    def history(self, tips: Iterable[str], *, version_file: str) -> dict[str, Commit]:
        """Return the commits that lead to some commits, by full hash, down to the last one that all of them share."""
        from kaizen_tasks.adapters.git.log import read_log

        return read_log(self._git, tips, self.path_in_repository(version_file))

    def is_shallow(self) -> bool:
        """Return whether this is a shallow clone."""
        return self._git.repo.is_shallow

    def commit_time(self, commit: str) -> datetime:
        """Return the time at which a commit was committed, in UTC."""
        committer = committer_of(self._git, f"{commit}^{{commit}}")
        if not committer:
            raise NotFound(f"the commit {commit[:12]} is not in this clone")
        return datetime.fromtimestamp(int(committer.split(b" ")[-2]), UTC)

    def path_in_repository(self, path: str) -> str:
        """Return the path of an app's file from the top of its repository."""
        return posixpath.normpath(self._git.repo.prefix + path)

    def web_url(self) -> str:
        """Return the URL of the remote's web page, or an empty string; a mirror without one is that of its original."""
        from kaizen_tasks.adapters.git.web_page import find_web_page

        try:
            remote = self.push_target().remote
        except Refused:
            return ""  # no link is better than one to a repository that may be another
        return find_web_page(self._git.config, remote)

    def files_differing_from(self, commit: str, files: Mapping[str, bytes | None]) -> tuple[str, ...]:
        """Return the names of the given files whose content, once stored by git, would differ from a commit's."""
        return self._snapshot.build_tree(commit, files).changed_paths if files else ()

    def untracked_files(self, commit: str, files: Mapping[str, bytes | None]) -> tuple[str, ...]:
        """Return the names of the given files that a commit lacks, while the working tree has other content in them."""
        tree, added_paths = WorkingTree(self._git.root), self._snapshot.build_tree(commit, files).added_paths
        return tuple(path for path in added_paths if tree.read(path) not in {None, files[path]})

    def write_commit(
        self, *, parent: str, files: Mapping[str, bytes | None], message: str, check: Check | None = None
    ) -> str:
        """Write a commit object, the parent's tree with some files replaced, and return its hash; no ref is changed."""
        tree = self._snapshot.build_tree(parent, files).tree
        commit = write_commit(self._git, parent=parent, tree=tree, paths=tuple(files), message=message, check=check)
        self._written |= {commit: commit, f"{commit}^": parent}
        return commit

    def write_merge(self, *, onto: str, commit: str, files: Mapping[str, bytes | None], message: str) -> str:
        """Write the merge of a commit into another, with some files as given, and return its hash."""
        from kaizen_tasks.adapters.git.merge import write_merge

        return write_merge(self._git, onto=onto, commit=commit, files=files, message=message)

    def export(self, commit: str, destination: Path, folder: str = ".") -> None:
        """Write a commit's files of the app's folder, or of one above it, into an empty folder."""
        from kaizen_tasks.adapters.git.archive import export

        export(self._git, commit, destination, folder)
