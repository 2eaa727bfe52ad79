"""Version control in memory: commits, an index, a branch and a remote."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import Factory, define, frozen

from kaizen_tasks.domain.git.commit import Commit
from kaizen_tasks.domain.git.head import HeadState
from kaizen_tasks.domain.git.push_target import PushTarget
from kaizen_tasks.domain.git.remote_refs import RemoteRefs
from kaizen_tasks.domain.release import ENVIRONMENT_TRAILER
from kaizen_tasks.errors import BranchProtected, NotFound, PushFailed, Refused
from tests.fakes.clock import START
from tests.fakes.release_files import FakeReleaseFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


@frozen(kw_only=True)
class FakeCommit:
    """A commit: its whole tree by path; `merged` is the second parent of a merge."""

    parent: str
    merged: str = ""
    tree: Mapping[str, bytes]
    message: str
    at: datetime


@define
class FakeRemote:
    """What the remote holds. With `protection_message` set it rejects pushes with that."""

    branches: dict[str, str] = Factory(dict)
    tags: dict[str, str] = Factory(dict)
    claims: dict[str, str] = Factory(dict)
    abandoned: dict[str, str] = Factory(dict)
    commits: dict[str, FakeCommit] = Factory(dict)
    protection_message: str = ""


class FakeScm:
    """A repository with one commit on main, pushed.

    Args:
        files: of the first commit; an empty mapping makes a repository without a commit.
        working_tree: the working tree; it starts as the first commit.
        remote_refs: what it pushes to, or None.

    Attributes:
        branch: the branch that is checked out; empty when HEAD is detached.
        folder: path of the app's folder in its repository, with a slash at its end.
        remote_name: the name of the remote.
        target_branch: the branch that `branch` tracks, if it has another name.
        index: what is staged, by path.
        sparse_files: files that a sparse checkout leaves out.
        ignored: files that git ignores.
        commits: every commit by hash.
        hook_changes: what the commit hook changes, by path.
        hook_message: when set, the commit hook rejects with these words.
        shallow: whether this is a shallow clone.
        reported_blockers: what `blockers` returns.
        messages: of the tags, by name.
        invalidations: number of calls of `invalidate_cache`.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        working_tree: FakeReleaseFiles | None = None,
        remote: FakeRemote | None = None,
    ) -> None:
        self.branch, self.folder = "main", ""
        self.commits: dict[str, FakeCommit] = {}
        self.working_tree = working_tree or FakeReleaseFiles()
        self.index: dict[str, bytes] = {}
        self.sparse_files: set[str] = set()
        self.ignored: tuple[str, ...] = ()
        self.hook_message = ""
        self.shallow = False
        self.hook_changes: Mapping[str, bytes] = {}
        self.reported_blockers: tuple[str, ...] = ()
        self.messages: dict[str, str] = {}
        self.invalidations = 0
        self.upstream = remote
        self.remote_name = "origin"
        self.target_branch = ""
        self._tip = ""
        self._branches: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._pending: dict[str, str] = {}
        self._tag_objects: dict[str, str] = {}
        self._cached_remotes: dict[str, RemoteRefs] = {}
        if files:
            self.commit(files, "First")
            if remote:
                remote.branches["main"] = self._tip

    def commit(self, files: Mapping[str, bytes | None], message: str = "Work") -> str:
        """Write, add and commit files, as a developer does; None deletes a file."""
        self._tip = self._store(
            self._tip, self._replace(self.commits[self._tip].tree if self._tip else {}, files), message
        )
        self.working_tree.files = self._replace(self.working_tree.files, files)
        self.index = self._replace(self.index, files)
        return self._tip

    def fetch_tags(self) -> None:
        """Fetch all tags whose commits are here, as `git pull` does."""
        assert self.upstream is not None
        self._tags.update({tag: commit for tag, commit in self.upstream.tags.items() if commit in self.commits})

    def switch(self, branch: str, *, start: str = "") -> None:
        """Check out a branch, with the files of its commit, after creating it if `start` is given."""
        self._branches[self.branch] = self._tip
        self.branch, self._tip = branch, self.resolve(start) if start else self._branches[branch]
        tree = self.commits[self._tip].tree
        self.index = dict(tree)
        self.working_tree.files.clear()
        self.working_tree.files.update(tree)

    def detach(self) -> None:
        """Detach HEAD from the branch."""
        self._branches[self.branch] = self._tip
        self.branch = ""

    def invalidate_cache(self, *, remote: bool = False) -> None:
        """Count the calls; of the repository nothing is cached here."""
        self.invalidations += 1
        if remote:
            self._cached_remotes.clear()

    def head(self) -> HeadState:
        if not self._tip:
            raise Refused("the repository has no commit yet")
        return HeadState(commit=self._tip, branch=self.branch)

    def push_target(self) -> PushTarget:
        return PushTarget(remote=self.remote_name if self.upstream else "", branch=self.target_branch or self.branch)

    def resolve(self, name: str) -> str:
        """Return what a tag, the branch, HEAD or a hash of seven digits or more names, or the parent of that."""
        if name.endswith("^"):
            return self.commits[self.resolve(name.removesuffix("^"))].parent
        if name.endswith("^2"):
            return self.commits[self.resolve(name.removesuffix("^2"))].merged
        name = name.removeprefix("refs/tags/")
        names = {**self._branches, self.branch: self._tip, **self._tags, "HEAD": self._tip}
        if name and name in names:
            return names[name]
        matches = [commit_hash for commit_hash in self.commits if len(name) >= 7 and commit_hash.startswith(name)]
        return matches[0] if len(matches) == 1 else ""

    def read_at(self, commit: str, path: str) -> bytes | None:
        commit_hash = self.resolve(commit)
        return self.commits[commit_hash].tree.get(path) if commit_hash else None

    def committer(self) -> str:
        return "Sam Example <sam@example.com>"

    def modified_files(self, folder: str = ".") -> tuple[str, ...]:
        """Return tracked files that differ from the commit in index or working tree."""
        tree = self.commits[self._tip].tree
        tracked = {*tree, *self.index}
        return tuple(
            sorted(
                path for path in tracked if not tree.get(path) == self.index.get(path) == self.working_tree.read(path)
            )
        )

    def tracked_files(self, folder: str) -> Mapping[str, bool]:
        return {path: path not in self.sparse_files for path in sorted(self.index) if path.startswith(f"{folder}/")}

    def find_lines(self, pattern: str) -> tuple[str, ...]:
        lines = re.compile(pattern, re.MULTILINE)
        tree = self.commits[self._tip].tree
        return tuple(path for path in sorted(tree) if lines.search(tree[path].decode(errors="replace")))

    def ignored_files(self, folder: str) -> tuple[str, ...]:
        return tuple(path for path in self.ignored if path.startswith(f"{folder}/"))

    def blockers(self) -> tuple[str, ...]:
        return self.reported_blockers

    def tags(self, *, merged_into: str = "") -> tuple[str, ...]:
        commits = set(self._ancestry(merged_into)) if merged_into else set(self._tags.values())
        return tuple(sorted(name for name, commit in self._tags.items() if commit in commits))

    def changed_files(self, since: str, until: str) -> tuple[str, ...]:
        """Return the files that differ between a commit and the one before it, over a span."""
        paths: set[str] = set()
        for name in self._ancestry(until):
            if name == since:
                break
            parent_tree = self.commits[self.commits[name].parent].tree if self.commits[name].parent else {}
            tree = self.commits[name].tree
            paths |= {path for path in {*tree, *parent_tree} if parent_tree.get(path) != tree.get(path)}
        return tuple(sorted(paths))

    def commits_between(self, since: str, until: str) -> tuple[str, ...]:
        known = {*self._ancestry(since)}
        new = (name for name in self._ancestry(until) if name not in known)
        return tuple(f"{name[:10]} {self.commits[name].message.partition(chr(10))[0]}" for name in new)

    def latest_change(self, commit: str, paths: tuple[str, ...]) -> str:
        while commit:
            parent = self.commits[commit].parent
            parent_tree = self.commits[parent].tree if parent else {}
            if any(self.commits[commit].tree.get(path) != parent_tree.get(path) for path in paths):
                return commit
            commit = parent
        return ""

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        if descendant not in self.commits:
            raise NotFound(f"the commit {descendant[:12]} is not in this clone")
        return ancestor in self._ancestry(descendant)

    def pending_releases(self) -> Mapping[str, str]:
        return {name: commit for name, commit in self._pending.items() if self._tags.get(name, commit) == commit}

    def files_differing_from(self, commit: str, files: Mapping[str, bytes | None]) -> tuple[str, ...]:
        """Return the names of the files that differ from a commit."""
        tree = self.commits[commit].tree
        return tuple(sorted(path for path, content in files.items() if tree.get(path) != content))

    def untracked_files(self, commit: str, files: Mapping[str, bytes | None]) -> tuple[str, ...]:
        added = files.keys() - self.commits[commit].tree.keys()
        return tuple(sorted(path for path in added if self.working_tree.read(path) not in {None, files[path]}))

    @staticmethod
    def _replace(tree: Mapping[str, bytes], files: Mapping[str, bytes | None]) -> dict[str, bytes]:
        return {path: content for path, content in {**tree, **files}.items() if content is not None}

    def write_commit(
        self,
        *,
        parent: str,
        files: Mapping[str, bytes | None],
        message: str,
        check: Callable[[Mapping[str, bytes]], None] | None = None,
    ) -> str:
        """Store a commit; nothing else changes."""
        if self.hook_message:
            raise Refused(f"the pre-commit hook rejects the commit: {self.hook_message}")
        if self.hook_changes and check is not None:
            check(self.hook_changes)
        return self._store(parent, self._replace(self.commits[parent].tree, {**files, **self.hook_changes}), message)

    def merge_base(self, first: str, second: str) -> str:
        ancestors = set(self._ancestry(second))
        return next((name for name in self._ancestry(first) if name in ancestors), "")

    def write_merge(self, *, onto: str, commit: str, files: Mapping[str, bytes | None], message: str) -> str:
        base, ours, theirs = (self.commits[name].tree for name in (self.merge_base(onto, commit), onto, commit))
        changed = {path for path in {*base, *theirs} if theirs.get(path) != base.get(path)}
        conflicts = {
            path for path in changed if ours.get(path) not in {base.get(path), theirs.get(path)}
        } - files.keys()
        if conflicts:
            raise Refused(f"conflicting changes of {', '.join(sorted(conflicts))}")
        tree = self._replace(ours, {path: theirs.get(path) for path in changed})
        return self._store(onto, self._replace(tree, files), message, merged=commit)

    def save_pending(self, name: str, commit: str) -> None:
        self._pending[name] = commit

    def drop_pending(self, name: str) -> None:
        self._pending.pop(name, None)

    def fast_forward(self, commit: str, *, paths: tuple[str, ...]) -> None:
        if self._tip != commit and commit in self._ancestry(self._tip):
            return
        if self._tip not in self._ancestry(commit):
            raise Refused(f"{self.branch or 'HEAD'} has moved away from the release commit {commit[:12]}")
        old = self.commits[self._tip if self._tip != commit else self.commits[commit].parent].tree
        new = self.commits[commit].tree
        names = sorted({*old, *new, *self.working_tree.files})
        paths = tuple(name for name in names if any(name == path or name.startswith(f"{path}/") for path in paths))
        for path in paths:
            contents = {self.index.get(path), self.working_tree.read(path)}
            if not contents <= {old.get(path), new.get(path)}:
                raise Refused(f"{path}: other changes than the release's would be lost")
        self._tip = commit
        for path in paths:
            if path in new:
                self.index[path] = new[path]
                self.working_tree.write(path, new[path])
            else:
                self.index.pop(path, None)
                self.working_tree.delete(path)

    def create_tag_object(self, name: str, commit: str, message: str) -> None:
        if self._tags.get(name, commit) != commit:
            raise Refused(f"the tag {name} exists on another commit ({self._tags[name][:12]})")
        if name not in self._tags:
            self._tag_objects[name] = self._pending[name] = commit
        self.messages.setdefault(name, message)

    def create_tag(self, name: str, commit: str, message: str) -> None:
        if self._tags.get(name, commit) != commit:
            raise Refused(f"the tag {name} exists on another commit ({self._tags[name][:12]})")
        self._tags[name] = commit
        self.messages.setdefault(name, message)
        self._pending.pop(name, None)

    def fast_forward_and_tag(self, commit: str, *, paths: tuple[str, ...], tag: str, message: str) -> None:
        if self._tags.get(tag, commit) != commit:
            raise Refused(f"the tag {tag} exists on another commit ({self._tags[tag][:12]})")
        self.fast_forward(commit, paths=paths)
        self.create_tag(tag, commit, message)

    def is_on_remote(self, commit: str) -> bool:
        tips = self.upstream.branches.values() if self.upstream else ()
        return any(commit in self._ancestry(tip) for tip in tips)

    def commit_trailer(self, commit: str, key: str) -> str:
        lines = self.commits[commit].message.splitlines()
        return next((line.partition(": ")[2] for line in lines if line.startswith(f"{key}: ")), "")

    def remote_refs(self, branch: str) -> RemoteRefs | None:
        self._cached_remotes.clear()
        return self.cached_remote_refs(branch)

    def cached_remote_refs(self, branch: str) -> RemoteRefs | None:
        upstream = self.upstream
        if upstream is not None and branch not in self._cached_remotes:
            self._cached_remotes[branch] = RemoteRefs(
                branch_commit=upstream.branches.get(branch, ""),
                tags=dict(upstream.tags),
                claims=dict(upstream.claims),
                abandoned=dict(upstream.abandoned),
            )
        return self._cached_remotes.get(branch)

    def fetch_branch(self, branch: str) -> None:
        assert self.upstream is not None
        self._fetch(self.upstream.branches[branch])

    def fetch_claims(self, tags: Iterable[str]) -> None:
        assert self.upstream is not None
        for tag in tags:
            self._fetch(self.upstream.claims[tag])

    def claim(self, tag: str, commit: str, *, abandons: Iterable[str] = (), drops: Iterable[str] = ()) -> None:
        upstream, known = self.upstream, self.cached_remote_refs(self.branch)
        self.invalidate_cache(remote=True)
        if upstream is None or known is None:
            raise PushFailed("there is no remote origin")
        if upstream.claims.get(tag) != known.claims.get(tag):
            raise Refused(f"somebody else has just claimed {tag} on origin, for {upstream.claims[tag][:10]}")
        self._send(commit)
        upstream.claims[tag] = commit
        for other in drops:
            del upstream.claims[other]
        for other in abandons:
            upstream.abandoned[other] = upstream.claims.pop(other)

    def abandon(self, tag: str, commit: str) -> None:
        self.invalidate_cache(remote=True)
        if self.upstream is None:
            raise PushFailed("there is no remote origin")
        self._send(commit)
        self.upstream.claims.pop(tag, None)
        self.upstream.abandoned[tag] = commit

    def withdraw_claim(self, tag: str) -> None:
        self.invalidate_cache(remote=True)
        assert self.upstream is not None
        del self.upstream.claims[tag]

    def push(self, *, branch: str, tag: str, tip: str = "", on_progress: Callable[[str], None] | None = None) -> None:
        commit, upstream = self._tags.get(tag) or self._tag_objects.get(tag, ""), self.upstream
        self.invalidate_cache(remote=True)
        if not commit:
            raise NotFound(f"there is no tag {tag} in this clone")
        if upstream is None:
            raise PushFailed("there is no remote origin")
        if upstream.protection_message and branch == "main":
            raise BranchProtected(f"origin protects {branch}: {upstream.protection_message}")
        if upstream.tags.get(tag, commit) != commit:
            raise PushFailed(f"origin has a tag {tag} on another commit")
        new_tip, old_tip = tip or commit, upstream.branches.get(branch, "")
        if branch and new_tip not in self._ancestry(old_tip):
            if old_tip and old_tip not in self._ancestry(new_tip):
                failure = PushFailed(f"origin rejects {branch}: it has commits that this clone lacks")
                failure.branch_has_moved = True
                raise failure
            self._send(new_tip)
            upstream.branches[branch] = new_tip
        self._send(commit)
        upstream.tags[tag] = commit
        upstream.claims.pop(tag, None)

    def replace_branch(self, branch: str, commit: str, *, expected: str) -> None:
        upstream = self.upstream
        self.invalidate_cache(remote=True)
        if upstream is None:
            raise PushFailed("there is no remote origin")
        if upstream.branches.get(branch, "") != expected:
            raise Refused(f"somebody else has just pushed to {branch} on origin")
        self._send(commit)
        upstream.branches[branch] = commit

    def export(self, commit: str, destination: Path, folder: str = ".") -> None:
        if folder != ".":
            raise Refused("the folder is outside the repository")
        for path, content in self.commits[commit].tree.items():
            (destination / path).parent.mkdir(parents=True, exist_ok=True)
            (destination / path).write_bytes(content)

    def history(self, tips: Iterable[str], *, version_file: str) -> Mapping[str, Commit]:
        known = [tip for tip in dict.fromkeys(tips) if tip in self.commits]
        shared = set[str].intersection(*({*self._ancestry(tip)} for tip in known)) if known else set()
        newest_shared = max(shared, key=lambda name: self.commits[name].at, default="")
        names = {name for tip in known for name in self._ancestry(tip)} - shared | {newest_shared} - {""}
        return {name: self._describe(name, version_file) for name in names}

    def _describe(self, name: str, version_file: str) -> Commit:
        commit, version = self.commits[name], self.read_at(name, version_file)
        return Commit(
            at=commit.at,
            parents=tuple(filter(None, (commit.parent, commit.merged))),
            sets_version=not commit.merged and version != self.read_at(commit.parent, version_file),
            environment=self.commit_trailer(name, ENVIRONMENT_TRAILER),
        )

    def is_shallow(self) -> bool:
        return self.shallow

    def commit_time(self, commit: str) -> datetime:
        return self.commits[commit].at

    def path_in_repository(self, path: str) -> str:
        return f"{self.folder}{path}"

    def web_url(self) -> str:
        return "https://github.com/team/app" if self.upstream else ""

    def _store(self, parent: str, tree: Mapping[str, bytes], message: str, *, merged: str = "") -> str:
        count = len(self.commits)
        name = hashlib.sha1(f"{count} {parent} {message}".encode()).hexdigest()
        at = START + timedelta(minutes=count)
        self.commits[name] = FakeCommit(parent=parent, merged=merged, tree=dict(tree), message=message, at=at)
        return name

    def _send(self, commit: str) -> None:
        assert self.upstream is not None
        for name in self._ancestry(commit):
            self.upstream.commits[name] = self.commits[name]

    def _fetch(self, commit: str) -> None:
        assert self.upstream is not None
        if commit in self.upstream.commits and commit not in self.commits:
            self.commits[commit] = self.upstream.commits[commit]
            self._fetch(self.commits[commit].parent)
            self._fetch(self.commits[commit].merged)

    def _ancestry(self, commit: str) -> Iterator[str]:
        names = [commit]
        while names:
            name = names.pop(0)
            if name in self.commits:
                yield name
                names += [self.commits[name].parent, self.commits[name].merged]
