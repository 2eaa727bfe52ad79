"""Instances that are containers of a Docker engine, by the `docker` command line."""

from __future__ import annotations

import base64
import contextlib
import functools
import ipaddress
import json
import math
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.errors import DeployFailed
from kaizen_tasks.localcloud.instances import health
from kaizen_tasks.localcloud.instances.supervised import SupervisedProgram

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kaizen_tasks.localcloud.instances.spec import InstanceSpec

CONTAINER_LABEL = "kaizen.localcloud"
HOST_NAME = "host.docker.internal"
"""The name of this machine in containers: https://docs.docker.com/reference/cli/docker/container/run/#add-host."""

_OUTPUT_SECONDS = 2.0  # for the end of a container's output
_MAX_EXPOSED_PORTS = 4  # `EXPOSE` may name thousands
_COMMAND_SECONDS = 30.0
_HELP_PREFIX = "Run 'docker"  # of the last line of some errors
_PULL_SECONDS = 900.0
_RESOURCE_LIMITS = ("--memory", "1g", "--cpus", "1", "--pids-limit", "512", "--security-opt", "no-new-privileges")


class DockerEngine:
    """The engine that the `docker` command line reaches.

    Args:
        registry: host and port of the local cloud's registry.
        issue_password: issues a password for that registry.
        aws: variables with which SDKs in containers find the local cloud, by its address on loopback.
        open_relay: listens on an address of this machine for the local cloud, and returns the port.
    """

    def __init__(
        self,
        *,
        registry: str,
        issue_password: Callable[[], str],
        aws: Mapping[str, str] | None = None,
        open_relay: Callable[[str], int] | None = None,
    ) -> None:
        self._registry = registry
        self._issue_password = issue_password
        self._aws = aws or {}
        self._open_relay = open_relay

    @functools.cached_property
    def is_available(self) -> bool:
        """Whether the engine answers, cached."""
        try:
            _docker("version", "--format", "{{.Server.Version}}")
        except DeployFailed:
            return False
        return True

    @functools.cached_property
    def _container_aws(self) -> Mapping[str, str]:
        """Return the variables of SDKs, with the address at which containers reach this machine.

        With an engine in a VM that address leads to loopback; else it is the gateway of the engine's network.
        """
        if not self._aws or self._open_relay is None:
            return {}
        port = int(self._aws["AWS_ENDPOINT_URL"].rpartition(":")[2])  # not the registry's, if that has one of its own
        with contextlib.suppress(OSError):
            port = self._open_relay(bridge_gateway())
        return {**self._aws, "AWS_ENDPOINT_URL": f"http://{HOST_NAME}:{port}"}

    def start(self, spec: InstanceSpec, folder: Path) -> ContainerInstance:
        """Pull an image from the local cloud's registry and run it."""
        reference = f"{self._registry}/{spec.repository}@{spec.image.digest}"
        self._pull(reference, folder)
        try:
            _run_container(spec, reference, folder, self._container_aws)
            return ContainerInstance(spec, folder, reference)
        except BaseException:
            self.remove(spec.instance_id)
            raise

    def remove(self, instance_id: str) -> None:
        """Remove the container of an instance, even if it is running."""
        _docker_or_empty("rm", "--force", _container_name(instance_id))

    def _pull(self, reference: str, instance_folder: Path) -> None:
        """Pull with a separate configuration, so that the password is not stored in the user's."""
        credentials = base64.b64encode(f"AWS:{self._issue_password()}".encode()).decode()
        host = _docker_or_empty("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").strip()
        with tempfile.TemporaryDirectory(dir=instance_folder) as folder:
            _write_private(Path(folder, "config.json"), json.dumps({"auths": {self._registry: {"auth": credentials}}}))
            client_options = ("--config", folder, *(("--host", host) if host else ()))
            _docker("pull", "--quiet", reference, client_options=client_options, timeout=_PULL_SECONDS)


class ContainerInstance:
    """A container, and the process that copies its output to a file."""

    may_fail = True

    def __init__(self, spec: InstanceSpec, folder: Path, reference: str) -> None:
        self._name = _container_name(spec.instance_id)
        self._stop_seconds = math.ceil(spec.stop_seconds)
        self._final_code: int | None = None
        self._folder = folder
        self._reference = reference
        self._log_copier = SupervisedProgram(
            ["docker", "logs", "--follow", self._name],
            grace=0.1,
            output=spec.output,
            environment=os.environ,
            working_directory=folder,
        )
        self._ports = _ports(spec)
        self.port = _published_port(self._name, spec.port) if self._ports else 0
        self._address = _bridge_address(self._name) if self._ports else ""

    def accepts_connections(self, timeout: float) -> bool:
        """Return whether the application listens on the service's port, or on one that its image exposes."""
        for port in self._ports:
            published_port = self.port if len(self._ports) == 1 else _published_port(self._name, port)
            if self._listens(port, published_port, timeout):
                self.port, self._ports = published_port, (port,)
                return True
        return False

    def _listens(self, port: int, published_port: int, timeout: float) -> bool:
        """Return whether the application listens; the engine's proxy accepts connections even if it does not."""
        if self._address:
            return health.accepts_connections((self._address, port), timeout)
        return health.holds_connections_open(("127.0.0.1", published_port), timeout)

    def exit_code(self) -> int | None:
        """Return the container's exit code; None while it runs."""
        if self._final_code is not None:
            return self._final_code
        if self._log_copier.exit_code() is None:  # it ends with the container, and costs no process to ask
            return None
        state = _docker_or_empty("inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", self._name).split()
        if not state:
            return -1
        return None if state[0] == "true" else int(state[1])

    def stop(self) -> None:
        """Stop and remove the container, its log copier and its image."""
        _docker_or_empty("stop", "-t", str(self._stop_seconds), self._name)
        self._log_copier.exit_code(timeout=_OUTPUT_SECONDS)
        self._log_copier.stop()
        self._final_code = self.exit_code()
        _docker_or_empty("rm", "--force", self._name)
        _docker_or_empty("image", "rm", self._reference)  # stays while another container needs it
        shutil.rmtree(self._folder, ignore_errors=True)


