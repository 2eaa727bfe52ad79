"""A wrong clock for whole commands, by libfaketime: Debian's package `faketime`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def wrong_clock(seconds: int) -> dict[str, str]:
    """Return the variables by which a command's time of day is wrong; its monotonic clock stays right."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        assert "CI" not in os.environ, "faketime is not installed"
        pytest.skip("faketime is not installed")
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
