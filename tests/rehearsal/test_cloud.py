"""The local cloud as a process: started, found, stopped."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from attrs import evolve

from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.rehearsal import cloud as clouds
from kaizen_tasks.rehearsal.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The cloud goes on when its handle is dropped: that is what it is for.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]

SAID = {"pid": 1, "endpoint_url": "http://127.0.0.1:9", "region": "eu-west-1", "account": "123456789012"}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A folder; what runs on it is stopped at the end."""
    folder = tmp_path / "state"
    yield folder
    running = clouds.find_cloud(folder)
    if running is not None:
        clouds.stop_cloud(running)


def start(state: Path) -> Cloud:
    """Start a cloud that runs nothing in containers."""
    return clouds.start_cloud(state, region="eu-west-1", account="123456789012", engine="process")


def listens(cloud: Cloud) -> bool:
    """Return whether anybody answers at a cloud's address."""
    place = urlsplit(cloud.endpoint_url)
    with socket.socket() as client:
        return client.connect_ex((place.hostname, place.port)) == 0


def pretend(state: Path, said: object) -> None:
    """Leave behind what a cloud that was killed leaves."""
    state.mkdir(exist_ok=True)
    (state / "lock").touch()
    (state / "cloud.json").write_text(json.dumps(said))


def test_starts_once_is_found_and_is_gone_when_stopped(state: Path) -> None:
    """A second start gives the one that runs."""
    started = start(state)

    assert start(state) == started == clouds.find_cloud(state)
    assert (started.region, started.account, started.state) == ("eu-west-1", "123456789012", state)
    assert listens(started)

    clouds.stop_cloud(started)

    assert clouds.find_cloud(state) is None
    assert not listens(started)


def test_starts_again_after_one_that_was_killed(state: Path) -> None:
    """What that one has left behind is not taken for the new one."""
    first = start(state)
    os.kill(first.pid, signal.SIGKILL)
    wait_until_gone(state)
    assert (state / "cloud.json").exists()

    second = start(state)

    assert second.pid != first.pid
    assert listens(second)


def wait_until_gone(state: Path) -> None:
    """Wait until nobody holds a folder."""
    deadline = time.monotonic() + 10
    while clouds.find_cloud(state) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("said", [SAID, {}, [], 3, {"pid": 1}])
def test_what_a_killed_cloud_has_left_behind_does_not_run(state: Path, said: object) -> None:
    """Its process identifier may be anybody's by now, and its file may be half of one."""
    pretend(state, said)

    assert clouds.find_cloud(state) is None


@pytest.mark.parametrize(("content", "found"), [(json.dumps(SAID), True), ("{", False), ("[]", False), ("{}", False)])
def test_the_lock_says_that_one_runs_and_the_file_says_where(state: Path, *, content: str, found: bool) -> None:
    """One that is just starting has no file yet."""
    pretend(state, SAID)
    (state / "cloud.json").write_text(content)
    holder = "import fcntl, sys; held = open(sys.argv[1]); fcntl.flock(held, fcntl.LOCK_EX); print(flush=True); input()"
    words = [sys.executable, "-c", holder, str(state / "lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()

        running = clouds.find_cloud(state)

        process.communicate("\n")
    assert (running is not None) is found


def test_looking_takes_the_lock_from_nobody(state: Path) -> None:
    """Whoever looks gives it back at once."""
    pretend(state, SAID)

    clouds.find_cloud(state)

    with (state / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_nothing_runs_in_a_folder_that_does_not_exist(state: Path) -> None:
    """It is not made either."""
    assert clouds.find_cloud(state) is None
    assert not state.exists()


def test_stopping_what_has_gone_already_is_no_error(state: Path) -> None:
    """It may have ended by itself since it was found."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    pretend(state, SAID)

    clouds.stop_cloud(Cloud(state=state, pid=ended.pid, endpoint_url="http://127.0.0.1:9", region="r", account="a"))

    assert clouds.find_cloud(state) is None


def test_says_why_it_did_not_start(state: Path) -> None:
    """In the cloud's own words, with what to do about it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"the local cloud did not start: port {port} is taken") as refused:
            clouds.start_cloud(state, region="eu-west-1", account="123456789012", engine="process", port=port)

    assert (refused.value.state, refused.value.hint) == (
        "nothing has been started",
        "choose another --port, or 0 for any",
    )


def test_leads_to_its_output_when_it_ended_without_a_word_for_people(state: Path) -> None:
    """Nothing is guessed."""
    with pytest.raises(KaizenError, match="the local cloud did not start: ") as failed:
        clouds.start_cloud(state, region="eu-west-1", account="123456789012", engine="no such engine")

    assert failed.value.exit_code == 1
    assert failed.value.hint == f"its output is in {state / 'output'}"
    assert "no such engine" in (state / "output").read_text()


def test_says_what_to_install_when_it_is_not_whole(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is optional, and nothing is left behind by finding that out."""
    monkeypatch.setitem(sys.modules, "moto", None)

    with pytest.raises(Refused, match="the local cloud needs moto") as refused:
        start(state)

    assert (refused.value.state, refused.value.hint) == (
        "nothing has been started",
        "pip install 'kaizen-tasks[local]'",
    )
    assert not state.exists()


@pytest.fixture
def somewhere(state: Path) -> Cloud:
    """A cloud that does not have to run."""
    return Cloud(state=state, pid=1, endpoint_url="http://127.0.0.1:9", region="eu-west-1", account="123456789012")


def test_its_variables_lead_every_client_there_and_nowhere_else(somewhere: Cloud) -> None:
    """Whatever credentials and region somebody has."""
    environ = somewhere.environ

    assert environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert {environ["AWS_REGION"], environ["AWS_DEFAULT_REGION"]} == {"eu-west-1"}
    assert environ["AWS_SESSION_TOKEN"] == ""
    assert evolve(somewhere, region="us-east-1").environ["AWS_REGION"] == "us-east-1"


@pytest.mark.parametrize(
    ("variables", "hosts"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "intranet.example"}, "intranet.example,127.0.0.1,localhost"),
        ({"no_proxy": ".example,127.0.0.1", "NO_PROXY": "ignored"}, ".example,127.0.0.1,localhost"),
    ],
)
def test_no_proxy_is_asked_for_what_runs_on_this_machine(
    somewhere: Cloud, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], hosts: str
) -> None:
    """What somebody has excepted already stays excepted."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert {somewhere.environ["NO_PROXY"], somewhere.environ["no_proxy"]} == {hosts}
