"""Builds images with buildah, or with podman, which contains buildah and has the same options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from kaizen_tasks.adapters.build import container_engine as engine
from kaizen_tasks.adapters.build import inputs
from kaizen_tasks.adapters.build.container_engine import EngineBuilder, image_name
from kaizen_tasks.adapters.build.push_progress import PushProgress
from kaizen_tasks.adapters.host.process import CompletedProcess, run
from kaizen_tasks.config.tables import BuildRules
from kaizen_tasks.domain.image import BuildSpec, LocalImage
from kaizen_tasks.ports.activity import report_activity, reporting_state
from kaizen_tasks.ports.images import Login


@frozen(kw_only=True)
class BuildahFlavor:
    """The differences between buildah and podman: the program's name, and its command to inspect an image."""

    program: str
    inspect_command: tuple[str, ...]


QUOTED_REVISION_LABEL = '"org.opencontainers.image.revision"'
BUILDAH_TEMPLATE = "{{.FromImageID}} {{.OCIv1.OS}}/{{.OCIv1.Architecture}} {{index .OCIv1.Config.Labels %s}}"
PODMAN_TEMPLATE = "{{.ID}} {{.Os}}/{{.Architecture}} {{index .Labels %s}}"
BUILDAH = BuildahFlavor(
    program="buildah",
    inspect_command=("inspect", "--type", "image", "--format", BUILDAH_TEMPLATE % QUOTED_REVISION_LABEL),
)
PODMAN = BuildahFlavor(
    program="podman", inspect_command=("image", "inspect", "--format", PODMAN_TEMPLATE % QUOTED_REVISION_LABEL)
)

CREATION_DENIED = re.compile(r"(runc|crun|clone|unshare|mount|namespace).*operation not permitted", re.IGNORECASE)
"""Errors of builds inside an unprivileged container, which cannot start containers; `--isolation chroot` works."""


class BuildahBuilder(EngineBuilder):
    """Builds and pushes images with buildah or podman, without a daemon."""

    def __init__(self, *, rules: BuildRules, root: Path = Path(), flavor: BuildahFlavor = BUILDAH) -> None:
        super().__init__(rules=rules, root=root)
        self.name = flavor.program
        self._flavor = flavor

    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        """Return the image of the spec's revision, or None when the local storage lacks it."""
        argv = [self._flavor.program, *self._flavor.inspect_command]
        return engine.matching_image(engine.inspect_image(argv, f"localhost/{image_name(spec)}"), spec, self._rules)

    def unsupported_keys(self) -> tuple[str, ...]:
        """Return the configured keys of `[build]` that this version does not support."""
        return inputs.unsupported_keys(self._rules, (self._flavor.program, "build"), {})

    def _run_build(self, spec: BuildSpec, context: Path, unsupported: Sequence[str]) -> CompletedProcess:
        further_options = inputs.input_options(
            self._rules, self._root, context, unsupported=unsupported, has_buildx=False
        )
        options = engine.build_options(spec, self._rules, context, further_options)
        secrets = inputs.secret_values(self._rules, self._root)
        result = run([*build_argv(self._flavor), *options], stream=report_activity, secrets=secrets)
        if result.ok or not any(CREATION_DENIED.search(line) for line in result.tail):
            return result
        argv = [*build_argv(self._flavor, "--isolation", "chroot"), *options]
        return run(argv, stream=report_activity, secrets=secrets)

    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        """Upload an image as `repository_uri:tag`."""
        with engine.registry_auth_file(login) as (file, secrets):
            target = f"{repository_uri}:{tag}"
            argv = push_argv(self._flavor, image, target=target, authfile=file, insecure=login.insecure)
            progress = PushProgress()
            with reporting_state(progress.describe):
                result = run(argv, stream=progress, secrets=secrets, terminal="stderr")
        if not result.ok:
            raise engine.push_error(result, repository_uri=repository_uri, tag=tag)


def build_argv(flavor: BuildahFlavor, *extra_options: str) -> list[str]:
    """Return the beginning of a build command, which selects docker's image format, as App Runner documents."""
    return [flavor.program, "build", "--format", "docker", "--layers", "--force-rm", *extra_options]


def push_argv(flavor: BuildahFlavor, image: LocalImage, *, target: str, authfile: Path, insecure: bool) -> list[str]:
    """Return a push command; `insecure` is for registries without TLS."""
    tls_options = ["--tls-verify=false"] if insecure else []
    return [flavor.program, "push", "--authfile", str(authfile), *tls_options, image.id, f"docker://{target}"]
