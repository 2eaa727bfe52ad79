"""How far the upload of an image is, in words."""

from __future__ import annotations

from kaizen_tasks.domain.text import duration

BAR_WIDTH = 20
UNITS = ("B", "kB", "MB", "GB", "TB")


def describe_upload(sent: int, total: int, seconds: float) -> str:
    """Return a bar and how far an upload is: `[======>.............] uploaded 34 MB of 110 MB, 12 MB/s, 6.3s left`.

    Args:
        sent: as in `describe_transfer`.
        total: as in `describe_transfer`.
        seconds: since the transfer began.
    """
    width = BAR_WIDTH * min(sent, total) // total if total else BAR_WIDTH
    bar = f"{'=' * width}>"[:BAR_WIDTH]
    return f"[{bar:.<{BAR_WIDTH}}] uploaded {describe_transfer(sent, total, seconds)}"


def describe_transfer(sent: int, total: int, seconds: float) -> str:
    """Return how far a transfer is: `34 MB of 110 MB, 12 MB/s, 6.3s left`.

    Args:
        sent: bytes sent so far; those that are sent again after a broken connection make it more than `total`.
        total: bytes to send.
        seconds: since the transfer began.
    """
    progress = f"{format_bytes(min(sent, total))} of {format_bytes(total)}"
    if sent <= 0 or seconds <= 0:
        return progress
    rate = sent / seconds
    remaining = max(total - sent, 0)
    time_left = f", {duration.format_duration(remaining / rate)} left" if remaining else ""
    return f"{progress}, {format_bytes(rate)}/s{time_left}"


def format_bytes(count: float) -> str:
    """Return a number of bytes in its largest decimal unit, with two digits at least: `980 B`, `1.4 MB`, `110 MB`."""
    power = 0
    while power < len(UNITS) - 1 and round(count) >= 1000:
        count /= 1000
        power += 1
    return f"{count:.1f} {UNITS[power]}" if power and round(count, 1) < 10 else f"{count:.0f} {UNITS[power]}"
