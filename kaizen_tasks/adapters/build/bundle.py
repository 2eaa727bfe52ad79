"""Builds images without an engine: the exported tree as one layer, in an OCI image layout on disk.

The layer is an uncompressed tar, since compression differs between builds of zlib and would give the same commit
different digests: https://github.com/opencontainers/image-spec/blob/main/layer.md. The Dockerfile and `.dockerignore`
are ignored.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from kaizen_tasks.adapters.build.image_layout import LAYER_MEDIA_TYPE, LayoutBuilder
from kaizen_tasks.adapters.oci.manifest import Descriptor
from kaizen_tasks.domain.release import BuildSpec, LocalImage
from kaizen_tasks.errors import BuildFailed

APP_DIR = "app"  # folder of the tree inside the image, without the leading slash
PATH_ENV = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BUNDLE_LABELS = {"dev.kaizen.image": "bundle"}


class BundleBuilder(LayoutBuilder):
    """Builds and pushes images of the app's files.

    Args:
        command: the image's command, which runs in `/app`.
        version_arg: name of another environment variable for the version, besides `APP_VERSION`.
        platform: `linux/amd64`.
        store: folder for the layouts, one folder for each image.
    """

    name = "bundle"

    def __init__(self, *, command: tuple[str, ...], version_arg: str, platform: str, store: Path) -> None:
        super().__init__(platform=platform, store=store)
        self._command = command
        self._version_arg = version_arg

    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        """Write the image's layout and return the image.

        Raises:
            BuildFailed: no command is configured, or the tree has a file that an image cannot hold.
        """
        if not self._command:
            raise BuildFailed(
                "build.command is missing: a bundle needs a command to run",
                hint='set build.command in kaizen.toml: command = ["python", "app.py"]',
            )
        return super().build(spec, context)

    def _write_layer(self, spec: BuildSpec, context: Path, blobs: Path) -> Descriptor:
        return _write_layer(context, blobs, mtime=int(spec.created_at.timestamp()))

    def _runtime_config(self, spec: BuildSpec) -> Mapping[str, object]:
        variables = {"PATH": PATH_ENV, self._version_arg: spec.version, "APP_VERSION": spec.version}
        return {
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "Cmd": list(self._command),
            "WorkingDir": f"/{APP_DIR}",
            "Labels": {**spec.labels, **BUNDLE_LABELS},
        }


def _write_layer(context: Path, blobs: Path, *, mtime: int) -> Descriptor:
    temp_file = blobs / "layer"
    with tarfile.open(temp_file, "w", format=tarfile.PAX_FORMAT) as layer:
        # Each folder before its content, sorted by the bytes of the names.
        for path in sorted((context, *context.rglob("*")), key=lambda path: [*map(os.fsencode, path.parts)]):
            _add_path(layer, path, context, mtime)
    with temp_file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    size = temp_file.stat().st_size
    temp_file.rename(blobs / digest)
    return Descriptor(media_type=LAYER_MEDIA_TYPE, digest=f"sha256:{digest}", size=size)


def _add_path(layer: tarfile.TarFile, path: Path, context: Path, mtime: int) -> None:
    """Add a path to the layer, without traces of this machine: owned by root, with the modes that git tracks."""
    status = path.lstat()
    entry = tarfile.TarInfo((PurePosixPath(APP_DIR) / path.relative_to(context)).as_posix())
    entry.mtime, entry.mode = mtime, 0o755 if status.st_mode & stat.S_IXUSR else 0o644
    if stat.S_ISDIR(status.st_mode):
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        layer.addfile(entry)
    elif stat.S_ISLNK(status.st_mode):
        entry.type, entry.mode, entry.linkname = tarfile.SYMTYPE, 0o777, _link_target(path, context)
        layer.addfile(entry)
    elif stat.S_ISREG(status.st_mode):
        entry.size = status.st_size
        with path.open("rb") as content:
            layer.addfile(entry, content)
    else:
        raise BuildFailed(f"{path.relative_to(context)} is not a file, folder or link", hint="remove it")


def _link_target(link: Path, context: Path) -> str:
    """Return the target of a symbolic link; BuildFailed when it leads out of the tree, even through other links."""
    target = link.readlink()
    try:
        is_inside = (link.parent / target).resolve().is_relative_to(context.resolve())
    except (OSError, RuntimeError):  # a loop; Python 3.13 no longer raises here
        is_inside = False
    if target.is_absolute() or not is_inside:
        raise BuildFailed(
            f"the link {link.relative_to(context)} points outside the tree, to {target}",
            hint="point it inside the repository, or remove it",
        )
    return str(target)
