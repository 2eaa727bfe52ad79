"""Copying images from one registry to another, between two of docker-registry and from a scripted one."""

from __future__ import annotations

import itertools
import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.manifest import MANIFEST_MEDIA_TYPES
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from kaizen_tasks.errors import Cancelled, Locked, NotFound, PushFailed, Refused
from kaizen_tasks.ports.activity import observing_activity
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.fakes.activity import FakeObserver
from tests.fakes.clock import FakeClock
from tests.support import oci_images
from tests.support.docker_registry import DockerRegistry, docker_registry
from tests.support.plain_registry import PlainRegistry
from tests.support.scripted_server import Reply
from tests.support.tcp_relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kaizen_tasks.adapters.oci.blobs import Stream
    from kaizen_tasks.domain.image import CopyStats
    from kaizen_tasks.ports.clock import Clock
    from tests.support.oci_images import Sample
    from tests.support.scripted_server import ScriptedServer

pytestmark = pytest.mark.integration


@pytest.fixture
def distant(tmp_path: Path) -> Iterator[DockerRegistry]:
    """A second registry, with the image to copy."""
    if not docker_registry():
        pytest.skip("docker-registry is not installed")
    folder = tmp_path / "distant"
    folder.mkdir()
    with DockerRegistry(folder) as registry:
        yield registry


@pytest.fixture
def origin(distant: DockerRegistry) -> PlainRegistry:
    return PlainRegistry(distant.login, clock=FakeClock())


@pytest.fixture
def registry(plain: DockerRegistry) -> PlainRegistry:
    return PlainRegistry(plain.login, clock=FakeClock())


class LostOrigin(PlainRegistry):
    """A registry of which twelve blobs can be read, four more than are copied at the same time."""

    def __init__(self, login: Login, *, clock: Clock) -> None:
        super().__init__(login, clock=clock)
        self._reads = itertools.count()

    def open_blob(self, repository: str, digest: str, offset: int = 0) -> Stream:
        if next(self._reads) >= 12:
            raise Locked("lost")
        return super().open_blob(repository, digest, offset)


def _client(server: DockerRegistry) -> OciClient:
    return OciClient(StaticCredentials(server.login), clock=FakeClock())


def _copy(registry: PlainRegistry, sample: Sample, origin: PlainRegistry, *, target: str = "b") -> CopyStats:
    return registry.copy(digest=sample.digest, source="a", target=target, tag="v1.2.3", origin=origin)


def _size(sample: Sample) -> int:
    return sum(map(len, sample.blobs.values()))


class TestCopy:
    def test_sends_every_blob_and_keeps_the_original_bytes(
        self, distant: DockerRegistry, plain: DockerRegistry, registry: PlainRegistry, origin: PlainRegistry
    ) -> None:
        sample = oci_images.image(layers=(b"base", b"app")).push(_client(distant), "a", "v1.2.3")

        copied = _copy(registry, sample, origin)

        assert (copied.blobs_mounted, copied.blobs_uploaded, copied.bytes_sent) == (0, 3, _size(sample))
        assert _client(plain).manifest("b", "v1.2.3") == sample.root

    def test_index_arrives_with_its_children(
        self, distant: DockerRegistry, registry: PlainRegistry, origin: PlainRegistry
    ) -> None:
        amd, arm = oci_images.image(), oci_images.image(layers=(b"arm",), architecture="arm64")
        index = oci_images.index(("linux/amd64", amd), ("linux/arm64", arm)).push(_client(distant), "a", "v1.2.3")

        _copy(registry, index, origin)

        for digest in (index.digest, amd.digest, arm.digest):
            assert registry.find_image("b", digest) is not None

    def test_sends_only_what_the_target_lacks(
        self, distant: DockerRegistry, plain: DockerRegistry, registry: PlainRegistry, origin: PlainRegistry
    ) -> None:
        oci_images.image("v1.2.2", layers=(b"base", b"old")).push(_client(plain), "b", "v1.2.2")
        sample = oci_images.image(layers=(b"base", b"new")).push(_client(distant), "a", "v1.2.3")

        copied = _copy(registry, sample, origin)

        assert (copied.blobs_uploaded, copied.blobs_present) == (2, 1)

    def test_further_repositories_mount_what_the_first_one_got(
        self, distant: DockerRegistry, registry: PlainRegistry, origin: PlainRegistry
    ) -> None:
        sample = oci_images.image().push(_client(distant), "a", "v1.2.3")
        _copy(registry, sample, origin)

        copied = _copy(registry, sample, origin, target="c")

        assert (copied.blobs_mounted, copied.blobs_uploaded, copied.bytes_sent) == (3, 0, 0)

    def test_same_image_under_the_tag_is_success(
        self, distant: DockerRegistry, registry: PlainRegistry, origin: PlainRegistry, plain: DockerRegistry
    ) -> None:
        sample = oci_images.image().push(_client(distant), "a", "v1.2.3").push(_client(plain), "b", "v1.2.3")

        assert _copy(registry, sample, origin).bytes_sent == 0

    def test_another_image_under_the_tag_stays(
        self, distant: DockerRegistry, registry: PlainRegistry, origin: PlainRegistry, plain: DockerRegistry
    ) -> None:
        sample = oci_images.image().push(_client(distant), "a", "v1.2.3")
        other = oci_images.image(layers=(b"other",)).push(_client(plain), "b", "v1.2.3")

        with pytest.raises(PushFailed, match="is a different image"):
            _copy(registry, sample, origin)

        assert _client(plain).resolve_digest("b", "v1.2.3") == other.digest

    def test_missing_source_image_is_named_with_its_registry(
        self, distant: DockerRegistry, registry: PlainRegistry, origin: PlainRegistry
    ) -> None:
        oci_images.image("v0.1.0").push(_client(distant), "a", "v0.1.0")

        with pytest.raises(NotFound, match=f"{distant.host}/a does not hold"):
            _copy(registry, oci_images.image(), origin)


