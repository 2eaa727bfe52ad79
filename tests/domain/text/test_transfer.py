"""How far an upload is, in words."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.text.transfer import describe_transfer, describe_upload, format_bytes


@pytest.mark.parametrize(
    ("sent", "total", "seconds", "text"),
    [
        (34_000_000, 110_000_000, 3.0, "34 MB of 110 MB, 11 MB/s, 6.7s left"),
        (110_000_000, 110_000_000, 10.0, "110 MB of 110 MB, 11 MB/s"),
        (120_000_000, 110_000_000, 10.0, "110 MB of 110 MB, 12 MB/s"),  # some of it twice
        (0, 110_000_000, 10.0, "0 B of 110 MB"),
        (500, 1_500, 0.0, "500 B of 1.5 kB"),
        (1_000_000, 3_601_000_000, 1.0, "1.0 MB of 3.6 GB, 1.0 MB/s, 1h left"),
    ],
)
def test_says_bytes_rate_and_time_left(sent: int, total: int, seconds: float, text: str) -> None:
    assert describe_transfer(sent, total, seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1.0 kB"),
        (1000, "1.0 kB"),
        (9_960, "10 kB"),
        (999_400, "999 kB"),
        (2e12, "2.0 TB"),
        (3e15, "3000 TB"),
    ],
)
def test_bytes_have_their_largest_unit(count: float, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ("sent", "bar"),
    [
        (0, ">..................."),
        (34_000_000, "======>............."),
        (109_000_000, "===================>"),
        (110_000_000, "===================="),
        (120_000_000, "===================="),
    ],
)
def test_upload_has_a_bar(sent: int, bar: str) -> None:
    text = describe_upload(sent, 110_000_000, 3.0)

    assert text == f"[{bar}] uploaded {describe_transfer(sent, 110_000_000, 3.0)}"


def test_upload_of_nothing_is_complete() -> None:
    assert describe_upload(0, 0, 0.0) == "[====================] uploaded 0 B of 0 B"
