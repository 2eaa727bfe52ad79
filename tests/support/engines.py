"""Which container engines this machine has."""

from __future__ import annotations

import functools
import subprocess

from tests.support.waiting import HANG_SECONDS


@functools.cache
def has_docker() -> bool:
    """Return whether a Docker engine answers; its client alone is not enough."""
    try:
        completed = subprocess.run(["docker", "info"], capture_output=True, timeout=HANG_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return completed.returncode == 0
