"""Version control with git."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.git.command import OLDEST, Git
from kaizen_tasks.adapters.git.fast_forward import land
from kaizen_tasks.adapters.git.objects import IDENTITY_HINT, write_commit, write_tag
from kaizen_tasks.adapters.git.snapshot import RELEASES, TAGS, Look
from kaizen_tasks.adapters.git.urls import address, web_address
from kaizen_tasks.errors import NotFound, Refused
from kaizen_tasks.ports.types import Head

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kaizen_tasks.ports.types import Remote

_UNDER_WAY = {
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
        remote: name of the remote that releases are pushed to.
        tag: name of a release's tag; `{version}` stands for `1.2.3`.
        sign: whether tags are signed, with gpg or ssh as git is configured.
        atomic: whether branch and tag are pushed both or neither; not every remote can take them so.
    """

    def __init__(
        self, root: Path, *, remote: str = "origin", tag: str = "v{version}", sign: bool = False, atomic: bool = True
    ) -> None:
        self._atomic = atomic
        self._git = Git(root)
        self._look = Look(self._git)
        self._remote = remote
        self._tag = _TagName(tag)
        self._sign = sign

    def look_again(self) -> None:
        """Forget what has been seen; whatever changes the repository from here does so too."""
        self._look = Look(self._git)

    def head(self) -> Head:
        """Return where the checkout stands.

        Raises:
            Refused: not a repository, or one without a commit.
        """
        here = self._look.position
        return Head(commit=here.commit, branch=here.branch)

    def commit_of(self, name: str) -> str:
        """Return the full hash of the commit that a ref, tag or hash names, or an empty string."""
        return self._look.commit_of(name) if name else ""

    def read(self, commit: str, path: str) -> bytes | None:
        """Return a file's content at a commit, or None when it is not there."""
        asked = os.fsencode(f"{commit}:{self._git.place.prefix}{path}\n")
        header, _, content = self._git.must("cat-file", "--batch", given=asked).out.partition(b"\n")
        words = header.split(b" ")
        return content[:-1] if len(words) == 3 and words[1] == b"blob" else None

    def modified(self) -> tuple[str, ...]:
        """Return the app's tracked files whose content differs from HEAD, staged or not, sorted."""
        return self._look.modified

    def obstacles(self) -> tuple[str, ...]:
        """Return what stands in the way of a commit, each with what to type."""
        place = self._git.place
        found = [text for name, text in _UNDER_WAY.items() if (place.folder / name).exists()]
        if place.index.with_name("index.lock").exists():
            found.append(f"another git is at work: wait for it; if there is none, rm {place.index}.lock")
        if place.shallow:
            found.append("this is a shallow clone: git fetch --unshallow")
        if self._git.version < OLDEST:
            found.append(f"git is older than {'.'.join(map(str, OLDEST))}: install a newer one")
        if not (self._look.identity("AUTHOR").ok and self._look.identity("COMMITTER").ok):
            found.append(f"git does not know who commits: {IDENTITY_HINT}")
        return tuple(found)

    def tags(self, *, behind: str = "") -> tuple[str, ...]:
        """Return the names of the tags in this clone, or only those of a commit and its ancestors."""
        if not behind:
            return self._look.tags
        output = self._git.must("for-each-ref", "--format=%(refname:lstrip=2)", "--merged", behind, "refs/tags")
        return tuple(output.text.split())

    def touched(self, since: str, until: str) -> tuple[str, ...]:
        """Return the app's files that the commits after `since`, up to `until`, have changed; sorted."""
        span = f"{since}..{until}" if since else until
        output = self._git.must(
            "log", "-m", "--first-parent", "--format=", "--name-only", "--relative", "--no-renames", "-z", span, "--",
        )  # fmt: skip
        return tuple(sorted({path for path in output.items if path}))

    def is_ancestor(self, old: str, new: str) -> bool:
        """Return whether `old` is reachable from `new`; a commit that is not in this clone never is.

        Raises:
            NotFound: `new` is not in this clone, so that nobody can say.
        """
        if self._git.is_ancestor(old, new):
            return True
        if not self.commit_of(new):
            raise NotFound(f"the commit {new[:12]} is not in this clone", hint=f"git fetch {self._remote}")
        return False

    def pending(self) -> Mapping[str, str]:
        """Return the releases that were begun here and are not finished: name (`v1.2.3`) to commit.

        One whose tag somebody has set on another commit is nobody's business any more.
        """
        begun = {tag: at for tag, at in self._look.begun.items() if self._tagged(tag) in {"", at}}
        named = ((self._tag.release(tag), at) for tag, at in begun.items())
        return {name: commit for name, commit in named if name}

    def changes(self, commit: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Return the names of the files that git would store differently from what a commit holds."""
        return self._look.staged(commit, files).changed if files else ()

    def write_commit(self, *, parent: str, files: Mapping[str, bytes], message: str) -> str:
        """Write a commit object: the parent's tree with these files replaced. No ref, index or file changes.

        Raises:
            Refused: a hook rejected it, or there is no identity.
        """
        return write_commit(self._git, parent=parent, tree=self._look.staged(parent, files).tree, message=message)

    def keep(self, name: str, commit: str) -> None:
        """Remember a release that was begun, by a private ref."""
        self._change(f"update {self._private(name)}\0{commit}\0", reason=f"begin {name}")

    def forget(self, name: str) -> None:
        """Drop that private ref."""
        self._change(f"delete {self._private(name)}\0", reason=f"forget {name}")

    def land(self, commit: str, *, paths: tuple[str, ...]) -> None:
        """Move the branch forward to a commit, and `paths` in index and working tree with it.

        Raises:
            Refused: the branch has moved meanwhile, or a path holds other changes.
        """
        try:
            land(self._git, self._look, commit, paths)
        finally:
            self.look_again()

    def prepare(self, name: str, commit: str, message: str) -> None:
        """Write the annotated tag and let the release's private ref name it, unless there is one on this commit.

        Raises:
            Refused: the tag exists on another commit, or it could not be signed.
        """
        if self._made(name, commit) or self._taken(name, commit):
            return
        made = self._make(name, commit, message)
        self._change(f"update {RELEASES}{name}\0{made}\0", reason=f"prepare {name}")

    def tag(self, name: str, commit: str, message: str) -> None:
        """Create an annotated tag and drop the release's private ref, in one transaction.

        Raises:
            Refused: the tag exists on another commit.
        """
        dropped = f"delete {RELEASES}{name}\0"
        self._change(*self._tagging(name, commit, message), dropped, reason=f"tag {name}")

    def seal(self, commit: str, *, paths: tuple[str, ...], tag: str, message: str) -> None:
        """Move the branch forward and create the annotated tag, in one transaction; then bring `paths` along.

        Until they have come along the private ref stays: it tells the next run that they are still behind.

        Raises:
            Refused: the branch has moved, a path holds other changes, or the tag exists on another commit.
        """
        kept = f"update {RELEASES}{tag}\0{commit}\0"
        try:
            land(self._git, self._look, commit, paths, with_refs=(*self._tagging(tag, commit, message), kept))
        finally:
            self.look_again()
        self._change(f"delete {RELEASES}{tag}\0", reason=f"finish {tag}")

    def _tagging(self, name: str, commit: str, message: str) -> tuple[str, ...]:
        """Return the ref commands that make a tag of a release."""
        if self._taken(name, commit):
            return ()
        made = self._made(name, commit) or self._make(name, commit, message)
        return (f"create {TAGS}{name}\0{made}",)

    def _tagged(self, name: str) -> str:
        """Return the commit of a tag, or an empty string."""
        return self._look.commit_of(f"{TAGS}{name}")

    def _taken(self, name: str, commit: str) -> bool:
        """Return whether the tag is there; raise when it is on another commit."""
        there = self._tagged(name)
        if there not in {"", commit}:
            raise _tag_taken(name, there)
        return bool(there)

    def _made(self, name: str, commit: str) -> str:
        """Return the hash of a tag that was made before, and has no name yet, or an empty string."""
        return self._look.made(name) if self._look.begun.get(name) == commit else ""

    def _make(self, name: str, commit: str, message: str) -> str:
        """Write a tag object and return its hash."""
        tagger = None if self._sign else self._look.identity("COMMITTER")
        return write_tag(self._git, name=name, commit=commit, message=message, tagger=tagger)

    def remote(self, branch: str) -> Remote | None:
        """Ask the remote for a branch and its tags; None when there is no remote.

        Raises:
            Unreachable: it does not answer.
        """
        from kaizen_tasks.adapters.git import push

        return push.ask(self._git, self._remote, branch)

    def publish(self, *, branch: str, tag: str) -> None:
        """Push the branch (when not empty) as far as the tag, and the tag, in one atomic push.

        Raises:
            PushFailed: any of them was rejected; then none has moved.
        """
        from kaizen_tasks.adapters.git import push

        named = (f"{TAGS}{tag}", f"{RELEASES}{tag}^{{tag}}")
        source = next((each for each in named if self._look.commit_of(each)), "")
        push.publish(self._git, self._remote, branch=branch, tag=tag, source=source, atomic=self._atomic)

    def export(self, commit: str, into: Path) -> None:
        """Write the app's files of a commit into an empty folder, as they are committed."""
        from kaizen_tasks.adapters.git.archive import export

        export(self._git, commit, into)

    def committed(self, commit: str) -> datetime:
        """Return the commit's time, in UTC."""
        output = self._git.must("log", "-1", "--no-show-signature", "--format=%ct", "--end-of-options", commit)
        return datetime.fromtimestamp(int(output.text), UTC)

    def source(self) -> str:
        """Return the remote's address for people, without credentials, or an empty string."""
        return web_address(address(self._git, self._remote))

    def _private(self, name: str) -> str:
        return f"{RELEASES}{self._tag.of(name)}"

    def _change(self, *commands: str, reason: str) -> None:
        changed = self._git.transact(*commands, reason=reason)
        self.look_again()
        if not changed.ok:
            raise Refused(f"git cannot {reason}: {changed.reason}", state="no ref has changed")


class _TagName:
    """How a release's name and its tag belong together: `v1.2.3` is tagged `web-v1.2.3` under `web-v{version}`.

    Private refs carry the tag's name, so that two apps in one repository do not take each other's.
    """

    def __init__(self, pattern: str) -> None:
        before, _, after = pattern.partition("{version}")
        self._before, self._after = before, after
        self._pattern = re.compile(rf"{re.escape(before)}(\d+\.\d+\.\d+[^/]*){re.escape(after)}")

    def of(self, release: str) -> str:
        """Return the tag of a release."""
        return f"{self._before}{release.removeprefix('v')}{self._after}"

    def release(self, tag: str) -> str:
        """Return the release of a tag, or an empty string when it is not one of this app's."""
        match = self._pattern.fullmatch(tag)
        return f"v{match[1]}" if match else ""


def _tag_taken(name: str, commit: str) -> Refused:
    return Refused(
        f"the tag {name} exists on another commit ({commit[:12]})",
        state="it has not been moved; a release's tag never is",
        hint=f"git show {name} shows whose it is; release as the next version",
    )
