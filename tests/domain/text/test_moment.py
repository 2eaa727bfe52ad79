"""Moments in the past, as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.text.moment import parse_past

NOW = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90d", datetime(2026, 8, 30, 12, 30, tzinfo=UTC)),
        ("12h", datetime(2026, 11, 28, 0, 30, tzinfo=UTC)),
        ("1h30m", datetime(2026, 11, 28, 11, tzinfo=UTC)),
        ("0s", NOW),
        ("2026-09-01", datetime(2026, 9, 1, tzinfo=UTC)),
        ("2026-11-28", datetime(2026, 11, 28, tzinfo=UTC)),
        ("2026-09-01T08:30", datetime(2026, 9, 1, 8, 30, tzinfo=UTC)),
        ("2026-09-01 08:30:15", datetime(2026, 9, 1, 8, 30, 15, tzinfo=UTC)),
        ("2026-09-01T08:30Z", datetime(2026, 9, 1, 8, 30, tzinfo=UTC)),
        ("2026-09-01T08:30+02:00", datetime(2026, 9, 1, 6, 30, tzinfo=UTC)),
    ],
)
def test_past_moment_is_parsed(text: str, moment: datetime) -> None:
    found = parse_past(text, NOW)

    assert (found, found.utcoffset()) == (moment, timedelta(0))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("yesterday", "neither a length of time nor an ISO date or time"),
        ("", "neither a length of time nor an ISO date or time"),
        ("90", "neither a length of time nor an ISO date or time"),
        ("-90d", "neither a length of time nor an ISO date or time"),
        ("1.9.2026", "neither a length of time nor an ISO date or time"),
        ("2026-02-30", "neither a length of time nor an ISO date or time"),
        ("2026-11-29", "in the future"),
        ("2026-11-28T12:30-01:00", "in the future"),
        ("9999-12-31T23:59-12:00", "not in the years 1 to 9999"),
        ("800000d", "not in the years 1 to 9999"),
        ("99999999999999999d", "not in the years 1 to 9999"),
        ("0001-01-01T00:00+01:00", "not in the years 1 to 9999"),
    ],
)
def test_what_is_no_past_moment_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_past(text, NOW)


@given(st.datetimes(max_value=NOW.replace(tzinfo=None)), st.integers(-23, 23))
def test_every_written_moment_is_read_back(moment: datetime, hours: int) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    try:
        expected = zoned.astimezone(UTC)
    except OverflowError:
        expected = None
    if expected is None or expected > NOW:
        with pytest.raises(ValueError, match=r"not in the years|in the future"):
            parse_past(zoned.isoformat(), NOW)
    else:
        assert parse_past(zoned.isoformat(), NOW) == expected
