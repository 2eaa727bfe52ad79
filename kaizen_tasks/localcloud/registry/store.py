"""The registry's content: repositories, their images and tags, and the blobs they share, in one folder."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.registry.blobs import BlobStore
from kaizen_tasks.localcloud.registry.manifests import RawManifest, parse_references
from kaizen_tasks.localcloud.registry.repositories import ImageRecord, ImageRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kaizen_tasks.localcloud.registry.manifests import References

__all__ = ["ImageStore", "RawManifest"]

# The only account setting that the registry itself obeys; AWS has it off for a new account.
BLOB_MOUNTING = "BLOB_MOUNTING"
_DEFAULT_SETTINGS = {
    "BASIC_SCAN_TYPE_VERSION": "AWS_NATIVE",
    "REGISTRY_POLICY_SCOPE": "V2",
    BLOB_MOUNTING: "DISABLED",
}
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class StoreError(Exception):
    """The store refuses; nothing has changed."""


class UnknownRepositoryError(StoreError):
    """There is no such repository."""


class RepositoryExistsError(StoreError):
    """There is such a repository already."""


class InvalidTagError(StoreError):
    """The text cannot be a tag."""


class ImageExistsError(StoreError):
    """The image is there, and its tag points at it."""


class TagProtectedError(StoreError):
    """The tag points elsewhere and may not be moved."""


class MissingLayersError(StoreError):
    """The repository lacks blobs that a manifest refers to."""


class MissingChildrenError(StoreError):
    """The repository lacks manifests that an index lists."""


class ImageStore:
    """Everything the registry keeps.

    Readers get immutable values; writers go one at a time, to the disk first.

    Args:
        root: the folder; what is there is read when the store is made.
    """

    def __init__(self, root: Path) -> None:
        self.blobs = BlobStore(root)
        self._folder = root / "repositories"
        self._settings_file = root / "settings.json"
        self._lock = threading.RLock()
        self._listeners: list[Callable[[str, str, str], None]] = []
        self._repositories = {repository.name: repository for repository in self._load()}

    def _load(self) -> Iterable[ImageRepository]:
        return (ImageRepository.from_json(path.read_bytes()) for path in self._folder.glob("[!.]*.json"))

    def on_tag_moved(self, listener: Callable[[str, str, str], None]) -> None:
        """Call `listener(repository, tag, digest)` after every tag that was made or moved."""
        self._listeners.append(listener)

    def resolve(self, repository: str, reference: str) -> str | None:
        """Return the digest that a tag or digest names, if the repository is there and has it."""
        image_repository = self._repositories.get(repository)
        return image_repository.resolve(reference) if image_repository else None

    def manifest(self, repository: str, digest: str) -> RawManifest:
        """Read a manifest.

        Raises:
            UnknownRepositoryError: there is no such repository.
            KeyError: it does not have the manifest.
        """
        image = self.repository(repository).images[digest]
        content = self.blob_path(digest).read_bytes()
        return RawManifest(content=content, media_type=image.media_type, digest=digest)

    def blob_path(self, digest: str) -> Path:
        """Return where a blob's bytes are, whether they exist or not."""
        return self.blobs.path(digest)

    def repository(self, name: str) -> ImageRepository:
        """Return what is known of a repository.

        Raises:
            UnknownRepositoryError: there is none of that name.
        """
        try:
            return self._repositories[name]
        except KeyError:
            raise UnknownRepositoryError(f"The repository with name '{name}' does not exist") from None

    def repositories(self) -> list[ImageRepository]:
        """Return all repositories in the order of their names."""
        return sorted(self._repositories.copy().values(), key=lambda repository: repository.name)

    def create_repository(self, repository: ImageRepository) -> None:
        """Add a repository.

        Raises:
            RepositoryExistsError: its name is taken.
        """
        with self._lock:
            if repository.name in self._repositories:
                raise RepositoryExistsError(f"The repository with name '{repository.name}' already exists")
            self._save(repository)

    def update_repository(self, name: str, update: Callable[[ImageRepository], ImageRepository]) -> ImageRepository:
        """Put a changed repository in the place of what it is now, and return it.

        Raises:
            UnknownRepositoryError: there is none of that name.
        """
        with self._lock:
            return self._save(update(self.repository(name)))

    def delete_repository(self, name: str) -> ImageRepository:
        """Remove a repository with all it holds, and return what it was.

        Raises:
            UnknownRepositoryError: there is none of that name.
        """
        with self._lock:
            repository = self.repository(name)
            self._path(name).unlink()
            del self._repositories[name]
            self._remove_unreferenced_blobs(repository)
        return repository

    def put_image(self, name: str, manifest: RawManifest, tag: str | None = None) -> None:
        """Keep a manifest and point a tag at it.

        Raises:
            InvalidTagError: the text cannot be a tag.
            UnknownRepositoryError: there is no such repository.
            ImageExistsError: there is nothing to do.
            TagProtectedError: the tag may not be moved.
            MissingLayersError: blobs must be uploaded first.
            MissingChildrenError: other manifests must be put first.
            ManifestError: the bytes are no manifest.
        """
        if tag is not None and not _TAG.fullmatch(tag):
            raise InvalidTagError(f"'{tag}' cannot be a tag")
        manifest_references = parse_references(manifest)
        with self._lock:
            repository = self.repository(name)
            _check_tag(repository, manifest.digest, tag)
            _check_references(repository, manifest_references)
            self.blobs.write(manifest.digest, manifest.content)
            self._save(repository.with_image(_image_record(repository, manifest, manifest_references), tag))
        if tag:
            self._notify_tag_moved(name, tag, manifest.digest)

    def untag(self, name: str, tag: str) -> None:
        """Remove a tag."""
        with self._lock:
            self._save(self.repository(name).without_tag(tag))

    def delete_image(self, name: str, digest: str) -> None:
        """Remove an image, its tags, and the blobs that nothing else refers to."""
        with self._lock:
            repository = self.repository(name)
            self._save(repository.without_image(digest))
            self._remove_unreferenced_blobs(repository)

    def add_layer(self, name: str, upload_id: str, digest: str) -> None:
        """Finish an upload as a blob of the repository.

        Raises:
            UploadError: there is no such upload, or it has another digest.
        """
        with self._lock:
            repository = self.repository(name)
            self.blobs.finish_upload(name, upload_id, digest)
            self._save(repository.with_layer(digest))

    def mount_blob(self, name: str, digest: str, *, source: str) -> bool:
        """Make another repository's blob one of this repository's, without moving a byte.

        ECR mounts only where the account asks for it, between repositories that are encrypted alike, and
        only blobs that a manifest in the source refers to.
        """
        with self._lock:
            target, origin = self.repository(name), self._repositories.get(source)
            if origin is None or self.get_setting(BLOB_MOUNTING) != "ENABLED":
                return False
            if origin.encryption != target.encryption or not origin.references(digest):
                return False
            self._save(target.with_layer(digest))
            return True

    def get_setting(self, name: str) -> str | None:
        """Return an account setting; None where AWS knows none of that name."""
        return self._all_settings().get(name)

    def put_setting(self, name: str, value: str) -> None:
        """Change an account setting."""
        with self._lock:
            content = json.dumps(self._all_settings() | {name: value})
            write_atomically(self._settings_file, content.encode())

    def _all_settings(self) -> dict[str, str]:
        saved_settings = json.loads(self._settings_file.read_bytes()) if self._settings_file.exists() else {}
        return _DEFAULT_SETTINGS | saved_settings

    def _save(self, repository: ImageRepository) -> ImageRepository:
        write_atomically(self._path(repository.name), repository.to_json())
        self._repositories[repository.name] = repository
        return repository

    def _path(self, name: str) -> Path:
        # The digest tells names apart, the rest is for people: a name may be longer than a file's name.
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self._folder / f"{name.replace('/', '.')[:80]}-{digest[:16]}.json"

    def _remove_unreferenced_blobs(self, old_repository: ImageRepository) -> None:
        """Remove the files that a repository held and none holds any more."""
        referenced_digests = {
            digest for repository in self._repositories.values() for digest in _blob_digests(repository)
        }
        for digest in _blob_digests(old_repository) - referenced_digests:
            self.blobs.remove(digest)

    def _notify_tag_moved(self, repository: str, tag: str, digest: str) -> None:
        for listener in self._listeners:
            listener(repository, tag, digest)


