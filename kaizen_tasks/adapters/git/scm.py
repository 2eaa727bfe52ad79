"""The app's git repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.git.archive import export
from kaizen_tasks.adapters.git.command import MIN_GIT_VERSION, Git
from kaizen_tasks.adapters.git.fast_forward import fast_forward
from kaizen_tasks.adapters.git.merge import write_merge
from kaizen_tasks.adapters.git.objects import IDENTITY_HINT, Check, write_commit, write_tag
from kaizen_tasks.adapters.git.snapshot import BRANCH_PREFIX, PENDING_PREFIX, TAG_PREFIX, RepoSnapshot
from kaizen_tasks.adapters.host.atomic_write import WorkingTree
from kaizen_tasks.domain.push_target import PushTarget, choose_branch, choose_remote
from kaizen_tasks.domain.tag_pattern import TagPattern
from kaizen_tasks.domain.version import image_tag
from kaizen_tasks.errors import NOTHING_CHANGED, NotFound, Refused, Unreachable
from kaizen_tasks.ports.types import HeadState, RemoteRefs

if TYPE_CHECKING:
    from kaizen_tasks.adapters.git.remote_refs import Remote
    from kaizen_tasks.adapters.git.tracked_files import TrackedFiles

_SIGNING_SWITCHES = ("tag.gpgsign", "tag.forcesignannotated")
_OPERATIONS_IN_PROGRESS = {
    "MERGE_HEAD": "a merge is under way: git merge --continue, or --abort",
    "rebase-merge": "a rebase is under way: git rebase --continue, or --abort",
    "rebase-apply": "a rebase is under way: git rebase --continue, or --abort",
    "CHERRY_PICK_HEAD": "a cherry-pick is under way: git cherry-pick --continue, or --abort",
    "REVERT_HEAD": "a revert is under way: git revert --continue, or --abort",
}


class GitScm:
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
        self._atomic = atomic
        self._shows_progress = shows_progress
        self._git = Git(root)
        self._snapshot = RepoSnapshot(self._git)
        self._configured_remote = remote
        self._tag_pattern = TagPattern(template=tag)
        self._sign = sign
        self._remotes: dict[str, tuple[Remote, ...] | Unreachable] = {}
        self._trailers: dict[tuple[str, str], str] = {}

    def invalidate_cache(self, *, remote: bool = False) -> None:
        """Discard what was read from the repository; every method that changes the repository does so too."""
        self._snapshot = RepoSnapshot(self._git)
        if remote:
            self._remotes.clear()

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
        request = os.fsencode(f"{commit}:{self._git.repo.prefix}{path}\n")
        header, _, content = self._git.run_checked("cat-file", "--batch", stdin=request).out.partition(b"\n")
        fields = header.split(b" ")
        return content[:-1] if len(fields) == 3 and fields[1] == b"blob" else None

    def modified_files(self) -> tuple[str, ...]:
        """Return the app's tracked files whose content differs from HEAD, staged or not, sorted."""
        return self._snapshot.modified_files

    def tracked_files(self, folder: str) -> Mapping[str, bool]:
        """Return the files of a folder in the index by path, and of each whether it is checked out."""
        return self._tracked_files.of(folder)

    @cached_property
    def _tracked_files(self) -> TrackedFiles:
        from kaizen_tasks.adapters.git.tracked_files import TrackedFiles

        return TrackedFiles(self._git)

    def ignored_files(self, folder: str) -> tuple[str, ...]:
        """Return the files of a folder that git ignores and does not track."""
        options = ("--others", "--ignored", "--exclude-standard", "-z")
        return tuple(self._git.run_checked("--literal-pathspecs", "ls-files", *options, "--", folder).items)

    def blockers(self) -> tuple[str, ...]:
        """Return descriptions of what prevents a commit, each with a fix."""
        repo = self._git.repo
        blockers = [text for name, text in _OPERATIONS_IN_PROGRESS.items() if (repo.git_dir / name).exists()]
        if repo.index.with_name("index.lock").exists():
            blockers.append(f"another git process is running: wait for it; if there is none, rm {repo.index}.lock")
        if repo.is_shallow:
            blockers.append("this is a shallow clone: git fetch --unshallow")
        if self._git.version < MIN_GIT_VERSION:
            blockers.append(f"git is older than {'.'.join(map(str, MIN_GIT_VERSION))}: install a newer one")
        if not (self._snapshot.identity("AUTHOR").ok and self._snapshot.identity("COMMITTER").ok):
            blockers.append(f"git has no author or committer: {IDENTITY_HINT}")
        return tuple(blockers)

    def committer(self) -> str:
        """Return the committer's name and address, as `git commit --signoff` writes them."""
        identity = self._snapshot.identity("COMMITTER")
        if not identity.ok:
            raise Refused(f"git has no committer: {identity.reason}", state=NOTHING_CHANGED, hint=IDENTITY_HINT)
        return identity.out.decode("utf-8", "replace").rpartition("> ")[0] + ">"

    def tags(self, *, merged_into: str = "") -> tuple[str, ...]:
        """Return the names of all tags, or only of those on a commit and its ancestors."""
        return self._snapshot.merged_tags(merged_into) if merged_into else self._snapshot.tags

    def changed_files(self, since: str, until: str) -> tuple[str, ...]:
        """Return the app's files that the commits after `since` and up to `until` change, sorted."""
        revision_range = f"{since}..{until}" if since else until
        result = self._git.run_checked(
            "log", "-m", "--first-parent", "--format=", "--name-only", "--relative", "--no-renames", "-z",
            revision_range, "--",
        )  # fmt: skip
        return tuple(sorted({path for path in result.items if path}))

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

    def pending_releases(self) -> Mapping[str, str]:
        """Return the commits of this clone's unfinished releases, by release name (`v1.2.3`).

        A release whose tag is on another commit is left out.
        """
        releases = ((self._tag_pattern.parse(tag), tag, commit) for tag, commit in self._snapshot.pending.items())
        pending = [release for release in releases if self._tagged_commit(release[1]) in {"", release[2]}]
        return {image_tag(version): commit for version, _, commit in pending if version}

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
        return write_commit(self._git, parent=parent, tree=tree, paths=tuple(files), message=message, check=check)

    def write_merge(self, *, onto: str, commit: str, files: Mapping[str, bytes | None], message: str) -> str:
        """Write the merge of a commit into another, with some files as given, and return its hash."""
        return write_merge(self._git, onto=onto, commit=commit, files=files, message=message)

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
        if self._tag_exists(name, commit) or self._fetch_tag(name, commit):
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
        """Fetch a tag that the remote had when its refs were read last, and the branch; return whether it had it."""
        ref = f"{TAG_PREFIX}{name}"
        for remote in chain(*(remotes for remotes in self._remotes.values() if not isinstance(remotes, Unreachable))):
            if remote.refs.get(ref) == commit:
                branches = [name for name in remote.refs if name == f"{BRANCH_PREFIX}{self.push_target().branch}"]
                self._fetch(remote, [f"{ref}:{ref}", *branches], is_tracked=True)
                return True
        return False

    def _prepared_tag(self, name: str, commit: str) -> str:
        """Return the hash of the tag object to which the private ref points, or an empty string."""
        return self._snapshot.tag_object(name) if self._snapshot.pending.get(name) == commit else ""

    def _write_tag(self, name: str, commit: str, message: str) -> str:
        """Write a tag object and return its hash."""
        tagger = None if self._signs_tags else self._snapshot.identity("COMMITTER")
        return write_tag(self._git, name=name, commit=commit, message=message, tagger=tagger)

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
        try:
            push.push_to_all(remotes, branch=branch, tag=tag, tag_ref=tag_ref, tip=tip, on_progress=progress)
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

    def export(self, commit: str, destination: Path) -> None:
        """Write the app's files of a commit into an empty folder."""
        export(self._git, commit, destination)

    def commit_time(self, commit: str) -> datetime:
        """Return the time at which a commit was committed, in UTC."""
        result = self._git.run_checked("log", "-1", "--no-show-signature", "--format=%ct", "--end-of-options", commit)
        return datetime.fromtimestamp(int(result.text), UTC)

    def web_url(self) -> str:
        """Return the URL of the remote's web page, or an empty string; a mirror without one is that of its original."""
        from kaizen_tasks.adapters.git.web_page import find_web_page

        try:
            remote = self.push_target().remote
        except Refused:
            return ""  # no link is better than one to a repository that may be another
        return find_web_page(self._git.config, remote)

    def _pending_ref(self, release: str) -> str:
        return f"{PENDING_PREFIX}{self._tag_pattern.format(release.removeprefix('v'))}"

    def _update_refs(self, *commands: str, reason: str) -> None:
        result = self._git.update_refs(*commands, reason=reason)
        self.invalidate_cache()
        if not result.ok:
            raise Refused(f"git cannot {reason}: {result.reason}", state="no ref has changed")


def _tag_conflict_error(name: str, commit: str) -> Refused:
    return Refused(
        f"the tag {name} exists on another commit ({commit[:12]})",
        state="it was not moved: a release's tag never moves",
        hint=f"git show {name} shows who created it; release the next version",
    )
