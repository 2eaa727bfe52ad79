"""Detects, while the app is being verified, that our deployment failed or was superseded by another one."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.service import OperationState
from kaizen_tasks.errors import DeployFailed, Superseded, Unreachable
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from kaizen_tasks.domain.service import Operation, Service

CHECK_INTERVAL_SECONDS = 15.0
"""Minimum seconds between two checks: hundreds of environments share AWS's rate limits."""


@define
class SupersessionWatch:
    """Checks, while an app is being verified, whether its deployment has failed or was superseded.

    Args:
        environment: where the app runs.
        release: the deployed release; the ledger names its deployment.
        tools: the ports.
    """

    _environment: Environment
    _release: Release
    _tools: Tools
    _next_check: float = 0.0

    def check(self) -> None:
        """Check the deployment, at most once in `CHECK_INTERVAL_SECONDS`; ignore a platform that does not answer.

        Raises:
            DeployFailed: the deployment has failed, or was rolled back.
            Superseded: a later deployment brought another image.
        """
        now = self._tools.clock.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + CHECK_INTERVAL_SECONDS
        with suppress(Unreachable):
            self._check_operations()

    def _check_operations(self) -> None:
        if not self._operation_id:
            return
        operations = self._tools.at(self._environment).platform.list_operations(self._service)
        position = next((index for index, item in enumerate(operations) if item.id == self._operation_id), None)
        if position is None:
            return  # too old for the list, or too new: the list is eventually consistent
        own_operation = operations[position]
        is_superseded = own_operation.state is OperationState.SUPERSEDED
        if own_operation.has_failed and not is_superseded:
            raise self._failed_error(own_operation)
        later_deployments = [item for item in operations[:position] if item.deploys and not item.has_failed]
        if later_deployments and (is_superseded or self._follows_other_image()):
            raise self._superseded_error(later_deployments[0])

    @cached_property
    def _operation_id(self) -> str:
        """The identifier of the latest deployment of the release's digest in the ledger; empty when there is none."""
        entries = self._tools.ledger.entries(self._environment.name, limit=ledger.HISTORY_LIMIT)
        own_entries = (each for each in entries if each.event.concerns_deployment)
        operation_ids = (entry.operation for entry in own_entries if entry.digest == self._release.digest)
        return next(filter(None, operation_ids), "")

    @cached_property
    def _service(self) -> Service:
        return self._tools.at(self._environment).platform.get_service(self._environment.service)

    def _follows_other_image(self) -> bool:
        """Return whether the service has another image now; otherwise it was only restarted."""
        target = self._tools.at(self._environment)
        reference = target.platform.get_service(self._environment.service).image_reference
        image = target.registry.find_image(self._environment.repository, reference) if reference else None
        return image is None or image.digest != self._release.digest

    def _failed_error(self, own_operation: Operation) -> DeployFailed:
        name = self._environment.name
        return DeployFailed(
            f"{name}: the deployment of {self._release.name} to {self._environment.service}"
            f" ended with {own_operation.native_state}",
            state=f"{name} does not run {self._release.name}; the old release is serving",
            hint=f"a fix needs a new version; to retry: inv deploy --env {name} --release {self._release.name}",
        )

    def _superseded_error(self, later_deployment: Operation) -> Superseded:
        name = self._environment.name
        return Superseded(
            f"{name}: another {later_deployment.kind} ({later_deployment.id}, {later_deployment.native_state})"
            f" has superseded that of {self._release.name}",
            environment=name,
            state=f"{self._release.name} is not recorded as verified; the other deployment is left as it is",
            hint=f"see what runs (inv status); to deploy again: inv deploy --env {name} --release {self._release.name}",
        )
