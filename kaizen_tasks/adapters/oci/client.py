"""A client of the OCI distribution API: what `docker push` and `docker pull` do, repository by repository.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.oci.blobs import Blobs
from kaizen_tasks.adapters.oci.manifest import CONFIGS, MEDIA_TYPES, Manifest
from kaizen_tasks.adapters.oci.transport import Wire
from kaizen_tasks.adapters.oci.verify import Proof
from kaizen_tasks.domain.release import Image
from kaizen_tasks.errors import PushFailed, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.adapters.oci.transport import Credentials
    from kaizen_tasks.ports.clock import Clock

DIGEST_HEADER = "Docker-Content-Digest"
VERSION_LABEL = "org.opencontainers.image.version"
REVISION_LABEL = "org.opencontainers.image.revision"


class OciClient:
    """One registry, whoever logs in. Safe to use from several threads.

    Args:
        credentials: who logs in.
        clock: waits before a failed request is repeated.

    Attributes:
        blobs: what its repositories hold beside manifests.
    """

    def __init__(self, credentials: Credentials, *, clock: Clock) -> None:
        self._wire = Wire(credentials, clock=clock)
        self._known: dict[tuple[str, str], Manifest] = {}  # what a digest names never changes
        self.blobs = Blobs(self._wire)

    def address(self, repository: str) -> str:
        """Return `host/repository`."""
        return f"{self._wire.host}/{repository}"

    def exists(self, repository: str) -> bool:
        """Return whether the registry knows a repository."""
        answer = self._wire.send("GET", f"/v2/{repository}/tags/list?n=1")
        if answer.status == 404:
            answer.drain()
            return False
        self._wire.expect(answer, 200, doing=f"list {repository}", repository=repository).drain()
        return True

    def head(self, repository: str, reference: str) -> str:
        """Return the digest that a tag or digest names, or an empty string."""
        answer = self._wire.send("HEAD", _manifest(repository, reference), headers=_ACCEPT)
        answer.drain()
        if answer.status == 404:
            return ""
        self._wire.expect(answer, 200, doing=f"look at {repository}:{reference}", repository=repository)
        return answer.headers.get(DIGEST_HEADER) or self._digest(repository, reference)

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return what a tag names now, or what a digest names, which is asked once; byte for byte, or None.

        Raises:
            Refused: the registry sent other bytes than it announced.
        """
        if (repository, reference) in self._known:
            return self._known[repository, reference]
        answer = self._wire.send("GET", _manifest(repository, reference), headers=_ACCEPT)
        if answer.status == 404:
            answer.drain()
            return None
        self._wire.expect(answer, 200, doing=f"read {repository}:{reference}", repository=repository)
        found = Manifest(self._wire.body(answer), answer.headers.get("Content-Type", "").partition(";")[0])
        announced = reference if reference.startswith("sha256:") else answer.headers.get(DIGEST_HEADER)
        if announced and found.digest != announced:
            raise Refused(f"{self.address(repository)} sent {found.digest} when asked for {announced}")
        self._known[repository, found.digest] = found
        return found

    def put(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Write a manifest or an index, in its original bytes.

        Args:
            repository: where to.
            reference: a tag or its digest.
            manifest: whose content the repository holds already.

        Raises:
            PushFailed: the registry did not take it or kept other bytes, or the tag is immutable.
        """
        answer = self._wire.send(
            "PUT",
            _manifest(repository, reference),
            headers={"Content-Type": manifest.media_type},
            body=manifest.content,
        )
        doing = f"put {repository}:{reference}"
        self._wire.expect(answer, 201, doing=doing, repository=repository, changing=True).drain()
        kept = answer.headers.get(DIGEST_HEADER, manifest.digest)
        if kept != manifest.digest:
            raise PushFailed(f"{self.address(repository)}:{reference} became {kept}, not {manifest.digest}")
        self._known[repository, manifest.digest] = manifest

    def image(self, repository: str, manifest: Manifest) -> Image:
        """Describe an image, reading its labels; for an index, those of the child that speaks for it."""
        labels = self._labels(repository, manifest)
        return Image(
            digest=manifest.digest,
            media_type=manifest.media_type,
            version=labels.get(VERSION_LABEL, ""),
            revision=labels.get(REVISION_LABEL, ""),
        )

    def _digest(self, repository: str, reference: str) -> str:
        found = self.manifest(repository, reference)
        return found.digest if found else ""

    def _labels(self, repository: str, manifest: Manifest) -> Mapping[str, str]:
        if manifest.main_child:
            child = self.manifest(repository, manifest.main_child.digest)
            return self._labels(repository, child) if child else {}
        if manifest.config is None or manifest.config.media_type not in CONFIGS:
            return {}
        stored = self.blobs.open(repository, manifest.config.digest)
        content = Proof(manifest.config).follow(stored)
        labels: Mapping[str, str] = (json.loads(b"".join(content)).get("config") or {}).get("Labels") or {}
        return labels


def _manifest(repository: str, reference: str) -> str:
    return f"/v2/{repository}/manifests/{reference}"


_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
