"""The process of the local cloud: started, found, stopped."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from attrs import evolve

from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The cloud outlives the handle of its process on purpose.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]

STATE_RECORD: dict[str, Any] = {
    "pid": 1,
    "endpoint_url": "http://127.0.0.1:9",
    "region": "eu-west-1",
    "account": "123456789012",
    "access_key_id": "LOCAL0123456789ABCDE",
    "secret_access_key": "secret",
    "control_token": "token",
}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder; its cloud is stopped at the end."""
    folder = tmp_path / "state"
    yield folder
    running = clouds.find_cloud(folder)
    if running is not None:
        clouds.stop_cloud(running)


def start(state: Path) -> Cloud:
    """Start a cloud that runs nothing in containers."""
    return clouds.start_cloud(state, region="eu-west-1", account="123456789012", engine="process")


def listens(cloud: Cloud) -> bool:
    """Return whether something listens at a cloud's address."""
    place = urlsplit(cloud.endpoint_url)
    with socket.socket() as client:
        return client.connect_ex((place.hostname, place.port)) == 0


def leave_state(state: Path, record: object) -> None:
    """Write the files that a killed cloud leaves behind."""
    state.mkdir(exist_ok=True)
    (state / "lock").touch()
    (state / "cloud.json").write_text(json.dumps(record))


def test_start_find_and_stop_a_cloud(state: Path) -> None:
    started = start(state)

    assert start(state) == started == clouds.find_cloud(state)
    assert (started.region, started.account, started.state) == ("eu-west-1", "123456789012", state)
    assert listens(started)

    clouds.stop_cloud(started)

    assert clouds.find_cloud(state) is None
    assert not listens(started)


def test_state_and_variables_are_readable_by_their_owner_only(state: Path) -> None:
    previous_umask = os.umask(0)
    try:
        env_file = clouds.write_env_file(start(state))
        env_file.chmod(0o644)
        clouds.write_env_file(start(state))
    finally:
        os.umask(previous_umask)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in state.iterdir() if path.is_file()} == {0o600}
    assert env_file.exists()


def test_repr_shows_no_credentials(cloud: Cloud) -> None:
    text = repr(evolve(cloud, secret_access_key="canary", control_token="canary"))
    assert "canary" not in text


def test_starts_again_after_a_killed_cloud(state: Path) -> None:
    first = start(state)
    os.kill(first.pid, signal.SIGKILL)
    wait_until_gone(state)
    assert (state / "cloud.json").exists()

    second = start(state)

    assert second.pid != first.pid
    assert listens(second)


def wait_until_gone(state: Path) -> None:
    """Wait until no process locks a state folder."""
    wait_for(lambda: clouds.find_cloud(state) is None)


@pytest.mark.parametrize("record", [STATE_RECORD, {}, [], 3, {"pid": 1}])
def test_the_state_file_of_a_killed_cloud_is_not_a_running_cloud(state: Path, record: object) -> None:
    leave_state(state, record)

    assert clouds.find_cloud(state) is None


