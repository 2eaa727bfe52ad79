"""Bringing images into repositories: blobs side by side, children before their index, the tag last."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event, Lock
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.oci.sources import Layout, Neighbour, family
from kaizen_tasks.adapters.oci.transport import NEVER_MOVES
from kaizen_tasks.domain.release import Copied
from kaizen_tasks.errors import Interrupted, PushFailed, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kaizen_tasks.adapters.oci.blobs import Stream
    from kaizen_tasks.adapters.oci.client import OciClient
    from kaizen_tasks.adapters.oci.manifest import Descriptor, Manifest
    from kaizen_tasks.adapters.oci.sources import Source

BLOBS_AT_ONCE = 8
"""Over all repositories: ECR begins 100 uploads a second, and mounts are uploads to it."""

Stock = Callable[[str, Collection[str]], Collection[str]]
"""Returns which of some digests a repository holds, in fewer questions than there are digests."""


class Carrier:
    """Brings images into the repositories of one registry. Safe to use from several threads.

    Args:
        client: of the registry that is written to.
        stock: see `Stock`; without it, a mount is the question.
    """

    def __init__(self, client: OciClient, *, stock: Stock | None = None) -> None:
        self._client = client
        self._stock = stock
        self._crew = ThreadPoolExecutor(BLOBS_AT_ONCE, thread_name_prefix="blobs")
        self._families: dict[tuple[str, str], tuple[Manifest, ...]] = {}
        self._lock = Lock()

    def copy(self, *, digest: str, source: str, target: str, tag: str) -> Copied:
        """Bring an image into another repository of this registry, byte for byte, and give it a tag.

        Raises:
            NotFound: the source does not hold it, or there is no such target.
            PushFailed: the target did not take it, or the tag holds other bytes there.
        """
        return self._bring(Neighbour(self._client, source), digest, target, tag)

    def upload_layout(self, layout: Path, *, repository: str, tag: str) -> Copied:
        """Push the one image of a local OCI image layout.

        Raises:
            PushFailed: the registry did not take it, or the tag holds other bytes there.
        """
        local = Layout(layout)
        return self._bring(local, local.digest(), repository, tag)

    def _bring(self, source: Source, digest: str, repository: str, tag: str) -> Copied:
        target = f"{self._client.address(repository)}:{tag}"
        with _pushing(target):
            if self._stands(repository, tag, digest):
                return Copied(digest=digest)
            *children, root = self._family(source, digest)
            copied = self._bring_blobs(source, _needed([*children, root]), repository, digest)
            for child in children:
                self._client.put(repository, child.digest, child)
            if not self._stands(repository, tag, digest):  # somebody may have been faster, and a tag may be mutable
                self._client.put(repository, tag, root)
            return copied

    def _stands(self, repository: str, tag: str, digest: str) -> bool:
        """Return whether the tag names the image already.

        Raises:
            PushFailed: it names another one.
        """
        standing = self._client.head(repository, tag)
        if standing not in {"", digest}:
            raise _taken(f"{self._client.address(repository)}:{tag}", standing, digest)
        return bool(standing)

    def _family(self, source: Source, digest: str) -> tuple[Manifest, ...]:
        """Read what a digest names once, however many repositories it goes to."""
        key = (source.repository, digest)
        with self._lock:
            if key not in self._families:
                self._families[key] = family(source, digest)
            return self._families[key]

    def _bring_blobs(self, source: Source, needed: dict[str, Descriptor], repository: str, digest: str) -> Copied:
        """Bring what is missing side by side; when one fails, the others stop at their next chunk."""
        present = set(self._stock(repository, needed.keys())) if self._stock else set[str]()
        stop = Event()
        coming = [
            self._crew.submit(self._bring_blob, source, repository, stop, blob)
            for blob in needed.values()
            if blob.digest not in present
        ]
        try:
            done, _ = wait(coming, return_when=FIRST_EXCEPTION)
            costs = [each.result() for each in done]
        finally:
            stop.set()
            for each in coming:
                each.cancel()
            wait(coming)
        return _total(digest, [*costs, _Cost(present=len(present))])

    def _bring_blob(self, source: Source, repository: str, stop: Event, blob: Descriptor) -> _Cost:
        """Bring one blob by the cheapest way that the registry offers."""
        if stop.is_set():
            raise _stopped()
        blobs, session = self._client.blobs, ""
        if source.repository:
            session = blobs.mount(repository, blob.digest, source.repository)
            if not session:
                return _Cost(mounted=1)
        if blobs.has(repository, blob.digest):
            return _Cost(present=1)

        def opened(offset: int) -> Stream:
            return _until(stop, source.open(blob.digest, offset))

        return _Cost(uploaded=1, sent=blobs.upload(repository, blob, opened, session=session))


@frozen(kw_only=True)
class _Cost:
    """What it took to bring some blobs; see `Copied`."""

    mounted: int = 0
    uploaded: int = 0
    sent: int = 0
    present: int = 0


def _total(digest: str, costs: Iterable[_Cost]) -> Copied:
    costs = tuple(costs)
    return Copied(
        digest=digest,
        mounted=sum(cost.mounted for cost in costs),
        uploaded=sum(cost.uploaded for cost in costs),
        sent=sum(cost.sent for cost in costs),
        present=sum(cost.present for cost in costs),
    )


def _needed(manifests: Iterable[Manifest]) -> dict[str, Descriptor]:
    """Return what the manifests need, each blob once."""
    return {blob.digest: blob for manifest in manifests for blob in manifest.blobs}


def _until(stop: Event, chunks: Stream) -> Stream:
    try:
        for chunk in chunks:
            if stop.is_set():
                raise _stopped()
            yield chunk
    finally:
        chunks.close()


def _stopped() -> Interrupted:
    return Interrupted("another blob of the same image failed")


def _taken(target: str, standing: str, digest: str) -> PushFailed:
    return PushFailed(
        f"{target} holds other bytes: {standing}, not {digest}", state="it was left as it is", hint=NEVER_MOVES
    )


@contextmanager
def _pushing(target: str) -> Iterator[None]:
    """Say that a push failed when the registry falls silent: some of its blobs may have arrived."""
    try:
        yield
    except Unreachable as error:
        state = f"{target} may be incomplete; no tag was moved by this"
        raise PushFailed(error.what, state=state, hint="run the same command again") from error
