"""The parts of the demo; `tests/e2e` runs all of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.rehearsal import demo, example
from kaizen_tasks.rehearsal.demo import DemoWorkspace
from kaizen_tasks.rehearsal.local_cloud import cloud

if TYPE_CHECKING:
    from typing import TextIO

pytestmark = pytest.mark.integration


@frozen
class Docker:
    """A docker written by a test.

    Attributes:
        folder: where the program is; the only one on PATH besides git's.
    """

    folder: Path

    def exits_with(self, code: int) -> None:
        """Create a docker whose every command ends with this exit code."""
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
def output(tmp_path: Path) -> TextIO:
    """A file for output, which child processes write to as well."""
    return (tmp_path / "output").open("w+", encoding="utf-8")


def test_a_workspace_without_a_cloud_sets_only_the_engine(tmp_path: Path) -> None:
    folders = {"work": tmp_path, "clone": tmp_path / "coach", "remote": tmp_path / "coach.git"}
    workspace = DemoWorkspace(**folders, engine="bundle", out=io.StringIO())

    assert workspace.cloud is None
    assert workspace.environ == {"INVOKE_BUILD_ENGINE": "bundle"}
    assert workspace.state == tmp_path / "cloud"


def test_a_requested_engine_is_used_without_looking_for_docker(docker: Docker) -> None:
    docker.exits_with(0)

    assert demo._choose_engine("buildah", example.find_example_app()) == "buildah"


@pytest.mark.parametrize(("code", "engine"), [(0, "docker"), (1, "bundle")])
def test_auto_uses_docker_only_if_it_has_the_base_image(docker: Docker, code: int, engine: str) -> None:
    docker.exits_with(code)

    assert demo._choose_engine("auto", example.find_example_app()) == engine


@pytest.mark.usefixtures("docker")
def test_auto_uses_a_bundle_without_docker() -> None:
    assert demo._choose_engine("auto", example.find_example_app()) == "bundle"


@pytest.mark.usefixtures("docker")
def test_an_engine_that_does_not_work_is_refused_before_anything_is_started(tmp_path: Path, output: TextIO) -> None:
    with output, pytest.raises(Refused) as refused:
        demo.run_demo(
            tmp_path / "work", engine="podman", platform="apprunner", accounts=False, keep=False, json=False, out=output
        )

    assert refused.value.message == "--engine podman: podman is not installed, or not on PATH"
    assert refused.value.state == "nothing has been started"
    assert (tmp_path / "output").read_text() == ""


def test_a_failing_command_stops_the_demo_and_leaves_nothing_running(
    tmp_path: Path, output: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()

    monkeypatch.setenv("INVOKE_VERIFY_MATCHES", "many")
    with output, pytest.raises(KaizenError) as failed:
        demo.run_demo(work, engine="bundle", platform="apprunner", accounts=False, keep=False, json=False, out=output)

    assert str(failed.value) == "INVOKE_VERIFY_MATCHES: 'many' should be a whole number"
    assert failed.value.exit_code == 2
    assert (tmp_path / "output").read_text().startswith(f"\n$ inv local.up --state {work}/cloud\n")
    assert cloud.find_cloud(work / "cloud") is None
