"""What an application is started from, and what it is once it was started."""

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
        instance_id: 32 hexadecimal digits, new for every instance.
        repository: where in the registry the image is.
        image: the image of this machine's platform.
        variables: the service's own variables; they win over the image's.
        arguments: what to run instead of the image's default command; empty for the default.
        port: where the service says that its application listens.
        output: the file that receives everything the application prints.
    """

    instance_id: str
    repository: str
    image: PlatformImage
    variables: Mapping[str, str]
    arguments: tuple[str, ...]
    port: int
    output: Path

    def tail(self, lines: int = 10) -> tuple[str, ...]:
        """Return the last lines that the application has printed."""
        if not self.output.exists():
            return ()
        with self.output.open("rb") as file:
            file.seek(max(0, self.output.stat().st_size - _TAIL_BYTES))
            return tuple(file.read().decode(errors="replace").splitlines()[-lines:])


class Instance(Protocol):
    """A started application."""

    @property
    def port(self) -> int:
        """Its port on this machine's loopback interface; 0 when it never got one."""

    def accepts_connections(self, timeout: float) -> bool:
        """Tell whether the application listens, asking it for `timeout` seconds at most."""

    def exit_code(self) -> int | None:
        """Return what it exited with, None while it runs."""

    def stop(self) -> None:
        """Stop it, with everything it started, and remove what it used; do nothing the second time."""
