"""Bringing one image into a repository: blobs side by side, children before their index, the tag last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

from kaizen_tasks.adapters.oci_manifest import OCI_INDEX, Manifest, self_described
from kaizen_tasks.adapters.oci_wire import CHUNK, NEVER_MOVES
from kaizen_tasks.domain.release import Copied
from kaizen_tasks.errors import Interrupted, NotFound, PushFailed, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.adapters.oci import OciClient
    from kaizen_tasks.adapters.oci_manifest import Descriptor

BLOBS_AT_ONCE = 6


class Source(Protocol):
    """Where an image comes from."""

    @property
    def repository(self) -> str:
        """The repository of the same registry that blobs can be linked from, or empty."""
        ...

    def manifest(self, digest: str) -> Manifest:
        """Return a manifest.

        Raises:
            NotFound: it is not there.
        """
        ...

    def open(self, digest: str) -> Iterator[bytes]:
        """Stream a blob from its beginning."""
        ...


class Neighbour:
    """Another repository of the registry that is pushed to."""

    def __init__(self, client: OciClient, repository: str) -> None:
        self._client = client
        self.repository = repository

    def manifest(self, digest: str) -> Manifest:
        """Return a manifest."""
        found = self._client.manifest(self.repository, digest)
        if found is None:
            raise NotFound(f"{self._client.address(self.repository)} does not hold {digest}")
        return found

    def open(self, digest: str) -> Iterator[bytes]:
        """Stream a blob from its beginning."""
        return self._client.blob(self.repository, digest)


@frozen
class Layout:
    """A folder as the OCI image layout describes it.

    https://github.com/opencontainers/image-spec/blob/main/image-layout.md
    """

    _folder: Path
    repository: str = field(default="", init=False)

    def digest(self) -> str:
        """Return the digest of its one image.

        Raises:
            PushFailed: it holds none or several.
        """
        index = Manifest(self._read(self._folder / "index.json"), OCI_INDEX)
        if len(index.children) != 1:
            raise PushFailed(f"{self._folder} holds {len(index.children)} images where one is expected")
        return index.children[0].digest

    def manifest(self, digest: str) -> Manifest:
        """Return a manifest."""
        found = self_described(self._read(self._path(digest)))
        if found.digest != digest:
            raise PushFailed(f"{self._path(digest)} does not hold what its name says")
        return found

    def open(self, digest: str) -> Iterator[bytes]:
        """Stream a blob from its beginning."""
        with self._path(digest).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def _path(self, digest: str) -> Path:
        return self._folder / "blobs" / digest.replace(":", "/")

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"{path} is missing", hint="build the image again") from error


def transfer(client: OciClient, source: Source, *, digest: str, repository: str, tag: str) -> Copied:
    """Bring an image into a repository and give it a tag, unless it stands there already.

    Args:
        client: of the registry that is written to.
        source: where the image is.
        digest: of its manifest or index.
        repository: where to.
        tag: which one to set, last of all.

    Raises:
        NotFound: the image or the repository is not there.
        PushFailed: the registry did not take it, or the tag holds other bytes.
    """
    with _pushing(f"{client.address(repository)}:{tag}"):
        if _stands(client, repository, tag, digest):
            return Copied(digest=digest)
        *children, root = _family(source, digest)
        copied = _bring_all(client, source, _blobs([*children, root]), repository, digest)
        for child in children:
            client.put(repository, child.digest, child)
        client.put(repository, tag, root)
        if not _stands(client, repository, tag, digest):
            raise PushFailed(f"{client.address(repository)}:{tag} is not there after it was accepted")
        return copied


@frozen(kw_only=True)
class _Cost:
    """What it took to bring one blob; nothing when it was there already."""

    mounted: int = 0
    uploaded: int = 0
    sent: int = 0


@contextmanager
def _pushing(target: str) -> Iterator[None]:
    """Say that a push failed when the registry falls silent: some of its blobs may have arrived."""
    try:
        yield
    except Unreachable as error:
        state = f"{target} may be incomplete; no tag was moved by this"
        raise PushFailed(error.what, state=state, hint="run the same command again") from error


def _stands(client: OciClient, repository: str, tag: str, digest: str) -> bool:
    """Return whether the tag names the digest.

    Raises:
        PushFailed: it names another one.
    """
    standing = client.head(repository, tag)
    if standing in {"", digest}:
        return bool(standing)
    raise PushFailed(
        f"{client.address(repository)}:{tag} holds other bytes: {standing}, not {digest}",
        state="it was left as it is",
        hint=NEVER_MOVES,
    )


def _family(source: Source, digest: str) -> list[Manifest]:
    """Return a manifest after everything that it refers to."""
    manifest = source.manifest(digest)
    children = [each for child in manifest.children for each in _family(source, child.digest)]
    return [*children, manifest]


def _blobs(manifests: list[Manifest]) -> list[Descriptor]:
    """Return what the manifests need, each blob once."""
    return list({blob.digest: blob for manifest in manifests for blob in manifest.blobs}.values())


def _bring_all(client: OciClient, source: Source, blobs: list[Descriptor], repository: str, digest: str) -> Copied:
    """Bring blobs side by side; when one fails, the others stop at their next chunk."""
    stop = Event()
    with ThreadPoolExecutor(max_workers=BLOBS_AT_ONCE) as pool:
        try:
            coming = [pool.submit(_bring, client, source, repository, stop, blob) for blob in blobs]
            costs = [each.result() for each in as_completed(coming)]
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
    return Copied(
        digest=digest,
        mounted=sum(cost.mounted for cost in costs),
        uploaded=sum(cost.uploaded for cost in costs),
        sent=sum(cost.sent for cost in costs),
    )


def _bring(client: OciClient, source: Source, repository: str, stop: Event, blob: Descriptor) -> _Cost:
    """Bring one blob by the cheapest way that the registry offers."""
    if client.has_blob(repository, blob.digest):
        return _Cost()
    session = ""
    if source.repository:
        session = client.mount(repository, blob.digest, source.repository)
        if not session:
            return _Cost(mounted=1)
    client.upload(repository, blob, lambda: _until(stop, source.open(blob.digest)), session=session)
    return _Cost(uploaded=1, sent=blob.size)


def _until(stop: Event, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if stop.is_set():
            raise Interrupted("another blob of the same image failed")
        yield chunk
