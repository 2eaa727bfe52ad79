"""Images by docker, through its command line: it alone knows BuildKit, contexts and plugins."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.build.container_engine import build_failure, build_options, credentials, image_name, inspect, matching, push_failure, unexpected
from kaizen_tasks.adapters.host.process import run
from kaizen_tasks.errors import PushFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.config.settings import BuildRules
    from kaizen_tasks.domain.release import LocalImage, Recipe
    from kaizen_tasks.ports.types import Login

TEMPLATE = '{{.Id}} {{.Os}}/{{.Architecture}} {{index .Config.Labels "org.opencontainers.image.revision"}}'

CREDENTIAL_KEYS = frozenset({"auths", "credsStore", "credHelpers"})
"""Keys of docker's configuration that say who somebody is; the others say how docker works for them."""


@frozen(kw_only=True)
class Frontend:
    """Which of docker's build programs is there, and what it needs to be told."""

    command: tuple[str, ...]
    env: Mapping[str, str]


BUILDX = Frontend(
    command=("buildx", "build", "--load"),
    # A provenance attestation would make an index of the one manifest; `--provenance` is unknown before
    # buildx 0.10, this variable is ignored there: https://docs.docker.com/build/building/variables/
    env={"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "BUILDKIT_PROGRESS": "plain"},
)
BUILDKIT = Frontend(command=("build",), env={"DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"})
LEGACY = Frontend(command=("build", "--force-rm"), env={})


class DockerBuilder:
    """Builds and pushes with docker, as the user's own context and plugins say."""

    name = "docker"

    def __init__(
        self, *, rules: BuildRules, stream: Callable[[str], None] | None = None, program: str = "docker"
    ) -> None:
        self._rules = rules
        self._stream = stream
        self._program = program

    def find(self, recipe: Recipe) -> LocalImage | None:
        """Return the image of this revision when docker has it."""
        return self._seen(recipe)

    def build(self, recipe: Recipe, context: Path) -> LocalImage:
        """Build from an exported tree.

        Raises:
            BuildFailed: docker did not make the image, or made something else.
        """
        frontend = self._frontend()
        argv = [self._program, *frontend.command, *build_options(recipe, self._rules, context)]
        output = run(argv, env=frontend.env, stream=self._stream)
        if not output.ok:
            raise build_failure(self.name, recipe, output)
        built = self._seen(recipe)
        if built is None:
            raise unexpected(self.name, recipe, self._rules)
        return built

    def push(self, image: LocalImage, *, address: str, tag: str, login: Login) -> None:
        """Upload an image as `address:tag`; the name it needs for that is gone afterwards.

        Raises:
            PushFailed: the registry did not take it.
        """
        target = f"{address}:{tag}"
        named = run([self._program, "image", "tag", image.identity, target])
        if not named.ok:
            raise PushFailed(f"docker cannot name {image.name} {target}: {named.last}", hint="run inv build again")
        try:
            self._upload(target, address=address, tag=tag, login=login)
        finally:
            run([self._program, "image", "rm", target])

    def _upload(self, target: str, *, address: str, tag: str, login: Login) -> None:
        with credentials(login, preferences=_preferences()) as (file, secrets):
            _borrow(into=file.parent)
            argv = [self._program, "--config", str(file.parent), "push", target]
            # This variable holds credentials too, and would be asked before the folder.
            output = run(argv, env={"DOCKER_AUTH_CONFIG": ""}, stream=self._stream, secrets=secrets)
        if not output.ok:
            raise push_failure(output, address=address, tag=tag)

    def _seen(self, recipe: Recipe) -> LocalImage | None:
        argv = [self._program, "image", "inspect", "--format", TEMPLATE]
        return matching(inspect(argv, image_name(recipe)), recipe, self._rules)

    def _frontend(self) -> Frontend:
        """Ask for buildx first: since docker 23 there is no BuildKit without it."""
        if run([self._program, "buildx", "version"]).ok:
            return BUILDX
        client = run([self._program, "version", "--format", "{{.Client.Version}}"]).out
        major = client.partition(".")[0].strip()
        return BUILDKIT if major.isdecimal() and int(major) < 23 else LEGACY


def _home() -> Path:
    """Return the folder of the user's own docker configuration."""
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _preferences() -> dict[str, object]:
    """Return the user's docker configuration without anybody's credentials."""
    try:
        content = json.loads((_home() / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return {key: content[key] for key in content if key not in CREDENTIAL_KEYS}


def _borrow(*, into: Path) -> None:
    """Link the rest of the user's folder: contexts, their certificates and plugins stay as they are."""
    if _home().is_dir():
        for entry in _home().iterdir():
            if entry.name != "config.json":
                (into / entry.name).symlink_to(entry.absolute())
