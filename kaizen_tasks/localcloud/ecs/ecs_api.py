"""ECS of one account and region, composed of the groups of its operations."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.clusters import ClusterStore
from kaizen_tasks.localcloud.ecs.clusters_api import ClustersApi
from kaizen_tasks.localcloud.ecs.container_output import ContainerOutput
from kaizen_tasks.localcloud.ecs.containers import TaskLauncher
from kaizen_tasks.localcloud.ecs.deploy.controller import DeploymentController
from kaizen_tasks.localcloud.ecs.deploy.health_checks import health_check
from kaizen_tasks.localcloud.ecs.deploy.service_runner import ServiceTaskRunner
from kaizen_tasks.localcloud.ecs.deployments_api import DeploymentsApi
from kaizen_tasks.localcloud.ecs.express.express_api import ExpressApi
from kaizen_tasks.localcloud.ecs.run_task.task_runner import TaskRunner
from kaizen_tasks.localcloud.ecs.run_task.tasks_api import TasksApi
from kaizen_tasks.localcloud.ecs.services import EcsService, ServiceRevision, ServiceStore
from kaizen_tasks.localcloud.ecs.tags_api import TagsApi
from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinitionStore
from kaizen_tasks.localcloud.ecs.task_definitions_api import describe_task_definition
from kaizen_tasks.localcloud.ecs.tasks import TaskStore
from kaizen_tasks.localcloud.instances.container import DockerEngine
from kaizen_tasks.localcloud.instances.launcher import EngineChoice, InstanceLauncher
from kaizen_tasks.localcloud.services.background import BackgroundThreads
from kaizen_tasks.localcloud.services.image_identifiers import OwnRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path
    from threading import Event

    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.instances.health import HealthCheck
    from kaizen_tasks.localcloud.logs.groups import LogGroups
    from kaizen_tasks.localcloud.registry.store import ImageStore

_NOTE_SECONDS = 0.5


class Ecs(ClustersApi, TasksApi, ExpressApi, DeploymentsApi, TagsApi):
    """Emulates the ECS API of one account and region.

    Args:
        state: the folder of its state.
        store: the registry's images.
        account: the account number.
        region: the region.
        engine: how containers run: `docker`, `process`, `none` for stand-ins, or `auto` for containers if an engine is
            available.
        deploy_seconds: minimum duration of a deployment's stages, and duration of a canary and of a bake.
        registry: host and port of the registry from which the container engine pulls.
        issue_password: returns a password for that registry.
        resolve_secret: returns the value of a secret, by its reference.
        triggered_alarms: returns those of CloudWatch's alarms that are in the state ALARM, by their names.
        instance_variables: variables with which the SDKs of apps find the local cloud.
        open_relay: lets containers reach the local cloud at an address of this machine, and returns the port.
        is_foreign_registry: returns whether a host and port is a registry of another account or region.
        log_groups: receive the output of containers.
        clock: measures all delays and durations.
    """

    name = "ecs"

    def __init__(  # noqa: PLR0913 - the composition of everything that ECS needs
        self,
        *,
        state: Path,
        store: ImageStore,
        account: str,
        region: str,
        engine: EngineChoice,
        deploy_seconds: float,
        registry: str,
        issue_password: Callable[[], str] = lambda: "",
        resolve_secret: Callable[[str], str] = lambda reference: reference,
        triggered_alarms: Callable[[Collection[str]], tuple[str, ...]] = lambda _names: (),
        instance_variables: Mapping[str, str] | None = None,
        open_relay: Callable[[str], int] | None = None,
        is_foreign_registry: Callable[[str], bool] = lambda _host: False,
        log_groups: LogGroups,
        clock: MonotonicClock,
    ) -> None:
        self.account = account
        self.region = region
        self.prefix = f"arn:aws:ecs:{region}:{account}"
        self.clusters = ClusterStore(state / "clusters", self.prefix)
        self.task_definitions = TaskDefinitionStore(state / "task-definitions", self.prefix)
        self.tasks = TaskStore(state / "tasks")
        self.services = ServiceStore(state / "services", self.prefix)
        self._threads = BackgroundThreads(clock)
        docker = DockerEngine(
            registry=registry, issue_password=issue_password, aws=instance_variables, open_relay=open_relay
        )
        instances = InstanceLauncher(folder=state / "instances", engine=engine, docker=docker, aws=instance_variables)
        output = ContainerOutput(groups=log_groups, folder=state / "output")
        self.launcher = TaskLauncher(
            launcher=instances,
            store=store,
            registry=OwnRegistry(account=account, region=region, is_foreign=is_foreign_registry),
            resolve_secret=resolve_secret,
            open_output=output.open,
            closing=self._threads.closing,
        )
        self.task_runner = TaskRunner(
            tasks=self.tasks,
            launcher=self.launcher,
            output=output,
            threads=self._threads,
            clock=clock,
            start_seconds=deploy_seconds,
        )
        self.controller = DeploymentController(
            services=self.services,
            runner=self._service_runner,
            triggered_alarms=triggered_alarms,
            seconds=deploy_seconds,
            threads=self._threads,
            clock=clock,
        )
        instances.remove_orphans()
        self.task_runner.restore()
        self.controller.restore()
        self._threads.start(functools.partial(_note_times, log_groups, self._threads.closing))

    def close(self) -> None:
        """Stop every task and free every port; the next ECS on this folder restarts the services."""
        self.controller.close()
        self._threads.close()

    def _service_runner(self, service: EcsService, revision: ServiceRevision) -> tuple[ServiceTaskRunner, HealthCheck]:
        """Return what starts the tasks of a service's revision, and how their health is checked."""
        definition = self.task_definitions.find(revision.task_definition)
        assert definition is not None, "revisions of services keep their task definitions"
        document = describe_task_definition(definition)
        runner = ServiceTaskRunner(
            service=service,
            revision=revision,
            definition=definition,
            document=document,
            launcher=self.launcher,
            store=self.tasks,
        )
        return runner, health_check(revision, document)


def _note_times(log_groups: LogGroups, closing: Event) -> None:
    """Note when containers print, until ECS is closed."""
    while not closing.wait(_NOTE_SECONDS):
        log_groups.note_times()
