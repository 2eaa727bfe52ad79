"""The ports of images: what builds them, and the registry that stores them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from attrs import field, frozen

from kaizen_tasks.domain.git.remote_url import is_loopback
from kaizen_tasks.ports.effects import mutates
from kaizen_tasks.ports.secrets import Secret

if TYPE_CHECKING:
    from kaizen_tasks.domain.image import BuildSpec, CopyStats, Image, LocalImage


@frozen(kw_only=True)
class Login:
    """Address and credentials of a registry that speaks the OCI distribution API.

    Attributes:
        url: scheme, host and port: `https://123456789012.dkr.ecr.eu-west-1.amazonaws.com`.
        username: user name for HTTP Basic authentication.
        password: password for HTTP Basic authentication.
    """

    url: str
    username: str
    password: Secret

    @property
    def host(self) -> str:
        """Host and port: the beginning of an image reference."""
        return self.url.partition("://")[2]

    @property
    def insecure(self) -> bool:
        """Whether the registry speaks HTTP without TLS."""
        return self.url.startswith("http://")

    @property
    def is_local(self) -> bool:
        """Whether the registry is on this machine, as that of a local cloud."""
        return is_loopback(urlsplit(self.url).hostname or "")


@frozen(kw_only=True)
class StoredManifest:
    """A manifest or an index, byte for byte as a registry stores it.

    Attributes:
        content: the bytes, of which the digest is made.
        media_type: `application/vnd.oci.image.manifest.v1+json` and the like.
    """

    content: bytes = field(repr=False)
    media_type: str


class Builder(Protocol):
    """Builds images on this machine and pushes them."""

    name: str

    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        """Return the image of the spec's app, version and revision, or None when this machine lacks it."""

    @mutates("the image is built", needs_lock=False)
    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        """Build an image from an exported tree, and return it.

        Raises:
            BuildFailed: the build failed; the message has the last lines of output.
        """

    @mutates("the image is pushed")
    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        """Upload an image as `repository_uri:tag`.

        Args:
            image: what `build` or `find_image` returned.
            repository_uri: `host/repository`.
            tag: the tag: `v1.2.3`.
            login: the registry's credentials, which must appear neither in argv nor in the user's configuration.

        Raises:
            PushFailed: the registry did not accept the image.
        """


class Registry(Protocol):
    """A registry: repositories of images."""

    def find_image(self, repository: str, reference: str) -> Image | None:
        """Return the image that a tag or digest names, or None.

        Raises:
            NotFound: there is no such repository.
        """

    def find_digest(self, repository: str, reference: str) -> str:
        """Return the digest of the image that a tag names; empty if there is no such tag or repository."""

    @mutates("the image is copied")
    def copy(self, *, digest: str, source: str, target: str, tag: str, origin: Registry | None = None) -> CopyStats:
        """Copy an image unchanged into a repository, tag the copy, and return what was transferred.

        Args:
            digest: the image.
            source: the repository that has it.
            target: the repository of this registry that receives it.
            tag: the tag of the copy.
            origin: the registry of `source`, from which the layers come through this machine; None is this registry.

        Raises:
            NotFound: the source lacks the image, or there is no such target.
            PushFailed: the target did not accept the image, or its tag is on a different image.
        """

    @mutates("the tag that the service follows points at it")
    def move_tag(self, *, repository: str, tag: str, digest: str) -> bool:
        """Point a tag at an image of the repository; return False when the tag points at that image already.

        Raises:
            PushFailed: the repository lacks the image, or did not accept the change.
        """

    def read_manifest(self, repository: str, digest: str) -> StoredManifest:
        """Return a manifest or an index with its original bytes.

        Raises:
            NotFound: the repository does not hold it.
        """

    def open_blob(self, repository: str, digest: str, offset: int = 0) -> Generator[bytes, None, None]:
        """Stream a configuration or a layer from an offset in bytes; whoever reads it verifies the digest.

        Raises:
            NotFound: the repository does not hold it.
        """

    def repository_uri(self, repository: str) -> str:
        """Return the repository's full name: `host/repository`.

        Raises:
            NotFound: there is no such repository.
        """

    def credentials(self) -> Login:
        """Return credentials for the distribution API."""
