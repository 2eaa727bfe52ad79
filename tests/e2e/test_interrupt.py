"""A release that is interrupted or run twice concurrently is deployed once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import aws_environ
from tests.support import workspaces
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from tests.support.workspaces import Workspace

pytestmark = pytest.mark.e2e

SLOW = "6"  # seconds of a deployment


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Cloud]]:
    """Return an app in a cloud with slow deployments, and that cloud."""
    folder = tmp_path_factory.mktemp("slow")
    with Cloud(folder / "cloud", "--deploy-seconds", SLOW) as cloud:
        environ = {**workspaces.clean_environ(folder), **aws_environ(cloud)}
        work = folder / "work"
        work.mkdir()
        yield workspaces.create_workspace(work, app="slow", state=cloud.state, environ=environ), cloud


def as_ctrl_c(command: subprocess.Popen[str]) -> None:
    """Send SIGINT to the process group, as a terminal does on Ctrl-C."""
    os.killpg(command.pid, signal.SIGINT)


def as_kill(command: subprocess.Popen[str]) -> None:
    """Send SIGTERM, as `kill` and a cancelled CI job do."""
    os.kill(command.pid, signal.SIGTERM)


def as_hangup(command: subprocess.Popen[str]) -> None:
    """Send SIGHUP, as a closed terminal does."""
    os.kill(command.pid, signal.SIGHUP)


@pytest.mark.parametrize("stop", [as_ctrl_c, as_kill, as_hangup], ids=lambda stop: stop.__name__)
def test_interrupted_release_continues_in_the_next_run(
    slow: tuple[Workspace, Cloud], stop: Callable[[subprocess.Popen[str]], None]
) -> None:
    workspace, cloud = slow
    workspace.add_changelog_entry(f"Stopped by {stop.__name__}")
    tags, deployed = workspace.git("tag"), deployments(cloud)
    with workspace.start("release-staging") as command:
        wait_for("is deploying", command)
        stop(command)
        _, result = command.communicate(timeout=workspaces.COMMAND_SECONDS)
    assert command.returncode == 130, result
    first_line, state, hint = result.splitlines()
    assert (first_line, hint) == ("interrupted", "run the same command again to finish")
    assert state.startswith("done so far: "), state
    assert workspace.git("tag") == tags
    workspace.inv("release-staging").expect_success()
    assert len(deployments(cloud)) == len(deployed) + 1
    assert len(workspace.git("tag").split()) == len(tags.split()) + 1
    assert workspace.inv("status", "--json").document["environments"]["staging"]["drift"] == []


def test_second_concurrent_release_names_the_lock_owner(slow: tuple[Workspace, Cloud]) -> None:
    workspace, cloud = slow
    workspace.add_changelog_entry("Two at once")
    deployed = deployments(cloud)
    with workspace.start("release-staging") as first:
        wait_for("is deploying", first)
        cloud.inject_fault({"service": "apprunner", "operation": "ListOperations"}, {"park": True})
        assert cloud.call_control("GET", f"parked?seconds={workspaces.COMMAND_SECONDS}")
        second = workspace.inv("release-staging")
        cloud.call_control("POST", "parked", {"drop": False})
        _, result = first.communicate(timeout=workspaces.COMMAND_SECONDS)
    assert first.returncode == 0, result
    workspaces.assert_refused(second, 4)
    assert "staging" in second.err
    assert len(deployments(cloud)) == len(deployed) + 1


def wait_for(text: str, command: subprocess.Popen[str]) -> None:
    """Read what a command says, up to a line that contains a text."""
    assert command.stdout
    result = []
    for line in command.stdout:
        result.append(line)
        if text in line:
            return
    pytest.fail(f"the command ended before it printed {text}: {''.join(result)}")


def deployments(cloud: Cloud) -> list[str]:
    """Return the identifiers of all deployments of the app's service."""
    client = cloud.client("apprunner")
    (service,) = client.list_services()["ServiceSummaryList"]
    operations = client.list_operations(ServiceArn=service["ServiceArn"])["OperationSummaryList"]
    return [each["Id"] for each in operations if each["Type"] == "START_DEPLOYMENT"]
