"""Instances of an application: what they are started from, and their interface."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import attrs

from kaizen_tasks.localcloud.instances.rootfs import PlatformImage

_TAIL_BYTES = 4096


@attrs.frozen(kw_only=True)
class InstanceSpec:
    """What an instance is started from.

    Args:
        instance_id: 32 hexadecimal digits, unique for every instance.
        repository: the image's repository in the registry.
        image: the image for this machine's platform.
        variables: the service's variables, which override the image's.
        arguments: the command that replaces the image's default command; empty for the default.
        entrypoint: what replaces the image's entry point, and with it its default command; empty for the image's.
        working_directory: what replaces the image's working directory; empty for the image's.
        port: the port on which the application listens in a container.
        output: the file for the application's stdout and stderr.
        stop_seconds: how long it may take to end after SIGTERM.
        runs_once: whether it is a command that runs to its end: it needs no port, and is never started again.
    """

    instance_id: str
    repository: str
    image: PlatformImage
    variables: Mapping[str, str]
    arguments: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    working_directory: str = ""
    port: int
    output: Path
    stop_seconds: float = 3.0
    runs_once: bool = False

    @property
    def command(self) -> tuple[str, ...]:
        """Return the program and its arguments; empty if neither the image nor its service names any."""
        if self.entrypoint:
            return (*self.entrypoint, *self.arguments)
        return (*self.image.entrypoint, *(self.arguments or self.image.command))

    def tail(self, lines: int = 10) -> tuple[str, ...]:
        """Return the last lines of the application's output."""
        if not self.output.exists():
            return ()
        with self.output.open("rb") as file:
            file.seek(max(0, self.output.stat().st_size - _TAIL_BYTES))
            return tuple(file.read().decode(errors="replace").splitlines()[-lines:])


class Instance(Protocol):
    """A started application."""

    @property
    def port(self) -> int:
        """Return its port on this machine's loopback interface; 0 if it has none."""

    @property
    def may_fail(self) -> bool:
        """Return whether it is a program, which may stop or hang by itself."""

    def accepts_connections(self, timeout: float) -> bool:
        """Return whether the application listens, after at most `timeout` seconds."""

    def exit_code(self) -> int | None:
        """Return its exit code, also after it was stopped; None while it runs."""

    def stop(self) -> None:
        """Stop it with all its processes and delete its folder; do nothing if it is stopped."""
