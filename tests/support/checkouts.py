"""The kinds of git checkout in which a release must work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contracts.scm import FILES
from tests.support.git_repository import Repository, make_repository

if TYPE_CHECKING:
    from pathlib import Path


def plain(where: Path) -> Repository:
    return make_repository(where)


def with_spaces(where: Path) -> Repository:
    return make_repository(where, name="mein Büro 本")


def with_sha256(where: Path) -> Repository:
    return make_repository(where, object_format="sha256")


def in_a_subfolder(where: Path) -> Repository:
    repository = make_repository(where, {f"apps/wéb app/{path}": content for path, content in FILES.items()})
    return Repository(repository.path / "apps" / "wéb app", repository.remote)


def in_a_worktree(where: Path) -> Repository:
    repository = make_repository(where)
    repository.git("checkout", "--quiet", "-b", "elsewhere")
    repository.git("worktree", "add", "--quiet", str(where / "tree"), "main")
    return Repository(where / "tree", repository.remote)


def in_a_submodule(where: Path) -> Repository:
    inner = make_repository(where / "inner")
    outer = make_repository(where / "outer", {"README.md": b"outer\n"})
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.remote), "app")
    return Repository(outer.path / "app", inner.remote)


def with_crlf(where: Path) -> Repository:
    repository = make_repository(where)
    repository.git("config", "core.autocrlf", "true")
    repository.write({path: content.replace(b"\n", b"\r\n") for path, content in FILES.items()})
    repository.git("add", "--renormalize", ".")
    return repository


def with_hooks_elsewhere(where: Path) -> Repository:
    repository = make_repository(where)
    repository.git("config", "core.hooksPath", str(where / "hooks"))
    repository.hook("pre-commit", 'test "$(git diff --cached --name-only)" != ""')
    return repository


def with_sparse_checkout(where: Path) -> Repository:
    repository = make_repository(where, {**FILES, "big/data": b"data\n", "docs/a.md": b"a\n"})
    repository.git("sparse-checkout", "set", "--no-cone", "/*", "!/big/", "!/CHANGELOG.md")
    return repository


def with_a_sparse_index(where: Path) -> Repository:
    repository = make_repository(where, {**FILES, "big/data": b"data\n", "docs/a.md": b"a\n"})
    repository.git("sparse-checkout", "set", "--cone", "--sparse-index", "docs")
    return repository


LAYOUTS = (
    plain, with_spaces, with_sha256, in_a_subfolder, in_a_worktree, in_a_submodule, with_crlf,
    with_hooks_elsewhere, with_sparse_checkout, with_a_sparse_index,
)  # fmt: skip
