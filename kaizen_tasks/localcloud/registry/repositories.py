"""A repository as an immutable value, which is stored as one JSON file."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable


def _to_tuple(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


def _to_frozenset(values: Iterable[str]) -> frozenset[str]:
    return frozenset(values)


@attrs.frozen(kw_only=True)
class ImageRecord:
    """A manifest of a repository.

    Args:
        digest: its digest.
        media_type: its media type.
        pushed_at: seconds since the epoch of the first push.
        scanned_at: seconds since the epoch of its last scan; None if it was never scanned.
        size: bytes of its configuration and layers; for an index, of its largest child.
        artifact_type: its artifact type.
        subject: the digest of its subject, or empty.
        blobs: digests of its configuration and layers.
        children: digests of the manifests in an index.
    """

    digest: str
    media_type: str
    pushed_at: float
    size: int
    scanned_at: float | None = None
    artifact_type: str = ""
    subject: str = ""
    blobs: tuple[str, ...] = attrs.field(default=(), converter=_to_tuple)
    children: tuple[str, ...] = attrs.field(default=(), converter=_to_tuple)


@attrs.frozen(kw_only=True)
class ImageRepository:
    """A repository with its settings, images, tags and layers.

    Args:
        name: its name.
        created_at: seconds since the epoch.
        mutability: ECR's `imageTagMutability`.
        exclusions: wildcard filters of the tags that are exempt from it.
        scan_on_push: ECR's `scanOnPush`.
        encryption: ECR's `encryptionConfiguration`.
        labels: resource tags.
        lifecycle: the text of the lifecycle policy, or empty.
        policy: the text of the repository policy, or empty.
        images: by digest.
        tags: digests by image tag.
        layers: digests of the blobs that were uploaded or mounted.
    """

    name: str
    created_at: float
    mutability: str = "MUTABLE"
    exclusions: tuple[str, ...] = attrs.field(default=(), converter=_to_tuple)
    scan_on_push: bool = False
    encryption: dict[str, str] = attrs.field(factory=lambda: {"encryptionType": "AES256"})
    labels: dict[str, str] = attrs.field(factory=dict)
    lifecycle: str = ""
    policy: str = ""
    images: dict[str, ImageRecord] = attrs.field(factory=dict)
    tags: dict[str, str] = attrs.field(factory=dict)
    layers: frozenset[str] = attrs.field(default=frozenset(), converter=_to_frozenset)

    @classmethod
    def from_json(cls, content: bytes) -> ImageRepository:
        """Parse the content of a repository's file."""
        document = json.loads(content)
        images = {digest: ImageRecord(**image) for digest, image in document.pop("images").items()}
        return cls(**document, images=images)

    def to_json(self) -> bytes:
        """Return the content of the repository's file."""
        return json.dumps(attrs.asdict(self, value_serializer=_serialize), separators=(",", ":")).encode()

    def protects(self, tag: str) -> bool:
        """Return whether an existing tag is immutable."""
        is_excepted = any(_matches_wildcard(pattern, tag) for pattern in self.exclusions)
        return self.mutability.startswith("IMMUTABLE") != is_excepted

    def resolve(self, reference: str) -> str | None:
        """Return the digest that a tag or digest refers to in this repository, or None."""
        return reference if reference in self.images else self.tags.get(reference)

    def tags_of(self, digest: str) -> list[str]:
        """Return the tags that point at an image, versions before `latest`; AWS documents no order."""
        return self._tags_by_digest.get(digest, [])

    @functools.cached_property
    def _tags_by_digest(self) -> dict[str, list[str]]:
        tags_by_digest: dict[str, list[str]] = {}
        for tag in sorted(self.tags, key=lambda tag: (tag == "latest", tag)):
            tags_by_digest.setdefault(self.tags[tag], []).append(tag)
        return tags_by_digest

    @functools.cached_property
    def sorted_digests(self) -> tuple[str, ...]:
        """Return the digests of all images in order."""
        return tuple(sorted(self.images))

    @functools.cached_property
    def image_names(self) -> tuple[str, ...]:
        """Return the names of all images in order: `DIGEST TAG` for every tag, `DIGEST` without one."""
        return tuple(
            sorted(
                f"{digest} {tag}" if tag else digest for digest in self.images for tag in self.tags_of(digest) or ("",)
            )
        )

    def references(self, blob: str) -> bool:
        """Return whether an image of this repository refers to a blob."""
        return any(blob in image.blobs for image in self.images.values())

    def parent_of(self, digest: str) -> str | None:
        """Return the digest of an index that lists a manifest, or None."""
        return next((image.digest for image in self.images.values() if digest in image.children), None)

    def index_depth(self, children: Iterable[str]) -> int:
        """Return how many indexes contain one another, from one with these children on; 0 without children."""
        depth, level = 0, set(children)
        while level:
            depth += 1
            level = {child for digest in level for child in self.images[digest].children}
        return depth

    def without_labels(self, keys: Iterable[str]) -> ImageRepository:
        """Return the repository without some resource tags."""
        labels = {key: value for key, value in self.labels.items() if key not in keys}
        return attrs.evolve(self, labels=labels)

    def with_layer(self, digest: str) -> ImageRepository:
        """Return the repository with one more blob."""
        return attrs.evolve(self, layers=self.layers | {digest})

    def with_image(self, image: ImageRecord, tag: str | None) -> ImageRepository:
        """Return the repository with an image and a tag that points at it; a known image stays as first pushed."""
        images = {image.digest: image} | self.images
        return attrs.evolve(self, images=images, tags=self.tags | ({tag: image.digest} if tag else {}))

    def with_scan(self, digest: str, scanned_at: float) -> ImageRepository:
        """Return the repository with an image that was scanned."""
        image = attrs.evolve(self.images[digest], scanned_at=scanned_at)
        return attrs.evolve(self, images={**self.images, digest: image})

    def without_tag(self, tag: str) -> ImageRepository:
        """Return the repository without a tag."""
        return attrs.evolve(self, tags={name: digest for name, digest in self.tags.items() if name != tag})

    def without_image(self, digest: str) -> ImageRepository:
        """Return the repository without an image, its tags and the blobs that no other image refers to."""
        images = {key: image for key, image in self.images.items() if key != digest}
        tags = {tag: target for tag, target in self.tags.items() if target != digest}
        referenced_blobs = {blob for image in images.values() for blob in image.blobs}
        unreferenced_blobs = set(self.images[digest].blobs) - referenced_blobs
        return attrs.evolve(self, images=images, tags=tags, layers=self.layers - unreferenced_blobs)


def _matches_wildcard(pattern: str, tag: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), tag) is not None


def _serialize(_instance: object, _attribute: object, value: Any) -> Any:  # Any: attrs' own signature
    return sorted(value) if isinstance(value, frozenset) else value
