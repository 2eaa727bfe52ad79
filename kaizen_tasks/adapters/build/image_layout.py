"""Images that are made without an engine: OCI image layouts with one layer, in a folder for each image.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import frozen

from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest, sha256_digest
from kaizen_tasks.adapters.oci.pusher import ImagePusher
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from kaizen_tasks.domain.image import BuildSpec, LocalImage
from kaizen_tasks.errors import PushFailed, Refused
from kaizen_tasks.ports.images import Login

CONFIG_MEDIA_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar"


SETTINGS_ANNOTATION = "dev.kaizen.settings"
"""Annotation in a layout's index: the digest of what the image was built from, besides the commit."""


@frozen(kw_only=True)
class ImageContents:
    """What an image is made of.

    Attributes:
        config: the member `config` of the image configuration: variables, command, labels.
        write_layer: writes the layer, an uncompressed archive, to a path.
    """

    config: Mapping[str, object]
    write_layer: Callable[[Path], None]


class LayoutBuilder(ABC):
    """Builds and pushes images with Python alone.

    Args:
        settings: all that an image is built from besides the commit; its `repr` tells it from other settings.
        platform: `linux/amd64`.
        store: folder for the layouts, one folder for each image.

    Attributes:
        name: the builder's name.
    """

    name: str

    def __init__(self, *, settings: object, platform: str, store: Path) -> None:
        self._settings = settings
        self._platform = platform
        self._store = store

    @abstractmethod
    def _read_contents(self, spec: BuildSpec, context: Path) -> ImageContents:
        """Return what the image of a tree is made of; BuildFailed when no image can be made of it."""

    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        """Return the stored image of the spec's revision, or None when a build would now give another image."""
        layout = self._layout_dir(spec)
        digests = _read_layout(layout)
        if digests is None:
            return None
        image_digest, settings_digest = digests
        return LocalImage(name=str(layout), id=image_digest) if settings_digest == self._settings_digest(spec) else None

    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        """Write the image's layout into a temporary folder, rename the folder, and return the image.

        Raises:
            BuildFailed: no image can be made of the tree.
        """
        contents = self._read_contents(spec, context)
        self._store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._store, prefix=".unfinished-") as folder:
            temp_layout = Path(folder) / "layout"
            digest = self._write_layout(spec, contents, temp_layout)
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

    def _settings_digest(self, spec: BuildSpec) -> str:
        """Return a digest of all that the image is built from, but for the files of the revision."""
        return sha256_digest(repr((self._settings, spec)).encode())

    def _write_layout(self, spec: BuildSpec, contents: ImageContents, layout: Path) -> str:
        """Write a layout, and return the digest of its manifest; equal arguments give equal bytes."""
        blobs = layout / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        layer = _write_layer(contents, blobs)
        config = Manifest(_encode_json(self._image_config(spec, contents, layer)), CONFIG_MEDIA_TYPE)
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _descriptor_json(config),
            "layers": [_descriptor_json(layer)],
        }
        manifest = Manifest(_encode_json(document), OCI_MANIFEST)
        for blob in (config, manifest):
            (blobs / blob.digest.removeprefix("sha256:")).write_bytes(blob.content)
        (layout / "oci-layout").write_bytes(_encode_json({"imageLayoutVersion": "1.0.0"}))
        annotations = {
            "org.opencontainers.image.ref.name": spec.version,
            SETTINGS_ANNOTATION: self._settings_digest(spec),
        }
        named = _descriptor_json(manifest) | {"annotations": annotations}
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [named]}
        (layout / "index.json").write_bytes(_encode_json(index))
        return manifest.digest

    def _image_config(self, spec: BuildSpec, contents: ImageContents, layer: Descriptor) -> dict[str, object]:
        """Return the image configuration: https://github.com/opencontainers/image-spec/blob/main/config.md."""
        system, architecture, *variant = self._platform.split("/")
        created = spec.created_at.isoformat()
        return {
            "created": created,
            "os": system,
            "architecture": architecture,
            **({"variant": variant[0]} if variant else {}),
            "config": contents.config,
            "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
            "history": [{"created": created, "created_by": f"kaizen {self.name}"}],
        }


def _descriptor_json(blob: Descriptor | Manifest) -> dict[str, object]:
    """Return a blob's OCI descriptor: https://github.com/opencontainers/image-spec/blob/main/descriptor.md."""
    size = len(blob.content) if isinstance(blob, Manifest) else blob.size
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": size}


def _encode_json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _write_layer(contents: ImageContents, blobs: Path) -> Descriptor:
    """Write the layer into the folder of blobs, named by its digest, and return its descriptor."""
    temp_file = blobs / "layer"
    contents.write_layer(temp_file)
    with temp_file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    size = temp_file.stat().st_size
    temp_file.rename(blobs / digest)
    return Descriptor(media_type=LAYER_MEDIA_TYPE, digest=f"sha256:{digest}", size=size)


def _read_layout(layout: Path) -> tuple[str, str] | None:
    """Return the digests of a layout's manifest and of its settings; None when the layout or its layer is missing."""
    try:
        named = json.loads((layout / "index.json").read_bytes())["manifests"][0]
        manifest = json.loads((layout / "blobs" / named["digest"].replace(":", "/")).read_bytes())
        layer = manifest["layers"][0]
        (layout / "blobs" / layer["digest"].replace(":", "/")).stat()
    except FileNotFoundError:
        return None
    return named["digest"], named["annotations"].get(SETTINGS_ANNOTATION, "")


def _move_into_place(temp_layout: Path, layout: Path) -> None:
    """Rename a layout, replacing an existing one, which was built with other settings or is damaged."""
    if layout.exists():
        layout.rename(temp_layout.with_name("replaced"))
    temp_layout.rename(layout)