class TestInterruption:
    def test_blobs_that_have_arrived_are_not_sent_again(
        self, distant: DockerRegistry, plain: DockerRegistry, registry: PlainRegistry, origin: PlainRegistry
    ) -> None:
        sample = oci_images.image(layers=tuple(bytes([number]) * 1000 for number in range(20)))
        sample.push(_client(distant), "a", "v1.2.3")

        with pytest.raises(Locked):
            _copy(registry, sample, LostOrigin(distant.login, clock=FakeClock()))
        arrived = sum(_client(plain).blobs.has("b", digest) for digest in sample.blobs)
        again = _copy(PlainRegistry(plain.login, clock=FakeClock()), sample, origin)

        assert 0 < arrived < len(sample.blobs)
        assert (again.blobs_present, again.blobs_uploaded) == (arrived, len(sample.blobs) - arrived)

    def test_broken_download_goes_on_where_it_broke(
        self, distant: DockerRegistry, plain: DockerRegistry, registry: PlainRegistry
    ) -> None:
        """The upload is not interrupted by it: ECR drops every chunk of a layer but the first."""
        layer = os.urandom(1 << 20) * 24
        sample = oci_images.image(layers=(layer,)).push(_client(distant), "a", "v1.2.3")
        with Relay(distant.port, answer_cuts=[9 << 20, 4 << 20]) as relay, Relay(plain.port) as target:
            login = Login(url=f"http://127.0.0.1:{relay.port}", username="AWS", password=distant.login.password)
            broken = PlainRegistry(login, clock=FakeClock())
            login = Login(url=f"http://127.0.0.1:{target.port}", username="AWS", password=plain.login.password)

            copied = _copy(PlainRegistry(login, clock=FakeClock()), sample, broken)

            assert relay.answer_cuts == []
            assert copied.bytes_sent == _size(sample)
            assert target.sent < _size(sample) + (1 << 20)
        assert registry.find_image("b", "v1.2.3") is not None

    def test_ends_with_the_waits_of_the_command(
        self, distant: DockerRegistry, plain: DockerRegistry, origin: PlainRegistry
    ) -> None:
        """Ctrl-C in a rollout reaches the threads that copy in no other way."""
        sample = oci_images.image().push(_client(distant), "a", "v1.2.3")
        clock = FakeClock()
        clock.cancel_waits()

        with pytest.raises(Cancelled):
            _copy(PlainRegistry(plain.login, clock=clock), sample, origin)

        assert _client(plain).resolve_digest("b", "v1.2.3") == ""

    def test_damaged_layer_leaves_no_tag(
        self, scripted: ScriptedServer, plain: DockerRegistry, registry: PlainRegistry
    ) -> None:
        sample = oci_images.image(layers=(b"layer",))
        origin = _scripted(scripted, sample)
        scripted.script[f"GET /v2/a/blobs/{sample.root.blobs[1].digest}"] = [Reply(body=b"roten")]

        with pytest.raises(PushFailed, match="does not match its digest"):
            _copy(registry, sample, origin)

        assert _client(plain).resolve_digest("b", "v1.2.3") == ""

    def test_manifest_with_other_bytes_is_refused(self, scripted: ScriptedServer, registry: PlainRegistry) -> None:
        sample = oci_images.image()
        origin = _scripted(scripted, sample)
        scripted.script[f"GET /v2/a/manifests/{sample.digest}"] = [Reply(body=b"{}")]

        with pytest.raises(Refused, match=f"when asked for {sample.digest}"):
            _copy(registry, sample, origin)


class TestTransfer:
    def test_large_layers_pass_through_little_memory(
        self, distant: DockerRegistry, registry: PlainRegistry, origin: PlainRegistry
    ) -> None:
        layers = tuple(bytes([number]) + bytes(16 << 20) for number in range(4))
        sample = oci_images.image(layers=layers).push(_client(distant), "a", "v1.2.3")
        tracemalloc.start()
        try:
            copied = _copy(registry, sample, origin)
            assert tracemalloc.get_traced_memory()[1] < 24 << 20
        finally:
            tracemalloc.stop()

        assert copied.bytes_sent == _size(sample) > 64 << 20

    def test_tells_how_many_bytes_have_passed(
        self, distant: DockerRegistry, plain: DockerRegistry, origin: PlainRegistry
    ) -> None:
        sample = oci_images.image(layers=(bytes(3_000_000),)).push(_client(distant), "a", "v1.2.3")
        observer = FakeObserver()

        with observing_activity(observer):
            _copy(PlainRegistry(plain.login, clock=FakeClock()), sample, origin)

        assert observer.states[-1].startswith("uploaded 3.0 MB of 3.0 MB")


def _scripted(server: ScriptedServer, sample: Sample) -> PlainRegistry:
    """Return a scripted registry with an image in its repository `a`."""
    headers = {"Content-Type": sample.root.media_type}
    assert headers["Content-Type"] in MANIFEST_MEDIA_TYPES
    server.script[f"GET /v2/a/manifests/{sample.digest}"] = [Reply(body=sample.root.content, headers=headers)]
    for digest, content in sample.blobs.items():
        server.script[f"GET /v2/a/blobs/{digest}"] = [Reply(body=content)]
    return PlainRegistry(Login(url=server.url, username="AWS", password=Secret("x")), clock=FakeClock())
