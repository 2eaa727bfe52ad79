"""Where an image is brought from: another repository of the same registry, or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

from kaizen_tasks.adapters.oci.manifest import OCI_INDEX, Manifest, self_described
from kaizen_tasks.adapters.oci.pool import CHUNK
from kaizen_tasks.errors import NotFound, PushFailed

if TYPE_CHECKING:
    from kaizen_tasks.adapters.oci.blobs import Stream
    from kaizen_tasks.adapters.oci.client import OciClient


class Source(Protocol):
    """Where an image comes from."""

    @property
    def repository(self) -> str:
        """The repository of the same registry that blobs can be linked from, or empty."""
        ...

    def manifest(self, digest: str) -> Manifest:
        """Return a manifest.

        Raises:
            NotFound: it is not there.
        """
        ...

    def open(self, digest: str, offset: int) -> Stream:
        """Stream a blob from an offset in bytes.

        Raises:
            NotFound: it is not there.
        """
        ...


class Neighbour:
    """Another repository of the registry that is pushed to."""

    def __init__(self, client: OciClient, repository: str) -> None:
        self._client = client
        self.repository = repository

    def manifest(self, digest: str) -> Manifest:
        """Return a manifest."""
        found = self._client.manifest(self.repository, digest)
        if found is None:
            raise NotFound(f"{self._client.address(self.repository)} does not hold {digest}")
        return found

    def open(self, digest: str, offset: int) -> Stream:
        """Stream a blob from an offset in bytes."""
        return self._client.blobs.open(self.repository, digest, offset)


@frozen
class Layout:
    """A folder as the OCI image layout describes it.

    https://github.com/opencontainers/image-spec/blob/main/image-layout.md
    """

    _folder: Path
    repository: str = field(default="", init=False)

    def digest(self) -> str:
        """Return the digest of its one image.

        Raises:
            PushFailed: it holds none or several.
        """
        index = Manifest(self._read(self._folder / "index.json"), OCI_INDEX)
        if len(index.children) != 1:
            raise PushFailed(f"{self._folder} holds {len(index.children)} images where one is expected")
        return index.children[0].digest

    def manifest(self, digest: str) -> Manifest:
        """Return a manifest."""
        found = self_described(self._read(self._path(digest)))
        if found.digest != digest:
            raise PushFailed(f"{self._path(digest)} does not hold what its name says")
        return found

    def open(self, digest: str, offset: int) -> Stream:
        """Stream a blob from an offset in bytes."""
        try:
            with self._path(digest).open("rb") as file:
                file.seek(offset)
                while chunk := file.read(CHUNK):
                    yield chunk
        except FileNotFoundError as error:
            raise _missing(self._path(digest)) from error

    def _path(self, digest: str) -> Path:
        return self._folder / "blobs" / digest.replace(":", "/")

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise _missing(path) from error


def _missing(path: Path) -> NotFound:
    return NotFound(f"{path} is missing", hint="build the image again")


def family(source: Source, digest: str) -> tuple[Manifest, ...]:
    """Return a manifest after everything that it refers to."""
    manifest = source.manifest(digest)
    children = [each for child in manifest.children for each in family(source, child.digest)]
    return (*children, manifest)
