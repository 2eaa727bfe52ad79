"""Selects the container engine of this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.build.buildah import BUILDAH, PODMAN, BuildahBuilder
from kaizen_tasks.adapters.build.bundle import BundleBuilder
from kaizen_tasks.adapters.build.docker import DockerBuilder
from kaizen_tasks.adapters.host.process import run, shell_join
from kaizen_tasks.errors import Refused
from kaizen_tasks.ports.types import Engine

if TYPE_CHECKING:
    from kaizen_tasks.config.tables import BuildRules
    from kaizen_tasks.ports.images import Builder


@frozen(kw_only=True)
class EngineProbe:
    """A command that prints something if an engine works, and not just if it is installed.

    Attributes:
        argv: the command.
        timeout: seconds it may take; a docker daemon answers at once or not at all.
    """

    argv: tuple[str, ...]
    timeout: float


ENGINE_PROBES = {
    "docker": EngineProbe(argv=("docker", "info", "--format", "{{.ServerVersion}}"), timeout=3),
    "podman": EngineProbe(argv=("podman", "info", "--format", "{{.Version.Version}}"), timeout=10),
    "buildah": EngineProbe(argv=("buildah", "info", "--format", "{{.store.GraphDriverName}}"), timeout=10),
}
"""The engines, in the order in which they are tried."""

BUNDLE_ENGINE = Engine(
    name="bundle",
    warning="bundle makes images that ignore the Dockerfile",
    fix='set build.engine = "auto" for images that serve users',
)
DOCKER_WITHOUT_BUILDX = Engine(
    name="docker",
    warning="docker works, but without buildx it uses an older builder",
    fix="install buildx: https://docs.docker.com/go/buildx/",
)


def select_builder(rules: BuildRules, *, store: Path, stream: Callable[[str], None] | None = None) -> Builder:
    """Return the configured builder, or for `auto` the first one that works.

    `auto` never selects `bundle`, whose image ignores the Dockerfile.

    Args:
        rules: how to build.
        store: folder for bundles.
        stream: receives the output of builds and pushes, line by line.

    Raises:
        Refused: the engine does not work, or none does.
    """
    if rules.engine == "bundle":
        return BundleBuilder(command=rules.command, version_arg=rules.version_arg, platform=rules.platform, store=store)
    return _create_builder(find_working_engine(rules.engine), rules, stream)


def detect_engine(rules: BuildRules) -> Engine:
    """Return the engine that would build an image, with its weakness.

    Raises:
        Refused: the engine does not work, or none does.
    """
    if rules.engine == "bundle":
        return BUNDLE_ENGINE
    name = find_working_engine(rules.engine)
    if name == "docker" and not run(("docker", "buildx", "version")).ok:
        return DOCKER_WITHOUT_BUILDX
    return Engine(name=name)


def find_working_engine(engine: str) -> str:
    """Return the name of an engine that works; for `auto`, of the first one.

    Raises:
        Refused: the engine does not work, or none does.
    """
    if engine != "auto":
        if problem := _engine_problem(engine):
            raise Refused(f"build.engine is {engine}, but {problem}", hint='fix that, or set build.engine to "auto"')
        return engine
    problems = {}
    for name in ENGINE_PROBES:
        problems[name] = _engine_problem(name)
        if not problems[name]:
            return name
    raise Refused(
        "no container engine works here: " + "; ".join(problems.values()),
        hint='install one, or set build.engine = "bundle" for an image that ignores the Dockerfile',
    )


def _engine_problem(engine: str) -> str:
    """Return the reason why an engine does not work, or an empty string."""
    probe = ENGINE_PROBES[engine]
    try:
        result = run(probe.argv, timeout=probe.timeout)
    except Refused as error:
        return error.message
    if result.ok and result.out.strip():
        return ""
    return f"`{shell_join(probe.argv)}` failed: {result.last_line}"


def _create_builder(name: str, rules: BuildRules, stream: Callable[[str], None] | None) -> Builder:
    if name == "docker":
        return DockerBuilder(rules=rules, stream=stream)
    return BuildahBuilder(rules=rules, flavor=PODMAN if name == "podman" else BUILDAH, stream=stream)
