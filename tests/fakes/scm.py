"""Version control in memory: commits, an index, a branch and a remote."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import Factory, define, frozen

from kaizen_tasks.errors import NotFound, PushFailed, Refused
from kaizen_tasks.ports.types import Head, Remote
from tests.fakes.clock import START
from tests.fakes.documents import FakeDocuments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@frozen(kw_only=True)
class FakeCommit:
    """A commit: its whole tree by path."""

    parent: str
    tree: Mapping[str, bytes]
    message: str
    at: datetime


@define
class FakeRemote:
    """What the remote holds. With `protects` set it takes nothing and says that."""

    branches: dict[str, str] = Factory(dict)
    tags: dict[str, str] = Factory(dict)
    protects: str = ""


class FakeScm:
    """A repository with one commit on main, pushed.

    Args:
        files: of the first commit; an empty mapping makes a repository without a commit.
        documents: the working tree; it starts as the first commit.
        remote: what it pushes to, or None.

    Attributes:
        branch: the branch that is checked out; empty when HEAD is detached.
        index: what is staged, by path.
        commits: every commit by hash.
        hook_says: when set, the commit hook rejects with these words.
        in_the_way: what `obstacles` returns.
        messages: of the tags, by name.
        looks: how often it was told to look again.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        documents: FakeDocuments | None = None,
        remote: FakeRemote | None = None,
    ) -> None:
        self.branch = "main"
        self.commits: dict[str, FakeCommit] = {}
        self.documents = documents or FakeDocuments()
        self.index: dict[str, bytes] = {}
        self.hook_says = ""
        self.in_the_way: tuple[str, ...] = ()
        self.messages: dict[str, str] = {}
        self.looks = 0
        self.upstream = remote
        self._tip = ""
        self._branches: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._begun: dict[str, str] = {}
        self._prepared: dict[str, str] = {}
        if files:
            self.commit(files, "First")
            if remote:
                remote.branches["main"] = self._tip

    def commit(self, files: Mapping[str, bytes], message: str = "Work") -> str:
        """Do what a developer does: write, add and commit files."""
        tree = {**(self.commits[self._tip].tree if self._tip else {}), **files}
        self._tip = self._store(self._tip, tree, message)
        self.documents.files.update(files)
        self.index.update(files)
        return self._tip

    def detach(self) -> None:
        """Leave the branch where it is; HEAD goes on without it."""
        self._branches[self.branch] = self._tip
        self.branch = ""

    def look_again(self) -> None:
        """Count it; there is nothing to forget, since it never remembers."""
        self.looks += 1

    def head(self) -> Head:
        """Return where the checkout stands."""
        if not self._tip:
            raise Refused("the repository has no commit yet")
        return Head(commit=self._tip, branch=self.branch)

    def commit_of(self, name: str) -> str:
        """Return what a tag, the branch, HEAD or a hash of seven digits or more names, or the parent of that."""
        if name.endswith("^"):
            return self.commits[self.commit_of(name.removesuffix("^"))].parent
        name = name.removeprefix("refs/tags/")
        names = {**self._branches, self.branch: self._tip, **self._tags, "HEAD": self._tip}
        if name and name in names:
            return names[name]
        found = [each for each in self.commits if len(name) >= 7 and each.startswith(name)]
        return found[0] if len(found) == 1 else ""

    def read(self, commit: str, path: str) -> bytes | None:
        """Return a file's content at a commit, or None."""
        named = self.commit_of(commit)
        return self.commits[named].tree.get(path) if named else None

    def modified(self) -> tuple[str, ...]:
        """Return tracked files that differ from the commit in index or working tree."""
        tree = self.commits[self._tip].tree
        tracked = {*tree, *self.index}
        return tuple(
            sorted(path for path in tracked if not tree.get(path) == self.index.get(path) == self.documents.read(path))
        )

    def obstacles(self) -> tuple[str, ...]:
        """Return what the test says."""
        return self.in_the_way

    def tags(self, *, behind: str = "") -> tuple[str, ...]:
        """Return the tags' names."""
        line = set(self._line(behind)) if behind else set(self._tags.values())
        return tuple(sorted(name for name, commit in self._tags.items() if commit in line))

    def touched(self, since: str, until: str) -> tuple[str, ...]:
        """Return the files that differ between a commit and the one before it, over a span."""
        found: set[str] = set()
        for name in self._line(until):
            if name == since:
                break
            before = self.commits[self.commits[name].parent].tree if self.commits[name].parent else {}
            found |= {path for path, content in self.commits[name].tree.items() if before.get(path) != content}
        return tuple(sorted(found))

    def is_ancestor(self, old: str, new: str) -> bool:
        """Return whether `old` is reachable from `new`."""
        if new not in self.commits:
            raise NotFound(f"the commit {new[:12]} is not in this clone")
        return old in self._line(new)

    def pending(self) -> Mapping[str, str]:
        """Return what was begun and has no tag."""
        return {name: commit for name, commit in self._begun.items() if name not in self._tags}

    def changes(self, commit: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Return the names of the files that a commit does not hold so."""
        tree = self.commits[commit].tree
        return tuple(sorted(path for path, content in files.items() if tree.get(path) != content))

    def write_commit(self, *, parent: str, files: Mapping[str, bytes], message: str) -> str:
        """Store a commit; nothing else changes."""
        if self.hook_says:
            raise Refused(f"the pre-commit hook rejects the commit: {self.hook_says}")
        return self._store(parent, {**self.commits[parent].tree, **files}, message)

    def keep(self, name: str, commit: str) -> None:
        """Remember a release that was begun."""
        self._begun[name] = commit

    def forget(self, name: str) -> None:
        """Drop it."""
        self._begun.pop(name, None)

    def land(self, commit: str, *, paths: tuple[str, ...]) -> None:
        """Move the branch, and the paths with it."""
        if self._tip != commit and commit in self._line(self._tip):
            return
        if self._tip not in self._line(commit):
            raise Refused(f"{self.branch or 'HEAD'} has moved away from the release commit {commit[:12]}")
        old = self.commits[self._tip if self._tip != commit else self.commits[commit].parent].tree
        new = self.commits[commit].tree
        for path in paths:
            held = {self.index.get(path), self.documents.read(path)}
            if not held <= {old.get(path), new.get(path)}:
                raise Refused(f"{path}: there are other changes than the release's, which landing would lose")
        self._tip = commit
        for path in paths:
            self.index[path] = new[path]
            self.documents.write(path, new[path])

    def prepare(self, name: str, commit: str, message: str) -> None:
        """Make a tag that has no name yet."""
        if self._tags.get(name, commit) != commit:
            raise Refused(f"the tag {name} exists on another commit ({self._tags[name][:12]})")
        self._prepared[name] = self._begun[name] = commit
        self.messages.setdefault(name, message)

    def tag(self, name: str, commit: str, message: str) -> None:
        """Create a tag, and forget that its release was begun."""
        if self._tags.get(name, commit) != commit:
            raise Refused(f"the tag {name} exists on another commit ({self._tags[name][:12]})")
        self._tags[name] = commit
        self.messages.setdefault(name, message)
        self._begun.pop(name, None)

    def seal(self, commit: str, *, paths: tuple[str, ...], tag: str, message: str) -> None:
        """Move the branch and tag its commit."""
        if self._tags.get(tag, commit) != commit:
            raise Refused(f"the tag {tag} exists on another commit ({self._tags[tag][:12]})")
        self.land(commit, paths=paths)
        self.tag(tag, commit, message)

    def remote(self, branch: str) -> Remote | None:
        """Return what the remote holds."""
        if self.upstream is None:
            return None
        return Remote(branch=self.upstream.branches.get(branch, ""), tags=dict(self.upstream.tags))

    def publish(self, *, branch: str, tag: str) -> None:
        """Push both or neither."""
        commit, there = self._tags.get(tag) or self._prepared.get(tag, ""), self.upstream
        if not commit:
            raise NotFound(f"there is no tag {tag} in this clone")
        if there is None:
            raise PushFailed("there is no remote origin")
        if there.protects:
            raise PushFailed(f"origin protects {branch}: {there.protects}")
        if there.tags.get(tag, commit) != commit:
            raise PushFailed(f"origin has a tag {tag} on another commit")
        tip = there.branches.get(branch, "")
        if branch and commit not in self._line(tip):
            if tip and tip not in self._line(commit):
                raise PushFailed(f"origin rejects {branch}: it has commits that are not in it here")
            there.branches[branch] = commit
        there.tags[tag] = commit

    def export(self, commit: str, into: Path) -> None:
        """Write the commit's files."""
        for path, content in self.commits[commit].tree.items():
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).write_bytes(content)

    def committed(self, commit: str) -> datetime:
        """Return the commit's time: one minute after the one before."""
        return self.commits[commit].at

    def source(self) -> str:
        """Return an address, if there is a remote."""
        return "https://git.example.com/team/app" if self.upstream else ""

    def _store(self, parent: str, tree: Mapping[str, bytes], message: str) -> str:
        count = len(self.commits)
        name = hashlib.sha1(f"{count} {parent} {message}".encode()).hexdigest()
        at = START + timedelta(minutes=count)
        self.commits[name] = FakeCommit(parent=parent, tree=dict(tree), message=message, at=at)
        return name

    def _line(self, commit: str) -> Iterator[str]:
        while commit in self.commits:
            yield commit
            commit = self.commits[commit].parent
