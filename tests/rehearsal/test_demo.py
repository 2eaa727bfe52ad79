"""The demo, without the train: what it stands on. `tests/e2e` takes the whole journey."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from kaizen_tasks.errors import KaizenError
from kaizen_tasks.rehearsal import cloud, demo, example
from kaizen_tasks.rehearsal.demo import DemoWorkspace

if TYPE_CHECKING:
    from typing import TextIO

pytestmark = pytest.mark.integration


@frozen
class Docker:
    """A docker that a test writes.

    Attributes:
        folder: where the program is; the only one on the path besides git's.
    """

    folder: Path

    def answers(self, code: int) -> None:
        """Let every command end with this code."""
        program = self.folder / "docker"
        program.write_text(f"#!/bin/sh\nexit {code}\n")
        program.chmod(0o755)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """No docker yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    return Docker(folder)


@pytest.fixture
def people(tmp_path: Path) -> TextIO:
    """A file that people read; programs write into it as well."""
    return (tmp_path / "people").open("w+", encoding="utf-8")


def world(work: Path, engine: str = "bundle") -> DemoWorkspace:
    """Return a world in which nothing runs."""
    return DemoWorkspace(work=work, clone=work / "coach", remote=work / "coach.git", engine=engine, out=io.StringIO())


def test_a_world_without_a_cloud_points_nowhere(tmp_path: Path) -> None:
    """Only the engine is settled beforehand."""
    made = world(tmp_path)

    assert made.cloud is None
    assert made.environ == {"INVOKE_BUILD_ENGINE": "bundle"}
    assert made.state == tmp_path / "cloud"


def test_the_engine_that_is_named_is_taken(docker: Docker) -> None:
    """Without looking for another."""
    docker.answers(0)

    assert demo._choose_engine("buildah", example.find_example_app()) == "buildah"


@pytest.mark.parametrize(("code", "engine"), [(0, "docker"), (1, "bundle")])
def test_docker_is_taken_when_it_needs_no_download(docker: Docker, code: int, engine: str) -> None:
    """It does when it has the base image."""
    docker.answers(code)

    assert demo._choose_engine("auto", example.find_example_app()) == engine


@pytest.mark.usefixtures("docker")
def test_a_machine_without_docker_takes_the_bundle() -> None:
    """Python and git are enough."""
    assert demo._choose_engine("auto", example.find_example_app()) == "bundle"


def test_a_command_that_fails_stops_the_train_and_leaves_nothing_running(tmp_path: Path, people: TextIO) -> None:
    """What it said stands above the error."""
    work = tmp_path / "work"
    work.mkdir()

    with people, pytest.raises(KaizenError, match=r"the demo's `inv local\.up .*` failed with exit code 2") as failed:
        demo.run_demo(work, engine="dokcer", keep=False, json=False, out=people)

    assert failed.value.state == "what it said stands above"
    assert (tmp_path / "people").read_text().startswith(f"\n$ inv local.up --state {work}/cloud\n")
    assert cloud.find_cloud(work / "cloud") is None


def test_types_commands_in_the_clone_with_its_own_engine(tmp_path: Path) -> None:
    """As a developer would, with nobody at the keyboard."""
    clone, remote = example.create_example_repo(tmp_path, example.find_example_app())
    made = DemoWorkspace(work=tmp_path, clone=clone, remote=remote, engine="bundle", out=io.StringIO())

    said = demo._run_kaizen("changelog.show --format 'json'", made, stdout=subprocess.PIPE)

    assert said.returncode == 0
    assert json.loads(said.stdout)["version"] == (clone / "VERSION").read_text().strip()
