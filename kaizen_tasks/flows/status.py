"""Asks every witness of every environment, all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen

from kaizen_tasks.domain.health import Running
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.domain.status import Row
from kaizen_tasks.errors import KaizenError, NotFound
from kaizen_tasks.flows.deploy import probe
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.ledger import Entry
    from kaizen_tasks.ports.tools import Tools

Seen = TypeVar("Seen")
AT_ONCE = 64
"""Environments that are looked at at the same time; an app that does not answer keeps its place for seconds."""


@frozen(kw_only=True)
class _Shared:
    """What one question answers for all environments, once it has been answered.

    Attributes:
        addresses: of the services, by their names.
        locks: by environment.
        holds: by environment.
    """

    addresses: Future[Mapping[str, str]]
    locks: Future[Mapping[str, Lock]]
    holds: Future[Mapping[str, Hold]]


def look(environments: Sequence[Environment], tools: Tools) -> tuple[Row, ...]:
    """Return a row for each environment; what cannot be seen is a fault in its row and not an error.

    Raises:
        Denied: the credentials are of another account.
    """
    tools.identity.account()
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="status") as pool:
        names = [environment.name for environment in environments]
        shared = _Shared(
            addresses=pool.submit(tools.platform.addresses),
            locks=pool.submit(tools.locks.all_of, names),
            holds=pool.submit(tools.holds.all_of, names),
        )
        return tuple(pool.map(lambda environment: _row(environment, shared, tools), environments))


def entries(environments: Sequence[Environment], tools: Tools, *, limit: int) -> tuple[Entry, ...]:
    """Return the last entries of each environment as one history, newest first."""

    def ask(environment: Environment) -> tuple[Entry, ...]:
        return tools.ledger.entries(environment.name, limit=limit)

    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="history") as pool:
        found = [entry for each in pool.map(ask, environments) for entry in each]
    return tuple(sorted(found, key=lambda entry: entry.at, reverse=True))


class _Eyes:
    """Look, and keep what prevents it."""

    def __init__(self) -> None:
        self._faults: list[str] = []

    def see(self, ask: Callable[[], Seen]) -> Seen | None:
        """Return the answer, or None where there is none."""
        try:
            return ask()
        except KaizenError as error:
            self._faults.append(error.what)
            return None

    @property
    def faults(self) -> tuple[str, ...]:
        """What could not be looked at, each once."""
        return tuple(dict.fromkeys(self._faults))


def _row(environment: Environment, shared: _Shared, tools: Tools) -> Row:
    eyes = _Eyes()
    latest = eyes.see(lambda: tools.registry.image(environment.repository, "latest"))
    entry = eyes.see(lambda: ledger.newest(environment, tools))
    addresses = eyes.see(shared.addresses.result)
    url = environment.url if addresses is None else eyes.see(lambda: _address(environment, addresses)) or ""
    locks, holds = eyes.see(shared.locks.result) or {}, eyes.see(shared.holds.result) or {}
    return Row(
        environment=environment,
        url=url,
        latest=latest,
        running=probe.running(url, tools) if url else Running(fault="has no address"),
        entry=entry,
        lock=locks.get(environment.name),
        hold=holds.get(environment.name),
        faults=eyes.faults,
    )


def _address(environment: Environment, addresses: Mapping[str, str]) -> str:
    """Return where to ask an app.

    Raises:
        NotFound: the platform does not list its service.
    """
    if environment.service not in addresses:
        raise NotFound(f"there is no service {environment.service}")
    return probe.chosen(environment, addresses[environment.service])
