"""Asks every witness of every environment, all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen

from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.domain.status import EnvironmentStatus
from kaizen_tasks.errors import KaizenError, NotFound
from kaizen_tasks.flows.deploy import probe
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.ports.tools import Tools

T = TypeVar("T")
MAX_CONCURRENT_ENVIRONMENTS = 64
"""Environments that are looked at at the same time; an app that does not answer keeps its place for seconds."""


@frozen(kw_only=True)
class _BatchedLookups:
    """What one question answers for all environments, once it has been answered.

    Attributes:
        service_urls: of the services, by their names.
        locks: by environment.
        holds: by environment.
    """

    service_urls: Future[Mapping[str, str]]
    locks: Future[Mapping[str, Lock]]
    holds: Future[Mapping[str, Hold]]


def collect_status(environments: Sequence[Environment], tools: Tools) -> tuple[EnvironmentStatus, ...]:
    """Return a row for each environment; what cannot be seen is a fault in its row and not an error.

    Raises:
        Denied: the credentials are of another account.
    """
    tools.identity.account_id()
    with ThreadPoolExecutor(max_workers=MAX_CONCURRENT_ENVIRONMENTS, thread_name_prefix="status") as pool:
        names = [environment.name for environment in environments]
        lookups = _BatchedLookups(
            service_urls=pool.submit(tools.platform.service_urls),
            locks=pool.submit(tools.locks.get_many, names),
            holds=pool.submit(tools.holds.get_many, names),
        )
        return tuple(pool.map(lambda environment: _environment_status(environment, lookups, tools), environments))


def collect_history(environments: Sequence[Environment], tools: Tools, *, limit: int) -> tuple[LedgerEntry, ...]:
    """Return the last entries of each environment as one history, newest first."""

    def read_entries(environment: Environment) -> tuple[LedgerEntry, ...]:
        return tools.ledger.entries(environment.name, limit=limit)

    with ThreadPoolExecutor(max_workers=MAX_CONCURRENT_ENVIRONMENTS, thread_name_prefix="history") as pool:
        history = [entry for batch in pool.map(read_entries, environments) for entry in batch]
    return tuple(sorted(history, key=lambda entry: entry.at, reverse=True))


class _ErrorCollector:
    """Look, and keep what prevents it."""

    def __init__(self) -> None:
        self._errors: list[str] = []

    def attempt(self, lookup: Callable[[], T]) -> T | None:
        """Return the answer, or None where there is none."""
        try:
            return lookup()
        except KaizenError as error:
            self._errors.append(error.message)
            return None

    @property
    def errors(self) -> tuple[str, ...]:
        """What could not be looked at, each once."""
        return tuple(dict.fromkeys(self._errors))


def _environment_status(environment: Environment, lookups: _BatchedLookups, tools: Tools) -> EnvironmentStatus:
    collector = _ErrorCollector()
    latest_image = collector.attempt(lambda: tools.registry.find_image(environment.repository, "latest"))
    entry = collector.attempt(lambda: ledger.read_latest_entry(environment, tools))
    service_urls = collector.attempt(lookups.service_urls.result)
    url = (
        environment.url
        if service_urls is None
        else collector.attempt(lambda: _app_url(environment, service_urls)) or ""
    )
    locks, holds = collector.attempt(lookups.locks.result) or {}, collector.attempt(lookups.holds.result) or {}
    return EnvironmentStatus(
        environment=environment,
        url=url,
        latest_image=latest_image,
        version_report=probe.fetch_version(url, tools) if url else VersionReport(error="has no address"),
        last_entry=entry,
        lock=locks.get(environment.name),
        hold=holds.get(environment.name),
        errors=collector.errors,
    )


def _app_url(environment: Environment, service_urls: Mapping[str, str]) -> str:
    """Return where to ask an app.

    Raises:
        NotFound: the platform does not list its service.
    """
    if environment.service not in service_urls:
        raise NotFound(f"there is no service {environment.service}")
    return probe.pick_url(environment, service_urls[environment.service])
