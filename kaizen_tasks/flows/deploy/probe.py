"""Where an environment's app answers, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kaizen_tasks.domain.health import Running, understand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.health import Answer
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.smoke import SmokeCheck
    from kaizen_tasks.ports.tools import Tools

PATIENCE = 5.0
"""Seconds for one answer."""

BODY = 64 * 1024
"""Bytes that are read of one answer to `/version`."""

PAGE = 8 * 1024 * 1024
"""Bytes that are read of one answer to a smoke check."""

MOMENT = 0.001
"""Seconds that are as good as none: waiting for less could leave a clock, which counts in floats, where it is."""

LOOPBACK = ("127.", "localhost", "[::1]")


def address(environment: Environment, tools: Tools) -> str:
    """Return the address to ask: the configured one, else the platform's own.

    A service that the platform runs on this machine is asked there, since the configured public address cannot be
    its; that is what makes the same configuration work against the local cloud.
    """
    if environment.url and _is_local(environment.url):
        return environment.url
    return chosen(environment, tools.platform.service(environment.service).url)


def chosen(environment: Environment, own: str) -> str:
    """Return the address to ask: the configured one, else the one that the platform calls the service's own."""
    if environment.url and _is_local(environment.url):
        return environment.url
    return own if _is_local(own) or not environment.url else environment.url


def _is_local(url: str) -> bool:
    return urlsplit(url).netloc.startswith(LOOPBACK)


def running(url: str, tools: Tools, *, patience: float = PATIENCE) -> Running:
    """Ask the app once what it is, and wait for `patience` seconds at most."""
    return understand(tools.prober.ask(url + tools.settings.verify.path, timeout=patience, limit=BODY))


def is_right(said: Running, environment: Environment, release: Release) -> bool:
    """Return whether an answer proves the release in this very environment."""
    return not said.fault and said.version == release.name and said.environment == environment.name


def again(timeout: float, tools: Tools) -> Iterator[float]:
    """Yield the seconds that are left, first at once and then at the configured interval, until none are."""
    until = tools.clock.elapsed() + timeout
    while (left := until - tools.clock.elapsed()) > MOMENT:
        yield left
        tools.clock.sleep(min(tools.settings.verify.interval, left))


def smoke(url: str, check: SmokeCheck, tools: Tools) -> Answer:
    """Ask what a smoke check asks, until the answer is right, will not become so, or time is up."""
    for left in again(check.timeout, tools):
        answer = tools.prober.ask(url + check.path, timeout=left, limit=PAGE, question=check.question)
        if not check.faults(answer) or not check.may_pass_later(answer):
            break
    return answer
