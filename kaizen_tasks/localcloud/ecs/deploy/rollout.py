"""One deployment of a service, from its first task to the end of the old ones, or back."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import Interrupted
from kaizen_tasks.localcloud.clock import MonotonicClock
from kaizen_tasks.localcloud.ecs.deploy import assumptions
from kaizen_tasks.localcloud.ecs.deploy.service_tasks import ServiceTasks
from kaizen_tasks.localcloud.ecs.deploy.traffic_steps import (
    SCALED_MINUTES,
    TrafficStep,
    has_stages,
    traffic_steps,
)
from kaizen_tasks.localcloud.ecs.ecs_errors import now
from kaizen_tasks.localcloud.ecs.services import EcsService, ServiceStore
from kaizen_tasks.localcloud.services.background import BackgroundThreads

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.services import ServiceDeployment

_POLL_SECONDS = 0.05
_ROLLBACK_SECONDS = 60.0  # for the tasks of the source to be healthy again


class Cancelled(Exception):
    """The deployment has been superseded, or its service deleted: it does nothing more."""


class _StopRequested(Exception):
    """StopServiceDeployment was called."""


@attrs.frozen
class _Failed(Exception):
    """The deployment has failed, and is rolled back if its configuration says so."""

    rollback_reason: str
    stop_reason: str
    is_rolled_back: bool


@attrs.frozen(kw_only=True)
class Rollout:
    """Runs one deployment.

    Args:
        service_arn: its service.
        arn: the deployment.
        services: the services.
        tasks: the tasks of services.
        add_task_set: makes the task set of a revision, by the service and the revision's ARN.
        triggered_alarms: returns those of CloudWatch's alarms that are in the state ALARM, by their names.
        seconds: minimum duration of the start of the tasks, and duration of a canary or bake of three minutes.
        threads: its thread.
        clock: the clock of all durations.
    """

    service_arn: str
    arn: str
    services: ServiceStore
    tasks: ServiceTasks
    add_task_set: Callable[[EcsService, str], None]
    triggered_alarms: Callable[[Collection[str]], tuple[str, ...]]
    seconds: float
    threads: BackgroundThreads
    clock: MonotonicClock

    def run(self) -> None:
        """Run the deployment to its end.

        Raises:
            Cancelled: it has been superseded, or its service deleted.
            Interrupted: the local cloud is being closed.
        """
        if self._deployment.rollback is not None:  # a local cloud that was killed has begun it
            self._roll_back(self._deployment.rollback["reason"])
            return
        try:
            self._release()
        except _StopRequested:
            self._end_as_requested()
        except _Failed as failure:
            if failure.is_rolled_back:
                self._roll_back(failure.rollback_reason)
            else:
                self._give_up(failure.stop_reason)

    def fail(self, reason: str) -> None:
        """End the deployment as one that was not even rolled back."""
        self._end_as("ROLLBACK_FAILED", reason)

    @property
    def _service(self) -> EcsService:
        return self.services.get(self.service_arn)

    @property
    def _deployment(self) -> ServiceDeployment:
        try:
            return self._service.deployment(self.arn)
        except KeyError:
            raise Cancelled from None

    def _release(self) -> None:
        earliest_end = self.clock.now() + self.seconds
        deployment = self._begin()
        self._remove_superseded(deployment)
        self._enter("PRE_SCALE_UP")
        self.add_task_set(self._service, deployment.target)
        if not deployment.source:  # nothing else serves: traffic reaches each task that is healthy
            self.tasks.distribute(self.service_arn, {deployment.target: 100.0})
        self.tasks.scale(self.service_arn, deployment.target, self._deployment.desired_count)
        self._enter("SCALE_UP")
        self._wait(self._has_all_tasks)
        self._wait(deadline=earliest_end)
        self._enter("POST_SCALE_UP")
        for step in traffic_steps(deployment.configuration) if deployment.source else (TrafficStep(100.0, 0.0),):
            self._shift(step)
        self._enter("CLEAN_UP")
        if deployment.source:
            self.tasks.remove(self.service_arn, deployment.source, f"Scaling activity initiated by {self._id}")
        self._succeed()

    def _begin(self) -> ServiceDeployment:
        def begin(current: ServiceDeployment) -> ServiceDeployment:
            begun = current.with_status("IN_PROGRESS") if current.status == "PENDING" else current
            return attrs.evolve(begun, started=begun.started or now(), failed_tasks=0, is_tripped=False, weight=0.0)

        return self._update(begin)

    def _remove_superseded(self, deployment: ServiceDeployment) -> None:
        """Leave only the tasks of the revision that was deployed last."""
        others = [
            revision
            for revision in self.tasks.revisions(self.service_arn)
            if revision not in (deployment.source, deployment.target)
        ]
        if others:
            self._enter("RECONCILE_SERVICE")
        self.tasks.distribute(self.service_arn, {deployment.source: 100.0} if deployment.source else {})
        for revision in others:
            self.tasks.remove(self.service_arn, revision, f"Scaling activity initiated by {self._id}")

    def _has_all_tasks(self) -> bool:
        deployment = self._deployment
        return self.tasks.running_count(self.service_arn, deployment.target) >= deployment.desired_count

    def _shift(self, step: TrafficStep) -> None:
        """Move traffic to the target and wait while the step is baked."""
        deployment = self._deployment
        weights = {deployment.target: step.percent, deployment.source: 100.0 - step.percent}
        self.tasks.distribute(self.service_arn, {revision: weight for revision, weight in weights.items() if revision})
        self._enter("PRODUCTION_TRAFFIC_SHIFT", weight=step.percent)
        if step.percent >= 100.0:
            self._enter("POST_PRODUCTION_TRAFFIC_SHIFT")
            self._enter("BAKE_TIME")
        self._wait(deadline=self.clock.now() + self.seconds * step.minutes / SCALED_MINUTES)

    def _succeed(self) -> None:
        self._save(
            lambda current: current.with_status("SUCCESSFUL"),
            lambda service: (
                attrs.evolve(service, serving=service.deployment(self.arn).target)
                .with_event(f"({self._id}) deployment completed.")
                .with_event("has reached a steady state.")
            ),
        )

    def _end_as_requested(self) -> None:
        if self._deployment.status == "STOP_REQUESTED":
            self._give_up(assumptions.STOPPED_BY_REQUEST)
        else:
            self._roll_back(assumptions.ROLLBACK_BY_REQUEST)

    def _give_up(self, reason: str) -> None:
        """Stop the tasks of the target, and let the source serve."""
        deployment = self._deployment
        self._return_to_source(deployment)
        self._save(
            lambda current: attrs.evolve(current, weight=0.0).with_status("STOPPED", reason),
            lambda service: service.with_event(f"({self._id}) deployment stopped: {reason}"),
        )

    def _roll_back(self, reason: str) -> None:
        deployment = self._deployment
        rollback = {"reason": reason, "startedAt": now(), "serviceRevisionArn": deployment.source or None}

        def begin(current: ServiceDeployment) -> ServiceDeployment:
            begun = current.with_status("ROLLBACK_IN_PROGRESS", reason)
            return attrs.evolve(begun, rollback=current.rollback or rollback, weight=0.0)

        earliest_end = self.clock.now() + self.seconds
        self._update(begin)
        self._return_to_source(deployment)
        if not deployment.source:
            self._end_as("ROLLBACK_FAILED", f"{reason} {assumptions.NOTHING_TO_ROLL_BACK_TO}")
        elif self._wait_for_source(deployment):
            self._wait(deadline=earliest_end, heeds_failures=False)
            self._end_as("ROLLBACK_SUCCESSFUL", reason)
        else:
            self._end_as("ROLLBACK_FAILED", f"{reason} The previous service revision did not become healthy.")

    def _return_to_source(self, deployment: ServiceDeployment) -> None:
        self.tasks.distribute(self.service_arn, {deployment.source: 100.0} if deployment.source else {})
        self.tasks.remove(self.service_arn, deployment.target, f"Scaling activity initiated by {self._id}")

    def _wait_for_source(self, deployment: ServiceDeployment) -> bool:
        return self._wait(
            lambda: self.tasks.running_count(self.service_arn, deployment.source) >= self._deployment.desired_count,
            deadline=self.clock.now() + _ROLLBACK_SECONDS,
            heeds_failures=False,
        )

    def _end_as(self, status: str, reason: str) -> None:
        self._save(
            lambda current: attrs.evolve(current, weight=0.0).with_status(status, reason),
            lambda service: service.with_event(f"({self._id}) deployment failed: {reason}"),
        )

    @property
    def _id(self) -> str:
        return f"deployment ecs-svc/{self._deployment.target.rpartition('/')[2]}"

    def _enter(self, stage: str, weight: float | None = None) -> None:
        def enter(current: ServiceDeployment) -> ServiceDeployment:
            changed = attrs.evolve(current, updated=now(), weight=current.weight if weight is None else weight)
            return attrs.evolve(changed, stage=stage) if has_stages(current.configuration) else changed

        self._update(enter)

    def _wait(
        self,
        condition: Callable[[], bool] = lambda: False,
        *,
        deadline: float = math.inf,
        heeds_failures: bool = True,
    ) -> bool:
        """Wait until a condition holds; return False if the deadline has passed before."""
        while True:
            deployment = self._deployment
            if deployment.is_finished:
                raise Cancelled
            if heeds_failures:
                self._heed(deployment)
            if condition():
                return True
            if self.clock.now() >= deadline:
                return False
            if self.threads.closing.is_set():
                raise Interrupted("the local cloud is stopping")
            self.tasks.wait_for_change(_POLL_SECONDS)

    def _heed(self, deployment: ServiceDeployment) -> None:
        """Raise what ends a deployment: a request, failed tasks, or alarms."""
        if deployment.status in ("STOP_REQUESTED", "ROLLBACK_REQUESTED"):
            raise _StopRequested
        if deployment.is_tripped:
            is_rolled_back = bool(deployment.configuration["deploymentCircuitBreaker"]["rollback"])
            raise _Failed(assumptions.CIRCUIT_BREAKER, assumptions.CIRCUIT_BREAKER_STOPPED, is_rolled_back)
        alarms = deployment.configuration.get("alarms", {})
        triggered = self._triggered_alarms(deployment) if alarms.get("enable") else ()
        if triggered:
            self._update(lambda current: attrs.evolve(current, triggered_alarms=triggered))
            names = ", ".join(triggered)
            reasons = assumptions.ALARMS.format(names=names), assumptions.ALARMS_STOPPED.format(names=names)
            raise _Failed(*reasons, bool(alarms["rollback"]))

    def _triggered_alarms(self, deployment: ServiceDeployment) -> tuple[str, ...]:
        names = deployment.configuration["alarms"]["alarmNames"]
        if not self._service.is_express:
            return self.triggered_alarms(names)
        if not deployment.weight:
            return ()
        count = self.tasks.responses(self.service_arn, deployment.target)
        is_above = count.errors * 100.0 > count.total * assumptions.ALARM_PERCENT
        return tuple(names) if is_above and count.errors >= assumptions.ALARM_RESPONSES else ()

    def _update(self, change: Callable[[ServiceDeployment], ServiceDeployment]) -> ServiceDeployment:
        """Replace the deployment by `change(deployment)` and return the new one."""
        return self._save(change, lambda service: service)

    def _save(
        self,
        change: Callable[[ServiceDeployment], ServiceDeployment],
        change_service: Callable[[EcsService], EcsService],
    ) -> ServiceDeployment:
        """Replace the deployment and its service as one change, and return the new deployment."""

        def save() -> EcsService:
            with self.services.lock:
                current = self._deployment
                if current.is_finished:
                    raise Cancelled
                return self.services.put(change_service(self._service.with_deployment(change(current))))

        return self.threads.save(save).deployment(self.arn)
