"""Pushes images to repositories: blobs in parallel, children before their index, the tag last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock

from attrs import define, field

from kaizen_tasks.adapters.oci.blob_threads import BlobThreads
from kaizen_tasks.adapters.oci.blobs import Stream
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.manifest import Descriptor, Manifest
from kaizen_tasks.adapters.oci.sources import (
    ImageSource,
    LayoutSource,
    RemoteSource,
    RepositorySource,
    manifest_tree,
)
from kaizen_tasks.adapters.oci.transport import IMMUTABLE_TAG_HINT
from kaizen_tasks.adapters.oci.upload_meter import UploadMeter
from kaizen_tasks.domain.image import CopyStats
from kaizen_tasks.errors import Interrupted, PushFailed, Unreachable
from kaizen_tasks.ports.activity import report_activity, reporting_state

BlobLookup = Callable[[str, Collection[str]], Collection[str]]
"""A function of a repository and digests that returns the digests the repository has, in few requests."""


@define
class _Arrival:
    """An image that comes from another registry, and the repository that has got it."""

    lock: Lock = field(factory=Lock)
    repository: str = ""


class ImagePusher:
    """Pushes images to the repositories of one registry. Safe to use from several threads.

    Args:
        client: client of the registry.
        blob_lookup: finds the blobs that need no push; without it, each blob is mounted or checked individually.
    """

    def __init__(self, client: OciClient, *, blob_lookup: BlobLookup | None = None) -> None:
        self._client = client
        self._blob_lookup = blob_lookup
        self._threads = BlobThreads()
        self._manifest_trees: dict[tuple[str, str], tuple[Manifest, ...]] = {}
        self._arrivals: dict[str, _Arrival] = {}
        self._lock = Lock()

    def copy(self, *, digest: str, source: str, target: str, tag: str) -> CopyStats:
        """Copy an image unchanged to another repository of this registry, and tag the copy.

        Raises:
            NotFound: the source lacks the image, or the target does not exist.
            PushFailed: the target rejected the image, or the tag is on a different image.
        """
        return self._push_image(RepositorySource(self._client, source), digest, target, tag)

    def copy_from(self, source: RemoteSource, *, digest: str, target: str, tag: str) -> CopyStats:
        """Copy an image unchanged from another registry, and tag the copy.

        The first repository gets the layers through this machine; all others mount them from the first one.

        Raises:
            NotFound: the source lacks the image, or the target does not exist.
            PushFailed: the target rejected the image, or the tag is on a different image.
        """
        with self._lock:
            arrival = self._arrivals.setdefault(digest, _Arrival())
        if arrival.lock.locked():
            report_activity(
                "waiting for the layers that go to another environment; they are mounted then", replaces=True
            )
        with arrival.lock:
            if not arrival.repository:
                stats = self._push_image(source, digest, target, tag)
                arrival.repository = target
                return stats
        return self.copy(digest=digest, source=arrival.repository, target=target, tag=tag)

    def upload_layout(self, layout: Path, *, repository: str, tag: str) -> CopyStats:
        """Push the only image of a local OCI image layout.

        Raises:
            PushFailed: the registry rejected the image, or the tag is on a different image.
        """
        source = LayoutSource(layout)
        return self._push_image(source, source.image_digest(), repository, tag)

    def _push_image(self, source: ImageSource, digest: str, repository: str, tag: str) -> CopyStats:
        target = f"{self._client.repository_uri(repository)}:{tag}"
        with _push_errors(target):
            # A look at the tag may spare the layers. Where they are mounted, nothing is lost without it.
            if not source.mountable_repository and self._is_tagged(repository, tag, digest):
                return CopyStats(digest=digest)
            *children, root = self._manifest_tree(source, digest)
            blobs = {blob.digest: blob for manifest in (*children, root) for blob in manifest.blobs}
            stats = self._push_blobs(source, blobs, repository)
            for child in children:
                self._client.put_manifest(repository, child.digest, child)
            if not self._is_tagged(repository, tag, digest):  # right before the put: a version tag never moves
                self._client.put_manifest(repository, tag, root)
            return CopyStats(digest=digest, **stats)

    def _is_tagged(self, repository: str, tag: str, digest: str) -> bool:
        """Return whether the tag is on the image; False for a missing tag, PushFailed for one on a different image."""
        current = self._client.resolve_digest(repository, tag)
        if current not in {"", digest}:
            message = f"{self._client.repository_uri(repository)}:{tag} is a different image: {current}, not {digest}"
            raise PushFailed(message, state="it was not changed", hint=IMMUTABLE_TAG_HINT)
        return bool(current)

    def _manifest_tree(self, source: ImageSource, digest: str) -> tuple[Manifest, ...]:
        """Return all manifests of an image, which are read once for all target repositories."""
        key = (source.name, digest)
        with self._lock:
            if key not in self._manifest_trees:
                self._manifest_trees[key] = manifest_tree(source, digest)
            return self._manifest_trees[key]

    def _push_blobs(self, source: ImageSource, blobs: dict[str, Descriptor], repository: str) -> Counter[str]:
        """Mount or upload the missing blobs in parallel; return the counts for `CopyStats`."""
        present_digests = set(self._blob_lookup(repository, blobs.keys())) if self._blob_lookup else set[str]()
        missing = [blob for digest, blob in blobs.items() if digest not in present_digests]
        sessions = self._mount_blobs(source, missing, repository)
        counts = Counter(blobs_present=len(present_digests), blobs_mounted=len(missing) - len(sessions))
        to_upload = [blob for blob in missing if blob.digest in sessions]
        if to_upload:
            counts.update(self._upload_blobs(source, to_upload, repository, sessions))
        return counts

    def _mount_blobs(self, source: ImageSource, blobs: Collection[Descriptor], repository: str) -> dict[str, str]:
        """Mount blobs; return the URL of an upload for each digest that was not mounted, empty if none was started."""
        if not source.mountable_repository:
            return {blob.digest: "" for blob in blobs}

        def mount(blob: Descriptor, _stop: Event) -> tuple[str, str]:
            return blob.digest, self._client.blobs.mount(repository, blob.digest, source.mountable_repository)

        return {digest: session for digest, session in self._threads.map(mount, blobs) if session}

    def _upload_blobs(
        self, source: ImageSource, blobs: Collection[Descriptor], repository: str, sessions: Mapping[str, str]
    ) -> Counter[str]:
        """Upload blobs unless the repository has them, and report how far that is; return the counts."""
        meter = UploadMeter({blob.digest: blob.size for blob in blobs}, self._client.clock)

        def upload(blob: Descriptor, stop: Event) -> Counter[str]:
            if self._client.blobs.has(repository, blob.digest):
                meter.skip(blob.digest)
                return Counter(blobs_present=1)

            def open_at(offset: int) -> Stream:
                return meter.count(blob.digest, offset, self._stop_on(stop, source.open(blob.digest, offset)))

            bytes_sent = self._client.blobs.upload(repository, blob, open_at, session=sessions[blob.digest])
            return Counter(blobs_uploaded=1, bytes_sent=bytes_sent)

        with reporting_state(meter.describe):
            return sum(self._threads.map(upload, blobs), Counter[str]())

    def _stop_on(self, stop: Event, chunks: Stream) -> Stream:
        """Yield the chunks until another blob fails, or Ctrl-C ends the waits of all threads."""
        try:
            for chunk in chunks:
                if stop.is_set():
                    raise _stopped_error()
                self._client.clock.sleep(0)
                yield chunk
        finally:
            chunks.close()


def _stopped_error() -> Interrupted:
    return Interrupted("another blob of the same image failed")


@contextmanager
def _push_errors(target: str) -> Iterator[None]:
    """Translate Unreachable into PushFailed, since some blobs may have arrived."""
    try:
        yield
    except Unreachable as error:
        state = f"{target} may be incomplete; no tag was moved"
        raise PushFailed(error.message, state=state, hint="run the same command again") from error
