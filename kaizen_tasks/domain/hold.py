"""Holds: requests to leave an environment unchanged for some time, or until the hold is removed."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import frozen

from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import UsageError


@frozen(kw_only=True)
class Hold:
    """A request by a person to leave an environment unchanged.

    Attributes:
        environment: the environment's name.
        reason: the reason, in one line.
        actor: who placed the hold, as in the ledger.
        since: when the hold was placed, in UTC.
        until: when the hold expires, in UTC; None when somebody has to remove it.
        run_url: address of the CI run that placed the hold, or empty.
    """

    environment: str
    reason: str
    actor: str
    since: datetime
    until: datetime | None = None
    run_url: str = ""

    def is_expired(self, now: datetime) -> bool:
        """Return whether the hold has expired."""
        return self.until is not None and self.until <= now

    def __str__(self) -> str:
        """Return a text such as `held by ada@laptop since 2026-11-20 12:00 UTC: a reason`."""
        run = f", {self.run_url}" if self.run_url else ""
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"held by {self.actor} since {self.since:%Y-%m-%d %H:%M} UTC{until}: {self.reason}{run}"


def parse_hold_until(length: str, now: datetime) -> datetime | None:
    """Return when a hold of a given length, such as `7d`, expires; None for an empty length.

    Raises:
        UsageError: the length is not a duration, is too short or is too long.
    """
    if not length:
        return None
    hint = "give a length of time, such as --until 7d or --until 12h"
    try:
        until = now + timedelta(seconds=duration.parse_duration(length))
    except ValueError:
        raise UsageError(f"--until {length}: not a length of time", hint=hint) from None
    except OverflowError:
        raise UsageError(f"--until {length}: the hold would end after the year 9999", hint=hint) from None
    if until == now:
        raise UsageError(f"--until {length}: the hold would end at once", hint=hint)
    return until
