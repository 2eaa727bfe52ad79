"""Small images made of bytes, for the OCI client and the registries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from kaizen_tasks.adapters.oci.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest, sha256_digest

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.adapters.oci.blobs import Opener, Stream
    from kaizen_tasks.adapters.oci.client import OciClient

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
REVISION = "4f2a9c81" * 5


@frozen
class Sample:
    """An image or an index.

    Attributes:
        root: its manifest or index.
        children: the manifests of an index.
        blobs: content by digest.
        version: its version label.
        platform: what it is built for.
    """

    root: Manifest
    children: tuple[Manifest, ...] = ()
    blobs: Mapping[str, bytes] = field(factory=dict)
    version: str = ""
    platform: str = "linux/amd64"

    @property
    def digest(self) -> str:
        return self.root.digest

    def push(self, client: OciClient, repository: str, tag: str) -> Sample:
        """Push it and move the tag to it."""
        for digest, content in self.blobs.items():
            blob = Descriptor(digest=digest, media_type=LAYER, size=len(content))
            client.blobs.upload(repository, blob, opener(content))
        for child in self.children:
            client.put_manifest(repository, child.digest, child)
        client.put_manifest(repository, tag, self.root)
        return self

    def write(self, folder: Path) -> Path:
        """Write it as an OCI image layout."""
        contents = {manifest.digest: manifest.content for manifest in (self.root, *self.children)}
        (folder / "blobs" / "sha256").mkdir(parents=True)
        for digest, content in {**contents, **self.blobs}.items():
            (folder / "blobs" / digest.replace(":", "/")).write_bytes(content)
        descriptor = _descriptor(self.root.content, self.root.media_type)
        (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [descriptor]}))
        return folder


def opener(content: bytes, *, chunk: int = 1 << 20) -> Opener:
    """Return an opener that streams content from any offset."""

    def opened(offset: int) -> Stream:
        for first in range(offset, len(content), chunk):
            yield content[first : first + chunk]

    return opened


def image(
    version: str = "v1.2.3", *, layers: tuple[bytes, ...] = (b"base", b"app"), architecture: str = "amd64"
) -> Sample:
    """Return a single-platform image; its unusual JSON spacing shows whether bytes are kept."""
    labels = {"org.opencontainers.image.version": version, "org.opencontainers.image.revision": REVISION}
    config = _json({"architecture": architecture, "os": "linux", "config": {"Labels": labels}})
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _descriptor(config, CONFIG),
            "layers": [_descriptor(layer, LAYER) for layer in layers],
        }
    )
    blobs = {sha256_digest(content): content for content in (config, *layers)}
    return Sample(Manifest(manifest, OCI_MANIFEST), (), blobs, version, f"linux/{architecture}")


def index(*images: tuple[str, Sample]) -> Sample:
    """Return an index of images by platform, `("linux/amd64", image())` among them."""
    listed = [
        {
            **_descriptor(sample.root.content, OCI_MANIFEST),
            "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True)),
        }
        for platform, sample in images
    ]
    content = _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed})
    blobs = {digest: blob for _, sample in images for digest, blob in sample.blobs.items()}
    children = tuple(sample.root for _, sample in images)
    return Sample(Manifest(content, OCI_INDEX), children, blobs, dict(images)["linux/amd64"].version)


def _descriptor(content: bytes, media_type: str) -> dict[str, str | int]:
    return {"mediaType": media_type, "digest": sha256_digest(content), "size": len(content)}


def _json(document: object) -> bytes:
    return json.dumps(document, indent=3).encode()
