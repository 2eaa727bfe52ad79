"""Which real engines this machine has."""

from __future__ import annotations

import functools
import subprocess

from tests.support.waiting import HANG_SECONDS


@functools.cache
def has_docker() -> bool:
    """Return whether a Docker engine answers, and not merely its client."""
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=HANG_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0
