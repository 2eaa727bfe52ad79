"""Where an environment's app answers, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kaizen_tasks.domain.health import Running, understand

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import SmokeCheck
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports import Tools

PATIENCE = 5.0
"""Seconds for one answer."""

BODY = 64 * 1024
"""Bytes that are read of one answer."""

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


def fault(url: str, check: SmokeCheck, tools: Tools) -> str:
    """Run one smoke check; return what is wrong, or nothing."""
    answer = tools.prober.ask(url + check.path, timeout=PATIENCE, limit=BODY * 16)
    if answer.fault:
        return f"{check.path} {answer.fault}"
    return "" if answer.status == check.status else f"{check.path} answers HTTP {answer.status}, not {check.status}"
