"""The fake of the host."""

from __future__ import annotations

from attrs import define, field

from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports.host import Engine, Host

DOCKER = Engine(name="docker")


@define(kw_only=True)
class FakeHost(Host):
    """A machine as a test configures it.

    Attributes:
        engine_result: the engine, or the error that looking for one ends in.
        dead_processes: names of the processes that are known to be gone.
        running_processes: names of the processes that are known to run.
    """

    engine_result: Engine | KaizenError = DOCKER
    dead_processes: set[str] = field(factory=set)
    running_processes: set[str] = field(factory=set)

    def build_engine(self) -> Engine:
        if isinstance(self.engine_result, KaizenError):
            raise self.engine_result
        return self.engine_result

    def process_identity(self) -> str:
        return "boot/1/1000/42/7"

    def is_dead(self, process: str, *, env_marker: str) -> bool:
        """Return whether the process is in `dead_processes`."""
        return bool(env_marker) and process in self.dead_processes

    def is_running(self, process: str) -> bool:
        return process in self.running_processes
