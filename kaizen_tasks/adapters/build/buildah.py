"""Images by buildah, and by podman, which has buildah inside: the options are the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.build.container_engine import build_failure, build_options, credentials, image_name, inspect, matching, push_failure, unexpected
from kaizen_tasks.adapters.host.process import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kaizen_tasks.adapters.host.process import Finished
    from kaizen_tasks.config.settings import BuildRules
    from kaizen_tasks.domain.release import LocalImage, Recipe
    from kaizen_tasks.ports.types import Login


@frozen(kw_only=True)
class Dialect:
    """What the two programs spell differently: how to ask for an image."""

    program: str
    inspect: tuple[str, ...]
    template: str


REVISION = '"org.opencontainers.image.revision"'
BUILDAH = Dialect(
    program="buildah",
    inspect=("inspect", "--type", "image", "--format"),
    template="{{.FromImageID}} {{.OCIv1.OS}}/{{.OCIv1.Architecture}} "
    f"{{{{index .OCIv1.Config.Labels {REVISION}}}}}",
)
PODMAN = Dialect(
    program="podman",
    inspect=("image", "inspect", "--format"),
    template=f"{{{{.ID}}}} {{{{.Os}}}}/{{{{.Architecture}}}} {{{{index .Labels {REVISION}}}}}",
)

CONFINED = re.compile(r"(runc|crun|clone|unshare|mount|namespace).*operation not permitted", re.IGNORECASE)
"""What is said where no container may be made, as inside an unprivileged one; a chroot still may."""


class BuildahBuilder:
    """Builds and pushes without a daemon."""

    def __init__(
        self, *, rules: BuildRules, dialect: Dialect = BUILDAH, stream: Callable[[str], None] | None = None
    ) -> None:
        self.name = dialect.program
        self._dialect = dialect
        self._rules = rules
        self._stream = stream

    def find(self, recipe: Recipe) -> LocalImage | None:
        """Return the image of this revision when the storage has it."""
        argv = [self._dialect.program, *self._dialect.inspect, self._dialect.template]
        return matching(inspect(argv, f"localhost/{image_name(recipe)}"), recipe, self._rules)

    def build(self, recipe: Recipe, context: Path) -> LocalImage:
        """Build from an exported tree.

        Raises:
            BuildFailed: it did not make the image, or made something else.
        """
        output = self._built(recipe, context)
        if not output.ok and any(CONFINED.search(line) for line in output.tail):
            output = self._built(recipe, context, "--isolation", "chroot")
        if not output.ok:
            raise build_failure(self.name, recipe, output)
        built = self.find(recipe)
        if built is None:
            raise unexpected(self.name, recipe, self._rules)
        return built

    def push(self, image: LocalImage, *, address: str, tag: str, login: Login) -> None:
        """Upload an image as `address:tag`.

        Raises:
            PushFailed: the registry did not take it.
        """
        with credentials(login) as (file, secrets):
            target = f"{address}:{tag}"
            argv = push_argv(self._dialect, image, target=target, authfile=file, plain=login.plain)
            output = run(argv, stream=self._stream, secrets=secrets)
        if not output.ok:
            raise push_failure(output, address=address, tag=tag)

    def _built(self, recipe: Recipe, context: Path, *further: str) -> Finished:
        argv = [*build_argv(self._dialect, *further), *build_options(recipe, self._rules, context)]
        return run(argv, stream=self._stream)


def build_argv(dialect: Dialect, *further: str) -> list[str]:
    """Return the beginning of a build command; docker's format is what App Runner documents."""
    return [dialect.program, "build", "--format", "docker", "--layers", "--force-rm", *further]


def push_argv(dialect: Dialect, image: LocalImage, *, target: str, authfile: Path, plain: bool) -> list[str]:
    """Return a push command; `plain` is for registries without TLS alone."""
    without_tls = ["--tls-verify=false"] if plain else []
    options = ["--authfile", str(authfile), *without_tls]
    return [dialect.program, "push", *options, image.identity, f"docker://{target}"]
