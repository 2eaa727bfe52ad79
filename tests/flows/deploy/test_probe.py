"""Probing the app."""

from __future__ import annotations

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse, VersionReport
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.smoke import SmokeCheck
from kaizen_tasks.errors import NotFound
from kaizen_tasks.flows.deploy import probe
from tests.fakes.tools import FakeTools, settings

RELEASE = Release(version=Version.parse("1.2.3"))


@pytest.fixture
def tools() -> FakeTools:
    """Tools whose services have URLs of the platform."""
    return FakeTools()


@pytest.mark.parametrize(
    ("configured", "own", "asked"),
    [
        ("", "https://x1.awsapprunner.com", "https://x1.awsapprunner.com"),
        ("https://www.example", "https://x1.awsapprunner.com", "https://www.example"),
        ("https://www.example", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://www.example", "http://localhost:8080", "http://localhost:8080"),
        ("https://www.example", "http://[::1]:8080", "http://[::1]:8080"),
        ("http://127.0.0.1:9", "http://127.0.0.1:8080", "http://127.0.0.1:9"),
        ("http://localhost:9", "https://x1.awsapprunner.com", "http://localhost:9"),
    ],
)
def test_probe_url_is_the_configured_one_unless_the_service_is_local(
    tools: FakeTools, configured: str, own: str, asked: str
) -> None:
    staging = evolve(tools.settings.environments["staging"], url=configured)
    tools.platform.add(staging.service, image="any", url=own)

    assert probe.probe_url(staging, tools) == asked


def test_direct_probes_ask_the_service_itself(tools: FakeTools) -> None:
    """Whatever address is configured, also one on this machine."""
    tools.settings = settings(verify={"direct": True})
    staging = evolve(tools.settings.environments["staging"], url="https://www.example")

    assert probe.probe_url(staging, tools) == "https://staging.example"
    assert probe.probe_url(evolve(staging, url="http://localhost:9"), tools) == "https://staging.example"


def test_probe_url_needs_the_service(tools: FakeTools) -> None:
    nowhere = evolve(tools.settings.environments["staging"], service="elsewhere", url="https://www.example")

    with pytest.raises(NotFound):
        probe.probe_url(nowhere, tools)


def fetch_version(tools: FakeTools) -> VersionReport:
    """Ask staging for its version."""
    staging = tools.settings.environments["staging"]
    return probe.version_endpoint(staging, "https://staging.example", tools).fetch()


def test_configured_path_is_requested_once(tools: FakeTools) -> None:
    running = fetch_version(tools)

    assert running == VersionReport(version="v0.1.0", environment="staging")
    assert tools.prober.urls == ["https://staging.example/version"]
    assert tools.prober.requests == [ProbeRequest(bypass_cache=True)]


@pytest.mark.parametrize(
    "other_page",
    [
        ProbeResponse(status=400),
        ProbeResponse(status=404),
        ProbeResponse(status=301, headers={"location": "/version"}),
        ProbeResponse(status=200, body=b"Hello"),
        ProbeResponse(status=200, body=b"<!doctype html>"),
        ProbeResponse(status=200, body=b'{"page": "home"}'),
    ],
)
def test_app_that_knows_no_such_parameter_is_asked_without_it(tools: FakeTools, other_page: ProbeResponse) -> None:
    """Some apps compare the whole address, and answer any other with an error or their home page."""
    url = "https://staging.example/version"
    right, requests = tools.prober.answers[url], tools.prober.requests
    tools.prober.answers[url] = lambda: other_page if requests[-1].bypass_cache else right()  # type: ignore[operator]

    assert fetch_version(tools).version == "v0.1.0"
    assert [request.bypass_cache for request in requests] == [True, False]


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (VersionReport(version="v1.2.3", environment="staging"), True),
        (VersionReport(version="1.2.3", environment="staging"), False),
        (VersionReport(version="v1.2.2", environment="staging"), False),
        (VersionReport(version="v1.2.3", environment="prod"), False),
        (VersionReport(version="v1.2.3"), False),
        (VersionReport(version="v1.2.3", environment="staging", error="answers HTTP 503"), False),
    ],
)
def test_only_the_version_in_its_own_environment_proves_a_release(
    tools: FakeTools, *, said: VersionReport, right: bool
) -> None:
    """A load balancer that redirects elsewhere must not prove anything."""
    assert probe.proves_release(said, tools.settings.environments["staging"], RELEASE) is right


