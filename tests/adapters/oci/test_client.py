"""The client of the distribution API, with docker-registry and with a scripted registry."""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.transport import BACKOFF_CAP_SECONDS, MAX_ATTEMPTS
from kaizen_tasks.errors import Denied, PushFailed, Refused, Unreachable
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.contracts.registry import RegistryContract
from tests.support import oci_images
from tests.support.oci_images import Sample
from tests.support.plain_registry import PlainRegistry
from tests.support.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from tests.fakes.clock import FakeClock
    from tests.support.docker_registry import DockerRegistry

pytestmark = pytest.mark.integration

DIGEST = "sha256:" + "1" * 64


@frozen
class PlainShelf:
    registry: PlainRegistry
    sample: Sample
    client: OciClient

    def put(self, repository: str, tag: str, sample: Sample) -> None:
        sample.push(self.client, repository, tag)


class TestPlainRegistry(RegistryContract):
    @pytest.fixture
    def shelf(self, plain: DockerRegistry, client: OciClient) -> PlainShelf:
        sample = oci_images.image().push(client, "team/staging", "v1.2.3")
        oci_images.image("v0.1.0", layers=(b"old",)).push(client, "team/prod", "v0.1.0")
        return PlainShelf(PlainRegistry(plain.login, clock=SystemClock()), sample, client)


class TestPassword:
    def test_is_never_shown(self, plain: DockerRegistry) -> None:
        stranger = PlainRegistry(
            Login(url=plain.login.url, username="AWS", password=Secret("guess-it")), clock=SystemClock()
        )

        with pytest.raises(Denied) as caught:
            stranger.find_image("a", "v1.2.3")

        assert "guess-it" not in str(caught.value)


