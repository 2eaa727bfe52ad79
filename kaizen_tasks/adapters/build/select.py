"""Selects the container engine of this machine."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from kaizen_tasks.adapters.build import inputs
from kaizen_tasks.adapters.build.buildah import BUILDAH, PODMAN, BuildahBuilder
from kaizen_tasks.adapters.build.bundle import BundleBuilder
from kaizen_tasks.adapters.build.docker import DockerBuilder
from kaizen_tasks.adapters.host.process import run, shell_join
from kaizen_tasks.config.tables import BuildRules
from kaizen_tasks.domain.build.stand_in import STAND_IN
from kaizen_tasks.errors import Refused
from kaizen_tasks.ports.host import Engine
from kaizen_tasks.ports.images import Builder

INFO_TEMPLATES = {
    "docker": "{{.ServerVersion}}",
    "podman": "{{.Version.Version}}",
    "buildah": "{{.store.GraphDriverName}}",
}
"""Templates for `info` that print something only if an engine works, in the order in which engines are tried."""

TIMEOUT_SECONDS = {"docker": 3, "podman": 10, "buildah": 10}  # a docker daemon answers at once or not at all

BUNDLE_ENGINE = Engine(
    name="bundle",
    warning="bundle makes images without base image and RUN",
    fix='set build.engine = "auto" for images that serve users',
)
STAND_IN_ENGINE = Engine(
    name=STAND_IN,
    warning="stand-in images only answer; they are for local clouds",
    fix='set build.engine = "auto" for images that serve users',
)
ENGINES_IN_PYTHON = {engine.name: engine for engine in (BUNDLE_ENGINE, STAND_IN_ENGINE)}
DOCKER_WITHOUT_BUILDX = Engine(
    name="docker",
    warning="docker works, but without buildx it uses an older builder",
    fix="install buildx: https://docs.docker.com/go/buildx/",
)


def select_builder(rules: BuildRules, *, store: Path, root: Path = Path()) -> Builder:
    """Return the configured builder, or for `auto` that of the first engine that works.

    `auto` never selects `bundle`, whose image has no base image.

    Args:
        rules: how to build.
        store: folder for bundles.
        root: the app's folder.

    Raises:
        Refused: the configured engine does not work, or for `auto` no engine does.
    """
    if rules.engine == "bundle":
        return BundleBuilder(rules=rules, store=store)
    return _engine_builder(choose_engine(rules), rules, root)


def _engine_builder(name: str, rules: BuildRules, root: Path) -> DockerBuilder | BuildahBuilder:
    if name == "docker":
        return DockerBuilder(rules=rules, root=root)
    return BuildahBuilder(rules=rules, root=root, flavor=PODMAN if name == "podman" else BUILDAH)


def examine_engine(rules: BuildRules, root: Path) -> Engine:
    """Return the engine that would build an image, with what it ignores and what keeps it from building.

    Raises:
        Refused: the configured engine does not work, or for `auto` no engine does.
    """
    engine = detect_engine(rules)
    if engine.name not in INFO_TEMPLATES:
        return evolve(engine, ignored_keys=tuple(key for key in inputs.IGNORED_BY_BUNDLES if getattr(rules, key)))
    builder = _engine_builder(engine.name, rules, root)
    unsupported = builder.unsupported_keys()
    ignored = tuple(key for key in unsupported if key in inputs.CACHE_KEYS)
    return evolve(engine, ignored_keys=ignored, obstacles=builder.obstacles(unsupported))


def choose_engine(rules: BuildRules) -> str:
    """Return the configured engine; for `auto`, the first that works, if possible one that supports the build's inputs.

    Raises:
        Refused: the configured engine does not work, or for `auto` no engine does.
    """
    name = find_working_engine(rules.engine)
    if rules.engine != "auto" or not inputs.configured_keys(rules):
        return name
    names = [*INFO_TEMPLATES]
    working = (each for each in names[names.index(name) :] if not _engine_problem(each))
    return next((each for each in working if _supports_build(each, rules)), name)


def _supports_build(engine: str, rules: BuildRules) -> bool:
    unsupported = _engine_builder(engine, rules, Path()).unsupported_keys()
    return {*unsupported} <= {*inputs.CACHE_KEYS}


def detect_engine(rules: BuildRules) -> Engine:
    """Return the engine that would build an image, with a warning about its weakness, if any.

    Raises:
        Refused: the configured engine does not work, or for `auto` no engine does.
    """
    if engine := ENGINES_IN_PYTHON.get(rules.engine):
        return engine
    name = choose_engine(rules)
    if name == "docker" and not run(("docker", "buildx", "version")).ok:
        return DOCKER_WITHOUT_BUILDX
    return Engine(name=name)


def find_working_engine(engine: str) -> str:
    """Return the engine if it works; for `auto`, the name of the first engine that works.

    Raises:
        Refused: the configured engine does not work, or for `auto` no engine does.
    """
    if engine != "auto":
        if problem := _engine_problem(engine):
            raise Refused(f"build.engine is {engine}, but {problem}", hint='fix that, or set build.engine to "auto"')
        return engine
    problems = []
    for name in INFO_TEMPLATES:
        problems.append(_engine_problem(name))
        if not problems[-1]:
            return name
    raise Refused(
        "no container engine works here: " + "; ".join(problems),
        hint='install one, or set build.engine = "bundle" for an image without base image and RUN',
    )


def _engine_problem(engine: str) -> str:
    """Return the reason why an engine does not work; an empty string when it works."""
    argv = (engine, "info", "--format", INFO_TEMPLATES[engine])
    try:
        result = run(argv, timeout=TIMEOUT_SECONDS[engine])
    except Refused as error:
        return error.message
    return "" if result.ok and result.out.strip() else f"`{shell_join(argv)}` failed: {result.last_line}"
