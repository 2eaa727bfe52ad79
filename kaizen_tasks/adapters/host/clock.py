"""The system clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo

from kaizen_tasks.errors import Cancelled, UsageError


class SystemClock:
    """Real time. Safe to use from several threads.

    Args:
        offset: returns what to add to this machine's time of day; it must not change while ages are measured.
        timezone: the zone whose calendar dates a release, such as `Europe/Berlin`; empty for that of this machine.
        source_date_epoch: the variable `SOURCE_DATE_EPOCH`, whose time dates a release instead of now; it is UTC
            unless there is a zone: https://reproducible-builds.org/specs/source-date-epoch/
    """

    def __init__(
        self, *, offset: Callable[[], timedelta] = timedelta, timezone: str = "", source_date_epoch: str = ""
    ) -> None:
        self._offset = offset
        self._timezone = timezone
        self._source_date_epoch = source_date_epoch
        self._cancel_event = threading.Event()

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC) + self._offset()

    def release_date(self) -> date:
        """Return the day of a release that is made now, or at `SOURCE_DATE_EPOCH`."""
        zone = _time_zone(self._timezone)
        if not self._source_date_epoch:
            return self.now().astimezone(zone).date()
        return _source_date(self._source_date_epoch).astimezone(zone or UTC).date()

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; raise Cancelled if `cancel_waits` is or was called."""
        if self._cancel_event.wait(seconds):
            raise Cancelled("interrupted while waiting", hint="run the same command again to finish")

    def cancel_waits(self) -> None:
        """End the waits of all threads, and make every later wait raise Cancelled."""
        self._cancel_event.set()


def _time_zone(name: str) -> tzinfo | None:
    """Return a time zone; None for that of this machine."""
    if name in {"", "UTC"}:  # which need no database of time zones
        return UTC if name else None
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _source_date(seconds: str) -> datetime:
    """Return the time of `SOURCE_DATE_EPOCH`."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError) as error:
        message = f"SOURCE_DATE_EPOCH: {seconds!r} is not a time in seconds since 1970"
        raise UsageError(message, hint='export SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"') from error
