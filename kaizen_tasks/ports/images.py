"""Where images are made, and where they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.domain.release import BuildSpec, CopyStats, Image, LocalImage
    from kaizen_tasks.ports.types import Login


class Builder(Protocol):
    """Something that makes images."""

    name: str

    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        """Return the image of this app, version and revision when this machine has it."""
        ...

    @mutates("the image is built", needs_lock=False)
    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        """Build from an exported tree.

        Raises:
            BuildFailed: it did not work; the last lines of output are in the message.
        """
        ...

    @mutates("the image is pushed")
    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        """Upload an image as `address:tag`.

        Args:
            image: what `build` or `find` returned.
            repository_uri: `host/repository`.
            tag: `v1.2.3`.
            login: the registry's credentials; they reach neither argv nor the user's own configuration.

        Raises:
            PushFailed: the registry did not take it.
        """
        ...


class Registry(Protocol):
    """Image repositories."""

    def find_image(self, repository: str, reference: str) -> Image | None:
        """Return what a tag or digest names, or None.

        Raises:
            NotFound: there is no such repository.
        """
        ...

    @mutates("the image is copied")
    def copy(self, *, digest: str, source: str, target: str, tag: str) -> CopyStats:
        """Bring an image into another repository under a tag, byte for byte.

        Raises:
            PushFailed: the target did not take it, or the tag holds other bytes there.
        """
        ...

    @mutates(":latest points at it")
    def move_tag(self, *, repository: str, tag: str, digest: str) -> bool:
        """Move a tag onto an image that the repository holds already; return False when it was there before.

        Raises:
            PushFailed: the repository did not take it.
        """
        ...

    def repository_uri(self, repository: str) -> str:
        """Return the repository's full name: `host/repository`.

        Raises:
            NotFound: there is no such repository.
        """
        ...

    def credentials(self) -> Login:
        """Return credentials for the distribution API."""
        ...
