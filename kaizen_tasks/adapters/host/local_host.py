"""This machine, as far as a release depends on it."""

from __future__ import annotations

from collections.abc import Callable

from kaizen_tasks.adapters.host import process_identity
from kaizen_tasks.ports.host import Engine, Host


class LocalHost(Host):
    """The machine on which this process runs; `detect_engine` returns the engine that would build an image here."""

    def __init__(self, detect_engine: Callable[[], Engine]) -> None:
        self._detect_engine = detect_engine

    def build_engine(self) -> Engine:
        """Return the engine that would build an image."""
        return self._detect_engine()

    def process_identity(self) -> str:
        """Return a text that identifies this process and no other, ever; empty where the machine offers none."""
        return process_identity.current_process_identity()

    def is_dead(self, process: str, *, env_marker: str) -> bool:
        """Return whether a process and all programs that it started have certainly ended."""
        return process_identity.is_dead(process, env_marker=env_marker)

    def is_running(self, process: str) -> bool:
        """Return whether another process certainly runs on this machine."""
        return process_identity.is_running(process)
