"""What the end-to-end tests share: one demo to look at, one local cloud for apps that each test has for itself."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from tests.support import workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.local_cloud import Cloud
    from tests.support.workspace import CommandResult, Workspace

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CommandResult, Workspace]]:
    """Run the demo once and keep it running: what it said, and its world."""
    folder = tmp_path_factory.mktemp("demo")
    environ = workspace.clean_environ(folder)
    kept_folder = folder / "kept"
    world = workspace.Workspace(
        clone=kept_folder / "coach", remote=kept_folder / "coach.git", state=kept_folder / "cloud", environ=environ
    )
    try:
        result = world.kaizen(
            "demo", "--engine", "bundle", "--json", "--keep", str(kept_folder), cwd=folder
        ).expect_success()
        yield result, evolve(world, environ={**environ, **result.document["work"]["environ"]})
    finally:
        world.kaizen("local.down", "--state", str(world.state)).expect_success()


@pytest.fixture(scope="session")
def demo(demo_run: tuple[CommandResult, Workspace]) -> Workspace:
    """Return the world that the demo has left running; nothing may be changed in it."""
    return demo_run[1]


@pytest.fixture
def copy(demo: Workspace, tmp_path: Path) -> Workspace:
    """Return the demo's world with a clone of its own."""
    return demo.copy_to(tmp_path / "coach")


@pytest.fixture(scope="session")
def noted(demo: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return the demo's world with one more change to release, to take copies of."""
    noted = demo.copy_to(tmp_path_factory.mktemp("noted") / "coach")
    noted.add_changelog_entry("A typo")
    return noted


@pytest.fixture
def ahead(noted: Workspace, tmp_path: Path) -> Workspace:
    """Return the demo's world with one more change to release, in a clone of its own."""
    return noted.copy_to(tmp_path / "coach")


@pytest.fixture
def establish(cloud: Cloud, tmp_path: Path) -> Callable[..., Workspace]:
    """Return what makes an app of the test's own in the shared cloud."""

    def make(folder: Path = tmp_path, further: str = "") -> Workspace:
        return new_world(cloud, folder, further)

    return make


@pytest.fixture
def world(establish: Callable[..., Workspace]) -> Workspace:
    """Return an app of the test's own, with one environment."""
    return establish()


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    """Demand what every test here types."""
    assert shutil.which("git"), "these tests type git commands"


def new_world(cloud: Cloud, folder: Path, more_environments: str) -> Workspace:
    """Make an app of its own name in a cloud that runs."""
    environ = {**workspace.clean_environ(folder), **aws_environ(cloud)}
    work = folder / "work"
    work.mkdir()
    return workspace.create_workspace(
        work, app=f"app{next(NUMBERS)}", state=cloud.state, environ=environ, more_environments=more_environments
    )


def aws_environ(cloud: Cloud) -> dict[str, str]:
    """Return the variables that point any AWS client at a cloud."""
    return {name: value for name, value in cloud.environ.items() if name.startswith(("AWS_", "NO_PROXY"))}
