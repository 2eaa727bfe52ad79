"""The app's git repository: its refs, and what the remote has of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.git.fast_forward import fast_forward
from kaizen_tasks.adapters.git.identity import IDENTITY_HINT, committer_of, dated_now
from kaizen_tasks.adapters.git.objects import write_tag
from kaizen_tasks.adapters.git.repository import GitRepository
from kaizen_tasks.adapters.git.snapshot import BRANCH_PREFIX, PENDING_PREFIX, TAG_PREFIX, RepoSnapshot
from kaizen_tasks.domain.tag_pattern import TagPattern
from kaizen_tasks.domain.version import image_tag
from kaizen_tasks.errors import Refused, Unreachable

if TYPE_CHECKING:
    from kaizen_tasks.adapters.git.remote_refs import Remote
    from kaizen_tasks.domain.git.remote_refs import RemoteRefs

_SIGNING_SWITCHES = ("tag.gpgsign", "tag.forcesignannotated")


class GitScm(GitRepository):
    """A git repository around the app's folder.

    Args:
        root: the app's folder: the repository's own, or one inside it.
        remote: name of the remote to which releases are pushed; empty to find it in git's configuration.
        tag: pattern of a release's tag, in which `{version}` is replaced by `1.2.3`.
        sign: whether tags are signed, with gpg, ssh or x509 as git is configured; None if git's configuration says so.
        atomic: whether branch and tag are pushed both or neither, which not every remote supports.
        shows_progress: whether pushes report their progress; meant for terminals, not for logs.
    """

    def __init__(
        self,
        root: Path,
        *,
        remote: str = "",
        tag: str = "v{version}",
        sign: bool | None = None,
        atomic: bool = True,
        shows_progress: bool = False,
    ) -> None:
        super().__init__(root, remote=remote)
        self._atomic = atomic
        self._shows_progress = shows_progress
        self._tag_pattern = TagPattern(template=tag)
        self._sign = sign
        self._pushed_tags: set[str] = set()
        self._remotes: dict[str, tuple[Remote, ...] | Unreachable] = {}

    def invalidate_cache(self, *, remote: bool = False) -> None:
        """Discard what was read from the repository; every method that changes the repository does so too."""
        self._snapshot = RepoSnapshot(self._git, self._written)
        if remote:
            self._remotes.clear()

    def pending_releases(self) -> Mapping[str, str]:
        """Return the commits of this clone's unfinished releases, by release name (`v1.2.3`).

        A release whose tag is on another commit is left out.
        """
        releases = ((self._tag_pattern.parse(tag), tag, commit) for tag, commit in self._snapshot.pending.items())
        pending = [release for release in releases if self._tagged_commit(release[1]) in {"", release[2]}]
        return {image_tag(version): commit for version, _, commit in pending if version}

    def save_pending(self, name: str, commit: str) -> None:
        """Record an unfinished release in a private ref."""
        self._update_refs(f"update {self._pending_ref(name)}\0{commit}\0", reason=f"begin {name}")

    def drop_pending(self, name: str) -> None:
        """Delete the private ref of an unfinished release."""
        self._update_refs(f"delete {self._pending_ref(name)}\0", reason=f"forget {name}")

    def fast_forward(self, commit: str, *, paths: tuple[str, ...]) -> None:
        """Fast-forward the branch to a commit, and update `paths` in index and working tree."""
        try:
            fast_forward(self._git, self._snapshot, commit, paths)
        finally:
            self.invalidate_cache()

    def create_tag_object(self, name: str, commit: str, message: str) -> None:
        """Create an annotated tag object, if missing, and point the ref `refs/kaizen/release/<tag>` at the object.

        If the remote had the tag when its refs were read last, fetch that one: git never replaces a tag by another.
        """
        if self._tag_exists(name, commit) or self._fetch_tag(name, commit) or self._prepared_tag(name, commit):
            return
        tag_object = self._write_tag(name, commit, message)
        self._update_refs(f"update {PENDING_PREFIX}{name}\0{tag_object}\0", reason=f"prepare {name}")

    def create_tag(self, name: str, commit: str, message: str) -> None:
        """Create the release's annotated tag, unless it exists, and delete the private ref, in one transaction."""
        pending_deletion = f"delete {PENDING_PREFIX}{name}\0"
        self._update_refs(*self._tag_commands(name, commit, message), pending_deletion, reason=f"tag {name}")

    def fast_forward_and_tag(self, commit: str, *, paths: tuple[str, ...], tag: str, message: str) -> None:
        """Fast-forward the branch and create the annotated tag, in one transaction; then update `paths`.

        The private ref is deleted last, so that the next run finishes an interrupted update of `paths`.
        """
        try:
            commands = (*self._tag_commands(tag, commit, message), f"update {PENDING_PREFIX}{tag}\0{commit}\0")
            fast_forward(self._git, self._snapshot, commit, paths, ref_commands=commands)
        finally:
            self.invalidate_cache()
        self._update_refs(f"delete {PENDING_PREFIX}{tag}\0", reason=f"finish {tag}")

    def _tag_commands(self, name: str, commit: str, message: str) -> tuple[str, ...]:
        """Return the ref commands that create a release's tag; none when the tag exists."""
        if self._tag_exists(name, commit) or (self._fetch_tag(name, commit) and self._tag_exists(name, commit)):
            return ()
        tag_object = self._prepared_tag(name, commit) or self._write_tag(name, commit, message)
        return (f"create {TAG_PREFIX}{name}\0{tag_object}",)

    def _tagged_commit(self, name: str) -> str:
        """Return the commit of a tag, or an empty string when there is no such tag."""
        return self._snapshot.resolve_commit(f"{TAG_PREFIX}{name}")

    def _tag_exists(self, name: str, commit: str) -> bool:
        """Return whether the tag exists; raise Refused when it is on another commit."""
        tag_commit = self._tagged_commit(name)
        if tag_commit not in {"", commit}:
            raise _tag_conflict_error(name, tag_commit)
        return bool(tag_commit)

    def _fetch_tag(self, name: str, commit: str) -> bool:
        """Fetch a tag that the remote had when its refs were read last, and the branch; return whether it had it.

        The private ref then names the tag, since the tag appears in this clone together with the branch's move. What
        this process has pushed itself is here.
        """
        ref = f"{TAG_PREFIX}{name}"
        if name in self._pushed_tags:
            return False
        for remote in chain(*(remotes for remotes in self._remotes.values() if not isinstance(remotes, Unreachable))):
            if remote.refs.get(ref) == commit:
                branches = [name for name in remote.refs if name == f"{BRANCH_PREFIX}{self.push_target().branch}"]
                self._fetch(remote, [f"+{ref}:{PENDING_PREFIX}{name}", *branches], is_tracked=True)
                if not self._prepared_tag(name, commit):  # somebody's lightweight tag, which has no object to keep
                    self._fetch(remote, [f"{ref}:{ref}"], is_tracked=True)
                return True
        return False

    def _prepared_tag(self, name: str, commit: str) -> str:
        """Return the hash of the tag object to which the private ref points, or an empty string."""
        return self._snapshot.tag_object(name) if self._snapshot.pending.get(name) == commit else ""

    def _write_tag(self, name: str, commit: str, message: str) -> str:
        """Write a tag object and return its hash."""
        committer = b"" if self._signs_tags else dated_now(self._committer_for(commit))
        tag_object = write_tag(self._git, name=name, commit=commit, message=message, committer=committer)
        self._written[tag_object] = commit
        return tag_object

    def _committer_for(self, commit: str) -> bytes:
        """Return the committer, whom a commit of this process names already."""
        if commit in self._written:
            return committer_of(self._git, commit)
        if not self._committer.ok:
            raise Refused(f"git has no committer for the tag: {self._committer.reason}", hint=IDENTITY_HINT)
        return self._committer.out.strip()

    @property
    def _signs_tags(self) -> bool:
        config = self._git.config
        return any(map(config.is_true, _SIGNING_SWITCHES)) if self._sign is None else self._sign

    def remote_refs(self, branch: str) -> RemoteRefs | None:
        """Ask the remote for a branch, all tags and all claims; None when there is no remote."""
        self._remotes.clear()
        return self.cached_remote_refs(branch)

    def cached_remote_refs(self, branch: str) -> RemoteRefs | None:
        """Return what the remote answered last, or ask it if something was pushed since or nothing is cached."""
        from kaizen_tasks.adapters.git import remote_refs

        remotes = self._read_remotes(branch)
        return remote_refs.sort_refs(remote_refs.merge_refs(remotes, self._own_commit), branch) if remotes else None

    def _read_remotes(self, branch: str) -> tuple[Remote, ...]:
        """Return the remote, once for each of its push URLs, from the cache, which keeps an error as well, or anew."""
        from kaizen_tasks.adapters.git import remote_refs

        if branch not in self._remotes:
            name = self.push_target().remote
            remotes = remote_refs.find_remotes(self._git, name, atomic=self._atomic) if name else ()
            try:
                self._remotes[branch] = tuple(remote_refs.read_refs(remote, branch) for remote in remotes)
            except Unreachable as error:
                self._remotes[branch] = error
        answer = self._remotes[branch]
        if isinstance(answer, Unreachable):
            raise answer
        return answer

    def _own_commit(self, tag_ref: str) -> str:
        """Return the commit of a tag of this clone, published or not, or an empty string."""
        return self._tagged_commit(tag := tag_ref.removeprefix(TAG_PREFIX)) or self._snapshot.pending.get(tag, "")

    def fetch_branch(self, branch: str) -> None:
        """Fetch the commits of a branch of the remote; no ref of this clone is changed."""
        ref = f"{BRANCH_PREFIX}{branch}"
        for remote in self._known_remotes():
            self._fetch(remote, [ref])

    def fetch_claims(self, tags: Iterable[str]) -> None:
        """Fetch the commits of claims; no ref of this clone is changed."""
        from kaizen_tasks.adapters.git.remote_refs import claim_refs

        remote = self._known_remotes()[0]
        self._fetch(remote, [ref for tag in tags for ref in claim_refs(remote.refs, tag)])

    def _fetch(self, remote: Remote, refs: list[str], *, is_tracked: bool = False) -> None:
        from kaizen_tasks.adapters.git import claims

        claims.fetch(remote, refs, is_tracked=is_tracked)
        self.invalidate_cache()

    def claim(self, tag: str, commit: str, *, abandons: Iterable[str] = (), drops: Iterable[str] = ()) -> None:
        """Claim a release's number on the remote."""
        from kaizen_tasks.adapters.git import claims

        remote = self._known_remotes()[0]
        try:
            claims.claim(remote, tag, commit, abandons=abandons, drops=drops)
        finally:
            self.invalidate_cache(remote=True)

    def abandon(self, tag: str, commit: str) -> None:
        """Delete the claim of a release's number, and leave a ref that keeps it from being used again."""
        from kaizen_tasks.adapters.git import claims

        remote = self._known_remotes()[0]
        try:
            claims.abandon(remote, tag, commit)
        finally:
            self.invalidate_cache(remote=True)

    def withdraw_claim(self, tag: str) -> None:
        """Delete the claim of a release's number, which is free again."""
        from kaizen_tasks.adapters.git import claims

        remote = self._known_remotes()[0]
        try:
            claims.withdraw(remote, tag)
        finally:
            self.invalidate_cache(remote=True)

    def push(self, *, branch: str, tag: str, tip: str = "", on_progress: Callable[[str], None] | None = None) -> None:
        """Push the tag and, if `branch` is not empty, the branch up to the tagged commit; atomically if configured."""
        from kaizen_tasks.adapters.git import push

        candidates = (f"{TAG_PREFIX}{tag}", f"{PENDING_PREFIX}{tag}^{{tag}}")
        tag_ref = next((ref for ref in candidates if self._snapshot.resolve_commit(ref)), "")
        progress = on_progress if self._shows_progress else None
        remotes = self._known_remotes(branch)
        push_to = partial(push.push_refs, branch=branch, tag=tag, tag_ref=tag_ref, tip=tip, on_progress=progress)
        try:
            push.push_to_all(remotes, tag, push_to)
            self._pushed_tags.add(tag)
        finally:
            self.invalidate_cache(remote=True)

    def replace_branch(self, branch: str, commit: str, *, expected: str) -> None:
        """Let a branch of the remote end at another commit, if it is as expected."""
        from kaizen_tasks.adapters.git import claims

        try:
            claims.replace_branch(self._known_remotes(branch)[0], branch, commit, expected=expected)
        finally:
            self.invalidate_cache(remote=True)

    def _known_remotes(self, branch: str = "") -> tuple[Remote, ...]:
        """Return the remote with its cached refs, once for each push URL.

        Raises:
            PushFailed: there is no remote.
        """
        from kaizen_tasks.adapters.git.push import no_remote_error

        remotes = self._read_remotes(branch or self.push_target().branch)
        if not remotes:
            raise no_remote_error()
        return remotes

    def _pending_ref(self, release: str) -> str:
        return f"{PENDING_PREFIX}{self._tag_pattern.format(release.removeprefix('v'))}"

    def _update_refs(self, *commands: str, reason: str) -> None:
        try:
            result = self._git.update_refs(*commands, reason=reason)
        finally:
            self.invalidate_cache()
        if not result.ok:
            raise Refused(f"git cannot {reason}: {result.reason}", state="no ref has changed")


def _tag_conflict_error(name: str, commit: str) -> Refused:
    return Refused(
        f"the tag {name} exists on another commit ({commit[:12]})",
        state="it was not moved: a release's tag never moves",
        hint=f"git show {name} shows who created it; release the next version",
    )
