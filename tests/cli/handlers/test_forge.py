"""`propose` and `announce` as they are typed, with a server that answers as GitHub does."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import cli_app
from tests.support.forge_server import GitHubServer
from tests.support.git_repository import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

URL = "https://github.com/team/app.git"
NOTE = ("changelog.add", "--type", "fixed", "--text", "Paces are rounded.")


def git(*arguments: str) -> str:
    """Run git in the app's folder, and return what it prints."""
    return subprocess.run(("git", *arguments), check=True, capture_output=True, encoding="utf-8").stdout.strip()


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library with a release and a fix, whose remote is a folder under an address of GitHub."""
    app, remote = tmp_path / "app", tmp_path / "app.git"
    app.mkdir()
    cli_app.make(app, cli_app.ALONE, ENVIRONMENT, monkeypatch)
    git("init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git("branch", "--move", "--force", "main")
    git("tag", "v0.1.0")
    git("remote", "add", "origin", URL)
    git("config", f"url.{remote}.insteadOf", URL)
    return app


def commit_and_push(message: str) -> None:
    """Commit what was edited, and push main."""
    git("commit", "--quiet", "--all", "--message", message)
    git("push", "--quiet", "--set-upstream", "origin", "main", "--tags")


@pytest.mark.usefixtures("folder")
def test_what_is_proposed_and_merged_is_released_and_announced(
    server: GitHubServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    monkeypatch.setenv("GITHUB_TOKEN", server.token)
    cli_app.kaizen(*NOTE, capsys=capsys).expect_success()
    commit_and_push("Round paces")

    cli_app.kaizen("propose", capsys=capsys).expect_success()
    git("fetch", "--quiet")
    git("merge", "--quiet", "--squash", "origin/release/next")
    commit_and_push("Release v0.1.1 (#1)")
    released = cli_app.kaizen("cut", "--push", capsys=capsys)
    announced = cli_app.kaizen("announce", capsys=capsys)

    released.expect_success()
    announced.expect_success()
    assert [pull["title"] for pull in server.pulls] == ["Release v0.1.1"]
    assert git("rev-parse", "v0.1.1^{commit}") == git("rev-parse", "origin/main") == git("rev-parse", "HEAD")
    assert [(each["tag_name"], each["body"]) for each in server.releases] == [
        ("v0.1.1", "### Fixed\n\n- Paces are rounded.\n")
    ]
    assert server.token not in released.out + released.err + announced.out + announced.err
    assert page.read_text(encoding="utf-8").endswith(": cut v0.1.1\n\nv0.1.1 is cut and pushed\n")


@pytest.mark.usefixtures("folder")
def test_without_a_token_the_branch_is_pushed_and_the_address_printed(capsys: pytest.CaptureFixture[str]) -> None:
    cli_app.kaizen(*NOTE, capsys=capsys).expect_success()
    commit_and_push("Round paces")

    proposed = cli_app.kaizen("propose", capsys=capsys)

    proposed.expect_success()
    assert "https://github.com/team/app/compare/main...release/next?expand=1" in proposed.out
    assert git("ls-remote", "origin", "release/next")


@pytest.mark.usefixtures("folder")
def test_nothing_is_proposed_while_nothing_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    git("push", "--quiet", "origin", "main", "--tags")

    proposed = cli_app.kaizen("propose", capsys=capsys)

    proposed.expect_success()
    assert "nothing is noted under [Unreleased] since 0.1.0" in proposed.out
    assert not git("ls-remote", "origin", "release/next")
