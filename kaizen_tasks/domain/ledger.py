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


MEDIAN_SAMPLE_SIZE = 5
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
    def concerns_deployment(self) -> bool:
        """Whether it is a word on what runs; that somebody wants to go back, or writes a configuration, is none."""
        return self not in {Event.ROLLBACK, Event.CONFIGURED, Event.RESTORED}


@frozen(kw_only=True)
class LedgerEntry:
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

    def is_evidence_for(self, release: Release) -> bool:
        """Return whether it is about these bytes, and about the runtime configuration where that is the matter."""
        return self.digest == release.digest and release.configuration in {"", self.configuration}


@frozen(kw_only=True)
class RollbackCandidate:
    """A release that can be gone back to.

    Attributes:
        entry: its newest proof.
        image_exists: whether the repository still holds its image.
    """

    entry: LedgerEntry
    image_exists: bool


def latest_deployment_entry(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the last word on what an environment runs."""
    return next((entry for entry in entries if entry.event.concerns_deployment), None)


def open_deployment(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the deployment that was begun and has no outcome yet; whoever begins another one gives it one."""
    latest = latest_deployment_entry(entries)
    return latest if latest is not None and latest.event is Event.STARTED else None


def median_deploy_seconds(entries: Iterable[LedgerEntry]) -> float | None:
    """Return the seconds that a deployment usually takes here: the median of the last few that succeeded."""
    durations = [entry.took for entry in entries if entry.event is Event.DEPLOYED and entry.took > 0]
    return median(durations[:MEDIAN_SAMPLE_SIZE]) if durations else None


def serving_entry(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the newest entry of a release that came into service."""
    return next((entry for entry in entries if entry.event in {Event.DEPLOYED, Event.VERIFIED}), None)


def rollback_candidates(entries: Iterable[LedgerEntry], *, excluded_digest: str) -> tuple[LedgerEntry, ...]:
    """Return the newest proof of every verified release, newest first.

    Args:
        entries: newest first.
        excluded_digest: a digest that is left out: what one wants to get away from.
    """
    entry_by_digest: dict[str, LedgerEntry] = {}
    for entry in entries:
        if entry.event is Event.VERIFIED and entry.digest != excluded_digest:
            entry_by_digest.setdefault(entry.digest, entry)
    return tuple(entry_by_digest.values())


def open_rollback(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
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


def last_entry_for_config(entries: Sequence[LedgerEntry], config_version: str) -> LedgerEntry | None:
    """Return the last word on a version of the runtime configuration: the proof that it is read, else its last mention.

    A deployment reads what counts when it begins, so that any that came after the mention is such a proof.
    """
    for position, entry in enumerate(entries):
        if entry.configuration == config_version:
            return serving_entry(entries[: position + 1]) or entry
    return None


def last_config_change(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the last time that a runtime configuration was written or brought back."""
    return next((entry for entry in entries if entry.event in {Event.CONFIGURED, Event.RESTORED}), None)


def unverified_config_change(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the same, unless the app has proven itself since."""
    return last_config_change(itertools.takewhile(lambda entry: entry.event is not Event.VERIFIED, entries))
