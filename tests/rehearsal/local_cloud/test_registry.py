"""Finding this user's local clouds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from kaizen_tasks.rehearsal.local_cloud import registry as cloud_registry
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud

# A cloud outlives the handle of its process on purpose.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the registry a folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))


def start(state: Path) -> Cloud:
    return cloud_registry.start_registered_cloud(
        state, region="eu-west-1", account="123456789012", engine="process", port=0
    )


def test_running_clouds_are_found_and_others_are_not(tmp_path: Path) -> None:
    assert cloud_registry.running_clouds() == ()
    first, second, killed = (start(tmp_path / name) for name in ("a b", "ü", "killed"))
    os.kill(killed.pid, signal.SIGKILL)
    wait_for(lambda: clouds.find_cloud(killed.state) is None)
    assert cloud_registry.running_clouds() == (first, second)
    for cloud in (first, second):
        clouds.stop_cloud(cloud)
    assert cloud_registry.running_clouds() == ()


def test_deleted_folder_is_forgotten(tmp_path: Path) -> None:
    cloud = start(tmp_path / "cloud")
    clouds.stop_cloud(cloud)
    cloud.state.rename(tmp_path / "moved")
    assert cloud_registry.running_clouds() == ()
    assert list((tmp_path / "xdg" / "kaizen" / "clouds").iterdir()) == []


def test_cloud_starts_where_its_name_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "xdg" / "kaizen").mkdir(parents=True)
    (tmp_path / "xdg" / "kaizen" / "clouds").touch()
    clouds.stop_cloud(start(tmp_path / "cloud"))
    assert cloud_registry.running_clouds() == ()


def test_process_with_the_pid_of_a_killed_cloud_is_never_signalled(tmp_path: Path) -> None:
    cloud = start(tmp_path / "cloud")
    record = json.loads((cloud.state / "cloud.json").read_bytes())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (cloud.state / "cloud.json").write_text(json.dumps(record | {"pid": other.pid}))
        assert cloud_registry.running_clouds() == ()  # the process that holds the lock has another PID
        clouds.stop_cloud(cloud)
        (cloud.state / "cloud.json").write_text(json.dumps(record | {"pid": other.pid}))
        (cloud.state / "lock").write_text(f"{other.pid}\n")
        assert cloud_registry.running_clouds() == ()  # nobody holds the lock
        assert other.poll() is None
        other.communicate(b"\n")
        assert other.returncode == 0


def test_instances_of_a_killed_cloud_are_removed(tmp_path: Path) -> None:
    cloud = start(tmp_path / "cloud")
    home, elsewhere = cloud.state / "apprunner", cloud.state / "accounts" / "210987654321" / "eu-central-1" / "ecs"
    instance, other = (folder / "instances" / (digit * 32) for folder, digit in ((elsewhere, "0"), (home, "1")))
    for folder in (instance, other):
        folder.mkdir(parents=True)
    assert cloud_registry.remove_orphaned_instances() == ()
    program = [sys.executable, "-c", "input()"]
    environ = {**os.environ, "KAIZEN_LOCALCLOUD_INSTANCE": instance.name}
    with subprocess.Popen(program, stdin=subprocess.PIPE, env=environ) as orphan:
        os.kill(cloud.pid, signal.SIGKILL)
        wait_for(lambda: clouds.find_cloud(cloud.state) is None)
        assert cloud_registry.remove_orphaned_instances() == (cloud.state,)
        if sys.platform == "linux":
            assert orphan.wait() == -signal.SIGKILL
        else:
            orphan.kill()
    assert not instance.exists()
    assert not other.exists()
    assert cloud_registry.remove_orphaned_instances() == ()


def test_cloud_in_a_locked_folder_ends_with_the_process_that_locked_it(tmp_path: Path) -> None:
    code = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], 0), fcntl.LOCK_EX); print(flush=True); input()"
    owner_command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(owner_command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        cloud = start(tmp_path / "cloud")
        assert cloud_registry.running_clouds() == (cloud,)
        owner.kill()
        wait_for(lambda: clouds.find_cloud(cloud.state) is None)
