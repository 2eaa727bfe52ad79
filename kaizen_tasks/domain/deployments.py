"""The entries of the ledger as deployments: what began, how it ended and how long that took."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from kaizen_tasks.domain.ledger import Event, LedgerEntry

CAUSES = {Event.ROLLBACK: "rollback", Event.CONFIGURED: "new configuration", Event.RESTORED: "previous configuration"}
"""Entries that are written before the deployment that they cause, each with what is said of it."""

FOLLOWING_EVENTS = {
    Event.STARTED: (Event.DEPLOYED, Event.VERIFIED, Event.FAILED, Event.ABANDONED),
    Event.DEPLOYED: (Event.VERIFIED, Event.FAILED),
    Event.COMMAND_STARTED: (Event.COMMAND_SUCCEEDED, Event.COMMAND_FAILED),
}
"""The entries that go on with a deployment or a command, by its latest entry."""

MAX_INTERLEAVED = 3
"""How many deployments may be open at a time: a rollback abandons the one before it."""


@frozen(kw_only=True)
class Deployment:
    """One deployment, or an entry that is about none.

    Attributes:
        first: the entry that began it, with the reason that it was given.
        last: the entry that ended it; the same one if nothing has followed.
        cause: what it was for, if not for a new release: `rollback`, `new configuration`; the name of a command.
    """

    first: LedgerEntry
    last: LedgerEntry
    cause: str = ""

    @property
    def outcome(self) -> str:
        """How it ended, or how far it has come: `verified`, `failed`, `started`."""
        return self.last.event_name

    @property
    def seconds(self) -> float | None:
        """How long it took from its beginning to its end; None for a single entry."""
        return None if self.first is self.last else (self.last.at - self.first.at).total_seconds()

    @property
    def reason(self) -> str:
        """Why it was made and why it failed, as far as anybody has said so."""
        reasons = dict.fromkeys((self.cause, self.first.reason, self.last.reason))
        return ": ".join(filter(None, reasons))


def group_deployments(entries: Sequence[LedgerEntry]) -> tuple[Deployment, ...]:
    """Return the deployments of one environment, newest first.

    Args:
        entries: the environment's entries, newest first.
    """
    deployments: list[Deployment] = []
    for entry in reversed(entries):
        for index in range(len(deployments) - 1, max(len(deployments) - MAX_INTERLEAVED, 0) - 1, -1):
            if _continues(deployments[index].last, entry):
                deployments[index] = evolve(deployments[index], last=entry)
                break
        else:
            cause = CAUSES.get(entry.event, entry.command)
            deployments.append(Deployment(first=entry, last=entry, cause=cause))
    return tuple(reversed(deployments))


def _continues(last: LedgerEntry, entry: LedgerEntry) -> bool:
    """Return whether an entry is about the deployment whose latest entry is `last`."""
    if last.event in CAUSES:
        is_same = last.digest == entry.digest and last.configuration in {"", entry.configuration}
        return is_same and entry.event is Event.STARTED
    is_same = (last.digest, last.command) == (entry.digest, entry.command)
    return is_same and entry.event in FOLLOWING_EVENTS.get(last.event, ())
