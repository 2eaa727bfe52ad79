"""Takes the locks of a run, renews them while it lasts, and gives them back: many at a time, where there are many."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import dropwhile
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.errors import KaizenError, Locked
from kaizen_tasks.flows.parallel import abreast
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BEATS = 3
"""Renewals within a lease."""

AGAIN_WITHIN = 3.0
"""Seconds after which a renewal that failed is tried again."""

ASKED_EVERY = 2.0
"""Seconds between two looks at a lock that is waited for."""

LAST_BEAT = 5.0
"""Seconds to wait for a renewal under way when the run ends; a later one cannot renew what has been released."""

AT_ONCE = 8
"""Locks that are asked about at the same time: one by one, those of hundreds of environments would take a lease."""


@frozen(kw_only=True)
class Moment:
    """A moment on both clocks.

    `CLOCK_MONOTONIC` stands still while a laptop sleeps (clock_gettime(2)), and the time of day can be set back: the
    longer of the two is the safe one.
    """

    elapsed: float
    now: datetime

    @classmethod
    def of(cls, clock: Clock) -> Moment:
        """Return this moment."""
        return cls(elapsed=clock.elapsed(), now=clock.now())

    def ago(self, clock: Clock) -> float:
        """Return the seconds since then."""
        return max(clock.elapsed() - self.elapsed, (clock.now() - self.now).total_seconds())


@define(kw_only=True)
class Kept:
    """A lock of our own.

    Attributes:
        lock: as it was taken.
        confirmed: when the last renewal that succeeded was asked for.
        seen: when a look was asked for that has found it; taking it and renewing it are looks as well.
        lost: whether a renewal has found another owner, or none.
        trouble: why the last renewal failed.
    """

    lock: Lock
    confirmed: Moment
    seen: Moment
    lost: bool = False
    trouble: str = ""


@define(kw_only=True)
class Keeper:
    """Takes, renews and releases the locks of a run.

    Attributes:
        kept: the locks that were taken, by environment.
        inherited: the locks of a run above this one.
    """

    _tools: Tools
    lease: float
    _command: str
    _reason: str
    kept: dict[str, Kept] = field(factory=dict)
    inherited: dict[str, Lock] = field(factory=dict)
    _to_release: dict[str, Lock] = field(factory=dict)

    def inherit(self, environment: str, token: str) -> bool:
        """Use the lock that a run above this one holds; one that has ended by now is no reason to stop."""
        standing = self._tools.locks.find(environment) if token else None
        if standing is None or standing.token != token or standing.expired(self._tools.clock.now()):
            return False
        self.inherited[environment] = standing
        return True

    def take_all(self, environments: Sequence[str], deadline: float) -> None:
        """Take locks, many at a time, and wait for the runs that hold some of them.

        The first is taken alone: of several runs that want the same, one gets it, and the others stop there. Whatever
        was taken behind one that another run holds is given back before that one is waited for, so that each run waits
        with locks only that come before it: two runs never wait for each other.

        Args:
            environments: which, in the order of their names.
            deadline: until when to wait, in elapsed seconds of the clock.

        Raises:
            Locked: somebody else holds one.
        """
        left = environments
        while left:
            first, *others = left
            self.take(first, deadline)
            abreast(self._attempt, others, at_once=AT_ONCE)
            left = list(dropwhile(self.kept.__contains__, others))
            abreast(self._give_back, [each for each in left if each in self.kept], at_once=AT_ONCE)

    def _attempt(self, environment: str) -> None:
        self._try_over_the_dead(environment, secrets.token_hex(16))

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
        moment = Moment.of(self._tools.clock)
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
            self.kept[environment] = Kept(lock=standing, confirmed=moment, seen=moment)
        else:
            del self._to_release[environment]
        return standing

    def renew(self) -> bool:
        """Renew every lease; return whether each is renewed or known to be lost."""
        answered: list[bool] = []
        kept = [each for each in tuple(self.kept.values()) if not each.lost]
        abreast(lambda each: answered.append(self._renew(each)), kept, at_once=AT_ONCE)
        return all(answered)

    def _renew(self, kept: Kept) -> bool:
        moment = Moment.of(self._tools.clock)
        expires = moment.now + timedelta(seconds=self.lease)
        try:
            kept.lost = not self._tools.locks.renew(kept.lock, expires=expires)
        except KaizenError as error:
            kept.trouble = error.what  # the lease goes on; `check` sees when it is too old
            return False
        kept.confirmed = kept.seen = moment
        return True

    def release(self) -> None:
        """Give back whatever was taken, and what may have been taken although no answer came."""
        troubles: dict[str, str] = {}
        abreast(partial(self._release, troubles), tuple(self._to_release), at_once=AT_ONCE)
        for environment, trouble in sorted(troubles.items()):
            ends = f"it ends by itself within {duration.show(self.lease)}"
            self._tools.reporter.note(f"the lock of {environment} was not released, {ends}: {trouble}")

    def _release(self, troubles: dict[str, str], environment: str) -> None:
        try:
            self._tools.locks.release(self._to_release[environment])
        except KaizenError as error:
            troubles[environment] = error.what
        del self._to_release[environment]

    def _give_back(self, environment: str) -> None:
        """Give back a lock that is to be taken again."""
        kept = self.kept.pop(environment)
        self._tools.locks.release(kept.lock)
        del self._to_release[environment]


@contextmanager
def beating(keeper: Keeper) -> Iterator[None]:
    """Renew leases in the background."""
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(keeper, stop), name="heartbeat", daemon=True)
    heart.start()
    try:
        yield
    finally:
        stop.set()
        heart.join(LAST_BEAT)


def _beat(keeper: Keeper, stop: threading.Event) -> None:
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
