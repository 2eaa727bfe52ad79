"""Durations as they are written: `300ms`, `90s`, `5m`, `1h30m`, `7d`."""

from __future__ import annotations

import re
from typing import NewType

Seconds = NewType("Seconds", float)
ZERO_SECONDS = Seconds(0)

UNIT_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")
_DURATION = re.compile(rf"(?:{_PIECE.pattern})+")


def parse_duration(text: str) -> Seconds:
    """Return the seconds of a duration such as `5m`.

    Raises:
        ValueError: it is not a duration.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write it like 30s, 5m or 1h30m")
    return Seconds(sum(float(number) * UNIT_SECONDS[unit] for number, unit in _PIECE.findall(text)))


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units: `0.4s`, `12s`, `3m 20s`, `2h 5m`, `3d 4h`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    remaining = round(seconds)
    pieces: list[str] = []
    for unit, unit_seconds in tuple(UNIT_SECONDS.items())[:4]:
        count, remaining = divmod(remaining, int(unit_seconds))
        if count and len(pieces) < 2:
            pieces.append(f"{count}{unit}")
    return " ".join(pieces)
