"""Which real engines this machine has."""

from __future__ import annotations

import functools
import subprocess


@functools.cache
def has_docker() -> bool:
    """Return whether a Docker engine answers, and not merely its client."""
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0
