"""The registry's content in one folder: repositories with their images and tags, and the blobs they share."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.atomic_write import remove_temporary_files, write_atomically
from kaizen_tasks.localcloud.registry.blobs import BlobStore
from kaizen_tasks.localcloud.registry.manifests import MAX_INDEX_DEPTH, RawManifest, parse_references
from kaizen_tasks.localcloud.registry.registry_errors import (
    ImageExistsError,
    ImageReferencedError,
    InvalidTagError,
    ManifestError,
    MissingChildrenError,
    MissingLayersError,
    RepositoryExistsError,
    TagProtectedError,
    UnknownImageError,
    UnknownRepositoryError,
)
from kaizen_tasks.localcloud.registry.repositories import ImageRecord, ImageRepository
from kaizen_tasks.localcloud.state.damaged import load_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kaizen_tasks.localcloud.registry.manifests import References

BLOB_MOUNTING = "BLOB_MOUNTING"
"""The account setting that allows to mount blobs of other repositories; off in a new account of AWS."""

_DEFAULT_SETTINGS = {
    "BASIC_SCAN_TYPE_VERSION": "AWS_NATIVE",
    "REGISTRY_POLICY_SCOPE": "V2",
    BLOB_MOUNTING: "DISABLED",
}
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class ImageStore:
    """All repositories, their blobs and the account's settings.

    Readers get immutable values. Writers run one at a time, and write to the disk first.

    Args:
        root: the folder, whose content is loaded.
    """

    def __init__(self, root: Path) -> None:
        self.blobs = BlobStore(root)
        self._folder = root / "repositories"
        self._settings_file = root / "settings.json"
        self._lock = threading.RLock()
        self._listeners: list[Callable[[str, str, str], None]] = []
        self._repositories = {repository.name: repository for repository in self._load()}
        self._settings = _DEFAULT_SETTINGS | self._load_settings()

    def _load(self) -> Iterable[ImageRepository]:
        remove_temporary_files(self._folder)
        return (load_state(path, ImageRepository.from_json) for path in self._folder.glob("[!.]*.json"))

    def on_tag_moved(self, listener: Callable[[str, str, str], None]) -> None:
        """Call `listener(repository, tag, digest)` whenever a tag has been created or moved."""
        self._listeners.append(listener)

    def resolve(self, repository: str, reference: str) -> str | None:
        """Return the digest that a tag or digest refers to; None if it or the repository does not exist."""
        image_repository = self._repositories.get(repository)
        return image_repository.resolve(reference) if image_repository else None

    def manifest(self, repository: str, digest: str) -> RawManifest:
        """Read a manifest.

        Raises:
            UnknownRepositoryError: the repository does not exist.
            UnknownImageError: it has no such manifest, or has it no longer.
        """
        try:
            image = self.repository(repository).images[digest]
            content = self.blobs.path(digest).read_bytes()
        except (KeyError, FileNotFoundError):
            raise UnknownImageError(f"no manifest {digest} in {repository}") from None
        return RawManifest(content=content, media_type=image.media_type, digest=digest)

    def repository(self, name: str) -> ImageRepository:
        """Return a repository.

        Raises:
            UnknownRepositoryError: it does not exist.
        """
        try:
            return self._repositories[name]
        except KeyError:
            raise UnknownRepositoryError(f"The repository with name '{name}' does not exist") from None

    def repositories(self) -> list[ImageRepository]:
        """Return all repositories, sorted by name."""
        return sorted(self._repositories.copy().values(), key=lambda repository: repository.name)

    def create_repository(self, repository: ImageRepository) -> None:
        """Add a repository.

        Raises:
            RepositoryExistsError: its name is in use.
        """
        with self._lock:
            if repository.name in self._repositories:
                raise RepositoryExistsError(f"The repository with name '{repository.name}' already exists")
            self._save(repository)

    def update_repository(self, name: str, update: Callable[[ImageRepository], ImageRepository]) -> ImageRepository:
        """Replace a repository by `update(repository)`, and return the new one.

        Raises:
            UnknownRepositoryError: it does not exist.
        """
        with self._lock:
            return self._save(update(self.repository(name)))

    def delete_repository(self, name: str) -> ImageRepository:
        """Delete a repository with its content, and return it.

        Raises:
            UnknownRepositoryError: it does not exist.
        """
        with self._lock:
            repository = self.repository(name)
            self._path(name).unlink()
            del self._repositories[name]
            self._remove_unreferenced_blobs(repository)
        return repository

    def put_image(self, name: str, manifest: RawManifest, tag: str | None = None) -> None:
        """Store a manifest and point a tag at it.

        Raises:
            InvalidTagError: the text is not a valid tag.
            UnknownRepositoryError: the repository does not exist.
            ImageExistsError: the image and its tag exist already.
            TagProtectedError: the tag is immutable.
            MissingLayersError: the repository lacks blobs of the manifest.
            MissingChildrenError: the repository lacks manifests of the index.
            ManifestError: the bytes are not a valid manifest.
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
        for listener in self._listeners if tag else ():
            listener(name, str(tag), manifest.digest)

    def untag(self, name: str, tag: str) -> None:
        """Delete a tag."""
        with self._lock:
            self._save(self.repository(name).without_tag(tag))

    def delete_image(self, name: str, digest: str) -> None:
        """Delete an image, its tags, and the blobs that no other image refers to.

        Raises:
            ImageReferencedError: an index lists the image.
        """
        with self._lock:
            repository = self.repository(name)
            if parent := repository.parent_of(digest):
                raise ImageReferencedError(f"Requested image referenced by manifest list: [{parent}]")
            self._save(repository.without_image(digest))
            self._remove_unreferenced_blobs(repository)

    def add_layer(self, name: str, upload_id: str, digest: str) -> None:
        """Finish an upload as a blob of the repository.

        Raises:
            UnknownUploadError: there is no such upload.
            DigestMismatchError: the bytes have another digest.
        """
        with self._lock:
            repository = self.repository(name)
            self.blobs.finish_upload(name, upload_id, digest)
            self._save(repository.with_layer(digest))

    def mount_blob(self, name: str, digest: str, *, source: str) -> bool:
        """Add a blob of another repository without copying it; return whether that was possible.

        ECR mounts blobs only if the account setting allows it, between repositories with the same encryption, and only
        blobs that a manifest of the source refers to.
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
        """Return an account setting; None if there is none of that name."""
        return self._settings.get(name)

    def put_setting(self, name: str, value: str) -> None:
        """Change an account setting."""
        with self._lock:
            settings = self._settings | {name: value}
            write_atomically(self._settings_file, json.dumps(settings).encode())
            self._settings = settings

    def _load_settings(self) -> dict[str, str]:
        return load_state(self._settings_file, _parse_settings) if self._settings_file.exists() else {}

    def _save(self, repository: ImageRepository) -> ImageRepository:
        write_atomically(self._path(repository.name), repository.to_json())
        self._repositories[repository.name] = repository
        return repository

    def _path(self, name: str) -> Path:
        # A repository's name may be longer than a file's name, so a digest keeps the shortened names apart.
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self._folder / f"{name.replace('/', '.')[:80]}-{digest[:16]}.json"

    def _remove_unreferenced_blobs(self, old_repository: ImageRepository) -> None:
        """Delete the blobs of an old repository that no repository has any more."""
        referenced_digests = {
            digest for repository in self._repositories.values() for digest in _blob_digests(repository)
        }
        for digest in _blob_digests(old_repository) - referenced_digests:
            self.blobs.remove(digest)


def _parse_settings(content: bytes) -> dict[str, str]:
    return dict(json.loads(content))


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
    if repository.index_depth(manifest_references.children) > MAX_INDEX_DEPTH:
        raise ManifestError(f"More than {MAX_INDEX_DEPTH} indexes contain one another")


def _image_record(repository: ImageRepository, manifest: RawManifest, manifest_references: References) -> ImageRecord:
    children = (repository.images[child].size for child in manifest_references.children)
    now = round(time.time(), 3)
    return ImageRecord(
        digest=manifest.digest,
        media_type=manifest.media_type,
        pushed_at=now,
        scanned_at=now if repository.scan_on_push else None,
        size=max(children, default=manifest_references.size),
        artifact_type=manifest_references.artifact_type,
        subject=manifest_references.subject,
        blobs=manifest_references.blobs,
        children=manifest_references.children,
    )
