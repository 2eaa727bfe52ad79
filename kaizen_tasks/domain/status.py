"""What runs where, and where the witnesses disagree."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import Running
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Entry, Event
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.domain.release import Image


@frozen(kw_only=True)
class Row:
    """One environment as all of its witnesses see it.

    Attributes:
        environment: which.
        url: where its app was asked.
        latest: what `:latest` names in its repository; None when nothing does.
        running: what its app says.
        entry: what the ledger said last; None when nothing.
        lock: of the run that changes it now; None when there is none.
        hold: why it is left alone; None when it is not.
        faults: what could not be looked at, in words.
    """

    environment: Environment
    url: str
    latest: Image | None
    running: Running
    entry: Entry | None
    lock: Lock | None = None
    hold: Hold | None = None
    faults: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What people should know besides: who is at work there, and who wants it left alone."""
        return tuple(str(each) for each in (self.lock, self.hold) if each is not None)

    @property
    def drift(self) -> tuple[str, ...]:
        """Every disagreement between the witnesses, in words."""
        return (*self.faults, *_latest_drift(self), *_running_drift(self), *_ledger_drift(self))


def _latest_drift(row: Row) -> tuple[str, ...]:
    if row.latest is None and row.entry is not None and not row.faults:
        return ("nothing is :latest in its repository",)
    return ()


def _running_drift(row: Row) -> tuple[str, ...]:
    if row.running.fault:
        return (f"the app {row.running.fault}",)
    found = []
    if row.latest is not None and row.running.version != row.latest.version:
        found.append(f"runs {row.running.version or 'no version'}, but :latest is {row.latest.version or 'unlabelled'}")
    if row.running.environment != row.environment.name:
        found.append(f"the app believes to be {row.running.environment or 'nowhere'}")
    return tuple(found)


def _ledger_drift(row: Row) -> tuple[str, ...]:
    entry, latest = row.entry, row.latest
    if entry is None:
        return () if row.faults else ("never deployed by this tool",)
    if entry.event in {Event.FAILED, Event.ABANDONED}:
        how = "failed" if entry.event is Event.FAILED else "was abandoned"
        return (f"{entry.version} {how} here: {entry.reason or 'no reason was recorded'}",)
    if latest is not None and entry.digest != latest.digest:
        said = f"the ledger says {entry.version} {entry.event}"
        return (f"{said}, but :latest is {latest.version or 'another image'}",)
    if entry.event is not Event.VERIFIED:
        return (f"{entry.version} is {entry.event}, not verified",)
    return ()
