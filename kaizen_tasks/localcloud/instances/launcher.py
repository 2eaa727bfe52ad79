"""Starts instances as containers or as processes, and removes those that a killed local cloud left behind."""

from __future__ import annotations

import shutil
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Literal

from kaizen_tasks.localcloud.instances.process import ProcessInstance, kill_orphans
from kaizen_tasks.localcloud.instances.stand_in import StandInCommand, StandIns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kaizen_tasks.localcloud.instances.container import DockerEngine
    from kaizen_tasks.localcloud.instances.rootfs import PlatformImage
    from kaizen_tasks.localcloud.instances.spec import Instance, InstanceSpec

EngineChoice = Literal["auto", "docker", "process", "none"]

_KIND_LABEL = "dev.kaizen.image"
_BUNDLE = "bundle"  # an image without an operating system, which only a process can run
_STAND_IN = "stand-in"  # an image without content, whose labels say what it answers
_CONTAINER_MARKER = "container"
_MAX_RECENT_PORTS = 256


class InstanceLauncher:
    """Starts instances as containers, or as processes where no engine is available, or as stand-ins.

    Args:
        folder: the folder with one folder per running instance.
        engine: the kind of instances; bundles are never containers.
        docker: the container engine.
        aws: variables with which SDKs find the local cloud, as those of a service's role do on App Runner.
    """

    def __init__(
        self, *, folder: Path, engine: EngineChoice, docker: DockerEngine, aws: Mapping[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._engine = engine
        self._docker = docker
        self._aws = aws or {}
        self._stand_ins = StandIns()
        self._lock = threading.Lock()
        self._recent_ports: deque[int] = deque(maxlen=_MAX_RECENT_PORTS)

    def start(self, spec: InstanceSpec) -> Instance:
        """Start an instance.

        Raises:
            KaizenError: the image cannot be pulled, unpacked or started.
        """
        if self._engine == "none" or spec.image.labels.get(_KIND_LABEL) == _STAND_IN:
            return StandInCommand(spec) if spec.runs_once else self._stand_ins.start(spec)
        folder = self._folder / spec.instance_id
        folder.mkdir()
        spec.output.parent.mkdir(parents=True, exist_ok=True)
        try:
            if not self._runs_in_container(spec.image):
                port = spec.port if spec.runs_once else self._free_port()
                return ProcessInstance(spec, folder, port, self._aws)
            (folder / _CONTAINER_MARKER).touch()
            return self._docker.start(spec, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def remove_orphans(self) -> None:
        """Stop and remove the instances of a local cloud that was killed."""
        orphan_folders = tuple(self._folder.iterdir())
        kill_orphans({folder.name for folder in orphan_folders})
        for folder in orphan_folders:
            if (folder / _CONTAINER_MARKER).exists():
                self._docker.remove(folder.name)
            shutil.rmtree(folder, ignore_errors=True)

    def _runs_in_container(self, image: PlatformImage) -> bool:
        if image.labels.get(_KIND_LABEL) == _BUNDLE or self._engine == "process":
            return False
        return self._engine == "docker" or self._docker.is_available

    def _free_port(self) -> int:
        """Return a free port that was not returned recently: its program may not listen yet."""
        while True:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = int(probe.getsockname()[1])
            with self._lock:
                if port not in self._recent_ports:
                    self._recent_ports.append(port)
                    return port
