"""Bytes on disk by their digest, and the uploads on their way there."""

from __future__ import annotations

import hashlib
import threading
import uuid
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.registry.manifests import is_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK_BYTES = 1 << 18


class UploadError(Exception):
    """An upload cannot go on."""


class UnknownUploadError(UploadError):
    """No upload of that identifier is under way in the repository."""


class UploadOffsetError(UploadError):
    """A part does not begin where the last one ended."""


class DigestMismatchError(UploadError):
    """The bytes do not have the digest they were said to have."""


class Readable(Protocol):
    """Where bytes come from."""

    def read(self, size: int = -1, /) -> bytes | None:
        """Return at most `size` bytes; nothing at the end."""


class Upload:
    """Bytes that arrive, hashed as they do.

    Args:
        path: the file that receives them.
    """

    def __init__(self, path: Path) -> None:
        self.size = 0
        self._path = path
        self._hash = hashlib.sha256()
        self._lock = threading.Lock()
        path.touch(exist_ok=False)

    @property
    def digest(self) -> str:
        """Return the digest of what has arrived."""
        return f"sha256:{self._hash.hexdigest()}"

    def append(self, stream: Readable, *, offset: int | None = None) -> int:
        """Receive a stream to its end and return the size reached.

        Args:
            stream: where the bytes come from.
            offset: where the sender believes it is, in bytes.

        Raises:
            UploadOffsetError: the sender is elsewhere.
        """
        with self._lock, self._path.open("ab") as file:
            if offset not in (None, self.size):
                raise UploadOffsetError(f"{self.size} bytes have arrived, not {offset}")
            while chunk := stream.read(_CHUNK_BYTES):
                file.write(chunk)
                self._hash.update(chunk)
                self.size += len(chunk)
        return self.size

    def commit(self, digest: str, path: Path) -> None:
        """Move the bytes to their place.

        Raises:
            DigestMismatchError: they have another digest.
        """
        with self._lock:
            if self.digest != digest:
                raise DigestMismatchError(f"the bytes received have the digest {self.digest}")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._path.replace(path)

    def discard(self) -> None:
        """Forget the bytes."""
        self._path.unlink(missing_ok=True)


class BlobStore:
    """A folder of files named after the digest of their content.

    Args:
        root: the folder; uploads that an earlier process left there are removed.
    """

    def __init__(self, root: Path) -> None:
        self._blobs_folder = root / "blobs" / "sha256"
        self._uploads_folder = root / "uploads"
        self._uploads: dict[tuple[str, str], Upload] = {}
        self._uploads_folder.mkdir(parents=True, exist_ok=True)
        for stale_upload in self._uploads_folder.iterdir():
            stale_upload.unlink()

    def path(self, digest: str) -> Path:
        """Return where a blob's bytes are, whether they exist or not.

        Raises:
            ValueError: the text is not a sha256 digest.
        """
        if not is_digest(digest):
            raise ValueError(f"{digest!r} is not a sha256 digest")
        name = digest.removeprefix("sha256:")
        return self._blobs_folder / name[:2] / name

    def size(self, digest: str) -> int:
        """Return a blob's size in bytes."""
        return self.path(digest).stat().st_size

    def write(self, digest: str, content: bytes) -> None:
        """Keep bytes that are known to have this digest."""
        write_atomically(self.path(digest), content)

    def remove(self, digest: str) -> None:
        """Forget a blob; who is reading it reads on."""
        self.path(digest).unlink(missing_ok=True)

    def start_upload(self, repository: str) -> str:
        """Open an upload session and return its identifier."""
        upload_id = str(uuid.uuid4())
        self._uploads[repository, upload_id] = Upload(self._uploads_folder / upload_id)
        return upload_id

    def get_upload(self, repository: str, upload_id: str) -> Upload:
        """Return an upload that is under way.

        Raises:
            UnknownUploadError: there is none.
        """
        try:
            return self._uploads[repository, upload_id]
        except KeyError:
            raise UnknownUploadError(f"no upload {upload_id} is under way") from None

    def finish_upload(self, repository: str, upload_id: str, digest: str) -> None:
        """Keep what an upload has received; the session ends either way.

        Raises:
            DigestMismatchError: the bytes have another digest.
            UnknownUploadError: there is no such session.
        """
        upload = self.get_upload(repository, upload_id)
        try:
            upload.commit(digest, self.path(digest))
        finally:
            self.cancel_upload(repository, upload_id)

    def cancel_upload(self, repository: str, upload_id: str) -> None:
        """End an upload session without keeping anything."""
        self.get_upload(repository, upload_id).discard()
        self._uploads.pop((repository, upload_id), None)


def read_range(path: Path, start: int, length: int) -> Iterator[bytes]:
    """Stream a part of a file.

    Args:
        path: the file.
        start: the first byte.
        length: how many bytes.
    """
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(length, _CHUNK_BYTES))):
            length -= len(chunk)
            yield chunk
