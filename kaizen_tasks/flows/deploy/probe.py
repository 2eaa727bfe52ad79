"""Finds the URL of an environment's app and sends requests to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import evolve, frozen

from kaizen_tasks.domain.health import (
    SERVER_ERROR_STATUS,
    ProbeRequest,
    ProbeResponse,
    VersionReport,
    parse_version_response,
)
from kaizen_tasks.flows.deploy.request_headers import read_headers
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.smoke import SmokeCheck

REQUEST_TIMEOUT_SECONDS = 5.0
"""Seconds to wait for one response."""

MAX_VERSION_BODY_BYTES = 64 * 1024
"""Bytes that are read of a response to `/version`."""

MAX_SMOKE_BODY_BYTES = 8 * 1024 * 1024
"""Bytes that are read of a response to a smoke check."""

MIN_REQUEST_SECONDS = 0.05
"""The shortest time for one response, in seconds: in less, even a healthy app may not answer."""

LOOPBACK_PREFIXES = ("127.", "localhost", "[::1]")


def probe_url(environment: Environment, tools: Tools) -> str:
    """Return the URL to probe: the configured one, else the platform's own; with `verify.direct` always the latter.

    A service on this machine is probed at its own URL, since the configured public one belongs to another service. So
    the same configuration works against the local cloud.
    """
    if _is_local_url_wanted(environment, tools):
        return environment.url
    return pick_url(environment, service_url(environment, tools), tools)


def _is_local_url_wanted(environment: Environment, tools: Tools) -> bool:
    return bool(environment.url) and is_local(environment.url) and not tools.settings.verify.direct


def service_url(environment: Environment, tools: Tools) -> str:
    """Return the address that the platform gave the environment's service."""
    return tools.at(environment).platform.service_url(environment.service)


def pick_url(environment: Environment, own_url: str, tools: Tools) -> str:
    """Return the URL to probe: the configured one, else the platform's; see `probe_url`."""
    if _is_local_url_wanted(environment, tools):
        return environment.url
    is_own_url_wanted = tools.settings.verify.direct or not environment.url
    return own_url if is_own_url_wanted or is_local(own_url) else environment.url


def is_local(url: str) -> bool:
    """Return whether a URL leads to this machine."""
    return urlsplit(url).netloc.startswith(LOOPBACK_PREFIXES)


@frozen(kw_only=True)
class VersionEndpoint:
    """Where and how an environment's app is asked for its version.

    Attributes:
        url: the whole URL.
        request: the request, with the headers of `[verify.headers]`.
        tools: the ports.
    """

    url: str
    request: ProbeRequest
    tools: Tools

    def fetch(self, *, timeout: float = REQUEST_TIMEOUT_SECONDS) -> VersionReport:
        """Return the app's answer to one request for its version, or the error after at most `timeout` seconds."""
        response = _probe(
            partial(self.tools.prober.probe, self.url, timeout=timeout, max_bytes=MAX_VERSION_BODY_BYTES),
            self.request,
            is_usable=lambda response: not self._parse(response).error,
        )
        return self._parse(response)

    def _parse(self, response: ProbeResponse) -> VersionReport:
        return parse_version_response(response, self.tools.settings.version_format)


def version_endpoint(environment: Environment, url: str, tools: Tools) -> VersionEndpoint:
    """Return how to ask the app at a URL for its version; the values of its headers are read now.

    Raises:
        KaizenError: the value of a header cannot be read.
    """
    request = ProbeRequest(headers=read_headers(environment, tools), bypass_cache=True)
    return VersionEndpoint(url=url + tools.settings.verify.path, request=request, tools=tools)


def _probe(
    send: Callable[..., ProbeResponse], request: ProbeRequest, *, is_usable: Callable[[ProbeResponse], bool]
) -> ProbeResponse:
    """Send a request past caches; if the app answers the parameter that this adds with something else, without it.

    Many small apps compare the whole address, and answer one with a parameter as one that they do not know.
    """
    response = send(request=request)
    is_answer = response.status and response.status < SERVER_ERROR_STATUS and not response.cache_error
    if request.bypass_cache and is_answer and not is_usable(response):
        return send(request=evolve(request, bypass_cache=False))
    return response


def proves_release(report: VersionReport, environment: Environment, release: Release) -> bool:
    """Return whether a report proves that this release runs in this environment."""
    return not report.error and report.version == release.name and report.is_from(environment.name)


def retry_for(timeout: float, tools: Tools) -> Iterator[float]:
    """Yield the seconds left until the timeout: at once, then after every `verify.interval`."""
    deadline = tools.clock.monotonic() + timeout
    while (remaining := deadline - tools.clock.monotonic()) > MIN_REQUEST_SECONDS:
        yield remaining
        tools.clock.sleep(min(tools.settings.verify.interval, remaining))


def run_smoke_check(environment: Environment, url: str, check: SmokeCheck, tools: Tools) -> ProbeResponse:
    """Repeat a smoke check's request until the check passes, fails for good or times out; return the last response."""
    request = check.request
    if check.verify_headers:
        request = evolve(request, headers={**read_headers(environment, tools), **request.headers})
    response = ProbeResponse(error="was not asked in time")
    for remaining in retry_for(check.timeout, tools):
        send = partial(tools.prober.probe, url + check.path, timeout=remaining, max_bytes=MAX_SMOKE_BODY_BYTES)
        latest = _probe(send, request, is_usable=lambda response: not check.failures(response))
        if latest.status or not check.is_unproven(response):  # no answer does not refute one from a cache
            response = latest
        if not check.failures(response) or not check.is_retryable(response):
            break
    return response
