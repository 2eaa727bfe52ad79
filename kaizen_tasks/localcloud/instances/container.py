"""An instance as a container of the Docker engine, driven through its command line."""

from __future__ import annotations

import base64
import functools
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.errors import DeployFailed
from kaizen_tasks.localcloud.instances.process import keep, release

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kaizen_tasks.localcloud.instances.spec import Launch

LABEL = "kaizen.localcloud"
_GRACE_SECONDS = 3
_QUICK_SECONDS = 30.0
_PULL_SECONDS = 900.0
_LIMITS = ("--memory", "1g", "--cpus", "1", "--pids-limit", "512", "--security-opt", "no-new-privileges")


class Docker:
    """The engine that the `docker` command line reaches.

    Args:
        registry: host and port of the local cloud's registry.
        password: issues a password for that registry.
    """

    def __init__(self, *, registry: str, password: Callable[[], str]) -> None:
        self._registry = registry
        self._password = password

    @functools.cached_property
    def is_available(self) -> bool:
        """Tell whether an engine answers; asked once."""
        try:
            _docker("version", "--format", "{{.Server.Version}}")
        except DeployFailed:
            return False
        return True

    def start(self, launch: Launch, folder: Path) -> ContainerInstance:
        """Pull an image from the local cloud's own registry, as any host would, and run it."""
        reference = f"{self._registry}/{launch.repository}@{launch.image.digest}"
        self._pull(reference)
        try:
            _run(launch, reference)
            return ContainerInstance(launch, folder, reference)
        except BaseException:
            self.remove(launch.identity)
            raise

    def remove(self, identity: str) -> None:
        """Remove an instance's container, whether it runs or not."""
        _tolerant("rm", "--force", _name(identity))

    def _pull(self, reference: str) -> None:
        """Pull with a configuration of its own: no password of ours belongs into the user's."""
        credentials = base64.b64encode(f"AWS:{self._password()}".encode()).decode()
        host = _tolerant("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").strip()
        with tempfile.TemporaryDirectory(prefix="kaizen-docker-") as folder:
            _write_private(Path(folder, "config.json"), json.dumps({"auths": {self._registry: {"auth": credentials}}}))
            client = ("--config", folder, *(("--host", host) if host else ()))
            _docker("pull", "--quiet", reference, client=client, seconds=_PULL_SECONDS)


class ContainerInstance:
    """A container, and the program that copies what it prints into a file."""

    def __init__(self, launch: Launch, folder: Path, reference: str) -> None:
        self._name = _name(launch.identity)
        self._folder = folder
        self._reference = reference
        self._log = keep(["docker", "logs", "--follow", self._name], grace=0.1, output=launch.output)
        self.port = _published_port(self._name, launch.port)

    def exit_code(self) -> int | None:
        """Return what the container exited with, None while it runs."""
        state = _tolerant("inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", self._name).split()
        if not state:
            return -1
        return None if state[0] == "true" else int(state[1])

    def stop(self) -> None:
        """Stop and remove the container, its log copier and its image."""
        _tolerant("stop", "-t", str(_GRACE_SECONDS), self._name)
        release(self._log, grace=1)
        _tolerant("rm", "--force", self._name)
        _tolerant("image", "rm", self._reference)  # stays while another container needs it
        shutil.rmtree(self._folder, ignore_errors=True)


def _run(launch: Launch, reference: str) -> None:
    with tempfile.TemporaryDirectory(prefix="kaizen-docker-") as folder:
        variables = Path(folder, "variables")
        _write_private(variables, _environment_file({**launch.variables, "PORT": str(launch.port)}))
        _docker(
            *("run", "-d", "--rm=false", "--name", _name(launch.identity)),
            *("--label", f"{LABEL}={launch.identity}"),
            *("-p", f"127.0.0.1::{launch.port}"),  # the engine chooses a free port: nobody can take it before
            *("--env-file", str(variables)),  # values on a command line are everybody's to read
            *_LIMITS,
            reference,
            *launch.arguments,
        )


def _environment_file(variables: Mapping[str, str]) -> str:
    for name, value in variables.items():
        if "\n" in value:
            raise DeployFailed(f"the variable {name} has several lines, which Docker's files of variables cannot hold")
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content, encoding="utf-8")


def _name(identity: str) -> str:
    return f"kaizen-{identity}"


def _published_port(name: str, port: int) -> int:
    """Read which port the engine chose; 0 when the container is already gone."""
    answer = _tolerant("port", name, f"{port}/tcp").split()
    return int(answer[0].rpartition(":")[2]) if answer else 0


def _docker(verb: str, *arguments: str, client: tuple[str, ...] = (), seconds: float = _QUICK_SECONDS) -> str:
    """Run a docker command and return what it prints.

    Args:
        verb: the command.
        arguments: its options and operands.
        client: options of the client itself, which come before the command.
        seconds: how long it may take.

    Raises:
        DeployFailed: it is not installed, failed, or took longer than it may.
    """
    try:
        return subprocess.run(
            ["docker", *client, verb, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        ).stdout
    except FileNotFoundError as error:
        raise DeployFailed("docker is not installed", hint="use the engine `process`, or install it") from error
    except subprocess.TimeoutExpired as error:
        raise DeployFailed(f"docker {verb} did not end within {seconds:g} seconds") from error
    except subprocess.CalledProcessError as error:
        lines = str(error.stderr).strip().splitlines() or [f"exit code {error.returncode}"]
        raise DeployFailed(f"docker {verb} failed: {lines[-1]}") from error


def _tolerant(verb: str, *arguments: str) -> str:
    """Run a docker command whose failure says only that there is nothing to see or to remove."""
    try:
        return _docker(verb, *arguments)
    except DeployFailed:
        return ""
