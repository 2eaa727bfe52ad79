"""Asks every witness of every environment, all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from kaizen_tasks.domain.health import Running
from kaizen_tasks.domain.matrix import Row
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows import ledger, probing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports import Tools

Seen = TypeVar("Seen")
AT_ONCE = 32


def look(environments: Sequence[Environment], tools: Tools) -> tuple[Row, ...]:
    """Return a row for each environment; what cannot be seen is a fault in its row and not an error.

    Raises:
        Denied: the credentials are of another account.
    """
    tools.identity.account()
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="status") as pool:
        return tuple(pool.map(lambda environment: _row(environment, tools), environments))


def _row(environment: Environment, tools: Tools) -> Row:
    faults: list[str] = []

    def see(ask: Callable[[], Seen]) -> Seen | None:
        try:
            return ask()
        except KaizenError as error:
            faults.append(error.what)
            return None

    latest = see(lambda: tools.registry.image(environment.repository, "latest"))
    entry = see(lambda: ledger.newest(environment, tools))
    url = see(lambda: probing.address(environment, tools)) or ""
    return Row(
        environment=environment,
        url=url,
        latest=latest,
        running=probing.running(url, tools) if url else Running(fault="has no address"),
        entry=entry,
        lock=see(lambda: tools.locks.find(environment.name)),
        hold=see(lambda: tools.holds.find(environment.name)),
        faults=tuple(dict.fromkeys(faults)),
    )
