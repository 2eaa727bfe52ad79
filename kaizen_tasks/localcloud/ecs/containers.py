"""Running tasks: the containers of a task definition as instances of this machine."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import DeployFailed, Interrupted, KaizenError, Refused
from kaizen_tasks.localcloud.instances.rootfs import read_image
from kaizen_tasks.localcloud.instances.spec import Instance, InstanceSpec
from kaizen_tasks.localcloud.server.http_message import JsonObject
from kaizen_tasks.localcloud.services.image_identifiers import ImageIdentifier, OwnRegistry

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from kaizen_tasks.localcloud.instances.launcher import InstanceLauncher
    from kaizen_tasks.localcloud.registry.store import ImageStore

DEFAULT_PORT = 80
"""The port of a container without a port mapping, as of Express Mode's `containerPort`."""

_STOP_TIMEOUT = 30.0
"""Seconds, https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html."""

_STOP_SPEED = 10.0
"""How much sooner than on ECS a container gets SIGKILL after SIGTERM."""

_EXITED = frozenset({"COMPLETE", "SUCCESS"})  # conditions of a dependency on a container that ends
_POLL_SECONDS = 0.05
_KNOWN_FAILURES = ("CannotPullContainerError", "CannotStartContainerError", "ResourceInitializationError")


@attrs.frozen(kw_only=True)
class TaskSpec:
    """What a task is started from.

    Args:
        task_id: 32 hexadecimal digits.
        definition: the members of the API's `TaskDefinition`.
        digests: the digests of images by the name of their container; containers that are not named are not started.
        overrides: the members of `containerOverrides`, by the name of the container.
        runs_once: whether its containers are to end by themselves, as those of RunTask; they need no port then.
        is_to_stop: returns whether the task is to stop before all of its containers are started.
    """

    task_id: str
    definition: JsonObject
    digests: Mapping[str, str]
    overrides: Mapping[str, JsonObject] = attrs.field(factory=dict)
    runs_once: bool = False
    is_to_stop: Callable[[], bool] = lambda: False


@attrs.frozen(kw_only=True)
class RunningContainer:
    """A started container: its definition, its instance and what the instance was started from."""

    definition: JsonObject
    instance: Instance
    spec: InstanceSpec

    @property
    def name(self) -> str:
        """Return its name in the task definition."""
        return str(self.definition["name"])

    @property
    def is_essential(self) -> bool:
        """Return whether the task ends with it."""
        return bool(self.definition.get("essential", True))


@attrs.frozen(kw_only=True)
class RunningTask:
    """The containers of a task, which together are an instance."""

    task_id: str
    containers: tuple[RunningContainer, ...]

    @property
    def main(self) -> RunningContainer:
        """Return the container that serves: the first with a port mapping, or else the first essential one."""
        return min(
            self.containers, key=lambda known: (not known.definition.get("portMappings"), not known.is_essential)
        )

    @property
    def port(self) -> int:
        """Return the port of the container that serves."""
        return self.main.instance.port

    @property
    def may_fail(self) -> bool:
        """Return whether a container may stop or hang by itself."""
        return any(container.instance.may_fail for container in self.containers)

    def accepts_connections(self, timeout: float) -> bool:
        """Return whether the container that serves listens, after at most `timeout` seconds."""
        return self.main.instance.accepts_connections(timeout)

    def exit_code(self) -> int | None:
        """Return the exit code of the essential container with which the task has ended; None while it runs."""
        essential = (each.instance.exit_code() for each in self.containers if each.is_essential)
        return next((code for code in essential if code is not None), None)

    def exit_codes(self) -> dict[str, int]:
        """Return the exit codes of the containers that have ended, by their names."""
        codes = {container.name: container.instance.exit_code() for container in self.containers}
        return {name: code for name, code in codes.items() if code is not None}

    def stop(self) -> None:
        """Stop all containers."""
        for container in self.containers:
            container.instance.stop()


