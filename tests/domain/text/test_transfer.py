"""How far an upload is, in words."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.text.transfer import describe_upload, format_bytes

MB = 1_000_000


@pytest.mark.parametrize(
    ("sent", "rate", "silence", "text"),
    [
        (34 * MB, 11.4e6, 0, "uploaded 34 MB of 110 MB, 11 MB/s, 6.7s left [======>.............]"),
        (109 * MB, 1e6, 0, "uploaded 109 MB of 110 MB, 1.0 MB/s, 1.0s left [===================>]"),
        (110 * MB, 11e6, 0, "uploaded 110 MB of 110 MB, 11 MB/s [====================]"),
        (110 * MB, 0, 40, "uploaded 110 MB of 110 MB [====================]"),
        (0, 0, 0, "uploaded 0 B of 110 MB [>...................]"),
        (0, 0, 40, "uploaded 0 B of 110 MB, no byte for 40s [>...................]"),
        (10 * MB, 20e3, 0, "uploaded 10 MB of 110 MB, 20 kB/s, 1h 23m left [=>..................]"),
    ],
)
def test_says_bytes_rate_and_time_left(sent: int, rate: float, silence: float, text: str) -> None:
    assert describe_upload(sent, 110 * MB, rate=rate, remaining=110 * MB - sent, silence=silence) == text


def test_total_that_is_not_known_has_neither_time_nor_bar() -> None:
    assert describe_upload(1 * MB, 9 * MB, rate=2e6, remaining=None) == "uploaded 1.0 MB of at least 9.0 MB, 2.0 MB/s"


def test_upload_of_nothing_is_complete() -> None:
    assert describe_upload(0, 0, rate=0, remaining=0) == "uploaded 0 B of 0 B [====================]"


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
