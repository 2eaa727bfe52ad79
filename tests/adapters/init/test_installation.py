"""Where the copy of these tasks is from, as its installer has recorded it."""

from __future__ import annotations

import json
from email.message import Message
from importlib.metadata import Distribution, PackageNotFoundError
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from kaizen_tasks import __version__
from kaizen_tasks.adapters.init.installation import read_installation
from tests.support import git_repository

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCE = "https://code.example/team/kaizen_tasks"


@frozen
class Installed:
    """An installed package.

    Attributes:
        origin: what its installer has recorded; empty for a package from an index.
        source: the address that the package names; empty for none.
    """

    origin: dict[str, Any]
    source: str = ""

    @property
    def metadata(self) -> Message:
        """The addresses of the package."""
        message = Message()
        message["Project-URL"] = "Changelog, https://code.example/changes"
        if self.source:
            message["Project-URL"] = f"Source, {self.source}"
        return message

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return json.dumps(self.origin) if self.origin else None


def from_git(url: str) -> dict[str, Any]:
    return {"url": url, "vcs_info": {"vcs": "git", "requested_revision": "v1.2.3", "commit_id": COMMIT}}


@pytest.mark.parametrize(
    ("installed", "address", "commit"),
    [
        (
            Installed(from_git("https://github.com/team/kaizen.git")),
            "https://github.com/team/kaizen",
            COMMIT,
        ),
        (Installed(from_git("ssh://git@github.com/team/kaizen_tasks")), "https://github.com/team/kaizen_tasks", COMMIT),
        (Installed(from_git("https://token@github.com/team/kaizen")), "https://github.com/team/kaizen", COMMIT),
        (Installed(from_git("file:///srv/kaizen.git"), SOURCE), SOURCE, COMMIT),
        (Installed({"url": "file:///tmp/kaizen.whl", "archive_info": {}}, SOURCE), SOURCE, ""),
        (Installed({}, SOURCE), SOURCE, ""),
        (Installed({}), "", ""),
    ],
)
def test_an_installer_has_recorded_a_commit(
    installed: Installed, address: str, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Distribution, "from_name", lambda _: installed)
    found = read_installation()

    assert (found.version, found.address, found.commit) == (__version__, address, commit)
    assert found.dependencies.startswith("attrs==")
    assert found.notify_dependencies.startswith("apprise==")


def test_tasks_that_are_not_installed_are_from_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Distribution:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(Distribution, "from_name", fail)

    assert (read_installation().address, read_installation().commit) == ("", "")


@pytest.mark.integration
def test_a_checkout_has_a_commit_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its remote is on this machine, which is no address for CI."""
    repository = git_repository.init_repository(tmp_path, {"VERSION": "1.2.3\n"})
    origin = {"url": f"file://{repository.path}", "dir_info": {"editable": True}}
    monkeypatch.setattr(Distribution, "from_name", lambda _: Installed(origin))

    assert read_installation().commit == repository.git("rev-parse", "HEAD")
    assert read_installation().address == ""