class TaskLauncher:
    """Starts tasks from images of the account's registry.

    Args:
        launcher: starts instances.
        store: the registry's images.
        registry: recognises the registry in identifiers of images.
        resolve_secret: returns the value of a secret, by its reference.
        open_output: returns the file for a container's output, by its definition and the id of its task.
        closing: set when the cloud stops.
    """

    def __init__(
        self,
        *,
        launcher: InstanceLauncher,
        store: ImageStore,
        registry: OwnRegistry,
        resolve_secret: Callable[[str], str],
        open_output: Callable[[JsonObject, str], Path],
        closing: Event,
    ) -> None:
        self._launcher = launcher
        self._store = store
        self._registry = registry
        self._resolve_secret = resolve_secret
        self._open_output = open_output
        self._closing = closing

    def resolve_images(self, definition: JsonObject) -> dict[str, str]:
        """Return the digests of a definition's images by the names of their containers.

        Containers that are not essential are left out if their image is not in the registry: a local cloud pulls from
        no other one. An essential container has an empty digest then.
        """
        containers = definition["containerDefinitions"]
        digests = {container["name"]: self.find_digest(container["image"]) for container in containers}
        essential = {container["name"] for container in containers if container.get("essential", True)}
        return {name: digest for name, digest in digests.items() if digest or name in essential}

    def find_digest(self, image: str) -> str:
        """Return the digest of an image; empty if the account's registry does not have it."""
        identifier = ImageIdentifier.parse(image)
        if not self._registry.has_host(identifier.host):
            return ""
        return self._store.resolve(identifier.repository, identifier.reference) or ""

    def start(self, spec: TaskSpec) -> RunningTask:
        """Start the containers of a task, each after those that it depends on.

        Raises:
            KaizenError: an image or a secret does not exist, or a container cannot be started.
            Interrupted: the cloud is being stopped, or the task is to stop.
        """
        containers: dict[str, RunningContainer] = {}
        try:
            for definition in _in_order(spec.definition["containerDefinitions"]):
                if definition["name"] in spec.digests:
                    self._wait_for_dependencies(spec, definition, containers)
                    override = spec.overrides.get(definition["name"], {})
                    containers[definition["name"]] = self._start_container(spec, definition, override)
        except BaseException:
            for container in containers.values():
                container.instance.stop()
            raise
        return RunningTask(task_id=spec.task_id, containers=tuple(containers.values()))

    def _wait_for_dependencies(
        self, spec: TaskSpec, definition: JsonObject, started: Mapping[str, RunningContainer]
    ) -> None:
        """Wait for the end of the containers that a container needs to have ended."""
        for dependency in definition.get("dependsOn", ()):
            container = started.get(dependency["containerName"])
            if container is None or dependency["condition"] not in _EXITED:
                continue
            while (code := container.instance.exit_code()) is None:
                if self._closing.wait(_POLL_SECONDS) or spec.is_to_stop():
                    raise Interrupted("the task is stopping")
            if code and dependency["condition"] == "SUCCESS":
                raise DeployFailed(f"Dependency container {container.name} exited with code {code}.")

    def _start_container(self, spec: TaskSpec, definition: JsonObject, override: JsonObject) -> RunningContainer:
        digest = spec.digests[definition["name"]]
        if not digest:
            raise DeployFailed(f"CannotPullContainerError: {definition['image']}: not found")
        repository = ImageIdentifier.parse(definition["image"]).repository
        instance_spec = InstanceSpec(
            instance_id=uuid.uuid4().hex,
            repository=repository,
            image=read_image(self._store, repository, digest),
            variables=self._variables(definition, override),
            arguments=tuple(override.get("command") or definition.get("command") or ()),
            entrypoint=tuple(definition.get("entryPoint") or ()),
            working_directory=definition.get("workingDirectory", ""),
            port=_container_port(definition),
            output=self._open_output(definition, spec.task_id),
            stop_seconds=definition.get("stopTimeout", _STOP_TIMEOUT) / _STOP_SPEED,
            runs_once=spec.runs_once or _is_waited_for(definition["name"], spec.definition["containerDefinitions"]),
        )
        instance = self._launcher.start(instance_spec)
        return RunningContainer(definition=definition, instance=instance, spec=instance_spec)

    def _variables(self, definition: JsonObject, override: JsonObject) -> dict[str, str]:
        """Return the environment variables of a container, with the values of its secrets."""
        variables = {item["name"]: item.get("value", "") for item in definition.get("environment", [])}
        secrets = {item["name"]: self._secret(item["valueFrom"]) for item in definition.get("secrets", [])}
        return variables | secrets | {item["name"]: item.get("value", "") for item in override.get("environment", [])}

    def _secret(self, reference: str) -> str:
        try:
            return self._resolve_secret(reference)
        except KaizenError as error:
            prefix = "ResourceInitializationError: unable to pull secrets or registry auth"
            raise DeployFailed(f"{prefix}: {error.message}") from error


def start_failure(error: Exception) -> str:
    """Return why the containers of a task could not be started, as ECS begins such a reason."""
    message = error.message if isinstance(error, KaizenError) else str(error)
    if message.startswith(_KNOWN_FAILURES):
        return message
    is_about_image = isinstance(error, Refused) or message.startswith("docker pull")
    return f"{'CannotPullContainerError' if is_about_image else 'CannotStartContainerError'}: {message}"


def _in_order(definitions: list[JsonObject]) -> list[JsonObject]:
    """Return container definitions in an order in which those that others depend on come first."""
    remaining = {definition["name"]: definition for definition in definitions}
    ordered: list[JsonObject] = []
    while remaining:
        ready = [
            name
            for name, definition in remaining.items()
            if not any(dependency["containerName"] in remaining for dependency in definition.get("dependsOn", ()))
        ]
        ordered += [remaining.pop(name) for name in ready or [*remaining]]  # a circle has no order
    return ordered


def _is_waited_for(name: str, definitions: list[JsonObject]) -> bool:
    """Return whether a container is to end before others start."""
    dependencies = (dependency for definition in definitions for dependency in definition.get("dependsOn", ()))
    return any(known["containerName"] == name and known["condition"] in _EXITED for known in dependencies)


def _container_port(definition: JsonObject) -> int:
    mappings = definition.get("portMappings") or [{}]
    return int(mappings[0].get("containerPort", DEFAULT_PORT))
