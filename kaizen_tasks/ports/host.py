"""The port of the machine that a command runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kaizen_tasks.ports.types import Engine


class Machine(Protocol):
    """What this machine brings along for a release."""

    def engine(self) -> Engine:
        """Return what would build an image.

        Raises:
            Refused: the configured engine does not work, or none does.
        """
        ...

    def process(self) -> str:
        """Name this process as no other one was ever named, on any machine; empty where that cannot be told."""
        ...

    def has_ended(self, process: str, *, bearing: str) -> bool:
        """Tell whether a process is gone for certain; False wherever that cannot be seen from here.

        Args:
            process: its name, as `process` returned it there.
            bearing: a text in the environment of everything that it started, which has to be gone as well.
        """
        ...
