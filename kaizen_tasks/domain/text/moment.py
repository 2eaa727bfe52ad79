"""Moments as text: how long ago, `90d`, or an ISO 8601 date or time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from kaizen_tasks.domain.text.duration import DURATION, parse_duration


def parse_past(text: str, now: datetime) -> datetime:
    """Return the past moment that a text names, in UTC: `12h`, `90d`, `2026-09-01`, `2026-09-01T08:30+02:00`.

    A date is its first moment. What names no zone is in UTC, as everything that is shown is.

    Args:
        text: a length of time before now, or a date or time.
        now: the present moment.

    Raises:
        ValueError: the text is neither, or names a moment in the future or before the year 1.
    """
    if re.fullmatch(DURATION, text):
        try:
            return (now - timedelta(seconds=parse_duration(text))).astimezone(UTC)
        except OverflowError:
            raise ValueError("that is not in the years 1 to 9999") from None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("neither a length of time nor an ISO date or time") from None
    try:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("that is not in the years 1 to 9999") from None
    if moment > now:
        raise ValueError("that is in the future")
    return moment
