"""Takes the locks of a run, keeps them while it lasts, and says when they are lost."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.errors import KaizenError, Locked
from kaizen_tasks.flows.fencing import Trace
from kaizen_tasks.ports import Clock, Tools

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEASE = 60.0
"""Seconds after which others may take over the lock of a run that has died."""

BEATS = 3
"""Renewals within a lease."""

MARGIN = 1 / 6
"""The part at the end of a lease in which its owner begins nothing more: clocks differ, and an act takes time."""

AGAIN_WITHIN = 3.0
"""Seconds after which a renewal that failed is tried again."""

ASKED_EVERY = 2.0
"""Seconds between two looks at a lock that is waited for."""

LAST_BEAT = 5.0
"""Seconds to wait for a renewal under way when the run ends; a later one cannot renew what has been released."""


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

    They are taken in the order of their names, so that two runs that wait never wait for each other. A lock that a run
    above this one holds is used, and neither renewed nor released. For the main thread, where signals arrive.

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
    keeper = _Keeper(tools=tools, lease=lease, command=_one_line(command), reason=_one_line(reason))
    deadline = tools.clock.elapsed() + wait
    try:
        with _beating(keeper):
            for environment in sorted(set(environments)):
                if not keeper.inherit(environment, above.get(environment, "")):
                    keeper.take(environment, deadline)
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
    _kept: dict[str, _Kept]
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
        """Check, and look at what is written.

        Args:
            environment: one that this run holds; empty for all of them.

        Raises:
            Locked: the lock is lost, or its lease was not renewed in time.
        """
        self.check(environment)
        for each in self._chosen(environment):
            if each in self._kept:
                self._look(self._kept[each].lock)

    def _chosen(self, environment: str) -> tuple[str, ...]:
        return (environment,) if environment else (*self._inherited, *self._kept)

    def _look(self, lock: Lock) -> None:
        standing = self._tools.locks.find(lock.environment)
        soon = self._tools.clock.now() + timedelta(seconds=self._lease * MARGIN)
        if standing is None or not standing.same(lock) or standing.expired(soon):
            raise _stopped(lock, standing)

    def _is_stale(self, kept: _Kept) -> bool:
        return kept.confirmed.ago(self._tools.clock) >= self._lease * (1 - MARGIN)

    def _lost(self, kept: _Kept) -> Locked:
        try:
            return _stopped(kept.lock, self._tools.locks.find(kept.lock.environment), kept.trouble)
        except KaizenError as error:
            return _stopped(kept.lock, kept.lock, error.what)


@frozen(kw_only=True)
class _Moment:
    """A moment on both clocks.

    `CLOCK_MONOTONIC` stands still while a laptop sleeps (clock_gettime(2)), and the time of day can be set back: the
    longer of the two is the safe one.
    """

    elapsed: float
    now: datetime

    @classmethod
    def of(cls, clock: Clock) -> _Moment:
        """Return this moment."""
        return cls(elapsed=clock.elapsed(), now=clock.now())

    def ago(self, clock: Clock) -> float:
        """Return the seconds since then."""
        return max(clock.elapsed() - self.elapsed, (clock.now() - self.now).total_seconds())


@define(kw_only=True)
class _Kept:
    """A lock of our own.

    Attributes:
        lock: as it was taken.
        confirmed: when the last renewal that succeeded was asked for.
        lost: whether a renewal has found another owner, or none.
        trouble: why the last renewal failed.
    """

    lock: Lock
    confirmed: _Moment
    lost: bool = False
    trouble: str = ""


@define(kw_only=True)
class _Keeper:
    """Takes, renews and releases the locks of a run.

    Attributes:
        kept: the locks that were taken, by environment.
        inherited: the locks of a run above this one.
    """

    _tools: Tools
    lease: float
    _command: str
    _reason: str
    kept: dict[str, _Kept] = field(factory=dict)
    inherited: dict[str, Lock] = field(factory=dict)
    _to_release: dict[str, Lock] = field(factory=dict)

    def inherit(self, environment: str, token: str) -> bool:
        """Use the lock that a run above this one holds; one that has ended by now is no reason to stop."""
        standing = self._tools.locks.find(environment) if token else None
        if standing is None or standing.token != token or standing.expired(self._tools.clock.now()):
            return False
        self.inherited[environment] = standing
        return True

    def take(self, environment: str, deadline: float) -> None:
        """Take a lock, and wait for a run that holds it.

        Args:
            environment: which.
            deadline: until when to wait, in elapsed seconds of the clock.

        Raises:
            Locked: somebody else holds it.
        """
        clock, token, told = self._tools.clock, secrets.token_hex(16), ""
        while (standing := self._try_over_the_dead(environment, token)).token != token:
            left = deadline - clock.elapsed()
            if standing.manual or left <= 0:
                raise _refused(standing)
            if standing.token != told:
                self._tools.reporter.note(f"{environment} is {standing}; waiting up to {duration.show(left)}")
                told = standing.token
            clock.sleep(min(ASKED_EVERY, left))

    def _try_over_the_dead(self, environment: str, token: str) -> Lock:
        """Take a lock once, and return the one that stands; nobody waits for a run that is known to have died."""
        standing = self._try(environment, token)
        if standing.token == token or not self._tools.machine.has_ended(standing.process, bearing=standing.token):
            return standing
        now = self._try(environment, token, over=standing)
        if now.token == token:
            self._tools.reporter.note(f"{environment} was {standing}; that run has died, so this one takes over")
        return now

    def _try(self, environment: str, token: str, *, over: Lock | None = None) -> Lock:
        """Take a lock once, and return the one that stands; should this be cut short, it will be released."""
        moment = _Moment.of(self._tools.clock)
        wanted = Lock(
            environment=environment,
            token=token,
            actor=self._tools.actor,
            command=self._command,
            reason=self._reason,
            since=moment.now,
            expires=moment.now + timedelta(seconds=self.lease),
            process=self._tools.machine.process(),
        )
        self._to_release[environment] = wanted
        standing = self._tools.locks.take(wanted, over=over)
        if standing.token == token:
            self.kept[environment] = _Kept(lock=standing, confirmed=moment)
        else:
            del self._to_release[environment]
        return standing

    def renew(self) -> bool:
        """Renew every lease; return whether each is renewed or known to be lost."""
        answered = [self._renew(kept) for kept in tuple(self.kept.values()) if not kept.lost]
        return all(answered)

    def _renew(self, kept: _Kept) -> bool:
        moment = _Moment.of(self._tools.clock)
        expires = moment.now + timedelta(seconds=self.lease)
        try:
            kept.lost = not self._tools.locks.renew(kept.lock, expires=expires)
        except KaizenError as error:
            kept.trouble = error.what  # the lease goes on; `check` sees when it is too old
            return False
        kept.confirmed = moment
        return True

    def release(self) -> None:
        """Give back whatever was taken, and what may have been taken although no answer came."""
        for environment, lock in tuple(self._to_release.items()):
            try:
                self._tools.locks.release(lock)
            except KaizenError as error:
                ends = f"it ends by itself within {duration.show(self.lease)}"
                self._tools.reporter.note(f"the lock of {environment} was not released, {ends}: {error.what}")
            del self._to_release[environment]


@contextmanager
def _beating(keeper: _Keeper) -> Iterator[None]:
    """Renew leases in the background."""
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(keeper, stop), name="heartbeat", daemon=True)
    heart.start()
    try:
        yield
    finally:
        stop.set()
        heart.join(LAST_BEAT)


def _beat(keeper: _Keeper, stop: threading.Event) -> None:
    """Renew until told to stop; in real time, whatever clock the run is told."""
    every = keeper.lease / BEATS
    pause = every
    while not stop.wait(pause):
        pause = every if keeper.renew() else min(every, AGAIN_WITHIN)


def _refused(standing: Lock) -> Locked:
    wait = "" if standing.manual else "--wait 10m waits for it; "
    return Locked(
        f"{standing.environment} is {standing}",
        state="nothing has been changed there",
        hint=f"{wait}if it is left over: inv lock.release --env {standing.environment} --force",
    )


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
