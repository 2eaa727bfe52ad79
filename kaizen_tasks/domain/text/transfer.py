"""How far the upload of an image is, in words."""

from __future__ import annotations

from kaizen_tasks.domain.text import duration

BAR_WIDTH = 20
UNITS = ("B", "kB", "MB", "GB", "TB")


def describe_upload(sent: int, total: int, *, rate: float, remaining: int | None, silence: float = 0) -> str:
    """Return how far an upload is: `uploaded 34 MB of 110 MB, 12 MB/s, 6.3s left [======>.............]`.

    The bar comes last, where a narrow terminal cuts the line.

    Args:
        sent: bytes that have been sent, each counted once.
        total: bytes to send, as far as they are known.
        rate: bytes a second at the moment.
        remaining: bytes still to be sent; None if some of the total is not known.
        silence: seconds since the last byte, if that is worth saying.
    """
    texts = [f"uploaded {format_bytes(sent)} of {'' if remaining is not None else 'at least '}{format_bytes(total)}"]
    if silence and remaining != 0:
        texts.append(f"no byte for {duration.format_duration(silence)}")
    elif rate > 0:
        texts.append(f"{format_bytes(rate)}/s")
        texts += [f"{duration.format_duration(remaining / rate)} left"] if remaining else []
    return ", ".join(texts) + (f" [{_bar(sent, total)}]" if remaining is not None else "")


def _bar(sent: int, total: int) -> str:
    width = BAR_WIDTH * min(sent, total) // total if total else BAR_WIDTH
    return f"{'=' * width}>"[:BAR_WIDTH].ljust(BAR_WIDTH, ".")


def format_bytes(count: float) -> str:
    """Return a number of bytes in its largest decimal unit, with two digits at least: `980 B`, `1.4 MB`, `110 MB`."""
    power = 0
    while power < len(UNITS) - 1 and round(count) >= 1000:
        count /= 1000
        power += 1
    return f"{count:.1f} {UNITS[power]}" if power and round(count, 1) < 10 else f"{count:.0f} {UNITS[power]}"
