"""A machine with an engine."""

from __future__ import annotations

from attrs import define

from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports import Engine, Machine

DOCKER = Engine(name="docker")


@define(kw_only=True)
class FakeMachine(Machine):
    """Has what a test says.

    Attributes:
        found: the engine, or the error that looking for one ends in.
    """

    found: Engine | KaizenError = DOCKER

    def engine(self) -> Engine:
        """Return the engine."""
        if isinstance(self.found, KaizenError):
            raise self.found
        return self.found
