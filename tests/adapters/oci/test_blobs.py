"""Interrupted uploads, to real registries over a broken connection and to a scripted one."""

from __future__ import annotations

import hashlib
import os
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws.ecr_credentials import EcrCredentials
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.manifest import Descriptor, sha256_digest
from kaizen_tasks.adapters.oci.transport import MAX_ATTEMPTS, StaticCredentials
from kaizen_tasks.errors import PushFailed, Unreachable
from kaizen_tasks.ports.images import Login
from tests.fakes.clock import FakeClock
from tests.support import oci_images
from tests.support.scripted_server import Reply
from tests.support.tcp_relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.adapters.oci.blobs import Stream
    from tests.support.docker_registry import DockerRegistry
    from tests.support.scripted_server import ScriptedServer

pytestmark = pytest.mark.integration

LARGE = os.urandom(1 << 20) * 24
BEGIN = "POST /v2/a/blobs/uploads/"
SESSION = "/session?state=1"
CONTENT = b"content"
CLOSE = f"PUT {SESSION}&digest={sha256_digest(CONTENT)}"


class BriefClock(FakeClock):
    """Waits for as long as a registry on this machine takes to notice that a connection was cut."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        time.sleep(0.2)


class TestLocalCloud:
    @pytest.fixture
    def relay(self, aws: Aws) -> Iterator[Relay]:
        aws.ecr().create_repository(repositoryName="team/uploads")
        with Relay(int(aws.ecr().meta.endpoint_url.rpartition(":")[2]), renames_host=True) as relay:
            yield relay
        aws.ecr().delete_repository(repositoryName="team/uploads", force=True)

    @pytest.fixture
    def cut_off(self, relay: Relay, aws: Aws) -> OciClient:
        login = EcrCredentials(aws, clock=FakeClock()).login()
        return _through(relay, login)

    def test_upload_resumes_after_a_broken_connection(self, relay: Relay, cut_off: OciClient) -> None:
        relay.cuts = [9 << 20, 6 << 20]

        cut_off.blobs.upload("team/uploads", _blob(LARGE), oci_images.opener(LARGE))

        assert b"".join(cut_off.blobs.open("team/uploads", sha256_digest(LARGE))) == LARGE
        assert not relay.cuts
        assert len(LARGE) < relay.sent < len(LARGE) + (8 << 20)

    def test_upload_streams_in_little_memory(self, cut_off: OciClient) -> None:
        size, piece = 64 << 20, bytes(1 << 20)

        def opened(offset: int) -> Stream:
            for _ in range(offset, size, len(piece)):
                yield piece

        digest = hashlib.sha256()
        for _ in range(0, size, len(piece)):
            digest.update(piece)
        blob = Descriptor(digest=f"sha256:{digest.hexdigest()}", media_type=oci_images.LAYER, size=size)
        tracemalloc.start()
        try:
            cut_off.blobs.upload("team/uploads", blob, opened)
            assert tracemalloc.get_traced_memory()[1] < 16 << 20
        finally:
            tracemalloc.stop()


class TestDockerRegistry:
    def test_upload_survives_a_broken_connection(self, plain: DockerRegistry) -> None:
        with Relay(plain.port, cuts=[9 << 20, 6 << 20]) as relay:
            client = _through(relay, plain.login)

            client.blobs.upload("a", _blob(LARGE), oci_images.opener(LARGE))

            assert b"".join(client.blobs.open("a", sha256_digest(LARGE))) == LARGE
            assert not relay.cuts

    def test_reads_from_the_middle(self, client: OciClient) -> None:
        client.blobs.upload("a", _blob(CONTENT), oci_images.opener(CONTENT))

        assert b"".join(client.blobs.open("a", sha256_digest(CONTENT), 3)) == b"tent"

    def test_takes_an_empty_blob(self, client: OciClient) -> None:
        client.blobs.upload("a", _blob(b""), oci_images.opener(b""))

        assert client.blobs.has("a", sha256_digest(b""))


class TestMisbehaviour:
    @pytest.fixture(autouse=True)
    def _begun(self, scripted: ScriptedServer) -> None:
        scripted.script[BEGIN] = [Reply(status=202, headers={"Location": SESSION})]
        scripted.script[CLOSE] = [Reply(status=201)]

    def test_sends_everything_in_one_chunk(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script[f"PATCH {SESSION}"] = [Reply(status=202)]

        assert _upload(hearing) == len(CONTENT)

        (sent,) = scripted.asked(f"PATCH {SESSION}")
        assert (sent.headers["Content-Range"], sent.headers["Content-Length"]) == ("0-6", "7")

    @pytest.mark.parametrize("broken", [Reply(status=500), Reply(status=416), Reply(breaks=True)])
    def test_upload_resumes_at_the_offset_of_the_registry(
        self, scripted: ScriptedServer, hearing: OciClient, clock: FakeClock, broken: Reply
    ) -> None:
        scripted.script[f"PATCH {SESSION}"] = [broken]
        there = {"Range": "0-2", "Location": "/session?state=2"}
        scripted.script[f"GET {SESSION}"] = [Reply(status=204, headers=there)]
        scripted.script["PATCH /session?state=2"] = [Reply(status=202, headers={"Location": SESSION})]

        _upload(hearing)

        (rest,) = scripted.asked("PATCH /session?state=2")
        assert (rest.body, rest.headers["Content-Range"]) == (b"tent", "3-6")
        assert len(clock.sleeps) == 1

    def test_upload_restarts_when_the_session_is_lost(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script[f"PATCH {SESSION}"] = [Reply(breaks=True), Reply(status=202)]

        _upload(hearing)

        assert [request.body for request in scripted.asked(f"PATCH {SESSION}")] == [CONTENT] * 2
        assert len(scripted.asked(BEGIN)) == 2

    @pytest.mark.parametrize("claimed", ["0-9", "nonsense"])
    def test_impossible_offset_restarts_the_upload(
        self, scripted: ScriptedServer, hearing: OciClient, claimed: str
    ) -> None:
        scripted.script[f"PATCH {SESSION}"] = [Reply(breaks=True), Reply(status=202)]
        scripted.script[f"GET {SESSION}"] = [Reply(status=204, headers={"Range": claimed})]

        _upload(hearing)

        assert [request.body for request in scripted.asked(f"PATCH {SESSION}")] == [CONTENT] * 2

    def test_upload_restarts_when_a_second_chunk_was_dropped(
        self, scripted: ScriptedServer, hearing: OciClient
    ) -> None:
        taken = Reply(status=201)
        scripted.script[f"PATCH {SESSION}"] = [Reply(breaks=True), taken, taken]
        scripted.script[f"GET {SESSION}"] = [Reply(status=204, headers={"Range": "0-2"})]
        scripted.script[CLOSE] = [Reply(status=400), Reply(status=201)]

        _upload(hearing)

        assert [request.body for request in scripted.asked(f"PATCH {SESSION}")] == [CONTENT, b"tent", CONTENT]

    def test_lost_response_does_not_send_the_blob_again(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script[f"HEAD /v2/a/blobs/{sha256_digest(CONTENT)}"] = [Reply(status=404), Reply()]
        scripted.script[f"PATCH {SESSION}"] = [Reply(status=202)]
        scripted.script[CLOSE] = [Reply(breaks=True), Reply(status=404)]

        _upload(hearing)

        assert len(scripted.asked(f"PATCH {SESSION}")) == 1

    def test_rejected_single_chunk_is_not_retried(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script[f"PATCH {SESSION}"] = [Reply(status=202)]
        scripted.script[CLOSE] = [Reply(status=400)]

        with pytest.raises(PushFailed, match="HTTP 400"):
            _upload(hearing)

        assert len(scripted.asked(f"PATCH {SESSION}")) == 1

    @pytest.mark.parametrize(
        ("broken", "error"), [(Reply(breaks=True), Unreachable), (Reply(status=416), PushFailed)], ids=["cut", "416"]
    )
    def test_upload_gives_up_after_the_last_attempt(
        self, scripted: ScriptedServer, hearing: OciClient, broken: Reply, error: type[Exception]
    ) -> None:
        scripted.script[f"PATCH {SESSION}"] = [broken]

        with pytest.raises(error):
            _upload(hearing)

        assert len(scripted.asked(f"PATCH {SESSION}")) == MAX_ATTEMPTS

    def test_expired_login_is_renewed_during_an_upload(self, scripted: ScriptedServer, renewing: OciClient) -> None:
        scripted.script[f"PATCH {SESSION}"] = [Reply(status=401), Reply(status=202)]
        scripted.script[f"GET {SESSION}"] = [Reply(status=204, headers={"Range": "0-0"})]

        _upload(renewing)

        first, second = scripted.asked(f"PATCH {SESSION}")
        assert first.headers["Authorization"] != second.headers["Authorization"]

    def test_upload_resumes_when_the_source_breaks(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script[f"PATCH {SESSION}"] = [Reply(status=202)]
        offsets = []

        def opened(offset: int) -> Stream:
            offsets.append(offset)
            yield CONTENT[offset:4] if len(offsets) == 1 else CONTENT[offset:]
            if len(offsets) == 1:
                raise Unreachable("the source broke off")

        hearing.blobs.upload("a", _blob(CONTENT), opened)

        assert len(offsets) == 2

    def test_upload_without_location_is_refused(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script[BEGIN] = [Reply(status=202)]

        with pytest.raises(PushFailed, match="without a Location"):
            _upload(hearing)

    def test_ignored_range_is_skipped(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script[f"GET /v2/a/blobs/{sha256_digest(CONTENT)}"] = [Reply(body=CONTENT)]

        assert b"".join(hearing.blobs.open("a", sha256_digest(CONTENT), 3)) == b"tent"


def _through(relay: Relay, login: Login) -> OciClient:
    url = f"http://127.0.0.1:{relay.port}"
    return OciClient(
        StaticCredentials(Login(url=url, username=login.username, password=login.password)), clock=BriefClock()
    )


def _upload(client: OciClient) -> int:
    return client.blobs.upload("a", _blob(CONTENT), oci_images.opener(CONTENT))


def _blob(content: bytes) -> Descriptor:
    return Descriptor(digest=sha256_digest(content), media_type=oci_images.LAYER, size=len(content))