def _blob_digests(repository: ImageRepository) -> frozenset[str]:
    return repository.layers | repository.images.keys()


def _check_tag(repository: ImageRepository, digest: str, tag: str | None) -> None:
    suffix = f"already exists in the repository with name '{repository.name}'"
    if tag is None:
        if digest in repository.images:
            raise ImageExistsError(f"Image with digest '{digest}' {suffix}")
        return
    current = repository.tags.get(tag)
    if current == digest:
        raise ImageExistsError(f"Image with digest '{digest}' and tag '{tag}' {suffix}")
    if current and repository.protects(tag):
        raise TagProtectedError(
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be "
            "overwritten because the tag is immutable."
        )


def _check_references(repository: ImageRepository, manifest_references: References) -> None:
    suffix = f"required for pushing image into repository with name '{repository.name}' do not exist"
    if missing := [blob for blob in manifest_references.blobs if blob not in repository.layers]:
        raise MissingLayersError(f"Layers with digests '{missing}' {suffix}")
    if missing := [child for child in manifest_references.children if child not in repository.images]:
        raise MissingChildrenError(f"Images with digests '{missing}' {suffix}")


def _image_record(repository: ImageRepository, manifest: RawManifest, manifest_references: References) -> ImageRecord:
    children = (repository.images[child].size for child in manifest_references.children)
    return ImageRecord(
        digest=manifest.digest,
        media_type=manifest.media_type,
        pushed_at=round(time.time(), 3),
        size=max(children, default=manifest_references.size),
        artifact_type=manifest_references.artifact_type,
        subject=manifest_references.subject,
        blobs=manifest_references.blobs,
        children=manifest_references.children,
    )
