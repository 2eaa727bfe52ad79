"""Blobs of a registry's repositories: looking, reading, mounting, and uploads that go on where they broke off.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
"""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.oci.transport import ATTEMPTS
from kaizen_tasks.adapters.oci.verify import Proof
from kaizen_tasks.errors import NotFound, PushFailed, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from kaizen_tasks.adapters.oci.manifest import Descriptor
    from kaizen_tasks.adapters.oci.pool import Reply
    from kaizen_tasks.adapters.oci.transport import Wire

    Stream = Generator[bytes, None, None]
    Opener = Callable[[int], Stream]

ACCEPTED = (200, 201, 202, 204)  # the specification says 202, ECR says 201


class Blobs:
    """The blobs of one registry. Safe to use from several threads.

    Args:
        wire: the connection.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def has(self, repository: str, digest: str) -> bool:
        """Return whether a repository holds a blob."""
        answer = self._wire.send("HEAD", f"/v2/{repository}/blobs/{digest}")
        answer.drain()
        if answer.status == 404:
            return False
        self._wire.expect(answer, 200, doing=f"look for {digest} in {repository}", repository=repository)
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
        wanted = {"Range": f"bytes={offset}-"} if offset else {}
        answer = self._wire.send("GET", f"/v2/{repository}/blobs/{digest}", headers=wanted)
        if answer.status == 404:
            answer.drain()
            raise NotFound(f"{self._wire.host}/{repository} does not hold {digest}")
        self._wire.expect(answer, 200, 206, doing=f"read {digest} from {repository}", repository=repository)
        return _without(offset if answer.status == 200 else 0, self._wire.chunks(answer))

    def mount(self, repository: str, digest: str, source: str) -> str:
        """Link a blob of another repository; return an upload's address where the registry would not.

        ECR answers 202 unless the account has BLOB_MOUNTING enabled.
        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository
        """
        return self.begin(repository, f"?mount={digest}&from={source}")

    def begin(self, repository: str, query: str = "") -> str:
        """Begin an upload; return its address, or an empty string when it is over already."""
        answer = self._wire.send("POST", f"/v2/{repository}/blobs/uploads/{query}")
        doing = f"upload to {repository}"
        self._wire.expect(answer, 201, 202, doing=doing, repository=repository, changing=True).drain()
        if answer.status == 201:
            return ""
        if "Location" not in answer.headers:
            raise PushFailed(f"{self._wire.host}/{repository} took an upload without saying where to send it")
        return answer.headers["Location"]

    def upload(self, repository: str, blob: Descriptor, opened: Opener, *, session: str = "") -> int:
        """Send a blob as a stream, going on where the registry is when the connection breaks.

        Args:
            repository: where to.
            blob: its digest and size, checked on the way.
            opened: gives the content from an offset in bytes.
            session: the address of an upload that `mount` has begun.

        Returns:
            How many bytes were sent; what was sent twice counts twice.

        Raises:
            NotFound: there is no such repository.
            PushFailed: the registry did not take it, or the content is not the blob.
            Unreachable: the connection broke again and again.
        """
        upload = _Upload(self._wire, self, repository, blob, opened)
        upload.run(session)
        return upload.sent


class _OutOfStepError(Exception):
    """The registry's side of an upload is not where this side believes it to be.

    Args:
        what: the registry's refusal.
        lost: whether the upload cannot be gone on with.
    """

    def __init__(self, what: str, *, lost: bool) -> None:
        super().__init__(what)
        self.lost = lost


class _Upload:
    """One blob on its way into one repository.

    What is missing goes in one chunk: ECR keeps the first of an upload only, so that further ones are for going on
    after a break, and where the end then does not fit, the upload begins anew.
    docs/decisions/0012-one-chunk-unless-it-breaks.md
    """

    def __init__(self, wire: Wire, blobs: Blobs, repository: str, blob: Descriptor, opened: Opener) -> None:
        self.sent = 0
        self._wire = wire
        self._blobs = blobs
        self._repository = repository
        self._blob = blob
        self._opened = opened
        self._proof = Proof(blob)
        self._session = ""
        self._received = 0
        self._resumed = False

    def run(self, session: str) -> None:
        """Try until it is there, a bounded number of times."""
        self._session = session
        for attempt in range(ATTEMPTS - 1):
            try:
                return self._advance()
            except Unreachable:
                self._wire.pause(attempt)
                self._catch_up(tried=-1)
            except _OutOfStepError as error:
                self._wire.pause(attempt)
                self._catch_up(tried=self._received, lost=error.lost)
        try:
            self._advance()
        except _OutOfStepError as error:
            raise PushFailed(str(error)) from error

    def _advance(self) -> None:
        """Send what is missing, and close the upload."""
        if not self._session:
            if self._blobs.has(self._repository, self._blob.digest):
                return
            self._session = self._blobs.begin(self._repository)
            self._received, self._resumed = 0, False
        if self._received < self._blob.size:
            self._append()
        mark = "&" if "?" in self._session else "?"
        self._expect(self._wire.send("PUT", f"{self._session}{mark}digest={self._blob.digest}"), 201)

    def _append(self) -> None:
        first = self._received
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(self._blob.size - first),
            "Content-Range": f"{first}-{self._blob.size - 1}",
        }
        with closing(self._opened(first)) as content:
            chunks = self._counted(self._proof.follow(content, offset=first))
            answer = self._wire.stream("PATCH", self._session, headers=headers, chunks=chunks)
        self._expect(answer, *ACCEPTED)
        self._session = answer.headers.get("Location", self._session)
        self._received = self._blob.size

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.sent += len(chunk)
            yield chunk

    def _expect(self, answer: Reply, *statuses: int) -> None:
        """Go on with an answer that is as it should be.

        Raises:
            _OutOfStepError: both sides differ; one that took everything at once and refuses it means what it says.
        """
        doing = f"upload {self._blob.digest} to {self._repository}"
        try:
            self._wire.expect(answer, *statuses, doing=doing, repository=self._repository, changing=True).drain()
        except PushFailed as error:
            if answer.status in {404, 416} or (answer.status == 400 and self._resumed):
                raise _OutOfStepError(error.what, lost=answer.status != 416) from error
            raise

    def _catch_up(self, *, tried: int, lost: bool = False) -> None:
        """Go on where the registry says that it is; begin anew where it does not say, or says what cannot be.

        Args:
            tried: an offset that it has refused.
            lost: whether to begin anew without asking.
        """
        found = -1 if lost or not self._session else self._progress()
        if found in {-1, tried} or found > self._proof.seen:
            self._session = ""
        else:
            self._received, self._resumed = found, True

    def _progress(self) -> int:
        """Return how many bytes have arrived, or -1; `0-0` is no byte or one, and counts as none."""
        answer = self._wire.send("GET", self._session)
        answer.drain()
        said = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.headers.get("Range", ""))
        if answer.status not in ACCEPTED or said is None:
            return -1
        self._session = answer.headers.get("Location", self._session)
        return int(said[1]) + 1 if int(said[1]) else 0


def _without(count: int, chunks: Stream) -> Stream:
    """Leave the first bytes out: a registry may ignore a `Range`."""
    with closing(chunks):
        for chunk in chunks:
            yield chunk[count:]
            count = max(count - len(chunk), 0)
