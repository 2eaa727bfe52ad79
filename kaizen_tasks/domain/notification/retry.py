"""When a message that was not delivered is sent again, and when nobody tries any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.notification import QueuedMessage
    from kaizen_tasks.errors import Undelivered

FIRST_PAUSE_SECONDS = 5.0
MAX_PAUSE_SECONDS = 3600.0
GIVE_UP_AFTER = timedelta(days=7)
"""Age of a message that is not sent by itself any more: by then, people know what it says."""

DROP_AFTER = timedelta(days=30)
"""Age of a message that is dropped, and named when it is."""


def next_attempt(message: QueuedMessage, error: Undelivered, now: datetime) -> datetime:
    """Return when a message may be sent again after an attempt that has just failed.

    The pause doubles with each attempt, to an hour; it is an hour if the target will refuse the message again.
    """
    pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(message.attempts, 20), MAX_PAUSE_SECONDS)
    pause = MAX_PAUSE_SECONDS if error.is_permanent else pause
    return now + timedelta(seconds=max(pause, min(error.retry_after, MAX_PAUSE_SECONDS)))


def is_given_up(message: QueuedMessage, now: datetime) -> bool:
    """Return whether a message is too old to be sent by itself."""
    return now - message.queued_at > GIVE_UP_AFTER


def is_dropped(message: QueuedMessage, now: datetime) -> bool:
    """Return whether a message is so old that it is removed."""
    return now - message.queued_at > DROP_AFTER


def is_due(message: QueuedMessage, now: datetime) -> bool:
    """Return whether a message may be sent now: it was not tried just before, and no other run is sending it."""
    is_reserved = message.reserved_until is not None and message.reserved_until > now
    return message.due_at <= now and not is_reserved