def bridge_gateway() -> str:
    """Return this machine's address in the engine's network, of which an engine in its first run names only the subnet.

    https://github.com/moby/moby/issues/26799

    Raises:
        OSError: the engine names neither.
    """
    template = "{{with index .IPAM.Config 0}}{{or .Gateway .Subnet}}{{end}}"
    named = _docker_or_empty("network", "inspect", "bridge", "--format", template).strip()
    try:
        return str(next(iter(ipaddress.ip_network(named, strict=False).hosts())))
    except ValueError as error:
        raise OSError(f"the engine's network has no address: {named}") from error


def _run_container(spec: InstanceSpec, reference: str, instance_folder: Path, aws: Mapping[str, str]) -> None:
    port = {} if spec.runs_once else {"PORT": str(spec.port)}
    variables = {**aws, **spec.variables, **port}
    long_names = [name for name, value in variables.items() if "\n" in value]  # env files have one line for each
    with tempfile.TemporaryDirectory(dir=instance_folder) as folder:
        env_file = Path(folder, "variables")
        short_variables = {name: value for name, value in variables.items() if name not in long_names}
        _write_private(env_file, "".join(f"{name}={value}\n" for name, value in short_variables.items()))
        _docker(
            *("run", "-d", "--rm=false", "--name", _container_name(spec.instance_id)),
            *("--label", f"{CONTAINER_LABEL}={spec.instance_id}"),
            *(word for port in _ports(spec) for word in ("-p", f"127.0.0.1::{port}")),  # the engine chooses free ports
            *("--add-host", f"{HOST_NAME}:host-gateway"),
            *("--env-file", str(env_file)),  # a command line is readable by all users
            *(word for name in long_names for word in ("--env", name)),  # docker takes the value from its own
            *_RESOURCE_LIMITS,
            *(("--workdir", spec.working_directory) if spec.working_directory else ()),
            *(("--entrypoint", spec.entrypoint[0]) if spec.entrypoint else ()),
            reference,
            *spec.entrypoint[1:],
            *spec.arguments,
            environment={name: variables[name] for name in long_names},
        )


def _ports(spec: InstanceSpec) -> tuple[int, ...]:
    """Return the ports on which the application may listen, the service's own first; none of a command."""
    if spec.runs_once:
        return ()
    return tuple(dict.fromkeys((spec.port, *spec.image.exposed_ports[:_MAX_EXPOSED_PORTS])))


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content, encoding="utf-8")


def _container_name(instance_id: str) -> str:
    return f"kaizen-{instance_id}"


def _published_port(name: str, port: int) -> int:
    """Return the port that the engine chose; 0 if the container has ended."""
    bindings = _docker_or_empty("port", name, f"{port}/tcp").split()
    return int(bindings[0].rpartition(":")[2]) if bindings else 0


def _bridge_address(name: str) -> str:
    """Return the container's own address; empty if its network is not on this machine, but in a VM."""
    networks = "{{range .NetworkSettings.Networks}}{{.Gateway}} {{.IPAddress}} {{end}}"
    addresses = _docker_or_empty("inspect", "--format", networks, name).split()
    if len(addresses) != 2:
        return ""
    gateway, address = addresses
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind((gateway, 0))
        return address
    return ""


def _docker(
    command: str,
    *arguments: str,
    client_options: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
    timeout: float = _COMMAND_SECONDS,
) -> str:
    """Run a docker command and return its output.

    Args:
        command: the command.
        arguments: its options and operands.
        client_options: options of the client, before the command.
        environment: further environment variables of the client.
        timeout: seconds.

    Raises:
        DeployFailed: docker is not installed, the command failed, or it timed out.
    """
    try:
        return subprocess.run(
            ["docker", *client_options, command, *arguments],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        ).stdout
    except FileNotFoundError as error:
        raise DeployFailed("docker is not installed", hint="use the engine `process`, or install it") from error
    except subprocess.TimeoutExpired as error:
        raise DeployFailed(f"docker {command} timed out after {timeout:g} s") from error
    except subprocess.CalledProcessError as error:
        lines = [line for line in str(error.stderr).splitlines() if line and not line.startswith(_HELP_PREFIX)]
        raise DeployFailed(f"docker {command} failed: {[f'exit code {error.returncode}', *lines][-1]}") from error


def _docker_or_empty(command: str, *arguments: str) -> str:
    """Run a docker command; return an empty string if it fails, as for a container that does not exist."""
    try:
        return _docker(command, *arguments)
    except DeployFailed:
        return ""
