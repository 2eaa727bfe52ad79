"""ECS of one account and region, composed of the groups of its operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.clusters import ClusterStore
from kaizen_tasks.localcloud.ecs.clusters_api import ClustersApi
from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinitionStore
from kaizen_tasks.localcloud.ecs.task_definitions_api import TaskDefinitionsApi
from kaizen_tasks.localcloud.ecs.tasks import TaskStore
from kaizen_tasks.localcloud.instances.container import DockerEngine
from kaizen_tasks.localcloud.instances.launcher import EngineChoice, InstanceLauncher
from kaizen_tasks.localcloud.services.background import BackgroundThreads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.registry.store import ImageStore


class Ecs(ClustersApi, TaskDefinitionsApi):
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
        instance_variables: variables with which the SDKs of apps find the local cloud.
        open_relay: lets containers reach the local cloud at an address of this machine, and returns the port.
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
        instance_variables: Mapping[str, str] | None = None,
        open_relay: Callable[[str], int] | None = None,
        clock: MonotonicClock,
    ) -> None:
        self.account = account
        self.region = region
        self.prefix = f"arn:aws:ecs:{region}:{account}"
        self.clusters = ClusterStore(state / "clusters", self.prefix)
        self.task_definitions = TaskDefinitionStore(state / "task-definitions", self.prefix)
        self.tasks = TaskStore(state / "tasks")
        self._store = store
        self._deploy_seconds = deploy_seconds
        self._resolve_secret = resolve_secret
        self._threads = BackgroundThreads(clock)
        docker = DockerEngine(
            registry=registry, issue_password=issue_password, aws=instance_variables, open_relay=open_relay
        )
        self._launcher = InstanceLauncher(
            folder=state / "instances", engine=engine, docker=docker, aws=instance_variables
        )
        self._launcher.remove_orphans()

    def close(self) -> None:
        """Stop every task and free every port; the next ECS on this folder restarts the services."""
        self._threads.closing.set()
        self._threads.close()
