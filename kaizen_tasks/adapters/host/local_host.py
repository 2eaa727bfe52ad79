"""This machine, as far as a release depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.build.select import find_working_engine
from kaizen_tasks.adapters.host import process_identity
from kaizen_tasks.adapters.host.process import run
from kaizen_tasks.ports.host import Host
from kaizen_tasks.ports.types import Engine

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import BuildRules

BUNDLE_ENGINE = Engine(
    name="bundle",
    warning="bundle makes images that ignore the Dockerfile",
    fix='set build.engine = "auto" for images to be served for real',
)
DOCKER_WITHOUT_BUILDX = Engine(
    name="docker",
    warning="docker answers, but has no buildx, and builds with what it has instead",
    fix="install buildx: https://docs.docker.com/go/buildx/",
)


class LocalHost(Host):
    """The machine that this runs on.

    Args:
        rules: which engine is wanted.
    """

    def __init__(self, rules: BuildRules) -> None:
        self._rules = rules

    def build_engine(self) -> Engine:
        """Return what would build an image."""
        if self._rules.engine == "bundle":
            return BUNDLE_ENGINE
        name = find_working_engine(self._rules.engine)
        if name == "docker" and not run(("docker", "buildx", "version")).ok:
            return DOCKER_WITHOUT_BUILDX
        return Engine(name=name)

    def process_identity(self) -> str:
        """Name this process."""
        return process_identity.current_process_identity()

    def is_dead(self, process: str, *, env_marker: str) -> bool:
        """Tell whether a process is gone for certain, and everything that it started."""
        return process_identity.is_dead(process, env_marker=env_marker)
