"""Blobs of a registry's repositories: looking, reading, mounting, and uploads that go on where they broke off.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
"""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.oci.transport import MAX_ATTEMPTS
from kaizen_tasks.adapters.oci.verify import DigestVerifier
from kaizen_tasks.errors import NotFound, PushFailed, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from kaizen_tasks.adapters.oci.manifest import Descriptor
    from kaizen_tasks.adapters.oci.pool import PooledResponse
    from kaizen_tasks.adapters.oci.transport import Transport

    Stream = Generator[bytes, None, None]
    Opener = Callable[[int], Stream]

UPLOAD_OK_STATUSES = (200, 201, 202, 204)  # the specification says 202, ECR says 201


class BlobClient:
    """The blobs of one registry. Safe to use from several threads.

    Args:
        transport: the connection.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def has(self, repository: str, digest: str) -> bool:
        """Return whether a repository holds a blob."""
        response = self._transport.send("HEAD", f"/v2/{repository}/blobs/{digest}")
        response.drain()
        if response.status == 404:
            return False
        self._transport.expect(response, 200, action=f"look for {digest} in {repository}", repository=repository)
        return True

    def open(self, repository: str, digest: str, offset: int = 0) -> Stream:
        """Stream a blob, unchecked: see `Proof`.

        Args:
            repository: which one.
            digest: of the blob.
            offset: the first byte to read.

        Raises:
            NotFound: the repository does not hold it.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response = self._transport.send("GET", f"/v2/{repository}/blobs/{digest}", headers=headers)
        if response.status == 404:
            response.drain()
            raise NotFound(f"{self._transport.host}/{repository} does not hold {digest}")
        self._transport.expect(response, 200, 206, action=f"read {digest} from {repository}", repository=repository)
        return _skip_bytes(offset if response.status == 200 else 0, self._transport.chunks(response))

    def mount(self, repository: str, digest: str, source: str) -> str:
        """Link a blob of another repository; return an upload's address where the registry would not.

        ECR answers 202 unless the account has BLOB_MOUNTING enabled.
        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository
        """
        return self.start_upload(repository, f"?mount={digest}&from={source}")

    def start_upload(self, repository: str, query: str = "") -> str:
        """Begin an upload; return its address, or an empty string when it is over already."""
        response = self._transport.send("POST", f"/v2/{repository}/blobs/uploads/{query}")
        action = f"upload to {repository}"
        self._transport.expect(response, 201, 202, action=action, repository=repository, is_write=True).drain()
        if response.status == 201:
            return ""
        if "Location" not in response.headers:
            raise PushFailed(f"{self._transport.host}/{repository} took an upload without saying where to send it")
        return response.headers["Location"]

    def upload(self, repository: str, blob: Descriptor, opener: Opener, *, session: str = "") -> int:
        """Send a blob as a stream, going on where the registry is when the connection breaks.

        Args:
            repository: where to.
            blob: its digest and size, checked on the way.
            opener: gives the content from an offset in bytes.
            session: the address of an upload that `mount` has begun.

        Returns:
            How many bytes were sent; what was sent twice counts twice.

        Raises:
            NotFound: there is no such repository.
            PushFailed: the registry did not take it, or the content is not the blob.
            Unreachable: the connection broke again and again.
        """
        upload = _Upload(self._transport, self, repository, blob, opener)
        upload.run(session)
        return upload.bytes_sent


class _OffsetMismatchError(Exception):
    """The registry's side of an upload is not where this side believes it to be.

    Args:
        reason: the registry's refusal.
        is_lost: whether the upload cannot be gone on with.
    """

    def __init__(self, reason: str, *, is_lost: bool) -> None:
        super().__init__(reason)
        self.is_lost = is_lost


class _Upload:
    """One blob on its way into one repository.

    What is missing goes in one chunk: ECR keeps the first of an upload only, so that further ones are for going on
    after a break, and where the end then does not fit, the upload begins anew.
    docs/decisions/0012-upload-a-layer-in-one-chunk.md
    """

    def __init__(
        self, transport: Transport, blobs: BlobClient, repository: str, blob: Descriptor, opener: Opener
    ) -> None:
        self.bytes_sent = 0
        self._transport = transport
        self._blobs = blobs
        self._repository = repository
        self._blob = blob
        self._opener = opener
        self._verifier = DigestVerifier(blob)
        self._session = ""
        self._offset = 0
        self._is_resumed = False

    def run(self, session: str) -> None:
        """Try until it is there, a bounded number of times."""
        self._session = session
        for attempt in range(MAX_ATTEMPTS - 1):
            try:
                return self._complete()
            except Unreachable:
                self._transport.pause(attempt)
                self._resync(refused_offset=-1)
            except _OffsetMismatchError as error:
                self._transport.pause(attempt)
                self._resync(refused_offset=self._offset, is_lost=error.is_lost)
        try:
            self._complete()
        except _OffsetMismatchError as error:
            raise PushFailed(str(error)) from error

    def _complete(self) -> None:
        """Send what is missing, and close the upload."""
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
        """Go on with an answer that is as it should be.

        Raises:
            _OutOfStepError: both sides differ; one that took everything at once and refuses it means what it says.
        """
        action = f"upload {self._blob.digest} to {self._repository}"
        try:
            self._transport.expect(
                response, *statuses, action=action, repository=self._repository, is_write=True
            ).drain()
        except PushFailed as error:
            if response.status in {404, 416} or (response.status == 400 and self._is_resumed):
                raise _OffsetMismatchError(error.message, is_lost=response.status != 416) from error
            raise

    def _resync(self, *, refused_offset: int, is_lost: bool = False) -> None:
        """Go on where the registry says that it is; begin anew where it does not say, or says what cannot be.

        Args:
            refused_offset: an offset that it has refused.
            is_lost: whether to begin anew without asking.
        """
        offset = -1 if is_lost or not self._session else self._remote_offset()
        if offset in {-1, refused_offset} or offset > self._verifier.bytes_hashed:
            self._session = ""
        else:
            self._offset, self._is_resumed = offset, True

    def _remote_offset(self) -> int:
        """Return how many bytes have arrived, or -1; `0-0` is no byte or one, and counts as none."""
        response = self._transport.send("GET", self._session)
        response.drain()
        match = re.fullmatch(r"(?:bytes=)?0-(\d+)", response.headers.get("Range", ""))
        if response.status not in UPLOAD_OK_STATUSES or match is None:
            return -1
        self._session = response.headers.get("Location", self._session)
        return int(match[1]) + 1 if int(match[1]) else 0


def _skip_bytes(count: int, chunks: Stream) -> Stream:
    """Leave the first bytes out: a registry may ignore a `Range`."""
    with closing(chunks):
        for chunk in chunks:
            yield chunk[count:]
            count = max(count - len(chunk), 0)
