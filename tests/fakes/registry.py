"""A registry that keeps its repositories in memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from attrs import define, field, frozen

from kaizen_tasks.domain.image import CopyStats, Image
from kaizen_tasks.errors import KaizenError, NotFound, PushFailed
from kaizen_tasks.ports.images import Login, Registry, StoredManifest
from kaizen_tasks.ports.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Generator

HOST = "registry.example"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@frozen
class Repository:
    """What one repository holds.

    Attributes:
        images: by digest.
        tags: digest by tag.
        children: of an index, by its digest.
    """

    images: dict[str, Image] = field(factory=dict)
    tags: dict[str, str] = field(factory=dict)
    children: dict[str, tuple[Image, ...]] = field(factory=dict)


@define
class FakeRegistry(Registry):
    """Images without layers; safe to use from several threads.

    Attributes:
        repositories: by name.
        failures: raised instead of the next change of a repository, by its name, once.
        calls: every change that was asked for: `copy prod:v1.2.3`, `point prod:latest`.
        host: the first part of the names of its repositories.
    """

    repositories: dict[str, Repository] = field(factory=dict)
    failures: dict[str, KaizenError] = field(factory=dict)
    calls: list[str] = field(factory=list)
    host: str = HOST
    _guard: threading.RLock = field(factory=threading.RLock, repr=False)

    def create(self, *names: str) -> None:
        """Create repositories."""
        for name in names:
            self.repositories[name] = Repository()

    def put(self, repository: str, tag: str, image: Image, *children: Image) -> None:
        """Push an image, or an index and its children, replacing the tag."""
        content = self._repository(repository)
        content.images.update({item.digest: item for item in (*children, image)})
        content.children[image.digest] = children
        content.tags[tag] = image.digest

    def find_image(self, repository: str, reference: str) -> Image | None:
        content = self._repository(repository)
        return content.images.get(content.tags.get(reference, reference))

    def find_digest(self, repository: str, reference: str) -> str:
        content = self.repositories.get(repository)
        return content.tags.get(reference, "") if content else ""

    def copy(self, *, digest: str, source: str, target: str, tag: str, origin: Registry | None = None) -> CopyStats:
        with self._guard:
            self._record_call("copy", target, tag)
            content = cast("FakeRegistry", origin or self)._repository(source)
            image = content.images.get(digest)
            if image is None:
                raise NotFound(f"{source} does not hold {digest}")
            tagged_digest = self._repository(target).tags.get(tag, digest)
            if tagged_digest != digest:
                raise PushFailed(f"{target}:{tag} is a different image: {tagged_digest}")
            is_new = digest not in self._repository(target).images
            self.put(target, tag, image, *content.children.get(digest, ()))
            is_mounted = origin is None or origin.credentials().host == self.host
            return CopyStats(
                digest=digest, blobs_mounted=int(is_new and is_mounted), blobs_uploaded=int(is_new and not is_mounted)
            )

    def read_manifest(self, repository: str, digest: str) -> StoredManifest:
        if digest not in self._repository(repository).images:
            raise NotFound(f"{repository} does not hold {digest}")
        return StoredManifest(content=digest.encode(), media_type=OCI_MANIFEST)

    def open_blob(self, repository: str, digest: str, offset: int = 0) -> Generator[bytes, None, None]:
        raise NotFound(f"{repository} does not hold {digest}: a fake has no layers")

    def move_tag(self, *, repository: str, tag: str, digest: str) -> bool:
        with self._guard:
            self._record_call("point", repository, tag)
            if digest not in self._repository(repository).images:
                raise PushFailed(f"{repository} does not hold {digest}")
            tags = self._repository(repository).tags
            has_moved = tags.get(tag) != digest
            tags[tag] = digest
            return has_moved

    def repository_uri(self, repository: str) -> str:
        self._repository(repository)
        return f"{self.host}/{repository}"

    def credentials(self) -> Login:
        return Login(url=f"https://{self.host}", username="AWS", password=Secret("let-me-in"))

    def _record_call(self, verb: str, repository: str, tag: str) -> None:
        self.calls.append(f"{verb} {repository}:{tag}")
        if repository in self.failures:
            raise self.failures.pop(repository)

    def _repository(self, name: str) -> Repository:
        if name not in self.repositories:
            raise NotFound(f"there is no image repository {name}", hint="create it")
        return self.repositories[name]
