"""Images by buildah, and by podman, which has buildah inside: the options are the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.build.container_engine import (
    build_error,
    build_options,
    image_name,
    inspect_image,
    matching_image,
    push_error,
    registry_auth_file,
    unexpected_image_error,
)
from kaizen_tasks.adapters.host.process import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kaizen_tasks.adapters.host.process import CompletedProcess
    from kaizen_tasks.config.tables import BuildRules
    from kaizen_tasks.domain.release import BuildSpec, LocalImage
    from kaizen_tasks.ports.types import Login


@frozen(kw_only=True)
class BuildahFlavor:
    """What the two programs spell differently: how to ask for an image."""

    program: str
    inspect_command: tuple[str, ...]
    inspect_template: str


QUOTED_REVISION_LABEL = '"org.opencontainers.image.revision"'
BUILDAH = BuildahFlavor(
    program="buildah",
    inspect_command=("inspect", "--type", "image", "--format"),
    inspect_template="{{.FromImageID}} {{.OCIv1.OS}}/{{.OCIv1.Architecture}} "
    f"{{{{index .OCIv1.Config.Labels {QUOTED_REVISION_LABEL}}}}}",
)
PODMAN = BuildahFlavor(
    program="podman",
    inspect_command=("image", "inspect", "--format"),
    inspect_template=f"{{{{.ID}}}} {{{{.Os}}}}/{{{{.Architecture}}}} {{{{index .Labels {QUOTED_REVISION_LABEL}}}}}",
)

CONTAINER_CREATION_DENIED = re.compile(
    r"(runc|crun|clone|unshare|mount|namespace).*operation not permitted", re.IGNORECASE
)
"""What is said where no container may be made, as inside an unprivileged one; a chroot still may."""


class BuildahBuilder:
    """Builds and pushes without a daemon."""

    def __init__(
        self, *, rules: BuildRules, flavor: BuildahFlavor = BUILDAH, stream: Callable[[str], None] | None = None
    ) -> None:
        self.name = flavor.program
        self._flavor = flavor
        self._rules = rules
        self._stream = stream

    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        """Return the image of this revision when the storage has it."""
        argv = [self._flavor.program, *self._flavor.inspect_command, self._flavor.inspect_template]
        return matching_image(inspect_image(argv, f"localhost/{image_name(spec)}"), spec, self._rules)

    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        """Build from an exported tree.

        Raises:
            BuildFailed: it did not make the image, or made something else.
        """
        result = self._run_build(spec, context)
        if not result.ok and any(CONTAINER_CREATION_DENIED.search(line) for line in result.tail):
            result = self._run_build(spec, context, "--isolation", "chroot")
        if not result.ok:
            raise build_error(self.name, spec, result)
        image = self.find_image(spec)
        if image is None:
            raise unexpected_image_error(self.name, spec, self._rules)
        return image

    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        """Upload an image as `address:tag`.

        Raises:
            PushFailed: the registry did not take it.
        """
        with registry_auth_file(login) as (file, secrets):
            target = f"{repository_uri}:{tag}"
            argv = push_argv(self._flavor, image, target=target, authfile=file, insecure=login.insecure)
            result = run(argv, stream=self._stream, secrets=secrets)
        if not result.ok:
            raise push_error(result, repository_uri=repository_uri, tag=tag)

    def _run_build(self, spec: BuildSpec, context: Path, *extra_options: str) -> CompletedProcess:
        argv = [*build_argv(self._flavor, *extra_options), *build_options(spec, self._rules, context)]
        return run(argv, stream=self._stream)


def build_argv(flavor: BuildahFlavor, *extra_options: str) -> list[str]:
    """Return the beginning of a build command; docker's format is what App Runner documents."""
    return [flavor.program, "build", "--format", "docker", "--layers", "--force-rm", *extra_options]


def push_argv(flavor: BuildahFlavor, image: LocalImage, *, target: str, authfile: Path, insecure: bool) -> list[str]:
    """Return a push command; `insecure` is for registries without TLS alone."""
    tls_options = ["--tls-verify=false"] if insecure else []
    options = ["--authfile", str(authfile), *tls_options]
    return [flavor.program, "push", *options, image.id, f"docker://{target}"]
