"""One running demo that tests only read, and one local cloud for apps that tests change."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from tests.support import workspaces
from tests.support.browser import chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.local_cloud import Cloud
    from tests.support.workspaces import CommandResult, Workspace

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CommandResult, Workspace]]:
    """Run the demo once and keep it running; return the command's result and its workspace."""
    folder = tmp_path_factory.mktemp("demo")
    environ = workspaces.clean_environ(folder)
    kept_folder = folder / "kept"
    workspace = workspaces.Workspace(
        clone=kept_folder / "coach", remote=kept_folder / "coach.git", state=kept_folder / "cloud", environ=environ
    )
    try:
        result = workspace.kaizen(
            "demo", "--engine", "bundle", "--json", "--keep", str(kept_folder), cwd=folder
        ).expect_success()
        yield result, evolve(workspace, environ={**environ, **result.document["work"]["environ"]})
    finally:
        workspace.kaizen("local.down", "--state", str(workspace.state)).expect_success()


@pytest.fixture(scope="session")
def demo(demo_run: tuple[CommandResult, Workspace]) -> Workspace:
    """Return the workspace of the running demo, which tests only read."""
    return demo_run[1]


@pytest.fixture
def copy(demo: Workspace, tmp_path: Path) -> Workspace:
    """Return the demo's workspace with a clone of the test's own."""
    return demo.copy_to(tmp_path / "coach")


@pytest.fixture(scope="session")
def unreleased_clone(demo: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a copy of the demo's workspace with an unreleased change; tests take copies of it."""
    unreleased_clone = demo.copy_to(tmp_path_factory.mktemp("unreleased_clone") / "coach")
    unreleased_clone.add_changelog_entry("A typo")
    return unreleased_clone


@pytest.fixture
def unreleased(unreleased_clone: Workspace, tmp_path: Path) -> Workspace:
    """Return the demo's workspace with an unreleased change, in a clone of the test's own."""
    return unreleased_clone.copy_to(tmp_path / "coach")


@pytest.fixture
def create_app(cloud: Cloud, tmp_path: Path) -> Callable[..., Workspace]:
    """Return a function that creates an app in the shared cloud."""

    def make(folder: Path = tmp_path, further: str = "") -> Workspace:
        return new_workspace(cloud, folder, further)

    return make


@pytest.fixture
def workspace(create_app: Callable[..., Workspace]) -> Workspace:
    """Return a new app with one environment."""
    return create_app()


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    """Require git, which every test here runs."""
    assert shutil.which("git"), "these tests type git commands"


def new_workspace(cloud: Cloud, folder: Path, more_environments: str) -> Workspace:
    """Create an app with a unique name in a running cloud."""
    environ = {**workspaces.clean_environ(folder), **aws_environ(cloud)}
    work = folder / "work"
    work.mkdir()
    return workspaces.create_workspace(
        work, app=f"app{next(NUMBERS)}", state=cloud.state, environ=environ, more_environments=more_environments
    )


def aws_environ(cloud: Cloud) -> dict[str, str]:
    """Return the variables that point AWS clients at a cloud."""
    return {name: value for name, value in cloud.environ.items() if name.startswith(("AWS_", "NO_PROXY"))}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run one Chromium for all tests of this worker."""
    with chromium() as running:
        yield running