class TestMisbehaviour:
    def test_busy_registry_is_retried(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        busy = [Reply(status=429), Reply(status=503), Reply(breaks=True)]
        found = Reply(headers={"Docker-Content-Digest": DIGEST})
        scripted.script["HEAD /v2/a/manifests/v1"] = [*busy, found]

        assert hearing.resolve_digest("a", "v1") == DIGEST
        assert len(scripted.asked("HEAD /v2/a/manifests/v1")) == 4

    def test_gives_up_on_a_registry_that_stays_busy(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script["HEAD /v2/a/manifests/v1"] = [Reply(status=503)]

        with pytest.raises(Unreachable, match="HTTP 503"):
            hearing.resolve_digest("a", "v1")

    def test_backoff_doubles_with_jitter(self, scripted: ScriptedServer, hearing: OciClient, clock: FakeClock) -> None:
        scripted.script["HEAD /v2/a/manifests/v1"] = [Reply(status=429)]

        with pytest.raises(Unreachable, match="HTTP 429"):
            hearing.resolve_digest("a", "v1")

        assert len(clock.sleeps) == MAX_ATTEMPTS - 1
        longest = [min(0.5 * 2**attempt, BACKOFF_CAP_SECONDS) for attempt in range(MAX_ATTEMPTS - 1)]
        assert all(most / 2 <= slept <= most for slept, most in zip(clock.sleeps, longest, strict=True))
        assert clock.sleeps[0] != clock.sleeps[1] / 2

    @pytest.mark.parametrize(("seconds", "slept"), [(7, 7.0), (3600, BACKOFF_CAP_SECONDS)])
    @pytest.mark.parametrize("form", ["seconds", "date"])
    def test_retry_after_is_respected_up_to_the_cap(
        self, scripted: ScriptedServer, hearing: OciClient, clock: FakeClock, seconds: int, slept: float, form: str
    ) -> None:
        date = format_datetime(clock.now() + timedelta(seconds=seconds), usegmt=True)
        wish = str(seconds) if form == "seconds" else date
        busy = Reply(status=429, headers={"Retry-After": wish})
        scripted.script["HEAD /v2/a/manifests/v1"] = [busy, Reply(status=404)]

        assert hearing.resolve_digest("a", "v1") == ""
        assert clock.sleeps == [slept]

    def test_logs_in_again_when_the_password_has_expired(
        self, scripted: ScriptedServer, renewing: OciClient, clock: FakeClock
    ) -> None:
        found = Reply(headers={"Docker-Content-Digest": DIGEST})
        for status in (401, 403):
            scripted.script["HEAD /v2/a/manifests/v1"] = [Reply(status=status), found]

            assert renewing.resolve_digest("a", "v1") == DIGEST

        used = [request.headers["Authorization"] for request in scripted.requests]
        assert used[0] != used[1] == used[2] != used[3]
        assert not clock.sleeps

    def test_logs_in_again_once(self, scripted: ScriptedServer, renewing: OciClient) -> None:
        scripted.script["HEAD /v2/a/manifests/v1"] = [Reply(status=401)]

        with pytest.raises(Denied, match="HTTP 401"):
            renewing.resolve_digest("a", "v1")

        assert len(scripted.requests) == 2

    def test_stored_digest_that_differs_fails_the_push(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        other = {"Docker-Content-Digest": DIGEST}
        scripted.script["PUT /v2/a/manifests/v1"] = [Reply(status=201, headers=other)]

        with pytest.raises(PushFailed, match=f"became {DIGEST}"):
            hearing.put_manifest("a", "v1", oci_images.image().root)

    def test_refused_connection_is_unreachable(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script["HEAD /v2/a/manifests/v1"] = [Reply(breaks=True)]

        with pytest.raises(Unreachable, match="does not answer"):
            hearing.resolve_digest("a", "v1")

    def test_sends_no_credentials_to_the_storage_behind_a_redirect(
        self, scripted: ScriptedServer, hearing: OciClient
    ) -> None:
        with ScriptedServer({"GET /bucket": [Reply(body=b"content")]}) as storage:
            there = Reply(status=307, headers={"Location": f"{storage.url}/bucket"})
            scripted.script[f"GET /v2/a/blobs/{DIGEST}"] = [there]

            assert b"".join(hearing.blobs.open("a", DIGEST)) == b"content"

        assert "Authorization" in scripted.requests[0].headers
        assert "Authorization" not in storage.requests[0].headers

    def test_relative_redirect_is_followed(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script[f"GET /v2/a/blobs/{DIGEST}"] = [Reply(status=303, headers={"Location": "/elsewhere"})]
        scripted.script["GET /elsewhere"] = [Reply(body=b"content")]

        assert b"".join(hearing.blobs.open("a", DIGEST)) == b"content"

    def test_redirects_are_limited(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        here = f"/v2/a/blobs/{DIGEST}"
        scripted.script[f"GET {here}"] = [Reply(status=307, headers={"Location": here})]

        with pytest.raises(Unreachable, match="it redirects more than 10 times"):
            hearing.blobs.open("a", DIGEST)

    def test_303_is_not_followed_for_writes(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        scripted.script["PUT /v2/a/manifests/v1"] = [Reply(status=303, headers={"Location": "/elsewhere"})]

        with pytest.raises(PushFailed, match="HTTP 303"):
            hearing.put_manifest("a", "v1", oci_images.image().root)

        assert len(scripted.requests) == 1

    def test_reads_what_a_digest_names_once(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        root = oci_images.image().root
        scripted.script["PUT /v2/a/manifests/v1"] = [Reply(status=201)]
        scripted.script["GET /v2/b/manifests/v1"] = [
            Reply(body=root.content, headers={"Content-Type": root.media_type})
        ]
        hearing.put_manifest("a", "v1", root)
        hearing.manifest("b", "v1")

        assert [hearing.manifest(each, root.digest) for each in ("a", "b", "c")] == [root, root, None]
        assert len(scripted.requests) == 3

    def test_asks_each_time_what_a_tag_names(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        roots = [oci_images.image(version).root for version in ("v1", "v2")]
        scripted.script["GET /v2/a/manifests/latest"] = [
            Reply(body=root.content, headers={"Content-Type": root.media_type}) for root in roots
        ]

        assert [hearing.manifest("a", "latest") for _ in roots] == roots

    def test_refuses_a_manifest_that_is_not_what_was_asked_for(
        self, scripted: ScriptedServer, hearing: OciClient
    ) -> None:
        scripted.script[f"GET /v2/a/manifests/{DIGEST}"] = [Reply(body=b"{}")]

        with pytest.raises(Refused, match="when asked for"):
            hearing.manifest("a", DIGEST)

    def test_knows_an_immutable_tag_by_its_code(self, scripted: ScriptedServer, hearing: OciClient) -> None:
        body = json.dumps({"errors": [{"code": "TAG_INVALID", "message": "some new wording"}]}).encode()
        scripted.script["PUT /v2/a/manifests/v1"] = [Reply(status=400, body=body)]

        with pytest.raises(PushFailed, match="TAG_INVALID") as caught:
            hearing.put_manifest("a", "v1", oci_images.image().root)

        assert caught.value.hint == "a version never moves: release the next one"
