"""Takes the locks of a run, keeps them while it lasts, and says when they are lost."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import field, frozen

from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.errors import KaizenError, Locked
from kaizen_tasks.flows.locking.guard import Trace
from kaizen_tasks.flows.locking.lease import Keeper, Kept, Moment, beating
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEASE = 60.0
"""Seconds after which others may take over the lock of a run that has died."""

MARGIN = 1 / 6
"""The part at the end of a lease in which its owner begins nothing more: clocks differ, and an act takes time."""

FRESH = 1.0
"""Seconds for which a lock that was seen to be written needs no other look. A person who releases it by force cannot
know either which calls of its run are under way."""


@frozen(kw_only=True)
class Standing:
    """What keeps others away from an environment.

    Attributes:
        environment: which.
        lock: of the run that changes it now, or of one that has died; None when it is free.
        hold: why it is to be left alone; None when it is not.
    """

    environment: str
    lock: Lock | None
    hold: Hold | None


def look(environments: Iterable[str], tools: Tools) -> tuple[Standing, ...]:
    """Return who locks and who holds each environment, asking for all at once."""
    names = tuple(environments)
    locks, holds = tools.locks.all_of(names), tools.holds.all_of(names)
    return tuple(Standing(environment=name, lock=locks.get(name), hold=holds.get(name)) for name in names)


def heed(environment: str, tools: Tools) -> None:
    """Go on only when no hold keeps an environment as it is.

    Raises:
        Locked: one does.
    """
    hold = tools.holds.find(environment)
    if hold is not None:
        raise Locked(
            f"{environment} is {hold}",
            state="nothing has been changed there",
            hint=f"when that no longer applies: inv hold.remove --env {environment}",
        )


@contextmanager
def holding(
    environments: Iterable[str],
    tools: Tools,
    *,
    command: str,
    reason: str = "",
    wait: float = 0,
    lease: float = LEASE,
) -> Iterator[Fence]:
    """Hold the locks of environments for as long as a run lasts: all of them, or none.

    A lock that a run above this one holds is used, and neither renewed nor released. For the main thread, where
    signals arrive.

    Args:
        environments: names.
        tools: the outside world.
        command: what was typed, for those who are kept waiting.
        reason: why, or empty.
        wait: seconds to wait in all for runs that hold a lock; one that a person has taken by hand is not waited for.
        lease: seconds after which others may take over when this run dies.

    Raises:
        Locked: somebody else holds an environment.
    """
    above = tools.locks.inherited()
    keeper = Keeper(tools=tools, lease=lease, command=_one_line(command), reason=_one_line(reason))
    deadline = tools.clock.elapsed() + wait
    try:
        with beating(keeper):
            names = sorted(set(environments))
            keeper.take_all([name for name in names if not keeper.inherit(name, above.get(name, ""))], deadline)
            tools.locks.pass_on({**above, **{name: kept.lock.token for name, kept in keeper.kept.items()}})
            yield Fence(tools=tools, lease=lease, kept=keeper.kept, inherited=keeper.inherited)
    finally:
        tools.locks.pass_on(above)
        try:
            keeper.release()
        except KeyboardInterrupt:  # whoever presses Ctrl-C twice must not leave a lock behind
            keeper.release()
            raise


@frozen(kw_only=True)
class Fence:
    """Stands before every change: are the locks still this run's own? Safe to use from several threads.

    Attributes:
        trace: what the run has changed behind it.
    """

    _tools: Tools
    _lease: float
    _kept: dict[str, Kept]
    _inherited: dict[str, Lock]
    trace: Trace = field(factory=Trace)

    def check(self, environment: str = "") -> None:
        """Go on only when a lock is still ours as far as this process knows, which costs nothing.

        A process that was stopped, or whose machine slept, finds that its last renewal is too old. An inherited lock is
        renewed by another process, so that one is looked at.

        Args:
            environment: one that this run holds; empty for all of them.

        Raises:
            Locked: the lock is lost, or its lease was not renewed in time.
        """
        for each in self._chosen(environment):
            if each in self._inherited:
                self._look(self._inherited[each])
            elif self._kept[each].lost or self._is_stale(self._kept[each]):
                raise self._lost(self._kept[each])

    def confirm(self, environment: str = "") -> None:
        """Check, and look at what is written, unless that was seen a moment ago.

        Args:
            environment: one that this run holds; empty for all of them.

        Raises:
            Locked: the lock is lost, or its lease was not renewed in time.
        """
        self.check(environment)
        for each in self._chosen(environment):
            if each in self._kept and self._kept[each].seen.ago(self._tools.clock) >= FRESH:
                self._see(self._kept[each])

    def _chosen(self, environment: str) -> tuple[str, ...]:
        return (environment,) if environment else (*self._inherited, *self._kept)

    def _see(self, kept: Kept) -> None:
        moment = Moment.of(self._tools.clock)
        self._look(kept.lock)
        kept.seen = moment

    def _look(self, lock: Lock) -> None:
        standing = self._tools.locks.find(lock.environment)
        soon = self._tools.clock.now() + timedelta(seconds=self._lease * MARGIN)
        if standing is None or not standing.same(lock) or standing.expired(soon):
            raise _stopped(lock, standing)

    def _is_stale(self, kept: Kept) -> bool:
        return kept.confirmed.ago(self._tools.clock) >= self._lease * (1 - MARGIN)

    def _lost(self, kept: Kept) -> Locked:
        try:
            return _stopped(kept.lock, self._tools.locks.find(kept.lock.environment), kept.trouble)
        except KaizenError as error:
            return _stopped(kept.lock, kept.lock, error.what)


def _stopped(lock: Lock, standing: Lock | None, trouble: str = "") -> Locked:
    if standing is None:
        how = "somebody has released it"
    elif not standing.same(lock):
        how = f"now it is {standing}"
    else:
        how = "its lease was not renewed in time" + (f" ({trouble})" if trouble else "")
    return Locked(
        f"this run has lost the lock of {lock.environment}: {how}",
        state="it changes nothing more there; a deployment that it began goes on by itself",
        hint="look first: inv lock.show, inv status; then type the same command again",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
