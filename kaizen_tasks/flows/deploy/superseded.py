"""Whether the deployment that a release stands on still stands, while its app is being asked."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kaizen_tasks.errors import DeployFailed, Superseded, Unreachable
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.service import Operation, Service
    from kaizen_tasks.ports.tools import Tools

EVERY = 15.0
"""Seconds between two looks at the platform, at least: hundreds of environments share AWS's rates."""


class Watch:
    """Looks at the platform now and then, and stops a wait that has become useless.

    Args:
        environment: where.
        release: whose deployment it is about: the one that the ledger has for these bytes.
        tools: the outside world.
    """

    def __init__(self, environment: Environment, release: Release, tools: Tools) -> None:
        self._environment = environment
        self._release = release
        self._tools = tools
        self._next = 0.0

    def look(self) -> None:
        """Look, unless the last look was a moment ago; a platform that does not answer proves nothing.

        Raises:
            DeployFailed: the deployment has failed, or was rolled back.
            Superseded: another one has brought other bytes since.
        """
        now = self._tools.clock.elapsed()
        if now < self._next:
            return
        self._next = now + EVERY
        try:
            self._judge()
        except Unreachable:
            return

    def _judge(self) -> None:
        if not self._identity:
            return
        operations = self._tools.platform.operations(self._service)
        position = next((at for at, each in enumerate(operations) if each.identity == self._identity), None)
        if position is None:
            return  # too old for the list, or too new: it is eventually consistent
        own = operations[position]
        if own.ended and not own.succeeded:
            raise self._failed(own)
        since = [each for each in operations[:position] if each.deploys and (each.succeeded or not each.ended)]
        if since and self._brings_other_bytes():
            raise self._superseded(since[0])

    @cached_property
    def _identity(self) -> str:
        """The deployment that brought these bytes here, as far as the ledger knows."""
        entries = self._tools.ledger.entries(self._environment.name, limit=ledger.HISTORY)
        own = (each.operation for each in entries if each.digest == self._release.digest)
        return next(filter(None, own), "")

    @cached_property
    def _service(self) -> Service:
        return self._tools.platform.service(self._environment.service)

    def _brings_other_bytes(self) -> bool:
        """Return whether what the service follows by now is not the release: somebody may only have restarted it."""
        _, _, tag = self._tools.platform.service(self._environment.service).image.rpartition(":")
        image = self._tools.registry.image(self._environment.repository, tag)
        return image is None or image.digest != self._release.digest

    def _failed(self, own: Operation) -> DeployFailed:
        name = self._environment.name
        return DeployFailed(
            f"{name}: the deployment of {self._release.name} to {self._environment.service} ended with {own.state}",
            state=f"{name} has no service that runs {self._release.name}; what ran before is serving",
            hint=f"inv deploy --env {name} --release {self._release.name} tries again; a mended app is a new version",
        )

    def _superseded(self, other: Operation) -> Superseded:
        name = self._environment.name
        return Superseded(
            f"{name}: another deployment ({other.kind} {other.identity}, {other.state}) has superseded"
            f" that of {self._release.name}",
            environment=name,
            state=f"{self._release.name} is not recorded as verified; the other deployment is left as it is",
            hint=f"inv status shows what runs; to deploy it once more: inv deploy --env {name}"
            f" --release {self._release.name}",
        )
