"""Starts, stops and resumes the deployments of services, one at a time per service."""

from __future__ import annotations

import contextlib
import functools
import logging
import secrets
import threading
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import Interrupted
from kaizen_tasks.localcloud.ecs.deploy import assumptions
from kaizen_tasks.localcloud.ecs.deploy.rollout import Cancelled, Rollout
from kaizen_tasks.localcloud.ecs.deploy.service_tasks import ServiceTasks
from kaizen_tasks.localcloud.ecs.ecs_errors import now
from kaizen_tasks.localcloud.ecs.services import DRAINING, INACTIVE, EcsService, ServiceDeployment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.ecs.deploy.task_set import TaskRunner
    from kaizen_tasks.localcloud.ecs.services import ServiceRevision, ServiceStore
    from kaizen_tasks.localcloud.instances.health import HealthCheck
    from kaizen_tasks.localcloud.services.background import BackgroundThreads

_ID_BYTES = 16
_SERVICE_DELETED = "The service was deleted."
_log = logging.getLogger(__name__)


class DeploymentController:
    """Runs the deployments of all services.

    Args:
        services: the services.
        runner: returns what starts the tasks of a revision, and how their health is checked.
        triggered_alarms: returns those of CloudWatch's alarms that are in the state ALARM, by their names.
        seconds: minimum duration of the start of the tasks, and duration of a canary or bake of three minutes.
        threads: run what happens in the background.
        clock: the clock of all durations.
    """

    def __init__(
        self,
        *,
        services: ServiceStore,
        runner: Callable[[EcsService, ServiceRevision], tuple[TaskRunner, HealthCheck]],
        triggered_alarms: Callable[[Collection[str]], tuple[str, ...]],
        seconds: float,
        threads: BackgroundThreads,
        clock: MonotonicClock,
    ) -> None:
        self._services = services
        self._runner = runner
        self._triggered_alarms = triggered_alarms
        self._seconds = seconds
        self._threads = threads
        self._clock = clock
        self.tasks = ServiceTasks(listener=self, threads=threads, clock=clock)
        self._turns: dict[str, threading.Lock] = {}

    def restore(self) -> None:
        """Restart the services, and go on with the deployments that were under way when the local cloud stopped."""
        for stored in self._services.all():
            if stored.status == INACTIVE:
                continue
            port = self.tasks.open_port(stored.arn, stored.port)
            service = stored if port == stored.port else self._services.put(attrs.evolve(stored, port=port))
            if service.status == DRAINING:
                self._threads.start(functools.partial(self._drain, service.arn))
                continue
            if service.serving:
                self._add_task_set(service, service.serving)
                self.tasks.scale(service.arn, service.serving, service.desired_count)
                self.tasks.distribute(service.arn, {service.serving: 100.0})
            if deployment := service.running_deployment:
                self._threads.start(functools.partial(self._run, service.arn, deployment.arn))

    def start(self, service: EcsService, revision: ServiceRevision) -> EcsService:
        """Deploy a revision of a service, which is saved; hold the lock of the services.

        A deployment that is under way is superseded.
        """
        time = now()
        superseded = service.running_deployment
        deployment = ServiceDeployment(
            arn=f"{service.arn.replace(':service/', ':service-deployment/')}/{secrets.token_urlsafe(_ID_BYTES)}",
            target=revision.arn,
            source=service.serving,
            superseded=superseded.target if superseded else "",
            configuration=service.settings["deploymentConfiguration"],
            desired_count=service.desired_count,
            created=time,
            updated=time,
        )
        if superseded is not None:
            service = service.with_deployment(superseded.with_status("STOPPED", assumptions.SUPERSEDED, after=time))
        saved = self._services.put(service.with_revision(revision).with_deployment(deployment))
        self._threads.start(functools.partial(self._run, service.arn, deployment.arn))
        return saved

    def stop(self, service: EcsService, deployment: ServiceDeployment, status: str) -> None:
        """Request that a deployment stops; `status` says how. Hold the lock of the services."""
        self._services.put(service.with_deployment(deployment.with_status(status)))
        self.tasks.notify()

    def scale(self, service: EcsService, count: int) -> EcsService:
        """Change the number of a service's tasks without a deployment; hold the lock of the services."""
        deployment = service.running_deployment
        if deployment is not None:
            service = service.with_deployment(attrs.evolve(deployment, desired_count=count, updated=now()))
        saved = self._services.put(attrs.evolve(service, desired_count=count))
        for revision_arn in self.tasks.revisions(service.arn):
            self.tasks.scale(service.arn, revision_arn, count)
        return saved

    def drain(self, service: EcsService) -> EcsService:
        """Stop the tasks of a service and delete it; hold the lock of the services."""
        deployment = service.running_deployment
        if deployment is not None:
            service = service.with_deployment(deployment.with_status("STOPPED", _SERVICE_DELETED))
        saved = self._services.put(attrs.evolve(service, status=DRAINING, desired_count=0, updated=now()))
        self._threads.start(functools.partial(self._drain, service.arn))
        return saved

    def task_failed(self, service_arn: str, revision_arn: str, task_id: str, reason: str) -> None:
        """Count a failed task of the deployment that is under way, and add it to the service's events."""
        with contextlib.suppress(Interrupted, KeyError):
            self._threads.save(lambda: self._record_failure(service_arn, revision_arn, task_id, reason))

    def close(self) -> None:
        """Stop all tasks; `restore` goes on with the deployments at the next start."""
        with self._services.lock:
            self._threads.closing.set()
        self.tasks.close()

    def _record_failure(self, service_arn: str, revision_arn: str, task_id: str, reason: str) -> None:
        with self._services.lock:
            service = self._services.get(service_arn)
            deployment = service.running_deployment
            if deployment is not None and deployment.target == revision_arn:
                service = service.with_deployment(deployment.with_failed_task())
            task = f"(task {task_id}) " if task_id else ""
            self._services.put(service.with_event(f"{task}failed: {reason}"))

    def _add_task_set(self, service: EcsService, revision_arn: str) -> None:
        runner, check = self._runner(service, service.revision(revision_arn))
        self.tasks.add(service.arn, revision_arn, runner, check)

    def _run(self, service_arn: str, deployment_arn: str) -> None:
        rollout = Rollout(
            service_arn=service_arn,
            arn=deployment_arn,
            services=self._services,
            tasks=self.tasks,
            add_task_set=self._add_task_set,
            triggered_alarms=self._triggered_alarms,
            seconds=self._seconds,
            threads=self._threads,
            clock=self._clock,
        )
        with self._turn(service_arn), contextlib.suppress(Interrupted, Cancelled):
            try:
                rollout.run()
            except (Interrupted, Cancelled):
                raise
            except Exception as error:  # noqa: BLE001 - every deployment ends
                _log.exception("%s", deployment_arn)
                rollout.fail(f"Internal error: {error!r}")

    def _turn(self, service_arn: str) -> threading.Lock:
        """Return the lock to hold while a service is deployed or deleted."""
        return self._turns.setdefault(service_arn, threading.Lock())

    def _drain(self, service_arn: str) -> None:
        with self._turn(service_arn), contextlib.suppress(Interrupted):
            self.tasks.distribute(service_arn, {})
            for revision_arn in self.tasks.revisions(service_arn):
                self.tasks.remove(service_arn, revision_arn, _SERVICE_DELETED)
            self.tasks.close_port(service_arn)
            self._threads.save(lambda: self._finish_drain(service_arn))

    def _finish_drain(self, service_arn: str) -> None:
        with self._services.lock:
            service = self._services.get(service_arn)
            self._services.put(attrs.evolve(service, status=INACTIVE, deployments=(), updated=now()))
