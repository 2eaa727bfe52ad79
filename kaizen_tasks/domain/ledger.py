"""The record of who deployed which release where and when, and whether it was verified; entries are newest first."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import field, frozen

from kaizen_tasks.domain.polling import recent_median

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release


class Event(StrEnum):
    """What an entry records: an intent before the change, an outcome after it.

    `abandoned` is the outcome of a deployment that no run will follow to its end: another release was deployed instead,
    or the platform no longer knows it.
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
        """Whether the event is about the deployed image, unlike rollback intents and configuration changes."""
        return self not in {Event.ROLLBACK, Event.CONFIGURED, Event.RESTORED}


@frozen(kw_only=True)
class LedgerEntry:
    """One entry of the ledger.

    Attributes:
        environment: the environment's name.
        event: what happened.
        version: `v1.2.3`.
        commit: full hash of the release commit.
        digest: digest of the image's manifest.
        at: when the event happened, in UTC.
        actor: who caused the event: `user@host`.
        operation: the platform's identifier of the deployment, or empty; set on an intent after the start.
        replaces: for an intent, the digest that the followed tag named before.
        configuration: version of the runtime configuration that was written or deployed.
        reason: why the deployment failed or was abandoned, or the reason that a person gave.
        took: for `deployed`, the duration in seconds by the platform's clock; 0 when the platform reports none.
        number: position among the environment's entries, counted from 1, which is their order, whatever `at` says; 0
            before the entry is written, and in entries that were written before there were numbers.
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
    number: int = field(default=0, eq=False)

    def is_evidence_for(self, release: Release) -> bool:
        """Return whether the entry has the release's image and, if the release sets one, its runtime configuration."""
        return self.digest == release.digest and release.configuration in {"", self.configuration}


@frozen(kw_only=True)
class RollbackCandidate:
    """A release that a rollback can choose.

    Attributes:
        entry: the entry of the release's newest verification.
        image_exists: whether the release's image is still in the repository.
    """

    entry: LedgerEntry
    image_exists: bool


def latest_deployment_entry(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the newest entry about the deployed image, or None."""
    return next((entry for entry in entries if entry.event.concerns_deployment), None)


def open_deployment(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the intent of the newest deployment if its outcome is not recorded yet, else None."""
    latest = latest_deployment_entry(entries)
    return latest if latest is not None and latest.event is Event.STARTED else None


def median_deploy_seconds(entries: Iterable[LedgerEntry]) -> float | None:
    """Return the median duration of the last successful deployments in seconds, or None."""
    return recent_median(entry.took for entry in entries if entry.event is Event.DEPLOYED) or None


def serving_entry(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the newest entry of a successful deployment or verification, or None."""
    return next((entry for entry in entries if entry.event in {Event.DEPLOYED, Event.VERIFIED}), None)


def rollback_candidates(entries: Iterable[LedgerEntry], *, excluded_digest: str) -> tuple[LedgerEntry, ...]:
    """Return the entry of the newest verification of every release but one, newest first.

    Args:
        entries: newest first.
        excluded_digest: digest of the release to roll back from, which is left out.
    """
    entry_by_digest: dict[str, LedgerEntry] = {}
    for entry in entries:
        if entry.event is Event.VERIFIED and entry.digest != excluded_digest:
            entry_by_digest.setdefault(entry.digest, entry)
    return tuple(entry_by_digest.values())


def open_rollback(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the entry of the last rollback; None when there is none, or when another release was deployed since.

    A rollback may abandon another deployment, so `abandoned` entries do not count as another release.
    """
    digests: set[str] = set()
    for entry in entries:
        if entry.event is not Event.ABANDONED:
            digests.add(entry.digest)
        if entry.event is Event.ROLLBACK:
            return entry if digests == {entry.digest} else None
    return None


def last_entry_for_config(entries: Sequence[LedgerEntry], config_version: str) -> LedgerEntry | None:
    """Return the newest entry that shows a version of the runtime configuration in use, else that version's newest.

    A deployment reads the current configuration at its start, so a deployment after that entry uses the version.
    """
    for position, entry in enumerate(entries):
        if entry.configuration == config_version:
            return serving_entry(entries[: position + 1]) or entry
    return None


def last_config_change(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the newest entry about a written or restored runtime configuration, or None."""
    return next((entry for entry in entries if entry.event in {Event.CONFIGURED, Event.RESTORED}), None)


def unverified_config_change(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the entry of the last configuration change; None when the app was verified since."""
    return last_config_change(itertools.takewhile(lambda entry: entry.event is not Event.VERIFIED, entries))
