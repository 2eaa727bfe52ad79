"""Builds images with docker's command line, which handles BuildKit, contexts and plugins."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from attrs import frozen

from kaizen_tasks.adapters.build import container_engine as engine
from kaizen_tasks.adapters.build import inputs
from kaizen_tasks.adapters.build.container_engine import EngineBuilder, image_name
from kaizen_tasks.adapters.build.push_progress import PushProgress
from kaizen_tasks.adapters.host.process import CompletedProcess, run
from kaizen_tasks.adapters.host.user_folders import home_folder
from kaizen_tasks.config.regular_file import read_regular_file
from kaizen_tasks.config.tables import BuildRules
from kaizen_tasks.domain.dockerfile.parse import parse_dockerfile
from kaizen_tasks.domain.image import BuildSpec, LocalImage
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import PushFailed, Refused
from kaizen_tasks.ports.activity import report_activity, reporting_state
from kaizen_tasks.ports.host import BuildObstacle
from kaizen_tasks.ports.images import Login

INSPECT_TEMPLATE = '{{.Id}} {{.Os}}/{{.Architecture}} {{index .Config.Labels "org.opencontainers.image.revision"}}'

CREDENTIAL_KEYS = frozenset({"auths", "credsStore", "credHelpers"})  # the other keys of the file are preferences


@frozen(kw_only=True)
class DockerBuildMode:
    """One of docker's build commands, and the environment variables that it needs."""

    command: tuple[str, ...]
    env: Mapping[str, str]


BUILDX = DockerBuildMode(
    command=("buildx", "build", "--load"),
    # A provenance attestation would make an index of the one manifest; `--provenance` is unknown before
    # buildx 0.10, this variable is ignored there: https://docs.docker.com/build/building/variables/
    env={"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "BUILDKIT_PROGRESS": "plain"},
)
BUILDKIT = DockerBuildMode(command=("build",), env={"DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"})
LEGACY = DockerBuildMode(command=("build", "--force-rm"), env={})


class DockerBuilder(EngineBuilder):
    """Builds and pushes images with docker, in the user's docker context and with the user's plugins."""

    name = "docker"

    def __init__(self, *, rules: BuildRules, root: Path = Path(), program: str = "docker") -> None:
        super().__init__(rules=rules, root=root)
        self._program = program

    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        """Return the image of the spec's revision, or None when docker lacks it."""
        argv = [self._program, "image", "inspect", "--format", INSPECT_TEMPLATE]
        return engine.matching_image(engine.inspect_image(argv, image_name(spec)), spec, self._rules)

    def unsupported_keys(self) -> tuple[str, ...]:
        """Return the configured keys of `[build]` that this docker does not support: the legacy builder few."""
        return inputs.unsupported_keys(self._rules, (self._program, *self._mode.command), self._mode.env)

    def obstacles(self, unsupported: Sequence[str]) -> tuple[BuildObstacle, ...]:
        """Return why docker cannot build as it is configured: the legacy builder does not read every Dockerfile."""
        return (*super().obstacles(unsupported), *self._unreadable_parts())

    def _unreadable_parts(self) -> Iterator[BuildObstacle]:
        path = posixpath.normpath(f"{self._rules.context}/{self._rules.dockerfile}")
        try:
            content = read_regular_file(self._root / path, path)
        except (OSError, Refused):
            return  # the build says so
        features = parse_dockerfile(content.decode(errors="replace")).buildkit_features
        if features and self._mode is LEGACY:
            engine, upgrade = self._description()
            message = f"{engine} cannot read {path}: {list_names(features)}"
            yield BuildObstacle(message=message, fix=f"{upgrade}, or choose another build.engine")

    def _description(self) -> tuple[str, str]:
        """Return this docker in words, and how to make it support more."""
        if self._mode is BUILDX:
            return self.name, "update buildx"
        return "docker without buildx", "install buildx (https://docs.docker.com/go/buildx/)"

    def _run_build(self, spec: BuildSpec, context: Path, unsupported: Sequence[str]) -> CompletedProcess:
        mode = self._mode
        has_buildx = mode is BUILDX
        options = inputs.input_options(self._rules, self._root, context, unsupported=unsupported, has_buildx=has_buildx)
        argv = [self._program, *mode.command, *engine.build_options(spec, self._rules, context, options)]
        return run(argv, env=mode.env, stream=report_activity, secrets=inputs.secret_values(self._rules, self._root))

    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        """Upload an image as `repository_uri:tag`, a name that docker's image has only during the upload."""
        target = f"{repository_uri}:{tag}"
        result = run([self._program, "image", "tag", image.id, target])
        if not result.ok:
            message = f"docker cannot tag {image.name} as {target}: {result.last_line}"
            raise PushFailed(message, hint="inv build")
        try:
            self._upload(target, repository_uri=repository_uri, tag=tag, login=login)
        finally:
            run([self._program, "image", "rm", target])

    def _upload(self, target: str, *, repository_uri: str, tag: str, login: Login) -> None:
        with engine.registry_auth_file(login, preferences=_config_without_credentials()) as (file, secrets):
            _link_docker_config(destination=file.parent)
            argv = [self._program, "--config", str(file.parent), "push", target]
            # This variable may hold credentials, and takes precedence over the folder.
            env = {"DOCKER_AUTH_CONFIG": ""}
            progress = PushProgress()
            with reporting_state(progress.describe):
                result = run(argv, env=env, stream=progress, secrets=secrets, terminal="stdout")
        if not result.ok:
            raise engine.push_error(result, repository_uri=repository_uri, tag=tag)

    @cached_property
    def _mode(self) -> DockerBuildMode:
        """Buildx if installed; else BuildKit, which needs buildx since docker 23; else the legacy builder."""
        if run([self._program, "buildx", "version"]).ok:
            return BUILDX
        client = run([self._program, "version", "--format", "{{.Client.Version}}"]).out
        major = client.partition(".")[0].strip()
        return BUILDKIT if major.isdecimal() and int(major) < 23 else LEGACY


def _docker_config_dir() -> Path:
    """Return the folder of the user's docker configuration, which may not exist."""
    return Path(os.environ.get("DOCKER_CONFIG") or (home_folder() or Path("/nonexistent")) / ".docker")


def _config_without_credentials() -> dict[str, object]:
    """Return the user's docker `config.json` without credentials; empty when it cannot be read."""
    try:
        content = json.loads((_docker_config_dir() / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return {key: content[key] for key in content if key not in CREDENTIAL_KEYS}


def _link_docker_config(*, destination: Path) -> None:
    """Link everything but `config.json` of the user's docker folder: contexts, certificates, plugins."""
    folder = _docker_config_dir()
    if os.access(folder, os.R_OK | os.X_OK):
        for entry in folder.iterdir():
            if entry.name != "config.json":
                (destination / entry.name).symlink_to(entry.absolute())
