"""Blobs on disk, named by digest, and the uploads in progress."""

from __future__ import annotations

import hashlib
import threading
import uuid
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.localcloud.atomic_write import remove_temporary_files, write_atomically
from kaizen_tasks.localcloud.registry.manifests import ALGORITHMS, SHA256, algorithm_of, is_digest
from kaizen_tasks.localcloud.registry.registry_errors import DigestMismatchError, UnknownUploadError, UploadOffsetError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK_BYTES = 1 << 18


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int = -1, /) -> bytes | None:
        """Return at most `size` bytes; `b""` at the end."""


class Upload:
    """An upload in progress, hashed with sha256 as the bytes arrive.

    Args:
        path: the file that receives the bytes.
    """

    def __init__(self, path: Path) -> None:
        self.size = 0
        self._path = path
        self._hash = hashlib.sha256()
        self._lock = threading.Lock()
        path.touch(exist_ok=False)

    def append(self, stream: Readable, *, offset: int | None = None) -> int:
        """Append a stream and return the total size in bytes.

        Args:
            stream: the next bytes.
            offset: bytes that the sender has sent before; None to skip the check.

        Raises:
            UploadOffsetError: another number of bytes has been received.
        """
        with self._lock, self._path.open("rb+", buffering=0) as file:
            if offset not in (None, self.size):
                raise UploadOffsetError(f"{self.size} bytes have arrived, not {offset}")
            file.seek(self.size)
            try:
                while chunk := stream.read(_CHUNK_BYTES):
                    _write_all(file, chunk)
                    self._hash.update(chunk)
                    self.size += len(chunk)
            finally:
                file.truncate(self.size)  # a full disk may leave a part of a chunk
        return self.size

    def commit(self, digest: str, path: Path) -> None:
        """Move the bytes to their final path.

        Raises:
            DigestMismatchError: the bytes have another digest.
        """
        with self._lock:
            received_digest = self._digest(algorithm_of(digest))
            if received_digest != digest:
                raise DigestMismatchError(f"the bytes received have the digest {received_digest}")
            path.parent.mkdir(exist_ok=True)
            self._path.replace(path)

    def _digest(self, algorithm: str) -> str:
        if algorithm == SHA256:
            return f"{SHA256}:{self._hash.hexdigest()}"
        with self._path.open("rb") as file:
            return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"

    def discard(self) -> None:
        """Delete the bytes."""
        self._path.unlink(missing_ok=True)


class BlobStore:
    """A folder of files named by the digest of their content.

    Args:
        root: the folder; unfinished uploads of an earlier process are deleted.
    """

    def __init__(self, root: Path) -> None:
        self._blobs_folder = root / "blobs"
        self._uploads_folder = root / "uploads"
        self._uploads: dict[tuple[str, str], Upload] = {}
        self._uploads_folder.mkdir(parents=True, exist_ok=True)
        for algorithm in ALGORITHMS:
            (self._blobs_folder / algorithm).mkdir(parents=True, exist_ok=True)
        for stale_upload in self._uploads_folder.iterdir():
            stale_upload.unlink()
        for folder in self._blobs_folder.glob("*/*"):
            remove_temporary_files(folder)

    def path(self, digest: str) -> Path:
        """Return the path of a blob, which need not exist.

        Raises:
            ValueError: the text is not a digest.
        """
        if not is_digest(digest):
            raise ValueError(f"{digest!r} is not a digest")
        algorithm, _, name = digest.partition(":")
        return self._blobs_folder / algorithm / name[:2] / name

    def size(self, digest: str) -> int:
        """Return a blob's size in bytes."""
        return self.path(digest).stat().st_size

    def write(self, digest: str, content: bytes) -> None:
        """Store bytes that have this digest."""
        write_atomically(self.path(digest), content)

    def remove(self, digest: str) -> None:
        """Delete a blob; open files remain readable."""
        self.path(digest).unlink(missing_ok=True)

    def start_upload(self, repository: str) -> str:
        """Start an upload session and return its identifier."""
        upload_id = str(uuid.uuid4())
        self._uploads[repository, upload_id] = Upload(self._uploads_folder / upload_id)
        return upload_id

    def get_upload(self, repository: str, upload_id: str) -> Upload:
        """Return an upload in progress.

        Raises:
            UnknownUploadError: there is no such session.
        """
        try:
            return self._uploads[repository, upload_id]
        except KeyError:
            raise UnknownUploadError(f"there is no upload {upload_id}") from None

    def finish_upload(self, repository: str, upload_id: str, digest: str) -> None:
        """Store what an upload has received, and end the session even if that fails.

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
        """End an upload session and delete its bytes."""
        self.get_upload(repository, upload_id).discard()
        self._uploads.pop((repository, upload_id), None)


def _write_all(file: io.FileIO, content: bytes) -> None:
    remaining = memoryview(content)
    while remaining:
        remaining = remaining[file.write(remaining) :]


def read_range(path: Path, start: int, length: int) -> Iterator[bytes]:
    """Yield `length` bytes of a file from the byte `start` on, in chunks."""
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(length, _CHUNK_BYTES))):
            length -= len(chunk)
            yield chunk
