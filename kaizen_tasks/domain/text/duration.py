"""Durations as text: `300ms`, `90s`, `5m`, `1h30m`, `7d`."""

from __future__ import annotations

import re
from typing import NewType

Seconds = NewType("Seconds", float)
ZERO_SECONDS = Seconds(0)

UNIT_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PIECE = r"(\d+(?:\.\d+)?)(ms|[dhms])"
DURATION = f"(?:{_PIECE})+"
"""What a duration looks like."""


def parse_duration(text: str) -> Seconds:
    """Return the seconds of a duration such as `5m`.

    Raises:
        ValueError: the text is not a duration.
    """
    if not re.fullmatch(DURATION, text):
        raise ValueError(f"{text!r} is not a duration; write it like 30s, 5m or 1h30m")
    return Seconds(sum(float(number) * UNIT_SECONDS[unit] for number, unit in re.findall(_PIECE, text)))


def write_duration(seconds: float) -> str:
    """Return seconds as text for `parse_duration`, in the largest unit that divides them: `90s`, `5m`."""
    unit = next((unit for unit in UNIT_SECONDS if seconds and not seconds % UNIT_SECONDS[unit]), "s")
    return f"{seconds / UNIT_SECONDS[unit]:g}{unit}"


def format_clock(seconds: float) -> str:
    """Return a duration that goes on, as a clock shows it: `0:15`, `12:03`, `1:02:03`."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_age(seconds: float) -> str:
    """Return how long ago something happened, in its largest unit: `just now`, `12s ago`, `3m ago`, `4d ago`."""
    unit = next((unit for unit in ("d", "h", "m") if seconds >= UNIT_SECONDS[unit]), "s")
    count = int(seconds // UNIT_SECONDS[unit])
    return f"{count}{unit} ago" if count > 0 else "just now"


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
