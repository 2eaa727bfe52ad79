"""Starts one deployment, or finds the one that has started by itself."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain import polling
from kaizen_tasks.domain.release import Label
from kaizen_tasks.domain.service import Operation, Service
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Chooser = Callable[[Operation], bool]

AUTOMATIC_START = 20.0
"""Seconds within which auto-deployment is expected to notice a moved tag; unproven, AWS documents no bound."""

STARTED_BY_TAG = "START_DEPLOYMENT"
"""The kind of what a moved tag starts, and what we start; creating and changing a service are other people's acts."""

CLOCK_SKEW = timedelta(seconds=5)
"""How far this machine's clock may be ahead of the platform's."""

FIRST_TRY = 0.2
"""Seconds until the first look for a deployment that starts by itself, or until a busy service is asked again."""

SLOW_TRY = 3.0
"""The same on a platform whose deployments take minutes."""


@frozen(kw_only=True)
class Watch:
    """Waits for one service in the name of one step.

    Attributes:
        service: which, as it was in the beginning.
        release: the name of what is deployed.
        label: for whom progress is reported.
        tools: the outside world.
        until: when to give up, in elapsed seconds of the clock.
        usual: seconds that a deployment usually takes here.
    """

    service: Service
    release: str
    label: Label
    tools: Tools
    until: float
    usual: float

    def say(self, text: str) -> None:
        """Report progress."""
        self.tools.reporter.progress(self.label, text)

    def pauses(self, moments: Iterator[float], *, began: float | None = None) -> Iterator[None]:
        """Wait for one moment after the other; the last one is the deadline.

        Args:
            moments: in seconds after the beginning.
            began: when that was, in elapsed seconds of the clock; None means now.
        """
        clock = self.tools.clock
        began = clock.elapsed() if began is None else began
        for moment in moments:
            left = min(began + moment, self.until) - clock.elapsed()
            if left > 0:
                clock.sleep(left)
            yield
            if clock.elapsed() >= self.until:
                return

    def find(self, choose: Chooser) -> Operation | None:
        """Return the oldest of the operations that are meant: the first after the tag moved carries the release."""
        listed = self.tools.platform.operations(self.service)
        return next((each for each in reversed(listed) if choose(each)), None)


@frozen(kw_only=True)
class Begun:
    """A deployment that carries the release.

    Attributes:
        operation: the platform's identifier.
        at: when it began, in elapsed seconds of our clock.
    """

    operation: str
    at: float


def begun_after(moment: datetime, *, known: Collection[str] = ()) -> Chooser:
    """Choose the deployment that began after an intent was written down, by itself or by a start without an answer.

    Args:
        moment: when that was, by this machine's clock.
        known: identifiers of operations that carry something else.
    """

    def is_meant(operation: Operation) -> bool:
        if operation.kind != STARTED_BY_TAG or operation.identity in known:
            return False
        ended_before = operation.finished is not None and operation.finished < moment
        return operation.started >= moment - CLOCK_SKEW and not ended_before

    return is_meant


def begin(watch: Watch, *, adopt: Chooser, automatic: bool, look: bool = False) -> Begun | None:
    """Return the deployment that carries the release; None when the service was busy to the end.

    Args:
        watch: where, and for how long.
        adopt: tells our deployment from others: it may have begun without our knowing its identifier.
        automatic: whether a deployment is expected to start by itself, since a tag moved; then it is waited for
            before one is started, because two of them would race.
        look: whether an earlier run may have begun it.

    Raises:
        Undeployable: the service was paused meanwhile.
        NotFound: the service was deleted meanwhile.
    """
    clock, looking, told = watch.tools.clock, automatic or look, False
    came = clock.elapsed()
    patience = came + (AUTOMATIC_START if automatic else 0.0)
    moments = polling.retries(min(max(FIRST_TRY, watch.usual / 50), SLOW_TRY), seed=watch.service.identity)
    if automatic:
        moments = heapq.merge((AUTOMATIC_START,), moments)  # nobody waits longer than that for what may never come
    for _ in watch.pauses(moments if automatic and not look else _from_now(moments)):
        own = watch.find(adopt) if looking else None
        if own is not None:
            return Begun(operation=own.identity, at=max(came, clock.elapsed() - _age(own, clock)))
        looking, now = True, clock.elapsed()
        if now < patience:
            continue
        started = watch.tools.platform.start(watch.service)
        if started:
            return Begun(operation=started, at=now)
        if not told:
            watch.say(f"{watch.service.name} is busy with another operation; waiting")
            told = True
    return None


def _age(operation: Operation, clock: Clock) -> float:
    """Return the seconds for which an operation has been under way, as far as the two clocks agree."""
    return max(0.0, (clock.now() - operation.started).total_seconds())


def _from_now(moments: Iterator[float]) -> Iterator[float]:
    yield 0.0
    yield from moments
