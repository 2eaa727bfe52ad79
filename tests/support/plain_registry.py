"""A `Registry` on nothing but the distribution API, to run its contract with the client that ECR uses for layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.pusher import ImagePusher
from kaizen_tasks.adapters.oci.sources import RemoteSource, RepositorySource
from kaizen_tasks.adapters.oci.transport import StaticCredentials, repository_not_found
from kaizen_tasks.errors import PushFailed
from kaizen_tasks.ports.images import Registry, StoredManifest

if TYPE_CHECKING:
    from kaizen_tasks.adapters.oci.blobs import Stream
    from kaizen_tasks.domain.image import CopyStats, Image
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.images import Login


class PlainRegistry(Registry):
    """The repositories of one registry.

    Args:
        login: its URL and credentials.
        clock: for the pauses between attempts.
    """

    def __init__(self, login: Login, *, clock: Clock) -> None:
        self._login = login
        self._client = OciClient(StaticCredentials(login), clock=clock)
        self._pusher = ImagePusher(self._client)

    def find_image(self, repository: str, reference: str) -> Image | None:
        """Return the image that a tag or digest names, or None."""
        manifest = self._client.manifest(repository, reference)
        if manifest:
            return self._client.describe_image(repository, manifest)
        self._require_repository(repository)
        return None

    def find_digest(self, repository: str, reference: str) -> str:
        """Return the digest of the image that a tag names; empty without such a tag."""
        return self._client.resolve_digest(repository, reference)

    def copy(self, *, digest: str, source: str, target: str, tag: str, origin: Registry | None = None) -> CopyStats:
        """Copy an image into a repository under a tag, byte for byte."""
        if origin is None:
            return self._pusher.copy(digest=digest, source=source, target=target, tag=tag)
        return self._pusher.copy_from(RemoteSource(origin, source), digest=digest, target=target, tag=tag)

    def read_manifest(self, repository: str, digest: str) -> StoredManifest:
        """Return a manifest with its original bytes."""
        manifest = RepositorySource(self._client, repository).manifest(digest)
        return StoredManifest(content=manifest.content, media_type=manifest.media_type)

    def open_blob(self, repository: str, digest: str, offset: int = 0) -> Stream:
        """Stream a blob from an offset in bytes."""
        return self._client.blobs.open(repository, digest, offset)

    def move_tag(self, *, repository: str, tag: str, digest: str) -> bool:
        """Move a tag onto an image that the repository holds already; return False when it was there before."""
        if self._client.resolve_digest(repository, tag) == digest:
            return False
        manifest = self._client.manifest(repository, digest)
        if manifest is None:
            raise PushFailed(f"{self._client.repository_uri(repository)} does not hold {digest}")
        self._client.put_manifest(repository, tag, manifest)
        return True

    def repository_uri(self, repository: str) -> str:
        """Return the repository's full name: `host/repository`."""
        self._require_repository(repository)
        return self._client.repository_uri(repository)

    def credentials(self) -> Login:
        """Return the login."""
        return self._login

    def _require_repository(self, repository: str) -> None:
        response = self._client._transport.send("GET", f"/v2/{repository}/tags/list?n=1")
        response.drain()
        if response.status == 404:
            raise repository_not_found(repository)
