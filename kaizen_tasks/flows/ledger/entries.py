"""Reads and writes the ledger in the words of a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from attrs import evolve

from kaizen_tasks.domain import ledger
from kaizen_tasks.domain.ledger import Entry, Event

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


HISTORY = 200
"""Entries of an environment that are searched for a proof or a way back."""


def newest(environment: Environment, tools: Tools) -> Entry | None:
    """Return what the ledger said last of an environment."""
    some = ledger.newest(tools.ledger.entries(environment.name))
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


class Said(TypedDict, total=False):
    """What an entry may say besides; see `Entry`."""

    operation: str
    replaces: str
    reason: str
    took: float


def append(event: Event, environment: Environment, release: Release, tools: Tools, **said: Unpack[Said]) -> Entry:
    """Write one entry about a release in an environment, and why it came there if it had no evidence; return it."""
    waived = f"without evidence: {release.waiver}" if release.waiver else ""
    said["reason"] = "; ".join(filter(None, (said.get("reason", ""), waived)))
    entry = Entry(
        environment=environment.name,
        event=event,
        version=release.name,
        commit=release.commit,
        digest=release.digest,
        at=tools.clock.now(),
        actor=tools.actor,
        configuration=release.configuration,
        **said,
    )
    tools.ledger.append(entry)
    return entry


def abandon(entry: Entry, tools: Tools, *, reason: str) -> None:
    """Write down that nobody will follow the deployment of an entry any more, and why."""
    at, actor = tools.clock.now(), tools.actor
    tools.ledger.append(evolve(entry, event=Event.ABANDONED, at=at, actor=actor, reason=reason, replaces="", took=0.0))
