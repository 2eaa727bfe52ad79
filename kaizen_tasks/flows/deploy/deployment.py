"""One deployment of one release: recorded before it starts, and resumed if an earlier run was stopped."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain import ledger as entries
from kaizen_tasks.domain import service as operations
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import Cancelled, KaizenError, NotFound, Undeployable
from kaizen_tasks.flows.deploy import first_deployment, start
from kaizen_tasks.flows.deploy.image import find_image_to_run, image_reference, move_followed_tag
from kaizen_tasks.flows.deploy.stop import stop_deployment
from kaizen_tasks.flows.deploy.wait import SERVICE_GONE, DeploymentOutcome, DeploymentWaiter, wait_for_operation
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.service import Operation, Service
    from kaizen_tasks.ports.platform import Platform

NOTHING_STARTED = "no deployment was started: what was serving still serves"


@frozen(kw_only=True)
class Deployment:
    """One deployment of a release to an environment.

    Attributes:
        environment: where to deploy.
        release: the release to deploy, with its digest.
        label: the step that progress is reported for.
        tools: the ports.
        reason: why, for the ledger; empty when the release itself is the reason.
    """

    environment: Environment
    release: Release
    label: StepLabel
    tools: Tools
    reason: str = ""

    def run(self) -> DeploymentOutcome:
        """Resume the deployment of an earlier run, or start one; wait for its end and return the outcome.

        Raises:
            Undeployable: the service cannot deploy, and nothing has been changed.
            NotFound: there is no such service, and nothing has been changed.
            ServiceMissing: there is no service yet, and the tag that it will follow is on the release.
        """
        service = self._find_service()
        history = self.tools.ledger.entries(self.environment.name, limit=ledger.HISTORY_LIMIT)
        entry = entries.latest_deployment_entry(history)
        if entry is not None and self.release.matches(entry) and entry.event in {Event.STARTED, Event.FAILED}:
            outcome = self._resume(entry, self._new_waiter(service, entries.median_deploy_seconds(history) or 0.0))
            if outcome is not None:
                return outcome
        return self._start(service, history)

    @property
    def _platform(self) -> Platform:
        return self.tools.at(self.environment).platform

    def _find_service(self) -> Service:
        """Return the service; if there has never been one, move the tag that it can be created with, and raise."""
        try:
            service = self._platform.get_service(self.environment.service)
            service.require_deployable()
        except (NotFound, Undeployable) as error:
            if not first_deployment.needs_service(self.environment, self.release, self.tools):
                raise
            self._move_followed_tag()
            raise first_deployment.missing_service_error(
                self.environment, self.release, error.message, self.tools
            ) from error
        return service

    def _new_waiter(self, service: Service, typical_seconds: float) -> DeploymentWaiter:
        return DeploymentWaiter(
            platform=self._platform,
            service=service,
            release_name=self.release.name,
            label=self.label,
            tools=self.tools,
            deadline=self.tools.clock.monotonic() + self.tools.settings.deploy.timeout,
            typical_seconds=typical_seconds,
        )

    def _start(self, service: Service, history: tuple[LedgerEntry, ...]) -> DeploymentOutcome:
        """Record the intent, move the followed tag, start or adopt the deployment, and return its outcome."""
        open_entry, typical_seconds = entries.open_deployment(history), entries.median_deploy_seconds(history)
        may_be_mistaken = open_entry or typical_seconds is None or service.status is not ServiceStatus.RUNNING
        previous_operations = self._platform.list_operations(service) if may_be_mistaken else ()
        if open_entry is not None and not self.release.matches(open_entry):
            self._close(open_entry, history, previous_operations)
        fields: ledger.EntryFields = {"replaces": self._replaced_digest(history), "reason": self.reason}
        intent = ledger.append(Event.STARTED, self.environment, self.release, self.tools, **fields)
        excluded_operations = {operation.id for operation in previous_operations}
        excluded_operations.update(entry.operation for entry in history)
        waiter = self._new_waiter(service, typical_seconds or operations.median_operation_seconds(previous_operations))
        last_entry = entries.latest_deployment_entry(history)  # one that has failed may go on, after `deploy.timeout`
        unfinished_entry = last_entry if last_entry and last_entry.event in {Event.STARTED, Event.FAILED} else None
        if unfinished_entry is not None and self._serves_after_stop(unfinished_entry, previous_operations, waiter):
            return DeploymentOutcome(event=Event.DEPLOYED)
        is_own = start.operation_started_after(intent, excluded_operations=excluded_operations)
        return self._start_and_wait(intent, waiter, is_own=is_own, may_have_started=False)

    def _close(
        self, open_entry: LedgerEntry, history: tuple[LedgerEntry, ...], operations: tuple[Operation, ...]
    ) -> None:
        """Record the outcome of another release's deployment, whose run was stopped: it may have come into service.

        A rollback leaves that release anyhow, and is found by what was deployed since.
        """
        operation = next((each for each in operations if each.id == open_entry.operation and each.succeeded), None)
        if operation is not None and entries.open_rollback(history) is None:
            ledger.record_outcome(open_entry, Event.DEPLOYED, self.tools, took=operation.duration_seconds)
        else:
            reason = f"{self.release.name} is deployed instead"
            ledger.record_outcome(open_entry, Event.ABANDONED, self.tools, reason=reason)

    def _serves_after_stop(
        self, unfinished_entry: LedgerEntry, previous_operations: tuple[Operation, ...], waiter: DeploymentWaiter
    ) -> bool:
        """Stop the deployment of an earlier run if it is in progress; return whether the release then serves again."""
        if not stop_deployment(unfinished_entry.operation, previous_operations, waiter):
            return False
        serves = waiter.platform.get_service(waiter.service.name).running_digest == self.release.digest
        if serves:
            waiter.report_progress(f"{waiter.service.name} serves {self.release.name} again")
        return serves

    def _replaced_digest(self, history: tuple[LedgerEntry, ...]) -> str:
        """Return the digest of the image to run for the intent; empty if the ledger knows the serving release."""
        if entries.serving_entry(history) is not None:
            return ""
        image = find_image_to_run(self.environment, self.tools)
        return image.digest if image else ""

    def _resume(self, entry: LedgerEntry, waiter: DeploymentWaiter) -> DeploymentOutcome | None:
        """Return the outcome of an earlier run's deployment; None when a new deployment has to be started."""
        if entry.event is Event.FAILED and not (entry.operation and self._may_succeed(entry.operation, waiter)):
            return None
        if not entry.operation:
            is_own = start.operation_started_after(entry)
            return self._start_and_wait(entry, waiter, is_own=is_own, may_have_started=True)
        self._move_followed_tag()
        outcome = self._wait_for_resumed(entry, waiter)
        if outcome.event is not Event.ABANDONED or outcome.is_superseded:
            return outcome
        ledger.record_outcome(entry, Event.ABANDONED, self.tools, reason=outcome.message)
        return None

    def _may_succeed(self, operation_id: str, waiter: DeploymentWaiter) -> bool:
        """Return whether a deployment that is recorded as failed is the latest one, and is running or succeeded."""
        latest = next((item for item in waiter.platform.list_operations(waiter.service) if item.deploys), None)
        return latest is not None and latest.id == operation_id and not latest.has_failed

    def _start_and_wait(
        self, intent: LedgerEntry, waiter: DeploymentWaiter, *, is_own: start.OperationPredicate, may_have_started: bool
    ) -> DeploymentOutcome:
        """Start or adopt the deployment and return its outcome, also if it was refused, as its intent is recorded.

        Where nobody knows whether it was started, the intent stays open, and the next run looks for the deployment.
        """
        try:
            expects_auto_start = self._move_followed_tag() and waiter.service.auto_deploys
        except KaizenError as error:
            if may_have_started or not error.is_without_effect:
                raise
            return _refused_outcome(error)
        try:
            image = image_reference(self.environment, self.release.digest, self.tools)
            deployment = start.start_or_adopt(
                waiter, image, is_own=is_own, expects_auto_start=expects_auto_start, may_have_started=may_have_started
            )
        except Undeployable as error:
            return DeploymentOutcome(event=Event.FAILED, message=error.message, hint=error.hint)
        except NotFound as error:
            return DeploymentOutcome(event=Event.ABANDONED, message=error.message, state=SERVICE_GONE, hint=error.hint)
        except KaizenError as error:
            if not error.is_without_effect:
                raise
            return _refused_outcome(error)
        if deployment is None:
            timeout = duration.format_duration(self.tools.settings.deploy.timeout)
            message = f"{waiter.service.name} stayed busy, or did not answer, for {timeout}"
            return DeploymentOutcome(event=Event.FAILED, message=message, hint="run the same command again")
        self.tools.ledger.set_operation(intent, deployment.operation_id)
        with self._saying_how_to_stop():
            return wait_for_operation(deployment.operation_id, waiter, started_monotonic=deployment.started_monotonic)

    @contextmanager
    def _saying_how_to_stop(self) -> Iterator[None]:
        """Say after an interruption how to stop the deployment, where the platform can roll it back."""
        try:
            yield
        except (KeyboardInterrupt, Cancelled):
            if self.environment.kind.stops_deployments:
                command = f"inv rollback --env {self.environment.name}"
                self.tools.reporter.note(f"{self.environment.name}: the deployment goes on; to stop it: {command}")
            raise

    def _wait_for_resumed(self, intent: LedgerEntry, waiter: DeploymentWaiter) -> DeploymentOutcome:
        """Return the outcome of a deployment of an earlier run; its age shortens the wait for a missing operation."""
        age = (self.tools.clock.now() - intent.at).total_seconds()
        deadline = self.tools.clock.monotonic() + max(0.0, self.tools.settings.deploy.timeout - age)
        with self._saying_how_to_stop():
            return wait_for_operation(intent.operation, waiter, age_seconds=max(age, 0.1), missing_deadline=deadline)

    def _move_followed_tag(self) -> bool:
        return move_followed_tag(self.environment, self.release.digest, self.tools)


def _refused_outcome(error: KaizenError) -> DeploymentOutcome:
    """Return the outcome of a deployment that the platform has refused to start."""
    return DeploymentOutcome(
        event=Event.FAILED,
        message=error.message,
        state=error.state or NOTHING_STARTED,
        hint=f"{error.hint}; then run the same command again" if error.hint else "",
    )
