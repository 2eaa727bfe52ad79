"""A machine with an engine."""

from __future__ import annotations

from attrs import define, field

from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports.host import Machine
from kaizen_tasks.ports.types import Engine

DOCKER = Engine(name="docker")


@define(kw_only=True)
class FakeMachine(Machine):
    """Has what a test says.

    Attributes:
        found: the engine, or the error that looking for one ends in.
        ended: names of the processes that are known to be gone.
    """

    found: Engine | KaizenError = DOCKER
    ended: set[str] = field(factory=set)

    def engine(self) -> Engine:
        """Return the engine."""
        if isinstance(self.found, KaizenError):
            raise self.found
        return self.found

    def process(self) -> str:
        """Name this process."""
        return "boot/1/1000/42/7"

    def has_ended(self, process: str, *, bearing: str) -> bool:
        """Look it up; a lock that proves nothing bears nothing."""
        return bool(bearing) and process in self.ended
