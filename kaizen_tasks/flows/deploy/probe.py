"""Where an environment's app answers, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kaizen_tasks.domain.health import VersionReport, parse_version_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.health import ProbeResponse
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.smoke import SmokeCheck
    from kaizen_tasks.ports.tools import Tools

REQUEST_TIMEOUT_SECONDS = 5.0
"""Seconds for one answer."""

MAX_VERSION_BODY_BYTES = 64 * 1024
"""Bytes that are read of one answer to `/version`."""

MAX_SMOKE_BODY_BYTES = 8 * 1024 * 1024
"""Bytes that are read of one answer to a smoke check."""

MIN_WAIT_SECONDS = 0.001
"""Seconds that are as good as none: waiting for less could leave a clock, which counts in floats, where it is."""

LOOPBACK_PREFIXES = ("127.", "localhost", "[::1]")


def probe_url(environment: Environment, tools: Tools) -> str:
    """Return the address to ask: the configured one, else the platform's own.

    A service that the platform runs on this machine is asked there, since the configured public address cannot be
    its; that is what makes the same configuration work against the local cloud.
    """
    if environment.url and _is_local(environment.url):
        return environment.url
    return pick_url(environment, tools.platform.get_service(environment.service).url)


def pick_url(environment: Environment, service_url: str) -> str:
    """Return the address to ask: the configured one, else the one that the platform calls the service's own."""
    if environment.url and _is_local(environment.url):
        return environment.url
    return service_url if _is_local(service_url) or not environment.url else environment.url


def _is_local(url: str) -> bool:
    return urlsplit(url).netloc.startswith(LOOPBACK_PREFIXES)


def fetch_version(url: str, tools: Tools, *, timeout: float = REQUEST_TIMEOUT_SECONDS) -> VersionReport:
    """Ask the app once what it is, and wait for `timeout` seconds at most."""
    return parse_version_response(
        tools.prober.probe(url + tools.settings.verify.path, timeout=timeout, max_bytes=MAX_VERSION_BODY_BYTES)
    )


def proves_release(report: VersionReport, environment: Environment, release: Release) -> bool:
    """Return whether an answer proves the release in this very environment."""
    return not report.error and report.version == release.name and report.environment == environment.name


def retry_for(timeout: float, tools: Tools) -> Iterator[float]:
    """Yield the seconds that are left, first at once and then at the configured interval, until none are."""
    deadline = tools.clock.monotonic() + timeout
    while (remaining := deadline - tools.clock.monotonic()) > MIN_WAIT_SECONDS:
        yield remaining
        tools.clock.sleep(min(tools.settings.verify.interval, remaining))


def run_smoke_check(url: str, check: SmokeCheck, tools: Tools) -> ProbeResponse:
    """Ask what a smoke check asks, until the answer is right, will not become so, or time is up."""
    for remaining in retry_for(check.timeout, tools):
        response = tools.prober.probe(
            url + check.path, timeout=remaining, max_bytes=MAX_SMOKE_BODY_BYTES, request=check.request
        )
        if not check.failures(response) or not check.is_retryable(response):
            break
    return response
