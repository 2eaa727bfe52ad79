"""Pushing whole images, to docker-registry and to a scripted registry."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.oci.pusher import ImagePusher
from kaizen_tasks.errors import Denied, Locked, NotFound, PushFailed
from kaizen_tasks.ports.attempts import limit_attempts
from tests.support import oci_images
from tests.support.scripted_server import Reply
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kaizen_tasks.adapters.oci.client import OciClient
    from tests.support.docker_registry import DockerRegistry
    from tests.support.oci_images import Sample
    from tests.support.scripted_server import ScriptedServer

pytestmark = pytest.mark.integration


class TestTransfer:
    def test_copy_mounts_every_blob(self, client: OciClient) -> None:
        sample = oci_images.image().push(client, "a", "v1.2.3")

        copied = ImagePusher(client).copy(digest=sample.digest, source="a", target="b", tag="v1.2.3")

        assert (copied.blobs_mounted, copied.blobs_uploaded, copied.bytes_sent) == (3, 0, 0)

    @pytest.mark.parametrize("attempts", range(6))
    def test_nothing_is_tagged_once_the_lock_is_lost(self, client: OciClient, attempts: int) -> None:
        """Mounts and uploads go on in other threads, which must notice as well."""
        sample = oci_images.image().push(client, "a", "v1.2.3")
        checks = itertools.count()

        def limit() -> float:
            if next(checks) >= attempts:
                raise Locked("lost")
            return 60.0

        with limit_attempts(limit), pytest.raises(Locked):
            ImagePusher(client).copy(digest=sample.digest, source="a", target="b", tag="v1.2.3")

        assert client.resolve_digest("b", "v1.2.3") == ""

    def test_requests_are_the_blobs_and_two(self, plain: DockerRegistry, client: OciClient) -> None:
        sample = oci_images.image(layers=(b"base", b"packages", b"app")).push(client, "a", "v1.2.3")

        ImagePusher(client).copy(digest=sample.digest, source="a", target="b", tag="v1.2.3")

        wait_for(lambda: plain.count_requests("/v2/b/manifests/v1.2.3") == 2)  # the log may lag behind the last answer
        assert plain.count_requests("/v2/b/") == len(sample.blobs) + 2

    def test_keeps_the_original_bytes(self, client: OciClient) -> None:
        sample = oci_images.image().push(client, "a", "v1.2.3")

        ImagePusher(client).copy(digest=sample.digest, source="a", target="b", tag="v1.2.3")

        assert client.manifest("b", "v1.2.3") == sample.root

    def test_known_blobs_are_not_requested(self, client: OciClient) -> None:
        sample = oci_images.image(layers=(b"base", b"app")).push(client, "a", "v1.2.3")
        oci_images.image("v1.2.2", layers=(b"base", b"old")).push(client, "b", "v1.2.2")
        base = sample.root.blobs[1].digest
        carrier = ImagePusher(
            client, blob_lookup=lambda repository, digests: {base} & set(digests) if repository == "b" else ()
        )

        copied = carrier.copy(digest=sample.digest, source="a", target="b", tag="v1.2.3")

        assert (copied.blobs_mounted, copied.blobs_present, copied.blobs_uploaded) == (2, 1, 0)

    def test_tag_created_during_the_upload_is_kept(self, client: OciClient) -> None:
        """This registry itself allows moving tags."""
        sample = oci_images.image().push(client, "a", "v1.2.3")
        faster = oci_images.image(layers=(b"somebody else's",))

        def stock(repository: str, _digests: Collection[str]) -> Collection[str]:
            faster.push(client, repository, "v1.2.3")
            return ()

        with pytest.raises(PushFailed, match="is a different image"):
            ImagePusher(client, blob_lookup=stock).copy(digest=sample.digest, source="a", target="b", tag="v1.2.3")

        assert client.resolve_digest("b", "v1.2.3") == faster.digest

    def test_uploads_a_layout(self, client: OciClient, tmp_path: Path) -> None:
        sample = oci_images.image(layers=(b"x" * 3_000_000, b"app"))

        copied = ImagePusher(client).upload_layout(sample.write(tmp_path / "layout"), repository="a", tag="v1.2.3")

        assert (sample.digest, 0, 3) == (copied.digest, copied.blobs_mounted, copied.blobs_uploaded)
        assert sum(map(len, sample.blobs.values())) == copied.bytes_sent
        assert client.manifest("a", "v1.2.3") == sample.root

    def test_uploads_a_layout_once(self, client: OciClient, tmp_path: Path) -> None:
        layout = oci_images.image().write(tmp_path / "layout")
        ImagePusher(client).upload_layout(layout, repository="a", tag="v1.2.3")

        again = ImagePusher(client).upload_layout(layout, repository="a", tag="v1.2.3")

        assert (again.blobs_uploaded, again.bytes_sent) == (0, 0)

    def test_does_not_send_a_layer_that_the_target_holds(self, client: OciClient, tmp_path: Path) -> None:
        oci_images.image("v1.2.2", layers=(b"base", b"old")).push(client, "a", "v1.2.2")
        layout = oci_images.image(layers=(b"base", b"new")).write(tmp_path / "layout")

        copied = ImagePusher(client).upload_layout(layout, repository="a", tag="v1.2.3")

        assert (copied.blobs_uploaded, copied.blobs_present) == (2, 1)

    def test_leaves_no_tag_when_a_layer_is_damaged(self, client: OciClient, tmp_path: Path) -> None:
        sample = oci_images.image(layers=(b"layer",))
        layout = sample.write(tmp_path / "layout")
        (layout / "blobs" / sample.root.blobs[1].digest.replace(":", "/")).write_bytes(b"rotten")

        with pytest.raises(PushFailed, match="does not match its digest"):
            ImagePusher(client).upload_layout(layout, repository="a", tag="v1.2.3")

        assert not client.resolve_digest("a", "v1.2.3")

    @pytest.mark.parametrize("missing", ["index.json", "blobs"])
    def test_missing_layout_file_is_reported(self, client: OciClient, tmp_path: Path, missing: str) -> None:
        sample = oci_images.image(layers=(b"layer",))
        layout = sample.write(tmp_path / "layout")
        layer = layout / "blobs" / sample.root.blobs[1].digest.replace(":", "/")
        (layer if missing == "blobs" else layout / "index.json").unlink()

        with pytest.raises(NotFound, match="is missing") as caught:
            ImagePusher(client).upload_layout(layout, repository="a", tag="v1.2.3")

        assert caught.value.hint == "build the image again"

    def test_copies_run_in_parallel(self, client: OciClient) -> None:
        sample = oci_images.image(layers=tuple(bytes([n]) * 1000 for n in range(8))).push(client, "a", "v1")
        carrier, targets = ImagePusher(client), [f"tenant/{number}" for number in range(8)]

        with ThreadPoolExecutor(len(targets)) as pool:
            list(pool.map(lambda to: carrier.copy(digest=sample.digest, source="a", target=to, tag="v1"), targets))

        assert {sample.digest} == {client.resolve_digest(target, "v1") for target in targets}


class TestMisbehaviour:
    def test_requests_are_a_mount_for_each_blob_then_a_look_at_the_tag_and_a_put(
        self, scripted: ScriptedServer, hearing: OciClient
    ) -> None:
        """The image itself is read once for all repositories; no byte of a layer is sent."""
        sample = oci_images.image(layers=(b"base", b"packages", b"app"))
        _hold(scripted, "a", sample)
        for target in ("b", "c"):
            _mount(scripted, target, sample)

        carrier = ImagePusher(hearing)
        for target in ("b", "c"):
            carrier.copy(digest=sample.digest, source="a", target=target, tag="v1")

        asked = [(request.method, request.path.partition("?")[0], request.body) for request in scripted.requests]
        assert asked == [
            ("GET", f"/v2/a/manifests/{sample.digest}", b""),
            *[("POST", "/v2/b/blobs/uploads/", b"")] * 4,
            ("HEAD", "/v2/b/manifests/v1", b""),
            ("PUT", "/v2/b/manifests/v1", sample.root.content),
            *[("POST", "/v2/c/blobs/uploads/", b"")] * 4,
            ("HEAD", "/v2/c/manifests/v1", b""),
            ("PUT", "/v2/c/manifests/v1", sample.root.content),
        ]

    def test_a_tag_on_another_image_spares_the_upload(
        self, scripted: ScriptedServer, hearing: OciClient, tmp_path: Path
    ) -> None:
        layout = oci_images.image().write(tmp_path / "layout")
        scripted.script["HEAD /v2/a/manifests/v1"] = [Reply(headers={"Docker-Content-Digest": "sha256:other"})]

        with pytest.raises(PushFailed, match="is a different image"):
            ImagePusher(hearing).upload_layout(layout, repository="a", tag="v1")

        assert len(scripted.requests) == 1

    def test_refused_mount_continues_as_an_upload(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        sample = oci_images.image(layers=(b"layer",))
        _hold(scripted, "a", sample)
        for digest in sample.blobs:
            session = f"/upload/{digest}"
            begun = Reply(status=202, headers={"Location": session})
            scripted.script |= {
                f"POST /v2/b/blobs/uploads/?mount={digest}&from=a": [begun],
                f"PATCH {session}": [begun],
                f"PUT {session}?digest={digest}": [Reply(status=201)],
            }
        scripted.script["PUT /v2/b/manifests/v1"] = [Reply(status=201)]

        copied = ImagePusher(hearing).copy(digest=sample.digest, source="a", target="b", tag="v1")

        assert (copied.blobs_mounted, copied.blobs_uploaded) == (0, 2)
        assert sum(map(len, sample.blobs.values())) == copied.bytes_sent
        assert not scripted.asked("POST /v2/b/blobs/uploads/")

    def test_refused_mount_of_a_present_blob_sends_nothing(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        sample = oci_images.image()
        _hold(scripted, "a", sample)
        for digest in sample.blobs:
            begun = Reply(status=202, headers={"Location": "/upload"})
            scripted.script[f"POST /v2/b/blobs/uploads/?mount={digest}&from=a"] = [begun]
            scripted.script[f"HEAD /v2/b/blobs/{digest}"] = [Reply()]
        scripted.script["PUT /v2/b/manifests/v1"] = [Reply(status=201)]

        copied = ImagePusher(hearing).copy(digest=sample.digest, source="a", target="b", tag="v1")

        assert (copied.blobs_present, copied.blobs_uploaded, copied.bytes_sent) == (3, 0, 0)

    def test_puts_children_before_their_index_and_the_tag_last(
        self, scripted: ScriptedServer, hearing: OciClient
    ) -> None:
        amd, arm = oci_images.image(), oci_images.image(layers=(b"arm",))
        index = oci_images.index(("linux/amd64", amd), ("linux/arm64", arm))
        for sample in (amd, arm, index):
            _hold(scripted, "a", sample)
            _mount(scripted, "b", sample)

        ImagePusher(hearing).copy(digest=index.digest, source="a", target="b", tag="v1")

        puts = [request.path for request in scripted.requests if request.method == "PUT"]
        assert [path.rpartition("/")[2] for path in puts] == [amd.digest, arm.digest, "v1"]

    def test_missing_source_layer_is_reported(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        sample = oci_images.image(layers=(b"layer",))
        _hold(scripted, "a", sample)
        _mount(scripted, "b", sample)
        lost = sample.root.blobs[1].digest
        begun = Reply(status=202, headers={"Location": "/upload"})
        scripted.script[f"POST /v2/b/blobs/uploads/?mount={lost}&from=a"] = [begun]
        scripted.script[f"GET /v2/a/blobs/{lost}"] = [Reply(status=404)]

        with pytest.raises(NotFound, match=f"/a does not hold {lost}"):
            ImagePusher(hearing).copy(digest=sample.digest, source="a", target="b", tag="v1")

        assert not scripted.asked("PUT /v2/b/manifests/v1")

    def test_unreachable_registry_fails_the_push(
        self, scripted: ScriptedServer, hearing: OciClient, tmp_path: Path
    ) -> None:
        layout = oci_images.image().write(tmp_path / "layout")
        scripted.script["HEAD /v2/a/manifests/v1"] = [Reply(breaks=True)]

        with pytest.raises(PushFailed, match="does not answer"):
            ImagePusher(hearing).upload_layout(layout, repository="a", tag="v1")

    def test_a_failed_layer_stops_the_others_on_their_way(
        self, scripted: ScriptedServer, hearing: OciClient, tmp_path: Path
    ) -> None:
        sample = oci_images.image(layers=(b"denied", b"y" * 50_000_000))
        layout = sample.write(tmp_path / "layout")
        denied, large = sample.root.blobs[1], sample.root.blobs[2]
        scripted.script |= {f"HEAD /v2/a/blobs/{blob.digest}": [Reply()] for blob in sample.root.blobs}
        scripted.script[f"HEAD /v2/a/blobs/{denied.digest}"] = [Reply(status=403)]
        scripted.script[f"HEAD /v2/a/blobs/{large.digest}"] = [Reply(status=404)]
        scripted.script["POST /v2/a/blobs/uploads/"] = [Reply(status=202, headers={"Location": "/upload"})]
        scripted.script["PATCH /upload"] = [Reply(status=202)]

        with pytest.raises(Denied):
            ImagePusher(hearing).upload_layout(layout, repository="a", tag="v1")

        assert not scripted.asked(f"PUT /upload?digest={large.digest}")

    def test_says_how_to_create_a_missing_target(
        self, scripted: ScriptedServer, hearing: OciClient, tmp_path: Path
    ) -> None:
        layout = oci_images.image().write(tmp_path / "layout")
        body = json.dumps({"errors": [{"code": "NAME_UNKNOWN"}]}).encode()
        scripted.script["POST /v2/a/blobs/uploads/"] = [Reply(status=404, body=body)]

        with pytest.raises(NotFound) as caught:
            ImagePusher(hearing).upload_layout(layout, repository="a", tag="v1")

        assert caught.value.hint == "create it: aws ecr create-repository --repository-name a"


def _hold(server: ScriptedServer, repository: str, sample: Sample) -> None:
    """Script a repository with an image."""
    kind = {"Content-Type": sample.root.media_type}
    whole = Reply(body=sample.root.content, headers=kind)
    server.script[f"GET /v2/{repository}/manifests/{sample.digest}"] = [whole]
    for digest, content in sample.blobs.items():
        server.script[f"GET /v2/{repository}/blobs/{digest}"] = [Reply(body=content)]


def _mount(server: ScriptedServer, repository: str, sample: Sample) -> None:
    """Script a repository that mounts blobs of `a` and accepts every manifest."""
    for digest in sample.blobs:
        server.script[f"POST /v2/{repository}/blobs/uploads/?mount={digest}&from=a"] = [Reply(status=201)]
    for reference in (sample.digest, "v1"):
        server.script[f"PUT /v2/{repository}/manifests/{reference}"] = [Reply(status=201)]
