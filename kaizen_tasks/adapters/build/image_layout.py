"""Images that are made without an engine: OCI image layouts with one layer, in a folder for each image.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from kaizen_tasks.adapters.oci.pusher import ImagePusher
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from kaizen_tasks.domain.release import BuildSpec, LocalImage
from kaizen_tasks.errors import PushFailed, Refused
from kaizen_tasks.ports.types import Login

CONFIG_MEDIA_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar"


class LayoutBuilder(ABC):
    """Builds and pushes images with Python alone.

    Args:
        platform: `linux/amd64`.
        store: folder for the layouts, one folder for each image.

    Attributes:
        name: the builder's name.
    """

    name: str

    def __init__(self, *, platform: str, store: Path) -> None:
        self._platform = platform
        self._store = store

    @abstractmethod
    def _write_layer(self, spec: BuildSpec, context: Path, blobs: Path) -> Descriptor:
        """Write the layer into the folder of blobs, named by its digest, and return its descriptor."""

    @abstractmethod
    def _runtime_config(self, spec: BuildSpec) -> Mapping[str, object]:
        """Return the member `config` of the image configuration: variables, command, labels."""

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
            BuildFailed: no image can be made of the tree.
        """
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
        layer = self._write_layer(spec, context, blobs)
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
            "history": [{"created": created, "created_by": f"kaizen {self.name}"}],
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
