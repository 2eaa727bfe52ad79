"""One look at a repository: what several questions of one decision have in common is asked of git once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.git.objects import stage
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from kaizen_tasks.adapters.git.command import Git, Output
    from kaizen_tasks.adapters.git.objects import Staged

BRANCHES, TAGS, RELEASES = "refs/heads/", "refs/tags/", "refs/kaizen/release/"
_TAG = re.compile(r"refs/tags/[\w./+-]+")


@frozen
class Position:
    """Where HEAD is.

    Attributes:
        commit: full hash.
        ref: full name of the branch, or `HEAD` when it is detached.
    """

    commit: str
    ref: str

    @property
    def branch(self) -> str:
        """The branch's short name, or empty when HEAD is detached."""
        return self.ref.removeprefix(BRANCHES) if self.ref.startswith(BRANCHES) else ""


@frozen(kw_only=True)
class _Refs:
    """All branches, tags and private refs.

    Attributes:
        position: where HEAD is, or None when it is on no branch that exists.
        named: what each ref names itself, be it a commit or a tag object, in the order of their names.
    """

    position: Position | None
    named: Mapping[str, str]


class Look:
    """What a repository shows, each part asked of git when it is first wanted.

    Whoever changes something, or has let time pass, takes a new look: nothing in this one is ever asked again.

    Args:
        git: the repository.
    """

    def __init__(self, git: Git) -> None:
        self._git = git
        self._commits: dict[str, str] = {}
        self._identities: dict[str, Output] = {}
        self._staged: dict[tuple[str, tuple[tuple[str, bytes], ...]], Staged] = {}

    @cached_property
    def position(self) -> Position:
        """Where HEAD is.

        Raises:
            Refused: not a repository, or one without a commit.
        """
        self._git.place  # noqa: B018 - says better what is wrong with the folder
        if self._refs.position is not None:
            return self._refs.position
        output = self._git.run("rev-parse", "HEAD", "--symbolic-full-name", "HEAD")
        if not output.ok:
            raise Refused("the repository has no commit yet", hint="git add, then git commit")
        return Position(*output.text.split("\n"))

    @property
    def tags(self) -> tuple[str, ...]:
        """The names of all tags."""
        return tuple(ref.removeprefix(TAGS) for ref in self._refs.named if ref.startswith(TAGS))

    @cached_property
    def begun(self) -> Mapping[str, str]:
        """The commits of the releases that were begun, by the names of their tags."""
        private = tuple(ref for ref in self._refs.named if ref.startswith(RELEASES))
        if not private:
            return {}
        found = self._git.commits_of(*private, *(f"{ref}^{{commit}}^" for ref in private))
        commits, parents = found[: len(private)], found[len(private) :]
        # Where a release was begun is asked wherever it is asked which.
        self._commits.update(zip((f"{commit}^" for commit in commits), parents, strict=True))
        self._commits.update(zip(private, commits, strict=True))
        return {ref.removeprefix(RELEASES): commit for ref, commit in zip(private, commits, strict=True)}

    @cached_property
    def modified(self) -> tuple[str, ...]:
        """The app's tracked files whose content differs from HEAD, staged or not, sorted."""
        prefix = self._git.place.prefix
        output = self._git.must(
            "--no-optional-locks", "status", "--porcelain", "-z", "--no-renames",
            "--untracked-files=no", "--ignore-submodules=dirty", "--", ".",
        )  # fmt: skip
        return tuple(sorted(item[3:].removeprefix(prefix) for item in output.items))

    def commit_of(self, name: str) -> str:
        """Return the full hash of the commit that a ref, tag or hash names, or an empty string."""
        if name not in self._commits:
            unknown = _TAG.fullmatch(name) and name not in self._refs.named
            self._commits[name] = "" if unknown else self._git.commit_of(name)
        return self._commits[name]

    def made(self, tag: str) -> str:
        """Return the hash of the tag object that a private ref keeps, or an empty string."""
        kept = self._refs.named.get(f"{RELEASES}{tag}", "")
        return kept if kept != self.begun.get(tag, "") else ""

    def identity(self, role: str) -> Output:
        """Ask for the name, address and time of the AUTHOR or the COMMITTER."""
        if role not in self._identities:
            self._identities[role] = self._git.run("var", f"GIT_{role}_IDENT")
        return self._identities[role]

    def staged(self, commit: str, files: Mapping[str, bytes]) -> Staged:
        """Return what a commit becomes with these files replaced.

        Raises:
            Refused: git would not add one of them at all, or it is no plain file there.
        """
        asked = commit, tuple(files.items())
        if asked not in self._staged:
            self._staged[asked] = stage(self._git, commit, files)
        return self._staged[asked]

    @cached_property
    def _refs(self) -> _Refs:
        output = self._git.must("for-each-ref", "--format=%(HEAD)%(objectname) %(refname)", BRANCHES, TAGS, RELEASES)
        position, named = None, {}
        for line in filter(None, output.text.split("\n")):
            at, _, ref = line[1:].partition(" ")
            named[ref] = at
            if line[0] == "*":
                position = Position(at, ref)
        return _Refs(position=position, named=named)
