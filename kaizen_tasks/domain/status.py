"""The status of an environment: what runs there, and where registry, ledger and running app disagree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.lock import DEAD_RUN, Lock
from kaizen_tasks.domain.migration.second_service import SecondService
from kaizen_tasks.domain.text.listing import counted


class EnvironmentState(StrEnum):
    """How registry, ledger and running app of an environment relate."""

    IN_SYNC = "in sync"
    DRIFT = "drift"
    DEPLOYING = "deploying"
    NEW = "new"


@frozen(kw_only=True)
class EnvironmentStatus:
    """The state of one environment according to registry, ledger and running app.

    Attributes:
        environment: the environment.
        url: the app's URL.
        followed_image: the image that the followed tag names in its repository or, on a platform that follows none, the
            one that the service is told to run; None when there is none.
        running_digest: digest of the image that the platform says it runs; empty where it does not say.
        version_report: what the app reports.
        last_entry: the newest entry of the ledger about what is deployed; None when there is none.
        lock: the current lock; None when there is none.
        hold: the current hold; None when there is none.
        is_run_dead: whether the run that holds the lock has ended without releasing it.
        errors: what could not be read, in words.
        missing: which resources do not exist, in words.
        conflicts: versions that other environments have with another digest, in words.
        withdrawal: the ledger's entry that the release was given up; None when it was not.
        failure: the failure of the release that was deployed before the one that a rollback has brought back; None
            without any.
        line: name of the line that the environment stays on or, if it stays on none, of the line or series that its
            release is of; empty without lines.
        line_drift: the contradiction between that line and the release, in words; empty when there is none.
        second_service: the service that the configuration does not name, while the environment moves to another
            platform; None while there is one service only.
        changed_at: when the newest entry of the ledger, of whatever kind, was written; None when there is none.
        moved_to: the title of the platform to which the environment has moved, which its configuration does not say;
            empty if it is where it is configured.
    """

    environment: Environment
    url: str
    followed_image: Image | None
    version_report: VersionReport
    last_entry: LedgerEntry | None
    running_digest: str = ""
    lock: Lock | None = None
    hold: Hold | None = None
    is_run_dead: bool = False
    errors: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    withdrawal: LedgerEntry | None = None
    failure: LedgerEntry | None = None
    line: str = ""
    line_drift: str = ""
    second_service: SecondService | None = None
    moved_to: str = ""
    changed_at: datetime | None = None

    @property
    def is_changing(self) -> bool:
        """Whether a run that still renews the lock is changing the environment."""
        return self.lock is not None and not self.lock.is_manual and not self.is_run_dead

    @property
    def state(self) -> EnvironmentState:
        """The state, in one word; what nothing was released to has no drift yet, unless it cannot be read."""
        if self.drift:
            return EnvironmentState.DRIFT
        if self.last_entry is None:
            return EnvironmentState.NEW
        is_deploying = self.is_changing and _differences(self)
        return EnvironmentState.DEPLOYING if is_deploying else EnvironmentState.IN_SYNC

    def has_changed_since(self, moment: datetime) -> bool:
        """Return whether the ledger, the lock or the hold has changed since a time; drift has no time."""
        times = [blocker.since for blocker in (self.lock, self.hold) if blocker is not None]
        return any(time is not None and time >= moment for time in (*times, self.changed_at))

    @property
    def notes(self) -> tuple[str, ...]:
        """Descriptions of lock, hold and second service, if any, and of what an environment lacks that is new."""
        blockers = tuple(str(blocker) for blocker in (self.lock, self.hold) if blocker is not None)
        if self.is_run_dead:
            blockers = (f"{blockers[0]}; {DEAD_RUN}", *blockers[1:])
        if self.second_service is not None and self.last_entry is not None:
            blockers += (self.second_service.describe(self.environment.name, self.last_entry.version),)
        if self.state is not EnvironmentState.NEW:
            return blockers
        app = () if self.missing else _running_drift(self)
        return (*blockers, "; ".join(("nothing was released to it yet", *self.missing, *app)))

    @property
    def drift(self) -> tuple[str, ...]:
        """Descriptions of every disagreement between registry, ledger and running app that no run is about to end."""
        is_settled = self.last_entry is not None and not self.is_changing
        return (*self.errors, *self.conflicts, *(_differences(self) if is_settled else ()))


@frozen(kw_only=True)
class StatusView:
    """The rows that are asked for.

    Attributes:
        rows: the environments that are shown.
        since: from when on they have changed; None for any.
        hidden: the environments that have not.
    """

    rows: Sequence[EnvironmentStatus]
    since: datetime | None = None
    hidden: Sequence[EnvironmentStatus] = ()

    @property
    def hidden_text(self) -> str:
        """How many environments have not changed, and how many of these have drift; empty if there are none."""
        if self.since is None:
            return ""
        moment = f"since {self.since:%Y-%m-%d %H:%M} UTC"
        count, verb = counted(len(self.hidden), "environment"), "has" if len(self.hidden) == 1 else "have"
        drifting = sum(bool(row.drift) for row in self.hidden)
        drift = f"; {drifting} of them with drift, which has no time: inv status" if drifting else ""
        return f"{count} {verb} not changed {moment}{drift}" if self.hidden else ""


def select_rows(rows: Sequence[EnvironmentStatus], since: datetime | None) -> StatusView:
    """Return the rows that have changed since a time; all of them without one."""
    if since is None:
        return StatusView(rows=rows)
    changed = [row for row in rows if row.has_changed_since(since)]
    return StatusView(rows=changed, since=since, hidden=[row for row in rows if row not in changed])


def _differences(status: EnvironmentStatus) -> tuple[str, ...]:
    """Return every difference between registry, ledger and running app, in words."""
    if status.moved_to:
        return (f"it has moved to {status.moved_to}, which this configuration does not say: git pull",)
    is_known = not status.errors and not status.missing
    lacks_image = status.followed_image is None and is_known
    image_drift = (_lacking_image(status.environment),) if lacks_image else ()
    line_drift = (status.line_drift,) if status.line_drift else ()
    found = (*_running_drift(status), *_platform_drift(status), *_ledger_drift(status))
    return (*status.missing, *image_drift, *found, *line_drift)


def _lacking_image(environment: Environment) -> str:
    if environment.follows_tag:
        return f"nothing is :{environment.follow} in its repository"
    return f"the image that {environment.service} is told to run is not in its repository"


def _name_image(environment: Environment) -> str:
    """Return what names the image of an environment, in the middle of a sentence: `:latest is`."""
    return f":{environment.follow} is" if environment.follows_tag else "its service is told to run"


def _platform_drift(status: EnvironmentStatus) -> tuple[str, ...]:
    """Return that the platform runs another image than the one that it was told, as after its own rollback."""
    running, image = status.running_digest, status.followed_image
    if not running or image is None or running == image.digest:
        return ()
    title = status.environment.kind.title
    told = f"{image.version or 'another image'} ({_short(image.digest)})"
    return (f"{title} runs {_short(running)}, and was told to run {told}",)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def with_conflicts(rows: Sequence[EnvironmentStatus]) -> tuple[EnvironmentStatus, ...]:
    """Return the rows with a drift for each version that environments have with different digests."""
    environments: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        if row.last_entry is not None and row.followed_image is not None and row.followed_image.version:
            names = environments.setdefault(row.followed_image.version, {})
            names.setdefault(row.followed_image.digest, []).append(row.environment.name)
    conflicts = {
        version: f"{version} is {' and '.join(map(_describe_digest, by_digest.items()))}: one version, different bytes"
        for version, by_digest in environments.items()
        if len(by_digest) > 1
    }
    return tuple(
        evolve(row, conflicts=(conflicts[row.followed_image.version],))
        if row.last_entry is not None and row.followed_image is not None and row.followed_image.version in conflicts
        else row
        for row in rows
    )


def _describe_digest(item: tuple[str, list[str]]) -> str:
    digest, names = item
    return f"{_short(digest)} in {', '.join(names)}"


def _running_drift(status: EnvironmentStatus) -> tuple[str, ...]:
    report, image = status.version_report, status.followed_image
    if report.error:
        return (f"the app {report.error}",)
    differences = []
    if image is not None and report.version != image.version:
        tagged = f"{_name_image(status.environment)} {image.version or 'unlabelled'}"
        differences.append(f"runs {report.version or 'no version'}, but {tagged}")
    if not report.is_from(status.environment.name):
        name = report.environment
        differences.append(f"the app reports environment {name!r}" if name else "the app reports no environment")
    return tuple(differences)


def _ledger_drift(status: EnvironmentStatus) -> tuple[str, ...]:
    entry, followed_image = status.last_entry, status.followed_image
    if entry is None:
        return ()
    if entry.event in {Event.FAILED, Event.ABANDONED}:
        outcome = "failed" if entry.event is Event.FAILED else "was abandoned"
        return (f"{entry.version} {outcome} here: {entry.reason or 'no reason was recorded'}",)
    if status.withdrawal is not None:
        return (f"{entry.version} was given up: {status.withdrawal.reason or 'no reason was recorded'}",)
    if followed_image is not None and entry.digest != followed_image.digest:
        claim = f"the ledger says {entry.version} {entry.event}"
        other = f"{_name_image(status.environment)} {followed_image.version or 'another image'}"
        command = f"inv deploy --env {status.environment.name} --release {entry.version}"
        remedy = f"; to deploy it: {command}" if entry.event is Event.VERIFIED else ""
        return (f"{claim}, but {other}{remedy}",)
    if entry.event is not Event.VERIFIED:
        return (f"{entry.version} is {entry.event}, not verified",)
    return _failure_drift(status.failure, entry)


def _failure_drift(failure: LedgerEntry | None, serving: LedgerEntry) -> tuple[str, ...]:
    if failure is None:
        return ()
    reason = failure.reason or "no reason was recorded"
    return (f"{failure.version} failed here, {serving.version} is back: {reason}",)
