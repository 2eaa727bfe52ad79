"""The append-only record of who put which release where, when, and whether it was verified; always newest first."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import frozen

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
        """Whether it is about the deployed image; rollback intents and configuration changes are not."""
        return self not in {Event.ROLLBACK, Event.CONFIGURED, Event.RESTORED}


@frozen(kw_only=True)
class LedgerEntry:
    """One entry of the ledger.

    Attributes:
        environment: the environment's name.
        event: what happened.
        version: `v1.2.3`.
        commit: full hash of the release commit.
        digest: of the image's manifest.
        at: when, in UTC.
        actor: who did it: `user@host`.
        operation: the platform's identifier of the deployment, or empty; an intent gets it after the start.
        replaces: of an intent, the digest that `:latest` named before.
        configuration: version of the runtime configuration that was written or deployed.
        reason: why it failed or was abandoned, or the reason a person gave.
        took: of `deployed`, the seconds it took by the platform's clock; 0 when it does not report them.
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
        """Return whether it is about the release's image, and about its runtime configuration if it has one."""
        return self.digest == release.digest and release.configuration in {"", self.configuration}


@frozen(kw_only=True)
class RollbackCandidate:
    """A release that a rollback can choose.

    Attributes:
        entry: its newest verification.
        image_exists: whether its image is still in the repository.
    """

    entry: LedgerEntry
    image_exists: bool


def latest_deployment_entry(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the newest entry about the deployed image."""
    return next((entry for entry in entries if entry.event.concerns_deployment), None)


def open_deployment(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the intent of a deployment that has no outcome yet; the next run records one before it starts another."""
    latest = latest_deployment_entry(entries)
    return latest if latest is not None and latest.event is Event.STARTED else None


def median_deploy_seconds(entries: Iterable[LedgerEntry]) -> float | None:
    """Return the median seconds of the last successful deployments; None without any."""
    return recent_median(entry.took for entry in entries if entry.event is Event.DEPLOYED) or None


def serving_entry(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the newest entry about a release that was deployed successfully."""
    return next((entry for entry in entries if entry.event in {Event.DEPLOYED, Event.VERIFIED}), None)


def rollback_candidates(entries: Iterable[LedgerEntry], *, excluded_digest: str) -> tuple[LedgerEntry, ...]:
    """Return the newest verification of every release, newest first.

    Args:
        entries: newest first.
        excluded_digest: digest of the release to roll back from.
    """
    entry_by_digest: dict[str, LedgerEntry] = {}
    for entry in entries:
        if entry.event is Event.VERIFIED and entry.digest != excluded_digest:
            entry_by_digest.setdefault(entry.digest, entry)
    return tuple(entry_by_digest.values())


def open_rollback(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the last rollback, unless another release was deployed since.

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
    """Return the newest entry that proves a version of the runtime configuration is in use, else its newest entry.

    A deployment reads the current configuration when it starts, so any deployment after the entry is such a proof.
    """
    for position, entry in enumerate(entries):
        if entry.configuration == config_version:
            return serving_entry(entries[: position + 1]) or entry
    return None


def last_config_change(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the newest entry about a runtime configuration that was written or restored."""
    return next((entry for entry in entries if entry.event in {Event.CONFIGURED, Event.RESTORED}), None)


def unverified_config_change(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the last configuration change, unless the app was verified since."""
    return last_config_change(itertools.takewhile(lambda entry: entry.event is not Event.VERIFIED, entries))
