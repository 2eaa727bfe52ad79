"""The port of the machine that a command runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kaizen_tasks.ports.types import Engine


class Host(Protocol):
    """What this machine brings along for a release."""

    def build_engine(self) -> Engine:
        """Return what would build an image.

        Raises:
            Refused: the configured engine does not work, or none does.
        """
        ...

    def process_identity(self) -> str:
        """Name this process as no other one was ever named, on any machine; empty where that cannot be told."""
        ...

    def is_dead(self, process: str, *, env_marker: str) -> bool:
        """Tell whether a process is gone for certain; False wherever that cannot be seen from here.

        Args:
            process: its name, as `process` returned it there.
            env_marker: a text in the environment of everything that it started, which has to be gone as well.
        """
        ...
