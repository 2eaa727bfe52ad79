"""A `Registry` on nothing but the distribution API, to run its contract with the client that ECR uses for layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.pusher import ImagePusher
from kaizen_tasks.adapters.oci.transport import StaticCredentials, repository_not_found
from kaizen_tasks.errors import PushFailed
from kaizen_tasks.ports.images import Registry

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import CopyStats, Image
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.types import Login


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

    def copy(self, *, digest: str, source: str, target: str, tag: str) -> CopyStats:
        """Copy an image into another repository under a tag, byte for byte."""
        return self._pusher.copy(digest=digest, source=source, target=target, tag=tag)

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
