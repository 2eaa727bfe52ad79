"""What keeps an environment as it is: a person's word, with a reason, for a while or until it is taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.errors import UsageError


@frozen(kw_only=True)
class Hold:
    """Leave this environment alone.

    Attributes:
        environment: which.
        reason: why, in one line.
        actor: who: `user@host`.
        since: when it was said, in UTC.
        until: when it ends by itself; None when only a person ends it.
    """

    environment: str
    reason: str
    actor: str
    since: datetime
    until: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        """Return whether it counts no more."""
        return self.until is not None and self.until <= now

    def __str__(self) -> str:
        """Say who holds it, since when, how long and why."""
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"held by {self.actor} since {self.since:%Y-%m-%d %H:%M} UTC{until}: {self.reason}"


def parse_hold_until(length: str, now: datetime) -> datetime | None:
    """Return when a hold ends that is to last for a while: `7d`; None for no length.

    Raises:
        UsageError: not a length of time, or one without an end to it.
    """
    if not length:
        return None
    try:
        until = now + timedelta(seconds=duration.parse_duration(length))
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--until {length}: {error}", hint="say for how long, as in --until 7d or --until 12h"
        ) from None
    if until == now:
        raise UsageError(f"--until {length}: that is over at once", hint="say for how long, as in --until 7d")
    return until
