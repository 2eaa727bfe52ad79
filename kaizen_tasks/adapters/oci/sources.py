"""Sources of images to push: a repository of the same registry or of another one, or an OCI layout on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from attrs import field, frozen

from kaizen_tasks.adapters.oci.blobs import Stream
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.manifest import (
    MAX_INDEX_DEPTH,
    MAX_MANIFESTS,
    OCI_INDEX,
    Manifest,
    parse_manifest,
)
from kaizen_tasks.adapters.oci.pool import CHUNK_BYTES
from kaizen_tasks.errors import NotFound, PushFailed, Refused
from kaizen_tasks.ports.images import Registry


class ImageSource(Protocol):
    """A source of images to push: a repository or an OCI layout, in which content is found by digest."""

    @property
    def name(self) -> str:
        """The repository or the folder."""

    @property
    def mountable_repository(self) -> str:
        """The repository of the target registry from which blobs can be mounted, or an empty string."""

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest with a digest; NotFound when the source lacks it."""

    def open(self, digest: str, offset: int) -> Stream:
        """Stream a blob from an offset in bytes; NotFound when the source lacks it."""


class RepositorySource:
    """A source of images: another repository in the target's registry."""

    def __init__(self, client: OciClient, repository: str) -> None:
        self._client = client
        self.name = self.mountable_repository = repository

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest with a digest."""
        manifest = self._client.manifest(self.name, digest)
        if manifest is None:
            raise NotFound(f"{self._client.repository_uri(self.name)} does not hold {digest}")
        return manifest

    def open(self, digest: str, offset: int) -> Stream:
        """Stream a blob from an offset in bytes."""
        return self._client.blobs.open(self.name, digest, offset)


class RemoteSource:
    """A source of images: a repository in another registry than the target's, from which nothing can be mounted."""

    mountable_repository = ""

    def __init__(self, registry: Registry, repository: str) -> None:
        self._registry = registry
        self._repository = repository

    @property
    def name(self) -> str:
        """The full name of the repository."""
        return f"{self._registry.credentials().host}/{self._repository}"

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest with a digest."""
        stored = self._registry.read_manifest(self._repository, digest)
        manifest = Manifest(stored.content, stored.media_type)
        if manifest.digest != digest:
            raise Refused(f"{self.name} sent {manifest.digest} when asked for {digest}")
        return manifest

    def open(self, digest: str, offset: int) -> Stream:
        """Stream a blob from an offset in bytes."""
        return self._registry.open_blob(self._repository, digest, offset)


@frozen
class LayoutSource:
    """A source of images: a folder in the format of an OCI image layout.

    https://github.com/opencontainers/image-spec/blob/main/image-layout.md
    """

    _folder: Path
    mountable_repository: str = field(default="", init=False)

    @property
    def name(self) -> str:
        """The folder."""
        return str(self._folder)

    def image_digest(self) -> str:
        """Return the digest of the layout's only image; PushFailed when there is no image, or more than one."""
        index = Manifest(self._read(self._folder / "index.json"), OCI_INDEX)
        if len(index.children) != 1:
            raise PushFailed(f"{self._folder} has {len(index.children)} images, expected one")
        return index.children[0].digest

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest with a digest."""
        manifest = parse_manifest(self._read(self._blob_path(digest)))
        if manifest.digest != digest:
            raise PushFailed(f"{self._blob_path(digest)} does not match its digest")
        return manifest

    def open(self, digest: str, offset: int) -> Stream:
        """Stream a blob from an offset in bytes."""
        try:
            with self._blob_path(digest).open("rb") as file:
                file.seek(offset)
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except FileNotFoundError as error:
            raise _missing_file_error(self._blob_path(digest)) from error

    def _blob_path(self, digest: str) -> Path:
        return self._folder / "blobs" / digest.replace(":", "/")

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise _missing_file_error(path) from error


def _missing_file_error(path: Path) -> NotFound:
    return NotFound(f"{path} is missing", hint="build the image again")


def manifest_tree(source: ImageSource, digest: str) -> tuple[Manifest, ...]:
    """Return the manifest with a digest, preceded by all manifests that it refers to, each once.

    Raises:
        Refused: the image has too many manifests, or indexes in indexes too deep.
    """
    manifests: dict[str, Manifest] = {}
    _add_tree(source, digest, manifests, depth=0)
    return tuple(manifests.values())


def _add_tree(source: ImageSource, digest: str, manifests: dict[str, Manifest], *, depth: int) -> None:
    """Add a manifest after those that it refers to."""
    if digest in manifests:
        return
    if depth > MAX_INDEX_DEPTH:
        raise Refused(f"the indexes of the image are nested deeper than {MAX_INDEX_DEPTH} levels: {digest}")
    if len(manifests) >= MAX_MANIFESTS:
        raise Refused(f"the image has more than {MAX_MANIFESTS} manifests")
    manifest = source.manifest(digest)
    for child in manifest.children:
        _add_tree(source, child.digest, manifests, depth=depth + 1)
    manifests[digest] = manifest
