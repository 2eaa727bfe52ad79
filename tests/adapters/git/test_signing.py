"""Signatures of tags and commits, by ssh-keygen and by gpg."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.errors import Refused
from tests.contracts.scm import release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.git_repository import Repository

pytestmark = pytest.mark.integration

ASKED = ["tag.gpgSign", "tag.forceSignAnnotated"]


@pytest.fixture
def ssh_key(repository: Repository, tmp_path: Path) -> Path:
    """Return a key with which the repository signs."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    repository.git("config", "gpg.format", "ssh")
    repository.git("config", "user.signingKey", str(key))
    return key


@pytest.fixture
def gpg_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a home of gpg without keys; its path is short, as that of a socket must be."""
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed")
    home = tmp_path / "g"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    yield home
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=False, capture_output=True)


def signature(repository: Repository, tag: str = "v1.2.3") -> str:
    """Return the line with which a tag's signature begins, or an empty string."""
    lines = repository.git("cat-file", "tag", tag).splitlines()
    return next((line for line in lines if line.startswith("-----BEGIN ")), "")


def create_tag(repository: Repository, *, sign: bool | None = None) -> None:
    scm = GitScm(repository.path, sign=sign)
    scm.create_tag("v1.2.3", scm.head().commit, "v1.2.3")


@pytest.mark.usefixtures("ssh_key")
class TestSwitches:
    @pytest.mark.parametrize("switch", ASKED)
    def test_of_git_count_when_nothing_is_configured(self, repository: Repository, switch: str) -> None:
        repository.git("config", switch, "true")
        create_tag(repository)

        assert signature(repository) == "-----BEGIN SSH SIGNATURE-----"

    def test_of_git_are_off(self, repository: Repository) -> None:
        create_tag(repository)

        assert signature(repository) == ""

    def test_of_the_configuration_are_stronger(self, repository: Repository) -> None:
        repository.git("config", "tag.gpgSign", "true")
        create_tag(repository, sign=False)

        assert signature(repository) == ""

    def test_of_the_configuration_need_none_of_git(self, repository: Repository) -> None:
        create_tag(repository, sign=True)

        assert signature(repository) == "-----BEGIN SSH SIGNATURE-----"

    def test_of_included_files_count(self, repository: Repository, tmp_path: Path) -> None:
        """A key for all repositories of a folder, by `includeIf`."""
        included = tmp_path / "work"
        key = repository.git("config", "user.signingKey")
        included.write_text(f"[user]\nsigningKey = {key}\n[gpg]\nformat = ssh\n[tag]\ngpgSign = true\n")
        for name in ("gpg.format", "user.signingKey"):
            repository.git("config", "--unset", name)
        repository.git("config", f"includeIf.gitdir:{repository.path}/.path", str(included))
        create_tag(repository)

        assert signature(repository) == "-----BEGIN SSH SIGNATURE-----"

    def test_sign_commits(self, repository: Repository) -> None:
        repository.git("config", "commit.gpgSign", "true")

        assert "gpgsig -----BEGIN SSH" in repository.git("cat-file", "commit", release(GitScm(repository.path)))


class TestFailures:
    def test_of_ssh_leave_no_unsigned_tag(self, repository: Repository, ssh_key: Path) -> None:
        ssh_key.unlink()
        ssh_key.with_suffix(".pub").unlink()
        repository.git("config", "tag.gpgSign", "true")

        with pytest.raises(Refused, match=r"the tag v1\.2\.3 could not be signed: .*key.*: No such file") as refusal:
            create_tag(repository)
        assert refusal.value.hint.startswith("name a key that is here: git config user.signingKey KEY; without ")
        assert repository.git("tag") == ""

    @pytest.mark.usefixtures("gpg_home")
    def test_of_gpg_tell_its_reason(self, repository: Repository) -> None:
        repository.git("config", "user.signingKey", "ABCDEF01")
        for switch in ("tag.gpgSign", "commit.gpgSign"):
            repository.git("config", switch, "true")

        with pytest.raises(Refused, match=r'the tag v1\.2\.3 could not be signed: .*"ABCDEF01".*No secret key'):
            create_tag(repository)
        with pytest.raises(Refused, match=r'the release commit could not be signed: .*"ABCDEF01"') as refusal:
            release(GitScm(repository.path))
        assert "gpg: signing failed: No secret key" in refusal.value.output
        assert refusal.value.hint.endswith("without signatures: git config commit.gpgSign false")

    def test_of_a_missing_program_name_it(self, repository: Repository) -> None:
        repository.git("config", "gpg.program", "/nowhere/gpg")

        with pytest.raises(Refused, match=r"could not be signed: cannot run /nowhere/gpg") as refusal:
            create_tag(repository, sign=True)
        assert "git config gpg.program PROGRAM" in refusal.value.hint


def test_gpg_signs(repository: Repository, gpg_home: Path) -> None:
    batch = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    subprocess.run([*batch, "--quick-generate-key", "carl@example.com", "ed25519", "sign"], check=True)
    repository.git("config", "tag.gpgSign", "true")
    repository.git("config", "user.signingKey", "carl@example.com")
    create_tag(repository)

    assert (signature(repository), gpg_home.is_dir()) == ("-----BEGIN PGP SIGNATURE-----", True)
