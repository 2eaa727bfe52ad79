"""Reads from the entries of an environment which releases changed it, which of them failed, and for how long."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import define, evolve, field, frozen

from kaizen_tasks.domain.ledger import UNKNOWN_TIME, Event, LedgerEntry, with_withdrawn_digests

ONE_DAY = timedelta(days=1)
"""How soon after its verification a hotfix makes a release a failed one, and how far back an incident may begin."""


class Failure(StrEnum):
    """Why a release counts as failed in an environment."""

    VERIFICATION = "verification"
    ROLLBACK = "rollback"
    HOTFIX = "hotfix"
    DEPLOYMENT = "deployment"


@frozen(kw_only=True)
class Change:
    """A release in an environment that it was new to. It counts once, however often it was deployed there.

    Attributes:
        environment: the environment's name.
        version: `v1.2.3`.
        commit: full hash of the release commit.
        digest: digest of the image.
        started_at: when its first deployment began, in UTC; all times are.
        verified_at: when it was verified there for the first time; None if it never was.
        failure: why it counts as failed; None if it does not.
        failed_at: when that was recorded.
    """

    environment: str
    version: str
    commit: str
    digest: str
    started_at: datetime
    verified_at: datetime | None = None
    failure: Failure | None = None
    failed_at: datetime | None = None

    @property
    def decided_at(self) -> datetime | None:
        """When it was first known whether it works; None for one that is being deployed or was abandoned."""
        moments = [moment for moment in (self.verified_at, self.failed_at) if moment is not None]
        return min(moments, default=None)


@frozen(kw_only=True)
class Incident:
    """A time in which an environment served a release that counts as failed.

    Attributes:
        environment: the environment's name.
        version: the release that failed: `v1.2.3`.
        failure: how it became known.
        begun_at: when it began; see `docs/how-to/metrics.md`.
        ended_at: when a release was verified there again; None for an incident that goes on.
        restored_by: that release: `v1.2.2`; empty for an incident that goes on.
    """

    environment: str
    version: str
    failure: Failure
    begun_at: datetime
    ended_at: datetime | None = None
    restored_by: str = ""

    def seconds(self, now: datetime) -> float:
        """Return its length, until now if it goes on; 0 if two clocks contradict each other."""
        return max(0.0, ((self.ended_at or now) - self.begun_at).total_seconds())


@frozen(kw_only=True)
class EnvironmentChanges:
    """What the ledger says of one environment.

    Attributes:
        environment: the environment's name.
        first_at: when its oldest known entry was written; None without entries.
        changes: the releases that were new to it, in the order in which their deployments began.
        incidents: in the order in which they began.
        verified: the first known verification of each release, in order, including releases that were not new.
    """

    environment: str
    first_at: datetime | None = None
    changes: tuple[Change, ...] = ()
    incidents: tuple[Incident, ...] = ()
    verified: tuple[LedgerEntry, ...] = ()

    @property
    def old_digests(self) -> frozenset[str]:
        """The digests of the releases that it has verified and that were not new to it."""
        return frozenset(entry.digest for entry in self.verified) - {change.digest for change in self.changes}


def read_changes(
    environment: str, entries: Sequence[LedgerEntry], *, hotfixes: Container[str] = ()
) -> EnvironmentChanges:
    """Return the releases that changed an environment, and its incidents.

    Deployments of a runtime configuration, commands and migrations are not of a release, and count as nothing.

    Args:
        environment: the environment's name.
        entries: its entries, newest first; those from before a span tell what was serving when it began.
        hotfixes: the release commits of hotfixes of this environment, as full hashes.
    """
    reader = _Reader(environment=environment, hotfixes=hotfixes)
    for entry, withdrawn_digest in with_withdrawn_digests(entries):
        reader.read(entry, withdrawn_digest)
    moments = [entry.at for entry in entries if entry.at != UNKNOWN_TIME]
    return EnvironmentChanges(
        environment=environment,
        first_at=moments[-1] if moments else None,
        changes=tuple(reader.changes.values()),
        incidents=(*reader.incidents, *([reader.incident] if reader.incident else [])),
        verified=tuple(reader.verified.values()),
    )


@define(kw_only=True)
class _Reader:
    """Reads entries, oldest first.

    Attributes:
        serving: the entry with which the release that serves began to do so; None while it is unknown.
        old_digests: those of releases that are not new: the first entry about each is not the start of a deployment.
        incident: the one that goes on.
    """

    environment: str
    hotfixes: Container[str]
    changes: dict[str, Change] = field(init=False, factory=dict)
    verified: dict[str, LedgerEntry] = field(init=False, factory=dict)
    incidents: list[Incident] = field(init=False, factory=list)
    incident: Incident | None = field(init=False, default=None)
    serving: LedgerEntry | None = field(init=False, default=None)
    old_digests: set[str] = field(init=False, factory=set)

    def read(self, entry: LedgerEntry, withdrawn_digest: str) -> None:
        """Read the next entry, and the digest of the release that it withdraws, if any."""
        if entry.event.concerns_command or entry.event is Event.UNKNOWN:
            return
        if entry.event is Event.STARTED and not entry.configuration:
            self._start(entry)
        elif entry.digest not in self.changes:
            self.old_digests.add(entry.digest)
        if entry.event in {Event.DEPLOYED, Event.VERIFIED} and (not self._serves(entry.digest)):
            self.serving = entry
        if entry.event is Event.VERIFIED:
            self._verify(entry)
        elif withdrawn_digest and not entry.configuration:
            self._withdraw(entry, withdrawn_digest)

    def _serves(self, digest: str) -> bool:
        return self.serving is not None and self.serving.digest == digest

    def _start(self, entry: LedgerEntry) -> None:
        if entry.commit in self.hotfixes:
            self._suspect(entry)
        if entry.digest in self.changes or entry.digest in self.old_digests:
            return
        self.changes[entry.digest] = Change(
            environment=self.environment,
            version=entry.version,
            commit=entry.commit,
            digest=entry.digest,
            started_at=entry.at,
        )

    def _suspect(self, hotfix: LedgerEntry) -> None:
        """Count the release that serves as failed if a hotfix follows its verification within a day."""
        change = self.changes.get(self.serving.digest) if self.serving else None
        if change is None or change.failure or change.verified_at is None or change.digest == hotfix.digest:
            return
        if hotfix.at - change.verified_at <= ONE_DAY:
            self._fail(change.digest, Failure.HOTFIX, hotfix)
            self._open(Failure.HOTFIX, hotfix)

    def _verify(self, entry: LedgerEntry) -> None:
        self.verified.setdefault(entry.digest, entry)
        change = self.changes.get(entry.digest)
        if change is not None and change.verified_at is None:
            came_up_later = change.failure is Failure.DEPLOYMENT
            failure, failed_at = (None, None) if came_up_later else (change.failure, change.failed_at)
            self.changes[entry.digest] = evolve(change, verified_at=entry.at, failure=failure, failed_at=failed_at)
        if self.incident is not None:
            self.incidents.append(evolve(self.incident, ended_at=entry.at, restored_by=entry.version))
            self.incident = None

    def _withdraw(self, entry: LedgerEntry, digest: str) -> None:
        """Count a release as failed, unless another one has broken the environment which that one had worked in."""
        change, has_served = self.changes.get(digest), self._serves(digest)
        failure = Failure.VERIFICATION if has_served else Failure.DEPLOYMENT
        if entry.event is Event.ROLLBACK:
            failure = Failure.ROLLBACK
        has_worked = change is not None and change.verified_at is not None
        if not has_worked or (self.incident is None and failure is not Failure.DEPLOYMENT):
            self._fail(digest, failure, entry)
        if has_served:
            self._open(failure, entry)

    def _fail(self, digest: str, failure: Failure, entry: LedgerEntry) -> None:
        change = self.changes.get(digest)
        if change is not None and change.failure in {None, Failure.DEPLOYMENT}:
            failed_at = change.failed_at or entry.at
            self.changes[digest] = evolve(change, failure=failure, failed_at=failed_at)

    def _open(self, failure: Failure, entry: LedgerEntry) -> None:
        """Begin an incident of the release that serves, unless one goes on."""
        if self.incident is not None or self.serving is None:
            return
        is_fresh = entry.at - self.serving.at <= ONE_DAY
        self.incident = Incident(
            environment=self.environment,
            version=self.serving.version,
            failure=failure,
            begun_at=self.serving.at if is_fresh else entry.at,
        )
