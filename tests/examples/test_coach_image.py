"""The example app's image, built by a Docker engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.examples.coach import COACH, ask
from tests.support.base_image import base_image
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker


def docker(*arguments: str) -> str:
    """Run the docker command and return what it printed."""
    return subprocess.run(
        ["docker", *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip()


@pytest.fixture(scope="module")
def base() -> str:
    if shutil.which("docker") is None and "CI" not in os.environ:
        pytest.skip("docker is not installed")
    return base_image()


@pytest.fixture(scope="module")
def image(base: str) -> Iterator[str]:
    name = f"kaizen-test-coach:{uuid.uuid4().hex}"
    build(name, base, "v9.8.7")
    yield name
    docker("image", "rm", "--force", name)


@pytest.fixture(scope="module")
def container(image: str) -> Iterator[str]:
    name = docker("run", "--detach", "--publish", "127.0.0.1::8080", "--env", "ENVIRONMENT=staging", image)
    yield name
    docker("rm", "--force", name)


def test_container_answers_with_the_version_it_was_built_as(container: str) -> None:
    assert json.loads(body(container, "/version")) == {"version": "v9.8.7", "environment": "staging"}


def test_container_shows_the_notes_of_the_latest_release(container: str) -> None:
    assert "<h1>Version 0.1.7</h1>" in body(container, "/whats-new")


def test_container_serves_the_minified_stylesheet(container: str) -> None:
    css = body(container, "/style.css")
    assert css.startswith(":root{--paper:#faf8f4;")
    assert "\n" not in css


def test_process_is_nobody_and_owns_nothing_of_the_app(container: str) -> None:
    assert docker("exec", container, "python", "-c", "import os; print(os.getuid())") == "65534"
    assert docker("exec", container, "find", "/app", "-user", "65534") == ""


def test_byte_code_is_there_before_the_first_start(image: str) -> None:
    listing = docker("run", "--rm", image, "find", "/app/coach/__pycache__", "-name", "*.pyc")
    assert len(listing.splitlines()) == len(list((COACH / "coach").glob("*.py")))


def test_image_holds_nothing_that_the_app_does_not_need(image: str) -> None:
    listing = docker(
        "run", "--rm", image, "find", "/app", "-maxdepth", "1", "-mindepth", "1", "-printf", "%f\\n"
    )
    assert sorted(listing.split()) == ["CHANGELOG.md", "coach"]


def test_version_is_the_only_difference_between_two_builds(image: str, base: str) -> None:
    other = f"{image}-other"
    build(other, base, "v9.8.8")
    try:
        assert layers(other) == layers(image)
    finally:
        docker("image", "rm", "--force", other)


def test_container_stops_by_itself_when_told(image: str) -> None:
    name = docker("run", "--detach", "--publish", "127.0.0.1::8080", image)
    try:
        body(name, "/healthz")
        docker("stop", "--time", str(int(HANG_SECONDS)), name)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"
    finally:
        docker("rm", "--force", name)


def build(name: str, base: str, version: str) -> None:
    """Build the app with the client's default builder."""
    arguments = ["--build-arg", f"BASE={base}", "--build-arg", f"VERSION={version}"]
    docker("build", "--quiet", "--force-rm", *arguments, "--tag", name, str(COACH))


def body(container: str, path: str) -> str:
    """Request a path from the container as soon as it listens."""
    port = int(docker("port", container, "8080/tcp").splitlines()[0].rpartition(":")[2])
    deadline = time.monotonic() + HANG_SECONDS
    while True:
        try:
            return ask(port, path).body
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def layers(image: str) -> list[str]:
    """List the digests of an image's layers."""
    return list(json.loads(docker("inspect", "--format", "{{json .RootFS.Layers}}", image)))
