"""The port of the machine that a command runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kaizen_tasks.ports.types import Engine


class Host(Protocol):
    """The machine: what builds images on it, and which of its processes are alive."""

    def build_engine(self) -> Engine:
        """Return what would build an image.

        Raises:
            Refused: the configured engine does not work, or none does.
        """

    def process_identity(self) -> str:
        """Return a name of this process that is unique across machines and reboots; empty where there is none."""

    def is_dead(self, process: str, *, env_marker: str) -> bool:
        """Return whether a process has certainly ended; False where that cannot be told from this machine.

        Args:
            process: its name, as `process_identity` returned it there.
            env_marker: a text in the environment of its child processes, which must have ended as well.
        """
