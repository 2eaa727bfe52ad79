"""Whether the run that holds a lock is alive, as far as this machine can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.domain.lock import Lock
    from kaizen_tasks.ports.tools import Tools


def is_run_dead(lock: Lock, tools: Tools) -> bool:
    """Return whether the run that holds a lock has ended without releasing it; to be shown, never to act on."""
    is_expired = lock.seems_expired(tools.clock.now())
    return not lock.is_manual and (is_expired or tools.host.is_dead(lock.process, env_marker=lock.token))
