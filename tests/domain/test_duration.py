"""Lengths of time, as people write and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain import duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("300ms", 0.3),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("7d", 604800),
        ("1.5h", 5400),
        ("1m500ms", 60.5),
    ],
)
def test_understands_what_people_write(text: str, seconds: float) -> None:
    """Numbers with a unit, one after the other."""
    assert duration.parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5min", "1h 30m", "1.m", ".5m", "5M", "5m,", "1e3s"])
def test_refuses_what_is_not_a_duration(text: str) -> None:
    """The error says how one is written."""
    with pytest.raises(ValueError, match="is not a duration; write it like 30s, 5m or 1h30m"):
        duration.parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.0s"),
        (0.44, "0.4s"),
        (9.94, "9.9s"),
        (12, "12s"),
        (59.6, "1m"),
        (200, "3m 20s"),
        (3605, "1h 5s"),
        (7500, "2h 5m"),
        (7561, "2h 6m"),
        (3 * 86400 + 4 * 3600 + 59, "3d 4h"),
    ],
)
def test_shows_the_two_largest_units_that_matter(seconds: float, shown: str) -> None:
    """Nobody reads the seconds of a day."""
    assert duration.format_duration(seconds) == shown


@given(seconds=st.integers(min_value=10, max_value=10**8))
def test_what_is_shown_is_a_duration_and_not_far_off(seconds: int) -> None:
    """Only what is smaller than the two units shown is left out."""
    shown = duration.format_duration(seconds)
    said = duration.parse_duration(shown.replace(" ", ""))

    assert 0 <= seconds - said <= max(60, seconds / 24)
