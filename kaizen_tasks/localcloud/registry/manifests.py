"""Manifests of images and indexes (OCI and Docker schema 2), and the digests that they refer to."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.registry.registry_errors import ManifestError, UnsupportedManifestError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import JsonObject

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
MAX_MANIFEST_BYTES = 4 << 20
MAX_CONFIG_BYTES = 4 << 20
MAX_INDEX_DEPTH = 4
"""Number of indexes that may contain one another; an index of an image's platforms and attestations has one."""

_IMAGE_TYPES = frozenset({DOCKER_MANIFEST, OCI_MANIFEST})
_INDEX_TYPES = frozenset({DOCKER_INDEX, OCI_INDEX})
SHA256 = "sha256"
ALGORITHMS = (SHA256, "sha512")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


@attrs.frozen(kw_only=True)
class RawManifest:
    """The exact bytes of a manifest."""

    content: bytes
    media_type: str
    digest: str


@attrs.frozen(kw_only=True)
class References:
    """What a manifest refers to.

    Args:
        blobs: digests of the configuration and of the layers, without foreign layers (those with URLs).
        size: bytes of the configuration and the layers.
        children: digests of the manifests in an index.
        artifact_type: the artifact type; for images the media type of the configuration.
        subject: the digest of the manifest that it refers to as its subject, or empty.
    """

    blobs: tuple[str, ...] = ()
    size: int = 0
    children: tuple[str, ...] = ()
    artifact_type: str = ""
    subject: str = ""


def is_digest(text: str) -> bool:
    """Return whether a text is a digest of an algorithm that is registered in the OCI image specification."""
    return _DIGEST.fullmatch(text) is not None


def algorithm_of(digest: str) -> str:
    """Return the algorithm of a valid digest."""
    return digest.partition(":")[0]


def digest_of(content: bytes, algorithm: str = SHA256) -> str:
    """Return the digest of bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def parse_manifest(content: bytes, media_type: str = "", algorithm: str = SHA256) -> RawManifest:
    """Parse a manifest.

    Args:
        content: the bytes.
        media_type: the announced media type; empty to take it from the document.
        algorithm: the algorithm of its digest.

    Raises:
        ManifestError: the bytes are not a JSON object, or declare another type than announced.
        UnsupportedManifestError: the type is not supported.
    """
    document = _parse_json(content)
    declared_type = _string_member(document, "mediaType")
    media_type = media_type or declared_type or _guess_media_type(document)
    if media_type not in _IMAGE_TYPES | _INDEX_TYPES or document.get("schemaVersion") != 2:
        raise UnsupportedManifestError(f"Manifests of type '{media_type}' are not supported")
    if declared_type not in ("", media_type):
        raise ManifestError(f"The manifest says it is '{declared_type}' but was sent as '{media_type}'")
    return RawManifest(content=content, media_type=media_type, digest=digest_of(content, algorithm))


def parse_references(manifest: RawManifest) -> References:
    """Return the digests that a manifest refers to.

    Raises:
        ManifestError: a descriptor is missing or malformed.
    """
    document = _parse_json(manifest.content)
    subject = _check_descriptor(document["subject"])["digest"] if document.get("subject") else ""
    if manifest.media_type in _INDEX_TYPES:
        children = tuple(_check_descriptor(child)["digest"] for child in _list_member(document, "manifests"))
        return References(children=children, artifact_type=_string_member(document, "artifactType"), subject=subject)
    config = _check_descriptor(document.get("config"))
    if config["size"] > MAX_CONFIG_BYTES:
        raise ManifestError(f"The configuration has more than {MAX_CONFIG_BYTES} bytes")
    descriptors = [config, *(_check_descriptor(layer) for layer in _list_member(document, "layers"))]
    return References(
        blobs=tuple(dict.fromkeys(descriptor["digest"] for descriptor in descriptors if not descriptor.get("urls"))),
        size=sum(descriptor["size"] for descriptor in descriptors),
        artifact_type=_string_member(document, "artifactType") or _string_member(config, "mediaType"),
        subject=subject,
    )


def _parse_json(content: bytes) -> JsonObject:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ManifestError("Invalid JSON syntax") from error
    if not isinstance(document, dict):
        raise ManifestError("A manifest is a JSON object")
    return document


def _guess_media_type(document: JsonObject) -> str:
    # "mediaType" may be absent from OCI documents only (image-spec 1.1, manifest.md and image-index.md).
    if "manifests" in document:
        return OCI_INDEX
    return OCI_MANIFEST if "config" in document else ""


def _string_member(document: JsonObject, name: str) -> str:
    value = document.get(name) or ""
    if not isinstance(value, str):
        raise ManifestError(f"'{name}' is not a string")
    return value


def _list_member(document: JsonObject, name: str) -> list[object]:
    value = document.get(name)
    if not isinstance(value, list):
        raise ManifestError(f"The manifest has no list '{name}'")
    return value


def _check_descriptor(value: object) -> JsonObject:
    if not isinstance(value, dict) or not is_digest(str(value.get("digest"))):
        raise ManifestError("The manifest has a descriptor without a valid digest")
    size = value.get("size")
    if type(size) is not int or size < 0:  # bool is an int too
        raise ManifestError("The manifest has a descriptor without a size")
    return value
