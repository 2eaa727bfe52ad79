"""The ports of images: what builds them, and the registry that stores them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import BuildSpec, CopyStats, Image, LocalImage
    from kaizen_tasks.ports.types import Login


class Builder(Protocol):
    """Builds images on this machine and pushes them."""

    name: str

    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        """Return the image of this app, version and revision, or None when this machine does not have it."""

    @mutates("the image is built", needs_lock=False)
    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        """Build from an exported tree.

        Raises:
            BuildFailed: with the last lines of output in the message.
        """

    @mutates("the image is pushed")
    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        """Upload an image as `repository_uri:tag`.

        Args:
            image: what `build` or `find_image` returned.
            repository_uri: `host/repository`.
            tag: `v1.2.3`.
            login: the registry's credentials; they reach neither argv nor the user's own configuration.

        Raises:
            PushFailed: the registry did not accept it.
        """


class Registry(Protocol):
    """Image repositories."""

    def find_image(self, repository: str, reference: str) -> Image | None:
        """Return the image with a tag or digest, or None.

        Raises:
            NotFound: there is no such repository.
        """

    @mutates("the image is copied")
    def copy(self, *, digest: str, source: str, target: str, tag: str) -> CopyStats:
        """Copy an image into another repository under a tag, byte for byte.

        Raises:
            PushFailed: the target did not accept it, or has other bytes under the tag.
        """

    @mutates(":latest points at it")
    def move_tag(self, *, repository: str, tag: str, digest: str) -> bool:
        """Move a tag onto an image that the repository has already; return False when it was on it before.

        Raises:
            PushFailed: the repository did not accept it.
        """

    def repository_uri(self, repository: str) -> str:
        """Return the repository's full name: `host/repository`.

        Raises:
            NotFound: there is no such repository.
        """

    def credentials(self) -> Login:
        """Return credentials for the distribution API."""
