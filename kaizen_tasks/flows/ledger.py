"""Reads and writes the ledger in the words of a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import ledger
from kaizen_tasks.domain.ledger import Entry, Event

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports import Tools


HISTORY = 200
"""Entries of an environment that are searched for a proof or a way back."""


def newest(environment: Environment, tools: Tools) -> Entry | None:
    """Return what the ledger said last of an environment."""
    some = ledger.newest(tools.ledger.entries(environment.name, limit=3))
    return some or ledger.newest(tools.ledger.entries(environment.name, limit=HISTORY))


def running(environment: Environment, tools: Tools) -> str | None:
    """Return the digest that was deployed last and did not fail, as far as the ledger knows.

    An environment that was deployed by hand until now has no such entry; then it is the digest that `:latest` named
    when the first deployment of ours began.
    """
    entries = tools.ledger.entries(environment.name)
    served = ledger.serving(entries)
    if served is not None:
        return served.digest
    return next((each.replaces for each in reversed(entries) if each.replaces), None)


def append(
    event: Event,
    environment: Environment,
    release: Release,
    tools: Tools,
    *,
    operation: str = "",
    replaces: str = "",
    reason: str = "",
) -> None:
    """Write one entry about a release in an environment, and why it came there if it had no evidence."""
    waived = f"without evidence: {release.waiver}" if release.waiver else ""
    tools.ledger.append(
        Entry(
            environment=environment.name,
            event=event,
            version=release.name,
            commit=release.commit,
            digest=release.digest,
            at=tools.clock.now(),
            actor=tools.actor,
            operation=operation,
            replaces=replaces,
            reason="; ".join(filter(None, (reason, waived))),
            configuration=release.configuration,
        )
    )
