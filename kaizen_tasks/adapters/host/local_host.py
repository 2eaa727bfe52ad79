"""This machine, as far as a release depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.build.select import working
from kaizen_tasks.adapters.host import process_identity
from kaizen_tasks.adapters.host.process import run
from kaizen_tasks.ports.host import Machine
from kaizen_tasks.ports.types import Engine

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import BuildRules

BUNDLE = Engine(
    name="bundle",
    weakness="bundle makes images that ignore the Dockerfile",
    remedy='set build.engine = "auto" for images to be served for real',
)
DOCKER_ALONE = Engine(
    name="docker",
    weakness="docker answers, but has no buildx, and builds with what it has instead",
    remedy="install buildx: https://docs.docker.com/go/buildx/",
)


class LocalMachine(Machine):
    """The machine that this runs on.

    Args:
        rules: which engine is wanted.
    """

    def __init__(self, rules: BuildRules) -> None:
        self._rules = rules

    def engine(self) -> Engine:
        """Return what would build an image."""
        if self._rules.engine == "bundle":
            return BUNDLE
        name = working(self._rules.engine)
        if name == "docker" and not run(("docker", "buildx", "version")).ok:
            return DOCKER_ALONE
        return Engine(name=name)

    def process(self) -> str:
        """Name this process."""
        return process_identity.mine()

    def has_ended(self, process: str, *, bearing: str) -> bool:
        """Tell whether a process is gone for certain, and everything that it started."""
        return process_identity.has_ended(process, bearing=bearing)
