"""Builds images without an engine: the exported tree as one layer, in an OCI image layout on disk.

The layer is an uncompressed tar, since compression differs between builds of zlib and would give the same commit
different digests: https://github.com/opencontainers/image-spec/blob/main/layer.md. Of the Dockerfile, the last stage's
configuration and its `COPY` of the commit's own files count; `RUN`, base images and `.dockerignore` are ignored.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import sys
from pathlib import Path

from kaizen_tasks.adapters.build.bundle_files import BundleFiles, LayerFiles, collect_files
from kaizen_tasks.adapters.build.image_layout import ImageContents, LayoutBuilder
from kaizen_tasks.config.regular_file import read_regular_file
from kaizen_tasks.config.tables import BuildRules
from kaizen_tasks.domain.build.bundle import BundleConfig, configure_bundle
from kaizen_tasks.domain.dockerfile.parse import DEFAULT_PATH, parse_dockerfile
from kaizen_tasks.domain.image import BuildSpec
from kaizen_tasks.errors import Refused

BUNDLE_LABELS = {"dev.kaizen.image": "bundle"}
INHERIT_LABEL = "dev.kaizen.inherit"
"""Label with the names of the variables that a local cloud passes on to the app, separated by commas."""


class BundleBuilder(LayoutBuilder):
    """Builds images of the commit's own files, and pushes them.

    Args:
        rules: how to build: `command` replaces the Dockerfile's, and `version_arg` is a variable of the app as well.
        store: folder for the layouts, one folder for each image.
    """

    name = "bundle"

    def __init__(self, *, rules: BuildRules, store: Path) -> None:
        super().__init__(settings=rules, platform=rules.platform, store=store)
        self._rules = rules

    def _read_contents(self, spec: BuildSpec, context: Path) -> ImageContents:
        """Return the files and the configuration of the bundle.

        Raises:
            BuildFailed: there is no command that a bundle can run, or the tree has a file that an image cannot hold.
        """
        config = self._read_dockerfile(spec, context).with_command(self._rules.command)
        config.require_command()
        files = collect_files(config, context)
        missing_file = _find_missing_file(config, files, self._rules)
        if missing_file:
            raise config.missing_file_error(missing_file)
        archive = LayerFiles(
            files=files, context=context, program=config.program_path, mtime=int(spec.created_at.timestamp())
        )
        return ImageContents(config=self._runtime_config(spec, config), write_layer=archive.write_archive)

    def _read_dockerfile(self, spec: BuildSpec, context: Path) -> BundleConfig:
        """Return what the image takes from the Dockerfile, if there is one."""
        try:
            content = read_regular_file(context / self._rules.dockerfile, self._rules.dockerfile)
        except (OSError, Refused):
            return BundleConfig()
        build_args = {**self._rules.args, self._rules.version_arg: spec.version}
        dockerfile = parse_dockerfile(content.decode(errors="replace"), build_args, platform=self._rules.platform)
        return configure_bundle(dockerfile, self._rules.target)

    def _runtime_config(self, spec: BuildSpec, bundle: BundleConfig) -> dict[str, object]:
        version = {self._rules.version_arg: spec.version, "APP_VERSION": spec.version}
        variables = {"PATH": DEFAULT_PATH, **version, **bundle.env}
        inherited = {INHERIT_LABEL: ",".join(self._rules.inherit)} if self._rules.inherit else {}
        ports: dict[str, object] = {f"{port}/tcp": {} for port in bundle.exposed_ports}
        return {
            "Env": [f"{name}={value}" for name, value in variables.items()],
            **({"Entrypoint": list(bundle.entrypoint)} if bundle.entrypoint else {}),
            "Cmd": list(bundle.command),
            "WorkingDir": bundle.workdir,
            **({"ExposedPorts": ports} if ports else {}),
            "Labels": {**spec.labels, **BUNDLE_LABELS, **inherited},
        }


def _find_missing_file(config: BundleConfig, files: BundleFiles, rules: BuildRules) -> str:
    """Return the program or the file of the command that is neither in the bundle nor on this machine, or empty."""
    if not _has_program(config, files, rules):
        return config.program
    missing_files = (path for path in config.unbuilt_files if path.strip("/") not in files and not Path(path).exists())
    return next(missing_files, "")


def _has_program(config: BundleConfig, files: BundleFiles, rules: BuildRules) -> bool:
    program, path = config.program, config.program_path
    if program in {"", "python", "python3"}:  # these tasks run on a Python, which a local cloud uses
        return True
    if path:
        return path.lstrip("/") in files or (program.startswith("/") and Path(program).exists())
    own_folders = config.env.get("PATH", DEFAULT_PATH).split(":")
    if any(posixpath.join(folder, program).lstrip("/") in files for folder in own_folders):
        return True
    inherited_path = os.environ.get("PATH", "") if "PATH" in rules.inherit else ""
    search_path = (inherited_path, str(Path(sys.executable).parent), DEFAULT_PATH)
    return shutil.which(program, path=os.pathsep.join(search_path)) is not None
