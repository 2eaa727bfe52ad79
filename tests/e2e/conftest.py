"""What the end-to-end tests share: one demo to look at, one local cloud for apps that each test has for itself."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from tests.clouds import Cloud
from tests.e2e import worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.worlds import Finished, World

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Finished, World]]:
    """Run the demo once and keep it running: what it said, and its world."""
    folder = tmp_path_factory.mktemp("demo")
    environ = worlds.surroundings(folder)
    kept = folder / "kept"
    world = worlds.World(clone=kept / "coach", remote=kept / "coach.git", state=kept / "cloud", environ=environ)
    try:
        said = world.kaizen("demo", "--engine", "bundle", "--json", "--keep", str(kept), cwd=folder).well()
        yield said, evolve(world, environ={**environ, **said.document["work"]["environ"]})
    finally:
        world.kaizen("local.down", "--state", str(world.state)).well()


@pytest.fixture(scope="session")
def demo(demo_run: tuple[Finished, World]) -> World:
    """Return the world that the demo has left running; nothing may be changed in it."""
    return demo_run[1]


@pytest.fixture
def copy(demo: World, tmp_path: Path) -> World:
    """Return the demo's world with a clone of its own."""
    return demo.copied(tmp_path / "coach")


@pytest.fixture(scope="session")
def noted(demo: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return the demo's world with one more change to release, to take copies of."""
    noted = demo.copied(tmp_path_factory.mktemp("noted") / "coach")
    noted.note("A typo")
    return noted


@pytest.fixture
def ahead(noted: World, tmp_path: Path) -> World:
    """Return the demo's world with one more change to release, in a clone of its own."""
    return noted.copied(tmp_path / "coach")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Run one local cloud for all the apps that tests change."""
    with Cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def establish(cloud: Cloud, tmp_path: Path) -> Callable[..., World]:
    """Return what makes an app of the test's own in the shared cloud."""

    def make(folder: Path = tmp_path, further: str = "") -> World:
        return new_world(cloud, folder, further)

    return make


@pytest.fixture
def world(establish: Callable[..., World]) -> World:
    """Return an app of the test's own, with one environment."""
    return establish()


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    """Demand what every test here types."""
    assert shutil.which("git"), "these tests type git commands"


def new_world(cloud: Cloud, folder: Path, further: str) -> World:
    """Make an app of its own name in a cloud that runs."""
    environ = {**worlds.surroundings(folder), **pointing(cloud)}
    work = folder / "work"
    work.mkdir()
    return worlds.establish(work, app=f"app{next(NUMBERS)}", state=cloud.state, environ=environ, further=further)


def pointing(cloud: Cloud) -> dict[str, str]:
    """Return the variables that point any AWS client at a cloud."""
    return {name: value for name, value in cloud.environ.items() if name.startswith(("AWS_", "NO_PROXY"))}
