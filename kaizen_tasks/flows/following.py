"""Starts one deployment and follows that one to its end, whatever else happens on the service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.service import Operation
from kaizen_tasks.errors import DeployFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.release import Label
    from kaizen_tasks.domain.service import Service
    from kaizen_tasks.ports import Tools

Chooser = Callable[[Operation], bool]

AUTOMATIC_START = 20.0
"""Seconds within which auto-deployment is expected to notice a moved tag; unproven, AWS documents no bound."""

CLOCK_SKEW = timedelta(seconds=5)
"""How far this machine's clock may be ahead of the platform's."""


def unseen(known: frozenset[str]) -> Chooser:
    """Choose deployments that were not there before the tag moved."""
    return lambda operation: operation.deploys and operation.identity not in known


def begun_after(moment: datetime) -> Chooser:
    """Choose deployments that began after an earlier run had written down its intent."""
    return lambda operation: operation.deploys and operation.started >= moment - CLOCK_SKEW


def start_or_adopt(service: Service, label: Label, tools: Tools, *, adopt: Chooser, automatic: bool) -> str:
    """Return the identifier of the deployment that carries the release.

    Args:
        service: where.
        label: for whom progress is reported.
        tools: the outside world.
        adopt: tells our deployment from those that were there before.
        automatic: whether a deployment is expected to start by itself, since a tag moved; then it is waited for
            before one is started, because two of them would race.

    Raises:
        DeployFailed: the service stayed busy until the deadline.
    """
    began = tools.clock.elapsed()
    for _ in _ticks(tools):
        own = next((each for each in tools.platform.operations(service) if adopt(each)), None)
        if own is not None:
            return own.identity
        if automatic and tools.clock.elapsed() - began < AUTOMATIC_START:
            continue
        started = tools.platform.start(service)
        if started:
            return started
        tools.reporter.progress(label, f"{service.name} is busy with another operation; waiting")
    raise DeployFailed(
        f"{service.name} stayed busy for {duration.show(tools.settings.deploy.timeout)}",
        state=":latest points at the new release, which is not deployed yet; the old one is serving",
        hint="type the same command again",
    )


def to_the_end(service: Service, identity: str, label: Label, tools: Tools) -> Operation:
    """Wait until this very operation has ended, and return it.

    An operation that is missing from the list is waited for: the list is eventually consistent.

    Raises:
        DeployFailed: it had not ended at the deadline.
    """
    state = ""
    for elapsed in _ticks(tools):
        operation = next((each for each in tools.platform.operations(service) if each.identity == identity), None)
        if operation is not None and operation.ended:
            return operation
        seen = operation.state if operation else "not in the list of operations yet"
        if seen != state:
            tools.reporter.progress(label, f"{seen} after {duration.show(elapsed)}")
            state = seen
    raise DeployFailed(
        f"the deployment {identity} of {service.name} has not ended in {duration.show(tools.settings.deploy.timeout)}",
        state=f"its last state was {state}",
        hint="type the same command again to go on waiting",
    )


def _ticks(tools: Tools) -> Iterator[float]:
    """Yield elapsed seconds, at growing intervals, until the deadline."""
    began, interval = tools.clock.elapsed(), 0.2
    while (elapsed := tools.clock.elapsed() - began) < tools.settings.deploy.timeout:
        yield elapsed
        tools.clock.sleep(interval)
        interval = min(interval * 1.5, 15.0)
