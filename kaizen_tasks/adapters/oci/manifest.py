"""Image manifests and indexes with their original bytes; Docker's schema 2 and OCI differ only in media types."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from attrs import field, frozen

from kaizen_tasks.errors import Refused

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_MEDIA_TYPES = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
MAX_MANIFEST_BYTES = 4 << 20  # https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
MAX_INDEX_DEPTH = 4
MAX_MANIFESTS = 1000
MANIFEST_MEDIA_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_MANIFEST_LIST, DOCKER_MANIFEST)


def sha256_digest(content: bytes) -> str:
    """Return the `sha256:…` digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@frozen(kw_only=True)
class Descriptor:
    """An OCI descriptor: a reference to content by its digest.

    Attributes:
        digest: `sha256:…`.
        media_type: the content's media type.
        size: the content's size in bytes.
        platform: `linux/amd64` for a child of an index, or empty.
        is_foreign: whether the content may only be downloaded from its own URLs, and must not be pushed.
    """

    digest: str
    media_type: str
    size: int
    platform: str = ""
    is_foreign: bool = False


@frozen(slots=False)
class Manifest:
    """A manifest or an index, byte for byte as it was pushed.

    Attributes:
        content: the original bytes; serialising the document again would change the digest.
        media_type: the media type that the registry sent.
    """

    content: bytes = field(repr=False)
    media_type: str

    @cached_property
    def digest(self) -> str:
        """The digest of the original bytes."""
        return sha256_digest(self.content)

    @cached_property
    def children(self) -> tuple[Descriptor, ...]:
        """The descriptors of an index's manifests, in order; empty for a manifest."""
        return tuple(self._descriptors("manifests"))

    @cached_property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The descriptors of configuration and layers, without foreign layers."""
        descriptors = (*self._descriptors("config"), *self._descriptors("layers"))
        return tuple(blob for blob in descriptors if not blob.is_foreign)

    @property
    def config(self) -> Descriptor | None:
        """The descriptor of the image configuration, or None for an index."""
        return next(self._descriptors("config"), None)

    @property
    def main_child(self) -> Descriptor | None:
        """The child that represents an index: that for linux/amd64, else the first image; None for a manifest.

        BuildKit adds attestations as children with the platform unknown/unknown.
        """
        images = [child for child in self.children if not child.platform.startswith("unknown/")]
        return min(images, key=lambda child: child.platform != "linux/amd64", default=None)

    @property
    def declared_media_type(self) -> str:
        """The media type in the manifest's JSON, or an empty string."""
        return str(self._document.get("mediaType", ""))

    @cached_property
    def _document(self) -> dict[str, Any]:
        try:
            document = json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise self._malformed_error(error) from error
        if not isinstance(document, dict):
            raise self._malformed_error(document)
        return document

    def _descriptors(self, member: str) -> Iterator[Descriptor]:
        """Yield the descriptors in a member of the manifest's JSON."""
        value = self._document.get(member) or []
        try:
            yield from [_parse_descriptor(document) for document in (value if isinstance(value, list) else [value])]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._malformed_error(error) from error

    def _malformed_error(self, reason: object) -> Refused:
        return Refused(f"{self.digest} is not an image manifest: {reason!r}")


def parse_manifest(content: bytes) -> Manifest:
    """Parse a manifest or an index; when its JSON lacks a media type, as OCI permits, infer the type.

    https://github.com/opencontainers/image-spec/blob/main/manifest.md#image-manifest-property-descriptions
    """
    manifest = Manifest(content, OCI_MANIFEST)
    media_type = manifest.declared_media_type or (OCI_INDEX if manifest.children else OCI_MANIFEST)
    return Manifest(content, media_type)


def _parse_descriptor(document: dict[str, Any]) -> Descriptor:
    platform = document.get("platform") or {}
    return Descriptor(
        digest=document["digest"],
        media_type=document["mediaType"],
        size=int(document["size"]),
        platform="/".join(platform[part] for part in ("os", "architecture") if part in platform),
        is_foreign=bool(document.get("urls")),
    )
