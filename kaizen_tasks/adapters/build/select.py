"""Which builder this machine can use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.build.buildah import BUILDAH, PODMAN, BuildahBuilder
from kaizen_tasks.adapters.build.bundle import BundleBuilder
from kaizen_tasks.adapters.build.docker import DockerBuilder
from kaizen_tasks.adapters.host.process import quoted, run
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kaizen_tasks.config.settings import BuildRules
    from kaizen_tasks.ports.images import Builder


@frozen(kw_only=True)
class Probe:
    """A command that prints something when an engine works, not merely when it is installed.

    Attributes:
        argv: the command.
        timeout: seconds it may take; a docker daemon that does not answer at once does not answer.
    """

    argv: tuple[str, ...]
    timeout: float


PROBES = {
    "docker": Probe(argv=("docker", "info", "--format", "{{.ServerVersion}}"), timeout=3),
    "podman": Probe(argv=("podman", "info", "--format", "{{.Version.Version}}"), timeout=10),
    "buildah": Probe(argv=("buildah", "info", "--format", "{{.store.GraphDriverName}}"), timeout=10),
}
"""The engines, in the order in which they are tried."""


def choose(rules: BuildRules, *, store: Path, stream: Callable[[str], None] | None = None) -> Builder:
    """Return the builder that is configured, or the first that works for `auto`.

    `auto` never means `bundle`: an image without the Dockerfile is another image; somebody must ask for it.

    Args:
        rules: how to build.
        store: where bundles are kept.
        stream: receives the output of builds and pushes, line by line.

    Raises:
        Refused: the engine does not work, or none does.
    """
    if rules.engine == "bundle":
        return BundleBuilder(command=rules.command, version_arg=rules.version_arg, platform=rules.platform, store=store)
    return _engine(working(rules.engine), rules, stream)


def working(engine: str) -> str:
    """Return the engine's name when it works; of `auto`, the first that does.

    Raises:
        Refused: the engine does not work, or none does.
    """
    if engine != "auto":
        if fault := _fault(engine):
            raise Refused(f"build.engine is {engine}, and {fault}", hint='mend that, or set build.engine to "auto"')
        return engine
    faults = {}
    for name in PROBES:
        faults[name] = _fault(name)
        if not faults[name]:
            return name
    raise Refused(
        "no container engine works here: " + "; ".join(faults.values()),
        hint='install one, or set build.engine = "bundle" for an image that ignores the Dockerfile',
    )


def _fault(engine: str) -> str:
    """Return what keeps an engine from working, or an empty string."""
    probe = PROBES[engine]
    try:
        answer = run(probe.argv, timeout=probe.timeout)
    except Refused as error:
        return error.what
    if answer.ok and answer.out.strip():
        return ""
    return f"`{quoted(probe.argv)}` failed: {answer.last}"


def _engine(name: str, rules: BuildRules, stream: Callable[[str], None] | None) -> Builder:
    if name == "docker":
        return DockerBuilder(rules=rules, stream=stream)
    return BuildahBuilder(rules=rules, dialect=PODMAN if name == "podman" else BUILDAH, stream=stream)
