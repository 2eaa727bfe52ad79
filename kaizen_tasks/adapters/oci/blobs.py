"""Checks, downloads, mounts and uploads blobs of a registry; uploads resume after a broken connection.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing

from kaizen_tasks.adapters.oci.manifest import Descriptor
from kaizen_tasks.adapters.oci.pool import PooledResponse
from kaizen_tasks.adapters.oci.transport import MAX_ATTEMPTS, Transport
from kaizen_tasks.adapters.oci.verify import DigestVerifier
from kaizen_tasks.errors import NotFound, PushFailed, Unreachable

Stream = Generator[bytes, None, None]
Opener = Callable[[int], Stream]

UPLOAD_OK_STATUSES = (200, 201, 202, 204)  # 202 in the specification, 201 from ECR


class BlobClient:
    """The blobs of one registry. Safe to use from several threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def has(self, repository: str, digest: str) -> bool:
        """Return whether a repository has a blob."""
        response = self._transport.send("HEAD", f"/v2/{repository}/blobs/{digest}")
        response.drain()
        if response.status == 404:
            return False
        self._transport.expect(response, 200, action=f"check for {digest} in {repository}", repository=repository)
        return True

    def open(self, repository: str, digest: str, offset: int = 0) -> Stream:
        """Stream a blob, and resume after a broken connection; the digest is not verified, see `DigestVerifier`.

        Args:
            repository: the repository's name.
            digest: the blob's digest.
            offset: the first byte to read.

        Raises:
            NotFound: the repository lacks the blob.
            Unreachable: the connection broke at every attempt, none of which brought a byte.
        """
        return self._resuming(repository, digest, offset, self._download(repository, digest, offset))

    def _resuming(self, repository: str, digest: str, position: int, chunks: Stream) -> Stream:
        """Yield the chunks of a download and, when it breaks, those of another one that begins where it broke."""
        attempt = 0
        while True:
            try:
                with closing(chunks):
                    for chunk in chunks:
                        position, attempt = position + len(chunk), 0
                        yield chunk
            except Unreachable:
                if attempt == MAX_ATTEMPTS - 1:
                    raise
            else:
                return
            self._transport.backoff.wait(attempt)
            attempt += 1
            chunks = self._download(repository, digest, position)

    def _download(self, repository: str, digest: str, offset: int) -> Stream:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response = self._transport.send("GET", f"/v2/{repository}/blobs/{digest}", headers=headers)
        if response.status == 404:
            response.drain()
            raise NotFound(f"{self._transport.host}/{repository} does not hold {digest}")
        self._transport.expect(response, 200, 206, action=f"read {digest} from {repository}", repository=repository)
        return _skip_bytes(offset if response.status == 200 else 0, self._transport.chunks(response))

    def mount(self, repository: str, digest: str, source: str) -> str:
        """Mount a blob of another repository; return an empty string, or the URL of an upload when it was not mounted.

        ECR mounts blobs only if the account has BLOB_MOUNTING enabled, and otherwise answers 202.
        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository
        """
        return self.start_upload(repository, f"?mount={digest}&from={source}")

    def start_upload(self, repository: str, query: str = "") -> str:
        """Start an upload and return its URL; an empty string when `query` asked for a mount, which succeeded."""
        response = self._transport.send("POST", f"/v2/{repository}/blobs/uploads/{query}")
        action = f"upload to {repository}"
        self._transport.expect(response, 201, 202, action=action, repository=repository, is_write=True).drain()
        if response.status == 201:
            return ""
        if "Location" not in response.headers:
            raise PushFailed(f"{self._transport.host}/{repository} accepted an upload without a Location")
        return response.headers["Location"]

    def upload(self, repository: str, blob: Descriptor, opener: Opener, *, session: str = "") -> int:
        """Upload a blob as a stream, and resume after a broken connection.

        Args:
            repository: the target repository.
            blob: the blob's digest and size, which are verified during the upload.
            opener: returns the blob's content from an offset in bytes.
            session: URL of an upload that `mount` has started, or empty.

        Returns:
            The bytes sent, including those sent twice.

        Raises:
            NotFound: the repository does not exist.
            PushFailed: the registry rejected the upload, or the content has another digest.
            Unreachable: the connection broke at every attempt.
        """
        upload = _Upload(self._transport, repository, blob, opener)
        upload.run(session)
        return upload.bytes_sent


