"""A plain registry, reached with one login: everything goes through the distribution API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.pusher import Carrier
from kaizen_tasks.adapters.oci.transport import Given, no_repository
from kaizen_tasks.errors import PushFailed
from kaizen_tasks.ports.images import Registry

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Copied, Image
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.types import Login


class OciRegistry(Registry):
    """Image repositories of a registry that has no other interface.

    Args:
        login: where it is, and the credentials.
        clock: waits before a failed request is repeated.
    """

    def __init__(self, login: Login, *, clock: Clock) -> None:
        self._login = login
        self._client = OciClient(Given(login), clock=clock)
        self._carrier = Carrier(self._client)

    def image(self, repository: str, reference: str) -> Image | None:
        """Return what a tag or digest names, or None."""
        manifest = self._client.manifest(repository, reference)
        if manifest:
            return self._client.image(repository, manifest)
        self._demand(repository)
        return None

    def copy(self, *, digest: str, source: str, target: str, tag: str) -> Copied:
        """Bring an image into another repository under a tag, byte for byte."""
        return self._carrier.copy(digest=digest, source=source, target=target, tag=tag)

    def point(self, *, repository: str, tag: str, digest: str) -> bool:
        """Move a tag onto an image that the repository holds already; return False when it was there before."""
        if self._client.head(repository, tag) == digest:
            return False
        manifest = self._client.manifest(repository, digest)
        if manifest is None:
            raise PushFailed(f"{self._client.address(repository)} does not hold {digest}")
        self._client.put(repository, tag, manifest)
        return True

    def address(self, repository: str) -> str:
        """Return the repository's full name: `host/repository`."""
        self._demand(repository)
        return self._client.address(repository)

    def login(self) -> Login:
        """Return the credentials that were given."""
        return self._login

    def _demand(self, repository: str) -> None:
        if not self._client.exists(repository):
            raise no_repository(repository)
