"""The app as it is written down: two documents, and the repository around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from kaizen_tasks.ports.types import HeadState, RemoteRefs


class ReleaseFiles(Protocol):
    """The two files that a release edits: VERSION and CHANGELOG.md."""

    def read(self, name: str) -> bytes | None:
        """Return the content, or None when there is no such file."""
        ...

    @mutates("the file is written", needs_lock=False)
    def write(self, name: str, content: bytes) -> None:
        """Replace the content, wholly or not at all."""
        ...


class Scm(Protocol):
    """Version control: a git repository around the app's folder. Paths are relative to that folder.

    One look serves a whole decision: an answer may be one that was given before, as long as nothing has been changed
    through this port since, and nobody has asked it to look again.
    """

    def invalidate_cache(self) -> None:
        """Forget what has been seen: time has passed, or somebody else may have been at work."""
        ...

    def head(self) -> HeadState:
        """Return where the checkout stands.

        Raises:
            Refused: not a repository, or one without a commit.
        """
        ...

    def resolve(self, name: str) -> str:
        """Return the full hash of the commit that a ref, tag or hash names, or an empty string."""
        ...

    def read_at(self, commit: str, path: str) -> bytes | None:
        """Return a file's content at a commit, or None when it is not there."""
        ...

    def modified_files(self) -> tuple[str, ...]:
        """Return tracked files whose content differs from HEAD, staged or not, sorted."""
        ...

    def blockers(self) -> tuple[str, ...]:
        """Return what stands in the way of a commit: a merge or rebase under way, a shallow clone, no identity."""
        ...

    def tags(self, *, merged_into: str = "") -> tuple[str, ...]:
        """Return the names of the tags in this clone.

        Args:
            merged_into: only those of this commit and its ancestors; a full hash, or empty for all.
        """
        ...

    def changed_files(self, since: str, until: str) -> tuple[str, ...]:
        """Return the files that the commits after `since`, up to `until`, have changed; sorted.

        Args:
            since: full hash; empty for the whole history.
            until: full hash.
        """
        ...

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Return whether `ancestor` is reachable from `descendant` (or the same)."""
        ...

    def pending_releases(self) -> Mapping[str, str]:
        """Return the releases that were begun here and are not finished: name (`v1.2.3`) to commit."""
        ...

    def files_differing_from(self, commit: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Return the names of the files that git would store differently from what a commit holds."""
        ...

    @mutates("the commit object is written", needs_lock=False)
    def write_commit(self, *, parent: str, files: Mapping[str, bytes], message: str) -> str:
        """Write a commit object: the parent's tree with these files replaced. No ref, index or file changes.

        The commit hooks run first, against the temporary index.

        Raises:
            Refused: a hook rejected it, or there is no identity.
        """
        ...

    @mutates("the release is pending here", needs_lock=False)
    def save_pending(self, name: str, commit: str) -> None:
        """Remember a release that was begun, by a private ref."""
        ...

    @mutates("the release is no longer pending here", needs_lock=False)
    def drop_pending(self, name: str) -> None:
        """Drop that private ref."""
        ...

    @mutates("the branch has moved here", needs_lock=False)
    def fast_forward(self, commit: str, *, paths: tuple[str, ...]) -> None:
        """Move the branch forward to a commit, and `paths` in index and working tree with it.

        Everything else, staged or not, stays as it is.

        Raises:
            Refused: the branch has moved meanwhile.
        """
        ...

    @mutates("the tag object is written", needs_lock=False)
    def create_tag_object(self, name: str, commit: str, message: str) -> None:
        """Make the annotated tag of a release, kept by the private ref: what is pushed before it has a name here."""
        ...

    @mutates("the tag is here", needs_lock=False)
    def create_tag(self, name: str, commit: str, message: str) -> None:
        """Create an annotated tag; an existing one on the same commit is left alone.

        Raises:
            Refused: the tag exists on another commit.
        """
        ...

    @mutates("branch and tag are here", needs_lock=False)
    def fast_forward_and_tag(self, commit: str, *, paths: tuple[str, ...], tag: str, message: str) -> None:
        """Move the branch forward and create the annotated tag, both or neither; then bring `paths` along.

        Raises:
            Refused: the branch has moved meanwhile, or the tag exists on another commit.
        """
        ...

    def remote_refs(self, branch: str) -> RemoteRefs | None:
        """Ask the remote for a branch and its tags; None when there is no remote.

        Raises:
            Unreachable: it does not answer.
        """
        ...

    @mutates("branch and tag are on the remote", needs_lock=False)
    def push(self, *, branch: str, tag: str) -> None:
        """Push the branch (when not empty) and the tag in one atomic push.

        Raises:
            PushFailed: any of them was rejected; then none has moved.
        """
        ...

    @mutates("the commit is exported", needs_lock=False)
    def export(self, commit: str, destination: Path) -> None:
        """Write the files of a commit into an empty folder, as they are committed."""
        ...

    def commit_time(self, commit: str) -> datetime:
        """Return the commit's time, in UTC."""
        ...

    def web_url(self) -> str:
        """Return the remote's address for people, without credentials, or an empty string."""
        ...
