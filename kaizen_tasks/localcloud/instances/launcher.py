"""Instances of an image: of which kind, whether they are healthy, and what an earlier life left behind."""

from __future__ import annotations

import http.client
import shutil
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Literal

import attrs

from kaizen_tasks.errors import DeployFailed, Interrupted
from kaizen_tasks.localcloud.instances.process import ProcessInstance, kill_leftovers

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.localcloud.instances.container import Docker
    from kaizen_tasks.localcloud.instances.rootfs import Image
    from kaizen_tasks.localcloud.instances.spec import Instance, Launch

Engine = Literal["auto", "docker", "process"]

_BUNDLE = ("dev.kaizen.image", "bundle")  # an image without an operating system: only a process can run it
_CONTAINER_MARK = "container"
_POLL_SECONDS = 0.05
_SILENCE_SECONDS = 0.05
_RECENT_PORTS = 256


@attrs.frozen(kw_only=True)
class HealthCheck:
    """What App Runner asks of an instance before it gets traffic; times in seconds."""

    protocol: str
    path: str
    interval: float
    timeout: float
    healthy: int
    unhealthy: int

    @property
    def patience(self) -> float:
        """How long an instance may take to become healthy."""
        return self.interval * self.unhealthy


class Workloads:
    """Starts instances, as containers where there is an engine and as processes elsewhere.

    Args:
        folder: holds one folder per instance for as long as it runs.
        engine: which kind to start; bundles are processes always.
        docker: the container engine.
    """

    def __init__(self, *, folder: Path, engine: Engine, docker: Docker) -> None:
        self._folder = folder
        self._engine = engine
        self._docker = docker
        self._lock = threading.Lock()
        self._recent: deque[int] = deque(maxlen=_RECENT_PORTS)

    def start(self, launch: Launch) -> Instance:
        """Start an instance.

        Raises:
            KaizenError: the image cannot be brought here or cannot be started.
        """
        folder = self._folder / launch.identity
        folder.mkdir(parents=True)
        launch.output.parent.mkdir(parents=True, exist_ok=True)
        try:
            if not self._in_container(launch.image):
                return ProcessInstance(launch, folder, self._free_port())
            (folder / _CONTAINER_MARK).touch()
            return self._docker.start(launch, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def remove_leftovers(self) -> None:
        """Stop and remove the instances that a local cloud left here when it was killed."""
        leftovers = tuple(self._folder.iterdir()) if self._folder.is_dir() else ()
        kill_leftovers({folder.name for folder in leftovers})
        for folder in leftovers:
            if (folder / _CONTAINER_MARK).exists():
                self._docker.remove(folder.name)
            shutil.rmtree(folder, ignore_errors=True)

    def _in_container(self, image: Image) -> bool:
        name, bundle = _BUNDLE
        if image.labels.get(name) == bundle or self._engine == "process":
            return False
        return self._engine == "docker" or self._docker.is_available

    def _free_port(self) -> int:
        """Choose a free port that was not given away a moment ago: that one may not be listened to yet."""
        while True:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = int(probe.getsockname()[1])
            with self._lock:
                if port not in self._recent:
                    self._recent.append(port)
                    return port


def wait_until_healthy(instance: Instance, check: HealthCheck, interrupted: threading.Event) -> None:
    """Wait for as many good answers in a row as the check wants.

    Intervals are shortened: nothing here is far away, and the configured ones stay upper bounds.

    Raises:
        DeployFailed: the application exited, or did not become healthy in time.
        Interrupted: the event was set.
    """
    deadline = time.monotonic() + check.patience
    good = 0
    while good < check.healthy:
        code = instance.exit_code()
        if code is not None:
            raise DeployFailed("Health check failed.", state=f"Container exit code: {code}")
        if time.monotonic() > deadline:
            raise DeployFailed("Health check failed.", state=f"Not healthy within {check.patience:g} seconds")
        good = good + 1 if is_healthy(instance.port, check) else 0
        if interrupted.wait(min(_POLL_SECONDS, check.interval)):
            raise Interrupted("the local cloud is stopping")


def is_healthy(port: int, check: HealthCheck) -> bool:
    """Ask once, as the check says."""
    try:
        return _answers_ok(port, check) if check.protocol == "HTTP" else _accepts(port, check.timeout)
    except (OSError, http.client.HTTPException):
        return False


def _answers_ok(port: int, check: HealthCheck) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=check.timeout)
    try:
        connection.request("GET", check.path)
        return connection.getresponse().status == 200
    finally:
        connection.close()


def _accepts(port: int, timeout: float) -> bool:
    """Tell whether an application holds a connection open.

    Docker itself accepts connections to a published port, and closes them while nothing listens behind it.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.settimeout(min(timeout, _SILENCE_SECONDS))
        try:
            return connection.recv(1) != b""
        except TimeoutError:
            return True
