"""The ports of the source: the files that a release edits, and the git repository around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from attrs import frozen

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.domain.git.commit import Commit
    from kaizen_tasks.domain.git.head import HeadState
    from kaizen_tasks.domain.git.push_target import PushTarget
    from kaizen_tasks.domain.git.remote_refs import RemoteRefs


@frozen(kw_only=True)
class FileLocation:
    """Where a file of the app's folder really is.

    Attributes:
        path: its path past symbolic links, relative to the folder or, outside of it, absolute.
        repository: the folder of another repository, such as a submodule, that has the file; empty for the app's own.
    """

    path: str
    repository: str = ""


class ReleaseFiles(Protocol):
    """The files that a release edits: VERSION, the changelog, and whatever else is configured."""

    @property
    def in_memory(self) -> bool:
        """Whether changes are kept in memory, and leave the repository as it is."""

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None when there is no such file."""

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names of the files in a folder as they are spelled on disk, sorted; none without the folder.

        Args:
            folder: path of the folder, relative to the app's; empty for that one.
        """

    def locate(self, name: str) -> FileLocation:
        """Return where a file really is, past symbolic links, whether it exists or not."""

    @mutates("the file is written", needs_lock=False)
    def write(self, name: str, content: bytes) -> None:
        """Replace a file's content atomically."""

    @mutates("the file is deleted", needs_lock=False)
    def delete(self, name: str) -> None:
        """Delete a file, if there is one."""


