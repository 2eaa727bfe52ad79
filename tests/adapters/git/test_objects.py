"""Writing commits and tags as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.errors import Refused
from tests.contracts.scm import land_and_tag, release
from tests.support.git_repository import ENVIRONMENT, Repository

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


class TestCommit:
    def test_keeps_the_mode_of_a_file(self, repository: Repository, scm: GitScm) -> None:
        (repository.path / "VERSION").chmod(0o755)
        repository.commit({"VERSION": b"1.2.2\n"})
        commit = land_and_tag(scm)

        assert repository.git("ls-tree", commit, "VERSION").startswith("100755 ")
        assert repository.git("status", "--porcelain") == ""

    def test_refuses_to_replace_a_link(self, repository: Repository, scm: GitScm) -> None:
        (repository.path / "VERSION").unlink()
        (repository.path / "VERSION").symlink_to("app.py")
        repository.git("commit", "--quiet", "--all", "--message", "Link")

        with pytest.raises(Refused, match="VERSION is not a plain file in the commit"):
            release(scm)

    def test_refuses_without_an_identity(
        self, repository: Repository, scm: GitScm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository.git("config", "user.useConfigOnly", "true")
        for name in ENVIRONMENT:
            if name.endswith(("_NAME", "_EMAIL")):
                monkeypatch.delenv(name)

        (obstacle,) = scm.blockers()
        assert "git has no author or committer" in obstacle
        with pytest.raises(Refused, match=r"git cannot write the commit: no (name|email) was given"):
            release(scm)
        with pytest.raises(Refused, match="git has no committer for the tag"):
            scm.create_tag("v1.2.3", scm.head().commit, "v1.2.3")

    def test_leaves_nothing_behind_in_the_temporary_folder(
        self, repository: Repository, scm: GitScm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(scratch))
        repository.hook("commit-msg", "exit 1")

        with pytest.raises(Refused):
            release(scm)
        assert list(scratch.iterdir()) == []

    def test_commit_is_signed_if_git_is_configured_to(self, repository: Repository, scm: GitScm) -> None:
        repository.sign_with("cat > /dev/null; echo '[GNUPG:] SIG_CREATED ' >&2; echo signature")
        repository.git("config", "commit.gpgSign", "true")

        assert "gpgsig signature" in repository.git("cat-file", "commit", release(scm))


class TestTag:
    def test_tag_is_annotated(self, repository: Repository, scm: GitScm) -> None:
        scm.create_tag("v1.2.3", scm.head().commit, "v1.2.3\n\n# Not a comment\n\n")

        assert repository.git("cat-file", "-t", "v1.2.3") == "tag"
        assert repository.git("tag", "--list", "--format=%(taggername) %(contents)", "v1.2.3") == (
            "Carl Committer v1.2.3\n\n# Not a comment\n"
        )

    def test_lock_on_the_tag_hints_at_its_file(self, repository: Repository, scm: GitScm) -> None:
        lock = repository.path / ".git" / "refs" / "tags" / "v1.2.3.lock"
        lock.touch()

        with pytest.raises(Refused, match="another git process is running") as caught:
            scm.create_tag("v1.2.3", scm.head().commit, "v1.2.3")

        assert f"rm {lock}" in caught.value.hint

    @pytest.mark.parametrize("name", ["-v", "a b", "a..b", "v1.lock"])
    def test_invalid_tag_name_is_refused(self, scm: GitScm, name: str) -> None:
        with pytest.raises(Refused):
            scm.create_tag(name, scm.head().commit, "text")
        assert scm.tags() == ()

    def test_tag_is_signed_when_configured(self, repository: Repository) -> None:
        signature = "-----BEGIN PGP SIGNATURE-----"
        repository.sign_with(f"cat > /dev/null; echo '[GNUPG:] SIG_CREATED ' >&2; echo '{signature}'")
        scm = GitScm(repository.path, sign=True)
        scm.save_pending("v1.2.3", scm.head().commit)
        scm.create_tag("v1.2.3", scm.head().commit, "v1.2.3")

        assert repository.git("cat-file", "tag", "v1.2.3").endswith(f"v1.2.3\n{signature}")
        assert repository.git("for-each-ref", "refs/kaizen") == ""

    def test_failed_signature_quotes_the_reason(self, repository: Repository) -> None:
        repository.git("config", "gpg.program", "false")

        with pytest.raises(Refused, match=r"v1.2.3 could not be signed"):
            GitScm(repository.path, sign=True).create_tag("v1.2.3", "HEAD", "v1.2.3")
