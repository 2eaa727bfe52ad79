"""The contract's scene, once with real repositories and once in memory."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.git.scm import GitScm
from tests.contracts.scm import FILES
from tests.fakes.scm import FakeRemote, FakeScm
from tests.support.git_repository import Repository, clone_repository, make_repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class GitScene:
    """The contract's scene in real repositories; every action of people invalidates the cache."""

    def __init__(self, where: Path) -> None:
        self._where = where
        self._repository = make_repository(where / "here")
        self.scm = GitScm(self._repository.path)

    @cached_property
    def alone(self) -> GitScm:
        other = make_repository(self._where / "alone")
        other.git("remote", "remove", "origin")
        return GitScm(other.path)

    @property
    def empty(self) -> GitScm:
        folder = self._where / "empty"
        folder.mkdir()
        Repository(folder, folder).git("init", "--quiet")
        return GitScm(folder)

    def commit(self, files: Mapping[str, bytes | None]) -> str:
        self.scm.invalidate_cache()
        for path in (path for path, content in files.items() if content is None):
            self._repository.git("rm", "--quiet", path)
        return self._repository.commit({path: content for path, content in files.items() if content is not None})

    def write(self, path: str, content: bytes) -> None:
        self.scm.invalidate_cache()
        self._repository.write({path: content})

    def stage(self, path: str, content: bytes) -> None:
        self.scm.invalidate_cache()
        self._repository.write({path: content})
        self._repository.git("add", path)

    def written(self, path: str) -> bytes | None:
        return (self._repository.path / path).read_bytes()

    def staged(self, path: str) -> bytes | None:
        return self._repository.git_bytes("cat-file", "blob", f":{path}")

    def detach(self) -> None:
        self.scm.invalidate_cache()
        self._repository.git("checkout", "--quiet", "--detach")

    def merge(self) -> None:
        self.scm.invalidate_cache()
        self._repository.git("checkout", "--quiet", "-b", "side")
        self._repository.commit({"side": b""})
        self._repository.git("checkout", "--quiet", "main")
        self._repository.git("merge", "--no-commit", "--no-ff", "side")

    def reject(self, words: str) -> None:
        self._repository.hook("pre-commit", f"echo first line; echo '{words}'; exit 1")

    def protect(self, words: str) -> None:
        self._repository.remote_hook("pre-receive", f"echo 'error: {words}' >&2; exit 1")

    def push_of_others(self) -> None:
        colleague = clone_repository(self._repository, self._where / "colleague")
        colleague.commit({"app.py": b"of others\n"})
        colleague.git("push", "--quiet", "origin", "main")

    @cached_property
    def colleague(self) -> GitScm:
        return GitScm(clone_repository(self._repository, self._where / "clone of a colleague").path)

    def tag_of_others(self, tag: str) -> None:
        colleague = clone_repository(self._repository, self._where / "colleague")
        colleague.git("tag", "--annotate", "--message", tag, tag)
        colleague.git("push", "--quiet", "origin", tag)


class FakeScene:
    """The contract's scene in memory."""

    def __init__(self) -> None:
        self.upstream = FakeRemote()
        self.scm = FakeScm(FILES, remote=self.upstream)
        self.alone = FakeScm(FILES)
        self.empty = FakeScm({})
        self.colleague = FakeScm(FILES, remote=self.upstream)

    def commit(self, files: Mapping[str, bytes | None]) -> str:
        return self.scm.commit(files)

    def write(self, path: str, content: bytes) -> None:
        self.scm.working_tree.write(path, content)

    def stage(self, path: str, content: bytes) -> None:
        self.scm.working_tree.write(path, content)
        self.scm.index[path] = content

    def written(self, path: str) -> bytes | None:
        return self.scm.working_tree.read(path)

    def staged(self, path: str) -> bytes | None:
        return self.scm.index.get(path)

    def detach(self) -> None:
        self.scm.detach()

    def merge(self) -> None:
        self.scm.reported_blockers = ("a merge is under way",)

    def reject(self, words: str) -> None:
        self.scm.hook_message = words

    def protect(self, words: str) -> None:
        self.upstream.protection_message = words

    def push_of_others(self) -> None:
        self.upstream.branches["main"] = commit = self.colleague.commit({"other.py": b"of others\n"}, "Of others")
        self.upstream.commits.update({commit: self.colleague.commits[commit]})

    def tag_of_others(self, tag: str) -> None:
        self.upstream.tags[tag] = "e" * 40
