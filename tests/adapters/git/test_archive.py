"""Exporting the files of a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.errors import Refused
from tests.support.checkouts import in_a_submodule
from tests.support.git_repository import Repository, make_repository

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


class TestExport:
    @pytest.fixture
    def into(self, tmp_path: Path) -> Path:
        path = tmp_path / "export"
        path.mkdir()
        return path

    def test_honours_the_export_attributes(self, repository: Repository, scm: GitScm, into: Path) -> None:
        attributes = b"tests export-ignore\nREVISION export-subst\n"
        files = {".gitattributes": attributes, "REVISION": b"$Format:%H$\n", "tests/a": b"", "b": b""}
        commit = repository.commit(files)
        scm.export(commit, into)

        assert not (into / "tests").exists()
        assert (into / "REVISION").read_text() == f"{commit}\n"

    def test_keeps_links_modes_and_names(self, repository: Repository, scm: GitScm, into: Path) -> None:
        (repository.path / "link").symlink_to("app.py")
        (repository.path / "absolute").symlink_to("/dev/null")
        (repository.path / "run me").write_text("#!/bin/sh\n")
        (repository.path / "run me").chmod(0o755)
        commit = repository.commit({"Büro/本.txt": b"text"})
        repository.git("add", ".")
        repository.git("commit", "--quiet", "--message", "More")
        scm.export(scm.head().commit, into)

        assert commit != scm.head().commit
        assert (into / "link").readlink().name == "app.py"
        assert str((into / "absolute").readlink()) == "/dev/null"
        assert (into / "run me").stat().st_mode & 0o777 == 0o755
        assert (into / "app.py").stat().st_mode & 0o777 == 0o644
        assert (into / "Büro/本.txt").read_bytes() == b"text"

    def test_leaves_large_files_the_pointers_they_are(self, repository: Repository, scm: GitScm, into: Path) -> None:
        repository.git("config", "filter.lfs.smudge", 'test "$GIT_LFS_SKIP_SMUDGE" && cat || echo fetched')
        commit = repository.commit({".gitattributes": b"*.bin filter=lfs\n", "a.bin": b"pointer\n"})
        scm.export(commit, into)

        assert (into / "a.bin").read_bytes() == b"pointer\n"

    def test_leaves_submodules_empty(self, tmp_path: Path, into: Path) -> None:
        outer = in_a_submodule(tmp_path / "here").path.parent
        repository = Repository(outer, outer)
        repository.git("commit", "--quiet", "--message", "Submodule")
        GitScm(outer).export("HEAD", into)

        assert list((into / "app").iterdir()) == []

    def test_missing_commit_is_refused(self, scm: GitScm, into: Path) -> None:
        with pytest.raises(Refused, match="cannot be exported"):
            scm.export("f" * 40, into)

    def test_context_above_the_app_is_exported_with_it(self, tmp_path: Path, into: Path) -> None:
        repository = make_repository(tmp_path, {"api/VERSION": b"0.1.0\n", "lib/shared.py": b"", "web/page": b""})
        scm = GitScm(repository.path / "api")
        scm.export("HEAD", into, "..")

        assert sorted(path.name for path in into.iterdir()) == ["api", "lib", "web"]

    def test_context_outside_the_repository_is_refused(self, scm: GitScm, into: Path) -> None:
        with pytest.raises(Refused, match=r'needs "\.\.", which leads out of the repository'):
            scm.export("HEAD", into, "..")


def test_changes_above_the_app_are_relative_to_it(tmp_path: Path) -> None:
    repository = make_repository(tmp_path, {"api/VERSION": b"0.1.0\n", "lib/shared.py": b""})
    (repository.path / "lib" / "shared.py").write_text("changed")
    scm = GitScm(repository.path / "api")

    assert (scm.modified_files(), scm.modified_files("..")) == ((), ("../lib/shared.py",))
