"""What a hostile or broken registry cannot make the client do: wait, fill the memory, or recurse without end."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.adapters.oci import pool, sources, watchdog
from kaizen_tasks.adapters.oci.manifest import (
    MAX_INDEX_DEPTH,
    MAX_MANIFEST_BYTES,
    OCI_INDEX,
    OCI_MANIFEST,
    Manifest,
    sha256_digest,
)
from kaizen_tasks.adapters.oci.pool import ConnectionPool
from kaizen_tasks.adapters.oci.sources import manifest_tree
from kaizen_tasks.errors import Refused
from tests.support.oci_images import CONFIG
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.adapters.oci.client import OciClient

HEAD = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def dripping(beginning: bytes, drop: bytes) -> Iterator[str]:
    """Serve a beginning and then drops without end, faster than any timeout of a socket; yield the URL."""
    closing = threading.Event()

    def drip(listener: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(beginning)
                while not closing.wait(0.01):
                    connection.sendall(drop)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        closing.set()
        thread.join(HANG_SECONDS)


@pytest.mark.integration
class TestTime:
    @pytest.fixture(autouse=True)
    def _short_requests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pool, "REQUEST_SECONDS", 0.1)
        monkeypatch.setattr(watchdog, "CHECK_INTERVAL_SECONDS", 0.02)

    @pytest.mark.parametrize(
        ("beginning", "drop"),
        [
            (b"", b"H"),
            (HEAD + b"X-Endless: ", b"x"),
            (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
            (HEAD + b"\r\n", b"x"),
        ],
        ids=["status", "header", "body", "chunks", "body without length"],
    )
    def test_response_that_never_ends_is_broken_off(self, beginning: bytes, drop: bytes) -> None:
        with dripping(beginning, drop) as url, pytest.raises(TimeoutError, match="takes too long"):
            ConnectionPool(NetworkSettings()).request("GET", url, "/v2/", headers={}, body=b"").body(limit=10_000_000)

    def test_time_grows_with_what_is_transferred(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pool, "REQUEST_SECONDS", HANG_SECONDS)
        seconds: list[float] = []
        monkeypatch.setattr(watchdog.Watchdog, "watch", lambda _self, _sock, limit: seconds.append(limit))
        with ScriptedServer({"GET /v2/": [Reply(body=bytes(3 << 20))]}) as server:
            response = ConnectionPool(NetworkSettings()).request("GET", server.url, "/v2/", headers={}, body=b"")
            assert len(response.body(limit=4 << 20)) == 3 << 20

        assert len(seconds) == 4
        assert seconds[-1] > seconds[0] + 100


@pytest.mark.integration
class TestSize:
    def manifest(self, scripted: ScriptedServer, content: bytes, media_type: str = OCI_MANIFEST) -> Manifest:
        reply = Reply(body=content, headers={"Content-Type": media_type})
        scripted.script[f"GET /v2/web/manifests/{sha256_digest(content)}"] = [reply]
        return Manifest(content, media_type)

    def image(self, scripted: ScriptedServer, config: bytes, *, size: int = -1) -> Manifest:
        """Return an image whose configuration has some content, and says that it has some size."""
        scripted.script[f"GET /v2/web/blobs/{sha256_digest(config)}"] = [Reply(body=config)]
        descriptor = {"digest": sha256_digest(config), "mediaType": CONFIG, "size": len(config) if size < 0 else size}
        return self.manifest(scripted, json.dumps({"config": descriptor, "layers": []}).encode())

    def test_large_manifest_is_not_read(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        content = b" " * (MAX_MANIFEST_BYTES + 1)
        manifest = self.manifest(scripted, content)

        with pytest.raises(Refused, match=r"is too large: it sends more than 4,194,304 bytes"):
            hearing.manifest("web", manifest.digest)

    def test_large_error_is_not_read(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script["GET /v2/web/manifests/v1"] = [Reply(status=400, body=b"x" * 1_000_000)]

        with pytest.raises(Refused, match="cannot read web:v1: HTTP 400"):
            hearing.manifest("web", "v1")

    def test_large_configuration_is_not_requested(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        manifest = self.image(scripted, b"{}", size=3 << 30)

        with pytest.raises(Refused, match=r"has 3,221,225,472 bytes; at most 8,388,608 are read"):
            hearing.describe_image("web", manifest)

        assert scripted.requests == []

    @pytest.mark.parametrize("config", [b"{", b"\xff", b"[" * 100_000])
    def test_configuration_that_is_not_json_is_refused(
        self, scripted: ScriptedServer, hearing: OciClient, config: bytes
    ) -> None:
        with pytest.raises(Refused, match=r"the configuration .* is not JSON"):
            hearing.describe_image("web", self.image(scripted, config))

    @pytest.mark.parametrize("config", [[], {}, {"config": 7}, {"config": {"Labels": []}}, {"config": None}])
    def test_configuration_without_labels_has_no_version(
        self, scripted: ScriptedServer, hearing: OciClient, config: Any
    ) -> None:
        assert hearing.describe_image("web", self.image(scripted, json.dumps(config).encode())).version == ""

    def test_indexes_in_indexes_are_followed_some_levels(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        manifest = self.image(scripted, b"{}")
        for _ in range(20):
            manifest = self.manifest(scripted, index(manifest), OCI_INDEX)

        assert hearing.describe_image("web", manifest).version == ""
        assert len(scripted.requests) == MAX_INDEX_DEPTH

    def test_deeply_nested_manifest_is_refused(self) -> None:
        with pytest.raises(Refused, match="is not an image manifest"):
            _ = Manifest(b"[" * 100_000, OCI_MANIFEST).children


def index(*children: Manifest) -> bytes:
    """Return an index of manifests."""
    descriptors = [
        {"digest": child.digest, "mediaType": child.media_type, "size": len(child.content)} for child in children
    ]
    return json.dumps({"manifests": descriptors}).encode()


class TreeSource:
    """A source of manifests in memory."""

    name = mountable_repository = "web"

    def __init__(self) -> None:
        self.manifests: dict[str, Manifest] = {}
        self.reads = 0

    def add(self, content: bytes) -> Manifest:
        manifest = Manifest(content, OCI_INDEX)
        self.manifests[manifest.digest] = manifest
        return manifest

    def manifest(self, digest: str) -> Manifest:
        self.reads += 1
        return self.manifests[digest]

    def open(self, digest: str, offset: int) -> Any:
        raise AssertionError(digest)


def test_manifest_that_is_named_often_is_read_once() -> None:
    source = TreeSource()
    manifest = source.add(b"{}")
    for _ in range(4):
        manifest = source.add(index(*[manifest] * 100))

    assert [each.digest for each in manifest_tree(source, manifest.digest)] == list(source.manifests)
    assert source.reads == 5


def test_indexes_that_are_nested_too_deep_are_refused() -> None:
    source = TreeSource()
    manifest = source.add(b"{}")
    for _ in range(5):
        manifest = source.add(index(manifest))

    with pytest.raises(Refused, match="nested deeper than 4 levels"):
        manifest_tree(source, manifest.digest)


def test_image_with_too_many_manifests_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_MANIFESTS", 3)
    source = TreeSource()
    root = source.add(index(*[source.add(b'{"x": %d}' % number) for number in range(5)]))

    with pytest.raises(Refused, match="more than 3 manifests"):
        manifest_tree(source, root.digest)
