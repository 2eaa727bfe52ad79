"""The status of an environment: what runs there, and where registry, ledger and running app disagree."""

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
    """The state of one environment according to registry, ledger and running app.

    Attributes:
        environment: the environment.
        url: the app's URL.
        followed_image: the image that the followed tag names in its repository; None when there is none.
        version_report: what the app reports.
        last_entry: the newest entry of the ledger; None when there is none.
        lock: the current lock; None when there is none.
        hold: the current hold; None when there is none.
        errors: what could not be read, in words.
    """

    environment: Environment
    url: str
    followed_image: Image | None
    version_report: VersionReport
    last_entry: LedgerEntry | None
    lock: Lock | None = None
    hold: Hold | None = None
    errors: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Descriptions of the lock and the hold, if any."""
        return tuple(str(blocker) for blocker in (self.lock, self.hold) if blocker is not None)

    @property
    def drift(self) -> tuple[str, ...]:
        """Descriptions of every disagreement between registry, ledger and running app."""
        lacks_image = self.followed_image is None and self.last_entry is not None and not self.errors
        image_drift = (f"nothing is :{self.environment.follow} in its repository",) if lacks_image else ()
        return (*self.errors, *image_drift, *_running_drift(self), *_ledger_drift(self))


def _running_drift(status: EnvironmentStatus) -> tuple[str, ...]:
    report, image = status.version_report, status.followed_image
    if report.error:
        return (f"the app {report.error}",)
    differences = []
    if image is not None and report.version != image.version:
        tagged = f":{status.environment.follow} is {image.version or 'unlabelled'}"
        differences.append(f"runs {report.version or 'no version'}, but {tagged}")
    if not report.is_from(status.environment.name):
        name = report.environment
        differences.append(f"the app reports environment {name!r}" if name else "the app reports no environment")
    return tuple(differences)


def _ledger_drift(status: EnvironmentStatus) -> tuple[str, ...]:
    entry, followed_image = status.last_entry, status.followed_image
    if entry is None:
        return () if status.errors else ("never deployed by this tool",)
    if entry.event in {Event.FAILED, Event.ABANDONED}:
        outcome = "failed" if entry.event is Event.FAILED else "was abandoned"
        return (f"{entry.version} {outcome} here: {entry.reason or 'no reason was recorded'}",)
    if followed_image is not None and entry.digest != followed_image.digest:
        claim = f"the ledger says {entry.version} {entry.event}"
        return (f"{claim}, but :{status.environment.follow} is {followed_image.version or 'another image'}",)
    if entry.event is not Event.VERIFIED:
        return (f"{entry.version} is {entry.event}, not verified",)
    return ()
