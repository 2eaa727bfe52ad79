"""Instances of an image: of which kind, whether they are healthy, and what an earlier life left behind."""

from __future__ import annotations

import http.client
import shutil
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Literal

import attrs

from kaizen_tasks.errors import DeployFailed, Interrupted
from kaizen_tasks.localcloud.clock import Clock
from kaizen_tasks.localcloud.instances.process import ProcessInstance, kill_orphans

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.localcloud.instances.container import DockerEngine
    from kaizen_tasks.localcloud.instances.rootfs import PlatformImage
    from kaizen_tasks.localcloud.instances.spec import Instance, InstanceSpec

EngineChoice = Literal["auto", "docker", "process"]

_BUNDLE_LABEL = ("dev.kaizen.image", "bundle")  # an image without an operating system: only a process can run it
_CONTAINER_MARKER = "container"
_POLL_SECONDS = 0.05
_HOLD_OPEN_SECONDS = 0.05
_MAX_RECENT_PORTS = 256


@attrs.frozen(kw_only=True)
class HealthCheck:
    """What App Runner asks of an instance before it gets traffic; times in seconds."""

    protocol: str
    path: str
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int

    @property
    def startup_timeout(self) -> float:
        """How long an instance may take to become healthy."""
        return self.interval * self.unhealthy_threshold


class InstanceLauncher:
    """Starts instances, as containers where there is an engine and as processes elsewhere.

    Args:
        folder: holds one folder per instance for as long as it runs.
        engine: which kind to start; bundles are processes always.
        docker: the container engine.
    """

    def __init__(self, *, folder: Path, engine: EngineChoice, docker: DockerEngine) -> None:
        self._folder = folder
        self._engine = engine
        self._docker = docker
        self._lock = threading.Lock()
        self._recent_ports: deque[int] = deque(maxlen=_MAX_RECENT_PORTS)

    def start(self, spec: InstanceSpec) -> Instance:
        """Start an instance.

        Raises:
            KaizenError: the image cannot be brought here or cannot be started.
        """
        folder = self._folder / spec.instance_id
        folder.mkdir(parents=True)
        spec.output.parent.mkdir(parents=True, exist_ok=True)
        try:
            if not self._runs_in_container(spec.image):
                return ProcessInstance(spec, folder, self._free_port())
            (folder / _CONTAINER_MARKER).touch()
            return self._docker.start(spec, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def remove_orphans(self) -> None:
        """Stop and remove the instances that a local cloud left here when it was killed."""
        orphan_folders = tuple(self._folder.iterdir()) if self._folder.is_dir() else ()
        kill_orphans({folder.name for folder in orphan_folders})
        for folder in orphan_folders:
            if (folder / _CONTAINER_MARKER).exists():
                self._docker.remove(folder.name)
            shutil.rmtree(folder, ignore_errors=True)

    def _runs_in_container(self, image: PlatformImage) -> bool:
        name, bundle = _BUNDLE_LABEL
        if image.labels.get(name) == bundle or self._engine == "process":
            return False
        return self._engine == "docker" or self._docker.is_available

    def _free_port(self) -> int:
        """Choose a free port that was not given away a moment ago: that one may not be listened to yet."""
        while True:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = int(probe.getsockname()[1])
            with self._lock:
                if port not in self._recent_ports:
                    self._recent_ports.append(port)
                    return port


def wait_until_healthy(
    instance: Instance, check: HealthCheck, stop_event: threading.Event, clock: Clock | None = None
) -> None:
    """Wait for as many good answers in a row as the check wants.

    Intervals are shortened: nothing here is far away, and the configured ones stay upper bounds.

    Raises:
        DeployFailed: the application exited, or did not become healthy in time.
        Interrupted: the event was set.
    """
    clock = clock or Clock()
    deadline = clock.now() + check.startup_timeout
    successes = 0
    while successes < check.healthy_threshold:
        code = instance.exit_code()
        if code is not None:
            raise DeployFailed("Health check failed.", state=f"Container exit code: {code}")
        if clock.now() > deadline:
            raise DeployFailed("Health check failed.", state=f"Not healthy within {check.startup_timeout:g} seconds")
        successes = successes + 1 if is_healthy(instance.port, check) else 0
        if stop_event.wait(min(_POLL_SECONDS, check.interval)):
            raise Interrupted("the local cloud is stopping")


def is_healthy(port: int, check: HealthCheck) -> bool:
    """Ask once, as the check says."""
    try:
        return _http_ok(port, check) if check.protocol == "HTTP" else _tcp_accepts(port, check.timeout)
    except (OSError, http.client.HTTPException):
        return False


def _http_ok(port: int, check: HealthCheck) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=check.timeout)
    try:
        connection.request("GET", check.path)
        return connection.getresponse().status == 200
    finally:
        connection.close()


def _tcp_accepts(port: int, timeout: float) -> bool:
    """Tell whether an application holds a connection open.

    Docker itself accepts connections to a published port, and closes them while nothing listens behind it.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.settimeout(min(timeout, _HOLD_OPEN_SECONDS))
        try:
            return connection.recv(1) != b""
        except TimeoutError:
            return True
