"""Builds images without an engine: the exported tree as one layer, in an OCI image layout on disk.

The layer is an uncompressed tar, since compression differs between builds of zlib and would give the same commit
different digests: https://github.com/opencontainers/image-spec/blob/main/layer.md. The Dockerfile and `.dockerignore`
are ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from kaizen_tasks.adapters.oci.pusher import ImagePusher
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from kaizen_tasks.domain.release import BuildSpec, LocalImage
from kaizen_tasks.errors import BuildFailed, PushFailed, Refused
from kaizen_tasks.ports.types import Login

CONFIG_MEDIA_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar"

APP_DIR = "app"  # folder of the tree inside the image, without the leading slash
PATH_ENV = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BUNDLE_LABELS = {"dev.kaizen.image": "bundle"}


class BundleBuilder:
    """Builds and pushes images with Python alone.

    Args:
        command: the image's command, which runs in `/app`.
        version_arg: name of another environment variable for the version, besides `APP_VERSION`.
        platform: `linux/amd64`.
        store: folder for the layouts, one folder for each image.
    """

    name = "bundle"

    def __init__(self, *, command: tuple[str, ...], version_arg: str, platform: str, store: Path) -> None:
        self._command = command
        self._version_arg = version_arg
        self._platform = platform
        self._store = store

    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        """Return the stored image of the spec's revision, or None when a build would now give another image."""
        layout = self._layout_dir(spec)
        contents = _read_layout(layout)
        if contents is None:
            return None
        digest, layer = contents
        _, manifest = self._assemble_image(spec, layer)
        return LocalImage(name=str(layout), id=digest) if digest == manifest.digest else None

    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        """Write the image's layout into a temporary folder, rename the folder, and return the image.

        Raises:
            BuildFailed: no command is configured, or the tree has a file that an image cannot hold.
        """
        if not self._command:
            raise BuildFailed(
                "build.command is missing: a bundle needs a command to run",
                hint='set build.command in kaizen.toml: command = ["python", "app.py"]',
            )
        self._store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._store, prefix=".unfinished-") as folder:
            temp_layout = Path(folder) / "layout"
            digest = self._write_layout(spec, context, temp_layout)
            _move_into_place(temp_layout, self._layout_dir(spec))
        return LocalImage(name=str(self._layout_dir(spec)), id=digest)

    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        """Upload an image as `repository_uri:tag`."""
        repository = repository_uri.removeprefix(f"{login.host}/")
        try:
            client = OciClient(StaticCredentials(login), clock=SystemClock())
            ImagePusher(client).upload_layout(Path(image.name), repository=repository, tag=tag)
        except Refused as error:
            raise PushFailed(f"{repository_uri}:{tag} could not be pushed: {error.message}", hint=error.hint) from error

    def _layout_dir(self, spec: BuildSpec) -> Path:
        return self._store / f"{spec.app}-{spec.version}-{spec.revision[:12]}"

    def _write_layout(self, spec: BuildSpec, context: Path, layout: Path) -> str:
        blobs = layout / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        layer = _write_layer(context, blobs, mtime=int(spec.created_at.timestamp()))
        config, manifest = self._assemble_image(spec, layer)
        for document in (config, manifest):
            (blobs / document.digest.removeprefix("sha256:")).write_bytes(document.content)
        (layout / "oci-layout").write_bytes(_encode_json({"imageLayoutVersion": "1.0.0"}))
        named = _descriptor_json(manifest) | {"annotations": {"org.opencontainers.image.ref.name": spec.version}}
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [named]}
        (layout / "index.json").write_bytes(_encode_json(index))
        return manifest.digest

    def _assemble_image(self, spec: BuildSpec, layer: Descriptor) -> tuple[Manifest, Manifest]:
        """Return an image's configuration and manifest for a layer; equal arguments give equal bytes."""
        config = Manifest(_encode_json(self._image_config(spec, layer)), CONFIG_MEDIA_TYPE)
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _descriptor_json(config),
            "layers": [_descriptor_json(layer)],
        }
        return config, Manifest(_encode_json(manifest), OCI_MANIFEST)

    def _image_config(self, spec: BuildSpec, layer: Descriptor) -> dict[str, object]:
        """Return the image configuration: https://github.com/opencontainers/image-spec/blob/main/config.md."""
        system, architecture, *variant = self._platform.split("/")
        created = spec.created_at.isoformat()
        return {
            "created": created,
            "os": system,
            "architecture": architecture,
            **({"variant": variant[0]} if variant else {}),
            "config": self._runtime_config(spec),
            "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
            "history": [{"created": created, "created_by": "kaizen bundle"}],
        }

    def _runtime_config(self, spec: BuildSpec) -> dict[str, object]:
        variables = {"PATH": PATH_ENV, self._version_arg: spec.version, "APP_VERSION": spec.version}
        return {
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "Cmd": list(self._command),
            "WorkingDir": f"/{APP_DIR}",
            "Labels": {**spec.labels, **BUNDLE_LABELS},
        }


def _descriptor_json(blob: Descriptor | Manifest) -> dict[str, object]:
    """Return a blob's OCI descriptor: https://github.com/opencontainers/image-spec/blob/main/descriptor.md."""
    size = len(blob.content) if isinstance(blob, Manifest) else blob.size
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": size}


def _encode_json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _read_layout(layout: Path) -> tuple[str, Descriptor] | None:
    """Return the digest of a layout's manifest and the descriptor of its layer; None when the layout is missing."""
    try:
        digest = json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"]
        manifest = json.loads((layout / "blobs" / digest.replace(":", "/")).read_bytes())
        layer = manifest["layers"][0]
        size = (layout / "blobs" / layer["digest"].replace(":", "/")).stat().st_size
    except FileNotFoundError:
        return None
    return digest, Descriptor(media_type=LAYER_MEDIA_TYPE, digest=layer["digest"], size=size)


def _move_into_place(temp_layout: Path, layout: Path) -> None:
    """Rename a layout, replacing an existing one, which was built with other settings or is damaged."""
    if layout.exists():
        layout.rename(temp_layout.with_name("replaced"))
    temp_layout.rename(layout)


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
