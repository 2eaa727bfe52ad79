"""The append-only record of who put which release where, when, and whether it was verified.

Wherever entries are taken, they are of one environment and come newest first.
"""

from __future__ import annotations

import itertools
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaizen_tasks.domain.release import Release


RECENT = 5
"""Successful deployments of a service that say how long the next one will take."""


class Event(StrEnum):
    """What an entry says; the intent stands before the act, the outcome after it.

    `abandoned` is the outcome of a deployment that nobody will follow any more: another release is deployed instead, or
    the platform no longer knows of it.
    """

    STARTED = "started"
    DEPLOYED = "deployed"
    VERIFIED = "verified"
    FAILED = "failed"
    ABANDONED = "abandoned"
    ROLLBACK = "rollback"
    CONFIGURED = "configured"
    RESTORED = "restored"

    @property
    def deploys(self) -> bool:
        """Whether it is a word on what runs; that somebody wants to go back, or writes a configuration, is none."""
        return self not in {Event.ROLLBACK, Event.CONFIGURED, Event.RESTORED}


@frozen(kw_only=True)
class Entry:
    """One line of the ledger.

    Attributes:
        environment: where.
        event: what happened.
        version: `v1.2.3`.
        commit: full hash of the release commit.
        digest: of the image's manifest.
        at: when, in UTC.
        actor: who: `user@host`.
        operation: the platform's identifier of the deployment, or empty; an intent gets it once it is known.
        replaces: digest that `:latest` named before, when the entry is an intent.
        configuration: version of the runtime configuration that was written, or that was deployed for its sake.
        reason: why it failed or was abandoned, or what a person said.
        took: seconds that the platform took, by its own clock, when the entry says deployed; 0 when it did not say.
    """

    environment: str
    event: Event
    version: str
    commit: str
    digest: str
    at: datetime
    actor: str
    operation: str = ""
    replaces: str = ""
    reason: str = ""
    configuration: str = ""
    took: float = 0.0

    def proves(self, release: Release) -> bool:
        """Return whether it is about these bytes, and about the runtime configuration where that is the matter."""
        return self.digest == release.digest and release.configuration in {"", self.configuration}


@frozen(kw_only=True)
class Candidate:
    """A release that can be gone back to.

    Attributes:
        entry: its newest proof.
        exists: whether the repository still holds its image.
    """

    entry: Entry
    exists: bool


def newest(entries: Iterable[Entry]) -> Entry | None:
    """Return the last word on what an environment runs."""
    return next((entry for entry in entries if entry.event.deploys), None)


def unfinished(entries: Iterable[Entry]) -> Entry | None:
    """Return the deployment that was begun and has no outcome yet; whoever begins another one gives it one."""
    last = newest(entries)
    return last if last is not None and last.event is Event.STARTED else None


def usual(entries: Iterable[Entry]) -> float | None:
    """Return the seconds that a deployment usually takes here: the median of the last few that succeeded."""
    took = [entry.took for entry in entries if entry.event is Event.DEPLOYED and entry.took > 0]
    return median(took[:RECENT]) if took else None


def serving(entries: Iterable[Entry]) -> Entry | None:
    """Return the newest entry of a release that came into service."""
    return next((entry for entry in entries if entry.event in {Event.DEPLOYED, Event.VERIFIED}), None)


def candidates(entries: Iterable[Entry], *, other_than: str) -> tuple[Entry, ...]:
    """Return the newest proof of every verified release, newest first.

    Args:
        entries: newest first.
        other_than: a digest that is left out: what one wants to get away from.
    """
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.event is Event.VERIFIED and entry.digest != other_than:
            found.setdefault(entry.digest, entry)
    return tuple(found.values())


def way_back(entries: Iterable[Entry]) -> Entry | None:
    """Return the rollback that is under way or was the last thing to happen; None when another release came since.

    That it has put an end to another deployment is part of it.
    """
    digests: set[str] = set()
    for entry in entries:
        if entry.event is not Event.ABANDONED:
            digests.add(entry.digest)
        if entry.event is Event.ROLLBACK:
            return entry if digests == {entry.digest} else None
    return None


def last_mention(entries: Sequence[Entry], configuration: str) -> Entry | None:
    """Return the last word on a version of the runtime configuration: the proof that it is read, else its last mention.

    A deployment reads what counts when it begins, so that any that came after the mention is such a proof.
    """
    for position, entry in enumerate(entries):
        if entry.configuration == configuration:
            return serving(entries[: position + 1]) or entry
    return None


def configured(entries: Iterable[Entry]) -> Entry | None:
    """Return the last time that a runtime configuration was written or brought back."""
    return next((entry for entry in entries if entry.event in {Event.CONFIGURED, Event.RESTORED}), None)


def unproven(entries: Iterable[Entry]) -> Entry | None:
    """Return the same, unless the app has proven itself since."""
    return configured(itertools.takewhile(lambda entry: entry.event is not Event.VERIFIED, entries))
