"""A client of the OCI distribution API: what `docker push` and `docker pull` do, repository by repository.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.adapters import oci_wire
from kaizen_tasks.adapters.oci_manifest import CONFIGS, MEDIA_TYPES, Manifest
from kaizen_tasks.adapters.oci_transfer import Layout, Neighbour, transfer
from kaizen_tasks.domain.release import Image
from kaizen_tasks.errors import PushFailed, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from urllib3 import BaseHTTPResponse

    from kaizen_tasks.adapters.oci_manifest import Descriptor
    from kaizen_tasks.domain.release import Copied
    from kaizen_tasks.ports import Login

DIGEST_HEADER = "Docker-Content-Digest"
ACCEPTED = (200, 201, 202, 204)  # the specification says 202, registries do not agree; crane takes these
VERSION_LABEL = "org.opencontainers.image.version"
REVISION_LABEL = "org.opencontainers.image.revision"


class OciClient:
    """One registry, reached with one login. Safe to use from several threads.

    Args:
        login: where it is, and the credentials; they are sent to this registry only.
        backoff: seconds before a failed request is repeated; they double from there.
    """

    def __init__(self, login: Login, *, backoff: float = 0.5) -> None:
        self._wire = oci_wire.Wire(login, backoff=backoff)

    def address(self, repository: str) -> str:
        """Return `host/repository`."""
        return f"{self._wire.host}/{repository}"

    def exists(self, repository: str) -> bool:
        """Return whether the registry knows a repository."""
        answer = self._wire.send("GET", f"/v2/{repository}/tags/list?n=1")
        if answer.status == 404:
            answer.drain_conn()
            return False
        self._expect(answer, 200, doing=f"list {repository}", repository=repository).drain_conn()
        return True

    def head(self, repository: str, reference: str) -> str:
        """Return the digest that a tag or digest names, or an empty string."""
        answer = self._wire.send("HEAD", _manifest(repository, reference), headers=_ACCEPT)
        answer.drain_conn()
        if answer.status == 404:
            return ""
        self._expect(answer, 200, doing=f"look at {repository}:{reference}", repository=repository)
        return answer.headers.get(DIGEST_HEADER) or self._digest(repository, reference)

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return what a tag or digest names, byte for byte, or None.

        Raises:
            Refused: the registry sent other bytes than it announced.
        """
        answer = self._wire.send("GET", _manifest(repository, reference), headers=_ACCEPT)
        if answer.status == 404:
            answer.drain_conn()
            return None
        self._expect(answer, 200, doing=f"read {repository}:{reference}", repository=repository)
        found = Manifest(self._wire.body(answer), answer.headers.get("Content-Type", "").partition(";")[0])
        announced = reference if reference.startswith("sha256:") else answer.headers.get(DIGEST_HEADER)
        if announced and found.digest != announced:
            raise Refused(f"{self.address(repository)} sent {found.digest} when asked for {announced}")
        return found

    def put(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Write a manifest or an index, in its original bytes.

        Args:
            repository: where to.
            reference: a tag or its digest.
            manifest: whose content the repository holds already.

        Raises:
            PushFailed: the registry did not take it, or the tag is immutable.
        """
        answer = self._wire.send(
            "PUT",
            _manifest(repository, reference),
            headers={"Content-Type": manifest.media_type},
            body=manifest.content,
        )
        doing = f"put {repository}:{reference}"
        self._expect(answer, 201, doing=doing, repository=repository, changing=True).drain_conn()

    def image(self, repository: str, manifest: Manifest) -> Image:
        """Describe an image, reading its labels; for an index, those of the child that speaks for it."""
        labels = self._labels(repository, manifest)
        return Image(
            digest=manifest.digest,
            media_type=manifest.media_type,
            version=labels.get(VERSION_LABEL, ""),
            revision=labels.get(REVISION_LABEL, ""),
        )

    def has_blob(self, repository: str, digest: str) -> bool:
        """Return whether a repository holds a blob."""
        answer = self._wire.send("HEAD", f"/v2/{repository}/blobs/{digest}")
        answer.drain_conn()
        if answer.status == 404:
            return False
        self._expect(answer, 200, doing=f"look for {digest} in {repository}", repository=repository)
        return True

    def blob(self, repository: str, digest: str) -> Iterator[bytes]:
        """Stream a blob, unchecked: see `checked`."""
        answer = self._wire.send("GET", f"/v2/{repository}/blobs/{digest}")
        self._expect(answer, 200, doing=f"read {digest} from {repository}", repository=repository)
        return self._wire.chunks(answer)

    def mount(self, repository: str, digest: str, source: str) -> str:
        """Link a blob of another repository; return an upload's address where the registry would not.

        ECR answers 202 unless the account has BLOB_MOUNTING enabled.
        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository
        """
        return self._begin(repository, f"?mount={digest}&from={source}")

    def upload(
        self, repository: str, blob: Descriptor, opened: Callable[[], Iterator[bytes]], *, session: str = ""
    ) -> None:
        """Send a blob as a stream, again from its beginning when the connection breaks.

        Args:
            repository: where to.
            blob: its digest and size, checked on the way.
            opened: gives the content from its beginning.
            session: an upload that `mount` has begun.
        """
        for attempt in range(oci_wire.ATTEMPTS - 1):
            try:
                return self._upload(repository, blob, opened, session)
            except Unreachable:
                self._wire.pause(attempt)
                session = ""
        return self._upload(repository, blob, opened, session)

    def copy(self, *, digest: str, source: str, target: str, tag: str) -> Copied:
        """Bring an image into another repository of this registry, byte for byte.

        Raises:
            NotFound: the source does not hold it, or there is no such target.
            PushFailed: the target did not take it, or the tag holds other bytes there.
        """
        return transfer(self, Neighbour(self, source), digest=digest, repository=target, tag=tag)

    def upload_layout(self, layout: Path, *, repository: str, tag: str) -> Copied:
        """Push the one image of a local OCI image layout.

        Raises:
            PushFailed: the registry did not take it, or the tag holds other bytes there.
        """
        local = Layout(layout)
        return transfer(self, local, digest=local.digest(), repository=repository, tag=tag)

    def _upload(self, repository: str, blob: Descriptor, opened: Callable[[], Iterator[bytes]], session: str) -> None:
        """Send a blob in one PATCH and close it, as crane does and ECR takes it."""
        if not session and self.has_blob(repository, blob.digest):
            return
        session = session or self._begin(repository)
        doing = f"upload {blob.digest} to {repository}"
        expect = partial(self._expect, doing=doing, repository=repository, changing=True)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        sent = self._wire.send("PATCH", session, headers=headers, body=checked(opened(), blob))
        expect(sent, *ACCEPTED).drain_conn()
        session = sent.headers.get("Location", session)
        closing = f"{session}{'&' if '?' in session else '?'}digest={blob.digest}"
        expect(self._wire.send("PUT", closing, body=b""), 201).drain_conn()

    def _begin(self, repository: str, query: str = "") -> str:
        """Begin an upload; return its address, or an empty string when it is over already."""
        answer = self._wire.send("POST", f"/v2/{repository}/blobs/uploads/{query}", body=b"")
        self._expect(answer, 201, 202, doing=f"upload to {repository}", repository=repository, changing=True)
        answer.drain_conn()
        if answer.status == 201:
            return ""
        if "Location" not in answer.headers:
            raise PushFailed(f"{self.address(repository)} took an upload without saying where to send it")
        return answer.headers["Location"]

    def _digest(self, repository: str, reference: str) -> str:
        found = self.manifest(repository, reference)
        return found.digest if found else ""

    def _labels(self, repository: str, manifest: Manifest) -> Mapping[str, str]:
        if manifest.main_child:
            child = self.manifest(repository, manifest.main_child.digest)
            return self._labels(repository, child) if child else {}
        if manifest.config is None or manifest.config.media_type not in CONFIGS:
            return {}
        content = checked(self.blob(repository, manifest.config.digest), manifest.config)
        labels: Mapping[str, str] = (json.loads(b"".join(content)).get("config") or {}).get("Labels") or {}
        return labels

    def _expect(
        self, answer: BaseHTTPResponse, *statuses: int, doing: str, repository: str, changing: bool = False
    ) -> BaseHTTPResponse:
        """Return an answer that has one of the statuses; translate any other."""
        if answer.status in statuses:
            return answer
        complaint = self._wire.complaint(answer)
        raise oci_wire.failure(answer.status, complaint, doing=doing, repository=repository, changing=changing)


def checked(chunks: Iterable[bytes], blob: Descriptor) -> Iterator[bytes]:
    """Pass chunks on and demand in the end that they were the blob.

    Raises:
        PushFailed: they were not.
    """
    seen, size = hashlib.sha256(), 0
    for chunk in chunks:
        seen.update(chunk)
        size += len(chunk)
        yield chunk
    if (size, f"sha256:{seen.hexdigest()}") != (blob.size, blob.digest):
        raise PushFailed(f"{blob.digest} does not hold what its name says: it is sha256:{seen.hexdigest()}")


def _manifest(repository: str, reference: str) -> str:
    return f"/v2/{repository}/manifests/{reference}"


_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