class _OffsetMismatchError(Exception):
    """The registry has another offset for an upload than this client, or has lost the upload (`is_lost`)."""

    def __init__(self, reason: str, *, is_lost: bool) -> None:
        super().__init__(reason)
        self.is_lost = is_lost


class _Upload:
    """The upload of one blob to one repository, in one chunk: docs/decisions/0012-upload-a-layer-in-one-chunk.md.

    After a broken connection, another chunk sends the rest; if the registry rejects the result, the upload restarts.
    """

    def __init__(self, transport: Transport, repository: str, blob: Descriptor, opener: Opener) -> None:
        self.bytes_sent = 0
        self._transport = transport
        self._blobs = BlobClient(transport)
        self._repository = repository
        self._blob = blob
        self._opener = opener
        self._verifier = DigestVerifier(blob)
        self._session = ""
        self._offset = 0
        self._is_resumed = False

    def run(self, session: str) -> None:
        """Upload the blob in at most `MAX_ATTEMPTS` attempts."""
        self._session = session
        for attempt in range(MAX_ATTEMPTS - 1):
            try:
                return self._complete()
            except Unreachable:
                self._transport.backoff.wait(attempt)
                self._resync(refused_offset=-1)
            except _OffsetMismatchError as error:
                self._transport.backoff.wait(attempt)
                self._resync(refused_offset=self._offset, is_lost=error.is_lost)
        try:
            self._complete()
        except _OffsetMismatchError as error:
            raise PushFailed(str(error)) from error

    def _complete(self) -> None:
        """Send the missing bytes, and complete the upload."""
        if not self._session:
            if self._blobs.has(self._repository, self._blob.digest):
                return
            self._session = self._blobs.start_upload(self._repository)
            self._offset, self._is_resumed = 0, False
        if self._offset < self._blob.size:
            self._send_remaining()
        separator = "&" if "?" in self._session else "?"
        self._expect(self._transport.send("PUT", f"{self._session}{separator}digest={self._blob.digest}"), 201)

    def _send_remaining(self) -> None:
        start = self._offset
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(self._blob.size - start),
            "Content-Range": f"{start}-{self._blob.size - 1}",
        }
        with closing(self._opener(start)) as stream:
            chunks = self._count_bytes(self._verifier.wrap(stream, offset=start))
            response = self._transport.stream("PATCH", self._session, headers=headers, chunks=chunks)
        self._expect(response, *UPLOAD_OK_STATUSES)
        self._session = response.headers.get("Location", self._session)
        self._offset = self._blob.size

    def _count_bytes(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.bytes_sent += len(chunk)
            yield chunk

    def _expect(self, response: PooledResponse, *statuses: int) -> None:
        """Require one of some statuses; raise _OffsetMismatchError for 404, 416 and, in a resumed upload, 400."""
        action = f"upload {self._blob.digest} to {self._repository}"
        try:
            transport, repository = self._transport, self._repository
            transport.expect(response, *statuses, action=action, repository=repository, is_write=True).drain()
        except PushFailed as error:
            if response.status in {404, 416} or (response.status == 400 and self._is_resumed):
                raise _OffsetMismatchError(error.message, is_lost=response.status != 416) from error
            raise

    def _resync(self, *, refused_offset: int, is_lost: bool = False) -> None:
        """Resume at the offset that the registry reports; restart if the offset is missing, impossible or rejected."""
        offset = -1 if is_lost or not self._session else self._remote_offset()
        if offset in {-1, refused_offset} or offset > self._verifier.bytes_hashed:
            self._session = ""
        else:
            self._offset, self._is_resumed = offset, True

    def _remote_offset(self) -> int:
        """Return how many bytes have arrived, or -1 if unknown; the ambiguous range `0-0` counts as no bytes."""
        response = self._transport.send("GET", self._session)
        response.drain()
        match = re.fullmatch(r"(?:bytes=)?0-(\d+)", response.headers.get("Range", ""))
        if response.status not in UPLOAD_OK_STATUSES or match is None:
            return -1
        self._session = response.headers.get("Location", self._session)
        return int(match[1]) + 1 if int(match[1]) else 0


def _skip_bytes(count: int, chunks: Stream) -> Stream:
    """Yield the chunks without their first `count` bytes, which registries send that ignore `Range`."""
    with closing(chunks):
        for chunk in chunks:
            yield chunk[count:]
            count = max(count - len(chunk), 0)
