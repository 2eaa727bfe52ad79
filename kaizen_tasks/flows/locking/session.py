"""Holds the locks of environments while a run lasts, and reads who locks and who holds an environment."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.flows.locking.acquisition import LockAcquisition
from kaizen_tasks.flows.locking.guard import LockGuard
from kaizen_tasks.flows.locking.lease import LEASE_SECONDS, LeaseRenewer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class EnvironmentLockStatus:
    """What keeps others away from an environment.

    Attributes:
        environment: its name.
        lock: of the run that changes it now, or of one that has died; None when it is free.
        hold: why promotions leave it alone; None when they do not.
    """

    environment: str
    lock: Lock | None
    hold: Hold | None


def lock_status(environments: Iterable[str], tools: Tools) -> tuple[EnvironmentLockStatus, ...]:
    """Return the lock and the hold of each environment, with one request for each kind."""
    names = tuple(environments)
    locks, holds = tools.locks.get_many(names), tools.holds.get_many(names)
    return tuple(EnvironmentLockStatus(environment=name, lock=locks.get(name), hold=holds.get(name)) for name in names)


@contextmanager
def acquire_locks(
    environments: Iterable[str],
    tools: Tools,
    *,
    command: str,
    reason: str = "",
    wait: float = 0,
    lease: float = LEASE_SECONDS,
) -> Iterator[LockGuard]:
    """Hold the locks of environments while a run lasts: all of them, or none.

    The lock of a parent run is used, and neither renewed nor released. To be called in the main thread, which receives
    signals.

    Args:
        environments: names.
        tools: the outside world.
        command: the command line, shown to those who have to wait.
        reason: why, or empty.
        wait: seconds to wait in all for runs that hold a lock; a lock that was taken by hand is not waited for.
        lease: seconds after which others may take over when this run dies.

    Raises:
        Locked: somebody else holds an environment.
    """
    inherited_tokens = tools.locks.inherited_tokens()
    acquisition = LockAcquisition(tools=tools, lease=lease, command=_one_line(command), reason=_one_line(reason))
    deadline = tools.clock.monotonic() + wait
    try:
        with LeaseRenewer(tools=tools, lease=lease, held_locks=acquisition.held_locks).heartbeat():
            names = sorted(set(environments))
            names = [name for name in names if not acquisition.inherit(name, inherited_tokens.get(name, ""))]
            acquisition.acquire_all(names, deadline)
            tokens = {name: held_lock.lock.token for name, held_lock in acquisition.held_locks.items()}
            tools.locks.export_tokens({**inherited_tokens, **tokens})
            yield LockGuard(
                tools=tools, lease=lease, held_locks=acquisition.held_locks, inherited_locks=acquisition.inherited_locks
            )
    finally:
        tools.locks.export_tokens(inherited_tokens)
        try:
            acquisition.release_all()
        except KeyboardInterrupt:  # a second Ctrl-C must not leave a lock behind
            acquisition.release_all()
            raise


def _one_line(text: str) -> str:
    return " ".join(text.split())
