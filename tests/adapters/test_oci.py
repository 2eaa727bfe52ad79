"""The client of the distribution API, on a registry that somebody else wrote and on a misbehaving one."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from kaizen_tasks.adapters.oci import OciClient, checked
from kaizen_tasks.adapters.oci_manifest import Descriptor, sha256
from kaizen_tasks.adapters.oci_registry import OciRegistry
from kaizen_tasks.errors import Denied, NotFound, PushFailed, Refused, Unreachable
from kaizen_tasks.ports import Login, Secret
from tests import oci_samples
from tests.contracts.registry import RegistryContract
from tests.oci_samples import Sample
from tests.registries import DockerRegistry, docker_registry
from tests.scripted import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


needs_docker_registry = pytest.mark.skipif(not docker_registry(), reason="docker-registry is not installed")
DIGEST = "sha256:" + "1" * 64


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[DockerRegistry]:
    with DockerRegistry(tmp_path) as registry:
        yield registry


@pytest.fixture
def client(plain: DockerRegistry) -> OciClient:
    return OciClient(plain.login)


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@frozen
class PlainShelf:
    registry: OciRegistry
    sample: Sample
    client: OciClient

    def put(self, repository: str, tag: str, sample: Sample) -> None:
        sample.push(self.client, repository, tag)


@needs_docker_registry
class TestPlainRegistry(RegistryContract):
    @pytest.fixture
    def shelf(self, plain: DockerRegistry, client: OciClient) -> PlainShelf:
        sample = oci_samples.image().push(client, "team/staging", "v1.2.3")
        oci_samples.image("v0.1.0", layers=(b"old",)).push(client, "team/prod", "v0.1.0")
        return PlainShelf(OciRegistry(plain.login), sample, client)


@needs_docker_registry
class TestTransfer:
    def test_mounts_every_blob_of_a_repository_next_to_it(self, client: OciClient) -> None:
        sample = oci_samples.image().push(client, "a", "v1.2.3")

        copied = client.copy(digest=sample.digest, source="a", target="b", tag="v1.2.3")

        assert (copied.mounted, copied.uploaded, copied.sent) == (3, 0, 0)

    def test_keeps_the_original_bytes(self, client: OciClient) -> None:
        sample = oci_samples.image().push(client, "a", "v1.2.3")

        client.copy(digest=sample.digest, source="a", target="b", tag="v1.2.3")

        assert client.manifest("b", "v1.2.3") == sample.root

    def test_uploads_a_layout(self, client: OciClient, tmp_path: Path) -> None:
        sample = oci_samples.image(layers=(b"x" * 3_000_000, b"app"))

        copied = client.upload_layout(sample.write(tmp_path / "layout"), repository="a", tag="v1.2.3")

        assert (sample.digest, 0, 3) == (copied.digest, copied.mounted, copied.uploaded)
        assert sum(map(len, sample.blobs.values())) == copied.sent
        assert client.manifest("a", "v1.2.3") == sample.root

    def test_uploads_a_layout_once(self, client: OciClient, tmp_path: Path) -> None:
        layout = oci_samples.image().write(tmp_path / "layout")
        client.upload_layout(layout, repository="a", tag="v1.2.3")

        again = client.upload_layout(layout, repository="a", tag="v1.2.3")

        assert again.uploaded == 0

    def test_does_not_send_a_layer_that_the_target_holds(self, client: OciClient, tmp_path: Path) -> None:
        oci_samples.image("v1.2.2", layers=(b"base", b"old")).push(client, "a", "v1.2.2")
        layout = oci_samples.image(layers=(b"base", b"new")).write(tmp_path / "layout")

        assert client.upload_layout(layout, repository="a", tag="v1.2.3").uploaded == 2

    def test_leaves_no_tag_when_a_layer_is_damaged(self, client: OciClient, tmp_path: Path) -> None:
        sample = oci_samples.image(layers=(b"layer",))
        layout = sample.write(tmp_path / "layout")
        (layout / "blobs" / sample.root.blobs[1].digest.replace(":", "/")).write_bytes(b"rotten")

        with pytest.raises(PushFailed):
            client.upload_layout(layout, repository="a", tag="v1.2.3")

        assert not client.head("a", "v1.2.3")

    def test_misses_a_file_of_the_layout(self, client: OciClient, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match=r"index\.json is missing"):
            client.upload_layout(tmp_path, repository="a", tag="v1.2.3")

    def test_refuses_a_wrong_password(self, plain: DockerRegistry) -> None:
        stranger = OciClient(Login(url=plain.login.url, username="AWS", password=Secret("guess-it")))

        with pytest.raises(Denied) as caught:
            stranger.head("a", "v1.2.3")

        assert "guess-it" not in str(caught.value)

    def test_copies_side_by_side_into_many_repositories(self, client: OciClient) -> None:
        sample = oci_samples.image(layers=tuple(bytes([n]) * 1000 for n in range(8))).push(client, "a", "v1")
        failed: list[BaseException] = []

        def copy(target: str) -> None:
            try:
                client.copy(digest=sample.digest, source="a", target=target, tag="v1")
            except BaseException as error:  # noqa: BLE001 - a thread must not swallow it
                failed.append(error)

        threads = [threading.Thread(target=copy, args=(f"tenant/{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert not failed
        assert {sample.digest} == {client.head(f"tenant/{n}", "v1") for n in range(8)}


class TestMisbehaviour:
    def test_asks_again_while_the_registry_is_busy(self, scripted: ScriptedServer) -> None:
        busy = [Reply(status=429), Reply(status=503), Reply(breaks=True)]
        found = Reply(headers={"Docker-Content-Digest": DIGEST})
        scripted.script["HEAD /v2/a/manifests/v1"] = [*busy, found]

        assert _client(scripted).head("a", "v1") == DIGEST
        assert len(scripted.asked("HEAD /v2/a/manifests/v1")) == 4

    def test_gives_up_on_a_registry_that_stays_busy(self, scripted: ScriptedServer) -> None:
        scripted.script["HEAD /v2/a/manifests/v1"] = [Reply(status=503)]

        with pytest.raises(Unreachable, match="HTTP 503"):
            _client(scripted).head("a", "v1")

    def test_says_that_nobody_listens(self) -> None:
        with ScriptedServer() as gone:
            client = _client(gone)

        with pytest.raises(Unreachable, match="does not answer"):
            client.head("a", "v1")

    def test_sends_no_credentials_to_the_storage_behind_a_redirect(self, scripted: ScriptedServer) -> None:
        with ScriptedServer({"GET /bucket": [Reply(body=b"content")]}) as storage:
            there = Reply(status=307, headers={"Location": f"{storage.url}/bucket"})
            scripted.script[f"GET /v2/a/blobs/{DIGEST}"] = [there]

            assert b"".join(_client(scripted).blob("a", DIGEST)) == b"content"

        assert "Authorization" in scripted.requests[0].headers
        assert "Authorization" not in storage.requests[0].headers

    def test_refuses_a_manifest_that_is_not_what_was_asked_for(self, scripted: ScriptedServer) -> None:
        scripted.script[f"GET /v2/a/manifests/{DIGEST}"] = [Reply(body=b"{}")]

        with pytest.raises(Refused, match="when asked for"):
            _client(scripted).manifest("a", DIGEST)

    def test_sends_a_blob_again_from_its_beginning(self, scripted: ScriptedServer) -> None:
        blob = _blob(b"content")
        scripted.script |= {
            "POST /v2/a/blobs/uploads/": [Reply(status=202, headers={"Location": "/session?state=1"})],
            "PATCH /session?state=1": [
                Reply(status=500),
                Reply(breaks=True),
                Reply(status=202, headers={"Location": "/session?state=2"}),
            ],
            f"PUT /session?state=2&digest={blob.digest}": [Reply(status=201)],
        }

        _client(scripted).upload("a", blob, lambda: iter([b"con", b"tent"]))

        sent = scripted.asked("PATCH /session?state=1")
        assert [request.body for request in sent] == [b"content"] * 3
        assert "Authorization" in sent[-1].headers

    def test_uses_the_upload_that_a_refused_mount_has_begun(self, scripted: ScriptedServer) -> None:
        sample = oci_samples.image(layers=(b"layer",))
        _hold(scripted, "a", sample)
        for digest in sample.blobs:
            session = f"/upload/{digest}"
            begun = Reply(status=202, headers={"Location": session})
            scripted.script |= {
                f"POST /v2/b/blobs/uploads/?mount={digest}&from=a": [begun],
                f"PATCH {session}": [begun],
                f"PUT {session}?digest={digest}": [Reply(status=201)],
            }
        there = Reply(headers={"Docker-Content-Digest": sample.digest})
        scripted.script["HEAD /v2/b/manifests/v1"] = [Reply(status=404), there]
        scripted.script["PUT /v2/b/manifests/v1"] = [Reply(status=201)]

        copied = _client(scripted).copy(digest=sample.digest, source="a", target="b", tag="v1")

        assert (copied.mounted, copied.uploaded) == (0, 2)
        assert sum(map(len, sample.blobs.values())) == copied.sent
        assert not scripted.asked("POST /v2/b/blobs/uploads/")

    def test_knows_an_immutable_tag_by_its_code(self, scripted: ScriptedServer) -> None:
        body = json.dumps({"errors": [{"code": "TAG_INVALID", "message": "some new wording"}]}).encode()
        scripted.script["PUT /v2/a/manifests/v1"] = [Reply(status=400, body=body)]

        with pytest.raises(PushFailed, match="TAG_INVALID") as caught:
            _client(scripted).put("a", "v1", oci_samples.image().root)

        assert caught.value.hint == "a version never moves: release the next one"

    def test_a_silent_registry_fails_the_push(self, scripted: ScriptedServer, tmp_path: Path) -> None:
        layout = oci_samples.image().write(tmp_path / "layout")
        scripted.script["HEAD /v2/a/manifests/v1"] = [Reply(breaks=True)]

        with pytest.raises(PushFailed, match="does not answer"):
            _client(scripted).upload_layout(layout, repository="a", tag="v1")

    def test_a_failed_layer_stops_the_others_on_their_way(self, scripted: ScriptedServer, tmp_path: Path) -> None:
        sample = oci_samples.image(layers=(b"denied", b"y" * 50_000_000))
        layout = sample.write(tmp_path / "layout")
        denied, large = sample.root.blobs[1], sample.root.blobs[2]
        scripted.script |= {f"HEAD /v2/a/blobs/{blob.digest}": [Reply()] for blob in sample.root.blobs}
        scripted.script[f"HEAD /v2/a/blobs/{denied.digest}"] = [Reply(status=403)]
        scripted.script[f"HEAD /v2/a/blobs/{large.digest}"] = [Reply(status=404)]
        scripted.script["POST /v2/a/blobs/uploads/"] = [Reply(status=202, headers={"Location": "/upload"})]
        scripted.script["PATCH /upload"] = [Reply(status=202)]

        with pytest.raises(Denied):
            _client(scripted).upload_layout(layout, repository="a", tag="v1")

        assert not scripted.asked(f"PUT /upload?digest={large.digest}")

    def test_needs_an_address_to_upload_to(self, scripted: ScriptedServer) -> None:
        scripted.script["POST /v2/a/blobs/uploads/"] = [Reply(status=202)]

        with pytest.raises(PushFailed, match="without saying where"):
            _client(scripted).upload("a", _blob(b"content"), lambda: iter([b"content"]))

    def test_notices_a_push_that_was_accepted_and_forgotten(self, scripted: ScriptedServer) -> None:
        sample = oci_samples.image()
        _hold(scripted, "a", sample)
        scripted.script |= {f"HEAD /v2/b/blobs/{digest}": [Reply()] for digest in sample.blobs}
        scripted.script["PUT /v2/b/manifests/v1"] = [Reply(status=201)]

        with pytest.raises(PushFailed, match="not there after it was accepted"):
            _client(scripted).copy(digest=sample.digest, source="a", target="b", tag="v1")

    def test_says_how_to_create_a_missing_target(self, scripted: ScriptedServer, tmp_path: Path) -> None:
        layout = oci_samples.image().write(tmp_path / "layout")
        body = json.dumps({"errors": [{"code": "NAME_UNKNOWN"}]}).encode()
        scripted.script["POST /v2/a/blobs/uploads/"] = [Reply(status=404, body=body)]

        with pytest.raises(NotFound) as caught:
            _client(scripted).upload_layout(layout, repository="a", tag="v1")

        assert caught.value.hint == "create it: aws ecr create-repository --repository-name a"


def test_passes_content_on_that_is_what_its_name_says() -> None:
    assert b"".join(checked([b"con", b"tent"], _blob(b"content"))) == b"content"


@pytest.mark.parametrize("content", [b"contend", b"conten", b"content and more"])
def test_refuses_content_that_is_not_what_its_name_says(content: bytes) -> None:
    with pytest.raises(PushFailed, match="does not hold what its name says"):
        list(checked([content], _blob(b"content")))


def _client(server: ScriptedServer) -> OciClient:
    return OciClient(Login(url=server.url, username="AWS", password=Secret("let-me-in")), backoff=0)


def _blob(content: bytes) -> Descriptor:
    return Descriptor(digest=sha256(content), media_type=oci_samples.LAYER, size=len(content))


def _hold(server: ScriptedServer, repository: str, sample: Sample) -> None:
    """Script a repository that holds an image."""
    kind = {"Content-Type": sample.root.media_type}
    whole = Reply(body=sample.root.content, headers=kind)
    server.script[f"GET /v2/{repository}/manifests/{sample.digest}"] = [whole]
    for digest, content in sample.blobs.items():
        server.script[f"GET /v2/{repository}/blobs/{digest}"] = [Reply(body=content)]
