"""Finds out which of two services answers at the configured address of an environment."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from kaizen_tasks.domain.health import ProbeRequest
from kaizen_tasks.domain.migration.origin import Origin, OriginEvidence
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.deploy import probe
from kaizen_tasks.flows.deploy.request_headers import read_headers
from kaizen_tasks.flows.migration import waiting

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.migration.record import Migration
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.service import Service
    from kaizen_tasks.ports.tools import Tools

LOG_SECONDS = 20.0
"""Seconds within which a request is expected in a log: CloudWatch shows lines some seconds after they were printed."""

LOG_INTERVAL_SECONDS = 1.0

CLOCK_TOLERANCE = timedelta(seconds=30)
"""How far this machine's clock may be ahead of that of the log."""

MAX_INTERVAL_SECONDS = 15.0


@frozen(kw_only=True)
class AddressReport:
    """What is known about the configured address of an environment.

    Attributes:
        environment: the environment's name.
        url: the address.
        origin: which service answers there.
        problem: why the release is not proven there; empty if it is.
    """

    environment: str
    url: str
    origin: Origin
    problem: str = ""

    @property
    def has_moved(self) -> bool:
        """Whether the new service, and only that, answers there, with the right release."""
        return self.origin is Origin.NEW and not self.problem

    def describe(self, old_title: str, new_title: str) -> str:
        """Return the report in words: `https://… still leads to App Runner`."""
        texts = {
            Origin.OLD: f"still leads to {old_title}",
            Origin.NEW: f"leads to {new_title}",
            Origin.BOTH: f"leads to {old_title} and to {new_title}",
            Origin.UNKNOWN: "does not show which service answers",
        }
        return f"{self.url} {texts[self.origin]}" + (f", and {self.problem}" if self.problem else "")


def address_of(environment: Environment, migration: Migration, tools: Tools) -> str:
    """Return the address that must be led to the new service; empty where the platforms' own addresses are used.

    In a local cloud a public address belongs to another service, as `probe.pick_url` knows.
    """
    places = (migration.old_environment(environment), migration.new_environment(environment))
    services = [waiting.find_service(place, tools) for place in places]
    is_local = any(service is not None and probe.is_local(service.url) for service in services)
    return "" if is_local and not probe.is_local(environment.url) else environment.url


def check_address(
    environment: Environment, migration: Migration, release: Release, tools: Tools, *, is_asserted: bool = False
) -> AddressReport:
    """Return which service answers at the configured address, and whether it proves the release.

    Args:
        environment: the environment, as it is configured.
        migration: its migration.
        release: what should be serving.
        tools: the ports.
        is_asserted: whether a person vouches for the address, so that only the release is asked for.
    """
    url = environment.url
    problem = "" if tools.settings.verify.direct else _prove(environment, url, release, tools)
    origin = Origin.NEW if is_asserted else _find_origin(environment, migration, url, tools)
    return AddressReport(environment=environment.name, url=url, origin=origin, problem=problem)


def _prove(environment: Environment, url: str, release: Release, tools: Tools) -> str:
    """Return why the release is not proven at an address; empty if it is, several times in a row."""
    endpoint = probe.version_endpoint(environment, url, tools)
    for _ in range(tools.settings.verify.matches):
        report = endpoint.fetch()
        if not probe.proves_release(report, environment, release):
            return str(report)
    return ""


def _find_origin(environment: Environment, migration: Migration, url: str, tools: Tools) -> Origin:
    """Return who answers: by addresses if they tell, else by the logs."""
    old, new = migration.old_environment(environment), migration.new_environment(environment)
    old_service, new_service = waiting.find_service(old, tools), waiting.find_service(new, tools)
    if old_service is None or new_service is None:
        return Origin.NEW if new_service is not None else Origin.OLD
    network = tools.network
    evidence = OriginEvidence(
        addresses=network.addresses(_host(url)),
        old_addresses=network.addresses(_host(old_service.url)),
        new_addresses=network.addresses(_host(new_service.url or migration.url)),
    )
    if evidence.by_addresses is not Origin.UNKNOWN:
        return evidence.by_addresses
    mark, since = secrets.token_hex(16), tools.clock.now() - CLOCK_TOLERANCE
    _send_mark(environment, url, mark, tools)
    for _ in _log_polls(tools):
        evidence = OriginEvidence(
            is_logged_by_old=_has_logged(old, old_service, mark, since, tools),
            is_logged_by_new=_has_logged(new, new_service, mark, since, tools),
        )
        if evidence.by_logs is not Origin.UNKNOWN:
            break
    return evidence.by_logs


def _send_mark(environment: Environment, url: str, mark: str, tools: Tools) -> None:
    """Send a request that an access log shows by its query or its user agent, whatever the app answers."""
    headers = {**read_headers(environment, tools), "User-Agent": f"kaizen-tasks/{mark}"}
    tools.prober.probe(
        f"{url}{tools.settings.verify.path}?kaizen={mark}",
        timeout=probe.REQUEST_TIMEOUT_SECONDS,
        max_bytes=probe.MAX_VERSION_BODY_BYTES,
        request=ProbeRequest(headers=headers),
    )


def _has_logged(environment: Environment, service: Service, mark: str, since: datetime, tools: Tools) -> bool:
    """Return whether a text is in the log of a service; not in one that cannot be read, as of another log driver."""
    try:
        return any(mark in line.text for line in tools.at(environment).logs.application_log(service, since=since))
    except KaizenError:
        return False


def _log_polls(tools: Tools) -> Iterator[None]:
    deadline = tools.clock.monotonic() + LOG_SECONDS
    while tools.clock.monotonic() < deadline:
        yield
        tools.clock.sleep(LOG_INTERVAL_SECONDS)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def wait_for_address(
    environment: Environment,
    migration: Migration,
    release: Release,
    tools: Tools,
    *,
    timeout: float,
    is_asserted: bool = False,
) -> AddressReport:
    """Ask the address until the new service answers there, or until the timeout; return the last report.

    Args:
        environment: the environment, as it is configured.
        migration: its migration.
        release: what should be serving.
        tools: the ports.
        timeout: seconds; zero asks once.
        is_asserted: see `check_address`.
    """
    deadline, interval = tools.clock.monotonic() + timeout, float(tools.settings.verify.interval)
    reported = ""
    while True:
        report = check_address(environment, migration, release, tools, is_asserted=is_asserted)
        remaining = deadline - tools.clock.monotonic()
        if report.has_moved or remaining <= 0:
            return report
        text = report.describe(migration.old_environment(environment).kind.title, migration.title)
        if text != reported:
            tools.reporter.note(f"  {environment.name}: {text}; asking on for {duration.format_duration(remaining)}")
            reported = text
        tools.clock.sleep(min(interval, remaining))
        interval = min(interval * 2, MAX_INTERVAL_SECONDS)
