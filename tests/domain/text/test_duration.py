"""Durations, parsed and formatted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.text import duration


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
def test_duration_is_parsed_from_numbers_with_units(text: str, seconds: float) -> None:
    assert duration.parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5min", "1h 30m", "1.m", ".5m", "5M", "5m,", "1e3s"])
def test_malformed_duration_is_an_error_with_an_example(text: str) -> None:
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
def test_duration_is_formatted_in_its_two_largest_units(seconds: float, shown: str) -> None:
    assert duration.format_duration(seconds) == shown


@given(seconds=st.integers(min_value=10, max_value=10**8))
def test_formatted_duration_is_parsed_back_nearly_equal(seconds: int) -> None:
    shown = duration.format_duration(seconds)
    said = duration.parse_duration(shown.replace(" ", ""))

    assert 0 <= seconds - said <= max(60, seconds / 24)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (15.9, "0:15"), (723, "12:03"), (3723, "1:02:03"), (-1, "0:00")]
)
def test_clock_of_a_duration(seconds: float, text: str) -> None:
    assert duration.format_clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "just now"), (0.4, "just now"), (12, "12s ago"), (60, "1m ago"), (3599, "59m ago"), (90_000, "1d ago")],
)
def test_age_is_in_its_largest_unit(seconds: float, text: str) -> None:
    assert duration.format_age(seconds) == text
