"""A release that is disturbed while it deploys: stopped, or typed by somebody else too; it is deployed once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import aws_environ
from tests.support import workspace
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from tests.support.workspace import Workspace

pytestmark = pytest.mark.e2e

SLOW = "3"  # seconds for which a deployment lasts at least


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Cloud]]:
    """Return an app in a cloud that takes its time, and that cloud."""
    folder = tmp_path_factory.mktemp("slow")
    with Cloud(folder / "cloud", "--deploy-seconds", SLOW) as cloud:
        environ = {**workspace.clean_environ(folder), **aws_environ(cloud)}
        work = folder / "work"
        work.mkdir()
        yield workspace.create_workspace(work, app="slow", state=cloud.state, environ=environ), cloud


def as_ctrl_c(command: subprocess.Popen[str]) -> None:
    """Do what a terminal does on Ctrl-C: every process of the command gets it."""
    os.killpg(command.pid, signal.SIGINT)


def as_kill(command: subprocess.Popen[str]) -> None:
    """Do what `kill` does, and a CI runner that cancels."""
    os.kill(command.pid, signal.SIGTERM)


def as_hangup(command: subprocess.Popen[str]) -> None:
    """Do what a terminal does that is closed."""
    os.kill(command.pid, signal.SIGHUP)


@pytest.mark.parametrize("stop", [as_ctrl_c, as_kill, as_hangup], ids=lambda stop: stop.__name__)
def test_goes_on_after_it_was_stopped(
    slow: tuple[Workspace, Cloud], stop: Callable[[subprocess.Popen[str]], None]
) -> None:
    world, cloud = slow
    world.add_changelog_entry(f"Stopped by {stop.__name__}")
    tags, deployed = world.git("tag"), deployments(cloud)
    with world.start("release-staging") as command:
        wait_for("is deploying", command)
        stop(command)
        _, said = command.communicate(timeout=workspace.COMMAND_SECONDS)
    assert command.returncode == 130, said
    assert said.splitlines() == ["interrupted", "run the same command again to finish"]
    assert world.git("tag") == tags
    world.inv("release-staging").expect_success()
    assert len(deployments(cloud)) == len(deployed) + 1
    assert len(world.git("tag").split()) == len(tags.split()) + 1
    assert world.inv("status", "--json").document["environments"]["staging"]["drift"] == []


def test_a_second_release_at_once_is_told_who_is_at_work(slow: tuple[Workspace, Cloud]) -> None:
    world, cloud = slow
    world.add_changelog_entry("Two at once")
    deployed = deployments(cloud)
    with world.start("release-staging") as first:
        wait_for("is deploying", first)
        second = world.inv("release-staging")
        _, said = first.communicate(timeout=workspace.COMMAND_SECONDS)
    assert first.returncode == 0, said
    workspace.assert_refused(second, 4)
    assert "staging" in second.err
    assert len(deployments(cloud)) == len(deployed) + 1


def wait_for(text: str, command: subprocess.Popen[str]) -> None:
    """Read what a command says, up to a line that contains a text."""
    assert command.stdout
    said = []
    for line in command.stdout:
        said.append(line)
        if text in line:
            return
    pytest.fail(f"it ended before it said {text}: {''.join(said)}")


def deployments(cloud: Cloud) -> list[str]:
    """Return the identifiers of all deployments of the app's service."""
    client = cloud.client("apprunner")
    (service,) = client.list_services()["ServiceSummaryList"]
    operations = client.list_operations(ServiceArn=service["ServiceArn"])["OperationSummaryList"]
    return [each["Id"] for each in operations if each["Type"] == "START_DEPLOYMENT"]
