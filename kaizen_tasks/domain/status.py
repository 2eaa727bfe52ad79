"""What runs where, and where the witnesses disagree."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.domain.release import Image


@frozen(kw_only=True)
class EnvironmentStatus:
    """One environment as all of its witnesses see it.

    Attributes:
        environment: which.
        url: where its app was asked.
        latest_image: what `:latest` names in its repository; None when nothing does.
        version_report: what its app says.
        last_entry: what the ledger said last; None when nothing.
        lock: of the run that changes it now; None when there is none.
        hold: why it is left alone; None when it is not.
        errors: what could not be looked at, in words.
    """

    environment: Environment
    url: str
    latest_image: Image | None
    version_report: VersionReport
    last_entry: LedgerEntry | None
    lock: Lock | None = None
    hold: Hold | None = None
    errors: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know besides: who is at work there, and who wants it left alone."""
        return tuple(str(blocker) for blocker in (self.lock, self.hold) if blocker is not None)

    @property
    def drift(self) -> tuple[str, ...]:
        """Every disagreement between the witnesses, in words."""
        return (*self.errors, *_latest_drift(self), *_running_drift(self), *_ledger_drift(self))


def _latest_drift(status: EnvironmentStatus) -> tuple[str, ...]:
    if status.latest_image is None and status.last_entry is not None and not status.errors:
        return ("nothing is :latest in its repository",)
    return ()


def _running_drift(status: EnvironmentStatus) -> tuple[str, ...]:
    if status.version_report.error:
        return (f"the app {status.version_report.error}",)
    differences = []
    if status.latest_image is not None and status.version_report.version != status.latest_image.version:
        differences.append(
            f"runs {status.version_report.version or 'no version'}, but :latest is {status.latest_image.version or 'unlabelled'}"
        )
    if status.version_report.environment != status.environment.name:
        differences.append(f"the app believes to be {status.version_report.environment or 'nowhere'}")
    return tuple(differences)


def _ledger_drift(status: EnvironmentStatus) -> tuple[str, ...]:
    entry, latest_image = status.last_entry, status.latest_image
    if entry is None:
        return () if status.errors else ("never deployed by this tool",)
    if entry.event in {Event.FAILED, Event.ABANDONED}:
        outcome = "failed" if entry.event is Event.FAILED else "was abandoned"
        return (f"{entry.version} {outcome} here: {entry.reason or 'no reason was recorded'}",)
    if latest_image is not None and entry.digest != latest_image.digest:
        claim = f"the ledger says {entry.version} {entry.event}"
        return (f"{claim}, but :latest is {latest_image.version or 'another image'}",)
    if entry.event is not Event.VERIFIED:
        return (f"{entry.version} is {entry.event}, not verified",)
    return ()
