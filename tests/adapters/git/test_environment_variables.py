"""The environment of the repository: variables, ownership, the git program, remote URLs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.errors import Refused
from tests.contracts.scm import land_and_tag
from tests.support.git_repository import Repository, clone_repository

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


class TestSurroundings:
    @pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"])
    def test_variables_of_another_repository_are_ignored(
        self, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
        scm = GitScm(repository.path)
        commit = land_and_tag(scm)

        assert scm.modified_files() == ()
        assert repository.git("rev-parse", "main") == commit
        assert not (tmp_path / "elsewhere").exists()

    def test_source_date_epoch_dates_commit_and_tag(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("GIT_AUTHOR_DATE", raising=False)
        monkeypatch.delenv("GIT_COMMITTER_DATE", raising=False)
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
        commit = land_and_tag(GitScm(repository.path))

        assert repository.git("log", "-1", "--format=%at %ct %ai", commit).startswith("1767225600 1767225600 2026")
        assert "1767225600 +0000" in repository.git("for-each-ref", "--format=%(taggerdate:raw)", "refs/tags")

    def test_folder_outside_a_repository_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="is not in a git working tree"):
            GitScm(tmp_path).head()

    def test_missing_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="there is no folder"):
            GitScm(tmp_path / "nope").head()

    def test_repository_of_another_user_is_refused(self, scm: GitScm, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

        with pytest.raises(Refused, match="belongs to another user") as failure:
            scm.head()
        assert "git config --global --add safe.directory /" in failure.value.hint

    def test_refuses_when_git_is_not_installed(self, repository: Repository) -> None:
        program = (
            "import sys; from pathlib import Path\n"
            "from kaizen_tasks.adapters.git.scm import GitScm; from kaizen_tasks.errors import Refused\n"
            "try: GitScm(Path(sys.argv[1])).head()\n"
            "except Refused as refused: print(refused.message)\n"
        )
        ran = subprocess.run(
            [sys.executable, "-c", program, str(repository.path)],
            env={"PATH": "/nonexistent"}, capture_output=True, text=True, check=True,
        )  # fmt: skip

        assert ran.stdout == "git is not installed, or not on PATH\n"

    def test_import_of_the_adapters_loads_neither_gitpython_nor_urllib3(self) -> None:
        program = "import sys, kaizen_tasks.adapters.git.scm, kaizen_tasks.adapters.http.prober\nprint(*sys.modules)"
        loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

        assert not {"git", "urllib3"} & set(loaded.stdout.split())

    def test_finds_a_git_that_is_too_old(self, scm: GitScm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        old = tmp_path / "bin" / "git"
        old.parent.mkdir()
        old.write_text(
            '#!/bin/sh\ntest "$1" = version && echo git version 2.34.1 && exit\n'
            f'test "$2" = --batch-command && exit 129\nexec {shutil.which("git")} "$@"\n'
        )
        old.chmod(0o755)
        monkeypatch.setenv("PATH", str(old.parent), prepend=os.pathsep)

        assert scm.blockers() == ("git is older than 2.36: install a newer one",)

    def test_finds_a_shallow_clone(self, repository: Repository, tmp_path: Path) -> None:
        repository.commit({"app.py": b"2\n"})
        repository.git("push", "--quiet")
        shallow = clone_repository(repository, tmp_path / "shallow", "--depth=1")

        (obstacle,) = GitScm(shallow.path).blockers()
        assert obstacle == "this is a shallow clone: git fetch --unshallow"
        assert GitScm(shallow.path).is_shallow()

    def test_web_url_is_that_of_the_configured_remote(self, repository: Repository, scm: GitScm) -> None:
        assert scm.web_url() == ""

        repository.git("remote", "set-url", "origin", "git@github.com:team/app.git")
        assert GitScm(repository.path).web_url() == "https://github.com/team/app"

    def test_web_url_is_that_of_names_in_the_configuration_of_git(self, repository: Repository) -> None:
        repository.git("remote", "set-url", "origin", "gh:team/app")
        repository.git("config", "url.https://github.com/.insteadOf", "gh:")
        assert GitScm(repository.path).web_url() == "https://github.com/team/app"

        repository.git("config", "--unset", "url.https://github.com/.insteadOf")
        repository.git("config", "url.git@gitlab.com:.pushInsteadOf", "gh:")
        assert GitScm(repository.path).web_url() == "https://gitlab.com/team/app"

    def test_web_url_is_that_of_names_in_the_configuration_of_ssh(self, repository: Repository, tmp_path: Path) -> None:
        config = tmp_path / "ssh config"
        config.write_text("Host work\n  HostName github.com\n")
        repository.git("config", "core.sshCommand", f"ssh -F '{config}'")
        repository.git("remote", "set-url", "origin", "git@work:team/app.git")
        assert GitScm(repository.path).web_url() == "https://github.com/team/app"

        repository.git("remote", "set-url", "origin", "git@other:team/app.git")
        assert GitScm(repository.path).web_url() == "https://other/team/app"
