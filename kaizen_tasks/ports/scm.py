"""The ports of the source: the two files that a release edits, and the git repository around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.ports.types import HeadState, RemoteRefs


class ReleaseFiles(Protocol):
    """The two files that a release edits: VERSION and CHANGELOG.md."""

    def read(self, name: str) -> bytes | None:
        """Return the content, or None when there is no such file."""

    @mutates("the file is written", needs_lock=False)
    def write(self, name: str, content: bytes) -> None:
        """Replace the content atomically."""


class Scm(Protocol):
    """Version control: a git repository around the app's folder. Paths are relative to that folder.

    Answers are cached until something is changed through this port or `invalidate_cache` is called, so that a decision
    that asks the same question several times runs git once.
    """

    def invalidate_cache(self) -> None:
        """Forget cached answers: time has passed, or somebody else may have changed something."""

    def head(self) -> HeadState:
        """Return the commit and the branch that are checked out.

        Raises:
            Refused: not a repository, or one without a commit.
        """

    def resolve(self, name: str) -> str:
        """Return the full hash of the commit of a ref, tag or hash, or an empty string."""

    def read_at(self, commit: str, path: str) -> bytes | None:
        """Return the content of a file in a commit, or None when it is not in it."""

    def modified_files(self) -> tuple[str, ...]:
        """Return tracked files whose content differs from HEAD, staged or not, sorted."""

    def blockers(self) -> tuple[str, ...]:
        """Return what prevents a commit: a merge or rebase in progress, a shallow clone, no identity."""

    def tags(self, *, merged_into: str = "") -> tuple[str, ...]:
        """Return the names of the tags in this clone.

        Args:
            merged_into: full hash; only tags of this commit and its ancestors. Empty for all tags.
        """

    def changed_files(self, since: str, until: str) -> tuple[str, ...]:
        """Return the files that the commits after `since`, up to `until`, changed, sorted.

        Args:
            since: full hash; empty for the whole history.
            until: full hash.
        """

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Return whether `ancestor` is reachable from `descendant`, or is the same commit."""

    def pending_releases(self) -> Mapping[str, str]:
        """Return the commits of the releases that were started here and are not finished, by name (`v1.2.3`)."""

    def files_differing_from(self, commit: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Return the names of the files whose content git would store differently from a commit."""

    @mutates("the commit object is written", needs_lock=False)
    def write_commit(self, *, parent: str, files: Mapping[str, bytes], message: str) -> str:
        """Write a commit object: the parent's tree with these files replaced. No ref, index or file changes.

        The commit hooks run first, against the temporary index.

        Raises:
            Refused: a hook rejected it, or there is no identity.
        """

    @mutates("the release is pending here", needs_lock=False)
    def save_pending(self, name: str, commit: str) -> None:
        """Remember a release that was started, by a private ref."""

    @mutates("the release is no longer pending here", needs_lock=False)
    def drop_pending(self, name: str) -> None:
        """Delete that private ref."""

    @mutates("the branch has moved here", needs_lock=False)
    def fast_forward(self, commit: str, *, paths: tuple[str, ...]) -> None:
        """Move the branch forward to a commit, and update `paths` in index and working tree.

        All other files, staged or not, stay as they are.

        Raises:
            Refused: the branch has moved in the meantime, or a path has other changes.
        """

    @mutates("the tag object is written", needs_lock=False)
    def create_tag_object(self, name: str, commit: str, message: str) -> None:
        """Create the annotated tag object of a release, kept by the private ref, so that it can be pushed first.

        Raises:
            Refused: the tag exists on another commit, or it could not be signed.
        """

    @mutates("the tag is here", needs_lock=False)
    def create_tag(self, name: str, commit: str, message: str) -> None:
        """Create an annotated tag; an existing one on the same commit stays.

        Raises:
            Refused: the tag exists on another commit.
        """

    @mutates("branch and tag are here", needs_lock=False)
    def fast_forward_and_tag(self, commit: str, *, paths: tuple[str, ...], tag: str, message: str) -> None:
        """Move the branch forward and create the annotated tag, both or neither; then update `paths`.

        Raises:
            Refused: the branch has moved meanwhile, a path has other changes, or the tag exists on another commit.
        """

    def remote_refs(self, branch: str) -> RemoteRefs | None:
        """Return the branch and the tags of the remote as they are now; None when there is no remote.

        Raises:
            Unreachable: the remote does not answer.
        """

    @mutates("branch and tag are on the remote", needs_lock=False)
    def push(self, *, branch: str, tag: str, on_progress: Callable[[str], None] | None = None) -> None:
        """Push the branch (when not empty) and the tag in one atomic push.

        Args:
            branch: short name, or empty.
            tag: its name.
            on_progress: receives what a push that takes longer than a second is doing, in another thread.

        Raises:
            PushFailed: one of them was rejected; then neither has moved.
        """

    @mutates("the commit is exported", needs_lock=False)
    def export(self, commit: str, destination: Path) -> None:
        """Write the files of a commit into an empty folder."""

    def commit_time(self, commit: str) -> datetime:
        """Return the commit's time, in UTC."""

    def web_url(self) -> str:
        """Return the URL of the remote's web page, without credentials, or an empty string."""