class Scm(Protocol):
    """Version control: a git repository around the app's folder. Paths are relative to that folder.

    Results are cached until something is changed through this port or `invalidate_cache` is called, so that a decision
    that calls the same method several times runs git once.
    """

    def invalidate_cache(self, *, remote: bool = False) -> None:
        """Discard cached results, because somebody else may have changed something.

        Args:
            remote: whether to discard the cached refs of the remote too.
        """

    def head(self) -> HeadState:
        """Return the commit and the branch that are checked out.

        Raises:
            Refused: there is no repository, or it has no commit.
        """

    def push_target(self) -> PushTarget:
        """Return the remote and the branch on it to which releases of this branch are pushed.

        Without a remote, its name is empty.

        Raises:
            Refused: it is unclear which remote, or which of its branches, that is.
        """

    def resolve(self, name: str) -> str:
        """Return the full hash of the commit that a ref, tag or hash names; an empty string when unknown."""

    def read_at(self, commit: str, path: str) -> bytes | None:
        """Return a file's content in a commit, or None when the commit lacks the file."""

    def modified_files(self, folder: str = ".") -> tuple[str, ...]:
        """Return the tracked files of a folder whose content differs from HEAD, staged or not, sorted.

        Args:
            folder: `.` is the app's folder, `..` the one above; paths are relative to the app's folder.
        """

    def tracked_files(self, folder: str) -> Mapping[str, bool]:
        """Return the files of a folder in the index by path, and of each whether it is checked out.

        A sparse checkout leaves some files out.
        """

    def find_lines(self, pattern: str) -> tuple[str, ...]:
        """Return the paths of the app's files in HEAD with a line that matches, binary files left out.

        Args:
            pattern: a POSIX extended regular expression.
        """

    def ignored_files(self, folder: str) -> tuple[str, ...]:
        """Return the files of a folder that git ignores and does not track."""

    def blockers(self) -> tuple[str, ...]:
        """Return descriptions of what prevents a commit: a merge in progress, a shallow clone, a missing identity."""

    def committer(self) -> str:
        """Return who makes commits here, as `Name <address>`.

        Raises:
            Refused: git does not know.
        """

    def tags(self, *, merged_into: str = "") -> tuple[str, ...]:
        """Return the names of the tags in this clone.

        Args:
            merged_into: full hash of a commit, to return only tags of the commit and its ancestors; empty for all tags.
        """

    def changed_files(self, since: str, until: str) -> tuple[str, ...]:
        """Return the files that the commits after `since` and up to `until` changed, sorted.

        Those of other apps in the repository are named from the app's folder too: `../web/VERSION`.

        Args:
            since: full hash of a commit; empty for the whole history.
            until: full hash of a commit.
        """

    def commits_between(self, since: str, until: str) -> tuple[str, ...]:
        """Return the commits of `until` that `since` lacks, newest first, each as its short hash and its subject."""

    def latest_change(self, commit: str, paths: tuple[str, ...]) -> str:
        """Return the last commit up to `commit`, following first parents, that changed one of the paths, or ""."""

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Return whether `ancestor` is the same commit as `descendant`, or is reachable from it."""

    def merge_base(self, first: str, second: str) -> str:
        """Return the best common ancestor of two commits, or an empty string."""

    def pending_releases(self) -> Mapping[str, str]:
        """Return the commits of this clone's unfinished releases, by release name (`v1.2.3`)."""

    def files_differing_from(self, commit: str, files: Mapping[str, bytes | None]) -> tuple[str, ...]:
        """Return the names of the given files whose content, once stored by git, would differ from a commit's.

        Args:
            commit: full hash of the commit.
            files: content by path; None for a file that there should not be.
        """

    def untracked_files(self, commit: str, files: Mapping[str, bytes | None]) -> tuple[str, ...]:
        """Return the names of the given files that a commit lacks, while the working tree has them with other content.

        A fast-forward would overwrite them.
        """

    @mutates("the commit object is written", needs_lock=False)
    def write_commit(
        self,
        *,
        parent: str,
        files: Mapping[str, bytes | None],
        message: str,
        check: Callable[[Mapping[str, bytes]], None] | None = None,
    ) -> str:
        """Write a commit object, the parent's tree with some files replaced, and return its hash; no ref is changed.

        The commit hooks run first, with the files in place, and may change these files and the message.

        Args:
            parent: full hash of the parent.
            files: content by path; None for a file that the commit deletes.
            message: the commit's message, before hooks edit it.
            check: called with the contents of the files that hooks have changed, by path; raises what is wrong.

        Raises:
            Refused: a hook rejected the commit or changed other files, or git has no author or committer.
        """

    @mutates("the merge commit is written", needs_lock=False)
    def write_merge(self, *, onto: str, commit: str, files: Mapping[str, bytes | None], message: str) -> str:
        """Write the merge of a commit into another, with some files as given, and return its hash; no ref is changed.

        Args:
            onto: full hash of the first parent.
            commit: full hash of the second parent.
            files: the content of the files that are merged already, by path; None for a file that is deleted.
            message: the message of the merge commit.

        Raises:
            Refused: other files conflict, or git is too old.
        """

    @mutates("the release is pending here", needs_lock=False)
    def save_pending(self, name: str, commit: str) -> None:
        """Record an unfinished release by a private ref to its commit."""

    @mutates("the release is no longer pending here", needs_lock=False)
    def drop_pending(self, name: str) -> None:
        """Delete the private ref of an unfinished release."""

    @mutates("the branch has moved here", needs_lock=False)
    def fast_forward(self, commit: str, *, paths: tuple[str, ...]) -> None:
        """Move the branch forward to a commit, and update `paths` in index and working tree.

        All other files, staged or not, stay as they are.

        Args:
            commit: full hash of the commit.
            paths: files, and folders, which stand for all files in them.

        Raises:
            Refused: the branch has moved meanwhile, or a path has other changes.
        """

    @mutates("the tag object is written", needs_lock=False)
    def create_tag_object(self, name: str, commit: str, message: str) -> None:
        """Create a release's annotated tag object, with a private ref, so that the object can be pushed before its tag.

        Raises:
            Refused: the tag exists on another commit, or it could not be signed.
        """

    @mutates("the tag is here", needs_lock=False)
    def create_tag(self, name: str, commit: str, message: str) -> None:
        """Create an annotated tag, unless the tag exists on the same commit.

        Raises:
            Refused: the tag exists on another commit.
        """

    @mutates("branch and tag are here", needs_lock=False)
    def fast_forward_and_tag(self, commit: str, *, paths: tuple[str, ...], tag: str, message: str) -> None:
        """Move the branch forward and create the annotated tag, both or neither; then update `paths`.

        Raises:
            Refused: the branch has moved meanwhile, a path has other changes, or the tag exists on another commit.
        """

    def is_on_remote(self, commit: str) -> bool:
        """Return whether a branch of the remote had a commit when it was fetched or pushed last."""

    def commit_trailer(self, commit: str, key: str) -> str:
        """Return the value of a trailer in a commit's message, or an empty string."""

    def remote_refs(self, branch: str) -> RemoteRefs | None:
        """Ask the remote for a branch, all tags and all claims; None when there is no remote.

        Raises:
            Unreachable: the remote does not answer.
        """

    def cached_remote_refs(self, branch: str) -> RemoteRefs | None:
        """Return what the remote answered last, or ask it if something was pushed since or nothing is cached.

        Raises:
            Unreachable: the remote does not answer, or did not when it was asked last.
        """

    def fetch_branch(self, branch: str) -> None:
        """Fetch the commits of a branch of the remote; no ref of this clone is changed.

        Raises:
            Unreachable: the remote does not answer.
        """

    def fetch_claims(self, tags: Iterable[str]) -> None:
        """Fetch the commits of claims, by the tag that each will get; no ref of this clone is changed.

        Raises:
            Unreachable: the remote does not answer.
        """

    @mutates("the release's number is claimed on the remote")
    def claim(self, tag: str, commit: str, *, abandons: Iterable[str] = (), drops: Iterable[str] = ()) -> None:
        """Claim a release's number on the remote.

        The claim replaces the one that the cached refs show. If somebody has changed a claim since, nothing changes.

        Args:
            tag: the tag that the release will get.
            commit: full hash of the release commit, which is pushed with the claim.
            abandons: the tags of claims to turn into abandoned numbers.
            drops: the tags of claims to delete, so that their numbers are free again.

        Raises:
            Refused: somebody else has claimed the number in the meantime.
            PushFailed: the remote accepts no claim.
        """

    @mutates("the release is given up on the remote")
    def abandon(self, tag: str, commit: str) -> None:
        """Give up a release's number for good: delete its claim, and leave a ref that says so.

        Args:
            tag: the tag that the release would have got.
            commit: the commit for the ref to name: the release's or, if no clone has it, any other.

        Raises:
            PushFailed: the remote rejects the change, and nothing has changed there.
        """

    @mutates("the release's number is not claimed any more")
    def withdraw_claim(self, tag: str) -> None:
        """Delete the claim of a release's number that the cached refs show.

        Args:
            tag: the tag that the release would have got.

        Raises:
            PushFailed: the remote rejects the change, or somebody else has changed the claim since.
        """

    @mutates("branch and tag are on the remote")
    def push(self, *, branch: str, tag: str, tip: str = "", on_progress: Callable[[str], None] | None = None) -> None:
        """Push a tag and, if `branch` is not empty, the branch up to the tagged commit, in one atomic push.

        The same push deletes the claim of the release.

        Args:
            branch: the branch's short name, or empty to push only the tag.
            tag: the tag's name.
            tip: the commit to push to the branch; empty for the tagged commit.
            on_progress: called in another thread with lines of progress, if the push takes longer than a second.

        Raises:
            BranchProtected: the remote accepts changes of the branch only through a pull request.
            PushFailed: a ref was rejected, so that neither was changed on the remote.
        """

    @mutates("the branch is on the remote", needs_lock=False)
    def replace_branch(self, branch: str, commit: str, *, expected: str) -> None:
        """Let a branch of the remote end at another commit, whatever it ends at now.

        Args:
            branch: the branch's short name.
            commit: full hash of the commit.
            expected: where the branch must end now; empty if there must be none.

        Raises:
            Refused: the branch has changed meanwhile; nothing was pushed.
            PushFailed: the remote rejects the branch.
        """

    @mutates("the commit is exported", needs_lock=False)
    def export(self, commit: str, destination: Path, folder: str = ".") -> None:
        """Write the files of a commit into an empty folder.

        Args:
            commit: the commit.
            destination: the empty folder.
            folder: which files: those of the app's folder, or of `..`, `../..` and so on.

        Raises:
            Refused: the folder is outside the repository, or the commit lacks it.
        """

    def history(self, tips: Iterable[str], *, version_file: str) -> Mapping[str, Commit]:
        """Return the commits that lead to some commits, by full hash, down to the last one that all of them share.

        Commits that this clone lacks are left out; in a shallow clone, so is what comes before its oldest commits.

        Args:
            tips: full hashes.
            version_file: the app's file that a release sets.
        """

    def is_shallow(self) -> bool:
        """Return whether this is a shallow clone, which lacks commits."""

    def commit_time(self, commit: str) -> datetime:
        """Return the time at which a commit was committed, in UTC."""

    def path_in_repository(self, path: str) -> str:
        """Return the path of an app's file from the top of its repository: `backend/VERSION`."""

    def web_url(self) -> str:
        """Return the URL of the remote's web page, without credentials, or an empty string."""
