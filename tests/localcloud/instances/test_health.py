"""Connection checks of instances."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import uuid
from typing import TYPE_CHECKING

import pytest
import pytest_socket

from kaizen_tasks.localcloud.instances import health
from kaizen_tasks.localcloud.instances.container import ContainerInstance
from kaizen_tasks.localcloud.instances.rootfs import PlatformImage
from kaizen_tasks.localcloud.instances.spec import InstanceSpec
from kaizen_tasks.localcloud.instances.stand_in import StandInCommand
from tests.localcloud.manual_clock import ManualClock
from tests.support.base_image import base_image
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration


@contextlib.contextmanager
def listening(*, closes: bool) -> Iterator[tuple[str, int]]:
    """Accept one connection and close it, as a proxy without a backend does, or keep it."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as connections:

        def accept() -> None:
            connection = connections.enter_context(listener.accept()[0])
            if closes:
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()
        thread.join()


def unused_address() -> tuple[str, int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        return host, port


@pytest.mark.parametrize("closes", [True, False])
def test_a_program_that_accepts_connections_listens(*, closes: bool) -> None:
    with listening(closes=closes) as address:
        assert health.accepts_connections(address, HANG_SECONDS)


def test_nothing_listens_on_an_unused_port() -> None:
    assert not health.accepts_connections(unused_address(), HANG_SECONDS)
    assert not health.holds_connections_open(unused_address(), HANG_SECONDS)


def test_a_proxy_that_closes_its_connections_has_no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_HOLD_OPEN_SECONDS", HANG_SECONDS)
    with listening(closes=True) as address:
        assert not health.holds_connections_open(address, HANG_SECONDS)


def test_a_proxy_that_keeps_its_connections_has_a_backend() -> None:
    with listening(closes=False) as address:
        assert health.holds_connections_open(address, 0.2)


SLOW_APP = """
import http.server, os, time
while not os.path.exists("/go"): time.sleep(0.02)
http.server.ThreadingHTTPServer(("", 8080), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def new_spec(folder: Path) -> InstanceSpec:
    return InstanceSpec(
        instance_id=f"health-{uuid.uuid4().hex}",
        repository="app",
        image=PlatformImage(
            digest="", layers=(), entrypoint=(), command=(), environment={}, working_directory="/", labels={}
        ),
        variables={},
        arguments=(),
        port=8080,
        output=folder / "output",
    )


@pytest.mark.docker
def test_a_container_listens_when_its_application_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's proxy accepts connections to the published port from the beginning."""
    monkeypatch.setattr(socket.socket, "connect", pytest_socket._true_connect)  # the bridge is not loopback
    spec = new_spec(tmp_path)
    name = f"kaizen-{spec.instance_id}"
    docker("run", "-d", "--name", name, "-p", "127.0.0.1::8080", base_image(), "python", "-c", SLOW_APP)
    instance = ContainerInstance(spec, tmp_path / "folder", reference="no-such-image")
    try:
        assert instance.port
        assert not instance.accepts_connections(HANG_SECONDS)
        docker("exec", name, "touch", "/go")
        wait_for(lambda: instance.accepts_connections(HANG_SECONDS))
    finally:
        instance.stop()


def docker(*arguments: str) -> None:
    subprocess.run(["docker", *arguments], capture_output=True, timeout=HANG_SECONDS, check=True)


class Pauses(threading.Event):
    """Records for how long it is waited for, and moves a clock on instead."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self.clock = clock
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        self.clock.reading += timeout
        return False


@pytest.mark.parametrize(("interval", "pause"), [(20, 5.0), (5, 5.0), (1, 1.0), (0.1, 0.25)])
def test_an_instance_is_watched_closely_for_ten_seconds_and_as_often_as_it_is_checked_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interval: float, pause: float
) -> None:
    """Every five seconds at least."""
    clock = ManualClock()
    pauses = Pauses(clock)
    check = health.HealthCheck(
        protocol="NONE", path="/", interval=interval, timeout=1, healthy_threshold=1, unhealthy_threshold=5
    )
    instance = StandInCommand(new_spec(tmp_path))
    monkeypatch.setattr(instance, "exit_code", lambda: 3 if len(pauses.seconds) == 43 else None)
    reason = health.wait_until_unhealthy(instance, check, is_current=lambda: True, stop_event=pauses, clock=clock)
    assert reason.endswith("Container exit code: 3")
    assert pauses.seconds == [0.25] * 40 + [pause] * 3