LOGIN = "https://staging.example/login"


def smoke(tools: FakeTools, *answers: ProbeResponse, **check: object) -> tuple[str, ...]:
    """Return the failures when the login page gives these answers, the last one repeatedly."""
    left = list(answers)
    tools.prober.answers[LOGIN] = lambda: left.pop(0) if len(left) > 1 else left[0]
    wanted = SmokeCheck(path="/login", **check)  # type: ignore[arg-type]
    staging = tools.settings.environments["staging"]
    return wanted.failures(probe.run_smoke_check(staging, "https://staging.example", wanted, tools))


def test_smoke_check_follows_no_redirect(tools: FakeTools) -> None:
    moved = ProbeResponse(status=302, headers={"location": "/login/"})

    assert smoke(tools, moved) == ("answers HTTP 302 to /login/, not 200",)
    assert set(tools.prober.urls) == {LOGIN}


@pytest.mark.parametrize(
    "first", [ProbeResponse(status=503), ProbeResponse(status=500), ProbeResponse(error="refuses the connection")]
)
def test_smoke_check_is_retried_while_the_app_starts(tools: FakeTools, first: ProbeResponse) -> None:
    """A router that has not noticed the new instance yet fails no release."""
    assert smoke(tools, first, first, ProbeResponse(status=200)) == ()
    assert len(tools.prober.urls) == 3


def test_smoke_check_times_out(tools: FakeTools) -> None:
    assert smoke(tools, ProbeResponse(status=503)) == ("answers HTTP 503, not 200",)
    assert tools.clock.monotonic() == 10
    assert smoke(tools, ProbeResponse(status=503), timeout=2.5) == ("answers HTTP 503, not 200",)
    assert tools.clock.monotonic() == 12.5


@pytest.mark.parametrize("answer", [ProbeResponse(status=404), ProbeResponse(status=200, body=b"Bye")])
def test_smoke_check_is_not_retried_after_a_final_answer(tools: FakeTools, answer: ProbeResponse) -> None:
    assert smoke(tools, answer, contains="Hello") != ()
    assert tools.clock.monotonic() == 0


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_smoke_check_sends_a_non_idempotent_request_once(tools: FakeTools, method: str) -> None:
    """An order must not be placed ten times because its answer is late."""
    assert smoke(tools, ProbeResponse(status=503), method=method) == ("answers HTTP 503, not 200",)
    assert set(tools.prober.urls) == {LOGIN}


def test_smoke_check_sends_the_configured_request(tools: FakeTools) -> None:
    smoke(tools, ProbeResponse(status=200), method="POST", request_headers={"Accept": "text/plain"}, body="näme=x")

    asked = ProbeRequest(method="POST", headers={"Accept": "text/plain"}, body="näme=x".encode())
    assert tools.prober.requests == [asked]


@pytest.mark.parametrize(
    ("check", "bypass_cache"),
    [({}, True), ({"method": "HEAD"}, True), ({"method": "POST"}, False), ({"cached": True}, False)],
)
def test_smoke_check_asks_past_caches(tools: FakeTools, check: dict[str, object], *, bypass_cache: bool) -> None:
    smoke(tools, ProbeResponse(status=200), **check)

    assert [request.bypass_cache for request in tools.prober.requests] == [bypass_cache]


def test_cached_answer_is_asked_for_again_unless_it_is_accepted(tools: FakeTools) -> None:
    answer = ProbeResponse(status=200, headers={"age": "9"})

    assert smoke(tools, answer, answer, ProbeResponse(status=200)) == ()
    assert smoke(tools, answer) == ("answers from a cache (Age: 9)",)
    assert smoke(tools, answer, cached=True) == ()
    assert smoke(tools, answer, ProbeResponse(error="does not answer")) == ("answers from a cache (Age: 9)",)
    assert smoke(tools, answer, ProbeResponse(status=503)) == ("answers HTTP 503, not 200",)


def test_smoke_check_reads_a_large_page(tools: FakeTools) -> None:
    assert smoke(tools, ProbeResponse(status=200, body=b"x" * 5_000_000)) == ()


def test_retry_stops_at_the_timeout(tools: FakeTools) -> None:
    assert list(probe.retry_for(2.5, tools)) == [2.5, 1.5, 0.5]
    assert tools.clock.sleeps == [1, 1, 0.5]
    assert list(probe.retry_for(0, tools)) == []