@pytest.mark.parametrize(
    ("content", "found"), [(json.dumps(STATE_RECORD), True), ("{", False), ("[]", False), ("{}", False)]
)
def test_a_cloud_is_found_by_its_lock_and_a_complete_state_file(state: Path, *, content: str, found: bool) -> None:
    leave_state(state, STATE_RECORD)
    (state / "cloud.json").write_text(content)
    holder = "import fcntl, sys; held = open(sys.argv[1]); fcntl.flock(held, fcntl.LOCK_EX); print(flush=True); input()"
    words = [sys.executable, "-c", holder, str(state / "lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()

        running = clouds.find_cloud(state)

        process.communicate("\n")
    assert (running is not None) is found


def test_a_running_cloud_without_its_state_file_is_not_taken_for_none(state: Path) -> None:
    running = start(state)
    (state / "cloud.json").unlink()
    assert clouds.find_cloud(state) is None
    with pytest.raises(KaizenError, match=r"but cloud\.json does not describe it") as caught:
        clouds.check_no_cloud(state)
    assert caught.value.hint == f"if it has not just been started: kill {running.pid}"
    clouds.stop_cloud(running)
    clouds.check_no_cloud(state)


def test_find_cloud_releases_the_lock(state: Path) -> None:
    leave_state(state, STATE_RECORD)

    clouds.find_cloud(state)

    with (state / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_find_cloud_does_not_create_the_folder(state: Path) -> None:
    assert clouds.find_cloud(state) is None
    assert not state.exists()


def test_stopping_a_cloud_that_has_ended_succeeds(state: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    leave_state(state, STATE_RECORD)

    clouds.stop_cloud(Cloud(state=state, **{**STATE_RECORD, "pid": ended.pid}))

    assert clouds.find_cloud(state) is None


def test_a_refusal_of_the_cloud_is_passed_on(state: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(Refused, match=f"the local cloud did not start: port {port} is in use") as refused:
            clouds.start_cloud(state, region="eu-west-1", account="123456789012", engine="process", port=port)

    assert (refused.value.state, refused.value.hint) == (
        "nothing has been started",
        "choose another --port, or 0 for any",
    )


@pytest.mark.parametrize(
    ("name", "cause"), [("file", "file: File exists"), ("file/cloud", "file/cloud: Not a directory")]
)
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, name: str, cause: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Refused) as refused:
        clouds.start_cloud(tmp_path / name, region="eu-west-1", account="000000000001")
    assert refused.value.message == f"the local cloud's folder cannot be written: {tmp_path}/{cause}"
    assert refused.value.hint == "name a folder that you can write to: inv local.up --state FOLDER"


def test_any_other_failure_to_start_tells_the_end_of_the_output(state: Path) -> None:
    with pytest.raises(KaizenError, match="the local cloud did not start: ") as failed:
        clouds.start_cloud(state, region="eu-west-1", account="123456789012", engine="no such engine")

    assert failed.value.exit_code == 1
    assert "invalid choice: 'no such engine'" in failed.value.message
    assert failed.value.hint.endswith("-m kaizen_tasks.localcloud --state $(mktemp -d)")
    assert "no such engine" in (state / "output").read_text()


def test_without_the_local_extra_the_error_says_what_to_install(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moto", None)

    with pytest.raises(Refused, match=r"the local cloud needs the extra \[local\]") as refused:
        start(state)

    assert refused.value.state == "nothing has been started"
    assert re.fullmatch(r"pip install 'moto>=[\d.]+' 'py-partiql-parser>=[\d.]+'", refused.value.hint)
    assert not state.exists()


@pytest.fixture
def cloud(state: Path) -> Cloud:
    """A cloud that does not run."""
    return Cloud(state=state, **STATE_RECORD)


def test_settings_of_an_earlier_variables_file_are_kept(cloud: Cloud) -> None:
    """A demo that is started again builds with the same engine."""
    cloud.state.mkdir(parents=True, exist_ok=True)
    clouds.write_env_file(cloud, INVOKE_BUILD_ENGINE="bundle", INVOKE_APP="a b")
    env_file = clouds.write_env_file(evolve(cloud, region="us-east-1"))

    exports = env_file.read_text(encoding="utf-8").splitlines()
    assert {"export INVOKE_BUILD_ENGINE=bundle", "export INVOKE_APP='a b'", "export AWS_REGION=us-east-1"} <= {*exports}


def test_environ_points_clients_at_the_cloud_and_its_region(cloud: Cloud) -> None:
    environ = cloud.environ

    assert environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert {environ["AWS_REGION"], environ["AWS_DEFAULT_REGION"]} == {"eu-west-1"}
    assert environ["AWS_SESSION_TOKEN"] == ""
    assert (environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]) == ("LOCAL0123456789ABCDE", "secret")
    assert evolve(cloud, region="us-east-1").environ["AWS_REGION"] == "us-east-1"


@pytest.mark.parametrize(
    ("variables", "hosts"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "intranet.example"}, "intranet.example,127.0.0.1,localhost"),
        ({"no_proxy": ".example,127.0.0.1", "NO_PROXY": "ignored"}, ".example,127.0.0.1,localhost"),
    ],
)
def test_environ_adds_this_machine_to_no_proxy(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], hosts: str
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert {cloud.environ["NO_PROXY"], cloud.environ["no_proxy"]} == {hosts}


@pytest.mark.parametrize(
    ("arguments", "difference"),
    [
        ({"region": "us-east-1"}, "with region eu-west-1"),
        ({"account": "210987654321"}, "with account 123456789012"),
        ({"port": 4999}, "with port 5000"),
        ({"port": 4999, "region": "us-east-1"}, "with region eu-west-1, port 5000"),
    ],
)
def test_a_running_cloud_is_not_taken_for_another(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], difference: str
) -> None:
    running = evolve(cloud, endpoint_url="http://127.0.0.1:5000", region="eu-west-1", account="123456789012")
    monkeypatch.setattr(clouds, "find_cloud", lambda _: running)

    with pytest.raises(Refused, match=f"is running on {cloud.state}, {difference}") as refused:
        clouds.start_cloud(cloud.state, **{"region": "eu-west-1", "account": "123456789012", **arguments})

    assert refused.value.hint == f"kaizen local.down --state {cloud.state}  # or choose another --state"
    assert clouds.start_cloud(cloud.state, region="eu-west-1", account="123456789012", port=5000) == running


def test_only_a_shell_that_points_at_the_cloud_is_told_what_to_unset(cloud: Cloud) -> None:
    cloud.state.mkdir(parents=True, exist_ok=True)
    clouds.write_env_file(cloud, INVOKE_BUILD_ENGINE="bundle")
    shell = {**cloud.environ, "INVOKE_BUILD_ENGINE": "docker", "HOME": "/root"}

    command = clouds.unset_command(cloud.state, shell)

    assert command.split()[0] == "unset"
    assert {*command.split()[1:]} == {"INVOKE_BUILD_ENGINE", *cloud.environ} - {"NO_PROXY", "no_proxy"}
    assert clouds.unset_command(cloud.state, {**shell, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}) == ""
    assert clouds.unset_command(cloud.state, {}) == ""
